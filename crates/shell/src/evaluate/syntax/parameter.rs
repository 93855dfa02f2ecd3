//! Parameter expansions (POSIX XCU 2.6.2; the GNU manual, "Shell Parameter Expansion").

use bstr::{BString, ByteSlice};

use super::scan::{Parsed, Parser};
use super::tree::{
    Alternative, CaseReach, End, LetterCase, Name, Operation, Parameter, Part, Reach, Subscript,
    Test, Where, Word,
};
use super::words::{Parts, Quotes, Until};
use crate::evaluate::dialect::{is_name_byte, is_name_start};

impl Parser<'_> {
    /// `$name`, `$1`, `$?`, behind the dollar sign.
    pub(super) fn unbraced(&mut self) -> Option<Parameter> {
        let byte = self.current()?;
        let name = if is_name_start(byte) {
            Name::Variable(self.name())
        } else {
            let name = special(byte)?;
            self.at += 1;
            name
        };
        Some(plain(name))
    }

    /// Letters, digits and underscores.
    fn name(&mut self) -> BString {
        let mut name = BString::default();
        while let Some(byte) = self.current().filter(|byte| is_name_byte(*byte)) {
            name.push(byte);
            self.at += 1;
        }
        name
    }

    /// `${…}`, behind the brace.
    pub(super) fn braced(&mut self, quotes: Quotes) -> Parsed<Part> {
        let parameter = match self.length()? {
            Some(parameter) => parameter,
            None => self.braced_parameter(quotes)?,
        };
        match self.take(b"}") {
            true => Ok(Part::Parameter(Box::new(parameter))),
            false => self.bad(),
        }
    }

    fn bad<T>(&mut self) -> Parsed<T> {
        Err(self.error("a parameter expansion of this form"))
    }

    /// `${#name}`; nothing if the `#` is the parameter itself, as in `${#}` and `${#-0}`.
    fn length(&mut self) -> Parsed<Option<Parameter>> {
        let place = self.place();
        if self.take(b"#")
            && let Some(name) = self.parameter_name()?
        {
            let subscript = self.subscript()?;
            if self.current() == Some(b'}') {
                let operation = Operation::Length;
                return Ok(Some(Parameter {
                    subscript,
                    operation,
                    is_braced: true,
                    ..plain(name)
                }));
            }
        }
        self.go_back(place);
        Ok(None)
    }

    fn braced_parameter(&mut self, quotes: Quotes) -> Parsed<Parameter> {
        let is_indirect = self.dialect.is_bash() && self.is_indirection();
        if is_indirect {
            self.at += 1;
        }
        let Some(name) = self.parameter_name()? else { return self.bad() };
        let subscript = self.subscript()?;
        if is_indirect
            && self.current() == Some(b'}')
            && matches!(subscript, Some(Subscript::All | Subscript::Joined))
        {
            let operation = Operation::Keys;
            return Ok(Parameter { subscript, operation, is_braced: true, ..plain(name) });
        }
        let operation = self.operation(quotes)?;
        Ok(Parameter { name, subscript, is_indirect, is_braced: true, operation })
    }

    /// Whether a `!` is followed by a name.
    fn is_indirection(&mut self) -> bool {
        self.current() == Some(b'!')
            && self.text.get(self.at + 1).is_some_and(|next| is_name_byte(*next))
    }

    fn parameter_name(&mut self) -> Parsed<Option<Name>> {
        let Some(byte) = self.current() else { return Ok(None) };
        if is_name_start(byte) {
            return Ok(Some(Name::Variable(self.name())));
        }
        if byte.is_ascii_digit() {
            let digits = self.name();
            let number = digits.to_str().ok().and_then(|digits| digits.parse::<usize>().ok());
            return match number {
                Some(0) => Ok(Some(Name::Shell)),
                Some(number) => Ok(Some(Name::Positional(number))),
                None => self.bad(),
            };
        }
        let name = special(byte);
        if name.is_some() {
            self.at += 1;
        }
        Ok(name)
    }

    /// `[…]` behind a name, in bash.
    fn subscript(&mut self) -> Parsed<Option<Subscript>> {
        if !self.dialect.is_bash() || self.current() != Some(b'[') {
            return Ok(None);
        }
        self.at += 1;
        let subscript = if self.take(b"@]") {
            Subscript::All
        } else if self.take(b"*]") {
            Subscript::Joined
        } else {
            let word = self.word_until(Until::Bracket)?;
            if !self.take(b"]") {
                return self.bad();
            }
            Subscript::At(word)
        };
        Ok(Some(subscript))
    }

    fn operation(&mut self, quotes: Quotes) -> Parsed<Operation> {
        let Some(byte) = self.current() else { return self.bad() };
        match byte {
            b'}' => Ok(Operation::Plain),
            b':' => {
                self.at += 1;
                match self.current() {
                    Some(b'-' | b'=' | b'?' | b'+') => self.alternative(Test::UnsetOrEmpty, quotes),
                    _ if self.dialect.has_common_additions() => self.substring(),
                    _ => self.bad(),
                }
            }
            b'-' | b'=' | b'?' | b'+' => self.alternative(Test::Unset, quotes),
            b'%' => self.removal(b"%", End::End),
            b'#' => self.removal(b"#", End::Start),
            b'/' if self.dialect.has_common_additions() => self.replacement(),
            b'^' if self.dialect.is_bash() => self.letter_case(b"^", LetterCase::Upper),
            b',' if self.dialect.is_bash() => self.letter_case(b",", LetterCase::Lower),
            _ => self.bad(),
        }
    }

    fn alternative(&mut self, test: Test, quotes: Quotes) -> Parsed<Operation> {
        let action = match self.current() {
            Some(b'-') => Alternative::Use,
            Some(b'=') => Alternative::Assign,
            Some(b'?') => Alternative::Fail,
            _ => Alternative::UseIfSet,
        };
        self.at += 1;
        let word = match quotes {
            Quotes::Double => self.quoted_operand()?,
            Quotes::None => self.word_until(Until::Brace)?,
        };
        Ok(Operation::Alternative { test, action, word })
    }

    fn removal(&mut self, mark: &[u8], from: End) -> Parsed<Operation> {
        self.at += 1;
        let reach = if self.take(mark) { Reach::Longest } else { Reach::Shortest };
        let pattern = self.word_until(Until::Brace)?;
        Ok(Operation::Remove { from, reach, pattern })
    }

    fn replacement(&mut self) -> Parsed<Operation> {
        self.at += 1;
        let where_ = match self.current() {
            Some(b'/') => Where::Everywhere,
            Some(b'#') if self.dialect.is_bash() => Where::AtStart,
            Some(b'%') if self.dialect.is_bash() => Where::AtEnd,
            _ => Where::First,
        };
        if where_ != Where::First {
            self.at += 1;
        }
        let pattern = self.word_until(Until::SlashOrBrace)?;
        let replacement =
            if self.take(b"/") { self.word_until(Until::Brace)? } else { Word::default() };
        Ok(Operation::Replace { where_, pattern, replacement })
    }

    fn substring(&mut self) -> Parsed<Operation> {
        let offset = self.expression()?;
        let length = if self.take(b":") { Some(self.expression()?) } else { None };
        Ok(Operation::Substring { offset, length })
    }

    /// Arithmetic up to `:` or `}`.
    fn expression(&mut self) -> Parsed<Word> {
        let mut parts = Parts::default();
        let mut nesting = 0usize;
        while let Some(byte) = self.current() {
            match byte {
                b'}' => break,
                b':' if nesting == 0 => break,
                b'?' | b'"' | b'\'' | b'\\' | b'`' => return self.bad(),
                b'$' => {
                    self.dollar(&mut parts, Quotes::Double)?;
                    continue;
                }
                b'(' => nesting += 1,
                b')' => nesting = nesting.saturating_sub(1),
                _ => {}
            }
            parts.text(byte);
            self.advance();
        }
        Ok(Word { parts: vec![Part::Double(parts.finish())] })
    }

    fn letter_case(&mut self, mark: &[u8], to: LetterCase) -> Parsed<Operation> {
        self.at += 1;
        let reach = if self.take(mark) { CaseReach::All } else { CaseReach::First };
        match self.current() {
            Some(b'}') => Ok(Operation::Case { to, reach }),
            _ => self.bad(),
        }
    }
}

pub(super) fn plain(name: Name) -> Parameter {
    let operation = Operation::Plain;
    Parameter { name, subscript: None, is_indirect: false, is_braced: false, operation }
}

fn special(byte: u8) -> Option<Name> {
    Some(match byte {
        b'@' => Name::All,
        b'*' => Name::Joined,
        b'#' => Name::Count,
        b'?' => Name::Status,
        b'-' => Name::Options,
        b'$' => Name::Process,
        b'!' => Name::Background,
        b'0' => Name::Shell,
        b'1'..=b'9' => Name::Positional(usize::from(byte - b'0')),
        _ => return None,
    })
}

impl Name {
    /// As it is written.
    pub(in crate::evaluate) fn shown(&self) -> String {
        match self {
            Name::Variable(name) => name.to_string(),
            Name::Positional(number) => number.to_string(),
            Name::All => "@".to_owned(),
            Name::Joined => "*".to_owned(),
            Name::Count => "#".to_owned(),
            Name::Status => "?".to_owned(),
            Name::Options => "-".to_owned(),
            Name::Process => "$".to_owned(),
            Name::Background => "!".to_owned(),
            Name::Shell => "0".to_owned(),
        }
    }
}
