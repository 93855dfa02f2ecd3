//! `seq`: numbers in a row.

use bstr::{BStr, BString, ByteSlice};

use super::busybox;
use crate::process::{Process, Run};
use crate::programs::quoting::cited;
use crate::stop::{Reason, Stop};

/// Digits behind the point that are counted with.
const MOST_PLACES: u32 = 12;
/// So many numbers are written at once.
const PIECE: usize = 10_000;

/// Writes numbers from the first to the last.
pub(super) fn seq(process: &mut Process<'_, '_>) -> Run {
    busybox::refuse(process)?;
    let (options, operands) = read(process)?;
    if operands.is_empty() {
        process.complain("missing operand")?;
        return hint(process);
    }
    if let Some(extra) = operands.get(3) {
        process.complain(format!("extra operand {}", cited(extra)))?;
        return hint(process);
    }
    let mut numbers = Vec::new();
    for (index, text) in operands.iter().enumerate() {
        match Fixed::read(text.as_bstr()) {
            Ok(Fixed { value: 0, .. }) if index == 1 && operands.len() == 3 => {
                process.complain(format!("invalid Zero increment value: {}", cited(text)))?;
                return hint(process);
            }
            Ok(number) => numbers.push(number),
            Err(NoNumber::Wrong) => {
                process.complain(format!("invalid floating point argument: {}", cited(text)))?;
                return hint(process);
            }
            Err(NoNumber::Other) => {
                return Err(process.refuse(Reason::Use(format!("has the number {text}"))));
            }
        }
    }
    let one = Fixed { value: 1, places: 0, width: 1 };
    let (first, step, last) = match numbers[..] {
        [last] => (one, one, last),
        [first, last] => (first, one, last),
        [first, step, last] => (first, step, last),
        _ => return Ok(1),
    };
    write(process, &options, first, step, last)
}

fn hint(process: &mut Process<'_, '_>) -> Run {
    process.write_to(2, b"Try 'seq --help' for more information.\n")?;
    Ok(1)
}

struct Options {
    separator: BString,
    pads: bool,
}

/// Reads options before the first number, which may be negative.
fn read(process: &Process<'_, '_>) -> Result<(Options, Vec<BString>), Stop> {
    let mut options = Options { separator: "\n".into(), pads: false };
    let mut words = process.arguments().iter();
    let mut operands = Vec::new();
    while let Some(word) = words.next() {
        let is_number =
            matches!(word.as_bytes(), [b'-', b'.' | b'0'..=b'9', ..]) || !word.starts_with(b"-");
        if is_number || word == "-" {
            operands.push(word.clone());
            break;
        }
        let missing = || process.refuse(Reason::Option(word.to_string()));
        match word.as_bytes() {
            b"--" => break,
            b"-w" | b"--equal-width" => options.pads = true,
            b"-s" | b"--separator" => options.separator = words.next().ok_or_else(missing)?.clone(),
            [b'-', b's', value @ ..] => options.separator = value.into(),
            other => match other.strip_prefix(b"--separator=") {
                Some(value) => options.separator = value.into(),
                None => return Err(missing()),
            },
        }
    }
    operands.extend(words.cloned());
    let is_option = |word: &&BString| matches!(word.as_bytes(), [b'-', letter, ..] if !letter.is_ascii_digit() && *letter != b'.');
    match operands.iter().find(is_option) {
        Some(option) => Err(process.refuse(Reason::Option(option.to_string()))),
        None => Ok((options, operands)),
    }
}

fn write(
    process: &mut Process<'_, '_>,
    options: &Options,
    first: Fixed,
    step: Fixed,
    last: Fixed,
) -> Run {
    // The last number's digits do not show, but count for the width.
    let places = first.places.max(step.places);
    let all = places.max(last.places);
    let (from, by, to) = (first.scaled(all), step.scaled(all), last.scaled(all));
    let width = match options.pads {
        true => {
            let own = |number: &Fixed| {
                let point = usize::from(places > 0 && number.places == 0);
                let own = if number.places > 0 { number.places as usize } else { 0 };
                number.width + point + places as usize - own
            };
            // A last number with a fraction that does not show is as wide without it.
            let cut = |number: &Fixed| match (places, number.places) {
                (0, 1..) => number.width - number.places as usize - 1,
                (_, more) if more > places => number.width - (more - places) as usize,
                _ => own(number),
            };
            own(&first).max(cut(&last))
        }
        false => 0,
    };
    let mut output = Vec::new();
    let (mut value, mut count) = (from, 0);
    while if by > 0 { value <= to } else { value >= to } {
        if count > 0 {
            output.extend_from_slice(&options.separator);
        }
        let shown = value / 10_i128.pow(all - places);
        output.extend(decimal(shown, places, width).bytes());
        value += by;
        count += 1;
        if count % PIECE == 0 {
            process.machine.budget.step()?;
            process.write(std::mem::take(&mut output))?;
        }
    }
    if count > 0 {
        output.push(b'\n');
    }
    process.write(output)?;
    Ok(0)
}

fn decimal(value: i128, places: u32, width: usize) -> String {
    let (sign, size) = if value < 0 { ("-", -value) } else { ("", value) };
    let scale = 10_i128.pow(places);
    let rest = width.saturating_sub(sign.len());
    let text = match places {
        0 => size.to_string(),
        _ => format!("{}.{:0places$}", size / scale, size % scale, places = places as usize),
    };
    format!("{sign}{text:0>rest$}")
}

/// A decimal number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Fixed {
    value: i128,
    /// Digits behind the point.
    places: u32,
    /// As it is written.
    width: usize,
}

enum NoNumber {
    Wrong,
    /// Exponents, infinities, and what is very long.
    Other,
}

impl Fixed {
    fn read(text: &BStr) -> Result<Self, NoNumber> {
        let text = text.to_str().map_err(|_| NoNumber::Wrong)?;
        let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if !is_digits(whole) || !is_digits(fraction) || whole.len() + fraction.len() == 0 {
            let odd = unsigned.starts_with(|letter: char| letter.is_ascii_digit())
                || ["inf", "nan"].iter().any(|word| unsigned.to_lowercase().starts_with(word))
                || text.trim() != text;
            return Err(if odd { NoNumber::Other } else { NoNumber::Wrong });
        }
        let places = fraction.len() as u32;
        // Forms in which GNU's counts the width otherwise.
        let is_odd = text.starts_with('+') || whole.is_empty() || text.ends_with('.');
        if is_odd
            || places > MOST_PLACES
            || whole.len() > 15
            || (text.starts_with('-') && is_zero(unsigned))
        {
            return Err(NoNumber::Other);
        }
        let digits: i128 = format!("{whole}{fraction}").parse().map_err(|_| NoNumber::Wrong)?;
        let value = if text.starts_with('-') { -digits } else { digits };
        Ok(Fixed { value, places, width: text.len() })
    }

    fn scaled(&self, places: u32) -> i128 {
        self.value * 10_i128.pow(places - self.places)
    }
}

fn is_zero(digits: &str) -> bool {
    digits.bytes().all(|byte| matches!(byte, b'0' | b'.'))
}

#[cfg(test)]
mod tests {
    use crate::fixture::Image;
    use crate::programs::text::trial::check;

    #[test]
    fn numbers_are_as_gnu_has_them() {
        check(
            &Image::new(),
            None,
            &[
                (&["seq", "3"], "", "1\n2\n3\n"),
                (&["seq", "2", "4"], "", "2\n3\n4\n"),
                (&["seq", "1", "2", "6"], "", "1\n3\n5\n"),
                (&["seq", "3", "-1", "1"], "", "3\n2\n1\n"),
                (&["seq", "3", "1"], "", ""),
                (&["seq", "-w", "8", "11"], "", "08\n09\n10\n11\n"),
                (&["seq", "-s,", "3"], "", "1,2,3\n"),
                (&["seq", "-s", " ", "0", "0.5", "2"], "", "0.0 0.5 1.0 1.5 2.0\n"),
                (&["seq", "0.1", "0.1", "0.5"], "", "0.1\n0.2\n0.3\n0.4\n0.5\n"),
                (&["seq", "-w", "1", "0.25", "2"], "", "1.00\n1.25\n1.50\n1.75\n2.00\n"),
                (
                    &["seq", "x"],
                    "",
                    "!seq: invalid floating point argument: 'x'\nTry 'seq --help' for more information.\n=1",
                ),
                (&["seq"], "", "!seq: missing operand\nTry 'seq --help' for more information.\n=1"),
                (
                    &["seq", "1", "0", "5"],
                    "",
                    "!seq: invalid Zero increment value: '0'\nTry 'seq --help' for more information.\n=1",
                ),
                (
                    &["seq", "1", "2", "3", "4"],
                    "",
                    "!seq: extra operand '4'\nTry 'seq --help' for more information.\n=1",
                ),
                (&["seq", "-3", "-1"], "", "-3\n-2\n-1\n"),
                (
                    &["seq", "-w", "-1", "10"],
                    "",
                    "-1\n00\n01\n02\n03\n04\n05\n06\n07\n08\n09\n10\n",
                ),
            ],
        );
    }
}
