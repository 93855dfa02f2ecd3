//! The one function.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Once;

use python::{GivenFile, Location, Package, ResolutionRequest};
use uv_configuration::{BuildOptions, NoBuild};
use uv_distribution_filename::WheelFilename;
use uv_normalize::PackageName;

use crate::answer::{Parts, Resolution, Warning};
use crate::build::{self, Builder, Source};
use crate::credentials::Credentials;
use crate::diagnosis::Diagnosis;
use crate::installed::Installed;
use crate::requirement::{Reader, filename, package_name};
use crate::session::{self, Choice, Outcome, Session};
use crate::staging::Staging;
use crate::target::Environment;
use crate::{Network, ResolutionError, hashes, lock};

/// A version that is taken where it satisfies, although there may be a newer one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Preferred {
    /// The distribution.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// Resolves a request for its target, with as few other versions than those `preferred` as it takes.
///
/// `cache` is a directory for what indexes answer, in uv's layout; several processes may share it,
/// and it may be deleted when none runs. `given` says where the bytes of a given file are.
///
/// An index is asked for the page of each package that is needed, and for the metadata of each wheel
/// that is considered: with pins for everything, for one page and one wheel of each. With
/// [`ResolutionRequest::lock`] nothing is asked at all. What is yet to come of an answer that the
/// cache has is asked again when its time is over, as HTTP has it.
///
/// As in pip, what is installed stays if it satisfies; one difference is that a URL or given file is
/// always taken, even where pip would see that the same version is there.
///
/// # Panics
/// If it is called by a task of a runtime: it waits, and must be let.
///
/// # Errors
/// Why there is no resolution.
pub fn resolve(
    request: &ResolutionRequest,
    preferred: &[Preferred],
    network: &Network,
    cache: &Path,
    given: &dyn Fn(&GivenFile) -> io::Result<PathBuf>,
) -> Result<Resolution, ResolutionError> {
    answer(request, preferred, network, cache, given, None)
}

/// Resolves as [`resolve`] does, and has wheels built where the newest version has none.
///
/// # Errors
/// Why there is no resolution.
pub fn resolve_and_build(
    request: &ResolutionRequest,
    preferred: &[Preferred],
    network: &Network,
    cache: &Path,
    given: &dyn Fn(&GivenFile) -> io::Result<PathBuf>,
    builder: &dyn Builder,
) -> Result<Resolution, ResolutionError> {
    answer(request, preferred, network, cache, given, Some(builder))
}

fn answer(
    request: &ResolutionRequest,
    preferred: &[Preferred],
    network: &Network,
    cache: &Path,
    given: &dyn Fn(&GivenFile) -> io::Result<PathBuf>,
    builder: Option<&dyn Builder>,
) -> Result<Resolution, ResolutionError> {
    set_features_once();
    let environment = Environment::of(&request.target)?;
    let staging = Staging::new(&request.given, given)?;
    if let Some(lock) = &request.lock {
        return lock::resolve(request, lock, &environment, &staging, builder);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime
        .map_err(|error| ResolutionError::Setting { what: "runtime", cause: error.to_string() })?;
    let mut built = BTreeSet::new();
    let mut question = Question { request, preferred, network, cache, environment, staging };
    loop {
        let sources = match runtime.block_on(question.answer(builder, &built))? {
            Round::Done(resolution) => return Ok(resolution),
            Round::ToBuild(sources) => sources,
        };
        let Some(builder) = builder else { continue };
        for source in sources {
            question.build(&source, builder)?;
            built.insert((source.name, source.version));
        }
    }
}

/// What came of one question.
enum Round {
    Done(Resolution),
    ToBuild(Vec<Source>),
}

/// uv has experimental features, none of which is wanted, and asks a global for them.
fn set_features_once() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // Both fail only if it was done before.
        let _ = uv_preview::set(uv_preview::Preview::default());
        let _ = uv_preview::finalize();
    });
}

struct Question<'a> {
    request: &'a ResolutionRequest,
    preferred: &'a [Preferred],
    network: &'a Network,
    cache: &'a Path,
    environment: Environment,
    staging: Staging,
}

impl Question<'_> {
    fn build(&mut self, source: &Source, builder: &dyn Builder) -> Result<(), ResolutionError> {
        let built = build::run(source, builder)?;
        self.staging.add_built(&built).map_err(|cause| build::failed(source, cause.into()))
    }

    /// `built` are those for which there is a wheel by now: what is chosen as source all the same
    /// got one that does not fit.
    async fn answer(
        &self,
        builder: Option<&dyn Builder>,
        built: &BTreeSet<(String, String)>,
    ) -> Result<Round, ResolutionError> {
        let request = self.request;
        let reader = Reader { given: &self.staging.paths, environment: &self.environment };
        let asked = reader.read_all(&request.requirements)?;
        let constraints = reader.read_all(&request.constraints)?;
        let overrides = reader.read_all(&request.overrides)?;
        let hashes = hashes::strategy(request.require_hashes, &asked, &constraints)?;
        let locations = session::locations(&request.indexes, &self.staging)?;
        let cache = session::cache(self.cache).await?;
        let credentials = Credentials::of(request, self.network)?;
        let refusals = credentials.refusals();
        let client = session::client(self.network, credentials, &locations, cache.clone())?;
        let links = session::links(&client, &cache, &locations).await?;
        let session = Session {
            request,
            environment: &self.environment,
            asked: &asked,
            constraints: &constraints,
            overrides: &overrides,
            preferred: self.preferred,
            hashes,
            installed: Installed::new(&request.installed, &self.staging.nowhere()),
            client,
            cache,
            locations,
            links,
            limit: session::limit(),
            refusals,
            built: self.forbidden_and_built(built)?,
        };
        let Outcome { result, unknown, refused } = session.solve(Choice::Wheels).await?;
        let parts = Parts { asked: &asked, constraints: &constraints, staging: &self.staging };
        let diagnosis = Diagnosis { session: &session, staging: &self.staging, refused };
        match result {
            Ok(resolved) if Parts::has_only_wheels(&resolved) => {
                let mut resolution = parts.answer(&resolved)?;
                resolution.warnings.extend(passed_over(diagnosis.refused));
                let unfit = resolution.packages.iter().filter_map(|package| self.unfit(package));
                let unfit: Vec<Warning> = unfit.collect();
                resolution.warnings.extend(unfit);
                Ok(Round::Done(resolution))
            }
            Ok(resolved) => {
                let sources = build::sources(&resolved)?;
                let is_new = |source: &Source| {
                    !built.contains(&(source.name.clone(), source.version.clone()))
                };
                if builder.is_some() && !sources.is_empty() && sources.iter().all(is_new) {
                    return Ok(Round::ToBuild(sources));
                }
                Err(diagnosis.of_sources(&resolved).await)
            }
            Err(error) => Err(diagnosis.of(error, &unknown).await),
        }
    }
}

impl Question<'_> {
    /// Those of which no wheel was to be taken, and for which one was built.
    fn forbidden_and_built(
        &self,
        built: &BTreeSet<(String, String)>,
    ) -> Result<Vec<PackageName>, ResolutionError> {
        let forbidden = session::no_binary(self.request)?;
        let forbidden = BuildOptions::new(forbidden, NoBuild::None);
        let mut names = Vec::new();
        for (name, _) in built {
            let name = package_name(name)?;
            if forbidden.no_binary_package(&name) {
                names.push(name);
            }
        }
        Ok(names)
    }

    /// Wheels in directories of the package, none of which fits, where another is taken.
    fn unfit(&self, package: &Package) -> Option<Warning> {
        if matches!(package.wheel.location, Location::Given(_)) {
            return None;
        }
        let links = self.request.given.iter().filter(|file| file.is_link);
        let wheels =
            links.filter_map(|file| Some((file, filename(file).parse::<WheelFilename>().ok()?)));
        let own: Vec<(&GivenFile, WheelFilename)> =
            wheels.filter(|(_, name)| name.name.as_str() == package.name).collect();
        if own.is_empty() || own.iter().any(|(_, name)| name.is_compatible(&self.environment.tags))
        {
            return None;
        }
        Some(Warning::UnfitLinks {
            name: package.name.clone(),
            target: self.environment.described.clone(),
            wheels: own.iter().map(|(file, _)| file.path.clone()).collect(),
        })
    }
}

/// An index that refuses (401) is one whose credentials are wrong. Some answer 403 for what they do
/// not have, which says nothing.
fn passed_over(refused: Vec<(String, u16)>) -> impl Iterator<Item = Warning> {
    let wrong = refused.into_iter().filter(|(_, status)| *status == 401);
    wrong.map(|(url, _)| Warning::IndexRefused { url })
}
