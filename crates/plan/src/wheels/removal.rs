//! Distributions of the base that others take the place of.

use std::collections::BTreeSet;
use std::sync::Arc;

use layer::Attributes;
use oci::ImagePath;
use python::{Distribution, Package, ResolutionRequest};
use recipe::Span;

use super::title::title;
use super::view;
use crate::error::Step;
use crate::laying::Laying;
use crate::outcome::LayerSpec;
use crate::stage::StagePlanner;

/// A layer in which they are gone, below those of the new ones. Those that say of no file that it
/// is theirs stay, as they do for pip: what is newly installed comes before them on the path.
pub(super) fn lay(
    planner: &mut StagePlanner<'_, '_>,
    request: &ResolutionRequest,
    packages: &[Package],
    span: &Span,
) -> Step<Option<Arc<LayerSpec>>> {
    let interpreter = &request.target.interpreter;
    let is_replaced =
        |installed: &&Distribution| packages.iter().any(|package| package.name == installed.name);
    let mut gone: BTreeSet<ImagePath> = BTreeSet::new();
    let mut pins = Vec::new();
    for replaced in request.installed.iter().filter(is_replaced) {
        if let Some(paths) = view(planner, |view| replaced.removal(view, interpreter))? {
            gone.extend(paths);
            pins.push(format!("{}=={}", replaced.name, replaced.version));
        }
    }
    let below = Some(planner.state.tree.clone());
    let mut laying = Laying::new(below, Attributes::root(0o755, 0), span.clone());
    for path in &gone {
        laying.remove(path, planner.needs)?;
    }
    Ok(planner.lay(laying.finish(), &title("PYTHON without", &pins)))
}
