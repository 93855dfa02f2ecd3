//! `cache`: what is kept of builds, in the store and in repositories.

use std::time::Duration;

use clap::{Args, Subcommand};
use oci::RepositoryName;

use super::images::{ListReport, list_report};
use super::{PruneMode, UsageError, meaning};

/// What may go where no age is given.
const MONTH: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// What `cache` is asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CacheArguments {
    /// `cache ls`
    List {
        /// Where.
        place: CachePlace,
        /// How it is shown.
        report: ListReport,
    },
    /// `cache prune` in the store.
    PruneStore {
        /// Only what was not used for this long.
        older_than: Option<Duration>,
        /// Not the most recently used, up to this many bytes.
        keep_bytes: Option<u64>,
        /// Whether anything is removed at all.
        mode: PruneMode,
    },
    /// `cache prune` in repositories.
    PruneRepositories {
        /// Which, at least one.
        repositories: Vec<RepositoryName>,
        /// Only what was not written for this long.
        older_than: Option<Duration>,
        /// Whether anything is removed at all.
        mode: PruneMode,
    },
    /// `cache verify` in the store.
    VerifyStore(Damaged),
    /// `cache verify` in repositories.
    VerifyRepositories {
        /// Which, at least one.
        repositories: Vec<RepositoryName>,
        /// How far they are looked at.
        depth: VerificationDepth,
    },
}

/// Where something is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CachePlace {
    /// On this machine.
    Store,
    /// In repositories, at least one.
    Repositories(Vec<RepositoryName>),
}

/// What becomes of what is damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Damaged {
    /// It is named.
    Named,
    /// It is named and thrown away.
    Discarded,
}

/// How far layers in a repository are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum VerificationDepth {
    /// That they are there is asked.
    Presence,
    /// They are fetched and unpacked.
    Bytes,
}

#[derive(Debug, Args)]
pub(super) struct CacheFlags {
    #[command(subcommand)]
    command: CacheCommands,
}

#[derive(Debug, Subcommand)]
enum CacheCommands {
    /// List what is kept of builds: in the store by kind, in a repository each record
    #[command(visible_alias = "list")]
    Ls(LsFlags),
    /// Remove what was not used lately and can be made or found out again
    #[command(after_help = PRUNE_HELP)]
    Prune(PruneFlags),
    /// Look whether all that is kept is what it says
    #[command(after_help = VERIFY_HELP)]
    Verify(VerifyFlags),
}

const PRUNE_HELP: &str = "\
Without a repository the store is tidied. Its images stay whole, with a name or without, and so does
what `plywood why` knows of them; `plywood prune` removes images, too. Age is counted from the last use.

With repositories their records go, whose tags begin with `plywood-step-`, `plywood-last-` and
`plywood-base-`, and nothing else. Age is counted from the last time that a record was written; a build writes one anew that
it uses and that is older than 14 days. What goes costs a rebuild where it is wanted again.";

const VERIFY_HELP: &str = "\
It ends with 0 if all is right, and with 9 if something is not. What is wrong in a repository does no
harm: builds pass it over, and put what is right in its place.";

#[derive(Debug, Args)]
struct LsFlags {
    /// Repositories in registries [default: the store]
    #[arg(value_name = "REPOSITORY")]
    repositories: Vec<String>,
    /// A Go template for each line, `table TEMPLATE` or `json`. Fields of the store: .Kind .Count
    /// .Size .Bytes .LastUsed .LastUsedAt; of a repository: .Repository .Tag .Kind .Title .Size
    /// .Bytes .CreatedSince .CreatedAt .Layers
    #[arg(long, value_name = "TEMPLATE")]
    format: Option<String>,
    /// Write one JSON object a line
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// Show kinds or tags only
    #[arg(short, long)]
    quiet: bool,
}

#[derive(Debug, Args)]
struct PruneFlags {
    /// Repositories in registries [default: the store]
    #[arg(value_name = "REPOSITORY")]
    repositories: Vec<String>,
    /// Only what is older, such as 36h, 7d or 2w [default: 30d; with --keep-bytes, any age]
    #[arg(long, value_name = "AGE")]
    older_than: Option<String>,
    /// Keep the most recently used, up to this much, such as 10GB; of the store only
    #[arg(long, value_name = "SIZE", visible_alias = "keep-storage")]
    #[arg(conflicts_with = "repositories")]
    keep_bytes: Option<String>,
    /// All of it, however young
    #[arg(short, long, conflicts_with_all = ["older_than", "keep_bytes"])]
    all: bool,
    /// Say what would be removed and remove nothing
    #[arg(long)]
    dry_run: bool,
    /// Accepted for Docker's sake: nothing is asked
    #[arg(short, long, hide = true)]
    force: bool,
}

#[derive(Debug, Args)]
struct VerifyFlags {
    /// Repositories in registries [default: the store]
    #[arg(value_name = "REPOSITORY")]
    repositories: Vec<String>,
    /// Throw away what is damaged; in the store only
    #[arg(long, conflicts_with = "repositories")]
    repair: bool,
    /// Fetch the layers of repositories and compute what they are, which takes as long as pulling
    /// all of them
    #[arg(long, requires = "repositories")]
    layers: bool,
}

impl CacheFlags {
    pub(super) fn meaning(self) -> Result<CacheArguments, UsageError> {
        match self.command {
            CacheCommands::Ls(flags) => flags.meaning(),
            CacheCommands::Prune(flags) => flags.meaning(),
            CacheCommands::Verify(flags) => flags.meaning(),
        }
    }
}

/// Each repository once.
fn repositories(texts: &[String]) -> Result<Vec<RepositoryName>, UsageError> {
    let mut names = Vec::new();
    for text in texts {
        let name = meaning::repository("REPOSITORY", text)?;
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(names)
}

impl LsFlags {
    fn meaning(self) -> Result<CacheArguments, UsageError> {
        let repositories = repositories(&self.repositories)?;
        let place = match repositories.is_empty() {
            true => CachePlace::Store,
            false => CachePlace::Repositories(repositories),
        };
        Ok(CacheArguments::List { place, report: list_report(self.quiet, self.json, self.format) })
    }
}

impl PruneFlags {
    fn meaning(self) -> Result<CacheArguments, UsageError> {
        let repositories = repositories(&self.repositories)?;
        let age = |text: &String| meaning::age("--older-than", text);
        let bytes = |text: &String| meaning::bytes("--keep-bytes", text);
        let keep_bytes = self.keep_bytes.as_ref().map(bytes).transpose()?;
        let older_than = match &self.older_than {
            Some(text) => Some(age(text)?),
            None => (!self.all && keep_bytes.is_none()).then_some(MONTH),
        };
        let mode = if self.dry_run { PruneMode::DryRun } else { PruneMode::Remove };
        Ok(match repositories.is_empty() {
            true => CacheArguments::PruneStore { older_than, keep_bytes, mode },
            false => CacheArguments::PruneRepositories { repositories, older_than, mode },
        })
    }
}

impl VerifyFlags {
    fn meaning(self) -> Result<CacheArguments, UsageError> {
        let repositories = repositories(&self.repositories)?;
        if repositories.is_empty() {
            let damaged = if self.repair { Damaged::Discarded } else { Damaged::Named };
            return Ok(CacheArguments::VerifyStore(damaged));
        }
        let depth = match self.layers {
            true => VerificationDepth::Bytes,
            false => VerificationDepth::Presence,
        };
        Ok(CacheArguments::VerifyRepositories { repositories, depth })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Command, parse_for_test};
    use super::*;
    use crate::environment::Environment;

    #[track_caller]
    fn check(line: &[&str], expected: CacheArguments) {
        let line = [&["cache"], line].concat();
        match parse_for_test(&line, &Environment::of(&[])).unwrap().command {
            Command::Cache(arguments) => assert_eq!(arguments, expected, "{line:?}"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_store_or_repositories() {
        let report = ListReport::Table;
        check(&["ls"], CacheArguments::List { place: CachePlace::Store, report: report.clone() });
        let app: RepositoryName = "r.example/app".parse().unwrap();
        let place = CachePlace::Repositories(vec![app.clone()]);
        check(&["list", "r.example/app", "r.example/app"], CacheArguments::List { place, report });
        check(&["verify", "--repair"], CacheArguments::VerifyStore(Damaged::Discarded));
        let depth = VerificationDepth::Bytes;
        let expected = CacheArguments::VerifyRepositories { repositories: vec![app], depth };
        check(&["verify", "--layers", "r.example/app"], expected);
    }

    #[test]
    fn a_month_unless_something_else_is_said() {
        let prune = |older_than: Option<u64>, keep_bytes| CacheArguments::PruneStore {
            older_than: older_than.map(Duration::from_secs),
            keep_bytes,
            mode: PruneMode::Remove,
        };
        check(&["prune"], prune(Some(2_592_000), None));
        check(&["prune", "-f", "-a"], prune(None, None));
        check(&["prune", "--keep-storage", "1GB"], prune(None, Some(1_000_000_000)));
        let both = ["prune", "--keep-bytes=1k", "--older-than=1h"];
        check(&both, prune(Some(3600), Some(1024)));
        let expected = CacheArguments::PruneRepositories {
            repositories: vec!["r.example/app".parse().unwrap()],
            older_than: Some(MONTH),
            mode: PruneMode::DryRun,
        };
        check(&["prune", "--dry-run", "r.example/app"], expected);
    }
}
