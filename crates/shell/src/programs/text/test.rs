//! `test` and `[`: as programs, and as each shell has them.
//!
//! POSIX says what up to four arguments mean. What more of them mean, and what is wrong with them,
//! differs: dash and BusyBox read all of them by one grammar, [`grammar`]; bash and GNU's program
//! count them first, [`counted`].

mod counted;
mod grammar;
mod primary;

use bstr::BString;

use crate::evaluate::dialect::Dialect;
use crate::process::{Process, Run};
use crate::programs::Flavour;
use crate::stop::Stop;

/// Parentheses are not deeper inside of each other.
const MOST_DEPTH: usize = 200;

/// The program.
pub(super) fn program(process: &mut Process<'_, '_>) -> Run {
    match process.flavour {
        Flavour::BusyBox => test(process, Some(Dialect::Ash)),
        Flavour::Gnu => test(process, None),
    }
}

/// Answers by its exit status whether an expression is true (POSIX XCU, `test`).
pub(crate) fn test(process: &mut Process<'_, '_>, dialect: Option<Dialect>) -> Run {
    let mut words = process.arguments().to_vec();
    if process.name() == "[" {
        match words.pop() {
            Some(last) if is_bracket(dialect, &last) => {}
            last => {
                // GNU's `[` alone has options.
                let is_option = |word: BString| word == "--help" || word == "--version";
                if dialect.is_none() && words.is_empty() && last.is_some_and(is_option) {
                    return Err(
                        process.refuse(crate::stop::Reason::Use("is asked for help".into()))
                    );
                }
                process.complain(match dialect {
                    Some(Dialect::Dash | Dialect::Ash) => "missing ]",
                    Some(Dialect::Bash) => "missing `]'",
                    None => "missing ']'",
                })?;
                return Ok(2);
            }
        }
    }
    let answer = match dialect {
        Some(Dialect::Dash | Dialect::Ash) => grammar::evaluate(process, dialect, &words),
        Some(Dialect::Bash) | None => counted::evaluate(process, dialect, &words),
    };
    match answer {
        Ok(true) => Ok(0),
        Ok(false) => Ok(1),
        Err(Wrong::Syntax(message)) => {
            process.complain_bytes(&message)?;
            Ok(2)
        }
        Err(Wrong::Stop(stop)) => Err(stop),
    }
}

/// Dash looks at the first character only.
fn is_bracket(dialect: Option<Dialect>, word: &[u8]) -> bool {
    match dialect {
        Some(Dialect::Dash) => word.starts_with(b"]"),
        _ => word == b"]",
    }
}

/// Why an expression has no answer.
enum Wrong {
    /// It is wrong, in the words of the dialect.
    Syntax(Vec<u8>),
    /// The evaluation ends.
    Stop(Stop),
}

impl From<Stop> for Wrong {
    fn from(stop: Stop) -> Self {
        Wrong::Stop(stop)
    }
}

impl Wrong {
    /// `before`, a word, and `behind`.
    fn syntax(before: &str, word: &[u8], behind: &str) -> Self {
        Wrong::Syntax([before.as_bytes(), word, behind.as_bytes()].concat())
    }
}

/// What an expression says, if it says anything.
type Answer = Result<bool, Wrong>;

#[cfg(test)]
mod tests;
