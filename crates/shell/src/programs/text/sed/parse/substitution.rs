//! `s` and `y`: what is replaced, and by what.

use super::*;

impl Parser<'_> {
    pub(super) fn substitution(&mut self) -> Parsed<Action> {
        let unterminated = "unterminated `s' command";
        let delimiter = match self.next() {
            Some(b'\n' | b'\\') | None => return Err(self.wrong(unterminated)),
            Some(delimiter) => delimiter,
        };
        let text = self.delimited(delimiter, Part::Pattern);
        let Some(text) = text else { return Err(self.wrong(unterminated)) };
        let replacement = self.delimited(delimiter, Part::Replacement);
        let Some(replacement) = replacement else { return Err(self.wrong(unterminated)) };
        let replacement = Replacement::parse(&replacement)?;
        let (meaning, mut substitution) = self.flags(replacement)?;
        substitution.pattern = self.pattern(&text, meaning)?;
        let highest = substitution.replacement.highest_group();
        if let Pattern::Own(regex) = &substitution.pattern
            && highest > regex.groups()
        {
            let message = format!("invalid reference \\{highest} on `s' command's RHS");
            return Err(self.wrong(message));
        }
        Ok(Action::Substitute(substitution))
    }

    pub(super) fn flags(&mut self, replacement: Replacement) -> Parsed<(Meaning, Substitution)> {
        let mut meaning = self.meaning();
        let (mut all, mut prints, mut from) = (All::One, false, None);
        let mut output = None;
        loop {
            match self.next_in_line() {
                Some(b'i' | b'I') => meaning.case = Case::Folded,
                Some(b'm' | b'M') => meaning.anchors = Anchors::Lines,
                Some(b'g') if all == All::Following => {
                    return Err(self.wrong("multiple `g' options to `s' command"));
                }
                Some(b'g') => all = All::Following,
                Some(b'p') if prints => {
                    return Err(self.wrong("multiple `p' options to `s' command"));
                }
                Some(b'p') => prints = true,
                Some(b'0'..=b'9') => {
                    if from.is_some() {
                        return Err(self.wrong("multiple number options to `s' command"));
                    }
                    self.at -= 1;
                    from = Some(self.number());
                    if from == Some(0) {
                        return Err(self.wrong("number option to `s' command may not be zero"));
                    }
                }
                Some(b'w') => {
                    output = Some(self.output()?);
                    break;
                }
                Some(b'e') => return Err(Failure::NotUnderstood("executes what it reads")),
                Some(b'}' | b'#') => {
                    self.at -= 1;
                    break;
                }
                None | Some(b'\n' | b';') => break,
                Some(_) => return Err(self.wrong("unknown option to `s'")),
            }
        }
        let from = from.unwrap_or(1);
        let pattern = Pattern::Last;
        Ok((meaning, Substitution { pattern, replacement, from, all, prints, output }))
    }

    pub(super) fn map(&mut self) -> Parsed<Action> {
        let unterminated = "unterminated `y' command";
        let delimiter = match self.next() {
            Some(b'\n' | b'\\') | None => return Err(self.wrong(unterminated)),
            Some(delimiter) => delimiter,
        };
        let mut sides = Vec::new();
        for _ in 0..2 {
            let text = self.delimited(delimiter, Part::Characters);
            let Some(text) = text else { return Err(self.wrong(unterminated)) };
            sides.push(self.characters(&text)?);
        }
        if sides[0].len() != sides[1].len() {
            return Err(self.wrong("strings for `y' command are different lengths"));
        }
        self.command_end()?;
        let to = sides.pop().unwrap_or_default();
        let from = sides.pop().unwrap_or_default();
        Ok(Action::Map(from.into_iter().zip(to).collect()))
    }

    /// The characters of one side of `y`.
    pub(super) fn characters(&self, text: &[u8]) -> Parsed<Vec<BString>> {
        let mut all = Vec::new();
        let mut rest = text;
        while let Some(first) = rest.first() {
            if *first != b'\\' {
                let character = self.settings.encoding.first(rest);
                all.push(character.into());
                rest = &rest[character.len()..];
                continue;
            }
            let behind = &rest[1..];
            let (byte, length) = match behind.first() {
                Some(b'\\') => (b'\\', 1),
                Some(b'n') => (b'\n', 1),
                _ => replacement::produced(behind)?
                    .ok_or(Failure::NotUnderstood("has an unknown escape in `y`"))?,
            };
            all.push([byte][..].into());
            rest = &behind[length..];
        }
        Ok(all)
    }
}
