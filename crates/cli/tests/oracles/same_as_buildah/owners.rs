//! `--chown`, by name and by number.

use testbed::{Context, Result};

use super::same;

#[test]
fn names_are_looked_up_in_the_base() -> Result {
    same(
        "FROM {base}\n\
         COPY --chown=app f /srv/user\n\
         COPY --chown=reader f /srv/user-of-another-group\n\
         COPY --chown=app:staff f /srv/user-and-group\n",
        Context::new()?.file("f", "f")?,
    )
}

#[test]
fn numbers_need_no_entry() -> Result {
    same(
        "FROM {base}\nARG OWNER=4321\n\
         COPY --chown=1234:5678 f /srv/both\n\
         COPY --chown=$OWNER f /srv/user-only\n\
         COPY --chown=app:5678 f /srv/mixed\n",
        Context::new()?.file("f", "f")?,
    )
}

#[test]
fn a_tree_and_the_directories_made_for_it() -> Result {
    same(
        "FROM {base}\nCOPY --chown=app:app tree /srv/tree\n",
        Context::new()?.file("tree/a/f", "f")?.link("tree/l", "a")?,
    )
}

#[test]
fn user_changes_no_owner() -> Result {
    same(
        "FROM {base}\nUSER app\nWORKDIR /srv/work\nCOPY f ./f\nADD f ./g\n",
        Context::new()?.file("f", "f")?,
    )
}

#[test]
fn users_that_the_dockerfile_itself_brings() -> Result {
    same(
        "FROM {base}\nCOPY passwd group /etc/\nCOPY --chown=fresh:crowd f /srv/\n",
        Context::new()?
            .file("passwd", "root:x:0:0::/root:/bin/sh\nfresh:x:700:701::/:/bin/sh\n")?
            .file("group", "root:x:0:\ncrowd:x:702:\n")?
            .file("f", "f")?,
    )
}
