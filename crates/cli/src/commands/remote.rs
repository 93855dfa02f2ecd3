//! `push` and `pull`: images between the store and their registries.

use oci::{Descriptor, Reference};
use store::{Store, StoreError};

use crate::error::Error;
use crate::flags::{PullArguments, PushArguments, Pushed};
use crate::session::Session;
use crate::transfer;

/// Uploads images to the registry that their names say.
pub(super) fn push(arguments: &PushArguments, session: &Session) -> Result<(), Error> {
    let store = session.store()?;
    match &arguments.pushed {
        Pushed::Image(reference) => {
            let found = store.resolve(reference)?;
            let image = found.ok_or_else(|| unknown(store, reference.familiar()))?;
            push_one(&image, reference, session)?;
            session.answer(format!("{}\n", image.digest).as_bytes())
        }
        Pushed::AllTags(repository) => {
            let mut images = Vec::new();
            for listed in store.images()? {
                let name = listed.reference().filter(|name| name.repository() == repository);
                images.extend(name.map(|name| (name, listed.descriptor)));
            }
            if images.is_empty() {
                return Err(unknown(store, repository.familiar()));
            }
            for (name, image) in images {
                push_one(&image, &name, session)?;
                session.answer(format!("{}@{}\n", name.familiar(), image.digest).as_bytes())?;
            }
            Ok(())
        }
    }
}

fn push_one(image: &Descriptor, reference: &Reference, session: &Session) -> Result<(), Error> {
    let (store, client) = (session.store()?, session.client()?);
    let pushing = transfer::push(store, client, image, reference, &session.progress);
    session.block_on(pushing).map(drop)
}

fn unknown(store: &Store, wanted: String) -> Error {
    let listed = store.images().unwrap_or_default();
    let available = listed.into_iter().filter_map(|listed| listed.name).collect();
    StoreError::UnknownImage { wanted, place: store.root().to_owned(), available }.into()
}

/// Downloads an image to the store, under its name.
pub(super) fn pull(arguments: &PullArguments, session: &Session) -> Result<(), Error> {
    let store = session.store()?;
    let client = session.client()?;
    let (reference, platforms) = (&arguments.image, &arguments.platforms);
    let pulling = transfer::pull(store, client, reference, platforms, &session.progress);
    let pulled = session.block_on(pulling)?;
    store.tag(reference, &pulled.root)?;
    session.answer(format!("{}\n", pulled.root.digest).as_bytes())
}
