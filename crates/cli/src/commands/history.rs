//! `history`: how an image was made, the newest instruction first.

use serde_json::{Value, json};

use super::documents::{self, Documents};
use super::images::id;
use super::table::{self, Column, Row};
use crate::error::Error;
use crate::flags::{HistoryArguments, Truncation};
use crate::session::Session;
use crate::units;

const COLUMNS: &[Column] = &[
    Column { field: "ID", heading: "IMAGE" },
    Column { field: "CreatedSince", heading: "CREATED" },
    Column { field: "CreatedAt", heading: "CREATED AT" },
    Column { field: "CreatedBy", heading: "CREATED BY" },
    Column { field: "Size", heading: "SIZE" },
    Column { field: "Comment", heading: "COMMENT" },
];

/// How wide Docker lets an instruction be.
const INSTRUCTION_WIDTH: usize = 45;

/// Shows an image's history.
pub(super) fn history(arguments: &HistoryArguments, session: &Session) -> Result<(), Error> {
    let found = documents::in_store(&arguments.image, session)?;
    let image = found.image(arguments.platform.as_ref())?;
    let mut rows: Vec<Row> =
        entries(&image).into_iter().map(|entry| row(entry, arguments, session)).collect();
    // The image as a whole is what the last instruction made.
    if let Some(first) = rows.first_mut() {
        first.insert("ID".into(), id(&found.root.digest(), arguments.truncation).into());
    }
    let created = if arguments.human { "CreatedSince" } else { "CreatedAt" };
    let table = format!(
        "{{{{.ID}}}}\t{{{{.{created}}}}}\t{{{{.CreatedBy}}}}\t{{{{.Size}}}}\t{{{{.Comment}}}}"
    );
    session.answer(table::render(&arguments.report, rows, COLUMNS, &table, "ID")?.as_bytes())
}

/// An instruction and the bytes of the layer that it made.
struct Entry {
    history: oci::History,
    size: u64,
}

/// The history, newest first. Layers of which it says nothing come last, by their digests.
fn entries(image: &Documents) -> Vec<Entry> {
    let mut layers = image.manifest.layers().iter();
    let mut entries = Vec::new();
    for history in image.config.history() {
        let layer = if history.empty_layer { None } else { layers.next() };
        entries.push(Entry { history, size: layer.map_or(0, |layer| layer.size) });
    }
    for layer in layers {
        let comment = Some(format!("layer {} has no history", layer.digest));
        let history = oci::History {
            created: None,
            created_by: None,
            author: None,
            comment,
            empty_layer: false,
        };
        entries.push(Entry { history, size: layer.size });
    }
    entries.reverse();
    entries
}

fn row(entry: Entry, arguments: &HistoryArguments, session: &Session) -> Row {
    let Entry { history, size } = entry;
    let created = history.created.as_deref().and_then(|time| time.parse().ok());
    let instruction = history.created_by.unwrap_or_default();
    let fields = json!({
        "ID": "<missing>",
        "CreatedSince": units::since(created, session.environment.now),
        "CreatedAt": history.created.unwrap_or_default(),
        "CreatedBy": match arguments.truncation {
            Truncation::Short => shortened(&instruction),
            Truncation::Full => instruction,
        },
        "Size": if arguments.human { units::size(size) } else { size.to_string() },
        "Comment": history.comment.unwrap_or_default(),
    });
    match fields {
        Value::Object(row) => row,
        _ => Row::new(),
    }
}

/// A text of at most so many characters, with `…` where the rest was.
fn shortened(text: &str) -> String {
    if text.chars().count() <= INSTRUCTION_WIDTH {
        return text.to_owned();
    }
    let kept: String = text.chars().take(INSTRUCTION_WIDTH - 1).collect();
    format!("{kept}…")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_instructions_are_cut() {
        assert_eq!(shortened("COPY . /app"), "COPY . /app");
        let cut = shortened(&"ü".repeat(60));
        assert_eq!(cut.chars().count(), 45);
        assert!(cut.ends_with("ü…"));
    }
}
