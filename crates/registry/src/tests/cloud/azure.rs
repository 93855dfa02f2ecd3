//! Azure's registries: the directory, managed identities and the registry's exchange.

use serde_json::json;

use crate::tests::cloud::Scene;
use crate::tests::stand_in::{Heard, Said, StandIn};

const REGISTRY: &str = "team.azurecr.io";

fn azure(heard: &Heard) -> Said {
    let resource = "https://containerregistry.azure.net";
    let known = |known: bool, answer: serde_json::Value| match known {
        true => Said::json(answer),
        false => Said::json(json!({
            "error": "invalid_client",
            "error_description": "AADSTS7000215: Invalid client secret SECRET-WRONG.",
        }))
        .status(401),
    };
    match (heard.method.as_str(), heard.path.as_str()) {
        ("POST", "/tenant/oauth2/v2.0/token") => {
            assert_eq!(heard.field("client_id"), "app");
            assert_eq!(heard.field("scope"), format!("{resource}/.default"));
            let federated = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
            let proven = heard.field("client_secret") == "SECRET-APP"
                || (heard.field("client_assertion_type") == federated
                    && heard.field("client_assertion") == "SECRET-FEDERATED");
            known(proven, json!({ "access_token": "SECRET-AAD", "expires_in": 3599 }))
        }
        ("GET", "/msi/token") => {
            let asked = (heard.parameter("resource"), heard.parameter("api-version"));
            assert_eq!(asked, (resource.to_owned(), "2019-08-01".to_owned()));
            let proven = heard.header("x-identity-header") == "SECRET-HEADER";
            known(proven, json!({ "access_token": "SECRET-AAD", "expires_on": "1" }))
        }
        ("GET", "/metadata/identity/oauth2/token") => {
            assert_eq!(heard.header("metadata"), "true");
            let asked = (heard.parameter("resource"), heard.parameter("client_id"));
            assert_eq!(asked, (resource.to_owned(), "app".to_owned()));
            known(true, json!({ "access_token": "SECRET-AAD", "expires_in": "3599" }))
        }
        ("POST", "/oauth2/exchange") => {
            assert_eq!(heard.header("host"), REGISTRY);
            assert_eq!(heard.field("service"), REGISTRY);
            assert_eq!(heard.field("access_token"), "SECRET-AAD");
            known(true, json!({ "refresh_token": "SECRET-REFRESH" }))
        }
        ("POST", "/oauth2/token") => {
            let proven = heard.field("refresh_token") == "SECRET-REFRESH";
            known(proven, json!({ "access_token": "SECRET-ACCESS" }))
        }
        ("GET", "/v2/") if heard.header("authorization") == "Bearer SECRET-ACCESS" => {
            Said::json(json!({}))
        }
        ("GET", "/oauth2/token") => Said::text("").status(401),
        // Basic is advertised, and refused for tokens.
        ("GET", "/v2/") => {
            Said::text("").status(401).header("www-authenticate", "Basic realm=\"test\"").header(
                "www-authenticate",
                format!("Bearer realm=\"http://{REGISTRY}/oauth2/token\",service=\"{REGISTRY}\""),
            )
        }
        _ => Said::unknown(),
    }
}

fn scene() -> Scene {
    Scene::new(StandIn::start(azure)).with("AZURE_AUTHORITY_HOST", "CLOUD/")
}

fn application() -> Scene {
    scene().with("AZURE_CLIENT_ID", "app").with("AZURE_TENANT_ID", "tenant")
}

#[tokio::test]
async fn an_application_s_secret() {
    let right = application().with("AZURE_CLIENT_SECRET", "SECRET-APP");
    insta::assert_snapshot!(right.ping(REGISTRY).await, @"
    GET /v2/ 401
    POST /tenant/oauth2/v2.0/token client_credentials 200
    POST /oauth2/exchange access_token 200
    POST /oauth2/token refresh_token 200
    GET /v2/ 200
    ");
    let wrong = application().with("AZURE_CLIENT_SECRET", "SECRET-WRONG");
    insta::assert_snapshot!(wrong.ping(REGISTRY).await, @"
    log in to `team.azurecr.io` by AZURE_CLIENT_SECRET: http://HOST/tenant/oauth2/v2.0/token answered 401: invalid_client (AADSTS7000215: Invalid client secret ….)
    hint: check AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_CLIENT_SECRET, or log in with `plywood login team.azurecr.io`
    ");
    let half = scene().with("AZURE_CLIENT_SECRET", "SECRET-APP");
    insta::assert_snapshot!(half.ping(REGISTRY).await, @"
    log in to `team.azurecr.io` by AZURE_CLIENT_SECRET: AZURE_TENANT_ID is not set
    hint: check AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_CLIENT_SECRET, or log in with `plywood login team.azurecr.io`
    ");
}

#[tokio::test]
async fn a_federated_token() {
    let scene = application()
        .with("AZURE_FEDERATED_TOKEN_FILE", "FOLDER/token")
        .with_file("token", "SECRET-FEDERATED\n");
    insta::assert_snapshot!(scene.ping(REGISTRY).await, @"
    GET /v2/ 401
    POST /tenant/oauth2/v2.0/token client_credentials 200
    POST /oauth2/exchange access_token 200
    POST /oauth2/token refresh_token 200
    GET /v2/ 200
    ");
}

#[tokio::test]
async fn a_managed_identity() {
    let endpoint = || scene().with("IDENTITY_ENDPOINT", "CLOUD/msi/token");
    let hosted = endpoint().with("IDENTITY_HEADER", "SECRET-HEADER");
    insta::assert_snapshot!(hosted.ping(REGISTRY).await, @"
    GET /v2/ 401
    GET /msi/token 200
    POST /oauth2/exchange access_token 200
    POST /oauth2/token refresh_token 200
    GET /v2/ 200
    ");
    insta::assert_snapshot!(endpoint().ping(REGISTRY).await, @"
    log in to `team.azurecr.io` by Azure's managed identity: IDENTITY_HEADER is not set
    hint: check the machine's identity; AZURE_CLIENT_ID chooses among several, or log in with `plywood login team.azurecr.io`
    ");
    let machine =
        scene().with("AZURE_POD_IDENTITY_AUTHORITY_HOST", "CLOUD").with("AZURE_CLIENT_ID", "app");
    insta::assert_snapshot!(machine.ping(REGISTRY).await, @"
    GET /v2/ 401
    GET /metadata/identity/oauth2/token 200
    POST /oauth2/exchange access_token 200
    POST /oauth2/token refresh_token 200
    GET /v2/ 200
    ");
}

#[tokio::test]
async fn look_alikes_see_nothing() {
    for registry in ["team.azurecr.io.example", "evilazurecr.io", "team.azurecr.io:80"] {
        let scene = application().with("AZURE_CLIENT_SECRET", "SECRET-APP");
        scene.client(registry).ping(registry).await.unwrap_err();
        // The second is whatever token there is for nobody.
        assert_eq!(scene.cloud.take_log(), "GET /v2/ 401\nGET /oauth2/token 401");
    }
}

/// What `az acr login --expose-token` gives, kept as a password.
#[tokio::test]
async fn the_user_of_all_zeroes_holds_an_identity_token() {
    let kept = r#"{"auths":{"team.azurecr.io":{
        "username":"00000000-0000-0000-0000-000000000000","password":"SECRET-REFRESH"}}}"#;
    let scene = scene().with_config(kept);
    insta::assert_snapshot!(scene.ping(REGISTRY).await, @"
    GET /v2/ 401
    POST /oauth2/token refresh_token 200
    GET /v2/ 200
    ");
}

#[tokio::test]
async fn nothing_configured_is_nobody() {
    insta::assert_snapshot!(scene().ping(REGISTRY).await, @"
    GET http://team.azurecr.io/oauth2/token: an anonymous user is not let in
    hint: log in with `plywood login team.azurecr.io`
    ");
}
