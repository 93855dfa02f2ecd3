//! How much each package weighs: by its priority and by what depends on it.

use std::collections::BTreeSet;

use super::super::catalog::{DependencyId, Kind, PackageId, Priority};
use super::super::states::States;
use super::Problems;

/// For what is essential.
const ESSENTIAL: i32 = 100;
/// For what is installed and can still be had.
const IN_USE: i32 = 1;
/// On top of all else for what is essential.
const ADDED_FOR_ESSENTIAL: i32 = 5000;
/// On top of all else for what was asked for.
const ADDED_FOR_PROTECTED: i32 = 10000;

fn of_priority(priority: Priority) -> i32 {
    match priority {
        Priority::None => 0,
        Priority::Required => 3,
        Priority::Important => 2,
        Priority::Standard => 1,
        Priority::Optional => -1,
        Priority::Extra => -2,
    }
}

fn of_relation(kind: Kind) -> i32 {
    match kind {
        Kind::Depends | Kind::PreDepends | Kind::Recommends => 1,
        Kind::Conflicts | Kind::Breaks => -1,
        Kind::Suggests | Kind::Enhances | Kind::Replaces => 0,
    }
}

impl Problems {
    pub(super) fn make_scores(&mut self, states: &States<'_, '_>) {
        self.scores.fill(0);
        for package in states.walk() {
            self.score_itself(states, *package);
        }
        let own = self.scores.clone();
        for package in states.walk() {
            self.inherit(states, *package, &own);
        }
        for package in states.walk() {
            self.pass_on(states, *package, &own);
        }
        for package in states.walk() {
            let known = states.catalog.package(*package);
            let mut added = 0;
            if self.flags[package.at()].is_protected {
                added += ADDED_FOR_PROTECTED;
            }
            if known.is_essential || known.is_important {
                added += ADDED_FOR_ESSENTIAL;
            }
            self.add(*package, added);
        }
    }

    fn add(&mut self, package: PackageId, score: i32) {
        let known = &mut self.scores[package.at()];
        *known = known.saturating_add(score);
    }

    /// What a package is worth by itself, and what it adds to those that it wants.
    fn score_itself(&mut self, states: &States<'_, '_>, package: PackageId) {
        let catalog = states.catalog;
        let state = states.state(package);
        let Some(chosen) = state.chosen else {
            return;
        };
        let known = catalog.package(package);
        let mut score = 0;
        if known.is_essential || known.is_important {
            score += ESSENTIAL;
        }
        // What cannot be had any more is no standard any more.
        let can_be_had = catalog.is_downloadable(chosen);
        let priority = catalog.version(chosen).priority;
        score += of_priority(if can_be_had { priority } else { Priority::Extra });
        let has_candidate = state.candidate.is_some_and(|id| catalog.is_downloadable(id));
        if known.current.is_some() && has_candidate {
            score += IN_USE;
        }
        self.add(package, score);
        for id in &catalog.version(chosen).dependencies {
            self.score_relation(states, *id);
        }
    }

    fn score_relation(&mut self, states: &States<'_, '_>, id: DependencyId) {
        let catalog = states.catalog;
        let dependency = catalog.dependency(id);
        let score = of_relation(dependency.kind);
        let target = dependency.target;
        if score == 0 {
            return;
        }
        if !catalog.is_ignored(id, target) {
            let chosen = states.state(target).chosen;
            let holds = chosen.is_some_and(|chosen| catalog.is_satisfied(id, chosen));
            if dependency.text.is_some() && !holds {
                return;
            }
            self.add(target, score);
        }
        let providers = catalog.providers(target).filter(|provide| {
            !catalog.is_ignored_provide(id, provide)
                && states.state(catalog.owner(provide.owner)).chosen == Some(provide.owner)
                && catalog.is_satisfied_by(id, provide)
        });
        let providers: BTreeSet<PackageId> =
            providers.map(|provide| catalog.owner(provide.owner)).collect();
        for provider in providers {
            self.add(provider, score);
        }
    }

    /// What depends on a package adds its weight.
    fn inherit(&mut self, states: &States<'_, '_>, package: PackageId, own: &[i32]) {
        let catalog = states.catalog;
        if states.state(package).chosen.is_none() {
            return;
        }
        for id in catalog.wanted(package) {
            let dependency = catalog.dependency(id);
            let parent = catalog.owner(dependency.parent);
            let counts =
                matches!(dependency.kind, Kind::Depends | Kind::PreDepends | Kind::Recommends);
            let is_chosen = states.state(parent).chosen == Some(dependency.parent);
            if counts && is_chosen && own[parent.at()] > 0 {
                self.add(package, own[parent.at()]);
            }
        }
    }

    /// What provides something is as important as that.
    fn pass_on(&mut self, states: &States<'_, '_>, package: PackageId, own: &[i32]) {
        let catalog = states.catalog;
        let transfer = self.score(package).saturating_sub(own[package.at()]).saturating_abs();
        if transfer == 0 {
            return;
        }
        let providers = catalog.providers(package).filter(|provide| {
            !provide.is_implied
                && states.state(catalog.owner(provide.owner)).chosen == Some(provide.owner)
        });
        let providers: BTreeSet<PackageId> =
            providers.map(|provide| catalog.owner(provide.owner)).collect();
        for provider in providers {
            self.add(provider, transfer);
        }
    }
}
