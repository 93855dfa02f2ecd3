//! Debian's names of architectures (dpkg-architecture(1), dpkg's `cputable` and `tupletable`).

use bstr::ByteSlice;
use shell::process::errno;
use shell::{Process, Reason, Stop};

use super::paths;

/// Architectures that packages may be of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Architectures {
    /// What the image is of.
    pub native: &'static str,
    /// Others that were added, in order.
    pub foreign: Vec<Box<str>>,
}

/// Debian's name for what the image runs on.
///
/// # Errors
/// A platform that Debian has no one name for.
pub fn native(process: &Process<'_, '_>) -> Result<&'static str, Stop> {
    let platform = &process.machine.platform;
    Ok(match (platform.architecture.as_str(), platform.variant.as_deref()) {
        ("386", _) => "i386",
        ("amd64", _) => "amd64",
        ("arm", Some("v7")) => "armhf",
        ("arm", Some("v5" | "v6")) => "armel",
        ("arm64", _) => "arm64",
        ("mips64le", _) => "mips64el",
        ("ppc64le", _) => "ppc64el",
        ("riscv64", _) => "riscv64",
        ("s390x", _) => "s390x",
        (other, _) => {
            let why = format!("has a name of its own for {other}");
            return Err(process.refuse(Reason::Use(why)));
        }
    })
}

impl Architectures {
    /// Those of the image: its own, and what `/var/lib/dpkg/arch` lists.
    pub fn read(process: &mut Process<'_, '_>) -> Result<Self, Stop> {
        let native = native(process)?;
        let mut foreign: Vec<Box<str>> = Vec::new();
        if let Ok(bytes) = errno(process.open_bytes(paths::ARCHITECTURES))? {
            for line in bytes.lines().filter_map(|line| line.to_str().ok()).map(str::trim) {
                if !line.is_empty()
                    && line != native
                    && !foreign.iter().any(|known| **known == *line)
                {
                    foreign.push(line.into());
                }
            }
        }
        Ok(Architectures { native, foreign })
    }

    /// Whether packages of this architecture are at home here: the image's own, and `all`.
    pub fn is_native(&self, architecture: &str) -> bool {
        architecture == self.native || architecture == "all" || architecture.is_empty()
    }

    /// Whether packages of this architecture may be installed.
    pub fn is_known(&self, architecture: &str) -> bool {
        self.is_native(architecture) || self.foreign.iter().any(|known| **known == *architecture)
    }
}
