//! From a notation to the tree of `regex-syntax` (POSIX XBD 9.3 and 9.4; GNU grep's manual,
//! "Regular Expressions"; GNU sed's manual, "regexp extensions").

use regex_syntax::hir::{Capture, Hir, Look, Repetition};

use super::brackets::{self, Set};
use super::{Anchors, BeyondAscii, Case, Dialect, Encoding, Groups, Options, RegexError};

/// Groups inside of each other.
const DEEPEST: usize = 100;
/// Repetitions of each other, in each of the groups.
const DEEPEST_REPETITION: usize = 4;
/// RE_DUP_MAX of the GNU C library.
const MOST_REPETITIONS: u32 = 0x7fff;

const BAD_REPETITION: RegexError = RegexError::Invalid("Invalid preceding regular expression");
const BAD_BACK_REFERENCE: RegexError = RegexError::Invalid("Invalid back reference");
const BAD_BRACES: RegexError = RegexError::Invalid("Invalid content of \\{\\}");
const TRAILING_BACKSLASH: RegexError = RegexError::Invalid("Trailing backslash");
const UNMATCHED_BRACE: RegexError = RegexError::Invalid("Unmatched \\{");
const UNMATCHED_OPEN: RegexError = RegexError::Invalid("Unmatched ( or \\(");
const UNMATCHED_CLOSE: RegexError = RegexError::Invalid("Unmatched ) or \\)");

/// A pattern, read.
pub(super) struct Parsed {
    pub(super) hir: Hir,
    pub(super) groups: Groups,
    pub(super) beyond_ascii: BeyondAscii,
}

/// What stands next in a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    End,
    Literal,
    Any,
    Bracket,
    Open,
    Close,
    Bar,
    Repeat(u32, Option<u32>),
    Brace,
    Caret,
    Dollar,
    Look(Look),
    Word { is_negated: bool },
    Space { is_negated: bool },
    BackReference(u8),
}

/// What was read, with what matters for what may follow.
struct Piece {
    hir: Hir,
    has_group: bool,
    /// Whether something in it matches a position.
    has_look: bool,
}

impl Piece {
    fn plain(hir: Hir) -> Self {
        Piece { hir, has_group: false, has_look: false }
    }

    fn look(hir: Hir) -> Self {
        Piece { hir, has_group: false, has_look: true }
    }
}

struct Parser<'p> {
    left: &'p [u8],
    dialect: Dialect,
    options: Options,
    groups: u32,
    closed: u32,
    groups_understood: bool,
    depth: usize,
    beyond_ascii: BeyondAscii,
}

/// Reads all of a pattern.
pub(super) fn parse(
    pattern: &[u8],
    dialect: Dialect,
    options: Options,
) -> Result<Parsed, RegexError> {
    let mut parser = Parser::new(pattern, dialect, options);
    let Piece { hir, .. } = parser.alternatives()?;
    if !parser.left.is_empty() {
        return Err(UNMATCHED_CLOSE);
    }
    let groups = match parser.groups_understood {
        true => Groups::Numbered(parser.groups as usize),
        false => Groups::NotUnderstood(parser.groups as usize),
    };
    Ok(Parsed { hir, groups, beyond_ascii: parser.beyond_ascii })
}

/// Texts that stand for themselves, any of which may match.
pub(super) fn literals<'t>(
    texts: &'t [impl AsRef<[u8]> + 't],
    options: Options,
) -> Result<Parsed, RegexError> {
    let mut branches = Vec::new();
    let mut parser = Parser::new(b"", Dialect::Basic, options);
    for text in texts {
        let mut all = Vec::new();
        parser.left = text.as_ref();
        while !parser.left.is_empty() {
            all.push(parser.character()?);
        }
        branches.push(Hir::concat(all));
    }
    let hir = Hir::alternation(branches);
    Ok(Parsed { hir, groups: Groups::Numbered(0), beyond_ascii: parser.beyond_ascii })
}

impl<'p> Parser<'p> {
    fn new(left: &'p [u8], dialect: Dialect, options: Options) -> Self {
        Parser {
            left,
            dialect,
            options,
            groups: 0,
            closed: 0,
            groups_understood: true,
            depth: 0,
            beyond_ascii: BeyondAscii::Understood,
        }
    }

    fn is_extended(&self) -> bool {
        matches!(self.dialect, Dialect::Extended | Dialect::GrepExtended | Dialect::Awk)
    }

    /// What stands at `text`, and how many bytes it takes. Whether `*` and `^` are special also
    /// depends on where they stand, which [`Parser::branch`] knows.
    fn token(&self, text: &[u8]) -> Result<(Token, usize), RegexError> {
        let Some(first) = text.first() else { return Ok((Token::End, 0)) };
        if *first == b'\\' {
            let escaped = *text.get(1).ok_or(TRAILING_BACKSLASH)?;
            return Ok((self.escaped(escaped), 2));
        }
        let is_extended = self.is_extended();
        let token = match first {
            b'*' => Token::Repeat(0, None),
            b'+' if is_extended || self.dialect == Dialect::Emacs => Token::Repeat(1, None),
            b'?' if is_extended || self.dialect == Dialect::Emacs => Token::Repeat(0, Some(1)),
            b'.' => Token::Any,
            b'[' => Token::Bracket,
            b'^' => Token::Caret,
            b'$' => Token::Dollar,
            b'(' if is_extended => Token::Open,
            b')' if is_extended => Token::Close,
            b'|' if is_extended => Token::Bar,
            b'{' if is_extended && self.dialect != Dialect::Awk => Token::Brace,
            _ => Token::Literal,
        };
        Ok((token, 1))
    }

    fn escaped(&self, letter: u8) -> Token {
        if self.dialect == Dialect::Awk {
            return Token::Literal;
        }
        let is_basic = !self.is_extended();
        let has_marks = is_basic && self.dialect != Dialect::Emacs;
        match letter {
            b'(' if is_basic => Token::Open,
            b')' if is_basic => Token::Close,
            b'|' if is_basic => Token::Bar,
            b'{' if has_marks => Token::Brace,
            b'+' if has_marks => Token::Repeat(1, None),
            b'?' if has_marks => Token::Repeat(0, Some(1)),
            b'1'..=b'9' => Token::BackReference(letter - b'0'),
            b'w' => Token::Word { is_negated: false },
            b'W' => Token::Word { is_negated: true },
            b's' => Token::Space { is_negated: false },
            b'S' => Token::Space { is_negated: true },
            b'b' => Token::Look(Look::WordAscii),
            b'B' => Token::Look(Look::WordAsciiNegate),
            b'<' => Token::Look(Look::WordStartAscii),
            b'>' => Token::Look(Look::WordEndAscii),
            b'`' => Token::Look(Look::Start),
            b'\'' => Token::Look(Look::End),
            _ => Token::Literal,
        }
    }

    /// What is between bars, up to the end or a `)`.
    fn alternatives(&mut self) -> Result<Piece, RegexError> {
        let mut all = Vec::new();
        let (mut has_group, mut has_look) = (false, false);
        loop {
            let branch = self.branch()?;
            has_group |= branch.has_group;
            has_look |= branch.has_look;
            all.push(branch.hir);
            match self.token(self.left)? {
                (Token::Bar, length) => self.left = &self.left[length..],
                _ => return Ok(Piece { hir: Hir::alternation(all), has_group, has_look }),
            }
        }
    }

    /// Pieces one behind the other.
    fn branch(&mut self) -> Result<Piece, RegexError> {
        let mut all: Vec<Hir> = Vec::new();
        let (mut has_group, mut has_look) = (false, false);
        let mut is_start = true;
        loop {
            let (token, length) = self.token(self.left)?;
            match token {
                Token::End | Token::Bar => break,
                Token::Close if self.depth > 0 || self.dialect != Dialect::GrepExtended => break,
                Token::Caret if is_start && !self.is_extended() => {
                    self.left = &self.left[length..];
                    all.push(self.line_start());
                    has_look = true;
                    continue;
                }
                _ => {}
            }
            let piece = self.atom(token, length)?;
            let piece = self.repeated(piece, token)?;
            has_group |= piece.has_group;
            has_look |= piece.has_look;
            all.push(piece.hir);
            is_start = false;
        }
        Ok(Piece { hir: Hir::concat(all), has_group, has_look })
    }

    /// One piece, without what repeats it.
    fn atom(&mut self, token: Token, length: usize) -> Result<Piece, RegexError> {
        let taken = self.left;
        let plain = |hir| Ok(Piece::plain(hir));
        let look = |hir| Ok(Piece::look(hir));
        self.left = &taken[length..];
        match token {
            Token::Open => self.group(),
            Token::Bracket => {
                let (set, is_negated, rest) =
                    brackets::read(self.left, self.dialect, self.options)?;
                self.left = rest;
                self.note(&set);
                plain(Hir::class(set.class(is_negated, self.options)))
            }
            Token::Any => plain(Hir::class(Set::of(&[]).class(true, self.options))),
            Token::Caret if self.is_extended() => look(self.line_start()),
            Token::Dollar if self.is_extended() || self.is_at_end()? => look(self.line_end()),
            Token::Look(wanted) => {
                if !matches!(wanted, Look::Start | Look::End) {
                    self.beyond_ascii = BeyondAscii::NotUnderstood;
                }
                look(Hir::look(wanted))
            }
            Token::Word { is_negated } => {
                let mut set = brackets::named(b"alnum", self.options)?;
                set.push(u32::from(b'_'));
                self.note(&set);
                plain(Hir::class(set.class(is_negated, self.options)))
            }
            Token::Space { is_negated } => {
                let set = brackets::named(b"space", self.options)?;
                plain(Hir::class(set.class(is_negated, self.options)))
            }
            Token::BackReference(number) if u32::from(number) > self.closed => {
                Err(BAD_BACK_REFERENCE)
            }
            Token::BackReference(_) => Err(RegexError::NotUnderstood("back-references")),
            Token::Repeat(..) | Token::Brace => {
                self.stray(token)?;
                let last = &taken[length - 1..];
                self.left = last;
                plain(self.character()?)
            }
            _ if taken[0] == b'\\' && self.dialect == Dialect::Awk => {
                let (byte, rest) = awk_escape(&taken[1..])?;
                self.left = rest;
                plain(self.one(u32::from(byte))?)
            }
            _ => {
                self.left = &taken[length - 1..];
                plain(self.character()?)
            }
        }
    }

    /// What repeats something, where there is nothing to repeat: for some it stands for itself.
    fn stray(&self, token: Token) -> Result<(), RegexError> {
        let is_brace = token == Token::Brace;
        match self.dialect {
            Dialect::Extended => Err(BAD_REPETITION),
            Dialect::Basic if is_brace => Err(BAD_REPETITION),
            Dialect::GrepExtended if is_brace && self.interval(self.left)?.is_none() => Ok(()),
            Dialect::GrepExtended | Dialect::Awk | Dialect::Emacs => {
                Err(RegexError::NotUnderstood("a repetition of nothing"))
            }
            Dialect::Basic | Dialect::GrepBasic => Ok(()),
        }
    }

    /// What is between parentheses; the first is read.
    fn group(&mut self) -> Result<Piece, RegexError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(RegexError::NotUnderstood("too many groups inside of each other"));
        }
        self.groups += 1;
        let index = self.groups;
        let inner = self.alternatives()?;
        match self.token(self.left)? {
            (Token::Close, length) => self.left = &self.left[length..],
            _ => return Err(UNMATCHED_OPEN),
        }
        self.depth -= 1;
        self.closed = self.closed.max(index);
        let capture = Capture { index, name: None, sub: Box::new(inner.hir) };
        Ok(Piece { hir: Hir::capture(capture), has_group: true, has_look: inner.has_look })
    }

    /// A piece with all that repeats it.
    fn repeated(&mut self, piece: Piece, of: Token) -> Result<Piece, RegexError> {
        let Piece { mut hir, has_group, has_look } = piece;
        for repetitions in 0_usize.. {
            let (token, length) = self.token(self.left)?;
            let rest = &self.left[length..];
            let (min, max, rest) = match token {
                Token::Repeat(min, max) => (min, max, rest),
                Token::Brace => match self.interval(rest)? {
                    Some((min, max, length)) => (min, max, &rest[length..]),
                    None => break,
                },
                _ => break,
            };
            let is_mark = matches!(token, Token::Repeat(0, None) | Token::Brace);
            if repetitions > 0 && is_mark && self.dialect == Dialect::Basic {
                return Err(BAD_REPETITION);
            }
            let is_anchor = matches!(of, Token::Caret | Token::Dollar) && self.is_extended();
            if is_anchor && self.dialect == Dialect::Extended {
                return Err(BAD_REPETITION);
            }
            if is_anchor || matches!(of, Token::Look(_)) {
                return Err(RegexError::NotUnderstood("a repetition of nothing"));
            }
            if has_look && max != Some(1) {
                return Err(RegexError::NotUnderstood("repeated anchors"));
            }
            let can_be_empty = hir.properties().minimum_len() == Some(0);
            if has_group && can_be_empty && (min, max) != (1, Some(1)) {
                self.groups_understood = false;
            }
            if repetitions >= DEEPEST_REPETITION {
                return Err(RegexError::NotUnderstood("too many repetitions of each other"));
            }
            self.left = rest;
            hir = Hir::repetition(Repetition { min, max, greedy: true, sub: Box::new(hir) });
        }
        Ok(Piece { hir, has_group, has_look })
    }

    /// What stands behind a `{`: least, most, and the length of it. `None` if it is no interval,
    /// and that is no error.
    fn interval(&self, text: &[u8]) -> Result<Option<(u32, Option<u32>, usize)>, RegexError> {
        let close: &[u8] = if self.is_extended() { b"}" } else { b"\\}" };
        let is_lenient = self.dialect == Dialect::GrepExtended;
        let end = text.windows(close.len()).position(|window| window == close);
        let Some(end) = end else {
            return if is_lenient { Ok(None) } else { Err(UNMATCHED_BRACE) };
        };
        let inner = &text[..end];
        let (low, high) = match inner.iter().position(|byte| *byte == b',') {
            Some(comma) => (&inner[..comma], Some(&inner[comma + 1..])),
            None => (inner, None),
        };
        let is_number = |digits: &[u8]| digits.iter().all(u8::is_ascii_digit);
        let is_empty = low.is_empty() && high.is_none();
        if is_empty || !is_number(low) || !high.is_none_or(is_number) {
            return if is_lenient { Ok(None) } else { Err(BAD_BRACES) };
        }
        let least = number(low);
        let most = match high {
            None => Some(least),
            Some(b"") => None,
            Some(high) => Some(number(high)),
        };
        if most.is_some_and(|most| most < least) {
            return Err(BAD_BRACES);
        }
        if most.unwrap_or(least) > MOST_REPETITIONS {
            return Err(RegexError::Invalid("Regular expression too big"));
        }
        Ok(Some((least, most, end + close.len())))
    }

    /// Whether a `$` is the last of its branch, as it has to be in basic expressions.
    fn is_at_end(&self) -> Result<bool, RegexError> {
        if self.left.is_empty() {
            return Ok(true);
        }
        if self.left.first() != Some(&b'\\') || self.left.len() < 2 {
            return Ok(false);
        }
        let (token, _) = self.token(self.left)?;
        Ok(matches!(token, Token::Bar | Token::Close))
    }

    /// The first character of what is left, for itself.
    fn character(&mut self) -> Result<Hir, RegexError> {
        let first = self.left[0];
        if self.options.encoding == Encoding::Utf8 && !first.is_ascii() {
            let (code, rest) = brackets::character(self.left, self.options)?;
            self.left = rest;
            return self.one(code);
        }
        self.left = &self.left[1..];
        self.one(u32::from(first))
    }

    fn one(&self, code: u32) -> Result<Hir, RegexError> {
        let is_wide = code > 127;
        let Options { encoding, case, .. } = self.options;
        if is_wide && encoding == Encoding::Utf8 && case == Case::Folded {
            return Err(RegexError::NotUnderstood("letters beyond ASCII without regard to case"));
        }
        Ok(Hir::class(Set::of(&[(code, code)]).class(false, self.options)))
    }

    fn note(&mut self, set: &Set) {
        if set.beyond_ascii == BeyondAscii::NotUnderstood {
            self.beyond_ascii = BeyondAscii::NotUnderstood;
        }
    }

    fn line_start(&self) -> Hir {
        Hir::look(match self.options.anchors {
            Anchors::Text => Look::Start,
            Anchors::Lines => Look::StartLF,
        })
    }

    fn line_end(&self) -> Hir {
        Hir::look(match self.options.anchors {
            Anchors::Text => Look::End,
            Anchors::Lines => Look::EndLF,
        })
    }
}

/// A number; what is too large is larger than all that is allowed.
fn number(digits: &[u8]) -> u32 {
    let next = |number: u32, digit: &u8| number * 10 + u32::from(digit - b'0');
    digits.iter().fold(0, |number, digit| next(number.min(MOST_REPETITIONS + 1), digit))
}

/// What stands behind a `\` in a regular expression of awk (POSIX XCU awk, "Regular Expressions"):
/// the character, and what is left.
pub(super) fn awk_escape(text: &[u8]) -> Result<(u8, &[u8]), RegexError> {
    let (first, rest) = text.split_first().ok_or(TRAILING_BACKSLASH)?;
    let byte = match first {
        b'n' => b'\n',
        b't' => b'\t',
        b'r' => b'\r',
        b'f' => 0x0c,
        b'v' => 0x0b,
        b'a' => 0x07,
        b'b' => 0x08,
        b'0'..=b'7' => {
            let digits = text.iter().take(3).take_while(|byte| matches!(byte, b'0'..=b'7')).count();
            let value =
                text[..digits].iter().fold(0, |value, digit| value * 8 + u32::from(digit - b'0'));
            let byte =
                u8::try_from(value).map_err(|_| RegexError::NotUnderstood("an octal escape"))?;
            return Ok((byte, &text[digits..]));
        }
        letter if letter.is_ascii_alphanumeric() => {
            return Err(RegexError::NotUnderstood("an escape that awk does not have"));
        }
        other => *other,
    };
    Ok((byte, rest))
}
