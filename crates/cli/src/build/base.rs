//! Base images: their manifests and configs, and their layers only when something in them is asked
//! for.

use std::io::Read;

use layer::Limits;
use oci::{Descriptor, ImageConfig, ImageManifest, Manifest, Platform, Reference, RepositoryName};
use plan::{BaseImage, Holder};

use super::cache::RegistryCache;
use super::error::BuildError;
use crate::error::{Doing, Error};
use crate::flags::{BasePull, LayoutName};
use crate::session::Session;
use crate::transfer;

/// Below `localhost`: the names of images that come from layouts.
const LAYOUT_CONTEXTS: &str = "plywood-context/";

/// Whether a reference is to an image that came from a layout on this machine.
pub(super) fn is_layout_context(reference: &Reference) -> bool {
    reference.registry() == "localhost"
        && reference.repository().path().starts_with(LAYOUT_CONTEXTS)
}

/// Finds a base image: in the store, else in its registry, of which then manifest and config are
/// brought into the store and the layers are not.
pub(super) fn find(
    session: &Session,
    cache: &mut RegistryCache,
    reference: &Reference,
    platform: &Platform,
    pull: BasePull,
) -> Result<BaseImage, Error> {
    let target = about(reference, target(session, reference, pull))?;
    if session.store()?.contains(&target.digest)?.is_none() {
        cache.base(session, &target.digest, platform)?;
    }
    let (descriptor, manifest) = match about(reference, read_manifest(session, reference, &target))?
    {
        Manifest::Image(manifest) => (target.clone(), manifest),
        Manifest::Index(index) => {
            let chosen = transfer::select(&index, platform, &reference.familiar())?;
            match about(reference, read_manifest(session, reference, chosen))? {
                Manifest::Image(manifest) => (chosen.clone(), manifest),
                Manifest::Index(_) => {
                    return Err(Error::NestedIndex { image: reference.familiar() });
                }
            }
        }
    };
    let config = about(reference, read_config(session, reference, &manifest))?;
    check(reference, platform, &manifest, &config)?;
    remember(session, reference, &target, &manifest)?;
    let layers = manifest.layers().to_vec();
    Ok(BaseImage { manifest: descriptor, target, config, layers })
}

/// Says which image an error was about, unless the error does.
fn about<T>(reference: &Reference, result: Result<T, Error>) -> Result<T, Error> {
    match result {
        Err(error @ (Error::Config { .. } | Error::Build(_)))
        | Err(error @ Error::Registry(registry::Error::ManifestNotFound { .. })) => Err(error),
        other => other.doing(|| format!("read the image `{}`", reference.familiar())),
    }
}

/// What the reference names now, or named when the store took it in.
fn target(session: &Session, reference: &Reference, pull: BasePull) -> Result<Descriptor, Error> {
    let stored = session.store()?.resolve(reference)?;
    match stored {
        Some(stored) if pull == BasePull::WhenMissing || reference.digest().is_some() => Ok(stored),
        _ => {
            let client = session.client()?;
            session.block_on(async { Ok(client.resolve(reference).await?) })
        }
    }
}

fn read_manifest(
    session: &Session,
    reference: &Reference,
    descriptor: &Descriptor,
) -> Result<Manifest, Error> {
    let store = session.store()?;
    if store.contains(&descriptor.digest)?.is_some() {
        return Ok(store.read_manifest(descriptor)?);
    }
    let client = session.client()?;
    let fetched = async { Ok(client.manifest(reference.repository(), descriptor.digest).await?) };
    let manifest = session.block_on(fetched)?;
    store.put(manifest.bytes())?;
    if let Manifest::Index(index) = &manifest {
        for child in index.manifests() {
            store.record_remote(&child.digest, reference.repository())?;
        }
    }
    Ok(manifest)
}

fn read_config(
    session: &Session,
    reference: &Reference,
    manifest: &ImageManifest,
) -> Result<ImageConfig, Error> {
    let store = session.store()?;
    let descriptor = manifest.config();
    if !matches!(descriptor.media_type, oci::MediaType::OciConfig | oci::MediaType::DockerConfig) {
        return Err(BuildError::NotAnImage(reference.clone()).into());
    }
    if store.contains(&descriptor.digest)?.is_none() {
        fetch_blob(session, descriptor, Some(reference.repository()))?;
    }
    let bytes = store.read(descriptor)?;
    let parsed = ImageConfig::parse(&bytes);
    parsed.map_err(|source| Error::Config { image: reference.familiar(), source })
}

fn check(
    reference: &Reference,
    platform: &Platform,
    manifest: &ImageManifest,
    config: &ImageConfig,
) -> Result<(), Error> {
    let found = config.platform();
    if !found.architecture.is_empty() && !found.satisfies(platform) {
        let (image, wanted) = (reference.familiar(), platform.clone());
        return Err(Error::NoMatchingPlatform { image, wanted, available: vec![found] });
    }
    let (layers, diff_ids) = (manifest.layers().len(), config.diff_ids().len());
    if layers != diff_ids {
        let reference = reference.clone();
        return Err(BuildError::LayerCount { reference, layers, diff_ids }.into());
    }
    Ok(())
}

/// Lets the store know where the layers are that it does not have, and what the reference named.
fn remember(
    session: &Session,
    reference: &Reference,
    target: &Descriptor,
    manifest: &ImageManifest,
) -> Result<(), Error> {
    let store = session.store()?;
    if store.resolve(reference)?.is_some_and(|known| known.digest == target.digest) {
        return Ok(());
    }
    for layer in manifest.layers() {
        if store.contains(&layer.digest)?.is_none() {
            store.record_remote(&layer.digest, reference.repository())?;
        }
    }
    Ok(store.tag(reference, target)?)
}

/// Sees to it that a layer is in the store.
pub(super) fn bring_layer(
    session: &Session,
    descriptor: &Descriptor,
    holder: &Holder,
) -> Result<(), Error> {
    if session.store()?.contains(&descriptor.digest)?.is_some() {
        return Ok(());
    }
    let repository = match holder {
        Holder::Image(reference) => Some(reference.repository()),
        Holder::Build => None,
    };
    let doing = || format!("bring layer {} of {holder}", descriptor.digest.short());
    fetch_blob(session, descriptor, repository).doing(doing)
}

/// Sees to it that a layer is in the store that is known to be somewhere.
pub(super) fn bring_known_layer(session: &Session, descriptor: &Descriptor) -> Result<(), Error> {
    if session.store()?.contains(&descriptor.digest)?.is_some() {
        return Ok(());
    }
    fetch_blob(session, descriptor, None)
}

/// Downloads a blob from `first`, or from where else the store knows it to be.
fn fetch_blob(
    session: &Session,
    descriptor: &Descriptor,
    first: Option<&RepositoryName>,
) -> Result<(), Error> {
    let store = session.store()?;
    let mut sources: Vec<RepositoryName> = first.cloned().into_iter().collect();
    let known = store.remote_sources(&descriptor.digest)?;
    sources.extend(known.into_iter().filter(|source| Some(source) != first));
    let wanted = vec![(descriptor.clone(), sources)];
    let client = session.client()?;
    session.block_on(transfer::download_all(store, client, wanted, &session.progress))
}

/// The tar of a layer that the store has.
pub(super) fn open_layer(
    session: &Session,
    descriptor: &Descriptor,
) -> Result<Box<dyn Read + Send>, Error> {
    let blob = session.store()?.open_blob(&descriptor.digest)?;
    let compression = descriptor.media_type.layer_compression().unwrap_or(oci::Compression::Gzip);
    let tar = layer::decompress(blob, compression, &Limits::default());
    // Who reads it hashes it, which takes about as long as unpacking.
    let tar = tar.and_then(layer::read_ahead);
    Ok(Box::new(tar.map_err(|source| BuildError::Read {
        what: format!("layer {}", descriptor.digest),
        source,
    })?))
}

/// Takes an image of an OCI layout into the store, under a name of its own.
pub(super) fn import_layout(
    session: &Session,
    name: &str,
    layout: &LayoutName,
) -> Result<Reference, Error> {
    let wanted = match (&layout.digest, &layout.tag) {
        (Some(digest), _) => store::exchange::Wanted::Digest(*digest),
        (None, Some(tag)) => store::exchange::Wanted::Name(tag.to_string()),
        (None, None) => store::exchange::Wanted::All,
    };
    let imported = store::exchange::read_layout(session.store()?, &layout.directory, &wanted)?;
    let [image] = imported.as_slice() else {
        let problem = format!("the layout has {} images", imported.len());
        return Err(BuildError::NamedContext { name: name.to_owned(), problem }.into());
    };
    let descriptor = image.image.clone();
    let text = format!("localhost/{LAYOUT_CONTEXTS}{}", name.to_ascii_lowercase());
    let reference: Reference = text.parse()?;
    let reference = reference.with_digest(descriptor.digest);
    session.store()?.tag(&reference, &descriptor)?;
    Ok(reference)
}
