//! containerd's `hosts.toml` (its `docs/hosts.md`).

use std::path::Path;

use serde::Deserialize;
use toml::{Spanned, Value};
use url::Url;

use super::certificates::{self, Trust, Verification};
use super::error::{HostFileError, line_of};
use super::location::{Rewrite, shown};
use super::{Endpoint, Mirror, Route, Serves, read_text};
use crate::Secret;
use crate::settings::Scheme;
use crate::transport::{DOCKER_HUB, DOCKER_HUB_HOST};

/// What a `hosts.toml` says of its registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HostsToml {
    server: Option<Endpoint>,
    mirrors: Vec<Mirror>,
    /// By host.
    trust: Vec<(String, Trust)>,
}

#[derive(Deserialize)]
struct Document {
    server: Option<Spanned<String>>,
    #[serde(flatten)]
    root: HostTable,
    #[serde(default)]
    host: toml::Table,
}

#[derive(Deserialize, Default)]
struct HostTable {
    capabilities: Option<Vec<String>>,
    ca: Option<Value>,
    client: Option<Value>,
    #[serde(default)]
    skip_verify: bool,
    header: Option<toml::Table>,
    #[serde(default)]
    override_path: bool,
}

/// What the directory of a registry says, if it has a `hosts.toml`. One that only its daemon may
/// read says nothing to us.
pub(super) fn read(directory: &Path) -> Result<Option<HostsToml>, HostFileError> {
    let path = directory.join("hosts.toml");
    match read_text(&path) {
        Ok(Some(text)) => parse(&path, &text).map(Some),
        Ok(None) => Ok(None),
        Err(HostFileError::Read { source, .. })
            if source.kind() == std::io::ErrorKind::PermissionDenied =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

pub(super) fn parse(path: &Path, text: &str) -> Result<HostsToml, HostFileError> {
    let document: Document =
        toml::from_str(text).map_err(|error| HostFileError::toml(path, text, &error))?;
    let directory = path.parent().unwrap_or(Path::new(""));
    let mut found = HostsToml { server: None, mirrors: Vec::new(), trust: Vec::new() };
    for (name, value) in document.host {
        // The table's own line: the document's order is kept, its places are not.
        let line = text.find(&format!("\"{name}\"")).map(|at| line_of(text, at));
        let bad = |problem: String| HostFileError::malformed(path, line, problem);
        let table: HostTable =
            value.try_into().map_err(|error: toml::de::Error| bad(error.message().to_owned()))?;
        let made = table.endpoint(&name).map_err(bad)?;
        found.trust.push((made.host.clone(), table.trust(directory).map_err(|e| e.at(bad))?));
        if let Some(serves) = table.serves().map_err(bad)? {
            found.mirrors.push(Mirror { endpoint: made, serves });
        }
    }
    if let Some(server) = document.server.filter(|server| !server.get_ref().is_empty()) {
        let line = line_of(text, server.span().start);
        let bad = |problem: String| HostFileError::malformed(path, Some(line), problem);
        let made = document.root.endpoint(server.get_ref()).map_err(bad)?;
        let trust = document.root.trust(directory).map_err(|e| e.at(bad))?;
        found.trust.push((made.host.clone(), trust));
        found.server = Some(made);
    }
    Ok(found)
}

/// Why a table's certificates cannot be had: the table is wrong, or a file is.
enum TrustProblem {
    Table(String),
    File(HostFileError),
}

impl TrustProblem {
    fn at(self, bad: impl FnOnce(String) -> HostFileError) -> HostFileError {
        match self {
            TrustProblem::Table(problem) => bad(problem),
            TrustProblem::File(error) => error,
        }
    }
}

impl From<HostFileError> for TrustProblem {
    fn from(error: HostFileError) -> Self {
        TrustProblem::File(error)
    }
}

impl HostTable {
    fn endpoint(&self, text: &str) -> Result<Endpoint, String> {
        let bad = || format!("`{}` is not a host's URL", shown(text));
        let with_scheme =
            if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
        let url = Url::parse(&with_scheme).map_err(|_| bad())?;
        let mut made = endpoint(&url).ok_or_else(bad)?;
        if self.override_path {
            let path = url.path().trim_end_matches('/');
            made.api = format!("{path}/");
        }
        for (name, value) in self.header.iter().flatten() {
            let values = texts(value).ok_or_else(|| format!("header `{}` is no text", shown(name)));
            let values = values?.into_iter();
            made.headers.extend(values.map(|value| (name.clone(), Secret::new(value))));
        }
        Ok(made)
    }

    /// What a mirror is to be asked; `None` if nothing.
    fn serves(&self) -> Result<Option<Serves>, String> {
        let Some(capabilities) = self.capabilities.as_ref().filter(|all| !all.is_empty()) else {
            return Ok(Some(Serves::Everything));
        };
        for capability in capabilities {
            if !matches!(capability.as_str(), "pull" | "resolve" | "push") {
                let known = "pull, resolve, push are";
                return Err(format!("`{}` is not a capability ({known})", shown(capability)));
            }
        }
        let has = |name: &str| capabilities.iter().any(|capability| capability == name);
        Ok(match (has("pull"), has("resolve")) {
            (true, true) => Some(Serves::Everything),
            (true, false) => Some(Serves::Digests),
            (false, true) => Some(Serves::Tags),
            (false, false) => None,
        })
    }

    fn trust(&self, directory: &Path) -> Result<Trust, TrustProblem> {
        let at = |path: &str| directory.join(path);
        let mut trust = Trust::default();
        if self.skip_verify {
            trust.verification = Verification::None;
        }
        if let Some(value) = &self.ca {
            let no_text = || TrustProblem::Table("`ca` takes a path, or a list of paths".into());
            for path in texts(value).ok_or_else(no_text)? {
                trust.roots.push(certificates::certificate(&at(&path))?);
            }
        }
        if let Some(value) = &self.client {
            let (certificate, key) = first_pair(value).ok_or_else(|| {
                TrustProblem::Table(
                    "`client` takes a path, a list of paths, or a list of pairs of paths".into(),
                )
            })?;
            let key = key.map(|key| at(&key));
            trust.identity = Some(certificates::identity(&at(&certificate), key.as_deref())?);
        }
        Ok(trust)
    }
}

impl HostsToml {
    /// Where the registry is.
    pub(super) fn route(&self, registry: &str) -> Route {
        let mut mirrors = self.mirrors.clone();
        for mirror in &mut mirrors {
            // containerd tells a host that is not the registry's own which registry is meant.
            if mirror.endpoint.host != registry {
                mirror.endpoint.namespace = Some(registry.to_owned());
            }
        }
        let origin = self.server.clone().unwrap_or_else(|| Endpoint::of(registry));
        Route { mirrors, origin }
    }

    /// Adds what is said of the host by these names.
    pub(super) fn add_trust(&self, names: &[String], trust: &mut Trust) {
        let own = self.trust.iter().filter(|(host, _)| names.contains(host));
        own.for_each(|(_, more)| trust.add(more.clone()));
    }
}

/// The place that a URL names: what is in its path comes before `/v2/`.
pub(super) fn endpoint(url: &Url) -> Option<Endpoint> {
    let scheme = match url.scheme() {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        _ => return None,
    };
    let host = url.host_str()?;
    let host = match url.port() {
        Some(port) => format!("{host}:{port}"),
        None if host == DOCKER_HUB_HOST => DOCKER_HUB.to_owned(),
        None => host.to_owned(),
    };
    let path = url.path().trim_end_matches('/');
    let api = if path.ends_with("/v2") { format!("{path}/") } else { format!("{path}/v2/") };
    let rewrite = Rewrite::default();
    Some(Endpoint { scheme: Some(scheme), api, rewrite, ..Endpoint::of(&host) })
}

/// A text, or a list of texts.
fn texts(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(text) => Some(vec![text.clone()]),
        Value::Array(list) => list.iter().map(|one| one.as_str().map(str::to_owned)).collect(),
        _ => None,
    }
}

/// The first of what `client` names: a file with certificate and key, or one of each. A host is
/// shown one certificate.
fn first_pair(value: &Value) -> Option<(String, Option<String>)> {
    match value {
        Value::String(path) => Some((path.clone(), None)),
        Value::Array(list) => match list.first()? {
            Value::String(path) => Some((path.clone(), None)),
            Value::Array(pair) => match pair.as_slice() {
                [Value::String(certificate), Value::String(key)] => {
                    Some((certificate.clone(), (!key.is_empty()).then(|| key.clone())))
                }
                _ => None,
            },
            _ => None,
        },
        _ => None,
    }
}
