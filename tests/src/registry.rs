//! Debian's docker-registry on loopback, and what it says that it was asked.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{Failure, Result, program, stdout};

/// A running registry with its own storage. It ends, and its storage goes, when this is dropped.
pub struct Registry {
    server: Child,
    directory: TempDir,
    port: u16,
}

/// A user name and a password that the registry asks for.
#[derive(Debug, Clone, Copy)]
pub struct Login<'a> {
    /// The user's name.
    pub user: &'a str,
    /// The password.
    pub password: &'a str,
}

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

/// Who the testbed says it is; its own requests are no part of the log that tests read.
const USER_AGENT: &str = "plywood-testbed";

impl Registry {
    /// Starts a registry that anybody may write to.
    pub fn start() -> Result<Self> {
        Self::start_with(None)
    }

    /// Starts a registry that wants a name and a password for everything.
    pub fn start_with_login(login: Login<'_>) -> Result<Self> {
        Self::start_with(Some(login))
    }

    fn start_with(login: Option<Login<'_>>) -> Result<Self> {
        // The port is free when it is looked for and may be taken when it is used: try again.
        let mut failure = Failure::new("no port");
        for _ in 0..5 {
            match Self::start_once(login) {
                Ok(registry) => return Ok(registry),
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    fn start_once(login: Option<Login<'_>>) -> Result<Self> {
        let directory = tempfile::Builder::new()
            .prefix("testbed-registry-")
            .tempdir()
            .map_err(Failure::doing("make a directory for the registry"))?;
        let port = free_port()?;
        let config = config(&directory, port, login)?;
        let log = File::options()
            .create(true)
            .append(true)
            .open(directory.path().join("log"))
            .map_err(Failure::doing("make the registry's log"))?;
        let server = Command::new("docker-registry")
            .arg("serve")
            .arg(config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .map_err(Failure::doing("run docker-registry"))?;
        let mut registry = Registry { server, directory, port };
        registry.wait_until_it_answers()?;
        Ok(registry)
    }

    fn wait_until_it_answers(&mut self) -> Result {
        let started = Instant::now();
        while started.elapsed() < Duration::from_secs(20) {
            if self.ping("start").is_ok() {
                return Ok(());
            }
            if let Ok(Some(status)) = self.server.try_wait() {
                return Err(Failure::new(format!(
                    "docker-registry ended: {status}\n{}",
                    self.log()
                )));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Err(Failure::new(format!("docker-registry does not answer\n{}", self.log())))
    }

    /// `127.0.0.1:PORT`, as it stands in a reference.
    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The reference of `name` (with its tag) in this registry.
    pub fn reference(&self, name: &str) -> String {
        format!("{}/{name}", self.host())
    }

    /// The same place in skopeo's notation.
    pub fn place(&self, name: &str) -> String {
        format!("docker://{}", self.reference(name))
    }

    /// Where the registry keeps the bytes of a blob; absent if it does not have it.
    pub fn blob(&self, digest: &str) -> Option<PathBuf> {
        let hex = digest.strip_prefix("sha256:")?;
        let blobs = self.directory.path().join("storage/docker/registry/v2/blobs/sha256");
        let data = blobs.join(hex.get(..2)?).join(hex).join("data");
        data.is_file().then_some(data)
    }

    /// The requests answered since the start, or since the last call of [`Registry::forget`], in the
    /// order in which they ended.
    pub fn requests(&self) -> Result<Vec<Request>> {
        // An answer can be read before its line is written. A request of our own that comes later
        // tells when the log has caught up.
        let mark =
            format!("mark-{:?}", Instant::now()).replace(|c: char| !c.is_alphanumeric(), "-");
        self.ping(&mark)?;
        let started = Instant::now();
        while !self.log().contains(&mark) {
            if started.elapsed() > Duration::from_secs(5) {
                return Err(Failure::new("the registry's log does not catch up"));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        std::thread::sleep(Duration::from_millis(20));
        Ok(requests_in(&self.log()))
    }

    /// Empties the log that [`Registry::requests`] reads.
    pub fn forget(&self) -> Result {
        self.requests()?;
        File::options()
            .write(true)
            .open(self.directory.path().join("log"))
            .and_then(|log| log.set_len(0))
            .map_err(Failure::doing("empty the registry's log"))
    }

    fn log(&self) -> String {
        let bytes = fs::read(self.directory.path().join("log")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Asks `/v2/?MARK`; any answer in HTTP will do.
    fn ping(&self, mark: &str) -> Result {
        let doing = "ask the registry";
        let mut stream =
            TcpStream::connect(("127.0.0.1", self.port)).map_err(Failure::doing(doing))?;
        write!(
            stream,
            "GET /v2/?{mark} HTTP/1.1\r\nHost: {}\r\nUser-Agent: {USER_AGENT}\r\nConnection: close\r\n\r\n",
            self.host()
        )
        .map_err(Failure::doing(doing))?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).map_err(Failure::doing(doing))?;
        if answer.starts_with("HTTP/1.1 ") {
            return Ok(());
        }
        Err(Failure::new("the registry does not speak HTTP"))
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
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

fn requests_in(log: &str) -> Vec<Request> {
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

fn free_port() -> Result<u16> {
    TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(Failure::doing("find a free port"))
}

/// Writes the registry's configuration. It is YAML, of which JSON is a part.
fn config(directory: &TempDir, port: u16, login: Option<Login<'_>>) -> Result<PathBuf> {
    let mut config = json!({
        "version": "0.1",
        "log": { "level": "info", "formatter": "json", "accesslog": { "disabled": true } },
        "storage": {
            "filesystem": { "rootdirectory": directory.path().join("storage") },
            "delete": { "enabled": true },
        },
        "http": { "addr": format!("127.0.0.1:{port}"), "secret": "only for tests" },
    });
    if let Some(Login { user, password }) = login {
        let entry = stdout(program("htpasswd").args(["-Bbn", user, password]))?;
        let path = directory.path().join("htpasswd");
        fs::write(&path, entry).map_err(Failure::doing("write htpasswd"))?;
        config["auth"] = json!({ "htpasswd": { "realm": "testbed", "path": path } });
    }
    let path = directory.path().join("config.yml");
    fs::write(&path, config.to_string()).map_err(Failure::doing("write the registry's config"))?;
    Ok(path)
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
