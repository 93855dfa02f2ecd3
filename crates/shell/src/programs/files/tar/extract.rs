//! `tar -x`: members become files.

use bstr::{BString, ByteSlice};
use oci::ImagePath;

use super::list::{Of, Removed};
use super::member::{Member, MemberNode};
use super::select::{stripped, unsafe_prefix};
use crate::data::Data;
use crate::files::{Errno, FileResult, Identity, Kind, Last, Located, NewNode};
use crate::options::Options;
use crate::process::{Process, Run, errno};
use crate::programs::files::destination::{base, inside};
use crate::programs::files::names::directory as above_of;
use crate::programs::files::owners::Owners;
use crate::programs::files::report::refuse_option;
use crate::programs::quoting::{bare, quoted};
use crate::stop::Stop;

struct Extraction<'a> {
    options: &'a Options,
    directory: &'a [u8],
    owners: Owners,
    existing: Existing,
    /// Directories, whose attributes are set at the end, when nothing is put into them any more.
    directories: Vec<(ImagePath, &'a Member)>,
    /// Links that lead out of the directory, which stand there only at the end: nothing is put
    /// through them.
    links: Vec<Delayed<'a>>,
    removed: Removed,
    status: u8,
}

struct Delayed<'a> {
    path: ImagePath,
    name: BString,
    target: &'a BString,
    member: &'a Member,
    placeholder: Option<Identity>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Existing {
    Replaced,
    /// And complained about.
    Kept,
    Skipped,
}

/// Unpacks members into a directory.
pub(super) fn extract(
    process: &mut Process<'_, '_>,
    options: &Options,
    directory: &[u8],
    members: &[Member],
) -> Run {
    let components = match options.value("--strip") {
        None => 0,
        Some(count) => match count.to_str().ok().and_then(|count| count.parse().ok()) {
            Some(count) => count,
            None => return Err(refuse_option(process, "--strip-components")),
        },
    };
    let owners = match gives_owners(process, options) && !options.has("--numeric-owner") {
        true => Owners::read(process)?,
        false => Owners::default(),
    };
    let mut extraction = Extraction {
        options,
        directory,
        owners,
        existing: match options.last_of(&["-k", "--skip-old-files"]) {
            Some("-k") => Existing::Kept,
            Some(_) => Existing::Skipped,
            None => Existing::Replaced,
        },
        directories: Vec::new(),
        links: Vec::new(),
        removed: Removed::default(),
        status: 0,
    };
    for member in members {
        process.machine.budget.step()?;
        extraction.unpack(process, member, components)?;
    }
    extraction.finish(process)?;
    Ok(extraction.status)
}

/// Whether members get their owners: as root they do.
fn gives_owners(process: &Process<'_, '_>, options: &Options) -> bool {
    match options.last_of(&["--no-same-owner", "--same-owner"]) {
        Some("--same-owner") => true,
        Some(_) => false,
        None => process.machine.files.user().uid == 0,
    }
}

impl<'a> Extraction<'a> {
    fn unpack(
        &mut self,
        process: &mut Process<'_, '_>,
        member: &'a Member,
        components: usize,
    ) -> Result<(), Stop> {
        let Some(name) = stripped(&member.name, components) else { return Ok(()) };
        let safe = self.removed.safe(process, name, Of::Member)?;
        if name.split(|byte| *byte == b'/').any(|component| component == b"..") {
            return self.complain(process, name, "Member name contains '..'".to_owned());
        }
        if self.options.has("-v") {
            let line = [&member.name[..], b"\n"].concat();
            match self.options.has("-O") {
                true => process.write_to(2, &line)?,
                false => process.write(line)?,
            }
        }
        if self.options.has("-O") {
            if let MemberNode::File(data) = &member.node {
                process.write_data(data)?;
            }
            return Ok(());
        }
        let name = safe.trim_end_with(|letter| letter == '/').as_bytes();
        let path = match name {
            b"." | b"" => BString::from(self.directory),
            name => inside(self.directory, name),
        };
        match self.put(process, member, &path, name, components)? {
            Ok(()) => Ok(()),
            Err(error) => {
                let what = match &member.node {
                    MemberNode::File(_) => format!("Cannot open: {error}"),
                    // What holds its place is a file.
                    MemberNode::Symlink(target) if leads_out(target) => {
                        format!("Cannot open: {error}")
                    }
                    MemberNode::Directory => format!("Cannot mkdir: {error}"),
                    MemberNode::Symlink(target) => {
                        format!("Cannot create symlink to {}: {error}", quoted(target))
                    }
                    MemberNode::Hardlink(target) => {
                        let target = stripped(target, components).unwrap_or_default();
                        let target = &target[unsafe_prefix(target)..];
                        format!("Cannot hard link to {}: {error}", quoted(target))
                    }
                    MemberNode::Fifo => format!("Cannot mkfifo: {error}"),
                    _ => format!("Cannot mknod: {error}"),
                };
                self.complain(process, name, what)
            }
        }
    }

    fn complain(
        &mut self,
        process: &mut Process<'_, '_>,
        name: &[u8],
        what: String,
    ) -> Result<(), Stop> {
        self.status = 2;
        process.complain(format!("{}: {what}", bare(name)))
    }

    fn put(
        &mut self,
        process: &mut Process<'_, '_>,
        member: &'a Member,
        path: &[u8],
        name: &[u8],
        components: usize,
    ) -> Result<Result<(), Errno>, Stop> {
        let located = match self.place(process, path)? {
            Ok(located) => located,
            Err(error) => return Ok(Err(error)),
        };
        let real = located.path.clone();
        match self.make_room(process, member, &located)? {
            Room::Free => {}
            Room::Taken => return Ok(Ok(())),
            Room::Refused(error) => return Ok(Err(error)),
        }
        let mode = member.mode & 0o777 & !process.umask;
        let node = match &member.node {
            MemberNode::Directory => {
                self.directories.push((real.clone(), member));
                let made = process.machine.files.make(&real, NewNode::Directory, mode | 0o700);
                return errno(made);
            }
            MemberNode::Hardlink(target) => {
                return self.link(process, &real, target, components);
            }
            MemberNode::Symlink(target) if leads_out(target) => {
                let placeholder = NewNode::File(Data::empty());
                let made = errno(process.machine.files.make(&real, placeholder, 0))?;
                if made.is_err() {
                    return Ok(made);
                }
                let placeholder = errno(process.machine.files.stat(&real))?.ok().flatten();
                let placeholder = placeholder.map(|stat| stat.identity);
                let name = BString::from(name);
                self.links.push(Delayed { path: real, name, target, member, placeholder });
                return Ok(Ok(()));
            }
            MemberNode::Symlink(target) => NewNode::Symlink(target.to_vec()),
            MemberNode::File(data) => NewNode::File(data.clone()),
            MemberNode::Fifo => NewNode::Fifo,
            MemberNode::CharDevice(major, minor) => {
                NewNode::CharDevice { major: *major, minor: *minor }
            }
            MemberNode::BlockDevice(major, minor) => {
                NewNode::BlockDevice { major: *major, minor: *minor }
            }
        };
        let is_device =
            matches!(member.node, MemberNode::CharDevice(..) | MemberNode::BlockDevice(..));
        if is_device && process.machine.files.user().uid != 0 {
            return Ok(Err(Errno::NotPermitted));
        }
        match errno(process.machine.files.make(&real, node, mode))? {
            Ok(()) => errno(self.settle(process, &real, member)),
            Err(error) => Ok(Err(error)),
        }
    }

    /// Where a member goes; directories above it are made if they are missing.
    fn place(
        &self,
        process: &mut Process<'_, '_>,
        path: &[u8],
    ) -> Result<Result<Located, Errno>, Stop> {
        match errno(process.locate(path, Last::Kept))? {
            Err(Errno::NotFound) => {}
            located => return Ok(located),
        }
        let above = above_of(path).to_owned();
        if base(path).is_empty() || above.len() >= path.len() {
            return Ok(Err(Errno::NotFound));
        }
        process.machine.budget.enter()?;
        let place = self.place(process, &above)?;
        process.machine.budget.leave();
        match place {
            Ok(Located { path, stat: None }) => {
                let mode = 0o777 & !process.umask;
                if let Err(error) =
                    errno(process.machine.files.make(&path, NewNode::Directory, mode))?
                {
                    return Ok(Err(error));
                }
            }
            Ok(_) => {}
            Err(error) => return Ok(Err(error)),
        }
        errno(process.locate(path, Last::Kept))
    }

    /// Takes away what is in the way.
    fn make_room(
        &mut self,
        process: &mut Process<'_, '_>,
        member: &'a Member,
        located: &Located,
    ) -> Result<Room, Stop> {
        let Some(stat) = &located.stat else { return Ok(Room::Free) };
        if let MemberNode::Hardlink(target) = &member.node {
            let target = inside(self.directory, target);
            let target = errno(process.find(&target, Last::Kept))?;
            if target.is_ok_and(|(_, target)| target.identity == stat.identity) {
                return Ok(Room::Taken);
            }
        }
        if self.existing == Existing::Skipped {
            if self.options.has("-v") {
                let name = member.name.trim_end_with(|letter| letter == '/').as_bytes();
                process.complain(format!("{}: skipping existing file", bare(name)))?;
            }
            return Ok(Room::Taken);
        }
        let is_directory = member.node == MemberNode::Directory;
        if is_directory && stat.is_directory() {
            if self.existing == Existing::Replaced {
                self.directories.push((located.path.clone(), member));
            }
            return Ok(Room::Taken);
        }
        if is_directory && self.options.has("--keep-links") {
            let behind = process.machine.files.find(
                &ImagePath::root(),
                located.path.as_bytes(),
                Last::Followed,
            );
            if errno(behind)?.is_ok_and(|(_, behind)| behind.is_directory()) {
                return Ok(Room::Taken);
            }
        }
        if self.existing == Existing::Kept {
            return Ok(Room::Refused(Errno::Exists));
        }
        match errno(process.machine.files.remove(&located.path))? {
            Ok(()) => Ok(Room::Free),
            Err(Errno::NotEmpty) => Ok(Room::Refused(Errno::Exists)),
            Err(error) => Ok(Room::Refused(error)),
        }
    }

    fn link(
        &mut self,
        process: &mut Process<'_, '_>,
        real: &ImagePath,
        target: &[u8],
        components: usize,
    ) -> Result<Result<(), Errno>, Stop> {
        let target = stripped(target, components).unwrap_or_default();
        let target = self.removed.safe(process, target, Of::HardLink)?;
        let target = inside(self.directory, target);
        let original = match errno(process.find(&target, Last::Kept))? {
            Ok((original, _)) => original,
            Err(error) => return Ok(Err(error)),
        };
        errno(process.machine.files.link(&original, real))
    }

    /// Gives a file the member's time, owner and mode.
    fn settle(
        &self,
        process: &mut Process<'_, '_>,
        path: &ImagePath,
        member: &Member,
    ) -> FileResult<()> {
        let umask = process.umask;
        let is_root = process.machine.files.user().uid == 0;
        let gives_owners = gives_owners(process, self.options);
        let files = &mut process.machine.files;
        if !self.options.has("-m") {
            files.set_time(path, member.mtime)?;
        }
        if gives_owners {
            let uid = self.owners.named_user(&member.user).unwrap_or(member.uid);
            let gid = self.owners.named_group(&member.group).unwrap_or(member.gid);
            files.set_owner(path, Some(uid), Some(gid))?;
        }
        if matches!(member.node, MemberNode::Symlink(_)) {
            return Ok(());
        }
        let keeps_mode = match self.options.last_of(&["-p", "--no-same-permissions"]) {
            Some("-p") => true,
            Some(_) => false,
            None => is_root,
        };
        let mode = match keeps_mode {
            true => member.mode,
            false => member.mode & 0o777 & !umask,
        };
        files.set_mode(path, mode)
    }

    fn finish(&mut self, process: &mut Process<'_, '_>) -> Result<(), Stop> {
        for delayed in std::mem::take(&mut self.links) {
            self.place_link(process, &delayed)?;
        }
        for (path, member) in std::mem::take(&mut self.directories).into_iter().rev() {
            let is_there = errno(process.machine.files.stat(&path))?.ok().flatten();
            if !is_there.is_some_and(|stat| stat.is_directory()) {
                continue;
            }
            let settled = self.settle(process, &path, member);
            if let Err(error) = errno(settled)? {
                let what = format!("Cannot change mode: {error}");
                self.complain(process, &member.name, what)?;
            }
        }
        Ok(())
    }

    /// Puts a link in its place, if what held it is still there.
    fn place_link(
        &mut self,
        process: &mut Process<'_, '_>,
        delayed: &Delayed<'_>,
    ) -> Result<(), Stop> {
        let stat = errno(process.machine.files.stat(&delayed.path))?.ok().flatten();
        let is_held = stat.is_some_and(|stat| {
            matches!(stat.kind, Kind::File(_)) && Some(stat.identity) == delayed.placeholder
        });
        if !is_held {
            return Ok(());
        }
        let files = &mut process.machine.files;
        let link = NewNode::Symlink(delayed.target.to_vec());
        let made =
            files.remove(&delayed.path).and_then(|()| files.make(&delayed.path, link, 0o777));
        let done = match made {
            Ok(()) => self.settle(process, &delayed.path, delayed.member),
            Err(error) => Err(error),
        };
        match errno(done)? {
            Ok(()) => Ok(()),
            Err(error) => {
                let what = format!("Cannot create symlink to {}: {error}", quoted(delayed.target));
                self.complain(process, &delayed.name, what)
            }
        }
    }
}

/// Whether there is room for a member.
enum Room {
    Free,
    /// What is there stays.
    Taken,
    Refused(Errno),
}

/// Whether a link's target may be outside of the directory.
fn leads_out(target: &[u8]) -> bool {
    target.starts_with(b"/") || target.split(|byte| *byte == b'/').any(|name| name == b"..")
}
