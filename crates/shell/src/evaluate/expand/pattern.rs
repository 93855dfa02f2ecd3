//! Patterns of `case`, of `${name%pattern}`, and of file names (POSIX XCU 2.13).
//!
//! A pattern is matched by carrying the set of places that it may have come to from token to
//! token. So no pattern takes longer than its length times the text's, roughly.

use bstr::BString;

use crate::limits::Budget;
use crate::stop::Stop;

/// How much matching counts as one step of the budget.
const WORK: usize = 64;

/// A pattern, ready to match.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::evaluate) struct Pattern {
    tokens: Vec<Token>,
    letters: Letters,
}

/// Whether `A` is `a`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::evaluate) enum Letters {
    #[default]
    Differ,
    /// bash's `nocasematch`.
    Equal,
}

/// What makes a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::evaluate) enum Syntax {
    /// POSIX's.
    Posix,
    /// `[^a]` is `[!a]`, too.
    Caret,
    /// `@(a|b)` is read, too.
    Extended,
}

/// A byte of a word, and whether it was quoted.
pub(in crate::evaluate) type Marked = (u8, bool);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Byte(u8),
    /// `?`
    One,
    /// `*`
    Any,
    Set {
        is_negated: bool,
        items: Vec<Item>,
    },
    Group {
        mark: u8,
        alternatives: Vec<Vec<Token>>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Item {
    Range(u8, u8),
    Class(Class),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Alnum,
    Alpha,
    Blank,
    Cntrl,
    Digit,
    Graph,
    Lower,
    Print,
    Punct,
    Space,
    Upper,
    Xdigit,
}

/// Whether any byte makes a pattern of a file's name.
pub(in crate::evaluate) fn is_pattern(text: &[Marked], syntax: Syntax) -> bool {
    let opens_group = |window: &[Marked]| matches!(window, [(mark, false), (b'(', false)] if b"?*+@!".contains(mark));
    let unquoted = || text.iter().filter(|(_, is_quoted)| !is_quoted).map(|(byte, _)| *byte);
    unquoted().any(|byte| b"*?".contains(&byte))
        // A bracket that is not closed is a letter.
        || unquoted().skip_while(|byte| *byte != b'[').any(|byte| byte == b']')
        || (syntax == Syntax::Extended && text.windows(2).any(opens_group))
}

impl Pattern {
    pub(in crate::evaluate) fn new(text: &[Marked], syntax: Syntax, letters: Letters) -> Self {
        let mut compiler = Compiler { text, at: 0, syntax };
        Pattern { tokens: compiler.tokens(0), letters }
    }

    /// Whether it matches all of a text.
    pub(in crate::evaluate) fn matches(
        &self,
        text: &[u8],
        budget: &mut Budget,
    ) -> Result<bool, Stop> {
        Ok(self.ends(text, 0, budget)?.last() == Some(&text.len()))
    }

    /// Where matches that begin at `start` end, from the shortest to the longest.
    pub(in crate::evaluate) fn ends(
        &self,
        text: &[u8],
        start: usize,
        budget: &mut Budget,
    ) -> Result<Vec<usize>, Stop> {
        let mut matcher = Matcher { text, letters: self.letters, budget, work: 0 };
        matcher.run(&self.tokens, vec![start])
    }

    /// The same pattern for a text from right to left.
    pub(in crate::evaluate) fn reversed(&self) -> Self {
        Pattern { tokens: reversed(&self.tokens), letters: self.letters }
    }

    pub(in crate::evaluate) fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// Whether it begins with a dot, as the pattern of a hidden file has to.
    pub(in crate::evaluate) fn begins_with_dot(&self) -> bool {
        self.tokens.first() == Some(&Token::Byte(b'.'))
    }
}

fn reversed(tokens: &[Token]) -> Vec<Token> {
    let turned = tokens.iter().rev().map(|token| match token {
        Token::Group { mark, alternatives } => {
            let alternatives = alternatives.iter().map(|tokens| reversed(tokens)).collect();
            Token::Group { mark: *mark, alternatives }
        }
        token => token.clone(),
    });
    turned.collect()
}

struct Compiler<'t> {
    text: &'t [Marked],
    at: usize,
    syntax: Syntax,
}

/// Groups inside of each other; deeper ones are text.
const DEEPEST_GROUP: usize = 16;

impl Compiler<'_> {
    /// Tokens up to the end, or, in a group, up to `|` or `)`.
    fn tokens(&mut self, depth: usize) -> Vec<Token> {
        let mut tokens = Vec::new();
        while let Some((byte, is_quoted)) = self.text.get(self.at).copied() {
            let ends = depth > 0 && !is_quoted && (byte == b'|' || byte == b')');
            if ends {
                break;
            }
            self.at += 1;
            if is_quoted {
                tokens.push(Token::Byte(byte));
                continue;
            }
            if let Some(group) = self.group(byte, depth) {
                tokens.push(group);
                continue;
            }
            match byte {
                b'*' if tokens.last() == Some(&Token::Any) => {}
                b'*' => tokens.push(Token::Any),
                b'?' => tokens.push(Token::One),
                b'[' => tokens.push(self.set().unwrap_or(Token::Byte(b'['))),
                b'\\' => {
                    let escaped = self.text.get(self.at).map_or(b'\\', |(byte, _)| *byte);
                    self.at += 1;
                    tokens.push(Token::Byte(escaped));
                }
                _ => tokens.push(Token::Byte(byte)),
            }
        }
        tokens
    }

    fn group(&mut self, mark: u8, depth: usize) -> Option<Token> {
        let opens = self.text.get(self.at) == Some(&(b'(', false));
        if self.syntax != Syntax::Extended || !b"?*+@!".contains(&mark) || !opens {
            return None;
        }
        if depth == DEEPEST_GROUP {
            return None;
        }
        let start = self.at;
        let mut alternatives = Vec::new();
        loop {
            self.at += 1;
            alternatives.push(self.tokens(depth + 1));
            match self.text.get(self.at) {
                Some((b'|', _)) => {}
                Some(_) => {
                    self.at += 1;
                    return Some(Token::Group { mark, alternatives });
                }
                None => {
                    self.at = start;
                    return None;
                }
            }
        }
    }

    /// `[…]`, behind the bracket; nothing if it is not closed.
    fn set(&mut self) -> Option<Token> {
        let mut at = self.at;
        let get = |at: usize| self.text.get(at).copied();
        let is_negated = match get(at) {
            Some((b'!', false)) => true,
            Some((b'^', false)) => self.syntax != Syntax::Posix,
            _ => false,
        };
        at += usize::from(is_negated);
        let first = at;
        let mut items = Vec::new();
        loop {
            let (byte, is_quoted) = get(at)?;
            if byte == b']' && !is_quoted && at > first {
                self.at = at + 1;
                return Some(Token::Set { is_negated, items });
            }
            if byte == b'['
                && !is_quoted
                && let Some((class, length)) = class_at(&self.text[at..])
            {
                items.push(Item::Class(class));
                at += length;
                continue;
            }
            let (low, next) = self.set_byte(at)?;
            at = next;
            let is_range = get(at) == Some((b'-', false))
                && get(at + 1).is_some_and(|end| end != (b']', false));
            if is_range {
                let (high, next) = self.set_byte(at + 1)?;
                at = next;
                items.push(Item::Range(low, high));
            } else {
                items.push(Item::Range(low, low));
            }
        }
    }

    fn set_byte(&self, at: usize) -> Option<(u8, usize)> {
        match self.text.get(at)? {
            (b'\\', false) => self.text.get(at + 1).map(|(byte, _)| (*byte, at + 2)),
            (byte, _) => Some((*byte, at + 1)),
        }
    }
}

/// `[:name:]`
fn class_at(text: &[Marked]) -> Option<(Class, usize)> {
    let bytes: Vec<u8> = text.iter().take(12).map(|(byte, _)| *byte).collect();
    let name = bytes.strip_prefix(b"[:")?;
    let length = name.iter().position(|byte| *byte == b':')?;
    if name.get(length + 1) != Some(&b']') {
        return None;
    }
    let class = match &name[..length] {
        b"alnum" => Class::Alnum,
        b"alpha" => Class::Alpha,
        b"blank" => Class::Blank,
        b"cntrl" => Class::Cntrl,
        b"digit" => Class::Digit,
        b"graph" => Class::Graph,
        b"lower" => Class::Lower,
        b"print" => Class::Print,
        b"punct" => Class::Punct,
        b"space" => Class::Space,
        b"upper" => Class::Upper,
        b"xdigit" => Class::Xdigit,
        _ => return None,
    };
    Some((class, length + 4))
}

impl Class {
    fn has(self, byte: u8) -> bool {
        match self {
            Class::Alnum => byte.is_ascii_alphanumeric(),
            Class::Alpha => byte.is_ascii_alphabetic(),
            Class::Blank => byte == b' ' || byte == b'\t',
            Class::Cntrl => byte.is_ascii_control(),
            Class::Digit => byte.is_ascii_digit(),
            Class::Graph => byte.is_ascii_graphic(),
            Class::Lower => byte.is_ascii_lowercase(),
            Class::Print => byte == b' ' || byte.is_ascii_graphic(),
            Class::Punct => byte.is_ascii_punctuation(),
            Class::Space => byte.is_ascii_whitespace() || byte == 0x0b,
            Class::Upper => byte.is_ascii_uppercase(),
            Class::Xdigit => byte.is_ascii_hexdigit(),
        }
    }
}

struct Matcher<'t, 'b> {
    text: &'t [u8],
    letters: Letters,
    budget: &'b mut Budget,
    work: usize,
}

impl Matcher<'_, '_> {
    /// Where the tokens may end, if they begin at one of `places`; both in order.
    fn run(&mut self, tokens: &[Token], mut places: Vec<usize>) -> Result<Vec<usize>, Stop> {
        for token in tokens {
            if places.is_empty() {
                break;
            }
            self.spend(places.len())?;
            places = match token {
                Token::Any => {
                    let first = places[0];
                    self.spend(self.text.len() - first)?;
                    (first..=self.text.len()).collect()
                }
                Token::Group { mark, alternatives } => self.group(*mark, alternatives, places)?,
                token => {
                    let accepts = |at: &usize| {
                        self.text.get(*at).is_some_and(|byte| self.accepts(token, *byte))
                    };
                    places.into_iter().filter(accepts).map(|at| at + 1).collect()
                }
            };
        }
        Ok(places)
    }

    fn accepts(&self, token: &Token, byte: u8) -> bool {
        let folds = self.letters == Letters::Equal;
        match token {
            Token::Byte(own) => *own == byte || (folds && own.eq_ignore_ascii_case(&byte)),
            Token::Set { is_negated, items } => {
                let has = |byte: u8| items.iter().any(|item| item.has(byte));
                let other = if byte.is_ascii_lowercase() {
                    byte.to_ascii_uppercase()
                } else {
                    byte.to_ascii_lowercase()
                };
                (has(byte) || (folds && has(other))) != *is_negated
            }
            _ => true,
        }
    }

    fn group(
        &mut self,
        mark: u8,
        alternatives: &[Vec<Token>],
        places: Vec<usize>,
    ) -> Result<Vec<usize>, Stop> {
        if mark == b'!' {
            return self.all_but(alternatives, places);
        }
        let mut reached = match mark {
            b'?' | b'*' => places.clone(),
            _ => Vec::new(),
        };
        let mut next = places;
        loop {
            let mut found = Vec::new();
            for tokens in alternatives {
                found.extend(self.run(tokens, next.clone())?);
            }
            found.sort_unstable();
            found.dedup();
            found.retain(|at| reached.binary_search(at).is_err());
            reached.extend(&found);
            reached.sort_unstable();
            self.spend(reached.len())?;
            if found.is_empty() || matches!(mark, b'?' | b'@') {
                return Ok(reached);
            }
            next = found;
        }
    }

    /// `!(…)`
    fn all_but(
        &mut self,
        alternatives: &[Vec<Token>],
        places: Vec<usize>,
    ) -> Result<Vec<usize>, Stop> {
        let mut reached = Vec::new();
        for place in places {
            let mut excluded = Vec::new();
            for tokens in alternatives {
                excluded.extend(self.run(tokens, vec![place])?);
            }
            self.spend(self.text.len() - place)?;
            reached.extend((place..=self.text.len()).filter(|end| !excluded.contains(end)));
        }
        reached.sort_unstable();
        reached.dedup();
        Ok(reached)
    }

    fn spend(&mut self, work: usize) -> Result<(), Stop> {
        self.work += work;
        while self.work >= WORK {
            self.work -= WORK;
            self.budget.step()?;
        }
        Ok(())
    }
}

impl Item {
    fn has(&self, byte: u8) -> bool {
        match self {
            Item::Range(low, high) => (*low..=*high).contains(&byte),
            Item::Class(class) => class.has(byte),
        }
    }
}

/// The text of marked bytes.
pub(in crate::evaluate) fn unmarked(text: &[Marked]) -> BString {
    text.iter().map(|(byte, _)| *byte).collect::<Vec<u8>>().into()
}
