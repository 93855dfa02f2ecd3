//! `sort`: lines in order (POSIX XCU, `sort`, and GNU's additions).

mod compare;
mod key;

use std::cmp::Ordering;
use std::sync::Arc;

use bstr::{BString, ByteSlice};

use super::busybox::{self, options};
use super::input::{Keep, lines, or_input, put, read};
use super::locale::refuse_collation;
use crate::data::Data;
use crate::options::{Known, Options, Order, Takes, flag, value};
use crate::process::{Process, Run, errno};
use crate::programs::quoting::bare;
use crate::stop::{Reason, Stop};
use compare::Style;
use key::Key;

const KNOWN: &[Known] = &[
    flag("-b", 'b', &["ignore-leading-blanks"]),
    flag("-d", 'd', &["dictionary-order"]),
    flag("-f", 'f', &["ignore-case"]),
    flag("-g", 'g', &["general-numeric-sort"]),
    flag("-h", 'h', &["human-numeric-sort"]),
    flag("-i", 'i', &["ignore-nonprinting"]),
    flag("-M", 'M', &["month-sort"]),
    flag("-n", 'n', &["numeric-sort"]),
    flag("-r", 'r', &["reverse"]),
    flag("-V", 'V', &["version-sort"]),
    flag("-c", 'c', &[]),
    flag("-C", 'C', &[]),
    flag("-m", 'm', &["merge"]),
    flag("-s", 's', &["stable"]),
    flag("-u", 'u', &["unique"]),
    flag("-z", 'z', &["zero-terminated"]),
    value("-k", 'k', &["key"]),
    value("-o", 'o', &["output"]),
    value("-t", 't', &["field-separator"]),
    Known { id: "--check", short: None, long: &["check"], value: Takes::MaybeValue },
];

/// Sorts, merges or checks.
pub(super) fn sort(process: &mut Process<'_, '_>) -> Run {
    let options = options(process, KNOWN, Order::Anywhere)?;
    refuse_collation(process)?;
    let sorter = Sorter::of(process, &options)?;
    let names = or_input(&options.operands);
    let end = if options.has("-z") { 0 } else { b'\n' };
    let check = match (options.last_of(&["-c", "-C", "--check"]), options.value("--check")) {
        (None, _) => None,
        (Some("-C"), _) => Some(Check::Quiet),
        (Some("--check"), Some(how)) if how == "quiet" || how == "silent" => Some(Check::Quiet),
        (Some("--check"), Some(how)) if how != "diagnose-first" => {
            return Err(process.refuse(Reason::Option(format!("--check={how}"))));
        }
        _ => Some(Check::Told),
    };
    if check.is_some() && names.len() > 1 {
        return Err(process.refuse(Reason::Use("checks several files".to_owned())));
    }
    let mut separators = options.values("-t");
    let first = separators.next();
    let is_odd = separators.any(|other| Some(other) != first)
        || (check.is_some() && options.has("-o"))
        || (options.has("-c") && options.has("-C"));
    if is_odd {
        return Err(process.refuse(Reason::Use("has options that are incompatible".to_owned())));
    }
    let mut texts: Vec<Arc<[u8]>> = Vec::new();
    for name in &names {
        match read(process, name)? {
            Ok(text) => texts.push(text),
            Err(wrong) => {
                let what = match wrong {
                    crate::files::Errno::IsADirectory => "read failed",
                    _ => "cannot read",
                };
                process.complain(format!("{what}: {}: {wrong}", bare(name)))?;
                return Ok(2);
            }
        }
    }
    let are_odd = |key: &bstr::BStr| !key.iter().all(|byte| b"0123456789.,nr".contains(byte));
    let has_several = options.values("-t").count() > 1;
    let has_both = options.has("-k") && options.has("-u");
    if options.values("-k").any(are_odd) || has_several || has_both {
        busybox::refuse(process)?;
    }
    if options.has("-g") || options.values("-k").any(|key| key.contains(&b'g')) {
        busybox::refuse(process)?;
        if !texts.iter().flat_map(|text| lines(text, end)).all(is_plain_number) {
            let what = "sorts with `-g` what are not all plain numbers".to_owned();
            return Err(process.refuse(Reason::Use(what)));
        }
    }
    let has_numbers = options.has("-n") || options.values("-k").any(|key| key.contains(&b'n'));
    if has_numbers && texts.iter().any(|text| has_odd_numbers(text)) {
        busybox::refuse(process)?;
    }
    let mut all: Vec<&[u8]> = texts.iter().flat_map(|text| lines(text, end)).collect();
    if let Some(check) = check {
        return sorter.check(process, &names[0], &all, check);
    }
    // Merging files gives what sorting them gives, if they are sorted.
    let is_sorted = |text: &Arc<[u8]>| {
        lines(text, end).is_sorted_by(|left, right| sorter.compare(left, right).is_le())
    };
    if options.has("-m") && !texts.iter().all(is_sorted) {
        return Err(process.refuse(Reason::Use("merges files that are not sorted".to_owned())));
    }
    all.sort_by(|left, right| sorter.compare(left, right));
    if sorter.is_unique {
        all.dedup_by(|right, left| sorter.keys(left, right).is_eq());
    }
    let mut output = Vec::with_capacity(texts.iter().map(|text| text.len() + 1).sum());
    for line in all {
        output.extend_from_slice(line);
        output.push(end);
    }
    let Some(name) = options.value("-o") else {
        process.write(output)?;
        return Ok(0);
    };
    let placed = put(process, name, &Data::of(output), Keep::Nothing);
    if let Err(wrong) = errno(placed)? {
        process.complain(format!("open failed: {}: {wrong}", bare(name)))?;
        return Ok(2);
    }
    Ok(0)
}

/// The digits that a C `long double` keeps apart.
const MOST_DIGITS: usize = 18;

/// Whether a line is a number that C's `strtold`, which `-g` reads with, takes for what `-n` does.
fn is_plain_number(line: &[u8]) -> bool {
    let text = line.trim_start_with(|letter| letter == ' ' || letter == '\t');
    let text = text.strip_prefix(b"-").unwrap_or(text);
    let (whole, fraction) = text.split_once_str(".").unwrap_or((text, b"0"));
    let is_number = |digits: &[u8]| !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    is_number(whole) && is_number(fraction) && text.len() <= MOST_DIGITS
}

/// Whether there may be numbers that C's `strtod` reads as others than `sort` does.
fn has_odd_numbers(text: &[u8]) -> bool {
    let is_odd = |pair: &[u8]| pair[0].is_ascii_digit() && b"eExX".contains(&pair[1]);
    let lower = text.to_ascii_lowercase();
    text.contains(&b'+')
        || text.windows(2).any(is_odd)
        || ["inf", "nan"].iter().any(|word| lower.contains_str(word))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Check {
    Told,
    Quiet,
}

/// How lines are compared.
struct Sorter {
    keys: Vec<Key>,
    separator: Option<u8>,
    is_unique: bool,
    is_stable: bool,
    reverses: bool,
}

impl Sorter {
    fn of(process: &Process<'_, '_>, options: &Options) -> Result<Self, Stop> {
        let refuse = |what: String| process.refuse(Reason::Use(what));
        let separator = match options.value("-t").map(|text| text.to_vec()).as_deref() {
            None => None,
            Some([byte]) => Some(*byte),
            Some(b"\\0") => Some(0),
            Some(other) => {
                let shown = bstr::BStr::new(other);
                return Err(refuse(format!("has the separator {shown}")));
            }
        };
        let mut own = Style::default();
        for (id, _) in &options.given {
            if let [b'-', letter] = id.as_bytes() {
                own.set(*letter);
            }
        }
        let mut keys = Vec::new();
        for text in options.values("-k") {
            let key = Key::read(text).ok_or_else(|| refuse(format!("has the key {text}")))?;
            // A key without letters of its own has those of all.
            keys.push(if key.has_style() { key } else { key.with(&own) });
        }
        let reverses = own.reverses;
        if keys.is_empty() && !own.is_plain() {
            keys.push(Key::whole(own));
        }
        if keys.iter().any(|key| key.style.is_contradiction()) {
            return Err(refuse("has options that are incompatible".to_owned()));
        }
        let is_unique = options.has("-u");
        let is_stable = options.has("-s") || is_unique;
        Ok(Sorter { keys, separator, is_unique, is_stable, reverses })
    }

    fn compare(&self, left: &[u8], right: &[u8]) -> Ordering {
        let by_keys = self.keys(left, right);
        if by_keys.is_ne() || self.is_stable {
            return by_keys;
        }
        // The last resort.
        let order = left.cmp(right);
        if self.reverses { order.reverse() } else { order }
    }

    /// By all keys, or by the whole line if there are none.
    fn keys(&self, left: &[u8], right: &[u8]) -> Ordering {
        if self.keys.is_empty() {
            let order = left.cmp(right);
            return if self.reverses { order.reverse() } else { order };
        }
        let orders = self.keys.iter().map(|key| {
            let (left, right) = (key.of(left, self.separator), key.of(right, self.separator));
            key.style.compare(left, right)
        });
        orders.into_iter().find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    }

    fn check(
        &self,
        process: &mut Process<'_, '_>,
        name: &BString,
        all: &[&[u8]],
        check: Check,
    ) -> Run {
        let wrong = all.windows(2).position(|pair| {
            let order = self.compare(pair[0], pair[1]);
            order.is_gt() || (self.is_unique && order.is_eq())
        });
        let Some(index) = wrong else { return Ok(0) };
        if check == Check::Told {
            let before = format!("{}:{}: disorder: ", bare(name), index + 2);
            process.complain_bytes(&[before.as_bytes(), all[index + 1]].concat())?;
        }
        Ok(1)
    }
}

#[cfg(test)]
mod tests;
