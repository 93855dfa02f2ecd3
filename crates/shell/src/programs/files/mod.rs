//! Programs that move, make and list files.

use super::Program;

/// By name.
pub(crate) const PROGRAMS: &[(&str, Program)] = &[];
