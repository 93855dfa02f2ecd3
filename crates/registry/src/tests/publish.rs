//! Whole images.

use std::collections::BTreeMap;

use crate::{BlobBody, BlobSource, Error, Publication, Published};
use oci::{ImageIndex, Manifest, RepositoryName};
use serve::testing::{Behaviour, Effect, Fault, HeadAnswers, TestRegistry};

use crate::tests::support::{Sample, client, log, registry, watched};

fn publication(repository: RepositoryName, sample: &Sample, tags: &[&str]) -> Publication {
    Publication {
        repository,
        tags: tags.iter().map(|tag| tag.parse().unwrap()).collect(),
        root: sample.manifest.clone(),
        children: Vec::new(),
        referrers: Vec::new(),
        blobs: sample.sources(),
    }
}

fn sorted(log: String) -> String {
    let mut lines: Vec<&str> = log.lines().collect();
    lines.sort_unstable();
    lines.join("\n")
}

#[tokio::test]
async fn an_image_and_again() {
    let registry = registry();
    let sample = Sample::new(1, 2);
    let wanted = publication(registry.repository("app"), &sample, &["1", "latest"]);
    let client = client();
    let published = client.publish(&wanted).await.unwrap();
    assert_eq!((published.uploaded, published.manifests), (3, 2));
    let first = log(&registry);
    let last: Vec<&str> = first.lines().rev().take(2).collect();
    let expected = ["PUT /v2/app/manifests/latest 201", "PUT /v2/app/manifests/1 201"];
    assert_eq!(last, expected, "{first}");
    assert_eq!(client.publish(&wanted).await.unwrap(), Published::default());
    insta::assert_snapshot!(log(&registry), @r"
    HEAD /v2/app/manifests/1 200
    HEAD /v2/app/manifests/latest 200
    ");
    let renamed = publication(registry.repository("app"), &sample, &["2"]);
    client.publish(&renamed).await.unwrap();
    let digest = &sample.manifest.digest().hex()[..6];
    assert_eq!(
        log(&registry),
        format!(
            "HEAD /v2/app/manifests/2 404\nHEAD /v2/app/manifests/{digest} 200\nPUT /v2/app/manifests/2 201"
        )
    );
}

#[tokio::test]
async fn an_index_after_its_children_and_each_blob_once() {
    let registry = registry();
    let (one, two) = (Sample::new(1, 1), Sample::new(2, 1));
    let entries = vec![one.manifest.descriptor(), two.manifest.descriptor()];
    let index = Manifest::Index(ImageIndex::new(entries, BTreeMap::new()));
    let mut wanted = publication(registry.repository("app"), &one, &["multi"]);
    wanted.root = index.clone();
    wanted.children = vec![two.manifest.clone(), one.manifest.clone()];
    wanted.blobs.extend(two.sources());
    let (client, events) = watched(&client());
    let published = client.publish(&wanted).await.unwrap();
    assert_eq!((published.uploaded, published.manifests), (4, 3));
    assert_eq!(registry.tag("app", "multi"), Some(index.digest()));
    let log = registry.requests();
    let puts = log.iter().skip_while(|request| !request.path.contains("/manifests/sha256:"));
    let puts: Vec<String> =
        puts.filter(|put| put.method == "PUT").map(ToString::to_string).collect();
    let short = |sample: &Sample| sample.manifest.digest().hex()[..6].to_owned();
    let expected = [short(&one), short(&two), "multi".to_owned()]
        .map(|name| format!("PUT /v2/app/manifests/{name} 201"));
    // The two images go side by side.
    let mut last = puts[puts.len() - 3..].to_vec();
    last[..2].sort_unstable();
    let mut expected = expected.to_vec();
    expected[..2].sort_unstable();
    assert_eq!(last, expected, "{puts:#?}");
    let sent: u64 = log.iter().map(|request| request.received).sum();
    let bytes: usize = one.blobs.values().chain(two.blobs.values()).map(|blob| blob.len()).sum();
    let manifests = [&one.manifest, &two.manifest, &index].map(|manifest| manifest.bytes().len());
    assert_eq!(sent as usize, bytes + manifests.iter().sum::<usize>());
    assert!(!events.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_base_of_the_same_registry_is_mounted_not_moved() {
    let registry = registry();
    let sample = Sample::new(3, 3);
    sample.insert(&registry, "base", None);
    let mut wanted = publication(registry.repository("app"), &sample, &["1"]);
    for source in wanted.blobs.values_mut() {
        *source = BlobSource::from(BlobBody::Remote(registry.repository("base")));
    }
    let published = client().publish(&wanted).await.unwrap();
    assert_eq!((published.mounted, published.uploaded, published.uploaded_bytes), (4, 0, 0));
    let moved: u64 = registry.requests().iter().map(|request| request.received).sum();
    assert_eq!(moved, sample.manifest.bytes().len() as u64, "the manifest only");
}

#[tokio::test]
async fn a_base_of_another_registry_is_streamed_through() {
    let (here, there) = (registry(), registry());
    let sample = Sample::new(3, 12);
    sample.insert(&there, "base", None);
    let mut wanted = publication(here.repository("app"), &sample, &["1"]);
    for source in wanted.blobs.values_mut() {
        *source = BlobSource::from(BlobBody::Remote(there.repository("base")));
    }
    let published = client().publish(&wanted).await.unwrap();
    assert_eq!(published.uploaded, 13);
    assert_eq!(there.requests().len(), 13, "each blob is fetched once");
    assert_eq!(here.tag("app", "1"), Some(sample.manifest.digest()));
}

/// Within one registry that does not mount, the same queue serves both directions.
#[tokio::test]
async fn a_copy_within_a_registry_that_does_not_mount_does_not_stall() {
    let registry = registry();
    let mounts = serve::testing::Mounts::Refused;
    registry.behave(Behaviour { mounts, ..Behaviour::default() });
    let sample = Sample::new(3, 20);
    sample.insert(&registry, "base", None);
    let mut wanted = publication(registry.repository("app"), &sample, &["1"]);
    for source in wanted.blobs.values_mut() {
        *source = BlobSource::from(BlobBody::Remote(registry.repository("base")));
    }
    let limit = std::time::Duration::from_secs(20);
    let published = tokio::time::timeout(limit, client().publish(&wanted)).await;
    assert_eq!(published.expect("it ends").unwrap().uploaded, 21);
}

#[tokio::test]
async fn a_registry_that_lied_about_blobs_gets_them_after_all() {
    let registry = registry();
    registry.behave(Behaviour { heads: HeadAnswers::EveryBlobExists, ..Behaviour::default() });
    let sample = Sample::new(4, 0);
    let wanted = publication(registry.repository("app"), &sample, &["1"]);
    client().publish(&wanted).await.unwrap();
    assert_eq!(registry.tag("app", "1"), Some(sample.manifest.digest()));
    let uploads = registry.requests().into_iter().filter(|r| r.path.contains("/uploads/"));
    let methods: Vec<String> = uploads.map(|upload| upload.method).collect();
    assert_eq!(methods, ["POST", "PUT"], "not by a single POST, of which nothing may be left");
}

#[tokio::test]
async fn what_nobody_has_is_named_before_a_tag_is_set() {
    let registry = registry();
    let sample = Sample::new(5, 1);
    let mut wanted = publication(registry.repository("app"), &sample, &["1"]);
    let missing = *wanted.blobs.keys().next().unwrap();
    wanted.blobs.remove(&missing);
    let error = client().publish(&wanted).await.unwrap_err();
    let Error::NotProvided { digest, .. } = &error else { panic!("{error}") };
    assert_eq!(**digest, missing);
    assert_eq!((registry.tag("app", "1"), registry.open_sessions()), (None, 0));
}

#[tokio::test]
async fn a_failed_push_leaves_no_session() {
    let registry = registry();
    let sample = Sample::new(6, 4);
    let refused = Effect::Status { code: 400, retry_after: None };
    registry.fault(Fault {
        method: "PUT",
        path: "/uploads/".into(),
        after: 1,
        times: 1,
        effect: refused,
    });
    let wanted = publication(registry.repository("app"), &sample, &["1"]);
    client().publish(&wanted).await.unwrap_err();
    assert_eq!((registry.tag("app", "1"), registry.open_sessions()), (None, 0));
}

fn fault_log(registry: &TestRegistry) -> String {
    sorted(log(registry))
}

#[tokio::test]
async fn an_unsteady_registry_gets_the_image_in_the_end() {
    let registry = registry();
    let sample = Sample::new(7, 3);
    let passing = |code| Effect::Status { code, retry_after: None };
    registry.fault(Fault::once("HEAD", "/blobs/", passing(503)));
    registry.fault(Fault::once("POST", "/uploads/", Effect::Reset));
    registry.fault(Fault::once("PUT", "/uploads/", passing(500)));
    registry.fault(Fault::once("PUT", "/uploads/", Effect::ResetUpload { after: 100 }));
    registry.fault(Fault::once("PUT", "/manifests/", passing(429)));
    let wanted = publication(registry.repository("app"), &sample, &["1"]);
    client().publish(&wanted).await.unwrap();
    assert_eq!(
        registry.tag("app", "1"),
        Some(sample.manifest.digest()),
        "{}",
        fault_log(&registry)
    );
    for (digest, bytes) in &sample.blobs {
        assert_eq!(registry.blob("app", *digest).as_ref(), Some(bytes));
    }
}
