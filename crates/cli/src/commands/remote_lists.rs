//! `ls-tags` and `referrers`: what a registry has to say of a repository and of an image.

use oci::Descriptor;
use serde_json::{Value, json};

use super::table::{self, Column, Row};
use crate::error::Error;
use crate::flags::{LsTagsArguments, ReferrersArguments, TagsReport};
use crate::session::Session;
use crate::units;

const COLUMNS: &[Column] = &[
    Column { field: "Digest", heading: "DIGEST" },
    Column { field: "ArtifactType", heading: "ARTIFACT TYPE" },
    Column { field: "MediaType", heading: "MEDIA TYPE" },
    Column { field: "Size", heading: "SIZE" },
    Column { field: "Annotations", heading: "ANNOTATIONS" },
];

/// Lists a repository's tags.
pub(super) fn ls_tags(arguments: &LsTagsArguments, session: &Session) -> Result<(), Error> {
    let client = session.client()?;
    let tags = session.block_on(async { Ok(client.tags(&arguments.repository).await?) })?;
    let text = match arguments.report {
        // A registry's words must not draw on a terminal.
        TagsReport::Lines => {
            tags.iter().map(|tag| tag.replace(char::is_control, " ") + "\n").collect()
        }
        TagsReport::Json => {
            let repository = arguments.repository.to_string();
            format!("{}\n", json!({ "Repository": repository, "Tags": tags }))
        }
    };
    session.answer(text.as_bytes())
}

/// Lists what refers to an image.
pub(super) fn referrers(arguments: &ReferrersArguments, session: &Session) -> Result<(), Error> {
    let client = session.client()?;
    let repository = arguments.image.repository();
    let found = session.block_on(async {
        let subject = match arguments.image.digest() {
            Some(digest) => digest,
            None => client.resolve(&arguments.image).await?.digest,
        };
        Ok(client.referrers(repository, subject).await?)
    })?;
    let wanted = |entry: &&Descriptor| match &arguments.artifact_type {
        Some(wanted) => entry.artifact_type.as_ref().is_some_and(|kind| kind.as_str() == wanted),
        None => true,
    };
    let rows = found.iter().filter(wanted).map(row).collect();
    let table = "{{.Digest}}\t{{.ArtifactType}}\t{{.Size}}";
    session.answer(table::render(&arguments.report, rows, COLUMNS, table, "Digest")?.as_bytes())
}

fn row(entry: &Descriptor) -> Row {
    let artifact_type = entry.artifact_type.as_ref().map(ToString::to_string);
    let fields = json!({
        "Digest": entry.digest,
        "ArtifactType": artifact_type.unwrap_or_default(),
        "MediaType": entry.media_type,
        "Size": units::size(entry.size),
        "Annotations": entry.annotations,
    });
    match fields {
        Value::Object(row) => row,
        _ => Row::new(),
    }
}
