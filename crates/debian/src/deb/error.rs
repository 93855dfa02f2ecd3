//! Why a package cannot be read.

use std::io;

use layer::TarError;

use crate::control::ControlError;

/// Why a package cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum DebError {
    /// The file cannot be read.
    #[error("read the package after {offset} bytes")]
    Read {
        /// Bytes of the file before that.
        offset: u64,
        /// What the reader said.
        source: io::Error,
    },
    /// It ends too early.
    #[error("the package is cut off after {offset} bytes, in `{member}`")]
    Truncated {
        /// Bytes that are there.
        offset: u64,
        /// Its last member.
        member: String,
    },
    /// It does not begin as an archive does.
    #[error("the file is no Debian package: it is no `ar` archive")]
    NoArchive,
    /// Its archive is damaged.
    #[error("the package is damaged: no member begins at byte {offset}")]
    MemberHeader {
        /// Where.
        offset: u64,
    },
    /// A member is not where it has to be (deb(5)).
    #[error("`{found}` stands where a package has {wanted}")]
    Order {
        /// What has to be there.
        wanted: &'static str,
        /// What is there.
        found: String,
    },
    /// A package of another kind.
    #[error("the package's format is {0}, and 2.x is known")]
    Format(String),
    /// A member is compressed in a way that deb(5) does not name.
    #[error("`{0}` is compressed in a way that no package is")]
    Compression(String),
    /// One of its tars is wrong.
    #[error("read `{member}`")]
    Tar {
        /// Which.
        member: String,
        /// Why.
        source: TarError,
    },
    /// A file of `control.tar` that cannot be one.
    #[error("`{name}` of `control.tar` {problem}")]
    ControlFile {
        /// Which.
        name: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// `control` is no stanza.
    #[error("read `control`")]
    Control(#[from] ControlError),
    /// `control` has another number of stanzas than one.
    #[error("`control` has {0} stanzas instead of one")]
    Stanzas(usize),
    /// A field is not there.
    #[error("`control` has no field `{0}`")]
    NoField(&'static str),
    /// A field says what it cannot say.
    #[error("`{field}: {value}` of `control` {problem}")]
    Field {
        /// Which.
        field: &'static str,
        /// What it says.
        value: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A member of `data.tar` that is not accepted.
    #[error("`{name}` of `data.tar` {problem}")]
    Member {
        /// Which.
        name: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// Too much of something.
    #[error("the package has more than {allowed} {what}")]
    Limit {
        /// What there is too much of.
        what: &'static str,
        /// How much is allowed.
        allowed: u64,
    },
    /// Whoever takes the contents could not.
    #[error("keep the package's files")]
    Sink(#[source] io::Error),
}

impl DebError {
    /// The way out, if there is one to offer.
    pub fn hint(&self) -> Option<String> {
        match self {
            DebError::Truncated { .. } | DebError::MemberHeader { .. } => {
                Some("the package itself is incomplete or damaged: take another version, or make it anew"
                    .to_owned())
            }
            DebError::Tar { source, .. } => source.hint(),
            DebError::Member { .. } | DebError::Limit { .. } => {
                Some("the package is hostile or broken: do not use it".to_owned())
            }
            _ => None,
        }
    }

    /// Takes back an error that the archive sent through `io::Error`.
    pub(super) fn of_io(offset: u64, source: io::Error) -> Self {
        match source.downcast::<DebError>() {
            Ok(error) => error,
            Err(source) => DebError::Read { offset, source },
        }
    }

    /// The same through a tar's reader.
    pub(super) fn of_tar(member: &str, error: TarError) -> Self {
        let member = member.to_owned();
        match error {
            TarError::Read { offset, source } => match source.downcast::<DebError>() {
                Ok(error) => error,
                Err(source) => DebError::Tar { member, source: TarError::Read { offset, source } },
            },
            source => DebError::Tar { member, source },
        }
    }
}
