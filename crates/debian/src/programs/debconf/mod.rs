//! debconf: what packages ask, and what is answered to them (debconf(7), debconf-devel(7)).
//!
//! Scripts speak with it as they do with the real one: the image's own `confmodule` is evaluated,
//! and what it writes goes, over a [dialogue](shell::descriptor::dialogue), to a `protocol` over a
//! `session`: two `database`s in the formats of `/var/cache/debconf`, of questions
//! and templates. Nobody is there to answer, so what would have to be asked of people
//! is refused; what is not asked takes its default.

mod client;
mod communicate;
mod database;
mod elements;
mod escape;
mod frontend;
mod language;
mod pam;
mod preconfigure;
mod protocol;
mod question;
mod reconfigure;
mod record;
mod run;
mod script;
mod selections;
mod session;
mod settings;
mod show;
mod template;
#[cfg(test)]
mod tests;
mod words;

use super::Program;

pub use preconfigure::preconfigure;

/// debconf's programs by name.
pub(super) const PROGRAMS: &[(&str, Program)] = &[
    ("debconf", run::debconf),
    ("debconf-communicate", communicate::debconf_communicate),
    ("debconf-escape", escape::debconf_escape),
    ("debconf-set-selections", selections::debconf_set_selections),
    ("debconf-show", show::debconf_show),
    ("dpkg-preconfigure", preconfigure::dpkg_preconfigure),
    ("dpkg-reconfigure", reconfigure::dpkg_reconfigure),
    ("pam-auth-update", pam::pam_auth_update),
];

/// And by path.
pub(super) const PATHS: &[(&str, Program)] = &[("usr/share/debconf/frontend", run::frontend)];
