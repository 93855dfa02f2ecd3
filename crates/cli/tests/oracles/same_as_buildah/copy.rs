//! `COPY` from the context: what lands where, with which mode.

use testbed::{Context, Result};

use super::{compare, same};

/// A small project.
fn project() -> Result<Context> {
    Context::new()?
        .file("README.md", "# readme\n")?
        .file("setup.cfg", "[metadata]\n")?
        .executable("bin/start", "#!/bin/sh\n")?
        .file("src/main.py", "print('main')\n")?
        .file("src/package/__init__.py", "")?
        .file("src/package/data.json", "{}\n")?
        .directory("src/empty", 0o755)
}

#[test]
fn everything() -> Result {
    same("FROM {base}\nCOPY . /srv/app\n", project()?)
}

#[test]
fn everything_into_the_working_directory() -> Result {
    same("FROM {base}\nWORKDIR /srv/app\nCOPY . .\n", project()?)
}

#[test]
fn the_content_of_a_directory_and_not_its_name() -> Result {
    same(
        "FROM {base}\nCOPY src /srv/one\nCOPY src/ /srv/two/\nCOPY src/package /srv/\n",
        project()?,
    )
}

#[test]
fn a_file_to_a_name_and_into_a_directory() -> Result {
    same(
        "FROM {base}\nCOPY README.md /srv/renamed\nCOPY README.md /srv/into/\nCOPY README.md /tmp\n",
        project()?,
    )
}

#[test]
fn several_sources() -> Result {
    same("FROM {base}\nCOPY README.md setup.cfg bin src/package /srv/all/\n", project()?)
}

#[test]
fn wildcards() -> Result {
    same(
        "FROM {base}\nCOPY *.txt /srv/star/\nCOPY ?.txt /srv/one/\nCOPY [ab]*.txt /srv/class/\nCOPY d*/x /srv/dir/\n",
        Context::new()?
            .file("a.txt", "a")?
            .file("b.txt", "b")?
            .file("cc.txt", "c")?
            .file("bb.txt", "bb")?
            .file("d1/x", "x")?
            .file("d1/y", "y")?,
    )
}

#[test]
fn names_with_brackets() -> Result {
    compare("FROM {base}\nCOPY in/[[]1].txt /srv/\n", Context::new()?.file("in/[1].txt", "1")?)
        // buildah expands what it found a second time, and then finds nothing.
        .for_buildah("FROM {base}\nCOPY in /srv/\n")
        .check()
}

#[test]
fn names_in_other_alphabets() -> Result {
    same(
        "FROM {base}\nCOPY Grüße.txt 漢字 /srv/other/\n",
        Context::new()?.file("Grüße.txt", "2")?.file("漢字/x", "3")?,
    )
}

#[test]
fn long_names() -> Result {
    let name = "n".repeat(200);
    let path = format!("{}/{name}", ["d".repeat(90), "e".repeat(90)].join("/"));
    same("FROM {base}\nCOPY . /srv/\n", Context::new()?.file(&path, "deep")?)
}

#[test]
fn modes_of_files_and_directories() -> Result {
    same(
        "FROM {base}\nCOPY . /srv/\n",
        Context::new()?
            .file_with_mode("private", "", 0o600)?
            .file_with_mode("read-only", "", 0o444)?
            .file_with_mode("run-only", "", 0o500)?
            .directory("closed", 0o700)?
            .file("closed/f", "f")?
            .directory("bare", 0o500)?,
    )
}

#[test]
fn group_write_bits_of_a_umask_are_not_content() -> Result {
    const WHY: &str = "a umask of 002 leaves group-write bits, which plywood drops: the same \
        checkout is the same layer under any umask";
    compare(
        "FROM {base}\nCOPY . /srv/\n",
        Context::new()?
            .file_with_mode("shared", "", 0o664)?
            .file_with_mode("tool", "", 0o775)?
            .directory("directory", 0o775)?
            .file_with_mode("plain", "", 0o644)?,
    )
    .differs("srv/shared", WHY)
    .differs("srv/tool", WHY)
    .differs("srv/directory", WHY)
    .check()
}

#[test]
fn modes_asked_for() -> Result {
    const WHY: &str = "Docker gives an octal mode to the directories that it makes on the way, too";
    compare(
        "FROM {base}\nCOPY --chmod=0750 src /srv/src\nCOPY --chmod=4755 bin/start /usr/bin/start\n",
        project()?,
    )
    .differs("srv", WHY)
    .differs("srv/src", WHY)
    .check()
}

#[test]
fn symbolic_modes_asked_for() -> Result {
    compare(
        "FROM {base}\nCOPY --chmod=u=rwX,go=rX README.md bin/start /srv/\n",
        Context::new()?.file_with_mode("README.md", "", 0o600)?.file_with_mode(
            "bin/start",
            "",
            0o700,
        )?,
    )
    // buildah 1.28 knows octal modes only.
    .for_buildah(
        "FROM {base}\nCOPY --chmod=644 README.md /srv/\nCOPY --chmod=755 bin/start /srv/\n",
    )
    .check()
}

#[test]
fn files_over_files_of_the_base() -> Result {
    same(
        "FROM {base}\nCOPY os-release /etc/os-release\nCOPY . /etc/\nCOPY seed /var/lib/data/\n",
        Context::new()?
            .file("os-release", "NAME=other\n")?
            .file_with_mode("secret", "no longer\n", 0o644)?
            .file("seed", "new\n")?,
    )
}

#[test]
fn directories_of_the_base_keep_their_attributes() -> Result {
    const WHY: &str = "plywood writes no directory again that the base has: /tmp stays open to all, \
        and a home stays its owner's";
    compare(
        "FROM {base}\nCOPY tree /\n",
        Context::new()?
            .file("tree/home/app/f", "f")?
            .file("tree/opt/shared/f", "f")?
            .file("tree/tmp/f", "f")?
            .file("tree/new/f", "f")?,
    )
    .differs("home/app", WHY)
    .differs("opt/shared", WHY)
    .differs("tmp", WHY)
    .check()
}

#[test]
fn a_later_copy_wins() -> Result {
    same(
        "FROM {base}\nCOPY one /srv/\nCOPY two /srv/\nCOPY one/a /srv/b\n",
        Context::new()?
            .file("one/a", "1a")?
            .file("one/b", "1b")?
            .executable("two/b", "2b")?
            .file("two/c/d", "2d")?,
    )
}

#[test]
fn parents_and_exclusions() -> Result {
    compare(
        "# syntax=docker/dockerfile:1\nFROM {base}\n\
         COPY --parents src/package/data.json bin/start /srv/parents/\n\
         COPY --exclude=*.md --exclude=src . /srv/excluded/\n",
        project()?,
    )
    // buildah 1.28 knows neither flag.
    .for_buildah(
        "FROM {base}\n\
         COPY src/package/data.json /srv/parents/src/package/\nCOPY bin/start /srv/parents/bin/\n\
         COPY setup.cfg /srv/excluded/\nCOPY bin /srv/excluded/bin\n",
    )
    .check()
}

#[test]
fn link_into_a_plain_directory() -> Result {
    compare("FROM {base}\nCOPY --link src /srv/src\n", project()?)
        // buildah 1.28 does not know the flag, which changes caching and not the tree.
        .for_buildah("FROM {base}\nCOPY src /srv/src\n")
        .check()
}
