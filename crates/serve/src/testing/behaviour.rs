//! The switches of the test registry: how it differs from the specification's ideal, and what
//! goes wrong with single requests.

use std::time::Duration;

/// How the registry behaves towards all requests.
#[derive(Debug, Clone, Default)]
pub struct Behaviour {
    /// Who is let in.
    pub door: TestDoor,
    /// What a request for a mount gets.
    pub mounts: Mounts,
    /// The form of `Location`.
    pub locations: Locations,
    /// What HEAD says.
    pub heads: HeadAnswers,
    /// How blobs are sent.
    pub downloads: Downloads,
    /// Whether a broken upload can go on.
    pub resumptions: Resumptions,
    /// Whether tags can move.
    pub tags: TagRule,
    /// What is wrong with manifests that are sent.
    pub manifests: BadManifest,
}

/// Who is let in.
#[derive(Debug, Clone, Default)]
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
    /// Who shows a token from the registry's own token service.
    Token(TokenDoor),
}

/// How tokens are given out. Anonymous users get what they ask for as long as it is `pull`.
#[derive(Debug, Clone)]
pub struct TokenDoor {
    /// The one user.
    pub user: String,
    /// The user's password.
    pub password: String,
    /// What is taken as an identity token in an OAuth2 POST.
    pub identity_token: Option<String>,
    /// `expires_in`, if it is told.
    pub lifetime: Option<Duration>,
    /// After so many requests a token is not taken any more.
    pub uses: Option<u32>,
    /// The field that the token comes in: `token` or `access_token`.
    pub field: &'static str,
    /// How long the service takes to answer.
    pub delay: Duration,
    /// Where the service is said to be, if not at the registry itself.
    pub realm: Option<String>,
}

impl Default for TokenDoor {
    fn default() -> Self {
        TokenDoor {
            user: "user".to_owned(),
            password: "password".to_owned(),
            identity_token: None,
            lifetime: Some(Duration::from_secs(300)),
            uses: None,
            field: "token",
            delay: Duration::ZERO,
            realm: None,
        }
    }
}

/// What a request for a mount gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mounts {
    /// 201 if the blob is there, else a session.
    #[default]
    Honoured,
    /// A session in any case, as the specification allows.
    OpenSession,
    /// 405.
    Refused,
}

/// The form of `Location`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Locations {
    /// A whole URL with a query of the registry's own, without which the session is unknown.
    #[default]
    AbsoluteWithQuery,
    /// A path.
    Relative,
}

/// What HEAD says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HeadAnswers {
    /// What GET would.
    #[default]
    Honest,
    /// That every blob is there (seen at Artifactory).
    EveryBlobExists,
    /// 405 to all.
    Refused,
    /// Manifests without `Docker-Content-Digest`, for GET, too.
    NoDigest,
}

/// How blobs are sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Downloads {
    /// From the registry, parts on request.
    #[default]
    Ranged,
    /// From the registry, always from the start.
    WholeOnly,
    /// By a redirect to this base URL, with the digest and a signature in the query.
    RedirectTo(String),
}

/// Whether a broken upload can go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Resumptions {
    /// The session keeps what came, and says how much.
    #[default]
    Kept,
    /// The session is lost.
    Lost,
}

/// Whether tags can move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TagRule {
    /// They can.
    #[default]
    Movable,
    /// 400 `TAG_INVALID` for one that exists, even to what it names (as ECR does).
    Immutable,
}

/// What is wrong with manifests that are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BadManifest {
    /// Nothing.
    #[default]
    Good,
    /// One byte is another.
    Corrupt,
    /// Blanks follow it, beyond 4 MiB, without a length beforehand.
    Oversized,
}

/// What goes wrong with single requests.
#[derive(Debug, Clone)]
pub struct Fault {
    /// Requests of this method (any if empty) …
    pub method: &'static str,
    /// … whose path and query have this in them …
    pub path: String,
    /// … are let through so many times …
    pub after: u32,
    /// … and then so many times …
    pub times: u32,
    /// … meet this.
    pub effect: Effect,
}

impl Fault {
    /// The next request of this kind meets `effect`, once.
    pub fn once(method: &'static str, path: impl Into<String>, effect: Effect) -> Self {
        Fault { method, path: path.into(), after: 0, times: 1, effect }
    }

    /// All requests of this kind meet `effect`.
    pub fn always(method: &'static str, path: impl Into<String>, effect: Effect) -> Self {
        Fault { method, path: path.into(), after: 0, times: u32::MAX, effect }
    }
}

/// What a request meets.
#[derive(Debug, Clone)]
pub enum Effect {
    /// An answer with this status, and a `Retry-After`.
    Status {
        /// The status.
        code: u16,
        /// The header's text.
        retry_after: Option<String>,
    },
    /// The connection is closed without an answer.
    Reset,
    /// The answer's body breaks off after so many bytes.
    ResetDownload {
        /// Bytes that are sent.
        after: u64,
    },
    /// The connection is closed after so many bytes of the request's body, which an upload session
    /// keeps.
    ResetUpload {
        /// Bytes that are taken.
        after: u64,
    },
    /// The first byte of the answer's body is another.
    Corrupt,
    /// The answer's body has a byte less than there is, and says so.
    Shorten,
    /// No answer for this long.
    Stall(Duration),
}
