//! Keystores, kept by the calls that Debian's scripts make.

use insta::assert_snapshot;

use super::keystore::{Keystore, KeystoreError};
use crate::native::fixture::Image;

const JAR: &str = "/usr/share/ca-certificates-java/ca-certificates-java.jar";

fn image() -> Image {
    let mut image = Image::new();
    for directory in ["etc/ssl", "etc/ssl/certs", "etc/ssl/certs/java"] {
        image.directory(directory);
    }
    image
        .file("usr/bin/java", "\x7fELF")
        .file("etc/ssl/certs/A_b.pem", include_str!("../made/spaced.pem"))
        .file("etc/ssl/certs/c.pem", include_str!("../made/plain.pem"));
    image
}

#[test]
fn certificates_are_added_replaced_and_removed() {
    let image = image();
    let java = format!("java -Xmx64m -jar {JAR} -storepass changeit");
    let script = format!(
        "printf '%s\\n' +/etc/ssl/certs/A_b.pem +/etc/ssl/certs/c.pem +/none.pem | {java} && \
         printf '%s\\n' -/etc/ssl/certs/a_b.pem +/etc/ssl/certs/C.pem -/x '?' '' | {java}"
    );
    assert_snapshot!(image.show(&["sh", "-c", &script]), @"
    Adding debian:A_b.pem
    Adding debian:c.pem
    !Warning: there was a problem reading the certificate file /none.pem. Message:
    !  /none.pem (No such file or directory)
    Removing debian:a_b.pem
    !Warning: there was a problem reading the certificate file /etc/ssl/certs/C.pem. Message:
    !  /etc/ssl/certs/C.pem (No such file or directory)
    !Unknown input: ?
    + /etc/ssl/certs/java/cacerts 644 662 bytes
    ");
    let bytes = image.written(&["sh", "-c", &script], "etc/ssl/certs/java/cacerts");
    assert_snapshot!(bytes[..44].escape_ascii().to_string(), @r"\xfe\xed\xfe\xed\x00\x00\x00\x02\x00\x00\x00\x01\x00\x00\x00\x02\x00\x0cdebian:c.pem\x00\x00\x01\x8b\xcf\xe5h\x00\x00\x05X.50");
    assert_eq!(Keystore::read(&bytes, "changeit").unwrap().bytes("changeit"), bytes);
    assert_eq!(Keystore::read(&bytes, "SECRET").unwrap_err(), KeystoreError::Password);
    assert_eq!(Keystore::read(b"PK\x03\x04", "").unwrap_err(), KeystoreError::Format);
}

#[test]
fn other_programs_are_refused() {
    let image = image();
    assert_snapshot!(image.show(&["java", "-jar", "app.jar"]), @"refused: `java` runs app.jar");
    assert_snapshot!(image.show(&["java", "-version"]), @"refused: `java` has the option `-version`, which is not built in");
    assert_snapshot!(image.show(&["java"]), @"refused: `java` is given no program");
}
