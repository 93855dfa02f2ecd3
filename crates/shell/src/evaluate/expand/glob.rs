//! Pathname expansion over the virtual file system (POSIX XCU 2.6.6, 2.13.3).

use bstr::{BString, ByteSlice};

use super::pattern::{Letters, Marked, Pattern, Syntax, is_pattern, unmarked};
use crate::evaluate::dialect::Dialect;
use crate::evaluate::shell::{Eval, Evaluator, Flow};
use crate::files::{FileResult, Last};
use crate::process::errno;

/// A part of a path between slashes.
enum Segment {
    /// As it stands, with the slashes in front of it.
    Text(BString),
    /// To be matched, behind these slashes.
    Pattern(BString, Pattern),
    /// bash's `**`.
    Everything,
}

impl Evaluator<'_, '_> {
    /// The names of files that a field matches; the field itself if there are none.
    pub(super) fn pathnames(&mut self, field: &[Marked], all: &mut Vec<BString>) -> Eval<()> {
        let syntax = self.pattern_syntax();
        if self.shell.options.noglob || !is_pattern(field, syntax) {
            all.push(unmarked(field));
            return Ok(());
        }
        let segments = self.segments(field, syntax);
        let mut paths = vec![BString::default()];
        for (index, segment) in segments.iter().enumerate() {
            let is_last = index + 1 == segments.len();
            paths = self.next_paths(paths, segment, is_last)?;
        }
        if paths.is_empty() {
            if self.shell.shopt.failglob {
                let message = [b"no match: ", unmarked(field).as_bytes()].concat();
                self.say(message)?;
                return Err(Flow::Discard(1));
            }
            if !self.shell.shopt.nullglob {
                all.push(unmarked(field));
            }
            return Ok(());
        }
        paths.sort();
        for path in paths {
            self.machine.budget.hold(path.len())?;
            all.push(path);
        }
        Ok(())
    }

    pub(in crate::evaluate) fn pattern_syntax(&self) -> Syntax {
        match self.shell.dialect {
            Dialect::Dash => Syntax::Posix,
            _ if self.shell.shopt.extglob => Syntax::Extended,
            _ => Syntax::Caret,
        }
    }

    fn segments(&self, field: &[Marked], syntax: Syntax) -> Vec<Segment> {
        let mut segments = Vec::new();
        let mut rest = field;
        while !rest.is_empty() {
            let slashes = rest.iter().take_while(|(byte, _)| *byte == b'/').count();
            let (before, more) = rest.split_at(slashes);
            let length = more.iter().take_while(|(byte, _)| *byte != b'/').count();
            let (name, more) = more.split_at(length);
            rest = more;
            let slashes = unmarked(before);
            if self.shell.shopt.globstar && name == [(b'*', false), (b'*', false)] {
                segments.push(Segment::Everything);
            } else if is_pattern(name, syntax) {
                let pattern = Pattern::new(name, syntax, Letters::Differ);
                segments.push(Segment::Pattern(slashes, pattern));
            } else {
                segments.push(Segment::Text([slashes, unescaped(name)].concat().into()));
            }
        }
        segments
    }

    fn next_paths(
        &mut self,
        paths: Vec<BString>,
        segment: &Segment,
        is_last: bool,
    ) -> Eval<Vec<BString>> {
        let mut next = Vec::new();
        for path in paths {
            match segment {
                Segment::Text(text) => {
                    let path = BString::from([path, text.clone()].concat());
                    if self.exists(&path)? {
                        next.push(path);
                    }
                }
                Segment::Pattern(slashes, pattern) => {
                    let path = BString::from([path, slashes.clone()].concat());
                    self.matching(&path, pattern, is_last, &mut next)?;
                }
                Segment::Everything => {
                    return self.refuse("**", "`globstar`");
                }
            }
        }
        Ok(next)
    }

    fn exists(&mut self, path: &[u8]) -> Eval<bool> {
        let found = self.machine.files.find(&self.shell.directory, path, Last::Kept);
        Ok(errno(found)?.is_ok())
    }

    /// The entries of a directory that a pattern matches.
    fn matching(
        &mut self,
        directory: &BString,
        pattern: &Pattern,
        is_last: bool,
        found: &mut Vec<BString>,
    ) -> Eval<()> {
        let Ok(names) = errno(self.names_in(directory))? else { return Ok(()) };
        let shows_hidden = pattern.begins_with_dot() || self.shell.shopt.dotglob;
        for name in names {
            self.machine.budget.step()?;
            let is_hidden = name.starts_with(b".");
            if is_hidden && !shows_hidden || !pattern.matches(&name, &mut self.machine.budget)? {
                continue;
            }
            let path = BString::from([directory.as_bytes(), &name].concat());
            if is_last || self.is_directory(&path)? {
                found.push(path);
            }
        }
        Ok(())
    }

    fn is_directory(&mut self, path: &[u8]) -> Eval<bool> {
        let found = self.machine.files.find(&self.shell.directory, path, Last::Followed);
        Ok(errno(found)?.is_ok_and(|(_, stat)| stat.is_directory()))
    }

    fn names_in(&self, directory: &BString) -> FileResult<Vec<BString>> {
        let written = if directory.is_empty() { b"." } else { directory.as_bytes() };
        let files = &self.machine.files;
        let (path, _) = files.find(&self.shell.directory, written, Last::Followed)?;
        let mut names: Vec<BString> = files.read_dir(&path)?.into_keys().collect();
        if self.shell.dialect != Dialect::Bash {
            names.extend([".".into(), "..".into()]);
        }
        Ok(names)
    }
}

/// A name that is no pattern: its backslashes are escapes all the same.
fn unescaped(name: &[Marked]) -> BString {
    let mut text = BString::default();
    let mut bytes = name.iter();
    while let Some((byte, is_quoted)) = bytes.next() {
        match (byte, is_quoted) {
            (b'\\', false) => text.extend(bytes.next().map(|(byte, _)| *byte)),
            _ => text.push(*byte),
        }
    }
    text
}
