//! One blob, one manifest.

use crate::{BlobBody, BlobOutcome, Error};
use bytes::Bytes;
use oci::Tag;
use serve::testing::{
    Behaviour, Effect, Fault, HeadAnswers, Locations, Mounts, Resumptions, SinglePosts, TagRule,
};

use crate::tests::support::{GZIP, Sample, client, log, noise, registry};

fn blob(bytes: &[u8]) -> (oci::Descriptor, BlobBody) {
    (oci::Descriptor::of(GZIP, bytes), BlobBody::Bytes(Bytes::copy_from_slice(bytes)))
}

#[tokio::test]
async fn one_body_with_a_length_from_memory_and_from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    for (size, locations) in [
        (0, Locations::Relative),
        (5, Locations::AbsoluteWithQuery),
        (1_500_000, Locations::Relative),
    ] {
        let bytes = noise(size, 5);
        let (descriptor, memory) = blob(&bytes);
        let path = folder.path().join("blob");
        std::fs::write(&path, &bytes).unwrap();
        for body in [memory, BlobBody::File(path)] {
            let registry = registry();
            registry.behave(Behaviour { locations, ..Behaviour::default() });
            let repository = registry.repository("app");
            let push = async || client().push_blob(&repository, &descriptor, &body, &[]).await;
            assert_eq!(push().await.unwrap(), BlobOutcome::Uploaded { bytes: size as u64 });
            assert!(registry.blob("app", descriptor.digest).unwrap() == bytes);
            let requests = registry.take_requests();
            let last = requests.last().unwrap();
            assert_eq!((last.chunked, last.range.as_deref()), (false, None), "one piece: {last}");
            let methods: Vec<_> = requests.iter().map(|request| request.method.as_str()).collect();
            let expected: &[&str] =
                if size < 10_000 { &["HEAD", "POST"] } else { &["HEAD", "POST", "PUT"] };
            assert_eq!(methods, expected);
            assert_eq!(push().await.unwrap(), BlobOutcome::Existed);
            assert_eq!(registry.requests().len(), 1, "once there, one HEAD");
        }
    }
}

#[tokio::test]
async fn mounts_and_what_comes_instead() {
    let bytes = noise(1000, 6);
    let (descriptor, body) = blob(&bytes);
    let push = async |mounts, sources: &[&str]| {
        let registry = registry();
        let posts = SinglePosts::OpenSession;
        registry.behave(Behaviour { mounts, posts, ..Behaviour::default() });
        registry.insert_blob("base", GZIP, &bytes);
        let from: Vec<_> = sources.iter().map(|path| registry.repository(path)).collect();
        let target = registry.repository("app");
        let client = client();
        let outcome = client.push_blob(&target, &descriptor, &body, &from).await.unwrap();
        client.settle().await;
        assert!(registry.blob("app", descriptor.digest).is_some());
        assert_eq!(registry.open_sessions(), 0);
        let outcome = format!("{outcome:?}");
        let kind = outcome.split([' ', '{']).next().unwrap_or_default();
        format!("{kind}\n{}", log(&registry)).replace(&descriptor.digest.hex()[..6], "BLOB")
    };
    insta::assert_snapshot!(push(Mounts::Honoured, &["base"]).await, @r"
    Mounted
    HEAD /v2/app/blobs/BLOB 404
    POST /v2/app/blobs/uploads/?mount 201
    ");
    insta::assert_snapshot!(push(Mounts::OpenSession, &["base"]).await, @r"
    Uploaded
    HEAD /v2/app/blobs/BLOB 404
    POST /v2/app/blobs/uploads/?mount 202
    PUT /v2/app/blobs/uploads/session-1 201
    ");
    insta::assert_snapshot!(push(Mounts::Refused, &["base"]).await, @r"
    Uploaded
    HEAD /v2/app/blobs/BLOB 404
    POST /v2/app/blobs/uploads/?mount 405
    POST /v2/app/blobs/uploads/ 202
    PUT /v2/app/blobs/uploads/session-1 201
    ");
    let second = push(Mounts::Honoured, &["other", "base"]).await;
    assert!(second.starts_with("Mounted\n"), "{second}");
    assert!(second.contains("DELETE /v2/app/blobs/uploads/session-1 204"), "{second}");
}

#[tokio::test]
async fn a_remote_blob_is_mounted_nearby_and_streamed_from_afar() {
    let (here, there) = (registry(), registry());
    let bytes = noise(2_000_000, 8);
    let (descriptor, _) = blob(&bytes);
    for registry in [&here, &there] {
        registry.insert_blob("base", GZIP, &bytes);
    }
    let client = client();
    let push = async |target: &str, source| {
        let body = BlobBody::Remote(source);
        client.push_blob(&here.repository(target), &descriptor, &body, &[]).await.unwrap()
    };
    let near = push("a", here.repository("base")).await;
    assert_eq!(near, BlobOutcome::Mounted { from: here.repository("base") });
    let size = bytes.len() as u64;
    let far = push("b", there.repository("base")).await;
    assert_eq!(far, BlobOutcome::Uploaded { bytes: size });
    assert!(here.blob("b", descriptor.digest).unwrap() == bytes);
    // The source breaks off: the upload does not notice.
    there.fault(Fault::once("GET", "/blobs/", Effect::ResetDownload { after: 1_000_000 }));
    assert_eq!(push("c", there.repository("base")).await, BlobOutcome::Uploaded { bytes: size });
    // The source is damaged: the target never gets to the end.
    there.fault(Fault::always("GET", "/blobs/", Effect::Corrupt));
    let body = BlobBody::Remote(there.repository("base"));
    let error = client.push_blob(&here.repository("d"), &descriptor, &body, &[]).await.unwrap_err();
    assert!(matches!(error, Error::DigestMismatch { .. }), "{error}");
    client.settle().await;
    assert_eq!((here.blob("d", descriptor.digest), here.open_sessions()), (None, 0));
}

#[tokio::test]
async fn a_broken_upload_goes_on_where_the_registry_kept_it() {
    let bytes = noise(1_000_000, 4);
    let (descriptor, body) = blob(&bytes);
    let push = async |resumptions| {
        let registry = registry();
        registry.behave(Behaviour { resumptions, ..Behaviour::default() });
        registry.fault(Fault::once("PUT", "/uploads/", Effect::ResetUpload { after: 900_000 }));
        let client = client();
        let target = registry.repository("app");
        client.push_blob(&target, &descriptor, &body, &[]).await.unwrap();
        assert!(registry.blob("app", descriptor.digest).unwrap() == bytes);
        client.settle().await;
        assert_eq!(registry.open_sessions(), 0);
        let received: u64 = registry.requests().iter().map(|request| request.received).sum();
        (received, log(&registry).replace(&descriptor.digest.hex()[..6], "BLOB"))
    };
    let (received, kept) = push(Resumptions::Kept).await;
    assert_eq!(received, 1_000_000, "no byte twice");
    insta::assert_snapshot!(kept, @r"
    HEAD /v2/app/blobs/BLOB 404
    POST /v2/app/blobs/uploads/ 202
    PUT /v2/app/blobs/uploads/session-1 -
    GET /v2/app/blobs/uploads/session-1 204
    PATCH /v2/app/blobs/uploads/session-1 202
    PUT /v2/app/blobs/uploads/session-1 201
    ");
    let (received, lost) = push(Resumptions::Lost).await;
    assert_eq!(received, 1_900_000, "from the start, in a new session");
    assert!(lost.contains("PUT /v2/app/blobs/uploads/session-2 201"), "{lost}");
}

#[tokio::test]
async fn an_upload_that_cannot_be_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = noise(700_000, 4);
    let (descriptor, _) = blob(&bytes);
    let path = folder.path().join("short");
    std::fs::write(&path, &bytes[..600_000]).unwrap();
    let show = async |body: BlobBody| {
        let registry = registry();
        let client = client();
        let target = registry.repository("app");
        let error = client.push_blob(&target, &descriptor, &body, &[]).await.unwrap_err();
        client.settle().await;
        assert_eq!((registry.open_sessions(), registry.blob("app", descriptor.digest)), (0, None));
        let text = error.to_string().replace(&folder.path().display().to_string(), "FOLDER");
        text.replace(&descriptor.digest.to_string(), "BLOB")
    };
    insta::assert_snapshot!(show(BlobBody::File(path)).await, @"upload blob BLOB: its source has 600000 bytes, not 700000");
    insta::assert_snapshot!(show(BlobBody::File(folder.path().join("none"))).await, @"read FOLDER/none: No such file or directory (os error 2)");
    let other = Bytes::from(noise(700_000, 5));
    let refused = show(BlobBody::Bytes(other)).await;
    assert!(
        refused
            .ends_with("400 Bad Request: DIGEST_INVALID (provided digest did not match content)"),
        "{refused}"
    );
}

#[tokio::test]
async fn a_lying_head_is_believed_once() {
    let registry = registry();
    registry.behave(Behaviour { heads: HeadAnswers::EveryBlobExists, ..Behaviour::default() });
    let (descriptor, body) = blob(b"x");
    let pushed = client().push_blob(&registry.repository("app"), &descriptor, &body, &[]).await;
    assert_eq!(pushed.unwrap(), BlobOutcome::Existed, "the manifest will tell; see `publish`");
}

#[tokio::test]
async fn manifests_are_checked_by_the_registry() {
    let registry = registry();
    let sample = Sample::new(1, 2);
    let repository = registry.repository("app");
    let tag: Tag = "1".parse().unwrap();
    let push = async || client().push_manifest(&repository, &sample.manifest, tag.clone()).await;
    let error = push().await.unwrap_err();
    let Error::ManifestBlobUnknown { blobs, .. } = &error else { panic!("{error}") };
    assert!(sample.blobs.contains_key(&blobs[0]), "{blobs:?}");
    sample.insert(&registry, "app", None);
    push().await.unwrap();
    assert_eq!(registry.tag("app", "1"), Some(sample.manifest.digest()));
    registry.behave(Behaviour { tags: TagRule::Immutable, ..Behaviour::default() });
    push().await.expect("it names this already");
    let other = Sample::new(2, 0);
    other.insert(&registry, "app", None);
    let error =
        client().push_manifest(&repository, &other.manifest, tag.clone()).await.unwrap_err();
    assert!(error.to_string().contains("TAG_INVALID"), "{error}");
}
