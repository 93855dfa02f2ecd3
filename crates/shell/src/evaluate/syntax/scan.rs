//! Tokens: words and operators.

use std::cell::OnceCell;
use std::rc::Rc;

use bstr::{BString, ByteSlice};

use super::heredoc::Pending;
use super::notes::Notes;
use super::tree::{Assignment, Word};
use crate::evaluate::dialect::Dialect;

/// Commands and expansions inside of each other, as far as they are read. Each costs stack.
const DEEPEST: usize = 48;

/// Why a text is no script, or not one that is understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::evaluate) struct SyntaxError {
    /// As a fragment.
    pub cause: String,
    /// Where it was noticed.
    pub line: usize,
    /// Whether nesting is too deep.
    pub is_limit: bool,
}

pub(super) type Parsed<T> = Result<T, SyntaxError>;

/// A word or an operator.
#[derive(Debug, Clone)]
pub(super) enum Token {
    Word(Word),
    /// bash: with a subscript, or of an array.
    Assignment(Box<Assignment>),
    Operator(&'static str),
    /// The digits in front of a redirection.
    Descriptor(u32),
    Newline,
    End,
}

/// A place to come back to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    at: usize,
    line: usize,
    noted: usize,
}

/// Reads commands off a text.
pub(in crate::evaluate) struct Parser<'t> {
    pub(super) text: &'t [u8],
    pub(super) at: usize,
    pub(super) line: usize,
    pub(super) dialect: Dialect,
    /// Whether `@(a|b)` is a pattern.
    pub(in crate::evaluate) has_extended_patterns: bool,
    pub(super) depth: usize,
    pub(super) heredocs: Vec<Pending>,
    /// Where simple commands are noted, if anybody wants them.
    pub(super) notes: Option<Notes>,
    /// The simple command that is being read, among those.
    pub(super) noting: Option<usize>,
    /// How many were noted before the token that was read last.
    pub(super) noted: usize,
    peeked: Option<(Token, usize)>,
    last_line: usize,
    /// Where the token that was read last begins and ends.
    pub(super) token: std::ops::Range<usize>,
    /// Whether the last command ended with `;` or `&`.
    pub(super) follows_separator: bool,
    /// Whether a command may begin here, so that `a=(1 2)` is an assignment.
    pub(super) may_assign: bool,
}

/// Operators, the longest first.
const OPERATORS: [&str; 18] = [
    "<<-", "&&", "||", ";;", "<<", ">>", "<&", ">&", "<>", ">|", ";", "&", "|", "<", ">", "(", ")",
    "\n",
];
/// Those that bash adds.
const BASH_OPERATORS: [&str; 6] = ["&>>", ";;&", "<<<", "&>", ";&", "|&"];

impl<'t> Parser<'t> {
    pub(in crate::evaluate) fn new(text: &'t [u8], line: usize, dialect: Dialect) -> Self {
        Parser {
            text,
            at: 0,
            line,
            dialect,
            has_extended_patterns: false,
            depth: 0,
            heredocs: Vec::new(),
            notes: None,
            noting: None,
            noted: 0,
            peeked: None,
            last_line: line,
            token: 0..0,
            follows_separator: false,
            may_assign: true,
        }
    }

    /// The same for a text inside of this one.
    pub(super) fn nested<'n>(&self, text: &'n [u8]) -> Parser<'n> {
        let mut parser = Parser::new(text, self.line, self.dialect);
        parser.depth = self.depth;
        parser.has_extended_patterns = self.has_extended_patterns;
        parser.notes = self.notes.clone();
        parser
    }

    /// Where reading is.
    pub(super) fn place(&self) -> Place {
        let noted = self.notes.as_ref().map_or(0, Notes::len);
        Place { at: self.at, line: self.line, noted }
    }

    /// Goes back, to read in another way what follows.
    pub(super) fn go_back(&mut self, place: Place) {
        (self.at, self.line) = (place.at, place.line);
        if let Some(notes) = &self.notes {
            notes.truncate(place.noted);
        }
    }

    pub(super) fn error(&self, cause: impl Into<String>) -> SyntaxError {
        SyntaxError { cause: cause.into(), line: self.line, is_limit: false }
    }

    /// What is not expected where it stands.
    pub(super) fn unexpected<T>(&mut self) -> Parsed<T> {
        let token = self.peek()?;
        let shown = match token {
            Token::Word(word) => match word.literal() {
                Some(text) => format!("`{}`", text.as_bstr()),
                None => "a word".to_owned(),
            },
            Token::Assignment(assignment) => format!("`{}=`", assignment.name),
            Token::Operator(operator) => format!("`{operator}`"),
            Token::Descriptor(number) => format!("`{number}`"),
            Token::Newline => "the end of the line".to_owned(),
            Token::End => "the end of the text".to_owned(),
        };
        Err(self.error(format!("syntax error: {shown} is not expected here")))
    }

    /// One level deeper.
    pub(super) fn enter(&mut self) -> Parsed<()> {
        self.depth += 1;
        if self.depth <= DEEPEST {
            return Ok(());
        }
        let cause = "the nesting of commands and expansions".to_owned();
        Err(SyntaxError { cause, line: self.line, is_limit: true })
    }

    pub(super) fn leave(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    /// How far the text is read, once a complete command is.
    pub(in crate::evaluate) fn reached(&self) -> usize {
        self.at.min(self.text.len())
    }

    /// The line at which reading goes on.
    pub(in crate::evaluate) fn reached_line(&self) -> usize {
        self.line
    }

    pub(in crate::evaluate) const fn deepest() -> u64 {
        DEEPEST as u64
    }

    /// The next byte; escaped line ends are gone (POSIX XCU 2.2.1).
    pub(super) fn current(&mut self) -> Option<u8> {
        while self.text[self.at..].starts_with(b"\\\n") {
            self.at += 2;
            self.line += 1;
        }
        self.raw()
    }

    /// The next byte as it stands.
    pub(super) fn raw(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    /// Goes on behind the next byte.
    pub(super) fn advance(&mut self) {
        if self.raw() == Some(b'\n') {
            self.line += 1;
        }
        self.at += 1;
    }

    /// Whether this comes next; goes behind it then.
    pub(super) fn take(&mut self, expected: &[u8]) -> bool {
        self.current();
        let is_next = self.text[self.at..].starts_with(expected);
        if is_next {
            self.at += expected.len();
            self.line += expected.iter().filter(|byte| **byte == b'\n').count();
        }
        is_next
    }

    /// The next token, which stays.
    pub(super) fn peek(&mut self) -> Parsed<&Token> {
        if self.peeked.is_none() {
            self.skip_blanks();
            let start = self.place();
            let token = self.read_token()?;
            self.token = start.at..self.at;
            self.noted = start.noted;
            self.peeked = Some(token);
        }
        Ok(self.peeked.as_ref().map_or(&Token::End, |(token, _)| token))
    }

    /// The line at which the next token begins.
    pub(super) fn token_line(&mut self) -> Parsed<usize> {
        self.peek()?;
        Ok(self.peeked.as_ref().map_or(self.line, |(_, line)| *line))
    }

    /// The next token.
    pub(super) fn next(&mut self) -> Parsed<Token> {
        self.peek()?;
        let Some((token, line)) = self.peeked.take() else { return Ok(Token::End) };
        if !matches!(token, Token::End) {
            self.last_line = line;
        }
        Ok(token)
    }

    /// The line at which the last token begins.
    pub(in crate::evaluate) fn last_line(&self) -> usize {
        self.last_line
    }

    /// The next token as it is written, without escaped line ends.
    pub(super) fn written(&mut self) -> Parsed<BString> {
        self.peek()?;
        let text = self.text.get(self.token.clone()).unwrap_or_default();
        Ok(text.replace(b"\\\n", b"").into())
    }

    pub(super) fn peeks_operator(&mut self, expected: &str) -> Parsed<bool> {
        Ok(matches!(self.peek()?, Token::Operator(operator) if *operator == expected))
    }

    pub(super) fn takes_operator(&mut self, expected: &str) -> Parsed<bool> {
        let is_next = self.peeks_operator(expected)?;
        if is_next {
            self.next()?;
        }
        Ok(is_next)
    }

    pub(super) fn peeks_reserved(&mut self, expected: &str) -> Parsed<bool> {
        let token = self.peek()?;
        Ok(matches!(token, Token::Word(word) if word.literal() == Some(expected.as_bytes())))
    }

    pub(super) fn takes_reserved(&mut self, expected: &str) -> Parsed<bool> {
        let is_next = self.peeks_reserved(expected)?;
        if is_next {
            self.next()?;
        }
        Ok(is_next)
    }

    pub(super) fn expect_reserved(&mut self, expected: &str) -> Parsed<()> {
        match self.takes_reserved(expected)? {
            true => Ok(()),
            false => self.unexpected(),
        }
    }

    pub(super) fn expect_operator(&mut self, expected: &str) -> Parsed<()> {
        match self.takes_operator(expected)? {
            true => Ok(()),
            false => self.unexpected(),
        }
    }

    pub(super) fn skip_newlines(&mut self) -> Parsed<()> {
        while matches!(self.peek()?, Token::Newline) {
            self.peeked = None;
        }
        Ok(())
    }

    /// Behind blanks and comments.
    pub(super) fn skip_blanks(&mut self) {
        while let Some(byte) = self.current() {
            match byte {
                b' ' | b'\t' => self.at += 1,
                b'#' => {
                    let rest = &self.text[self.at..];
                    self.at += rest.find_byte(b'\n').unwrap_or(rest.len());
                }
                _ => return,
            }
        }
    }

    fn read_token(&mut self) -> Parsed<(Token, usize)> {
        let line = self.line;
        let Some(byte) = self.current() else { return self.end_of_text() };
        if let Some(operator) = self.operator(byte).filter(|_| !self.opens_process()) {
            self.at += operator.len();
            if operator == "\n" {
                self.line += 1;
                self.read_heredocs()?;
                return Ok((Token::Newline, line));
            }
            return Ok((Token::Operator(operator), line));
        }
        if byte.is_ascii_digit()
            && let Some(number) = self.descriptor()?
        {
            return Ok((Token::Descriptor(number), line));
        }
        if self.may_assign
            && self.dialect.is_bash()
            && let Some(assignment) = self.bash_assignment()?
        {
            return Ok((Token::Assignment(Box::new(assignment)), line));
        }
        let start = self.at;
        let word = self.word()?;
        let written = &self.text[start..self.at];
        let names_descriptor = written.starts_with(b"{") && written.ends_with(b"}");
        if self.dialect.is_bash()
            && names_descriptor
            && written.len() > 2
            && matches!(self.raw(), Some(b'<' | b'>'))
        {
            return Err(self.error("a variable that holds a descriptor"));
        }
        Ok((Token::Word(word), line))
    }

    fn end_of_text(&mut self) -> Parsed<(Token, usize)> {
        self.read_heredocs()?;
        Ok((Token::End, self.line))
    }

    fn operator(&self, byte: u8) -> Option<&'static str> {
        if !b"&|;<>()\n".contains(&byte) {
            return None;
        }
        let rest = &self.text[self.at..];
        let is_next = |operator: &&&str| rest.starts_with(operator.as_bytes());
        let added = BASH_OPERATORS.iter().find(is_next);
        let added = added.filter(|operator| match self.dialect {
            Dialect::Dash => false,
            Dialect::Ash => **operator == "&>",
            Dialect::Bash => true,
        });
        added.or_else(|| OPERATORS.iter().find(is_next)).copied()
    }

    /// Whether `<(` comes next, which bash reads as a part of a word.
    pub(super) fn opens_process(&self) -> bool {
        self.dialect.is_bash() && self.text[self.at..].starts_with(b"<(")
    }

    /// Digits in front of `<` or `>`.
    fn descriptor(&mut self) -> Parsed<Option<u32>> {
        let rest = &self.text[self.at..];
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if !matches!(rest.get(digits), Some(b'<' | b'>')) {
            return Ok(None);
        }
        let number = rest[..digits].to_str().ok().and_then(|digits| digits.parse::<u32>().ok());
        match number.filter(|number| *number < 1024) {
            Some(number) => {
                self.at += digits;
                Ok(Some(number))
            }
            None => Err(self.error("a descriptor of this number")),
        }
    }

    /// A body that is read once the line is over.
    pub(super) fn await_heredoc(&mut self, pending: Pending) -> Rc<OnceCell<Word>> {
        let body = Rc::clone(&pending.body);
        self.heredocs.push(pending);
        body
    }
}
