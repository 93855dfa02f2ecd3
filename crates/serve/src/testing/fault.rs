//! What goes wrong with single requests, at any byte, on the way in and on the way out.

use std::fmt;
use std::time::{Duration, SystemTime};

/// What goes wrong with single requests.
#[derive(Debug, Clone)]
pub struct Fault {
    /// Requests of this method (any if empty) …
    pub method: &'static str,
    /// … whose path and query have this in them …
    pub path: String,
    /// … are let through so many times …
    pub after: u32,
    /// … and then so many times …
    pub times: u32,
    /// … meet this.
    pub effect: Effect,
}

impl Fault {
    /// The next request of this kind meets `effect`, once.
    pub fn once(method: &'static str, path: impl Into<String>, effect: Effect) -> Self {
        Fault { method, path: path.into(), after: 0, times: 1, effect }
    }

    /// All requests of this kind meet `effect`.
    pub fn always(method: &'static str, path: impl Into<String>, effect: Effect) -> Self {
        Fault { method, path: path.into(), after: 0, times: u32::MAX, effect }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let method = if self.method.is_empty() { "any" } else { self.method };
        write!(f, "{method} {}", self.path)?;
        if self.after > 0 {
            write!(f, " after {}", self.after)?;
        }
        if self.times > 1 {
            write!(f, " {} times", self.times)?;
        }
        write!(f, ": {:?}", self.effect)
    }
}

/// What a request meets.
///
/// Positions are in bytes of the body, from 0, unless they say otherwise; beyond the end they have
/// no effect, or that of the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    // Instead of an answer.
    /// An answer with this status, and a `Retry-After`.
    Status {
        /// The status.
        code: u16,
        /// The header's text: seconds, or [`http_date`].
        retry_after: Option<String>,
    },
    /// The connection is reset before anything is done.
    Reset,
    /// What was asked is done, and the connection is reset without an answer: who tries again
    /// finds it done.
    AnswerLost,
    /// No HTTP.
    Garbage,
    /// 429 with line ends that are no HTTP's, and `Retry-After` (Docker Hub, against abuse).
    BareNewlines {
        /// The header's text.
        retry_after: String,
    },

    // The request's body.
    /// The connection is closed after so many bytes, which an upload session keeps, or at the end
    /// of a shorter body.
    ResetUpload {
        /// Bytes that are taken.
        after: u64,
    },
    /// Nothing is read for this long after so many bytes.
    StallUpload {
        /// Bytes that are taken before.
        after: u64,
        /// How long.
        pause: Duration,
    },
    /// A byte arrives as another one.
    CorruptUpload {
        /// Which.
        at: u64,
    },

    // The answer.
    /// No answer for this long.
    Stall(Duration),
    /// The answer's body breaks off after so many bytes, short of its `Content-Length`.
    ResetDownload {
        /// Bytes that are sent.
        after: u64,
    },
    /// The answer, its head included, breaks off after so many bytes, with a reset.
    CutAnswer {
        /// Bytes that are sent, counted from the status line on.
        after: u64,
    },
    /// The answer's body comes in chunked coding and breaks off after so many bytes, without the
    /// last chunk.
    CutChunked {
        /// Bytes that are sent.
        after: u64,
    },
    /// The answer's body comes in chunked coding and ends after so many bytes, as if it were whole.
    EndEarly {
        /// Bytes that are sent.
        after: u64,
    },
    /// The first byte of the answer's body is another.
    Corrupt,
    /// A byte of the answer's body is another.
    CorruptAt {
        /// Which.
        at: u64,
    },
    /// The answer's body has a byte less than there is, and says so.
    Shorten,
    /// A piece of the answer's body comes twice; the length is as announced, so that the end is
    /// missing.
    Repeat {
        /// Where the piece begins.
        from: u64,
        /// How long it is.
        length: u64,
    },
    /// `Content-Length` says more, or less, than there is.
    WrongLength {
        /// By how much.
        by: i64,
    },
    /// `Docker-Content-Digest` is that of other bytes.
    WrongDigest,
    /// Nothing more for this long after so many bytes of the answer's body.
    StallDownload {
        /// Bytes that are sent before.
        after: u64,
        /// How long.
        pause: Duration,
    },
    /// The answer's body comes in small pieces.
    Trickle {
        /// How many bytes at a time.
        piece: usize,
        /// How long between two.
        pause: Duration,
    },
}

impl Effect {
    /// An answer with this status and nothing else.
    pub fn status(code: u16) -> Self {
        Effect::Status { code, retry_after: None }
    }
}

/// The date that is so far ahead of now, as `Retry-After` may have it (RFC 9110, 5.6.7).
pub fn http_date(ahead: Duration) -> String {
    httpdate::fmt_http_date(SystemTime::now() + ahead)
}
