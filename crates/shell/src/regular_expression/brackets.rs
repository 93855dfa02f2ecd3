//! Bracket expressions (POSIX XBD 9.3.5): `[a-z]`, `[^[:space:]]`, `[[.-.]]`.

use regex_syntax::hir::{Class, ClassBytes, ClassBytesRange, ClassUnicode, ClassUnicodeRange};

use super::{BeyondAscii, Case, Dialect, Encoding, Options, RegexError};

const UNMATCHED: RegexError = RegexError::Invalid("Unmatched [, [^, [:, [., or [=");

/// A set of characters.
#[derive(Debug, Clone)]
pub(super) struct Set {
    ranges: Vec<(u32, u32)>,
    /// Whether members beyond ASCII depend on the C library's tables.
    pub(super) beyond_ascii: BeyondAscii,
}

/// One end of a range, or what stands alone.
enum Element {
    Character(u32),
    Class(Set),
}

impl Set {
    pub(super) fn of(ranges: &[(u32, u32)]) -> Self {
        Set { ranges: ranges.to_vec(), beyond_ascii: BeyondAscii::Understood }
    }

    pub(super) fn push(&mut self, code: u32) {
        self.ranges.push((code, code));
    }

    fn add(&mut self, other: Set) {
        self.ranges.extend(other.ranges);
        if other.beyond_ascii == BeyondAscii::NotUnderstood {
            self.beyond_ascii = BeyondAscii::NotUnderstood;
        }
    }

    /// As a class, or without the members.
    pub(super) fn class(&self, is_negated: bool, options: Options) -> Class {
        match options.encoding {
            Encoding::Bytes => {
                let byte = |code: u32| u8::try_from(code).unwrap_or(u8::MAX);
                let own = self.ranges.iter().filter(|(from, _)| *from <= 0xff);
                let ranges = own.map(|(from, to)| ClassBytesRange::new(byte(*from), byte(*to)));
                let mut class = ClassBytes::new(ranges);
                if options.case == Case::Folded {
                    class.case_fold_simple();
                }
                if is_negated {
                    class.negate();
                }
                Class::Bytes(class)
            }
            Encoding::Utf8 => {
                let mut ranges: Vec<(u32, u32)> = self.ranges.clone();
                if options.case == Case::Folded {
                    ranges.extend(self.ranges.iter().flat_map(|range| folded(*range)));
                }
                let ranges = ranges.iter().filter_map(|(from, to)| scalars(*from, *to));
                let mut class = ClassUnicode::new(ranges);
                if is_negated {
                    class.negate();
                }
                Class::Unicode(class)
            }
        }
    }
}

/// The letters of ASCII in a range, in the other case.
fn folded((from, to): (u32, u32)) -> Vec<(u32, u32)> {
    let part = |low: u8, high: u8, shift: i64| {
        let (low, high) = (from.max(u32::from(low)), to.min(u32::from(high)));
        let shifted = |code: u32| u32::try_from(i64::from(code) + shift).unwrap_or(code);
        (low <= high).then(|| (shifted(low), shifted(high)))
    };
    [part(b'a', b'z', -32), part(b'A', b'Z', 32)].into_iter().flatten().collect()
}

/// A range of code points; surrogates are no characters.
fn scalars(from: u32, to: u32) -> Option<ClassUnicodeRange> {
    let from = char::from_u32(from).or_else(|| char::from_u32(0xe000))?;
    let to = char::from_u32(to).or_else(|| char::from_u32(0xd7ff))?;
    (from <= to).then(|| ClassUnicodeRange::new(from, to))
}

/// The named class (XBD 7.3.1), as the POSIX locale has it; blanks and spaces also beyond ASCII, as
/// the GNU C library has them in `C.UTF-8`.
pub(super) fn named(name: &[u8], options: Options) -> Result<Set, RegexError> {
    const SPACES: &[(u32, u32)] = &[
        (9, 13),
        (32, 32),
        (0x1680, 0x1680),
        (0x2000, 0x2006),
        (0x2008, 0x200a),
        (0x2028, 0x2029),
        (0x205f, 0x205f),
        (0x3000, 0x3000),
    ];
    let is_folded = options.case == Case::Folded;
    let ascii: &[(u8, u8)] = match name {
        b"alpha" => &[(b'A', b'Z'), (b'a', b'z')],
        b"upper" | b"lower" if is_folded => &[(b'A', b'Z'), (b'a', b'z')],
        b"upper" => &[(b'A', b'Z')],
        b"lower" => &[(b'a', b'z')],
        b"digit" => return Ok(Set::of(&[(0x30, 0x39)])),
        b"xdigit" => return Ok(Set::of(&[(0x30, 0x39), (0x41, 0x46), (0x61, 0x66)])),
        b"alnum" => &[(b'0', b'9'), (b'A', b'Z'), (b'a', b'z')],
        b"punct" => &[(b'!', b'/'), (b':', b'@'), (b'[', b'`'), (b'{', b'~')],
        b"blank" => &[(b'\t', b'\t'), (b' ', b' ')],
        b"space" if options.encoding == Encoding::Bytes => &[(9, 13), (32, 32)],
        b"space" => return Ok(Set::of(SPACES)),
        b"cntrl" => &[(0, 31), (127, 127)],
        b"graph" => &[(b'!', b'~')],
        b"print" => &[(b' ', b'~')],
        _ => return Err(RegexError::Invalid("Invalid character class name")),
    };
    let ranges = ascii.iter().map(|(from, to)| (u32::from(*from), u32::from(*to))).collect();
    Ok(Set { ranges, beyond_ascii: BeyondAscii::NotUnderstood })
}

/// Reads what follows a `[`: the set, whether it is negated, and what is left.
pub(super) fn read(
    text: &[u8],
    dialect: Dialect,
    options: Options,
) -> Result<(Set, bool, &[u8]), RegexError> {
    let (is_negated, mut rest) = match text.strip_prefix(b"^") {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let is_bare_class = !is_negated && rest.first() == Some(&b':');
    let whole = rest;
    let mut set = Set::of(&[]);
    let mut is_first = true;
    let mut is_wide = false;
    loop {
        match rest.first() {
            None => return Err(UNMATCHED),
            Some(b']') if !is_first => {
                rest = &rest[1..];
                break;
            }
            Some(_) => {}
        }
        is_first = false;
        let (low, behind) = element(rest, dialect, options)?;
        rest = behind;
        let Element::Character(low) = low else {
            let Element::Class(class) = low else { continue };
            set.add(class);
            if rest.starts_with(b"-") && !rest.starts_with(b"-]") {
                return Err(RegexError::NotUnderstood("a range that begins with a class"));
            }
            continue;
        };
        if !rest.starts_with(b"-") || rest.starts_with(b"-]") {
            set.ranges.push((low, low));
            is_wide |= low > 127;
            continue;
        }
        let (high, behind) = element(&rest[1..], dialect, options)?;
        rest = behind;
        let Element::Character(high) = high else {
            return Err(RegexError::NotUnderstood("a range that ends with a class"));
        };
        if high < low {
            return Err(RegexError::Invalid("Invalid range end"));
        }
        set.ranges.push((low, high));
        is_wide |= high > 127;
    }
    let inner = &whole[..whole.len() - rest.len() - 1];
    if is_bare_class && inner.len() > 2 && inner.ends_with(b":") {
        return Err(RegexError::NotUnderstood("`[:` outside of brackets"));
    }
    if options.encoding == Encoding::Utf8 && options.case == Case::Folded && is_wide {
        return Err(RegexError::NotUnderstood("letters beyond ASCII without regard to case"));
    }
    Ok((set, is_negated, rest))
}

fn element(
    text: &[u8],
    dialect: Dialect,
    options: Options,
) -> Result<(Element, &[u8]), RegexError> {
    for kind in [b':', b'.', b'='] {
        let Some(rest) = text.strip_prefix(&[b'[', kind]) else { continue };
        if dialect == Dialect::Emacs {
            return Err(RegexError::NotUnderstood("`[:` in this notation"));
        }
        let end = rest.windows(2).position(|pair| pair == [kind, b']']).ok_or(UNMATCHED)?;
        let (name, rest) = (&rest[..end], &rest[end + 2..]);
        if kind == b':' {
            return Ok((Element::Class(named(name, options)?), rest));
        }
        if dialect == Dialect::Awk {
            return Err(RegexError::NotUnderstood("a collating symbol"));
        }
        return match character(name, options)? {
            (code, b"") => Ok((Element::Character(code), rest)),
            _ => Err(RegexError::Invalid("Invalid collation character")),
        };
    }
    if dialect == Dialect::Awk && text.first() == Some(&b'\\') && text.len() > 1 {
        let (byte, rest) = super::parser::awk_escape(&text[1..])?;
        return Ok((Element::Character(u32::from(byte)), rest));
    }
    let (code, rest) = character(text, options)?;
    Ok((Element::Character(code), rest))
}

/// The first character, and what is behind it.
pub(super) fn character(text: &[u8], options: Options) -> Result<(u32, &[u8]), RegexError> {
    let Some((first, rest)) = text.split_first() else { return Err(UNMATCHED) };
    if options.encoding == Encoding::Bytes || first.is_ascii() {
        return Ok((u32::from(*first), rest));
    }
    match bstr::decode_utf8(text) {
        (Some(character), length) => Ok((u32::from(character), &text[length..])),
        (None, _) => Err(RegexError::NotUnderstood("bytes that are not UTF-8")),
    }
}
