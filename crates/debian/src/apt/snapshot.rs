//! Archives as they were at an earlier time (sources.list(5), `snapshot`).
//!
//! An archive says in its `Release` where its snapshots are, so that is fetched first, and everything
//! else comes from there. No address of a snapshot is known here: one is the archive's own word, or
//! is configured (apt.conf(5), `Acquire::Snapshots::URI`).

use super::configuration::{Configuration, switch};
use super::problem::Problem;
use super::release::ReleaseFile;
use super::sources::{Source, without_login};

/// What stands for the snapshot's name in an address.
pub const ID: &str = "@SNAPSHOTID@";
/// What stands for the path of the archive's own address.
const PATH: &str = "@PATH@";
const SETTING: &str = "Acquire::Snapshots::URI";

/// A moment as archives name their snapshots: `20261101T063000Z`. A date is the end of that day, and
/// what is no moment is a name of its own.
pub fn id_of(moment: &str) -> String {
    let of_day = || {
        let end = moment.parse::<jiff::civil::Date>().ok()?.at(23, 59, 59, 0);
        end.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|end| end.timestamp())
    };
    match moment.parse::<jiff::Timestamp>().ok().or_else(of_day) {
        Some(time) => time.strftime("%Y%m%dT%H%M%SZ").to_string(),
        None => moment.to_owned(),
    }
}

/// Which snapshot a source is read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted<'a> {
    /// The archive as it is.
    No,
    /// This one.
    Named(&'a str),
    /// This one, if the archive has any (`APT::Snapshot`).
    IfThere(&'a str),
}

impl<'a> Wanted<'a> {
    fn of(source: &'a Source, configuration: &'a Configuration) -> Self {
        let of_all = configuration.value("APT::Snapshot").filter(|name| !name.is_empty());
        match source.options.snapshot.as_deref() {
            None => of_all.map_or(Wanted::No, Wanted::IfThere),
            Some("") => Wanted::No,
            Some(text) => match switch(text) {
                Some(true) => of_all.map_or(Wanted::No, Wanted::Named),
                Some(false) => Wanted::No,
                None => Wanted::Named(text),
            },
        }
    }
}

/// Whether a source is read from a snapshot, so that its `Release` is needed first.
pub(super) fn is_wanted(source: &Source, configuration: &Configuration) -> bool {
    Wanted::of(source, configuration) != Wanted::No
}

/// The source of the snapshot that a source is read from, or itself; `release` is what the archive
/// says, as far as it is known.
///
/// # Errors
/// [`Problem::NoSnapshots`], and [`Problem::UnknownSnapshots`] if the archive was not asked yet.
pub(super) fn instead(
    source: &Source,
    release: Option<&ReleaseFile>,
    configuration: &Configuration,
) -> Result<Source, Problem> {
    let wanted = Wanted::of(source, configuration);
    let (Wanted::Named(name) | Wanted::IfThere(name)) = wanted else { return Ok(source.clone()) };
    let template = template(source, release, configuration).filter(|address| *address != "no");
    let Some(template) = template else {
        if matches!(wanted, Wanted::IfThere(_)) {
            return Ok(source.clone());
        }
        let (uri, suite) = (without_login(&source.uri), source.suite.clone());
        let place = source.place.to_string();
        return Err(match release {
            Some(_) => Problem::NoSnapshots { uri, suite, place },
            None => Problem::UnknownSnapshots { uri, suite, place },
        });
    };
    let (_, path) = host_and_path(&source.uri);
    let address = template.replace(ID, name).replace(PATH, path.trim_matches('/'));
    let slash = if address.ends_with('/') { "" } else { "/" };
    Ok(Source { uri: format!("{address}{slash}"), ..source.clone() })
}

/// Where the snapshots of an archive are, with [`ID`] for their names: what is configured over the
/// archive's word, that, and what is configured beside it.
fn template<'a>(
    source: &'a Source,
    release: Option<&'a ReleaseFile>,
    configuration: &'a Configuration,
) -> Option<&'a str> {
    let setting = |kind: &str, value: &str| {
        let name = (!value.is_empty()).then(|| format!("{SETTING}::{kind}::{value}"))?;
        configuration.value(&name).filter(|address| !address.is_empty())
    };
    let of_release = || {
        let file = release?;
        let (label, origin) = (&file.release.label, &file.release.origin);
        setting("Override::Label", label)
            .or_else(|| setting("Override::Origin", origin))
            .or_else(|| Some(file.snapshots.as_str()).filter(|address| !address.is_empty()))
            .or_else(|| setting("Label", label))
            .or_else(|| setting("Origin", origin))
    };
    let of_host = || {
        let (host, _) = host_and_path(&source.uri);
        // For `a.b.c` these are `a.b.c`, `.b.c` and `.c`.
        let shorter = host.match_indices('.').map(|(at, _)| &host[at..]);
        std::iter::once(host).chain(shorter).find_map(|host| setting("Host", host))
    };
    of_release().or_else(of_host)
}

fn host_and_path(uri: &str) -> (&str, &str) {
    let rest = uri.split_once("://").map_or(uri, |(_, rest)| rest);
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    (host.split(':').next().unwrap_or_default(), path)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names of settings, and what they are set to.
    type Settings<'a> = &'a [(&'a str, &'a str)];

    /// The address that a source of `archive.example.org` comes to.
    fn found(option: &str, release: Option<&str>, settings: Settings<'_>) -> String {
        let mut configuration = Configuration::built_in("amd64");
        for (name, value) in settings {
            configuration.set(name, value);
        }
        let text =
            format!("deb {option}http://me:SECRET@archive.example.org:80/debian stable main\n");
        let source =
            super::super::sources::parse_list("/l", &text, &configuration).unwrap().remove(0);
        let release = release.map(|text| {
            let text = format!("Origin: O\nLabel: L\n{text}");
            ReleaseFile::parse("f", text.as_bytes()).unwrap()
        });
        match instead(&source, release.as_ref(), &configuration) {
            Ok(found) if found.uri == source.uri => "itself".to_owned(),
            Ok(found) => found.uri,
            Err(problem) => problem.to_string(),
        }
    }

    #[test]
    fn snapshots_are_named_by_their_time() {
        for (moment, expected) in [
            ("2026-11-01T06:30:00Z", "20261101T063000Z"),
            ("2026-11-01 06:30:00+02:00", "20261101T043000Z"),
            ("2026-11-01", "20261101T235959Z"),
            ("latest", "latest"),
        ] {
            assert_eq!(id_of(moment), expected);
        }
    }

    #[test]
    fn snapshots_are_where_the_archive_or_the_configuration_says() {
        let own = Some("Snapshots: https://s/@SNAPSHOTID@/d\n");
        let none = Some("");
        let setting = |kind| format!("Acquire::Snapshots::URI::{kind}");
        let cases: [(&str, Option<&str>, Settings<'_>, &str); 15] = [
            ("", own, &[], "itself"),
            ("[snapshot=2026] ", own, &[], "https://s/2026/d/"),
            ("[snapshot=enable] ", own, &[], "itself"),
            ("[snapshot=enable] ", own, &[("APT::Snapshot", "2")], "https://s/2/d/"),
            ("[snapshot=no] ", own, &[("APT::Snapshot", "2")], "itself"),
            ("", own, &[("APT::Snapshot", "2")], "https://s/2/d/"),
            ("", none, &[("APT::Snapshot", "2")], "itself"),
            (
                "[snapshot=yes] ",
                none,
                &[("APT::Snapshot", "2")],
                "Snapshots not supported for http://archive.example.org:80/debian/ stable (/l:1)",
            ),
            (
                "[snapshot=2026] ",
                None,
                &[],
                "Cannot identify snapshot server for http://archive.example.org:80/debian/ stable (/l:1) - run update without snapshot id first",
            ),
            (
                "[snapshot=2026] ",
                own,
                &[(&setting("Override::Label::L"), "http://o/@SNAPSHOTID@")],
                "http://o/2026/",
            ),
            (
                "[snapshot=2026] ",
                own,
                &[(&setting("Label::L"), "http://o/@SNAPSHOTID@")],
                "https://s/2026/d/",
            ),
            (
                "[snapshot=2026] ",
                none,
                &[(&setting("Origin::O"), "http://o/@SNAPSHOTID@")],
                "http://o/2026/",
            ),
            (
                "[snapshot=2026] ",
                None,
                &[(&setting("Host::.example.org"), "http://o/@PATH@/@SNAPSHOTID@/")],
                "http://o/debian/2026/",
            ),
            (
                "[snapshot=2026] ",
                none,
                &[(&setting("Host::example.org"), "http://o/@SNAPSHOTID@")],
                "Snapshots not supported for http://archive.example.org:80/debian/ stable (/l:1)",
            ),
            (
                "[snapshot=2026] ",
                own,
                &[(&setting("Override::Origin::O"), "no")],
                "Snapshots not supported for http://archive.example.org:80/debian/ stable (/l:1)",
            ),
        ];
        for (option, release, settings, expected) in cases {
            assert_eq!(
                found(option, release, settings),
                expected,
                "{option} {release:?} {settings:?}"
            );
        }
    }
}
