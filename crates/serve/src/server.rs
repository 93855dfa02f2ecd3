//! The registry on a socket.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::Request;
use hyper::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};

use crate::answer::Body;
use crate::request::Asked;
use crate::{Error, Registry, Result};

/// How long a connection may be open with nothing asked.
const IDLE: Duration = Duration::from_secs(120);

/// How long requests in flight are waited for at the end.
const FAREWELL: Duration = Duration::from_secs(60);

/// Listens on an address; port 0 is any free one.
pub async fn listen(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|source| Error::Listen { address, source })
}

/// Serves a registry until `stop` is done, and then the requests in flight to their end, for at
/// most a minute.
pub async fn serve(listener: TcpListener, registry: Registry, stop: impl Future<Output = ()>) {
    let open = GracefulShutdown::new();
    tokio::select! {
        () = accept(&listener, &registry, &open) => {}
        () = stop => {}
    }
    drop(listener);
    let _ = tokio::time::timeout(FAREWELL, open.shutdown()).await;
}

async fn accept(listener: &TcpListener, registry: &Registry, open: &GracefulShutdown) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => connect(stream, registry.clone(), open),
            // Out of files: those in use come back.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

fn connect(stream: TcpStream, registry: Registry, open: &GracefulShutdown) {
    // An answer is one write; nothing is gained by waiting for another.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let registry = registry.clone();
        async move { respond(&registry, request).await }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE)
        .serve_connection(TokioIo::new(stream), service);
    let watched = open.watch(connection);
    tokio::spawn(async move {
        // A connection that breaks is its client's to mend.
        let _ = watched.await;
    });
}

async fn respond(
    registry: &Registry,
    request: Request<Incoming>,
) -> Result<Response<Body>, io::Error> {
    let (head, body) = request.into_parts();
    let mut body = body.map_err(io::Error::other).boxed_unsync();
    let asked = Asked::new(head);
    let method = asked.method.clone();
    match registry.answer(&asked, &mut body).await {
        Some(answer) => Ok(answer.into_response(&method)),
        None => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}
