//! Pruning: by reach, by age, by size, and never under a running build.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs::File;
use std::io::Write;
use std::time::{Duration, SystemTime};

use oci::{Compression, Descriptor, DiffId, Digest, MediaType};
use sample::{blobs, image, open, put, reference};
use store::{CachedLayer, KeptRecord, PrunePolicy, Spared, Store, StoreError};

mod sample;

const HOUR: Duration = Duration::from_secs(3600);

fn everything() -> PrunePolicy {
    let now = SystemTime::now() + Duration::from_secs(5);
    let spared = Spared::NamedImages;
    PrunePolicy { spared, older_than: None, keep_bytes: None, now, dry_run: false }
}

/// Says that the blob was last used `hours` ago.
fn age(store: &Store, digest: &Digest, hours: u32) {
    let path = store.root().join("blobs/sha256").join(digest.hex());
    let time = SystemTime::now() - HOUR * hours;
    File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
}

#[test]
fn named_images_stay_whole() {
    let (_directory, mut store) = open();
    let (named, unnamed) = (image(&store, "named"), image(&store, "unnamed"));
    store.tag(&reference("app"), &named).unwrap();
    store.add(&unnamed).unwrap();
    let waste = store.put(b"waste").unwrap();
    let rehearsal = store.prune(&PrunePolicy { dry_run: true, ..everything() }).unwrap();
    assert_eq!(blobs(&store), 8);
    let pruned = store.prune(&everything()).unwrap();
    assert_eq!(pruned, rehearsal);
    assert_eq!(pruned.images, [unnamed]);
    assert_eq!(pruned.blobs.len(), 4);
    assert!(pruned.blobs.contains(&(waste, 5)));
    assert_eq!(pruned.freed, pruned.blobs.iter().map(|(_, size)| size).sum::<u64>());
    assert_eq!(store.missing(&named).unwrap(), []);
    assert_eq!(store.images().unwrap().len(), 1);
    assert_eq!(store.prune(&everything()).unwrap(), Default::default());
}

#[test]
fn what_servers_answered_goes_with_age() {
    let (_directory, mut store) = open();
    let file = store.answers("some-index").join("deep/answer");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&file, "text").unwrap();
    let young = PrunePolicy { older_than: Some(HOUR), ..everything() };
    assert_eq!(store.prune(&young).unwrap().freed, 0);
    assert!(file.exists());
    assert_eq!(store.prune(&everything()).unwrap().freed, 4);
    assert!(!file.exists());
}

#[test]
fn by_age_and_by_size() {
    let (_directory, mut store) = open();
    let layer = |hours: u32| {
        let content = vec![hours as u8; 100];
        let digest = store.put(&content).unwrap();
        age(&store, &digest, hours);
        digest
    };
    let digests: Vec<Digest> = [1, 2, 3, 4, 5].map(layer).to_vec();
    let left = |store: &Store| {
        let here = digests.iter().map(|digest| store.contains(digest).unwrap().is_some());
        here.map(|here| if here { '+' } else { '-' }).collect::<String>()
    };
    let old = PrunePolicy { older_than: Some(HOUR * 9 / 2), ..everything() };
    store.prune(&old).unwrap();
    assert_eq!(left(&store), "++++-");
    store.prune(&PrunePolicy { keep_bytes: Some(399), ..everything() }).unwrap();
    assert_eq!(left(&store), "+++--");
    let both = PrunePolicy { older_than: Some(HOUR * 5 / 2), keep_bytes: Some(0), ..everything() };
    store.prune(&both).unwrap();
    assert_eq!(left(&store), "++---");
    // Opening a blob is using it.
    drop(store.open_blob(&digests[1]).unwrap());
    store.prune(&PrunePolicy { keep_bytes: Some(100), ..everything() }).unwrap();
    assert_eq!(left(&store), "-+---");
}

#[test]
fn records_go_with_what_they_are_about() {
    let (_directory, mut store) = open();
    let made = image(&store, "x");
    store.tag(&reference("app"), &made).unwrap();
    let layer = store.blobs_of(&made).unwrap()[0].clone();
    let gone = put(&store, MediaType::OciLayer(Compression::None), b"gone");
    let record = |key: &[u8], descriptor: &Descriptor| {
        let diff_id = DiffId(Digest::of(b"tar"));
        let cached = CachedLayer { descriptor: descriptor.clone(), diff_id };
        store.record_layer(&Digest::of(key), &cached).unwrap();
    };
    record(b"kept", &layer);
    record(b"gone", &gone);
    let diff_id = DiffId(Digest::of(&sample::tar_of("shared")));
    store.record_layer_index(&diff_id, b"index").unwrap();
    store.record_layer_index(&DiffId(Digest::of(b"gone")), b"index").unwrap();
    store.record_remote(&layer.digest, reference("debian").repository()).unwrap();
    store.record_remote(&gone.digest, reference("debian").repository()).unwrap();
    store.record_fact("etag", &Digest::of(b"url"), b"value").unwrap();
    let broken_off = Descriptor::of(MediaType::OciConfig, b"broken off");
    store.partial(&broken_off).wait().unwrap().unwrap().write_all(b"brok").unwrap();

    let pruned = store.prune(&everything()).unwrap();
    assert_eq!((pruned.records, pruned.partials, pruned.blobs.len()), (4, 1, 1));
    assert!(store.layer(&Digest::of(b"kept")).unwrap().is_some());
    assert!(store.layer(&Digest::of(b"gone")).unwrap().is_none());
    assert!(store.layer_index(&diff_id).unwrap().is_some());
    assert_eq!(store.remote_sources(&layer.digest).unwrap().len(), 1);
    assert_eq!(store.remote_sources(&gone.digest).unwrap(), []);
}

#[test]
fn what_is_in_use_is_left_alone() {
    let (_directory, mut store) = open();
    let waste = store.put(b"waste").unwrap();
    let other = Store::open(store.root()).unwrap();
    let error = store.prune(&everything()).unwrap_err();
    let message = error.to_string().replace(&store.root().display().to_string(), "ROOT");
    insta::assert_snapshot!(message, @"lock the store `ROOT`: another process uses it");
    insta::assert_snapshot!(error.hint().unwrap(), @"wait until the other plywood processes are done, and try again");
    drop(other);
    let scratch = store.scratch().unwrap();
    assert!(matches!(store.prune(&everything()), Err(StoreError::Busy { .. })));
    assert!(store.contains(&waste).unwrap().is_some());
    drop(scratch);
    store.prune(&everything()).unwrap();
    assert!(store.contains(&waste).unwrap().is_none());
}

#[test]
fn all_images_are_spared_and_how_they_were_built() {
    let (_directory, mut store) = open();
    let unnamed = image(&store, "unnamed");
    store.add(&unnamed).unwrap();
    let key = Digest::of(b"key");
    let waste = put(&store, MediaType::OciLayer(Compression::None), b"waste");
    let cached = CachedLayer { descriptor: waste.clone(), diff_id: DiffId(waste.digest) };
    store.record_layer(&key, &cached).unwrap();
    store.record_fact("build", &unnamed.digest, b"record").unwrap();
    store.record_fact("text", &key, b"text").unwrap();
    let policy = PrunePolicy { spared: Spared::AllImages, ..everything() };
    let pruned = store.prune(&policy).unwrap();
    assert_eq!((pruned.images.len(), pruned.records), (0, 2), "a layer's key, and a text");
    assert_eq!(pruned.blobs, [(waste.digest, 5)]);
    assert_eq!(store.missing(&unnamed).unwrap(), []);
    assert!(store.fact("build", &unnamed.digest).unwrap().is_some());
}

#[test]
fn records_count_where_bytes_are_kept() {
    let (_directory, mut store) = open();
    let keys = [3_u32, 2, 1].map(|hours| {
        let key = Digest::of(&[hours as u8]);
        store.record_fact("text", &key, &[0; 68]).unwrap();
        let name = format!("plywood/records/fact-text/sha256-{}", key.hex());
        let file = File::options().write(true).open(store.root().join(name)).unwrap();
        file.set_modified(SystemTime::now() - HOUR * hours).unwrap();
        key
    });
    let pruned = store.prune(&PrunePolicy { keep_bytes: Some(200), ..everything() }).unwrap();
    assert_eq!((pruned.records, pruned.freed), (1, 100));
    let here = keys.map(|key| store.fact("text", &key).unwrap().is_some());
    assert_eq!(here, [false, true, true]);
}

#[test]
fn a_look_is_no_use() {
    let (_directory, mut store) = open();
    let made = image(&store, "x");
    store.tag(&reference("app"), &made).unwrap();
    let waste = store.put(b"waste").unwrap();
    age(&store, &waste, 2);
    store.record_fact("text", &waste, b"text").unwrap();
    let looked = store.kept_records().unwrap();
    let [record] = looked.as_slice() else { panic!("{looked:?}") };
    assert_eq!((record.kind.as_str(), record.key, record.size), ("fact-text", waste, 36));
    assert_eq!(store.peek(record).unwrap().as_deref(), Some(&b"text"[..]));
    let absent = KeptRecord { kind: "fact-other".into(), ..record.clone() };
    assert_eq!(store.peek(&absent).unwrap(), None);
    let cached = |store: &Store| {
        let of_images = store.blobs_of_images().unwrap();
        let blobs = store.kept_blobs().unwrap().into_iter();
        blobs.filter(|blob| !of_images.contains(&blob.digest)).collect::<Vec<_>>()
    };
    let [blob] = cached(&store).try_into().unwrap();
    assert_eq!((blob.digest, blob.size), (waste, 5));
    assert!(blob.used < SystemTime::now() - HOUR);
    assert_eq!(store.kept_records().unwrap(), looked, "reading it has not marked it");
    store.discard(&looked, &[waste]).unwrap();
    assert_eq!((store.kept_records().unwrap(), cached(&store).len()), (vec![], 0));
}
