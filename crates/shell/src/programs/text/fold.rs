//! `fold`: lines that are not too long.

use bstr::ByteSlice;

use super::busybox::options;
use super::input::filter;
use crate::options::{Known, Order, flag, value};
use crate::process::{Process, Run};
use crate::stop::Reason;

const KNOWN: &[Known] =
    &[flag("-b", 'b', &["bytes"]), flag("-s", 's', &["spaces"]), value("-w", 'w', &["width"])];

/// Breaks lines at a width, which GNU's counts in bytes.
pub(super) fn fold(process: &mut Process<'_, '_>) -> Run {
    let options = options(process, KNOWN, Order::Anywhere)?;
    let given = options.value("-w").map_or(Some(80), |text| text.to_str().ok()?.parse().ok());
    let refused = || process.refuse(Reason::Use("has a width that is no number".to_owned()));
    let width: usize = given.filter(|width| *width > 0).ok_or_else(refused)?;
    let unit = if options.has("-b") { Unit::Bytes } else { Unit::Columns };
    let at_spaces = options.has("-s");
    filter(process, &options.operands, |text| {
        let mut output = Vec::new();
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            let (line, end) = match line.strip_suffix(b"\n") {
                Some(line) => (line, &b"\n"[..]),
                None => (line, &b""[..]),
            };
            let mut rest = line;
            loop {
                let fits = fitting(rest, width, unit);
                if fits >= rest.len() {
                    break;
                }
                let blank = rest[..fits].iter().rposition(|byte| matches!(byte, b' ' | b'\t'));
                let at = match blank.filter(|_| at_spaces) {
                    Some(blank) => blank + 1,
                    // Something has to go, even if it is wider.
                    None => fits.max(1),
                };
                output.extend_from_slice(&rest[..at]);
                rest = &rest[at..];
                if !rest.is_empty() {
                    output.push(b'\n');
                }
            }
            output.extend_from_slice(rest);
            output.extend_from_slice(end);
        }
        output
    })
}

/// What a width counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Bytes,
    Columns,
}

/// How many bytes fit into a line.
fn fitting(line: &[u8], width: usize, unit: Unit) -> usize {
    if unit == Unit::Bytes {
        return width;
    }
    let mut column: usize = 0;
    for (index, byte) in line.iter().enumerate() {
        column = match byte {
            8 => column.saturating_sub(1),
            b'\r' => 0,
            b'\t' => column + 8 - column % 8,
            _ => column + 1,
        };
        if column > width {
            return index;
        }
    }
    line.len()
}

#[cfg(test)]
mod tests {
    use crate::fixture::Image;
    use crate::programs::text::trial::check;

    #[test]
    fn lines_are_broken_as_gnu_does() {
        let mut image = Image::new();
        image.file("work/f", "abcdefg\nab cd ef\tg\n", 0o644);
        check(
            &image,
            None,
            &[
                (&["fold", "-w3", "f"], "", "abc\ndef\ng\nab \ncd \nef\n\t\ng\n"),
                (&["fold", "-s", "-w", "6", "f"], "", "abcdef\ng\nab cd \nef\n\t\ng\n"),
                (&["fold", "-bw", "4", "f"], "", "abcd\nefg\nab c\nd ef\n\tg\n"),
                (&["fold", "no"], "", "!fold: no: No such file or directory\n=1"),
                (&["fold", "-w2"], "abc", "ab\nc"),
                (&["fold"], "x\n", "x\n"),
            ],
        );
    }
}
