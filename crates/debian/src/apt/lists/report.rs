//! What `apt-get update` says. Its lines have no numbers that depend on time.

use shell::{Process, Stop};

use crate::apt::problem::Problem;

/// What is said while lists are fetched, and what is said at the end.
#[derive(Debug, Default)]
pub(super) struct Report {
    has_begun: bool,
    lines: usize,
    bytes: u64,
    messages: Vec<(Severity, String)>,
}

/// How apt marks a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Severity {
    Error,
    Warning,
    /// The way out.
    Note,
}

/// How a file was come by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    Get(u64),
    Hit,
    Ignored,
    Missing,
}

impl Report {
    /// From here on it is about lists.
    pub(super) fn begin(&mut self) {
        self.has_begun = true;
    }

    /// A file's line.
    pub(super) fn item(
        &mut self,
        process: &mut Process<'_, '_>,
        progress: Progress,
        title: &str,
    ) -> Result<(), Stop> {
        self.lines += 1;
        let number = self.lines;
        let line = match progress {
            Progress::Get(size) => {
                self.bytes = self.bytes.saturating_add(size);
                format!("Get:{number} {title} [{}B]\n", short(size))
            }
            Progress::Hit => format!("Hit:{number} {title}\n"),
            Progress::Ignored => format!("Ign:{number} {title}\n"),
            Progress::Missing => format!("Err:{number} {title}\n  404  Not Found\n"),
        };
        process.write(line)
    }

    /// Keeps a message for the end.
    pub(super) fn say(&mut self, severity: Severity, message: impl Into<String>) {
        let said = (severity, message.into());
        if !self.messages.contains(&said) {
            self.messages.push(said);
        }
    }

    /// Keeps an error and its way out.
    pub(super) fn problem(&mut self, problem: &Problem) {
        self.say(Severity::Error, problem.to_string());
        if let Some(hint) = problem.hint() {
            self.say(Severity::Note, hint);
        }
    }

    /// Whether there was an error.
    pub(super) fn has_failed(&self) -> bool {
        self.messages.iter().any(|(severity, _)| *severity == Severity::Error)
    }

    /// Says all that was kept, and gives the exit status.
    pub(super) fn end(self, process: &mut Process<'_, '_>) -> Result<u8, Stop> {
        let status = if self.has_failed() { 100 } else { 0 };
        if self.bytes > 0 && status == 0 {
            process.write(format!("Fetched {}B in 0s (0 B/s)\n", short(self.bytes)))?;
        }
        if self.has_begun {
            process.write("Reading package lists...\n")?;
        }
        for (severity, message) in self.messages {
            let mark = match severity {
                Severity::Error => 'E',
                Severity::Warning => 'W',
                Severity::Note => 'N',
            };
            process.write_to(2, format!("{mark}: {message}\n").as_bytes())?;
        }
        Ok(status)
    }
}

/// A size as apt writes it: up to four digits, and a letter for thousands.
fn short(size: u64) -> String {
    const UNITS: [&str; 7] = ["", "k", "M", "G", "T", "P", "E"];
    let mut rest = size as f64;
    for (power, unit) in UNITS.iter().enumerate() {
        if rest < 100.0 && power > 0 {
            return format!("{rest:.1} {unit}");
        }
        if rest < 10_000.0 {
            return format!("{rest:.0} {unit}");
        }
        rest /= 1000.0;
    }
    format!("{size} ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_short() {
        let sizes = [0, 6924, 9999, 34_770, 55_403, 151_075, 8_790_123, 15_800_000, 2_000_000_000];
        let shown: Vec<String> = sizes.into_iter().map(short).collect();
        assert_eq!(
            shown,
            ["0 ", "6924 ", "9999 ", "34.8 k", "55.4 k", "151 k", "8790 k", "15.8 M", "2000 M"]
        );
    }
}
