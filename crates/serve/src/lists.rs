//! Lists: tags and referrers (distribution-spec 1.1, "Content Discovery"), and Docker's list of
//! repositories.

use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::{CONTENT_TYPE, HeaderName, LINK};
use oci::ImageIndex;
use serde_json::json;
use url::form_urlencoded;

use crate::answer::{Answer, Content};
use crate::name::RepositoryPath;
use crate::refusal::{ErrorCode, Refusal};
use crate::registry::{Registry, digest};
use crate::relations::Referral;
use crate::request::Asked;

const FILTERS: HeaderName = HeaderName::from_static("oci-filters-applied");

impl Registry {
    /// end-8a and end-8b.
    pub(crate) fn tags(&self, name: &RepositoryPath, asked: &Asked) -> Result<Answer, Refusal> {
        let unknown =
            || Refusal::new(ErrorCode::NameUnknown, "repository name not known to registry");
        let index = self.storage.index(name)?.ok_or_else(unknown)?;
        let page = Page::of(&index.tags(), asked)?;
        let answer = json!({"name": name.as_str(), "tags": page.entries});
        Ok(page.link(Answer::json(StatusCode::OK, &answer), asked))
    }

    pub(crate) fn catalog(&self, asked: &Asked) -> Result<Answer, Refusal> {
        let all = self.storage.repositories()?;
        let names: Vec<&str> = all.iter().map(RepositoryPath::as_str).collect();
        let page = Page::of(&names, asked)?;
        let answer = json!({"repositories": page.entries});
        Ok(page.link(Answer::json(StatusCode::OK, &answer), asked))
    }

    /// end-12a and end-12b. What nobody refers to has an empty list, there or not.
    pub(crate) fn referrers(
        &self,
        name: &RepositoryPath,
        reference: &str,
        asked: &Asked,
    ) -> Result<Answer, Refusal> {
        let subject = digest(reference)?;
        let wanted = asked.parameter("artifactType");
        let index = self.storage.index(name)?.unwrap_or_default();
        let mut found = Vec::new();
        for listed in index.manifests() {
            let Some(bytes) = self.bytes(name, &listed.digest)? else { continue };
            let Some(referral) = Referral::of(&bytes) else { continue };
            if referral.subject() != Some(subject) {
                continue;
            }
            let referrer = referral.describe(listed.clone());
            let artifact_type = referrer.artifact_type.as_ref().map(|kind| kind.as_str());
            if wanted.is_none() || wanted == artifact_type {
                found.push(referrer);
            }
        }
        let list = ImageIndex::new(found, Default::default());
        let content = Content::Bytes(Bytes::copy_from_slice(list.bytes()));
        let answer =
            Answer::new(StatusCode::OK, content).with(CONTENT_TYPE, list.media_type().as_str());
        Ok(if wanted.is_some() { answer.with(FILTERS, "artifactType") } else { answer })
    }
}

/// A part of a sorted list.
struct Page<'a> {
    entries: Vec<&'a str>,
    /// The query of the next page, if there is one.
    next: Option<String>,
}

impl<'a> Page<'a> {
    /// At most `n` entries after `last`, which does not have to be one of them.
    fn of(all: &[&'a str], asked: &Asked) -> Result<Self, Refusal> {
        let bad = |_| Refusal::new(ErrorCode::Unsupported, "`n` is not a number");
        let most = asked.parameter("n").map(str::parse::<usize>).transpose().map_err(bad)?;
        let last = asked.parameter("last").unwrap_or_default();
        let rest = &all[all.partition_point(|entry| *entry <= last)..];
        let most = most.unwrap_or(rest.len());
        let entries = rest[..most.min(rest.len())].to_vec();
        let next = entries.last().filter(|_| most < rest.len()).map(|last| {
            let mut query = form_urlencoded::Serializer::new(String::new());
            query.append_pair("n", &most.to_string()).append_pair("last", last).finish()
        });
        Ok(Page { entries, next })
    }

    /// RFC 8288.
    fn link(&self, answer: Answer, asked: &Asked) -> Answer {
        match &self.next {
            Some(query) => answer.with(LINK, format!("<{}?{query}>; rel=\"next\"", asked.path)),
            None => answer,
        }
    }
}
