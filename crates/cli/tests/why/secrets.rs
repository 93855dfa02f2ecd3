//! What a record does not hold.

use std::fs;

use oci::Digest;

use crate::world::{World, told};

/// The record of an image, as it lies in the store.
fn record(world: &World, image: &str) -> String {
    let digest: Digest = image.parse().unwrap();
    let bytes = world.scene.store().fact("build", &digest).unwrap().unwrap();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn values_are_not_kept() {
    let world = World::new();
    fs::write(world.scene.path("key"), "the-SECRET-itself\n").unwrap();
    world.file(
        "Dockerfile",
        "FROM REGISTRY/base:1\nARG API_TOKEN\nARG LEVEL=low\n\
         RUN --mount=type=secret,id=key cat /run/secrets/key > /dev/null\nCOPY app /app\n",
    );
    let flags = [
        "--secret=id=key,src=key",
        "--build-arg=API_TOKEN=another-SECRET",
        "--build-arg=LEVEL=low",
    ];
    let record = record(&world, &world.build(&flags));
    assert!(!record.contains("SECRET"), "{record}");
    let mark = |name: &str, value: &str| Digest::of(format!("{name}\0{value}").as_bytes()).hex();
    assert!(!record.contains(&mark("API_TOKEN", "another-SECRET")[..8]), "{record}");
    assert!(record.contains(r#""shown":"low""#), "{record}");
}

#[test]
fn the_same_build_is_the_same_record() {
    let world = World::new();
    let first = record(&world, &world.build(&[]));
    assert_eq!(record(&world, &world.build(&["--no-cache"])), first);
}

/// What a secret changed goes back to nothing that is recorded, and is not laid at another's door.
#[test]
fn a_secret_that_moved() {
    let world = World::new();
    world.file(
        "Dockerfile",
        "FROM REGISTRY/base:1\nCOPY app /app\n\
         RUN --mount=type=secret,id=key sed 's/.*/x/' /run/secrets/key > /lines\n",
    );
    let build = |secret: &str| {
        fs::write(world.scene.path("key"), secret).unwrap();
        world.build(&["--secret=id=key,src=key"])
    };
    let (old, new) = (build("a-SECRET\n"), build("a-SECRET\nof-two-SECRET-lines\n"));
    assert_eq!(
        told(&world.why(&[&old, &new])),
        ["unexplained: [RUN --mount=type=secret,id=key] changed"]
    );
    world.file("app/views.py", "others\n");
    let newer = build("a-SECRET\n");
    assert_eq!(
        told(&world.why(&[&new, &newer])),
        ["certain file changed app/views.py: [COPY app] changed, \
         [RUN --mount=type=secret,id=key] changed?",]
    );
}
