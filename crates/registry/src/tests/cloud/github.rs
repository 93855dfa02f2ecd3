//! GitHub's registry.

use crate::tests::cloud::Scene;
use crate::tests::stand_in::{StandIn, basic_door};

fn github(user: &'static str) -> Scene {
    Scene::new(StandIn::start(move |heard| basic_door(heard, user, "SECRET-GITHUB")))
}

#[tokio::test]
async fn takes_the_workflow_s_token() {
    let scene = github("octocat").with("GITHUB_TOKEN", "SECRET-GITHUB");
    let scene = scene.with("GITHUB_ACTOR", "octocat");
    insta::assert_snapshot!(scene.ping("ghcr.io").await, @"
    GET /v2/ 401
    GET /v2/ 200
    ");
    let nameless = github("token").with("GITHUB_TOKEN", "SECRET-GITHUB");
    insta::assert_snapshot!(nameless.ping("ghcr.io").await, @"
    GET /v2/ 401
    GET /v2/ 200
    ");
}

#[tokio::test]
async fn what_a_file_knows_comes_first() {
    let scene = github("file").with("GITHUB_TOKEN", "SECRET-OTHER");
    let kept = r#"{"auths":{"ghcr.io":{"username":"file","password":"SECRET-GITHUB"}}}"#;
    let scene = scene.with_config(kept);
    insta::assert_snapshot!(scene.ping("ghcr.io").await, @"
    GET /v2/ 401
    GET /v2/ 200
    ");
}

#[tokio::test]
async fn a_token_that_is_refused_is_named() {
    let scene = github("token").with("GITHUB_TOKEN", "SECRET-OTHER");
    insta::assert_snapshot!(scene.ping("ghcr.io").await, @"
    GET http://ghcr.io/v2/: whoever GITHUB_TOKEN stands for is not let in
    hint: check that GITHUB_TOKEN may read (and write) packages, or log in with `plywood login ghcr.io`
    ");
    assert_eq!(scene.cloud.take_log().lines().count(), 2, "it is shown once");
    let look_alike = scene.ping("ghcr.io.example").await;
    insta::assert_snapshot!(look_alike, @"
    GET http://ghcr.io.example/v2/: an anonymous user is not let in
    hint: log in with `plywood login ghcr.io.example`
    ");
    assert_eq!(scene.cloud.take_log().lines().count(), 1, "and not to others");
}
