//! Files that come deflated: the tar is the same, and nothing that is said of them is believed.

#![allow(clippy::unwrap_used)] // A test may.

mod entries;

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use entries::{append_deflated, deflate, entry, file, part, text, wheel, write, write_deflated};
use layer::{
    BlockList, Content, Deflated, DeflatedPart, Deflater, EarlierBlob, Entry, LayerError,
    LayerWriter, Limits, Mismatch, Node, Packing, keeps_deflated,
};
use oci::ImagePath;
use proptest::prelude::*;

fn packings() -> [Packing; 3] {
    [Packing::default(), Packing::Zstd(Default::default()), Packing::None]
}

fn tar(blob: &[u8], packing: Packing) -> Vec<u8> {
    let mut tar = Vec::new();
    let mut reader = layer::decompress(blob, packing.compression(), &Limits::default()).unwrap();
    std::io::Read::read_to_end(&mut reader, &mut tar).unwrap();
    tar
}

/// Everything that holds of any layer with files that came deflated.
fn check(entries: &[(Entry, Vec<u8>)], deflated: impl Fn(&ImagePath) -> bool) {
    let (plain, plain_tar) = write(entries, Packing::None, 1);
    for packing in packings() {
        let (packed, blob) = write_deflated(entries, &deflated, packing, 1);
        assert_eq!(packed.diff_id, plain.diff_id);
        assert_eq!(packed.uncompressed_size, plain.uncompressed_size);
        assert_eq!(packed.descriptor.digest, oci::Digest::of(&blob));
        assert!(tar(&blob, packing) == plain_tar);
        for threads in [2, 4] {
            let (again, same) = write_deflated(entries, &deflated, packing, threads);
            assert_eq!(again, packed);
            assert!(same == blob);
        }
        if !matches!(packing, Packing::Gzip(_)) {
            assert_eq!(packed, write(entries, packing, 1).0, "it is as if nothing was deflated");
        }
    }
}

#[test]
fn a_wheel() {
    check(&wheel(), |_| true);
}

/// A file in parts is a member for each of them, and the same tar.
#[test]
fn a_file_in_parts() {
    let noise: Vec<u8> =
        (0..90_000u32).flat_map(|at| at.wrapping_mul(at | 1).to_le_bytes()).collect();
    for content in [text(1, 300_000), text(1, 40_000), noise] {
        let (entry, _) = file("a", &content);
        let (mut deflater, mut out) = (Deflater::new(), Vec::new());
        let (mut stream, mut parts) = (Vec::new(), Vec::new());
        for chunk in content.chunks(100_000) {
            parts.push(deflater.deflate(chunk, &mut out).unwrap());
            stream.extend_from_slice(&out);
        }
        let write = |packing, threads: usize, entry: &Entry, parts: &[DeflatedPart]| {
            let threads = NonZeroUsize::new(threads).unwrap();
            let mut writer = LayerWriter::new(Vec::new(), packing, threads)?;
            writer.append_deflated(entry, Deflated { stream: &mut &stream[..], parts })?;
            writer.finish()
        };
        let (plain, plain_tar) = entries::write(&[file("a", &content)], Packing::None, 1);
        for packing in packings() {
            let (packed, blob) = write(packing, 1, &entry, &parts).unwrap();
            assert_eq!(packed.diff_id, plain.diff_id);
            assert!(tar(&blob, packing) == plain_tar);
            assert!(write(packing, 3, &entry, &parts).unwrap() == (packed, blob));
            for threads in [1, 2] {
                let mut other = entry.clone();
                let digest = Content::of(b"").digest;
                other.node = Node::File(Content { digest, size: content.len() as u64 });
                let error = write(packing, threads, &other, &parts).unwrap_err();
                assert!(error.to_string().contains("its digest is"), "{error}");
                let mut other = parts.clone();
                other[0].crc32 ^= 1;
                write(packing, threads, &entry, &other).unwrap_err();
                let error = write(packing, threads, &entry, &parts[1..]).unwrap_err();
                assert!(matches!(error, LayerError::Changed { .. }), "{error}");
            }
        }
    }
}

#[test]
fn a_stream_is_kept_as_it_is() {
    let content = text(1, 100_000);
    let stream = deflate(&content);
    let (_, blob) = write_deflated(&[file("a", &content)], |_| true, Packing::default(), 1);
    let member = [
        &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255][..],
        &stream,
        &libdeflater::crc32(&content).to_le_bytes(),
        &100_000u32.to_le_bytes(),
    ];
    let member = member.concat();
    assert!(blob.windows(member.len()).any(|window| window == member));
}

#[test]
fn what_is_kept_is_a_matter_of_sizes() {
    assert!(!keeps_deflated((32 << 10) - 1, 10_000));
    assert!(keeps_deflated(32 << 10, 10_000));
    assert!(!keeps_deflated(32 << 10, 32 << 10));
    assert!(keeps_deflated(u32::MAX.into(), 1 << 30));
    assert!(!keeps_deflated(1 << 32, 1 << 30), "the size would not fit its member");
}

fn any_files() -> impl Strategy<Value = Vec<(Entry, Vec<u8>, bool)>> {
    let size = prop_oneof![
        4 => 0usize..3000,
        2 => 30_000usize..40_000,
        2 => (60usize..70).prop_map(|records| records * 512),
        1 => 900_000usize..1_200_000,
        1 => 2_500_000usize..5_000_000,
    ];
    let file = ("[a-d]{1,3}", size, any::<u64>(), any::<bool>()).prop_map(
        |(path, size, seed, deflated)| {
            let (entry, content) = file(&path, &text(seed, size));
            (entry, content, deflated)
        },
    );
    let other = "[a-d]{1,3}".prop_map(|path| (entry(&path, Node::Directory).0, Vec::new(), true));
    proptest::collection::vec(prop_oneof![5 => file, 1 => other], 0..12).prop_map(|mut files| {
        files.sort_by(|(a, ..), (b, ..)| a.layer_order(b));
        files.dedup_by(|(a, ..), (b, ..)| a.layer_order(b).is_eq());
        files
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn any_files_some_of_them_deflated(files in any_files()) {
        let deflated: Vec<ImagePath> =
            files.iter().filter(|file| file.2).map(|file| file.0.path.clone()).collect();
        let entries: Vec<_> =
            files.into_iter().map(|(entry, content, _)| (entry, content)).collect();
        check(&entries, |path| deflated.contains(path));
    }
}

/// What is kept is a part of the blob that has a length: blocks behind it are found.
#[test]
fn an_earlier_blob_is_used_around_what_is_kept() {
    let mut entries = wheel();
    let (first, blob) = write_deflated(&entries, |_| true, Packing::default(), 2);
    let list = BlockList::from_bytes(&first.blocks.to_bytes()).unwrap();
    assert_eq!(list, first.blocks);
    let at = entries.iter().position(|(entry, _)| entry.path == ImagePath::lexical("lib/0.so"));
    entries[at.unwrap()] = file("lib/0.so", &text(5, 200_000));
    let (expected, changed) = write_deflated(&entries, |_| true, Packing::default(), 2);
    for threads in [1, 2] {
        let copied = Arc::new(AtomicUsize::new(0));
        let (blob, counter) = (blob.clone(), Arc::clone(&copied));
        let earlier = EarlierBlob::new(list.clone(), move |buffer: &mut [u8], offset| {
            counter.fetch_add(1, Relaxed);
            let from = offset as usize;
            buffer.copy_from_slice(&blob[from..from + buffer.len()]);
            Ok(())
        });
        let threads = NonZeroUsize::new(threads).unwrap();
        let mut writer =
            LayerWriter::reusing(earlier, Vec::new(), Packing::default(), threads).unwrap();
        append_deflated(&mut writer, &entries, |_| true);
        let (packed, again) = writer.finish().unwrap();
        assert_eq!(packed, expected);
        assert!(again == changed);
        assert!(copied.load(Relaxed) > 5, "{copied:?} blocks were copied");
    }
}

/// A file's entry, and what comes for it.
#[derive(Clone)]
struct Case {
    content: Content,
    stream: Vec<u8>,
    packed_size: u64,
    crc32: u32,
}

impl Case {
    fn of(content: &[u8]) -> Self {
        Case::with_stream(content, deflate(content))
    }

    fn with_stream(content: &[u8], stream: Vec<u8>) -> Self {
        let packed_size = stream.len() as u64;
        let crc32 = libdeflater::crc32(content);
        Case { content: Content::of(content), stream, packed_size, crc32 }
    }

    /// What comes of it if it stands among others.
    fn outcome(&self, packing: Packing, threads: usize) -> Result<(), LayerError> {
        let threads = NonZeroUsize::new(threads).unwrap();
        let mut writer = LayerWriter::new(Vec::new(), packing, threads).unwrap();
        append_deflated(&mut writer, &[file("a", &text(2, 50_000))], |_| true);
        let mut rest = &self.stream[..];
        let Case { packed_size, crc32, .. } = *self;
        let parts = [DeflatedPart { size: self.content.size, packed_size, crc32 }];
        let deflated = Deflated { stream: &mut rest, parts: &parts };
        let appended = writer.append_deflated(&entry("b", Node::File(self.content)).0, deflated);
        let read = (self.stream.len() - rest.len()) as u64;
        assert!(read <= self.packed_size, "{read} of {} bytes were read", self.packed_size);
        appended?;
        let more = vec![7; 2 << 20];
        writer.append(&file("c", &more).0, Some(&mut &more[..]))?;
        writer.finish().map(drop)
    }

    /// What differs, and that it is the same on all ways.
    fn mismatch(&self) -> Mismatch {
        let mut mismatches = Vec::new();
        for packing in packings() {
            for threads in [1, 2] {
                match self.outcome(packing, threads) {
                    Err(LayerError::Deflated { path, mismatch }) => {
                        assert_eq!(path, ImagePath::lexical("b"));
                        mismatches.push(mismatch);
                    }
                    other => panic!("{other:?}"),
                }
            }
        }
        let all_alike = mismatches.windows(2).all(|pair| pair[0] == pair[1]);
        assert!(all_alike, "{mismatches:?}");
        mismatches[0]
    }
}

/// Of each way: gathered, inflated whole, inflated by the piece.
const SIZES: [usize; 3] = [1000, 100_000, 5_000_000];

#[test]
fn what_is_as_claimed_passes() {
    for size in SIZES {
        let mut case = Case::of(&text(9, size));
        // What is behind the stream is somebody else's.
        case.stream.extend_from_slice(b"PK");
        for packing in packings() {
            case.outcome(packing, 2).unwrap();
        }
    }
}

#[test]
fn what_is_not_as_claimed_is_refused() {
    for size in SIZES {
        let content = text(9, size);
        let case = Case::of(&content);
        let (packed, expected) = (case.packed_size, size as u64);
        let with = |change: &dyn Fn(&mut Case)| {
            let mut changed = case.clone();
            change(&mut changed);
            changed.mismatch()
        };
        let cut = with(&|case| case.stream.truncate(packed as usize - 3));
        assert_eq!(cut, Mismatch::Short { expected: packed, found: packed - 3 });
        assert_eq!(
            with(&|case| case.packed_size -= 3),
            Mismatch::Unfinished { packed: packed - 3 }
        );
        let trailing = with(&|case| {
            case.stream.extend_from_slice(b"abc");
            case.packed_size += 3;
        });
        assert_eq!(trailing, Mismatch::Trailing { bytes: 3 });
        // RFC 1951, 3.2.3: a block of type 3 is an error.
        let damaged = with(&|case| case.stream[0] |= 6);
        assert!(matches!(damaged, Mismatch::Damaged { at } if at <= packed), "{damaged:?}");
        assert_eq!(
            with(&|case| case.content.size -= 1),
            Mismatch::Larger { expected: expected - 1 }
        );
        assert_eq!(
            with(&|case| case.content.size += 1),
            Mismatch::Smaller { expected: expected + 1, found: expected }
        );
        let crc32 = case.crc32;
        assert_eq!(
            with(&|case| case.crc32 ^= 1),
            Mismatch::Checksum { expected: crc32 ^ 1, found: crc32 }
        );
        let (digest, found) = (oci::Digest::of(b"other"), case.content.digest);
        assert_eq!(
            with(&|case| case.content.digest = digest),
            Mismatch::Digest { expected: digest, found }
        );
    }
}

/// A stream whose end is followed by what looks like its member's end, and by another member:
/// readers of the layer would take that for a part of the tar.
#[test]
fn a_hidden_member_is_refused() {
    for size in SIZES {
        let content = text(9, size);
        let mut case = Case::of(&content);
        let honest = case.packed_size;
        let tail = [case.crc32.to_le_bytes(), (size as u32).to_le_bytes()].concat();
        case.stream.extend_from_slice(&tail);
        case.stream.extend_from_slice(&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 3, 0]);
        case.packed_size = case.stream.len() as u64;
        assert_eq!(case.mismatch(), Mismatch::Trailing { bytes: case.packed_size - honest });
    }
}

/// A member that holds what its end looks like before its end, and that is honest all the same.
#[test]
fn a_member_with_its_own_end_in_it_passes() {
    let (size, target) = (100_000u32, 0x1234_5678u32);
    let tail = [target.to_le_bytes(), size.to_le_bytes()].concat();
    let mut content = [&tail[..], &text(4, size as usize - 12)].concat();
    content.extend_from_slice(&bytes_to_reach(target, libdeflater::crc32(&content)));
    assert_eq!(libdeflater::crc32(&content), target);
    // RFC 1951, 3.2.4: the first eight bytes as they are, not in the last block.
    let stream = [&[0, 8, 0, 0xf7, 0xff][..], &tail, &deflate(&content[8..])].concat();
    let case = Case::with_stream(&content, stream);
    for packing in packings() {
        case.outcome(packing, 2).unwrap();
    }
}

/// The four bytes that, appended, turn one CRC-32 to another.
fn bytes_to_reach(target: u32, from: u32) -> [u8; 4] {
    let mut state = !target;
    for _ in 0..32 {
        let carry = state >> 31;
        state = (state ^ (carry * 0xedb8_8320)) << 1 | carry;
    }
    (state ^ !from).to_le_bytes()
}

/// Four gigabytes in four megabytes, of which the entry says little.
#[test]
fn a_bomb_is_not_inflated() {
    let mut compress = flate2::Compress::new(flate2::Compression::best(), false);
    let zeros = vec![0; 64 << 20];
    let mut part = Vec::with_capacity(1 << 20);
    compress.compress_vec(&zeros, &mut part, flate2::FlushCompress::Full).unwrap();
    assert_eq!(compress.total_in(), 64 << 20);
    for parts in [8, 64] {
        let stream = [part.repeat(parts), vec![3, 0]].concat();
        for size in [1000, 100_000, 5_000_000] {
            let case = Case::with_stream(&vec![0; size], stream.clone());
            let start = std::time::Instant::now();
            assert_eq!(case.mismatch(), Mismatch::Larger { expected: size as u64 });
            assert!(start.elapsed().as_secs() < 60);
        }
    }
}

/// Streams of empty blocks go on for long and say nothing.
#[test]
fn a_stream_of_nothing_is_no_content() {
    let empty = [0, 0, 0, 0xff, 0xff].repeat(1_000_000);
    let stream = [&empty[..], &deflate(&text(9, 6_000_000))].concat();
    let case = Case::with_stream(&text(9, 6_000_000), stream);
    case.outcome(Packing::default(), 2).unwrap();
    let case = Case::with_stream(&text(9, 6_000_000), empty);
    assert_eq!(case.mismatch(), Mismatch::Unfinished { packed: 5_000_000 });
}

#[test]
fn a_reader_that_fails_is_named() {
    struct Broken;
    impl std::io::Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::ConnectionReset.into())
        }
    }
    for size in SIZES {
        let (entry, content) = file("a", &text(3, size));
        for packing in packings() {
            let mut writer = LayerWriter::new(Vec::new(), packing, NonZeroUsize::MIN).unwrap();
            let parts = [part(&content, &deflate(&content))];
            let deflated = Deflated { stream: &mut Broken, parts: &parts };
            let error = writer.append_deflated(&entry, deflated).unwrap_err();
            assert_eq!(error.to_string(), "read the content of `/a`");
        }
    }
}

#[test]
fn entries_keep_their_order() {
    let content = text(1, 100_000);
    let stream = deflate(&content);
    for path in ["b", "a"] {
        let mut writer =
            LayerWriter::new(Vec::new(), Packing::default(), NonZeroUsize::MIN).unwrap();
        append_deflated(&mut writer, &[file("b", &content)], |_| true);
        let parts = [part(&content, &stream)];
        let deflated = Deflated { stream: &mut &stream[..], parts: &parts };
        let error = writer.append_deflated(&file(path, &content).0, deflated).unwrap_err();
        assert!(matches!(error, LayerError::OutOfOrder { .. }), "{error}");
    }
}

#[test]
fn messages() {
    let say = |mismatch| {
        LayerError::Deflated { path: ImagePath::lexical("usr/lib/a.so"), mismatch }.to_string()
    };
    let (expected, found) = (oci::Digest::of(b"a"), oci::Digest::of(b"b"));
    insta::assert_snapshot!(say(Mismatch::Short { expected: 5, found: 3 }), @"inflate `/usr/lib/a.so`: 3 of 5 compressed bytes are there");
    insta::assert_snapshot!(say(Mismatch::Damaged { at: 7 }), @"inflate `/usr/lib/a.so`: its compressed bytes are damaged near byte 7");
    insta::assert_snapshot!(say(Mismatch::Unfinished { packed: 5 }), @"inflate `/usr/lib/a.so`: its 5 compressed bytes end in the middle");
    insta::assert_snapshot!(say(Mismatch::Trailing { bytes: 2 }), @"inflate `/usr/lib/a.so`: 2 bytes stand behind the end of its compressed bytes");
    insta::assert_snapshot!(say(Mismatch::Smaller { expected: 5, found: 3 }), @"inflate `/usr/lib/a.so`: it has 3 bytes instead of 5");
    insta::assert_snapshot!(say(Mismatch::Larger { expected: 5 }), @"inflate `/usr/lib/a.so`: it has more than 5 bytes");
    insta::assert_snapshot!(say(Mismatch::Checksum { expected: 1, found: 2 }), @"inflate `/usr/lib/a.so`: its CRC-32 is 00000002 instead of 00000001");
    insta::assert_snapshot!(say(Mismatch::Digest { expected, found }), @"inflate `/usr/lib/a.so`: its digest is sha256:3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d instead of sha256:ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb");
}
