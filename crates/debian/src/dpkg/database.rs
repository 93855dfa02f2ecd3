//! dpkg's database as it is now: `status`, and what its journal in `updates/` says since.

use std::sync::Arc;

use bstr::{BString, ByteSlice};
use shell::files::{FileError, Last, Stat};
use shell::process::errno;
use shell::{Data, Process, Reason, Stop};

use super::architecture::Architectures;
use super::format::is_multi_arch_same;
use super::paths;
use super::status::{Package, PackageId, Status};

/// What dpkg knows.
#[derive(Debug, Clone)]
pub struct Database {
    /// All packages.
    pub status: Arc<Status>,
    /// Architectures.
    pub architectures: Architectures,
}

/// The database that was read last, so that scripts may ask often.
#[derive(Default)]
struct Memory {
    status: Option<(Data, Arc<Status>)>,
    whole: Option<(Vec<Data>, Arc<Status>)>,
}

impl Database {
    /// Reads it. It is parsed only if its files are others than the last time.
    ///
    /// # Errors
    /// A refusal, if `status` is not as dpkg writes it.
    pub fn read(process: &mut Process<'_, '_>) -> Result<Database, Stop> {
        let architectures = Architectures::read(process)?;
        let mut files = Vec::new();
        if let Some(status) = file(process, paths::STATUS)? {
            files.push(status);
        }
        let has_status = !files.is_empty();
        files.extend(updates(process)?.into_iter().map(|(_, data)| data));
        if let Some((known, status)) = &process.machine.memory::<Memory>().whole
            && *known == files
        {
            let status = Arc::clone(status);
            return Ok(Database { status, architectures });
        }
        let (status, updates) = match has_status {
            true => (read_status(process, &files[0])?, &files[1..]),
            false => (Arc::default(), &files[..]),
        };
        let status = with_updates(process, status, updates)?;
        process.machine.memory::<Memory>().whole = Some((files, Arc::clone(&status)));
        Ok(Database { status, architectures })
    }

    /// Whether there is one.
    pub fn is_there(process: &mut Process<'_, '_>) -> Result<bool, Stop> {
        Ok(file(process, paths::STATUS)?.is_some())
    }

    /// The package that a name, or `name:architecture`, stands for: of several, none.
    pub fn find(&self, name: &str) -> Option<&PackageId> {
        let (name, architecture) = match name.split_once(':') {
            Some((name, architecture)) => (name, Some(architecture)),
            None => (name, None),
        };
        let mut found = self.status.named(name).filter(|(id, _)| {
            architecture.is_none_or(|wanted| {
                *id.architecture == *wanted
                    || (&*id.architecture == "all" && wanted == self.architectures.native)
            })
        });
        match (found.next(), found.next()) {
            (Some((id, _)), None) => Some(id),
            _ => None,
        }
    }

    /// A package's name as dpkg shows it: with its architecture where that is needed.
    pub fn shown(&self, package: &Package) -> String {
        shown(&package.id(), is_multi_arch_same(&package.stanza), &self.architectures)
    }
}

/// A package's name, with the architecture if several may be there or it is a foreign one.
pub(super) fn shown(id: &PackageId, is_same: bool, known: &Architectures) -> String {
    match !id.architecture.is_empty() && (is_same || !known.is_native(&id.architecture)) {
        true => id.to_string(),
        false => id.name.to_string(),
    }
}

/// The path of a package's control file: `/var/lib/dpkg/info/libc6:amd64.list`.
pub fn info_path(package: &Package, kind: &str) -> BString {
    let id = package.id();
    let name = match is_multi_arch_same(&package.stanza) && !id.architecture.is_empty() {
        true => id.to_string(),
        false => id.name.to_string(),
    };
    BString::from([paths::INFO, format!("/{name}.{kind}").as_bytes()].concat())
}

/// The paths that `NAME.list` has, in its order.
pub fn listed(bytes: &[u8]) -> Vec<BString> {
    let slashless = |line: &[u8]| match line.strip_suffix(b"/") {
        Some(b"") | None => BString::from(line),
        Some(rest) => BString::from(rest),
    };
    bytes.lines().filter(|line| !line.is_empty()).map(slashless).collect()
}

/// The bytes of a regular file, unread; `None` if there is none.
pub(super) fn file(process: &Process<'_, '_>, path: &[u8]) -> Result<Option<Data>, Stop> {
    Ok(stat(process, path)?.and_then(|stat| stat.data().cloned()))
}

/// What stands at a path, all links followed.
pub(super) fn stat(process: &Process<'_, '_>, path: &[u8]) -> Result<Option<Stat>, Stop> {
    match process.locate(path, Last::Followed) {
        Ok(located) => Ok(located.stat),
        Err(FileError::Errno(_)) => Ok(None),
        Err(FileError::Stop(stop)) => Err(stop),
    }
}

/// The files of the journal, in order: they are named by number.
fn updates(process: &Process<'_, '_>) -> Result<Vec<(BString, Data)>, Stop> {
    let Ok((directory, _)) = errno(process.find(paths::UPDATES, Last::Followed))? else {
        return Ok(Vec::new());
    };
    let Ok(children) = errno(process.machine.files.read_dir(&directory))? else {
        return Ok(Vec::new());
    };
    let is_number = |name: &BString| name.iter().all(u8::is_ascii_digit);
    let files = children.into_iter().filter(|(name, _)| is_number(name));
    Ok(files.filter_map(|(name, stat)| Some((name, stat.data()?.clone()))).collect())
}

fn read_status(process: &mut Process<'_, '_>, data: &Data) -> Result<Arc<Status>, Stop> {
    if let Some((known, status)) = &process.machine.memory::<Memory>().status
        && known == data
    {
        return Ok(Arc::clone(status));
    }
    let bytes = process.bytes(data)?;
    let status = Arc::new(parse(process, &bytes)?);
    process.machine.memory::<Memory>().status = Some((data.clone(), Arc::clone(&status)));
    Ok(status)
}

fn parse(process: &Process<'_, '_>, bytes: &[u8]) -> Result<Status, Stop> {
    Status::parse(bytes).map_err(|error| {
        let why = format!("cannot read dpkg's database: {error}");
        process.refuse(Reason::Use(why))
    })
}

fn with_updates(
    process: &mut Process<'_, '_>,
    mut status: Arc<Status>,
    updates: &[Data],
) -> Result<Arc<Status>, Stop> {
    for data in updates {
        let bytes = process.bytes(data)?;
        let update = parse(process, &bytes)?;
        for (_, package) in update.packages() {
            put(Arc::make_mut(&mut status), package.clone());
        }
    }
    Ok(status)
}

/// Puts a package where dpkg has it: in the place of the one of that name, unless both may be there.
pub(super) fn put(status: &mut Status, package: Package) {
    let id = package.id();
    if !is_multi_arch_same(&package.stanza) {
        let others: Vec<PackageId> = status
            .named(&id.name)
            .filter(|(other, known)| **other != id && !is_multi_arch_same(&known.stanza))
            .map(|(other, _)| other.clone())
            .collect();
        others.iter().for_each(|other| status.remove(other));
    }
    status.insert(package);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::Image;

    #[test]
    fn the_journal_counts_above_the_status() {
        let mut image = Image::new();
        let status = "Package: a\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n\n\
            Package: b\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n";
        image.file("var/lib/dpkg/status", status, 0o644);
        let update = |version: &str| {
            format!(
                "Package: a\nStatus: install ok unpacked\nArchitecture: all\nVersion: {version}\n"
            )
        };
        image.file("var/lib/dpkg/updates/0000", update("2"), 0o644);
        image.file("var/lib/dpkg/updates/0001", update("3"), 0o644);
        image.file("var/lib/dpkg/updates/tmp.i", "#padding\n", 0o644);
        let shown = image.with_process(|process| {
            let database = Database::read(process).unwrap();
            let again = Database::read(process).unwrap();
            assert!(Arc::ptr_eq(&database.status, &again.status));
            let shown: Vec<String> = database
                .status
                .packages()
                .map(|(id, package)| format!("{id} {}", package.version()))
                .collect();
            shown
        });
        assert_eq!(shown, ["a:all 3", "b:amd64 1"]);
    }
}
