//! Amazon's registries: ECR, STS, the container's endpoint and the instance's metadata.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::tests::cloud::signature::verify;
use crate::tests::cloud::{NOW, Scene};
use crate::tests::stand_in::{Heard, Said, StandIn, basic_door};

const REGISTRY: &str = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";

/// The secret of each key's id, and the session token that belongs to it.
fn known(id: &str) -> (&'static str, &'static str) {
    match id {
        "AKIDFIXED" => ("SECRET-FIXED", ""),
        "ASIASESSION" => ("SECRET-SESSION", "SECRET-SESSION-TOKEN"),
        "ASIAROLE" => ("SECRET-ROLE", "SECRET-ROLE-TOKEN"),
        "ASIAHANDED" => ("SECRET-HANDED", "SECRET-HANDED-TOKEN"),
        _ => ("SECRET-UNKNOWN", ""),
    }
}

/// Who signed, if the signature and the session token are right.
fn signer(heard: &Heard, service: &str) -> Option<String> {
    let signed = verify(heard, |id| known(id).0)?;
    assert_eq!((signed.service.as_str(), signed.region.as_str()), (service, "eu-west-1"));
    assert_eq!(heard.header("x-amz-date"), "20150830T123600Z");
    (heard.header("x-amz-security-token") == known(&signed.key).1).then_some(signed.key)
}

/// All of Amazon that is asked.
struct Amazon {
    /// How long passwords are good.
    lifetime: u64,
    /// How many passwords were given.
    given: AtomicU32,
    /// The password that the registry takes.
    password: Arc<Mutex<String>>,
}

impl Amazon {
    fn start(lifetime: u64) -> (StandIn, Arc<Mutex<String>>) {
        let password = Arc::new(Mutex::new("SECRET-PASSWORD-1".to_owned()));
        let amazon = Amazon { lifetime, given: AtomicU32::new(0), password: password.clone() };
        (StandIn::start(move |heard| amazon.answer(heard)), password)
    }

    fn answer(&self, heard: &Heard) -> Said {
        match (heard.method.as_str(), heard.path.as_str()) {
            ("POST", "/") if !heard.header("x-amz-target").is_empty() => self.ecr(heard),
            ("POST", "/") => sts(heard),
            ("GET", "/federation/credentials") => {
                assert_eq!(heard.query, "role_name=pull&account_id=1");
                match heard.header("x-amz-sso_bearer_token") {
                    "SECRET-BROWSER" => Said::json(json!({ "roleCredentials": {
                        "accessKeyId": "ASIAHANDED",
                        "secretAccessKey": "SECRET-HANDED",
                        "sessionToken": "SECRET-HANDED-TOKEN",
                        "expiration": 1,
                    } })),
                    _ => Said::json(json!({ "message": "Session token not found" })).status(401),
                }
            }
            ("GET", "/task/role") => match heard.header("authorization") {
                "SECRET-CONTAINER" => handed(),
                _ => Said::text("").status(401),
            },
            (_, path) if path.starts_with("/latest/") => instance(heard),
            ("GET", _) => basic_door(heard, "AWS", &self.password.lock().unwrap()),
            _ => Said::unknown(),
        }
    }

    fn ecr(&self, heard: &Heard) -> Said {
        let target = "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken";
        assert_eq!(heard.header("x-amz-target"), target);
        assert_eq!(heard.header("content-type"), "application/x-amz-json-1.1");
        assert_eq!(heard.body, r#"{"registryIds":["123456789012"]}"#);
        if signer(heard, "ecr").is_none() {
            let said = json!({
                "__type": "UnrecognizedClientException",
                "message": "The token SECRET-WRONG in the request is invalid.",
            });
            return Said::json(said).status(400);
        }
        let given = self.given.fetch_add(1, Ordering::SeqCst) + 1;
        let token = STANDARD.encode(format!("AWS:SECRET-PASSWORD-{given}"));
        let data = json!({ "authorizationToken": token, "expiresAt": NOW + self.lifetime });
        Said::json(json!({ "authorizationData": [data] }))
    }
}

fn sts(heard: &Heard) -> Said {
    let role = |name: &str| {
        assert_eq!(heard.field("RoleArn"), "arn:aws:iam::1:role/pull");
        assert_eq!(heard.field("Version"), "2011-06-15");
        Said::text(format!(
            "<{name}Response><{name}Result><Credentials><AccessKeyId>ASIAROLE</AccessKeyId>\
             <SecretAccessKey>SECRET-ROLE</SecretAccessKey>\
             <SessionToken>SECRET-ROLE-TOKEN</SessionToken>\
             <Expiration>2015-08-30T13:36:00Z</Expiration></Credentials></{name}Result>\
             </{name}Response>"
        ))
    };
    match heard.field("Action").as_str() {
        "AssumeRoleWithWebIdentity" if heard.field("WebIdentityToken") == "SECRET-IDENTITY" => {
            assert_eq!(heard.header("authorization"), "");
            role("AssumeRoleWithWebIdentity")
        }
        "AssumeRole" if signer(heard, "sts").as_deref() == Some("AKIDFIXED") => {
            assert_eq!(heard.field("ExternalId"), "outside");
            assert_eq!(heard.field("RoleSessionName"), "job");
            role("AssumeRole")
        }
        _ => Said::text(
            "<ErrorResponse><Error><Type>Sender</Type><Code>InvalidIdentityToken</Code>\
             <Message>Couldn't read SECRET-STALE</Message></Error></ErrorResponse>",
        )
        .status(400),
    }
}

fn handed() -> Said {
    Said::json(json!({
        "Code": "Success",
        "AccessKeyId": "ASIAHANDED",
        "SecretAccessKey": "SECRET-HANDED",
        "Token": "SECRET-HANDED-TOKEN",
        "Expiration": "2015-08-30T18:36:00Z",
    }))
}

/// Only the second version: nothing without a token.
fn instance(heard: &Heard) -> Said {
    let token = heard.header("x-aws-ec2-metadata-token");
    match (heard.method.as_str(), heard.path.as_str()) {
        ("PUT", "/latest/api/token") => {
            assert_eq!(heard.header("x-aws-ec2-metadata-token-ttl-seconds"), "300");
            Said::text("SECRET-METADATA")
        }
        _ if token != "SECRET-METADATA" => Said::text("").status(401),
        (_, "/latest/meta-data/iam/security-credentials/") => Said::text("pull\n"),
        (_, "/latest/meta-data/iam/security-credentials/pull") => handed(),
        _ => Said::unknown(),
    }
}

fn scene() -> Scene {
    let (amazon, _) = Amazon::start(12 * 3600);
    Scene::new(amazon).with("AWS_ENDPOINT_URL_ECR", "CLOUD").with("AWS_ENDPOINT_URL_STS", "CLOUD/")
}

fn with_keys(scene: Scene) -> Scene {
    scene.with("AWS_ACCESS_KEY_ID", "AKIDFIXED").with("AWS_SECRET_ACCESS_KEY", "SECRET-FIXED")
}

#[tokio::test]
async fn keys_in_variables() {
    insta::assert_snapshot!(with_keys(scene()).ping(REGISTRY).await, @"
    GET /v2/ 401
    POST / GetAuthorizationToken 200
    GET /v2/ 200
    ");
    let session = scene()
        .with("AWS_ACCESS_KEY_ID", "ASIASESSION")
        .with("AWS_SECRET_ACCESS_KEY", "SECRET-SESSION")
        .with("AWS_SESSION_TOKEN", "SECRET-SESSION-TOKEN");
    insta::assert_snapshot!(session.ping(REGISTRY).await, @"
    GET /v2/ 401
    POST / GetAuthorizationToken 200
    GET /v2/ 200
    ");
}

#[tokio::test]
async fn a_web_identity() {
    let scene = scene()
        .with("AWS_ROLE_ARN", "arn:aws:iam::1:role/pull")
        .with("AWS_WEB_IDENTITY_TOKEN_FILE", "FOLDER/token")
        .with_file("token", "SECRET-IDENTITY\n");
    insta::assert_snapshot!(scene.ping(REGISTRY).await, @"
    GET /v2/ 401
    POST / AssumeRoleWithWebIdentity 200
    POST / GetAuthorizationToken 200
    GET /v2/ 200
    ");
}

const CONFIG: &str = "
[profile role]
role_arn = arn:aws:iam::1:role/pull
source_profile = base
external_id = outside
role_session_name = job
[profile circle]
role_arn = arn:aws:iam::1:role/pull
source_profile = circle
[profile sso]
sso_session = corp
sso_account_id = 1
sso_role_name = pull
[sso-session corp]
sso_region = eu-west-1
sso_start_url = https://corp.example/start
[profile old-sso]
sso_region = eu-west-1
sso_start_url = https://corp.example/start
sso_account_id = 1
sso_role_name = pull
[profile process]
credential_process = sh FOLDER/tell.sh --password SECRET-ARGUMENT
[default]
region = eu-west-1
";
const CREDENTIALS: &str = "
[base]
aws_access_key_id = AKIDFIXED
aws_secret_access_key = SECRET-FIXED
";

fn with_files() -> Scene {
    scene().with_file(".aws/config", CONFIG).with_file(".aws/credentials", CREDENTIALS)
}

#[tokio::test]
async fn a_login_in_the_browser() {
    let kept = |end: &str| format!(r#"{{"accessToken":"SECRET-BROWSER","expiresAt":"{end}"}}"#);
    let logged_in = async |profile: &str, end: &str| {
        let scene = with_files().with("AWS_PROFILE", profile).with("AWS_ENDPOINT_URL_SSO", "CLOUD");
        let scene = scene
            .with_file(".aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json", &kept(end));
        let scene = scene
            .with_file(".aws/sso/cache/f7c9b39d0b4c7a7d82c79307585f77e1c5e74378.json", &kept(end));
        scene.ping(REGISTRY).await
    };
    insta::assert_snapshot!(logged_in("sso", "2015-08-30T13:00:00Z").await, @"
    GET /v2/ 401
    GET /federation/credentials 200
    POST / GetAuthorizationToken 200
    GET /v2/ 200
    ");
    insta::assert_snapshot!(logged_in("old-sso", "2015-08-30T13:00:00Z").await, @"
    GET /v2/ 401
    GET /federation/credentials 200
    POST / GetAuthorizationToken 200
    GET /v2/ 200
    ");
    insta::assert_snapshot!(logged_in("sso", "2015-08-30T12:00:00Z").await, @"
    log in to `123456789012.dkr.ecr.eu-west-1.amazonaws.com` by AWS profile `sso`: the login has expired: run `aws sso login --profile sso`
    hint: check AWS_PROFILE and the files in ~/.aws, or log in with `plywood login 123456789012.dkr.ecr.eu-west-1.amazonaws.com`
    ");
}

#[tokio::test]
async fn a_program_of_the_user_s() {
    let process = async |script: &str| {
        let scene = with_files().with("AWS_PROFILE", "process").with_file("tell.sh", script);
        scene.ping(REGISTRY).await
    };
    let told = r#"echo '{"Version":1,"AccessKeyId":"AKIDFIXED","SecretAccessKey":"SECRET-FIXED"}'"#;
    insta::assert_snapshot!(process(told).await, @"
    GET /v2/ 401
    POST / GetAuthorizationToken 200
    GET /v2/ 200
    ");
    insta::assert_snapshot!(process("echo SECRET-FIXED").await, @"
    log in to `123456789012.dkr.ecr.eu-west-1.amazonaws.com` by AWS profile `process`: run `sh`: its answer is not a credential
    hint: check AWS_PROFILE and the files in ~/.aws, or log in with `plywood login 123456789012.dkr.ecr.eu-west-1.amazonaws.com`
    ");
    insta::assert_snapshot!(process("echo SECRET-FIXED; exit 3").await, @"
    log in to `123456789012.dkr.ecr.eu-west-1.amazonaws.com` by AWS profile `process`: run `sh`: it failed (exit status: 3)
    hint: check AWS_PROFILE and the files in ~/.aws, or log in with `plywood login 123456789012.dkr.ecr.eu-west-1.amazonaws.com`
    ");
}

#[tokio::test]
async fn a_profile_and_the_role_that_it_takes_on() {
    let show = async |profile: &str| {
        let scene = with_files().with("AWS_PROFILE", profile);
        scene.ping(REGISTRY).await
    };
    insta::assert_snapshot!(show("base").await, @"
    GET /v2/ 401
    POST / GetAuthorizationToken 200
    GET /v2/ 200
    ");
    insta::assert_snapshot!(show("role").await, @"
    GET /v2/ 401
    POST / AssumeRole 200
    POST / GetAuthorizationToken 200
    GET /v2/ 200
    ");
    insta::assert_snapshot!(show("circle").await, @"
    log in to `123456789012.dkr.ecr.eu-west-1.amazonaws.com` by AWS profile `circle`: profile `circle` is without keys
    hint: check AWS_PROFILE and the files in ~/.aws, or log in with `plywood login 123456789012.dkr.ecr.eu-west-1.amazonaws.com`
    ");
    insta::assert_snapshot!(show("sso").await, @"
    log in to `123456789012.dkr.ecr.eu-west-1.amazonaws.com` by AWS profile `sso`: the login has expired: run `aws sso login --profile sso`
    hint: check AWS_PROFILE and the files in ~/.aws, or log in with `plywood login 123456789012.dkr.ecr.eu-west-1.amazonaws.com`
    ");
    insta::assert_snapshot!(show("gone").await, @"
    log in to `123456789012.dkr.ecr.eu-west-1.amazonaws.com` by AWS profile `gone`: profile `gone` is not there
    hint: check AWS_PROFILE and the files in ~/.aws, or log in with `plywood login 123456789012.dkr.ecr.eu-west-1.amazonaws.com`
    ");
    insta::assert_snapshot!(with_files().ping(REGISTRY).await, @"
    GET http://123456789012.dkr.ecr.eu-west-1.amazonaws.com/v2/: an anonymous user is not let in
    hint: log in with `plywood login 123456789012.dkr.ecr.eu-west-1.amazonaws.com`
    ");
}

#[tokio::test]
async fn a_container_s_endpoint() {
    let container = || scene().with("AWS_CONTAINER_CREDENTIALS_FULL_URI", "CLOUD/task/role");
    let by_file = container()
        .with("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "FOLDER/token")
        .with_file("token", "SECRET-CONTAINER");
    insta::assert_snapshot!(by_file.ping(REGISTRY).await, @"
    GET /v2/ 401
    GET /task/role 200
    POST / GetAuthorizationToken 200
    GET /v2/ 200
    ");
    let other = container().with("AWS_CONTAINER_AUTHORIZATION_TOKEN", "SECRET-OTHER");
    insta::assert_snapshot!(other.ping(REGISTRY).await, @"
    log in to `123456789012.dkr.ecr.eu-west-1.amazonaws.com` by the AWS container's credentials: http://HOST/task/role answered 401
    hint: check AWS_CONTAINER_CREDENTIALS_FULL_URI or _RELATIVE_URI, and the task's role, or log in with `plywood login 123456789012.dkr.ecr.eu-west-1.amazonaws.com`
    ");
    let elsewhere = scene().with("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://cloud.example/");
    insta::assert_snapshot!(elsewhere.ping(REGISTRY).await, @"
    log in to `123456789012.dkr.ecr.eu-west-1.amazonaws.com` by the AWS container's credentials: http://cloud.example/ is plain http, over which no secret goes
    hint: check AWS_CONTAINER_CREDENTIALS_FULL_URI or _RELATIVE_URI, and the task's role, or log in with `plywood login 123456789012.dkr.ecr.eu-west-1.amazonaws.com`
    ");
}

#[tokio::test]
async fn an_instance_s_metadata() {
    let instance = || scene().with("AWS_EC2_METADATA_SERVICE_ENDPOINT", "CLOUD");
    insta::assert_snapshot!(instance().ping(REGISTRY).await, @"
    GET /v2/ 401
    PUT /latest/api/token 200
    GET /latest/meta-data/iam/security-credentials/ 200
    GET /latest/meta-data/iam/security-credentials/pull 200
    POST / GetAuthorizationToken 200
    GET /v2/ 200
    ");
    let disabled = instance().with("AWS_EC2_METADATA_DISABLED", "true");
    insta::assert_snapshot!(disabled.ping(REGISTRY).await, @"
    GET http://123456789012.dkr.ecr.eu-west-1.amazonaws.com/v2/: an anonymous user is not let in
    hint: log in with `plywood login 123456789012.dkr.ecr.eu-west-1.amazonaws.com`
    ");
}

#[tokio::test]
async fn what_fails_names_its_source() {
    let wrong = scene()
        .with("AWS_ACCESS_KEY_ID", "AKIDFIXED")
        .with("AWS_SECRET_ACCESS_KEY", "SECRET-WRONG");
    insta::assert_snapshot!(wrong.ping(REGISTRY).await, @"
    log in to `123456789012.dkr.ecr.eu-west-1.amazonaws.com` by AWS_ACCESS_KEY_ID: http://HOST/ answered 400: UnrecognizedClientException (The token … in the request is invalid.)
    hint: check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or log in with `plywood login 123456789012.dkr.ecr.eu-west-1.amazonaws.com`
    ");
    let half = scene().with("AWS_ACCESS_KEY_ID", "AKIDFIXED");
    insta::assert_snapshot!(half.ping(REGISTRY).await, @"
    log in to `123456789012.dkr.ecr.eu-west-1.amazonaws.com` by AWS_ACCESS_KEY_ID: AWS_SECRET_ACCESS_KEY is not set
    hint: check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or log in with `plywood login 123456789012.dkr.ecr.eu-west-1.amazonaws.com`
    ");
    let identity = || scene().with("AWS_WEB_IDENTITY_TOKEN_FILE", "FOLDER/token");
    insta::assert_snapshot!(identity().ping(REGISTRY).await, @"
    log in to `123456789012.dkr.ecr.eu-west-1.amazonaws.com` by AWS_WEB_IDENTITY_TOKEN_FILE: AWS_ROLE_ARN is not set
    hint: check AWS_ROLE_ARN, AWS_WEB_IDENTITY_TOKEN_FILE and the role's trust policy, or log in with `plywood login 123456789012.dkr.ecr.eu-west-1.amazonaws.com`
    ");
    let stale = identity().with("AWS_ROLE_ARN", "arn").with_file("token", "SECRET-STALE");
    insta::assert_snapshot!(stale.ping(REGISTRY).await, @"
    log in to `123456789012.dkr.ecr.eu-west-1.amazonaws.com` by AWS_WEB_IDENTITY_TOKEN_FILE: http://HOST/ answered 400: InvalidIdentityToken (Couldn't read …)
    hint: check AWS_ROLE_ARN, AWS_WEB_IDENTITY_TOKEN_FILE and the role's trust policy, or log in with `plywood login 123456789012.dkr.ecr.eu-west-1.amazonaws.com`
    ");
    let gone = identity().with("AWS_ROLE_ARN", "arn");
    insta::assert_snapshot!(gone.ping(REGISTRY).await, @"
    log in to `123456789012.dkr.ecr.eu-west-1.amazonaws.com` by AWS_WEB_IDENTITY_TOKEN_FILE: read FOLDER/token: No such file or directory (os error 2)
    hint: check AWS_ROLE_ARN, AWS_WEB_IDENTITY_TOKEN_FILE and the role's trust policy, or log in with `plywood login 123456789012.dkr.ecr.eu-west-1.amazonaws.com`
    ");
    let plain = with_keys(scene()).with("AWS_ENDPOINT_URL_ECR", "http://cloud.example/");
    insta::assert_snapshot!(plain.ping(REGISTRY).await, @"
    log in to `123456789012.dkr.ecr.eu-west-1.amazonaws.com` by AWS_ACCESS_KEY_ID: http://cloud.example/ is plain http, over which no secret goes
    hint: check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or log in with `plywood login 123456789012.dkr.ecr.eu-west-1.amazonaws.com`
    ");
    let no_url = with_keys(scene()).with("AWS_ENDPOINT_URL_ECR", "cloud");
    insta::assert_snapshot!(no_url.ping(REGISTRY).await, @"
    log in to `123456789012.dkr.ecr.eu-west-1.amazonaws.com` by AWS_ACCESS_KEY_ID: AWS_ENDPOINT_URL_ECR is not a URL
    hint: check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or log in with `plywood login 123456789012.dkr.ecr.eu-west-1.amazonaws.com`
    ");
    insta::assert_snapshot!(scene().ping(REGISTRY).await, @"
    GET http://123456789012.dkr.ecr.eu-west-1.amazonaws.com/v2/: an anonymous user is not let in
    hint: log in with `plywood login 123456789012.dkr.ecr.eu-west-1.amazonaws.com`
    ");
}

#[tokio::test]
async fn look_alikes_see_nothing() {
    let scene = with_keys(scene());
    for registry in ["123456789012.dkr.ecr.eu-west-1.amazonaws.com.example", "evil.example"] {
        let said = scene.ping(registry).await.replace(registry, "REGISTRY");
        insta::allow_duplicates! { insta::assert_snapshot!(said, @"
        GET http://REGISTRY/v2/: an anonymous user is not let in
        hint: log in with `plywood login REGISTRY`
        ") };
        assert_eq!(scene.cloud.take_log(), "GET /v2/ 401");
    }
}

#[tokio::test]
async fn a_helper_that_is_not_installed_makes_way() {
    for config in [
        format!(r#"{{"credHelpers":{{"{REGISTRY}":"ecr-login"}}}}"#),
        r#"{"credsStore":"desktop"}"#.to_owned(),
    ] {
        let scene = with_keys(scene()).with_config(&config);
        let log = scene.ping(REGISTRY).await;
        insta::allow_duplicates! { insta::assert_snapshot!(log, @"
        GET /v2/ 401
        POST / GetAuthorizationToken 200
        GET /v2/ 200
        ") };
    }
}

/// One login for all repositories and for all who wait.
#[tokio::test]
async fn a_password_is_had_once_while_it_is_good() {
    let scene = with_keys(scene());
    let client = scene.client(REGISTRY);
    let repository = |name: &str| format!("{REGISTRY}/{name}").parse().unwrap();
    let fetch = async |name: &str| {
        let tag: oci::Tag = "1".parse().unwrap();
        let _ = client.manifest(&repository(name), tag).await;
    };
    let names = ["a", "b", "c", "a", "b", "c"];
    futures_util::future::join_all(names.map(fetch)).await;
    let log = scene.cloud.take_log();
    let logins = log.lines().filter(|line| line.contains("GetAuthorizationToken")).count();
    assert_eq!(logins, 1, "{log}");
}

#[tokio::test]
async fn a_login_that_fails_is_tried_once_for_all_who_wait() {
    let scene = scene()
        .with("AWS_ACCESS_KEY_ID", "AKIDFIXED")
        .with("AWS_SECRET_ACCESS_KEY", "SECRET-WRONG");
    let client = scene.client(REGISTRY);
    let fetch = async |name: &str| {
        let repository = format!("{REGISTRY}/{name}").parse().unwrap();
        let tag: oci::Tag = "1".parse().unwrap();
        let error = client.manifest(&repository, tag).await.unwrap_err();
        assert!(error.to_string().contains("UnrecognizedClientException"), "{error}");
    };
    futures_util::future::join_all(["a", "b", "c", "d"].map(fetch)).await;
    let log = scene.cloud.take_log();
    let logins = log.lines().filter(|line| line.contains("GetAuthorizationToken")).count();
    assert_eq!(logins, 1, "{log}");
}

#[tokio::test]
async fn a_password_is_renewed_before_it_runs_out() {
    let (amazon, password) = Amazon::start(1);
    let scene = with_keys(Scene::new(amazon).with("AWS_ENDPOINT_URL", "CLOUD"));
    let client = scene.client(REGISTRY);
    client.ping(REGISTRY).await.unwrap();
    tokio::time::sleep(Duration::from_millis(1100)).await;
    "SECRET-PASSWORD-2".clone_into(&mut password.lock().unwrap());
    client.ping(REGISTRY).await.unwrap();
    insta::assert_snapshot!(scene.cloud.take_log(), @"
    GET /v2/ 401
    POST / GetAuthorizationToken 200
    GET /v2/ 200
    POST / GetAuthorizationToken 200
    GET /v2/ 200
    ");
}

#[tokio::test]
async fn a_password_that_is_refused_is_had_anew_once() {
    let (amazon, password) = Amazon::start(12 * 3600);
    let scene = with_keys(Scene::new(amazon).with("AWS_ENDPOINT_URL", "CLOUD"));
    let client = scene.client(REGISTRY);
    client.ping(REGISTRY).await.unwrap();
    "SECRET-PASSWORD-2".clone_into(&mut password.lock().unwrap());
    client.ping(REGISTRY).await.unwrap();
    insta::assert_snapshot!(scene.cloud.take_log(), @"
    GET /v2/ 401
    POST / GetAuthorizationToken 200
    GET /v2/ 200
    GET /v2/ 401
    POST / GetAuthorizationToken 200
    GET /v2/ 200
    ");
    assert!(!format!("{client:?}").contains("SECRET-"), "what was lent is not shown");
    "SECRET-NONE".clone_into(&mut password.lock().unwrap());
    let error = client.ping(REGISTRY).await.unwrap_err();
    insta::assert_snapshot!(scene.failure(&error), @"
    GET http://123456789012.dkr.ecr.eu-west-1.amazonaws.com/v2/: whoever AWS_ACCESS_KEY_ID stands for is not let in
    hint: check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or log in with `plywood login 123456789012.dkr.ecr.eu-west-1.amazonaws.com`
    ");
    insta::assert_snapshot!(scene.cloud.take_log(), @"
    GET /v2/ 401
    POST / GetAuthorizationToken 200
    GET /v2/ 401
    ");
}

/// The public gallery has an API of its own, in one region, and a token service.
#[tokio::test]
async fn the_public_gallery() {
    let gallery = StandIn::start(|heard| match (heard.method.as_str(), heard.path.as_str()) {
        ("POST", "/api") => {
            let target = "SpencerFrontendService.GetAuthorizationToken";
            assert_eq!(heard.header("x-amz-target"), target);
            let signed = verify(heard, |_| "SECRET-FIXED").unwrap();
            assert_eq!(
                (signed.service.as_str(), signed.region.as_str()),
                ("ecr-public", "us-east-1")
            );
            let token = STANDARD.encode("AWS:SECRET-PUBLIC");
            let data = json!({ "authorizationToken": token, "expiresAt": NOW + 3600 });
            Said::json(json!({ "authorizationData": data }))
        }
        ("GET", "/token") => match heard.header("authorization") {
            "" => Said::json(json!({ "token": "SECRET-ANONYMOUS" })),
            _ => match basic_door(heard, "AWS", "SECRET-PUBLIC") {
                refused if heard.header("authorization").is_empty() => refused,
                _ => Said::json(json!({ "token": "SECRET-USER" })),
            },
        },
        _ if heard.header("authorization").starts_with("Bearer SECRET-") => Said::json(json!({})),
        _ => {
            let realm = "Bearer realm=\"http://public.ecr.aws/token\",service=\"public.ecr.aws\"";
            Said::text("").status(401).header("www-authenticate", realm)
        }
    });
    let scene = Scene::new(gallery).with("AWS_ENDPOINT_URL_ECR_PUBLIC", "CLOUD/api");
    insta::assert_snapshot!(scene.ping("public.ecr.aws").await, @"
    GET /v2/ 401
    GET /token 200
    GET /v2/ 200
    ");
    let scene = with_keys(scene);
    insta::assert_snapshot!(scene.ping("public.ecr.aws").await, @"
    GET /v2/ 401
    POST /api GetAuthorizationToken 200
    GET /token 200
    GET /v2/ 200
    ");
}
