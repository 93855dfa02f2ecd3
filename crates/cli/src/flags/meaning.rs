//! Values that several flags share: references, platforms, times, ages, sizes, `KEY=VALUE`.

use std::time::Duration;

use jiff::Timestamp;
use oci::{Platform, Reference, RepositoryName};

use super::UsageError;

pub(super) fn reference(argument: &'static str, text: &str) -> Result<Reference, UsageError> {
    let fail = |source| UsageError::Reference { argument, source };
    text.parse().map_err(fail)
}

/// A repository, without a tag or a digest.
pub(super) fn repository(argument: &'static str, text: &str) -> Result<RepositoryName, UsageError> {
    let reference = reference(argument, text)?;
    if reference.tag().is_some() || reference.digest().is_some() {
        let wanted = "it is a repository, without a tag or a digest";
        return Err(UsageError::form(argument, text, wanted));
    }
    Ok(reference.repository().clone())
}

/// References, each with `latest` where no tag was typed, in order and each once.
pub(super) fn tagged(
    argument: &'static str,
    texts: &[String],
) -> Result<Vec<Reference>, UsageError> {
    let mut names = Vec::with_capacity(texts.len());
    for text in texts {
        let name = reference(argument, text)?.or_latest();
        if name.digest().is_some() {
            let wanted = "a name to give is REPOSITORY[:TAG]: the digest follows from the image";
            return Err(UsageError::form(argument, text, wanted));
        }
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(names)
}

pub(super) fn platform(argument: &'static str, text: &str) -> Result<Platform, UsageError> {
    let fail = |source| UsageError::Platform { argument, source };
    text.parse().map_err(fail)
}

/// Platforms from a flag that can be repeated and takes several at once, each once.
pub(super) fn platforms(
    argument: &'static str,
    texts: &[String],
) -> Result<Vec<Platform>, UsageError> {
    let mut platforms = Vec::new();
    for text in texts.iter().flat_map(|list| list.split(',')) {
        let platform = platform(argument, text.trim())?.normalized();
        if !platforms.contains(&platform) {
            platforms.push(platform);
        }
    }
    Ok(platforms)
}

pub(super) fn jobs(argument: &'static str, text: &str) -> Result<usize, UsageError> {
    let number = text.parse().ok().filter(|number| (1..=1024).contains(number));
    number.ok_or_else(|| UsageError::form(argument, text, "it is a number from 1 to 1024"))
}

/// A key, and a value after the first `=` if there is one.
pub(super) fn key_value(text: &str) -> (&str, Option<&str>) {
    match text.split_once('=') {
        Some((key, value)) => (key, Some(value)),
        None => (text, None),
    }
}

/// A `KEY=VALUE` whose key is not empty.
pub(super) fn pair(
    argument: &'static str,
    text: &str,
    wanted: &'static str,
) -> Result<(String, String), UsageError> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err(UsageError::form(argument, text, wanted)),
    }
}

/// Seconds since the epoch, as in `SOURCE_DATE_EPOCH`, or a date and time with its zone.
pub(super) fn timestamp(argument: &'static str, text: &str) -> Result<i64, UsageError> {
    let wanted = "it is a number of seconds since 1970, or a time such as 2024-01-31T12:00:00Z";
    let parsed = match text.parse::<i64>() {
        Ok(seconds) => Timestamp::from_second(seconds).ok(),
        Err(_) => text.parse::<Timestamp>().ok(),
    };
    // A tar holds no time before the epoch that every reader understands.
    let seconds = parsed.map(Timestamp::as_second).filter(|seconds| *seconds >= 0);
    seconds.ok_or_else(|| UsageError::form(argument, text, wanted))
}

/// A length of time: a number with a unit, several in a row (`1h30m`), a bare number being seconds.
pub(super) fn age(argument: &'static str, text: &str) -> Result<Duration, UsageError> {
    let fail = || UsageError::form(argument, text, "it is a length of time, such as 36h, 7d or 2w");
    let mut total = Duration::ZERO;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let number: u64 = rest[..digits].parse().map_err(|_| fail())?;
        let after = &rest[digits..];
        let letters = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let seconds = match &after[..letters] {
            "" | "s" => 1,
            "m" => 60,
            "h" => 60 * 60,
            "d" => 24 * 60 * 60,
            "w" => 7 * 24 * 60 * 60,
            _ => return Err(fail()),
        };
        let part = number.checked_mul(seconds).map(Duration::from_secs).ok_or_else(fail)?;
        total = total.checked_add(part).ok_or_else(fail)?;
        rest = &after[letters..];
    }
    if text.is_empty() { Err(fail()) } else { Ok(total) }
}

/// A number of bytes: `500MB`, `2GiB`, `1073741824`. As with Docker, `kb` is 1000 and `k` is 1024.
pub(super) fn bytes(argument: &'static str, text: &str) -> Result<u64, UsageError> {
    let fail = || UsageError::form(argument, text, "it is a size, such as 500MB or 2GiB");
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text[..digits].parse().map_err(|_| fail())?;
    let unit = text[digits..].trim().to_ascii_lowercase();
    let (base, power) = match unit.as_str() {
        "" | "b" => (1, 0),
        "kb" => (1000_u64, 1),
        "mb" => (1000, 2),
        "gb" => (1000, 3),
        "tb" => (1000, 4),
        "k" | "kib" => (1024, 1),
        "m" | "mib" => (1024, 2),
        "g" | "gib" => (1024, 3),
        "t" | "tib" => (1024, 4),
        _ => return Err(fail()),
    };
    number.checked_mul(base.pow(power)).ok_or_else(fail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages() {
        let check = |text, seconds| assert_eq!(age("--a", text).ok(), seconds, "{text}");
        let seconds = |number| Some(Duration::from_secs(number));
        check("90", seconds(90));
        check("36h", seconds(36 * 3600));
        check("1h30m", seconds(5400));
        check("2w", seconds(1_209_600));
        check("", None);
        check("d", None);
        check("1y", None);
        check("99999999999999999999d", None);
        check("18446744073709551615w", None);
    }

    #[test]
    fn sizes() {
        let check = |text, expected| assert_eq!(bytes("--a", text).ok(), expected, "{text}");
        check("0", Some(0));
        check("10kb", Some(10_000));
        check("10k", Some(10_240));
        check("2 GiB", Some(2 << 30));
        check("1.5G", None);
        check("GB", None);
        check("18446744073709551615T", None);
    }

    #[test]
    fn times() {
        let check = |text, expected| assert_eq!(timestamp("--t", text).ok(), expected, "{text}");
        check("0", Some(0));
        check("1700000000", Some(1_700_000_000));
        check("2024-01-31T12:00:00Z", Some(1_706_702_400));
        check("2024-01-31T12:00:00+02:00", Some(1_706_695_200));
        check("-1", None);
        check("yesterday", None);
        check("999999999999999999", None);
    }

    #[test]
    fn platforms_are_normal_and_each_once() {
        let texts = ["linux/amd64,linux/aarch64".to_owned(), "linux/x86_64".to_owned()];
        let names: Vec<String> =
            platforms("--platform", &texts).unwrap().iter().map(Platform::to_string).collect();
        assert_eq!(names, ["linux/amd64", "linux/arm64"]);
    }
}
