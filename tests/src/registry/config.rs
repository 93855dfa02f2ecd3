//! docker-registry's configuration. It is YAML, of which JSON is a part.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::Login;
use super::tokens::{ISSUER, SERVICE, TokenServer};
use crate::certificates::Identity;
use crate::program::answer;
use crate::{Failure, Result, program};

/// Open to all, without TLS.
pub(super) fn plain(directory: &Path, port: u16) -> Value {
    json!({
        "version": "0.1",
        "log": { "level": "info", "formatter": "json", "accesslog": { "disabled": true } },
        "storage": {
            "filesystem": { "rootdirectory": storage(directory) },
            "delete": { "enabled": true },
        },
        "http": { "addr": format!("127.0.0.1:{port}"), "secret": "SECRET of upload sessions" },
    })
}

pub(super) fn storage(directory: &Path) -> PathBuf {
    directory.join("storage")
}

pub(super) fn ask_passwords(config: &mut Value, login: Login, directory: &TempDir) -> Result {
    // From standard input, and not as an argument, which a failure would show.
    let mut htpasswd = program("htpasswd");
    let entry = answer(htpasswd.args(["-Bin", login.user]), login.password.as_bytes())?;
    let path = directory.path().join("htpasswd");
    fs::write(&path, entry).map_err(Failure::doing("write htpasswd"))?;
    config["auth"] = json!({ "htpasswd": { "realm": "testbed", "path": path } });
    Ok(())
}

pub(super) fn ask_tokens(config: &mut Value, tokens: &TokenServer) {
    config["auth"] = json!({ "token": {
        "realm": tokens.realm(),
        "service": SERVICE,
        "issuer": ISSUER,
        "rootcertbundle": tokens.certificate(),
    }});
}

pub(super) fn speak_tls(config: &mut Value, identity: &Identity) {
    let Identity { certificate, key } = identity;
    config["http"]["tls"] = json!({ "certificate": certificate, "key": key });
}

pub(super) fn write(config: &Value, directory: &Path) -> Result<PathBuf> {
    let path = directory.join("config.yml");
    fs::write(&path, config.to_string()).map_err(Failure::doing("write the registry's config"))?;
    Ok(path)
}
