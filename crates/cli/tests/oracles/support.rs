//! What several of these tests do: bases into a registry, images out of it.

use std::path::PathBuf;

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
        umoci::unpack(&unpacked.layout(), "x", &unpacked.bundle())?;
        Ok(unpacked)
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
