//! `apt-get update` in a small image, and what is read afterwards.

use super::*;
use crate::apt::trial::{NOW, Trial, configured};

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!("../../../tests/signatures/", $name))
    };
}

const BASE: &str = "http://h/d/dists/fixture";

/// An image with one source, and an archive that has it.
fn trial(options: &str, components: &str) -> Trial {
    let mut trial = Trial::new(|process, trial| {
        let configuration = configured(process);
        update(process, trial, &configuration)
    });
    let line = format!("deb {options}http://h/d fixture {components}\n");
    trial
        .file("etc/apt/sources.list", line)
        .file("etc/apt/trusted.gpg.d/good.asc", fixture!("good.asc"))
        .url(&format!("{BASE}/InRelease"), fixture!("lists-good.InRelease"))
        .url(&by_hash("main", b"packed\n"), b"packed\n");
    trial
}

fn by_hash(component: &str, bytes: &[u8]) -> String {
    let digest = layer::Content::of(bytes).digest.hex();
    format!("{BASE}/{component}/binary-amd64/by-hash/SHA256/{digest}")
}

#[test]
fn lists_are_where_apt_has_them() {
    let trial = trial("", "main");
    insta::assert_snapshot!(trial.show(&["apt-get"]), @r#"
    Get:1 http://h/d fixture InRelease [900 B]
    Get:2 http://h/d fixture/main amd64 Packages [7 B]
    Fetched 907 B in 0s (0 B/s)
    Reading package lists...
    /var/lib/apt/lists: 755 directory of 0
    /var/lib/apt/lists/auxfiles: 755 directory of 42
    /var/lib/apt/lists/h_d_dists_fixture_InRelease: 644 900 bytes
    /var/lib/apt/lists/h_d_dists_fixture_main_binary-amd64_Packages.xz: 644 7 bytes
    /var/lib/apt/lists/lock: 640 0 bytes
    /var/lib/apt/lists/partial: 700 directory of 42
    "#);
    let asked: Vec<Vec<String>> = trial
        .asked
        .lock()
        .unwrap()
        .iter()
        .map(|round| round.iter().map(|fetch| fetch.url.clone()).collect())
        .collect();
    assert_eq!(asked.len(), 2, "{asked:?}");
    let last = &trial.asked.lock().unwrap()[1][0];
    assert_eq!((last.size, last.sha256.is_some()), (Some(7), true));
}

#[test]
fn components_architectures_and_files_are_those_that_there_are() {
    let mut trial = trial("[arch=amd64,i386,arm64] ", "main contrib extra");
    // Not by its digest.
    trial.url(&format!("{BASE}/contrib/binary-amd64/Packages"), b"Package: a\n");
    insta::assert_snapshot!(trial.show(&["apt-get"]), @r#"
    Get:1 http://h/d fixture InRelease [900 B]
    Get:2 http://h/d fixture/main amd64 Packages [7 B]
    Get:3 http://h/d fixture/contrib amd64 Packages [11 B]
    Fetched 918 B in 0s (0 B/s)
    Reading package lists...
    !N: Skipping acquire of configured file 'main/binary-i386/Packages' as repository 'http://h/d fixture InRelease' doesn't support architecture 'i386'
    !N: Skipping acquire of configured file 'contrib/binary-i386/Packages' as repository 'http://h/d fixture InRelease' doesn't support architecture 'i386'
    !W: Skipping acquire of configured file 'extra/binary-amd64/Packages' as repository 'http://h/d fixture InRelease' doesn't have the component 'extra' (component misspelt in sources.list?)
    !W: Skipping acquire of configured file 'extra/binary-i386/Packages' as repository 'http://h/d fixture InRelease' doesn't have the component 'extra' (component misspelt in sources.list?)
    !W: Skipping acquire of configured file 'extra/binary-arm64/Packages' as repository 'http://h/d fixture InRelease' doesn't have the component 'extra' (component misspelt in sources.list?)
    /var/lib/apt/lists: 755 directory of 0
    /var/lib/apt/lists/auxfiles: 755 directory of 42
    /var/lib/apt/lists/h_d_dists_fixture_InRelease: 644 900 bytes
    /var/lib/apt/lists/h_d_dists_fixture_contrib_binary-amd64_Packages: 644 11 bytes
    /var/lib/apt/lists/h_d_dists_fixture_main_binary-amd64_Packages.xz: 644 7 bytes
    /var/lib/apt/lists/lock: 640 0 bytes
    /var/lib/apt/lists/partial: 700 directory of 42
    "#);
}

#[test]
fn what_is_there_already_is_not_fetched() {
    let mut trial = trial("", "main");
    trial
        .file("var/lib/apt/lists/h_d_dists_fixture_InRelease", fixture!("lists-good.InRelease"))
        .file("var/lib/apt/lists/h_d_dists_fixture_main_binary-amd64_Packages", b"Package: a\n")
        .file("var/lib/apt/lists/old_dists_x_InRelease", b"");
    insta::assert_snapshot!(trial.show(&["apt-get"]), @r#"
    Hit:1 http://h/d fixture InRelease
    Reading package lists...
    /var/lib/apt/lists/auxfiles: 755 directory of 42
    /var/lib/apt/lists/lock: 640 0 bytes
    /var/lib/apt/lists/old_dists_x_InRelease: gone
    /var/lib/apt/lists/partial: 700 directory of 42
    "#);
}

#[test]
fn a_bad_signature_is_an_error() {
    let mut other = trial("[signed-by=/etc/other.gpg] ", "main");
    other.file("etc/other.gpg", fixture!("other.gpg"));
    let said = other.show(&["apt-get"]);
    let name = |text: &str| {
        let words = text.split(' ').map(|word| {
            let is_name = word.len() >= 16 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
            if is_name { "#" } else { word }
        });
        words.collect::<Vec<_>>().join(" ")
    };
    let lines = |text: &str| text.lines().map(name).collect::<Vec<_>>().join("\n");
    insta::assert_snapshot!(lines(&said), @r#"
    Get:1 http://h/d fixture InRelease [900 B]
    Reading package lists...
    !W: GPG error: http://h/d fixture InRelease: The following signatures couldn't be verified because the public key is not available: NO_PUBKEY #
    !E: The repository 'http://h/d fixture InRelease' is not signed.
    !N: the key # is in none of the keyrings: put the archive's key into a keyring, and name that in signed-by
    !N: http://h/d fixture is configured in /etc/apt/sources.list:1; keys for it are those of /etc/other.gpg
    status 100
    /var/lib/apt/lists: 755 directory of 0
    /var/lib/apt/lists/auxfiles: 755 directory of 42
    /var/lib/apt/lists/lock: 640 0 bytes
    /var/lib/apt/lists/partial: 700 directory of 42
    "#);

    let mut expired = trial("[signed-by=/etc/expired.gpg] ", "main");
    expired
        .file("etc/expired.gpg", fixture!("expired.gpg"))
        .url(&format!("{BASE}/InRelease"), fixture!("lists-expired.InRelease"));
    let said = lines(&expired.show(&["apt-get"]));
    let messages: Vec<&str> = said.lines().filter(|line| line.starts_with('!')).collect();
    insta::assert_snapshot!(messages.join("\n"), @r#"
    !W: GPG error: http://h/d fixture InRelease: The following signatures were invalid: EXPKEYSIG # expired <expired@example.org>
    !E: The repository 'http://h/d fixture InRelease' is not signed.
    !N: the key # (expired <expired@example.org>) expired on 2025-01-31: get the archive's key as it is now; the archive's owners say where
    !N: http://h/d fixture is configured in /etc/apt/sources.list:1; keys for it are those of /etc/expired.gpg
    "#);

    for keys in ["[signed-by=/no.gpg] ", "[signed-by=/etc/apt/armoured.gpg] "] {
        let mut trial = trial(keys, "main");
        trial.file("etc/apt/armoured.gpg", fixture!("good.asc"));
        let said = trial.show(&["apt-get"]);
        assert!(said.contains("is not signed.") && said.contains("status 100"), "{said}");
        assert!(said.contains("!N: the keyring /"), "{said}");
    }

    let mut portal = trial("", "main");
    portal.url(&format!("{BASE}/InRelease"), b"<html>Please log in</html>");
    let said = lines(&portal.show(&["apt-get"]));
    let messages: Vec<&str> = said.lines().filter(|line| line.starts_with('!')).collect();
    insta::assert_snapshot!(messages.join("\n"), @r#"
    !E: Failed to fetch http://h/d/dists/fixture/InRelease  it is not signed
    !E: The repository 'http://h/d fixture InRelease' is not signed.
    !N: is the address right, and does the network ask for a login first?
    !N: http://h/d fixture is configured in /etc/apt/sources.list:1; keys for it are those of /etc/apt/trusted.gpg.d/good.asc
    "#);
}

#[test]
fn a_release_may_stand_apart_or_not_at_all() {
    let apart = |options| {
        let mut trial = trial(options, "main");
        trial.url(&format!("{BASE}/Release"), fixture!("lists.Release"));
        trial.file("etc/apt/sources.list", format!("deb {options}http://h/d fixture main\n"));
        trial
    };
    let without = |mut trial: Trial| {
        trial.forget(&format!("{BASE}/InRelease"));
        trial
    };
    let mut signed = without(apart(""));
    signed.url(&format!("{BASE}/Release.gpg"), fixture!("lists.Release.gpg"));
    insta::assert_snapshot!(signed.show(&["apt-get"]), @r#"
    Ign:1 http://h/d fixture InRelease
    Get:2 http://h/d fixture Release [623 B]
    Get:3 http://h/d fixture Release.gpg [228 B]
    Get:4 http://h/d fixture/main amd64 Packages [7 B]
    Fetched 858 B in 0s (0 B/s)
    Reading package lists...
    /var/lib/apt/lists: 755 directory of 0
    /var/lib/apt/lists/auxfiles: 755 directory of 42
    /var/lib/apt/lists/h_d_dists_fixture_Release: 644 623 bytes
    /var/lib/apt/lists/h_d_dists_fixture_Release.gpg: 644 228 bytes
    /var/lib/apt/lists/h_d_dists_fixture_main_binary-amd64_Packages.xz: 644 7 bytes
    /var/lib/apt/lists/lock: 640 0 bytes
    /var/lib/apt/lists/partial: 700 directory of 42
    "#);
    insta::assert_snapshot!(without(apart("")).show(&["apt-get"]), @r#"
    Ign:1 http://h/d fixture InRelease
    Get:2 http://h/d fixture Release [623 B]
    Ign:3 http://h/d fixture Release.gpg
    Reading package lists...
    !E: The repository 'http://h/d fixture Release' is not signed.
    !N: `trusted=yes` in the source uses what is not signed, whoever has made it
    !N: http://h/d fixture is configured in /etc/apt/sources.list:1; keys for it are those of /etc/apt/trusted.gpg.d/good.asc
    status 100
    /var/lib/apt/lists: 755 directory of 0
    /var/lib/apt/lists/auxfiles: 755 directory of 42
    /var/lib/apt/lists/lock: 640 0 bytes
    /var/lib/apt/lists/partial: 700 directory of 42
    "#);
    let trusted = without(apart("[trusted=yes] ")).show(&["apt-get"]);
    assert!(!trusted.contains("status") && trusted.contains("!W: The repository"), "{trusted}");

    let nothing = without(trial("", "main"));
    insta::assert_snapshot!(nothing.show(&["apt-get"]), @r#"
    Ign:1 http://h/d fixture InRelease
    Err:2 http://h/d fixture Release
      404  Not Found
    Reading package lists...
    !E: The repository 'http://h/d fixture Release' does not have a Release file.
    !N: is the address right, and is there a suite of this name?
    status 100
    /var/lib/apt/lists: 755 directory of 0
    /var/lib/apt/lists/auxfiles: 755 directory of 42
    /var/lib/apt/lists/lock: 640 0 bytes
    /var/lib/apt/lists/partial: 700 directory of 42
    "#);
    let mut flat = Trial::new(|process, trial| {
        let configuration = configured(process);
        update(process, trial, &configuration)
    });
    flat.file("etc/apt/sources.list", "deb [trusted=yes] http://u:SECRET@h/d ./\n")
        .url("http://h/d/./Packages.gz", b"packed");
    insta::assert_snapshot!(flat.show(&["apt-get"]), @r#"
    Ign:1 http://h/d ./ InRelease
    Ign:2 http://h/d ./ Release
    Get:3 http://h/d ./ Packages [6 B]
    Fetched 6 B in 0s (0 B/s)
    Reading package lists...
    !W: The repository 'http://h/d ./ Release' does not have a Release file.
    /var/lib/apt/lists: 755 directory of 0
    /var/lib/apt/lists/auxfiles: 755 directory of 42
    /var/lib/apt/lists/h_d_._Packages.gz: 644 6 bytes
    /var/lib/apt/lists/lock: 640 0 bytes
    /var/lib/apt/lists/partial: 700 directory of 42
    "#);
    let asked = flat.asked.lock().unwrap();
    assert!(
        asked.iter().flatten().all(|fetch| fetch.login.is_some() && !fetch.url.contains("SECRET"))
    );
}

#[test]
fn old_lists_and_wrong_files_are_errors() {
    let mut late = trial("", "main");
    late.now = NOW + 20 * 365 * 86_400;
    let said = late.show(&["apt-get"]);
    assert!(
        said.contains("!E: Release file for http://h/d/dists/fixture/InRelease is expired"),
        "{said}"
    );
    let mut wrong = trial("", "main");
    wrong.url(&by_hash("main", b"packed\n"), b"Packed\n");
    let said = wrong.show(&["apt-get"]);
    assert!(said.contains("Hash Sum mismatch") && said.contains("status 100"), "{said}");
    let mut lost = trial("", "main");
    lost.forget(&by_hash("main", b"packed\n"));
    insta::assert_snapshot!(lost.show(&["apt-get"]), @r#"
    Get:1 http://h/d fixture InRelease [900 B]
    Err:2 http://h/d fixture/main amd64 Packages
      404  Not Found
    Reading package lists...
    !E: Failed to fetch http://h/d/dists/fixture/main/binary-amd64/Packages.xz  404  Not Found
    !E: Some index files failed to download. They have been ignored, or old ones used instead.
    status 100
    /var/lib/apt/lists: 755 directory of 0
    /var/lib/apt/lists/auxfiles: 755 directory of 42
    /var/lib/apt/lists/lock: 640 0 bytes
    /var/lib/apt/lists/partial: 700 directory of 42
    "#);
}

#[test]
fn what_is_not_built_in_is_refused_by_name() {
    let mut said = Vec::new();
    for source in ["deb file:/srv/d s m", "deb mirror+http://h/d s m", "deb cdrom:[x]/ s m"] {
        let mut trial = trial("", "main");
        trial.file("etc/apt/sources.list", source);
        said.push(trial.show(&["apt-get"]));
    }
    said.push(trial("", "main").show(&["apt-get", "Acquire::http::Proxy-Auto-Detect=/usr/bin/x"]));
    insta::assert_snapshot!(said.join("\n"), @r"
    refused: `apt-get` has a source by `file:` (/etc/apt/sources.list:1), which is not built in: give the packages' files themselves, as in `apt-get install ./*.deb`, or serve the directory by http
    refused: `apt-get` has a source by `mirror+http:` (/etc/apt/sources.list:1), which is not built in: name one of the mirrors, by http or https
    refused: `apt-get` has a source by `cdrom:` (/etc/apt/sources.list:1), which is not built in: give the packages' files themselves, as in `apt-get install ./*.deb`, or serve the directory by http
    refused: `apt-get` is configured to run Acquire::http::Proxy-Auto-Detect
    ");
    let direct = trial("", "main");
    direct.show(&[
        "apt-get",
        "Acquire::http::Proxy=http://p:3128",
        "Acquire::http::Proxy::h=DIRECT",
    ]);
    assert_eq!(direct.asked.lock().unwrap()[0][0].proxy, crate::Proxy::Direct);
}

#[test]
fn snapshots_are_read_from_where_they_are() {
    let mut trial = trial("[snapshot=2026] ", "main");
    let at_snapshot = |url: &str| url.replace("http://h/d", "http://s/2026");
    trial
        .url(&at_snapshot(&format!("{BASE}/InRelease")), fixture!("lists-good.InRelease"))
        .url(&at_snapshot(&by_hash("main", b"packed\n")), b"packed\n");
    let option = "Acquire::Snapshots::URI::Host::h=http://s/@SNAPSHOTID@/";
    insta::assert_snapshot!(trial.show(&["apt-get", option]), @r"
    Get:1 http://h/d fixture InRelease [900 B]
    Get:2 http://s/2026 fixture InRelease [900 B]
    Get:3 http://s/2026 fixture/main amd64 Packages [7 B]
    Fetched 1807 B in 0s (0 B/s)
    Reading package lists...
    /var/lib/apt/lists: 755 directory of 0
    /var/lib/apt/lists/auxfiles: 755 directory of 42
    /var/lib/apt/lists/h_d_dists_fixture_InRelease: 644 900 bytes
    /var/lib/apt/lists/lock: 640 0 bytes
    /var/lib/apt/lists/partial: 700 directory of 42
    /var/lib/apt/lists/s_2026_dists_fixture_InRelease: 644 900 bytes
    /var/lib/apt/lists/s_2026_dists_fixture_main_binary-amd64_Packages.xz: 644 7 bytes
    ");
    insta::assert_snapshot!(trial.show(&["apt-get"]), @r"
    Get:1 http://h/d fixture InRelease [900 B]
    Reading package lists...
    !E: Snapshots not supported for http://h/d/ fixture (/etc/apt/sources.list:1)
    !N: its Release has no field `Snapshots`, and no `Acquire::Snapshots::URI` is set for it: write the address of the snapshot itself, which in a plywood.toml may have `@SNAPSHOTID@` in it
    status 100
    /var/lib/apt/lists: 755 directory of 0
    /var/lib/apt/lists/auxfiles: 755 directory of 42
    /var/lib/apt/lists/lock: 640 0 bytes
    /var/lib/apt/lists/partial: 700 directory of 42
    ");
}

#[test]
fn lists_are_read_again() {
    let mut trial = Trial::new(|process, trial| {
        let configuration = configured(process);
        let status = update(process, trial, &configuration)?;
        let Ok(archives) = read_archives(process, trial, &configuration, &[]) else { return Ok(9) };
        for archive in archives {
            let crate::apt::archive::Archive { base, component, release, .. } = archive;
            process.write(format!("{base} {} {component}\n", release.codename))?;
        }
        Ok(status)
    });
    trial
        .file("etc/apt/sources.list", "deb http://h/d fixture main\ndeb http://other/d s m\n")
        .file("etc/apt/trusted.gpg.d/good.asc", fixture!("good.asc"))
        .url(&format!("{BASE}/InRelease"), fixture!("lists-good.InRelease"))
        .url(&by_hash("main", b"packed\n"), b"packed\n");
    let said = trial.show(&["apt-get"]);
    let line = said.lines().find(|line| line.starts_with("http://h/d"));
    assert_eq!(line, Some("http://h/d fixture main"), "{said}");
}

#[test]
fn what_somebody_vouches_for_is_believed_and_nothing_else() {
    let said = |vouch: &dyn Fn(&mut Trial)| {
        let mut trial = trial("[signed-by=/etc/other.gpg] ", "main");
        trial.file("etc/other.gpg", fixture!("other.gpg"));
        vouch(&mut trial);
        trial.show(&["apt-get"])
    };
    let signed: &[u8] = fixture!("lists-good.InRelease");
    let text = signature::text_of(signed).unwrap();
    // Nobody has its bytes, and nobody asks for them.
    let mut trial = trial("[signed-by=/etc/other.gpg] ", "main");
    trial.file("etc/other.gpg", fixture!("other.gpg"));
    trial.vouched.insert(layer::Content::of(signed).digest, Arc::from(text.clone()));
    trial.forget_bytes(signed);
    insta::assert_snapshot!(trial.show(&["apt-get"]), @"
    Get:1 http://h/d fixture InRelease [900 B]
    Get:2 http://h/d fixture/main amd64 Packages [7 B]
    Fetched 907 B in 0s (0 B/s)
    Reading package lists...
    /var/lib/apt/lists: 755 directory of 0
    /var/lib/apt/lists/auxfiles: 755 directory of 42
    /var/lib/apt/lists/h_d_dists_fixture_InRelease: 644 900 bytes
    /var/lib/apt/lists/h_d_dists_fixture_main_binary-amd64_Packages.xz: 644 7 bytes
    /var/lib/apt/lists/lock: 640 0 bytes
    /var/lib/apt/lists/partial: 700 directory of 42
    ");
    // It is no other file that is vouched for, nor one that says nothing.
    let other = layer::Content::of(b"other").digest;
    let refused = said(&|trial| drop(trial.vouched.insert(other, Arc::from(text.clone()))));
    assert!(refused.contains("is not signed."), "{refused}");
    let own = layer::Content::of(signed).digest;
    let refused = said(&|trial| drop(trial.vouched.insert(own, Arc::from(&b"<html>"[..]))));
    assert!(refused.contains("Unable to parse Release file"), "{refused}");
}
