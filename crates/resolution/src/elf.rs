//! Whether compiled code fits a target: its processor, and the symbols of the C library.

use std::fmt;

use oci::Platform;
use python::Libc;

/// Why a file does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Misfit {
    /// It is for another processor.
    Processor,
    /// It needs a newer glibc.
    Glibc {
        /// The version that it needs.
        needs: (u16, u16),
    },
    /// It is for glibc, and the target has musl, or the other way round.
    OtherLibc,
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Misfit::Processor => f.write_str("is for another processor"),
            Misfit::Glibc { needs: (major, minor) } => {
                write!(f, "needs the symbols of glibc {major}.{minor}")
            }
            Misfit::OtherLibc => f.write_str("is for another C library"),
        }
    }
}

/// Looks at a file of a wheel; what is not ELF fits.
///
/// Versions of symbols are found by their names, `GLIBC_2.34`, wherever these stand in the file: a
/// constant that looks like one counts, too, which errs on the safe side.
///
/// # Errors
/// Why it does not fit.
pub fn check_compiled(bytes: &[u8], platform: &Platform, libc: Libc) -> Result<(), Misfit> {
    if !bytes.starts_with(b"\x7fELF") {
        return Ok(());
    }
    if machine(bytes) != expected_machine(platform) {
        return Err(Misfit::Processor);
    }
    let needs = glibc_versions(bytes).max();
    match (libc, needs) {
        (Libc::Glibc { .. }, None) if holds(bytes, b"libc.musl-") => Err(Misfit::OtherLibc),
        (Libc::Glibc { major, minor }, Some(needs)) if needs > (major, minor) => {
            Err(Misfit::Glibc { needs })
        }
        (Libc::Musl { .. }, Some(_)) => Err(Misfit::OtherLibc),
        _ => Ok(()),
    }
}

/// `e_machine` (the ELF specification, "ELF Header"), in the byte order of `EI_DATA`.
fn machine(bytes: &[u8]) -> Option<u16> {
    let field = [*bytes.get(18)?, *bytes.get(19)?];
    match bytes.get(5)? {
        1 => Some(u16::from_le_bytes(field)),
        2 => Some(u16::from_be_bytes(field)),
        _ => None,
    }
}

fn expected_machine(platform: &Platform) -> Option<u16> {
    Some(match platform.normalized().architecture.as_str() {
        "386" => 3,
        "ppc64le" => 21,
        "s390x" => 22,
        "arm" => 40,
        "amd64" => 62,
        "arm64" => 183,
        "riscv64" => 243,
        "loong64" => 258,
        _ => return None,
    })
}

const GLIBC: &[u8] = b"GLIBC_";

fn glibc_versions(bytes: &[u8]) -> impl Iterator<Item = (u16, u16)> {
    let starts = bytes.windows(GLIBC.len()).enumerate().filter(|(_, window)| *window == GLIBC);
    starts.filter_map(|(start, _)| version(&bytes[start + GLIBC.len()..]))
}

/// `2.34` up to the NUL behind it; `2.2.5` counts as 2.2.
fn version(bytes: &[u8]) -> Option<(u16, u16)> {
    let end = bytes.iter().take(16).position(|byte| *byte == 0)?;
    let text = std::str::from_utf8(&bytes[..end]).ok()?;
    let mut parts = text.split('.').map(|part| part.parse().ok());
    Some((parts.next()??, parts.next()??))
}

fn holds(bytes: &[u8], word: &[u8]) -> bool {
    bytes.windows(word.len()).any(|window| window == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn elf(machine: u8, strings: &str) -> Vec<u8> {
        let mut bytes = b"\x7fELF\x02\x01\x01".to_vec();
        bytes.resize(18, 0);
        bytes.extend([machine, 0]);
        bytes.extend(strings.as_bytes());
        bytes
    }

    #[test]
    fn processors_and_symbols() {
        let glibc = |minor| Libc::Glibc { major: 2, minor };
        let musl = Libc::Musl { major: 1, minor: 2 };
        let check = |architecture, libc, bytes: &[u8]| {
            let checked = check_compiled(bytes, &Platform::linux(architecture), libc);
            checked.map_err(|misfit| misfit.to_string())
        };
        let new = elf(62, "\0GLIBC_2.2.5\0GLIBC_2.34\0GLIBC_PRIVATE\0");
        assert_eq!(check("amd64", glibc(36), &new), Ok(()));
        assert_eq!(check("amd64", glibc(34), &new), Ok(()));
        let error = |text: &str| Err(text.to_owned());
        assert_eq!(check("amd64", glibc(31), &new), error("needs the symbols of glibc 2.34"));
        assert_eq!(check("arm64", glibc(36), &new), error("is for another processor"));
        assert_eq!(check("amd64", musl, &new), error("is for another C library"));
        let other = elf(62, "\0libc.musl-x86_64.so.1\0");
        assert_eq!(check("amd64", glibc(36), &other), error("is for another C library"));
        assert_eq!(check("amd64", musl, &other), Ok(()));
        assert_eq!(check("arm64", musl, b"#!/bin/sh\n"), Ok(()));
        assert_eq!(check("arm64", musl, b"\x7fELF"), error("is for another processor"));
    }
}
