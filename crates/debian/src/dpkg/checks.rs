//! Whether a package may be configured, or removed: its dependencies, and what it breaks (dpkg's
//! rules, Debian Policy 7.2 and 7.3).

use super::cycles::Link;
use super::dependencies::{Dependency, Kind, fits_architecture, is_provided};
use super::queue::Attempt;
use super::session::{Done, Fate, Session};
use super::settings::Force;
use super::status::{Package, PackageId, State};
use crate::relation::Alternative;

/// What a check comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verdict {
    /// It is an error.
    Never,
    /// Perhaps when others are done.
    Later,
    /// All is well.
    Now,
}

/// How one dependency is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Found {
    Nothing,
    Later,
    Forced,
    Satisfied,
}

/// A package that may satisfy a dependency.
struct Candidate<'a> {
    id: &'a PackageId,
    /// What it provides, if it is not the package of that name.
    provided: Option<&'a Alternative>,
}

/// What was found out about one dependency.
#[derive(Default)]
struct Findings {
    /// Why its candidates do not satisfy it.
    reasons: String,
    has_warnings: bool,
    /// Whether the package to be removed is one of them.
    is_matched: bool,
    /// Whose triggers would help.
    helping: Option<PackageId>,
}

impl Session<'_, '_, '_> {
    /// Whether what a package depends on is there, and why not. With `removing`, only what depends
    /// on that counts.
    pub(super) fn dependencies_hold(
        &mut self,
        id: &PackageId,
        removing: Option<&PackageId>,
    ) -> Done<(Verdict, String)> {
        let mut verdict = Verdict::Now;
        let mut why = String::new();
        let (mut helping, mut is_helpless) = (None, false);
        for (at, item) in self.relations.of(id).iter().enumerate() {
            if !matches!(item.kind, Kind::Depends | Kind::PreDepends) {
                continue;
            }
            let mut findings = Findings::default();
            let found = self.dependency(id, (at, item), removing, &mut findings)?;
            if removing.is_some() && !findings.is_matched {
                continue;
            }
            match found {
                Found::Satisfied => {}
                Found::Later => {
                    match findings.helping {
                        Some(other) => helping = Some(other),
                        None => is_helpless = true,
                    }
                    verdict = verdict.min(Verdict::Later);
                }
                Found::Nothing | Found::Forced => {
                    if found == Found::Nothing {
                        is_helpless = true;
                        verdict = Verdict::Never;
                    }
                    why.push_str(&format!(" {} depends on {}", self.shown(id), item.relation));
                    match findings.has_warnings {
                        true => why.push_str(&format!("; however:\n{}", findings.reasons)),
                        false => why.push_str(".\n"),
                    }
                }
            }
        }
        if verdict == Verdict::Never && self.fate(id) == Fate::Removed {
            verdict = Verdict::Later;
        }
        if !is_helpless && helping.is_some() {
            self.attempts.helping = helping;
        }
        Ok((verdict, why))
    }

    fn dependency(
        &mut self,
        id: &PackageId,
        (at, item): (usize, &Dependency),
        removing: Option<&PackageId>,
        findings: &mut Findings,
    ) -> Done<Found> {
        let mut found = Found::Nothing;
        for (alternative, wanted) in item.relation.alternatives.iter().enumerate() {
            let link = Link { package: id.clone(), dependency: at, alternative };
            if self.cycles.contains(&link) {
                return Ok(Found::Satisfied);
            }
            found = found.max(self.alternative(id, (item.kind, wanted), removing, findings)?);
            if found == Found::Satisfied {
                return Ok(found);
            }
        }
        if self.is_forced(Force::Depends) {
            found = found.max(self.forced_from(Attempt::Forced));
        }
        Ok(found)
    }

    fn alternative(
        &mut self,
        id: &PackageId,
        (kind, wanted): (Kind, &Alternative),
        removing: Option<&PackageId>,
        findings: &mut Findings,
    ) -> Done<Found> {
        let mut found = Found::Nothing;
        let own = self.status.named(&wanted.name).filter(|(_, package)| {
            fits_architecture(&package.stanza, wanted, (kind, &id.architecture), &self.known)
        });
        let own: Vec<PackageId> = own.map(|(id, _)| id.clone()).collect();
        if own.is_empty() {
            findings.reasons.push_str(&format!("  Package {} is not installed.\n", wanted.name));
            findings.has_warnings = true;
        }
        for other in &own {
            let candidate = Candidate { id: other, provided: None };
            found = found.max(self.candidate(id, &candidate, wanted, removing, findings)?);
        }
        if found == Found::Satisfied {
            return Ok(found);
        }
        for (other, provided) in self.relations.providers(&wanted.name) {
            let fits = self.status.get(&other).is_some_and(|package| {
                fits_architecture(&package.stanza, wanted, (kind, &id.architecture), &self.known)
            });
            if !fits {
                continue;
            }
            let candidate = Candidate { id: &other, provided: Some(&provided) };
            let one = self.candidate(id, &candidate, wanted, removing, findings)?;
            // What a package provides itself is there as soon as the package is.
            let is_own = one == Found::Later && other == *id && removing.is_none();
            found = found.max(if is_own { Found::Satisfied } else { one });
        }
        Ok(found)
    }

    fn candidate(
        &mut self,
        id: &PackageId,
        candidate: &Candidate<'_>,
        wanted: &Alternative,
        removing: Option<&PackageId>,
        findings: &mut Findings,
    ) -> Done<Found> {
        let other = candidate.id;
        let shown = self.shown(other);
        let who = match candidate.provided {
            Some(_) => format!("{shown} which provides {}", wanted.name),
            None => shown.clone(),
        };
        if removing == Some(other) {
            findings.is_matched = true;
            findings.reasons.push_str(&format!("  Package {who} is to be removed.\n"));
            return Ok(Found::Nothing);
        }
        let unsuitable = |findings: &mut Findings, reason: String| {
            findings.reasons.push_str(&reason);
            findings.has_warnings = true;
        };
        let state = self.state(other);
        if state < State::Unpacked {
            unsuitable(findings, format!("  Package {who} is not installed.\n"));
            return Ok(Found::Nothing);
        }
        if let Some(reason) = self.wrong_version(candidate, wanted) {
            unsuitable(findings, reason);
            let is_forced = self.is_forced(Force::DependsVersion);
            let forced = self.forced_from(Attempt::ForcedVersions);
            return Ok(if is_forced { forced } else { Found::Nothing });
        }
        let is_dealt_with = self.fate(other) == Fate::Installed;
        match state {
            State::Installed | State::TriggersPending => Ok(Found::Satisfied),
            State::TriggersAwaited if removing.is_some() || !is_dealt_with => {
                unsuitable(findings, format!("  Package {who} awaits trigger processing.\n"));
                Ok(Found::Nothing)
            }
            State::TriggersAwaited => {
                findings.helping = self.awaited(other).into_iter().next();
                Ok(Found::Later)
            }
            _ if is_dealt_with => Ok(Found::Later),
            State::Unpacked
                if removing.is_none()
                    && self.is_forced(Force::ConfigureAny)
                    && !self.is_held(other)? =>
            {
                let by = self.shown(id);
                self.notice(format!("also configuring '{shown}' (required by '{by}')"))?;
                self.enqueue(other);
                self.attempts.since_progress = 0;
                Ok(Found::Later)
            }
            _ => {
                unsuitable(findings, format!("  Package {who} is not configured yet.\n"));
                Ok(Found::Nothing)
            }
        }
    }

    fn wrong_version(&self, candidate: &Candidate<'_>, wanted: &Alternative) -> Option<String> {
        let name = &wanted.name;
        match candidate.provided {
            None => {
                let version = self.status.get(candidate.id).map(Package::version)?;
                let (shown, is) = (self.shown(candidate.id), self.version(candidate.id));
                let reason = || format!("  Version of {shown} on system is {is}.\n");
                (!wanted.allows(&version)).then(reason)
            }
            Some(provided) => {
                let shown = candidate.id.to_string();
                let version = provided.constraint.as_ref().map(|(_, version)| version.as_str());
                let version = super::session::version_shown(version.unwrap_or_default()).to_owned();
                let reason = || {
                    format!("  Version of {name} on system, provided by {shown}, is {version}.\n")
                };
                (!is_provided(wanted, provided)).then(reason)
            }
        }
    }

    fn forced_from(&self, attempt: Attempt) -> Found {
        if self.attempts.attempt >= attempt { Found::Forced } else { Found::Later }
    }

    /// Whether a package is to stay as it is, which is said.
    pub(super) fn is_held(&mut self, id: &PackageId) -> Done<bool> {
        if self.package(id)?.want != super::status::Want::Hold {
            return Ok(false);
        }
        let name = self.shown(id);
        if self.is_forced(Force::Hold) {
            let line = "was on hold, processing it anyway as you requested";
            self.notice(format!("package {name} {line}"))?;
            return Ok(false);
        }
        self.say(format!(
            "Package {name} is on hold, not touching it.  Use --force-hold to override.\n"
        ))?;
        Ok(true)
    }

    /// Whether no package that is there breaks this one, and why it does.
    pub(super) fn breaks_nothing(&self, id: &PackageId) -> (bool, String) {
        let mut why = String::new();
        let mut is_well = self.is_unbroken(id, &id.name, None, &mut why);
        for item in self.relations.of(id).iter().filter(|item| item.kind == Kind::Provides) {
            for provided in &item.relation.alternatives {
                is_well &= self.is_unbroken(id, &provided.name, Some(provided), &mut why);
            }
        }
        (is_well, why)
    }

    fn is_unbroken(
        &self,
        broken: &PackageId,
        name: &str,
        provided: Option<&Alternative>,
        why: &mut String,
    ) -> bool {
        let mut is_well = true;
        let Some(package) = self.status.get(broken) else { return true };
        for (breaker, item) in self.relations.items(name, &[Kind::Breaks]) {
            let state = self.state(&breaker);
            let Some(wanted) = item.relation.alternatives.first() else { continue };
            let applies = match provided {
                Some(provided) => is_provided(wanted, provided),
                None => wanted.allows(&package.version()),
            };
            if breaker == *broken || state <= State::ConfigFiles || !applies {
                continue;
            }
            let (shown, version) = (self.shown(&breaker), self.version(&breaker));
            let (relation, words) = (&item.relation, words_of(state));
            why.push_str(&format!(" {shown} ({version}) breaks {relation} and is {words}.\n"));
            let (name_shown, own) = (self.shown(broken), self.version(broken));
            if provided.is_some() {
                why.push_str(&format!("  {name_shown} ({own}) provides {name}.\n"));
            } else if wanted.constraint.is_some() {
                let line = format!("  Version of {name_shown} to be configured is {own}.\n");
                why.push_str(&line);
                if self.is_forced(Force::DependsVersion) {
                    continue;
                }
            }
            is_well &= self.is_forced(Force::Breaks);
        }
        is_well
    }
}

/// dpkg's words for a state.
pub(super) fn words_of(state: State) -> &'static str {
    match state {
        State::NotInstalled => "not installed",
        State::ConfigFiles => "not installed but configs remain",
        State::HalfInstalled => "broken due to failed removal or installation",
        State::Unpacked => "unpacked but not configured",
        State::HalfConfigured => "broken due to postinst failure",
        State::TriggersAwaited => "awaiting trigger processing by another package",
        State::TriggersPending => "triggered",
        State::Installed => "installed",
    }
}
