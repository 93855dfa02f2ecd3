//! What is wrong with a `plywood.toml`, each with its place and its way out.

use super::documents::values;
use super::findings;
use crate::parse_plywood_toml;

fn check(text: &str, expected: &str) {
    let errors = parse_plywood_toml(text, &values).expect_err(text);
    assert_eq!(findings(text, &errors), expected, "{text}");
}

#[test]
fn the_base_and_the_syntax() {
    check(
        "",
        r#"1 «» there is no `base` | name an image, such as `base = "python:3.13-slim"`, or `scratch`"#,
    );
    check(
        r#"cmd = ["a"]"#,
        r#"1 «» there is no `base` | name an image, such as `base = "python:3.13-slim"`, or `scratch`"#,
    );
    check(r#"base = """#, r#"1 «""» `base` is empty | to start from nothing: `scratch`"#);
    check(
        "base = 5",
        r#"1 «5» `base` must be a string, and is the number 5 | such as `base = "python:3.13-slim"`"#,
    );
    check(r#"base = "a"#, r#"1 «» invalid basic string, expected `"`"#);
    check(
        r#"base = "a"
base = "b""#,
        "2 «base» duplicate key",
    );
    check(
        r#"FROM a
RUN b"#,
        r#"1 «» key with no value, expected `=` | a Dockerfile's name does not end in `.toml`
2 «» key with no value, expected `=`"#,
    );
}

#[test]
fn keys_and_types() {
    check(
        r#"base = "a"
requirements = ["a"]"#,
        "2 «requirements» there is no key `requirements` | it belongs into `[python]`",
    );
    check(
        r#"base = "a"
[python]
requirement = ["a"]
cmd = ["x"]"#,
        r#"3 «requirement» there is no key `requirement` in `[python]` | did you mean `requirements`? the keys are requirements, requirements-files, project, extras, groups, lock, constraints, constraint-files, overrides, override-files, index-url, extra-index-urls, no-index, find-links, exclude-newer, prereleases, no-binary, only-binary, build, interpreter, upgrade, dependencies, require-hashes, max-layers
4 «cmd» there is no key `cmd` in `[python]` | `cmd` is a key of the document: write it above the first `[table]`"#,
    );
    check(
        r#"base = "a"
[env]
PORT = 80
cmd = ["x"]"#,
        r#"3 «80» `PORT` in `[env]` is the number 80 | its values are strings: write `PORT = "…"`
4 «["x"]» `cmd` in `[env]` is an array | `cmd` is a key of the document: write it above the first `[table]`"#,
    );
    check(
        r#"base = "a"
[labels]
org.x.y = "1""#,
        r#"3 «org» `org` in `[labels]` is a table | put a name with dots in quotes, such as `"org.name" = "value"`"#,
    );
    check(
        r#"base = "a"
expose = "80""#,
        r#"2 «"80"» `expose` must be an array of ports, and is a string | such as `expose = [8080, "53/udp"]`"#,
    );
    check(
        r#"base="a"
expose = [80.5, true]"#,
        r#"2 «80.5» `expose` must be an array of ports, and is the number 80.5 | such as `expose = [8080, "53/udp"]`
2 «true» `expose` must be an array of ports, and is `true` | such as `expose = [8080, "53/udp"]`"#,
    );
}

#[test]
fn configuration() {
    check(
        r#"base="a"
platforms = ["linux", "linux/arm64", "linux/aarch64", 5]"#,
        r#"2 «"linux"» `linux` is not a platform: the architecture is missing, as in linux/amd64 | such as `linux/arm64`
2 «"linux/aarch64"» `linux/aarch64` is there twice | each platform is built once
2 «5» `platforms` holds the number 5 among its strings | put it in quotes"#,
    );
    check(
        r#"base="a"
workdir="app"
user="""#,
        r#"2 «"app"» `app` is not an absolute path | begin it with `/`
3 «""» `user` is empty | to keep the base's, leave it out"#,
    );
}

#[test]
fn files() {
    check(
        r#"base="a"
[[files]]
from="a"
[[files]]
to="b"
[[files]]
from=[]
to="""#,
        r#"2 «[[files]]» `[[files]]` has no `to` | say where to, such as `to = "/app/"`
4 «[[files]]» `[[files]]` has neither `from` nor `content` | say what to copy, such as `from = "app"`
7 «from=[]» `from` is empty | all of the context is `.`
8 «""» `to` is empty | the working directory is `.`, and the root `/`"#,
    );
    check(
        r#"base="a"
[[files]]
from="a"
to="/a"
[[files]]
from=["b", "c"]
to="/a"
[[files]]
from="x"
content="x"
to="/b""#,
        r#"7 «"/a"» `/a` is the target of two `[[files]]` | put `/` at its end if both go into it, or all sources in one `from`
7 «"/a"» several sources go to `/a`, which is one name | put `/` at its end
10 «"x"» there are both `from` and `content` | the text of a file is all that there is to copy; use two `[[files]]`"#,
    );
    check(
        r#"base="a"
[[files]]
content="x"
to="/b/"
exclude=["x"]
owner="a:"
mode="x"
[files.x]"#,
        r#"4 «"/b/"» `/b/` is a directory's name, and `content` is a file | give the file's whole name
5 «exclude=["x"]» `exclude` says nothing about `content` | it is for `from`
6 «"a:"» `a:` does not name an owner | an owner is written USER or USER:GROUP, each a name or a number
7 «"x"» `x` is not a file mode | write an octal number up to 7777, such as 0755, or a change such as `u=rwX,go=rX`
8 «x» there is no key `x` in `[[files]]` | the keys are from, content, to, exclude, owner, mode, parents, context"#,
    );
    check(
        r#"base="a"
[files]
from="a"
to="b""#,
        "2 «[files]» `files` must be an array of tables, and is a table | such as `[[files]]`",
    );
    check(
        r#"base="a"
files = ["a"]"#,
        r#"2 «"a"» `files` holds a string, and not a table | begin each with `[[files]]`"#,
    );
    check(
        r#"base="a"
[[files]]
from="a"
to="/a"
mode=0o755
parents="yes""#,
        r#"5 «0o755» `mode` in `[[files]]` must be a string, and is the number 0o755 | such as `mode = "0755"`
6 «"yes"» `parents` in `[[files]]` must be `true` or `false`, and is a string | such as `parents = true`"#,
    );
}

#[test]
fn templates() {
    check(
        r#"base="{arg.X}:{git.tag}"
user="{env.USER}"
workdir="/{git.shaa}"
cmd=["{git.sha", "{arg.}"]"#,
        r#"1 «{arg.X}» build argument `X` is not given | give it with `--build-arg X=…`
2 «{env.USER}» the environment variable `USER` is not set | set it where plywood runs: `USER=… plywood build`
3 «{git.shaa}» there is no template `{git.shaa}` | did you mean `{git.sha}`?
4 «{git.sha» a template is not closed by `}` | for the text itself, write both braces twice
4 «{arg.}» `{arg.}` does not name a variable | it is written `{arg.NAME}`"#,
    );
}

#[test]
fn environment() {
    check(
        r#"base="a"
env = { A = "é${B", C = "$A", D = "${E#x}", "F=" = "", "" = "" }"#,
        r#"2 «${» `${` is not closed by `}` | for a dollar sign, write `$$`
2 «$A» `$A` is set in this table, too | it would be what the base image has; write its value out
2 «${E#x}» only `${NAME}`, `${NAME:-text}` and `${NAME:+text}` are known | for a dollar sign, write `$$`
2 «"F="» `F=` cannot be a variable's name | there is no `=` in one
2 «""» a name in `env` is empty | such as `env = { PATH = "/app/bin:$PATH", PYTHONUNBUFFERED = "1" }`"#,
    );
}

#[test]
fn python() {
    check(
        r#"base="a"
[python]"#,
        r#"2 «[python]» `[python]` asks for no packages | name some, such as `requirements = ["flask==3.1.2"]`, or a file with `requirements-files`, `project` or `lock`"#,
    );
    check(
        r#"base="a"
[python]
lock="uv.lock"
requirements=["a"]
exclude-newer="x""#,
        r#"4 «requirements=["a"]» there are both `lock` and `requirements` | a lock says what is installed: take one of them out, or lock again
5 «exclude-newer="x"» there are both `lock` and `exclude-newer` | a lock says what is installed: take one of them out, or lock again
5 «"x"» `x` is not a date, or a date and time with an offset | such as `exclude-newer = 2026-11-01T00:00:00Z`"#,
    );
    check(
        r#"base="a"
[python]
lock="poetry.lock"
extras=["a"]"#,
        r#"3 «"poetry.lock"» `poetry.lock` is no lock that is known | `uv.lock` and `pylock.toml` are; other tools can export the latter, or requirements with hashes"#,
    );
    check(
        r#"base="a"
[python]
requirements=["a"]
extras=["a"]
lock="requirements.txt""#,
        r#"3 «requirements=["a"]» there are both `lock` and `requirements` | a lock says what is installed: take one of them out, or lock again
5 «"requirements.txt"» `requirements.txt` is no lock that is known | requirements with pins and hashes belong into `requirements-files`"#,
    );
    check(
        r#"base="a"
[python]
requirements=["-r a.txt", "b.txt", "", "a\nb", "-e ."]
requirements-files=["../a", "/b", "c/../../d", ""]
project="./sub/pyproject.toml""#,
        r#"3 «"-r a.txt"» `-r a.txt` is an option, and not a requirement | options have keys of their own; files are in `requirements-files`
3 «"b.txt"» `b.txt` is a file, and not a requirement | write `requirements-files = ["b.txt"]`
3 «""» `requirements` holds an entry that is not one line | each entry is a requirement, such as `flask==3.1.2`
3 «"a\nb"» `requirements` holds an entry that is not one line | each entry is a requirement, such as `flask==3.1.2`
3 «"-e ."» `-e .` is an option, and not a requirement | for the project in the context write `project = "."`; for another, build a wheel and name that
4 «"../a"» `../a` leads out of the context | paths begin at the root of the context, such as `requirements/web.txt`
4 «"/b"» `/b` is no path in the context | paths begin at the root of the context, such as `requirements/web.txt`
4 «"c/../../d"» `c/../../d` leads out of the context | paths begin at the root of the context, such as `requirements/web.txt`
4 «""» a path is empty | paths begin at the root of the context, such as `requirements/web.txt`
5 «"./sub/pyproject.toml"» `project` is a file | name its directory: `project = "./sub"`"#,
    );
    check(
        r#"base="a"
[python]
project="."
no-index=true
index-url="https://SECRET@h.example"
extra-index-urls=["h.example/SECRET"]
no-binary=["a"]
build="hots"
prereleases="x"
max-layers=200
upgrade=true
exclude-newer=2026-01-01T00:00:00
interpreter="""#,
        r#"2 «[python]» `extra-index-urls` is not the URL of an index | it is written `https://HOST/PATH`
4 «no-index=true» `no-index` says to ask none, and there is `index-url` | take one of them out
4 «no-index=true» `no-index` says to ask none, and there is `extra-index-urls` | take one of them out
7 «no-binary=["a"]» `no-binary` takes no wheels, and `build` refuses to make them | write `build = "host"` if they may be built here
8 «"hots"» `build` cannot be `hots` | did you mean `host`?
9 «"x"» `prereleases` cannot be `x` | it is `"if-necessary"`, `"allow"` or `"disallow"`
10 «200» `max-layers` in `[python]` must be a whole number from 1 to 127, and is the number 200 | such as `max-layers = 40`
11 «true» `upgrade` in `[python]` must be `"nothing"`, `"requested"` or `"everything"`, and is `true` | such as `upgrade = "requested"`
12 «2026-01-01T00:00:00» `2026-01-01T00:00:00` is not a date, or a date and time with an offset | such as `exclude-newer = 2026-11-01T00:00:00Z`
13 «""» `interpreter` is empty | a version such as `3.12`, or the path of a Python in the image"#,
    );
}

#[test]
fn the_table_of_debian_packages() {
    check(
        "base=\"a\"\n[debian]\nrecommends=true\n",
        r#"2 «[debian]» `[debian]` asks for no packages | name some, such as `packages = ["ca-certificates"]`"#,
    );
    check(
        r#"base="scratch"
[debian]
packages=["a b", "-y", ""]
suites=["x"]
keys=["/k"]
scripts=["postgresql"]
variant="full""#,
        r#"3 «"a b"» `a b` is no package's name | each entry is one package, such as `curl` or `libpq5=15.*`
3 «"-y"» `-y` is an option, and not a package | what apt-get's options say has keys of its own in `[debian]`
3 «""» `` is no package's name | each entry is one package, such as `curl` or `libpq5=15.*`
4 «suites=["x"]» there are `suites` of no `sources` | name the archive: `sources = ["https://HOST/debian"]`
5 «keys=["/k"]» there are `keys` of no `sources` | name the archive: `sources = ["https://HOST/debian"]`
5 «"/k"» `/k` is no path in the context | paths begin at the root of the context, such as `requirements/web.txt`
6 «"postgresql"» `scripts` cannot be `postgresql` | it is written `skip:PACKAGE`
7 «"full"» `variant` cannot be `full` | it is `"custom"`, `"essential"` or `"minbase"`"#,
    );
    check(
        r#"base="a"
[debian]
packages=["a"]
sources=["h.example SECRET"]
components=["a b"]"#,
        r#"2 «[debian]» `sources` holds what is none | an archive is named by its address, `https://HOST/debian`
4 «sources=["h.example SECRET"]» there are `sources` without `suites` | name them, such as `suites = ["bookworm"]`
5 «"a b"» `components` holds what is none | each entry is one word, such as `bookworm` or `main`"#,
    );
}
