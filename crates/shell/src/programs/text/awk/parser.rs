//! From tokens to a [`Program`] (POSIX XCU awk, "Grammar").

use std::rc::Rc;

use bstr::BString;

use super::interpret::special;
use super::lexer::{self, Builtin, Token, Word};
use super::syntax::{
    Block, Comparison, Counts, Expression, Function, Operator, Pattern, Place, Program,
    Redirection, Rule, Statement, Variable, Wanted,
};
use crate::regular_expression::{Dialect, Options, Regex, RegexError};

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

    fn expression(&mut self) -> Parsed<Expression> {
        self.enter()?;
        let result = self.assignment();
        self.depth -= 1;
        result
    }

    fn assignment(&mut self) -> Parsed<Expression> {
        let left = self.conditional()?;
        let operator = match self.peek() {
            Token::Sign("=") => None,
            Token::Sign("+=") => Some(Operator::Add),
            Token::Sign("-=") => Some(Operator::Subtract),
            Token::Sign("*=") => Some(Operator::Multiply),
            Token::Sign("/=") => Some(Operator::Divide),
            Token::Sign("%=") => Some(Operator::Remainder),
            Token::Sign("^=") => Some(Operator::Power),
            _ => return Ok(left),
        };
        self.at += 1;
        self.skip_newlines();
        let right = Box::new(self.expression()?);
        // `a == b = c`, and `!x = y`, assign to what is rightmost.
        assigned(left, operator, right).ok_or(WRONG)
    }

    fn conditional(&mut self) -> Parsed<Expression> {
        let condition = self.or()?;
        if !self.takes("?") {
            return Ok(condition);
        }
        self.skip_newlines();
        let then = self.expression()?;
        self.skip_newlines();
        self.expect(":")?;
        self.skip_newlines();
        let other = self.expression()?;
        Ok(Expression::Condition(Box::new(condition), Box::new(then), Box::new(other)))
    }

    fn or(&mut self) -> Parsed<Expression> {
        let mut left = self.and()?;
        while self.takes("||") {
            self.skip_newlines();
            left = Expression::Or(Box::new(left), Box::new(self.and()?));
        }
        Ok(left)
    }

    fn and(&mut self) -> Parsed<Expression> {
        let mut left = self.membership()?;
        while self.takes("&&") {
            self.skip_newlines();
            left = Expression::And(Box::new(left), Box::new(self.membership()?));
        }
        Ok(left)
    }

    fn membership(&mut self) -> Parsed<Expression> {
        let mut left = self.matching()?;
        while self.takes_word(Word::In) {
            let Token::Name(name) = self.next() else { return Err(WRONG) };
            left = Expression::In(vec![left], self.array(&name));
        }
        Ok(left)
    }

    fn matching(&mut self) -> Parsed<Expression> {
        let mut left = self.comparison()?;
        loop {
            let wanted = match self.peek() {
                Token::Sign("~") => Wanted::Match,
                Token::Sign("!") if self.tokens.get(self.at + 1) == Some(&Token::Sign("~")) => {
                    self.at += 1;
                    Wanted::NoMatch
                }
                _ => return Ok(left),
            };
            self.at += 1;
            left = Expression::Matches(Box::new(left), Box::new(self.comparison()?), wanted);
        }
    }

    fn comparison(&mut self) -> Parsed<Expression> {
        let left = self.concatenation()?;
        let comparison = match self.peek() {
            Token::Sign("<") => Comparison::Less,
            Token::Sign("<=") => Comparison::LessOrEqual,
            Token::Sign("==") => Comparison::Equal,
            Token::Sign("!=") => Comparison::NotEqual,
            Token::Sign(">") if self.greater == Greater::Compares => Comparison::Greater,
            // mawk takes the `>` for a redirection.
            Token::Sign(">=") if self.greater == Greater::Redirects => return Err(WRONG),
            Token::Sign(">=") => Comparison::GreaterOrEqual,
            _ => return Ok(left),
        };
        self.at += 1;
        let right = self.concatenation()?;
        let is_chained = matches!(self.peek(), Token::Sign("<" | "<=" | "==" | "!=" | ">=")) || {
            self.peek() == &Token::Sign(">") && self.greater == Greater::Compares
        };
        if is_chained {
            return Err(Failure::NotUnderstood("compares a comparison"));
        }
        Ok(Expression::Compare(comparison, Box::new(left), Box::new(right)))
    }

    fn concatenation(&mut self) -> Parsed<Expression> {
        let mut left = self.sum()?;
        if self.begins_operand() {
            let mut parts = vec![left];
            while self.begins_operand() {
                parts.push(self.sum()?);
            }
            left = Expression::Concatenate(parts);
        }
        if self.peek() == &Token::Sign("|")
            && self.tokens.get(self.at + 1) == Some(&Token::Word(Word::Getline))
        {
            self.at += 2;
            self.getline_target()?;
            return Ok(Expression::Command);
        }
        Ok(left)
    }

    fn begins_operand(&self) -> bool {
        match self.peek() {
            Token::Number(_) | Token::Text(_) | Token::Pattern(_) | Token::Name(_) => true,
            Token::Call(_) | Token::Builtin(_) => true,
            Token::Sign("!") => self.tokens.get(self.at + 1) != Some(&Token::Sign("~")),
            Token::Sign(sign) => matches!(*sign, "$" | "(" | "++" | "--" | "-" | "+"),
            _ => false,
        }
    }

    fn sum(&mut self) -> Parsed<Expression> {
        let mut left = self.product()?;
        loop {
            let operator = match self.peek() {
                Token::Sign("+") => Operator::Add,
                Token::Sign("-") => Operator::Subtract,
                _ => return Ok(left),
            };
            self.at += 1;
            left = Expression::Binary(operator, Box::new(left), Box::new(self.product()?));
        }
    }

    fn product(&mut self) -> Parsed<Expression> {
        let mut left = self.unary()?;
        loop {
            let operator = match self.peek() {
                Token::Sign("*") => Operator::Multiply,
                Token::Sign("/") => Operator::Divide,
                Token::Sign("%") => Operator::Remainder,
                _ => return Ok(left),
            };
            self.at += 1;
            left = Expression::Binary(operator, Box::new(left), Box::new(self.unary()?));
        }
    }

    fn unary(&mut self) -> Parsed<Expression> {
        self.enter()?;
        let expression = match self.peek() {
            Token::Sign("!") => {
                self.at += 1;
                Expression::Not(Box::new(self.unary()?))
            }
            Token::Sign("-") => {
                self.at += 1;
                Expression::Minus(Box::new(self.unary()?))
            }
            Token::Sign("+") => {
                self.at += 1;
                Expression::Plus(Box::new(self.unary()?))
            }
            _ => self.power()?,
        };
        self.depth -= 1;
        Ok(expression)
    }

    fn power(&mut self) -> Parsed<Expression> {
        let base = self.postfix()?;
        if !self.takes("^") {
            return Ok(base);
        }
        let exponent = self.unary()?;
        Ok(Expression::Binary(Operator::Power, Box::new(base), Box::new(exponent)))
    }

    fn postfix(&mut self) -> Parsed<Expression> {
        let expression = self.primary()?;
        let step = match self.peek() {
            Token::Sign("++") => 1.0,
            Token::Sign("--") => -1.0,
            _ => return Ok(expression),
        };
        match expression {
            Expression::Place(place) => {
                self.at += 1;
                Ok(Expression::Step(place, step, Counts::Before))
            }
            other => Ok(other),
        }
    }

    fn primary(&mut self) -> Parsed<Expression> {
        match self.next() {
            Token::Number(number) => Ok(Expression::Number(number)),
            Token::Text(text) => Ok(Expression::Text(text)),
            Token::Pattern(pattern) => {
                let regex = Regex::new(&pattern, Dialect::Awk, Options::default());
                Ok(Expression::Pattern(Rc::new(regex.map_err(Failure::Pattern)?)))
            }
            Token::Sign("$") => {
                let place = Place::Field(self.field_number()?);
                Ok(Expression::Place(Box::new(place)))
            }
            Token::Sign(sign @ ("++" | "--")) => {
                let step = if sign == "++" { 1.0 } else { -1.0 };
                match self.primary()? {
                    Expression::Place(place) => Ok(Expression::Step(place, step, Counts::After)),
                    _ => Err(WRONG),
                }
            }
            Token::Sign("(") => self.parenthesized(),
            Token::Name(name) => self.named(&name),
            Token::Call(name) => self.call(&name),
            Token::Builtin(builtin) => self.builtin(builtin),
            Token::Word(Word::Getline) => {
                let target = self.getline_target()?;
                let file = match self.takes("<") {
                    true => Some(Box::new(self.postfix()?)),
                    false => None,
                };
                Ok(Expression::Getline(target, file))
            }
            _ => Err(WRONG),
        }
    }

    fn field_number(&mut self) -> Parsed<Expression> {
        self.enter()?;
        let number = match self.peek() {
            Token::Sign("-") => {
                self.at += 1;
                Expression::Minus(Box::new(self.field_number()?))
            }
            _ => self.primary()?,
        };
        self.depth -= 1;
        Ok(number)
    }

    fn parenthesized(&mut self) -> Parsed<Expression> {
        let mut list = self.nested(|parser| parser.list_until(")"))?;
        if list.len() > 1 {
            if !self.takes_word(Word::In) {
                return Err(WRONG);
            }
            let Token::Name(name) = self.next() else { return Err(WRONG) };
            return Ok(Expression::In(list, self.array(&name)));
        }
        let inner = list.pop().ok_or(WRONG)?;
        Ok(Expression::Grouped(Box::new(inner)))
    }

    fn named(&mut self, name: &BString) -> Parsed<Expression> {
        let place = match self.takes("[") {
            true => {
                let array = self.array(name);
                let subscript = self.list_until("]")?;
                if subscript.is_empty() {
                    return Err(WRONG);
                }
                Place::Element(array, subscript)
            }
            false => Place::Variable(self.variable(name)),
        };
        Ok(Expression::Place(Box::new(place)))
    }

    fn call(&mut self, name: &BString) -> Parsed<Expression> {
        self.expect("(")?;
        let arguments = self.list_until(")")?;
        let callee = self.function_index(name);
        for (theirs, argument) in arguments.iter().enumerate() {
            if let Expression::Place(place) = argument
                && let Place::Variable(Variable::Local(own)) = **place
                && let Some(caller) = self.function
            {
                self.passed.push((caller, own, callee, theirs));
            }
        }
        Ok(Expression::Call(callee, arguments))
    }

    fn builtin(&mut self, builtin: Builtin) -> Parsed<Expression> {
        let arguments = match self.takes("(") {
            true => self.list_until(")")?,
            false if builtin == Builtin::Length => Vec::new(),
            false => return Err(WRONG),
        };
        if builtin == Builtin::Split
            && let Some(Expression::Place(place)) = arguments.get(1)
            && let Place::Variable(Variable::Local(local)) = **place
        {
            self.arrays[local] = true;
        }
        let (least, most) = match builtin {
            Builtin::Length => (0, 1),
            Builtin::Substr | Builtin::Split | Builtin::Sub | Builtin::Gsub => (2, 3),
            Builtin::Index | Builtin::Match | Builtin::Atan2 => (2, 2),
            Builtin::Sprintf => (1, usize::MAX),
            Builtin::Rand | Builtin::Time => (0, 0),
            Builtin::Srand | Builtin::Fflush => (0, 1),
            Builtin::Strftime => (0, 3),
            _ => (1, 1),
        };
        if arguments.len() < least || arguments.len() > most {
            return Err(WRONG);
        }
        Ok(Expression::Builtin(builtin, arguments))
    }

    fn getline_target(&mut self) -> Parsed<Option<Box<Place>>> {
        if !matches!(self.peek(), Token::Name(_) | Token::Sign("$")) {
            return Ok(None);
        }
        match self.primary()? {
            Expression::Place(place) => Ok(Some(place)),
            _ => Err(WRONG),
        }
    }
}

/// An assignment to the rightmost place of what stands in front of the `=`.
fn assigned(
    left: Expression,
    operator: Option<Operator>,
    right: Box<Expression>,
) -> Option<Expression> {
    Some(match left {
        Expression::Place(place) => match operator {
            None => Expression::Assign(place, right),
            Some(operator) => Expression::Update(place, operator, right),
        },
        Expression::And(first, last) => {
            Expression::And(first, Box::new(assigned(*last, operator, right)?))
        }
        Expression::Or(first, last) => {
            Expression::Or(first, Box::new(assigned(*last, operator, right)?))
        }
        Expression::Not(last) => Expression::Not(Box::new(assigned(*last, operator, right)?)),
        _ => return None,
    })
}
