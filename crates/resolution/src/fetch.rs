//! Downloads: many wheels side by side, each going on where it broke off.

use std::io::{self, Write};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use http::header::{ACCEPT_ENCODING, CONTENT_RANGE, RANGE};
use http::{HeaderMap, StatusCode};
use python::{Location, ResolutionRequest, WheelFile};
use reqwest::Response;
use url::Url;
use uv_client::BaseClient;
use uv_redacted::DisplaySafeUrl;

use crate::credentials::{Credentials, shown};
use crate::{IndexProblem, Network, ResolutionError, network, session};

/// How many files are downloaded side by side.
const DOWNLOADS: usize = 8;

/// Downloads wheels, with the credentials of the request that they were resolved for.
///
/// It has threads and a runtime of its own, and so must not be used, nor dropped, by a task of a
/// runtime.
pub struct Fetcher {
    client: BaseClient,
    runtime: tokio::runtime::Runtime,
    retries: u32,
    backoff: bool,
    offline: bool,
}

/// Where downloads go.
pub trait Sink: Sync {
    /// A file that is being written.
    type File: Write;
    /// What is left of a file that is whole.
    type Kept: Send;
    /// What can be wrong.
    type Error: From<FetchError> + Send;

    /// Makes a file, or opens one of an earlier time, and says how many bytes it has already.
    ///
    /// # Errors
    /// Why not.
    fn open(&self, wheel: &WheelFile) -> Result<(Self::File, u64), Self::Error>;

    /// Takes a file to whose end everything was written; whether it is the right one, by its digest,
    /// is for the sink to see.
    ///
    /// # Errors
    /// What is wrong with it.
    fn close(&self, wheel: &WheelFile, file: Self::File) -> Result<Self::Kept, Self::Error>;

    /// Is told of bytes that came.
    fn progress(&self, wheel: &WheelFile, bytes: u64) {
        let _ = (wheel, bytes);
    }
}

/// Why a file is not there.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// A host does not answer as it should.
    #[error("{url} {problem}")]
    Host {
        /// The file's address, without credentials.
        url: String,
        /// What is wrong.
        problem: IndexProblem,
    },
    /// There is more or less than there should be.
    #[error("{url} has {got} bytes and not {wanted}")]
    WrongSize {
        /// The file's address, without credentials.
        url: String,
        /// What the index or the lock says.
        wanted: u64,
        /// What came.
        got: u64,
    },
    /// The file is one that was given, and cannot be downloaded.
    #[error("{filename} is not to be downloaded")]
    Given {
        /// Its name.
        filename: String,
    },
    /// What came cannot be written.
    #[error("{filename} cannot be written: {cause}")]
    Write {
        /// Its name.
        filename: String,
        /// Why.
        cause: io::Error,
    },
}

impl FetchError {
    /// The way out, if there is one.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            FetchError::Host { problem: IndexProblem::Refused { .. }, .. } => {
                Some(crate::error::CREDENTIALS_HINT)
            }
            _ => None,
        }
    }
}

impl Fetcher {
    /// Takes the credentials of a request.
    ///
    /// # Errors
    /// Which setting is wrong.
    pub fn new(request: &ResolutionRequest, network: &Network) -> Result<Self, ResolutionError> {
        let credentials = Credentials::of(request, network)?;
        let client = session::base_client(network, credentials)?;
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.map_err(|error| ResolutionError::Setting {
            what: "runtime",
            cause: error.to_string(),
        })?;
        let Network { retries, backoff, offline, .. } = *network;
        Ok(Fetcher { client, runtime, retries, backoff, offline })
    }

    /// Downloads these, and returns what the sink kept, in their order.
    ///
    /// # Errors
    /// What went wrong first. The rest is stopped then, and what came of it stays with the sink.
    pub fn fetch<S: Sink>(&self, wheels: &[WheelFile], sink: &S) -> Result<Vec<S::Kept>, S::Error> {
        let next = AtomicUsize::new(0);
        let stop = AtomicBool::new(false);
        let kept = Mutex::new(Vec::new());
        let failed = Mutex::new(None);
        let work = || {
            while let Some((index, wheel)) = take(wheels, &next)
                && !stop.load(Ordering::Relaxed)
            {
                let download = Download { fetcher: self, wheel, sink, stop: &stop };
                match download.run() {
                    Ok(Some(done)) => lock(&kept).push((index, done)),
                    Ok(None) => return,
                    Err(error) => {
                        stop.store(true, Ordering::Relaxed);
                        lock(&failed).get_or_insert(error);
                    }
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..wheels.len().min(DOWNLOADS) {
                scope.spawn(work);
            }
        });
        match lock(&failed).take() {
            Some(error) => Err(error),
            None => Ok(in_order(std::mem::take(&mut *lock(&kept)))),
        }
    }
}

fn take<'a>(wheels: &'a [WheelFile], next: &AtomicUsize) -> Option<(usize, &'a WheelFile)> {
    let index = next.fetch_add(1, Ordering::Relaxed);
    wheels.get(index).map(|wheel| (index, wheel))
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn in_order<T>(mut numbered: Vec<(usize, T)>) -> Vec<T> {
    numbered.sort_by_key(|(index, _)| *index);
    numbered.into_iter().map(|(_, value)| value).collect()
}

/// One file on its way.
struct Download<'a, S> {
    fetcher: &'a Fetcher,
    wheel: &'a WheelFile,
    sink: &'a S,
    stop: &'a AtomicBool,
}

/// How one answer ended.
enum Ended {
    /// All is there.
    Whole,
    /// It was to stop.
    Stopped,
    /// It broke off and may be tried again.
    BrokenOff(FetchError),
}

impl<S: Sink> Download<'_, S> {
    /// `None` if it was stopped.
    fn run(&self) -> Result<Option<S::Kept>, S::Error> {
        let Location::Url(url) = &self.wheel.location else {
            return Err(FetchError::Given { filename: self.wheel.filename.clone() }.into());
        };
        let url = Url::parse(url).map_err(|error| FetchError::Host {
            url: crate::requirement::redacted(url).into_owned(),
            problem: IndexProblem::Unreachable { cause: error.to_string() },
        })?;
        let (mut file, mut offset) = self.sink.open(self.wheel)?;
        let mut failures = 0;
        loop {
            let before = offset;
            match self.go_on(&url, &mut file, &mut offset)? {
                Ended::Whole => break,
                Ended::Stopped => return Ok(None),
                // What makes progress is not given up.
                Ended::BrokenOff(_) if offset > before => failures = 0,
                Ended::BrokenOff(error) if failures >= self.fetcher.retries => {
                    return Err(error.into());
                }
                Ended::BrokenOff(_) => failures += 1,
            }
            self.pause(failures);
        }
        self.check_size(&url, offset)?;
        self.sink.close(self.wheel, file).map(Some)
    }

    fn pause(&self, failures: u32) {
        if self.fetcher.backoff {
            let factor = 2_u32.saturating_pow(failures.min(5));
            std::thread::sleep(Duration::from_millis(250).saturating_mul(factor));
        }
    }

    fn check_size(&self, url: &Url, got: u64) -> Result<(), FetchError> {
        match self.wheel.size {
            Some(wanted) if wanted != got => {
                Err(FetchError::WrongSize { url: shown(url), wanted, got })
            }
            _ => Ok(()),
        }
    }

    /// Asks for what is missing and writes it.
    fn go_on(&self, url: &Url, file: &mut S::File, offset: &mut u64) -> Result<Ended, FetchError> {
        let answer = self.fetcher.runtime.block_on(self.ask(url, *offset))?;
        let mut skip = match answer.status() {
            StatusCode::PARTIAL_CONTENT if starts_at(answer.headers()) == Some(*offset) => 0,
            StatusCode::RANGE_NOT_SATISFIABLE if ends_at(answer.headers()) == Some(*offset) => {
                return Ok(Ended::Whole);
            }
            // Not every host knows ranges.
            StatusCode::OK => *offset,
            status => return Err(refusal(url, status)),
        };
        let mut answer = answer;
        loop {
            if self.stop.load(Ordering::Relaxed) {
                return Ok(Ended::Stopped);
            }
            let chunk = match self.fetcher.runtime.block_on(answer.chunk()) {
                Ok(Some(chunk)) => chunk,
                Ok(None) => return Ok(Ended::Whole),
                Err(error) => return Ok(Ended::BrokenOff(broken_off(url, &error))),
            };
            let known = skip.min(chunk.len() as u64);
            skip -= known;
            let fresh = &chunk[usize::try_from(known).unwrap_or(chunk.len())..];
            self.write(file, fresh)?;
            *offset += fresh.len() as u64;
        }
    }

    fn write(&self, file: &mut S::File, bytes: &[u8]) -> Result<(), FetchError> {
        file.write_all(bytes)
            .map_err(|cause| FetchError::Write { filename: self.wheel.filename.clone(), cause })?;
        self.sink.progress(self.wheel, bytes.len() as u64);
        Ok(())
    }

    async fn ask(&self, url: &Url, offset: u64) -> Result<Response, FetchError> {
        let host = self.fetcher.client.for_host(DisplaySafeUrl::ref_cast(url));
        // Wheels are compressed, and a range is one of the bytes as they are stored.
        let mut request = host.get(url.clone()).header(ACCEPT_ENCODING, "identity");
        if offset > 0 {
            request = request.header(RANGE, format!("bytes={offset}-"));
        }
        let problem = |problem| FetchError::Host { url: shown(url), problem };
        if self.fetcher.offline {
            return Err(problem(IndexProblem::Offline));
        }
        let unreachable = |error| IndexProblem::Unreachable { cause: network::innermost(&error) };
        request.send().await.map_err(|error| problem(unreachable(error)))
    }
}

fn refusal(url: &Url, status: StatusCode) -> FetchError {
    let problem = match status.as_u16() {
        status @ (401 | 403) => IndexProblem::Refused { status },
        status => IndexProblem::Status { status },
    };
    FetchError::Host { url: shown(url), problem }
}

fn broken_off(url: &Url, error: &reqwest::Error) -> FetchError {
    let problem = IndexProblem::BrokenAnswer { cause: network::innermost(error) };
    FetchError::Host { url: shown(url), problem }
}

/// The first byte of `bytes 5-9/10` (RFC 9110, 14.4).
fn starts_at(headers: &HeaderMap) -> Option<u64> {
    let range = headers.get(CONTENT_RANGE)?.to_str().ok()?.strip_prefix("bytes ")?;
    range.split('-').next()?.trim().parse().ok()
}

/// The size in `bytes */10`.
fn ends_at(headers: &HeaderMap) -> Option<u64> {
    let range = headers.get(CONTENT_RANGE)?.to_str().ok()?;
    range.strip_prefix("bytes */")?.trim().parse().ok()
}
