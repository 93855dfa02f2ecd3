//! `tee`: its input to its output, and into files.

use super::busybox::options;
use super::input::{Keep, put};
use crate::data::Data;
use crate::options::{Known, Order, flag};
use crate::process::{Process, Run, errno};
use crate::programs::quoting::bare;

const KNOWN: &[Known] =
    &[flag("-a", 'a', &["append"]), flag("-i", 'i', &["ignore-interrupts"]), flag("-p", 'p', &[])];

/// Copies what flows, without looking at it.
pub(super) fn tee(process: &mut Process<'_, '_>) -> Run {
    let options = options(process, KNOWN, Order::Anywhere)?;
    let keep = if options.has("-a") { Keep::All } else { Keep::Nothing };
    let data = process.read_input()?;
    let (mut status, mut opened) = (0, Vec::new());
    for name in options.operands {
        let placed = put(process, &name, &Data::empty(), keep);
        match errno(placed)? {
            Ok(()) => opened.push(name),
            Err(wrong) => {
                process.complain(format!("{}: {wrong}", bare(&name)))?;
                status = 1;
            }
        }
    }
    process.write_data(&data)?;
    for name in opened {
        let placed = put(process, &name, &data, keep);
        if let Err(wrong) = errno(placed)? {
            process.complain(format!("{}: {wrong}", bare(&name)))?;
            status = 1;
        }
    }
    Ok(status)
}

#[cfg(test)]
mod tests {
    use crate::fixture::Image;
    use crate::programs::text::trial::check;

    #[test]
    fn files_are_as_gnu_leaves_them() {
        let mut image = Image::new();
        image.file("work/f", "y\n", 0o644);
        image.directory("work/d", 0o755);
        check(
            &image,
            None,
            &[
                (&["tee"], "x\n", "x\n"),
                (&["tee", "/dev/null"], "x\n", "x\n"),
                (&["tee", "d"], "x\n", "x\n!tee: d: Is a directory\n=1"),
                (&["tee", "no/x"], "x\n", "x\n!tee: no/x: No such file or directory\n=1"),
                (&["tee", "-a", "f", "f2"], "x\n", "x\n"),
            ],
        );
    }
}
