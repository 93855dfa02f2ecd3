//! The table of keys as a page for people.

use super::key::{Key, Kind};
use super::keys::DOCUMENT;

/// Lines of Markdown are at most this long.
const WIDTH: usize = 100;

/// What stands above the keys.
const INTRODUCTION: &str = r#"# plywood.toml

A `plywood.toml` is the recipe of an image that needs no shell: a base, Debian and Python packages,
files and configuration. `plywood build` takes it in the place of a Dockerfile where it finds one in the
context, or with `-f FILE`; a file whose name ends in `.toml` is one. `plywood init` writes one for
the project that it finds. This page and [the schema for editors](plywood.schema.json) are made from
the table of keys that the program itself reads the file by. Many editors take the schema's address
from a first line such as `#:schema ./plywood.schema.json`.

```toml
base = "python:3.13-slim"
platforms = ["linux/amd64", "linux/arm64"]
workdir = "/app"
user = "1000:1000"
entrypoint = ["uvicorn", "shop:app", "--host", "0.0.0.0"]
expose = [8000]

[env]
PATH = "/app/bin:$PATH"
PYTHONUNBUFFERED = "1"

[labels]
"org.opencontainers.image.revision" = "{git.sha}"
"org.opencontainers.image.version" = "{arg.VERSION}"

[python]
requirements-files = ["requirements.txt"]

[[files]]
from = "static"
to = "/app/static"

[[files]]
from = "shop"
to = "/app/shop"
exclude = ["**/__pycache__"]
```

Unknown keys, wrong types and what does not go together are errors, each at its place and all of
them at once.

## Order

The order of keys and tables in the file does not matter, but that of the `[[files]]`. The image has
what changes seldom at the bottom: the base, the Debian packages, the Python packages (both in layers
of their own, by package), the working directory, then a layer for each `[[files]]`, or several if it
holds much. Configuration makes no layer. In a history each appears as the Dockerfile's instruction
that says the same.

## Templates

Strings may hold templates, in every value but not in keys:

| template | is |
|---|---|
| `{git.sha}` | the commit that is checked out in the context, all 40 digits |
| `{git.branch}` | the branch that is checked out |
| `{git.tag}` | the tag that points at the commit |
| `{env.NAME}` | the variable `NAME` of the environment that plywood runs in |
| `{arg.NAME}` | the build argument `NAME`, given with `--build-arg NAME=VALUE` |

One without a value is an error. Only these begin a template: every other brace is itself, so
`["--config", '{"debug": {}}']` is written as it is. For the text `{git.sha}`, double the braces:
`{{git.sha}}`. What a template becomes is text, and is not looked at again. A `$` means something in
`[env]` alone.

## Debian packages

`[debian]` installs what `apt-get install` would, from the archives that the image's own apt is set
up for, with the keys that it trusts: what is not signed by one of them is refused. Nothing of the
image is run. The packages' maintainer scripts are evaluated, and one that does what cannot be
evaluated is an error with its command; `scripts` leaves out those of a package. What dpkg keeps of
packages is left as dpkg leaves it, so dpkg, apt and scanners work in the image. An image that has
packages and no dpkg, as distroless ones have, gets a file in `/var/lib/dpkg/status.d` for each new one.

On `base = "scratch"` the packages are all there is: those that are named, and what they need. With
no shell among them there is no shell in the image. The archives are those of `sources`, or else
those that this machine's apt is set up for, with its keys: on a machine without apt they have to be
named. `variant = "minbase"` makes what debootstrap makes, with what its apt needs to go on:
`/etc/apt/sources.list` with `sources` and `keys`, or the machine's own files, in both of which no
login is left. debootstrap's traces of the machine are not made: devices, `/etc/hostname`,
`/etc/resolv.conf`, `/etc/fstab`, logs, and lists of packages.

Packages of the variant are as if you had asked for each, as after debootstrap; what others need
beside them is marked as automatic, if the image has apt.

```toml
base = "scratch"
cmd = ["/usr/bin/python3"]

[debian]
packages = ["python3-minimal", "ca-certificates"]
```

Large packages have a layer each, and small ones share, as with Python's. For the same packages on
every day, name versions, or a `snapshot`.

## Python packages

Which Python the base has, where its packages go and what fits it is read from the base's files;
nothing of the image is run, and no Python is needed where the image is built. Packages that the
base has and that satisfy stay; others take their place. Each platform has wheels of its own.

The files are those that `pip install --no-compile` leaves, and belong to root. Large packages have a
layer each, and small ones share: which of them follows from their names and sizes, so a package that
comes, goes or changes its version moves its own layer and leaves the others as they are.

What was resolved is kept in the store until something changes that the answer depends on: the
requirements, the settings of `[python]`, the base's Python. `--no-cache` asks anew. For the same
packages on every machine, pin them, give a `lock`, or set `exclude-newer`.

Credentials for an index are taken from its URL; from the file that `NETRC` names, or `~/.netrc`; and
from `PIP_INDEX_URL`, `PIP_EXTRA_INDEX_URL`, `UV_INDEX`, `UV_DEFAULT_INDEX`, `UV_INDEX_URL` and
`UV_EXTRA_INDEX_URL`, of which nothing else counts: where to look is for this file to say. Variables
in a requirements file, such as `${TOKEN}`, are those of the environment that plywood runs in.

"#;

/// The page `docs/plywood-toml.md`.
pub fn plywood_toml_reference() -> String {
    let mut page = INTRODUCTION.to_owned();
    page.push_str("## Keys\n");
    let is_table = |key: &&Key| matches!(key.kind, Kind::Table(_) | Kind::Tables(_));
    for key in DOCUMENT.iter().filter(|key| !is_table(key)) {
        describe(&mut page, key);
    }
    for table in DOCUMENT.iter().filter(is_table) {
        let (title, keys) = match table.kind {
            Kind::Table(keys) => (format!("`[{}]`", table.name), keys),
            Kind::Tables(keys) => (format!("`[[{}]]`", table.name), keys),
            _ => continue,
        };
        page.push_str(&format!("\n## {title}\n\n"));
        page.push_str(&wrapped(table.description));
        for key in keys {
            describe(&mut page, key);
        }
    }
    page
}

fn describe(page: &mut String, key: &Key) {
    page.push_str(&format!("\n### `{}`\n\n", key.name));
    page.push_str(&wrapped(key.description));
    page.push('\n');
    page.push_str(&wrapped(&format!("*Type:* {}. *Default:* {}.", key.kind.words(), key.default)));
    page.push_str(&format!("\n```toml\n{}\n```\n", key.example));
}

/// A paragraph in lines. A word is never cut, and neither is what stands in backticks.
fn wrapped(text: &str) -> String {
    let (mut lines, mut length, mut in_code) = (String::new(), 0, false);
    let mut word = String::new();
    for character in text.chars().chain([' ']) {
        in_code ^= character == '`';
        if character != ' ' || in_code {
            word.push(character);
            continue;
        }
        let characters = word.chars().count();
        if length > 0 && length + 1 + characters > WIDTH {
            lines.push('\n');
            length = 0;
        } else if length > 0 {
            lines.push(' ');
            length += 1;
        }
        lines.push_str(&word);
        length += characters;
        word.clear();
    }
    lines.push('\n');
    lines
}
