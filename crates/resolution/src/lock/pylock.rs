//! `pylock.toml` (PEP 751).

use std::str::FromStr;

use uv_distribution_types::Resolution as Resolved;
use uv_normalize::{ExtraName, GroupName};
use uv_pep508::MarkerTree;
use uv_resolver::PylockToml;

use super::uv::none;
use super::{Reader, in_one_line};
use crate::LockProblem;

impl Reader<'_> {
    pub(super) fn resolve_pylock(&self) -> Result<Resolved, LockProblem> {
        let lock: PylockToml = toml::from_str(&self.lock.text)
            .map_err(|error| LockProblem::Malformed { cause: in_one_line(&error.to_string()) })?;
        let markers = &self.environment.markers;
        let python = &markers.python_full_version().version;
        if let Some(wants) = &lock.requires_python
            && !wants.contains(python)
        {
            let wanted = format!("Python {}", wants.specifiers());
            return Err(LockProblem::OtherTarget { wanted });
        }
        self.check_environments()?;
        let extras = self.extras(&lock)?;
        let groups = self.groups(&lock)?;
        lock.to_resolution(
            &self.root(),
            markers,
            &extras,
            &groups,
            &self.environment.tags,
            &self.build_options,
        )
        .map_err(|error| LockProblem::Unfit { cause: in_one_line(&error.to_string()) })
    }

    /// One of the lock's environments has to be the target's (PEP 751, "Installation"), which uv's
    /// reader does not look at.
    fn check_environments(&self) -> Result<(), LockProblem> {
        let texts = self.contents.environments();
        let mut fits = texts.is_empty();
        for text in texts {
            let marker = MarkerTree::from_str(text).map_err(|error| LockProblem::Malformed {
                cause: in_one_line(&format!("`{text}` is no environment: {error}")),
            })?;
            fits |= marker.evaluate(&self.environment.markers, &[]);
        }
        match fits {
            true => Ok(()),
            false => Err(LockProblem::OtherTarget { wanted: texts.join(" or ") }),
        }
    }

    fn extras(&self, lock: &PylockToml) -> Result<Vec<ExtraName>, LockProblem> {
        let known = || lock.extras.iter();
        let find = |name: &String| {
            let parsed = ExtraName::from_str(name).ok();
            let found = parsed.filter(|parsed| known().any(|extra| extra == parsed));
            found.ok_or_else(|| none("extra", name, known().map(ToString::to_string)))
        };
        self.lock.extras.iter().map(find).collect()
    }

    /// Those that are wanted, or else the lock's default ones.
    fn groups(&self, lock: &PylockToml) -> Result<Vec<GroupName>, LockProblem> {
        let known = || lock.dependency_groups.iter().chain(&lock.default_groups);
        let find = |name: &String| {
            let parsed = GroupName::from_str(name).ok();
            let found = parsed.filter(|parsed| known().any(|group| group == parsed));
            found.ok_or_else(|| none("group", name, known().map(ToString::to_string)))
        };
        if self.lock.groups.is_empty() {
            return Ok(lock.default_groups.clone());
        }
        self.lock.groups.iter().map(find).collect()
    }
}
