//! A package index on loopback, and what can be wrong with one.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use oci::Digest;
use serde_json::{Value, json};

use crate::wheel::Wheel;

/// How pages of packages are written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// PEP 503
    Html,
    /// PEP 691
    Json,
}

/// What is wrong.
#[derive(Clone)]
pub(crate) enum Fault {
    /// Every page and file has this status.
    Status(u16),
    /// Every page is this, as HTML.
    Page(&'static str),
    /// Every page is this, of this type.
    Typed(&'static str, &'static str),
    /// Pages end before their end.
    Truncated,
    /// The first so many answers for files break off in the middle.
    BrokenFiles(usize),
    /// Pages and files are elsewhere.
    Elsewhere(String),
    /// Only who has this user and password is answered.
    Login(&'static str),
    /// There are no ranges.
    NoRanges,
}

#[derive(Default)]
struct State {
    wheels: Vec<Wheel>,
    faults: Vec<Fault>,
    pages: BTreeMap<String, String>,
    log: Vec<String>,
    broken: usize,
}

/// A running index; its thread ends with the process.
#[derive(Clone)]
pub(crate) struct Index {
    state: Arc<Mutex<State>>,
    format: Format,
    pub(crate) host: String,
}

struct Request {
    method: String,
    path: String,
    headers: BTreeMap<String, String>,
}

struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    /// How much of the body is sent.
    sent: usize,
}

impl Answer {
    fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        let headers = vec![("Content-Type", content_type.to_owned())];
        Answer { status, headers, sent: body.len(), body }
    }
}

impl Index {
    pub(crate) fn new(format: Format, wheels: impl IntoIterator<Item = Wheel>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let wheels = wheels.into_iter().collect();
        let state = Arc::new(Mutex::new(State { wheels, ..State::default() }));
        let index = Index { state, format, host };
        let serving = index.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let serving = serving.clone();
                std::thread::spawn(move || serving.serve(&stream));
            }
        });
        index
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/simple/", self.host)
    }

    pub(crate) fn with(self, fault: Fault) -> Self {
        self.state.lock().unwrap().faults.push(fault);
        self
    }

    /// A page of links to all files.
    pub(crate) fn links(&self) -> String {
        format!("http://{}/links/", self.host)
    }

    pub(crate) fn file_url(&self, wheel: &Wheel) -> String {
        format!("http://{}/files/{}", self.host, wheel.filename())
    }

    /// What was asked for: method and path, and the range.
    pub(crate) fn log(&self) -> Vec<String> {
        self.state.lock().unwrap().log.clone()
    }

    fn serve(&self, stream: &TcpStream) -> Option<()> {
        let mut reader = BufReader::new(stream);
        while let Some(request) = read(&mut reader) {
            let range = request.headers.get("range").map(|range| format!(" {range}"));
            let line = format!("{} {}{}", request.method, request.path, range.unwrap_or_default());
            self.state.lock().unwrap().log.push(line);
            let answer = self.answer(&request);
            let is_whole = answer.sent == answer.body.len();
            write(stream, &request.method, answer)?;
            if !is_whole {
                return None;
            }
        }
        None
    }

    fn answer(&self, request: &Request) -> Answer {
        let mut state = self.state.lock().unwrap();
        let is_page = !request.path.starts_with("/files/");
        for fault in state.faults.clone() {
            match fault {
                Fault::Status(status) => return Answer::new(status, "text/plain", "no"),
                Fault::Page(text) if is_page => return Answer::new(200, "text/html", text),
                Fault::Typed(media, text) if is_page => return Answer::new(200, media, text),
                Fault::Elsewhere(host) => {
                    let mut answer = Answer::new(302, "text/plain", "");
                    let location = format!("http://{host}{}", request.path);
                    answer.headers.push(("Location", location));
                    return answer;
                }
                Fault::Login(login) => {
                    let wanted = format!("Basic {}", base64(login));
                    if request.headers.get("authorization") != Some(&wanted) {
                        return Answer::new(401, "text/plain", "who?");
                    }
                }
                _ => {}
            }
        }
        if let Some(name) = request.path.strip_prefix("/simple/") {
            let mut answer = self.page(&state.wheels, name.trim_end_matches('/'));
            if state.faults.iter().any(|fault| matches!(fault, Fault::Truncated)) {
                answer.sent = answer.body.len() / 2;
            }
            return answer;
        }
        if request.path == "/links/" {
            return Answer::new(200, "text/html", page_in_html(&state.wheels, &self.host));
        }
        file(&mut state, request)
    }

    fn page(&self, wheels: &[Wheel], name: &str) -> Answer {
        let of_it: Vec<_> = wheels.iter().filter(|wheel| wheel.name == name).cloned().collect();
        match (of_it.is_empty(), self.format) {
            (true, _) => Answer::new(404, "text/plain", "no such package"),
            (_, Format::Html) => Answer::new(200, "text/html", page_in_html(&of_it, &self.host)),
            (_, Format::Json) => {
                let media = "application/vnd.pypi.simple.v1+json";
                Answer::new(200, media, page_in_json(name, &of_it, &self.host))
            }
        }
    }
}

fn file(state: &mut State, request: &Request) -> Answer {
    let name = request.path.strip_prefix("/files/").unwrap_or_default();
    if let Some(page) = state.pages.get(&request.path) {
        return Answer::new(200, "text/html", page.clone());
    }
    let metadata = state.wheels.iter().find(|w| name == format!("{}.metadata", w.filename()));
    if let Some(wheel) = metadata.filter(|wheel| wheel.has_metadata_file) {
        return Answer::new(200, "text/plain", wheel.metadata());
    }
    let Some(wheel) = state.wheels.iter().find(|wheel| name == wheel.filename()) else {
        return Answer::new(404, "text/plain", "no such file");
    };
    let bytes = wheel.bytes();
    let has_ranges = !state.faults.iter().any(|fault| matches!(fault, Fault::NoRanges));
    let range = request.headers.get("range").filter(|_| has_ranges);
    let mut answer = match range.and_then(|range| parse_range(range, bytes.len())) {
        None => Answer::new(200, "application/zip", bytes),
        Some((start, end)) if start < bytes.len() => {
            let mut answer = Answer::new(206, "application/zip", &bytes[start..end]);
            let range = format!("bytes {start}-{}/{}", end - 1, bytes.len());
            answer.headers.push(("Content-Range", range));
            answer
        }
        Some(_) => {
            let mut answer = Answer::new(416, "application/zip", "");
            answer.headers.push(("Content-Range", format!("bytes */{}", bytes.len())));
            answer
        }
    };
    if has_ranges {
        answer.headers.push(("Accept-Ranges", "bytes".into()));
    }
    let breaks = state.faults.iter().find_map(|fault| match fault {
        Fault::BrokenFiles(times) => Some(*times),
        _ => None,
    });
    if request.method == "GET" && breaks.is_some_and(|times| state.broken < times) {
        state.broken += 1;
        answer.sent /= 2;
    }
    answer
}

fn parse_range(range: &str, size: usize) -> Option<(usize, usize)> {
    let (start, end) = range.strip_prefix("bytes=")?.split_once('-')?;
    if start.is_empty() {
        return Some((size - end.parse::<usize>().ok()?.min(size), size));
    }
    let end = end.parse::<usize>().map_or(size, |end| (end + 1).min(size));
    Some((start.parse().ok()?, end))
}

fn page_in_html(wheels: &[Wheel], host: &str) -> String {
    let mut page = "<!DOCTYPE html><html><body>\n".to_owned();
    for wheel in wheels {
        let filename = wheel.filename();
        let mut attributes = String::new();
        if let Some(python) = &wheel.requires_python {
            let python = python.replace('>', "&gt;").replace('<', "&lt;");
            attributes.push_str(&format!(" data-requires-python=\"{python}\""));
        }
        if let Some(reason) = &wheel.yanked {
            attributes.push_str(&format!(" data-yanked=\"{reason}\""));
        }
        if wheel.has_metadata_file && !wheel.is_source {
            attributes.push_str(" data-core-metadata=\"true\"");
        }
        let hash = hash(wheel).map(|hash| format!("#{hash}")).unwrap_or_default();
        let url = format!("http://{host}/files/{filename}{hash}");
        page.push_str(&format!("<a href=\"{url}\"{attributes}>{filename}</a>\n"));
    }
    page + "</body></html>"
}

fn page_in_json(name: &str, wheels: &[Wheel], host: &str) -> String {
    let files: Vec<_> = wheels.iter().map(|wheel| json_file(wheel, host)).collect();
    json!({ "meta": { "api-version": "1.0" }, "name": name, "files": files }).to_string()
}

fn json_file(wheel: &Wheel, host: &str) -> Value {
    let hash = hash(wheel);
    let hashes: BTreeMap<_, _> = hash.iter().filter_map(|hash| hash.split_once('=')).collect();
    let mut file = json!({
        "filename": wheel.filename(),
        "url": format!("http://{host}/files/{}", wheel.filename()),
        "hashes": hashes,
        "size": wheel.bytes().len(),
        "core-metadata": wheel.has_metadata_file && !wheel.is_source,
    });
    let optional = [
        ("requires-python", &wheel.requires_python),
        ("upload-time", &wheel.uploaded),
        ("yanked", &wheel.yanked),
    ];
    for (key, value) in optional {
        if let Some(value) = value {
            file[key] = json!(value);
        }
    }
    file
}

/// As in a fragment. An empty one is none.
fn hash(wheel: &Wheel) -> Option<String> {
    let own = || format!("sha256={}", Digest::of(&wheel.bytes()).hex());
    Some(wheel.hash.clone().unwrap_or_else(own)).filter(|hash| !hash.is_empty())
}

fn read(reader: &mut impl BufRead) -> Option<Request> {
    let mut lines = reader.lines().map_while(Result::ok);
    let first = lines.next()?;
    let mut words = first.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let headers = lines.take_while(|line| !line.is_empty()).filter_map(|line| {
        let (name, value) = line.split_once(':')?;
        Some((name.to_ascii_lowercase(), value.trim().to_owned()))
    });
    Some(Request { method, path, headers: headers.collect() })
}

fn write(mut stream: &TcpStream, method: &str, answer: Answer) -> Option<()> {
    let mut head = format!("HTTP/1.1 {} Status\r\n", answer.status);
    for (name, value) in &answer.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("Content-Length: {}\r\n\r\n", answer.body.len()));
    stream.write_all(head.as_bytes()).ok()?;
    if method != "HEAD" {
        stream.write_all(&answer.body[..answer.sent]).ok()?;
    }
    stream.flush().ok()
}

fn base64(text: &str) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(text)
}
