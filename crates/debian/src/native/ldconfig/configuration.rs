//! Which directories hold libraries: `/etc/ld.so.conf`, what it includes, and those built in.

use std::collections::HashSet;

use bstr::{BStr, BString, ByteSlice};
use oci::ImagePath;
use shell::files::{FileError, Last};
use shell::process::errno;
use shell::{Process, Reason, Stop};

use super::architecture::{LIBC5, LIBC6};
use super::installed::Installed;
use super::{Talk, glob, say};

/// Where libraries for later machines are, below a directory of libraries.
const SUBDIRECTORIES: &str = "glibc-hwcaps";
/// Files that include each other.
const DEEPEST: usize = 16;

/// A directory to look into.
#[derive(Debug, Clone)]
pub(super) struct Directory {
    /// Its path, as it stands in the cache.
    pub(super) path: BString,
    /// The same without links.
    pub(super) real: ImagePath,
    /// What libraries of no known C library are taken for here, if the configuration says.
    pub(super) library: Option<u32>,
    /// If it is one of `glibc-hwcaps`: its name there.
    pub(super) subdirectory: Option<BString>,
    /// The file that names it, and the line there.
    pub(super) from: (BString, usize),
}

/// The directories to look into, in order, each once.
pub(super) struct Directories {
    pub(super) list: Vec<Directory>,
    /// All names that were seen in `glibc-hwcaps`, whether libraries are there or not.
    pub(super) subdirectories: Vec<BString>,
    known: HashSet<ImagePath>,
    talk: Talk,
    /// Whether directories named for capabilities count.
    pub(super) has_capabilities: bool,
}

impl Directories {
    pub(super) fn new(installed: &Installed, talk: Talk) -> Self {
        Directories {
            list: Vec::new(),
            subdirectories: Vec::new(),
            known: HashSet::new(),
            talk,
            has_capabilities: installed.has_capability_directories(),
        }
    }

    /// Reads a configuration file, if it is there.
    pub(super) fn configure(
        &mut self,
        process: &mut Process<'_, '_>,
        file: &BStr,
    ) -> Result<(), Stop> {
        self.include(process, file, 0)
    }

    fn include(
        &mut self,
        process: &mut Process<'_, '_>,
        file: &BStr,
        depth: usize,
    ) -> Result<(), Stop> {
        if depth > DEEPEST {
            return Err(process.refuse(Reason::Use(format!("includes {file} too deeply"))));
        }
        process.machine.budget.step()?;
        let text = match errno(process.open_bytes(file))? {
            Ok(text) => text,
            Err(shell::files::Errno::NotFound) => return Ok(()),
            Err(why) => {
                let what = "ignoring configuration file that cannot be opened";
                return say(process, &format!("Warning: {what}: {file}: {why}"));
            }
        };
        for (at, line) in text.lines().enumerate() {
            let line = line.split(|byte| matches!(byte, b'#' | 0)).next().unwrap_or_default();
            let line = line.trim_start_with(is_space);
            if let Some(rest) = after_word(line, b"include") {
                let words = rest.split(is_blank).filter(|word| !word.is_empty());
                for pattern in words {
                    let pattern = beside(file, pattern);
                    for path in glob::expand(process, pattern.as_bstr())? {
                        self.include(process, path.as_bstr(), depth + 1)?;
                    }
                }
            } else if after_word(&line.to_ascii_lowercase(), b"hwcap").is_some() {
                say(process, &format!("{file}:{}: hwcap directive ignored", at + 1))?;
            } else {
                self.add(process, line.as_bstr(), file.to_string(), at + 1)?;
            }
        }
        Ok(())
    }

    /// Adds a directory as it is written, if it is there, and what is in its `glibc-hwcaps`.
    pub(super) fn add(
        &mut self,
        process: &mut Process<'_, '_>,
        written: &BStr,
        from: impl Into<BString>,
        line: usize,
    ) -> Result<(), Stop> {
        let (path, library) = match written.split_once_str("=") {
            Some((path, library)) => (path, self.library(process, library)?),
            None => (written.as_bytes(), None),
        };
        let path = path.trim_end_with(is_space).trim_end_with(|character| character == '/');
        if path.is_empty() {
            return Ok(());
        }
        let real = match process.find(path, Last::Followed) {
            Ok((real, _)) => real,
            Err(FileError::Stop(stop)) => return Err(stop),
            Err(FileError::Errno(why)) => {
                if self.talk == Talk::Aloud {
                    say(process, &format!("Can't stat {}: {why}", path.as_bstr()))?;
                }
                return Ok(());
            }
        };
        let from = (from.into(), line);
        let directory =
            Directory { path: path.into(), real, library, subdirectory: None, from: from.clone() };
        if let Some(index) = self.list.iter().position(|known| known.real == directory.real) {
            self.list[index].library = library;
            if self.talk == Talk::Aloud {
                say(process, &format!("Path `{}' given more than once", path.as_bstr()))?;
                let first = &self.list[index].from;
                let line = format!("(from {}:{} and {}:{})\n", from.0, from.1, first.0, first.1);
                process.write_to(2, line.as_bytes())?;
            }
            return Ok(());
        }
        self.push(directory.clone());
        self.add_subdirectories(process, &directory)
    }

    /// Adds a directory that was found in one, unless it is known.
    pub(super) fn push(&mut self, directory: Directory) {
        if self.known.insert(directory.real.clone()) {
            self.list.push(directory);
        }
    }

    fn add_subdirectories(
        &mut self,
        process: &mut Process<'_, '_>,
        directory: &Directory,
    ) -> Result<(), Stop> {
        let above = [directory.path.as_slice(), b"/", SUBDIRECTORIES.as_bytes()].concat();
        let Ok((real, stat)) = errno(process.find(&above, Last::Followed))? else { return Ok(()) };
        if !stat.is_directory() {
            return Ok(());
        }
        let Ok(names) = errno(process.machine.files.read_dir(&real))? else { return Ok(()) };
        for name in names.into_keys() {
            if name.starts_with(b".") || name.contains(&b':') {
                continue;
            }
            let path = [above.as_slice(), b"/", &name].concat();
            let Ok((real, stat)) = errno(process.find(&path, Last::Followed))? else { continue };
            if !stat.is_directory() {
                continue;
            }
            self.subdirectories.push(name.clone());
            self.push(Directory {
                path: path.into(),
                real,
                subdirectory: Some(name),
                ..directory.clone()
            });
        }
        Ok(())
    }

    fn library(&self, process: &mut Process<'_, '_>, name: &[u8]) -> Result<Option<u32>, Stop> {
        Ok(match name {
            b"libc4" => Some(0),
            b"libc5" => Some(LIBC5),
            b"libc6" | b"glibc2" => Some(LIBC6),
            _ => {
                say(process, &format!("{} is not a known library type", name.as_bstr()))?;
                None
            }
        })
    }
}

/// What is behind a word and a blank.
fn after_word<'a>(line: &'a [u8], word: &[u8]) -> Option<&'a [u8]> {
    line.strip_prefix(word)?.split_first().filter(|(byte, _)| is_blank(byte)).map(|(_, rest)| rest)
}

/// A relative pattern is beside the file that includes it.
fn beside(file: &BStr, pattern: &[u8]) -> BString {
    match file.rfind_byte(b'/') {
        Some(slash) if !pattern.starts_with(b"/") => {
            [&file.as_bytes()[..slash.max(1)], b"/", pattern].concat().into()
        }
        _ => pattern.into(),
    }
}

fn is_blank(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// isspace(3).
fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t'..='\r')
}
