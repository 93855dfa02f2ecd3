//! What a script is made of.

use std::cell::OnceCell;
use std::rc::Rc;

use bstr::BString;

/// Commands one after the other.
pub(in crate::evaluate) type List = Vec<Item>;

/// Pipelines joined by `&&` and `||`.
#[derive(Debug, Clone)]
pub(in crate::evaluate) struct Item {
    pub first: Pipeline,
    pub rest: Vec<(Connector, Pipeline)>,
    pub waits: Waits,
    pub line: usize,
}

/// Whether the shell waits for the end of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::evaluate) enum Waits {
    Yes,
    /// It ends with `&`.
    No,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::evaluate) enum Connector {
    And,
    Or,
}

/// Commands joined by `|`.
#[derive(Debug, Clone)]
pub(in crate::evaluate) struct Pipeline {
    pub is_negated: bool,
    pub commands: Vec<Command>,
}

/// A command and its redirections.
#[derive(Debug, Clone)]
pub(in crate::evaluate) struct Command {
    pub line: usize,
    pub kind: CommandKind,
    pub redirects: Vec<Redirect>,
}

#[derive(Debug, Clone)]
pub(in crate::evaluate) enum CommandKind {
    Simple(Simple),
    Group(List),
    Subshell(List),
    If { branches: Vec<(List, List)>, otherwise: Option<List> },
    Loop { until: Until, condition: List, body: List },
    For { name: BString, words: Option<Written>, body: List },
    ArithmeticFor(Box<ArithmeticFor>),
    Case { word: Word, written: BString, arms: Vec<Arm> },
    Arithmetic(Word),
    Conditional(Box<Condition>),
    Function { name: BString, body: Rc<Command> },
}

/// Words, and as they are written, which bash's `set -x` shows.
#[derive(Debug, Clone, Default)]
pub(in crate::evaluate) struct Written {
    pub words: Vec<Word>,
    pub text: BString,
}

/// `for ((start; condition; step))`.
#[derive(Debug, Clone)]
pub(in crate::evaluate) struct ArithmeticFor {
    pub start: Word,
    pub condition: Word,
    pub step: Word,
    pub body: List,
}

/// When a loop goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::evaluate) enum Until {
    /// `while`: as long as the condition succeeds.
    Failure,
    /// `until`: as long as it fails.
    Success,
}

/// `a|b) … ;;`
#[derive(Debug, Clone)]
pub(in crate::evaluate) struct Arm {
    pub patterns: Vec<Word>,
    pub body: List,
    pub then: ArmEnd,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::evaluate) enum ArmEnd {
    /// `;;`
    Leave,
    /// `;&`
    RunNext,
    /// `;;&`
    TestNext,
}

/// Assignments and words.
#[derive(Debug, Clone, Default)]
pub(in crate::evaluate) struct Simple {
    pub assignments: Vec<Assignment>,
    pub words: Vec<Argument>,
}

/// A word of a simple command.
#[derive(Debug, Clone)]
pub(in crate::evaluate) enum Argument {
    Word(Word),
    /// In bash, of a builtin that declares variables.
    Assignment(Assignment),
}

/// `name=value`
#[derive(Debug, Clone)]
pub(in crate::evaluate) struct Assignment {
    pub name: BString,
    pub subscript: Option<Word>,
    pub mode: AssignMode,
    pub value: AssignedValue,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::evaluate) enum AssignMode {
    Replace,
    /// `+=`
    Append,
}

#[derive(Debug, Clone)]
pub(in crate::evaluate) enum AssignedValue {
    Scalar(Word),
    /// Elements, some with subscripts.
    Array(Vec<(Option<Word>, Word)>),
}

/// A redirection.
#[derive(Debug, Clone)]
pub(in crate::evaluate) struct Redirect {
    pub descriptor: Option<u32>,
    pub kind: RedirectKind,
}

#[derive(Debug, Clone)]
pub(in crate::evaluate) enum RedirectKind {
    /// `<`
    Read(Word),
    /// `>`, `>|`
    Write(Word, Clobber),
    /// `>>`
    Append(Word),
    /// `<&`, `>&`
    Duplicate(Word, Direction),
    /// `&>`, `&>>`
    Both(Word, BothMode),
    /// `<<`, read once the line is over.
    Here(Rc<OnceCell<Word>>),
    /// `<<<`
    HereString(Word),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::evaluate) enum Clobber {
    /// Unless `set -C`.
    IfAllowed,
    Always,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::evaluate) enum Direction {
    Input,
    Output,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::evaluate) enum BothMode {
    Write,
    Append,
}

/// A word, not expanded yet.
#[derive(Debug, Clone, Default)]
pub(in crate::evaluate) struct Word {
    pub parts: Vec<Part>,
}

#[derive(Debug, Clone)]
pub(in crate::evaluate) enum Part {
    /// Text without quotes.
    Literal(BString),
    /// In single quotes, or behind a backslash.
    Quoted(BString),
    /// In double quotes.
    Double(Vec<Part>),
    Parameter(Box<Parameter>),
    /// `$(…)` or in backquotes.
    Command(Rc<List>),
    /// `$((…))`
    Arithmetic(Word),
    /// bash: `<(…)`
    Process(Rc<List>),
}

/// `$name`, `${…}`
#[derive(Debug, Clone)]
pub(in crate::evaluate) struct Parameter {
    pub name: Name,
    pub subscript: Option<Subscript>,
    /// `${!name}`
    pub is_indirect: bool,
    /// Written with braces.
    pub is_braced: bool,
    pub operation: Operation,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::evaluate) enum Name {
    Variable(BString),
    /// From 1.
    Positional(usize),
    /// `@`
    All,
    /// `*`
    Joined,
    /// `#`
    Count,
    /// `?`
    Status,
    /// `-`
    Options,
    /// `$`
    Process,
    /// `!`
    Background,
    /// `0`
    Shell,
}

#[derive(Debug, Clone)]
pub(in crate::evaluate) enum Subscript {
    /// `[@]`
    All,
    /// `[*]`
    Joined,
    At(Word),
}

#[derive(Debug, Clone)]
pub(in crate::evaluate) enum Operation {
    Plain,
    /// `${#name}`
    Length,
    /// `${name:-word}` and the like.
    Alternative {
        test: Test,
        action: Alternative,
        word: Word,
    },
    Remove {
        from: End,
        reach: Reach,
        pattern: Word,
    },
    Replace {
        where_: Where,
        pattern: Word,
        replacement: Word,
    },
    Substring {
        offset: Word,
        length: Option<Word>,
    },
    Case {
        to: LetterCase,
        reach: CaseReach,
    },
    /// `${!name[@]}`
    Keys,
}

/// What counts as missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::evaluate) enum Test {
    Unset,
    /// With a colon.
    UnsetOrEmpty,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::evaluate) enum Alternative {
    /// `-`
    Use,
    /// `=`
    Assign,
    /// `?`
    Fail,
    /// `+`
    UseIfSet,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::evaluate) enum End {
    Start,
    End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::evaluate) enum Reach {
    Shortest,
    Longest,
}

/// Which matches are replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::evaluate) enum Where {
    First,
    Everywhere,
    AtStart,
    AtEnd,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::evaluate) enum LetterCase {
    Upper,
    Lower,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::evaluate) enum CaseReach {
    First,
    All,
}

/// What stands between `[[` and `]]`.
#[derive(Debug, Clone)]
pub(in crate::evaluate) enum Condition {
    And(Box<Condition>, Box<Condition>),
    Or(Box<Condition>, Box<Condition>),
    Not(Box<Condition>),
    /// In parentheses.
    Grouped(Box<Condition>),
    Unary(BString, Word),
    Binary(Word, BString, Word),
    NotEmpty(Word),
}

impl Word {
    /// The text of a word without quotes and expansions, as reserved words have to be.
    pub(in crate::evaluate) fn literal(&self) -> Option<&[u8]> {
        match &self.parts[..] {
            [Part::Literal(text)] => Some(text),
            _ => None,
        }
    }
}
