//! What a registry logged, as requests.

use serde_json::Value;

/// Who the testbed says it is; its own requests are no part of the log that tests read.
pub(super) const USER_AGENT: &str = "plywood-testbed";

/// One answered request of the access log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// `GET`, `HEAD`, `POST`, …
    pub method: String,
    /// The path, from `/v2/` on.
    pub path: String,
    /// The query without the question mark.
    pub query: String,
    /// The answer's status.
    pub status: u64,
    /// How many bytes of body the registry sent.
    pub written: u64,
}

impl Request {
    /// Whether this began an upload that carries bytes: a `POST` that the registry did not answer
    /// with a mount.
    pub fn starts_upload(&self) -> bool {
        self.method == "POST" && self.path.ends_with("/blobs/uploads/") && self.status == 202
    }

    /// The digest that this request mounted from another repository.
    pub fn mounted(&self) -> Option<String> {
        let mounts = self.method == "POST" && self.status == 201;
        mounts.then(|| self.query_value("mount")).flatten()
    }

    /// The digest of the blob whose upload this request completed.
    pub fn uploaded(&self) -> Option<String> {
        let completes = matches!(self.method.as_str(), "PUT" | "POST") && self.status == 201;
        completes.then(|| self.query_value("digest")).flatten()
    }

    /// The digest of the blob that this request downloaded.
    pub fn downloaded(&self) -> Option<String> {
        let (_, digest) = self.path.split_once("/blobs/sha256:")?;
        let answered = self.method == "GET" && matches!(self.status, 200 | 206);
        answered.then(|| format!("sha256:{digest}"))
    }

    fn query_value(&self, name: &str) -> Option<String> {
        self.query.split('&').find_map(|pair| {
            let value = pair.strip_prefix(name)?.strip_prefix('=')?;
            Some(value.replace("%3A", ":").replace("%3a", ":"))
        })
    }
}

/// The requests that were answered, without the testbed's own.
pub(super) fn requests_in(log: &str) -> Vec<Request> {
    log.lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter_map(request)
        .collect()
}

fn request(line: Value) -> Option<Request> {
    let is_answer = line["msg"].as_str()?.starts_with("response completed");
    if !is_answer || line["http.request.useragent"] == USER_AGENT {
        return None;
    }
    let uri = line["http.request.uri"].as_str()?;
    let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
    Some(Request {
        method: line["http.request.method"].as_str()?.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        status: line["http.response.status"].as_u64()?,
        written: line["http.response.written"].as_u64().unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_lines_become_requests() {
        let log = concat!(
            r#"{"level":"info","msg":"listening on 127.0.0.1:5000"}"#,
            "\n",
            r#"{"http.request.method":"POST","http.request.uri":"/v2/a/b/blobs/uploads/?from=base\u0026mount=sha256%3A00","http.request.useragent":"x","http.response.status":201,"http.response.written":0,"msg":"response completed"}"#,
            "\n",
            r#"{"http.request.method":"HEAD","http.request.uri":"/v2/a/b/blobs/sha256:01","http.request.useragent":"x","http.response.status":404,"http.response.written":157,"msg":"response completed with error"}"#,
            "\n",
            r#"{"http.request.method":"GET","http.request.uri":"/v2/?mark","http.request.useragent":"plywood-testbed","http.response.status":200,"msg":"response completed"}"#,
            "\n",
            r#"{"http.request.method":"GET","http.request.uri":"/v2/a/b/blobs/sha256:02","http.request.useragent":"x","http.response.status":200,"http.response.written":9,"msg":"response completed"}"#,
            "\n",
        );
        let requests = requests_in(log);
        assert_eq!(requests.len(), 3);
        assert_eq!(requests[0].mounted().as_deref(), Some("sha256:00"));
        assert_eq!(requests[0].uploaded(), None);
        assert!(!requests[0].starts_upload());
        assert_eq!((requests[1].method.as_str(), requests[1].status), ("HEAD", 404));
        assert_eq!(requests[2].downloaded().as_deref(), Some("sha256:02"));
        assert_eq!(requests[2].written, 9);
    }
}
