//! Redirections (POSIX XCU 2.7).

use bstr::{BString, ByteSlice};

use super::builtins::Role;
use super::dialect::Dialect;
use super::shell::{Eval, Evaluator, Flow, Posix};
use super::syntax::tree::{BothMode, Clobber, Direction, Redirect, RedirectKind, Word};
use crate::data::Data;
use crate::descriptor::{Handle, Output, Position, input, output};
use crate::files::{Errno, FileResult, Kind, Last, NewNode};
use crate::process::{errno, is_input};

/// How a file is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    Read,
    /// Emptied first.
    Write(Clobber),
    Append,
}

impl Evaluator<'_, '_> {
    /// Opens what a command's redirections name, in order; `false` once one fails, which is said.
    pub(super) fn redirect(&mut self, redirects: &[Redirect]) -> Eval<bool> {
        for redirect in redirects {
            if !self.redirect_one(redirect)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn redirect_one(&mut self, redirect: &Redirect) -> Eval<bool> {
        let number = redirect.descriptor;
        match &redirect.kind {
            RedirectKind::Read(word) => self.open_at(number.unwrap_or(0), word, Open::Read),
            RedirectKind::Write(word, clobber) => {
                self.open_at(number.unwrap_or(1), word, Open::Write(*clobber))
            }
            RedirectKind::Append(word) => self.open_at(number.unwrap_or(1), word, Open::Append),
            RedirectKind::Both(word, mode) => {
                let open = match mode {
                    BothMode::Write => Open::Write(Clobber::IfAllowed),
                    BothMode::Append => Open::Append,
                };
                let is_open = self.open_at(1, word, open)?;
                self.copy(1, 2);
                Ok(is_open)
            }
            RedirectKind::Duplicate(word, direction) => self.duplicate(number, word, *direction),
            RedirectKind::Here(body) => {
                let text = match body.get() {
                    Some(word) => match self.single(word) {
                        // dash expands it in a process of its own, which may end alone.
                        Err(Flow::Exit(_)) if !self.shell.dialect.is_bash() => {
                            return self.refuse("<<", "an error in a here-document");
                        }
                        text => text?,
                    },
                    None => BString::default(),
                };
                self.read_from(number, text);
                Ok(true)
            }
            RedirectKind::HereString(word) => {
                let mut text = self.single(word)?;
                text.push(b'\n');
                self.read_from(number, text);
                Ok(true)
            }
        }
    }

    fn read_from(&mut self, number: Option<u32>, text: BString) {
        self.shell.descriptors.set(number.unwrap_or(0), input(Data::of(text)));
    }

    /// Makes descriptor `to` what `from` is.
    fn copy(&mut self, from: u32, to: u32) {
        match self.shell.descriptors.get(from).cloned() {
            Some(handle) => self.shell.descriptors.set(to, handle),
            None => self.shell.descriptors.close(to),
        }
    }

    /// The name of a file; bash wants one field, as it splits and matches, too.
    fn file_name(&mut self, word: &Word) -> Eval<Option<BString>> {
        if !self.shell.is_full_bash() {
            return self.single(word).map(Some);
        }
        let mut fields = self.fields(std::slice::from_ref(word))?;
        if fields.len() != 1 {
            return self.refuse(">", "a redirection to several names, or none");
        }
        Ok(fields.pop())
    }

    fn open_at(&mut self, number: u32, word: &Word, open: Open) -> Eval<bool> {
        let Some(name) = self.file_name(word)? else { return Ok(false) };
        match errno(self.open(&name, open))? {
            Ok(handle) => {
                self.shell.descriptors.set(number, handle);
                Ok(true)
            }
            Err(errno) => {
                let message = self.open_error(&name, open, errno);
                self.say(message)?;
                Ok(false)
            }
        }
    }

    /// What each shell says of a file that it cannot open.
    fn open_error(&self, name: &BString, open: Open, errno: Errno) -> Vec<u8> {
        let is_missing = matches!(errno, Errno::NotFound | Errno::NotADirectory);
        let (before, after) = match (self.shell.dialect, open) {
            (Dialect::Bash, Open::Write(_)) if errno == Errno::Exists => {
                ("", "cannot overwrite existing file".to_owned())
            }
            (Dialect::Bash, _) => ("", errno.to_string()),
            (Dialect::Ash, Open::Read) if is_missing => ("can't open ", "no such file".to_owned()),
            (Dialect::Ash, _) if is_missing => {
                ("can't create ", "nonexistent directory".to_owned())
            }
            (Dialect::Ash, Open::Read) => ("can't open ", errno.to_string()),
            (Dialect::Ash, _) => ("can't create ", errno.to_string()),
            (Dialect::Dash, Open::Read) if is_missing => {
                ("cannot open ", "No such file".to_owned())
            }
            (Dialect::Dash, Open::Read) => ("cannot open ", errno.to_string()),
            (Dialect::Dash, _) if is_missing => {
                ("cannot create ", "Directory nonexistent".to_owned())
            }
            (Dialect::Dash, _) => ("cannot create ", errno.to_string()),
        };
        [before.as_bytes(), name, b": ", after.as_bytes()].concat()
    }

    fn open(&mut self, name: &BString, open: Open) -> FileResult<Handle> {
        if let Some(number) = descriptor_of(name) {
            // Opening it again would begin anew in a file; here, as in a pipe, it goes on.
            let handle = self.shell.descriptors.get(number).cloned();
            return handle.ok_or(Errno::NotFound.into());
        }
        let located = self.machine.files.locate(&self.shell.directory, name, Last::Followed)?;
        match open {
            Open::Read => {
                let stat = located.stat.ok_or(Errno::NotFound)?;
                match (located.path.as_bytes(), &stat.kind) {
                    (b"dev/null", _) => Ok(input(Data::empty())),
                    (_, Kind::File(_)) => Ok(input(self.machine.files.data(&located.path)?)),
                    _ => Err(self.unreadable(name)),
                }
            }
            Open::Write(_) | Open::Append => {
                let path = located.path;
                let Some(stat) = located.stat else {
                    if name.ends_with(b"/") {
                        return Err(Errno::IsADirectory.into());
                    }
                    let mode = 0o666 & !self.shell.umask;
                    let node = NewNode::File(Data::empty());
                    self.machine.files.make(&path, node, mode)?;
                    let inode = self.machine.files.open_to_write(&path)?;
                    return Ok(self.writable(inode, open));
                };
                match path.as_bytes() {
                    b"dev/null" => return Ok(output(Output::Nowhere)),
                    b"dev/full" => return Ok(output(Output::Full)),
                    _ => {}
                }
                let keeps = self.shell.options.noclobber
                    && open == Open::Write(Clobber::IfAllowed)
                    && matches!(stat.kind, Kind::File(_));
                if keeps {
                    return Err(Errno::Exists.into());
                }
                let inode = self.machine.files.open_to_write(&path)?;
                if open != Open::Append {
                    self.machine.files.write_inode(inode, Data::empty());
                }
                Ok(self.writable(inode, open))
            }
        }
    }

    fn writable(&self, inode: crate::files::InodeId, open: Open) -> Handle {
        let position = if open == Open::Append { Position::End } else { Position::At(0) };
        output(Output::File { inode, position })
    }

    fn unreadable(&self, name: &BString) -> crate::files::FileError {
        let reason = crate::stop::Reason::Language("reading what is no regular file".to_owned());
        let stop = crate::stop::Stop::refuse(format!("<{name}"), reason);
        crate::files::FileError::Stop(stop.at_line(self.shell.line))
    }

    /// `n>&m`, `n>&-` and, in bash, `>&name`.
    fn duplicate(&mut self, number: Option<u32>, word: &Word, direction: Direction) -> Eval<bool> {
        let target = self.single(word)?;
        let own = number.unwrap_or(if direction == Direction::Input { 0 } else { 1 });
        if target == "-" {
            self.shell.descriptors.close(own);
            return Ok(true);
        }
        let parsed = target.to_str().ok().and_then(|target| target.parse::<u32>().ok());
        let Some(from) = parsed else {
            let is_file = direction == Direction::Output
                && number.is_none()
                && self.shell.dialect.is_bash()
                && !target.ends_with(b"-");
            if !is_file {
                return self.refuse(format!(">&{target}"), "a descriptor of this name");
            }
            let is_open = self.open_at(1, word, Open::Write(Clobber::IfAllowed))?;
            self.copy(1, 2);
            return Ok(is_open);
        };
        if self.shell.descriptors.get(from).is_none() {
            self.say(format!("{from}: {}", Errno::BadDescriptor))?;
            return Ok(false);
        }
        self.copy(from, own);
        Ok(true)
    }

    /// What a redirection that fails means for a special builtin (POSIX XCU 2.8.1).
    pub(super) fn redirect_failed(&mut self, role: Role) -> Eval<u8> {
        let status = self.error_status();
        self.shell.status = status;
        if role == Role::Special
            && (!self.shell.dialect.is_bash() || self.shell.posix == Posix::Yes)
        {
            return Err(super::shell::Flow::Exit(status));
        }
        self.check_failure(status)?;
        Ok(status)
    }

    /// Whether a descriptor can be read.
    pub(super) fn is_readable(&self, number: u32) -> bool {
        self.shell.descriptors.get(number).is_some_and(is_input)
    }
}

/// The descriptor that a name stands for.
fn descriptor_of(name: &[u8]) -> Option<u32> {
    match name {
        b"/dev/stdin" => Some(0),
        b"/dev/stdout" => Some(1),
        b"/dev/stderr" => Some(2),
        name => crate::process::descriptor_of(name),
    }
}
