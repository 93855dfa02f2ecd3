//! What a command line did, for people.

use shell::files::Action;
use shell::{Event, Outcome, Transcript};

use super::redaction::Redaction;
use crate::outcome::{RunCommand, RunReport};

/// How much of what was said is shown with an error.
const LAST_LINES: usize = 12;
/// How many changed paths of one command are named.
const MOST_CHANGES: usize = 200;

pub(super) fn of(outcome: &Outcome, redaction: &Redaction) -> RunReport {
    let journal = outcome.files.journal();
    let command = |event: &Event| {
        let own = journal.get(event.changes.clone()).unwrap_or_default();
        let mut changes: Vec<String> = Vec::new();
        for entry in own.iter().take(MOST_CHANGES) {
            let sign = match entry.action {
                Action::Made => '+',
                Action::Changed => '~',
                Action::Removed => '-',
            };
            let change = redaction.text(&format!("{sign} /{}", entry.path));
            if changes.last() != Some(&change) {
                changes.push(change);
            }
        }
        if own.len() > MOST_CHANGES {
            changes.push(format!("… {} more", own.len() - MOST_CHANGES));
        }
        let (depth, status) = (event.depth, event.status);
        let remark = event.remark.as_ref().map(|remark| redaction.text(remark));
        RunCommand { depth, line: line(&event.words, redaction), status, changes, remark }
    };
    let fetched = outcome.fetches.iter().map(|fetch| (redaction.text(&fetch.url), fetch.digest));
    RunReport {
        commands: outcome.trace.iter().map(command).collect(),
        said: said(&outcome.transcript, redaction),
        fetched: fetched.collect(),
    }
}

/// A command as a shell would take it.
pub(super) fn line(words: &[bstr::BString], redaction: &Redaction) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"%+,-./:=@_^[]".contains(&byte);
    let quoted = words.iter().map(|word| {
        let text = redaction.bytes(word);
        match !text.is_empty() && (text.bytes().all(plain) || text == "***") {
            true => text,
            false => format!("'{}'", text.replace('\'', r"'\''")),
        }
    });
    quoted.collect::<Vec<_>>().join(" ")
}

fn said(transcript: &Transcript, redaction: &Redaction) -> String {
    let pieces = transcript.pieces().iter().flat_map(|(_, bytes)| bytes.iter().copied());
    redaction.bytes(&pieces.collect::<Vec<u8>>())
}

/// The end of what was said.
pub(super) fn last_lines(transcript: &Transcript, redaction: &Redaction) -> String {
    let said = said(transcript, redaction);
    let lines: Vec<&str> = said.lines().collect();
    lines[lines.len().saturating_sub(LAST_LINES)..].join("\n")
}
