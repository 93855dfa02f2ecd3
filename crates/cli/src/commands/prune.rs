//! `prune`: room in the store.

use std::time::SystemTime;

use store::{Listed, PrunePolicy, Spared};

use crate::error::Error;
use crate::flags::{PruneArguments, PruneMode, PruneScope};
use crate::session::Session;
use crate::units;

/// Removes what is not used.
pub(super) fn prune(arguments: &PruneArguments, session: &Session) -> Result<(), Error> {
    let mut store = session.own_store()?;
    let mut answer = String::new();
    let dry_run = arguments.mode == PruneMode::DryRun;
    if arguments.scope == PruneScope::Everything {
        for name in store.images()?.iter().filter_map(Listed::reference) {
            if !dry_run {
                store.untag(&name)?;
            }
            answer.push_str(&format!("Untagged: {}\n", name.familiar()));
        }
    }
    let policy = PrunePolicy {
        spared: Spared::NamedImages,
        older_than: arguments.older_than,
        keep_bytes: arguments.keep_bytes,
        now: SystemTime::from(session.environment.now),
        dry_run,
    };
    let pruned = store.prune(&policy)?;
    for (digest, _) in &pruned.blobs {
        answer.push_str(&format!("Deleted: {digest}\n"));
    }
    let verb = if dry_run { "Reclaimable" } else { "Total reclaimed" };
    answer.push_str(&format!("{verb} space: {}\n", units::size(pruned.freed)));
    session.answer(answer.as_bytes())
}
