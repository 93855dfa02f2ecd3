//! `uv.lock`.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use uv_configuration::{DependencyGroups, ExtrasSpecification, InstallOptions};
use uv_distribution_types::Resolution as Resolved;
use uv_normalize::{DefaultExtras, DefaultGroups, ExtraName, GroupName, PackageName};
use uv_pypi_types::ResolverMarkerEnvironment;
use uv_resolver::{Installable, Lock, Package};

use super::{Reader, in_one_line};
use crate::LockProblem;

/// One project of a lock.
struct Project<'lock> {
    lock: &'lock Lock,
    name: PackageName,
    root: &'lock Path,
}

impl<'lock> Installable<'lock> for Project<'lock> {
    fn install_path(&self) -> &'lock Path {
        self.root
    }

    fn lock(&self) -> &'lock Lock {
        self.lock
    }

    fn roots(&self) -> impl Iterator<Item = &PackageName> {
        std::iter::once(&self.name)
    }

    fn project_name(&self) -> Option<&PackageName> {
        Some(&self.name)
    }
}

impl Reader<'_> {
    pub(super) fn resolve_uv(&self) -> Result<Resolved, LockProblem> {
        let lock = Lock::from_toml(&self.lock.text)
            .map_err(|error| LockProblem::Malformed { cause: in_one_line(&error.to_string()) })?;
        self.check_target(&lock)?;
        let name = self.project()?;
        let none = || LockProblem::NoSuchProject {
            name: name.to_string(),
            projects: self.contents.projects().into_iter().map(str::to_owned).collect(),
        };
        let package = lock.find_by_name(&name).ok().flatten().ok_or_else(none)?;
        let extras = extras(package, &self.lock.extras)?;
        let groups = groups(package, &self.lock.groups)?;
        let root: PathBuf = self.root();
        let project = Project { lock: &lock, name, root: &root };
        // Without the project itself.
        let options =
            InstallOptions::new(true, false, false, false, false, false, Vec::new(), Vec::new());
        project
            .to_resolution(
                &ResolverMarkerEnvironment::from(self.environment.markers.clone()),
                &self.environment.tags,
                &extras.with_defaults(DefaultExtras::default()),
                &groups.with_defaults(DefaultGroups::default()),
                &self.build_options,
                &options,
            )
            .map_err(|error| LockProblem::Unfit { cause: in_one_line(&error.to_string()) })
    }

    fn check_target(&self, lock: &Lock) -> Result<(), LockProblem> {
        let markers = &self.environment.markers;
        let python = &markers.python_full_version().version;
        if !lock.requires_python().contains(python) {
            let wanted = format!("Python {}", lock.requires_python().specifiers());
            return Err(LockProblem::OtherTarget { wanted });
        }
        let environments = lock.supported_environments();
        if environments.is_empty() || environments.iter().any(|m| m.evaluate(markers, &[])) {
            return Ok(());
        }
        let texts = environments.iter().filter_map(|marker| marker.try_to_string());
        Err(LockProblem::OtherTarget { wanted: texts.collect::<Vec<_>>().join(" or ") })
    }

    /// The one that is asked for, the one where the lock is, or the only one.
    pub(super) fn project(&self) -> Result<PackageName, LockProblem> {
        let projects = self.contents.projects();
        let wanted = self.lock.project.as_deref().or_else(|| self.contents.root());
        let name = match (wanted, projects.as_slice()) {
            (Some(wanted), _) => wanted,
            (None, [only]) => only,
            (None, _) => {
                let projects = projects.into_iter().map(str::to_owned).collect();
                return Err(LockProblem::Ambiguous { projects });
            }
        };
        PackageName::from_str(name).map_err(|_| LockProblem::NoSuchProject {
            name: name.to_owned(),
            projects: projects.into_iter().map(str::to_owned).collect(),
        })
    }
}

fn extras(package: &Package, wanted: &[String]) -> Result<ExtrasSpecification, LockProblem> {
    let mut names = Vec::new();
    for name in wanted {
        let known = package.optional_dependencies().keys().chain(package.provides_extras());
        let parsed = ExtraName::from_str(name).ok();
        let found = parsed.filter(|parsed| known.clone().any(|extra| extra == parsed));
        names.push(found.ok_or_else(|| none("extra", name, known.map(ToString::to_string)))?);
    }
    Ok(ExtrasSpecification::from_extra(names))
}

fn groups(package: &Package, wanted: &[String]) -> Result<DependencyGroups, LockProblem> {
    let mut names = Vec::new();
    for name in wanted {
        let known = package.resolved_dependency_groups().keys();
        let known = known.chain(package.dependency_groups().keys());
        let parsed = GroupName::from_str(name).ok();
        let found = parsed.filter(|parsed| known.clone().any(|group| group == parsed));
        names.push(found.ok_or_else(|| none("group", name, known.map(ToString::to_string)))?);
    }
    let none = Vec::new;
    // uv's own default is the group `dev`; an image has what is asked for.
    Ok(DependencyGroups::from_args(None, names, none(), true, none(), false))
}

/// Says what there is instead.
pub(super) fn none(
    kind: &'static str,
    name: &str,
    known: impl Iterator<Item = String>,
) -> LockProblem {
    let mut available: Vec<_> = known.collect();
    available.sort();
    available.dedup();
    LockProblem::NoSuchPart { kind, name: name.to_owned(), available }
}
