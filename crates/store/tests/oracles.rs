//! What others wrote is the judge: skopeo and umoci read what is written here, and what they write
//! is read here. Where one of them is not installed, these tests fail and say so.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;
use std::process::Command;

use oci::{Descriptor, Manifest};
use sample::{image, open, reference};
use store::Store;
use store::exchange::{
    ArchiveFormat, Export, Wanted, read_archive, read_layout, save_archive, write_layout,
};

mod sample;

/// Runs a program to its success and returns what it printed.
fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("`{program}` has to be installed for this test: {error}"));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {text}{errors}");
    text
}

fn skopeo(arguments: &[&str]) -> String {
    run("skopeo", &[&["--insecure-policy"], arguments].concat())
}

fn export(name: &str, image: &Descriptor) -> [Export; 1] {
    [Export::of(Some(&reference(name)), image.clone())]
}

/// The manifest that skopeo finds at `place` has exactly our bytes.
fn skopeo_agrees(place: &str, store: &Store, image: &Descriptor) {
    let raw = skopeo(&["inspect", "--raw", place]);
    let ours = store.read_manifest(image).unwrap();
    assert_eq!(raw.trim_end().as_bytes(), ours.bytes(), "{place}");
}

#[test]
fn the_store_itself_is_a_layout_to_others() {
    let (directory, store) = open();
    let made = image(&store, "hello from the store");
    store.tag(&reference("localhost:5000/app:1"), &made).unwrap();
    store.tag(&reference("app"), &made).unwrap();
    let root = store.root().display().to_string();
    skopeo_agrees(&format!("oci:{root}:localhost:5000/app:1"), &store, &made);
    skopeo_agrees(&format!("oci:{root}:docker.io/library/app:latest"), &store, &made);
    let names = run("umoci", &["list", "--layout", &root]);
    assert!(names.lines().any(|name| name == "localhost:5000/app:1"), "{names}");
    let bundle = directory.path().join("bundle");
    let of_image = format!("{root}:localhost:5000/app:1");
    run("umoci", &["unpack", "--rootless", "--image", &of_image, &bundle.display().to_string()]);
    let text = std::fs::read_to_string(bundle.join("rootfs/hello")).unwrap();
    assert_eq!(text, "hello from the store");
}

#[test]
fn skopeo_reads_what_is_saved() {
    let (directory, store) = open();
    let made = image(&store, "x");
    let path = |name: &str| directory.path().join(name);
    let text = |name: &str| path(name).display().to_string();
    write_layout(&store, &export("app:1", &made), &path("layout")).unwrap();
    let name = "docker.io/library/app:1";
    skopeo_agrees(&format!("oci:{}:{name}", text("layout")), &store, &made);
    save_archive(&store, &export("app:1", &made), ArchiveFormat::Oci, &path("oci.tar")).unwrap();
    skopeo_agrees(&format!("oci-archive:{}:{name}", text("oci.tar")), &store, &made);
    save_archive(&store, &export("app:1", &made), ArchiveFormat::Docker, &path("docker.tar"))
        .unwrap();
    skopeo_agrees(&format!("oci-archive:{}:{name}", text("docker.tar")), &store, &made);
    // Each copy has skopeo check every digest on its way, the diff ids included.
    for (name, target) in [(":app:1", "by-name"), ("", "the-only-one")] {
        let from = format!("docker-archive:{}{name}", text("docker.tar"));
        let to = format!("oci:{}:copy", text(target));
        skopeo(&["copy", &from, &to]);
        skopeo(&["inspect", "--config", &to]);
    }
    let copied = read_layout(&store, &path("docker.tar"), &Wanted::All);
    assert!(copied.is_err(), "a file is no layout");
}

#[test]
fn what_skopeo_writes_is_read() {
    let (directory, store) = open();
    let made = image(&store, "x");
    store.tag(&reference("app:1"), &made).unwrap();
    let from = format!("oci:{}:docker.io/library/app:1", store.root().display());
    let path = |name: &str| directory.path().join(name);
    for kind in ["oci", "oci-archive", "docker-archive"] {
        let to = path(kind);
        let (_other_directory, other) = open();
        skopeo(&["copy", &from, &format!("{kind}:{}:example.org/app:2", to.display())]);
        let imported = match kind {
            "oci" => read_layout(&other, &to, &Wanted::All).unwrap(),
            _ => {
                let file = std::fs::File::open(&to).unwrap();
                read_archive(&other, file, &to, &Wanted::All).unwrap()
            }
        };
        assert_eq!(imported.len(), 1, "{kind}");
        assert_eq!(imported[0].reference(), Some(reference("example.org/app:2")), "{kind}");
        other.tag(&reference("app:2"), &imported[0].image).unwrap();
        assert_eq!(config_of(&other, &imported[0].image), config_of(&store, &made), "{kind}");
        if kind != "docker-archive" {
            assert_eq!(imported[0].image.digest, made.digest, "{kind}");
        }
    }
}

fn config_of(store: &Store, image: &Descriptor) -> Vec<u8> {
    let Manifest::Image(manifest) = store.read_manifest(image).unwrap() else {
        panic!("not an image")
    };
    store.read(manifest.config()).unwrap()
}

#[test]
fn what_umoci_writes_is_read() {
    let (directory, store) = open();
    let layout = directory.path().join("layout");
    let layout_text = layout.display().to_string();
    let image = format!("{layout_text}:fresh");
    run("umoci", &["init", "--layout", &layout_text]);
    run("umoci", &["new", "--image", &image]);
    let file = directory.path().join("file");
    std::fs::write(&file, "inserted").unwrap();
    let arguments = ["insert", "--rootless", "--image", &image];
    run("umoci", &[&arguments[..], &[&file.display().to_string(), "/etc/file"]].concat());
    let wanted = Wanted::Name("fresh".to_owned());
    let imported = read_layout(&store, &layout, &wanted).unwrap();
    assert_eq!(imported[0].name.as_deref(), Some("fresh"));
    assert_eq!(imported[0].reference(), None, "a bare word may be a tag");
    let fresh = &imported[0].image;
    store.tag(&reference("app:fresh"), fresh).unwrap();
    let saved = directory.path().join("saved");
    write_layout(&store, &export("app:fresh", fresh), &saved).unwrap();
    let stat = |place: &str| run("umoci", &["stat", "--json", "--image", place]);
    let ours = stat(&format!("{}:docker.io/library/app:fresh", saved.display()));
    assert_eq!(ours, stat(&image));
    // A layout that umoci made becomes a store where it stands.
    let adopted = Store::open(Path::new(&layout)).unwrap();
    assert_eq!(adopted.images().unwrap()[0].name.as_deref(), Some("fresh"));
    run("umoci", &["list", "--layout", &layout_text]);
}
