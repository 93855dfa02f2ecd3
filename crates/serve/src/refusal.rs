//! What a client is told when it does not get what it asked for.

use hyper::StatusCode;
use hyper::header::HeaderName;
use serde_json::{Value, json};

use crate::Error;
use crate::answer::Answer;

/// The specification's error codes (distribution-spec 1.1, "Error Codes").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ErrorCode {
    BlobUnknown,
    BlobUploadInvalid,
    BlobUploadUnknown,
    DigestInvalid,
    ManifestBlobUnknown,
    ManifestInvalid,
    ManifestUnknown,
    NameInvalid,
    NameUnknown,
    SizeInvalid,
    Unsupported,
    /// Not of the specification, which has no code for a registry that fails; distribution's.
    Unknown,
}

impl ErrorCode {
    fn text(self) -> &'static str {
        match self {
            ErrorCode::BlobUnknown => "BLOB_UNKNOWN",
            ErrorCode::BlobUploadInvalid => "BLOB_UPLOAD_INVALID",
            ErrorCode::BlobUploadUnknown => "BLOB_UPLOAD_UNKNOWN",
            ErrorCode::DigestInvalid => "DIGEST_INVALID",
            ErrorCode::ManifestBlobUnknown => "MANIFEST_BLOB_UNKNOWN",
            ErrorCode::ManifestInvalid => "MANIFEST_INVALID",
            ErrorCode::ManifestUnknown => "MANIFEST_UNKNOWN",
            ErrorCode::NameInvalid => "NAME_INVALID",
            ErrorCode::NameUnknown => "NAME_UNKNOWN",
            ErrorCode::SizeInvalid => "SIZE_INVALID",
            ErrorCode::Unsupported => "UNSUPPORTED",
            ErrorCode::Unknown => "UNKNOWN",
        }
    }

    /// The status that goes with it where nothing else is said.
    fn status(self) -> StatusCode {
        match self {
            ErrorCode::BlobUnknown
            | ErrorCode::BlobUploadUnknown
            | ErrorCode::ManifestUnknown
            | ErrorCode::NameUnknown => StatusCode::NOT_FOUND,
            ErrorCode::BlobUploadInvalid
            | ErrorCode::DigestInvalid
            | ErrorCode::ManifestBlobUnknown
            | ErrorCode::ManifestInvalid
            | ErrorCode::NameInvalid
            | ErrorCode::SizeInvalid
            | ErrorCode::Unsupported => StatusCode::BAD_REQUEST,
            ErrorCode::Unknown => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

/// An answer that says no, and why.
#[derive(Debug)]
pub(crate) struct Refusal {
    code: ErrorCode,
    status: StatusCode,
    message: String,
    details: Vec<Value>,
    headers: Vec<(HeaderName, String)>,
}

impl Refusal {
    pub(crate) fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        let (status, message) = (code.status(), message.into());
        Refusal { code, status, message, details: Vec::new(), headers: Vec::new() }
    }

    /// With another status than the code's usual one.
    pub(crate) fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// With one error for each of `details`.
    pub(crate) fn details(mut self, details: Vec<Value>) -> Self {
        self.details = details;
        self
    }

    pub(crate) fn header(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

impl From<Error> for Refusal {
    /// The cause is told: who reads it has the registry on the same machine.
    fn from(error: Error) -> Self {
        let mut message = format!("failed to {error}");
        if let Some(cause) = std::error::Error::source(&error) {
            message.push_str(&format!(": {cause}"));
        }
        let refusal = Refusal::new(ErrorCode::Unknown, message);
        if error.is_full() { refusal.status(StatusCode::INSUFFICIENT_STORAGE) } else { refusal }
    }
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        let Refusal { code, status, message, details, headers } = refusal;
        let code = code.text();
        let errors: Vec<Value> = if details.is_empty() {
            vec![json!({"code": code, "message": message})]
        } else {
            let one = |detail| json!({"code": code, "message": message, "detail": detail});
            details.into_iter().map(one).collect()
        };
        let answer = Answer::json(status, &json!({"errors": errors}));
        headers.into_iter().fold(answer, |answer, (name, value)| answer.with(name, value))
    }
}
