//! Go's durations, such as `1m30s` (`time.ParseDuration`).

/// Nanoseconds of a text such as `1h`, `1.5s` or `-300ms`.
pub(crate) fn parse(text: &str) -> Option<i64> {
    let (negative, mut rest) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let (nanoseconds, behind) = component(rest)?;
        total = total.checked_add(nanoseconds).filter(|sum| *sum <= 1 << 63)?;
        rest = behind;
    }
    if negative { 0i64.checked_sub_unsigned(total) } else { i64::try_from(total).ok() }
}

/// One number with its unit, and what is behind it.
fn component(text: &str) -> Option<(u64, &str)> {
    let digits =
        |text: &str| text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (whole, rest) = text.split_at(digits(text));
    let (fraction, rest) = match rest.strip_prefix('.') {
        Some(rest) => rest.split_at(digits(rest)),
        None => ("", rest),
    };
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let end = rest.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(rest.len());
    let (unit, rest) = rest.split_at(end);
    let unit: u64 = match unit {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    };
    let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    // Beyond a unit's nanoseconds digits mean nothing; 15 of them are exact in 128 bits.
    let fraction = &fraction[..fraction.len().min(15)];
    let part = match fraction.parse::<u128>() {
        Ok(digits) => digits * u128::from(unit) / 10u128.pow(fraction.len() as u32),
        Err(_) => 0,
    };
    Some((whole.checked_mul(unit)?.checked_add(u64::try_from(part).ok()?)?, rest))
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn durations() {
        let check = |text, expected| assert_eq!(parse(text), expected, "{text}");
        check("0", Some(0));
        check("30s", Some(30_000_000_000));
        check("1m30s", Some(90_000_000_000));
        check("1.5h", Some(5_400_000_000_000));
        check(".5s", Some(500_000_000));
        check("5.s", Some(5_000_000_000));
        check("100µs", Some(100_000));
        check("-1s", Some(-1_000_000_000));
        check("9223372036854775807ns", Some(i64::MAX));
        check("-9223372036854775808ns", Some(i64::MIN));
        check("9223372036854775808ns", None);
        check("0.333333333333333333333h", Some(1_199_999_999_999));
        for text in ["", "30", "s", ".s", "1x", "-", "+", "1 s", "3000000h", "1é"] {
            check(text, None);
        }
    }
}
