//! The recording that the archive of the tests is made of: what the suites listed on one day.
//!
//! Packages are no part of it: their names hold their versions, so they are the same on every day,
//! and are downloaded when somebody asks for them.

use std::fs;
use std::path::{Path, PathBuf};

use oci::Digest;

use super::upstream;
use crate::{Failure, Result, cache};

/// Raised when other files are recorded, or recorded otherwise.
const REVISION: &str = "1";

/// Files that apt takes when it updates, without their compression's suffix.
const LISTS: &[&str] =
    &["main/binary-amd64/Packages", "main/binary-arm64/Packages", "main/i18n/Translation-en"];

/// What is in an archive, on disk.
#[derive(Debug, Clone)]
pub(super) struct Recording {
    directory: PathBuf,
}

/// One of the trees of files that a mirror has: `debian` and `debian-security`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Section {
    /// The first part of paths in it.
    pub(super) name: &'static str,
    /// Its suites.
    pub(super) suites: &'static [&'static str],
}

pub(super) const SECTIONS: &[Section] = &[
    Section { name: "debian", suites: &["bookworm", "bookworm-updates"] },
    Section { name: "debian-security", suites: &["bookworm-security"] },
];

impl Recording {
    /// The one in the cache; today's, if there is none.
    pub(super) fn open() -> Result<Self> {
        let directory = cache::once(&place(), record)?;
        Ok(Recording { directory })
    }

    /// Forgets the one in the cache, so that today's is recorded. Packages that it has stay.
    pub(super) fn forget() -> Result {
        let recorded = cache::directory()?.join(place());
        for Section { name, .. } in SECTIONS {
            let lists = recorded.join(name).join("dists");
            if lists.is_dir() {
                fs::remove_dir_all(&lists)
                    .map_err(Failure::doing(format!("remove {}", lists.display())))?;
            }
        }
        if recorded.is_dir() { record(&recorded) } else { Ok(()) }
    }

    /// What tells this recording from others: everything made of it has this in its name.
    pub(super) fn identity(&self) -> Result<String> {
        let mut all = Vec::new();
        for (section, suite) in suites() {
            all.extend(read(&self.directory.join(release(section, suite)))?);
        }
        Ok(Digest::of(&all).hex()[..12].to_owned())
    }

    /// When each suite was made, as its `Release` says.
    pub(super) fn dates(&self) -> Result<Vec<(&'static str, String)>> {
        let date = |(section, suite): (&Section, &'static str)| {
            let release = read(&self.directory.join(release(section, suite)))?;
            let text = String::from_utf8_lossy(&release).into_owned();
            let date = text.lines().find_map(|line| line.strip_prefix("Date: "));
            Ok((suite, date.unwrap_or_default().to_owned()))
        };
        suites().map(date).collect()
    }

    /// The file at a path such as `debian/pool/main/h/hello/hello_2.10-3_amd64.deb`, downloaded if
    /// it is a package that nobody asked for before. Nothing is there for what was not recorded.
    pub(super) fn file(&self, path: &str) -> Result<Option<PathBuf>> {
        let is_plain = |part: &str| !part.is_empty() && !part.starts_with('.');
        if !path.split('/').all(is_plain) {
            return Ok(None);
        }
        let file = self.directory.join(path);
        if file.is_file() {
            return Ok(Some(file));
        }
        let section = SECTIONS.iter().find(|section| {
            path.strip_prefix(section.name).is_some_and(|rest| rest.starts_with("/pool/"))
        });
        let Some(section) = section else { return Ok(None) };
        let below = path.strip_prefix(section.name).unwrap_or_default();
        upstream::download(&format!("{}{below}", mirror(section)?), &file).map_err(|failure| {
            Failure::new(format!(
                "{failure}\nperhaps there is a newer version: `cargo xtask archive --renew` records today's archive"
            ))
        })?;
        Ok(Some(file))
    }
}

fn place() -> String {
    format!("debian-archive-{REVISION}")
}

fn suites() -> impl Iterator<Item = (&'static Section, &'static str)> {
    SECTIONS.iter().flat_map(|section| section.suites.iter().map(move |suite| (section, *suite)))
}

fn release(section: &Section, suite: &str) -> String {
    format!("{}/dists/{suite}/InRelease", section.name)
}

/// Where this machine's apt has the section from.
fn mirror(section: &Section) -> Result<String> {
    let mirrors = section.suites.iter().find_map(|suite| upstream::mirror_of(suite));
    let mirror = mirrors.ok_or_else(|| {
        Failure::new(format!(
            "this machine's apt has no source for {}: add one to /etc/apt/sources.list.d",
            section.suites.join(" or "),
        ))
    })?;
    Ok(mirror.trim_end_matches('/').to_owned())
}

fn record(directory: &Path) -> Result {
    suites().try_for_each(|(section, suite)| record_suite(directory, section, suite))
}

/// Downloads the signed lists of a suite. The large ones come by their hashes, since a mirror may
/// be renewed at the same time; what does not fit is an error.
fn record_suite(directory: &Path, section: &Section, suite: &str) -> Result {
    let from = format!("{}/dists/{suite}", mirror(section)?);
    let to = directory.join(section.name).join("dists").join(suite);
    for name in ["InRelease", "Release", "Release.gpg"] {
        upstream::download(&format!("{from}/{name}"), &to.join(name))?;
    }
    let release = read(&to.join("InRelease"))?;
    let release = String::from_utf8_lossy(&release);
    for Listed { sha256, path } in listed(&release) {
        let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
        let by_hash = format!("{parent}/by-hash/SHA256/{sha256}");
        let file = to.join(&by_hash);
        upstream::download(&format!("{from}/{by_hash}"), &file)?;
        if Digest::of(&read(&file)?).hex() != sha256 {
            return Err(Failure::new(format!("{from}/{by_hash} has other bytes than its name")));
        }
        fs::hard_link(&file, to.join(path)).map_err(Failure::doing(format!("link {path}")))?;
    }
    Ok(())
}

/// A file that a `Release` lists and that is recorded.
#[derive(Debug, PartialEq, Eq)]
struct Listed<'a> {
    sha256: &'a str,
    path: &'a str,
}

fn listed(release: &str) -> Vec<Listed<'_>> {
    let lines = release.lines().skip_while(|line| *line != "SHA256:").skip(1);
    let lines = lines.take_while(|line| line.starts_with(' '));
    lines.filter_map(recorded).collect()
}

/// A line of the list, if its file is recorded: its digest, its size and its path.
fn recorded(line: &str) -> Option<Listed<'_>> {
    let mut words = line.split_whitespace();
    let (sha256, path) = (words.next()?, words.nth(1)?);
    // Official images have apt ask for gzip first, where a suite has it.
    let (plain, compression) = path.rsplit_once('.')?;
    (["xz", "gz"].contains(&compression) && LISTS.contains(&plain))
        .then_some(Listed { sha256, path })
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(Failure::doing(format!("read {}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_recorded_of_a_release() {
        let release = "Suite: x\nMD5Sum:\n aa 1 main/binary-amd64/Packages.xz\nSHA256:\n \
            bb 1 main/binary-amd64/Packages.xz\n cc  2 main/binary-amd64/Packages\n \
            dd 3 main/binary-i386/Packages.xz\n ee 4 main/i18n/Translation-en.xz\nEnd: x\n ff 1 x\n";
        let of = |sha256, path| Listed { sha256, path };
        let expected =
            [of("bb", "main/binary-amd64/Packages.xz"), of("ee", "main/i18n/Translation-en.xz")];
        assert_eq!(listed(release), expected);
    }
}
