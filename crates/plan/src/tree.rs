//! A stage's files while it is planned: the base's layers and the new ones, seen as one.

use std::collections::HashMap;
use std::sync::Arc;

use layer::{Content, Found, Node, NotLoaded, ResolveError, RootFs};
use oci::{Digest, ImagePath, Reference};

use crate::BaseImage;
use crate::error::{Step, Stop};
use crate::facts::{Facts, FileReference, Need, Needs};
use crate::outcome::{Holder, LayerSpec, PlannedLayer, Source};
use crate::record::{Packed, RecalledLayer, StepKey};

/// The merged view over a stage's layers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tree {
    root: RootFs,
    /// One for each layer of `root`; `None` for one that cannot be planned before more is known.
    layers: Vec<Option<PlannedLayer>>,
    executed: bool,
}

impl Tree {
    /// The layers of a base image, whose entries may not be known yet.
    pub(crate) fn of_image(image: &BaseImage, reference: &Reference, facts: &Facts) -> Tree {
        let mut tree = Tree::default();
        for (descriptor, diff_id) in image.layers.iter().zip(image.config.diff_ids()) {
            tree.root.push(facts.indexes.get(&diff_id).cloned());
            let (descriptor, image) = (Arc::new(descriptor.clone()), reference.clone());
            tree.layers.push(Some(PlannedLayer::Base { descriptor, diff_id, image }));
        }
        tree
    }

    pub(crate) fn push(&mut self, spec: Arc<LayerSpec>) {
        self.root.push(Some(Arc::clone(&spec.entries)));
        self.layers.push(Some(PlannedLayer::New(spec)));
    }

    /// A layer that is on record, whose entries may not be known yet.
    pub(crate) fn push_recalled(&mut self, layer: RecalledLayer, step: StepKey, facts: &Facts) {
        let index = layer.packed.as_ref().and_then(|packed| facts.indexes.get(&packed.diff_id));
        self.root.push(index.cloned());
        self.layers.push(Some(PlannedLayer::Recalled(Box::new(layer), step)));
    }

    /// What names each layer, lowest first: so two trees with the same names hold the same. `None`
    /// if something of the tree is not known.
    pub(crate) fn identity(&self) -> Option<Vec<Digest>> {
        if self.executed {
            return None;
        }
        let names = self.layers.iter().map(|layer| match layer.as_ref()? {
            PlannedLayer::Base { diff_id, .. } => Some(diff_id.0),
            PlannedLayer::New(spec) => Some(spec.key.0),
            PlannedLayer::Recalled(layer, _) => Some(layer.key.0),
        });
        names.collect()
    }

    /// A layer of which nothing is known in this round. Whoever asks for what it may hold waits
    /// for the next one, and does not ask the layers below for what it may turn out to answer.
    pub(crate) fn push_unknown(&mut self) {
        self.root.push(None);
        self.layers.push(None);
    }

    /// Whether there is a layer of which nothing is known in this round.
    pub(crate) fn has_unknown(&self) -> bool {
        self.layers.iter().any(Option::is_none)
    }

    /// From here on a `RUN` may have changed anything.
    pub(crate) fn execute(&mut self) {
        self.executed = true;
    }

    /// Whether a `RUN` may have changed anything.
    pub(crate) fn is_executed(&self) -> bool {
        self.executed
    }

    pub(crate) fn into_layers(self) -> Vec<PlannedLayer> {
        self.layers.into_iter().flatten().collect()
    }

    /// All layers as one file system.
    pub(crate) fn root(&self) -> &RootFs {
        &self.root
    }

    /// How many layers there are.
    pub(crate) fn depth(&self) -> usize {
        self.layers.len()
    }

    /// Asks for what a question about [`Tree::root`] misses.
    pub(crate) fn need_missing(
        &self,
        missing: python::Missing,
        sources: &HashMap<Digest, Source>,
        needs: &mut Needs,
    ) {
        match missing {
            python::Missing::Layer(missing) => drop(self.need(missing, needs)),
            python::Missing::Text { layer, path, content } => {
                if let Some(source) = self.source_in(layer, &content, path, sources) {
                    needs.add(Need::Text(FileReference { content, source }));
                }
            }
        }
    }

    /// What stands at `path` itself; links above it are not followed.
    pub(crate) fn lookup(&self, path: &ImagePath, needs: &mut Needs) -> Step<Option<Found<'_>>> {
        self.root.lookup(path).map_err(|missing| self.need(missing, needs))
    }

    /// Where `path` leads with every link followed inside of the image, and what stands there;
    /// `None` where it leads nowhere.
    pub(crate) fn follow(
        &self,
        path: &ImagePath,
        needs: &mut Needs,
    ) -> Step<Option<(ImagePath, Found<'_>)>> {
        self.settle(self.root.resolve(path), needs)
    }

    /// As [`Tree::follow`], with a link in the last component kept.
    pub(crate) fn follow_parent(
        &self,
        path: &ImagePath,
        needs: &mut Needs,
    ) -> Step<Option<(ImagePath, Found<'_>)>> {
        self.settle(self.root.resolve_parent(path), needs)
    }

    fn settle<'a>(
        &self,
        resolved: Result<layer::Resolved<'a>, ResolveError>,
        needs: &mut Needs,
    ) -> Step<Option<(ImagePath, Found<'a>)>> {
        match resolved {
            Ok(resolved) => Ok(resolved.found.map(|found| (resolved.path, found))),
            Err(ResolveError::NotLoaded(missing)) => Err(self.need(missing, needs)),
            Err(ResolveError::Loop(_) | ResolveError::NotADirectory { .. }) => Ok(None),
        }
    }

    /// Everything below the directory `path`, each directory before what it holds.
    pub(crate) fn below(
        &self,
        path: &ImagePath,
        needs: &mut Needs,
    ) -> Step<Vec<(ImagePath, Found<'_>)>> {
        let mut all = self.root.walk(path).map_err(|missing| self.need(missing, needs))?;
        if !all.is_empty() {
            all.remove(0);
        }
        Ok(all)
    }

    /// The file that holds the bytes of the file or hard link `found`, or `None` if there is none.
    pub(crate) fn file<'a>(
        &'a self,
        found: Found<'a>,
        needs: &mut Needs,
    ) -> Step<Option<(Content, Found<'a>)>> {
        let original = match self.root.behind_hardlink(found) {
            Ok(original) => original,
            Err(ResolveError::NotLoaded(missing)) => return Err(self.need(missing, needs)),
            Err(ResolveError::Loop(_) | ResolveError::NotADirectory { .. }) => None,
        };
        Ok(original.and_then(|original| match original.entry.node {
            Node::File(content) => Some((content, original)),
            _ => None,
        }))
    }

    /// Where the bytes of a file of this tree can be had.
    pub(crate) fn source(
        &self,
        content: &Content,
        file: Found<'_>,
        sources: &HashMap<Digest, Source>,
    ) -> Option<Source> {
        self.source_in(file.layer, content, file.entry.path.clone(), sources)
    }

    /// Where the bytes of a file of layer `layer` can be had.
    pub(crate) fn source_in(
        &self,
        layer: usize,
        content: &Content,
        path: ImagePath,
        sources: &HashMap<Digest, Source>,
    ) -> Option<Source> {
        match self.layers.get(layer)?.as_ref()? {
            PlannedLayer::Base { descriptor, diff_id, image } => Some(Source::Layer {
                diff_id: *diff_id,
                descriptor: Arc::clone(descriptor),
                holder: Holder::Image(image.clone()),
                path,
            }),
            PlannedLayer::New(_) => sources.get(&content.digest).cloned(),
            PlannedLayer::Recalled(layer, _) => {
                let packed = layer.packed.as_ref()?;
                Some(Source::Layer {
                    diff_id: packed.diff_id,
                    descriptor: Arc::new(packed.descriptor.clone()),
                    holder: Holder::Build,
                    path,
                })
            }
        }
    }

    fn need(&self, missing: NotLoaded, needs: &mut Needs) -> Stop {
        match self.layers.get(missing.layer) {
            Some(Some(PlannedLayer::Base { descriptor, diff_id, image })) => {
                let (descriptor, holder) =
                    (descriptor.as_ref().clone(), Holder::Image(image.clone()));
                needs.add(Need::LayerIndex { diff_id: *diff_id, descriptor, holder });
            }
            Some(Some(PlannedLayer::Recalled(layer, step))) => {
                needs.add(match &layer.packed {
                    Some(Packed { descriptor, diff_id }) => Need::LayerIndex {
                        diff_id: *diff_id,
                        descriptor: descriptor.clone(),
                        holder: Holder::Build,
                    },
                    None => Need::Evaluation(*step),
                });
            }
            _ => {}
        }
        Stop::Needs
    }
}
