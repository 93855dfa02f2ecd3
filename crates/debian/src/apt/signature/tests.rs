//! Every fixture, and what is said of it.

use super::*;

/// 2026-01-01.
const NOW: i64 = 1_767_225_600;

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!("../../../tests/signatures/", $name))
    };
}

fn keyring(bytes: &[u8]) -> Keyring {
    let mut keyring = Keyring::default();
    keyring.add(bytes).unwrap();
    keyring
}

/// What is said of a text, with fingerprints and the like left out: `good`, or the error with every
/// fingerprint as `#`.
fn said(file: &[u8], keyring: &Keyring, signers: Signers<'_>) -> String {
    shown_result(verify_cleartext(file, keyring, signers, NOW))
}

fn shown_result(result: Result<Signed, SignatureError>) -> String {
    match result {
        Ok(signed) => {
            assert_eq!(signed.text, fixture!("Release"));
            assert_eq!(signed.signer.len(), 40);
            "good".to_owned()
        }
        Err(error) => {
            let text = error.to_string();
            let words = text.split(' ').map(|word| {
                let is_name = word.len() >= 16 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
                if is_name { "#" } else { word }
            });
            words.collect::<Vec<_>>().join(" ")
        }
    }
}

#[test]
fn texts_are_believed_that_are_signed_well() {
    let good = fixture!("good.gpg");
    let subkeyed = fixture!("subkeyed.gpg");
    let rsa = fixture!("rsa.gpg");
    let cases: &[(&[u8], &[u8], &str)] = &[
        (fixture!("good.InRelease"), good, "good"),
        (fixture!("good.InRelease"), fixture!("good.asc"), "good"),
        (fixture!("good.InRelease"), fixture!("all.gpg"), "good"),
        (fixture!("rsa.InRelease"), rsa, "good"),
        (fixture!("p256.InRelease"), fixture!("p256.gpg"), "good"),
        (fixture!("subkey.InRelease"), subkeyed, "good"),
        (fixture!("both.InRelease"), good, "good"),
        (fixture!("both.InRelease"), fixture!("other.gpg"), "good"),
        (fixture!("good.InRelease"), fixture!("other.gpg"), "the key # is in none of the keyrings"),
        (
            fixture!("both.InRelease"),
            rsa,
            "the key # is in none of the keyrings; the key # is in none of the keyrings",
        ),
        (
            fixture!("expired.InRelease"),
            fixture!("expired.gpg"),
            "the key # (expired <expired@example.org>) expired on 2025-01-31",
        ),
        (
            fixture!("revoked.InRelease"),
            fixture!("revoked.gpg"),
            "the key # (revoked <revoked@example.org>) is revoked",
        ),
        (
            fixture!("useless.InRelease"),
            fixture!("useless.gpg"),
            "the key # (useless <useless@example.org>) is not for signing",
        ),
        (
            fixture!("young.InRelease"),
            fixture!("young.gpg"),
            "the signature of the key # was made on 2027-07-01, which is to come",
        ),
        (
            fixture!("weakrsa.InRelease"),
            fixture!("weakrsa.gpg"),
            "the key # (weakrsa <weakrsa@example.org>) is too weak: RSA of 1024 bits",
        ),
        (
            fixture!("dsa.InRelease"),
            fixture!("dsa.gpg"),
            "the key # (dsa <dsa@example.org>) is too weak: DSA",
        ),
        (
            fixture!("subkey-expired.InRelease"),
            subkeyed,
            "the key # (subkeyed <subkeyed@example.org>) expired on 2025-01-31",
        ),
        (
            fixture!("subkey-revoked.InRelease"),
            subkeyed,
            "the key # (subkeyed <subkeyed@example.org>) is revoked",
        ),
        (
            fixture!("subkey.InRelease"),
            fixture!("adopted.gpg"),
            "the key # (other <other@example.org>) says nothing valid of itself",
        ),
        (
            fixture!("md5.InRelease"),
            rsa,
            "the signature of the key # is made with MD5, which is too weak",
        ),
        (
            fixture!("sha1.InRelease"),
            good,
            "the signature of the key # is made with SHA1, which is too weak",
        ),
        (
            fixture!("ripemd160.InRelease"),
            good,
            "the signature of the key # is made with RIPEMD160, which is too weak",
        ),
        (
            fixture!("signature-expired.InRelease"),
            good,
            "the signature of the key # expired on 2025-01-20",
        ),
        (
            fixture!("future.InRelease"),
            good,
            "the signature of the key # was made on 2030-01-01, which is to come",
        ),
        (fixture!("tampered.InRelease"), good, "the text is not what the key # has signed"),
        (fixture!("before.InRelease"), good, "it is not signed"),
        (fixture!("Release"), good, "it is not signed"),
        (
            fixture!("after.InRelease"),
            good,
            "it is no well-formed signed text: something stands behind its signature",
        ),
        (
            fixture!("twice.InRelease"),
            good,
            "it is no well-formed signed text: something stands behind its signature",
        ),
        (
            fixture!("header.InRelease"),
            good,
            "it is no well-formed signed text: there is a header that is not signed",
        ),
        (
            fixture!("unescaped.InRelease"),
            good,
            "it is no well-formed signed text: a line with a dash in it is not escaped",
        ),
        (
            fixture!("truncated.InRelease"),
            good,
            "its signature cannot be read: an armoured block has no end",
        ),
        (
            fixture!("unfinished.InRelease"),
            good,
            "it is no well-formed signed text: it ends before its signature",
        ),
    ];
    for (file, keys, expected) in cases {
        assert_eq!(said(file, &keyring(keys), Signers::All), *expected);
    }
}

#[test]
fn blanks_at_ends_of_lines_are_not_signed_and_not_believed() {
    let file = fixture!("good.InRelease").replace("Suite: stable\n", "Suite: stable \t\r\n");
    assert_eq!(said(&file, &keyring(fixture!("good.gpg")), Signers::All), "good");
}

#[test]
fn only_named_keys_may_sign() {
    let lines = fixture!("fingerprints").to_str_lossy();
    let [good, other, primary, subkey] = lines.lines().collect::<Vec<_>>()[..] else { panic!() };
    let refused = "the key # is not one of those that may sign this";
    let exactly = |key: &str| format!("{key}!");
    let all = keyring(fixture!("all.gpg"));
    let cases: &[(&[u8], &[&str], &str)] = &[
        (fixture!("good.InRelease"), &[good], "good"),
        (fixture!("good.InRelease"), &[&good.to_lowercase()], "good"),
        (fixture!("good.InRelease"), &[other, &exactly(good)], "good"),
        (fixture!("good.InRelease"), &[other], refused),
        (fixture!("good.InRelease"), &[], refused),
        (fixture!("subkey.InRelease"), &[primary], "good"),
        (fixture!("subkey.InRelease"), &[subkey], "good"),
        (fixture!("subkey.InRelease"), &[&exactly(subkey)], "good"),
        (fixture!("subkey.InRelease"), &[&exactly(primary)], refused),
    ];
    for (file, names, expected) in cases {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(said(file, &all, Signers::Only(&names)), *expected, "{names:?}");
    }
}

#[test]
fn detached_signatures_are_armoured_or_not() {
    let text = fixture!("Release");
    type Case<'c> = (&'c [u8], &'c [u8], &'c [u8], &'c str);
    let cases: &[Case<'_>] = &[
        (text, fixture!("good.Release.gpg"), fixture!("good.gpg"), "good"),
        (text, fixture!("binary.Release.gpg"), fixture!("rsa.gpg"), "good"),
        (
            b"",
            fixture!("good.Release.gpg"),
            fixture!("good.gpg"),
            "the text is not what the key # has signed",
        ),
        (
            text,
            fixture!("good.Release.gpg"),
            fixture!("rsa.gpg"),
            "the key # is in none of the keyrings",
        ),
        (text, b"", fixture!("good.gpg"), "it is not signed"),
        (text, b"<html>", fixture!("good.gpg"), "it is not signed"),
        (
            text,
            &fixture!("binary.Release.gpg")[..200],
            fixture!("rsa.gpg"),
            "it is no well-formed signed text: its signature is empty or cut off",
        ),
    ];
    for (text, signature, keys, expected) in cases {
        let result = verify_detached(text, signature, &keyring(keys), Signers::All, NOW);
        assert_eq!(shown_result(result), *expected);
    }
}

#[test]
fn what_is_no_keyring_is_told() {
    let mut keyring = Keyring::default();
    let mut add = |name: &str, bytes: &[u8]| match keyring.add_file(name, bytes) {
        Ok(()) => "read".to_owned(),
        Err(error) => error.to_string(),
    };
    assert_eq!(add("a.gpg", fixture!("good.gpg")), "read");
    assert_eq!(add("a.asc", fixture!("good.asc")), "read");
    insta::assert_snapshot!(add("a.gpg", fixture!("good.asc")), @"is armoured, and apt reads such a file only if its name ends with .asc: name it so, or use `gpg --dearmor`");
    insta::assert_snapshot!(add("a.asc", fixture!("good.gpg")), @"is not armoured, and apt reads such a file only if its name ends with .gpg: name it so");
    insta::assert_snapshot!(add("a.gpg", fixture!("keybox.gpg")), @"is a keybox, which apt does not read: write the keys with `gpg --export`");
    insta::assert_snapshot!(add("a.gpg", b""), @"holds no key");
    insta::assert_snapshot!(add("a.gpg", b"<html>not found</html>"), @"holds no key");
    assert_eq!(keyring.fingerprints().len(), 2);
}

#[test]
fn hostile_bytes_are_errors() {
    let all = keyring(fixture!("all.gpg"));
    let file = fixture!("both.InRelease");
    // Each takes a while where nothing is optimized.
    for end in (0..file.len()).step_by(41).chain([file.len() - 1]) {
        let cut = verify_cleartext(&file[..end], &all, Signers::All, NOW);
        // Without its last newline it is whole.
        assert_eq!(cut.is_ok(), end + 1 >= file.len(), "{end}");
    }
    let keys = fixture!("subkeyed.gpg");
    let signed = fixture!("subkey.InRelease");
    for at in (0..keys.len()).step_by(97) {
        let mut changed = keys.to_vec();
        changed[at] ^= 0x41;
        let mut keyring = Keyring::default();
        if keyring.add(&changed).is_ok() {
            // It is good or not, and never more than that.
            let _ = verify_cleartext(signed, &keyring, Signers::All, NOW);
        }
    }
}
