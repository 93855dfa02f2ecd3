//! Small programs of the system that maintainer scripts call.

mod capabilities;
mod ccache;
mod locale;
mod mountpoint;
mod run_parts;

use super::Program;

/// By name.
pub(super) const PROGRAMS: &[(&str, Program)] = &[
    ("getcap", capabilities::getcap),
    ("ischroot", mountpoint::ischroot),
    ("mountpoint", mountpoint::mountpoint),
    ("run-parts", run_parts::run_parts),
    ("setcap", capabilities::setcap),
    ("update-ccache-symlinks", ccache::update_ccache_symlinks),
    ("update-locale", locale::update_locale),
];
