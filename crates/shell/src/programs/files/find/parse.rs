//! From the words of a `find` command to what it means.

use bstr::{BString, ByteSlice};

use super::expression::{Action, Expression, Number, Test, Wanted};
use crate::files::{EXECUTE, Last, READ, WRITE};
use crate::process::{Process, errno};
use crate::programs::files::modes::{ModeChange, Subject};
use crate::programs::files::owners::Owners;
use crate::programs::files::report::{refuse_option, refuse_use};
use crate::programs::files::times;
use crate::programs::quoting::quoted;
use crate::stop::Stop;
use crate::wildcard::Case;

/// A command that was understood.
pub(super) struct Command {
    pub(super) paths: Vec<BString>,
    pub(super) expression: Expression,
    pub(super) links: Links,
    pub(super) least_depth: usize,
    pub(super) most_depth: usize,
    pub(super) is_depth_first: bool,
    pub(super) is_one_volume: bool,
    /// Commands that take many files at once.
    pub(super) commands: Vec<Vec<BString>>,
    pub(super) owners: Owners,
}

/// Which links are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Links {
    Kept,
    OfOperands,
    Followed,
}

/// Why there is no command.
pub(super) enum Bad {
    /// What the real one complains about, too; exit status 1.
    Said(String),
    Stop(Stop),
}

impl From<Stop> for Bad {
    fn from(stop: Stop) -> Self {
        Bad::Stop(stop)
    }
}

type Parsed<T> = Result<T, Bad>;

fn said<T>(message: impl Into<String>) -> Parsed<T> {
    Err(Bad::Said(message.into()))
}

struct Parser<'p, 'm, 'o> {
    process: &'p mut Process<'m, 'o>,
    words: Vec<BString>,
    at: usize,
    command: Command,
    has_action: bool,
    has_prune: bool,
    depth: usize,
}

/// Parentheses and negations inside of each other.
const MOST_DEPTH: usize = 200;

/// Reads the command.
pub(super) fn parse(process: &mut Process<'_, '_>) -> Parsed<Command> {
    let owners = Owners::read(process)?;
    let words = process.arguments().to_vec();
    let command = Command {
        paths: Vec::new(),
        expression: Expression::Action(Action::Print),
        links: Links::Kept,
        least_depth: 0,
        most_depth: usize::MAX,
        is_depth_first: false,
        is_one_volume: false,
        commands: Vec::new(),
        owners,
    };
    let (has_action, has_prune) = (false, false);
    let mut parser = Parser { process, words, at: 0, command, has_action, has_prune, depth: 0 };
    parser.options_and_paths();
    parser.expression()?;
    Ok(parser.command)
}

impl Parser<'_, '_, '_> {
    fn options_and_paths(&mut self) {
        while let Some(word) = self.words.get(self.at) {
            self.command.links = match &***word {
                b"-P" => Links::Kept,
                b"-H" => Links::OfOperands,
                b"-L" => Links::Followed,
                _ => break,
            };
            self.at += 1;
        }
        let starts = |word: &BString| {
            matches!(&***word, b"(" | b"!") || (word.len() > 1 && word.starts_with(b"-"))
        };
        while let Some(word) = self.words.get(self.at).filter(|word| !starts(word)) {
            self.command.paths.push(word.clone());
            self.at += 1;
        }
        if self.command.paths.is_empty() {
            self.command.paths.push(BString::from("."));
        }
    }

    fn expression(&mut self) -> Parsed<()> {
        if self.at == self.words.len() {
            return Ok(());
        }
        let expression = self.list()?;
        match self.peek() {
            None => {}
            Some(b")") => {
                return said("you have too many ')'");
            }
            Some(word) => {
                let word = word.as_bstr();
                return said(format!("paths must precede expression: `{word}'"));
            }
        }
        if self.has_prune && self.command.is_depth_first && !self.has_depth_option() {
            let why = "has -delete and -prune, which exclude each other";
            return Err(refuse_use(self.process, why).into());
        }
        self.command.expression = match self.has_action {
            true => expression,
            false => Expression::And(vec![expression, Expression::Action(Action::Print)]),
        };
        Ok(())
    }

    fn has_depth_option(&self) -> bool {
        self.words.iter().any(|word| word == "-depth" || word == "-d")
    }

    fn peek(&self) -> Option<&[u8]> {
        self.words.get(self.at).map(|word| &***word)
    }

    fn list(&mut self) -> Parsed<Expression> {
        let mut all = vec![self.or()?];
        while self.peek() == Some(b",") {
            self.at += 1;
            self.expect_operand(",")?;
            all.push(self.or()?);
        }
        Ok(single(all, Expression::List))
    }

    fn or(&mut self) -> Parsed<Expression> {
        let mut all = vec![self.and()?];
        while let Some(operator @ (b"-o" | b"-or")) = self.peek() {
            let operator = operator.as_bstr().to_string();
            self.at += 1;
            self.expect_operand(&operator)?;
            all.push(self.and()?);
        }
        Ok(single(all, Expression::Or))
    }

    fn and(&mut self) -> Parsed<Expression> {
        let mut all = vec![self.not()?];
        loop {
            match self.peek() {
                None | Some(b")" | b"," | b"-o" | b"-or") => break,
                Some(operator @ (b"-a" | b"-and")) => {
                    let operator = operator.as_bstr().to_string();
                    self.at += 1;
                    self.expect_operand(&operator)?;
                }
                Some(word) if !starts_expression(word) => break,
                Some(_) => {}
            }
            all.push(self.not()?);
        }
        Ok(single(all, Expression::And))
    }

    fn expect_operand(&self, operator: &str) -> Parsed<()> {
        match self.peek() {
            None => said(format!("expected an expression after '{operator}'")),
            Some(_) => Ok(()),
        }
    }

    fn not(&mut self) -> Parsed<Expression> {
        if !matches!(self.peek(), Some(b"!" | b"-not")) {
            return self.primary();
        }
        let operator = self.peek().unwrap_or_default().as_bstr().to_string();
        self.at += 1;
        self.expect_operand(&operator)?;
        self.deeper(|parser| Ok(Expression::Not(Box::new(parser.not()?))))
    }

    fn deeper(
        &mut self,
        inner: impl FnOnce(&mut Self) -> Parsed<Expression>,
    ) -> Parsed<Expression> {
        self.depth += 1;
        if self.depth > MOST_DEPTH {
            return Err(refuse_use(self.process, "has an expression that is too deep").into());
        }
        let expression = inner(self)?;
        self.depth -= 1;
        Ok(expression)
    }

    fn primary(&mut self) -> Parsed<Expression> {
        let word = self.peek().unwrap_or_default().as_bstr().to_owned();
        match &**word {
            b"(" => {
                self.at += 1;
                if self.peek() == Some(b")") {
                    return said("invalid expression; empty parentheses are not allowed.");
                }
                if self.peek().is_none() {
                    return said(
                        "invalid expression; expected to find a ')' but didn't see one. \
                         Perhaps you need an extra predicate after '('",
                    );
                }
                let expression = self.deeper(Self::list)?;
                if self.peek() != Some(b")") {
                    return said(
                        "invalid expression; I was expecting to find a ')' somewhere but did not \
                         see one.",
                    );
                }
                self.at += 1;
                Ok(expression)
            }
            b")" | b"," | b"-o" | b"-or" | b"-a" | b"-and" => said(format!(
                "invalid expression; you have used a binary operator '{word}' with nothing before \
                 it."
            )),
            word if !starts_expression(word) => {
                said(format!("paths must precede expression: `{}'", word.as_bstr()))
            }
            _ => {
                self.at += 1;
                self.predicate(word.as_bstr().to_str_lossy().as_ref())
            }
        }
    }

    fn predicate(&mut self, name: &str) -> Parsed<Expression> {
        if let Some(action) = self.action(name)? {
            return Ok(Expression::Action(action));
        }
        if self.option(name)? {
            return Ok(Expression::Test(Test::Constant(true)));
        }
        match self.test(name)? {
            Some(test) => Ok(Expression::Test(test)),
            None => Err(refuse_option(self.process, name).into()),
        }
    }

    fn argument(&mut self, of: &str) -> Parsed<BString> {
        match self.words.get(self.at) {
            Some(word) => {
                self.at += 1;
                Ok(word.clone())
            }
            None => said(format!("missing argument to `{of}'")),
        }
    }

    fn option(&mut self, name: &str) -> Parsed<bool> {
        match name {
            "-maxdepth" | "-mindepth" => {
                let argument = self.argument(name)?;
                let digits = argument.iter().all(u8::is_ascii_digit) && !argument.is_empty();
                let depth = argument.to_str_lossy().parse().ok().filter(|_| digits);
                let Some(depth) = depth else {
                    return said(format!(
                        "Expected a positive decimal integer argument to {name}, but got {}",
                        quoted(&argument)
                    ));
                };
                match name {
                    "-maxdepth" => self.command.most_depth = depth,
                    _ => self.command.least_depth = depth,
                }
            }
            "-depth" | "-d" => self.command.is_depth_first = true,
            "-xdev" | "-mount" => self.command.is_one_volume = true,
            "-follow" => self.command.links = Links::Followed,
            "-noleaf" | "-ignore_readdir_race" | "-noignore_readdir_race" | "-nowarn" => {}
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn action(&mut self, name: &str) -> Parsed<Option<Action>> {
        let action = match name {
            "-print" => Action::Print,
            "-print0" => Action::Print0,
            "-printf" => Action::Printf(self.argument(name)?),
            "-delete" => {
                self.command.is_depth_first = true;
                Action::Delete
            }
            "-exec" => self.execute(name)?,
            "-prune" => {
                self.has_prune = true;
                return Ok(Some(Action::Prune));
            }
            "-quit" => return Ok(Some(Action::Quit)),
            _ => return Ok(None),
        };
        self.has_action = true;
        Ok(Some(action))
    }

    fn execute(&mut self, name: &str) -> Parsed<Action> {
        let rest = &self.words[self.at..];
        let is_end = |at: usize| {
            let word = &rest[at];
            word == ";" || (word == "+" && at > 0 && rest[at - 1] == "{}")
        };
        let end = (0..rest.len()).find(|at| is_end(*at));
        let Some(end) = end.filter(|end| *end > 0) else {
            return said(format!("missing argument to `{name}'"));
        };
        let words = rest[..end].to_vec();
        let is_many = rest[end] == "+";
        self.at += end + 1;
        if !is_many {
            return Ok(Action::Execute(words));
        }
        let command = words[..words.len() - 1].to_vec();
        if command.is_empty() || command.iter().any(|word| word.contains_str("{}")) {
            return Err(refuse_use(self.process, "has several `{}` before a `+`").into());
        }
        self.command.commands.push(command);
        Ok(Action::ExecuteMany(self.command.commands.len() - 1))
    }

    fn test(&mut self, name: &str) -> Parsed<Option<Test>> {
        Ok(Some(match name {
            "-true" => Test::Constant(true),
            "-false" => Test::Constant(false),
            "-name" => Test::Name(self.argument(name)?, Case::Counts),
            "-iname" => Test::Name(self.argument(name)?, Case::Ignored),
            "-path" | "-wholename" => Test::Path(self.argument(name)?, Case::Counts),
            "-ipath" | "-iwholename" => Test::Path(self.argument(name)?, Case::Ignored),
            "-lname" => Test::LinkName(self.argument(name)?, Case::Counts),
            "-ilname" => Test::LinkName(self.argument(name)?, Case::Ignored),
            "-empty" => Test::Empty,
            "-nouser" => Test::NoUser,
            "-nogroup" => Test::NoGroup,
            "-readable" => Test::Access(READ),
            "-writable" => Test::Access(WRITE),
            "-executable" => Test::Access(EXECUTE),
            "-type" => self.types(name)?,
            "-perm" => self.permissions(name)?,
            "-user" | "-group" => self.owner(name)?,
            "-uid" => Test::UserId(self.number(name)?),
            "-gid" => Test::GroupId(self.number(name)?),
            "-links" => Test::Links(self.number(name)?),
            "-mtime" => Test::Age(self.number(name)?, 86_400),
            "-mmin" => Test::Age(self.number(name)?, 60),
            "-size" => self.size(name)?,
            "-newer" | "-samefile" => self.reference(name)?,
            "-newermt" => {
                let date = self.argument(name)?;
                times::expect_utc(self.process)?;
                match times::parse(&date, self.process.machine.files.clock()) {
                    Some(time) => Test::NewerThan(time),
                    None => {
                        let why = format!("has a date that is not understood: {date}");
                        return Err(refuse_use(self.process, why).into());
                    }
                }
            }
            _ => return Ok(None),
        }))
    }

    fn number(&mut self, name: &str) -> Parsed<Number> {
        let argument = self.argument(name)?;
        match Number::parse(&argument) {
            Some(number) => Ok(number),
            None => said(format!("invalid argument `{argument}' to `{name}'")),
        }
    }

    fn types(&mut self, name: &str) -> Parsed<Test> {
        let argument = self.argument(name)?;
        let mut letters = Vec::new();
        for letter in argument.split(|byte| *byte == b',') {
            match letter {
                [letter] if b"bcdpfls".contains(letter) => letters.push(*letter),
                [letter, ..] if !b"bcdpflsD".contains(letter) => {
                    let letter = char::from(*letter);
                    return said(format!("Unknown argument to -type: {letter}"));
                }
                _ => return Err(refuse_use(self.process, "has a -type that is unclear").into()),
            }
        }
        Ok(Test::Types(letters))
    }

    fn permissions(&mut self, name: &str) -> Parsed<Test> {
        let argument = self.argument(name)?;
        let (wanted, mode) = match &**argument {
            [b'-', mode @ ..] => (Wanted::All, mode),
            [b'/', mode @ ..] => (Wanted::Any, mode),
            mode => (Wanted::Exactly, mode),
        };
        match ModeChange::parse(mode) {
            Some(change) if !mode.starts_with(b"+") => {
                Ok(Test::Permissions(wanted, change.apply(0, Subject::File, 0)))
            }
            _ => said(format!("invalid mode {}", quoted(&argument))),
        }
    }

    fn owner(&mut self, name: &str) -> Parsed<Test> {
        let argument = self.argument(name)?;
        let owners = &self.command.owners;
        let id = match name {
            "-user" => owners.parse_user(&argument),
            _ => owners.parse_group(&argument),
        };
        match (id, name) {
            (Some(uid), "-user") => Ok(Test::User(uid)),
            (Some(gid), _) => Ok(Test::Group(gid)),
            (None, "-user") => {
                said(format!("{} is not the name of a known user", quoted(&argument)))
            }
            (None, _) => {
                said(format!("{} is not the name of an existing group", quoted(&argument)))
            }
        }
    }

    fn size(&mut self, name: &str) -> Parsed<Test> {
        let argument = self.argument(name)?;
        let (digits, unit) = match argument.split_last() {
            Some((b'c', digits)) => (digits, 1),
            Some((b'w', digits)) => (digits, 2),
            Some((b'b', digits)) => (digits, 512),
            Some((b'k', digits)) => (digits, 1 << 10),
            Some((b'M', digits)) => (digits, 1 << 20),
            Some((b'G', digits)) => (digits, 1 << 30),
            Some((last, _)) if !last.is_ascii_digit() => {
                return said(format!("invalid -size type `{}'", char::from(*last)));
            }
            _ => (&**argument, 512),
        };
        match Number::parse(digits) {
            Some(number) => Ok(Test::Size(number, unit)),
            None => said(format!("Invalid argument `{argument}' to -size")),
        }
    }

    fn reference(&mut self, name: &str) -> Parsed<Test> {
        let argument = self.argument(name)?;
        let last = match self.command.links {
            Links::Kept => Last::Kept,
            Links::OfOperands | Links::Followed => Last::Followed,
        };
        match errno(self.process.find(&argument, last))? {
            Ok((_, stat)) if name == "-samefile" => Ok(Test::Same(stat.identity)),
            Ok((_, stat)) => Ok(Test::NewerThan(stat.attributes.mtime)),
            Err(error) => said(format!("{}: {error}", quoted(&argument))),
        }
    }
}

fn starts_expression(word: &[u8]) -> bool {
    matches!(word, b"(" | b")" | b"!" | b",") || (word.len() > 1 && word.starts_with(b"-"))
}

fn single(mut all: Vec<Expression>, joined: fn(Vec<Expression>) -> Expression) -> Expression {
    match all.len() {
        1 => all.remove(0),
        _ => joined(all),
    }
}
