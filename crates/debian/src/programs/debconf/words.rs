//! How debconf takes texts apart: its own lists, lines and variables (debconf-devel(7)).

use bstr::{BStr, BString, ByteSlice};

/// White space, as Perl's `\s` has it for bytes (perlrecharclass(1)).
pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// Pieces behind each other.
pub(super) fn joined(pieces: &[&[u8]]) -> BString {
    pieces.concat().into()
}

/// Without white space in front.
pub(super) fn trim_start(text: &[u8]) -> &BStr {
    let start = text.iter().position(|byte| !is_space(*byte)).unwrap_or(text.len());
    text[start..].as_bstr()
}

/// Without white space behind.
pub(super) fn trim_end(text: &[u8]) -> &BStr {
    let end = text.iter().rposition(|byte| !is_space(*byte)).map_or(0, |last| last + 1);
    text[..end].as_bstr()
}

/// The words of a line, none of them empty.
pub(super) fn split_words(line: &[u8]) -> Vec<BString> {
    line.split(|byte| is_space(*byte)).filter(|word| !word.is_empty()).map(BString::from).collect()
}

/// The same for whoever has asked for `escape`: a backslash makes what is behind it ordinary, and
/// `\n` is a newline. Blanks in front make an empty word.
pub(super) fn split_escaped_words(line: &[u8]) -> Vec<BString> {
    let mut words = Vec::new();
    let mut word = BString::default();
    let mut rest = line.iter().copied().peekable();
    while let Some(byte) = rest.next() {
        match byte {
            b'\\' => match rest.next() {
                Some(b'n') => word.push(b'\n'),
                Some(escaped) => word.push(escaped),
                None => word.push(b'\\'),
            },
            _ if is_space(byte) => {
                while rest.next_if(|next| is_space(*next)).is_some() {}
                words.push(std::mem::take(&mut word));
            }
            _ => word.push(byte),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// What a value is as one escaped line.
pub(super) fn escape(text: &[u8]) -> Vec<u8> {
    text.replace("\\", "\\\\").replace("\n", "\\n")
}

/// A list as the database has it: commas with white space behind. Empty items at the end are none.
pub(super) fn split_list(text: &BStr) -> impl Iterator<Item = BString> + use<> {
    let mut items = split_at_commas(text);
    while items.last().is_some_and(|item| item.is_empty()) {
        items.pop();
    }
    items.into_iter()
}

fn split_at_commas(mut rest: &[u8]) -> Vec<BString> {
    let mut items = Vec::new();
    let mut item = BString::default();
    while let Some((byte, behind)) = rest.split_first() {
        let next = trim_start(behind);
        if *byte == b',' && next.len() < behind.len() {
            items.push(std::mem::take(&mut item));
            rest = next;
        } else {
            item.push(*byte);
            rest = behind;
        }
    }
    items.push(item);
    items
}

/// The choices of a list, in which a backslash keeps a comma or a blank from parting it.
pub(super) fn split_choices(mut rest: &[u8]) -> Vec<BString> {
    let mut items = Vec::new();
    let mut item = BString::default();
    while let Some((byte, behind)) = rest.split_first() {
        let next = trim_start(behind);
        match (byte, behind.first()) {
            (b'\\', Some(kept @ (b',' | b' '))) => {
                item.push(*kept);
                rest = &behind[1..];
            }
            (b',', Some(_)) if next.len() < behind.len() => {
                items.push(std::mem::take(&mut item));
                rest = next;
            }
            _ => {
                item.push(*byte);
                rest = behind;
            }
        }
    }
    if !item.is_empty() {
        items.push(item);
    }
    items
}

/// Puts values in the place of `${name}`; a backslash in front keeps it as it is.
pub(super) fn expand_variables<'a>(
    text: &[u8],
    value: impl Fn(&BStr) -> Option<&'a BStr>,
) -> BString {
    let mut expanded = BString::default();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let behind = &rest[start + 2..];
        let end = behind.iter().position(|byte| matches!(byte, b'{' | b'}'));
        let Some(end) = end.filter(|end| *end > 0 && behind[*end] == b'}') else {
            expanded.extend_from_slice(&rest[..start + 1]);
            rest = &rest[start + 1..];
            continue;
        };
        let name = &behind[..end];
        if let Some(before) = rest[..start].strip_suffix(b"\\") {
            expanded.extend_from_slice(&[before, b"${", name, b"}"].concat());
        } else {
            expanded.extend_from_slice(&rest[..start]);
            expanded.extend_from_slice(value(name.as_bstr()).unwrap_or_default());
        }
        rest = &behind[end + 1..];
    }
    expanded.extend_from_slice(rest);
    expanded
}

/// Lines of fewer than `columns` bytes, broken at single white space, as Text::Wrap(3perl) does
/// for a paragraph without indentation. Tabs become blanks.
pub(super) fn wrap(text: &[u8], columns: usize) -> Vec<u8> {
    let text = expand_tabs(text);
    let most = columns.saturating_sub(1).max(1);
    let mut wrapped: Vec<u8> = Vec::new();
    let mut rest = &text[..];
    let mut parting: &[u8] = b"";
    while !rest.iter().all(|byte| is_space(*byte)) {
        if !wrapped.is_empty() || !parting.is_empty() {
            wrapped.push(b'\n');
        }
        let line = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
        let fits = |end: &usize| *end == rest.len() || is_space(rest[*end]);
        let broken = (0..=line.min(most)).rev().find(fits);
        let end = broken.unwrap_or(most);
        wrapped.extend_from_slice(&rest[..end]);
        let behind = end + usize::from(broken.is_some() && end < rest.len());
        parting = &rest[end..behind];
        if broken.is_none() {
            parting = b"\n";
        }
        rest = &rest[behind..];
    }
    wrapped.extend_from_slice(parting);
    wrapped
}

fn expand_tabs(text: &[u8]) -> Vec<u8> {
    let mut expanded = Vec::new();
    let mut column = 0;
    for byte in text {
        match byte {
            b'\t' => {
                let blanks = 8 - column % 8;
                expanded.extend(std::iter::repeat_n(b' ', blanks));
                column += blanks;
            }
            _ => {
                expanded.push(*byte);
                column = if *byte == b'\n' { 0 } else { column + 1 };
            }
        }
    }
    expanded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(items: &[BString]) -> String {
        items.iter().map(|item| format!("<{item}>")).collect()
    }

    #[test]
    fn lines_are_parted_into_words() {
        for (line, plain, escaped) in [
            ("SET a/b  c d ", "<SET><a/b><c><d>", "<SET><a/b><c><d>"),
            (" GET\tx", "<GET><x>", "<><GET><x>"),
            (r"SET a b\ c\nd\\n\e\", r"<SET><a><b\><c\nd\\n\e\>", "<SET><a><b c\nd\\ne\\>"),
            ("", "", ""),
        ] {
            assert_eq!(shown(&split_words(line.as_bytes())), plain);
            assert_eq!(shown(&split_escaped_words(line.as_bytes())), escaped);
        }
        assert_eq!(escape(b"a\\b\nc").as_bstr(), r"a\\b\nc");
    }

    #[test]
    fn lists_are_parted_at_commas_with_blanks() {
        for (list, choices, items) in [
            ("a, b,c,  d", "<a><b,c><d>", "<a><b,c><d>"),
            (r"a\, b, c\ d", "<a, b><c d>", r"<a\><b><c\ d>"),
            ("a,", "<a,>", "<a,>"),
            ("a, ", "<a>", "<a>"),
            ("", "", ""),
            (", a", "<><a>", "<><a>"),
        ] {
            assert_eq!(shown(&split_choices(list.as_bytes())), choices, "{list}");
            let parted: Vec<BString> = split_list(list.into()).collect();
            assert_eq!(shown(&parted), items, "{list}");
        }
    }

    #[test]
    fn variables_are_expanded() {
        let value = |name: &BStr| (name == "a").then_some(BStr::new("1${a}"));
        for (text, expected) in [
            ("x${a}y${b}z", "x1${a}yz"),
            (r"\${a}${a}", "${a}1${a}"),
            ("${}${{a}}${a", "${}${{a}}${a"),
            ("$${a}", "$1${a}"),
        ] {
            assert_eq!(expand_variables(text.as_bytes(), value), expected, "{text}");
        }
    }

    #[test]
    fn texts_are_wrapped() {
        for (text, expected) in [
            ("aaa bbb ccc", "aaa\nbbb\nccc"),
            ("aaa  bbb", "aaa \nbbb"),
            ("abcdefghij", "abcde\nfghij"),
            ("a\n\nb c\n", "a\n\nb c\n"),
            ("a\n\n", "a\n"),
        ] {
            assert_eq!(wrap(text.as_bytes(), 6).as_bstr(), expected, "{text:?}");
        }
    }
}
