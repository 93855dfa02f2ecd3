//! Which revision of a repository a directory is a checkout of.
//!
//! Read from the files that gitrepository-layout(5) describes. No program is run, and nothing that
//! a repository's configuration names is: a context may be anyone's. Whether files were changed
//! since the revision is not told, for that takes git itself.

mod tags;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// What a checkout says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GitState {
    /// The commit that is checked out: 40 hex digits, or 64 in a SHA-256 repository.
    pub revision: String,
    /// The branch, unless the commit was checked out by itself.
    pub branch: Option<String>,
    /// A tag of the commit.
    pub tag: Option<String>,
    /// Where `origin` is, without user name and password.
    pub remote: Option<String>,
}

/// No file that is read here is larger, except `packed-refs`, which is cut off.
const MAX_BYTES: u64 = 16 << 20;

/// Symbolic references may lead to symbolic references, five deep as in git itself.
const MAX_REFERENCES: usize = 5;

/// The state of the checkout at `root`, or `None` if there is no repository right there, it has no
/// commit yet, or its files are not to be understood.
pub fn git_state(root: &Path) -> Option<GitState> {
    let repository = Repository::of(root)?;
    let head = read(&repository.own.join("HEAD"))?;
    let branch =
        symbolic(&head).and_then(|name| name.strip_prefix("refs/heads/")).map(str::to_owned);
    let revision = repository.commit(&head)?;
    let config = read(&repository.common.join("config")).unwrap_or_default();
    let remote = origin(&config).map(|url| without_credentials(&url));
    let tag = tags::tag_of(&repository.common, &revision);
    Some(GitState { revision, branch, tag, remote })
}

/// The two directories of a repository, the same unless the checkout is a linked work tree.
struct Repository {
    /// What belongs to this checkout: `HEAD`.
    own: PathBuf,
    /// What all its checkouts share: references and configuration.
    common: PathBuf,
}

impl Repository {
    fn of(root: &Path) -> Option<Self> {
        let dot_git = root.join(".git");
        let own = if dot_git.is_dir() {
            dot_git
        } else {
            // A linked work tree, or a submodule (gitrepository-layout(5), "gitfile").
            root.join(read(&dot_git)?.strip_prefix("gitdir:")?.trim())
        };
        let common = match read(&own.join("commondir")) {
            Some(path) => own.join(path.trim()),
            None => own.clone(),
        };
        Some(Repository { own, common })
    }

    /// The commit that the text of `HEAD`, or of another reference, leads to.
    fn commit(&self, text: &str) -> Option<String> {
        let mut text = text.to_owned();
        for _ in 0..MAX_REFERENCES {
            let Some(name) = symbolic(&text) else {
                return object_name(text.trim());
            };
            if !is_reference_name(name) {
                return None;
            }
            text = match read(&self.common.join(name)) {
                Some(text) => text,
                None => return self.packed(name),
            };
        }
        None
    }

    fn packed(&self, name: &str) -> Option<String> {
        let packed = read(&self.common.join("packed-refs"))?;
        let mut references = packed.lines().filter_map(|line| line.split_once(' '));
        object_name(references.find(|(_, reference)| *reference == name)?.0)
    }
}

fn read(path: &Path) -> Option<String> {
    let file = File::open(path).ok().filter(|file| file.metadata().is_ok_and(|m| m.is_file()))?;
    let mut bytes = Vec::new();
    file.take(MAX_BYTES).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn symbolic(text: &str) -> Option<&str> {
    Some(text.strip_prefix("ref:")?.trim())
}

fn object_name(text: &str) -> Option<String> {
    let hex = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    (hex && matches!(text.len(), 40 | 64)).then(|| text.to_owned())
}

/// Whether a name can be a path below the repository, and leads nowhere else.
fn is_reference_name(name: &str) -> bool {
    name.starts_with("refs/") && !name.split('/').any(|part| matches!(part, "" | "." | ".."))
}

/// The value of `remote.origin.url` (git-config(1), "Syntax"), as far as a URL needs the syntax.
fn origin(config: &str) -> Option<String> {
    let mut inside = false;
    let mut url = None;
    for line in config.lines().map(str::trim) {
        if line.starts_with('[') {
            let section = line.split(']').next().unwrap_or_default().trim_start_matches('[');
            inside = section.split_once(char::is_whitespace).is_some_and(|(section, name)| {
                section.eq_ignore_ascii_case("remote") && name.trim() == "\"origin\""
            });
        } else if let Some((key, value)) = line.split_once('=')
            && inside
            && key.trim().eq_ignore_ascii_case("url")
        {
            // The first one is what is fetched from.
            url = url.or_else(|| Some(unquoted(value)));
        }
    }
    url.filter(|url| !url.is_empty())
}

/// A value without its quotes and without the comment behind it.
fn unquoted(value: &str) -> String {
    let mut text = String::new();
    let mut quoted = false;
    let mut characters = value.trim().chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => quoted = !quoted,
            '\\' => text.extend(characters.next()),
            '#' | ';' if !quoted => break,
            character => text.push(character),
        }
    }
    text.trim_end().to_owned()
}

/// `url` without what stands before an `@` in its authority: labels are public.
///
/// `git@host:path`, which is no URL, keeps its user: it is part of how the host is reached, and no
/// password can stand there.
fn without_credentials(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    format!("{scheme}://{host}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
    const OTHER: &str = "fedcba9876543210fedcba9876543210fedcba98";

    /// The state of a directory that holds `files`.
    fn state(files: &[(&str, &str)]) -> Option<GitState> {
        let directory = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = directory.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        git_state(&directory.path().join("checkout"))
    }

    fn revision(files: &[(&str, &str)]) -> Option<String> {
        state(files).map(|state| state.revision)
    }

    #[test]
    fn on_a_branch() {
        let state = state(&[
            ("checkout/.git/HEAD", "ref: refs/heads/feature/x\n"),
            ("checkout/.git/refs/heads/feature/x", &format!("{COMMIT}\n")),
            (
                "checkout/.git/config",
                "[core]\n\tbare = false\n[remote \"fork\"]\n\turl = https://example.org/fork\n\
                 [remote \"origin\"]\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n\
                 \tURL = \"https://me:secret@example.org/a.git\" # mine\n\tpushurl = x\n",
            ),
        ]);
        let expected = GitState {
            revision: COMMIT.into(),
            branch: Some("feature/x".into()),
            tag: None,
            remote: Some("https://example.org/a.git".into()),
        };
        assert_eq!(state, Some(expected));
    }

    #[test]
    fn other_ways_to_say_it() {
        let detached = state(&[("checkout/.git/HEAD", COMMIT)]).unwrap();
        assert_eq!(
            detached,
            GitState { revision: COMMIT.into(), branch: None, tag: None, remote: None }
        );

        let head = ("checkout/.git/HEAD", "ref: refs/heads/main\n");
        let packed = format!(
            "# pack-refs with: peeled fully-peeled sorted\n{OTHER} refs/heads/old\n\
             {COMMIT} refs/heads/main\n^{OTHER}\n"
        );
        let packed = ("checkout/.git/packed-refs", packed.as_str());
        assert_eq!(revision(&[head, packed]).as_deref(), Some(COMMIT));
        let loose = ("checkout/.git/refs/heads/main", OTHER);
        assert_eq!(revision(&[head, packed, loose]).as_deref(), Some(OTHER), "loose ones win");

        let worktree = [
            ("checkout/.git", "gitdir: ../main/.git/worktrees/checkout\n"),
            ("main/.git/worktrees/checkout/HEAD", "ref: refs/heads/topic\n"),
            ("main/.git/worktrees/checkout/commondir", "../..\n"),
            ("main/.git/refs/heads/topic", COMMIT),
        ];
        assert_eq!(revision(&worktree).as_deref(), Some(COMMIT));
    }

    #[test]
    fn nothing_to_say() {
        assert_eq!(state(&[("checkout/file", "")]), None);
        assert_eq!(state(&[("checkout/.git/HEAD", "ref: refs/heads/unborn\n")]), None);
        assert_eq!(state(&[("checkout/.git/HEAD", "nonsense")]), None);
        assert_eq!(state(&[("checkout/.git", "gitdir: /nonexistent")]), None);
        let escape = [("checkout/.git/HEAD", "ref: refs/../../../secret"), ("secret", COMMIT)];
        assert_eq!(state(&escape), None);
        let endless =
            [("checkout/.git/HEAD", "ref: refs/a"), ("checkout/.git/refs/a", "ref: refs/a")];
        assert_eq!(state(&endless), None);
    }

    #[test]
    fn urls_lose_their_credentials() {
        let check = |url: &str, expected: &str| assert_eq!(without_credentials(url), expected);
        check("https://example.org/a", "https://example.org/a");
        check("https://SECRET@example.org/a@b", "https://example.org/a@b");
        check("https://u:SECRET@p@ss@example.org", "https://example.org");
        check("ssh://git@example.org:22/a", "ssh://example.org:22/a");
        check("git@example.org:a/b.git", "git@example.org:a/b.git");
        check("/srv/git/a@b.git", "/srv/git/a@b.git");
    }
}
