//! Stages that do not exist, and files and owners that they do not have.

use crate::attempt::{Attempt, refused};

#[test]
fn stages_that_are_not_there() {
    insta::assert_snapshot!(refused("FROM scratch AS first\nFROM scratch\nCOPY --from=2 /a /\n"), @"
    exit 3
    error: there is no stage 2 before this one
     --> context/Dockerfile:3:13
      |
    3 | COPY --from=2 /a /
      |             ^
      |
      = hint: stages are numbered from 0
    ");
    insta::assert_snapshot!(refused("FROM scratch AS first\nFROM scratch\nCOPY --from=-1 /a /\n"), @"
    exit 3
    error: `-1` is not an image reference: `-1` is not a repository name
     --> context/Dockerfile:3:13
      |
    3 | COPY --from=-1 /a /
      |             ^^
      |
      = hint: a reference is written [registry/]repository[:tag][@digest]
    ");
}

/// A name that is no stage is an image; where there is none either, a stage was meant.
#[test]
fn a_mistyped_stage() {
    let meant = |line: &str| {
        let attempt = Attempt::of(&format!("FROM scratch AS builder\n{line}\n"));
        // The way to other machines is closed: a proxy that is not there.
        let mut command = attempt.command(&[]);
        let refusal = attempt.refusal_of(command.env("HTTPS_PROXY", "http://127.0.0.1:1"));
        let (_, place) = refusal.split_once("\n --> ").unwrap();
        place.to_owned()
    };
    insta::assert_snapshot!(meant("FROM scratch\nCOPY --from=biulder /a /"), @"
    context/Dockerfile:3:13
      |
    3 | COPY --from=biulder /a /
      |             ^^^^^^^
      |
      = hint: did you mean the stage `builder`?
    ");
    insta::assert_snapshot!(meant("FROM bulider"), @"
    context/Dockerfile:2:6
      |
    2 | FROM bulider
      |      ^^^^^^^
      |
      = hint: did you mean the stage `builder`?
    ");
}

#[test]
fn stages_that_need_themselves() {
    insta::assert_snapshot!(refused("FROM scratch AS a\nCOPY --from=a /x /\n"), @"
    exit 3
    error: stage `a` comes later, or is this one
     --> context/Dockerfile:2:13
      |
    2 | COPY --from=a /x /
      |             ^
      |
      = hint: copy from a stage above this one
    ");
    insta::assert_snapshot!(refused("FROM scratch AS a\nCOPY --from=0 /x /\n"), @"
    exit 3
    error: there is no stage 0 before this one
     --> context/Dockerfile:2:13
      |
    2 | COPY --from=0 /x /
      |             ^
      |
      = hint: stages are numbered from 0
    ");
    insta::assert_snapshot!(refused("FROM scratch AS a\nCOPY --from=b /x /\nFROM scratch AS b\nCOPY --from=a /x /\n"), @"
    exit 3
    error: stage `b` comes later, or is this one
     --> context/Dockerfile:2:13
      |
    2 | COPY --from=b /x /
      |             ^
      |
      = hint: copy from a stage above this one
    ");
}

#[test]
fn targets_that_are_not_there() {
    let target =
        |dockerfile: &str, name: &str| Attempt::of(dockerfile).refused(&["--target", name]);
    insta::assert_snapshot!(target("FROM scratch AS builder\n", "biulder"), @"
    exit 3
    error: there is no stage `biulder` to build
     --> context/Dockerfile:1:1
      |
    1 | FROM scratch AS builder
      | ^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: did you mean `builder`?
    ");
    insta::assert_snapshot!(target("FROM scratch AS one\nFROM scratch AS two\n", "x"), @"
    exit 3
    error: there is no stage `x` to build
     --> context/Dockerfile:2:1
      |
    2 | FROM scratch AS two
      | ^^^^^^^^^^^^^^^^^^^
      |
      = hint: the stages are one, two
    ");
    insta::assert_snapshot!(target("FROM scratch\n", "app"), @"
    exit 3
    error: there is no stage `app` to build
     --> context/Dockerfile:1:1
      |
    1 | FROM scratch
      | ^^^^^^^^^^^^
      |
      = hint: no stage has a name; give one with `AS name`
    ");
    insta::assert_snapshot!(target("FROM scratch\n", "1"), @"
    exit 3
    error: there is no stage `1` to build
     --> context/Dockerfile:1:1
      |
    1 | FROM scratch
      | ^^^^^^^^^^^^
      |
      = hint: no stage has a name; give one with `AS name`
    ");
}

#[test]
fn files_that_a_stage_does_not_have() {
    let first = "FROM scratch AS first\nCOPY app.txt /opt/\nFROM scratch\n";
    insta::assert_snapshot!(refused(&format!("{first}COPY --from=first /opt/app.text /\n")), @"
    exit 4
    error: `/opt/app.text` is not in `first`
     --> context/Dockerfile:4:19
      |
    4 | COPY --from=first /opt/app.text /
      |                   ^^^^^^^^^^^^^
      |
      = hint: did you mean `/opt/app.txt`?
    ");
    insta::assert_snapshot!(refused(&format!("{first}COPY --from=first ../etc /\n")), @"
    exit 4
    error: `../etc` is outside of `first`
     --> context/Dockerfile:4:19
      |
    4 | COPY --from=first ../etc /
      |                   ^^^^^^
      |
      = hint: paths in an image start at its root
    ");
}

#[test]
fn owners_that_are_not_known() {
    insta::assert_snapshot!(refused("FROM scratch\nCOPY --chown=app app.txt /\n"), @"
    exit 5
    error: `app` cannot be looked up: the image has no /etc/passwd
     --> context/Dockerfile:2:14
      |
    2 | COPY --chown=app app.txt /
      |              ^^^
      |
      = hint: use the number instead, as in --chown=1000:1000
    ");
    let with_users = "FROM scratch\nCOPY <<EOF /etc/passwd\napp:x:1000:1000::/:\nEOF\n";
    insta::assert_snapshot!(refused(&format!("{with_users}COPY --chown=ap app.txt /\n")), @"
    exit 5
    error: the image has no user `ap` in /etc/passwd
     --> context/Dockerfile:5:14
      |
    5 | COPY --chown=ap app.txt /
      |              ^^
      |
      = hint: use the number instead, as in --chown=1000:1000
    ");
    insta::assert_snapshot!(refused(&format!("{with_users}COPY --chown=app:staff app.txt /\n")), @"
    exit 5
    error: `staff` cannot be looked up: the image has no /etc/group
     --> context/Dockerfile:5:14
      |
    5 | COPY --chown=app:staff app.txt /
      |              ^^^^^^^^^
      |
      = hint: use the number instead, as in --chown=1000:1000
    ");
    insta::assert_snapshot!(refused("FROM scratch\nCOPY --chown=99999999999 app.txt /\n"), @"
    exit 3
    error: `99999999999` does not name an owner
     --> context/Dockerfile:2:14
      |
    2 | COPY --chown=99999999999 app.txt /
      |              ^^^^^^^^^^^
      |
      = hint: an owner is written USER or USER:GROUP, each a name or a number
    ");
}
