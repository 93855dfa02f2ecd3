//! Answers of the test registry, and the ways in which their bodies go wrong.

use std::io;

use bytes::Bytes;
use futures_util::stream;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Empty, Full, StreamBody};
use hyper::body::Frame;
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{Method, Response, StatusCode};

use crate::testing::behaviour::Effect;

pub(super) type Body = BoxBody<Bytes, io::Error>;

/// An answer as it should be; what goes wrong with it comes on top.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: Vec<(HeaderName, String)>,
    pub(super) body: Bytes,
}

impl Answer {
    pub(super) fn empty(status: StatusCode) -> Self {
        Answer { status, headers: Vec::new(), body: Bytes::new() }
    }

    /// An error as the specification writes it ("Error Codes").
    pub(super) fn error(status: u16, code: &str, message: &str) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self::json(status, &serde_json::json!({"errors": [{"code": code, "message": message}]}))
    }

    pub(super) fn json(status: StatusCode, value: &serde_json::Value) -> Self {
        let answer = Answer { status, headers: Vec::new(), body: Bytes::from(value.to_string()) };
        answer.with(CONTENT_TYPE, "application/json")
    }

    pub(super) fn with(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// As it goes out, broken by `effect` if there is one.
    pub(super) fn finish(self, method: &Method, effect: Option<&Effect>) -> Response<Body> {
        let mut bytes = self.body;
        match effect {
            Some(Effect::Corrupt) if !bytes.is_empty() => {
                let mut other = bytes.to_vec();
                other[0] ^= 1;
                bytes = Bytes::from(other);
            }
            Some(Effect::Shorten) if !bytes.is_empty() => bytes = bytes.slice(..bytes.len() - 1),
            _ => {}
        }
        let length = bytes.len();
        let body = match effect {
            _ if *method == Method::HEAD => Empty::new().map_err(|never| match never {}).boxed(),
            Some(Effect::ResetDownload { after }) => breaking(&bytes, *after),
            _ => Full::new(bytes).map_err(|never| match never {}).boxed(),
        };
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        for (name, value) in self.headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                response.headers_mut().append(name, value);
            }
        }
        if self.status != StatusCode::NO_CONTENT {
            response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
        }
        response
    }
}

/// A body that ends in an error, at which the server closes the connection.
fn breaking(bytes: &Bytes, after: u64) -> Body {
    let kept = bytes.slice(..bytes.len().min(usize::try_from(after).unwrap_or(usize::MAX)));
    let broken = Err(io::Error::from(io::ErrorKind::ConnectionReset));
    // The bytes have to be on their way before the connection goes down.
    let chunks = stream::unfold(Some((kept, broken)), |state| async move {
        let (kept, broken) = state?;
        if kept.is_empty() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            return Some((broken, None));
        }
        Some((Ok(Frame::data(kept)), Some((Bytes::new(), broken))))
    });
    BodyExt::boxed(StreamBody::new(Box::pin(chunks) as std::pin::Pin<Box<_>>))
}

/// A manifest followed by blanks to beyond every limit, without a length.
pub(super) fn oversized(manifest: &Bytes, media_type: &str) -> Response<Body> {
    let blanks = Bytes::from(vec![b' '; 64 * 1024]);
    let chunks = std::iter::once(manifest.clone())
        .chain(std::iter::repeat_n(blanks, 128))
        .map(|chunk| Ok::<_, io::Error>(Frame::data(chunk)));
    let mut response = Response::new(BodyExt::boxed(StreamBody::new(stream::iter(chunks))));
    if let Ok(value) = HeaderValue::from_str(media_type) {
        response.headers_mut().insert(CONTENT_TYPE, value);
    }
    response
}
