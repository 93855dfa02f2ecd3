//! Distinguished names, and the numbers that OpenSSL finds certificates by.
//!
//! The number is the beginning of a digest of the name in a form in which names that mean the same
//! are the same: text in UTF-8, in small letters, without blanks around it and with single ones in
//! it (as RFC 5280 7.1 compares names).

use md5::Md5;
use sha1::{Digest as _, Sha1};

use super::der::{OBJECT_IDENTIFIER, SEQUENCE, SET, Value, encoded};

const UTF8: u8 = 0x0c;
const PRINTABLE: u8 = 0x13;
const TELETEX: u8 = 0x14;
const IA5: u8 = 0x16;
const VISIBLE: u8 = 0x1a;
const UNIVERSAL: u8 = 0x1c;
const BASIC_MULTILINGUAL: u8 = 0x1e;

/// A distinguished name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Names {
    /// As it stands in the certificate.
    der: Vec<u8>,
    /// In the form that is digested: its parts, without what encloses them.
    canonical: Vec<u8>,
}

impl Names {
    pub(super) fn read(value: Value<'_>) -> Option<Names> {
        let mut canonical = Vec::new();
        for part in value.inside(SEQUENCE)?.all()? {
            let attributes = part.inside(SET)?.all()?;
            let attributes: Option<Vec<Vec<u8>>> = attributes.into_iter().map(attribute).collect();
            let mut attributes = attributes?;
            // X.690 11.6: a set's elements are in ascending order.
            attributes.sort();
            canonical.extend(encoded(SET, &attributes.concat()));
        }
        Some(Names { der: value.whole.to_vec(), canonical })
    }

    /// The number by which it is found since OpenSSL 1.0.
    pub(crate) fn hash(&self) -> u32 {
        beginning(&Sha1::digest(&self.canonical))
    }

    /// The number by which it was found before.
    pub(crate) fn old_hash(&self) -> u32 {
        beginning(&Md5::digest(&self.der))
    }
}

fn beginning(digest: &[u8]) -> u32 {
    digest.first_chunk::<4>().map_or(0, |bytes| u32::from_le_bytes(*bytes))
}

fn attribute(value: Value<'_>) -> Option<Vec<u8>> {
    let parts = value.inside(SEQUENCE)?.all()?;
    let [kind, text] = parts.as_slice() else { return None };
    if kind.tag != OBJECT_IDENTIFIER {
        return None;
    }
    let text = match canonical_text(text)? {
        Some(text) => encoded(UTF8, text.as_bytes()),
        None => text.whole.to_vec(),
    };
    Some(encoded(SEQUENCE, &[kind.whole, &text].concat()))
}

/// The text of a string in its canonical form; `Some(None)` for what is no string of text.
fn canonical_text(value: &Value<'_>) -> Option<Option<String>> {
    let content = value.content;
    let text: Option<String> = match value.tag {
        UTF8 => std::str::from_utf8(content).ok().map(str::to_owned),
        PRINTABLE | TELETEX | IA5 | VISIBLE => {
            Some(content.iter().map(|byte| char::from(*byte)).collect())
        }
        BASIC_MULTILINGUAL => characters::<2>(content),
        UNIVERSAL => characters::<4>(content),
        _ => return Some(None),
    };
    let text = text?;
    let words = text.split(is_blank).filter(|word| !word.is_empty());
    let joined = words.collect::<Vec<_>>().join(" ");
    Some(Some(joined.to_ascii_lowercase()))
}

fn characters<const WIDTH: usize>(content: &[u8]) -> Option<String> {
    let (units, rest) = content.as_chunks::<WIDTH>();
    let character =
        |unit: &[u8; WIDTH]| unit.iter().fold(0, |number, byte| number << 8 | u32::from(*byte));
    if !rest.is_empty() {
        return None;
    }
    units.iter().map(|unit| char::from_u32(character(unit))).collect()
}

fn is_blank(character: char) -> bool {
    matches!(character, ' ' | '\t'..='\r')
}
