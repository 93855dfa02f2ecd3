//! `copy`: an image from one place to another.

use oci::{Descriptor, Manifest, Reference};
use store::StoreError;
use store::exchange::{self, Export, Imported, Wanted};

use super::{archive, stored};
use crate::error::Error;
use crate::flags::{
    ArchiveFormat, CopyArguments, CopyPlatforms, Destination, LayoutName, Location, UsageError,
};
use crate::session::Session;
use crate::transfer::{self, Chosen, Relay};

/// Copies an image.
pub(super) fn copy(arguments: &CopyArguments, session: &Session) -> Result<(), Error> {
    let CopyArguments { source, destination, platforms, referrers } = arguments;
    let copied = match (source, destination) {
        // From registry to registry the store has no part.
        (Location::Registry(source), Location::Registry(target)) => {
            let client = session.client()?;
            let relay = Relay { source, target, platforms, referrers: *referrers };
            session.block_on(transfer::relay(client, &relay, &session.progress))?
        }
        _ => {
            let (image, name) = take(source, platforms, session)?;
            give(&image, name, destination, session)?;
            image
        }
    };
    session.answer(format!("{}\n", copied.digest).as_bytes())
}

/// Brings the image into the store, without naming it there.
fn take(
    source: &Location,
    platforms: &CopyPlatforms,
    session: &Session,
) -> Result<(Descriptor, Option<Reference>), Error> {
    let store = session.store()?;
    let (image, name) = match source {
        Location::Registry(reference) => {
            let client = session.client()?;
            let pulling = transfer::pull(store, client, reference, platforms, &session.progress);
            let pulled = session.block_on(pulling)?;
            let image = pulled.chosen.unwrap_or(pulled.root);
            return Ok((image, Some(reference.clone())));
        }
        Location::Store(reference) => {
            let found = stored::find(store, &reference.to_string())?;
            (found.image, found.name)
        }
        Location::Layout(name) => {
            let wanted = match (&name.digest, &name.tag) {
                (Some(digest), _) => Wanted::Digest(*digest),
                (None, Some(tag)) => Wanted::Name(tag.clone()),
                (None, None) => Wanted::All,
            };
            let found = exchange::read_layout(store, &name.directory, &wanted)?;
            only(found, &name.directory)?
        }
        Location::DockerArchive { file, name } => {
            let wanted = match name {
                Some(name) => Wanted::Name(name.to_string()),
                None => Wanted::All,
            };
            only(archive::read(Some(file), &wanted, session)?, file)?
        }
    };
    Ok((chosen(image, platforms, session)?, name))
}

/// The one image that was found; of several, the name of one has to be given.
fn only(
    found: Vec<Imported>,
    place: &std::path::Path,
) -> Result<(Descriptor, Option<Reference>), Error> {
    let digests: std::collections::BTreeSet<_> =
        found.iter().map(|imported| imported.image.digest).collect();
    match found.first() {
        Some(imported) if digests.len() == 1 => Ok((imported.image.clone(), imported.reference())),
        _ => {
            let available = found.into_iter().filter_map(|imported| imported.name).collect();
            let (wanted, place) = ("the only image".to_owned(), place.to_owned());
            Err(StoreError::UnknownImage { wanted, place, available }.into())
        }
    }
}

/// What of an image in the store was asked for.
fn chosen(
    image: Descriptor,
    platforms: &CopyPlatforms,
    session: &Session,
) -> Result<Descriptor, Error> {
    let store = session.store()?;
    let Manifest::Index(index) = store.read_manifest(&image)? else { return Ok(image) };
    match transfer::choose(&index, platforms, &image.digest.short())? {
        Chosen::Whole => Ok(image),
        Chosen::Image(entry) => Ok(entry),
        Chosen::Index(rest) => {
            store.put(rest.bytes())?;
            Ok(rest.descriptor())
        }
    }
}

/// Brings an image of the store to its destination.
fn give(
    image: &Descriptor,
    name: Option<Reference>,
    destination: &Location,
    session: &Session,
) -> Result<(), Error> {
    let store = session.store()?;
    match destination {
        Location::Registry(target) => {
            let client = session.client()?;
            let pushing = transfer::push(store, client, image, target, &session.progress);
            session.block_on(pushing).map(drop)
        }
        Location::Store(target) => Ok(store.tag(target, image)?),
        Location::Layout(layout) => {
            archive::bring_missing(image, session)?;
            let export = Export { name: layout_name(layout)?, image: image.clone() };
            Ok(exchange::write_layout(store, &[export], &layout.directory)?)
        }
        Location::DockerArchive { file, name: new } => {
            archive::bring_missing(image, session)?;
            let reference = new.clone().or(name);
            let export = Export::of(reference.as_ref(), image.clone());
            let destination = Destination::File(file.clone());
            archive::write(&[export], ArchiveFormat::Docker, &destination, session)
        }
    }
}

/// The name that an image gets in a layout.
fn layout_name(layout: &LayoutName) -> Result<Option<String>, Error> {
    if let Some(digest) = layout.digest {
        return Err(Error::Usage(UsageError::Conflict {
            first: "a destination".to_owned(),
            second: format!("the digest {}", digest.short()),
            instead: "leave the digest out: it follows from the image",
        }));
    }
    Ok(layout.tag.clone())
}
