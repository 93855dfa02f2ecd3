//! Copies of files and trees, as `cp` makes them, and `mv` from one file system to another.

use std::collections::{BTreeMap, HashMap, HashSet};

use bstr::{BString, ByteSlice};
use layer::Attributes;
use oci::ImagePath;

use super::destination::inside;
use super::quoting::{bare, quoted};
use super::report::{attempt, refuse_use};
use crate::data::Data;
use crate::files::{Errno, FileResult, Identity, Kind, Last, Located, NewNode, Stat};
use crate::process::{Process, errno};
use crate::stop::Stop;

/// How to copy.
#[derive(Debug, Clone)]
pub(super) struct Manner {
    /// What is made of a file.
    pub(super) making: Making,
    /// Whether directories are copied with what is in them.
    pub(super) depth: Depth,
    /// Which links in the source are followed.
    pub(super) following: Following,
    /// What a copy keeps of its original.
    pub(super) keeps: Keeps,
    /// What becomes of what is there already.
    pub(super) existing: Existing,
    /// Whether an existing file that cannot be opened is replaced, or any.
    pub(super) replacing: Replacing,
    /// What is said about each copy.
    pub(super) telling: Telling,
    /// Whether directories of other file systems stay empty.
    pub(super) volumes: Volumes,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Making {
    Copies,
    HardLinks,
    Symlinks,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    Files,
    Trees,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Following {
    None,
    Operands,
    All,
}

/// Attributes that a copy has from its original.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Keeps {
    pub(super) mode: bool,
    pub(super) owner: bool,
    pub(super) time: bool,
    pub(super) links: bool,
    pub(super) xattrs: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Existing {
    Overwritten,
    Kept,
    /// Overwritten if it is older.
    Updated,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Replacing {
    Never,
    /// What cannot be opened (`-f`).
    Unwritable,
    /// Before anything else (`--remove-destination`).
    Always,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Telling {
    Nothing,
    Copies,
    /// As `mv -v` calls it.
    Moves,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Volumes {
    All,
    One,
}

impl Keeps {
    pub(super) const ALL: Keeps =
        Keeps { mode: true, owner: true, time: true, links: true, xattrs: true };
}

/// Copies in progress, all of one command.
pub(super) struct Copier {
    manner: Manner,
    /// Where files went that have several names.
    copied: HashMap<Identity, ImagePath>,
    /// Where operands went.
    made: HashSet<ImagePath>,
    /// Operands so far.
    sources: HashSet<(BString, Identity)>,
    /// The operand that is being copied, and where to.
    operand: (BString, BString),
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
            operand: Default::default(),
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
        self.operand = (from.into(), to.into());
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
                match special_bytes(process, job, self.manner.depth)? {
                    Some(data) => self.copy_bytes(process, job, data, target)?,
                    None => {
                        let node = special_node(&job.stat.kind);
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

    /// Copies a regular file's bytes to where they are wanted; where that was.
    fn copy_bytes(
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
    fn copy_node(
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

    fn make_hard_link(
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
    fn make_symlink_to(
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

    fn copy_directory(
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
            let (from, to) = (quoted(&self.operand.0), quoted(&self.operand.1));
            process.complain(format!("cannot copy a directory, {from}, into itself, {to}"))?;
            return Ok(false);
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
        let operand = errno(process.find(&self.operand.0, Last::Followed))?;
        Ok(operand.is_ok_and(|(_, operand)| operand.volume != job.stat.volume))
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

    /// Makes the directories above `source` below `into`, with their modes (`cp --parents`).
    pub(super) fn copy_parents(
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

/// The bytes that reading a special file gives; `None` if it is to be made again as what it is.
fn special_bytes(
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

fn special_node(kind: &Kind) -> NewNode {
    match kind {
        Kind::CharDevice { major, minor } => NewNode::CharDevice { major: *major, minor: *minor },
        Kind::BlockDevice { major, minor } => NewNode::BlockDevice { major: *major, minor: *minor },
        _ => NewNode::Fifo,
    }
}
