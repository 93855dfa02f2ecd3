//! Tilde expansion (POSIX XCU 2.6.1).

use bstr::{BString, ByteSlice};

use super::{Kind, Piece};
use crate::evaluate::shell::{Eval, Evaluator};
use crate::evaluate::syntax::tree::{Part, Word};
use crate::files::Last;
use crate::process::errno;

impl Evaluator<'_, '_> {
    /// Expands the tilde that a text begins with, and gives the rest of the text. The name has to
    /// be all there, without quotes: up to a slash, or there are no `more` parts in the word.
    pub(super) fn tilde(
        &mut self,
        text: &[u8],
        more: &[Part],
        pieces: &mut Vec<Piece>,
    ) -> Eval<BString> {
        let slash = text.find_byte(b'/');
        let name = &text[1..slash.unwrap_or(text.len())];
        let home = match slash.is_some() || more.is_empty() {
            true => self.home(name)?,
            false => None,
        };
        match home {
            Some(home) => {
                pieces.push(Piece::Text(home, Kind::Quoted));
                Ok(text[name.len() + 1..].into())
            }
            None => {
                pieces.push(Piece::Text(b"~".into(), Kind::Quoted));
                Ok(text[1..].into())
            }
        }
    }

    /// Replaces the tildes of an assignment's value, behind colons, too.
    pub(super) fn with_tildes(&mut self, word: &Word) -> Eval<Word> {
        let mut parts = Vec::new();
        for (index, part) in word.parts.iter().enumerate() {
            let Part::Literal(text) = part else {
                parts.push(part.clone());
                continue;
            };
            for (number, piece) in text.split_str(":").enumerate() {
                if number > 0 {
                    parts.push(Part::Quoted(b":".into()));
                }
                let begins = number > 0 || index == 0;
                let slash = piece.find_byte(b'/');
                let is_last = number == text.split_str(":").count() - 1;
                let is_whole = slash.is_some() || !is_last || index + 1 == word.parts.len();
                let home = match piece.strip_prefix(b"~") {
                    Some(rest) if begins && is_whole => {
                        let name = &rest[..slash.map_or(rest.len(), |slash| slash - 1)];
                        self.home(name)?.map(|home| (home, &rest[name.len()..]))
                    }
                    _ => None,
                };
                match home {
                    Some((home, rest)) => {
                        parts.push(Part::Quoted(home));
                        parts.push(Part::Literal(rest.into()));
                    }
                    // Quoted, so that it is not looked at again.
                    None => parts.push(Part::Quoted(piece.into())),
                }
            }
        }
        Ok(Word { parts })
    }

    /// The home directory of a user; of oneself if there is no name.
    fn home(&mut self, name: &[u8]) -> Eval<Option<BString>> {
        match name {
            b"" => match self.shell.variables.value(b"HOME") {
                Some(home) => Ok(Some(home.clone())),
                None if self.shell.dialect.is_bash() => self.refuse("~", "a tilde without `HOME`"),
                None => Ok(None),
            },
            b"+" if self.shell.dialect.is_bash() => Ok(self.shell.variables.value(b"PWD").cloned()),
            b"-" if self.shell.dialect.is_bash() => {
                Ok(self.shell.variables.value(b"OLDPWD").cloned())
            }
            _ => self.home_of(name),
        }
    }

    /// The sixth field of a user's line (passwd(5)).
    fn home_of(&mut self, name: &[u8]) -> Eval<Option<BString>> {
        let files = &self.machine.files;
        let found = files.find(&self.shell.directory, b"/etc/passwd", Last::Followed);
        let Ok((path, _)) = errno(found)? else { return Ok(None) };
        let Ok(data) = errno(files.data(&path))? else { return Ok(None) };
        let text = data.bytes(self.machine.outside, &mut self.machine.budget)?;
        let line = text.lines().map(|line| line.split_str(":").collect::<Vec<_>>());
        let mut own = line.filter(|fields| fields.first() == Some(&name));
        Ok(own.next().and_then(|fields| fields.get(5).map(|home| BString::from(*home))))
    }
}
