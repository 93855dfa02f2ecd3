//! The programs that are built in, by name.
//!
//! A program is a function from a [`Process`] to an exit status. It looks at its words, reads and
//! writes by its process, and refuses what it does not understand.

pub(crate) mod accounts;
pub(crate) mod files;
pub(crate) mod network;
pub(crate) mod quoting;
pub(crate) mod system;
pub(crate) mod text;

use crate::process::{Process, Run};

/// A program that is built in.
pub type Program = fn(&mut Process<'_, '_>) -> Run;

/// Whose program a name stands for. They differ in options and words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flavour {
    /// GNU's, Debian's.
    Gnu,
    /// One of BusyBox's applets.
    BusyBox,
}

/// The tables of names, each sorted.
const TABLES: &[&[(&str, Program)]] = &[
    accounts::PROGRAMS,
    crate::evaluate::PROGRAMS,
    files::PROGRAMS,
    network::PROGRAMS,
    system::PROGRAMS,
    text::PROGRAMS,
];

/// The program of this name.
pub fn find(name: &[u8]) -> Option<Program> {
    let mut tables = TABLES.iter().flat_map(|table| table.iter());
    tables.find(|(known, _)| known.as_bytes() == name).map(|(_, program)| *program)
}

/// The names of all programs.
pub fn names() -> impl Iterator<Item = &'static str> {
    TABLES.iter().flat_map(|table| table.iter()).map(|(name, _)| *name)
}
