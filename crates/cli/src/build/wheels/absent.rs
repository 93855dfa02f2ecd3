//! Wheels that nobody has fetched, because it is known what they become: they are fetched when their
//! bytes are to go into a layer.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use oci::Digest;
use python::{ResolutionRequest, WheelFile};

use super::download;
use crate::error::Error;
use crate::session::Session;

/// Where wheels are to be had that may not be here.
#[derive(Default)]
pub(in crate::build) struct AbsentWheels(Mutex<BTreeMap<Digest, Place>>);

/// A wheel, and the question that it was an answer to.
#[derive(Clone)]
struct Place {
    wheel: WheelFile,
    request: Arc<ResolutionRequest>,
}

impl AbsentWheels {
    /// Says where a wheel is to be had.
    pub(super) fn note(&self, digest: Digest, wheel: &WheelFile, request: &Arc<ResolutionRequest>) {
        let place = Place { wheel: wheel.clone(), request: Arc::clone(request) };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(digest, place);
    }

    /// Makes the store have these of them.
    pub(in crate::build) fn bring(
        &self,
        session: &Session,
        wanted: &BTreeSet<Digest>,
    ) -> Result<(), Error> {
        let store = session.store()?;
        let mut missing: Vec<(Arc<ResolutionRequest>, Vec<WheelFile>)> = Vec::new();
        for digest in wanted {
            if store.contains(digest)?.is_some() {
                continue;
            }
            let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(digest).cloned();
            let Some(Place { wheel, request }) = known else { continue };
            match missing.iter_mut().find(|(known, _)| Arc::ptr_eq(known, &request)) {
                Some((_, wheels)) => wheels.push(wheel),
                None => missing.push((request, vec![wheel])),
            }
        }
        for (request, wheels) in missing {
            download::fetch(session, &wheels, &request)?;
        }
        Ok(())
    }
}
