//! A host of files that can change, with an index of wheels among them.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use oci::Digest;

use testbed::HouseFile;

use crate::wheel::Wheel;

/// A running host. Its thread ends with the test's process.
pub(crate) struct Web {
    /// `127.0.0.1:PORT`
    pub(crate) host: String,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Default)]
struct Shared {
    files: BTreeMap<String, Vec<u8>>,
    asked: Vec<String>,
}

impl Web {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let shared = Arc::new(Mutex::new(Shared::default()));
        let own = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&own);
                std::thread::spawn(move || answer(stream, &shared));
            }
        });
        Web { host, shared }
    }

    /// Puts a file where a path says, which begins with a slash.
    pub(crate) fn put(&self, path: &str, bytes: impl Into<Vec<u8>>) {
        locked(&self.shared).files.insert(path.to_owned(), bytes.into());
    }

    /// Takes a file away.
    pub(crate) fn remove(&self, path: &str) {
        assert!(locked(&self.shared).files.remove(path).is_some(), "there was {path}");
    }

    /// Has an index of these wheels and no others at `/simple/`, with their metadata beside them
    /// (PEP 658).
    pub(crate) fn offer(&self, wheels: &[Wheel]) {
        let mut pages: BTreeMap<String, String> = BTreeMap::new();
        for wheel in wheels {
            let HouseFile { file, bytes, metadata, .. } = wheel.served();
            let (name, _) = file.split_once('-').unwrap();
            let metadata = metadata.unwrap().into_bytes();
            let (digest, beside) = (Digest::of(&bytes).hex(), Digest::of(&metadata).hex());
            let link = format!(
                "<a href=\"/files/{file}#sha256={digest}\" data-core-metadata=\"sha256={beside}\">\
                 {file}</a>\n"
            );
            pages.entry(name.to_owned()).or_default().push_str(&link);
            self.put(&format!("/files/{file}"), bytes);
            self.put(&format!("/files/{file}.metadata"), metadata);
        }
        let mut shared = locked(&self.shared);
        shared.files.retain(|path, _| !path.starts_with("/simple/"));
        for (name, links) in pages {
            let page = format!("<!DOCTYPE html><html><body>\n{links}</body></html>\n");
            shared.files.insert(format!("/simple/{name}/"), page.into_bytes());
        }
    }

    /// What was asked for since the last look, each once.
    pub(crate) fn take_asked(&self) -> BTreeSet<String> {
        std::mem::take(&mut locked(&self.shared).asked).into_iter().collect()
    }
}

fn locked(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

fn answer(mut stream: TcpStream, shared: &Mutex<Shared>) -> Option<()> {
    let mut lines = BufReader::new(stream.try_clone().ok()?).lines();
    let first = lines.next()?.ok()?;
    let mut words = first.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    while !lines.next()?.ok()?.is_empty() {}
    let found = {
        let mut shared = locked(shared);
        shared.asked.push(path.clone());
        shared.files.get(&path).cloned()
    };
    let (status, bytes) = match found {
        Some(bytes) => ("200 OK", bytes),
        None => ("404 Not Found", Vec::new()),
    };
    let kind = if path.ends_with('/') { "text/html" } else { "application/octet-stream" };
    let length = bytes.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\
         cache-control: no-store\r\nconnection: close\r\n\r\n"
    )
    .ok()?;
    if method == "GET" { stream.write_all(&bytes).ok() } else { Some(()) }
}
