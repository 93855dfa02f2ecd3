//! The files of users and groups: passwd(5), group(5), shadow(5), gshadow(5), subuid(5).
//!
//! They are read and written as shadow's `lib/commonio.c` does: lines that do not change stay as
//! they are, the old file is kept under its name with a `-`, and the new one takes its place.

use bstr::{BStr, BString, ByteSlice};
use layer::Attributes;
use oci::ImagePath;

use super::refused;
use crate::data::Data;
use crate::files::{Errno, FileError, Last, NewNode};
use crate::process::{Process, errno};
use crate::stop::Stop;

/// Which file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum File {
    Passwd,
    Group,
    Shadow,
    Gshadow,
    Subuid,
    Subgid,
}

impl File {
    pub(super) fn path(self) -> &'static str {
        match self {
            File::Passwd => "/etc/passwd",
            File::Group => "/etc/group",
            File::Shadow => "/etc/shadow",
            File::Gshadow => "/etc/gshadow",
            File::Subuid => "/etc/subuid",
            File::Subgid => "/etc/subgid",
        }
    }

    /// How many fields a line has that counts.
    fn fields(self) -> usize {
        match self {
            File::Passwd => 7,
            File::Group | File::Gshadow => 4,
            File::Shadow => 9,
            File::Subuid | File::Subgid => 3,
        }
    }
}

/// What a file holds.
#[derive(Debug)]
pub(super) struct Database {
    file: File,
    path: ImagePath,
    attributes: Attributes,
    /// What is kept as a backup; of a new file there is none.
    before: Option<Data>,
    lines: Vec<BString>,
    is_changed: bool,
}

/// One line's fields.
pub(super) type Record = Vec<BString>;

impl Database {
    /// Reads a file; `None` if it is not there.
    pub(super) fn read(process: &mut Process<'_, '_>, file: File) -> Result<Option<Self>, Stop> {
        let found = errno(process.find(file.path().as_bytes(), Last::Followed))?;
        let Ok((path, stat)) = found else { return Ok(None) };
        let Ok(before) = errno(process.machine.files.data(&path))? else { return Ok(None) };
        let bytes = process.bytes(&before)?;
        let lines: Vec<BString> = bytes.lines().map(BString::from).collect();
        let attributes = stat.attributes;
        Ok(Some(Database {
            file,
            path,
            attributes,
            before: Some(before),
            lines,
            is_changed: false,
        }))
    }

    /// Reads a file that is to be changed.
    pub(super) fn open(process: &mut Process<'_, '_>, file: File) -> Result<Option<Self>, Stop> {
        let database = Database::read(process, file)?;
        let is_elsewhere = |line: &BString| line.starts_with(b"+") || line.starts_with(b"-");
        match database {
            Some(database) if database.lines.iter().any(is_elsewhere) => {
                Err(refused(process, format!("finds entries of NIS in {}", file.path())))
            }
            database => Ok(database),
        }
    }

    /// The same for a file without which nothing can be done.
    pub(super) fn required(process: &mut Process<'_, '_>, file: File) -> Result<Self, Stop> {
        match Database::open(process, file)? {
            Some(database) => Ok(database),
            None => Err(refused(process, format!("finds no {}", file.path()))),
        }
    }

    /// The same, and an empty one if it is not there: such files belong to Debian's group `shadow`.
    pub(super) fn open_or_new(process: &mut Process<'_, '_>, file: File) -> Result<Self, Stop> {
        if let Some(database) = Database::open(process, file)? {
            return Ok(database);
        }
        let group = Database::read(process, File::Group)?;
        let group = group.and_then(|groups| groups.find(b"shadow".as_bstr()));
        let gid = group.and_then(|fields| fields[2].to_str().ok()?.parse().ok()).unwrap_or(0);
        let attributes = Attributes { gid, ..Attributes::root(0o440, 0) };
        let path = ImagePath::lexical(file.path());
        Ok(Database { file, path, attributes, before: None, lines: Vec::new(), is_changed: false })
    }

    /// How many lines there are, whatever is in them.
    pub(super) fn line_count(&self) -> usize {
        self.lines.len()
    }

    /// The lines that count, with their fields.
    pub(super) fn records(&self) -> impl Iterator<Item = (usize, Record)> + '_ {
        let wanted = self.file.fields();
        let split = |line: &BString| line.split_str(":").map(BString::from).collect::<Record>();
        let all = self.lines.iter().enumerate().map(move |(at, line)| (at, split(line)));
        all.filter(move |(_, fields)| fields.len() == wanted)
    }

    /// The line whose first field this is.
    pub(super) fn find(&self, name: &BStr) -> Option<Record> {
        self.records().find(|(_, fields)| fields[0] == name).map(|(_, fields)| fields)
    }

    /// Adds a line at the end.
    pub(super) fn add(&mut self, fields: &[BString]) {
        self.lines.push(joined(fields));
        self.is_changed = true;
    }

    /// Puts another line in the place of the first of this name; at the end, if it is for another
    /// name.
    pub(super) fn replace(&mut self, name: &BStr, fields: &[BString]) {
        if fields.first().is_none_or(|new| new != name) {
            self.remove(name);
            return self.add(fields);
        }
        let found = self.records().find(|(_, fields)| fields[0] == name);
        if let Some((at, _)) = found {
            self.lines[at] = joined(fields);
            self.is_changed = true;
        }
    }

    /// Takes away each line of this name.
    pub(super) fn remove(&mut self, name: &BStr) {
        let gone: Vec<usize> =
            self.records().filter(|(_, fields)| fields[0] == name).map(|(at, _)| at).collect();
        for at in gone.into_iter().rev() {
            self.lines.remove(at);
            self.is_changed = true;
        }
    }

    /// Changes the fields of each line for which `change` says that it did.
    pub(super) fn change(&mut self, mut change: impl FnMut(&mut Record) -> bool) {
        let records: Vec<(usize, Record)> = self.records().collect();
        for (at, mut fields) in records {
            if change(&mut fields) {
                self.lines[at] = joined(&fields);
                self.is_changed = true;
            }
        }
    }

    /// Writes the file and its backup, if something has changed.
    pub(super) fn save(self, process: &mut Process<'_, '_>) -> Result<(), Stop> {
        if !self.is_changed {
            return Ok(());
        }
        let mut bytes = Vec::new();
        for line in &self.lines {
            bytes.extend_from_slice(line);
            bytes.push(b'\n');
        }
        // `fopen_set_perms` takes these bits over, and a backup its file's times.
        let old = Attributes { mode: self.attributes.mode & 0o664, ..self.attributes };
        let new = Attributes { mtime: process.machine.files.clock(), ..old.clone() };
        let backup = ImagePath::lexical([self.path.as_bytes(), b"-"].concat());
        if let Some(before) = self.before {
            put(process, &backup, old, before)?;
        }
        put(process, &self.path, new, Data::of(bytes))
    }
}

fn joined(fields: &[BString]) -> BString {
    bstr::join(":", fields).into()
}

fn put(
    process: &mut Process<'_, '_>,
    path: &ImagePath,
    attributes: Attributes,
    data: Data,
) -> Result<(), Stop> {
    match process.machine.files.put_whole(path, attributes, NewNode::File(data)) {
        Ok(()) => Ok(()),
        Err(FileError::Stop(stop)) => Err(stop),
        Err(FileError::Errno(errno)) => {
            Err(refused(process, format!("cannot write /{path}: {errno}")))
        }
    }
}

/// The file that lckpwdf(3) leaves behind.
pub(super) fn lock(process: &mut Process<'_, '_>) -> Result<(), Stop> {
    leave_file(process, b"/etc/.pwd.lock", 0o600)
}

/// Makes an empty file if there is none.
pub(super) fn leave_file(
    process: &mut Process<'_, '_>,
    path: &[u8],
    mode: u32,
) -> Result<(), Stop> {
    let made = match process.locate(path, Last::Followed) {
        Ok(located) if located.stat.is_some() => Ok(()),
        Ok(located) => {
            let node = NewNode::File(Data::empty());
            process.machine.files.make(&located.path, node, mode)
        }
        Err(error) => Err(error),
    };
    match errno(made)? {
        Ok(()) | Err(Errno::Exists) => Ok(()),
        Err(errno) => {
            let path = path.as_bstr();
            Err(refused(process, format!("cannot make {path}: {errno}")))
        }
    }
}

/// A list of names, as the last field of group(5) has it.
pub(super) fn members(field: &BStr) -> Vec<BString> {
    field.split_str(",").filter(|name| !name.is_empty()).map(BString::from).collect()
}

/// The same the other way.
pub(super) fn member_list(names: &[BString]) -> BString {
    bstr::join(",", names).into()
}

/// With this name at the end, unless it is there.
pub(super) fn with_member(field: &BStr, name: &BStr) -> BString {
    let mut names = members(field);
    if !names.iter().any(|known| known == name) {
        names.push(name.into());
    }
    member_list(&names)
}

/// Without this name.
pub(super) fn without_member(field: &BStr, name: &BStr) -> BString {
    let names: Vec<BString> = members(field).into_iter().filter(|known| known != name).collect();
    member_list(&names)
}
