//! What a repository lists: the `index.json` of an OCI image layout (image-spec `image-layout.md`).

use std::collections::BTreeMap;

use oci::{Descriptor, Digest, MediaType, Tag};
use serde::{Deserialize, Serialize};

/// The annotation that names a manifest of a layout (image-spec `annotations.md`).
const NAME: &str = "org.opencontainers.image.ref.name";

/// Every manifest of a repository: once for each of its tags, or once without.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Index {
    schema_version: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    media_type: Option<MediaType>,
    manifests: Vec<Descriptor>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    annotations: BTreeMap<String, String>,
}

impl Default for Index {
    fn default() -> Self {
        Index {
            schema_version: 2,
            media_type: Some(MediaType::OciIndex),
            manifests: Vec::new(),
            annotations: BTreeMap::new(),
        }
    }
}

impl Index {
    /// Each manifest once, sorted by digest.
    pub(crate) fn manifests(&self) -> Vec<&Descriptor> {
        let each: BTreeMap<Digest, &Descriptor> =
            self.manifests.iter().map(|listed| (listed.digest, listed)).collect();
        each.into_values().collect()
    }

    /// The manifest of this digest.
    pub(crate) fn find(&self, digest: &Digest) -> Option<&Descriptor> {
        self.manifests.iter().find(|listed| listed.digest == *digest)
    }

    /// What a tag names.
    pub(crate) fn tagged(&self, tag: &str) -> Option<&Descriptor> {
        self.manifests.iter().find(|listed| name_of(listed) == Some(tag))
    }

    /// All tags, in the order of their bytes. A layout that others wrote may have names that are
    /// no tags; those cannot be asked for.
    pub(crate) fn tags(&self) -> Vec<&str> {
        let names = self.manifests.iter().filter_map(name_of);
        let mut tags: Vec<&str> = names.filter(|name| name.parse::<Tag>().is_ok()).collect();
        tags.sort_unstable();
        tags.dedup();
        tags
    }

    /// Lists a manifest, and moves `tags` to it.
    pub(crate) fn set(&mut self, manifest: &Descriptor, tags: &[Tag]) {
        for tag in tags {
            self.untag(tag.as_str());
        }
        let is_it = |listed: &Descriptor| listed.digest == manifest.digest;
        if !tags.is_empty() {
            self.manifests.retain(|listed| !is_it(listed) || name_of(listed).is_some());
        }
        for tag in tags {
            let mut named = manifest.clone();
            named.annotations.insert(NAME.to_owned(), tag.to_string());
            self.manifests.push(named);
        }
        if !self.manifests.iter().any(is_it) {
            self.manifests.push(manifest.clone());
        }
        self.sort();
    }

    /// Takes a tag away; its manifest stays. Whether there was one.
    pub(crate) fn untag(&mut self, tag: &str) -> bool {
        let position = self.manifests.iter().position(|listed| name_of(listed) == Some(tag));
        let Some(position) = position else { return false };
        let mut removed = self.manifests.remove(position);
        if self.find(&removed.digest).is_none() {
            removed.annotations.remove(NAME);
            self.manifests.push(removed);
            self.sort();
        }
        true
    }

    /// Takes a manifest and all its tags away; whether there was one.
    pub(crate) fn remove(&mut self, digest: &Digest) -> bool {
        let before = self.manifests.len();
        self.manifests.retain(|listed| listed.digest != *digest);
        self.manifests.len() != before
    }

    /// By name, and those without one last: the same list is the same bytes.
    fn sort(&mut self) {
        self.manifests.sort_by(|one, other| {
            let key = |listed| (name_of(listed).is_none(), name_of(listed));
            key(one).cmp(&key(other)).then(one.digest.cmp(&other.digest))
        });
    }
}

fn name_of(listed: &Descriptor) -> Option<&str> {
    listed.annotations.get(NAME).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(content: &[u8]) -> Descriptor {
        Descriptor::of(MediaType::OciManifest, content)
    }

    fn tags(names: &[&str]) -> Vec<Tag> {
        names.iter().map(|name| name.parse().unwrap()).collect()
    }

    /// `name=first digits`, in order.
    fn show(index: &Index) -> String {
        let line = |listed: &Descriptor| {
            format!("{}={}", name_of(listed).unwrap_or("-"), &listed.digest.hex()[..4])
        };
        index.manifests.iter().map(line).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn every_manifest_is_listed_with_its_tags_or_once_without() {
        let (one, two) = (manifest(b"1"), manifest(b"2"));
        let mut index = Index::default();
        index.set(&one, &[]);
        index.set(&one, &[]);
        assert_eq!(show(&index), "-=6b86");
        index.set(&one, &tags(&["b", "a"]));
        index.set(&two, &[]);
        assert_eq!(show(&index), "a=6b86 b=6b86 -=d473");
        index.set(&two, &tags(&["a"]));
        assert_eq!(show(&index), "a=d473 b=6b86");
        index.set(&two, &tags(&["b"]));
        assert_eq!(show(&index), "a=d473 b=d473 -=6b86", "what lost its last tag stays");
        assert_eq!((index.untag("a"), index.untag("a")), (true, false));
        assert_eq!(index.tags(), ["b"]);
        assert_eq!((index.remove(&two.digest), index.remove(&two.digest)), (true, false));
        assert_eq!(show(&index), "-=6b86");
    }
}
