//! `InRelease` and `Release`: what an archive says of a suite (Debian wiki, "DebianRepository/
//! Format").

use std::collections::BTreeMap;
use std::sync::Arc;

use bstr::{BStr, ByteSlice};
use oci::Digest;
use sha2::Digest as _;

use super::archive::Release;
use super::configuration::{Configuration, switch};
use super::sources::Source;
use crate::control::Stanza;
use crate::memory::Memory;

/// A `Release` file, read.
#[derive(Debug, Clone, Default)]
pub struct ReleaseFile {
    /// The fields that pins look at.
    pub release: Arc<Release>,
    /// `Architectures`; empty if it does not say.
    pub architectures: Vec<String>,
    /// `Components`, each with and without what stands before a slash; empty if it does not say.
    pub components: Vec<String>,
    /// `Acquire-By-Hash`
    pub is_by_hash: bool,
    /// Whether `Packages` of architectures have those of `all` in them, too.
    has_all_in_each: bool,
    /// `Snapshots`: where those of the suite are, with `@SNAPSHOTID@` for their names; empty if it
    /// does not say.
    pub snapshots: String,
    date: Option<i64>,
    valid_until: Option<i64>,
    files: BTreeMap<String, Listed>,
}

/// What a file is that a `Release` lists.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listed {
    /// Its size.
    pub size: u64,
    /// Its SHA-256.
    pub sha256: Option<Digest>,
    /// Its SHA-512, in hexadecimal digits.
    pub sha512: Option<String>,
}

/// Why a `Release` file cannot be used. The words are apt's where it has some.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReleaseError {
    /// It has no fields.
    #[error("Unable to parse Release file {file}")]
    Unreadable {
        /// The file.
        file: String,
    },
    /// A field that cannot be read.
    #[error("Invalid '{field}' entry in Release file {file}")]
    Field {
        /// Which.
        field: &'static str,
        /// The file.
        file: String,
    },
    /// It lists no files by a digest that is believed in.
    #[error(
        "No Hash entry in Release file {file} which is considered strong enough for security purposes"
    )]
    Weak {
        /// The file.
        file: String,
    },
    /// It is too old.
    #[error("Release file for {file} is expired (invalid since {}). Updates for this repository will not be applied.", duration(*.since))]
    Expired {
        /// The file.
        file: String,
        /// For how many seconds.
        since: i64,
    },
    /// It is of a time to come.
    #[error("Release file for {file} is not valid yet (invalid for another {}). Updates for this repository will not be applied.", duration(*.until))]
    Future {
        /// The file.
        file: String,
        /// For how many seconds.
        until: i64,
    },
}

impl ReleaseError {
    /// The way out.
    pub fn hint(&self) -> &'static str {
        match self {
            ReleaseError::Expired { .. } => {
                "an archive that is not kept up, or a snapshot of one, needs `check-valid-until=no` in its source; in a plywood.toml, `snapshot` says that it is one"
            }
            ReleaseError::Future { .. } => {
                "the clock of this machine may be wrong; `check-date=no` in the source turns the check off"
            }
            ReleaseError::Weak { .. } => "the archive has to list its files by SHA256",
            ReleaseError::Unreadable { .. } | ReleaseError::Field { .. } => {
                "what was fetched is no list of an archive; is the address right?"
            }
        }
    }
}

impl ReleaseFile {
    /// [`ReleaseFile::parse`], which is done once for a text.
    ///
    /// # Errors
    /// The same.
    pub fn recall(name: &str, text: &[u8], memory: &Memory) -> Result<Arc<Self>, ReleaseError> {
        let key = Digest::of(&[Digest::of(text).as_bytes(), b"Release ", name.as_bytes()].concat());
        memory.recall(key, || ReleaseFile::parse(name, text))
    }

    /// Reads the text of a `Release` file; `file` is how messages call it.
    ///
    /// # Errors
    /// [`ReleaseError`], but for the times, which [`ReleaseFile::check_times`] looks at.
    pub fn parse(file: &str, text: &[u8]) -> Result<Self, ReleaseError> {
        let unreadable = || ReleaseError::Unreadable { file: file.to_owned() };
        let mut stanzas = Stanza::parse_all(text).map_err(|_| unreadable())?;
        let stanza = match (stanzas.pop(), stanzas.is_empty()) {
            (Some(stanza), true) => stanza,
            _ => return Err(unreadable()),
        };
        let text = |name| stanza.text(name).unwrap_or_default().to_owned();
        let is_set = |name| stanza.text(name).and_then(switch).unwrap_or(false);
        let words = |name| stanza.text(name).unwrap_or_default().split_whitespace();
        let time = |field: &'static str| {
            let invalid = || ReleaseError::Field { field, file: file.to_owned() };
            stanza.text(field).map(|text| seconds(text).ok_or_else(invalid)).transpose()
        };
        let release = Release {
            origin: text("Origin"),
            label: text("Label"),
            suite: text("Suite"),
            codename: text("Codename"),
            version: text("Version"),
            is_not_automatic: is_set("NotAutomatic"),
            has_automatic_upgrades: is_set("ButAutomaticUpgrades"),
        };
        let mut components = Vec::new();
        for component in words("Components") {
            components.push(component.to_owned());
            if let Some((_, last)) = component.rsplit_once('/') {
                components.push(last.to_owned());
            }
        }
        let mut files = BTreeMap::new();
        read_list(&mut files, stanza.get("SHA256"), |listed, digits| {
            listed.sha256 = format!("sha256:{digits}").parse().ok();
        });
        read_list(&mut files, stanza.get("SHA512"), |listed, digits| {
            listed.sha512 = Some(digits.to_ascii_lowercase()).filter(|digits| digits.len() == 128);
        });
        files.retain(|_, listed| listed.sha256.is_some() || listed.sha512.is_some());
        let is_weak = ["MD5Sum", "SHA1"].iter().any(|name| stanza.get(name).is_some());
        if files.is_empty() && is_weak {
            return Err(ReleaseError::Weak { file: file.to_owned() });
        }
        Ok(ReleaseFile {
            release: Arc::new(release),
            architectures: words("Architectures").map(str::to_owned).collect(),
            components,
            is_by_hash: is_set("Acquire-By-Hash"),
            has_all_in_each: words("No-Support-for-Architecture-all")
                .any(|word| word == "Packages"),
            snapshots: text("Snapshots"),
            date: time("Date")?,
            valid_until: time("Valid-Until")?,
            files,
        })
    }

    /// The file of a name, relative to the `Release` file.
    pub fn listed(&self, name: &str) -> Option<&Listed> {
        self.files.get(name)
    }

    /// All files, by name.
    pub(super) fn files(&self) -> impl Iterator<Item = (&str, &Listed)> {
        self.files.iter().map(|(name, listed)| (name.as_str(), listed))
    }

    /// Whether it lists any file.
    pub fn lists_files(&self) -> bool {
        !self.files.is_empty()
    }

    /// Whether the suite has this architecture; unless it says which it has, it may.
    pub fn has_architecture(&self, architecture: &str) -> bool {
        match architecture {
            // That packages for all stand apart as well need not mean that they have to be read.
            "all" => !self.has_all_in_each && self.architectures.iter().any(|known| known == "all"),
            _ => {
                self.architectures.is_empty()
                    || self.architectures.iter().any(|known| known == architecture)
            }
        }
    }

    /// Whether the suite has this component; unless it says which it has, it may.
    pub fn has_component(&self, component: &str) -> bool {
        self.components.is_empty() || self.components.iter().any(|known| known == component)
    }

    /// Whether this is what a source calls so.
    pub fn is_of(&self, suite: &str) -> bool {
        let Release { suite: own, codename, .. } = &*self.release;
        let is = |name: &str| name.is_empty() || name == "." || name == own || name == codename;
        let shorter = suite.rsplit_once('/').map_or(suite, |(before, _)| before);
        is(suite) || is(shorter)
    }

    /// Whether it is of today (apt.conf(5), `Acquire::Check-Date`, `Check-Valid-Until` and those
    /// behind them; the same options of the source go before).
    ///
    /// # Errors
    /// [`ReleaseError::Expired`], [`ReleaseError::Future`], and `Date` that is missing.
    pub fn check_times(
        &self,
        file: &str,
        source: &Source,
        configuration: &Configuration,
        now: i64,
    ) -> Result<(), ReleaseError> {
        let checks =
            |own: Option<bool>, name| own.or_else(|| configuration.switch(name)).unwrap_or(true);
        let options = &source.options;
        if !checks(options.check_date, "Acquire::Check-Date") {
            return Ok(());
        }
        let label = &self.release.label;
        let limit = |own: Option<i64>, name: &str| {
            let of_label = || configuration.number(&format!("{name}::{label}"));
            let set = own.or_else(of_label).or_else(|| configuration.number(name));
            set.filter(|seconds| *seconds > 0)
        };
        let slack = limit(options.date_max_future, "Acquire::Max-FutureTime").unwrap_or(10);
        if let Some(date) = self.date.filter(|date| *date > now.saturating_add(slack)) {
            return Err(ReleaseError::Future { file: file.to_owned(), until: date - now });
        }
        if !checks(options.check_valid_until, "Acquire::Check-Valid-Until") {
            return Ok(());
        }
        let least = limit(options.valid_until_min, "Acquire::Min-ValidTime");
        let most = limit(options.valid_until_max, "Acquire::Max-ValidTime");
        let mut until = self.valid_until;
        if least.is_some() || most.is_some() {
            let field = "Date";
            let missing = || ReleaseError::Field { field, file: file.to_owned() };
            let date = self.date.ok_or_else(missing)?;
            let at_least = least.map(|least| date.saturating_add(least));
            until = until.map(|until| until.max(at_least.unwrap_or(until)));
            let at_most = most.map(|most| date.saturating_add(most));
            until = at_most.map_or(until, |most| Some(until.map_or(most, |until| until.min(most))));
        }
        match until.filter(|until| *until < now) {
            Some(until) => Err(ReleaseError::Expired { file: file.to_owned(), since: now - until }),
            None => Ok(()),
        }
    }
}

impl Listed {
    /// Whether bytes are the file's, by a digest that names of bytes do not have.
    pub fn is_sha512_of(&self, bytes: &[u8]) -> bool {
        let digits = hex::encode(sha2::Sha512::digest(bytes));
        self.sha512.as_ref().is_none_or(|expected| *expected == digits)
    }
}

/// Lines of digest, size and name.
fn read_list(
    files: &mut BTreeMap<String, Listed>,
    value: Option<&BStr>,
    take: impl Fn(&mut Listed, &str),
) {
    for line in value.map(|value| value.lines()).into_iter().flatten() {
        let Ok(line) = line.to_str() else { continue };
        let mut words = line.split_whitespace();
        let (Some(digits), Some(size), Some(name)) = (words.next(), words.next(), words.next())
        else {
            continue;
        };
        let Ok(size) = size.parse() else { continue };
        let listed = files.entry(name.strip_prefix("./").unwrap_or(name).to_owned()).or_default();
        listed.size = size;
        take(listed, digits);
    }
}

/// `Sat, 11 Jan 2025 10:53:41 UTC`: RFC 1123 with a time zone that has to be UTC.
fn seconds(text: &str) -> Option<i64> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let text = text.split_once(',').map_or(text, |(_, rest)| rest);
    let words: Vec<&str> = text.split_whitespace().collect();
    let [day, month, year, time, zone] = words[..] else { return None };
    if !["UTC", "GMT", "Z", "+0000"].contains(&zone) {
        return None;
    }
    let month = MONTHS.iter().position(|known| *known == month)? + 1;
    let numbers: Vec<i8> = time.split(':').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let [hour, minute, second] = numbers[..] else { return None };
    let (year, month, day) = (year.parse().ok()?, i8::try_from(month).ok()?, day.parse().ok()?);
    let date = jiff::civil::DateTime::new(year, month, day, hour, minute, second, 0).ok()?;
    let zone = jiff::tz::TimeZone::UTC;
    Some(date.to_zoned(zone).ok()?.timestamp().as_second())
}

/// A length of time as apt writes it: `2d 3h 4min 5s`.
fn duration(seconds: i64) -> String {
    let (days, hours) = (seconds / 86_400, seconds / 3_600 % 24);
    let (minutes, seconds) = (seconds / 60 % 60, seconds % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, _) => format!("{minutes}min {seconds}s"),
        (0, _, _) => format!("{hours}h {minutes}min {seconds}s"),
        _ => format!("{days}d {hours}h {minutes}min {seconds}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &[u8] = b"Origin: Debian\nLabel: Debian\nSuite: stable\nVersion: 12.9\n\
        Codename: bookworm\nDate: Sat, 11 Jan 2025  9:53:41 UTC\n\
        Valid-Until: Sat, 18 Jan 2025 09:53:41 UTC\nAcquire-By-Hash: yes\n\
        No-Support-for-Architecture-all: Packages\nArchitectures: all amd64 arm64\n\
        Components: main updates/contrib\nSHA256:\n \
        e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855        0 main/binary-amd64/Packages\n \
        zz 1 bad\n";

    fn source(option: &str) -> Source {
        let text = format!("deb [{option}] http://h/d stable main\n");
        let text = text.replace("[]", "");
        let configuration = Configuration::built_in("amd64");
        super::super::sources::parse_list("/l", &text, &configuration).unwrap().remove(0)
    }

    #[test]
    fn fields_are_read() {
        let file = ReleaseFile::parse("f", TEXT).unwrap();
        assert_eq!(file.release.codename, "bookworm");
        assert!(file.is_by_hash && file.has_architecture("arm64") && file.has_component("contrib"));
        assert!(!file.has_architecture("all") && !file.has_architecture("s390x"));
        assert!(!file.has_component("non-free") && file.listed("bad").is_none());
        assert_eq!(file.listed("main/binary-amd64/Packages").unwrap().size, 0);
        for (suite, expected) in
            [("stable", true), ("bookworm/updates", true), ("sid", false), ("./", true)]
        {
            assert_eq!(file.is_of(suite), expected, "{suite}");
        }
    }

    #[test]
    fn times_are_checked_as_apt_does() {
        // 2025-01-11 09:53:41 UTC
        let date = 1_736_589_221;
        let day = 86_400;
        let cases: [(i64, &str, &str, &str); 11] = [
            (date + day, "", "", "fine"),
            (date + 8 * day + 61, "", "", "expired (invalid since 1d 0h 1min 1s)"),
            (date + 8 * day, "check-valid-until=no", "", "fine"),
            (date + 8 * day, "check-date=no", "", "fine"),
            (date + 8 * day, "", "Acquire::Check-Valid-Until=false", "fine"),
            (date + 8 * day, "valid-until-min=864000", "", "fine"),
            (date + 2 * day, "valid-until-max=86400", "", "expired (invalid since 1d 0h 0min 0s)"),
            (
                date + 2 * day,
                "",
                "Acquire::Max-ValidTime::Debian=3600",
                "expired (invalid since 1d 23h 0min 0s)",
            ),
            (date - 5, "", "", "fine"),
            (date - 60, "", "", "not valid yet (invalid for another 1min 0s)"),
            (date - 60, "date-max-future=100", "", "fine"),
        ];
        for (now, option, setting, expected) in cases {
            let file = ReleaseFile::parse("f", TEXT).unwrap();
            let mut configuration = Configuration::built_in("amd64");
            if let Some((name, value)) = setting.split_once('=') {
                configuration.set(name, value);
            }
            let said = match file.check_times("f", &source(option), &configuration, now) {
                Ok(()) => "fine".to_owned(),
                Err(error) => error.to_string(),
            };
            assert!(said.contains(expected), "{said}");
        }
    }

    #[test]
    fn what_is_no_release_is_told() {
        let cases: [(&[u8], &str); 6] = [
            (b"", "Unable to parse Release file f"),
            (b"<html>\n", "Unable to parse Release file f"),
            (b"A: b\n\nC: d\n", "Unable to parse Release file f"),
            (b"Date: yesterday\n", "Invalid 'Date' entry in Release file f"),
            (b"Date: Sat, 11 Jan 2025 09:53:41 CET\n", "Invalid 'Date' entry in Release file f"),
            (
                b"MD5Sum:\n d41d8cd98f00b204e9800998ecf8427e 0 Packages\n",
                "No Hash entry in Release file f which is considered strong enough for security purposes",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(ReleaseFile::parse("f", text).unwrap_err().to_string(), expected);
        }
    }
}
