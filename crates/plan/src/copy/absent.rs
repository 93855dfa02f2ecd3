//! Why a source of a `COPY` is not to be had: it lies outside, behind a link that leads nowhere,
//! among what the ignore file leaves out, or it is not there; and what was probably meant.

use context::{LastComponent, LinkError};
use oci::ImagePath;
use recipe::{Copy, Rule, Span};

use super::sources::{SourceKind, SourceTree};
use crate::ContextName;
use crate::error::{PlanError, Step};
use crate::stage::StagePlanner;

/// Refuses a path with more `..` than directories to leave.
pub(super) fn refuse_outside(tree: &SourceTree, copy: &Copy, text: &str, span: &Span) -> Step<()> {
    if !climbs_out(0, text) {
        return Ok(());
    }
    let place = place(tree, copy);
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
pub(crate) fn climbs_out(mut depth: usize, path: &str) -> bool {
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
    let place = place(tree, copy);
    if let Some(error) = broken_link(planner, tree, &place, path, span)? {
        return Ok(error);
    }
    let shown = shown(tree, path);
    let mut error = PlanError::files(span.clone(), format!("`{shown}` is not in {place}"));
    if let (SourceTree::Listing(ContextName::Main, _), Some((file, patterns))) =
        (tree, &planner.shared.facts.ignore)
        && patterns.matches(&path.to_string())
    {
        error.diagnostic.rule = Some(Rule::CopyIgnoredFile);
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
    let names: Vec<&str> = all.iter().filter_map(|entry| entry.path().to_str()).collect();
    if let Some(name) = meant(&path.to_string(), &names) {
        let meant = shown(tree, &ImagePath::lexical(name));
        return Ok(Some(format!("did you mean `{meant}`?")));
    }
    let mut paths = all.iter().map(super::sources::SourceEntry::path);
    let elsewhere = paths.find(|other| other.file_name() == path.file_name());
    Ok(elsewhere.map(|other| format!("there is `{}`", shown(tree, other))))
}

/// The name that was probably meant: in other letters, or mistyped.
fn meant<'a>(path: &str, names: &[&'a str]) -> Option<&'a str> {
    let other_case = names.iter().find(|name| name.eq_ignore_ascii_case(path)).copied();
    // A slip changes two characters at most, and what completes a name is not much longer; to
    // compare the rest would only take time.
    let near = |name: &&&str| name.len().abs_diff(path.len()) <= 8;
    other_case.or_else(|| recipe::closest(path, names.iter().filter(near).copied()))
}

/// What is copied from.
pub(super) fn place(tree: &SourceTree, copy: &Copy) -> String {
    match (tree, &copy.from) {
        (SourceTree::Listing(name, _), _) => name.to_string(),
        (SourceTree::Tree(_), Some(from)) => format!("`{}`", from.text),
        (SourceTree::Tree(_), None) => "the image".to_owned(),
    }
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
        let found = tree.find(step, LastComponent::Keep, planner.needs)?;
        let Some(SourceKind::Symlink(target)) = found.map(|entry| entry.kind()) else { continue };
        let target = String::from_utf8_lossy(target);
        let depth = step.components().count().saturating_sub(1);
        let leaves = target.starts_with('/') || climbs_out(depth, &target);
        let error = |problem: &str| {
            let link = format!("`{}` is a link to `{target}`", shown(tree, step));
            PlanError::files(span.clone(), format!("{link}, {problem}"))
        };
        let resolved = tree.find(step, LastComponent::Follow, planner.needs)?.is_some();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_were_meant() {
        let names = ["setup.py", "requirements.txt", "App", "src/main.py"];
        let check = |typed: &str, expected| assert_eq!(meant(typed, &names), expected, "{typed}");
        check("requirments.txt", Some("requirements.txt"));
        check("app", Some("App"));
        check("main.py", None);
        check("nothing-like-it", None);
    }
}
