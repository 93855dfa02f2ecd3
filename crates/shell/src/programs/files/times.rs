//! Times as people write and read them, in UTC: what another zone would say is not known here.

use bstr::{BString, ByteSlice};
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use super::report::refuse_use;
use crate::files::{Kind, Last};
use crate::process::{Process, errno};
use crate::stop::Stop;

/// Refuses where the time zone is not UTC by `TZ` or by the image's `/etc/localtime`.
pub(super) fn expect_utc(process: &Process<'_, '_>) -> Result<(), Stop> {
    let is_utc = match process.environment.get(&BString::from("TZ")) {
        Some(zone) => is_utc_name(zone.trim_start_with(|letter| letter == ':').as_bytes()),
        None => {
            let found = errno(process.locate(b"/etc/localtime", Last::Kept))?.ok();
            match found.and_then(|found| found.stat).map(|stat| stat.kind) {
                None => true,
                Some(Kind::Symlink(target)) => match target.rsplit_once_str("zoneinfo/") {
                    Some((_, zone)) => is_utc_name(zone),
                    None => false,
                },
                Some(_) => false,
            }
        }
    };
    match is_utc {
        true => Ok(()),
        false => Err(refuse_use(process, "shows or reads a time in another zone than UTC")),
    }
}

fn is_utc_name(zone: &[u8]) -> bool {
    matches!(zone, b"" | b"UTC" | b"Etc/UTC" | b"UTC0" | b"Etc/UCT" | b"UCT" | b"Zulu")
}

/// `2023-11-14` and the time of day in UTC; `None` for a time that no calendar here has.
pub(super) fn civil(seconds: i64) -> Option<DateTime> {
    Some(Timestamp::from_second(seconds).ok()?.to_zoned(TimeZone::UTC).datetime())
}

/// Reads those of `touch -d`'s formats that have one meaning (coreutils manual, "Date input
/// formats"): `now`, `@SECONDS`, `2023-11-14`, with a time of day behind a blank or a `T`, and UTC or
/// an offset behind that.
pub(super) fn parse(text: &[u8], clock: i64) -> Option<i64> {
    let text = text.trim().to_str().ok()?;
    if text == "now" {
        return Some(clock);
    }
    if let Some(seconds) = text.strip_prefix('@') {
        return seconds.parse().ok();
    }
    let (date, rest) = text.split_at_checked(10)?;
    if date.as_bytes()[4] != b'-' || date.as_bytes()[7] != b'-' {
        return None;
    }
    let date: Date = date.parse().ok()?;
    let rest = match rest.strip_prefix(['T', ' ']) {
        Some(rest) => rest.trim_start(),
        None if rest.is_empty() => "",
        None => return None,
    };
    let end =
        rest.find(|letter: char| !matches!(letter, '0'..='9' | ':' | '.')).unwrap_or(rest.len());
    let (time, zone) = rest.split_at(end);
    let midnight = date.to_datetime(jiff::civil::Time::midnight());
    let seconds = unix(midnight)? + time_of_day(time)?;
    Some(seconds - offset(zone.trim())?)
}

/// Seconds since midnight of `12:30` or `12:30:05`; fractions are cut off.
fn time_of_day(text: &str) -> Option<i64> {
    if text.is_empty() {
        return Some(0);
    }
    let whole = text.split('.').next()?;
    let parts: Vec<&str> = whole.split(':').collect();
    let number = |at: usize, most: i64| {
        let part = parts.get(at)?;
        let number: i64 = (1..=2).contains(&part.len()).then(|| part.parse().ok()).flatten()?;
        (number <= most).then_some(number)
    };
    let seconds = match parts.len() {
        2 if whole.len() == text.len() => 0,
        3 => number(2, 59)?,
        _ => return None,
    };
    Some(number(0, 23)? * 3600 + number(1, 59)? * 60 + seconds)
}

/// Seconds east of Greenwich of ``, `Z`, `UTC` or `+0100`.
fn offset(text: &str) -> Option<i64> {
    if matches!(text, "" | "Z" | "z" | "UTC" | "GMT" | "utc" | "gmt") {
        return Some(0);
    }
    let digits: String = text.get(1..)?.chars().filter(|letter| *letter != ':').collect();
    if digits.len() != 4 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: i64 = digits.parse().ok()?;
    let seconds = number / 100 * 3600 + number % 100 * 60;
    match text.as_bytes()[0] {
        b'+' => Some(seconds),
        b'-' => Some(-seconds),
        _ => None,
    }
}

/// Reads `[[CC]YY]MMDDhhmm[.ss]` (POSIX touch, `-t`).
pub(super) fn parse_stamp(text: &[u8], clock: i64) -> Option<i64> {
    let (digits, seconds) = match text.split_once_str(".") {
        Some((digits, seconds)) => (digits, pair(seconds)?),
        None => (text, 0),
    };
    if text.len() != digits.len() && text.len() != digits.len() + 3 {
        return None;
    }
    let pairs: Option<Vec<i64>> = digits.chunks(2).map(pair).collect();
    let pairs = pairs?;
    let (year, rest) = match pairs.as_slice() {
        [century, year, rest @ ..] if rest.len() == 4 => (century * 100 + year, rest),
        [year, rest @ ..] if rest.len() == 4 => {
            (if *year < 69 { 2000 + year } else { 1900 + year }, rest)
        }
        rest if rest.len() == 4 => (i64::from(civil(clock)?.year()), rest),
        _ => return None,
    };
    let [month, day, hour, minute] = rest else { return None };
    let small = |number: &i64| i8::try_from(*number).ok();
    let time = DateTime::new(
        i16::try_from(year).ok()?,
        small(month)?,
        small(day)?,
        small(hour)?,
        small(minute)?,
        small(&seconds)?,
        0,
    );
    unix(time.ok()?)
}

fn pair(digits: &[u8]) -> Option<i64> {
    match digits {
        [tens @ b'0'..=b'9', ones @ b'0'..=b'9'] => {
            Some(i64::from(tens - b'0') * 10 + i64::from(ones - b'0'))
        }
        _ => None,
    }
}

fn unix(time: DateTime) -> Option<i64> {
    Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_if_they_have_one_meaning() {
        let check = |text: &str, expected: Option<i64>| {
            assert_eq!(parse(text.as_bytes(), 7), expected, "{text}");
        };
        check("now", Some(7));
        check("@0", Some(0));
        check("@1700000000", Some(1_700_000_000));
        check("1970-01-01", Some(0));
        check("2023-11-14 22:13:20", Some(1_700_000_000));
        check("2023-11-14T22:13:20Z", Some(1_700_000_000));
        check("2023-11-14 22:13:20.5 UTC", Some(1_700_000_000));
        check("2023-11-14T23:13:20+01:00", Some(1_700_000_000));
        check("2023-11-14 22:13", Some(1_699_999_980));
        for unclear in ["", "yesterday", "14 Nov 2023", "2023-13-01", "2023-11-14x", "25:00"] {
            check(unclear, None);
        }
    }

    #[test]
    fn stamps_are_read() {
        let check = |text: &str, expected: Option<i64>| {
            assert_eq!(parse_stamp(text.as_bytes(), 1_700_000_000), expected, "{text}");
        };
        check("202311142213.20", Some(1_700_000_000));
        check("2311142213", Some(1_699_999_980));
        check("11142213.20", Some(1_700_000_000));
        check("7001010000", Some(0));
        for bad in ["", "1", "202313142213", "202311142213.2", "20231114221320"] {
            check(bad, None);
        }
    }
}
