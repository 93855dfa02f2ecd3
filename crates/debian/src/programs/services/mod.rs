//! Services: which are started, and by whom.
//!
//! Nothing runs here, and nothing is started. What lasts are links and small files that say what
//! shall run once the system is booted.

mod deb_systemd_helper;
mod install;
mod offline;
mod preset;
mod rc;
mod systemctl;
mod unit;

use super::Program;

/// By name.
pub(super) const PROGRAMS: &[(&str, Program)] = &[
    ("deb-systemd-helper", deb_systemd_helper::deb_systemd_helper),
    ("deb-systemd-invoke", offline::deb_systemd_invoke),
    ("runlevel", offline::runlevel),
    ("service", offline::refuse),
    ("start-stop-daemon", offline::start_stop_daemon),
    ("sysctl", offline::refuse),
    ("systemctl", systemctl::systemctl),
    ("update-rc.d", rc::update_rc_d),
];
