//! An image's documents (index, manifest, config), wherever the image is.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use oci::{Descriptor, ImageConfig, ImageManifest, Manifest, MediaType, Platform, Reference};
use registry::Client;
use store::{REF_NAME, Store, StoreError};

use super::stored;
use crate::error::{self, Error};
use crate::flags::{LayoutName, Location, UsageError};
use crate::session::Session;
use crate::transfer;

/// An image and where its documents are.
pub(super) struct Found<'a> {
    place: Place<'a>,
    /// What it is called in messages.
    pub(super) called: String,
    /// Its manifest or index.
    pub(super) root: Manifest,
    /// Its names.
    pub(super) names: Vec<Reference>,
}

/// Where documents are.
enum Place<'a> {
    Store(&'a Store),
    Registry { session: &'a Session, client: &'a Client, reference: &'a Reference },
    Layout(PathBuf),
}

/// One image of one platform.
pub(super) struct Documents {
    /// Its manifest.
    pub(super) manifest: ImageManifest,
    /// The exact bytes of its config.
    pub(super) config_bytes: Vec<u8>,
    /// What they say.
    pub(super) config: ImageConfig,
}

/// Finds an image.
pub(super) fn find<'a>(
    typed: &str,
    location: &'a Location,
    session: &'a Session,
) -> Result<Found<'a>, Error> {
    match location {
        Location::Store(_) => in_store(typed.strip_prefix("store:").unwrap_or(typed), session),
        Location::Registry(reference) => in_registry(reference, session),
        Location::Layout(name) => in_layout(name),
        Location::DockerArchive { .. } => Err(Error::Usage(UsageError::Unsupported {
            what: "looking into an archive".to_owned(),
            instead: "load it, or copy it to oci:DIR, first",
        })),
    }
}

/// Finds an image in its registry.
pub(super) fn in_registry<'a>(
    reference: &'a Reference,
    session: &'a Session,
) -> Result<Found<'a>, Error> {
    let client = session.client()?;
    let root = session.block_on(async {
        let found = client.resolve(reference).await?;
        Ok(client.manifest(reference.repository(), found.digest).await?)
    })?;
    let place = Place::Registry { session, client, reference };
    let names = vec![reference.clone()];
    Ok(Found { place, called: reference.familiar(), root, names })
}

/// Finds an image in the store, by name or id.
pub(super) fn in_store<'a>(text: &str, session: &'a Session) -> Result<Found<'a>, Error> {
    let store = session.store()?;
    let stored = stored::find(store, text)?;
    let root = store.read_manifest(&stored.image)?;
    let place = Place::Store(store);
    Ok(Found { place, called: text.to_owned(), root, names: stored.names })
}

fn in_layout<'a>(name: &LayoutName) -> Result<Found<'a>, Error> {
    let path = name.directory.join("index.json");
    let place = path.display().to_string();
    let index = Manifest::parse(error::read(&path)?, Some(&MediaType::OciIndex))
        .map_err(|source| Error::Manifest { place: place.clone(), source })?;
    let Manifest::Index(index) = index else {
        return Err(Error::NestedIndex { image: place });
    };
    let named = |entry: &&Descriptor| match (&name.tag, &name.digest) {
        (_, Some(digest)) => entry.digest == *digest,
        (Some(tag), None) => entry.annotations.get(REF_NAME) == Some(tag),
        (None, None) => index.manifests().len() == 1,
    };
    let Some(entry) = index.manifests().iter().find(named) else {
        let names = index.manifests().iter().filter_map(|entry| entry.annotations.get(REF_NAME));
        let digest = name.digest.map(|digest| digest.to_string());
        let wanted = digest.or_else(|| name.tag.clone()).unwrap_or_else(|| "the only".to_owned());
        let (place, available) = (name.directory.clone(), names.cloned().collect());
        return Err(StoreError::UnknownImage { wanted, place, available }.into());
    };
    let place = Place::Layout(name.directory.clone());
    let called = format!("oci:{}", name.directory.display());
    let root = place.manifest(entry, &called)?;
    Ok(Found { place, called, root, names: Vec::new() })
}

impl Found<'_> {
    /// The image for `platform`; where none is asked for, this machine's, and else the first that
    /// is at hand.
    pub(super) fn image(&self, platform: Option<&Platform>) -> Result<Documents, Error> {
        let manifest = match &self.root {
            Manifest::Image(image) => image.clone(),
            Manifest::Index(index) => {
                let own = transfer::default_platform();
                let here = |entry: &&Descriptor| self.place.has(entry);
                let first = || index.manifests().iter().find(here);
                let entry = match platform {
                    Some(platform) => transfer::select(index, platform, &self.called)?,
                    None => match index.select(&own).filter(here).or_else(first) {
                        Some(entry) => entry,
                        None => transfer::select(index, &own, &self.called)?,
                    },
                };
                match self.place.manifest(entry, &self.called)? {
                    Manifest::Image(image) => image,
                    Manifest::Index(_) => {
                        return Err(Error::NestedIndex { image: self.called.clone() });
                    }
                }
            }
        };
        let config_bytes = self.place.read(manifest.config(), &self.called)?;
        let config = ImageConfig::parse(&config_bytes)
            .map_err(|source| Error::Config { image: self.called.clone(), source })?;
        Ok(Documents { manifest, config_bytes, config })
    }
}

/// What becomes of a layer that is not at hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Absent {
    /// It is left where it is.
    Left,
    /// It is brought into the store.
    Fetched,
}

impl Found<'_> {
    /// A layer's blob, if it is at hand or was to be fetched.
    pub(super) fn layer(
        &self,
        layer: &Descriptor,
        absent: Absent,
        session: &Session,
    ) -> Result<Option<Box<dyn Read + Send>>, Error> {
        if let Place::Layout(directory) = &self.place {
            let path = blob_path(directory, layer);
            return match File::open(&path) {
                Err(source) if source.kind() == std::io::ErrorKind::NotFound => Ok(None),
                opened => Ok(Some(Box::new(opened.map_err(Error::reading(&path))?))),
            };
        }
        let store = session.store()?;
        if store.contains(&layer.digest)?.is_none() {
            if absent == Absent::Left {
                return Ok(None);
            }
            let sources = match &self.place {
                Place::Registry { reference, .. } => vec![reference.repository().clone()],
                _ => store.remote_sources(&layer.digest)?,
            };
            if sources.is_empty() {
                return Ok(None);
            }
            let wanted = vec![(layer.clone(), sources)];
            let client = session.client()?;
            let progress = &session.progress;
            session.block_on(transfer::download_all(store, client, wanted, progress))?;
        }
        Ok(Some(Box::new(store.open_blob(&layer.digest)?)))
    }
}

fn blob_path(layout: &std::path::Path, blob: &Descriptor) -> PathBuf {
    layout.join("blobs").join(blob.digest.algorithm().name()).join(blob.digest.hex())
}

impl Place<'_> {
    fn has(&self, entry: &Descriptor) -> bool {
        match self {
            Place::Store(store) => store.contains(&entry.digest).is_ok_and(|size| size.is_some()),
            Place::Registry { .. } | Place::Layout(_) => true,
        }
    }

    fn manifest(&self, entry: &Descriptor, called: &str) -> Result<Manifest, Error> {
        match self {
            Place::Store(store) => Ok(store.read_manifest(entry)?),
            Place::Registry { session, client, reference } => session.block_on(async {
                Ok(client.manifest(reference.repository(), entry.digest).await?)
            }),
            Place::Layout(_) => {
                let bytes = self.read(entry, called)?;
                let place = format!("manifest {}", entry.digest);
                Manifest::parse(bytes, Some(&entry.media_type))
                    .map_err(|source| Error::Manifest { place, source })
            }
        }
    }

    /// Reads a small document, verified.
    fn read(&self, document: &Descriptor, called: &str) -> Result<Vec<u8>, Error> {
        let too_large = || {
            let size = document.size;
            let source = oci::ManifestError::TooLarge { size };
            Error::Manifest { place: format!("a document of `{called}`"), source }
        };
        match self {
            Place::Store(store) => Ok(store.read(document)?),
            _ if document.size > oci::MAX_MANIFEST_BYTES => Err(too_large()),
            Place::Registry { session, client, reference } => session.block_on(async {
                let mut bytes = Vec::new();
                let repository = reference.repository();
                let mut fetched = client.blob(repository, document, &mut bytes).await;
                // It was told, and the mirror is passed over from now on.
                while let Err(registry::Error::DamagedMirror { .. }) = &fetched {
                    bytes.clear();
                    fetched = client.blob(repository, document, &mut bytes).await;
                }
                fetched?;
                Ok(bytes)
            }),
            Place::Layout(directory) => {
                let bytes = error::read(&blob_path(directory, document))?;
                let mut digester = oci::Digester::new(document.digest.algorithm());
                digester.update(&bytes);
                let (expected, actual) = (document.digest, Box::new(digester.finish()));
                if *actual != expected {
                    return Err(StoreError::DigestMismatch { expected, actual }.into());
                }
                Ok(bytes)
            }
        }
    }
}
