//! Programs that fetch.
//!
//! What a URL gives is the caller's to find out, and to remember by digest; here bytes only get
//! their place. How long it took is nobody's to know: progress is not reported, and where a report
//! of it would be kept in a file, the line is refused.

mod curl;
mod fetch;
mod wget;

use super::Program;

/// By name.
pub(crate) const PROGRAMS: &[(&str, Program)] = &[("curl", curl::curl), ("wget", wget::wget)];
