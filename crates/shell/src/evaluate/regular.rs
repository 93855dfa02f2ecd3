//! `[[ text =~ expression ]]` (the GNU manual, "Conditional Constructs").

use std::collections::BTreeMap;

use bstr::{BString, ByteSlice};

use super::expand::pattern::Marked;
use super::shell::{Eval, Evaluator};
use super::variables::Value;
use crate::regular_expression::{Captures, Case, Encoding, Options, Regex, RegexError};

/// What stands for itself only behind a backslash, outside of brackets (POSIX XBD 9.4.3).
const SPECIAL: &[u8] = b"\\.[()*+?{|^$";

/// What matched, and its groups.
const GROUPS: &str = "BASH_REMATCH";

/// An extended regular expression in which what was quoted stands for itself. None where that
/// would need more than POSIX has: quotes around what means something in brackets.
pub(super) fn written(text: &[Marked]) -> Option<BString> {
    let mut written = BString::default();
    let mut bracket = Bracket::Outside;
    for (byte, is_quoted) in text.iter().copied() {
        match (bracket, is_quoted) {
            (Bracket::Outside | Bracket::Escaped, true) if SPECIAL.contains(&byte) => {
                written.push(b'\\');
            }
            (Bracket::Outside | Bracket::Escaped, _) => {}
            (_, true) if b"[]^-".contains(&byte) => return None,
            _ => {}
        }
        bracket = match is_quoted {
            true => bracket.behind_quoted(),
            false => bracket.behind(byte),
        };
        written.push(byte);
    }
    Some(written)
}

/// Where in a bracket expression (POSIX XBD 9.3.5) the next byte is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bracket {
    Outside,
    /// Behind a backslash that an expansion brought.
    Escaped,
    /// Behind `[`.
    Start,
    /// Behind `[^`; a `]` stands for itself here, as at the start.
    Negated,
    Inside,
    /// Behind a `[` in brackets.
    Opening,
    /// In `[:…:]`, `[.….]` or `[=…=]`.
    Class(u8),
    /// There, behind what may be its last mark.
    Closing(u8),
}

impl Bracket {
    fn behind(self, byte: u8) -> Self {
        match (self, byte) {
            (Bracket::Outside, b'[') => Bracket::Start,
            (Bracket::Outside, b'\\') => Bracket::Escaped,
            (Bracket::Outside | Bracket::Escaped, _) => Bracket::Outside,
            (Bracket::Start, b'^') => Bracket::Negated,
            (Bracket::Inside | Bracket::Opening, b']') => Bracket::Outside,
            (Bracket::Opening, b':' | b'.' | b'=') => Bracket::Class(byte),
            (Bracket::Class(mark) | Bracket::Closing(mark), _) if byte == mark => {
                Bracket::Closing(mark)
            }
            (Bracket::Closing(_), b']') => Bracket::Inside,
            (Bracket::Class(mark) | Bracket::Closing(mark), _) => Bracket::Class(mark),
            (_, b'[') => Bracket::Opening,
            _ => Bracket::Inside,
        }
    }

    fn behind_quoted(self) -> Self {
        match self {
            Bracket::Outside | Bracket::Escaped => Bracket::Outside,
            Bracket::Class(mark) | Bracket::Closing(mark) => Bracket::Class(mark),
            _ => Bracket::Inside,
        }
    }
}

impl Evaluator<'_, '_> {
    /// Whether any part of the text matches, as an exit status: 2 if the expression is none.
    pub(super) fn match_expression(&mut self, text: &BString, expression: &BString) -> Eval<u8> {
        self.machine.budget.step()?;
        if self.shell.variables.is_local(GROUPS.as_bytes()) {
            return self.refuse(GROUPS, "a local variable of this name");
        }
        let case = if self.shell.shopt.nocasematch { Case::Folded } else { Case::Exact };
        let encoding = self.encoding(text.is_ascii() && expression.is_ascii())?;
        let options = Options { encoding, case, ..Options::default() };
        let found = Regex::extended(expression, options)
            .and_then(|regex| Ok((regex.find_at(text, 0)?, regex.groups())));
        match found {
            Ok((captures, groups)) => {
                let status = u8::from(captures.is_none());
                let values = captures.map(|captures| matched(text, &captures, groups));
                self.machine.budget.hold(values.iter().flatten().map(|value| value.len()).sum())?;
                let values: BTreeMap<u64, BString> =
                    (0..).zip(values.into_iter().flatten()).collect();
                self.shell.variables.entry(GROUPS.as_bytes()).value = Some(Value::Indexed(values));
                Ok(status)
            }
            Err(RegexError::Invalid(_)) => Ok(2),
            Err(error) => self.refuse("[[ =~", format!("a regular expression that {error}")),
        }
    }

    /// Characters beyond ASCII are bytes, unless a locale says otherwise.
    fn encoding(&mut self, is_ascii: bool) -> Eval<Encoding> {
        let variables = &self.shell.variables;
        let set = ["LC_ALL", "LC_CTYPE", "LANG"].map(|name| variables.value(name.as_bytes()));
        let locale = set.into_iter().flatten().find(|value| !value.is_empty());
        match locale.map(|locale| locale.as_bytes()) {
            _ if is_ascii => Ok(Encoding::Bytes),
            None | Some(b"C" | b"POSIX") => Ok(Encoding::Bytes),
            Some(b"C.UTF-8" | b"C.utf8") => Ok(Encoding::Utf8),
            Some(_) => self.refuse("[[ =~", "characters that are not ASCII, in a locale"),
        }
    }
}

/// All of the match, and what each group matched.
fn matched(text: &BString, captures: &Captures, groups: usize) -> Vec<BString> {
    let spans = (0..=groups).map(|number| captures.group(number).unwrap_or_default());
    spans.map(|span| text.get(span).unwrap_or_default().into()).collect()
}
