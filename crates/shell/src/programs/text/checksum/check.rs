//! Files compared with the digests that a list has.

use bstr::{BStr, BString, ByteSlice};

use super::{Algorithm, called};
use crate::options::Options;
use crate::process::{Process, Run};
use crate::programs::quoting::bare;
use crate::programs::text::busybox;
use crate::programs::text::input::{open, read};
use crate::stop::{Reason, Stop};

/// Checks all lists.
pub(super) fn check(
    process: &mut Process<'_, '_>,
    algorithm: Algorithm,
    options: &Options,
    lists: &[BString],
) -> Run {
    let mut status = 0;
    for list in lists {
        let text = match read(process, list)? {
            Ok(text) => text,
            Err(errno) => {
                process.complain(format!("{}: {errno}", bare(list)))?;
                status = 1;
                continue;
            }
        };
        let mut checker = Checker { algorithm, options, form: None, counts: Counts::default() };
        for (index, line) in text.lines().enumerate() {
            checker.line(process, list.as_bstr(), index + 1, line)?;
        }
        if !checker.finish(process, list.as_bstr())? {
            status = 1;
        }
    }
    Ok(status)
}

/// Whether a list has two separators between digest and name, as GNU writes them, or one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Two,
    One,
}

struct Checker<'o> {
    algorithm: Algorithm,
    options: &'o Options,
    form: Option<Form>,
    counts: Counts,
}

#[derive(Debug, Default)]
struct Counts {
    proper: usize,
    improper: usize,
    unreadable: usize,
    different: usize,
    same: usize,
}

impl Checker<'_> {
    fn line(
        &mut self,
        process: &mut Process<'_, '_>,
        list: &BStr,
        number: usize,
        line: &[u8],
    ) -> Result<(), Stop> {
        if !self.is_canonical(line) {
            busybox::refuse(process)?;
        }
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() || line.starts_with(b"#") {
            return Ok(());
        }
        let Some((digest, name)) = self.parse(line) else {
            if line.trim_start().starts_with(b"\\") {
                return Err(process.refuse(Reason::Use("checks an escaped name".to_owned())));
            }
            self.counts.improper += 1;
            if self.options.has("-w") && !self.options.has("--status") {
                let tag = self.algorithm.tag();
                let list = called(list);
                process.complain(format!(
                    "{list}: {number}: improperly formatted {tag} checksum line"
                ))?;
            }
            return Ok(());
        };
        self.counts.proper += 1;
        self.compare(process, &digest, name)
    }

    /// Whether a line is as these programs write it, which BusyBox's wants.
    fn is_canonical(&self, line: &[u8]) -> bool {
        let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        line.split_at_checked(self.algorithm.digits()).is_some_and(|(digits, rest)| {
            let has_name = matches!(rest, [b' ', b' ' | b'*', _, ..]) && !rest.contains(&b'\r');
            has_name && digits.iter().all(is_digit)
        })
    }

    /// A line's digest and name.
    fn parse<'l>(&mut self, line: &'l [u8]) -> Option<(String, &'l [u8])> {
        let line = line.trim_start_with(|letter| matches!(letter, ' ' | '\t'));
        let length = self.algorithm.digits();
        let digest = |digits: &[u8]| {
            let is_digest = digits.len() == length && digits.iter().all(u8::is_ascii_hexdigit);
            is_digest.then(|| digits.as_bstr().to_string().to_lowercase())
        };
        if let Some(rest) = line.strip_prefix(self.algorithm.tag().as_bytes()) {
            let rest = rest.strip_prefix(b" ").unwrap_or(rest).strip_prefix(b"(")?;
            let end = rest.rfind(")")?;
            let (name, rest) = rest.split_at(end);
            let blank = |letter: char| matches!(letter, ' ' | '\t');
            let rest = rest[1..].trim_start_with(blank).strip_prefix(b"=")?;
            return Some((digest(rest.trim_start_with(blank))?, name));
        }
        let (digits, rest) = line.split_at_checked(length)?;
        let digits = digest(digits)?;
        let rest = rest.strip_prefix(b" ").or(rest.strip_prefix(b"\t"))?;
        let form = match rest {
            [] => return None,
            [b' ' | b'*', _, ..] if self.form != Some(Form::One) => Form::Two,
            _ => Form::One,
        };
        if *self.form.get_or_insert(form) != form {
            return None;
        }
        Some((digits, if form == Form::Two { &rest[1..] } else { rest }))
    }

    fn compare(
        &mut self,
        process: &mut Process<'_, '_>,
        digest: &str,
        name: &[u8],
    ) -> Result<(), Stop> {
        if name == b"-" || name.iter().any(|byte| matches!(byte, b'\\' | b'\r')) {
            return Err(process.refuse(Reason::Use("checks an odd name".to_owned())));
        }
        let is_told = !self.options.has("--status");
        let data = match open(process, name)? {
            Ok(data) => data,
            Err(crate::files::Errno::NotFound) if self.options.has("--ignore-missing") => {
                return Ok(());
            }
            Err(errno) => {
                busybox::refuse(process)?;
                process.complain(format!("{}: {errno}", bare(name)))?;
                self.counts.unreadable += 1;
                if is_told {
                    process.write([name, b": FAILED open or read\n"].concat())?;
                }
                return Ok(());
            }
        };
        if self.algorithm.digest(process, &data)? == digest {
            self.counts.same += 1;
            // Whoever says which bytes it wants has them: by any algorithm, the file is known.
            process.machine.verified(&data.content().digest);
            if is_told && !self.options.has("--quiet") {
                process.write([name, b": OK\n"].concat())?;
            }
        } else {
            self.counts.different += 1;
            if is_told {
                process.write([name, b": FAILED\n"].concat())?;
            }
        }
        Ok(())
    }

    /// Tells what was wrong with a list; `true` if nothing was.
    fn finish(&self, process: &mut Process<'_, '_>, list: &BStr) -> Result<bool, Stop> {
        let Counts { proper, improper, unreadable, different, same } = self.counts;
        if proper == 0 {
            process.complain(format!(
                "{}: no properly formatted checksum lines found",
                called(list)
            ))?;
            return Ok(false);
        }
        let misses_all = self.options.has("--ignore-missing") && same == 0;
        if !self.options.has("--status") {
            for (count, one, many) in [
                (improper, "line is improperly formatted", "lines are improperly formatted"),
                (unreadable, "listed file could not be read", "listed files could not be read"),
                (different, "computed checksum did NOT match", "computed checksums did NOT match"),
            ] {
                match count {
                    0 => {}
                    1 => process.complain(format!("WARNING: 1 {one}"))?,
                    count => process.complain(format!("WARNING: {count} {many}"))?,
                }
            }
            if misses_all {
                process.complain(format!("{}: no file was verified", called(list)))?;
            }
        }
        let is_strict = self.options.has("--strict") && improper > 0;
        Ok(unreadable + different == 0 && !misses_all && !is_strict)
    }
}
