//! `tag` and `rmi`: names of images in the store, and names in registries that go.

use oci::Reference;
use registry::{Collateral, Removed};

use super::stored;
use crate::error::Error;
use crate::flags::{Removal, RmiArguments, TagArguments};
use crate::session::Session;

/// Gives an image another name.
pub(super) fn tag(arguments: &TagArguments, session: &Session) -> Result<(), Error> {
    let store = session.store()?;
    let found = stored::find(store, &arguments.source)?;
    Ok(store.tag(&arguments.target, &found.image)?)
}

/// Takes names away, and removes what nothing names any more.
pub(super) fn rmi(arguments: &RmiArguments, session: &Session) -> Result<(), Error> {
    match arguments {
        RmiArguments::Store { images, removal } => from_store(images, *removal, session),
        RmiArguments::Registry { images, collateral } => {
            from_registry(images, *collateral, session)
        }
    }
}

fn from_registry(
    images: &[Reference],
    collateral: Collateral,
    session: &Session,
) -> Result<(), Error> {
    let client = session.client()?;
    for image in images {
        let removed = session.block_on(async { Ok(client.remove(image, collateral).await?) })?;
        let mut answer = String::new();
        match removed {
            Removed::Tag => answer.push_str(&format!("Untagged: {}\n", image.familiar())),
            Removed::Manifest { digest, tags } => {
                for tag in tags {
                    answer.push_str(&format!("Untagged: {}\n", image.with_tag(tag).familiar()));
                }
                answer.push_str(&format!("Deleted: {digest}\n"));
            }
        }
        // What is gone is said at once: the next may fail.
        session.answer(answer.as_bytes())?;
    }
    Ok(())
}

fn from_store(images: &[String], removal: Removal, session: &Session) -> Result<(), Error> {
    let mut store = session.own_store()?;
    // All are found before the first goes: a mistyped name removes nothing.
    let mut wanted = Vec::new();
    for text in images {
        let found = stored::find(&store, text)?;
        if found.name.is_none() && found.names.len() > 1 && removal == Removal::OneName {
            let names = found.names.iter().map(Reference::familiar).collect();
            return Err(Error::SeveralNames { image: text.clone(), names });
        }
        wanted.push(found);
    }
    let mut answer = String::new();
    for found in wanted {
        let (names, removed) = match found.name {
            Some(name) => (vec![name.clone()], store.remove(&name)?),
            None => (found.names, store.remove_image(&found.image.digest)?),
        };
        for name in names {
            answer.push_str(&format!("Untagged: {}\n", name.familiar()));
        }
        for (digest, _) in removed.deleted {
            answer.push_str(&format!("Deleted: {digest}\n"));
        }
    }
    session.answer(answer.as_bytes())
}
