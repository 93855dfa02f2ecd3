//! `nl`: lines with numbers.

use bstr::ByteSlice;

use super::busybox::options;
use super::input::{filter, lines};
use crate::options::{Known, Order, value};
use crate::process::{Process, Run};
use crate::stop::{Reason, Stop};

const KNOWN: &[Known] = &[
    value("-b", 'b', &["body-numbering"]),
    value("-i", 'i', &["line-increment"]),
    value("-n", 'n', &["number-format"]),
    value("-s", 's', &["number-separator"]),
    value("-v", 'v', &["starting-line-number"]),
    value("-w", 'w', &["number-width"]),
];

/// Numbers lines. Sections of pages are not known.
pub(super) fn nl(process: &mut Process<'_, '_>) -> Run {
    let options = options(process, KNOWN, Order::Anywhere)?;
    let number = |id: &str, unset: i64| match options.value(id) {
        None => Ok(unset),
        Some(text) => {
            let number = text.to_str().ok().and_then(|text| text.parse::<i32>().ok());
            number.map(i64::from).ok_or_else(|| refuse(process, id, text))
        }
    };
    let (mut next, step) = (number("-v", 1)?, number("-i", 1)?);
    let width = usize::try_from(number("-w", 6)?).ok().filter(|width| (1..=1000).contains(width));
    let width = width.ok_or_else(|| refuse(process, "-w", b"0"))?;
    let separator = options.value("-s").map_or(b"\t".to_vec(), |text| text.to_vec());
    let style = options.value("-b").map_or(&b"t"[..], |style| style.as_bytes());
    if !matches!(style, b"a" | b"t" | b"n") {
        return Err(refuse(process, "-b", style));
    }
    let format = options.value("-n").map_or(&b"rn"[..], |format| format.as_bytes());
    if !matches!(format, b"ln" | b"rn" | b"rz") {
        return Err(refuse(process, "-n", format));
    }
    let mut has_sections = false;
    let status = filter(process, &options.operands, |text| {
        let mut output = Vec::new();
        for line in lines(text, b'\n') {
            has_sections |= matches!(line, b"\\:" | b"\\:\\:" | b"\\:\\:\\:");
            if style == b"a" || (style == b"t" && !line.is_empty()) {
                let number = match format {
                    b"ln" => format!("{next:<width$}"),
                    b"rz" => format!("{next:0width$}"),
                    _ => format!("{next:>width$}"),
                };
                next += step;
                output.extend(number.bytes());
                output.extend_from_slice(&separator);
            } else {
                output.extend(std::iter::repeat_n(b' ', width + separator.len()));
            }
            output.extend_from_slice(line);
            output.push(b'\n');
        }
        output
    })?;
    if has_sections {
        return Err(process.refuse(Reason::Use("reads a text that has sections".to_owned())));
    }
    Ok(status)
}

fn refuse(process: &Process<'_, '_>, id: &str, value: &[u8]) -> Stop {
    process.refuse(Reason::Use(format!("has {id} {}", value.as_bstr())))
}

#[cfg(test)]
mod tests {
    use crate::fixture::Image;
    use crate::programs::text::trial::check;

    #[test]
    fn lines_are_numbered_as_gnu_does() {
        let mut image = Image::new();
        image.file("work/f", "a\n\nb\n", 0o644);
        check(
            &image,
            None,
            &[
                (&["nl", "f"], "", "     1\ta\n       \n     2\tb\n"),
                (&["nl", "-ba", "f"], "", "     1\ta\n     2\t\n     3\tb\n"),
                (&["nl", "-bn", "f"], "", "       a\n       \n       b\n"),
                (&["nl", "-w3", "-s:", "f"], "", "  1:a\n    \n  2:b\n"),
                (&["nl", "-nrz", "-v5", "-i2", "f"], "", "000005\ta\n       \n000007\tb\n"),
                (&["nl", "-nln", "f"], "", "1     \ta\n       \n2     \tb\n"),
                (
                    &["nl", "no", "f"],
                    "",
                    "     1\ta\n       \n     2\tb\n!nl: no: No such file or directory\n=1",
                ),
            ],
        );
    }
}
