//! Who is interested in which trigger: `triggers/File`, and `triggers/NAME` (deb-triggers(5)).

use bstr::{BStr, BString, ByteSlice};
use shell::process::errno;
use shell::{Data, Process, Stop};

use super::paths;
use super::session::{Done, Failure, Session};
use super::status::PackageId;

/// Files beside those of triggers.
const RESERVED: [&[u8]; 4] = [b"File", b"Lock", b"Unincorp", b""];

/// Whether a package that activates a trigger waits for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Awaiting {
    Yes,
    No,
}

/// Interests in paths, in the order of the file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct FileInterests {
    all: Vec<FileInterest>,
    is_changed: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct FileInterest {
    path: BString,
    /// As dpkg writes it: `name`, or `name:architecture` for what may be there several times.
    package: String,
    awaiting: Awaiting,
}

/// A directive of a package's file `triggers`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Directive {
    pub(super) kind: DirectiveKind,
    pub(super) awaiting: Awaiting,
    pub(super) trigger: BString,
}

/// What a package does with a trigger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DirectiveKind {
    Interest,
    Activate,
}

impl Awaiting {
    fn suffix(self) -> &'static str {
        match self {
            Awaiting::Yes => "",
            Awaiting::No => "/noawait",
        }
    }

    /// A package with what stands behind its slash.
    fn split(text: &str) -> (&str, Awaiting) {
        match text.split_once('/') {
            Some((package, "noawait")) => (package, Awaiting::No),
            Some((package, _)) => (package, Awaiting::Yes),
            None => (text, Awaiting::Yes),
        }
    }
}

impl FileInterests {
    pub(super) fn read(process: &mut Process<'_, '_>) -> Result<Self, Stop> {
        let mut interests = FileInterests::default();
        let Ok(bytes) = errno(process.open_bytes(paths::FILE_TRIGGERS))? else {
            return Ok(interests);
        };
        for line in bytes.lines() {
            if let Some((path, package)) = line.split_once_str(" ")
                && let Ok(package) = package.to_str()
            {
                let (package, awaiting) = Awaiting::split(package);
                let (path, package) = (path.into(), package.to_owned());
                interests.all.push(FileInterest { path, package, awaiting });
            }
        }
        Ok(interests)
    }

    /// All paths that are in it.
    pub(super) fn paths(&self) -> impl Iterator<Item = &BString> {
        self.all.iter().map(|one| &one.path)
    }

    /// Who is interested in exactly this path, the last one first, as dpkg has it.
    pub(super) fn of(&self, path: &BStr) -> Vec<(String, Awaiting)> {
        let own = self.all.iter().rev().filter(|one| one.path == path);
        own.map(|one| (one.package.clone(), one.awaiting)).collect()
    }

    fn add(&mut self, path: &BStr, package: &str, awaiting: Awaiting) {
        match self.all.iter_mut().find(|one| one.path == path && one.package == package) {
            Some(known) => known.awaiting = awaiting,
            None => {
                let (path, package) = (path.into(), package.to_owned());
                self.all.push(FileInterest { path, package, awaiting });
                self.is_changed = true;
            }
        }
    }

    fn remove(&mut self, path: &BStr, package: &str) {
        let before = self.all.len();
        self.all.retain(|one| one.path != path || one.package != package);
        self.is_changed |= self.all.len() < before;
    }

    fn text(&self) -> String {
        let line =
            |one: &FileInterest| format!("{} {}{}\n", one.path, one.package, one.awaiting.suffix());
        self.all.iter().map(line).collect()
    }
}

/// The directives of a package's file.
///
/// # Errors
/// dpkg's words for a line that is none.
pub(super) fn directives(bytes: &[u8]) -> Result<Vec<Directive>, String> {
    let mut directives = Vec::new();
    for line in bytes.lines().map(|line| line.trim()) {
        if line.is_empty() || line.starts_with(b"#") {
            continue;
        }
        let end = line.find_byteset(b" \t");
        let end = end.ok_or("triggers ci file contains unknown directive syntax")?;
        let (word, trigger) = (line[..end].as_bstr(), line[end..].trim().as_bstr());
        let (kind, awaiting) = match word.as_bytes() {
            b"interest" | b"interest-await" => (DirectiveKind::Interest, Awaiting::Yes),
            b"interest-noawait" => (DirectiveKind::Interest, Awaiting::No),
            b"activate" | b"activate-await" => (DirectiveKind::Activate, Awaiting::Yes),
            b"activate-noawait" => (DirectiveKind::Activate, Awaiting::No),
            _ => return Err(format!("triggers ci file contains unknown directive '{word}'")),
        };
        directives.push(Directive { kind, awaiting, trigger: trigger.into() });
    }
    Ok(directives)
}

/// Why a trigger has no legal name, if it has none (deb-triggers(5)).
pub fn illegal(name: &BStr) -> Option<&'static str> {
    if name.is_empty() {
        return Some("empty trigger names are not permitted");
    }
    let is_plain = |byte: &u8| (0x21..=0x7e).contains(byte);
    (!name.iter().all(is_plain)).then_some("trigger name contains invalid character")
}

impl Session<'_, '_, '_> {
    /// The directives in a package's file, or in that of the package to be.
    pub(super) fn directives_in(&mut self, path: &[u8]) -> Done<Vec<Directive>> {
        match self.bytes(path)? {
            Some(bytes) => directives(&bytes).map_err(Failure::Error),
            None => Ok(Vec::new()),
        }
    }

    /// Notes interests of a package that comes, under the name that it is to have.
    pub(super) fn add_interests(&mut self, directives: &[Directive], package: &str) -> Done {
        for directive in directives.iter().filter(|one| one.kind == DirectiveKind::Interest) {
            let trigger = directive.trigger.as_bstr();
            match trigger.starts_with(b"/") {
                true => self.interests.add(trigger, package, directive.awaiting),
                false => self.change_explicit(trigger, package, Some(directive.awaiting))?,
            }
        }
        Ok(())
    }

    /// Forgets interests of a package that goes.
    pub(super) fn remove_interests(&mut self, directives: &[Directive], package: &str) -> Done {
        for directive in directives.iter().filter(|one| one.kind == DirectiveKind::Interest) {
            let trigger = directive.trigger.as_bstr();
            match trigger.starts_with(b"/") {
                true => self.interests.remove(trigger, package),
                false => self.change_explicit(trigger, package, None)?,
            }
        }
        Ok(())
    }

    fn change_explicit(
        &mut self,
        trigger: &BStr,
        package: &str,
        awaiting: Option<Awaiting>,
    ) -> Done {
        let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"-+.".contains(byte);
        if !trigger.iter().all(is_name)
            || !trigger.first().is_some_and(u8::is_ascii_alphanumeric)
            || RESERVED.contains(&trigger.as_bytes())
        {
            let error = format!("invalid or unknown syntax in trigger name '{trigger}'");
            return Err(Failure::Error(error));
        }
        let mut lines: Vec<String> = Vec::new();
        for (other, awaiting) in self.interested(trigger)? {
            if other != package {
                lines.push(format!("{other}{}\n", awaiting.suffix()));
            }
        }
        lines.extend(awaiting.map(|awaiting| format!("{package}{}\n", awaiting.suffix())));
        let path = [paths::TRIGGERS, b"/", trigger].concat();
        match lines.is_empty() {
            true => self.unlink(&path),
            false => self.write_file(&path, Data::of(lines.concat()), 0o644),
        }
    }

    /// Who is interested in a trigger that is no path.
    pub(super) fn interested(&mut self, trigger: &BStr) -> Done<Vec<(String, Awaiting)>> {
        if trigger.contains(&b'/')
            || trigger.starts_with(b".")
            || RESERVED.contains(&trigger.as_bytes())
        {
            return Ok(Vec::new());
        }
        let Some(bytes) = self.bytes(&[paths::TRIGGERS, b"/", trigger].concat())? else {
            return Ok(Vec::new());
        };
        let lines = bytes.lines().filter_map(|line| line.to_str().ok());
        let interested = lines.filter(|line| !line.is_empty()).map(Awaiting::split);
        Ok(interested.map(|(package, awaiting)| (package.to_owned(), awaiting)).collect())
    }

    /// Writes `triggers/File`, if it is to be another.
    pub(super) fn save_interests(&mut self) -> Done {
        if !std::mem::take(&mut self.interests.is_changed) {
            return Ok(());
        }
        match self.interests.all.is_empty() {
            true => self.unlink(paths::FILE_TRIGGERS),
            false => {
                let text = self.interests.text();
                self.write_file(paths::FILE_TRIGGERS, Data::of(text), 0o644)
            }
        }
    }

    /// The package that a line of these files means.
    pub(super) fn named(&self, written: &str) -> Option<PackageId> {
        let (name, architecture) = match written.split_once(':') {
            Some((name, architecture)) => (name, Some(architecture)),
            None => (written, None),
        };
        let mut instances = self.instances(name);
        instances.retain(|id| architecture.is_none_or(|wanted| *id.architecture == *wanted));
        (instances.len() == 1).then(|| instances.remove(0))
    }
}
