//! Looks through directories for libraries.
//!
//! All directories are listed first, so that what their files are is asked for at once.

use std::collections::{BTreeMap, HashMap};

use bstr::{BString, ByteSlice};
use oci::{Digest, ImagePath};
use shell::files::{FileError, Kind, Last, Stat};
use shell::process::errno;
use shell::{Data, Process, Reason, Stop, Stored};

use super::architecture::{ELF, LIBC6, Mark};
use super::cache::{Cached, Found};
use super::configuration::{Directories, Directory};
use super::installed::{Installed, Unnamed};
use super::{LinkTask, Talk, Task, links, order, say};
use crate::native::elf::{Elf, Linking, SHARED_OBJECT};
use crate::outside::Outside;

/// A file that may be a library.
struct Candidate {
    name: BString,
    /// Whether the name is of a symbolic link.
    is_link: bool,
    data: Data,
}

/// A library, under the name that programs ask for.
pub(super) struct Library {
    /// Its file's name.
    pub(super) name: BString,
    /// Whether that is a link which leads to it by its own name, or of `ld`'s.
    pub(super) is_link: bool,
    flags: u32,
    isa_level: u32,
    system: u32,
}

/// Finds all libraries, and mends the links to them.
pub(super) fn scan(
    process: &mut Process<'_, '_>,
    outside: &dyn Outside,
    installed: &Installed,
    task: Task,
    mut directories: Directories,
) -> Result<Found, Stop> {
    let mut listed = Vec::new();
    let mut at = 0;
    while let Some(directory) = directories.list.get(at).cloned() {
        listed.push(list(process, installed, task, &mut directories, &directory)?);
        at += 1;
    }
    let elves = Elves::ask(process, outside, listed.iter().flatten())?;
    let mut found = Found { subdirectories: directories.subdirectories, entries: Vec::new() };
    for (directory, candidates) in directories.list.iter().zip(listed) {
        announce(process, installed, task, directory)?;
        let mut libraries = BTreeMap::new();
        for candidate in candidates {
            judge(process, installed, directory, candidate, &elves, &mut libraries)?;
        }
        for (soname, library) in libraries {
            let name = match directory.subdirectory {
                None => {
                    if !library.is_link {
                        links::mend(process, task, directory, &library.name, &soname)?;
                    }
                    &soname
                }
                Some(_) => {
                    if task.talk == Talk::Aloud {
                        process.write(format!("\t{soname} -> {}\n", library.name))?;
                    }
                    &library.name
                }
            };
            found.entries.push(entry(installed, directory, name, &soname, &library));
        }
    }
    Ok(found)
}

fn entry(
    installed: &Installed,
    directory: &Directory,
    name: &BString,
    soname: &BString,
    library: &Library,
) -> Cached {
    let capabilities = match directory.subdirectory {
        None if installed.has_capability_directories() => {
            installed.architecture.capabilities(directory.path.as_bstr())
        }
        _ => 0,
    };
    Cached {
        library: soname.clone(),
        path: [directory.path.as_slice(), b"/", name].concat().into(),
        flags: library.flags,
        isa_level: library.isa_level,
        capabilities,
        subdirectory: directory.subdirectory.clone(),
        system: library.system,
    }
}

/// Says which directory it is in.
fn announce(
    process: &mut Process<'_, '_>,
    installed: &Installed,
    task: Task,
    directory: &Directory,
) -> Result<(), Stop> {
    if task.talk == Talk::Quiet {
        return Ok(());
    }
    let Directory { path, from: (file, line), .. } = directory;
    let capabilities = match &directory.subdirectory {
        Some(name) => format!(" (hwcap: \"{name}\")"),
        None if !installed.has_capability_directories() => String::new(),
        None => match installed.architecture.capabilities(path.as_bstr()) {
            0 => String::new(),
            bits => format!(" (hwcap: {bits:#018x})"),
        },
    };
    process.write(format!("{path}:{capabilities} (from {file}:{line})\n"))
}

/// The files in a directory that may be libraries; directories in it that are named for a
/// capability come behind all others, and links that lead nowhere are taken away.
fn list(
    process: &mut Process<'_, '_>,
    installed: &Installed,
    task: Task,
    directories: &mut Directories,
    directory: &Directory,
) -> Result<Vec<Candidate>, Stop> {
    let names = match process.machine.files.read_dir(&directory.real) {
        Ok(names) => names,
        Err(FileError::Stop(stop)) => return Err(stop),
        Err(FileError::Errno(why)) => {
            if task.talk == Talk::Aloud {
                say(process, &format!("Can't open directory {}: {why}", directory.path))?;
            }
            return Ok(Vec::new());
        }
    };
    let mut candidates = Vec::new();
    for (name, stat) in names {
        let is_capability = directories.has_capabilities
            && directory.subdirectory.is_none()
            && installed.architecture.is_capability_directory(name.as_bstr());
        let is_named = is_library_name(&name) || is_capability;
        let is_other = directory.subdirectory.is_some() && stat.data().is_none();
        if !(is_named || is_other) || is_temporary(installed, &name) {
            continue;
        }
        let is_link = matches!(stat.kind, Kind::Symlink(_));
        let Some((real, stat)) = followed(process, task, directory, &name, stat)? else {
            continue;
        };
        if stat.is_directory() && is_capability {
            let path = [directory.path.as_slice(), b"/", &name].concat().into();
            directories.push(Directory { path, real, ..directory.clone() });
        } else if let Kind::File(data) = stat.kind
            && (is_link || is_library_name(&name))
        {
            candidates.push(Candidate { name, is_link, data });
        }
    }
    Ok(candidates)
}

/// What a name leads to. A link of a library that leads nowhere is taken away.
fn followed(
    process: &mut Process<'_, '_>,
    task: Task,
    directory: &Directory,
    name: &BString,
    stat: Stat,
) -> Result<Option<(ImagePath, Stat)>, Stop> {
    let path = directory.real.join(name);
    if !matches!(stat.kind, Kind::Symlink(_)) {
        return Ok(Some((path, stat)));
    }
    let absolute = [b"/".as_slice(), path.as_bytes()].concat();
    let why = match errno(process.find(&absolute, Last::Followed))? {
        Ok(found) => return Ok(Some(found)),
        Err(why) => why,
    };
    if task.talk == Talk::Aloud {
        say(process, &format!("Cannot stat {}/{name}: {why}", directory.path))?;
    }
    if task.links == LinkTask::Update && name.contains_str(".so.") {
        // As the program does, which does not look whether it could.
        let _ = errno(process.machine.files.remove(&path))?;
    }
    Ok(None)
}

/// Whether a name looks like that of a library, or of the loader.
fn is_library_name(name: &[u8]) -> bool {
    let is_library = name.starts_with(b"lib") || name.starts_with(b"ld-");
    (is_library && name.contains_str(".so"))
        || name.starts_with(b"ld.so.")
        || name.starts_with(b"ld64.so.")
}

/// Whether a name is that of a file which a package manager or prelink is just making.
fn is_temporary(installed: &Installed, name: &[u8]) -> bool {
    const PRELINK: &[u8] = b".#prelink#";
    let before = name.len().checked_sub(".XXXXXX".len());
    let is_prelinked = name.ends_with(PRELINK)
        || before
            .is_some_and(|end| name[..end].ends_with(PRELINK) && name[end..].starts_with(b"."));
    let is_dpkg = name.ends_with(b".dpkg-new") || name.ends_with(b".dpkg-tmp");
    // rpm's: a semicolon and eight hexadecimal digits.
    let is_rpm = name
        .len()
        .checked_sub(9)
        .is_some_and(|end| name[end] == b';' && name[end + 1..].iter().all(u8::is_ascii_hexdigit));
    is_prelinked || installed.skips_temporary_files() && (is_dpkg || is_rpm)
}

/// What the candidates are, by content.
struct Elves {
    stored: HashMap<Digest, Option<Elf>>,
}

impl Elves {
    fn ask<'a>(
        process: &mut Process<'_, '_>,
        outside: &dyn Outside,
        candidates: impl Iterator<Item = &'a Candidate>,
    ) -> Result<Self, Stop> {
        let mut wanted: Vec<Stored> = Vec::new();
        let mut stored = HashMap::new();
        for candidate in candidates {
            process.machine.budget.step()?;
            if let Data::Stored(data) = &candidate.data
                && data.content.size > 0
                && stored.insert(data.content.digest, None).is_none()
            {
                wanted.push(data.clone());
            }
        }
        let elves = if wanted.is_empty() { Vec::new() } else { outside.elf(&wanted)? };
        for (data, elf) in wanted.iter().zip(elves) {
            stored.insert(data.content.digest, elf);
        }
        Ok(Elves { stored })
    }

    fn of(&self, data: &Data) -> Option<Elf> {
        match data {
            Data::Inline(bytes) => Elf::of(bytes),
            Data::Stored(stored) => self.stored.get(&stored.content.digest).cloned().flatten(),
        }
    }
}

/// Puts a candidate among the libraries of its directory, under its name for programs.
fn judge(
    process: &mut Process<'_, '_>,
    installed: &Installed,
    directory: &Directory,
    candidate: Candidate,
    elves: &Elves,
    libraries: &mut BTreeMap<BString, Library>,
) -> Result<(), Stop> {
    let Candidate { name, is_link, data } = candidate;
    let path = || format!("{}/{name}", directory.path);
    if data.size() == 0 {
        return say(process, &format!("File {} is empty, not checked.", path()));
    }
    let Some(elf) = elves.of(&data) else {
        // Linker scripts and whatever else is no ELF file; the program warns of some.
        return Ok(());
    };
    let Some((soname, flags)) = marked(process, installed, &path(), &elf)? else {
        return Ok(());
    };
    let (soname, is_link) = named(&name, soname.unwrap_or_else(|| name.clone()), is_link);
    let library = Library {
        name,
        is_link,
        flags: directory.library.filter(|library| flags == ELF && *library != 0).unwrap_or(flags),
        isa_level: installed.architecture.isa_level(elf.isa_needed),
        system: if installed.has_systems() { system(elf.system) } else { 0 },
    };
    match libraries.entry(soname) {
        std::collections::btree_map::Entry::Vacant(place) => {
            place.insert(library);
        }
        std::collections::btree_map::Entry::Occupied(mut place) => {
            prefer(process, directory, place.get_mut(), library)?;
        }
    }
    Ok(())
}

/// A library's own name, if it has one, and its flags; nothing for what is passed over.
fn marked(
    process: &mut Process<'_, '_>,
    installed: &Installed,
    path: &str,
    elf: &Elf,
) -> Result<Option<(Option<BString>, u32)>, Stop> {
    if elf.kind != SHARED_OBJECT || elf.byte_order != installed.byte_order {
        return Ok(None);
    }
    let (soname, needed) = match &elf.linking {
        Linking::Dynamic { soname, needed } => (soname.clone(), needed.as_slice()),
        Linking::Static => return Ok(None),
        Linking::Truncated => {
            say(process, &format!("file {path} is truncated\n"))?;
            return Ok(None);
        }
        Linking::Unread => {
            let what = format!("finds {path}, whose tables are not where linkers put them");
            return Err(process.refuse(Reason::Use(what)));
        }
    };
    let flags = match installed.architecture.mark(elf, needed) {
        Mark::Flags(flags) => flags,
        Mark::Ignored => return Ok(None),
        Mark::Foreign => {
            say(process, &format!("{path} is for unknown machine {}.\n", elf.machine))?;
            return Ok(None);
        }
    };
    match installed.unnamed() {
        Unnamed::Usual if flags & 0xff == ELF => Ok(Some((soname, flags | LIBC6))),
        Unnamed::Unknown if flags & 0xff == ELF => {
            let what = format!("finds {path}, whose mark in the cache is not known");
            Err(process.refuse(Reason::Use(what)))
        }
        _ => Ok(Some((soname, flags))),
    }
}

/// The name for programs of what a link leads to: the link's own, if it is the name in the library,
/// or that without numbers, by which `ld` finds it; any other link is as a file of its own.
fn named(name: &BString, soname: BString, is_link: bool) -> (BString, bool) {
    let is_linkers = name.ends_with(b".so") && soname.starts_with(name);
    if is_link && (*name == soname || is_linkers) { (name.clone(), true) } else { (soname, false) }
}

/// Of two files for one name, the later is taken: a file before a link, else the higher number.
fn prefer(
    process: &mut Process<'_, '_>,
    directory: &Directory,
    known: &mut Library,
    other: Library,
) -> Result<(), Stop> {
    let is_later = other.is_link == known.is_link && order::names(&known.name, &other.name).is_lt();
    if !(is_later || (known.is_link && !other.is_link)) {
        return Ok(());
    }
    let mut flags = known.flags;
    if flags != other.flags {
        match (flags, other.flags) {
            (ELF, 2 | 3) | (2 | 3, ELF) => flags = other.flags,
            _ => {
                let message = format!(
                    "libraries {} and {} in directory {} have same soname but different type.",
                    known.name, other.name, directory.path
                );
                say(process, &message)?;
            }
        }
    }
    *known = Library { flags, ..other };
    Ok(())
}

/// The least system, as older caches have it.
fn system(tag: Option<[u32; 4]>) -> u32 {
    let [system, major, minor, patch] = tag.unwrap_or_default();
    system << 24 | (major & 0xff) << 16 | (minor & 0xff) << 8 | patch & 0xff
}
