//! Wheels that are refused, one by one, each by what is wrong with it.

use std::error::Error;
use std::io::Read;

use super::zip::{FILENAME, Header, PROGRAM, Part, Zip, info};
use crate::wheel::limits::Limits;
use crate::wheel::{Wheel, WheelError, WheelFault, read};

/// What is wrong, and what to do.
fn told(error: &WheelError) -> String {
    let hint = error.hint().map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
    format!("{}{hint}", error.fault)
}

fn refused(zip: &Zip) -> String {
    told(&zip.read().unwrap_err())
}

/// A wheel with one file, which is changed.
fn changed(change: impl FnOnce(&mut Part)) -> String {
    let mut zip = Zip::wheel(&[("a.py", "a = 1\n")]);
    change(zip.part("a.py"));
    refused(&zip)
}

fn named(name: &[u8]) -> String {
    changed(|part| part.set(|header: &mut Header| header.name = name.to_vec()))
}

fn with_bytes(change: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut bytes = Zip::wheel(&[("a.py", "a = 1\n")]).bytes();
    change(&mut bytes);
    told(&Wheel::read(&bytes, bytes.len() as u64, FILENAME).unwrap_err())
}

#[test]
fn says_which_wheel() {
    let error = Wheel::read(&b"".as_slice(), 0, "a.whl").unwrap_err();
    insta::assert_snapshot!(error, @"install the wheel `a.whl`");
    insta::assert_snapshot!(told(&error), @"
    its name does not say NAME-VERSION-PYTHON-ABI-PLATFORM.whl
    hint: give it the name that it was built with, such as `six-1.16.0-py3-none-any.whl`
    ");
    assert_eq!(error.source().unwrap().to_string(), error.fault.to_string());
}

#[test]
fn no_whole_zips() {
    insta::assert_snapshot!(with_bytes(|bytes| bytes.clear()), @"
    it is not a whole zip archive (no end of central directory)
    hint: the wheel is incomplete or damaged: fetch or build it again
    ");
    insta::assert_snapshot!(with_bytes(|bytes| bytes.truncate(bytes.len() / 2)), @"
    it is not a whole zip archive (no end of central directory)
    hint: the wheel is incomplete or damaged: fetch or build it again
    ");
    insta::assert_snapshot!(with_bytes(|bytes| bytes.truncate(bytes.len() - 1)), @"
    it is not a whole zip archive (its end is cut off)
    hint: the wheel is incomplete or damaged: fetch or build it again
    ");
    insta::assert_snapshot!(with_bytes(|bytes| bytes.push(0)), @"
    it is not a whole zip archive (its end is not where it says)
    hint: the wheel is incomplete or damaged: fetch or build it again
    ");
    insta::assert_snapshot!(with_bytes(|bytes| drop(bytes.splice(0..0, *b"MZ"))), @"
    it is not a whole zip archive (its directory is not where it says)
    hint: the wheel is incomplete or damaged: fetch or build it again
    ");
    let end = |bytes: &[u8]| bytes.len() - 22;
    insta::assert_snapshot!(with_bytes(|bytes| { let at = end(bytes) + 4; bytes[at] = 1 }), @"
    it is not a whole zip archive (it is one part of several)
    hint: the wheel is incomplete or damaged: fetch or build it again
    ");
    insta::assert_snapshot!(with_bytes(|bytes| { let at = end(bytes) + 12; bytes[at] ^= 1 }), @"
    it is not a whole zip archive (its directory is not where it says)
    hint: the wheel is incomplete or damaged: fetch or build it again
    ");
    insta::assert_snapshot!(with_bytes(|bytes| {
        let at = end(bytes);
        bytes[at + 8] -= 1;
        bytes[at + 10] -= 1;
    }), @"the zip's directory is malformed (there is more in it than it announces)");
    insta::assert_snapshot!(with_bytes(|bytes| {
        let at = end(bytes);
        bytes[at + 8] += 1;
        bytes[at + 10] += 1;
    }), @"the zip's directory is malformed (a record is cut off)");
    let mut hidden = Zip::wheel(&[]);
    hidden.comment = b"PK\x05\x06 and more of what looks like an end".to_vec();
    insta::assert_snapshot!(refused(&hidden), @"
    it is not a whole zip archive (its end is not where it says)
    hint: the wheel is incomplete or damaged: fetch or build it again
    ");
}

#[test]
fn wrong_zip64() {
    let mut zip = Zip::wheel(&[]);
    zip.zip64 = true;
    let bytes = zip.bytes();
    let with = |at: usize, value: u8| {
        let mut bytes = bytes.clone();
        let at = bytes.len() - at;
        bytes[at] = value;
        told(&Wheel::read(&bytes, bytes.len() as u64, FILENAME).unwrap_err())
    };
    insta::assert_snapshot!(with(22 + 20 - 8, 1), @"
    it is not a whole zip archive (its zip64 end is not where it says)
    hint: the wheel is incomplete or damaged: fetch or build it again
    ");
    insta::assert_snapshot!(with(22 + 20 - 16, 2), @"
    it is not a whole zip archive (it is one part of several)
    hint: the wheel is incomplete or damaged: fetch or build it again
    ");
    insta::assert_snapshot!(with(22 - 10, 3), @"
    it is not a whole zip archive (its two ends disagree)
    hint: the wheel is incomplete or damaged: fetch or build it again
    ");
    insta::assert_snapshot!(with(22 + 20 + 56 - 4, 45), @"
    it is not a whole zip archive (its zip64 end is not where it says)
    hint: the wheel is incomplete or damaged: fetch or build it again
    ");
}

#[test]
fn names_that_are_no_paths() {
    insta::assert_snapshot!(named(b"/etc/passwd"), @"
    its member `/etc/passwd` has an absolute path
    hint: the wheel is hostile or broken: do not use it
    ");
    insta::assert_snapshot!(named(b"a/../../etc/passwd"), @"
    its member `a/../../etc/passwd` has a `..` in its path
    hint: the wheel is hostile or broken: do not use it
    ");
    insta::assert_snapshot!(named(b"a\\b.py"), @r"
    its member `a\b.py` has a backslash in its path
    hint: the wheel is hostile or broken: do not use it
    ");
    insta::assert_snapshot!(named(b"a.py\0.txt"), @"
    its member `a.py�.txt` has a control character in its name
    hint: the wheel is hostile or broken: do not use it
    ");
    insta::assert_snapshot!(named(b"\xff.py"), @"
    its member `�.py` has a name that is not UTF-8
    hint: the wheel is hostile or broken: do not use it
    ");
    insta::assert_snapshot!(named("ä.py".as_bytes()), @"
    its member `ä.py` has a name that is not marked as UTF-8
    hint: the wheel is hostile or broken: do not use it
    ");
    insta::assert_snapshot!(named(b""), @"
    its member `` has no name
    hint: the wheel is hostile or broken: do not use it
    ");
    insta::assert_snapshot!(named(b"//"), @"
    its member `//` has no name
    hint: the wheel is hostile or broken: do not use it
    ");
    insta::assert_snapshot!(named(&[b'a'; 5000]), @"
    its member `aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…` has a name that is longer than any path (4096 bytes)
    hint: the wheel is hostile or broken: do not use it
    ");
}

#[test]
fn members_that_are_read_two_ways() {
    let mut twice = Zip::wheel(&[("a.py", "a = 1\n")]);
    twice.parts.push(Part::new("a.py", PROGRAM, b"a = 2\n"));
    insta::assert_snapshot!(refused(&twice), @"
    it has two members `a.py`
    hint: the wheel is hostile or broken: do not use it
    ");
    insta::assert_snapshot!(changed(|part| part.local.name = b"b.py".to_vec()), @"
    its member `a.py` has another name in the zip's directory than before its bytes
    hint: the wheel is hostile or broken: do not use it
    ");
    insta::assert_snapshot!(changed(|part| part.local.method = 0), @"
    its member `a.py` has another compression in the zip's directory than before its bytes
    hint: the wheel is hostile or broken: do not use it
    ");
    insta::assert_snapshot!(changed(|part| part.local.flags = 1 << 11), @"
    its member `a.py` has another set of flags in the zip's directory than before its bytes
    hint: the wheel is hostile or broken: do not use it
    ");
    insta::assert_snapshot!(changed(|part| part.local.crc32 ^= 1), @"
    its member `a.py` has another checksum in the zip's directory than before its bytes
    hint: the wheel is hostile or broken: do not use it
    ");
    insta::assert_snapshot!(changed(|part| part.local.crc32 = 0), @"
    its member `a.py` has another checksum in the zip's directory than before its bytes
    hint: the wheel is hostile or broken: do not use it
    ");
    insta::assert_snapshot!(changed(|part| part.local.size += 1), @"
    its member `a.py` has another size in the zip's directory than before its bytes
    hint: the wheel is hostile or broken: do not use it
    ");
    insta::assert_snapshot!(changed(|part| part.local.packed_size -= 1), @"
    its member `a.py` has another size in the zip's directory than before its bytes
    hint: the wheel is hostile or broken: do not use it
    ");
    insta::assert_snapshot!(changed(|part| part.offset = Some(1)), @"
    its member `a.py` has another place in the zip's directory than before its bytes
    hint: the wheel is hostile or broken: do not use it
    ");
    let unicode_path =
        [&0x7075u16.to_le_bytes()[..], &9u16.to_le_bytes(), b"\x01CRC.b.py"].concat();
    insta::assert_snapshot!(changed(|part| part.central.extra = unicode_path), @"
    its member `a.py` is damaged (it has two names)
    hint: the wheel is incomplete or damaged: fetch or build it again
    ");
    let cut_off = [&1u16.to_le_bytes()[..], &9u16.to_le_bytes(), b"1234"].concat();
    insta::assert_snapshot!(changed(|part| part.central.extra = cut_off.clone()), @"
    its member `a.py` is damaged (an extra field is cut off)
    hint: the wheel is incomplete or damaged: fetch or build it again
    ");
    insta::assert_snapshot!(changed(|part| part.local.extra = cut_off.clone()), @"
    its member `a.py` is damaged (an extra field is cut off)
    hint: the wheel is incomplete or damaged: fetch or build it again
    ");
    let twice = [&1u16.to_le_bytes()[..], &[0, 0], &1u16.to_le_bytes(), &[0, 0]].concat();
    insta::assert_snapshot!(changed(|part| part.central.extra = twice), @"
    its member `a.py` is damaged (it has two zip64 fields)
    hint: the wheel is incomplete or damaged: fetch or build it again
    ");
}

#[test]
fn shared_bytes() {
    let mut zip = Zip::wheel(&[("a.py", "a = 1\n")]);
    // A quine's trick: a member in the bytes of another one.
    let inner = Zip { parts: vec![Part::new("b.py", PROGRAM, b"b = 1\n")], ..Zip::default() };
    let local = inner.bytes();
    let offset = zip.bytes().windows(4).rposition(|bytes| bytes == b"PK\x03\x04").unwrap();
    let outer = Part::packed("c.bin", PROGRAM, &local, 0, local.clone());
    zip.parts.insert(0, outer);
    let mut shared = Part::new("b.py", PROGRAM, b"b = 1\n");
    shared.offset = Some(30 + "c.bin".len() as u32);
    zip.parts.push(shared);
    assert!(offset > 0);
    insta::assert_snapshot!(refused(&zip), @"
    its members `c.bin` and `b.py` share bytes
    hint: the wheel is hostile or broken: do not use it
    ");
}

#[test]
fn encrypted_or_packed_otherwise() {
    for bit in [0, 6, 13] {
        let told = changed(|part| part.set(|header| header.flags = 1 << bit));
        assert!(told.starts_with("its member `a.py` is encrypted\n"), "{told}");
    }
    let method = |method| changed(|part| part.set(|header| header.method = method));
    insta::assert_snapshot!(method(9), @"
    its member `a.py` is compressed by Deflate64
    hint: unpack it and pack it again with `wheel pack`, which deflates
    ");
    insta::assert_snapshot!(method(12), @"
    its member `a.py` is compressed by bzip2
    hint: unpack it and pack it again with `wheel pack`, which deflates
    ");
    insta::assert_snapshot!(method(14), @"
    its member `a.py` is compressed by LZMA
    hint: unpack it and pack it again with `wheel pack`, which deflates
    ");
    insta::assert_snapshot!(method(98), @"
    its member `a.py` is compressed by method 98
    hint: unpack it and pack it again with `wheel pack`, which deflates
    ");
    insta::assert_snapshot!(method(0), @"
    its member `a.py` is damaged (it is stored in another size)
    hint: the wheel is incomplete or damaged: fetch or build it again
    ");
    insta::assert_snapshot!(changed(|part| part.set(|header| header.flags = 1 << 5)), @"
    its member `a.py` is compressed by a patch
    hint: unpack it and pack it again with `wheel pack`, which deflates
    ");
}

#[test]
fn bombs() {
    let limits =
        Limits { members: 5, directory: 1000, file: 1000, total: 2000, ratio: 1, text: 900 };
    let check = |files: &[(&str, &str)]| {
        let bytes = Zip::wheel(files).bytes();
        let size = bytes.len() as u64;
        told(&read::read(&bytes, size, FILENAME, limits).unwrap_err())
    };
    insta::assert_snapshot!(check(&[("a", ""), ("b", ""), ("c", "")]), @"
    it has more than 5 members
    hint: the wheel is hostile or broken: do not use it
    ");
    insta::assert_snapshot!(check(&[(&"a".repeat(900), "")]), @"
    it has more than 1000 bytes in its directory
    hint: the wheel is hostile or broken: do not use it
    ");
    insta::assert_snapshot!(check(&[("a", &"a".repeat(1001))]), @"
    it has more than 1000 bytes in one file
    hint: the wheel is hostile or broken: do not use it
    ");
    insta::assert_snapshot!(check(&[("a", &"a".repeat(999)), ("b", &"a".repeat(999))]), @"
    it has more than 2000 bytes when unpacked
    hint: the wheel is hostile or broken: do not use it
    ");
    insta::assert_snapshot!(check(&[(&info("entry_points.txt"), &"a".repeat(901))]), @"
    it has more than 900 bytes in a file of metadata or a script
    hint: the wheel is hostile or broken: do not use it
    ");
    insta::assert_snapshot!(changed(|part| part.set(|header| header.size = 1 << 20)), @"
    its member `a.py` is damaged (no compressed bytes can become so many)
    hint: the wheel is incomplete or damaged: fetch or build it again
    ");

    let mut zip = Zip::default();
    for index in 0..2 {
        let mut part = Part::packed(&format!("{index}.bin"), PROGRAM, b"", 8, vec![0; 1 << 20]);
        part.set(|header| header.size = 1 << 30);
        zip.parts.push(part);
    }
    insta::assert_snapshot!(refused(&zip), @"
    it has more than 500 bytes from each compressed byte
    hint: the wheel is hostile or broken: do not use it
    ");
}

#[test]
fn no_wheels() {
    let of = |files: &[(&str, &str)]| refused(&Zip::wheel(files));
    insta::assert_snapshot!(refused(&Zip::default()), @"it must have one `.dist-info` directory, and has none");
    insta::assert_snapshot!(of(&[("other-1.dist-info/WHEEL", "")]), @"it must have one `.dist-info` directory, and has other-1.dist-info, sample-1.0.dist-info");
    let without = |name: &str| {
        let mut zip = Zip::wheel(&[]);
        zip.parts.retain(|part| part.central.name != info(name).as_bytes());
        refused(&zip)
    };
    insta::assert_snapshot!(without("WHEEL"), @"it has no `sample-1.0.dist-info/WHEEL`");
    insta::assert_snapshot!(without("METADATA"), @"it has no `sample-1.0.dist-info/METADATA`");
    insta::assert_snapshot!(without("RECORD"), @"it has no `sample-1.0.dist-info/RECORD`");
    let wheel = |text: &str| of(&[(&info("WHEEL"), text)]);
    insta::assert_snapshot!(wheel(""), @"its `Wheel-Version` is ``, and 1 is known");
    insta::assert_snapshot!(wheel("Wheel-Version: 2.0\n"), @"its `Wheel-Version` is `2.0`, and 1 is known");
    insta::assert_snapshot!(wheel("Wheel-Version: one\n"), @"its `Wheel-Version` is `one`, and 1 is known");
    let metadata = |text: &str| of(&[(&info("METADATA"), text)]);
    insta::assert_snapshot!(metadata("Name: simple\nVersion: 1.0\n"), @"
    its METADATA says Name `simple`, where the file name says `sample`
    hint: a wheel cannot be renamed to another version: build it anew
    ");
    insta::assert_snapshot!(metadata("Name: sample\nVersion: 1.1\n"), @"
    its METADATA says Version `1.1`, where the file name says `1.0`
    hint: a wheel cannot be renamed to another version: build it anew
    ");
    insta::assert_snapshot!(metadata("Version: 1.0\n"), @"
    its METADATA says Name ``, where the file name says `sample`
    hint: a wheel cannot be renamed to another version: build it anew
    ");
    let mut latin = Zip::wheel(&[]);
    let part = Part::new(&info("METADATA"), PROGRAM, b"Name: sample\nVersion: 1.0\nAuthor: \xe4\n");
    *latin.part(&info("METADATA")) = part;
    insta::assert_snapshot!(refused(&latin), @"its `sample-1.0.dist-info/METADATA` is not UTF-8");
    let mut other = Zip::wheel(&[]);
    for part in &mut other.parts {
        part.set(|header| drop(header.name.splice(0..6, *b"simple")));
    }
    insta::assert_snapshot!(refused(&other), @"
    its `simple-1.0.dist-info` is not of `sample`
    hint: a wheel cannot be renamed to another version: build it anew
    ");
}

/// What the bytes of a member turn out to be.
fn unpacked(change: impl FnOnce(&mut Part)) -> String {
    let mut zip = Zip::wheel(&[("a.py", "a = 1\n")]);
    change(zip.part("a.py"));
    let (bytes, wheel) = zip.read().unwrap();
    let mut content = Vec::new();
    let error = wheel.open(0, &bytes).read_to_end(&mut content).unwrap_err();
    let error = error.downcast::<WheelError>().unwrap();
    format!("{error}: {}", told(&error))
}

#[test]
fn damaged_members() {
    insta::assert_snapshot!(unpacked(|part| part.set(|header| header.crc32 ^= 1)), @"
    install the wheel `sample-1.0-py3-none-any.whl`: its member `a.py` is damaged (its bytes have another checksum)
    hint: the wheel is incomplete or damaged: fetch or build it again
    ");
    insta::assert_snapshot!(unpacked(|part| part.set(|header| header.size += 1)), @"
    install the wheel `sample-1.0-py3-none-any.whl`: its member `a.py` is damaged (there are fewer bytes than announced)
    hint: the wheel is incomplete or damaged: fetch or build it again
    ");
    insta::assert_snapshot!(unpacked(|part| part.set(|header| header.size -= 1)), @"
    install the wheel `sample-1.0-py3-none-any.whl`: its member `a.py` is damaged (there are more bytes than announced)
    hint: the wheel is incomplete or damaged: fetch or build it again
    ");
    insta::assert_snapshot!(unpacked(|part| part.data[0] = 0xff), @"
    install the wheel `sample-1.0-py3-none-any.whl`: its member `a.py` is damaged (its compressed bytes make no sense)
    hint: the wheel is incomplete or damaged: fetch or build it again
    ");
    insta::assert_snapshot!(unpacked(|part| {
        part.data.pop();
        part.set(|header| header.packed_size -= 1);
    }), @"
    install the wheel `sample-1.0-py3-none-any.whl`: its member `a.py` is damaged (its compressed bytes are cut off)
    hint: the wheel is incomplete or damaged: fetch or build it again
    ");
    insta::assert_snapshot!(unpacked(|part| {
        part.data.push(0);
        part.set(|header| header.packed_size += 1);
    }), @"
    install the wheel `sample-1.0-py3-none-any.whl`: its member `a.py` is damaged (there is more behind its compressed bytes)
    hint: the wheel is incomplete or damaged: fetch or build it again
    ");
    insta::assert_snapshot!(unpacked(|part| part.set(|header| header.method = 93)), @"
    install the wheel `sample-1.0-py3-none-any.whl`: its member `a.py` is damaged (its compressed bytes make no sense)
    hint: the wheel is incomplete or damaged: fetch or build it again
    ");
}

#[test]
fn bytes_that_cannot_be_had() {
    let (bytes, wheel) = Zip::wheel(&[("a.py", "a = 1\n")]).read().unwrap();
    let mut content = Vec::new();
    let error = wheel.open(0, &bytes[..40].to_vec()).read_to_end(&mut content).unwrap_err();
    let error = error.downcast::<WheelError>().unwrap();
    insta::assert_snapshot!(error.fault, @"cannot read 8 bytes at 34");
    assert!(matches!(error.fault, WheelFault::Read { .. }));
}
