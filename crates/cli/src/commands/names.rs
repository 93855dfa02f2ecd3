//! `tag` and `rmi`: names of images in the store.

use store::StoreError;

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
    let mut store = session.own_store()?;
    // All are found before the first goes: a mistyped name removes nothing.
    let mut names = Vec::new();
    for text in &arguments.images {
        let found = stored::find(&store, text)?;
        match (found.name, found.names.as_slice()) {
            (Some(name), _) => names.push(name),
            (None, []) => {
                let (wanted, available) = (text.clone(), Vec::new());
                let place = store.root().to_owned();
                return Err(StoreError::UnknownImage { wanted, place, available }.into());
            }
            (None, several) if several.len() > 1 && arguments.removal == Removal::OneName => {
                let names = several.iter().map(|name| name.familiar()).collect();
                return Err(Error::SeveralNames { image: text.clone(), names });
            }
            (None, all) => names.extend(all.iter().cloned()),
        }
    }
    let mut answer = String::new();
    for name in names {
        let removed = store.remove(&name)?;
        answer.push_str(&format!("Untagged: {}\n", name.familiar()));
        for (digest, _) in removed.deleted {
            answer.push_str(&format!("Deleted: {digest}\n"));
        }
    }
    session.answer(answer.as_bytes())
}
