//! Which C library the image has, and how new it is: what `manylinux` and `musllinux` tags are
//! compared with (PEP 600, PEP 656).

use oci::{ImagePath, Platform};
use serde::{Deserialize, Serialize};

use super::databases::Databases;
use crate::View;
use crate::view::Known;

/// A C library and the version that a wheel's tag is compared with (PEP 600, PEP 656).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Libc {
    /// GNU's.
    Glibc {
        /// 2.
        major: u16,
        /// Such as 36.
        minor: u16,
    },
    /// musl.
    Musl {
        /// 1.
        major: u16,
        /// Such as 2.
        minor: u16,
    },
}

/// Finds the C library; `None` if there is none that is known.
///
/// The package manager is asked first: it knows which of two is the system's own, such as on an
/// Alpine with a layer of compatibility for the GNU library, or a Debian with the package `musl`.
pub(super) fn find(
    view: View<'_>,
    platform: &Platform,
    databases: &Databases,
) -> Known<Option<Libc>> {
    let packaged = |name: &str| databases.version(name).and_then(|version| numbers(&version));
    if let Some((major, minor)) = packaged("libc6").or_else(|| packaged("glibc")) {
        return Ok(Some(Libc::Glibc { major, minor }));
    }
    if let Some((major, minor)) = packaged("musl") {
        return Ok(Some(Libc::Musl { major, minor }));
    }
    match gnu(view, platform)? {
        Some(found) => Ok(Some(found)),
        None => musl(view),
    }
}

/// Looks into the library itself, which says `GNU C Library (…) stable release version 2.36.`
fn gnu(view: View<'_>, platform: &Platform) -> Known<Option<Libc>> {
    let of_platform =
        multiarch(platform).map(|triple| [format!("lib/{triple}"), format!("usr/lib/{triple}")]);
    let directories = of_platform.into_iter().flatten();
    let directories =
        directories.chain(["lib64", "usr/lib64", "lib", "usr/lib"].map(str::to_owned));
    for directory in directories {
        let Some((path, _)) = view.file(&ImagePath::lexical(&directory).join("libc.so.6"))? else {
            continue;
        };
        // Up to 2.33 this is a link to a file that has the version in its name.
        let named = path.file_name().and_then(|name| std::str::from_utf8(name).ok());
        let named = named.and_then(|name| numbers(name.strip_prefix("libc-")?));
        let version = match named {
            Some(version) => Some(version),
            None => view.bytes(&path)?.and_then(release_of_gnu),
        };
        if let Some((major, minor)) = version {
            return Ok(Some(Libc::Glibc { major, minor }));
        }
    }
    Ok(None)
}

/// musl is its own dynamic linker, which has its version in it as a string of its own.
fn musl(view: View<'_>) -> Known<Option<Libc>> {
    let directory = ImagePath::lexical("lib");
    let names = view.names(&directory)?;
    let is_linker = |name: &&Vec<u8>| name.starts_with(b"ld-musl-") && name.ends_with(b".so.1");
    let Some(linker) = names.keys().find(is_linker) else { return Ok(None) };
    let bytes = view.bytes(&directory.join(linker))?;
    let version = bytes.and_then(release_of_musl);
    Ok(version.map(|(major, minor)| Libc::Musl { major, minor }))
}

/// The directory of libraries on Debian for one processor ("Multiarch/Tuples").
fn multiarch(platform: &Platform) -> Option<&'static str> {
    let platform = platform.normalized();
    Some(match (platform.architecture.as_str(), platform.variant.as_deref()) {
        ("amd64", _) => "x86_64-linux-gnu",
        ("arm64", _) => "aarch64-linux-gnu",
        ("arm", Some("v5" | "v6")) => "arm-linux-gnueabi",
        ("arm", _) => "arm-linux-gnueabihf",
        ("386", _) => "i386-linux-gnu",
        ("riscv64", _) => "riscv64-linux-gnu",
        ("s390x", _) => "s390x-linux-gnu",
        ("ppc64le", _) => "powerpc64le-linux-gnu",
        ("loong64", _) => "loongarch64-linux-gnu",
        _ => return None,
    })
}

fn release_of_gnu(library: &[u8]) -> Option<(u16, u16)> {
    let banner = after(library, b"GNU C Library (")?;
    let version = after(&banner[..banner.len().min(200)], b"release version ")?;
    numbers(&String::from_utf8_lossy(&version[..version.len().min(16)]))
}

fn release_of_musl(linker: &[u8]) -> Option<(u16, u16)> {
    let strings = linker.split(|byte| *byte == 0).filter(|string| string.starts_with(b"1."));
    strings.filter_map(|string| std::str::from_utf8(string).ok()).find_map(|string| {
        let is_version = string.split('.').count() == 3
            && string
                .split('.')
                .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
        numbers(string).filter(|_| is_version)
    })
}

/// What comes behind the first `needle`.
fn after<'a>(haystack: &'a [u8], needle: &[u8]) -> Option<&'a [u8]> {
    let at = haystack.windows(needle.len()).position(|window| window == needle)?;
    Some(&haystack[at + needle.len()..])
}

/// The first two numbers of a version.
fn numbers(version: &str) -> Option<(u16, u16)> {
    let (major, rest) = version.split_once('.')?;
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    Some((major.parse().ok()?, rest[..end].parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_say_their_version() {
        let library = b"\x7fELF\0GNU C Library (Debian GLIBC 2.36-9+deb12u10) stable release version 2.36.\nCopyright\0";
        assert_eq!(release_of_gnu(library), Some((2, 36)));
        let library = b"GNU C Library (GNU libc) development release version 2.42.9000.\n";
        assert_eq!(release_of_gnu(library), Some((2, 42)));
        assert_eq!(release_of_gnu(b"GNU C Library (without an end"), None);
        assert_eq!(release_of_gnu(b""), None);
        let linker = b"\x7fELF\x001.x\x001.5\x00musl libc (x86_64)\nVersion %s\n\x001.2.5\x00";
        assert_eq!(release_of_musl(linker), Some((1, 2)));
        assert_eq!(release_of_musl(b"1.\x001..\x00"), None);
    }
}
