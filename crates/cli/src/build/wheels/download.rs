//! Wheels on their way into the store.

use std::io::{self, Write};

use oci::{Digest, Digester};
use python::{Location, Package, ResolutionRequest, WheelFile};
use resolution::{FetchError, Fetcher, Sink};
use store::{Incoming, Scratch, Store, StoreError};

use super::network;
use crate::build::error::BuildError;
use crate::error::{Doing, Error};
use crate::flags::CacheUse;
use crate::progress::{Outcome, Step};
use crate::session::Session;

/// The kind of fact that says which bytes a URL gave that no index vouches for.
const WHEEL: &str = "wheel";

/// Makes the store have the wheels of all packages, and says what each is called there.
pub(super) fn bring<'p>(
    session: &Session,
    packages: impl Iterator<Item = &'p Package>,
    request: &ResolutionRequest,
    cache: CacheUse,
) -> Result<Vec<Digest>, Error> {
    let store = session.store()?;
    let mut digests = Vec::new();
    let mut missing = Vec::new();
    for package in packages {
        let known = known(store, &package.wheel, cache)?;
        if known.is_none() {
            missing.push(package.wheel.clone());
        }
        digests.push(known);
    }
    let mut fetched = fetch(session, &missing, request)?.into_iter();
    Ok(digests.into_iter().filter_map(|known| known.or_else(|| fetched.next())).collect())
}

/// What the store has of a wheel already.
fn known(store: &Store, wheel: &WheelFile, cache: CacheUse) -> Result<Option<Digest>, Error> {
    let digest = match (&wheel.location, wheel.sha256) {
        (Location::Given(digest), _) => Some(*digest),
        (Location::Url(_), Some(digest)) => Some(digest),
        (Location::Url(url), None) if cache == CacheUse::Use => {
            let known = store.fact(WHEEL, &key(url))?.unwrap_or_default();
            std::str::from_utf8(&known).ok().and_then(|digest| digest.parse().ok())
        }
        (Location::Url(_), None) => None,
    };
    match digest {
        Some(digest) if store.contains(&digest)?.is_some() => Ok(Some(digest)),
        _ => Ok(None),
    }
}

fn key(url: &str) -> Digest {
    Digest::of(url.as_bytes())
}

/// Fetches wheels, and says what each is called in the store.
pub(super) fn fetch(
    session: &Session,
    wheels: &[WheelFile],
    request: &ResolutionRequest,
) -> Result<Vec<Digest>, Error> {
    if wheels.is_empty() {
        return Ok(Vec::new());
    }
    let total: Option<u64> = wheels.iter().map(|wheel| wheel.size).sum();
    let name = match wheels {
        [wheel] => format!("fetch {}", wheel.filename),
        several => format!("fetch {} wheels", several.len()),
    };
    let step = session.progress.step(name, total);
    let fetcher = Fetcher::new(request, &network::settings(session)?).map_err(BuildError::from)?;
    let sink = IntoStore { store: session.store()?, step: &step };
    let fetched = fetcher.fetch(wheels, &sink).doing(|| "fetch the Python packages".to_owned())?;
    step.finish(Outcome::Done);
    Ok(fetched)
}

/// Where downloads go.
struct IntoStore<'a> {
    store: &'a Store,
    step: &'a Step,
}

/// A wheel while it is written.
enum Arriving {
    /// Its digest is announced.
    Announced(Box<Incoming>, Digest),
    /// Somebody else has brought it meanwhile.
    There(Digest),
    /// What it is will be seen.
    Unknown { scratch: Scratch, sha256: Digester, others: Vec<OtherHash>, size: u64 },
}

/// A digest that an index vouches with, where it does not with SHA-256.
struct OtherHash {
    algorithm: &'static str,
    wanted: String,
    digester: Digester,
}

impl Sink for IntoStore<'_> {
    type File = Arriving;
    type Kept = Digest;
    type Error = Error;

    fn open(&self, wheel: &WheelFile) -> Result<(Arriving, u64), Error> {
        let Some(digest) = wheel.sha256 else {
            let others = other_hashes(wheel)?;
            let (scratch, sha256) = (self.store.scratch()?, Digester::sha256());
            return Ok((Arriving::Unknown { scratch, sha256, others, size: 0 }, 0));
        };
        match self.store.partial_of(digest).wait()? {
            Some(incoming) => {
                let written = incoming.written();
                self.step.add(written);
                Ok((Arriving::Announced(Box::new(incoming), digest), written))
            }
            None => Ok((Arriving::There(digest), wheel.size.unwrap_or(0))),
        }
    }

    fn close(&self, wheel: &WheelFile, file: Arriving) -> Result<Digest, Error> {
        match file {
            Arriving::There(digest) => Ok(digest),
            Arriving::Announced(incoming, digest) => match incoming.commit() {
                Err(StoreError::DigestMismatch { expected, actual }) => {
                    let (found, wanted) = (actual.to_string(), expected.to_string());
                    Err(mismatch(wheel, "SHA-256", found, wanted))
                }
                other => Ok(other.map(|()| digest)?),
            },
            Arriving::Unknown { scratch, sha256, others, size } => {
                check_hashes(wheel, others)?;
                let digest = sha256.finish();
                scratch.commit_hashed(digest, size)?;
                if let Location::Url(url) = &wheel.location {
                    self.store.record_fact(WHEEL, &key(url), digest.to_string().as_bytes())?;
                }
                Ok(digest)
            }
        }
    }

    fn progress(&self, _: &WheelFile, bytes: u64) {
        self.step.add(bytes);
    }
}

impl Write for Arriving {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Arriving::Announced(incoming, _) => incoming.write(bytes),
            Arriving::There(_) => Ok(bytes.len()),
            Arriving::Unknown { scratch, sha256, others, size } => {
                let count = scratch.write(bytes)?;
                sha256.update(&bytes[..count]);
                for other in others {
                    other.digester.update(&bytes[..count]);
                }
                *size += count as u64;
                Ok(count)
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Those that can be computed here. It has to have one of them.
fn other_hashes(wheel: &WheelFile) -> Result<Vec<OtherHash>, Error> {
    let known = wheel.hashes.iter().filter_map(|hash| {
        let wanted = hash.strip_prefix("sha512:")?;
        let digester = Digester::new(oci::Algorithm::Sha512);
        Some(OtherHash { algorithm: "SHA-512", wanted: wanted.to_owned(), digester })
    });
    let known: Vec<OtherHash> = known.collect();
    if known.is_empty() && !wheel.hashes.is_empty() {
        let (wheel, hashes) = (wheel.filename.clone(), wheel.hashes.join(", "));
        return Err(BuildError::UnknownHash { wheel, hashes }.into());
    }
    Ok(known)
}

fn check_hashes(wheel: &WheelFile, others: Vec<OtherHash>) -> Result<(), Error> {
    let mut wrong = None;
    for OtherHash { algorithm, wanted, digester } in others {
        let found = digester.finish().hex().to_string();
        if found == wanted {
            return Ok(());
        }
        wrong = wrong.or(Some((algorithm, found, wanted)));
    }
    match wrong {
        Some((algorithm, found, wanted)) => Err(mismatch(wheel, algorithm, found, wanted)),
        None => Ok(()),
    }
}

fn mismatch(wheel: &WheelFile, algorithm: &'static str, found: String, wanted: String) -> Error {
    BuildError::WheelDigest { wheel: wheel.filename.clone(), algorithm, found, wanted }.into()
}

impl From<FetchError> for Error {
    fn from(error: FetchError) -> Self {
        BuildError::FetchWheel(error).into()
    }
}
