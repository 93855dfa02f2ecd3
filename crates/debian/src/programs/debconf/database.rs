//! debconf's databases: files of items, one behind the other (debconf.conf(5), "File", "Stack").

use std::collections::{BTreeMap, BTreeSet};

use bstr::{BStr, BString, ByteSlice};
use shell::files::{FileError, FileResult, Last, Located, NewNode};
use shell::machine::Machine;
use shell::process::errno;
use shell::{Data, Process, Reason, Stop};

use super::record::{self, Record};
use super::settings::{Settings, Stanza};

/// Several files, of which the first that takes an item has it.
#[derive(Debug, Default)]
pub(super) struct Stack {
    files: Vec<DatabaseFile>,
}

/// One file.
#[derive(Debug)]
struct DatabaseFile {
    name: BString,
    path: BString,
    mode: u32,
    keeps: Keeps,
    /// Its failing is no error.
    is_optional: bool,
    accepted: Option<BString>,
    rejected: Option<BString>,
    records: BTreeMap<BString, Record>,
    is_changed: bool,
}

/// What becomes of the file that was there when another is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keeps {
    /// It is called `-old` from then on.
    Old,
    Nothing,
}

/// What a database is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Read,
    Write,
}

/// Files that are open: nobody else may open them then.
#[derive(Debug, Default)]
struct Locks(BTreeSet<BString>);

/// What is understood of a file's settings.
const KNOWN: [&str; 9] = [
    "name",
    "driver",
    "mode",
    "filename",
    "backup",
    "required",
    "accept_type",
    "reject_type",
    "format",
];

impl Stack {
    /// Opens the database of this name. The error is what is said of it; the program ends with 1.
    pub(super) fn open(
        process: &mut Process<'_, '_>,
        settings: &Settings,
        name: &BStr,
        access: Access,
    ) -> Result<Result<Stack, String>, Stop> {
        let mut stack = Stack::default();
        for stanza in files_of(process, settings, name)? {
            let file = DatabaseFile::of(process, stanza)?;
            match file.open(process, access)? {
                Ok(file) => stack.files.push(file),
                Err(message) => return Ok(Err(message)),
            }
        }
        Ok(Ok(stack))
    }

    /// Writes what has changed.
    pub(super) fn save(&mut self, machine: &mut Machine<'_>, umask: u32) -> Result<(), Stop> {
        for file in self.files.iter_mut().filter(|file| file.is_changed) {
            match file.save(machine, umask) {
                Ok(()) => file.is_changed = false,
                Err(FileError::Stop(stop)) => return Err(stop),
                Err(FileError::Errno(error)) => {
                    let why = format!("cannot write {}: {error}", file.path);
                    return Err(Stop::refuse("debconf", Reason::Use(why)));
                }
            }
        }
        Ok(())
    }

    /// Lets others open the files.
    pub(super) fn close(&self, machine: &mut Machine<'_>) {
        let locks = machine.memory::<Locks>();
        for file in &self.files {
            locks.0.remove(&file.path);
        }
    }

    /// The names of all items, in order.
    pub(super) fn names(&self) -> BTreeSet<BString> {
        self.files.iter().flat_map(|file| file.records.keys().cloned()).collect()
    }

    pub(super) fn has(&self, name: &BStr) -> bool {
        self.record(name).is_some()
    }

    pub(super) fn record(&self, name: &BStr) -> Option<&Record> {
        self.files.iter().find_map(|file| file.records.get(name))
    }

    pub(super) fn field(&self, name: &BStr, field: &str) -> Option<&BStr> {
        self.record(name)?.fields.get(BStr::new(field)).map(|value| value.as_bstr())
    }

    /// The value of a flag; `false` if it is not set.
    pub(super) fn flag(&self, name: &BStr, flag: &BStr) -> BString {
        let value = self.record(name).and_then(|record| record.flags.get(flag));
        value.cloned().unwrap_or_else(|| "false".into())
    }

    /// The item, to be changed.
    pub(super) fn change(&mut self, name: &BStr) -> Option<&mut Record> {
        let file = self.files.iter_mut().find(|file| file.records.contains_key(name))?;
        file.is_changed = true;
        file.records.get_mut(name)
    }

    /// Makes an item for an owner, or adds the owner to it; `false` if no file takes items of this
    /// type.
    #[must_use]
    pub(super) fn add_owner(&mut self, name: &BStr, owner: &BStr, kind: &BStr) -> bool {
        let has = |file: &&mut DatabaseFile| file.records.contains_key(name);
        let known = self.files.iter_mut().find(has);
        let file = match known {
            Some(file) => file,
            None => match self.files.iter_mut().find(|file| file.takes(kind)) {
                Some(file) => file,
                None => return false,
            },
        };
        let record = file.records.entry(name.into()).or_default();
        file.is_changed |= record.owners.insert(owner.into());
        true
    }

    /// Takes an owner away, and with the last one the item.
    pub(super) fn remove_owner(&mut self, name: &BStr, owner: &BStr) {
        let has = |file: &&mut DatabaseFile| file.records.contains_key(name);
        let Some(file) = self.files.iter_mut().find(has) else { return };
        let Some(record) = file.records.get_mut(name) else { return };
        file.is_changed |= record.owners.remove(owner);
        if record.owners.is_empty() {
            file.records.remove(name);
            file.is_changed = true;
        }
    }
}

/// The files that a database of this name is made of.
fn files_of<'a>(
    process: &Process<'_, '_>,
    settings: &'a Settings,
    name: &BStr,
) -> Result<Vec<&'a Stanza>, Stop> {
    let refuse = |why: String| process.refuse(Reason::Use(why));
    let named = |name: &BStr| {
        let mut all = settings.databases.iter();
        let found = all.find(|stanza| value(stanza, "name") == Some(name));
        found.ok_or_else(|| refuse(format!("knows no database {name}")))
    };
    let stanza = named(name)?;
    if value(stanza, "driver").is_none_or(|driver| driver != "Stack") {
        return Ok(vec![stanza]);
    }
    let names = value(stanza, "stack").unwrap_or_default();
    names.split_str(",").map(|name| named(name.trim().as_bstr())).collect()
}

fn value<'a>(stanza: &'a Stanza, key: &str) -> Option<&'a BStr> {
    stanza.get(BStr::new(key)).map(|value| value.as_bstr())
}

impl DatabaseFile {
    fn of(process: &Process<'_, '_>, stanza: &Stanza) -> Result<Self, Stop> {
        let refuse = |why: String| Err(process.refuse(Reason::Use(why)));
        let text = |key| value(stanza, key).unwrap_or_default();
        let (name, driver) = (text("name"), text("driver"));
        if driver != "File" || !["", "822"].iter().any(|known| text("format") == *known) {
            return refuse(format!("has a database of the kind {driver}, which is not built in"));
        }
        if let Some(key) = stanza.keys().find(|key| !KNOWN.iter().any(|known| *known == **key)) {
            return refuse(format!("has a database with the setting {key}, which is not built in"));
        }
        let pattern = |key| match value(stanza, key) {
            Some(pattern) if !pattern.iter().all(u8::is_ascii_alphabetic) => {
                let why = format!("has the pattern {pattern} for types, which is not built in");
                Err(process.refuse(Reason::Use(why)))
            }
            pattern => Ok(pattern.map(|pattern| pattern.to_ascii_lowercase().into())),
        };
        let mode = match value(stanza, "mode") {
            None => 0o600,
            Some(mode) => match mode.to_str().ok().map(|mode| u32::from_str_radix(mode, 8)) {
                Some(Ok(mode)) if mode <= 0o7777 => mode,
                _ => return refuse(format!("has a database with the mode {mode}")),
            },
        };
        let is = |key, word: &[u8]| text(key).eq_ignore_ascii_case(word);
        Ok(DatabaseFile {
            name: name.into(),
            path: text("filename").into(),
            mode,
            keeps: if is("backup", b"false") { Keeps::Nothing } else { Keeps::Old },
            is_optional: is("required", b"false"),
            accepted: pattern("accept_type")?,
            rejected: pattern("reject_type")?,
            records: BTreeMap::new(),
            is_changed: false,
        })
    }

    /// Reads the file, which is made if it is not there.
    fn open(
        mut self,
        process: &mut Process<'_, '_>,
        access: Access,
    ) -> Result<Result<Self, String>, Stop> {
        let located = match errno(self.locate(process))? {
            Ok(located) => located,
            Err(error) => return Ok(Err(self.message(&format!("mkdir {}:{error}", self.path)))),
        };
        if located.stat.is_none() {
            self.keeps = Keeps::Nothing;
            let (node, mode) = (NewNode::File(Data::empty()), self.mode & !process.umask);
            if errno(process.machine.files.make(&located.path, node, mode))?.is_err() {
                return Ok(Err(self.message(&format!("could not open {}", self.path))));
            }
        }
        self.path = format!("/{}", located.path).into();
        if access == Access::Write && !process.machine.memory::<Locks>().0.insert(self.path.clone())
        {
            let why = "is locked by another process: Resource temporarily unavailable";
            let message = self.message(&format!("{} {why}", self.path));
            if !self.is_optional {
                return Ok(Err(message));
            }
            process.write_to(2, format!("{message}\n").as_bytes())?;
        }
        match errno(process.open_bytes(&self.path.clone()))? {
            Ok(text) => self.records = record::read_all(&text),
            Err(error) => {
                let message = self.message(&format!("could not open {}: {error}", self.path));
                return Ok(Err(message));
            }
        }
        Ok(Ok(self))
    }

    /// Where the file is; its directory is made if it is not there.
    fn locate(&self, process: &mut Process<'_, '_>) -> FileResult<Located> {
        if let Some((above, _)) =
            self.path.rsplit_once_str("/").filter(|(above, _)| !above.is_empty())
        {
            let above = process.locate(above, Last::Followed)?;
            if above.stat.is_none() {
                let mode = 0o777 & !process.umask;
                process.machine.files.make(&above.path, NewNode::Directory, mode)?;
            }
        }
        process.locate(&self.path, Last::Followed)
    }

    fn message(&self, what: &str) -> String {
        let warning = if self.is_optional { " warning" } else { "" };
        format!("debconf: DbDriver \"{}\"{warning}: {what}", self.name)
    }

    fn save(&self, machine: &mut Machine<'_>, umask: u32) -> Result<(), FileError> {
        let mut text = Vec::new();
        for (name, record) in &self.records {
            record::write(name.as_bstr(), record, &mut text);
        }
        machine.budget.hold(text.len())?;
        let path = oci::ImagePath::lexical(&self.path[..]);
        if machine.files.stat(&path)?.is_some() {
            if self.keeps == Keeps::Old {
                let old = oci::ImagePath::lexical(&[&self.path[..], b"-old"].concat()[..]);
                machine.files.rename(&path, &old)?;
            } else {
                machine.files.remove(&path)?;
            }
        }
        machine.files.make(&path, NewNode::File(Data::of(text)), self.mode & !umask)
    }

    fn takes(&self, kind: &BStr) -> bool {
        let matches = |pattern: &BString| kind.to_ascii_lowercase().contains_str(pattern);
        kind.is_empty()
            || self.accepted.as_ref().is_none_or(matches)
                && !self.rejected.as_ref().is_some_and(matches)
    }
}
