//! Flags and arguments that mean nothing. None of them gets as far as making a store.

use crate::attempt::Attempt;

/// What is said of further arguments to a build that is fine without them.
#[track_caller]
fn refused(more: &[&str]) -> String {
    let attempt = Attempt::of("FROM scratch\nCOPY app.txt /\n");
    let refusal = attempt.refused(more);
    assert!(!attempt.scene.path("store").exists(), "a store was made");
    refusal
}

#[test]
fn unknown_flags() {
    insta::assert_snapshot!(refused(&["--taget=x"]), @"
    exit 2
    error: unexpected argument '--taget' found

      tip: a similar argument exists: '--target'

    Usage: plywood build --tag <REF> --push --output <type=…[,…]> --iidfile <FILE> --metadata-file <FILE> --target <STAGE> <CONTEXT>

    For more information, try '--help'.
    ");
}

#[test]
fn names() {
    insta::assert_snapshot!(refused(&["--tag=Team/App:1"]), @"
    exit 2
    error: `--tag`: `Team/App:1` is not an image reference: repository names are lower-case
    hint: write `team/app:1`
    ");
    insta::assert_snapshot!(refused(&["--tag=app:1.0+2"]), @"
    exit 2
    error: `--tag`: `app:1.0+2` is not an image reference: `1.0+2` is not a tag
    hint: a tag has up to 128 letters, digits, `_`, `.` and `-`, and starts with a letter, a digit or `_`
    ");
    insta::assert_snapshot!(refused(&["--tag=app@1"]), @"
    exit 2
    error: `--tag`: `app@1` is not an image reference: `1` is not a digest: it has no `sha256:` in front
    ");
    insta::assert_snapshot!(refused(&["--tag="]), @"
    exit 2
    error: `--tag`: an image reference is empty
    hint: a reference is written [registry/]repository[:tag][@digest]
    ");
}

#[test]
fn platforms() {
    insta::assert_snapshot!(refused(&["--platform=linux/"]), @"
    exit 2
    error: `--platform`: `linux/` is not a platform: it is written os/architecture[/variant], such as linux/amd64
    ");
    insta::assert_snapshot!(refused(&["--platform=linux/amd64,"]), @"
    exit 2
    error: `--platform`: `` is not a platform: it is written os/architecture[/variant], such as linux/amd64
    ");
    insta::assert_snapshot!(refused(&["--platform=linux/amd64/v2/x"]), @"
    exit 2
    error: `--platform`: `linux/amd64/v2/x` is not a platform: it is written os/architecture[/variant], and has more parts
    ");
}

#[test]
fn build_arguments_labels_and_contexts() {
    insta::assert_snapshot!(refused(&["--build-arg==x"]), @"
    exit 2
    error: `=x` is not a value of `--build-arg`
    hint: it is NAME=VALUE or NAME
    ");
    insta::assert_snapshot!(refused(&["--label==x"]), @"
    exit 2
    error: `=x` is not a value of `--label`
    hint: it is KEY=VALUE
    ");
    insta::assert_snapshot!(refused(&["--build-context=nothing"]), @"
    exit 2
    error: `nothing` is not a value of `--build-context`
    hint: it is NAME=SOURCE
    ");
    insta::assert_snapshot!(refused(&["--timestamp=yesterday"]), @"
    exit 2
    error: `yesterday` is not a value of `--timestamp`
    hint: it is a number of seconds since 1970, or a time such as 2024-01-31T12:00:00Z
    ");
    insta::assert_snapshot!(refused(&["--compression=lzma"]), @"
    exit 2
    error: `lzma` is not a value of `--compression` (gzip, zstd, none are)
    ");
}

#[test]
fn outputs() {
    insta::assert_snapshot!(refused(&["--output=type=ocl,dest=x"]), @"
    exit 2
    error: `ocl` is not a value of `--output` (oci, docker, registry, image, tar, local are)
    hint: did you mean `oci`?
    ");
    insta::assert_snapshot!(refused(&["--output=type=oci"]), @"
    exit 2
    error: `--output type=oci` lacks `dest`
    hint: add `dest=…`
    ");
    insta::assert_snapshot!(refused(&["--output=tpye=oci,dest=x"]), @"
    exit 2
    error: `--output` has no key `tpye` (it has type, dest, name, tar, push, compression, compression-level, force-compression, oci-mediatypes, rewrite-timestamp, annotation.KEY)
    hint: did you mean `type`?
    ");
}

#[test]
fn outputs_without_a_place() {
    insta::assert_snapshot!(refused(&["--output=type=local,dest="]), @"
    exit 2
    error: `--output type=local,dest=` lacks `dest`
    hint: add `dest=…`
    ");
    insta::assert_snapshot!(refused(&["--output="]), @"
    exit 2
    error: `` is not a value of `--output`
    hint: it is type=…,dest=…, a directory, or `-`
    ");
}

#[test]
fn contexts() {
    let attempt = Attempt::of("FROM scratch\n");
    let build = |context: &str| attempt.scene.refusal(&["build", "--tag=app", context]);
    insta::assert_snapshot!(build("contxt"), @"
    exit 4
    error: failed to find the build context `contxt`: No such file or directory (os error 2)
    hint: the last argument is the directory, or the tarball, that COPY reads from
    ");
    insta::assert_snapshot!(build("context/app.txt"), @"
    exit 4
    error: failed to use `context/app.txt` as the build context: it is not a tar archive
    hint: give a directory, a tarball, or `-` for a tar on standard input
    ");
    insta::assert_snapshot!(build("https://127.0.0.1/app.git"), @"
    exit 2
    error: `https://127.0.0.1/app.git` would have to be fetched, and `CONTEXT` takes local files
    hint: clone or download it first; a tar on standard input is given as `-`
    ");
    insta::assert_snapshot!(attempt.scene.refusal(&["build", "--tag=app"]), @"
    exit 2
    error: the following required arguments were not provided:
      <CONTEXT>

    Usage: plywood build --tag <REF> <CONTEXT>

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(attempt.scene.refusal(&["build", "--build-context=x=nope", "context"]), @"
    exit 4
    error: failed to use the build context `x`: there is no `nope`
    hint: give `--build-context x=…` a directory, a tarball or an image
    ");
    attempt.assert_nothing_left();
}
