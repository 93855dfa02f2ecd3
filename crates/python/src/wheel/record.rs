//! `RECORD`: the list of what is installed (PEP 376, PEP 427), which is a CSV file.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use layer::Content;
use oci::Digest;

/// A row: path, hash and size, each as it is written.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Row {
    pub(super) path: String,
    pub(super) hash: String,
    pub(super) size: String,
}

impl Row {
    /// The row of a file that the installer made.
    pub(super) fn of(path: String, content: &Content) -> Row {
        let hash = BASE64_URL_SAFE_NO_PAD.encode(content.digest.as_bytes());
        Row { path, hash: format!("sha256={hash}"), size: content.size.to_string() }
    }

    /// What the row says the SHA-256 is, if it says so.
    pub(super) fn sha256(&self) -> Option<Digest> {
        let encoded = self.hash.strip_prefix("sha256=")?;
        let raw = BASE64_URL_SAFE_NO_PAD.decode(encoded.trim_end_matches('=')).ok()?;
        Some(Digest::from_sha256(raw.try_into().ok()?))
    }

    /// Whether the row has nothing against this size.
    pub(super) fn is_of_size(&self, size: u64) -> bool {
        self.size.is_empty() || self.size.parse() == Ok(size)
    }
}

/// Reads the rows, as pip does with Python's `csv`: what is beyond the third field is dropped.
pub(super) fn parse(text: &str) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut lines = text.split(is_line_end);
    while let Some(line) = lines.next() {
        let mut fields = Vec::new();
        parse_line(line, &mut lines, &mut fields);
        let mut fields = fields.into_iter();
        let mut field = || fields.next().unwrap_or_default();
        let row = Row { path: field(), hash: field(), size: field() };
        if row != Row::default() {
            rows.push(row);
        }
    }
    rows
}

/// Where Python's `str.splitlines` ends a line; that `\r\n` is one end shows only as an empty line.
fn is_line_end(c: char) -> bool {
    matches!(
        c,
        '\n' | '\r' | '\x0b' | '\x0c' | '\x1c'..='\x1e' | '\u{85}' | '\u{2028}' | '\u{2029}'
    )
}

/// Reads the fields of a line; quotes that do not end in it reach into the next.
fn parse_line<'a>(
    line: &'a str,
    lines: &mut impl Iterator<Item = &'a str>,
    fields: &mut Vec<String>,
) {
    let mut field = String::new();
    let mut quoted = false;
    let mut at_start = true;
    let mut chars = line.chars().peekable();
    loop {
        match chars.next() {
            Some('"') if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                field.push('"');
            }
            Some('"') if quoted => quoted = false,
            Some('"') if at_start => quoted = true,
            Some(',') if !quoted => {
                fields.push(std::mem::take(&mut field));
                at_start = true;
                continue;
            }
            Some(c) => field.push(c),
            None if quoted => match lines.next() {
                Some(next) => chars = next.chars().peekable(),
                None => break,
            },
            None => break,
        }
        at_start = false;
    }
    fields.push(field);
}

/// Writes the rows as pip does: sorted, and with the line ends that `csv` has if nothing is said.
pub(super) fn write(mut rows: Vec<Row>) -> String {
    rows.sort();
    let mut text = String::new();
    for row in &rows {
        text += &format!("{},{},{}\r\n", quoted(&row.path), quoted(&row.hash), quoted(&row.size));
    }
    text
}

/// `csv.QUOTE_MINIMAL`.
fn quoted(field: &str) -> std::borrow::Cow<'_, str> {
    if field.contains([',', '"', '\r', '\n']) {
        format!("\"{}\"", field.replace('"', "\"\"")).into()
    } else {
        field.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_in_and_out() {
        let text = "b.py,sha256=x,1\r\n\n\"a,\"\"b\"\".py\",,\na/RECORD,,,more\nc\n\"open\nend";
        insta::assert_snapshot!(write(parse(text)).replace('\r', "¶"), @r#"
        "a,""b"".py",,¶
        a/RECORD,,¶
        b.py,sha256=x,1¶
        c,,¶
        openend,,¶
        "#);
    }

    #[test]
    fn hashes() {
        let content = Content::of(b"abc");
        let row = Row::of("a".to_owned(), &content);
        insta::assert_snapshot!(row.hash, @"sha256=ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0");
        assert_eq!(row.sha256(), Some(content.digest));
        assert!(row.is_of_size(3) && !row.is_of_size(4));
        assert!(Row { size: String::new(), ..row.clone() }.is_of_size(4));
        let padded = Row { hash: format!("{}=", row.hash), ..Row::default() };
        assert_eq!(padded.sha256(), Some(content.digest));
        for hash in ["sha256=abc", "sha512=abc", "md5=", "", "sha256=!"] {
            assert_eq!(Row { hash: hash.to_owned(), ..Row::default() }.sha256(), None, "{hash}");
        }
    }
}
