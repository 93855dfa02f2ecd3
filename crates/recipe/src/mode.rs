//! `--chmod`: octal, or symbolic as `chmod` takes it, without a umask.
//!
//! Symbolic modes are POSIX's (XCU, `chmod`, "Extended description") as the BSDs' `setmode` has
//! them, which is what BuildKit uses: `u=rwX,go=rX`, `a+x`, `g=u`.

use crate::{Diagnostic, Word};

const SET_USER: u32 = 0o4000;
const SET_GROUP: u32 = 0o2000;
const STICKY: u32 = 0o1000;
/// What `a`, and an operator without anybody before it, are about.
const ALL: u32 = SET_USER | SET_GROUP | 0o777;

/// A change of permission bits.
///
/// ```
/// use recipe::{FileKind, FileMode};
/// let mode = FileMode::parse("u=rwX,go=rX").unwrap();
/// assert_eq!(mode.apply(0o600, FileKind::Other), 0o644);
/// assert_eq!(mode.apply(0o700, FileKind::Directory), 0o755);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileMode(Vec<Change>);

/// What a mode is applied to; `X` tells directories apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// A directory.
    Directory,
    /// Anything else.
    Other,
}

/// Why a text is not a mode.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a file mode")]
pub struct FileModeError {
    /// What was written.
    pub text: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Change {
    Set(u32),
    Clear(u32),
    /// Sets if the file was executable to begin with, or is a directory.
    SetIfExecutable(u32),
    /// The permissions of one class for others.
    CopyFrom {
        shift: u32,
        to: u32,
        operator: char,
    },
}

impl FileModeError {
    /// The way out.
    pub fn hint(&self) -> Option<String> {
        Some(
            "write an octal number up to 7777, such as 0755, or a change such as `u=rwX,go=rX`"
                .to_owned(),
        )
    }

    /// The error at its place in the file.
    pub fn diagnostic(&self, word: &Word) -> Diagnostic {
        let error = Diagnostic::error(word.span.clone(), self.to_string());
        error.with_hint(self.hint().unwrap_or_default())
    }
}

impl FileMode {
    /// Parses a mode, octal if it begins with a digit.
    pub fn parse(text: &str) -> Result<Self, FileModeError> {
        let error = || FileModeError { text: text.to_owned() };
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            let mode = u32::from_str_radix(text, 8).ok().filter(|mode| *mode <= 0o7777);
            return mode.map(FileMode::exactly).ok_or_else(error);
        }
        let mut changes = Vec::new();
        for clause in text.split(',') {
            self::clause(clause, &mut changes).ok_or_else(error)?;
        }
        Ok(FileMode(changes))
    }

    /// These bits and no others.
    pub fn exactly(mode: u32) -> Self {
        FileMode(vec![Change::Clear(0o7777), Change::Set(mode & 0o7777)])
    }

    /// The permission bits (the lowest twelve) of a file that has `mode` now.
    pub fn apply(&self, mode: u32, kind: FileKind) -> u32 {
        let before = mode & 0o7777;
        let executable = before & 0o111 != 0 || kind == FileKind::Directory;
        self.0.iter().fold(before, |mode, change| match *change {
            Change::Set(bits) => mode | bits,
            Change::Clear(bits) => mode & !bits,
            Change::SetIfExecutable(bits) if executable => mode | bits,
            Change::SetIfExecutable(_) => mode,
            Change::CopyFrom { shift, to, operator } => {
                let class = (mode >> shift) & 0o7;
                let bits = (class * 0o111) & to;
                match operator {
                    '+' => mode | bits,
                    '-' => mode & !bits,
                    _ => mode & !(0o777 & to) | bits,
                }
            }
        })
    }
}

/// `[ugoa]*([-+=][rwxXst]*|[-+=][ugo])+`
fn clause(text: &str, changes: &mut Vec<Change>) -> Option<()> {
    let mut who = 0;
    let classes = text.len() - text.trim_start_matches(['u', 'g', 'o', 'a']).len();
    for class in text[..classes].chars() {
        who |= match class {
            'u' => SET_USER | 0o700,
            'g' => SET_GROUP | 0o070,
            'o' => 0o007,
            _ => ALL,
        };
    }
    let mut rest = &text[classes..];
    if rest.is_empty() {
        return None;
    }
    while let Some(operator) = rest.chars().next() {
        if !matches!(operator, '+' | '-' | '=') {
            return None;
        }
        let end = rest[1..].find(['+', '-', '=']).map_or(rest.len(), |at| at + 1);
        action(operator, who, &rest[1..end], changes)?;
        rest = &rest[end..];
    }
    Some(())
}

/// One operator and its permissions for the bits of `who`, or for all if that is empty.
fn action(operator: char, who: u32, permissions: &str, changes: &mut Vec<Change>) -> Option<()> {
    let mut pending =
        Pending { operator, about: if who == 0 { ALL } else { who }, ..Pending::NONE };
    // Set-id and sticky bits are nothing that `o` alone could be about.
    let special = who == 0 || who & !0o007 != 0;
    for permission in permissions.chars() {
        match permission {
            'r' => pending.bits |= 0o444,
            'w' => pending.bits |= 0o222,
            'x' => pending.bits |= 0o111,
            'X' if operator == '-' => pending.bits |= 0o111,
            'X' => pending.if_executable |= 0o111,
            's' if special => pending.bits |= SET_USER | SET_GROUP,
            't' if special => {
                pending.about |= STICKY;
                pending.bits |= STICKY;
            }
            's' | 't' => {}
            class @ ('u' | 'g' | 'o') => {
                // A copy clears what it sets by itself, and may copy from what it clears.
                if pending.bits != 0 {
                    pending.flush(changes);
                }
                pending.copied = true;
                let shift = match class {
                    'u' => 6,
                    'g' => 3,
                    _ => 0,
                };
                let to = if who == 0 { 0o777 } else { who };
                changes.push(Change::CopyFrom { shift, to, operator });
            }
            _ => return None,
        }
    }
    if pending.bits != 0 || !pending.copied {
        pending.flush(changes);
    }
    changes.push(Change::SetIfExecutable(pending.if_executable & pending.about));
    Some(())
}

/// The permissions of an action that were read and are not a change yet.
struct Pending {
    operator: char,
    about: u32,
    bits: u32,
    if_executable: u32,
    copied: bool,
}

impl Pending {
    const NONE: Pending =
        Pending { operator: '=', about: 0, bits: 0, if_executable: 0, copied: false };

    fn flush(&mut self, changes: &mut Vec<Change>) {
        let bits = std::mem::take(&mut self.bits) & self.about;
        match self.operator {
            '-' => changes.push(Change::Clear(bits)),
            '+' => changes.push(Change::Set(bits)),
            _ => changes.extend([Change::Clear(self.about), Change::Set(bits)]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{FileKind, FileMode};

    #[test]
    fn apply() {
        let check = |text: &str, before, kind, after: u32| {
            let mode = FileMode::parse(text).unwrap();
            let now = mode.apply(before, kind);
            assert_eq!(now, after, "{text} on {before:o}: {now:o}, not {after:o}");
        };
        let (file, directory) = (FileKind::Other, FileKind::Directory);
        check("755", 0o600, file, 0o755);
        check("0755", 0o4600, file, 0o755);
        check("4755", 0o600, file, 0o4755);
        check("0", 0o777, directory, 0);
        check("u=rwX,go=rX", 0o600, file, 0o644);
        check("u=rwX,go=rX", 0o700, file, 0o755);
        check("u=rwX,go=rX", 0o600, directory, 0o755);
        check("a+x", 0o644, file, 0o755);
        check("+x", 0o644, file, 0o755);
        check("-w", 0o666, file, 0o444);
        check("go=", 0o777, file, 0o700);
        check("g=u", 0o640, file, 0o660);
        check("go=u-w", 0o755, file, 0o755);
        check("go=u-w", 0o700, file, 0o755);
        check("u+s", 0o755, file, 0o4755);
        check("g+s", 0o755, file, 0o2755);
        check("+s", 0o755, file, 0o6755);
        check("o+s", 0o755, file, 0o755);
        check("+t", 0o777, directory, 0o1777);
        check("u=", 0o4755, file, 0o055);
        check("=", 0o4755, file, 0);
        check("a=rx", 0o6777, file, 0o555);
        check("u+x-w", 0o644, file, 0o544);
        check("u-X", 0o755, file, 0o655);
        check("o=gu", 0o750, file, 0o757);
        check("o=ur", 0o750, file, 0o754);
        check("o=ru", 0o750, file, 0o757);
        check("ug+rw,o-rwx", 0o607, file, 0o660);
        // The executable bit that counts is the one from before.
        check("u+x,go+X", 0o600, file, 0o700);
    }

    #[test]
    fn not_modes() {
        for text in
            ["", "888", "10000", "0o755", "u", "rwx", "u=y", "u=r,", ",u=r", "a+x ", "-", "é"]
        {
            let result = FileMode::parse(text);
            assert_eq!(result.is_ok(), text == "-", "{text}");
        }
    }
}
