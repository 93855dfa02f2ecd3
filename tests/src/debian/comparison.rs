//! Two listings that ought to be one, with excuses that are narrow and give their reasons.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use super::listing::{Item, Listing, What};
use crate::{Failure, Result};

/// A reason why a path may differ.
#[derive(Debug, Clone, Copy)]
pub struct Excuse {
    /// Patterns: `*` stands for anything within a name, `**` for anything at all.
    pub paths: &'static [&'static str],
    /// What is excused there.
    pub allows: Allowed,
    /// Why a user would accept it.
    pub why: &'static str,
}

/// What an excuse covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allowed {
    /// That theirs has it and ours does not.
    Missing,
    /// Other bytes in a file that both have, with the same mode and owner.
    Content,
    /// Other extended attributes.
    Attributes,
}

/// A path where the listings differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Without a leading slash.
    pub path: String,
    /// In which way, for counting: `missing`, `content`, `mtime`.
    pub kind: &'static str,
    /// In words.
    pub words: String,
}

/// What became of a comparison.
#[derive(Debug, Clone, Default)]
pub struct ListingComparison {
    /// What is not excused.
    pub differences: Vec<Difference>,
    /// How many paths each reason excused.
    pub excused: BTreeMap<&'static str, usize>,
    paths: usize,
}

/// One side: the listing, and a directory that has (some of) its files, so that lines can be shown.
#[derive(Debug, Clone)]
pub struct Half<'a> {
    /// The paths.
    pub listing: &'a Listing,
    /// The bytes.
    pub files: PathBuf,
}

impl ListingComparison {
    /// Compares ours with theirs, which was made by a run that began at `began` (seconds).
    ///
    /// A time that is older than the run came from somewhere, and has to be the same; of those that
    /// the run itself set nothing can be demanded. Directories' times follow from the order of
    /// what was written into them, and are no part of a package.
    pub fn of(ours: &Half, theirs: &Half, began: i64, excuses: &[Excuse]) -> Self {
        let (mine, their) = (&ours.listing.items, &theirs.listing.items);
        let mut comparison = ListingComparison { paths: their.len(), ..Self::default() };
        let paths: std::collections::BTreeSet<_> = mine.keys().chain(their.keys()).collect();
        for path in paths {
            for mut difference in differences(path, mine.get(path), their.get(path), began) {
                let covers = |excuse: &&Excuse| excuse.covers(&difference);
                if let Some(excuse) = excuses.iter().find(covers) {
                    *comparison.excused.entry(excuse.why).or_default() += 1;
                    continue;
                }
                if difference.kind == "content" {
                    let lines = first_difference(&ours.files.join(path), &theirs.files.join(path));
                    difference.words.extend(lines);
                }
                comparison.differences.push(difference);
            }
        }
        comparison
    }

    /// Succeeds if nothing differs but what is excused.
    pub fn demand_equal(&self) -> Result {
        if self.differences.is_empty() { Ok(()) } else { Err(Failure::new(self.to_string())) }
    }
}

/// In which ways the two differ at a path.
fn differences(
    path: &str,
    ours: Option<&Item>,
    theirs: Option<&Item>,
    began: i64,
) -> Vec<Difference> {
    let difference = |kind, words: String| Difference { path: path.to_owned(), kind, words };
    let (ours, theirs) = match (ours, theirs) {
        (Some(ours), Some(theirs)) => (ours, theirs),
        (Some(ours), None) => {
            return vec![difference("extra", format!("only ours: {}", ours.what))];
        }
        (None, Some(theirs)) => {
            return vec![difference("missing", format!("only theirs: {}", theirs.what))];
        }
        (None, None) => return Vec::new(),
    };
    let mut found = Vec::new();
    let mut compare = |kind, ours: String, theirs: String| {
        if ours != theirs {
            found.push(difference(kind, format!("{ours}, theirs {theirs}")));
        }
    };
    let are_files = matches!((&ours.what, &theirs.what), (What::File(..), What::File(..)));
    let kind = if are_files { "content" } else { "what" };
    compare(kind, ours.what.to_string(), theirs.what.to_string());
    compare("mode", format!("{:04o}", ours.mode), format!("{:04o}", theirs.mode));
    let owner = |item: &Item| format!("{}:{}", item.uid, item.gid);
    compare("owner", owner(ours), owner(theirs));
    compare("attributes", format!("{:?}", ours.attributes), format!("{:?}", theirs.attributes));
    let first = |item: &Item| item.first_name.clone().unwrap_or_else(|| "one name".to_owned());
    compare("hard links", first(ours), first(theirs));
    if theirs.mtime < began && theirs.what != What::Directory {
        compare("mtime", ours.mtime.to_string(), theirs.mtime.to_string());
    }
    found
}

/// The first line of text that differs, on both sides, if both can be read.
fn first_difference(ours: &Path, theirs: &Path) -> Option<String> {
    let read = |path: &Path| {
        let is_file = fs::symlink_metadata(path).ok()?.is_file();
        is_file.then(|| fs::read_to_string(path).ok()).flatten()
    };
    let (ours, theirs) = (read(ours)?, read(theirs)?);
    let (mut ours, mut theirs) = (ours.split('\n'), theirs.split('\n'));
    for number in 1.. {
        let (mine, their) = (ours.next(), theirs.next());
        if mine == their {
            mine?;
            continue;
        }
        let shown = |line: Option<&str>| {
            line.map_or("nothing".to_owned(), |line| {
                format!("{:?}", line.chars().take(120).collect::<String>())
            })
        };
        return Some(format!("; line {number}: {}, theirs {}", shown(mine), shown(their)));
    }
    None
}

impl Excuse {
    fn covers(&self, difference: &Difference) -> bool {
        let allowed = match self.allows {
            Allowed::Missing => difference.kind == "missing",
            Allowed::Content => difference.kind == "content",
            Allowed::Attributes => difference.kind == "attributes",
        };
        allowed
            && self
                .paths
                .iter()
                .any(|pattern| matches(pattern.as_bytes(), difference.path.as_bytes()))
    }
}

fn matches(pattern: &[u8], path: &[u8]) -> bool {
    match pattern {
        [] => path.is_empty(),
        [b'*', b'*', rest @ ..] => (0..=path.len()).any(|at| matches(rest, &path[at..])),
        [b'*', rest @ ..] => {
            let end = path.iter().position(|byte| *byte == b'/').unwrap_or(path.len());
            (0..=end).any(|at| matches(rest, &path[at..]))
        }
        [byte, rest @ ..] => path.first() == Some(byte) && matches(rest, &path[1..]),
    }
}

/// How many differences a report shows.
const SHOWN: usize = 40;

impl fmt::Display for ListingComparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} differences in {} paths:", self.differences.len(), self.paths)?;
        let mut groups: BTreeMap<(&str, &str), Vec<&Difference>> = BTreeMap::new();
        for difference in &self.differences {
            let directory = difference.path.rsplit_once('/').map_or("", |(parent, _)| parent);
            groups.entry((difference.kind, directory)).or_default().push(difference);
        }
        // Small groups first: a rare difference tells more than the hundredth of its kind.
        let mut groups: Vec<_> = groups.into_iter().collect();
        groups.sort_by_key(|(_, members)| members.len());
        let mut left = SHOWN;
        for ((kind, directory), members) in groups {
            let shown = members.len().min(left).min(8);
            for Difference { path, words, .. } in &members[..shown] {
                writeln!(f, "  {kind} /{path}: {words}")?;
            }
            if shown < members.len() {
                writeln!(f, "  {kind} below /{directory}: {} more", members.len() - shown)?;
            }
            left -= shown;
        }
        for (why, count) in &self.excused {
            writeln!(f, "  excused {count}: {why}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{File, FileTimes, Permissions};
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::time::{Duration, UNIX_EPOCH};

    const EXCUSES: &[Excuse] = &[
        Excuse { paths: &["var/log/**"], allows: Allowed::Missing, why: "logs" },
        Excuse { paths: &["*.cache"], allows: Allowed::Content, why: "caches" },
    ];

    /// Two roots with the same few files, all from the year 2000.
    fn roots() -> tempfile::TempDir {
        let both = tempfile::tempdir().unwrap();
        for side in ["ours", "theirs"] {
            let root = both.path().join(side);
            for directory in ["usr/bin", "var/log"] {
                fs::create_dir_all(root.join(directory)).unwrap();
            }
            for file in ["usr/bin/tool", "usr/bin/other", "x.cache"] {
                fs::write(root.join(file), "one\ntwo\n").unwrap();
                touch(&root.join(file), 946_684_800);
            }
        }
        both
    }

    fn touch(path: &Path, seconds: u64) {
        let time = UNIX_EPOCH + Duration::from_secs(seconds);
        File::open(path).unwrap().set_times(FileTimes::new().set_modified(time)).unwrap();
    }

    /// What is found after `plant` has changed something in ours or theirs.
    fn found(plant: impl Fn(&Path, &Path)) -> Vec<String> {
        let both = roots();
        let (ours, theirs) = (both.path().join("ours"), both.path().join("theirs"));
        plant(&ours, &theirs);
        let (mine, their) = (Listing::read(&ours).unwrap(), Listing::read(&theirs).unwrap());
        let half = |listing, files: &Path| Half { listing, files: files.to_owned() };
        let began = 1_000_000_000;
        let compared =
            ListingComparison::of(&half(&mine, &ours), &half(&their, &theirs), began, EXCUSES);
        assert_eq!(compared.demand_equal().is_ok(), compared.differences.is_empty());
        let told = |difference: &Difference| {
            format!("{} {}: {}", difference.kind, difference.path, difference.words)
        };
        compared.differences.iter().map(told).collect()
    }

    #[test]
    fn every_planted_difference_is_found() {
        assert!(found(|_, _| ()).is_empty());
        let content = found(|ours, _| {
            fs::write(ours.join("usr/bin/tool"), "one\nTWO\n").unwrap();
            touch(&ours.join("usr/bin/tool"), 946_684_800);
        });
        assert_eq!(content.len(), 1, "{content:?}");
        assert!(content[0].ends_with(r#"; line 2: "TWO", theirs "two""#), "{content:?}");
        let mode = found(|ours, _| {
            fs::set_permissions(ours.join("usr"), Permissions::from_mode(0o700)).unwrap();
        });
        assert_eq!(mode, ["mode usr: 0700, theirs 0755"]);
        let time = found(|ours, _| touch(&ours.join("usr/bin/tool"), 946_684_801));
        assert_eq!(time, ["mtime usr/bin/tool: 946684801, theirs 946684800"]);
        let links = found(|ours, _| {
            fs::remove_file(ours.join("usr/bin/other")).unwrap();
            fs::hard_link(ours.join("usr/bin/tool"), ours.join("usr/bin/other")).unwrap();
        });
        assert_eq!(links.len(), 2, "{links:?}");
        let kind = found(|ours, _| {
            fs::remove_file(ours.join("usr/bin/other")).unwrap();
            symlink("tool", ours.join("usr/bin/other")).unwrap();
        });
        assert!(kind.iter().any(|line| line.starts_with("what usr/bin/other: a link to tool")));
    }

    #[test]
    fn times_of_the_run_itself_are_nobodys() {
        let fresh = found(|_, theirs| touch(&theirs.join("usr/bin/tool"), 1_000_000_000));
        assert!(fresh.is_empty(), "{fresh:?}");
    }

    #[test]
    fn an_excuse_covers_what_it_says_and_no_more() {
        let write = |root: &Path, path: &str| fs::write(root.join(path), "x").unwrap();
        assert!(found(|_, theirs| write(theirs, "var/log/dpkg.log")).is_empty());
        assert!(found(|_, theirs| write(theirs, "x.cache")).is_empty());
        let extra = found(|ours, _| write(ours, "var/log/dpkg.log"));
        assert_eq!(extra.len(), 1, "{extra:?}");
        assert!(extra[0].starts_with("extra var/log/dpkg.log"), "{extra:?}");
        let gone = found(|ours, _| fs::remove_file(ours.join("x.cache")).unwrap());
        assert!(gone[0].starts_with("missing x.cache"), "{gone:?}");
    }

    #[test]
    fn patterns() {
        let check = |pattern: &str, path: &str| matches(pattern.as_bytes(), path.as_bytes());
        assert!(check("var/*/x", "var/log/x") && !check("var/*/x", "var/a/b/x"));
        assert!(check("**/__pycache__/*.pyc", "usr/lib/a/__pycache__/b.pyc"));
        assert!(!check("etc/passwd", "etc/passwd-"));
    }
}
