//! Packages that there are not, that cannot be installed, or that are not what they say.

use std::fs;

use super::{Debian, archive, control, install};

#[test]
fn an_unknown_package() {
    insta::assert_snapshot!(install(archive(), "helo").refused(), @r"
    exit 11
    error: the command fails with exit status 100:
           Get:1 http://127.0.0.1:00000/debian stable InRelease [633 B]
           Get:2 http://127.0.0.1:00000/debian stable/main amd64 Packages [506 B]
           Fetched 1139 B in 0s (0 B/s)
           Reading package lists...
           Reading package lists...
           Building dependency tree...
           Reading state information...
           E: Unable to locate package helo
           N: did you mean hello?
     --> context/Dockerfile:3:1
      |
    3 | RUN apt-get update && apt-get install -y helo
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: it is `apt-get install -y helo` that answers 100; --explain-run shows what came before
    ");
    insta::assert_snapshot!(install(archive(), "hello=2.0").refused(), @r"
    exit 11
    error: the command fails with exit status 100:
           Get:1 http://127.0.0.1:00000/debian stable InRelease [633 B]
           Get:2 http://127.0.0.1:00000/debian stable/main amd64 Packages [506 B]
           Fetched 1139 B in 0s (0 B/s)
           Reading package lists...
           Reading package lists...
           Building dependency tree...
           Reading state information...
           E: Version '2.0' for 'hello' was not found
           N: there is 1.0
     --> context/Dockerfile:3:1
      |
    3 | RUN apt-get update && apt-get install -y hello=2.0
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: it is `apt-get install -y hello=2.0` that answers 100; --explain-run shows what came before
    ");
    insta::assert_snapshot!(install(archive(), "hello/testing").refused(), @r"
    exit 11
    error: the command fails with exit status 100:
           Get:1 http://127.0.0.1:00000/debian stable InRelease [633 B]
           Get:2 http://127.0.0.1:00000/debian stable/main amd64 Packages [506 B]
           Fetched 1139 B in 0s (0 B/s)
           Reading package lists...
           Reading package lists...
           Building dependency tree...
           Reading state information...
           E: Release 'testing' for 'hello' was not found
           N: the sources have stable, test
     --> context/Dockerfile:3:1
      |
    3 | RUN apt-get update && apt-get install -y hello/testing
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: it is `apt-get install -y hello/testing` that answers 100; --explain-run shows what came before
    ");
    insta::assert_snapshot!(install(archive(), "hello:i386").refused(), @r"
    exit 11
    error: the command fails with exit status 100:
           Get:1 http://127.0.0.1:00000/debian stable InRelease [633 B]
           Get:2 http://127.0.0.1:00000/debian stable/main amd64 Packages [506 B]
           Fetched 1139 B in 0s (0 B/s)
           Reading package lists...
           Reading package lists...
           Building dependency tree...
           Reading state information...
           E: Unable to locate package hello:i386
           N: i386 is no architecture of this image: `dpkg --add-architecture i386 && apt-get update` has to come before
     --> context/Dockerfile:3:1
      |
    3 | RUN apt-get update && apt-get install -y hello:i386
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: it is `apt-get install -y hello:i386` that answers 100; --explain-run shows what came before
    ");
}

#[test]
fn no_lists_at_all() {
    let debian = Debian::published(archive(), "RUN apt-get install -y hello");
    insta::assert_snapshot!(debian.refused(), @r"
    exit 11
    error: the command fails with exit status 100:
           Reading package lists...
           Building dependency tree...
           Reading state information...
           E: Unable to locate package hello
           N: there is no list of packages for amd64: `apt-get update` has to come before, in the same line, and a source has to have some
     --> context/Dockerfile:3:1
      |
    3 | RUN apt-get install -y hello
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: it is `apt-get install -y hello` that answers 100; --explain-run shows what came before
    ");
}

#[test]
fn what_cannot_be_satisfied() {
    let mut unmet = archive();
    unmet.package(
        &control("broken", "Depends: libhello1 (>= 2.0), nothing\n"),
        &[("./", b'5', "", b"")],
    );
    unmet.package(&control("above", "Depends: broken\n"), &[("./", b'5', "", b"")]);
    insta::assert_snapshot!(install(unmet, "above").refused(), @r"
    exit 11
    error: the command fails with exit status 100:
           Building dependency tree...
           Reading state information...
           Some packages could not be installed. This may mean that you have
           requested an impossible situation or if you are using the unstable
           distribution that some required packages have not yet been created
           or been moved out of Incoming.
           The following information may help to resolve the situation:

           The following packages have unmet dependencies:
            broken : Depends: libhello1 (>= 2.0) but it is not going to be installed
                     Depends: nothing but it is not installable
           E: Unable to correct problems, you have held broken packages.
     --> context/Dockerfile:3:1
      |
    3 | RUN apt-get update && apt-get install -y above
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: it is `apt-get install -y above` that answers 100; --explain-run shows what came before
    ");
    let mut conflict = archive();
    conflict.package(&control("other", "Conflicts: hello\n"), &[("./", b'5', "", b"")]);
    insta::assert_snapshot!(install(conflict, "hello other").refused(), @r"
    exit 11
    error: the command fails with exit status 100:
           Reading package lists...
           Building dependency tree...
           Reading state information...
           Some packages could not be installed. This may mean that you have
           requested an impossible situation or if you are using the unstable
           distribution that some required packages have not yet been created
           or been moved out of Incoming.
           The following information may help to resolve the situation:

           The following packages have unmet dependencies:
            other : Conflicts: hello but 1.0 is to be installed
           E: Unable to correct problems, you have held broken packages.
     --> context/Dockerfile:3:1
      |
    3 | RUN apt-get update && apt-get install -y hello other
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: it is `apt-get install -y hello other` that answers 100; --explain-run shows what came before
    ");
}

/// Asked for twice, the store has no half of it.
#[test]
fn a_package_that_is_another() {
    let mut archive = archive();
    let path = archive.package(&control("late", ""), &[("./", b'5', "", b"")]);
    let bytes = fs::read(&path).unwrap();
    let debian = install(archive, "late");
    let changed: Vec<u8> =
        bytes.iter().map(|byte| if *byte == b'x' { b'y' } else { *byte }).collect();
    fs::write(&path, &changed).unwrap();
    let refused = debian.refused();
    insta::assert_snapshot!(refused, @r"
    exit 9
    error: failed to accept late 1.0 amd64 from http://127.0.0.1:00000/debian/pool/main/late_1.0_amd64.deb: it has the digest sha256:80ae8fcfed40069f4767852a43d3c5dcf0ecd888c793d8397272538b9990dcb1, and the archive's lists say sha256:93bf354f9b350ab0bc2671d3f7172f4bc1cb8be928c868aa9e7a625b63b7c91f
     --> context/Dockerfile:3:1
      |
    3 | RUN apt-get update && apt-get install -y late
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: the mirror is being updated, or somebody between changes what it gives: try again later, or another mirror
    ");
    assert_eq!(debian.refused(), refused);
    fs::write(&path, &bytes).unwrap();
    debian.built();
}

#[test]
fn a_package_that_is_cut_off_on_its_way() {
    let mut archive = archive();
    let path = archive.package(&control("late", ""), &[("./", b'5', "", b"")]);
    let bytes = fs::read(&path).unwrap();
    let debian = install(archive, "late");
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    insta::assert_snapshot!(debian.refused(), @r"
    exit 9
    error: failed to accept late 1.0 amd64 from http://127.0.0.1:00000/debian/pool/main/late_1.0_amd64.deb: it has the digest sha256:ca9055035b970e69f23e78896197fe8b2d2aaf7122377fa027370cb7bd7a0037, and the archive's lists say sha256:93bf354f9b350ab0bc2671d3f7172f4bc1cb8be928c868aa9e7a625b63b7c91f
     --> context/Dockerfile:3:1
      |
    3 | RUN apt-get update && apt-get install -y late
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: the mirror is being updated, or somebody between changes what it gives: try again later, or another mirror
    ");
    fs::remove_file(&path).unwrap();
    insta::assert_snapshot!(debian.refused(), @"
    exit 5
    error: failed to fetch late 1.0 amd64 from http://127.0.0.1:00000/debian/pool/main/late_1.0_amd64.deb: the archive does not have it any more (404 Not Found)
     --> context/Dockerfile:3:1
      |
    3 | RUN apt-get update && apt-get install -y late
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: the lists of packages are older than the archive: have `apt-get update` in the same line, before what is installed; where plywood.lock pins the lists, `plywood lock --upgrade` takes those of now
    ");
}

/// The archive itself has half a package, and says so in its lists.
#[test]
fn a_package_that_is_cut_off_in_the_archive() {
    let whole = testbed::deb::deb(&control("half", ""), &[("./", b'5', "", b"")]);
    let mut archive = archive();
    archive.file(&control("half", ""), &whole[..whole.len() - 700]);
    insta::assert_snapshot!(install(archive, "half").refused(), @r"
    exit 9
    error: failed to read the package half_1.0_amd64.deb: the package is cut off after 3588 bytes, in `data.tar`
     --> context/Dockerfile:3:1
      |
    3 | RUN apt-get update && apt-get install -y half
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: the package itself is incomplete or damaged: take another version, or make it anew
    ");
}

#[test]
fn packages_that_lead_out_of_the_image() {
    let mut said = Vec::new();
    for (name, members) in [
        ("up", vec![("./../../etc/passwd", b'0', "", &b"x"[..])]),
        ("absolute", vec![("/etc/passwd", b'0', "", b"x")]),
        ("linked", vec![("./a", b'2', "/etc", b""), ("./a/passwd", b'0', "", b"x")]),
        ("hard", vec![("./a", b'1', "../../etc/passwd", b"")]),
        ("device", vec![("./a", b'3', "", b"")]),
    ] {
        let mut archive = archive();
        archive.package(&control(name, ""), &members);
        said.push(install(archive, name).refused());
    }
    insta::assert_snapshot!(said.join("\n"), @r"
    exit 9
    error: failed to read the package up_1.0_amd64.deb: `./../../etc/passwd` of `data.tar` leads out of its directory
     --> context/Dockerfile:3:1
      |
    3 | RUN apt-get update && apt-get install -y up
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: the package is hostile or broken: do not use it

    exit 9
    error: failed to read the package absolute_1.0_amd64.deb: `/etc/passwd` of `data.tar` has an absolute name
     --> context/Dockerfile:3:1
      |
    3 | RUN apt-get update && apt-get install -y absolute
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: the package is hostile or broken: do not use it

    exit 9
    error: failed to read the package linked_1.0_amd64.deb: `./a/passwd` of `data.tar` is below a symbolic link
     --> context/Dockerfile:3:1
      |
    3 | RUN apt-get update && apt-get install -y linked
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: the package is hostile or broken: do not use it

    exit 9
    error: failed to read the package hard_1.0_amd64.deb: `./a` of `data.tar` is a hard link to nothing
     --> context/Dockerfile:3:1
      |
    3 | RUN apt-get update && apt-get install -y hard
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: the package is hostile or broken: do not use it

    exit 9
    error: failed to read the package device_1.0_amd64.deb: `./a` of `data.tar` is a device, which no package may contain
     --> context/Dockerfile:3:1
      |
    3 | RUN apt-get update && apt-get install -y device
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: the package is hostile or broken: do not use it
    ");
}

/// A link of one package, and a file below it of another: inside of the image it stays.
#[test]
fn a_link_that_leads_out_of_the_image() {
    let mut archive = archive();
    archive
        .package(&control("one", ""), &[("./", b'5', "", b""), ("./data", b'2', "../../..", b"")]);
    archive.package(
        &control("two", "Depends: one\n"),
        &[("./", b'5', "", b""), ("./data/", b'5', "", b""), ("./data/stays", b'0', "", b"x")],
    );
    let debian = install(archive, "one && apt-get install -y two && cat /stays");
    debian.built();
    assert!(!debian.attempt.scene.path("stays").exists());
}

#[test]
fn a_package_of_another_name_or_version() {
    let mut archive = archive();
    let bytes = testbed::deb::deb(&control("inner", ""), &[("./", b'5', "", b"")]);
    archive.file(&control("outer", ""), &bytes);
    insta::assert_snapshot!(install(archive, "outer").refused(), @r"
    exit 11
    error: the command fails with exit status 100:
           Reading package lists...
           Building dependency tree...
           Reading state information...
           The following NEW packages will be installed:
             outer
           0 upgraded, 1 newly installed, 0 to remove and 0 not upgraded.
           Need to get 4288 B of archives.
           After this operation, 0 B of additional disk space will be used.
           Get:1 http://127.0.0.1:00000/debian test/main amd64 outer amd64 1.0 [4288 B]
           Fetched 4288 B
           E: outer_1.0_amd64.deb has inner 1.0 amd64 in it, and the lists of its archive say outer 1.0 amd64
           N: the archive is hostile or broken: do not use it, or tell its owners
     --> context/Dockerfile:3:1
      |
    3 | RUN apt-get update && apt-get install -y outer
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: it is `apt-get install -y outer` that answers 100; --explain-run shows what came before
    ");
}

/// They count for what is shown as for what is installed, and what is not understood is told.
#[test]
fn pins() {
    let line = "RUN apt-get update && apt-cache policy hello && exit 3";
    let pins = "Package: hello\nPin: version 1.*\nPin-Priority: 7\n\n\
        Package: *\nPin: nonsense x\nPin-Priority: 1\n";
    let debian = Debian::published(archive(), line);
    let refused = debian.file("base/etc/apt/preferences.d/pins", pins).refused();
    insta::assert_snapshot!(refused, @r"
    exit 11
    error: the command fails with exit status 3:
           Get:1 http://127.0.0.1:00000/debian stable InRelease [633 B]
           Get:2 http://127.0.0.1:00000/debian stable/main amd64 Packages [506 B]
           Fetched 1139 B in 0s (0 B/s)
           Reading package lists...
           W: Did not understand pin type nonsense
           hello:
             Installed: (none)
             Candidate: 1.0
             Version table:
                1.0 7
                   500 http://127.0.0.1:00000/debian test/main amd64 Packages
     --> context/Dockerfile:3:1
      |
    3 | RUN apt-get update && apt-cache policy hello && exit 3
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: it is `exit 3` that answers 3; --explain-run shows what came before
    ");
}

#[test]
fn an_image_that_is_no_debian() {
    let debian = install(archive(), "hello");
    fs::remove_dir_all(debian.attempt.context("base/var")).unwrap();
    insta::assert_snapshot!(debian.refused(), @r"
    exit 11
    error: the command fails with exit status 100:
           Reading package lists...
           Building dependency tree...
           Reading state information...
           The following additional packages will be installed:
             libhello1
           The following NEW packages will be installed:
             hello libhello1
           0 upgraded, 2 newly installed, 0 to remove and 0 not upgraded.
           Need to get 12.7 kB of archives.
           After this operation, 0 B of additional disk space will be used.
           E: Could not open lock file /var/lib/dpkg/lock-frontend - open (2: No such file or directory)
           N: the image has no database of dpkg's (/var/lib/dpkg/status), so it is no Debian: build on one that is, or on `scratch` with `[debian]` in a plywood.toml
     --> context/Dockerfile:3:1
      |
    3 | RUN apt-get update && apt-get install -y hello
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: it is `apt-get install -y hello` that answers 100; --explain-run shows what came before
    ");
    fs::remove_file(debian.attempt.context("base/usr/bin/apt-get")).unwrap();
    insta::assert_snapshot!(debian.refused(), @r"
    exit 11
    error: the command fails with exit status 127:
           /bin/sh: 1: apt-get: not found
     --> context/Dockerfile:3:1
      |
    3 | RUN apt-get update && apt-get install -y hello
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: it is `apt-get update` that answers 127; --explain-run shows what came before
    ");
}

#[test]
fn files_that_are_no_packages() {
    let debian = Debian::published(archive(), "RUN apt-get install -y /tmp/none.deb");
    insta::assert_snapshot!(debian.refused(), @r"
    exit 11
    error: the command fails with exit status 100:
           E: Unsupported file /tmp/none.deb given on commandline
     --> context/Dockerfile:3:1
      |
    3 | RUN apt-get install -y /tmp/none.deb
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: it is `apt-get install -y /tmp/none.deb` that answers 100; --explain-run shows what came before
    ");
    let debian = Debian::published(archive(), "RUN dpkg -i /tmp/a.deb");
    insta::assert_snapshot!(debian.file("base/tmp/a.deb", "no package").refused(), @r"
    exit 9
    error: failed to read the package a.deb: the file is no Debian package: it is no `ar` archive
     --> context/Dockerfile:3:1
      |
    3 | RUN dpkg -i /tmp/a.deb
      | ^^^^^^^^^^^^^^^^^^^^^^
    ");
}
