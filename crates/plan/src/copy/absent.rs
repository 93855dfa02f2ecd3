//! Why a source of a `COPY` is not to be had: it lies outside, behind a link that leads nowhere,
//! among what the ignore file leaves out, or it is not there; and what was probably meant.

use context::{LastComponent, LinkError};
use oci::ImagePath;
use recipe::{Copy, Span};

use super::sources::{SourceNode, SourceTree};
use crate::ContextName;
use crate::checks;
use crate::error::{PlanError, Step};
use crate::stage::StagePlanner;

/// The most names that are compared when a missing file's name is guessed.
const MAX_GUESSES: usize = 20_000;

/// Refuses a path with more `..` than directories to leave.
pub(super) fn refuse_outside(
    planner: &mut StagePlanner<'_, '_>,
    tree: &SourceTree,
    copy: &Copy,
    text: &str,
    span: &Span,
) -> Step<()> {
    if !climbs_out(0, text) {
        return Ok(());
    }
    let place = place(planner, tree, copy)?;
    let error = PlanError::files(span.clone(), format!("`{text}` is outside of {place}"));
    Err(error
        .with_hint(match tree {
            SourceTree::Listing(..) => {
                "build from a directory further up, or name the other directory with \
                 --build-context NAME=DIR and COPY --from=NAME"
            }
            SourceTree::Tree(_) => "paths in an image start at its root",
        })
        .into())
}

/// Whether `path`, seen from a directory that is `depth` below the root, leaves the root.
fn climbs_out(mut depth: usize, path: &str) -> bool {
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if depth == 0 => return true,
            ".." => depth -= 1,
            _ => depth += 1,
        }
    }
    false
}

/// Why `path` leads to nothing.
pub(super) fn missing(
    planner: &mut StagePlanner<'_, '_>,
    tree: &SourceTree,
    copy: &Copy,
    path: &ImagePath,
    span: &Span,
) -> Step<PlanError> {
    let place = place(planner, tree, copy)?;
    if let Some(error) = broken_link(planner, tree, &place, path, span)? {
        return Ok(error);
    }
    let shown = shown(tree, path);
    let error = PlanError::files(span.clone(), format!("`{shown}` is not in {place}"));
    if let (SourceTree::Listing(ContextName::Main, _), Some((file, patterns))) =
        (tree, &planner.shared.facts.ignore)
        && patterns.matches(&path.to_string())
    {
        return Ok(error.with_hint(format!("{file} excludes it; an exception is `!{path}`")));
    }
    Ok(match probably_meant(planner, tree, path)? {
        Some(hint) => error.with_hint(hint),
        None => error,
    })
}

/// The name that is closest, or a file of this name in another directory.
fn probably_meant(
    planner: &mut StagePlanner<'_, '_>,
    tree: &SourceTree,
    path: &ImagePath,
) -> Step<Option<String>> {
    let all = tree.below(&ImagePath::root(), planner.needs)?;
    let paths = || all.iter().take(MAX_GUESSES).map(|entry| &entry.path);
    let names: Vec<String> = paths().map(ImagePath::to_string).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    if let Some(name) = checks::closest(&path.to_string(), &names) {
        let meant = shown(tree, &ImagePath::lexical(name));
        return Ok(Some(format!("did you mean `{meant}`?")));
    }
    let elsewhere = paths().find(|other| other.file_name() == path.file_name());
    Ok(elsewhere.map(|other| format!("there is `{}`", shown(tree, other))))
}

/// What is copied from.
fn place(planner: &mut StagePlanner<'_, '_>, tree: &SourceTree, copy: &Copy) -> Step<String> {
    Ok(match (tree, &copy.from) {
        (SourceTree::Listing(name, _), _) => name.to_string(),
        (SourceTree::Tree(_), Some(from)) => format!("`{}`", planner.expand(from)?),
        (SourceTree::Tree(_), None) => "the image".to_owned(),
    })
}

/// A path as it is written: relative in a context, absolute in an image.
fn shown(tree: &SourceTree, path: &ImagePath) -> String {
    match tree {
        SourceTree::Listing(..) => path.to_string(),
        SourceTree::Tree(_) => format!("/{path}"),
    }
}

/// A link on the way that leads nowhere, or out.
fn broken_link(
    planner: &mut StagePlanner<'_, '_>,
    tree: &SourceTree,
    place: &str,
    path: &ImagePath,
    span: &Span,
) -> Step<Option<PlanError>> {
    let mut on_the_way: Vec<ImagePath> = path.ancestors().collect();
    on_the_way.insert(0, path.clone());
    for step in on_the_way.iter().rev() {
        let Some(entry) = tree.find(step, planner.needs)? else { continue };
        let SourceNode::Symlink(target) = &entry.node else { continue };
        let target = String::from_utf8_lossy(target);
        let depth = step.components().count().saturating_sub(1);
        let leaves = target.starts_with('/') || climbs_out(depth, &target);
        let error = |problem: &str| {
            let link = format!("`{}` is a link to `{target}`", shown(tree, step));
            PlanError::files(span.clone(), format!("{link}, {problem}"))
        };
        let resolved = tree.resolve(step, planner.needs)?.is_some();
        let found = match tree {
            SourceTree::Listing(_, listing) => {
                let is_loop = matches!(
                    listing.resolve(step, LastComponent::Follow),
                    Err(LinkError::Loop { .. })
                );
                match (leaves, is_loop, resolved) {
                    (false, true, _) => error("which leads back to itself"),
                    (true, ..) => error(&format!("which is outside of {place}")).with_hint(
                        "links are followed inside of the context only: copy what this one leads \
                         to into the context",
                    ),
                    (false, false, false) => error("which is not there"),
                    (false, false, true) => continue,
                }
            }
            SourceTree::Tree(_) if resolved => continue,
            SourceTree::Tree(_) => error(&format!("which leads nowhere in {place}")),
        };
        return Ok(Some(found));
    }
    Ok(None)
}
