//! A script, read.

use std::rc::Rc;

use bstr::BString;

use super::replacement::Replacement;
use crate::regular_expression::Regex;

/// All of a script.
#[derive(Debug)]
pub(super) struct Script {
    pub(super) commands: Vec<Command>,
    /// Whether its first line is `#n`.
    pub(super) is_quiet: bool,
}

/// A command with its addresses.
#[derive(Debug)]
pub(super) struct Command {
    pub(super) first: Option<Address>,
    pub(super) second: Option<Address>,
    pub(super) applies: Applies,
    pub(super) range: Range,
    pub(super) action: Action,
}

/// To which lines a command applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Applies {
    /// To those that are addressed.
    Addressed,
    /// To all others (`!`).
    Others,
}

/// Where a range is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Range {
    /// In front of its first line.
    Before,
    /// Between its lines; up to this one, where that is known.
    Within(Option<u64>),
    /// Behind its last line.
    Behind,
}

/// What addresses lines.
#[derive(Debug, Clone)]
pub(super) enum Address {
    /// The one of this number; 0 only in front of a pattern.
    Line(u64),
    /// `FIRST~STEP`.
    Step(u64, u64),
    /// The last one.
    Last,
    /// Those that match.
    Match(Pattern),
    /// So many more lines.
    More(u64),
    /// Up to a multiple of this.
    Multiple(u64),
}

/// A regular expression.
#[derive(Debug, Clone)]
pub(super) enum Pattern {
    Own(Rc<Regex>),
    /// The one that was used last.
    Last,
}

/// What a command does.
#[derive(Debug)]
pub(super) enum Action {
    /// `{`, with the place behind its `}`.
    Block(usize),
    /// `}`, `:`, `v`, `#`.
    Nothing,
    Number,
    Append(BString),
    Insert(BString),
    Change(BString),
    /// `b`, with where it leads.
    Branch(usize),
    BranchIfSubstituted(usize),
    BranchUnlessSubstituted(usize),
    Delete,
    DeleteFirst,
    Name,
    Get,
    GetMore,
    Hold,
    HoldMore,
    Show(Option<usize>),
    Next,
    NextMore,
    Print,
    PrintFirst,
    Quit(u8),
    QuitSilently(u8),
    Read(BString),
    ReadLine(BString),
    Substitute(Substitution),
    /// `w`, with the file's place in the list of outputs.
    Write(usize),
    WriteFirst(usize),
    Exchange,
    /// `y`: characters and what they become, in order.
    Map(Vec<(BString, BString)>),
    Empty,
}

/// `s`.
#[derive(Debug)]
pub(super) struct Substitution {
    pub(super) pattern: Pattern,
    pub(super) replacement: Replacement,
    /// The first match that is replaced, counted from 1.
    pub(super) from: u64,
    pub(super) all: All,
    pub(super) prints: bool,
    pub(super) output: Option<usize>,
}

/// How many matches are replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum All {
    One,
    Following,
}
