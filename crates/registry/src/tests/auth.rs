//! Who is let in, by what, and where it never goes.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::{
    BlobBody, BlobOutcome, Client, Credential, Credentials, Error, Proxies, Publication, Scheme,
    Secret, Settings,
};
use oci::Tag;
use serve::testing::{Behaviour, Downloads, Presented, TestDoor, TestRegistry, TokenDoor};

use crate::tests::support::{
    GZIP, Sample, client, client_with, log, noise, password, registry, settings,
};

fn guarded(door: TestDoor) -> TestRegistry {
    TestRegistry::start(Behaviour { door, ..Behaviour::default() }).unwrap()
}

fn token_door() -> TokenDoor {
    TokenDoor { user: "bob".into(), password: "SECRET-PW".into(), ..TokenDoor::default() }
}

async fn fetch(client: &Client, registry: &TestRegistry) -> Result<oci::Manifest, Error> {
    let tag: Tag = "1".parse().unwrap();
    client.manifest(&registry.repository("app"), tag).await
}

#[tokio::test]
async fn basic_is_learned_once() {
    let registry = guarded(TestDoor::Basic { user: "bob".into(), password: "SECRET-PW".into() });
    Sample::new(1, 1).insert(&registry, "app", Some("1"));
    let client = client_with(&registry, password("bob", "SECRET-PW"));
    fetch(&client, &registry).await.unwrap();
    fetch(&client, &registry).await.unwrap();
    let shown: Vec<_> = registry.requests().iter().map(|request| request.presented).collect();
    assert_eq!(shown, [Presented::Nothing, Presented::Basic, Presented::Basic]);
    client.ping(&registry.name()).await.unwrap();
}

#[tokio::test]
async fn who_is_not_let_in_is_told_what_to_do() {
    let door = || TestDoor::Basic { user: "bob".into(), password: "SECRET-PW".into() };
    let show = async |door: TestDoor, credential: Option<Credential>| {
        let registry = guarded(door);
        let client = match credential {
            Some(credential) => client_with(&registry, credential),
            None => client(),
        };
        let error = fetch(&client, &registry).await.unwrap_err();
        let text = format!("{error}; {}", error.hint().unwrap_or_default());
        text.replace(&registry.name(), "HOST")
    };
    insta::assert_snapshot!(show(door(), None).await, @"GET http://HOST/v2/app/manifests/1: an anonymous user is not let in: UNAUTHORIZED (authentication required); log in with `plywood login HOST`");
    insta::assert_snapshot!(show(door(), Some(password("bob", "SECRET-WRONG"))).await, @"GET http://HOST/v2/app/manifests/1: user `bob` is not let in: UNAUTHORIZED (authentication required); the stored credential is wrong or has expired; log in again with `plywood login HOST`");
    insta::assert_snapshot!(show(TestDoor::Token(token_door()), Some(password("bob", "SECRET-WRONG"))).await, @"GET http://HOST/token: user `bob` is not let in: UNAUTHORIZED (incorrect username or password); the stored credential is wrong or has expired; log in again with `plywood login HOST`");
}

#[tokio::test]
async fn an_anonymous_token_reads_and_does_not_write() {
    let registry = guarded(TestDoor::Token(token_door()));
    Sample::new(1, 1).insert(&registry, "app", Some("1"));
    fetch(&client(), &registry).await.unwrap();
    insta::assert_snapshot!(log(&registry), @r"
    GET /v2/app/manifests/1 401
    GET /token 200
    GET /v2/app/manifests/1 200
    ");
    let bytes = noise(10, 1);
    let blob = oci::Descriptor::of(GZIP, &bytes);
    let body = BlobBody::Bytes(bytes.into());
    let error = client().push_blob(&registry.repository("app"), &blob, &body, &[]).await;
    let error = error.unwrap_err();
    assert!(matches!(error, Error::Unauthorized { .. }), "{error}");
}

#[tokio::test]
async fn both_fields_and_both_flows_of_tokens() {
    for field in ["token", "access_token"] {
        let identity = Some("SECRET-IDENTITY".to_owned());
        let door = TokenDoor { field, identity_token: identity, ..token_door() };
        let registry = guarded(TestDoor::Token(door));
        Sample::new(1, 1).insert(&registry, "app", Some("1"));
        let identity = Credential::IdentityToken(Secret::new("SECRET-IDENTITY"));
        for (credential, method) in [(password("bob", "SECRET-PW"), "GET"), (identity, "POST")] {
            fetch(&client_with(&registry, credential), &registry).await.unwrap();
            let requests = registry.take_requests();
            let asked = requests.iter().find(|request| request.path == "/token").unwrap();
            assert_eq!(asked.method, method);
            if method == "GET" {
                let query = "service=test&scope=repository%3Aapp%3Apull&account=bob";
                assert_eq!(asked.query, query);
            }
        }
    }
}

/// Thirty at once: one 401, one token.
#[tokio::test]
async fn a_token_is_fetched_once_however_many_wait() {
    let door = TokenDoor { delay: Duration::from_millis(50), ..token_door() };
    let registry = guarded(TestDoor::Token(door));
    Sample::new(1, 1).insert(&registry, "app", Some("1"));
    let client = client_with(&registry, password("bob", "SECRET-PW"));
    let all: Vec<_> = (0..30).map(|_| fetch(&client, &registry)).collect();
    for one in futures_util::future::join_all(all).await {
        one.unwrap();
    }
    let requests = registry.requests();
    let count = |status, path: &str| {
        let meant = |request: &&serve::testing::Recorded| {
            request.status == Some(status) && request.path.contains(path)
        };
        requests.iter().filter(meant).count()
    };
    assert_eq!((count(401, ""), count(200, "/token"), count(200, "/manifests/")), (1, 1, 30));
}

#[tokio::test]
async fn a_token_that_runs_out_is_renewed_and_the_request_sent_again() {
    let uses = Some(3);
    let registry = guarded(TestDoor::Token(TokenDoor { uses, ..token_door() }));
    let sample = Sample::new(1, 3);
    let known = BTreeMap::from([(registry.name(), password("bob", "SECRET-PW"))]);
    let credentials = Credentials::Fixed(known);
    // One at a time, so that the tokens run out at known places.
    let client = Client::new(Settings { credentials, requests_per_host: 1, ..settings() }).unwrap();
    let publication = Publication {
        repository: registry.repository("app"),
        tags: vec!["1".parse().unwrap()],
        root: sample.manifest.clone(),
        children: Vec::new(),
        referrers: Vec::new(),
        blobs: sample.sources(),
    };
    client.publish(&publication).await.unwrap();
    assert_eq!(registry.tag("app", "1"), Some(sample.manifest.digest()));
    assert_eq!(registry.open_sessions(), 0);
}

#[tokio::test]
async fn expires_in_is_honoured() {
    let lifetime = Some(Duration::from_secs(1));
    let registry = guarded(TestDoor::Token(TokenDoor { lifetime, ..token_door() }));
    Sample::new(1, 1).insert(&registry, "app", Some("1"));
    let client = client_with(&registry, password("bob", "SECRET-PW"));
    fetch(&client, &registry).await.unwrap();
    tokio::time::sleep(Duration::from_millis(1100)).await;
    fetch(&client, &registry).await.unwrap();
    let requests = registry.requests();
    let refused = requests.iter().filter(|request| request.status == Some(401)).count();
    let tokens = requests.iter().filter(|request| request.path == "/token").count();
    assert_eq!((refused, tokens), (1, 2), "renewed before it is refused");
}

#[tokio::test]
async fn a_mount_has_one_token_for_both_repositories() {
    let registry = guarded(TestDoor::Token(token_door()));
    let blob = registry.insert_blob("base", GZIP, b"layer");
    let client = client_with(&registry, password("bob", "SECRET-PW"));
    let body = BlobBody::Remote(registry.repository("base"));
    let outcome = client.push_blob(&registry.repository("app"), &blob, &body, &[]).await.unwrap();
    assert_eq!(outcome, BlobOutcome::Mounted { from: registry.repository("base") });
    let requests = registry.requests();
    let tokens: Vec<_> = requests.iter().filter(|request| request.path == "/token").collect();
    let last = &tokens.last().unwrap().query;
    let both = "scope=repository%3Aapp%3Apull%2Cpush&scope=repository%3Abase%3Apull";
    assert!(last.contains(both), "{last}");
}

#[tokio::test]
async fn a_credential_stays_with_its_host() {
    let elsewhere = registry();
    let bytes = noise(5000, 2);
    let blob = elsewhere.insert_blob("app", GZIP, &bytes);
    let registry = guarded(TestDoor::Basic { user: "bob".into(), password: "SECRET-PW".into() });
    registry.insert_blob("app", GZIP, &bytes);
    let base = format!("http://{}", elsewhere.name());
    registry.behave(Behaviour {
        door: TestDoor::Basic { user: "bob".into(), password: "SECRET-PW".into() },
        downloads: Downloads::RedirectTo(base),
        ..Behaviour::default()
    });
    let client = client_with(&registry, password("bob", "SECRET-PW"));
    let mut sink = Vec::new();
    client.blob(&registry.repository("app"), &blob, &mut sink).await.unwrap();
    assert!(sink == bytes);
    let shown: Vec<_> = elsewhere.requests().iter().map(|request| request.presented).collect();
    assert_eq!(shown, [Presented::Nothing]);
}

/// Another host may ask who comes; it is not told, whatever the registry's own door is.
#[tokio::test]
async fn a_challenge_from_elsewhere_is_not_answered() {
    for door in [
        TestDoor::Basic { user: "bob".into(), password: "SECRET-PW".into() },
        TestDoor::Token(token_door()),
    ] {
        let elsewhere =
            guarded(TestDoor::Basic { user: "bob".into(), password: "SECRET-PW".into() });
        let thief = guarded(TestDoor::Token(token_door()));
        let registry = guarded(door.clone());
        let blob = registry.insert_blob("app", GZIP, b"layer");
        for other in [&elsewhere, &thief] {
            let downloads = Downloads::RedirectTo(format!("http://{}", other.name()));
            registry.behave(Behaviour { door: door.clone(), downloads, ..Behaviour::default() });
            let client = client_with(&registry, password("bob", "SECRET-PW"));
            let fetched = client.blob(&registry.repository("app"), &blob, &mut Vec::new()).await;
            let error = fetched.unwrap_err();
            assert!(matches!(error, Error::Refused { .. }), "{error}");
            let requests = other.requests();
            let shown: Vec<_> = requests.iter().map(|request| request.presented).collect();
            assert_eq!(shown, [Presented::Nothing], "asked once, shown nothing, no token fetched");
        }
    }
}

#[tokio::test]
async fn redirects_have_an_end() {
    let registry = registry();
    let blob = registry.insert_blob("app", GZIP, b"x");
    let downloads = Downloads::RedirectTo(String::new());
    registry.behave(Behaviour { downloads, ..Behaviour::default() });
    let error = client().blob(&registry.repository("app"), &blob, &mut Vec::new()).await;
    let text = error.unwrap_err().to_string();
    assert!(text.ends_with("and so on without an end"), "{text}");
    assert!(!text.contains("SECRET"), "{text}");
}

#[tokio::test]
async fn a_password_does_not_go_over_plain_http() {
    let realm = Some("http://tokens.example/token?x=1".to_owned());
    let registry = guarded(TestDoor::Token(TokenDoor { realm, ..token_door() }));
    let client = client_with(&registry, password("bob", "SECRET-PW"));
    let error = fetch(&client, &registry).await.unwrap_err();
    let text = format!("{error}; {}", error.hint().unwrap_or_default());
    insta::assert_snapshot!(text, @"log in at http://tokens.example/token: a password does not go over plain http; if it is to be trusted on plain http, pass `--insecure tokens.example`");
}

/// The registry's in-process stand-in is the proxy here, and answers for whatever it is asked for.
#[tokio::test]
async fn a_proxy_that_is_set_is_used_and_an_insecure_host_gets_its_credential() {
    let proxy = guarded(TestDoor::Basic { user: "bob".into(), password: "SECRET-PW".into() });
    let sample = Sample::new(1, 1);
    sample.insert(&proxy, "app", Some("1"));
    let host = "registry.example:81".to_owned();
    let settings = |none_for: &str| Settings {
        credentials: Credentials::Fixed([(host.clone(), password("bob", "SECRET-PW"))].into()),
        schemes: [(host.clone(), Scheme::Http)].into(),
        proxies: Proxies {
            http: Some(Secret::new(format!("http://{}", proxy.name()))),
            https: None,
            none_for: none_for.to_owned(),
        },
        ..settings()
    };
    let repository = format!("{host}/app").parse().unwrap();
    let tag: Tag = "1".parse().unwrap();
    let fetch = async |settings| Client::new(settings)?.manifest(&repository, tag.clone()).await;
    assert_eq!(fetch(settings("")).await.unwrap(), sample.manifest);
    let direct = fetch(settings("registry.example")).await.unwrap_err();
    assert!(matches!(direct, Error::Connection { .. }), "{direct}");
}
