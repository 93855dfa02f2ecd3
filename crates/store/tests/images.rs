//! Images by name: tagging, finding, listing and removing.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::os::unix::fs::MetadataExt;

use oci::{Compression, Descriptor, Digest, MediaType};
use sample::{blobs, image, index, open, reference};
use store::{CachedLayer, Store, StoreError};

mod sample;

fn listing(store: &Store) -> String {
    let line = |listed: store::Listed| {
        let platforms: Vec<String> = listed.platforms.iter().map(ToString::to_string).collect();
        let name = listed.name.as_deref().unwrap_or("<none>").to_owned();
        let created = listed.created.unwrap_or_default();
        format!("{name} {} {created} {}", listed.descriptor.digest.short(), platforms.join(","))
    };
    store.images().unwrap().into_iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_name_moves_and_the_former_image_stays() {
    let (_directory, store) = open();
    let (first, second) = (image(&store, "first"), image(&store, "second"));
    let app = reference("app");
    assert_eq!(store.resolve(&app).unwrap(), None);
    store.tag(&app, &first).unwrap();
    store.tag(&reference("localhost:5000/other:2"), &first).unwrap();
    assert_eq!(store.resolve(&reference("app:latest")).unwrap(), Some(first.clone()));
    store.tag(&app, &second).unwrap();
    assert_eq!(store.resolve(&app).unwrap(), Some(second.clone()));
    store.tag(&reference("localhost:5000/other:2"), &second).unwrap();
    let lines = listing(&store).replace(&first.digest.short(), "FIRST");
    insta::assert_snapshot!(lines.replace(&second.digest.short(), "SECOND"), @r"
    docker.io/library/app:latest SECOND 2020-01-01T00:00:00Z linux/amd64
    localhost:5000/other:2 SECOND 2020-01-01T00:00:00Z linux/amd64
    <none> FIRST 2020-01-01T00:00:00Z linux/amd64
    ");
    store.tag(&app, &first).unwrap();
    assert_eq!(store.images().unwrap().len(), 2, "the unnamed image got its name back");
    store.add(&first).unwrap();
    assert_eq!(store.images().unwrap().len(), 2);
}

#[test]
fn an_unchanged_tag_writes_nothing() {
    let (_directory, store) = open();
    let made = image(&store, "x");
    store.tag(&reference("app"), &made).unwrap();
    let path = store.root().join("index.json");
    let before = fs::metadata(&path).unwrap().ino();
    store.tag(&reference("app:latest"), &made).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().ino(), before);
}

#[test]
fn by_digest() {
    let (_directory, store) = open();
    let both = index(&store, "x", &["linux/amd64", "linux/arm64"]);
    store.tag(&reference("app:1"), &both).unwrap();
    let pinned = reference("app").with_digest(both.digest);
    assert_eq!(store.resolve(&pinned).unwrap(), Some(both.clone()));
    let child = store.blobs_of(&both).unwrap().into_iter().find(|b| b.media_type.is_manifest());
    let child = child.unwrap();
    let found = store.resolve(&reference("app").with_digest(child.digest)).unwrap();
    assert_eq!(found.map(|found| found.platform), Some(child.platform));
    assert_eq!(store.image(&Digest::of(b"nothing")).unwrap(), None);
    // What was pulled by digest has no tag to be listed under.
    store.tag(&reference("other:1").with_digest(both.digest), &both).unwrap();
    let names: Vec<_> = store.images().unwrap().into_iter().filter_map(|i| i.name).collect();
    let expected = format!("docker.io/library/other@{}", both.digest);
    assert_eq!(names, ["docker.io/library/app:1".to_owned(), expected]);
    let wrong = reference("other").with_digest(Digest::of(b"x"));
    assert!(matches!(store.tag(&wrong, &both), Err(StoreError::DigestMismatch { .. })));
}

#[test]
fn a_tag_needs_every_blob_here_or_elsewhere() {
    let (_directory, store) = open();
    let made = image(&store, "x");
    let layer = store.blobs_of(&made).unwrap()[0].clone();
    let hex = layer.digest.hex();
    fs::remove_file(store.root().join("blobs/sha256").join(&hex)).unwrap();
    assert_eq!(store.missing(&made).unwrap(), std::slice::from_ref(&layer));
    let error = store.tag(&reference("app"), &made).unwrap_err();
    assert_eq!(error.to_string(), format!("find blob sha256:{hex}: it is not in the store"));
    insta::assert_snapshot!(error.hint().unwrap(), @"pull or build the image again");
    assert_eq!(store.images().unwrap(), []);
    store.record_remote(&layer.digest, reference("debian").repository()).unwrap();
    store.tag(&reference("app"), &made).unwrap();
    assert_eq!(store.resolve(&reference("app")).unwrap(), Some(made));
}

#[test]
fn removing_deletes_what_nothing_else_needs() {
    let (_directory, mut store) = open();
    let (first, second) = (image(&store, "first"), image(&store, "second"));
    store.tag(&reference("app:1"), &first).unwrap();
    store.tag(&reference("app:2"), &second).unwrap();
    // Two manifests, two configs, two layers of their own and one that they share.
    assert_eq!(blobs(&store), 7);
    let removed = store.remove(&reference("app:1")).unwrap();
    assert_eq!((removed.descriptor, removed.deleted.len()), (first, 3));
    assert_eq!(store.missing(&second).unwrap(), []);
    let layer = store.blobs_of(&second).unwrap()[1].clone();
    let cached = CachedLayer { descriptor: layer.clone(), diff_id: oci::DiffId(layer.digest) };
    store.record_layer(&Digest::of(b"key"), &cached).unwrap();
    store.remove(&reference("app:2")).unwrap();
    assert_eq!(blobs(&store), 1, "a layer that was built here stays for the next build");
    assert_eq!(store.layer(&Digest::of(b"key")).unwrap(), Some(cached));
    let error = store.remove(&reference("app:2")).unwrap_err();
    let message = error.to_string().replace(&store.root().display().to_string(), "ROOT");
    insta::assert_snapshot!(message, @"find the image `docker.io/library/app:2` in `ROOT`");
    insta::assert_snapshot!(error.hint().unwrap(), @"there are no named images");
}

#[test]
fn removing_by_digest_takes_every_name() {
    let (_directory, mut store) = open();
    let made = image(&store, "x");
    store.tag(&reference("app:1"), &made).unwrap();
    store.tag(&reference("app:2"), &made).unwrap();
    let removed = store.remove_image(&made.digest).unwrap();
    assert_eq!((removed.descriptor, removed.deleted.len()), (made.clone(), 4));
    assert_eq!((store.images().unwrap(), blobs(&store)), (Vec::new(), 0));
    let error = store.remove_image(&made.digest).unwrap_err().to_string();
    assert!(error.starts_with(&format!("find the image `{}`", made.digest)), "{error}");
}

#[test]
fn removing_leaves_the_blobs_to_others_who_use_the_store() {
    let (_directory, mut store) = open();
    let made = image(&store, "x");
    store.tag(&reference("app"), &made).unwrap();
    let other = Store::open(store.root()).unwrap();
    let removed = store.remove(&reference("app")).unwrap();
    assert_eq!(removed.deleted, []);
    assert_eq!(other.missing(&made).unwrap(), []);
}

#[test]
fn what_others_wrote_is_kept() {
    let (_directory, store) = open();
    let made = image(&store, "x");
    let entry = |annotations: &str| {
        format!(
            r#"{{"mediaType":"{}","digest":"{}","size":{},"annotations":{{{annotations}}}}}"#,
            made.media_type, made.digest, made.size
        )
    };
    let text = format!(
        r#"{{"schemaVersion":2,"manifests":[{}],"annotations":{{"a":"b"}}}}"#,
        entry(r#""org.opencontainers.image.ref.name":"latest","c":"d""#)
    );
    fs::write(store.root().join("index.json"), text).unwrap();
    store.tag(&reference("app"), &made).unwrap();
    let listed = store.images().unwrap();
    assert_eq!(listed[1].name.as_deref(), Some("latest"));
    assert_eq!(listed[1].reference(), None, "a bare word is no reference");
    assert_eq!(listed[1].descriptor.annotations["c"], "d");
    let text = fs::read_to_string(store.root().join("index.json")).unwrap();
    assert!(text.ends_with(r#""annotations":{"a":"b"}}"#));
    fs::write(store.root().join("index.json"), "{").unwrap();
    let error = store.images().unwrap_err().to_string();
    let message = error.replace(&store.root().display().to_string(), "ROOT");
    insta::assert_snapshot!(message, @"read `ROOT/index.json`: EOF while parsing an object at line 1 column 1");
}

#[test]
fn a_damaged_image_is_still_listed() {
    let (_directory, store) = open();
    let made = image(&store, "x");
    store.tag(&reference("app"), &made).unwrap();
    fs::write(store.root().join("blobs/sha256").join(made.digest.hex()), "?").unwrap();
    let listed = store.images().unwrap();
    assert_eq!(listed[0].platforms, []);
    assert_eq!(store.missing(&made).unwrap(), std::slice::from_ref(&made));
    let text = Descriptor::of(MediaType::OciLayer(Compression::None), b"?");
    assert!(matches!(store.read(&made), Err(StoreError::SizeMismatch { .. })), "{text:?}");
}
