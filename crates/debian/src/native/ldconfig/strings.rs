//! The cache's table of strings, in which one that ends another stands only once.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use bstr::BString;

/// All strings, and where each stands.
#[derive(Debug, Default)]
pub(super) struct Strings {
    pub(super) bytes: Vec<u8>,
    places: BTreeMap<BString, u32>,
}

impl Strings {
    /// Lays strings out: backwards read they are in descending order, the longer of two first.
    pub(super) fn new(strings: BTreeSet<BString>) -> Strings {
        let mut ordered: Vec<BString> = strings.into_iter().collect();
        ordered.sort_by(backwards);
        let mut table = Strings::default();
        let mut previous: Option<(BString, usize)> = None;
        for string in ordered {
            let end = match &previous {
                Some((longer, end)) if longer.ends_with(&string) => *end,
                _ => {
                    table.bytes.extend_from_slice(&string);
                    table.bytes.push(0);
                    table.bytes.len() - 1
                }
            };
            let place = u32::try_from(end - string.len()).unwrap_or(u32::MAX);
            table.places.insert(string.clone(), place);
            previous = Some((string, end));
        }
        table
    }

    /// Where a string begins.
    pub(super) fn place(&self, string: &BString) -> u32 {
        self.places.get(string).copied().unwrap_or_default()
    }
}

fn backwards(one: &BString, two: &BString) -> Ordering {
    two.iter().rev().cmp(one.iter().rev())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_are_shared() {
        let all = ["libz.so.1", "/lib/libz.so.1", "so.1", "liba.so.1", "x86-64-v3"];
        let strings = Strings::new(all.iter().map(|text| BString::from(*text)).collect());
        let shown = BString::from(strings.bytes.clone()).to_string();
        assert_eq!(shown, "x86-64-v3\0/lib/libz.so.1\0liba.so.1\0");
        for text in all {
            let place = strings.place(&text.into()) as usize;
            assert!(strings.bytes[place..].starts_with(format!("{text}\0").as_bytes()), "{text}");
        }
    }
}
