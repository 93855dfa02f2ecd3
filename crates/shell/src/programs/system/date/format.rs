//! Formats (GNU manual, "Examples of date" and its sections on directives and flags; strftime(3)).

use bstr::{BStr, BString};

use crate::programs::system::calendar::Moment;

const DAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
/// Wider fields, and longer formats, are not written: they could become anything large.
const WIDEST: usize = 100;
const LONGEST: usize = 4096;

/// What stands between `%` and the directive's letter.
#[derive(Debug, Default, Clone, Copy)]
struct Flags {
    /// `_`, `-`, `0` or `+`; the last one counts.
    padding: Option<char>,
    is_upper: bool,
    is_swapped: bool,
    width: Option<usize>,
    colons: usize,
}

/// What a directive stands for.
enum Value {
    Text(String),
    /// A number, how many digits it has, and what is in front of fewer.
    Number(i64, usize, char),
    /// Formatted already, padded only if a width is given.
    Composed(String),
    Nanoseconds,
    Zone,
}

/// Writes a moment; `None` for flags whose effect on a directive is not known.
pub(super) fn format(format: &BStr, moment: &Moment) -> Option<BString> {
    if format.len() > LONGEST {
        return None;
    }
    let mut written = BString::default();
    let mut rest: &[u8] = format;
    while let Some((byte, behind)) = rest.split_first() {
        if *byte != b'%' {
            written.push(*byte);
            rest = behind;
            continue;
        }
        match directive(behind, moment) {
            Directive::Written(text, length) => {
                written.extend_from_slice(text.as_bytes());
                rest = &behind[length..];
            }
            Directive::Literal => {
                written.push(b'%');
                rest = behind;
            }
            Directive::Unknown => return None,
        }
    }
    Some(written)
}

/// What follows a `%`.
enum Directive {
    /// It stands for a text, and is so long.
    Written(String, usize),
    /// It is none, and stays as it is.
    Literal,
    /// It is one, in a way that is not known.
    Unknown,
}

fn directive(text: &[u8], moment: &Moment) -> Directive {
    let mut flags = Flags::default();
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        match byte {
            b'_' | b'-' | b'0' | b'+' => flags.padding = Some(char::from(*byte)),
            b'^' => flags.is_upper = true,
            b'#' => flags.is_swapped = true,
            _ => break,
        }
        at += 1;
    }
    while let Some(digit) = text.get(at).filter(|byte| byte.is_ascii_digit()) {
        let width = flags.width.unwrap_or(0).saturating_mul(10);
        flags.width = Some(width.saturating_add(usize::from(digit - b'0')).min(WIDEST + 1));
        at += 1;
    }
    if matches!(text.get(at), Some(b'E' | b'O')) {
        at += 1;
    }
    while text.get(at) == Some(&b':') {
        flags.colons += 1;
        at += 1;
    }
    let Some(letter) = text.get(at).map(|byte| char::from(*byte)) else {
        return Directive::Literal;
    };
    if flags.colons > 0 && letter != 'z' {
        return Directive::Literal;
    }
    let Some(value) = value(letter, moment, &mut flags) else { return Directive::Literal };
    match is_known(&value, flags) {
        true => Directive::Written(padded(value, flags), at + 1),
        false => Directive::Unknown,
    }
}

/// Flags of composed directives reach into their parts, and `+` depends on the value.
fn is_known(value: &Value, flags: Flags) -> bool {
    let is_plain = flags.padding != Some('+') && flags.padding.is_none_or(|_| flags.colons == 0);
    is_plain
        && flags.width.is_none_or(|width| width <= WIDEST)
        && match value {
            Value::Composed(_) => flags.padding.is_none() && !flags.is_swapped,
            Value::Zone => flags.colons == 0 || flags.width.is_none(),
            Value::Number(_, digits, _) => flags.width.is_none_or(|width| width >= *digits),
            Value::Text(_) | Value::Nanoseconds => true,
        }
}

fn value(letter: char, moment: &Moment, flags: &mut Flags) -> Option<Value> {
    let Moment { year, month, day, hour, minute, second } = *moment;
    let two = |number: i64| Value::Number(number, 2, '0');
    let weekday = moment.weekday();
    let day_name = || DAYS[usize::try_from(weekday).unwrap_or(0)];
    let month_name = || MONTHS[usize::try_from(month - 1).unwrap_or(0)];
    let half_day = (hour + 11) % 12 + 1;
    let week = |first: i64| (moment.day_of_year() + 6 - (weekday - first).rem_euclid(7)) / 7;
    let composed = |text: &str| {
        let written = format(text.into(), moment).unwrap_or_default();
        Value::Composed(written.to_string())
    };
    Some(match letter {
        '%' if flags.width.is_none() && flags.padding.is_none() => Value::Composed("%".to_owned()),
        'n' => Value::Composed("\n".to_owned()),
        't' => Value::Composed("\t".to_owned()),
        'a' => swapped_to_upper(flags, &day_name()[..3]),
        'A' => swapped_to_upper(flags, day_name()),
        'b' | 'h' => swapped_to_upper(flags, &month_name()[..3]),
        'B' => swapped_to_upper(flags, month_name()),
        'c' => composed("%a %b %e %H:%M:%S %Y"),
        'C' => two(year.div_euclid(100)),
        'd' => two(day),
        'D' | 'x' => composed("%m/%d/%y"),
        'e' => Value::Number(day, 2, '_'),
        'F' => composed("%Y-%m-%d"),
        'g' => two(moment.iso_week().0.rem_euclid(100)),
        'G' => Value::Number(moment.iso_week().0, 4, '0'),
        'H' => two(hour),
        'I' => two(half_day),
        'j' => Value::Number(moment.day_of_year(), 3, '0'),
        'k' => Value::Number(hour, 2, '_'),
        'l' => Value::Number(half_day, 2, '_'),
        'm' => two(month),
        'M' => two(minute),
        'N' => Value::Nanoseconds,
        'p' => Value::Text(if hour < 12 { "AM" } else { "PM" }.to_owned()),
        // It has no capitals.
        'P' => {
            flags.is_upper = false;
            Value::Text(if hour < 12 { "am" } else { "pm" }.to_owned())
        }
        'q' => Value::Number((month - 1) / 3 + 1, 1, '0'),
        'r' => composed("%I:%M:%S %p"),
        'R' => composed("%H:%M"),
        's' => Value::Number(moment.seconds(), 1, '0'),
        'S' => two(second),
        'T' | 'X' => composed("%H:%M:%S"),
        'u' => Value::Number((weekday + 6) % 7 + 1, 1, '0'),
        'U' => two(week(0)),
        'V' => two(moment.iso_week().1),
        'w' => Value::Number(weekday, 1, '0'),
        'W' => two(week(1)),
        'y' => two(year.rem_euclid(100)),
        'Y' => Value::Number(year, 4, '0'),
        'z' if flags.colons <= 3 => Value::Zone,
        'Z' => Value::Text("UTC".to_owned()),
        _ => return None,
    })
}

/// For names, `#` means capitals; for `%p` and `%Z`, small letters.
fn swapped_to_upper(flags: &mut Flags, name: &str) -> Value {
    flags.is_upper |= std::mem::take(&mut flags.is_swapped);
    Value::Text(name.to_owned())
}

fn padded(value: Value, flags: Flags) -> String {
    let fill = |text: String, width: usize, with: char| {
        let missing = width.saturating_sub(text.len());
        std::iter::repeat_n(with, missing).collect::<String>() + &text
    };
    match value {
        Value::Number(number, digits, default) => {
            let width = flags.width.unwrap_or(digits);
            match flags.padding.unwrap_or(default) {
                '-' => number.to_string(),
                '_' => fill(number.to_string(), width, ' '),
                _ if number < 0 => {
                    format!("-{}", fill((-number).to_string(), width.saturating_sub(1), '0'))
                }
                _ => fill(number.to_string(), width, '0'),
            }
        }
        Value::Nanoseconds => match (flags.padding, flags.width.unwrap_or(9)) {
            (Some('_'), width) => format!("{:<width$}", 0),
            (_, width) => "0".repeat(width),
        },
        Value::Zone => zone(flags),
        Value::Text(text) | Value::Composed(text) => {
            let text = match flags {
                Flags { is_swapped: true, .. } => text.to_lowercase(),
                Flags { is_upper: true, .. } => text.to_uppercase(),
                _ => text,
            };
            match flags.padding {
                Some('-') => text,
                Some('0') => fill(text, flags.width.unwrap_or(0), '0'),
                _ => fill(text, flags.width.unwrap_or(0), ' '),
            }
        }
    }
}

fn zone(flags: Flags) -> String {
    match (flags.padding, flags.width, flags.colons) {
        (Some('-'), _, 0) => return "+0".to_owned(),
        (Some('_'), width, 0) => return format!("{:>1$}", "+0", width.unwrap_or(5)),
        (_, Some(width), 0) => return format!("+{:0>1$}", 0, width.max(5) - 1),
        _ => {}
    }
    match flags.colons {
        0 => "+0000",
        1 => "+00:00",
        2 => "+00:00:00",
        _ => "+00",
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What GNU date prints for 1700000000, 1078012805 and 0.
    #[test]
    fn directives_are_gnus() {
        for (seconds, text, expected) in [
            (1_700_000_000, "%Y%m%d-%H%M%S", "20231114-221320"),
            (1_700_000_000, "%a %A %b %B %h", "Tue Tuesday Nov November Nov"),
            (1_700_000_000, "%^a %#b %^B", "TUE NOV NOVEMBER"),
            (
                1_700_000_000,
                "%c|%D|%x|%X|%r|%R|%T|%F",
                "Tue Nov 14 22:13:20 2023|11/14/23|11/14/23|22:13:20|10:13:20 PM|22:13|22:13:20|2023-11-14",
            ),
            (1_700_000_000, "%C %y %G %g %V %U %W %u %w %j %q", "20 23 2023 23 46 46 46 2 2 318 4"),
            (
                1_078_012_805,
                "%d|%e|%-d|%_d|%05d|%k|%l|%I|%p|%P|%#p",
                "29|29|29|29|00029| 0|12|12|AM|am|am",
            ),
            (0, "%-m/%-d %_m %3m %e %j %-j %_j", "1/1  1 001  1 001 1   1"),
            (0, "%s %N %3N %z %:z %::z %:::z %Z", "0 000000000 000 +0000 +00:00 +00:00:00 +00 UTC"),
            (0, "%10a|%010a|%10Y|%_10Y", "       Thu|0000000Thu|0000001970|      1970"),
            (0, "100%% %Q %n", "100% %Q \n"),
            (0, "%Ey %Od %", "70 01 %"),
            (
                0,
                "%#Z %^p %4Y %8N %-N %_N|%10z|%_z|%-z|%5%|%5n",
                "utc AM 1970 00000000 000000000 0        |+000000000|   +0|+0|%5%|    \n",
            ),
        ] {
            let written = format(text.into(), &Moment::of(seconds));
            assert_eq!(written, Some(BString::from(expected)), "{text}");
        }
    }

    #[test]
    fn what_is_not_known_is_not_written() {
        for text in ["%-D", "%#c", "%+4Y", "%1d", "%999999999999d"] {
            assert_eq!(format(text.into(), &Moment::of(0)), None, "{text}");
        }
    }
}
