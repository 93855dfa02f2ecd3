//! `tac` and `rev`: lines, or what is in them, the other way round.

use super::busybox::options;
use super::input::{or_input, read};
use super::locale::refuse_wide;
use crate::files::Errno;
use crate::options::Order;
use crate::process::{Process, Run};
use crate::programs::quoting::{bare, quoted};
use crate::stop::Reason;

/// The last line first. A line ends with its newline; one that has none keeps none.
pub(super) fn tac(process: &mut Process<'_, '_>) -> Run {
    let options = options(process, &[], Order::Anywhere)?;
    let (mut status, mut output) = (0, Vec::new());
    for name in or_input(&options.operands) {
        match read(process, &name)? {
            Ok(text) => {
                output.extend(text.split_inclusive(|byte| *byte == b'\n').rev().flatten());
            }
            Err(Errno::IsADirectory) => {
                process.complain(format!("{}: read error: Invalid argument", bare(&name)))?;
                status = 1;
            }
            Err(errno) => {
                let name = quoted(&name);
                process.complain(format!("failed to open {name} for reading: {errno}"))?;
                status = 1;
            }
        }
    }
    process.write(output)?;
    Ok(status)
}

/// Each line's last character first.
pub(super) fn rev(process: &mut Process<'_, '_>) -> Run {
    let options = options(process, &[], Order::Anywhere)?;
    let mut all = Vec::new();
    for name in or_input(&options.operands) {
        match read(process, &name)? {
            Ok(text) => all.push(text),
            Err(errno) => {
                return Err(process.refuse(Reason::Use(format!("cannot read {name}: {errno}"))));
            }
        }
    }
    for text in all {
        if !text.is_ascii() {
            refuse_wide(process, &text)?;
        }
        let turned = |line: &[u8]| match line.strip_suffix(b"\n") {
            Some(line) => line.iter().rev().copied().chain([b'\n']).collect::<Vec<u8>>(),
            None => line.iter().rev().copied().collect(),
        };
        let lines = text.split_inclusive(|byte| *byte == b'\n').map(turned);
        process.write(lines.collect::<Vec<_>>().concat())?;
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use crate::fixture::Image;
    use crate::programs::text::trial::check;

    #[test]
    fn turned_as_gnu_does() {
        let mut image = Image::new();
        image.file("work/f", "ab\ncd\n", 0o644);
        image.file("work/g", "x\ny", 0o644);
        image.directory("work/d", 0o755);
        check(
            &image,
            None,
            &[
                (&["tac", "f"], "", "cd\nab\n"),
                (&["tac", "f", "g"], "", "cd\nab\nyx\n"),
                (
                    &["tac", "no", "f"],
                    "",
                    "cd\nab\n!tac: failed to open 'no' for reading: No such file or directory\n=1",
                ),
                (&["tac", "d"], "", "!tac: d: read error: Invalid argument\n=1"),
                (&["tac"], "a\nb", "ba\n"),
                (&["rev", "f"], "", "ba\ndc\n"),
                (&["rev"], "abc\nd", "cba\nd"),
            ],
        );
    }
}
