//! From tokens to a [`Program`] (POSIX XCU awk, "Grammar").

mod expressions;

use bstr::BString;

use super::interpret::special;
use super::lexer::{self, Token, Word};
use super::syntax::{
    Block, Expression, Function, Pattern, Program, Redirection, Rule, Statement, Variable,
};
use crate::regular_expression::RegexError;

/// Expressions and blocks inside of each other.
const DEEPEST: usize = 60;

/// Why there is no program.
#[derive(Debug)]
pub(super) enum Failure {
    /// A fragment that fits behind the command's name.
    NotUnderstood(&'static str),
    Pattern(RegexError),
}

type Parsed<T> = Result<T, Failure>;

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    program: Program,
    /// The parameters of the function that is read.
    locals: Vec<BString>,
    /// Which of them are used as arrays.
    arrays: Vec<bool>,
    /// Parameters that are given to other functions: caller, its parameter, callee, its parameter.
    passed: Vec<(usize, usize, usize, usize)>,
    function: Option<usize>,
    depth: usize,
    /// What `>` is here.
    greater: Greater,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Greater {
    Compares,
    Redirects,
}

const WRONG: Failure = Failure::NotUnderstood("has a program that is not understood");

/// Reads a program.
pub(super) fn parse(text: &[u8]) -> Parsed<Program> {
    let tokens = lexer::tokens(text).map_err(Failure::NotUnderstood)?;
    let globals = special::NAMES.iter().map(|name| BString::from(*name)).collect();
    let program = Program { globals, ..Program::default() };
    let mut parser = Parser {
        tokens,
        at: 0,
        program,
        locals: Vec::new(),
        arrays: Vec::new(),
        passed: Vec::new(),
        function: None,
        depth: 0,
        greater: Greater::Compares,
    };
    loop {
        parser.skip_ends();
        if parser.peek() == &Token::End {
            break;
        }
        parser.item()?;
    }
    if parser.program.functions.iter().any(|function| !function.is_defined) {
        return Err(Failure::NotUnderstood("calls a function that is not defined"));
    }
    parser.spread_arrays();
    Ok(parser.program)
}

impl Parser {
    fn peek(&self) -> &Token {
        self.tokens.get(self.at).unwrap_or(&Token::End)
    }

    fn next(&mut self) -> Token {
        let token = self.peek().clone();
        self.at += 1;
        token
    }

    fn takes(&mut self, sign: &'static str) -> bool {
        let is_next = self.peek() == &Token::Sign(sign);
        self.at += usize::from(is_next);
        is_next
    }

    fn takes_word(&mut self, word: Word) -> bool {
        let is_next = self.peek() == &Token::Word(word);
        self.at += usize::from(is_next);
        is_next
    }

    fn expect(&mut self, sign: &'static str) -> Parsed<()> {
        if self.takes(sign) { Ok(()) } else { Err(WRONG) }
    }

    fn skip_newlines(&mut self) {
        while self.peek() == &Token::Newline {
            self.at += 1;
        }
    }

    fn skip_ends(&mut self) {
        while matches!(self.peek(), Token::Newline | Token::Sign(";")) {
            self.at += 1;
        }
    }

    fn enter(&mut self) -> Parsed<()> {
        self.depth += 1;
        match self.depth > DEEPEST {
            true => Err(Failure::NotUnderstood("has too much inside of each other")),
            false => Ok(()),
        }
    }

    /// A rule or a function.
    fn item(&mut self) -> Parsed<()> {
        match self.peek() {
            Token::Word(Word::Begin) => {
                self.at += 1;
                let block = self.braces()?;
                self.program.begin.push(block);
            }
            Token::Word(Word::End) => {
                self.at += 1;
                let block = self.braces()?;
                self.program.end.push(block);
            }
            Token::Word(Word::Function) => self.function()?,
            Token::Sign("{") => {
                let action = Some(self.braces()?);
                self.program.rules.push(Rule { pattern: Pattern::Always, action });
            }
            _ => {
                let first = self.expression()?;
                let pattern = match self.takes(",") {
                    true => {
                        self.skip_newlines();
                        Pattern::Range(first, self.expression()?)
                    }
                    false => Pattern::If(first),
                };
                let has_action = self.peek() == &Token::Sign("{");
                let action = if has_action { Some(self.braces()?) } else { None };
                self.program.rules.push(Rule { pattern, action });
            }
        }
        Ok(())
    }

    fn function(&mut self) -> Parsed<()> {
        self.at += 1;
        let (Token::Call(name) | Token::Name(name)) = self.next() else { return Err(WRONG) };
        self.expect("(")?;
        let mut locals = Vec::new();
        while !self.takes(")") {
            let Token::Name(local) = self.next() else { return Err(WRONG) };
            if locals.contains(&local) || local == name {
                return Err(WRONG);
            }
            locals.push(local);
            if !self.takes(",") && self.peek() != &Token::Sign(")") {
                return Err(WRONG);
            }
            self.skip_newlines();
        }
        self.skip_newlines();
        let index = self.function_index(&name);
        if self.program.functions[index].is_defined {
            return Err(WRONG);
        }
        self.program.functions[index].is_defined = true;
        self.arrays = vec![false; locals.len()];
        self.locals = locals;
        self.function = Some(index);
        let body = self.braces()?;
        self.locals.clear();
        self.function = None;
        let function = &mut self.program.functions[index];
        function.parameters = std::mem::take(&mut self.arrays);
        function.body = body;
        Ok(())
    }

    fn function_index(&mut self, name: &BString) -> usize {
        let known = self.program.functions.iter().position(|function| function.name == *name);
        known.unwrap_or_else(|| {
            let function = Function { name: name.clone(), ..Function::default() };
            self.program.functions.push(function);
            self.program.functions.len() - 1
        })
    }

    /// A parameter that is given on as an array is one.
    fn spread_arrays(&mut self) {
        loop {
            let mut has_changed = false;
            for (caller, own, callee, theirs) in &self.passed {
                let functions = &mut self.program.functions;
                let is_array = functions[*callee].parameters.get(*theirs) == Some(&true);
                let parameter = functions[*caller].parameters.get_mut(*own);
                if let Some(parameter) = parameter.filter(|known| is_array && !**known) {
                    *parameter = true;
                    has_changed = true;
                }
            }
            if !has_changed {
                return;
            }
        }
    }

    fn braces(&mut self) -> Parsed<Block> {
        self.expect("{")?;
        self.enter()?;
        let mut block = Vec::new();
        loop {
            self.skip_ends();
            if self.takes("}") {
                self.depth -= 1;
                return Ok(block);
            }
            block.push(self.statement()?);
        }
    }

    /// The body of a loop or a condition.
    fn body(&mut self) -> Parsed<Block> {
        self.skip_newlines();
        if self.takes(";") {
            return Ok(Vec::new());
        }
        Ok(vec![self.statement()?])
    }

    fn statement(&mut self) -> Parsed<Statement> {
        self.enter()?;
        let statement = self.statement_inside();
        self.depth -= 1;
        statement
    }

    fn statement_inside(&mut self) -> Parsed<Statement> {
        match self.peek() {
            Token::Sign("{") => return Ok(Statement::Block(self.braces()?)),
            Token::Word(Word::If) => return self.condition(),
            Token::Word(Word::While) => {
                self.at += 1;
                let condition = self.in_parentheses()?;
                return Ok(Statement::While(condition, self.body()?));
            }
            Token::Word(Word::For) => return self.for_loop(),
            Token::Word(Word::Do) => {
                self.at += 1;
                let body = self.body()?;
                self.skip_ends();
                if !self.takes_word(Word::While) {
                    return Err(WRONG);
                }
                let condition = self.in_parentheses()?;
                self.statement_end()?;
                return Ok(Statement::DoWhile(body, condition));
            }
            _ => {}
        }
        let statement = self.simple_statement()?;
        self.statement_end()?;
        Ok(statement)
    }

    fn statement_end(&mut self) -> Parsed<()> {
        match self.peek() {
            Token::Newline | Token::Sign(";") => {
                self.at += 1;
                Ok(())
            }
            Token::Sign("}") | Token::End => Ok(()),
            _ => Err(WRONG),
        }
    }

    fn in_parentheses(&mut self) -> Parsed<Expression> {
        self.expect("(")?;
        let expression = self.nested(Self::expression)?;
        self.expect(")")?;
        Ok(expression)
    }

    /// Where `>` compares, whatever it is outside.
    fn nested<T>(&mut self, read: fn(&mut Self) -> Parsed<T>) -> Parsed<T> {
        let greater = std::mem::replace(&mut self.greater, Greater::Compares);
        let result = read(self);
        self.greater = greater;
        result
    }

    fn condition(&mut self) -> Parsed<Statement> {
        self.at += 1;
        let condition = self.in_parentheses()?;
        let then = self.body()?;
        let behind = self.at;
        self.skip_ends();
        if !self.takes_word(Word::Else) {
            self.at = behind;
            return Ok(Statement::If(condition, then, Vec::new()));
        }
        Ok(Statement::If(condition, then, self.body()?))
    }

    fn for_loop(&mut self) -> Parsed<Statement> {
        self.at += 1;
        self.expect("(")?;
        let ahead = (self.tokens.get(self.at), self.tokens.get(self.at + 1));
        if let (Some(Token::Name(key)), Some(Token::Word(Word::In))) = ahead
            && let Some(Token::Name(array)) = self.tokens.get(self.at + 2)
            && self.tokens.get(self.at + 3) == Some(&Token::Sign(")"))
        {
            let (key, array) = (key.clone(), array.clone());
            self.at += 4;
            let key = self.variable(&key);
            let array = self.array(&array);
            return Ok(Statement::ForIn(key, array, self.body()?));
        }
        let first = match self.takes(";") {
            true => Vec::new(),
            false => {
                let statement = self.simple_statement()?;
                self.expect(";")?;
                vec![statement]
            }
        };
        self.skip_newlines();
        let condition = match self.takes(";") {
            true => None,
            false => {
                let condition = self.expression()?;
                self.expect(";")?;
                Some(condition)
            }
        };
        self.skip_newlines();
        let step = match self.takes(")") {
            true => Vec::new(),
            false => {
                let statement = self.simple_statement()?;
                self.expect(")")?;
                vec![statement]
            }
        };
        Ok(Statement::For(first, condition, step, self.body()?))
    }

    fn simple_statement(&mut self) -> Parsed<Statement> {
        let Token::Word(word) = *self.peek() else {
            return Ok(Statement::Expression(self.expression()?));
        };
        if word == Word::Getline {
            return Ok(Statement::Expression(self.expression()?));
        }
        self.at += 1;
        Ok(match word {
            Word::Break => Statement::Break,
            Word::Continue => Statement::Continue,
            Word::Next => Statement::Next,
            Word::NextFile => Statement::NextFile,
            Word::Exit => Statement::Exit(self.optional()?),
            Word::Return => Statement::Return(self.optional()?),
            Word::Delete => {
                let Token::Name(name) = self.next() else { return Err(WRONG) };
                let array = self.array(&name);
                match self.takes("[") {
                    true => Statement::Delete(array, self.list_until("]")?),
                    false => Statement::DeleteAll(array),
                }
            }
            Word::Print => {
                let (values, redirection) = self.print()?;
                Statement::Print(values, redirection)
            }
            Word::Printf => {
                let (values, redirection) = self.print()?;
                if values.is_empty() {
                    return Err(WRONG);
                }
                Statement::Printf(values, redirection)
            }
            _ => return Err(WRONG),
        })
    }

    fn optional(&mut self) -> Parsed<Option<Expression>> {
        match self.peek() {
            Token::Newline | Token::Sign(";" | "}") | Token::End => Ok(None),
            _ => Ok(Some(self.expression()?)),
        }
    }

    /// What `print` and `printf` are given, with or without parentheses, and where it goes.
    fn print(&mut self) -> Parsed<(Vec<Expression>, Option<Redirection>)> {
        let start = self.at;
        if self.takes("(") {
            let values = self.nested(|parser| parser.list_until(")"));
            let ends = matches!(
                self.peek(),
                Token::Newline | Token::Sign(";" | "}" | ">" | ">>" | "|") | Token::End
            );
            if let (Ok(values), true) = (values, ends) {
                return Ok((values, self.redirection()?));
            }
            self.at = start;
        }
        let greater = std::mem::replace(&mut self.greater, Greater::Redirects);
        let values = self.values();
        self.greater = greater;
        Ok((values?, self.redirection()?))
    }

    fn values(&mut self) -> Parsed<Vec<Expression>> {
        let mut values = Vec::new();
        let ends = |token: &Token| {
            matches!(token, Token::Newline | Token::Sign(";" | "}" | ">" | ">>" | "|") | Token::End)
        };
        if ends(self.peek()) {
            return Ok(values);
        }
        loop {
            values.push(self.expression()?);
            if !self.takes(",") {
                return Ok(values);
            }
            self.skip_newlines();
        }
    }

    fn redirection(&mut self) -> Parsed<Option<Redirection>> {
        let is_append = match self.peek() {
            Token::Sign(">") => false,
            Token::Sign(">>") => true,
            Token::Sign("|") => {
                self.at += 1;
                self.concatenation()?;
                return Ok(Some(Redirection::Command));
            }
            _ => return Ok(None),
        };
        self.at += 1;
        let name = self.concatenation()?;
        if self.peek() == &Token::Sign("?") {
            return Err(Failure::NotUnderstood("has a condition behind `>`"));
        }
        Ok(Some(if is_append { Redirection::Append(name) } else { Redirection::Write(name) }))
    }

    /// Expressions up to and with the sign that ends them.
    fn list_until(&mut self, end: &'static str) -> Parsed<Vec<Expression>> {
        let mut list = Vec::new();
        self.skip_newlines();
        if self.takes(end) {
            return Ok(list);
        }
        loop {
            list.push(self.nested(Self::expression)?);
            self.skip_newlines();
            if self.takes(end) {
                return Ok(list);
            }
            self.expect(",")?;
            self.skip_newlines();
        }
    }

    fn variable(&mut self, name: &BString) -> Variable {
        if let Some(local) = self.locals.iter().position(|local| local == name) {
            return Variable::Local(local);
        }
        let globals = &mut self.program.globals;
        let known = globals.iter().position(|global| global == name);
        Variable::Global(known.unwrap_or_else(|| {
            globals.push(name.clone());
            globals.len() - 1
        }))
    }

    fn array(&mut self, name: &BString) -> Variable {
        let variable = self.variable(name);
        if let Variable::Local(local) = variable {
            self.arrays[local] = true;
        }
        variable
    }
}
