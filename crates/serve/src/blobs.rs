//! Blobs that are there (distribution-spec 1.1, "Pulling blobs", "Deleting Blobs").

use std::path::Path;

use hyper::header::{CONTENT_TYPE, ETAG};
use hyper::{Method, StatusCode};

use crate::Error;
use crate::answer::Answer;
use crate::name::RepositoryPath;
use crate::range;
use crate::refusal::{ErrorCode, Refusal};
use crate::registry::{CONTENT_DIGEST, Registry, digest, not_allowed};
use crate::request::{Asked, Stop};

impl Registry {
    /// GET, HEAD and DELETE of a blob: end-2 and end-10.
    pub(crate) fn blob(
        &self,
        name: &RepositoryPath,
        reference: &str,
        asked: &Asked,
    ) -> Result<Answer, Stop> {
        let unknown = || Refusal::new(ErrorCode::BlobUnknown, "blob unknown to registry");
        let digest = digest(reference)?;
        match asked.method {
            Method::GET | Method::HEAD => {
                let content = self.storage.blob(name, &digest)?.ok_or_else(unknown)?;
                let etag = format!("\"{digest}\"");
                let answer = Answer::new(StatusCode::OK, content)
                    .with(CONTENT_TYPE, "application/octet-stream")
                    .with(CONTENT_DIGEST, digest.to_string())
                    .with(ETAG, &etag);
                let place = Path::new(reference);
                Ok(range::part(answer, asked, &etag).map_err(Error::file("read", place))?)
            }
            Method::DELETE => {
                // Manifests are kept as blobs are, and are deleted as manifests.
                let index = self.storage.index(name)?.unwrap_or_default();
                let there =
                    index.find(&digest).is_none() && self.storage.remove_blob(name, &digest)?;
                if there { Ok(Answer::empty(StatusCode::ACCEPTED)) } else { Err(unknown().into()) }
            }
            _ => Err(not_allowed("GET, HEAD, DELETE").into()),
        }
    }
}
