//! `login` and `logout`, where there is a password.

use std::os::unix::fs::PermissionsExt;

use testbed::{Guise, Login, Result, TokenRules};

use super::site::{SOMEBODY, Site};
use crate::support::plywood;

/// The guises that have a login.
fn doors() -> [Guise; 2] {
    [Guise::Htpasswd(SOMEBODY), Guise::Tokens(TokenRules::of(SOMEBODY))]
}

/// A wrong password is refused before it is kept.
#[test]
fn wrong_passwords_are_not_kept() -> Result {
    for guise in doors() {
        let site = Site::new(guise.clone())?;
        let stranger = plywood()?;
        let wrong = Login { password: "SECRET, but another", ..SOMEBODY };
        let (code, said) = stranger.refused_login(&site.registry, wrong)?;
        assert!(code != 0 && said.contains("error: "), "{guise:?}: {code}: {said}");
        assert!(!stranger.credentials().exists(), "{guise:?}");
    }
    Ok(())
}

/// The file is the user's alone, others read it, and after `logout` nobody gets in.
#[test]
fn passwords_are_kept_until_logout() -> Result {
    for guise in doors() {
        let site = Site::new(guise.clone())?;
        let mode = std::fs::metadata(site.plywood.credentials()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{guise:?}");
        let digest = site.build_and_push("team/app:1")?;
        assert_eq!(site.skopeo().digest("team/app:1")?, digest, "{guise:?}");

        site.plywood.answer(["logout", &site.registry.host()])?;
        let (code, said) = site.plywood.refusal(["push", &site.reference("team/app:1")])?;
        assert!(code != 0 && said.contains("plywood login"), "{guise:?}: {code}: {said}");
        site.skopeo().manifest("team/app:1").unwrap_err();
    }
    Ok(())
}
