//! Open files: what a command reads from and writes to.

mod dialogue;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use crate::data::{Data, Stream};
use crate::files::Errno;
use crate::files::InodeId;
use crate::machine::Machine;
use crate::stop::Stop;

pub use dialogue::{Dialogue, Partner, SharedDialogue, dialogue};

/// Descriptors by number; 0, 1 and 2 are input, output and errors.
#[derive(Debug, Clone, Default)]
pub struct Descriptors(BTreeMap<u32, Handle>);

/// An open file that several descriptors, of several commands, may share, with its position.
pub type Handle = Rc<RefCell<OpenFile>>;

/// What is open.
#[derive(Debug)]
pub enum OpenFile {
    /// To be read.
    Input(Input),
    /// To be written.
    Output(Output),
}

/// What is left to be read.
#[derive(Debug, Default)]
pub struct Input {
    /// In reverse.
    pieces: Vec<Data>,
    /// How many bytes of the next piece, which is at hand then, are read already.
    taken: usize,
    /// Where more may come from.
    dialogue: Option<SharedDialogue>,
}

/// Where written bytes go.
#[derive(Debug)]
pub enum Output {
    /// Into a pipe, or a command substitution.
    Stream(Stream),
    /// Into a file.
    File {
        /// Which, whatever its name is by now.
        inode: InodeId,
        /// Where the next byte goes.
        position: Position,
    },
    /// To whoever called.
    Transcript(Channel),
    /// To somebody who answers.
    Dialogue(SharedDialogue),
    /// Nowhere: `/dev/null`.
    Nowhere,
    /// Nothing fits: `/dev/full`.
    Full,
}

/// Where the next byte of a file goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Position {
    /// Behind the last one.
    End,
    /// There.
    At(u64),
}

/// Output or errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// Descriptor 1.
    Output,
    /// Descriptor 2.
    Errors,
}

impl Descriptors {
    /// No input; output and errors go to whoever called.
    pub fn to_transcript() -> Self {
        let mut all = Descriptors::default();
        all.set(0, input(Data::empty()));
        all.set(1, output(Output::Transcript(Channel::Output)));
        all.set(2, output(Output::Transcript(Channel::Errors)));
        all
    }

    /// What is open under a number.
    pub fn get(&self, number: u32) -> Option<&Handle> {
        self.0.get(&number)
    }

    /// Opens.
    pub fn set(&mut self, number: u32, handle: Handle) {
        self.0.insert(number, handle);
    }

    /// Closes.
    pub fn close(&mut self, number: u32) {
        self.0.remove(&number);
    }

    /// These, with another one under `number`.
    pub fn with(&self, number: u32, handle: Handle) -> Self {
        let mut all = self.clone();
        all.set(number, handle);
        all
    }
}

/// A handle to read these bytes.
pub fn input(data: Data) -> Handle {
    input_stream(Stream::of(data))
}

/// A handle to read what flowed.
pub fn input_stream(stream: Stream) -> Handle {
    let mut pieces = stream.into_pieces();
    pieces.reverse();
    Rc::new(RefCell::new(OpenFile::Input(Input { pieces, taken: 0, dialogue: None })))
}

/// A handle to write to.
pub fn output(output: Output) -> Handle {
    Rc::new(RefCell::new(OpenFile::Output(output)))
}

/// What was written into a handle to [`Output::Stream`].
pub fn take_stream(handle: &Handle) -> Stream {
    match &mut *handle.borrow_mut() {
        OpenFile::Output(Output::Stream(stream)) => std::mem::take(stream),
        _ => Stream::default(),
    }
}

/// Why nothing was read or written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Closed {
    /// As a system call would say.
    Errno(Errno),
    /// The evaluation ends.
    Stop(Stop),
}

impl From<Stop> for Closed {
    fn from(stop: Stop) -> Self {
        Closed::Stop(stop)
    }
}

impl Machine<'_> {
    /// All that is left of an input.
    pub fn read_rest(&mut self, handle: &Handle) -> Result<Data, Closed> {
        let mut file = handle.borrow_mut();
        let OpenFile::Input(input) = &mut *file else {
            return Err(Closed::Errno(Errno::BadDescriptor));
        };
        if input.dialogue.is_some() {
            return Err(dialogue::waits_forever().into());
        }
        let mut stream = Stream::default();
        while let Some(piece) = input.pieces.pop() {
            match (std::mem::take(&mut input.taken), piece) {
                (0, piece) => stream.push(piece),
                (taken, piece) => {
                    let bytes = piece.bytes(self.outside, &mut self.budget)?;
                    stream.write(bytes.get(taken..).unwrap_or_default());
                }
            }
        }
        Ok(stream.into_data(self.outside, &mut self.budget)?)
    }

    /// The next bytes up to and with `delimiter`, or to the end; `None` at the end.
    pub fn read_until(
        &mut self,
        handle: &Handle,
        delimiter: u8,
    ) -> Result<Option<Vec<u8>>, Closed> {
        let mut file = handle.borrow_mut();
        let OpenFile::Input(input) = &mut *file else {
            return Err(Closed::Errno(Errno::BadDescriptor));
        };
        input.listen()?;
        let mut read = Vec::new();
        while let Some(piece) = input.pieces.last_mut() {
            let bytes = match piece {
                Data::Inline(bytes) => Arc::clone(bytes),
                Data::Stored(_) => {
                    let bytes = Arc::new(piece.bytes(self.outside, &mut self.budget)?.to_vec());
                    *piece = Data::Inline(Arc::clone(&bytes));
                    bytes
                }
            };
            let left = bytes.get(input.taken..).unwrap_or_default();
            match left.iter().position(|byte| *byte == delimiter) {
                Some(end) => {
                    read.extend_from_slice(&left[..=end]);
                    input.taken += end + 1;
                    break;
                }
                None => {
                    read.extend_from_slice(left);
                    input.pieces.pop();
                    input.taken = 0;
                }
            }
        }
        self.budget.hold(read.len())?;
        Ok((!read.is_empty()).then_some(read))
    }

    /// Writes bytes.
    pub fn write(&mut self, handle: &Handle, bytes: &[u8]) -> Result<(), Closed> {
        self.budget.hold(bytes.len())?;
        if let Some(dialogue) = dialogue::behind(handle) {
            return Ok(dialogue::say(&dialogue, self, bytes)?);
        }
        let mut file = handle.borrow_mut();
        let OpenFile::Output(output) = &mut *file else {
            return Err(Closed::Errno(Errno::BadDescriptor));
        };
        match output {
            Output::Stream(stream) => stream.write(bytes),
            Output::Nowhere | Output::Dialogue(_) => {}
            Output::Full => return Err(Closed::Errno(Errno::NoSpace)),
            Output::Transcript(channel) => self.transcript.write(*channel, bytes),
            Output::File { inode, position } => {
                let (inode, position) = (*inode, position);
                self.write_file(inode, position, bytes)?;
            }
        }
        Ok(())
    }

    /// Writes what may be elsewhere, without looking at it if that can be.
    pub fn write_data(&mut self, handle: &Handle, data: &Data) -> Result<(), Closed> {
        if let Data::Stored(_) = data {
            let mut file = handle.borrow_mut();
            match &mut *file {
                OpenFile::Output(Output::Stream(stream)) => {
                    stream.push(data.clone());
                    return Ok(());
                }
                OpenFile::Output(Output::Nowhere) => return Ok(()),
                OpenFile::Output(Output::File { inode, position })
                    if self.files.inode_data(*inode).size() == 0
                        && matches!(position, Position::End | Position::At(0)) =>
                {
                    self.files.write_inode(*inode, data.clone());
                    if let Position::At(at) = position {
                        *at += data.size();
                    }
                    return Ok(());
                }
                _ => {}
            }
        }
        let bytes = data.bytes(self.outside, &mut self.budget)?;
        self.write(handle, &bytes)
    }

    fn write_file(
        &mut self,
        inode: InodeId,
        position: &mut Position,
        bytes: &[u8],
    ) -> Result<(), Stop> {
        let held = self.files.inode_data(inode);
        let size = held.size();
        let at = match position {
            Position::End => size,
            Position::At(at) => *at,
        };
        if let Position::At(at) = position {
            *at += bytes.len() as u64;
        }
        drop(held);
        if at == size && self.files.append_inode(inode, bytes) {
            return Ok(());
        }
        let held = self.files.inode_data(inode);
        let mut all = held.bytes(self.outside, &mut self.budget)?.to_vec();
        // No position is behind what was written, so it fits.
        let start = usize::try_from(at).unwrap_or(usize::MAX).min(all.len() + (1 << 20));
        if all.len() < start {
            all.resize(start, 0);
        }
        let end = (start + bytes.len()).min(all.len());
        all.splice(start..end, bytes.iter().copied());
        self.files.write_inode(inode, Data::of(all));
        Ok(())
    }
}
