//! No secret in anything that was said while the tests ran.
//!
//! Looked through is what plywood and the tests said: the output of every test, those that passed
//! included, with its panics; both streams of every run of the program, with `--debug` or without;
//! and the logs of the servers that the program spoke to. Servers count because they log URLs: a
//! secret that stands there was sent where it does not belong. docker-registry and nginx log no
//! `Authorization` header and no body, so credentials on their proper way are not found there.
//! Every secret of every test holds a marker, which [`testbed::leak`] knows in all its forms.

use std::fmt;
use std::path::Path;

use tempfile::NamedTempFile;
use testbed::{Failure, Result, leak, record};

/// Everything that was said.
pub struct Evidence {
    record: NamedTempFile,
    heard: Vec<Heard>,
}

/// What a test runner printed or reported.
struct Heard {
    phase: &'static str,
    text: String,
}

/// How much was looked through.
#[derive(Debug, PartialEq, Eq)]
pub struct LookedAt {
    lines: usize,
    /// Runs of programs, and servers.
    programs: usize,
}

/// A line that holds a secret.
#[derive(Debug, PartialEq, Eq)]
struct Leak {
    /// The test, or the phase where no test is known.
    by: String,
    form: &'static str,
    line: String,
}

impl Evidence {
    pub fn new() -> Result<Self> {
        let record = NamedTempFile::new().map_err(Failure::doing("make a file for output"))?;
        Ok(Evidence { record, heard: Vec::new() })
    }

    /// The file to which the testbed appends what programs say.
    pub fn record(&self) -> &Path {
        self.record.path()
    }

    /// Takes in what was said in a phase.
    pub fn hear(&mut self, phase: &'static str, text: String) {
        self.heard.push(Heard { phase, text });
    }

    /// Looks through everything. To have had nothing to look through is a failure.
    pub fn search(&self) -> Result<LookedAt> {
        let recorded =
            std::fs::read(self.record.path()).map_err(Failure::doing("read what programs said"))?;
        let recorded = String::from_utf8_lossy(&recorded);
        let silent = self.heard.iter().find(|heard| heard.text.trim().is_empty());
        if let Some(Heard { phase, .. }) = silent {
            return Err(Failure::new(format!("nothing is known of what the {phase} tests said")));
        }
        let looked_at = LookedAt {
            lines: self.heard.iter().map(|heard| heard.text.lines().count()).sum::<usize>()
                + recorded.lines().count(),
            programs: recorded.lines().filter(|line| line.starts_with(record::HEADING)).count(),
        };
        if looked_at.programs == 0 || self.heard.is_empty() {
            return Err(Failure::new("nothing is known of what programs said"));
        }
        let mut leaks = leaks(&recorded, "a program");
        leaks.extend(self.heard.iter().flat_map(leaks_in));
        if leaks.is_empty() {
            return Ok(looked_at);
        }
        let lines: Vec<String> = leaks.iter().map(|leak| format!("\n  {leak}")).collect();
        Err(Failure::new(format!("{} lines hold one{}", leaks.len(), lines.concat())))
    }
}

fn leaks_in(heard: &Heard) -> Vec<Leak> {
    leaks(&heard.text, heard.phase)
}

/// The lines with a secret in them; `by` is who said what stands before the first test's name.
fn leaks(text: &str, by: &str) -> Vec<Leak> {
    let mut by = by.to_owned();
    let mut leaks = Vec::new();
    for line in text.lines() {
        if let Some(test) = test_named_in(line) {
            by = test.to_owned();
        }
        if let Some(form) = leak::in_text(line) {
            leaks.push(Leak { by: by.clone(), form, line: line.to_owned() });
        }
    }
    leaks
}

/// The test whose output begins with this line, in the testbed's record, in nextest's report and
/// on libtest's screen.
fn test_named_in(line: &str) -> Option<&str> {
    let line = line.trim_start();
    if let Some(entry) = line.strip_prefix(record::HEADING) {
        return Some(entry);
    }
    if let Some(case) = line.strip_prefix("<testcase name=\"") {
        return case.split('"').next();
    }
    line.strip_prefix("---- ")?.strip_suffix(" ----")
}

impl fmt::Display for LookedAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} lines, of {} runs of programs and the tests", self.lines, self.programs)
    }
}

impl fmt::Display for Leak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Leak { by, form, line } = self;
        write!(f, "{by} ({form}): {}", line.trim())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evidence(recorded: &str, heard: &[&str]) -> Result<LookedAt> {
        let mut evidence = Evidence::new()?;
        std::fs::write(evidence.record(), recorded).unwrap();
        for text in heard {
            evidence.hear("hermetic", (*text).to_owned());
        }
        evidence.search()
    }

    #[test]
    fn the_test_that_said_it_is_named() {
        let recorded = "=== registries::push: plywood push\nok\nPUT /?password=SECRET 201\n";
        let nextest = "<testcase name=\"auth::basic\" classname=\"registry\">\n  fine\n</testcase>\n\
            <testcase name=\"auth::bearer\" classname=\"registry\">\n\
            Authorization: Basic Ym9iOlNFQ1JFVA==\n";
        let libtest = "---- store::tests::opens stdout ----\n%53%45%43%52%45%54\n";
        let failure = evidence(recorded, &[nextest, libtest]).unwrap_err();
        assert_eq!(
            failure.to_string(),
            "3 lines hold one\n  \
             registries::push: plywood push (plain): PUT /?password=SECRET 201\n  \
             auth::bearer (base64): Authorization: Basic Ym9iOlNFQ1JFVA==\n  \
             store::tests::opens stdout (URL-encoded): %53%45%43%52%45%54"
        );
    }

    #[test]
    fn nothing_to_look_through_is_a_failure() {
        let recorded = "=== a test: plywood push\nok\n";
        assert_eq!(evidence(recorded, &["a\nb\n"]).unwrap(), LookedAt { lines: 4, programs: 1 });
        for (recorded, heard) in
            [("", ["a"].as_slice()), (recorded, &[]), (recorded, &["a", ""]), ("", &[])]
        {
            assert!(evidence(recorded, heard).unwrap_err().to_string().starts_with("nothing is "));
        }
    }
}
