//! Version numbers, and their order (deb-version(7); Debian Policy 5.6.12).

use std::cmp::Ordering;
use std::fmt;

/// A version: `[epoch:]upstream[-revision]`.
///
/// Two that are equal in order need not be the same text (`1.0` and `1.00`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Version(Box<str>);

impl Version {
    /// The version of this text, trimmed; any text is one, as dpkg itself is lenient where it reads
    /// what others wrote.
    pub fn new(text: &str) -> Self {
        Version(text.trim().into())
    }

    /// As written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Which is later.
    pub fn order(&self, other: &Version) -> Ordering {
        order(&self.0, &other.0)
    }
}

/// Which of two versions' texts is later.
pub fn order(one: &str, other: &str) -> Ordering {
    let (one, two) = (Parts::of(one), Parts::of(other));
    one.epoch
        .cmp(&two.epoch)
        .then_with(|| compare(one.upstream, two.upstream))
        .then_with(|| compare(one.revision, two.revision))
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

struct Parts<'a> {
    epoch: u64,
    upstream: &'a [u8],
    revision: &'a [u8],
}

impl<'a> Parts<'a> {
    fn of(text: &'a str) -> Self {
        let (epoch, rest) = text.split_once(':').unwrap_or(("0", text));
        let (upstream, revision) = rest.rsplit_once('-').unwrap_or((rest, ""));
        let epoch = epoch.parse().unwrap_or(0);
        Parts { epoch, upstream: upstream.as_bytes(), revision: revision.as_bytes() }
    }
}

/// Runs of other characters and of digits, in turn (deb-version(7), "Sorting algorithm").
fn compare(mut one: &[u8], mut two: &[u8]) -> Ordering {
    while !one.is_empty() || !two.is_empty() {
        let (left, right) =
            (take(&mut one, |b| !b.is_ascii_digit()), take(&mut two, |b| !b.is_ascii_digit()));
        for at in 0..left.len().max(right.len()) {
            let order = weight(left.get(at)).cmp(&weight(right.get(at)));
            if order.is_ne() {
                return order;
            }
        }
        let (left, right) =
            (take(&mut one, |b| b.is_ascii_digit()), take(&mut two, |b| b.is_ascii_digit()));
        let (left, right) = (without_zeros(left), without_zeros(right));
        let order = left.len().cmp(&right.len()).then_with(|| left.cmp(right));
        if order.is_ne() {
            return order;
        }
    }
    Ordering::Equal
}

fn take<'a>(text: &mut &'a [u8], wanted: impl Fn(u8) -> bool) -> &'a [u8] {
    let end = text.iter().position(|byte| !wanted(*byte)).unwrap_or(text.len());
    let (taken, rest) = text.split_at(end);
    *text = rest;
    taken
}

fn without_zeros(digits: &[u8]) -> &[u8] {
    let first = digits.iter().position(|digit| *digit != b'0').unwrap_or(digits.len());
    &digits[first..]
}

/// A tilde sorts before the end, letters before all else.
fn weight(byte: Option<&u8>) -> i32 {
    match byte {
        Some(b'~') => -1,
        None => 0,
        Some(letter) if letter.is_ascii_alphabetic() => i32::from(*letter),
        Some(other) => i32::from(*other) + 256,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_as_the_policy_says() {
        let ascending = [
            "0~~",
            "0~~a",
            "0~",
            "0",
            "0a",
            "0+",
            "1.0~rc1-1",
            "1.0-1",
            "1.0-1+b1",
            "1.0-1.1",
            "1.0-10",
            "1.0.1-1",
            "1.1",
            "1.10",
            "2:0.1",
            "10:0",
        ];
        for (at, one) in ascending.iter().enumerate() {
            for (other_at, other) in ascending.iter().enumerate() {
                let order = Version::new(one).order(&Version::new(other));
                assert_eq!(order, at.cmp(&other_at), "{one} {other}");
            }
        }
        assert_eq!(Version::new("1.0").order(&Version::new("1.00")), Ordering::Equal);
        assert_eq!(Version::new("1.0").order(&Version::new("0:1.0-0")), Ordering::Equal);
    }
}
