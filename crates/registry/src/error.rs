//! What can go wrong on the wire, with the fields that say where and why.
//!
//! No variant holds a password, a token or a query string, so every error may be shown as it is.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use oci::{Digest, ManifestError, Reference, RepositoryName, Tag};
use reqwest::{Method, StatusCode};
use url::Url;

use crate::PublicUrl;
use crate::answers::Answers;
use crate::credentials::{CloudSource, CredentialError, cloud_hint};
use crate::hosts::HostFileError;

/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why something on the wire did not come about. Every message fits after "failed to".
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The client's settings do not make a client: a certificate or a proxy that is none.
    #[error("use the {what} that was set: {cause}")]
    BadSetting {
        /// Which setting.
        what: &'static str,
        /// What is wrong with it.
        cause: String,
    },
    /// A registry's name that does not make a URL.
    #[error("reach `{registry}`: it is not a registry's host")]
    BadHost {
        /// The name.
        registry: String,
    },
    /// Somebody has forbidden to go there.
    #[error("reach `{repository}`: it is blocked in {}", .file.display())]
    Blocked {
        /// Where it would have been.
        repository: RepositoryName,
        /// The file that says so.
        file: PathBuf,
    },
    /// The registry failed, and its mirrors had done so before.
    #[error("{error} (mirrors were asked before: {})", .mirrors.join("; "))]
    AfterMirrors {
        /// What the registry itself said.
        error: Box<Error>,
        /// What each mirror said, by its host.
        mirrors: Vec<String>,
    },
    /// A mirror sent other bytes than were asked for. It is not asked again for a while: another
    /// try goes elsewhere.
    #[error("{error}, from mirror {mirror}")]
    DamagedMirror {
        /// The mirror's host.
        mirror: String,
        /// What is wrong.
        error: Box<Error>,
    },
    /// No connection, or one that broke off, and trying again did not help.
    #[error("{request}: {cause}")]
    Connection {
        /// What was asked.
        request: RequestLine,
        /// What the connection said.
        cause: String,
    },
    /// TLS could not be agreed on, which trying again does not help: a certificate that is not
    /// taken, on either side, or a host that does not speak it.
    #[error("{request}: {cause}")]
    Tls {
        /// What was asked.
        request: RequestLine,
        /// What is wrong.
        cause: String,
    },
    /// The other side was silent for too long.
    #[error("{request}: no answer for {} s", .after.as_secs_f32())]
    TimedOut {
        /// What was asked.
        request: RequestLine,
        /// How long the silence was.
        after: Duration,
    },
    /// A status that is not a success and that has no variant of its own.
    #[error("{request}: the registry answered {status}{answers}")]
    Refused {
        /// What was asked.
        request: RequestLine,
        /// The status.
        status: StatusCode,
        /// What the registry said.
        answers: Answers,
    },
    /// 401 although everything that was there to prove an identity was tried.
    #[error("{request}: {identity} is not let in{answers}")]
    Unauthorized {
        /// What was asked.
        request: RequestLine,
        /// Who asked.
        identity: Identity,
        /// What the registry said.
        answers: Answers,
        /// The registry to log in to.
        registry: String,
    },
    /// 403: the identity is known, and may not.
    #[error("{request}: {identity} may not do this{answers}")]
    Denied {
        /// What was asked.
        request: RequestLine,
        /// Who asked.
        identity: Identity,
        /// What the registry said.
        answers: Answers,
        /// The registry to log in to.
        registry: String,
    },
    /// 429, and the wait that the registry asks for is longer than the budget.
    #[error("{request}: the registry limits requests{answers}")]
    RateLimited {
        /// What was asked.
        request: RequestLine,
        /// How long it asks to wait.
        retry_after: Option<Duration>,
        /// What the registry said.
        answers: Answers,
    },
    /// No such tag or manifest.
    #[error("find `{reference}` in the registry{answers}")]
    ManifestNotFound {
        /// What was looked for.
        reference: String,
        /// What the registry said.
        answers: Answers,
    },
    /// No such repository, or one without tags.
    #[error("find tags of `{repository}` in the registry{answers}")]
    RepositoryNotFound {
        /// What was looked for.
        repository: RepositoryName,
        /// What the registry said.
        answers: Answers,
    },
    /// No such blob.
    #[error("find blob {digest} in `{repository}`")]
    BlobNotFound {
        /// Where it was looked for.
        repository: RepositoryName,
        /// Its digest.
        digest: Box<Digest>,
    },
    /// The registry does not take a manifest because it lacks blobs of it.
    #[error("{request}: the registry lacks blobs of this manifest{answers}")]
    ManifestBlobUnknown {
        /// What was asked.
        request: RequestLine,
        /// The blobs that it named, if it did.
        blobs: Vec<Digest>,
        /// What the registry said.
        answers: Answers,
    },
    /// Larger than any manifest may be.
    #[error("{request}: the manifest is larger than the {limit} bytes that are allowed")]
    ManifestTooLarge {
        /// What was asked.
        request: RequestLine,
        /// The limit in bytes.
        limit: u64,
    },
    /// Bytes that are not a manifest.
    #[error("{request}: {source}")]
    Manifest {
        /// What was asked.
        request: RequestLine,
        /// What is wrong.
        source: ManifestError,
    },
    /// The bytes are others than were asked for.
    #[error("{request}: the bytes have digest {found}, not {wanted}")]
    DigestMismatch {
        /// What was asked.
        request: RequestLine,
        /// The digest asked for.
        wanted: Box<Digest>,
        /// The digest of the bytes.
        found: Box<Digest>,
    },
    /// The registry has more or fewer bytes than the descriptor says.
    #[error("{request}: the registry has {found} bytes where the descriptor says {wanted}")]
    SizeMismatch {
        /// What was asked.
        request: RequestLine,
        /// The descriptor's size.
        wanted: u64,
        /// The size that was announced, or the count at which the excess was noticed.
        found: u64,
    },
    /// The bytes stop before the end, every time.
    #[error("{request}: the bytes end after {received} of {wanted}")]
    Truncated {
        /// What was asked.
        request: RequestLine,
        /// The descriptor's size.
        wanted: u64,
        /// How many came.
        received: u64,
    },
    /// A redirect that must not be followed.
    #[error("{request}: it redirects to {to}, {problem}")]
    BadRedirect {
        /// What was asked.
        request: RequestLine,
        /// Where the redirect leads.
        to: PublicUrl,
        /// Why it is not followed.
        problem: RedirectProblem,
    },
    /// An answer that the distribution specification does not know.
    #[error("{request}: {problem}")]
    BadAnswer {
        /// What was asked.
        request: RequestLine,
        /// What is wrong with the answer.
        problem: AnswerProblem,
    },
    /// A credential would have to travel unencrypted.
    #[error("log in at {url}: a password does not go over plain http")]
    PlainCredential {
        /// Where it would go.
        url: PublicUrl,
    },
    /// The local source of an upload cannot be read.
    #[error("read {}: {source}", .path.display())]
    Body {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The local source of an upload is not what its descriptor says.
    #[error("upload blob {digest}: its source has {found} bytes, not {wanted}")]
    BodySize {
        /// The blob.
        digest: Box<Digest>,
        /// The descriptor's size.
        wanted: u64,
        /// What there is.
        found: u64,
    },
    /// The sink of a download does not take the bytes.
    #[error("write what {request} sent: {source}")]
    Sink {
        /// What was asked.
        request: RequestLine,
        /// What the sink said.
        source: io::Error,
    },
    /// A manifest names a blob that nobody gave and that the target lacks.
    #[error("push to `{repository}`: {digest} is neither there nor at hand")]
    NotProvided {
        /// The target.
        repository: RepositoryName,
        /// The blob or manifest.
        digest: Box<Digest>,
    },
    /// A tag that would take others with it.
    #[error(
        "remove `{reference}`: this registry deletes manifests only, and {digest} has other tags"
    )]
    SharedManifest {
        /// What was to go.
        reference: Reference,
        /// What it names.
        digest: Box<Digest>,
        /// The other tags.
        others: Vec<Tag>,
    },
    /// A registry that deletes nothing.
    #[error("remove from `{repository}`: the registry does not let manifests be deleted")]
    NotDeletable {
        /// The repository.
        repository: RepositoryName,
    },
    /// A file with settings of hosts cannot be used.
    #[error(transparent)]
    HostFile(#[from] HostFileError),
    /// Credentials cannot be had.
    #[error(transparent)]
    Credential(#[from] CredentialError),
}

/// Why a redirect is not followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RedirectProblem {
    /// There have been too many.
    #[error("and so on without an end")]
    TooMany,
    /// From https to http.
    #[error("which is not encrypted")]
    Downgrade,
}

/// What is wrong with an answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnswerProblem {
    /// A header that the specification demands is missing or malformed.
    #[error("the answer has no usable `{0}` header")]
    Header(&'static str),
    /// A body that is not the JSON that belongs there.
    #[error("the answer is not the JSON that belongs there: {0}")]
    Json(String),
    /// A body larger than it has any reason to be.
    #[error("the answer is larger than {0} bytes")]
    TooLarge(u64),
    /// A successful status that does not belong there.
    #[error("the answer's status {0} does not belong there")]
    Status(StatusCode),
    /// A part of a blob that was not asked for.
    #[error("the answer is not the part of the blob that was asked for")]
    WrongRange,
    /// A chunk that was taken has not arrived.
    #[error("the registry took a chunk up to byte {sent} and then said that it has {at}")]
    LostChunk {
        /// How many bytes the registry says it has.
        at: u64,
        /// How many it should have.
        sent: u64,
    },
    /// The token service sent no token.
    #[error("the answer holds no token")]
    NoToken,
}

/// Method and URL, as they may be shown: `GET https://host/v2/…`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestLine {
    /// The method.
    pub method: Method,
    /// The URL, without its query.
    pub url: PublicUrl,
}

impl RequestLine {
    pub(crate) fn new(method: &Method, url: &Url) -> Self {
        RequestLine { method: method.clone(), url: PublicUrl::from(url) }
    }
}

impl fmt::Display for RequestLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.url)
    }
}

/// Who a request spoke for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    /// Nobody: there is no credential for this registry.
    Anonymous,
    /// The user of a name and a password.
    User(String),
    /// Whoever an identity token or a bearer token stands for.
    Token,
    /// Whoever a cloud's own login stands for.
    Cloud(CloudSource),
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Identity::Anonymous => f.write_str("an anonymous user"),
            Identity::User(name) => write!(f, "user `{name}`"),
            Identity::Token => f.write_str("the holder of the stored token"),
            Identity::Cloud(source) => write!(f, "whoever {source} stands for"),
        }
    }
}

impl Error {
    /// The way out, if there is one to offer.
    pub fn hint(&self) -> Option<String> {
        match self {
            Error::Unauthorized { identity: Identity::Anonymous, registry, .. }
            | Error::Denied { identity: Identity::Anonymous, registry, .. } => {
                Some(format!("log in with `plywood login {registry}`"))
            }
            Error::Unauthorized { identity: Identity::Cloud(source), registry, .. }
            | Error::Denied { identity: Identity::Cloud(source), registry, .. } => {
                Some(cloud_hint(source, registry))
            }
            Error::Unauthorized { registry, .. } => Some(format!(
                "the stored credential is wrong or has expired; log in again with \
                 `plywood login {registry}`"
            )),
            Error::Denied { .. } => {
                Some("ask the registry's owner for access, or check the repository's name".into())
            }
            Error::RateLimited { retry_after: Some(wait), .. } => {
                Some(format!("try again in {} s", wait.as_secs().max(1)))
            }
            Error::RateLimited { .. } => {
                Some("try again later, or log in for a higher limit".into())
            }
            Error::Tls { request, cause } | Error::Connection { request, cause } => {
                tls_hint(request, cause)
            }
            Error::Refused { request, status: StatusCode::BAD_REQUEST, answers } => {
                bad_request_hint(request, answers)
            }
            Error::Blocked { file, .. } => {
                Some(format!("take `blocked` out of {} if that is not meant", file.display()))
            }
            Error::AfterMirrors { error, .. } => error.hint(),
            Error::DamagedMirror { mirror, .. } => {
                Some(format!("take {mirror} out of the mirrors until its copy is right"))
            }
            Error::HostFile(error) => error.hint(),
            Error::ManifestNotFound { .. } => {
                Some("check the name and the tag; the registry lists the tags that exist".into())
            }
            Error::PlainCredential { url } => {
                let host = host_of(url)?;
                Some(format!("if it is to be trusted on plain http, pass `--insecure {host}`"))
            }
            Error::DigestMismatch { .. } | Error::SizeMismatch { .. } | Error::Truncated { .. } => {
                Some("what the registry holds is damaged; push it there again".into())
            }
            Error::SharedManifest { others, .. } => {
                let names: Vec<&str> = others.iter().take(8).map(Tag::as_str).collect();
                let more = if others.len() > 8 { ", …" } else { "" };
                let names = names.join(", ");
                Some(format!("to remove it with {names}{more}, pass `--force`"))
            }
            Error::NotDeletable { .. } => {
                Some("let its owner turn deletion on (Docker's: `storage.delete.enabled`)".into())
            }
            Error::Credential(error) => error.hint(),
            _ => None,
        }
    }

    /// What the registry said, where it said something.
    pub fn answers(&self) -> Option<&Answers> {
        match self {
            Error::Refused { answers, .. }
            | Error::Unauthorized { answers, .. }
            | Error::Denied { answers, .. }
            | Error::RateLimited { answers, .. }
            | Error::ManifestNotFound { answers, .. }
            | Error::RepositoryNotFound { answers, .. }
            | Error::ManifestBlobUnknown { answers, .. } => Some(answers),
            _ => None,
        }
    }

    /// The status that the registry answered with, where this is about one.
    pub fn status(&self) -> Option<StatusCode> {
        match self {
            Error::Refused { status, .. } => Some(*status),
            Error::Unauthorized { .. } => Some(StatusCode::UNAUTHORIZED),
            Error::Denied { .. } => Some(StatusCode::FORBIDDEN),
            Error::RateLimited { .. } => Some(StatusCode::TOO_MANY_REQUESTS),
            Error::AfterMirrors { error, .. } => error.status(),
            _ => None,
        }
    }
}

/// The ways out where TLS is what failed, for the host that it failed at.
fn tls_hint(request: &RequestLine, cause: &str) -> Option<String> {
    let has = |words: &[&str]| words.iter().any(|word| cause.contains(word));
    let host = host_of(&request.url)?;
    // What the other side says of a certificate is about ours.
    if cause.contains("fatal alert") || has(&["SSL certificate"]) {
        return Some(format!(
            "if the registry demands a client certificate, put NAME.cert and NAME.key \
             into /etc/containers/certs.d/{host}, or give their directory with `--cert-dir`"
        ));
    }
    let other = ["certificate", "InvalidContentType", "corrupt message", "handshake", "HTTPS"];
    has(&other).then(|| {
        format!(
            "if the registry has a certificate of its own, give its CA with `--ca FILE` or put it \
             into /etc/containers/certs.d/{host}/ca.crt; `--insecure {host}` does without \
             verification, and takes plain http"
        )
    })
}

/// What stands in front of a registry answers 400 to a request without TLS, or without a client
/// certificate. The answer to a HEAD cannot say which.
fn bad_request_hint(request: &RequestLine, answers: &Answers) -> Option<String> {
    let cause =
        if request.url.as_str().starts_with("https:") { "SSL certificate" } else { "HTTPS" };
    if request.method == Method::HEAD && answers.0.is_empty() {
        return tls_hint(request, cause);
    }
    answers.0.iter().find_map(|answer| tls_hint(request, &answer.message))
}

/// `host[:port]`, as flags and directories name it.
fn host_of(url: &PublicUrl) -> Option<String> {
    let url = Url::parse(url.as_str()).ok()?;
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    Some(format!("{}{port}", url.host_str()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answers::tls_answer;

    #[test]
    fn answers_about_tls() {
        let url = Url::parse("https://h.example:5000/v2/").unwrap();
        let show = |body: &str| match tls_answer(body.as_bytes()) {
            Some(answers) => {
                let request = RequestLine::new(&Method::GET, &url);
                let status = StatusCode::BAD_REQUEST;
                let error = Error::Refused { request, status, answers };
                format!("{error} | {}", error.hint().unwrap_or_default())
            }
            None => "nothing".to_owned(),
        };
        insta::assert_snapshot!(show("<html><head><title>400 No required SSL certificate was sent</title></head>"), @"GET https://h.example:5000/v2/: the registry answered 400 Bad Request: No required SSL certificate was sent | if the registry demands a client certificate, put NAME.cert and NAME.key into /etc/containers/certs.d/h.example:5000, or give their directory with `--cert-dir`");
        insta::assert_snapshot!(show("Client sent an HTTP request to an HTTPS server.\n"), @"GET https://h.example:5000/v2/: the registry answered 400 Bad Request: Client sent an HTTP request to an HTTPS server. | if the registry has a certificate of its own, give its CA with `--ca FILE` or put it into /etc/containers/certs.d/h.example:5000/ca.crt; `--insecure h.example:5000` does without verification, and takes plain http");
        insta::assert_snapshot!(show("<title>400 Bad Request</title>"), @"nothing");
    }

    #[test]
    fn hints_name_the_way_out() {
        let url = Url::parse("https://h.example/v2/a/blobs/x").unwrap();
        let request = || RequestLine::new(&Method::GET, &url);
        let hint = |error: Error| error.hint().unwrap_or_default();
        let denied = |identity| Error::Denied {
            request: request(),
            identity,
            answers: Answers::default(),
            registry: "h.example".into(),
        };
        insta::assert_snapshot!(hint(denied(Identity::Anonymous)), @"log in with `plywood login h.example`");
        insta::assert_snapshot!(hint(denied(Identity::User("u".into()))), @"ask the registry's owner for access, or check the repository's name");
        let missing =
            Error::ManifestNotFound { reference: "a:b".into(), answers: Answers::default() };
        insta::assert_snapshot!(hint(missing), @"check the name and the tag; the registry lists the tags that exist");
        let damaged = Error::Truncated { request: request(), wanted: 2, received: 1 };
        insta::assert_snapshot!(hint(damaged), @"what the registry holds is damaged; push it there again");
        let limited = |retry_after| {
            hint(Error::RateLimited {
                request: request(),
                retry_after,
                answers: Answers::default(),
            })
        };
        insta::assert_snapshot!(limited(Some(Duration::from_millis(1))), @"try again in 1 s");
        insta::assert_snapshot!(limited(None), @"try again later, or log in for a higher limit");
    }
}
