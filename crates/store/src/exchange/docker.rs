//! What `docker save` writes, turned into OCI images.
//!
//! Docker's archive has no manifests, so each image gets one: over the config's exact bytes, and
//! over the layers as they are, plain or compressed, once their diff ids agree with the config.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use oci::{
    Compression, Descriptor, DiffId, Digester, ImageConfig, ImageManifest, MediaType, Reference,
};
use serde::Deserialize;

use super::intake::{copy, publish, read_sealed, unknown};
use super::read_archive::{GZIP_MAGIC, bad};
use super::{Imported, Wanted};
use crate::scratch::Sealed;
use crate::{Store, StoreError};

/// An archive's `manifest.json`, and the files that it names.
pub(super) struct DockerArchive {
    pub(super) images: Vec<DockerImage>,
    pub(super) files: BTreeMap<String, Sealed>,
    pub(super) links: BTreeMap<String, String>,
}

/// An entry of `manifest.json` (moby's `image/spec/v1.2.md`, "Combined Image JSON").
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DockerImage {
    config: String,
    /// Go writes `null` for none.
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    layers: Vec<String>,
}

/// How many links are followed, one to the next.
const MAX_LINKS: usize = 8;

/// RFC 8878, 3.1.1.
const ZSTD_MAGIC: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// Takes in the wanted images of an archive.
pub(super) fn take_in_docker(
    store: &Store,
    mut archive: DockerArchive,
    wanted: &Wanted,
    place: &Path,
) -> Result<Vec<Imported>, StoreError> {
    let mut imported = Vec::new();
    let mut sealed = Vec::new();
    let mut used = BTreeSet::new();
    let mut available = Vec::new();
    for image in std::mem::take(&mut archive.images) {
        let manifest = archive.manifest(&image)?;
        let tags = image.repo_tags.unwrap_or_default();
        available.extend(tags.iter().cloned());
        let named = tags.iter().map(|tag| Some(tag.as_str()));
        let names: Vec<Option<&str>> = if tags.is_empty() { vec![None] } else { named.collect() };
        let digest = manifest.digest();
        let before = imported.len();
        for name in names.into_iter().filter(|name| wanted.matches(*name, &digest)) {
            // Docker's short names are for people; what is recorded is the full one.
            let full = name.and_then(|name| name.parse().ok()).map(Reference::or_latest);
            let name = full.map(|full| full.to_string()).or_else(|| name.map(str::to_owned));
            imported.push(Imported { name, image: manifest.descriptor() });
        }
        if imported.len() > before {
            let paths = image.layers.iter().chain([&image.config]);
            used.extend(paths.map(|path| archive.follow(path)));
            let mut scratch = store.scratch()?;
            scratch.write_all(manifest.bytes()).map_err(StoreError::io("write", scratch.path()))?;
            sealed.push(scratch.seal(digest, manifest.bytes().len() as u64)?);
        }
    }
    if imported.is_empty() {
        return Err(unknown(wanted, place, available));
    }
    let needed = archive.files.into_iter().filter(|(name, _)| used.contains(name));
    sealed.extend(needed.map(|(_, file)| file));
    publish(sealed)?;
    Ok(imported)
}

impl DockerArchive {
    fn manifest(&self, image: &DockerImage) -> Result<ImageManifest, StoreError> {
        let file = self.file(&image.config)?;
        let bytes = read_sealed(file)?;
        let config = ImageConfig::parse(&bytes)
            .map_err(|source| StoreError::Config { digest: file.digest(), source })?;
        let diff_ids = config.diff_ids();
        if diff_ids.len() != image.layers.len() {
            return Err(bad(&image.config, "it lists more or fewer layers than `manifest.json`"));
        }
        let layers: Result<Vec<Descriptor>, StoreError> = image
            .layers
            .iter()
            .zip(&diff_ids)
            .map(|(path, diff_id)| layer(path, self.file(path)?, diff_id))
            .collect();
        let config = Descriptor::new(MediaType::OciConfig, file.digest(), file.size());
        Ok(ImageManifest::new(config, layers?, BTreeMap::new()))
    }

    fn file(&self, path: &str) -> Result<&Sealed, StoreError> {
        self.files
            .get(&self.follow(path))
            .ok_or_else(|| bad(path, "`manifest.json` names it, and it is not there"))
    }

    /// The file that a name means, where links lead.
    fn follow(&self, path: &str) -> String {
        let mut path = path.trim_start_matches("./").to_owned();
        for _ in 0..MAX_LINKS {
            match self.links.get(&path) {
                Some(target) => path.clone_from(target),
                None => break,
            }
        }
        path
    }
}

/// The descriptor of a layer whose content is what the config says.
fn layer(path: &str, file: &Sealed, diff_id: &DiffId) -> Result<Descriptor, StoreError> {
    let (compression, actual) = diff_id_of(file, diff_id)?;
    if actual != *diff_id {
        let (expected, actual) = (diff_id.0, Box::new(actual.0));
        return Err(StoreError::DiffIdMismatch { entry: path.to_owned(), expected, actual });
    }
    Ok(Descriptor::new(MediaType::OciLayer(compression), file.digest(), file.size()))
}

fn diff_id_of(file: &Sealed, expected: &DiffId) -> Result<(Compression, DiffId), StoreError> {
    // A plain layer was hashed when it was read.
    if file.digest() == expected.0 {
        return Ok((Compression::None, *expected));
    }
    let path = file.path();
    let open = File::open(path).map_err(StoreError::io("open", path))?;
    let mut reader = BufReader::with_capacity(256 * 1024, open);
    let start = reader.fill_buf().map_err(StoreError::io("read", path))?;
    if start.starts_with(GZIP_MAGIC) {
        Ok((Compression::Gzip, hash(MultiGzDecoder::new(reader), path)?))
    } else if start.starts_with(ZSTD_MAGIC) {
        let decoder = zstd::Decoder::with_buffer(reader).map_err(StoreError::io("read", path))?;
        Ok((Compression::Zstd, hash(decoder, path)?))
    } else {
        Ok((Compression::None, DiffId(file.digest())))
    }
}

fn hash(mut reader: impl Read, path: &Path) -> Result<DiffId, StoreError> {
    let mut digester = Digester::sha256();
    copy(&mut reader, path, &mut digester)?;
    Ok(DiffId(digester.finish()))
}
