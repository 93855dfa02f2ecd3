//! Which members are wanted, and what they are called outside of the archive.

use bstr::{BString, ByteSlice};

use super::member::Member;
use crate::options::Options;
use crate::process::Process;
use crate::stop::Stop;
use crate::wildcard::{Case, matches};

/// Keeps the members that the operands and `--exclude` ask for; operands that ask for nothing.
pub(super) fn select(
    process: &mut Process<'_, '_>,
    options: &Options,
    members: &mut Vec<Member>,
) -> Result<Vec<BString>, Stop> {
    let has_wildcards = options.has("--wildcards");
    let wanted: Vec<&[u8]> = options
        .operands
        .iter()
        .map(|name| name.trim_end_with(|letter| letter == '/').as_bytes())
        .collect();
    let mut found = vec![false; wanted.len()];
    members.retain(|member| {
        let name = member.name.trim_end_with(|letter| letter == '/').as_bytes();
        if options.values("--exclude").any(|pattern| is_excluded(pattern, name)) {
            return false;
        }
        let mut is_wanted = wanted.is_empty();
        for (found, wanted) in found.iter_mut().zip(&wanted) {
            if is_at_or_below(wanted, name, has_wildcards) {
                *found = true;
                is_wanted = true;
            }
        }
        is_wanted
    });
    let missing: Vec<BString> = options
        .operands
        .iter()
        .zip(&found)
        .filter(|(_, found)| !**found)
        .map(|(name, _)| name.clone())
        .collect();
    let is_pattern = |name: &BString| name.iter().any(|byte| b"*?[".contains(byte));
    if !has_wildcards && missing.iter().any(is_pattern) {
        process.complain("Pattern matching characters used in file names")?;
        process.complain(
            "Use --wildcards to enable pattern matching, or --no-wildcards to suppress this warning",
        )?;
    }
    Ok(missing)
}

/// Whether a member is what is wanted, or in a directory that is.
fn is_at_or_below(wanted: &[u8], name: &[u8], has_wildcards: bool) -> bool {
    let mut ends = name.find_iter("/").chain([name.len()]);
    ends.any(|end| match has_wildcards {
        true => matches(wanted, &name[..end], Case::Counts),
        false => wanted == &name[..end],
    })
}

/// A pattern may begin behind any slash, and holds for all that is below.
pub(super) fn is_excluded(pattern: &[u8], name: &[u8]) -> bool {
    let starts = [0].into_iter().chain(name.find_iter("/").map(|at| at + 1));
    starts.into_iter().any(|start| is_at_or_below(pattern, &name[start..], true))
}

/// A name without its first components; `None` if nothing is left.
pub(super) fn stripped(name: &[u8], components: usize) -> Option<&[u8]> {
    let mut rest = name;
    for _ in 0..components {
        let end = rest.find_byte(b'/')?;
        rest = rest[end..].trim_start_with(|letter| letter == '/').as_bytes();
    }
    (!rest.is_empty()).then_some(rest)
}

/// How much at the beginning of a name would lead out of the directory: slashes, and all up to the
/// last `..`.
pub(super) fn unsafe_prefix(name: &[u8]) -> usize {
    let mut end = 0;
    let mut at = 0;
    for component in name.split(|byte| *byte == b'/') {
        at += component.len() + 1;
        if component == b".." {
            end = at.min(name.len());
        }
    }
    end + name[end..].iter().take_while(|byte| **byte == b'/').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_safe() {
        for (name, prefix) in [
            ("a/b", ""),
            ("/a", "/"),
            ("//a", "//"),
            ("../up", "../"),
            ("a/../../b", "a/../../"),
            ("..", ".."),
            ("a/..b", ""),
        ] {
            assert_eq!(&name[..unsafe_prefix(name.as_bytes())], prefix, "{name}");
        }
    }

    #[test]
    fn components_are_stripped() {
        for (name, count, expected) in [
            ("a/b/c", 1, Some("b/c")),
            ("./a/b", 1, Some("a/b")),
            ("a/", 1, None),
            ("a", 1, None),
            ("a//b", 1, Some("b")),
        ] {
            let found = stripped(name.as_bytes(), count).map(|name| name.to_str_lossy());
            assert_eq!(found.as_deref(), expected, "{name}");
        }
    }

    #[test]
    fn excludes_hold_for_all_below() {
        for (pattern, name, expected) in [
            ("d/e", "d/e", true),
            ("d/e", "d/e/f", true),
            ("e", "d/e/f", true),
            ("*.txt", "d/a.txt", true),
            ("f", "d/ef", false),
        ] {
            assert_eq!(
                is_excluded(pattern.as_bytes(), name.as_bytes()),
                expected,
                "{pattern} {name}"
            );
        }
    }
}
