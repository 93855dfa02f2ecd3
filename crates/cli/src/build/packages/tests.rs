//! Packages from a host that behaves, and from one that does not.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;

use debian::Proxy;
use debian::outside::Login;
use testbed::deb::deb;

use super::*;
use crate::build::inputs::Inputs;
use crate::environment::Environment;
use crate::flags::{Command, parse_for_test};
use crate::session::Session;

/// What a host gives, and what it was asked.
#[derive(Default)]
struct Host {
    files: BTreeMap<String, Vec<u8>>,
    /// Breaks off the first answer after so many bytes.
    breaks_off: Option<usize>,
    asked: Vec<String>,
}

/// Starts a host; its address.
fn start(host: Host) -> (String, Arc<Mutex<Host>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let host = Arc::new(Mutex::new(host));
    let shared = Arc::clone(&host);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let host = Arc::clone(&shared);
            std::thread::spawn(move || answer(stream.unwrap(), &host));
        }
    });
    (address, host)
}

fn answer(mut stream: TcpStream, host: &Mutex<Host>) -> Option<()> {
    let mut lines = BufReader::new(stream.try_clone().ok()?).lines();
    let first = lines.next()?.ok()?;
    let path = first.split(' ').nth(1)?.trim_start_matches('/').to_owned();
    let headers: BTreeMap<String, String> = lines
        .map_while(|line| line.ok().filter(|line| !line.is_empty()))
        .filter_map(|line| {
            let (name, value) = line.split_once(": ")?;
            Some((name.to_ascii_lowercase(), value.to_owned()))
        })
        .collect();
    let header = |name: &str| headers.get(name).cloned().unwrap_or_default();
    let mut host = lock(host);
    let (range, etag) = (header("range"), header("if-none-match"));
    host.asked.push(format!("{path} {range}{etag}{}", header("authorization")).trim_end().into());
    let Some(bytes) = host.files.get(&path).cloned() else {
        let head = "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        stream.write_all(head.as_bytes()).ok()?;
        return Some(());
    };
    let from = range.trim_start_matches("bytes=").trim_end_matches('-').parse().unwrap_or(0);
    let own = format!("\"{}\"", Digest::of(&bytes).short());
    let (status, more) = if etag == own {
        ("304 Not Modified", String::new())
    } else if from > 0 {
        let last = bytes.len() - 1;
        ("206 Partial Content", format!("content-range: bytes {from}-{last}/{}\r\n", bytes.len()))
    } else {
        ("200 OK", format!("etag: {own}\r\n"))
    };
    let body = if etag == own { &[][..] } else { &bytes[from..] };
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\ncontent-length: {length}\r\n{more}connection: close\r\n\r\n"
    )
    .ok()?;
    let most = host.breaks_off.take().unwrap_or(length).min(length);
    stream.write_all(&body[..most]).ok()
}

/// Everything that a build has, over a store in `home`.
struct Work {
    session: Session,
    arguments: crate::flags::BuildArguments,
}

impl Work {
    fn new(home: &Path) -> Self {
        let context = home.join("context");
        std::fs::create_dir_all(&context).unwrap();
        std::fs::write(context.join("Dockerfile"), "FROM scratch\n").unwrap();
        let (store, context) = (home.join("store"), context.to_str().unwrap().to_owned());
        let line = ["build", "-q", "--store", store.to_str().unwrap(), &context];
        let environment = Environment::of(&[]);
        let invocation = parse_for_test(&line, &environment).unwrap();
        let Command::Build(arguments) = invocation.command else { panic!("it builds") };
        Work { session: Session::new(environment, invocation.settings), arguments: *arguments }
    }

    fn gatherer(&self) -> Gatherer<'_> {
        let inputs = Inputs::open(&self.arguments, &self.session).unwrap();
        Gatherer::new(&self.session, inputs, &self.arguments, &Default::default()).unwrap()
    }
}

fn fetch(url: String, sha256: Option<Digest>, size: Option<u64>) -> Fetch {
    let title = url.rsplit('/').next().unwrap().to_owned();
    Fetch { title, url, sha256, size, login: None, proxy: Proxy::Direct }
}

fn wanted(address: &str, name: &str, bytes: &[u8]) -> WantedDeb {
    let (url, size) = (format!("{address}/{name}"), Some(bytes.len() as u64));
    let fetch = fetch(url, Some(Digest::of(bytes)), size);
    let deb = Box::new(DebSource::Archive(fetch));
    WantedDeb { deb, source: None, span: 0..0 }
}

/// A package with a small file, a large one that compresses, and a large one that does not.
fn package(name: &str) -> Vec<u8> {
    let text = format!("{name} ").repeat(400_000);
    let noise: Vec<u8> = (0..700_000u32)
        .flat_map(|at| at.wrapping_mul(0x9e37_79b9).rotate_left(at % 31).to_le_bytes())
        .collect();
    let control = format!("Package: {name}\nVersion: 1\nArchitecture: all\n");
    deb(
        &control,
        &[
            ("./", b'5', "", b""),
            ("./small", b'0', "", name.as_bytes()),
            ("./text", b'0', "", text.as_bytes()),
            ("./noise", b'0', "", &noise),
            ("./empty", b'0', "", b""),
        ],
    )
}

fn message(error: &(Span, Error)) -> String {
    crate::report::chain(&error.1)
}

#[test]
fn packages_are_fetched_once_and_their_files_are_at_hand() {
    let home = tempfile::tempdir().unwrap();
    let packages: Vec<(String, Vec<u8>)> =
        ["aa", "bb", "cc"].map(|name| (format!("{name}.deb"), package(name))).into();
    let files = packages.iter().cloned().collect();
    let (address, host) = start(Host { files, breaks_off: Some(100_000), ..Host::default() });
    let work = Work::new(home.path());
    let gatherer = work.gatherer();
    let wanted = || packages.iter().map(|(name, bytes)| wanted(&address, name, bytes)).collect();
    let mut debs = bring(&gatherer, wanted()).map_err(|error| message(&error)).unwrap();
    debs.sort_by(|(_, one), (_, two)| one.filename.cmp(&two.filename));
    let names: Vec<&str> = debs.iter().map(|(_, deb)| &*deb.filename).collect();
    assert_eq!(names, ["aa.deb", "bb.deb", "cc.deb"]);
    let asked = lock(&host).asked.clone();
    assert_eq!(asked.len(), 4, "one goes on where it broke off: {asked:?}");
    assert!(asked.iter().any(|line| line.contains("bytes=")), "{asked:?}");
    let store = work.session.store().unwrap();
    for (digest, deb) in &debs {
        assert_eq!(store.contains(digest).unwrap(), None, "its own bytes are not kept");
        let open = OpenFragment::open(store, digest).unwrap();
        for member in &deb.members {
            let debian::deb::MemberNode::File { content, .. } = member.node else { continue };
            let mut bytes = Vec::new();
            if content.size > 0 {
                open.content(&content.digest).unwrap().read_to_end(&mut bytes).unwrap();
            }
            assert_eq!(Content::of(&bytes), content, "{}", member.name);
        }
    }
    // Another build asks nobody.
    let mut again = bring(&work.gatherer(), wanted()).map_err(|error| message(&error)).unwrap();
    again.sort_by(|(_, one), (_, two)| one.filename.cmp(&two.filename));
    assert_eq!(again, debs);
    assert_eq!(lock(&host).asked.len(), 4);
}

#[test]
fn packages_that_are_others_are_refused() {
    let home = tempfile::tempdir().unwrap();
    let (good, other) = (package("aa"), package("ab"));
    let files = BTreeMap::from([
        ("a.deb".to_owned(), other.clone()),
        ("short.deb".to_owned(), good[..5000].to_vec()),
        ("none.deb".to_owned(), b"no package".to_vec()),
    ]);
    let (address, _) = start(Host { files, ..Host::default() });
    let work = Work::new(home.path());
    let gatherer = work.gatherer();
    let refused = |name: &str, bytes: &[u8]| {
        let error = bring(&gatherer, vec![wanted(&address, name, bytes)]).unwrap_err();
        message(&error).replace(&address, "HOST")
    };
    let digest = |bytes: &[u8]| Digest::of(bytes).to_string();
    let found = refused("a.deb", &good);
    let found = found.replace(&digest(&good), "GOOD").replace(&digest(&other), "OTHER");
    insta::assert_snapshot!(found, @"failed to accept a.deb from HOST/a.deb: it has the digest OTHER, and the archive's lists say GOOD");
    insta::assert_snapshot!(refused("b.deb", &good), @"failed to fetch b.deb from HOST/b.deb: the archive does not have it any more (404 Not Found)");
    insta::assert_snapshot!(refused("none.deb", b"no package"), @"failed to read the package none.deb: the file is no Debian package: it is no `ar` archive");
    let short = refused("short.deb", &good);
    assert!(short.contains("the archive's lists say"), "{short}");
    let store = home.path().join("store");
    let count =
        |directory: &str| std::fs::read_dir(store.join(directory)).map_or(0, Iterator::count);
    let left = count("blobs/sha256") + count("plywood/partial");
    assert_eq!(left, 0, "nothing is left behind");
}

#[test]
fn lists_are_asked_for_again_and_not_sent_again() {
    let home = tempfile::tempdir().unwrap();
    let list = b"Package: a\nVersion: 1\nArchitecture: all\n".to_vec();
    let files = BTreeMap::from([("InRelease".to_owned(), list.clone())]);
    let (address, host) = start(Host { files, ..Host::default() });
    let work = Work::new(home.path());
    let gatherer = work.gatherer();
    let at =
        |name: &str, sha256| (Box::new(fetch(format!("{address}/{name}"), sha256, None)), 0..0);
    let with_login = || {
        let (mut fetch, span) = at("InRelease", None);
        let (user, password) = ("me".to_owned(), "SECRET".to_owned());
        fetch.login = Some(Login { user, password });
        (fetch, span)
    };
    let all =
        || vec![with_login(), at("Release.gpg", None), at("by-hash/a", Some(Digest::of(&list)))];
    let fetched = fetch_all(&gatherer, &all()).map_err(|error| message(&error)).unwrap();
    let contents: Vec<_> = fetched.iter().map(|(_, content)| *content).collect();
    assert_eq!(contents[..2], [Some(Content::of(&list)), None]);
    let fetched = fetch_all(&gatherer, &all()).map_err(|error| message(&error)).unwrap();
    assert_eq!(fetched[0].1, Some(Content::of(&list)));
    assert_eq!(fetched[2].1, Some(Content::of(&list)), "the store has it by now");
    let asked = lock(&host).asked.clone();
    let login = "Basic bWU6U0VDUkVU";
    assert_eq!(asked.iter().filter(|line| line.ends_with(login)).count(), 2, "{asked:?}");
    let etag = format!("\"{}\"", Digest::of(&list).short());
    assert_eq!(asked.iter().filter(|line| line.contains(&etag)).count(), 1, "{asked:?}");
    let wrong = vec![at("InRelease", Some(Digest::of(b"other")))];
    let error = message(&fetch_all(&gatherer, &wrong).unwrap_err());
    assert!(error.contains("the archive's lists say"), "{error}");
    let (mut long, span) = at("InRelease", Some(Digest::of(b"x")));
    long.size = Some(3);
    let error = message(&fetch_all(&gatherer, &[(long, span)]).unwrap_err());
    assert!(error.contains("more than the 3 bytes"), "{error}");
}
