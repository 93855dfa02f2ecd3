//! `path-exclude` and `path-include`: which files of packages are left out (dpkg(1)).

use bstr::{BString, ByteSlice};
use shell::wildcard::{self, Case};

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
        let last = self
            .0
            .iter()
            .rev()
            .find(|filter| wildcard::matches(&filter.pattern, path, Case::Counts));
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
}
