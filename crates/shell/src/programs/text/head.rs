//! `head` and `tail`: the beginning and the end of files.

use bstr::{BString, ByteSlice};

use super::busybox::{self, refuse_others};
use super::count::{Count, count};
use super::input::{or_input, read};
use crate::files::Errno;
use crate::options::{Known, Options, Order, flag, value};
use crate::process::{Process, Run};
use crate::programs::quoting::quoted;
use crate::stop::{Reason, Stop};

const KNOWN: &[Known] = &[
    value("-n", 'n', &["lines"]),
    value("-c", 'c', &["bytes"]),
    flag("-q", 'q', &["quiet", "silent"]),
    flag("-v", 'v', &["verbose"]),
    flag("-z", 'z', &["zero-terminated"]),
];

/// The first lines or bytes.
pub(super) fn head(process: &mut Process<'_, '_>) -> Run {
    show(process, End::Head)
}

/// The last lines or bytes.
pub(super) fn tail(process: &mut Process<'_, '_>) -> Run {
    show(process, End::Tail)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Head,
    Tail,
}

/// What is asked for.
struct Part {
    end: End,
    unit: Unit,
    count: Count,
    delimiter: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Lines,
    Bytes,
}

fn show(process: &mut Process<'_, '_>, end: End) -> Run {
    let words = modern(process, end)?;
    let refuse = |option: String| process.refuse(Reason::Option(option));
    let options = Options::read(&words, KNOWN, Order::Anywhere).map_err(refuse)?;
    if end == End::Tail && words != process.arguments() && options.operands.len() > 1 {
        busybox::refuse(process)?;
        let old = options.value("-n").map(|digits| digits.to_string()).unwrap_or_default();
        process
            .complain(format!("option used in invalid context -- {}", &old[..1.min(old.len())]))?;
        return Ok(1);
    }
    refuse_others(process, &options)?;
    let unit = match options.last_of(&["-n", "-c"]) {
        Some("-c") => Unit::Bytes,
        _ => Unit::Lines,
    };
    let given = options.given.iter().rfind(|(id, _)| matches!(*id, "-n" | "-c"));
    let text = given.and_then(|(_, value)| value.clone()).unwrap_or_else(|| "10".into());
    if !text.last().is_some_and(u8::is_ascii_digit) {
        busybox::refuse(process)?;
    }
    let Some(count) = count(&text) else {
        let unit = if unit == Unit::Bytes { "bytes" } else { "lines" };
        process.complain(format!("invalid number of {unit}: {}", quoted(&text)))?;
        return Ok(1);
    };
    let delimiter = if options.has("-z") { 0 } else { b'\n' };
    let is_odd = count.number == 0 || (end == End::Head && count.sign == Some(b'+'));
    if is_odd || options.operands.iter().any(|name| name == "-") {
        busybox::refuse(process)?;
    }
    if end == End::Tail && count.number == 0 && count.sign != Some(b'+') {
        return Ok(0);
    }
    let part = Part { end, unit, count, delimiter };
    let names = or_input(&options.operands);
    let has_titles = match options.last_of(&["-q", "-v"]) {
        Some("-v") => true,
        Some(_) => false,
        None => names.len() > 1,
    };
    let (mut status, mut is_first) = (0, true);
    for name in names {
        if part.end == End::Head && name == "/dev/zero" {
            zeros(process, &part)?;
            continue;
        }
        let shown = if name == "-" { "standard input".into() } else { name.clone() };
        let bytes = match read(process, &name)? {
            Ok(bytes) => bytes,
            Err(errno) => {
                busybox::refuse(process)?;
                status = 1;
                if errno == Errno::IsADirectory && has_titles {
                    title(process, &shown, is_first)?;
                    is_first = false;
                }
                complain(process, &name, errno)?;
                continue;
            }
        };
        if has_titles {
            title(process, &shown, is_first)?;
            is_first = false;
        }
        process.write(part.of(&bytes))?;
    }
    Ok(status)
}

fn title(process: &mut Process<'_, '_>, name: &[u8], is_first: bool) -> Result<(), Stop> {
    let before = if is_first { "" } else { "\n" };
    process.write([before.as_bytes(), b"==> ", name, b" <==\n"].concat())
}

fn complain(process: &mut Process<'_, '_>, name: &[u8], errno: Errno) -> Result<(), Stop> {
    match errno {
        Errno::IsADirectory => process.complain(format!("error reading {}: {errno}", quoted(name))),
        _ => process.complain(format!("cannot open {} for reading: {errno}", quoted(name))),
    }
}

/// `head -5` and `tail -5` in today's words; what else the old form can do is refused.
fn modern(process: &Process<'_, '_>, end: End) -> Result<Vec<BString>, Stop> {
    let mut words = process.arguments().to_vec();
    if let Some(first) = words.first_mut() {
        let digits = first.strip_prefix(b"-").unwrap_or_default();
        let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
        if is_number {
            *first = BString::from([b"-n", digits].concat());
        } else if end == End::Tail && first.starts_with(b"+") {
            return Err(process.refuse(Reason::Use(format!("has the operand {first}"))));
        }
    }
    Ok(words)
}

/// The beginning of what has no end.
fn zeros(process: &mut Process<'_, '_>, part: &Part) -> Result<(), Stop> {
    let length = usize::try_from(part.count.number).unwrap_or(usize::MAX);
    if part.unit != Unit::Bytes || part.count.sign == Some(b'-') {
        return Err(process.refuse(Reason::Use("reads all of /dev/zero".to_owned())));
    }
    process.machine.budget.hold(length)?;
    process.write(vec![0; length])
}

impl Part {
    fn of<'t>(&self, text: &'t [u8]) -> &'t [u8] {
        let number = usize::try_from(self.count.number).unwrap_or(usize::MAX);
        match (self.end, self.count.sign) {
            (End::Head, Some(b'-')) => &text[..self.last_start(text, number)],
            (End::Head, _) => &text[..self.first_end(text, number)],
            (End::Tail, Some(b'+')) => &text[self.first_end(text, number.saturating_sub(1))..],
            (End::Tail, _) => &text[self.last_start(text, number)..],
        }
    }

    /// Behind so many lines or bytes.
    fn first_end(&self, text: &[u8], number: usize) -> usize {
        match (self.unit, number) {
            (Unit::Bytes, _) => number.min(text.len()),
            (Unit::Lines, 0) => 0,
            (Unit::Lines, _) => {
                let delimiter = [self.delimiter];
                let mut ends = text.find_iter(&delimiter).map(|at| at + 1);
                ends.nth(number - 1).unwrap_or(text.len())
            }
        }
    }

    /// Before so many lines or bytes; the last line need not have an end.
    fn last_start(&self, text: &[u8], number: usize) -> usize {
        match (self.unit, number) {
            (Unit::Bytes, _) => text.len().saturating_sub(number),
            (Unit::Lines, 0) => text.len(),
            (Unit::Lines, _) => {
                let whole = text.strip_suffix(&[self.delimiter]).unwrap_or(text);
                let delimiter = [self.delimiter];
                let mut ends = whole.rfind_iter(&delimiter).map(|at| at + 1);
                ends.nth(number - 1).unwrap_or(0)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::fixture::Image;
    use crate::programs::text::trial::check;

    #[test]
    fn beginnings_and_ends_are_as_gnu_has_them() {
        let mut image = Image::new();
        image.file("work/f", "one\ntwo\nthree\nfour", 0o644);
        image.file("work/e", "", 0o644);
        image.directory("work/d", 0o755);
        check(
            &image,
            None,
            &[
                (&["head", "-n2", "f"], "", "one\ntwo\n"),
                (&["head", "-1", "f"], "", "one\n"),
                (&["tail", "-n", "2", "f"], "", "three\nfour"),
                (&["tail", "-n", "+3", "f"], "", "three\nfour"),
                (&["tail", "-2", "f"], "", "three\nfour"),
                (&["head", "-n", "-1", "f"], "", "one\ntwo\nthree\n"),
                (&["head", "-c", "3", "f"], "", "one"),
                (&["tail", "-c", "3", "f"], "", "our"),
                (&["head", "-c", "-2", "f"], "", "one\ntwo\nthree\nfo"),
                (&["head", "f", "e"], "", "==> f <==\none\ntwo\nthree\nfour\n==> e <==\n"),
                (&["tail", "-q", "-n1", "f", "e"], "", "four"),
                (&["head", "-v", "-n1", "f"], "", "==> f <==\none\n"),
                (
                    &["head", "no", "f"],
                    "",
                    "==> f <==\none\ntwo\nthree\nfour!head: cannot open 'no' for reading: No such file or directory\n=1",
                ),
                (&["head", "-n", "x", "f"], "", "!head: invalid number of lines: 'x'\n=1"),
                (&["head", "d"], "", "!head: error reading 'd': Is a directory\n=1"),
                (
                    &["tail", "no"],
                    "",
                    "!tail: cannot open 'no' for reading: No such file or directory\n=1",
                ),
                (&["head", "-n", "1"], "a\nb\n", "a\n"),
                (&["tail", "-n1"], "a\nb", "b"),
                (
                    &["head", "-n1", "f", "-"],
                    "x\ny\n",
                    "==> f <==\none\n\n==> standard input <==\nx\n",
                ),
                (&["head", "-c", "1K", "f"], "", "one\ntwo\nthree\nfour"),
                (&["head", "-z", "-n1", "f"], "", "one\ntwo\nthree\nfour"),
                (&["head", "-c", "3", "/dev/zero"], "", "\u{0}\u{0}\u{0}"),
                (&["tail", "-1", "f", "e"], "", "!tail: option used in invalid context -- 1\n=1"),
                (&["tail", "-n", "0", "f", "e"], "", ""),
            ],
        );
    }
}
