//! The sets of `tr`: `a-z`, `[:alpha:]`, `\n`, `[x*3]`.

/// A set, in order.
#[derive(Debug, Clone)]
pub(super) struct Set {
    pub(super) elements: Vec<Element>,
}

/// A part of a set.
#[derive(Debug, Clone)]
pub(super) enum Element {
    /// These bytes.
    Bytes(Vec<u8>),
    /// `[:name:]`.
    Class(Class),
    /// `[x*n]`; as often as is needed without a number.
    Repeat(u8, Option<usize>),
}

/// Classes of characters, as ASCII has them.
#[derive(Debug, Clone, Copy)]
pub(super) enum Class {
    Lower,
    Upper,
    /// Any other, which can only be the first set.
    Other(fn(u8) -> bool),
}

impl Set {
    /// Reads a set; `None` for what is wrong, or has several meanings.
    pub(super) fn read(text: &[u8]) -> Option<Self> {
        let mut elements = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            if let Some((element, behind)) = bracket(rest)? {
                elements.push(element);
                rest = behind;
                continue;
            }
            let (first, behind) = character(rest)?;
            match behind {
                [b'-', end @ ..] if !end.is_empty() => {
                    let (last, behind) = character(end)?;
                    if first > last {
                        return None;
                    }
                    elements.push(Element::Bytes((first..=last).collect()));
                    rest = behind;
                }
                _ => {
                    elements.push(Element::Bytes(vec![first]));
                    rest = behind;
                }
            }
        }
        Some(Set { elements })
    }

    /// Whether a character is repeated as often as is needed.
    pub(super) fn has_open_repeat(&self) -> bool {
        self.elements.iter().any(|part| matches!(part, Element::Repeat(_, None)))
    }

    /// With its repeat of no number filled up to so many bytes; `None` if there are several.
    pub(super) fn with_repeats(self, length: usize) -> Option<Self> {
        let open = |part: &&Element| matches!(part, Element::Repeat(_, None));
        if self.elements.iter().filter(open).count() > 1 {
            return None;
        }
        let others = self.bytes().len();
        let filled = self.elements.into_iter().map(|part| match part {
            Element::Repeat(byte, None) => {
                Element::Bytes(vec![byte; length.saturating_sub(others)])
            }
            part => part,
        });
        Some(Set { elements: filled.collect() })
    }

    /// All bytes, in order.
    pub(super) fn bytes(&self) -> Vec<u8> {
        self.elements.iter().flat_map(Element::bytes).collect()
    }

    /// All other bytes, in order.
    pub(super) fn complement(&self) -> Vec<u8> {
        let own = self.bytes();
        (0..=255).filter(|byte| !own.contains(byte)).collect()
    }

    /// Pairs of bytes where the other set has classes: `[:lower:]` against `[:upper:]`.
    pub(super) fn cases(&self, other: &Set) -> Option<Vec<(u8, u8)>> {
        let mut pairs = Vec::new();
        if self.elements.len() != other.elements.len() {
            return None;
        }
        for (from, to) in self.elements.iter().zip(&other.elements) {
            match (from, to) {
                (Element::Class(Class::Lower), Element::Class(Class::Lower))
                | (Element::Class(Class::Upper), Element::Class(Class::Upper)) => {}
                (Element::Class(Class::Lower), Element::Class(Class::Upper)) => {
                    pairs.extend((b'a'..=b'z').map(|byte| (byte, byte.to_ascii_uppercase())));
                }
                (Element::Class(Class::Upper), Element::Class(Class::Lower)) => {
                    pairs.extend((b'A'..=b'Z').map(|byte| (byte, byte.to_ascii_lowercase())));
                }
                (Element::Bytes(from), Element::Bytes(to)) if from.len() == to.len() => {
                    pairs.extend(from.iter().copied().zip(to.iter().copied()));
                }
                _ => return None,
            }
        }
        Some(pairs)
    }
}

impl Element {
    fn bytes(&self) -> Vec<u8> {
        match self {
            Element::Bytes(bytes) => bytes.clone(),
            Element::Repeat(byte, count) => vec![*byte; count.unwrap_or(0)],
            Element::Class(class) => (0..=255).filter(|byte| class.contains(*byte)).collect(),
        }
    }
}

impl Class {
    fn contains(self, byte: u8) -> bool {
        match self {
            Class::Lower => byte.is_ascii_lowercase(),
            Class::Upper => byte.is_ascii_uppercase(),
            Class::Other(contains) => contains(byte),
        }
    }

    fn named(name: &[u8]) -> Option<Self> {
        Some(match name {
            b"lower" => Class::Lower,
            b"upper" => Class::Upper,
            b"alnum" => Class::Other(|byte| byte.is_ascii_alphanumeric()),
            b"alpha" => Class::Other(|byte| byte.is_ascii_alphabetic()),
            b"blank" => Class::Other(|byte| matches!(byte, b' ' | b'\t')),
            b"cntrl" => Class::Other(|byte| byte.is_ascii_control()),
            b"digit" => Class::Other(|byte| byte.is_ascii_digit()),
            b"graph" => Class::Other(|byte| byte.is_ascii_graphic()),
            b"print" => Class::Other(|byte| (b' '..=b'~').contains(&byte)),
            b"punct" => Class::Other(|byte| byte.is_ascii_punctuation()),
            b"space" => Class::Other(|byte| matches!(byte, 9..=13 | b' ')),
            b"xdigit" => Class::Other(|byte| byte.is_ascii_hexdigit()),
            _ => return None,
        })
    }
}

/// A part in brackets, if one begins here; the outer `None` for one that is wrong.
fn bracket(text: &[u8]) -> Option<Option<(Element, &[u8])>> {
    let Some(rest) = text.strip_prefix(b"[") else { return Some(None) };
    if let Some(rest) = rest.strip_prefix(b":")
        && let Some(end) = rest.windows(2).position(|pair| pair == b":]")
    {
        return Some(Some((Element::Class(Class::named(&rest[..end])?), &rest[end + 2..])));
    }
    // An equivalence class may stand in some places only.
    if matches!(rest, [b'=', _, b'=', b']', ..]) {
        return None;
    }
    if rest.is_empty() {
        return Some(None);
    }
    let (byte, behind) = character(rest)?;
    let Some(count) = behind.strip_prefix(b"*") else { return Some(None) };
    let Some(end) = count.iter().position(|byte| *byte == b']') else { return Some(None) };
    let (digits, behind) = (&count[..end], &count[end + 1..]);
    if !digits.iter().all(u8::is_ascii_digit) || digits.len() > 6 {
        return if digits.iter().all(|byte| *byte != b'*') { Some(None) } else { None };
    }
    let radix = if digits.starts_with(b"0") { 8 } else { 10 };
    let digits = str::from_utf8(digits).ok()?;
    let number = if digits.is_empty() { 0 } else { usize::from_str_radix(digits, radix).ok()? };
    let number = (number > 0).then_some(number);
    Some(Some((Element::Repeat(byte, number), behind)))
}

/// One character, and what is behind it.
fn character(text: &[u8]) -> Option<(u8, &[u8])> {
    let (first, rest) = text.split_first()?;
    if *first != b'\\' {
        return Some((*first, rest));
    }
    // A backslash at the end is warned about.
    let (letter, behind) = rest.split_first()?;
    let byte = match letter {
        b'\\' => b'\\',
        b'a' => 7,
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 11,
        b'0'..=b'7' => {
            let is_octal = |byte: &&u8| (b'0'..=b'7').contains(*byte);
            let length = rest.iter().take(3).take_while(is_octal).count();
            let value =
                rest[..length].iter().fold(0_u32, |sum, digit| sum * 8 + u32::from(*digit - b'0'));
            return Some((u8::try_from(value).ok()?, &rest[length..]));
        }
        other => *other,
    };
    Some((byte, behind))
}
