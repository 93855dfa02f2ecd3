//! What can be wrong with the files that settings of hosts are in.

use std::io;
use std::path::{Path, PathBuf};

/// Why settings of hosts cannot be had. Every message fits after "failed to", and none holds a part
/// of a private key.
#[derive(Debug, thiserror::Error)]
pub enum HostFileError {
    /// A file that cannot be read.
    #[error("read {}: {source}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file that is larger than it has any reason to be.
    #[error("read {}: it is larger than {limit} bytes", .path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The limit in bytes.
        limit: u64,
    },
    /// A file that is not of its program's form.
    #[error("read {}{}: {problem}", .path.display(), line_suffix(*.line))]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The line, from 1, where it is known.
        line: Option<usize>,
        /// What is wrong.
        problem: String,
    },
    /// A file that holds no certificate, or one that is none.
    #[error("use {} as a certificate: {problem}", .path.display())]
    NoCertificate {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// Files that are not a client certificate and its key.
    #[error("use {} as a client certificate: {problem}", .path.display())]
    NoIdentity {
        /// The file of the certificate.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// A client certificate or its key, without the other.
    #[error("use {}: {} is missing beside it", .present.display(), .missing.display())]
    Unpaired {
        /// What is there.
        present: PathBuf,
        /// What is not.
        missing: PathBuf,
    },
}

fn line_suffix(line: Option<usize>) -> String {
    line.map(|line| format!(":{line}")).unwrap_or_default()
}

impl HostFileError {
    pub(super) fn malformed(path: &Path, line: Option<usize>, problem: impl Into<String>) -> Self {
        HostFileError::Malformed { path: path.to_owned(), line, problem: problem.into() }
    }

    /// The error of a TOML document that does not parse.
    pub(super) fn toml(path: &Path, text: &str, error: &toml::de::Error) -> Self {
        let line = error.span().map(|span| line_of(text, span.start));
        HostFileError::malformed(path, line, error.message().trim_end().to_owned())
    }

    /// The way out.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            HostFileError::Read { path, source } => match source.kind() {
                io::ErrorKind::PermissionDenied => format!(
                    "make {} readable for the user who runs plywood, or give certificates of your \
                     own with `--cert-dir`",
                    path.display()
                ),
                io::ErrorKind::NotFound => "check the path".to_owned(),
                _ => return None,
            },
            HostFileError::TooLarge { .. } => "check whether it is the right file".to_owned(),
            HostFileError::Malformed { path, .. } => {
                let is_toml = path.extension().is_some_and(|extension| extension == "conf");
                let other = "; CONTAINERS_REGISTRIES_CONF names another file";
                format!("correct the file{}", if is_toml { other } else { "" })
            }
            HostFileError::NoCertificate { .. } => {
                "it takes PEM: `-----BEGIN CERTIFICATE-----`; convert DER with `openssl x509 \
                 -inform der`"
                    .to_owned()
            }
            HostFileError::NoIdentity { .. } => {
                "it takes PEM, an X.509 v3 certificate (`openssl x509 -req` makes one only with \
                 `-extfile`) and its unencrypted key"
                    .to_owned()
            }
            HostFileError::Unpaired { present, missing } => {
                let is_certificate = present.extension().is_some_and(|end| end == "cert");
                let name = missing.file_name().unwrap_or_default().display();
                format!(
                    "put {name} there{}",
                    if is_certificate { "; a CA's certificate ends in `.crt`" } else { "" }
                )
            }
        })
    }
}

/// The line, from 1, of a position in a text.
pub(super) fn line_of(text: &str, position: usize) -> usize {
    let before = text.as_bytes().get(..position).unwrap_or(text.as_bytes());
    1 + before.iter().filter(|byte| **byte == b'\n').count()
}
