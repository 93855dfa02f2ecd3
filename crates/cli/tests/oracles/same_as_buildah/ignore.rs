//! `.dockerignore`.

use testbed::{Context, Result};

use super::same;

fn project(ignore: &str) -> Result<Context> {
    Context::new()?
        .file(".dockerignore", ignore)?
        .file("README.md", "r")?
        .file("README-secret.md", "s")?
        .file("a/temp.txt", "t")?
        .file("a/b/temporary.md", "t")?
        .file("a/keep.pyc", "k")?
        .file("node_modules/x/index.js", "x")?
        .file("src/node_modules/y.js", "y")?
        .file("src/main.js", "m")?
        .file(".git/HEAD", "ref")
}

const COPY_ALL: &str = "FROM {base}\nCOPY . /srv/\n";

#[test]
fn comments_wildcards_and_depth() -> Result {
    same(COPY_ALL, project("# comment\n*/temp*\n*/*/temp*\n.git\n/node_modules/\n")?)
}

#[test]
fn double_star() -> Result {
    same(COPY_ALL, project("**/node_modules\n**/*.pyc\n.dockerignore\n")?)
}

#[test]
fn exceptions_in_order() -> Result {
    same(COPY_ALL, project("*.md\n!README*.md\nREADME-secret.md\n")?)
}

#[test]
fn an_exception_below_an_ignored_directory() -> Result {
    same(COPY_ALL, project("*\n!src/main.js\n!a/b\n")?)
}

#[test]
fn the_ignore_file_may_be_copied_and_ignored() -> Result {
    same(COPY_ALL, project("README.md\n\n   \n.dockerignore\n")?)
}
