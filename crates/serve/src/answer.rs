//! Answers, and how their bodies go out: from memory, or from a file a piece at a time.

use std::fs::File;
use std::io::{self, Read};

use bytes::Bytes;
use futures_util::stream;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, Full, StreamBody};
use hyper::body::Frame;
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Response, StatusCode};

/// The body of a request or an answer.
pub(crate) type Body = UnsyncBoxBody<Bytes, io::Error>;

/// How much of a file is read at a time.
const PIECE_BYTES: u64 = 256 * 1024;

/// An answer that is not on its way yet.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) content: Content,
}

/// Bytes that are at hand.
#[derive(Debug)]
pub(crate) enum Content {
    /// In memory.
    Bytes(Bytes),
    /// In a file from where it stands, so many of them.
    File(File, u64),
}

impl Content {
    pub(crate) fn length(&self) -> u64 {
        match self {
            Content::Bytes(bytes) => bytes.len() as u64,
            Content::File(_, length) => *length,
        }
    }

    /// All of it; of a file once.
    pub(crate) fn read(&mut self) -> io::Result<Bytes> {
        match self {
            Content::Bytes(bytes) => Ok(bytes.clone()),
            Content::File(file, length) => {
                let mut bytes = Vec::new();
                file.by_ref().take(*length).read_to_end(&mut bytes)?;
                Ok(Bytes::from(bytes))
            }
        }
    }

    fn into_body(self) -> Body {
        match self {
            Content::Bytes(bytes) => whole(bytes),
            Content::File(file, length) => pieces(file, length),
        }
    }
}

impl Answer {
    pub(crate) fn new(status: StatusCode, content: Content) -> Self {
        Answer { status, headers: HeaderMap::new(), content }
    }

    pub(crate) fn empty(status: StatusCode) -> Self {
        Answer::new(status, Content::Bytes(Bytes::new()))
    }

    pub(crate) fn json(status: StatusCode, value: &serde_json::Value) -> Self {
        let answer = Answer::new(status, Content::Bytes(Bytes::from(value.to_string())));
        answer.with(CONTENT_TYPE, "application/json")
    }

    /// With a header; one whose value cannot be a header's is left out.
    pub(crate) fn with(mut self, name: HeaderName, value: impl AsRef<str>) -> Self {
        if let Ok(value) = HeaderValue::from_str(value.as_ref()) {
            self.headers.insert(name, value);
        }
        self
    }

    /// As it goes out. The answer to HEAD has the length of the body that GET would get.
    pub(crate) fn into_response(self, method: &Method) -> Response<Body> {
        let length = self.content.length();
        let body = match *method {
            Method::HEAD => Empty::new().map_err(|never| match never {}).boxed_unsync(),
            _ => self.content.into_body(),
        };
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        // RFC 9110, 8.6: none with 204.
        if self.status != StatusCode::NO_CONTENT {
            response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
        }
        response
    }
}

pub(crate) fn whole(bytes: Bytes) -> Body {
    Full::new(bytes).map_err(|never| match never {}).boxed_unsync()
}

fn pieces(file: File, length: u64) -> Body {
    let pieces = stream::try_unfold((file, length), |(file, left)| async move {
        if left == 0 {
            return Ok(None);
        }
        let read = tokio::task::spawn_blocking(move || read_piece(file, left));
        let (file, piece) = read.await.map_err(io::Error::other)??;
        let left = left - piece.len() as u64;
        Ok::<_, io::Error>(Some((Frame::data(piece), (file, left))))
    });
    StreamBody::new(pieces).boxed_unsync()
}

fn read_piece(mut file: File, left: u64) -> io::Result<(File, Bytes)> {
    let wanted = left.min(PIECE_BYTES);
    let mut piece = Vec::with_capacity(wanted as usize);
    file.by_ref().take(wanted).read_to_end(&mut piece)?;
    if piece.is_empty() {
        // A blob does not shrink: what is shorter than it was is damaged.
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok((file, Bytes::from(piece)))
}
