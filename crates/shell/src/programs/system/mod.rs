//! Programs that ask about the system, or set it up.

use super::Program;

/// By name.
pub(crate) const PROGRAMS: &[(&str, Program)] = &[];
