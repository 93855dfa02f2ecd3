//! `gzip`, `gunzip`, `zcat` (gzip manual), and those of `bzip2` and `xz` that decompress.
//!
//! What is compressed has other bytes than GNU's, and the same each time.

use bstr::{BStr, BString, ByteSlice};
use layer::ArchiveCompression;
use oci::ImagePath;

use super::compression::{decompress, detect, gzip as compress};
use super::copying::{Keeps, keep};
use super::report::refuse_use;
use crate::data::Data;
use crate::files::{Kind, Last, Located, NewNode, Stat};
use crate::options::{Known, Options, Order, flag};
use crate::process::{Process, Run, errno};
use crate::stop::Stop;

const OPTIONS: &[Known] = &[
    flag("-1", '1', &["fast"]),
    flag("-2", '2', &[]),
    flag("-3", '3', &[]),
    flag("-4", '4', &[]),
    flag("-5", '5', &[]),
    flag("-6", '6', &[]),
    flag("-7", '7', &[]),
    flag("-8", '8', &[]),
    flag("-9", '9', &["best"]),
    flag("-c", 'c', &["stdout", "to-stdout"]),
    flag("-d", 'd', &["decompress", "uncompress"]),
    flag("-f", 'f', &["force"]),
    flag("-k", 'k', &["keep"]),
    flag("-n", 'n', &["no-name"]),
    flag("-q", 'q', &["quiet"]),
    flag("-t", 't', &["test"]),
];

/// A program and what it does without options.
struct Tool {
    /// As whom it complains.
    name: &'static str,
    compression: ArchiveCompression,
    /// Suffixes that go away, and what comes instead.
    suffixes: &'static [(&'static str, &'static str)],
    decompresses: bool,
    to_output: bool,
    keeps: bool,
    is_forced: bool,
    is_test: bool,
    level: u32,
}

const GZIP: &[(&str, &str)] = &[(".gz", ""), (".tgz", ".tar"), (".Z", ""), (".z", ""), ("-gz", "")];
const BZIP2: &[(&str, &str)] = &[(".bz2", ""), (".bz", ""), (".tbz2", ".tar"), (".tbz", ".tar")];
const XZ: &[(&str, &str)] = &[(".xz", ""), (".txz", ".tar")];

/// Compresses and decompresses.
pub(super) fn gzip(process: &mut Process<'_, '_>) -> Run {
    let options = Options::of(process, OPTIONS, Order::Anywhere)?;
    let called = process.name().to_owned();
    let (name, compression, suffixes) = match &**called {
        b"bunzip2" | b"bzcat" | b"bzip2" => ("bzip2", ArchiveCompression::Bzip2, BZIP2),
        b"unxz" | b"xz" | b"xzcat" => ("xz", ArchiveCompression::Xz, XZ),
        _ => ("gzip", ArchiveCompression::Gzip, GZIP),
    };
    let is_cat = called.ends_with(b"cat");
    let levels = ["-1", "-2", "-3", "-4", "-5", "-6", "-7", "-8", "-9"];
    let level = options.last_of(&levels).and_then(|level| level[1..].parse().ok()).unwrap_or(6);
    let tool = Tool {
        name,
        compression,
        suffixes,
        decompresses: options.has("-d") || options.has("-t") || is_cat || called.contains_str("un"),
        to_output: options.has("-c") || is_cat,
        keeps: options.has("-k"),
        is_forced: options.has("-f"),
        is_test: options.has("-t"),
        level,
    };
    if compression != ArchiveCompression::Gzip && !tool.decompresses {
        return Err(refuse_use(process, "compresses"));
    }
    let mut paths = options.operands;
    if paths.is_empty() {
        paths.push(BString::from("-"));
    }
    let mut status = 0;
    for path in &paths {
        // A warning counts less than an error.
        match tool.turn(process, path.as_bstr())? {
            1 => status = 1,
            0 => {}
            warning => status = if status == 1 { 1 } else { warning },
        }
    }
    Ok(status)
}

impl Tool {
    fn say(&self, process: &mut Process<'_, '_>, message: String) -> Result<(), Stop> {
        process.write_to(2, format!("{}: {message}\n", self.name).as_bytes())
    }

    fn turn(&self, process: &mut Process<'_, '_>, path: &BStr) -> Run {
        if path == "-" {
            let data = process.read_input()?;
            let bytes = process.bytes(&data)?;
            let Some(turned) = self.turned(process, &bytes, "stdin")? else { return Ok(1) };
            if !self.is_test {
                process.write(turned)?;
            }
            return Ok(0);
        }
        let (path, real, stat) = match self.find(process, path)? {
            Ok(found) => found,
            Err(status) => return Ok(status),
        };
        let path = path.as_bstr();
        if !matches!(stat.kind, Kind::File(_)) {
            if stat.is_directory() {
                self.say(process, format!("{path} is a directory -- ignored"))?;
                return Ok(2);
            }
            return Err(refuse_use(process, "reads what is no regular file"));
        }
        let is_in_place = !self.to_output && !self.is_test;
        let links = errno(process.machine.files.links(&stat))?.unwrap_or(1);
        if is_in_place && links > 1 && !self.is_forced {
            return Err(refuse_use(process, "replaces a file with several names"));
        }
        let target = match self.target(path) {
            Some(target) => target,
            None if !is_in_place => BString::default(),
            None if self.decompresses => {
                self.say(process, format!("{path}: unknown suffix -- ignored"))?;
                return Ok(2);
            }
            None => {
                let suffix = self.suffixes.iter().find(|(suffix, _)| path.ends_with_str(suffix));
                let suffix = suffix.map_or(".gz", |(suffix, _)| suffix);
                self.say(process, format!("{path} already has {suffix} suffix -- unchanged"))?;
                return Ok(0);
            }
        };
        let data = match errno(process.machine.files.data(&real))? {
            Ok(data) => data,
            Err(error) => {
                self.say(process, format!("{path}: {error}"))?;
                return Ok(1);
            }
        };
        let bytes = process.bytes(&data)?;
        let name = path.to_string();
        let Some(turned) = self.turned(process, &bytes, &name)? else { return Ok(1) };
        match is_in_place {
            true => self.replace(process, (&real, &stat), &target, turned),
            false if self.is_test => Ok(0),
            false => process.write(turned).map(|()| 0),
        }
    }

    /// The file, by its name or with the usual suffix.
    fn find(
        &self,
        process: &mut Process<'_, '_>,
        path: &BStr,
    ) -> Result<Result<(BString, ImagePath, Stat), u8>, Stop> {
        let last = if self.to_output || self.is_test { Last::Followed } else { Last::Kept };
        let found = errno(process.find(path, last))?;
        if let Ok((real, stat)) = found {
            return Ok(Ok((path.to_owned(), real, stat)));
        }
        let suffix = self.suffixes.first().map_or("", |(suffix, _)| suffix);
        let mut named = path.to_owned();
        if self.decompresses && self.target(path).is_none() {
            named = [path.as_bytes(), suffix.as_bytes()].concat().into();
            if let Ok((real, stat)) = errno(process.find(&named, last))? {
                return Ok(Ok((named, real, stat)));
            }
        }
        let message = match (self.compression, found) {
            (ArchiveCompression::Gzip, Err(error)) => format!("{named}: {error}"),
            (ArchiveCompression::Bzip2, Err(error)) => {
                format!("Can't open input file {path}: {error}.")
            }
            (_, Err(error)) => format!("{path}: {error}"),
            (_, Ok(_)) => String::new(),
        };
        self.say(process, message)?;
        Ok(Err(1))
    }

    /// The name of what comes out; `None` if the name of what goes in does not fit.
    fn target(&self, path: &BStr) -> Option<BString> {
        let found = self.suffixes.iter().find(|(suffix, _)| path.ends_with_str(suffix));
        match (self.decompresses, found) {
            (true, Some((suffix, instead))) => {
                let stem = &path[..path.len() - suffix.len()];
                Some([stem, instead.as_bytes()].concat().into())
            }
            (true, None) | (false, Some(_)) => None,
            (false, None) => Some([path.as_bytes(), b".gz"].concat().into()),
        }
    }

    /// The other bytes; `None` if there are none, once it has been complained.
    fn turned(
        &self,
        process: &mut Process<'_, '_>,
        bytes: &[u8],
        name: &str,
    ) -> Result<Option<Vec<u8>>, Stop> {
        if !self.decompresses {
            process.machine.budget.hold(bytes.len())?;
            return Ok(Some(compress(bytes, self.level)));
        }
        let is_this = detect(bytes) == self.compression;
        if !is_this && self.is_forced && self.to_output {
            return Ok(Some(bytes.to_vec()));
        }
        if is_this && let Some(plain) = decompress(process, bytes, self.compression)? {
            return Ok(Some(plain));
        }
        let what = match (self.compression, is_this) {
            (ArchiveCompression::Gzip, false) if bytes.is_empty() => "unexpected end of file",
            (ArchiveCompression::Gzip, false) => "not in gzip format",
            _ => return Err(refuse_use(process, "reads what is broken")),
        };
        process.write_to(2, format!("\n{}: {name}: {what}\n", self.name).as_bytes())?;
        Ok(None)
    }

    fn replace(
        &self,
        process: &mut Process<'_, '_>,
        (real, stat): (&ImagePath, &Stat),
        target: &BString,
        bytes: Vec<u8>,
    ) -> Run {
        let located = match errno(process.locate(target, Last::Kept))? {
            Ok(located) => located,
            Err(error) => {
                self.say(process, format!("{target}: {error}"))?;
                return Ok(1);
            }
        };
        let Located { path, stat: existing } = located;
        if existing.is_some() {
            if !self.is_forced {
                self.say(process, format!("{target} already exists;\tnot overwritten"))?;
                return Ok(2);
            }
            if let Err(error) = errno(process.machine.files.remove(&path))? {
                self.say(process, format!("{target}: {error}"))?;
                return Ok(1);
            }
        }
        let node = NewNode::File(Data::of(bytes));
        let made = process.machine.files.make(&path, node, 0o600);
        let keeps = Keeps { links: false, xattrs: false, ..Keeps::ALL };
        let kept = match made {
            Ok(()) => keep(process, &keeps, &stat.attributes, &path),
            Err(error) => Err(error),
        };
        let done = kept.and_then(|()| match self.keeps {
            true => Ok(()),
            false => process.machine.files.remove(real),
        });
        match errno(done)? {
            Ok(()) => Ok(0),
            Err(error) => {
                self.say(process, format!("{target}: {error}"))?;
                Ok(1)
            }
        }
    }
}
