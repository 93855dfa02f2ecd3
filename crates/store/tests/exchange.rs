//! Layouts and archives: there and back, and what must not come in.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::io::Read;
use std::path::Path;

use oci::{Compression, Descriptor, Digest, Manifest, MediaType};
use sample::{blobs, config, files, gzip, image, index, open, reference, tar_of};
use store::exchange::{
    ArchiveFormat, Export, Imported, Wanted, read_archive, read_layout, save_archive,
    write_archive, write_layout,
};
use store::{Store, StoreError};

mod sample;

fn named(name: &str, image: &Descriptor) -> Export {
    Export::of(Some(&reference(name)), image.clone())
}

fn archive(store: &Store, images: &[Export], format: ArchiveFormat) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_archive(store, images, format, &mut bytes, Path::new("out.tar")).unwrap();
    bytes
}

fn import(store: &Store, bytes: &[u8]) -> Result<Vec<Imported>, StoreError> {
    read_archive(store, bytes, Path::new("in.tar"), &Wanted::All)
}

fn entries(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut archive = tar::Archive::new(bytes);
    let entry = |entry: std::io::Result<tar::Entry<'_, &[u8]>>| {
        let mut entry = entry.unwrap();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        (entry.path().unwrap().display().to_string(), content)
    };
    archive.entries().unwrap().map(entry).collect()
}

/// A tar of regular files, in the order given.
fn tar_with(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        // Written past the checks of the `tar` crate, which would not write hostile names.
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_cksum();
        builder.append(&header, *content).unwrap();
    }
    builder.into_inner().unwrap()
}

/// The message, after a check that the attempt left nothing in the store.
fn refusal(store: &Store, result: Result<Vec<Imported>, StoreError>) -> String {
    let error = result.unwrap_err();
    assert_eq!(files(&store.root().join("blobs")), [""; 0], "nothing was left behind");
    assert_eq!(files(&store.root().join("plywood/scratch")), [""; 0]);
    error.to_string()
}

#[test]
fn layouts_there_and_back() {
    let (directory, store) = open();
    let (first, second) = (image(&store, "first"), index(&store, "second", &["linux/arm64"]));
    let layout = directory.path().join("new/layout");
    write_layout(&store, &[named("app:1", &first)], &layout).unwrap();
    write_layout(&store, &[named("app:2", &second)], &layout).unwrap();
    let (_other_directory, other) = open();
    let wanted = Wanted::Name("app:2".to_owned());
    let imported = read_layout(&other, &layout, &wanted).unwrap();
    let name = Some("docker.io/library/app:2".to_owned());
    assert_eq!(imported, [Imported { name, image: second.clone() }]);
    assert_eq!(imported[0].reference(), Some(reference("app:2")));
    other.tag(&reference("app:2"), &imported[0].image).unwrap();
    assert_eq!(other.missing(&first).unwrap(), std::slice::from_ref(&first));
    let by_digest = read_layout(&other, &layout, &Wanted::Digest(first.digest)).unwrap();
    assert_eq!(by_digest[0].image, first);
    assert_eq!(other.missing(&first).unwrap(), []);
    let error = read_layout(&other, &layout, &Wanted::Name("app".to_owned())).unwrap_err();
    insta::assert_snapshot!(error.hint().unwrap(), @"there is docker.io/library/app:1, docker.io/library/app:2");
    assert_eq!(read_layout(&other, &layout, &Wanted::All).unwrap().len(), 2);
}

#[test]
fn archives_there_and_back() {
    let (directory, store) = open();
    let (first, second) = (image(&store, "first"), image(&store, "second"));
    let images = [named("app:2", &second), named("app:1", &first), named("also", &first)];
    for format in [ArchiveFormat::Oci, ArchiveFormat::Docker] {
        let bytes = archive(&store, &images, format);
        let (_other_directory, other) = open();
        let imported = import(&other, &bytes).unwrap();
        let names: Vec<&str> = imported.iter().filter_map(|i| i.name.as_deref()).collect();
        let library = "docker.io/library";
        let expected = ["also:latest", "app:1", "app:2"].map(|name| format!("{library}/{name}"));
        assert_eq!(names, expected);
        assert_eq!(imported[1].image, first);
        assert_eq!(imported[2].image, second);
        // The order in which images are named does not matter, nor who writes.
        let mut reversed = images.clone();
        reversed.reverse();
        assert_eq!(archive(&other, &reversed, format), bytes);
        // A compressed archive is read as well.
        let (_third_directory, third) = open();
        assert_eq!(import(&third, &gzip(&bytes)).unwrap(), imported);
    }
    let path = directory.path().join("app.tar");
    save_archive(&store, &images[..1], ArchiveFormat::Docker, &path).unwrap();
    let names: Vec<String> = entries(&fs::read(&path).unwrap()).into_iter().map(|e| e.0).collect();
    assert_eq!(names[..3], ["oci-layout", "index.json", "manifest.json"]);
    assert_eq!(names.len(), 3 + 4);
    assert_eq!(files(directory.path()).iter().filter(|name| !name.starts_with("store")).count(), 1);
}

#[test]
fn dockers_own_list() {
    let (_directory, store) = open();
    let single = index(&store, "x", &["linux/arm64"]);
    let bytes = archive(&store, &[named("localhost:5000/app", &single)], ArchiveFormat::Docker);
    let entries = entries(&bytes);
    let mut list = String::from_utf8(entries[2].1.clone()).unwrap();
    for (name, _) in &entries {
        list = list.replace(name, "BLOB");
    }
    insta::assert_snapshot!(list, @r#"[{"Config":"BLOB","RepoTags":["localhost:5000/app:latest"],"Layers":["BLOB","BLOB"]}]"#);
    let several = index(&store, "x", &["linux/arm64", "linux/amd64"]);
    let export = [named("app:1", &several)];
    let mut out = Vec::new();
    let error = write_archive(&store, &export, ArchiveFormat::Docker, &mut out, Path::new("o"))
        .unwrap_err();
    insta::assert_snapshot!(error, @"save `app:1` as a docker archive: it has 2 platforms, and the format holds one");
    insta::assert_snapshot!(error.hint().unwrap(), @"choose one platform (linux/arm64, linux/amd64), or save as oci");
    assert_eq!(out, b"");
}

/// Docker keeps the whole index of an image of which it pulled one platform, and saves it so.
#[test]
fn one_platform_of_several() {
    let (directory, store) = open();
    let both = index(&store, "x", &["linux/amd64", "linux/arm64"]);
    let layout = directory.path().join("layout");
    write_layout(&store, &[named("app:1", &both)], &layout).unwrap();
    let Manifest::Index(entries) = store.read_manifest(&both).unwrap() else { panic!("no index") };
    let [amd64, arm64] = entries.manifests() else { panic!("not two") };
    fs::remove_file(layout.join("blobs/sha256").join(amd64.digest.hex())).unwrap();
    let (_other_directory, other) = open();
    let imported = read_layout(&other, &layout, &Wanted::All).unwrap();
    assert_eq!(imported[0].image, *arm64);
    other.tag(&imported[0].reference().unwrap(), &imported[0].image).unwrap();
    fs::remove_file(layout.join("blobs/sha256").join(arm64.digest.hex())).unwrap();
    let (_third_directory, third) = open();
    let message = refusal(&third, read_layout(&third, &layout, &Wanted::All));
    assert_eq!(message, format!("find blob {}: it is not in the store", amd64.digest));
}

#[test]
fn what_is_elsewhere_cannot_be_saved() {
    let (directory, store) = open();
    let made = image(&store, "x");
    let layer = store.blobs_of(&made).unwrap()[0].digest;
    fs::remove_file(store.root().join("blobs/sha256").join(layer.hex())).unwrap();
    store.record_remote(&layer, reference("localhost:5000/base").repository()).unwrap();
    store.tag(&reference("app"), &made).unwrap();
    let target = directory.path().join("out");
    let error = write_layout(&store, &[named("app", &made)], &target).unwrap_err();
    assert_eq!(error.to_string(), format!("find blob {layer}: it is not in the store"));
    insta::assert_snapshot!(error.hint().unwrap(), @"pull it from `localhost:5000/base`");
    assert!(!target.exists(), "nothing was left behind");
    let images = [named("app", &made)];
    let again = save_archive(&store, &images, ArchiveFormat::Oci, &target).unwrap_err();
    assert_eq!(again.to_string(), error.to_string());
    assert_eq!(files(directory.path()).iter().filter(|name| !name.starts_with("store")).count(), 0);
}

#[test]
fn a_layout_that_fails_is_as_it_was() {
    let (directory, store) = open();
    let (first, second) = (image(&store, "first"), image(&store, "second"));
    let layout = directory.path().join("layout");
    write_layout(&store, &[named("app:1", &first)], &layout).unwrap();
    let before = files(&layout);
    let blob = store.blobs_of(&second).unwrap()[1].clone();
    let path = store.root().join("blobs/sha256").join(blob.digest.hex());
    let good = fs::read(&path).unwrap();
    fs::write(&path, vec![0; good.len()]).unwrap();
    let error = write_layout(&store, &[named("app:2", &second)], &layout).unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
    assert_eq!(files(&layout), before);
    let fresh = directory.path().join("a/b");
    assert!(write_layout(&store, &[named("app:2", &second)], &fresh).is_err());
    assert!(!directory.path().join("a").exists(), "the directories went, too");
    fs::write(&path, good).unwrap();
    fs::create_dir(directory.path().join("home")).unwrap();
    fs::write(directory.path().join("home/letter"), "").unwrap();
    let error = write_layout(&store, &[], &directory.path().join("home")).unwrap_err();
    let message = error.to_string().replace(&directory.path().display().to_string(), "DIR");
    insta::assert_snapshot!(message, @"save to `DIR/home`: it is not empty, and not an OCI layout");
}

/// The files of an image as Docker before version 25 saved them.
fn docker_save(layers: &[(&str, Vec<u8>)], tars: &[Vec<u8>]) -> Vec<(String, Vec<u8>)> {
    let paths: Vec<String> = layers.iter().map(|(path, _)| format!("{path:?}")).collect();
    let list = format!(
        r#"[{{"Config":"config.json","RepoTags":["app:1","also:2"],"Layers":[{}]}}]"#,
        paths.join(",")
    );
    let mut files: Vec<(String, Vec<u8>)> =
        layers.iter().map(|(path, bytes)| ((*path).to_owned(), bytes.clone())).collect();
    files.push(("config.json".to_owned(), config("linux/amd64", tars)));
    files.push(("manifest.json".to_owned(), list.into_bytes()));
    files
}

fn pack(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let files: Vec<(&str, &[u8])> =
        files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    tar_with(&files)
}

#[test]
fn dockers_images_get_manifests() {
    let (_directory, store) = open();
    let tars = [tar_of("one"), tar_of("two"), tar_of("three")];
    let zstd = zstd::encode_all(tars[2].as_slice(), 1).unwrap();
    let layers = [("a/layer.tar", tars[0].clone()), ("b.tar.gz", gzip(&tars[1])), ("c.tar", zstd)];
    let imported = import(&store, &pack(&docker_save(&layers, &tars))).unwrap();
    let names: Vec<String> = imported.iter().map(|i| i.reference().unwrap().familiar()).collect();
    assert_eq!(names, ["app:1", "also:2"]);
    let Manifest::Image(manifest) = store.read_manifest(&imported[0].image).unwrap() else {
        panic!("not an image")
    };
    let kinds: Vec<&MediaType> = manifest.layers().iter().map(|l| &l.media_type).collect();
    use Compression::{Gzip, None, Zstd};
    assert_eq!(kinds, [None, Gzip, Zstd].map(MediaType::OciLayer).each_ref());
    assert_eq!(manifest.layers()[0].digest, Digest::of(&tars[0]));
    assert_eq!(store.read(manifest.config()).unwrap(), config("linux/amd64", &tars));
    assert_eq!(store.missing(&imported[0].image).unwrap(), []);
    let (_other_directory, other) = open();
    let files = docker_save(&layers, &tars);
    let wanted = Wanted::Name("also:2".to_owned());
    let one = read_archive(&other, pack(&files).as_slice(), Path::new("in"), &wanted).unwrap();
    assert_eq!(one, imported[1..]);
}

#[test]
fn equal_layers_may_be_links() {
    let (_directory, store) = open();
    let tar = tar_of("same");
    let files = docker_save(
        &[("a/layer.tar", tar.clone()), ("b/layer.tar", Vec::new())],
        &[tar.clone(), tar.clone()],
    );
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in &files {
        let mut header = tar::Header::new_gnu();
        if name == "b/layer.tar" {
            header.set_entry_type(tar::EntryType::Symlink);
            header.set_size(0);
            builder.append_link(&mut header, name, "../a/layer.tar").unwrap();
        } else {
            header.set_size(bytes.len() as u64);
            builder.append_data(&mut header, name, bytes.as_slice()).unwrap();
        }
    }
    let imported = import(&store, &builder.into_inner().unwrap()).unwrap();
    assert_eq!(store.missing(&imported[0].image).unwrap(), []);
    assert_eq!(blobs(&store), 3, "the layer, the config and the manifest");
}

#[test]
fn hostile_archives() {
    let (_directory, store) = open();
    let check = |bytes: &[u8]| refusal(&store, import(&store, bytes));
    insta::assert_snapshot!(check(b""), @"read the archive's entry `in.tar`: there is neither `index.json` nor `manifest.json`: this is no image");
    insta::assert_snapshot!(check(&tar_with(&[("../../etc/passwd", b"x")])), @"read the archive's entry `../../etc/passwd`: its name leads out of the archive");
    insta::assert_snapshot!(check(&tar_with(&[("/etc/passwd", b"x")])), @"read the archive's entry `/etc/passwd`: its name is absolute");
    insta::assert_snapshot!(check(&tar_with(&[("a", b"x"), ("./a", b"y")])), @"read the archive's entry `a`: there are two of this name");
    let mut cut = tar_with(&[("a", &[1; 2000])]);
    cut.truncate(1500);
    insta::assert_snapshot!(check(&cut), @"read the archive's entry `a`: the archive ends in the middle of it");
    let hex = Digest::of(b"hello").hex();
    let blob = format!("blobs/sha256/{hex}");
    insta::assert_snapshot!(check(&tar_with(&[(&blob, b"hullo")])), @"verify blob sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824: its bytes have the digest sha256:7835066a1457504217688c8f5d06909c6591e0ca78c254ccf17450d0d999cab0");
    insta::assert_snapshot!(check(&tar_with(&[("manifest.json", &[b' '; 5 << 20])])), @"read in.tar/manifest.json: it has 4194305 bytes, and no more than 4194304 are allowed");
    insta::assert_snapshot!(check(&tar_with(&[("manifest.json", b"[{}]")])), @"read `in.tar/manifest.json`: missing field `Config` at line 1 column 3");
    for kind in [tar::EntryType::Char, tar::EntryType::Fifo, tar::EntryType::GNUSparse] {
        let mut bytes = tar_with(&[("a", b"")]);
        bytes[156] = kind.as_byte();
        let mut header = tar::Header::from_byte_slice(&bytes[..512]).clone();
        header.set_cksum();
        bytes[..512].copy_from_slice(header.as_bytes());
        let message = check(&bytes);
        assert!(message.starts_with("read "), "{message}");
    }
    let link = |kind, target: &str| {
        let mut builder = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(0);
        builder.append_link(&mut header, "a/layer.tar", target).unwrap();
        builder.into_inner().unwrap()
    };
    insta::assert_snapshot!(check(&link(tar::EntryType::Symlink, "../../x")), @"read the archive's entry `a/layer.tar`: it links to outside of the archive");
    insta::assert_snapshot!(check(&link(tar::EntryType::Link, "/etc/shadow")), @"read the archive's entry `a/layer.tar`: it links to outside of the archive");
}

/// Wherever an archive is damaged: it is refused and leaves nothing, or it did not matter.
#[test]
fn damaged_anywhere() {
    let (_directory, source) = open();
    let made = image(&source, "x");
    let exported = archive(&source, &[named("app:1", &made)], ArchiveFormat::Docker);
    let tars = [tar_of("one"), tar_of("two")];
    let layers = [("a/layer.tar", tars[0].clone()), ("b/layer.tar", gzip(&tars[1]))];
    let saved = pack(&docker_save(&layers, &tars));
    let (mut refused, mut accepted) = (0, 0);
    for good in [exported, saved] {
        let (mut _directory, mut store) = open();
        for place in (0..good.len()).step_by(113) {
            let mut bad = good.clone();
            bad[place] ^= 1 << (place % 7);
            match import(&store, &bad) {
                Ok(imported) => {
                    accepted += 1;
                    assert!(imported.iter().all(|i| store.missing(&i.image).unwrap().is_empty()));
                    (_directory, store) = open();
                }
                error => {
                    refused += 1;
                    refusal(&store, error);
                }
            }
        }
    }
    assert!(refused > 20 && accepted > 20, "{refused} refused, {accepted} accepted");
}

#[test]
fn docker_archives_that_lie() {
    let (_directory, store) = open();
    let tars = [tar_of("one"), tar_of("two")];
    let good = [("a.tar", tars[0].clone()), ("b.tar", tars[1].clone())];
    let check = |files: &[(String, Vec<u8>)]| refusal(&store, import(&store, &pack(files)));
    let swapped = [("a.tar", tars[0].clone()), ("b.tar", tar_of("other"))];
    let message = check(&docker_save(&swapped, &tars));
    let digests = (Digest::of(&tar_of("other")).to_string(), Digest::of(&tars[1]).to_string());
    let message = message.replace(&digests.0, "OTHER").replace(&digests.1, "TWO");
    insta::assert_snapshot!(message, @"verify layer `b.tar`: its diff id is OTHER, and the config has TWO");
    insta::assert_snapshot!(check(&docker_save(&good, &tars[..1])), @"read the archive's entry `config.json`: it lists more or fewer layers than `manifest.json`");
    insta::assert_snapshot!(check(&docker_save(&good, &tars)[1..]), @"read the archive's entry `a.tar`: `manifest.json` names it, and it is not there");
    let mut broken = gzip(&tars[1]);
    broken.truncate(broken.len() / 2);
    let message = check(&docker_save(&[("a.tar", tars[0].clone()), ("b.tar", broken)], &tars));
    assert!(message.starts_with("read `"), "{message}");
}

#[test]
fn hostile_layouts() {
    let (directory, source) = open();
    let made = image(&source, "x");
    let layout = directory.path().join("layout");
    write_layout(&source, &[named("app", &made)], &layout).unwrap();
    let (_directory, store) = open();
    let layer = source.blobs_of(&made).unwrap()[1].clone();
    let path = layout.join("blobs/sha256").join(layer.digest.hex());
    let good = fs::read(&path).unwrap();
    let check = || {
        let message = refusal(&store, read_layout(&store, &layout, &Wanted::All));
        let message = message.replace(&layer.digest.to_string(), "LAYER");
        message.replace(&layout.display().to_string(), "LAYOUT").replace(&layer.digest.hex(), "HEX")
    };
    fs::write(&path, vec![0; good.len()]).unwrap();
    assert!(check().starts_with("verify blob LAYER: its bytes have the digest sha256:"));
    fs::write(&path, &good[1..]).unwrap();
    let sizes = format!("it has {} bytes instead of {}", good.len() - 1, good.len());
    assert_eq!(check(), format!("verify blob LAYER: {sizes}"));
    fs::remove_file(&path).unwrap();
    insta::assert_snapshot!(check(), @"find blob LAYER: it is not in the store");
    std::os::unix::fs::symlink("/etc/passwd", &path).unwrap();
    insta::assert_snapshot!(check(), @"read the archive's entry `LAYOUT/blobs/sha256/HEX`: it is not a regular file");
    fs::write(layout.join("oci-layout"), r#"{"imageLayoutVersion":"9"}"#).unwrap();
    insta::assert_snapshot!(check(), @"read the archive's entry `LAYOUT/oci-layout`: its OCI layout is of another version than 1.0.0");
    fs::remove_file(layout.join("oci-layout")).unwrap();
    insta::assert_snapshot!(check(), @"open `LAYOUT/oci-layout`: entity not found");
}
