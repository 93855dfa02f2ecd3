//! A context: where files come from, whichever way they are kept.

use std::fs::File;
use std::io::{self, Read};
use std::num::NonZeroUsize;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use layer::Content;
use rustix::fs::fstat;

use crate::beneath::Root;
use crate::links::follow;
use crate::listing::Origin;
use crate::signature::Signature;
use crate::tarball::Tarball;
use crate::{
    ContextError, Filter, Kind, LastComponent, LinkError, Listed, Listing, StatCache, digests, walk,
};
use oci::ImagePath;

/// The files that a build may read.
///
/// ```
/// use std::num::NonZeroUsize;
/// use std::time::SystemTime;
/// use context::{Context, Kind, StatCache, Verdict};
///
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path();
/// std::fs::write(path.join("app.py"), "print('hello')")?;
/// std::fs::write(path.join("notes.md"), "mine")?;
///
/// let started = SystemTime::now();
/// let threads = NonZeroUsize::MIN;
/// let context = Context::directory(path)?;
/// let ignored = |name: &[u8]| name.ends_with(b".md");
/// let listing = context.list(
///     &|path, _| if ignored(path.as_bytes()) { Verdict::Prune } else { Verdict::Keep },
///     threads,
/// )?;
/// let files: Vec<_> = listing.iter().filter(|l| matches!(l.kind, Kind::File { .. })).collect();
/// let mut cache = StatCache::in_memory(started);
/// let contents = context.digest(&files, &mut cache, threads)?;
/// assert_eq!(contents, [layer::Content::of(b"print('hello')")]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Context {
    source: Source,
}

#[derive(Debug)]
enum Source {
    Directory(Root),
    Tarball(Tarball),
}

/// A file of a context, being read.
///
/// It gives exactly the bytes that were listed, or an error: before the last of them is handed
/// out, the file is compared with what the listing said of it. The error's inner error is a
/// [`ContextError`].
#[derive(Debug)]
pub struct ContextFile {
    bytes: Bytes,
    /// What the system must say of the file when all has been read.
    signature: Option<Signature>,
    left: u64,
    /// For messages.
    shown: PathBuf,
}

#[derive(Debug)]
enum Bytes {
    /// All of a file.
    Whole(File),
    /// Of a file that others read, too, what follows this offset.
    Member(Arc<File>, u64),
}

impl Context {
    /// The directory at `path`.
    ///
    /// Links in `path` itself are followed; in what is below, none is.
    pub fn directory(path: &Path) -> Result<Self, ContextError> {
        Ok(Context { source: Source::Directory(Root::open(path)?) })
    }

    /// The tarball at `path`: plain, or compressed with gzip, bzip2, xz or zstd.
    ///
    /// It is read once to its end. What a compressed one holds is kept in the directory `scratch`,
    /// in a file without a name that vanishes with this value, or with the process.
    pub fn tarball(path: &Path, scratch: &Path) -> Result<Self, ContextError> {
        Ok(Context { source: Source::Tarball(Tarball::open(path, scratch)?) })
    }

    /// A tarball from standard input, which is called `-` in messages, kept in `scratch` likewise.
    pub fn stream(stream: impl Read, scratch: &Path) -> Result<Self, ContextError> {
        Ok(Context { source: Source::Tarball(Tarball::stream(stream, scratch)?) })
    }

    /// Every path that `filter` lets through.
    ///
    /// The same for any number of threads, and so is the error if there are several.
    pub fn list(&self, filter: Filter<'_>, threads: NonZeroUsize) -> Result<Listing, ContextError> {
        match &self.source {
            Source::Directory(root) => walk::walk(root, filter, threads),
            Source::Tarball(tarball) => Ok(tarball.list(filter)),
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
                let (bytes, left) = (Bytes::Whole(file), signature.size);
                let file = ContextFile { bytes, signature: Some(*signature), left, shown };
                file.verify()?;
                Ok(file)
            }
            (Source::Tarball(tarball), Origin::Member { offset, content }) => {
                let bytes = Bytes::Member(Arc::clone(tarball.bytes()), *offset);
                let shown = tarball.shown().to_owned();
                let signature = tarball.signature();
                Ok(ContextFile { bytes, signature, left: content.size, shown })
            }
            // From another context's listing.
            _ => Err(ContextError::NotFile { path: listed.path.clone() }),
        }
    }

    /// The bytes of a file that says how the context is to be read, an ignore file or a recipe, or
    /// `None` if there is none at `path`.
    ///
    /// Links are followed inside the context. At most `allowed` bytes are taken into memory.
    pub fn read(&self, path: &ImagePath, allowed: u64) -> Result<Option<Vec<u8>>, ContextError> {
        let found = match &self.source {
            Source::Directory(root) => follow(path, LastComponent::Follow, |path| root.look(path)),
            Source::Tarball(tarball) => {
                follow(path, LastComponent::Follow, |path| Ok(tarball.get(path).map(Listed::step)))
            }
        };
        let found = match found {
            Err(ContextError::Link(LinkError::Missing { .. } | LinkError::Dangling { .. })) => {
                return Ok(None);
            }
            found => found?,
        };
        let mut bytes = Vec::new();
        self.open_found(&found)?
            .take(allowed.saturating_add(1))
            .read_to_end(&mut bytes)
            .map_err(|error| ContextError::from_io(error, &found))?;
        if bytes.len() as u64 > allowed {
            return Err(ContextError::TooLarge { path: found, allowed });
        }
        Ok(Some(bytes))
    }

    /// Opens a file that was not listed, but found.
    fn open_found(&self, path: &ImagePath) -> Result<Box<dyn Read>, ContextError> {
        let not_file = || ContextError::NotFile { path: path.clone() };
        match &self.source {
            Source::Directory(root) => {
                let file = File::from(root.open_file(path)?);
                let metadata = file.metadata();
                match metadata.map_err(|error| ContextError::io("read", root.shown(path), error))? {
                    metadata if metadata.is_file() => Ok(Box::new(file)),
                    _ => Err(not_file()),
                }
            }
            Source::Tarball(tarball) => {
                Ok(Box::new(self.open(tarball.get(path).ok_or_else(not_file)?)?))
            }
        }
    }

    /// What names this context in the stat cache.
    pub(crate) fn identity(&self) -> &Path {
        match &self.source {
            Source::Directory(root) => root.identity(),
            Source::Tarball(tarball) => tarball.shown(),
        }
    }
}

impl ContextFile {
    /// Whether the file still is what was listed.
    fn verify(&self) -> Result<(), ContextError> {
        let Some(signature) = self.signature else {
            return Ok(());
        };
        let stat = fstat(self.bytes.file())
            .map_err(|errno| ContextError::io("read", self.shown.clone(), errno.into()))?;
        if Signature::of(&stat) == signature { Ok(()) } else { Err(self.changed()) }
    }

    fn changed(&self) -> ContextError {
        ContextError::Changed { path: self.shown.clone() }
    }
}

impl Bytes {
    fn file(&self) -> &File {
        match self {
            Bytes::Whole(file) => file,
            Bytes::Member(file, _) => file,
        }
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Bytes::Whole(file) => file.read(buffer),
            Bytes::Member(file, offset) => {
                let read = file.read_at(buffer, *offset)?;
                *offset += read as u64;
                Ok(read)
            }
        }
    }
}

impl Read for ContextFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        if wanted == 0 {
            return Ok(0);
        }
        let read = match self.bytes.read(&mut buffer[..wanted]) {
            // It has become shorter.
            Ok(0) => return Err(self.changed().into_io()),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            Err(error) => {
                return Err(ContextError::io("read", self.shown.clone(), error).into_io());
            }
        };
        self.left -= read as u64;
        if self.left == 0 {
            self.verify().map_err(ContextError::into_io)?;
        }
        Ok(read)
    }
}
