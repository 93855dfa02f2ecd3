//! Patterns of paths, as glob(3) expands them for `include`.

use bstr::{BStr, BString, ByteSlice};
use shell::files::Last;
use shell::process::errno;
use shell::{Process, Stop};

/// The paths that a pattern matches, sorted by their bytes.
pub(super) fn expand(process: &mut Process<'_, '_>, pattern: &BStr) -> Result<Vec<BString>, Stop> {
    let start = if pattern.starts_with(b"/") { "/" } else { "" };
    let mut found = vec![BString::from(start)];
    for component in pattern.split_str("/").filter(|component| !component.is_empty()) {
        let mut next = Vec::new();
        for above in found {
            process.machine.budget.step()?;
            if component.find_byteset(b"*?[\\").is_some() {
                next.extend(matching(process, &above, component.as_bstr())?);
            } else {
                next.push(joined(&above, component));
            }
        }
        found = next;
    }
    let mut there = Vec::new();
    for path in found {
        if errno(process.find(&path, Last::Kept))?.is_ok() {
            there.push(path);
        }
    }
    there.sort();
    Ok(there)
}

/// The names in a directory that match.
fn matching(
    process: &Process<'_, '_>,
    above: &BString,
    pattern: &BStr,
) -> Result<Vec<BString>, Stop> {
    let place = if above.is_empty() { BStr::new(".") } else { above.as_bstr() };
    let Ok((path, stat)) = errno(process.find(place, Last::Followed))? else {
        return Ok(Vec::new());
    };
    if !stat.is_directory() {
        return Ok(Vec::new());
    }
    let Ok(names) = errno(process.machine.files.read_dir(&path))? else { return Ok(Vec::new()) };
    let visible = |name: &BString| !name.starts_with(b".") || pattern.starts_with(b".");
    let names = names.into_keys().filter(|name| visible(name) && matches(pattern, name));
    Ok(names.map(|name| joined(above, &name)).collect())
}

fn joined(above: &BString, name: &[u8]) -> BString {
    let slash: &[u8] = if above.is_empty() || above.ends_with(b"/") { b"" } else { b"/" };
    [above.as_slice(), slash, name].concat().into()
}

/// Whether a name matches a pattern without slashes (fnmatch(3)).
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut pattern, mut name) = (pattern, name);
    // Where to go on if what follows the last star does not match: one byte later.
    let mut again: Option<(&[u8], &[u8])> = None;
    loop {
        if let Some(rest) = pattern.strip_prefix(b"*") {
            again = Some((rest, name));
            pattern = rest;
            continue;
        }
        let step = match name.split_first() {
            None if pattern.is_empty() => return true,
            None => None,
            Some((byte, rest)) => one(pattern, *byte).map(|pattern| (pattern, rest)),
        };
        match step {
            Some(next) => (pattern, name) = next,
            None => match again {
                Some((after, [_, rest @ ..])) => {
                    again = Some((after, rest));
                    (pattern, name) = (after, rest);
                }
                _ => return false,
            },
        }
    }
}

/// What is left of a pattern whose first part matches one byte.
fn one(pattern: &[u8], byte: u8) -> Option<&[u8]> {
    match pattern {
        [b'?', rest @ ..] => Some(rest),
        [b'[', rest @ ..] => match set(rest, byte) {
            Some((holds, rest)) => holds.then_some(rest),
            None => (byte == b'[').then_some(rest),
        },
        [b'\\', escaped, rest @ ..] | [escaped, rest @ ..] => (*escaped == byte).then_some(rest),
        [] => None,
    }
}

/// Whether the bracket expression that begins here holds a byte, and what is behind it.
fn set(pattern: &[u8], byte: u8) -> Option<(bool, &[u8])> {
    let (is_negated, mut rest) = match pattern {
        [b'!' | b'^', rest @ ..] => (true, rest),
        _ => (false, pattern),
    };
    let mut holds = false;
    let mut is_first = true;
    loop {
        (holds, rest) = match rest {
            [b']', rest @ ..] if !is_first => return Some((holds != is_negated, rest)),
            [low, b'-', high, rest @ ..] if *high != b']' => {
                (holds || (*low..=*high).contains(&byte), rest)
            }
            [one, rest @ ..] => (holds || *one == byte, rest),
            [] => return None,
        };
        is_first = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match_patterns() {
        for (pattern, name, expected) in [
            ("*.conf", "a.conf", true),
            ("*.conf", "a.conf.dpkg-old", false),
            ("*a*b", "xaybab", true),
            ("*a*b", "xayba", false),
            ("[a-c]?", "bz", true),
            ("[!a-c]?", "bz", false),
            ("[]x]", "]", true),
            ("[x", "[x", true),
            ("\\*", "*", true),
            ("\\*", "a", false),
            ("", "", true),
        ] {
            assert_eq!(matches(pattern.as_bytes(), name.as_bytes()), expected, "{pattern} {name}");
        }
    }
}
