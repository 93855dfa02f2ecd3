//! Reads a word character by character. One text is written; what is open (quotes, `${`) is a
//! stack of frames that remember where in that text they began, so that nesting costs no copies
//! and no call stack.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::pattern::{self, End, Reach};
use super::{ExpandError, ExpandProblem};

/// How a word is read.
pub(crate) struct Lexer {
    pub(crate) escape: char,
    pub(crate) quotes: Quotes,
    pub(crate) escapes: Escapes,
    pub(crate) unset: Unset,
    /// The most bytes to take from variables and to write.
    pub(crate) limit: usize,
}

/// What becomes of quotes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quotes {
    /// They quote, and go.
    Remove,
    /// They quote, and stay.
    Keep,
    /// They are characters like others.
    Ordinary,
}

/// What becomes of escape characters.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Escapes {
    Remove,
    Keep,
}

/// What a variable without a value becomes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unset {
    Empty,
    /// Itself, as it was written.
    Keep,
}

/// A piece of output that is not inside quotes or braces.
pub(crate) struct Item<'a> {
    pub(crate) text: &'a str,
    /// The part of the source that it came from.
    pub(crate) source: Range<usize>,
    /// Whether white space in it does not separate words.
    pub(crate) quoted: bool,
}

/// Something that was opened.
struct Frame {
    kind: FrameKind,
    /// Where its output begins.
    output: usize,
    /// Where it was opened: the quote, or the `$`.
    source: usize,
    /// What becomes of escapes in it.
    escapes: Escapes,
}

enum FrameKind {
    DoubleQuote,
    /// `${name` and an operator, before the `}`.
    Operand {
        name: String,
        operator: Operator,
    },
    /// `${name/`, before the second `/`.
    Pattern {
        name: String,
        matches: Matches,
    },
    /// `${name/pattern/`, before the `}`.
    Replacement {
        name: String,
        matches: Matches,
        pattern: String,
    },
}

/// Which matches of a pattern are replaced.
#[derive(Clone, Copy)]
enum Matches {
    First,
    All,
}

#[derive(Clone, Copy)]
struct Operator {
    symbol: char,
    /// With `:`, an empty value counts as none.
    empty_is_unset: bool,
}

/// A letter or a digit beyond ASCII, as Go's `unicode` package tells them from marks and numerals.
static LETTER_OR_DIGIT: LazyLock<Regex> = LazyLock::new(|| {
    #[expect(clippy::unwrap_used, reason = "a constant expression, compiled by every test")]
    Regex::new(r"^[\p{L}\p{Nd}]$").unwrap()
});

/// The variable's name at the beginning of a text: digits, one of the special parameters, or
/// letters, digits and `_` (POSIX.1-2017, XCU 2.5).
pub(super) fn name(text: &str) -> &str {
    let in_name = |c: char| match c.is_ascii() {
        true => c.is_ascii_alphanumeric() || c == '_',
        false => LETTER_OR_DIGIT.is_match(c.encode_utf8(&mut [0; 4])),
    };
    let end = match text.chars().next() {
        Some(first) if first.is_ascii_digit() => text.find(|c: char| !c.is_ascii_digit()),
        Some('@' | '*' | '#' | '?' | '-' | '$' | '!') => Some(1),
        _ => text.find(|c| !in_name(c)),
    };
    &text[..end.unwrap_or(text.len())]
}

impl Lexer {
    /// Expands `source`. `items` is told each top-level piece as it is finished.
    pub(crate) fn run(
        &self,
        source: &str,
        variables: &mut dyn FnMut(&str) -> Option<String>,
        items: &mut dyn FnMut(Item<'_>),
    ) -> Result<String, ExpandError> {
        let mut reader = Reader {
            lexer: self,
            source,
            position: 0,
            output: String::new(),
            frames: Vec::new(),
            spent: 0,
            variables,
            items,
        };
        reader.read()?;
        Ok(reader.output)
    }
}

struct Reader<'a> {
    lexer: &'a Lexer,
    source: &'a str,
    position: usize,
    output: String,
    frames: Vec<Frame>,
    spent: usize,
    variables: &'a mut dyn FnMut(&str) -> Option<String>,
    items: &'a mut dyn FnMut(Item<'_>),
}

impl Reader<'_> {
    fn read(&mut self) -> Result<(), ExpandError> {
        while let Some(character) = self.peek() {
            let (start, written) = (self.position, self.output.len());
            let stop = self.frames.last().map(|frame| frame.kind.stop());
            if stop == Some(character) {
                self.position += character.len_utf8();
                self.close()?;
                continue;
            }
            let in_quotes =
                matches!(self.frames.last(), Some(Frame { kind: FrameKind::DoubleQuote, .. }));
            let quoted = match character {
                '$' => {
                    self.dollar()?;
                    false
                }
                character if character == self.lexer.escape => self.escape(in_quotes)?,
                '\'' if !in_quotes && self.lexer.quotes != Quotes::Ordinary => {
                    self.single_quote()?;
                    true
                }
                '"' if !in_quotes && self.lexer.quotes != Quotes::Ordinary => {
                    self.open_double_quote()?;
                    true
                }
                '<' if !in_quotes => {
                    self.less_than()?;
                    true
                }
                other => {
                    self.position += other.len_utf8();
                    self.write_character(other)?;
                    false
                }
            };
            if self.frames.is_empty() {
                self.item(written, start, quoted);
            }
        }
        match self.frames.last() {
            Some(frame) => Err(self.unclosed(frame)),
            None => Ok(()),
        }
    }

    fn peek(&self) -> Option<char> {
        self.source[self.position..].chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let character = self.peek()?;
        self.position += character.len_utf8();
        Some(character)
    }

    fn item(&mut self, written: usize, start: usize, quoted: bool) {
        if written < self.output.len() {
            let text = &self.output[written..];
            (self.items)(Item { text, source: start..self.position, quoted });
        }
    }

    fn write(&mut self, text: &str) -> Result<(), ExpandError> {
        self.spent = self.spent.saturating_add(text.len());
        if self.spent > self.lexer.limit {
            return Err(self.error(ExpandProblem::TooLong, 0..self.source.len()));
        }
        self.output.push_str(text);
        Ok(())
    }

    fn write_character(&mut self, character: char) -> Result<(), ExpandError> {
        self.write(character.encode_utf8(&mut [0; 4]))
    }

    fn error(&self, problem: ExpandProblem, at: Range<usize>) -> ExpandError {
        ExpandError { problem, at }
    }

    fn unclosed(&self, frame: &Frame) -> ExpandError {
        let problem = match &frame.kind {
            FrameKind::DoubleQuote => ExpandProblem::UnclosedQuote("double"),
            FrameKind::Operand { .. } | FrameKind::Replacement { .. } => {
                ExpandProblem::UnclosedBrace
            }
            FrameKind::Pattern { name, .. } => ExpandProblem::NoReplacement(name.clone()),
        };
        self.error(problem, frame.source..self.source.len())
    }

    fn escapes(&self) -> Escapes {
        self.frames.last().map_or(self.lexer.escapes, |frame| frame.escapes)
    }

    /// Outside quotes an escape character makes any character ordinary; inside double quotes only
    /// `"`, `$` and itself (XCU 2.2.3 without the grave accent and the newline).
    fn escape(&mut self, in_quotes: bool) -> Result<bool, ExpandError> {
        let escape = self.lexer.escape;
        self.position += escape.len_utf8();
        let escapes = self.escapes();
        let next = self.peek();
        let takes_next = match next {
            Some(next) => !in_quotes || matches!(next, '"' | '$') || next == escape,
            None => false,
        };
        if escapes == Escapes::Keep || (in_quotes && !takes_next && next.is_some()) {
            self.write_character(escape)?;
        }
        if let Some(next) = next.filter(|_| takes_next) {
            self.position += next.len_utf8();
            self.write_character(next)?;
        }
        Ok(true)
    }

    /// Everything up to the next `'`, which cannot be escaped (XCU 2.2.2).
    fn single_quote(&mut self) -> Result<(), ExpandError> {
        let (source, start) = (self.source, self.position);
        let Some(length) = source[start + 1..].find('\'') else {
            let problem = ExpandProblem::UnclosedQuote("single");
            return Err(self.error(problem, start..source.len()));
        };
        let end = start + 1 + length;
        self.position = end + 1;
        match self.lexer.quotes {
            Quotes::Keep => self.write(&source[start..=end]),
            _ => self.write(&source[start + 1..end]),
        }
    }

    fn open_double_quote(&mut self) -> Result<(), ExpandError> {
        let (source, output, escapes) = (self.position, self.output.len(), self.escapes());
        self.position += 1;
        self.frames.push(Frame { kind: FrameKind::DoubleQuote, output, source, escapes });
        if self.lexer.quotes == Quotes::Keep { self.write("\"") } else { Ok(()) }
    }

    /// `<<` and `<<-` keep the white space behind them in their word: `<< EOF` is one
    /// here-document.
    fn less_than(&mut self) -> Result<(), ExpandError> {
        let (source, start) = (self.source, self.position);
        self.position += 1;
        if self.peek() == Some('<') {
            self.position += 1;
            let rest = &source[self.position..];
            let name = rest.strip_prefix('-').unwrap_or(rest);
            let name = name.trim_start_matches(['\t', '\r', ' ']);
            if !rest.starts_with('-') || rest.len() - name.len() > 1 {
                self.position = source.len() - name.len();
            }
        }
        self.write(&source[start..self.position])
    }

    fn name(&mut self) -> String {
        let name = name(&self.source[self.position..]);
        self.position += name.len();
        name.to_owned()
    }

    fn dollar(&mut self) -> Result<(), ExpandError> {
        let start = self.position;
        self.position += 1;
        if self.peek() == Some('{') {
            self.position += 1;
            return self.open_brace(start);
        }
        let name = self.name();
        if name.is_empty() {
            return self.write("$");
        }
        let value = (self.variables)(&name);
        self.write_value(value, start)
    }

    fn write_value(&mut self, value: Option<String>, start: usize) -> Result<(), ExpandError> {
        match value {
            Some(value) => self.write(&value),
            None if self.lexer.unset == Unset::Keep => {
                let source = self.source;
                self.write(&source[start..self.position])
            }
            None => Ok(()),
        }
    }

    fn open_brace(&mut self, start: usize) -> Result<(), ExpandError> {
        let name = self.name();
        let at_operator = self.position;
        let Some(first) = self.next() else {
            return Err(self.error(ExpandProblem::UnclosedBrace, start..self.position));
        };
        if name.is_empty() {
            return Err(self.error(ExpandProblem::NoName, start..self.position));
        }
        if first == '}' {
            let value = (self.variables)(&name);
            return self.write_value(value, start);
        }
        let output = self.output.len();
        let keeps_unset = self.lexer.unset == Unset::Keep;
        let (kind, escapes) = match first {
            '/' => {
                let matches = match self.peek() {
                    Some('/') => Matches::All,
                    _ => Matches::First,
                };
                self.position += usize::from(matches!(matches, Matches::All));
                (FrameKind::Pattern { name, matches }, Escapes::Keep)
            }
            '+' | '-' | '?' | '#' | '%' => {
                let operator = Operator { symbol: first, empty_is_unset: false };
                let pattern = matches!(first, '#' | '%');
                let escapes = if pattern { Escapes::Keep } else { Escapes::Remove };
                (FrameKind::Operand { name, operator }, escapes)
            }
            ':' if matches!(self.peek(), Some('+' | '-' | '?'))
                || (keeps_unset && self.peek().is_some_and(|c| c != '#' && c != '%')) =>
            {
                let symbol = self.next().unwrap_or(':');
                let operator = Operator { symbol, empty_is_unset: true };
                (FrameKind::Operand { name, operator }, Escapes::Remove)
            }
            '\n' => {
                return Err(self.error(ExpandProblem::UnclosedBrace, start..at_operator));
            }
            ':' if self.peek().is_none() => {
                return Err(self.error(ExpandProblem::UnclosedBrace, start..self.position));
            }
            _ => {
                if first == ':' {
                    self.next();
                }
                let operator = self.source[at_operator..self.position].to_owned();
                let problem = ExpandProblem::UnknownOperator { name, operator };
                return Err(self.error(problem, at_operator..self.position));
            }
        };
        self.frames.push(Frame { kind, output, source: start, escapes });
        Ok(())
    }

    /// The innermost frame has met its end.
    fn close(&mut self) -> Result<(), ExpandError> {
        let Some(frame) = self.frames.pop() else { return Ok(()) };
        let quoted = matches!(frame.kind, FrameKind::DoubleQuote);
        match frame.kind {
            FrameKind::DoubleQuote => {
                if self.lexer.quotes == Quotes::Keep {
                    self.write("\"")?;
                }
            }
            FrameKind::Pattern { name, matches } => {
                let pattern = self.output.split_off(frame.output);
                let kind = FrameKind::Replacement { name, matches, pattern };
                self.frames.push(Frame { kind, ..frame });
                return Ok(());
            }
            FrameKind::Operand { name, operator } => {
                self.substitute(&name, operator, frame.output, frame.source)?;
            }
            FrameKind::Replacement { name, matches, pattern } => {
                let replacement = self.output.split_off(frame.output);
                let source = frame.source;
                match (self.variables)(&name) {
                    None => self.write_value(None, source)?,
                    Some(value) => self.replace(&value, &pattern, &replacement, matches, source)?,
                }
            }
        }
        if self.frames.is_empty() {
            self.item(frame.output, frame.source, quoted);
        }
        Ok(())
    }

    /// `${name` operator word `}`, where the word is what was written from `output` on.
    fn substitute(
        &mut self,
        name: &str,
        operator: Operator,
        output: usize,
        source: usize,
    ) -> Result<(), ExpandError> {
        let value = (self.variables)(name);
        if value.is_none() && self.lexer.unset == Unset::Keep {
            self.output.truncate(output);
            return self.write_value(None, source);
        }
        let present =
            value.as_deref().filter(|value| !(operator.empty_is_unset && value.is_empty()));
        match operator.symbol {
            '-' => match present {
                Some(value) => {
                    self.output.truncate(output);
                    self.write(value)
                }
                None => Ok(()),
            },
            '+' => {
                if present.is_none() {
                    self.output.truncate(output);
                }
                Ok(())
            }
            '?' => {
                let message = self.output.split_off(output);
                match present {
                    Some(value) => self.write(value),
                    None => {
                        let message = match (message.is_empty(), value.is_some()) {
                            (false, _) => message,
                            (true, true) => "a value is required, and it is empty".to_owned(),
                            (true, false) => "a value is required, and there is none".to_owned(),
                        };
                        let problem = ExpandProblem::Required { name: name.to_owned(), message };
                        Err(self.error(problem, source..self.position))
                    }
                }
            }
            symbol => {
                let word = self.output.split_off(output);
                let end = if symbol == '#' { End::Prefix } else { End::Suffix };
                let (pattern, reach) = match word.strip_prefix(symbol) {
                    Some(pattern) => (pattern, Reach::Longest),
                    None => (word.as_str(), Reach::Shortest),
                };
                let value = value.unwrap_or_default();
                let rest = pattern::trim(pattern, &value, end, reach)
                    .map_err(|problem| self.bad_pattern(pattern, problem, source))?;
                self.write(rest)
            }
        }
    }

    fn bad_pattern(&self, pattern: &str, problem: &'static str, source: usize) -> ExpandError {
        let problem = ExpandProblem::BadPattern { pattern: pattern.to_owned(), problem };
        self.error(problem, source..self.position)
    }

    fn replace(
        &mut self,
        value: &str,
        pattern: &str,
        replacement: &str,
        matches: Matches,
        source: usize,
    ) -> Result<(), ExpandError> {
        let search = pattern::search(pattern)
            .map_err(|problem| self.bad_pattern(pattern, problem, source))?;
        let count = match matches {
            Matches::First => 1,
            Matches::All => usize::MAX,
        };
        let mut rest = 0;
        for found in search.find_iter(value).take(count) {
            self.write(&value[rest..found.start()])?;
            self.write(replacement)?;
            rest = found.end();
        }
        self.write(&value[rest..])
    }
}

impl FrameKind {
    /// The character that ends it.
    fn stop(&self) -> char {
        match self {
            FrameKind::DoubleQuote => '"',
            FrameKind::Pattern { .. } => '/',
            FrameKind::Operand { .. } | FrameKind::Replacement { .. } => '}',
        }
    }
}
