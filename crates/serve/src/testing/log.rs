//! What the test registry remembers of a request. Credentials are not remembered, only their kind.

/// One request and its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The method.
    pub method: String,
    /// The path, as it came.
    pub path: String,
    /// The query, as it came.
    pub query: String,
    /// The answer's status; `None` if the connection was closed instead.
    pub status: Option<u16>,
    /// Bytes of the request's body that were read.
    pub received: u64,
    /// What was shown in order to be let in.
    pub presented: Presented,
    /// `Range` and `Content-Range` of the request.
    pub range: Option<String>,
    /// Whether a body came in chunked coding.
    pub chunked: bool,
}

/// What was shown in order to be let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presented {
    /// Nothing.
    Nothing,
    /// A name and a password.
    Basic,
    /// A token.
    Bearer,
}

impl std::fmt::Display for Recorded {
    /// `METHOD path STATUS`, digests shortened, for snapshots.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let path: Vec<&str> = self.path.split('/').map(shortened).collect();
        write!(f, "{} {}", self.method, path.join("/"))?;
        if self.query.contains("mount=") {
            f.write_str("?mount")?;
        }
        match self.status {
            Some(status) => write!(f, " {status}"),
            None => f.write_str(" -"),
        }
    }
}

fn shortened(component: &str) -> &str {
    match component.strip_prefix("sha256:") {
        Some(hex) => hex.get(..6).unwrap_or(hex),
        None => component,
    }
}
