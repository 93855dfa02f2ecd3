//! Known registries, one test each, by their names: a client with nothing set but a credential
//! pushes, pushes again, mounts or copies, and pulls.
//!
//! The names lead to the test registry through a proxy, which is also why they are spoken to
//! plainly here.

use std::collections::BTreeMap;
use std::time::Duration;

use oci::{Manifest, RepositoryName, Tag};
use serve::testing::{
    Behaviour, Effect, Fault, Mounts, Presented, Recorded, TestRegistry, sent_again,
};

use crate::tests::support::{GZIP, Sample, noise, password, settings, watched};
use crate::{
    BlobBody, BlobOutcome, BlobSource, Client, Credential, Credentials, Error, Proxies,
    Publication, Published, RetryPolicy, Scheme, Secret, Settings, TransferEvent,
};

/// A registry and the name by which the client knows it.
struct Known {
    registry: TestRegistry,
    host: &'static str,
    credential: Credential,
}

impl Known {
    fn start(host: &'static str, behaviour: Behaviour) -> Self {
        let user = behaviour.user().unwrap_or_default();
        let credential = password(user, behaviour.password().unwrap_or_default());
        let registry = TestRegistry::start(behaviour).unwrap();
        Known { registry, host, credential }
    }

    fn settings(&self) -> Settings {
        Settings {
            credentials: Credentials::Fixed(
                [(self.host.to_owned(), self.credential.clone())].into(),
            ),
            schemes: [(self.host.to_owned(), Scheme::Http)].into(),
            proxies: Proxies {
                http: Some(Secret::new(format!("http://{}", self.registry.name()))),
                ..Proxies::default()
            },
            ..settings()
        }
    }

    fn client(&self) -> Client {
        Client::new(self.settings()).unwrap()
    }

    fn repository(&self, path: &str) -> RepositoryName {
        format!("{}/{path}", self.host).parse().unwrap()
    }

    fn publication(&self, path: &str, sample: &Sample) -> Publication {
        Publication {
            repository: self.repository(path),
            tags: vec!["1".parse().unwrap()],
            root: sample.manifest.clone(),
            children: Vec::new(),
            referrers: Vec::new(),
            blobs: sample.sources(),
        }
    }

    /// Pushes an image, which must arrive whole and leave no session; pushes it again, which must
    /// move nothing; and pulls it.
    async fn round_trip(&self, path: &str, sample: &Sample) -> Published {
        let client = self.client();
        let wanted = self.publication(path, sample);
        let published = client.publish(&wanted).await.unwrap();
        assert_eq!(client.publish(&wanted).await.unwrap(), Published::default(), "a second push");
        client.settle().await;
        assert_eq!(self.registry.open_sessions(), 0);
        let tag: Tag = "1".parse().unwrap();
        let manifest = client.manifest(&wanted.repository, tag).await.unwrap();
        assert_eq!(manifest, sample.manifest);
        let Manifest::Image(image) = &manifest else { panic!("an image") };
        for blob in image.layers() {
            let mut sink = Vec::new();
            client.blob(&wanted.repository, blob, &mut sink).await.unwrap();
            assert!(sink == sample.blobs[&blob.digest]);
        }
        assert_eq!(sent_again(&self.registry.requests()), 0);
        published
    }

    /// Requests of uploads, by method.
    fn uploads(&self, method: &str) -> Vec<Recorded> {
        let requests = self.registry.requests().into_iter();
        let wanted = |r: &Recorded| r.method == method && r.path.contains("/uploads/");
        requests.filter(wanted).collect()
    }

    /// The first body of an upload breaks off twice.
    fn break_uploads(&self) {
        let effect = Effect::ResetUpload { after: 10_000 };
        self.registry.fault(Fault {
            method: "PUT",
            path: "/uploads/".into(),
            after: 0,
            times: 2,
            effect,
        });
    }
}

/// Chunks vanish there, so a body that broke off goes again whole; tags do not move, and one that
/// names the image already is where it should be.
#[tokio::test]
async fn ecr() {
    let known = Known::start("123456789012.dkr.ecr.eu-west-1.amazonaws.com", Behaviour::ecr());
    known.break_uploads();
    let sample = Sample::new(1, 2);
    known.round_trip("app", &sample).await;
    assert!(known.uploads("PATCH").is_empty(), "no chunk is ever sent");
    let client = known.client();
    let tag: Tag = "1".parse().unwrap();
    client.push_manifest(&known.repository("app"), &sample.manifest, tag.clone()).await.unwrap();
    let other = Sample::new(2, 0);
    other.insert(&known.registry, "app", None);
    let moved = client.push_manifest(&known.repository("app"), &other.manifest, tag).await;
    assert!(moved.unwrap_err().to_string().contains("TAG_INVALID"));
    let absent = client.publish(&known.publication("absent", &sample)).await.unwrap_err();
    assert!(absent.to_string().contains("NAME_UNKNOWN"), "{absent}");
}

/// There are no chunks, and a single PATCH is not needed.
#[tokio::test]
async fn google_artifact_registry() {
    for host in ["europe-west1-docker.pkg.dev", "eu.gcr.io"] {
        let known = Known::start(host, Behaviour::google());
        known.break_uploads();
        known.round_trip("project/app", &Sample::new(1, 2)).await;
        assert!(known.uploads("PATCH").is_empty());
    }
}

/// A chunk is under 4 MiB, a whole body may be larger and has no range; `Location` is a path.
#[tokio::test]
async fn ghcr() {
    let known = Known::start("ghcr.io", Behaviour::ghcr());
    let effect = Effect::ResetUpload { after: 1_000_000 };
    known.registry.fault(Fault::once("PUT", "/uploads/", effect));
    let sample = Sample::of_layers(vec![noise(9_000_000, 1)]);
    known.round_trip("owner/app", &sample).await;
    let patches = known.uploads("PATCH");
    assert!(patches.len() >= 2 && patches.iter().all(|patch| patch.received < 4 << 20));
    let whole = known.uploads("PUT").into_iter().filter(|put| put.range.is_some());
    assert_eq!(whole.count(), 0, "no range on a PUT");
    let whole = Sample::of_layers(vec![noise(6_000_000, 2)]);
    known.client().publish(&known.publication("owner/other", &whole)).await.unwrap();
    assert!(known.uploads("PUT").iter().any(|put| put.received == 6_000_000), "in one piece");
}

/// HEADs are free there and GETs are not; one token serves both repositories of a mount; a `from`
/// of another registry is never sent; and its answer to abuse is no proper HTTP.
#[tokio::test]
async fn docker_hub() {
    let quota = serve::testing::Quota { pulls: 9, window: Duration::from_secs(21_600) };
    let behaviour = Behaviour { quota: Some(quota), ..Behaviour::docker_hub() };
    let mut known = Known::start("registry-1.docker.io", behaviour);
    known.host = "docker.io";
    let sample = Sample::new(1, 2);
    let settings = Settings {
        schemes: [("registry-1.docker.io".to_owned(), Scheme::Http)].into(),
        ..known.settings()
    };
    let (client, events) = watched(&Client::new(settings).unwrap());
    let abuse = Effect::BareNewlines { retry_after: "0".to_owned() };
    known.registry.fault(Fault::once("HEAD", "/manifests/", abuse));
    client.publish(&known.publication("bob/base", &sample)).await.unwrap();
    let reference = format!("{}:1", known.repository("bob/base")).parse().unwrap();
    for _ in 0..20 {
        client.resolve(&reference).await.unwrap();
    }
    let mut copy = known.publication("bob/app", &sample);
    for source in copy.blobs.values_mut() {
        let elsewhere = "quay.io/bob/base".parse().unwrap();
        source.mount_from = vec![elsewhere, known.repository("bob/base")];
    }
    let published = client.publish(&copy).await.unwrap();
    assert_eq!((published.mounted, published.uploaded), (3, 0));
    let requests = known.registry.requests();
    let mounts = requests.iter().filter(|request| request.query.contains("mount="));
    assert!(mounts.clone().count() == 3 && mounts.clone().all(|m| m.status == Some(201)));
    let tokens: Vec<_> = requests.iter().filter(|request| request.path == "/token").collect();
    let both = "scope=repository%3Abob%2Fapp%3Apull%2Cpush&scope=repository%3Abob%2Fbase%3Apull";
    assert!(tokens.iter().any(|token| token.query.contains(both)), "{tokens:#?}");
    let tag: Tag = "1".parse().unwrap();
    for _ in 0..9 {
        client.manifest(&known.repository("bob/app"), tag.clone()).await.unwrap();
    }
    let warned = |event: &TransferEvent| matches!(event, TransferEvent::QuotaLow { .. });
    assert_eq!(events.lock().unwrap().iter().filter(|event| warned(event)).count(), 1);
    let over = client.manifest(&known.repository("bob/app"), tag).await.unwrap_err();
    assert!(matches!(over, Error::RateLimited { .. }), "{over}");
    let deep = client.publish(&known.publication("bob/too/deep", &sample)).await.unwrap_err();
    assert!(matches!(deep, Error::Unauthorized { .. }), "{deep}");
}

/// A mount names where from; what is no image is refused with a word.
#[tokio::test]
async fn quay() {
    let known = Known::start("quay.io", Behaviour::quay());
    let sample = Sample::new(1, 2);
    known.round_trip("bob/base", &sample).await;
    let client = known.client();
    let mut copy = known.publication("bob/app", &sample);
    for source in copy.blobs.values_mut() {
        *source = BlobSource::from(BlobBody::Remote(known.repository("bob/base")));
    }
    assert_eq!(client.publish(&copy).await.unwrap().mounted, 3);
    let posts = known.uploads("POST");
    assert!(
        posts.iter().all(|post| !post.query.contains("mount=") || post.query.contains("from="))
    );
    let artifact = Sample::with_config_type(2, "application/vnd.example.config+json");
    let refused = client.publish(&known.publication("bob/thing", &artifact)).await.unwrap_err();
    assert!(refused.to_string().contains("415"), "{refused}");
}

/// A cookie that comes is not sent back; robots are for paths, and the longest path decides.
#[tokio::test]
async fn harbor() {
    let known = Known::start("harbor.example", Behaviour::harbor());
    known.round_trip("app/one", &Sample::new(1, 2)).await;
    let file = r#"{"auths":{"harbor.example":{"username":"robot$app","password":"SECRET-PASSWORD"},
        "harbor.example/team":{"username":"robot$team","password":"SECRET-PASSWORD"}}}"#;
    let store = crate::CredentialStore::from_files(vec![]).unwrap();
    let store = store.with_content(file.as_bytes(), "test").unwrap();
    let credentials = Credentials::Store(std::sync::Arc::new(store));
    let client = Client::new(Settings { credentials, ..known.settings() }).unwrap();
    let team = known.publication("team/two", &Sample::new(2, 1));
    client.publish(&team).await.unwrap();
    let app = known.publication("app/two", &Sample::new(3, 1));
    client.publish(&app).await.unwrap();
    let other = client.publish(&known.publication("other", &Sample::new(4, 0))).await;
    assert!(matches!(other.unwrap_err(), Error::Denied { .. } | Error::Unauthorized { .. }));
}

/// It says of every blob that it is there, and of a manifest that it is invalid when it is not: then
/// all blobs are sent, once. Mounts are refused; history and `Accept` are as it wants them.
#[tokio::test]
async fn artifactory() {
    let known = Known::start("team.jfrog.example", Behaviour::artifactory());
    let sample = Sample::new(1, 2);
    let published = known.round_trip("docker/app", &sample).await;
    assert_eq!(published.uploaded, 3, "the lie has been found out");
    let mut copy = known.publication("docker/copy", &sample);
    for source in copy.blobs.values_mut() {
        source.mount_from = vec![known.repository("docker/app")];
    }
    known.client().publish(&copy).await.unwrap();
}

/// Basic is offered first and refused; the identity token gets access tokens by POST.
#[tokio::test]
async fn azure() {
    let mut known = Known::start("team.azurecr.io", Behaviour::azure());
    known.credential = Credential::IdentityToken(Secret::new("SECRET-REFRESH-TOKEN"));
    known.round_trip("app", &Sample::new(1, 2)).await;
    let requests = known.registry.requests();
    let tokens = requests.iter().filter(|request| request.path == "/oauth2/token");
    assert!(tokens.clone().count() > 0 && tokens.clone().all(|token| token.method == "POST"));
    assert!(requests.iter().all(|request| request.presented != Presented::Basic));
}

/// Every fifth request is answered by nothing at all.
#[tokio::test]
async fn gitlab() {
    let mut known = Known::start("registry.gitlab.com", Behaviour::gitlab());
    known.registry.insert_blob("group/base", GZIP, b"layer");
    let retry = RetryPolicy { attempts: 6, ..settings().retry };
    for seed in 1..4 {
        let sample = Sample::new(seed, 6);
        let client = Client::new(Settings { retry, ..known.settings() }).unwrap();
        let path = format!("group/app{seed}");
        client.publish(&known.publication(&path, &sample)).await.unwrap();
        assert_eq!(known.registry.tag(&path, "1"), Some(sample.manifest.digest()));
    }
    known.host = "registry.gitlab.com";
    let body = BlobBody::Remote(known.repository("group/base"));
    let blob = oci::Descriptor::of(GZIP, b"layer");
    let client = Client::new(Settings { retry, ..known.settings() }).unwrap();
    let outcome = client.push_blob(&known.repository("group/copy"), &blob, &body, &[]).await;
    assert!(matches!(outcome.unwrap(), BlobOutcome::Mounted { .. }));
}

/// nginx in front of a registry lets bodies of 1 MiB through.
#[tokio::test]
async fn a_proxy_that_caps_bodies() {
    let behaviour =
        Behaviour { body_limit: Some(1 << 20), mounts: Mounts::OpenSession, ..Behaviour::ghcr() };
    let known = Known::start("behind.example", behaviour);
    let sample = Sample::of_layers(vec![noise(2_500_000, 1), noise(10, 2)]);
    let blobs: BTreeMap<_, _> = sample.sources();
    assert_eq!(blobs.len(), 3);
    known.round_trip("app", &sample).await;
    assert!(known.uploads("PATCH").len() >= 3);
}
