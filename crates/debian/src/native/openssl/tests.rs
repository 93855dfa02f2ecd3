//! Links to certificates, and questions about them.

use insta::assert_snapshot;

use crate::native::fixture::Image;

/// Two certificates whose names mean the same.
const SPACED: &str = include_str!("../made/spaced.pem");
const PLAIN: &str = include_str!("../made/plain.pem");

fn image() -> Image {
    let mut image = Image::new();
    image
        .file("usr/bin/openssl", "\x7fELF\0OpenSSL 3.0.19 27 Jan 2026\0")
        .directory("certs")
        .file("certs/a.pem", SPACED)
        .file("certs/b.CRT", PLAIN);
    image
}

#[test]
fn links_are_named_for_what_names_mean() {
    let mut image = image();
    image
        .file("certs/c.pem", PLAIN)
        .file("certs/both.pem", [SPACED, PLAIN].concat())
        .file("certs/none.pem", "text\n")
        .file("certs/a.txt", SPACED)
        .link("certs/00000000.0", "gone.pem")
        .link("certs/1ec308a8.0", "b.CRT")
        .link("certs/1ec308a8.7", "none.pem");
    assert_snapshot!(image.show(&["openssl", "rehash", "-v", "certs"]), @"
    Doing certs
    !rehash: warning: skipping both.pem,it does not contain exactly one certificate or CRL
    !rehash: warning: skipping duplicate certificate in c.pem
    !rehash: warning: skipping none.pem,it does not contain exactly one certificate or CRL
    unlink 00000000.0
    link b.CRT -> 1ec308a8.0
    unlink 1ec308a8.7
    link a.pem -> 1ec308a8.1
    - /certs/00000000.0
    + /certs/1ec308a8.1 -> a.pem
    - /certs/1ec308a8.7
    ");
    assert_snapshot!(image.show(&["openssl", "rehash", "-n", "-compat", "certs"]), @"
    !rehash: warning: skipping both.pem,it does not contain exactly one certificate or CRL
    !rehash: warning: skipping duplicate certificate in c.pem
    !rehash: warning: skipping duplicate certificate in c.pem
    !rehash: warning: skipping none.pem,it does not contain exactly one certificate or CRL
    + /certs/093dbd8d.0 -> b.CRT
    + /certs/1ec308a8.1 -> a.pem
    + /certs/9678d86f.0 -> a.pem
    ");
    assert_snapshot!(image.show(&["openssl", "rehash", "none"]), @"
    !Skipping none, can't write
    status 1
    ");
}

#[test]
fn questions_are_answered_in_order() {
    let image = image();
    let all = ["-hash", "-subject_hash_old", "-issuer_hash", "-fingerprint"];
    let words = |rest: &[&'static str]| {
        [&["openssl", "x509", "-in", "/certs/a.pem", "-noout"], rest].concat()
    };
    assert_snapshot!(image.show(&words(&all)), @"
    1ec308a8
    9678d86f
    1ec308a8
    SHA1 Fingerprint=D9:E4:FF:35:4D:C6:0B:8D:E1:0E:D9:58:D4:9F:19:5A:53:DC:0E:F7
    ");
    assert_snapshot!(image.show(&words(&["-fingerprint", "-sha256"])), @"sha256 Fingerprint=69:53:EA:1E:7D:DC:77:65:C2:10:F5:41:CD:F8:AD:06:98:E3:FF:24:A8:3B:CD:05:B0:AD:E7:2C:85:A0:7B:69");
    assert_snapshot!(image.show(&["openssl", "x509", "-in", "/bin/sh", "-noout"]), @"
    !Could not read certificate from /bin/sh
    !Unable to load certificate
    status 1
    ");
    let script = "openssl x509 -in /certs/a.pem -outform DER -out /certs/a.der &&
        openssl x509 -inform der -in /certs/a.der | cmp - /certs/a.pem";
    assert_snapshot!(image.show(&["sh", "-c", script]), @"
    !sh: 2: cmp: not found
    status 127
    + /certs/a.der 644 601 bytes
    ");
}

#[test]
fn what_is_not_known_is_refused() {
    let image = image();
    assert_snapshot!(image.show(&["openssl", "req", "-x509"]), @"refused: `openssl` has the option `req`, which is not built in");
    assert_snapshot!(image.show(&["openssl", "x509", "-text"]), @"refused: `openssl` has the option `x509 -text`, which is not built in");
    assert_snapshot!(image.show(&["openssl", "rehash", "-x"]), @"refused: `openssl` has the option `rehash -x`, which is not built in");
    assert_snapshot!(image.show(&["openssl", "version", "-a"]), @"refused: `openssl` has the option `version -a`, which is not built in");
}
