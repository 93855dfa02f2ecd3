//! The same by `[debian]` in a `plywood.toml`.

use std::fs;

use testbed::debian::{ArchiveKey, Publication, SmallArchive};

use super::{Debian, archive, key};

/// An archive with these keys of `[debian]` beside its own sources; on `scratch`.
fn debian(base: &str, keys: &str) -> Debian {
    debian_of(archive(), base, keys)
}

fn debian_of(archive: SmallArchive, base: &str, keys: &str) -> Debian {
    let text = format!(
        "base = \"{base}\"\n\n[debian]\n{keys}\nsources = [\"{}\"]\nsuites = [\"stable\"]\nkeys = [\"archive.asc\"]\n",
        archive.address()
    );
    let debian = Debian::published(archive, "");
    fs::remove_file(debian.attempt.context("Dockerfile")).unwrap();
    debian.file("plywood.toml", &text).file("archive.asc", &key().public())
}

#[test]
fn what_is_right_is_built() {
    debian("scratch", "packages = [\"hello\"]").built();
}

#[test]
fn an_unknown_package() {
    insta::assert_snapshot!(debian("scratch", "packages = [\"libhello1\", \"helo\"]").refused(), @r#"
    exit 11
    error: the packages cannot be installed:
           Get:1 http://127.0.0.1:00000/debian stable InRelease [633 B]
           Get:2 http://127.0.0.1:00000/debian stable/main amd64 Packages [506 B]
           Fetched 1139 B in 0s (0 B/s)
           Reading package lists...
           Reading package lists...
           Building dependency tree...
           Reading state information...
           E: Unable to locate package helo
           N: did you mean hello?
     --> context/plywood.toml:4:26
      |
    4 | packages = ["libhello1", "helo"]
      |                          ^^^^^^
    "#);
}

#[test]
fn lists_that_are_not_believed() {
    let debian = debian("scratch", "packages = [\"hello\"]");
    insta::assert_snapshot!(debian.file("archive.asc", &ArchiveKey::of("somebody").public()).refused(), @r#"
    exit 11
    error: the lists of packages cannot be had:
           Get:1 http://127.0.0.1:00000/debian stable InRelease [633 B]
           Reading package lists...
           W: GPG error: http://127.0.0.1:00000/debian stable InRelease: The following signatures couldn't be verified because the public key is not available: NO_PUBKEY 138C474BAC71029B
           E: The repository 'http://127.0.0.1:00000/debian stable InRelease' is not signed.
           N: the key 46ABC9D513246A346FF04484138C474BAC71029B is in none of the keyrings: put the archive's key into a keyring, and name that in signed-by
           N: http://127.0.0.1:00000/debian stable is configured in /etc/apt/sources.list.d/plywood.sources:1; keys for it are those of /etc/apt/keyrings/plywood-0.asc
     --> context/plywood.toml:5:12
      |
    5 | sources = ["http://127.0.0.1:00000/debian"]
      |            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: plywood.sources is what `sources` and `suites` say, and its keyrings are those of `keys`
    "#);
}

#[test]
fn a_key_that_is_not_there() {
    let debian = debian("scratch", "packages = [\"hello\"]");
    fs::remove_file(debian.attempt.context("archive.asc")).unwrap();
    insta::assert_snapshot!(debian.refused(), @r#"
    exit 4
    error: `archive.asc` is not in the build context
     --> context/plywood.toml:7:9
      |
    7 | keys = ["archive.asc"]
      |         ^^^^^^^^^^^^^
    "#);
}

#[test]
fn lists_that_have_expired() {
    let debian = debian("scratch", "packages = [\"hello\"]");
    let fields = [("Valid-Until", "Thu, 08 Jan 2026 00:00:00 UTC")];
    debian.archive.publish(&Publication { fields: &fields, key: Some(&key()) });
    let refused = debian.refused();
    let (before, rest) = refused.split_once("invalid since ").unwrap_or((&refused, ""));
    let (_, after) = rest.split_once(')').unwrap_or(("", rest));
    insta::assert_snapshot!(format!("{before}invalid since …){after}"), @r#"
    exit 11
    error: the lists of packages cannot be had:
           Get:1 http://127.0.0.1:00000/debian stable InRelease [676 B]
           Reading package lists...
           E: Release file for http://127.0.0.1:00000/debian/dists/stable/InRelease is expired (invalid since …). Updates for this repository will not be applied.
           N: an archive that is not kept up, or a snapshot of one, needs `check-valid-until=no` in its source; in a plywood.toml, `snapshot` says that it is one
     --> context/plywood.toml:5:12
      |
    5 | sources = ["http://127.0.0.1:00000/debian"]
      |            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: plywood.sources is what `sources` and `suites` say, and its keyrings are those of `keys`
    "#);
}

/// Has `base` be an image of these files.
fn with_base(debian: &Debian, files: &[(&str, &str)]) -> [&'static str; 2] {
    let plain = debian.attempt.scene.path("plain");
    for (path, text) in files {
        let path = plain.join("files").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    fs::write(plain.join("Dockerfile"), "FROM scratch\nCOPY files /\n").unwrap();
    let output = "--output=type=oci,tar=false,dest=base";
    debian.attempt.scene.answer(&["build", output, "plain"]);
    ["--build-context", "base=oci-layout://base"]
}

#[test]
fn a_base_that_is_no_debian() {
    let debian = debian("base", "packages = [\"hello\"]");
    let words = with_base(&debian, &[("etc/alpine-release", "3.20\n")]);
    let refused = debian.attempt.refused(&words);
    insta::assert_snapshot!(debian.shown(&refused), @r"
    exit 11
    error: the packages cannot be installed:
           E: Could not open lock file /var/lib/dpkg/lock-frontend - open (2: No such file or directory)
           N: the image has no database of dpkg's (/var/lib/dpkg/status), so it is no Debian: build on one that is, or on `scratch` with `[debian]` in a plywood.toml
     --> context/plywood.toml:3:1
      |
    3 | [debian]
      | ^^^^^^^^
    ");
}

/// What an image without dpkg says of a package.
fn record(version: &str) -> String {
    format!(
        "Package: libhello1\nVersion: {version}\nArchitecture: amd64\nDescription: its library\n"
    )
}

const RECORD: &str = "var/lib/dpkg/status.d/libhello1";

/// As distroless images have it: packages are there, and no dpkg.
#[test]
fn a_base_with_records_and_no_database() {
    let debian = debian("base", "packages = [\"hello\"]");
    let words = with_base(&debian, &[(RECORD, &record("1.0"))]);
    let scene = &debian.attempt.scene;
    scene.answer(&[&["build", "--output=type=local,dest=made"], &words[..], &["context"]].concat());
    let made = scene.path("made");
    assert_eq!(
        testbed::files(&made),
        ["usr/bin/hello", "var/lib/dpkg/status.d/hello", "var/lib/dpkg/status.d/libhello1"]
    );
    insta::assert_snapshot!(fs::read_to_string(made.join("var/lib/dpkg/status.d/hello")).unwrap(), @r"
    Package: hello
    Status: install ok installed
    Maintainer: Nobody <nobody@example.org>
    Architecture: amd64
    Version: 1.0
    Depends: libhello1 (>= 1.0)
    Description: hello
    ");
    // One that would have to move.
    fs::remove_dir_all(scene.path("base")).unwrap();
    let words = with_base(&debian, &[(RECORD, &record("0.9"))]);
    insta::assert_snapshot!(debian.shown(&debian.attempt.refused(&words)), @r#"
    exit 11
    error: the packages cannot be installed:
           Reading package lists...
           Building dependency tree...
           Reading state information...
           The following additional packages will be installed:
             libhello1
           The following NEW packages will be installed:
             hello
           The following packages will be upgraded:
             libhello1
           1 upgraded, 1 newly installed, 0 to remove and 0 not upgraded.
           E: libhello1 is in the image, and would have to be another version
           N: without dpkg's database nobody knows all that it has put there: take a base with a newer one, or name a version or snapshot that fits it
     --> context/plywood.toml:4:13
      |
    4 | packages = ["hello"]
      |             ^^^^^^^
    "#);
}

#[test]
fn a_package_that_leads_out_of_the_image() {
    let mut archive = archive();
    let control = "Package: up\nVersion: 1.0\nArchitecture: amd64\n\
        Maintainer: Nobody <nobody@example.org>\nDescription: x\n";
    archive.package(control, &[("./../../etc/passwd", b'0', "", b"x")]);
    insta::assert_snapshot!(debian_of(archive, "scratch", "packages = [\"up\"]").refused(), @r"
    exit 9
    error: failed to read the package up_1.0_amd64.deb: `./../../etc/passwd` of `data.tar` leads out of its directory
     --> context/plywood.toml:3:1
      |
    3 | [debian]
      | ^^^^^^^^
      |
      = hint: the package is hostile or broken: do not use it
    ");
}

#[test]
fn an_archive_of_another_architecture() {
    let debian = debian("scratch", "packages = [\"hello\"]");
    let words = ["--platform=linux/riscv64"];
    insta::assert_snapshot!(debian.shown(&debian.attempt.refused(&words)), @r#"
    exit 11
    error: the packages cannot be installed:
           Get:1 http://127.0.0.1:00000/debian stable InRelease [633 B]
           Fetched 633 B in 0s (0 B/s)
           Reading package lists...
           N: Skipping acquire of configured file 'main/binary-riscv64/Packages' as repository 'http://127.0.0.1:00000/debian stable InRelease' doesn't support architecture 'riscv64'
           N: it is for amd64, arm64: build for one of them with `--platform`, or take a source for riscv64
           Reading package lists...
           Building dependency tree...
           Reading state information...
           E: Unable to locate package hello
           N: there is no list of packages for riscv64: `apt-get update` has to come before, in the same line, and a source has to have some
     --> context/plywood.toml:4:13
      |
    4 | packages = ["hello"]
      |             ^^^^^^^
    "#);
}

/// An archive that has gone on, and one of how it was.
fn then_and_now() -> (SmallArchive, SmallArchive) {
    let (old, mut live) = (archive(), archive());
    let newer = "Package: hello\nVersion: 2.0\nArchitecture: amd64\n\
        Maintainer: Nobody <nobody@example.org>\nDescription: hello\n";
    live.package(newer, &[("./", b'5', "", b"")]);
    let expired = [("Valid-Until", "Thu, 08 Jan 2026 00:00:00 UTC")];
    old.publish(&Publication { fields: &expired, key: Some(&key()) });
    (old, live)
}

const SNAPSHOT: &str = "packages = [\"hello\"]\nsnapshot = 2026-01-05";

/// By the archive's own word, or by an address of the recipe; what the archive has got meanwhile
/// makes no difference.
#[test]
fn snapshots() {
    let (old, live) = then_and_now();
    let template = old.snapshot("20260105T235959Z");
    let debian = debian_of(live, "scratch", SNAPSHOT);
    let fields = [("Snapshots", &*template)];
    debian.archive.publish(&Publication { fields: &fields, key: Some(&key()) });
    let named = debian.built();
    let hello = "/snapshots/20260105T235959Z/pool/main/hello_1.0_amd64.deb";
    assert!(old.asked().iter().any(|path| path == hello), "{:?}", old.asked());
    let text = fs::read_to_string(debian.attempt.context("plywood.toml")).unwrap();
    let text = text.replace(&debian.archive.address(), &template);
    assert_eq!(debian.file("plywood.toml", &text).built(), named);
}

#[test]
fn an_archive_without_snapshots() {
    let (_, live) = then_and_now();
    insta::assert_snapshot!(debian_of(live, "scratch", SNAPSHOT).refused(), @r#"
    exit 11
    error: the lists of packages cannot be had:
           Get:1 http://127.0.0.1:00000/debian stable InRelease [633 B]
           Reading package lists...
           E: Snapshots not supported for http://127.0.0.1:00000/debian/ stable (/etc/apt/sources.list.d/plywood.sources:1)
           N: its Release has no field `Snapshots`, and no `Acquire::Snapshots::URI` is set for it: write the address of the snapshot itself, which in a plywood.toml may have `@SNAPSHOTID@` in it
     --> context/plywood.toml:6:12
      |
    6 | sources = ["http://127.0.0.1:00000/debian"]
      |            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: plywood.sources is what `sources` and `suites` say, and its keyrings are those of `keys`
    "#);
}

#[test]
fn a_snapshot_that_is_not_there() {
    let (old, live) = then_and_now();
    let template = old.snapshot("20260104T235959Z");
    let debian = debian_of(live, "scratch", SNAPSHOT);
    let fields = [("Snapshots", &*template)];
    debian.archive.publish(&Publication { fields: &fields, key: Some(&key()) });
    let refused = debian.refused().replace(&old.host(), "http://127.0.0.1:11111");
    insta::assert_snapshot!(refused, @r#"
    exit 11
    error: the lists of packages cannot be had:
           Get:1 http://127.0.0.1:00000/debian stable InRelease [691 B]
           Ign:2 http://127.0.0.1:11111/snapshots/20260105T235959Z stable InRelease
           Err:3 http://127.0.0.1:11111/snapshots/20260105T235959Z stable Release
             404  Not Found
           Reading package lists...
           E: The repository 'http://127.0.0.1:11111/snapshots/20260105T235959Z stable Release' does not have a Release file.
           N: is the address right, and is there a suite of this name?
     --> context/plywood.toml:6:12
      |
    6 | sources = ["http://127.0.0.1:00000/debian"]
      |            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: plywood.sources is what `sources` and `suites` say, and its keyrings are those of `keys`
    "#);
}

#[test]
fn an_address_of_snapshots_without_a_day() {
    let (_, live) = then_and_now();
    let debian = debian_of(live, "scratch", "packages = [\"hello\"]");
    let text = fs::read_to_string(debian.attempt.context("plywood.toml")).unwrap();
    let text = text.replace("/debian\"", "/debian/@SNAPSHOTID@\"");
    insta::assert_snapshot!(debian.file("plywood.toml", &text).refused(), @r#"
    exit 3
    error: `sources` has `@SNAPSHOTID@`, and there is no `snapshot`
     --> context/plywood.toml:5:1
      |
    5 | sources = ["http://127.0.0.1:00000/debian/@SNAPSHOTID@"]
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: say of which day, such as `snapshot = 2026-11-01`
    "#);
}
