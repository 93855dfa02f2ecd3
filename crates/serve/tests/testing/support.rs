//! One request on one connection, down to the bytes.

use std::io::{Read, Write};
use std::net::TcpStream;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use oci::Digest;
use serve::testing::{Behaviour, TestRegistry};

/// The body of most blobs here.
pub(crate) const TEXT: &[u8] = b"0123456789";

/// What came back, until the connection ended.
#[derive(Debug)]
pub(crate) struct Answer {
    /// All bytes.
    pub(crate) raw: String,
    /// Whether it ended in an error.
    pub(crate) reset: bool,
}

impl Answer {
    #[track_caller]
    pub(crate) fn status(&self) -> u16 {
        let status = self.raw.split(' ').nth(1).and_then(|status| status.parse().ok());
        status.unwrap_or_else(|| panic!("no status: {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers(name).next()
    }

    pub(crate) fn headers(&self, name: &str) -> impl Iterator<Item = &str> {
        let head = self.raw.split("\r\n\r\n").next().unwrap_or_default();
        let pairs = head.lines().filter_map(|line| line.split_once(": "));
        pairs.filter(move |(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    pub(crate) fn body(&self) -> &str {
        self.raw.split_once("\r\n\r\n").map_or("", |(_, body)| body)
    }
}

pub(crate) fn registry(behaviour: Behaviour) -> TestRegistry {
    TestRegistry::start(behaviour).unwrap()
}

/// Sends `METHOD target` with these headers (`Name: value`) and this body.
pub(crate) fn send(
    registry: &TestRegistry,
    request: &str,
    headers: &[&str],
    body: &[u8],
) -> Answer {
    let host = if request.contains("://") { String::new() } else { "Host: x\r\n".to_owned() };
    let mut head = format!("{request} HTTP/1.1\r\n{host}Connection: close\r\n");
    let chunked = headers.iter().any(|header| header.starts_with("Transfer-Encoding"));
    if !chunked && !request.starts_with("GET") && !request.starts_with("HEAD") {
        head.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    for header in headers {
        head.push_str(&format!("{header}\r\n"));
    }
    head.push_str("\r\n");
    exchange(registry, &[head.as_bytes(), body].concat())
}

/// Sends bytes as they are, and takes what comes.
pub(crate) fn exchange(registry: &TestRegistry, bytes: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(registry.name()).unwrap();
    // Who is not listened to any more finds that out here, or in reading.
    let _ = stream.write_all(bytes);
    let mut raw = Vec::new();
    let mut buffer = [0; 4096];
    let reset = loop {
        match stream.read(&mut buffer) {
            Ok(0) => break false,
            Ok(count) => raw.extend_from_slice(&buffer[..count]),
            Err(_) => break true,
        }
    };
    Answer { raw: String::from_utf8_lossy(&raw).into_owned(), reset }
}

/// `Authorization: Basic …` of the user whom the behaviour lets in.
pub(crate) fn basic(behaviour: &Behaviour) -> String {
    let (user, password) = (behaviour.user().unwrap(), behaviour.password().unwrap());
    basic_of(user, password)
}

pub(crate) fn basic_of(user: &str, password: &str) -> String {
    format!("Authorization: Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

/// Opens a session: what stands in its `Location`.
#[track_caller]
pub(crate) fn open(registry: &TestRegistry, name: &str, headers: &[&str]) -> String {
    let opened = send(registry, &format!("POST /v2/{name}/blobs/uploads/"), headers, b"");
    assert_eq!(opened.status(), 202, "{opened:?}");
    opened.header("location").unwrap().to_owned()
}

/// The PUT that closes a session.
pub(crate) fn closing(location: &str) -> String {
    let joint = if location.contains('?') { '&' } else { '?' };
    format!("PUT {location}{joint}digest={}", Digest::of(TEXT))
}
