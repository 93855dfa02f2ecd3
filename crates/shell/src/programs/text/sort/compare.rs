//! What is compared: bytes, numbers, months, versions.

use std::cmp::Ordering;

/// The letters of a key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Style {
    pub(super) skips_blanks: bool,
    pub(super) reverses: bool,
    is_dictionary: bool,
    ignores_case: bool,
    ignores_unprintable: bool,
    kinds: Vec<Kind>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Numbers,
    /// Those that are as `-n` has them; others are refused.
    GeneralNumbers,
    HumanNumbers,
    Months,
    Versions,
}

/// Blanks, and the newline.
pub(super) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n')
}

impl Style {
    /// Takes a letter; `false` if it is none of a key's.
    pub(super) fn set(&mut self, letter: u8) -> bool {
        let kind = match letter {
            b'b' => return assign(&mut self.skips_blanks),
            b'r' => return assign(&mut self.reverses),
            b'd' => return assign(&mut self.is_dictionary),
            b'f' => return assign(&mut self.ignores_case),
            b'i' => return assign(&mut self.ignores_unprintable),
            b'n' => Kind::Numbers,
            b'g' => Kind::GeneralNumbers,
            b'h' => Kind::HumanNumbers,
            b'M' => Kind::Months,
            b'V' => Kind::Versions,
            _ => return false,
        };
        if !self.kinds.contains(&kind) {
            self.kinds.push(kind);
        }
        true
    }

    /// Whether whole bytes are compared, from the beginning.
    pub(super) fn is_plain(&self) -> bool {
        let Style { skips_blanks, is_dictionary, ignores_case, ignores_unprintable, .. } = self;
        let has_letter = *skips_blanks || *is_dictionary || *ignores_case || *ignores_unprintable;
        !has_letter && self.kinds.is_empty()
    }

    /// Numbers cannot be versions, and neither has a dictionary's order.
    pub(super) fn is_contradiction(&self) -> bool {
        let skips = self.is_dictionary || self.ignores_unprintable;
        let is_number = self.kinds.iter().any(|kind| *kind != Kind::Versions);
        self.kinds.len() > 1 || (is_number && skips)
    }

    /// Compares two keys.
    pub(super) fn compare(&self, left: &[u8], right: &[u8]) -> Ordering {
        let order = match self.kinds.first() {
            Some(Kind::Numbers | Kind::GeneralNumbers) => {
                Number::read(left).compare(&Number::read(right))
            }
            Some(Kind::HumanNumbers) => Number::read(left).compare_human(&Number::read(right)),
            Some(Kind::Months) => month(left).cmp(&month(right)),
            Some(Kind::Versions) => versions(&self.shown(left), &self.shown(right)),
            None if self.is_dictionary || self.ignores_unprintable || self.ignores_case => {
                self.shown(left).cmp(&self.shown(right))
            }
            None => left.cmp(right),
        };
        if self.reverses { order.reverse() } else { order }
    }

    /// What counts of a key.
    fn shown(&self, key: &[u8]) -> Vec<u8> {
        let counts = |byte: &u8| match (self.is_dictionary, self.ignores_unprintable) {
            (true, _) => byte.is_ascii_alphanumeric() || is_blank(*byte),
            (false, true) => (b' '..=b'~').contains(byte),
            (false, false) => true,
        };
        let kept = key.iter().copied().filter(counts);
        match self.ignores_case {
            true => kept.map(|byte| byte.to_ascii_uppercase()).collect(),
            false => kept.collect(),
        }
    }
}

fn assign(flag: &mut bool) -> bool {
    *flag = true;
    true
}

/// A number at the beginning of a key, of any length.
struct Number<'k> {
    is_negative: bool,
    whole: &'k [u8],
    fraction: &'k [u8],
    /// The power of a thousand that a letter behind it names.
    unit: usize,
}

impl<'k> Number<'k> {
    fn read(key: &'k [u8]) -> Self {
        let start = key.iter().position(|byte| !is_blank(*byte)).unwrap_or(key.len());
        let text = &key[start..];
        let (is_negative, text) = match text.strip_prefix(b"-") {
            Some(text) => (true, text),
            None => (false, text),
        };
        let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (whole, rest) = text.split_at(digits(text));
        let (fraction, rest) = match rest.strip_prefix(b".") {
            Some(rest) => rest.split_at(digits(rest)),
            None => (&b""[..], rest),
        };
        let zeros = whole.iter().take_while(|byte| **byte == b'0').count();
        let nonzero = fraction.iter().rposition(|byte| *byte != b'0').map_or(0, |at| at + 1);
        let unit = rest.first().and_then(|letter| match letter {
            b'k' => Some(1),
            letter => b"KMGTPEZY".iter().position(|known| known == letter).map(|at| at + 1),
        });
        let unit = unit.unwrap_or(0);
        Number { is_negative, whole: &whole[zeros..], fraction: &fraction[..nonzero], unit }
    }

    fn is_zero(&self) -> bool {
        self.whole.is_empty() && self.fraction.is_empty()
    }

    fn sign(&self) -> i8 {
        match (self.is_zero(), self.is_negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        }
    }

    fn compare(&self, other: &Self) -> Ordering {
        let by_size = || {
            let whole = self.whole.len().cmp(&other.whole.len());
            let order = whole.then(self.whole.cmp(other.whole));
            let order = order.then(self.fraction.cmp(other.fraction));
            if self.is_negative { order.reverse() } else { order }
        };
        self.sign().cmp(&other.sign()).then_with(by_size)
    }

    /// By the unit first.
    fn compare_human(&self, other: &Self) -> Ordering {
        let by_unit = || {
            let order = self.unit.cmp(&other.unit);
            let order = if self.sign() == 0 { Ordering::Equal } else { order };
            if self.is_negative { order.reverse() } else { order }
        };
        let signs = self.sign().cmp(&other.sign());
        signs.then_with(by_unit).then_with(|| self.compare(other))
    }
}

/// The number of a month, or 0.
fn month(key: &[u8]) -> usize {
    let start = key.iter().position(|byte| !is_blank(*byte)).unwrap_or(key.len());
    let name = key[start..].get(..3).unwrap_or_default().to_ascii_uppercase();
    const MONTHS: [&[u8]; 12] = [
        b"JAN", b"FEB", b"MAR", b"APR", b"MAY", b"JUN", b"JUL", b"AUG", b"SEP", b"OCT", b"NOV",
        b"DEC",
    ];
    MONTHS.iter().position(|month| **month == name).map_or(0, |at| at + 1)
}

/// As coreutils' manual has it ("Version sort ordering"): by Debian's rules, without suffixes such
/// as `.tar.gz` first.
fn versions(left: &[u8], right: &[u8]) -> Ordering {
    let rank = |name: &[u8]| match name {
        b"" => 0,
        b"." => 1,
        b".." => 2,
        [b'.', ..] => 3,
        _ => 4,
    };
    let ranks = rank(left).cmp(&rank(right));
    if ranks.is_ne() || rank(left) < 3 {
        return ranks;
    }
    let (left_stem, right_stem) = (stem(left), stem(right));
    let order = debian(left_stem, right_stem);
    if order.is_ne() || (left_stem == left && right_stem == right) {
        return order;
    }
    debian(left, right)
}

/// A name without what looks like suffixes: `(\.[A-Za-z~][A-Za-z0-9~]*)*$`.
fn stem(name: &[u8]) -> &[u8] {
    let mut end = name.len();
    let mut at = name.len();
    while at > 0 {
        at -= 1;
        let byte = name[at];
        if byte == b'.' {
            let starts = name.get(at + 1).is_some_and(|next| is_letter(*next));
            if !starts || at == 0 {
                break;
            }
            end = at;
        } else if !is_letter(byte) && !byte.is_ascii_digit() {
            break;
        }
    }
    &name[..end]
}

fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'~'
}

/// Debian's `deb-version(7)`: parts that are no digits, and parts that are, in turn.
fn debian(left: &[u8], right: &[u8]) -> Ordering {
    let (mut left, mut right) = (left, right);
    while !left.is_empty() || !right.is_empty() {
        let split = |text: &[u8]| text.iter().take_while(|byte| !byte.is_ascii_digit()).count();
        let (left_text, left_rest) = left.split_at(split(left));
        let (right_text, right_rest) = right.split_at(split(right));
        let weight = |text: &[u8], at: usize| match text.get(at) {
            None => 0,
            Some(b'~') => -1,
            Some(byte) if byte.is_ascii_alphabetic() => i32::from(*byte),
            Some(byte) => i32::from(*byte) + 256,
        };
        for at in 0..left_text.len().max(right_text.len()) {
            let order = weight(left_text, at).cmp(&weight(right_text, at));
            if order.is_ne() {
                return order;
            }
        }
        let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (left_number, left_rest) = left_rest.split_at(digits(left_rest));
        let (right_number, right_rest) = right_rest.split_at(digits(right_rest));
        let order = Number::read(left_number).compare(&Number::read(right_number));
        if order.is_ne() {
            return order;
        }
        (left, right) = (left_rest, right_rest);
    }
    Ordering::Equal
}
