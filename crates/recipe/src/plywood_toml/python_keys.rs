//! The keys of `[python]`.

use super::key::{Key, Kind};

pub(super) const PYTHON: &[Key] = &[
    Key {
        name: "requirements",
        kind: Kind::Texts,
        default: "none",
        description: "Requirements, each as a line of a requirements file, but without options: \
            `NAME==VERSION`, with extras, markers and `--hash`, `NAME @ URL`, or the path of a \
            wheel in the context.",
        example: "requirements = [\"flask==3.1.2\", \"uvicorn[standard]>=0.30; python_version > '3.9'\"]",
    },
    Key {
        name: "requirements-files",
        kind: Kind::Texts,
        default: "none",
        description: "Requirements files in the context, in pip's format.",
        example: "requirements-files = [\"requirements.txt\"]",
    },
    Key {
        name: "project",
        kind: Kind::Text,
        default: "none",
        description: "The directory of a `pyproject.toml`, whose dependencies are installed. The \
            project itself is not: its files are copied with `[[files]]`.",
        example: "project = \".\"",
    },
    Key {
        name: "extras",
        kind: Kind::Texts,
        default: "none",
        description: "Extras of the `project` or of the `lock`.",
        example: "project = \".\"\nextras = [\"postgres\"]",
    },
    Key {
        name: "groups",
        kind: Kind::Texts,
        default: "none",
        description: "Dependency groups of the `project` or of the `lock`.",
        example: "project = \".\"\ngroups = [\"serve\"]",
    },
    Key {
        name: "lock",
        kind: Kind::Text,
        default: "none",
        description: "A lock file: `uv.lock`, `pylock.toml` or `pylock.NAME.toml`. It says all, \
            so nothing is resolved, no index is asked what there is, and there are no other \
            requirements beside it. `project` names the project in it, if that is not the one in \
            the lock's directory.",
        example: "lock = \"uv.lock\"\ngroups = [\"serve\"]",
    },
    Key {
        name: "constraints",
        kind: Kind::Texts,
        default: "none",
        description: "What holds for a package if anything asks for it, written as requirements.",
        example: "requirements = [\"pandas\"]\nconstraints = [\"numpy<3\"]",
    },
    Key {
        name: "constraint-files",
        kind: Kind::Texts,
        default: "none",
        description: "Files of constraints: pip's `-c`.",
        example: "requirements = [\"pandas\"]\nconstraint-files = [\"constraints.txt\"]",
    },
    Key {
        name: "overrides",
        kind: Kind::Texts,
        default: "none",
        description: "Requirements that take the place of all that others say of the same package.",
        example: "requirements = [\"apache-beam\"]\noverrides = [\"dill==0.3.9\"]",
    },
    Key {
        name: "override-files",
        kind: Kind::Texts,
        default: "none",
        description: "Files of overrides.",
        example: "requirements = [\"apache-beam\"]\noverride-files = [\"overrides.txt\"]",
    },
    Key {
        name: "index-url",
        kind: Kind::Text,
        default: "the default index",
        description: "The package index. Credentials belong into `.netrc`, the environment or a \
            template such as `{env.INDEX_PASSWORD}`; they are shown nowhere and do not get into \
            the image.",
        example: "index-url = \"https://packages.example/simple\"",
    },
    Key {
        name: "extra-index-urls",
        kind: Kind::Texts,
        default: "none",
        description: "Further indexes. As in pip, all are equal: whoever can publish to any of \
            them can take over a package of any.",
        example: "extra-index-urls = [\"https://packages.example/simple\"]",
    },
    Key {
        name: "no-index",
        kind: Kind::Flag,
        default: "`false`",
        description: "Whether no index is asked, and everything comes from `find-links` and paths.",
        example: "no-index = true\nfind-links = [\"wheels\"]",
    },
    Key {
        name: "find-links",
        kind: Kind::Texts,
        default: "none",
        description: "Where wheels are beside the indexes: directories of the context, or URLs of \
            pages with links.",
        example: "find-links = [\"wheels\", \"https://packages.example/wheels.html\"]",
    },
    Key {
        name: "exclude-newer",
        kind: Kind::Moment,
        default: "none",
        description: "Takes nothing that was uploaded later: a date (the end of that day, UTC), or \
            a time with an offset. So a list without pins resolves to the same set tomorrow.",
        example: "exclude-newer = 2026-11-01T00:00:00Z",
    },
    Key {
        name: "prereleases",
        kind: Kind::Choice(&["if-necessary", "allow", "disallow"]),
        default: "`\"if-necessary\"`",
        description: "Whether pre-releases count. `if-necessary` is as pip has it: where a \
            requirement names one, or where there is nothing else.",
        example: "prereleases = \"allow\"",
    },
    Key {
        name: "no-binary",
        kind: Kind::Texts,
        default: "none",
        description: "Packages of which no wheel of an index is taken. They have to be built, so it \
            wants `build = \"host\"`.",
        example: "no-binary = [\"psycopg2\"]\nbuild = \"host\"",
    },
    Key {
        name: "only-binary",
        kind: Kind::Texts,
        default: "none; with `build = \"refuse\"` it is all of them",
        description: "Packages of which nothing but a wheel is taken; `:all:` for every one.",
        example: "only-binary = [\":all:\"]",
    },
    Key {
        name: "build",
        kind: Kind::Choice(&["refuse", "host"]),
        default: "`\"refuse\"`",
        description: "What is done about packages that come as source only. `host` builds them \
            with a Python of the machine that builds the image, which runs their code there, and \
            takes the wheel if it fits the image.",
        example: "build = \"host\"",
    },
    Key {
        name: "interpreter",
        kind: Kind::Text,
        default: "what `python3` or `python` is on the image's `PATH`",
        description: "Which Python of the image gets the packages: a version, or the path of its \
            program. A virtual environment is named by the path of its `bin/python`.",
        example: "interpreter = \"3.12\"",
    },
    Key {
        name: "upgrade",
        kind: Kind::Choice(&["nothing", "requested", "everything"]),
        default: "`\"nothing\"`",
        description: "Which packages that the base has are replaced although they satisfy: none, \
            those that are asked for by name (pip's `--upgrade`), or also those that they depend on.",
        example: "upgrade = \"requested\"",
    },
    Key {
        name: "dependencies",
        kind: Kind::Flag,
        default: "`true`",
        description: "Whether what a package depends on is installed, too. `false` is pip's \
            `--no-deps`.",
        example: "dependencies = false",
    },
    Key {
        name: "require-hashes",
        kind: Kind::Flag,
        default: "`false`, unless a requirement has a hash",
        description: "Whether every package must come with a hash, as with pip's flag.",
        example: "requirements-files = [\"requirements.txt\"]\nrequire-hashes = true",
    },
    Key {
        name: "max-layers",
        kind: Kind::Count(super::MAX_LAYERS),
        default: "60, or four more than there are without packages",
        description: "The most layers that the image may have, those of the base and of \
            `[[files]]` included. Large packages, and large files, get a layer each as far as that goes; \
            small ones share.",
        example: "max-layers = 40",
    },
];
