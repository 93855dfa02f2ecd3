//! What stands in the way of a package that is to be unpacked: conflicts, breaks and
//! pre-dependencies, and packages that go or are deconfigured for it (Debian Policy 7.2 to 7.4).

use super::checks::words_of;
use super::dependencies::{
    Dependency, Kind, dependencies, fits_architecture, is_provided, replaces,
};
use super::engine::Deconfigure;
use super::session::{Done, Failure, Fate, Session};
use super::settings::Force;
use super::status::{Package, PackageId, State, Want};
use super::triggers::Wanted;
use super::unpack::{Incoming, Reason};
use crate::relation::Alternative;

/// Why a relation does not hold.
#[derive(Debug, Default)]
pub(super) struct Unsatisfied {
    pub(super) why: String,
    /// The one package whose removal would help.
    by_removal: Option<PackageId>,
    /// A package that waits for triggers, and would do then.
    by_triggers: Option<PackageId>,
}

impl Session<'_, '_, '_> {
    /// Looks at all relations of a package that comes.
    pub(super) fn check_relations(&mut self, incoming: &mut Incoming<'_>) -> Done {
        let deb = incoming.deb;
        let id = incoming.id.clone();
        self.note_of(&id).fate = Fate::Installed;
        // From here on, what the package says is what it will say.
        let before = self.status.get(&id).map(|package| package.stanza.clone());
        self.relations.set(&id, &deb.control);
        self.coming = Some(coming(incoming));
        let checked = self.check_all(incoming);
        match before {
            Some(stanza) => self.relations.set(&id, &stanza),
            None => self.relations.remove(&id),
        }
        checked
    }

    fn check_all(&mut self, incoming: &mut Incoming<'_>) -> Done {
        let deb = incoming.deb;
        let id = incoming.id.clone();
        let own = dependencies(&deb.control);
        for item in own.iter() {
            match item.kind {
                Kind::Conflicts => self.check_conflict(incoming, &id, item)?,
                Kind::Breaks => self.check_breaks(incoming, item)?,
                Kind::PreDepends => self.check_predepends(incoming, item)?,
                Kind::Provides => {
                    for provided in &item.relation.alternatives {
                        self.check_conflicts_with(incoming, &provided.name)?;
                    }
                }
                _ => {}
            }
        }
        self.check_conflicts_with(incoming, &id.name)
    }

    /// Looks at what others say of a name.
    fn check_conflicts_with(&mut self, incoming: &mut Incoming<'_>, name: &str) -> Done {
        for (of, item) in self.relations.items(name, &[Kind::Conflicts]) {
            if of != incoming.id {
                self.check_conflict(incoming, &of, &item)?;
            }
        }
        Ok(())
    }

    fn check_predepends(&mut self, incoming: &Incoming<'_>, item: &Dependency) -> Done {
        let Some(found) = self.unsatisfied(&incoming.id, item, true) else { return Ok(()) };
        if let Some(waiting) = found.by_triggers {
            // Each run takes one away, and dpkg goes on until none is left.
            while let Some(pending) = self.awaited(&waiting).into_iter().next() {
                let before = self.awaited(&waiting).len();
                self.run_triggers(&pending, Wanted::Required)?;
                if self.awaited(&waiting).len() >= before {
                    break;
                }
            }
            return Ok(());
        }
        let name = self.shown_of(&incoming.deb.control);
        let file = &incoming.shown_file;
        let why = &found.why;
        self.notice(format!("regarding {file} containing {name}, pre-dependency problem:\n{why}"))?;
        if !self.is_forced(Force::Depends) {
            let error = format!("pre-dependency problem - not installing {name}");
            return Err(Failure::Error(error));
        }
        self.warn("ignoring pre-dependency problem!")
    }

    fn check_breaks(&mut self, incoming: &mut Incoming<'_>, item: &Dependency) -> Done {
        let Some(found) = self.unsatisfied(&incoming.id, item, false) else { return Ok(()) };
        let new = self.shown_of(&incoming.deb.control);
        let may = self.options.deconfigure == Deconfigure::Automatically;
        match &found.by_removal {
            Some(broken) if may => {
                let name = self.shown(broken);
                self.notice(format!(
                    "considering deconfiguration of {name}, which would be broken by installation \
                    of {new} ..."
                ))?;
                if self.is_forced(Force::Breaks) {
                    let why = &found.why;
                    let line = "ignoring dependency problem with installation of";
                    return self.warn(format!("{line} {new}:\n{why}"));
                }
                self.note_of(broken).fate = Fate::Deconfigured;
                incoming.deconfigured.insert(0, (broken.clone(), None, Reason::Installation));
                self.notice(format!("yes, will deconfigure {name} (broken by {new})"))?;
                return Ok(());
            }
            _ => {
                let (file, why) = (&incoming.shown_file, &found.why);
                self.notice(format!("regarding {file} containing {new}:\n{why}"))?;
            }
        }
        if self.is_forced(Force::Breaks) {
            return self.warn("ignoring breakage, may proceed anyway!");
        }
        Err(Failure::Error(match found.by_removal {
            Some(broken) if !may => format!(
                "installing {new} would break {}, and\n \
                deconfiguration is not permitted (--auto-deconfigure might help)",
                self.shown(&broken)
            ),
            _ => format!("installing {new} would break existing software"),
        }))
    }

    fn check_conflict(
        &mut self,
        incoming: &mut Incoming<'_>,
        of: &PackageId,
        item: &Dependency,
    ) -> Done {
        let Some(found) = self.unsatisfied(of, item, false) else { return Ok(()) };
        if let Some(mut other) = found.by_removal.clone() {
            if self.fate(&other) == Fate::Installed {
                other = of.clone();
            }
            if self.may_remove(incoming, &other)? && self.plan_removal(incoming, &other)? {
                return Ok(());
            }
        }
        let new = self.shown_of(&incoming.deb.control);
        let (file, why) = (&incoming.shown_file, &found.why);
        self.notice(format!("regarding {file} containing {new}:\n{why}"))?;
        if !self.is_forced(Force::Conflicts) {
            return Err(Failure::Error(format!("conflicting packages - not installing {new}")));
        }
        self.warn("ignoring conflict, may proceed anyway!")
    }

    /// Whether a package may go for another one that conflicts with it.
    fn may_remove(&self, incoming: &Incoming<'_>, other: &PackageId) -> Done<bool> {
        let control = &incoming.deb.control;
        let package = self.package(other)?;
        let is_needed = |says: &dyn Fn(&str) -> bool| says("Essential") || says("Protected");
        let is_new_needed = is_needed(&|name| control.text(name) == Some("yes"));
        let is_old_needed = is_needed(&|name| package.says_yes(name));
        let gives_way = !matches!(package.want, Want::Install | Want::Hold)
            || replaces(control, &other.name, &package.version());
        let may_go = !package.says_yes("Essential")
            || self.is_forced(Force::RemoveEssential)
            || !package.says_yes("Protected")
            || self.is_forced(Force::RemoveProtected);
        Ok((is_new_needed && is_old_needed) || (gives_way && may_go))
    }

    /// Notes that a package goes, unless something else needs it.
    fn plan_removal(&mut self, incoming: &mut Incoming<'_>, other: &PackageId) -> Done<bool> {
        let (name, new) = (self.shown(other), self.shown_of(&incoming.deb.control));
        self.note_of(other).fate = Fate::Removed;
        self.notice(format!("considering removing {name} in favour of {new} ..."))?;
        let mut may = true;
        if self.state(other) < State::TriggersAwaited {
            let line = "is not properly installed; ignoring any dependencies on it";
            self.notice(format!("{name} {line}"))?;
        } else {
            may = self.can_do_without(incoming, other)?;
        }
        may = may && !self.is_held(other)?;
        if may && self.package(other)?.is_broken {
            may = self.is_forced(Force::RemoveReinstallRequired);
            let line = match may {
                true => "requires reinstallation, but will remove anyway as you requested",
                false => "requires reinstallation, will not remove",
            };
            self.notice(format!("package {name} {line}"))?;
        }
        if may {
            if !incoming.conflictors.contains(other) {
                incoming.conflictors.push(other.clone());
            }
            self.notice(format!("yes, will remove {name} in favour of {new}"))?;
        } else {
            self.note_of(other).fate = Fate::Normal;
        }
        Ok(may)
    }

    /// Whether all that depends on a package can be deconfigured.
    fn can_do_without(&mut self, incoming: &mut Incoming<'_>, other: &PackageId) -> Done<bool> {
        let kinds = [Kind::Depends, Kind::PreDepends];
        for (id, item) in self.relations.items(&other.name, &kinds) {
            if let Some(found) = self.unsatisfied(&id, &item, false)
                && !self.deconfigures(incoming, &id, other, &found.why)?
            {
                return Ok(false);
            }
        }
        for item in self.relations.of(other).iter().filter(|item| item.kind == Kind::Provides) {
            for provided in &item.relation.alternatives {
                for (id, needed) in self.relations.items(&provided.name, &kinds) {
                    let Some(found) = self.unsatisfied(&id, &needed, false) else { continue };
                    let (name, virtual_name) = (self.shown(other), &provided.name);
                    self.notice(format!(
                        "may have trouble removing {name}, as it provides {virtual_name} ..."
                    ))?;
                    if !self.deconfigures(incoming, &id, other, &found.why)? {
                        return Ok(false);
                    }
                }
            }
        }
        Ok(true)
    }

    fn deconfigures(
        &mut self,
        incoming: &mut Incoming<'_>,
        id: &PackageId,
        removing: &PackageId,
        why: &str,
    ) -> Done<bool> {
        let (name, gone) = (self.shown(id), self.shown(removing));
        if self.is_forced(Force::Depends) {
            self.warn(format!("ignoring dependency problem with removal of {gone}:\n{why}"))?;
            return Ok(true);
        }
        if self.options.deconfigure == Deconfigure::Never {
            self.notice(format!(
                "no, cannot proceed with removal of {gone} (--auto-deconfigure will help):\n{why}"
            ))?;
            return Ok(false);
        }
        let kinds = [
            ("Essential", "essential", Force::RemoveEssential),
            ("Protected", "protected", Force::RemoveProtected),
        ];
        for (field, word, force) in kinds {
            if !self.package(id)?.says_yes(field) {
                continue;
            }
            if !self.is_forced(force) {
                self.notice(format!(
                    "no, {name} is {word}, will not deconfigure\n \
                    it in order to enable removal of {gone}"
                ))?;
                return Ok(false);
            }
            self.warn(format!(
                "considering deconfiguration of {word}\n package {name}, to enable removal of {gone}"
            ))?;
        }
        self.note_of(id).fate = Fate::Deconfigured;
        let planned = (id.clone(), Some(removing.clone()), Reason::Removal);
        incoming.deconfigured.insert(0, planned);
        Ok(true)
    }

    /// Whether and why a relation does not hold as things are to be.
    pub(super) fn unsatisfied(
        &self,
        of: &PackageId,
        item: &Dependency,
        allows_unconfigured: bool,
    ) -> Option<Unsatisfied> {
        let matters_early = matches!(item.kind, Kind::PreDepends | Kind::Conflicts | Kind::Breaks);
        match (self.fate(of), self.state(of)) {
            (Fate::Removed | Fate::Deconfigured, _) => return None,
            (Fate::Installed, _) => {}
            (Fate::Normal, State::NotInstalled | State::ConfigFiles) => return None,
            (Fate::Normal, State::TriggersAwaited | State::TriggersPending | State::Installed) => {}
            (Fate::Normal, _) if !matters_early => return None,
            (Fate::Normal, _) => {}
        }
        let mut found = Unsatisfied {
            why: format!(" {} {} {}\n", self.shown(of), item.kind.words(), item.relation),
            ..Unsatisfied::default()
        };
        match item.kind {
            Kind::Conflicts | Kind::Breaks => {
                let wanted = item.relation.alternatives.first()?;
                self.hits(of, item.kind, wanted, &mut found).then_some(found)
            }
            _ => {
                let holds = item.relation.alternatives.iter().any(|wanted| {
                    self.is_satisfied(of, (item.kind, wanted), allows_unconfigured, &mut found)
                });
                (!holds).then_some(found)
            }
        }
    }

    /// The packages of a name that an alternative may mean.
    fn meant(&self, of: &PackageId, kind: Kind, wanted: &Alternative) -> Vec<&Package> {
        let own = self.status.named(&wanted.name).map(|(_, package)| package);
        own.filter(|package| {
            fits_architecture(&package.stanza, wanted, (kind, &of.architecture), &self.known)
        })
        .collect()
    }

    fn is_satisfied(
        &self,
        of: &PackageId,
        (kind, wanted): (Kind, &Alternative),
        allows_unconfigured: bool,
        found: &mut Unsatisfied,
    ) -> bool {
        let mut reason = String::new();
        for package in self.meant(of, kind, wanted) {
            let id = package.id();
            let (name, version) = (self.shown(&id), self.version(&id));
            let fits = wanted.allows(&package.version());
            reason = match (self.fate(&id), package.state) {
                (Fate::Removed, _) => format!("  {name} is to be removed.\n"),
                (Fate::Deconfigured, _) => format!("  {name} is to be deconfigured.\n"),
                (Fate::Installed | Fate::Normal, State::NotInstalled) => String::new(),
                (_, State::Installed | State::TriggersPending) if fits => return true,
                (_, State::Installed | State::TriggersPending) => {
                    format!("  {name} is installed, but is version {version}.\n")
                }
                (_, State::TriggersAwaited | State::Unpacked | State::HalfConfigured)
                    if allows_unconfigured =>
                {
                    if package.state == State::TriggersAwaited && fits {
                        found.by_triggers = Some(id.clone());
                    }
                    match package.configured_version() {
                        None => format!("  {name} is unpacked, but has never been configured.\n"),
                        Some(_) if !fits => {
                            format!("  {name} is unpacked, but is version {version}.\n")
                        }
                        Some(configured) if !wanted.allows(&configured) => {
                            format!("  {name} latest configured version is {configured}.\n")
                        }
                        Some(_) => return true,
                    }
                }
                (_, state) => format!("  {name} is {}.\n", words_of(state)),
            };
            found.why.push_str(&reason);
        }
        for (id, provided) in self.relations.providers(&wanted.name) {
            if !is_provided(wanted, &provided) {
                continue;
            }
            let (name, virtual_name) = (self.shown(&id), &wanted.name);
            let is = match (self.fate(&id), self.state(&id)) {
                (Fate::Installed, _) => return true,
                (Fate::Removed, _) => "to be removed",
                (Fate::Deconfigured, _) => "to be deconfigured",
                (Fate::Normal, State::Installed | State::TriggersPending) => return true,
                (Fate::Normal, state) => {
                    if state == State::TriggersAwaited {
                        found.by_triggers = Some(id.clone());
                    }
                    words_of(state)
                }
            };
            reason = format!("  {name} provides {virtual_name} but is {is}.\n");
            found.why.push_str(&reason);
        }
        if reason.is_empty() {
            found.why.push_str(&format!("  {} is not installed.\n", wanted.name));
        }
        false
    }

    /// Whether a conflict or a break hits something.
    fn hits(
        &self,
        of: &PackageId,
        kind: Kind,
        wanted: &Alternative,
        found: &mut Unsatisfied,
    ) -> bool {
        let mut hit: Vec<PackageId> = Vec::new();
        if wanted.name != of.name {
            for package in self.meant(of, kind, wanted) {
                let id = package.id();
                let Some(is) = self.presence(&id, package, kind) else { continue };
                let version = match self.fate(&id) {
                    Fate::Installed => self.coming_version(&id),
                    _ => package.version(),
                };
                if wanted.allows(&version) {
                    let name = self.shown(&id);
                    found.why.push_str(&format!("  {name} (version {version}) is {is}.\n"));
                    hit.push(id);
                }
            }
        }
        let mut is_helpless = false;
        for (id, provided) in self.relations.providers(&wanted.name) {
            if id.name == of.name || !is_provided(wanted, &provided) {
                continue;
            }
            let Some(package) = self.status.get(&id) else { continue };
            let Some(is) = self.presence(&id, package, kind) else { continue };
            let (name, virtual_name) = (self.shown(&id), &wanted.name);
            found.why.push_str(&format!("  {name} provides {virtual_name} and is {is}.\n"));
            is_helpless |= self.fate(&id) == Fate::Installed;
            hit.push(id);
        }
        if let [only] = &hit[..]
            && !is_helpless
        {
            found.by_removal = Some(only.clone());
        }
        !hit.is_empty()
    }

    /// How a package is there, if it is so that it matters.
    fn presence(&self, id: &PackageId, package: &Package, kind: Kind) -> Option<String> {
        match (self.fate(id), package.state) {
            (Fate::Removed, _) => None,
            (Fate::Installed, _) => Some("to be installed".to_owned()),
            (Fate::Deconfigured, _) if kind == Kind::Breaks => None,
            (_, State::NotInstalled | State::ConfigFiles) => None,
            (_, State::HalfInstalled | State::Unpacked | State::HalfConfigured)
                if kind == Kind::Breaks =>
            {
                None
            }
            (_, state) => Some(format!("present and {}", words_of(state))),
        }
    }

    /// The version of a package that comes; that of the one that is there, if none does.
    fn coming_version(&self, id: &PackageId) -> crate::Version {
        match &self.coming {
            Some((coming, version)) if coming == id => version.clone(),
            _ => self.status.get(id).map(Package::version).unwrap_or_default(),
        }
    }
}

/// What comes: its place in the database, and its version.
fn coming(incoming: &Incoming<'_>) -> (PackageId, crate::Version) {
    let version = incoming.deb.control.text("Version").unwrap_or_default();
    (incoming.id.clone(), crate::Version::new(version))
}
