//! Removing and purging (Debian Policy 6.8).

use bstr::{BStr, BString, ByteSlice};
use shell::files::Last;

use super::checks::Verdict;
use super::conffiles::{NEW, conffiles, set_conffiles, with_ending};
use super::dependencies::Kind;
use super::queue::Attempt;
use super::session::{Action, Done, Failure, Fate, Session};
use super::settings::Force;
use super::status::{PackageId, State, Want};

/// What belongs to a configuration file beside it (dpkg's `REMOVECONFFEXTS`).
const BESIDE: [&str; 7] = ["~", ".bak", "%", ".dpkg-tmp", ".dpkg-new", ".dpkg-old", ".dpkg-dist"];

impl Session<'_, '_, '_> {
    /// Removes or purges a package, or puts it off.
    pub(super) fn remove_package(&mut self, id: &PackageId) -> Done {
        let wanted = if self.action == Action::Purge { Want::Purge } else { Want::Deinstall };
        if !self.is_pending
            && let Some(package) = self.status.get_mut(id)
            && package.want != Want::Unknown
        {
            package.want = wanted;
            self.note(id)?;
        }
        if !self.is_to_remove(id)? {
            self.attempts.since_progress = 0;
            self.note_of(id).fate = Fate::Normal;
            return Ok(());
        }
        self.check_essential(id)?;
        let (verdict, why) = self.removable(id)?;
        let name = self.shown(id);
        match verdict {
            Verdict::Later => {
                self.note_of(id).fate = Fate::Removed;
                self.enqueue(id);
                return Ok(());
            }
            Verdict::Never => {
                self.attempts.since_progress = 0;
                self.notice(format!("dependency problems prevent removal of {name}:\n{why}"))?;
                return Err(Failure::Error("dependency problems - not removing".to_owned()));
            }
            Verdict::Now if !why.is_empty() => {
                let line = "dependency problems, but removing anyway as you requested";
                self.notice(format!("{name}: {line}:\n{why}"))?;
            }
            Verdict::Now => {}
        }
        self.attempts.since_progress = 0;
        if self.package(id)?.is_broken {
            let error = "package is in a very bad inconsistent state; you should\n \
                reinstall it before attempting a removal";
            self.forcible(Force::RemoveReinstallRequired, error.to_owned())?;
        }
        self.read_lists()?;
        self.stop(id)?;
        self.remove_bulk(id)
    }

    /// Whether there is something to remove, or a warning that there is not.
    fn is_to_remove(&mut self, id: &PackageId) -> Done<bool> {
        let name = self.shown(id);
        match self.state(id) {
            State::NotInstalled => {
                self.warn(format!("ignoring request to remove {name} which isn't installed"))?;
                Ok(false)
            }
            State::ConfigFiles if !self.is_pending && self.action != Action::Purge => {
                self.warn(format!(
                    "ignoring request to remove {name}, only the config\n \
                    files of which are on the system; use --purge to remove them too"
                ))?;
                Ok(false)
            }
            _ => Ok(true),
        }
    }

    fn check_essential(&mut self, id: &PackageId) -> Done {
        if self.state(id) == State::ConfigFiles {
            return Ok(());
        }
        let kinds = [
            ("Essential", "an essential", Force::RemoveEssential),
            ("Protected", "a protected", Force::RemoveProtected),
        ];
        for (field, words, force) in kinds {
            if self.package(id)?.says_yes(field) {
                let error = format!("this is {words} package; it should not be removed");
                self.forcible(force, error)?;
            }
        }
        Ok(())
    }

    /// Whether nothing needs a package, and what does.
    fn removable(&mut self, id: &PackageId) -> Done<(Verdict, String)> {
        let mut verdict = Verdict::Now;
        let mut why = String::new();
        let mut names = vec![id.name.clone()];
        for item in self.relations.of(id).iter().filter(|item| item.kind == Kind::Provides) {
            names.extend(item.relation.alternatives.first().map(|provided| provided.name.clone()));
        }
        for name in names {
            for (other, _) in self.relations.items(&name, &[Kind::Depends, Kind::PreDepends]) {
                if self.state(&other) < State::Unpacked {
                    continue;
                }
                if self.attempts.attempt >= Attempt::Cycles && self.break_cycle(id) {
                    self.attempts.since_progress = 0;
                }
                let (mut one, reason) = self.dependencies_hold(&other, Some(id))?;
                if one == Verdict::Never && self.fate(&other) == Fate::Removed {
                    one = Verdict::Later;
                }
                if one != Verdict::Later {
                    why.push_str(&reason);
                }
                verdict = verdict.min(one);
            }
        }
        Ok((verdict, why))
    }

    /// Runs `prerm`.
    fn stop(&mut self, id: &PackageId) -> Done {
        let (name, version) = (self.shown(id), self.version(id));
        let before = self.state(id);
        if before > State::ConfigFiles {
            self.say(format!("Removing {name} ({version}) ...\n"))?;
        }
        self.activate_for(id)?;
        if before < State::HalfConfigured {
            return Ok(());
        }
        self.set_state(id, State::HalfConfigured)?;
        self.note(id)?;
        if let Err(failure) = self.installed_script(id, "prerm", &["remove"]) {
            return match failure {
                Failure::Error(error) => self.resume(id, before, error),
                stop => Err(stop),
            };
        }
        self.set_state(id, State::Unpacked)
    }

    /// After a `prerm` that failed, the package is to be as it was.
    fn resume(&mut self, id: &PackageId, before: State, error: String) -> Done {
        let name = self.shown(id);
        self.report_error("package", name, &error)?;
        let resumed = self.postinst(id, &["abort-remove"]);
        match resumed {
            Ok(()) => {
                self.package_mut(id)?.is_broken = false;
                let state = if before < State::TriggersAwaited {
                    before
                } else {
                    self.state_by_triggers(id)
                };
                self.set_state(id, state)?;
                self.note(id)?;
                self.incorporate()?;
            }
            Err(Failure::Error(error)) => {
                self.notice(format!("error while cleaning up:\n {error}"))?;
            }
            Err(stop) => return Err(stop),
        }
        self.note_of(id).fate = Fate::Normal;
        Err(Failure::Said)
    }

    /// Takes a package's files away, and with them its configuration if that is wanted.
    pub(super) fn remove_bulk(&mut self, id: &PackageId) -> Done {
        if matches!(self.state(id), State::HalfInstalled | State::Unpacked) {
            self.remove_files(id)?;
        }
        let has_postrm = self.has_script(id, "postrm")?;
        if !has_postrm && conffiles(self.package(id)?).is_empty() {
            self.package_mut(id)?.want = Want::Purge;
            self.package_mut(id)?.stanza.remove("Config-Version");
        } else if self.package(id)?.want == Want::Purge {
            self.remove_configuration(id)?;
        }
        if self.package(id)?.want != Want::Purge {
            self.package_mut(id)?.is_broken = false;
            return self.note(id);
        }
        self.remove_left_directories(id)?;
        for kind in ["list", "postrm"] {
            let path = self.info_path(id, kind)?;
            self.remove_info(path.as_bstr())?;
        }
        self.package_mut(id)?.want = Want::Unknown;
        self.blank(id)
    }

    fn remove_files(&mut self, id: &PackageId) -> Done {
        self.set_state(id, State::HalfInstalled)?;
        self.note(id)?;
        let mut left: Vec<BString> = Vec::new();
        for name in self.ownership.files(id).iter().rev() {
            if self.is_left(id, name, &left)? {
                left.push(name.clone());
            }
        }
        left.reverse();
        self.write_list(id, left)?;
        self.installed_script(id, "postrm", &["remove"])?;
        let path = self.info_path(id, "triggers")?;
        let directives = self.directives_in(&path)?;
        let interest = self.name_of_interest(id);
        self.remove_interests(&directives, &interest)?;
        self.save_interests()?;
        for (kind, path) in self.info_of(id)? {
            if kind != "list" && kind != "postrm" {
                self.remove_info(path.as_bstr())?;
            }
        }
        self.set_state(id, State::ConfigFiles)?;
        for name in ["Essential", "Protected"] {
            self.package_mut(id)?.stanza.remove(name);
        }
        self.note(id)
    }

    /// Takes away a file of a package, unless it is to stay in the package's list.
    fn is_left(&mut self, id: &PackageId, name: &BString, left: &[BString]) -> Done<bool> {
        let place = BString::from(self.diversions.place(name.as_bstr(), &id.name));
        let is_directory = self.stat(&place)?.is_some_and(|stat| stat.is_directory());
        if !is_directory && self.is_shared(id, name) {
            return Ok(false);
        }
        let all = conffiles(self.package(id)?);
        if all.iter().any(|one| one.path == *name) {
            return Ok(true);
        }
        if is_directory {
            let has_conffiles = all.iter().any(|one| {
                !one.is_obsolete && !one.is_removed_on_upgrade && is_below(&one.path, name)
            });
            if has_conffiles || left.iter().any(|other| is_below(other, name)) {
                return Ok(true);
            }
            if self.ownership.is_used_by_others(name.as_bstr(), id) {
                return Ok(false);
            }
            if place == "/." {
                return Ok(true);
            }
        }
        self.activate_path(place.as_bstr(), Some(id))?;
        for ending in [".dpkg-tmp", ".dpkg-new"] {
            self.remove_tree(&with_ending(&place, ending))?;
        }
        match self.lstat(&place)? {
            Some((_, stat)) if stat.is_directory() => Ok(!self.remove_directory(&place)?),
            Some(_) => self.unlink(&place).map(|()| false),
            None => Ok(false),
        }
    }

    /// Whether another architecture of the package has a file, too.
    fn is_shared(&self, id: &PackageId, name: &BString) -> bool {
        let owners = self.ownership.owners(name.as_bstr());
        owners.iter().any(|other| other != id && other.name == id.name)
    }

    fn remove_configuration(&mut self, id: &PackageId) -> Done {
        let (name, version) = (self.shown(id), self.version(id));
        self.say(format!("Purging configuration files for {name} ({version}) ...\n"))?;
        self.activate_for(id)?;
        self.package_mut(id)?.stanza.remove("Config-Version");
        self.note(id)?;
        let listed = self.ownership.files(id);
        let mut own = conffiles(self.package(id)?);
        let all = own.clone();
        own.retain(|one| {
            listed.contains(&one.path) && !self.is_diverted_away(id, one.path.as_bstr())
        });
        own.iter_mut().for_each(|one| one.hash = NEW.to_owned());
        set_conffiles(self.package_mut(id)?, &own);
        self.note(id)?;
        for one in &own {
            self.remove_conffile(id, one.path.as_bstr())?;
        }
        let is_conffile = |path: &&BString| all.iter().any(|one| one.path == **path);
        let left = listed.iter().filter(|path| !is_conffile(path)).cloned().collect();
        self.write_list(id, left)?;
        set_conffiles(self.package_mut(id)?, &[]);
        self.note(id)?;
        self.installed_script(id, "postrm", &["purge"])
    }

    fn is_diverted_away(&self, id: &PackageId, path: &BStr) -> bool {
        let in_favour = self.diversions.of(path);
        self.diversions.diverted_to(path).is_some()
            || in_favour.is_some_and(|package| package != Some(&*id.name))
    }

    fn remove_conffile(&mut self, id: &PackageId, path: &BStr) -> Done {
        let Some(place) = self.conffile_place(id, path)? else { return Ok(()) };
        let used = BString::from(self.diversions.place(path, &id.name));
        self.activate_path(used.as_bstr(), Some(id))?;
        self.unlink(&place)?;
        let Some(end) = place.rfind_byte(b'/') else { return Ok(()) };
        let (directory, name) = (&place[..=end], &place[end + 1..]);
        let Some(located) = self.locate(directory, Last::Followed)? else { return Ok(()) };
        if !located.stat.is_some_and(|stat| stat.is_directory()) {
            return Ok(());
        }
        for other in self.files().read_dir(&located.path)?.into_keys() {
            if belongs_to(&other, name) {
                self.unlink(&[directory, &other[..]].concat())?;
            }
        }
        Ok(())
    }

    /// Looks again at directories that are left, which may be empty by now.
    fn remove_left_directories(&mut self, id: &PackageId) -> Done {
        self.note(id)?;
        let mut left: Vec<BString> = Vec::new();
        for name in self.ownership.files(id).iter().rev() {
            if self.is_directory_left(id, name, &left)? {
                left.push(name.clone());
            }
        }
        left.reverse();
        self.write_list(id, left)?;
        self.note(id)
    }

    fn is_directory_left(
        &mut self,
        id: &PackageId,
        name: &BString,
        left: &[BString],
    ) -> Done<bool> {
        let place = BString::from(self.diversions.place(name.as_bstr(), &id.name));
        if self.stat(&place)?.is_some_and(|stat| stat.is_directory()) {
            if left.iter().any(|other| is_below(other, name)) {
                return Ok(true);
            }
            if self.ownership.is_used_by_others(name.as_bstr(), id) {
                return Ok(false);
            }
            if place == "/." {
                return Ok(true);
            }
        }
        self.activate_path(place.as_bstr(), Some(id))?;
        match self.lstat(&place)? {
            None => Ok(false),
            Some((_, stat)) if stat.is_directory() => {
                let is_left = !self.remove_directory(&place)?;
                if is_left {
                    let package = self.shown(id);
                    let line = "not empty so not removed";
                    self.warn(format!("while removing {package}, directory '{name}' {line}"))?;
                }
                Ok(is_left)
            }
            Some((path, stat)) if matches!(stat.kind, shell::files::Kind::Symlink(_)) => {
                self.files().remove(&path)?;
                Ok(false)
            }
            Some(_) => Ok(true),
        }
    }
}

/// Whether a path is somewhere below a directory.
fn is_below(path: &BString, directory: &BString) -> bool {
    path.strip_prefix(&directory[..]).is_some_and(|rest| rest.len() > 1 && rest[0] == b'/')
}

/// Whether a file is a copy of a configuration file, as editors and dpkg make them.
fn belongs_to(other: &[u8], name: &[u8]) -> bool {
    if let Some(rest) = other.strip_prefix(name) {
        let is_numbered = |rest: &[u8]| {
            let digits = rest.strip_prefix(b"~").and_then(|rest| rest.strip_suffix(b"~"));
            digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_digit))
        };
        return BESIDE.iter().any(|ending| ending.as_bytes() == rest) || is_numbered(rest);
    }
    let inner = other.strip_prefix(b"#").and_then(|rest| rest.strip_suffix(b"#"));
    inner == Some(name)
}
