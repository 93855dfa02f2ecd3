//! Wildcards as fnmatch(3) without flags reads them: `*` goes over slashes and dots, too.

/// Whether all of `text` is what `pattern` means. Takes as many steps as both are long.
pub(crate) fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut start) = (0, 0);
    // Where the last star is, and what it took last.
    let mut star: Option<(usize, usize)> = None;
    loop {
        if pattern.get(at) == Some(&b'*') {
            at += 1;
            star = Some((at, start));
            continue;
        }
        let step = text.get(start).and_then(|byte| one(&pattern[at..], *byte));
        match (step, star) {
            (Some(length), _) => (at, start) = (at + length, start + 1),
            (None, _) if start == text.len() && at == pattern.len() => return true,
            (None, Some((behind, taken))) if taken < text.len() => {
                star = Some((behind, taken + 1));
                (at, start) = (behind, taken + 1);
            }
            (None, _) => return false,
        }
    }
}

/// How much of a pattern one byte uses up; `None` if it does not match.
fn one(pattern: &[u8], byte: u8) -> Option<usize> {
    match pattern {
        [] | [b'*', ..] => None,
        [b'?', ..] => Some(1),
        [b'\\', escaped, ..] => (*escaped == byte).then_some(2),
        [b'[', rest @ ..] => match set(rest, byte) {
            Some((is_in, length)) => is_in.then_some(length + 1),
            // What is not closed is no set.
            None => (byte == b'[').then_some(1),
        },
        [known, ..] => (*known == byte).then_some(1),
    }
}

/// Whether a byte is in the set that begins here, and how long that is.
fn set(pattern: &[u8], byte: u8) -> Option<(bool, usize)> {
    let is_inverted = matches!(pattern.first(), Some(b'!' | b'^'));
    let mut at = usize::from(is_inverted);
    let first = at;
    let mut is_in = false;
    loop {
        let mut low = *pattern.get(at)?;
        if low == b']' && at > first {
            return Some((is_in != is_inverted, at + 1));
        }
        if low == b'\\' {
            at += 1;
            low = *pattern.get(at)?;
        }
        at += 1;
        let mut high = low;
        if pattern.get(at) == Some(&b'-') && pattern.get(at + 1).is_some_and(|end| *end != b']') {
            high = *pattern.get(at + 1)?;
            at += 2;
        }
        is_in |= (low..=high).contains(&byte);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_whole_texts() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("*", "/a/.b", true),
            ("/usr/*", "/usr/share/doc", true),
            ("*doc*", "/usr/share/doc", true),
            ("*ab*ab", "xababab", true),
            ("*ab*ab", "xab", false),
            ("?", "ab", false),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[]]", "]", true),
            ("[", "[", true),
            ("[a", "[a", true),
            ("\\*", "*", true),
            ("\\*", "a", false),
            ("a", "", false),
            ("", "", true),
        ] {
            assert_eq!(matches(pattern.as_bytes(), text.as_bytes()), expected, "{pattern} {text}");
        }
    }
}
