//! Paths at which an image may differ from what apt leaves, each with the reason.

use testbed::debian::Allowed::{Attributes, Content, Missing};
use testbed::debian::Excuse;

/// Everything else has to be the same: kind, mode, owner, bytes, link, attributes, hard links, and
/// every time that is older than the run.
pub(super) const EXCUSES: &[Excuse] = &[
    Excuse {
        paths: &[
            "var/log/alternatives.log",
            "var/log/apt/**",
            "var/log/dpkg.log",
            "var/log/fontconfig.log",
        ],
        allows: Missing,
        why: "logs tell the minute of a run, so that no image would be the same twice",
    },
    Excuse {
        paths: &["var/cache/ldconfig", "var/cache/ldconfig/aux-cache"],
        allows: Missing,
        why: "ldconfig notes inode numbers and times of this one machine there, to be quicker next time",
    },
    Excuse {
        paths: &[
            "var/lib/dpkg/status-old",
            "var/lib/dpkg/diversions-old",
            "var/lib/dpkg/statoverride-old",
        ],
        allows: Missing,
        why: "dpkg's copy of what was before, for a crash in the middle of writing",
    },
    Excuse {
        paths: &["var/lib/dpkg/status-old", "var/cache/debconf/*.dat-old"],
        allows: Content,
        why: "copies of the state before the last of many writes, which no program reads",
    },
    Excuse {
        paths: &["var/cache/debconf/*.dat-old"],
        allows: Missing,
        why: "debconf's copy of what was before the last of its writes, which no program reads",
    },
    Excuse {
        paths: &["usr/**/__pycache__", "usr/**/__pycache__/*.pyc"],
        allows: Missing,
        why: "bytecode is written by running the image's own Python, which makes it again if it is not there",
    },
    Excuse {
        paths: &["etc/machine-id", "var/lib/dbus/machine-id"],
        allows: Missing,
        why: "a random number that machines are told apart by must not be the same in all of an image's containers",
    },
    Excuse {
        paths: &["var/cache/man/**"],
        allows: Missing,
        why: "mandb's index for apropos holds times, and its timer makes it anew",
    },
    Excuse {
        paths: &["var/cache/fontconfig/**", "usr/share/fonts/**/.uuid"],
        allows: Missing,
        why: "fontconfig's cache is of this machine's times, and is made again when a font is looked for",
    },
    Excuse {
        paths: &["etc/ssl/certs/java/cacerts"],
        allows: Content,
        why: "the keystore's entries carry the time at which they were added",
    },
    Excuse {
        paths: &["var/cache/ldconfig/aux-cache"],
        allows: Content,
        why: "ldconfig notes inode numbers and times of this one machine there, to be quicker next time",
    },
    Excuse {
        paths: &["usr/share/mime/**"],
        allows: Missing,
        why: "an index of what packages say of types of files, which desktops read (docs/skipped-calls.md)",
    },
    Excuse {
        paths: &["usr/lib/*/gdk-pixbuf-2.0/2.10.0/loaders.cache", "var/log/fontconfig.log"],
        allows: Content,
        why: "what programs of the image say when they run, which they do not (docs/skipped-calls.md)",
    },
    Excuse {
        paths: &["var/lib/systemd/catalog", "var/lib/systemd/catalog/database"],
        allows: Missing,
        why: "explanations of log messages, which systemd puts together when it boots (docs/skipped-calls.md)",
    },
    Excuse {
        paths: &["var/log/journal"],
        allows: Attributes,
        why: "an access list for a journal that nothing writes to; systemd sets it again when it boots",
    },
    Excuse {
        paths: &["var/lib/binfmts/*"],
        allows: Missing,
        why: "what a kernel is told of kinds of programs: a container's is its host's (docs/skipped-calls.md)",
    },
    Excuse {
        paths: &["etc/hosts"],
        allows: Missing,
        why: "a container's runtime mounts its own there, as builders do while a line runs",
    },
    Excuse {
        paths: &["tmp/hsperfdata_root"],
        allows: Missing,
        why: "where a Java that runs puts its figures while it runs",
    },
];
