//! The archive around a package: members one after the other (deb(5); ar(5)).

use std::io::{self, Read};

use super::DebError;

const MAGIC: &[u8; 8] = b"!<arch>\n";
const HEADER: usize = 60;

/// Members, read in order.
pub(super) struct Archive<R> {
    file: R,
    /// Bytes read so far.
    offset: u64,
    /// What is left of the current member, and the byte that makes its size even.
    left: u64,
    padding: u64,
    name: String,
}

impl<R: Read> Archive<R> {
    pub(super) fn open(mut file: R) -> Result<Self, DebError> {
        let mut magic = [0; MAGIC.len()];
        let read = file.read_exact(&mut magic);
        if let Err(error) = read
            && error.kind() != io::ErrorKind::UnexpectedEof
        {
            return Err(DebError::Read { offset: 0, source: error });
        }
        if magic != *MAGIC {
            return Err(DebError::NoArchive);
        }
        let offset = MAGIC.len() as u64;
        Ok(Archive { file, offset, left: 0, padding: 0, name: String::new() })
    }

    /// The name of the next member, once what was left of the one before is skipped.
    pub(super) fn next(&mut self) -> Result<Option<String>, DebError> {
        self.finish_member()?;
        let mut header = [0; HEADER];
        let mut filled = 0;
        while filled < HEADER {
            match self.read_some(&mut header[filled..])? {
                0 if filled == 0 => return Ok(None),
                0 => return Err(self.truncated()),
                read => filled += read,
            }
        }
        let (name, size) =
            parse(&header).ok_or(DebError::MemberHeader { offset: self.offset - HEADER as u64 })?;
        self.left = size;
        self.padding = size % 2;
        self.name.clone_from(&name);
        Ok(Some(name))
    }

    /// How many bytes of the current member were not read yet.
    pub(super) fn left(&self) -> u64 {
        self.left
    }

    /// Reads what is left of the current member, so that one which is cut off is noticed.
    pub(super) fn finish_member(&mut self) -> Result<(), DebError> {
        let mut buffer = [0; 16 << 10];
        while self.left > 0 {
            if self.read(&mut buffer).map_err(|error| DebError::of_io(self.offset, error))? == 0 {
                return Err(self.truncated());
            }
        }
        // The last member may come without it.
        if self.padding > 0 {
            self.padding = 0;
            self.read_some(&mut buffer[..1])?;
        }
        Ok(())
    }

    fn read_some(&mut self, buffer: &mut [u8]) -> Result<usize, DebError> {
        loop {
            match self.file.read(buffer) {
                Ok(read) => {
                    self.offset += read as u64;
                    return Ok(read);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => return Err(DebError::Read { offset: self.offset, source }),
            }
        }
    }

    fn truncated(&self) -> DebError {
        DebError::Truncated { offset: self.offset, member: self.name.clone() }
    }
}

/// The content of the current member. One that is cut off is an error that holds a [`DebError`].
impl<R: Read> Read for Archive<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        if wanted == 0 {
            return Ok(0);
        }
        match self.read_some(&mut buffer[..wanted]) {
            Ok(0) => Err(io::Error::other(self.truncated())),
            Ok(read) => {
                self.left -= read as u64;
                Ok(read)
            }
            Err(error) => Err(io::Error::other(error)),
        }
    }
}

/// A member's name and size; times, owners and modes mean nothing here.
fn parse(header: &[u8; HEADER]) -> Option<(String, u64)> {
    if &header[58..] != b"`\n" {
        return None;
    }
    // GNU's ar ends a name with a slash.
    let name = std::str::from_utf8(header[..16].trim_ascii_end()).ok()?;
    let name = name.strip_suffix('/').unwrap_or(name);
    let size = header[48..58].trim_ascii_end();
    if name.is_empty() || size.is_empty() || !size.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some((name.to_owned(), std::str::from_utf8(size).ok()?.parse().ok()?))
}
