//! What lines find outside of the image: made-up bytes, and package managers that are content.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::Arc;

use bstr::ByteSlice;
use layer::{Attributes, Content, Entry, LayerIndex, Node};
use oci::ImagePath;
use shell::{Fetched, Origin, Outside, Process, Stop, Stored};

use super::image::Images;
use super::packages;

/// What every URL gives: a word, since that is what a version is, and neither script nor archive.
pub const DOWNLOAD: &str = "made-up\n";

/// The made-up world, and what was asked of it.
pub struct MadeUp<'a> {
    images: &'a Images,
    archive: Arc<LayerIndex>,
    installed: RefCell<Installed>,
}

/// Which installations there were.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Installed {
    /// By package managers of distributions.
    pub managers: BTreeSet<&'static str>,
    /// By pip.
    pub by_pip: bool,
}

impl<'a> MadeUp<'a> {
    /// Nothing asked yet.
    pub fn new(images: &'a Images) -> Self {
        MadeUp { images, archive: Arc::new(archive()), installed: RefCell::default() }
    }

    /// What was installed.
    pub fn installed(&self) -> Installed {
        self.installed.borrow().clone()
    }
}

/// What is in every archive: something, since nobody knows what.
fn archive() -> LayerIndex {
    let entry = |path: &str, mode, node| Entry {
        path: ImagePath::lexical(path),
        attributes: Attributes::root(mode, 0),
        node,
    };
    LayerIndex::from_entries(vec![
        entry("made-up", 0o755, Node::Directory),
        entry("made-up/file", 0o644, Node::File(Content::of(DOWNLOAD.as_bytes()))),
    ])
}

impl Outside for MadeUp<'_> {
    fn bytes(&self, stored: &Stored) -> Result<Arc<[u8]>, Stop> {
        let known = self.images.bytes.get(&stored.content.digest).cloned();
        Ok(known.unwrap_or_else(|| Arc::from(DOWNLOAD.as_bytes())))
    }

    fn archive(&self, stored: &Stored) -> Result<Option<Arc<LayerIndex>>, Stop> {
        let is_fetched = matches!(*stored.origin, Origin::Download { .. });
        Ok(is_fetched.then(|| Arc::clone(&self.archive)))
    }

    fn download(&self, _url: &str) -> Result<Fetched, Stop> {
        Ok(Fetched::Content(Content::of(DOWNLOAD.as_bytes())))
    }

    fn program(&self, process: &mut Process<'_, '_>) -> Option<Result<u8, Stop>> {
        let name = process.name().to_str().ok()?.to_owned();
        if let Some(manager) = packages::MANAGERS.iter().find(|manager| **manager == name) {
            self.installed.borrow_mut().managers.insert(manager);
            return Some(Ok(0));
        }
        packages::PYTHON.iter().find(|other| **other == name)?;
        Some(match packages::understood(&name, process.arguments()) {
            Ok(()) => {
                self.installed.borrow_mut().by_pip = true;
                Ok(0)
            }
            Err((command, reason)) => Err(Stop::refuse(command, reason)),
        })
    }
}
