//! Mirrors, other locations, and what never goes to them.

use std::path::PathBuf;

use tempfile::TempDir;

use crate::tests::support::{GZIP, Sample, log, noise, password, registry, settings, watched};
use crate::{
    BlobBody, BlobOutcome, Client, Credential, Credentials, Error, HostFiles, Hosts, MirrorProblem,
    Publication, TransferEvent,
};
use oci::{Reference, RepositoryName, Tag};
use serve::testing::{Behaviour, Effect, Fault, Presented, TestDoor, TestRegistry, TokenDoor};

/// A registry with a mirror, and a `registries.conf` that says so.
struct Pair {
    origin: TestRegistry,
    mirror: TestRegistry,
    directory: TempDir,
}

impl Pair {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        Pair { origin: registry(), mirror: registry(), directory }
    }

    /// The names in `text` are replaced: `ORIGIN`, `MIRROR`.
    fn conf(&self, text: &str) -> PathBuf {
        let path = self.directory.path().join("registries.conf");
        std::fs::write(&path, self.here(text)).unwrap();
        path
    }

    fn here(&self, text: &str) -> String {
        text.replace("ORIGIN", &self.origin.name()).replace("MIRROR", &self.mirror.name())
    }

    fn there(&self, text: &str) -> String {
        text.replace(&self.origin.name(), "ORIGIN").replace(&self.mirror.name(), "MIRROR")
    }

    fn client_with(&self, conf: &str, known: &[(String, Credential)]) -> Client {
        let named_registries_conf = Some(self.conf(conf));
        let hosts = Hosts::read(HostFiles { named_registries_conf, ..HostFiles::default() });
        let credentials = Credentials::Fixed(known.iter().cloned().collect());
        Client::new(crate::Settings { hosts: hosts.unwrap(), credentials, ..settings() }).unwrap()
    }

    fn client(&self, conf: &str) -> Client {
        self.client_with(conf, &[])
    }

    /// Both have the sample: the mirror as `hub/app:1`, the registry as `app:1`.
    fn insert(&self, sample: &Sample) {
        sample.insert(&self.origin, "app", Some("1"));
        sample.insert(&self.mirror, "hub/app", Some("1"));
    }

    fn reference(&self) -> Reference {
        self.here("ORIGIN/app:1").parse().unwrap()
    }

    fn repository(&self) -> RepositoryName {
        self.origin.repository("app")
    }
}

const MIRRORED: &str = "
    [[registry]]
    prefix = 'ORIGIN'
    [[registry.mirror]]
    location = 'MIRROR/hub'
";

fn one() -> Tag {
    "1".parse().unwrap()
}

/// Tag, manifest, blobs, as a pull asks for them.
async fn pull(client: &Client, pair: &Pair, sample: &Sample) -> Result<(), Error> {
    let found = client.resolve(&pair.reference()).await?;
    let manifest = client.manifest(&pair.repository(), found.digest).await?;
    assert_eq!(manifest, sample.manifest);
    for (digest, bytes) in &sample.blobs {
        let blob = oci::Descriptor::new(GZIP, *digest, bytes.len() as u64);
        let mut sink = Vec::new();
        client.blob(&pair.repository(), &blob, &mut sink).await?;
        assert!(sink == *bytes);
    }
    Ok(())
}

#[tokio::test]
async fn what_a_mirror_has_comes_from_it_alone() {
    let pair = Pair::new();
    let sample = Sample::new(1, 1);
    pair.insert(&sample);
    pull(&pair.client(MIRRORED), &pair, &sample).await.unwrap();
    assert_eq!(pair.origin.requests(), []);
    let mut asked: Vec<_> = log(&pair.mirror).lines().map(str::to_owned).collect();
    asked.truncate(2);
    let image = &sample.manifest.digest().hex()[..6];
    insta::assert_snapshot!(asked.join("\n").replace(image, "IMAGE"), @"
    HEAD /v2/hub/app/manifests/1 200
    GET /v2/hub/app/manifests/IMAGE 200
    ");
}

#[tokio::test]
async fn what_it_lacks_comes_from_the_registry_and_it_is_not_asked_for_the_rest() {
    let pair = Pair::new();
    let sample = Sample::new(1, 3);
    sample.insert(&pair.origin, "app", Some("1"));
    let (client, events) = watched(&pair.client(MIRRORED));
    pull(&client, &pair, &sample).await.unwrap();
    insta::assert_snapshot!(log(&pair.mirror), @"HEAD /v2/hub/app/manifests/1 404");
    assert_eq!(pair.origin.requests().len(), 6);
    let left = |event: &&TransferEvent| {
        matches!(event, TransferEvent::MirrorLeft { problem: MirrorProblem::Missing, .. })
    };
    assert_eq!(events.lock().unwrap().iter().filter(left).count(), 1);
    // Another repository may be there.
    sample.insert(&pair.mirror, "hub/other", Some("1"));
    client.manifest(&pair.origin.repository("other"), one()).await.unwrap();
}

#[tokio::test]
async fn any_failure_of_a_mirror_is_made_up_for() {
    let status = |code| Effect::Status { code, retry_after: None };
    for (effect, tries) in [
        (status(401), 1),
        (status(403), 1),
        (status(500), 2),
        (status(429), 2),
        (Effect::Status { code: 503, retry_after: Some("3600".into()) }, 1),
        (Effect::Reset, 2),
    ] {
        let pair = Pair::new();
        let sample = Sample::new(1, 2);
        pair.insert(&sample);
        pair.mirror.fault(Fault::always("", "/v2/", effect.clone()));
        pull(&pair.client(MIRRORED), &pair, &sample).await.unwrap();
        assert_eq!(pair.mirror.requests().len(), tries, "{effect:?}");
    }
}

#[tokio::test]
async fn nobody_waits_for_a_mirror_that_is_down() {
    let pair = Pair::new();
    let sample = Sample::new(1, 2);
    pair.insert(&sample);
    // Port 1 is nobody's.
    let conf = MIRRORED.replace("MIRROR/hub", "127.0.0.1:1/hub");
    let (client, events) = watched(&pair.client(&conf));
    pull(&client, &pair, &sample).await.unwrap();
    let events = events.lock().unwrap();
    let story: Vec<String> = events
        .iter()
        .filter_map(|event| match event {
            TransferEvent::MirrorLeft { mirror, problem, cause } => {
                Some(format!("{mirror} {problem:?}: {cause}"))
            }
            _ => None,
        })
        .collect();
    insta::assert_snapshot!(story.join("\n"), @"127.0.0.1:1 Failed: HEAD http://127.0.0.1:1/v2/hub/app/manifests/1: Connection refused (os error 111)");
}

#[tokio::test]
async fn a_mirror_that_dies_in_a_blob_is_gone_on_from() {
    let pair = Pair::new();
    let bytes = noise(300_000, 5);
    let blob = pair.origin.insert_blob("app", GZIP, &bytes);
    pair.mirror.insert_blob("hub/app", GZIP, &bytes);
    pair.mirror.fault(Fault::once("GET", "/blobs/", Effect::ResetDownload { after: 180_000 }));
    pair.mirror.fault(Fault::always("GET", "/blobs/", Effect::Reset));
    let mut sink = Vec::new();
    pair.client(MIRRORED).blob(&pair.repository(), &blob, &mut sink).await.unwrap();
    assert!(sink == bytes);
    let asked: Vec<_> = pair.origin.requests().iter().map(|asked| asked.range.clone()).collect();
    assert_eq!(asked, [Some("bytes=180000-".to_owned())]);
}

#[tokio::test]
async fn wrong_bytes_of_a_mirror_are_noticed_told_and_had_elsewhere() {
    let pair = Pair::new();
    let sample = Sample::new(1, 1);
    pair.insert(&sample);
    let damaged = |events: &std::sync::Mutex<Vec<TransferEvent>>| {
        let events = events.lock().unwrap();
        let is = |event: &&TransferEvent| {
            matches!(event, TransferEvent::MirrorLeft { problem: MirrorProblem::Damaged, .. })
        };
        events.iter().filter(is).count()
    };
    // A manifest is looked at as a whole, so the read goes on by itself.
    pair.mirror.fault(Fault::always("GET", "", Effect::Corrupt));
    let (client, events) = watched(&pair.client(MIRRORED));
    let digest = sample.manifest.digest();
    let manifest = client.manifest(&pair.repository(), digest).await.unwrap();
    assert_eq!(manifest, sample.manifest);
    assert_eq!(damaged(&events), 1);
    // A blob's bytes have been given out when the last of them shows that they are wrong.
    let (client, events) = watched(&pair.client(MIRRORED));
    let (digest, bytes) = sample.blobs.last_key_value().unwrap();
    let blob = oci::Descriptor::new(GZIP, *digest, bytes.len() as u64);
    let error = client.blob(&pair.repository(), &blob, &mut Vec::new()).await.unwrap_err();
    let Error::DamagedMirror { mirror, error } = error else { panic!("{error}") };
    assert_eq!(mirror, pair.mirror.name());
    assert!(matches!(*error, Error::DigestMismatch { .. }), "{error}");
    assert_eq!(damaged(&events), 1);
    let mut sink = Vec::new();
    client.blob(&pair.repository(), &blob, &mut sink).await.unwrap();
    assert!(sink == *bytes);
}

/// Who is to blame for a mismatch is open where a part was there before.
#[tokio::test]
async fn a_mirror_is_not_blamed_for_what_others_gave() {
    let pair = Pair::new();
    let bytes = noise(1000, 4);
    let blob = pair.mirror.insert_blob("hub/app", GZIP, &bytes);
    let mut wrong = oci::Digester::sha256();
    wrong.update(b"not the first five bytes"[..5].as_ref());
    let client = pair.client(MIRRORED);
    let progress = Some(crate::Progress::after(5, wrong));
    let mut stream = client.open_blob(&pair.repository(), &blob, progress).unwrap();
    let error = loop {
        match stream.next().await {
            Ok(chunk) => drop(chunk.expect("it is wrong at its end")),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, Error::DigestMismatch { .. }), "{error}");
    let mut sink = Vec::new();
    client.blob(&pair.repository(), &blob, &mut sink).await.unwrap();
    assert!(sink == bytes, "from the mirror, which alone has it");
}

#[tokio::test]
async fn what_is_nowhere_is_not_found_and_what_fails_everywhere_says_so() {
    let pair = Pair::new();
    let client = pair.client(MIRRORED);
    let error = client.resolve(&pair.reference()).await.unwrap_err();
    insta::assert_snapshot!(pair.there(&error.to_string()), @"find `ORIGIN/app:1` in the registry");
    let status = Effect::Status { code: 500, retry_after: None };
    pair.origin.fault(Fault::always("", "/v2/", status));
    let error = pair.client(MIRRORED).resolve(&pair.reference()).await.unwrap_err();
    insta::assert_snapshot!(pair.there(&error.to_string()), @"HEAD http://ORIGIN/v2/app/manifests/1: the registry answered 500 Internal Server Error (mirrors were asked before: MIRROR does not have it)");
}

#[tokio::test]
async fn mirrors_are_asked_for_what_they_are_said_to_serve() {
    let pair = Pair::new();
    let sample = Sample::new(1, 1);
    pair.insert(&sample);
    let digest = sample.manifest.digest();
    let asked = async |line: &str| {
        let client = pair.client(&format!("{MIRRORED}\n{line}"));
        client.manifest(&pair.repository(), one()).await.unwrap();
        client.manifest(&pair.repository(), digest).await.unwrap();
        let asked = |registry: &TestRegistry| {
            log(registry).replace("/v2/", "").replace(&digest.hex()[..6], "IMAGE")
        };
        format!("registry: {}; mirror: {}", asked(&pair.origin), asked(&pair.mirror))
    };
    insta::assert_snapshot!(asked("pull-from-mirror = 'digest-only'").await, @"registry: GET app/manifests/1 200; mirror: GET hub/app/manifests/IMAGE 200");
    insta::assert_snapshot!(asked("pull-from-mirror = 'tag-only'").await, @"registry: GET app/manifests/IMAGE 200; mirror: GET hub/app/manifests/1 200");
    let client = pair.client(&MIRRORED.replace("prefix", "mirror-by-digest-only = true\nprefix"));
    client.manifest(&pair.repository(), one()).await.unwrap();
    assert_eq!(pair.mirror.requests(), []);
}

#[tokio::test]
async fn lists_come_from_mirrors_that_have_them() {
    let pair = Pair::new();
    let sample = Sample::new(1, 1);
    sample.insert(&pair.origin, "app", Some("old"));
    sample.insert(&pair.mirror, "hub/app", Some("new"));
    let client = pair.client(MIRRORED);
    assert_eq!(client.tags(&pair.repository()).await.unwrap(), ["new"]);
    let gone = Effect::Status { code: 404, retry_after: None };
    pair.mirror.fault(Fault::always("GET", "/tags/", gone.clone()));
    pair.mirror.fault(Fault::always("GET", "/referrers/", gone.clone()));
    assert_eq!(client.tags(&pair.repository()).await.unwrap(), ["old"]);
    let digest = sample.manifest.digest();
    pair.origin.fault(Fault::always("GET", "/referrers/", gone));
    assert_eq!(client.referrers(&pair.repository(), digest).await.unwrap(), []);
    pair.mirror.take_requests();
    client.manifest(&pair.repository(), digest).await.unwrap();
    assert_eq!(pair.mirror.requests().len(), 1, "a mirror without lists still has manifests");
}

#[tokio::test]
async fn what_is_blocked_is_not_asked_for() {
    let pair = Pair::new();
    let client = pair.client("[[registry]]\nlocation = 'ORIGIN'\nblocked = true");
    let error = client.resolve(&pair.reference()).await.unwrap_err();
    let text = format!("{error}; {}", error.hint().unwrap_or_default());
    let text = text.replace(&pair.directory.path().display().to_string(), "DIR");
    insta::assert_snapshot!(pair.there(&text), @"reach `ORIGIN/app`: it is blocked in DIR/registries.conf; take `blocked` out of DIR/registries.conf if that is not meant");
    let body = BlobBody::Bytes(Default::default());
    let blob = oci::Descriptor::of(GZIP, b"");
    let pushed = client.push_blob(&pair.repository(), &blob, &body, &[]).await;
    assert!(matches!(pushed, Err(Error::Blocked { .. })), "{pushed:?}");
    assert_eq!(pair.origin.requests(), []);
}

fn publication(pair: &Pair, sample: &Sample) -> Publication {
    Publication {
        repository: pair.repository(),
        tags: vec![one()],
        root: sample.manifest.clone(),
        children: Vec::new(),
        referrers: Vec::new(),
        blobs: sample.sources(),
    }
}

#[tokio::test]
async fn a_push_goes_past_the_mirrors_to_the_location() {
    let pair = Pair::new();
    let sample = Sample::new(1, 2);
    // The registry's own host is nobody's: it is elsewhere.
    let conf = "
        [[registry]]
        prefix = 'registry.example/team'
        location = 'ORIGIN/moved/here'
        [[registry.mirror]]
        location = 'MIRROR'
    ";
    let client = pair.client(conf);
    let repository: RepositoryName = "registry.example/team/app".parse().unwrap();
    let wanted = Publication { repository, ..publication(&pair, &sample) };
    client.publish(&wanted).await.unwrap();
    assert_eq!(pair.mirror.requests(), []);
    assert_eq!(pair.origin.tag("moved/here/app", "1"), Some(sample.manifest.digest()));
    assert_eq!(pair.origin.open_sessions(), 0);
}

/// Tokens are asked for by the names that the host knows, and a mount's `from` is one of them.
#[tokio::test]
async fn scopes_and_mounts_are_of_the_location_s_names() {
    let pair = Pair::new();
    let door = TokenDoor { user: "bob".into(), password: "SECRET".into(), ..TokenDoor::default() };
    pair.origin.behave(Behaviour { door: TestDoor::Token(door), ..Behaviour::default() });
    let blob = pair.origin.insert_blob("moved/base", GZIP, b"layer");
    let conf = "[[registry]]\nprefix = 'registry.example/team'\nlocation = 'ORIGIN/moved'";
    let known = [(pair.origin.name(), password("bob", "SECRET"))];
    let client = pair.client_with(conf, &known);
    let name = |text: &str| text.parse::<RepositoryName>().unwrap();
    let (base, app) = (name("registry.example/team/base"), name("registry.example/team/app"));
    let outcome = client.push_blob(&app, &blob, &BlobBody::Remote(base.clone()), &[]).await;
    assert_eq!(outcome.unwrap(), BlobOutcome::Mounted { from: base });
    let requests = pair.origin.requests();
    let tokens: Vec<_> = requests.iter().filter(|request| request.path == "/token").collect();
    let last = &tokens.last().unwrap().query;
    let both =
        "scope=repository%3Amoved%2Fapp%3Apull%2Cpush&scope=repository%3Amoved%2Fbase%3Apull";
    assert!(last.contains(both), "{last}");
}

#[tokio::test]
async fn each_host_gets_its_own_credential_and_no_other_s() {
    let basic = |user: &str, password: &str| Behaviour {
        door: TestDoor::Basic { user: user.into(), password: password.into() },
        ..Behaviour::default()
    };
    let pair = Pair::new();
    let sample = Sample::new(1, 1);
    pair.insert(&sample);
    pair.origin.behave(basic("ann", "SECRET-ORIGIN"));
    pair.mirror.behave(basic("bob", "SECRET-MIRROR"));
    let origin = (pair.origin.name(), password("ann", "SECRET-ORIGIN"));
    let mirror = (pair.mirror.name(), password("bob", "SECRET-MIRROR"));
    // Whoever has no credential for the mirror shows it none.
    let client = pair.client_with(MIRRORED, std::slice::from_ref(&origin));
    pull(&client, &pair, &sample).await.unwrap();
    let shown: Vec<_> = pair.mirror.take_requests().iter().map(|asked| asked.presented).collect();
    assert_eq!(shown, [Presented::Nothing]);
    assert!(!pair.origin.take_requests().is_empty());
    let client = pair.client_with(MIRRORED, &[origin, mirror]);
    pull(&client, &pair, &sample).await.unwrap();
    assert_eq!(pair.origin.requests(), [], "the mirror let us in with its own credential");
}

#[tokio::test]
async fn a_mirror_of_containerd_s_files_is_told_which_registry_is_meant() {
    let pair = Pair::new();
    let sample = Sample::new(1, 1);
    sample.insert(&pair.mirror, "app", Some("1"));
    let root = pair.directory.path().join("certs.d");
    std::fs::create_dir_all(root.join("_default")).unwrap();
    let toml = pair.here("[host.'http://MIRROR']\ncapabilities = ['pull', 'resolve', 'push']");
    std::fs::write(root.join("_default/hosts.toml"), toml).unwrap();
    let files = HostFiles { hosts_toml: vec![root], ..HostFiles::default() };
    let hosts = Hosts::read(files).unwrap();
    let client = Client::new(crate::Settings { hosts, ..settings() }).unwrap();
    pull(&client, &pair, &sample).await.unwrap();
    let asked = pair.mirror.take_requests();
    let namespace = format!("ns={}", pair.origin.name().replace(':', "%3A"));
    assert!(asked.iter().all(|request| request.query == namespace), "{asked:?}");
    assert_eq!(pair.origin.requests(), []);
    // Who may be pushed to is still the registry itself.
    client.publish(&publication(&pair, &Sample::new(2, 1))).await.unwrap();
    assert_eq!(pair.mirror.requests(), []);
}

/// A copy that has sent wrong bytes already begins again, in another session.
#[tokio::test]
async fn a_copy_from_a_damaged_mirror_ends_right() {
    let pair = Pair::new();
    let sample = Sample::new(1, 2);
    pair.insert(&sample);
    pair.mirror.fault(Fault::always("GET", "/blobs/", Effect::Corrupt));
    let target = registry();
    let body = |digest: &oci::Digest| {
        let source = BlobBody::Remote(pair.repository());
        (*digest, crate::BlobSource::from(source))
    };
    let wanted = Publication {
        repository: target.repository("copy"),
        blobs: sample.blobs.keys().map(body).collect(),
        ..publication(&pair, &sample)
    };
    pair.client(MIRRORED).publish(&wanted).await.unwrap();
    assert_eq!(target.tag("copy", "1"), Some(sample.manifest.digest()));
    for (digest, bytes) in &sample.blobs {
        assert_eq!(target.blob("copy", *digest).as_ref(), Some(bytes));
    }
    assert_eq!(target.open_sessions(), 0);
}

/// The registry's stand-in is the proxy here, and answers for all hosts that do not exist.
#[tokio::test]
async fn mirrors_and_token_services_are_reached_as_proxies_say() {
    let pair = Pair::new();
    let proxy = registry();
    let realm = Some("http://tokens.example/token".to_owned());
    let (user, password_text) = ("bob".to_owned(), "SECRET".to_owned());
    let door = TokenDoor { user, password: password_text, realm, ..TokenDoor::default() };
    proxy.behave(Behaviour { door: TestDoor::Token(door), ..Behaviour::default() });
    let sample = Sample::new(1, 1);
    sample.insert(&proxy, "app", Some("1"));
    let conf = MIRRORED.replace("ORIGIN", "registry.example").replace("MIRROR", "mirror.example");
    let named_registries_conf = Some(pair.conf(&conf));
    let hosts = Hosts::read(HostFiles { named_registries_conf, ..HostFiles::default() }).unwrap();
    let plain = ["registry.example", "mirror.example", "tokens.example"];
    let settings = |none_for: &str| crate::Settings {
        hosts: hosts.clone(),
        schemes: plain.map(|host| (host.to_owned(), crate::Scheme::Http)).into(),
        credentials: Credentials::Fixed(
            [("registry.example".to_owned(), password("bob", "SECRET"))].into(),
        ),
        proxies: crate::Proxies {
            http: Some(crate::Secret::new(format!("http://{}", proxy.name()))),
            https: None,
            none_for: none_for.to_owned(),
        },
        ..settings()
    };
    let repository: RepositoryName = "registry.example/app".parse().unwrap();
    let fetch = async |none_for: &str| {
        let client = Client::new(settings(none_for)).unwrap();
        client.manifest(&repository, one()).await
    };
    assert_eq!(fetch("").await.unwrap(), sample.manifest);
    insta::assert_snapshot!(log(&proxy), @"
    GET /v2/hub/app/manifests/1 401
    GET /token 200
    GET /v2/hub/app/manifests/1 404
    GET /v2/app/manifests/1 401
    GET /token 200
    GET /v2/app/manifests/1 200
    ");
    for none_for in ["registry.example", ".example", "*"] {
        assert!(fetch(none_for).await.is_err(), "{none_for}");
    }
    // Networks, too: this machine is one.
    let direct = registry();
    sample.insert(&direct, "app", Some("1"));
    let client = Client::new(settings("127.0.0.0/8")).unwrap();
    client.manifest(&direct.repository("app"), one()).await.unwrap();
    let client = Client::new(settings("10.0.0.0/8")).unwrap();
    client.manifest(&direct.repository("app"), one()).await.unwrap();
    assert_eq!(direct.requests().len(), 1, "the second one went to the proxy, which has it, too");
}
