//! Token services and front doors as they are found, and credentials that do not last.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::tests::stand_in::{Heard, Said, StandIn, basic_door};
use crate::tests::support::{password, settings};
use crate::{Client, Credential, CredentialStore, Credentials, Error, Secret, Settings};
use serde_json::json;

fn client_with(registry: &StandIn, credential: Credential) -> Client {
    let credentials = Credentials::Fixed([(registry.address(), credential)].into());
    Client::new(Settings { credentials, ..settings() }).unwrap()
}

async fn fetch(client: &Client, registry: &StandIn, path: &str) -> Result<(), Error> {
    let repository = format!("{}/{path}", registry.address()).parse().unwrap();
    let tag: oci::Tag = "1".parse().unwrap();
    client.manifest(&repository, tag).await.map(drop)
}

/// A 401 that sends one to the token service beside the registry.
fn challenge(heard: &Heard, rest: &str) -> Said {
    let realm =
        format!("Bearer realm=\"http://{}/token\",service=\"s\"{rest}", heard.header("host"));
    Said::text("").status(401).header("www-authenticate", realm)
}

/// Any manifest.
fn manifest() -> Said {
    let index = oci::ImageIndex::new(Vec::new(), Default::default());
    let media_type = index.media_type().to_string();
    let text = String::from_utf8(index.bytes().to_vec()).unwrap();
    Said::text(text).header("content-type", media_type)
}

#[tokio::test]
async fn an_identity_token_that_is_replaced_is_not_used_again() {
    let count = AtomicU32::new(0);
    let registry = StandIn::start(move |heard| {
        let shown = heard.header("authorization");
        if heard.path == "/token" {
            let before = count.fetch_add(1, Ordering::SeqCst);
            if heard.field("refresh_token") != format!("SECRET-REFRESH-{before}") {
                return Said::json(json!({ "error": "invalid_grant" })).status(400);
            }
            let after = before + 1;
            return Said::json(json!({
                "access_token": format!("SECRET-ACCESS{}", heard.field("scope")),
                "refresh_token": format!("SECRET-REFRESH-{after}"),
            }));
        }
        let name = heard.path.split('/').nth(2).unwrap();
        match shown == format!("Bearer SECRET-ACCESSrepository:{name}:pull") {
            true => manifest(),
            false => challenge(heard, ""),
        }
    });
    let identity = Credential::IdentityToken(Secret::new("SECRET-REFRESH-0"));
    let client = client_with(&registry, identity);
    for path in ["a", "b", "a", "c"] {
        fetch(&client, &registry, path).await.unwrap();
    }
    insta::assert_snapshot!(registry.take_log(), @"
    GET /v2/a/manifests/1 401
    POST /token refresh_token 200
    GET /v2/a/manifests/1 200
    POST /token refresh_token 200
    GET /v2/b/manifests/1 200
    GET /v2/a/manifests/1 200
    POST /token refresh_token 200
    GET /v2/c/manifests/1 200
    ");
}

#[tokio::test]
async fn a_service_that_knows_only_oauth2_is_asked_so() {
    for status in [404, 405] {
        let registry = StandIn::start(move |heard| match (heard.method.as_str(), &*heard.path) {
            ("GET", "/token") => Said::text("").status(status),
            (_, "/token") => {
                let shown = (heard.field("username"), heard.field("password"));
                assert_eq!(shown, ("bob".to_owned(), "SECRET-PASSWORD".to_owned()));
                assert_eq!(heard.field("scope"), "repository:a:pull");
                Said::json(json!({ "access_token": "SECRET-ACCESS" }))
            }
            _ if heard.header("authorization") == "Bearer SECRET-ACCESS" => manifest(),
            _ => challenge(heard, ""),
        });
        let client = client_with(&registry, password("bob", "SECRET-PASSWORD"));
        fetch(&client, &registry, "a").await.unwrap();
        let log = registry.take_log().replace(&status.to_string(), "STATUS");
        insta::allow_duplicates! { insta::assert_snapshot!(log, @"
        GET /v2/a/manifests/1 401
        GET /token STATUS
        POST /token password 200
        GET /v2/a/manifests/1 200
        ") };
    }
}

/// Both are offered, and only one is taken.
#[tokio::test]
async fn the_other_challenge_is_met_where_one_cannot_be() {
    let both = |heard: &Heard, said: Said| {
        let realm = format!("Bearer realm=\"http://{}/token\"", heard.header("host"));
        said.header("www-authenticate", realm)
    };
    let takes_basic = StandIn::start(move |heard| match heard.path.as_str() {
        "/token" => Said::text("").status(401),
        _ => both(heard, basic_door(heard, "bob", "SECRET-PASSWORD")),
    });
    let client = client_with(&takes_basic, password("bob", "SECRET-PASSWORD"));
    client.ping(&takes_basic.address()).await.unwrap();
    client.ping(&takes_basic.address()).await.unwrap();
    insta::assert_snapshot!(takes_basic.take_log(), @"
    GET /v2/ 401
    GET /token 401
    GET /v2/ 200
    GET /v2/ 200
    ");
    let takes_bearer = StandIn::start(move |heard| match heard.path.as_str() {
        "/token" => Said::json(json!({ "token": "SECRET-TOKEN" })),
        _ if heard.header("authorization") == "Bearer SECRET-TOKEN" => Said::json(json!({})),
        _ => both(heard, basic_door(heard, "bob", "SECRET-NEVER")),
    });
    let client = client_with(&takes_bearer, password("bob", "SECRET-PASSWORD"));
    client.ping(&takes_bearer.address()).await.unwrap();
    insta::assert_snapshot!(takes_bearer.take_log(), @"
    GET /v2/ 401
    GET /token 200
    GET /v2/ 200
    ");
    let takes_none = StandIn::start(move |heard| match heard.path.as_str() {
        "/token" => Said::text("").status(401),
        _ => both(heard, basic_door(heard, "bob", "SECRET-NEVER")),
    });
    let client = client_with(&takes_none, password("bob", "SECRET-PASSWORD"));
    let error = client.ping(&takes_none.address()).await.unwrap_err();
    assert!(matches!(error, Error::Unauthorized { .. }), "{error}");
    insta::assert_snapshot!(takes_none.take_log(), @"
    GET /v2/ 401
    GET /token 401
    GET /v2/ 401
    GET /token 401
    ");
}

/// The first answer speaks of Basic alone, that to Basic of a token service.
#[tokio::test]
async fn a_password_that_is_sent_to_the_token_service_goes_there() {
    let registry =
        StandIn::start(|heard| match (heard.path.as_str(), heard.header("authorization")) {
            ("/token", _) => match basic_door(heard, "bob", "SECRET-PASSWORD") {
                door if door.is_success() => Said::json(json!({ "token": "SECRET-TOKEN" })),
                door => door,
            },
            (_, "Bearer SECRET-TOKEN") => manifest(),
            (_, "") => basic_door(heard, "bob", "SECRET-NEVER"),
            _ => challenge(heard, ""),
        });
    let client = client_with(&registry, password("bob", "SECRET-PASSWORD"));
    fetch(&client, &registry, "a").await.unwrap();
    fetch(&client, &registry, "a").await.unwrap();
    insta::assert_snapshot!(registry.take_log(), @"
    GET /v2/a/manifests/1 401
    GET /v2/a/manifests/1 401
    GET /token 200
    GET /v2/a/manifests/1 200
    GET /v2/a/manifests/1 200
    ");
}

/// A registry that says no with 403, and grants what `scope` a token has.
fn denying(rest: &'static str, granting: &'static str) -> StandIn {
    StandIn::start(move |heard| match heard.path.as_str() {
        "/token" => {
            let scopes = url::form_urlencoded::parse(heard.query.as_bytes());
            let scopes = scopes.filter(|(name, _)| name == "scope").map(|(_, scope)| scope);
            let scopes: Vec<_> = scopes.collect();
            Said::json(json!({ "token": format!("SECRET {}", scopes.join(" ")) }))
        }
        _ if heard.header("authorization").is_empty() => challenge(heard, ""),
        _ if heard.header("authorization").ends_with(granting) => manifest(),
        _ => challenge(heard, rest).status(403),
    })
}

#[tokio::test]
async fn a_403_for_want_of_scope_is_answered_once_and_others_never() {
    let wants_more = r#",error="insufficient_scope",scope="repository:b:pull""#;
    let check = async |rest, granting| {
        let registry = denying(rest, granting);
        let client = client_with(&registry, password("bob", "SECRET-PASSWORD"));
        let said = match fetch(&client, &registry, "a").await {
            Ok(()) => "fetched".to_owned(),
            Err(error) => error.to_string().replace(&registry.address(), "HOST"),
        };
        format!("{}\n{said}", registry.take_log())
    };
    insta::assert_snapshot!(check(wants_more, "repository:b:pull").await, @"
    GET /v2/a/manifests/1 401
    GET /token 200
    GET /v2/a/manifests/1 403
    GET /token 200
    GET /v2/a/manifests/1 200
    fetched
    ");
    insta::assert_snapshot!(check(wants_more, "no scope at all").await, @"
    GET /v2/a/manifests/1 401
    GET /token 200
    GET /v2/a/manifests/1 403
    GET /token 200
    GET /v2/a/manifests/1 403
    GET http://HOST/v2/a/manifests/1: user `bob` may not do this
    ");
    insta::assert_snapshot!(check("", "no scope at all").await, @"
    GET /v2/a/manifests/1 401
    GET /token 200
    GET /v2/a/manifests/1 403
    GET http://HOST/v2/a/manifests/1: user `bob` may not do this
    ");
}

/// A store whose helper gives `SECRET-1`, `SECRET-2` and so on, up to `last`.
fn with_helper(registry: &StandIn, last: u32) -> (Client, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let count = folder.path().join("count");
    fs::write(&count, "0").unwrap();
    let script = format!(
        "#!/bin/sh\nn=$(cat {0}); [ $n -lt {last} ] && n=$((n+1)); echo $n > {0}\n\
         echo asked >> {0}.log\necho \"{{\\\"Username\\\":\\\"bob\\\",\\\"Secret\\\":\\\"SECRET-$n\\\"}}\"\n",
        count.display()
    );
    let path = folder.path().join("docker-credential-test");
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    let store = CredentialStore::from_files(vec![]).unwrap();
    let config = format!(r#"{{"credHelpers":{{"{}":"test"}}}}"#, registry.address());
    let store = store.with_content(config.as_bytes(), "test").unwrap();
    let store = store.with_helper_folders(vec![folder.path().to_owned()]);
    let credentials = Credentials::Store(Arc::new(store));
    (Client::new(Settings { credentials, ..settings() }).unwrap(), folder)
}

fn times_asked(folder: &tempfile::TempDir) -> usize {
    fs::read_to_string(folder.path().join("count.log")).unwrap().lines().count()
}

#[tokio::test]
async fn a_helper_is_asked_again_when_what_it_gave_is_refused() {
    let turn = Arc::new(AtomicU32::new(1));
    let now = turn.clone();
    let registry = StandIn::start(move |heard| {
        basic_door(heard, "bob", &format!("SECRET-{}", now.load(Ordering::SeqCst)))
    });
    let (client, folder) = with_helper(&registry, 2);
    let ping = async || client.ping(&registry.address()).await;
    ping().await.unwrap();
    turn.store(2, Ordering::SeqCst);
    ping().await.unwrap();
    assert_eq!(times_asked(&folder), 2);
    turn.store(3, Ordering::SeqCst);
    for _ in 0..5 {
        ping().await.unwrap_err();
    }
    assert_eq!(times_asked(&folder), 3, "it has no other, and is not asked for one each time");
}

#[tokio::test]
async fn a_helper_is_asked_again_when_the_token_service_refuses() {
    let registry = StandIn::start(move |heard| match heard.path.as_str() {
        "/token" => {
            let door = basic_door(heard, "bob", "SECRET-2");
            if door.is_success() { Said::json(json!({ "token": "SECRET-TOKEN" })) } else { door }
        }
        _ if heard.header("authorization") == "Bearer SECRET-TOKEN" => manifest(),
        _ => challenge(heard, ""),
    });
    let (client, folder) = with_helper(&registry, 2);
    fetch(&client, &registry, "a").await.unwrap();
    assert_eq!(times_asked(&folder), 2);
    insta::assert_snapshot!(registry.take_log(), @"
    GET /v2/a/manifests/1 401
    GET /token 401
    GET /token 200
    GET /v2/a/manifests/1 200
    ");
}

/// However many wait for it: the time limit is for all of them together.
#[tokio::test]
async fn a_helper_that_hangs_is_waited_for_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("docker-credential-test");
    fs::write(&path, "#!/bin/sh\nexec sleep 60\n").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    let registry = StandIn::start(|heard| basic_door(heard, "bob", "SECRET"));
    let store = CredentialStore::from_files(vec![]).unwrap();
    let store = store.with_content(br#"{"credsStore":"test"}"#, "test").unwrap();
    let store = store.with_helper_folders(vec![folder.path().to_owned()]);
    let store = store.with_helper_limit(Duration::from_millis(400));
    let credentials = Credentials::Store(Arc::new(store));
    let client = Client::new(Settings { credentials, ..settings() }).unwrap();
    let begun = Instant::now();
    let all = (0..20).map(|at| {
        let (client, registry) = (client.clone(), &registry);
        async move { fetch(&client, registry, &format!("p{at}")).await.unwrap_err().to_string() }
    });
    for error in futures_util::future::join_all(all).await {
        let expected = "run `docker-credential-test`: it did not answer within 0.4 s";
        assert_eq!(error, expected);
    }
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
}
