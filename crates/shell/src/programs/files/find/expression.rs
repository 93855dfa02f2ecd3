//! The expression of `find`: tests and actions, joined.

use std::cmp::Ordering;

use bstr::{BString, ByteSlice};

use crate::files::{Identity, Kind};
use crate::wildcard::Case;

/// What is done with each file; it is true or false.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Expression {
    /// The first that is false ends it.
    And(Vec<Expression>),
    /// The first that is true ends it.
    Or(Vec<Expression>),
    /// All, and the last one counts.
    List(Vec<Expression>),
    Not(Box<Expression>),
    Test(Test),
    Action(Action),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Test {
    Constant(bool),
    Name(BString, Case),
    Path(BString, Case),
    LinkName(BString, Case),
    Types(Vec<u8>),
    Empty,
    Permissions(Wanted, u32),
    User(u32),
    Group(u32),
    UserId(Number),
    GroupId(Number),
    NoUser,
    NoGroup,
    /// Changed behind this time, in seconds.
    NewerThan(i64),
    /// So many units of so many bytes, rounded up.
    Size(Number, u64),
    /// Units of so many seconds since the last change.
    Age(Number, i64),
    Links(Number),
    Access(u32),
    Same(Identity),
}

/// How a mode is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    Exactly,
    All,
    Any,
}

/// `5`, `+5` or `-5`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Number {
    pub(super) order: Ordering,
    pub(super) value: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Action {
    Print,
    Print0,
    Printf(BString),
    Delete,
    Prune,
    Quit,
    /// A command for each file.
    Execute(Vec<BString>),
    /// A command for many files: its place among the commands of the expression.
    ExecuteMany(usize),
}

impl Number {
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let (order, digits) = match text {
            [b'+', digits @ ..] => (Ordering::Greater, digits),
            [b'-', digits @ ..] => (Ordering::Less, digits),
            digits => (Ordering::Equal, digits),
        };
        if !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let value = digits.to_str().ok()?.parse().ok()?;
        Some(Number { order, value })
    }

    pub(super) fn accepts(&self, value: u64) -> bool {
        value.cmp(&self.value) == self.order
    }
}

/// The letter of a file's type.
pub(super) fn type_letter(kind: &Kind) -> u8 {
    match kind {
        Kind::File(_) => b'f',
        Kind::Directory => b'd',
        Kind::Symlink(_) => b'l',
        Kind::Fifo => b'p',
        Kind::CharDevice { .. } => b'c',
        Kind::BlockDevice { .. } => b'b',
    }
}
