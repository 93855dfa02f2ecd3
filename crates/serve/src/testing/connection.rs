//! The test registry's connections, and how they end.

use std::error::Error as _;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::{Shared, exchange};

/// Bytes have to be on their way before a connection goes down.
pub(super) const ON_THEIR_WAY: Duration = Duration::from_millis(20);

/// How a connection ends, instead of an answer.
#[derive(Debug, Clone, thiserror::Error)]
#[error("as the test wants it")]
pub(super) enum Ending {
    /// It is closed.
    Close,
    /// It is reset.
    Reset,
    /// These bytes are sent, whatever they mean, and it is closed.
    CloseAfter(Bytes),
    /// These bytes are sent, whatever they mean, and it is reset.
    ResetAfter(Bytes),
}

pub(super) async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        tokio::spawn(serve(stream, shared.clone()));
    }
}

async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let shared = shared.clone();
        async move { exchange::exchange(&shared, request).await }
    });
    let mut connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let Err(error) = (&mut connection).await else { return };
    let ending = error.source().and_then(|cause| cause.downcast_ref::<Ending>()).cloned();
    let stream = connection.into_parts().io.into_inner();
    ending.unwrap_or(Ending::Close).perform(stream).await;
}

impl Ending {
    async fn perform(self, mut stream: TcpStream) {
        let (Ending::CloseAfter(bytes) | Ending::ResetAfter(bytes)) = &self else {
            if let Ending::Reset = self {
                let _ = stream.set_zero_linger();
            }
            return;
        };
        let _ = stream.write_all(bytes).await;
        tokio::time::sleep(ON_THEIR_WAY).await;
        match self {
            Ending::ResetAfter(_) => drop(stream.set_zero_linger()),
            _ => drop(stream.shutdown().await),
        }
    }
}
