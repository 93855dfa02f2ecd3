//! `tr`: bytes for other bytes (POSIX XCU, `tr`, and coreutils' manual, "tr invocation").

mod set;

use std::ops::RangeInclusive;

use bstr::{BString, ByteSlice};

use super::busybox::{self, options};
use crate::options::{Known, Options, Order, flag};
use crate::process::{Process, Run};
use crate::programs::quoting::cited;
use crate::stop::{Reason, Stop};
use set::{Element, Set};

const KNOWN: &[Known] = &[
    flag("-c", 'c', &["complement"]),
    flag("-C", 'C', &[]),
    flag("-d", 'd', &["delete"]),
    flag("-s", 's', &["squeeze-repeats"]),
    flag("-t", 't', &["truncate-set1"]),
];

/// Translates, squeezes and deletes bytes of the standard input.
pub(super) fn tr(process: &mut Process<'_, '_>) -> Run {
    let options = options(process, KNOWN, Order::First)?;
    let (deletes, squeezes) = (options.has("-d"), options.has("-s"));
    let wanted = if deletes == squeezes { 2 } else { 1 };
    let most = if deletes && !squeezes { 1 } else { 2 };
    let operands = &options.operands;
    if operands.len() < wanted || operands.len() > most {
        busybox::refuse(process)?;
        let task = if deletes { Task::Deleting } else { Task::Translating };
        return miscounted(process, operands, wanted..=most, task);
    }
    let first = read(process, &operands[0])?;
    let second = operands.get(1).map(|text| read(process, text)).transpose()?;
    if first.has_open_repeat() {
        return Err(no_repeat(process));
    }
    let members = match options.has("-c") || options.has("-C") {
        true => first.complement(),
        false => first.bytes(),
    };
    if (options.has("-c") && !deletes) || operands.iter().any(|text| is_gnus(text)) {
        busybox::refuse(process)?;
    }
    let data = process.read_input()?;
    let text = process.bytes(&data)?;
    let output = match (deletes, second) {
        (true, None) => text.iter().copied().filter(|byte| !members.contains(byte)).collect(),
        (true, Some(second)) => {
            if second.has_open_repeat() {
                return Err(no_repeat(process));
            }
            let second = second.bytes();
            let left = text.iter().copied().filter(|byte| !members.contains(byte));
            squeezed(left.collect(), &second)
        }
        (false, None) => squeezed(text.to_vec(), &members),
        (false, Some(second)) => {
            let (map, last) = map(process, &options, &first, members, second)?;
            let translated = text.iter().map(|byte| map[usize::from(*byte)]).collect();
            if squeezes { squeezed(translated, &last) } else { translated }
        }
    };
    process.write(output)?;
    Ok(0)
}

/// Whether a set has what BusyBox does not read as GNU's does: repeats, some classes, and escapes
/// of what needs none.
fn is_gnus(set: &[u8]) -> bool {
    let is_odd = |pair: &[u8]| pair[0] == b'\\' && !b"\\abfnrtv01234567".contains(&pair[1]);
    (set.contains(&b'[') && set.contains(&b'*'))
        || ["[:print:]", "[:graph:]"].iter().any(|class| set.contains_str(class))
        || set.windows(2).any(is_odd)
}

fn read(process: &Process<'_, '_>, text: &BString) -> Result<Set, Stop> {
    let refused = || process.refuse(Reason::Use(format!("has the set {text}")));
    Set::read(text).ok_or_else(refused)
}

fn no_repeat(process: &Process<'_, '_>) -> Stop {
    process.refuse(Reason::Use("repeats a character in the wrong place".to_owned()))
}

/// What each byte becomes, and the bytes of the second set.
fn map(
    process: &Process<'_, '_>,
    options: &Options,
    first: &Set,
    members: Vec<u8>,
    second: Set,
) -> Result<([u8; 256], Vec<u8>), Stop> {
    let refuse = |what: &str| process.refuse(Reason::Use(what.to_owned()));
    let is_complement = options.has("-c") || options.has("-C");
    let mut map: [u8; 256] = std::array::from_fn(|byte| byte as u8);
    let second = second.with_repeats(members.len()).ok_or_else(|| no_repeat(process))?;
    let has_class = |set: &Set| set.elements.iter().any(|part| matches!(part, Element::Class(_)));
    if has_class(&second) && !is_complement {
        let pairs = first.cases(&second).ok_or_else(|| refuse("has classes that do not match"))?;
        for (from, to) in pairs {
            map[usize::from(from)] = to;
        }
        return Ok((map, second.bytes()));
    }
    if has_class(&second) || (is_complement && has_class(first) && second.bytes().len() != 1) {
        return Err(refuse("has classes that do not match"));
    }
    let mut to = second.bytes();
    let all = to.clone();
    let Some(last) = to.last().copied() else {
        return Err(refuse("has an empty second set"));
    };
    if !options.has("-t") {
        if has_class(first) && !is_complement && to.len() > 1 && to.len() < members.len() {
            return Err(refuse("extends a set behind a class"));
        }
        to.resize(to.len().max(members.len()), last);
    }
    for (from, to) in members.into_iter().zip(to) {
        map[usize::from(from)] = to;
    }
    Ok((map, all))
}

/// One of several that follow each other.
fn squeezed(text: Vec<u8>, members: &[u8]) -> Vec<u8> {
    let mut text = text;
    text.dedup_by(|next, before| next == before && members.contains(next));
    text
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Task {
    Deleting,
    Translating,
}

fn miscounted(
    process: &mut Process<'_, '_>,
    operands: &[BString],
    counts: RangeInclusive<usize>,
    task: Task,
) -> Run {
    match operands.last() {
        None => process.complain("missing operand")?,
        Some(last) if operands.len() < *counts.start() => {
            process.complain(format!("missing operand after {}", cited(last)))?;
            let when = match task {
                Task::Deleting => "both deleting and squeezing repeats",
                Task::Translating => "translating",
            };
            let hint = format!("Two strings must be given when {when}.\n");
            process.write_to(2, hint.as_bytes())?;
        }
        Some(_) => {
            let extra = operands.get(*counts.end()).map(|extra| cited(extra));
            process.complain(format!("extra operand {}", extra.unwrap_or_default()))?;
            if task == Task::Deleting && *counts.end() == 1 && operands.len() == 2 {
                let hint =
                    "Only one string may be given when deleting without squeezing repeats.\n";
                process.write_to(2, hint.as_bytes())?;
            }
        }
    }
    process.write_to(2, b"Try 'tr --help' for more information.\n")?;
    Ok(1)
}

#[cfg(test)]
mod tests;
