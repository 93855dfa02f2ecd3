//! Debian packages: what their archives give, and what their files become in the store.
//!
//! A package is fetched, checked, read and deflated in one go, and then only its fragment is kept
//! (see [`fragment`]). Everything is side by side: downloads, reading, deflating.

#[cfg(test)]
mod days;
mod elf;
mod fragment;
mod reading;
#[cfg(test)]
mod tests;
mod transport;

use std::fs::File;
use std::io::Read;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use crossbeam_channel::{Sender, bounded};
use debian::{Deb, DebSource, Fetch, PackageIndex};
use layer::{ArchiveCompression, Content, Limits};
use oci::{Digest, Digester};
use plan::{FetchKey, FileReference, Source};
use recipe::Span;
use store::Store;

use super::contents::Contents;
use super::error::BuildError;
use super::gather::Gatherer;
use super::lock::Drift;
use super::threads;
use crate::error::Error;
use crate::progress::{Outcome, Step};
pub(super) use elf::{known_elf, read_elf};
pub(super) use fragment::OpenFragment;
pub(super) use transport::fetch_anew;

/// The kind of fact that a list of packages is, in the form in which it is searched.
pub(super) const INDEX: &str = "package-index";

/// What goes wrong, and for which place of the recipe.
pub(super) type At<T> = Result<T, (Span, Error)>;

/// Fetches what lists and signatures say where it is.
pub(super) fn fetch_all(
    gatherer: &Gatherer<'_>,
    wanted: &[(Box<Fetch>, Span)],
) -> At<Vec<(FetchKey, Option<Content>)>> {
    side_by_side(wanted, transport::SIDE_BY_SIDE, |(fetch, span)| {
        let fetched = transport::fetch(gatherer, fetch);
        let content = fetched.map_err(|error| (span.clone(), error))?;
        Ok((FetchKey::of(fetch), content))
    })
}

/// Does work on several threads; its results, in order, or what went wrong first.
fn side_by_side<'q, Q: Sync, A: Send, E: Send>(
    work: &'q [Q],
    threads: usize,
    run: impl Fn(&'q Q) -> Result<A, E> + Sync,
) -> Result<Vec<A>, E> {
    let next = AtomicUsize::new(0);
    let stop = AtomicBool::new(false);
    let done = Mutex::new(Vec::new());
    let failed = Mutex::new(None);
    let worker = || {
        while !stop.load(Ordering::Relaxed) {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(question) = work.get(at) else { return };
            match run(question) {
                Ok(answer) => lock(&done).push((at, answer)),
                Err(error) => {
                    stop.store(true, Ordering::Relaxed);
                    lock(&failed).get_or_insert(error);
                }
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..work.len().min(threads) {
            scope.spawn(worker);
        }
    });
    if let Some(error) = lock(&failed).take() {
        return Err(error);
    }
    let mut done = std::mem::take(&mut *lock(&done));
    done.sort_by_key(|(at, _)| *at);
    Ok(done.into_iter().map(|(_, answer)| answer).collect())
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads what a list of packages says, once in its life. Of one that cannot be had any more it is
/// known what answers some questions.
pub(super) fn index(
    gatherer: &Gatherer<'_>,
    file: &FileReference,
    title: &str,
    question: &Digest,
) -> Result<Arc<PackageIndex>, Error> {
    let store = gatherer.session.store()?;
    let digest = file.content.digest;
    if let Some(left) = gatherer.facts.vouched.get(&digest)
        && !left.questions.contains(question)
    {
        return Err(gatherer.pins.beyond(Drift::Unanswered { what: title.to_owned() }));
    }
    if let Some(bytes) = store.fact(INDEX, &digest)?
        && let Ok(index) = PackageIndex::from_bytes(&bytes)
    {
        return Ok(Arc::new(index));
    }
    let what = || title.to_owned();
    let malformed = |source| BuildError::PackageIndex { what: what(), source };
    if let Some(index) = gatherer.pins.abridged_index(&digest).map_err(malformed)? {
        return Ok(Arc::new(index));
    }
    let read = |source| BuildError::Read { what: what(), source };
    let step = gatherer.session.progress.step(format!("read {title}"), None);
    let mut contents = Contents::new(gatherer.session, &gatherer.inputs, &gatherer.facts);
    contents.prepare(&[(digest, &file.source)])?;
    let mut list = contents.open(&digest, &file.source)?;
    let mut magic = Vec::new();
    (&mut list).take(6).read_to_end(&mut magic).map_err(read)?;
    let compression = ArchiveCompression::of_magic(&magic);
    let list = std::io::Cursor::new(magic).chain(list);
    let text = layer::open_archive(list, compression, &Limits::default()).map_err(read)?;
    let index = layer::with_read_ahead(text, PackageIndex::read).map_err(read)?;
    let index = index.map_err(malformed)?;
    store.record_fact(INDEX, &digest, &index.to_bytes())?;
    step.finish(Outcome::Done);
    Ok(Arc::new(index))
}

/// Whether it is known here what a list says, be its bytes gone.
pub(super) fn is_index_known(store: &Store, digest: &Digest) -> Result<bool, Error> {
    let known = store.fact(INDEX, digest)?;
    Ok(known.is_some_and(|bytes| PackageIndex::from_bytes(&bytes).is_ok()))
}

/// A package that is wanted.
pub(super) struct WantedDeb {
    pub(super) deb: Box<DebSource>,
    /// Where its bytes are, if it is a file of the image.
    pub(super) source: Option<Source>,
    pub(super) span: Span,
}

impl WantedDeb {
    fn digest(&self) -> Option<Digest> {
        match &*self.deb {
            DebSource::Archive(fetch) => fetch.sha256,
            DebSource::File { stored, .. } => Some(stored.content.digest),
        }
    }

    fn size(&self) -> u64 {
        match &*self.deb {
            DebSource::Archive(fetch) => fetch.size.unwrap_or(0),
            DebSource::File { stored, .. } => stored.content.size,
        }
    }

    /// What its file is called.
    fn filename(&self) -> String {
        let path = match &*self.deb {
            DebSource::Archive(fetch) => fetch.url.clone(),
            DebSource::File { path, .. } => path.to_string(),
        };
        path.rsplit('/').next().unwrap_or_default().to_owned()
    }

    /// The package, for people.
    fn title(&self) -> String {
        match &*self.deb {
            DebSource::Archive(fetch) => fetch.title.clone(),
            DebSource::File { path, .. } => format!("/{path}"),
        }
    }
}

/// Brings packages, and says what each of them is.
pub(super) fn bring(
    gatherer: &Gatherer<'_>,
    wanted: Vec<WantedDeb>,
) -> At<Vec<(Digest, Arc<Deb>)>> {
    let mut debs = Vec::new();
    let mut missing = Vec::new();
    for wanted in wanted {
        let Some(digest) = wanted.digest() else { continue };
        if let DebSource::Archive(fetch) = &*wanted.deb {
            gatherer.pins.found_deb(fetch).map_err(|error| (wanted.span.clone(), error))?;
        }
        let known = gatherer.session.store().and_then(|store| fragment::known(store, &digest));
        match known.map_err(|error| (wanted.span.clone(), error))? {
            Some(deb) => debs.push((digest, Arc::new(deb))),
            None => missing.push((digest, wanted)),
        }
    }
    if !missing.is_empty() {
        debs.extend(read_all(gatherer, missing)?);
    }
    Ok(debs)
}

/// A package whose bytes are here.
struct Arrived<'a> {
    digest: Digest,
    wanted: &'a WantedDeb,
    bytes: Box<dyn Read + Send + 'a>,
}

/// Packages that wait to be read. The largest is taken first: one that takes long is not to be the
/// last.
#[derive(Default)]
struct Arrivals<'a> {
    waiting: Mutex<Waiting<'a>>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting<'a> {
    arrived: Vec<Arrived<'a>>,
    has_ended: bool,
}

impl<'a> Arrivals<'a> {
    fn put(&self, arrived: Arrived<'a>) {
        lock(&self.waiting).arrived.push(arrived);
        self.changed.notify_one();
    }

    /// The next, once there is one; `None` when all have been taken.
    fn take(&self) -> Option<Arrived<'a>> {
        let mut waiting = lock(&self.waiting);
        loop {
            let arrived = &mut waiting.arrived;
            let largest = (0..arrived.len()).max_by_key(|at| arrived[*at].wanted.size());
            if let Some(largest) = largest {
                return Some(arrived.swap_remove(largest));
            }
            if waiting.has_ended {
                return None;
            }
            waiting = self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Nothing more arrives once this is dropped, however that comes about.
struct End<'e, 'a>(&'e Arrivals<'a>);

impl Drop for End<'_, '_> {
    fn drop(&mut self) {
        lock(&self.0.waiting).has_ended = true;
        self.0.changed.notify_all();
    }
}

/// Fetches, reads and deflates packages, all at the same time.
fn read_all(
    gatherer: &Gatherer<'_>,
    mut missing: Vec<(Digest, WantedDeb)>,
) -> At<Vec<(Digest, Arc<Deb>)>> {
    missing.sort_by_key(|(digest, wanted)| (std::cmp::Reverse(wanted.size()), *digest));
    let session = gatherer.session;
    let contents = open_files(gatherer, &missing)?;
    let step = session.progress.step(name(&missing), Some(total(&missing)));
    let threads = threads(session).get();
    let (arrivals, (jobs, parts)) = (Arrivals::default(), bounded(2 * threads));
    let failed = Mutex::new(None);
    let read = Mutex::new(Vec::new());
    let fail = |wanted: &WantedDeb, error| {
        lock(&failed).get_or_insert((wanted.span.clone(), error));
    };
    std::thread::scope(|scope| {
        for _ in 0..threads {
            let (arrivals, jobs, parts) = (&arrivals, jobs.clone(), parts.clone());
            scope.spawn(move || reading::deflate(&parts));
            let (failed, fail, read) = (&failed, &fail, &read);
            scope.spawn(move || {
                while let Some(Arrived { digest, wanted, bytes }) = arrivals.take() {
                    if lock(failed).is_some() {
                        return;
                    }
                    match read_one(gatherer, digest, wanted, bytes, &jobs) {
                        Ok(deb) => lock(read).push((digest, deb)),
                        Err(error) => return fail(wanted, error),
                    }
                }
            });
        }
        drop((jobs, parts));
        let end = End(&arrivals);
        let fetched = side_by_side(&missing, transport::SIDE_BY_SIDE, |(digest, wanted)| {
            if lock(&failed).is_some() {
                return Ok(());
            }
            let bytes = open(gatherer, &contents, digest, wanted, &step)?;
            arrivals.put(Arrived { digest: *digest, wanted, bytes });
            Ok::<(), (Span, Error)>(())
        });
        if let Err(error) = fetched {
            lock(&failed).get_or_insert(error);
        }
        drop(end);
    });
    if let Some(error) = lock(&failed).take() {
        return Err(error);
    }
    step.finish(Outcome::Done);
    Ok(std::mem::take(&mut *lock(&read)))
}

fn name(missing: &[(Digest, WantedDeb)]) -> String {
    match missing {
        [(_, wanted)] => format!("fetch {}", wanted.title()),
        several => format!("fetch {} packages", several.len()),
    }
}

fn total(missing: &[(Digest, WantedDeb)]) -> u64 {
    missing.iter().map(|(_, wanted)| wanted.size()).fold(0, u64::saturating_add)
}

/// Makes those packages readable that are files of the image.
fn open_files<'a>(gatherer: &'a Gatherer<'_>, missing: &[(Digest, WantedDeb)]) -> At<Contents<'a>> {
    let mut contents = Contents::new(gatherer.session, &gatherer.inputs, &gatherer.facts);
    let files =
        missing.iter().filter_map(|(digest, wanted)| Some((*digest, wanted.source.as_ref()?)));
    let files: Vec<_> = files.collect();
    let prepared = contents.prepare(&files);
    prepared.map_err(|error| (missing[0].1.span.clone(), error))?;
    Ok(contents)
}

fn open<'a>(
    gatherer: &Gatherer<'_>,
    contents: &'a Contents<'_>,
    digest: &Digest,
    wanted: &'a WantedDeb,
    step: &Step,
) -> Result<Box<dyn Read + Send + 'a>, (Span, Error)> {
    let at = |error| (wanted.span.clone(), error);
    match (&*wanted.deb, &wanted.source) {
        (DebSource::Archive(fetch), _) => {
            let brought = transport::bring(gatherer, fetch, *digest, step);
            let file: File = brought.map_err(|error| at(lost(gatherer, fetch, error)))?;
            Ok(Box::new(file))
        }
        (DebSource::File { .. }, Some(source)) => contents.open(digest, source).map_err(at),
        (DebSource::File { path, .. }, None) => Err(at(BuildError::Changed(path.clone()).into())),
    }
}

/// Why a package does not come; of one that is pinned and gone, that.
fn lost(gatherer: &Gatherer<'_>, fetch: &Fetch, error: Error) -> Error {
    let is_gone =
        matches!(&error, Error::Build(inner) if matches!(**inner, BuildError::NoPackage(_)));
    is_gone.then(|| gatherer.pins.lost_package(fetch)).flatten().unwrap_or(error)
}

/// Reads one package. Of a file of the image it is seen here what it is: those of an archive were
/// checked when they came.
fn read_one(
    gatherer: &Gatherer<'_>,
    digest: Digest,
    wanted: &WantedDeb,
    bytes: Box<dyn Read + Send + '_>,
    jobs: &Sender<reading::Job>,
) -> Result<Arc<Deb>, Error> {
    let store = gatherer.session.store()?;
    let filename = wanted.filename();
    let read = match &*wanted.deb {
        DebSource::Archive(_) => reading::read(store, bytes, digest, &filename, jobs)?,
        DebSource::File { path, .. } => {
            let mut bytes = Hashed { bytes, digester: Digester::sha256() };
            let read = reading::read(store, &mut bytes, digest, &filename, jobs)?;
            let rest = std::io::copy(&mut bytes, &mut std::io::sink());
            rest.map_err(|source| BuildError::Read { what: filename, source })?;
            if bytes.digester.finish() != digest {
                return Err(BuildError::Changed(path.clone()).into());
            }
            read
        }
    };
    let (deb, fragment) = read;
    fragment::record(store, &deb, &fragment)?;
    Ok(Arc::new(deb))
}

struct Hashed<R> {
    bytes: R,
    digester: Digester,
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.bytes.read(buffer)?;
        self.digester.update(&buffer[..read]);
        Ok(read)
    }
}
