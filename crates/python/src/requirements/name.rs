//! Names of distributions and extras.

use crate::{Problem, Span};

/// The name as indexes compare it (PEP 503): small letters, and one `-` for each run of `-`, `_`
/// and `.`.
///
/// ```
/// assert_eq!(python::normalized_name("Zope._Interface"), "zope-interface");
/// ```
pub fn normalized_name(name: &str) -> String {
    let mut normalized = String::with_capacity(name.len());
    for character in name.chars() {
        if !matches!(character, '-' | '_' | '.') {
            normalized.push(character.to_ascii_lowercase());
        } else if !normalized.ends_with('-') {
            normalized.push('-');
        }
    }
    normalized
}

/// How long the name is that the text begins with.
pub(super) fn name_length(text: &str) -> usize {
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-".contains(byte);
    text.bytes().take_while(is_name).count()
}

/// Complains of what is no name by PEP 508: letters, digits, `.`, `_` and `-`, with a letter or
/// digit at both ends.
pub(crate) fn check_name(text: &str, part: Span) -> Result<(), Problem> {
    let name = &text[part.clone()];
    if name.is_empty() {
        let Some(found) = text[part.start..].chars().next() else {
            return Err(Problem::at(part, "there is no name"));
        };
        let span = part.start..part.start + found.len_utf8();
        return Err(Problem::at(span, format!("a name is expected here, and there is `{found}`")));
    }
    let length = name_length(name);
    if let Some(odd) = name[length..].chars().next() {
        let at = part.start + length;
        let message = format!("`{odd}` has no place in a name");
        return Err(Problem::at(at..at + odd.len_utf8(), message));
    }
    let is_end = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    if !is_end(name.bytes().next()) || !is_end(name.bytes().next_back()) {
        let message = format!("`{name}` is no name: it begins and ends with a letter or a digit");
        return Err(Problem::at(part, message));
    }
    Ok(())
}
