//! Bases into which nothing can be installed.

use super::order::{Order, base, glibc, python};
use crate::layers::{Member, file, program};

const TABLE: &str = "no-index = true\nrequirements = [\"lib==1.0\"]";

#[track_caller]
fn refused(members: &[Member]) -> String {
    Order::on(members, TABLE, &[]).refused()
}

#[test]
fn no_python() {
    insta::assert_snapshot!(refused(&[glibc(), program("usr/bin/sh", b"a program")]), @"
    exit 5
    error: the image has no Python
     --> context/plywood.toml:4:1
      |
    4 | [python]
      | ^^^^^^^^
      |
      = hint: take a base image with a Python 3, such as `python:3.13-slim`
    ");
    let old = program("usr/bin/python2.7", b"a program");
    let library = file("usr/lib/python2.7/os.py", b"# os\n");
    insta::assert_snapshot!(refused(&[glibc(), old, library]), @"
    exit 5
    error: the image has no Python 3, only /usr/bin/python2.7 (2.7)
     --> context/plywood.toml:4:1
      |
    4 | [python]
      | ^^^^^^^^
      |
      = hint: take a base image with a Python 3, such as `python:3.13-slim`
    ");
}

#[test]
fn no_c_library() {
    insta::assert_snapshot!(refused(&python("3.11", "7")), @"
    exit 5
    error: /usr/local/bin/python3.11 is there, but neither the GNU C library nor musl
     --> context/plywood.toml:4:1
      |
    4 | [python]
      | ^^^^^^^^
      |
      = hint: compiled wheels need the system's C library: take a base image that has it with its package database
    ");
}

#[test]
fn another_python_than_is_wanted() {
    let table = format!("{TABLE}\ninterpreter = \"3.13\"");
    insta::assert_snapshot!(Order::on(&base(), &table, &[]).refused(), @r#"
    exit 5
    error: the image has no Python `3.13`; it has /usr/local/bin/python3 (3.11)
     --> context/plywood.toml:7:15
      |
    7 | interpreter = "3.13"
      |               ^^^^^^
      |
      = hint: name one of them by its path or its version
    "#);
}

#[test]
fn several_pythons_and_none_on_the_path() {
    let mut members = vec![glibc()];
    for series in ["3.11", "3.12"] {
        members.push(program(&format!("opt/{series}/bin/python{series}"), b"a program"));
        members.push(file(&format!("opt/{series}/lib/python{series}/os.py"), b"# os\n"));
    }
    insta::assert_snapshot!(refused(&members), @"
    exit 5
    error: no Python is on the image's PATH; elsewhere there are /opt/3.11/bin/python3.11 (3.11), /opt/3.12/bin/python3.12 (3.12)
     --> context/plywood.toml:4:1
      |
    4 | [python]
      | ^^^^^^^^
      |
      = hint: name one of them by its path or its version
    ");
}
