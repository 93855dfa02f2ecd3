//! What is written reads back: by this crate, and by the `tar` crate.

#![allow(clippy::unwrap_used)] // A test may.

mod entries;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use entries::{every_kind, file, write};
use layer::{
    Attributes, BlockList, Content, EarlierBlob, Entry, LayerError, LayerIndex, LayerWriter,
    Limits, Node, Packed, Packing, TarError,
};
use oci::ImagePath;
use proptest::prelude::*;

fn read(packed: &Packed, packing: Packing, blob: &[u8]) -> LayerIndex {
    let tar = layer::decompress(blob, packing.compression(), &Limits::default()).unwrap();
    let (index, diff_id) = LayerIndex::read(tar, &Limits::default()).unwrap();
    assert_eq!(diff_id, packed.diff_id);
    index
}

#[test]
fn every_kind_of_entry_reads_back() {
    let entries = every_kind();
    for packing in [Packing::None, Packing::default(), Packing::Zstd(Default::default())] {
        let (packed, blob) = write(&entries, packing, 2);
        let index = read(&packed, packing, &blob);
        let written: Vec<Entry> = entries.iter().map(|(entry, _)| entry.clone()).collect();
        assert_eq!(index.entries(), written);
        let known = LayerIndex::from_entries(written).written().unwrap();
        assert_eq!(known.to_bytes(), index.to_bytes(), "without a look at the tar");
    }
}

#[test]
fn threads_do_not_change_the_bytes() {
    let mut entries = every_kind();
    let noise: Vec<u8> =
        (0u32..2_000_000).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    entries.push(file("zz", &noise));
    for packing in [Packing::None, Packing::default(), Packing::Zstd(Default::default())] {
        let (packed, blob) = write(&entries, packing, 1);
        for threads in [2, 3, 4] {
            let (again, same) = write(&entries, packing, threads);
            assert_eq!(again, packed);
            assert!(same == blob);
        }
    }
}

#[test]
fn the_index_reads_back_from_its_bytes() {
    let (packed, blob) = write(&every_kind(), Packing::None, 1);
    let index = read(&packed, Packing::None, &blob);
    let bytes = index.to_bytes();
    assert_eq!(LayerIndex::from_bytes(&bytes).unwrap(), index);
    let planned = LayerIndex::from_entries(index.entries().to_vec());
    let read_back = LayerIndex::from_bytes(&planned.to_bytes()).unwrap();
    assert_eq!(read_back, planned);
    assert_eq!(read_back.offset(0), None);

    let message = |bytes: &[u8]| LayerIndex::from_bytes(bytes).unwrap_err().to_string();
    insta::assert_snapshot!(message(b""), @"read the layer's index: it is empty");
    insta::assert_snapshot!(message(&[9, 0, 0]), @"read the layer's index: format 9 is not known (up to 1 is)");
    for end in 1..bytes.len() {
        assert!(matches!(LayerIndex::from_bytes(&bytes[..end]), Err(TarError::BadIndex(_))));
    }
    let mut flipped = bytes.clone();
    flipped[20] ^= 1;
    insta::assert_snapshot!(message(&flipped), @"read the layer's index: its checksum is wrong");
}

/// Bytes whose checksum is right are read without trust in anything else.
#[test]
fn bytes_that_are_no_index_are_refused() {
    let (packed, blob) = write(&every_kind(), Packing::None, 1);
    let bytes = read(&packed, Packing::None, &blob).to_bytes();
    let body = bytes.len() - 4;
    for at in 1..body {
        for value in [0, 1, 0x7f, 0x80, 0xff] {
            let mut changed = bytes.clone();
            changed[at] = value;
            let checksum = libdeflater::crc32(&changed[..body]).to_le_bytes();
            changed[body..].copy_from_slice(&checksum);
            // Either it is another valid index, or it is refused; it is never a panic.
            if let Ok(index) = LayerIndex::from_bytes(&changed) {
                assert_eq!(LayerIndex::from_bytes(&index.to_bytes()).unwrap(), index);
            }
        }
    }
}

/// The root is a directory, and nothing takes it away.
#[test]
fn an_index_of_another_root_is_refused() {
    for kind in [0, 2, 3, 6, 7] {
        let mut bytes = vec![1, 0, 1, 0, 0, kind];
        bytes.extend_from_slice(&[0; 48]);
        bytes.extend_from_slice(&libdeflater::crc32(&bytes).to_le_bytes());
        let error = LayerIndex::from_bytes(&bytes).unwrap_err().to_string();
        assert_eq!(error, "read the layer's index: its root is no directory", "{kind}");
    }
}

#[test]
fn files_are_extracted_in_one_pass() {
    let entries = every_kind();
    let (packed, blob) = write(&entries, Packing::default(), 1);
    let index = read(&packed, Packing::default(), &blob);
    let tar = || {
        layer::decompress(
            &blob[..],
            packed.descriptor.media_type.layer_compression().unwrap(),
            &Limits::default(),
        )
        .unwrap()
    };
    let mut found = Vec::new();
    layer::extract(
        tar(),
        &index,
        |_| true,
        |entry, content| {
            let mut bytes = Vec::new();
            content.read_to_end(&mut bytes).unwrap();
            found.push((entry.clone(), bytes));
            Ok::<(), TarError>(())
        },
    )
    .unwrap();
    let files: Vec<_> =
        entries.into_iter().filter(|(e, _)| matches!(e.node, Node::File(_))).collect();
    assert_eq!(found, files);

    // What is left unread is checked all the same.
    let forged: Vec<Entry> = index.entries().to_vec();
    let forged = LayerIndex::from_bytes(&LayerIndex::from_entries(forged).to_bytes()).unwrap();
    let unread = layer::extract(tar(), &forged, |_| true, |_, _| Ok::<(), TarError>(()));
    assert_eq!(unread.map_err(|e| e.to_string()), Ok(()), "a plan has no offsets");
    let other = write(&[file("block", &[8; 1 << 20])], Packing::None, 1).1;
    let wanted = ImagePath::lexical("block");
    let error =
        layer::extract(&other[..], &index, |path| *path == wanted, |_, _| Ok::<(), TarError>(()));
    insta::assert_snapshot!(error.unwrap_err(), @"read the archive: it is cut off after 1050112 bytes, in `block`");
}

#[test]
fn small_files_are_kept_on_the_way() {
    let large = vec![1; LayerIndex::LARGEST_KEPT as usize + 1];
    let entries = [file("a", b"1"), file("b", b"2"), file("c", &large), file("d", b"")];
    let (packed, blob) = write(&entries, Packing::None, 1);
    let limits = Limits::default();
    let keeps = |path: &ImagePath| path.as_bytes() != b"b";
    let read = LayerIndex::read_keeping(blob.as_slice(), &limits, keeps).unwrap();
    assert_eq!(read.diff_id, packed.diff_id);
    assert_eq!(read.index.entries().len(), 4);
    let kept = |bytes: &[u8]| (oci::Digest::of(bytes), bytes.to_vec());
    assert_eq!(read.kept, [kept(b"1"), kept(b"")]);
}

#[test]
fn what_cannot_be_written_is_refused() {
    let attempt = |entries: &[(Entry, Vec<u8>)]| {
        let mut writer =
            LayerWriter::new(Vec::new(), Packing::None, std::num::NonZeroUsize::MIN).unwrap();
        let mut all = entries.iter();
        let error =
            all.find_map(|(entry, content)| writer.append(entry, Some(&mut &content[..])).err());
        error.unwrap().to_string()
    };
    let (mut grown, mut shrunk) = (file("a", b"123"), file("a", b"123"));
    grown.1.push(b'4');
    shrunk.1.pop();
    insta::assert_snapshot!(attempt(&[grown]), @"read `/a`: it changed while it was read (3 bytes became 4)");
    insta::assert_snapshot!(attempt(&[shrunk]), @"read `/a`: it changed while it was read (3 bytes became 2)");
    insta::assert_snapshot!(attempt(&[file("b", b""), file("a", b"")]), @"write `/a` after `/b`: a layer's entries are in order, each once");
    insta::assert_snapshot!(attempt(&[file("a", b""), file("a", b"")]), @"write `/a` after `/a`: a layer's entries are in order, each once");
    insta::assert_snapshot!(attempt(&[file("a/.wh.b", b"")]), @"write `/a/.wh.b`: names that start with `.wh.` mean deletion in a layer");
    let entry = entries::entry;
    insta::assert_snapshot!(attempt(&[entry("a", Node::Symlink(vec![]))]), @"write `/a`: its target cannot stand in a tar");
    insta::assert_snapshot!(attempt(&[entry("a", Node::CharDevice { major: u32::MAX, minor: 0 })]), @"write `/a`: its device number cannot stand in a tar");
    insta::assert_snapshot!(attempt(&[entry("", Node::Whiteout)]), @"write `/`: its whiteout cannot stand in a tar");
    let link = entry("a", Node::Hardlink(ImagePath::lexical("b")));
    insta::assert_snapshot!(attempt(&[link, file("b", b"")]), @"write `/a`: it links to `/b`, which comes after it");
    let mut odd = file("a", b"");
    odd.0.attributes.xattrs.insert(b"user.a=b".to_vec(), vec![]);
    insta::assert_snapshot!(attempt(&[odd]), @"write `/a`: its extended attribute's name cannot stand in a tar");
}

#[test]
fn a_sink_that_fails_is_named() {
    struct Full;
    impl std::io::Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let (large, content) = file("large", &vec![1; 40 << 20]);
    for threads in [1, 2] {
        let threads = std::num::NonZeroUsize::new(threads).unwrap();
        let mut writer = LayerWriter::new(Full, Packing::None, threads).unwrap();
        let error = writer.append(&large, Some(&mut &content[..])).unwrap_err();
        assert!(
            matches!(&error, LayerError::Sink(source) if source.kind() == std::io::ErrorKind::StorageFull)
        );
        let hint = error.hint().unwrap();
        assert_eq!(hint, "free some space, or put the store on another disk");
    }
}

fn any_node() -> impl Strategy<Value = (Node, Vec<u8>)> {
    let bytes = |least: usize| proptest::collection::vec(1u8..=255, least..300);
    prop_oneof![
        4 => bytes(0).prop_map(|bytes| (Node::File(Content::of(&bytes)), bytes)),
        2 => Just((Node::Directory, vec![])),
        1 => bytes(1).prop_map(|target| (Node::Symlink(target), vec![])),
        1 => any_path().prop_map(|target| (Node::Hardlink(target), vec![])),
        1 => Just((Node::Fifo, vec![])),
        1 => (0..0o777_7777u32, 0..0o777_7777u32)
            .prop_map(|(major, minor)| (Node::CharDevice { major, minor }, vec![])),
        1 => Just((Node::Whiteout, vec![])),
        1 => Just((Node::Opaque, vec![])),
    ]
}

fn any_path() -> impl Strategy<Value = ImagePath> {
    let name = prop_oneof![
        4 => "[a-c]{1,3}".prop_map(String::into_bytes),
        1 => "[a-z]{60,120}".prop_map(String::into_bytes),
        1 => proptest::collection::vec(1u8..=255, 1..5),
    ];
    let clean = |name: &Vec<u8>| !name.contains(&b'/') && !matches!(&name[..], b"." | b"..");
    proptest::collection::vec(name.prop_filter("a name", clean), 1..5)
        .prop_map(|names| ImagePath::lexical(names.join(&b'/')))
}

fn any_attributes() -> impl Strategy<Value = Attributes> {
    let name = proptest::collection::vec((1u8..=255).prop_filter("`=`", |b| *b != b'='), 1..20);
    let xattrs = proptest::collection::btree_map(name, any::<Vec<u8>>(), 0..3);
    let mtime = prop_oneof![any::<i64>(), 0..2_000_000_000i64];
    (0..0o10000u32, any::<u32>(), any::<u32>(), mtime, xattrs)
        .prop_map(|(mode, uid, gid, mtime, xattrs)| Attributes { mode, uid, gid, mtime, xattrs })
}

fn any_entries() -> impl Strategy<Value = Vec<(Entry, Vec<u8>)>> {
    let entry = (any_path(), any_attributes(), any_node()).prop_map(
        |(path, attributes, (node, content))| {
            let attributes = match node {
                Node::Whiteout | Node::Opaque => Attributes::root(0, 0),
                _ => attributes,
            };
            // A link comes after its target.
            let node = match node {
                Node::Hardlink(target) if target >= path => Node::Fifo,
                node => node,
            };
            (Entry { path, attributes, node }, content)
        },
    );
    proptest::collection::vec(entry, 0..30).prop_map(|mut entries| {
        entries.sort_by(|(a, _), (b, _)| a.layer_order(b));
        entries.dedup_by(|(a, _), (b, _)| a.layer_order(b).is_eq());
        // Nothing is below a file or a link.
        let mut above: Option<ImagePath> = None;
        entries.retain(|(entry, _)| {
            let below = above.as_ref().is_some_and(|above| entry.path.starts_with(above));
            if !below && !entry.is_marker() {
                above = (entry.node != Node::Directory).then(|| entry.path.clone());
            }
            !below
        });
        entries
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn any_entries_read_back(entries in any_entries()) {
        let (packed, blob) = write(&entries, Packing::None, 1);
        let index = read(&packed, Packing::None, &blob);
        let written: Vec<Entry> = entries.iter().map(|(entry, _)| entry.clone()).collect();
        prop_assert_eq!(index.entries(), &written[..]);
        prop_assert_eq!(LayerIndex::from_bytes(&index.to_bytes()).unwrap(), index);
        read_with_the_tar_crate(&blob, &entries);
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..2048), at in 0usize..4096, value: u8) {
        let _ = LayerIndex::read(&bytes[..], &Limits::default());
        let _ = LayerIndex::from_bytes(&bytes);
        bytes = write(&every_kind()[2..], Packing::None, 1).1;
        let at = at % bytes.len();
        bytes[at] = value;
        let _ = LayerIndex::read(&bytes[..], &Limits::default());
    }
}

fn read_with_the_tar_crate(blob: &[u8], entries: &[(Entry, Vec<u8>)]) {
    // That crate ends a `pax` record at the first line feed, wherever its length says it ends.
    let has_line_feed = |(entry, _): &(Entry, Vec<u8>)| match &entry.node {
        Node::Symlink(target) => target.contains(&b'\n'),
        Node::Hardlink(target) => target.as_bytes().contains(&b'\n'),
        _ => false,
    };
    let in_path = |(entry, _): &(Entry, Vec<u8>)| entry.path.as_bytes().contains(&b'\n');
    let in_xattrs = |(entry, _): &(Entry, Vec<u8>)| {
        entry
            .attributes
            .xattrs
            .iter()
            .any(|(name, value)| [name, value].iter().any(|text| text.contains(&b'\n')))
    };
    if entries.iter().any(|entry| has_line_feed(entry) || in_path(entry) || in_xattrs(entry)) {
        return;
    }
    let mut archive = tar::Archive::new(blob);
    let mut found = archive.entries().unwrap();
    for (entry, content) in entries {
        let mut member = found.next().unwrap().unwrap();
        let name = member.path_bytes().into_owned();
        let bare = name.strip_suffix(b"/").unwrap_or(&name);
        match entry.node {
            Node::Whiteout => {
                let gone = [b".wh.", entry.path.file_name().unwrap()].concat();
                assert_eq!(ImagePath::lexical(bare), entry.path.parent().unwrap().join(gone));
                continue;
            }
            Node::Opaque => {
                assert_eq!(ImagePath::lexical(bare), entry.path.join(".wh..wh..opq"));
                continue;
            }
            _ => assert_eq!(bare, entry.path.as_bytes()),
        }
        let link = member.link_name_bytes().map(|link| link.into_owned());
        match &entry.node {
            Node::Symlink(target) => assert_eq!(link.as_deref(), Some(&target[..])),
            Node::Hardlink(target) => assert_eq!(link.as_deref(), Some(target.as_bytes())),
            _ => assert_eq!(link, None),
        }
        assert_eq!(member.header().mode().unwrap(), entry.attributes.mode);
        assert_eq!(member.header().entry_type().is_dir(), entry.node == Node::Directory);
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut member, &mut bytes).unwrap();
        assert_eq!(&bytes, content);
    }
    assert!(found.next().is_none());
}

#[test]
fn what_an_earlier_blob_holds_is_not_compressed_again() {
    let size = |number: usize| 1 + number * 7919 % 9000;
    let small =
        |number: usize| file(&format!("app/{number:04}"), &vec![number as u8; size(number)]);
    let mut entries: Vec<_> = (0..2000).map(small).collect();
    let (first, blob) = write(&entries, Packing::default(), 2);
    let list = BlockList::from_bytes(&first.blocks.to_bytes()).unwrap();
    assert_eq!(list, first.blocks);

    entries[700] = file("app/0700", b"changed, and of another size");
    entries.remove(1500);
    let (expected, changed) = write(&entries, Packing::default(), 2);
    for threads in [1, 2] {
        let copied = Arc::new(AtomicUsize::new(0));
        let (blob, counter) = (blob.clone(), Arc::clone(&copied));
        let earlier = EarlierBlob::new(list.clone(), move |buffer: &mut [u8], offset| {
            counter.fetch_add(buffer.len(), Relaxed);
            let from = offset as usize;
            buffer.copy_from_slice(&blob[from..from + buffer.len()]);
            Ok(())
        });
        let threads = std::num::NonZeroUsize::new(threads).unwrap();
        let writer =
            LayerWriter::reusing(earlier, Vec::new(), Packing::default(), threads).unwrap();
        let (packed, again) = append_all(writer, &entries);
        assert_eq!(packed, expected);
        assert!(again == changed);
        let share = copied.load(Relaxed) * 100 / again.len();
        assert!((50..100).contains(&share), "{share} % were copied");
    }
}

#[test]
fn an_earlier_blob_that_is_broken_or_changed_is_not_used() {
    let entries = [file("a", &[1; 300_000])];
    let (expected, blob) = write(&entries, Packing::default(), 1);
    let attempt = |blob: Vec<u8>, entries: &[(Entry, Vec<u8>)]| {
        let earlier =
            EarlierBlob::new(expected.blocks.clone(), move |buffer: &mut [u8], offset| {
                let bytes = blob.get(offset as usize..).and_then(|rest| rest.get(..buffer.len()));
                buffer.copy_from_slice(bytes.ok_or(std::io::ErrorKind::UnexpectedEof)?);
                Ok(())
            });
        let writer = LayerWriter::reusing(
            earlier,
            Vec::new(),
            Packing::default(),
            std::num::NonZeroUsize::MIN,
        );
        append_all(writer.unwrap(), entries)
    };
    let mut flipped = blob.clone();
    flipped[50] ^= 1;
    assert_eq!(attempt(flipped, &entries).1, blob);
    assert_eq!(attempt(Vec::new(), &entries).1, blob);
    // The content changed after its digest was taken: what is written is what was read.
    let mut raced = entries.clone();
    raced[0].1[5] = 2;
    let (packed, written) = attempt(blob, &raced);
    let written = read(&packed, Packing::default(), &written);
    assert_eq!(written.entries()[0].node, Node::File(Content::of(&raced[0].1)));
}

fn append_all(mut writer: LayerWriter<Vec<u8>>, entries: &[(Entry, Vec<u8>)]) -> (Packed, Vec<u8>) {
    for (entry, content) in entries {
        writer.append(entry, Some(&mut &content[..])).unwrap();
    }
    writer.finish().unwrap()
}

#[test]
fn a_tar_may_end_with_its_last_files_last_byte() {
    let entry = Entry {
        path: ImagePath::lexical("a"),
        attributes: Attributes::root(0o644, 0),
        node: Node::File(Content::of(b"hi")),
    };
    let mut writer =
        LayerWriter::new(Vec::new(), Packing::None, std::num::NonZeroUsize::MIN).unwrap();
    writer.append(&entry, Some(&mut &b"hi"[..])).unwrap();
    let (_, tar) = writer.finish().unwrap();
    let (index, _) = LayerIndex::read(&tar[..514], &Limits::default()).unwrap();
    assert_eq!(index.entries(), [entry]);
    assert!(LayerIndex::read(&tar[..513], &Limits::default()).is_err(), "a byte of it is missing");
}
