//! The command line: what was typed, and what it means.
//!
//! Each command has a struct of what can be typed (`…Flags`, texts as they came, with their help)
//! and one of what it means (`…Arguments`, typed values, no contradictions left). Words are
//! Docker's wherever Docker has them, so that `plywood` can stand in a script for `docker`.

// Help texts show what may be left out in brackets.
#![allow(rustdoc::broken_intra_doc_links)]

mod annotation;
mod build;
mod cache;
mod compression;
mod housekeeping;
mod ignored;
mod images;
mod init;
mod location;
mod lock;
mod long_forms;
mod meaning;
mod output;
mod remote;
mod secret;
mod serve;
mod transfer;
mod usage;
mod why;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, CommandFactory, Parser, Subcommand};

pub(crate) use annotation::{Annotation, AnnotationScope};
pub(crate) use build::{
    BasePull, BuildArguments, CacheUse, ContextSource, Explanation, Goal, NamedContext,
    PlanArguments, PlanReport, RecipeSource,
};
pub(crate) use cache::CacheVerification;
pub(crate) use housekeeping::{CacheArguments, CachePlace, Damaged, VerificationDepth};
pub(crate) use images::{
    HistoryArguments, ImagesArguments, InspectArguments, InspectReport, ListFilter, ListReport,
    Listed, PruneArguments, PruneMode, PruneScope, Removal, RmiArguments, TagArguments, Truncation,
};
pub(crate) use init::{InitArguments, InitTarget};
pub(crate) use location::{LayoutName, Location};
pub(crate) use lock::{
    LockArguments, LockUse, OutdatedArguments, OutdatedReport, Renewal, normalized,
};
pub(crate) use output::{Destination, Output};
pub(crate) use remote::{LsTagsArguments, ReferrersArguments, TagsReport};
pub(crate) use secret::{SecretPlace, SecretSource};
pub(crate) use serve::ServeArguments;
pub(crate) use transfer::{
    ArchiveFormat, CopyArguments, CopyPlatforms, LoadArguments, LoginArguments, LogoutArguments,
    PasswordSource, PullArguments, PushArguments, Pushed, Referrers, SaveArguments,
};
pub(crate) use usage::{UsageError, closest};
pub(crate) use why::{Compared, WhyArguments, WhyReport};

use crate::environment::{self, Colors, Environment, Reader};
use crate::exit::Exit;

/// What one run is asked to do.
#[derive(Debug)]
pub(crate) struct Invocation {
    /// What holds for every command.
    pub(crate) settings: Settings,
    /// The command.
    pub(crate) command: Command,
}

/// What holds for every command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    /// Where the store is; `None` where no directory can be told.
    pub(crate) store: Option<PathBuf>,
    /// How many things are done at once.
    pub(crate) jobs: usize,
    /// How progress is shown.
    pub(crate) progress: ProgressStyle,
    /// Registries whose certificates are not looked at, or that have none.
    pub(crate) insecure: Vec<String>,
    /// Files with CAs' certificates, beside the system's.
    pub(crate) ca: Vec<PathBuf>,
    /// A directory with certificates for all registries.
    pub(crate) cert_dir: Option<PathBuf>,
    /// How much one registry has to bear.
    pub(crate) load: Load,
    /// Whether requests are shown.
    pub(crate) requests: Requests,
    /// Whether anybody may be asked.
    pub(crate) network: NetworkUse,
}

/// Whether anybody may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NetworkUse {
    /// Whoever knows.
    Online,
    /// Nobody: there is what there is.
    Offline,
}

/// How much one registry has to bear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Load {
    /// Requests at once; `None` is what suits most.
    pub(crate) at_once: Option<u32>,
    /// Requests that may begin in a second; `None` is as many as come.
    pub(crate) per_second: Option<u32>,
}

/// Whether requests to registries are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Requests {
    /// Only what goes wrong with them.
    Hidden,
    /// Each of them.
    Shown,
}

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProgressStyle {
    /// Not at all; warnings and errors are.
    Quiet,
    /// One line a step that is drawn again and again.
    Tty,
    /// One line an event, with the time.
    Plain,
    /// One JSON object an event.
    Json,
}

/// A command and its arguments.
#[derive(Debug)]
pub(crate) enum Command {
    /// `build`
    Build(Box<BuildArguments>),
    /// `plan`
    Plan(Box<PlanArguments>),
    /// `lock`
    Lock(Box<LockArguments>),
    /// `outdated`
    Outdated(Box<OutdatedArguments>),
    /// `init`
    Init(InitArguments),
    /// `push`
    Push(PushArguments),
    /// `pull`
    Pull(PullArguments),
    /// `copy`
    Copy(CopyArguments),
    /// `images`
    Images(ImagesArguments),
    /// `inspect`
    Inspect(InspectArguments),
    /// `history`
    History(HistoryArguments),
    /// `why`
    Why(WhyArguments),
    /// `tag`
    Tag(TagArguments),
    /// `rmi`
    Rmi(RmiArguments),
    /// `save`
    Save(SaveArguments),
    /// `load`
    Load(LoadArguments),
    /// `ls-tags`
    LsTags(LsTagsArguments),
    /// `referrers`
    Referrers(ReferrersArguments),
    /// `login`
    Login(LoginArguments),
    /// `logout`
    Logout(LogoutArguments),
    /// `prune`
    Prune(PruneArguments),
    /// `cache`
    Cache(CacheArguments),
    /// `serve`
    Serve(ServeArguments),
    /// `version`
    Version(VersionReport),
    /// `completions`
    Completions(clap_complete::Shell),
}

/// How `version` answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum VersionReport {
    /// A line.
    Text,
    /// A JSON object.
    Json,
    /// A template over that object.
    Template(String),
}

/// Why a command line does not lead to a command.
#[derive(Debug)]
pub(crate) enum Stop {
    /// Help or a version was asked for, or the words do not parse.
    Clap(clap::Error),
    /// The words parse but mean nothing.
    Usage(UsageError),
}

impl From<UsageError> for Stop {
    fn from(error: UsageError) -> Self {
        Stop::Usage(error)
    }
}

/// Reads a command line; the first of `arguments` is the program's name.
pub(crate) fn parse(
    arguments: impl IntoIterator<Item = OsString>,
    environment: &Environment,
) -> Result<Invocation, Stop> {
    let command = Typed::command().color(match environment.colors(environment.stderr) {
        Colors::Ansi => clap::ColorChoice::Always,
        Colors::None => clap::ColorChoice::Never,
    });
    let arguments = long_forms::shortened(arguments);
    let matches = command.try_get_matches_from(arguments).map_err(Stop::Clap)?;
    let typed = <Typed as clap::FromArgMatches>::from_arg_matches(&matches).map_err(Stop::Clap)?;
    Ok(typed.meaning(environment)?)
}

/// The grammar, for completions.
pub(crate) fn grammar() -> clap::Command {
    Typed::command()
}

const OUTDATED_HELP: &str =
    "It ends with 0 if nothing has moved, and with 12 if something has, whichever it shows.";

fn footer() -> String {
    format!("{}\n\n{}", Exit::help(), environment::HELP)
}

/// Builds OCI images from Dockerfiles and Python requirements, and moves them, with no daemon, no
/// root and no container.
#[derive(Debug, Parser)]
#[command(name = "plywood", version, after_help = footer(), subcommand_required = true)]
#[command(arg_required_else_help = true, disable_help_subcommand = false, max_term_width = 100)]
struct Typed {
    #[command(flatten)]
    settings: SettingsFlags,
    #[command(subcommand)]
    command: Commands,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
struct SettingsFlags {
    /// The local store [default: $PLYWOOD_STORE, else $XDG_DATA_HOME/plywood/store]
    #[arg(long, global = true, value_name = "DIR")]
    store: Option<PathBuf>,
    /// How many things to do at once [default: $PLYWOOD_JOBS, else the number of processors]
    #[arg(long, global = true, value_name = "N")]
    jobs: Option<String>,
    /// How to show progress: auto, tty, plain, json or quiet
    #[arg(long, global = true, value_name = "STYLE", default_value = "auto")]
    progress: String,
    /// Take any certificate from this registry, and speak plain HTTP where it has none; can be
    /// repeated. Loopback may speak plain HTTP anyway
    #[arg(long, global = true, value_name = "HOST[:PORT]")]
    insecure: Vec<String>,
    /// Trust the CA certificates in this PEM file, too; can be repeated
    #[arg(long, global = true, value_name = "FILE", alias = "cacert")]
    ca: Vec<PathBuf>,
    /// The certificates in this directory are for all registries: *.crt of CAs, NAME.cert with
    /// NAME.key to be shown
    #[arg(long, global = true, value_name = "DIR")]
    cert_dir: Option<PathBuf>,
    /// Show each request to a registry and its answer, without secrets
    #[arg(short = 'D', long, global = true)]
    debug: bool,
}

#[derive(Debug, Subcommand)]
enum Commands {
    /// Build an image from a Dockerfile or a plywood.toml
    Build(Box<build::BuildFlags>),
    /// Show what each instruction of a Dockerfile or plywood.toml becomes, and build nothing
    Plan(Box<build::PlanFlags>),
    /// Write plywood.lock, which pins what a recipe takes from outside, and build nothing
    Lock(Box<lock::LockFlags>),
    /// Show what has moved since plywood.lock was written
    #[command(after_help = OUTDATED_HELP)]
    Outdated(Box<lock::OutdatedFlags>),
    /// Write a plywood.toml for the project in a directory
    Init(init::InitFlags),
    /// Upload an image from the store to its registry
    Push(transfer::PushFlags),
    /// Download an image from its registry to the store
    Pull(transfer::PullFlags),
    /// Copy an image between registries, layouts, archives and the store
    Copy(transfer::CopyFlags),
    /// List the images in the store
    #[command(visible_alias = "ls")]
    Images(images::ImagesFlags),
    /// Show all there is to know about images
    Inspect(images::InspectFlags),
    /// Show how an image was made
    History(images::HistoryFlags),
    /// Say why the digest of an image is another than before
    Why(why::WhyFlags),
    /// Give an image in the store another name
    Tag(images::TagFlags),
    /// Remove images from the store, or from their registries
    Rmi(images::RmiFlags),
    /// Write images to an archive
    Save(transfer::SaveFlags),
    /// Read images from an archive
    Load(transfer::LoadFlags),
    /// List the tags of a repository in its registry
    LsTags(remote::LsTagsFlags),
    /// List the signatures, SBOMs and whatever else refers to an image in its registry
    Referrers(remote::ReferrersFlags),
    /// Store credentials for a registry
    #[command(after_help = environment::CLOUD_HELP)]
    Login(transfer::LoginFlags),
    /// Forget credentials for a registry
    Logout(transfer::LogoutFlags),
    /// Remove from the store what is no longer used
    Prune(images::PruneFlags),
    /// Look after what is kept of builds, in the store and in registries
    Cache(housekeeping::CacheFlags),
    /// Run a registry on this machine, over a directory
    Serve(serve::ServeFlags),
    /// Show the version
    Version(VersionFlags),
    /// Write a completion script for a shell
    Completions(CompletionsFlags),
}

#[derive(Debug, Args)]
struct VersionFlags {
    /// Write JSON
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// A Go template over what --json shows, or `json`
    #[arg(short, long, value_name = "TEMPLATE")]
    format: Option<String>,
}

#[derive(Debug, Args)]
struct CompletionsFlags {
    /// The shell
    shell: clap_complete::Shell,
}

impl Typed {
    fn meaning(self, environment: &Environment) -> Result<Invocation, UsageError> {
        let mut settings = self.settings.meaning(environment)?;
        let quiet = |settings: &mut Settings, quiet: bool| {
            if quiet {
                settings.progress = ProgressStyle::Quiet;
            }
        };
        let offline = |settings: &mut Settings, offline: bool| {
            if offline {
                settings.network = NetworkUse::Offline;
            }
        };
        let command = match self.command {
            Commands::Build(flags) => {
                quiet(&mut settings, flags.quiet);
                offline(&mut settings, flags.pins.offline);
                Command::Build(Box::new(flags.meaning(environment)?))
            }
            Commands::Plan(flags) => {
                quiet(&mut settings, flags.build.quiet);
                offline(&mut settings, flags.build.pins.offline);
                Command::Plan(Box::new(flags.meaning(environment)?))
            }
            Commands::Lock(flags) => {
                quiet(&mut settings, flags.build.quiet);
                offline(&mut settings, flags.build.pins.offline);
                Command::Lock(Box::new(flags.meaning(environment)?))
            }
            Commands::Outdated(flags) => {
                quiet(&mut settings, flags.build.quiet);
                offline(&mut settings, flags.build.pins.offline);
                Command::Outdated(Box::new(flags.meaning(environment)?))
            }
            Commands::Init(flags) => Command::Init(flags.meaning()),
            Commands::Push(flags) => {
                quiet(&mut settings, flags.quiet);
                Command::Push(flags.meaning()?)
            }
            Commands::Pull(flags) => {
                quiet(&mut settings, flags.quiet);
                Command::Pull(flags.meaning(environment)?)
            }
            Commands::Copy(flags) => {
                quiet(&mut settings, flags.quiet);
                Command::Copy(flags.meaning()?)
            }
            Commands::Load(flags) => {
                quiet(&mut settings, flags.quiet);
                Command::Load(flags.meaning())
            }
            Commands::Images(flags) => Command::Images(flags.meaning()?),
            Commands::Inspect(flags) => Command::Inspect(flags.meaning()?),
            Commands::History(flags) => Command::History(flags.meaning()?),
            Commands::Why(flags) => Command::Why(flags.meaning()?),
            Commands::Tag(flags) => Command::Tag(flags.meaning()?),
            Commands::Rmi(flags) => Command::Rmi(flags.meaning()?),
            Commands::Save(flags) => Command::Save(flags.meaning()?),
            Commands::LsTags(flags) => Command::LsTags(flags.meaning()?),
            Commands::Referrers(flags) => Command::Referrers(flags.meaning()?),
            Commands::Login(flags) => Command::Login(flags.meaning()?),
            Commands::Logout(flags) => Command::Logout(flags.meaning()),
            Commands::Prune(flags) => Command::Prune(flags.meaning()?),
            Commands::Cache(flags) => Command::Cache(flags.meaning()?),
            Commands::Serve(flags) => Command::Serve(flags.meaning(environment)?),
            Commands::Version(flags) => Command::Version(flags.meaning()),
            Commands::Completions(flags) => Command::Completions(flags.shell),
        };
        Ok(Invocation { settings, command })
    }
}

impl SettingsFlags {
    fn meaning(self, environment: &Environment) -> Result<Settings, UsageError> {
        let jobs = match (self.jobs.as_deref(), environment.text("PLYWOOD_JOBS")) {
            (Some(typed), _) => Some(meaning::jobs("--jobs", typed)?),
            (None, Some(set)) => Some(meaning::jobs("PLYWOOD_JOBS", set)?),
            (None, None) => None,
        };
        let processors = || std::thread::available_parallelism().map_or(1, |number| number.get());
        Ok(Settings {
            store: self.store.or_else(|| environment.store()),
            jobs: jobs.unwrap_or_else(processors),
            progress: match (self.progress.as_str(), environment.text("BUILDKIT_PROGRESS")) {
                ("auto", Some(set)) => progress_style("BUILDKIT_PROGRESS", set, environment)?,
                (typed, _) => progress_style("--progress", typed, environment)?,
            },
            // A host's name is the same in any case, and URLs have it in lower case.
            insecure: self.insecure.iter().map(|host| host.to_ascii_lowercase()).collect(),
            ca: self.ca,
            cert_dir: self.cert_dir,
            load: Load {
                at_once: number("PLYWOOD_REQUESTS", environment)?,
                per_second: number("PLYWOOD_REQUESTS_PER_SECOND", environment)?,
            },
            requests: if self.debug { Requests::Shown } else { Requests::Hidden },
            network: NetworkUse::Online,
        })
    }
}

/// The value of a variable that is a number from 1.
fn number(variable: &'static str, environment: &Environment) -> Result<Option<u32>, UsageError> {
    let Some(text) = environment.text(variable) else { return Ok(None) };
    let number = text.parse().ok().filter(|number| (1..=1000).contains(number));
    let wanted = "it is a number from 1 to 1000";
    number.map(Some).ok_or_else(|| UsageError::form(variable, text, wanted))
}

fn progress_style(
    argument: &'static str,
    text: &str,
    environment: &Environment,
) -> Result<ProgressStyle, UsageError> {
    Ok(match text {
        "auto" => match environment.stderr {
            Reader::Terminal if !environment.is_ci() => ProgressStyle::Tty,
            Reader::Terminal | Reader::Program => ProgressStyle::Plain,
        },
        "tty" => ProgressStyle::Tty,
        "plain" => ProgressStyle::Plain,
        // BuildKit's name for the same thing.
        "json" | "rawjson" => ProgressStyle::Json,
        "quiet" | "none" => ProgressStyle::Quiet,
        _ => {
            let known = &["auto", "tty", "plain", "json", "quiet"];
            return Err(UsageError::unknown(argument, text, known));
        }
    })
}

impl VersionFlags {
    fn meaning(self) -> VersionReport {
        match self.format {
            Some(format) if format == "json" => VersionReport::Json,
            Some(format) => VersionReport::Template(format),
            None if self.json => VersionReport::Json,
            None => VersionReport::Text,
        }
    }
}

#[cfg(test)]
pub(crate) fn parse_for_test(
    line: &[&str],
    environment: &Environment,
) -> Result<Invocation, UsageError> {
    let words = std::iter::once("plywood").chain(line.iter().copied()).map(OsString::from);
    match parse(words, environment) {
        Ok(invocation) => Ok(invocation),
        Err(Stop::Usage(error)) => Err(error),
        Err(Stop::Clap(error)) => panic!("{error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grammar_holds_no_contradiction() {
        grammar().debug_assert();
    }

    #[test]
    fn progress_suits_who_reads_it() {
        let check = |words: &[&str], environment: &Environment, expected: ProgressStyle| {
            let invocation = parse_for_test(words, environment).unwrap();
            assert_eq!(invocation.settings.progress, expected, "{words:?}");
        };
        let file = Environment::of(&[]);
        let mut terminal = file.clone();
        let mut ci = Environment::of(&[("CI", "true")]);
        terminal.stderr = Reader::Terminal;
        ci.stderr = Reader::Terminal;
        check(&["images"], &file, ProgressStyle::Plain);
        check(&["images"], &terminal, ProgressStyle::Tty);
        check(&["images"], &ci, ProgressStyle::Plain);
        check(&["--progress", "json", "images"], &terminal, ProgressStyle::Json);
        check(&["pull", "-q", "a"], &terminal, ProgressStyle::Quiet);
        check(&["build", "--progress=tty", "."], &file, ProgressStyle::Tty);
        let set = Environment::of(&[("BUILDKIT_PROGRESS", "rawjson")]);
        check(&["images"], &set, ProgressStyle::Json);
        check(&["--progress", "plain", "images"], &set, ProgressStyle::Plain);
    }

    #[test]
    fn settings_come_from_the_line_then_from_the_environment() {
        let environment = Environment::of(&[("PLYWOOD_JOBS", "3"), ("PLYWOOD_STORE", "/s")]);
        let invocation = parse_for_test(&["images"], &environment).unwrap();
        assert_eq!(invocation.settings.jobs, 3);
        assert_eq!(invocation.settings.store, Some("/s".into()));
        let line = ["images", "--jobs", "5", "--store", "/t", "--insecure", "Reg:5000"];
        let invocation = parse_for_test(&line, &environment).unwrap();
        assert_eq!(invocation.settings.jobs, 5);
        assert_eq!(invocation.settings.store, Some("/t".into()));
        assert_eq!(invocation.settings.insecure, ["reg:5000"]);
        let line = ["images", "--ca", "a.pem", "--cacert", "b.pem", "--cert-dir", "certs"];
        let settings = parse_for_test(&line, &environment).unwrap().settings;
        assert_eq!(settings.ca, [PathBuf::from("a.pem"), "b.pem".into()]);
        assert_eq!(settings.cert_dir, Some("certs".into()));
    }

    #[test]
    fn bad_settings_say_which_and_what_is_wanted() {
        let check = |words: &[&str], variables: &[(&str, &str)], expected: &str| {
            let error = parse_for_test(words, &Environment::of(variables)).unwrap_err();
            let hint = error.hint().unwrap_or_default();
            assert_eq!(format!("{error} | {hint}"), expected);
        };
        check(
            &["images", "--progress", "plan"],
            &[],
            "`plan` is not a value of `--progress` (auto, tty, plain, json, quiet are) | did you \
             mean `plain`?",
        );
        check(
            &["images"],
            &[("PLYWOOD_JOBS", "many")],
            "`many` is not a value of `PLYWOOD_JOBS` | it is a number from 1 to 1024",
        );
    }

    #[test]
    fn a_mistyped_word_is_answered_with_the_nearest() {
        let check = |line: &[&str], expected: &str| {
            let words = std::iter::once("plywood").chain(line.iter().copied()).map(OsString::from);
            let Err(Stop::Clap(error)) = parse(words, &Environment::of(&[])) else {
                panic!("{line:?} was understood")
            };
            assert_eq!(error.exit_code(), 2);
            assert!(error.to_string().contains(expected), "{error}");
        };
        check(&["biuld", "."], "tip: a similar subcommand exists: 'build'");
        check(&["build", "--platfrom", "a", "."], "tip: a similar argument exists: '--platform'");
    }
}
