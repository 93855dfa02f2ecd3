//! What the test registry remembers of a request. Credentials are not remembered, only their kind.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// One request and its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The method.
    pub method: String,
    /// The host that was asked for, where the request named one.
    pub host: String,
    /// The path, as it came.
    pub path: String,
    /// The query, as it came.
    pub query: String,
    /// The answer's status; `None` if the connection was closed instead.
    pub status: Option<u16>,
    /// Bytes of the request's body that were read.
    pub received: u64,
    /// Bytes of the answer's body that were sent so far.
    pub sent: u64,
    /// Where in the blob the answer's body begins.
    pub sent_from: u64,
    /// What was shown in order to be let in.
    pub presented: Presented,
    /// `Range` or `Content-Range` of the request.
    pub range: Option<String>,
    /// Whether a body came in chunked coding.
    pub chunked: bool,
}

/// What was shown in order to be let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presented {
    /// Nothing.
    Nothing,
    /// A name and a password.
    Basic,
    /// A token.
    Bearer,
}

/// An entry of the log whose numbers still grow.
pub(super) struct Entry {
    pub(super) recorded: Recorded,
    pub(super) received: Counter,
    pub(super) sent: Counter,
}

/// Bytes that have passed.
#[derive(Debug, Clone, Default)]
pub(super) struct Counter(Arc<AtomicU64>);

impl Counter {
    pub(super) fn add(&self, bytes: usize) {
        self.0.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Entry {
    /// As it stands now.
    pub(super) fn read(&self) -> Recorded {
        let (received, sent) = (self.received.count(), self.sent.count());
        Recorded { received, sent, ..self.recorded.clone() }
    }
}

impl Recorded {
    /// Which bytes of a blob were sent, if this was a download.
    pub fn download(&self) -> Option<Range<u64>> {
        let blob = self.path.contains("/blobs/") && !self.path.contains("/uploads/");
        let good = matches!(self.status, Some(200 | 206));
        let is_download = self.method == "GET" && blob && good;
        is_download.then(|| self.sent_from..self.sent_from + self.sent)
    }
}

/// How many bytes of blobs were sent that had been sent before, each as often as it was.
pub fn sent_again(requests: &[Recorded]) -> u64 {
    let mut downloads: BTreeMap<&str, Vec<Range<u64>>> = BTreeMap::new();
    for request in requests {
        if let Some(range) = request.download() {
            downloads.entry(&request.path).or_default().push(range);
        }
    }
    downloads.into_values().map(overlap).sum()
}

/// What the ranges have together, less what they cover.
fn overlap(mut ranges: Vec<Range<u64>>) -> u64 {
    ranges.sort_by_key(|range| range.start);
    let (mut covered_to, mut twice) = (0, 0);
    for range in ranges {
        twice += range.end.min(covered_to).saturating_sub(range.start);
        covered_to = covered_to.max(range.end);
    }
    twice
}

impl std::fmt::Display for Recorded {
    /// `METHOD path STATUS`, digests shortened, for snapshots.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let path: Vec<&str> = self.path.split('/').map(shortened).collect();
        write!(f, "{} {}", self.method, path.join("/"))?;
        if self.query.contains("mount=") {
            f.write_str("?mount")?;
        }
        match self.status {
            Some(status) => write!(f, " {status}"),
            None => f.write_str(" -"),
        }
    }
}

fn shortened(component: &str) -> &str {
    match component.strip_prefix("sha256:") {
        Some(hex) => hex.get(..6).unwrap_or(hex),
        None => component,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_sent_twice_are_counted() {
        assert_eq!(overlap(vec![0..10, 10..20]), 0);
        assert_eq!(overlap(vec![5..20, 0..10]), 5);
        assert_eq!(overlap(vec![0..10, 0..10, 0..10]), 20);
        assert_eq!(overlap(vec![0..30, 5..10, 20..40]), 15);
    }
}
