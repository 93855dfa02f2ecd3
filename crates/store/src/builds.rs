//! Which builds there were, the newest first, so that one can be compared with the one before it.

use oci::{Descriptor, Digest, Reference};
use serde::{Deserialize, Serialize};

use crate::{Store, StoreError};

/// The kind of record that the list is; there is one of it.
pub(crate) const BUILDS: &str = "builds";
/// The kind of record that says what went into an image: a fact by the image's digest.
pub(crate) const BUILD_FACT: &str = "fact-build";

/// So many are remembered.
const MOST_BUILDS: usize = 256;

/// A build that came to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Build {
    /// The manifest or index that it made.
    pub image: Descriptor,
    /// The names that it gave.
    pub names: Vec<String>,
    /// What was built: the same for the same recipe in the same place.
    pub place: Digest,
    /// When, in seconds since the epoch.
    pub time: i64,
}

impl Build {
    /// Whether both are builds of one thing: of one place, or under one name.
    pub fn is_of_same(&self, other: &Build) -> bool {
        self.place == other.place || self.names.iter().any(|name| other.names.contains(name))
    }

    /// Whether it gave this name.
    pub fn is_named(&self, name: &Reference) -> bool {
        self.names.contains(&name.to_string())
    }
}

impl Store {
    /// Remembers that a build came to its end.
    pub fn record_build(&self, build: Build) -> Result<(), StoreError> {
        let _alone = self.inner.lock_index()?;
        let mut builds = self.builds()?;
        builds.insert(0, build);
        builds.truncate(MOST_BUILDS);
        self.write_record(BUILDS, &Digest::of(b""), &oci::json::to_bytes(&builds))
    }

    /// The builds that are remembered, the newest first.
    pub fn builds(&self) -> Result<Vec<Build>, StoreError> {
        let bytes = self.read_record(BUILDS, &Digest::of(b""))?;
        Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use oci::MediaType;

    use super::*;

    #[test]
    fn the_newest_come_first_and_the_oldest_go() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path()).unwrap();
        assert_eq!(store.builds().unwrap(), []);
        let build = |number: i64| Build {
            image: Descriptor::of(MediaType::OciManifest, number.to_string().as_bytes()),
            names: vec![format!("docker.io/library/app:{}", number % 2)],
            place: Digest::of(&[(number % 3) as u8]),
            time: number,
        };
        for number in 0..300 {
            store.record_build(build(number)).unwrap();
        }
        let builds = store.builds().unwrap();
        assert_eq!(builds.len(), MOST_BUILDS);
        assert_eq!((builds[0].time, builds[255].time), (299, 44));
        assert!(builds[0].is_of_same(&builds[2]), "one name");
        assert!(builds[0].is_of_same(&builds[3]), "one place");
        assert!(!builds[0].is_of_same(&builds[1]));
        assert!(builds[0].is_named(&"app:1".parse().unwrap()));
    }
}
