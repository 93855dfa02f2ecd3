//! Who is let in, and by what.

use std::time::Duration;

use serve::testing::{Behaviour, Challenges, TestDoor, TokenDoor, TokenFlow};

use crate::support::{Answer, basic, basic_of, registry, send};

fn token_of(answer: &Answer) -> String {
    let value: serde_json::Value = serde_json::from_str(answer.body()).unwrap();
    let token = value["token"].as_str().or(value["access_token"].as_str());
    format!("Authorization: Bearer {}", token.unwrap_or_else(|| panic!("{answer:?}")))
}

fn door(change: impl FnOnce(&mut TokenDoor)) -> Behaviour {
    let mut door = TokenDoor::default();
    change(&mut door);
    Behaviour { door: TestDoor::Token(door), ..Behaviour::default() }
}

#[test]
fn harbor_s_robots_have_a_path_each() {
    let registry = registry(Behaviour::harbor());
    let status = |user: &str, name: &str| {
        let shown = basic_of(user, "SECRET-PASSWORD");
        send(&registry, &format!("POST /v2/{name}/blobs/uploads/"), &[&shown], b"").status()
    };
    assert_eq!(status("robot$app", "app"), 202);
    assert_eq!(status("robot$app", "team/x"), 403);
    assert_eq!(status("robot$team", "team/x"), 202);
    assert_eq!(status("nobody", "app"), 401);
    assert_eq!(send(&registry, "GET /v2/", &[&basic(&Behaviour::harbor())], b"").status(), 200);
}

#[test]
fn azure_exchanges_and_posts() {
    let behaviour = Behaviour::azure();
    let registry = registry(behaviour.clone());
    let form = "Content-Type: application/x-www-form-urlencoded";
    let asked = send(&registry, "GET /v2/", &[&basic(&behaviour)], b"");
    let kinds: Vec<&str> =
        asked.headers("www-authenticate").map(|text| text.split(' ').next().unwrap()).collect();
    assert_eq!((asked.status(), kinds), (401, vec!["Basic", "Bearer"]));
    let exchange = |token: &str| {
        let body = format!("grant_type=access_token&service=test&access_token={token}");
        send(&registry, "POST /oauth2/exchange", &[form], body.as_bytes())
    };
    assert_eq!(exchange("SECRET-OTHER").status(), 401);
    let refresh = exchange("SECRET-AAD-TOKEN");
    assert_eq!(refresh.body(), r#"{"refresh_token":"SECRET-REFRESH-TOKEN"}"#);
    let get = "GET /oauth2/token?service=test&scope=repository:app:pull";
    assert_eq!(send(&registry, get, &[&basic(&behaviour)], b"").status(), 404);
    let body = "grant_type=refresh_token&service=test&scope=repository:app:pull,push\
                &refresh_token=SECRET-REFRESH-TOKEN";
    let granted = send(&registry, "POST /oauth2/token", &[form], body.as_bytes());
    assert!(!granted.body().contains("expires_in"), "{granted:?}");
    let token = token_of(&granted);
    assert_eq!(send(&registry, "POST /v2/app/blobs/uploads/", &[&token], b"").status(), 202);
}

#[test]
fn a_token_is_for_its_scopes_its_time_and_its_uses() {
    let behaviour = door(|door| {
        door.lifetime = Some(Duration::from_millis(300));
        door.uses = Some(2);
    });
    let registry = registry(behaviour.clone());
    registry.insert_blob("base", oci::MediaType::OciEmpty, b"{}");
    let fresh = |scope: &str| {
        let get = format!("GET /token?service=test&scope={scope}");
        token_of(&send(&registry, &get, &[&basic(&behaviour)], b""))
    };
    let problem = |request: &str, token: &str| {
        let answer = send(&registry, request, &[token], b"");
        let challenge = answer.header("www-authenticate").unwrap_or_default();
        let error = challenge.split_once("error=").map_or("", |(_, error)| error);
        format!("{} {error}", answer.status())
    };
    let post = "POST /v2/app/blobs/uploads/";
    let both = format!("{post}?mount={}&from=base", oci::Digest::of(b"{}"));
    let token = fresh("repository:app:pull,push");
    assert_eq!(problem(&both, &token), "401 \"insufficient_scope\"");
    let two = fresh("repository:app:pull,push&scope=repository:base:pull");
    assert_eq!(problem(&both, &two), "201 ");
    assert_eq!(problem(post, &two), "202 ");
    assert_eq!(problem(post, &two), "401 \"invalid_token\"");
    std::thread::sleep(Duration::from_millis(350));
    assert_eq!(problem(post, &token), "401 \"invalid_token\"");
}

#[test]
fn token_services_of_all_kinds() {
    let ask = |behaviour: &Behaviour, method: &str, body: &str| {
        let registry = registry(behaviour.clone());
        let form = "Content-Type: application/x-www-form-urlencoded";
        let headers = [form, &basic(behaviour)];
        let headers = if method == "GET" { &headers[..] } else { &headers[..1] };
        send(&registry, &format!("{method} /token?scope=a:b:pull"), headers, body.as_bytes())
    };
    let password = "grant_type=password&username=user&password=SECRET-PASSWORD";
    let plain = door(|_| ());
    assert!(ask(&plain, "GET", "").body().contains("\"expires_in\":300"));
    assert!(ask(&plain, "POST", password).body().contains("\"token\""));
    assert_eq!(ask(&plain, "POST", "grant_type=password&username=user").status(), 401);
    let offline = door(|door| door.identity_token = Some("SECRET-IDENTITY".into()));
    let body = format!("{password}&access_type=offline");
    assert!(ask(&offline, "POST", &body).body().contains("\"refresh_token\":\"SECRET-IDENTITY\""));
    let field = door(|door| door.field = "access_token");
    assert!(ask(&field, "GET", "").body().contains("\"access_token\""));
    for status in [401, 403, 503] {
        assert_eq!(ask(&door(|door| door.refusal = Some(status)), "GET", "").status(), status);
    }
    assert_eq!(ask(&door(|door| door.flow = TokenFlow::GetOnly), "POST", password).status(), 404);
    assert_eq!(ask(&door(|door| door.flow = TokenFlow::PostOnly), "GET", "").status(), 404);
    let both = door(|door| door.challenges = Challenges::BasicThenBearer);
    let refused = send(&registry(both), "GET /v2/", &[], b"");
    assert_eq!(refused.headers("www-authenticate").count(), 2);
}

#[test]
fn behaviours_tell_no_secret() {
    let presets = [
        Behaviour::ecr(),
        Behaviour::ghcr(),
        Behaviour::google(),
        Behaviour::docker_hub(),
        Behaviour::quay(),
        Behaviour::harbor(),
        Behaviour::artifactory(),
        Behaviour::azure(),
        Behaviour::gitlab(),
    ];
    for behaviour in presets {
        assert!(behaviour.password().is_some_and(|password| password.contains("SECRET")));
        let shown = format!("{behaviour:?}");
        assert!(shown.contains(behaviour.user().unwrap()), "{shown}");
        assert!(!shown.contains("SECRET"), "{shown}");
    }
}
