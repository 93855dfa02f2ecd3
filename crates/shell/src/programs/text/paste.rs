//! `paste`: lines of files side by side, or lines of one file in one.

use std::sync::Arc;

use super::busybox::options;
use super::input::{lines, or_input, read};
use crate::files::Errno;
use crate::options::{Known, Order, flag, value};
use crate::process::{Process, Run};
use crate::programs::quoting::bare;
use crate::stop::Reason;

const KNOWN: &[Known] = &[
    flag("-s", 's', &["serial"]),
    flag("-z", 'z', &["zero-terminated"]),
    value("-d", 'd', &["delimiters"]),
];

/// Joins lines.
pub(super) fn paste(process: &mut Process<'_, '_>) -> Run {
    let options = options(process, KNOWN, Order::Anywhere)?;
    let end = if options.has("-z") { 0 } else { b'\n' };
    let list = options.value("-d").map_or(b"\t".to_vec(), |list| list.to_vec());
    let Some(between) = delimiters(&list) else {
        return Err(process.refuse(Reason::Use(format!("has {}", String::from_utf8_lossy(&list)))));
    };
    let is_serial = options.has("-s");
    let names = or_input(&options.operands);
    if names.iter().filter(|name| *name == "-").count() > 1 {
        return Err(process.refuse(Reason::Use("reads standard input several times".to_owned())));
    }
    let (mut texts, mut status) = (Vec::new(), 0);
    for name in names {
        match read(process, &name)? {
            Ok(text) if is_serial => process.write(serial(&text, &between, end))?,
            Ok(text) => texts.push(text),
            Err(Errno::IsADirectory) => {
                return Err(process.refuse(Reason::Use(format!("reads the directory {name}"))));
            }
            Err(errno) => {
                process.complain(format!("{}: {errno}", bare(&name)))?;
                status = 1;
                if !is_serial {
                    return Ok(status);
                }
            }
        }
    }
    process.write(side(&texts, &between, end))?;
    Ok(status)
}

type Between = Vec<Option<u8>>;

/// What stands between, in turn; `None` for nothing at all.
fn delimiters(list: &[u8]) -> Option<Between> {
    let mut between = Vec::new();
    let mut bytes = list.iter();
    while let Some(byte) = bytes.next() {
        between.push(match (byte, bytes.as_slice().first()) {
            (b'\\', Some(letter)) => {
                bytes.next();
                match letter {
                    b'0' => None,
                    b'b' => Some(8),
                    b'f' => Some(12),
                    b'n' => Some(b'\n'),
                    b'r' => Some(b'\r'),
                    b't' => Some(b'\t'),
                    b'v' => Some(11),
                    b'\\' => Some(b'\\'),
                    _ => return None,
                }
            }
            (b'\\', None) => return None,
            (byte, _) => Some(*byte),
        });
    }
    if between.is_empty() { Some(vec![None]) } else { Some(between) }
}

fn serial(text: &[u8], between: &Between, end: u8) -> Vec<u8> {
    let mut output = Vec::new();
    for (index, line) in lines(text, end).enumerate() {
        if index > 0 {
            output.extend(between[(index - 1) % between.len()]);
        }
        output.extend_from_slice(line);
    }
    output.push(end);
    output
}

fn side(texts: &[Arc<[u8]>], between: &Between, end: u8) -> Vec<u8> {
    let mut columns: Vec<_> = texts.iter().map(|text| lines(text, end)).collect();
    let mut output = Vec::new();
    if texts.is_empty() {
        return output;
    }
    loop {
        let row: Vec<Option<&[u8]>> = columns.iter_mut().map(Iterator::next).collect();
        if row.iter().all(Option::is_none) {
            return output;
        }
        for (index, line) in row.into_iter().enumerate() {
            if index > 0 {
                output.extend(between[(index - 1) % between.len()]);
            }
            output.extend_from_slice(line.unwrap_or_default());
        }
        output.push(end);
    }
}

#[cfg(test)]
mod tests {
    use crate::fixture::Image;
    use crate::programs::text::trial::check;

    #[test]
    fn lines_are_joined_as_gnu_does() {
        let mut image = Image::new();
        image.file("work/f", "a\nb\n", 0o644);
        image.file("work/g", "1\n2\n3\n", 0o644);
        check(
            &image,
            None,
            &[
                (&["paste", "f", "g"], "", "a\t1\nb\t2\n\t3\n"),
                (&["paste", "-s", "f"], "", "a\tb\n"),
                (&["paste", "-sd,", "f"], "", "a,b\n"),
                (&["paste", "-d+-", "f", "g", "f"], "", "a+1-a\nb+2-b\n+3-\n"),
                (&["paste", "-d", "\\0", "f", "g"], "", "a1\nb2\n3\n"),
                (&["paste", "no"], "", "!paste: no: No such file or directory\n=1"),
                (
                    &["paste", "-s", "no", "f"],
                    "",
                    "a\tb\n!paste: no: No such file or directory\n=1",
                ),
                (&["paste", "-sd+", "-"], "1\n2\n", "1+2\n"),
                (&["paste", "-", "f"], "x\n", "x\ta\n\tb\n"),
            ],
        );
    }
}
