//! Text to recipe: a Dockerfile becomes stages of typed instructions, each with its place.
//!
//! This crate takes `&str` and knows neither files nor the network. What depends on build
//! arguments or on a base image stays unexpanded; `plan` resolves it.

mod diagnostic;
mod recipe;

pub use diagnostic::{Diagnostic, Rule, Severity};
pub use recipe::*;
