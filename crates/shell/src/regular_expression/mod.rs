//! Regular expressions as POSIX and the GNU C library have them, over bytes.
//!
//! [`parser`] reads the notation (XBD chapter 9, with the extensions of GNU's manuals) into the
//! tree of `regex-syntax`, and `regex-automata` searches. Its engines prefer the first
//! alternative, POSIX prefers the longest match: so they find where the leftmost match begins,
//! which is the same in both, and a lazy automaton that follows all alternatives at once finds its
//! longest end. Groups are then what the first path has that ends there ([`captures`]), which is
//! how the GNU C library fills them in.
//!
//! What is not understood exactly is an error, and never another pattern: back-references;
//! groups in repetitions of what may be empty; and, where the encoding is UTF-8, classes of letters
//! on text beyond ASCII, whose members depend on the C library's tables.
//!
//! Sizes of automata and of searches are bounded, and no search takes exponential time.

mod brackets;
mod captures;
mod locale;
mod parser;
#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::ops::Range;

use bstr::ByteSlice;
use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::meta;
use regex_automata::nfa::thompson::{self, NFA};
use regex_automata::{Anchored, Input, MatchKind};
use regex_syntax::hir::{Hir, Look};

use crate::process::Process;
use crate::stop::{Reason, Stop};

/// Bytes that an automaton may take.
const AUTOMATON: usize = 4 << 20;
/// Letters beyond ASCII whose other case is in ASCII.
const ODD_CASES: [&str; 4] = ["\u{130}", "\u{131}", "\u{17f}", "\u{212a}"];
/// Bytes of a pattern.
const LONGEST_PATTERN: usize = 1 << 16;

/// A regular expression that can be searched for.
pub(crate) struct Regex {
    start: meta::Regex,
    ends: DFA,
    cache: RefCell<Cache>,
    nfa: NFA,
    groups: Groups,
    encoding: Encoding,
    case: Case,
    beyond_ascii: BeyondAscii,
}

/// Which notation a pattern is in. They differ in what is special, and in what is an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// regcomp(3) without `REG_EXTENDED`: `sed`, `expr`.
    Basic,
    /// regcomp(3) with `REG_EXTENDED`: `sed -E`, `[[ =~ ]]`, `find -regextype posix-extended`.
    Extended,
    /// `grep`.
    GrepBasic,
    /// `grep -E`.
    GrepExtended,
    /// `mawk`: extended, without intervals, and `\` escapes in brackets.
    Awk,
    /// `find -regex` without `-regextype`: `\(`, `\|`, and `+` and `?` without a backslash.
    Emacs,
}

/// What bytes stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Encoding {
    /// Each is a character; letters are those of ASCII. The POSIX locale.
    #[default]
    Bytes,
    /// UTF-8, as in the locale `C.UTF-8`. A byte that is not UTF-8 is no character, and nothing
    /// but itself matches it.
    Utf8,
}

/// Whether letters that differ only in case are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Case {
    /// They are not.
    #[default]
    Exact,
    /// They are.
    Folded,
}

/// Where `^` and `$` are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Anchors {
    /// At the start and the end of the text.
    #[default]
    Text,
    /// At those of each line.
    Lines,
}

/// What of a text has to match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Extent {
    /// Any part of it.
    #[default]
    Anywhere,
    /// All of it.
    Whole,
    /// A part with no word character beside it (`grep -w`).
    Word,
}

/// How a pattern is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Options {
    /// What bytes stand for.
    pub(crate) encoding: Encoding,
    /// Upper and lower case.
    pub(crate) case: Case,
    /// `^` and `$`.
    pub(crate) anchors: Anchors,
    /// How much has to match.
    pub(crate) extent: Extent,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RegexError {
    /// The pattern is wrong, in the words of the GNU C library.
    #[error("{0}")]
    Invalid(&'static str),
    /// The pattern may be right; what it means is not known here. A fragment that fits behind
    /// "uses".
    #[error("uses {0}")]
    NotUnderstood(&'static str),
}

/// What text beyond ASCII means for a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BeyondAscii {
    Understood,
    NotUnderstood,
}

/// How many groups a pattern has, and whether it is known what they match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Groups {
    Numbered(usize),
    /// Some are in a repetition of what may be empty: which round counts then is the library's
    /// own.
    NotUnderstood(usize),
}

/// Where a match is, and what its groups matched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Captures {
    /// By number; 0 is all of the match.
    spans: Vec<Option<Range<usize>>>,
}

impl Captures {
    /// A match whose groups nobody looks at.
    pub(crate) fn of_span(span: Range<usize>) -> Self {
        Captures { spans: vec![Some(span)] }
    }

    /// All of the match.
    pub(crate) fn span(&self) -> Range<usize> {
        self.group(0).unwrap_or_default()
    }

    /// What the group of this number matched, counted from 1.
    pub(crate) fn group(&self, number: usize) -> Option<Range<usize>> {
        self.spans.get(number).cloned().flatten()
    }
}

impl RegexError {
    /// As an end of the evaluation: the pattern is not understood.
    pub(crate) fn refusal(&self, process: &Process<'_, '_>) -> Stop {
        process.refuse(Reason::Use(format!("has a regular expression that {self}")))
    }
}

impl Regex {
    /// A basic regular expression.
    pub(crate) fn basic(pattern: &[u8], options: Options) -> Result<Self, RegexError> {
        Regex::new(pattern, Dialect::Basic, options)
    }

    /// An extended regular expression.
    pub(crate) fn extended(pattern: &[u8], options: Options) -> Result<Self, RegexError> {
        Regex::new(pattern, Dialect::Extended, options)
    }

    /// A regular expression in any notation.
    pub(crate) fn new(
        pattern: &[u8],
        dialect: Dialect,
        options: Options,
    ) -> Result<Self, RegexError> {
        if pattern.len() > LONGEST_PATTERN {
            return Err(TOO_LARGE);
        }
        let parsed = parser::parse(pattern, dialect, options)?;
        Regex::build(parsed, options)
    }

    /// Texts that stand for themselves (`grep -F`), any of which may match.
    pub(crate) fn literals<T: AsRef<[u8]>>(
        texts: &[T],
        options: Options,
    ) -> Result<Self, RegexError> {
        if texts.iter().map(|text| text.as_ref().len()).sum::<usize>() > LONGEST_PATTERN {
            return Err(TOO_LARGE);
        }
        Regex::build(parser::literals(texts, options)?, options)
    }

    fn build(parsed: parser::Parsed, options: Options) -> Result<Self, RegexError> {
        let parser::Parsed { hir, groups, mut beyond_ascii } = parsed;
        let hir = match options.extent {
            Extent::Anywhere => hir,
            Extent::Whole => between(Look::Start, hir, Look::End),
            Extent::Word if hir.properties().minimum_len() == Some(0) => {
                return Err(RegexError::NotUnderstood("words that may be empty"));
            }
            Extent::Word => {
                beyond_ascii = BeyondAscii::NotUnderstood;
                between(Look::WordStartHalfAscii, hir, Look::WordEndHalfAscii)
            }
        };
        // Nothing is searched in parallel, and how many processors there are is not to be asked for.
        let config = meta::Config::new()
            .pool_capacity(1)
            .utf8_empty(false)
            .nfa_size_limit(Some(AUTOMATON))
            .hybrid_cache_capacity(AUTOMATON);
        let start = meta::Builder::new().configure(config).build_from_hir(&hir);
        let config = thompson::Config::new().utf8(false).nfa_size_limit(Some(AUTOMATON));
        let nfa = thompson::Compiler::new().configure(config).build_from_hir(&hir);
        let (Ok(start), Ok(nfa)) = (start, nfa) else { return Err(TOO_LARGE) };
        let config = DFA::config()
            .match_kind(MatchKind::All)
            .cache_capacity(AUTOMATON)
            .skip_cache_capacity_check(true);
        let ends = DFA::builder().configure(config).build_from_nfa(nfa.clone());
        let ends = ends.map_err(|_| TOO_LARGE)?;
        let cache = RefCell::new(ends.create_cache());
        let Options { encoding, case, .. } = options;
        Ok(Regex { start, ends, cache, nfa, groups, encoding, case, beyond_ascii })
    }

    /// How many groups it has.
    pub(crate) fn groups(&self) -> usize {
        match self.groups {
            Groups::Numbered(number) | Groups::NotUnderstood(number) => number,
        }
    }

    /// Whether any part of `text` matches.
    pub(crate) fn is_match(&self, text: &[u8]) -> Result<bool, RegexError> {
        self.check(text)?;
        Ok(self.start.is_match(text))
    }

    /// The leftmost of the longest matches that begin at `from` or later. What is in front of
    /// `from` counts for `^` and for words.
    pub(crate) fn span_at(
        &self,
        text: &[u8],
        from: usize,
    ) -> Result<Option<Range<usize>>, RegexError> {
        self.check(text)?;
        if from > text.len() {
            return Ok(None);
        }
        let Some(first) = self.start.find(Input::new(text).span(from..text.len())) else {
            return Ok(None);
        };
        let input = Input::new(text).span(first.start()..text.len()).anchored(Anchored::Yes);
        let mut cache = self.cache.borrow_mut();
        match self.ends.try_search_fwd(&mut cache, &input) {
            Ok(last) => {
                let end = last.map_or(first.end(), |last| last.offset());
                Ok(Some(first.start()..end))
            }
            Err(_) => Err(TOO_LARGE),
        }
    }

    /// [`Regex::span_at`] with its groups. Whoever does not look at groups asks for the span: more
    /// patterns have an answer then.
    pub(crate) fn find_at(&self, text: &[u8], from: usize) -> Result<Option<Captures>, RegexError> {
        let Some(span) = self.span_at(text, from)? else { return Ok(None) };
        let mut spans = vec![Some(span.clone())];
        match self.groups {
            Groups::Numbered(0) => {}
            Groups::Numbered(number) => {
                spans = captures::groups(&self.nfa, text, span).ok_or(TOO_LARGE)?;
                spans.truncate(number + 1);
            }
            Groups::NotUnderstood(_) => {
                return Err(RegexError::NotUnderstood("repeated groups of what may be empty"));
            }
        }
        Ok(Some(Captures { spans }))
    }

    /// The position of the character behind the one at `at`.
    pub(crate) fn behind(&self, text: &[u8], at: usize) -> usize {
        self.encoding.behind(text, at)
    }

    fn check(&self, text: &[u8]) -> Result<(), RegexError> {
        if self.encoding == Encoding::Bytes || text.is_ascii() {
            return Ok(());
        }
        if self.beyond_ascii == BeyondAscii::NotUnderstood {
            return Err(RegexError::NotUnderstood("classes of letters beyond ASCII"));
        }
        let has_odd_case = ODD_CASES.iter().any(|letter| text.contains_str(letter));
        if self.case == Case::Folded && has_odd_case {
            return Err(RegexError::NotUnderstood("letters beyond ASCII without regard to case"));
        }
        Ok(())
    }
}

impl std::fmt::Debug for Regex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Regex").field("groups", &self.groups).finish_non_exhaustive()
    }
}

const TOO_LARGE: RegexError = RegexError::NotUnderstood("more than is searched for here");

fn between(before: Look, hir: Hir, behind: Look) -> Hir {
    Hir::concat(vec![Hir::look(before), hir, Hir::look(behind)])
}
