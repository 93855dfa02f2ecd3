//! Dash's and BusyBox's way: one grammar for any number of words, in which a word is an operator
//! only where it can be one.

use bstr::BString;

use super::primary::{binary, is_binary, is_unary, unary};
use super::{Answer, MOST_DEPTH, Wrong};
use crate::evaluate::dialect::Dialect;
use crate::process::Process;

/// What an expression says.
pub(super) fn evaluate(
    process: &Process<'_, '_>,
    dialect: Option<Dialect>,
    words: &[BString],
) -> Answer {
    let mut words = words;
    let mut is_negated = false;
    // What three and four words mean (POSIX XCU, `test`).
    let first = loop {
        let is_three = words.len() == 3;
        let is_operator = |index: usize| {
            let word = words.get(index).map(|word| &word[..]);
            word.is_some_and(|word| is_binary(dialect, word))
        };
        if words.is_empty() {
            return Ok(is_negated);
        }
        if is_three && is_operator(1) {
            break Token::Operand;
        }
        if is_three || words.len() == 4 {
            match words {
                [open, inner @ .., close]
                    if open == "(" && close == ")" && dialect == Some(Dialect::Dash) =>
                {
                    words = inner;
                }
                [not, rest @ ..] if not == "!" => {
                    // Dash forgets an earlier one here.
                    is_negated = dialect == Some(Dialect::Dash) || !is_negated;
                    words = rest;
                    continue;
                }
                _ => {}
            }
        }
        break Reader { process, dialect, words, at: 0, depth: 0 }.token(0);
    };
    let mut reader = Reader { process, dialect, words, at: 0, depth: 0 };
    let answer = reader.any(first)?;
    match (words.get(reader.at), words.get(reader.at + 1), dialect) {
        (Some(_), Some(next), Some(Dialect::Ash)) => {
            Err(Wrong::syntax("", next, ": unknown operand"))
        }
        (Some(word), Some(_), _) if word.is_empty() => {
            Err(Wrong::syntax("unexpected operator", b"", ""))
        }
        (Some(word), Some(_), _) => Err(Wrong::syntax("", word, ": unexpected operator")),
        _ => Ok(answer != is_negated),
    }
}

/// What a word is where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    End,
    Operand,
    Unary,
    Binary,
    And,
    Or,
    Not,
    Open,
    Close,
}

struct Reader<'p, 'm, 'o: 'm> {
    process: &'p Process<'m, 'o>,
    dialect: Option<Dialect>,
    words: &'p [BString],
    at: usize,
    depth: usize,
}

impl Reader<'_, '_, '_> {
    fn word(&self, index: usize) -> Option<&[u8]> {
        self.words.get(index).map(|word| &word[..])
    }

    fn token(&self, index: usize) -> Token {
        let Some(word) = self.word(index) else { return Token::End };
        match word {
            b"(" if index + 1 < self.words.len() => Token::Open,
            b")" => Token::Close,
            b"!" => Token::Not,
            b"-a" => Token::And,
            b"-o" => Token::Or,
            word if is_binary(self.dialect, word) => Token::Binary,
            word if is_unary(self.dialect, word) && !self.is_operand(index) => Token::Unary,
            _ => Token::Operand,
        }
    }

    /// Whether what looks like an operator in front of an operand is an operand itself.
    fn is_operand(&self, index: usize) -> bool {
        match (self.word(index + 1), self.word(index + 2)) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(next), Some(_)) => is_binary(self.dialect, next),
        }
    }

    /// Expressions, one of which is true. All of them are looked at.
    fn any(&mut self, first: Token) -> Answer {
        let mut answer = false;
        let mut token = first;
        loop {
            answer |= self.all(token)?;
            if self.token(self.at + 1) != Token::Or {
                return Ok(answer);
            }
            self.at += 2;
            token = self.token(self.at);
        }
    }

    fn all(&mut self, first: Token) -> Answer {
        let mut answer = true;
        let mut token = first;
        loop {
            answer &= self.not(token)?;
            if self.token(self.at + 1) != Token::And {
                return Ok(answer);
            }
            self.at += 2;
            token = self.token(self.at);
        }
    }

    fn not(&mut self, first: Token) -> Answer {
        let mut token = first;
        let mut is_negated = false;
        while token == Token::Not {
            token = self.token(self.at + 1);
            if token != Token::End {
                self.at += 1;
            }
            is_negated = !is_negated;
        }
        Ok(self.primary(token)? != is_negated)
    }

    fn primary(&mut self, token: Token) -> Answer {
        match token {
            Token::End if self.dialect == Some(Dialect::Ash) => {
                Err(Wrong::syntax("argument expected", b"", ""))
            }
            Token::End => Ok(false),
            Token::Open => self.parentheses(),
            Token::Unary => {
                let operator = self.at;
                self.at += 1;
                let (Some(operator), Some(operand)) = (self.word(operator), self.word(self.at))
                else {
                    return Ok(false);
                };
                unary(self.process, self.dialect, operator, operand)
            }
            _ if self.token(self.at + 1) == Token::Binary => {
                let operator = self.at + 1;
                self.at += 2;
                let word = |index: usize| self.word(index).unwrap_or_default();
                let Some(right) = self.word(self.at) else {
                    return Err(Wrong::syntax("", word(operator), ": argument expected"));
                };
                binary(self.process, self.dialect, word(operator - 1), word(operator), right)
            }
            _ => Ok(self.word(self.at).is_some_and(|word| !word.is_empty())),
        }
    }

    fn parentheses(&mut self) -> Answer {
        self.depth += 1;
        if self.depth > MOST_DEPTH {
            let what = "has very many parentheses".to_owned();
            return Err(self.process.refuse(crate::stop::Reason::Use(what)).into());
        }
        self.at += 1;
        let inner = self.token(self.at);
        if inner == Token::Close && self.dialect == Some(Dialect::Dash) {
            return Ok(false);
        }
        let answer = self.any(inner)?;
        self.at += 1;
        self.depth -= 1;
        match self.token(self.at) {
            Token::Close => Ok(answer),
            _ => Err(Wrong::syntax("closing paren expected", b"", "")),
        }
    }
}
