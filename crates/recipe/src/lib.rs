//! Text to recipe: a Dockerfile becomes stages of typed instructions, each with its place, and a
//! `plywood.toml` one stage of the same.
//!
//! This crate takes `&str` and knows neither files nor the network. What depends on build
//! arguments or on a base image stays unexpanded; `plan` resolves it.
//!
//! [`parse_dockerfile`] gives the recipe and the warnings of the checks that need the text alone;
//! [`Recipe::reports`] says which of the others the author wants to hear. [`parse_trigger`] does
//! the same for what a base image keeps for `ONBUILD`. [`parse_plywood_toml`] is the other front
//! end; its texts are literal, as [`Word::literal`] makes them, but for values of `[env]`.
//!
//! What is expanded, and how
//! (<https://docs.docker.com/reference/dockerfile/#environment-replacement>):
//!
//! - by [`expand()`]: `FROM`'s image and platform; names and values of `ENV` and `LABEL`; defaults of
//!   `ARG`; sources, destination, `--chown`, `--chmod` and `--checksum` of `COPY` and `ADD`; values
//!   of `RUN --mount` but `from`; `USER`, `WORKDIR`, `VOLUME` and `STOPSIGNAL`;
//! - by [`expand_words`]: `EXPOSE`;
//! - by [`expand_heredoc`]: here-documents of `COPY` and `ADD` whose delimiter is not quoted;
//! - by nothing: `CMD`, `ENTRYPOINT`, `HEALTHCHECK`, `SHELL`, `ONBUILD`, `MAINTAINER`, `--exclude`,
//!   and `RUN`'s command, which are for the shell, or for later.

mod checks;
mod debian;
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
mod plywood_toml;
mod python;
mod recipe;
mod rule;
mod split;
mod suggest;
#[cfg(test)]
mod tests;
mod wildcard;
mod word;

pub use checks::looks_secret;
pub use debian::*;
pub use diagnostic::{Diagnostic, Rule, Severity};
pub use dockerfile::{Parsed, parse_dockerfile, parse_trigger};
pub use expand::{
    ExpandError, ExpandProblem, ExpandedWords, Expansion, expand, expand_heredoc, expand_words,
};
pub use glob::PatternProblem;
pub use ignore::{IgnoreError, IgnorePatterns, IgnorePlace, IgnoreVerdict};
pub use mode::{FileKind, FileMode, FileModeError};
pub use owner::{Owner, OwnerError, OwnerName};
pub use plywood_toml::{
    Format, ProjectFiles, initial_toml, parse_plywood_toml, plywood_toml_reference,
    plywood_toml_schema, recipe_format,
};
pub use python::*;
pub use recipe::*;
pub use suggest::closest;
pub use wildcard::{Wildcard, WildcardError};
