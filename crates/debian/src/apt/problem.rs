//! What goes wrong with an image's apt: said as apt says it, each with a way out.

use shell::Stop;
use shell::files::{Errno, FileError};

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The evaluation ends.
    Stop(Stop),
    /// A program says so and exits with 100.
    Problem(Box<Problem>),
}

/// What is wrong with the files of an image, or with an archive; shown behind an `E: `.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// A file that is there and cannot be read.
    #[error("Unable to read {path} - open ({errno})")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        errno: Errno,
    },
    /// A configuration file that was named and is not there.
    #[error("Unable to read {path} - open (No such file or directory)")]
    NoFile {
        /// The file.
        path: String,
    },
    /// What is no configuration.
    #[error("Syntax error {file}:{line}: {what}")]
    Configuration {
        /// The file.
        file: String,
        /// Its line, counted from 1.
        line: usize,
        /// What it is.
        what: &'static str,
    },
    /// An option `-o` that sets nothing.
    #[error("Option {option}: Configuration item specification must have an =<val>.")]
    Option {
        /// As it was given.
        option: String,
    },
    /// A line of a list that is no source.
    #[error("Malformed {unit} {line} in {form} {file} ({what})")]
    Source {
        /// `line`, `entry`, `stanza`.
        unit: &'static str,
        /// Its number, counted from 1.
        line: usize,
        /// `list file`, `sources file` or `source list`.
        form: &'static str,
        /// The file.
        file: String,
        /// What it is.
        what: String,
    },
    /// A source of a kind that there is not.
    #[error("Type '{kind}' is not known on {unit} {line} in source list {file}")]
    Kind {
        /// As written.
        kind: String,
        /// `line` or `stanza`.
        unit: &'static str,
        /// Its number, counted from 1.
        line: usize,
        /// The file.
        file: String,
    },
    /// A file of stanzas that has none.
    #[error("Unable to parse package file {file} ({line})")]
    Stanzas {
        /// The file.
        file: String,
        /// The line, counted from 1.
        line: usize,
    },
    /// Two entries of one suite that contradict each other.
    #[error("Conflicting values set for option {option} regarding source {uri} {suite}{values}")]
    Conflict {
        /// The option.
        option: &'static str,
        /// The address.
        uri: String,
        /// The suite.
        suite: String,
        /// What the one says and the other, where it helps: `: a != b`.
        values: String,
    },
    /// A snapshot of an archive that has none, or does not say where they are.
    #[error("Snapshots not supported for {uri} {suite} ({place})")]
    NoSnapshots {
        /// The archive's address.
        uri: String,
        /// The suite.
        suite: String,
        /// Where the source stands.
        place: String,
    },
    /// A snapshot of an archive that was not asked yet where they are.
    #[error(
        "Cannot identify snapshot server for {uri} {suite} ({place}) - run update without snapshot id first"
    )]
    UnknownSnapshots {
        /// The archive's address.
        uri: String,
        /// The suite.
        suite: String,
        /// Where the source stands.
        place: String,
    },
    /// A file of preferences that is none.
    #[error("Invalid record in the preferences file {file}, {what}")]
    Preferences {
        /// The file.
        file: String,
        /// What it is.
        what: String,
    },
    /// A file of logins that is none; its words are not shown.
    #[error("Parsing error in {file}, line {line}: {what}")]
    Login {
        /// The file.
        file: String,
        /// Its line, counted from 1.
        line: usize,
        /// What it is.
        what: &'static str,
    },
    /// A default release that no archive has (`APT::Default-Release`).
    #[error(
        "The value '{release}' is invalid for APT::Default-Release as such a release is not available in the sources"
    )]
    DefaultRelease {
        /// As it was given.
        release: String,
    },
    /// A command of the configuration that fails.
    #[error("Problem executing scripts {list} '{command}'")]
    Hook {
        /// The list that it is in.
        list: &'static str,
        /// The command.
        command: String,
    },
    /// A package's file that is not there.
    #[error("Unsupported file {path} given on commandline")]
    NoPackageFile {
        /// As it was given.
        path: String,
    },
    /// A package's file that has another package in it than its archive's lists say.
    #[error("{file} has {found} in it, and the lists of its archive say {listed}")]
    OtherPackage {
        /// The file's name.
        file: String,
        /// Name, version and architecture, as the lists say.
        listed: String,
        /// As the package says.
        found: String,
    },
    /// An image without dpkg.
    #[error(
        "Could not open lock file /var/lib/dpkg/lock-frontend - open (2: No such file or directory)"
    )]
    NoDatabase,
    /// A list of automatic packages that is none.
    #[error("Unable to parse package file {path} ({error})")]
    States {
        /// The file.
        path: String,
        /// What it is.
        error: crate::control::ControlError,
    },
}

impl Problem {
    /// The way out, where there is one that is not in the message.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Problem::Configuration { .. } => Some("apt.conf(5) has the syntax"),
            Problem::Source { .. } | Problem::Kind { .. } | Problem::Stanzas { .. } => {
                Some("sources.list(5) has both forms")
            }
            Problem::Conflict { .. } => {
                Some("the same suite is in two files of sources; take one away, or make them agree")
            }
            Problem::NoSnapshots { .. } => Some(
                "its Release has no field `Snapshots`, and no `Acquire::Snapshots::URI` is set for it: \
                 write the address of the snapshot itself, which in a plywood.toml may have \
                 `@SNAPSHOTID@` in it",
            ),
            Problem::UnknownSnapshots { .. } => {
                Some("`apt-get update` has to come before it, and may not be cleared away")
            }
            Problem::Preferences { .. } => Some("apt_preferences(5) has the form"),
            Problem::Login { .. } => Some("apt_auth.conf(5) has the form"),
            Problem::DefaultRelease { .. } => {
                Some("give a suite or codename of one of the sources")
            }
            Problem::OtherPackage { .. } => {
                Some("the archive is hostile or broken: do not use it, or tell its owners")
            }
            Problem::NoDatabase => Some(
                "the image has no database of dpkg's (/var/lib/dpkg/status), so it is no Debian: \
                 build on one that is, or on `scratch` with `[debian]` in a plywood.toml",
            ),
            Problem::Unreadable { .. }
            | Problem::NoFile { .. }
            | Problem::Option { .. }
            | Problem::Hook { .. }
            | Problem::NoPackageFile { .. }
            | Problem::States { .. } => None,
        }
    }
}

impl Problem {
    /// Whether it is about sources.
    pub(super) fn is_of_sources(&self) -> bool {
        matches!(
            self,
            Problem::Source { .. }
                | Problem::Kind { .. }
                | Problem::Stanzas { .. }
                | Problem::Conflict { .. }
        )
    }
}

impl From<Stop> for Failure {
    fn from(stop: Stop) -> Self {
        Failure::Stop(stop)
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Failure::Problem(Box::new(problem))
    }
}

impl Failure {
    /// What became of an operation on `path`.
    pub(super) fn of_file(path: &oci::ImagePath, error: FileError) -> Self {
        match error {
            FileError::Stop(stop) => Failure::Stop(stop),
            FileError::Errno(errno) => {
                Problem::Unreadable { path: format!("/{path}"), errno }.into()
            }
        }
    }
}
