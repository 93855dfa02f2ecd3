//! `tar` (GNU tar manual): archives unpacked, listed and made.
//!
//! An archive that is elsewhere, such as a download, is unpacked by its entries, without its bytes,
//! wherever these say enough: not where the names' exact spelling, their order or their owners'
//! names matter.

mod create;
mod extract;
mod list;
mod member;
mod select;

use bstr::{BString, ByteSlice};
use layer::ArchiveCompression;

use super::compression::{detect, is_installed, program_of};
use super::report::{refuse_option, refuse_use};
use crate::data::Data;
use crate::files::Last;
use crate::options::{Known, Options, Order, Takes, flag, long, value};
use crate::process::{Process, Run, errno};
use crate::programs::quoting::bare;
use crate::stop::Stop;

const OPTIONS: &[Known] = &[
    flag("-c", 'c', &["create"]),
    flag("-t", 't', &["list"]),
    flag("-x", 'x', &["extract", "get"]),
    flag("-a", 'a', &["auto-compress"]),
    flag("-j", 'j', &["bzip2"]),
    flag("-J", 'J', &["xz"]),
    flag("-z", 'z', &["gzip", "gunzip", "ungzip"]),
    long("--zstd", &["zstd"], Takes::Nothing),
    value("-C", 'C', &["directory"]),
    long("--exclude", &["exclude"], Takes::Value),
    value("-f", 'f', &["file"]),
    flag("-h", 'h', &["dereference"]),
    flag("-k", 'k', &["keep-old-files"]),
    long("--keep-links", &["keep-directory-symlink"], Takes::Nothing),
    flag("-m", 'm', &["touch"]),
    long("--no-same-owner", &["no-same-owner"], Takes::Nothing),
    flag("--no-same-owner", 'o', &[]),
    long("--no-same-permissions", &["no-same-permissions"], Takes::Nothing),
    long("--numeric-owner", &["numeric-owner"], Takes::Nothing),
    flag("-O", 'O', &["to-stdout"]),
    long("--overwrite-dir", &["overwrite-dir"], Takes::Nothing),
    flag("-p", 'p', &["preserve-permissions", "same-permissions"]),
    long("--same-owner", &["same-owner"], Takes::Nothing),
    long("--skip-old-files", &["skip-old-files"], Takes::Nothing),
    long("--strip", &["strip-components", "strip"], Takes::Value),
    flag("-U", 'U', &["unlink-first"]),
    flag("-v", 'v', &["verbose"]),
    long("--warning", &["warning"], Takes::Value),
    long("--wildcards", &["wildcards"], Takes::Nothing),
];

/// What is complained about at the end, too.
const DELAYED: &str = "Exiting with failure status due to previous errors";
const FATAL: &str = "Error is not recoverable: exiting now";

/// Archives.
pub(super) fn tar(process: &mut Process<'_, '_>) -> Run {
    let words = with_dashes(process.arguments());
    let refuse = |option: String| refuse_option(process, option);
    let options = Options::read(&words, OPTIONS, Order::Anywhere).map_err(refuse)?;
    expect_directory_first(process, &words, &options)?;
    let modes = ["-c", "-t", "-x"].iter().filter(|mode| options.has(mode)).count();
    if modes != 1 {
        let what = match modes {
            0 => "You must specify one of the '-Acdtrux', '--delete' or '--test-label' options",
            _ => {
                "You may not specify more than one '-Acdtrux', '--delete' or  '--test-label' option"
            }
        };
        process.complain(what)?;
        process.write_to(2, b"Try 'tar --help' or 'tar --usage' for more information.\n")?;
        return Ok(2);
    }
    if options.has("-c") {
        return create::create(process, &options);
    }
    let data = match archive(process, &options)? {
        Ok(data) => data,
        Err(status) => return Ok(status),
    };
    let directory = match directory(process, &options)? {
        Ok(directory) => directory,
        Err(status) => return Ok(status),
    };
    let mut members = match member::read(process, &options, &data)? {
        Ok(members) => members,
        Err(status) => return Ok(status),
    };
    let missing = select::select(process, &options, &mut members)?;
    let mut status = match options.has("-t") {
        true => list::list(process, &options, &members)?,
        false => extract::extract(process, &options, &directory, &members)?,
    };
    for name in missing {
        process.complain(format!("{}: Not found in archive", name.as_bstr()))?;
        status = 2;
    }
    if status != 0 {
        process.complain(DELAYED)?;
    }
    Ok(status)
}

/// The first word may be letters without a dash, whose values are the words behind it.
fn with_dashes(words: &[BString]) -> Vec<BString> {
    let Some((first, rest)) = words.split_first() else { return Vec::new() };
    if first.starts_with(b"-") || first.is_empty() {
        return words.to_vec();
    }
    let mut all = Vec::new();
    let mut rest = rest.iter();
    for letter in first.chars() {
        all.push(BString::from(format!("-{letter}")));
        let is_value = |known: &&Known| known.short == Some(letter) && known.value == Takes::Value;
        if OPTIONS.iter().any(|known| is_value(&known)) {
            all.extend(rest.next().cloned());
        }
    }
    all.extend(rest.cloned());
    all
}

/// `-C` counts for what comes behind it; here it is for all.
fn expect_directory_first(
    process: &Process<'_, '_>,
    words: &[BString],
    options: &Options,
) -> Result<(), Stop> {
    let is_directory = |word: &BString| {
        let short = word.starts_with(b"-") && !word.starts_with(b"--") && word.ends_with(b"C");
        short || word.starts_with(b"-C") || word.starts_with(b"--directory")
    };
    let Some(last) = words.iter().rposition(is_directory) else { return Ok(()) };
    let before = Options::read(&words[..last], OPTIONS, Order::Anywhere);
    let is_first = before.is_ok_and(|before| before.operands.is_empty());
    match is_first && options.values("-C").count() == 1 {
        true => Ok(()),
        false => Err(refuse_use(process, "changes directories between names")),
    }
}

/// The archive's bytes; an exit status if there are none.
fn archive(process: &mut Process<'_, '_>, options: &Options) -> Result<Result<Data, u8>, Stop> {
    let file = options.value("-f").map(|file| file.to_owned());
    let data = match file.as_ref().map(|file| &***file) {
        // Debian's tar is made with `-` for where no name is given.
        None | Some(b"-") => process.read_input()?,
        Some(name) if name.contains(&b':') => {
            return Err(refuse_use(process, "has an archive on another machine"));
        }
        Some(name) => match errno(process.open(name))? {
            Ok(data) => data,
            Err(error) => {
                process.complain(format!("{}: Cannot open: {error}", bare(name)))?;
                process.complain(FATAL)?;
                return Ok(Err(2));
            }
        },
    };
    let wanted = wanted_compression(options);
    let by_name = file.as_ref().map_or(ArchiveCompression::None, |file| compression_by_name(file));
    let compression = match (wanted, &data) {
        (Some(wanted), _) => wanted,
        (None, Data::Inline(bytes)) => detect(bytes),
        (None, Data::Stored(_)) => by_name,
    };
    if !is_installed(process, compression)? {
        let program = program_of(compression);
        let message = format!("tar (child): {program}: Cannot exec: No such file or directory\n");
        process.write_to(2, message.as_bytes())?;
        process.write_to(2, format!("tar (child): {FATAL}\n").as_bytes())?;
        process.complain("Child returned status 2")?;
        process.complain(FATAL)?;
        return Ok(Err(2));
    }
    Ok(Ok(data))
}

/// The compression that an option names.
fn wanted_compression(options: &Options) -> Option<ArchiveCompression> {
    Some(match options.last_of(&["-j", "-J", "-z", "--zstd"])? {
        "-j" => ArchiveCompression::Bzip2,
        "-J" => ArchiveCompression::Xz,
        "-z" => ArchiveCompression::Gzip,
        _ => ArchiveCompression::Zstd,
    })
}

fn compression_by_name(name: &[u8]) -> ArchiveCompression {
    let ends = |suffixes: &[&str]| suffixes.iter().any(|suffix| name.ends_with_str(suffix));
    if ends(&[".gz", ".tgz", ".taz", ".Z"]) {
        ArchiveCompression::Gzip
    } else if ends(&[".bz2", ".tbz", ".tbz2", ".tz2"]) {
        ArchiveCompression::Bzip2
    } else if ends(&[".xz", ".txz"]) {
        ArchiveCompression::Xz
    } else if ends(&[".zst", ".tzst"]) {
        ArchiveCompression::Zstd
    } else {
        ArchiveCompression::None
    }
}

/// Where `-C` goes; an exit status if it does not go there.
fn directory(
    process: &mut Process<'_, '_>,
    options: &Options,
) -> Result<Result<BString, u8>, Stop> {
    let Some(directory) = options.value("-C") else { return Ok(Ok(BString::from("."))) };
    let error = match errno(process.find(directory, Last::Followed))? {
        Ok((_, stat)) if stat.is_directory() => return Ok(Ok(directory.to_owned())),
        Ok(_) => crate::files::Errno::NotADirectory,
        Err(error) => error,
    };
    process.complain(format!("{}: Cannot open: {error}", bare(directory)))?;
    process.complain(FATAL)?;
    Ok(Err(2))
}
