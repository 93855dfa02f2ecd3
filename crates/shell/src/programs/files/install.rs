//! `install` (coreutils manual, "install invocation").

use bstr::{BString, ByteSlice};

use super::copying::{Keeps, keep};
use super::destination::{Destination, LinkedDirectory, base, inside, sort_out};
use super::mkdir::{Making, make_path};
use super::modes::{ModeChange, Subject};
use super::names::directory;
use super::owners::{Owners, Ownership};
use super::report::{attempt, fail, refuse_use, usage};
use crate::data::Data;
use crate::files::{Errno, Kind, Last, Located, NewNode, Stat};
use crate::options::{Known, Options, Order, flag, value};
use crate::process::{Process, Run, errno};
use crate::programs::quoting::{cited, quoted};
use crate::stop::Stop;

const OPTIONS: &[Known] = &[
    flag("-c", 'c', &[]),
    flag("-d", 'd', &["directory"]),
    flag("-D", 'D', &[]),
    value("-g", 'g', &["group"]),
    value("-m", 'm', &["mode"]),
    value("-o", 'o', &["owner"]),
    flag("-p", 'p', &["preserve-timestamps"]),
    value("-t", 't', &["target-directory"]),
    flag("-T", 'T', &["no-target-directory"]),
    flag("-v", 'v', &["verbose"]),
];

struct Installing {
    mode: ModeChange,
    owner: Ownership,
    keeps: Keeps,
    is_told: bool,
}

/// Copies files with a mode and an owner, or makes directories.
pub(super) fn install(process: &mut Process<'_, '_>) -> Run {
    let options = Options::of(process, OPTIONS, Order::Anywhere)?;
    let text = options.value("-m").unwrap_or(b"0755".as_bstr());
    let Some(mode) = ModeChange::parse(text) else {
        return fail(process, format!("invalid mode {}", cited(text)));
    };
    let owner = match owner(process, &options)? {
        Ok(owner) => owner,
        Err(message) => return fail(process, message),
    };
    let keeps = Keeps { time: options.has("-p"), ..Keeps::default() };
    let installing = Installing { mode, owner, keeps, is_told: options.has("-v") };
    if options.has("-d") {
        return installing.directories(process, &options.operands);
    }
    // Directories above get 0755, whatever the umask says.
    if options.has("-D") && !options.operands.is_empty() {
        let above = match (options.value("-t"), &*options.operands) {
            (Some(directory), _) => Some(directory.into()),
            (None, [_, to]) if !options.has("-t") => Some(BString::from(directory(to))),
            _ => None,
        };
        if let Some(above) = above
            && !installing.leading(process, &above)?
        {
            return Ok(1);
        }
    }
    let destination = match sort_out(process, &options, LinkedDirectory::Entered)? {
        Ok(destination) => destination,
        Err(status) => return Ok(status),
    };
    match destination {
        Destination::Name(from, to) => installing.file(process, &from, &to),
        Destination::Directory(sources, directory) => {
            let mut status = 0;
            for source in &sources {
                status |= installing.file(process, source, &inside(&directory, base(source)))?;
            }
            Ok(status)
        }
    }
}

fn owner(
    process: &mut Process<'_, '_>,
    options: &Options,
) -> Result<Result<Ownership, String>, Stop> {
    let mut owner = Ownership::default();
    if !options.has("-o") && !options.has("-g") {
        return Ok(Ok(owner));
    }
    let owners = Owners::read(process)?;
    if let Some(user) = options.value("-o") {
        owner.uid = owners.parse_user(user);
        if owner.uid.is_none() {
            return Ok(Err(format!("invalid user {}", cited(user))));
        }
    }
    if let Some(group) = options.value("-g") {
        owner.gid = owners.parse_group(group);
        if owner.gid.is_none() {
            return Ok(Err(format!("invalid group {}", cited(group))));
        }
    }
    Ok(Ok(owner))
}

impl Installing {
    fn directories(&self, process: &mut Process<'_, '_>, paths: &[BString]) -> Run {
        if paths.is_empty() {
            return usage(process, "missing file operand");
        }
        let mut status = 0;
        for path in paths {
            if !self.leading(process, path)? {
                status = 1;
                continue;
            }
            let found = process.find(path, Last::Followed);
            let Some((real, _)) = attempt(process, found, || quoted(path))? else {
                status = 1;
                continue;
            };
            let mode = self.mode.apply(0, Subject::Directory, 0);
            status |= u8::from(!self.settle(process, path, &real, mode)?);
        }
        Ok(status)
    }

    /// Makes a directory and those above it.
    fn leading(&self, process: &mut Process<'_, '_>, path: &[u8]) -> Result<bool, Stop> {
        let making = Making { mode: ModeChange::parse(b"0755"), is_told: self.is_told };
        let umask = std::mem::replace(&mut process.umask, 0o022);
        let made = make_path(process, &making, path);
        process.umask = umask;
        made
    }

    fn file(&self, process: &mut Process<'_, '_>, from: &[u8], to: &[u8]) -> Run {
        let found = process.find(from, Last::Followed);
        let what = || format!("cannot stat {}", quoted(from));
        let Some((source, stat)) = attempt(process, found, what)? else { return Ok(1) };
        if stat.is_directory() {
            return fail(process, format!("omitting directory {}", quoted(from)));
        }
        let data = match &stat.kind {
            Kind::File(_) => {
                let opened = process.machine.files.data(&source);
                let what = || format!("cannot open {} for reading", quoted(from));
                let Some(data) = attempt(process, opened, what)? else { return Ok(1) };
                data
            }
            _ => match source.as_bytes() {
                b"dev/null" => Data::empty(),
                b"dev/stdin" => process.read_input()?,
                _ => return Err(refuse_use(process, "reads a device or a pipe")),
            },
        };
        self.put(process, (from, &stat), to, data)
    }

    fn put(
        &self,
        process: &mut Process<'_, '_>,
        (from, stat): (&[u8], &Stat),
        to: &[u8],
        data: Data,
    ) -> Run {
        let what = || format!("cannot create regular file {}", quoted(to));
        let located = process.locate(to, Last::Kept);
        let Some(Located { path, stat: existing }) = attempt(process, located, what)? else {
            return Ok(1);
        };
        if let Some(existing) = existing {
            if existing.identity == stat.identity {
                let (from, to) = (quoted(from), quoted(to));
                return fail(process, format!("{from} and {to} are the same file"));
            }
            if existing.is_directory() {
                let to = quoted(to);
                let message = format!("cannot overwrite directory {to} with non-directory");
                return fail(process, message);
            }
            let removed = process.machine.files.remove(&path);
            let what = || format!("cannot remove {}", quoted(to));
            if attempt(process, removed, what)?.is_none() {
                return Ok(1);
            }
            if self.is_told {
                process.write(format!("removed {}\n", quoted(to)))?;
            }
        }
        let made = match to.ends_with(b"/") {
            true => Err(Errno::NotADirectory.into()),
            false => process.machine.files.make(&path, NewNode::File(data), 0o600),
        };
        if attempt(process, made, what)?.is_none() {
            return Ok(1);
        }
        if self.is_told {
            process.write(format!("{} -> {}\n", quoted(from), quoted(to)))?;
        }
        let kept = keep(process, &self.keeps, &stat.attributes, &path);
        if attempt(process, kept, || format!("preserving times for {}", quoted(to)))?.is_none() {
            return Ok(1);
        }
        let mode = self.mode.apply(0, Subject::File, 0);
        Ok(u8::from(!self.settle(process, to, &path, mode)?))
    }

    /// Gives owner and mode, in this order, since a new owner takes set-id bits away.
    fn settle(
        &self,
        process: &mut Process<'_, '_>,
        path: &[u8],
        real: &oci::ImagePath,
        mode: u32,
    ) -> Result<bool, Stop> {
        let Ownership { uid, gid } = self.owner;
        if uid.is_some() || gid.is_some() {
            let set = errno(process.machine.files.set_owner(real, uid, gid))?;
            if let Err(error) = set {
                process
                    .complain(format!("cannot change ownership of {}: {error}", quoted(path)))?;
                return Ok(false);
            }
        }
        let set = process.machine.files.set_mode(real, mode);
        let what = || format!("cannot change permissions of {}", quoted(path));
        Ok(attempt(process, set, what)?.is_some())
    }
}
