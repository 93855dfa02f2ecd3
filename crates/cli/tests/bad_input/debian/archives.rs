//! Archives that are not to be believed.

use std::fs;

use testbed::debian::{ArchiveKey, Publication, SmallArchive};

use super::{Debian, UPDATE, archive, key};

fn line() -> String {
    format!("{UPDATE} hello")
}

/// The same with everything as it should be, so that what is refused below is refused for its own
/// reason.
#[test]
fn what_is_right_is_built() {
    Debian::published(archive(), &line()).built();
}

#[test]
fn lists_that_have_expired() {
    let archive = archive();
    let fields = [("Valid-Until", "Thu, 08 Jan 2026 00:00:00 UTC")];
    archive.publish(&Publication { fields: &fields, key: Some(&key()) });
    let refused = Debian::new(archive, &line()).refused();
    // How long ago that was is another every second.
    let (before, rest) = refused.split_once("invalid since ").unwrap_or((&refused, ""));
    let (_, after) = rest.split_once(')').unwrap_or(("", rest));
    insta::assert_snapshot!(format!("{before}invalid since …){after}"), @r"
    exit 11
    error: the command fails with exit status 100:
           Get:1 http://127.0.0.1:00000/debian stable InRelease [676 B]
           Reading package lists...
           E: Release file for http://127.0.0.1:00000/debian/dists/stable/InRelease is expired (invalid since …). Updates for this repository will not be applied.
           N: an archive that is not kept up, or a snapshot of one, needs `check-valid-until=no` in its source; in a plywood.toml, `snapshot` says that it is one
     --> context/Dockerfile:3:1
      |
    3 | RUN apt-get update && apt-get install -y hello
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: it is `apt-get update` that answers 100; --explain-run shows what came before
    ");
}

#[test]
fn a_signature_by_another_key() {
    let archive = archive();
    archive.publish(&Publication { fields: &[], key: Some(&ArchiveKey::of("somebody")) });
    insta::assert_snapshot!(Debian::new(archive, &line()).refused(), @r"
    exit 11
    error: the command fails with exit status 100:
           Get:1 http://127.0.0.1:00000/debian stable InRelease [633 B]
           Reading package lists...
           W: GPG error: http://127.0.0.1:00000/debian stable InRelease: The following signatures couldn't be verified because the public key is not available: NO_PUBKEY 5340691897B8993F
           E: The repository 'http://127.0.0.1:00000/debian stable InRelease' is not signed.
           N: the key 8509D39CEBEFF46637C910885340691897B8993F is in none of the keyrings: put the archive's key into a keyring, and name that in signed-by
           N: http://127.0.0.1:00000/debian stable is configured in /etc/apt/sources.list:1; keys for it are those of /etc/apt/trusted.gpg.d/archive.asc
     --> context/Dockerfile:3:1
      |
    3 | RUN apt-get update && apt-get install -y hello
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: it is `apt-get update` that answers 100; --explain-run shows what came before
    ");
}

#[test]
fn no_signature() {
    let archive = archive();
    archive.publish(&Publication::default());
    insta::assert_snapshot!(Debian::new(archive, &line()).refused(), @r"
    exit 11
    error: the command fails with exit status 100:
           Ign:1 http://127.0.0.1:00000/debian stable InRelease
           Get:2 http://127.0.0.1:00000/debian stable Release [355 B]
           Ign:3 http://127.0.0.1:00000/debian stable Release.gpg
           Reading package lists...
           E: The repository 'http://127.0.0.1:00000/debian stable Release' is not signed.
           N: `trusted=yes` in the source uses what is not signed, whoever has made it
           N: http://127.0.0.1:00000/debian stable is configured in /etc/apt/sources.list:1; keys for it are those of /etc/apt/trusted.gpg.d/archive.asc
     --> context/Dockerfile:3:1
      |
    3 | RUN apt-get update && apt-get install -y hello
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: it is `apt-get update` that answers 100; --explain-run shows what came before
    ");
}

#[test]
fn no_keys_in_the_base() {
    let debian = Debian::published(archive(), &line());
    fs::remove_file(debian.attempt.context("base/etc/apt/trusted.gpg.d/archive.asc")).unwrap();
    insta::assert_snapshot!(debian.refused(), @r"
    exit 11
    error: the command fails with exit status 100:
           Get:1 http://127.0.0.1:00000/debian stable InRelease [633 B]
           Reading package lists...
           W: GPG error: http://127.0.0.1:00000/debian stable InRelease: The following signatures couldn't be verified because the public key is not available: NO_PUBKEY 138C474BAC71029B
           E: The repository 'http://127.0.0.1:00000/debian stable InRelease' is not signed.
           N: the key 46ABC9D513246A346FF04484138C474BAC71029B is in none of the keyrings: put the archive's key into a keyring, and name that in signed-by
           N: http://127.0.0.1:00000/debian stable is configured in /etc/apt/sources.list:1; no keyring holds keys for it
     --> context/Dockerfile:3:1
      |
    3 | RUN apt-get update && apt-get install -y hello
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: it is `apt-get update` that answers 100; --explain-run shows what came before
    ");
}

#[test]
fn a_keyring_that_is_not_there() {
    let debian = Debian::published(archive(), &line());
    let source = format!(
        "deb [signed-by=/usr/share/keyrings/a.gpg] {} stable main\n",
        debian.archive.address()
    );
    insta::assert_snapshot!(debian.file("base/etc/apt/sources.list", &source).refused(), @r"
    exit 11
    error: the command fails with exit status 100:
           Get:1 http://127.0.0.1:00000/debian stable InRelease [633 B]
           Reading package lists...
           W: GPG error: http://127.0.0.1:00000/debian stable InRelease: The following signatures couldn't be verified because the public key is not available: NO_PUBKEY 138C474BAC71029B
           E: The repository 'http://127.0.0.1:00000/debian stable InRelease' is not signed.
           N: the key 46ABC9D513246A346FF04484138C474BAC71029B is in none of the keyrings: put the archive's key into a keyring, and name that in signed-by
           N: the keyring /usr/share/keyrings/a.gpg does not exist
           N: http://127.0.0.1:00000/debian stable is configured in /etc/apt/sources.list:1; no keyring holds keys for it
     --> context/Dockerfile:3:1
      |
    3 | RUN apt-get update && apt-get install -y hello
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: it is `apt-get update` that answers 100; --explain-run shows what came before
    ");
}

#[test]
fn a_text_that_was_changed_after_it_was_signed() {
    let debian = Debian::published(archive(), &line());
    let release = debian.archive.path("InRelease");
    let text = fs::read_to_string(&release).unwrap().replace("Codename: test", "Codename: tost");
    fs::write(&release, text).unwrap();
    insta::assert_snapshot!(debian.refused(), @r"
    exit 11
    error: the command fails with exit status 100:
           Get:1 http://127.0.0.1:00000/debian stable InRelease [633 B]
           Reading package lists...
           W: GPG error: http://127.0.0.1:00000/debian stable InRelease: The following signatures were invalid: BADSIG 138C474BAC71029B
           E: The repository 'http://127.0.0.1:00000/debian stable InRelease' is not signed.
           N: the text is not what the key 46ABC9D513246A346FF04484138C474BAC71029B has signed: the file was changed on its way, or a mirror is in the middle of an update
           N: http://127.0.0.1:00000/debian stable is configured in /etc/apt/sources.list:1; keys for it are those of /etc/apt/trusted.gpg.d/archive.asc
     --> context/Dockerfile:3:1
      |
    3 | RUN apt-get update && apt-get install -y hello
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: it is `apt-get update` that answers 100; --explain-run shows what came before
    ");
}

fn damage_lists(archive: &SmallArchive, change: impl Fn(String) -> String) {
    for path in archive.lists("amd64") {
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, change(text)).unwrap();
    }
}

#[test]
fn a_list_of_packages_that_is_another() {
    let debian = Debian::published(archive(), &line());
    damage_lists(&debian.archive, |text| text.replace("1.0", "6.6"));
    insta::assert_snapshot!(debian.refused(), @r"
    exit 9
    error: failed to accept http://127.0.0.1:00000/debian stable/main amd64 Packages: it has the digest sha256:000b81d0e8da76e78ef0f1d0bd825a2cf7208bedf0ab67d2f3c6d4afd05b5701, and the archive's lists say sha256:f5fb63e17726c97a779be93cf472936e7234bd4a4bcf9f5141f88d30b03b47d9
     --> context/Dockerfile:3:1
      |
    3 | RUN apt-get update && apt-get install -y hello
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: the mirror is being updated, or somebody between changes what it gives: try again later, or another mirror
    ");
}

#[test]
fn a_list_of_packages_that_is_cut_off() {
    let debian = Debian::published(archive(), &line());
    damage_lists(&debian.archive, |text| text[..40].to_owned());
    insta::assert_snapshot!(debian.refused(), @r"
    exit 9
    error: failed to accept http://127.0.0.1:00000/debian stable/main amd64 Packages: it has the digest sha256:6cb9a49021fb6f6a153b7a6edd6110d362f4b9db111c90965195d13d4a294a45, and the archive's lists say sha256:f5fb63e17726c97a779be93cf472936e7234bd4a4bcf9f5141f88d30b03b47d9
     --> context/Dockerfile:3:1
      |
    3 | RUN apt-get update && apt-get install -y hello
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: the mirror is being updated, or somebody between changes what it gives: try again later, or another mirror
    ");
}

#[test]
fn a_list_of_packages_that_is_not_there() {
    let debian = Debian::published(archive(), &line());
    for path in debian.archive.lists("amd64") {
        fs::remove_file(path).unwrap();
    }
    insta::assert_snapshot!(debian.refused(), @r"
    exit 11
    error: the command fails with exit status 100:
           Get:1 http://127.0.0.1:00000/debian stable InRelease [633 B]
           Err:2 http://127.0.0.1:00000/debian stable/main amd64 Packages
             404  Not Found
           Reading package lists...
           E: Failed to fetch http://127.0.0.1:00000/debian/dists/stable/main/binary-amd64/Packages  404  Not Found
           E: Some index files failed to download. They have been ignored, or old ones used instead.
     --> context/Dockerfile:3:1
      |
    3 | RUN apt-get update && apt-get install -y hello
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: it is `apt-get update` that answers 100; --explain-run shows what came before
    ");
}

#[test]
fn an_archive_of_another_architecture() {
    let archive = archive();
    archive.publish(&Publication { fields: &[("Architectures", "arm64")], key: Some(&key()) });
    insta::assert_snapshot!(Debian::new(archive, &line()).refused(), @r"
    exit 11
    error: the command fails with exit status 100:
           Get:1 http://127.0.0.1:00000/debian stable InRelease [627 B]
           Fetched 627 B in 0s (0 B/s)
           Reading package lists...
           N: Skipping acquire of configured file 'main/binary-amd64/Packages' as repository 'http://127.0.0.1:00000/debian stable InRelease' doesn't support architecture 'amd64'
           N: it is for arm64: build for one of them with `--platform`, or take a source for amd64
           Reading package lists...
           Building dependency tree...
           Reading state information...
           E: Unable to locate package hello
           N: there is no list of packages for amd64: `apt-get update` has to come before, in the same line, and a source has to have some
     --> context/Dockerfile:3:1
      |
    3 | RUN apt-get update && apt-get install -y hello
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: it is `apt-get install -y hello` that answers 100; --explain-run shows what came before
    ");
}

#[test]
fn a_suite_that_is_not_there() {
    let debian = Debian::published(archive(), &line());
    let source = format!("deb {} stabel main\n", debian.archive.address());
    insta::assert_snapshot!(debian.file("base/etc/apt/sources.list", &source).refused(), @r"
    exit 11
    error: the command fails with exit status 100:
           Ign:1 http://127.0.0.1:00000/debian stabel InRelease
           Err:2 http://127.0.0.1:00000/debian stabel Release
             404  Not Found
           Reading package lists...
           E: The repository 'http://127.0.0.1:00000/debian stabel Release' does not have a Release file.
           N: is the address right, and is there a suite of this name?
     --> context/Dockerfile:3:1
      |
    3 | RUN apt-get update && apt-get install -y hello
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: it is `apt-get update` that answers 100; --explain-run shows what came before
    ");
}

#[test]
fn a_component_that_is_not_there() {
    let debian = Debian::published(archive(), &line());
    let source = format!("deb {} stable mian\n", debian.archive.address());
    insta::assert_snapshot!(debian.file("base/etc/apt/sources.list", &source).refused(), @r"
    exit 11
    error: the command fails with exit status 100:
           Get:1 http://127.0.0.1:00000/debian stable InRelease [633 B]
           Fetched 633 B in 0s (0 B/s)
           Reading package lists...
           W: Skipping acquire of configured file 'mian/binary-amd64/Packages' as repository 'http://127.0.0.1:00000/debian stable InRelease' doesn't have the component 'mian' (component misspelt in sources.list?)
           Reading package lists...
           Building dependency tree...
           Reading state information...
           E: Unable to locate package hello
           N: there is no list of packages for amd64: `apt-get update` has to come before, in the same line, and a source has to have some
     --> context/Dockerfile:3:1
      |
    3 | RUN apt-get update && apt-get install -y hello
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: it is `apt-get install -y hello` that answers 100; --explain-run shows what came before
    ");
}

#[test]
fn a_host_that_is_not_there() {
    let debian = Debian::published(archive(), &line());
    let source = "deb http://127.0.0.1:9/debian stable main\n";
    insta::assert_snapshot!(debian.file("base/etc/apt/sources.list", source).refused(), @r"
    exit 7
    error: failed to fetch http://127.0.0.1:9/debian stable InRelease: error sending request: client error (Connect): tcp connect error: Connection refused (os error 111)
     --> context/Dockerfile:3:1
      |
    3 | RUN apt-get update && apt-get install -y hello
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: is the address in the sources of apt right, and is there a proxy to go through (`http_proxy`, `https_proxy`, or `Acquire::http::Proxy` of the image)?
    ");
}

#[test]
fn sources_that_are_none() {
    let debian = Debian::published(archive(), &line());
    let source = "deb http://127.0.0.1/debian stable main\ndep http://127.0.0.1/debian stable\n";
    insta::assert_snapshot!(debian.file("base/etc/apt/sources.list", source).refused(), @r"
    exit 11
    error: the command fails with exit status 100:
           E: Type 'dep' is not known on line 2 in source list /etc/apt/sources.list
           N: sources.list(5) has both forms
           E: The list of sources could not be read.
     --> context/Dockerfile:3:1
      |
    3 | RUN apt-get update && apt-get install -y hello
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: it is `apt-get update` that answers 100; --explain-run shows what came before
    ");
}

#[test]
fn sources_that_are_not_built_in() {
    let mut said = Vec::new();
    for address in
        ["file:/srv/debian", "copy:/srv/debian", "mirror+http://127.0.0.1/list", "cdrom:[x]/"]
    {
        let debian = Debian::published(archive(), &line());
        let source = format!("deb {address} stable main\n");
        said.push(debian.file("base/etc/apt/sources.list", &source).refused());
    }
    insta::assert_snapshot!(said.join("\n"), @r"
    exit 10
    error: this instruction needs execution: `apt-get` has a source by `file:` (/etc/apt/sources.list:1), which is not built in: give the packages' files themselves, as in `apt-get install ./*.deb`, or serve the directory by http
     --> context/Dockerfile:3:1
      |
    3 | RUN apt-get update && apt-get install -y hello
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: nothing of an image is ever run on this machine; `plywood plan --explain-run` shows how far the line is understood, and files that a RUN makes can be copied in instead

    exit 10
    error: this instruction needs execution: `apt-get` has a source by `copy:` (/etc/apt/sources.list:1), which is not built in: give the packages' files themselves, as in `apt-get install ./*.deb`, or serve the directory by http
     --> context/Dockerfile:3:1
      |
    3 | RUN apt-get update && apt-get install -y hello
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: nothing of an image is ever run on this machine; `plywood plan --explain-run` shows how far the line is understood, and files that a RUN makes can be copied in instead

    exit 10
    error: this instruction needs execution: `apt-get` has a source by `mirror+http:` (/etc/apt/sources.list:1), which is not built in: name one of the mirrors, by http or https
     --> context/Dockerfile:3:1
      |
    3 | RUN apt-get update && apt-get install -y hello
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: nothing of an image is ever run on this machine; `plywood plan --explain-run` shows how far the line is understood, and files that a RUN makes can be copied in instead

    exit 10
    error: this instruction needs execution: `apt-get` has a source by `cdrom:` (/etc/apt/sources.list:1), which is not built in: give the packages' files themselves, as in `apt-get install ./*.deb`, or serve the directory by http
     --> context/Dockerfile:3:1
      |
    3 | RUN apt-get update && apt-get install -y hello
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: nothing of an image is ever run on this machine; `plywood plan --explain-run` shows how far the line is understood, and files that a RUN makes can be copied in instead
    ");
}
