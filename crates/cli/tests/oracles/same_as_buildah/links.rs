//! Symbolic and hard links, in the context and in the base.

use testbed::{Context, Result};

use super::{compare, same};

#[test]
fn links_in_a_copied_directory_stay_links() -> Result {
    same(
        "FROM {base}\nCOPY . /srv/\n",
        Context::new()?
            .file("real/f", "f")?
            .link("to-file", "real/f")?
            .link("to-directory", "real")?
            .link("dangling", "nowhere")?
            .link("absolute", "/etc/passwd")?
            .link("outside", "../../up")?,
    )
}

#[test]
fn a_link_as_the_source_is_followed() -> Result {
    same(
        "FROM {base}\nCOPY to-file /srv/f\nCOPY to-directory /srv/d\nCOPY to-directory/f /srv/g\n",
        Context::new()?
            .file("real/f", "f")?
            .link("to-file", "real/f")?
            .link("to-directory", "real")?,
    )
}

#[test]
fn a_path_below_a_link_of_the_base() -> Result {
    same(
        "FROM {base}\nCOPY f /bin/f\nCOPY f /lib/sub/g\nCOPY f /sbin/\nCOPY f /var/run/deep/h\n",
        Context::new()?.executable("f", "f")?,
    )
}

#[test]
fn a_tree_over_links_of_the_base() -> Result {
    same(
        "FROM {base}\nCOPY f /opt/current/\nCOPY f /opt/current/new/f\n",
        Context::new()?.file("f", "f")?,
    )
}

#[test]
fn the_working_directory_is_a_link_of_the_base() -> Result {
    same(
        "FROM {base}\nWORKDIR /opt/current\nCOPY f .\nWORKDIR sub\n",
        Context::new()?.file("f", "f")?,
    )
}

#[test]
fn a_file_onto_a_link_of_the_base() -> Result {
    const WHY: &str = "Docker follows a link that is the destination itself, as plywood does; \
        buildah puts the file in its place";
    compare(
        "FROM {base}\nCOPY f /usr/lib/libtiny.so\n",
        Context::new()?.file("f", "another library\n")?,
    )
    .differs("usr/lib/libtiny.so", WHY)
    .differs("usr/lib/libtiny.so.1", WHY)
    .check()
}

#[test]
fn hard_links_are_equal_files() -> Result {
    same(
        "FROM {base}\nCOPY . /srv/\n",
        Context::new()?.file("a", "linked")?.hard_link("b", "a")?.hard_link("d/c", "a")?,
    )
}
