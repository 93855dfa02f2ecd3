//! So many bytes that plywood makes several layers of them, where buildah makes one.

use testbed::{Context, Result};

use super::same;

/// More than half of what one layer takes.
const LARGE: usize = 20 << 20;

fn project() -> Result<Context> {
    Context::new()?
        .file("README.md", "# readme\n")?
        .executable("bin/start", "#!/bin/sh\n")?
        .directory("data/empty", 0o700)?
        .file("data/one.csv", "1\n".repeat(LARGE / 2))?
        .file("data/parts/a.csv", "2\n".repeat(LARGE / 2))?
        .file("data/parts/b.csv", "3\n".repeat(LARGE / 2))?
        .file("data/whole.bin", "4\n".repeat(LARGE))?
        .file("src/main.py", "print('main')\n")?
        .hard_link("also.csv", "data/parts/a.csv")?
        .hard_link("data/parts/z.md", "README.md")
}

#[test]
fn into_a_directory_that_is_made() -> Result {
    same("FROM {base}\nCOPY . /srv/app\n", project()?)
}

#[test]
fn into_directories_that_are_there_and_are_others() -> Result {
    same("FROM {base}\nCOPY data /tmp\nCOPY --chown=7:8 data /etc\n", project()?)
}

#[test]
fn from_a_stage() -> Result {
    same(
        "FROM {base} AS one\nCOPY --chown=7:8 . /srv/app\n\
         FROM {base}\nCOPY --from=one /srv /srv\nCOPY bin /srv/app/data/\n",
        project()?,
    )
}
