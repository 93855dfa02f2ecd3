//! Backslash escapes of `echo` and `printf`, which each shell reads a little differently.

use super::locale::{Charset, charset};
use crate::evaluate::dialect::Dialect;
use crate::process::Process;
use crate::stop::{Reason, Stop};

/// Where a backslash stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// In an operand of `echo`.
    Echo,
    /// In the format of `printf`.
    Format,
    /// In an argument of `%b`.
    Argument,
}

/// What comes after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// More output.
    Goes,
    /// None at all: there was a `\c`.
    Ends,
}

/// Writes a text with its escapes replaced.
pub(super) fn expand(
    process: &Process<'_, '_>,
    dialect: Option<Dialect>,
    place: Place,
    text: &[u8],
    output: &mut Vec<u8>,
) -> Result<Next, Stop> {
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        if *byte != b'\\' {
            output.push(*byte);
            at += 1;
            continue;
        }
        match escape(process, dialect, place, &text[at + 1..], output)? {
            Some(length) => at += 1 + length,
            None => return Ok(Next::Ends),
        }
    }
    Ok(Next::Goes)
}

/// Writes what a backslash and `rest` behind it mean, and tells how much of the rest that was;
/// `None` for the end of all output.
pub(super) fn escape(
    process: &Process<'_, '_>,
    dialect: Option<Dialect>,
    place: Place,
    rest: &[u8],
    output: &mut Vec<u8>,
) -> Result<Option<usize>, Stop> {
    let Some(letter) = rest.first() else {
        output.push(b'\\');
        return Ok(Some(0));
    };
    if let Some(byte) = simple(dialect, place, *letter) {
        output.push(byte);
        return Ok(Some(1));
    }
    match letter {
        b'c' if place != Place::Format || !is_shell(dialect) => Ok(None),
        b'0'..=b'7' if has_octal(dialect, place, *letter) => {
            let most = if *letter == b'0' && place != Place::Format { 4 } else { 3 };
            let mut digits = leading(rest, most, |byte| (b'0'..=b'7').contains(&byte));
            // BusyBox takes no digit that makes it too large for a byte.
            while dialect == Some(Dialect::Ash) && number(digits, 8) > 255 {
                digits = &digits[..digits.len() - 1];
            }
            output.push(number(digits, 8) as u8);
            Ok(Some(digits.len()))
        }
        b'x' if dialect != Some(Dialect::Dash) => {
            let digits = leading(&rest[1..], 2, |byte| byte.is_ascii_hexdigit());
            if digits.is_empty() {
                refuse_lonely(process, place)?;
                output.extend(b"\\x");
                return Ok(Some(1));
            }
            output.push(number(digits, 16) as u8);
            Ok(Some(1 + digits.len()))
        }
        b'u' | b'U' if has_unicode(dialect, place) => unicode(process, place, rest, output),
        other => {
            output.extend([b'\\', *other]);
            Ok(Some(1))
        }
    }
}

/// Escapes of one letter.
fn simple(dialect: Option<Dialect>, place: Place, letter: u8) -> Option<u8> {
    Some(match letter {
        b'\\' => b'\\',
        b'a' => 7,
        b'b' => 8,
        b'e' => 27,
        b'E' if dialect == Some(Dialect::Bash) => 27,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 11,
        b'"' if quotes(dialect, place) => b'"',
        b'\'' | b'?' if place == Place::Format && dialect == Some(Dialect::Bash) => letter,
        _ => return None,
    })
}

/// Whether `\"` is a quote.
fn quotes(dialect: Option<Dialect>, place: Place) -> bool {
    match dialect {
        Some(Dialect::Bash) => place == Place::Format,
        None => place != Place::Echo,
        Some(Dialect::Dash | Dialect::Ash) => false,
    }
}

/// Whether it is a builtin of a shell whose `\c` in a format means nothing.
fn is_shell(dialect: Option<Dialect>) -> bool {
    matches!(dialect, Some(Dialect::Dash | Dialect::Bash))
}

/// Bash's `echo` wants a 0 in front of octal digits; all others know both.
fn has_octal(dialect: Option<Dialect>, place: Place, first: u8) -> bool {
    first == b'0' || !(dialect == Some(Dialect::Bash) && place == Place::Echo)
}

fn has_unicode(dialect: Option<Dialect>, place: Place) -> bool {
    match dialect {
        Some(Dialect::Bash) => true,
        None => place != Place::Echo,
        Some(Dialect::Dash | Dialect::Ash) => false,
    }
}

/// `\uHHHH` and `\UHHHHHHHH`, as bytes of the locale's characters.
fn unicode(
    process: &Process<'_, '_>,
    place: Place,
    rest: &[u8],
    output: &mut Vec<u8>,
) -> Result<Option<usize>, Stop> {
    let most = if rest[0] == b'u' { 4 } else { 8 };
    let digits = leading(&rest[1..], most, |byte| byte.is_ascii_hexdigit());
    if digits.is_empty() {
        refuse_lonely(process, place)?;
        output.extend([b'\\', rest[0]]);
        return Ok(Some(1));
    }
    let code = number(digits, 16);
    let character = char::from_u32(code).filter(|character| {
        character.is_ascii() || charset(process, "LC_CTYPE") == Ok(Charset::Utf8)
    });
    let refused = || process.refuse(Reason::Use(format!("has the character U+{code:04X}")));
    let character = character.ok_or_else(refused)?;
    output.extend(character.encode_utf8(&mut [0; 4]).bytes());
    Ok(Some(1 + digits.len()))
}

/// An escape without its digits is an error of `printf`, in words that differ.
fn refuse_lonely(process: &Process<'_, '_>, place: Place) -> Result<(), Stop> {
    match place {
        Place::Echo => Ok(()),
        _ => Err(process.refuse(Reason::Use("has an escape without digits".to_owned()))),
    }
}

/// The longest beginning of at most so many bytes of a kind.
fn leading(text: &[u8], most: usize, is_wanted: impl Fn(u8) -> bool) -> &[u8] {
    let length = text.iter().take(most).take_while(|byte| is_wanted(**byte)).count();
    &text[..length]
}

fn number(digits: &[u8], radix: u32) -> u32 {
    let values = digits.iter().filter_map(|digit| char::from(*digit).to_digit(radix));
    values.fold(0, |sum, digit| sum.wrapping_mul(radix).wrapping_add(digit))
}
