//! dpkg's own files, as its tools read and write them.

use bstr::{BStr, BString, ByteSlice};
use shell::files::{FileResult, Last};
use shell::{Process, Stop};

use super::failure::{Failure, Step, refused, said};
use super::place;

/// Where dpkg's database is: what an option says, or the environment.
pub(super) fn directory(process: &Process<'_, '_>, option: Option<&BStr>) -> Result<BString, Stop> {
    let environment = |name: &str| process.environment.get(&BString::from(name));
    if environment("DPKG_ROOT").is_some_and(|root| !root.is_empty() && root != "/") {
        return Err(refused(process, "works in another root directory"));
    }
    let named = option.map(BString::from).or_else(|| environment("DPKG_ADMINDIR").cloned());
    Ok(named.filter(|named| !named.is_empty()).unwrap_or_else(|| "/var/lib/dpkg".into()))
}

/// The lines of a file of the database; none if there is no such file.
pub(super) fn lines(process: &mut Process<'_, '_>, path: &BString) -> Step<Vec<BString>> {
    let bytes = place::read(process, path)?.unwrap_or_default();
    if !bytes.is_empty() && !bytes.ends_with(b"\n") {
        return Failure::error(format_args!("unexpected end of file in '{path}'"));
    }
    Ok(bytes.lines().map(BString::from).collect())
}

/// Writes a file of the database, and keeps the old one under its name with `-old`.
pub(super) fn write(
    process: &mut Process<'_, '_>,
    path: &BString,
    text: impl Into<Vec<u8>>,
) -> Step<()> {
    let written = keep_old(process, path);
    said(written, || format!("error creating new backup file '{path}-old'"))?;
    let written = place::replace(process, path, text, 0o644);
    said(written, || format!("unable to create new file '{path}-new'"))
}

fn keep_old(process: &mut Process<'_, '_>, path: &BString) -> FileResult<()> {
    let old = [&path[..], b"-old"].concat();
    place::remove(process, &old)?;
    if let (Ok((from, _)), to) = (process.find(path, Last::Kept), process.locate(&old, Last::Kept)?)
    {
        process.machine.files.rename(&from, &to.path)?;
    }
    Ok(())
}

/// `NAME: warning: …`.
pub(super) fn warn(
    process: &mut Process<'_, '_>,
    message: impl std::fmt::Display,
) -> Result<(), Stop> {
    process.complain(format_args!("warning: {message}"))
}
