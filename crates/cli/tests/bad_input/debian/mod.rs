//! Debian packages that cannot be installed: archives that are not to be believed, packages that are
//! not what they say, and images that are no Debian.
//!
//! The base is a handful of files, the archive has a few packages and is signed in the test.

mod archives;
mod disk;
mod packages;
mod scripts;
mod toml;

use testbed::debian::{ArchiveKey, Publication, SmallArchive};

use crate::attempt::Attempt;

/// As long as the archive's real address, so that carets stay below what they point at.
const ARCHIVE: &str = "http://127.0.0.1:00000";
/// What the base has in it that is executable for whoever looks; nothing of it is.
const PROGRAMS: [&str; 9] =
    ["apt-cache", "apt-get", "cat", "dash", "dpkg", "make", "rm", "true", "update-mime-database"];
/// Every line of the tests begins so.
const UPDATE: &str = "RUN apt-get update && apt-get install -y";

/// A build on a small Debian, from a small archive.
pub(super) struct Debian {
    pub(super) attempt: Attempt,
    pub(super) archive: SmallArchive,
}

/// An archive with a program and its library.
pub(super) fn archive() -> SmallArchive {
    let mut archive = SmallArchive::start().unwrap();
    let hello = "Package: hello\nVersion: 1.0\nArchitecture: amd64\nDepends: libhello1 (>= 1.0)\n\
        Maintainer: Nobody <nobody@example.org>\nDescription: hello\n";
    archive.package(
        hello,
        &[
            ("./", b'5', "", b""),
            ("./usr/", b'5', "", b""),
            ("./usr/bin/", b'5', "", b""),
            ("./usr/bin/hello", b'0', "", b"hello\n"),
        ],
    );
    let library = "Package: libhello1\nVersion: 1.0\nArchitecture: amd64\n\
        Maintainer: Nobody <nobody@example.org>\nDescription: its library\n";
    archive.package(
        library,
        &[
            ("./", b'5', "", b""),
            ("./usr/", b'5', "", b""),
            ("./usr/lib/", b'5', "", b""),
            ("./usr/lib/hello", b'0', "", b"library\n"),
        ],
    );
    archive
}

/// A build that installs packages of an archive.
pub(super) fn install(archive: SmallArchive, packages: &str) -> Debian {
    Debian::published(archive, &format!("{UPDATE} {packages}"))
}

const OTHERS: &str = "Maintainer: Nobody <nobody@example.org>\nDescription: x\n";

/// A package's control file.
pub(super) fn control(name: &str, more: &str) -> String {
    format!("Package: {name}\nVersion: 1.0\nArchitecture: amd64\n{more}{OTHERS}")
}

/// The key that the base knows.
pub(super) fn key() -> ArchiveKey {
    ArchiveKey::of("archive")
}

impl Debian {
    /// A base that knows `archive`, and these lines behind it.
    pub(super) fn new(archive: SmallArchive, lines: &str) -> Self {
        let dockerfile = format!("FROM scratch\nCOPY --chmod=755 base /\n{lines}\n");
        let mut attempt = Attempt::of(&dockerfile);
        attempt.served = archive.packages();
        Debian { attempt, archive }.with_base()
    }

    /// The same with the archive published as usual.
    pub(super) fn published(archive: SmallArchive, lines: &str) -> Self {
        archive.publish(&Publication { fields: &[], key: Some(&key()) });
        Debian::new(archive, lines)
    }

    fn with_base(self) -> Self {
        let Debian { mut attempt, archive } = self;
        for name in PROGRAMS {
            attempt = attempt.file(&format!("base/usr/bin/{name}"), "nothing runs\n");
        }
        let source = format!("deb {} stable main\n", archive.address());
        let files = [
            ("usr/lib/none", ""),
            ("usr/sbin/none", ""),
            ("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n_apt:x:42:65534::/:/bin/false\n"),
            ("etc/group", "root:x:0:\n"),
            ("etc/apt/sources.list", &source),
            ("etc/apt/trusted.gpg.d/archive.asc", &key().public()),
            ("var/lib/dpkg/status", ""),
            ("var/lib/dpkg/info/format", "1\n"),
            ("tmp/none", ""),
        ];
        for (path, text) in files {
            attempt = attempt.file(&format!("base/{path}"), text);
        }
        for (name, target) in [("bin", "usr/bin"), ("lib", "usr/lib"), ("sbin", "usr/sbin")] {
            attempt = attempt.link(&format!("base/{name}"), target);
        }
        let attempt = attempt.link("base/usr/bin/sh", "dash");
        Debian { attempt, archive }
    }

    /// With a file of the base.
    pub(super) fn file(mut self, path: &str, text: &str) -> Self {
        self.attempt = self.attempt.file(path, text);
        self
    }

    /// Builds, which must fail: the exit code and all that was said. Nothing is left behind.
    #[track_caller]
    pub(super) fn refused(&self) -> String {
        self.shown(&self.attempt.refused(&[]))
    }

    /// With the archive's address as it is in every run, and no blanks at the ends of lines.
    pub(super) fn shown(&self, text: &str) -> String {
        let text = text.replace(&self.archive.host(), ARCHIVE);
        text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
    }

    /// Builds.
    #[track_caller]
    pub(super) fn built(&self) -> String {
        self.attempt.built(&[])
    }
}
