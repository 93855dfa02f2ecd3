//! Resolving, manifests, blobs, lists.

use crate::{Error, TransferEvent};
use oci::{Digest, MediaType, Reference, Tag};
use serve::testing::{BadManifest, Behaviour, Downloads, Effect, Fault, HeadAnswers, TestRegistry};

use crate::tests::support::{GZIP, Sample, client, log, noise, registry, watched};

fn reference(registry: &TestRegistry, tail: &str) -> Reference {
    format!("{}/{tail}", registry.name()).parse().unwrap()
}

fn tag(text: &str) -> Tag {
    text.parse().unwrap()
}

#[tokio::test]
async fn a_tag_is_resolved_by_one_head() {
    let registry = registry();
    let sample = Sample::new(1, 1);
    sample.insert(&registry, "app", Some("1"));
    let found = client().resolve(&reference(&registry, "app:1")).await.unwrap();
    assert_eq!(found, sample.manifest.descriptor());
    insta::assert_snapshot!(log(&registry), @"HEAD /v2/app/manifests/1 200");
}

#[tokio::test]
async fn where_head_says_too_little_get_says_it() {
    for heads in [HeadAnswers::Refused, HeadAnswers::NoDigest] {
        let registry = registry();
        registry.behave(Behaviour { heads, ..Behaviour::default() });
        let sample = Sample::new(1, 1);
        sample.insert(&registry, "app", Some("1"));
        let found = client().resolve(&reference(&registry, "app:1")).await.unwrap();
        assert_eq!(found, sample.manifest.descriptor(), "{heads:?}");
    }
}

#[tokio::test]
async fn what_is_not_there_is_named() {
    let registry = registry();
    let client = client();
    let missing = client.resolve(&reference(&registry, "app:2")).await.unwrap_err();
    let show = |error: &Error| error.to_string().replace(&registry.name(), "HOST");
    insta::assert_snapshot!(show(&missing), @"find `HOST/app:2` in the registry");
    let missing = client.manifest(&registry.repository("app"), tag("2")).await.unwrap_err();
    insta::assert_snapshot!(show(&missing), @"find `HOST/app:2` in the registry: MANIFEST_UNKNOWN (manifest unknown)");
    let blob = oci::Descriptor::of(GZIP, b"x");
    let missing = client.blob(&registry.repository("app"), &blob, &mut Vec::new()).await;
    insta::assert_snapshot!(show(&missing.unwrap_err()), @"find blob sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881 in `HOST/app`");
}

#[tokio::test]
async fn manifests_that_are_not_what_they_should_be() {
    let registry = registry();
    let sample = Sample::new(1, 1);
    sample.insert(&registry, "app", Some("1"));
    let digest = sample.manifest.digest();
    let repository = registry.repository("app");
    registry.behave(Behaviour { manifests: BadManifest::Corrupt, ..Behaviour::default() });
    for error in [
        client().manifest(&repository, digest).await.unwrap_err(),
        client().manifest(&repository, tag("1")).await.unwrap_err(),
    ] {
        let Error::DigestMismatch { wanted, found, .. } = error else { panic!("{error}") };
        assert_eq!(*wanted, digest);
        assert_ne!(found, wanted);
    }
    registry.behave(Behaviour { manifests: BadManifest::Oversized, ..Behaviour::default() });
    let error = client().manifest(&repository, digest).await.unwrap_err();
    assert!(matches!(error, Error::ManifestTooLarge { limit: 4_194_304, .. }), "{error}");
}

#[tokio::test]
async fn a_blob_comes_whole_and_verified() {
    let registry = registry();
    for size in [0, 1, 300_000] {
        let bytes = noise(size, 7);
        let blob = registry.insert_blob("app", GZIP, &bytes);
        let mut sink = Vec::new();
        client().blob(&registry.repository("app"), &blob, &mut sink).await.unwrap();
        assert!(sink == bytes, "{size} bytes");
    }
}

/// Any registry, any break: what was received is not asked for again where parts can be had.
#[tokio::test]
async fn a_broken_download_goes_on() {
    for (downloads, ranges) in [
        (
            Downloads::Ranged,
            vec![None, Some("bytes=100000-".to_owned()), Some("bytes=200000-".to_owned())],
        ),
        (
            Downloads::WholeOnly,
            vec![None, Some("bytes=100000-".to_owned()), Some("bytes=200000-".to_owned())],
        ),
    ] {
        let registry = registry();
        registry.behave(Behaviour { downloads: downloads.clone(), ..Behaviour::default() });
        let bytes = noise(300_000, 9);
        let blob = registry.insert_blob("app", GZIP, &bytes);
        let breaks = match downloads {
            Downloads::Ranged => [100_000, 100_000],
            _ => [100_000, 200_000],
        };
        for after in breaks {
            registry.fault(Fault::once("GET", "/blobs/", Effect::ResetDownload { after }));
        }
        let (client, events) = watched(&client());
        let mut sink = Vec::new();
        client.blob(&registry.repository("app"), &blob, &mut sink).await.unwrap();
        assert!(sink == bytes, "{downloads:?}");
        let asked: Vec<_> = registry.requests().iter().map(|asked| asked.range.clone()).collect();
        assert_eq!(asked, ranges, "{downloads:?}");
        let events = events.lock().unwrap();
        let retried = |event: &&TransferEvent| matches!(event, TransferEvent::Retrying { .. });
        assert_eq!(events.iter().filter(retried).count(), 2);
    }
}

#[tokio::test]
async fn a_stream_goes_on_from_what_an_earlier_one_left() {
    let registry = registry();
    let bytes = noise(200_000, 11);
    let blob = registry.insert_blob("app", GZIP, &bytes);
    registry.fault(Fault::once("GET", "/blobs/", Effect::ResetDownload { after: 50_000 }));
    registry.fault(Fault::always("GET", "/blobs/", Effect::Reset));
    let repository = registry.repository("app");
    let mut received = Vec::new();
    let mut stream = client().open_blob(&repository, &blob, None).unwrap();
    let error = loop {
        match stream.next().await {
            Ok(chunk) => received.extend_from_slice(&chunk.expect("it breaks before the end")),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, Error::Connection { .. } | Error::Truncated { .. }), "{error}");
    let progress = stream.into_progress();
    assert_eq!(progress.position(), 50_000);
    let other = TestRegistry::start(Behaviour::default()).unwrap();
    other.insert_blob("app", GZIP, &bytes);
    let mut stream = client().open_blob(&other.repository("app"), &blob, Some(progress)).unwrap();
    while let Some(chunk) = stream.next().await.unwrap() {
        received.extend_from_slice(&chunk);
    }
    assert!(received == bytes);
    assert_eq!(other.requests()[0].range.as_deref(), Some("bytes=50000-"));
}

#[tokio::test]
async fn damage_has_names() {
    let blob_of = |registry: &TestRegistry| registry.insert_blob("app", GZIP, &noise(100_000, 3));
    let fetch = async |effect: Effect, times: u32| {
        let registry = registry();
        let blob = blob_of(&registry);
        registry.fault(Fault { method: "GET", path: "/blobs/".into(), after: 0, times, effect });
        let error = client().blob(&registry.repository("app"), &blob, &mut Vec::new()).await;
        let text = error.unwrap_err().to_string();
        let text = text.replace(&registry.name(), "HOST");
        text.replace(&blob.digest.to_string(), "DIGEST")
    };
    let corrupt = fetch(Effect::Corrupt, 9).await;
    assert!(
        corrupt.starts_with("GET http://HOST/v2/app/blobs/DIGEST: the bytes have digest sha256:")
    );
    assert!(corrupt.ends_with(", not DIGEST"), "{corrupt}");
    insta::assert_snapshot!(fetch(Effect::Shorten, 9).await, @"GET http://HOST/v2/app/blobs/DIGEST: the registry has 99999 bytes where the descriptor says 100000");
    insta::assert_snapshot!(fetch(Effect::ResetDownload { after: 0 }, 99).await, @"GET http://HOST/v2/app/blobs/DIGEST: the bytes end after 0 of 100000");
}

#[tokio::test]
async fn a_descriptor_that_lies_about_the_size_is_noticed() {
    let registry = registry();
    let mut blob = registry.insert_blob("app", GZIP, &noise(1000, 3));
    for size in [999, 1001, 0] {
        blob.size = size;
        let mut sink = Vec::new();
        let error = client().blob(&registry.repository("app"), &blob, &mut sink).await.unwrap_err();
        let named =
            matches!(error, Error::SizeMismatch { found: 1000, .. } | Error::DigestMismatch { .. });
        assert!(named, "{size}: {error}");
    }
}

#[tokio::test]
async fn passing_failures_pass() {
    let effects = [
        Effect::Status { code: 429, retry_after: Some("0".into()) },
        Effect::Status { code: 503, retry_after: None },
        Effect::Status { code: 408, retry_after: None },
        Effect::Reset,
        Effect::Stall(std::time::Duration::from_secs(3)),
    ];
    for effect in effects {
        let registry = registry();
        let sample = Sample::new(1, 1);
        sample.insert(&registry, "app", Some("1"));
        registry.fault(Fault::once("", "/manifests/", effect.clone()));
        let manifest = client().manifest(&registry.repository("app"), tag("1")).await.unwrap();
        assert_eq!(manifest, sample.manifest, "{effect:?}");
    }
}

#[tokio::test]
async fn lasting_failures_end_in_an_error() {
    let fail = async |code: u16, retry_after: Option<&str>| {
        let registry = registry();
        let retry_after = retry_after.map(str::to_owned);
        registry.fault(Fault::always("", "/manifests/", Effect::Status { code, retry_after }));
        let error = client().manifest(&registry.repository("app"), tag("1")).await.unwrap_err();
        let (tries, hint) = (registry.requests().len(), error.hint().unwrap_or_default());
        format!("{error} [{tries} tries; {hint}]").replace(&registry.name(), "HOST")
    };
    insta::assert_snapshot!(fail(500, None).await, @"GET http://HOST/v2/app/manifests/1: the registry answered 500 Internal Server Error: UNAVAILABLE (as the test wants it) [4 tries; ]");
    insta::assert_snapshot!(fail(400, None).await, @"GET http://HOST/v2/app/manifests/1: the registry answered 400 Bad Request: UNAVAILABLE (as the test wants it) [1 tries; ]");
    insta::assert_snapshot!(fail(429, Some("3600")).await, @"GET http://HOST/v2/app/manifests/1: the registry limits requests: UNAVAILABLE (as the test wants it) [1 tries; try again in 3600 s]");
    insta::assert_snapshot!(fail(403, None).await, @"GET http://HOST/v2/app/manifests/1: an anonymous user may not do this: UNAVAILABLE (as the test wants it) [1 tries; log in with `plywood login HOST`]");
}

#[tokio::test]
async fn nobody_at_home() {
    let registry = registry();
    let repository = registry.repository("app");
    drop(registry);
    let error = client().manifest(&repository, tag("1")).await.unwrap_err();
    let text = error.to_string().replace(repository.registry(), "HOST");
    insta::assert_snapshot!(text, @"GET http://HOST/v2/app/manifests/1: Connection refused (os error 111)");
}

#[tokio::test]
async fn lists_have_pages_and_referrers_a_fallback() {
    let registry = registry();
    let sample = Sample::new(1, 1);
    for name in ["a", "b", "c", "d", "e", "f", "g"] {
        sample.insert(&registry, "app", Some(name));
    }
    let repository = registry.repository("app");
    let client = client();
    assert_eq!(client.tags(&repository).await.unwrap(), ["a", "b", "c", "d", "e", "f", "g"]);
    assert_eq!(registry.take_requests().len(), 3);
    let digest = sample.manifest.digest();
    assert_eq!(client.referrers(&repository, digest).await.unwrap(), []);
    let signature = Sample::new(2, 1).manifest.descriptor();
    let index = oci::ImageIndex::new(vec![signature.clone()], Default::default());
    let fallback = format!("sha256-{}", digest.hex());
    registry.insert_manifest("app", Some(&fallback), &oci::Manifest::Index(index));
    let gone = Effect::Status { code: 404, retry_after: None };
    registry.fault(Fault::always("GET", "/referrers/", gone));
    assert_eq!(client.referrers(&repository, digest).await.unwrap(), [signature]);
    client.delete_manifest(&repository, digest).await.unwrap();
    assert_eq!(registry.tag("app", "a"), None);
    let again = client.delete_manifest(&repository, digest).await.unwrap_err();
    assert!(matches!(again, Error::ManifestNotFound { .. }), "{again}");
}

#[tokio::test]
async fn a_manifest_goes_with_its_tag_where_tags_do_not_go() {
    let check = async |refused: Option<&str>, expected: &str| {
        let registry = registry();
        let sample = Sample::new(1, 1);
        sample.insert(&registry, "app", Some("a"));
        if let Some(path) = refused {
            registry.fault(Fault::always("DELETE", path, Effect::status(405)));
        }
        let (repository, digest) = (registry.repository("app"), sample.manifest.digest());
        let client = client();
        let mut said = Vec::new();
        for _ in 0..2 {
            said.push(match client.remove_with_tag(&repository, &tag("a"), digest).await {
                Ok(removed) => removed.to_string(),
                Err(Error::NotDeletable { .. }) => "refused".to_owned(),
                Err(error) => error.to_string(),
            });
        }
        let is_there = registry.tag("app", "a").is_some();
        assert_eq!(format!("{} {is_there}", said.join(" ")), expected, "{refused:?}");
    };
    check(None, "true false false").await;
    check(Some("/manifests/a"), "true false false").await;
    check(Some("/manifests/"), "refused refused true").await;
}

#[tokio::test]
async fn an_index_keeps_its_type() {
    let registry = registry();
    let child = Sample::new(1, 1).manifest.descriptor();
    let index = oci::Manifest::Index(oci::ImageIndex::new(vec![child], Default::default()));
    registry.insert_manifest("app", Some("multi"), &index);
    let found = client().resolve(&reference(&registry, "app:multi")).await.unwrap();
    assert_eq!((found.media_type, found.digest), (MediaType::OciIndex, index.digest()));
    let unknown = Digest::of(b"nothing");
    let pinned = reference(&registry, &format!("app@{unknown}"));
    let error = client().resolve(&pinned).await.unwrap_err();
    assert!(matches!(error, Error::ManifestNotFound { .. }), "{error}");
}

/// Who is asked to wait means all of us.
#[tokio::test]
async fn a_host_that_asks_for_a_rest_gets_it_from_everyone() {
    let registry = registry();
    Sample::new(1, 1).insert(&registry, "app", Some("1"));
    let client = client();
    let repository = registry.repository("app");
    client.manifest(&repository, tag("1")).await.unwrap();
    let rest = Effect::Status { code: 429, retry_after: Some("1".into()) };
    registry.fault(Fault::once("GET", "/tags/", rest));
    let started = std::time::Instant::now();
    let other = async {
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        client.manifest(&repository, tag("1")).await.unwrap();
        started.elapsed()
    };
    let (tags, waited) = tokio::join!(client.tags(&repository), other);
    assert_eq!(tags.unwrap(), ["1"]);
    assert!(waited >= std::time::Duration::from_millis(1000), "{waited:?}");
}

#[tokio::test]
async fn events_tell_the_story_of_a_blob() {
    let registry = registry();
    let blob = registry.insert_blob("app", GZIP, &noise(200_000, 1));
    registry.fault(Fault::once("GET", "/blobs/", Effect::ResetDownload { after: 100_000 }));
    let (client, events) = watched(&client());
    client.blob(&registry.repository("app"), &blob, &mut Vec::new()).await.unwrap();
    let mut story = Vec::new();
    let mut reached = 0;
    for event in events.lock().unwrap().iter() {
        match event {
            TransferEvent::Started { size, direction, .. } => {
                story.push(format!("{direction:?} of {size}"));
            }
            TransferEvent::Moved { position, .. } => {
                assert!(*position > reached, "no byte twice");
                reached = *position;
            }
            TransferEvent::QuotaLow { registry, quota } => {
                story.push(format!("{registry} has {} left", quota.remaining));
            }
            TransferEvent::Warned { text, .. } => story.push(text.clone()),
            TransferEvent::Retrying { cause, .. } => {
                let end = cause.rsplit(": ").next().unwrap_or_default();
                story.push(format!("at {reached}: {end}"));
            }
            TransferEvent::MirrorLeft { mirror, .. } => story.push(format!("not from {mirror}")),
            TransferEvent::Finished { outcome, .. } => {
                story.push(format!("at {reached}: {outcome:?}"));
            }
        }
    }
    insta::assert_snapshot!(story.join("\n"), @r"
    Download of 200000
    at 100000: the bytes end after 100000 of 200000
    at 200000: Downloaded
    ");
}
