//! Small ELF files for tests.

use super::{ByteOrder, Class};

/// An ELF file to be made: header, segments, notes, dynamic section, names.
#[derive(Debug, Clone)]
pub(crate) struct MadeElf {
    pub(crate) class: Class,
    pub(crate) byte_order: ByteOrder,
    pub(crate) kind: u16,
    pub(crate) machine: u16,
    pub(crate) flags: u32,
    pub(crate) soname: Option<&'static str>,
    pub(crate) needed: Vec<&'static str>,
    pub(crate) system: Option<[u32; 4]>,
    pub(crate) isa_needed: Option<u32>,
    /// Where the names stand.
    pub(crate) names: Names,
    /// Bytes of code between the tables.
    pub(crate) code: usize,
}

/// Where names stand in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Names {
    /// Before the code, as linkers put them.
    First,
    /// At the end, as programs put them that change a file afterwards.
    Last,
}

impl MadeElf {
    /// A library for amd64.
    pub(crate) fn amd64(soname: &'static str) -> MadeElf {
        MadeElf {
            class: Class::Bits64,
            byte_order: ByteOrder::Little,
            kind: super::SHARED_OBJECT,
            machine: 62,
            flags: 0,
            soname: Some(soname),
            needed: vec!["libc.so.6"],
            system: None,
            isa_needed: None,
            names: Names::First,
            code: 0,
        }
    }

    /// One for another machine.
    pub(crate) fn on(class: Class, machine: u16, flags: u32, soname: &'static str) -> MadeElf {
        MadeElf { class, machine, flags, ..MadeElf::amd64(soname) }
    }

    /// Its bytes.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut names = vec![0];
        let mut dynamic: Vec<(u64, u64)> = Vec::new();
        for name in &self.needed {
            dynamic.push((1, names.len() as u64));
            names.extend_from_slice(name.as_bytes());
            names.push(0);
        }
        if let Some(soname) = self.soname {
            dynamic.push((14, names.len() as u64));
            names.extend_from_slice(soname.as_bytes());
            names.push(0);
        }
        let notes = self.notes();
        let properties = self.properties();
        let (header, segment) = self.sizes();
        let tables = header + 4 * segment;
        let names_at = match self.names {
            Names::First => tables,
            Names::Last => tables + self.code + notes.len() + properties.len() + 1024,
        };
        let notes_at = (if self.names == Names::First { tables + names.len() } else { tables })
            .next_multiple_of(8);
        let properties_at = (notes_at + notes.len()).next_multiple_of(8);
        let dynamic_at = (properties_at + properties.len() + self.code).next_multiple_of(8);
        dynamic.push((5, names_at as u64 + BASE));
        dynamic.push((0, 0));
        let table: Vec<u8> = dynamic
            .iter()
            .flat_map(|(tag, value)| [self.address(*tag), self.address(*value)].concat())
            .collect();
        let end = (dynamic_at + table.len()).max(names_at + names.len());
        let mut bytes = vec![0; end];
        let mut put = |at: usize, part: &[u8]| bytes[at..at + part.len()].copy_from_slice(part);
        put(0, &self.header(header));
        let segments = [
            self.segment(1, 0, end),
            self.segment(2, dynamic_at, table.len()),
            self.segment(4, notes_at, notes.len()),
            self.segment(0x6474_e553, properties_at, properties.len()),
        ];
        put(header, &segments.concat());
        put(names_at, &names);
        put(notes_at, &notes);
        put(properties_at, &properties);
        put(dynamic_at, &table);
        bytes
    }

    fn sizes(&self) -> (usize, usize) {
        match self.class {
            Class::Bits32 => (52, 32),
            Class::Bits64 => (64, 56),
        }
    }

    fn header(&self, size: usize) -> Vec<u8> {
        let class = 1 + u8::from(self.class == Class::Bits64);
        let order = 1 + u8::from(self.byte_order == ByteOrder::Big);
        let mut bytes = vec![0x7f, b'E', b'L', b'F', class, order, 1, 0];
        bytes.resize(16, 0);
        for part in [
            self.half(self.kind),
            self.half(self.machine),
            self.word(1),
            self.address(0),
            self.address(size as u64),
            self.address(0),
            self.word(self.flags),
            self.half(size as u16),
            self.half(self.sizes().1 as u16),
            self.half(4),
            self.half(0),
            self.half(0),
            self.half(0),
        ] {
            bytes.extend(part);
        }
        bytes
    }

    fn segment(&self, kind: u32, offset: usize, size: usize) -> Vec<u8> {
        let align = self.address(1).len() as u64;
        let place = |offset: usize| self.address(offset as u64);
        let flags = self.word(4);
        let is_wide = self.class == Class::Bits64;
        [
            self.word(kind),
            if is_wide { flags.clone() } else { Vec::new() },
            place(offset),
            self.address(offset as u64 + BASE),
            place(offset),
            place(size),
            place(size),
            if is_wide { Vec::new() } else { flags },
            self.address(align),
        ]
        .concat()
    }

    fn notes(&self) -> Vec<u8> {
        let Some(system) = self.system else { return Vec::new() };
        let mut bytes = [self.word(4), self.word(16), self.word(1), b"GNU\0".to_vec()].concat();
        bytes.extend(system.iter().flat_map(|number| self.word(*number)));
        bytes
    }

    fn properties(&self) -> Vec<u8> {
        let Some(needed) = self.isa_needed else { return Vec::new() };
        let (other, isa) = (0xc000_0002, 0xc000_8002);
        let padding = vec![0; self.address(0).len() - 4];
        let property =
            |kind, value| [self.word(kind), self.word(4), self.word(value), padding.clone()];
        let all = [property(other, 3).concat(), property(isa, needed).concat()].concat();
        let head = [self.word(4), self.word(all.len() as u32), self.word(5), b"GNU\0".to_vec()];
        [head.concat(), all].concat()
    }

    fn half(&self, number: u16) -> Vec<u8> {
        self.ordered(number.to_be_bytes().to_vec())
    }

    fn word(&self, number: u32) -> Vec<u8> {
        self.ordered(number.to_be_bytes().to_vec())
    }

    fn address(&self, number: u64) -> Vec<u8> {
        match self.class {
            Class::Bits32 => self.word(number as u32),
            Class::Bits64 => self.ordered(number.to_be_bytes().to_vec()),
        }
    }

    fn ordered(&self, mut bytes: Vec<u8>) -> Vec<u8> {
        if self.byte_order == ByteOrder::Little {
            bytes.reverse();
        }
        bytes
    }
}

/// Where files are loaded to.
const BASE: u64 = 0x40_0000;
