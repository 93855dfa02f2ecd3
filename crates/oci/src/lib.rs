//! The vocabulary of OCI images: digests, descriptors, platforms, references, manifests, configs.
//!
//! Every other crate speaks in these types. They parse what registries and people write, refuse
//! what the specifications refuse, and serialise to bytes that depend on their values alone.
//! Documents that others wrote (a base's manifest, its config) keep their exact bytes and every
//! field that this crate does not know.
//!
//! This crate does not touch files or the network.

mod config;
mod descriptor;
mod digest;
pub mod json;
mod manifest;
mod media_type;
mod path;
mod platform;
mod reference;

pub use config::{ConfigError, Healthcheck, History, ImageConfig};
pub use descriptor::Descriptor;
pub use digest::{Algorithm, DiffId, Digest, DigestError, Digester};
pub use manifest::{
    EMPTY_DESCRIPTOR_BYTES, ImageIndex, ImageManifest, MAX_MANIFEST_BYTES, Manifest, ManifestError,
};
pub use media_type::{Compression, MediaType};
pub use path::{ImagePath, PathError};
pub use platform::{Platform, PlatformError};
pub use reference::{Reference, ReferenceError, RepositoryName, Tag};
