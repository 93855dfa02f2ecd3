//! The order of names in the cache: numbers in them count as such.

use std::cmp::Ordering;

/// How two names compare. The loader searches the cache by the same rule.
pub(super) fn names(one: &[u8], two: &[u8]) -> Ordering {
    let (mut one, mut two) = (one, two);
    loop {
        let order = match (one.first(), two.first()) {
            (None, None) => return Ordering::Equal,
            (Some(left), Some(right)) if left.is_ascii_digit() && right.is_ascii_digit() => {
                let left = number(&mut one);
                left.cmp(&number(&mut two))
            }
            (left, right) => {
                let order = weight(left).cmp(&weight(right));
                (one, two) = (one.get(1..).unwrap_or_default(), two.get(1..).unwrap_or_default());
                order
            }
        };
        if order.is_ne() {
            return order;
        }
    }
}

/// A digit is behind all that is none; the end is before all but bytes that are no ASCII, which the
/// program takes for negative numbers.
fn weight(byte: Option<&u8>) -> (bool, i8) {
    match byte {
        None => (false, 0),
        Some(byte) => (byte.is_ascii_digit(), byte.cast_signed()),
    }
}

/// The number that a name begins with; more than fits wraps, as it does in the program.
fn number(name: &mut &[u8]) -> i32 {
    let mut number = 0_i32;
    while let Some((digit, rest)) = name.split_first().filter(|(byte, _)| byte.is_ascii_digit()) {
        number = number.wrapping_mul(10).wrapping_add(i32::from(digit - b'0'));
        *name = rest;
    }
    number
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_names_count() {
        let ascending = [
            "",
            "ld-linux.so.2",
            "lib.so",
            "liba.so",
            "liba.so.2",
            "liba.so.10",
            "liba2.so.1",
            "liba10.so.1",
        ];
        for (at, one) in ascending.iter().enumerate() {
            for (other_at, other) in ascending.iter().enumerate() {
                assert_eq!(names(one.as_bytes(), other.as_bytes()), at.cmp(&other_at));
            }
        }
        assert_eq!(names(b"a01", b"a1"), Ordering::Equal);
        assert_eq!(names(b"a\xff", b"a"), Ordering::Less);
    }
}
