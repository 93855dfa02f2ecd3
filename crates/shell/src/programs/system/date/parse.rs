//! Dates as people write them (GNU manual, "Date input formats"): the common part.

use bstr::{BStr, ByteSlice};

use crate::programs::system::calendar::Moment;

/// Larger numbers are not understood, so that sums fit.
const LARGEST: i64 = 1 << 40;

/// Seconds since the epoch of what is written; `None` if it is not understood.
pub(super) fn parse(text: &BStr, clock: i64) -> Option<i64> {
    let text = text.to_str().ok()?.trim().to_ascii_lowercase();
    if let Some(seconds) = text.strip_prefix('@') {
        return seconds.parse().ok().filter(|seconds: &i64| seconds.abs() < LARGEST);
    }
    if let Some(moment) = own(&text) {
        return Some(moment.seconds());
    }
    let mut moment = Moment::of(clock);
    let mut words = text.split_whitespace().peekable();
    let mut is_time_given = false;
    let mut is_date_given = false;
    let mut shift = Shift::default();
    while let Some(word) = words.next() {
        let (date, time) = match word.split_once('t') {
            Some((date, time)) if date.contains('-') => (Some(date), Some(time)),
            _ if word.contains(':') && !word.starts_with(['+', '-']) => (None, Some(word)),
            _ if is_date(word) => (Some(word), None),
            _ => (None, None),
        };
        if let Some(date) = date {
            if std::mem::replace(&mut is_date_given, true) {
                return None;
            }
            set_date(&mut moment, date)?;
        }
        if let Some(time) = time {
            if std::mem::replace(&mut is_time_given, true) {
                return None;
            }
            set_time(&mut moment, time)?;
            // A number with a sign behind a time is its zone.
            if !ends_with_zone(time)
                && words.peek().is_some_and(|next| next.starts_with(['+', '-']))
            {
                return None;
            }
        }
        if date.is_some() || time.is_some() {
            continue;
        }
        match word {
            "now" | "today" | "utc" | "z" | "gmt" => {}
            "yesterday" => shift.add(-1, "day")?,
            "tomorrow" => shift.add(1, "day")?,
            "next" => shift.add(1, words.next()?)?,
            "last" => shift.add(-1, words.next()?)?,
            word => {
                let sign_apart = matches!(word, "+" | "-");
                let joined =
                    if sign_apart { format!("{word}{}", words.next()?) } else { word.to_owned() };
                let digits = joined.trim_start_matches(['+', '-']);
                let end =
                    digits.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(digits.len());
                let unit = &digits[end..];
                let sign = &joined[..joined.len() - digits.len()];
                let mut number: i64 =
                    digits[..end].parse().ok().filter(|number| *number < LARGEST)?;
                let unit = if unit.is_empty() { words.next()? } else { unit };
                match sign {
                    "" | "+" => {}
                    "-" => number = -number,
                    _ => return None,
                }
                if words.next_if_eq(&"ago").is_some() {
                    number = -number;
                }
                shift.add(number, unit)?;
            }
        }
    }
    if is_date_given && !is_time_given {
        (moment.hour, moment.minute, moment.second) = (0, 0, 0);
    }
    shift.apply(moment)
}

/// What date itself prints in UTC: `tue nov 14 22:13:20 utc 2023`.
fn own(text: &str) -> Option<Moment> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let [weekday, month, day, time, "utc", year] = words[..] else { return None };
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if year.len() != 4 || !(1..=2).contains(&day.len()) || !is_number(year) || !is_number(day) {
        return None;
    }
    let mut moment = Moment::of(0);
    set_date(&mut moment, &format!("{year}-{month:02}-{day}"))?;
    set_time(&mut moment, time)?;
    // Another day of the week would mean the next one of that name.
    let weekday = WEEKDAYS.iter().position(|name| *name == weekday)?;
    (usize::try_from(moment.weekday()) == Ok(weekday)).then_some(moment)
}

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
/// As [`Moment::weekday`] counts them.
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// `2023-11-14` or `2023/11/14`.
fn is_date(word: &str) -> bool {
    let is_part = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    ['-', '/'].iter().any(|between| {
        let parts: Vec<&str> = word.split(*between).collect();
        parts.len() == 3 && parts.iter().all(|part| is_part(part)) && parts[0].len() == 4
    })
}

fn set_date(moment: &mut Moment, date: &str) -> Option<()> {
    if !is_date(date) {
        return None;
    }
    let mut numbers = date.split(['-', '/']).map(|part| part.parse::<i64>().ok());
    (moment.year, moment.month, moment.day) =
        (numbers.next()??, numbers.next()??, numbers.next()??);
    let given = (moment.month, moment.day);
    let same = Moment::of(moment.seconds());
    // No 30th of February.
    (same.month, same.day).eq(&given).then_some(())
}

/// `22:13`, `22:13:20`, and behind it `z`, `+00:00` or `+0000`.
fn set_time(moment: &mut Moment, time: &str) -> Option<()> {
    let time = ZONES.iter().find_map(|zone| time.strip_suffix(zone)).unwrap_or(time);
    let parts: Vec<&str> = time.split(':').collect();
    let is_part =
        |part: &&str| matches!(part.len(), 1 | 2) && part.bytes().all(|b| b.is_ascii_digit());
    if !matches!(parts.len(), 2 | 3) || !parts.iter().all(is_part) {
        return None;
    }
    let number = |at: usize| parts.get(at).map_or(Some(0), |part| part.parse::<i64>().ok());
    (moment.hour, moment.minute, moment.second) = (number(0)?, number(1)?, number(2)?);
    (moment.hour < 24 && moment.minute < 60 && moment.second < 60).then_some(())
}

/// UTC, behind a time.
const ZONES: [&str; 5] = ["z", "utc", "+00:00", "+0000", "-00:00"];

fn ends_with_zone(time: &str) -> bool {
    ZONES.iter().any(|zone| time.ends_with(zone))
}

/// How much is to be added.
#[derive(Debug, Default)]
struct Shift {
    months: i64,
    days: i64,
    seconds: i64,
}

impl Shift {
    fn add(&mut self, number: i64, unit: &str) -> Option<()> {
        let (field, each) = match unit.strip_suffix('s').unwrap_or(unit) {
            "year" => (&mut self.months, 12),
            "month" => (&mut self.months, 1),
            "fortnight" => (&mut self.days, 14),
            "week" => (&mut self.days, 7),
            "day" => (&mut self.days, 1),
            "hour" => (&mut self.seconds, 3_600),
            "minute" | "min" => (&mut self.seconds, 60),
            "second" | "sec" => (&mut self.seconds, 1),
            _ => return None,
        };
        *field = field.checked_add(number.checked_mul(each)?)?;
        Some(())
    }

    fn apply(&self, moment: Moment) -> Option<i64> {
        if self.months.abs() > 100_000 || self.days.abs() > 10_000_000 {
            return None;
        }
        let month = moment.month + self.months;
        let moved = Moment { month, day: moment.day + self.days, ..moment };
        moved.seconds().checked_add(self.seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `date -u -d TEXT +%s` says, with the clock at 1700000000 where it matters.
    #[test]
    fn dates_are_read_as_gnus() {
        for (text, expected) in [
            ("@12", Some(12)),
            ("@-5", Some(-5)),
            ("now", Some(1_700_000_000)),
            ("2023-11-14", Some(1_699_920_000)),
            ("2023-11-14 22:13:20", Some(1_700_000_000)),
            ("2023-11-14T22:13:20Z", Some(1_700_000_000)),
            ("2023-11-14T22:13:20+00:00", Some(1_700_000_000)),
            ("2023/11/14 22:13 UTC", Some(1_699_999_980)),
            ("Tue Nov 14 22:13:20 UTC 2023", Some(1_700_000_000)),
            ("Wed Jan  2 00:00:00 UTC 1980", Some(315_619_200)),
            ("Thu Jan  2 00:00:00 UTC 1980", None),
            ("Wed Jan 32 00:00:00 UTC 1980", None),
            ("yesterday", Some(1_699_913_600)),
            ("tomorrow", Some(1_700_086_400)),
            ("1 day ago", Some(1_699_913_600)),
            ("-1 day", Some(1_699_913_600)),
            ("+2 weeks", Some(1_701_209_600)),
            ("3 hours ago", Some(1_699_989_200)),
            ("next month", Some(1_702_592_000)),
            ("2024-01-31 +1 month", Some(1_709_337_600)),
            ("2024-02-29 1 year", Some(1_740_787_200)),
            ("2023-11-14 22:13:20 +6 months", None),
            ("2023-11-14 22:13:20 6 months ago", Some(1_684_102_400)),
            ("2023-02-30", None),
            ("last friday", None),
            ("noon", None),
            ("25:00", None),
            ("9999999999999999999 days", None),
        ] {
            assert_eq!(parse(text.into(), 1_700_000_000), expected, "{text}");
        }
    }
}
