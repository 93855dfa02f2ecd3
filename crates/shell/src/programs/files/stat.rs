//! `stat` with a format (coreutils manual, "stat invocation"). What depends on the machine's disk,
//! such as inodes and the sizes of directories, is refused.

use bstr::{BString, ByteSlice};

use super::modes::permissions;
use super::owners::Owners;
use super::report::{attempt, refuse_use, usage};
use crate::files::{Kind, Last, Stat};
use crate::options::{Known, Options, Order, Takes, flag, long, value};
use crate::process::{Process, Run, errno};
use crate::programs::quoting::quoted;
use crate::stop::Stop;

const OPTIONS: &[Known] = &[
    value("-c", 'c', &["format"]),
    flag("-L", 'L', &["dereference"]),
    long("--printf", &["printf"], Takes::Value),
];

/// Shows what is known of files.
pub(super) fn stat(process: &mut Process<'_, '_>) -> Run {
    let options = Options::of(process, OPTIONS, Order::Anywhere)?;
    let format = match options.last_of(&["-c", "--printf"]) {
        Some("-c") => [options.value("-c").unwrap_or_default(), &b"\n"[..]].concat(),
        Some(_) => unescaped(process, options.value("--printf").unwrap_or_default())?,
        None => return Err(refuse_use(process, "shows inodes and blocks without a format")),
    };
    if options.operands.is_empty() {
        return usage(process, "missing operand");
    }
    let owners = Owners::read(process)?;
    let last = if options.has("-L") { Last::Followed } else { Last::Kept };
    let mut status = 0;
    for path in &options.operands {
        let found = process.find(path, last);
        let what = || format!("cannot statx {}", quoted(path));
        let Some((_, stat)) = attempt(process, found, what)? else {
            status = 1;
            continue;
        };
        let shown = formatted(process, &format, path, &stat, &owners)?;
        process.write(shown)?;
    }
    Ok(status)
}

fn formatted(
    process: &Process<'_, '_>,
    format: &[u8],
    path: &[u8],
    stat: &Stat,
    owners: &Owners,
) -> Result<Vec<u8>, Stop> {
    let mut shown = Vec::new();
    let mut rest = format;
    while let Some(at) = rest.find_byte(b'%') {
        shown.extend_from_slice(&rest[..at]);
        rest = &rest[at + 1..];
        let flags = rest.iter().position(|byte| !b"-0".contains(byte)).unwrap_or(rest.len());
        let digits = rest[flags..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (is_left, is_zero) = (rest[..flags].contains(&b'-'), rest[..flags].contains(&b'0'));
        let width: usize = rest[flags..flags + digits].to_str_lossy().parse().unwrap_or(0);
        let Some(directive) = rest.get(flags + digits) else {
            shown.push(b'%');
            break;
        };
        rest = &rest[flags + digits + 1..];
        if *directive == b'%' {
            shown.push(b'%');
            continue;
        }
        let value = value_of(process, *directive, path, stat, owners)?;
        let padding = width.min(4096).saturating_sub(value.len());
        let is_number = b"agufhsYtT".contains(directive);
        let pad = if is_zero && is_number && !is_left { b'0' } else { b' ' };
        let pad = vec![pad; padding];
        match is_left {
            true => shown.extend([&value[..], &pad[..]].concat()),
            false => shown.extend([&pad[..], &value[..]].concat()),
        }
    }
    shown.extend_from_slice(rest);
    Ok(shown)
}

fn value_of(
    process: &Process<'_, '_>,
    directive: u8,
    path: &[u8],
    stat: &Stat,
    owners: &Owners,
) -> Result<BString, Stop> {
    let attributes = &stat.attributes;
    let (major, minor) = match stat.kind {
        Kind::CharDevice { major, minor } | Kind::BlockDevice { major, minor } => (major, minor),
        _ => (0, 0),
    };
    Ok(match directive {
        b'a' => format!("{:o}", attributes.mode).into(),
        b'A' => format!("{}{}", letter(&stat.kind), permissions(attributes.mode)).into(),
        b'f' => format!("{:x}", type_bits(&stat.kind) | attributes.mode).into(),
        b'F' => kind_name(stat).into(),
        b'g' => attributes.gid.to_string().into(),
        b'G' => owner_name(owners.group_name(attributes.gid)),
        b'h' if !stat.is_directory() => {
            let links = errno(process.machine.files.links(stat))?.unwrap_or(1);
            links.to_string().into()
        }
        b'n' => path.into(),
        b'N' => match &stat.kind {
            Kind::Symlink(target) => format!("{} -> {}", quoted(path), quoted(target)).into(),
            _ => quoted(path).into(),
        },
        b's' if !stat.is_directory() => stat.size().to_string().into(),
        b't' => format!("{major:x}").into(),
        b'T' => format!("{minor:x}").into(),
        b'u' => attributes.uid.to_string().into(),
        b'U' => owner_name(owners.user_name(attributes.uid)),
        b'Y' => attributes.mtime.to_string().into(),
        other => {
            let shown = other.escape_ascii();
            let what = format!("has `%{shown}` in its format, which is not known here");
            return Err(refuse_use(process, what));
        }
    })
}

fn owner_name(name: Option<&BString>) -> BString {
    name.cloned().unwrap_or_else(|| BString::from("UNKNOWN"))
}

/// What `ls -l` begins a line with.
pub(super) fn letter(kind: &Kind) -> char {
    match kind {
        Kind::File(_) => '-',
        Kind::Directory => 'd',
        Kind::Symlink(_) => 'l',
        Kind::CharDevice { .. } => 'c',
        Kind::BlockDevice { .. } => 'b',
        Kind::Fifo => 'p',
    }
}

/// The type's bits in a mode (inode(7)).
fn type_bits(kind: &Kind) -> u32 {
    match kind {
        Kind::File(_) => 0o100_000,
        Kind::Directory => 0o040_000,
        Kind::Symlink(_) => 0o120_000,
        Kind::CharDevice { .. } => 0o020_000,
        Kind::BlockDevice { .. } => 0o060_000,
        Kind::Fifo => 0o010_000,
    }
}

fn kind_name(stat: &Stat) -> &'static str {
    match stat.kind {
        Kind::File(_) if stat.size() == 0 => "regular empty file",
        Kind::File(_) => "regular file",
        Kind::Directory => "directory",
        Kind::Symlink(_) => "symbolic link",
        Kind::CharDevice { .. } => "character special file",
        Kind::BlockDevice { .. } => "block special file",
        Kind::Fifo => "fifo",
    }
}

/// `--printf`'s escapes; others than the usual ones are refused.
pub(super) fn unescaped(process: &Process<'_, '_>, text: &[u8]) -> Result<Vec<u8>, Stop> {
    let mut plain = Vec::with_capacity(text.len());
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        let escaped = match byte {
            b'\\' => bytes.next(),
            byte => {
                plain.push(*byte);
                continue;
            }
        };
        plain.push(match escaped {
            Some(b'n') => b'\n',
            Some(b't') => b'\t',
            Some(b'r') => b'\r',
            Some(b'a') => 7,
            Some(b'\\') => b'\\',
            Some(b'"') => b'"',
            Some(b'0') => 0,
            _ => return Err(refuse_use(process, "has an escape in its format that is not known")),
        });
    }
    Ok(plain)
}
