//! A server of each kind, and what is said to it.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use oci::Digest;
use reqwest::header::HeaderMap;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use serve::Registry;
use tempfile::TempDir;
use tokio::task::JoinHandle;

pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub(crate) const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
pub(crate) const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// A running registry. Dropping it stops it.
pub(crate) struct Server {
    address: String,
    client: reqwest::Client,
    task: JoinHandle<()>,
    _root: Option<TempDir>,
}

/// An answer, whole.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// Runs a test over memory, then over a directory.
pub(crate) async fn on_both(test: impl AsyncFn(&Server)) {
    test(&Server::start(Registry::in_memory(), None).await).await;
    let root = tempfile::tempdir().unwrap();
    let registry = Registry::in_directory(root.path()).unwrap();
    test(&Server::start(registry, Some(root)).await).await;
}

impl Server {
    async fn start(registry: Registry, root: Option<TempDir>) -> Self {
        let listener = serve::listen("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let task = tokio::spawn(serve::serve(listener, registry, std::future::pending()));
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        Server { address, client, task, _root: root }
    }

    /// A request such as `GET /v2/`, with these headers and this body.
    pub(crate) async fn call(
        &self,
        request: &str,
        headers: &[(&str, &str)],
        body: impl Into<reqwest::Body>,
    ) -> Reply {
        let (method, target) = request.split_once(' ').unwrap();
        let method: Method = method.parse().unwrap();
        let target = if target.starts_with('/') { target.to_owned() } else { path_of(target) };
        let mut call = self.client.request(method, format!("http://{}{target}", self.address));
        for (name, value) in headers {
            call = call.header(*name, *value);
        }
        let answer = call.body(body).send().await.unwrap();
        let (status, headers) = (answer.status(), answer.headers().clone());
        Reply { status, headers, body: answer.bytes().await.unwrap().to_vec() }
    }

    /// A request with nothing but its line.
    pub(crate) async fn ask(&self, request: &str) -> Reply {
        self.call(request, &[], "").await
    }

    /// Sends bytes as they are; then either reads the answer to its end, or hangs up.
    pub(crate) async fn raw(&self, text: String, then: Then) -> String {
        let address = self.address.clone();
        let exchange = move || {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.write_all(text.as_bytes()).unwrap();
            let mut answer = String::new();
            match then {
                Then::Read => drop(stream.read_to_string(&mut answer)),
                Then::HangUp => {
                    // What was sent has to arrive before the end does.
                    std::thread::sleep(Duration::from_millis(100));
                    stream.shutdown(Shutdown::Both).unwrap();
                }
            }
            answer
        };
        tokio::task::spawn_blocking(exchange).await.unwrap()
    }

    /// A connection on which a request stays unfinished.
    pub(crate) fn hang(&self, text: &str) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.write_all(text.as_bytes()).unwrap();
        stream
    }

    /// Opens an upload session: the path of its location.
    pub(crate) async fn open(&self, name: &str) -> String {
        let opened = self.ask(&format!("POST /v2/{name}/blobs/uploads/")).await;
        opened.is(202);
        path_of(opened.header("location"))
    }

    /// Pushes a blob in one POST.
    pub(crate) async fn push_blob(&self, name: &str, bytes: &[u8]) -> Digest {
        let digest = Digest::of(bytes);
        let request = format!("POST /v2/{name}/blobs/uploads/?digest={digest}");
        self.call(&request, &[], bytes.to_vec()).await.is(201);
        digest
    }

    /// Pushes an image with a config and a layer of its own, under a tag or by digest.
    pub(crate) async fn push_image(&self, name: &str, tag: Option<&str>, text: &str) -> Value {
        self.push_blob(name, b"{}").await;
        self.push_blob(name, text.as_bytes()).await;
        let manifest = image(text);
        self.push(name, tag, MANIFEST, &manifest).await.is(201);
        manifest
    }

    /// Pushes a manifest, whatever comes of it.
    pub(crate) async fn push(
        &self,
        name: &str,
        tag: Option<&str>,
        media_type: &str,
        manifest: &Value,
    ) -> Reply {
        let bytes = manifest.to_string();
        let reference = tag.map_or(digest_of(manifest), str::to_owned);
        let request = format!("PUT /v2/{name}/manifests/{reference}");
        self.call(&request, &[("content-type", media_type)], bytes).await
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What comes after a request that was sent as bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    Read,
    HangUp,
}

impl Reply {
    #[track_caller]
    pub(crate) fn is(&self, status: u16) -> &Self {
        assert_eq!(self.status.as_u16(), status, "{}", String::from_utf8_lossy(&self.body));
        self
    }

    /// An error of the specification's form, with this status and code.
    #[track_caller]
    pub(crate) fn refuses(&self, status: u16, code: &str) -> Vec<Value> {
        self.is(status);
        let errors = self.json()["errors"].as_array().unwrap().clone();
        assert!(!errors.is_empty());
        for error in &errors {
            assert_eq!(error["code"], code);
            assert!(error["message"].is_string());
        }
        errors
    }

    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).unwrap_or_else(|| panic!("no {name}: {self:?}"));
        value.to_str().unwrap()
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.headers.contains_key(name)
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// A location's path and query, whether it came as a path or as a whole URL.
fn path_of(location: &str) -> String {
    match location.split_once("://") {
        Some((_, rest)) => rest[rest.find('/').unwrap()..].to_owned(),
        None => location.to_owned(),
    }
}

/// A location with another parameter.
pub(crate) fn with(location: &str, parameter: &str) -> String {
    let joint = if location.contains('?') { '&' } else { '?' };
    format!("{location}{joint}{parameter}")
}

pub(crate) fn descriptor(media_type: &str, bytes: &[u8]) -> Value {
    json!({"mediaType": media_type, "digest": Digest::of(bytes).to_string(), "size": bytes.len()})
}

/// The manifest of an image whose layer is `text`.
pub(crate) fn image(text: &str) -> Value {
    json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": descriptor(CONFIG, b"{}"),
        "layers": [descriptor(LAYER, text.as_bytes())],
    })
}

pub(crate) fn digest_of(manifest: &Value) -> String {
    Digest::of(manifest.to_string().as_bytes()).to_string()
}
