//! Who the test registry lets in: the switches. What they do is in `doors` and `tokens`.

use std::fmt;
use std::time::Duration;

/// Who is let in. `Debug` tells no password and no token.
#[derive(Clone, Default)]
pub enum TestDoor {
    /// Everyone.
    #[default]
    Open,
    /// Who shows this name and password with each request.
    Basic {
        /// The name.
        user: String,
        /// The password.
        password: String,
    },
    /// Several users, each for a part of the repositories: 401 to who is nobody, 403 to who is
    /// somewhere else (Harbor's robot accounts).
    Accounts(Vec<Account>),
    /// Who shows a token from the registry's own token service.
    Token(TokenDoor),
}

/// A user of a part of the repositories.
#[derive(Clone)]
pub struct Account {
    /// The name.
    pub user: String,
    /// The password.
    pub password: String,
    /// What the names of the user's repositories begin with: `team/`.
    pub prefix: String,
}

impl fmt::Debug for TestDoor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TestDoor::Open => f.write_str("Open"),
            TestDoor::Basic { user, .. } => write!(f, "Basic({user})"),
            TestDoor::Accounts(accounts) => f.debug_tuple("Accounts").field(accounts).finish(),
            TestDoor::Token(door) => door.fmt(f),
        }
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Account({} below {})", self.user, self.prefix)
    }
}

impl fmt::Debug for TokenDoor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({} by {} at {}", self.user, self.field, self.endpoint)?;
        if let Some(lifetime) = self.lifetime {
            write!(f, ", for {} s", lifetime.as_secs())?;
        }
        if let Some(uses) = self.uses {
            write!(f, ", for {uses} uses")?;
        }
        f.write_str(")")
    }
}

/// How tokens are given out. Anonymous users get what they ask for as long as it is `pull`.
#[derive(Clone)]
pub struct TokenDoor {
    /// The one user.
    pub user: String,
    /// The user's password.
    pub password: String,
    /// What is taken as an identity token in an OAuth2 POST.
    pub identity_token: Option<String>,
    /// What `/oauth2/exchange` takes and gives the identity token for (Azure, where it is a token
    /// of the directory's).
    pub cloud_token: Option<String>,
    /// `expires_in`, if it is told.
    pub lifetime: Option<Duration>,
    /// After so many requests a token is not taken any more.
    pub uses: Option<u32>,
    /// The field that the token comes in: `token` or `access_token`.
    pub field: &'static str,
    /// How long the service takes to answer.
    pub delay: Duration,
    /// The status with which the service refuses everyone.
    pub refusal: Option<u16>,
    /// The path of the service at the registry.
    pub endpoint: &'static str,
    /// Where the service is said to be, if not at the registry itself.
    pub realm: Option<String>,
    /// Which requests the service answers.
    pub flow: TokenFlow,
    /// What the registry asks for.
    pub challenges: Challenges,
}

/// Which requests a token service answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TokenFlow {
    /// GET with a name and a password or nothing, and OAuth2's POST.
    #[default]
    Any,
    /// OAuth2's POST; 404 to GET (Azure, for identity tokens).
    PostOnly,
    /// GET; 404 to POST (GHCR, Quay).
    GetOnly,
}

/// What a registry asks for when nothing or too little is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Challenges {
    /// A token.
    #[default]
    Bearer,
    /// Basic in a header of its own, and a token; Basic is refused all the same (Azure, for
    /// identity tokens).
    BasicThenBearer,
}

impl Default for TokenDoor {
    fn default() -> Self {
        TokenDoor {
            user: "user".to_owned(),
            password: "SECRET-PASSWORD".to_owned(),
            identity_token: None,
            cloud_token: None,
            lifetime: Some(Duration::from_secs(300)),
            uses: None,
            field: "token",
            delay: Duration::ZERO,
            refusal: None,
            endpoint: "/token",
            realm: None,
            flow: TokenFlow::Any,
            challenges: Challenges::Bearer,
        }
    }
}
