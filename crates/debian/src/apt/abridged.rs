//! What an archive said, abridged to what a choice depends on.
//!
//! `InRelease` and `Packages` files are gone once an archive moves on, and the packages themselves
//! are not. Whoever keeps of a `Release` the fields that are read, and of a list the stanzas of the
//! packages that were chosen, makes the same choice again with [`release_text`] and [`index`]: what
//! was not chosen then is not there to be chosen now. That holds for the same question only (see
//! [`crate::Outside::indexes`]): another one might take what was left out.
//!
//! Among packages of equal rank apt goes by which of them its lists mention first, also where they
//! are only mentioned by others ([`resolver`](super::resolver)). So that order is kept, too.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use oci::Digest;

use super::release::{Listed, ReleaseFile};
use super::signature;
use crate::control::Stanza;
use crate::index::{IndexError, MultiArch, Offer, PackageIndex};
use crate::relation::Field;

/// The fields of a `Release` file that are read.
const FIELDS: [&str; 14] = [
    "Origin",
    "Label",
    "Suite",
    "Version",
    "Codename",
    "Date",
    "Valid-Until",
    "NotAutomatic",
    "ButAutomaticUpgrades",
    "Acquire-By-Hash",
    "No-Support-for-Architecture-all",
    "Snapshots",
    "Architectures",
    "Components",
];

/// What a `Release` file is called.
const NAME: &str = "Release";

/// A `Release` file, abridged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Abridged {
    /// Its fields but those of digests, a line each.
    pub fields: Vec<String>,
    /// The lists of packages, by their names in it: digest and size.
    pub lists: BTreeMap<String, (Digest, u64)>,
}

/// A package as a list has it.
#[derive(Debug, Clone, Copy)]
pub struct Chosen<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its version.
    pub version: &'a str,
    /// What it runs on.
    pub architecture: &'a str,
    /// How many bytes its file has.
    pub size: u64,
    /// What they hash to.
    pub sha256: Digest,
    /// The other fields, a line each, as [`fields_of`] has them.
    pub fields: &'a [String],
}

/// Abridges an `InRelease` or a `Release`, which was verified before. Of the lists in it those stay
/// that are `wanted`. `None` for what is neither.
pub fn release(file: &[u8], wanted: impl Fn(&Digest) -> bool) -> Option<Abridged> {
    let text = signature::text_of(file).unwrap_or_else(|| file.to_vec());
    let mut stanzas = Stanza::parse_all(&text).ok()?;
    let stanza = stanzas.pop().filter(|_| stanzas.is_empty())?;
    let parsed = ReleaseFile::parse(NAME, &text).ok()?;
    let fields = FIELDS.iter().filter_map(|name| Some(line(name, stanza.text(name)?)));
    let lists = parsed.files().filter_map(|(name, Listed { sha256, size, .. })| {
        let digest = (*sha256)?;
        (is_list(name) && wanted(&digest)).then(|| (name.to_owned(), (digest, *size)))
    });
    Some(Abridged { fields: fields.collect(), lists: lists.collect() })
}

/// Whether a file that a `Release` names lists packages.
fn is_list(name: &str) -> bool {
    let file = name.rsplit('/').next().unwrap_or_default();
    file == "Packages" || file.starts_with("Packages.")
}

/// The text of a `Release` file that says what is left of one.
pub fn release_text<'l>(
    fields: &[String],
    lists: impl Iterator<Item = (&'l str, Digest, u64)>,
) -> Vec<u8> {
    let mut text = fields.join("\n");
    text.push_str("\nSHA256:\n");
    for (name, digest, size) in lists {
        // Writing to a string does not fail.
        let _ = writeln!(text, " {} {size} {name}", digest.hex());
    }
    text.into_bytes()
}

/// What a list says of a package, a line for each field, without those of [`Chosen`].
pub fn fields_of(offer: &Offer<'_>) -> Vec<String> {
    let mut fields = Vec::new();
    let mut add = |name: &str, value: &str| {
        if !value.is_empty() {
            fields.push(line(name, value));
        }
    };
    let (source, version) = (offer.source(), offer.source_version());
    match (source == offer.name(), version == offer.version()) {
        (true, true) => {}
        (false, true) => add("Source", source),
        (_, false) => add("Source", &format!("{source} ({version})")),
    }
    add("Section", offer.section());
    add("Priority", offer.priority());
    let multi_arch = match offer.multi_arch() {
        MultiArch::No => "",
        MultiArch::Same => "same",
        MultiArch::Foreign => "foreign",
        MultiArch::Allowed => "allowed",
    };
    add("Multi-Arch", multi_arch);
    add("Essential", if offer.is_essential() { "yes" } else { "" });
    add("Protected", if offer.is_important() { "yes" } else { "" });
    for field in Field::ALL {
        add(field.name(), offer.relations(field));
    }
    let number = |number: Option<u64>| number.map(|number| number.to_string()).unwrap_or_default();
    add("Installed-Size", &number(offer.installed_size()));
    add("Phased-Update-Percentage", &number(offer.phase().map(u64::from)));
    add("Filename", offer.filename());
    fields
}

fn line(name: &str, value: &str) -> String {
    let words: Vec<&str> = value.split(|c: char| c.is_whitespace() || c.is_control()).collect();
    let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
    format!("{name}: {}", words.join(" "))
}

/// Some names in the order in which a list first mentions them, as packages or in what packages say
/// of others.
pub fn order<'n>(list: &PackageIndex, names: &BTreeSet<&'n str>) -> Vec<&'n str> {
    let mut left = names.clone();
    let mut order = Vec::with_capacity(left.len());
    let mut mention = |name: &str| {
        if let Some(name) = left.take(name) {
            order.push(name);
        }
        left.is_empty()
    };
    for offer in list.offers() {
        let is_done = mention(offer.name())
            || IN_ORDER.iter().any(|field| {
                let mut alternatives = offer.relations(*field).split([',', '|']);
                alternatives.any(|alternative| mention(name_in(alternative)))
            });
        if is_done {
            break;
        }
    }
    order
}

/// The fields in the order in which apt reads them.
const IN_ORDER: [Field; 9] = [
    Field::PreDepends,
    Field::Depends,
    Field::Conflicts,
    Field::Breaks,
    Field::Recommends,
    Field::Suggests,
    Field::Replaces,
    Field::Enhances,
    Field::Provides,
];

/// `libc6:any (>= 2.36) [amd64]` is about `libc6`.
fn name_in(alternative: &str) -> &str {
    let alternative = alternative.trim_start();
    let end = alternative.find(|c: char| c.is_whitespace() || ":([<".contains(c));
    &alternative[..end.unwrap_or(alternative.len())]
}

/// A list of these packages, which it first mentions in this order.
///
/// # Errors
/// Fields that are none.
pub fn index(packages: &[Chosen<'_>]) -> Result<PackageIndex, IndexError> {
    let mut text = String::new();
    for Chosen { name, architecture, .. } in packages {
        let _ = write!(text, "Package: {name}\nArchitecture: {architecture}\n\n");
    }
    // Lists are sorted by name.
    let mut sorted: Vec<&Chosen<'_>> = packages.iter().collect();
    sorted.sort_by_key(|package| package.name);
    for Chosen { name, version, architecture, size, sha256, fields } in sorted {
        let _ = write!(text, "Package: {name}\nVersion: {version}\nArchitecture: {architecture}\n");
        let _ = write!(text, "Size: {size}\nSHA256: {}\n{}\n\n", sha256.hex(), fields.join("\n"));
    }
    PackageIndex::read_mentions(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "Package: aa\nVersion: 1\nArchitecture: amd64\n\
        Recommends: zz | mm:any (>= 1)\nFilename: pool/aa.deb\nSize: 3\nSHA256: \
        e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n\n\
        Package: mm\nSource: m (7)\nVersion: 7+b1\nArchitecture: amd64\nMulti-Arch: same\n\
        Essential: yes\nProtected: yes\nPriority: required\nSection: libs\n\
        Depends: bb,\n\tzz (>= 2)\nProvides: m-abi (= 7), mmm\nInstalled-Size: 12\n\
        Phased-Update-Percentage: 40\nDescription: left out\nFilename: pool/mm.deb\nSize: 4\n\
        SHA256: 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n\n\
        Package: zz\nVersion: 2\nArchitecture: all\nFilename: pool/zz.deb\nSize: 5\nSHA256: \
        11112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n\n";

    #[test]
    fn a_list_says_the_same_of_what_was_chosen() {
        let whole = PackageIndex::read(LIST.as_bytes()).unwrap();
        let order = order(&whole, &BTreeSet::from(["mm", "zz", "none"]));
        assert_eq!(order, ["zz", "mm"]);
        let offers: Vec<Offer<'_>> = order.iter().flat_map(|name| whole.named(name)).collect();
        let fields: Vec<Vec<String>> = offers.iter().map(fields_of).collect();
        insta::assert_snapshot!(fields[1].join("\n"), @"
        Source: m (7)
        Section: libs
        Priority: required
        Multi-Arch: same
        Essential: yes
        Protected: yes
        Depends: bb, zz (>= 2)
        Provides: m-abi (= 7), mmm
        Installed-Size: 12
        Phased-Update-Percentage: 40
        Filename: pool/mm.deb
        ");
        let chosen = offers.iter().zip(&fields).map(|(offer, fields)| Chosen {
            name: offer.name(),
            version: offer.version(),
            architecture: offer.architecture(),
            size: offer.size().unwrap(),
            sha256: offer.sha256().unwrap(),
            fields,
        });
        let abridged = index(&chosen.collect::<Vec<_>>()).unwrap();
        let shown = |index: &PackageIndex, name: &str| {
            let offer = index.named(name).next().unwrap();
            (fields_of(&offer), offer.version().to_owned(), offer.sha256(), offer.size())
        };
        for name in ["mm", "zz"] {
            assert_eq!(shown(&abridged, name), shown(&whole, name));
        }
        let names: Vec<&str> = abridged.offers().map(|offer| offer.name()).collect();
        assert_eq!(names, ["mm", "zz"]);
        let mentioned: Vec<&str> =
            (0..2).filter_map(|at| abridged.get(at)).map(|offer| offer.name()).collect();
        assert_eq!(mentioned, ["zz", "mm"]);
        assert_eq!(abridged.by_name().count(), 2);
        assert_eq!(abridged.providing("mmm").count(), 1);
    }

    #[test]
    fn a_release_says_the_same_of_its_suite() {
        let text = "Origin: Test\nSuite: stable\nComponents: main\n  contrib\nX: y\nSHA256:\n \
            e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 3 main/binary-amd64/Packages.xz\n \
            e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 3 main/Contents-amd64\n \
            11112233445566778899aabbccddeeff00112233445566778899aabbccddeeff 4 other/Packages\n";
        let abridged = release(text.as_bytes(), |digest| digest.hex().starts_with("e3")).unwrap();
        assert_eq!(abridged.fields, ["Origin: Test", "Suite: stable", "Components: main contrib"]);
        let lists = abridged.lists.iter().map(|(name, (digest, size))| (&**name, *digest, *size));
        let again = release_text(&abridged.fields, lists);
        let again = ReleaseFile::parse("f", &again).unwrap();
        let whole = ReleaseFile::parse("f", text.as_bytes()).unwrap();
        assert_eq!(again.release, whole.release);
        assert_eq!(again.files().count(), 1);
        let name = "main/binary-amd64/Packages.xz";
        assert_eq!(again.listed(name), whole.listed(name));
        assert_eq!(release(b"<html>", |_| true), None);
    }
}
