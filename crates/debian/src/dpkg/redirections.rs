//! Files that are elsewhere, or otherwise, than packages say: `diversions` and `statoverride`.

use std::collections::HashMap;

use bstr::{BStr, BString, ByteSlice};
use shell::process::errno;
use shell::{Process, Reason, Stop};

use super::paths;

/// Diversions (dpkg-divert(1)).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Diversions {
    by_path: HashMap<BString, Diversion>,
    by_target: HashMap<BString, BString>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Diversion {
    target: BString,
    /// Whose file stays where it is; none for a local diversion.
    package: Option<Box<str>>,
}

/// Owners and modes that somebody set (dpkg-statoverride(1)).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Overrides(HashMap<BString, Override>);

/// An owner and a mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Override {
    /// User id.
    pub(super) uid: u32,
    /// Group id.
    pub(super) gid: u32,
    /// Permission and set-id bits.
    pub(super) mode: u32,
}

/// The image's users or groups by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Accounts {
    users: HashMap<BString, u32>,
    groups: HashMap<BString, u32>,
}

impl Diversions {
    /// Those of the image.
    ///
    /// # Errors
    /// A refusal of a file that is not as dpkg writes it.
    pub(super) fn read(process: &mut Process<'_, '_>) -> Result<Diversions, Stop> {
        let mut diversions = Diversions::default();
        let Ok(bytes) = errno(process.open_bytes(paths::DIVERSIONS))? else {
            return Ok(diversions);
        };
        let lines: Vec<&[u8]> = bytes.lines().collect();
        let (triples, rest) = lines.as_chunks::<3>();
        if !rest.is_empty() {
            let why = "reads diversions of which the last is not whole".to_owned();
            return Err(process.refuse(Reason::Use(why)));
        }
        for [path, target, package] in triples {
            let package = (*package != b":").then(|| package.to_str_lossy().into());
            let target = BString::from(*target);
            diversions.by_target.insert(target.clone(), BString::from(*path));
            diversions.by_path.insert(BString::from(*path), Diversion { target, package });
        }
        Ok(diversions)
    }

    /// Where a package's file is.
    pub(super) fn place<'a>(&'a self, path: &'a BStr, package: &str) -> &'a BStr {
        match self.by_path.get(path) {
            Some(diversion) if diversion.package.as_deref() != Some(package) => {
                diversion.target.as_bstr()
            }
            _ => path,
        }
    }

    /// Whether a path is diverted, and in favour of which package.
    pub(super) fn of(&self, path: &BStr) -> Option<Option<&str>> {
        self.by_path.get(path).map(|diversion| diversion.package.as_deref())
    }

    /// The path whose diverted file stands at this one, and in favour of which package.
    pub(super) fn diverted_to(&self, path: &BStr) -> Option<(&BStr, Option<&str>)> {
        let from = self.by_target.get(path)?.as_bstr();
        Some((from, self.of(from)?))
    }

    /// All paths that are in it.
    pub(super) fn paths(&self) -> impl Iterator<Item = &BString> {
        self.by_path.keys().chain(self.by_target.keys())
    }
}

impl Overrides {
    /// Those of the image.
    ///
    /// # Errors
    /// A refusal of a file that is not as dpkg writes it, or that names nobody of the image.
    pub(super) fn read(
        process: &mut Process<'_, '_>,
        accounts: &Accounts,
    ) -> Result<Overrides, Stop> {
        let mut overrides = Overrides::default();
        let Ok(bytes) = errno(process.open_bytes(paths::OVERRIDES))? else { return Ok(overrides) };
        for line in bytes.lines() {
            let read = overridden(line, accounts).ok_or_else(|| {
                let why = format!("reads the override `{}`", line.as_bstr());
                process.refuse(Reason::Use(why))
            })?;
            overrides.0.insert(read.0, read.1);
        }
        Ok(overrides)
    }

    /// What was set for a path.
    pub(super) fn of(&self, path: &BStr) -> Option<Override> {
        self.0.get(path).copied()
    }

    /// All paths that are in it.
    pub(super) fn paths(&self) -> impl Iterator<Item = &BString> {
        self.0.keys()
    }
}

fn overridden(line: &[u8], accounts: &Accounts) -> Option<(BString, Override)> {
    let mut fields = line.splitn(4, |byte| *byte == b' ');
    let (user, group) = (fields.next()?, fields.next()?);
    let mode = u32::from_str_radix(fields.next()?.to_str().ok()?, 8).ok()?;
    let numbered = |name: &[u8]| name.strip_prefix(b"#")?.to_str().ok()?.parse().ok();
    let uid = numbered(user).or_else(|| accounts.users.get(user.as_bstr()).copied())?;
    let gid = numbered(group).or_else(|| accounts.groups.get(group.as_bstr()).copied())?;
    Some((fields.next()?.into(), Override { uid, gid, mode }))
}

impl Accounts {
    /// Those of the image.
    pub(super) fn read(process: &mut Process<'_, '_>) -> Result<Accounts, Stop> {
        let users = numbers(process, b"/etc/passwd")?;
        let groups = numbers(process, b"/etc/group")?;
        Ok(Accounts { users, groups })
    }

    /// The user of a name; the number that the archive has, where the image has no such name.
    pub(super) fn user(&self, name: &BStr, number: u32) -> u32 {
        self.users.get(name).copied().unwrap_or(number)
    }

    /// The same for a group.
    pub(super) fn group(&self, name: &BStr, number: u32) -> u32 {
        self.groups.get(name).copied().unwrap_or(number)
    }
}

/// Names and the third fields of a table (passwd(5), group(5)); the first line of a name counts.
fn numbers(process: &mut Process<'_, '_>, path: &[u8]) -> Result<HashMap<BString, u32>, Stop> {
    let mut numbers = HashMap::new();
    let Ok(bytes) = errno(process.open_bytes(path))? else { return Ok(numbers) };
    for line in bytes.lines() {
        let mut fields = line.split(|byte| *byte == b':');
        let (name, number) = (fields.next(), fields.nth(1));
        let number = number.and_then(|number| number.to_str().ok()?.parse().ok());
        if let (Some(name), Some(number)) = (name, number) {
            numbers.entry(BString::from(name)).or_insert(number);
        }
    }
    Ok(numbers)
}
