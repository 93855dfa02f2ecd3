//! `grep`, `egrep`, `fgrep` (GNU grep 3.8, as Debian 12 has it).
//!
//! Not built in: `-P`, colours, and what else is not in the table. Directories are gone through in
//! the order of names; GNU's order is the file system's.

mod arguments;
mod search;
#[cfg(test)]
mod tests;
mod walk;

use bstr::{BStr, BString, ByteSlice};

use self::arguments::Settings;
use crate::process::{Process, Run};
use crate::programs::Flavour;
use crate::regular_expression::{Regex, RegexError};
use crate::stop::{Reason, Stop};

const SELECTED: u8 = 0;
const NOTHING: u8 = 1;
const TROUBLE: u8 = 2;

/// What is searched for, how, and what came of it so far.
struct Grep<'p, 'm, 'o: 'm> {
    process: &'p mut Process<'m, 'o>,
    settings: Settings,
    patterns: Vec<Regex>,
    /// Whether names are printed.
    names: Names,
    has_selected: bool,
    has_trouble: bool,
    /// Whether a group of lines was printed, in any file.
    has_printed: bool,
}

/// Whether the name of the file is printed in front of what is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Names {
    Shown,
    Hidden,
    /// Hidden, but for files that were found in directories.
    ShownBelow,
}

/// `grep`, by any of its names.
pub(super) fn grep(process: &mut Process<'_, '_>) -> Run {
    let Some(settings) = arguments::read(process)? else { return Ok(TROUBLE) };
    if settings.selects_none() {
        return Ok(NOTHING);
    }
    let patterns = match settings.patterns() {
        Ok(patterns) => patterns,
        Err(RegexError::Invalid(message)) => {
            complain(process, message.as_bytes())?;
            return Ok(TROUBLE);
        }
        Err(error) => return Err(error.refusal(process)),
    };
    let names = settings.names();
    let mut grep = Grep {
        process,
        settings,
        patterns,
        names,
        has_selected: false,
        has_trouble: false,
        has_printed: false,
    };
    let files = grep.settings.files.clone();
    if files.is_empty() {
        grep.without_operands()?;
    }
    for file in &files {
        grep.operand(file.as_bstr())?;
        if grep.is_settled() {
            break;
        }
    }
    if grep.is_settled() {
        return Ok(SELECTED);
    }
    Ok(match (grep.has_trouble, grep.has_selected) {
        (true, _) => TROUBLE,
        (false, true) => SELECTED,
        (false, false) => NOTHING,
    })
}

impl Grep<'_, '_, '_> {
    /// Whether the answer is known, and nothing more is printed.
    fn is_settled(&self) -> bool {
        self.settings.is_quiet && self.has_selected
    }

    /// A file that is missing or cannot be read.
    fn trouble(&mut self, file: &BStr, message: impl std::fmt::Display) -> Result<(), Stop> {
        self.has_trouble = true;
        if self.settings.has_no_messages {
            return Ok(());
        }
        complain(self.process, &[file.as_bytes(), b": ", message.to_string().as_bytes()].concat())
    }
}

/// `egrep` and `fgrep` run `grep`, so that is the name in front of messages.
fn complain(process: &mut Process<'_, '_>, message: &[u8]) -> Result<(), Stop> {
    if process.flavour == Flavour::BusyBox {
        let reason = "fails, and what BusyBox says then is not known";
        return Err(process.refuse(Reason::Use(reason.to_owned())));
    }
    let line = [b"grep: ", message, b"\n"].concat();
    process.write_to(2, &line)
}

/// The name of the standard input, in output.
const STANDARD_INPUT: &str = "(standard input)";

fn shown_name(settings: &Settings, file: &BStr) -> BString {
    match file.as_bytes() {
        b"-" => settings.label.clone().unwrap_or_else(|| STANDARD_INPUT.into()),
        name => name.into(),
    }
}
