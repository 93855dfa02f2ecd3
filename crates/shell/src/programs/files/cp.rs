//! `cp` (coreutils manual, "cp invocation").

use bstr::ByteSlice;

use super::copying::{
    Copier, Depth, Existing, Following, Keeps, Making, Manner, Replacing, Telling, Volumes,
};
use super::destination::{Destination, LinkedDirectory, base, inside, sort_out, without_slashes};
use super::report::{refuse_option, usage};
use crate::options::{Known, Options, Order, Takes, flag, long, value};
use crate::process::{Process, Run};
use crate::stop::Stop;

const OPTIONS: &[Known] = &[
    flag("-a", 'a', &["archive"]),
    long("--attributes-only", &[], Takes::Nothing),
    flag("-d", 'd', &[]),
    flag("-f", 'f', &["force"]),
    flag("-H", 'H', &[]),
    flag("-l", 'l', &["link"]),
    flag("-L", 'L', &["dereference"]),
    flag("-n", 'n', &["no-clobber"]),
    flag("-P", 'P', &["no-dereference"]),
    flag("-p", 'p', &[]),
    long("--no-preserve", &["no-preserve"], Takes::Value),
    long("--parents", &["parents"], Takes::Nothing),
    long("--preserve", &["preserve"], Takes::MaybeValue),
    flag("-r", 'r', &["recursive"]),
    Known { id: "-r", short: Some('R'), long: &[], value: Takes::Nothing },
    long("--reflink", &["reflink"], Takes::MaybeValue),
    long("--remove-destination", &["remove-destination"], Takes::Nothing),
    flag("-s", 's', &["symbolic-link"]),
    long("--sparse", &["sparse"], Takes::Value),
    long("--strip-trailing-slashes", &["strip-trailing-slashes"], Takes::Nothing),
    value("-t", 't', &["target-directory"]),
    flag("-T", 'T', &["no-target-directory"]),
    flag("-u", 'u', &["update"]),
    flag("-v", 'v', &["verbose"]),
    flag("-x", 'x', &["one-file-system"]),
    // Of a kernel with SELinux; without one it does nothing.
    flag("-Z", 'Z', &[]),
];

/// Copies files and trees.
pub(super) fn cp(process: &mut Process<'_, '_>) -> Run {
    let options = Options::of(process, OPTIONS, Order::Anywhere)?;
    let manner = manner(process, &options)?;
    if options.has("-l") && options.has("-s") {
        return usage(process, "cannot make both hard and symbolic links");
    }
    let destination = match sort_out(process, &options, LinkedDirectory::Entered)? {
        Ok(destination) => destination,
        Err(status) => return Ok(status),
    };
    let mut copier = Copier::new(manner, process.umask);
    let is_whole = match destination {
        Destination::Name(..) if options.has("--parents") => {
            return usage(process, "with --parents, the destination must be a directory");
        }
        Destination::Name(from, to) => {
            let from = stripped(&options, &from);
            copier.copy_operand(process, from, &to)?
        }
        Destination::Directory(sources, directory) => {
            let mut is_whole = true;
            for source in &sources {
                let source = stripped(&options, source);
                is_whole &= into_directory(process, &mut copier, &options, source, &directory)?;
            }
            is_whole
        }
    };
    Ok(u8::from(!is_whole))
}

fn stripped<'a>(options: &Options, source: &'a [u8]) -> &'a [u8] {
    match options.has("--strip-trailing-slashes") {
        true => without_slashes(source),
        false => source,
    }
}

fn into_directory(
    process: &mut Process<'_, '_>,
    copier: &mut Copier,
    options: &Options,
    source: &[u8],
    directory: &[u8],
) -> Result<bool, Stop> {
    if options.has("--parents") {
        let name = without_slashes(source);
        if !copier.copy_parents(process, name, directory)? {
            return Ok(false);
        }
        return copier.copy_operand(process, source, &inside(directory, name));
    }
    let target = match base(source) {
        // What is in the directory above goes straight into the other one.
        b".." => directory.into(),
        name => inside(directory, name),
    };
    copier.copy_operand(process, source, &target)
}

fn manner(process: &Process<'_, '_>, options: &Options) -> Result<Manner, Stop> {
    let making = match options.last_of(&["-l", "-s"]) {
        Some("-l") => Making::HardLinks,
        Some(_) => Making::Symlinks,
        None => Making::Copies,
    };
    let is_recursive = options.has("-r") || options.has("-a");
    let following = match options.last_of(&["-a", "-d", "-H", "-L", "-P"]) {
        Some("-H") => Following::Operands,
        Some("-L") => Following::All,
        Some(_) => Following::None,
        None if is_recursive && making != Making::HardLinks => Following::None,
        None => Following::All,
    };
    let existing = match options.last_of(&["-n", "-u"]) {
        Some("-n") => Existing::Kept,
        _ if options.has("-n") => Existing::Kept,
        Some(_) => Existing::Updated,
        None => Existing::Overwritten,
    };
    for (option, known) in [("--reflink", "auto never"), ("--sparse", "auto never always")] {
        for value in options.values(option) {
            if !known.split(' ').any(|known| known.as_bytes() == value.as_bytes()) {
                return Err(refuse_option(process, format!("{option}={value}")));
            }
        }
    }
    if options.has("--reflink") && options.value("--reflink").is_none() {
        return Err(refuse_option(process, "--reflink"));
    }
    Ok(Manner {
        making,
        depth: if is_recursive { Depth::Trees } else { Depth::Files },
        following,
        keeps: keeps(process, options)?,
        existing,
        replacing: match (options.has("--remove-destination"), options.has("-f")) {
            (true, _) => Replacing::Always,
            (false, true) => Replacing::Unwritable,
            (false, false) => Replacing::Never,
        },
        telling: if options.has("-v") { Telling::Copies } else { Telling::Nothing },
        volumes: if options.has("-x") { Volumes::One } else { Volumes::All },
    })
}

/// What copies keep: each option adds to what those before it said, or takes away.
fn keeps(process: &Process<'_, '_>, options: &Options) -> Result<Keeps, Stop> {
    let mut keeps = Keeps::default();
    for (id, value) in &options.given {
        match (*id, value) {
            ("-a", _) => keeps = Keeps::ALL,
            ("-d", _) => keeps.links = true,
            ("-p", _) | ("--preserve", None) => {
                keeps = Keeps { mode: true, owner: true, time: true, ..keeps };
            }
            ("--preserve" | "--no-preserve", Some(list)) => {
                for name in list.split(|byte| *byte == b',') {
                    set(&mut keeps, name, *id == "--preserve").ok_or_else(|| {
                        refuse_option(process, format!("{id}={}", name.as_bstr()))
                    })?;
                }
            }
            _ => {}
        }
    }
    Ok(keeps)
}

fn set(keeps: &mut Keeps, name: &[u8], is_kept: bool) -> Option<()> {
    match name {
        // A mode that is expressly not kept is as if there was no original.
        b"mode" | b"all" if !is_kept => return None,
        b"mode" => keeps.mode = true,
        b"ownership" => keeps.owner = is_kept,
        b"timestamps" => keeps.time = is_kept,
        b"links" => keeps.links = is_kept,
        b"xattr" => keeps.xattrs = is_kept,
        // No file here has a context.
        b"context" if !is_kept => {}
        b"all" => *keeps = Keeps::ALL,
        _ => return None,
    }
    Some(())
}
