//! Why a recipe cannot be planned.

use recipe::{Diagnostic, Span};

/// An error at a place in the recipe.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .diagnostic.message)]
pub struct PlanError {
    /// Place, cause and way out.
    pub diagnostic: Diagnostic,
    /// What kind of thing is wrong, for exit codes.
    pub kind: PlanErrorKind,
}

/// What is to blame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlanErrorKind {
    /// The recipe's text.
    Recipe,
    /// The files that it names.
    Files,
    /// What the base image holds.
    Base,
    /// The answer of a command that it runs.
    Command,
}

impl PlanError {
    pub(crate) fn recipe(span: Span, message: impl Into<String>) -> Self {
        PlanError { diagnostic: Diagnostic::error(span, message), kind: PlanErrorKind::Recipe }
    }

    pub(crate) fn files(span: Span, message: impl Into<String>) -> Self {
        PlanError { diagnostic: Diagnostic::error(span, message), kind: PlanErrorKind::Files }
    }

    pub(crate) fn base(span: Span, message: impl Into<String>) -> Self {
        PlanError { diagnostic: Diagnostic::error(span, message), kind: PlanErrorKind::Base }
    }

    pub(crate) fn command(span: Span, message: impl Into<String>) -> Self {
        PlanError { diagnostic: Diagnostic::error(span, message), kind: PlanErrorKind::Command }
    }

    /// A finding of `recipe`, as an error of the recipe.
    pub(crate) fn found(diagnostic: Diagnostic) -> Self {
        PlanError { diagnostic, kind: PlanErrorKind::Recipe }
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.diagnostic.hint = Some(hint.into());
        self
    }
}

/// Why an instruction cannot be planned: something is wrong, or something is not known.
#[derive(Debug)]
pub(crate) enum Stop {
    Error(Box<PlanError>),
    /// What is missing has been noted.
    Needs,
    /// Only whoever executes a `RUN` before it can tell.
    Execution,
}

impl From<PlanError> for Stop {
    fn from(error: PlanError) -> Self {
        Stop::Error(Box::new(error))
    }
}

pub(crate) type Step<T> = Result<T, Stop>;

/// Both, or why not: what is wrong is said before anything is waited for.
pub(crate) fn both<A, B>(first: Step<A>, second: Step<B>) -> Step<(A, B)> {
    match (first, second) {
        (Ok(first), Ok(second)) => Ok((first, second)),
        (Err(error @ Stop::Error(_)), _) | (_, Err(error @ Stop::Error(_))) => Err(error),
        (Err(stop), _) | (_, Err(stop)) => Err(stop),
    }
}

/// All of them, or why not, as [`both`].
pub(crate) fn together<T>(steps: impl IntoIterator<Item = Step<T>>) -> Step<Vec<T>> {
    let mut every = Ok(Vec::new());
    for step in steps {
        every = both(every, step).map(|(mut every, one)| {
            every.push(one);
            every
        });
    }
    every
}
