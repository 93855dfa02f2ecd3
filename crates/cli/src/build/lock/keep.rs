//! Writing the lock.

use std::io::Write;
use std::path::Path;

use lock::{Extent, Lock};
use oci::Platform;

use super::{Manner, Pins, packages, place};
use crate::build::whole_file::write_whole;
use crate::error::Error;
use crate::session::Session;

/// When a lock is written that pins nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::build) enum EmptyLock {
    /// Only over one that is there.
    Spared,
    /// Always: somebody asked for it.
    Written,
}

impl Pins {
    /// Writes the lock, if it has changed. Who builds may do so where nothing can be written.
    pub(in crate::build) fn keep(
        &self,
        session: &Session,
        platforms: &[Platform],
        extent: Extent,
        empty: EmptyLock,
    ) -> Result<(), Error> {
        let Some(place) = &self.place else { return Ok(()) };
        if self.manner == Manner::Keep {
            return Ok(());
        }
        // Another build may have written it meanwhile, for another platform perhaps.
        let (locked, old) = match place::read(place)? {
            Some((locked, text)) => (locked, Some(text)),
            None => (self.locked.clone(), None),
        };
        let renewed = locked.renewed(self.whole(), platforms, extent);
        if old.is_none() && renewed.is_empty() && empty == EmptyLock::Spared {
            return Ok(());
        }
        let text = renewed.to_text();
        if old.as_ref() != Some(&text) {
            match (write(place, &text), empty) {
                (Err(error), EmptyLock::Written) => return Err(error),
                (Err(error), EmptyLock::Spared) => {
                    let why = crate::report::chain(&error);
                    session.progress.warning(&format!("what was found is not pinned: {why}"));
                }
                (Ok(()), _) => {}
            }
        }
        if self.is_ci && self.text.is_none() {
            session.progress.warning(&format!(
                "nothing was pinned here: commit `{}`, so that CI builds what was tried",
                place.display()
            ));
        }
        Ok(())
    }

    /// All that was found.
    fn whole(&self) -> Lock {
        let found = self.found();
        let answers = found.answers.iter();
        let resolutions =
            answers.map(|(key, answer)| (key.clone(), packages::pinned(answer, &found.wheels)));
        Lock { resolutions: resolutions.collect(), ..found.lock.clone() }
    }
}

fn write(place: &Path, text: &str) -> Result<(), Error> {
    write_whole(place, |mut file| file.write_all(text.as_bytes()).map_err(Error::writing(place)))
}
