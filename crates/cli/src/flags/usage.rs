//! What is wrong with a command line whose words parse.

use oci::{DigestError, PlatformError, ReferenceError};

/// Why a flag or an argument means nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UsageError {
    /// Not an image reference.
    #[error("`{argument}`: {source}")]
    Reference {
        /// The flag or argument.
        argument: &'static str,
        /// What is wrong with it.
        source: ReferenceError,
    },
    /// Not a platform.
    #[error("`{argument}`: {source}")]
    Platform {
        /// The flag or argument.
        argument: &'static str,
        /// What is wrong with it.
        source: PlatformError,
    },
    /// Not a digest.
    #[error("`{argument}`: {source}")]
    Digest {
        /// The flag or argument.
        argument: &'static str,
        /// What is wrong with it.
        source: DigestError,
    },
    /// Not of the form that the flag has.
    #[error("`{text}` is not a value of `{argument}`")]
    Form {
        /// The flag, argument or variable.
        argument: &'static str,
        /// What was typed.
        text: String,
        /// The form, as a sentence about the value.
        wanted: &'static str,
    },
    /// Not one of the words that the flag knows.
    #[error("`{text}` is not a value of `{argument}` ({} are)", .known.join(", "))]
    UnknownValue {
        /// The flag or argument.
        argument: &'static str,
        /// What was typed.
        text: String,
        /// What can be.
        known: &'static [&'static str],
    },
    /// A key that a `key=value` list does not have.
    #[error("`{argument}` has no key `{key}` (it has {})", .known.join(", "))]
    UnknownKey {
        /// The flag.
        argument: &'static str,
        /// What was typed.
        key: String,
        /// What can be.
        known: &'static [&'static str],
    },
    /// A key that is needed and was not typed.
    #[error("`{argument} {text}` lacks `{key}`")]
    MissingKey {
        /// The flag.
        argument: &'static str,
        /// What was typed.
        text: String,
        /// What is missing.
        key: &'static str,
    },
    /// Two things that cannot both be.
    #[error("{first} and {second} cannot both be")]
    Conflict {
        /// The one.
        first: String,
        /// The other.
        second: String,
        /// What to do instead.
        instead: &'static str,
    },
    /// One thing that makes no sense without another.
    #[error("{given} needs {missing}")]
    Needs {
        /// What was typed.
        given: &'static str,
        /// What was not.
        missing: &'static str,
        /// How to type it.
        instead: &'static str,
    },
    /// A context or recipe that would have to be fetched.
    #[error("`{url}` would have to be fetched, and `{argument}` takes local files")]
    Remote {
        /// The argument.
        argument: &'static str,
        /// What was typed.
        url: String,
    },
    /// Something Docker does that cannot be done here.
    #[error("{what} is not supported")]
    Unsupported {
        /// What was asked for.
        what: String,
        /// What to do instead.
        instead: &'static str,
    },
}

impl UsageError {
    /// A word that is not one of `known`.
    pub(super) fn unknown(
        argument: &'static str,
        text: &str,
        known: &'static [&'static str],
    ) -> Self {
        UsageError::UnknownValue { argument, text: text.to_owned(), known }
    }

    /// A text that has not the form `wanted`.
    pub(super) fn form(argument: &'static str, text: &str, wanted: &'static str) -> Self {
        UsageError::Form { argument, text: text.to_owned(), wanted }
    }

    /// The way out, if there is one to offer.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            UsageError::Reference { source, .. } => source.hint(),
            UsageError::Platform { .. } | UsageError::Digest { .. } => None,
            UsageError::Form { wanted, .. } => Some((*wanted).to_owned()),
            UsageError::UnknownValue { text, known, .. } => did_you_mean(text, known),
            UsageError::UnknownKey { key, known, .. } => did_you_mean(key, known),
            UsageError::MissingKey { key, .. } => Some(format!("add `{key}=…`")),
            UsageError::Conflict { instead, .. }
            | UsageError::Needs { instead, .. }
            | UsageError::Unsupported { instead, .. } => Some((*instead).to_owned()),
            UsageError::Remote { argument: "CONTEXT", .. } => Some(
                "clone or download it first; a tar on standard input is given as `-`".to_owned(),
            ),
            UsageError::Remote { .. } => Some("clone or download it first".to_owned()),
        }
    }
}

fn did_you_mean(text: &str, known: &[&str]) -> Option<String> {
    closest(text, known.iter().copied()).map(|near| format!("did you mean `{near}`?"))
}

/// The word nearest to `text`, if one is near enough to be meant.
pub(crate) fn closest<'a>(text: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let near = known.map(|word| (strsim::jaro_winkler(text, word), word));
    let best = near.max_by(|(a, _), (b, _)| a.total_cmp(b));
    best.filter(|(likeness, _)| *likeness > 0.8).map(|(_, word)| word)
}
