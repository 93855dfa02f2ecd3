//! `save` and `load`: images in and out of archives.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use store::exchange::{self, Export, Imported, Wanted};

use super::stored;
use crate::environment::Reader;
use crate::error::Error;
use crate::flags::{ArchiveFormat, Destination, LoadArguments, SaveArguments};
use crate::session::Session;
use crate::transfer;

/// Writes images to an archive.
pub(super) fn save(arguments: &SaveArguments, session: &Session) -> Result<(), Error> {
    let to_terminal = session.environment.stdout == Reader::Terminal;
    if arguments.destination == Destination::Stdout && to_terminal {
        return Err(Error::ArchiveToTerminal);
    }
    let store = session.store()?;
    let mut exports = Vec::new();
    for text in &arguments.images {
        let found = stored::find(store, text)?;
        bring_missing(&found.image, session)?;
        exports.push(Export::of(found.name.as_ref(), found.image));
    }
    write(&exports, arguments.format, &arguments.destination, session)
}

/// Downloads what an image lacks in the store, so that all of it can be written.
pub(super) fn bring_missing(image: &oci::Descriptor, session: &Session) -> Result<(), Error> {
    let store = session.store()?;
    if store.missing(image)?.is_empty() {
        return Ok(());
    }
    let client = session.client()?;
    session.block_on(transfer::fetch(store, client, image, &session.progress))
}

/// Writes an archive.
pub(super) fn write(
    exports: &[Export],
    format: ArchiveFormat,
    destination: &Destination,
    session: &Session,
) -> Result<(), Error> {
    let format = match format {
        ArchiveFormat::Docker => exchange::ArchiveFormat::Docker,
        ArchiveFormat::Oci => exchange::ArchiveFormat::Oci,
    };
    let store = session.store()?;
    match destination {
        Destination::File(path) => Ok(exchange::save_archive(store, exports, format, path)?),
        Destination::Stdout => {
            let writer = BufWriter::new(std::io::stdout().lock());
            let place = Path::new("standard output");
            Ok(exchange::write_archive(store, exports, format, writer, place)?)
        }
    }
}

/// Reads images from an archive.
pub(super) fn load(arguments: &LoadArguments, session: &Session) -> Result<(), Error> {
    let loaded = read(arguments.input.as_deref(), &Wanted::All, session)?;
    let store = session.store()?;
    let mut answer = String::new();
    for image in loaded {
        match image.reference() {
            Some(reference) => {
                let reference = reference.or_latest();
                store.tag(&reference, &image.image)?;
                answer.push_str(&format!("Loaded image: {}\n", reference.familiar()));
            }
            None => {
                store.add(&image.image)?;
                answer.push_str(&format!("Loaded image ID: {}\n", image.image.digest));
            }
        }
    }
    session.answer(answer.as_bytes())
}

/// Takes images from an archive into the store, where they are not listed yet.
pub(super) fn read(
    file: Option<&Path>,
    wanted: &Wanted,
    session: &Session,
) -> Result<Vec<Imported>, Error> {
    let store = session.store()?;
    match file {
        Some(path) => {
            let reader = File::open(path).map_err(Error::reading(path))?;
            Ok(exchange::read_archive(store, reader, path, wanted)?)
        }
        None => {
            let place = Path::new("standard input");
            Ok(exchange::read_archive(store, std::io::stdin().lock(), place, wanted)?)
        }
    }
}
