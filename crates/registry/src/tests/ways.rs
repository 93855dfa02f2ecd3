//! The ways that an upload goes where the first one fails.

use bytes::Bytes;
use oci::Descriptor;
use serve::testing::{
    Behaviour, Chunks, Effect, Fault, Puts, Recorded, Resumptions, SinglePosts, TestRegistry,
};

use crate::tests::support::{GZIP, client, noise};
use crate::{BlobBody, BlobOutcome, Error, Result};

const MIB: usize = 1024 * 1024;

/// A registry that takes no single POST, so that every blob goes by a session.
fn sessions(behaviour: Behaviour) -> TestRegistry {
    let posts = SinglePosts::OpenSession;
    TestRegistry::start(Behaviour { posts, ..behaviour }).unwrap()
}

fn blob(size: usize, seed: u64) -> (Descriptor, BlobBody) {
    let bytes = noise(size, seed);
    (Descriptor::of(GZIP, &bytes), BlobBody::Bytes(Bytes::from(bytes)))
}

/// Pushes a blob; that it arrived, and that no session is left, is checked here.
async fn push(registry: &TestRegistry, size: usize) -> Result<u64> {
    let (descriptor, body) = blob(size, size as u64);
    let client = client();
    let target = registry.repository("app");
    let pushed = client.push_blob(&target, &descriptor, &body, &[]).await;
    client.settle().await;
    assert_eq!(registry.open_sessions(), 0);
    assert_eq!(registry.blob("app", descriptor.digest).is_some(), pushed.is_ok());
    match pushed? {
        BlobOutcome::Uploaded { bytes } => Ok(bytes),
        other => panic!("{other:?}"),
    }
}

/// Method and size of each body that was sent.
fn bodies(registry: &TestRegistry) -> Vec<(String, u64)> {
    let carries = |request: &Recorded| request.received > 0 || request.range.is_some();
    let requests = registry.take_requests().into_iter().filter(carries);
    requests.map(|request| (request.method, request.received)).collect()
}

/// The sizes of the PATCHes, in KiB.
fn patches(registry: &TestRegistry) -> Vec<u64> {
    let bodies = bodies(registry).into_iter().filter(|(method, _)| method == "PATCH");
    bodies.map(|(_, size)| size / 1024).collect()
}

#[tokio::test]
async fn what_a_proxy_calls_too_large_goes_in_chunks_and_the_next_blob_at_once() {
    let limit = Some(MIB as u64);
    let registry = sessions(Behaviour { body_limit: limit, ..Behaviour::default() });
    let client = client();
    let target = registry.repository("app");
    for seed in [1, 2] {
        let (descriptor, body) = blob(2 * MIB + 5, seed);
        client.push_blob(&target, &descriptor, &body, &[]).await.unwrap();
        assert_eq!(registry.blob("app", descriptor.digest).unwrap().len(), 2 * MIB + 5);
        assert_eq!(patches(&registry), [1024, 1024, 0], "blob {seed}");
    }
    let (small, body) = blob(MIB, 3);
    client.push_blob(&target, &small, &body, &[]).await.unwrap();
    assert_eq!(patches(&registry), [0; 0], "small enough for one PUT");
    client.settle().await;
    assert_eq!(registry.open_sessions(), 0);
}

#[tokio::test]
async fn what_is_too_large_in_any_size_is_an_error() {
    let registry = sessions(Behaviour { body_limit: Some(1000), ..Behaviour::default() });
    let error = push(&registry, 3 * MIB).await.unwrap_err();
    assert!(error.to_string().contains("413"), "{error}");
}

#[tokio::test]
async fn the_least_chunk_that_a_registry_wants_is_kept() {
    let behaviour = Behaviour {
        body_limit: Some(3 * MIB as u64),
        chunks: Chunks::AtLeast(2 * MIB as u64 + 1024),
        ..Behaviour::default()
    };
    let registry = sessions(behaviour);
    push(&registry, 5 * MIB).await.unwrap();
    assert_eq!(patches(&registry), [2049, 2049, 1022]);
}

#[tokio::test]
async fn a_put_that_may_carry_nothing_becomes_a_patch() {
    let registry = sessions(Behaviour { puts: Puts::Nothing, ..Behaviour::default() });
    push(&registry, 300_000).await.unwrap();
    let last: Vec<_> = bodies(&registry).into_iter().rev().take(1).collect();
    assert_eq!(last, [("PATCH".to_owned(), 300_000)]);
}

/// 900,000 of 1,000,000 bytes arrive; whether they are of use is the registry's to say.
#[tokio::test]
async fn after_a_break_only_what_is_missing_goes_again() {
    let sent = async |behaviour: Behaviour| {
        let registry = sessions(behaviour);
        registry.fault(Fault::once("PUT", "/uploads/", Effect::ResetUpload { after: 900_000 }));
        push(&registry, 1_000_000).await.unwrap();
        registry.requests().iter().map(|request| request.received).sum::<u64>()
    };
    assert_eq!(sent(Behaviour::default()).await, 1_000_000, "no byte twice");
    let lost = Behaviour { resumptions: Resumptions::Lost, ..Behaviour::default() };
    assert_eq!(sent(lost).await, 1_900_000);
    let untold = Behaviour { resumptions: Resumptions::Untold, ..Behaviour::default() };
    assert_eq!(sent(untold).await, 1_900_000);
}

#[tokio::test]
async fn bodies_that_break_off_again_and_again_go_in_chunks() {
    let registry = sessions(Behaviour { resumptions: Resumptions::Lost, ..Behaviour::default() });
    registry.fault(Fault {
        method: "PUT",
        path: "/uploads/".into(),
        after: 0,
        times: 2,
        effect: Effect::ResetUpload { after: 1_500_000 },
    });
    push(&registry, 4 * MIB).await.unwrap();
    assert_eq!(patches(&registry), [1024; 4]);
}

/// The chunk that finishes a broken upload is answered for and thrown away; the blob then goes
/// whole, and so does every later one.
#[tokio::test]
async fn a_registry_that_loses_chunks_gets_whole_bodies() {
    for chunks in [Chunks::FirstOnly, Chunks::OneStream, Chunks::Refused] {
        let limited = Behaviour { chunks, ..Behaviour::default() };
        let registry = sessions(limited);
        let size = 2 * MIB;
        for _ in 0..2 {
            registry.fault(Fault::once("PUT", "/uploads/", Effect::ResetUpload { after: 10_000 }));
        }
        push(&registry, size).await.unwrap();
        let bodies = bodies(&registry);
        let (method, received) = bodies.last().unwrap();
        assert_eq!((method.as_str(), *received), ("PUT", size as u64), "{chunks:?}: {bodies:?}");
    }
}

/// Pieces that come to another digest are sent again from the start, not for ever.
#[tokio::test]
async fn a_byte_that_changed_on_the_way_in_a_chunk_is_mended() {
    let registry = sessions(Behaviour::default());
    registry.fault(Fault::once("PUT", "/uploads/", Effect::ResetUpload { after: 400_000 }));
    registry.fault(Fault::once("PATCH", "/uploads/", Effect::CorruptUpload { at: 3 }));
    push(&registry, 500_000).await.unwrap();
    let registry = sessions(Behaviour::default());
    registry.fault(Fault::always("PUT", "/uploads/", Effect::CorruptUpload { at: 3 }));
    let error = push(&registry, 500_000).await.unwrap_err();
    let Error::Refused { answers, .. } = &error else { panic!("{error}") };
    assert!(answers.has("DIGEST_INVALID"), "{error}");
}

#[tokio::test]
async fn a_single_post_is_learned_of_with_a_small_blob() {
    let methods = async |posts, sizes: &[usize]| {
        let registry = TestRegistry::start(Behaviour { posts, ..Behaviour::default() }).unwrap();
        let client = client();
        for size in sizes {
            let (descriptor, body) = blob(*size, *size as u64);
            client.push_blob(&registry.repository("app"), &descriptor, &body, &[]).await.unwrap();
        }
        let requests = registry.take_requests();
        let methods: Vec<_> = requests.iter().map(|request| request.method.clone()).collect();
        methods.join(" ")
    };
    let taken = methods(SinglePosts::Taken, &[100, 3 * MIB, 5 * MIB]).await;
    assert_eq!(taken, "HEAD POST HEAD POST HEAD POST PUT");
    let not = methods(SinglePosts::OpenSession, &[100, 200]).await;
    assert_eq!(not, "HEAD POST PUT HEAD POST PUT");
    let large_first = methods(SinglePosts::Taken, &[3 * MIB]).await;
    assert_eq!(large_first, "HEAD POST PUT");
}
