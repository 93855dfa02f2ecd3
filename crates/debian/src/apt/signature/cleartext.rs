//! A text that is signed where it stands (RFC 9580, section 7), taken apart strictly: nothing
//! stands outside of what is signed.

use bstr::ByteSlice;

use super::SignatureError;
use super::armor::blocks;

/// A signed text, taken apart.
pub(super) struct Cleartext {
    /// The text, with a newline behind each line.
    pub text: Vec<u8>,
    /// What is signed: without blanks at the ends of lines, which have a carriage return.
    pub signed: Vec<u8>,
    /// The packets of the signatures.
    pub signatures: Vec<u8>,
}

const BEGIN: &[u8] = b"-----BEGIN PGP SIGNED MESSAGE-----";
const SIGNATURE: &[u8] = b"-----BEGIN PGP SIGNATURE-----";
const END: &[u8] = b"-----END PGP SIGNATURE-----";

/// Takes a signed text apart.
pub(super) fn split(file: &[u8]) -> Result<Cleartext, SignatureError> {
    let mut lines = file.split_inclusive(|byte| *byte == b'\n');
    let malformed = |what| Err(SignatureError::Malformed { what });
    if lines.next().map(<[u8]>::trim_end) != Some(BEGIN) {
        return Err(SignatureError::Unsigned);
    }
    loop {
        match lines.next().map(<[u8]>::trim_end) {
            Some(b"") => break,
            // Which digests are used, the signatures themselves say.
            Some(header) if header.starts_with(b"Hash: ") => {}
            Some(_) => return malformed("there is a header that is not signed"),
            None => return malformed("it ends before its text"),
        }
    }
    let (mut text, mut signed) = (Vec::new(), Vec::new());
    let mut is_first = true;
    let signature = loop {
        let Some(line) = lines.next() else { return malformed("it ends before its signature") };
        let line = match line.trim_end() {
            SIGNATURE => break line,
            dashed if dashed.starts_with(b"-") && !dashed.starts_with(b"- ") => {
                return malformed("a line with a dash in it is not escaped");
            }
            _ => line.strip_prefix(b"- ").unwrap_or(line),
        };
        let line = line.trim_end_with(|letter| matches!(letter, ' ' | '\t' | '\r' | '\n'));
        if !std::mem::take(&mut is_first) {
            signed.extend_from_slice(b"\r\n");
        }
        signed.extend_from_slice(line);
        text.extend_from_slice(line);
        text.push(b'\n');
    };
    let mut armoured = signature.to_vec();
    for line in lines.by_ref() {
        armoured.extend_from_slice(line);
        if line.trim_end() == END {
            break;
        }
    }
    if lines.any(|line| !line.trim().is_empty()) {
        return malformed("something stands behind its signature");
    }
    let mut found = blocks(&armoured).map_err(SignatureError::Armor)?;
    match (found.pop(), found.pop()) {
        (Some(block), None) => Ok(Cleartext { text, signed, signatures: block.bytes }),
        _ => malformed("it has no signature"),
    }
}
