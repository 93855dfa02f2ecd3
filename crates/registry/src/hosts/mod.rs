//! What is set for registries and hosts: mirrors, other locations, certificates, insecurity. Read
//! from the files in which other programs keep it.
//!
//! A registry's mirrors and its location come from the first of these that speaks of it:
//!
//! 1. containers' `registries.conf` with its drop-ins (containers-registries.conf(5)): podman's,
//!    buildah's and skopeo's. The entry with the longest matching prefix counts.
//! 2. containerd's `hosts.toml` (`docs/hosts.md` there), in the first directory that has one for the
//!    registry or, with the name `_default`, for all.
//! 3. Docker's `daemon.json`: `registry-mirrors`, which are Docker Hub's.
//!
//! What a *host* has to show, and is shown, is added up: the certificates in the first directory
//! `certs.d/HOST[:PORT]` that exists, those in `--cert-dir`, those that a `hosts.toml` names.
//! It is insecure if the command line, `registries.conf` or `daemon.json` says so. These count
//! wherever the way to the host began: a redirect or a token service leads to a host that has its
//! own settings, not its registry's.
//!
//! A read asks the mirrors in their order, and then the registry itself. A write goes to the
//! registry itself, at its `location`, whatever mirrors there are: containerd's `push` capability of
//! a mirror is not used. Short names are Docker's (what names no registry is on Docker Hub), so
//! `unqualified-search-registries` and short-name aliases are passed over, as are all keys that
//! nothing here is about.
//!
//! Files are read when they are needed: those of a registry that is not spoken to are not looked
//! at. Their paths are the caller's to know.

mod certificates;
mod daemon_json;
mod error;
mod hosts_toml;
mod location;
mod registries_conf;

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use oci::RepositoryName;

use crate::Secret;
use crate::settings::Scheme;
use crate::transport::DOCKER_HUB;
pub use error::HostFileError;

pub use certificates::{Roots, root_certificate};
pub(crate) use certificates::{Trust, Verification};
use daemon_json::Daemon;
use hosts_toml::HostsToml;
pub(crate) use location::Rewrite;
use registries_conf::Rule;

/// The paths of the files that settings of hosts are read from. What does not exist is passed over,
/// except for what was named.
#[derive(Debug, Clone, Default)]
pub struct HostFiles {
    /// A `registries.conf` that was named.
    pub named_registries_conf: Option<PathBuf>,
    /// The user's `registries.conf`: if it exists, the system's is not read, nor its drop-ins.
    pub user_registries_conf: Option<PathBuf>,
    /// The system's `registries.conf`. The drop-ins of each are in the directory `…conf.d`.
    pub system_registries_conf: Option<PathBuf>,
    /// Directories with a directory for each host, with certificates in it (`certs.d`). The first
    /// that has one for a host counts.
    pub certificates: Vec<PathBuf>,
    /// A directory with certificates for all hosts: podman's `--cert-dir`.
    pub named_certificates: Option<PathBuf>,
    /// Directories with a directory for each registry, with a `hosts.toml` in it.
    pub hosts_toml: Vec<PathBuf>,
    /// Docker's `daemon.json`; the first that exists counts.
    pub daemon_json: Vec<PathBuf>,
}

/// What is set for registries and hosts; nothing by default.
#[derive(Clone, Default)]
pub struct Hosts(Arc<Known>);

#[derive(Default)]
struct Known {
    files: HostFiles,
    rules: Vec<Rule>,
    daemon: Daemon,
    /// What the `hosts.toml` files of registries that were asked for say.
    read: Mutex<BTreeMap<String, Arc<Option<HostsToml>>>>,
    /// What hosts that were spoken to have to show and are shown.
    trusted: Mutex<BTreeMap<String, Trust>>,
}

/// Where a registry's repositories are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) mirrors: Vec<Mirror>,
    pub(crate) origin: Endpoint,
}

/// A place to read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mirror {
    pub(crate) endpoint: Endpoint,
    pub(crate) serves: Serves,
}

/// By what a mirror may be asked for things, and by what something is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Serves {
    Everything,
    Digests,
    Tags,
}

/// A place on the wire.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Endpoint {
    /// `host[:port]`, as references would name it.
    pub(crate) host: String,
    /// The scheme, where it was written down.
    pub(crate) scheme: Option<Scheme>,
    /// The path of the API, `/v2/` in all but the strangest cases.
    pub(crate) api: String,
    /// What repositories are called there.
    pub(crate) rewrite: Rewrite,
    /// The registry that it stands in for, if it wants to be told.
    pub(crate) namespace: Option<String>,
    /// What every request to it carries.
    pub(crate) headers: Vec<(String, Secret)>,
}

impl Endpoint {
    /// A registry's own host.
    pub(crate) fn of(registry: &str) -> Self {
        Endpoint {
            host: registry.to_owned(),
            scheme: None,
            api: "/v2/".to_owned(),
            rewrite: Rewrite::default(),
            namespace: None,
            headers: Vec::new(),
        }
    }
}

impl Serves {
    /// Whether a mirror that serves this is to be asked for something by `wanted`.
    pub(crate) fn covers(self, wanted: Serves) -> bool {
        self == Serves::Everything || self == wanted
    }
}

impl Hosts {
    /// Reads what there is for all registries; what there is for single ones is read when it is
    /// needed.
    pub fn read(files: HostFiles) -> Result<Self, HostFileError> {
        let rules = registries_conf::read(&files)?;
        let daemon = daemon_json::read(&files.daemon_json)?;
        if let Some(directory) = &files.named_certificates {
            certificates::named_directory(directory)?;
        }
        Ok(Hosts(Arc::new(Known { files, rules, daemon, ..Known::default() })))
    }

    /// Where a repository is, and where else it can be read.
    pub(crate) fn route(&self, repository: &RepositoryName) -> Result<Route, crate::Error> {
        let known = &self.0;
        if let Some(rule) = Rule::find(&known.rules, repository) {
            if let Some(file) = rule.blocked_by() {
                return Err(crate::Error::Blocked {
                    repository: repository.clone(),
                    file: file.to_owned(),
                });
            }
            return Ok(rule.route(repository));
        }
        let registry = repository.registry();
        if let Some(hosts) = &*self.hosts_toml(registry)? {
            return Ok(hosts.route(registry));
        }
        let mirrors = match registry {
            DOCKER_HUB => known.daemon.mirrors(),
            _ => Vec::new(),
        };
        Ok(Route { mirrors, origin: Endpoint::of(registry) })
    }

    /// Whether the host by one of these names may show any certificate, or none.
    pub(crate) fn is_insecure(&self, names: &[String]) -> bool {
        let known = &self.0;
        known.rules.iter().any(|rule| rule.is_insecure(names)) || known.daemon.is_insecure(names)
    }

    /// What the host by these names has to show, and what it is shown.
    pub(crate) fn trust(&self, names: &[String]) -> Result<Trust, HostFileError> {
        let known = &self.0;
        let Some(name) = names.first() else { return Ok(Trust::default()) };
        let mut trusted = known.trusted.lock().unwrap_or_else(PoisonError::into_inner);
        let mut trust = match trusted.get(name) {
            Some(trust) => trust.clone(),
            None => {
                let trust = self.certificates(names)?;
                trusted.insert(name.clone(), trust.clone());
                trust
            }
        };
        for hosts in self.hosts_toml_read() {
            hosts.iter().for_each(|hosts| hosts.add_trust(names, &mut trust));
        }
        if self.is_insecure(names) {
            trust.verification = Verification::None;
        }
        Ok(trust)
    }

    /// From files, without what `hosts.toml` says.
    fn certificates(&self, names: &[String]) -> Result<Trust, HostFileError> {
        let files = &self.0.files;
        let mut trust = Trust::default();
        let directories = names.iter().flat_map(|name| directory_names(name)).collect::<Vec<_>>();
        let own = files.certificates.iter().chain(&files.hosts_toml).find_map(|root| {
            directories.iter().map(|name| root.join(name)).find(|path| path.is_dir())
        });
        if let Some(directory) = own {
            trust.add(certificates::directory(&directory)?);
        }
        if let Some(directory) = &files.named_certificates {
            trust.add(certificates::directory(directory)?);
        }
        Ok(trust)
    }

    fn hosts_toml(&self, registry: &str) -> Result<Arc<Option<HostsToml>>, HostFileError> {
        let mut read = self.0.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(hosts) = read.get(registry) {
            return Ok(hosts.clone());
        }
        let names = directory_names(registry);
        let names: Vec<&str> = names.iter().map(String::as_str).chain(["_default"]).collect();
        let roots = &self.0.files.hosts_toml;
        let found = roots.iter().find_map(|root| {
            let paths = names.iter().map(|name| root.join(name)).filter(|path| path.is_dir());
            paths.map(|directory| hosts_toml::read(&directory).transpose()).next().flatten()
        });
        let hosts = Arc::new(found.transpose()?);
        read.insert(registry.to_owned(), hosts.clone());
        Ok(hosts)
    }

    fn hosts_toml_read(&self) -> Vec<Arc<Option<HostsToml>>> {
        let read = self.0.read.lock().unwrap_or_else(PoisonError::into_inner);
        read.values().cloned().collect()
    }
}

impl fmt::Debug for Hosts {
    /// Which files it was read from, and not what was found there: certificates are long.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hosts").field("files", &self.0.files).finish_non_exhaustive()
    }
}

/// What the directory of a host may be called: containerd avoids the colon, which not every file
/// system has.
fn directory_names(host: &str) -> Vec<String> {
    let mut names = Vec::new();
    // No host's name leads out of the directory of all hosts.
    if host.contains('/') || host.starts_with('.') {
        return names;
    }
    let port = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()));
    if let Some((host, port)) = port {
        names.push(format!("{host}_{port}_"));
    }
    names.push(host.to_owned());
    names
}

/// The most that a file of settings may have.
const MAX_FILE_BYTES: u64 = 4 * 1024 * 1024;

/// A file's bytes; `None` if there is no such file.
fn read_file(path: &Path) -> Result<Option<Vec<u8>>, HostFileError> {
    match read_existing(path) {
        Err(HostFileError::Read { source, .. }) if source.kind() == ErrorKind::NotFound => Ok(None),
        other => other.map(Some),
    }
}

/// The bytes of a file that must be there.
fn read_existing(path: &Path) -> Result<Vec<u8>, HostFileError> {
    let failed = |source| HostFileError::Read { path: path.to_owned(), source };
    let file = File::open(path).map_err(failed)?;
    let mut bytes = Vec::new();
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(HostFileError::TooLarge { path: path.to_owned(), limit: MAX_FILE_BYTES });
    }
    Ok(bytes)
}

/// A file's text; `None` if there is no such file.
fn read_text(path: &Path) -> Result<Option<String>, HostFileError> {
    read_file(path)?.map(|bytes| text_of(path, bytes)).transpose()
}

fn text_of(path: &Path, bytes: Vec<u8>) -> Result<String, HostFileError> {
    String::from_utf8(bytes).map_err(|error| {
        let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = 1 + good.iter().filter(|byte| **byte == b'\n').count();
        HostFileError::malformed(path, Some(line), "it is not UTF-8")
    })
}

#[cfg(test)]
mod tests;
