//! The first `plywood.toml` of a project: what is found, and what is written for it.

use super::documents::document;
use crate::{ProjectFiles, initial_toml};

/// Writes a file for these paths, which parses.
fn written(paths: &[&str], pyproject: Option<&str>) -> String {
    let found = ProjectFiles {
        paths: paths.iter().map(|path| (*path).to_owned()).collect(),
        pyproject: pyproject.map(str::to_owned),
        python_version: None,
        commit: Some("0123".to_owned()),
    };
    let text = initial_toml(&found);
    document(&text);
    text
}

/// Lines that it has.
fn check(paths: &[&str], pyproject: Option<&str>, expected: &[&str]) {
    let text = written(paths, pyproject);
    for line in expected {
        assert!(text.lines().any(|written| written == *line), "no {line} in\n{text}");
    }
}

#[test]
fn a_whole_file() {
    let pyproject = "[project]\nname = \"shop\"\nrequires-python = \">=3.9,<3.13\"\n\
                     dependencies = [\"flask\"]\n[project.scripts]\nother = \"a:b\"\n\
                     shop = \"shop.cli:main\"\n";
    let paths = ["pyproject.toml", "uv.lock", "src/shop/__init__.py", "src/shop/cli.py"];
    assert_eq!(
        written(&paths, Some(pyproject)),
        r#"# How `plywood build` makes this project's image.
# `plywood plan` shows what would be in it, without building it.

base = "python:3.12-slim"
# platforms = ["linux/amd64", "linux/arm64"]
workdir = "/app"
# Not root. The files below are root's, so the program cannot change itself.
user = "1000:1000"
entrypoint = ["python", "-c", "import sys; from shop.cli import main; sys.exit(main())"]

[env]
PYTHONUNBUFFERED = "1"
PYTHONPATH = "/app/src"

[labels]
"org.opencontainers.image.title" = "shop"
"org.opencontainers.image.revision" = "{git.sha}"
# "org.opencontainers.image.version" = "{arg.VERSION}"  # --build-arg VERSION=…

[python]
lock = "uv.lock"
# extras = ["…"]
# groups = ["…"]

[[files]]
from = "src"
to = "/app/src"
exclude = ["**/__pycache__"]
"#
    );
}

#[test]
fn packages() {
    let project = "[project]\nname = \"a\"\ndependencies = [\"flask\"]\n";
    check(&["pylock.toml", "requirements.txt"], None, &["lock = \"pylock.toml\""]);
    let file = "requirements-files = [\"requirements.txt\"]";
    check(&["requirements.txt", "pyproject.toml"], Some(project), &[file]);
    check(
        &["requirements/dev.txt", "requirements/base.txt"],
        None,
        &["requirements-files = [\"requirements/base.txt\"]"],
    );
    check(
        &["requirements/api.txt", "requirements/web.txt", "requirements/tests.txt"],
        None,
        &["requirements-files = [\"requirements/api.txt\", \"requirements/web.txt\"]"],
    );
    check(&["pyproject.toml"], Some(project), &["[python]", "project = \".\""]);
    let read = "# What setup.py asks for is not read: it would have to be run. Name it here.";
    check(&["setup.py"], None, &[read, "# [python]"]);
}

#[test]
fn programs() {
    check(
        &["manage.py", "shop/wsgi.py"],
        None,
        &[
            "entrypoint = [\"python\", \"manage.py\"]",
            "cmd = [\"runserver\", \"0.0.0.0:8000\"]",
            "from = \".\"",
        ],
    );
    check(
        &["shop/__main__.py", "tests/a.py", "Dockerfile"],
        None,
        &[
            "entrypoint = [\"python\", \"-m\", \"shop\"]",
            "exclude = [\".*\", \"**/__pycache__\", \"tests\", \"Dockerfile\", \"plywood.toml\"]",
        ],
    );
    check(&["main.py", "app.py"], None, &["entrypoint = [\"python\", \"app.py\"]"]);
    check(&["src/a.py", "main.py"], None, &["from = \".\"", "to = \"/app/\""]);
    check(&[], None, &["# entrypoint = [\"python\", \"-m\", \"…\"]"]);
    // What could do harm in a string of code is nobody's module.
    let script = "[project]\nname = \"a\"\n[project.scripts]\na = \"os:system('x')\"\n";
    check(&[], Some(script), &["# entrypoint = [\"python\", \"-m\", \"…\"]"]);
}

#[test]
fn without_a_commit_nothing_needs_one() {
    let text = initial_toml(&ProjectFiles::default());
    assert!(text.contains("\n# \"org.opencontainers.image.revision\""), "{text}");
}
