//! Hostile lines end soon, and do nothing but to the image: they reach a bound, are refused, or are
//! harmless. Bounds count steps and bytes, so that what is bounded here is bounded everywhere.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod image;
mod lines;
mod nested;

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use image::{IMAGE, LIMITS};
use shell::Limits;

/// A line that takes longer than this is not bounded; the longest takes a few seconds on a machine
/// that is busy.
const HANGING: Duration = Duration::from_secs(60);

/// What came of each line, evaluated in a thread of its own with the stack that threads have.
fn outcomes(lines: Vec<(String, &'static str, String)>, limits: Limits) -> String {
    let mut all = String::new();
    for (name, shell, script) in lines {
        let (sender, receiver) = mpsc::channel();
        thread::Builder::new()
            .name(name.clone())
            .spawn(move || sender.send(IMAGE.outcome(shell, &script, limits)).unwrap())
            .unwrap();
        let outcome = receiver.recv_timeout(HANGING).unwrap_or_else(|why| format!("HANGS: {why}"));
        all.push_str(&format!("{name}\n    {outcome}\n"));
    }
    all
}

#[test]
fn lines_are_bounded_refused_or_harmless() {
    let line = |(shell, script): &(&'static str, &str)| {
        (format!("{script:?}"), *shell, (*script).to_owned())
    };
    insta::assert_snapshot!(outcomes(lines::WRITTEN.iter().map(line).collect(), LIMITS));
}

#[test]
fn nothing_is_too_deep() {
    insta::assert_snapshot!(outcomes(nested::nested(10_000), LIMITS));
}
