//! From text to a [`Script`].

mod addresses;

use bstr::{BString, ByteSlice};

use super::Settings;
use super::replacement::{self, Replacement};
use super::script::{Action, Address, All, Applies, Command, Pattern, Range, Script, Substitution};
use crate::regular_expression::{Anchors, Case, Options as Meaning, RegexError};

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

    fn substitution(&mut self) -> Parsed<Action> {
        let unterminated = "unterminated `s' command";
        let delimiter = match self.next() {
            Some(b'\n' | b'\\') | None => return Err(self.wrong(unterminated)),
            Some(delimiter) => delimiter,
        };
        let text = self.delimited(delimiter, Part::Pattern);
        let Some(text) = text else { return Err(self.wrong(unterminated)) };
        let replacement = self.delimited(delimiter, Part::Replacement);
        let Some(replacement) = replacement else { return Err(self.wrong(unterminated)) };
        let replacement = Replacement::parse(&replacement)?;
        let (meaning, mut substitution) = self.flags(replacement)?;
        substitution.pattern = self.pattern(&text, meaning)?;
        let highest = substitution.replacement.highest_group();
        if let Pattern::Own(regex) = &substitution.pattern
            && highest > regex.groups()
        {
            let message = format!("invalid reference \\{highest} on `s' command's RHS");
            return Err(self.wrong(message));
        }
        Ok(Action::Substitute(substitution))
    }

    fn flags(&mut self, replacement: Replacement) -> Parsed<(Meaning, Substitution)> {
        let mut meaning = self.meaning();
        let (mut all, mut prints, mut from) = (All::One, false, None);
        let mut output = None;
        loop {
            match self.next_in_line() {
                Some(b'i' | b'I') => meaning.case = Case::Folded,
                Some(b'm' | b'M') => meaning.anchors = Anchors::Lines,
                Some(b'g') if all == All::Following => {
                    return Err(self.wrong("multiple `g' options to `s' command"));
                }
                Some(b'g') => all = All::Following,
                Some(b'p') if prints => {
                    return Err(self.wrong("multiple `p' options to `s' command"));
                }
                Some(b'p') => prints = true,
                Some(b'0'..=b'9') => {
                    if from.is_some() {
                        return Err(self.wrong("multiple number options to `s' command"));
                    }
                    self.at -= 1;
                    from = Some(self.number());
                    if from == Some(0) {
                        return Err(self.wrong("number option to `s' command may not be zero"));
                    }
                }
                Some(b'w') => {
                    output = Some(self.output()?);
                    break;
                }
                Some(b'e') => return Err(Failure::NotUnderstood("executes what it reads")),
                Some(b'}' | b'#') => {
                    self.at -= 1;
                    break;
                }
                None | Some(b'\n' | b';') => break,
                Some(_) => return Err(self.wrong("unknown option to `s'")),
            }
        }
        let from = from.unwrap_or(1);
        let pattern = Pattern::Last;
        Ok((meaning, Substitution { pattern, replacement, from, all, prints, output }))
    }

    fn map(&mut self) -> Parsed<Action> {
        let unterminated = "unterminated `y' command";
        let delimiter = match self.next() {
            Some(b'\n' | b'\\') | None => return Err(self.wrong(unterminated)),
            Some(delimiter) => delimiter,
        };
        let mut sides = Vec::new();
        for _ in 0..2 {
            let text = self.delimited(delimiter, Part::Characters);
            let Some(text) = text else { return Err(self.wrong(unterminated)) };
            sides.push(self.characters(&text)?);
        }
        if sides[0].len() != sides[1].len() {
            return Err(self.wrong("strings for `y' command are different lengths"));
        }
        self.command_end()?;
        let to = sides.pop().unwrap_or_default();
        let from = sides.pop().unwrap_or_default();
        Ok(Action::Map(from.into_iter().zip(to).collect()))
    }

    /// The characters of one side of `y`.
    fn characters(&self, text: &[u8]) -> Parsed<Vec<BString>> {
        let mut all = Vec::new();
        let mut rest = text;
        while let Some(first) = rest.first() {
            if *first != b'\\' {
                let character = self.settings.encoding.first(rest);
                all.push(character.into());
                rest = &rest[character.len()..];
                continue;
            }
            let behind = &rest[1..];
            let (byte, length) = match behind.first() {
                Some(b'\\') => (b'\\', 1),
                Some(b'n') => (b'\n', 1),
                _ => replacement::produced(behind)?
                    .ok_or(Failure::NotUnderstood("has an unknown escape in `y`"))?,
            };
            all.push([byte][..].into());
            rest = &behind[length..];
        }
        Ok(all)
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
