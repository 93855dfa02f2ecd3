//! Copies of files and trees, as `cp` makes them, and `mv` from one file system to another.

mod directories;
mod manner;
mod nodes;

use std::collections::{BTreeMap, HashMap, HashSet};

use bstr::BString;
use layer::Attributes;
use oci::ImagePath;

use super::report::{attempt, refuse_use};
use crate::files::{Errno, FileResult, Identity, Kind, Last, Located, NewNode, Stat};
use crate::process::{Process, errno};
use crate::programs::quoting::quoted;
use crate::stop::Stop;
pub(super) use manner::{
    Depth, Existing, Following, Keeps, Making, Manner, Replacing, Telling, Volumes,
};

/// Copies in progress, all of one command.
pub(super) struct Copier {
    manner: Manner,
    /// Where files went that have several names.
    copied: HashMap<Identity, ImagePath>,
    /// Where operands went.
    made: HashSet<ImagePath>,
    /// Operands so far.
    sources: HashSet<(BString, Identity)>,
    /// The operand that is being copied.
    operand: BString,
    /// The directory that was made for it.
    top: Option<ImagePath>,
    umask: u32,
}

/// One thing to copy.
struct Job<'a> {
    /// As written.
    from: &'a [u8],
    to: &'a [u8],
    /// Without links.
    source: ImagePath,
    stat: Stat,
}

impl Copier {
    pub(super) fn new(manner: Manner, umask: u32) -> Self {
        Copier {
            manner,
            copied: HashMap::new(),
            made: HashSet::new(),
            sources: HashSet::new(),
            operand: BString::default(),
            top: None,
            umask,
        }
    }

    /// Copies an operand. `false` if something was complained about.
    pub(super) fn copy_operand(
        &mut self,
        process: &mut Process<'_, '_>,
        from: &[u8],
        to: &[u8],
    ) -> Result<bool, Stop> {
        self.operand = from.into();
        self.top = None;
        let last = match self.manner.following {
            Following::None => Last::Kept,
            Following::Operands | Following::All => Last::Followed,
        };
        let Some((source, stat)) = find_source(process, from, last)? else { return Ok(false) };
        if !self.sources.insert((from.into(), stat.identity.clone())) {
            let kind = if stat.is_directory() { "directory" } else { "file" };
            let from = quoted(from);
            process.complain(format!("warning: source {kind} {from} specified more than once"))?;
            return Ok(true);
        }
        let target = errno(process.locate(to, Last::Kept))?.ok();
        let is_just_made = target.as_ref().is_some_and(|target| self.made.contains(&target.path));
        if is_just_made && !stat.is_directory() {
            let (to, from) = (quoted(to), quoted(from));
            process.complain(format!("will not overwrite just-created {to} with {from}"))?;
            return Ok(false);
        }
        self.made.extend(target.map(|target| target.path));
        self.copy(process, &Job { from, to, source, stat })
    }

    fn copy(&mut self, process: &mut Process<'_, '_>, job: &Job<'_>) -> Result<bool, Stop> {
        process.machine.budget.step()?;
        if job.stat.is_directory() {
            return self.copy_directory(process, job);
        }
        let is_file = matches!(job.stat.kind, Kind::File(_)) || self.manner.depth == Depth::Files;
        let is_plain = is_file
            && !matches!(job.stat.kind, Kind::Symlink(_))
            && self.manner.making == Making::Copies
            && self.manner.replacing != Replacing::Always
            && self.manner.telling != Telling::Moves;
        let last = if is_plain { Last::Followed } else { Last::Kept };
        let target = match errno(process.locate(job.to, last))? {
            Ok(target) => Some(target),
            Err(Errno::NotFound) => None,
            Err(error) => {
                process.complain(format!("cannot stat {}: {error}", quoted(job.to)))?;
                return Ok(false);
            }
        };
        if let Some(Located { stat: Some(existing), .. }) = &target
            && let Some(done) = self.settle_existing(process, job, existing)?
        {
            return Ok(done);
        }
        self.make(process, job, target)
    }

    /// What becomes of an existing file before it is overwritten; a value if that is all.
    fn settle_existing(
        &self,
        process: &mut Process<'_, '_>,
        job: &Job<'_>,
        existing: &Stat,
    ) -> Result<Option<bool>, Stop> {
        match self.manner.existing {
            Existing::Kept => return Ok(Some(true)),
            Existing::Updated
                if !existing.is_directory() && !is_older(process, existing, &job.stat)? =>
            {
                return Ok(Some(true));
            }
            _ => {}
        }
        if self.is_same(process, job, existing)? {
            if self.manner.making == Making::HardLinks {
                return Ok(Some(true));
            }
            let (from, to) = (quoted(job.from), quoted(job.to));
            process.complain(format!("{from} and {to} are the same file"))?;
            return Ok(Some(false));
        }
        if existing.is_directory() {
            let to = quoted(job.to);
            process.complain(format!("cannot overwrite directory {to} with non-directory"))?;
            return Ok(Some(false));
        }
        Ok(None)
    }

    fn is_same(
        &self,
        process: &Process<'_, '_>,
        job: &Job<'_>,
        existing: &Stat,
    ) -> Result<bool, Stop> {
        if existing.identity == job.stat.identity {
            let target = errno(process.locate(job.to, Last::Kept))?.ok();
            let is_other_name = target.is_some_and(|target| target.path != job.source);
            return Ok(!(is_other_name && self.manner.replacing == Replacing::Always));
        }
        if !matches!(job.stat.kind, Kind::Symlink(_)) {
            return Ok(false);
        }
        let behind = errno(process.find(job.from, Last::Followed))?;
        Ok(behind.is_ok_and(|(_, behind)| behind.identity == existing.identity))
    }

    fn make(
        &mut self,
        process: &mut Process<'_, '_>,
        job: &Job<'_>,
        target: Option<Located>,
    ) -> Result<bool, Stop> {
        if self.manner.making == Making::Symlinks {
            return self.make_symlink_to(process, job, target);
        }
        let earlier = match self.manner.making {
            Making::HardLinks => Some(job.source.clone()),
            _ => self.copied.get(&job.stat.identity).cloned(),
        };
        if let Some(earlier) = earlier {
            return self.make_hard_link(process, job, &earlier, target);
        }
        let is_made = match &job.stat.kind {
            Kind::File(data) => {
                let data = data.clone();
                if !self.may_read(process, job)? {
                    return Ok(false);
                }
                self.copy_bytes(process, job, data, target)?
            }
            Kind::Symlink(link) => {
                let link = NewNode::Symlink(link.clone());
                self.copy_node(process, job, link, target, "cannot create symbolic link")?
            }
            Kind::Fifo | Kind::CharDevice { .. } | Kind::BlockDevice { .. } => {
                match nodes::special_bytes(process, job, self.manner.depth)? {
                    Some(data) => self.copy_bytes(process, job, data, target)?,
                    None => {
                        let node = nodes::special_node(&job.stat.kind);
                        self.copy_node(process, job, node, target, "cannot create special file")?
                    }
                }
            }
            Kind::Directory => return Ok(false),
        };
        let Some(path) = is_made else { return Ok(false) };
        if self.manner.keeps.links {
            self.copied.insert(job.stat.identity.clone(), path.clone());
        }
        self.tell(process, job)?;
        self.keep_attributes(process, job, &path)
    }

    fn may_read(&self, process: &mut Process<'_, '_>, job: &Job<'_>) -> Result<bool, Stop> {
        let readable = process.machine.files.data(&job.source);
        let what = || format!("cannot open {} for reading", quoted(job.from));
        Ok(attempt(process, readable, what)?.is_some())
    }

    fn tell(&self, process: &mut Process<'_, '_>, job: &Job<'_>) -> Result<(), Stop> {
        let (from, to) = (quoted(job.from), quoted(job.to));
        match self.manner.telling {
            Telling::Nothing => Ok(()),
            Telling::Copies => process.write(format!("{from} -> {to}\n")),
            Telling::Moves if job.stat.is_directory() => {
                process.write(format!("created directory {to}\n"))
            }
            Telling::Moves => process.write(format!("copied {from} -> {to}\n")),
        }
    }

    /// Gives a copy what it keeps of its original.
    fn keep_attributes(
        &self,
        process: &mut Process<'_, '_>,
        job: &Job<'_>,
        path: &ImagePath,
    ) -> Result<bool, Stop> {
        if path.as_bytes() == b"dev/null" {
            return Ok(true);
        }
        let kept = keep(process, &self.manner.keeps, &job.stat.attributes, path);
        let what = || format!("preserving attributes for {}", quoted(job.to));
        Ok(attempt(process, kept, what)?.is_some())
    }
}

/// Whether what is there is older than what would take its place.
///
/// # Errors
/// A refusal if both were made here, so that only fractions of a second would tell.
pub(super) fn is_older(
    process: &Process<'_, '_>,
    existing: &Stat,
    source: &Stat,
) -> Result<bool, Stop> {
    let (there, new) = (existing.attributes.mtime, source.attributes.mtime);
    if there == new && new == process.machine.files.clock() {
        return Err(refuse_use(process, "compares times of files that were just made"));
    }
    Ok(there < new)
}

fn find_source(
    process: &mut Process<'_, '_>,
    from: &[u8],
    last: Last,
) -> Result<Option<(ImagePath, Stat)>, Stop> {
    let found = process.find(from, last);
    attempt(process, found, || format!("cannot stat {}", quoted(from)))
}

/// Gives `path` what `keeps` names of these attributes, as far as the user may: an owner that cannot
/// be given is passed over, and then set-id bits are, too.
pub(super) fn keep(
    process: &mut Process<'_, '_>,
    keeps: &Keeps,
    attributes: &Attributes,
    path: &ImagePath,
) -> FileResult<()> {
    let files = &mut process.machine.files;
    let is_root = files.user().uid == 0;
    if keeps.time {
        files.set_time(path, attributes.mtime)?;
    }
    let mut mode = attributes.mode;
    if keeps.owner {
        let both = files.set_owner(path, Some(attributes.uid), Some(attributes.gid));
        if both.is_err() {
            // The group alone, if the user is in it.
            let group = files.set_owner(path, None, Some(attributes.gid));
            mode &= if group.is_err() { !0o6000 } else { !0o4000 };
        }
    }
    if keeps.mode {
        files.set_mode(path, mode)?;
    }
    if keeps.xattrs
        && !attributes.xattrs.is_empty()
        && let Some(stat) = files.stat(path)?
    {
        let may = |name: &[u8]| is_root || name.starts_with(b"user.");
        let own = attributes.xattrs.iter().filter(|(name, _)| may(name));
        let xattrs: BTreeMap<_, _> =
            own.map(|(name, value)| (name.clone(), value.clone())).collect();
        files.set_attributes(path, Attributes { xattrs, ..stat.attributes })?;
    }
    Ok(())
}
