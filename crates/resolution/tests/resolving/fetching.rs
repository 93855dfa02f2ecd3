//! Downloads.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::Mutex;

use oci::Digest;
use python::{Location, WheelFile};
use resolution::{FetchError, Fetcher, Sink};

use crate::ask::{Ask, ask};
use crate::index::{Fault, Format, Index};
use crate::wheel::{Wheel, wheel};

/// Keeps bytes, beginning with those of an earlier time.
#[derive(Default)]
struct Memory {
    earlier: BTreeMap<String, Vec<u8>>,
    came: Mutex<u64>,
}

struct Bytes(Vec<u8>);

impl Write for Bytes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[derive(Debug)]
enum Failure {
    Fetch(FetchError),
    WrongDigest(String),
}

impl From<FetchError> for Failure {
    fn from(error: FetchError) -> Self {
        Failure::Fetch(error)
    }
}

impl Sink for Memory {
    type File = Bytes;
    type Kept = Digest;
    type Error = Failure;

    fn open(&self, wheel: &WheelFile) -> Result<(Bytes, u64), Failure> {
        let earlier = self.earlier.get(&wheel.filename).cloned().unwrap_or_default();
        let size = earlier.len() as u64;
        Ok((Bytes(earlier), size))
    }

    fn close(&self, wheel: &WheelFile, file: Bytes) -> Result<Digest, Failure> {
        let digest = Digest::of(&file.0);
        match &wheel.sha256 {
            Some(wanted) if *wanted != digest => Err(Failure::WrongDigest(wheel.filename.clone())),
            _ => Ok(digest),
        }
    }

    fn progress(&self, _wheel: &WheelFile, bytes: u64) {
        *self.came.lock().unwrap() += bytes;
    }
}

fn file(index: &Index, wheel: &Wheel) -> WheelFile {
    let bytes = wheel.bytes();
    WheelFile {
        filename: wheel.filename(),
        location: Location::Url(index.file_url(wheel)),
        sha256: Some(Digest::of(&bytes)),
        hashes: Vec::new(),
        size: Some(bytes.len() as u64),
    }
}

fn fetch(ask: &Ask, files: &[WheelFile], memory: &Memory) -> Result<Vec<Digest>, String> {
    let fetcher = Fetcher::new(&ask.request, &ask.network).unwrap();
    fetcher.fetch(files, memory).map_err(|failure| match failure {
        Failure::Fetch(error) => {
            let hint = error.hint().map(|hint| format!("\nhint: {hint}"));
            format!("{error}{}", hint.unwrap_or_default()).replace(&host(files), "HOST")
        }
        Failure::WrongDigest(name) => format!("{name} is another file"),
    })
}

fn host(files: &[WheelFile]) -> String {
    let Location::Url(url) = &files[0].location else { return "nowhere".into() };
    url.split('/').nth(2).unwrap_or_default().to_owned()
}

fn many() -> Vec<Wheel> {
    (0..20).map(|number| wheel(&format!("lib{number}"), "1")).collect()
}

#[test]
fn many_come_in_their_order_through_breaks() {
    for fault in [None, Some(Fault::BrokenFiles(15)), Some(Fault::NoRanges)] {
        let index = Index::new(Format::Json, many());
        let index = fault.into_iter().fold(index, Index::with);
        let files: Vec<_> = many().iter().map(|wheel| file(&index, wheel)).collect();
        let memory = Memory::default();
        let digests = fetch(&ask(&index), &files, &memory).unwrap();
        let wanted: Vec<_> = files.iter().map(|file| file.sha256.unwrap()).collect();
        assert_eq!(digests, wanted);
        let size: u64 = files.iter().filter_map(|file| file.size).sum();
        assert_eq!(*memory.came.lock().unwrap(), size);
    }
}

#[test]
fn what_is_there_is_not_fetched_again() {
    let lib = wheel("lib", "1");
    let bytes = lib.bytes();
    for there in [100, bytes.len()] {
        for fault in [None, Some(Fault::NoRanges)] {
            let has_ranges = fault.is_none();
            let index = Index::new(Format::Json, [lib.clone()]);
            let index = fault.into_iter().fold(index, Index::with);
            let earlier = BTreeMap::from([(lib.filename(), bytes[..there].to_vec())]);
            let memory = Memory { earlier, ..Memory::default() };
            let files = [file(&index, &lib)];
            assert_eq!(fetch(&ask(&index), &files, &memory).unwrap(), [Digest::of(&bytes)]);
            assert_eq!(*memory.came.lock().unwrap(), (bytes.len() - there) as u64);
            let request = format!("GET /files/{} bytes={there}-", lib.filename());
            assert_eq!(index.log(), [request], "{has_ranges}");
        }
    }
}

#[test]
fn credentials_go_where_they_belong() {
    let lib = wheel("lib", "1");
    let index = Index::new(Format::Json, [lib.clone()]).with(Fault::Login("u:SECRET"));
    let other = Index::new(Format::Json, []).with(Fault::Elsewhere(index.host.clone()));
    let asked = ask(&index).change(|request| {
        let url = index.url().replace("http://", "http://u:SECRET@");
        request.indexes.index_url = Some(python::IndexUrl::new(url));
    });
    for place in [&index, &other] {
        let files = [file(place, &lib)];
        assert!(fetch(&asked, &files, &Memory::default()).is_ok());
    }
    let files = [file(&index, &lib)];
    insta::assert_snapshot!(fetch(&ask(&index), &files, &Memory::default()).unwrap_err(), @"
    http://HOST/files/lib-1-py3-none-any.whl refuses access (401)
    hint: put credentials that it accepts into the index's URL, a netrc file or PIP_INDEX_URL
    ");
}

#[test]
fn what_goes_wrong() {
    let lib = wheel("lib", "1");
    let index = || Index::new(Format::Json, [lib.clone()]);
    let error = |index: Index, change: &dyn Fn(&mut WheelFile)| {
        let mut wanted = file(&index, &lib);
        change(&mut wanted);
        fetch(&ask(&index), &[wanted], &Memory::default()).unwrap_err()
    };
    let none = |_: &mut WheelFile| {};
    insta::assert_snapshot!(error(index().with(Fault::Status(503)), &none), @"http://HOST/files/lib-1-py3-none-any.whl answers with an error (503)");
    insta::assert_snapshot!(error(index().with(Fault::BrokenFiles(100)).with(Fault::NoRanges), &none), @"http://HOST/files/lib-1-py3-none-any.whl answers with what cannot be read: end of file before message length reached");
    insta::assert_snapshot!(error(Index::new(Format::Json, []), &none), @"http://HOST/files/lib-1-py3-none-any.whl answers with an error (404)");
    insta::assert_snapshot!(error(index(), &|wheel| wheel.size = Some(7)), @"http://HOST/files/lib-1-py3-none-any.whl has 2577 bytes and not 7");
    insta::assert_snapshot!(error(index(), &|wheel| wheel.sha256 = Some(Digest::of(b""))), @"lib-1-py3-none-any.whl is another file");
    let given = |wheel: &mut WheelFile| wheel.location = Location::Given(Digest::of(b""));
    insta::assert_snapshot!(error(index(), &given), @"lib-1-py3-none-any.whl is not to be downloaded");
    let gone = |wheel: &mut WheelFile| {
        wheel.location = Location::Url("http://127.0.0.1:1/lib.whl?token=SECRET".into());
    };
    insta::assert_snapshot!(error(index(), &gone), @"http://HOST/lib.whl cannot be reached: Connection refused (os error 111)");
    let mut offline = ask(&index());
    offline.network.offline = true;
    let files = [file(&index(), &lib)];
    insta::assert_snapshot!(fetch(&offline, &files, &Memory::default()).unwrap_err(), @"http://HOST/files/lib-1-py3-none-any.whl is not in the cache, and this is offline");
}
