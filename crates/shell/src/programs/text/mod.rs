//! Programs that read and write text.

use super::Program;

/// By name.
pub(crate) const PROGRAMS: &[(&str, Program)] = &[];
