//! `cache prune`: what can be made or found out again goes, where it was not used lately.

use std::time::{Duration, SystemTime};

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use oci::{Digest, RepositoryName, Tag};
use store::{PrunePolicy, Spared};

use crate::build::kept::{self, FoundRecord, RepositoryRecord};
use crate::error::Error;
use crate::flags::PruneMode;
use crate::session::Session;
use crate::units;

/// How many records are removed at once.
const AT_ONCE: usize = 8;

/// Tidies the store; its images stay.
pub(super) fn store(
    older_than: Option<Duration>,
    keep_bytes: Option<u64>,
    mode: PruneMode,
    session: &Session,
) -> Result<(), Error> {
    let dry_run = mode == PruneMode::DryRun;
    let now = SystemTime::from(session.environment.now);
    let spared = Spared::AllImages;
    let policy = PrunePolicy { spared, older_than, keep_bytes, now, dry_run };
    let pruned = session.own_store()?.prune(&policy)?;
    let mut answer = String::new();
    for (digest, _) in &pruned.blobs {
        answer.push_str(&format!("Deleted: {digest}\n"));
    }
    if pruned.records > 0 {
        answer.push_str(&format!("Deleted: {} records\n", pruned.records));
    }
    let verb = if dry_run { "Reclaimable" } else { "Total reclaimed" };
    answer.push_str(&format!("{verb} space: {}\n", units::size(pruned.freed)));
    session.answer(answer.as_bytes())
}

/// Removes records from repositories.
pub(super) fn repositories(
    repositories: &[RepositoryName],
    older_than: Option<Duration>,
    mode: PruneMode,
    session: &Session,
) -> Result<(), Error> {
    for repository in repositories {
        let records = kept::records_of(session, repository)?;
        let strangers = records.iter().filter(|record| record.manifest().is_none()).count();
        if strangers > 0 {
            session.progress.warning(&format!(
                "{repository} has tags like those of records that are none: they stay \
                 (`plywood cache verify {repository}` names them)"
            ));
        }
        let old = |record: &&RepositoryRecord| {
            older_than.is_none_or(|age| is_older(record.created(), age, session.environment.now))
        };
        let doomed: Vec<(&Tag, Digest)> = records
            .iter()
            .filter(old)
            .filter_map(|record| match &record.found {
                FoundRecord::Record(manifest) => Some((&record.tag, manifest.digest())),
                FoundRecord::Foreign | FoundRecord::Damaged(_) => None,
            })
            .collect();
        let removed = remove(repository, &doomed, mode, session)?;
        let verb = if mode == PruneMode::DryRun { "Removable" } else { "Removed" };
        let of = records.len() - strangers;
        session.answer(format!("{verb}: {removed} of {of} records\n").as_bytes())?;
    }
    Ok(())
}

/// Whether a record was written before so much time. One that does not say when is as old as can be:
/// a build that uses it writes it anew, with the time.
fn is_older(created: Option<Timestamp>, age: Duration, now: Timestamp) -> bool {
    let Some(created) = created else { return true };
    SignedDuration::try_from(age).is_ok_and(|age| now.duration_since(created) >= age)
}

/// Removes records, and says at once what is gone: the next may fail.
fn remove(
    repository: &RepositoryName,
    doomed: &[(&Tag, Digest)],
    mode: PruneMode,
    session: &Session,
) -> Result<usize, Error> {
    let mut removed = 0;
    for some in doomed.chunks(AT_ONCE) {
        let results = match mode {
            PruneMode::DryRun => some.iter().map(|_| Ok(true)).collect(),
            PruneMode::Remove => {
                let client = session.client()?;
                let removals = some
                    .iter()
                    .map(|(tag, digest)| client.remove_with_tag(repository, tag, *digest));
                session.block_on(async { Ok(join_all(removals).await) })?
            }
        };
        let mut answer = String::new();
        let mut failure = None;
        for ((tag, _), result) in some.iter().zip(results) {
            match result {
                Ok(true) => {
                    if mode == PruneMode::Remove {
                        kept::forget(session, repository, tag)?;
                    }
                    removed += 1;
                    answer.push_str(&format!("Untagged: {}:{tag}\n", repository.familiar()));
                }
                Ok(false) => {}
                Err(error) => failure = Some(error),
            }
        }
        session.answer(answer.as_bytes())?;
        if let Some(source) = failure {
            return Err(stays(repository, source));
        }
    }
    Ok(removed)
}

/// A refusal to delete is told with the way out.
fn stays(repository: &RepositoryName, error: registry::Error) -> Error {
    use registry::Error as Wire;
    match error {
        Wire::NotDeletable { .. } | Wire::Denied { .. } | Wire::Unauthorized { .. } => {
            Error::RecordsStay { repository: repository.clone(), source: Box::new(error) }
        }
        other => other.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages() {
        let now: Timestamp = "2024-02-01T00:00:00Z".parse().unwrap();
        let check = |created: &str, days: u64, expected: bool| {
            let age = Duration::from_secs(days * 24 * 3600);
            assert_eq!(is_older(created.parse().ok(), age, now), expected, "{created} {days}");
        };
        check("2024-01-01T00:00:00Z", 30, true);
        check("2024-01-03T00:00:00Z", 30, false);
        check("2025-01-01T00:00:00Z", 0, false);
        check("nobody knows", 30, true);
        check("2024-01-01T00:00:00Z", u64::MAX / 100_000, false);
    }
}
