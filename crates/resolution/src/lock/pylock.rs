//! `pylock.toml` (PEP 751).

use std::str::FromStr;

use uv_distribution_types::Resolution as Resolved;
use uv_normalize::{ExtraName, GroupName};
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
