//! Text to recipe: a Dockerfile becomes stages of typed instructions, each with its place.
//!
//! This crate takes `&str` and knows neither files nor the network. What depends on build
//! arguments or on a base image stays unexpanded; `plan` resolves it.

mod checks;
mod diagnostic;
mod directive;
mod dockerfile;
mod duration;
mod expand;
mod flag;
mod glob;
mod heredoc;
mod ignore;
mod instruction;
mod line;
mod mode;
mod mount;
mod owner;
mod recipe;
mod rule;
mod split;
mod suggest;
#[cfg(test)]
mod tests;
mod wildcard;

pub use diagnostic::{Diagnostic, Rule, Severity};
pub use dockerfile::{Parsed, parse_dockerfile, parse_trigger};
pub use expand::{
    ExpandError, ExpandProblem, ExpandedWords, Expansion, expand, expand_heredoc, expand_words,
};
pub use glob::PatternProblem;
pub use ignore::{IgnoreError, IgnorePatterns, IgnorePlace, IgnoreVerdict};
pub use mode::{FileKind, FileMode, FileModeError};
pub use owner::{Owner, OwnerError, OwnerName};
pub use recipe::*;
pub use wildcard::{Wildcard, WildcardError};
