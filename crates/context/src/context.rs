//! A context: where files come from, whichever way they are kept.

use std::fs::File;
use std::io::{self, Read};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use layer::Content;
use rustix::fs::fstat;

use crate::beneath::Root;
use crate::listing::{Origin, Signature};
use crate::{ContextError, Filter, Kind, Listed, Listing, StatCache, digests, walk};

/// The files that a build may read.
#[derive(Debug)]
pub struct Context {
    source: Source,
}

#[derive(Debug)]
enum Source {
    Directory(Root),
}

/// A file of a context, being read.
///
/// It gives exactly the bytes that were listed, or an error: before the last of them is handed
/// out, the file is compared with what the listing said of it. The error's inner error is a
/// [`ContextError`].
#[derive(Debug)]
pub struct ContextFile {
    file: File,
    signature: Signature,
    left: u64,
    /// For messages.
    shown: PathBuf,
}

impl Context {
    /// The directory at `path`.
    ///
    /// Links in `path` itself are followed; in what is below, none is.
    pub fn directory(path: &Path) -> Result<Self, ContextError> {
        Ok(Context { source: Source::Directory(Root::open(path)?) })
    }

    /// Every path that `filter` lets through.
    ///
    /// The same for any number of threads, and so is the error if there are several.
    pub fn list(&self, filter: Filter<'_>, threads: NonZeroUsize) -> Result<Listing, ContextError> {
        match &self.source {
            Source::Directory(root) => walk::walk(root, filter, threads),
        }
    }

    /// The contents of the files `wanted`, in their order.
    ///
    /// What `cache` knows of unchanged files is not read again; what had to be read is added.
    pub fn digest(
        &self,
        wanted: &[&Listed],
        cache: &mut StatCache,
        threads: NonZeroUsize,
    ) -> Result<Vec<Content>, ContextError> {
        digests::digest(self, wanted, cache, threads)
    }

    /// Opens a listed file for reading.
    ///
    /// An error if it is no longer the file that was listed; see [`ContextFile`] for later changes.
    pub fn open(&self, listed: &Listed) -> Result<ContextFile, ContextError> {
        match &listed.kind {
            Kind::File { .. } => {}
            Kind::Special(special) => {
                let (path, special) = (listed.path.clone(), *special);
                return Err(ContextError::Special { path, special });
            }
            Kind::Directory | Kind::Symlink(_) => {
                return Err(ContextError::NotFile { path: listed.path.clone() });
            }
        }
        match (&self.source, &listed.origin) {
            (Source::Directory(root), Origin::Inode(signature)) => {
                let shown = root.shown(&listed.path);
                let file = File::from(root.open_file(&listed.path)?);
                let file = ContextFile { file, signature: *signature, left: signature.size, shown };
                file.verify()?;
                Ok(file)
            }
            (_, Origin::Nothing) => Err(ContextError::NotFile { path: listed.path.clone() }),
        }
    }

    /// What names this context in the stat cache.
    pub(crate) fn identity(&self) -> &Path {
        match &self.source {
            Source::Directory(root) => root.identity(),
        }
    }
}

impl ContextFile {
    /// Whether the file still is what was listed.
    fn verify(&self) -> Result<(), ContextError> {
        let stat = fstat(&self.file)
            .map_err(|errno| ContextError::io("read", self.shown.clone(), errno.into()))?;
        if Signature::of(&stat) == self.signature {
            Ok(())
        } else {
            Err(ContextError::Changed { path: self.shown.clone() })
        }
    }
}

impl Read for ContextFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        if wanted == 0 {
            return Ok(0);
        }
        let read = self
            .file
            .read(&mut buffer[..wanted])
            .map_err(|source| ContextError::io("read", self.shown.clone(), source).into_io())?;
        if read == 0 {
            // It has become shorter.
            return Err(ContextError::Changed { path: self.shown.clone() }.into_io());
        }
        self.left -= read as u64;
        if self.left == 0 {
            self.verify().map_err(ContextError::into_io)?;
        }
        Ok(read)
    }
}
