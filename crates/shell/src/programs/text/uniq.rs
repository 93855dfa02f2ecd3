//! `uniq`: lines that are the same as the one before.

use bstr::ByteSlice;

use super::busybox::options;
use super::input::{Keep, lines, or_input, put, read};
use super::locale::refuse_collation;
use crate::data::Data;
use crate::files::Errno;
use crate::options::{Known, Options, Order, flag, value};
use crate::process::{Process, Run, errno};
use crate::programs::quoting::{bare, quoted};
use crate::stop::{Reason, Stop};

const KNOWN: &[Known] = &[
    flag("-c", 'c', &["count"]),
    flag("-d", 'd', &["repeated"]),
    flag("-u", 'u', &["unique"]),
    flag("-i", 'i', &["ignore-case"]),
    flag("-z", 'z', &["zero-terminated"]),
    value("-f", 'f', &["skip-fields"]),
    value("-s", 's', &["skip-chars"]),
    value("-w", 'w', &["check-chars"]),
];

/// Writes each line once, or those that are there once, or more often.
pub(super) fn uniq(process: &mut Process<'_, '_>) -> Run {
    let options = options(process, KNOWN, Order::Anywhere)?;
    refuse_collation(process)?;
    let comparison = Comparison::of(process, &options)?;
    let names = or_input(&options.operands);
    let [input, output @ ..] = &names[..] else { return Ok(0) };
    if output.len() > 1 {
        process.complain(format!("extra operand {}", quoted(&output[1])))?;
        process.write_to(2, b"Try 'uniq --help' for more information.\n")?;
        return Ok(1);
    }
    let text = match read(process, input)? {
        Ok(text) => text,
        Err(Errno::IsADirectory) => {
            process.complain(format!("error reading {}", quoted(input)))?;
            return Ok(1);
        }
        Err(errno) => {
            process.complain(format!("{}: {errno}", bare(input)))?;
            return Ok(1);
        }
    };
    let (text, output) = match output {
        [name] if name != "-" => {
            // It is emptied first, even if it is what is read.
            let opened = put(process, name, &Data::empty(), Keep::Nothing);
            if let Err(wrong) = errno(opened)? {
                process.complain(format!("{}: {wrong}", bare(name)))?;
                return Ok(1);
            }
            (if input == "-" { text } else { read(process, input)?.unwrap_or(text) }, Some(name))
        }
        _ => (text, None),
    };
    let written = grouped(&options, &comparison, &text);
    match output {
        Some(name) => {
            let placed = put(process, name, &Data::of(written), Keep::Nothing);
            if let Err(wrong) = errno(placed)? {
                process.complain(format!("{}: {wrong}", bare(name)))?;
                return Ok(1);
            }
        }
        None => process.write(written)?,
    }
    Ok(0)
}

/// The groups of same lines that are wanted.
fn grouped(options: &Options, comparison: &Comparison, text: &[u8]) -> Vec<u8> {
    let delimiter = if options.has("-z") { 0 } else { b'\n' };
    let mut groups: Vec<(u64, &[u8])> = Vec::new();
    for line in lines(text, delimiter) {
        match groups.last_mut() {
            Some((count, first)) if comparison.are_same(first, line) => *count += 1,
            _ => groups.push((1, line)),
        }
    }
    let mut written = Vec::new();
    for (count, line) in groups {
        if (options.has("-d") && count == 1) || (options.has("-u") && count > 1) {
            continue;
        }
        if options.has("-c") {
            written.extend(format!("{count:7} ").bytes());
        }
        written.extend_from_slice(line);
        written.push(delimiter);
    }
    written
}

/// What of a line counts.
struct Comparison {
    fields: usize,
    bytes: usize,
    most: usize,
    case: Case,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Case {
    Matters,
    Ignored,
}

impl Comparison {
    fn of(process: &Process<'_, '_>, options: &Options) -> Result<Self, Stop> {
        let number = |id: &str, unset: usize| match options.value(id) {
            None => Ok(unset),
            Some(text) => {
                let number = text.to_str().ok().and_then(|text| text.parse().ok());
                number.ok_or_else(|| process.refuse(Reason::Use(format!("has {id} {text}"))))
            }
        };
        Ok(Comparison {
            fields: number("-f", 0)?,
            bytes: number("-s", 0)?,
            most: number("-w", usize::MAX)?,
            case: if options.has("-i") { Case::Ignored } else { Case::Matters },
        })
    }

    fn are_same(&self, left: &[u8], right: &[u8]) -> bool {
        let (left, right) = (self.part(left), self.part(right));
        match self.case {
            Case::Matters => left == right,
            Case::Ignored => left.eq_ignore_ascii_case(right),
        }
    }

    /// A field is blanks, and what is none behind them.
    fn part<'l>(&self, line: &'l [u8]) -> &'l [u8] {
        let is_blank = |byte: u8| matches!(byte, b' ' | b'\t' | b'\n');
        let mut rest = line;
        for _ in 0..self.fields.min(line.len()) {
            let start = rest.iter().position(|byte| !is_blank(*byte)).unwrap_or(rest.len());
            rest = &rest[start..];
            let end = rest.iter().position(|byte| is_blank(*byte)).unwrap_or(rest.len());
            rest = &rest[end..];
        }
        let rest = &rest[self.bytes.min(rest.len())..];
        &rest[..self.most.min(rest.len())]
    }
}

#[cfg(test)]
mod tests {
    use crate::fixture::Image;
    use crate::programs::text::trial::check;

    #[test]
    fn groups_are_as_gnu_has_them() {
        let mut image = Image::new();
        image.file("work/f", "a\na\nA\nb\nab\n", 0o644);
        image.file("work/g", "x 1\ny 1\nz 2\n", 0o644);
        image.directory("work/d", 0o755);
        check(
            &image,
            None,
            &[
                (&["uniq", "f"], "", "a\nA\nb\nab\n"),
                (&["uniq", "-c", "f"], "", "      2 a\n      1 A\n      1 b\n      1 ab\n"),
                (&["uniq", "-d", "f"], "", "a\n"),
                (&["uniq", "-u", "f"], "", "A\nb\nab\n"),
                (&["uniq", "-i", "f"], "", "a\nb\nab\n"),
                (&["uniq", "-f1", "g"], "", "x 1\nz 2\n"),
                (&["uniq", "-s", "2", "g"], "", "x 1\nz 2\n"),
                (&["uniq", "-w1", "f"], "", "a\nA\nb\nab\n"),
                (&["uniq", "no"], "", "!uniq: no: No such file or directory\n=1"),
                (&["uniq", "d"], "", "!uniq: error reading 'd'\n=1"),
                (&["uniq", "-c"], "a\na\nb", "      2 a\n      1 b\n"),
                (&["uniq"], "", ""),
                (
                    &["uniq", "f", "f", "g"],
                    "",
                    "!uniq: extra operand 'g'\nTry 'uniq --help' for more information.\n=1",
                ),
            ],
        );
    }
}
