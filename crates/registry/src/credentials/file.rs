//! One credential file: Docker's `config.json` or podman's `auth.json`, which share their form.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::Secret;
use crate::credentials::{Credential, CredentialError};

/// Docker's key for Docker Hub, older than the form of all others.
pub(super) const DOCKER_HUB_KEY: &str = "https://index.docker.io/v1/";

/// What a file says of credentials. Everything else in it stays untouched.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CredentialFile {
    #[serde(default)]
    auths: BTreeMap<String, Entry>,
    #[serde(default)]
    pub(super) cred_helpers: BTreeMap<String, String>,
    pub(super) creds_store: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
struct Entry {
    auth: Option<Secret>,
    username: Option<String>,
    password: Option<Secret>,
    identitytoken: Option<Secret>,
    registrytoken: Option<Secret>,
}

impl CredentialFile {
    /// Reads the file; one that does not exist holds nothing.
    pub(super) fn read(path: &Path) -> Result<Self, CredentialError> {
        match fs::read(path) {
            Ok(bytes) if is_legacy(path) && !bytes.trim_ascii().is_empty() => {
                let auths =
                    serde_json::from_slice(&bytes).map_err(|error| malformed(path, &error))?;
                Ok(CredentialFile { auths, ..Self::default() })
            }
            Ok(bytes) => Self::parse(&bytes, path),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Self::default()),
            Err(source) => Err(CredentialError::Read { path: path.to_owned(), source }),
        }
    }

    /// Reads a file's content; `path` is for messages.
    pub(super) fn parse(bytes: &[u8], path: &Path) -> Result<Self, CredentialError> {
        if bytes.trim_ascii().is_empty() {
            return Ok(Self::default());
        }
        serde_json::from_slice(bytes).map_err(|error| malformed(path, &error))
    }

    /// The credential under `key`, which is compared in the forms that files have had.
    pub(super) fn entry(&self, key: &str) -> Option<Credential> {
        if let Some(entry) = self.auths.get(key) {
            return entry.credential();
        }
        // Old files have `https://HOST/v1/` and the like as keys.
        let same = |written: &&String| normalised(written) == key;
        let written = self.auths.keys().find(same)?;
        self.auths[written].credential()
    }

    /// The helper that a registry's credentials are with: its own, or the one for all.
    pub(super) fn helper(&self, server: &str) -> Option<&str> {
        let own = self.cred_helpers.get(server).map(String::as_str);
        own.or(self.creds_store.as_deref()).filter(|name| !name.is_empty())
    }

    /// Whether there is an entry under `key`, even an empty one, as helpers leave behind.
    pub(super) fn names(&self, key: &str) -> bool {
        self.auths.keys().any(|written| written == key || normalised(written) == key)
    }

    /// All that the file names, once each.
    pub(super) fn keys(&self) -> BTreeSet<&str> {
        self.auths.keys().chain(self.cred_helpers.keys()).map(String::as_str).collect()
    }

    /// The helper that is named for exactly this key.
    pub(super) fn own_helper(&self, key: &str) -> Option<&str> {
        self.cred_helpers.get(key).map(String::as_str).filter(|name| !name.is_empty())
    }

    /// The helper that a key's credential is to be kept with. One for all registries is asked for
    /// whole registries only, so a part of one is kept in the file.
    pub(super) fn keeper(&self, key: &str) -> Option<&str> {
        let is_part = key.contains('/') && key != DOCKER_HUB_KEY;
        if is_part { self.own_helper(key) } else { self.helper(key) }
    }
}

/// Whether a file is Docker's first one, `.dockercfg`: its top is what `auths` is elsewhere.
fn is_legacy(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == ".dockercfg")
}

/// A key without scheme and API version: `https://registry.example/v2/` is `registry.example`.
fn normalised(key: &str) -> &str {
    let bare = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://"));
    match bare {
        Some(bare) => {
            let bare = bare.trim_end_matches('/');
            bare.strip_suffix("/v1").or_else(|| bare.strip_suffix("/v2")).unwrap_or(bare)
        }
        None => key.trim_end_matches('/'),
    }
}

impl Entry {
    fn credential(&self) -> Option<Credential> {
        let filled = |secret: &Option<Secret>| secret.clone().filter(|s| !s.expose().is_empty());
        if let Some(token) = filled(&self.identitytoken) {
            return Some(Credential::IdentityToken(token));
        }
        if let Some(token) = filled(&self.registrytoken) {
            return Some(Credential::AccessToken(token));
        }
        if let Some(auth) = filled(&self.auth) {
            let decoded = decode(auth.expose())?;
            let (user, password) = decoded.split_once(':')?;
            // Docker has padded passwords with NULs.
            let password = Secret::new(password.trim_end_matches('\0'));
            return Some(of_user(user, password));
        }
        let user = self.username.as_deref().filter(|user| !user.is_empty())?;
        Some(of_user(user, filled(&self.password)?))
    }
}

/// The user name by which a helper says that the secret is an identity token
/// (docker-credential-helpers, "Development").
pub(super) const TOKEN_USER: &str = "<token>";

/// The user in whose place Azure's own program gives a refresh token (`az acr login
/// --expose-token`).
const AZURE_TOKEN_USER: &str = "00000000-0000-0000-0000-000000000000";

/// What a name and a password are: some names say that it is no password.
pub(super) fn of_user(user: &str, password: Secret) -> Credential {
    match user {
        TOKEN_USER | AZURE_TOKEN_USER => Credential::IdentityToken(password),
        user => Credential::Password { user: user.to_owned(), password },
    }
}

fn decode(text: &str) -> Option<String> {
    // Some tools leave the padding out.
    const LENIENT: GeneralPurpose = GeneralPurpose::new(
        &base64::alphabet::STANDARD,
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    String::from_utf8(LENIENT.decode(text.trim()).ok()?).ok()
}

/// Puts a credential under `key`, or takes it away; every other field of the file stays.
pub(super) fn write_entry(
    path: &Path,
    key: &str,
    credential: Option<&Credential>,
) -> Result<(), CredentialError> {
    let mut document = read_document(path)?;
    let not_an_object =
        || CredentialError::Malformed { path: path.to_owned(), problem: "not an object".into() };
    let auths = if is_legacy(path) {
        &mut document
    } else {
        let auths = document.entry("auths").or_insert_with(|| Value::Object(Map::new()));
        auths.as_object_mut().ok_or_else(not_an_object)?
    };
    match credential {
        Some(credential) => drop(auths.insert(key.to_owned(), entry_for(credential))),
        // `shift_remove` keeps the order of the others.
        None => auths.retain(|written, _| written != key && normalised(written) != key),
    }
    let mut text = serde_json::to_vec_pretty(&document).unwrap_or_default();
    text.push(b'\n');
    replace_file(path, &text)
        .map_err(|source| CredentialError::Write { path: path.to_owned(), source })
}

fn entry_for(credential: &Credential) -> Value {
    match credential {
        Credential::Password { user, password } => {
            json!({ "auth": STANDARD.encode(format!("{user}:{}", password.expose())) })
        }
        Credential::IdentityToken(token) => json!({ "identitytoken": token.expose() }),
        Credential::AccessToken(token) => json!({ "registrytoken": token.expose() }),
    }
}

fn read_document(path: &Path) -> Result<Map<String, Value>, CredentialError> {
    match fs::read(path) {
        Ok(bytes) if bytes.trim_ascii().is_empty() => Ok(Map::new()),
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| malformed(path, &error)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Map::new()),
        Err(source) => Err(CredentialError::Read { path: path.to_owned(), source }),
    }
}

/// Where the JSON broke, without its text: serde's messages may quote values.
fn malformed(path: &Path, error: &serde_json::Error) -> CredentialError {
    let place = format!("line {} column {}", error.line(), error.column());
    CredentialError::Malformed {
        path: path.to_owned(),
        problem: format!("not a credential file at {place}"),
    }
}

/// Writes beside the file and renames, readable by the owner alone from the first byte on. A
/// symbolic link (dotfiles kept elsewhere) stays one: its target is replaced.
fn replace_file(path: &Path, text: &[u8]) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let path: PathBuf = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = folder.join(format!(".{name}.{}", std::process::id()));
    let written = (|| {
        let mut options = fs::OpenOptions::new();
        let mut file = options.write(true).create_new(true).mode(0o600).open(&beside)?;
        file.write_all(text)?;
        file.sync_all()?;
        fs::rename(&beside, &path)
    })();
    if written.is_err() {
        let _ = fs::remove_file(&beside);
    }
    written
}
