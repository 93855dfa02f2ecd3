//! Certificates, good and bad.

use proptest::prelude::*;

use super::der::{Der, encoded};
use super::name::Names;
use super::{Certificate, held, written};

const SPACED: &str = include_str!("../made/spaced.pem");
const PLAIN: &str = include_str!("../made/plain.pem");

#[test]
fn text_holds_certificates_and_what_belongs_to_them() {
    let key = "-----BEGIN PRIVATE KEY-----\nSECRET\n-----END PRIVATE KEY-----\n";
    for (text, expected) in [
        (String::new(), Some(0)),
        ("text\n".to_owned(), Some(0)),
        (format!("text\n{SPACED}"), Some(1)),
        (format!("{key}{SPACED}"), Some(1)),
        (format!("{SPACED}{key}"), Some(1)),
        (format!("{SPACED}{PLAIN}{key}"), Some(2)),
        (SPACED.replace("END", "FIN"), None),
        (SPACED[..200].to_owned(), None),
        (SPACED.replacen("MII", "M!!", 1), None),
        (SPACED.replace('\n', "\r\n"), Some(1)),
    ] {
        assert_eq!(held(text.as_bytes()).map(|all| all.len()), expected, "{text}");
    }
    let all = held(PLAIN.as_bytes()).unwrap();
    let certificate = all[0].certificate.clone().unwrap();
    assert_eq!(written(&certificate.der), PLAIN.as_bytes());
    assert_eq!(Certificate::read(&certificate.der), Some(certificate));
}

/// A name of one text under the type `2.5.4.3`.
fn named(tag: u8, text: &[u8]) -> Option<u32> {
    let kind = encoded(0x06, &[0x55, 4, 3]);
    let attribute = encoded(0x30, &[kind, encoded(tag, text)].concat());
    let name = encoded(0x30, &encoded(0x31, &attribute));
    Names::read(Der::new(&name).next()?).map(|names| names.hash())
}

#[test]
fn names_that_mean_the_same_have_one_number() {
    let plain = named(0x0c, "a bä".as_bytes());
    assert!(plain.is_some());
    for (tag, text) in [
        (0x0c, "  A \t\n Bä ".as_bytes()),
        (0x14, b"a b\xe4"),
        (0x1e, b"\0A\0 \0b\0\xe4"),
        (0x1c, b"\0\0\0A\0\0\0 \0\0\0b\0\0\0\xe4"),
    ] {
        assert_eq!(named(tag, text), plain, "{tag:x} {text:?}");
    }
    // What is no text counts as it is.
    assert_ne!(named(0x04, b"a"), named(0x04, b"A"));
    for (tag, text) in [(0x0c, &b"\xff"[..]), (0x1e, b"a"), (0x1c, b"\xff\xff\xff\xff")] {
        assert_eq!(named(tag, text), None, "{tag:x} {text:?}");
    }
}

proptest! {
    #[test]
    fn hostile_certificates_do_no_harm(at in 0_usize..600, change in any::<[u8; 3]>()) {
        let all = held(SPACED.as_bytes()).unwrap();
        let mut der = all[0].certificate.clone().unwrap().der;
        let at = at.min(der.len() - 3);
        der[at..at + 3].copy_from_slice(&change);
        if let Some(certificate) = Certificate::read(&der) {
            let _ = (certificate.subject.hash(), certificate.issuer.old_hash());
        }
        let _ = Certificate::read_revocations(&der);
    }

    #[test]
    fn hostile_text_does_no_harm(text in "(-----BEGIN X509 CRL-----|\n|MIIB|-----END |=|x){0,20}") {
        let _ = held(text.as_bytes());
    }
}
