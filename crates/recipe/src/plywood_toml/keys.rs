//! Every key there is: its type, what it is for, and an example.

use super::debian_keys::DEBIAN;
use super::key::{Key, Kind};
use super::python_keys::PYTHON;

/// The keys of `[cache]`.
const CACHE: &[Key] = &[
    Key {
        name: "from",
        kind: Kind::Texts,
        default: "none",
        description: "Repositories that are asked, too, for what came of earlier builds.",
        example: "from = [\"registry.example/team/app\"]",
    },
    Key {
        name: "to",
        kind: Kind::Texts,
        default: "where the image is pushed to",
        description: "Repositories that are told what comes of a build that is pushed; none with \
            `[]`. `--cache-to` on the command line takes its place.",
        example: "to = [\"registry.example/team/cache\"]",
    },
];

/// The keys of the document.
pub(super) const DOCUMENT: &[Key] = &[
    Key {
        name: "base",
        kind: Kind::Text,
        default: "none; it must be given",
        description: "The image to build on, or `scratch` for none. As in a Dockerfile's `FROM`, \
            it may be the name of a build context (`--build-context NAME=…`).",
        example: "base = \"python:3.13-slim\"",
    },
    Key {
        name: "platforms",
        kind: Kind::Texts,
        default: "this machine's processor, on Linux",
        description: "What to build for. `--platform` on the command line takes its place.",
        example: "platforms = [\"linux/amd64\", \"linux/arm64\"]",
    },
    Key {
        name: "user",
        kind: Kind::Text,
        default: "the base's",
        description: "Who runs the program: `USER` or `USER:GROUP`, each a name or a number. \
            Numbers let Kubernetes see that it is not root. It does not own the files: \
            `files.owner` says who does.",
        example: "user = \"1000:1000\"",
    },
    Key {
        name: "workdir",
        kind: Kind::Text,
        default: "the base's",
        description: "The directory that the program starts in, and that relative targets of \
            `[[files]]` are in; an absolute path. It is made if it is missing, and is root's then.",
        example: "workdir = \"/app\"",
    },
    Key {
        name: "entrypoint",
        kind: Kind::Command,
        default: "the base's",
        description: "The program, as an array of itself and its arguments. As a string it is a \
            command for the shell, which then stands between the program and its signals. With an \
            entry point, the base's `cmd` does not count.",
        example: "entrypoint = [\"python\", \"-m\", \"shop\"]",
    },
    Key {
        name: "cmd",
        kind: Kind::Command,
        default: "the base's, unless there is an `entrypoint`",
        description: "Arguments for the entry point that whoever runs the image can replace, or \
            the program itself if there is no entry point. An array, or a string for the shell.",
        example: "cmd = [\"--port\", \"8080\"]",
    },
    Key {
        name: "shell",
        kind: Kind::Texts,
        default: "the base's, else `[\"/bin/sh\", \"-c\"]`",
        description: "What runs an `entrypoint` or `cmd` that is a string.",
        example: "shell = [\"/bin/bash\", \"-o\", \"pipefail\", \"-c\"]",
    },
    Key {
        name: "expose",
        kind: Kind::Ports,
        default: "those of the base alone",
        description: "Ports on which the program listens: a number, or a string such as \
            `\"53/udp\"` or `\"8000-8010\"`. The base's stay.",
        example: "expose = [8080, \"53/udp\"]",
    },
    Key {
        name: "volumes",
        kind: Kind::Texts,
        default: "those of the base alone",
        description: "Directories that are to be volumes when the image runs. The base's stay.",
        example: "volumes = [\"/var/lib/shop\"]",
    },
    Key {
        name: "stop-signal",
        kind: Kind::Text,
        default: "the base's, else `SIGTERM`",
        description: "The signal that asks the program to end, by name or by number.",
        example: "stop-signal = \"SIGINT\"",
    },
    Key {
        name: "env",
        kind: Kind::Names,
        default: "the base's",
        description: "Environment variables. Here, and nowhere else, `$NAME` and `${NAME}` stand \
            for what *the base image* has in that variable, `${NAME:-text}` for that or else the \
            text, `${NAME:+text}` for the text if the base has it, and `$$` for a dollar sign. A \
            `$` before anything else is itself. They stay in the image for all to read: no secrets.",
        example: "env = { PATH = \"/app/bin:$PATH\", PYTHONUNBUFFERED = \"1\" }",
    },
    Key {
        name: "labels",
        kind: Kind::Names,
        default: "the base's",
        description: "Labels, in the image's configuration. Names with dots are written in quotes.",
        example: "labels = { \"org.opencontainers.image.revision\" = \"{git.sha}\" }",
    },
    Key {
        name: "annotations",
        kind: Kind::Names,
        default: "none",
        description: "Annotations, in the image's manifest. Names with dots are written in quotes.",
        example: "annotations = { \"org.opencontainers.image.source\" = \"https://git.example/shop\" }",
    },
    Key {
        name: "cache",
        kind: Kind::Table(CACHE),
        default: "where the image is pushed to",
        description: "Repositories that keep what came of builds, beside those of `--cache-from` \
            and `--cache-to`.",
        example: "cache = { from = [\"registry.example/team/app\"] }",
    },
    Key {
        name: "debian",
        kind: Kind::Table(DEBIAN),
        default: "no packages",
        description: "Debian packages, which are laid into the image as apt and dpkg would install \
            them. They come before `[python]`. Nothing is run: maintainer scripts are evaluated.",
        example: "debian = { packages = [\"libpq5\"] }",
    },
    Key {
        name: "python",
        kind: Kind::Table(PYTHON),
        default: "no packages",
        description: "Python packages, which are laid into the image as pip would install them. \
            The image's own Python is found by its files; nothing is run.",
        example: "python = { requirements-files = [\"requirements.txt\"] }",
    },
    Key {
        name: "files",
        kind: Kind::Tables(FILES),
        default: "no files",
        description: "Files to copy. Each `[[files]]` is a layer, or several if it holds more \
            than 32 MiB, in their order, so those that change often belong at the end. The ignore file (`.dockerignore`) holds for all.",
        example: "[[files]]\nfrom = \"shop\"\nto = \"/app/shop\"",
    },
];

/// The keys of `[[files]]`.
const FILES: &[Key] = &[
    Key {
        name: "from",
        kind: Kind::TextOrTexts,
        default: "none; it must be given, or `content`",
        description: "What to copy, from the context's root: files, directories (what they hold, \
            not themselves) and wildcards (`*`, `?`, `[a-z]`; a `\\` before one takes its meaning).",
        example: "from = [\"pyproject.toml\", \"conf/*.ini\"]\nto = \"/etc/shop/\"",
    },
    Key {
        name: "content",
        kind: Kind::Text,
        default: "none",
        description: "The text of one file, in the place of `from`.",
        example: "content = \"\"\"\n[server]\nport = 8080\n\"\"\"\nto = \"/etc/shop.ini\"",
    },
    Key {
        name: "to",
        kind: Kind::Text,
        default: "none; it must be given",
        description: "Where to, from `workdir`. With a `/` at its end it is a directory that the \
            files go into; it must have one if there are several. Otherwise it is the new name of \
            the file or directory.",
        example: "from = \"shop\"\nto = \"/app/shop\"",
    },
    Key {
        name: "exclude",
        kind: Kind::Texts,
        default: "nothing",
        description: "What not to copy: patterns as in an ignore file, from the source on.",
        example: "from = \".\"\nto = \"/app/\"\nexclude = [\"**/__pycache__\", \"tests\"]",
    },
    Key {
        name: "owner",
        kind: Kind::Text,
        default: "root, whatever `user` is",
        description: "`USER` or `USER:GROUP`, each a number or a name that the image knows.",
        example: "from = \"data\"\nto = \"/app/data\"\nowner = \"1000:1000\"",
    },
    Key {
        name: "mode",
        kind: Kind::Text,
        default: "as on disk, without what only this machine's user has",
        description: "Permissions, as a string: octal (`\"0755\"`), which holds for directories, \
            too, or as chmod has them (`\"u=rwX,go=rX\"`).",
        example: "from = \"run.sh\"\nto = \"/app/run.sh\"\nmode = \"0755\"",
    },
    Key {
        name: "parents",
        kind: Kind::Flag,
        default: "`false`",
        description: "Whether the directories in `from` are kept below `to`; `**` is a wildcard \
            for any number of them then.",
        example: "from = \"shop/**/*.py\"\nto = \"/app/\"\nparents = true",
    },
    Key {
        name: "context",
        kind: Kind::Text,
        default: "the main context",
        description: "What `from` is in, if not the main context: the name of a build context \
            (`--build-context NAME=…`), or an image.",
        example: "context = \"nginx:1.29\"\nfrom = \"/usr/share/nginx/html\"\nto = \"/srv/\"",
    },
];
