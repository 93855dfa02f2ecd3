//! The shell language: POSIX's as dash speaks it, and bash's.
//!
//! A shell is a program like others. Its grammar is `syntax`'s; what is read is evaluated over
//! the machine that all commands share, each subshell with a state of its own. What is not
//! understood, or would show something of the machine, is refused with its line.

mod assign;
mod builtins;
mod commands;
mod conditional;
pub mod dialect;
mod expand;
mod invocation;
mod redirect;
mod regular;
mod shell;
mod simple;
mod syntax;
#[cfg(test)]
mod tests;
mod trace;
mod variables;

pub use syntax::{WrittenCommand, WrittenWord, simple_commands};

use crate::programs::Program;

/// Shells, and what else is part of the language and is a program, too.
pub(crate) const PROGRAMS: &[(&str, Program)] = &[
    ("ash", invocation::shell),
    ("bash", invocation::shell),
    ("dash", invocation::shell),
    ("sh", invocation::shell),
];

/// Whether a program of this name is a shell that is understood.
pub fn is_shell(name: &[u8]) -> bool {
    matches!(name, b"sh" | b"bash" | b"dash" | b"ash")
}
