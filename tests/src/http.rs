//! As much of HTTP/1.1 as an index or an archive of packages needs: `GET` and `HEAD`, kept
//! connections, one range.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::net::TcpStream;
use std::ops::Range;

use crate::listener::basic;

/// A request, as far as it matters here.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) range: Option<String>,
    pub(crate) accept: String,
    pub(crate) if_none_match: Option<String>,
    /// RFC 9110, 13.1.3 and 13.1.5: both are compared as text.
    pub(crate) if_modified_since: Option<String>,
    pub(crate) if_range: Option<String>,
    pub(crate) agent: String,
    authorization: Option<String>,
    closes: bool,
}

/// An answer to be sent.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Body,
    /// After so many bytes of the body the connection breaks.
    pub(crate) cut: Option<u64>,
}

/// What an answer has in it.
#[derive(Debug)]
pub(crate) enum Body {
    Text(String),
    /// A file, all of it or a part.
    File(File, Range<u64>),
}

/// The longest line of a request.
const LONGEST_LINE: u64 = 64 * 1024;

/// Answers the connection's requests, one after the other, until the client or a cut ends it.
///
/// Who asks for nothing more or breaks off is left alone.
pub(crate) fn serve(stream: &TcpStream, mut answer: impl FnMut(&Asked) -> Option<Answer>) {
    let _ = stream.set_nodelay(true);
    let mut from = BufReader::new(stream);
    while let Some(asked) = Asked::read(&mut from) {
        let Some(answer) = answer(&asked) else { return };
        match answer.send(stream, asked.method == "HEAD") {
            Ok(()) if !asked.closes => {}
            _ => return,
        }
    }
}

impl Asked {
    fn read(from: &mut impl BufRead) -> Option<Self> {
        let mut line = || {
            let mut line = String::new();
            let read = from.by_ref().take(LONGEST_LINE).read_line(&mut line).ok()?;
            (read > 0).then(|| line.trim_end().to_owned())
        };
        let first = line()?;
        let mut words = first.split(' ');
        let (method, target) = (words.next()?.to_owned(), words.next()?);
        let path = target.split(['?', '#']).next()?.to_owned();
        let mut asked = Asked { method, path, ..Asked::default() };
        loop {
            let header = line()?;
            let Some((name, value)) = header.split_once(':') else { return Some(asked) };
            let value = value.trim().to_owned();
            match name.to_ascii_lowercase().as_str() {
                "range" => asked.range = Some(value),
                "accept" => asked.accept = value,
                "if-none-match" => asked.if_none_match = Some(value),
                "if-modified-since" => asked.if_modified_since = Some(value),
                "if-range" => asked.if_range = Some(value),
                "user-agent" => asked.agent = value,
                "authorization" => asked.authorization = Some(value),
                "connection" => asked.closes = value.eq_ignore_ascii_case("close"),
                _ => {}
            }
        }
    }

    /// Name and password.
    pub(crate) fn basic(&self) -> Option<(String, String)> {
        self.authorization.as_deref().and_then(basic)
    }

    /// The part of `size` bytes that is asked for: nothing if all is, an error if there is none.
    pub(crate) fn part(&self, size: u64) -> Result<Option<Range<u64>>, ()> {
        let Some(range) = &self.range else { return Ok(None) };
        let parsed = || {
            let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
            match (first, last) {
                ("", suffix) => Some(size.saturating_sub(suffix.parse().ok()?)..size),
                (first, "") => Some(first.parse().ok()?..size),
                (first, last) => {
                    Some(first.parse().ok()?..last.parse::<u64>().ok()?.saturating_add(1).min(size))
                }
            }
        };
        parsed().filter(|part| part.start < part.end).map(Some).ok_or(())
    }
}

impl Answer {
    /// A document.
    pub(crate) fn text(status: u16, content_type: &str, text: impl Into<String>) -> Self {
        let headers = vec![("Content-Type", content_type.to_owned())];
        Answer { status, headers, body: Body::Text(text.into()), cut: None }
    }

    /// A file of this size, or the part of it that [`Asked::part`] found.
    pub(crate) fn file(
        file: File,
        size: u64,
        content_type: &str,
        part: Result<Option<Range<u64>>, ()>,
    ) -> Self {
        let Ok(part) = part else {
            return Answer::text(416, content_type, "")
                .with("Content-Range", format!("bytes */{size}"));
        };
        let status = if part.is_some() { 206 } else { 200 };
        let answer = Answer::text(status, content_type, "");
        let answer = match &part {
            Some(Range { start, end }) => {
                answer.with("Content-Range", format!("bytes {start}-{}/{size}", end - 1))
            }
            None => answer,
        };
        Answer { body: Body::File(file, part.unwrap_or(0..size)), ..answer }
    }

    /// With one more header.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Bytes of the body that will be sent, if all goes well.
    pub(crate) fn size(&self) -> u64 {
        match &self.body {
            Body::Text(text) => text.len() as u64,
            Body::File(_, part) => part.end - part.start,
        }
    }

    fn send(self, mut stream: &TcpStream, head_only: bool) -> io::Result<()> {
        let size = self.size();
        let mut head = format!("HTTP/1.1 {} -\r\nContent-Length: {size}\r\n", self.status);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        let sent = self.cut.map_or(size, |cut| cut.min(size));
        match self.body {
            // Head and text in one write, so that small answers are one packet.
            Body::Text(text) => {
                let body = if head_only { "" } else { &text };
                let body = &body.as_bytes()[..body.len().min(sent as usize)];
                stream.write_all(&[head.as_bytes(), body].concat())?;
            }
            Body::File(mut file, part) => {
                stream.write_all(head.as_bytes())?;
                if !head_only {
                    file.seek(SeekFrom::Start(part.start))?;
                    // From a file to a socket this is done by the kernel alone.
                    io::copy(&mut file.take(sent), &mut stream)?;
                }
            }
        }
        if sent < size {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read() {
        let text = b"GET /simple/a%20b/?x HTTP/1.1\r\nrange: bytes=0-9\r\n\
            Authorization: Basic Ym9iOlNFQ1JFVA==\r\nConnection: close\r\n\r\nGET /next";
        let asked = Asked::read(&mut text.as_slice()).unwrap();
        assert_eq!((asked.path.as_str(), asked.closes), ("/simple/a%20b/", true));
        assert_eq!(asked.basic(), Some(("bob".into(), "SECRET".into())));
    }

    #[test]
    fn ranges() {
        let check = |range: &str, expected: Result<Option<Range<u64>>, ()>| {
            let asked = Asked { range: Some(range.to_owned()), ..Asked::default() };
            assert_eq!(asked.part(100), expected, "{range}");
        };
        check("bytes=0-9", Ok(Some(0..10)));
        check("bytes=90-", Ok(Some(90..100)));
        check("bytes=-5", Ok(Some(95..100)));
        check("bytes=0-1000", Ok(Some(0..100)));
        check("bytes=-1000", Ok(Some(0..100)));
        check("bytes=100-", Err(()));
        check("lines=1-2", Err(()));
        assert_eq!(Asked::default().part(100), Ok(None));
    }
}
