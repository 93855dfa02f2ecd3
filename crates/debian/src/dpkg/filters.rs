//! `path-exclude` and `path-include`: which files of packages are left out (dpkg(1)).

use bstr::{BString, ByteSlice};

/// Rules in the order in which they were given; the last that matches counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filters(Vec<Filter>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Filter {
    pattern: BString,
    rule: Rule,
}

/// What becomes of paths that match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// They are left out.
    Exclude,
    /// They are not.
    Include,
}

impl Filters {
    /// One more rule.
    pub fn add(&mut self, pattern: &[u8], rule: Rule) {
        self.0.push(Filter { pattern: pattern.into(), rule });
    }

    /// Whether an absolute path is left out. Directories and links stay if a rule may include
    /// something below them.
    pub fn leave_out(&self, path: &[u8], may_hold_others: MayHoldOthers) -> bool {
        let last = self.0.iter().rev().find(|filter| matches(&filter.pattern, path));
        if last.is_none_or(|filter| filter.rule == Rule::Include) {
            return false;
        }
        let leads_to = |filter: &Filter| {
            filter.rule == Rule::Include && path.starts_with(literal_start(&filter.pattern))
        };
        !(may_hold_others == MayHoldOthers::Yes && self.0.iter().any(leads_to))
    }
}

/// Whether there may be something below a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MayHoldOthers {
    /// A directory, or a symbolic link.
    Yes,
    /// Anything else.
    No,
}

/// A pattern up to its first wildcard, without slashes at the end.
fn literal_start(pattern: &[u8]) -> &[u8] {
    let end = pattern.find_byteset(b"*?[\\").unwrap_or(pattern.len());
    pattern[..end].trim_end_with(|letter| letter == '/')
}

/// Whether a path matches (fnmatch(3) without flags: a star matches slashes, too).
fn matches(pattern: &[u8], path: &[u8]) -> bool {
    let (mut at, mut position) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    loop {
        let matched = match pattern.get(at) {
            Some(b'*') => {
                star = Some((at + 1, position));
                at += 1;
                continue;
            }
            None if position == path.len() => return true,
            None => None,
            Some(_) => path.get(position).and_then(|byte| one(&pattern[at..], *byte)),
        };
        match (matched, star) {
            (Some(length), _) => (at, position) = (at + length, position + 1),
            (None, Some((behind, from))) if from < path.len() => {
                star = Some((behind, from + 1));
                (at, position) = (behind, from + 1);
            }
            _ => return false,
        }
    }
}

/// How long the first element of a pattern is, if it matches a byte.
fn one(pattern: &[u8], byte: u8) -> Option<usize> {
    match (pattern[0], pattern.get(1)) {
        (b'?', _) => Some(1),
        (b'\\', Some(escaped)) => (*escaped == byte).then_some(2),
        (b'[', _) => match bracket(pattern, byte) {
            Some((is_in, length)) => is_in.then_some(length),
            None => (byte == b'[').then_some(1),
        },
        (plain, _) => (plain == byte).then_some(1),
    }
}

/// Whether a byte is in a bracket expression, and how long that is; `None` if it is none.
fn bracket(pattern: &[u8], byte: u8) -> Option<(bool, usize)> {
    let is_negated = matches!(pattern.get(1), Some(b'!' | b'^'));
    let first = if is_negated { 2 } else { 1 };
    let mut at = first;
    let mut is_in = false;
    loop {
        let low = *pattern.get(at)?;
        if low == b']' && at > first {
            return Some((is_in != is_negated, at + 1));
        }
        match (pattern.get(at + 1), pattern.get(at + 2)) {
            (Some(b'-'), Some(high)) if *high != b']' => {
                is_in |= (low..=*high).contains(&byte);
                at += 3;
            }
            _ => {
                is_in |= low == byte;
                at += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_rule_that_matches_counts() {
        let mut filters = Filters::default();
        filters.add(b"/usr/share/doc/*", Rule::Exclude);
        filters.add(b"/usr/share/doc/*/copyright", Rule::Include);
        filters.add(b"/usr/share/locale/[!e]*", Rule::Exclude);
        let table = [
            ("/usr/share/doc/a/copyright", MayHoldOthers::No, false),
            ("/usr/share/doc/a/changelog.gz", MayHoldOthers::No, true),
            ("/usr/share/doc/a", MayHoldOthers::Yes, false),
            ("/usr/share/doc", MayHoldOthers::Yes, false),
            ("/usr/share/locale/de/a.mo", MayHoldOthers::No, true),
            ("/usr/share/locale/de", MayHoldOthers::Yes, true),
            ("/usr/share/locale/en/a.mo", MayHoldOthers::No, false),
            ("/usr/bin/a", MayHoldOthers::No, false),
        ];
        for (path, may_hold_others, expected) in table {
            assert_eq!(filters.leave_out(path.as_bytes(), may_hold_others), expected, "{path}");
        }
    }

    #[test]
    fn patterns_match_as_fnmatch_does() {
        let table = [
            ("/a*c", "/a/b/c", true),
            ("/a?c", "/abc", true),
            ("/a\\*", "/a*", true),
            ("/a\\*", "/ab", false),
            ("/[a-c]x", "/bx", true),
            ("/[", "/[", true),
            ("*", "", true),
            ("/a", "/ab", false),
        ];
        for (pattern, path, expected) in table {
            assert_eq!(matches(pattern.as_bytes(), path.as_bytes()), expected, "{pattern} {path}");
        }
    }
}
