//! `ldconfig` (ldconfig(8)): the loader's cache, byte for byte as the GNU C library's own makes it.
//!
//! What differs between releases and architectures is read from the image's own program: its
//! version, which stands in the cache, its standard directories, and what machine it is for. The
//! links that it makes and takes away are made, too. `/var/cache/ldconfig/aux-cache` is never
//! written: it only remembers what was read, by inode and time of change, which no image has.

mod architecture;
mod cache;
mod configuration;
mod glob;
mod installed;
mod links;
mod machines;
mod order;
mod print;
mod scan;
mod strings;
#[cfg(test)]
mod tests;

use bstr::{BStr, BString, ByteSlice};
use shell::files::{FileError, Last, NewNode};
use shell::options::{Known, Options, Order, flag, long, value};
use shell::process::{Run, errno};
use shell::{Data, Process, Reason, Stop};

use crate::outside::Outside;
use configuration::Directories;
use installed::Installed;

const OPTIONS: &[Known] = &[
    flag("-p", 'p', &["print-cache"]),
    flag("-v", 'v', &["verbose"]),
    flag("-N", 'N', &[]),
    flag("-X", 'X', &[]),
    flag("-n", 'n', &[]),
    flag("-i", 'i', &["ignore-aux-cache"]),
    value("-r", 'r', &[]),
    value("-C", 'C', &[]),
    value("-f", 'f', &[]),
    Known { short: Some('c'), ..long("-c", &["format"], shell::options::Takes::Value) },
];

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Task {
    cache: CacheTask,
    links: LinkTask,
    talk: Talk,
}

/// Whether a cache is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CacheTask {
    Build,
    Leave,
}

/// Whether links are made and taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LinkTask {
    Update,
    Leave,
}

/// Whether it says what it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Talk {
    Aloud,
    Quiet,
}

pub(super) fn ldconfig(process: &mut Process<'_, '_>, outside: &dyn Outside) -> Run {
    let Some(program) = installed::bytes(process)? else {
        // Ubuntu's `/sbin/ldconfig` is a script before `ldconfig.real`.
        let path = [b"/".as_slice(), process.program.as_bytes()].concat();
        let words = [BString::from("/bin/sh"), path.into()].into_iter();
        let arguments = process.arguments().to_vec();
        return process.spawn(words.chain(arguments).collect());
    };
    let options = Options::of(process, OPTIONS, Order::Anywhere)?;
    if options.value("-r").is_some_and(|root| !root.iter().all(|byte| *byte == b'/')) {
        return Err(process.refuse(Reason::Option("-r".to_owned())));
    }
    if options.value("-c").is_some_and(|format| format != "new") {
        return Err(process.refuse(Reason::Option("-c".to_owned())));
    }
    let installed = Installed::read(process, &program)?;
    let cache = options.value("-C").unwrap_or(BStr::new("/etc/ld.so.cache")).to_owned();
    if options.has("-p") {
        return print::print(process, &installed, &cache);
    }
    let leave = options.has("-N") || options.has("-n");
    let task = Task {
        cache: if leave { CacheTask::Leave } else { CacheTask::Build },
        links: if options.has("-X") { LinkTask::Leave } else { LinkTask::Update },
        talk: if options.has("-v") { Talk::Aloud } else { Talk::Quiet },
    };
    let mut directories = Directories::new(&installed, task.talk);
    for operand in &options.operands {
        if task.cache == CacheTask::Build && !operand.starts_with(b"/") {
            say(process, &format!("relative path `{operand}' used to build cache"))?;
            return Ok(1);
        }
        directories.add(process, operand.as_bstr(), "<cmdline>", 0)?;
    }
    if !options.has("-n") {
        let file = options.value("-f").unwrap_or(BStr::new("/etc/ld.so.conf")).to_owned();
        directories.configure(process, file.as_bstr())?;
        for directory in &installed.directories {
            directories.add(process, directory.as_bstr(), "<builtin>", 0)?;
        }
    }
    let found = scan::scan(process, outside, &installed, task, directories)?;
    match task.cache {
        CacheTask::Build => save(process, cache.as_bstr(), cache::bytes(&installed, found)),
        CacheTask::Leave => Ok(0),
    }
}

/// Writes the cache beside the old one, and then in its place.
fn save(process: &mut Process<'_, '_>, cache: &BStr, bytes: Vec<u8>) -> Run {
    process.machine.budget.hold(bytes.len())?;
    let temporary = [cache.as_bytes(), b"~"].concat();
    let made = make(process, &temporary, bytes);
    if let Err(why) = errno(made)? {
        let temporary = temporary.as_bstr();
        say(process, &format!("Can't create temporary cache file {temporary}: {why}"))?;
        return Ok(1);
    }
    let renamed = rename(process, &temporary, cache);
    if let Err(why) = errno(renamed)? {
        let temporary = temporary.as_bstr();
        say(process, &format!("Renaming of {temporary} to {cache} failed: {why}"))?;
        return Ok(1);
    }
    Ok(0)
}

fn make(process: &mut Process<'_, '_>, path: &[u8], bytes: Vec<u8>) -> Result<(), FileError> {
    let found = process.locate(path, Last::Kept)?;
    let files = &mut process.machine.files;
    if found.stat.is_some() {
        files.remove(&found.path)?;
    }
    files.make(&found.path, NewNode::File(Data::of(bytes)), 0o644)
}

fn rename(process: &mut Process<'_, '_>, from: &[u8], to: &[u8]) -> Result<(), FileError> {
    let from = process.locate(from, Last::Kept)?.path;
    let to = process.locate(to, Last::Kept)?.path;
    process.machine.files.rename(&from, &to)
}

/// Writes to the standard errors, as error(3) does.
fn say(process: &mut Process<'_, '_>, message: &str) -> Result<(), Stop> {
    let program = process.words.first().cloned().unwrap_or_default();
    process.write_to(2, format!("{program}: {message}\n").as_bytes())
}
