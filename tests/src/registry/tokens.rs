//! A token server beside a registry (distribution `docs/spec/auth/token.md`, `oauth.md`, `jwt.md`):
//! it knows users and what they may, signs tokens, and remembers what it was asked.

mod http;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::Login;
use crate::certificates::{Identity, signer};
use crate::listener::Listener;
use crate::program::answer;
use crate::{Failure, Result, program};
use http::Asked;

/// What the registry calls itself, and what tokens are for.
pub(super) const SERVICE: &str = "testbed registry";
/// Who the tokens are from.
pub(super) const ISSUER: &str = "testbed tokens";

/// How much later than it says a token runs out in docker-registry 2.8.
const LEEWAY: Duration = Duration::from_secs(60);

/// Who gets which tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRules {
    /// Those who have a password.
    pub users: Vec<User>,
    /// What those may who have none.
    pub anonymous: Rights,
    /// What is told about a token's life; nothing if absent.
    pub told: Option<Duration>,
    /// How long the registry takes it.
    pub life: Duration,
}

/// One who has a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct User {
    /// Name and password.
    pub login: Login,
    /// What tokens for this user are good for.
    pub rights: Rights,
}

/// What somebody may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rights {
    /// Nothing: who is nobody gets no token, and who is somebody an empty one.
    Nothing,
    /// Pull from everywhere.
    Pull,
    /// Everything in the repositories whose path begins with this.
    Below(&'static str),
    /// Everything.
    Everything,
}

/// How a token was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grant {
    /// By `GET`, without a name.
    Anonymous,
    /// By `GET`, with a name and a password as Basic.
    Basic,
    /// By `POST`, with a name and a password.
    Password,
    /// By `POST`, with a refresh token.
    RefreshToken,
}

/// One request to the token server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRequest {
    /// How.
    pub grant: Grant,
    /// The user who asked, if the password or the token was right.
    pub user: Option<String>,
    /// The field `account`.
    pub account: Option<String>,
    /// Each `scope`, as it was asked for.
    pub scopes: Vec<String>,
    /// The answer's status.
    pub status: u16,
}

/// A running token server.
pub(super) struct TokenServer {
    listener: Listener,
    shared: Arc<Shared>,
}

struct Shared {
    rules: TokenRules,
    identity: Identity,
    requests: Mutex<Vec<TokenRequest>>,
}

impl TokenRules {
    /// Tokens of five minutes for this user, who may do everything; none for others.
    pub fn of(login: Login) -> Self {
        let life = Duration::from_secs(300);
        let users = vec![User { login, rights: Rights::Everything }];
        TokenRules { users, anonymous: Rights::Nothing, told: Some(life), life }
    }
}

impl Rights {
    fn allow(self, resource: &str, action: &str) -> bool {
        match self {
            Rights::Nothing => false,
            Rights::Pull => resource.starts_with("repository:") && action == "pull",
            Rights::Below(prefix) => {
                resource.strip_prefix("repository:").is_some_and(|path| path.starts_with(prefix))
            }
            Rights::Everything => true,
        }
    }
}

impl TokenServer {
    /// Starts it; its key and certificate go into `directory`.
    pub(super) fn start(rules: TokenRules, directory: &Path) -> Result<Self> {
        let identity = signer(directory)?;
        let shared = Arc::new(Shared { rules, identity, requests: Mutex::default() });
        let at_work = shared.clone();
        let listener = Listener::start("the token server", move |stream| {
            http::serve(stream, |asked| at_work.respond(asked));
        })?;
        Ok(TokenServer { listener, shared })
    }

    pub(super) fn realm(&self) -> String {
        format!("http://127.0.0.1:{}/token", self.listener.port())
    }

    pub(super) fn certificate(&self) -> &Path {
        &self.shared.identity.certificate
    }

    pub(super) fn requests(&self) -> Vec<TokenRequest> {
        self.shared.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn forget(&self) {
        self.shared.requests.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    pub(super) fn refresh_token(&self, user: &str) -> Option<String> {
        let mut users = self.shared.rules.users.iter();
        users.find(|known| known.login.user == user).map(refresh_token)
    }
}

fn refresh_token(user: &User) -> String {
    format!("SECRET-refresh-{}", user.login.user)
}

impl Shared {
    /// The answer's status and document.
    fn respond(&self, asked: &Asked) -> (u16, Value) {
        let (grant, user) = self.who(asked);
        let scopes = asked.scopes();
        let rights = user.map_or(self.rules.anonymous, |user| user.rights);
        let refused = user.is_none() && (grant != Grant::Anonymous || rights == Rights::Nothing);
        let (status, document) = match refused {
            true => (401, json!({ "errors": [{ "code": "UNAUTHORIZED", "message": "who?" }] })),
            false => match self.token(user, rights, &scopes) {
                Ok(token) => (200, self.document(grant, user, token, asked)),
                Err(failure) => (500, json!({ "message": failure.to_string() })),
            },
        };
        let user = user.map(|user| user.login.user.to_owned());
        let account = asked.field("account");
        let request = TokenRequest { grant, user, account, scopes, status };
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).push(request);
        (status, document)
    }

    fn who(&self, asked: &Asked) -> (Grant, Option<&User>) {
        let with = |user: Option<&str>, password: Option<&str>| {
            let mut users = self.rules.users.iter();
            users.find(|known| {
                Some(known.login.user) == user && Some(known.login.password) == password
            })
        };
        if asked.method == "GET" {
            return match asked.basic() {
                Some((user, password)) => (Grant::Basic, with(Some(&user), Some(&password))),
                None => (Grant::Anonymous, None),
            };
        }
        if asked.field("grant_type").as_deref() == Some("refresh_token") {
            let token = asked.field("refresh_token");
            let mut users = self.rules.users.iter();
            let owner = users.find(|user| Some(refresh_token(user)) == token);
            return (Grant::RefreshToken, owner);
        }
        let (user, password) = (asked.field("username"), asked.field("password"));
        (Grant::Password, with(user.as_deref(), password.as_deref()))
    }

    fn document(&self, grant: Grant, user: Option<&User>, token: String, asked: &Asked) -> Value {
        let name = match grant {
            Grant::Anonymous | Grant::Basic => "token",
            Grant::Password | Grant::RefreshToken => "access_token",
        };
        let mut document = json!({ name: token });
        if let Some(told) = self.rules.told {
            document["expires_in"] = json!(told.as_secs());
        }
        let offline = asked.field("offline_token").as_deref() == Some("true")
            || asked.field("access_type").as_deref() == Some("offline");
        if let (Some(user), true) = (user, offline || grant == Grant::RefreshToken) {
            document["refresh_token"] = json!(refresh_token(user));
        }
        document
    }

    /// A signed token with what of `scopes` is allowed.
    fn token(&self, user: Option<&User>, rights: Rights, scopes: &[String]) -> Result<String> {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let access: Vec<Value> = scopes.iter().filter_map(|scope| allowed(rights, scope)).collect();
        let claims = json!({
            "iss": ISSUER,
            "sub": user.map(|user| user.login.user).unwrap_or_default(),
            "aud": SERVICE,
            "iat": now.as_secs(),
            "nbf": now.as_secs(),
            "exp": (now + self.rules.life).saturating_sub(LEEWAY).as_secs(),
            // Makes each token one that can be told apart from what is no secret.
            "jti": format!("SECRET {}", now.as_nanos()),
            "access": access,
        });
        self.sign(&claims)
    }

    fn sign(&self, claims: &Value) -> Result<String> {
        let header = json!({ "typ": "JWT", "alg": "RS256", "x5c": [self.certificate()?] });
        let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&header), part(claims));
        let mut openssl = program("openssl");
        openssl.args(["dgst", "-sha256", "-binary", "-sign"]).arg(&self.identity.key);
        let signature = answer(&mut openssl, signed.as_bytes())?;
        Ok(format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature)))
    }

    /// The certificate as `x5c` wants it: DER in base64, which is PEM without its lines' ends.
    fn certificate(&self) -> Result<String> {
        let path: &PathBuf = &self.identity.certificate;
        let pem = std::fs::read_to_string(path).map_err(Failure::doing("read a certificate"))?;
        let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
        let valid = BASE64_STANDARD.decode(&body).is_ok();
        valid.then_some(body).ok_or_else(|| Failure::new("openssl made no certificate in PEM"))
    }
}

/// The entry of the claim `access` for a scope `TYPE:NAME:ACTION,ACTION`.
fn allowed(rights: Rights, scope: &str) -> Option<Value> {
    let (resource, actions) = scope.rsplit_once(':')?;
    let (kind, name) = resource.split_once(':')?;
    let actions: Vec<_> =
        actions.split(',').filter(|action| rights.allow(resource, action)).collect();
    (!actions.is_empty()).then(|| json!({ "type": kind, "name": name, "actions": actions }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_cut_to_what_is_allowed() {
        let check = |rights, scope, expected: Option<&str>| {
            let allowed = allowed(rights, scope).map(|value| value["actions"].to_string());
            assert_eq!(allowed.as_deref(), expected, "{rights:?} {scope}");
        };
        check(Rights::Everything, "repository:a/b:pull,push", Some(r#"["pull","push"]"#));
        check(Rights::Pull, "repository:a/b:pull,push", Some(r#"["pull"]"#));
        check(Rights::Pull, "registry:catalog:*", None);
        check(Rights::Below("a/"), "repository:a/b:delete", Some(r#"["delete"]"#));
        check(Rights::Below("a/"), "repository:b:pull", None);
        check(Rights::Nothing, "repository:b:pull", None);
    }
}
