//! A proxy that leads every connection to one port of this machine, for hosts that do not exist.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A running proxy.
pub(super) struct ConnectProxy {
    port: u16,
    target: Arc<AtomicU16>,
    asked: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl ConnectProxy {
    /// Leads those who show `authorization` to `target`, and nobody else.
    pub(super) async fn start(target: u16, authorization: &'static str) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (target, asked) = (Arc::new(AtomicU16::new(target)), Arc::<Mutex<Vec<_>>>::default());
        let (to, noted) = (target.clone(), asked.clone());
        let task = tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let (to, noted) = (to.load(Ordering::Relaxed), noted.clone());
                tokio::spawn(lead(near, to, authorization, noted));
            }
        });
        ConnectProxy { port, target, asked, task }
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// From now on connections lead there.
    pub(super) fn lead_to(&self, port: u16) {
        self.target.store(port, Ordering::Relaxed);
    }

    /// The hosts that were asked for, each once.
    pub(super) fn asked(&self) -> Vec<String> {
        let mut asked = self.asked.lock().unwrap().clone();
        asked.dedup();
        asked
    }
}

async fn lead(
    near: TcpStream,
    target: u16,
    authorization: &str,
    asked: Arc<Mutex<Vec<String>>>,
) -> Option<()> {
    let mut near = BufReader::new(near);
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        near.read_line(&mut line).await.ok()?;
        match line.trim_end() {
            "" => break,
            line => head.push(line.to_owned()),
        }
    }
    let host = head.first()?.strip_prefix("CONNECT ")?.split(' ').next()?.to_owned();
    asked.lock().unwrap().push(host);
    let shown =
        head.iter().any(|line| line.split_once(": ").is_some_and(|(_, v)| v == authorization));
    let answer = if shown { "200 OK" } else { "407 Proxy Authentication Required" };
    near.write_all(format!("HTTP/1.1 {answer}\r\n\r\n").as_bytes()).await.ok()?;
    if shown {
        let mut far = TcpStream::connect((Ipv4Addr::LOCALHOST, target)).await.ok()?;
        tokio::io::copy_bidirectional(&mut near, &mut far).await.ok()?;
    }
    Some(())
}

impl Drop for ConnectProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}
