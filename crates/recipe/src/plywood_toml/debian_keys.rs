//! The keys of `[debian]`.

use super::key::{Key, Kind};

pub(super) const DEBIAN: &[Key] = &[
    Key {
        name: "packages",
        kind: Kind::Texts,
        default: "none; they must be given, unless there is a `variant`",
        description: "Packages, as `apt-get install` takes them: a name, with a version \
            (`libpq5=15.*`), a suite (`git/bookworm-backports`) or an architecture (`libc6:i386`).",
        example: "packages = [\"ca-certificates\", \"libpq5=15.*\"]",
    },
    Key {
        name: "recommends",
        kind: Kind::Flag,
        default: "`false`",
        description: "Whether what packages recommend is installed, too, as apt does by default.",
        example: "recommends = true",
    },
    Key {
        name: "variant",
        kind: Kind::Choice(&["custom", "essential", "minbase"]),
        default: "`\"custom\"`",
        description: "What an image on `scratch` has beside `packages`: what they need and no more \
            (there may be no shell then), what Debian calls essential, or that with apt, which is \
            what `debootstrap --variant=minbase` makes.",
        example: "variant = \"minbase\"",
    },
    Key {
        name: "sources",
        kind: Kind::Texts,
        default: "those of the image; on `scratch` those of this machine, if it has apt",
        description: "The addresses of archives, in the place of the image's. An image keeps its own \
            for later. One on `scratch` that has apt is left these, a line for each in \
            `/etc/apt/sources.list`, with the `keys`, and without logins and `snapshot`; of this \
            machine's sources, the files as they are, without logins.",
        example: "sources = [\"https://packages.example/debian\"]\nsuites = [\"bookworm\"]",
    },
    Key {
        name: "suites",
        kind: Kind::Texts,
        default: "none; with `sources` they must be given",
        description: "The suites of `sources`.",
        example: "sources = [\"https://packages.example/debian\"]\nsuites = [\"bookworm\", \"bookworm-updates\"]",
    },
    Key {
        name: "components",
        kind: Kind::Texts,
        default: "`[\"main\"]`",
        description: "The components of `sources`.",
        example: "sources = [\"https://packages.example/debian\"]\nsuites = [\"bookworm\"]\ncomponents = [\"main\", \"contrib\"]",
    },
    Key {
        name: "keys",
        kind: Kind::Texts,
        default: "those of the image; on `scratch` those of this machine, which the image does not keep",
        description: "Files of the context with the keys that sign `sources`, binary or armoured.",
        example: "sources = [\"https://packages.example/debian\"]\nsuites = [\"bookworm\"]\nkeys = [\"keys/packages.asc\"]",
    },
    Key {
        name: "snapshot",
        kind: Kind::Moment,
        default: "none",
        description: "Takes the archives of `sources` as they were at that time; a date is the end of \
            that day. An archive says itself where its snapshots are (`Snapshots` in its `Release`); \
            for one that does not, `@SNAPSHOTID@` stands in the address of its snapshots for the \
            time, as `20261101T000000Z`. Lists that have expired since are taken all the same.",
        example: "sources = [\"https://snapshots.example/debian/@SNAPSHOTID@\"]\nsuites = [\"bookworm\"]\nsnapshot = 2026-11-01T00:00:00Z",
    },
    Key {
        name: "preferences",
        kind: Kind::Texts,
        default: "the image's",
        description: "Files of the context with pins, as apt_preferences(5) has them.",
        example: "preferences = [\"apt/backports.pref\"]",
    },
    Key {
        name: "scripts",
        kind: Kind::TextOrTexts,
        default: "all are evaluated",
        description: "`skip:PACKAGE` leaves out the maintainer scripts of a package, where they do \
            what cannot be evaluated and the image does without.",
        example: "scripts = \"skip:postgresql-15\"",
    },
    Key {
        name: "max-layers",
        kind: Kind::Count(super::MAX_LAYERS),
        default: "60, or four more than there are without packages",
        description: "The most layers that the image may have, as in `[python]`.",
        example: "max-layers = 40",
    },
];
