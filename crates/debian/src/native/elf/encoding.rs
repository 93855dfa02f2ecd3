//! [`Elf`] as few bytes, for stores.

use bstr::{BString, ByteSlice};

use super::{ByteOrder, Class, Elf, Linking};

impl Elf {
    /// Its facts as bytes, from which [`Elf::decode`] makes it again.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![
            u8::from(self.class == Class::Bits64),
            u8::from(self.byte_order == ByteOrder::Big),
        ];
        bytes.extend_from_slice(&self.kind.to_le_bytes());
        bytes.extend_from_slice(&self.machine.to_le_bytes());
        bytes.extend_from_slice(&self.flags.to_le_bytes());
        bytes.extend_from_slice(&self.isa_needed.to_le_bytes());
        bytes.push(u8::from(self.system.is_some()));
        for number in self.system.iter().flatten() {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        put_optional(&mut bytes, self.interpreter.as_ref());
        match &self.linking {
            Linking::Static => bytes.push(0),
            Linking::Truncated => bytes.push(1),
            Linking::Unread => bytes.push(2),
            Linking::Dynamic { soname, needed } => {
                bytes.push(3);
                put_optional(&mut bytes, soname.as_ref());
                for name in needed {
                    bytes.extend_from_slice(name);
                    bytes.push(0);
                }
            }
        }
        bytes
    }

    /// What [`Elf::encode`] wrote; `None` if it did not write this.
    pub fn decode(bytes: &[u8]) -> Option<Elf> {
        let mut rest = bytes;
        let [class, byte_order] = take(&mut rest)?;
        Some(Elf {
            class: if class == 0 { Class::Bits32 } else { Class::Bits64 },
            byte_order: if byte_order == 0 { ByteOrder::Little } else { ByteOrder::Big },
            kind: u16::from_le_bytes(take(&mut rest)?),
            machine: u16::from_le_bytes(take(&mut rest)?),
            flags: u32::from_le_bytes(take(&mut rest)?),
            isa_needed: u32::from_le_bytes(take(&mut rest)?),
            system: match take(&mut rest)? {
                [0] => None,
                _ => Some([word(&mut rest)?, word(&mut rest)?, word(&mut rest)?, word(&mut rest)?]),
            },
            interpreter: optional(&mut rest)?,
            linking: match take(&mut rest)? {
                [0] => Linking::Static,
                [1] => Linking::Truncated,
                [2] => Linking::Unread,
                [3] => Linking::Dynamic { soname: optional(&mut rest)?, needed: names(rest)? },
                _ => return None,
            },
        })
    }
}

/// A 1 and a text up to a NUL, of which names in ELF files have none; or a 0.
fn put_optional(bytes: &mut Vec<u8>, text: Option<&BString>) {
    bytes.push(u8::from(text.is_some()));
    if let Some(text) = text {
        bytes.extend_from_slice(text);
        bytes.push(0);
    }
}

fn optional(bytes: &mut &[u8]) -> Option<Option<BString>> {
    match take(bytes)? {
        [0] => Some(None),
        _ => name(bytes).map(Some),
    }
}

fn names(bytes: &[u8]) -> Option<Vec<BString>> {
    let mut rest = bytes;
    let mut names = Vec::new();
    while !rest.is_empty() {
        names.push(name(&mut rest)?);
    }
    Some(names)
}

fn name(bytes: &mut &[u8]) -> Option<BString> {
    let end = bytes.find_byte(0)?;
    let name = BString::from(&bytes[..end]);
    *bytes = &bytes[end + 1..];
    Some(name)
}

fn word(bytes: &mut &[u8]) -> Option<u32> {
    take(bytes).map(u32::from_le_bytes)
}

fn take<const LENGTH: usize>(bytes: &mut &[u8]) -> Option<[u8; LENGTH]> {
    let (taken, rest) = bytes.split_first_chunk::<LENGTH>()?;
    *bytes = rest;
    Some(*taken)
}
