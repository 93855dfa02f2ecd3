//! Wildcards (POSIX XCU 2.13.1, fnmatch(3)), where a slash and a leading dot are like other bytes.

/// Whether upper and lower case differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Case {
    /// They do.
    Counts,
    /// They do not (`FNM_CASEFOLD`).
    Ignored,
}

/// Whether a text matches a pattern as a whole. A bracket expression that does not end is a plain
/// `[`. Takes at most as many steps as both are long, multiplied.
pub fn matches(pattern: &[u8], name: &[u8], case: Case) -> bool {
    // Where the last `*` was, and how much of the name it takes.
    let mut star: Option<(usize, usize)> = None;
    let (mut at, mut read) = (0, 0);
    while read < name.len() {
        if pattern.get(at) == Some(&b'*') {
            star = Some((at, read));
            at += 1;
            continue;
        }
        if let Some(length) = matches_one(&pattern[at..], name[read], case) {
            at += length;
            read += 1;
            continue;
        }
        let Some((before, taken)) = star else { return false };
        star = Some((before, taken + 1));
        (at, read) = (before + 1, taken + 1);
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

/// How much of the pattern stands for this byte; `None` if it does not match.
fn matches_one(pattern: &[u8], byte: u8, case: Case) -> Option<usize> {
    let is_same = |wanted: u8| match case {
        Case::Counts => wanted == byte,
        Case::Ignored => wanted.eq_ignore_ascii_case(&byte),
    };
    match pattern {
        [] => None,
        [b'?', ..] => Some(1),
        [b'[', rest @ ..] => match bracket(rest, byte, case) {
            Some((is_in, length)) => is_in.then_some(length + 1),
            None => is_same(b'[').then_some(1),
        },
        [b'\\', escaped, ..] => is_same(*escaped).then_some(2),
        [wanted, ..] => is_same(*wanted).then_some(1),
    }
}

/// Whether a byte is in a bracket expression, and how long that is; `None` if it does not end.
fn bracket(pattern: &[u8], byte: u8, case: Case) -> Option<(bool, usize)> {
    let is_negated = matches!(pattern.first(), Some(b'!' | b'^'));
    let start = usize::from(is_negated);
    let mut at = start;
    let mut is_in = false;
    loop {
        let first = *pattern.get(at)?;
        if first == b']' && at > start {
            return Some((is_in != is_negated, at + 1));
        }
        if let Some((class, length)) = class(&pattern[at..]) {
            is_in |= is_of_class(class, byte)?;
            at += length;
            continue;
        }
        let (low, length) = literal(&pattern[at..])?;
        at += length;
        let high = match &pattern[at..] {
            [b'-', next, ..] if *next != b']' => {
                let (high, length) = literal(&pattern[at + 1..])?;
                at += length + 1;
                high
            }
            _ => low,
        };
        let is_between = |byte: u8| (low..=high).contains(&byte);
        is_in |= match case {
            Case::Counts => is_between(byte),
            Case::Ignored => {
                is_between(byte.to_ascii_lowercase()) || is_between(byte.to_ascii_uppercase())
            }
        };
    }
}

fn literal(pattern: &[u8]) -> Option<(u8, usize)> {
    match pattern {
        [b'\\', escaped, ..] => Some((*escaped, 2)),
        [byte, ..] => Some((*byte, 1)),
        [] => None,
    }
}

/// `[:alpha:]` inside of brackets.
fn class(pattern: &[u8]) -> Option<(&[u8], usize)> {
    let rest = pattern.strip_prefix(b"[:")?;
    let end = rest.windows(2).position(|pair| pair == b":]")?;
    Some((&rest[..end], end + 4))
}

fn is_of_class(class: &[u8], byte: u8) -> Option<bool> {
    Some(match class {
        b"alpha" => byte.is_ascii_alphabetic(),
        b"digit" => byte.is_ascii_digit(),
        b"alnum" => byte.is_ascii_alphanumeric(),
        b"upper" => byte.is_ascii_uppercase(),
        b"lower" => byte.is_ascii_lowercase(),
        b"space" => byte.is_ascii_whitespace() || byte == 0x0b,
        b"blank" => matches!(byte, b' ' | b'\t'),
        b"punct" => byte.is_ascii_punctuation(),
        b"print" => matches!(byte, 0x20..0x7f),
        b"graph" => byte.is_ascii_graphic(),
        b"cntrl" => byte.is_ascii_control(),
        b"xdigit" => byte.is_ascii_hexdigit(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match_patterns() {
        for (pattern, name, expected) in [
            ("*.pyc", "a.pyc", true),
            ("*.pyc", "a.py", false),
            ("*", "", true),
            ("*a*b*", "xxaxxbxx", true),
            ("*a*b", "xxaxxbxx", false),
            ("*a*b", "xaybab", true),
            ("**", "", true),
            ("", "", true),
            ("", "a", false),
            ("?", "", false),
            ("./d/*", "./d/e/f", true),
            (".*", ".h", true),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[]a]", "]", true),
            ("[a-]", "-", true),
            ("[[:digit:]_]", "_", true),
            ("[[:digit:]_]", "7", true),
            ("[a", "[a", true),
            ("[", "[", true),
            ("[]]", "]", true),
            ("a\\*", "a*", true),
            ("a\\*", "ab", false),
            ("A*", "abc", false),
        ] {
            let found = matches(pattern.as_bytes(), name.as_bytes(), Case::Counts);
            assert_eq!(found, expected, "{pattern} {name}");
        }
        assert!(matches(b"A[X-Z]*", b"axbc", Case::Ignored));
        let hostile = "*a".repeat(50);
        assert!(!matches(hostile.as_bytes(), "ab".repeat(2000).as_bytes(), Case::Counts));
    }
}
