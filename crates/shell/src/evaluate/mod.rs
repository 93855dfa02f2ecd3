//! The shell language.

pub mod dialect;

use crate::process::{Process, Run};
use crate::programs::Program;
use crate::stop::Reason;

/// Shells, and what else is part of the language and is a program, too.
pub(crate) const PROGRAMS: &[(&str, Program)] =
    &[("ash", shell), ("bash", shell), ("dash", shell), ("sh", shell)];

/// Whether a program of this name is a shell that is understood.
pub fn is_shell(name: &[u8]) -> bool {
    matches!(name, b"sh" | b"bash" | b"dash" | b"ash")
}

/// A shell as a program: `sh -c TEXT`, `bash script`.
fn shell(process: &mut Process<'_, '_>) -> Run {
    Err(process.refuse(Reason::Program))
}
