//! Simple commands, assignments, redirections, and functions (POSIX XCU 2.7, 2.9.1, 2.9.5).

use std::cell::OnceCell;
use std::rc::Rc;

use bstr::{BString, ByteSlice};

use super::heredoc::{Pending, Tabs};
use super::scan::{Parsed, Parser, Token};
use super::tree::{
    Argument, AssignMode, AssignedValue, Assignment, BothMode, Clobber, CommandKind, Direction,
    Part, Redirect, RedirectKind, Simple, Word,
};
use super::words::Until;
use crate::evaluate::dialect::{is_name, is_name_byte, is_name_start};

/// Builtins of bash whose arguments may be assignments.
const DECLARING: [&str; 5] = ["declare", "export", "local", "readonly", "typeset"];

impl Parser<'_> {
    pub(super) fn simple_or_function(
        &mut self,
        redirects: &mut Vec<Redirect>,
    ) -> Parsed<CommandKind> {
        let mut simple = Simple::default();
        self.may_assign = true;
        let mut note = self.begin_note()?;
        loop {
            if self.redirect(redirects)? {
                note.iter_mut().for_each(|note| note.reach(&self.token));
                continue;
            }
            match self.peek()? {
                Token::Word(_) | Token::Assignment(_) => {}
                _ => break,
            }
            self.may_assign = simple.words.is_empty() || declares(&simple);
            let token = self.next()?;
            let span = self.token.clone();
            let held = simple.words.len();
            match self.command_token(token, &mut simple)? {
                Some(name) if redirects.is_empty() && self.takes_operator("(")? => {
                    self.drop_note(note);
                    self.expect_operator(")")?;
                    return self.function_body(name);
                }
                _ => {}
            }
            if let Some(note) = &mut note {
                note.reach(&span);
                if simple.words.len() > held {
                    note.add_word(span);
                }
            }
        }
        self.may_assign = true;
        if simple.words.is_empty() && simple.assignments.is_empty() && redirects.is_empty() {
            return self.unexpected();
        }
        self.end_note(note)?;
        Ok(CommandKind::Simple(simple))
    }

    /// Takes a word or an assignment; gives it back if it may be a function's name.
    fn command_token(&mut self, token: Token, simple: &mut Simple) -> Parsed<Option<BString>> {
        let is_first = simple.words.is_empty();
        let assignment = match token {
            Token::Assignment(assignment) => Ok(*assignment),
            Token::Word(word) if is_first || declares(simple) => self.scalar_assignment(word),
            Token::Word(word) => Err(word),
            _ => return self.unexpected(),
        };
        match assignment {
            Ok(assignment) if is_first => simple.assignments.push(assignment),
            Ok(assignment) => simple.words.push(Argument::Assignment(assignment)),
            Err(word) => {
                let name = word.literal().map(BString::from);
                simple.words.push(Argument::Word(word));
                self.may_assign = declares(simple);
                let is_lone = is_first && simple.assignments.is_empty();
                return Ok(name.filter(|name| is_lone && may_name_function(name)));
            }
        }
        Ok(None)
    }

    /// `name=value` of a word, or the word.
    fn scalar_assignment(&self, mut word: Word) -> Result<Assignment, Word> {
        let Some(Part::Literal(text)) = word.parts.first() else { return Err(word) };
        let Some(equals) = text.find_byte(b'=') else { return Err(word) };
        let appends = self.dialect.is_bash() && text[..equals].ends_with(b"+");
        let name = BString::from(&text[..equals - usize::from(appends)]);
        if !is_name(&name) {
            return Err(word);
        }
        let rest = BString::from(&text[equals + 1..]);
        match rest.is_empty() {
            true => {
                word.parts.remove(0);
            }
            false => word.parts[0] = Part::Literal(rest),
        }
        let mode = if appends { AssignMode::Append } else { AssignMode::Replace };
        Ok(Assignment { name, subscript: None, mode, value: AssignedValue::Scalar(word) })
    }

    /// bash: `name=(…)` and `name[…]=…`; nothing if it is neither.
    pub(super) fn bash_assignment(&mut self) -> Parsed<Option<Assignment>> {
        let rest = &self.text[self.at..];
        let length = rest.iter().take_while(|byte| is_name_byte(**byte)).count();
        let starts = rest.first().is_some_and(|first| is_name_start(*first));
        if !starts || !matches!(rest.get(length), Some(b'=' | b'+' | b'[')) {
            return Ok(None);
        }
        let place = self.place();
        let name = BString::from(&rest[..length]);
        self.at += length;
        let subscript = match self.raw() {
            Some(b'[') => {
                self.at += 1;
                let word = self.word_until(Until::Bracket)?;
                self.take(b"]").then_some(word)
            }
            _ => None,
        };
        let mode = if self.take(b"+=") {
            Some(AssignMode::Append)
        } else {
            self.take(b"=").then_some(AssignMode::Replace)
        };
        let Some(mode) = mode else {
            self.go_back(place);
            return Ok(None);
        };
        if self.raw() == Some(b'(') && subscript.is_none() {
            self.at += 1;
            let value = AssignedValue::Array(self.elements()?);
            return Ok(Some(Assignment { name, subscript, mode, value }));
        }
        if subscript.is_none() {
            self.go_back(place);
            return Ok(None);
        }
        let value = AssignedValue::Scalar(self.word()?);
        Ok(Some(Assignment { name, subscript, mode, value }))
    }

    /// The elements of an array, behind the parenthesis.
    fn elements(&mut self) -> Parsed<Vec<(Option<Word>, Word)>> {
        let mut elements = Vec::new();
        loop {
            self.skip_blanks();
            match self.current() {
                None => return Err(self.error("syntax error: a `)` is missing")),
                Some(b'\n') => self.advance(),
                Some(b')') => {
                    self.at += 1;
                    return Ok(elements);
                }
                Some(b'[') => elements.push(self.indexed_element()?),
                Some(b'&' | b';' | b'|' | b'<' | b'>' | b'(') => {
                    return Err(self.error("syntax error: an operator in an array"));
                }
                Some(_) => elements.push((None, self.word()?)),
            }
        }
    }

    /// `[key]=value`
    fn indexed_element(&mut self) -> Parsed<(Option<Word>, Word)> {
        let place = self.place();
        self.at += 1;
        let key = self.word_until(Until::Bracket)?;
        if self.take(b"]=") {
            return Ok((Some(key), self.word()?));
        }
        self.go_back(place);
        Ok((None, self.word()?))
    }

    pub(super) fn redirects(&mut self, redirects: &mut Vec<Redirect>) -> Parsed<()> {
        self.may_assign = false;
        while self.redirect(redirects)? {
            self.may_assign = false;
        }
        self.may_assign = true;
        Ok(())
    }

    /// A redirection, if one comes next.
    fn redirect(&mut self, redirects: &mut Vec<Redirect>) -> Parsed<bool> {
        let descriptor = match self.peek()? {
            Token::Descriptor(number) => Some(*number),
            _ => None,
        };
        if descriptor.is_some() {
            self.next()?;
        }
        let operator = match self.peek()? {
            Token::Operator(operator) => *operator,
            _ => return Ok(false),
        };
        let is_redirect = operator.contains(['<', '>']);
        if !is_redirect {
            return Ok(false);
        }
        if operator == "<>" {
            return Err(self.error("`<>`"));
        }
        let may_assign = std::mem::replace(&mut self.may_assign, false);
        self.next()?;
        if operator == ">" && self.raw() == Some(b'(') && self.dialect.is_bash() {
            return Err(self.error("a process substitution that is written to"));
        }
        let word = match self.next()? {
            Token::Word(word) => word,
            Token::Operator(">") if self.raw() == Some(b'(') && self.dialect.is_bash() => {
                return Err(self.error("a process substitution that is written to"));
            }
            _ => return self.unexpected(),
        };
        self.may_assign = may_assign;
        let kind = match operator {
            "<" => RedirectKind::Read(word),
            ">" => RedirectKind::Write(word, Clobber::IfAllowed),
            ">|" => RedirectKind::Write(word, Clobber::Always),
            ">>" => RedirectKind::Append(word),
            "<&" => RedirectKind::Duplicate(word, Direction::Input),
            ">&" => RedirectKind::Duplicate(word, Direction::Output),
            "&>" => RedirectKind::Both(word, BothMode::Write),
            "&>>" => RedirectKind::Both(word, BothMode::Append),
            "<<<" => RedirectKind::HereString(word),
            _ => self.heredoc(operator, &word)?,
        };
        redirects.push(Redirect { descriptor, kind });
        Ok(true)
    }

    fn heredoc(&mut self, operator: &str, word: &Word) -> Parsed<RedirectKind> {
        let tabs = if operator == "<<-" { Tabs::Removed } else { Tabs::Kept };
        let (delimiter, text) = self.heredoc_delimiter(word)?;
        let body = Rc::new(OnceCell::new());
        let pending = Pending { delimiter, body, tabs, text, note: self.noting };
        Ok(RedirectKind::Here(self.await_heredoc(pending)))
    }
}

/// Whether the command declares variables.
fn declares(simple: &Simple) -> bool {
    let name = match simple.words.first() {
        Some(Argument::Word(word)) => word.literal().unwrap_or_default(),
        _ => return false,
    };
    DECLARING.iter().any(|declaring| declaring.as_bytes() == name)
}

fn may_name_function(name: &[u8]) -> bool {
    !name.contains(&b'=')
}
