//! `ls` (coreutils manual, "ls invocation"), one name on a line, as where no terminal is.
//!
//! In the long format, what directories take on a disk is not known: to whoever called it is shown
//! as `?`, and into pipes and files it is refused.

mod long;

use std::cmp::Ordering;

use bstr::BString;
use oci::ImagePath;

use super::destination::inside;
use super::owners::Owners;
use super::report::{refuse_option, refuse_use};
use crate::descriptor::{OpenFile, Output};
use crate::files::{Errno, Kind, Last, Stat};
use crate::options::{Known, Options, Order, Takes, flag, long, value};
use crate::process::{Process, Run, errno};
use crate::programs::quoting::quoted;
use crate::stop::Stop;
use long::Long;

const OPTIONS: &[Known] = &[
    flag("-1", '1', &[]),
    flag("-A", 'A', &["almost-all"]),
    flag("-a", 'a', &["all"]),
    flag("-B", 'B', &["ignore-backups"]),
    long("--color", &["color"], Takes::MaybeValue),
    flag("-d", 'd', &["directory"]),
    flag("-F", 'F', &[]),
    flag("-g", 'g', &[]),
    flag("-G", 'G', &["no-group"]),
    long("--group-first", &["group-directories-first"], Takes::Nothing),
    flag("-h", 'h', &["human-readable"]),
    flag("-H", 'H', &["dereference-command-line"]),
    flag("-L", 'L', &["dereference"]),
    flag("-l", 'l', &[]),
    flag("-n", 'n', &["numeric-uid-gid"]),
    flag("-N", 'N', &["literal"]),
    flag("-o", 'o', &[]),
    flag("-p", 'p', &[]),
    flag("-R", 'R', &["recursive"]),
    flag("-r", 'r', &["reverse"]),
    flag("-S", 'S', &[]),
    flag("-t", 't', &[]),
    long("--time-style", &["time-style"], Takes::Value),
    value("--width", 'w', &["width"]),
];

/// A file to show.
pub(super) struct Shown {
    name: BString,
    path: ImagePath,
    stat: Stat,
}

struct Listing<'a> {
    options: &'a Options,
    long: Option<Long>,
    owners: Owners,
    /// Whether a blank line comes before the next directory.
    is_first: bool,
    has_headers: bool,
    /// What is told of what cannot be known.
    status: u8,
}

/// Lists directories.
pub(super) fn ls(process: &mut Process<'_, '_>) -> Run {
    let options = Options::of(process, OPTIONS, Order::Anywhere)?;
    let color = options.values("--color").last();
    if options.has("--color") && !color.is_some_and(|color| color == "never" || color == "auto") {
        return Err(refuse_option(process, "--color"));
    }
    let long = Long::of(process, &options)?;
    let owners = match long {
        Some(_) => Owners::read(process)?,
        None => Owners::default(),
    };
    let mut listing =
        Listing { options: &options, long, owners, is_first: true, has_headers: false, status: 0 };
    listing.list(process)?;
    Ok(listing.status)
}

impl Listing<'_> {
    fn list(&mut self, process: &mut Process<'_, '_>) -> Result<(), Stop> {
        let mut operands = self.options.operands.clone();
        if operands.is_empty() {
            operands.push(BString::from("."));
        }
        let (mut files, mut directories) = (Vec::new(), Vec::new());
        for name in &operands {
            match self.find(process, name)? {
                Ok(shown) if shown.stat.is_directory() && !self.options.has("-d") => {
                    directories.push(shown);
                }
                Ok(shown) => files.push(shown),
                Err(error) => {
                    process.complain(format!("cannot access {}: {error}", quoted(name)))?;
                    self.status = 2;
                }
            }
        }
        self.has_headers = operands.len() > 1 || self.options.has("-R");
        if !files.is_empty() {
            self.sort(process, &mut files)?;
            self.show(process, &files)?;
            self.is_first = false;
        }
        self.sort(process, &mut directories)?;
        directories.reverse();
        while let Some(directory) = directories.pop() {
            process.machine.budget.step()?;
            directories.extend(self.list_directory(process, &directory)?);
        }
        Ok(())
    }

    fn find(
        &self,
        process: &Process<'_, '_>,
        name: &BString,
    ) -> Result<Result<Shown, Errno>, Stop> {
        let has = |id: &str| self.options.has(id);
        let follows = has("-L") || has("-H");
        let keeps = !follows && (self.long.is_some() || has("-d") || has("-F"));
        let last = if keeps { Last::Kept } else { Last::Followed };
        let mut found = errno(process.find(name, last))?;
        // A link on the command line is followed to a directory only, and not if it leads nowhere.
        let is_file = found.as_ref().is_ok_and(|(_, stat)| !stat.is_directory());
        if !follows && (is_file || found == Err(Errno::NotFound)) {
            found = errno(process.find(name, Last::Kept))?;
        }
        Ok(found.map(|(path, stat)| Shown { name: name.clone(), path, stat }))
    }

    /// Shows what is in a directory; what is to be listed next, the last one first.
    fn list_directory(
        &mut self,
        process: &mut Process<'_, '_>,
        directory: &Shown,
    ) -> Result<Vec<Shown>, Stop> {
        let children = match errno(process.machine.files.read_dir(&directory.path))? {
            Ok(children) => children,
            Err(error) => {
                let name = quoted(&directory.name);
                process.complain(format!("cannot open directory {name}: {error}"))?;
                self.status = self.status.max(if self.has_headers { 1 } else { 2 });
                return Ok(Vec::new());
            }
        };
        let mut shown = Vec::new();
        if self.options.has("-a") && self.options.last_of(&["-a", "-A"]) == Some("-a") {
            let above = directory.path.parent().unwrap_or_else(ImagePath::root);
            for (name, path) in [(".", directory.path.clone()), ("..", above)] {
                if let Ok(Some(stat)) = errno(process.machine.files.stat(&path))? {
                    shown.push(Shown { name: name.into(), path, stat });
                }
            }
        }
        let is_all = self.options.last_of(&["-a", "-A"]).is_some();
        for (name, stat) in children {
            let is_hidden = name.starts_with(b".") && !is_all;
            let is_backup = name.ends_with(b"~") && self.options.has("-B");
            if is_hidden || is_backup {
                continue;
            }
            let path = directory.path.join(&name);
            let (path, stat) = match (&stat.kind, self.options.has("-L")) {
                (Kind::Symlink(_), true) => {
                    let behind = inside(&directory.name, &name);
                    errno(process.find(&behind, Last::Followed))?.unwrap_or((path, stat))
                }
                _ => (path, stat),
            };
            shown.push(Shown { name, path, stat });
        }
        self.sort(process, &mut shown)?;
        self.head(process, &directory.name)?;
        self.show(process, &shown)?;
        if !self.options.has("-R") {
            return Ok(Vec::new());
        }
        let inner = shown
            .into_iter()
            .rev()
            .filter(|shown| shown.stat.is_directory() && !matches!(&**shown.name, b"." | b".."));
        Ok(inner
            .map(|shown| Shown { name: inside(&directory.name, &shown.name), ..shown })
            .collect())
    }

    fn head(&mut self, process: &mut Process<'_, '_>, name: &[u8]) -> Result<(), Stop> {
        if self.has_headers {
            let blank: &[u8] = if self.is_first { b"" } else { b"\n" };
            process.write([blank, name, b":\n"].concat())?;
        }
        self.is_first = false;
        if self.long.is_some() {
            self.expect_unread(process, "the blocks of directories")?;
            process.write("total ?\n")?;
        }
        Ok(())
    }

    /// Refuses if somebody reads what is shown as `?`.
    fn expect_unread(&self, process: &Process<'_, '_>, what: &str) -> Result<(), Stop> {
        let output = process.descriptor(1);
        let is_unread = output.is_none_or(|output| {
            matches!(&*output.borrow(), OpenFile::Output(Output::Transcript(_) | Output::Nowhere))
        });
        match is_unread {
            true => Ok(()),
            false => Err(refuse_use(process, format!("shows {what}, which depend on the disk"))),
        }
    }

    fn sort(&self, process: &Process<'_, '_>, files: &mut [Shown]) -> Result<(), Stop> {
        let by = self.options.last_of(&["-S", "-t"]);
        let key = |a: &Shown, b: &Shown| match by {
            Some("-t") => b.stat.attributes.mtime.cmp(&a.stat.attributes.mtime),
            Some(_) => b.stat.size().cmp(&a.stat.size()),
            None => Ordering::Equal,
        };
        let is_first =
            |shown: &Shown| self.options.has("--group-first") && shown.stat.is_directory();
        files.sort_by(|a, b| key(a, b).then_with(|| a.name.cmp(&b.name)));
        let is_unclear = match by {
            // Within one second anything may have been first.
            Some("-t") => files.windows(2).any(|pair| key(&pair[0], &pair[1]).is_eq()),
            Some(_) => files.iter().any(|shown| shown.stat.is_directory()),
            None => false,
        };
        if is_unclear {
            self.expect_unread(process, "an order of times or sizes")?;
        }
        if self.options.has("-r") {
            files.reverse();
        }
        files.sort_by_key(|shown| !is_first(shown));
        Ok(())
    }

    fn show(&self, process: &mut Process<'_, '_>, files: &[Shown]) -> Result<(), Stop> {
        let Some(long) = &self.long else {
            let mut lines = Vec::new();
            for shown in files {
                lines.extend_from_slice(&shown.name);
                lines.extend(self.mark(shown));
                lines.push(b'\n');
            }
            return process.write(lines);
        };
        if files.iter().any(|shown| shown.stat.is_directory()) {
            self.expect_unread(process, "sizes and links of directories")?;
        }
        let names: Vec<BString> =
            files.iter().map(|shown| self.long_name(process, shown)).collect();
        let lines = long.lines(process, &self.owners, files, &names)?;
        process.write(lines)
    }

    fn long_name(&self, process: &Process<'_, '_>, shown: &Shown) -> BString {
        let mut name = shown.name.clone();
        match &shown.stat.kind {
            Kind::Symlink(target) => {
                name.extend_from_slice(b" -> ");
                name.extend_from_slice(target);
                let above = shown.path.parent().unwrap_or_else(ImagePath::root);
                let behind = process.machine.files.find(&above, target, Last::Followed);
                if let Ok((path, stat)) = behind {
                    name.extend(self.mark(&Shown { name: BString::default(), path, stat }));
                }
            }
            _ => name.extend(self.mark(shown)),
        }
        name
    }

    /// What `-F` and `-p` put behind a name.
    fn mark(&self, shown: &Shown) -> Option<u8> {
        let is_marked = self.options.has("-F");
        match &shown.stat.kind {
            Kind::Directory if is_marked || self.options.has("-p") => Some(b'/'),
            _ if !is_marked => None,
            Kind::Symlink(_) => Some(b'@'),
            Kind::Fifo => Some(b'|'),
            Kind::File(_) if shown.stat.attributes.mode & 0o111 != 0 => Some(b'*'),
            _ => None,
        }
    }
}
