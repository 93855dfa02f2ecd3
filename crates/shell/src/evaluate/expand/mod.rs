//! Word expansions (POSIX XCU 2.6).
//!
//! A word becomes pieces of text, each of which knows whether it was quoted; pieces become fields,
//! fields become names of files.

mod arithmetic;
mod brace;
pub(super) mod escapes;
mod expression;
mod glob;
mod lookup;
mod operate;
mod parameter;
pub(super) mod pattern;
pub(super) use lookup::position;
pub(super) use split::words_of_line;
mod split;
mod tilde;

use std::rc::Rc;

use bstr::{BString, ByteSlice};

use super::dialect::Dialect;
use super::shell::{Eval, Evaluator};
use super::syntax::tree::{Argument, AssignedValue, List, Name, Parameter, Part, Subscript, Word};
use crate::data::Stream;
use crate::descriptor::{Output, input_stream, output, take_stream};
use pattern::{Letters, Marked, Pattern};

/// Descriptors that bash gives to what `<(…)` reads, the last one first.
const FIRST_OF_PROCESSES: u32 = 32;
const LAST_OF_PROCESSES: u32 = 63;

/// A piece of an expanded word.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(BString, Kind),
    /// Between the elements of `"$@"`.
    Break,
    /// No elements.
    Nothing,
}

/// What may still happen to a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// As it was written: it may be a pattern.
    Literal,
    /// Nothing more.
    Quoted,
    /// It may be split, and be a pattern.
    Expanded,
}

/// Where a part stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Context {
    quoting: Quoting,
    purpose: Purpose,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quoting {
    None,
    /// In the word of `${name-word}`, whose text may be split.
    Operand,
    Double,
}

/// What a word is expanded to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Fields,
    /// One text, as in an assignment.
    Single,
}

impl Evaluator<'_, '_> {
    /// Expands words to fields.
    pub(super) fn fields(&mut self, words: &[Word]) -> Eval<Vec<BString>> {
        let mut all = Vec::new();
        for word in words {
            self.word_fields(word, &mut all)?;
        }
        Ok(all)
    }

    fn word_fields(&mut self, word: &Word, all: &mut Vec<BString>) -> Eval<()> {
        match self.braces(word)? {
            Some(words) => words.iter().try_for_each(|word| self.unbraced_fields(word, all)),
            None => self.unbraced_fields(word, all),
        }
    }

    fn unbraced_fields(&mut self, word: &Word, all: &mut Vec<BString>) -> Eval<()> {
        self.machine.budget.step()?;
        if let [Part::Literal(text)] = &word.parts[..]
            && !text.iter().any(|byte| b"~*?[".contains(byte))
            && !self.shell.shopt.extglob
        {
            all.push(text.clone());
            return Ok(());
        }
        let context = Context { quoting: Quoting::None, purpose: Purpose::Fields };
        let mut pieces = Vec::new();
        self.expand_parts(&word.parts, context, &mut pieces)?;
        self.check_blanks(&pieces)?;
        for field in self.split(pieces) {
            self.pathnames(&field, all)?;
        }
        Ok(())
    }

    /// Expands the words of a simple command. What declares variables is assigned as it comes.
    pub(super) fn arguments(&mut self, words: &[Argument]) -> Eval<Vec<BString>> {
        let mut all = Vec::new();
        for argument in words {
            match argument {
                Argument::Word(word) => {
                    let declares = all.first().is_some_and(|first| self.declares(first));
                    match word.parts.first() {
                        Some(Part::Literal(text)) if declares && is_assignment(text) => {
                            let value = self.assigned(word)?;
                            all.push(value);
                        }
                        _ => self.word_fields(word, &mut all)?,
                    }
                }
                Argument::Assignment(assignment) => match &assignment.value {
                    // Filled once the builtin has made it.
                    AssignedValue::Array(_) => all.push(assignment.name.clone()),
                    AssignedValue::Scalar(_) => all.push(self.declared(assignment)?),
                },
            }
        }
        Ok(all)
    }

    /// Whether arguments that look like assignments are not split (POSIX XCU 2.9.1, "declaration
    /// utilities").
    fn declares(&self, name: &BString) -> bool {
        let is_declaring = matches!(&name[..], b"export" | b"readonly" | b"local");
        is_declaring && self.shell.dialect != Dialect::Bash
    }

    /// Expands to one text, which is not split.
    pub(super) fn single(&mut self, word: &Word) -> Eval<BString> {
        let context = Context { quoting: Quoting::None, purpose: Purpose::Single };
        let mut pieces = Vec::new();
        self.expand_parts(&word.parts, context, &mut pieces)?;
        let text = joined(pieces);
        self.machine.budget.hold(text.len())?;
        Ok(text)
    }

    /// The value of an assignment: a tilde may follow each colon (POSIX XCU 2.6.1).
    pub(super) fn assigned(&mut self, word: &Word) -> Eval<BString> {
        let has_tilde = |part: &Part| matches!(part, Part::Literal(text) if text.contains(&b'~'));
        match word.parts.iter().any(has_tilde) {
            true => {
                let word = self.with_tildes(word)?;
                self.single(&word)
            }
            false => self.single(word),
        }
    }

    /// Expands to a pattern.
    pub(super) fn pattern(&mut self, word: &Word) -> Eval<Pattern> {
        let syntax = self.pattern_syntax();
        self.pattern_with(word, syntax, Letters::Differ)
    }

    pub(super) fn pattern_with(
        &mut self,
        word: &Word,
        syntax: pattern::Syntax,
        letters: Letters,
    ) -> Eval<Pattern> {
        let text = self.marked(word)?;
        Ok(Pattern::new(&text, syntax, letters))
    }

    /// Expands to a text, each byte with whether it was quoted.
    pub(super) fn marked(&mut self, word: &Word) -> Eval<Vec<Marked>> {
        let context = Context { quoting: Quoting::None, purpose: Purpose::Single };
        let mut pieces = Vec::new();
        self.expand_parts(&word.parts, context, &mut pieces)?;
        let mut text = Vec::new();
        for piece in pieces {
            match piece {
                Piece::Text(piece, kind) => {
                    text.extend(kind.marked(&piece));
                }
                Piece::Break => text.push((b' ', true)),
                Piece::Nothing => {}
            }
        }
        self.machine.budget.hold(text.len() * size_of::<Marked>())?;
        Ok(text)
    }

    fn expand_parts(
        &mut self,
        parts: &[Part],
        context: Context,
        pieces: &mut Vec<Piece>,
    ) -> Eval<()> {
        let parts = match (parts.first(), context.quoting) {
            (Some(Part::Literal(text)), Quoting::None | Quoting::Operand)
                if text.starts_with(b"~") =>
            {
                let rest = self.tilde(text, &parts[1..], pieces)?;
                if !rest.is_empty() {
                    self.expand_part(&Part::Literal(rest), context, pieces)?;
                }
                &parts[1..]
            }
            _ => parts,
        };
        parts.iter().try_for_each(|part| self.expand_part(part, context, pieces))
    }

    fn expand_part(&mut self, part: &Part, context: Context, pieces: &mut Vec<Piece>) -> Eval<()> {
        match part {
            Part::Literal(text) => {
                let kind = match context.quoting {
                    Quoting::None => Kind::Literal,
                    Quoting::Operand => Kind::Expanded,
                    Quoting::Double => Kind::Quoted,
                };
                pieces.push(Piece::Text(text.clone(), kind));
            }
            Part::Quoted(text) => pieces.push(Piece::Text(text.clone(), Kind::Quoted)),
            Part::Double(parts) => self.expand_double(parts, context, pieces)?,
            Part::Parameter(parameter) => self.expand_parameter(parameter, context, pieces)?,
            Part::Command(list) => {
                let output = self.substitute(list)?;
                pieces.push(Piece::Text(output, context.expanded()));
            }
            Part::Process(list) => {
                let name = self.open_process(list)?;
                pieces.push(Piece::Text(name, Kind::Quoted));
            }
            Part::Arithmetic(word) => {
                let text = self.single(word)?;
                let value = self.arithmetic_expansion(&text)?;
                pieces.push(Piece::Text(value.to_string().into(), context.expanded()));
            }
        }
        Ok(())
    }

    /// Text in double quotes is a field, even if it is empty; only `"$@"` may be none.
    fn expand_double(
        &mut self,
        parts: &[Part],
        context: Context,
        pieces: &mut Vec<Piece>,
    ) -> Eval<()> {
        let start = pieces.len();
        let inner = Context { quoting: Quoting::Double, ..context };
        parts.iter().try_for_each(|part| self.expand_part(part, inner, pieces))?;
        let own = &pieces[start..];
        let has_text = own.iter().any(|piece| matches!(piece, Piece::Text(..)));
        let is_nothing = own.contains(&Piece::Nothing);
        if !has_text && !is_nothing {
            pieces.push(Piece::Text(BString::default(), Kind::Quoted));
        }
        Ok(())
    }

    /// Runs commands and takes what they write, without line ends at the end (POSIX XCU 2.6.3).
    fn substitute(&mut self, list: &Rc<List>) -> Eval<BString> {
        let (stream, status) = self.output_of(list)?;
        self.shell.substituted = Some(status);
        if self.shell.dialect.is_bash() {
            self.shell.status = status;
        }
        let data = stream.into_data(self.machine.outside, &mut self.machine.budget)?;
        let bytes = data.bytes(self.machine.outside, &mut self.machine.budget)?;
        self.machine.budget.hold(bytes.len())?;
        let mut text: Vec<u8> = bytes.iter().copied().filter(|byte| *byte != 0).collect();
        if text.len() != bytes.len() && self.shell.dialect.is_bash() {
            self.say("warning: command substitution: ignored null byte in input")?;
        }
        text.truncate(text.trim_end_with(|character| character == '\n').len());
        Ok(text.into())
    }

    /// Runs commands, and opens what they write; the name of the descriptor.
    fn open_process(&mut self, list: &List) -> Eval<BString> {
        let outer = self.shell.status;
        let (stream, _) = self.output_of(list)?;
        self.shell.status = outer;
        let is_free = |number: &u32| self.shell.descriptors.get(*number).is_none();
        let Some(number) = (FIRST_OF_PROCESSES..=LAST_OF_PROCESSES).rev().find(is_free) else {
            return self.refuse("<(", "so many substitutions at once");
        };
        self.shell.descriptors.set(number, input_stream(stream));
        self.shell.processes.push(number);
        Ok(format!("/dev/fd/{number}").into())
    }

    /// What commands write, which run in a shell of their own, and the exit status.
    pub(super) fn output_of(&mut self, list: &List) -> Eval<(Stream, u8)> {
        let handle = output(Output::Stream(Stream::default()));
        let outer = self.shell.clone();
        self.shell.descriptors.set(1, Rc::clone(&handle));
        self.shell.substitutions += 1;
        let inherits = self.shell.shopt.inherit_errexit || !self.shell.is_full_bash();
        if !inherits {
            self.shell.options.errexit = false;
        }
        if self.shell.dialect != Dialect::Bash {
            self.shell.tested = 0;
        }
        let status = self.in_subshell(|evaluator| {
            // It takes more of the stack than a function.
            evaluator.deeper(|evaluator| evaluator.run_list(list))
        });
        let line = outer.line;
        self.shell = outer;
        self.shell.line = line;
        Ok((take_stream(&handle), status?))
    }
}

impl Kind {
    /// A text's bytes, each with whether it is quoted.
    fn marked(self, text: &[u8]) -> impl Iterator<Item = Marked> {
        text.iter().map(move |byte| (*byte, self == Kind::Quoted))
    }
}

impl Context {
    /// What an expansion's result is here.
    fn expanded(self) -> Kind {
        match self.quoting {
            Quoting::Double => Kind::Quoted,
            Quoting::None | Quoting::Operand => Kind::Expanded,
        }
    }
}

/// All pieces as one text.
fn joined(pieces: Vec<Piece>) -> BString {
    let mut text = BString::default();
    for piece in pieces {
        match piece {
            Piece::Text(piece, _) => text.extend_from_slice(&piece),
            Piece::Break => text.push(b' '),
            Piece::Nothing => {}
        }
    }
    text
}

fn is_assignment(text: &[u8]) -> bool {
    let name = text.split_once_str("=").map(|(name, _)| name);
    name.is_some_and(super::dialect::is_name)
}

/// Whether a parameter stands for several values.
fn is_list(parameter: &Parameter) -> bool {
    matches!(parameter.name, Name::All | Name::Joined)
        || matches!(parameter.subscript, Some(Subscript::All | Subscript::Joined))
}
