//! Copies of single files: bytes, links, special files.

use oci::ImagePath;

use super::{Copier, Depth, Job, Replacing, Telling};
use crate::data::Data;
use crate::files::{Errno, Kind, Last, Located, NewNode};
use crate::process::{Process, errno};
use crate::programs::files::report::{attempt, refuse_use};
use crate::programs::quoting::{bare, quoted};
use crate::stop::Stop;

impl Copier {
    /// Copies a regular file's bytes to where they are wanted; where that was.
    pub(super) fn copy_bytes(
        &self,
        process: &mut Process<'_, '_>,
        job: &Job<'_>,
        data: Data,
        target: Option<Located>,
    ) -> Result<Option<ImagePath>, Stop> {
        let what = || format!("cannot create regular file {}", quoted(job.to));
        let Some(Located { path, stat }) = target else {
            return attempt(process, Err(Errno::NotFound.into()), what);
        };
        let Some(existing) = stat else {
            return self.make_file(process, job, data, path);
        };
        if self.manner.replacing == Replacing::Always || self.manner.telling == Telling::Moves {
            return match self.remove_existing(process, job, &path)? {
                true => self.make_file(process, job, data, path),
                false => Ok(None),
            };
        }
        if !matches!(existing.kind, Kind::File(_)) {
            return match path.as_bytes() {
                b"dev/null" => Ok(Some(path)),
                _ => Err(refuse_use(process, "writes into a device or a pipe")),
            };
        }
        let links = errno(process.machine.files.links(&existing))?.unwrap_or(1);
        if self.manner.keeps.links && links > 1 {
            // What has several names is not written into by whoever keeps track of them.
            return match self.remove_existing(process, job, &path)? {
                true => self.make_file(process, job, data, path),
                false => Ok(None),
            };
        }
        match errno(process.machine.files.write(&path, data.clone()))? {
            Ok(()) => Ok(Some(path)),
            Err(_) if self.manner.replacing == Replacing::Unwritable => {
                match self.remove_existing(process, job, &path)? {
                    true => self.make_file(process, job, data, path),
                    false => Ok(None),
                }
            }
            Err(error) => attempt(process, Err(error.into()), what),
        }
    }

    fn make_file(
        &self,
        process: &mut Process<'_, '_>,
        job: &Job<'_>,
        data: Data,
        path: ImagePath,
    ) -> Result<Option<ImagePath>, Stop> {
        let link = errno(process.locate(job.to, Last::Kept))?.ok().and_then(|link| link.stat);
        if link.is_some_and(|link| matches!(link.kind, Kind::Symlink(_))) {
            let to = quoted(job.to);
            process.complain(format!("not writing through dangling symlink {to}"))?;
            return Ok(None);
        }
        let mode = job.stat.attributes.mode & 0o777 & !self.umask;
        let made = match job.to.ends_with(b"/") {
            true => Err(Errno::NotADirectory.into()),
            false => process.machine.files.make(&path, NewNode::File(data), mode),
        };
        let what = || format!("cannot create regular file {}", quoted(job.to));
        Ok(attempt(process, made, what)?.map(|()| path))
    }

    /// Makes a link or a special file in the place of whatever is there.
    pub(super) fn copy_node(
        &self,
        process: &mut Process<'_, '_>,
        job: &Job<'_>,
        node: NewNode,
        target: Option<Located>,
        what: &str,
    ) -> Result<Option<ImagePath>, Stop> {
        let what = || format!("{what} {}", quoted(job.to));
        let Some(Located { path, stat }) = target else {
            return attempt(process, Err(Errno::NotFound.into()), what);
        };
        if stat.is_some() && !self.remove_existing(process, job, &path)? {
            return Ok(None);
        }
        let mode = job.stat.attributes.mode & 0o777 & !self.umask;
        let made = process.machine.files.make(&path, node, mode);
        Ok(attempt(process, made, what)?.map(|()| path))
    }

    fn remove_existing(
        &self,
        process: &mut Process<'_, '_>,
        job: &Job<'_>,
        path: &ImagePath,
    ) -> Result<bool, Stop> {
        let removed = process.machine.files.remove(path);
        let what = || format!("cannot remove {}", quoted(job.to));
        if attempt(process, removed, what)?.is_none() {
            return Ok(false);
        }
        if self.manner.telling == Telling::Copies {
            process.write(format!("removed {}\n", quoted(job.to)))?;
        }
        Ok(true)
    }

    pub(super) fn make_hard_link(
        &self,
        process: &mut Process<'_, '_>,
        job: &Job<'_>,
        earlier: &ImagePath,
        target: Option<Located>,
    ) -> Result<bool, Stop> {
        let linked = match target {
            None => Err(Errno::NotFound.into()),
            Some(Located { path, stat }) => {
                let replaces = self.manner.keeps.links || self.manner.replacing != Replacing::Never;
                if stat.is_some() && replaces && !self.remove_existing(process, job, &path)? {
                    return Ok(false);
                }
                process.machine.files.link(earlier, &path)
            }
        };
        let what = || format!("cannot create hard link {} to {}", quoted(job.to), quoted(job.from));
        let is_linked = attempt(process, linked, what)?.is_some();
        if is_linked {
            self.tell(process, job)?;
        }
        Ok(is_linked)
    }

    /// `cp -s`: a link to where the source is written to be.
    pub(super) fn make_symlink_to(
        &self,
        process: &mut Process<'_, '_>,
        job: &Job<'_>,
        target: Option<Located>,
    ) -> Result<bool, Stop> {
        let is_here = target
            .as_ref()
            .and_then(|target| target.path.parent())
            .is_some_and(|above| above == process.directory);
        if !job.from.starts_with(b"/") && !is_here {
            let to = bare(job.to);
            let message = "can make relative symbolic links only in current directory";
            process.complain(format!("{to}: {message}"))?;
            return Ok(false);
        }
        let made = match target {
            None => Err(Errno::NotFound.into()),
            Some(Located { path, stat }) => {
                let replaces = self.manner.replacing != Replacing::Never;
                if stat.is_some() && replaces && !self.remove_existing(process, job, &path)? {
                    return Ok(false);
                }
                process.machine.files.make(&path, NewNode::Symlink(job.from.to_vec()), 0o777)
            }
        };
        let (to, from) = (quoted(job.to), quoted(job.from));
        let what = || format!("cannot create symbolic link {to} to {from}");
        let is_made = attempt(process, made, what)?.is_some();
        if is_made {
            self.tell(process, job)?;
        }
        Ok(is_made)
    }
}

/// The bytes that reading a special file gives; `None` if it is to be made again as what it is.
pub(super) fn special_bytes(
    process: &mut Process<'_, '_>,
    job: &Job<'_>,
    depth: Depth,
) -> Result<Option<Data>, Stop> {
    if depth == Depth::Trees {
        return Ok(None);
    }
    match job.source.as_bytes() {
        b"dev/null" => Ok(Some(Data::empty())),
        b"dev/stdin" => {
            // A new file would get the mode of whatever is behind the descriptor.
            match errno(process.locate(job.to, Last::Followed))? {
                Ok(Located { stat: Some(_), .. }) => Ok(Some(process.read_input()?)),
                _ => Err(refuse_use(process, "copies the mode of its standard input")),
            }
        }
        _ => Err(refuse_use(process, "reads a device or a pipe")),
    }
}

pub(super) fn special_node(kind: &Kind) -> NewNode {
    match kind {
        Kind::CharDevice { major, minor } => NewNode::CharDevice { major: *major, minor: *minor },
        Kind::BlockDevice { major, minor } => NewNode::BlockDevice { major: *major, minor: *minor },
        _ => NewNode::Fifo,
    }
}
