//! What a 401 asks for: `WWW-Authenticate` (RFC 9110, 11.6.1), of which registries use Basic and
//! Bearer (distribution `docs/spec/auth/token.md`).

use reqwest::header::{HeaderMap, WWW_AUTHENTICATE};
use url::Url;

use crate::auth::scope::ScopeSet;

/// One way to be let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Challenge {
    /// A user's name and password with each request.
    Basic,
    /// A token from a token service.
    Bearer(TokenService),
}

/// Where a token is to be had and for whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TokenService {
    /// The service's URL; it may have a query of its own.
    pub(crate) realm: Url,
    /// The registry's name for itself.
    pub(crate) service: Option<String>,
    /// What the refused request would have needed.
    pub(crate) scope: ScopeSet,
    /// Whether the token that was shown is good and grants too little (RFC 6750, 3.1).
    pub(crate) wants_more: bool,
}

/// All challenges that can be met, in the order of preference: Bearer before Basic, because a
/// token lives for minutes and grants what was asked for only.
pub(crate) fn challenges(headers: &HeaderMap) -> Vec<Challenge> {
    let mut found = Vec::new();
    for value in headers.get_all(WWW_AUTHENTICATE) {
        let Ok(text) = value.to_str() else { continue };
        // One header may hold several challenges; what follows a malformed one is lost.
        for challenge in http_auth::ChallengeParser::new(text).map_while(Result::ok) {
            found.extend(Challenge::read(&challenge));
        }
    }
    found.sort_by_key(|challenge| matches!(challenge, Challenge::Basic));
    found
}

impl Challenge {
    fn read(challenge: &http_auth::ChallengeRef<'_>) -> Option<Self> {
        if challenge.scheme.eq_ignore_ascii_case("basic") {
            return Some(Challenge::Basic);
        }
        if !challenge.scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let parameter = |name: &str| {
            let mut all = challenge.params.iter();
            let (_, value) = all.find(|(key, _)| key.eq_ignore_ascii_case(name))?;
            Some(value.to_unescaped())
        };
        Some(Challenge::Bearer(TokenService {
            realm: Url::parse(&parameter("realm")?).ok()?,
            service: parameter("service"),
            scope: ScopeSet::parse(&parameter("scope").unwrap_or_default()),
            wants_more: parameter("error").as_deref() == Some("insufficient_scope"),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(values: &[&str]) -> String {
        let show = |challenge: Challenge| match challenge {
            Challenge::Basic => "basic".to_owned(),
            Challenge::Bearer(token) => {
                format!("bearer {} {:?} [{}]", token.realm, token.service, token.scope)
            }
        };
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(WWW_AUTHENTICATE, value.parse().unwrap());
        }
        challenges(&headers).into_iter().map(show).collect::<Vec<_>>().join(" | ")
    }

    #[test]
    fn of_registries() {
        insta::assert_snapshot!(check(&[r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push",error="insufficient_scope""#]), @r#"bearer https://auth.docker.io/token Some("registry.docker.io") [repository:a/b:pull,push]"#);
        insta::assert_snapshot!(check(&[r#"Basic realm="Registry Realm""#]), @"basic");
        insta::assert_snapshot!(check(&[r#"Basic realm="a, b=\"c\"", Bearer realm="https://t/?x=1",service="s""#]), @r#"bearer https://t/?x=1 Some("s") [] | basic"#);
        insta::assert_snapshot!(check(&["Negotiate", r#"bearer Realm="http://t/a""#, "Basic realm=x"]), @"bearer http://t/a None [] | basic");
    }

    #[test]
    fn of_no_use() {
        assert_eq!(check(&[r#"Bearer service="no realm""#]), "");
        assert_eq!(check(&[r#"Bearer realm="not a url""#]), "");
        assert_eq!(check(&["\"", "", "Digest realm=\"x\""]), "");
    }
}
