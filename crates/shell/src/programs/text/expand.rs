//! `expand`: blanks for tabs.

use bstr::ByteSlice;

use super::busybox::options;
use super::input::filter;
use crate::options::{Known, Order, flag, value};
use crate::process::{Process, Run};
use crate::stop::Reason;

const KNOWN: &[Known] = &[flag("-i", 'i', &["initial"]), value("-t", 't', &["tabs"])];

/// Writes blanks for tabs.
pub(super) fn expand(process: &mut Process<'_, '_>) -> Run {
    let options = options(process, KNOWN, Order::Anywhere)?;
    let given = options.value("-t").map_or(Some(8), |text| text.to_str().ok()?.parse().ok());
    let refused = || process.refuse(Reason::Use("has a list of tab stops".to_owned()));
    let width: usize = given.filter(|width| (1..=1000).contains(width)).ok_or_else(refused)?;
    let only_initial = options.has("-i");
    filter(process, &options.operands, |text| {
        let (mut output, mut column, mut is_initial) = (Vec::new(), 0, true);
        for byte in text {
            match byte {
                b'\t' if is_initial || !only_initial => {
                    let blanks = width - column % width;
                    output.extend(std::iter::repeat_n(b' ', blanks));
                    column += blanks;
                    continue;
                }
                b'\t' => column += width - column % width,
                8 => column = column.saturating_sub(1),
                b'\n' => column = 0,
                _ => column += 1,
            }
            is_initial = match byte {
                b'\n' => true,
                b' ' | b'\t' => is_initial,
                _ => false,
            };
            output.push(*byte);
        }
        output
    })
}

#[cfg(test)]
mod tests {
    use crate::fixture::Image;
    use crate::programs::text::trial::check;

    #[test]
    fn tabs_are_blanks_as_gnu_has_them() {
        let mut image = Image::new();
        image.file("work/f", "a\tb\n\tc\td\n", 0o644);
        check(
            &image,
            None,
            &[
                (&["expand", "f"], "", "a       b\n        c       d\n"),
                (&["expand", "-t4", "f"], "", "a   b\n    c   d\n"),
                (&["expand", "-i", "f"], "", "a\tb\n        c\td\n"),
                (&["expand", "no"], "", "!expand: no: No such file or directory\n=1"),
            ],
        );
    }
}
