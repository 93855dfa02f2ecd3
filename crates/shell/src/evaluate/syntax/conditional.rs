//! What stands between `[[` and `]]` (the GNU manual, "Conditional Constructs").

use bstr::{BString, ByteSlice};

use super::scan::{Parsed, Parser, Token};
use super::tree::{Condition, Word};
use super::words::Until;

/// Operators with a word on each side.
const BINARY: [&str; 13] =
    ["=", "==", "!=", "-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-ef", "-nt", "-ot", "=~"];

impl Parser<'_> {
    /// A condition up to and with `]]`.
    pub(super) fn condition(&mut self) -> Parsed<Condition> {
        // Patterns are extended ones here, whatever `shopt` says.
        let outer = std::mem::replace(&mut self.has_extended_patterns, true);
        let may_assign = std::mem::replace(&mut self.may_assign, false);
        let condition = self.alternatives()?;
        self.has_extended_patterns = outer;
        self.may_assign = may_assign;
        self.skip_newlines()?;
        self.expect_reserved("]]")?;
        Ok(condition)
    }

    fn alternatives(&mut self) -> Parsed<Condition> {
        let mut left = self.conjunction()?;
        loop {
            self.skip_newlines()?;
            if !self.takes_operator("||")? {
                return Ok(left);
            }
            let right = self.conjunction()?;
            left = Condition::Or(Box::new(left), Box::new(right));
        }
    }

    fn conjunction(&mut self) -> Parsed<Condition> {
        let mut left = self.negation()?;
        loop {
            self.skip_newlines()?;
            if !self.takes_operator("&&")? {
                return Ok(left);
            }
            let right = self.negation()?;
            left = Condition::And(Box::new(left), Box::new(right));
        }
    }

    fn negation(&mut self) -> Parsed<Condition> {
        self.enter()?;
        self.skip_newlines()?;
        let condition = if self.takes_reserved("!")? {
            Condition::Not(Box::new(self.negation()?))
        } else if self.takes_operator("(")? {
            let inner = self.alternatives()?;
            self.expect_operator(")")?;
            Condition::Grouped(Box::new(inner))
        } else {
            self.primary()?
        };
        self.leave();
        Ok(condition)
    }

    fn primary(&mut self) -> Parsed<Condition> {
        let left = self.operand()?;
        if let Some(operator) = left.literal().filter(|text| is_unary(text)).map(BString::from)
            && let Token::Word(next) = self.peek()?
            && next.literal() != Some(b"]]")
            && !next.literal().is_some_and(is_binary)
        {
            let operand = self.operand()?;
            return Ok(Condition::Unary(operator, operand));
        }
        let operator = match self.peek()? {
            Token::Word(word) => word.literal().filter(|text| is_binary(text)).map(BString::from),
            Token::Operator(operator @ ("<" | ">")) => Some(BString::from(*operator)),
            _ => None,
        };
        let Some(operator) = operator else { return Ok(Condition::NotEmpty(left)) };
        self.next()?;
        let right = match operator == "=~" {
            true => {
                self.skip_blanks();
                self.word_until(Until::Regex)?
            }
            false => self.operand()?,
        };
        Ok(Condition::Binary(left, operator, right))
    }

    fn operand(&mut self) -> Parsed<Word> {
        match self.peek()? {
            Token::Word(word) if word.literal() != Some(b"]]") => {}
            _ => return self.unexpected(),
        }
        match self.next()? {
            Token::Word(word) => Ok(word),
            _ => self.unexpected(),
        }
    }
}

fn is_unary(text: &[u8]) -> bool {
    matches!(text, [b'-', letter] if b"abcdefghknoprstuvwxzGLNORS".contains(letter))
}

fn is_binary(text: &[u8]) -> bool {
    BINARY.iter().any(|known| known.as_bytes() == text.as_bytes())
}
