//! Unpacking a package: its steps in dpkg's order, and how they are undone (Debian Policy 6.6,
//! "Details of unpack phase of installation or upgrade").

use std::collections::HashSet;
use std::sync::Arc;

use bstr::{BString, ByteSlice};
use shell::{Data, Stop};

use super::conffiles::{self, Conffile, NEW};
use super::extract::Extraction;
use super::format::is_multi_arch_same;
use super::interests::{Directive, directives};
use super::paths;
use super::scripts::shown_version;
use super::session::{Action, Done, Failure, Fate, Session, id_of};
use super::settings::Force;
use super::status::{Package, PackageId, State, Want};
use super::triggers::name_of_interest;
use crate::control::Stanza;
use crate::deb::Deb;

/// A package that comes.
pub(super) struct Incoming<'a> {
    pub(super) deb: &'a Arc<Deb>,
    /// Its file, as dpkg shows it.
    pub(super) shown_file: String,
    /// What it is in the database, until its fields are there.
    pub(super) id: PackageId,
    pub(super) directives: Vec<Directive>,
    pub(super) conffiles: Vec<Conffile>,
    /// Configuration files of the version that was there.
    pub(super) old_conffiles: Vec<Conffile>,
    /// Packages that are removed since they conflict.
    pub(super) conflictors: Vec<PackageId>,
    /// Packages that are deconfigured, and the one that is removed for which they are.
    pub(super) deconfigured: Vec<(PackageId, Option<PackageId>, Reason)>,
    undo: Vec<Undo>,
}

/// Why a package is deconfigured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    /// What it depends on is removed.
    Removal,
    /// It would be broken.
    Installation,
    /// It is the same package of another architecture.
    Instance,
}

/// What was done, to be undone.
enum Undo {
    PrermUpgrade,
    Deconfigured(PackageId, Option<PackageId>),
    PrermInFavour(PackageId),
    PreinstVeryNew,
    PreinstNew,
    PreinstUpgrade(State),
    Files(Extraction),
    PostrmUpgrade,
}

/// dpkg shows so many characters of a path.
const MOST_SHOWN: usize = 30;

/// A package's file as dpkg shows it: without the directories in front, if it is long.
pub(super) fn summarized(path: &str) -> String {
    let mut rest = path;
    while rest.len() > MOST_SHOWN
        && let Some(at) = rest.find('/')
    {
        rest = &rest[at + 1..];
    }
    if rest.len() < path.len() { format!(".../{rest}") } else { path.to_owned() }
}

impl Session<'_, '_, '_> {
    /// Unpacks a package; what goes wrong is said, and undone.
    pub(super) fn unpack(&mut self, deb: &Arc<Deb>, path: &str) -> Result<(), Stop> {
        let mut incoming = Incoming {
            deb,
            shown_file: summarized(path),
            id: id_of(&deb.control),
            directives: Vec::new(),
            conffiles: Vec::new(),
            old_conffiles: Vec::new(),
            conflictors: Vec::new(),
            deconfigured: Vec::new(),
            undo: Vec::new(),
        };
        let ended = self.unpack_incoming(&mut incoming);
        let ended = match ended {
            Err(Failure::Error(error)) => {
                self.report_error("archive", path.to_owned(), &error)?;
                self.undo(&mut incoming)
            }
            other => other,
        };
        let cleared = self.remove_tree(paths::CONTROL);
        match ended.and(cleared) {
            Ok(()) => Ok(()),
            Err(Failure::Stop(stop)) => Err(stop),
            Err(Failure::Error(error)) => self.report_error("archive", path.to_owned(), &error),
            Err(Failure::Said) => Ok(()),
        }
    }

    fn unpack_incoming(&mut self, incoming: &mut Incoming<'_>) -> Done {
        let deb = incoming.deb;
        let control = &deb.control;
        self.check_fields(control)?;
        incoming.id = self.slot(control)?;
        self.forget_fates();
        if !self.wants(incoming)? {
            return Ok(());
        }
        self.deconfigure_instances(incoming);
        self.check_relations(incoming)?;
        self.read_lists()?;
        self.say(format!("Preparing to unpack {} ...\n", incoming.shown_file))?;
        self.prepare(incoming)?;
        let before = self.stop_old(incoming)?;
        self.install_preinst(incoming, before)?;
        self.say_unpacking(incoming, before)?;
        let extraction = self.extract(incoming)?;
        incoming.undo.push(Undo::Files(extraction));
        if matches!(before, State::HalfInstalled | State::Unpacked) {
            incoming.undo.push(Undo::PostrmUpgrade);
            self.old_script(&incoming.id.clone(), control, "postrm")?;
        }
        let undo = std::mem::take(&mut incoming.undo);
        let extraction = undo.into_iter().find_map(|undo| match undo {
            Undo::Files(extraction) => Some(extraction),
            _ => None,
        });
        match extraction {
            Some(extraction) => self.settle(incoming, extraction),
            None => Ok(()),
        }
    }

    /// What a package has to say of itself.
    fn check_fields(&mut self, control: &Stanza) -> Done {
        for name in ["Package", "Version", "Architecture"] {
            if control.text(name).unwrap_or_default().is_empty() {
                let error = format!("the package has no field '{name}'");
                return Err(Failure::Error(error));
            }
        }
        // Deb's names are names of files, too (Debian Policy 5.6.7).
        let name = control.text("Package").unwrap_or_default();
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-+._".contains(&byte);
        let architecture = control.text("Architecture").unwrap_or_default();
        if !name.bytes().all(is_plain)
            || !name.starts_with(|first: char| first.is_ascii_alphanumeric())
            || !architecture.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        {
            let error = format!("the package has the name '{name}:{architecture}', which is none");
            return Err(Failure::Error(error));
        }
        if self.known.is_known(architecture) {
            return Ok(());
        }
        let native = self.known.native;
        self.forcible(
            Force::Architecture,
            format!("package architecture ({architecture}) does not match system ({native})"),
        )
    }

    /// What a package is in the database now.
    fn slot(&self, control: &Stanza) -> Done<PackageId> {
        let id = id_of(control);
        let instances = self.instances(&id.name);
        match &instances[..] {
            [only] if *only != id => {
                let is_same = is_multi_arch_same(&self.package(only)?.stanza);
                Ok(if is_same && is_multi_arch_same(control) { id } else { only.clone() })
            }
            [_, _, ..] if !is_multi_arch_same(control) => Err(Failure::Error(format!(
                "package {id} ({}) with field 'Multi-Arch: {}' is not co-installable with {} \
                which has multiple installed instances",
                shown_version(control),
                control.text("Multi-Arch").unwrap_or("no"),
                id.name
            ))),
            _ => Ok(id),
        }
    }

    /// Whether the package is to be unpacked, which is said.
    fn wants(&mut self, incoming: &Incoming<'_>) -> Done<bool> {
        let deb = incoming.deb;
        let control = &deb.control;
        let name = self.shown_of(control);
        let id = &incoming.id;
        if self.status.get(id).is_none() {
            self.adopt_selection(id, control);
        }
        if !self.is_wanted(id) {
            self.say(format!("Selecting previously unselected package {name}.\n"))?;
            self.package_mut(id)?.want = Want::Install;
            return Ok(true);
        }
        let package = self.package(id)?;
        let new = crate::Version::new(control.text("Version").unwrap_or_default());
        let order = new.order(&package.version());
        if package.is_broken || !package.is_unpacked() || order.is_ge() {
            return Ok(true);
        }
        let (old, new) = (self.version(id), shown_version(control));
        if self.is_forced(Force::Downgrade) {
            self.warn(format!("downgrading {name} from {old} to {new}"))?;
            return Ok(true);
        }
        self.notice(format!("will not downgrade {name} from {old} to {new}, skipping"))?;
        Ok(false)
    }

    /// A package that is not there: as it was selected, or as nothing is known of it.
    fn adopt_selection(&mut self, id: &PackageId, control: &Stanza) {
        let nameless = PackageId { name: id.name.clone(), architecture: "".into() };
        let known = self.status.get(&nameless).cloned();
        self.status.remove(&nameless);
        let mut stanza = Stanza::default();
        stanza.set("Package", &*id.name);
        for name in ["Priority", "Section", "Architecture"] {
            if let Some(value) = control.get(name) {
                stanza.set(name, value);
            }
        }
        let want = known.map_or(Want::Unknown, |known| known.want);
        let state = State::NotInstalled;
        self.status.insert(Package { stanza, want, is_broken: false, state });
    }

    /// Other architectures of the package are configured again when they are of its version, too.
    fn deconfigure_instances(&mut self, incoming: &mut Incoming<'_>) {
        let new = crate::Version::new(incoming.deb.control.text("Version").unwrap_or_default());
        for other in self.instances(&incoming.id.name) {
            let differs = |package: &Package| package.version().order(&new).is_ne();
            let is_set_up = self.state(&other) > State::HalfConfigured;
            if other != incoming.id && is_set_up && self.status.get(&other).is_some_and(differs) {
                self.note_of(&other).fate = Fate::Deconfigured;
                incoming.deconfigured.insert(0, (other, None, Reason::Instance));
            }
        }
    }

    /// What is read of the package before anything becomes of it.
    fn prepare(&mut self, incoming: &mut Incoming<'_>) -> Done {
        self.activate_for(&incoming.id)?;
        let deb = incoming.deb;
        if let Some(file) = deb.control_file("triggers") {
            incoming.directives = directives(&file.bytes).map_err(Failure::Error)?;
        }
        self.activate_directives(&incoming.directives, &incoming.id)?;
        incoming.old_conffiles = conffiles::conffiles(self.package(&incoming.id)?);
        incoming.conffiles = self.new_conffiles(deb, &incoming.id)?;
        self.remove_tree(paths::CONTROL)?;
        let at = self.process.locate(paths::CONTROL, shell::files::Last::Kept)?.path;
        let attributes = layer::Attributes::root(0o755, self.files().clock());
        self.files().put_whole(&at, attributes, shell::files::NewNode::Directory)?;
        for file in &deb.control_files {
            let path = [paths::CONTROL, b"/", &file.name[..]].concat();
            self.write_file(&path, Data::of(&file.bytes[..]), file.mode)?;
        }
        Ok(())
    }

    /// The configuration files of a package, each with the hash that was noted of it.
    fn new_conffiles(&mut self, deb: &Deb, id: &PackageId) -> Done<Vec<Conffile>> {
        let Some(file) = deb.control_file("conffiles") else { return Ok(Vec::new()) };
        let mut all = Vec::new();
        for line in file.bytes.lines() {
            let line = line.trim_end().as_bstr();
            if line.is_empty() {
                continue;
            }
            let (path, is_removed_on_upgrade) = match line.strip_prefix(b"remove-on-upgrade ") {
                Some(path) => (path.as_bstr(), true),
                None => (line, false),
            };
            if !path.starts_with(b"/") {
                let error = format!("conffile name '{path}' is not an absolute pathname");
                return Err(Failure::Error(error));
            }
            let hash = self.noted_hash(path, id).unwrap_or_else(|| NEW.to_owned());
            let path = path.into();
            all.push(Conffile { path, hash, is_obsolete: false, is_removed_on_upgrade });
        }
        Ok(all)
    }

    /// The hash that a package which has a file has noted, the package itself first.
    fn noted_hash(&self, path: &bstr::BStr, id: &PackageId) -> Option<String> {
        let owners = self.ownership.owners(path);
        let of = |owner: &PackageId| {
            let all = conffiles::conffiles(self.status.get(owner)?);
            all.into_iter().find(|one| one.path == path).map(|one| one.hash)
        };
        let own = owners.iter().find(|owner| *owner == id).and_then(of);
        own.or_else(|| owners.iter().rev().find_map(of))
    }

    /// Runs what is to be run of packages that were there. The state that the old version is in.
    fn stop_old(&mut self, incoming: &mut Incoming<'_>) -> Done<State> {
        let id = incoming.id.clone();
        let deb = incoming.deb;
        let control = &deb.control;
        let mut before = self.state(&id);
        if before >= State::HalfConfigured {
            self.package_mut(&id)?.is_broken = true;
            self.set_state(&id, State::HalfConfigured)?;
            self.note(&id)?;
            incoming.undo.push(Undo::PrermUpgrade);
            self.old_script(&id, control, "prerm")?;
            self.set_state(&id, State::Unpacked)?;
            before = State::Unpacked;
            self.note(&id)?;
        }
        self.deconfigure_others(incoming)?;
        for other in incoming.conflictors.clone() {
            if self.state(&other) < State::HalfConfigured {
                continue;
            }
            self.activate_for(&other)?;
            self.set_state(&other, State::HalfConfigured)?;
            self.note(&other)?;
            incoming.undo.push(Undo::PrermInFavour(other.clone()));
            let (name, version) = (self.shown_of(control), shown_version(control));
            self.installed_script(&other, "prerm", &["remove", "in-favour", &name, &version])?;
            self.set_state(&other, State::HalfInstalled)?;
            self.note(&other)?;
        }
        Ok(before)
    }

    fn deconfigure_others(&mut self, incoming: &mut Incoming<'_>) -> Done {
        let deb = incoming.deb;
        let control = &deb.control;
        let (new, new_version) = (self.shown_of(control), shown_version(control));
        for (id, removing, reason) in incoming.deconfigured.clone() {
            let (name, version) = (self.shown(&id), self.version(&id));
            let gone = removing.as_ref().map(|gone| (self.shown(gone), self.version(gone)));
            let purpose = match (&gone, reason) {
                (Some((gone, version)), _) => format!("removal of {gone} ({version})"),
                (None, Reason::Instance) => format!("configuration of {new} ({new_version})"),
                (None, _) => format!("installation of {new} ({new_version})"),
            };
            self.say(format!("De-configuring {name} ({version}), to allow {purpose} ...\n"))?;
            self.activate_for(&id)?;
            self.set_state(&id, State::HalfConfigured)?;
            self.note(&id)?;
            incoming.undo.push(Undo::Deconfigured(id.clone(), removing));
            let mut words = vec!["deconfigure", "in-favour", &new, &new_version];
            if let Some((gone, version)) = &gone {
                words.extend(["removing", gone, version]);
            }
            self.installed_script(&id, "prerm", &words)?;
        }
        Ok(())
    }

    fn install_preinst(&mut self, incoming: &mut Incoming<'_>, before: State) -> Done {
        let id = incoming.id.clone();
        let deb = incoming.deb;
        let control = &deb.control;
        let old = self.version(&id);
        let package = self.package_mut(&id)?;
        package.is_broken = true;
        if package.state == State::NotInstalled {
            for name in ["Version", "Multi-Arch"] {
                if let Some(value) = control.get(name) {
                    package.stanza.set(name, value);
                }
            }
        }
        self.set_state(&id, State::HalfInstalled)?;
        self.note(&id)?;
        let new = shown_version(control);
        let (undo, words) = match before {
            State::NotInstalled => (Undo::PreinstVeryNew, vec!["install"]),
            State::ConfigFiles => (Undo::PreinstNew, vec!["install", &old, &new]),
            _ => (Undo::PreinstUpgrade(before), vec!["upgrade", &old, &new]),
        };
        incoming.undo.push(undo);
        self.new_script(&id, control, "preinst", &words)
    }

    fn say_unpacking(&mut self, incoming: &Incoming<'_>, before: State) -> Done {
        let deb = incoming.deb;
        let control = &deb.control;
        let (name, new) = (self.shown_of(control), shown_version(control));
        match before {
            State::NotInstalled | State::ConfigFiles => {
                self.say(format!("Unpacking {name} ({new}) ...\n"))
            }
            _ => {
                let old = self.version(&incoming.id);
                self.say(format!("Unpacking {name} ({new}) over ({old}) ...\n"))
            }
        }
    }

    /// What is done once nothing can fail any more.
    fn settle(&mut self, incoming: &mut Incoming<'_>, mut extraction: Extraction) -> Done {
        self.remove_old_files(incoming, &mut extraction)?;
        let old = incoming.id.clone();
        let old_directives = self.info_path(&old, "triggers")?;
        let old_directives = self.directives_in(&old_directives)?;
        let old_name = self.name_of_interest(&old);
        let old_info = self.info_of(&old)?;
        let new = self.update_fields(incoming)?;
        self.write_list(&new, extraction.names())?;
        self.remove_interests(&old_directives, &old_name)?;
        let new_name = name_of_interest(&incoming.deb.control);
        let directives = std::mem::take(&mut incoming.directives);
        self.add_interests(&directives, &new_name)?;
        self.save_interests()?;
        self.install_control_files(incoming, &old_info, &extraction)?;
        self.disappear_others(incoming, &extraction)?;
        self.take_from_others(incoming, &extraction)?;
        self.set_state(&new, State::Unpacked)?;
        self.note(&new)?;
        self.forget_backups(&extraction)?;
        self.package_mut(&new)?.is_broken = false;
        self.note(&new)?;
        self.tell_installed(incoming, &extraction);
        self.remove_conflictors(incoming)?;
        if self.action == Action::Install {
            self.enqueue_named(&new);
            let deconfigured = std::mem::take(&mut incoming.deconfigured);
            deconfigured.iter().rev().for_each(|(id, _, _)| self.enqueue(id));
        }
        Ok(())
    }

    /// Copies the package's fields into the database, and gives what it is there from now on.
    fn update_fields(&mut self, incoming: &mut Incoming<'_>) -> Done<PackageId> {
        const KEPT: [&str; 5] =
            ["Priority", "Section", "Config-Version", "Triggers-Pending", "Triggers-Awaited"];
        let old = self.package(&incoming.id)?.clone();
        let mut package = Package { stanza: incoming.deb.control.clone(), ..old };
        for name in KEPT {
            if package.stanza.get(name).is_none()
                && let Some(value) = old.stanza.get(name)
            {
                package.stanza.set(name, value);
            }
        }
        conffiles::set_conffiles(&mut package, &incoming.conffiles);
        let id = package.id();
        self.relations.remove(&incoming.id);
        self.relations.set(&id, &package.stanza);
        if id != incoming.id {
            self.status.remove(&incoming.id);
            let note = self.notes.remove(&incoming.id).unwrap_or_default();
            self.notes.insert(id.clone(), note);
            self.ownership.forget(&incoming.id);
            incoming.id = id.clone();
        }
        self.status.insert(package);
        Ok(id)
    }

    /// The control files of the new version take the place of the old ones.
    fn install_control_files(
        &mut self,
        incoming: &Incoming<'_>,
        old: &std::collections::BTreeMap<BString, BString>,
        extraction: &Extraction,
    ) -> Done {
        let list = self.info_path(&incoming.id, "list")?;
        for path in old.values().filter(|path| **path != list) {
            self.remove_info(path.as_bstr())?;
        }
        let mut has_hashes = false;
        for file in &incoming.deb.control_files {
            let name = file.name.to_str_lossy();
            if name == "list" || name == "control" || name.contains('.') {
                continue;
            }
            has_hashes |= name == "md5sums";
            let path = self.info_path(&incoming.id, &name)?;
            let mode = match (name.as_ref(), file.mode & 0o555) {
                // It was run, so it can be.
                ("preinst", kept) if kept != 0o555 => 0o755,
                _ => file.mode,
            };
            self.write_info(path.as_bstr(), Data::of(&file.bytes[..]), mode)?;
            // They are moved there as they were unpacked.
            if let Some((place, _)) = self.lstat(&path)? {
                self.files().set_time(&place, file.mtime)?;
            }
        }
        if !has_hashes {
            let path = self.info_path(&incoming.id, "md5sums")?;
            self.write_info(path.as_bstr(), Data::of(extraction.hashes()), 0o644)?;
        }
        Ok(())
    }

    /// Takes the files that come from the lists of packages that had them.
    fn take_from_others(&mut self, incoming: &Incoming<'_>, extraction: &Extraction) -> Done {
        let taken: HashSet<&BString> = extraction.taken().collect();
        let mut others: Vec<PackageId> = Vec::new();
        for path in &taken {
            let in_favour = self.diversions.of(path.as_bstr()).flatten();
            if in_favour == Some(&*incoming.id.name) {
                continue;
            }
            for owner in self.ownership.owners(path.as_bstr()) {
                let keeps = owner.name == incoming.id.name || in_favour == Some(&*owner.name);
                if !keeps && !others.contains(&owner) {
                    others.push(owner);
                }
            }
        }
        for other in others {
            let list = self.ownership.files(&other);
            let left = list.iter().filter(|path| !taken.contains(path)).cloned().collect();
            self.write_list(&other, left)?;
            self.mark_obsolete(&other, incoming)?;
        }
        Ok(())
    }

    /// Configuration files that another package has now are no longer this one's.
    fn mark_obsolete(&mut self, other: &PackageId, incoming: &Incoming<'_>) -> Done {
        let package = self.package_mut(other)?;
        let mut all = conffiles::conffiles(package);
        let before = all.clone();
        for one in &mut all {
            let is_taken = |new: &Conffile| new.path == one.path && !new.is_removed_on_upgrade;
            one.is_obsolete |= incoming.conffiles.iter().any(is_taken);
        }
        if all != before {
            conffiles::set_conffiles(package, &all);
        }
        Ok(())
    }

    fn remove_conflictors(&mut self, incoming: &mut Incoming<'_>) -> Done {
        for other in std::mem::take(&mut incoming.conflictors) {
            let (name, version) = (self.shown(&other), self.version(&other));
            let (new, new_version) = (self.shown(&incoming.id), self.version(&incoming.id));
            self.say(format!(
                "Removing {name} ({version}), to allow configuration of {new} ({new_version}) ...\n"
            ))?;
            self.remove_bulk(&other)?;
        }
        Ok(())
    }

    /// Undoes what was done, the last first. What fails then is said.
    fn undo(&mut self, incoming: &mut Incoming<'_>) -> Done {
        let mut has_failed = false;
        while let Some(undo) = incoming.undo.pop() {
            let is_of_package =
                !matches!(undo, Undo::Deconfigured(..) | Undo::PrermInFavour(_) | Undo::Files(_));
            if has_failed && is_of_package {
                continue;
            }
            match self.undo_one(incoming, undo) {
                Err(Failure::Error(error)) => {
                    self.notice(format!("error while cleaning up:\n {error}"))?;
                    has_failed |= is_of_package;
                }
                other => other?,
            }
        }
        Ok(())
    }

    fn undo_one(&mut self, incoming: &Incoming<'_>, undo: Undo) -> Done {
        let deb = incoming.deb;
        let control = &deb.control;
        let id = &incoming.id;
        let (name, new) = (self.shown_of(control), shown_version(control));
        let old = self.version(id);
        match undo {
            Undo::PrermUpgrade => {
                self.postinst(id, &["abort-upgrade", &new])?;
                self.package_mut(id)?.is_broken = false;
                self.finish_script(id)
            }
            Undo::Deconfigured(other, removing) => {
                let gone = removing.as_ref().map(|gone| (self.shown(gone), self.version(gone)));
                let mut words = vec!["abort-deconfigure", "in-favour", &name, &new];
                if let Some((gone, version)) = &gone {
                    words.extend(["removing", gone, version]);
                }
                self.postinst(&other, &words)?;
                self.finish_script(&other)
            }
            Undo::PrermInFavour(other) => {
                self.postinst(&other, &["abort-remove", "in-favour", &name, &new])?;
                self.package_mut(&other)?.is_broken = false;
                self.finish_script(&other)
            }
            Undo::PreinstVeryNew => {
                self.new_script(id, control, "postrm", &["abort-install"])?;
                self.blank(id)
            }
            Undo::PreinstNew => {
                self.new_script(id, control, "postrm", &["abort-install", &old, &new])?;
                self.set_state(id, State::ConfigFiles)?;
                self.package_mut(id)?.is_broken = false;
                self.note(id)
            }
            Undo::PreinstUpgrade(state) => {
                self.new_script(id, control, "postrm", &["abort-upgrade", &old, &new])?;
                self.set_state(id, state)?;
                self.package_mut(id)?.is_broken = false;
                self.note(id)
            }
            Undo::Files(extraction) => self.restore(&extraction),
            Undo::PostrmUpgrade => self.installed_script(id, "preinst", &["abort-upgrade", &new]),
        }
    }

    /// Of a package that is gone, only what is wanted of it stays known.
    pub(super) fn blank(&mut self, id: &PackageId) -> Done {
        self.set_state(id, State::NotInstalled)?;
        let package = self.package_mut(id)?;
        package.is_broken = false;
        let mut stanza = Stanza::default();
        for name in ["Package", "Priority", "Section", "Architecture", "Multi-Arch"] {
            if let Some(value) = package.stanza.get(name) {
                stanza.set(name, value);
            }
        }
        package.stanza = stanza;
        let want = package.want;
        self.note(id)?;
        self.relations.remove(id);
        self.ownership.forget(id);
        if want == Want::Unknown {
            self.status.remove(id);
        }
        Ok(())
    }
}
