//! The working directory and the file mode creation mask.

use bstr::{BString, ByteSlice};
use oci::ImagePath;

use crate::evaluate::dialect::Dialect;
use crate::evaluate::shell::{Eval, Evaluator};
use crate::files::{EXECUTE, Errno, Last};
use crate::process::errno;

/// Whether links stay in what `pwd` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Links {
    /// `-L`
    Shown,
    /// `-P`
    Resolved,
}

/// Whether the new directory is written, as `cd -` does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Notice {
    Given,
    None,
}

pub(super) fn pwd(evaluator: &mut Evaluator<'_, '_>, words: &[BString]) -> Eval<u8> {
    let links = match words.get(1).map(|word| word.as_bytes()) {
        None | Some(b"-L") => Links::Shown,
        Some(b"-P") => Links::Resolved,
        Some(_) => return evaluator.refuse_option(words, &words[1]),
    };
    let shown = match links {
        Links::Shown => evaluator.shell.shown_directory(),
        Links::Resolved => absolute(&evaluator.shell.directory),
    };
    evaluator.write(1, &[shown.as_bytes(), b"\n"].concat())?;
    Ok(0)
}

fn absolute(path: &ImagePath) -> BString {
    [b"/", path.as_bytes()].concat().into()
}

pub(super) fn cd(evaluator: &mut Evaluator<'_, '_>, words: &[BString]) -> Eval<u8> {
    let mut links = Links::Shown;
    let mut operands = &words[1..];
    while let Some(option) = operands.first() {
        match option.as_bytes() {
            b"-L" => links = Links::Shown,
            b"-P" => links = Links::Resolved,
            b"--" => {
                operands = &operands[1..];
                break;
            }
            b"-" => break,
            option if option.starts_with(b"-") => {
                return evaluator.refuse_option(words, &operands[0]);
            }
            _ => break,
        }
        operands = &operands[1..];
    }
    let is_bash = evaluator.shell.dialect.is_bash();
    if operands.len() > 1 && is_bash {
        return evaluator.builtin_error(words, "too many arguments");
    }
    let (target, notice) = match operands.first() {
        None => match evaluator.shell.variables.value(b"HOME").cloned() {
            Some(home) => (home, Notice::None),
            None if is_bash => return evaluator.builtin_error(words, "HOME not set"),
            None => return Ok(0),
        },
        Some(operand) if operand == "-" => {
            match evaluator.shell.variables.value(b"OLDPWD").cloned() {
                Some(old) => (old, Notice::Given),
                None if is_bash => return evaluator.builtin_error(words, "OLDPWD not set"),
                None => return evaluator.refuse("cd -", "without a directory before"),
            }
        }
        Some(operand) => (operand.clone(), Notice::None),
    };
    let searches = evaluator.shell.variables.value(b"CDPATH").is_some_and(|path| !path.is_empty());
    if searches && !target.starts_with(b"/") && !target.starts_with(b".") {
        return evaluator.refuse("cd", "`CDPATH`");
    }
    evaluator.change_directory(words, &target, links, notice)
}

pub(super) fn umask(evaluator: &mut Evaluator<'_, '_>, words: &[BString]) -> Eval<u8> {
    let mask = evaluator.shell.umask;
    match words.get(1).map(|word| word.as_bytes()) {
        None => {
            evaluator.write(1, format!("{mask:04o}\n").as_bytes())?;
            Ok(0)
        }
        Some(b"-S") if words.len() == 2 => {
            let line = format!(
                "u={},g={},o={}\n",
                letters(!mask >> 6),
                letters(!mask >> 3),
                letters(!mask)
            );
            evaluator.write(1, line.as_bytes())?;
            Ok(0)
        }
        Some(word) if word.iter().all(|byte| (b'0'..=b'7').contains(byte)) && !word.is_empty() => {
            let digits = word.to_str().unwrap_or_default();
            match u32::from_str_radix(digits, 8).ok().filter(|mask| *mask <= 0o777) {
                Some(mask) => {
                    evaluator.shell.umask = mask;
                    Ok(0)
                }
                None => evaluator.refuse("umask", "this mask"),
            }
        }
        Some(word) => match symbolic(word, mask) {
            Some(mask) => {
                evaluator.shell.umask = mask;
                Ok(0)
            }
            None => evaluator.refuse("umask", "this mask"),
        },
    }
}

fn letters(bits: u32) -> String {
    let all = [(4, 'r'), (2, 'w'), (1, 'x')];
    all.iter().filter(|(bit, _)| bits & bit != 0).map(|(_, letter)| *letter).collect()
}

/// `u=rwx,g=rx,o=` (POSIX XCU chmod): what is allowed, so that the mask is the rest.
fn symbolic(word: &[u8], mask: u32) -> Option<u32> {
    let mut allowed = !mask & 0o777;
    for clause in word.split_str(",") {
        let at = clause.iter().position(|byte| b"+-=".contains(byte))?;
        let (who, rest) = clause.split_at(at);
        let mut classes = 0;
        for letter in who {
            classes |= match letter {
                b'u' => 0o700,
                b'g' => 0o070,
                b'o' => 0o007,
                b'a' => 0o777,
                _ => return None,
            };
        }
        if who.is_empty() {
            classes = 0o777;
        }
        let mut bits = 0;
        for letter in &rest[1..] {
            bits |= match letter {
                b'r' => 0o444,
                b'w' => 0o222,
                b'x' => 0o111,
                _ => return None,
            };
        }
        match rest.first()? {
            b'+' => allowed |= bits & classes,
            b'-' => allowed &= !(bits & classes),
            _ => allowed = (allowed & !classes) | (bits & classes),
        }
    }
    Some(!allowed & 0o777)
}

impl Evaluator<'_, '_> {
    pub(super) fn change_directory(
        &mut self,
        words: &[BString],
        target: &BString,
        links: Links,
        notice: Notice,
    ) -> Eval<u8> {
        let logical = match target.starts_with(b"/") {
            true => ImagePath::lexical(target.as_bytes()),
            false => {
                let joined = [self.shell.logical.as_bytes(), b"/", target].concat();
                ImagePath::lexical(joined)
            }
        };
        // `..` goes back what was written, not where links led (POSIX XCU cd, step 8).
        let written = match links {
            Links::Shown => absolute(&logical),
            Links::Resolved => target.clone(),
        };
        let is_empty = target.is_empty();
        let found = match is_empty {
            true if self.shell.dialect == Dialect::Dash => Ok(Err(Errno::NotFound)),
            true => return Ok(0),
            false => {
                errno(self.machine.files.find(&self.shell.directory, &written, Last::Followed))
            }
        };
        let found = match found? {
            Ok((_, stat)) if !stat.is_directory() => Err(Errno::NotADirectory),
            Ok((_, stat)) if !self.machine.files.may(&stat, EXECUTE) => {
                Err(Errno::PermissionDenied)
            }
            found => found,
        };
        let path = match found {
            Ok((path, _)) => path,
            Err(errno) => return self.cannot_change(words, target, errno),
        };
        let old = self.shell.shown_directory();
        self.shell.logical = match links {
            Links::Shown => logical.as_bytes().into(),
            Links::Resolved => path.as_bytes().into(),
        };
        self.shell.directory = path;
        let new = self.shell.shown_directory();
        self.assign_scalar(&"OLDPWD".into(), old)?;
        self.assign_scalar(&"PWD".into(), new.clone())?;
        if self.shell.dialect != Dialect::Bash {
            self.shell.variables.entry(b"OLDPWD").is_exported = true;
            self.shell.variables.entry(b"PWD").is_exported = true;
        }
        if notice == Notice::Given {
            self.write(1, &[new.as_bytes(), b"\n"].concat())?;
        }
        Ok(0)
    }

    fn cannot_change(&mut self, words: &[BString], target: &BString, errno: Errno) -> Eval<u8> {
        let message = match self.shell.dialect {
            Dialect::Dash => [b"can't cd to ", target.as_bytes()].concat(),
            Dialect::Ash => {
                let errno = errno.to_string();
                [b"can't cd to ", target.as_bytes(), b": ", errno.as_bytes()].concat()
            }
            Dialect::Bash => [target.as_bytes(), b": ", errno.to_string().as_bytes()].concat(),
        };
        self.builtin_error(words, message)
    }
}
