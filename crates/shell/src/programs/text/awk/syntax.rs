//! A program, read.

use std::rc::Rc;

use bstr::BString;

use super::lexer::Builtin;
use crate::regular_expression::Regex;

/// All of a program.
#[derive(Debug, Default)]
pub(super) struct Program {
    pub(super) begin: Vec<Block>,
    pub(super) rules: Vec<Rule>,
    pub(super) end: Vec<Block>,
    pub(super) functions: Vec<Function>,
    /// Names of global variables.
    pub(super) globals: Vec<BString>,
}

pub(super) type Block = Vec<Statement>;

#[derive(Debug)]
pub(super) struct Rule {
    pub(super) pattern: Pattern,
    /// `None` prints the record.
    pub(super) action: Option<Block>,
}

#[derive(Debug)]
pub(super) enum Pattern {
    Always,
    If(Expression),
    /// From one record to another.
    Range(Expression, Expression),
}

#[derive(Debug, Default)]
pub(super) struct Function {
    pub(super) name: BString,
    /// For each parameter whether it is used as an array.
    pub(super) parameters: Vec<bool>,
    pub(super) body: Block,
    pub(super) is_defined: bool,
}

#[derive(Debug)]
pub(super) enum Statement {
    Expression(Expression),
    Print(Vec<Expression>, Option<Redirection>),
    Printf(Vec<Expression>, Option<Redirection>),
    If(Expression, Block, Block),
    While(Expression, Block),
    DoWhile(Block, Expression),
    For(Block, Option<Expression>, Block, Block),
    ForIn(Variable, Variable, Block),
    Block(Block),
    Break,
    Continue,
    Next,
    NextFile,
    Exit(Option<Expression>),
    Return(Option<Expression>),
    Delete(Variable, Vec<Expression>),
    DeleteAll(Variable),
}

#[derive(Debug)]
pub(super) enum Redirection {
    Write(Expression),
    Append(Expression),
    Command,
}

/// Where a variable is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Variable {
    Global(usize),
    Local(usize),
}

#[derive(Debug)]
pub(super) enum Expression {
    Number(f64),
    Text(BString),
    /// A regular expression by itself: whether the record matches.
    Pattern(Rc<Regex>),
    Place(Box<Place>),
    /// What is in parentheses: nothing can be assigned to it.
    Grouped(Box<Expression>),
    Assign(Box<Place>, Box<Expression>),
    /// `+=` and the like.
    Update(Box<Place>, Operator, Box<Expression>),
    /// `++` and `--`: what is added, and whether the new value counts.
    Step(Box<Place>, f64, Counts),
    Binary(Operator, Box<Expression>, Box<Expression>),
    Compare(Comparison, Box<Expression>, Box<Expression>),
    Concatenate(Vec<Expression>),
    And(Box<Expression>, Box<Expression>),
    Or(Box<Expression>, Box<Expression>),
    Not(Box<Expression>),
    Minus(Box<Expression>),
    Plus(Box<Expression>),
    Condition(Box<Expression>, Box<Expression>, Box<Expression>),
    Matches(Box<Expression>, Box<Expression>, Wanted),
    In(Vec<Expression>, Variable),
    Call(usize, Vec<Expression>),
    Builtin(Builtin, Vec<Expression>),
    Getline(Option<Box<Place>>, Option<Box<Expression>>),
    /// What would run another program.
    Command,
}

/// What can be assigned to.
#[derive(Debug)]
pub(super) enum Place {
    Variable(Variable),
    Element(Variable, Vec<Expression>),
    Field(Expression),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counts {
    Before,
    After,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    Match,
    NoMatch,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Power,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Less,
    LessOrEqual,
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
}
