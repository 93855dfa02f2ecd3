//! What a wheel must be to fit: tags, and the environment that markers are about.

use oci::Platform;
use python::{Libc, Target, Version};
use uv_pep508::{MarkerEnvironment, MarkerEnvironmentBuilder};
use uv_platform_tags::{Arch, Os, Tags, TagsOptions};

use crate::ResolutionError;

/// A target as the resolver has it.
pub(crate) struct Environment {
    pub(crate) tags: Tags,
    pub(crate) markers: MarkerEnvironment,
    /// In words, for messages.
    pub(crate) described: String,
}

impl Environment {
    pub(crate) fn of(target: &Target) -> Result<Self, ResolutionError> {
        let unknown = || ResolutionError::UnknownPlatform { platform: name(&target.platform) };
        let processor = Processor::of(&target.platform).ok_or_else(unknown)?;
        let version = &target.interpreter.version;
        let minor = (version.major, version.minor);
        let options = TagsOptions {
            manylinux_compatible: true,
            gil_disabled: target.interpreter.free_threaded,
            debug_enabled: false,
            is_cross: true,
        };
        let platform = uv_platform_tags::Platform::new(system(target.libc), processor.arch);
        let tags = Tags::from_env(platform, minor, "cpython", minor, options);
        Ok(Environment {
            tags: tags.map_err(|_| unknown())?,
            markers: markers(version, processor.machine).ok_or_else(unknown)?,
            described: describe(target, processor.machine),
        })
    }
}

fn system(libc: Libc) -> Os {
    match libc {
        Libc::Glibc { major, minor } => Os::Manylinux { major, minor },
        Libc::Musl { major, minor } => Os::Musllinux { major, minor },
    }
}

/// A processor as wheels name it and as `platform.machine()` does.
struct Processor {
    arch: Arch,
    machine: &'static str,
}

impl Processor {
    fn of(platform: &Platform) -> Option<Self> {
        let platform = platform.normalized();
        if platform.os != "linux" {
            return None;
        }
        let (arch, machine) = match (platform.architecture.as_str(), platform.variant.as_deref()) {
            ("amd64", _) => (Arch::X86_64, "x86_64"),
            ("386", _) => (Arch::X86, "i686"),
            ("arm64", _) => (Arch::Aarch64, "aarch64"),
            ("arm", Some("v5")) => (Arch::Armv5TEL, "armv5tel"),
            ("arm", Some("v6")) => (Arch::Armv6L, "armv6l"),
            ("arm", _) => (Arch::Armv7L, "armv7l"),
            ("ppc64le", _) => (Arch::Powerpc64Le, "ppc64le"),
            ("riscv64", _) => (Arch::Riscv64, "riscv64"),
            ("s390x", _) => (Arch::S390X, "s390x"),
            ("loong64", _) => (Arch::LoongArch64, "loongarch64"),
            _ => return None,
        };
        Some(Processor { arch, machine })
    }
}

/// PEP 508, "Environment Markers". The kernel's release and version are not the image's: they are
/// empty, and what compares them gets the answer for the empty text.
fn markers(version: &Version, machine: &str) -> Option<MarkerEnvironment> {
    let full = version.full();
    let minor = format!("{}.{}", version.major, version.minor);
    MarkerEnvironment::try_from(MarkerEnvironmentBuilder {
        implementation_name: "cpython",
        implementation_version: &full,
        os_name: "posix",
        platform_machine: machine,
        platform_python_implementation: "CPython",
        platform_release: "",
        platform_system: "Linux",
        platform_version: "",
        python_full_version: &full,
        python_version: &minor,
        sys_platform: "linux",
    })
    .ok()
}

fn describe(target: &Target, machine: &str) -> String {
    let Version { major, minor, .. } = target.interpreter.version;
    let threading = if target.interpreter.free_threaded { " (free-threaded)" } else { "" };
    let libc = match target.libc {
        Libc::Glibc { major, minor } => format!("glibc {major}.{minor}"),
        Libc::Musl { major, minor } => format!("musl {major}.{minor}"),
    };
    format!("CPython {major}.{minor}{threading} on {machine} with {libc}")
}

fn name(platform: &Platform) -> String {
    let variant = platform.variant.as_deref().map(|variant| format!("/{variant}"));
    format!("{}/{}{}", platform.os, platform.architecture, variant.unwrap_or_default())
}
