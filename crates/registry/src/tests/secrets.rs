//! Nothing that this crate prints, in any form, holds a secret.

use std::fmt::Write as _;

use crate::{Credential, Proxies, Publication, Secret, Settings};
use serve::testing::{Behaviour, Effect, Fault, TestDoor, TestRegistry, TokenDoor};

use crate::tests::support::{Sample, client_with, password, watched};

/// Every way of failing that has to do with a secret, and everything said of it.
#[tokio::test]
async fn are_never_shown() {
    let mut said = String::new();
    let faults = [
        ("GET", "/token", Effect::Reset),
        ("GET", "/token", Effect::Corrupt),
        ("PUT", "/uploads/", Effect::Status { code: 500, retry_after: None }),
        ("PUT", "/uploads/", Effect::Reset),
        ("PUT", "/uploads/", Effect::Status { code: 403, retry_after: None }),
        ("POST", "/uploads/", Effect::Status { code: 401, retry_after: None }),
        ("PUT", "/manifests/", Effect::Reset),
    ];
    let credentials = [
        password("bob", "SECRET-PASSWORD"),
        password("bob", "SECRET-WRONG"),
        Credential::IdentityToken(Secret::new("SECRET-IDENTITY")),
        Credential::AccessToken(Secret::new("SECRET-ACCESS")),
    ];
    for credential in &credentials {
        for (method, path, effect) in &faults {
            let door = TestDoor::Token(TokenDoor {
                user: "bob".into(),
                password: "SECRET-PASSWORD".into(),
                identity_token: Some("SECRET-IDENTITY".into()),
                ..TokenDoor::default()
            });
            let registry = TestRegistry::start(Behaviour { door, ..Behaviour::default() }).unwrap();
            registry.fault(Fault::always(method, *path, effect.clone()));
            let (client, events) = watched(&client_with(&registry, credential.clone()));
            let sample = Sample::new(1, 1);
            let wanted = Publication {
                repository: registry.repository("app"),
                tags: vec!["1".parse().unwrap()],
                root: sample.manifest.clone(),
                children: Vec::new(),
                referrers: Vec::new(),
                blobs: sample.sources(),
            };
            let failed = client.publish(&wanted).await;
            if let Err(error) = &failed {
                writeln!(said, "{error}\n{error:?}\n{:?}", error.hint()).unwrap();
            }
            writeln!(said, "{client:?}\n{credential:?}\n{:?}", events.lock().unwrap()).unwrap();
        }
    }
    let proxies = Proxies {
        http: Some(Secret::new("http://bob:SECRET-PROXY@127.0.0.1:1/")),
        https: Some(Secret::new("SECRET proxy")),
        none_for: String::new(),
    };
    let bad = Settings { proxies, ..Settings::default() };
    writeln!(said, "{bad:?}\n{:?}", crate::Client::new(bad.clone()).err()).unwrap();
    assert!(said.contains("user `bob`"), "the failures did happen");
    let leaks: Vec<&str> = said.lines().filter(|line| line.contains("SECRET")).collect();
    assert_eq!(leaks, Vec::<&str>::new());
    assert!(!said.contains("Bearer ") && !said.contains("Basic "), "no header is shown");
}
