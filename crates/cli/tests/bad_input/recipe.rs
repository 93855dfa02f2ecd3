//! Dockerfiles that mean nothing, or something that cannot be done.

use std::fs;

use crate::attempt::{Attempt, refused};

#[test]
fn unknown_instructions() {
    insta::assert_snapshot!(refused("FROM scratch\nCPOY . /app\n"), @"
    exit 3
    error: there is no instruction `CPOY`
     --> context/Dockerfile:2:1
      |
    2 | CPOY . /app
      | ^^^^
      |
      = hint: did you mean `COPY`?
    ");
    insta::assert_snapshot!(refused("FROM scratch\nFETCH http://127.0.0.1/\n"), @"
    exit 3
    error: there is no instruction `FETCH`
     --> context/Dockerfile:2:1
      |
    2 | FETCH http://127.0.0.1/
      | ^^^^^
    ");
    insta::assert_snapshot!(refused("FORM scratch\n"), @"
    exit 3
    error: there is no instruction `FORM`
     --> context/Dockerfile:1:1
      |
    1 | FORM scratch
      | ^^^^
      |
      = hint: did you mean `FROM`?
    ");
}

#[test]
fn unknown_flags() {
    insta::assert_snapshot!(refused("FROM scratch\nCOPY --chwon=1:1 . /app\n"), @"
    exit 3
    error: `COPY` has no flag `--chwon`
     --> context/Dockerfile:2:6
      |
    2 | COPY --chwon=1:1 . /app
      |      ^^^^^^^
      |
      = hint: did you mean `--chown`?
    ");
    insta::assert_snapshot!(refused("FROM scratch\nCOPY --checksum=1 . /app\n"), @"
    exit 3
    error: `COPY` has no flag `--checksum`
     --> context/Dockerfile:2:6
      |
    2 | COPY --checksum=1 . /app
      |      ^^^^^^^^^^
      |
      = hint: it takes --from, --chown, --chmod, --link, --parents, --exclude
    ");
    insta::assert_snapshot!(refused("FROM --platfrom=linux/arm64 scratch\n"), @"
    exit 3
    error: `FROM` has no flag `--platfrom`
     --> context/Dockerfile:1:6
      |
    1 | FROM --platfrom=linux/arm64 scratch
      |      ^^^^^^^^^^
      |
      = hint: did you mean `--platform`?
    ");
    insta::assert_snapshot!(refused("FROM scratch\nENV --from=x A=b\n"), @"
    exit 3
    error: `ENV` has no flag `--from`
     --> context/Dockerfile:2:5
      |
    2 | ENV --from=x A=b
      |     ^^^^^^
      |
      = hint: `ENV` takes no flags; if it is an argument, put `--` in front of it
    ");
}

#[test]
fn several_mistakes_are_told_at_once() {
    insta::assert_snapshot!(refused("FROM scratch\nCPOY a /\nENV\nCOPY --chwon=1 a /\n"), @"
    exit 3
    error: there is no instruction `CPOY`
     --> context/Dockerfile:2:1
      |
    2 | CPOY a /
      | ^^^^
      |
      = hint: did you mean `COPY`?

    error: `ENV` has no name
     --> context/Dockerfile:3:1
      |
    3 | ENV
      | ^^^
      |
      = hint: it is written `ENV NAME=VALUE …`

    error: `COPY` has no flag `--chwon`
     --> context/Dockerfile:4:6
      |
    4 | COPY --chwon=1 a /
      |      ^^^^^^^
      |
      = hint: did you mean `--chown`?
    ");
}

#[test]
fn words_that_are_missing() {
    insta::assert_snapshot!(refused(""), @"
    exit 3
    error: there is no instruction
     --> context/Dockerfile:1:1
      |
    1 |
      | ^
      |
      = hint: begin a stage with `FROM IMAGE`, or `FROM scratch`
    ");
    insta::assert_snapshot!(refused("# nothing but this\n"), @"
    exit 3
    error: there is no instruction
     --> context/Dockerfile:1:19
      |
    1 | # nothing but this
      |                   ^
      |
      = hint: begin a stage with `FROM IMAGE`, or `FROM scratch`
    ");
    insta::assert_snapshot!(refused("COPY . /\n"), @"
    exit 3
    error: `COPY` stands before the first `FROM`
     --> context/Dockerfile:1:1
      |
    1 | COPY . /
      | ^^^^
      |
      = hint: begin with `FROM IMAGE`, or with `FROM scratch`; only ARG may come before
    ");
    insta::assert_snapshot!(refused("FROM scratch\nCOPY app.txt\n"), @"
    exit 3
    error: `COPY` has a source and no destination
     --> context/Dockerfile:2:6
      |
    2 | COPY app.txt
      |      ^^^^^^^
      |
      = hint: it is written `COPY SOURCE … DESTINATION`
    ");
    insta::assert_snapshot!(refused("FROM scratch\nCOPY <<EOF /a\nno end\n"), @"
    exit 3
    error: the here-document `EOF` has no end
     --> context/Dockerfile:2:6
      |
    2 | COPY <<EOF /a
      |      ^^^^^
      |
      = hint: end it with a line that is `EOF` and no more
    ");
}

#[test]
fn references_that_are_none() {
    insta::assert_snapshot!(refused("FROM Debian\n"), @"
    exit 3
    error: `Debian` is not an image reference: repository names are lower-case
     --> context/Dockerfile:1:6
      |
    1 | FROM Debian
      |      ^^^^^^
      |
      = hint: write `debian`
    ");
    insta::assert_snapshot!(refused("FROM debian:\n"), @"
    exit 3
    error: `debian:` is not an image reference: `` is not a tag
     --> context/Dockerfile:1:6
      |
    1 | FROM debian:
      |      ^^^^^^^
      |
      = hint: a tag has up to 128 letters, digits, `_`, `.` and `-`, and starts with a letter, a digit or `_`
    ");
    insta::assert_snapshot!(refused("FROM debian@sha256:12\n"), @"
    exit 3
    error: `debian@sha256:12` is not an image reference: `sha256:12` is not a sha256 digest: it wants 64 lower-case hex digits
     --> context/Dockerfile:1:6
      |
    1 | FROM debian@sha256:12
      |      ^^^^^^^^^^^^^^^^
    ");
    insta::assert_snapshot!(refused("FROM https://127.0.0.1/debian\n"), @"
    exit 3
    error: `https://127.0.0.1/debian` is not an image reference: `https:` is not a registry's host
     --> context/Dockerfile:1:6
      |
    1 | FROM https://127.0.0.1/debian
      |      ^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: a reference is written [registry/]repository[:tag][@digest]
    ");
    insta::assert_snapshot!(refused("ARG BASE\nFROM $BASE\n"), @"
    exit 3
    error: the base image's name is empty
     --> context/Dockerfile:2:6
      |
    2 | FROM $BASE
      |      ^^^^^
      |
      = hint: give the variable a default: `ARG NAME=value` before the first FROM
    ");
}

#[test]
fn platforms_that_are_none() {
    insta::assert_snapshot!(refused("FROM --platform=linux/ scratch\n"), @"
    exit 3
    error: `linux/` is not a platform: it is written os/architecture[/variant], such as linux/amd64
     --> context/Dockerfile:1:17
      |
    1 | FROM --platform=linux/ scratch
      |                 ^^^^^^
    ");
}

#[test]
fn values_that_are_none() {
    insta::assert_snapshot!(refused("FROM scratch\nCOPY --chmod=u+z app.txt /\n"), @"
    exit 3
    error: `u+z` is not a file mode
     --> context/Dockerfile:2:14
      |
    2 | COPY --chmod=u+z app.txt /
      |              ^^^
      |
      = hint: write an octal number up to 7777, such as 0755, or a change such as `u=rwX,go=rX`
    ");
    insta::assert_snapshot!(refused("FROM scratch\nEXPOSE http\n"), @"
    exit 3
    error: `http` is not a port
     --> context/Dockerfile:2:8
      |
    2 | EXPOSE http
      |        ^^^^
      |
      = hint: ports are written 80, 80/udp or 8000-8010/tcp
    ");
    insta::assert_snapshot!(refused("FROM scratch\nSTOPSIGNAL SIGNOPE\n"), @"
    exit 3
    error: `SIGNOPE` is not a signal
     --> context/Dockerfile:2:12
      |
    2 | STOPSIGNAL SIGNOPE
      |            ^^^^^^^
      |
      = hint: name one as SIGTERM, TERM or 15
    ");
    insta::assert_snapshot!(refused("FROM scratch\nWORKDIR ${HOME?no home}\n"), @"
    exit 3
    error: `HOME`: no home
     --> context/Dockerfile:2:9
      |
    2 | WORKDIR ${HOME?no home}
      |         ^^^^^^^^^^^^^^^
      |
      = hint: give it a value with ARG or ENV, or on the command line with --build-arg HOME=…
    ");
}

#[test]
fn a_file_that_is_not_there() {
    let attempt = Attempt::new().file("app.txt", "hello\n");
    insta::assert_snapshot!(attempt.refused(&[]), @"
    exit 4
    error: failed to find the Dockerfile `context/Dockerfile`
    hint: name the Dockerfile with `-f FILE`, or have `plywood init` write a plywood.toml
    ");
    let attempt = attempt.file("app.Dockerfile", "FROM scratch\n");
    insta::assert_snapshot!(attempt.refused(&[]), @"
    exit 4
    error: failed to find the Dockerfile `context/Dockerfile`
    hint: did you mean `-f context/app.Dockerfile`?
    ");
    insta::assert_snapshot!(attempt.refused(&["--file=context/nope"]), @"
    exit 4
    error: failed to find the Dockerfile `context/nope`
    hint: did you mean `-f context/app.Dockerfile`?
    ");
}

#[test]
fn a_file_that_is_no_text() {
    let attempt = Attempt::new().file("Dockerfile", b"FROM scratch\nENV A=\xff\n");
    insta::assert_snapshot!(attempt.refused(&[]), @"
    exit 4
    error: failed to read `context/Dockerfile`: it is not UTF-8 text
    ");
    fs::remove_file(attempt.context("Dockerfile")).unwrap();
    fs::create_dir(attempt.context("Dockerfile")).unwrap();
    insta::assert_snapshot!(attempt.refused(&[]), @"
    exit 4
    error: failed to read `context/Dockerfile`: Is a directory (os error 21)
    ");
}

#[test]
fn an_ignore_file_with_a_broken_pattern() {
    let attempt = Attempt::of("FROM scratch\n").file(".dockerignore", "*.log\n[a-\n");
    insta::assert_snapshot!(attempt.refused(&[]), @"
    exit 4
    error: failed to read `.dockerignore`: line 2: `[a-` is not a pattern: `[` is not closed by `]`
    ");
    insta::assert_snapshot!(attempt.refused(&["--ignorefile=nope"]), @"
    exit 4
    error: failed to read `nope`: No such file or directory (os error 2)
    ");
}
