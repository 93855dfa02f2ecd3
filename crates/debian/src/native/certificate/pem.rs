//! Certificates as text (RFC 7468, and the older words that OpenSSL takes for the same).

use base64::Engine;
use base64::engine::GeneralPurpose;
use base64::engine::general_purpose::STANDARD;
use bstr::ByteSlice;

use super::Certificate;

const BASE64: GeneralPurpose = STANDARD;

/// What a block is labelled as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Label {
    /// `CERTIFICATE`.
    Certificate,
    /// `TRUSTED CERTIFICATE`, which is followed by what it is trusted for.
    Trusted,
    /// `X509 CRL`.
    Revocations,
    /// A private key.
    Key,
}

/// What a file holds: a certificate, a revocation list, and a key that belongs to them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Held {
    /// A certificate.
    pub(crate) certificate: Option<Certificate>,
    /// A revocation list.
    pub(crate) revocations: Option<Certificate>,
    has_key: bool,
}

/// What a text holds, in order; `None` if a block of it is broken. What is not known is passed over.
pub(crate) fn held(text: &[u8]) -> Option<Vec<Held>> {
    let mut all = Vec::new();
    let mut current = Held::default();
    for (label, bytes) in blocks(text) {
        let bytes = bytes?;
        let is_taken = match label {
            Label::Certificate | Label::Trusted => current.certificate.is_some(),
            Label::Revocations => current.revocations.is_some(),
            Label::Key => current.has_key,
        };
        if is_taken {
            all.push(std::mem::take(&mut current));
        }
        match label {
            Label::Certificate | Label::Trusted => {
                current.certificate = Some(Certificate::read(&bytes)?);
            }
            Label::Revocations => {
                current.revocations = Some(Certificate::read_revocations(&bytes)?)
            }
            Label::Key => current.has_key = true,
        }
    }
    if current != Held::default() {
        all.push(current);
    }
    Some(all)
}

/// The blocks of a text that are of a known kind, and their bytes; none if they are broken.
fn blocks(text: &[u8]) -> Vec<(Label, Option<Vec<u8>>)> {
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(name) = marked(line, b"-----BEGIN ") else { continue };
        let mut body = Vec::new();
        let mut is_ended = false;
        for line in lines.by_ref() {
            if let Some(end) = marked(line, b"-----END ") {
                is_ended = end == name;
                break;
            }
            body.extend(line.iter().filter(|byte| !byte.is_ascii_whitespace()));
        }
        let label = match name {
            b"CERTIFICATE" | b"X509 CERTIFICATE" => Label::Certificate,
            b"TRUSTED CERTIFICATE" => Label::Trusted,
            b"X509 CRL" => Label::Revocations,
            _ if name.ends_with(b"PRIVATE KEY") => Label::Key,
            _ => continue,
        };
        let bytes = match label {
            // It is not looked into, and may be encrypted.
            Label::Key => Some(Vec::new()),
            _ => BASE64.decode(&body).ok(),
        };
        blocks.push((label, bytes.filter(|_| is_ended)));
    }
    blocks
}

fn marked<'a>(line: &'a [u8], mark: &[u8]) -> Option<&'a [u8]> {
    line.trim_end().strip_prefix(mark)?.strip_suffix(b"-----")
}

/// A certificate as text.
pub(crate) fn written(der: &[u8]) -> Vec<u8> {
    let mut text = b"-----BEGIN CERTIFICATE-----\n".to_vec();
    for line in BASE64.encode(der).as_bytes().chunks(64) {
        text.extend_from_slice(line);
        text.push(b'\n');
    }
    text.extend_from_slice(b"-----END CERTIFICATE-----\n");
    text
}
