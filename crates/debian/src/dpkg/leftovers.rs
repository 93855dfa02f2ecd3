//! What a new version leaves over: files that are not in it any more, and packages whose files are
//! all in it.

use std::collections::{HashMap, HashSet};

use bstr::{BStr, BString, ByteSlice};
use shell::files::Identity;

use super::conffiles::{NEW, with_ending};
use super::dependencies::Kind;
use super::extract::{Extraction, NewFile, Step};
use super::format::is_multi_arch_same;
use super::scripts::shown_version;
use super::session::{Done, Fate, Session};
use super::status::{PackageId, State, Want};
use super::unpack::Incoming;

impl Session<'_, '_, '_> {
    /// Takes away what only the old version had, but for configuration files.
    pub(super) fn remove_old_files(
        &mut self,
        incoming: &mut Incoming<'_>,
        extraction: &mut Extraction,
    ) -> Done {
        self.remove_marked_conffiles(incoming)?;
        let mut kept: HashSet<BString> = extraction
            .files
            .iter()
            .filter(|file| file.step != Step::LeaveOut || file.is_conffile)
            .map(|file| file.name.clone())
            .collect();
        kept.extend(incoming.conffiles.iter().map(|one| one.path.clone()));
        let new = self.identities(incoming, extraction)?;
        for name in self.ownership.files(&incoming.id).iter().rev() {
            if !kept.contains(name) {
                self.remove_old_file(incoming, extraction, name, &new)?;
            }
        }
        Ok(())
    }

    /// Which files the new version has, whatever they are called.
    fn identities(
        &self,
        incoming: &Incoming<'_>,
        extraction: &Extraction,
    ) -> Done<HashMap<Identity, BString>> {
        let mut identities = HashMap::new();
        if self.ownership.files(&incoming.id).is_empty() {
            return Ok(identities);
        }
        for file in extraction.files.iter().filter(|file| file.step != Step::LeaveOut) {
            if let Some((_, stat)) = self.lstat(&file.name)? {
                identities.insert(stat.identity, file.name.clone());
            }
        }
        Ok(identities)
    }

    fn remove_old_file(
        &mut self,
        incoming: &mut Incoming<'_>,
        extraction: &mut Extraction,
        name: &BString,
        new: &HashMap<Identity, BString>,
    ) -> Done {
        let place = BString::from(self.diversions.place(name.as_bstr(), &incoming.id.name));
        let is_directory = self.stat(&place)?.is_some_and(|stat| stat.is_directory());
        if is_directory && self.ownership.is_used_by_others(name.as_bstr(), &incoming.id) {
            return Ok(());
        }
        let Some((path, stat)) = self.lstat(&place)? else { return Ok(()) };
        if stat.is_directory() {
            return self.remove_old_directory(incoming, name, &place);
        }
        let other_name = new.get(&stat.identity);
        let old = incoming.old_conffiles.iter().find(|one| one.path == *name).cloned();
        if let Some(old) = old {
            match other_name {
                Some(other_name) => {
                    let same = incoming.conffiles.iter_mut().find(|one| one.path == *other_name);
                    if let Some(same) = same.filter(|same| same.hash == NEW) {
                        same.hash = old.hash;
                    }
                }
                None => {
                    extraction.files.push(NewFile::obsolete(name.clone()));
                    incoming.conffiles.push(super::conffiles::Conffile {
                        is_obsolete: true,
                        is_removed_on_upgrade: false,
                        ..old
                    });
                }
            }
            return Ok(());
        }
        if other_name.is_some() {
            return Ok(());
        }
        self.activate_path(place.as_bstr(), Some(&incoming.id))?;
        Ok(self.files().remove(&path)?)
    }

    fn remove_old_directory(
        &mut self,
        incoming: &Incoming<'_>,
        name: &BString,
        place: &BString,
    ) -> Done {
        self.activate_path(place.as_bstr(), Some(&incoming.id))?;
        if place == "/." {
            return Ok(());
        }
        if !self.remove_directory(place)? {
            let line = format!("unable to delete old directory '{name}': Directory not empty");
            self.warn(line)?;
        }
        Ok(())
    }

    /// Takes away a directory, if nothing is in it. Whether it could be.
    pub(super) fn remove_directory(&mut self, place: &[u8]) -> Done<bool> {
        let Some((path, _)) = self.lstat(place)? else { return Ok(true) };
        if path.is_root() || !self.files().read_dir(&path)?.is_empty() {
            return Ok(false);
        }
        self.files().remove(&path)?;
        Ok(true)
    }

    /// Configuration files that the new version wants to be gone (deb-conffiles(5)).
    fn remove_marked_conffiles(&mut self, incoming: &mut Incoming<'_>) -> Done {
        for at in 0..incoming.conffiles.len() {
            let one = incoming.conffiles[at].clone();
            if !one.is_removed_on_upgrade {
                continue;
            }
            let path = BString::from(self.diversions.place(one.path.as_bstr(), &incoming.id.name));
            let Some(place) = self.conffile_place(&incoming.id, path.as_bstr())? else {
                incoming.conffiles[at].hash = super::conffiles::NO_FILE.to_owned();
                continue;
            };
            if self.ownership.is_used_by_others(one.path.as_bstr(), &incoming.id) {
                continue;
            }
            self.unlink(&with_ending(&place, ".dpkg-dist"))?;
            let Some(current) = self.md5(&place)? else { continue };
            if current == one.hash {
                self.say(format!("Removing obsolete conffile {place} ...\n"))?;
                self.unlink(&place)?;
                continue;
            }
            let old = with_ending(&place, ".dpkg-old");
            self.say(format!("Obsolete conffile '{place}' has been modified by you.\n"))?;
            self.say(format!("Saving as {old} ...\n"))?;
            self.rename(&place, &old)?;
        }
        Ok(())
    }

    /// Packages of which nothing is left are gone.
    pub(super) fn disappear_others(
        &mut self,
        incoming: &Incoming<'_>,
        extraction: &Extraction,
    ) -> Done {
        let archive: HashSet<&BString> = extraction
            .files
            .iter()
            .filter(|file| file.step != Step::LeaveOut)
            .map(|file| &file.name)
            .collect();
        for other in self.in_hash_order() {
            if self.may_disappear(incoming, &other)
                && !self.has_own_files(incoming, &other, &archive)
                && !self.is_needed(&other)
            {
                self.disappear(incoming, &other)?;
            }
        }
        Ok(())
    }

    fn may_disappear(&self, incoming: &Incoming<'_>, other: &PackageId) -> bool {
        let Some(package) = self.status.get(other) else { return false };
        let is_instance = other.name == incoming.id.name
            && is_multi_arch_same(&package.stanza)
            && is_multi_arch_same(&incoming.deb.control);
        *other != incoming.id
            && package.state > State::ConfigFiles
            && self.fate(other) != Fate::Removed
            && !is_instance
            && self.ownership.files(other).iter().any(|path| path != "/.")
    }

    /// Whether a package has a file that no other has.
    fn has_own_files(
        &self,
        incoming: &Incoming<'_>,
        other: &PackageId,
        archive: &HashSet<&BString>,
    ) -> bool {
        let is_own = |path: &BStr| {
            if let Some(Some(in_favour)) = self.diversions.of(path)
                && (in_favour == &*other.name || in_favour == &*incoming.id.name)
            {
                return true;
            }
            if archive.contains(&path.to_owned()) {
                return false;
            }
            let is_same = self.status.get(other).is_some_and(|one| is_multi_arch_same(&one.stanza));
            let takes_over = |third: &PackageId| {
                *third != incoming.id && third != other && !(is_same && third.name == other.name)
            };
            !self.ownership.owners(path).iter().any(takes_over)
        };
        self.ownership.files(other).iter().any(|path| is_own(path.as_bstr()))
    }

    /// Whether something that is there depends on a package, or recommends it.
    fn is_needed(&mut self, other: &PackageId) -> bool {
        self.note_of(other).fate = Fate::Removed;
        let mut names = vec![other.name.clone()];
        let provided = self.relations.of(other);
        let provided = provided.iter().filter(|item| item.kind == Kind::Provides);
        names.extend(
            provided.flat_map(|item| &item.relation.alternatives).map(|one| one.name.clone()),
        );
        let kinds = [Kind::Depends, Kind::PreDepends, Kind::Recommends];
        let items = names.iter().flat_map(|name| self.relations.items(name, &kinds));
        let items: Vec<_> = items.collect();
        let is_needed = items.iter().any(|(id, item)| self.unsatisfied(id, item, false).is_some());
        self.note_of(other).fate = Fate::Normal;
        is_needed
    }

    fn disappear(&mut self, incoming: &Incoming<'_>, other: &PackageId) -> Done {
        let shown = self.shown(other);
        self.say(format!(
            "(Noting disappearance of {shown}, which has been completely replaced.)\n"
        ))?;
        self.activate_for(other)?;
        let control = &incoming.deb.control;
        let (name, version) = (self.shown_of(control), shown_version(control));
        self.installed_script(other, "postrm", &["disappear", &name, &version])?;
        for path in self.info_of(other)?.into_values() {
            self.remove_info(path.as_bstr())?;
        }
        self.package_mut(other)?.want = Want::Unknown;
        self.blank(other)
    }
}
