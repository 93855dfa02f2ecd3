//! `md5sum`, `sha1sum`, `sha256sum` and their like: digests of files, made and checked.

mod check;

use bstr::{BStr, BString, ByteSlice};
use sha2::Digest as _;

use super::busybox::options;
use super::input::{open, or_input};
use crate::data::Data;
use crate::options::{Known, Options, Order, Takes, flag, long};
use crate::process::{Process, Run};
use crate::programs::quoting::bare;
use crate::stop::{Reason, Stop};

const KNOWN: &[Known] = &[
    flag("-b", 'b', &["binary"]),
    flag("-c", 'c', &["check"]),
    flag("-t", 't', &["text"]),
    flag("-w", 'w', &["warn"]),
    flag("-z", 'z', &["zero"]),
    long("--tag", &["tag"], Takes::Nothing),
    long("--quiet", &["quiet"], Takes::Nothing),
    long("--status", &["status"], Takes::Nothing),
    long("--strict", &["strict"], Takes::Nothing),
    long("--ignore-missing", &["ignore-missing"], Takes::Nothing),
];

/// A way to make a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Algorithm {
    Md5,
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

/// The program of one of the algorithms.
pub(super) fn checksum(process: &mut Process<'_, '_>) -> Run {
    let algorithm = match process.name().as_bytes() {
        b"md5sum" => Algorithm::Md5,
        b"sha1sum" => Algorithm::Sha1,
        b"sha224sum" => Algorithm::Sha224,
        b"sha256sum" => Algorithm::Sha256,
        b"sha384sum" => Algorithm::Sha384,
        b"sha512sum" => Algorithm::Sha512,
        _ => return Err(process.refuse(Reason::Program)),
    };
    let options = options(process, KNOWN, Order::Anywhere)?;
    if let Some(message) = contradiction(&options) {
        process.complain(message)?;
        let hint = format!("Try '{} --help' for more information.\n", process.name());
        process.write_to(2, hint.as_bytes())?;
        return Ok(1);
    }
    let names = or_input(&options.operands);
    if options.has("-c") {
        return check::check(process, algorithm, &options, &names);
    }
    make(process, algorithm, &options, &names)
}

/// Options that go together only with others.
fn contradiction(options: &Options) -> Option<String> {
    let has = |id: &str| options.has(id);
    if has("--tag") && options.last_of(&["-t", "-b", "--tag"]) == Some("-t") {
        return Some("--tag does not support --text mode".to_owned());
    }
    if has("-z") && has("-c") {
        return Some("the --zero option is not supported when verifying checksums".to_owned());
    }
    if has("--tag") && has("-c") {
        return Some("the --tag option is meaningless when verifying checksums".to_owned());
    }
    if (has("-b") || has("-t")) && has("-c") {
        let which = "the --binary and --text options are meaningless when verifying checksums";
        return Some(which.to_owned());
    }
    let only_checks = ["--ignore-missing", "--status", "-w", "--quiet", "--strict"];
    let given = only_checks.into_iter().find(|id| has(id) && !has("-c"))?;
    let given = if given == "-w" { "--warn" } else { given };
    Some(format!("the {given} option is meaningful only when verifying checksums"))
}

fn make(
    process: &mut Process<'_, '_>,
    algorithm: Algorithm,
    options: &Options,
    names: &[BString],
) -> Run {
    let mut status = 0;
    for name in names {
        let data = match open(process, name)? {
            Ok(data) => data,
            Err(errno) => {
                process.complain(format!("{}: {errno}", bare(name)))?;
                status = 1;
                continue;
            }
        };
        let digest = algorithm.digest(process, &data)?;
        let (escape, shown) = match options.has("-z") {
            true => ("", name.to_vec()),
            false => escaped(name),
        };
        let mut line = escape.as_bytes().to_vec();
        if options.has("--tag") {
            line.extend([algorithm.tag().as_bytes(), b" (", &shown, b") = "].concat());
            line.extend(digest.bytes());
        } else {
            let mark = if options.last_of(&["-b", "-t"]) == Some("-b") { b" *" } else { b"  " };
            line.extend([digest.as_bytes(), mark, &shown].concat());
        }
        line.push(if options.has("-z") { 0 } else { b'\n' });
        process.write(line)?;
    }
    Ok(status)
}

/// A name on one line, and the mark before the line if that took a backslash.
fn escaped(name: &[u8]) -> (&'static str, Vec<u8>) {
    if !name.iter().any(|byte| matches!(byte, b'\\' | b'\n' | b'\r')) {
        return ("", name.to_vec());
    }
    let shown = name.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r");
    ("\\", shown)
}

impl Algorithm {
    /// As `--tag` and messages call it.
    fn tag(self) -> &'static str {
        match self {
            Algorithm::Md5 => "MD5",
            Algorithm::Sha1 => "SHA1",
            Algorithm::Sha224 => "SHA224",
            Algorithm::Sha256 => "SHA256",
            Algorithm::Sha384 => "SHA384",
            Algorithm::Sha512 => "SHA512",
        }
    }

    /// How many digits a digest has.
    fn digits(self) -> usize {
        match self {
            Algorithm::Md5 => 32,
            Algorithm::Sha1 => 40,
            Algorithm::Sha224 => 56,
            Algorithm::Sha256 => 64,
            Algorithm::Sha384 => 96,
            Algorithm::Sha512 => 128,
        }
    }

    /// The digest in hexadecimal digits. SHA-256 names bytes, so they need not be looked at.
    fn digest(self, process: &mut Process<'_, '_>, data: &Data) -> Result<String, Stop> {
        if self == Algorithm::Sha256 {
            return Ok(data.content().digest.hex());
        }
        let bytes = process.bytes(data)?;
        Ok(match self {
            Algorithm::Md5 => hex::encode(md5::Md5::digest(&bytes)),
            Algorithm::Sha1 => hex::encode(sha1::Sha1::digest(&bytes)),
            Algorithm::Sha224 => hex::encode(sha2::Sha224::digest(&bytes)),
            Algorithm::Sha256 => hex::encode(sha2::Sha256::digest(&bytes)),
            Algorithm::Sha384 => hex::encode(sha2::Sha384::digest(&bytes)),
            Algorithm::Sha512 => hex::encode(sha2::Sha512::digest(&bytes)),
        })
    }
}

/// The name of an input in messages.
fn called(name: &BStr) -> String {
    if name == "-" { "'standard input'".to_owned() } else { bare(name) }
}

#[cfg(test)]
mod tests;
