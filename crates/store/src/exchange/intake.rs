//! Taking in an image blob by blob, and all of it or none.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use oci::{Descriptor, Digest, Manifest};

use super::{CONTAINERD_NAME, Imported, Wanted};
use crate::blobs::{MAX_DOCUMENT_BYTES, verify};
use crate::images::{IndexFile, name_of, read_limited, without_name};
use crate::reach::{MAX_DEPTH, children, is_document, runnable};
use crate::scratch::Sealed;
use crate::store::blob_path;
use crate::{Store, StoreError};

/// Where the blobs of an image come from.
pub(super) enum Source {
    /// An OCI layout's directory.
    Layout(PathBuf),
    /// Files that were read from an archive, already hashed.
    Staged(BTreeMap<Digest, Sealed>),
}

/// The blobs of the images that are being taken in.
pub(super) struct Intake<'a> {
    store: &'a Store,
    source: Source,
    seen: BTreeSet<Digest>,
    sealed: Vec<Sealed>,
}

/// Takes in the images of an OCI layout that are wanted. `place` is named in errors.
pub(super) fn take_in(
    store: &Store,
    index: &IndexFile,
    source: Source,
    wanted: &Wanted,
    place: &Path,
) -> Result<Vec<Imported>, StoreError> {
    let mut intake = Intake { store, source, seen: BTreeSet::new(), sealed: Vec::new() };
    let mut imported = Vec::new();
    for entry in &index.manifests {
        let name = full_name(entry);
        if wanted.matches(name, &entry.digest) || wanted.matches(name_of(entry), &entry.digest) {
            let mut image = intake.part_that_is_here(&without_name(entry))?;
            intake.admit(&image, 0)?;
            image.annotations.remove(CONTAINERD_NAME);
            imported.push(Imported { name: name.map(str::to_owned), image });
        }
    }
    if imported.is_empty() {
        let mut available: Vec<String> =
            index.manifests.iter().filter_map(full_name).map(str::to_owned).collect();
        available.sort();
        return Err(unknown(wanted, place, available));
    }
    publish(intake.sealed)?;
    Ok(imported)
}

pub(super) fn unknown(wanted: &Wanted, place: &Path, available: Vec<String>) -> StoreError {
    StoreError::UnknownImage { wanted: wanted.to_string(), place: place.to_owned(), available }
}

/// Names the blobs, once all of them are safe.
pub(super) fn publish(sealed: Vec<Sealed>) -> Result<(), StoreError> {
    for blob in &sealed {
        blob.sync()?;
    }
    sealed.into_iter().try_for_each(Sealed::publish)
}

fn full_name(entry: &Descriptor) -> Option<&str> {
    entry.annotations.get(CONTAINERD_NAME).map(String::as_str).or_else(|| name_of(entry))
}

impl Intake<'_> {
    /// The image itself; or, for an index of which only one image is here, that image.
    ///
    /// Docker saves a pulled image so: under the whole index, with the blobs of its own platform.
    fn part_that_is_here(&self, entry: &Descriptor) -> Result<Descriptor, StoreError> {
        if !entry.media_type.is_index() {
            return Ok(entry.clone());
        }
        let Some(Manifest::Index(index)) = self.document(entry)? else { return Ok(entry.clone()) };
        let mut here = Vec::new();
        for image in runnable(&index) {
            if self.store.contains(&image.digest)?.is_some() || self.source.has(&image.digest) {
                here.push(image);
            }
        }
        match here.as_slice() {
            [only] if runnable(&index).count() > 1 => Ok((*only).clone()),
            _ => Ok(entry.clone()),
        }
    }

    /// Reads a manifest or an index, from the store or from where it comes from.
    fn document(&self, descriptor: &Descriptor) -> Result<Option<Manifest>, StoreError> {
        let Descriptor { digest, size, .. } = *descriptor;
        let bytes = if self.store.contains(&digest)? == Some(size) {
            Some(self.store.read(descriptor)?)
        } else {
            self.source.document(descriptor)?
        };
        let parse = |bytes| Manifest::parse(bytes, Some(&descriptor.media_type));
        bytes.map(parse).transpose().map_err(|source| StoreError::Manifest { digest, source })
    }

    fn admit(&mut self, descriptor: &Descriptor, depth: usize) -> Result<(), StoreError> {
        if !self.seen.insert(descriptor.digest) {
            return Ok(());
        }
        if is_document(&descriptor.media_type) {
            if depth == MAX_DEPTH {
                return Err(StoreError::TooDeep { digest: descriptor.digest });
            }
            for child in self.document(descriptor)?.iter().flat_map(children) {
                self.admit(&child, depth + 1)?;
            }
        }
        let here = self.store.contains(&descriptor.digest)? == Some(descriptor.size);
        let sealed = if here { None } else { self.source.take(self.store, descriptor)? };
        if !here && sealed.is_none() {
            // "Foreign" layers are fetched from their URLs by whoever runs the image, and what
            // is known to be in a registry can be had from there.
            let elsewhere = !descriptor.urls.is_empty()
                || !self.store.remote_sources(&descriptor.digest)?.is_empty();
            return if elsewhere {
                Ok(())
            } else {
                Err(self.store.missing_blob(&descriptor.digest))
            };
        }
        self.sealed.extend(sealed);
        Ok(())
    }
}

impl Source {
    fn has(&self, digest: &Digest) -> bool {
        match self {
            Source::Layout(root) => blob_path(root, digest).exists(),
            Source::Staged(files) => files.contains_key(digest),
        }
    }

    /// Reads and verifies a small document; none if the source does not have it.
    fn document(&self, descriptor: &Descriptor) -> Result<Option<Vec<u8>>, StoreError> {
        let Descriptor { digest, size, .. } = *descriptor;
        if size > MAX_DOCUMENT_BYTES {
            let what = format!("blob {digest}");
            return Err(StoreError::TooLarge { what, size, limit: MAX_DOCUMENT_BYTES });
        }
        let (file, path) = match self {
            Source::Layout(root) => {
                let path = blob_path(root, &digest);
                (open_regular(&path)?, path)
            }
            Source::Staged(files) => match files.get(&digest) {
                Some(sealed) => (open_regular(sealed.path())?, sealed.path().to_owned()),
                None => return Ok(None),
            },
        };
        let Some(file) = file else { return Ok(None) };
        let bytes = read_limited(file, &path, MAX_DOCUMENT_BYTES)?;
        verify(&digest, size, &bytes)?;
        Ok(Some(bytes))
    }

    /// The blob as a file that only waits for its name; none if the source does not have it.
    fn take(
        &mut self,
        store: &Store,
        descriptor: &Descriptor,
    ) -> Result<Option<Sealed>, StoreError> {
        match self {
            Source::Layout(root) => copy_in(store, root, descriptor),
            Source::Staged(files) => {
                let Some(sealed) = files.remove(&descriptor.digest) else { return Ok(None) };
                if sealed.size() != descriptor.size {
                    return Err(StoreError::SizeMismatch {
                        digest: descriptor.digest,
                        expected: descriptor.size,
                        actual: sealed.size(),
                    });
                }
                Ok(Some(sealed))
            }
        }
    }
}

fn copy_in(
    store: &Store,
    root: &Path,
    descriptor: &Descriptor,
) -> Result<Option<Sealed>, StoreError> {
    let path = blob_path(root, &descriptor.digest);
    let Some(file) = open_regular(&path)? else { return Ok(None) };
    let length = file.metadata().map_err(StoreError::io("read", &path))?.len();
    if length != descriptor.size {
        let (digest, expected) = (descriptor.digest, descriptor.size);
        return Err(StoreError::SizeMismatch { digest, expected, actual: length });
    }
    let mut incoming = store.incoming(descriptor)?;
    copy(&mut file.take(descriptor.size), &path, &mut incoming)?;
    incoming.seal().map(Some)
}

/// Opens a file that somebody else made, if it is one: a symbolic link, a pipe or a device in its
/// place is not followed and not waited for.
pub(super) fn open_regular(path: &Path) -> Result<Option<File>, StoreError> {
    use rustix::fs::OFlags;
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let opened = OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path);
    let irregular = || StoreError::BadArchive {
        entry: path.display().to_string(),
        problem: "it is not a regular file",
    };
    match opened {
        Ok(file) if file.metadata().is_ok_and(|metadata| metadata.is_file()) => Ok(Some(file)),
        Ok(_) => Err(irregular()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        // What O_NOFOLLOW says of a symbolic link (open(2), ELOOP).
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => {
            Err(irregular())
        }
        Err(source) => Err(StoreError::io("open", path)(source)),
    }
}

/// Copies from a file or an archive's entry into the store; each side's errors name its own path.
pub(super) fn copy(
    reader: &mut impl Read,
    origin: &Path,
    writer: &mut impl io::Write,
) -> Result<u64, StoreError> {
    let mut buffer = vec![0; 256 * 1024];
    let mut total = 0;
    loop {
        let count = match reader.read(&mut buffer) {
            Ok(0) => return Ok(total),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(source) => return Err(StoreError::io("read", origin)(source)),
        };
        writer.write_all(&buffer[..count]).map_err(|error| unwrap(error, origin))?;
        total += count as u64;
    }
}

/// The error that a writer of this crate wrapped, or the I/O error itself.
fn unwrap(error: io::Error, path: &Path) -> StoreError {
    match error.downcast::<StoreError>() {
        Ok(inner) => inner,
        Err(source) => StoreError::Io { action: "write", path: path.to_owned(), source },
    }
}

/// Reads and verifies a small document that has no name yet.
pub(super) fn read_sealed(sealed: &Sealed) -> Result<Vec<u8>, StoreError> {
    let path = sealed.path();
    if sealed.size() > MAX_DOCUMENT_BYTES {
        let what = format!("blob {}", sealed.digest());
        let (size, limit) = (sealed.size(), MAX_DOCUMENT_BYTES);
        return Err(StoreError::TooLarge { what, size, limit });
    }
    let file = File::open(path).map_err(StoreError::io("open", path))?;
    let bytes = read_limited(file, path, MAX_DOCUMENT_BYTES)?;
    verify(&sealed.digest(), sealed.size(), &bytes)?;
    Ok(bytes)
}
