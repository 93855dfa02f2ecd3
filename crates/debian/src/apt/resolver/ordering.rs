//! The order in which apt hands packages to dpkg.

use super::ResolveError;
use super::states::States;
use crate::dpkg::status;

/// One thing that dpkg is told to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What.
    pub work: Work,
    /// With which package.
    pub package: status::PackageId,
}

/// What dpkg is told to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Work {
    Unpack,
    Configure,
    Remove,
    Purge,
}

pub(super) fn order(_states: &States<'_, '_>) -> Result<Vec<Step>, ResolveError> {
    Ok(Vec::new())
}
