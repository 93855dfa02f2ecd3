//! What moved between a build and the registry, by the registry's log.

use std::collections::BTreeSet;

use serve::testing::Recorded;

use crate::setting::Setting;

/// Requests in words, without what differs between runs.
pub(crate) struct Traffic(Vec<Recorded>);

impl Traffic {
    /// What moved since the last look.
    pub(crate) fn of(setting: &Setting) -> Self {
        Traffic(setting.scene.registry.take_requests())
    }

    fn count(&self, method: &str, part: &str) -> usize {
        let matching =
            |request: &&Recorded| request.method == method && request.path.contains(part);
        self.0.iter().filter(matching).count()
    }

    /// Blobs that were fetched.
    pub(crate) fn blobs_down(&self) -> usize {
        self.count("GET", "/blobs/")
    }

    /// Blobs that were sent or begun to be.
    pub(crate) fn blobs_up(&self) -> usize {
        let sent = |request: &&Recorded| {
            request.method == "POST"
                && request.path.contains("/blobs/uploads/")
                && !request.query.contains("mount=")
        };
        self.0.iter().filter(sent).count()
    }

    /// The tags that manifests were put under.
    pub(crate) fn tagged(&self) -> BTreeSet<String> {
        let put = self.0.iter().filter(|request| request.method == "PUT");
        let tag = |request: &Recorded| {
            request.path.split_once("/manifests/").map(|(_, it)| it.to_owned())
        };
        put.filter_map(tag).collect()
    }

    /// How many of these tags are of the cache.
    pub(crate) fn records_up(&self) -> usize {
        self.tagged().iter().filter(|tag| tag.starts_with("plywood-")).count()
    }
}
