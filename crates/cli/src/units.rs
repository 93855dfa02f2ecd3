//! Sizes and lengths of time as Docker writes them for people.

use jiff::Timestamp;

/// A number of bytes with three significant digits and a decimal unit: `72.8MB`
/// (docker/go-units, `HumanSizeWithPrecision`).
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 7] = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];
    #[allow(clippy::cast_precision_loss)] // three digits are shown
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1000.0 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    format!("{}{}", three_digits(value), UNITS[unit])
}

/// A number below 1000 as C's `%.3g` writes it. 999.6 becomes 1e+03 there, and here too.
fn three_digits(value: f64) -> String {
    let decimals = match value {
        v if v >= 999.5 => return "1e+03".to_owned(),
        v if v >= 99.95 => 0,
        v if v >= 9.995 => 1,
        _ => 2,
    };
    let text = format!("{value:.decimals$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// A length of time in one unit: `About an hour`, `3 weeks` (docker/go-units, `HumanDuration`).
pub(crate) fn duration(seconds: u64) -> String {
    let minutes = seconds / 60;
    // Go rounds to the nearest hour here, and only here.
    let hours = (seconds + 1800) / 3600;
    match (seconds, minutes, hours) {
        (0, ..) => "Less than a second".to_owned(),
        (1, ..) => "1 second".to_owned(),
        (seconds, 0, _) => format!("{seconds} seconds"),
        (_, 1, _) => "About a minute".to_owned(),
        (_, minutes, _) if minutes < 60 => format!("{minutes} minutes"),
        (.., 1) => "About an hour".to_owned(),
        (.., hours) if hours < 48 => format!("{hours} hours"),
        (.., hours) if hours < 24 * 7 * 2 => format!("{} days", hours / 24),
        (.., hours) if hours < 24 * 30 * 2 => format!("{} weeks", hours / 24 / 7),
        (.., hours) if hours < 24 * 365 * 2 => format!("{} months", hours / 24 / 30),
        (.., hours) => format!("{} years", hours / 24 / 365),
    }
}

/// How long ago `then` was: `2 days ago`; `N/A` for a time that nobody recorded.
pub(crate) fn since(then: Option<Timestamp>, now: Timestamp) -> String {
    match then {
        Some(then) => {
            let seconds = now.as_second().saturating_sub(then.as_second());
            format!("{} ago", duration(u64::try_from(seconds).unwrap_or(0)))
        }
        None => "N/A".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_three_digits() {
        let check = |bytes, expected: &str| assert_eq!(size(bytes), expected);
        check(0, "0B");
        check(999, "999B");
        check(1000, "1kB");
        check(1234, "1.23kB");
        check(72_800_000, "72.8MB");
        check(104_857_600, "105MB");
        check(2_000_000_000, "2GB");
        check(u64::MAX, "18.4EB");
    }

    #[test]
    fn lengths_of_time_have_one_unit() {
        let check = |seconds, expected: &str| assert_eq!(duration(seconds), expected);
        check(0, "Less than a second");
        check(59, "59 seconds");
        check(60, "About a minute");
        check(3599, "59 minutes");
        check(3600, "About an hour");
        check(47 * 3600, "47 hours");
        check(48 * 3600, "2 days");
        check(13 * 86400, "13 days");
        check(14 * 86400, "2 weeks");
        check(60 * 86400, "2 months");
        check(729 * 86400, "24 months");
        check(730 * 86400, "2 years");
    }

    #[test]
    fn a_time_that_nobody_recorded_is_not_1970() {
        let now: Timestamp = "2024-01-03T00:00:00Z".parse().unwrap();
        assert_eq!(since("2024-01-01T00:00:00Z".parse().ok(), now), "2 days ago");
        assert_eq!(since("2025-01-01T00:00:00Z".parse().ok(), now), "Less than a second ago");
        assert_eq!(since(None, now), "N/A");
    }
}
