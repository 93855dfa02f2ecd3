//! `comm`: what two sorted files have in common.

use std::cmp::Ordering;

use super::busybox::options;
use super::input::{lines, read};
use super::locale::refuse_collation;
use crate::options::{Known, Order, Takes, flag, long};
use crate::process::{Process, Run};
use crate::programs::quoting::bare;
use crate::stop::Reason;

const KNOWN: &[Known] = &[
    flag("-1", '1', &[]),
    flag("-2", '2', &[]),
    flag("-3", '3', &[]),
    flag("-z", 'z', &["zero-terminated"]),
    long("--nocheck-order", &["nocheck-order"], Takes::Nothing),
];

/// Writes three columns: lines of the first alone, of the second alone, and of both.
pub(super) fn comm(process: &mut Process<'_, '_>) -> Run {
    let options = options(process, KNOWN, Order::Anywhere)?;
    refuse_collation(process)?;
    let end = if options.has("-z") { 0 } else { b'\n' };
    let [left, right] = &options.operands[..] else {
        return Err(process.refuse(Reason::Use("has not two operands".to_owned())));
    };
    let mut texts = Vec::new();
    for name in [left, right] {
        match read(process, name)? {
            Ok(text) => texts.push(text),
            Err(errno) => {
                process.complain(format!("{}: {errno}", bare(name)))?;
                return Ok(1);
            }
        }
    }
    let columns: Vec<Vec<&[u8]>> = texts.iter().map(|text| lines(text, end).collect()).collect();
    if !options.has("--nocheck-order") && !columns.iter().all(|lines| lines.is_sorted()) {
        return Err(process.refuse(Reason::Use("reads files that are not sorted".to_owned())));
    }
    let [left, right] = &columns[..] else { return Ok(1) };
    let shows = |column: usize| !options.has(["-1", "-2", "-3"][column]);
    let (mut left, mut right) = (left.iter().peekable(), right.iter().peekable());
    let mut output = Vec::new();
    loop {
        let order = match (left.peek(), right.peek()) {
            (None, None) => break,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(left), Some(right)) => left.cmp(right),
        };
        let (line, column) = match order {
            Ordering::Less => (left.next(), 0),
            Ordering::Greater => (right.next(), 1),
            Ordering::Equal => {
                right.next();
                (left.next(), 2)
            }
        };
        if shows(column) {
            let tabs = (0..column).filter(|before| shows(*before)).count();
            output.extend(std::iter::repeat_n(b'\t', tabs));
            output.extend_from_slice(line.copied().unwrap_or_default());
            output.push(end);
        }
    }
    process.write(output)?;
    Ok(0)
}

#[cfg(test)]
mod tests {
    use crate::fixture::Image;
    use crate::programs::text::trial::check;

    #[test]
    fn columns_are_as_gnu_has_them() {
        let mut image = Image::new();
        image.file("work/f", "a\nb\nc\n", 0o644);
        image.file("work/g", "b\nd\n", 0o644);
        check(
            &image,
            None,
            &[
                (&["comm", "f", "g"], "", "a\n\t\tb\nc\n\td\n"),
                (&["comm", "-12", "f", "g"], "", "b\n"),
                (&["comm", "-23", "f", "g"], "", "a\nc\n"),
                (&["comm", "-13", "f", "g"], "", "d\n"),
                (&["comm", "-3", "f", "g"], "", "a\nc\n\td\n"),
                (&["comm", "f", "no"], "", "!comm: no: No such file or directory\n=1"),
                (&["comm", "f", "-"], "b\n", "a\n\t\tb\nc\n"),
            ],
        );
    }
}
