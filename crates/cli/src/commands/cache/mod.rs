//! `cache`: what is kept of builds, in the store and in repositories, is listed, tidied and verified.

mod list;
mod prune;
mod verify;

use crate::error::Error;
use crate::flags::{CacheArguments, CachePlace};
use crate::session::Session;

/// Looks after what is kept of builds.
pub(super) fn cache(arguments: &CacheArguments, session: &Session) -> Result<(), Error> {
    match arguments {
        CacheArguments::List { place: CachePlace::Store, report } => list::store(report, session),
        CacheArguments::List { place: CachePlace::Repositories(repositories), report } => {
            list::repositories(repositories, report, session)
        }
        CacheArguments::PruneStore { older_than, keep_bytes, mode } => {
            prune::store(*older_than, *keep_bytes, *mode, session)
        }
        CacheArguments::PruneRepositories { repositories, older_than, mode } => {
            prune::repositories(repositories, *older_than, *mode, session)
        }
        CacheArguments::VerifyStore(damaged) => verify::store(*damaged, session),
        CacheArguments::VerifyRepositories { repositories, depth } => {
            verify::repositories(repositories, *depth, session)
        }
    }
}
