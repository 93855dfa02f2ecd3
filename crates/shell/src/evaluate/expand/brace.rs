//! Brace expansion (the GNU manual, "Brace Expansion").

use bstr::{BString, ByteSlice};

use crate::evaluate::dialect::is_name_byte;
use crate::evaluate::shell::{Eval, Evaluator};
use crate::evaluate::syntax::tree::{Name, Part, Word};

/// Braces inside of each other.
const DEEPEST: usize = 32;

/// A byte without quotes, or anything else.
#[derive(Debug, Clone)]
enum Atom {
    Byte(u8),
    Part(Part),
}

impl Evaluator<'_, '_> {
    /// The words that a word with braces stands for; nothing if it has none.
    pub(super) fn braces(&mut self, word: &Word) -> Eval<Option<Vec<Word>>> {
        let has_brace = |part: &Part| matches!(part, Part::Literal(text) if text.contains(&b'{'));
        if !self.shell.dialect.is_bash() || !word.parts.iter().any(has_brace) {
            return Ok(None);
        }
        let mut atoms = Vec::new();
        for part in &word.parts {
            match part {
                Part::Literal(text) => atoms.extend(text.iter().map(|byte| Atom::Byte(*byte))),
                part => atoms.push(Atom::Part(part.clone())),
            }
        }
        let expanded = self.expand_braces(&atoms, 0)?;
        let mut words = Vec::with_capacity(expanded.len());
        for atoms in expanded {
            words.push(self.joined(atoms)?);
        }
        Ok(Some(words))
    }

    fn expand_braces(&mut self, atoms: &[Atom], depth: usize) -> Eval<Vec<Vec<Atom>>> {
        if depth > DEEPEST {
            return self.refuse("{", "braces inside of braces, so deep");
        }
        for open in 0..atoms.len() {
            if !is(&atoms[open], b'{') {
                continue;
            }
            self.spend_on(atoms.len() - open)?;
            let Some(close) = closing(atoms, open) else { continue };
            let inner = &atoms[open + 1..close];
            let choices = match self.choices(inner, depth)? {
                Some(choices) => choices,
                None => continue,
            };
            let rest = self.expand_braces(&atoms[close + 1..], depth + 1)?;
            return self.combined(&atoms[..open], &choices, &rest);
        }
        Ok(vec![atoms.to_vec()])
    }

    /// Each choice with each rest.
    fn combined(
        &mut self,
        before: &[Atom],
        choices: &[Vec<Atom>],
        rest: &[Vec<Atom>],
    ) -> Eval<Vec<Vec<Atom>>> {
        let mut all = Vec::new();
        for choice in choices {
            for rest in rest {
                let length = before.len() + choice.len() + rest.len();
                self.machine.budget.step()?;
                self.machine.budget.hold(length * size_of::<Atom>())?;
                all.push([before, choice, rest].concat());
            }
        }
        Ok(all)
    }

    /// What stands between the braces: a list or a sequence; nothing if it is neither.
    fn choices(&mut self, inner: &[Atom], depth: usize) -> Eval<Option<Vec<Vec<Atom>>>> {
        let pieces = split_at_commas(inner);
        if pieces.len() == 1 {
            return self.sequence(inner);
        }
        let mut all = Vec::new();
        for piece in pieces {
            all.extend(self.expand_braces(piece, depth + 1)?);
        }
        Ok(Some(all))
    }

    fn sequence(&mut self, inner: &[Atom]) -> Eval<Option<Vec<Vec<Atom>>>> {
        let bytes: Option<Vec<u8>> = inner
            .iter()
            .map(|atom| match atom {
                Atom::Byte(byte) => Some(*byte),
                Atom::Part(_) => None,
            })
            .collect();
        let Some(bytes) = bytes else { return Ok(None) };
        let ends: Vec<&[u8]> = bytes.split_str("..").collect();
        let (first, last, step) = match ends[..] {
            [first, last] => (first, last, Some(1)),
            [first, last, step] => (first, last, number(step)),
            _ => return Ok(None),
        };
        let Some(step) = step.map(i64::unsigned_abs).map(|step| step.max(1)) else {
            return Ok(None);
        };
        let (low, high, width) = match (number(first), number(last)) {
            (Some(low), Some(high)) => (low, high, Some(width(first).max(width(last)))),
            _ => match (first, last) {
                ([low], [high]) if low.is_ascii_alphabetic() && high.is_ascii_alphabetic() => {
                    (i64::from(*low), i64::from(*high), None)
                }
                _ => return Ok(None),
            },
        };
        let mut all = Vec::new();
        let mut offset = 0u64;
        let span = low.abs_diff(high);
        while offset <= span {
            self.machine.budget.step()?;
            let value = if low <= high {
                low.wrapping_add_unsigned(offset)
            } else {
                low.wrapping_sub_unsigned(offset)
            };
            let text = match width {
                Some(width) => format!("{value:0width$}").into_bytes(),
                None => vec![u8::try_from(value).unwrap_or_default()],
            };
            self.machine.budget.hold(text.len() * size_of::<Atom>())?;
            all.push(text.into_iter().map(Atom::Byte).collect());
            let Some(next) = offset.checked_add(step) else { break };
            offset = next;
        }
        Ok(Some(all))
    }

    /// A word of atoms.
    fn joined(&self, atoms: Vec<Atom>) -> Eval<Word> {
        let mut parts: Vec<Part> = Vec::new();
        for atom in atoms {
            match (parts.last_mut(), atom) {
                (Some(Part::Literal(text)), Atom::Byte(byte)) => text.push(byte),
                (Some(Part::Parameter(parameter)), Atom::Byte(byte))
                    if !parameter.is_braced
                        && matches!(parameter.name, Name::Variable(_))
                        && is_name_byte(byte) =>
                {
                    // Braces come first, so that the byte belongs to the name.
                    return self.refuse("{", "braces behind a variable's name");
                }
                (_, Atom::Byte(byte)) => parts.push(Part::Literal(BString::from(vec![byte]))),
                (_, Atom::Part(part)) => parts.push(part),
            }
        }
        Ok(Word { parts })
    }

    fn spend_on(&mut self, length: usize) -> Eval<()> {
        for _ in 0..=length / 64 {
            self.machine.budget.step()?;
        }
        Ok(())
    }
}

fn is(atom: &Atom, byte: u8) -> bool {
    matches!(atom, Atom::Byte(own) if *own == byte)
}

/// Where the brace at `open` is closed.
fn closing(atoms: &[Atom], open: usize) -> Option<usize> {
    let mut nesting = 0usize;
    for (at, atom) in atoms.iter().enumerate().skip(open) {
        if is(atom, b'{') {
            nesting += 1;
        } else if is(atom, b'}') {
            nesting -= 1;
            if nesting == 0 {
                return Some(at);
            }
        }
    }
    None
}

fn split_at_commas(atoms: &[Atom]) -> Vec<&[Atom]> {
    let mut nesting = 0usize;
    let mut pieces = Vec::new();
    let mut start = 0;
    for (at, atom) in atoms.iter().enumerate() {
        match atom {
            Atom::Byte(b'{') => nesting += 1,
            Atom::Byte(b'}') => nesting = nesting.saturating_sub(1),
            Atom::Byte(b',') if nesting == 0 => {
                pieces.push(&atoms[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    pieces.push(&atoms[start..]);
    pieces
}

fn number(text: &[u8]) -> Option<i64> {
    text.to_str().ok()?.parse().ok()
}

/// How many digits a number has to have if it is written with zeros in front.
fn width(text: &[u8]) -> usize {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    if digits.len() > 1 && digits.starts_with(b"0") { text.len() } else { 1 }
}
