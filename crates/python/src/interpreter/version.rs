//! Versions of Python, and until when each is maintained.

use std::fmt;

use serde::{Deserialize, Serialize};

/// `major.minor.patch`, and what comes behind it in a pre-release.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Version {
    /// 3.
    pub major: u8,
    /// Such as 11.
    pub minor: u8,
    /// Such as 7. `None` if nothing in the image tells it; then markers take it to be 0, the one
    /// with which no wheel is taken that the real one could not have.
    pub patch: Option<u8>,
    /// Such as `rc1`; empty for a release.
    pub suffix: String,
}

/// When the Python developers stop, or stopped, to mend a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndOfLife {
    /// The last day, `YYYY-MM-DD`, which compares as text does. Where only the month is planned,
    /// its last day.
    pub date: &'static str,
    /// The number of the PEP that has the version's release schedule.
    pub pep: u16,
}

/// The release schedules, and what came of them.
const ENDS: &[((u8, u8), &str, u16)] = &[
    ((2, 7), "2020-01-01", 373),
    ((3, 3), "2017-09-29", 398),
    ((3, 4), "2019-03-18", 429),
    ((3, 5), "2020-09-30", 478),
    ((3, 6), "2021-12-23", 494),
    ((3, 7), "2023-06-27", 537),
    ((3, 8), "2024-10-07", 569),
    ((3, 9), "2025-10-31", 596),
    ((3, 10), "2026-10-31", 619),
    ((3, 11), "2027-10-31", 664),
    ((3, 12), "2028-10-31", 693),
    ((3, 13), "2029-10-31", 719),
    ((3, 14), "2030-10-31", 745),
];

impl Version {
    /// Reads `3.12.4`, `3.12` or `3.14.0rc2`, as Python's own header writes it; `+` behind it,
    /// which marks a build from between two releases, is left out.
    pub(crate) fn parse(text: &str) -> Option<Version> {
        let (major, rest) = leading_number(text)?;
        let (minor, rest) = leading_number(rest.strip_prefix('.')?)?;
        let (patch, rest) = match rest.strip_prefix('.') {
            Some(rest) => leading_number(rest).map(|(patch, rest)| (Some(patch), rest))?,
            None => (None, rest),
        };
        let suffix = rest.trim_end_matches('+');
        let is_release = suffix.is_empty();
        let number = ["a", "b", "rc"].iter().find_map(|kind| suffix.strip_prefix(kind));
        let is_prerelease =
            number.is_some_and(|number| leading_number(number).is_some_and(|n| n.1.is_empty()));
        (is_release || is_prerelease && patch.is_some()).then(|| Version {
            major,
            minor,
            patch,
            suffix: suffix.to_owned(),
        })
    }

    /// The version, written out, with 0 for a patch that is not known.
    pub fn full(&self) -> String {
        let Version { major, minor, patch, suffix } = self;
        format!("{major}.{minor}.{}{suffix}", patch.unwrap_or(0))
    }

    /// Until when this is maintained, for the versions whose schedule is known.
    pub fn end_of_life(&self) -> Option<EndOfLife> {
        let ends = ENDS.iter().find(|(version, ..)| *version == (self.major, self.minor))?;
        Some(EndOfLife { date: ends.1, pep: ends.2 })
    }
}

/// The version as far as it is known: without a patch, `3.12`.
impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.patch {
            Some(_) => f.write_str(&self.full()),
            None => write!(f, "{}.{}", self.major, self.minor),
        }
    }
}

/// What a file's name tells of an interpreter: `major.minor`, and whether it is free-threaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Series {
    pub(super) major: u8,
    pub(super) minor: u8,
    pub(super) free_threaded: bool,
}

impl Series {
    /// Reads an executable's name: `python3.12`, `python3.13t`, `python3.7m`, and Red Hat's
    /// `platform-python3.6`.
    pub(super) fn of_executable(name: &[u8]) -> Option<Series> {
        let name = std::str::from_utf8(name).ok()?;
        let name = name.strip_prefix("platform-").unwrap_or(name);
        Series::parse(name.strip_prefix("python")?)
    }

    /// Reads `3.12`, and with PEP 3149's flags behind it `3.13t` or `3.7m`.
    pub(super) fn parse(text: &str) -> Option<Series> {
        let (major, rest) = leading_number(text)?;
        let (minor, flags) = leading_number(rest.strip_prefix('.')?)?;
        let is_known = flags.chars().all(|flag| "dmut".contains(flag));
        is_known.then(|| Series { major, minor, free_threaded: flags.contains('t') })
    }

    /// `python3.12`, `python3.13t`: what the directories of the standard library are called.
    pub(super) fn directory(self) -> String {
        format!("python{self}")
    }

    /// `python3.12`, also for free-threaded builds.
    pub(super) fn directory_without_flags(self) -> String {
        format!("python{}.{}", self.major, self.minor)
    }

    /// Whether this is the series of `version`.
    pub(super) fn is_of(self, version: &Version) -> bool {
        (self.major, self.minor) == (version.major, version.minor)
    }

    /// The version, as far as that tells it.
    pub(super) fn version(self) -> Version {
        Version { major: self.major, minor: self.minor, patch: None, suffix: String::new() }
    }
}

impl fmt::Display for Series {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let threads = if self.free_threaded { "t" } else { "" };
        write!(f, "{}.{}{threads}", self.major, self.minor)
    }
}

/// A number that `text` starts with, of a form that Python writes: no sign, no leading zero.
fn leading_number(text: &str) -> Option<(u8, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    if digits.len() > 1 && digits.starts_with('0') {
        return None;
    }
    Some((digits.parse().ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_and_written() {
        let check = |text: &str, expected: Option<(&str, &str)>| {
            let read = Version::parse(text).map(|v| (v.to_string(), v.full()));
            let expected = expected.map(|(shown, full)| (shown.to_owned(), full.to_owned()));
            assert_eq!(read, expected, "{text}");
        };
        check("3.12.4", Some(("3.12.4", "3.12.4")));
        check("3.12", Some(("3.12", "3.12.0")));
        check("3.14.0rc2", Some(("3.14.0rc2", "3.14.0rc2")));
        check("3.15.0a1+", Some(("3.15.0a1", "3.15.0a1")));
        check("3", None);
        check("3.", None);
        check("3.012.1", None);
        check("3.999.1", None);
        check("3.12.4; rm -rf /", None);
        check("3.12.4rc", None);
        check("3.12rc1", None);
    }

    #[test]
    fn names_tell_the_series() {
        let check = |name: &str, expected: Option<&str>| {
            let read = Series::of_executable(name.as_bytes()).map(|series| series.to_string());
            assert_eq!(read.as_deref(), expected, "{name}");
        };
        check("python3.12", Some("3.12"));
        check("python3.13t", Some("3.13t"));
        check("python3.7m", Some("3.7"));
        check("platform-python3.6", Some("3.6"));
        check("python2.7", Some("2.7"));
        check("python3", None);
        check("python3.12-config", None);
        check("python3.11-gdb.py", None);
    }

    #[test]
    fn versions_end() {
        let check = |text: &str, expected: Option<(&str, u16)>| {
            let end = Version::parse(text).and_then(|version| version.end_of_life());
            assert_eq!(end.map(|end| (end.date, end.pep)), expected, "{text}");
        };
        check("2.7.18", Some(("2020-01-01", 373)));
        check("3.8.18", Some(("2024-10-07", 569)));
        check("3.14.0", Some(("2030-10-31", 745)));
        check("3.99.0", None);
    }
}
