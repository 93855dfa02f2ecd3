//! What only a token server has: identity tokens, rights, and an end to every token.

use std::fs;
use std::time::Duration;

use serde_json::json;
use testbed::{Grant, Guise, Login, Result, Rights, TokenRules, User};

use super::layout::many_layers;
use super::site::{SOMEBODY, Site};
use crate::support::plywood;

const GUEST: Login = Login { user: "guest", password: "SECRET of guests" };

fn rules() -> TokenRules {
    TokenRules::of(SOMEBODY)
}

/// A refresh token in the file is enough: the password is not needed, and no `GET` is made.
#[test]
fn identity_tokens_are_exchanged() -> Result {
    let site = Site::new(Guise::Tokens(rules()))?;
    let token = site.registry.refresh_token(SOMEBODY.user).unwrap();
    let entry = json!({ "auth": "MDAwMDAwMDA6", "identitytoken": token });
    let host = site.registry.host();
    let file = json!({ "auths": { host: entry } });
    fs::write(site.plywood.credentials(), file.to_string()).unwrap();
    site.registry.forget()?;
    site.build_and_push("team/app:1")?;
    let asked = site.registry.token_requests();
    assert!(!asked.is_empty());
    for request in &asked {
        assert_eq!((request.grant, request.status), (Grant::RefreshToken, 200), "{asked:#?}");
    }
    Ok(())
}

/// One token serves all requests of a push, however many want it at once.
#[test]
fn a_push_asks_for_one_token() -> Result {
    let site = Site::new(Guise::Tokens(rules()))?;
    site.build("team/app:1", "one token")?;
    site.registry.forget()?;
    site.plywood.answer(["push", &site.reference("team/app:1")])?;
    let asked = site.registry.token_requests();
    let [request] = asked.as_slice() else { panic!("{asked:#?}") };
    assert_eq!(request.scopes, ["repository:team/app:pull,push"]);
    assert_eq!(request.user.as_deref(), Some(SOMEBODY.user));
    Ok(())
}

/// What everybody may read is pulled without a login; a push wants one.
#[test]
fn strangers_may_pull_where_everybody_may() -> Result {
    let site = Site::new(Guise::Tokens(TokenRules { anonymous: Rights::Pull, ..rules() }))?;
    let digest = site.build_and_push("team/app:1")?;
    let stranger = plywood()?;
    let reference = site.reference("team/app:1");
    stranger.answer(["pull", "--quiet", &reference])?;
    let told = stranger.answer(["inspect", "--format", "{{.RepoDigests}}", &reference])?;
    assert!(told.contains(&digest), "{told}");
    let other = site.reference("team/app:2");
    stranger.answer(["tag", &reference, &other])?;
    let (code, said) = stranger.refusal(["push", &other])?;
    assert!(code != 0 && said.contains("plywood login"), "{code}: {said}");
    Ok(())
}

/// Who is known and may not is told what was denied, and not asked to log in for ever.
#[test]
fn rights_end_where_the_server_says() -> Result {
    let guest = User { login: GUEST, rights: Rights::Below("team/") };
    let mut rules = rules();
    rules.users.push(guest);
    let site = Site::new(Guise::Tokens(rules))?;
    site.plywood.login(&site.registry, GUEST)?;
    site.build_and_push("team/app:1")?;
    site.build("other/app:1", "not allowed")?;
    site.registry.forget()?;
    let (code, said) = site.plywood.refusal(["push", &site.reference("other/app:1")])?;
    assert!(code != 0 && said.contains("other/app"), "{code}: {said}");
    let asked = site.registry.token_requests();
    assert!((1..=2).contains(&asked.len()), "{asked:#?}");
    Ok(())
}

/// Tokens that run out on the way, as the server said or earlier than it said, are renewed.
#[test]
fn tokens_are_renewed_on_the_way() -> Result {
    const LAYERS: usize = 600;
    let second = Duration::from_secs(1);
    // A token's end is a whole second: this one lives for one second at least, and below two.
    let life = 2 * second;
    for told in [second, 100 * second] {
        let site = Site::new(Guise::Tokens(TokenRules { told: Some(told), life, ..rules() }))?;
        let directory = tempfile::tempdir().unwrap();
        let digest = many_layers(directory.path(), LAYERS);
        let layout = format!("oci:{}:x", directory.path().display());
        site.registry.forget()?;
        site.plywood.answer(["copy", "--quiet", &layout, &site.reference("team/app:1")])?;
        let asked = site.registry.token_requests();
        assert!(asked.len() > 1, "the push was over before its token: {asked:#?}");
        assert!(asked.len() < LAYERS / 10, "{} tokens", asked.len());
        // skopeo believes what it is told, and cannot judge a registry that lies.
        let stored = site.registry.blob(&digest);
        assert!(stored.is_some(), "{told:?}");
    }
    Ok(())
}
