//! Certificates: whom a host must be vouched for by, and what it is shown.
//!
//! A directory of certificates is Docker's and podman's (containers-certs.d(5)): each `*.crt` is a
//! CA's certificate, each `NAME.cert` one to be shown, whose private key is `NAME.key`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use reqwest::Certificate;

use super::error::HostFileError;
use super::read_existing;
use crate::transport::cause;
use crate::{Error, Secret};

/// What a host has to show and is shown, beside what holds for all hosts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Trust {
    /// More roots: PEM, each with one or more certificates.
    pub(crate) roots: Vec<Arc<[u8]>>,
    pub(crate) identity: Option<ClientIdentity>,
    pub(crate) verification: Verification,
}

/// Whether a host's certificate is looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) enum Verification {
    #[default]
    Full,
    None,
}

/// A client certificate with its private key, as PEM.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct ClientIdentity(Secret);

impl Trust {
    /// Adds what another file says of the same host. The first certificate to be shown is shown.
    pub(super) fn add(&mut self, more: Trust) {
        self.roots.extend(more.roots);
        self.identity = self.identity.take().or(more.identity);
        if more.verification == Verification::None {
            self.verification = Verification::None;
        }
    }
}

impl ClientIdentity {
    /// As the transport takes it.
    pub(crate) fn parse(&self) -> Result<reqwest::Identity, Error> {
        // What is wrong with it was said when it was read, so there is nothing left to be said of
        // its content.
        let bad =
            |_| Error::BadSetting { what: "client certificate", cause: "it is no PEM".to_owned() };
        reqwest::Identity::from_pem(self.0.expose().as_bytes()).map_err(bad)
    }
}

/// The certificates in a directory that was named, which therefore must exist.
pub(super) fn named_directory(path: &Path) -> Result<Trust, HostFileError> {
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => directory(path),
        Ok(_) => Err(HostFileError::Read {
            path: path.to_owned(),
            source: std::io::ErrorKind::NotADirectory.into(),
        }),
        Err(source) => Err(HostFileError::Read { path: path.to_owned(), source }),
    }
}

/// The certificates in a directory. Of several client certificates the first by name is shown.
pub(super) fn directory(path: &Path) -> Result<Trust, HostFileError> {
    let failed = |source| HostFileError::Read { path: path.to_owned(), source };
    let entries = std::fs::read_dir(path).map_err(failed)?;
    let mut files = Vec::new();
    for entry in entries {
        files.push(entry.map_err(failed)?.path());
    }
    files.sort();
    let mut trust = Trust::default();
    for file in &files {
        match file.extension().and_then(|extension| extension.to_str()) {
            Some("crt") => trust.roots.push(certificate(file)?),
            Some("cert") => {
                let key = paired(file, "key")?;
                if trust.identity.is_none() {
                    trust.identity = Some(identity(file, Some(&key))?);
                }
            }
            Some("key") => drop(paired(file, "cert")?),
            _ => {}
        }
    }
    Ok(trust)
}

fn paired(present: &Path, extension: &str) -> Result<PathBuf, HostFileError> {
    let other = present.with_extension(extension);
    if other.exists() {
        return Ok(other);
    }
    Err(HostFileError::Unpaired { present: present.to_owned(), missing: other })
}

/// A file with at least one certificate.
pub(super) fn certificate(path: &Path) -> Result<Arc<[u8]>, HostFileError> {
    let bad = |problem: &str| HostFileError::NoCertificate {
        path: path.to_owned(),
        problem: problem.to_owned(),
    };
    let (bytes, found) = bundle(path)?;
    // What is PEM and yet no certificate is noticed only by whoever takes it for a root.
    let alone = reqwest::Client::builder().tls_certs_only(found).build();
    alone.map_err(|_| bad("what it holds is none"))?;
    Ok(bytes.into())
}

fn bundle(path: &Path) -> Result<(Vec<u8>, Vec<Certificate>), HostFileError> {
    let bad = |problem: &str| HostFileError::NoCertificate {
        path: path.to_owned(),
        problem: problem.to_owned(),
    };
    let bytes = read_existing(path)?;
    match Certificate::from_pem_bundle(&bytes) {
        Ok(found) if found.is_empty() => Err(bad("it holds none")),
        Ok(found) => Ok((bytes, found)),
        Err(_) => Err(bad("it is no valid PEM")),
    }
}

/// A client certificate and its key, which may be in the same file.
pub(super) fn identity(
    certificate: &Path,
    key: Option<&Path>,
) -> Result<ClientIdentity, HostFileError> {
    let bad = |problem: &str| HostFileError::NoIdentity {
        path: certificate.to_owned(),
        problem: problem.to_owned(),
    };
    let mut pem = text(read_existing(certificate)?).ok_or_else(|| bad("it is no valid PEM"))?;
    if let Some(key) = key {
        pem.push('\n');
        pem.push_str(&text(read_existing(key)?).ok_or_else(|| bad("its key is no valid PEM"))?);
    }
    if pem.contains("ENCRYPTED") {
        return Err(bad("its key is encrypted"));
    }
    let identity = reqwest::Identity::from_pem(pem.as_bytes())
        .map_err(|_| bad("a certificate or a key is missing, or is no valid PEM"))?;
    let alone = reqwest::Client::builder().tls_certs_only([]).identity(identity).build();
    alone.map_err(|error| bad(&cause(error)))?;
    Ok(ClientIdentity(Secret::new(pem)))
}

fn text(bytes: Vec<u8>) -> Option<String> {
    String::from_utf8(bytes).ok()
}

/// Where roots of trust are kept as OpenSSL and Go name it: `SSL_CERT_FILE` and `SSL_CERT_DIR`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roots {
    /// A file with many certificates.
    pub file: Option<PathBuf>,
    /// Directories with a file for each, or several.
    pub directories: Vec<PathBuf>,
}

/// A CA's certificate from a file, for [`Settings`](crate::Settings): PEM, and certainly one.
pub fn root_certificate(path: &Path) -> Result<Vec<u8>, HostFileError> {
    certificate(path).map(|pem| pem.to_vec())
}

impl Roots {
    /// Whether nothing is named, so that the system's own count.
    pub fn is_empty(&self) -> bool {
        self.file.is_none() && self.directories.is_empty()
    }

    /// The certificates that TLS takes. Among a hundred roots one may be of a kind that is no longer
    /// in use, and directories hold other files, too, and links that lead nowhere.
    pub(crate) fn read(&self) -> Result<Vec<Certificate>, HostFileError> {
        let mut roots = match &self.file {
            Some(file) => bundle(file)?.1,
            None => Vec::new(),
        };
        for directory in &self.directories {
            let failed = |source| HostFileError::Read { path: directory.clone(), source };
            for entry in std::fs::read_dir(directory).map_err(failed)? {
                let path = entry.map_err(failed)?.path();
                if path.is_file()
                    && let Ok((_, found)) = bundle(&path)
                {
                    roots.extend(found);
                }
            }
        }
        let taken = |roots: &[Certificate]| {
            reqwest::Client::builder().tls_certs_only(roots.iter().cloned()).build().is_ok()
        };
        if !taken(&roots) {
            roots.retain(|root| taken(std::slice::from_ref(root)));
        }
        Ok(roots)
    }
}
