//! Options of programs, as getopt_long(3) reads them.
//!
//! A program's table lists the options that it understands, and only those: any other is refused
//! by name. So are abbreviations of long options, since which one is meant depends on options that
//! the table does not have.

use bstr::{BStr, BString, ByteSlice};

use crate::process::Process;
use crate::stop::{Reason, Stop};

/// An option that a program understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// What the program calls it: the short form, or the long one if that is all there is.
    pub id: &'static str,
    /// The letter, if it has one.
    pub short: Option<char>,
    /// The long names.
    pub long: &'static [&'static str],
    /// Whether a value belongs to it.
    pub value: Takes,
}

/// Whether an option has a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// None.
    Nothing,
    /// One, in the same word or the next.
    Value,
    /// One in the same word, or none.
    MaybeValue,
}

/// Where options may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Among the operands, up to a `--`.
    Anywhere,
    /// Before the first operand.
    First,
}

/// What a command line says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// The options in order, by id, with their values.
    pub given: Vec<(&'static str, Option<BString>)>,
    /// All else.
    pub operands: Vec<BString>,
}

/// An option without a value: `flag("-r", 'r', &["recursive"])`.
pub const fn flag(id: &'static str, short: char, long: &'static [&'static str]) -> Known {
    Known { id, short: Some(short), long, value: Takes::Nothing }
}

/// An option with a value.
pub const fn value(id: &'static str, short: char, long: &'static [&'static str]) -> Known {
    Known { id, short: Some(short), long, value: Takes::Value }
}

/// An option that has only a long form.
pub const fn long(id: &'static str, long: &'static [&'static str], value: Takes) -> Known {
    Known { id, short: None, long, value }
}

impl Options {
    /// Reads the arguments of `process`.
    ///
    /// # Errors
    /// A refusal that names the first option that is not in the table, or that lacks its value.
    pub fn of(process: &Process<'_, '_>, known: &[Known], order: Order) -> Result<Self, Stop> {
        let refuse = |option: String| process.refuse(Reason::Option(option));
        Options::read(process.arguments(), known, order).map_err(refuse)
    }

    /// Reads words; the error is the option that is not understood.
    pub fn read(words: &[BString], known: &[Known], order: Order) -> Result<Self, String> {
        let mut options = Options::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            if word == "--" {
                options.operands.extend(words.cloned());
                break;
            }
            if let Some(name) = word.strip_prefix(b"--") {
                options.long(name.as_bstr(), known, &mut words)?;
            } else if word.len() > 1 && word.starts_with(b"-") {
                options.short(word.as_bstr(), known, &mut words)?;
            } else {
                options.operands.push(word.clone());
                if order == Order::First {
                    options.operands.extend(words.cloned());
                    break;
                }
            }
        }
        Ok(options)
    }

    fn long<'a>(
        &mut self,
        word: &BStr,
        known: &[Known],
        words: &mut impl Iterator<Item = &'a BString>,
    ) -> Result<(), String> {
        let (name, given) = match word.split_once_str("=") {
            Some((name, value)) => (name, Some(BString::from(value))),
            None => (word.as_bytes(), None),
        };
        let shown = || format!("--{}", name.as_bstr());
        let is_named = |known: &&Known| known.long.iter().any(|long| long.as_bytes() == name);
        let known = known.iter().find(is_named).ok_or_else(shown)?;
        let value = match (known.value, given) {
            (Takes::Nothing, Some(_)) => return Err(shown()),
            (Takes::Value, None) => Some(words.next().ok_or_else(shown)?.clone()),
            (_, given) => given,
        };
        self.given.push((known.id, value));
        Ok(())
    }

    fn short<'a>(
        &mut self,
        word: &BStr,
        known: &[Known],
        words: &mut impl Iterator<Item = &'a BString>,
    ) -> Result<(), String> {
        for (_, end, letter) in word.char_indices().skip(1) {
            let found = known.iter().find(|known| known.short == Some(letter));
            let known = found.ok_or_else(|| format!("-{letter}"))?;
            let rest = &word[end..];
            match known.value {
                Takes::Nothing => self.given.push((known.id, None)),
                Takes::MaybeValue => {
                    let given = (!rest.is_empty()).then(|| BString::from(rest));
                    self.given.push((known.id, given));
                    break;
                }
                Takes::Value if rest.is_empty() => {
                    let next = words.next().ok_or_else(|| format!("-{letter}"))?;
                    self.given.push((known.id, Some(next.clone())));
                    break;
                }
                Takes::Value => {
                    self.given.push((known.id, Some(BString::from(rest))));
                    break;
                }
            }
        }
        Ok(())
    }

    /// Whether an option was given.
    pub fn has(&self, id: &str) -> bool {
        self.given.iter().any(|(given, _)| *given == id)
    }

    /// The last of several options that exclude each other.
    pub fn last_of(&self, ids: &[&str]) -> Option<&'static str> {
        let given = self.given.iter().rev().map(|(id, _)| *id);
        given.into_iter().find(|id| ids.contains(id))
    }

    /// The value of an option; the last one counts.
    pub fn value(&self, id: &str) -> Option<&BStr> {
        let own = self.given.iter().filter(|(given, _)| *given == id);
        own.filter_map(|(_, value)| value.as_ref()).next_back().map(|value| value.as_bstr())
    }

    /// All values of an option, in order.
    pub fn values<'a>(&'a self, id: &'a str) -> impl Iterator<Item = &'a BStr> + 'a {
        let own = self.given.iter().filter(move |(given, _)| *given == id);
        own.filter_map(|(_, value)| value.as_ref().map(|value| value.as_bstr()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[Known] = &[
        flag("-r", 'r', &["recursive"]),
        flag("-v", 'v', &[]),
        value("-m", 'm', &["mode"]),
        Known { id: "-i", short: Some('i'), long: &["in-place"], value: Takes::MaybeValue },
    ];

    fn read(line: &str, order: Order) -> String {
        let words: Vec<BString> = line.split(' ').map(BString::from).collect();
        match Options::read(&words, KNOWN, order) {
            Ok(Options { given, operands }) => {
                let given = given.iter().map(|(id, value)| match value {
                    Some(value) => format!("{id}={value}"),
                    None => (*id).to_owned(),
                });
                let given: Vec<String> = given.collect();
                let operands: Vec<String> = operands.iter().map(ToString::to_string).collect();
                format!("{} | {}", given.join(" "), operands.join(" "))
            }
            Err(option) => format!("refused: {option}"),
        }
    }

    #[test]
    fn options_are_read_as_getopt_does() {
        for (line, expected) in [
            ("-rv a --mode=755 b", "-r -v -m=755 | a b"),
            ("-vm755 -m 644 --recursive", "-v -m=755 -m=644 -r | "),
            ("-r -- -v", "-r | -v"),
            ("-i.bak --in-place -i x", "-i=.bak -i -i | x"),
            ("- a", " | - a"),
            ("-rx", "refused: -x"),
            ("--recurs a", "refused: --recurs"),
            ("--recursive=yes", "refused: --recursive"),
            ("a -m", "refused: -m"),
        ] {
            assert_eq!(read(line, Order::Anywhere), expected, "{line}");
        }
        assert_eq!(read("-v a -r", Order::First), "-v | a -r");
    }
}
