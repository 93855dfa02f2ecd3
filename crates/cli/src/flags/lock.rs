//! What is done about `plywood.lock`: the flags of builds, `lock` and `outdated`.

use std::collections::BTreeSet;

use clap::Args;

use super::UsageError;
use super::build::{BasePull, BuildArguments, BuildFlags, CacheUse};
use crate::environment::Environment;

/// How far a build keeps to the lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LockUse {
    /// What is pinned is taken, and what is not is pinned.
    Renewed,
    /// What is not as the lock says is an error; somebody asked for that.
    Demanded,
    /// The same where there is a lock: this is CI.
    Expected,
}

/// Which pins do not count, and are taken anew.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Renewal {
    /// None.
    #[default]
    Nothing,
    /// Those of these packages.
    Packages(BTreeSet<String>),
    /// All but those of bases, which [`BasePull`] is for.
    Everything,
}

/// What `lock` is asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LockArguments {
    /// What is locked.
    pub(crate) build: BuildArguments,
}

/// What `outdated` is asked to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OutdatedArguments {
    /// What is looked at.
    pub(crate) build: BuildArguments,
    /// For whom.
    pub(crate) report: OutdatedReport,
}

/// For whom it is said what is outdated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OutdatedReport {
    /// For people.
    Table,
    /// For programs.
    Json,
}

/// The flags of everything that plans.
#[derive(Debug, Args)]
pub(super) struct PinFlags {
    /// Take what plywood.lock pins, and nothing else: what has drifted is an error [default where CI
    /// is set and there is a lock, unless --pull or --no-cache asks for what is new]
    #[arg(long, help_heading = "Lock")]
    locked: bool,
    /// Let the lock be renewed, in CI, too
    #[arg(long, help_heading = "Lock", conflicts_with = "locked")]
    no_locked: bool,
    /// Take everything from the lock, the store and this machine, and nothing from any network
    #[arg(long, help_heading = "Lock")]
    pub(super) offline: bool,
}

#[derive(Debug, Args)]
pub(super) struct LockFlags {
    #[command(flatten)]
    pub(super) build: BuildFlags,
    /// Pin everything anew
    #[arg(long, help_heading = "Upgrade")]
    upgrade: bool,
    /// Let this package move, and with it only what has to; can be repeated. Debian packages move
    /// together, with their archive
    #[arg(long, value_name = "NAME", help_heading = "Upgrade")]
    upgrade_package: Vec<String>,
    /// Pin what the bases' tags mean now
    #[arg(long, help_heading = "Upgrade")]
    upgrade_base: bool,
}

#[derive(Debug, Args)]
pub(super) struct OutdatedFlags {
    #[command(flatten)]
    pub(super) build: BuildFlags,
    /// Write JSON
    #[arg(long, help_heading = "Output")]
    json: bool,
}

impl PinFlags {
    pub(super) fn meaning(
        &self,
        pull: BasePull,
        cache: CacheUse,
        environment: &Environment,
    ) -> Result<LockUse, UsageError> {
        let new = match (pull, cache) {
            (BasePull::Always, _) => Some("`--pull`"),
            (_, CacheUse::Ignore) => Some("`--no-cache`"),
            (BasePull::WhenMissing, CacheUse::Use) => None,
        };
        if let (true, BasePull::Always) = (self.offline, pull) {
            return Err(conflict("`--offline`", "`--pull`", "leave one of them out"));
        }
        match (self.locked, new) {
            (true, Some(new)) => {
                let instead = "leave `--locked` out where new versions are wanted";
                Err(conflict("`--locked`", new, instead))
            }
            (true, None) => Ok(LockUse::Demanded),
            (false, None) if environment.is_ci() && !self.no_locked => Ok(LockUse::Expected),
            (false, _) => Ok(LockUse::Renewed),
        }
    }
}

fn conflict(first: &str, second: &str, instead: &'static str) -> UsageError {
    UsageError::Conflict { first: first.to_owned(), second: second.to_owned(), instead }
}

impl LockFlags {
    pub(super) fn meaning(self, environment: &Environment) -> Result<LockArguments, UsageError> {
        let mut build = self.build.meaning(environment)?;
        let upgrades = [
            (self.upgrade, "`--upgrade`"),
            (self.upgrade_base, "`--upgrade-base`"),
            (!self.upgrade_package.is_empty(), "`--upgrade-package`"),
        ];
        let upgrade = upgrades.iter().find(|(given, _)| *given).map(|(_, flag)| *flag);
        match (build.lock, upgrade) {
            (LockUse::Demanded, Some(flag)) => {
                return Err(conflict("`--locked`", flag, "leave one of them out"));
            }
            // Somebody who says `lock` wants a new one, in CI, too.
            (LockUse::Expected, _) => build.lock = LockUse::Renewed,
            _ => {}
        }
        if self.upgrade || self.upgrade_base {
            build.pull = BasePull::Always;
        }
        let names = || self.upgrade_package.iter().map(|name| normalized(name)).collect();
        build.renewal = match (self.upgrade, self.upgrade_package.is_empty()) {
            (true, _) => Renewal::Everything,
            (false, true) => build.renewal,
            (false, false) => Renewal::Packages(names()),
        };
        Ok(LockArguments { build })
    }
}

impl OutdatedFlags {
    pub(super) fn meaning(
        self,
        environment: &Environment,
    ) -> Result<OutdatedArguments, UsageError> {
        let report = if self.json { OutdatedReport::Json } else { OutdatedReport::Table };
        let mut build = self.build.meaning(environment)?;
        build.lock = LockUse::Renewed;
        Ok(OutdatedArguments { build, report })
    }
}

/// A package's name as indexes have it (PEP 503). Debian's are like that already.
pub(crate) fn normalized(name: &str) -> String {
    let mut normalized = String::with_capacity(name.len());
    for character in name.chars() {
        match character {
            '-' | '_' | '.' if normalized.ends_with('-') => {}
            '-' | '_' | '.' => normalized.push('-'),
            other => normalized.extend(other.to_lowercase()),
        }
    }
    normalized
}

#[cfg(test)]
mod tests {
    use super::super::{Command, parse_for_test};
    use super::*;

    fn parsed(words: &[&str], variables: &[(&str, &str)]) -> Result<BuildArguments, UsageError> {
        let invocation = parse_for_test(words, &Environment::of(variables))?;
        Ok(match invocation.command {
            Command::Build(arguments) => *arguments,
            Command::Plan(arguments) => arguments.build,
            Command::Lock(arguments) => arguments.build,
            Command::Outdated(arguments) => arguments.build,
            other => panic!("{other:?}"),
        })
    }

    #[test]
    fn ci_keeps_to_the_lock_unless_told_otherwise() {
        let check = |words: &[&str], ci: &str, expected: LockUse| {
            let arguments = parsed(words, &[("CI", ci)]).unwrap();
            assert_eq!(arguments.lock, expected, "{words:?} with CI={ci}");
        };
        check(&["build", "."], "", LockUse::Renewed);
        check(&["build", "."], "false", LockUse::Renewed);
        check(&["build", "."], "true", LockUse::Expected);
        check(&["plan", "."], "true", LockUse::Expected);
        check(&["build", "--no-locked", "."], "true", LockUse::Renewed);
        check(&["build", "--pull", "."], "true", LockUse::Renewed);
        check(&["build", "--no-cache", "."], "true", LockUse::Renewed);
        check(&["build", "--locked", "."], "", LockUse::Demanded);
        check(&["lock", "."], "true", LockUse::Renewed);
        check(&["lock", "--locked", "."], "true", LockUse::Demanded);
        check(&["outdated", "."], "true", LockUse::Renewed);
    }

    #[test]
    fn upgrades_are_of_all_of_bases_or_of_names() {
        let check = |words: &[&str], pull: BasePull, renewal: Renewal| {
            let arguments = parsed(&[&["lock", "."], words].concat(), &[]).unwrap();
            assert_eq!((arguments.pull, arguments.renewal), (pull, renewal), "{words:?}");
        };
        let names = ["flask", "my-own"].map(str::to_owned).into();
        check(&[], BasePull::WhenMissing, Renewal::Nothing);
        check(&["--upgrade"], BasePull::Always, Renewal::Everything);
        check(&["--upgrade-base"], BasePull::Always, Renewal::Nothing);
        let words = ["--upgrade-package=Flask", "--upgrade-package", "My_.own"];
        check(&words, BasePull::WhenMissing, Renewal::Packages(names));
    }

    #[test]
    fn what_is_new_and_what_is_locked_cannot_both_be() {
        let check = |words: &[&str], expected: &str| {
            let error = parsed(words, &[]).unwrap_err();
            assert_eq!(format!("{error} | {}", error.hint().unwrap_or_default()), expected);
        };
        check(
            &["build", "--locked", "--pull", "."],
            "`--locked` and `--pull` cannot both be | leave `--locked` out where new versions are \
             wanted",
        );
        check(
            &["build", "--locked", "--no-cache", "."],
            "`--locked` and `--no-cache` cannot both be | leave `--locked` out where new versions \
             are wanted",
        );
        check(
            &["build", "--offline", "--pull", "."],
            "`--offline` and `--pull` cannot both be | leave one of them out",
        );
        check(
            &["build", "--offline", "--push", "-t", "a", "."],
            "`--offline` and an output to a registry cannot both be | push it later, with `plywood \
             push`",
        );
        check(
            &["lock", "--locked", "--upgrade-base", "."],
            "`--locked` and `--upgrade-base` cannot both be | leave one of them out",
        );
    }
}
