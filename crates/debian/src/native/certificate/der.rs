//! The distinguished encoding of ASN.1 (X.690), read strictly.

pub(super) const INTEGER: u8 = 0x02;
pub(super) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;

/// Values, one after the other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Der<'a> {
    rest: &'a [u8],
}

/// One value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Value<'a> {
    /// What it is. Tags of more than one byte are in no certificate.
    pub(super) tag: u8,
    /// Its content.
    pub(super) content: &'a [u8],
    /// With tag and length.
    pub(super) whole: &'a [u8],
}

impl<'a> Der<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Der { rest: bytes }
    }

    /// The next value; `None` if there is none, or it is not encoded rightly.
    pub(super) fn next(&mut self) -> Option<Value<'a>> {
        let (&tag, rest) = self.rest.split_first()?;
        if tag & 0x1f == 0x1f {
            return None;
        }
        let (&first, rest) = rest.split_first()?;
        let (length, rest) = match first {
            0..=0x7f => (usize::from(first), rest),
            0x81..=0x84 => {
                let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
                let length = bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
                // The shortest form is the only one.
                let is_short = bytes.first() == Some(&0) || length < 0x80;
                if is_short {
                    return None;
                }
                (length, rest)
            }
            _ => return None,
        };
        let (content, rest) = rest.split_at_checked(length)?;
        let whole = &self.rest[..self.rest.len() - rest.len()];
        self.rest = rest;
        Some(Value { tag, content, whole })
    }

    /// Goes past a value of this tag, if it is the next.
    pub(super) fn skip_if(&mut self, tag: u8) -> Option<()> {
        match self.rest.first() {
            Some(next) if *next == tag => self.next().map(|_| ()),
            _ => Some(()),
        }
    }

    /// All values that are left; `None` if one is not encoded rightly.
    pub(super) fn all(mut self) -> Option<Vec<Value<'a>>> {
        let mut values = Vec::new();
        while !self.rest.is_empty() {
            values.push(self.next()?);
        }
        Some(values)
    }
}

impl<'a> Value<'a> {
    /// The values in this one, if it is of this tag.
    pub(super) fn inside(&self, tag: u8) -> Option<Der<'a>> {
        (self.tag == tag).then(|| Der::new(self.content))
    }
}

/// A value's encoding.
pub(super) fn encoded(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![tag];
    match u8::try_from(content.len()) {
        Ok(short) if short < 0x80 => bytes.push(short),
        _ => {
            let length = content.len().to_be_bytes();
            let first = length.iter().position(|byte| *byte != 0).unwrap_or(0);
            let significant = &length[first..];
            // No length has more than eight bytes.
            bytes.push(0x80 | significant.len() as u8);
            bytes.extend_from_slice(significant);
        }
    }
    bytes.extend_from_slice(content);
    bytes
}
