//! Uploads under way.
//!
//! A session takes bytes in order, hashes them while they pass, and keeps what came of a body that
//! broke off. Whoever sends to it last has it: a connection that hangs must not keep its client,
//! come back by another one, from going on.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use oci::{Algorithm, Digest, Digester};

use crate::Result;
use crate::name::RepositoryPath;
use crate::storage::Upload;

/// A session that nothing was sent to for so long is given up.
const LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// All sessions that are open.
pub(crate) struct Sessions {
    /// What the session of a number is called.
    id_of: fn(u64) -> String,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    serial: u64,
    sessions: HashMap<String, Arc<Session>>,
}

/// One blob on its way in.
pub(crate) struct Session {
    pub(crate) id: String,
    pub(crate) repository: RepositoryPath,
    /// Counts the requests that have sent to it.
    turns: AtomicU64,
    state: Mutex<State>,
}

struct State {
    /// `None` once it is finished.
    received: Option<Received>,
    size: u64,
    touched: Instant,
}

/// The bytes of an upload, and their hash so far.
pub(crate) struct Received {
    pub(crate) upload: Box<dyn Upload>,
    digester: Digester,
    algorithm: Algorithm,
}

/// One request's right to send, until another takes its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Turn(u64);

/// A session that does not outlive this.
pub(crate) struct Temporary<'a> {
    sessions: &'a Sessions,
    id: String,
}

impl Drop for Temporary<'_> {
    fn drop(&mut self) {
        self.sessions.remove(&self.id);
    }
}

/// Another request has the session now, or it is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TurnOver;

impl Default for Sessions {
    /// Sessions whose ids nobody guesses.
    fn default() -> Self {
        Sessions { id_of: |_| random_uuid(), open: Mutex::default() }
    }
}

impl Sessions {
    /// Sessions whose ids are the same from run to run.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn numbered() -> Self {
        Sessions { id_of: |serial| format!("session-{serial}"), open: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn open(
        &self,
        repository: &RepositoryPath,
        algorithm: Algorithm,
        upload: Box<dyn Upload>,
    ) -> Arc<Session> {
        let mut open = self.lock();
        open.sessions.retain(|_, session| session.idle() < LIFETIME);
        open.serial += 1;
        let id = (self.id_of)(open.serial);
        let received = Received { upload, digester: Digester::new(algorithm), algorithm };
        let state = State { received: Some(received), size: 0, touched: Instant::now() };
        let session = Arc::new(Session {
            id: id.clone(),
            repository: repository.clone(),
            turns: AtomicU64::new(0),
            state: Mutex::new(state),
        });
        open.sessions.insert(id, session.clone());
        session
    }

    pub(crate) fn find(&self, repository: &RepositoryPath, id: &str) -> Option<Arc<Session>> {
        let open = self.lock();
        open.sessions.get(id).filter(|session| session.repository == *repository).cloned()
    }

    /// Forgets a session; what it received goes when nobody uses it any more.
    pub(crate) fn remove(&self, id: &str) {
        let removed = self.lock().sessions.remove(id);
        if let Some(session) = removed {
            session.take_turn();
            session.state().received = None;
        }
    }

    /// Removes a session when the value is dropped, however that comes about.
    pub(crate) fn temporary(&self, session: &Session) -> Temporary<'_> {
        Temporary { sessions: self, id: session.id.clone() }
    }

    /// The ids of all that are open.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn ids(&self) -> Vec<String> {
        self.lock().sessions.keys().cloned().collect()
    }
}

/// A UUID of version 4 (RFC 9562, 5.4), as the specification wants one in the location, from the
/// randomness that the standard library's maps have.
fn random_uuid() -> String {
    let half = || u128::from(RandomState::new().build_hasher().finish());
    let bits = half() << 64 | half();
    let bits = bits & !(0xf << 76) & !(0b11 << 62) | 4 << 76 | 0b10 << 62;
    let hex = format!("{bits:032x}");
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

impl Session {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn idle(&self) -> Duration {
        self.state().touched.elapsed()
    }

    /// How many bytes came so far.
    pub(crate) fn size(&self) -> u64 {
        self.state().size
    }

    /// From now on only whoever calls this may send.
    pub(crate) fn take_turn(&self) -> Turn {
        Turn(self.turns.fetch_add(1, Ordering::SeqCst) + 1)
    }

    fn is_over(&self, turn: Turn) -> bool {
        self.turns.load(Ordering::SeqCst) != turn.0
    }

    /// Takes the next bytes.
    pub(crate) fn append(&self, turn: Turn, bytes: &[u8]) -> Result<Result<(), TurnOver>> {
        let mut state = self.state();
        let State { received: Some(received), size, touched } = &mut *state else {
            return Ok(Err(TurnOver));
        };
        if self.is_over(turn) {
            return Ok(Err(TurnOver));
        }
        received.upload.append(bytes)?;
        received.digester.update(bytes);
        *size += bytes.len() as u64;
        *touched = Instant::now();
        Ok(Ok(()))
    }

    /// Everything that came; the session has nothing any more.
    pub(crate) fn finish(&self, turn: Turn) -> Result<Received, TurnOver> {
        let mut state = self.state();
        if self.is_over(turn) {
            return Err(TurnOver);
        }
        state.received.take().ok_or(TurnOver)
    }
}

impl Received {
    /// The digest of all bytes. What was hashed by another algorithm is hashed again.
    pub(crate) fn digest(&mut self, algorithm: Algorithm) -> Result<Digest> {
        if algorithm != self.algorithm {
            let mut digester = Digester::new(algorithm);
            self.upload.replay(&mut |bytes| digester.update(bytes))?;
            return Ok(digester.finish());
        }
        Ok(self.digester.clone().finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_uuids() {
        let (one, other) = (random_uuid(), random_uuid());
        assert_ne!(one, other);
        let lengths: Vec<usize> = one.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12]);
        assert_eq!(&one[14..15], "4");
        assert!("89ab".contains(&one[19..20]), "{one}");
    }
}
