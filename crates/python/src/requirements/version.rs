//! What looks like a version (PEP 440), and what was meant for one.

/// Whether PEP 440 has the text for a version, in any of its spellings.
pub(super) fn is_version(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let (public, local) = match lower.split_once('+') {
        Some((public, local)) => (public, Some(local)),
        None => (lower.as_str(), None),
    };
    let is_part =
        |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    local.is_none_or(|local| local.split(['.', '-', '_']).all(is_part)) && is_public(public)
}

fn is_public(text: &str) -> bool {
    let text = text.strip_prefix('v').unwrap_or(text);
    let release = match text.split_once('!') {
        Some((epoch, rest)) if is_number(epoch) => rest,
        Some(_) => return false,
        None => text,
    };
    let Some(mut rest) = after_number(release) else { return false };
    while let Some(next) = rest.strip_prefix('.').and_then(after_number) {
        rest = next;
    }
    rest = after_phase(rest, &["alpha", "beta", "preview", "pre", "rc", "a", "b", "c"]);
    rest = match rest.strip_prefix('-').and_then(after_number) {
        Some(implicit) => implicit,
        None => after_phase(rest, &["post", "rev", "r"]),
    };
    after_phase(rest, &["dev"]).is_empty()
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn after_number(text: &str) -> Option<&str> {
    let rest = text.trim_start_matches(|character: char| character.is_ascii_digit());
    (rest.len() < text.len()).then_some(rest)
}

/// What is behind one of the words, with separators around it and a number behind it; all of the
/// text if none is there.
fn after_phase<'a>(text: &'a str, words: &[&str]) -> &'a str {
    let separators = ['.', '-', '_'];
    let begun = text.strip_prefix(separators).unwrap_or(text);
    let Some(rest) = words.iter().find_map(|word| begun.strip_prefix(word)) else { return text };
    after_number(rest.strip_prefix(separators).unwrap_or(rest)).unwrap_or(rest)
}

/// The requirement that was meant by one whose whole text is a name with a version behind a
/// hyphen. That is a valid name, so nothing but an index that does not have it can tell.
///
/// ```
/// assert_eq!(python::suspect_pin("click-log-0.3.2").as_deref(), Some("click-log==0.3.2"));
/// assert_eq!(python::suspect_pin("click-log"), None);
/// ```
pub fn suspect_pin(text: &str) -> Option<String> {
    let text = text.trim();
    let is_name_byte = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if !text.bytes().all(is_name_byte) {
        return None;
    }
    text.match_indices('-').map(|(at, _)| (&text[..at], &text[at + 1..])).find_map(
        |(name, version)| {
            let is_pin = name.bytes().next_back().is_some_and(|byte| byte.is_ascii_alphanumeric())
                && version.starts_with(|character: char| character.is_ascii_digit())
                && is_version(version);
            is_pin.then(|| format!("{name}=={version}"))
        },
    )
}

#[cfg(test)]
mod tests {
    use super::{is_version, suspect_pin};

    #[test]
    fn versions() {
        for version in [
            "1",
            "1.0",
            "v1.0",
            "2!1.0",
            "1.0a1",
            "1.0-alpha.1",
            "1.0rc1.post2.dev3",
            "1.0-1",
            "1.0.post",
            "1.0.DEV4",
            "1.0+local.1",
            "2004.1",
            "1.0b",
            "1.0_rev_3",
            "1.0+ubuntu-1",
        ] {
            assert!(is_version(version), "{version}");
        }
        for text in [
            "", "latest", "1.0.", ".1", "1..0", "1.0*", "1.0.*", "x!1", "!1", "1.0+", "1.0+a..b",
            "1.0 1", "1.0foo", "2to3", "1.0-", "1.0-1-1", "é", "1é",
        ] {
            assert!(!is_version(text), "{text}");
        }
    }

    #[test]
    fn pins_that_were_meant() {
        let check = |text, expected| assert_eq!(suspect_pin(text).as_deref(), expected, "{text}");
        check("alphashape-1.1.0", Some("alphashape==1.1.0"));
        check("click-log-0.3.2", Some("click-log==0.3.2"));
        check("shapely-1.7.1", Some("shapely==1.7.1"));
        check("foo-1.0-1", Some("foo==1.0-1"));
        check("foo-2to3-1.0rc1", Some("foo-2to3==1.0rc1"));
        check(" foo-1.0 ", Some("foo==1.0"));
        check("foo", None);
        check("foo-bar", None);
        check("py3-tool", None);
        check("-1.0", None);
        check("foo--1.0", None);
        check("foo-1.0[extra]", None);
        check("foo-1.0==2", None);
    }
}
