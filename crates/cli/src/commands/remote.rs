//! `push` and `pull`: images between the store and their registries.

use store::StoreError;

use crate::error::Error;
use crate::flags::{PullArguments, PushArguments};
use crate::session::Session;
use crate::transfer;

/// Uploads an image to the registry that its name says.
pub(super) fn push(arguments: &PushArguments, session: &Session) -> Result<(), Error> {
    let store = session.store()?;
    let reference = &arguments.image;
    let Some(image) = store.resolve(reference)? else {
        let names = store.images()?.into_iter().filter_map(|listed| listed.name);
        let (wanted, available) = (reference.familiar(), names.collect());
        let place = store.root().to_owned();
        return Err(StoreError::UnknownImage { wanted, place, available }.into());
    };
    let client = session.client()?;
    session.block_on(transfer::push(store, client, &image, reference, &session.progress))?;
    session.answer(format!("{}\n", image.digest).as_bytes())
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
