//! What the loader wants to know of an ELF file (elf(5); System V ABI, "Object Files").
//!
//! [`ElfReader`] takes a file's content as it passes, once and in order, and keeps little of it;
//! [`Elf::encode`] is how its facts are stored.

mod encoding;
mod reader;
mod tables;

use bstr::BString;

pub use reader::ElfReader;

/// An ELF file, as far as the loader's cache and the choice of wheels need it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Elf {
    /// How wide its addresses are.
    pub class: Class,
    /// How its numbers are written.
    pub byte_order: ByteOrder,
    /// What it is (`e_type`): [`SHARED_OBJECT`] or another.
    pub kind: u16,
    /// What it runs on (`e_machine`).
    pub machine: u16,
    /// What the machine's own ABI says (`e_flags`), such as how floats are passed.
    pub flags: u32,
    /// The loader that it asks for (`PT_INTERP`).
    pub interpreter: Option<BString>,
    /// The system that it needs, and the least version of that: the note `NT_GNU_ABI_TAG`.
    pub system: Option<[u32; 4]>,
    /// The levels of the instruction set that it needs: the property
    /// `GNU_PROPERTY_X86_ISA_1_NEEDED`, 0 if it has none.
    pub isa_needed: u32,
    /// What the loader does with it.
    pub linking: Linking,
}

/// How wide addresses are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Class {
    Bits32,
    Bits64,
}

/// How numbers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum ByteOrder {
    Little,
    Big,
}

/// What the loader does with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Linking {
    /// Nothing: there is no dynamic section.
    Static,
    /// It is dynamically linked.
    Dynamic {
        /// What it is called by others (`DT_SONAME`).
        soname: Option<BString>,
        /// What it needs (`DT_NEEDED`), in order.
        needed: Vec<BString>,
    },
    /// Nothing can be said: it ends before its tables do.
    Truncated,
    /// Nothing is known: its tables stand where they were not looked for, or are too large.
    Unread,
}

/// `ET_DYN`: a library, or a program that can be loaded anywhere.
pub const SHARED_OBJECT: u16 = 3;

impl Elf {
    /// What a file of these bytes is; `None` if it is no ELF file.
    pub fn of(bytes: &[u8]) -> Option<Elf> {
        let mut reader = ElfReader::default();
        reader.push(bytes);
        reader.finish()
    }

    /// The same for a stream, which is read to its end unless it is no ELF file.
    ///
    /// # Errors
    /// Those of the stream.
    pub fn read(mut content: impl std::io::Read) -> std::io::Result<Option<Elf>> {
        let mut reader = ElfReader::default();
        let mut buffer = vec![0; 64 << 10];
        while !reader.is_done() {
            match content.read(&mut buffer)? {
                0 => break,
                length => reader.push(&buffer[..length]),
            }
        }
        Ok(reader.finish())
    }
}

#[cfg(test)]
pub(crate) mod made;
#[cfg(test)]
mod tests;
