//! Copies of directories.

use bstr::{BString, ByteSlice};

use super::{Copier, Depth, Existing, Following, Job, Telling, Volumes, find_source};
use crate::files::{Kind, Last, Located, NewNode};
use crate::process::{Process, errno};
use crate::programs::files::destination::inside;
use crate::programs::files::report::{attempt, refuse_use};
use crate::programs::quoting::quoted;
use crate::stop::Stop;

impl Copier {
    pub(super) fn copy_directory(
        &mut self,
        process: &mut Process<'_, '_>,
        job: &Job<'_>,
    ) -> Result<bool, Stop> {
        if self.manner.depth == Depth::Files {
            let from = quoted(job.from);
            process.complain(format!("-r not specified; omitting directory {from}"))?;
            return Ok(false);
        }
        if self.top.as_ref() == Some(&job.source) {
            // What has been copied by then depends on the disk's order.
            return Err(refuse_use(process, "copies a directory into itself"));
        }
        let what = || format!("cannot create directory {}", quoted(job.to));
        let target = process.locate(job.to, Last::Kept);
        let Some(Located { path, stat }) = attempt(process, target, what)? else {
            return Ok(false);
        };
        let is_new = stat.is_none();
        if stat.is_some_and(|stat| !stat.is_directory()) {
            if self.manner.existing == Existing::Kept {
                return Ok(true);
            }
            let (from, to) = (quoted(job.from), quoted(job.to));
            process
                .complain(format!("cannot overwrite non-directory {to} with directory {from}"))?;
            return Ok(false);
        }
        let mode = job.stat.attributes.mode & 0o1777 & !self.umask;
        if is_new {
            // Whoever copies has to get in; the mode that is wanted comes last.
            let made = process.machine.files.make(&path, NewNode::Directory, mode | 0o700);
            if attempt(process, made, what)?.is_none() {
                return Ok(false);
            }
            self.tell(process, job)?;
            self.top.get_or_insert_with(|| path.clone());
        } else if self.top.is_none() {
            self.top = Some(path.clone());
        }
        let mut is_whole = self.copy_children(process, job)?;
        if self.manner.keeps.mode || self.manner.keeps.owner || self.manner.keeps.time {
            is_whole &= self.keep_attributes(process, job, &path)?;
        }
        if is_new && !self.manner.keeps.mode && mode & 0o700 != 0o700 {
            let made = errno(process.machine.files.stat(&path))?.ok().flatten();
            let inherited = made.map_or(0, |made| made.attributes.mode & 0o2000);
            let set = process.machine.files.set_mode(&path, mode | inherited);
            is_whole &= attempt(process, set, || quoted(job.to))?.is_some();
        }
        Ok(is_whole)
    }

    fn copy_children(
        &mut self,
        process: &mut Process<'_, '_>,
        job: &Job<'_>,
    ) -> Result<bool, Stop> {
        if self.manner.volumes == Volumes::One && self.is_other_volume(process, job)? {
            return Ok(true);
        }
        let listed = process.machine.files.read_dir(&job.source);
        let what = || format!("cannot access {}", quoted(job.from));
        let Some(children) = attempt(process, listed, what)? else { return Ok(false) };
        let mut is_whole = true;
        for (name, stat) in children {
            let (from, to) = (inside(job.from, &name), inside(job.to, &name));
            let source = job.source.join(&name);
            let (source, stat) = match (self.manner.following, &stat.kind) {
                (Following::All, Kind::Symlink(_)) => {
                    match find_source(process, &from, Last::Followed)? {
                        Some(found) => found,
                        None => {
                            is_whole = false;
                            continue;
                        }
                    }
                }
                _ => (source, stat),
            };
            is_whole &= self.copy(process, &Job { from: &from, to: &to, source, stat })?;
        }
        Ok(is_whole)
    }

    fn is_other_volume(&self, process: &Process<'_, '_>, job: &Job<'_>) -> Result<bool, Stop> {
        let operand = errno(process.find(&self.operand, Last::Followed))?;
        Ok(operand.is_ok_and(|(_, operand)| operand.volume != job.stat.volume))
    }

    /// Makes the directories above `source` below `into`, with their modes (`cp --parents`).
    pub(in crate::programs::files) fn copy_parents(
        &mut self,
        process: &mut Process<'_, '_>,
        source: &[u8],
        into: &[u8],
    ) -> Result<bool, Stop> {
        let names: Vec<&[u8]> = source.split(|byte| *byte == b'/').collect();
        let mut from = BString::default();
        for (at, name) in names.iter().enumerate().take(names.len().saturating_sub(1)) {
            from.extend_from_slice(name);
            let to = inside(into, &from);
            if !name.is_empty() && !self.copy_parent(process, &from, &to)? {
                return Ok(false);
            }
            if at + 1 < names.len() {
                from.push(b'/');
            }
        }
        Ok(true)
    }

    fn copy_parent(
        &self,
        process: &mut Process<'_, '_>,
        from: &[u8],
        to: &[u8],
    ) -> Result<bool, Stop> {
        let found = process.find(from, Last::Followed);
        let what = || format!("failed to get attributes of {}", quoted(from));
        let Some((source, stat)) = attempt(process, found, what)? else { return Ok(false) };
        let target = process.locate(to, Last::Followed);
        let what = || format!("cannot make directory {}", quoted(to));
        let Some(target) = attempt(process, target, what)? else { return Ok(false) };
        match target.stat {
            Some(existing) if existing.is_directory() => return Ok(true),
            Some(_) => {
                process.complain(format!("{} exists but is not a directory", quoted(to)))?;
                return Ok(false);
            }
            None => {}
        }
        let mode = stat.attributes.mode & 0o1777 & !self.umask;
        let made = process.machine.files.make(&target.path, NewNode::Directory, mode);
        if attempt(process, made, what)?.is_none() {
            return Ok(false);
        }
        if self.manner.telling == Telling::Copies {
            process.write(format!("{} -> {}\n", from.as_bstr(), to.as_bstr()))?;
        }
        self.keep_attributes(process, &Job { from, to, source, stat }, &target.path)
    }
}
