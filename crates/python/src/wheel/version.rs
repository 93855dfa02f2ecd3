//! Whether two spellings of a version mean the same (PEP 440, "Normalization").

/// Whether two spellings are of one version.
pub fn same(left: &str, right: &str) -> bool {
    canonical(left) == canonical(right)
}

/// One spelling for all that PEP 440 takes for equal. What is no version of PEP 440, as in wheels
/// from before it, stays as it is in lower case.
fn canonical(version: &str) -> String {
    let lower = version.trim().to_ascii_lowercase();
    let mut rest = Rest(lower.strip_prefix('v').unwrap_or(&lower));
    match rest.version() {
        Some(canonical) if rest.0.is_empty() => canonical,
        _ => lower,
    }
}

/// What is not read yet.
struct Rest<'a>(&'a str);

impl Rest<'_> {
    fn version(&mut self) -> Option<String> {
        let mut first = self.number()?;
        let mut epoch = "0".to_owned();
        if self.take(&["!"]).is_some() {
            epoch = std::mem::replace(&mut first, self.number()?);
        }
        let mut release = vec![first];
        while let Some(part) = self.attempt(|rest| rest.take(&["."]).and_then(|_| rest.number())) {
            release.push(part);
        }
        while release.len() > 1 && release.last().is_some_and(|part| part == "0") {
            release.pop();
        }
        let mut canonical = format!("{epoch}!{}", release.join("."));
        let pre = self.marked(&["alpha", "a", "beta", "b", "preview", "pre", "rc", "c"]);
        if let Some((word, number)) = pre {
            let word = if word.starts_with('p') { "c" } else { word };
            let letter = if word == "rc" { "c" } else { &word[..1] };
            canonical += &format!("{letter}{number}");
        }
        let short = |rest: &mut Self| rest.take(&["-"]).and_then(|_| rest.number());
        let post = self.attempt(short);
        let post = post.or_else(|| Some(self.marked(&["post", "rev", "r"])?.1));
        if let Some(number) = post {
            canonical += &format!(".post{number}");
        }
        if let Some((_, number)) = self.marked(&["dev"]) {
            canonical += &format!(".dev{number}");
        }
        if self.take(&["+"]).is_some() {
            canonical += &format!("+{}", self.local()?);
        }
        Some(canonical)
    }

    /// `[-_.]WORD[-_.]NUMBER`, where all but the word may be missing.
    fn marked(&mut self, words: &[&'static str]) -> Option<(&'static str, String)> {
        self.attempt(|rest| {
            rest.separator();
            let word = rest.take(words)?;
            let number = rest.attempt(|rest| {
                rest.separator();
                rest.number()
            });
            Some((word, number.unwrap_or_else(|| "0".to_owned())))
        })
    }

    /// The local version, whose numbers compare as numbers.
    fn local(&mut self) -> Option<String> {
        let text = std::mem::take(&mut self.0);
        let parts = text.split(['-', '_', '.']).map(|part| {
            let plain = !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric());
            let mut number = Rest(part);
            let numeric = number.number().filter(|_| number.0.is_empty());
            plain.then(|| numeric.unwrap_or_else(|| part.to_owned()))
        });
        Some(parts.collect::<Option<Vec<String>>>()?.join("."))
    }

    /// Reads on, or stays where it was.
    fn attempt<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let before = self.0;
        let read = read(self);
        if read.is_none() {
            self.0 = before;
        }
        read
    }

    fn separator(&mut self) {
        self.0 = self.0.strip_prefix(['-', '_', '.']).unwrap_or(self.0);
    }

    fn take(&mut self, words: &[&'static str]) -> Option<&'static str> {
        let word = words.iter().find(|word| self.0.starts_with(**word))?;
        self.0 = &self.0[word.len()..];
        Some(word)
    }

    /// Digits, without leading zeros.
    fn number(&mut self) -> Option<String> {
        let end = self.0.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.0.len());
        let (digits, rest) = self.0.split_at(end);
        if digits.is_empty() {
            return None;
        }
        self.0 = rest;
        let significant = digits.trim_start_matches('0');
        Some(if significant.is_empty() { "0" } else { significant }.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_version() {
        // The equivalences of PEP 440, "Normalization", and of "Version matching".
        let same_as = [
            ("1.0", "1.0.0"),
            ("1.0", "v1"),
            ("1.1RC1", "1.1-rc.1"),
            ("1.1rc", "1.1c0"),
            ("1.0alpha1", "1.0a1"),
            ("1.0preview2", "1.0rc2"),
            ("1.0-1", "1.0.post1"),
            ("1.0-r4", "1.0rev4"),
            ("1.0.dev3", "1.0-dev3"),
            ("0!1.0", "1.0"),
            ("1.0+Ubuntu-1", "1.0+ubuntu.01"),
            ("2023.01.05", "2023.1.5"),
            ("Some-Thing", "some-thing"),
        ];
        for (left, right) in same_as {
            assert!(same(left, right), "{left} {right}: {} {}", canonical(left), canonical(right));
        }
        let different = [
            ("1.0", "1.0.1"),
            ("1.0", "1!1.0"),
            ("1.0", "1.0a0"),
            ("1.0a1", "1.0b1"),
            ("1.0.post1", "1.0.dev1"),
            ("1.0", "1.0+x"),
            ("1.0", "1.0x"),
            ("1.10", "1.1"),
            ("", "0"),
        ];
        for (left, right) in different {
            assert!(!same(left, right), "{left} {right}");
        }
    }
}
