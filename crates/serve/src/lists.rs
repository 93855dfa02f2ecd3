//! Lists: tags and referrers (distribution-spec 1.1, "Content Discovery"), and Docker's list of
//! repositories.

use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::{CONTENT_TYPE, HeaderName, LINK};
use oci::{Descriptor, Digest, ImageIndex};
use serde_json::json;
use url::form_urlencoded;

use crate::answer::{Answer, Content};
use crate::name::RepositoryPath;
use crate::refusal::{ErrorCode, Refusal};
use crate::registry::Registry;
use crate::relations::Referral;
use crate::request::Asked;

/// How much a page of referrers holds, so that it stays a manifest that clients read.
const MAX_REFERRERS_BYTES: usize = 3 << 20;

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
        subject: &Digest,
        asked: &Asked,
    ) -> Result<Answer, Refusal> {
        let wanted = asked.parameter("artifactType");
        let last = asked.parameter("last").unwrap_or_default();
        let (mut page, mut size, mut next) = (Vec::new(), 0, None);
        for referrer in self.all_referrers(name, subject)? {
            let kind = referrer.artifact_type.as_ref().map(|kind| kind.as_str());
            let meant = wanted.is_none() || wanted == kind;
            if !meant || referrer.digest.to_string().as_str() <= last {
                continue;
            }
            size += oci::json::to_bytes(&referrer).len();
            if size > MAX_REFERRERS_BYTES && !page.is_empty() {
                next = page.last().map(|shown: &Descriptor| shown.digest.to_string());
                break;
            }
            page.push(referrer);
        }
        let list = ImageIndex::new(page, Default::default());
        let content = Content::Bytes(Bytes::copy_from_slice(list.bytes()));
        let mut answer =
            Answer::new(StatusCode::OK, content).with(CONTENT_TYPE, list.media_type().as_str());
        if let Some(last) = next {
            let kind = wanted.map(|kind| ("artifactType", kind));
            answer = linked(answer, asked, &query(kind.into_iter().chain([("last", &*last)])));
        }
        Ok(if wanted.is_some() { answer.with(FILTERS, "artifactType") } else { answer })
    }

    /// Sorted by digest.
    fn all_referrers(
        &self,
        name: &RepositoryPath,
        subject: &Digest,
    ) -> Result<Vec<Descriptor>, Refusal> {
        let index = self.storage.index(name)?.unwrap_or_default();
        let mut found = Vec::new();
        for listed in index.manifests() {
            let Some(bytes) = self.manifest_bytes(name, &listed.digest)? else { continue };
            let referral = Referral::of(&bytes);
            if let Some(referral) = referral.filter(|it| it.subject() == Some(*subject)) {
                found.push(referral.describe(listed.clone()));
            }
        }
        Ok(found)
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
        let next = entries
            .last()
            .filter(|_| most < rest.len())
            .map(|last| query([("n", most.to_string().as_str()), ("last", *last)].into_iter()));
        Ok(Page { entries, next })
    }

    fn link(&self, answer: Answer, asked: &Asked) -> Answer {
        match &self.next {
            Some(query) => linked(answer, asked, query),
            None => answer,
        }
    }
}

fn query<'a>(parameters: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish()
}

/// With a link to the next page (RFC 8288).
fn linked(answer: Answer, asked: &Asked, query: &str) -> Answer {
    answer.with(LINK, format!("<{}?{query}>; rel=\"next\"", asked.path))
}
