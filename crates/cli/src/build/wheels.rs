//! Python packages: what package indexes are asked, and the wheels that come from them.
//!
//! An answer is kept with the store until what was asked changes, as Docker keeps the layer of a
//! `RUN pip install`; `--no-cache` asks anew. Wheels are blobs of the store like any other.

mod absent;
mod download;
mod host;
pub(super) mod kept;
mod network;

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use layer::Content;
use oci::Digest;
use plan::{FileReference, InstalledWheel, WheelKey};
use python::{
    GivenFile, InstallOptions, Location, Package, Resolution, ResolutionRequest, ScriptTemplate,
    SourceBuilds, Wheel,
};
use recipe::Span;
use resolution::Preferred;
use store::Store;

use super::contents::Contents;
use super::error::BuildError;
use super::gather::Gatherer;
use super::threads;
use crate::error::{Doing, Error};
use crate::flags::CacheUse;
use crate::progress::Outcome;
use crate::session::Session;

pub(super) use absent::AbsentWheels;

/// The kind of fact that an answer is.
const RESOLUTION: &str = "resolution";

/// A question, where the files are that are given with it, and the place that asks.
pub(super) struct Question {
    pub(super) request: Box<ResolutionRequest>,
    pub(super) given: Vec<FileReference>,
    pub(super) span: Span,
}

/// A question, and what came of it.
pub(super) type Answered = (Question, Result<Resolution, Error>);

/// Resolves all requests side by side: there is one for each platform.
pub(super) fn resolve_all(gatherer: &Gatherer<'_>, questions: Vec<Question>) -> Vec<Answered> {
    std::thread::scope(|scope| {
        let asked: Vec<_> = questions
            .into_iter()
            .map(|question| {
                scope.spawn(move || {
                    let resolution = answer(gatherer, &question);
                    (question, resolution)
                })
            })
            .collect();
        let joined = asked.into_iter().map(|thread| thread.join());
        joined.map(|done| done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    })
}

/// The pinned answer, or the remembered one, or that of the indexes. A new one differs from what is
/// pinned where it has to.
fn answer(gatherer: &Gatherer<'_>, question: &Question) -> Result<Resolution, Error> {
    let Question { request, given, .. } = question;
    let (session, pins) = (gatherer.session, &gatherer.pins);
    let store = session.store()?;
    let name = step_name(request);
    pins.question(request)?;
    if let Some(pinned) = pins.answer(request)
        && is_at_hand(store, &pinned.packages, request)?
    {
        session.progress.at_once(name, Outcome::Cached);
        return Ok(pinned);
    }
    let preferred = pins.preferred(request);
    let key = key_of(request, &preferred);
    if gatherer.cache == CacheUse::Use
        && pins.takes_remembered()
        && let Some(known) = known(store, &key)?
        && is_at_hand(store, &known.packages, request)?
    {
        session.progress.at_once(name, Outcome::Cached);
        return Ok(known);
    }
    let resolution = resolve(gatherer, request, &preferred, given)?;
    store.record_fact(RESOLUTION, &key, &oci::json::to_bytes(&resolution))?;
    Ok(settled(resolution))
}

/// What indexes answer now, whatever is pinned or remembered.
pub(super) fn resolve_anew(
    gatherer: &Gatherer<'_>,
    request: &ResolutionRequest,
    given: &[FileReference],
) -> Result<Resolution, Error> {
    Ok(settled(resolve(gatherer, request, &[], given)?))
}

fn step_name(request: &ResolutionRequest) -> String {
    format!("resolve Python packages for {}", request.target.platform)
}

/// The name of a question's answer in the store: what is preferred is part of the question.
fn key_of(request: &ResolutionRequest, preferred: &[Preferred]) -> Digest {
    let fingerprint = request.fingerprint();
    if preferred.is_empty() {
        return fingerprint;
    }
    let pins = preferred.iter().map(|Preferred { name, version }| format!("{name} {version}\n"));
    Digest::of(format!("{fingerprint}\n{}", pins.collect::<String>()).as_bytes())
}

fn resolve(
    gatherer: &Gatherer<'_>,
    request: &ResolutionRequest,
    preferred: &[Preferred],
    sources: &[FileReference],
) -> Result<resolution::Resolution, Error> {
    let session = gatherer.session;
    let store = session.store()?;
    let step = session.progress.step(step_name(request), None);
    let network = network::settings(session)?;
    let cache = store.answers("python-index");
    let given = |file: &GivenFile| give(gatherer, file, sources).map_err(std::io::Error::other);
    let resolved = match request.builds {
        SourceBuilds::Refuse => resolution::resolve(request, preferred, &network, &cache, &given),
        SourceBuilds::Host => {
            let builder = host::Keeping::new(session, request, &network, gatherer.cache)?;
            resolution::resolve_and_build(request, preferred, &network, &cache, &given, &builder)
        }
    };
    let resolution =
        resolved.map_err(BuildError::from).doing(|| "resolve the Python packages".to_owned())?;
    step.finish(Outcome::Done);
    Ok(resolution)
}

/// The answer to a question that is kept with the store.
pub(super) fn known(store: &Store, request: &Digest) -> Result<Option<Resolution>, Error> {
    let known = store.fact(RESOLUTION, request)?;
    let known =
        known.and_then(|known| serde_json::from_slice::<resolution::Resolution>(&known).ok());
    Ok(known.filter(|known| known.format == resolution::Resolution::FORMAT).map(settled))
}

/// Whether the wheels are here that nobody can fetch again: what was built, and what was given.
fn is_at_hand(
    store: &Store,
    packages: &[Package],
    request: &ResolutionRequest,
) -> Result<bool, Error> {
    for package in packages {
        if let Location::Given(digest) = &package.wheel.location
            && request.given.iter().all(|file| file.content.digest != *digest)
            && store.contains(digest)?.is_none()
        {
            return Ok(false);
        }
    }
    Ok(true)
}

fn settled(resolution: resolution::Resolution) -> Resolution {
    let resolution::Resolution { packages, kept, warnings, .. } = resolution;
    Resolution {
        packages,
        kept: kept.into_iter().map(|kept| (kept.name, kept.version)).collect(),
        warnings: warnings.iter().map(ToString::to_string).collect(),
    }
}

/// Takes a file of the context or of the image into the store, and says where it is.
fn give(
    gatherer: &Gatherer<'_>,
    file: &GivenFile,
    sources: &[FileReference],
) -> Result<PathBuf, Error> {
    let store = gatherer.session.store()?;
    let Content { digest, size } = file.content;
    let source = sources.iter().find(|source| source.content == file.content);
    if store.contains(&digest)? != Some(size)
        && let Some(FileReference { source, .. }) = source
    {
        let mut contents = Contents::new(gatherer.session, &gatherer.inputs, &gatherer.facts);
        contents.prepare(&[(digest, source)])?;
        let mut bytes = contents.open(&digest, source)?;
        let mut scratch = store.scratch()?;
        let written = std::io::copy(&mut bytes, &mut scratch);
        written.map_err(|source| BuildError::Read { what: file.path.clone(), source })?;
        scratch.commit_hashed(digest, size)?;
    }
    Ok(store.blob_path(&digest))
}

/// Says what each wheel becomes. Those of which that is not known are brought and read.
pub(super) fn install_all(
    gatherer: &Gatherer<'_>,
    packages: Vec<Package>,
    request: &ResolutionRequest,
    scripts: ScriptTemplate,
) -> Result<Vec<(WheelKey, Arc<InstalledWheel>)>, Error> {
    let session = gatherer.session;
    let store = session.store()?;
    let interpreter = &request.target.interpreter;
    let shared = Arc::new(request.clone());
    let (mut installed, mut work) = (Vec::new(), Vec::new());
    for package in packages {
        let key = WheelKey::of(&package, interpreter, scripts);
        match known_installation(gatherer, &package, &key)? {
            Some(wheel) => {
                gatherer.inputs.absent_wheels.note(wheel.wheel, &package.wheel, &shared);
                gatherer.pins.found_wheels([(&package, wheel.wheel)].into_iter());
                installed.push((key, Arc::new(wheel)));
            }
            None => work.push((key, package)),
        }
    }
    let wheels = work.iter().map(|(_, package)| package);
    let digests = download::bring(session, wheels.clone(), request, gatherer.cache)?;
    gatherer.pins.found_wheels(wheels.zip(digests.iter().copied()));
    let work: Vec<((WheelKey, Package), Digest)> = work.into_iter().zip(digests).collect();
    let share = work.len().div_ceil(threads(session).get()).max(1);
    let install = |((key, package), digest): &((WheelKey, Package), Digest)| {
        let wheel = install(session, package, *digest, request, scripts)?;
        kept::record(store, &kept::key_of(key), &wheel)?;
        Ok((key.clone(), Arc::new(wheel)))
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = work
            .chunks(share)
            .map(|some| scope.spawn(|| some.iter().map(install).collect::<Result<Vec<_>, Error>>()))
            .collect();
        for thread in threads {
            let some = thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            installed.extend(some?);
        }
        Ok(installed)
    })
}

/// What is known of a wheel of which the index says by a digest which it is.
fn known_installation(
    gatherer: &Gatherer<'_>,
    package: &Package,
    key: &WheelKey,
) -> Result<Option<InstalledWheel>, Error> {
    let is_elsewhere = matches!(package.wheel.location, Location::Url(_));
    if gatherer.cache == CacheUse::Ignore || !is_elsewhere || package.wheel.sha256.is_none() {
        return Ok(None);
    }
    let known = kept::known(gatherer.session.store()?, &kept::key_of(key))?;
    Ok(known.filter(|known| Some(known.wheel) == package.wheel.sha256))
}

fn install(
    session: &Session,
    package: &Package,
    digest: Digest,
    request: &ResolutionRequest,
    scripts: ScriptTemplate,
) -> Result<InstalledWheel, Error> {
    let filename = &package.wheel.filename;
    let file: File = session.store()?.open_blob(&digest)?;
    let size = file
        .metadata()
        .map_err(|source| BuildError::Read { what: format!("wheel `{filename}`"), source })?;
    let wheel = Wheel::read(&file, size.len(), filename).map_err(BuildError::from)?;
    let options = InstallOptions {
        requested: package.requested,
        direct_url: package.direct_url.as_deref(),
        script_template: scripts,
        spelling: None,
    };
    let installation =
        wheel.install(&file, &request.target.interpreter, &options).map_err(BuildError::from)?;
    let members = wheel.members().to_vec();
    Ok(InstalledWheel { wheel: digest, filename: filename.as_str().into(), members, installation })
}
