//! Stanzas as dpkg writes them (dpkg's database, `status`): fields in its own order, relations in
//! one form, and what says nothing left out.

use bstr::{BStr, BString, ByteSlice, ByteVec};

use super::architecture::Architectures;
use super::status::{Package, State, Status, Want};
use crate::control::Stanza;
use crate::relation::{Normal, Relation};

/// What kind of value a field has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Any text.
    Text,
    /// `yes`, or it is left out.
    Flag,
    /// `Status`, which stands in the package and not in its stanza.
    Status,
    /// What `Multi-Arch` says, unless it is `no`.
    MultiArch,
    /// A version without an epoch of 0.
    Version,
    /// The version that was last configured.
    ConfigVersion,
    /// Relations.
    Relations,
    /// A list whose first line is empty.
    Lines,
    /// Never written into this file.
    Left,
}

/// dpkg's fields in dpkg's order. All others come behind them, as they stand.
const FIELDS: [(&str, Kind); 37] = [
    ("Package", Kind::Text),
    ("Essential", Kind::Flag),
    ("Protected", Kind::Flag),
    ("Status", Kind::Status),
    ("Priority", Kind::Text),
    ("Section", Kind::Text),
    ("Installed-Size", Kind::Text),
    ("Origin", Kind::Text),
    ("Maintainer", Kind::Text),
    ("Bugs", Kind::Text),
    ("Architecture", Kind::Text),
    ("Multi-Arch", Kind::MultiArch),
    ("Source", Kind::Text),
    ("Version", Kind::Version),
    ("Config-Version", Kind::ConfigVersion),
    ("Replaces", Kind::Relations),
    ("Provides", Kind::Relations),
    ("Depends", Kind::Relations),
    ("Pre-Depends", Kind::Relations),
    ("Recommends", Kind::Relations),
    ("Suggests", Kind::Relations),
    ("Breaks", Kind::Relations),
    ("Conflicts", Kind::Relations),
    ("Enhances", Kind::Relations),
    ("Conffiles", Kind::Lines),
    ("Filename", Kind::Left),
    ("Size", Kind::Left),
    ("MD5sum", Kind::Left),
    ("MSDOS-Filename", Kind::Left),
    ("Description", Kind::Text),
    ("Triggers-Pending", Kind::Text),
    ("Triggers-Awaited", Kind::Text),
    // Names that dpkg reads as others.
    ("Recommended", Kind::Left),
    ("Optional", Kind::Left),
    ("Class", Kind::Left),
    ("Revision", Kind::Left),
    ("Package-Revision", Kind::Left),
];

/// The whole of `status`.
pub fn status(status: &Status, known: &Architectures) -> Vec<u8> {
    let mut written = Vec::new();
    for package in in_order(status, known) {
        if is_informative(package) {
            written.extend_from_slice(&stanza(package));
            written.push(b'\n');
        }
    }
    written
}

/// Packages as dpkg sorts them: by name, and those that need no architecture in their name first.
pub fn in_order<'a>(status: &'a Status, known: &Architectures) -> Vec<&'a Package> {
    let mut packages: Vec<(&super::status::PackageId, &Package)> = status.packages().collect();
    packages.sort_by_key(|(id, package)| {
        let needs = is_multi_arch_same(&package.stanza) || !known.is_native(&id.architecture);
        (&id.name, needs, &id.architecture)
    });
    packages.into_iter().map(|(_, package)| package).collect()
}

/// One stanza, with a newline at its end.
pub fn stanza(package: &Package) -> Vec<u8> {
    let mut written = Vec::new();
    for (name, kind) in FIELDS {
        if let Some(value) = value(package, name, kind) {
            field(&mut written, name.as_bytes().as_bstr(), value.as_bstr());
        }
    }
    for (name, value) in package.stanza.fields() {
        if !is_known(name) {
            field(&mut written, name, end_trimmed(value));
        }
    }
    written
}

fn field(written: &mut Vec<u8>, name: &BStr, value: &BStr) {
    written.push_str(name);
    written.push(b':');
    if !value.starts_with(b"\n") {
        written.push(b' ');
    }
    written.push_str(value);
    written.push(b'\n');
}

fn value(package: &Package, name: &str, kind: Kind) -> Option<BString> {
    if kind == Kind::Status {
        return Some(package.status_words().into());
    }
    let value = end_trimmed(package.stanza.get(name)?);
    let is_written = match kind {
        Kind::Left | Kind::Status => false,
        Kind::Flag => value == "yes",
        Kind::MultiArch => value != "no",
        Kind::ConfigVersion => !matches!(
            package.state,
            State::Installed | State::NotInstalled | State::TriggersPending
        ),
        Kind::Text | Kind::Version | Kind::Relations | Kind::Lines => true,
    };
    if !is_written || value.is_empty() {
        return None;
    }
    match kind {
        Kind::Version | Kind::ConfigVersion => Some(without_zero_epoch(value).into()),
        Kind::Relations => relations(value),
        _ => Some(value.into()),
    }
}

/// Relations in dpkg's form; as they stand if they cannot be read; `None` if there is none.
fn relations(value: &BStr) -> Option<BString> {
    let text = value.to_str().ok().map(Relation::parse_all);
    match text {
        Some(Ok(relations)) if relations.is_empty() => None,
        Some(Ok(relations)) => Some(Normal(&relations).to_string().into()),
        _ => Some(value.into()),
    }
}

/// A version as dpkg shows it: an epoch of 0 is none.
fn without_zero_epoch(version: &BStr) -> &BStr {
    match version.strip_prefix(b"0:") {
        Some(rest) if !rest.contains(&b':') => rest.as_bstr(),
        _ => version,
    }
}

fn end_trimmed(value: &BStr) -> &BStr {
    value.trim_end().as_bstr()
}

fn is_known(name: &BStr) -> bool {
    FIELDS.iter().any(|(known, _)| name.eq_ignore_ascii_case(known.as_bytes()))
}

/// Whether dpkg has anything to say of a package.
fn is_informative(package: &Package) -> bool {
    const NOTHING: [&str; 5] = ["Package", "Status", "Priority", "Section", "Architecture"];
    let says =
        |name: &BStr| !NOTHING.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes()));
    package.want != Want::Unknown
        || package.is_broken
        || package.state != State::NotInstalled
        || package.stanza.fields().any(|(name, value)| says(name) && !value.is_empty())
}

/// Whether packages of several architectures may be there side by side.
pub fn is_multi_arch_same(stanza: &Stanza) -> bool {
    stanza.text("Multi-Arch") == Some("same")
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: Architectures = Architectures { native: "amd64", foreign: Vec::new() };

    #[test]
    fn stanzas_are_written_in_the_order_and_form_of_dpkg() {
        let text = b"Package: a\nVersion: 0:1-1\nX-Own: 1 \nArchitecture: amd64\n\
            Status: install ok installed\nConfig-Version: 1\nDepends: b(>=1)|c ,d\n\
            Description: short \n long\nEssential: no\nMulti-Arch: same\nSize: 10\n\
            Conffiles:\n /etc/a 0123\n";
        let status = Status::parse(text).unwrap();
        let written = super::status(&status, &KNOWN);
        insta::assert_snapshot!(String::from_utf8(written).unwrap().replace(" \n", "~\n"), @r"
        Package: a
        Status: install ok installed
        Architecture: amd64
        Multi-Arch: same
        Version: 1-1
        Depends: b (>= 1) | c, d
        Conffiles:
         /etc/a 0123
        Description: short~
         long
        X-Own: 1
        ");
    }

    #[test]
    fn packages_of_which_nothing_is_known_are_left_out() {
        let text = b"Package: a\nStatus: unknown ok not-installed\nPriority: optional\n\n\
            Package: b\nStatus: hold ok not-installed\n";
        let status = Status::parse(text).unwrap();
        let written = String::from_utf8(super::status(&status, &KNOWN)).unwrap();
        assert_eq!(written, "Package: b\nStatus: hold ok not-installed\n\n");
    }
}
