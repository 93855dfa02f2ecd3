//! File names in messages, as GNU's programs quote them where messages are in the C locale.

/// `'a b'`: always quoted, so that a shell would read the same name (coreutils' "shell-escape-always").
pub(super) fn quoted(name: &[u8]) -> String {
    shell_quoted(name)
}

/// The same, but a name that no shell would misread stands as it is (coreutils' "shell-escape",
/// which minds colons, too).
pub(super) fn bare(name: &[u8]) -> String {
    let is_plain = |(at, byte): (usize, &u8)| match byte {
        b'#' | b'~' => at > 0,
        b'{' | b'}' => name.len() > 1,
        byte => is_plain_byte(*byte) && *byte != b':',
    };
    if !name.is_empty() && name.iter().enumerate().all(is_plain) {
        return String::from_utf8_lossy(name).into_owned();
    }
    shell_quoted(name)
}

/// `'it\'s'`: quoted for people (gnulib's locale quoting).
pub(super) fn cited(name: &[u8]) -> String {
    let mut text = String::from("'");
    for (at, byte) in name.iter().enumerate() {
        match byte {
            b'\'' => text.push_str("\\'"),
            b'\\' => text.push_str("\\\\"),
            byte => match escape(*byte) {
                Some(letter) => text.extend(['\\', letter]),
                None if is_shown(*byte) => text.push(char::from(*byte)),
                None => text.push_str(&octal(*byte, name.get(at + 1))),
            },
        }
    }
    text.push('\'');
    text
}

/// A number for what is not shown; short where no digit comes behind it.
fn octal(byte: u8, next: Option<&u8>) -> String {
    match next {
        Some(b'0'..=b'9') => format!("\\{byte:03o}"),
        _ => format!("\\{byte:o}"),
    }
}

fn shell_quoted(name: &[u8]) -> String {
    let has_quote = name.contains(&b'\'');
    if has_quote && name.iter().all(|byte| is_plain_byte(*byte) || matches!(byte, b'\'' | b' ')) {
        return format!("\"{}\"", String::from_utf8_lossy(name));
    }
    let mut text = String::from("'");
    let mut is_escaping = false;
    for byte in name {
        let escaped = match (escape(*byte), is_shown(*byte)) {
            (Some(letter), _) => Some(format!("\\{letter}")),
            (None, false) => Some(format!("\\{byte:03o}")),
            (None, true) => None,
        };
        match escaped {
            Some(escaped) => {
                if !is_escaping {
                    text.push_str("'$'");
                }
                is_escaping = true;
                text.push_str(&escaped);
            }
            None => {
                if is_escaping {
                    text.push_str("''");
                }
                is_escaping = false;
                match byte {
                    b'\'' => text.push_str("'\\''"),
                    byte => text.push(char::from(*byte)),
                }
            }
        }
    }
    text.push('\'');
    text
}

fn escape(byte: u8) -> Option<char> {
    Some(match byte {
        7 => 'a',
        8 => 'b',
        9 => 't',
        10 => 'n',
        11 => 'v',
        12 => 'f',
        13 => 'r',
        _ => return None,
    })
}

fn is_shown(byte: u8) -> bool {
    (0x20..0x7f).contains(&byte)
}

/// Bytes that mean nothing to a shell.
fn is_plain_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"%+,-./:@]_{}#~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_as_gnu_does() {
        for (name, always, if_needed, for_people) in [
            ("x", "'x'", "x", "'x'"),
            ("", "''", "''", "''"),
            ("a b", "'a b'", "'a b'", "'a b'"),
            ("a:b", "'a:b'", "'a:b'", "'a:b'"),
            ("it's", "\"it's\"", "\"it's\"", "'it\\'s'"),
            ("q\"'z", "'q\"'\\''z'", "'q\"'\\''z'", "'q\"\\'z'"),
            ("a\nb", "'a'$'\\n''b'", "'a'$'\\n''b'", "'a\\nb'"),
            ("\u{e4}x", "''$'\\303\\244''x'", "''$'\\303\\244''x'", "'\\303\\244x'"),
            ("a=b", "'a=b'", "'a=b'", "'a=b'"),
            ("*", "'*'", "'*'", "'*'"),
        ] {
            assert_eq!(quoted(name.as_bytes()), always, "{name}");
            assert_eq!(bare(name.as_bytes()), if_needed, "{name}");
            assert_eq!(cited(name.as_bytes()), for_people, "{name}");
        }
    }
}
