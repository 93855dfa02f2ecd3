//! The command `s`.

use super::script::{All, Substitution};
use crate::regular_expression::{Captures, Encoding, Regex, RegexError};

/// The text with what is replaced, if anything is.
pub(super) fn substituted(
    text: &[u8],
    regex: &Regex,
    substitution: &Substitution,
    encoding: Encoding,
) -> Result<Option<Vec<u8>>, RegexError> {
    let Substitution { replacement, from, all, .. } = substitution;
    let mut result = Vec::new();
    let (mut at, mut matches, mut is_replaced) = (0, 0u64, false);
    // An empty match right behind another one is none.
    let mut last_end = None;
    while at <= text.len() {
        let captures = match replacement.highest_group() {
            0 => regex.span_at(text, at)?.map(Captures::of_span),
            _ => regex.find_at(text, at)?,
        };
        let Some(captures) = captures else { break };
        let span = captures.span();
        result.extend_from_slice(&text[at..span.start]);
        let is_counted = !(span.is_empty() && last_end == Some(span.start));
        if is_counted {
            matches += 1;
        }
        if is_counted && matches >= *from {
            let appended = replacement.append(&mut result, text, &captures, encoding);
            appended.ok_or(RegexError::NotUnderstood("the case of letters beyond ASCII"))?;
            is_replaced = true;
        } else {
            result.extend_from_slice(&text[span.clone()]);
        }
        last_end = Some(span.end);
        at = span.end;
        if is_replaced && *all == All::One {
            break;
        }
        if span.is_empty() {
            let next = regex.behind(text, at).min(text.len());
            if at >= text.len() {
                break;
            }
            result.extend_from_slice(&text[at..next]);
            at = next;
        }
    }
    if !is_replaced {
        return Ok(None);
    }
    result.extend_from_slice(text.get(at..).unwrap_or_default());
    Ok(Some(result))
}

/// `l`: what cannot be seen as escapes, broken into lines before `length` (0: never), `$` at the
/// end.
pub(super) fn shown(text: &[u8], length: usize) -> Vec<Vec<u8>> {
    let mut lines = Vec::new();
    let mut line = Vec::new();
    for byte in text {
        let piece = match byte {
            b'\\' => b"\\\\".to_vec(),
            0x07 => b"\\a".to_vec(),
            0x08 => b"\\b".to_vec(),
            0x0c => b"\\f".to_vec(),
            b'\n' => b"\\n".to_vec(),
            b'\r' => b"\\r".to_vec(),
            b'\t' => b"\\t".to_vec(),
            0x0b => b"\\v".to_vec(),
            b' '..=b'~' => vec![*byte],
            _ => format!("\\{byte:03o}").into_bytes(),
        };
        if length > 1 && line.len() + piece.len() > length - 1 {
            line.push(b'\\');
            lines.push(std::mem::take(&mut line));
        }
        line.extend_from_slice(&piece);
    }
    line.push(b'$');
    lines.push(line);
    lines
}
