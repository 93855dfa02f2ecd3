//! Why a choice does not work, in apt's words.

use std::fmt;

use super::catalog::{Comparison, DependencyId, PackageId, VersionId};
use super::states::{States, satisfied};
use crate::relation::Operator;

/// All packages whose relations do not hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Unmets(pub Vec<Unmet>);

/// One package whose relations do not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmet {
    /// Its name, with its architecture where that is not the native one.
    pub package: String,
    /// For each relation, its kind and its alternatives.
    pub relations: Vec<(&'static str, Vec<UnmetPart>)>,
}

/// One alternative that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnmetPart {
    /// What is wanted: `libc6 (>= 2.36)`.
    pub wanted: String,
    /// Why it is not there: `but it is not going to be installed`. A virtual package has no reason.
    pub reason: Option<String>,
}

/// The time of which is spoken.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Time {
    Now,
    Then,
}

impl Unmets {
    /// What does not hold with what is chosen.
    pub(super) fn of(states: &States<'_, '_>) -> Unmets {
        Unmets::at(states, Time::Then)
    }

    /// What does not hold as it is.
    pub(super) fn of_now(states: &States<'_, '_>) -> Unmets {
        Unmets::at(states, Time::Now)
    }

    fn at(states: &States<'_, '_>, time: Time) -> Unmets {
        let packages = states.sorted().into_iter();
        Unmets(packages.filter_map(|package| unmet(states, package, time)).collect())
    }
}

fn unmet(states: &States<'_, '_>, package: PackageId, time: Time) -> Option<Unmet> {
    let (is_broken, version, bit) = match time {
        Time::Now => (states.is_broken_now(package), states.current(package), satisfied::NOW),
        Time::Then => (states.is_broken(package), states.state(package).chosen, satisfied::CHOSEN),
    };
    let version = version.filter(|_| is_broken)?;
    let catalog = states.catalog;
    let mut relations = Vec::new();
    for alternatives in catalog.relations(version) {
        let last = alternatives[alternatives.len() - 1];
        if states.is_important(last) && states.satisfied_any(alternatives) & bit == 0 {
            let parts = alternatives.iter().map(|id| part(states, *id, time)).collect();
            relations.push((catalog.dependency(last).kind.name(), parts));
        }
    }
    Some(Unmet { package: catalog.pretty(package), relations })
}

fn part(states: &States<'_, '_>, id: DependencyId, time: Time) -> UnmetPart {
    let catalog = states.catalog;
    let dependency = catalog.dependency(id);
    let target = dependency.target;
    let mut wanted = catalog.pretty(target);
    if let Some(text) = dependency.text {
        let sign = match dependency.comparison {
            Comparison::Any => "",
            Comparison::Not => "!=",
            Comparison::Is(Operator::Earlier) => "<",
            Comparison::Is(Operator::EarlierOrEqual) => "<=",
            Comparison::Is(Operator::Equal) => "=",
            Comparison::Is(Operator::LaterOrEqual) => ">=",
            Comparison::Is(Operator::Later) => ">",
        };
        wanted += &format!(" ({sign} {})", catalog.text(text));
    }
    let text = |version: VersionId| catalog.version_text(version);
    let state = states.state(target);
    let reason = (!catalog.has_providers(target)).then(|| match (time, states.current(target)) {
        (Time::Now, Some(version)) => format!("but {} is installed", text(version)),
        (Time::Then, _) if state.chosen.is_some() => {
            format!("but {} is to be installed", state.chosen.map(text).unwrap_or_default())
        }
        _ if state.candidate.is_none() => "but it is not installable".to_owned(),
        (Time::Now, None) => "but it is not installed".to_owned(),
        (Time::Then, _) => "but it is not going to be installed".to_owned(),
    });
    UnmetPart { wanted, reason }
}

impl fmt::Display for Unmets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "The following packages have unmet dependencies:")?;
        self.0.iter().try_for_each(|unmet| unmet.fmt(f))
    }
}

impl fmt::Display for Unmet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let indent = " ".repeat(self.package.len() + 3);
        write!(f, " {} :", self.package)?;
        if self.relations.is_empty() {
            writeln!(f)?;
        }
        for (at, (kind, parts)) in self.relations.iter().enumerate() {
            for (part_at, part) in parts.iter().enumerate() {
                if at + part_at > 0 {
                    f.write_str(&indent)?;
                }
                match part_at {
                    0 => write!(f, " {kind}: ")?,
                    _ => f.write_str(&" ".repeat(kind.len() + 3))?,
                }
                f.write_str(&part.wanted)?;
                part.reason.iter().try_for_each(|reason| write!(f, " {reason}"))?;
                if part_at + 1 < parts.len() {
                    f.write_str(" or")?;
                }
                writeln!(f)?;
            }
        }
        Ok(())
    }
}
