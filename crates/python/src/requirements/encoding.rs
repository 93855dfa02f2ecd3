//! The bytes of a requirements file.

use std::borrow::Cow;

use crate::Problem;

/// A file's text. As in pip, a byte order mark tells UTF-16 from UTF-8: PowerShell's
/// `pip freeze > requirements.txt` writes the former.
///
/// # Errors
///
/// If the bytes are neither.
pub fn decode_requirements(bytes: &[u8]) -> Result<Cow<'_, str>, Problem> {
    let units = |rest: &[u8], unit: fn([u8; 2]) -> u16| {
        let (pairs, odd) = rest.as_chunks::<2>();
        let units = char::decode_utf16(pairs.iter().map(|pair| unit(*pair)));
        let text: Result<String, _> = units.collect();
        match text {
            Ok(text) if odd.is_empty() => Ok(Cow::Owned(text)),
            _ => Err(Problem::at(0..0, "the file begins as UTF-16 and does not go on so")),
        }
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => units(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => units(rest, u16::from_be_bytes),
        _ => std::str::from_utf8(bytes).map(Cow::Borrowed).map_err(|error| {
            let before = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
            let mut problem = Problem::at(0..0, "the file is not UTF-8");
            problem.line = line_of(&before, before.len());
            problem.with_hint("save the file as UTF-8")
        }),
    }
}

/// Complains of a declaration of another encoding in the first two lines (PEP 263), which pip
/// follows.
pub(super) fn check_declared(text: &str) -> Option<Problem> {
    let mut start = 0;
    for line in text.split('\n').take(2) {
        let declared = declared(line.trim_start_matches('\u{feff}'));
        if let Some(name) = declared
            && !is_utf8(name)
        {
            let at = start + line.find(name).unwrap_or_default();
            let mut problem = Problem::at(
                at..at + name.len(),
                format!("the encoding `{name}` is declared, and only UTF-8 is read"),
            );
            problem.line = line_of(text, at);
            return Some(problem.with_hint("save the file as UTF-8"));
        }
        start += line.len() + 1;
    }
    None
}

fn declared(line: &str) -> Option<&str> {
    let comment = line.strip_prefix('#')?;
    comment.match_indices("coding").find_map(|(at, word)| {
        let value = comment[at + word.len()..].strip_prefix([':', '='])?.trim_start();
        let is_name = |character: char| character.is_alphanumeric() || "-_.".contains(character);
        let end = value.find(|character| !is_name(character)).unwrap_or(value.len());
        (end > 0).then(|| &value[..end])
    })
}

fn is_utf8(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace('_', "-");
    matches!(name.as_str(), "utf-8" | "utf8" | "utf-8-sig" | "ascii" | "us-ascii")
}

/// The number of the line that holds the byte at `at`, as editors count.
pub(super) fn line_of(text: &str, at: usize) -> usize {
    let before = text.as_bytes().get(..at).unwrap_or(text.as_bytes());
    before.iter().filter(|byte| **byte == b'\n').count() + 1
}
