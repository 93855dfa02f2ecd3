//! The registry: from a request to an answer.

use std::path::Path;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use hyper::header::HeaderName;
use hyper::{Method, StatusCode};
use oci::{Digest, MAX_MANIFEST_BYTES};
use serde_json::json;

use crate::answer::{Answer, Body};
use crate::name::RepositoryPath;
use crate::refusal::{ErrorCode, Refusal};
use crate::request::{Asked, Stop, drain};
use crate::route::Route;
use crate::sessions::Sessions;
use crate::storage::{Directory, Memory, Storage};
use crate::{Error, Result};

pub(crate) const CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");
const API_VERSION: HeaderName = HeaderName::from_static("docker-distribution-api-version");

/// Repositories, and the uploads under way. Clones are the same registry.
#[derive(Clone)]
pub struct Registry {
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) sessions: Arc<Sessions>,
    /// Held while the list of a repository is changed.
    pub(crate) listing: Arc<Mutex<()>>,
}

impl Registry {
    /// A registry that is gone with the process.
    pub fn in_memory() -> Self {
        Registry::over(Arc::new(Memory::default()))
    }

    /// A registry that keeps each repository as an OCI image layout `ROOT/NAME`. The directory is
    /// made if it is not there; another process that serves it is an error.
    pub fn in_directory(root: &Path) -> Result<Self> {
        Ok(Registry::over(Arc::new(Directory::open(root)?)))
    }

    fn over(storage: Arc<dyn Storage>) -> Self {
        Registry { storage, sessions: Arc::default(), listing: Arc::default() }
    }

    /// Answers a request; `None` if its body broke off. Unless it did, it has been read to its end.
    pub(crate) async fn answer(&self, asked: &Asked, body: &mut Body) -> Option<Answer> {
        let answer = match self.respond(asked, body).await {
            Ok(answer) => answer,
            Err(Stop::Refused(refusal)) => Answer::from(refusal),
            Err(Stop::BrokenBody) => return None,
        };
        drain(body).await.ok()?;
        Some(answer.with(API_VERSION, "registry/2.0"))
    }

    async fn respond(&self, asked: &Asked, body: &mut Body) -> Result<Answer, Stop> {
        let route = asked.route();
        if let Route::Manifest(name, reference) = route
            && asked.method == Method::PUT
        {
            return self.put_manifest(&repository(name)?, reference, asked, body).await;
        }
        match route {
            Route::Base => {
                only_reading(asked)?;
                Ok(Answer::json(StatusCode::OK, &json!({})))
            }
            Route::Catalog => {
                only_reading(asked)?;
                let asked = asked.clone();
                self.aside(move |registry| Ok(registry.catalog(&asked)?)).await
            }
            Route::Uploads(name) => self.open_upload(&repository(name)?, asked, body).await,
            Route::Session(name, id) => {
                self.go_on_with_upload(&repository(name)?, id, asked, body).await
            }
            Route::Blob(name, reference) => self.blob(&repository(name)?, reference, asked),
            Route::Manifest(name, reference) => {
                self.manifest(&repository(name)?, reference, asked).await
            }
            Route::Tags(name) => {
                only_reading(asked)?;
                Ok(self.tags(&repository(name)?, asked)?)
            }
            Route::Referrers(name, reference) => {
                only_reading(asked)?;
                let (name, subject, asked) = (repository(name)?, digest(reference)?, asked.clone());
                self.aside(move |registry| Ok(registry.referrers(&name, &subject, &asked)?)).await
            }
            Route::Unknown => {
                let refusal = Refusal::new(ErrorCode::Unsupported, "there is no such endpoint");
                Err(refusal.status(StatusCode::NOT_FOUND).into())
            }
        }
    }

    /// Does what takes as long as a disk does on a thread of its own, so that nobody else waits for
    /// it. What only looks a file up is not worth the way there.
    pub(crate) async fn aside<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Registry) -> Result<T, Stop> + Send + 'static,
    ) -> Result<T, Stop> {
        let registry = self.clone();
        match tokio::task::spawn_blocking(move || work(&registry)).await {
            Ok(done) => done,
            Err(error) => Err(Refusal::new(ErrorCode::Unknown, error.to_string()).into()),
        }
    }

    /// Makes bytes a blob of a repository.
    pub(crate) fn keep_bytes(
        &self,
        name: &RepositoryPath,
        digest: &Digest,
        bytes: &Bytes,
    ) -> Result<()> {
        let mut upload = self.storage.upload()?;
        upload.append(bytes)?;
        upload.commit(name, digest)
    }

    /// The bytes of a manifest; what is larger than one has no say.
    pub(crate) fn manifest_bytes(
        &self,
        name: &RepositoryPath,
        digest: &Digest,
    ) -> Result<Option<Bytes>> {
        let content = self.storage.blob(name, digest)?;
        let Some(mut content) = content.filter(|content| content.length() <= MAX_MANIFEST_BYTES)
        else {
            return Ok(None);
        };
        let path = Path::new(name.as_str()).join(digest.to_string());
        Ok(Some(content.read().map_err(Error::file("read", &path))?))
    }
}

/// A name from outside.
fn repository(name: &str) -> Result<RepositoryPath, Refusal> {
    let invalid = |_| Refusal::new(ErrorCode::NameInvalid, "this is not a repository's name");
    name.parse().map_err(invalid)
}

/// A digest from outside.
pub(crate) fn digest(text: &str) -> Result<Digest, Refusal> {
    text.parse().map_err(|error: oci::DigestError| {
        Refusal::new(ErrorCode::DigestInvalid, error.to_string())
    })
}

fn only_reading(asked: &Asked) -> Result<(), Refusal> {
    match asked.method {
        Method::GET | Method::HEAD => Ok(()),
        _ => Err(not_allowed("GET, HEAD")),
    }
}

/// The endpoint is there, and not for this method (RFC 9110, 15.5.6).
pub(crate) fn not_allowed(allowed: &str) -> Refusal {
    Refusal::new(ErrorCode::Unsupported, "this is not done here")
        .status(StatusCode::METHOD_NOT_ALLOWED)
        .header(hyper::header::ALLOW, allowed)
}

#[cfg(test)]
mod tests {
    use hyper::Request;

    use super::*;
    use crate::answer::whole;

    /// What fails on the registry's side is told, with the file.
    #[tokio::test]
    async fn failures_are_answered() {
        let root = tempfile::tempdir().unwrap();
        let registry = Registry::in_directory(root.path()).unwrap();
        registry.keep_bytes(&repository("app").unwrap(), &Digest::of(b"x"), &"x".into()).unwrap();
        std::fs::write(root.path().join("app/index.json"), "{").unwrap();
        let request = Request::get("/v2/app/tags/list").body(()).unwrap();
        let asked = Asked::new(request.into_parts().0);
        let mut answer = registry.answer(&asked, &mut whole(Bytes::new())).await.unwrap();
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
        let body = String::from_utf8(answer.content.read().unwrap().to_vec()).unwrap();
        let path = root.path().canonicalize().unwrap().display().to_string();
        insta::assert_snapshot!(body.replace(&path, "ROOT"), @r#"{"errors":[{"code":"UNKNOWN","message":"failed to read `ROOT/app/index.json`: EOF while parsing an object at line 1 column 1"}]}"#);
    }
}
