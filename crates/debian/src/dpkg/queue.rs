//! The order in which packages are configured, triggered and removed: a queue that goes round until
//! nothing gets on any more, and then asks for less.

use super::session::{Action, Done, Failure, Fate, Session};
use super::status::{PackageId, State, Want};
use super::triggers::Wanted;

/// How much is asked for, from the strictest on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) enum Attempt {
    /// Every dependency is configured.
    #[default]
    All,
    /// Cycles of dependencies are broken.
    Cycles,
    /// Triggers are run where somebody waits for them.
    Triggers,
    /// Cycles of triggers are given up.
    TriggerCycles,
    /// Versions do not matter, if that is forced.
    ForcedVersions,
    /// Nothing matters, if that is forced.
    Forced,
    /// No more can be done.
    Over,
}

/// Where the queue is.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    pub(super) attempt: Attempt,
    /// How many packages were looked at since one got on.
    pub(super) since_progress: usize,
    /// Whose triggers would help the package that was looked at.
    pub(super) helping: Option<PackageId>,
}

/// dpkg's hash table of package names.
const BINS: u32 = 65521;

/// The bin of a name (the FNV-1a hash of Fowler, Noll and Vo, in 32 bits).
fn bin(name: &str) -> u32 {
    let mix = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(16_777_619);
    name.bytes().map(|byte| byte.to_ascii_lowercase()).fold(2_166_136_261, mix) % BINS
}

impl Attempt {
    fn next(self) -> Self {
        match self {
            Attempt::All => Attempt::Cycles,
            Attempt::Cycles => Attempt::Triggers,
            Attempt::Triggers => Attempt::TriggerCycles,
            Attempt::TriggerCycles => Attempt::ForcedVersions,
            Attempt::ForcedVersions => Attempt::Forced,
            Attempt::Forced | Attempt::Over => Attempt::Over,
        }
    }
}

impl Session<'_, '_, '_> {
    /// All packages in the order of dpkg's hash table, in which it goes through them.
    pub(super) fn in_hash_order(&self) -> Vec<PackageId> {
        let mut ids: Vec<&PackageId> = self.status.packages().map(|(id, _)| id).collect();
        ids.sort_by_key(|id| bin(&id.name));
        ids.into_iter().cloned().collect()
    }

    /// Puts a package at the end of the queue, unless it is in it.
    pub(super) fn enqueue(&mut self, id: &PackageId) {
        let note = self.note_of(id);
        if !note.is_queued {
            note.is_queued = true;
            self.queue.push_back(id.clone());
        }
    }

    /// The same for a package that was named.
    pub(super) fn enqueue_named(&mut self, id: &PackageId) {
        self.enqueue(id);
        self.note_of(id).times_named += 1;
    }

    /// Puts every package into the queue for which there is something left to do.
    pub(super) fn enqueue_pending(&mut self) {
        for id in self.in_hash_order() {
            if self.is_left_to_do(&id) {
                self.enqueue(&id);
            }
        }
    }

    fn is_left_to_do(&self, id: &PackageId) -> bool {
        let Some(package) = self.status.get(id) else { return false };
        match self.action {
            Action::Configure | Action::Install | Action::Unpack => {
                let is_half_done = matches!(package.state, State::Unpacked | State::HalfConfigured);
                (is_half_done || self.has_pending(id)) && self.is_wanted(id)
            }
            Action::Triggers => self.has_pending(id) && self.is_wanted(id),
            Action::Remove | Action::Purge => match package.want {
                Want::Purge => package.state != State::NotInstalled,
                Want::Deinstall => {
                    !matches!(package.state, State::NotInstalled | State::ConfigFiles)
                }
                _ => false,
            },
        }
    }

    /// Works until the queue is empty.
    pub(super) fn process_queue(&mut self) -> Done {
        if self.has_given_up() {
            return Ok(());
        }
        self.forget_fates();
        self.say_repeated()?;
        while let Some(id) = self.queue.pop_front() {
            self.note_of(&id).is_queued = false;
            let left = self.queue.len();
            let id = match self.next_step(id, left) {
                Some(id) => id,
                None => return Err(Failure::Error("dependencies go round in a circle".to_owned())),
            };
            if let Err(failure) = self.process(&id) {
                self.note_of(&id).fate = Fate::Normal;
                let name = self.shown(&id);
                self.report(name, failure)?;
                if self.has_given_up() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn say_repeated(&mut self) -> Done {
        let fate = match self.action {
            Action::Remove | Action::Purge => Fate::Removed,
            _ => Fate::Installed,
        };
        for id in self.queue.clone() {
            let name = self.shown(&id);
            let note = self.note_of(&id);
            note.fate = fate;
            if note.times_named > 1 {
                let line = match self.action {
                    Action::Install => format!(
                        "More than one copy of package {name} has been unpacked\n \
                        in this run !  Only configuring it once.\n"
                    ),
                    _ => format!("Package {name} listed more than once, only processing once.\n"),
                };
                self.say(line)?;
            }
        }
        Ok(())
    }

    /// Asks for less if nothing got on for long, and gives the package to work on: another one, if
    /// its triggers would help.
    fn next_step(&mut self, id: PackageId, left: usize) -> Option<PackageId> {
        let since = self.attempts.since_progress;
        self.attempts.since_progress += 1;
        let mut is_next = since > left * 3 + 2;
        if !is_next && self.attempts.since_progress > left * 2 + 2 {
            let helping = self.attempts.helping.clone().filter(|helping| self.has_pending(helping));
            match helping {
                Some(helping) if self.attempts.attempt >= Attempt::Triggers => {
                    self.enqueue(&id);
                    self.attempts.helping = None;
                    return Some(helping);
                }
                _ => is_next = true,
            }
        }
        if is_next {
            self.attempts.attempt = self.attempts.attempt.next();
            self.attempts.since_progress = 0;
        }
        (self.attempts.attempt != Attempt::Over).then_some(id)
    }

    fn process(&mut self, id: &PackageId) -> Done {
        match self.action {
            Action::Remove | Action::Purge => self.remove_package(id),
            Action::Triggers if !self.has_pending(id) => {
                let state = self.package(id)?.state_name();
                Err(Failure::Error(format!(
                    "package {} is not ready for trigger processing\n \
                    (current status '{state}' with no pending triggers)",
                    self.shown(id)
                )))
            }
            Action::Install if self.state(id) == State::NotInstalled => Ok(()),
            _ if self.has_pending(id) => self.run_triggers(id, Wanted::Queued),
            _ => self.configure_package(id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_hashed_as_dpkg_does() {
        // The hash of nothing is the offset itself; `a` is a published vector of FNV-1a.
        assert_eq!(bin(""), 2_166_136_261 % BINS);
        assert_eq!(bin("a"), 0xe40c_292c % BINS);
        assert_eq!(bin("A"), bin("a"));
    }
}
