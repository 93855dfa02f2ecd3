//! Text that means itself where words are expanded.

use crate::{Span, Word};

impl Word {
    /// A word that [`expand()`](crate::expand()) turns into exactly this text.
    ///
    /// ```
    /// let word = recipe::Word::literal("it's $5", 0..7);
    /// assert_eq!(recipe::expand(&word.text, '\\', &|_| None).unwrap().text, "it's $5");
    /// ```
    pub fn literal(text: &str, span: Span) -> Self {
        Word { text: quoted(text), span }
    }
}

/// A text in single quotes if anything in it could mean something, with `\` as the escape
/// character.
pub(crate) fn quoted(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-:@,+=~%".contains(&byte);
    if text.bytes().all(is_plain) {
        return text.to_owned();
    }
    // There is no escaping in single quotes: they are closed, and opened again.
    format!("'{}'", text.replace('\'', "'\\''"))
}
