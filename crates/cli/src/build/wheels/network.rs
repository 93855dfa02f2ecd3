//! How package indexes are reached, and as whom.

use std::path::PathBuf;

use python::IndexUrl;
use resolution::{Network, Proxies, Secret};

use crate::error::Error;
use crate::flags::NetworkUse;
use crate::session::Session;

/// Variables whose addresses hold credentials of indexes, for whoever sets up pip or uv by them.
/// Where to look is for the recipe to say: an image must not depend on who builds it.
const INDEX_VARIABLES: [&str; 6] = [
    "PIP_INDEX_URL",
    "PIP_EXTRA_INDEX_URL",
    "UV_INDEX",
    "UV_DEFAULT_INDEX",
    "UV_INDEX_URL",
    "UV_EXTRA_INDEX_URL",
];

/// What the command line and the environment say of the network.
pub(super) fn settings(session: &Session) -> Result<Network, Error> {
    let environment = &session.environment;
    let proxies = environment.proxies();
    let mut root_certificates = Vec::new();
    for file in &session.settings.ca {
        root_certificates.push(std::fs::read(file).map_err(Error::reading(file))?);
    }
    let named = INDEX_VARIABLES.iter().filter_map(|name| environment.text(name));
    let credentials = named.flat_map(str::split_whitespace).filter(|url| url.contains('@'));
    Ok(Network {
        proxies: Proxies {
            http: proxies.http.map(Secret::new),
            https: proxies.https.map(Secret::new),
            none_for: proxies.none_for,
        },
        root_certificates,
        offline: session.settings.network == NetworkUse::Offline,
        netrc: netrc(session)?,
        credentials: credentials.map(IndexUrl::new).collect(),
        ..Network::default()
    })
}

/// The file that `NETRC` names, or `~/.netrc` (ftp(1), ".netrc"), if it is there.
fn netrc(session: &Session) -> Result<Option<Secret>, Error> {
    let named = session.environment.path("NETRC");
    let usual = || Some(session.environment.home()?.join(".netrc"));
    let Some(path): Option<PathBuf> = named.clone().or_else(usual) else { return Ok(None) };
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Some(Secret::new(text))),
        Err(error) if named.is_none() && error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::reading(&path)(error)),
    }
}
