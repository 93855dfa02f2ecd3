//! Users and groups.

use super::Program;

/// By name.
pub(crate) const PROGRAMS: &[(&str, Program)] = &[];
