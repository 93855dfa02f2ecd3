//! Formats of `--showformat` (dpkg-query(1), "OPTIONS").

use bstr::{BString, ByteSlice};
use shell::files::Last;
use shell::process::errno;
use shell::{Process, Stop};

use super::Query;
use crate::dpkg::status::{Package, State};

/// What is written for each package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Format(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(Vec<u8>),
    Field { name: String, width: i64 },
}

/// No field is wider.
const WIDEST: i64 = 10_000;

/// Fields that are empty where a package lacks them; others are nothing at all.
const KNOWN: &[&str] = &[
    "Architecture",
    "Breaks",
    "Bugs",
    "Class",
    "Conffiles",
    "Config-Version",
    "Conflicts",
    "Depends",
    "Description",
    "Enhances",
    "Essential",
    "Filename",
    "Installed-Size",
    "MD5sum",
    "MSDOS-Filename",
    "Maintainer",
    "Multi-Arch",
    "Optional",
    "Origin",
    "Package",
    "Package-Revision",
    "Package_Revision",
    "Pre-Depends",
    "Priority",
    "Protected",
    "Provides",
    "Recommended",
    "Recommends",
    "Replaces",
    "Revision",
    "Section",
    "Size",
    "Source",
    "Status",
    "Suggests",
    "Triggers-Awaited",
    "Triggers-Pending",
    "Version",
];

impl Format {
    /// Reads a format; the error is what is wrong with it, in the program's words.
    pub(super) fn parse(text: &[u8]) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut left = text;
        while !left.is_empty() {
            if let Some(field) = left.strip_prefix(b"${") {
                let end = field.find_byte(b'}').ok_or("missing closing brace")?;
                pieces.push(field_of(&field[..end])?);
                left = &field[end + 1..];
            } else {
                let end = left[1..].find("${").map_or(left.len(), |at| at + 1);
                pieces.push(Piece::Text(unescaped(&left[..end])));
                left = &left[end..];
            }
        }
        match pieces.is_empty() {
            true => Err("may not be empty string".to_owned()),
            false => Ok(Format(pieces)),
        }
    }

    /// Whether the lists of files are looked at.
    pub(super) fn needs_files(&self) -> bool {
        let is_files =
            |piece: &Piece| matches!(piece, Piece::Field { name, .. } if name == "db-fsys:Files");
        self.0.iter().any(is_files)
    }

    /// What is written for a package.
    pub(super) fn text(
        &self,
        process: &mut Process<'_, '_>,
        query: &Query,
        package: &Package,
    ) -> Result<Vec<u8>, Stop> {
        let mut text = Vec::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(bytes) => text.extend_from_slice(bytes),
                Piece::Field { name, width } => {
                    if let Some(value) = value(process, query, package, name)? {
                        text.extend(fitted(&value, *width));
                    }
                }
            }
        }
        Ok(text)
    }
}

fn field_of(text: &[u8]) -> Result<Piece, String> {
    let text = text.to_str().map_err(|_| "is no text".to_owned())?;
    let (name, width) = match text.split_once(';') {
        Some((name, width)) => (name, Some(width)),
        None => (text, None),
    };
    let width = match width {
        None => 0,
        Some(digits) => digits
            .trim_start()
            .parse()
            .ok()
            .filter(|width: &i64| width.abs() <= WIDEST)
            .ok_or_else(|| format!("invalid character '{}' in field width", first(digits)))?,
    };
    Ok(Piece::Field { name: name.to_owned(), width })
}

/// The first character that does not belong to a number.
fn first(digits: &str) -> char {
    let signless = digits.trim_start().trim_start_matches(['-', '+']);
    signless.chars().find(|c| !c.is_ascii_digit()).unwrap_or('}')
}

fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    let mut bytes = text.iter().copied();
    while let Some(byte) = bytes.next() {
        plain.push(match byte {
            b'\\' => match bytes.next() {
                Some(b'n') => b'\n',
                Some(b't') => b'\t',
                Some(b'r') => b'\r',
                Some(b'\\') | None => b'\\',
                Some(other) => other,
            },
            byte => byte,
        });
    }
    plain
}

/// Padded and cut to a width; a negative one pads behind, and 0 is none.
fn fitted(value: &[u8], width: i64) -> Vec<u8> {
    let columns = usize::try_from(width.unsigned_abs()).unwrap_or_default();
    if columns == 0 {
        return value.to_vec();
    }
    let padding = vec![b' '; columns.saturating_sub(value.len())];
    let mut fitted = match width > 0 {
        true => [&padding, value].concat(),
        false => [value, &padding].concat(),
    };
    fitted.truncate(columns);
    fitted
}

fn value(
    process: &mut Process<'_, '_>,
    query: &Query,
    package: &Package,
    name: &str,
) -> Result<Option<BString>, Stop> {
    if let Some(known) = KNOWN.iter().find(|known| known.eq_ignore_ascii_case(name)) {
        return Ok(Some(field(package, known)));
    }
    let words = package.status_words();
    let word = |at: usize| words.split(' ').nth(at).unwrap_or_default().into();
    Ok(Some(match name.to_ascii_lowercase().as_str() {
        "binary:package" => query.name(package).into(),
        "binary:synopsis" | "binary:summary" => synopsis(package),
        "db:status-abbrev" => abbreviation(package).into(),
        "db:status-want" => word(0),
        "db:status-eflag" => word(1),
        "db:status-status" => word(2),
        "db-fsys:files" => files(process, query, package)?,
        "db-fsys:last-modified" => last_modified(process, query, package)?,
        "source:package" => source(package).0,
        "source:version" => source(package).1,
        "source:upstream-version" => upstream(&source(package).1),
        _ => return Ok(package.stanza.get(name).map(BString::from)),
    }))
}

fn field(package: &Package, name: &str) -> BString {
    match name {
        "Status" => package.status_words().into(),
        "Essential" | "Protected" if package.stanza.text(name) != Some("yes") => "no".into(),
        "Multi-Arch" if package.stanza.text(name) == Some("no") => "".into(),
        _ => {
            let value = package.stanza.get(name).unwrap_or_default();
            value.strip_prefix(b"\n").unwrap_or(value).into()
        }
    }
}

/// The first line of the description.
pub(super) fn synopsis(package: &Package) -> BString {
    let description = package.stanza.get("Description").unwrap_or_default();
    match description.is_empty() {
        true => "(no description available)".into(),
        false => description.lines().next().unwrap_or_default().into(),
    }
}

/// What is wanted, what is, and whether something is wrong, as letters.
pub(super) fn abbreviation(package: &Package) -> String {
    let words = package.status_words();
    let mut words = words.split(' ');
    let want = match words.next() {
        Some("install") => 'i',
        Some("hold") => 'h',
        Some("deinstall") => 'r',
        Some("purge") => 'p',
        _ => 'u',
    };
    let state = match package.state {
        State::NotInstalled => 'n',
        State::ConfigFiles => 'c',
        State::HalfInstalled => 'H',
        State::Unpacked => 'U',
        State::HalfConfigured => 'F',
        State::TriggersAwaited => 'W',
        State::TriggersPending => 't',
        State::Installed => 'i',
    };
    let flag = if package.is_broken { 'R' } else { ' ' };
    format!("{want}{state}{flag}")
}

fn files(process: &mut Process<'_, '_>, query: &Query, package: &Package) -> Result<BString, Stop> {
    if package.state == State::NotInstalled {
        return Ok("".into());
    }
    let list = query.packages.list(process, package)?.unwrap_or_default();
    Ok(list.lines().flat_map(|line| [b" ", line, b"\n"].concat()).collect::<Vec<u8>>().into())
}

fn last_modified(
    process: &mut Process<'_, '_>,
    query: &Query,
    package: &Package,
) -> Result<BString, Stop> {
    if package.state == State::NotInstalled {
        return Ok("".into());
    }
    let path = query.packages.info(package, "list");
    let found = errno(process.find(&path, Last::Followed))?;
    Ok(found.map(|(_, stat)| stat.attributes.mtime.to_string()).unwrap_or_default().into())
}

/// The source package's name and version.
fn source(package: &Package) -> (BString, BString) {
    let own = || package.stanza.get("Version").unwrap_or_default().into();
    let Some(field) = package.stanza.get("Source") else {
        return (package.id().name.as_bytes().into(), own());
    };
    match field.split_once_str(" ") {
        Some((name, version)) => {
            let version = version.trim().trim_start_with(|c| c == '(').trim_end_with(|c| c == ')');
            (name.into(), version.into())
        }
        None => (field.into(), own()),
    }
}

/// A version without epoch and revision.
fn upstream(version: &BString) -> BString {
    let rest = version.split_once_str(":").map_or(&version[..], |(_, rest)| rest);
    rest.rsplit_once_str("-").map_or(rest, |(upstream, _)| upstream).into()
}
