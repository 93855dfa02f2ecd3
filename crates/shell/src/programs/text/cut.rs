//! `cut`: parts of each line.

use bstr::ByteSlice;

use super::busybox::{self, options};
use super::input::{filter, lines};
use crate::options::{Known, Options, Order, flag, long, value};
use crate::process::{Process, Run};
use crate::stop::Reason;

const KNOWN: &[Known] = &[
    value("-b", 'b', &["bytes"]),
    value("-c", 'c', &["characters"]),
    value("-f", 'f', &["fields"]),
    value("-d", 'd', &["delimiter"]),
    flag("-n", 'n', &[]),
    flag("-s", 's', &["only-delimited"]),
    flag("-z", 'z', &["zero-terminated"]),
    long("--complement", &["complement"], crate::options::Takes::Nothing),
    long("--output-delimiter", &["output-delimiter"], crate::options::Takes::Value),
];
const HINT: &[u8] = b"Try 'cut --help' for more information.\n";

/// Writes parts of lines. GNU's counts characters in bytes.
pub(super) fn cut(process: &mut Process<'_, '_>) -> Run {
    let options = options(process, KNOWN, Order::Anywhere)?;
    let cutter = match Cutter::of(&options) {
        Ok(cutter) => cutter,
        Err(Wrong::Told(message)) => {
            busybox::refuse(process)?;
            process.complain(message)?;
            process.write_to(2, HINT)?;
            return Ok(1);
        }
        Err(Wrong::List(list)) => {
            return Err(process.refuse(Reason::Use(format!("has the list {list}"))));
        }
    };
    let end = if options.has("-z") { 0 } else { b'\n' };
    filter(process, &options.operands, |text| {
        let mut output = Vec::new();
        lines(text, end).for_each(|line| cutter.line(line, end, &mut output));
        output
    })
}

/// What is wrong with the options.
enum Wrong {
    Told(&'static str),
    List(String),
}

/// What is cut, and how.
struct Cutter {
    ranges: Vec<(usize, usize)>,
    is_complement: bool,
    /// `None` for bytes.
    delimiter: Option<u8>,
    only_delimited: bool,
    between: Option<Vec<u8>>,
}

impl Cutter {
    fn of(options: &Options) -> Result<Self, Wrong> {
        if options.value("-d").is_some_and(|delimiter| delimiter.len() > 1) {
            return Err(Wrong::Told("the delimiter must be a single character"));
        }
        let lists: Vec<_> =
            options.given.iter().filter(|(id, _)| matches!(*id, "-b" | "-c" | "-f")).collect();
        let (id, list) = match &lists[..] {
            [] => {
                return Err(Wrong::Told("you must specify a list of bytes, characters, or fields"));
            }
            [(id, Some(list))] => (*id, list),
            _ => return Err(Wrong::Told("only one list may be specified")),
        };
        let is_fields = id == "-f";
        let delimiter = options.value("-d");
        if delimiter.is_some() && !is_fields {
            return Err(Wrong::Told(
                "an input delimiter may be specified only when operating on fields",
            ));
        }
        if options.has("-s") && !is_fields {
            return Err(Wrong::Told(
                "suppressing non-delimited lines makes sense\n\tonly when operating on fields",
            ));
        }
        let delimiter = match delimiter.map(|delimiter| delimiter.as_bytes()) {
            None => b'\t',
            // An empty one is the byte 0.
            Some(delimiter) => delimiter.first().copied().unwrap_or(0),
        };
        let ranges = ranges(list).ok_or_else(|| Wrong::List(list.to_string()))?;
        Ok(Cutter {
            ranges,
            is_complement: options.has("--complement"),
            delimiter: is_fields.then_some(delimiter),
            only_delimited: options.has("-s"),
            between: options.value("--output-delimiter").map(|text| text.to_vec()),
        })
    }

    fn takes(&self, number: usize) -> bool {
        let is_in = self.ranges.iter().any(|(from, to)| (*from..=*to).contains(&number));
        is_in != self.is_complement
    }

    /// Whether a byte begins a range, before which GNU's writes the delimiter.
    fn starts_range(&self, number: usize) -> bool {
        match self.is_complement {
            true => !self.takes(number - 1) || number == 1,
            false => self.ranges.iter().any(|(from, _)| *from == number),
        }
    }

    fn line(&self, line: &[u8], end: u8, output: &mut Vec<u8>) {
        match self.delimiter {
            None => self.bytes(line, output),
            Some(delimiter) => {
                if !line.contains(&delimiter) {
                    if self.only_delimited {
                        return;
                    }
                    output.extend_from_slice(line);
                } else {
                    let kept = line.split(|byte| *byte == delimiter).enumerate();
                    let kept = kept.filter(|(index, _)| self.takes(index + 1));
                    let own = [delimiter];
                    let between = self.between.as_deref().unwrap_or(&own);
                    for (count, (_, field)) in kept.enumerate() {
                        if count > 0 {
                            output.extend_from_slice(between);
                        }
                        output.extend_from_slice(field);
                    }
                }
            }
        }
        output.push(end);
    }

    fn bytes(&self, line: &[u8], output: &mut Vec<u8>) {
        let mut is_first = true;
        for (index, byte) in line.iter().enumerate() {
            let number = index + 1;
            if !self.takes(number) {
                continue;
            }
            if let Some(between) = &self.between
                && !is_first
                && self.starts_range(number)
            {
                output.extend_from_slice(between);
            }
            is_first = false;
            output.push(*byte);
        }
    }
}

/// `1,3-5,7-`, sorted and joined where they overlap.
fn ranges(list: &[u8]) -> Option<Vec<(usize, usize)>> {
    let mut ranges = Vec::new();
    for part in list.split(|byte| matches!(byte, b',' | b' ' | b'\t')) {
        let part = part.to_str().ok()?;
        let number = |text: &str| {
            let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse::<usize>().ok().filter(|number| *number > 0 && is_plain)
        };
        let range = match part.split_once('-') {
            None => (number(part)?, number(part)?),
            Some(("", "")) => return None,
            Some(("", to)) => (1, number(to)?),
            Some((from, "")) => (number(from)?, usize::MAX),
            Some((from, to)) => (number(from)?, number(to)?),
        };
        if range.0 > range.1 {
            return None;
        }
        ranges.push(range);
    }
    ranges.sort_unstable();
    let mut joined: Vec<(usize, usize)> = Vec::new();
    for (from, to) in ranges {
        match joined.last_mut() {
            // Ranges that only touch stay apart, which shows between bytes.
            Some((_, last)) if from <= *last => *last = to.max(*last),
            _ => joined.push((from, to)),
        }
    }
    Some(joined)
}

#[cfg(test)]
mod tests {
    use crate::fixture::Image;
    use crate::programs::text::trial::check;

    #[test]
    fn parts_are_as_gnu_has_them() {
        let mut image = Image::new();
        image.file("work/f", "a:b:c\nx\ty\n", 0o644);
        image.directory("work/d", 0o755);
        check(
            &image,
            None,
            &[
                (&["cut", "-d:", "-f1,3", "f"], "", "a:c\nx\ty\n"),
                (&["cut", "-d", ":", "-f", "2-", "f"], "", "b:c\nx\ty\n"),
                (&["cut", "-f1", "f"], "", "a:b:c\nx\n"),
                (&["cut", "-s", "-f2", "f"], "", "y\n"),
                (&["cut", "-c1-2", "f"], "", "a:\nx\t\n"),
                (&["cut", "-b", "2,4-", "f"], "", "::c\n\t\n"),
                (&["cut", "-d:", "--complement", "-f1", "f"], "", "b:c\nx\ty\n"),
                (&["cut", "-d:", "-f1,3", "--output-delimiter=+", "f"], "", "a+c\nx\ty\n"),
                (&["cut", "-c1,3", "--output-delimiter=+", "f"], "", "a+b\nx+y\n"),
                (
                    &["cut"],
                    "",
                    "!cut: you must specify a list of bytes, characters, or fields\nTry 'cut --help' for more information.\n=1",
                ),
                (
                    &["cut", "-f1", "-c1", "f"],
                    "",
                    "!cut: only one list may be specified\nTry 'cut --help' for more information.\n=1",
                ),
                (
                    &["cut", "-d", "ab", "-f1", "f"],
                    "",
                    "!cut: the delimiter must be a single character\nTry 'cut --help' for more information.\n=1",
                ),
                (
                    &["cut", "-d:", "-c1", "f"],
                    "",
                    "!cut: an input delimiter may be specified only when operating on fields\nTry 'cut --help' for more information.\n=1",
                ),
                (
                    &["cut", "-s", "-c1", "f"],
                    "",
                    "!cut: suppressing non-delimited lines makes sense\n\tonly when operating on fields\nTry 'cut --help' for more information.\n=1",
                ),
                (
                    &["cut", "-f1", "no", "f"],
                    "",
                    "a:b:c\nx\n!cut: no: No such file or directory\n=1",
                ),
                (&["cut", "-d ", "-f2"], "a b c\nd\n", "b\nd\n"),
                (&["cut", "-f1", "d"], "", "!cut: d: Is a directory\n=1"),
            ],
        );
    }
}
