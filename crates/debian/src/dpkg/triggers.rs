//! Triggers: activated, awaited, run (deb-triggers(5); dpkg's `triggers.txt`).

use bstr::{BStr, BString, ByteSlice};
use shell::Data;

use super::checks::Verdict;
use super::engine::Triggers;
use super::interests::{Awaiting, Directive, DirectiveKind};
use super::paths;
use super::queue::Attempt;
use super::session::{Done, Failure, Fate, Session, id_of};
use super::status::{Package, PackageId, State, Status};

/// How much a run of triggers is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Somebody needs it now.
    Required,
    /// It stands in the queue.
    Queued,
    /// It is one of those at the end, which may stay for a later run.
    Deferred,
}

/// Who had which triggers pending when, to find out that nothing gets on: one looks at each
/// moment, the other follows at half the pace.
#[derive(Debug, Default)]
pub(super) struct Cycle {
    moments: Vec<Moment>,
    tortoise: usize,
    does_advance: bool,
}

#[derive(Debug)]
struct Moment {
    processed: PackageId,
    /// Each package that had some, the last of dpkg's order first.
    pending: Vec<(PackageId, Vec<String>)>,
}

const PENDING: &str = "Triggers-Pending";
const AWAITED: &str = "Triggers-Awaited";

/// dpkg reads pending triggers one before the other, so that their order turns with each reading.
pub(super) fn read_reversed(status: &mut Status) {
    let with: Vec<PackageId> = status
        .packages()
        .filter(|(_, package)| package.stanza.get(PENDING).is_some())
        .map(|(id, _)| id.clone())
        .collect();
    for id in with {
        if let Some(package) = status.get_mut(&id) {
            let mut words = words(package, PENDING);
            words.reverse();
            set_words(package, PENDING, &words);
        }
    }
}

fn words(package: &Package, name: &str) -> Vec<String> {
    let text = package.stanza.text(name).unwrap_or_default();
    text.split_whitespace().map(str::to_owned).collect()
}

fn set_words(package: &mut Package, name: &str, words: &[String]) {
    match words.is_empty() {
        true => package.stanza.remove(name),
        false => package.stanza.set(name, words.join(" ")),
    }
}

/// Activation.
impl Session<'_, '_, '_> {
    /// The triggers that a package has to run.
    pub(super) fn pending(&self, id: &PackageId) -> Vec<String> {
        self.status.get(id).map(|package| words(package, PENDING)).unwrap_or_default()
    }

    pub(super) fn has_pending(&self, id: &PackageId) -> bool {
        self.status.get(id).is_some_and(|package| package.stanza.get(PENDING).is_some())
    }

    /// The packages whose triggers a package waits for.
    pub(super) fn awaited(&self, id: &PackageId) -> Vec<PackageId> {
        let names = self.status.get(id).map(|package| words(package, AWAITED)).unwrap_or_default();
        names.iter().filter_map(|name| self.named(name)).collect()
    }

    fn waits(&self, id: &PackageId) -> bool {
        self.status.get(id).is_some_and(|package| package.stanza.get(AWAITED).is_some())
    }

    /// The state of a package whose script has come to its end.
    pub(super) fn state_by_triggers(&self, id: &PackageId) -> State {
        match (self.waits(id), self.has_pending(id)) {
            (true, _) => State::TriggersAwaited,
            (false, true) => State::TriggersPending,
            (false, false) => State::Installed,
        }
    }

    /// Triggers that a state has no place for are forgotten.
    pub(super) fn tidy_triggers(&mut self, id: &PackageId) {
        let Some(package) = self.status.get_mut(id) else { return };
        if !matches!(package.state, State::TriggersPending | State::TriggersAwaited) {
            package.stanza.remove(PENDING);
        }
        if package.state <= State::ConfigFiles {
            package.stanza.remove(AWAITED);
        }
    }

    /// Packages that wait for one without pending triggers wait no longer.
    pub(super) fn release_awaiting(&mut self, id: &PackageId) -> Done {
        if self.has_pending(id) {
            return Ok(());
        }
        let name = self.shown(id);
        let waiting = |package: &Package| words(package, AWAITED).contains(&name);
        let waiting = self.status.packages().filter(|(_, package)| waiting(package));
        let waiting: Vec<PackageId> = waiting.map(|(id, _)| id.clone()).collect();
        for waiting in waiting {
            let package = self.package_mut(&waiting)?;
            let mut left = words(package, AWAITED);
            left.retain(|other| *other != name);
            set_words(package, AWAITED, &left);
            if left.is_empty() && package.state == State::TriggersAwaited {
                let state = self.state_by_triggers(&waiting);
                self.set_state(&waiting, state)?;
                self.note(&waiting)?;
            }
        }
        Ok(())
    }

    /// Activates a trigger, which is a path or a name.
    pub(super) fn activate(&mut self, trigger: &BStr, awaiter: Option<&PackageId>) -> Done {
        if trigger.starts_with(b"/") {
            return self.activate_path(trigger, awaiter);
        }
        for (package, awaiting) in self.interested(trigger)? {
            self.record(&package, awaiter.filter(|_| awaiting == Awaiting::Yes), trigger)?;
        }
        Ok(())
    }

    /// Activates the triggers of exactly this path.
    pub(super) fn activate_file(&mut self, path: &BStr, awaiter: Option<&PackageId>) -> Done {
        for (package, awaiting) in self.interests.of(path) {
            self.record(&package, awaiter.filter(|_| awaiting == Awaiting::Yes), path)?;
        }
        Ok(())
    }

    /// Activates the triggers of a path and of all directories above it.
    pub(super) fn activate_path(&mut self, path: &BStr, awaiter: Option<&PackageId>) -> Done {
        let mut path = path;
        loop {
            self.activate_file(path, awaiter)?;
            match path.rfind_byte(b'/') {
                Some(at) if at > 0 => path = &path[..at],
                _ => return Ok(()),
            }
        }
    }

    /// Activates what a package's `triggers` says, since something becomes of it.
    pub(super) fn activate_directives(&mut self, directives: &[Directive], id: &PackageId) -> Done {
        for one in directives.iter().filter(|one| one.kind == DirectiveKind::Activate) {
            let awaiter = (one.awaiting == Awaiting::Yes).then_some(id);
            self.activate(one.trigger.as_bstr(), awaiter)?;
        }
        Ok(())
    }

    /// The same for a package that is there.
    pub(super) fn activate_for(&mut self, id: &PackageId) -> Done {
        let path = self.info_path(id, "triggers")?;
        let directives = self.directives_in(&path)?;
        self.activate_directives(&directives, id)
    }

    fn record(&mut self, package: &str, awaiter: Option<&PackageId>, trigger: &BStr) -> Done {
        let Some(id) = self.named(package) else { return Ok(()) };
        if self.state(&id) < State::TriggersAwaited {
            return Ok(());
        }
        let mut pending = self.pending(&id);
        if !pending.iter().any(|known| *trigger == **known) {
            pending.insert(0, trigger.to_string());
            set_words(self.package_mut(&id)?, PENDING, &pending);
            let state = self.state_by_triggers(&id);
            self.set_state(&id, state)?;
            self.note(&id)?;
        }
        if self.options.triggers == Triggers::Run && !self.deferred.contains(&id) {
            self.deferred.push_back(id.clone());
        }
        match awaiter {
            Some(awaiter) => self.await_triggers(awaiter, &id),
            None => Ok(()),
        }
    }

    fn await_triggers(&mut self, awaiter: &PackageId, id: &PackageId) -> Done {
        let name = self.shown(id);
        let Some(package) = self.status.get_mut(awaiter) else { return Ok(()) };
        let mut awaited = words(package, AWAITED);
        if awaited.contains(&name) || package.state <= State::ConfigFiles {
            return Ok(());
        }
        awaited.push(name);
        set_words(package, AWAITED, &awaited);
        if package.state > State::TriggersAwaited {
            self.set_state(awaiter, State::TriggersAwaited)?;
        }
        self.note(awaiter)
    }

    /// Takes over what `dpkg-trigger` has written into `Unincorp`.
    pub(super) fn incorporate(&mut self) -> Done {
        let Some(bytes) = self.bytes(paths::UNINCORPORATED)? else {
            self.note_all_interests()?;
            return self.write_file(paths::UNINCORPORATED, Data::empty(), 0o644);
        };
        if bytes.is_empty() {
            return Ok(());
        }
        for line in bytes.lines().filter(|line| !line.starts_with(b"#")) {
            let mut words = line.fields();
            let Some(trigger) = words.next() else { continue };
            let trigger = BString::from(trigger);
            let awaiters: Vec<&[u8]> = words.collect();
            for awaiter in awaiters {
                let awaiter = awaiter.to_str().ok().filter(|name| *name != "-");
                let awaiter = awaiter.and_then(|name| self.named(name));
                self.activate(trigger.as_bstr(), awaiter.as_ref())?;
            }
        }
        self.write_file(paths::UNINCORPORATED, Data::empty(), 0o644)
    }

    /// Without `Unincorp`, triggers were never seen here: who is there is interested from now on.
    fn note_all_interests(&mut self) -> Done {
        let there = self.status.packages().filter(|(_, one)| one.state > State::HalfInstalled);
        let ids: Vec<PackageId> = there.map(|(id, _)| id.clone()).collect();
        for id in ids {
            let path = self.info_path(&id, "triggers")?;
            let directives = self.directives_in(&path)?;
            let name = self.name_of_interest(&id);
            self.add_interests(&directives, &name)?;
        }
        self.save_interests()
    }

    /// A package's name in files of interests.
    pub(super) fn name_of_interest(&self, id: &PackageId) -> String {
        match self.status.get(id) {
            Some(package) => name_of_interest(&package.stanza),
            None => id.name.to_string(),
        }
    }
}

/// The name of a package in files of interests.
pub(super) fn name_of_interest(stanza: &crate::Stanza) -> String {
    let id = id_of(stanza);
    match super::format::is_multi_arch_same(stanza) {
        true => id.to_string(),
        false => id.name.to_string(),
    }
}

/// Running.
impl Session<'_, '_, '_> {
    /// Runs the triggers that are left at the end.
    pub(super) fn run_deferred(&mut self) -> Result<(), shell::Stop> {
        while let Some(id) = self.deferred.pop_front() {
            if let Err(failure) = self.run_triggers(&id, Wanted::Deferred) {
                let name = self.shown(&id);
                self.report(name, failure)?;
            }
        }
        Ok(())
    }

    /// Puts every package with pending triggers at the end.
    pub(super) fn defer_all(&mut self) {
        for id in self.in_hash_order() {
            let is_meant =
                matches!(self.state(&id), State::TriggersAwaited | State::TriggersPending)
                    && self.has_pending(&id)
                    && self.is_wanted(&id);
            if is_meant && self.options.triggers == Triggers::Run && !self.deferred.contains(&id) {
                self.deferred.push_back(id);
            }
        }
    }

    /// Runs the triggers of a package, or puts it off.
    pub(super) fn run_triggers(&mut self, id: &PackageId, wanted: Wanted) -> Done {
        self.deferred.retain(|other| other != id);
        if !self.has_pending(id) {
            return self.release_awaiting(id);
        }
        if self.attempts.attempt < Attempt::Triggers && wanted == Wanted::Queued {
            self.enqueue(id);
            return Ok(());
        }
        if self.attempts.attempt >= Attempt::Cycles && self.break_cycle(id) {
            self.attempts.since_progress = 0;
        }
        let (verdict, why) = self.dependencies_hold(id, None)?;
        match verdict {
            Verdict::Later => {
                if self.attempts.attempt >= Attempt::TriggerCycles
                    && self.gave_up(id)?.as_ref() == Some(id)
                {
                    return Ok(());
                }
                self.enqueue(id);
                return Ok(());
            }
            Verdict::Never if wanted == Wanted::Deferred => {
                self.trigger_cycle = Cycle::default();
                return Ok(());
            }
            Verdict::Never => {
                self.attempts.since_progress = 0;
                let name = self.shown(id);
                self.notice(format!(
                    "dependency problems prevent processing triggers for {name}:\n{why}"
                ))?;
                let error = "dependency problems - leaving triggers unprocessed".to_owned();
                return Err(Failure::Error(error));
            }
            Verdict::Now => {}
        }
        if self.gave_up(id)?.as_ref() == Some(id) {
            return Ok(());
        }
        let (name, version) = (self.shown(id), self.version(id));
        self.say(format!("Processing triggers for {name} ({version}) ...\n"))?;
        let triggers = self.pending(id).join(" ");
        self.set_state(id, State::HalfConfigured)?;
        self.note(id)?;
        self.attempts.since_progress = 0;
        self.postinst(id, &["triggered", &triggers])?;
        self.finish_script(id)
    }

    /// Notes that a package is configured, and takes over what its script has triggered.
    pub(super) fn finish_script(&mut self, id: &PackageId) -> Done {
        let state = self.state_by_triggers(id);
        self.set_state(id, state)?;
        self.note(id)?;
        self.incorporate()
    }

    /// The package that is given up because triggers go round in a circle.
    fn gave_up(&mut self, id: &PackageId) -> Done<Option<PackageId>> {
        let with = self.in_hash_order().into_iter().filter(|id| self.has_pending(id));
        let mut pending: Vec<_> = with.map(|id| (id.clone(), self.pending(&id))).collect();
        pending.reverse();
        let cycle = &mut self.trigger_cycle;
        cycle.moments.push(Moment { processed: id.clone(), pending });
        if cycle.moments.len() == 1 {
            return Ok(None);
        }
        cycle.tortoise += usize::from(cycle.does_advance);
        cycle.does_advance = !cycle.does_advance;
        let Some(then) = cycle.moments.get(cycle.tortoise) else { return Ok(None) };
        let then = then.pending.clone();
        let is_still = |(id, triggers): &(PackageId, Vec<String>)| {
            let now = self.pending(id);
            triggers.iter().all(|trigger| now.contains(trigger))
        };
        let Some((given_up, _)) = then.first().filter(|_| then.iter().all(is_still)) else {
            return Ok(None);
        };
        let given_up = given_up.clone();
        self.say_cycle(&then)?;
        self.note_of(&given_up).fate = Fate::Normal;
        self.set_state(&given_up, State::HalfConfigured)?;
        self.note(&given_up)?;
        let name = self.shown(&given_up);
        self.report_error("package", name, "triggers looping, abandoned")?;
        Ok(Some(given_up))
    }

    fn say_cycle(&mut self, pending: &[(PackageId, Vec<String>)]) -> Done {
        let moments = &self.trigger_cycle.moments[self.trigger_cycle.tortoise..];
        let chain: Vec<String> = moments.iter().map(|one| self.shown(&one.processed)).collect();
        let lines = pending
            .iter()
            .map(|(id, triggers)| format!("  {}: {}\n", self.shown(id), triggers.join(": ")));
        let lines: String = lines.collect();
        self.notice(format!(
            "cycle found while processing triggers:\n \
            chain of packages whose triggers are or may be responsible:\n  {}\n \
            packages' pending triggers which are or may be unresolvable:\n{}",
            chain.join(" -> "),
            lines.trim_end_matches('\n'),
        ))?;
        Ok(())
    }
}
