//! `control.tar`: what a package says of itself, and its maintainer's scripts.

use std::io::Read;
use std::sync::Arc;

use bstr::{BString, ByteSlice};
use layer::TarMembers;

use super::{ControlFile, DebError};
use crate::control::Stanza;

/// All control files together; the largest of Debian are lists of checksums with 5 MiB.
const MOST_BYTES: u64 = 64 << 20;
/// There are some twenty kinds of them.
const MOST_FILES: u64 = 1000;

/// Reads `control` and what is beside it.
pub(super) fn read(
    mut tar: TarMembers<impl Read>,
    name: &str,
) -> Result<(Stanza, Vec<ControlFile>), DebError> {
    let (mut files, mut bytes_left) = (Vec::<ControlFile>::new(), MOST_BYTES);
    while let Some(member) = tar.next().map_err(|error| DebError::of_tar(name, error))? {
        let name_of_file = member.name.strip_prefix(b"./").unwrap_or(&member.name);
        if member.kind == b'5' && matches!(name_of_file, b"" | b"." | b"/") {
            continue;
        }
        let refuse =
            |problem| DebError::ControlFile { name: member.name.as_bstr().to_string(), problem };
        if member.kind != b'0' {
            return Err(refuse("is no regular file"));
        }
        if name_of_file.is_empty() || !name_of_file.iter().all(|byte| is_plain(*byte)) {
            return Err(refuse("has a name that no control file has"));
        }
        if files.iter().any(|file| file.name == name_of_file) {
            return Err(refuse("is there twice"));
        }
        if files.len() as u64 == MOST_FILES {
            return Err(DebError::Limit { what: "control files", allowed: MOST_FILES });
        }
        let (name_of_file, mode) = (BString::from(name_of_file), member.mode);
        let mtime = member.mtime;
        bytes_left = bytes_left
            .checked_sub(member.size)
            .ok_or(DebError::Limit { what: "bytes of control files", allowed: MOST_BYTES })?;
        let bytes = content(&mut tar, name)?;
        files.push(ControlFile { name: name_of_file, mode, mtime, bytes: Arc::from(bytes) });
    }
    tar.finish().map_err(|error| DebError::of_tar(name, error))?;
    let at = files.iter().position(|file| file.name == "control");
    let at = at.ok_or_else(|| DebError::ControlFile {
        name: "control".to_owned(),
        problem: "is not there",
    })?;
    let control = files.remove(at);
    Ok((stanza(&control.bytes)?, files))
}

fn content(tar: &mut TarMembers<impl Read>, name: &str) -> Result<Vec<u8>, DebError> {
    let (mut bytes, mut buffer) = (Vec::new(), [0; 16 << 10]);
    loop {
        match tar.read(&mut buffer).map_err(|error| DebError::of_tar(name, error))? {
            0 => return Ok(bytes),
            read => bytes.extend_from_slice(&buffer[..read]),
        }
    }
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'+' | b'-' | b'_')
}

/// The one stanza of `control`, with fields that can be relied on.
fn stanza(text: &[u8]) -> Result<Stanza, DebError> {
    let mut stanzas = Stanza::parse_all(text)?;
    let (Some(stanza), true) = (stanzas.pop(), stanzas.is_empty()) else {
        return Err(DebError::Stanzas(Stanza::parse_all(text)?.len()));
    };
    check(&stanza, "Package", package_problem)?;
    check(&stanza, "Version", version_problem)?;
    check(&stanza, "Architecture", architecture_problem)?;
    Ok(stanza)
}

fn check(
    stanza: &Stanza,
    field: &'static str,
    problem: impl Fn(&str) -> Option<&'static str>,
) -> Result<(), DebError> {
    let value = stanza.get(field).ok_or(DebError::NoField(field))?;
    let problem = match value.to_str() {
        Ok(text) => problem(text.trim()),
        Err(_) => Some("is not UTF-8 text"),
    };
    match problem {
        Some(problem) => Err(DebError::Field { field, value: value.to_string(), problem }),
        None => Ok(()),
    }
}

/// Debian Policy 5.6.1. dpkg also lets `_` pass.
fn package_problem(name: &str) -> Option<&'static str> {
    let is_allowed = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.')
    };
    if name.len() < 2 || name.len() > 200 {
        return Some("has a length that no package's name has");
    }
    if !name.as_bytes()[0].is_ascii_alphanumeric() {
        return Some("begins with neither a letter nor a digit");
    }
    let fits = name.bytes().all(|byte| is_allowed(byte) || byte == b'_');
    (!fits).then_some("has characters that no package's name has")
}

/// deb-version(7). The upstream version may lack the digit that it should begin with, as for dpkg.
fn version_problem(version: &str) -> Option<&'static str> {
    let (epoch, rest) = match version.split_once(':') {
        Some((epoch, rest)) => (Some(epoch), rest),
        None => (None, version),
    };
    let is_epoch =
        |epoch: &str| epoch.parse::<i32>().is_ok() && epoch.bytes().all(|b| b.is_ascii_digit());
    if epoch.is_some_and(|epoch| !is_epoch(epoch)) {
        return Some("has an epoch that is no number");
    }
    let (upstream, revision) = rest.rsplit_once('-').unwrap_or((rest, "0"));
    if upstream.is_empty() || revision.is_empty() {
        return Some("has an empty part");
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'+' | b'~');
    let fits = upstream.bytes().all(|byte| plain(byte) || matches!(byte, b'-' | b':'))
        && revision.bytes().all(plain);
    (!fits).then_some("has characters that no version has")
}

/// Debian Policy 5.6.8.
fn architecture_problem(name: &str) -> Option<&'static str> {
    let fits = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && name.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric());
    (!fits).then_some("is no architecture")
}
