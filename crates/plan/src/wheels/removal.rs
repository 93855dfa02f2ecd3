//! Distributions of the base that others take the place of.

use std::collections::BTreeSet;
use std::sync::Arc;

use layer::{Attributes, Entry, Node};
use oci::ImagePath;
use python::{Distribution, Package, ResolutionRequest};

use super::view;
use crate::error::Step;
use crate::outcome::LayerSpec;
use crate::stage::StagePlanner;

/// A layer in which they are gone, below those of the new ones. Those that say of no file that it
/// is theirs stay, as they do for pip: what is newly installed comes before them on the path.
pub(super) fn lay(
    planner: &mut StagePlanner<'_, '_>,
    request: &ResolutionRequest,
    packages: &[Package],
) -> Step<Option<Arc<LayerSpec>>> {
    let replaced: Vec<&Distribution> = request
        .installed
        .iter()
        .filter(|installed| packages.iter().any(|package| package.name == installed.name))
        .collect();
    let mut gone: BTreeSet<ImagePath> = BTreeSet::new();
    for distribution in &replaced {
        let interpreter = &request.target.interpreter;
        let removal = view(planner, |view| distribution.removal(view, interpreter))?;
        gone.extend(removal.into_iter().flatten());
    }
    let names: Vec<String> = replaced
        .iter()
        .map(|installed| format!("{}=={}", installed.name, installed.version))
        .collect();
    let title = format!("PYTHON without {}", names.join(" "));
    let attributes = Attributes::root(0, 0);
    let whiteout = |path| Entry { path, attributes: attributes.clone(), node: Node::Whiteout };
    let mut entries: Vec<Entry> = gone.into_iter().map(whiteout).collect();
    entries.sort_by(Entry::layer_order);
    Ok(planner.lay(entries, &title))
}
