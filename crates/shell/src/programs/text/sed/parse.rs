//! From text to a [`Script`].

mod substitution;

use std::rc::Rc;

use bstr::{BString, ByteSlice};

use super::Settings;
use super::replacement::{self, Replacement};
use super::script::{Action, Address, All, Applies, Command, Pattern, Range, Script, Substitution};
use crate::regular_expression::{Anchors, Case, Options as Meaning, Regex, RegexError};

/// Commands of one script.
const MOST_COMMANDS: usize = 100_000;

/// A piece of a script.
#[derive(Debug)]
pub(super) struct Source {
    origin: Origin,
    text: BString,
}

#[derive(Debug)]
enum Origin {
    /// The `-e` of this number.
    Expression(usize),
    /// A file.
    File(BString),
}

/// Why there is no script.
#[derive(Debug)]
pub(super) enum Failure {
    /// It is wrong.
    Wrong { place: BString, message: BString },
    /// A label is missing.
    NoLabel(BString),
    /// A pattern is not understood.
    Pattern(RegexError),
    /// Something else is not understood; a fragment that fits behind the command's name.
    NotUnderstood(&'static str),
}

impl Source {
    pub(super) fn expression(number: usize, text: BString) -> Self {
        Source { origin: Origin::Expression(number), text }
    }

    pub(super) fn file(name: BString, text: &[u8]) -> Self {
        let text = text.strip_suffix(b"\n").unwrap_or(text).into();
        Source { origin: Origin::File(name), text }
    }
}

struct Parser<'s> {
    sources: &'s [Source],
    settings: &'s Settings,
    /// All pieces, each in a line of its own.
    text: Vec<u8>,
    /// Where each piece begins.
    starts: Vec<usize>,
    at: usize,
    commands: Vec<Command>,
    /// Blocks that are open: their commands, and where they begin.
    blocks: Vec<(usize, usize)>,
    labels: Vec<(BString, usize)>,
    /// Commands that jump to a label.
    jumps: Vec<(usize, BString)>,
    outputs: &'s mut Vec<BString>,
}

type Parsed<T> = Result<T, Failure>;

/// Reads a script. The files that it writes to are known even if it turns out to be wrong.
pub(super) fn parse(
    sources: &[Source],
    settings: &Settings,
    outputs: &mut Vec<BString>,
) -> Parsed<Script> {
    let mut text = Vec::new();
    let mut starts = Vec::new();
    for source in sources {
        if !starts.is_empty() {
            text.push(b'\n');
        }
        starts.push(text.len());
        text.extend_from_slice(&source.text);
    }
    let is_quiet = text == b"#n" || text.starts_with(b"#n\n");
    let mut parser = Parser {
        sources,
        settings,
        text,
        starts,
        at: 0,
        commands: Vec::new(),
        blocks: Vec::new(),
        labels: Vec::new(),
        jumps: Vec::new(),
        outputs,
    };
    while parser.command()? {}
    if let Some((_, at)) = parser.blocks.first() {
        return Err(parser.wrong_at_start(*at, "unmatched `{'"));
    }
    parser.resolve()?;
    Ok(Script { commands: parser.commands, is_quiet })
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    /// The next character that is no blank.
    fn next_in_line(&mut self) -> Option<u8> {
        self.skip_blanks();
        self.next()
    }

    fn skip_blanks(&mut self) {
        while self.peek().is_some_and(|byte| byte != b'\n' && byte.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    /// An error at what was read last.
    fn wrong(&self, message: impl AsRef<[u8]>) -> Failure {
        let index = self.starts.iter().rposition(|start| *start < self.at.max(1)).unwrap_or(0);
        let (start, source) = (self.starts[index], &self.sources[index]);
        let read = &self.text[start..self.at];
        let place = match &source.origin {
            Origin::Expression(number) => {
                let length = read.len().min(source.text.len());
                format!("-e expression #{number}, char {length}").into()
            }
            Origin::File(name) => {
                let ended = read.strip_suffix(b"\n").unwrap_or(read);
                let line = ended.iter().filter(|byte| **byte == b'\n').count() + 1;
                [b"file ", name.as_bytes(), format!(" line {line}").as_bytes()].concat().into()
            }
        };
        Failure::Wrong { place, message: message.as_ref().into() }
    }

    /// An error of a whole piece of the script, the one that has what is at `at`.
    fn wrong_at_start(&self, at: usize, message: &str) -> Failure {
        let index = self.starts.iter().rposition(|start| *start < at).unwrap_or(0);
        match &self.sources[index].origin {
            Origin::File(_) => Failure::NotUnderstood("has a script file that is wrong as a whole"),
            Origin::Expression(number) => {
                let place = format!("-e expression #{number}, char 0");
                Failure::Wrong { place: place.into(), message: message.into() }
            }
        }
    }

    /// Reads a command; `false` at the end.
    fn command(&mut self) -> Parsed<bool> {
        while self.peek().is_some_and(|byte| byte == b';' || byte.is_ascii_whitespace()) {
            self.at += 1;
        }
        let Some(mut next) = self.next() else { return Ok(false) };
        if self.commands.len() >= MOST_COMMANDS {
            return Err(Failure::NotUnderstood("has too many commands"));
        }
        let (first, mut second) = (self.address(next)?, None);
        if first.is_some() {
            next = self.after_address()?;
            if next == b',' {
                let start = self.next_in_line().ok_or_else(|| self.wrong("unexpected `,'"))?;
                second = self.address(start)?;
                if second.is_none() {
                    return Err(self.wrong("unexpected `,'"));
                }
                next = self.after_address()?;
            }
        }
        if matches!(first, Some(Address::More(_) | Address::Multiple(_))) {
            return Err(self.wrong("invalid usage of +N or ~N as first address"));
        }
        if let Some(Address::Line(0)) = first
            && !matches!(second, Some(Address::Match(_)))
        {
            return Err(self.wrong("invalid usage of line address 0"));
        }
        let mut applies = Applies::Addressed;
        if next == b'!' {
            applies = Applies::Others;
            next = self.next_in_line().ok_or_else(|| self.wrong("missing command"))?;
            if next == b'!' {
                return Err(self.wrong("multiple `!'s"));
            }
        }
        let range = match first {
            Some(Address::Line(0)) => Range::Within(None),
            _ => Range::Before,
        };
        let addresses = usize::from(first.is_some()) + usize::from(second.is_some());
        let index = self.commands.len();
        self.commands.push(Command { first, second, applies, range, action: Action::Nothing });
        let action = self.action(next, addresses)?;
        self.commands[index].action = action;
        Ok(true)
    }

    fn after_address(&mut self) -> Parsed<u8> {
        self.next_in_line().ok_or_else(|| self.wrong("missing command"))
    }

    /// The address that begins with `first`, if one does.
    fn address(&mut self, first: u8) -> Parsed<Option<Address>> {
        Ok(Some(match first {
            b'/' => Address::Match(self.pattern_address(b'/')?),
            b'\\' => {
                let delimiter = self.next().ok_or_else(|| self.wrong(NO_ADDRESS_END))?;
                Address::Match(self.pattern_address(delimiter)?)
            }
            b'$' => Address::Last,
            b'+' => Address::More(self.number()),
            b'~' => Address::Multiple(self.number()),
            b'0'..=b'9' => {
                self.at -= 1;
                let line = self.number();
                self.skip_blanks();
                if self.peek() == Some(b'~') {
                    self.at += 1;
                    match self.number() {
                        0 => Address::Line(line),
                        step => Address::Step(line, step),
                    }
                } else {
                    Address::Line(line)
                }
            }
            _ => return Ok(None),
        }))
    }

    /// A number; 0 if there is none.
    fn number(&mut self) -> u64 {
        self.skip_blanks();
        let mut number = 0u64;
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            number = number.saturating_mul(10).saturating_add(u64::from(digit - b'0'));
            self.at += 1;
        }
        number
    }

    fn pattern_address(&mut self, delimiter: u8) -> Parsed<Pattern> {
        let Some(text) = self.delimited(delimiter, Part::Pattern) else {
            return Err(self.wrong(NO_ADDRESS_END));
        };
        let mut meaning = self.meaning();
        loop {
            self.skip_blanks();
            match self.peek() {
                Some(b'I') => meaning.case = Case::Folded,
                Some(b'M') => meaning.anchors = Anchors::Lines,
                _ => break,
            }
            self.at += 1;
        }
        self.pattern(&text, meaning)
    }

    fn meaning(&self) -> Meaning {
        Meaning { encoding: self.settings.encoding, ..Meaning::default() }
    }

    fn pattern(&self, text: &[u8], meaning: Meaning) -> Parsed<Pattern> {
        if text.is_empty() {
            return match meaning == self.meaning() {
                true => Ok(Pattern::Last),
                false => Err(self.wrong("cannot specify modifiers on empty regexp")),
            };
        }
        let text = replacement::pattern(text)?;
        match Regex::new(&text, self.settings.dialect, meaning) {
            Ok(regex) => Ok(Pattern::Own(Rc::new(regex))),
            Err(RegexError::Invalid(message)) => Err(self.wrong(message)),
            Err(error) => Err(Failure::Pattern(error)),
        }
    }

    /// What stands in front of the next delimiter, which is read; `None` if there is none.
    fn delimited(&mut self, delimiter: u8, part: Part) -> Option<Vec<u8>> {
        let mut text = Vec::new();
        loop {
            let byte = self.next()?;
            if byte == delimiter {
                return Some(text);
            }
            if byte == b'\\' && self.starts.contains(&(self.at + 1)) {
                // Only `a`, `i` and `c` go on in the next piece of the script.
                return None;
            }
            match byte {
                b'\n' => {
                    self.at -= 1;
                    return None;
                }
                b'\\' => match self.next()? {
                    b'n' if part == Part::Pattern => text.push(b'\n'),
                    b'\n' => text.push(b'\n'),
                    escaped if escaped == delimiter => {
                        if part == Part::Replacement && escaped == b'&' {
                            text.push(b'\\');
                        }
                        text.push(escaped);
                    }
                    escaped => text.extend_from_slice(&[b'\\', escaped]),
                },
                b'[' if part == Part::Pattern => {
                    text.push(b'[');
                    self.bracket(delimiter, &mut text)?;
                }
                _ => text.push(byte),
            }
        }
    }

    /// A bracket expression, in which delimiters are characters like others.
    fn bracket(&mut self, delimiter: u8, text: &mut Vec<u8>) -> Option<()> {
        if self.peek() == Some(b'^') {
            self.at += 1;
            text.push(b'^');
        }
        if self.peek() == Some(b']') {
            self.at += 1;
            text.push(b']');
        }
        loop {
            let byte = self.next()?;
            match (byte, self.peek()) {
                (b'\n', _) => {
                    self.at -= 1;
                    return None;
                }
                (b']', _) => {
                    text.push(byte);
                    return Some(());
                }
                (b'[', Some(kind @ (b':' | b'.' | b'='))) => {
                    let rest = &self.text[self.at + 1..];
                    let length = rest.windows(2).position(|pair| pair == [kind, b']'])?;
                    text.push(b'[');
                    text.extend_from_slice(&self.text[self.at..self.at + length + 3]);
                    self.at += length + 3;
                }
                (b'\\', Some(b'n')) => {
                    self.at += 1;
                    text.push(b'\n');
                }
                (b'\\', Some(next)) if next == delimiter => {
                    self.at += 1;
                    text.push(delimiter);
                }
                _ => text.push(byte),
            }
        }
    }

    fn action(&mut self, name: u8, addresses: usize) -> Parsed<Action> {
        let simple = match name {
            b'=' => Action::Number,
            b'd' => Action::Delete,
            b'D' => Action::DeleteFirst,
            b'F' => Action::Name,
            b'g' => Action::Get,
            b'G' => Action::GetMore,
            b'h' => Action::Hold,
            b'H' => Action::HoldMore,
            b'n' => Action::Next,
            b'N' => Action::NextMore,
            b'p' => Action::Print,
            b'P' => Action::PrintFirst,
            b'x' => Action::Exchange,
            b'z' => Action::Empty,
            _ => return self.other_action(name, addresses),
        };
        self.command_end()?;
        Ok(simple)
    }

    fn other_action(&mut self, name: u8, addresses: usize) -> Parsed<Action> {
        match name {
            b'#' if addresses > 0 => Err(self.wrong("comments don't accept any addresses")),
            b'#' => {
                while self.next().is_some_and(|byte| byte != b'\n') {}
                Ok(Action::Nothing)
            }
            b'{' => {
                self.blocks.push((self.commands.len() - 1, self.at));
                Ok(Action::Block(0))
            }
            b'}' => self.block_end(addresses),
            b':' => self.label(addresses),
            b'a' | b'i' | b'c' => self.text_action(name),
            b'b' | b't' | b'T' => {
                let label = self.word();
                let index = self.commands.len() - 1;
                self.jumps.push((index, label));
                Ok(match name {
                    b'b' => Action::Branch(0),
                    b't' => Action::BranchIfSubstituted(0),
                    _ => Action::BranchUnlessSubstituted(0),
                })
            }
            b'q' | b'Q' => {
                if addresses > 1 {
                    return Err(self.wrong("command only uses one address"));
                }
                let status = u8::try_from(self.number() & 0xff).unwrap_or(0);
                self.command_end()?;
                let is_silent = name == b'Q';
                Ok(if is_silent { Action::QuitSilently(status) } else { Action::Quit(status) })
            }
            b'l' => {
                self.skip_blanks();
                let has_length = self.peek().is_some_and(|byte| byte.is_ascii_digit());
                let length = has_length.then(|| self.number());
                self.command_end()?;
                match length.map(usize::try_from) {
                    None => Ok(Action::Show(None)),
                    Some(Ok(length)) if length != 1 => Ok(Action::Show(Some(length))),
                    Some(_) => Err(Failure::NotUnderstood("breaks lines at no length")),
                }
            }
            b'r' => Ok(Action::Read(self.file_name()?)),
            b'R' => Ok(Action::ReadLine(self.file_name()?)),
            b'w' => Ok(Action::Write(self.output()?)),
            b'W' => Ok(Action::WriteFirst(self.output()?)),
            b's' => self.substitution(),
            b'y' => self.map(),
            b'v' => match self.word().as_bytes() {
                b"" | b"4.2" | b"4.8" | b"4.9" => Ok(Action::Nothing),
                _ => Err(Failure::NotUnderstood("asks for a version")),
            },
            b'e' => Err(Failure::NotUnderstood("executes what it reads")),
            _ => {
                let message = [b"unknown command: `", &[name][..], b"'"].concat();
                Err(self.wrong(message))
            }
        }
    }

    fn block_end(&mut self, addresses: usize) -> Parsed<Action> {
        let Some((open, _)) = self.blocks.pop() else {
            return Err(self.wrong("unexpected `}'"));
        };
        if addresses > 0 {
            return Err(Failure::NotUnderstood("has a `}` with an address"));
        }
        self.command_end()?;
        self.commands[open].action = Action::Block(self.commands.len());
        Ok(Action::Nothing)
    }

    fn label(&mut self, addresses: usize) -> Parsed<Action> {
        if addresses > 0 {
            return Err(self.wrong(": doesn't want any addresses"));
        }
        let label = self.word();
        if label.is_empty() {
            return Err(self.wrong("\":\" lacks a label"));
        }
        if self.labels.iter().any(|(known, _)| *known == label) {
            return Err(Failure::NotUnderstood("has a label twice"));
        }
        self.labels.push((label, self.commands.len() - 1));
        Ok(Action::Nothing)
    }

    /// What is behind a command has to be another one's beginning.
    fn command_end(&mut self) -> Parsed<()> {
        match self.next_in_line() {
            None | Some(b'\n' | b';') => Ok(()),
            Some(b'}' | b'#') => {
                self.at -= 1;
                Ok(())
            }
            Some(_) => Err(self.wrong("extra characters after command")),
        }
    }

    /// A label.
    fn word(&mut self) -> BString {
        self.skip_blanks();
        let start = self.at;
        let ends = |byte: u8| byte == b';' || byte == b'}' || byte.is_ascii_whitespace();
        while self.peek().is_some_and(|byte| !ends(byte)) {
            self.at += 1;
        }
        self.text[start..self.at].into()
    }

    fn file_name(&mut self) -> Parsed<BString> {
        self.skip_blanks();
        let start = self.at;
        while self.peek().is_some_and(|byte| byte != b'\n') {
            self.at += 1;
        }
        match &self.text[start..self.at] {
            b"" => Err(self.wrong("missing filename in r/R/w/W commands")),
            name => Ok(name.into()),
        }
    }

    fn output(&mut self) -> Parsed<usize> {
        let name = self.file_name()?;
        if let Some(known) = self.outputs.iter().position(|known| *known == name) {
            return Ok(known);
        }
        self.outputs.push(name);
        Ok(self.outputs.len() - 1)
    }

    /// The text of `a`, `i` and `c`: behind a `\` and the line's end, or in the same line.
    fn text_action(&mut self, name: u8) -> Parsed<Action> {
        self.skip_blanks();
        if self.peek().is_none() {
            return Err(self.wrong("expected \\ after `a', `c' or `i'"));
        }
        let mut is_blank_kept = false;
        if self.peek() == Some(b'\\') {
            self.at += 1;
            let start = self.at;
            self.skip_blanks();
            if self.peek() == Some(b'\n') {
                self.at += 1;
            } else if self.peek().is_some() {
                self.at = start;
                is_blank_kept = self.text[start].is_ascii_whitespace();
            } else {
                return Ok(text_action(name, BString::default()));
            }
        }
        let start = self.at;
        let mut has_more = false;
        while let Some(byte) = self.next() {
            match byte {
                b'\\' => has_more |= self.next() == Some(b'\n'),
                b'\n' => break,
                _ => {}
            }
        }
        if is_blank_kept && has_more {
            return Err(Failure::NotUnderstood(
                "has a text with blanks in front and several lines",
            ));
        }
        let raw = &self.text[start..self.at];
        let is_ended = raw.ends_with(b"\n") && self.text.get(self.at - 2) != Some(&b'\\');
        let raw = if is_ended { &raw[..raw.len() - 1] } else { raw };
        let mut text = replacement::plain(raw)?;
        text.push(b'\n');
        Ok(text_action(name, text))
    }

    /// Lets jumps lead to their labels.
    fn resolve(&mut self) -> Parsed<()> {
        let end = self.commands.len();
        for (index, label) in std::mem::take(&mut self.jumps) {
            let place = match self.labels.iter().find(|(known, _)| *known == label) {
                Some((_, place)) => *place,
                None if label.is_empty() => end,
                None => return Err(Failure::NoLabel(label)),
            };
            self.commands[index].action = match &self.commands[index].action {
                Action::BranchIfSubstituted(_) => Action::BranchIfSubstituted(place),
                Action::BranchUnlessSubstituted(_) => Action::BranchUnlessSubstituted(place),
                _ => Action::Branch(place),
            };
        }
        Ok(())
    }
}

const NO_ADDRESS_END: &str = "unterminated address regex";

/// What stands between delimiters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Pattern,
    Replacement,
    Characters,
}

fn text_action(name: u8, text: BString) -> Action {
    match name {
        b'a' => Action::Append(text),
        b'i' => Action::Insert(text),
        _ => Action::Change(text),
    }
}
