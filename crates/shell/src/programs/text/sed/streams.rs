//! What `sed` reads and writes: lines of files one behind the other, and files edited in place.

use std::collections::VecDeque;
use std::sync::Arc;

use bstr::{BStr, BString, ByteSlice};
use oci::ImagePath;

use super::{BAD_INPUT, End, Settings, complain, panic};
use crate::data::Data;
use crate::descriptor::Handle;
use crate::files::{Errno, FileResult, Kind, Last, NewNode, Stat};
use crate::process::{Process, errno};
use crate::programs::text::sink::{self, Existing};
use crate::stop::{Reason, Stop};

/// How files are edited in place.
#[derive(Debug, Clone)]
pub(super) struct InPlace {
    /// What is put behind the name of what was there; nothing is kept without one.
    pub(super) suffix: Option<BString>,
    /// Whether what a link leads to is edited, and not the link replaced.
    pub(super) follows_links: bool,
}

/// A line, or several in the pattern space.
#[derive(Debug, Clone, Default)]
pub(super) struct Line {
    pub(super) text: Vec<u8>,
    pub(super) end: LineEnd,
}

/// Whether a line has its end; the last of a file may lack it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum LineEnd {
    #[default]
    There,
    Missing,
}

/// Which output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum To {
    /// The standard output, or the file that is edited.
    Main,
    /// One of the script's files.
    File(usize),
}

#[derive(Debug)]
struct Output {
    target: Target,
    /// Whether its last line lacks its end, which is written before anything else.
    is_open: bool,
}

#[derive(Debug)]
enum Target {
    Handle(Option<Handle>),
    Main,
}

/// A file that is read.
#[derive(Debug)]
struct Current {
    name: BString,
    bytes: Arc<[u8]>,
    at: usize,
    edited: Option<Edited>,
}

/// A file that is edited in place.
#[derive(Debug)]
struct Edited {
    path: ImagePath,
    stat: Stat,
    written: Vec<u8>,
}

/// All inputs and outputs.
pub(super) struct Streams<'p, 'm, 'o: 'm> {
    pub(super) process: &'p mut Process<'m, 'o>,
    pub(super) settings: Settings,
    files: VecDeque<BString>,
    current: Option<Current>,
    main: Output,
    outputs: Vec<Output>,
    pub(super) line_number: u64,
    /// Whether a file was begun since the last line: ranges begin anew then.
    pub(super) is_new_file: bool,
    pub(super) status: u8,
    /// Files that `R` reads, by name, with what is left of them.
    sources: Vec<(BString, Arc<[u8]>, usize)>,
}

impl<'p, 'm, 'o> Streams<'p, 'm, 'o> {
    /// Opens the files that the script writes to; `files` are the operands.
    pub(super) fn open(
        process: &'p mut Process<'m, 'o>,
        settings: Settings,
        files: Vec<BString>,
        outputs: &[BString],
    ) -> Result<Self, End> {
        let mut opened = Vec::new();
        for name in outputs {
            let handle = open_output(process, name.as_bstr())?;
            let target = match name.as_bytes() {
                b"/dev/stdout" if settings.in_place.is_none() => Target::Main,
                _ => Target::Handle(Some(handle)),
            };
            opened.push(Output { target, is_open: false });
        }
        let standard = process.descriptor(1);
        let mut files: VecDeque<BString> = files.into();
        if files.is_empty() {
            files.push_back("-".into());
        }
        Ok(Streams {
            process,
            settings,
            files,
            current: None,
            main: Output { target: Target::Handle(standard), is_open: false },
            outputs: opened,
            line_number: 0,
            is_new_file: false,
            status: 0,
            sources: Vec::new(),
        })
    }

    /// The exit status: what was wrong with files counts more than what the script says.
    pub(super) fn status_or(&self, status: u8) -> u8 {
        if self.status == 0 { status } else { self.status }
    }

    /// The name of the file that is read.
    pub(super) fn name(&self) -> &BStr {
        self.current.as_ref().map_or(b"-".as_bstr(), |current| current.name.as_bstr())
    }

    /// The next line; `None` behind the last.
    pub(super) fn next_line(&mut self) -> Result<Option<Line>, End> {
        loop {
            if let Some(current) = &mut self.current {
                if let Some(line) = current.take_line(self.settings.line_end) {
                    self.line_number += 1;
                    self.process.machine.budget.hold(line.text.len())?;
                    return Ok(Some(line));
                }
                self.finish_file()?;
            }
            if !self.open_next()? {
                return Ok(None);
            }
        }
    }

    /// Whether the line that was read is the last one.
    pub(super) fn is_last(&mut self) -> Result<bool, End> {
        loop {
            if self.current.as_ref().is_some_and(|current| current.at < current.bytes.len()) {
                return Ok(false);
            }
            if self.settings.is_separate {
                return Ok(true);
            }
            // The name of the file that was read stays what it is until a line is read.
            let Some(file) = self.files.front().cloned() else { return Ok(true) };
            match self.read(file.as_bstr())? {
                Some(next) if !next.bytes.is_empty() => return Ok(false),
                _ => {
                    self.files.pop_front();
                }
            }
        }
    }

    /// Opens the next file that can be read; `false` if there is none.
    fn open_next(&mut self) -> Result<bool, End> {
        while let Some(file) = self.files.pop_front() {
            if let Some(current) = self.read(file.as_bstr())? {
                if self.settings.is_separate {
                    self.line_number = 0;
                    self.is_new_file = true;
                }
                self.current = Some(current);
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn read(&mut self, name: &BStr) -> Result<Option<Current>, End> {
        let current = |bytes, edited| Current { name: name.into(), bytes, at: 0, edited };
        if self.settings.in_place.is_some() {
            return self.read_edited(name);
        }
        let path = if name == "-" { b"/dev/stdin" } else { name.as_bytes() };
        match errno(self.process.open_bytes(path))? {
            Ok(bytes) => Ok(Some(current(bytes, None))),
            Err(Errno::IsADirectory) => {
                let parts = [b"read error on ", name.as_bytes(), b": Is a directory"];
                Err(panic(self.process, &parts.concat())?)
            }
            Err(error) => {
                self.unreadable(name, error)?;
                Ok(None)
            }
        }
    }

    fn unreadable(&mut self, name: &BStr, error: Errno) -> Result<(), Stop> {
        self.status = BAD_INPUT;
        let error = error.to_string();
        complain(self.process, &[b"can't read ", name.as_bytes(), b": ", error.as_bytes()].concat())
    }

    fn read_edited(&mut self, name: &BStr) -> Result<Option<Current>, End> {
        let follows = self.settings.in_place.as_ref().is_some_and(|how| how.follows_links);
        let last = if follows { Last::Followed } else { Last::Kept };
        let found = self.process.find(name, Last::Followed);
        let (_, stat) = match errno(found)? {
            Ok(found) => found,
            Err(error) => {
                self.unreadable(name, error)?;
                return Ok(None);
            }
        };
        if !matches!(stat.kind, Kind::File(_)) {
            let parts = [b"couldn't edit ", name.as_bytes(), b": not a regular file"];
            return Err(panic(self.process, &parts.concat())?);
        }
        let bytes = match errno(self.process.open_bytes(name))? {
            Ok(bytes) => bytes,
            Err(error) => {
                self.unreadable(name, error)?;
                return Ok(None);
            }
        };
        let path = match errno(self.process.find(name, last))? {
            Ok((path, _)) => path,
            Err(error) => {
                self.unreadable(name, error)?;
                return Ok(None);
            }
        };
        let edited = Some(Edited { path, stat, written: Vec::new() });
        self.main.is_open = false;
        Ok(Some(Current { name: name.into(), bytes, at: 0, edited }))
    }

    /// Puts what was written in the place of the file that was edited.
    pub(super) fn finish_file(&mut self) -> Result<(), End> {
        let Some(Current { name, edited: Some(edited), .. }) = self.current.take() else {
            return Ok(());
        };
        let suffix = self.settings.in_place.as_ref().and_then(|how| how.suffix.clone());
        match errno(self.replace(name.as_bstr(), edited, suffix))? {
            Ok(()) => Ok(()),
            // The message has the name of a temporary file, which is random.
            Err(error) => {
                let reason = format!("cannot edit {name} in place: {error}");
                Err(self.process.refuse(Reason::Use(reason)).into())
            }
        }
    }

    /// The new file has the mode and owner of the old one, and is another one: other names of the
    /// old one keep what they had.
    fn replace(&mut self, name: &BStr, edited: Edited, suffix: Option<BString>) -> FileResult<()> {
        let Edited { path, stat, written } = edited;
        let backup = match suffix {
            None => None,
            Some(suffix) => {
                let written = backup_name(name, suffix.as_bstr());
                Some(self.process.locate(&written, Last::Kept)?.path)
            }
        };
        let files = &mut self.process.machine.files;
        match backup {
            Some(backup) => files.rename(&path, &backup)?,
            None => files.remove(&path)?,
        }
        let attributes = &stat.attributes;
        files.make(&path, NewNode::File(Data::of(written)), attributes.mode)?;
        if files.user().uid == 0 {
            files.set_owner(&path, Some(attributes.uid), Some(attributes.gid))?;
            files.set_mode(&path, attributes.mode)?;
        }
        Ok(())
    }

    /// Writes a line and its end, if it has one.
    pub(super) fn write_line(&mut self, to: To, text: &[u8], end: LineEnd) -> Result<(), Stop> {
        if end == LineEnd::Missing
            && let To::File(number) = to
            && matches!(self.outputs[number].target, Target::Main)
        {
            let reason = "writes a line without an end to `/dev/stdout`";
            return Err(self.process.refuse(Reason::Use(reason.to_owned())));
        }
        let mut line = Vec::with_capacity(text.len() + 2);
        let end_byte = self.settings.line_end;
        let output = self.output(to);
        if std::mem::take(&mut output.is_open) {
            line.push(end_byte);
        }
        line.extend_from_slice(text);
        match end {
            LineEnd::There => line.push(end_byte),
            LineEnd::Missing => output.is_open = true,
        }
        self.write_bytes(to, &line)
    }

    /// Writes text as it is, behind the end of the last line.
    pub(super) fn write_text(&mut self, to: To, text: &[u8]) -> Result<(), Stop> {
        let end_byte = self.settings.line_end;
        if std::mem::take(&mut self.output(to).is_open) {
            self.write_bytes(to, &[end_byte])?;
        }
        self.write_bytes(to, text)
    }

    fn output(&mut self, to: To) -> &mut Output {
        match to {
            To::Main => &mut self.main,
            To::File(number) if matches!(self.outputs[number].target, Target::Main) => {
                &mut self.main
            }
            To::File(number) => &mut self.outputs[number],
        }
    }

    fn write_bytes(&mut self, to: To, bytes: &[u8]) -> Result<(), Stop> {
        let is_main = matches!(to, To::Main);
        if is_main && let Some(Current { edited: Some(edited), .. }) = &mut self.current {
            edited.written.extend_from_slice(bytes);
            return self.process.machine.budget.hold(bytes.len());
        }
        match &self.output(to).target {
            Target::Handle(Some(handle)) => {
                let handle = handle.clone();
                sink::write(self.process, &handle, bytes)
            }
            _ => Ok(()),
        }
    }

    /// All of a file that `r` names; nothing if it cannot be read.
    pub(super) fn whole(&mut self, name: &[u8]) -> Result<Arc<[u8]>, Stop> {
        let bytes = errno(self.process.open_bytes(name))?;
        Ok(bytes.unwrap_or_else(|_| Arc::from(&[][..])))
    }

    /// The next line of a file that `R` names, with its end.
    pub(super) fn line_of(&mut self, name: &BStr) -> Result<Option<Vec<u8>>, Stop> {
        let known = self.sources.iter().position(|(known, _, _)| known == name);
        let index = match known {
            Some(index) => index,
            None => {
                let bytes = self.whole(name)?;
                self.sources.push((name.into(), bytes, 0));
                self.sources.len() - 1
            }
        };
        let end = self.settings.line_end;
        let (_, bytes, at) = &mut self.sources[index];
        let rest = &bytes[*at..];
        if rest.is_empty() {
            return Ok(None);
        }
        let length = rest.find_byte(end).map_or(rest.len(), |length| length + 1);
        *at += length;
        Ok(Some(rest[..length].to_vec()))
    }
}

impl Current {
    fn take_line(&mut self, end: u8) -> Option<Line> {
        let rest = &self.bytes[self.at..];
        if rest.is_empty() {
            return None;
        }
        let (length, line_end) = match rest.find_byte(end) {
            Some(length) => (length, LineEnd::There),
            None => (rest.len(), LineEnd::Missing),
        };
        let text = rest[..length].to_vec();
        self.at += length + usize::from(line_end == LineEnd::There);
        Some(Line { text, end: line_end })
    }
}

/// Opens a file that the script writes to, and empties it.
pub(super) fn open_output(process: &mut Process<'_, '_>, name: &BStr) -> Result<Handle, End> {
    match errno(sink::open(process, name, Existing::Emptied))? {
        Ok(handle) => Ok(handle),
        Err(error) => {
            let error = error.to_string();
            let parts = [b"couldn't open file ", name.as_bytes(), b": ", error.as_bytes()];
            Err(panic(process, &parts.concat())?)
        }
    }
}

/// The name of what was there: `*` in the suffix stands for the file's name, and a suffix without
/// one is put behind it (GNU sed's manual, "-i").
fn backup_name(name: &BStr, suffix: &BStr) -> Vec<u8> {
    let base = name.rfind_byte(b'/').map_or(0, |slash| slash + 1);
    let (directory, base) = name.split_at(base);
    let backup = match suffix.contains(&b'*') {
        true => suffix.replace("*", base),
        false => [base, suffix].concat(),
    };
    match backup.contains(&b'/') {
        true => backup,
        false => [directory, &backup].concat(),
    }
}
