//! What asks registries: `ls-tags` and `referrers`.

use clap::Args;
use oci::{Reference, RepositoryName};

use super::images::{ListReport, list_report};
use super::{UsageError, meaning};

/// What `ls-tags` is asked to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LsTagsArguments {
    /// Whose tags.
    pub(crate) repository: RepositoryName,
    /// How they are shown.
    pub(crate) report: TagsReport,
}

/// How tags are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TagsReport {
    /// One a line.
    Lines,
    /// One document, as `skopeo list-tags` writes it.
    Json,
}

/// What `referrers` is asked to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReferrersArguments {
    /// The image.
    pub(crate) image: Reference,
    /// Only those of this type.
    pub(crate) artifact_type: Option<String>,
    /// How they are shown.
    pub(crate) report: ListReport,
}

#[derive(Debug, Args)]
pub(super) struct LsTagsFlags {
    /// The repository
    #[arg(value_name = "REPOSITORY")]
    repository: String,
    /// Write one JSON document with Repository and Tags
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct ReferrersFlags {
    /// The image, in its registry
    #[arg(value_name = "REFERENCE")]
    image: String,
    /// Only those of this type
    #[arg(long, value_name = "MEDIA-TYPE")]
    artifact_type: Option<String>,
    /// A Go template for each, `table TEMPLATE` or `json`. Fields: .Digest .ArtifactType .MediaType
    /// .Size .Annotations
    #[arg(long, value_name = "TEMPLATE")]
    format: Option<String>,
    /// Write one JSON object a line
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// Show digests only
    #[arg(short, long)]
    quiet: bool,
}

impl LsTagsFlags {
    pub(super) fn meaning(self) -> Result<LsTagsArguments, UsageError> {
        let repository = meaning::repository("REPOSITORY", &self.repository)?;
        let report = if self.json { TagsReport::Json } else { TagsReport::Lines };
        Ok(LsTagsArguments { repository, report })
    }
}

impl ReferrersFlags {
    pub(super) fn meaning(self) -> Result<ReferrersArguments, UsageError> {
        Ok(ReferrersArguments {
            image: meaning::reference("REFERENCE", &self.image)?.or_latest(),
            artifact_type: self.artifact_type,
            report: list_report(self.quiet, self.json, self.format),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Command, parse_for_test};
    use crate::environment::Environment;

    #[test]
    fn a_repository_has_no_tag() {
        let check = |line: &[&str]| match parse_for_test(line, &Environment::of(&[])) {
            Ok(invocation) => match invocation.command {
                Command::LsTags(tags) => tags.repository.to_string(),
                other => format!("{other:?}"),
            },
            Err(error) => format!("{error} | {}", error.hint().unwrap_or_default()),
        };
        assert_eq!(check(&["ls-tags", "alpine"]), "docker.io/library/alpine");
        assert_eq!(
            check(&["ls-tags", "localhost:5000/a:1"]),
            "`localhost:5000/a:1` is not a value of `REPOSITORY` | it is a repository, without a \
             tag or a digest"
        );
    }
}
