//! ELF files, good and bad.

use proptest::prelude::*;

use super::made::{MadeElf, Names};
use super::{ByteOrder, Class, Elf, ElfReader, Linking};

/// The facts on one line.
fn shown(bytes: &[u8]) -> String {
    let Some(elf) = Elf::of(bytes) else { return "none".to_owned() };
    assert_eq!(Elf::decode(&elf.encode()), Some(elf.clone()));
    let Elf { class, byte_order, kind, machine, flags, interpreter, system, isa_needed, linking } =
        elf;
    let linking = match linking {
        Linking::Dynamic { soname, needed } => format!("{soname:?} needs {needed:?}"),
        other => format!("{other:?}"),
    };
    format!(
        "{class:?} {byte_order:?} {kind} {machine} {flags:#x} {interpreter:?} {system:?} \
         {isa_needed} {linking}"
    )
}

#[test]
fn facts_are_read_in_both_classes_and_orders() {
    let plain = MadeElf::amd64("libz.so.1");
    assert_eq!(
        shown(&plain.bytes()),
        r#"Bits64 Little 3 62 0x0 None None 0 Some("libz.so.1") needs ["libc.so.6"]"#
    );
    let noted = MadeElf {
        system: Some([0, 3, 2, 0]),
        isa_needed: Some(4),
        needed: vec!["libm.so.6", "libc.so.6"],
        ..plain.clone()
    };
    assert_eq!(
        shown(&noted.bytes()),
        r#"Bits64 Little 3 62 0x0 None Some([0, 3, 2, 0]) 4 Some("libz.so.1") needs ["libm.so.6", "libc.so.6"]"#
    );
    let other = MadeElf {
        byte_order: ByteOrder::Big,
        soname: None,
        ..MadeElf::on(Class::Bits32, 20, 0x8000, "")
    };
    assert_eq!(
        shown(&MadeElf { system: Some([0, 3, 2, 0]), ..other }.bytes()),
        r#"Bits32 Big 3 20 0x8000 None Some([0, 3, 2, 0]) 0 None needs ["libc.so.6"]"#
    );
}

#[test]
fn pieces_of_any_size_tell_the_same() {
    for names in [Names::First, Names::Last] {
        let made = MadeElf {
            names,
            code: 300_000,
            system: Some([0, 3, 2, 0]),
            isa_needed: Some(2),
            ..MadeElf::amd64("libbig.so.2")
        };
        let bytes = made.bytes();
        let whole = Elf::of(&bytes).unwrap();
        assert!(matches!(whole.linking, Linking::Dynamic { soname: Some(_), .. }), "{whole:?}");
        for size in [1, 7, 4096, 65_536, 100_000] {
            let mut reader = ElfReader::default();
            bytes.chunks(size).for_each(|piece| reader.push(piece));
            assert_eq!(reader.finish().as_ref(), Some(&whole), "{size} {names:?}");
        }
        assert_eq!(Elf::read(&bytes[..]).unwrap(), Some(whole));
    }
}

#[test]
fn what_is_no_elf_file_is_none_and_what_is_cut_is_truncated() {
    for text in [&b""[..], b"\x7fEL", b"/* GNU ld script */\n", b"\x7fELF\x03\x01"] {
        assert_eq!(shown(text), "none");
    }
    let mut reader = ElfReader::default();
    reader.push(b"#!/bin/sh\n");
    assert!(reader.is_done());
    let bytes = MadeElf::amd64("libz.so.1").bytes();
    for length in [70, 300, bytes.len() - 40] {
        let elf = Elf::of(&bytes[..length]).unwrap();
        assert_eq!(elf.linking, Linking::Truncated, "{length}");
    }
    let program = MadeElf { kind: 2, ..MadeElf::amd64("a") };
    assert!(shown(&program.bytes()).starts_with("Bits64 Little 2 62"));
}

proptest! {
    #[test]
    fn hostile_files_do_no_harm(
        at in 0_usize..700, change in proptest::collection::vec(any::<u8>(), 1..16),
        size in 1_usize..400,
    ) {
        let made = MadeElf { isa_needed: Some(2), system: Some([0; 4]), ..MadeElf::amd64("a") };
        let mut bytes = made.bytes();
        let at = at.min(bytes.len() - change.len());
        bytes[at..at + change.len()].copy_from_slice(&change);
        let mut reader = ElfReader::default();
        bytes.chunks(size).for_each(|piece| reader.push(piece));
        let elf = reader.finish();
        prop_assert_eq!(&elf, &Elf::of(&bytes));
        if let Some(elf) = elf {
            prop_assert_eq!(Elf::decode(&elf.encode()), Some(elf));
        }
    }

    #[test]
    fn hostile_encodings_do_no_harm(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        let _ = Elf::decode(&bytes);
    }
}
