//! Google's registries: keys, users, federated identities, impersonation and the metadata server.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::tests::cloud::signature::{Parts, verify_parts};
use crate::tests::cloud::{NOW, Scene};
use crate::tests::stand_in::{Heard, Said, StandIn, basic_door};

const REGISTRY: &str = "europe-west1-docker.pkg.dev";
const PLATFORM: &str = "https://www.googleapis.com/auth/cloud-platform";
const AUDIENCE: &str = "//iam.googleapis.com/projects/1/locations/global/pools/p/providers/q";

/// A key of the tests' own, made once a run.
fn key() -> &'static KeyPair {
    static KEY: OnceLock<KeyPair> = OnceLock::new();
    KEY.get_or_init(|| KeyPair::generate(KeySize::Rsa2048).unwrap())
}

fn google(heard: &Heard) -> Said {
    let granted = |token: &str| Said::json(json!({ "access_token": token, "expires_in": 3599 }));
    match (heard.method.as_str(), heard.path.as_str()) {
        ("POST", "/token") => match heard.field("grant_type").as_str() {
            "urn:ietf:params:oauth:grant-type:jwt-bearer" if signed_for(heard) => {
                granted("SECRET-GOOGLE")
            }
            "refresh_token" if is_user(heard) => granted("SECRET-GOOGLE"),
            "urn:ietf:params:oauth:grant-type:token-exchange" if is_federated(heard) => {
                granted("SECRET-FEDERATED")
            }
            _ => Said::json(json!({
                "error": "invalid_grant",
                "error_description": "Bad Request: SECRET-STALE",
            }))
            .status(400),
        },
        ("POST", "/impersonate") => {
            let body: Value = serde_json::from_str(&heard.body).unwrap();
            assert_eq!(body["scope"], json!([PLATFORM]));
            let by = heard.header("authorization");
            assert!(by == "Bearer SECRET-FEDERATED" || by == "Bearer SECRET-GOOGLE", "{by}");
            Said::json(json!({
                "accessToken": "SECRET-GOOGLE",
                "expireTime": "2015-08-30T13:36:00Z",
            }))
        }
        ("GET", "/computeMetadata/v1/instance/service-accounts/default/token") => {
            match heard.header("metadata-flavor") {
                "Google" => granted("SECRET-GOOGLE"),
                _ => Said::text("").status(403),
            }
        }
        ("GET", "/subject") if heard.header("x-proof") == "SECRET-PROOF" => {
            Said::json(json!({ "value": "SECRET-SUBJECT" }))
        }
        ("GET", "/v2/") => basic_door(heard, "oauth2accesstoken", "SECRET-GOOGLE"),
        _ => Said::unknown(),
    }
}

/// Whether the assertion is the account's, for this service and this hour.
fn signed_for(heard: &Heard) -> bool {
    let assertion = heard.field("assertion");
    let (statement, signature) = assertion.rsplit_once('.').unwrap();
    let (header, claims) = statement.split_once('.').unwrap();
    let decoded = |part: &str| URL_SAFE_NO_PAD.decode(part).unwrap();
    let json_of = |part: &str| serde_json::from_slice::<Value>(&decoded(part)).unwrap();
    assert_eq!(json_of(header), json!({ "alg": "RS256", "typ": "JWT", "kid": "k1" }));
    let service = format!("http://{}/token", heard.header("host"));
    let expected = json!({
        "iss": "robot@project.example",
        "scope": PLATFORM,
        "aud": service,
        "iat": NOW,
        "exp": NOW + 3600,
    });
    assert_eq!(json_of(claims), expected);
    let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key().public_key());
    public.verify(statement.as_bytes(), &decoded(signature)).is_ok()
}

fn is_user(heard: &Heard) -> bool {
    let shown = (heard.field("client_id"), heard.field("client_secret"));
    shown == ("gcloud".to_owned(), "SECRET-CLIENT".to_owned())
        && heard.field("refresh_token") == "SECRET-REFRESH"
}

fn is_federated(heard: &Heard) -> bool {
    assert_eq!(heard.field("audience"), AUDIENCE);
    assert_eq!(heard.field("scope"), PLATFORM);
    let subject = heard.field("subject_token");
    match heard.field("subject_token_type").as_str() {
        "urn:ietf:params:aws:token-type:aws4_request" => is_aws(&subject),
        _ => subject == "SECRET-SUBJECT",
    }
}

/// A request to STS that Google may send, signed by the right key.
fn is_aws(subject: &str) -> bool {
    let text = format!("x={}", subject.replace('+', "%2B"));
    let (_, text) = url::form_urlencoded::parse(text.as_bytes()).next().unwrap();
    let request: Value = serde_json::from_str(&text).unwrap();
    let url = request["url"].as_str().unwrap();
    let identity =
        "https://sts.eu-west-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15";
    assert_eq!(url, identity);
    let entry = |header: &Value| {
        let text = |name: &str| header[name].as_str().unwrap().to_lowercase();
        (text("key"), header["value"].as_str().unwrap().to_owned())
    };
    let headers: BTreeMap<String, String> =
        request["headers"].as_array().unwrap().iter().map(entry).collect();
    assert_eq!(headers["x-goog-cloud-target-resource"], AUDIENCE);
    let parts = Parts {
        method: request["method"].as_str().unwrap(),
        path: "/",
        query: url.split_once('?').unwrap().1,
        header: &|name| headers.get(name).cloned().unwrap_or_default(),
        body: b"",
    };
    verify_parts(&parts, |_| "SECRET-FIXED").is_some_and(|signed| signed.service == "sts")
}

fn scene() -> Scene {
    Scene::new(StandIn::start(google))
}

/// A scene whose variable names this file.
fn with_key_file(content: &Value) -> Scene {
    scene()
        .with("GOOGLE_APPLICATION_CREDENTIALS", "FOLDER/key.json")
        .with_file("key.json", &content.to_string())
}

fn service_account() -> Value {
    let der = STANDARD.encode(key().as_der().unwrap().as_ref());
    json!({
        "type": "service_account",
        "project_id": "project",
        "private_key_id": "k1",
        "private_key": format!("-----BEGIN PRIVATE KEY-----\n{der}\n-----END PRIVATE KEY-----\n"),
        "client_email": "robot@project.example",
        "token_uri": "CLOUD/token",
    })
}

fn user() -> Value {
    json!({
        "type": "authorized_user",
        "client_id": "gcloud",
        "client_secret": "SECRET-CLIENT",
        "refresh_token": "SECRET-REFRESH",
        "token_uri": "CLOUD/token",
    })
}

fn external(kind: &str, source: &Value) -> Value {
    json!({
        "type": "external_account",
        "audience": AUDIENCE,
        "subject_token_type": kind,
        "token_url": "CLOUD/token",
        "service_account_impersonation_url": "CLOUD/impersonate",
        "credential_source": source,
    })
}

const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

#[tokio::test]
async fn a_service_account_s_key() {
    insta::assert_snapshot!(with_key_file(&service_account()).ping(REGISTRY).await, @"
    GET /v2/ 401
    POST /token jwt-bearer 200
    GET /v2/ 200
    ");
    let mut broken = service_account();
    broken["private_key"] =
        json!("-----BEGIN PRIVATE KEY-----\nSECRET-/\n-----END PRIVATE KEY-----");
    insta::assert_snapshot!(with_key_file(&broken).ping(REGISTRY).await, @"
    log in to `europe-west1-docker.pkg.dev` by FOLDER/key.json: read FOLDER/key.json: its `private_key` is not an RSA key
    hint: check GOOGLE_APPLICATION_CREDENTIALS, or run `gcloud auth application-default login`, or log in with `plywood login europe-west1-docker.pkg.dev`
    ");
}

#[tokio::test]
async fn a_user_s_login_where_gcloud_keeps_it() {
    let file = "application_default_credentials.json";
    let usual = scene().with_file(&format!(".config/gcloud/{file}"), &user().to_string());
    insta::assert_snapshot!(usual.ping("gcr.io").await, @"
    GET /v2/ 401
    POST /token refresh_token 200
    GET /v2/ 200
    ");
    let named = scene()
        .with("CLOUDSDK_CONFIG", "FOLDER/sdk")
        .with_file(&format!("sdk/{file}"), &user().to_string());
    insta::assert_snapshot!(named.ping("eu.gcr.io").await, @"
    GET /v2/ 401
    POST /token refresh_token 200
    GET /v2/ 200
    ");
}

#[tokio::test]
async fn a_federated_identity() {
    let file = json!({ "file": "FOLDER/subject" });
    let by_file = with_key_file(&external(JWT, &file)).with_file("subject", "SECRET-SUBJECT\n");
    insta::assert_snapshot!(by_file.ping(REGISTRY).await, @"
    GET /v2/ 401
    POST /token token-exchange 200
    POST /impersonate 200
    GET /v2/ 200
    ");
    let url = json!({
        "url": "CLOUD/subject",
        "headers": { "X-Proof": "SECRET-PROOF" },
        "format": { "type": "json", "subject_token_field_name": "value" },
    });
    insta::assert_snapshot!(with_key_file(&external(JWT, &url)).ping(REGISTRY).await, @"
    GET /v2/ 401
    GET /subject 200
    POST /token token-exchange 200
    POST /impersonate 200
    GET /v2/ 200
    ");
    let aws = json!({ "environment_id": "aws1" });
    let by_aws = with_key_file(&external("urn:ietf:params:aws:token-type:aws4_request", &aws))
        .with("AWS_REGION", "eu-west-1")
        .with("AWS_ACCESS_KEY_ID", "AKIDFIXED")
        .with("AWS_SECRET_ACCESS_KEY", "SECRET-FIXED");
    insta::assert_snapshot!(by_aws.ping(REGISTRY).await, @"
    GET /v2/ 401
    POST /token token-exchange 200
    POST /impersonate 200
    GET /v2/ 200
    ");
    let program = json!({ "executable": { "command": "/bin/true" } });
    insta::assert_snapshot!(with_key_file(&external(JWT, &program)).ping(REGISTRY).await, @"
    log in to `europe-west1-docker.pkg.dev` by FOLDER/key.json: a token by an executable is not built in
    hint: check GOOGLE_APPLICATION_CREDENTIALS, or run `gcloud auth application-default login`, or log in with `plywood login europe-west1-docker.pkg.dev`
    ");
}

#[tokio::test]
async fn an_impersonated_account() {
    let impersonated = json!({
        "type": "impersonated_service_account",
        "service_account_impersonation_url": "CLOUD/impersonate",
        "source_credentials": user(),
    });
    insta::assert_snapshot!(with_key_file(&impersonated).ping(REGISTRY).await, @"
    GET /v2/ 401
    POST /token refresh_token 200
    POST /impersonate 200
    GET /v2/ 200
    ");
}

#[tokio::test]
async fn the_metadata_server() {
    let named = scene().with("GCE_METADATA_HOST", "HOST");
    insta::assert_snapshot!(named.ping(REGISTRY).await, @"
    GET /v2/ 401
    GET /computeMetadata/v1/instance/service-accounts/default/token 200
    GET /v2/ 200
    ");
    let gone = scene().with("GCE_METADATA_HOST", "127.0.0.1:1");
    insta::assert_snapshot!(gone.ping(REGISTRY).await, @"
    log in to `europe-west1-docker.pkg.dev` by Google's metadata server: GET http://127.0.0.1:1/computeMetadata/v1/instance/service-accounts/default/token: Connection refused (os error 111)
    hint: check GCE_METADATA_HOST, or set NO_GCE_CHECK=true, or log in with `plywood login europe-west1-docker.pkg.dev`
    ");
    let elsewhere = scene().with("GCE_METADATA_HOST", "cloud.example");
    insta::assert_snapshot!(elsewhere.ping(REGISTRY).await, @"
    log in to `europe-west1-docker.pkg.dev` by Google's metadata server: http://cloud.example/computeMetadata/v1/instance/service-accounts/default/token is plain http, over which no secret goes
    hint: check GCE_METADATA_HOST, or set NO_GCE_CHECK=true, or log in with `plywood login europe-west1-docker.pkg.dev`
    ");
}

/// It is right there, or it is not there.
#[tokio::test]
async fn a_metadata_server_that_is_silent_is_not_waited_for_long() {
    // What nobody accepts is connected all the same.
    let silent = std::net::TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let scene = scene().with("GCE_METADATA_HOST", &address);
    let begun = std::time::Instant::now();
    let said = scene.ping(REGISTRY).await.replace(&address, "SILENT");
    insta::assert_snapshot!(said, @"
    log in to `europe-west1-docker.pkg.dev` by Google's metadata server: GET http://SILENT/computeMetadata/v1/instance/service-accounts/default/token: no answer for 2 s
    hint: check GCE_METADATA_HOST, or set NO_GCE_CHECK=true, or log in with `plywood login europe-west1-docker.pkg.dev`
    ");
    assert!(begun.elapsed().as_secs() < 4);
}

/// Not in the cloud, nothing is asked, and nobody waits.
#[tokio::test]
async fn nothing_configured_is_nobody() {
    let begun = std::time::Instant::now();
    insta::assert_snapshot!(scene().ping("gcr.io").await, @"
    GET http://gcr.io/v2/: an anonymous user is not let in
    hint: log in with `plywood login gcr.io`
    ");
    assert!(begun.elapsed().as_millis() < 500);
}

#[tokio::test]
async fn what_fails_names_its_file() {
    let mut stale = user();
    stale["refresh_token"] = json!("SECRET-STALE");
    insta::assert_snapshot!(with_key_file(&stale).ping(REGISTRY).await, @"
    log in to `europe-west1-docker.pkg.dev` by FOLDER/key.json: http://HOST/token answered 400: invalid_grant (Bad Request: …)
    hint: check GOOGLE_APPLICATION_CREDENTIALS, or run `gcloud auth application-default login`, or log in with `plywood login europe-west1-docker.pkg.dev`
    ");
    let other = json!({ "type": "gdch_service_account", "private_key": "SECRET-KEY" });
    insta::assert_snapshot!(with_key_file(&other).ping(REGISTRY).await, @"
    log in to `europe-west1-docker.pkg.dev` by FOLDER/key.json: read FOLDER/key.json: it is not a credential of Google's
    hint: check GOOGLE_APPLICATION_CREDENTIALS, or run `gcloud auth application-default login`, or log in with `plywood login europe-west1-docker.pkg.dev`
    ");
    let gone = scene().with("GOOGLE_APPLICATION_CREDENTIALS", "FOLDER/gone.json");
    insta::assert_snapshot!(gone.ping(REGISTRY).await, @"
    log in to `europe-west1-docker.pkg.dev` by FOLDER/gone.json: read FOLDER/gone.json: No such file or directory (os error 2)
    hint: check GOOGLE_APPLICATION_CREDENTIALS, or run `gcloud auth application-default login`, or log in with `plywood login europe-west1-docker.pkg.dev`
    ");
}

#[tokio::test]
async fn look_alikes_see_nothing() {
    for registry in ["gcr.io.example", "evilgcr.io", "europe-west1-docker.pkg.dev.example"] {
        let scene = with_key_file(&service_account());
        let said = scene.ping(registry).await;
        assert!(said.contains("an anonymous user is not let in"), "{said}");
        assert_eq!(scene.cloud.take_log(), "GET /v2/ 401");
    }
}
