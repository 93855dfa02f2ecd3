//! Simple commands as they are written, for whoever looks at a script and does not run it.
//!
//! They are noted while the script is read, so that those in branches, loops, functions and
//! substitutions are among them.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::Range;
use std::rc::Rc;

use bstr::{BStr, BString, ByteSlice};

use super::scan::{Parsed, Parser, SyntaxError};
use super::words::{Parts, Quotes};
use crate::evaluate::dialect::Dialect;
use crate::stop::{Reason, Refusal};

/// A simple command (POSIX XCU 2.9.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenCommand {
    /// As a script of its own, with assignments, redirections and here-documents.
    pub text: BString,
    /// Its words. None if it only assigns.
    pub words: Vec<WrittenWord>,
}

/// A word of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenWord {
    /// As it is written.
    pub written: BString,
    /// With quotes taken off. What is to be expanded stays as it is written.
    pub bare: BString,
}

/// The simple commands of a script in the order in which they stand there, one that holds others
/// in front of them. Calls of functions that the script itself defines are left out: what they do
/// is in the list. A `for` loop begins with an assignment of its first word, and `: &` says that
/// the commands behind it run in the background.
///
/// # Errors
/// What is no script, or none that is understood.
pub fn simple_commands(text: &[u8], dialect: Dialect) -> Result<Vec<WrittenCommand>, Refusal> {
    let notes = Notes::default();
    let mut parser = Parser::new(text, 1, dialect);
    parser.has_extended_patterns = dialect.is_bash() && text.contains_str("extglob");
    parser.notes = Some(notes.clone());
    while parser.complete_command().map_err(refusal)?.is_some() {}
    let Noted { commands, functions, .. } = notes.0.take();
    let mut commands: Vec<WrittenCommand> = commands.into_iter().map(|(_, own)| own).collect();
    commands.retain(|own| own.words.first().is_none_or(|name| !functions.contains(&name.bare)));
    Ok(commands)
}

fn refusal(error: SyntaxError) -> Refusal {
    let SyntaxError { cause, line, is_limit } = error;
    let cause = match is_limit {
        true => format!("{cause}, of which {} are the most", Parser::deepest()),
        false => cause,
    };
    Refusal {
        command: "the script".to_owned(),
        reason: Reason::Language(cause),
        line: Some(line),
        within: None,
    }
}

/// What is noted; parsers of texts inside of a text share it.
#[derive(Debug, Clone, Default)]
pub(super) struct Notes(Rc<RefCell<Noted>>);

#[derive(Debug, Default)]
struct Noted {
    /// With the number that here-documents know them by.
    commands: Vec<(usize, WrittenCommand)>,
    functions: BTreeSet<BString>,
    /// Here-documents of commands whose end is still to come.
    documents: Vec<(usize, BString)>,
    last: usize,
}

/// A simple command while it is read.
pub(super) struct Note {
    number: usize,
    /// The one that it is inside of.
    outer: Option<usize>,
    /// Where it comes in the list.
    index: usize,
    span: Range<usize>,
    words: Vec<Range<usize>>,
}

impl Notes {
    pub(super) fn len(&self) -> usize {
        self.0.borrow().commands.len()
    }

    pub(super) fn truncate(&self, length: usize) {
        self.0.borrow_mut().commands.truncate(length);
    }

    fn number(&self) -> usize {
        let mut noted = self.0.borrow_mut();
        noted.last += 1;
        noted.last
    }

    fn insert(&self, index: usize, number: usize, mut command: WrittenCommand) {
        let mut noted = self.0.borrow_mut();
        for (of, document) in &noted.documents {
            if *of == number {
                command.add_document(document.as_ref());
            }
        }
        noted.documents.retain(|(of, _)| *of != number);
        let index = index.min(noted.commands.len());
        noted.commands.insert(index, (number, command));
    }

    /// Adds the text of a here-document, with its last line, to its command.
    pub(super) fn add_document(&self, number: usize, document: &[u8]) {
        let mut noted = self.0.borrow_mut();
        match noted.commands.iter_mut().rev().find(|(of, _)| *of == number) {
            Some((_, command)) => command.add_document(document.as_bstr()),
            None => noted.documents.push((number, document.into())),
        }
    }
}

impl WrittenCommand {
    fn add_document(&mut self, document: &BStr) {
        if !self.text.ends_with(b"\n") {
            self.text.push(b'\n');
        }
        self.text.extend_from_slice(document);
        if !self.text.ends_with(b"\n") {
            self.text.push(b'\n');
        }
    }
}

impl Note {
    /// The command goes on with this token.
    pub(super) fn reach(&mut self, token: &Range<usize>) {
        self.span.end = token.end;
    }

    pub(super) fn add_word(&mut self, token: Range<usize>) {
        self.words.push(token);
    }
}

impl Parser<'_> {
    /// A simple command begins with the next token.
    pub(super) fn begin_note(&mut self) -> Parsed<Option<Note>> {
        self.peek()?;
        let Some(notes) = &self.notes else { return Ok(None) };
        let number = notes.number();
        let outer = self.noting.replace(number);
        let span = self.token.start..self.token.start;
        Ok(Some(Note { number, outer, index: self.noted, span, words: Vec::new() }))
    }

    /// It is no simple command.
    pub(super) fn drop_note(&mut self, note: Option<Note>) {
        self.noting = note.and_then(|note| note.outer);
    }

    /// It has ended.
    pub(super) fn end_note(&mut self, note: Option<Note>) -> Parsed<()> {
        let (Some(note), Some(notes)) = (note, self.notes.clone()) else { return Ok(()) };
        self.noting = note.outer;
        let text = self.text.get(note.span).unwrap_or_default().into();
        let mut words = Vec::new();
        for span in note.words {
            let written = BString::from(self.text.get(span).unwrap_or_default());
            let bare = self.bare(&written)?;
            words.push(WrittenWord { written, bare });
        }
        notes.insert(note.index, note.number, WrittenCommand { text, words });
        Ok(())
    }

    /// The list that begins behind so many commands runs in the background.
    pub(super) fn note_background(&self, index: usize) {
        self.note_text(index, ": &".into());
    }

    /// So the commands of a loop can be looked at with its first word.
    pub(super) fn note_loop(&self, name: &BString, first: &BString) {
        let text = [name.as_bytes(), b"=", first].concat();
        self.note_text(usize::MAX, text.into());
    }

    fn note_text(&self, index: usize, text: BString) {
        if let Some(notes) = &self.notes {
            notes.insert(index, notes.number(), WrittenCommand { text, words: Vec::new() });
        }
    }

    pub(super) fn note_function(&self, name: &BString) {
        if let Some(notes) = &self.notes {
            notes.0.borrow_mut().functions.insert(name.clone());
        }
    }

    /// A word without its quotes (POSIX XCU 2.6.7).
    fn bare(&self, written: &[u8]) -> Parsed<BString> {
        let mut parser = self.nested(written);
        parser.notes = None;
        let mut bare = BString::default();
        let mut quotes = Quotes::None;
        while let Some(byte) = parser.current() {
            let start = parser.at;
            match (byte, quotes) {
                (b'\'', Quotes::None) => bare.extend_from_slice(&parser.single_quoted()?),
                (b'"', _) => {
                    parser.at += 1;
                    quotes = quotes.other();
                }
                (b'\\', _) => {
                    parser.at += 1;
                    let next = parser.raw();
                    let stays = quotes == Quotes::Double
                        && next.is_none_or(|next| !b"$`\"\\".contains(&next));
                    bare.extend(stays.then_some(b'\\').into_iter().chain(next));
                    parser.advance();
                }
                (b'$', _) => {
                    parser.dollar(&mut Parts::default(), quotes)?;
                    bare.extend_from_slice(&written[start..parser.at]);
                }
                (b'`', _) => {
                    parser.backquoted(quotes)?;
                    bare.extend_from_slice(&written[start..parser.at]);
                }
                _ => {
                    bare.push(byte);
                    parser.advance();
                }
            }
        }
        Ok(bare)
    }
}

impl Quotes {
    fn other(self) -> Self {
        match self {
            Quotes::None => Quotes::Double,
            Quotes::Double => Quotes::None,
        }
    }
}
