//! Docker's credential helpers: programs `docker-credential-NAME` that read from stdin and write
//! to stdout (docker-credential-helpers, "Development").
//!
//! A helper inherits the process's environment, as it must: it reads there where its key ring is.

use std::collections::BTreeSet;
use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;

use crate::Secret;
use crate::credentials::file::{TOKEN_USER, of_user};
use crate::credentials::{Credential, CredentialError};

/// The most that a helper's answer may have.
const MAX_ANSWER_BYTES: u64 = 64 * 1024;

/// How helpers are run.
#[derive(Debug)]
pub(super) struct Runner {
    /// Where they are looked for; the process's `PATH` if empty.
    pub(super) folders: Vec<PathBuf>,
    /// How long one may take.
    pub(super) limit: Duration,
    /// Those that did not answer in time: whoever waits behind them would wait as long again.
    hanging: Mutex<BTreeSet<String>>,
}

impl Runner {
    pub(super) fn new(limit: Duration) -> Self {
        Runner { folders: Vec::new(), limit, hanging: Mutex::default() }
    }

    /// Asks helper `name` for the credential of `server`; `None` if it has none.
    pub(super) async fn find(
        &self,
        name: &str,
        server: &str,
    ) -> Result<Option<Credential>, CredentialError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Answer {
            username: String,
            secret: Secret,
        }
        let said = self.run(name, "get", server.as_bytes()).await?;
        if !said.status.success() {
            // The protocol has no status for it: this text is what the helpers' own library
            // compares.
            let unknown = "credentials not found in native keychain";
            return if said.text().contains(unknown) { Ok(None) } else { Err(said.failure()) };
        }
        let answer: Answer = serde_json::from_slice(&said.output)
            .map_err(|_| CredentialError::HelperGarbage { program: said.program })?;
        Ok(Some(of_user(&answer.username, answer.secret)))
    }

    /// Gives helper `name` a credential to keep.
    pub(super) async fn keep(
        &self,
        name: &str,
        server: &str,
        credential: &Credential,
    ) -> Result<(), CredentialError> {
        let (user, secret) = match credential {
            Credential::Password { user, password } => (user.as_str(), password),
            Credential::IdentityToken(token) | Credential::AccessToken(token) => {
                (TOKEN_USER, token)
            }
        };
        let message = json!({ "ServerURL": server, "Username": user, "Secret": secret.expose() });
        let said = self.run(name, "store", message.to_string().as_bytes()).await?;
        if said.status.success() { Ok(()) } else { Err(said.failure()) }
    }

    /// Has helper `name` forget the credential of `server`.
    pub(super) async fn forget(&self, name: &str, server: &str) -> Result<(), CredentialError> {
        let said = self.run(name, "erase", server.as_bytes()).await?;
        if said.status.success() { Ok(()) } else { Err(said.failure()) }
    }

    async fn run(&self, name: &str, verb: &str, input: &[u8]) -> Result<Said, CredentialError> {
        if name.is_empty() || name.contains(['/', '\\']) {
            return Err(CredentialError::BadHelperName { name: name.to_owned() });
        }
        let program = format!("docker-credential-{name}");
        let hanging = || self.hanging.lock().unwrap_or_else(PoisonError::into_inner);
        if hanging().contains(&program) {
            return Err(CredentialError::HelperTimedOut { program, limit: self.limit });
        }
        let found = self.folders.iter().map(|folder| folder.join(&program));
        let path = found.into_iter().find(|path| path.exists());
        let missing = |source| CredentialError::HelperMissing { program: program.clone(), source };
        if path.is_none() && !self.folders.is_empty() {
            return Err(missing(ErrorKind::NotFound.into()));
        }
        let mut command = Command::new(path.unwrap_or_else(|| PathBuf::from(&program)));
        match converse(command.arg(verb), input, self.limit).await {
            Ok(Some((status, output))) => Ok(Said { program, status, output }),
            Ok(None) => {
                hanging().insert(program.clone());
                Err(CredentialError::HelperTimedOut { program, limit: self.limit })
            }
            Err(source) => Err(missing(source)),
        }
    }
}

/// Runs a program to its end: what it wrote and how it ended, or `None` if it did not within the
/// limit. Then it is killed.
pub(super) async fn converse(
    command: &mut Command,
    input: &[u8],
    limit: Duration,
) -> io::Result<Option<(ExitStatus, Vec<u8>)>> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    let talk = async {
        if let Some(mut stdin) = child.stdin.take() {
            // A helper that does not read its input may still answer: what it says decides.
            let _ = stdin.write_all(input).await;
        }
        let mut output = Vec::new();
        if let Some(stdout) = child.stdout.take() {
            stdout.take(MAX_ANSWER_BYTES).read_to_end(&mut output).await?;
        }
        Ok((child.wait().await?, output))
    };
    tokio::time::timeout(limit, talk).await.map_or(Ok(None), |said| said.map(Some))
}

/// What a helper said before it ended.
struct Said {
    program: String,
    status: ExitStatus,
    output: Vec<u8>,
}

impl Said {
    fn text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.output)
    }

    /// Why it failed: the protocol has it on stdout. Only its first line, and no control
    /// characters; a failed helper has no reason to print a secret, but nothing keeps it from it,
    /// so whatever looks like an answer is not shown.
    fn failure(self) -> CredentialError {
        let text = self.text();
        let line: String =
            text.lines().next().unwrap_or_default().trim().chars().take(200).collect();
        let shown = !line.is_empty()
            && !line.contains("\"Secret\"")
            && !line.contains(|c: char| c.is_control());
        let message = if shown { line } else { format!("it failed ({})", self.status) };
        CredentialError::HelperFailed { program: self.program, message }
    }
}
