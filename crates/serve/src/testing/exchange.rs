//! One request and its answer, through everything that the test registry puts around a registry.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::header::{
    CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, HOST, LOCATION, RANGE, RETRY_AFTER,
    TRANSFER_ENCODING,
};
use hyper::http::request::Parts;
use hyper::{Method, Request, Response, StatusCode};
use oci::{Digest, MAX_MANIFEST_BYTES};

use super::after::{after, objection};
use super::before::{Verdict, before, error, length};
use super::behaviour::{BadManifest, Behaviour, Chunks, Hosts, Resumptions};
use super::bodies::{Intake, Script, Step, counted};
use super::connection::Ending;
use super::fault::Effect;
use super::log::{Counter, Entry, Recorded};
use super::{Shared, doors, tokens};
use crate::answer::{Answer, Body, Content, whole};
use crate::registry::CONTENT_DIGEST;
use crate::request::{Asked, bounded, drain};
use crate::route::Route;

/// The largest form that the token service reads.
const MAX_FORM_BYTES: u64 = 1 << 20;

/// A request, and by which name the registry was called.
pub(super) struct Visitor {
    pub(super) asked: Asked,
    /// `http://HOST`, as the registry speaks of itself in answers to this request.
    pub(super) base: String,
    host: String,
    query: String,
}

impl Visitor {
    fn new(shared: &Shared, behaviour: &Behaviour, head: Parts) -> Self {
        // A proxy is asked for whole URLs (RFC 9112, 3.2.2).
        let named = head.uri.authority().map(|authority| authority.as_str());
        let header = || head.headers.get(HOST).and_then(|value| value.to_str().ok());
        let host = named.or_else(header).unwrap_or_default().to_owned();
        let base = match behaviour.hosts {
            Hosts::AsRequested if !host.is_empty() => format!("http://{host}"),
            _ => format!("http://{}", shared.address),
        };
        let query = head.uri.query().unwrap_or_default().to_owned();
        Visitor { asked: Asked::new(head), base, host, query }
    }

    fn record(&self, status: Option<StatusCode>, sent_from: u64) -> Recorded {
        let asked = &self.asked;
        let range = asked.header(RANGE).or(asked.header(CONTENT_RANGE)).map(str::to_owned);
        Recorded {
            method: asked.method.to_string(),
            host: self.host.clone(),
            path: asked.path.clone(),
            query: self.query.clone(),
            status: status.map(|status| status.as_u16()),
            received: 0,
            sent: 0,
            sent_from,
            presented: doors::presented(&asked.headers),
            range,
            chunked: asked.headers.contains_key(TRANSFER_ENCODING),
        }
    }
}

/// Answers, or says how the connection ends.
pub(super) async fn exchange(
    shared: &Shared,
    request: Request<Incoming>,
) -> Result<Response<Body>, Ending> {
    let (head, body) = request.into_parts();
    let (behaviour, effect, dropped) = {
        let mut state = shared.state();
        let fault = state.fault(head.method.as_str(), &head.uri.to_string());
        let dropped = state.is_dropped(head.method.as_str());
        (state.behaviour.clone(), fault.map(|fault| fault.effect), dropped)
    };
    let visitor = Visitor::new(shared, &behaviour, head);
    let cap = Cap::of(&behaviour, &visitor.asked);
    let (received, exceeded) = (Counter::default(), Arc::new(AtomicBool::new(false)));
    let intake = Intake {
        received: received.clone(),
        effect: effect.clone(),
        limit: cap.map(|cap| cap.bytes),
        exceeded: exceeded.clone(),
    };
    let mut body = intake.of(body);
    let mut logging = Logging { shared, visitor: &visitor, received, is_done: false };
    let answered = match dropped {
        true => Err(Ending::Close),
        false => answer(shared, &visitor, &mut body, effect.as_ref()).await,
    };
    let answered = match (answered, cap) {
        (Err(Ending::Close), Some(cap)) if exceeded.load(Ordering::Relaxed) => Ok(cap.refusal()),
        (answered, _) => answered,
    };
    let sent = logging.done(answered.as_ref().ok());
    send(shared, &visitor, answered?, effect.as_ref(), sent)
}

/// The entry of a request in the log, which it gets when it is answered, or when its client is gone
/// before that.
struct Logging<'a> {
    shared: &'a Shared,
    visitor: &'a Visitor,
    received: Counter,
    is_done: bool,
}

impl Logging<'_> {
    /// Logs the request with its answer; what is counted here is what of it was sent.
    fn done(&mut self, answer: Option<&Answer>) -> Counter {
        self.is_done = true;
        let status = answer.map(|answer| answer.status);
        let recorded = self.visitor.record(status, answer.and_then(first_byte).unwrap_or_default());
        let (received, sent) = (self.received.clone(), Counter::default());
        self.shared.state().log.push(Entry { recorded, received, sent: sent.clone() });
        sent
    }
}

impl Drop for Logging<'_> {
    fn drop(&mut self) {
        if !self.is_done {
            self.done(None);
        }
    }
}

/// Where in the blob the answer begins: `Content-Range: bytes FIRST-LAST/SIZE`.
fn first_byte(answer: &Answer) -> Option<u64> {
    let range = answer.headers.get(CONTENT_RANGE)?.to_str().ok()?.strip_prefix("bytes ")?;
    range.split_once('-')?.0.parse().ok()
}

/// The most that a body may have, and who says so.
#[derive(Debug, Clone, Copy)]
struct Cap {
    bytes: u64,
    status: u16,
}

impl Cap {
    fn of(behaviour: &Behaviour, asked: &Asked) -> Option<Self> {
        let proxy = behaviour.body_limit.map(|bytes| Cap { bytes, status: 413 });
        let chunk = match behaviour.chunks {
            Chunks::AtMost(bytes) if asked.method == Method::PATCH => {
                Some(Cap { bytes, status: 416 })
            }
            _ => None,
        };
        proxy.into_iter().chain(chunk).min_by_key(|cap| cap.bytes)
    }

    fn refusal(self) -> Answer {
        if self.status == 413 {
            let page = "<html><title>413 Request Entity Too Large</title></html>";
            let content = Content::Bytes(Bytes::from_static(page.as_bytes()));
            return Answer::new(StatusCode::PAYLOAD_TOO_LARGE, content)
                .with(CONTENT_TYPE, "text/html");
        }
        let limit = self.bytes as f64 / f64::from(1 << 20);
        let message = format!("exceeds the maximum permissible limit of {limit:.2}MiB");
        error(self.status, "BLOB_UPLOAD_INVALID", &message)
    }
}

/// The answer as it should be, by this registry's lights.
async fn answer(
    shared: &Shared,
    visitor: &Visitor,
    body: &mut Body,
    effect: Option<&Effect>,
) -> Result<Answer, Ending> {
    let closed = |_| Ending::Close;
    if let Some(instead) = instead(effect) {
        if !matches!(instead, Err(Ending::Reset)) {
            drain(body).await.map_err(closed)?;
        }
        return instead;
    }
    if let Some(Effect::Stall(time)) = effect {
        tokio::time::sleep(*time).await;
    }
    let behaviour = shared.state().behaviour.clone();
    if tokens::is_for(&behaviour.door, &visitor.asked.path) {
        let form = bounded(body, MAX_FORM_BYTES).await.map_err(|_| Ending::Close)?;
        return Ok(tokens::answer(shared, visitor, &form.unwrap_or_default()).await);
    }
    let oversized = Cap::of(&behaviour, &visitor.asked)
        .filter(|cap| length(&visitor.asked).is_some_and(|length| length > cap.bytes));
    let refusal = oversized.map(Cap::refusal).or_else(|| {
        let mut state = shared.state();
        doors::refuse(&mut state, visitor)
    });
    if let Some(refusal) = refusal {
        drain(body).await.map_err(closed)?;
        return Ok(refusal);
    }
    let answer = pass(shared, visitor, body, &behaviour).await?;
    let answer = after(shared, visitor, answer);
    match effect {
        Some(Effect::AnswerLost) => {
            note_untold(shared, visitor, &answer);
            Err(Ending::Reset)
        }
        _ => Ok(answer),
    }
}

/// Remembers a session whose location never arrives: nobody can go on with it, or delete it.
fn note_untold(shared: &Shared, visitor: &Visitor, answer: &Answer) {
    let opens = matches!(visitor.asked.route(), Route::Uploads(_));
    let location = answer.headers.get(LOCATION).and_then(|location| location.to_str().ok());
    let Some(path) = location.filter(|_| opens).and_then(|it| it.split('?').next()) else { return };
    if let Some((_, id)) = path.split_once("/blobs/uploads/") {
        shared.state().untold.insert(id.to_owned());
    }
}

/// What an effect puts in an answer's place.
fn instead(effect: Option<&Effect>) -> Option<Result<Answer, Ending>> {
    Some(match effect? {
        Effect::Status { code, retry_after } => {
            let answer = error(*code, "UNAVAILABLE", "as the test wants it");
            Ok(match retry_after {
                Some(text) => answer.with(RETRY_AFTER, text),
                None => answer,
            })
        }
        Effect::Reset => Err(Ending::Reset),
        Effect::Garbage => Err(Ending::CloseAfter(Bytes::from_static(b"SSH-2.0-OpenSSH_9.2\r\n"))),
        Effect::BareNewlines { retry_after } => {
            let text = format!(
                "HTTP/1.1 429 Too Many Requests\nRetry-After: {retry_after}\n\
                 Content-Type: text/plain\nConnection: close\n\nToo Many Requests\n"
            );
            Err(Ending::CloseAfter(Bytes::from(text)))
        }
        _ => return None,
    })
}

/// Lets the registry answer, with what this one has against the request or makes of it.
async fn pass(
    shared: &Shared,
    visitor: &Visitor,
    body: &mut Body,
    behaviour: &Behaviour,
) -> Result<Answer, Ending> {
    let mut asked = visitor.asked.clone();
    let verdict = before(shared, &mut asked);
    if let Verdict::Refuse(_) | Verdict::PassWithoutBody = verdict {
        drain(body).await.map_err(|_| Ending::Close)?;
    }
    let is_manifest = matches!(asked.route(), Route::Manifest(..)) && asked.method == Method::PUT;
    let answered = match verdict {
        Verdict::Refuse(answer) => return Ok(answer),
        Verdict::PassWithoutBody => {
            asked.headers.remove(CONTENT_LENGTH);
            shared.registry.answer(&asked, &mut whole(Bytes::new())).await
        }
        Verdict::Pass if is_manifest => {
            let bytes = bounded(body, MAX_MANIFEST_BYTES + 1).await.map_err(|_| Ending::Close)?;
            let Some(bytes) = bytes else {
                drain(body).await.map_err(|_| Ending::Close)?;
                return Ok(Answer::empty(StatusCode::PAYLOAD_TOO_LARGE));
            };
            if let Some(objection) = objection(shared, visitor, &bytes) {
                return Ok(objection);
            }
            shared.registry.answer(&asked, &mut whole(bytes)).await
        }
        Verdict::Pass => shared.registry.answer(&asked, body).await,
    };
    if let (None, Route::Session(_, id), Resumptions::Lost) =
        (&answered, asked.route(), behaviour.resumptions)
    {
        shared.registry.sessions.remove(id);
    }
    answered.ok_or(Ending::Close)
}

/// The answer as it goes out.
fn send(
    shared: &Shared,
    visitor: &Visitor,
    mut answer: Answer,
    effect: Option<&Effect>,
    sent: Counter,
) -> Result<Response<Body>, Ending> {
    let method = &visitor.asked.method;
    if let Some(Effect::WrongDigest) = effect
        && answer.headers.contains_key(CONTENT_DIGEST)
    {
        answer = answer.with(CONTENT_DIGEST, Digest::of(b"other bytes").to_string());
    }
    let oversized = shared.state().behaviour.manifests == BadManifest::Oversized
        && *method == Method::GET
        && matches!(visitor.asked.route(), Route::Manifest(..))
        && answer.status.is_success();
    if effect.is_none() && !oversized {
        let is_head = *method == Method::HEAD;
        let response = answer.into_response(method);
        return Ok(if is_head { response } else { response.map(|body| counted(body, sent)) });
    }
    let body = answer.content.read().map_err(|_| Ending::Close)?;
    answer.content = Content::Bytes(body.clone());
    match effect {
        Some(Effect::CutAnswer { after }) => {
            let cut = usize::try_from(*after).unwrap_or(usize::MAX);
            let raw = raw(&answer, &body, method, 0);
            if cut < raw.len() {
                note_untold(shared, visitor, &answer);
            }
            let cut = cut.min(raw.len());
            Err(Ending::ResetAfter(raw.slice(..cut)))
        }
        Some(Effect::WrongLength { by }) => {
            Err(Ending::CloseAfter(raw(&answer, &body, method, *by)))
        }
        _ if *method == Method::HEAD => Ok(answer.into_response(method)),
        _ => {
            let mut script = Script::of(body, effect);
            if oversized {
                let blanks = Step::Bytes(Bytes::from(vec![b' '; 64 * 1024]));
                script.steps.extend(std::iter::repeat_n(blanks, 128));
                script.length = None;
            }
            Ok(played(answer, script, sent))
        }
    }
}

fn played(answer: Answer, script: Script, sent: Counter) -> Response<Body> {
    let mut response = Response::new(whole(Bytes::new()));
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers;
    if let Some(length) = script.length.filter(|_| answer.status != StatusCode::NO_CONTENT) {
        response.headers_mut().insert(CONTENT_LENGTH, length.into());
    }
    *response.body_mut() = script.play(sent);
    response
}

/// An answer in the bytes of HTTP/1.1, with a length that is wrong by `by`.
fn raw(answer: &Answer, body: &[u8], method: &Method, by: i64) -> Bytes {
    let length = (body.len() as u64).saturating_add_signed(by);
    let mut raw = format!("HTTP/1.1 {}\r\n", answer.status).into_bytes();
    for (name, value) in &answer.headers {
        raw.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    }
    raw.extend(format!("content-length: {length}\r\n\r\n").bytes());
    if *method != Method::HEAD {
        raw.extend_from_slice(body);
    }
    Bytes::from(raw)
}
