//! `mv` (coreutils manual, "mv invocation").

use bstr::ByteSlice;

use super::copying::{
    Copier, Depth, Existing, Following, Keeps, Making, Manner, Replacing, Telling, Volumes,
    is_older,
};
use super::destination::{Destination, LinkedDirectory, base, inside, sort_out, without_slashes};
use super::report::{attempt, fail};
use super::rm::{Removal, remove_tree};
use crate::programs::quoting::quoted;
use oci::ImagePath;

use crate::files::{Errno, Kind, Last, Located, Stat};
use crate::options::{Known, Options, Order, Takes, flag, long, value};
use crate::process::{Process, Run, errno};
use crate::stop::Stop;

const OPTIONS: &[Known] = &[
    flag("-f", 'f', &["force"]),
    flag("-n", 'n', &["no-clobber"]),
    long("--strip-trailing-slashes", &["strip-trailing-slashes"], Takes::Nothing),
    value("-t", 't', &["target-directory"]),
    flag("-T", 'T', &["no-target-directory"]),
    flag("-u", 'u', &["update"]),
    flag("-v", 'v', &["verbose"]),
    // Of a kernel with SELinux; without one it does nothing.
    flag("-Z", 'Z', &["context"]),
];

/// Moves files and trees.
pub(super) fn mv(process: &mut Process<'_, '_>) -> Run {
    let options = Options::of(process, OPTIONS, Order::Anywhere)?;
    let destination = match sort_out(process, &options, LinkedDirectory::Entered)? {
        Ok(destination) => destination,
        Err(status) => return Ok(status),
    };
    let existing = match options.last_of(&["-f", "-n"]) {
        Some("-n") => Existing::Kept,
        _ if options.has("-u") => Existing::Updated,
        _ => Existing::Overwritten,
    };
    let telling = if options.has("-v") { Telling::Moves } else { Telling::Nothing };
    let mut moving = Moving { existing, telling, moved: Vec::new() };
    let is_stripped = options.has("--strip-trailing-slashes");
    let pairs = match destination {
        Destination::Name(from, to) => vec![(from, to)],
        Destination::Directory(sources, directory) => {
            let into = |source: &bstr::BString| inside(&directory, base(source));
            sources.iter().map(|source| (source.clone(), into(source))).collect()
        }
    };
    let mut status = 0;
    for (from, to) in pairs {
        let from = if is_stripped { without_slashes(&from) } else { &from };
        status |= moving.move_one(process, from, &to)?;
    }
    Ok(status)
}

struct Moving {
    existing: Existing,
    telling: Telling,
    moved: Vec<oci::ImagePath>,
}

impl Moving {
    fn move_one(&mut self, process: &mut Process<'_, '_>, from: &[u8], to: &[u8]) -> Run {
        // A slash follows a link for stat(2), and rename(2) does not take it.
        let last = if from.ends_with(b"/") { Last::Followed } else { Last::Kept };
        let found = process.find(from, last);
        let what = || format!("cannot stat {}", quoted(from));
        let Some((source, stat)) = attempt(process, found, what)? else { return Ok(1) };
        let (named, to_shown) = (quoted(from), quoted(to));
        let what = || format!("cannot move {named} to {to_shown}");
        let target = match errno(process.locate(to, Last::Kept))? {
            Ok(target) => target,
            Err(Errno::NotADirectory) => {
                let message = format!("cannot stat {to_shown}: {}", Errno::NotADirectory);
                return fail(process, message);
            }
            Err(error) => {
                attempt::<()>(process, Err(error.into()), what)?;
                return Ok(1);
            }
        };
        if self.moved.contains(&target.path) {
            let message = format!("will not overwrite just-created {to_shown} with {named}");
            return fail(process, message);
        }
        if let Some(status) = self.settle(process, from, to, (&source, &stat), &target)? {
            return Ok(status);
        }
        let is_linked_name = matches!(
            errno(process.locate(without_slashes(from), Last::Kept))?,
            Ok(Located { stat: Some(Stat { kind: Kind::Symlink(_), .. }), .. })
        );
        let is_no_directory = !stat.is_directory() && to.ends_with(b"/");
        if is_no_directory || (from.ends_with(b"/") && is_linked_name) {
            attempt::<()>(process, Err(Errno::NotADirectory.into()), what)?;
            return Ok(1);
        }
        match errno(process.machine.files.rename(&source, &target.path))? {
            Ok(()) => {
                self.moved.push(target.path);
                if self.telling == Telling::Moves {
                    process.write(format!("renamed {named} -> {to_shown}\n"))?;
                }
                Ok(0)
            }
            Err(Errno::OtherDevice) => self.carry_over(process, from, to, &source),
            Err(Errno::Invalid) => {
                let message =
                    format!("cannot move {named} to a subdirectory of itself, {to_shown}");
                fail(process, message)
            }
            Err(error) => {
                attempt::<()>(process, Err(error.into()), what)?;
                Ok(1)
            }
        }
    }

    /// What is to be said before anything moves; an exit status if that is all.
    fn settle(
        &self,
        process: &mut Process<'_, '_>,
        from: &[u8],
        to: &[u8],
        (source, stat): (&ImagePath, &Stat),
        target: &Located,
    ) -> Result<Option<u8>, Stop> {
        let Some(existing) = &target.stat else { return Ok(None) };
        let (named, to) = (quoted(from), quoted(to));
        match self.existing {
            Existing::Kept => return Ok(Some(0)),
            Existing::Updated
                if !existing.is_directory() && !is_older(process, existing, stat)? =>
            {
                return Ok(Some(0));
            }
            _ => {}
        }
        let message = if existing.identity == stat.identity && !is_into_itself(source, stat, target)
        {
            format!("{named} and {to} are the same file")
        } else {
            match (stat.is_directory(), existing.is_directory()) {
                (true, false) => {
                    format!("cannot overwrite non-directory {to} with directory {named}")
                }
                (false, true) => format!("cannot overwrite directory {to} with non-directory"),
                _ => return Ok(None),
            }
        };
        fail(process, message).map(Some)
    }

    /// To another file system: a copy, and then the original is removed.
    fn carry_over(
        &mut self,
        process: &mut Process<'_, '_>,
        from: &[u8],
        to: &[u8],
        source: &oci::ImagePath,
    ) -> Run {
        let manner = Manner {
            making: Making::Copies,
            depth: Depth::Trees,
            following: Following::None,
            keeps: Keeps::ALL,
            existing: Existing::Overwritten,
            replacing: Replacing::Always,
            telling: self.telling,
            volumes: Volumes::All,
        };
        let target = process.locate(to, Last::Kept);
        let what = || format!("inter-device move failed: {} to {}", quoted(from), quoted(to));
        let Some(target) = attempt(process, target, what)? else { return Ok(1) };
        if target.stat.is_some() {
            let removed = process.machine.files.remove(&target.path);
            let what = || format!("{}; unable to remove target", what());
            if attempt(process, removed, what)?.is_none() {
                return Ok(1);
            }
        }
        let umask = process.umask;
        if !Copier::new(manner, umask).copy_operand(process, from, to)? {
            return Ok(1);
        }
        let removal = Removal::of_moved(self.telling == Telling::Moves);
        remove_tree(
            process,
            &removal,
            from.trim_end_with(|letter| letter == '/').as_bytes(),
            source,
        )
    }
}

/// Whether a directory would go into itself under its own name, which rename(2) is to say.
fn is_into_itself(source: &ImagePath, stat: &Stat, target: &Located) -> bool {
    stat.is_directory() && target.path == *source
}
