//! `tar -c`: files become an archive, the same each time.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use ::tar::{Builder, EntryType, Header};
use bstr::{BString, ByteSlice};
use layer::ArchiveCompression;
use oci::ImagePath;

use super::list::{Of, Removed};
use super::select::is_excluded;
use super::{DELAYED, compression_by_name, directory, wanted_compression};
use crate::data::Data;
use crate::files::{Identity, Kind, Last, Located, NewNode, Stat};
use crate::options::Options;
use crate::process::{Process, Run, errno};
use crate::programs::files::compression::gzip;
use crate::programs::files::destination::inside;
use crate::programs::files::owners::Owners;
use crate::programs::files::report::{refuse_option, refuse_use};
use crate::programs::quoting::bare;
use crate::stop::Stop;

/// Archives are padded to a multiple of this (GNU tar manual, "The Blocking Factor of an Archive").
const RECORD: usize = 10_240;

struct Creation<'a> {
    options: &'a Options,
    builder: Builder<Vec<u8>>,
    owners: Owners,
    /// Names of files that have several.
    names: HashMap<Identity, BString>,
    removed: Removed,
    archive: Option<ImagePath>,
    status: u8,
}

/// Makes an archive.
pub(super) fn create(process: &mut Process<'_, '_>, options: &Options) -> Run {
    for unknown in ["-h", "-k", "-O", "--strip", "--wildcards"] {
        if options.has(unknown) {
            return Err(refuse_option(process, unknown));
        }
    }
    let file = options.value("-f").filter(|file| *file != "-").map(|file| file.to_owned());
    let compression = match (wanted_compression(options), &file) {
        (Some(compression), _) => compression,
        (None, Some(file)) if options.has("-a") => compression_by_name(file),
        (None, _) => ArchiveCompression::None,
    };
    if !matches!(compression, ArchiveCompression::None | ArchiveCompression::Gzip) {
        return Err(refuse_use(process, "makes an archive with another compression than gzip"));
    }
    if options.operands.is_empty() {
        process.complain("Cowardly refusing to create an empty archive")?;
        process.write_to(2, b"Try 'tar --help' or 'tar --usage' for more information.\n")?;
        return Ok(2);
    }
    let directory = match directory(process, options)? {
        Ok(directory) => directory,
        Err(status) => return Ok(status),
    };
    let archive = match &file {
        None => None,
        Some(file) => errno(process.locate(file, Last::Followed))?.ok().map(|found| found.path),
    };
    let owners = Owners::read(process)?;
    let builder = Builder::new(Vec::new());
    let (names, removed) = Default::default();
    let mut creation = Creation { options, builder, owners, names, removed, archive, status: 0 };
    for operand in &options.operands {
        creation.add_tree(process, &directory, operand)?;
    }
    let status = creation.status;
    let mut bytes = creation.builder.into_inner().unwrap_or_default();
    bytes.resize(bytes.len().next_multiple_of(RECORD), 0);
    if compression == ArchiveCompression::Gzip {
        bytes = gzip(&bytes, 6);
    }
    let status = deliver(process, file.as_ref(), bytes)?.max(status);
    if status != 0 {
        process.complain(DELAYED)?;
    }
    Ok(status)
}

fn deliver(process: &mut Process<'_, '_>, file: Option<&BString>, bytes: Vec<u8>) -> Run {
    let Some(file) = file else { return process.write(bytes).map(|()| 0) };
    let written = match errno(process.locate(file, Last::Followed))? {
        Ok(Located { path, .. }) if path.as_bytes() == b"dev/null" => Ok(()),
        Ok(Located { path, stat: Some(_) }) => process.machine.files.write(&path, Data::of(bytes)),
        Ok(Located { path, stat: None }) => {
            let mode = 0o666 & !process.umask;
            process.machine.files.make(&path, NewNode::File(Data::of(bytes)), mode)
        }
        Err(error) => Err(error.into()),
    };
    match errno(written)? {
        Ok(()) => Ok(0),
        Err(error) => {
            process.complain(format!("{}: Cannot open: {error}", bare(file)))?;
            process.complain(super::FATAL)?;
            Ok(2)
        }
    }
}

impl Creation<'_> {
    fn add_tree(
        &mut self,
        process: &mut Process<'_, '_>,
        directory: &[u8],
        operand: &BString,
    ) -> Result<(), Stop> {
        let path = match operand.starts_with(b"/") || directory == b"." {
            true => operand.clone(),
            false => inside(directory, operand),
        };
        let (real, stat) = match errno(process.find(&path, Last::Kept))? {
            Ok(found) => found,
            Err(error) => {
                self.status = 2;
                return process.complain(format!("{}: Cannot stat: {error}", bare(operand)));
            }
        };
        if self.archive.as_ref().is_some_and(|archive| archive.starts_with(&real)) {
            return Err(refuse_use(process, "makes an archive of the directory that it is in"));
        }
        let name = operand.trim_end_with(|letter| letter == '/').as_bytes().as_bstr().to_owned();
        let name = if name.is_empty() { BString::from("/") } else { name };
        let mut next = vec![(name, real, stat)];
        while let Some((name, real, stat)) = next.pop() {
            process.machine.budget.step()?;
            if self.options.values("--exclude").any(|pattern| is_excluded(pattern, &name)) {
                continue;
            }
            if stat.is_directory() {
                match errno(process.machine.files.read_dir(&real))? {
                    Ok(children) => next.extend(
                        children
                            .into_iter()
                            .rev()
                            .map(|(child, stat)| (inside(&name, &child), real.join(&child), stat)),
                    ),
                    Err(error) => {
                        self.status = 2;
                        process.complain(format!("{}: Cannot open: {error}", bare(&name)))?;
                    }
                }
            }
            self.add(process, &name, &stat)?;
        }
        Ok(())
    }

    fn add(
        &mut self,
        process: &mut Process<'_, '_>,
        name: &BString,
        stat: &Stat,
    ) -> Result<(), Stop> {
        let mut full = name.clone();
        if stat.is_directory() && !full.ends_with(b"/") {
            full.push(b'/');
        }
        if self.options.has("-v") {
            let to = if self.options.value("-f").is_none_or(|file| file == "-") { 2 } else { 1 };
            process.write_to(to, &[&full[..], b"\n"].concat())?;
        }
        let safe = self.removed.safe(process, &full, Of::Member)?.to_owned();
        let safe = if safe == b"." { b"./".to_vec() } else { safe };
        let links = match stat.is_directory() {
            true => 1,
            false => errno(process.machine.files.links(stat))?.unwrap_or(1),
        };
        let earlier = self.names.get(&stat.identity).cloned();
        if links > 1 && earlier.is_none() {
            self.names.insert(stat.identity.clone(), safe.clone().into());
        }
        self.write(process, &safe, stat, earlier)
    }

    fn write(
        &mut self,
        process: &mut Process<'_, '_>,
        name: &[u8],
        stat: &Stat,
        earlier: Option<BString>,
    ) -> Result<(), Stop> {
        let mut header = self.header(process, stat)?;
        let path = Path::new(OsStr::from_bytes(name));
        let added = match (&stat.kind, earlier) {
            (_, Some(earlier)) => {
                header.set_entry_type(EntryType::Link);
                header.set_size(0);
                self.builder.append_link(&mut header, path, Path::new(OsStr::from_bytes(&earlier)))
            }
            (Kind::File(data), None) => {
                let bytes = process.bytes(data)?;
                process.machine.budget.hold(bytes.len())?;
                header.set_entry_type(EntryType::Regular);
                header.set_size(bytes.len() as u64);
                self.builder.append_data(&mut header, path, &bytes[..])
            }
            (Kind::Directory, None) => {
                header.set_entry_type(EntryType::Directory);
                self.builder.append_data(&mut header, path, &[][..])
            }
            (Kind::Symlink(target), None) => {
                header.set_entry_type(EntryType::Symlink);
                self.builder.append_link(&mut header, path, Path::new(OsStr::from_bytes(target)))
            }
            (Kind::Fifo, None) => {
                header.set_entry_type(EntryType::Fifo);
                self.builder.append_data(&mut header, path, &[][..])
            }
            (Kind::CharDevice { .. } | Kind::BlockDevice { .. }, None) => {
                return Err(refuse_use(process, "puts a device into an archive"));
            }
        };
        added.map_err(|_| refuse_use(process, "has a name that no archive takes"))
    }

    fn header(&self, process: &Process<'_, '_>, stat: &Stat) -> Result<Header, Stop> {
        let attributes = &stat.attributes;
        let mut header = Header::new_gnu();
        header.set_mode(attributes.mode);
        header.set_uid(u64::from(attributes.uid));
        header.set_gid(u64::from(attributes.gid));
        header.set_mtime(u64::try_from(attributes.mtime).unwrap_or_default());
        header.set_size(0);
        if !self.options.has("--numeric-owner") {
            let name = |name: Option<&BString>| name.map(ToString::to_string).unwrap_or_default();
            let named = header
                .set_username(&name(self.owners.user_name(attributes.uid)))
                .and_then(|()| header.set_groupname(&name(self.owners.group_name(attributes.gid))));
            named.map_err(|_| refuse_use(process, "has an owner's name that no archive takes"))?;
        }
        Ok(header)
    }
}
