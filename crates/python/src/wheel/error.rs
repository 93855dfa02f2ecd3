//! What can be wrong with a wheel.

use std::io;

use oci::ImagePath;

use super::limits::WheelLimit;
use super::member::Member;

/// Why a wheel is not installed.
#[derive(Debug, thiserror::Error)]
#[error("install the wheel `{wheel}`")]
pub struct WheelError {
    /// The wheel's file name.
    pub wheel: String,
    /// What is wrong with it.
    #[source]
    pub fault: WheelFault,
}

/// What is wrong with a wheel.
#[derive(Debug, thiserror::Error)]
pub enum WheelFault {
    /// A file name that PEP 427, "File name convention", does not know.
    #[error("its name does not say NAME-VERSION-PYTHON-ABI-PLATFORM.whl")]
    FileName,
    /// The bytes could not be had.
    #[error("cannot read {length} bytes at {offset}")]
    Read {
        /// From where.
        offset: u64,
        /// How many.
        length: u64,
        /// What the reader said.
        source: io::Error,
    },
    /// No zip archive, or not all of one.
    #[error("it is not a whole zip archive ({0})")]
    NotZip(&'static str),
    /// A record of the central directory that APPNOTE.TXT 4.3.12 does not know.
    #[error("the zip's directory is malformed ({0})")]
    BadDirectory(&'static str),
    /// A name that is no path below a directory.
    #[error("its member `{member}` {why}")]
    BadName {
        /// The name, as far as it can be shown.
        member: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Two members of one name: which is meant depends on who reads.
    #[error("it has two members `{0}`")]
    Duplicate(String),
    /// An encrypted member.
    #[error("its member `{0}` is encrypted")]
    Encrypted(String),
    /// A compression that wheels do not have.
    #[error("its member `{member}` is compressed by {method}")]
    Method {
        /// The member.
        member: String,
        /// The method's name, or number.
        method: String,
    },
    /// The two headers of a member tell different stories: which is heard depends on who reads.
    #[error(
        "its member `{member}` has another {what} in the zip's directory than before its bytes"
    )]
    Disagreement {
        /// The member.
        member: String,
        /// What they disagree on.
        what: &'static str,
    },
    /// Two members share bytes, as in bombs.
    #[error("its members `{0}` and `{1}` share bytes")]
    Overlap(String, String),
    /// A member whose bytes are not what its header says.
    #[error("its member `{member}` is damaged ({why})")]
    Damaged {
        /// The member.
        member: String,
        /// In which way.
        why: &'static str,
    },
    /// More of something than anything real has.
    #[error("it has more than {allowed} {what}")]
    TooMuch {
        /// What there is too much of.
        what: WheelLimit,
        /// How much is allowed.
        allowed: u64,
    },
    /// Not exactly one `.dist-info`.
    #[error("it must have one `.dist-info` directory, and has {}", listed(.0))]
    InfoDirectories(Vec<String>),
    /// A `.dist-info` of something else.
    #[error("its `{found}` is not of `{name}`")]
    InfoDirectory {
        /// What it is called.
        found: String,
        /// The distribution's name, as the file name says.
        name: String,
    },
    /// A file without which it is no wheel.
    #[error("it has no `{0}`")]
    Missing(String),
    /// Metadata that is not UTF-8.
    #[error("its `{0}` is not UTF-8")]
    NotText(String),
    /// A `Wheel-Version` that is none, or that is not known.
    #[error("its `Wheel-Version` is `{0}`, and 1 is known")]
    WheelVersion(String),
    /// `METADATA` of something else.
    #[error("its METADATA says {field} `{found}`, where the file name says `{named}`")]
    Metadata {
        /// `Name` or `Version`.
        field: &'static str,
        /// What `METADATA` has.
        found: String,
        /// What the file name has.
        named: String,
    },
    /// A hash in `RECORD` that is not the file's.
    #[error("its RECORD has another hash for `{0}` than the file")]
    RecordLies(String),
    /// A file in `.data` that belongs nowhere.
    #[error(
        "its member `{0}` is in none of `.data`'s directories (purelib, platlib, headers, scripts, data)"
    )]
    Scheme(String),
    /// An entry point of which no script can be made.
    #[error("its entry point `{entry_point}` {why}")]
    EntryPoint {
        /// `name = value`.
        entry_point: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A file where another needs a directory.
    #[error("it has a file `/{file}` and another below it, `/{below}`")]
    InTheWay {
        /// The one.
        file: ImagePath,
        /// The other.
        below: ImagePath,
    },
    /// A file in the place of the interpreter.
    #[error("it has a file `/{0}`, where the interpreter is")]
    Interpreter(ImagePath),
}

impl WheelError {
    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        self.fault.hint().map(str::to_owned)
    }
}

impl WheelFault {
    /// Says of which wheel.
    pub(super) fn of(self, wheel: &str) -> WheelError {
        WheelError { wheel: wheel.to_owned(), fault: self }
    }

    /// Takes back a fault that came through `io::Error`.
    pub(super) fn unread(member: &Member, error: io::Error) -> WheelFault {
        error.downcast::<WheelFault>().unwrap_or_else(|source| {
            let std::ops::Range { start, end } = member.raw_range();
            WheelFault::Read { offset: start, length: end - start, source }
        })
    }

    fn hint(&self) -> Option<&'static str> {
        match self {
            WheelFault::NotZip(_) | WheelFault::Damaged { .. } => {
                Some("the wheel is incomplete or damaged: fetch or build it again")
            }
            WheelFault::BadName { .. }
            | WheelFault::Duplicate(_)
            | WheelFault::Disagreement { .. }
            | WheelFault::Overlap(..)
            | WheelFault::TooMuch { .. }
            | WheelFault::Interpreter(_)
            | WheelFault::RecordLies(_) => Some("the wheel is hostile or broken: do not use it"),
            WheelFault::Encrypted(_) | WheelFault::Method { .. } => {
                Some("unpack it and pack it again with `wheel pack`, which deflates")
            }
            WheelFault::FileName => Some(
                "give it the name that it was built with, such as `six-1.16.0-py3-none-any.whl`",
            ),
            WheelFault::Metadata { .. } | WheelFault::InfoDirectory { .. } => {
                Some("a wheel cannot be renamed to another version: build it anew")
            }
            _ => None,
        }
    }
}

/// What a wheel says, as far as it can be shown: without what a terminal would obey, and not all of
/// it if it is long.
pub(super) fn printable(text: &str) -> String {
    let mut shown: String = text
        .chars()
        .take(LONGEST_SHOWN)
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect();
    if text.len() > shown.len() {
        shown.push('…');
    }
    shown
}

const LONGEST_SHOWN: usize = 200;

fn listed(directories: &[String]) -> String {
    if directories.is_empty() { "none".to_owned() } else { directories.join(", ") }
}
