//! `cache verify`: whether all that is kept is what it says.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use layer::LayerIndex;
use oci::{Compression, DiffId, Digest, Digester, RepositoryName};
use plan::StepRecord;
use store::{CachedLayer, KeptBlob, KeptRecord, Store};

use crate::build::kept::{self, RecordCheck};
use crate::error::Error;
use crate::flags::{Damaged, VerificationDepth};
use crate::session::Session;

/// Looks through the store.
pub(super) fn store(damaged: Damaged, session: &Session) -> Result<(), Error> {
    let mut store = session.own_store()?;
    let found = look_through(&store, session.settings.jobs)?;
    let mut answer: String = found.problems.iter().map(|line| format!("{line}\n")).collect();
    answer.push_str(&format!("Verified: {} records, {} blobs\n", found.records, found.blobs));
    if found.problems.is_empty() {
        return session.answer(answer.as_bytes());
    }
    let (records, blobs) = (found.bad_records, found.bad_blobs);
    if damaged == Damaged::Discarded {
        store.discard(&records, &blobs)?;
        let (records, blobs) = (records.len(), blobs.len());
        answer.push_str(&format!("Thrown away: {records} records, {blobs} blobs\n"));
        return session.answer(answer.as_bytes());
    }
    session.answer(answer.as_bytes())?;
    let way_out = "builds pass it over; `plywood cache verify --repair` throws it away";
    Err(Error::DamagedCache { count: found.problems.len(), way_out })
}

/// Looks through repositories.
pub(super) fn repositories(
    repositories: &[RepositoryName],
    depth: VerificationDepth,
    session: &Session,
) -> Result<(), Error> {
    let mut count = 0;
    for repository in repositories {
        let records = kept::records_of(session, repository)?;
        let mut check = RecordCheck::new(session, repository, depth);
        let mut answer = String::new();
        for record in &records {
            for problem in check.problems(record)? {
                count += 1;
                let line = format!("{}:{}: {problem}", repository.familiar(), record.tag);
                // What a registry says must not draw on a terminal.
                answer.push_str(&line.replace(char::is_control, " "));
                answer.push('\n');
            }
        }
        let layers = match depth {
            VerificationDepth::Presence => String::new(),
            VerificationDepth::Bytes => format!(", {} layers", check.fetched()),
        };
        answer.push_str(&format!("Verified: {} records{layers}\n", records.len()));
        session.answer(answer.as_bytes())?;
    }
    let way_out = "builds pass it over, and put what is right in its place";
    match count {
        0 => Ok(()),
        count => Err(Error::DamagedCache { count, way_out }),
    }
}

/// What was found in a store.
#[derive(Default)]
struct Found {
    records: usize,
    blobs: usize,
    problems: Vec<String>,
    bad_records: Vec<KeptRecord>,
    bad_blobs: Vec<Digest>,
}

/// What a record says of a blob.
struct Claim {
    record: KeptRecord,
    blob: Digest,
    size: u64,
    diff_id: DiffId,
    compression: Option<Compression>,
}

impl Found {
    fn bad_record(&mut self, record: KeptRecord, problem: &str) {
        self.problems.push(format!("{} {}: {problem}", record.kind, record.key));
        if !self.bad_records.contains(&record) {
            self.bad_records.push(record);
        }
    }
}

fn look_through(store: &Store, jobs: usize) -> Result<Found, Error> {
    let mut found = Found::default();
    let mut claims = Vec::new();
    for record in store.kept_records()? {
        found.records += 1;
        match claims_of(store, &record)? {
            Ok(of_record) => claims.extend(of_record),
            Err(problem) => found.bad_record(record, problem),
        }
    }
    let wanted = claims.iter().filter_map(|claim| Some((claim.blob, claim.compression?)));
    let wanted: BTreeMap<Digest, Compression> = wanted.collect();
    let blobs = store.kept_blobs()?;
    found.blobs = blobs.len();
    let mut here = BTreeMap::new();
    for (blob, state) in blobs.iter().zip(states(store, &blobs, &wanted, jobs)?) {
        if state == BlobState::Damaged {
            found.problems.push(format!("blob {}: its bytes are others", blob.digest));
            found.bad_blobs.push(blob.digest);
        }
        here.insert(blob.digest, (blob.size, state));
    }
    let mut named = BTreeSet::new();
    for claim in claims {
        if let Some(problem) = problem_with(&claim, here.get(&claim.blob))
            && named.insert((claim.record.kind.clone(), claim.record.key))
        {
            found.bad_record(claim.record, &problem);
        }
    }
    Ok(found)
}

/// What a record says of blobs, or what is wrong with it.
fn claims_of(
    store: &Store,
    record: &KeptRecord,
) -> Result<Result<Vec<Claim>, &'static str>, Error> {
    let Some(content) = store.peek(record)? else { return Ok(Err("it is damaged")) };
    let claim = |descriptor: &oci::Descriptor, diff_id: DiffId| Claim {
        record: record.clone(),
        blob: descriptor.digest,
        size: descriptor.size,
        diff_id,
        compression: descriptor.media_type.layer_compression(),
    };
    Ok(match record.kind.as_str() {
        "layer" => match serde_json::from_slice::<CachedLayer>(&content) {
            Ok(layer) => Ok(vec![claim(&layer.descriptor, layer.diff_id)]),
            Err(_) => Err("it cannot be read"),
        },
        "fact-step" => match serde_json::from_slice::<StepRecord>(&content) {
            Ok(step) => {
                let packed = step.layers.iter().filter_map(|layer| layer.packed.as_ref());
                let claims = packed.map(|packed| claim(&packed.descriptor, packed.diff_id));
                // A step's layers may be anywhere.
                let mut here = Vec::new();
                for claim in claims {
                    if store.contains(&claim.blob)?.is_some() {
                        here.push(claim);
                    }
                }
                Ok(here)
            }
            Err(_) => Err("it cannot be read"),
        },
        "layer-index" if LayerIndex::from_bytes(&content).is_err() => Err("it cannot be read"),
        "fact-text" if !is_digest_of(&record.key, &content) => Err("it is another text"),
        _ => Ok(Vec::new()),
    })
}

fn is_digest_of(digest: &Digest, bytes: &[u8]) -> bool {
    let mut digester = Digester::new(digest.algorithm());
    digester.update(bytes);
    digester.finish() == *digest
}

fn problem_with(claim: &Claim, blob: Option<&(u64, BlobState)>) -> Option<String> {
    let digest = claim.blob;
    match blob {
        None => Some(format!("its blob {digest} is not here")),
        Some((size, _)) if *size != claim.size => {
            Some(format!("its blob {digest} has {size} bytes instead of {}", claim.size))
        }
        Some((_, BlobState::Damaged)) => Some(format!("its blob {digest} is damaged")),
        Some((_, BlobState::Unpacks(found))) if *found == claim.diff_id => None,
        Some((_, BlobState::Unpacks(_) | BlobState::Whole)) => {
            Some(format!("its blob {digest} is another layer"))
        }
    }
}

/// What a blob is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BlobState {
    /// Its bytes are not what its name says.
    Damaged,
    /// They are.
    Whole,
    /// They are, and are a layer.
    Unpacks(DiffId),
}

/// Reads blobs, several at once; those that are `wanted` are unpacked, too.
fn states(
    store: &Store,
    blobs: &[KeptBlob],
    wanted: &BTreeMap<Digest, Compression>,
    jobs: usize,
) -> Result<Vec<BlobState>, Error> {
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::with_capacity(blobs.len()));
    std::thread::scope(|scope| {
        for _ in 0..jobs.clamp(1, blobs.len().max(1)) {
            scope.spawn(|| {
                while let Some((at, blob)) = {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    blobs.get(at).map(|blob| (at, blob))
                } {
                    let path = store.blob_path(&blob.digest);
                    let state = state(&path, &blob.digest, wanted.get(&blob.digest));
                    let state = state.map_err(|source| (path, source));
                    results.lock().unwrap_or_else(PoisonError::into_inner).push((at, state));
                }
            });
        }
    });
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_by_key(|(at, _)| *at);
    let states = results.into_iter().map(|(_, state)| state);
    states.map(|state| state.map_err(|(path, source)| Error::reading(path)(source))).collect()
}

fn state(
    path: &std::path::Path,
    digest: &Digest,
    compression: Option<&Compression>,
) -> io::Result<BlobState> {
    // Opened without the store's knowledge: a look is no use.
    let found = kept::digest_of(&mut File::open(path)?, Digester::new(digest.algorithm()))?;
    if found != *digest {
        return Ok(BlobState::Damaged);
    }
    let Some(compression) = compression else { return Ok(BlobState::Whole) };
    Ok(match kept::diff_id(File::open(path)?, *compression) {
        Ok(diff_id) => BlobState::Unpacks(diff_id),
        Err(_) => BlobState::Whole,
    })
}
