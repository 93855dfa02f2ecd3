//! Debian's programs, by name: `apt-get`, `dpkg`, and what maintainer scripts call.

mod accounts;
mod alternatives;
mod configuration;
mod database;
pub mod debconf;
mod divert;
mod dpkg;
mod dpkg_trigger;
mod failure;
mod files_order;
mod packages;
mod place;
mod query;
pub(crate) mod refusals;
mod services;
pub mod skipped;
mod small;
mod statoverride;
mod sysusers;
mod tmpfiles;
#[cfg(test)]
mod transcripts;

use bstr::BStr;
use shell::Process;
use shell::process::Run;

use crate::outside::Outside;

/// A program that is built in.
pub type Program = fn(&mut Process<'_, '_>, &dyn Outside) -> Run;

/// The tables of names, each sorted.
const TABLES: &[&[(&str, Program)]] = &[
    // One to a line.
    DPKG,
    alternatives::PROGRAMS,
    crate::apt::commands::PROGRAMS,
    crate::apt::keys::PROGRAMS,
    crate::native::PROGRAMS,
    debconf::PROGRAMS,
    divert::PROGRAMS,
    query::PROGRAMS,
    services::PROGRAMS,
    small::PROGRAMS,
    statoverride::PROGRAMS,
    sysusers::PROGRAMS,
    tmpfiles::PROGRAMS,
];

/// The tables of programs that are called by path, without links and the first `/`.
const PATHS: &[&[(&str, Program)]] = &[debconf::PATHS];

/// dpkg's own.
const DPKG: &[(&str, Program)] =
    &[("dpkg", dpkg::dpkg), ("dpkg-trigger", dpkg_trigger::dpkg_trigger)];

/// The program of this name; `path` is where its file is, without links.
pub(crate) fn find(path: &[u8], name: &BStr) -> Option<Program> {
    let mut paths = PATHS.iter().flat_map(|table| table.iter());
    if let Some((_, program)) = paths.find(|(known, _)| path == known.as_bytes()) {
        return Some(*program);
    }
    let mut tables = TABLES.iter().flat_map(|table| table.iter());
    tables.find(|(known, _)| *name == **known).map(|(_, program)| *program)
}

/// The names of all programs.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    TABLES.iter().flat_map(|table| table.iter()).map(|(name, _)| *name)
}
