//! Putting lists where apt has them, with its owners and modes.

use bstr::ByteSlice;
use layer::Attributes;
use oci::ImagePath;
use shell::files::{Errno, FileError, Last, NewNode};
use shell::{Data, Process};

use crate::apt::configuration::Configuration;
use crate::apt::problem::Failure;
use crate::apt::reading::read;

/// The directory of lists, made ready.
pub(super) struct Place {
    /// The real path of the directory.
    directory: ImagePath,
    /// Names that stay.
    kept: Vec<String>,
}

impl Place {
    /// Makes the directory and what apt has in it: `lock`, `partial` and `auxfiles`; the last two
    /// belong to whom apt's downloads run as (apt.conf(5), `APT::Sandbox::User`).
    pub(super) fn prepare(
        process: &mut Process<'_, '_>,
        lists: &ImagePath,
        configuration: &Configuration,
    ) -> Result<Self, Failure> {
        let sandbox = configuration.value("APT::Sandbox::User").unwrap_or_default();
        let owner = user_id(process, sandbox)?.unwrap_or(0);
        let directory = directory(process, lists, 0o755, 0)?;
        let place = Place { directory, kept: Vec::new() };
        directory_in(process, &place.directory, "partial", 0o700, owner)?;
        directory_in(process, &place.directory, "auxfiles", 0o755, owner)?;
        let lock = place.directory.join("lock");
        if process
            .machine
            .files
            .stat(&lock)
            .map_err(|error| Failure::of_file(&lock, error))?
            .is_none()
        {
            put(process, &lock, Data::empty(), 0o640)?;
        }
        Ok(place)
    }

    /// What the file of a name holds now.
    pub(super) fn held(
        &self,
        process: &Process<'_, '_>,
        name: &str,
    ) -> Result<Option<Data>, Failure> {
        crate::apt::reading::data(process, &self.directory.join(name))
    }

    /// Puts a list, unless it is there.
    pub(super) fn put(
        &mut self,
        process: &mut Process<'_, '_>,
        name: String,
        data: Data,
    ) -> Result<(), Failure> {
        let held = self.held(process, &name)?;
        if held.is_none_or(|held| held.content() != data.content()) {
            put(process, &self.directory.join(&name), data, 0o644)?;
        }
        self.kept.push(name);
        Ok(())
    }

    /// Takes away the lists of what is configured no more (`APT::Get::List-Cleanup`).
    pub(super) fn clean(&self, process: &mut Process<'_, '_>) -> Result<(), Failure> {
        let files = &mut process.machine.files;
        let failed = |error| Failure::of_file(&self.directory, error);
        for (name, stat) in files.read_dir(&self.directory).map_err(failed)? {
            let is_kept = name == "lock" || self.kept.iter().any(|kept| name == kept.as_bytes());
            if !is_kept && !stat.is_directory() {
                files.remove(&self.directory.join(&name)).map_err(failed)?;
            }
        }
        Ok(())
    }
}

fn put(
    process: &mut Process<'_, '_>,
    path: &ImagePath,
    data: Data,
    mode: u32,
) -> Result<(), Failure> {
    let attributes = Attributes::root(mode, process.machine.files.clock());
    let placed = process.machine.files.put_whole(path, attributes, NewNode::File(data));
    placed.map_err(|error| Failure::of_file(path, error))
}

/// The real path of a directory that is made where it is missing.
fn directory(
    process: &mut Process<'_, '_>,
    path: &ImagePath,
    mode: u32,
    owner: u32,
) -> Result<ImagePath, Failure> {
    let mut at = ImagePath::root();
    let components: Vec<Vec<u8>> = path.components().map(<[u8]>::to_vec).collect();
    for (depth, component) in components.iter().enumerate() {
        let failed = |error| Failure::of_file(path, error);
        let located = process.machine.files.locate(&at, component, Last::Followed);
        let located = located.map_err(failed)?;
        match located.stat {
            Some(stat) if stat.is_directory() => {}
            Some(_) => return Err(failed(FileError::Errno(Errno::NotADirectory))),
            None => {
                let is_last = depth + 1 == components.len();
                let mode = if is_last { mode } else { 0o755 };
                let files = &mut process.machine.files;
                files.make(&located.path, NewNode::Directory, mode).map_err(failed)?;
                let owner = if is_last { owner } else { 0 };
                files.set_owner(&located.path, Some(owner), Some(0)).map_err(failed)?;
            }
        }
        at = located.path;
    }
    Ok(at)
}

/// The same with attributes that are set on one that is there, too.
fn directory_in(
    process: &mut Process<'_, '_>,
    above: &ImagePath,
    name: &str,
    mode: u32,
    owner: u32,
) -> Result<(), Failure> {
    let path = directory(process, &above.join(name), mode, owner)?;
    let files = &mut process.machine.files;
    let failed = |error| Failure::of_file(&path, error);
    files.set_owner(&path, Some(owner), Some(0)).map_err(failed)?;
    files.set_mode(&path, mode).map_err(failed)
}

/// The number of a user of the image.
fn user_id(process: &mut Process<'_, '_>, name: &str) -> Result<Option<u32>, Failure> {
    let texts = read(process, &[ImagePath::lexical("etc/passwd")])?;
    let Some(Some(text)) = texts.into_iter().next() else { return Ok(None) };
    let line =
        text.lines().find(|line| line.split(|byte| *byte == b':').next() == Some(name.as_bytes()));
    let id =
        line.and_then(|line| line.split(|byte| *byte == b':').nth(2)?.to_str().ok()?.parse().ok());
    Ok(id)
}
