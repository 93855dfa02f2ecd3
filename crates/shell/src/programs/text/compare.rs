//! `cmp` and `diff`: whether two files are the same.

use std::sync::Arc;

use bstr::BString;

use super::busybox::{self, options};
use super::input::open;
use super::locale::{Charset, charset};
use crate::data::Data;
use crate::files::Last;
use crate::options::{Known, Options, Order, flag};
use crate::process::{Process, Run, errno};
use crate::programs::quoting::{bare, cited, quoted};
use crate::stop::{Reason, Stop};

const CMP: &[Known] = &[flag("-s", 's', &["quiet", "silent"])];
const DIFF: &[Known] = &[
    flag("-q", 'q', &["brief"]),
    flag("-s", 's', &["report-identical-files"]),
    flag("-u", 'u', &[]),
];

/// Tells where two files begin to differ.
pub(super) fn cmp(process: &mut Process<'_, '_>) -> Run {
    let options = options(process, CMP, Order::Anywhere)?;
    let is_silent = options.has("-s");
    let Some([left, right]) = two(process, &options)? else { return Ok(2) };
    let mut pair = Vec::new();
    for name in [&left, &right] {
        match open(process, name)? {
            Ok(data) => pair.push(data),
            Err(errno) => {
                if !is_silent {
                    process.complain(format!("{}: {errno}", bare(name)))?;
                }
                return Ok(2);
            }
        }
    }
    let [first, second] = &pair[..] else { return Ok(2) };
    if are_same(first, second) {
        return Ok(0);
    }
    if is_silent {
        return Ok(1);
    }
    let (first, second) = (process.bytes(first)?, process.bytes(second)?);
    let at = first.iter().zip(second.iter()).position(|(left, right)| left != right);
    match at {
        Some(at) => {
            let line = first[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
            let unit = match charset(process, "LC_MESSAGES")? {
                Charset::Bytes => "char",
                Charset::Utf8 => "byte",
            };
            let (left, right) = (bare(&left), bare(&right));
            let said = format!("{left} {right} differ: {unit} {}, line {line}\n", at + 1);
            process.write(said)?;
        }
        None => {
            let (name, shorter) =
                if first.len() < second.len() { (left, first) } else { (right, second) };
            process.complain(ends(&name, &shorter))?;
        }
    }
    Ok(1)
}

/// What `cmp` says of the file that is the beginning of the other.
fn ends(name: &[u8], text: &Arc<[u8]>) -> String {
    let lines = text.iter().filter(|byte| **byte == b'\n').count();
    let (name, length) = (bare(name), text.len());
    match text.last() {
        None => format!("EOF on {name} which is empty"),
        Some(b'\n') => format!("EOF on {name} after byte {length}, line {lines}"),
        Some(_) => format!("EOF on {name} after byte {length}, in line {}", lines + 1),
    }
}

/// Tells whether two files differ. How they do is not told.
pub(super) fn diff(process: &mut Process<'_, '_>) -> Run {
    let options = options(process, DIFF, Order::Anywhere)?;
    let Some([left, right]) = two(process, &options)? else { return Ok(2) };
    for name in [&left, &right] {
        let found = errno(process.find(name, Last::Followed))?;
        if name == "-" || matches!(found, Ok((_, stat)) if stat.is_directory()) {
            let what = format!("compares {}", quoted(name));
            return Err(process.refuse(Reason::Use(what)));
        }
    }
    let mut pair = Vec::new();
    for name in [&left, &right] {
        match open(process, name)? {
            Ok(data) => pair.push(data),
            Err(errno) => process.complain(format!("{}: {errno}", bare(name)))?,
        }
    }
    let [first, second] = &pair[..] else { return Ok(2) };
    let is_same = are_same(first, second);
    let said = match (is_same, options.has("-q"), options.has("-s")) {
        (true, _, false) => return Ok(0),
        (true, _, true) => "are identical",
        (false, true, _) => "differ",
        (false, false, _) => {
            return Err(process.refuse(Reason::Use("compares files that differ".to_owned())));
        }
    };
    process.write(format!("Files {} and {} {said}\n", bare(&left), bare(&right)))?;
    Ok(u8::from(!is_same))
}

/// Whether bytes are the same, by their names.
fn are_same(left: &Data, right: &Data) -> bool {
    left.size() == right.size() && left.content().digest == right.content().digest
}

/// The two operands, or what is wrong with them.
fn two(process: &mut Process<'_, '_>, options: &Options) -> Result<Option<[BString; 2]>, Stop> {
    let name = process.name().to_owned();
    let message = match &options.operands[..] {
        [left, right] => return Ok(Some([left.clone(), right.clone()])),
        [_] if name != "diff" => {
            return Err(process.refuse(Reason::Use("compares with standard input".to_owned())));
        }
        [] | [_] => {
            let last = process.words.last().map(|last| cited(last)).unwrap_or_default();
            format!("missing operand after {last}")
        }
        [_, _, extra, ..] if name == "diff" => format!("extra operand {}", cited(extra)),
        _ => return Err(process.refuse(Reason::Use("skips bytes".to_owned()))),
    };
    busybox::refuse(process)?;
    process.complain(message)?;
    process.complain(format!("Try '{name} --help' for more information."))?;
    Ok(None)
}

#[cfg(test)]
mod tests {
    use crate::fixture::Image;
    use crate::programs::text::trial::check;

    #[test]
    fn files_are_compared_as_gnu_does() {
        let mut image = Image::new();
        image.file("work/f", "a\nb\nc\n", 0o644);
        image.file("work/g", "a\nc\nc\n", 0o644);
        image.file("work/e", "", 0o644);
        image.file("work/s", "a\n", 0o644);
        image.file("work/p", "a\nb", 0o644);
        check(
            &image,
            None,
            &[
                (&["cmp", "f", "g"], "", "f g differ: char 3, line 2\n=1"),
                (&["cmp", "f", "f"], "", ""),
                (&["cmp", "-s", "f", "g"], "", "=1"),
                (&["cmp", "f", "e"], "", "!cmp: EOF on e which is empty\n=1"),
                (&["cmp", "f", "s"], "", "!cmp: EOF on s after byte 2, line 1\n=1"),
                (&["cmp", "f", "p"], "", "!cmp: EOF on p after byte 3, in line 2\n=1"),
                (&["cmp", "f", "no"], "", "!cmp: no: No such file or directory\n=2"),
                (&["cmp", "-s", "f", "no"], "", "=2"),
                (
                    &["cmp"],
                    "",
                    "!cmp: missing operand after 'cmp'\ncmp: Try 'cmp --help' for more information.\n=2",
                ),
                (&["diff", "-q", "f", "g"], "", "Files f and g differ\n=1"),
                (&["diff", "f", "f"], "", ""),
                (&["diff", "-s", "f", "f"], "", "Files f and f are identical\n"),
                (&["diff", "f", "no"], "", "!diff: no: No such file or directory\n=2"),
                (&["diff", "-q", "no", "f"], "", "!diff: no: No such file or directory\n=2"),
                (
                    &["diff"],
                    "",
                    "!diff: missing operand after 'diff'\ndiff: Try 'diff --help' for more information.\n=2",
                ),
                (
                    &["diff", "f"],
                    "",
                    "!diff: missing operand after 'f'\ndiff: Try 'diff --help' for more information.\n=2",
                ),
                (
                    &["diff", "f", "g", "s"],
                    "",
                    "!diff: extra operand 's'\ndiff: Try 'diff --help' for more information.\n=2",
                ),
            ],
        );
    }
}
