//! What a planned image shares with the one that stands where it is to go: how much a node pulls that
//! has the earlier one.

use std::collections::BTreeSet;

use oci::{Descriptor, Digest, Manifest, Reference};
use plan::{Plan, PlannedLayer};
use serde_json::{Value, json};

use super::lay;
use crate::error::Error;
use crate::flags::{BuildArguments, Output};
use crate::session::Session;
use crate::units;

/// What an image that is planned and one that is there have in common.
pub(super) struct Sharing {
    /// The image that is there.
    name: Reference,
    layers: usize,
    shared: usize,
    /// Bytes of the layers that are not shared and exist.
    known: u64,
    /// How many are still to be built, and the bytes of file content in them.
    unbuilt: usize,
    content: u64,
}

/// Compares a plan with what stands under each name that it is to be pushed to.
pub(super) fn with_pushed(
    session: &Session,
    arguments: &BuildArguments,
    plan: &Plan,
) -> Result<Vec<Sharing>, Error> {
    let names = arguments.outputs.iter().filter_map(|output| match output {
        Output::Registry(names) => Some(names),
        _ => None,
    });
    let mut all = Vec::new();
    for name in names.flatten() {
        if let Some(there) = layers_of(session, name, plan)? {
            all.push(compare(session, arguments, plan, name, &there)?);
        }
    }
    Ok(all)
}

/// The layers of the image that a name stands for, if there is one for the plan's platform.
fn layers_of(
    session: &Session,
    name: &Reference,
    plan: &Plan,
) -> Result<Option<BTreeSet<Digest>>, Error> {
    let Some(tag) = name.tag() else { return Ok(None) };
    let (client, repository) = (session.client()?, name.repository());
    let read = |digest: Option<Digest>| {
        session.block_on(async {
            let found = match digest {
                Some(digest) => client.manifest(repository, digest).await,
                None => client.manifest(repository, tag.clone()).await,
            };
            Ok(found)
        })
    };
    let mut found = read(None)?;
    if let Ok(Manifest::Index(index)) = &found
        && let Some(chosen) = index.select(&plan.platform)
    {
        found = read(Some(chosen.digest))?;
    }
    Ok(match found {
        Ok(Manifest::Image(image)) => {
            Some(image.layers().iter().map(|layer| layer.digest).collect())
        }
        // Nothing is there, or nobody may look: a plan is made all the same.
        Ok(Manifest::Index(_)) | Err(_) => None,
    })
}

fn compare(
    session: &Session,
    arguments: &BuildArguments,
    plan: &Plan,
    name: &Reference,
    there: &BTreeSet<Digest>,
) -> Result<Sharing, Error> {
    let layers = &plan.target().layers;
    let name = name.clone();
    let mut sharing =
        Sharing { name, layers: layers.len(), shared: 0, known: 0, unbuilt: 0, content: 0 };
    let mut existing = |layer: &Descriptor| match there.contains(&layer.digest) {
        true => sharing.shared += 1,
        false => sharing.known += layer.size,
    };
    let mut unbuilt = Vec::new();
    for layer in layers {
        match layer {
            PlannedLayer::Base { descriptor, .. } => existing(descriptor),
            PlannedLayer::Recalled(layer, _) => {
                layer.packed.iter().for_each(|packed| existing(&packed.descriptor));
            }
            PlannedLayer::New(spec) => {
                match lay::cached(session.store()?, spec, arguments.cache)? {
                    Some(layer) => existing(&layer.descriptor),
                    None => unbuilt.push(spec.content_bytes()),
                }
            }
        }
    }
    (sharing.unbuilt, sharing.content) = (unbuilt.len(), unbuilt.iter().sum());
    Ok(sharing)
}

impl Sharing {
    /// In words.
    pub(super) fn line(&self) -> String {
        let Sharing { name, layers, shared, known, unbuilt, content } = self;
        let mut line = format!(
            "{shared} of {layers} layers are those of {}; a node that has it pulls {}",
            name.familiar(),
            units::size(*known)
        );
        if *unbuilt > 0 {
            let (plural, content) = (if *unbuilt == 1 { "" } else { "s" }, units::size(*content));
            line.push_str(&format!(
                ", and {unbuilt} layer{plural} still to be built, of {content} before compression"
            ));
        }
        line
    }

    /// For programs.
    pub(super) fn json(&self) -> Value {
        json!({
            "name": self.name.to_string(),
            "layers": self.layers,
            "shared": self.shared,
            "bytes": self.known,
            "unbuilt": { "layers": self.unbuilt, "content": self.content },
        })
    }
}
