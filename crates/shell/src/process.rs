//! A command while it runs: its words, its surroundings, and what it can do.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::Arc;

use bstr::{BStr, BString, ByteSlice};
use oci::ImagePath;

use crate::data::Data;
use crate::descriptor::{Closed, Descriptors, Handle, OpenFile};
use crate::files::{Errno, FileError, FileResult, Last, Located, Stat};
use crate::machine::Machine;
use crate::programs::Flavour;
use crate::stop::{Reason, Stop};

/// A program's exit status, or why there is none.
pub type Run = Result<u8, Stop>;

/// A command while it runs.
pub struct Process<'m, 'o: 'm> {
    /// The command and its arguments.
    pub words: Vec<BString>,
    /// The exported variables.
    pub environment: BTreeMap<BString, BString>,
    /// The working directory, a real path.
    pub directory: ImagePath,
    /// The file mode creation mask.
    pub umask: u32,
    /// Open files.
    pub descriptors: Descriptors,
    /// Where the program was found: the path without links, as in `/usr/bin/busybox`.
    pub program: ImagePath,
    /// Whether the program is one of the system's own: in one of its directories, and brought by a
    /// layer below or a package, not written by the command line itself.
    pub is_system: bool,
    /// Whose program it is.
    pub flavour: Flavour,
    /// What messages begin with instead of the program's name, where a shell's own builtin
    /// speaks: `sh: 1: [`.
    pub speaker: Option<BString>,
    /// What it shares with all others.
    pub machine: &'m mut Machine<'o>,
}

impl<'m, 'o: 'm> Process<'m, 'o> {
    /// The name that it was called by, without directories.
    pub fn name(&self) -> &BStr {
        let word = self.words.first().map(|word| word.as_bstr()).unwrap_or_default();
        word.rsplit(|byte| *byte == b'/').next().unwrap_or_default().as_bstr()
    }

    /// The arguments.
    pub fn arguments(&self) -> &[BString] {
        self.words.get(1..).unwrap_or_default()
    }

    /// Ends the evaluation: this use of the program is not understood.
    pub fn refuse(&self, reason: Reason) -> Stop {
        Stop::refuse(self.name().to_string(), reason)
    }

    /// Where a path, as written, leads.
    pub fn locate(&self, path: &[u8], last: Last) -> FileResult<Located> {
        self.machine.files.locate(&self.directory, path, last)
    }

    /// The same for what has to be there.
    pub fn find(&self, path: &[u8], last: Last) -> FileResult<(ImagePath, Stat)> {
        self.machine.files.find(&self.directory, path, last)
    }

    /// The bytes of the file at a path, as written, all links followed; also of `/dev/stdin` and
    /// `/dev/null`.
    pub fn open(&mut self, path: &[u8]) -> FileResult<Data> {
        match path {
            b"/dev/stdin" | b"/dev/fd/0" | b"/proc/self/fd/0" => Ok(self.read_input()?),
            b"/dev/null" => Ok(Data::empty()),
            _ if let Some(number) = descriptor_of(path) => {
                let Some(handle) = self.descriptors.get(number).cloned() else {
                    return Err(Errno::NotFound.into());
                };
                match self.machine.read_rest(&handle) {
                    Ok(data) => Ok(data),
                    Err(Closed::Errno(_)) => {
                        Err(self.refuse(Reason::Use("reads an output".to_owned())).into())
                    }
                    Err(Closed::Stop(stop)) => Err(stop.into()),
                }
            }
            _ => {
                let (path, _) = self.find(path, Last::Followed)?;
                self.machine.files.data(&path)
            }
        }
    }

    /// The bytes themselves.
    pub fn bytes(&mut self, data: &Data) -> Result<Arc<[u8]>, Stop> {
        data.bytes(self.machine.outside, &mut self.machine.budget)
    }

    /// The bytes of the file at a path.
    pub fn open_bytes(&mut self, path: &[u8]) -> FileResult<Arc<[u8]>> {
        let data = self.open(path)?;
        Ok(self.bytes(&data)?)
    }

    /// All that is left of the standard input; nothing if it is closed.
    pub fn read_input(&mut self) -> Result<Data, Stop> {
        let Some(handle) = self.descriptors.get(0).cloned() else { return Ok(Data::empty()) };
        match self.machine.read_rest(&handle) {
            Ok(data) => Ok(data),
            Err(Closed::Errno(_)) => Ok(Data::empty()),
            Err(Closed::Stop(stop)) => Err(stop),
        }
    }

    /// The next line of the standard input with its end; `None` behind the last.
    pub fn read_line(&mut self) -> Result<Option<Vec<u8>>, Stop> {
        let Some(handle) = self.descriptors.get(0).cloned() else { return Ok(None) };
        match self.machine.read_until(&handle, b'\n') {
            Ok(line) => Ok(line),
            Err(Closed::Errno(_)) => Ok(None),
            Err(Closed::Stop(stop)) => Err(stop),
        }
    }

    /// Writes to the standard output.
    pub fn write(&mut self, bytes: impl AsRef<[u8]>) -> Result<(), Stop> {
        self.write_to(1, bytes.as_ref())
    }

    /// [`Process::write`] for a program that has an answer if it cannot be.
    pub fn try_write(&mut self, bytes: impl AsRef<[u8]>) -> Result<Result<(), Errno>, Stop> {
        let bytes = bytes.as_ref();
        if bytes.is_empty() {
            return Ok(Ok(()));
        }
        let written = match self.descriptors.get(1).cloned() {
            Some(handle) => self.machine.write(&handle, bytes),
            None => Err(Closed::Errno(Errno::BadDescriptor)),
        };
        match written {
            Ok(()) => Ok(Ok(())),
            Err(Closed::Errno(errno)) => Ok(Err(errno)),
            Err(Closed::Stop(stop)) => Err(stop),
        }
    }

    /// Writes what may be elsewhere to the standard output.
    pub fn write_data(&mut self, data: &Data) -> Result<(), Stop> {
        let written = match self.descriptors.get(1).cloned() {
            Some(handle) => self.machine.write_data(&handle, data),
            None => Err(Closed::Errno(Errno::BadDescriptor)),
        };
        self.settled(1, data.size() == 0, written)
    }

    /// Writes `NAME: MESSAGE` to the standard errors, as GNU's programs and shells do.
    pub fn complain(&mut self, message: impl Display) -> Result<(), Stop> {
        self.complain_bytes(message.to_string().as_bytes())
    }

    /// [`Process::complain`] with bytes that need not be text.
    pub fn complain_bytes(&mut self, message: &[u8]) -> Result<(), Stop> {
        let speaker = self.speaker.as_ref().map_or(self.name(), |speaker| speaker.as_bstr());
        let line = [speaker.as_bytes(), b": ", message, b"\n"].concat();
        self.write_to(2, &line)
    }

    /// Writes to a descriptor.
    pub fn write_to(&mut self, number: u32, bytes: &[u8]) -> Result<(), Stop> {
        let written = match self.descriptors.get(number).cloned() {
            Some(handle) => self.machine.write(&handle, bytes),
            None => Err(Closed::Errno(Errno::BadDescriptor)),
        };
        self.settled(number, bytes.is_empty(), written)
    }

    /// What cannot be written of errors is lost. What programs say and do if it is their output
    /// differs, and is not built in.
    fn settled(
        &self,
        number: u32,
        is_empty: bool,
        written: Result<(), Closed>,
    ) -> Result<(), Stop> {
        match written {
            Err(Closed::Stop(stop)) => Err(stop),
            Err(Closed::Errno(errno)) if number == 1 && !is_empty => {
                Err(self.refuse(Reason::Use(format!("writes what cannot be written: {errno}"))))
            }
            Ok(()) | Err(Closed::Errno(_)) => Ok(()),
        }
    }

    /// Whether the standard output goes to a file, a pipe or a substitution.
    pub fn descriptor(&self, number: u32) -> Option<Handle> {
        self.descriptors.get(number).cloned()
    }

    /// Runs another program with the same surroundings, and gives its exit status: 127 if there is
    /// none of that name, 126 if it is not executable.
    pub fn spawn(&mut self, words: Vec<BString>) -> Run {
        let descriptors = self.descriptors.clone();
        self.spawn_with(words, descriptors)
    }

    /// [`Process::spawn`] with other open files.
    pub fn spawn_with(&mut self, words: Vec<BString>, descriptors: Descriptors) -> Run {
        let call = crate::execute::Call {
            words,
            environment: self.environment.clone(),
            directory: self.directory.clone(),
            umask: self.umask,
            descriptors,
        };
        crate::execute::execute(self.machine, call)
    }
}

/// The descriptor that a path names (proc(5), "/proc/pid/fd").
pub(crate) fn descriptor_of(path: &[u8]) -> Option<u32> {
    let number = path.strip_prefix(b"/dev/fd/").or(path.strip_prefix(b"/proc/self/fd/"))?;
    number.to_str().ok()?.parse().ok()
}

/// The error of a system call, if it is one that a command can answer to; else the evaluation ends.
pub fn errno<T>(result: FileResult<T>) -> Result<Result<T, Errno>, Stop> {
    match result {
        Ok(done) => Ok(Ok(done)),
        Err(FileError::Errno(errno)) => Ok(Err(errno)),
        Err(FileError::Stop(stop)) => Err(stop),
    }
}

/// Whether a handle is for reading.
pub fn is_input(handle: &Handle) -> bool {
    matches!(&*handle.borrow(), OpenFile::Input(_))
}
