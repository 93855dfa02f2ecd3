//! Docker's credential helpers: programs `docker-credential-NAME` that read from stdin and write
//! to stdout (docker-credential-helpers, "Development").
//!
//! A helper is looked for on the process's `PATH` and inherits its environment, as it must: it
//! reads there where its key ring is.

use std::process::{Output, Stdio};
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::Secret;
use crate::credentials::{Credential, CredentialError};

/// The most that a helper's answer may have.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// The user name by which a helper says that the secret is an identity token.
const TOKEN_USER: &str = "<token>";

/// Asks helper `name` for the credential of `server`; `None` if it has none.
pub(super) async fn find(
    name: &str,
    server: &str,
    limit: Duration,
) -> Result<Option<Credential>, CredentialError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Answer {
        username: String,
        secret: Secret,
    }
    let program = program(name)?;
    let output = run(&program, "get", server.as_bytes(), limit).await?;
    if !output.status.success() {
        let message = said(&output);
        // The protocol has no status for it: this text is what the helpers' own library compares.
        if message.contains("credentials not found in native keychain") {
            return Ok(None);
        }
        return Err(CredentialError::HelperFailed { program, message });
    }
    let answer: Answer = serde_json::from_slice(&output.stdout)
        .map_err(|_| CredentialError::HelperGarbage { program })?;
    Ok(Some(if answer.username == TOKEN_USER {
        Credential::IdentityToken(answer.secret)
    } else {
        Credential::Password { user: answer.username, password: answer.secret }
    }))
}

/// Gives helper `name` a credential to keep.
pub(super) async fn keep(
    name: &str,
    server: &str,
    credential: &Credential,
    limit: Duration,
) -> Result<(), CredentialError> {
    let (user, secret) = match credential {
        Credential::Password { user, password } => (user.as_str(), password),
        Credential::IdentityToken(token) | Credential::AccessToken(token) => (TOKEN_USER, token),
    };
    let message = json!({ "ServerURL": server, "Username": user, "Secret": secret.expose() });
    tell(name, "store", message.to_string().as_bytes(), limit).await
}

/// Has helper `name` forget the credential of `server`.
pub(super) async fn forget(
    name: &str,
    server: &str,
    limit: Duration,
) -> Result<(), CredentialError> {
    tell(name, "erase", server.as_bytes(), limit).await
}

async fn tell(
    name: &str,
    verb: &str,
    message: &[u8],
    limit: Duration,
) -> Result<(), CredentialError> {
    let program = program(name)?;
    let output = run(&program, verb, message, limit).await?;
    if output.status.success() {
        Ok(())
    } else {
        Err(CredentialError::HelperFailed { program, message: said(&output) })
    }
}

fn program(name: &str) -> Result<String, CredentialError> {
    if name.is_empty() || name.contains(['/', '\\']) {
        return Err(CredentialError::BadHelperName { name: name.to_owned() });
    }
    Ok(format!("docker-credential-{name}"))
}

async fn run(
    program: &str,
    verb: &str,
    input: &[u8],
    limit: Duration,
) -> Result<Output, CredentialError> {
    let missing = |source| CredentialError::HelperMissing { program: program.to_owned(), source };
    let mut child = Command::new(program)
        .arg(verb)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(missing)?;
    let talk = async {
        if let Some(mut stdin) = child.stdin.take() {
            // A helper that does not read its input may still answer: what it says decides.
            let _ = stdin.write_all(input).await;
        }
        child.wait_with_output().await
    };
    match tokio::time::timeout(limit, talk).await {
        Ok(output) => output.map_err(missing),
        Err(_) => Err(CredentialError::HelperTimedOut { program: program.to_owned(), limit }),
    }
}

/// Why a helper failed: the protocol has it on stdout. Only its first line, and no control
/// characters; a failed helper has no reason to print a secret, but nothing keeps it from it, so
/// whatever looks like an answer is not shown.
fn said(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stdout[..output.stdout.len().min(MAX_ANSWER_BYTES)]);
    let line: String = text.lines().next().unwrap_or_default().trim().chars().take(200).collect();
    if line.is_empty() || line.contains("\"Secret\"") || line.contains(char::is_control) {
        return format!("it failed ({})", output.status);
    }
    line
}
