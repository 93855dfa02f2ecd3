//! Characters that word processors and web pages put in the place of plain ones.

use crate::{Problem, Span};

/// Complains of the first character that has no place in names, versions and markers.
pub(super) fn check_plain(text: &str, part: Span) -> Result<(), Problem> {
    let odd = text[part.clone()].char_indices().find(|(_, character)| {
        !character.is_ascii() || character.is_ascii_control() && *character != '\t'
    });
    let Some((at, character)) = odd else { return Ok(()) };
    let at = part.start + at;
    let code = u32::from(character);
    let problem = Problem::at(
        at..at + character.len_utf8(),
        if is_visible(character) {
            format!("the character `{character}` (U+{code:04X}) has no place here")
        } else {
            format!("the invisible character U+{code:04X} has no place here")
        },
    );
    Err(match plain(character) {
        Some(plain) => problem.with_hint(format!("write {plain}")),
        None => problem,
    })
}

fn is_visible(character: char) -> bool {
    let is_mark = matches!(
        character,
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
    );
    !character.is_control() && !character.is_whitespace() && !is_mark
}

/// What is meant by a character, in words.
fn plain(character: char) -> Option<&'static str> {
    Some(match character {
        '\u{2018}' | '\u{2019}' | '\u{201a}' | '\u{2032}' | '\u{b4}' => "a plain `'`",
        '\u{201c}' | '\u{201d}' | '\u{201e}' | '\u{2033}' | '\u{ab}' | '\u{bb}' => "a plain `\"`",
        '\u{2010}'..='\u{2015}' | '\u{2212}' => "a plain `-`",
        '\u{2265}' => "`>=`",
        '\u{2264}' => "`<=`",
        '\u{2260}' => "`!=`",
        '\u{ff1d}' => "a plain `=`",
        '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{ad}' => "nothing in its place",
        space if space.is_whitespace() => "a plain space",
        _ => return None,
    })
}
