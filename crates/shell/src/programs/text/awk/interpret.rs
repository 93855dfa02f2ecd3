//! A program at work.

use std::collections::HashMap;
use std::rc::Rc;

use bstr::{BString, ByteSlice};

use super::input::{Main, Reader, Record};
use super::places::{Array, Cell};
use super::syntax::{
    Block, Comparison, Counts, Expression, Operator, Pattern, Place, Program, Redirection, Rule,
    Statement, Variable, Wanted,
};
use super::value::{Unknown, Value};
use crate::descriptor::Handle;
use crate::limits::within;
use crate::process::{Process, errno};
use crate::programs::text::sink::{self, Existing};
use crate::regular_expression::{Dialect, Options, Regex};
use crate::stop::{Reason, Stop};

/// The variables that the language has, by their place among the global ones.
pub(super) mod special {
    pub(in super::super) const NAMES: [&str; 16] = [
        "NF", "NR", "FNR", "FS", "OFS", "ORS", "RS", "SUBSEP", "CONVFMT", "OFMT", "RSTART",
        "RLENGTH", "FILENAME", "ENVIRON", "ARGC", "ARGV",
    ];
    pub(in super::super) const NF: usize = 0;
    pub(in super::super) const NR: usize = 1;
    pub(in super::super) const FNR: usize = 2;
    pub(in super::super) const FS: usize = 3;
    pub(in super::super) const OFS: usize = 4;
    pub(in super::super) const ORS: usize = 5;
    pub(in super::super) const RS: usize = 6;
    pub(in super::super) const SUBSEP: usize = 7;
    pub(in super::super) const CONVFMT: usize = 8;
    pub(in super::super) const OFMT: usize = 9;
    pub(in super::super) const RSTART: usize = 10;
    pub(in super::super) const RLENGTH: usize = 11;
    pub(in super::super) const FILENAME: usize = 12;
    pub(in super::super) const ENVIRON: usize = 13;
    pub(in super::super) const ARGC: usize = 14;
    pub(in super::super) const ARGV: usize = 15;
}

/// Expressions inside of each other, those of the functions that they call included.
const DEEPEST: u64 = 100;
/// Regular expressions that are kept for strings.
const MOST_PATTERNS: usize = 200;

/// What ends a program before its end.
#[derive(Debug)]
pub(super) enum Halt {
    /// The evaluation ends.
    Stop(Stop),
    /// An exit status.
    Status(u8),
}

impl From<Stop> for Halt {
    fn from(stop: Stop) -> Self {
        Halt::Stop(stop)
    }
}

/// Where a statement leads.
#[derive(Debug, PartialEq)]
enum Flow {
    Next,
    Break,
    Continue,
    NextRecord,
    NextFile,
    Exit,
    Return(Value),
}

/// The state of a run.
pub(super) struct Awk<'a, 'p, 'm, 'o: 'm> {
    pub(super) process: &'p mut Process<'m, 'o>,
    pub(super) program: &'a Program,
    pub(super) globals: Vec<Cell>,
    pub(super) frames: Vec<Vec<Cell>>,
    pub(super) main: Main,
    pub(super) record: Record,
    /// Files that `getline` reads.
    pub(super) readers: HashMap<BString, Reader>,
    pub(super) outputs: HashMap<BString, Handle>,
    patterns: HashMap<BString, Rc<Regex>>,
    /// For each rule whether it is between the records of its range.
    ranges: Vec<bool>,
    status: u8,
    depth: u64,
}

impl<'a, 'p, 'm, 'o> Awk<'a, 'p, 'm, 'o> {
    /// Nothing done yet.
    pub(super) fn new(
        process: &'p mut Process<'m, 'o>,
        program: &'a Program,
        operands: Vec<BString>,
    ) -> Self {
        let mut globals = vec![Cell::Unset; program.globals.len()];
        let number = |number: usize| Cell::Scalar(Value::Number(number as f64));
        let text = |text: &str| Cell::Scalar(Value::text(text));
        globals[special::NR] = number(0);
        globals[special::FNR] = number(0);
        globals[special::FS] = text(" ");
        globals[special::OFS] = text(" ");
        globals[special::ORS] = text("\n");
        globals[special::RS] = text("\n");
        globals[special::SUBSEP] = text("\u{1c}");
        globals[special::CONVFMT] = text("%.6g");
        globals[special::OFMT] = text("%.6g");
        globals[special::RSTART] = number(0);
        globals[special::RLENGTH] = Cell::Scalar(Value::Number(-1.0));
        globals[special::ARGC] = number(operands.len() + 1);
        let environment = Array::default();
        for (name, value) in &process.environment {
            environment.borrow_mut().insert(name.clone(), Value::input(value.clone()));
        }
        globals[special::ENVIRON] = Cell::Array(environment);
        let arguments = Array::default();
        let all = std::iter::once(BString::from(process.name())).chain(operands);
        for (at, argument) in all.enumerate() {
            arguments.borrow_mut().insert(at.to_string().into(), Value::input(argument));
        }
        globals[special::ARGV] = Cell::Array(arguments);
        Awk {
            process,
            program,
            globals,
            frames: Vec::new(),
            main: Main::default(),
            record: Record::default(),
            readers: HashMap::new(),
            outputs: HashMap::new(),
            patterns: HashMap::new(),
            ranges: vec![false; program.rules.len()],
            status: 0,
            depth: 0,
        }
    }

    pub(super) fn refused(&self, what: &str) -> Stop {
        self.process.refuse(Reason::Use(what.to_owned()))
    }

    /// What is known, or else the end.
    pub(super) fn known<T>(&self, result: Result<T, Unknown>) -> Result<T, Halt> {
        result.map_err(|what| self.refused(what).into())
    }

    /// Runs all of the program.
    pub(super) fn run(&mut self) -> Result<u8, Halt> {
        let program = self.program;
        let mut has_exited = false;
        for block in &program.begin {
            has_exited = self.block(block)? != Flow::Next;
            if has_exited {
                break;
            }
        }
        let reads = !program.rules.is_empty() || !program.end.is_empty();
        if !has_exited && reads {
            self.records()?;
        }
        // An `exit` outside of them leads to the actions of `END`.
        for block in &program.end {
            if self.block(block)? == Flow::Exit {
                break;
            }
        }
        Ok(self.status)
    }

    /// All records, up to an `exit`.
    fn records(&mut self) -> Result<(), Halt> {
        let program = self.program;
        while let Some(record) = self.next_record()? {
            self.set_record(record);
            for (index, rule) in program.rules.iter().enumerate() {
                if !self.applies(index, rule)? {
                    continue;
                }
                let flow = match &rule.action {
                    Some(action) => self.block(action)?,
                    None => self.print(&[], None).map(|()| Flow::Next)?,
                };
                match flow {
                    Flow::NextRecord => break,
                    Flow::NextFile => {
                        self.skip_file();
                        break;
                    }
                    Flow::Exit => return Ok(()),
                    _ => {}
                }
            }
        }
        Ok(())
    }

    fn applies(&mut self, index: usize, rule: &Rule) -> Result<bool, Halt> {
        match &rule.pattern {
            Pattern::Always => Ok(true),
            Pattern::If(condition) => self.is_true(condition),
            Pattern::Range(first, last) => {
                if !self.ranges[index] && !self.is_true(first)? {
                    return Ok(false);
                }
                self.ranges[index] = !self.is_true(last)?;
                Ok(true)
            }
        }
    }

    fn block(&mut self, block: &Block) -> Result<Flow, Halt> {
        for statement in block {
            let flow = self.statement(statement)?;
            if flow != Flow::Next {
                return Ok(flow);
            }
        }
        Ok(Flow::Next)
    }

    fn statement(&mut self, statement: &Statement) -> Result<Flow, Halt> {
        match statement {
            Statement::Expression(expression) => self.evaluate(expression).map(|_| Flow::Next),
            Statement::Print(values, redirection) => {
                self.print(values, redirection.as_ref()).map(|()| Flow::Next)
            }
            Statement::Printf(values, redirection) => {
                let text = self.formatted(values)?;
                self.write(redirection.as_ref(), &text).map(|()| Flow::Next)
            }
            Statement::If(condition, then, other) => {
                let branch = if self.is_true(condition)? { then } else { other };
                self.block(branch)
            }
            Statement::Block(block) => self.block(block),
            Statement::While(..) | Statement::DoWhile(..) | Statement::For(..) => {
                self.repeat(statement)
            }
            Statement::ForIn(key, array, body) => self.for_in(*key, *array, body),
            Statement::Break => Ok(Flow::Break),
            Statement::Continue => Ok(Flow::Continue),
            Statement::Next => Ok(Flow::NextRecord),
            Statement::NextFile => Ok(Flow::NextFile),
            Statement::Exit(status) => self.exit(status.as_ref()),
            Statement::Return(None) => Ok(Flow::Return(Value::Unset)),
            Statement::Return(Some(value)) => self.evaluate(value).map(Flow::Return),
            Statement::Delete(array, subscript) => {
                let key = self.key(subscript)?;
                self.array(*array)?.borrow_mut().remove(&key);
                Ok(Flow::Next)
            }
            Statement::DeleteAll(array) => {
                self.array(*array)?.borrow_mut().clear();
                Ok(Flow::Next)
            }
        }
    }

    fn exit(&mut self, status: Option<&Expression>) -> Result<Flow, Halt> {
        if let Some(status) = status {
            self.status = (self.number(status)?.trunc() as i64).to_le_bytes()[0];
        }
        Ok(Flow::Exit)
    }

    fn repeat(&mut self, statement: &Statement) -> Result<Flow, Halt> {
        match statement {
            Statement::While(condition, body) => {
                while self.is_true(condition)? {
                    if let Some(flow) = self.iteration(body)? {
                        return Ok(flow);
                    }
                }
            }
            Statement::DoWhile(body, condition) => loop {
                if let Some(flow) = self.iteration(body)? {
                    return Ok(flow);
                }
                if !self.is_true(condition)? {
                    break;
                }
            },
            Statement::For(first, condition, step, body) => {
                self.block(first)?;
                while condition.as_ref().map_or(Ok(true), |condition| self.is_true(condition))? {
                    if let Some(flow) = self.iteration(body)? {
                        return Ok(flow);
                    }
                    self.block(step)?;
                }
            }
            _ => {}
        }
        Ok(Flow::Next)
    }

    /// One round of a loop; where it leads if the loop is over.
    fn iteration(&mut self, body: &Block) -> Result<Option<Flow>, Halt> {
        self.process.machine.budget.step()?;
        Ok(match self.block(body)? {
            Flow::Next | Flow::Continue => None,
            Flow::Break => Some(Flow::Next),
            flow => Some(flow),
        })
    }

    fn for_in(&mut self, key: Variable, array: Variable, body: &Block) -> Result<Flow, Halt> {
        let keys: Vec<BString> = self.array(array)?.borrow().keys().cloned().collect();
        if keys.len() > 1 && !body.iter().all(|statement| is_without_order(statement, key)) {
            return Err(self.refused("depends on the order of an array's elements").into());
        }
        for text in keys {
            self.assign(&Place::Variable(key), Value::input(text))?;
            if let Some(flow) = self.iteration(body)? {
                return Ok(flow);
            }
        }
        Ok(Flow::Next)
    }

    fn print(
        &mut self,
        values: &[Expression],
        redirection: Option<&Redirection>,
    ) -> Result<(), Halt> {
        let mut line = Vec::new();
        if values.is_empty() {
            line.extend_from_slice(&self.record.text);
        }
        for (at, value) in values.iter().enumerate() {
            if at > 0 {
                line.extend_from_slice(&self.text_of(special::OFS)?);
            }
            let value = self.evaluate(value)?;
            let format = self.text_of(special::OFMT)?;
            let text = self.known(value.string(&format))?;
            line.extend_from_slice(&text);
        }
        line.extend_from_slice(&self.text_of(special::ORS)?);
        self.write(redirection, &line)
    }

    pub(super) fn formatted(&mut self, values: &[Expression]) -> Result<BString, Halt> {
        let mut all = Vec::with_capacity(values.len());
        for value in values {
            all.push(self.evaluate(value)?);
        }
        let format = self.text(&all.remove(0))?;
        self.known(super::format::format(&format, &all))
    }

    fn write(&mut self, redirection: Option<&Redirection>, bytes: &[u8]) -> Result<(), Halt> {
        let (name, existing) = match redirection {
            None => return Ok(self.process.write(bytes)?),
            Some(Redirection::Command) => return Err(self.refused("runs other programs").into()),
            Some(Redirection::Write(name)) => (name, Existing::Emptied),
            Some(Redirection::Append(name)) => (name, Existing::Kept),
        };
        let name = self.evaluate(name)?;
        let name = self.text(&name)?;
        if name == "-" {
            return Ok(self.process.write(bytes)?);
        }
        let handle = match self.outputs.get(&name) {
            Some(handle) => handle.clone(),
            None => match errno(sink::open(self.process, &name, existing))? {
                Ok(handle) => {
                    self.outputs.insert(name, handle.clone());
                    handle
                }
                Err(_) => return Err(self.refused("writes a file that it cannot write").into()),
            },
        };
        Ok(sink::write(self.process, &handle, bytes)?)
    }

    /// A value as a string, by `CONVFMT`.
    pub(super) fn text(&mut self, value: &Value) -> Result<BString, Halt> {
        let format = match value {
            Value::Number(_) => self.text_of(special::CONVFMT)?,
            _ => BString::default(),
        };
        self.known(value.string(&format))
    }

    pub(super) fn number(&mut self, expression: &Expression) -> Result<f64, Halt> {
        let value = self.evaluate(expression)?;
        self.known(value.number())
    }

    fn is_true(&mut self, expression: &Expression) -> Result<bool, Halt> {
        Ok(self.evaluate(expression)?.is_true())
    }

    /// The regular expression that a string is.
    pub(super) fn regex(&mut self, text: &[u8]) -> Result<Rc<Regex>, Halt> {
        if let Some(regex) = self.patterns.get(text.as_bstr()) {
            return Ok(Rc::clone(regex));
        }
        let regex = Regex::new(text, Dialect::Awk, Options::default());
        let regex = Rc::new(regex.map_err(|error| error.refusal(self.process))?);
        if self.patterns.len() >= MOST_PATTERNS {
            self.patterns.clear();
        }
        self.patterns.insert(text.into(), Rc::clone(&regex));
        Ok(regex)
    }

    /// What an expression is as a pattern.
    pub(super) fn pattern(&mut self, expression: &Expression) -> Result<Rc<Regex>, Halt> {
        if let Expression::Pattern(regex) = expression {
            return Ok(Rc::clone(regex));
        }
        let value = self.evaluate(expression)?;
        let text = self.text(&value)?;
        self.regex(&text)
    }

    /// The value of an expression. How deep expressions and calls are inside of each other is
    /// bounded by the stack of a thread.
    pub(super) fn evaluate(&mut self, expression: &Expression) -> Result<Value, Halt> {
        self.depth += 1;
        within("the depth of expressions", self.depth, DEEPEST)?;
        let value = self.evaluate_inside(expression);
        self.depth -= 1;
        value
    }

    fn evaluate_inside(&mut self, expression: &Expression) -> Result<Value, Halt> {
        match expression {
            Expression::Number(number) => Ok(Value::Number(*number)),
            Expression::Text(text) => Ok(Value::Text(text.clone())),
            Expression::Grouped(inner) => self.evaluate(inner),
            Expression::Place(place) => self.read(place),
            Expression::Concatenate(parts) => self.concatenated(parts),
            Expression::Condition(condition, then, other) => {
                let branch = if self.is_true(condition)? { then } else { other };
                self.evaluate(branch)
            }
            Expression::Call(function, arguments) => self.call(*function, arguments),
            Expression::Builtin(builtin, arguments) => self.builtin(*builtin, arguments),
            Expression::Getline(target, file) => self.getline(target.as_deref(), file.as_deref()),
            Expression::Command => Err(self.refused("runs other programs").into()),
            Expression::Assign(..) | Expression::Update(..) | Expression::Step(..) => {
                self.assignment(expression)
            }
            Expression::Binary(operator, left, right) => {
                let (left, right) = (self.number(left)?, self.number(right)?);
                Ok(Value::Number(calculated(*operator, left, right)))
            }
            Expression::Minus(inner) => Ok(Value::Number(-self.number(inner)?)),
            Expression::Plus(inner) => Ok(Value::Number(self.number(inner)?)),
            _ => Ok(Value::of_bool(self.test(expression)?)),
        }
    }

    fn assignment(&mut self, expression: &Expression) -> Result<Value, Halt> {
        match expression {
            Expression::Assign(place, value) => {
                let value = self.evaluate(value)?;
                self.assign(place, value.clone())?;
                Ok(value)
            }
            Expression::Update(place, operator, value) => {
                let right = self.number(value)?;
                let left = self.read(place)?;
                let left = self.known(left.number())?;
                let result = Value::Number(calculated(*operator, left, right));
                self.assign(place, result.clone())?;
                Ok(result)
            }
            Expression::Step(place, step, counts) => {
                let old = self.read(place)?;
                let old = self.known(old.number())?;
                self.assign(place, Value::Number(old + step))?;
                Ok(Value::Number(if *counts == Counts::Before { old } else { old + step }))
            }
            _ => Ok(Value::Unset),
        }
    }

    /// What is either true or not.
    fn test(&mut self, expression: &Expression) -> Result<bool, Halt> {
        match expression {
            Expression::Pattern(regex) => {
                let is_match = regex.is_match(&self.record.text);
                is_match.map_err(|error| error.refusal(self.process).into())
            }
            Expression::Compare(comparison, left, right) => {
                let (left, right) = (self.evaluate(left)?, self.evaluate(right)?);
                let format = self.text_of(special::CONVFMT)?;
                let order = self.known(left.compare(&right, &format))?;
                Ok(order.is_some_and(|order| holds(*comparison, order)))
            }
            Expression::And(left, right) => Ok(self.is_true(left)? && self.is_true(right)?),
            Expression::Or(left, right) => Ok(self.is_true(left)? || self.is_true(right)?),
            Expression::Not(inner) => Ok(!self.is_true(inner)?),
            Expression::Matches(text, pattern, wanted) => {
                let value = self.evaluate(text)?;
                let text = self.text(&value)?;
                let is_match = self.pattern(pattern)?.is_match(&text);
                let is_match = is_match.map_err(|error| error.refusal(self.process))?;
                Ok(is_match == (*wanted == Wanted::Match))
            }
            Expression::In(subscript, array) => {
                let key = self.key(subscript)?;
                Ok(self.array(*array)?.borrow().contains_key(&key))
            }
            other => self.is_true(other),
        }
    }

    fn concatenated(&mut self, parts: &[Expression]) -> Result<Value, Halt> {
        let mut text = BString::default();
        for part in parts {
            let value = self.evaluate(part)?;
            text.extend_from_slice(&self.text(&value)?);
        }
        self.process.machine.budget.hold(text.len())?;
        Ok(Value::Text(text))
    }

    fn call(&mut self, index: usize, arguments: &[Expression]) -> Result<Value, Halt> {
        let function = &self.program.functions[index];
        if arguments.len() > function.parameters.len() {
            return Err(self.refused("calls a function with too many arguments").into());
        }
        self.process.machine.budget.step()?;
        self.process.machine.budget.enter()?;
        let mut frame = Vec::with_capacity(function.parameters.len());
        for (at, is_array) in function.parameters.iter().enumerate() {
            frame.push(match arguments.get(at) {
                None => Cell::Unset,
                Some(Expression::Place(place)) => match **place {
                    Place::Variable(variable) if *is_array || self.is_array(variable) => {
                        Cell::Array(self.array(variable)?)
                    }
                    _ => Cell::Scalar(self.read(place)?),
                },
                Some(argument) => Cell::Scalar(self.evaluate(argument)?),
            });
        }
        self.frames.push(frame);
        let flow = self.block(&function.body);
        self.frames.pop();
        self.process.machine.budget.leave();
        match flow? {
            Flow::Return(value) => Ok(value),
            Flow::Next => Ok(Value::Unset),
            _ => Err(self.refused("leaves a function by another way than `return`").into()),
        }
    }
}

fn calculated(operator: Operator, left: f64, right: f64) -> f64 {
    match operator {
        Operator::Add => left + right,
        Operator::Subtract => left - right,
        Operator::Multiply => left * right,
        Operator::Divide => left / right,
        Operator::Remainder => left % right,
        Operator::Power => left.powf(right),
    }
}

fn holds(comparison: Comparison, order: std::cmp::Ordering) -> bool {
    match comparison {
        Comparison::Less => order.is_lt(),
        Comparison::LessOrEqual => order.is_le(),
        Comparison::Equal => order.is_eq(),
        Comparison::NotEqual => order.is_ne(),
        Comparison::Greater => order.is_gt(),
        Comparison::GreaterOrEqual => order.is_ge(),
    }
}

/// Whether a statement does the same in whatever order the elements come: it deletes, counts, or
/// sets the element of the same key.
fn is_without_order(statement: &Statement, key: Variable) -> bool {
    let is_key = |subscript: &[Expression]| match subscript {
        [Expression::Place(place)] => matches!(**place, Place::Variable(own) if own == key),
        _ => false,
    };
    match statement {
        Statement::Block(block) => block.iter().all(|inner| is_without_order(inner, key)),
        Statement::Delete(_, subscript) => is_key(subscript),
        Statement::Expression(Expression::Step(place, _, _)) => {
            matches!(**place, Place::Variable(own) if own != key)
        }
        Statement::Expression(Expression::Assign(place, value)) => match &**place {
            Place::Element(_, subscript) => is_key(subscript) && is_plain(value, &is_key),
            _ => false,
        },
        _ => false,
    }
}

fn is_plain(value: &Expression, is_key: &dyn Fn(&[Expression]) -> bool) -> bool {
    match value {
        Expression::Number(_) | Expression::Text(_) => true,
        Expression::Place(place) => match &**place {
            Place::Element(_, subscript) => is_key(subscript),
            Place::Variable(_) => true,
            Place::Field(_) => false,
        },
        _ => false,
    }
}
