//! Docker's `daemon.json`: `registry-mirrors` and `insecure-registries` (docs of dockerd).

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use url::Url;

use super::error::HostFileError;
use super::hosts_toml::endpoint;
use super::location::shown;
use super::{Mirror, Serves, read_text};

/// What Docker's daemon is told of registries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Daemon {
    mirrors: Vec<Url>,
    insecure: Vec<Insecure>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Insecure {
    Host(String),
    Network { address: IpAddr, bits: u8 },
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Document {
    #[serde(default)]
    registry_mirrors: Vec<String>,
    #[serde(default)]
    insecure_registries: Vec<String>,
}

/// The first of the files that is there. One that only its daemon may read says nothing to us.
pub(super) fn read(paths: &[PathBuf]) -> Result<Daemon, HostFileError> {
    for path in paths {
        match read_text(path) {
            Ok(Some(text)) => return parse(path, &text),
            Ok(None) => {}
            Err(HostFileError::Read { source, .. })
                if source.kind() == std::io::ErrorKind::PermissionDenied => {}
            Err(error) => return Err(error),
        }
    }
    Ok(Daemon::default())
}

fn parse(path: &Path, text: &str) -> Result<Daemon, HostFileError> {
    if text.trim().is_empty() {
        return Ok(Daemon::default());
    }
    let bad = |line, problem: String| HostFileError::malformed(path, line, problem);
    let document: Document = serde_json::from_str(text).map_err(|error| {
        let text = error.to_string();
        let problem = text.split(" at line ").next().unwrap_or_default().to_owned();
        bad(Some(error.line()), problem)
    })?;
    let mirror = |text: &String| {
        let url = Url::parse(text).ok();
        let url = url.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        url.ok_or_else(|| {
            bad(None, format!("`{}` in `registry-mirrors` is not a URL", shown(text)))
        })
    };
    Ok(Daemon {
        mirrors: document.registry_mirrors.iter().map(mirror).collect::<Result<_, _>>()?,
        insecure: document.insecure_registries.iter().map(|text| Insecure::parse(text)).collect(),
    })
}

impl Daemon {
    /// Where Docker Hub's repositories can be read, too.
    pub(super) fn mirrors(&self) -> Vec<Mirror> {
        let mirrors = self.mirrors.iter().filter_map(endpoint);
        mirrors.map(|endpoint| Mirror { endpoint, serves: Serves::Everything }).collect()
    }

    pub(super) fn is_insecure(&self, names: &[String]) -> bool {
        self.insecure.iter().any(|insecure| names.iter().any(|name| insecure.has(name)))
    }
}

impl Insecure {
    fn parse(text: &str) -> Self {
        let network = text.split_once('/').and_then(|(address, bits)| {
            let address: IpAddr = address.parse().ok()?;
            let bits: u8 = bits.parse().ok()?;
            let longest = if address.is_ipv4() { 32 } else { 128 };
            (bits <= longest).then_some(Insecure::Network { address, bits })
        });
        // Some write a URL there, which Docker takes for its host, too.
        let host = text.split_once("://").map_or(text, |(_, rest)| rest).trim_end_matches('/');
        network.unwrap_or_else(|| Insecure::Host(host.to_ascii_lowercase()))
    }

    /// Whether this is about a host by this name. A network is about addresses, not about names
    /// that lead to one: finding that out would be a question to the network.
    fn has(&self, name: &str) -> bool {
        match self {
            Insecure::Host(host) => host == name,
            Insecure::Network { address, bits } => {
                let host = match name.strip_prefix('[') {
                    Some(rest) => rest.split_once(']').map(|(host, _)| host),
                    None => name.split(':').next(),
                };
                let host = host.and_then(|host| host.parse::<IpAddr>().ok());
                host.is_some_and(|host| number(host, *bits) == number(*address, *bits))
            }
        }
    }
}

/// The first bits of an address, with its length, as one number.
fn number(address: IpAddr, bits: u8) -> (u8, u128) {
    let (length, value) = match address {
        IpAddr::V4(address) => (32, u128::from(u32::from(address))),
        IpAddr::V6(address) => (128, u128::from(address)),
    };
    (length, value.checked_shr(u32::from(length - bits.min(length))).unwrap_or(0))
}
