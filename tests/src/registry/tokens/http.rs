//! As much of HTTP/1.1 as a token server needs: one request a connection.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;
use url::form_urlencoded;

use crate::listener::basic;

/// A request: its method, and what its query and its form hold.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) method: String,
    fields: Vec<(String, String)>,
    authorization: Option<String>,
}

/// The longest line, and the longest body.
const LIMIT: u64 = 64 * 1024;

/// Reads a request and writes what `respond` says; who breaks off is left alone.
pub(super) fn serve(mut stream: TcpStream, respond: impl FnOnce(&Asked) -> (u16, Value)) {
    let _ = stream.set_read_timeout(Some(Duration::from_secs(10)));
    let Some(asked) = Asked::read(BufReader::new(&stream)) else { return };
    let (status, document) = respond(&asked);
    let document = document.to_string();
    let _ = write!(
        stream,
        "HTTP/1.1 {status} -\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{document}",
        document.len()
    );
}

impl Asked {
    fn read(mut from: impl BufRead) -> Option<Self> {
        let mut line = || {
            let mut line = String::new();
            from.by_ref().take(LIMIT).read_line(&mut line).ok()?;
            Some(line.trim_end().to_owned())
        };
        let first = line()?;
        let mut words = first.split(' ');
        let (method, target) = (words.next()?.to_owned(), words.next()?);
        let query = target.split_once('?').map_or("", |(_, query)| query);
        let mut asked = Asked { method, fields: fields(query.as_bytes()), authorization: None };
        let mut length = 0;
        loop {
            let header = line()?;
            let Some((name, value)) = header.split_once(':') else { break };
            match name.to_ascii_lowercase().as_str() {
                "authorization" => asked.authorization = Some(value.trim().to_owned()),
                "content-length" => length = value.trim().parse().ok()?,
                _ => {}
            }
        }
        let mut body = Vec::new();
        from.take(LIMIT.min(length)).read_to_end(&mut body).ok()?;
        asked.fields.extend(fields(&body));
        Some(asked)
    }

    pub(super) fn field(&self, name: &str) -> Option<String> {
        self.fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())
    }

    /// Each scope: `GET` has a field for each, `POST` has one for all.
    pub(super) fn scopes(&self) -> Vec<String> {
        let scopes = self.fields.iter().filter(|(key, _)| key == "scope");
        scopes.flat_map(|(_, value)| value.split_whitespace()).map(str::to_owned).collect()
    }

    /// Name and password.
    pub(super) fn basic(&self) -> Option<(String, String)> {
        self.authorization.as_deref().and_then(basic)
    }
}

fn fields(text: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(text).into_owned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_of_asking() {
        let get = b"GET /token?service=a+b&scope=repository%3Aa%3Apull&scope=x HTTP/1.1\r\n\
            Authorization: Basic Ym9iOlNFQ1JFVA==\r\n\r\n";
        let asked = Asked::read(get.as_slice()).unwrap();
        assert_eq!(asked.scopes(), ["repository:a:pull", "x"]);
        assert_eq!(asked.field("service").as_deref(), Some("a b"));
        assert_eq!(asked.basic(), Some(("bob".into(), "SECRET".into())));
        let post = b"POST /token HTTP/1.1\r\ncontent-length: 33\r\n\r\n\
            grant_type=password&scope=a+b%3Ac and more";
        let asked = Asked::read(post.as_slice()).unwrap();
        assert_eq!((asked.scopes(), asked.basic()), (vec!["a".into(), "b:c".into()], None));
    }
}
