//! Servers that are no registries, or mean no good: answers put together from a seed, with headers
//! that no registry sends. Whatever comes, each operation ends, nothing panics, and no wrong byte is
//! taken for a right one.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use oci::{Descriptor, Digest, Tag};

use crate::tests::support::{GZIP, Sample, noise, password, settings};
use crate::{BlobBody, Client, Collateral, Credentials, Publication, RetryPolicy, Settings};

const SEEDS: u64 = 300;
/// Every request of an operation may be tried again; none may do so for ever.
const HANGS: Duration = Duration::from_secs(30);

/// A server that answers from a seed until it is dropped.
struct Server {
    name: String,
    stop: Arc<AtomicBool>,
}

impl Server {
    fn start(seed: u64) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let name = listener.local_addr().unwrap().to_string();
        let stop = Arc::new(AtomicBool::new(false));
        let (own, stopped) = (name.clone(), stop.clone());
        std::thread::spawn(move || {
            for (number, stream) in listener.incoming().enumerate() {
                if stopped.load(Ordering::Relaxed) {
                    return;
                }
                let dice = Dice((seed * 1000 + number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
                let (stream, own) = (stream.unwrap(), own.clone());
                // A client that hangs up is no failure of the test.
                std::thread::spawn(move || drop(talk(stream, dice, &own)));
            }
        });
        Server { name, stop }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // So that the listener sees it.
        drop(TcpStream::connect(&self.name));
    }
}

struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 |= 1;
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 16) % limit as u64) as usize
    }

    fn one_of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len())]
    }
}

const STATUSES: [&str; 16] = [
    "200 OK",
    "200 OK",
    "200 OK",
    "201 Created",
    "202 Accepted",
    "202 Accepted",
    "204 No Content",
    "206 Partial Content",
    "307 Temporary Redirect",
    "400 Bad Request",
    "401 Unauthorized",
    "403 Forbidden",
    "404 Not Found",
    "413 Payload Too Large",
    "416 Range Not Satisfiable",
    "429 Too Many Requests",
];

/// What stands for HOST is the server's own name, and for DIGEST that of some bytes.
const HEADERS: [&str; 34] = [
    "Location: /v2/a/blobs/uploads/1",
    "Location: http://HOST/v2/a/blobs/uploads/1?_state=x&digest=sha256:0",
    "Location: //",
    "Location: file:///etc/passwd",
    "Location: http://[",
    "Location: ?digest=",
    "Range: 0-18446744073709551615",
    "Range: 0-99999999999999999999999",
    "Range: 0--1",
    "Range: bytes=0-5",
    "Range: 7-3",
    "Content-Range: bytes 0-1/2",
    "Content-Range: bytes 5-/",
    "Content-Range: bytes */99999999999999999999999",
    "OCI-Chunk-Min-Length: 18446744073709551615",
    "OCI-Chunk-Min-Length: -1",
    "Retry-After: 18446744073709551615",
    "Retry-After: Fri, 31 Dec 9999 23:59:59 GMT",
    "Retry-After: 0",
    "Docker-Content-Digest: DIGEST",
    "Docker-Content-Digest: sha256:zz",
    "Docker-Content-Digest: md5:d41d8cd98f00b204e9800998ecf8427e",
    "WWW-Authenticate: Bearer realm=\"http://HOST/token\",service=\"s\",scope=\"repository:a:pull\"",
    "WWW-Authenticate: Bearer realm=\"http://HOST/token\",scope=\"a:b:* c:d:e\",error=\"insufficient_scope\"",
    "WWW-Authenticate: Bearer realm=\"",
    "WWW-Authenticate: Basic, Basic realm=x, Bearer realm=\"\\\"\"",
    "WWW-Authenticate: ,,,=,\u{1}",
    "Link: </v2/a/tags/list?last=1>; rel=\"next\"",
    "Link: <http://HOST/v2/a/tags/list>; rel=next",
    "Link: <<>>",
    "Content-Type: application/vnd.oci.image.manifest.v1+json",
    "Content-Type: application/vnd.oci.image.index.v1+json; charset=utf-8",
    "ratelimit-remaining: 0;w=18446744073709551615\r\nratelimit-limit: 0;w=-1",
    "Warning: 299 - \"\\\"",
];

const BODIES: [&str; 13] = [
    "",
    "{}",
    "[]",
    "\u{0}\u{ff}",
    r#"{"token":"t","expires_in":1e308}"#,
    r#"{"access_token":"t","expires_in":-1,"refresh_token":""}"#,
    r#"{"token":"\n"}"#,
    r#"{"tags":["a","..","\u001b[2J"]}"#,
    r#"{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN","detail":{"digest":"sha256:0"}}]}"#,
    r#"{"errors":[{"code":"BLOB_UPLOAD_INVALID"},{"code":1,"message":[],"detail":null}]}"#,
    r#"{"schemaVersion":2,"config":{"mediaType":"x","digest":"DIGEST","size":18446744073709551615},"layers":[]}"#,
    r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"mediaType":"application/vnd.oci.image.index.v1+json","digest":"DIGEST","size":1}]}"#,
    r#"{"schemaVersion":2,"layers":[],"manifests":[]}"#,
];

fn talk(stream: TcpStream, mut dice: Dice, own: &str) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut writer = stream;
    loop {
        let (mut head, mut length) = (String::new(), 0_u64);
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            let lower = line.to_ascii_lowercase();
            if let Some(text) = lower.strip_prefix("content-length:") {
                length = text.trim().parse().unwrap_or(0);
            }
            head.push_str(&line);
            if line.trim().is_empty() {
                break;
            }
        }
        std::io::copy(&mut reader.by_ref().take(length), &mut std::io::sink())?;
        writer.write_all(&answer(&mut dice, own, head.starts_with("HEAD")))?;
        if dice.below(4) == 0 {
            return Ok(());
        }
    }
}

fn answer(dice: &mut Dice, own: &str, is_head: bool) -> Vec<u8> {
    let digest = Digest::of(&noise(100, 1)).to_string();
    let here = |text: &str| text.replace("HOST", own).replace("DIGEST", &digest);
    let mut head = format!("HTTP/1.1 {}\r\n", dice.one_of(&STATUSES));
    for _ in 0..dice.below(6) {
        head.push_str(&here(dice.one_of(&HEADERS)));
        head.push_str("\r\n");
    }
    let body = match dice.below(4) {
        0 => noise(dice.below(300), 7),
        _ => here(dice.one_of(&BODIES)).into_bytes(),
    };
    let length = match dice.below(8) {
        0 => Some(body.len() + 10),
        1 => Some(body.len().saturating_sub(1)),
        2 => None,
        _ => Some(body.len()),
    };
    if let Some(length) = length {
        head.push_str(&format!("Content-Length: {length}\r\n"));
    }
    head.push_str("\r\n");
    let mut bytes = head.into_bytes();
    if !is_head {
        bytes.extend(body);
    }
    bytes
}

fn client(server: &Server) -> Client {
    let retry = RetryPolicy {
        attempts: 3,
        first_wait: Duration::from_millis(1),
        longest_wait: Duration::from_millis(2),
        budget: Duration::from_secs(1),
    };
    let mut settings = Settings { retry, ..settings() };
    settings.timeouts.idle = Duration::from_millis(500);
    settings.timeouts.commit = Duration::from_millis(500);
    settings.credentials =
        Credentials::Fixed([(server.name.clone(), password("bob", "SECRET-PASSWORD"))].into());
    Client::new(settings).unwrap()
}

/// Every operation; of those that succeed, what they gave is right.
async fn all_operations(seed: u64) {
    let server = Server::start(seed);
    let client = client(&server);
    let repository: oci::RepositoryName = format!("{}/a", server.name).parse().unwrap();
    let tag: Tag = "1".parse().unwrap();
    let bytes = noise(100, 1);
    let blob = Descriptor::of(GZIP, &bytes);
    let mut sink = Vec::new();
    if client.blob(&repository, &blob, &mut sink).await.is_ok() {
        assert!(sink == bytes, "wrong bytes were taken for right ones");
    }
    assert!(sink.len() <= 100, "more than there is was written");
    let _ = client.manifest(&repository, tag.clone()).await;
    if let Ok(manifest) = client.manifest(&repository, blob.digest).await {
        assert_eq!(manifest.digest(), blob.digest);
    }
    let reference: oci::Reference = format!("{repository}:1").parse().unwrap();
    let _ = client.resolve(&reference).await;
    let _ = client.tags(&repository).await;
    let _ = client.referrers(&repository, blob.digest).await;
    let _ = client.remove(&reference, Collateral::OtherTags).await;
    let body = BlobBody::Bytes(bytes::Bytes::from(noise(70_000, seed)));
    let large = Descriptor::of(GZIP, &noise(70_000, seed));
    let _ = client.push_blob(&repository, &large, &body, std::slice::from_ref(&repository)).await;
    let sample = Sample::new(seed, 1);
    let publication = Publication {
        repository,
        tags: vec![tag],
        root: sample.manifest.clone(),
        children: Vec::new(),
        referrers: vec![Sample::new(seed + 1, 0).manifest],
        blobs: sample.sources(),
    };
    let _ = client.publish(&publication).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_of_all_kinds_are_borne() {
    let runs = (0..SEEDS).map(|seed| async move {
        // A task of its own, so that a panic is told with its seed.
        let work = tokio::time::timeout(HANGS, all_operations(seed));
        match tokio::spawn(work).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => panic!("seed {seed} hangs"),
            Err(panic) => panic!("seed {seed}: {panic}"),
        }
    });
    stream::iter(runs).buffer_unordered(16).for_each(|()| async {}).await;
}
