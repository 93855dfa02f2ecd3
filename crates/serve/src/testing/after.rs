//! Peculiarities that show in the registry's answer, and checks of manifests that it does not make.

use bytes::Bytes;
use hyper::header::{
    ACCEPT, ACCEPT_RANGES, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION, RANGE, SET_COOKIE,
};
use hyper::{Method, StatusCode};
use oci::{Manifest, MediaType};
use serde_json::Value;

use super::Shared;
use super::before::{SESSION_STATE, error};
use super::behaviour::{
    AcceptRule, BadManifest, Behaviour, Chunks, Cookies, Downloads, HeadAnswers, HistoryCheck,
    Locations, ManifestTypes, MissingBlobs, Referrers,
};
use super::exchange::Visitor;
use crate::answer::{Answer, Content};
use crate::registry::CONTENT_DIGEST;
use crate::route::Route;

const SUBJECT: HeaderName = HeaderName::from_static("oci-subject");
const LEAST: HeaderName = HeaderName::from_static("oci-chunk-min-length");
const QUOTA: HeaderName = HeaderName::from_static("ratelimit-limit");
const QUOTA_LEFT: HeaderName = HeaderName::from_static("ratelimit-remaining");

/// The answer as this registry gives it.
pub(super) fn after(shared: &Shared, visitor: &Visitor, answer: Answer) -> Answer {
    let behaviour = shared.state().behaviour.clone();
    let mut answer = match visitor.asked.route() {
        Route::Uploads(_) | Route::Session(..) => upload(&behaviour, visitor, answer),
        Route::Blob(..) => blob(&behaviour, visitor, answer),
        Route::Manifest(..) => manifest(shared, &behaviour, visitor, answer),
        _ => answer,
    };
    if behaviour.cookies == Cookies::Held {
        let cookie = HeaderValue::from_static("sid=SECRET-COOKIE; Path=/; HttpOnly");
        answer.headers.insert(SET_COOKIE, cookie);
    }
    answer
}

fn upload(behaviour: &Behaviour, visitor: &Visitor, mut answer: Answer) -> Answer {
    let asked = &visitor.asked;
    let path = answer.headers.get(LOCATION).and_then(|value| value.to_str().ok());
    if let Some(path) = path.filter(|path| path.contains("/blobs/uploads/")) {
        let (name, value) = SESSION_STATE;
        let location = match behaviour.locations {
            Locations::Relative => path.to_owned(),
            Locations::RelativeWithQuery => format!("{path}?{name}={value}"),
            Locations::AbsoluteWithQuery => format!("{}{path}?{name}={value}", visitor.base),
        };
        answer = answer.with(LOCATION, location);
    }
    match behaviour.chunks {
        Chunks::FirstOnly if asked.method == Method::PATCH && answer.status.is_success() => {
            answer.status = StatusCode::CREATED;
            answer.with(RANGE, "0-10485759")
        }
        Chunks::AtLeast(least)
            if asked.method == Method::POST && answer.status == StatusCode::ACCEPTED =>
        {
            answer.with(LEAST, least.to_string())
        }
        _ => answer,
    }
}

fn blob(behaviour: &Behaviour, visitor: &Visitor, mut answer: Answer) -> Answer {
    let asked = &visitor.asked;
    let is_head = asked.method == Method::HEAD;
    if is_head
        && answer.status == StatusCode::NOT_FOUND
        && behaviour.heads == HeadAnswers::EveryBlobExists
    {
        return Answer::empty(StatusCode::OK);
    }
    match &behaviour.downloads {
        Downloads::RedirectTo(base)
            if asked.method == Method::GET && answer.status.is_success() =>
        {
            let to = format!("{base}{}?signature=SECRET-SIGNATURE", asked.path);
            Answer::empty(StatusCode::TEMPORARY_REDIRECT).with(LOCATION, to)
        }
        Downloads::WholeOnly => {
            answer.headers.remove(ACCEPT_RANGES);
            answer
        }
        _ => answer,
    }
}

fn manifest(
    shared: &Shared,
    behaviour: &Behaviour,
    visitor: &Visitor,
    mut answer: Answer,
) -> Answer {
    let asked = &visitor.asked;
    if behaviour.referrers == Referrers::Unknown {
        answer.headers.remove(SUBJECT);
    }
    if asked.method == Method::PUT {
        let unnamed = behaviour.checks.missing == MissingBlobs::Unnamed;
        return if unnamed { without_names(answer) } else { answer };
    }
    if !answer.status.is_success() || asked.method == Method::DELETE {
        return answer;
    }
    if behaviour.checks.accept == AcceptRule::Demanded && !is_accepted(visitor, &answer) {
        return error(404, "MANIFEST_UNKNOWN", "the manifest has a type that is not accepted");
    }
    if behaviour.heads == HeadAnswers::NoDigest {
        answer.headers.remove(CONTENT_DIGEST);
    }
    if behaviour.manifests == BadManifest::Corrupt
        && let Ok(bytes) = answer.content.read()
    {
        // Still a manifest, so that only its digest tells.
        answer.content = Content::Bytes(Bytes::from([b" ", bytes.as_ref()].concat()));
    }
    let Some(quota) = behaviour.quota else { return answer };
    let mut state = shared.state();
    if asked.method == Method::GET {
        state.pulls += 1;
    }
    let (window, left) = (quota.window.as_secs(), quota.pulls.saturating_sub(state.pulls));
    answer
        .with(QUOTA, format!("{};w={window}", quota.pulls))
        .with(QUOTA_LEFT, format!("{left};w={window}"))
}

/// An error about blobs that are missing becomes one about the manifest.
fn without_names(mut answer: Answer) -> Answer {
    let Ok(body) = answer.content.read() else { return answer };
    if body.windows(21).any(|part| part == b"MANIFEST_BLOB_UNKNOWN") {
        return error(400, "MANIFEST_INVALID", "manifest invalid");
    }
    answer.content = Content::Bytes(body);
    answer
}

fn is_accepted(visitor: &Visitor, answer: &Answer) -> bool {
    let Some(kind) = answer.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()) else {
        return true;
    };
    let accepted = visitor.asked.headers.get_all(ACCEPT).iter();
    let texts = accepted.filter_map(|value| value.to_str().ok());
    let mut kinds = texts.flat_map(|text| text.split(','));
    kinds.any(|accepted| MediaType::from(accepted) == MediaType::from(kind))
}

/// What is asked of a manifest beyond the specification, if it fails that.
pub(super) fn objection(shared: &Shared, visitor: &Visitor, bytes: &Bytes) -> Option<Answer> {
    let checks = shared.state().behaviour.checks;
    let Route::Manifest(name, _) = visitor.asked.route() else { return None };
    let Ok(Manifest::Image(image)) = Manifest::parse(bytes.to_vec(), None) else { return None };
    let foreign = || {
        let is_config =
            matches!(image.config().media_type, MediaType::OciConfig | MediaType::DockerConfig);
        let mut layers = image.layers().iter();
        !is_config || layers.any(|layer| layer.media_type.layer_compression().is_none())
    };
    if checks.types == ManifestTypes::ImagesOnly && foreign() {
        return Some(error(415, "MANIFEST_INVALID", "manifest schema unsupported"));
    }
    if checks.history == HistoryCheck::MatchesLayers {
        let config =
            shared.registry.manifest_bytes(&name.parse().ok()?, &image.config().digest).ok()??;
        let layers = layers_in_history(&config)?;
        if layers != image.layers().len() {
            let message = "the history has another number of layers than the manifest";
            return Some(error(400, "MANIFEST_INVALID", message));
        }
    }
    None
}

/// How many entries of a config's history have a layer; `None` where there is no history.
fn layers_in_history(config: &[u8]) -> Option<usize> {
    let config: Value = serde_json::from_slice(config).ok()?;
    let history = config.get("history")?.as_array()?;
    let is_empty = |entry: &&Value| entry["empty_layer"] == true;
    Some(history.len() - history.iter().filter(is_empty).count())
}
