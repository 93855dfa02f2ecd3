//! What an `ADD` names: a path, a URL or a git repository.

use crate::GitSource;

/// A source of an `ADD`, by its form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Address {
    /// A path of the context.
    Path,
    /// An HTTP address.
    Url,
    /// A git repository.
    Git(GitSource),
}

/// Why an address of a git repository cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum AddressError {
    /// A query that says nothing that is known.
    #[error(
        "`{0}` in its query is not known; there are ref, tag, branch, subdir, commit, checksum and keep-git-dir"
    )]
    UnknownQuery(String),
    /// A query without a value.
    #[error("`{0}` in its query has no value")]
    NoValue(String),
    /// A checksum that cannot be one.
    #[error("`{0}` is no commit's id")]
    NoCommit(String),
    /// Two answers to one question.
    #[error("it names two different {0}")]
    Conflict(&'static str),
}

impl Address {
    /// Reads an address.
    ///
    /// A git repository is `git@host:path`, `git://…`, `ssh://…`, or an HTTP address whose path
    /// ends in `.git`, each with `#reference:directory` or `?ref=…&subdir=…` behind it (Docker's
    /// documentation, "Build context", "URL fragments" and "URL queries").
    pub(super) fn read(text: &str) -> Result<Self, AddressError> {
        let is_http = text.starts_with("http://") || text.starts_with("https://");
        let (whole, fragment) = match text.split_once('#') {
            Some((whole, fragment)) => (whole, Some(fragment)),
            None => (text, None),
        };
        let (url, query) = match whole.split_once('?') {
            Some((url, query)) => (url, Some(query)),
            None => (whole, None),
        };
        let is_git = (is_http && url.ends_with(".git"))
            || ["git://", "ssh://"].iter().any(|scheme| url.starts_with(scheme))
            || is_short_ssh(url);
        if !is_git {
            return Ok(if is_http { Address::Url } else { Address::Path });
        }
        let mut git = GitSource {
            url: url.to_owned(),
            reference: None,
            directory: None,
            keep_git_dir: false,
            checksum: None,
        };
        if let Some(fragment) = fragment {
            let (reference, directory) = fragment.split_once(':').unwrap_or((fragment, ""));
            git.reference = Some(reference.to_owned()).filter(|text| !text.is_empty());
            git.directory = Some(directory.to_owned()).filter(|text| !text.is_empty());
        }
        for pair in query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
            answer(&mut git, pair)?;
        }
        Ok(Address::Git(git))
    }
}

/// One `key=value` of a query.
fn answer(git: &mut GitSource, pair: &str) -> Result<(), AddressError> {
    let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
    let value = decoded(value);
    if value.is_empty() && key != "keep-git-dir" {
        return Err(AddressError::NoValue(key.to_owned()));
    }
    match key {
        "ref" => only(&mut git.reference, value, "references"),
        "tag" => only(&mut git.reference, format!("refs/tags/{value}"), "references"),
        "branch" => only(&mut git.reference, format!("refs/heads/{value}"), "references"),
        "subdir" => only(&mut git.directory, value, "directories"),
        "checksum" | "commit" if !is_commit(&value) => Err(AddressError::NoCommit(value)),
        "checksum" | "commit" => only(&mut git.checksum, value, "commits"),
        "keep-git-dir" => {
            git.keep_git_dir = !matches!(value.as_str(), "0" | "false");
            Ok(())
        }
        _ => Err(AddressError::UnknownQuery(key.to_owned())),
    }
}

fn only(slot: &mut Option<String>, value: String, what: &'static str) -> Result<(), AddressError> {
    match slot {
        Some(known) if *known != value => Err(AddressError::Conflict(what)),
        _ => {
            *slot = Some(value);
            Ok(())
        }
    }
}

/// `user@host:path`, as `ssh` takes it.
fn is_short_ssh(text: &str) -> bool {
    let Some((user, rest)) = text.split_once('@') else { return false };
    let is_word = |text: &str| {
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
    };
    rest.split_once(':').is_some_and(|(host, path)| {
        is_word(user) && is_word(host) && !path.is_empty() && !path.starts_with("//")
    })
}

/// Whether a text may be a commit's id, or the beginning of one.
pub(super) fn is_commit(text: &str) -> bool {
    (7..=64).contains(&text.len())
        && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// The name of the file that a URL gives: the last component of its path, which may be missing.
pub(super) fn file_name(url: &str) -> String {
    let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = after_scheme.split(['?', '#']).next().unwrap_or_default();
    let path = path.split_once('/').map_or("", |(_, path)| path).trim_end_matches('/');
    let name = decoded(path.rsplit('/').next().unwrap_or_default());
    // What decodes to several components, or to none, is no name.
    let is_name = !name.contains(['/', '\0']) && name != "." && name != "..";
    if is_name { name } else { String::new() }
}

/// Percent-encoding taken off (RFC 3986, section 2.1); what is none stays.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let digits = after
            .get(..2)
            .filter(|digits| *first == b'%' && digits.iter().all(u8::is_ascii_hexdigit));
        let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let check = |text: &str, expected: &str| {
            let shown = match Address::read(text) {
                Ok(Address::Git(git)) => format!(
                    "git {} {:?} {:?} {:?} {}",
                    git.url, git.reference, git.directory, git.checksum, git.keep_git_dir
                ),
                Ok(other) => format!("{other:?}"),
                Err(error) => error.to_string(),
            };
            assert_eq!(shown, expected, "{text}");
        };
        let git = "https://example.test/a/b.git";
        check(git, &format!("git {git} None None None false"));
        check(
            &format!("{git}#v1.2:docs"),
            &format!("git {git} Some(\"v1.2\") Some(\"docs\") None false"),
        );
        check(
            &format!("{git}?tag=v1&subdir=a%20b&commit=0123456789ab&keep-git-dir"),
            &format!("git {git} Some(\"refs/tags/v1\") Some(\"a b\") Some(\"0123456789ab\") true"),
        );
        check("git@example.test:a/b", "git git@example.test:a/b None None None false");
        check("ssh://git@example.test/a", "git ssh://git@example.test/a None None None false");
        check("https://example.test/file.tar.gz", "Url");
        check("https://example.test/a.git/file", "Url");
        check("./local.git", "Path");
        check("a@b", "Path");
        check(
            &format!("{git}?submodules=no"),
            "`submodules` in its query is not known; there are ref, tag, branch, subdir, commit, \
             checksum and keep-git-dir",
        );
        check(&format!("{git}?ref="), "`ref` in its query has no value");
        check(&format!("{git}?ref=a#b"), "it names two different references");
        check(&format!("{git}?commit=main"), "`main` is no commit's id");
    }

    #[test]
    fn url_names() {
        assert_eq!(file_name("https://example.test/a/b.txt?x=/y#z"), "b.txt");
        assert_eq!(file_name("https://example.test/a/b%20c/"), "b c");
        assert_eq!(file_name("https://example.test/%2e%2e"), "");
        assert_eq!(file_name("https://example.test/100%"), "100%");
        assert_eq!(file_name("https://example.test/"), "");
        assert_eq!(file_name("https://example.test"), "");
    }
}
