//! Files out of a layer's tar, in one pass, found by the layer's index.

use std::io::{self, Read};

use oci::{Digester, ImagePath};

use crate::{Content, Entry, LayerIndex, Node, TarError};

/// Streams the files of `index` whose paths are `wanted` out of its tar, in the tar's order.
///
/// `take` gets each file's entry and content; what it leaves unread is skipped. Every file is
/// checked against its digest once `take` is done with it, so a `take` that must not act on wrong
/// bytes acts when the whole call has succeeded. Reading stops behind the last wanted file.
/// Paths that are no files in the index are passed over.
pub fn extract<E: From<TarError>>(
    tar: impl Read,
    index: &LayerIndex,
    wanted: impl Fn(&ImagePath) -> bool,
    mut take: impl FnMut(&Entry, &mut dyn Read) -> Result<(), E>,
) -> Result<(), E> {
    let mut tar = Counted { tar, offset: 0 };
    for (offset, entry, content) in in_tar_order(index, wanted) {
        tar.skip_to(offset, entry)?;
        let mut file = File { tar: &mut tar, left: content.size, digester: Digester::sha256() };
        take(entry, &mut file)?;
        io::copy(&mut file, &mut io::sink()).map_err(|source| truncated(&file, entry, source))?;
        if file.left > 0 || file.digester.finish() != content.digest {
            return Err(TarError::ContentMismatch(entry.path.clone()).into());
        }
    }
    Ok(())
}

fn in_tar_order(
    index: &LayerIndex,
    wanted: impl Fn(&ImagePath) -> bool,
) -> Vec<(u64, &Entry, Content)> {
    let mut files: Vec<_> = index
        .entries()
        .iter()
        .enumerate()
        .filter_map(|(position, entry)| match entry.node {
            Node::File(content) if wanted(&entry.path) => {
                Some((index.offset(position)?, entry, content))
            }
            _ => None,
        })
        .collect();
    files.sort_by_key(|(offset, ..)| *offset);
    files
}

fn truncated<R>(file: &File<'_, R>, entry: &Entry, source: io::Error) -> TarError {
    match source.kind() {
        io::ErrorKind::UnexpectedEof => {
            TarError::Truncated { offset: file.tar.offset, path: entry.path.to_string() }
        }
        _ => TarError::from_io(file.tar.offset, source),
    }
}

struct Counted<R> {
    tar: R,
    offset: u64,
}

impl<R: Read> Counted<R> {
    fn skip_to(&mut self, offset: u64, entry: &Entry) -> Result<(), TarError> {
        // An index that was made of another tar can say that two files overlap.
        let Some(distance) = offset.checked_sub(self.offset) else {
            return Err(TarError::ContentMismatch(entry.path.clone()));
        };
        let mut skipped = (&mut self.tar).take(distance);
        let copied = io::copy(&mut skipped, &mut io::sink())
            .map_err(|source| TarError::from_io(self.offset, source))?;
        self.offset += copied;
        if copied < distance {
            let path = entry.path.to_string();
            return Err(TarError::Truncated { offset: self.offset, path });
        }
        Ok(())
    }
}

/// The content of one file, hashed while it passes.
struct File<'a, R> {
    tar: &'a mut Counted<R>,
    left: u64,
    digester: Digester,
}

impl<R: Read> Read for File<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        if wanted == 0 {
            return Ok(0);
        }
        let read = self.tar.tar.read(&mut buffer[..wanted])?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.digester.update(&buffer[..read]);
        self.tar.offset += read as u64;
        self.left -= read as u64;
        Ok(read)
    }
}
