//! Expressions, from those that bind the least to those that bind the most.

use std::rc::Rc;

use bstr::BString;

use super::{Failure, Greater, Parsed, Parser, WRONG};
use crate::programs::text::awk::lexer::{Builtin, Token, Word};
use crate::programs::text::awk::syntax::{
    Comparison, Counts, Expression, Operator, Place, Variable, Wanted,
};
use crate::regular_expression::{Dialect, Options, Regex};
impl Parser {
    pub(super) fn expression(&mut self) -> Parsed<Expression> {
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

    pub(super) fn concatenation(&mut self) -> Parsed<Expression> {
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
