//! `truncate` and `sync` (coreutils manual, "truncate invocation", "sync invocation").

use bstr::ByteSlice;

use super::report::{attempt, fail, usage};
use crate::data::Data;
use crate::files::{Last, Located, NewNode};
use crate::options::{Known, Options, Order, flag, value};
use crate::process::{Process, Run};
use crate::programs::quoting::{cited, quoted};
use crate::stop::Stop;

const TRUNCATE: &[Known] = &[
    flag("-c", 'c', &["no-create"]),
    value("-r", 'r', &["reference"]),
    value("-s", 's', &["size"]),
];
const SYNC: &[Known] = &[flag("-d", 'd', &["data"]), flag("-f", 'f', &["file-system"])];

/// What is said of a number that no file's size can be.
const TOO_LARGE: &str = ": Value too large for defined data type";

/// A size, and how it counts.
enum Size {
    Exactly(u64),
    More(u64),
    Less(u64),
    AtMost(u64),
    AtLeast(u64),
    RoundedDown(u64),
    RoundedUp(u64),
}

/// Sets sizes.
pub(super) fn truncate(process: &mut Process<'_, '_>) -> Run {
    let options = Options::of(process, TRUNCATE, Order::Anywhere)?;
    let size = match (options.value("-s"), options.value("-r")) {
        (None, None) => {
            return usage(process, "you must specify either '--size' or '--reference'");
        }
        (Some(_), Some(_)) => {
            return Err(super::report::refuse_use(process, "has a size and a reference"));
        }
        (Some(text), None) => match parse(text) {
            Some(Size::RoundedDown(0) | Size::RoundedUp(0)) => {
                return fail(process, "division by zero");
            }
            Some(size) => size,
            None => {
                let too_large = parse_number(unsigned(text)).map_or("", |_| TOO_LARGE);
                return fail(process, format!("Invalid number: {}{too_large}", cited(text)));
            }
        },
        (None, Some(reference)) => {
            let found = process.find(reference, Last::Followed);
            let what = || format!("cannot stat {}", quoted(reference));
            match attempt(process, found, what)? {
                Some((_, stat)) => Size::Exactly(stat.size()),
                None => return Ok(1),
            }
        }
    };
    if options.operands.is_empty() {
        return usage(process, "missing file operand");
    }
    let mut status = 0;
    for path in &options.operands {
        status |= set_size(process, &size, !options.has("-c"), path)?;
    }
    Ok(status)
}

fn parse(text: &[u8]) -> Option<Size> {
    let wrap = match text.trim().first()? {
        b'+' => Size::More,
        b'-' => Size::Less,
        b'<' => Size::AtMost,
        b'>' => Size::AtLeast,
        b'/' => Size::RoundedDown,
        b'%' => Size::RoundedUp,
        _ => Size::Exactly,
    };
    let number = i64::try_from(parse_number(unsigned(text))?).ok()?.unsigned_abs();
    Some(wrap(number))
}

/// Without the mark that says how it counts.
fn unsigned(text: &[u8]) -> &[u8] {
    match text.trim() {
        [b'+' | b'-' | b'<' | b'>' | b'/' | b'%', rest @ ..] => rest,
        text => text,
    }
}

/// A number with a suffix: `K` and `KiB` are 1024, `KB` is 1000.
fn parse_number(text: &[u8]) -> Option<u128> {
    let text = text.to_str().ok().filter(|text| !text.is_empty())?;
    let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let (digits, suffix) = text.split_at(end);
    let number: u128 = if digits.is_empty() { 1 } else { digits.parse().unwrap_or(u128::MAX) };
    let Some(letter) = suffix.chars().next() else { return Some(number) };
    let base: u128 = match &suffix[letter.len_utf8()..] {
        "" | "iB" => 1024,
        "B" => 1000,
        _ => return None,
    };
    let powers =
        [&['K', 'k'][..], &['M', 'm'], &['G', 'g'], &['T', 't'], &['P'], &['E'], &['Z'], &['Y']];
    let power = powers.iter().position(|letters| letters.contains(&letter))?;
    Some(number.saturating_mul(base.pow(u32::try_from(power).ok()? + 1)))
}

fn set_size(process: &mut Process<'_, '_>, size: &Size, makes: bool, path: &[u8]) -> Run {
    let what = || format!("cannot open {} for writing", quoted(path));
    let located = process.locate(path, Last::Followed);
    let Some(Located { path: real, stat }) = attempt(process, located, what)? else {
        return Ok(1);
    };
    let old = match stat.as_ref().map(|stat| stat.data().cloned()) {
        None if !makes => return Ok(0),
        None => {
            let mode = 0o666 & !process.umask;
            let made = process.machine.files.make(&real, NewNode::File(Data::empty()), mode);
            if attempt(process, made, what)?.is_none() {
                return Ok(1);
            }
            Data::empty()
        }
        Some(Some(data)) => data,
        Some(None) => Data::empty(),
    };
    let wanted = match size {
        Size::Exactly(size) => *size,
        Size::More(size) => old.size().saturating_add(*size),
        Size::Less(size) => old.size().saturating_sub(*size),
        Size::AtMost(size) => old.size().min(*size),
        Size::AtLeast(size) => old.size().max(*size),
        Size::RoundedDown(size) => old.size() / size * size,
        Size::RoundedUp(size) => old.size().div_ceil(*size).saturating_mul(*size),
    };
    let data = resized(process, old, wanted)?;
    let written = process.machine.files.write(&real, data);
    Ok(u8::from(attempt(process, written, what)?.is_none()))
}

fn resized(process: &mut Process<'_, '_>, old: Data, wanted: u64) -> Result<Data, Stop> {
    if wanted == old.size() {
        return Ok(old);
    }
    if wanted == 0 {
        return Ok(Data::empty());
    }
    let length = usize::try_from(wanted).unwrap_or(usize::MAX);
    process.machine.budget.hold(length)?;
    let mut bytes = process.bytes(&old)?.to_vec();
    bytes.resize(length, 0);
    Ok(Data::of(bytes))
}

/// Does nothing: nothing is ever unwritten here.
pub(super) fn sync(process: &mut Process<'_, '_>) -> Run {
    let options = Options::of(process, SYNC, Order::Anywhere)?;
    let mut status = 0;
    for path in &options.operands {
        let found = process.find(path, Last::Followed);
        let what = || format!("error opening {}", quoted(path));
        status |= u8::from(attempt(process, found, what)?.is_none());
    }
    Ok(status)
}
