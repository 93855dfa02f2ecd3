//! Bash's and GNU's way: what up to four words mean is said by their number, and only more are
//! read by a grammar.

use bstr::BString;

use super::primary::{binary, is_binary, is_unary, unary};
use super::{Answer, MOST_DEPTH, Wrong};
use crate::evaluate::dialect::Dialect;
use crate::process::Process;
use crate::programs::quoting::cited;
use crate::stop::Reason;

/// What an expression says.
pub(super) fn evaluate(
    process: &Process<'_, '_>,
    dialect: Option<Dialect>,
    words: &[BString],
) -> Answer {
    if words.is_empty() {
        return Ok(false);
    }
    let mut reader = Reader { process, dialect, words, at: 0, depth: 0 };
    let answer = reader.counted(words.len())?;
    let Some(left) = reader.word(reader.at) else { return Ok(answer) };
    Err(match dialect {
        Some(_) if left.starts_with(b"-") => Wrong::syntax("syntax error: `", left, "' unexpected"),
        Some(_) => Wrong::syntax("too many arguments", b"", ""),
        None => Wrong::syntax("extra argument ", cited(left).as_bytes(), ""),
    })
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

    fn is_binary(&self, index: usize) -> bool {
        self.word(index).is_some_and(|word| is_binary(self.dialect, word))
    }

    fn is(&self, index: usize, wanted: &str) -> bool {
        self.word(index) == Some(wanted.as_bytes())
    }

    /// The next so many words, as POSIX says by their number.
    fn counted(&mut self, count: usize) -> Answer {
        match count {
            1 => self.one(),
            2 => self.two(),
            3 => self.three(),
            4 if self.is(self.at, "!") => {
                self.at += 1;
                Ok(!self.three()?)
            }
            4 if self.is(self.at, "(") && self.is(self.at + 3, ")") => {
                self.at += 1;
                let answer = self.two()?;
                self.at += 1;
                Ok(answer)
            }
            _ => self.any(),
        }
    }

    fn one(&mut self) -> Answer {
        let answer = self.word(self.at).is_some_and(|word| !word.is_empty());
        self.at += 1;
        Ok(answer)
    }

    fn two(&mut self) -> Answer {
        if self.is(self.at, "!") {
            self.at += 1;
            return Ok(!self.one()?);
        }
        let first = self.word(self.at).unwrap_or_default();
        match first {
            [b'-', _] => self.unary(),
            _ if self.dialect.is_some() => Err(Wrong::syntax("", first, UNARY)),
            _ => Err(self.lacks()),
        }
    }

    fn three(&mut self) -> Answer {
        let middle = self.at + 1;
        if self.is_binary(middle) {
            return self.binary();
        }
        // Bash looks for the conjunction first, GNU's program for the negation.
        let joins = self.is(middle, "-a") || self.is(middle, "-o");
        if joins && self.dialect.is_some() {
            return self.joined();
        }
        if self.is(self.at, "!") {
            self.at += 1;
            return Ok(!self.two()?);
        }
        if self.is(self.at, "(") && self.is(self.at + 2, ")") {
            self.at += 1;
            let answer = self.one()?;
            self.at += 1;
            return Ok(answer);
        }
        if joins {
            return self.any();
        }
        let middle = self.word(middle).unwrap_or_default();
        Err(match self.dialect {
            Some(_) => Wrong::syntax("", middle, ": binary operator expected"),
            None => Wrong::syntax("", cited(middle).as_bytes(), ": binary operator expected"),
        })
    }

    /// `left -a right`, whose operands are nothing but words.
    fn joined(&mut self) -> Answer {
        let is_and = self.is(self.at + 1, "-a");
        let left = self.one()?;
        self.at += 1;
        let right = self.one()?;
        Ok(if is_and { left && right } else { left || right })
    }

    fn any(&mut self) -> Answer {
        let mut answer = false;
        loop {
            answer |= self.all()?;
            if !self.is(self.at, "-o") {
                return Ok(answer);
            }
            self.at += 1;
        }
    }

    fn all(&mut self) -> Answer {
        let mut answer = true;
        loop {
            answer &= self.term()?;
            if !self.is(self.at, "-a") {
                return Ok(answer);
            }
            self.at += 1;
        }
    }

    fn term(&mut self) -> Answer {
        let mut is_negated = false;
        while self.is(self.at, "!") {
            self.at += 1;
            is_negated = !is_negated;
        }
        let Some(word) = self.word(self.at) else {
            return Err(match self.dialect {
                Some(_) => Wrong::syntax("argument expected", b"", ""),
                None => self.lacks(),
            });
        };
        let left = self.words.len() - self.at;
        let is_length = self.dialect.is_none() && (word == b"-l" || self.is(self.at + 2, "-l"));
        let answer = match word {
            b"(" => self.parentheses()?,
            _ if is_length && left >= 4 => {
                return Err(self.process.refuse(Reason::Option("-l".to_owned())).into());
            }
            _ if left >= 3 && self.is_binary(self.at + 1) => self.binary()?,
            [b'-', _] if self.dialect.is_none() => self.unary()?,
            // What is no operator, or stands alone at the end, is a word for bash.
            word if left >= 2 && is_unary(self.dialect, word) => self.unary()?,
            _ => self.one()?,
        };
        Ok(answer != is_negated)
    }

    fn parentheses(&mut self) -> Answer {
        self.depth += 1;
        if self.depth > MOST_DEPTH {
            let what = "has very many parentheses".to_owned();
            return Err(self.process.refuse(Reason::Use(what)).into());
        }
        self.at += 1;
        let answer = match self.dialect {
            Some(_) => self.any()?,
            None if self.at >= self.words.len() => return Err(self.lacks()),
            None => {
                let left = self.words.len() - self.at;
                let close = (1..left.min(4)).find(|count| self.is(self.at + count, ")"));
                self.counted(close.unwrap_or(left))?
            }
        };
        self.depth -= 1;
        if self.is(self.at, ")") {
            self.at += 1;
            return Ok(answer);
        }
        let found = match (self.word(self.at), self.process.name() == "[") {
            (Some(word), _) => Some(word),
            (None, true) => Some(&b"]"[..]),
            (None, false) => None,
        };
        Err(match (self.dialect, found) {
            (Some(_), None) => Wrong::syntax("`)' expected", b"", ""),
            (Some(_), Some(found)) => Wrong::syntax("`)' expected, found ", found, ""),
            (None, None) => Wrong::syntax("')' expected", b"", ""),
            (None, Some(found)) => {
                Wrong::syntax("')' expected, found ", cited(found).as_bytes(), "")
            }
        })
    }

    fn unary(&mut self) -> Answer {
        let operator = self.word(self.at).unwrap_or_default();
        if !is_unary(self.dialect, operator) {
            return Err(match self.dialect {
                Some(_) => Wrong::syntax("", operator, UNARY),
                None => Wrong::syntax("", cited(operator).as_bytes(), UNARY),
            });
        }
        let Some(operand) = self.word(self.at + 1) else { return Err(self.lacks()) };
        let answer = unary(self.process, self.dialect, operator, operand)?;
        self.at += 2;
        Ok(answer)
    }

    fn binary(&mut self) -> Answer {
        let word = |index: usize| self.word(index).unwrap_or_default();
        let (left, operator, right) = (word(self.at), word(self.at + 1), word(self.at + 2));
        let answer = binary(self.process, self.dialect, left, operator, right)?;
        self.at += 3;
        Ok(answer)
    }

    /// There is nothing behind the last word.
    fn lacks(&self) -> Wrong {
        let last = self.words.last().map(|word| cited(word)).unwrap_or_default();
        Wrong::syntax("missing argument after ", last.as_bytes(), "")
    }
}

const UNARY: &str = ": unary operator expected";
