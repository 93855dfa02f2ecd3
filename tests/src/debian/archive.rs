//! Debian's archive on loopback, as it was on the day on which it was recorded.
//!
//! It is an HTTP proxy, so that sources name a host that is the same in every run and on every
//! machine ([`Archive::HOST`], which no resolver knows), and the base's bytes do not depend on a
//! port. Whoever wants it in place of a proxy finds the same paths at its own address.

use std::fs::File;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::recording::Recording;
use crate::http::{self, Answer, Asked};
use crate::listener::Listener;
use crate::{Fetch, Result};

/// A running archive. It ends when this is dropped.
pub struct Archive {
    listener: Listener,
    shared: Arc<Shared>,
    identity: String,
}

struct Shared {
    recording: Recording,
    log: Mutex<Vec<Fetch>>,
}

impl Archive {
    /// The host that sources name.
    pub const HOST: &str = "debian.test";

    /// Serves the recording in the cache, which is made if there is none.
    pub fn start() -> Result<Self> {
        let recording = Recording::open()?;
        let identity = recording.identity()?;
        let shared = Arc::new(Shared { recording, log: Mutex::default() });
        let at_work = shared.clone();
        let listener = Listener::start("Debian's archive", move |stream| {
            http::serve(&stream, |asked| Some(at_work.answer(asked)));
        })?;
        Ok(Archive { listener, shared, identity })
    }

    /// Records today's archive in the place of the one in the cache.
    pub fn renew() -> Result {
        Recording::forget()
    }

    /// What tells this recording from others, in twelve characters of a file name.
    pub fn identity(&self) -> &str {
        &self.identity
    }

    /// The suites, and when each was made.
    pub fn dates(&self) -> Result<Vec<(&'static str, String)>> {
        self.shared.recording.dates()
    }

    /// What `http_proxy` takes.
    pub fn proxy(&self) -> String {
        format!("http://127.0.0.1:{}", self.listener.port())
    }

    /// Variables that lead to the archive; the rest of loopback is reached as it is.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        vec![("http_proxy", self.proxy()), ("no_proxy", "127.0.0.1,localhost".to_owned())]
    }

    /// What was asked, in the order of the answers.
    pub fn requests(&self) -> Vec<Fetch> {
        self.shared.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Forgets what was asked.
    pub fn forget(&self) {
        self.shared.log.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl Shared {
    fn answer(&self, asked: &Asked) -> Answer {
        let answer = match path_of(&asked.path) {
            Some(path) if matches!(asked.method.as_str(), "GET" | "HEAD") => self.find(asked, path),
            Some(_) => Answer::text(405, TEXT, "only to be read\n"),
            None => Answer::text(502, TEXT, "nothing but Debian's archive is to be had here\n"),
        };
        let body = if asked.method == "HEAD" { 0 } else { answer.size() };
        self.log.lock().unwrap_or_else(PoisonError::into_inner).push(Fetch {
            method: asked.method.clone(),
            path: asked.path.clone(),
            range: asked.range.clone(),
            agent: asked.agent.clone(),
            status: answer.status,
            bytes: body,
            user: None,
        });
        answer
    }

    fn find(&self, asked: &Asked, path: &str) -> Answer {
        match self.recording.file(&decoded(path)) {
            Ok(Some(file)) => send(asked, &file).unwrap_or_else(|_| not_here()),
            Ok(None) => not_here(),
            Err(failure) => Answer::text(504, TEXT, failure.to_string()),
        }
    }
}

const TEXT: &str = "text/plain; charset=utf-8";

fn not_here() -> Answer {
    Answer::text(404, TEXT, "not here\n")
}

/// The path of a target in the form of a proxy's clients, or in that of a server's (RFC 9112, 3.2).
fn path_of(target: &str) -> Option<&str> {
    match target.strip_prefix("http://") {
        Some(rest) => rest.strip_prefix(Archive::HOST)?.strip_prefix('/'),
        None => target.strip_prefix('/'),
    }
}

/// apt writes `%2b` where a path has a plus.
fn decoded(path: &str) -> String {
    let mut pieces = path.split('%');
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |decoded, piece| {
        let code = piece.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match code.filter(u8::is_ascii) {
            Some(code) => decoded + &char::from(code).to_string() + &piece[2..],
            None => decoded + "%" + piece,
        }
    })
}

/// The file, or that it has not changed, or a part of it if it is still the one that was begun.
pub(super) fn send(asked: &Asked, path: &Path) -> std::io::Result<Answer> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    let modified = jiff::Timestamp::try_from(metadata.modified()?).unwrap_or_default();
    let tag = format!("\"{:x}-{:x}\"", metadata.len(), modified.as_second());
    let date = jiff::fmt::rfc2822::DateTimePrinter::new()
        .timestamp_to_rfc9110_string(&modified)
        .unwrap_or_default();
    let unchanged = match (&asked.if_none_match, &asked.if_modified_since) {
        (Some(known), _) => *known == tag,
        (None, Some(since)) => *since == date,
        (None, None) => false,
    };
    let current = asked.if_range.as_ref().is_none_or(|known| *known == tag || *known == date);
    let answer = if unchanged {
        Answer::text(304, "application/octet-stream", "")
    } else {
        let part = if current { asked.part(metadata.len()) } else { Ok(None) };
        Answer::file(file, metadata.len(), "application/octet-stream", part)
    };
    let answer = answer.with("Accept-Ranges", "bytes");
    Ok(answer.with("ETag", tag).with("Last-Modified", date))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_of_proxies_and_of_servers() {
        assert_eq!(path_of("http://debian.test/debian/x"), Some("debian/x"));
        assert_eq!(path_of("/debian/x"), Some("debian/x"));
        assert_eq!(path_of("http://elsewhere.test/debian/x"), None);
        assert_eq!(path_of("http://debian.tester/x"), None);
        assert_eq!(path_of("elsewhere.test:443"), None);
    }

    #[test]
    fn percent_signs() {
        assert_eq!(decoded("pool/g%2b%2b_1%3a2.deb"), "pool/g++_1:2.deb");
        assert_eq!(decoded("100%/%zz%e9"), "100%/%zz%e9");
    }
}
