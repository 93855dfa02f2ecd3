//! Escapes of `$'…'` (the GNU manual, "ANSI-C Quoting").

use bstr::BString;

/// The text that is meant; `None` for an escape that is not understood.
pub(in crate::evaluate) fn ansi(written: &[u8]) -> Option<BString> {
    let mut text = Vec::new();
    let mut at = 0;
    while let Some(byte) = written.get(at).copied() {
        at += 1;
        if byte != b'\\' {
            text.push(byte);
            continue;
        }
        let escape = written.get(at).copied()?;
        at += 1;
        match escape {
            b'x' => at = hexadecimal(written, at, 2, |value| push_byte(&mut text, value))?,
            b'u' => at = hexadecimal(written, at, 4, |value| push_character(&mut text, value))?,
            b'U' => at = hexadecimal(written, at, 8, |value| push_character(&mut text, value))?,
            b'0'..=b'7' => {
                let digits = written[at - 1..].iter().take(3);
                let digits: Vec<u8> =
                    digits.take_while(|byte| (b'0'..=b'7').contains(byte)).copied().collect();
                let value =
                    digits.iter().fold(0u32, |all, digit| all * 8 + u32::from(digit - b'0'));
                at += digits.len() - 1;
                push_byte(&mut text, value & 0xff)?;
            }
            _ => match simple(escape) {
                Some(byte) => text.push(byte),
                None if escape == b'c' => return None,
                None => text.extend([b'\\', escape]),
            },
        }
    }
    Some(text.into())
}

fn simple(escape: u8) -> Option<u8> {
    Some(match escape {
        b'a' => 0x07,
        b'b' => 0x08,
        b'e' | b'E' => 0x1b,
        b'f' => 0x0c,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 0x0b,
        b'\\' | b'\'' | b'"' | b'?' => escape,
        _ => return None,
    })
}

/// Reads up to `most` digits, and gives where they end.
fn hexadecimal(
    written: &[u8],
    at: usize,
    most: usize,
    mut push: impl FnMut(u32) -> Option<()>,
) -> Option<usize> {
    let digits = written.get(at..)?.iter().take(most);
    let digits: Vec<u32> = digits.map_while(|byte| char::from(*byte).to_digit(16)).collect();
    if digits.is_empty() {
        return None;
    }
    push(digits.iter().fold(0u32, |all, digit| all.wrapping_mul(16).wrapping_add(*digit)))?;
    Some(at + digits.len())
}

/// A NUL would end the text; bash's ways with it are not followed.
fn push_byte(text: &mut Vec<u8>, value: u32) -> Option<()> {
    let byte = u8::try_from(value).ok().filter(|byte| *byte != 0)?;
    text.push(byte);
    Some(())
}

/// Characters beyond ASCII depend on the locale.
fn push_character(text: &mut Vec<u8>, value: u32) -> Option<()> {
    push_byte(text, value).filter(|()| value < 0x80)
}
