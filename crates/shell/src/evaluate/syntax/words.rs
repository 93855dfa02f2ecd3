//! Words: text, quotes, expansions (POSIX XCU 2.2, 2.6).

use std::rc::Rc;

use bstr::{BString, ByteSlice};

use super::scan::{Parsed, Parser, Token};
use super::tree::{List, Part, Word};
use crate::evaluate::dialect::Dialect;

/// Where a word ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    /// At a blank or an operator.
    Token,
    /// At the `}` of `${…}`.
    Brace,
    /// At the `/` or `}` of `${name/pattern/replacement}`.
    SlashOrBrace,
    /// At the `]` of a subscript.
    Bracket,
    /// At the blank behind a regular expression.
    Regex,
}

/// What stands between double quotes, and what is read like it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Inside {
    Quotes,
    /// A word in `"${name-word}"`, up to its `}`.
    Operand,
    /// Quotes in such a word.
    InnerQuotes,
    Heredoc,
}

/// Collects text and parts.
#[derive(Default)]
pub(super) struct Parts {
    parts: Vec<Part>,
    text: BString,
}

impl Parts {
    pub(super) fn text(&mut self, byte: u8) {
        self.text.push(byte);
    }

    pub(super) fn push(&mut self, part: Part) {
        if !self.text.is_empty() {
            self.parts.push(Part::Literal(std::mem::take(&mut self.text)));
        }
        match (self.parts.last_mut(), part) {
            (Some(Part::Quoted(last)), Part::Quoted(more)) => last.extend_from_slice(&more),
            (_, part) => self.parts.push(part),
        }
    }

    pub(super) fn finish(mut self) -> Vec<Part> {
        if !self.text.is_empty() {
            self.parts.push(Part::Literal(self.text));
        }
        self.parts
    }
}

impl Parser<'_> {
    pub(super) fn word(&mut self) -> Parsed<Word> {
        self.word_until(Until::Token)
    }

    pub(super) fn word_until(&mut self, until: Until) -> Parsed<Word> {
        let mut parts = Parts::default();
        let mut nesting = 0usize;
        while let Some(byte) = self.current() {
            if nesting == 0 && self.ends_word(byte, until) {
                break;
            }
            match byte {
                b'\'' => parts.push(Part::Quoted(self.single_quoted()?)),
                b'"' => {
                    self.at += 1;
                    parts.push(Part::Double(self.inside(Inside::Quotes)?));
                }
                b'\\' => self.escaped(&mut parts),
                b'$' => self.dollar(&mut parts, Quotes::None)?,
                b'`' => parts.push(self.backquoted(Quotes::None)?),
                b'<' if until == Until::Token && self.opens_process() => {
                    self.at += 2;
                    self.enter()?;
                    parts.push(Part::Process(Rc::new(self.substitution()?)));
                    self.leave();
                }
                b'(' if nesting > 0 || self.opens_pattern(&parts) || until == Until::Regex => {
                    nesting += 1;
                    parts.text(byte);
                    self.advance();
                }
                b')' if nesting > 0 => {
                    nesting -= 1;
                    parts.text(byte);
                    self.advance();
                }
                _ => {
                    parts.text(byte);
                    self.advance();
                }
            }
        }
        if nesting > 0 {
            return Err(self.error("syntax error: a `)` is missing"));
        }
        Ok(Word { parts: parts.finish() })
    }

    fn ends_word(&self, byte: u8, until: Until) -> bool {
        match until {
            Until::Token => match byte {
                b'(' => !self.follows_pattern_mark(),
                b'<' => !self.opens_process(),
                _ => b" \t\n;&|<>)".contains(&byte),
            },
            Until::Regex => b" \t\n&;<>)".contains(&byte),
            Until::Brace => byte == b'}',
            Until::SlashOrBrace => byte == b'}' || byte == b'/',
            Until::Bracket => byte == b']',
        }
    }

    /// Whether a `(` begins an extended pattern: `@(a|b)`.
    fn opens_pattern(&self, parts: &Parts) -> bool {
        !parts.text.is_empty() && self.follows_pattern_mark()
    }

    fn follows_pattern_mark(&self) -> bool {
        let mark = self.at.checked_sub(1).and_then(|before| self.text.get(before));
        self.has_extended_patterns && mark.is_some_and(|mark| b"?*+@!".contains(mark))
    }

    pub(super) fn single_quoted(&mut self) -> Parsed<BString> {
        let rest = &self.text[self.at + 1..];
        let Some(end) = rest.find_byte(b'\'') else {
            return Err(self.error("syntax error: a single quote has no end"));
        };
        self.at += end + 2;
        self.line += rest[..end].iter().filter(|byte| **byte == b'\n').count();
        Ok(rest[..end].into())
    }

    fn escaped(&mut self, parts: &mut Parts) {
        self.at += 1;
        match self.raw() {
            Some(byte) => {
                parts.push(Part::Quoted(vec![byte].into()));
                self.advance();
            }
            None => parts.push(Part::Quoted(b"\\".into())),
        }
    }

    /// All of a here-document.
    pub(super) fn heredoc_parts(&mut self) -> Parsed<Vec<Part>> {
        self.inside(Inside::Heredoc)
    }

    /// The word of `"${name-word}"`, up to the brace.
    pub(super) fn quoted_operand(&mut self) -> Parsed<Word> {
        let parts = self.inside(Inside::Operand)?;
        Ok(match parts.is_empty() {
            true => Word::default(),
            false => Word { parts: vec![Part::Double(parts)] },
        })
    }

    fn inside(&mut self, inside: Inside) -> Parsed<Vec<Part>> {
        self.enter()?;
        let mut parts = Parts::default();
        loop {
            let Some(byte) = self.current() else {
                if inside == Inside::Heredoc {
                    break;
                }
                return Err(self.error("syntax error: a quote or brace has no end"));
            };
            match (byte, inside) {
                (b'"', Inside::Quotes | Inside::InnerQuotes) => {
                    self.at += 1;
                    break;
                }
                (b'}', Inside::Operand) => break,
                (b'"', Inside::Operand) => {
                    self.at += 1;
                    let quoted = self.inside(Inside::InnerQuotes)?;
                    parts.push(Part::Double(quoted));
                }
                (b'\\', _) => self.escaped_inside(&mut parts, inside)?,
                (b'$', _) => self.dollar(&mut parts, Quotes::Double)?,
                (b'`', _) => {
                    let quotes =
                        if inside == Inside::Heredoc { Quotes::None } else { Quotes::Double };
                    parts.push(self.backquoted(quotes)?);
                }
                _ => {
                    parts.text(byte);
                    self.advance();
                }
            }
        }
        self.leave();
        Ok(parts.finish())
    }

    /// A backslash that stays unless it stands before what has a meaning (POSIX XCU 2.2.3).
    fn escaped_inside(&mut self, parts: &mut Parts, inside: Inside) -> Parsed<()> {
        self.at += 1;
        let has_meaning = match self.raw() {
            Some(b'$' | b'`' | b'\\') => true,
            Some(b'"') => inside != Inside::Heredoc,
            Some(b'}') => inside == Inside::Operand,
            _ => false,
        };
        if !has_meaning && inside == Inside::InnerQuotes && self.dialect.is_bash() {
            return Err(self.error("a backslash in quotes in an expansion in quotes"));
        }
        match self.raw().filter(|_| has_meaning) {
            Some(byte) => {
                parts.text(byte);
                self.advance();
            }
            None => parts.text(b'\\'),
        }
        Ok(())
    }

    pub(super) fn dollar(&mut self, parts: &mut Parts, quotes: Quotes) -> Parsed<()> {
        self.at += 1;
        match self.current() {
            Some(b'{') => {
                self.at += 1;
                self.enter()?;
                parts.push(self.braced(quotes)?);
                self.leave();
            }
            Some(b'(') => {
                self.enter()?;
                parts.push(self.parenthesized()?);
                self.leave();
            }
            Some(b'\'') if quotes == Quotes::None && self.dialect != Dialect::Dash => {
                parts.push(Part::Quoted(self.ansi_quoted()?));
            }
            Some(b'"') if quotes == Quotes::None && self.dialect.is_bash() => {
                self.at += 1;
                parts.push(Part::Double(self.inside(Inside::Quotes)?));
            }
            Some(b'[') if self.dialect.is_bash() => {
                return Err(self.error("arithmetic in `$[…]`"));
            }
            _ => match self.unbraced() {
                Some(parameter) => parts.push(Part::Parameter(Box::new(parameter))),
                None => parts.text(b'$'),
            },
        }
        Ok(())
    }

    /// `$(…)` or `$((…))`, from the parenthesis on.
    fn parenthesized(&mut self) -> Parsed<Part> {
        self.at += 1;
        let place = self.place();
        if self.take(b"(") {
            if let Some(word) = self.arithmetic_text()? {
                return Ok(Part::Arithmetic(word));
            }
            if self.dialect == Dialect::Dash {
                return Err(self.error("syntax error: `))` is missing"));
            }
            self.go_back(place);
        }
        Ok(Part::Command(Rc::new(self.substitution()?)))
    }

    /// The commands up to the `)`.
    fn substitution(&mut self) -> Parsed<List> {
        let outer = std::mem::take(&mut self.heredocs);
        let may_assign = std::mem::replace(&mut self.may_assign, true);
        let list = self.list()?;
        self.expect_operator(")")?;
        self.may_assign = may_assign;
        if !self.heredocs.is_empty() {
            return Err(
                self.error("a here-document that begins in an expansion and ends behind it")
            );
        }
        self.heredocs = outer;
        Ok(list)
    }

    /// An arithmetic expression up to `))`, behind which reading goes on; nothing if it is none.
    pub(super) fn arithmetic_text(&mut self) -> Parsed<Option<Word>> {
        let mut parts = Parts::default();
        let mut nesting = 0usize;
        while let Some(byte) = self.current() {
            match byte {
                b'$' => self.dollar(&mut parts, Quotes::Double)?,
                b'`' => parts.push(self.backquoted(Quotes::Double)?),
                b')' if nesting == 0 => {
                    return match self.take(b"))") {
                        true => Ok(Some(Word { parts: vec![Part::Double(parts.finish())] })),
                        false => Ok(None),
                    };
                }
                b'"' if self.dialect.is_bash() => self.at += 1,
                // Errors, but ones of the expression, which bash takes it for.
                b'\'' | b'"' | b'\\' if !self.dialect.is_bash() => return Ok(None),
                _ => {
                    match byte {
                        b'(' => nesting += 1,
                        b')' => nesting -= 1,
                        _ => {}
                    }
                    parts.text(byte);
                    self.advance();
                }
            }
        }
        Ok(None)
    }

    /// Commands in backquotes (POSIX XCU 2.6.3).
    pub(super) fn backquoted(&mut self, quotes: Quotes) -> Parsed<Part> {
        self.enter()?;
        let line = self.line;
        self.at += 1;
        let mut text = BString::default();
        loop {
            let Some(byte) = self.raw() else {
                return Err(self.error("syntax error: a backquote has no end"));
            };
            self.advance();
            match byte {
                b'`' => break,
                b'\\' => {
                    let next = self.raw();
                    let is_escape = match next {
                        Some(b'$' | b'`' | b'\\') => true,
                        Some(b'"') => quotes == Quotes::Double,
                        _ => false,
                    };
                    match next.filter(|_| is_escape) {
                        Some(byte) => {
                            text.push(byte);
                            self.advance();
                        }
                        None => text.push(b'\\'),
                    }
                }
                _ => text.push(byte),
            }
        }
        let mut parser = self.nested(&text);
        parser.line = line;
        let list = parser.list()?;
        if !matches!(parser.peek()?, Token::End) {
            return parser.unexpected();
        }
        self.leave();
        Ok(Part::Command(Rc::new(list)))
    }

    /// `$'…'` (the GNU manual, "ANSI-C Quoting").
    fn ansi_quoted(&mut self) -> Parsed<BString> {
        self.at += 1;
        let start = self.at;
        loop {
            match self.raw() {
                None => return Err(self.error("syntax error: a single quote has no end")),
                Some(b'\'') => break,
                Some(b'\\') => {
                    self.advance();
                    self.advance();
                }
                Some(_) => self.advance(),
            }
        }
        let written = self.text.get(start..self.at).unwrap_or_default();
        self.at += 1;
        match crate::evaluate::expand::escapes::ansi(written) {
            Some(text) => Ok(text),
            None => Err(self.error("an escape in `$'…'`")),
        }
    }
}

/// Whether an expansion stands in double quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quotes {
    None,
    Double,
}
