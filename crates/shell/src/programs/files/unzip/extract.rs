//! Members of a zip archive become files.

use bstr::{BString, ByteSlice};
use oci::ImagePath;

use super::archive::{Member, Method, content};
use crate::data::Data;
use crate::files::{FileResult, Kind, Last, Located, NewNode};
use crate::options::Options;
use crate::process::{Process, Run, errno};
use crate::programs::files::destination::inside;
use crate::programs::files::names::directory;
use crate::programs::files::report::refuse_use;
use crate::programs::files::times::expect_utc;
use crate::stop::Stop;

/// A mode's bits for its type, and a link's and a directory's (inode(7)).
const TYPE: u32 = 0o170_000;
const LINK: u32 = 0o120_000;
const DIRECTORY: u32 = 0o040_000;

struct Extraction<'a> {
    options: &'a Options,
    into: BString,
    is_told: bool,
    /// What is told of links at the end.
    links: Vec<(BString, BString)>,
    /// Directories that were made: their modes and times come at the end.
    directories: Vec<(ImagePath, u32, i64)>,
    status: u8,
}

/// Unpacks members.
pub(super) fn extract(
    process: &mut Process<'_, '_>,
    options: &Options,
    bytes: &[u8],
    members: &[&Member],
) -> Run {
    expect_utc(process)?;
    let into = options.value("-d").map(|into| into.trim_end_with(|letter| letter == '/').into());
    let mut extraction = Extraction {
        options,
        into: into.unwrap_or_default(),
        is_told: !options.has("-q"),
        links: Vec::new(),
        directories: Vec::new(),
        status: 0,
    };
    if !members.is_empty() && !extraction.make_target(process)? {
        return Ok(2);
    }
    for member in members {
        process.machine.budget.step()?;
        extraction.unpack(process, bytes, member)?;
    }
    extraction.finish(process)?;
    Ok(extraction.status)
}

impl Extraction<'_> {
    /// Makes the directory that `-d` names, but not those above it.
    fn make_target(&self, process: &mut Process<'_, '_>) -> Result<bool, Stop> {
        if self.into.is_empty() {
            return Ok(true);
        }
        let made = match errno(process.locate(&self.into, Last::Followed))? {
            Ok(Located { stat: Some(stat), .. }) if stat.is_directory() => return Ok(true),
            Ok(Located { stat: Some(_), .. }) => {
                return Err(refuse_use(process, "unpacks into what is no directory"));
            }
            Ok(Located { path, stat: None }) => {
                let mode = 0o777 & !process.umask;
                process.machine.files.make(&path, NewNode::Directory, mode)
            }
            Err(error) => Err(error.into()),
        };
        match errno(made)? {
            Ok(()) => Ok(true),
            Err(error) => {
                let into = &self.into;
                let message = format!(
                    "checkdir:  cannot create extraction directory: {into}\n           {error}\n"
                );
                process.write_to(2, message.as_bytes())?;
                Ok(false)
            }
        }
    }

    fn unpack(
        &mut self,
        process: &mut Process<'_, '_>,
        bytes: &[u8],
        member: &Member,
    ) -> Result<(), Stop> {
        let is_directory = member.name.ends_with(b"/");
        let Some(name) = self.safe_name(process, member)? else { return Ok(()) };
        let path = match self.into.is_empty() {
            true => name,
            false => inside(&self.into, &name),
        };
        if is_directory {
            let is_new = errno(process.locate(&path, Last::Followed))?
                .map_or(true, |located| located.stat.is_none());
            if is_new && self.is_told {
                process.write(format!("   creating: {path}/\n"))?;
            }
            let real = self.make_directories(process, &path)?;
            if is_new {
                self.directories.push((real, mode(member, process.umask), member.mtime));
            }
            return Ok(());
        }
        self.make_directories(process, directory(&path))?;
        let located = errno(process.locate(&path, Last::Kept))?;
        let Ok(Located { path: real, stat }) = located else {
            return Err(refuse_use(process, "cannot unpack to where a member belongs"));
        };
        if let Some(stat) = stat {
            if self.options.has("-n") {
                if self.is_told && matches!(stat.kind, Kind::Symlink(_)) {
                    process.write(format!("{path} exists and is a symbolic link.\n"))?;
                }
                return Ok(());
            }
            if !self.options.has("-o") {
                return Err(refuse_use(process, "asks whether a file is to be replaced"));
            }
            if stat.is_directory() {
                return Err(refuse_use(process, "puts a file where a directory is"));
            }
            let removed = errno(process.machine.files.remove(&real))?;
            removed.map_err(|_| refuse_use(process, "cannot replace a file"))?;
        }
        let content = content(process, bytes, member)?;
        match member.mode.map(|mode| mode & TYPE) {
            Some(LINK) => self.put_link(process, &path, &real, content),
            Some(0 | 0o100_000) | None => self.put_file(process, member, &path, &real, content),
            Some(_) => Err(refuse_use(process, "unpacks a special file")),
        }
    }

    /// A member's name without what would lead out of the directory.
    fn safe_name(
        &mut self,
        process: &mut Process<'_, '_>,
        member: &Member,
    ) -> Result<Option<BString>, Stop> {
        let name = &member.name;
        if name.starts_with(b"/") {
            self.status = self.status.max(1);
            let message = format!("warning:  stripped absolute path spec from {name}\n");
            process.write_to(2, message.as_bytes())?;
        }
        let parts: Vec<&[u8]> = name.split(|byte| *byte == b'/').collect();
        if parts.contains(&&b".."[..]) {
            self.status = self.status.max(1);
            process.write(format!("warning:  skipped \"../\" path component(s) in {name}\n"))?;
        }
        let is_kept = |part: &&&[u8]| !matches!(**part, b"" | b"." | b"..");
        let parts: Vec<&[u8]> = parts.iter().filter(is_kept).copied().collect();
        if self.options.has("-j") {
            let is_directory = name.ends_with(b"/");
            return Ok(parts.last().filter(|_| !is_directory).map(|last| BString::from(*last)));
        }
        Ok((!parts.is_empty()).then(|| bstr::join("/", parts).into()))
    }

    fn make_directories(
        &self,
        process: &mut Process<'_, '_>,
        path: &[u8],
    ) -> Result<ImagePath, Stop> {
        let ends = path.find_iter("/").filter(|end| *end > 0).chain([path.len()]);
        let mut last = process.directory.clone();
        for end in ends {
            let located = errno(process.locate(&path[..end], Last::Followed))?;
            let made = match located {
                Ok(Located { path, stat: Some(stat) }) if stat.is_directory() => {
                    last = path;
                    continue;
                }
                Ok(Located { path, stat: None }) => {
                    last = path.clone();
                    let mode = 0o777 & !process.umask;
                    errno(process.machine.files.make(&path, NewNode::Directory, mode))?.is_ok()
                }
                _ => false,
            };
            if !made {
                return Err(refuse_use(process, "cannot make a directory of the archive"));
            }
        }
        Ok(last)
    }

    fn put_link(
        &mut self,
        process: &mut Process<'_, '_>,
        path: &BString,
        real: &ImagePath,
        target: Vec<u8>,
    ) -> Result<(), Stop> {
        let shown = BString::from(target.clone());
        let made = process.machine.files.make(real, NewNode::Symlink(target), 0o777);
        self.settled(process, made)?;
        if self.is_told {
            process.write(format!(
                "    linking: {path:<22}  -> {shown} \n",
                path = path.to_string()
            ))?;
        }
        self.links.push((path.clone(), shown));
        Ok(())
    }

    fn put_file(
        &self,
        process: &mut Process<'_, '_>,
        member: &Member,
        path: &BString,
        real: &ImagePath,
        content: Vec<u8>,
    ) -> Result<(), Stop> {
        let mode = mode(member, process.umask);
        let files = &mut process.machine.files;
        let made = files.make(real, NewNode::File(Data::of(content)), 0o600);
        let made = made.and_then(|()| files.set_time(real, member.mtime));
        let made = made.and_then(|()| files.set_mode(real, mode));
        self.settled(process, made)?;
        if self.is_told {
            let verb = match member.method {
                Method::Stored => " extracting",
                Method::Deflated => "  inflating",
            };
            process.write(format!("{verb}: {:<22}  \n", path.to_string()))?;
        }
        Ok(())
    }

    fn settled(&self, process: &Process<'_, '_>, made: FileResult<()>) -> Result<(), Stop> {
        errno(made)?.map_err(|error| refuse_use(process, format!("cannot unpack: {error}")))
    }

    fn finish(&mut self, process: &mut Process<'_, '_>) -> Result<(), Stop> {
        if self.is_told && !self.links.is_empty() {
            process.write("finishing deferred symbolic links:\n")?;
            for (path, target) in &self.links {
                process.write(format!("  {:<22} -> {target}\n", path.to_string()))?;
            }
        }
        for (path, mode, mtime) in std::mem::take(&mut self.directories).into_iter().rev() {
            let files = &mut process.machine.files;
            let set = files.set_time(&path, mtime).and_then(|()| files.set_mode(&path, mode));
            self.settled(process, set)?;
        }
        Ok(())
    }
}

/// The mode that a member's file gets, without set-id and sticky bits.
fn mode(member: &Member, umask: u32) -> u32 {
    let is_directory = member.name.ends_with(b"/");
    match member.mode {
        Some(mode) if mode & TYPE == 0 || is_directory == (mode & TYPE == DIRECTORY) => {
            mode & 0o777
        }
        _ if is_directory => 0o777 & !umask,
        _ => 0o666 & !umask,
    }
}
