//! `ADD`: local archives are unpacked, everything else is copied.

use testbed::{Context, Result};

use super::{compare, same};

const OVER_THE_BASE: &[(&str, &str)] =
    &[("bin/added", "b"), ("etc/os-release", "NAME=added\n"), ("opt/current/version", "2\n")];

const FILES: &[(&str, &str)] = &[("top", "t\n"), ("dir/inner", "i\n"), ("dir/sub/deep", "d\n")];

#[test]
fn plain_archive() -> Result {
    same("FROM {base}\nADD files.tar /srv/\n", Context::new()?.archive("files.tar", FILES)?)
}

#[test]
fn gzip_archive() -> Result {
    same(
        "FROM {base}\nADD files.tar.gz /srv/new/\n",
        Context::new()?.archive("files.tar.gz", FILES)?,
    )
}

#[test]
fn bzip2_and_xz_archives() -> Result {
    same(
        "FROM {base}\nADD a.tar.bz2 b.tar.xz /srv/\n",
        Context::new()?.archive("a.tar.bz2", FILES)?.archive("b.tar.xz", &[("of-xz", "x")])?,
    )
}

#[test]
fn archive_over_links_and_directories_of_the_base() -> Result {
    const WHY: &str = "buildah puts the archive's directory in place of the base's link, which \
        hides every program behind /bin; plywood keeps the link, and files land where it points";
    compare("FROM {base}\nADD root.tar /\n", Context::new()?.archive("root.tar", OVER_THE_BASE)?)
        .differs("bin", WHY)
        .differs("bin/added", WHY)
        .differs("usr/bin/added", WHY)
        .differs("opt/current", WHY)
        .differs("opt/current/version", WHY)
        .differs("opt/releases/1/version", WHY)
        .check()
}

#[test]
fn archive_without_directories_over_links_of_the_base() -> Result {
    same(
        "FROM {base}\nADD root.tar /\n",
        Context::new()?.archive_of_files("root.tar", OVER_THE_BASE)?,
    )
}

#[test]
fn what_only_looks_like_an_archive() -> Result {
    same(
        "FROM {base}\nADD not.tar.gz /srv/\nADD plain.txt /srv/renamed\n",
        Context::new()?.file("not.tar.gz", "no archive\n")?.file("plain.txt", "p")?,
    )
}

#[test]
fn copy_leaves_archives_as_they_are() -> Result {
    same("FROM {base}\nCOPY files.tar.gz /srv/\n", Context::new()?.archive("files.tar.gz", FILES)?)
}

#[test]
fn directories_owners_and_modes() -> Result {
    same(
        "FROM {base}\nADD --chown=app tree /srv/tree\nADD --chmod=600 tree/f /srv/\n",
        Context::new()?.file("tree/f", "f")?.file("tree/d/g", "g")?,
    )
}
