//! Records and fields (POSIX XCU awk, "Regular Expressions" and "Input Files").

use std::sync::Arc;

use bstr::{BString, ByteSlice};

use super::TROUBLE;
use super::interpret::{Awk, Halt, special};
use super::value::Value;
use crate::process::errno;

/// What is read from.
#[derive(Debug)]
pub(super) struct Reader {
    bytes: Arc<[u8]>,
    at: usize,
}

/// The operands, as far as they are read.
#[derive(Debug, Default)]
pub(super) struct Main {
    reader: Option<Reader>,
    /// The next one of `ARGV`.
    next: usize,
    has_read: bool,
}

/// The record, and its fields once somebody asked for them.
#[derive(Debug, Default)]
pub(super) struct Record {
    pub(super) text: BString,
    pub(super) fields: Vec<Value>,
    pub(super) is_split: bool,
}

impl Reader {
    pub(super) fn new(bytes: Arc<[u8]>) -> Self {
        Reader { bytes, at: 0 }
    }
}

impl Awk<'_, '_, '_, '_> {
    /// The next record of the operands, or of the standard input.
    pub(super) fn next_record(&mut self) -> Result<Option<BString>, Halt> {
        loop {
            if let Some(mut reader) = self.main.reader.take() {
                let record = self.record(&mut reader)?;
                if record.is_some() {
                    self.main.reader = Some(reader);
                    self.count(special::NR)?;
                    self.count(special::FNR)?;
                    return Ok(record);
                }
            }
            if !self.next_file()? {
                return Ok(None);
            }
        }
    }

    fn count(&mut self, variable: usize) -> Result<(), Halt> {
        let number = self.number_of(variable)?;
        self.set_special(variable, Value::Number(number + 1.0));
        Ok(())
    }

    /// Leaves the rest of the file.
    pub(super) fn skip_file(&mut self) {
        self.main.reader = None;
    }

    /// Opens the next operand that is a file; assignments are made as they come.
    fn next_file(&mut self) -> Result<bool, Halt> {
        loop {
            self.main.next += 1;
            let count = self.number_of(special::ARGC)?;
            if self.main.next as f64 >= count {
                if self.main.has_read {
                    return Ok(false);
                }
                self.main.has_read = true;
                let data = self.process.read_input()?;
                let bytes = self.process.bytes(&data)?;
                self.begin(bytes);
                return Ok(true);
            }
            let name = self.argument(self.main.next)?;
            if name.is_empty() || self.assign_argument(&name)? {
                continue;
            }
            self.main.has_read = true;
            let path = if name == "-" { b"/dev/stdin" } else { &name[..] };
            match errno(self.process.open_bytes(path))? {
                Ok(bytes) => {
                    self.set_special(special::FILENAME, Value::input(name));
                    self.begin(bytes);
                    return Ok(true);
                }
                Err(crate::files::Errno::NotFound) => {
                    let message = format!("mawk: cannot open {name} (No such file or directory)\n");
                    self.process.write_to(2, message.as_bytes())?;
                    return Err(Halt::Status(TROUBLE));
                }
                Err(_) => return Err(self.refused("reads a file that it cannot read").into()),
            }
        }
    }

    fn begin(&mut self, bytes: Arc<[u8]>) {
        self.set_special(special::FNR, Value::Number(0.0));
        self.main.reader = Some(Reader::new(bytes));
    }

    /// The next record of a file, by `RS`.
    pub(super) fn record(&mut self, reader: &mut Reader) -> Result<Option<BString>, Halt> {
        self.process.machine.budget.step()?;
        let separator = self.text_of(special::RS)?;
        let rest = reader.bytes.get(reader.at..).unwrap_or_default();
        if separator.is_empty() {
            return Ok(paragraph(reader));
        }
        if rest.is_empty() {
            return Ok(None);
        }
        let (length, end) = match separator.as_slice() {
            [byte] => match rest.find_byte(*byte) {
                Some(length) => (length, length + 1),
                None => (rest.len(), rest.len()),
            },
            _ => {
                let regex = self.regex(&separator)?;
                match regex.span_at(rest, 0).map_err(|error| error.refusal(self.process))? {
                    Some(span) if span.is_empty() => {
                        return Err(self.refused("separates records by nothing").into());
                    }
                    Some(span) => (span.start, span.end),
                    None => (rest.len(), rest.len()),
                }
            }
        };
        let record = rest[..length].into();
        reader.at += end;
        self.process.machine.budget.hold(length)?;
        Ok(Some(record))
    }

    /// Splits the record, if that was not done yet.
    pub(super) fn split_record(&mut self) -> Result<(), Halt> {
        if self.record.is_split {
            return Ok(());
        }
        let separator = self.text_of(special::FS)?;
        if separator != " " && self.text_of(special::RS)?.is_empty() {
            return Err(self.refused("has paragraphs with a field separator").into());
        }
        let text = std::mem::take(&mut self.record.text);
        let parts = self.split(&text, &Separator::of(&separator))?;
        self.record.fields = parts.into_iter().map(Value::input).collect();
        self.record.text = text;
        self.record.is_split = true;
        Ok(())
    }

    /// The parts of a text between separators.
    pub(super) fn split(
        &mut self,
        text: &[u8],
        separator: &Separator<'_>,
    ) -> Result<Vec<BString>, Halt> {
        if text.is_empty() {
            return Ok(Vec::new());
        }
        self.process.machine.budget.hold(text.len())?;
        let regex = match separator {
            Separator::Blanks => {
                let parts = text.split(|byte| matches!(byte, b' ' | b'\t' | b'\n'));
                return Ok(parts.filter(|part| !part.is_empty()).map(BString::from).collect());
            }
            Separator::Nothing => {
                return Ok(text.chunks(1).map(BString::from).collect());
            }
            Separator::Byte(separator) => {
                return Ok(text.split(|byte| byte == separator).map(BString::from).collect());
            }
            Separator::Expression(pattern) => self.regex(pattern)?,
            Separator::Regex(regex) => std::rc::Rc::clone(regex),
        };
        let mut parts = Vec::new();
        let mut at = 0;
        while let Some(span) =
            regex.span_at(text, at).map_err(|error| error.refusal(self.process))?
        {
            if span.is_empty() {
                return Err(self.refused("separates fields by nothing").into());
            }
            parts.push(text[at..span.start].into());
            at = span.end;
        }
        parts.push(text[at..].into());
        Ok(parts)
    }
}

/// What stands between fields.
#[derive(Debug)]
pub(super) enum Separator<'s> {
    /// Spaces, tabs and newlines, as many as there are.
    Blanks,
    /// Each byte is a field.
    Nothing,
    Byte(u8),
    Expression(&'s [u8]),
    Regex(std::rc::Rc<crate::regular_expression::Regex>),
}

impl<'s> Separator<'s> {
    pub(super) fn of(text: &'s [u8]) -> Self {
        match text {
            b" " => Separator::Blanks,
            b"" => Separator::Nothing,
            [byte] => Separator::Byte(*byte),
            _ => Separator::Expression(text),
        }
    }
}

/// The next lines up to an empty one.
fn paragraph(reader: &mut Reader) -> Option<BString> {
    let rest = reader.bytes.get(reader.at..)?;
    let start = rest.iter().position(|byte| *byte != b'\n')?;
    let body = &rest[start..];
    let (length, behind) = match body.find(b"\n\n") {
        Some(length) => (length, length + 2),
        None => (body.strip_suffix(b"\n").unwrap_or(body).len(), body.len()),
    };
    let record = body[..length].into();
    reader.at += start + behind;
    Some(record)
}
