//! What was computed before, so that it is computed once.

use std::any::Any;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use oci::Digest;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Results of pure functions, by a digest of all that they were computed from: evaluation begins anew
/// with each fact that was missing, and what takes long is computed once.
///
/// Some of them outlive the process, as bytes: whoever has them from an earlier one hands them in with
/// [`learn`](Self::learn), and takes them from [`lasting`](Self::lasting).
#[derive(Clone, Default)]
pub struct Memory(Arc<Mutex<Known>>);

#[derive(Default)]
struct Known {
    values: HashMap<Digest, Arc<dyn Any + Send + Sync>>,
    lasting: HashMap<Digest, Arc<[u8]>>,
}

impl Memory {
    /// What is remembered, or what `compute` gives, which is remembered from now on.
    ///
    /// # Errors
    /// Those of `compute`, of which none is remembered.
    pub fn recall<T: Any + Send + Sync, E>(
        &self,
        key: Digest,
        compute: impl FnOnce() -> Result<T, E>,
    ) -> Result<Arc<T>, E> {
        if let Some(known) = self.value(&key) {
            return Ok(known);
        }
        let computed = Arc::new(compute()?);
        self.lock().values.insert(key, Arc::clone(&computed) as Arc<dyn Any + Send + Sync>);
        Ok(computed)
    }

    /// As [`recall`](Self::recall), of what is worth more than this process. The key has to mean the
    /// same in every process, and another thing in another release.
    ///
    /// # Errors
    /// Those of `compute`, of which none is remembered.
    pub fn recall_lasting<T: Any + Send + Sync + Serialize + DeserializeOwned, E>(
        &self,
        key: Digest,
        compute: impl FnOnce() -> Result<T, E>,
    ) -> Result<Arc<T>, E> {
        self.recall(key, || {
            let bytes = self.lock().lasting.get(&key).cloned();
            if let Some(value) = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()) {
                return Ok(value);
            }
            let computed = compute()?;
            self.learn(key, oci::json::to_bytes(&computed).into());
            Ok(computed)
        })
    }

    /// Takes what an earlier process computed. What cannot be read is computed again.
    pub fn learn(&self, key: Digest, bytes: Arc<[u8]>) {
        self.lock().lasting.insert(key, bytes);
    }

    /// What outlives this process, by key.
    pub fn lasting(&self) -> Vec<(Digest, Arc<[u8]>)> {
        let known = self.lock();
        let mut lasting: Vec<_> =
            known.lasting.iter().map(|(key, bytes)| (*key, Arc::clone(bytes))).collect();
        lasting.sort_unstable_by_key(|(key, _)| *key);
        lasting
    }

    fn value<T: Any + Send + Sync>(&self, key: &Digest) -> Option<Arc<T>> {
        self.lock().values.get(key).cloned()?.downcast().ok()
    }

    /// A thread that broke off left whole values only.
    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Memory({})", self.lock().values.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(
        memory: &Memory,
        key: &[u8],
        gives: Result<u32, &'static str>,
    ) -> Result<u32, &'static str> {
        memory.recall_lasting(Digest::of(key), || gives).map(|value| *value)
    }

    #[test]
    fn what_lasts_is_computed_once_in_all_processes() {
        let first = Memory::default();
        assert_eq!(answer(&first, b"a", Err("not yet")), Err("not yet"));
        assert_eq!(first.lasting(), [], "an error is no result");
        assert_eq!(answer(&first, b"a", Ok(7)), Ok(7));
        assert_eq!(answer(&first, b"a", Err("again")), Ok(7));
        let second = Memory::default();
        first.lasting().into_iter().for_each(|(key, bytes)| second.learn(key, bytes));
        assert_eq!(answer(&second, b"a", Err("again")), Ok(7));
        assert_eq!(answer(&second, b"b", Ok(8)), Ok(8), "of another key nothing is known");
        assert_eq!(second.lasting().len(), 2);
    }

    #[test]
    fn what_cannot_be_read_is_computed_again() {
        let memory = Memory::default();
        memory.learn(Digest::of(b"a"), b"\"seven\"".as_slice().into());
        assert_eq!(answer(&memory, b"a", Ok(7)), Ok(7));
        assert_eq!(&*memory.lasting()[0].1, b"7");
    }
}
