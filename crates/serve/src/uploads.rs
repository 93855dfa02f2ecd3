//! Blobs on their way in (distribution-spec 1.1, "Pushing blobs").

use hyper::header::{CONTENT_LENGTH, CONTENT_RANGE, HeaderName, LOCATION, RANGE};
use hyper::{Method, StatusCode};
use oci::{Algorithm, Digest};

use crate::answer::{Answer, Body};
use crate::name::RepositoryPath;
use crate::refusal::{ErrorCode, Refusal};
use crate::registry::{CONTENT_DIGEST, Registry, digest, not_allowed};
use crate::request::{Asked, Stop, next_bytes};
use crate::sessions::{Session, Turn, TurnOver};

const UPLOAD_ID: HeaderName = HeaderName::from_static("docker-upload-uuid");

impl Registry {
    /// POST to `blobs/uploads/`: a mount (end-11), a whole blob (end-4b), or a session (end-4a).
    pub(crate) async fn open_upload(
        &self,
        name: &RepositoryPath,
        asked: &Asked,
        body: &mut Body,
    ) -> Result<Answer, Stop> {
        if asked.method != Method::POST {
            return Err(not_allowed("POST").into());
        }
        if let Some(wanted) = asked.parameter("mount") {
            let wanted = digest(wanted)?;
            if self.mount(name, wanted, asked.parameter("from").map(str::to_owned)).await? {
                return Ok(created(name, &wanted));
            }
        }
        let whole = asked.parameter("digest").map(digest).transpose()?;
        let algorithm = match asked.parameter("digest-algorithm") {
            Some(text) => algorithm(text)?,
            None => whole.map_or(Algorithm::Sha256, |digest| digest.algorithm()),
        };
        let session = self.sessions.open(name, algorithm, self.storage.upload()?);
        let Some(digest) = whole else { return Ok(stand(&session, StatusCode::ACCEPTED)) };
        // Its client is never told of it, and may be gone before this ends.
        let _temporary = self.sessions.temporary(&session);
        let turn = session.take_turn();
        self.receive(&session, turn, body).await?;
        self.finish(&session, turn, digest).await
    }

    /// Whether the blob could be had from another repository: from the one that is named, or, where
    /// none is, from any: the registry "MAY cross-mount the blob if it can be found".
    async fn mount(
        &self,
        to: &RepositoryPath,
        digest: Digest,
        from: Option<String>,
    ) -> Result<bool, Stop> {
        let to = to.clone();
        self.aside(move |registry| {
            let sources = match from {
                // What is no name here may be one elsewhere; a session opens.
                Some(from) => from.parse().into_iter().collect(),
                None => registry.storage.repositories()?,
            };
            for from in &sources {
                if registry.storage.link_blob(from, &to, &digest)? {
                    return Ok(true);
                }
            }
            Ok(false)
        })
        .await
    }

    /// GET (end-13), PATCH (end-5), PUT (end-6) and DELETE (end-14) of a session.
    pub(crate) async fn go_on_with_upload(
        &self,
        name: &RepositoryPath,
        id: &str,
        asked: &Asked,
        body: &mut Body,
    ) -> Result<Answer, Stop> {
        let unknown =
            || Refusal::new(ErrorCode::BlobUploadUnknown, "blob upload unknown to registry");
        let session = self.sessions.find(name, id).ok_or_else(unknown)?;
        match asked.method {
            Method::GET => Ok(stand(&session, StatusCode::NO_CONTENT)),
            Method::DELETE => {
                self.sessions.remove(id);
                Ok(Answer::empty(StatusCode::NO_CONTENT))
            }
            Method::PATCH => {
                let turn = session.take_turn();
                in_order(&session, asked)?;
                self.receive(&session, turn, body).await?;
                Ok(stand(&session, StatusCode::ACCEPTED))
            }
            Method::PUT => {
                let no_digest = || Refusal::new(ErrorCode::DigestInvalid, "no digest was given");
                let digest = digest(asked.parameter("digest").ok_or_else(no_digest)?)?;
                let turn = session.take_turn();
                in_order(&session, asked)?;
                self.receive(&session, turn, body).await?;
                self.finish(&session, turn, digest).await
            }
            _ => Err(not_allowed("GET, PATCH, PUT, DELETE").into()),
        }
    }

    /// Takes a body in. If it breaks off, what came stays in the session; if it cannot be kept, the
    /// session ends, since nobody knows what of the last piece is there.
    async fn receive(&self, session: &Session, turn: Turn, body: &mut Body) -> Result<(), Stop> {
        while let Some(bytes) = next_bytes(body).await? {
            // A piece is copied and hashed here, which takes less time than to hand it over.
            let appended = session.append(turn, &bytes);
            appended.inspect_err(|_| self.sessions.remove(&session.id))??;
        }
        Ok(())
    }

    /// Makes what came a blob, if it is the one that was meant. The session ends in any case: what
    /// it has is right or of no use.
    async fn finish(&self, session: &Session, turn: Turn, digest: Digest) -> Result<Answer, Stop> {
        let mut received = session.finish(turn)?;
        self.sessions.remove(&session.id);
        let name = session.repository.clone();
        self.aside(move |_| {
            if received.digest(digest.algorithm())? != digest {
                let message = "provided digest did not match content";
                return Err(Refusal::new(ErrorCode::DigestInvalid, message).into());
            }
            received.upload.commit(&name, &digest)?;
            Ok(created(&name, &digest))
        })
        .await
    }
}

/// "Chunks MUST be uploaded in order, with the first byte of a chunk being the last chunk's
/// `<end-of-range>` plus one." A chunk without a range follows whatever is there.
fn in_order(session: &Session, asked: &Asked) -> Result<(), Refusal> {
    let Some(text) = asked.header(CONTENT_RANGE) else { return Ok(()) };
    let number = |text: &str| {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<u64>().ok().filter(|_| digits)
    };
    let range =
        text.split_once('-').and_then(|(first, last)| Some((number(first)?, number(last)?)));
    let Some((first, last)) = range.filter(|(first, last)| first <= last) else {
        let message = "the content range is not FIRST-LAST";
        return Err(Refusal::new(ErrorCode::BlobUploadInvalid, message));
    };
    let size = session.size();
    if first != size {
        let message = format!("the upload stands at {size}, and the chunk begins at {first}");
        return Err(Refusal::new(ErrorCode::BlobUploadInvalid, message)
            .status(StatusCode::RANGE_NOT_SATISFIABLE)
            .header(LOCATION, location(session))
            .header(RANGE, range_so_far(size)));
    }
    let length = asked.header(CONTENT_LENGTH).and_then(|text| text.parse::<u64>().ok());
    if length.is_some_and(|length| length != last - first + 1) {
        let message = "the content range has another length than the body";
        return Err(Refusal::new(ErrorCode::SizeInvalid, message));
    }
    Ok(())
}

impl From<TurnOver> for Refusal {
    fn from(_: TurnOver) -> Self {
        Refusal::new(ErrorCode::BlobUploadInvalid, "another request has gone on with this upload")
            .status(StatusCode::RANGE_NOT_SATISFIABLE)
    }
}

fn algorithm(text: &str) -> Result<Algorithm, Refusal> {
    [Algorithm::Sha256, Algorithm::Sha512]
        .into_iter()
        .find(|algorithm| algorithm.name() == text)
        .ok_or_else(|| Refusal::new(ErrorCode::Unsupported, "digests are sha256 and sha512 here"))
}

/// Where an upload stands.
fn stand(session: &Session, status: StatusCode) -> Answer {
    Answer::empty(status)
        .with(LOCATION, location(session))
        .with(RANGE, range_so_far(session.size()))
        .with(UPLOAD_ID, &session.id)
}

/// `0-0` is said of an empty session, too, as distribution does: the form has no word for nothing.
fn range_so_far(size: u64) -> String {
    format!("0-{}", size.saturating_sub(1))
}

/// A path, so that it holds under whatever name and through whatever proxy this was reached.
fn location(session: &Session) -> String {
    format!("/v2/{}/blobs/uploads/{}", session.repository, session.id)
}

fn created(name: &RepositoryPath, digest: &Digest) -> Answer {
    Answer::empty(StatusCode::CREATED)
        .with(LOCATION, format!("/v2/{name}/blobs/{digest}"))
        .with(CONTENT_DIGEST, digest.to_string())
}
