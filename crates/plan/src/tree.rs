//! A stage's files while it is planned: the base's layers and the new ones, seen as one.

use std::sync::Arc;

use layer::{Content, Entry, Node, NotLoaded, ResolveError, RootFs};
use oci::{ImagePath, Reference};

use crate::BaseImage;
use crate::error::{Step, Stop};
use crate::facts::{Facts, Need, Needs};
use crate::outcome::{LayerSpec, PlannedLayer, Source};
use crate::stages::Shared;

/// The merged view over a stage's layers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tree {
    root: RootFs,
    layers: Vec<PlannedLayer>,
}

/// What stands at a path, and in which layer.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    /// The path, with all links resolved that were asked to be.
    pub(crate) path: ImagePath,
    pub(crate) entry: Entry,
    pub(crate) layer: usize,
}

impl Tree {
    /// The layers of a base image, whose entries may not be known yet.
    pub(crate) fn of_image(image: &BaseImage, reference: &Reference, facts: &Facts) -> Tree {
        let mut tree = Tree::default();
        for (descriptor, diff_id) in image.layers.iter().zip(image.config.diff_ids()) {
            tree.root.push(facts.indexes.get(&diff_id).cloned());
            let (descriptor, image) = (Arc::new(descriptor.clone()), reference.clone());
            tree.layers.push(PlannedLayer::Base { descriptor, diff_id, image });
        }
        tree
    }

    pub(crate) fn push(&mut self, spec: Arc<LayerSpec>) {
        self.root.push(Some(Arc::clone(&spec.entries)));
        self.layers.push(PlannedLayer::New(spec));
    }

    pub(crate) fn into_layers(self) -> Vec<PlannedLayer> {
        self.layers
    }

    /// What stands at `path` itself; links above it are not followed.
    pub(crate) fn lookup(&self, path: &ImagePath, needs: &mut Needs) -> Step<Option<Found>> {
        match self.root.lookup(path) {
            Ok(found) => Ok(found.map(|found| Found {
                path: path.clone(),
                entry: found.entry.clone(),
                layer: found.layer,
            })),
            Err(missing) => Err(self.need(missing, needs)),
        }
    }

    /// What `path` leads to, with every link followed inside of the image; `None` where it leads
    /// nowhere.
    pub(crate) fn find(&self, path: &ImagePath, needs: &mut Needs) -> Step<Option<Found>> {
        match self.root.resolve(path) {
            Ok(resolved) => Ok(resolved.found.map(|found| Found {
                path: resolved.path.clone(),
                entry: found.entry.clone(),
                layer: found.layer,
            })),
            Err(ResolveError::NotLoaded(missing)) => Err(self.need(missing, needs)),
            Err(_) => Ok(None),
        }
    }

    /// Everything below `path`, sorted.
    pub(crate) fn below(&self, path: &ImagePath, needs: &mut Needs) -> Step<Vec<Found>> {
        match self.root.walk(path) {
            Ok(all) => Ok(all
                .into_iter()
                .filter(|(found_at, _)| found_at != path)
                .map(|(path, found)| Found { path, entry: found.entry.clone(), layer: found.layer })
                .collect()),
            Err(missing) => Err(self.need(missing, needs)),
        }
    }

    /// A regular file's content, and where its bytes can be had.
    ///
    /// `None` if it is no file, or a hard link to none.
    pub(crate) fn content(
        &self,
        found: &Found,
        shared: &Shared<'_>,
        needs: &mut Needs,
    ) -> Step<Option<(Content, Source)>> {
        let (path, content, layer) = match &found.entry.node {
            Node::File(content) => (found.path.clone(), *content, found.layer),
            Node::Hardlink(_) => {
                let link = layer::Found { layer: found.layer, entry: &found.entry };
                let original = match self.root.behind_hardlink(link) {
                    Ok(original) => original,
                    Err(ResolveError::NotLoaded(missing)) => return Err(self.need(missing, needs)),
                    Err(_) => None,
                };
                let Some(original) = original else { return Ok(None) };
                let Node::File(content) = original.entry.node else { return Ok(None) };
                (original.entry.path.clone(), content, original.layer)
            }
            _ => return Ok(None),
        };
        let source = match &self.layers[layer] {
            PlannedLayer::Base { descriptor, diff_id, image } => Source::Layer {
                diff_id: *diff_id,
                descriptor: Arc::clone(descriptor),
                image: image.clone(),
                path,
            },
            PlannedLayer::New(_) => match shared.sources.get(&content.digest) {
                Some(source) => source.clone(),
                None => return Ok(None),
            },
        };
        Ok(Some((content, source)))
    }

    fn need(&self, missing: NotLoaded, needs: &mut Needs) -> Stop {
        if let PlannedLayer::Base { descriptor, diff_id, image } = &self.layers[missing.layer] {
            let (descriptor, base) = (descriptor.as_ref().clone(), image.clone());
            needs.add(Need::LayerIndex { diff_id: *diff_id, descriptor, base });
        }
        Stop::Needs
    }
}
