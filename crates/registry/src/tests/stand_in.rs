//! A server on loopback that answers by a function and remembers what it was asked.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::HeaderMap;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::sync::oneshot;
use url::form_urlencoded;

/// A running stand-in; dropping it stops it.
pub(crate) struct StandIn {
    address: SocketAddr,
    log: Arc<Mutex<Vec<String>>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// A request.
pub(crate) struct Heard {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

/// An answer.
pub(crate) struct Said {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl Heard {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// A field of the form in the body.
    pub(crate) fn field(&self, name: &str) -> String {
        field(&self.body, name)
    }

    /// A field of the query.
    pub(crate) fn parameter(&self, name: &str) -> String {
        field(&self.query, name)
    }

    /// Method, path and what a form or a target asks for.
    fn line(&self, status: u16) -> String {
        let target = self.header("x-amz-target").rsplit('.').next().unwrap().to_owned();
        let details = [target, self.field("Action"), self.field("grant_type")];
        let detail = details.iter().find(|detail| !detail.is_empty());
        let detail = detail.and_then(|text| text.rsplit(':').next());
        let detail = detail.map(|text| format!(" {text}")).unwrap_or_default();
        format!("{} {}{detail} {status}", self.method, self.path)
    }
}

fn field(form: &str, name: &str) -> String {
    let mut fields = form_urlencoded::parse(form.as_bytes());
    fields.find(|(key, _)| key == name).map(|(_, value)| value.into_owned()).unwrap_or_default()
}

impl Said {
    pub(crate) fn json(value: serde_json::Value) -> Self {
        Said { status: 200, headers: Vec::new(), body: value.to_string() }
    }

    pub(crate) fn text(text: impl Into<String>) -> Self {
        Said { status: 200, headers: Vec::new(), body: text.into() }
    }

    pub(crate) fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn is_success(&self) -> bool {
        self.status == 200
    }

    pub(crate) fn unknown() -> Self {
        Said::text("").status(404)
    }
}

/// A registry's front door that takes one user and password.
pub(crate) fn basic_door(heard: &Heard, user: &str, password: &str) -> Said {
    let wanted = format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
    if heard.header("authorization") == wanted {
        return Said::json(json!({}));
    }
    Said::json(json!({})).status(401).header("www-authenticate", "Basic realm=\"test\"")
}

impl StandIn {
    pub(crate) fn start(answer: impl Fn(&Heard) -> Said + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (stop, stopped) = oneshot::channel();
        let (answer, kept): (Answerer, _) = (Arc::new(answer), log.clone());
        let thread = std::thread::spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = accept(listener, answer, kept) => {}
                    _ = stopped => {}
                }
            });
        });
        StandIn { address, log, stop: Some(stop), thread: Some(thread) }
    }

    pub(crate) fn address(&self) -> String {
        self.address.to_string()
    }

    /// What was asked since the last look, a line each.
    pub(crate) fn take_log(&self) -> String {
        std::mem::take(&mut *self.log.lock().unwrap()).join("\n")
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        drop(self.stop.take());
        // A failed assertion in an answer has been told by its connection's end.
        let _ = self.thread.take().unwrap().join();
    }
}

type Answerer = Arc<dyn Fn(&Heard) -> Said + Send + Sync>;

async fn accept(listener: TcpListener, answer: Answerer, log: Arc<Mutex<Vec<String>>>) {
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let (answer, log) = (answer.clone(), log.clone());
        tokio::spawn(async move {
            let service = service_fn(move |request: Request<Incoming>| {
                let (answer, log) = (answer.clone(), log.clone());
                async move { respond(request, &answer, &log).await }
            });
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn respond(
    request: Request<Incoming>,
    answer: &Answerer,
    log: &Mutex<Vec<String>>,
) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let (head, body) = request.into_parts();
    let heard = Heard {
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: head.headers,
        body: String::from_utf8(body.collect().await?.to_bytes().to_vec()).unwrap(),
    };
    let said = answer(&heard);
    log.lock().unwrap().push(heard.line(said.status));
    let mut response = Response::builder().status(said.status);
    for (name, value) in said.headers {
        response = response.header(name, value);
    }
    Ok(response.body(Full::new(Bytes::from(said.body))).unwrap())
}
