//! From operands to the files that are searched.

use bstr::{BStr, BString, ByteSlice};
use oci::ImagePath;

use super::arguments::Recursion;
use super::{Grep, Names, shown_name};
use crate::descriptor::{OpenFile, Output};
use crate::files::{Errno, Identity, Kind, Last, Stat};
use crate::process::errno;
use crate::regular_expression::Regex;
use crate::stop::{Reason, Stop};

impl Grep<'_, '_, '_> {
    /// Searches the standard input, or the working directory, whose name is not printed.
    pub(super) fn without_operands(&mut self) -> Result<(), Stop> {
        if self.settings.recursion == Recursion::None {
            return self.operand(b"-".as_bstr());
        }
        let path = self.process.directory.clone();
        self.directory(b"".as_bstr(), &path, &mut Vec::new())
    }

    /// Searches what an operand names.
    pub(super) fn operand(&mut self, file: &BStr) -> Result<(), Stop> {
        if file == "-" {
            let data = self.process.read_input()?;
            let name = shown_name(&self.settings, file);
            return self.search(name.as_bstr(), &data);
        }
        let (path, stat) = match errno(self.process.find(file, Last::Followed))? {
            Ok(found) => found,
            Err(error) => return self.trouble(file, error),
        };
        let is_excluded = match stat.is_directory() {
            true => {
                self.settings.recursion != Recursion::None && self.is_excluded_directory(file)?
            }
            false => self.is_excluded(file)?,
        };
        if is_excluded {
            return Ok(());
        }
        if stat.is_directory() && self.settings.recursion != Recursion::None {
            return self.directory(file, &path, &mut vec![stat.identity]);
        }
        self.file(file, &path, &stat)
    }

    /// Searches all that is in a directory.
    fn directory(
        &mut self,
        name: &BStr,
        path: &ImagePath,
        above: &mut Vec<Identity>,
    ) -> Result<(), Stop> {
        let children = match errno(self.process.machine.files.read_dir(path))? {
            Ok(children) => children,
            Err(error) => return self.trouble(name, error),
        };
        if self.names == Names::ShownBelow {
            self.names = Names::Shown;
        }
        for (child, stat) in children {
            self.process.machine.budget.step()?;
            let shown = joined(name, child.as_bstr());
            let (path, stat) = match stat.kind {
                Kind::Symlink(_) if self.settings.recursion == Recursion::Kept => continue,
                Kind::Symlink(_) => {
                    let place = path.join(&child);
                    let absolute = [b"/", place.as_bytes()].concat();
                    match errno(self.process.find(&absolute, Last::Followed))? {
                        Ok(found) => found,
                        Err(error) => {
                            self.trouble(shown.as_bstr(), error)?;
                            continue;
                        }
                    }
                }
                _ => (path.join(&child), stat),
            };
            if stat.is_directory() {
                if self.is_excluded_directory(shown.as_bstr())? {
                    continue;
                }
                if above.contains(&stat.identity) {
                    let reason = "goes through directories that are links into themselves";
                    return Err(self.process.refuse(Reason::Use(reason.to_owned())));
                }
                above.push(stat.identity);
                self.process.machine.budget.enter()?;
                self.directory(shown.as_bstr(), &path, above)?;
                self.process.machine.budget.leave();
                above.pop();
            } else if matches!(stat.kind, Kind::File(_)) && !self.is_excluded(shown.as_bstr())? {
                self.file(shown.as_bstr(), &path, &stat)?;
            }
            if self.is_settled() {
                break;
            }
        }
        Ok(())
    }

    fn file(&mut self, name: &BStr, path: &ImagePath, stat: &Stat) -> Result<(), Stop> {
        if self.is_output(stat) {
            return self.trouble(name, "input file is also the output");
        }
        let opened = match &stat.kind {
            Kind::File(_) | Kind::Directory => self.process.machine.files.data(path),
            _ => self.process.open(name),
        };
        match errno(opened)? {
            Ok(data) => self.search(name, &data),
            Err(Errno::IsADirectory) => {
                self.trouble(name, Errno::IsADirectory)?;
                self.summary(name, 0)
            }
            Err(error) => self.trouble(name, error),
        }
    }

    /// Whether what is found would be written into this file, and found again.
    fn is_output(&self, stat: &Stat) -> bool {
        let Some(handle) = self.process.descriptor(1) else { return false };
        let is_quiet = self.settings.is_quiet || !self.settings.prints_lines();
        match (&*handle.borrow(), &stat.identity) {
            (OpenFile::Output(Output::File { inode, .. }), Identity::Upper(own)) => {
                inode == own && !is_quiet && self.settings.most.is_none_or(|most| most > 1)
            }
            _ => false,
        }
    }

    fn is_excluded(&self, name: &BStr) -> Result<bool, Stop> {
        let settings = &self.settings;
        if self.matches(&settings.exclude, name)? {
            return Ok(true);
        }
        Ok(!settings.include.is_empty() && !self.matches(&settings.include, name)?)
    }

    fn is_excluded_directory(&self, name: &BStr) -> Result<bool, Stop> {
        self.matches(&self.settings.exclude_directories, name)
    }

    fn matches(&self, patterns: &[Regex], name: &BStr) -> Result<bool, Stop> {
        let base = name.rsplit(|byte| *byte == b'/').find(|part| !part.is_empty());
        for pattern in patterns {
            let is_match = pattern.is_match(base.unwrap_or_default());
            if is_match.map_err(|error| error.refusal(self.process))? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn joined(directory: &BStr, name: &BStr) -> BString {
    match directory.last() {
        None => name.into(),
        Some(b'/') => [directory.as_bytes(), name].concat().into(),
        Some(_) => [directory.as_bytes(), b"/", name].concat().into(),
    }
}
