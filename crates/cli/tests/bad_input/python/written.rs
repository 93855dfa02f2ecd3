//! What is written wrongly: requirements, the files that hold them, and the recipe.

use super::order::{Order, refused};
use super::wheel::wheel;

/// What is said of a requirements file.
#[track_caller]
fn refused_file(text: &str) -> String {
    file(text).refused()
}

fn file(text: &str) -> Order {
    let order = Order::of("requirements-files = [\"requirements.txt\"]", &[wheel("lib", "1.0")]);
    order.file("requirements.txt", text)
}

#[test]
fn requirements_that_are_none() {
    insta::assert_snapshot!(refused_file("lib=1.0\n"), @r#"
    exit 4
    error: requirements.txt:1: `=` is no operator
     --> context/plywood.toml:6:23
      |
    6 | requirements-files = ["requirements.txt"]
      |                       ^^^^^^^^^^^^^^^^^^
      |
      = hint: write `lib==1.0`
    "#);
    insta::assert_snapshot!(refused_file("# ours\nlib 1.0\n"), @r#"
    exit 4
    error: requirements.txt:2: a version stands behind the name, with no operator
     --> context/plywood.toml:6:23
      |
    6 | requirements-files = ["requirements.txt"]
      |                       ^^^^^^^^^^^^^^^^^^
      |
      = hint: write `lib==1.0`
    "#);
    insta::assert_snapshot!(refused("requirements = [\"lib=1.0\"]", &[]), @r#"
    exit 3
    error: `=` is no operator
     --> context/plywood.toml:6:17
      |
    6 | requirements = ["lib=1.0"]
      |                 ^^^^^^^^^
      |
      = hint: write `lib==1.0`
    "#);
    insta::assert_snapshot!(refused("requirements = [\"--pre\"]", &[]), @r#"
    exit 3
    error: `--pre` is an option, and not a requirement
     --> context/plywood.toml:6:17
      |
    6 | requirements = ["--pre"]
      |                 ^^^^^^^
      |
      = hint: options have keys of their own; files are in `requirements-files`
    "#);
}

#[test]
fn what_would_have_to_be_built() {
    insta::assert_snapshot!(refused_file("lib==1.0\n-e .\n"), @r#"
    exit 4
    error: requirements.txt:2: an editable requirement has no place in an image
     --> context/plywood.toml:6:23
      |
    6 | requirements-files = ["requirements.txt"]
      |                       ^^^^^^^^^^^^^^^^^^
      |
      = hint: for the project in the context write `project = "."`; for another, build a wheel and name that
    "#);
    insta::assert_snapshot!(refused_file("git+https://user:SECRET@host.example/a.git@main\n"), @r#"
    exit 4
    error: requirements.txt:1: a requirement is not taken from a repository
     --> context/plywood.toml:6:23
      |
    6 | requirements-files = ["requirements.txt"]
      |                       ^^^^^^^^^^^^^^^^^^
      |
      = hint: pin a release, name a wheel that is built from it, or install from a lock (`uv lock`)
    "#);
    insta::assert_snapshot!(refused_file("lib @ git+ssh://git@host.example/a.git\n"), @r#"
    exit 4
    error: requirements.txt:1: a requirement is not taken from a repository
     --> context/plywood.toml:6:23
      |
    6 | requirements-files = ["requirements.txt"]
      |                       ^^^^^^^^^^^^^^^^^^
      |
      = hint: pin a release, name a wheel that is built from it, or install from a lock (`uv lock`)
    "#);
    insta::assert_snapshot!(refused_file("./src/lib\n"), @r#"
    exit 4
    error: requirements.txt:1: a directory cannot be installed
     --> context/plywood.toml:6:23
      |
    6 | requirements-files = ["requirements.txt"]
      |                       ^^^^^^^^^^^^^^^^^^
      |
      = hint: for the project in the context write `project = "."`; for another, build a wheel and name that
    "#);
    insta::assert_snapshot!(refused("requirements = [\"git+https://host.example/a.git\"]", &[]), @r#"
    exit 3
    error: a requirement is not taken from a repository
     --> context/plywood.toml:6:17
      |
    6 | requirements = ["git+https://host.example/a.git"]
      |                 ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: pin a release, name a wheel that is built from it, or install from a lock (`uv lock`)
    "#);
    insta::assert_snapshot!(refused("requirements = [\"-e .\"]", &[]), @r#"
    exit 3
    error: `-e .` is an option, and not a requirement
     --> context/plywood.toml:6:17
      |
    6 | requirements = ["-e ."]
      |                 ^^^^^^
      |
      = hint: for the project in the context write `project = "."`; for another, build a wheel and name that
    "#);
}

#[test]
fn options_that_there_are_not() {
    insta::assert_snapshot!(refused_file("--index-urls http://host.example/\nlib==1.0\n"), @r#"
    exit 4
    error: requirements.txt:1: there is no option `--index-urls` (did you mean `--index-url`?)
           requirements.txt:1: this belongs to no option (a requirement, or another file, has a line of its own)
     --> context/plywood.toml:6:23
      |
    6 | requirements-files = ["requirements.txt"]
      |                       ^^^^^^^^^^^^^^^^^^
    "#);
    insta::assert_snapshot!(refused_file("--frobnicate\nlib=1.0\n--prefer-binary=yes\n"), @r#"
    exit 4
    error: requirements.txt:1: there is no option `--frobnicate`
           requirements.txt:2: `=` is no operator (write `lib==1.0`)
           requirements.txt:3: `--prefer-binary` takes no value
     --> context/plywood.toml:6:23
      |
    6 | requirements-files = ["requirements.txt"]
      |                       ^^^^^^^^^^^^^^^^^^
    "#);
}

#[test]
fn files_that_are_not_there() {
    let missing = Order::of("requirements-files = [\"requirement.txt\"]", &[]);
    let missing = missing.file("requirements.txt", "lib==1.0\n");
    insta::assert_snapshot!(missing.refused(), @r#"
    exit 4
    error: `requirement.txt` is not in the build context
     --> context/plywood.toml:6:23
      |
    6 | requirements-files = ["requirement.txt"]
      |                       ^^^^^^^^^^^^^^^^^
      |
      = hint: did you mean `requirements.txt`?
    "#);
    let ignored = file("lib==1.0\n").file(".dockerignore", "*.txt\n");
    insta::assert_snapshot!(ignored.refused(), @r#"
    exit 4
    error: `requirements.txt` is not in the build context
     --> context/plywood.toml:6:23
      |
    6 | requirements-files = ["requirements.txt"]
      |                       ^^^^^^^^^^^^^^^^^^
      |
      = hint: .dockerignore excludes it; an exception is `!requirements.txt`
    "#);
    let included = file("lib==1.0\n-r more/other.txt\n");
    insta::assert_snapshot!(included.refused(), @r#"
    exit 4
    error: requirements.txt:2: `more/other.txt` is not in the build context
     --> context/plywood.toml:6:23
      |
    6 | requirements-files = ["requirements.txt"]
      |                       ^^^^^^^^^^^^^^^^^^
    "#);
    let ignored = included.file("more/other.txt", "lib\n").file(".dockerignore", "more\n");
    insta::assert_snapshot!(ignored.refused(), @r#"
    exit 4
    error: requirements.txt:2: `more/other.txt` is not in the build context
     --> context/plywood.toml:6:23
      |
    6 | requirements-files = ["requirements.txt"]
      |                       ^^^^^^^^^^^^^^^^^^
      |
      = hint: .dockerignore excludes it; an exception is `!more/other.txt`
    "#);
    let outside = file("-r ../other.txt\n");
    insta::assert_snapshot!(outside.refused(), @r#"
    exit 4
    error: requirements.txt:1: `../other.txt` is outside of the build context
     --> context/plywood.toml:6:23
      |
    6 | requirements-files = ["requirements.txt"]
      |                       ^^^^^^^^^^^^^^^^^^
      |
      = hint: build from a directory further up, or put the file into the context
    "#);
    insta::assert_snapshot!(refused("lock = \"uv.lock\"", &[]), @r#"
    exit 4
    error: `uv.lock` is not in the build context
     --> context/plywood.toml:6:8
      |
    6 | lock = "uv.lock"
      |        ^^^^^^^^^
    "#);
    insta::assert_snapshot!(refused("project = \".\"", &[]), @r#"
    exit 4
    error: `pyproject.toml` is not in the build context
     --> context/plywood.toml:6:11
      |
    6 | project = "."
      |           ^^^
    "#);
    insta::assert_snapshot!(refused("requirements = [\"./wheels/a-1-py3-none-any.whl\"]", &[]), @"
    exit 4
    error: context/plywood.toml:6: `wheels/a-1-py3-none-any.whl` is not in the build context
     --> context/plywood.toml:4:1
      |
    4 | [python]
      | ^^^^^^^^
    ");
    insta::assert_snapshot!(refused("requirements = [\"lib\"]\nfind-links = [\"wheel\"]", &[]), @r#"
    exit 4
    error: `wheel` is not in the build context
     --> context/plywood.toml:7:15
      |
    7 | find-links = ["wheel"]
      |               ^^^^^^^
    "#);
}

#[test]
fn files_that_include_each_other() {
    let round =
        file("-r a.txt\n").file("a.txt", "lib==1.0\n-r b.txt\n").file("b.txt", "-r a.txt\n");
    insta::assert_snapshot!(round.refused(), @r#"
    exit 4
    error: b.txt:1: `a.txt` includes itself
     --> context/plywood.toml:6:23
      |
    6 | requirements-files = ["requirements.txt"]
      |                       ^^^^^^^^^^^^^^^^^^
      |
      = hint: the way there is `requirements.txt` → `a.txt` → `b.txt`
    "#);
}

#[test]
fn recipes_that_mean_nothing() {
    insta::assert_snapshot!(refused("requirement-files = [\"requirements.txt\"]", &[]), @r#"
    exit 3
    error: there is no key `requirement-files` in `[python]`
     --> context/plywood.toml:6:1
      |
    6 | requirement-files = ["requirements.txt"]
      | ^^^^^^^^^^^^^^^^^
      |
      = hint: did you mean `requirements-files`? the keys are requirements, requirements-files, project, extras, groups, lock, constraints, constraint-files, overrides, override-files, index-url, extra-index-urls, no-index, find-links, exclude-newer, prereleases, no-binary, only-binary, build, interpreter, upgrade, dependencies, require-hashes, max-layers
    "#);
    insta::assert_snapshot!(refused("requirements = [\"lib=={arg.LIB_VERSION}\"]", &[]), @r#"
    exit 3
    error: build argument `LIB_VERSION` is not given
     --> context/plywood.toml:6:23
      |
    6 | requirements = ["lib=={arg.LIB_VERSION}"]
      |                       ^^^^^^^^^^^^^^^^^
      |
      = hint: give it with `--build-arg LIB_VERSION=…`
    "#);
    insta::assert_snapshot!(refused("requirements = \"lib\"\nbuild = \"hots\"", &[]), @r#"
    exit 3
    error: `requirements` in `[python]` must be an array of strings, and is a string
     --> context/plywood.toml:6:16
      |
    6 | requirements = "lib"
      |                ^^^^^
      |
      = hint: such as `requirements = ["flask==3.1.2", "uvicorn[standard]>=0.30; python_version > '3.9'"]`

    error: `build` cannot be `hots`
     --> context/plywood.toml:7:9
      |
    7 | build = "hots"
      |         ^^^^^^
      |
      = hint: did you mean `host`?
    "#);
    insta::assert_snapshot!(refused("requirements = [\"lib\"]\nlock = \"uv.lock\"", &[]), @r#"
    exit 3
    error: there are both `lock` and `requirements`
     --> context/plywood.toml:6:1
      |
    6 | requirements = ["lib"]
      | ^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: a lock says what is installed: take one of them out, or lock again
    "#);
    insta::assert_snapshot!(refused("lock = \"poetry.lock\"", &[]), @r#"
    exit 3
    error: `poetry.lock` is no lock that is known
     --> context/plywood.toml:6:8
      |
    6 | lock = "poetry.lock"
      |        ^^^^^^^^^^^^^
      |
      = hint: `uv.lock` and `pylock.toml` are; other tools can export the latter, or requirements with hashes
    "#);
}
