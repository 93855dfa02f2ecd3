//! Manifests and indexes (image-spec `manifest.md`, `image-index.md`), and Docker's schema 2.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Descriptor, Digest, MediaType, Platform, json};

/// The largest manifest a client may rely on a registry to take, and the largest that is read
/// (distribution-spec 1.1, "Pushing Manifests").
pub const MAX_MANIFEST_BYTES: u64 = 4 * 1024 * 1024;

/// The content of the empty descriptor (image-spec `manifest.md`, "Guidance for an Empty
/// Descriptor").
pub const EMPTY_DESCRIPTOR_BYTES: &[u8] = b"{}";

/// A manifest or an index, with the exact bytes that its digest is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Manifest {
    /// One image (or one artifact).
    Image(ImageManifest),
    /// One image per platform.
    Index(ImageIndex),
}

/// One image: a config and layers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageManifest {
    bytes: Vec<u8>,
    fields: ManifestFields,
    media_type: MediaType,
}

/// Several manifests, told apart by platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageIndex {
    bytes: Vec<u8>,
    fields: IndexFields,
    media_type: MediaType,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ManifestFields {
    schema_version: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    media_type: Option<MediaType>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    artifact_type: Option<MediaType>,
    config: Descriptor,
    layers: Vec<Descriptor>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    subject: Option<Descriptor>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    annotations: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct IndexFields {
    schema_version: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    media_type: Option<MediaType>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    artifact_type: Option<MediaType>,
    manifests: Vec<Descriptor>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    subject: Option<Descriptor>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    annotations: BTreeMap<String, String>,
}

/// Why bytes are not a manifest.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// Larger than 4 MiB.
    #[error("a manifest of {size} bytes is larger than the {MAX_MANIFEST_BYTES} that are allowed")]
    TooLarge {
        /// Its size in bytes.
        size: u64,
    },
    /// Not JSON, or not of a manifest's shape.
    #[error("not a manifest: {0}")]
    Json(#[from] serde_json::Error),
    /// Docker's schema 1 and whatever else is not version 2.
    #[error("a manifest of schema version {0} is not supported (2 is)")]
    SchemaVersion(u64),
    /// The document says one type and its transport another.
    #[error("the manifest says that it is `{inside}`, but came as `{outside}`")]
    MediaTypeMismatch {
        /// The `mediaType` field.
        inside: MediaType,
        /// The `Content-Type` header or the descriptor.
        outside: MediaType,
    },
    /// Both `manifests` and `layers`: an ambiguity that has been exploited (CVE-2021-41190).
    #[error("the manifest has both `layers` and `manifests`")]
    Ambiguous,
    /// A type that is neither manifest nor index.
    #[error("`{0}` is neither an image manifest nor an image index")]
    NotAManifest(MediaType),
}

impl Manifest {
    /// Reads a manifest or an index; `stated` is the type that came with it, if one did.
    ///
    /// Where neither the document nor its transport names a type, its shape decides (umoci writes
    /// none).
    pub fn parse(bytes: Vec<u8>, stated: Option<&MediaType>) -> Result<Self, ManifestError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Shape {
            schema_version: Option<u64>,
            media_type: Option<MediaType>,
            manifests: Option<serde::de::IgnoredAny>,
            layers: Option<serde::de::IgnoredAny>,
        }
        if bytes.len() as u64 > MAX_MANIFEST_BYTES {
            return Err(ManifestError::TooLarge { size: bytes.len() as u64 });
        }
        let shape: Shape = serde_json::from_slice(&bytes)?;
        let version = shape.schema_version.unwrap_or(0);
        if version != 2 {
            return Err(ManifestError::SchemaVersion(version));
        }
        if shape.manifests.is_some() && shape.layers.is_some() {
            return Err(ManifestError::Ambiguous);
        }
        let stated = stated.filter(|stated| stated.is_manifest() || stated.is_index());
        let media_type = match (shape.media_type, stated) {
            (Some(inside), Some(outside)) if inside != *outside => {
                return Err(ManifestError::MediaTypeMismatch { inside, outside: outside.clone() });
            }
            (Some(inside), _) => inside,
            (None, Some(outside)) => outside.clone(),
            (None, None) if shape.manifests.is_some() => MediaType::OciIndex,
            (None, None) => MediaType::OciManifest,
        };
        if media_type.is_index() {
            let fields = serde_json::from_slice(&bytes)?;
            Ok(Manifest::Index(ImageIndex { bytes, fields, media_type }))
        } else if media_type.is_manifest() {
            let fields = serde_json::from_slice(&bytes)?;
            Ok(Manifest::Image(ImageManifest { bytes, fields, media_type }))
        } else {
            Err(ManifestError::NotAManifest(media_type))
        }
    }

    /// The exact bytes.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Manifest::Image(manifest) => manifest.bytes(),
            Manifest::Index(index) => index.bytes(),
        }
    }

    /// The document's type, as written or as its transport stated it.
    pub fn media_type(&self) -> &MediaType {
        match self {
            Manifest::Image(manifest) => manifest.media_type(),
            Manifest::Index(index) => index.media_type(),
        }
    }

    /// The digest of the exact bytes.
    pub fn digest(&self) -> Digest {
        Digest::of(self.bytes())
    }

    /// A descriptor of this document.
    pub fn descriptor(&self) -> Descriptor {
        Descriptor::of(self.media_type().clone(), self.bytes())
    }

    /// The manifest that this one says something about.
    pub fn subject(&self) -> Option<&Descriptor> {
        match self {
            Manifest::Image(manifest) => manifest.subject(),
            Manifest::Index(index) => index.subject(),
        }
    }

    /// The annotations.
    pub fn annotations(&self) -> &BTreeMap<String, String> {
        match self {
            Manifest::Image(manifest) => manifest.annotations(),
            Manifest::Index(index) => index.annotations(),
        }
    }

    /// The type of artifact that this is: as it says itself, else a manifest's type of config
    /// (distribution-spec 1.1, "Listing Referrers").
    pub fn artifact_type(&self) -> Option<&MediaType> {
        match self {
            Manifest::Image(manifest) => {
                Some(manifest.artifact_type().unwrap_or(&manifest.config().media_type))
            }
            Manifest::Index(index) => index.fields.artifact_type.as_ref(),
        }
    }

    /// The descriptor by which this is listed among the referrers of its subject, with its type of
    /// artifact and its annotations (distribution-spec 1.1, "Listing Referrers").
    pub fn referrer_descriptor(&self) -> Descriptor {
        Descriptor {
            artifact_type: self.artifact_type().cloned(),
            annotations: self.annotations().clone(),
            ..self.descriptor()
        }
    }
}

impl ImageManifest {
    /// A new OCI manifest over `config` and `layers`.
    pub fn new(
        config: Descriptor,
        layers: Vec<Descriptor>,
        annotations: BTreeMap<String, String>,
    ) -> Self {
        let media_type = MediaType::OciManifest;
        let fields = ManifestFields {
            schema_version: 2,
            media_type: Some(media_type.clone()),
            artifact_type: None,
            config,
            layers,
            subject: None,
            annotations,
        };
        ImageManifest { bytes: json::to_bytes(&fields), fields, media_type }
    }

    /// A manifest of what is no image (image-spec `manifest.md`, "Guidelines for Artifact Usage").
    pub fn artifact(
        artifact_type: MediaType,
        layers: Vec<Descriptor>,
        annotations: BTreeMap<String, String>,
    ) -> Self {
        let media_type = MediaType::OciManifest;
        let mut config = Descriptor::of(MediaType::OciEmpty, b"{}");
        config.data = Some("e30=".to_owned());
        let fields = ManifestFields {
            schema_version: 2,
            media_type: Some(media_type.clone()),
            artifact_type: Some(artifact_type),
            config,
            layers,
            subject: None,
            annotations,
        };
        ImageManifest { bytes: json::to_bytes(&fields), fields, media_type }
    }

    /// The exact bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// OCI's manifest type or Docker's.
    pub fn media_type(&self) -> &MediaType {
        &self.media_type
    }

    /// The digest of the exact bytes.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.bytes)
    }

    /// A descriptor of this manifest.
    pub fn descriptor(&self) -> Descriptor {
        Descriptor::of(self.media_type.clone(), &self.bytes)
    }

    /// The image's config blob.
    pub fn config(&self) -> &Descriptor {
        &self.fields.config
    }

    /// The layers, lowest first.
    pub fn layers(&self) -> &[Descriptor] {
        &self.fields.layers
    }

    /// The manifest's annotations.
    pub fn annotations(&self) -> &BTreeMap<String, String> {
        &self.fields.annotations
    }

    /// The type of artifact, where this is not an image.
    pub fn artifact_type(&self) -> Option<&MediaType> {
        self.fields.artifact_type.as_ref()
    }

    /// The manifest that this one says something about.
    pub fn subject(&self) -> Option<&Descriptor> {
        self.fields.subject.as_ref()
    }
}

impl ImageIndex {
    /// A new OCI index over `manifests`, in the order given.
    pub fn new(manifests: Vec<Descriptor>, annotations: BTreeMap<String, String>) -> Self {
        let media_type = MediaType::OciIndex;
        let fields = IndexFields {
            schema_version: 2,
            media_type: Some(media_type.clone()),
            artifact_type: None,
            manifests,
            subject: None,
            annotations,
        };
        ImageIndex { bytes: json::to_bytes(&fields), fields, media_type }
    }

    /// The exact bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// OCI's index type or Docker's manifest list.
    pub fn media_type(&self) -> &MediaType {
        &self.media_type
    }

    /// The digest of the exact bytes.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.bytes)
    }

    /// A descriptor of this index.
    pub fn descriptor(&self) -> Descriptor {
        Descriptor::of(self.media_type.clone(), &self.bytes)
    }

    /// What the index lists, in its order.
    pub fn manifests(&self) -> &[Descriptor] {
        &self.fields.manifests
    }

    /// The index's annotations.
    pub fn annotations(&self) -> &BTreeMap<String, String> {
        &self.fields.annotations
    }

    /// The manifest that this index says something about.
    pub fn subject(&self) -> Option<&Descriptor> {
        self.fields.subject.as_ref()
    }

    /// The same index without the entries that `keep` refuses; every other field stays as it is,
    /// those that are not known here too.
    pub fn retaining(
        &self,
        mut keep: impl FnMut(&Descriptor) -> bool,
    ) -> Result<Self, ManifestError> {
        let mut document: serde_json::Value = serde_json::from_slice(&self.bytes)?;
        let mut fields = self.fields.clone();
        let kept: Vec<bool> = fields.manifests.iter().map(&mut keep).collect();
        let mut next = kept.iter();
        fields.manifests.retain(|_| *next.next().unwrap_or(&false));
        if let Some(entries) = document["manifests"].as_array_mut() {
            let mut next = kept.iter();
            entries.retain(|_| *next.next().unwrap_or(&false));
        }
        let media_type = self.media_type.clone();
        Ok(ImageIndex { bytes: json::to_bytes(&document), fields, media_type })
    }

    /// The first manifest that runs on `wanted` (image-spec `image-index.md`: the first match).
    pub fn select(&self, wanted: &Platform) -> Option<&Descriptor> {
        self.fields
            .manifests
            .iter()
            .find(|entry| entry.platform.as_ref().is_some_and(|have| have.satisfies(wanted)))
    }

    /// The platforms listed, without BuildKit's `unknown/unknown` attestations.
    pub fn platforms(&self) -> Vec<Platform> {
        let listed = self.fields.manifests.iter().filter_map(|entry| entry.platform.clone());
        listed.filter(|platform| platform.os != "unknown").collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str, stated: Option<&str>) -> Result<Manifest, String> {
        let stated = stated.map(MediaType::from);
        Manifest::parse(text.as_bytes().to_vec(), stated.as_ref()).map_err(|e| e.to_string())
    }

    fn empty_config() -> String {
        format!(
            r#"{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{}","size":2}}"#,
            Digest::of(b"{}")
        )
    }

    #[test]
    fn shape_decides_where_nothing_is_stated() {
        let text = format!(r#"{{"schemaVersion":2,"config":{},"layers":[]}}"#, empty_config());
        let manifest = parse(&text, None).unwrap();
        assert_eq!(manifest.media_type(), &MediaType::OciManifest);
        assert_eq!(manifest.bytes(), text.as_bytes(), "the bytes stay exact");
        let index = parse(r#"{"schemaVersion":2,"manifests":[]}"#, None).unwrap();
        assert_eq!(index.media_type(), &MediaType::OciIndex);
    }

    #[test]
    fn refused() {
        insta::assert_snapshot!(parse("{", None).unwrap_err(), @"not a manifest: EOF while parsing an object at line 1 column 1");
        insta::assert_snapshot!(parse(r#"{"schemaVersion":1}"#, None).unwrap_err(), @"a manifest of schema version 1 is not supported (2 is)");
        insta::assert_snapshot!(parse(r#"{"schemaVersion":2,"layers":[],"manifests":[]}"#, None).unwrap_err(), @"the manifest has both `layers` and `manifests`");
        let index = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;
        insta::assert_snapshot!(parse(index, Some("application/vnd.oci.image.manifest.v1+json")).unwrap_err(), @"the manifest says that it is `application/vnd.oci.image.index.v1+json`, but came as `application/vnd.oci.image.manifest.v1+json`");
        let huge = " ".repeat(5 << 20);
        insta::assert_snapshot!(parse(&huge, None).unwrap_err(), @"a manifest of 5242880 bytes is larger than the 4194304 that are allowed");
    }

    #[test]
    fn written_bytes_are_canonical() {
        let config = Descriptor::of(MediaType::OciConfig, b"{}");
        let layer = Descriptor::of(MediaType::OciLayer(crate::Compression::Gzip), b"x");
        let annotations = BTreeMap::from([("b".into(), "2".into()), ("a".into(), "1".into())]);
        let manifest = ImageManifest::new(config, vec![layer], annotations);
        insta::assert_snapshot!(String::from_utf8_lossy(manifest.bytes()), @r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881","size":1}],"annotations":{"a":"1","b":"2"}}"#);
        let read = Manifest::parse(manifest.bytes().to_vec(), None).unwrap();
        assert_eq!(read, Manifest::Image(manifest));
    }

    #[test]
    fn an_index_loses_entries_and_nothing_else() {
        let entry = |content: &[u8]| {
            let digest = Digest::of(content);
            format!(
                r#"{{"mediaType":"{}","digest":"{digest}","size":1,"x":"kept"}}"#,
                MediaType::OciManifest
            )
        };
        let text = |entries: &str| {
            format!(r#"{{"schemaVersion":2,"unknown":{{"b":1,"a":2}},"manifests":[{entries}]}}"#)
        };
        let whole = text(&format!("{},{}", entry(b"1"), entry(b"2")));
        let Manifest::Index(index) = parse(&whole, None).unwrap() else { panic!("an index") };
        let rest = index.retaining(|entry| entry.digest == Digest::of(b"2")).unwrap();
        assert_eq!(String::from_utf8_lossy(rest.bytes()), text(&entry(b"2")));
        let read = Manifest::parse(rest.bytes().to_vec(), None).unwrap();
        assert_eq!(read, Manifest::Index(rest));
    }

    #[test]
    fn what_a_referrer_is_listed_as() {
        let show = |text: String| {
            let descriptor = parse(&text, None).unwrap().referrer_descriptor();
            format!(
                "{:?} {:?}",
                descriptor.artifact_type.map(|kind| kind.to_string()),
                descriptor.annotations
            )
        };
        let manifest = |fields: &str| {
            let config = empty_config();
            format!(r#"{{"schemaVersion":2,"config":{config},"layers":[]{fields}}}"#)
        };
        insta::assert_snapshot!(show(manifest(r#","artifactType":"a/b","annotations":{"k":"v"}"#)), @r#"Some("a/b") {"k": "v"}"#);
        insta::assert_snapshot!(show(manifest("")), @r#"Some("application/vnd.oci.image.config.v1+json") {}"#);
        insta::assert_snapshot!(show(r#"{"schemaVersion":2,"manifests":[]}"#.into()), @"None {}");
    }

    #[test]
    fn the_first_match_is_selected() {
        let entry = |platform: &str, content: &[u8]| Descriptor {
            platform: Some(platform.parse().unwrap()),
            ..Descriptor::of(MediaType::OciManifest, content)
        };
        let index = ImageIndex::new(
            vec![
                entry("linux/amd64", b"1"),
                entry("linux/arm64", b"2"),
                entry("linux/arm64", b"3"),
            ],
            BTreeMap::new(),
        );
        let chosen = index.select(&"linux/arm64/v8".parse().unwrap()).unwrap();
        assert_eq!(chosen.digest, Digest::of(b"2"));
        assert!(index.select(&"linux/s390x".parse().unwrap()).is_none());
    }
}
