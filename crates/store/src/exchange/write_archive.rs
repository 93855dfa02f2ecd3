//! Archives: an OCI layout in a tar, and the same with Docker's `manifest.json`.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use oci::{Descriptor, Digest, ImageManifest, Manifest};
use serde::Serialize;

use super::Export;
use super::layout::{add_to_index, blobs_to_write, copy_out};
use crate::images::IndexFile;
use crate::reach::runnable;
use crate::store::{LAYOUT_VERSION, LayoutFile};
use crate::{Store, StoreError};

/// What kind of archive is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArchiveFormat {
    /// An OCI layout in a tar: what skopeo calls `oci-archive`.
    Oci,
    /// The same, with the `manifest.json` by which `docker load`, `podman load` and skopeo's
    /// `docker-archive` find config and layers. Both kinds of readers find the same blobs, as in
    /// what Docker 25 and BuildKit write, so the image's digest survives the trip.
    Docker,
}

/// Writes images to a tar. It holds the same bytes for the same images.
///
/// Names the blob if one is not in the store, before anything is written.
pub fn write_archive(
    store: &Store,
    images: &[Export],
    format: ArchiveFormat,
    writer: impl Write,
    place: &Path,
) -> Result<(), StoreError> {
    let mut blobs = blobs_to_write(store, images)?;
    let mut index = IndexFile::default();
    let manifest = match format {
        ArchiveFormat::Oci => {
            add_to_index(&mut index, images);
            None
        }
        ArchiveFormat::Docker => {
            let images = single_platform(store, images)?;
            blobs = blobs_to_write(store, &images)?;
            add_to_index(&mut index, &images);
            Some(docker_manifest(store, &images)?)
        }
    };
    let layout = LayoutFile { image_layout_version: LAYOUT_VERSION.to_owned() };
    let mut archive = Archive { builder: tar::Builder::new(writer), place };
    archive.file("oci-layout", &oci::json::to_bytes(&layout))?;
    archive.file("index.json", &oci::json::to_bytes(&index))?;
    if let Some(manifest) = manifest {
        archive.file("manifest.json", &oci::json::to_bytes(&manifest))?;
    }
    archive.blobs(store, &blobs)?;
    let written = archive.builder.into_inner().and_then(|mut writer| writer.flush());
    written.map_err(StoreError::io("write", place))
}

/// Writes an archive to a file, which appears only when it is whole. What is there and is not a
/// regular file (a pipe, `/dev/stdout`) is written to as it is.
pub fn save_archive(
    store: &Store,
    images: &[Export],
    format: ArchiveFormat,
    path: &Path,
) -> Result<(), StoreError> {
    if fs::metadata(path).is_ok_and(|file| !file.is_file()) {
        let file = fs::OpenOptions::new().write(true).open(path);
        let file = file.map_err(StoreError::io("open", path))?;
        return write_archive(store, images, format, file, path);
    }
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".part-{}", std::process::id()));
    let part = path.with_file_name(name);
    let file = File::create(&part).map_err(StoreError::io("create", path))?;
    let written = write_archive(store, images, format, file, path)
        .and_then(|()| fs::rename(&part, path).map_err(StoreError::io("create", path)));
    if written.is_err() {
        let _ = fs::remove_file(&part);
    }
    written
}

/// An entry of Docker's `manifest.json` (moby's `image/spec/v1.2.md`, "Combined Image JSON").
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
struct DockerImage {
    config: String,
    repo_tags: Vec<String>,
    layers: Vec<String>,
}

/// Docker's format has no indexes: an index of one image stands for that image.
fn single_platform(store: &Store, images: &[Export]) -> Result<Vec<Export>, StoreError> {
    let mut single = Vec::new();
    for export in images {
        let Manifest::Index(index) = store.read_manifest(&export.image)? else {
            single.push(export.clone());
            continue;
        };
        let found: Vec<&Descriptor> = runnable(&index).collect();
        let [image] = found.as_slice() else {
            let name = export.reference().map(|reference| reference.familiar());
            return Err(StoreError::SeveralPlatforms {
                image: name.unwrap_or_else(|| export.image.digest.to_string()),
                available: index.platforms(),
            });
        };
        single.push(Export { image: (*image).clone(), ..export.clone() });
    }
    Ok(single)
}

/// One entry an image, with all of its names.
fn docker_manifest(store: &Store, images: &[Export]) -> Result<Vec<DockerImage>, StoreError> {
    let mut names: BTreeMap<Digest, (ImageManifest, Vec<String>)> = BTreeMap::new();
    for export in images {
        let Manifest::Image(manifest) = store.read_manifest(&export.image)? else { continue };
        let (_, tags) = names.entry(manifest.digest()).or_insert((manifest, Vec::new()));
        let reference = export.reference().map(oci::Reference::or_latest);
        // A digest is no name to Docker; it finds it out itself.
        tags.extend(reference.filter(|named| named.tag().is_some()).map(|named| {
            let named = oci::Reference::new(named.repository().clone(), named.tag().cloned(), None);
            named.familiar()
        }));
        tags.sort();
        tags.dedup();
    }
    let path = |blob: &Descriptor| blob_name(&blob.digest);
    Ok(names
        .into_values()
        .map(|(manifest, repo_tags)| DockerImage {
            config: path(manifest.config()),
            repo_tags,
            layers: manifest.layers().iter().map(path).collect(),
        })
        .collect())
}

fn blob_name(digest: &Digest) -> String {
    format!("blobs/{}/{}", digest.algorithm().name(), digest.hex())
}

struct Archive<'a, W: Write> {
    builder: tar::Builder<W>,
    place: &'a Path,
}

impl<W: Write> Archive<'_, W> {
    fn file(&mut self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        self.entry(name, bytes.len() as u64, |writer, place| {
            writer.write_all(bytes).map_err(StoreError::io("write", place))
        })
    }

    fn blobs(&mut self, store: &Store, blobs: &[Descriptor]) -> Result<(), StoreError> {
        for blob in blobs {
            self.entry(&blob_name(&blob.digest), blob.size, |mut writer, place| {
                copy_out(store, blob, place, &mut writer)
            })?;
        }
        Ok(())
    }

    /// Owner root, mode 0644, the epoch: nothing in a header depends on who writes it.
    fn entry(
        &mut self,
        name: &str,
        size: u64,
        content: impl FnOnce(&mut dyn Write, &Path) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut header = tar::Header::new_gnu();
        header.set_size(size);
        header.set_mode(0o644);
        header.set_mtime(0);
        header.set_entry_type(tar::EntryType::Regular);
        // A name over 100 bytes (SHA-512) takes a GNU long-name entry, which this writes first.
        let failed = StoreError::io("write", self.place);
        set_path(&mut self.builder, &mut header, name).map_err(failed)?;
        header.set_cksum();
        let writer = self.builder.get_mut();
        let failed = |source| StoreError::io("write", self.place)(source);
        writer.write_all(header.as_bytes()).map_err(failed)?;
        content(writer, self.place)?;
        let padding = (512 - size % 512) % 512;
        writer.write_all(&[0; 512][..padding as usize]).map_err(failed)
    }
}

/// Puts the name in the header, or in an entry of its own before it.
fn set_path<W: Write>(
    builder: &mut tar::Builder<W>,
    header: &mut tar::Header,
    name: &str,
) -> io::Result<()> {
    if header.set_path(name).is_ok() {
        return Ok(());
    }
    let mut long = tar::Header::new_gnu();
    long.set_entry_type(tar::EntryType::GNULongName);
    long.set_path("././@LongLink")?;
    long.set_mtime(0);
    long.set_size(name.len() as u64 + 1);
    long.set_cksum();
    builder.append(&long, [name.as_bytes(), b"\0"].concat().as_slice())?;
    // Readers that do not know long names still find a name that is unlike any other's.
    header.set_path(&name[..100])
}
