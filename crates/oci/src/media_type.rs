//! Media types of image-spec `media-types.md`, and Docker's older names for the same things.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What a blob is. Unknown types are kept as they were written.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MediaType {
    /// `application/vnd.oci.image.manifest.v1+json`
    OciManifest,
    /// `application/vnd.oci.image.index.v1+json`
    OciIndex,
    /// `application/vnd.oci.image.config.v1+json`
    OciConfig,
    /// `application/vnd.oci.image.layer.v1.tar` and its compressed forms.
    OciLayer(Compression),
    /// The deprecated "nondistributable" layers: accepted, never produced.
    OciForeignLayer(Compression),
    /// `application/vnd.oci.empty.v1+json`
    OciEmpty,
    /// `application/vnd.docker.distribution.manifest.v2+json`
    DockerManifest,
    /// `application/vnd.docker.distribution.manifest.list.v2+json`
    DockerManifestList,
    /// `application/vnd.docker.container.image.v1+json`
    DockerConfig,
    /// `application/vnd.docker.image.rootfs.diff.tar[.gzip|.zstd]`
    DockerLayer(Compression),
    /// `application/vnd.docker.image.rootfs.foreign.diff.tar.gzip`
    DockerForeignLayer,
    /// Anything else.
    Other(String),
}

/// How a layer's tar is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Compression {
    /// Not at all.
    None,
    /// RFC 1952, possibly of several members.
    Gzip,
    /// RFC 8878, possibly of several frames.
    Zstd,
}

impl MediaType {
    /// The type's text.
    pub fn as_str(&self) -> &str {
        use Compression::{Gzip, None, Zstd};
        match self {
            MediaType::OciManifest => "application/vnd.oci.image.manifest.v1+json",
            MediaType::OciIndex => "application/vnd.oci.image.index.v1+json",
            MediaType::OciConfig => "application/vnd.oci.image.config.v1+json",
            MediaType::OciLayer(None) => "application/vnd.oci.image.layer.v1.tar",
            MediaType::OciLayer(Gzip) => "application/vnd.oci.image.layer.v1.tar+gzip",
            MediaType::OciLayer(Zstd) => "application/vnd.oci.image.layer.v1.tar+zstd",
            MediaType::OciForeignLayer(None) => {
                "application/vnd.oci.image.layer.nondistributable.v1.tar"
            }
            MediaType::OciForeignLayer(Gzip) => {
                "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
            }
            MediaType::OciForeignLayer(Zstd) => {
                "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd"
            }
            MediaType::OciEmpty => "application/vnd.oci.empty.v1+json",
            MediaType::DockerManifest => "application/vnd.docker.distribution.manifest.v2+json",
            MediaType::DockerManifestList => {
                "application/vnd.docker.distribution.manifest.list.v2+json"
            }
            MediaType::DockerConfig => "application/vnd.docker.container.image.v1+json",
            MediaType::DockerLayer(None) => "application/vnd.docker.image.rootfs.diff.tar",
            MediaType::DockerLayer(Gzip) => "application/vnd.docker.image.rootfs.diff.tar.gzip",
            MediaType::DockerLayer(Zstd) => "application/vnd.docker.image.rootfs.diff.tar.zstd",
            MediaType::DockerForeignLayer => {
                "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
            }
            MediaType::Other(text) => text,
        }
    }

    const KNOWN: &'static [MediaType] = &[
        MediaType::OciManifest,
        MediaType::OciIndex,
        MediaType::OciConfig,
        MediaType::OciLayer(Compression::None),
        MediaType::OciLayer(Compression::Gzip),
        MediaType::OciLayer(Compression::Zstd),
        MediaType::OciForeignLayer(Compression::None),
        MediaType::OciForeignLayer(Compression::Gzip),
        MediaType::OciForeignLayer(Compression::Zstd),
        MediaType::OciEmpty,
        MediaType::DockerManifest,
        MediaType::DockerManifestList,
        MediaType::DockerConfig,
        MediaType::DockerLayer(Compression::None),
        MediaType::DockerLayer(Compression::Gzip),
        MediaType::DockerLayer(Compression::Zstd),
        MediaType::DockerForeignLayer,
    ];

    /// Whether this is an image manifest, OCI's or Docker's.
    pub fn is_manifest(&self) -> bool {
        matches!(self, MediaType::OciManifest | MediaType::DockerManifest)
    }

    /// Whether this is an image index or Docker's manifest list.
    pub fn is_index(&self) -> bool {
        matches!(self, MediaType::OciIndex | MediaType::DockerManifestList)
    }

    /// How the tar is compressed, if this is a layer.
    pub fn layer_compression(&self) -> Option<Compression> {
        match self {
            MediaType::OciLayer(compression)
            | MediaType::OciForeignLayer(compression)
            | MediaType::DockerLayer(compression) => Some(*compression),
            MediaType::DockerForeignLayer => Some(Compression::Gzip),
            _ => None,
        }
    }

    /// Whether registries are not expected to hold the blob ("foreign" layers).
    pub fn is_foreign(&self) -> bool {
        matches!(self, MediaType::OciForeignLayer(_) | MediaType::DockerForeignLayer)
    }

    /// The OCI name of a Docker type; every other type is itself.
    ///
    /// The two name the same bytes (image-spec `media-types.md`, "Compatibility Matrix").
    pub fn to_oci(&self) -> MediaType {
        match self {
            MediaType::DockerManifest => MediaType::OciManifest,
            MediaType::DockerManifestList => MediaType::OciIndex,
            MediaType::DockerConfig => MediaType::OciConfig,
            MediaType::DockerLayer(compression) => MediaType::OciLayer(*compression),
            MediaType::DockerForeignLayer => MediaType::OciForeignLayer(Compression::Gzip),
            other => other.clone(),
        }
    }
}

impl From<&str> for MediaType {
    fn from(text: &str) -> Self {
        // RFC 9110, 8.3.1: type names are case-insensitive; parameters are not part of the name.
        let name = text.split(';').next().unwrap_or_default().trim();
        MediaType::KNOWN
            .iter()
            .find(|known| known.as_str().eq_ignore_ascii_case(name))
            .cloned()
            .unwrap_or_else(|| MediaType::Other(name.to_owned()))
    }
}

impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for MediaType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for MediaType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(MediaType::from(String::deserialize(deserializer)?.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_type_reads_back() {
        for known in MediaType::KNOWN {
            assert_eq!(&MediaType::from(known.as_str()), known);
        }
        let with_charset = "application/vnd.oci.image.index.v1+json; charset=utf-8";
        assert_eq!(MediaType::from(with_charset), MediaType::OciIndex);
        assert_eq!(MediaType::from("text/html"), MediaType::Other("text/html".into()));
    }
}
