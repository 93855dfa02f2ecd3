//! `RUN` lines that cannot be assembled, or that fail.

use crate::attempt::Attempt;

/// A stage with a shell and two more programs. What is in the files is of no matter: nothing runs.
const STAGE: &str = "FROM scratch\n\
    COPY --chmod=755 app.txt /bin/dash\nCOPY --chmod=755 app.txt /bin/cat\n\
    COPY --chmod=755 app.txt /bin/make\nSHELL [\"/bin/dash\", \"-c\"]\n";

/// An attempt to build the stage with these lines behind it.
fn attempt(lines: &str) -> Attempt {
    Attempt::of(&format!("{STAGE}{lines}\n"))
}

#[test]
fn what_needs_execution() {
    let attempt = attempt("RUN make && \\\n    make install");
    insta::assert_snapshot!(attempt.refused(&[]), @r#"
    exit 10
    error: this instruction needs execution: `make` is not built in
     --> context/Dockerfile:6:1
      |
    6 | RUN make && \
      | ^^^^^^^^^^^^^
      |
      = hint: nothing of an image is ever run on this machine; `plywood plan --explain-run` shows how far the line is understood, and files that a RUN makes can be copied in instead
    "#);
    // Where it would go, it is asked whether something is on record of each instruction, and of the
    // last line that did the same.
    assert_eq!(attempt.requests(), 5);
    assert_eq!(attempt.names(), [""; 0]);
}

/// A stage that the target does not need may have one.
#[test]
fn what_needs_execution_in_another_stage_is_no_matter() {
    let text = format!("{STAGE}RUN make test\nFROM scratch\nCOPY app.txt /\n");
    let attempt = Attempt::of(&text);
    attempt.built(&[]);
    let refused = attempt.scene.refusal(&["build", "--target=0", "context"]);
    insta::assert_snapshot!(refused, @r#"
    exit 10
    error: this instruction needs execution: `make` is not built in
     --> context/Dockerfile:6:1
      |
    6 | RUN make test
      | ^^^^^^^^^^^^^
      |
      = hint: nothing of an image is ever run on this machine; `plywood plan --explain-run` shows how far the line is understood, and files that a RUN makes can be copied in instead
    "#);
}

#[test]
fn an_option_that_is_not_known() {
    insta::assert_snapshot!(attempt("RUN cat --fast /bin/make").refused(&[]), @r#"
    exit 10
    error: this instruction needs execution: `cat` has the option `--fast`, which is not built in
     --> context/Dockerfile:6:1
      |
    6 | RUN cat --fast /bin/make
      | ^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: nothing of an image is ever run on this machine; `plywood plan --explain-run` shows how far the line is understood, and files that a RUN makes can be copied in instead
    "#);
}

#[test]
fn what_depends_on_the_machine() {
    insta::assert_snapshot!(attempt("RUN cat /proc/cpuinfo\nRUN true").refused(&[]), @r#"
    exit 10
    error: this instruction needs execution: `/proc/cpuinfo` depends on the machine that runs it: the container's runtime makes it
     --> context/Dockerfile:6:1
      |
    6 | RUN cat /proc/cpuinfo
      | ^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: nothing of an image is ever run on this machine; `plywood plan --explain-run` shows how far the line is understood, and files that a RUN makes can be copied in instead
    "#);
}

#[test]
fn a_loop_without_an_end() {
    insta::assert_snapshot!(attempt("RUN while :; do :; done").refused(&[]), @r#"
    exit 10
    error: this instruction needs execution: the number of commands reached the limit of 2000000
     --> context/Dockerfile:6:1
      |
    6 | RUN while :; do :; done
      | ^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: nothing of an image is ever run on this machine; `plywood plan --explain-run` shows how far the line is understood, and files that a RUN makes can be copied in instead
    "#);
}

#[test]
fn a_command_that_fails() {
    insta::assert_snapshot!(attempt("RUN set -e; echo begun; cat /nope; echo on").refused(&[]), @r#"
    exit 11
    error: the command fails with exit status 1:
           begun
           cat: /nope: No such file or directory
     --> context/Dockerfile:6:1
      |
    6 | RUN set -e; echo begun; cat /nope; echo on
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: it is `cat /nope` that answers 1; --explain-run shows what came before
    "#);
}

#[test]
fn a_command_that_fails_and_says_nothing() {
    insta::assert_snapshot!(attempt("RUN exit 3").refused(&[]), @r#"
    exit 11
    error: the command fails with exit status 3 and says nothing
     --> context/Dockerfile:6:1
      |
    6 | RUN exit 3
      | ^^^^^^^^^^
      |
      = hint: it is `exit 3` that answers 3; --explain-run shows what came before
    "#);
}

#[test]
fn a_program_that_is_not_there() {
    insta::assert_snapshot!(attempt("RUN gcc x.c").refused(&[]), @r#"
    exit 11
    error: the command fails with exit status 127:
           /bin/dash: 1: gcc: not found
     --> context/Dockerfile:6:1
      |
    6 | RUN gcc x.c
      | ^^^^^^^^^^^
      |
      = hint: it is `gcc x.c` that answers 127; --explain-run shows what came before
    "#);
    insta::assert_snapshot!(attempt("RUN [\"/bin/gcc\"]").refused(&[]), @r#"
    exit 11
    error: the command fails with exit status 127:
           exec: "/bin/gcc": executable file not found in $PATH
     --> context/Dockerfile:6:1
      |
    6 | RUN ["/bin/gcc"]
      | ^^^^^^^^^^^^^^^^
    "#);
}

#[test]
fn no_shell_at_all() {
    insta::assert_snapshot!(Attempt::of("FROM scratch\nRUN echo x\n").refused(&[]), @r#"
    exit 11
    error: the command fails with exit status 127:
           exec: "/bin/sh": executable file not found in $PATH
     --> context/Dockerfile:2:1
      |
    2 | RUN echo x
      | ^^^^^^^^^^
    "#);
}

#[test]
fn a_user_that_the_image_does_not_know() {
    insta::assert_snapshot!(attempt("USER app\nRUN echo x").refused(&[]), @r#"
    exit 5
    error: the image has no user `app` in /etc/passwd
     --> context/Dockerfile:7:1
      |
    7 | RUN echo x
      | ^^^^^^^^^^
      |
      = hint: use the number instead, as in `USER 1000:1000`
    "#);
}

#[test]
fn secrets_that_are_not_given() {
    let line = "RUN --mount=type=secret,id=token,required cat /run/secrets/token";
    insta::assert_snapshot!(attempt(line).refused(&[]), @r#"
    exit 3
    error: the secret `token` is required, and was not given
     --> context/Dockerfile:6:13
      |
    6 | RUN --mount=type=secret,id=token,required cat /run/secrets/token
      |             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: give it with `--secret id=token,src=FILE`
    "#);
    let line = "RUN --mount=type=secret,id=token echo x";
    insta::assert_snapshot!(attempt(line).refused(&["--secret", "id=token,src=nowhere"]), @r#"
    exit 4
    error: failed to read the secret `token`: read `nowhere`: No such file or directory (os error 2)
    "#);
    insta::assert_snapshot!(attempt(line).refused(&["--secret", "id=token,env=NOWHERE"]), @r#"
    exit 4
    error: failed to take the secret `token`: there is no variable `NOWHERE`
    "#);
    insta::assert_snapshot!(attempt(line).refused(&["--secret", "token"]), @r#"
    exit 2
    error: `token` is not a value of `--secret`
    hint: it is id=NAME with src=FILE or env=VARIABLE
    "#);
}

#[test]
fn mounts_of_nothing() {
    let line = "RUN --mount=type=bind,source=nope,target=/m cat /m/x";
    insta::assert_snapshot!(attempt(line).refused(&[]), @r#"
    exit 4
    error: there is no `/nope` to mount
     --> context/Dockerfile:6:13
      |
    6 | RUN --mount=type=bind,source=nope,target=/m cat /m/x
      |             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    "#);
    let line = "RUN --mount=type=cache cat /x";
    insta::assert_snapshot!(attempt(line).refused(&[]), @r#"
    exit 3
    error: a mount does not say where it goes
     --> context/Dockerfile:6:13
      |
    6 | RUN --mount=type=cache cat /x
      |             ^^^^^^^^^^
      |
      = hint: add `target=/PATH`
    "#);
}

#[test]
fn a_mode_that_there_is_not() {
    insta::assert_snapshot!(attempt("RUN echo x").refused(&["--run", "sandbox"]), @r#"
    exit 2
    error: `sandbox` is not a value of `--run` (assemble are)
    "#);
}
