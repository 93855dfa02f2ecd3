//! Files from inside of compressed layers and archives, copied out in one pass over each to a
//! nameless file in the store's scratch space, so that memory stays flat however many there are.

use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::PathBuf;

use layer::{LayerIndex, Node, TarError};
use oci::{Digest, ImagePath};

use super::error::BuildError;
use super::file_range::FileRange;
use super::scratch_directory;
use crate::error::Error;
use crate::session::Session;

/// Contents by digest.
#[derive(Debug, Default)]
pub(super) struct Spool {
    file: Option<File>,
    ranges: HashMap<Digest, Range>,
}

/// Where a file's bytes are in the spool.
#[derive(Debug, Clone, Copy)]
struct Range {
    start: u64,
    size: u64,
}

impl Spool {
    /// Whether the content is here.
    pub(super) fn contains(&self, digest: &Digest) -> bool {
        self.ranges.contains_key(digest)
    }

    /// Copies the files at `paths` out of a tar; `what` names it in errors.
    pub(super) fn fill(
        &mut self,
        session: &Session,
        tar: impl Read,
        index: &LayerIndex,
        paths: &BTreeSet<ImagePath>,
        what: &str,
    ) -> Result<(), Error> {
        let file = self.file(session)?;
        let mut at = file.seek(SeekFrom::End(0)).map_err(Stopped::Write)?;
        let mut copied = Vec::new();
        let extracted = layer::extract(
            tar,
            index,
            |path| paths.contains(path),
            |entry, content| {
                let Node::File(named) = entry.node else { return Ok(()) };
                let size = io::copy(content, file).map_err(Stopped::Write)?;
                copied.push((named.digest, Range { start: at, size }));
                at += size;
                Ok::<(), Stopped>(())
            },
        );
        extracted.map_err(|stopped| stopped.about(what))?;
        self.ranges.extend(copied);
        Ok(())
    }

    fn file(&mut self, session: &Session) -> Result<&mut File, Error> {
        if self.file.is_none() {
            let directory = scratch_directory(session)?;
            let made = tempfile::tempfile_in(&directory);
            self.file = Some(made.map_err(Error::writing(directory))?);
        }
        Ok(self.file.as_mut().expect("made above"))
    }

    /// Opens a content that was copied, to be read while others are.
    pub(super) fn reopen(&self, digest: &Digest) -> Option<io::Result<Reopened>> {
        let (range, file) = (*self.ranges.get(digest)?, self.file.as_ref()?);
        Some(file.try_clone().map(|file| Reopened { file, range }))
    }

    /// Opens a content that was copied.
    pub(super) fn open(&self, digest: &Digest) -> Option<Box<dyn Read + Send + '_>> {
        let (range, file) = (self.ranges.get(digest)?, self.file.as_ref()?);
        Some(Box::new(FileRange { file, at: range.start, left: range.size }))
    }
}

/// A content of the spool that can be read while more is copied to it.
pub(super) struct Reopened {
    file: File,
    range: Range,
}

impl Read for Reopened {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Range { start, size } = self.range;
        let count = FileRange { file: &self.file, at: start, left: size }.read(buffer)?;
        self.range = Range { start: start + count as u64, size: size - count as u64 };
        Ok(count)
    }
}

/// Why copying out stopped.
enum Stopped {
    Read(TarError),
    Write(io::Error),
}

impl Stopped {
    fn about(self, what: &str) -> BuildError {
        match self {
            Stopped::Read(source) => BuildError::Tar { what: what.to_owned(), source },
            Stopped::Write(source) => {
                BuildError::Write { path: PathBuf::from("the store's scratch space"), source }
            }
        }
    }
}

impl From<TarError> for Stopped {
    fn from(error: TarError) -> Self {
        Stopped::Read(error)
    }
}

impl From<Stopped> for Error {
    fn from(stopped: Stopped) -> Self {
        stopped.about("an archive").into()
    }
}
