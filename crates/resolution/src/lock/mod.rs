//! Locks: everything is decided already, and nobody is asked.
//!
//! All that a lock has for the target counts as asked for, as it would in a list of pins: so the
//! same set is installed in the same way, whichever form its lock has. What a lock says of a path is
//! looked for among the given files, from the directory in which the lock lies.

mod contents;
mod pylock;
mod uv;

use std::path::PathBuf;
use std::str::FromStr;

use python::{Location, Lock, LockKind, Origin, Package, ResolutionRequest, WheelFile};
use uv_configuration::{BuildOptions, NoBuild};
use uv_distribution_filename::WheelFilename;
use uv_distribution_types::{
    BuiltDist, Dist, Name, Node, Resolution as Resolved, ResolvedDist, SourceDist,
};

use crate::answer::{Kept, Parts, Resolution};
use crate::build::{self, Builder, Source};
use crate::installed::Installed;
use crate::lock::contents::Contents;
use crate::staging::Staging;
use crate::target::Environment;
use crate::{LockProblem, NoWheel, ResolutionError, session};

/// A lock and what it is read for.
struct Reader<'a> {
    request: &'a ResolutionRequest,
    lock: &'a Lock,
    environment: &'a Environment,
    staging: &'a Staging,
    contents: Contents,
    build_options: BuildOptions,
}

/// Takes the packages out of a lock.
pub(crate) fn resolve(
    request: &ResolutionRequest,
    lock: &Lock,
    environment: &Environment,
    staging: &Staging,
    builder: Option<&dyn Builder>,
) -> Result<Resolution, ResolutionError> {
    let contents = Contents::read(&lock.text).map_err(|problem| of_lock(lock, problem))?;
    // Source distributions are let in, so that all of them can be named.
    let no_binary = session::no_binary(request)?;
    let build_options = BuildOptions::new(no_binary, NoBuild::None);
    let reader = Reader { request, lock, environment, staging, contents, build_options };
    let resolved = match lock.kind {
        LockKind::Uv => reader.resolve_uv(),
        LockKind::Pylock => reader.resolve_pylock(),
    };
    reader.answer(resolved.map_err(|problem| reader.refused(problem))?, builder)
}

fn of_lock(lock: &Lock, problem: LockProblem) -> ResolutionError {
    ResolutionError::Lock { file: lock.name.clone(), problem }
}

impl Reader<'_> {
    /// Where paths of the lock begin.
    fn root(&self) -> PathBuf {
        let directory = self.lock.name.rsplit_once('/').map_or("", |(directory, _)| directory);
        self.staging.files().join(directory)
    }

    /// What is wrong with the lock; where nothing of a package fits, what there is of it.
    fn refused(&self, problem: LockProblem) -> ResolutionError {
        let unfit = match &problem {
            LockProblem::Unfit { cause } => unfit_package(cause),
            _ => None,
        };
        let found = unfit.and_then(|name| self.contents.version(name).map(|found| (name, found)));
        let Some((name, version)) = found else { return of_lock(self.lock, problem) };
        let origin = Contents::line(&self.lock.text, name);
        let origin = origin.map(|line| Origin { file: self.lock.name.clone(), line });
        let unfit = self.no_wheel(name, version);
        self.no_wheels([NoWheel { has_source: false, origin, ..unfit }])
    }

    fn answer(
        &self,
        resolved: Resolved,
        builder: Option<&dyn Builder>,
    ) -> Result<Resolution, ResolutionError> {
        self.check_places(&resolved)?;
        let built = self.build(&build::sources(&resolved)?, builder)?;
        let parts = Parts { asked: &[], constraints: &[], staging: self.staging };
        // What is left of directories is the project, which others put into the image.
        let mut resolution = parts.answer(&resolved.filter(|dist| !is_source(dist)))?;
        resolution.packages.extend(built);
        resolution.packages.sort_by(|a, b| a.name.cmp(&b.name));
        let installed = Installed::new(&self.request.installed, &self.staging.nowhere());
        let (kept, packages) = resolution.packages.into_iter().partition::<Vec<_>, _>(|package| {
            installed.has(&package.name, &package.version) && package.direct_url.is_none()
        });
        resolution.packages = packages;
        let kept = kept.into_iter();
        resolution.kept =
            kept.map(|package| Kept { name: package.name, version: package.version }).collect();
        resolution.packages.iter_mut().for_each(|package| package.requested = true);
        Ok(resolution)
    }

    /// Complains of what comes from elsewhere than an index.
    fn check_places(&self, resolved: &Resolved) -> Result<(), ResolutionError> {
        for node in resolved.graph().node_weights() {
            let Node::Dist { dist: ResolvedDist::Installable { dist, .. }, .. } = node else {
                continue;
            };
            if let Some(what) = self.impossible(dist) {
                let package = dist.name().to_string();
                return Err(of_lock(self.lock, LockProblem::Source { package, what }));
            }
        }
        Ok(())
    }

    fn build(
        &self,
        sources: &[Source],
        builder: Option<&dyn Builder>,
    ) -> Result<Vec<Package>, ResolutionError> {
        match builder {
            Some(builder) => sources.iter().map(|source| self.build_one(source, builder)).collect(),
            None if sources.is_empty() => Ok(Vec::new()),
            None => Err(self.no_wheels(
                sources.iter().map(|source| self.no_wheel(&source.name, &source.version)),
            )),
        }
    }

    fn build_one(
        &self,
        source: &Source,
        builder: &dyn Builder,
    ) -> Result<Package, ResolutionError> {
        let built = build::run(source, builder)?;
        let fits = |wheel: WheelFilename| {
            wheel.name.as_str() == source.name
                && wheel.version.to_string() == source.version
                && wheel.is_compatible(&self.environment.tags)
        };
        if !WheelFilename::from_str(&built.filename).is_ok_and(fits) {
            let unfit = NoWheel {
                wheels: vec![built.filename],
                ..self.no_wheel(&source.name, &source.version)
            };
            return Err(self.no_wheels([unfit]));
        }
        Ok(Package {
            name: source.name.clone(),
            version: source.version.clone(),
            wheel: WheelFile {
                filename: built.filename,
                location: Location::Given(built.digest),
                sha256: Some(built.digest),
                hashes: Vec::new(),
                size: None,
            },
            requested: true,
            direct_url: None,
        })
    }

    fn no_wheels(&self, packages: impl IntoIterator<Item = NoWheel>) -> ResolutionError {
        let packages = packages.into_iter().collect();
        ResolutionError::NoWheel { packages, target: self.environment.described.clone() }
    }

    /// What a package would have to be built from.
    fn impossible(&self, dist: &Dist) -> Option<&'static str> {
        match dist {
            Dist::Built(BuiltDist::GitPath(_)) => Some("a repository"),
            Dist::Built(_) | Dist::Source(SourceDist::Registry(_)) => None,
            Dist::Source(SourceDist::GitDirectory(_) | SourceDist::GitPath(_)) => {
                Some("a repository")
            }
            Dist::Source(SourceDist::DirectUrl(_) | SourceDist::Path(_)) => {
                Some("a source archive")
            }
            Dist::Source(SourceDist::Directory(directory)) => {
                let is_project = *directory.install_path == *self.root()
                    || self.project().is_ok_and(|project| project == directory.name);
                let is_virtual = directory.r#virtual == Some(true);
                (!is_project && !is_virtual).then_some("a directory")
            }
        }
    }

    fn no_wheel(&self, name: &str, version: &str) -> NoWheel {
        let parsed = crate::requirement::package_name(name);
        NoWheel {
            name: name.to_owned(),
            version: version.to_owned(),
            origin: None,
            wheels: self.contents.wheels(name, version),
            has_source: true,
            wheels_forbidden: parsed.is_ok_and(|name| self.build_options.no_binary_package(&name)),
            newer: None,
        }
    }
}

/// The package of which uv says that there is nothing for the target.
fn unfit_package(cause: &str) -> Option<&str> {
    let is_it = cause.contains("doesn't have a source distribution or wheel for the current");
    let quoted = cause.split('`').nth(1).filter(|_| is_it)?;
    quoted.split(['=', ' ']).next()
}

fn is_source(dist: &ResolvedDist) -> bool {
    let ResolvedDist::Installable { dist, .. } = dist else { return false };
    matches!(**dist, Dist::Source(_))
}

/// The parsers' messages have several lines, with a part of the text.
fn in_one_line(text: &str) -> String {
    let text = crate::diagnosis::without_colours(text);
    let lines = text.lines().map(str::trim);
    let words = lines.filter(|line| !line.is_empty() && !line.starts_with(['|', '^']));
    crate::requirement::redacted(&words.collect::<Vec<_>>().join(": ")).into_owned()
}
