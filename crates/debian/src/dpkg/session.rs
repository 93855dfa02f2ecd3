//! One run of dpkg, from the database's opening to its closing.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use bstr::{BStr, BString, ByteSlice};
use layer::Attributes;
use oci::ImagePath;
use shell::files::{Errno, FileError, Files, Last, Located, NewNode, Stat};
use shell::process::errno;
use shell::{Data, Process, Stop};

use super::architecture::Architectures;
use super::database::{self, Database};
use super::dependencies::Relations;
use super::engine::{Options, SkippedScript};
use super::expected::expect_files;
use super::format;
use super::interests::FileInterests;
use super::ownership::Ownership;
use super::paths;
use super::redirections::{Accounts, Diversions, Overrides};
use super::settings::{Force, Settings};
use super::status::{Package, PackageId, State, Status};
use crate::control::Stanza;
use crate::outside::Outside;

/// Why something did not come about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// The evaluation ends.
    Stop(Stop),
    /// dpkg says so, and goes on with the next package.
    Error(String),
    /// The same, and it was said already.
    Said,
}

/// What a step of dpkg gives.
pub(super) type Done<T = ()> = Result<T, Failure>;

/// What dpkg was called for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Unpack,
    Install,
    Configure,
    Triggers,
    Remove,
    Purge,
}

/// What is to become of a package in this run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Fate {
    #[default]
    Normal,
    Removed,
    Installed,
    Deconfigured,
}

/// What a run notes of a package.
#[derive(Debug, Clone, Default)]
pub(super) struct Note {
    pub(super) fate: Fate,
    pub(super) is_queued: bool,
    pub(super) times_named: u32,
    /// What was said of files that two packages have.
    pub(super) replacing: Replacing,
}

/// Whose files give way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Replacing {
    #[default]
    Unsaid,
    /// Those of the package that was there.
    Old,
    /// Those of the package that comes.
    New,
}

/// A run.
pub(super) struct Session<'s, 'm, 'o: 'm> {
    pub(super) process: &'s mut Process<'m, 'o>,
    pub(super) outside: &'s dyn Outside,
    pub(super) options: Options,
    pub(super) settings: Settings,
    pub(super) action: Action,
    /// Whether it is about all packages that are not done.
    pub(super) is_pending: bool,
    pub(super) known: Architectures,
    pub(super) status: Status,
    pub(super) relations: Relations,
    pub(super) ownership: Ownership,
    pub(super) diversions: Diversions,
    pub(super) overrides: Overrides,
    pub(super) interests: FileInterests,
    /// The names of files in `info`.
    pub(super) info: BTreeSet<BString>,
    pub(super) notes: HashMap<PackageId, Note>,
    pub(super) queue: VecDeque<PackageId>,
    /// Packages with triggers to run in the end.
    pub(super) deferred: VecDeque<PackageId>,
    pub(super) attempts: super::queue::Attempts,
    pub(super) cycles: super::cycles::Broken,
    pub(super) trigger_cycle: super::triggers::Cycle,
    /// What is being unpacked, and its version.
    pub(super) coming: Option<(PackageId, crate::Version)>,
    /// Names for the last lines of a run that failed.
    pub(super) failed: Vec<String>,
    pub(super) skipped: Vec<SkippedScript>,
    updates: usize,
    has_said_reading: bool,
}

/// So many changes are in the journal at most before `status` is written.
const MOST_UPDATES: usize = 250;

impl<'s, 'm, 'o: 'm> Session<'s, 'm, 'o> {
    /// Opens the database.
    pub(super) fn open(
        process: &'s mut Process<'m, 'o>,
        outside: &'s dyn Outside,
        options: Options,
        action: Action,
    ) -> Done<Self> {
        expect_files(process)?;
        let mut settings = Settings::read(process)?;
        settings.forced.extend(options.forced.iter().copied());
        settings.forced.retain(|force| !options.refused.contains(force));
        let Database { status, architectures } = Database::read(process)?;
        let mut status = (*status).clone();
        super::triggers::read_reversed(&mut status);
        let mut session = Session {
            relations: Relations::of_all(&status),
            ownership: Ownership::default(),
            diversions: Diversions::read(process)?,
            overrides: Overrides::default(),
            interests: FileInterests::read(process)?,
            info: info_names(process)?,
            notes: HashMap::new(),
            queue: VecDeque::new(),
            deferred: VecDeque::new(),
            attempts: super::queue::Attempts::default(),
            cycles: super::cycles::Broken::default(),
            trigger_cycle: super::triggers::Cycle::default(),
            coming: None,
            failed: Vec::new(),
            skipped: Vec::new(),
            updates: 0,
            has_said_reading: false,
            is_pending: false,
            known: architectures,
            process,
            outside,
            options,
            settings,
            action,
            status,
        };
        if matches!(action, Action::Unpack | Action::Install) {
            let accounts = Accounts::read(session.process)?;
            session.overrides = Overrides::read(session.process, &accounts)?;
        }
        session.make_places()?;
        session.incorporate()?;
        Ok(session)
    }

    /// What dpkg makes if it is missing.
    fn make_places(&mut self) -> Done {
        for directory in [paths::INFO, paths::TRIGGERS, paths::UPDATES] {
            self.make_directories(directory)?;
        }
        let empty =
            [(paths::LOCK, 0o640), (paths::FRONTEND_LOCK, 0o640), (paths::TRIGGERS_LOCK, 0o600)];
        for (path, mode) in empty {
            if self.stat(path)?.is_none() {
                self.write_file(path, Data::empty(), mode)?;
            }
        }
        if self.stat(paths::INFO_FORMAT)?.is_none() {
            self.write_file(paths::INFO_FORMAT, Data::of("1\n"), 0o644)?;
        }
        // What an interrupted run has left is taken over.
        if !self.update_files()?.is_empty() {
            self.checkpoint()?;
        }
        Ok(())
    }

    fn make_directories(&mut self, path: &[u8]) -> Done {
        let ends =
            path.iter().enumerate().skip(1).filter(|(_, byte)| **byte == b'/').map(|(at, _)| at);
        for end in ends.chain([path.len()]) {
            let located = self.process.locate(&path[..end], Last::Followed)?;
            if located.stat.is_none() {
                let attributes = Attributes::root(0o755, self.files().clock());
                self.files().put_whole(&located.path, attributes, NewNode::Directory)?;
            }
        }
        Ok(())
    }

    /// Closes the database, and says what failed. The exit status.
    pub(super) fn close(&mut self) -> Result<u8, Stop> {
        match self.checkpoint() {
            Ok(()) => {}
            Err(Failure::Stop(stop)) => return Err(stop),
            Err(Failure::Error(error)) => {
                self.notice(format!("error: {error}"))?;
                return Ok(2);
            }
            Err(Failure::Said) => return Ok(2),
        }
        let failed = std::mem::take(&mut self.failed);
        if failed.is_empty() {
            return Ok(0);
        }
        self.complain("Errors were encountered while processing:\n")?;
        for name in &failed {
            self.complain(format!(" {name}\n"))?;
        }
        if failed.len() >= self.settings.most_errors as usize {
            self.complain("Processing was halted because there were too many errors.\n")?;
        }
        Ok(1)
    }

    /// Whether it stops because too much failed.
    pub(super) fn has_given_up(&self) -> bool {
        self.failed.len() >= self.settings.most_errors as usize
    }

    /// Writes what is known of a package into the journal, so that others see it.
    pub(super) fn note(&mut self, id: &PackageId) -> Done {
        self.tidy_triggers(id);
        let Some(package) = self.status.get(id) else { return Ok(()) };
        let written = format::stanza(package);
        self.write_update(written)?;
        self.release_awaiting(id)
    }

    fn write_update(&mut self, stanza: Vec<u8>) -> Done {
        let name = format!("/{:04}", self.updates);
        self.write_file(&[paths::UPDATES, name.as_bytes()].concat(), Data::of(stanza), 0o644)?;
        self.updates += 1;
        if self.updates > MOST_UPDATES {
            self.checkpoint()?;
        }
        Ok(())
    }

    /// Writes `status`, and empties the journal. What was there before becomes `status-old`.
    pub(super) fn checkpoint(&mut self) -> Done {
        if let Some(old) = self.stat(paths::STATUS)?
            && let Some(data) = old.data()
        {
            let located = self.process.locate(paths::STATUS_OLD, Last::Kept)?;
            let node = NewNode::File(data.clone());
            self.files().put_whole(&located.path, old.attributes.clone(), node)?;
        }
        let written = format::status(&self.status, &self.known);
        self.write_file(paths::STATUS, Data::of(written), 0o644)?;
        for path in self.update_files()? {
            self.files().remove(&path)?;
        }
        self.updates = 0;
        Ok(())
    }

    fn update_files(&mut self) -> Done<Vec<ImagePath>> {
        let located = self.process.locate(paths::UPDATES, Last::Followed)?;
        let children = self.files().read_dir(&located.path)?;
        let is_number = |name: &BString| name.iter().all(u8::is_ascii_digit);
        let names = children.into_keys().filter(is_number);
        Ok(names.map(|name| located.path.join(name)).collect())
    }

    /// Says how many files there are, once in a run (`Reading database`).
    pub(super) fn read_lists(&mut self) -> Done {
        Ownership::load(self)?;
        if self.has_said_reading {
            return Ok(());
        }
        self.has_said_reading = true;
        let others = self.diversions.paths().chain(self.overrides.paths());
        let others = others.chain(self.interests.paths());
        let count = self.ownership.count_with(others);
        let what = if count == 1 { "file or directory" } else { "files and directories" };
        self.say(format!("(Reading database ... {count} {what} currently installed.)\n"))
    }
}

/// Packages.
impl Session<'_, '_, '_> {
    /// A package, which is there.
    pub(super) fn package(&self, id: &PackageId) -> Done<&Package> {
        let missing = || Failure::Error(format!("package {id} is not known"));
        self.status.get(id).ok_or_else(missing)
    }

    /// The same, to be changed.
    pub(super) fn package_mut(&mut self, id: &PackageId) -> Done<&mut Package> {
        let missing = || Failure::Error(format!("package {id} is not known"));
        self.status.get_mut(id).ok_or_else(missing)
    }

    pub(super) fn state(&self, id: &PackageId) -> State {
        self.status.get(id).map_or(State::NotInstalled, |package| package.state)
    }

    /// Sets a state. What was configured last stays known while it is not configured.
    pub(super) fn set_state(&mut self, id: &PackageId, state: State) -> Done {
        let package = self.package_mut(id)?;
        match (package.configured_version(), state) {
            (_, State::Installed | State::NotInstalled) => package.stanza.remove("Config-Version"),
            (Some(version), _) => package.stanza.set("Config-Version", version.as_str()),
            (None, _) => {}
        }
        package.state = state;
        Ok(())
    }

    pub(super) fn note_of(&mut self, id: &PackageId) -> &mut Note {
        self.notes.entry(id.clone()).or_default()
    }

    pub(super) fn fate(&self, id: &PackageId) -> Fate {
        self.notes.get(id).map(|note| note.fate).unwrap_or_default()
    }

    pub(super) fn forget_fates(&mut self) {
        for note in self.notes.values_mut() {
            note.fate = Fate::Normal;
            note.replacing = Replacing::Unsaid;
        }
    }

    /// A package's name as dpkg shows it.
    pub(super) fn shown(&self, id: &PackageId) -> String {
        let is_same =
            self.status.get(id).is_some_and(|one| format::is_multi_arch_same(&one.stanza));
        database::shown(id, is_same, &self.known)
    }

    /// The name of a package that is not in the database yet.
    pub(super) fn shown_of(&self, stanza: &Stanza) -> String {
        let id = id_of(stanza);
        database::shown(&id, format::is_multi_arch_same(stanza), &self.known)
    }

    pub(super) fn version(&self, id: &PackageId) -> String {
        let version = self.status.get(id).map(Package::version).unwrap_or_default();
        version_shown(version.as_str()).to_owned()
    }

    pub(super) fn is_forced(&self, force: Force) -> bool {
        self.settings.forced.contains(&force)
    }

    /// Goes on with a warning if that is forced, and fails otherwise.
    pub(super) fn forcible(&mut self, force: Force, error: String) -> Done {
        if !self.is_forced(force) {
            return Err(Failure::Error(error));
        }
        self.warn("overriding problem because --force enabled:")?;
        self.warn(error)
    }

    /// The packages of a name that are there.
    pub(super) fn instances(&self, name: &str) -> Vec<PackageId> {
        let there = |package: &Package| package.state > State::NotInstalled;
        let ids =
            self.status.packages().filter(|(id, package)| &*id.name == name && there(package));
        ids.map(|(id, _)| id.clone()).collect()
    }
}

/// The name and architecture that a stanza has.
pub(super) fn id_of(stanza: &Stanza) -> PackageId {
    let text = |name| stanza.text(name).unwrap_or_default().into();
    PackageId { name: text("Package"), architecture: text("Architecture") }
}

/// A version as dpkg shows it.
pub(super) fn version_shown(version: &str) -> &str {
    match version.strip_prefix("0:") {
        Some(rest) if !rest.contains(':') => rest,
        _ if version.is_empty() => "<none>",
        _ => version,
    }
}

/// What is said.
impl Session<'_, '_, '_> {
    pub(super) fn say(&mut self, line: impl AsRef<[u8]>) -> Done {
        Ok(self.process.write(line)?)
    }

    pub(super) fn complain(&mut self, text: impl AsRef<[u8]>) -> Result<(), Stop> {
        self.process.write_to(2, text.as_ref())
    }

    /// `dpkg: …`
    pub(super) fn notice(&mut self, text: impl AsRef<str>) -> Result<(), Stop> {
        self.complain(format!("dpkg: {}\n", text.as_ref()))
    }

    /// `dpkg: warning: …`
    pub(super) fn warn(&mut self, text: impl AsRef<str>) -> Done {
        Ok(self.notice(format!("warning: {}", text.as_ref()))?)
    }

    /// Notes that a package could not be processed, and goes on.
    pub(super) fn report(&mut self, name: String, failure: Failure) -> Result<(), Stop> {
        match failure {
            Failure::Stop(stop) => Err(stop),
            Failure::Error(error) => self.report_error("package", name, &error),
            Failure::Said => Ok(()),
        }
    }

    pub(super) fn report_error(
        &mut self,
        what: &str,
        name: String,
        error: &str,
    ) -> Result<(), Stop> {
        let action = self.action.name();
        self.notice(format!("error processing {what} {name} (--{action}):\n {error}"))?;
        self.failed.push(name);
        if self.has_given_up() {
            self.notice("too many errors, stopping")?;
        }
        Ok(())
    }
}

impl Action {
    pub(super) fn name(self) -> &'static str {
        match self {
            Action::Unpack => "unpack",
            Action::Install => "install",
            Action::Configure => "configure",
            Action::Triggers => "triggers-only",
            Action::Remove => "remove",
            Action::Purge => "purge",
        }
    }
}

/// Files.
impl Session<'_, '_, '_> {
    pub(super) fn files(&mut self) -> &mut Files {
        &mut self.process.machine.files
    }

    /// Where a path is, if the directory above it is there.
    pub(super) fn locate(&self, path: &[u8], last: Last) -> Done<Option<Located>> {
        match errno(self.process.locate(path, last))? {
            Ok(located) => Ok(Some(located)),
            Err(Errno::NotFound | Errno::NotADirectory | Errno::Loop) => Ok(None),
            Err(errno) => {
                Err(Failure::Error(format!("unable to stat '{}': {errno}", path.as_bstr())))
            }
        }
    }

    /// What stands at a path, links followed.
    pub(super) fn stat(&self, path: &[u8]) -> Done<Option<Stat>> {
        Ok(self.locate(path, Last::Followed)?.and_then(|located| located.stat))
    }

    /// What stands at a path itself.
    pub(super) fn lstat(&self, path: &[u8]) -> Done<Option<(ImagePath, Stat)>> {
        let located = self.locate(path, Last::Kept)?;
        Ok(located.and_then(|located| Some((located.path, located.stat?))))
    }

    /// A file of root's with the present time, in the place of what is there.
    pub(super) fn write_file(&mut self, path: &[u8], data: Data, mode: u32) -> Done {
        let located = self.process.locate(path, Last::Kept)?;
        let attributes = Attributes::root(mode, self.files().clock());
        Ok(self.files().put_whole(&located.path, attributes, NewNode::File(data))?)
    }

    /// Takes away a file, if it is there.
    pub(super) fn unlink(&mut self, path: &[u8]) -> Done {
        if let Some((path, stat)) = self.lstat(path)?
            && !stat.is_directory()
        {
            self.files().remove(&path)?;
        }
        Ok(())
    }

    /// Takes away a file or directory, with all that is in it.
    pub(super) fn remove_tree(&mut self, path: &[u8]) -> Done {
        if let Some((path, _)) = self.lstat(path)? {
            self.files().remove_all(&path)?;
        }
        Ok(())
    }

    /// The bytes of a file; `None` if there is none.
    pub(super) fn bytes(&mut self, path: &[u8]) -> Done<Option<std::sync::Arc<[u8]>>> {
        match self.stat(path)?.and_then(|stat| stat.data().cloned()) {
            Some(data) => Ok(Some(self.process.bytes(&data)?)),
            None => Ok(None),
        }
    }
}

/// Files of `info`.
impl Session<'_, '_, '_> {
    /// The path of a package's control file.
    pub(super) fn info_path(&self, id: &PackageId, kind: &str) -> Done<BString> {
        Ok(database::info_path(self.package(id)?, kind))
    }

    pub(super) fn write_info(&mut self, path: &BStr, data: Data, mode: u32) -> Done {
        self.write_file(path, data, mode)?;
        if let Some(at) = path.rfind_byte(b'/') {
            self.info.insert(path[at + 1..].into());
        }
        Ok(())
    }

    pub(super) fn remove_info(&mut self, path: &BStr) -> Done {
        if let Some(at) = path.rfind_byte(b'/') {
            self.info.remove(path[at + 1..].as_bstr());
        }
        self.unlink(path)
    }

    /// The control files of a package that are there, by kind.
    pub(super) fn info_of(&self, id: &PackageId) -> Done<BTreeMap<BString, BString>> {
        let path = self.info_path(id, "")?;
        let start = path.rfind_byte(b'/').map_or(&path[..], |at| &path[at + 1..]);
        let names = self.info.range(BString::from(start)..);
        let own = names.take_while(|name| name.starts_with(start));
        let kinds = own.filter_map(|name| {
            let kind = BString::from(&name[start.len()..]);
            (!kind.contains(&b'.')).then(|| (kind, [paths::INFO, b"/", &name[..]].concat().into()))
        });
        Ok(kinds.collect())
    }
}

fn info_names(process: &mut Process<'_, '_>) -> Result<BTreeSet<BString>, Stop> {
    let Ok((directory, _)) = errno(process.find(paths::INFO, Last::Followed))? else {
        return Ok(BTreeSet::new());
    };
    match errno(process.machine.files.read_dir(&directory))? {
        Ok(children) => Ok(children.into_keys().collect()),
        Err(_) => Ok(BTreeSet::new()),
    }
}

impl From<Stop> for Failure {
    fn from(stop: Stop) -> Self {
        Failure::Stop(stop)
    }
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        match error {
            FileError::Errno(errno) => Failure::Error(errno.to_string()),
            FileError::Stop(stop) => Failure::Stop(stop),
        }
    }
}
