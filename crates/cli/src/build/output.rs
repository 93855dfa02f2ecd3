//! Brings a built image where it is to go, and says what it is called.

use std::io::{ErrorKind, Write};
use std::path::Path;

use image::Image;
use oci::{Descriptor, Reference};
use serde_json::json;
use store::exchange::{ArchiveFormat, Export};

use super::whole_file;
use crate::error::{Doing, Error};
use crate::flags::{BuildArguments, Destination, Output};
use crate::session::Session;
use crate::transfer;

/// Delivers the image, whose blobs are in the store, to every output.
pub(super) fn deliver(
    session: &Session,
    arguments: &BuildArguments,
    root: &Descriptor,
) -> Result<(), Error> {
    for output in &arguments.outputs {
        match output {
            Output::Store(names) => {
                for name in names {
                    session.store()?.tag(name, root)?;
                }
            }
            Output::Registry(names) => {
                for name in names {
                    push(session, root, name).doing(|| format!("push `{}`", name.familiar()))?;
                    session.store()?.tag(name, root)?;
                }
            }
            Output::OciLayout { directory, names } => {
                complete(session, root)?;
                store::exchange::write_layout(session.store()?, &exports(root, names), directory)?;
            }
            Output::OciArchive { destination, names } => {
                archive(session, root, names, ArchiveFormat::Oci, destination)?;
            }
            Output::DockerArchive { destination, names } => {
                archive(session, root, names, ArchiveFormat::Docker, destination)?;
            }
            Output::Tar(destination) => super::files::tar(session, root, destination)?,
            Output::Local(directory) => super::files::local(session, root, directory)?,
        }
    }
    Ok(())
}

fn push(session: &Session, root: &Descriptor, name: &Reference) -> Result<(), Error> {
    let (store, client) = (session.store()?, session.client()?);
    let pushed = transfer::push(store, client, root, name, &session.progress);
    session.block_on(async { pushed.await.map(drop) })
}

/// The image under each of its names, or under none.
fn exports(root: &Descriptor, names: &[Reference]) -> Vec<Export> {
    let export = |reference| Export::of(reference, root.clone());
    if names.is_empty() {
        return vec![export(None)];
    }
    names.iter().map(Some).map(export).collect()
}

/// Writes an archive. Layers that were never needed here are fetched for it.
fn archive(
    session: &Session,
    root: &Descriptor,
    names: &[Reference],
    format: ArchiveFormat,
    destination: &Destination,
) -> Result<(), Error> {
    complete(session, root)?;
    let store = session.store()?;
    let images = exports(root, names);
    match destination {
        Destination::Stdout => {
            let stdout = std::io::stdout().lock();
            store::exchange::write_archive(
                store,
                &images,
                format,
                stdout,
                Path::new("standard output"),
            )?;
        }
        Destination::File(path) => store::exchange::save_archive(store, &images, format, path)?,
    }
    Ok(())
}

/// Sees to it that the store has the whole image.
fn complete(session: &Session, root: &Descriptor) -> Result<(), Error> {
    let store = session.store()?;
    if store.missing(root)?.is_empty() {
        return Ok(());
    }
    let client = session.client()?;
    session.block_on(transfer::fetch(store, client, root, &session.progress))
}

/// Writes the digest to where it was asked for, and to standard output.
pub(super) fn report(
    session: &Session,
    arguments: &BuildArguments,
    root: &Descriptor,
    images: &[Image],
) -> Result<(), Error> {
    if let Some(path) = &arguments.iid_file {
        write(path, root.digest.to_string().as_bytes())?;
    }
    if let Some(path) = &arguments.metadata_file {
        let mut metadata = json!({
            "containerimage.digest": root.digest,
            "containerimage.descriptor": root,
        });
        if let [image] = images {
            metadata["containerimage.config.digest"] = json!(image.manifest().config().digest);
        }
        if !arguments.tags.is_empty() {
            let names: Vec<String> = arguments.tags.iter().map(ToString::to_string).collect();
            metadata["image.name"] = json!(names.join(","));
        }
        write(path, &oci::json::to_bytes(&metadata))?;
    }
    // Where the image itself goes to standard output, nothing else may.
    let takes_stdout = arguments.outputs.iter().any(|output| {
        matches!(
            output,
            Output::Tar(Destination::Stdout)
                | Output::OciArchive { destination: Destination::Stdout, .. }
                | Output::DockerArchive { destination: Destination::Stdout, .. }
        )
    });
    if takes_stdout {
        return Ok(());
    }
    session.answer(format!("{}\n", root.digest).as_bytes())
}

/// Refuses outputs that cannot be written, before any work is done for them.
pub(super) fn check(arguments: &BuildArguments) -> Result<(), Error> {
    let files = arguments.outputs.iter().filter_map(|output| match output {
        Output::OciArchive { destination: Destination::File(path), .. }
        | Output::DockerArchive { destination: Destination::File(path), .. }
        | Output::Tar(Destination::File(path)) => Some(path),
        _ => None,
    });
    for path in files.chain(&arguments.iid_file).chain(&arguments.metadata_file) {
        whole_file::check(path)?;
    }
    for output in &arguments.outputs {
        if let Output::Local(directory) | Output::OciLayout { directory, .. } = output
            && directory.exists()
            && !directory.is_dir()
        {
            return Err(Error::writing(directory)(ErrorKind::NotADirectory.into()));
        }
    }
    Ok(())
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    whole_file::write_whole(path, |mut file| file.write_all(bytes).map_err(Error::writing(path)))
}
