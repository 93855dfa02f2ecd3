//! Maintainer scripts that cannot be evaluated, that fail, or that are passed over in part.

use testbed::debian::SmallArchive;

use super::{archive, control, install};

/// An archive with a package, `scripted`, that this is done with when it is configured.
fn with_script(text: &str) -> SmallArchive {
    let control = control("scripted", "");
    let script = format!("#!/bin/sh\nset -e\n{text}\n");
    let scripts = [("./postinst", script.as_str())];
    let bytes = testbed::deb::scripted_deb(&control, &scripts, &[("./", b'5', "", b"")]);
    let mut archive = archive();
    archive.file(&control, &bytes);
    archive
}

/// What is passed over is no secret.
#[test]
fn calls_that_are_passed_over_are_explained() {
    let script = "cat /etc/group >/copy\nupdate-mime-database /usr/share/mime";
    let debian = install(with_script(script), "scripted");
    let explained = debian.attempt.scene.answer(&["plan", "--explain-run", "context"]);
    let (_, explained) = explained.split_once("set -e\n").unwrap();
    let (explained, _) = explained.split_once("| Get:1 ").unwrap();
    insta::assert_snapshot!(explained, @r"
    cat /etc/group
        + /copy
        ~ /copy
    update-mime-database /usr/share/mime
        passed over: would make `mime.cache` and others in `/usr/share/mime`, types of files; desktops read it; others know types by themselves
    ");
}

#[test]
fn a_script_that_needs_execution_or_fails() {
    let needing = install(with_script("make everything"), "scripted");
    insta::assert_snapshot!(needing.refused(), @r"
    exit 10
    error: this instruction needs execution: postinst of `scripted`: `make` is not built in
     --> context/Dockerfile:3:1
      |
    3 | RUN apt-get update && apt-get install -y scripted
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: `-o Plywood::Skip-Scripts=scripted` behind `apt-get` leaves out the scripts of the package, if the image does without what they do; nothing of an image is ever run on this machine
    ");
    let failing = install(with_script("echo no luck >&2\nexit 7"), "scripted");
    insta::assert_snapshot!(failing.refused(), @r"
    exit 11
    error: the command fails with exit status 100:
           Fetched 5312 B
           Selecting previously unselected package scripted.
           (Reading database ... 0 files and directories currently installed.)
           Preparing to unpack .../scripted_1.0_amd64.deb ...
           Unpacking scripted (1.0) ...
           Setting up scripted (1.0) ...
           no luck
           dpkg: error processing package scripted (--configure):
            installed scripted package post-installation script subprocess returned error exit status 7
           Errors were encountered while processing:
            scripted
           E: Sub-process /usr/bin/dpkg returned an error code (1)
     --> context/Dockerfile:3:1
      |
    3 | RUN apt-get update && apt-get install -y scripted
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: it is `apt-get install -y scripted` that answers 100; --explain-run shows what came before; `-o Plywood::Skip-Scripts=PACKAGE` behind `apt-get` leaves out a package's scripts
    ");
    // The way out that is named.
    install(with_script("make everything"), "-o Plywood::Skip-Scripts=scripted scripted").built();
}
