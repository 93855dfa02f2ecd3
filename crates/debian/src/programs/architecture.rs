//! The image's own architecture, as Debian calls it.

use shell::{Process, Stop};

use super::failure::refused;

/// Debian's name for the platform (dpkg's `cputable` and `tupletable`).
pub(crate) fn native(process: &Process<'_, '_>) -> Result<&'static str, Stop> {
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
        (other, _) => return Err(refused(process, format!("has no name for {other}"))),
    })
}
