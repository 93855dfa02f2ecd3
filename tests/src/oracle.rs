//! The programs that judge plywood's output, and the Debian packages that they come in.

use std::path::PathBuf;

/// A program that others wrote and that has the last word in a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Oracle {
    /// The program's name, as it is looked for in `PATH`.
    pub program: &'static str,
    /// The Debian package that holds it.
    pub package: &'static str,
    /// What it is asked.
    pub judges: &'static str,
}

/// All of them, by program name.
pub const ORACLES: &[Oracle] = &[
    oracle("apt-get", "apt", "what installing packages leaves, and where archives are"),
    oracle("buildah", "buildah", "what a Dockerfile means"),
    oracle("bzip2", "bzip2", "archives that ADD unpacks"),
    oracle("chroot", "coreutils", "what a base's own programs say"),
    oracle("crun", "crun", "whether the image runs"),
    oracle("debootstrap", "debootstrap", "makes the Debian base image"),
    oracle("docker-registry", "docker-registry", "what the wire carries"),
    oracle("dpkg-deb", "dpkg", "what is in a package"),
    oracle("git", "git", "contexts that are checkouts"),
    oracle("gpgv", "gpgv", "whether a text is signed"),
    oracle("gzip", "gzip", "layers as a stream"),
    oracle("htpasswd", "apache2-utils", "registries that ask for a password"),
    oracle("ldconfig", "libc-bin", "what the loader's cache holds"),
    oracle("nginx", "nginx", "client certificates, and bodies that are too long"),
    oracle("openssl", "openssl", "certificates and signatures"),
    oracle("pigz", "pigz", "the speed to beat"),
    oracle("python3", "python3", "layers as tar files"),
    oracle("setpriv", "util-linux", "builds by another user"),
    oracle("skopeo", "skopeo", "manifests, configs and digests"),
    oracle("strace", "strace", "which files of the machine an evaluation touches"),
    oracle("tar", "tar", "layers as tar files"),
    oracle("taskset", "util-linux", "builds on one processor"),
    oracle("time", "time", "how much memory a build takes"),
    oracle("umoci", "umoci", "the tree in an image"),
    oracle("unshare", "util-linux", "a mount namespace for crun"),
    oracle("xz", "xz-utils", "archives that ADD unpacks"),
    oracle("zstd", "zstd", "layers in zstd"),
];

/// Needed by some tests beside the programs: unpacking owners and running images.
pub const ROOT: &str = "root";

/// Needed by tests of Python layers: a [`Cpython`](crate::Cpython), which no package brings.
pub const CPYTHON: &str = "cpython3.11";

const fn oracle(program: &'static str, package: &'static str, judges: &'static str) -> Oracle {
    Oracle { program, package, judges }
}

impl Oracle {
    /// The oracle of this name.
    pub fn named(program: &str) -> Option<&'static Oracle> {
        ORACLES.iter().find(|oracle| oracle.program == program)
    }

    /// Where the program is. Debian keeps administrators' tools out of a user's `PATH`.
    pub fn path(&self) -> Option<PathBuf> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path)
            .chain(["/usr/sbin".into(), "/sbin".into()])
            .map(|directory| directory.join(self.program))
            .find(|candidate| candidate.is_file())
    }

    /// Whether the program is on this machine.
    pub fn present(&self) -> bool {
        self.path().is_some()
    }
}

/// Whether this process may give files away and mount.
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_is_sorted_and_findable() {
        assert!(ORACLES.is_sorted_by_key(|oracle| oracle.program));
        assert_eq!(Oracle::named("htpasswd").map(|oracle| oracle.package), Some("apache2-utils"));
        assert_eq!(Oracle::named("docker"), None);
    }
}
