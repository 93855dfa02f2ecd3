//! What a wheel says about itself: the small files in its `.dist-info`.

use std::collections::{BTreeSet, HashMap};

use super::entry_points::EntryPoints;
use super::error::{WheelError, WheelFault, printable};
use super::filename::{FileName, normalized};
use super::headers::{self, Listing};
use super::limits::Limits;
use super::member::Member;
use super::metadata::header;
use super::read_at::ReadAt;
use super::record::{self, Row};
use super::{Wheel, version};

/// Reads a wheel.
pub(super) fn read(
    bytes: &dyn ReadAt,
    size: u64,
    filename: &str,
    limits: Limits,
) -> Result<Wheel, WheelError> {
    let wheel = FileName::parse(filename).and_then(|named| {
        let listing = headers::list(bytes, size, &limits)?;
        read_listed(bytes, listing, filename, &named, limits)
    });
    wheel.map_err(|fault| fault.of(filename))
}

fn read_listed(
    bytes: &dyn ReadAt,
    listing: Listing,
    filename: &str,
    named: &FileName,
    limits: Limits,
) -> Result<Wheel, WheelFault> {
    let info_directory = info_directory(listing.roots, &named.name)?;
    let info =
        Info { bytes, members: &listing.members, directory: &info_directory, limits: &limits };
    let format = info.required("WHEEL")?;
    let newer_format = newer_format(&format)?;
    let metadata = info.required("METADATA")?;
    let name = stated(&metadata, "Name", &named.name, |name| normalized(name) == named.name)?;
    let version = stated(&metadata, "Version", &named.version, |version| {
        version::same(version, &named.version)
    })?;
    let record = record::parse(&info.required("RECORD")?);
    let entry_points = info.optional("entry_points.txt")?.unwrap_or_default();
    let top_level = match info.optional("top_level.txt")? {
        Some(text) => text.split_whitespace().map(str::to_owned).collect(),
        None => importable(&listing.members),
    };
    Ok(Wheel {
        filename: filename.to_owned(),
        is_purelib: header(&format, "Root-Is-Purelib")
            .is_some_and(|value| value.eq_ignore_ascii_case("true")),
        entry_points: EntryPoints::parse(&entry_points)?,
        rows: first_rows(&record),
        members: listing.members,
        info_directory,
        newer_format,
        name,
        version,
        metadata,
        top_level,
        record,
        limits,
    })
}

/// The files in a wheel's `.dist-info`.
struct Info<'a> {
    bytes: &'a dyn ReadAt,
    members: &'a [Member],
    directory: &'a str,
    limits: &'a Limits,
}

impl Info<'_> {
    fn required(&self, name: &str) -> Result<String, WheelFault> {
        let path = format!("{}/{name}", self.directory);
        self.optional(name)?.ok_or(WheelFault::Missing(path))
    }

    fn optional(&self, name: &str) -> Result<Option<String>, WheelFault> {
        let path = format!("{}/{name}", self.directory);
        let Some(member) = self.members.iter().find(|member| member.name == path) else {
            return Ok(None);
        };
        let text = member.in_memory(self.bytes, self.limits)?;
        String::from_utf8(text).map(Some).map_err(|_| WheelFault::NotText(path))
    }
}

/// The one `.dist-info`, if its name begins with the distribution's: all that pip asks of it.
fn info_directory(roots: Vec<String>, name: &str) -> Result<String, WheelFault> {
    let mut found: Vec<String> =
        roots.into_iter().filter(|root| root.ends_with(".dist-info")).collect();
    match (found.pop(), found.is_empty()) {
        (Some(directory), true) if normalized(&directory).starts_with(name) => Ok(directory),
        (Some(found), true) => Err(WheelFault::InfoDirectory { found, name: name.to_owned() }),
        (last, _) => {
            found.extend(last);
            Err(WheelFault::InfoDirectories(found))
        }
    }
}

/// "A wheel installer should warn if Wheel-Version is greater than the version it supports, and
/// must fail if Wheel-Version has a greater major version" (PEP 427, "File contents").
fn newer_format(wheel: &str) -> Result<Option<String>, WheelFault> {
    let version = header(wheel, "Wheel-Version").unwrap_or_default().trim();
    let numbers = version.split('.').map(|number| number.parse().ok());
    match numbers.collect::<Option<Vec<u32>>>().as_deref() {
        Some([0, ..] | [1] | [1, 0]) => Ok(None),
        Some([1, ..]) => Ok(Some(version.to_owned())),
        _ => Err(WheelFault::WheelVersion(printable(version))),
    }
}

/// A field of `METADATA` that must agree with the file name.
fn stated(
    metadata: &str,
    field: &'static str,
    named: &str,
    agrees: impl FnOnce(&str) -> bool,
) -> Result<String, WheelFault> {
    let found = header(metadata, field).unwrap_or_default().trim();
    if agrees(found) {
        return Ok(found.to_owned());
    }
    Err(WheelFault::Metadata { field, found: printable(found), named: named.to_owned() })
}

/// The modules and packages at the top, as `importlib.metadata.packages_distributions` finds them.
fn importable(members: &[Member]) -> Vec<String> {
    let names = members.iter().filter_map(|member| match member.name.split_once('/') {
        Some((root, _)) => Some(root),
        None => {
            let (stem, _) = member.name.split_once('.')?;
            let is_module = member.name.ends_with(".py") || member.name.ends_with(".so");
            is_module.then_some(stem)
        }
    });
    let importable =
        |name: &&str| !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
    names.filter(importable).map(str::to_owned).collect::<BTreeSet<_>>().into_iter().collect()
}

fn first_rows(record: &[Row]) -> HashMap<String, usize> {
    let mut rows = HashMap::new();
    for (index, row) in record.iter().enumerate() {
        rows.entry(row.path.clone()).or_insert(index);
    }
    rows
}
