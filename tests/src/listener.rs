//! A server of our own on loopback: a thread for each connection, until it is dropped.

use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use crate::{Failure, Result};

/// A port of 127.0.0.1 that is listened to.
pub(crate) struct Listener {
    port: u16,
    ending: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Listener {
    /// Hands each connection to `serve`, in a thread of its own. `name` is for failures.
    pub(crate) fn start<F>(name: &str, serve: F) -> Result<Self>
    where
        F: Fn(TcpStream) + Clone + Send + 'static,
    {
        let doing = format!("start {name}");
        let listener = TcpListener::bind("127.0.0.1:0").map_err(Failure::doing(&doing))?;
        let port = listener.local_addr().map_err(Failure::doing(&doing))?.port();
        let ending = Arc::new(AtomicBool::new(false));
        let told = ending.clone();
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if told.load(Ordering::Relaxed) {
                    return;
                }
                let serve = serve.clone();
                std::thread::spawn(move || serve(stream));
            }
        });
        Ok(Listener { port, ending, thread: Some(thread) })
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.ending.store(true, Ordering::Relaxed);
        // The thread waits for a connection, and looks up when one comes.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// Name and password of a header `Authorization` (RFC 7617).
pub(crate) fn basic(authorization: &str) -> Option<(String, String)> {
    let encoded = authorization.strip_prefix("Basic ")?;
    let decoded = String::from_utf8(BASE64_STANDARD.decode(encoded).ok()?).ok()?;
    let (user, password) = decoded.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}
