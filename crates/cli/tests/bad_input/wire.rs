//! Images that are not there, and registries that send something else than was asked for.

use std::collections::BTreeMap;

use oci::{Descriptor, Digest, ImageManifest, Manifest, MediaType};
use serve::testing::{BadManifest, Behaviour, Effect, Fault, TestDoor};
use testbed::files;

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
    error: failed to find `127.0.0.1:00000/base:2` in the registry
     --> context/Dockerfile:1:6
      |
    1 | FROM 127.0.0.1:00000/base:2
      |      ^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: check the name and the tag; the registry lists the tags that exist
    ");
    insta::assert_snapshot!(refused("FROM REGISTRY/bse:1\n"), @"
    exit 5
    error: failed to find `127.0.0.1:00000/bse:1` in the registry
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
    error: failed to find `127.0.0.1:00000/base@sha256:140bedbf9c3f6d56a9846d2ba7088798683f4da0c248231336e6a05679e4fdfe` in the registry
     --> context/Dockerfile:1:6
      |
    1 | FROM 127.0.0.1:00000/base@sha256:140bedbf9c3f6d56a9846d2ba7088798683f4da0c248231336e6a05679e4fdfe
      |      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: check the name and the tag; the registry lists the tags that exist
    ");
    insta::assert_snapshot!(refused("FROM scratch\nCOPY --from=REGISTRY/base:2 /a /\n"), @"
    exit 5
    error: failed to find `127.0.0.1:00000/base:2` in the registry
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
    error: failed to find linux/riscv64 in `127.0.0.1:00000/base:1`
     --> context/Dockerfile:1:6
      |
    1 | FROM 127.0.0.1:00000/base:1
      |      ^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: there is linux/amd64, linux/arm/v7, linux/s390x
    ");
    attempt.publish_for(&"linux/s390x".parse().unwrap(), Some("1"), &[]);
    insta::assert_snapshot!(attempt.refused(&["--platform=linux/riscv64"]), @"
    exit 5
    error: failed to find linux/riscv64 in `127.0.0.1:00000/base:1`
     --> context/Dockerfile:1:6
      |
    1 | FROM 127.0.0.1:00000/base:1
      |      ^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: there is linux/s390x
    ");
    attempt.publish_index("1", &[]);
    insta::assert_snapshot!(attempt.refused(&["--platform=linux/riscv64"]), @"
    exit 5
    error: failed to find linux/riscv64 in `127.0.0.1:00000/base:1`
     --> context/Dockerfile:1:6
      |
    1 | FROM 127.0.0.1:00000/base:1
      |      ^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: it lists no platforms
    ");
}

#[test]
fn a_registry_that_is_not_there() {
    let attempt = Attempt::of("FROM 127.0.0.1:1/base\n");
    insta::assert_snapshot!(refused(&attempt), @"
    exit 7
    error: failed to read the image `127.0.0.1:1/base:latest`: HEAD http://127.0.0.1:1/v2/base/manifests/latest: Connection refused (os error 111)
     --> context/Dockerfile:1:6
      |
    1 | FROM 127.0.0.1:1/base
      |      ^^^^^^^^^^^^^^^^
    ");
}

#[test]
fn a_registry_that_lets_nobody_in() {
    let (attempt, _) = attempt();
    let door = TestDoor::Basic { user: "user".into(), password: "SECRET".into() };
    attempt.scene.registry.behave(Behaviour { door, ..Behaviour::default() });
    insta::assert_snapshot!(refused(&attempt), @"
    exit 6
    error: failed to read the image `127.0.0.1:00000/base:1`: HEAD http://127.0.0.1:00000/v2/base/manifests/1: an anonymous user is not let in
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
    insta::assert_snapshot!(with(BadManifest::Corrupt), @"
    exit 9
    error: failed to read the image `127.0.0.1:00000/base:1`: GET http://127.0.0.1:00000/v2/base/manifests/sha256:9b18e9e691274d6d69513119604fba5432cd1dd4688291d474caa0b0831ad71b: the bytes have digest sha256:e7a227f6657162cd65c1ec6ad8d184a6338c0475ceaf8e19639343f3586c890f, not sha256:9b18e9e691274d6d69513119604fba5432cd1dd4688291d474caa0b0831ad71b
     --> context/Dockerfile:1:6
      |
    1 | FROM 127.0.0.1:00000/base:1
      |      ^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: what the registry holds is damaged; push it there again
    ");
    insta::assert_snapshot!(with(BadManifest::Oversized), @"
    exit 9
    error: failed to read the image `127.0.0.1:00000/base:1`: GET http://127.0.0.1:00000/v2/base/manifests/sha256:9b18e9e691274d6d69513119604fba5432cd1dd4688291d474caa0b0831ad71b: the manifest is larger than the 4194304 bytes that are allowed
     --> context/Dockerfile:1:6
      |
    1 | FROM 127.0.0.1:00000/base:1
      |      ^^^^^^^^^^^^^^^^^^^^^^
    ");
}

#[test]
fn manifests_that_are_none() {
    let with = |bytes: &[u8]| {
        let attempt = Attempt::of("FROM REGISTRY/base:1\n");
        attempt.scene.registry.insert_document("base", Some("1"), &MediaType::OciManifest, bytes);
        refused(&attempt)
    };
    insta::assert_snapshot!(with(b"hello\n"), @"
    exit 9
    error: failed to read the image `127.0.0.1:00000/base:1`: GET http://127.0.0.1:00000/v2/base/manifests/sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03: not a manifest: expected value at line 1 column 1
     --> context/Dockerfile:1:6
      |
    1 | FROM 127.0.0.1:00000/base:1
      |      ^^^^^^^^^^^^^^^^^^^^^^
    ");
    insta::assert_snapshot!(with(br#"{"schemaVersion":2,"layers":[]}"#), @"
    exit 9
    error: failed to read the image `127.0.0.1:00000/base:1`: GET http://127.0.0.1:00000/v2/base/manifests/sha256:6ece6defe7067e1c5455a7720c1189ad30f7f8efe78587bd7c06e64a80fe7770: not a manifest: missing field `config` at line 1 column 31
     --> context/Dockerfile:1:6
      |
    1 | FROM 127.0.0.1:00000/base:1
      |      ^^^^^^^^^^^^^^^^^^^^^^
    ");
    insta::assert_snapshot!(with(br#"{"schemaVersion":1,"fsLayers":[]}"#), @"
    exit 9
    error: failed to read the image `127.0.0.1:00000/base:1`: GET http://127.0.0.1:00000/v2/base/manifests/sha256:cd4b5c3fd9025c5a6f7eb6af6a3e8d4d0ca56605bd805dee42589e554eba6f08: a manifest of schema version 1 is not supported (2 is)
     --> context/Dockerfile:1:6
      |
    1 | FROM 127.0.0.1:00000/base:1
      |      ^^^^^^^^^^^^^^^^^^^^^^
    ");
    insta::assert_snapshot!(with(br#"{"schemaVersion":2,"layers":[],"manifests":[]}"#), @"
    exit 9
    error: failed to read the image `127.0.0.1:00000/base:1`: GET http://127.0.0.1:00000/v2/base/manifests/sha256:bc88224074d45011a648fca99593ede6943777422e3ba4942887fcf463322e4a: the manifest has both `layers` and `manifests`
     --> context/Dockerfile:1:6
      |
    1 | FROM 127.0.0.1:00000/base:1
      |      ^^^^^^^^^^^^^^^^^^^^^^
    ");
}

#[test]
fn artifacts_that_are_no_images() {
    let attempt = Attempt::of("FROM REGISTRY/base:1\n");
    let registry = &attempt.scene.registry;
    let empty =
        registry.insert_blob("base", MediaType::from("application/vnd.oci.empty.v1+json"), b"{}");
    let manifest = ImageManifest::new(empty, Vec::new(), BTreeMap::new());
    registry.insert_manifest("base", Some("1"), &Manifest::Image(manifest));
    insta::assert_snapshot!(refused(&attempt), @"
    exit 5
    error: failed to use `127.0.0.1:00000/base:1`: it is an artifact and no image
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
    error: failed to read the config of `127.0.0.1:00000/base:1`: not an image config: EOF while parsing a value at line 1 column 6
     --> context/Dockerfile:1:6
      |
    1 | FROM 127.0.0.1:00000/base:1
      |      ^^^^^^^^^^^^^^^^^^^^^^
    ");
    let config = config(&own_platform(), &[]);
    attempt.publish_with(Some("1"), &config.to_bytes(), &[Blob::plain(tar(&[]))]);
    insta::assert_snapshot!(refused(&attempt), @"
    exit 9
    error: failed to use `127.0.0.1:00000/base:1`: its manifest has 1 layers and its config 0
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
    insta::assert_snapshot!(with(Effect::Corrupt), @"
    exit 9
    error: failed to read the image `127.0.0.1:00000/base:1`: GET http://127.0.0.1:00000/v2/base/blobs/sha256:9ae61d45c71833bb3b5c781d4d3dd9799eb2b2f82ab32465419fbe445d8e1159: the bytes have digest sha256:25450d7c1285679579edff6c62889d8c3d400acb0099424cf7f3751fae1142c4, not sha256:9ae61d45c71833bb3b5c781d4d3dd9799eb2b2f82ab32465419fbe445d8e1159
     --> context/Dockerfile:1:6
      |
    1 | FROM 127.0.0.1:00000/base:1
      |      ^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: what the registry holds is damaged; push it there again
    ");
    insta::assert_snapshot!(with(Effect::Shorten), @"
    exit 9
    error: failed to read the image `127.0.0.1:00000/base:1`: GET http://127.0.0.1:00000/v2/base/blobs/sha256:9ae61d45c71833bb3b5c781d4d3dd9799eb2b2f82ab32465419fbe445d8e1159: the registry has 198 bytes where the descriptor says 199
     --> context/Dockerfile:1:6
      |
    1 | FROM 127.0.0.1:00000/base:1
      |      ^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: what the registry holds is damaged; push it there again
    ");
}

#[test]
fn layers_that_are_not_what_was_asked_for() {
    let with = |effect: Effect| with_fault(|image| &image.layers()[0], effect).1;
    insta::assert_snapshot!(with(Effect::Corrupt), @"
    exit 9
    error: failed to bring layer e7fcf42f9469 of `127.0.0.1:00000/base:1`: GET http://127.0.0.1:00000/v2/base/blobs/sha256:e7fcf42f94692ba1d61bbfe49fb94c3baeed120fa4c13e30ff9fa15447275597: the bytes have digest sha256:2d4659f8d39ace900623a46c1b9f38794e45bfa91c0ef5b33131b4cd2125a5a0, not sha256:e7fcf42f94692ba1d61bbfe49fb94c3baeed120fa4c13e30ff9fa15447275597
    hint: what the registry holds is damaged; push it there again
    ");
    insta::assert_snapshot!(with(Effect::Shorten), @"
    exit 9
    error: failed to bring layer e7fcf42f9469 of `127.0.0.1:00000/base:1`: GET http://127.0.0.1:00000/v2/base/blobs/sha256:e7fcf42f94692ba1d61bbfe49fb94c3baeed120fa4c13e30ff9fa15447275597: the registry has 5631 bytes where the descriptor says 5632
    hint: what the registry holds is damaged; push it there again
    ");
    insta::assert_snapshot!(with(Effect::ResetDownload { after: 0 }), @"
    exit 9
    error: failed to bring layer e7fcf42f9469 of `127.0.0.1:00000/base:1`: GET http://127.0.0.1:00000/v2/base/blobs/sha256:e7fcf42f94692ba1d61bbfe49fb94c3baeed120fa4c13e30ff9fa15447275597: the bytes end after 0 of 5632
    hint: what the registry holds is damaged; push it there again
    ");
    insta::assert_snapshot!(with(Effect::Status { code: 404, retry_after: None }), @"
    exit 5
    error: failed to bring layer e7fcf42f9469 of `127.0.0.1:00000/base:1`: find blob sha256:e7fcf42f94692ba1d61bbfe49fb94c3baeed120fa4c13e30ff9fa15447275597 in `127.0.0.1:00000/base`
    ");
}

#[test]
fn a_layer_that_is_not_what_the_config_says() {
    let attempt = Attempt::of("FROM scratch\nCOPY --from=REGISTRY/base:1 /etc/motd /\n");
    let mut layer = Blob::plain(tar(&[file("etc/motd", b"hello\n")]));
    layer.diff_id = oci::DiffId(Digest::of(b"another"));
    attempt.publish("1", &[layer]);
    insta::assert_snapshot!(attempt.refused(&[]), @"
    exit 9
    error: failed to use layer sha256:bfb7999f46f2d1d77739ca17a673c70ca463ed7d5ecdc3af4304f4a037288dad of `127.0.0.1:00000/base:1`: its tar is sha256:bfb7999f46f2d1d77739ca17a673c70ca463ed7d5ecdc3af4304f4a037288dad, and the config says sha256:ae448ac86c4e8e4dec645729708ef41873ae79c6dff84eff73360989487f08e5
    ");
}

#[test]
fn pulls_of_what_is_damaged() {
    let (attempt, image) = attempt();
    let path = format!("/blobs/{}", image.layers()[0].digest);
    attempt.scene.registry.fault(Fault::always("GET", path, Effect::Corrupt));
    insta::assert_snapshot!(attempt.scene.refusal(&["pull", "REGISTRY/base:1"]), @"
    exit 9
    error: failed to GET http://REGISTRY/v2/base/blobs/sha256:e7fcf42f94692ba1d61bbfe49fb94c3baeed120fa4c13e30ff9fa15447275597: the bytes have digest sha256:2d4659f8d39ace900623a46c1b9f38794e45bfa91c0ef5b33131b4cd2125a5a0, not sha256:e7fcf42f94692ba1d61bbfe49fb94c3baeed120fa4c13e30ff9fa15447275597
    hint: what the registry holds is damaged; push it there again
    ");
    assert_eq!(attempt.names(), [""; 0], "an image that is not whole has a name");
    attempt.assert_nothing_left();
}

/// What was sent before the refusal has no name in the registry.
#[test]
fn pushes_that_are_refused() {
    let refused = |code: u16| {
        let attempt = Attempt::of("FROM scratch\nCOPY app.txt /\n");
        let effect = Effect::Status { code, retry_after: None };
        attempt.scene.registry.fault(Fault::always("PUT", "/manifests/", effect));
        let push = ["build", "--tag=REGISTRY/app:1", "--push", "--iidfile=out/iid", "context"];
        let refusal = attempt.scene.refusal(&push);
        assert_eq!(attempt.scene.registry.tag("app", "1"), None);
        assert_eq!(attempt.scene.registry.open_sessions(), 0);
        assert_eq!(files(&attempt.scene.path("out")), [""; 0]);
        assert_eq!(attempt.names(), [""; 0], "what was not pushed has a name");
        attempt.assert_store_is_sound();
        refusal
    };
    insta::assert_snapshot!(refused(403), @"
    exit 6
    error: failed to push `REGISTRY/app:1`: PUT http://REGISTRY/v2/app/manifests/1: an anonymous user may not do this: UNAVAILABLE (as the test wants it)
    hint: log in with `plywood login REGISTRY`
    ");
    insta::assert_snapshot!(refused(400), @"
    exit 7
    error: failed to push `REGISTRY/app:1`: PUT http://REGISTRY/v2/app/manifests/1: the registry answered 400 Bad Request: UNAVAILABLE (as the test wants it)
    ");
}
