//! OCI layouts as directories (image-spec `image-layout.md`), as `skopeo copy … oci:DIR:NAME`
//! reads and writes them.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use oci::{Descriptor, Digester};

use super::intake::{Source, copy, open_regular, take_in};
use super::{CONTAINERD_NAME, Export, Imported, Wanted};
use crate::blobs::MAX_DOCUMENT_BYTES;
use crate::images::{IndexFile, read_limited, stored_name};
use crate::lock::Locked;
use crate::reach::Presence;
use crate::store::{LAYOUT_VERSION, LayoutFile, blob_path};
use crate::{Store, StoreError};

/// Writes images to an OCI layout: a new directory, or one that is a layout already, to which they
/// are added. A name that is taken goes to the new image.
///
/// `index.json` is written last, so a reader sees a whole image or none. On failure, whatever was
/// written is removed.
pub fn write_layout(store: &Store, images: &[Export], directory: &Path) -> Result<(), StoreError> {
    let blobs = blobs_to_write(store, images)?;
    let mut target = Target::open(directory)?;
    for blob in &blobs {
        target.write_blob(store, blob)?;
    }
    let layout = LayoutFile { image_layout_version: LAYOUT_VERSION.to_owned() };
    target.replace("oci-layout", &oci::json::to_bytes(&layout))?;
    let mut index = read_index(directory)?.unwrap_or_default();
    add_to_index(&mut index, images);
    target.replace("index.json", &oci::json::to_bytes(&index))?;
    target.made.clear();
    Ok(())
}

/// Takes images from an OCI layout into the store.
pub fn read_layout(
    store: &Store,
    directory: &Path,
    wanted: &Wanted,
) -> Result<Vec<Imported>, StoreError> {
    let path = directory.join("oci-layout");
    let not_found = || io::Error::from(io::ErrorKind::NotFound);
    let file = open_regular(&path)?.ok_or_else(|| StoreError::io("open", &path)(not_found()))?;
    check_layout(&read_limited(file, &path, MAX_DOCUMENT_BYTES)?, &path)?;
    let path = directory.join("index.json");
    let index = read_index(directory)?.ok_or_else(|| StoreError::io("open", &path)(not_found()))?;
    take_in(store, &index, Source::Layout(directory.to_owned()), wanted, directory)
}

/// Refuses a layout of a version that is not known.
pub(super) fn check_layout(bytes: &[u8], path: &Path) -> Result<(), StoreError> {
    let layout: LayoutFile = serde_json::from_slice(bytes)
        .map_err(|source| StoreError::Document { path: path.to_owned(), source })?;
    if layout.image_layout_version != LAYOUT_VERSION {
        let problem = "its OCI layout is of another version than 1.0.0";
        return Err(StoreError::BadArchive { entry: path.display().to_string(), problem });
    }
    Ok(())
}

/// All blobs of the images, each once, sorted by digest. One that is not here is an error.
pub(super) fn blobs_to_write(
    store: &Store,
    images: &[Export],
) -> Result<Vec<Descriptor>, StoreError> {
    let mut blobs = Vec::new();
    for export in images {
        for reached in store.reach(&export.image)? {
            match reached.presence {
                Presence::Here => blobs.push(reached.descriptor),
                // "Foreign" layers are never part of a layout.
                Presence::Absent if !reached.descriptor.urls.is_empty() => {}
                Presence::Absent => return Err(store.missing_blob(&reached.descriptor.digest)),
            }
        }
    }
    blobs.sort_by_key(|blob| blob.digest);
    blobs.dedup_by_key(|blob| blob.digest);
    Ok(blobs)
}

/// Lists the images in a layout's `index.json`, sorted by name.
pub(super) fn add_to_index(index: &mut IndexFile, images: &[Export]) {
    for export in images {
        let mut image = export.image.clone();
        if let Some(reference) = export.reference() {
            image.annotations.insert(CONTAINERD_NAME.to_owned(), stored_name(&reference));
        }
        index.set(export.name.clone(), image);
    }
    index.manifests.sort_by_cached_key(|entry| {
        let name = crate::images::name_of(entry).map(str::to_owned);
        (name.is_none(), name, entry.digest)
    });
}

/// Copies a blob out of the store, verifying it once more.
pub(super) fn copy_out(
    store: &Store,
    blob: &Descriptor,
    place: &Path,
    writer: &mut impl Write,
) -> Result<(), StoreError> {
    let origin = store.inner.blob_path(&blob.digest);
    let mut file = store.open_blob(&blob.digest)?;
    let mut digester = Digester::new(blob.digest.algorithm());
    let mut tee = Tee { digester: &mut digester, writer, place };
    copy(&mut file, &origin, &mut tee)?;
    if digester.finish() != blob.digest {
        return Err(StoreError::Damaged { digest: blob.digest, path: origin });
    }
    Ok(())
}

/// Hashes what it passes on.
struct Tee<'a, W> {
    digester: &'a mut Digester,
    writer: &'a mut W,
    place: &'a Path,
}

impl<W: Write> Write for Tee<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.writer.write(bytes);
        let count = written.map_err(|error| crate::scratch::with_path(error, self.place))?;
        self.digester.update(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

fn read_index(directory: &Path) -> Result<Option<IndexFile>, StoreError> {
    let path = directory.join("index.json");
    let Some(file) = open_regular(&path)? else { return Ok(None) };
    let bytes = read_limited(file, &path, crate::images::MAX_INDEX_BYTES)?;
    let index = serde_json::from_slice(&bytes);
    index.map(Some).map_err(|source| StoreError::Document { path, source })
}

/// A layout that is being written, and what was made in it so far.
struct Target {
    root: PathBuf,
    /// Files and directories to be removed, last first, if it comes to nothing.
    made: Vec<PathBuf>,
    /// Held so that two programs that add to one layout do not lose each other's images.
    _lock: Locked,
}

impl Target {
    fn open(root: &Path) -> Result<Target, StoreError> {
        let mut made = Vec::new();
        make_directory(root, &mut made)?;
        let mut entries = fs::read_dir(root).map_err(StoreError::io("list", root))?;
        if entries.next().is_some() && !root.join("oci-layout").exists() {
            return Err(StoreError::NotALayout { path: root.to_owned() });
        }
        let lock = Locked::new(File::open(root).map_err(StoreError::io("open", root))?);
        lock.lock().map_err(StoreError::io("lock", root))?;
        Ok(Target { root: root.to_owned(), made, _lock: lock })
    }

    fn write_blob(&mut self, store: &Store, blob: &Descriptor) -> Result<(), StoreError> {
        let path = blob_path(&self.root, &blob.digest);
        if fs::metadata(&path).is_ok_and(|file| file.is_file() && file.len() == blob.size) {
            return Ok(());
        }
        make_directory(path.parent().unwrap_or(&self.root), &mut self.made)?;
        self.write(&path, |file, part| copy_out(store, blob, part, file))
    }

    fn replace(&mut self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let path = self.root.join(name);
        if fs::read(&path).is_ok_and(|there| there == bytes) {
            return Ok(());
        }
        self.write(&path, |file, part| file.write_all(bytes).map_err(StoreError::io("write", part)))
    }

    /// Writes a file under a name that no reader looks for, and renames it.
    fn write(
        &mut self,
        path: &Path,
        content: impl FnOnce(&mut File, &Path) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let part = path.with_extension(format!("part-{}", std::process::id()));
        self.made.push(part.clone());
        let mut file = File::create(&part).map_err(StoreError::io("create", &part))?;
        content(&mut file, &part)?;
        if !path.exists() {
            self.made.push(path.to_owned());
        }
        fs::rename(&part, path).map_err(StoreError::io("create", path))
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        for path in self.made.iter().rev() {
            let _ = fs::remove_file(path).or_else(|_| fs::remove_dir(path));
        }
    }
}

/// Makes a directory and its parents, and remembers those that were not there.
fn make_directory(path: &Path, made: &mut Vec<PathBuf>) -> Result<(), StoreError> {
    let missing: Vec<&Path> = path
        .ancestors()
        .take_while(|ancestor| !ancestor.as_os_str().is_empty() && !ancestor.exists())
        .collect();
    for directory in missing.into_iter().rev() {
        match fs::create_dir(directory) {
            Ok(()) => made.push(directory.to_owned()),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(source) => return Err(StoreError::io("create", directory)(source)),
        }
    }
    Ok(())
}
