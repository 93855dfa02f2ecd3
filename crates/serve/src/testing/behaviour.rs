//! The switches of the test registry: how it differs from the specification's ideal, and which
//! registry is known to do so.

use std::time::Duration;

pub use super::door::{Account, Challenges, TestDoor, TokenDoor, TokenFlow};

/// How the registry behaves towards all requests. The default is what the specification wants.
#[derive(Debug, Clone, Default)]
pub struct Behaviour {
    /// Who is let in.
    pub door: TestDoor,
    /// Under which name the registry speaks of itself.
    pub hosts: Hosts,
    /// Which repositories there may be.
    pub repositories: Repositories,
    /// What a request for a mount gets.
    pub mounts: Mounts,
    /// The form of `Location`.
    pub locations: Locations,
    /// What HEAD says.
    pub heads: HeadAnswers,
    /// How blobs are sent.
    pub downloads: Downloads,
    /// Whether a POST may carry a whole blob.
    pub posts: SinglePosts,
    /// How blobs are taken in pieces.
    pub chunks: Chunks,
    /// What the closing PUT may carry.
    pub puts: Puts,
    /// Whether a broken upload can go on.
    pub resumptions: Resumptions,
    /// Whether tags can move.
    pub tags: TagRule,
    /// What is wrong with manifests that are sent.
    pub manifests: BadManifest,
    /// What is asked of manifests beyond the specification.
    pub checks: ManifestChecks,
    /// Whether referrers can be asked for.
    pub referrers: Referrers,
    /// How many tags a list has.
    pub pages: Pages,
    /// Whether cookies are set and then held against the client.
    pub cookies: Cookies,
    /// How many manifests may be pulled.
    pub quota: Option<Quota>,
    /// The largest body that a proxy in front lets through, in bytes: 413 beyond (nginx has 1 MB
    /// where nothing is set, Cloudflare 100 MB).
    pub body_limit: Option<u64>,
    /// Connections that are closed for no reason.
    pub drops: Option<Drops>,
}

/// Under which name the registry speaks of itself, in `Location` and in challenges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Hosts {
    /// `127.0.0.1:PORT`.
    #[default]
    Own,
    /// The host that the request was for, so that a client that came through a proxy stays with the
    /// name that it knows: `ghcr.io`.
    AsRequested,
}

/// Which repositories there may be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Repositories {
    /// Any; the first push makes one.
    #[default]
    MadeByPush,
    /// Those of this list: 404 `NAME_UNKNOWN` to a push elsewhere (ECR, unless the account makes
    /// repositories on push).
    MadeBefore(Vec<String>),
    /// Those with at most two parts: 401 for deeper names, with a challenge that no token satisfies
    /// (Docker Hub).
    TwoLevels,
}

/// What a request for a mount gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mounts {
    /// 201 if the blob is there, else a session.
    #[default]
    Honoured,
    /// A session in any case, as the specification allows (ECR without its account setting).
    OpenSession,
    /// 405 (Artifactory).
    Refused,
    /// 201 if `from` is named, else a session (Harbor).
    NamedOnly,
    /// 400 where `from` is not named (Quay).
    NamelessFails,
    /// This status if `from` is no repository of this registry (Docker Hub, 404 or 500).
    ForeignFails(u16),
}

/// The form of an upload's `Location`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Locations {
    /// A whole URL with a query of the registry's own, without which the session is unknown
    /// (distribution).
    #[default]
    AbsoluteWithQuery,
    /// A path (GHCR).
    Relative,
    /// A path with such a query.
    RelativeWithQuery,
}

/// What HEAD says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HeadAnswers {
    /// What GET would.
    #[default]
    Honest,
    /// That every blob is there, while GET has 404 (some versions of Artifactory).
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
    /// By a redirect to this base URL, with the digest and a signature in the query (all that keep
    /// blobs in an object store).
    RedirectTo(String),
}

/// Whether a POST may carry a whole blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SinglePosts {
    /// 201.
    #[default]
    Taken,
    /// The body is ignored and a session opens, as the specification allows (distribution).
    OpenSession,
}

/// How blobs are taken in pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Chunks {
    /// One after the other.
    #[default]
    Appended,
    /// The body of every PATCH after the first is dropped without a word, the status is 201, and
    /// `Range` stays at `0-10485759` (ECR).
    FirstOnly,
    /// One PATCH without a `Content-Range`; a second one or a range is refused (Google).
    OneStream,
    /// Up to so many bytes each: 416 beyond (GHCR, 4 MiB).
    AtMost(u64),
    /// At least so many bytes each, as `OCI-Chunk-Min-Length` says; a shorter one must be the last.
    AtLeast(u64),
    /// 405.
    Refused,
}

/// What the closing PUT may carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Puts {
    /// A body, with or without a `Content-Range`.
    #[default]
    Body,
    /// A body without a `Content-Range` (GHCR).
    BodyWithoutRange,
    /// Nothing: the bytes have to come by PATCH (older Artifactory, and others behind proxies).
    Nothing,
}

/// Whether a broken upload can go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Resumptions {
    /// The session keeps what came, and says how much.
    #[default]
    Kept,
    /// The session is lost.
    Lost,
    /// The session does not say where it stands: 404 (ECR).
    Untold,
}

/// Whether tags can move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TagRule {
    /// They can.
    #[default]
    Movable,
    /// 400 `TAG_INVALID` for one that exists, even to what it names (ECR, if a repository is set
    /// so).
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

/// What is asked of manifests beyond the specification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ManifestChecks {
    /// Which types are taken.
    pub types: ManifestTypes,
    /// How blobs that are missing are complained of.
    pub missing: MissingBlobs,
    /// Whether the config is looked into.
    pub history: HistoryCheck,
    /// Whether `Accept` matters.
    pub accept: AcceptRule,
}

/// Which types of content a manifest may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ManifestTypes {
    /// All.
    #[default]
    All,
    /// Images alone: 415 for a config or layers of a type that is not an image's (Quay).
    ImagesOnly,
}

/// How blobs that are missing are complained of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MissingBlobs {
    /// `MANIFEST_BLOB_UNKNOWN`, one error each.
    #[default]
    Named,
    /// `MANIFEST_INVALID`, and no digest (Artifactory).
    Unnamed,
}

/// Whether the config is looked into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HistoryCheck {
    /// No.
    #[default]
    Unread,
    /// 400 `MANIFEST_INVALID` unless there is a layer for each entry of `history` that is not empty
    /// (Artifactory).
    MatchesLayers,
}

/// Whether `Accept` matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AcceptRule {
    /// No.
    #[default]
    Ignored,
    /// 404 for a manifest whose type is not in it (Artifactory).
    Demanded,
}

/// Whether referrers can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Referrers {
    /// They can; a push says `OCI-Subject`.
    #[default]
    Listed,
    /// 404, and no `OCI-Subject`: the tag that begins with `sha256-` takes their place
    /// (distribution 2, GHCR).
    Unknown,
}

/// How many tags a list has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pages {
    /// Three at most, so that whoever lists them has to turn pages.
    #[default]
    Short,
    /// As many as are asked for.
    AsAsked,
}

/// Whether cookies are set and then held against the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Cookies {
    /// No.
    #[default]
    None,
    /// Each answer sets one; 403 to a write that brings one (Harbor, which takes it for a browser
    /// without its CSRF token).
    Held,
}

/// How many manifests may be pulled. GETs count and HEADs do not (Docker Hub).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// How many in the window; 429 beyond.
    pub pulls: u32,
    /// The window that is told.
    pub window: Duration,
}

/// Connections that are closed for no reason (GitLab).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drops {
    /// Requests of these methods …
    pub methods: &'static [&'static str],
    /// … each so many of them, counted over all of them.
    pub every: u32,
}
