//! Which version is preferred (apt_preferences(5)): pins, and the release that is asked for.

use oci::ImagePath;
use shell::{Process, Reason, Stop};

use super::archive::Archive;
use super::configuration::Configuration;
use super::expression::Expression;
use super::problem::{Failure, Problem};
use super::reading::{parts, read};
use crate::control::Stanza;

/// The priority of what is installed, and in no archive.
pub const INSTALLED: i32 = 100;
/// Of what the release that is asked for has (`-t`, `APT::Default-Release`).
const ASKED_FOR: i32 = 990;
const COMMON: i32 = 500;
const UPGRADES_ONLY: i32 = 100;
const NOT_AUTOMATIC: i32 = 1;

/// All pins.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// For packages that are named, in order.
    specific: Vec<Pin>,
    /// For all packages, in order.
    general: Vec<Pin>,
    /// What apt warns of.
    pub warnings: Vec<String>,
}

#[derive(Debug, Clone)]
struct Pin {
    /// `None` for all.
    package: Option<Package>,
    versions: Versions,
    priority: i32,
}

#[derive(Debug, Clone)]
enum Package {
    Binary(Expression),
    Source(Expression),
}

#[derive(Debug, Clone)]
enum Versions {
    Release(ReleasePattern),
    Version(Expression),
    Origin(Expression),
}

/// What is said of a release: `bookworm`, `12*`, `o=Debian,n=book*`.
#[derive(Debug, Clone, Default)]
pub struct ReleasePattern {
    is_all: bool,
    fields: Vec<(Field, Expression)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Origin,
    /// `a=`
    Suite,
    Codename,
    Label,
    Version,
    Component,
    /// A word without a field: a suite or a codename.
    Either,
}

impl Policy {
    /// The image's pins, and the release that is configured or asked for.
    ///
    /// # Errors
    /// [`Problem::Preferences`], and [`Problem::DefaultRelease`] for a release that none of the
    /// archives has.
    pub fn load(
        process: &mut Process<'_, '_>,
        configuration: &Configuration,
        archives: &[Archive],
    ) -> Result<Self, Failure> {
        let mut policy = Policy::default();
        if let Some(release) = configuration.value("APT::Default-Release") {
            let pattern = ReleasePattern::parse(release);
            let pattern = pattern.map_err(|what| refuse(process, &what))?;
            let is_there = archives.iter().any(|archive| pattern.matches(archive));
            // "now" is what is installed.
            if !is_there && release != "now" {
                return Err(Problem::DefaultRelease { release: release.to_owned() }.into());
            }
            let versions = Versions::Release(pattern);
            policy.general.push(Pin { package: None, versions, priority: ASKED_FOR });
        }
        let mut files: Vec<ImagePath> =
            configuration.path("Dir::Etc::preferences").into_iter().collect();
        if let Some(directory) = configuration.path("Dir::Etc::preferencesparts") {
            files.extend(parts(process, &directory, &["", "pref"])?);
        }
        let texts = read(process, &files)?;
        for (path, text) in files.iter().zip(texts) {
            let Some(text) = text else { continue };
            process.machine.budget.hold(text.len())?;
            let native = configuration.value("APT::Architecture").unwrap_or_default();
            match policy.add_text(&format!("/{path}"), &text, native) {
                Ok(()) => {}
                Err(PinError::Problem(problem)) => return Err(problem.into()),
                Err(PinError::NotBuiltIn(what)) => return Err(refuse(process, &what).into()),
            }
        }
        Ok(policy)
    }

    /// The priority of a version of a package that these archives have; with none of them it is
    /// only installed. What is installed as well has [`INSTALLED`] at least, unless a pin says
    /// otherwise: [`Policy::pinned`].
    pub fn priority(
        &self,
        package: &str,
        source: &str,
        version: &str,
        archives: &[&Archive],
    ) -> i32 {
        if let Some(pinned) = self.pinned(package, source, version, archives) {
            return pinned;
        }
        let all = archives.iter().map(|archive| self.of_archive(archive));
        all.max().unwrap_or(INSTALLED)
    }

    /// The priority that a pin for this very package gives a version.
    pub fn pinned(
        &self,
        package: &str,
        source: &str,
        version: &str,
        archives: &[&Archive],
    ) -> Option<i32> {
        let is_of = |pin: &&Pin| match &pin.package {
            Some(Package::Binary(name)) => name.matches(package),
            Some(Package::Source(name)) => name.matches(source),
            None => false,
        };
        let mut own = self.specific.iter().filter(is_of);
        own.find(|pin| pin.versions.include(version, archives)).map(|pin| pin.priority)
    }

    /// The priority of all versions that an archive has, if nothing is said of their packages.
    pub fn of_archive(&self, archive: &Archive) -> i32 {
        let pin = self.general.iter().find(|pin| match &pin.versions {
            Versions::Release(pattern) => pattern.matches(archive),
            Versions::Origin(site) => site.matches(host(&archive.base)),
            Versions::Version(_) => false,
        });
        let release = &archive.release;
        match pin {
            Some(pin) => pin.priority,
            None if !release.is_not_automatic => COMMON,
            None if release.has_automatic_upgrades => UPGRADES_ONLY,
            None => NOT_AUTOMATIC,
        }
    }

    /// Adds the pins of a file.
    fn add_text(&mut self, file: &str, text: &[u8], native: &str) -> Result<(), PinError> {
        let problem =
            |what: String| PinError::Problem(Problem::Preferences { file: file.to_owned(), what });
        let stanzas = Stanza::parse_all(text).map_err(|error| problem(error.to_string()))?;
        for stanza in stanzas {
            let packages =
                stanza.text("Package").ok_or_else(|| problem("no Package header".to_owned()))?;
            let Some((kind, data)) = stanza.text("Pin").and_then(first_word) else { continue };
            let priority = priority(stanza.text("Pin-Priority")).map_err(problem)?;
            let data = data.lines().map(str::trim).collect::<Vec<_>>().join(" ");
            let expression =
                |text: &str| Expression::parse(text).map_err(|error| problem(error.to_string()));
            let versions = match kind {
                "release" => ReleasePattern::parse(&data)?.into(),
                "origin" => Versions::Origin(expression(data.trim_matches('"'))?),
                "version" if packages != "*" => Versions::Version(expression(&data)?),
                other => {
                    self.warnings.push(format!("Did not understand pin type {other}"));
                    continue;
                }
            };
            if packages == "*" {
                self.general.push(Pin { package: None, versions, priority });
                continue;
            }
            for name in packages.split_whitespace() {
                let package = match name.strip_prefix("src:") {
                    Some(source) => Package::Source(expression(source)?),
                    None => Package::Binary(expression(without_architecture(name, native)?)?),
                };
                let (package, versions) = (Some(package), versions.clone());
                self.specific.push(Pin { package, versions, priority });
            }
        }
        Ok(())
    }
}

/// Why pins are not understood.
#[derive(Debug)]
enum PinError {
    Problem(Problem),
    NotBuiltIn(String),
}

impl From<String> for PinError {
    fn from(what: String) -> Self {
        PinError::NotBuiltIn(what)
    }
}

impl From<ReleasePattern> for Versions {
    fn from(pattern: ReleasePattern) -> Self {
        Versions::Release(pattern)
    }
}

impl Versions {
    fn include(&self, version: &str, archives: &[&Archive]) -> bool {
        match self {
            Versions::Version(pattern) => pattern.matches(version),
            Versions::Release(pattern) => archives.iter().any(|archive| pattern.matches(archive)),
            Versions::Origin(site) => {
                archives.iter().any(|archive| site.matches(host(&archive.base)))
            }
        }
    }
}

impl ReleasePattern {
    /// Reads what stands behind `Pin: release`, or is asked for with `-t` or `package/`.
    ///
    /// # Errors
    /// What is not built in, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text == "*" {
            return Ok(ReleasePattern { is_all: true, fields: Vec::new() });
        }
        let expression = |text: &str| {
            Expression::parse(text).map_err(|error| format!("has a pin with a {error}"))
        };
        if !text.contains('=') && !text.is_empty() {
            let is_version = text.starts_with(|letter: char| letter.is_ascii_digit());
            let field = if is_version { Field::Version } else { Field::Either };
            return Ok(ReleasePattern { is_all: false, fields: vec![(field, expression(text)?)] });
        }
        let mut fields = Vec::new();
        for part in text.split(',').map(str::trim) {
            let Some((name, value)) = part.split_once('=') else { continue };
            let field = match name.trim() {
                "o" => Field::Origin,
                "a" => Field::Suite,
                "n" => Field::Codename,
                "l" => Field::Label,
                "v" => Field::Version,
                "c" => Field::Component,
                "b" => return Err("has a pin by architecture (b=)".to_owned()),
                // As apt has it: what is not known is no condition.
                _ => continue,
            };
            fields.push((field, expression(value.trim())?));
        }
        Ok(ReleasePattern { is_all: false, fields })
    }

    /// Whether an archive is meant.
    pub fn matches(&self, archive: &Archive) -> bool {
        let release = &archive.release;
        let fits = |(field, pattern): &(Field, Expression)| match field {
            Field::Origin => pattern.matches(&release.origin),
            Field::Suite => pattern.matches(&release.suite),
            Field::Codename => pattern.matches(&release.codename),
            Field::Label => pattern.matches(&release.label),
            Field::Version => pattern.matches(&release.version),
            Field::Component => pattern.matches(&archive.component),
            Field::Either => pattern.matches(&release.suite) || pattern.matches(&release.codename),
        };
        self.is_all || (!self.fields.is_empty() && self.fields.iter().all(fits))
    }
}

fn priority(text: Option<&str>) -> Result<i32, String> {
    match text.unwrap_or_default().parse::<i64>() {
        Ok(0) | Err(_) => Err("no priority (or zero) specified for pin".to_owned()),
        Ok(number) => i16::try_from(number).map(i32::from).map_err(|_| {
            format!("value {number} is outside the range of valid pin priorities (-32768 to 32767)")
        }),
    }
}

fn first_word(text: &str) -> Option<(&str, &str)> {
    let (word, rest) = text.split_once([' ', '\t', '\n']).unwrap_or((text, ""));
    (!word.is_empty()).then_some((word, rest.trim()))
}

/// A package's name; one for another architecture is not built in.
fn without_architecture<'n>(name: &'n str, native: &str) -> Result<&'n str, String> {
    match name.rsplit_once(':') {
        Some((name, architecture)) if [native, "any", "native", "all"].contains(&architecture) => {
            Ok(name)
        }
        Some(_) => Err(format!("has a pin for {name}, a package of another architecture")),
        None => Ok(name),
    }
}

fn host(base: &str) -> &str {
    let rest = base.split_once("://").map_or(base, |(_, rest)| rest);
    rest.split(['/', ':']).next().unwrap_or_default()
}

fn refuse(process: &Process<'_, '_>, what: &str) -> Stop {
    process.refuse(Reason::Use(what.to_owned()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::apt::archive::Release;
    use crate::index::PackageIndex;
    use crate::outside::Proxy;

    fn archive(suite: &str, codename: &str) -> Archive {
        let release = Release {
            origin: "Debian".to_owned(),
            label: "Debian".to_owned(),
            suite: suite.to_owned(),
            codename: codename.to_owned(),
            version: "12.9".to_owned(),
            ..Release::default()
        };
        Archive {
            base: "http://deb.example.org:80/debian".to_owned(),
            login: None,
            proxy: Proxy::Direct,
            release: Arc::new(release),
            component: "main".to_owned(),
            list: None,
            index: Arc::new(PackageIndex::read(&b""[..]).unwrap()),
        }
    }

    fn policy(text: &str) -> Policy {
        let mut policy = Policy::default();
        policy.add_text("/p", text.as_bytes(), "amd64").unwrap();
        policy
    }

    #[test]
    fn archives_have_priorities_of_their_own() {
        let mut backports = archive("stable-backports", "bookworm-backports");
        let mut experimental = archive("experimental", "rc-buggy");
        let release = Arc::make_mut(&mut backports.release);
        (release.is_not_automatic, release.has_automatic_upgrades) = (true, true);
        Arc::make_mut(&mut experimental.release).is_not_automatic = true;
        let stable = archive("stable", "bookworm");
        let plain = Policy::default();
        let all = [&stable, &backports, &experimental];
        assert_eq!(all.map(|archive| plain.of_archive(archive)), [500, 100, 1]);
        assert_eq!(plain.priority("a", "a", "1", &all), 500);
        assert_eq!(plain.priority("a", "a", "1", &[]), INSTALLED);
        let pinned = policy(
            "Package: *\nPin: release n=*backports\nPin-Priority: 600\n\n\
             Package: *\nPin: origin deb.example.org\nPin-Priority: -1\n",
        );
        assert_eq!(all.map(|archive| pinned.of_archive(archive)), [-1, 600, -1]);
    }

    #[test]
    fn pins_are_for_packages_and_versions() {
        let stable = archive("stable", "bookworm");
        for (pin, expected) in [
            ("release n=bookworm", 7),
            ("release bookworm", 7),
            ("release STABLE", 7),
            ("release 12*", 7),
            ("release 12", 500),
            ("release a=stable, c=main ,l=Debian", 7),
            ("release a=stable,c=contrib", 500),
            ("release q=x", 500),
            ("release *", 7),
            ("version 1.*", 7),
            ("version 2.*", 500),
            ("version /^1/", 7),
            ("origin deb.example.org", 7),
            ("origin \"deb.*\"", 7),
            ("origin example.org", 500),
        ] {
            for (package, is_own) in [
                ("curl", true),
                ("cu*", true),
                ("src:Curl-src", true),
                ("curl:amd64 x", true),
                ("wget", false),
            ] {
                let policy = policy(&format!("Package: {package}\nPin: {pin}\nPin-Priority: 7\n"));
                let expected = if is_own { expected } else { 500 };
                let found = policy.priority("curl", "curl-src", "1.2", &[&stable]);
                assert_eq!(found, expected, "{package} {pin}");
            }
        }
        let first = policy(
            "Package: c*\nPin: version *\nPin-Priority: 3\n\n\
             Package: curl\nPin: version *\nPin-Priority: 4\n",
        );
        assert_eq!(first.priority("curl", "curl", "1", &[&stable]), 3);
    }

    #[test]
    fn what_is_no_pin_is_told() {
        let mut said = Vec::new();
        for text in [
            "Pin: release n=b\nPin-Priority: 1\n",
            "Package: a\nPin: release n=b\n",
            "Package: a\nPin: release n=b\nPin-Priority: 99999\n",
            "foo\n",
            "Package: /(/\nPin: release n=b\nPin-Priority: 9\n",
        ] {
            let error = Policy::default().add_text("/p", text.as_bytes(), "amd64").unwrap_err();
            said.push(match error {
                PinError::Problem(problem) => problem.to_string(),
                PinError::NotBuiltIn(what) => what,
            });
        }
        insta::assert_snapshot!(said.join("\n"), @r#"
        Invalid record in the preferences file /p, no Package header
        Invalid record in the preferences file /p, no priority (or zero) specified for pin
        Invalid record in the preferences file /p, value 99999 is outside the range of valid pin priorities (-32768 to 32767)
        Invalid record in the preferences file /p, line 1: has no `:`
        Invalid record in the preferences file /p, Regex compilation error - /(/
        "#);
        for text in [
            "Package: a:i386\nPin: version 1\nPin-Priority: 1\n",
            "Package: *\nPin: release b=i386\nPin-Priority: 1\n",
        ] {
            let error = Policy::default().add_text("/p", text.as_bytes(), "amd64");
            assert!(matches!(error, Err(PinError::NotBuiltIn(_))), "{text}");
        }
        assert_eq!(policy("Package: *\nPin: version 1\nPin-Priority: 1\n").warnings.len(), 1);
        assert!(policy("Package: a\nPin-Priority: 1\n").warnings.is_empty());
    }
}
