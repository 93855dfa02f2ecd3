//! `chmod` (coreutils manual, "chmod invocation").

use bstr::BString;
use oci::ImagePath;

use super::destination::inside;
use super::modes::{ModeChange, Subject, permissions};
use super::report::{Talk, attempt, refuse_option, usage};
use crate::files::{Errno, Kind, Last, Located, Stat};
use crate::options::{Known, Options, Order, Takes, flag, long};
use crate::process::{Process, Run, errno};
use crate::programs::quoting::{bare, cited, quoted};
use crate::stop::Stop;

const OPTIONS: &[Known] = &[
    flag("-R", 'R', &["recursive"]),
    flag("-c", 'c', &["changes"]),
    flag("-f", 'f', &["silent", "quiet"]),
    flag("-v", 'v', &["verbose"]),
    long("--reference", &["reference"], Takes::Value),
    long("--preserve-root", &["preserve-root"], Takes::Nothing),
    long("--no-preserve-root", &["no-preserve-root"], Takes::Nothing),
];

struct Chmod {
    change: ModeChange,
    umask: u32,
    /// A mode that looks like an option is a typing error if the umask makes another of it.
    is_minded: bool,
    is_recursive: bool,
    talk: Talk,
}

/// Changes modes.
pub(super) fn chmod(process: &mut Process<'_, '_>) -> Run {
    let (words, minded) = modes_out_of_options(process.arguments());
    let refuse = |option: String| refuse_option(process, option);
    let mut options = Options::read(&words, OPTIONS, Order::Anywhere).map_err(refuse)?;
    let (umask, is_minded) = (process.umask, minded.is_some());
    let change = if let Some(reference) = options.value("--reference") {
        let found = process.find(reference, Last::Followed);
        let what = || format!("failed to get attributes of {}", quoted(reference));
        match attempt(process, found, what)? {
            Some((_, stat)) => ModeChange::exactly(stat.attributes.mode),
            None => return Ok(1),
        }
    } else {
        let mode = match minded {
            Some(mode) => mode,
            None if options.operands.is_empty() => return usage(process, "missing operand"),
            None => options.operands.remove(0),
        };
        if options.operands.is_empty() {
            return usage(process, format!("missing operand after {}", cited(&mode)));
        }
        match ModeChange::parse(&mode) {
            Some(change) => change,
            None => return usage(process, format!("invalid mode: {}", cited(&mode))),
        }
    };
    if options.operands.is_empty() {
        return usage(process, "missing operand");
    }
    let chmod = Chmod {
        change,
        umask,
        is_minded,
        is_recursive: options.has("-R"),
        talk: Talk::of(&options),
    };
    let mut status = 0;
    for path in &options.operands {
        status |= chmod.change_operand(process, path)?;
    }
    Ok(status)
}

/// Takes `-x` and the like out of the options: they are modes. Several are one, with commas.
fn modes_out_of_options(words: &[BString]) -> (Vec<BString>, Option<BString>) {
    let mut mode: Option<BString> = None;
    let mut others = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let is_mode = word.first() == Some(&b'-')
            && word.get(1).is_some_and(|letter| b"rwxXstugoa,+=01234567".contains(letter));
        match (is_mode, &mut mode) {
            (true, None) => mode = Some(word.clone()),
            (true, Some(mode)) => {
                mode.push(b',');
                mode.extend_from_slice(word);
            }
            (false, _) => others.push(word.clone()),
        }
        if word == "--" {
            others.extend(words.by_ref().cloned());
        }
    }
    (others, mode)
}

impl Chmod {
    fn change_operand(&self, process: &mut Process<'_, '_>, path: &[u8]) -> Run {
        let shown = quoted(path);
        match errno(process.locate(path, Last::Followed))? {
            Ok(Located { path: real, stat: Some(stat) }) => {
                self.change_tree(process, path, &real, &stat)
            }
            Ok(Located { stat: None, .. }) => {
                let link = errno(process.find(path, Last::Kept))?;
                let message = match link {
                    Ok((_, Stat { kind: Kind::Symlink(_), .. })) => {
                        format!("cannot operate on dangling symlink {shown}")
                    }
                    _ => format!("cannot access {shown}: {}", Errno::NotFound),
                };
                self.talk.complain(process, message)
            }
            Err(error) => self.talk.complain(process, format!("cannot access {shown}: {error}")),
        }
    }

    fn change_tree(
        &self,
        process: &mut Process<'_, '_>,
        path: &[u8],
        real: &ImagePath,
        stat: &Stat,
    ) -> Run {
        let mut status = 0;
        let mut next = vec![(BString::from(path), real.clone(), stat.clone())];
        while let Some((path, real, stat)) = next.pop() {
            process.machine.budget.step()?;
            status |= self.change(process, &path, &real, &stat)?;
            if !self.is_recursive || !stat.is_directory() {
                continue;
            }
            match errno(process.machine.files.read_dir(&real))? {
                Ok(children) => next.extend(
                    children
                        .into_iter()
                        .rev()
                        .map(|(name, stat)| (inside(&path, &name), real.join(&name), stat)),
                ),
                Err(error) => {
                    let message = format!("cannot read directory {}: {error}", quoted(&path));
                    status |= self.talk.complain(process, message)?;
                }
            }
        }
        Ok(status)
    }

    fn change(
        &self,
        process: &mut Process<'_, '_>,
        path: &[u8],
        real: &ImagePath,
        stat: &Stat,
    ) -> Run {
        let shown = quoted(path);
        if matches!(stat.kind, Kind::Symlink(_)) {
            if self.talk.tells(false) {
                let line = format!("neither symbolic link {shown} nor referent has been changed\n");
                process.write(line)?;
            }
            return Ok(0);
        }
        let subject = if stat.is_directory() { Subject::Directory } else { Subject::File };
        let old = stat.attributes.mode;
        let new = self.change.apply(old, subject, self.umask);
        if real.as_bytes() != b"dev/null" || new != old {
            let set = process.machine.files.set_mode(real, new);
            if let Err(error) = errno(set)? {
                let message = format!("changing permissions of {shown}: {error}");
                return self.talk.complain(process, message);
            }
        }
        self.tell(process, &shown, old, new)?;
        let unmasked = self.change.apply(old, subject, 0);
        if self.is_minded && unmasked & !new & 0o7777 != new & !unmasked {
            let (is, should) = (permissions(new), permissions(unmasked));
            let name = bare(path);
            process.complain(format!("{name}: new permissions are {is}, not {should}"))?;
            return Ok(1);
        }
        Ok(0)
    }

    fn tell(
        &self,
        process: &mut Process<'_, '_>,
        shown: &str,
        old: u32,
        new: u32,
    ) -> Result<(), Stop> {
        if !self.talk.tells(old != new) {
            return Ok(());
        }
        let (before, after) = (permissions(old), permissions(new));
        process.write(match old == new {
            true => format!("mode of {shown} retained as {new:04o} ({after})\n"),
            false => format!(
                "mode of {shown} changed from {old:04o} ({before}) to {new:04o} ({after})\n"
            ),
        })
    }
}
