//! The grammar: from a script's text to commands.
//!
//! The text is read a complete command at a time, as shells do, so that what stands behind an
//! `exit` need not be a script. Nesting is bounded here: what is evaluated is no deeper than what
//! was read.
//!
//! POSIX XCU 2.3 (tokens), 2.10 (grammar); the GNU manual's "Shell Grammar" for bash's additions.

mod compound;
mod conditional;
mod heredoc;
mod notes;
mod parameter;
mod scan;
mod simple;
pub(super) mod tree;
mod words;

pub use notes::{WrittenCommand, WrittenWord, simple_commands};
pub(super) use scan::{Parser, SyntaxError};
