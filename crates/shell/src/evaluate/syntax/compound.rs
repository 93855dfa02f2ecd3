//! Lists, pipelines, compound commands (POSIX XCU 2.9).

use std::rc::Rc;

use bstr::{BString, ByteSlice};

use super::scan::{Parsed, Parser, SyntaxError, Token};
use super::tree::{
    ArithmeticFor, Arm, ArmEnd, Command, CommandKind, Connector, Direction, Item, List, Part,
    Pipeline, Redirect, RedirectKind, Until, Waits, Word, Written,
};
use crate::evaluate::dialect::{Dialect, is_name};

/// Words that end a list.
const CLOSING: [&str; 8] = ["then", "else", "elif", "fi", "do", "done", "esac", "}"];

impl Parser<'_> {
    /// The next complete command, up to the end of its line; `None` at the end of the text.
    ///
    /// # Errors
    /// What is no command, or none that is understood.
    pub(in crate::evaluate) fn complete_command(&mut self) -> Result<Option<List>, SyntaxError> {
        self.skip_newlines()?;
        if matches!(self.peek()?, Token::End) {
            return Ok(None);
        }
        let mut list = List::new();
        loop {
            list.push(self.item()?);
            // What follows `;` or `&` on the line.
            let goes_on = self.follows_separator;
            match self.peek()? {
                Token::Newline => {
                    self.next()?;
                    return Ok(Some(list));
                }
                Token::End => return Ok(Some(list)),
                _ if goes_on => {}
                _ => return self.unexpected(),
            }
        }
    }

    /// Commands up to what cannot be one; may be none.
    pub(super) fn list(&mut self) -> Parsed<List> {
        let mut list = List::new();
        loop {
            self.skip_newlines()?;
            if self.closes_list()? {
                return Ok(list);
            }
            list.push(self.item()?);
            let goes_on = self.follows_separator || matches!(self.peek()?, Token::Newline);
            if !goes_on {
                return Ok(list);
            }
        }
    }

    fn closes_list(&mut self) -> Parsed<bool> {
        Ok(match self.peek()? {
            Token::End => true,
            Token::Operator(operator) => matches!(*operator, ")" | ";;" | ";&" | ";;&"),
            Token::Word(word) => {
                let literal = word.literal().unwrap_or_default();
                CLOSING.iter().any(|closing| closing.as_bytes() == literal)
            }
            _ => false,
        })
    }

    /// A list that has to have commands.
    fn commands(&mut self) -> Parsed<List> {
        let list = self.list()?;
        if list.is_empty() { self.unexpected() } else { Ok(list) }
    }

    fn item(&mut self) -> Parsed<Item> {
        self.follows_separator = false;
        let line = self.token_line()?;
        let noted = self.noted;
        let first = self.pipeline()?;
        let mut rest = Vec::new();
        loop {
            let connector = match self.peek()? {
                Token::Operator("&&") => Connector::And,
                Token::Operator("||") => Connector::Or,
                _ => break,
            };
            self.next()?;
            self.skip_newlines()?;
            rest.push((connector, self.pipeline()?));
        }
        let mut waits = Waits::Yes;
        self.follows_separator = match self.peek()? {
            Token::Operator(";") => true,
            Token::Operator("&") => {
                waits = Waits::No;
                self.note_background(noted);
                true
            }
            _ => false,
        };
        if self.follows_separator {
            self.next()?;
        }
        Ok(Item { first, rest, waits, line })
    }

    fn pipeline(&mut self) -> Parsed<Pipeline> {
        if self.dialect.is_bash() && self.peeks_reserved("time")? {
            return Err(self.error("`time`, which measures the machine"));
        }
        let mut is_negated = false;
        while self.takes_reserved("!")? {
            is_negated = !is_negated;
            if self.dialect != Dialect::Bash && self.peeks_reserved("!")? {
                return self.unexpected();
            }
        }
        let mut commands = vec![self.command()?];
        loop {
            if self.takes_operator("|&")? {
                let last = commands.pop().map(with_errors);
                commands.extend(last);
            } else if !self.takes_operator("|")? {
                return Ok(Pipeline { is_negated, commands });
            }
            self.skip_newlines()?;
            commands.push(self.command()?);
        }
    }

    pub(super) fn command(&mut self) -> Parsed<Command> {
        self.enter()?;
        let line = self.token_line()?;
        let kind = self.command_kind()?;
        let end = self.last_line();
        let mut redirects = Vec::new();
        let kind = match kind {
            Some(kind) => {
                self.redirects(&mut redirects)?;
                kind
            }
            None => self.simple_or_function(&mut redirects)?,
        };
        self.leave();
        // bash says of a subshell where it ends.
        let line = match kind {
            CommandKind::Subshell(_) if self.dialect.is_bash() => end,
            _ => line,
        };
        Ok(Command { line, kind, redirects })
    }

    /// A compound command; nothing if it is a simple one.
    fn command_kind(&mut self) -> Parsed<Option<CommandKind>> {
        if self.peeks_operator("(")? {
            if self.dialect.is_bash() && self.raw() == Some(b'(') {
                return self.arithmetic_or_subshell().map(Some);
            }
            self.next()?;
            return self.subshell().map(Some);
        }
        let Token::Word(word) = self.peek()? else { return Ok(None) };
        let keyword = word.literal().map(BString::from).unwrap_or_default();
        let is_bash = self.dialect.is_bash();
        Ok(Some(match &keyword[..] {
            b"if" => self.conditional()?,
            b"while" => self.repeated(Until::Failure)?,
            b"until" => self.repeated(Until::Success)?,
            b"for" => self.iterated()?,
            b"case" => self.case()?,
            b"{" => {
                self.next()?;
                let list = self.commands()?;
                self.expect_reserved("}")?;
                CommandKind::Group(list)
            }
            b"[[" if is_bash => {
                self.next()?;
                CommandKind::Conditional(Box::new(self.condition()?))
            }
            b"function" if self.dialect.has_common_additions() => self.function_keyword()?,
            b"select" | b"coproc" if is_bash => {
                return Err(self.error(format!("`{keyword}`")));
            }
            b"!" => return self.unexpected(),
            closing if CLOSING.iter().any(|word| word.as_bytes() == closing) => {
                return self.unexpected();
            }
            _ => return Ok(None),
        }))
    }

    fn subshell(&mut self) -> Parsed<CommandKind> {
        let list = self.commands()?;
        self.expect_operator(")")?;
        Ok(CommandKind::Subshell(list))
    }

    /// `((…))`, or two subshells.
    fn arithmetic_or_subshell(&mut self) -> Parsed<CommandKind> {
        self.next()?;
        let place = self.place();
        self.at += 1;
        if let Some(word) = self.arithmetic_text()? {
            return Ok(CommandKind::Arithmetic(word));
        }
        self.go_back(place);
        self.subshell()
    }

    fn conditional(&mut self) -> Parsed<CommandKind> {
        self.next()?;
        let mut branches = Vec::new();
        let mut otherwise = None;
        loop {
            let condition = self.commands()?;
            self.expect_reserved("then")?;
            branches.push((condition, self.commands()?));
            if self.takes_reserved("elif")? {
                continue;
            }
            if self.takes_reserved("else")? {
                otherwise = Some(self.commands()?);
            }
            self.expect_reserved("fi")?;
            return Ok(CommandKind::If { branches, otherwise });
        }
    }

    fn repeated(&mut self, until: Until) -> Parsed<CommandKind> {
        self.next()?;
        let condition = self.commands()?;
        let body = self.body()?;
        Ok(CommandKind::Loop { until, condition, body })
    }

    fn body(&mut self) -> Parsed<List> {
        self.expect_reserved("do")?;
        let body = self.commands()?;
        self.expect_reserved("done")?;
        Ok(body)
    }

    fn iterated(&mut self) -> Parsed<CommandKind> {
        self.may_assign = false;
        self.next()?;
        if self.dialect.is_bash() && self.peeks_operator("(")? && self.raw() == Some(b'(') {
            self.may_assign = true;
            return self.arithmetic_for();
        }
        let Token::Word(word) = self.next()? else { return self.unexpected() };
        let name = word.literal().map(BString::from).filter(|name| is_name(name));
        let Some(name) = name else { return Err(self.error("a loop's variable of this name")) };
        let mut words = None;
        self.may_assign = true;
        let is_separated = self.takes_operator(";")?;
        self.skip_newlines()?;
        if !is_separated && self.peeks_reserved("in")? {
            self.may_assign = false;
            self.next()?;
            words = Some(self.written_words(&name)?);
            self.may_assign = true;
            if !self.takes_operator(";")? && !matches!(self.peek()?, Token::Newline) {
                return self.unexpected();
            }
            self.skip_newlines()?;
        }
        if words.is_some() || self.dialect != Dialect::Bash || !self.peeks_reserved("{")? {
            let body = self.body()?;
            return Ok(CommandKind::For { name, words, body });
        }
        self.unexpected()
    }

    /// The words of a loop over this variable.
    fn written_words(&mut self, name: &BString) -> Parsed<Written> {
        let mut written = Written::default();
        while let Token::Word(_) = self.peek()? {
            let text = self.written()?;
            match written.words.is_empty() {
                true => self.note_loop(name, &text),
                false => written.text.push(b' '),
            }
            written.text.extend_from_slice(&text);
            if let Token::Word(word) = self.next()? {
                written.words.push(word);
            }
        }
        Ok(written)
    }

    fn arithmetic_for(&mut self) -> Parsed<CommandKind> {
        self.next()?;
        self.at += 1;
        let Some(word) = self.arithmetic_text()? else {
            return Err(self.error("syntax error: `))` is missing"));
        };
        let mut pieces = split_at_semicolons(word).into_iter();
        let (Some(start), Some(condition), Some(step), None) =
            (pieces.next(), pieces.next(), pieces.next(), pieces.next())
        else {
            return Err(self.error("syntax error: an arithmetic `for` has three expressions"));
        };
        self.takes_operator(";")?;
        self.skip_newlines()?;
        let body = self.body()?;
        Ok(CommandKind::ArithmeticFor(Box::new(ArithmeticFor { start, condition, step, body })))
    }

    fn case(&mut self) -> Parsed<CommandKind> {
        self.may_assign = false;
        self.next()?;
        let written = self.written()?;
        let Token::Word(word) = self.next()? else { return self.unexpected() };
        self.skip_newlines()?;
        self.expect_reserved("in")?;
        let mut arms = Vec::new();
        loop {
            self.may_assign = false;
            self.skip_newlines()?;
            if self.takes_reserved("esac")? {
                self.may_assign = true;
                return Ok(CommandKind::Case { word, written, arms });
            }
            arms.push(self.arm()?);
        }
    }

    fn arm(&mut self) -> Parsed<Arm> {
        self.takes_operator("(")?;
        let mut patterns = Vec::new();
        loop {
            match self.next()? {
                Token::Word(pattern) => patterns.push(pattern),
                _ => return self.unexpected(),
            }
            if !self.takes_operator("|")? {
                break;
            }
        }
        self.may_assign = true;
        self.expect_operator(")")?;
        let body = self.list()?;
        self.may_assign = false;
        if self.peeks_reserved("esac")? {
            return Ok(Arm { patterns, body, then: ArmEnd::Leave });
        }
        let then = match self.peek()? {
            Token::Operator(";;") => ArmEnd::Leave,
            Token::Operator(";&") => ArmEnd::RunNext,
            Token::Operator(";;&") => ArmEnd::TestNext,
            _ => return self.unexpected(),
        };
        self.next()?;
        Ok(Arm { patterns, body, then })
    }

    /// `function name { …; }`
    fn function_keyword(&mut self) -> Parsed<CommandKind> {
        self.next()?;
        let Token::Word(word) = self.next()? else { return self.unexpected() };
        let Some(name) = word.literal().map(BString::from) else {
            return Err(self.error("a function of this name"));
        };
        if self.takes_operator("(")? {
            self.expect_operator(")")?;
        }
        self.function_body(name)
    }

    pub(super) fn function_body(&mut self, name: BString) -> Parsed<CommandKind> {
        let is_plain =
            name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_-.:+@/".contains(byte));
        if !is_plain || (self.dialect == Dialect::Dash && !is_name(&name)) {
            return Err(self.error(format!("a function named `{}`", name.as_bstr())));
        }
        self.may_assign = true;
        self.note_function(&name);
        self.skip_newlines()?;
        let body = self.command()?;
        if matches!(body.kind, CommandKind::Simple(_)) {
            return Err(self.error("a function whose body is a simple command"));
        }
        Ok(CommandKind::Function { name, body: Rc::new(body) })
    }
}

/// `|&` is `2>&1 |`, behind all other redirections (the GNU manual, "Pipelines").
fn with_errors(mut command: Command) -> Command {
    let output = Word { parts: vec![Part::Literal("1".into())] };
    let kind = RedirectKind::Duplicate(output, Direction::Output);
    command.redirects.push(Redirect { descriptor: Some(2), kind });
    command
}

/// The three expressions of an arithmetic `for`.
fn split_at_semicolons(word: Word) -> Vec<Word> {
    let mut pieces = vec![Vec::new()];
    let parts = word.parts.into_iter().flat_map(|part| match part {
        Part::Double(parts) => parts,
        part => vec![part],
    });
    for part in parts {
        let Part::Literal(text) = part else {
            pieces.last_mut().into_iter().for_each(|piece| piece.push(part.clone()));
            continue;
        };
        for (index, text) in text.split_str(";").enumerate() {
            if index > 0 {
                pieces.push(Vec::new());
            }
            let begins = pieces.last().is_some_and(Vec::is_empty);
            let text = if begins { text.trim_start() } else { text };
            let part = Part::Literal(text.into());
            pieces.last_mut().into_iter().for_each(|piece| piece.push(part.clone()));
        }
    }
    pieces.into_iter().map(|parts| Word { parts: vec![Part::Double(parts)] }).collect()
}
