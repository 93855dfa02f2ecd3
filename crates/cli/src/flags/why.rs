//! `why`: two images, and for whom the answer is.

use clap::Args;
use oci::Platform;

use super::UsageError;
use super::images::{platform, stored};
use super::location::Location;

/// What `why` is asked to compare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WhyArguments {
    /// The images, with what was typed for each.
    pub(crate) compared: Compared,
    /// Which image of an index; all of them otherwise.
    pub(crate) platform: Option<Platform>,
    /// For whom.
    pub(crate) report: WhyReport,
}

/// Which images are compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Compared {
    /// What the last build made with what the one before it made.
    LastBuilds,
    /// This image with what the build before its own made.
    WithEarlier(String, Location),
    /// The first with the second.
    Both(Box<[(String, Location); 2]>),
}

/// For whom the answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WhyReport {
    /// For people.
    Text,
    /// For programs.
    Json,
}

#[derive(Debug, Args)]
#[command(
    after_help = "OLD and NEW are names or ids in the store, names in a registry, docker://REF \
or oci:DIR[:TAG].\nThe exit code is 0 whether they differ or not.\n\nWhat went into an image is known \
where it was built. Of images that were built elsewhere, the\ndifferences are shown: by layer, by file \
and by key of the config. docs/why.md describes the JSON."
)]
pub(super) struct WhyFlags {
    /// An image; with NEW left out, the one that is to be explained [default: the last build]
    #[arg(value_name = "OLD")]
    first: Option<String>,
    /// The image that is to be explained; OLD is then compared with it [default: the build before]
    #[arg(value_name = "NEW")]
    second: Option<String>,
    /// Which image of an index [default: all]
    #[arg(long, value_name = "OS/ARCH[/VARIANT]")]
    platform: Option<String>,
    /// Write JSON
    #[arg(long)]
    json: bool,
}

impl WhyFlags {
    pub(super) fn meaning(self) -> Result<WhyArguments, UsageError> {
        let located = |text: String| stored(&text).map(|location| (text, location));
        let compared = match (self.first, self.second) {
            (None, _) => Compared::LastBuilds,
            (Some(text), None) => {
                let (text, location) = located(text)?;
                Compared::WithEarlier(text, location)
            }
            (Some(old), Some(new)) => Compared::Both(Box::new([located(old)?, located(new)?])),
        };
        Ok(WhyArguments {
            compared,
            platform: platform(self.platform.as_deref())?,
            report: if self.json { WhyReport::Json } else { WhyReport::Text },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Command, parse_for_test};
    use super::*;
    use crate::environment::Environment;

    fn compared(line: &[&str]) -> String {
        match parse_for_test(&[&["why"], line].concat(), &Environment::of(&[])) {
            Ok(invocation) => match invocation.command {
                Command::Why(arguments) => match arguments.compared {
                    Compared::LastBuilds => "the last two builds".to_owned(),
                    Compared::WithEarlier(text, _) => format!("{text} with the one before"),
                    Compared::Both(both) => format!("{} with {}", both[0].0, both[1].0),
                },
                other => format!("{other:?}"),
            },
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn none_one_or_two() {
        assert_eq!(compared(&[]), "the last two builds");
        assert_eq!(compared(&["app"]), "app with the one before");
        assert_eq!(compared(&["docker://app:1", "12ab"]), "docker://app:1 with 12ab");
        assert_eq!(
            compared(&["App"]),
            "`IMAGE`: `App` is not an image reference: repository names are lower-case"
        );
    }
}
