//! The language, by tables of scripts and what they print.

mod additions;
mod builtins;
mod commands;
mod failures;
mod hostile;
mod listing;
mod parameters;
mod redirections;
mod trace;
mod words;

use bstr::ByteSlice;

use crate::fixture::Image;
use crate::{Channel, Outcome, Stop};

/// Which shells a script is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shells {
    Dash,
    Bash,
    Both,
}

impl Shells {
    fn paths(self) -> &'static [&'static str] {
        match self {
            Shells::Dash => &["/bin/sh"],
            Shells::Bash => &["/bin/bash"],
            Shells::Both => &["/bin/sh", "/bin/bash"],
        }
    }
}

/// Runs each script in a new image, and compares what it shows.
fn check(cases: &[(Shells, &str, &str)]) {
    let image = Image::new();
    for (shells, script, expected) in cases {
        for shell in shells.paths() {
            let shown = show(image.run(&[shell, "-c", script]));
            assert_eq!(shown, *expected, "{shell}: {script}");
        }
    }
}

/// Output, errors with a `!` in front, and the status, if it is not 0.
fn show(result: Result<Outcome, Stop>) -> String {
    let outcome = match result {
        Ok(outcome) => outcome,
        Err(Stop::Refused(refusal)) => return format!("refused: {refusal}\n"),
        Err(Stop::Limit(limit)) => return format!("limit: {limit}\n"),
        Err(Stop::Missing(missing)) => return format!("missing: {missing:?}\n"),
    };
    let mut shown = outcome.transcript.of(Channel::Output).to_str_lossy().into_owned();
    if !shown.is_empty() && !shown.ends_with('\n') {
        shown.push('\n');
    }
    let errors = outcome.transcript.of(Channel::Errors);
    shown.extend(errors.lines().map(|line| format!("!{}\n", line.as_bstr())));
    if outcome.status != 0 {
        shown.push_str(&format!("status {}\n", outcome.status));
    }
    shown
}
