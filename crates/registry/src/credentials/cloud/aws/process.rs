//! Keys that a program of the user's own tells (AWS SDKs reference guide, "Process credential
//! provider").

use std::time::Duration;

use serde::Deserialize;
use tokio::process::Command;

use crate::Secret;
use crate::credentials::cloud::CloudProblem;
use crate::credentials::cloud::aws::Keys;
use crate::credentials::helper::converse;

/// How long it may take: some ask a person.
const LIMIT: Duration = Duration::from_secs(60);

/// Runs the command line of a profile, as AWS's own programs do: by the shell.
pub(super) async fn keys(line: &str) -> Result<Keys, CloudProblem> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Told {
        access_key_id: String,
        secret_access_key: Secret,
        session_token: Option<Secret>,
    }
    let problem = |problem: String| {
        // Its arguments may be secrets.
        let program = line.split_ascii_whitespace().next().unwrap_or_default().to_owned();
        CloudProblem::Program { program, problem }
    };
    let said = converse(Command::new("/bin/sh").arg("-c").arg(line), b"", LIMIT).await;
    let said = said.map_err(|error| problem(error.to_string()))?;
    let late = || problem(format!("it did not answer within {} s", LIMIT.as_secs()));
    let (status, output) = said.ok_or_else(late)?;
    if !status.success() {
        return Err(problem(format!("it failed ({status})")));
    }
    let told: Told = serde_json::from_slice(&output)
        .map_err(|_| problem("its answer is not a credential".to_owned()))?;
    Ok(Keys { id: told.access_key_id, secret: told.secret_access_key, token: told.session_token })
}
