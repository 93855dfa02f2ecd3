//! What files of a base are as ELF: found out once in the base's life.

use debian::native::elf::Elf;
use oci::Digest;
use plan::FileReference;
use store::Store;

use crate::build::contents::Contents;
use crate::build::error::BuildError;
use crate::build::gather::Gatherer;
use crate::error::Error;

/// The kind of fact that says what a content is as ELF.
const KIND: &str = "elf";
/// The form of the record.
const VERSION: u8 = 1;

/// Reads what files are as ELF; `None` for one that is none.
pub(in crate::build) fn read_elf(
    gatherer: &Gatherer<'_>,
    files: &[FileReference],
) -> Result<Vec<(Digest, Option<Elf>)>, Error> {
    let store = gatherer.session.store()?;
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for file in files {
        let digest = file.content.digest;
        match known_elf(store, &digest)? {
            Some(elf) => found.push((digest, elf)),
            None => missing.push((digest, &file.source)),
        }
    }
    let mut contents = Contents::new(gatherer.session, &gatherer.inputs, &gatherer.facts);
    contents.prepare(&missing)?;
    for (digest, source) in missing {
        let elf = Elf::read(contents.open(&digest, source)?)
            .map_err(|source| BuildError::Read { what: digest.to_string(), source })?;
        store.record_fact(KIND, &digest, &encode(elf.as_ref()))?;
        found.push((digest, elf));
    }
    Ok(found)
}

/// What a file is as ELF, if that was found out before.
pub(in crate::build) fn known_elf(
    store: &Store,
    digest: &Digest,
) -> Result<Option<Option<Elf>>, Error> {
    Ok(store.fact(KIND, digest)?.and_then(|bytes| decode(&bytes)))
}

fn encode(elf: Option<&Elf>) -> Vec<u8> {
    let mut bytes = vec![VERSION, u8::from(elf.is_some())];
    bytes.extend(elf.iter().flat_map(|elf| elf.encode()));
    bytes
}

fn decode(bytes: &[u8]) -> Option<Option<Elf>> {
    match bytes {
        [VERSION, 0] => Some(None),
        [VERSION, 1, rest @ ..] => Elf::decode(rest).map(Some),
        _ => None,
    }
}
