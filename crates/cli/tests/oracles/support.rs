//! What several of these tests do: bases into a registry, images out of it.

use std::fs::File;
use std::path::PathBuf;

use oci::Manifest;
use tempfile::TempDir;
use testbed::{Plywood, Registry, Result, Skopeo, Tree, base, umoci};

/// The binary under test, with a home and a store of its own.
pub(crate) fn plywood() -> Result<Plywood> {
    Plywood::new(env!("CARGO_BIN_EXE_plywood"))
}

/// Pushes the base image in the layout that `layout` gives as `name`; gives its reference.
pub(crate) fn push_base(registry: &Registry, layout: PathBuf, name: &str) -> Result<String> {
    let source = format!("oci:{}:{}", layout.display(), base::TAG);
    Skopeo::copy(&source, &registry.place(name))?;
    Ok(registry.reference(name))
}

/// An image as an OCI layout and as what umoci unpacks it to.
pub(crate) struct Unpacked {
    directory: TempDir,
}

impl Unpacked {
    /// Copies the image at `place` (in skopeo's notation) and unpacks it.
    pub(crate) fn of(place: &str) -> Result<Self> {
        let directory = tempfile::Builder::new().prefix("unpacked-").tempdir().unwrap();
        let unpacked = Unpacked { directory };
        Skopeo::copy_to_layout(place, &unpacked.layout(), "x")?;
        unpacked.validate();
        umoci::unpack(&unpacked.layout(), "x", &unpacked.bundle())?;
        Ok(unpacked)
    }

    /// Recomputes every digest, size, diff id and count that the image claims.
    fn validate(&self) {
        let open = |digest: &oci::Digest| {
            File::open(self.layout().join("blobs").join("sha256").join(digest.hex()))
        };
        let index = std::fs::read(self.layout().join("index.json")).unwrap();
        let Manifest::Index(index) = Manifest::parse(index, None).unwrap() else {
            panic!("a layout's index.json is an index");
        };
        for listed in index.manifests() {
            let bytes = std::io::read_to_string(open(&listed.digest).unwrap()).unwrap();
            let manifest = Manifest::parse(bytes.into_bytes(), Some(&listed.media_type)).unwrap();
            if let Manifest::Image(manifest) = manifest {
                image::validate(&manifest, |blob| open(&blob.digest)).unwrap();
            }
        }
    }

    /// Where the OCI layout is.
    pub(crate) fn layout(&self) -> PathBuf {
        self.directory.path().join("layout")
    }

    /// Where the runtime bundle is.
    pub(crate) fn bundle(&self) -> PathBuf {
        self.directory.path().join("bundle")
    }

    /// The image's file tree.
    pub(crate) fn tree(&self) -> Result<Tree> {
        Tree::read(&self.bundle().join("rootfs"))
    }
}
