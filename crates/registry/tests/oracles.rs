//! The wire against Debian's `docker-registry`, which judges it and whose access log tells what
//! moved. A missing program is a failure, not a skip.
//!
//! Needs: docker-registry, htpasswd, openssl.

// Clippy knows tests by their attribute, and takes what they share for a program.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::net::Ipv4Addr;
use std::path::PathBuf;

use oci::{Compression, Descriptor, Digest, ImageIndex, ImageManifest, Manifest, MediaType, Tag};
use registry::{
    BlobBody, BlobOutcome, BlobSource, Client, Credential, Credentials, Error, Publication,
    Published, RetryPolicy, Scheme, Secret, Settings,
};
use testbed::{Guise, Login, Registry, Request};

fn repository(registry: &Registry, path: &str) -> oci::RepositoryName {
    registry.reference(path).parse().unwrap()
}

/// `METHOD URI STATUS` of each request so far.
fn requests(registry: &Registry) -> Vec<String> {
    let requests = registry.requests().unwrap().into_iter();
    let line = |request: Request| {
        let query = if request.query.is_empty() { "" } else { "?" };
        let Request { method, path, query: after, status, .. } = request;
        format!("{method} {path}{query}{after} {status}")
    };
    requests.map(line).collect()
}

fn client() -> Client {
    Client::new(Settings::default()).unwrap()
}

fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// An image of two layers in files, and its blobs.
struct Sample {
    manifest: Manifest,
    blobs: BTreeMap<Digest, BlobSource>,
}

fn sample(folder: &std::path::Path, seed: u64) -> Sample {
    let gzip = MediaType::OciLayer(Compression::Gzip);
    let mut blobs = BTreeMap::new();
    let mut keep = |media_type: MediaType, bytes: &[u8]| {
        let descriptor = Descriptor::of(media_type, bytes);
        let path: PathBuf = folder.join(descriptor.digest.hex());
        fs::write(&path, bytes).unwrap();
        blobs.insert(descriptor.digest, BlobSource::from(BlobBody::File(path)));
        descriptor
    };
    let config = keep(MediaType::OciConfig, format!("{{\"seed\":{seed}}}").as_bytes());
    let layers = vec![keep(gzip.clone(), &noise(3_000_000, seed)), keep(gzip, &noise(10, seed))];
    let manifest = Manifest::Image(ImageManifest::new(config, layers, BTreeMap::new()));
    Sample { manifest, blobs }
}

fn publication(repository: oci::RepositoryName, sample: &Sample, tag: &str) -> Publication {
    Publication {
        repository,
        tags: vec![tag.parse().unwrap()],
        root: sample.manifest.clone(),
        children: Vec::new(),
        referrers: Vec::new(),
        blobs: sample.blobs.clone(),
    }
}

#[tokio::test]
async fn push_pull_mount_and_a_second_push_that_moves_nothing() {
    let registry = Registry::start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let sample = sample(folder.path(), 1);
    let client = client();
    let target = repository(&registry, "team/app");
    let wanted = publication(target.clone(), &sample, "1");
    let published = client.publish(&wanted).await.unwrap();
    assert_eq!((published.uploaded, published.manifests), (3, 1));

    let reference = format!("{target}:1").parse().unwrap();
    let descriptor = client.resolve(&reference).await.unwrap();
    assert_eq!(descriptor, sample.manifest.descriptor());
    let manifest = client.manifest(&target, descriptor.digest).await.unwrap();
    assert_eq!(manifest, sample.manifest);
    let Manifest::Image(image) = &manifest else { panic!("an image was pushed") };
    for layer in image.layers() {
        let mut sink = Vec::new();
        client.blob(&target, layer, &mut sink).await.unwrap();
        assert_eq!(Digest::of(&sink), layer.digest);
    }
    assert_eq!(client.tags(&target).await.unwrap(), ["1"]);

    let before = requests(&registry).len();
    assert_eq!(client.publish(&wanted).await.unwrap(), Published::default());
    let second: Vec<_> = requests(&registry).split_off(before);
    assert_eq!(second, ["HEAD /v2/team/app/manifests/1 200"]);

    let before = requests(&registry).len();
    let mut copy = publication(repository(&registry, "copy"), &sample, "2");
    for source in copy.blobs.values_mut() {
        *source = BlobSource::from(BlobBody::Remote(target.clone()));
    }
    let copied = client.publish(&copy).await.unwrap();
    assert_eq!((copied.mounted, copied.uploaded), (3, 0));
    let moved = requests(&registry).split_off(before);
    let uploads = moved.iter().filter(|line| line.starts_with("PUT") || line.starts_with("PATCH"));
    assert_eq!(uploads.collect::<Vec<_>>(), ["PUT /v2/copy/manifests/2 201"]);
}

#[tokio::test]
async fn an_index_a_delete_and_an_empty_blob() {
    let registry = Registry::start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (sample(folder.path(), 1), sample(folder.path(), 2));
    let entries = vec![one.manifest.descriptor(), two.manifest.descriptor()];
    let index = Manifest::Index(ImageIndex::new(entries, BTreeMap::new()));
    let target = repository(&registry, "app");
    let mut wanted = publication(target.clone(), &one, "multi");
    wanted.root = index.clone();
    wanted.children = vec![one.manifest.clone(), two.manifest.clone()];
    wanted.blobs.extend(two.blobs.clone());
    let client = client();
    client.publish(&wanted).await.unwrap();
    let tag: Tag = "multi".parse().unwrap();
    assert_eq!(client.manifest(&target, tag.clone()).await.unwrap(), index);

    client.delete_manifest(&target, index.digest()).await.unwrap();
    let gone = client.manifest(&target, tag).await.unwrap_err();
    assert!(matches!(gone, Error::ManifestNotFound { .. }), "{gone}");

    let empty = Descriptor::of(MediaType::OciLayer(Compression::None), b"");
    let body = BlobBody::Bytes(Default::default());
    let outcome = client.push_blob(&target, &empty, &body, &[]).await.unwrap();
    assert_eq!(outcome, BlobOutcome::Uploaded { bytes: 0 });
    let mut sink = Vec::new();
    client.blob(&target, &empty, &mut sink).await.unwrap();
    assert!(sink.is_empty());
    let missing = Sample { manifest: sample(folder.path(), 3).manifest, blobs: BTreeMap::new() };
    let Error::ManifestBlobUnknown { blobs, .. } = client
        .push_manifest(&target, &missing.manifest, missing.manifest.digest())
        .await
        .unwrap_err()
    else {
        panic!("the registry lacks its blobs")
    };
    assert!(!blobs.is_empty(), "it says which");
}

const BOB: Login = Login { user: "bob", password: "SECRET" };

#[tokio::test]
async fn htpasswd() {
    let registry = Registry::start_as(&Guise::Htpasswd(BOB)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let sample = sample(folder.path(), 1);
    let wanted = publication(repository(&registry, "app"), &sample, "1");
    let with = |password: &str| {
        let password = Secret::new(password);
        let credential = Credential::Password { user: BOB.user.to_owned(), password };
        let known = BTreeMap::from([(registry.host(), credential)]);
        let credentials = Credentials::Fixed(known);
        Client::new(Settings { credentials, ..Settings::default() }).unwrap()
    };
    with(BOB.password).ping(&registry.host()).await.unwrap();
    with(BOB.password).publish(&wanted).await.unwrap();
    for refused in [with("SECRET but wrong"), client()] {
        let error = refused.ping(&registry.host()).await.unwrap_err();
        assert!(matches!(error, Error::Unauthorized { .. }), "{error}");
        assert!(error.hint().unwrap().contains("plywood login"));
        assert!(!format!("{error:?}").contains("SECRET"));
    }
}

#[tokio::test]
async fn tls_with_a_certificate_of_its_own() {
    let registry = Registry::start_as(&Guise::PrivateCa).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let sample = sample(folder.path(), 1);
    let wanted = publication(repository(&registry, "app"), &sample, "1");
    let certificate = fs::read(registry.certificates().unwrap().join("ca.crt")).unwrap();
    // Loopback is plain http unless it is said otherwise.
    let settings = |root_certificates| Settings {
        schemes: BTreeMap::from([(registry.host(), Scheme::Https)]),
        root_certificates,
        retry: RetryPolicy { attempts: 1, ..RetryPolicy::default() },
        ..Settings::default()
    };
    let trusting = Client::new(settings(vec![certificate])).unwrap();
    assert_eq!(trusting.publish(&wanted).await.unwrap().uploaded, 3);
    let wary = Client::new(settings(Vec::new())).unwrap();
    let error = wary.ping(&registry.host()).await.unwrap_err();
    assert!(matches!(error, Error::Tls { .. }), "{error}");
    assert!(error.to_string().contains("certificate"), "{error}");
    assert!(error.hint().unwrap().contains("give its CA"));
    let bad = Client::new(settings(vec![b"-----BEGIN CERTIFICATE-----\nx".to_vec()]));
    assert!(bad.unwrap_err().to_string().starts_with("use the root certificate that was set: "));
}

#[tokio::test]
async fn an_address_of_ipv6_is_a_host() {
    let registry = Registry::start().unwrap();
    let listener = tokio::net::TcpListener::bind((std::net::Ipv6Addr::LOCALHOST, 0)).await.unwrap();
    let name = listener.local_addr().unwrap().to_string();
    let behind = registry.host();
    let forwarding = tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            let mut far = tokio::net::TcpStream::connect(&behind).await.unwrap();
            tokio::spawn(async move { tokio::io::copy_bidirectional(&mut near, &mut far).await });
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let sample = sample(folder.path(), 1);
    let target: oci::RepositoryName = format!("{name}/app").parse().unwrap();
    assert!(name.starts_with("[::1]:"), "{name}");
    let published = client().publish(&publication(target.clone(), &sample, "1")).await.unwrap();
    assert_eq!(published.uploaded, 3);
    assert_eq!(client().tags(&target).await.unwrap(), ["1"]);
    forwarding.abort();
}

/// This registry gives a session up whose PUT broke off, so the blob goes again from its start, in
/// another session.
#[tokio::test]
async fn an_upload_that_broke_off_is_sent_again() {
    let registry = Registry::start().unwrap();
    let cutting = cut_once(registry.host(), 2_000_000).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("blob");
    let bytes = noise(30_000_000, 9);
    fs::write(&path, &bytes).unwrap();
    let blob = Descriptor::of(MediaType::OciLayer(Compression::Gzip), &bytes);
    let target = format!("{cutting}/app").parse().unwrap();
    let client = client();
    let outcome = client.push_blob(&target, &blob, &BlobBody::File(path), &[]).await.unwrap();
    let BlobOutcome::Uploaded { bytes } = outcome else { panic!("{outcome:?}") };
    assert!((30_000_001..50_000_000).contains(&bytes), "sent {bytes}");
    let mut sink = Vec::new();
    client.blob(&repository(&registry, "app"), &blob, &mut sink).await.unwrap();
    assert_eq!(Digest::of(&sink), blob.digest);
    let log = requests(&registry);
    assert_eq!(log.iter().filter(|line| line.starts_with("POST")).count(), 2, "{log:#?}");
}

/// A way to the registry that breaks its first connection that carries more than `after` bytes.
async fn cut_once(registry: String, after: u64) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let name = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        let mut left = Some(after);
        while let Ok((mut near, _)) = listener.accept().await {
            let mut far = tokio::net::TcpStream::connect(&registry).await.unwrap();
            let Some(budget) = left.take() else {
                tokio::spawn(
                    async move { tokio::io::copy_bidirectional(&mut near, &mut far).await },
                );
                continue;
            };
            let (mut from_near, mut to_near) = near.split();
            let (mut from_far, mut to_far) = far.split();
            let mut passed = 0;
            let up = async {
                let mut buffer = vec![0; 64 * 1024];
                while passed < budget {
                    let count = from_near.read(&mut buffer).await.unwrap_or(0);
                    if count == 0 || to_far.write_all(&buffer[..count]).await.is_err() {
                        break;
                    }
                    passed += count as u64;
                }
            };
            tokio::select! {
                () = up => {}
                _ = tokio::io::copy(&mut from_far, &mut to_near) => {}
            }
        }
    });
    name
}
