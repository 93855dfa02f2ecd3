//! `base64`: bytes in letters (RFC 4648, section 4).

use bstr::ByteSlice;

use super::busybox::{self, options};
use super::input::{or_input, read};
use crate::options::{Known, Order, flag, value};
use crate::process::{Process, Run};
use crate::programs::quoting::{bare, quoted};

const KNOWN: &[Known] = &[
    flag("-d", 'd', &["decode"]),
    flag("-i", 'i', &["ignore-garbage"]),
    value("-w", 'w', &["wrap"]),
];
const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Encodes or decodes.
pub(super) fn base64(process: &mut Process<'_, '_>) -> Run {
    let options = options(process, KNOWN, Order::Anywhere)?;
    let wrap = options.value("-w").map_or(Some(76), |text| text.to_str().ok()?.parse().ok());
    let Some(wrap) = wrap else {
        let text = options.value("-w").map(|text| quoted(text)).unwrap_or_default();
        process.complain(format!("invalid wrap size: {text}"))?;
        return Ok(1);
    };
    let names = or_input(&options.operands);
    if let [_, extra, ..] = &names[..] {
        process.complain(format!("extra operand {}", quoted(extra)))?;
        process.write_to(2, b"Try 'base64 --help' for more information.\n")?;
        return Ok(1);
    }
    let text = match read(process, &names[0])? {
        Ok(text) => text,
        Err(crate::files::Errno::IsADirectory) => {
            process.complain("read error: Is a directory")?;
            return Ok(1);
        }
        Err(errno) => {
            process.complain(format!("{}: {errno}", bare(&names[0])))?;
            return Ok(1);
        }
    };
    if !options.has("-d") {
        process.write(encode(&text, wrap))?;
        return Ok(0);
    }
    let ignores = options.has("-i");
    let kept = |byte: &u8| match ignores {
        true => LETTERS.contains(byte) || *byte == b'=',
        false => *byte != b'\n',
    };
    let letters: Vec<u8> = text.iter().copied().filter(kept).collect();
    let (bytes, is_whole) = decode(&letters);
    if !is_whole {
        busybox::refuse(process)?;
    }
    process.write(bytes)?;
    if !is_whole {
        process.complain("invalid input")?;
        return Ok(1);
    }
    Ok(0)
}

/// Letters, with an end of line behind so many of them; 0 for none at all.
fn encode(bytes: &[u8], wrap: usize) -> Vec<u8> {
    let mut letters = Vec::with_capacity(bytes.len() / 3 * 4 + 4);
    for group in bytes.chunks(3) {
        let byte = |at: usize| u32::from(group.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for at in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * at) & 63) as usize];
            letters.push(if at > group.len() { b'=' } else { letter });
        }
    }
    if wrap == 0 {
        return letters;
    }
    letters.chunks(wrap).flat_map(|line| line.iter().copied().chain([b'\n'])).collect()
}

/// Bytes, up to where the letters are wrong, and whether they are not. Whole encodings may follow
/// each other.
fn decode(letters: &[u8]) -> (Vec<u8>, bool) {
    let mut bytes = Vec::with_capacity(letters.len() / 4 * 3);
    for group in letters.chunks(4) {
        let values = group.iter().map_while(|letter| {
            LETTERS.iter().position(|known| known == letter).map(|value| value as u32)
        });
        let values: Vec<u32> = values.collect();
        let shifted = values.iter().enumerate().map(|(at, value)| value << (18 - 6 * at));
        let bits = shifted.fold(0, |bits, value| bits | value);
        bytes.extend((0..values.len() * 6 / 8).map(|at| (bits >> (16 - 8 * at)) as u8));
        let padding = &group[values.len()..];
        let is_whole =
            group.len() == 4 && values.len() >= 2 && padding.iter().all(|letter| *letter == b'=');
        if !is_whole {
            return (bytes, false);
        }
    }
    (bytes, true)
}

#[cfg(test)]
mod tests {
    use crate::fixture::Image;
    use crate::programs::text::trial::check;

    #[test]
    fn letters_are_as_gnu_has_them() {
        check(
            &Image::new(),
            None,
            &[
                (&["base64"], "hello\n", "aGVsbG8K\n"),
                (&["base64", "-w0"], "hello\n", "aGVsbG8K"),
                (&["base64", "-w", "4"], "hello\n", "aGVs\nbG8K\n"),
                (&["base64", "-d"], "aGVsbG8K\n", "hello\n"),
                (&["base64", "-d"], "aGVsbG8=", "hello"),
                (&["base64", "-d"], "aGVs bG8K", "hel!base64: invalid input\n=1"),
                (&["base64", "-di"], "aGVs bG8K", "hello\n"),
                (&["base64", "-d"], "aGV", "he!base64: invalid input\n=1"),
                (&["base64", "no"], "", "!base64: no: No such file or directory\n=1"),
                (
                    &["base64", "a", "b"],
                    "",
                    "!base64: extra operand 'b'\nTry 'base64 --help' for more information.\n=1",
                ),
                (&["base64", "-w", "x"], "", "!base64: invalid wrap size: 'x'\n=1"),
                (&["base64"], "", ""),
            ],
        );
    }
}
