//! Stanzas of fields, as `control`, `status`, `Packages`, `Release` and deb822 sources have them
//! (deb822(5)).

use bstr::{BStr, BString, ByteSlice};

/// One stanza: fields in the order in which they stand.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stanza {
    fields: Vec<(BString, BString)>,
}

/// What is wrong with a text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct ControlError {
    /// The line, counted from 1.
    pub line: usize,
    /// What it is.
    pub problem: &'static str,
}

impl Stanza {
    /// All stanzas of a text. Lines that begin with `#` are comments.
    ///
    /// # Errors
    /// A line that is no field, and a continuation of none.
    pub fn parse_all(text: &[u8]) -> Result<Vec<Stanza>, ControlError> {
        let mut stanzas = Vec::new();
        let mut current = Stanza::default();
        for (at, line) in text.lines().enumerate() {
            let problem = |problem| ControlError { line: at + 1, problem };
            if line.trim().is_empty() {
                if !current.fields.is_empty() {
                    stanzas.push(std::mem::take(&mut current));
                }
            } else if line.starts_with(b"#") {
            } else if line.starts_with(b" ") || line.starts_with(b"\t") {
                let (_, value) =
                    current.fields.last_mut().ok_or_else(|| problem("continues no field"))?;
                value.push(b'\n');
                value.extend_from_slice(line);
            } else {
                let (name, value) =
                    line.split_once_str(":").ok_or_else(|| problem("has no `:`"))?;
                if name.is_empty() || name.contains(&b' ') {
                    return Err(problem("is no field"));
                }
                current.fields.push((name.into(), trim_start(value).into()));
            }
        }
        if !current.fields.is_empty() {
            stanzas.push(current);
        }
        Ok(stanzas)
    }

    /// The value of a field, whatever the case of its name. Further lines of it stand behind
    /// newlines, with the blank that they begin with. Blanks at the end of the first line are kept.
    pub fn get(&self, name: &str) -> Option<&BStr> {
        let found =
            self.fields.iter().find(|(known, _)| known.eq_ignore_ascii_case(name.as_bytes()));
        found.map(|(_, value)| value.as_bstr())
    }

    /// The value of a field as text, trimmed.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(|value| value.to_str().ok()).map(str::trim)
    }

    /// Puts a value in the place of the field's, or behind all fields.
    pub fn set(&mut self, name: &str, value: impl Into<BString>) {
        let value = value.into();
        let known =
            self.fields.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(name.as_bytes()));
        match known {
            Some((_, old)) => *old = value,
            None => self.fields.push((name.into(), value)),
        }
    }

    /// Takes a field away.
    pub fn remove(&mut self, name: &str) {
        self.fields.retain(|(known, _)| !known.eq_ignore_ascii_case(name.as_bytes()));
    }

    /// All fields, in order.
    pub fn fields(&self) -> impl Iterator<Item = (&BStr, &BStr)> {
        self.fields.iter().map(|(name, value)| (name.as_bstr(), value.as_bstr()))
    }
}

fn trim_start(value: &[u8]) -> &[u8] {
    let first = value.iter().position(|byte| !matches!(byte, b' ' | b'\t')).unwrap_or(value.len());
    &value[first..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_keep_their_order_and_their_lines() {
        let text =
            b"Package: a\nDescription: first \n  second\n .\n\n\n# comment\nPackage: b\nx-y:z\n";
        let stanzas = Stanza::parse_all(text).unwrap();
        assert_eq!(stanzas.len(), 2);
        assert_eq!(stanzas[0].get("description").unwrap(), "first \n  second\n .");
        assert_eq!(stanzas[1].text("X-Y"), Some("z"));
        let broken = [&b" more\n"[..], b"Package a\n", b": a\n"];
        for text in broken {
            assert!(Stanza::parse_all(text).is_err());
        }
    }
}
