//! Images that are not there, and registries that send something else than was asked for.

use std::collections::BTreeMap;

use oci::{Descriptor, Digest, ImageManifest, Manifest, MediaType};
use registry::testing::{BadManifest, Behaviour, Effect, Fault, TestDoor};

use crate::attempt::Attempt;
use crate::base::{Blob, config, own_platform};
use crate::layers::{file, tar};

/// A build whose base is `REGISTRY/base:1` with one small layer, which has to be read.
fn attempt() -> (Attempt, ImageManifest) {
    let attempt = Attempt::of("FROM REGISTRY/base:1\nCOPY --from=REGISTRY/base:1 /etc/motd /\n");
    let layer = Blob::plain(tar(&[file("etc/motd", &[b'x'; 4000])]));
    let image = attempt.publish("1", &[layer]);
    (attempt, image)
}

/// What is said when nothing of the base could be trusted: then the store has no name for it.
#[track_caller]
fn refused(attempt: &Attempt) -> String {
    let refusal = attempt.refused(&[]);
    assert_eq!(attempt.names(), [""; 0], "a base that was not read has a name");
    refusal
}

#[test]
fn images_that_are_not_there() {
    let refused = |dockerfile: &str| {
        let attempt = Attempt::of(dockerfile);
        attempt.publish("1", &[]);
        refused(&attempt)
    };
    insta::assert_snapshot!(refused("FROM REGISTRY/base:2\n"), @"
    exit 5
    error: failed to find the base image `127.0.0.1:00000/base:2`: find `127.0.0.1:00000/base:2` in the registry
     --> context/Dockerfile:1:6
      |
    1 | FROM 127.0.0.1:00000/base:2
      |      ^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: check the name and the tag; the registry lists the tags that exist
    ");
    insta::assert_snapshot!(refused("FROM REGISTRY/bse:1\n"), @"
    exit 5
    error: failed to find the base image `127.0.0.1:00000/bse:1`: find `127.0.0.1:00000/bse:1` in the registry
     --> context/Dockerfile:1:6
      |
    1 | FROM 127.0.0.1:00000/bse:1
      |      ^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: check the name and the tag; the registry lists the tags that exist
    ");
    let digest = Digest::of(b"none");
    insta::assert_snapshot!(refused(&format!("FROM REGISTRY/base@{digest}\n")), @"
    exit 5
    error: failed to find the base image `127.0.0.1:00000/base@sha256:140bedbf9c3f6d56a9846d2ba7088798683f4da0c248231336e6a05679e4fdfe`: find `127.0.0.1:00000/base@sha256:140bedbf9c3f6d56a9846d2ba7088798683f4da0c248231336e6a05679e4fdfe` in the registry
     --> context/Dockerfile:1:6
      |
    1 | FROM 127.0.0.1:00000/base@sha256:140bedbf9c3f6d56a9846d2ba7088798683f4da0c248231336e6a05679e4fdfe
      |      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: check the name and the tag; the registry lists the tags that exist
    ");
    insta::assert_snapshot!(refused("FROM scratch\nCOPY --from=REGISTRY/base:2 /a /\n"), @"
    exit 5
    error: failed to find the base image `127.0.0.1:00000/base:2`: find `127.0.0.1:00000/base:2` in the registry
     --> context/Dockerfile:2:13
      |
    2 | COPY --from=127.0.0.1:00000/base:2 /a /
      |             ^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: check the name and the tag; the registry lists the tags that exist
    ");
}

#[test]
fn platforms_that_are_not_there() {
    let attempt = Attempt::of("FROM REGISTRY/base:1\nCOPY app.txt /\n");
    attempt.publish_index("1", &["linux/amd64", "linux/arm/v7", "linux/s390x"]);
    insta::assert_snapshot!(attempt.refused(&["--platform=linux/riscv64"]), @"
    exit 5
    error: failed to `127.0.0.1:00000/base:1` does not come for linux/riscv64
     --> context/Dockerfile:1:6
      |
    1 | FROM 127.0.0.1:00000/base:1
      |      ^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: it comes for linux/amd64, linux/arm/v7, linux/s390x
    ");
    attempt.publish_for(&"linux/s390x".parse().unwrap(), Some("1"), &[]);
    insta::assert_snapshot!(attempt.refused(&["--platform=linux/riscv64"]), @"
    exit 5
    error: failed to `127.0.0.1:00000/base:1` does not come for linux/riscv64
     --> context/Dockerfile:1:6
      |
    1 | FROM 127.0.0.1:00000/base:1
      |      ^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: it comes for linux/s390x
    ");
    attempt.publish_index("1", &[]);
    insta::assert_snapshot!(attempt.refused(&["--platform=linux/riscv64"]), @"
    exit 5
    error: failed to `127.0.0.1:00000/base:1` does not come for linux/riscv64
     --> context/Dockerfile:1:6
      |
    1 | FROM 127.0.0.1:00000/base:1
      |      ^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: it comes for
    ");
}

#[test]
fn a_registry_that_is_not_there() {
    let attempt = Attempt::of("FROM 127.0.0.1:1/base\n");
    insta::assert_snapshot!(refused(&attempt), @"
    exit 7
    error: failed to find the base image `127.0.0.1:1/base:latest`: HEAD http://127.0.0.1:1/v2/base/manifests/latest: Connection refused (os error 111)
     --> context/Dockerfile:1:6
      |
    1 | FROM 127.0.0.1:1/base
      |      ^^^^^^^^^^^^^^^^
    ");
}

#[test]
fn a_registry_that_lets_nobody_in() {
    let (attempt, _) = attempt();
    let door = TestDoor::Basic { user: "user".into(), password: "password".into() };
    attempt.scene.registry.behave(Behaviour { door, ..Behaviour::default() });
    insta::assert_snapshot!(refused(&attempt), @"
    exit 6
    error: failed to find the base image `127.0.0.1:00000/base:1`: HEAD http://127.0.0.1:00000/v2/base/manifests/1: an anonymous user is not let in
     --> context/Dockerfile:1:6
      |
    1 | FROM 127.0.0.1:00000/base:1
      |      ^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: log in with `plywood login 127.0.0.1:00000`
    ");
}

#[test]
fn manifests_that_are_not_what_was_asked_for() {
    let with = |manifests: BadManifest| {
        let (attempt, _) = attempt();
        attempt.scene.registry.behave(Behaviour { manifests, ..Behaviour::default() });
        refused(&attempt)
    };
    insta::assert_snapshot!(with(BadManifest::Corrupt), @"");
    insta::assert_snapshot!(with(BadManifest::Oversized), @"");
}

#[test]
fn manifests_that_are_none() {
    let with = |bytes: &[u8]| {
        let attempt = Attempt::of("FROM REGISTRY/base:1\n");
        attempt.scene.registry.insert_document("base", "1", &MediaType::OciManifest, bytes);
        refused(&attempt)
    };
    insta::assert_snapshot!(with(b"hello\n"), @"");
    insta::assert_snapshot!(with(br#"{"schemaVersion":2,"layers":[]}"#), @"");
    insta::assert_snapshot!(with(br#"{"schemaVersion":1,"fsLayers":[]}"#), @"");
    insta::assert_snapshot!(with(br#"{"schemaVersion":2,"layers":[],"manifests":[]}"#), @"");
}

#[test]
fn artifacts_that_are_no_images() {
    let attempt = Attempt::of("FROM REGISTRY/base:1\n");
    let registry = &attempt.scene.registry;
    let empty = registry.insert_blob("base", MediaType::from("application/vnd.oci.empty.v1+json"), b"{}");
    let manifest = ImageManifest::new(empty, Vec::new(), BTreeMap::new());
    registry.insert_manifest("base", Some("1"), &Manifest::Image(manifest));
    insta::assert_snapshot!(refused(&attempt), @"
    exit 5
    error: failed to find the base image `127.0.0.1:00000/base:1`: `127.0.0.1:00000/base:1` is no image, and cannot be a base
     --> context/Dockerfile:1:6
      |
    1 | FROM 127.0.0.1:00000/base:1
      |      ^^^^^^^^^^^^^^^^^^^^^^
    ");
}

#[test]
fn configs_that_are_broken() {
    let attempt = Attempt::of("FROM REGISTRY/base:1\n");
    attempt.publish_with(Some("1"), b"{\"os\":", &[]);
    insta::assert_snapshot!(refused(&attempt), @"
    exit 9
    error: failed to find the base image `127.0.0.1:00000/base:1`: read the config of `127.0.0.1:00000/base:1`: not an image config: EOF while parsing a value at line 1 column 6
     --> context/Dockerfile:1:6
      |
    1 | FROM 127.0.0.1:00000/base:1
      |      ^^^^^^^^^^^^^^^^^^^^^^
    ");
    let config = config(&own_platform(), &[]);
    attempt.publish_with(Some("1"), &config.to_bytes(), &[Blob::plain(tar(&[]))]);
    insta::assert_snapshot!(refused(&attempt), @"
    exit 9
    error: failed to `127.0.0.1:00000/base:1` is broken: its manifest has 1 layers and its config 0
     --> context/Dockerfile:1:6
      |
    1 | FROM 127.0.0.1:00000/base:1
      |      ^^^^^^^^^^^^^^^^^^^^^^
    ");
}

/// What is said when all requests for `blob` meet `effect`.
fn with_fault(choose: fn(&ImageManifest) -> &Descriptor, effect: Effect) -> (Attempt, String) {
    let (attempt, image) = attempt();
    let path = format!("/blobs/{}", choose(&image).digest);
    attempt.scene.registry.fault(Fault::always("GET", path, effect));
    let refusal = attempt.refused(&[]);
    (attempt, refusal)
}

#[test]
fn configs_that_are_not_what_was_asked_for() {
    let with = |effect: Effect| {
        let (attempt, refusal) = with_fault(|image| image.config(), effect);
        assert_eq!(attempt.names(), [""; 0], "a base that was not read has a name");
        refusal
    };
    insta::assert_snapshot!(with(Effect::Corrupt), @"");
    insta::assert_snapshot!(with(Effect::Shorten), @"");
}

#[test]
fn layers_that_are_not_what_was_asked_for() {
    let with = |effect: Effect| with_fault(|image| &image.layers()[0], effect).1;
    insta::assert_snapshot!(with(Effect::Corrupt), @"");
    insta::assert_snapshot!(with(Effect::Shorten), @"");
    insta::assert_snapshot!(with(Effect::ResetDownload { after: 0 }), @"");
    insta::assert_snapshot!(with(Effect::Status { code: 404, retry_after: None }), @"");
}

#[test]
fn a_layer_that_is_not_what_the_config_says() {
    let attempt = Attempt::of("FROM scratch\nCOPY --from=REGISTRY/base:1 /etc/motd /\n");
    let mut layer = Blob::plain(tar(&[file("etc/motd", b"hello\n")]));
    layer.diff_id = oci::DiffId(Digest::of(b"another"));
    attempt.publish("1", &[layer]);
    insta::assert_snapshot!(attempt.refused(&[]), @"
    exit 9
    error: failed to layer sha256:bfb7999f46f2d1d77739ca17a673c70ca463ed7d5ecdc3af4304f4a037288dad of `127.0.0.1:00000/base:1` is broken: its tar is sha256:bfb7999f46f2d1d77739ca17a673c70ca463ed7d5ecdc3af4304f4a037288dad, and the config says sha256:ae448ac86c4e8e4dec645729708ef41873ae79c6dff84eff73360989487f08e5
    ");
}
