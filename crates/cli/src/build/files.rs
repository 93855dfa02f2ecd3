//! An image's files themselves: `--output type=tar` and `type=local`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use layer::{Entry, LayerIndex, LayerWriter, Limits, Node, Packing, RootFs};
use oci::{Descriptor, Digest, ImageConfig, ImageManifest, ImagePath, Manifest};

use super::base;
use super::error::BuildError;
use super::spool::Spool;
use super::threads;
use super::whole_file::write_whole;
use crate::error::Error;
use crate::flags::Destination;
use crate::progress::Outcome;
use crate::session::Session;

/// Everything that a container of the image would see, and the bytes of its files.
struct Flattened {
    entries: Vec<Entry>,
    spool: Spool,
}

/// Writes the image's files as one tar.
pub(super) fn tar(
    session: &Session,
    root: &Descriptor,
    destination: &Destination,
) -> Result<(), Error> {
    let image = single(session, root)?;
    let flattened = flatten(session, &image)?;
    match destination {
        Destination::Stdout => {
            write_tar(session, &flattened, io::stdout())?;
        }
        Destination::File(path) => {
            write_whole(path, |file| write_tar(session, &flattened, file))?;
        }
    }
    Ok(())
}

fn write_tar(
    session: &Session,
    flattened: &Flattened,
    sink: impl Write + Send + 'static,
) -> Result<(), Error> {
    let mut writer =
        LayerWriter::new(sink, Packing::None, threads(session)).map_err(BuildError::from)?;
    for entry in &flattened.entries {
        let content: Option<Box<dyn Read + Send + '_>> = match &entry.node {
            Node::File(content) if content.size > 0 => flattened.spool.open(&content.digest),
            _ => None,
        };
        match content {
            Some(mut content) => writer.append(entry, Some(&mut content)),
            None => writer.append(entry, None),
        }
        .map_err(BuildError::from)?;
    }
    let (_, mut sink) = writer.finish().map_err(BuildError::from)?;
    sink.flush().map_err(|source| Error::Stream { stream: "the tar", source })
}

/// Writes the image's files into a directory. Owners are only kept where this program may set them.
pub(super) fn local(session: &Session, root: &Descriptor, directory: &Path) -> Result<(), Error> {
    let image = single(session, root)?;
    let flattened = flatten(session, &image)?;
    fs::create_dir_all(directory).map_err(Error::writing(directory))?;
    let mut modes = Vec::new();
    for entry in &flattened.entries {
        let path = below(directory, &entry.path);
        write_entry(directory, &path, entry, &flattened.spool)
            .map_err(|source| BuildError::Write { path: path.clone(), source })?;
        if entry.node == Node::Directory {
            modes.push((path, entry.attributes.mode));
        }
    }
    // Last, and from the bottom up: a directory may be read-only.
    for (path, mode) in modes.into_iter().rev() {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode))
            .map_err(Error::writing(path))?;
    }
    Ok(())
}

fn below(directory: &Path, path: &ImagePath) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    directory.join(std::ffi::OsStr::from_bytes(path.as_bytes()))
}

fn write_entry(root: &Path, path: &Path, entry: &Entry, spool: &Spool) -> io::Result<()> {
    match &entry.node {
        Node::Directory => match fs::create_dir(path) {
            // A link in its place would lead out of the directory.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let there = fs::symlink_metadata(path)?;
                if there.is_dir() { Ok(()) } else { Err(error) }
            }
            made => made,
        },
        Node::File(content) => {
            remove(path)?;
            let mode = entry.attributes.mode;
            let mut file =
                File::options().write(true).create_new(true).mode(mode & 0o777).open(path)?;
            if let Some(mut bytes) = spool.open(&content.digest) {
                io::copy(&mut bytes, &mut file)?;
            }
            file.set_permissions(fs::Permissions::from_mode(mode))
        }
        Node::Symlink(target) => {
            use std::os::unix::ffi::OsStrExt;
            remove(path)?;
            symlink(std::ffi::OsStr::from_bytes(target), path)
        }
        Node::Hardlink(target) => {
            remove(path)?;
            fs::hard_link(below(root, target), path)
        }
        // Devices and pipes need privileges and serve nobody outside of a container.
        Node::CharDevice { .. }
        | Node::BlockDevice { .. }
        | Node::Fifo
        | Node::Whiteout
        | Node::Opaque => Ok(()),
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The one image that a tar or a directory can hold.
fn single(session: &Session, root: &Descriptor) -> Result<ImageManifest, Error> {
    let store = session.store()?;
    match store.read_manifest(root)? {
        Manifest::Image(manifest) => Ok(manifest),
        Manifest::Index(index) => Err(Error::SeveralPlatforms(index.platforms())),
    }
}

/// Reads every layer once: first what it holds, then the files that are still to be seen.
fn flatten(session: &Session, image: &ImageManifest) -> Result<Flattened, Error> {
    let step = session.progress.step("read the image's files", None);
    let store = session.store()?;
    let config = ImageConfig::parse(&store.read(image.config())?).map_err(|error| {
        BuildError::Read { what: "the config".into(), source: io::Error::other(error) }
    })?;
    let mut indexes = Vec::new();
    for (descriptor, diff_id) in image.layers().iter().zip(config.diff_ids()) {
        base::bring_known_layer(session, descriptor)?;
        indexes.push(Arc::new(index(session, descriptor, diff_id)?));
    }
    let root = RootFs::new(indexes.iter().cloned().map(Some).collect());
    let (entries, wanted) = visible(&root)?;
    let mut spool = Spool::default();
    for (number, paths) in wanted {
        let descriptor = &image.layers()[number];
        let tar = base::open_layer(session, descriptor)?;
        let what = format!("layer {}", descriptor.digest);
        spool.fill(session, tar, &indexes[number], &paths, &what)?;
    }
    step.finish(Outcome::Done);
    Ok(Flattened { entries, spool })
}

fn index(
    session: &Session,
    descriptor: &Descriptor,
    diff_id: oci::DiffId,
) -> Result<LayerIndex, Error> {
    let known = session.store()?.layer_index(&diff_id)?;
    if let Some(index) = known.and_then(|bytes| LayerIndex::from_bytes(&bytes).ok()) {
        return Ok(index);
    }
    let what = || format!("layer {}", descriptor.digest);
    let tar = base::open_layer(session, descriptor)?;
    let (index, _) = LayerIndex::read(tar, &Limits::default())
        .map_err(|source| BuildError::Tar { what: what(), source })?;
    Ok(index)
}

type Wanted = BTreeMap<usize, BTreeSet<ImagePath>>;

/// The merged tree as entries of one tar, and which files of which layer it takes.
fn visible(root: &RootFs) -> Result<(Vec<Entry>, Wanted), Error> {
    let unread = |error: &dyn std::fmt::Display| -> Error {
        BuildError::Read { what: "the layers".into(), source: io::Error::other(error.to_string()) }
            .into()
    };
    let mut entries = Vec::new();
    let mut wanted = Wanted::new();
    let mut names: BTreeMap<(usize, ImagePath), (ImagePath, Digest)> = BTreeMap::new();
    let all = root.walk(&ImagePath::root()).map_err(|error| unread(&error))?;
    for (path, found) in all {
        if path.is_root() {
            continue;
        }
        let mut entry = Entry { path: path.clone(), ..found.entry.clone() };
        if matches!(entry.node, Node::File(_) | Node::Hardlink(_)) {
            let original = root.behind_hardlink(found).map_err(|error| unread(&error))?;
            let original = original.ok_or_else(|| BuildError::DanglingLink(path.clone()))?;
            let Node::File(content) = original.entry.node else { continue };
            let name = (original.layer, original.entry.path.clone());
            entry.node = match names.get(&name) {
                Some((first, _)) => Node::Hardlink(first.clone()),
                None => {
                    wanted.entry(name.0).or_default().insert(name.1.clone());
                    names.insert(name, (path, content.digest));
                    Node::File(content)
                }
            };
        }
        entries.push(entry);
    }
    Ok((entries, wanted))
}
