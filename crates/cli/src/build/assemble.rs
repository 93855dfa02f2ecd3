//! Layers and config to an image.

use std::collections::BTreeMap;

use image::{Image, Layer};
use oci::Platform;
use plan::PlannedStage;

use super::error::BuildError;
use crate::error::Error;
use crate::flags::{Annotation, AnnotationScope};

/// What the OCI annotations specification calls the base.
const BASE_NAME: &str = "org.opencontainers.image.base.name";
const BASE_DIGEST: &str = "org.opencontainers.image.base.digest";

/// Assembles the image of one platform.
pub(super) fn assemble(
    stage: &PlannedStage,
    layers: &[Layer],
    created: &str,
    annotations: BTreeMap<String, String>,
) -> Result<Image, Error> {
    let mut config = stage.config.clone();
    config.set_created(created);
    let image = Image::assemble(config, layers, &stage.history, annotations);
    Ok(image.map_err(BuildError::from)?)
}

/// The annotations of one platform's manifest: what it is based on, and what was asked for.
pub(super) fn manifest_annotations(
    stage: &PlannedStage,
    platform: &Platform,
    asked: &[Annotation],
) -> BTreeMap<String, String> {
    let mut annotations = BTreeMap::new();
    if let Some((reference, target)) = &stage.base {
        // A digest in the reference says nothing that the other annotation does not.
        let name = match reference.tag() {
            Some(tag) => reference.with_tag(tag.clone()).to_string(),
            None => reference.repository().to_string(),
        };
        annotations.insert(BASE_NAME.to_owned(), name);
        annotations.insert(BASE_DIGEST.to_owned(), target.digest.to_string());
    }
    annotations.extend(self::asked(platform, asked));
    annotations
}

/// The annotations that were asked for, of one platform's manifest.
pub(super) fn asked(platform: &Platform, asked: &[Annotation]) -> BTreeMap<String, String> {
    scoped(asked, |scope| match scope {
        AnnotationScope::Manifest(None) => true,
        AnnotationScope::Manifest(Some(wanted)) => platform.satisfies(wanted),
        _ => false,
    })
}

/// The annotations whose scope `fits`.
pub(super) fn scoped(
    asked: &[Annotation],
    fits: impl Fn(&AnnotationScope) -> bool,
) -> BTreeMap<String, String> {
    let chosen = asked.iter().filter(|annotation| annotation.scopes.iter().any(&fits));
    chosen.map(|annotation| (annotation.key.clone(), annotation.value.clone())).collect()
}
