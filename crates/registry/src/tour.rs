//! A read's way: the mirrors in their order, and then the registry itself.
//!
//! A mirror is never worse than none: what fails there is told and asked for elsewhere. Only what
//! is wrong on this side (a file of settings, the sink) ends a read at once, and what is said of
//! the registry itself is the last word.

use std::collections::VecDeque;
use std::sync::Arc;

use oci::RepositoryName;
use reqwest::StatusCode;

use crate::client::Client;
use crate::event::{MirrorProblem, TransferEvent};
use crate::host::{Host, Role};
use crate::hosts::Serves;
use crate::{Error, Result};

/// Where a read is, and where it can still go.
pub(crate) struct Tour {
    client: Client,
    repository: RepositoryName,
    here: Arc<Host>,
    ahead: VecDeque<Arc<Host>>,
    /// What each place said that was left.
    left: Vec<String>,
}

impl Client {
    /// The way of a read that asks by `wanted`.
    pub(crate) async fn tour(&self, repository: &RepositoryName, wanted: Serves) -> Result<Tour> {
        let mut ahead = VecDeque::from(self.places(repository, wanted).await?);
        let bad = || Error::BadHost { registry: repository.registry().to_owned() };
        let here = ahead.pop_front().ok_or_else(bad)?;
        let (client, repository) = (self.clone(), repository.clone());
        Ok(Tour { client, repository, here, ahead, left: Vec::new() })
    }
}

impl Tour {
    /// Whom to ask now.
    pub(crate) fn here(&self) -> &Arc<Host> {
        &self.here
    }

    /// Leaves a mirror that failed for the next place. There is none after the registry itself:
    /// then this is the read's error.
    pub(crate) fn move_on(&mut self, error: Error) -> Result<()> {
        let problem = problem(&error);
        let next = if problem.is_some() { self.ahead.pop_front() } else { None };
        let (Some(problem), Some(next)) = (problem, next) else {
            return Err(self.last_word(error));
        };
        blame(&self.client, &self.here, &self.repository, problem, &error);
        self.left.push(match problem {
            MirrorProblem::Missing => format!("{} does not have it", self.here.name),
            MirrorProblem::Failed | MirrorProblem::Damaged => {
                format!("{}: {error}", self.here.name)
            }
        });
        self.here = next;
        Ok(())
    }

    /// What does not exist is no one's fault, and known by its own name; with all else it helps to
    /// know that the mirrors did not help.
    fn last_word(&mut self, error: Error) -> Error {
        let missing = problem(&error) == Some(MirrorProblem::Missing);
        if self.left.is_empty() || missing {
            return error;
        }
        Error::AfterMirrors { error: Box::new(error), mirrors: std::mem::take(&mut self.left) }
    }
}

/// Notes and tells what is wrong with a mirror, so that it is left alone for a while.
pub(crate) fn blame(
    client: &Client,
    mirror: &Host,
    repository: &RepositoryName,
    problem: MirrorProblem,
    error: &Error,
) {
    if mirror.role == Role::Origin {
        return;
    }
    let is_list = matches!(
        error,
        Error::RepositoryNotFound { .. } | Error::Refused { status: StatusCode::NOT_FOUND, .. }
    );
    match error {
        Error::Connection { .. } | Error::TimedOut { .. } | Error::Tls { .. } => mirror.is_down(),
        // Not every mirror has lists, and what has none may have all else.
        _ if is_list => {}
        _ => mirror.is_lacking(repository),
    }
    let (mirror, cause) = (mirror.name.clone(), error.to_string());
    client.tell(TransferEvent::MirrorLeft { mirror, problem, cause });
}

/// What is wrong with a mirror that says this; `None` if the fault is not the mirror's.
fn problem(error: &Error) -> Option<MirrorProblem> {
    Some(match error {
        Error::ManifestNotFound { .. }
        | Error::RepositoryNotFound { .. }
        | Error::BlobNotFound { .. } => MirrorProblem::Missing,
        Error::Refused { status: StatusCode::NOT_FOUND, .. } => MirrorProblem::Missing,
        Error::DigestMismatch { .. }
        | Error::SizeMismatch { .. }
        | Error::Manifest { .. }
        | Error::ManifestTooLarge { .. } => MirrorProblem::Damaged,
        Error::Sink { .. } | Error::Body { .. } | Error::BodySize { .. } => return None,
        Error::BadSetting { .. } | Error::HostFile(_) | Error::Blocked { .. } => return None,
        _ => MirrorProblem::Failed,
    })
}
