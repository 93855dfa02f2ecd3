//! Files of the context that Python's requirements name.

use std::sync::Arc;

use context::{Kind, LastComponent, Listed, Listing};
use layer::Content;
use oci::ImagePath;
use python::View;
use recipe::Span;

use crate::ContextName;
use crate::copy::climbs_out;
use crate::error::{PlanError, Step, Stop, together};
use crate::facts::{FileReference, Need};
use crate::outcome::Source;
use crate::stage::StagePlanner;

/// The text of the file at `path`, which `span` or a file that it names asks for.
pub(super) fn text(planner: &mut StagePlanner<'_, '_>, path: &str, span: &Span) -> Step<Arc<str>> {
    let bytes = bytes(planner, path, span)?;
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let message = format!("`{path}` is not UTF-8 text: byte {} is not", error.valid_up_to());
        PlanError::files(span.clone(), message)
    })?;
    Ok(Arc::from(text))
}

/// The same of a file of requirements, which Windows' shell writes as UTF-16.
pub(super) fn requirements_text(
    planner: &mut StagePlanner<'_, '_>,
    path: &str,
    span: &Span,
) -> Step<Arc<str>> {
    let bytes = bytes(planner, path, span)?;
    match python::decode_requirements(bytes) {
        Ok(text) => Ok(Arc::from(text)),
        Err(problem) => {
            let message = format!("{path}:{}: {}", problem.line, problem.message);
            let error = PlanError::files(span.clone(), message);
            Err(match problem.hint {
                Some(hint) => error.with_hint(hint),
                None => error,
            }
            .into())
        }
    }
}

/// The bytes of the file at `path`.
pub(crate) fn bytes<'a>(
    planner: &mut StagePlanner<'a, '_>,
    path: &str,
    span: &Span,
) -> Step<&'a [u8]> {
    let (path, content) = content(planner, path, span)?;
    if content.size > View::LARGEST_TEXT {
        let message = format!("`{path}` is larger than {} MiB", View::LARGEST_TEXT >> 20);
        return Err(PlanError::files(span.clone(), message).into());
    }
    if let Some(bytes) = planner.shared.facts.texts.get(&content.digest) {
        return Ok(bytes);
    }
    let source = Source::Context { context: ContextName::Main, path };
    planner.needs.add(Need::Text(FileReference { content, source }));
    Err(Stop::Needs)
}

/// The content of the file at `path`, and where links lead to.
pub(super) fn content(
    planner: &mut StagePlanner<'_, '_>,
    path: &str,
    span: &Span,
) -> Step<(ImagePath, Content)> {
    refuse_outside(path, span)?;
    let listing = listing(planner, span)?;
    let wanted = ImagePath::lexical(path);
    let Some(listed) = follow(&listing, &wanted) else {
        return Err(absent(planner, &listing, &wanted, span));
    };
    if !matches!(listed.kind, Kind::File { .. }) {
        let message = format!("`{wanted}` of the build context is no file");
        return Err(PlanError::files(span.clone(), message).into());
    }
    let path = listed.path.clone();
    let known = planner.shared.facts.contents.get(&ContextName::Main);
    match known.and_then(|known| known.get(&path)) {
        Some(content) => Ok((path, *content)),
        None => {
            planner.needs.add(Need::Contents(ContextName::Main, vec![path]));
            Err(Stop::Needs)
        }
    }
}

/// The files directly in the directory at `path` that can be installed, by their names in the
/// context, each with its content.
pub(super) fn distributions(
    planner: &mut StagePlanner<'_, '_>,
    path: &str,
    span: &Span,
) -> Step<Vec<(String, Content)>> {
    refuse_outside(path, span)?;
    let listing = listing(planner, span)?;
    let wanted = ImagePath::lexical(path);
    let Some(directory) = directory(&listing, &wanted) else {
        if follow(&listing, &wanted).is_none() {
            return Err(absent(planner, &listing, &wanted, span));
        }
        let message = format!("`{wanted}` of the build context is no directory");
        return Err(PlanError::files(span.clone(), message).into());
    };
    let is_file = |path| follow(&listing, path).is_some_and(|l| l.kind != Kind::Directory);
    let here = listing.below(&directory).iter().filter_map(|listed| {
        let name = listed.path.to_str().filter(|name| is_distribution(name))?;
        let is_here = listed.path.parent().as_ref() == Some(&directory);
        (is_here && is_file(&listed.path)).then_some(name)
    });
    together(here.map(|name| {
        let (_, content) = content(planner, name, span)?;
        Ok((name.to_owned(), content))
    }))
}

/// Whether there is a directory at `path` of the context, as far as that is known.
pub(super) fn is_directory(planner: &StagePlanner<'_, '_>, path: &str) -> bool {
    let listing = planner.shared.facts.listings.get(&ContextName::Main);
    listing.is_some_and(|listing| directory(listing, &ImagePath::lexical(path)).is_some())
}

/// What `path` leads to.
fn follow<'a>(listing: &'a Listing, path: &ImagePath) -> Option<&'a Listed> {
    let found = listing.resolve(path, LastComponent::Follow).ok()?;
    listing.get(&found)
}

/// Where the directory is that `path` leads to.
fn directory(listing: &Listing, path: &ImagePath) -> Option<ImagePath> {
    let found = listing.resolve(path, LastComponent::Follow).ok()?;
    let is_directory =
        found.is_root() || listing.get(&found).is_some_and(|l| l.kind == Kind::Directory);
    is_directory.then_some(found)
}

fn is_distribution(name: &str) -> bool {
    [".whl", ".tar.gz", ".zip"].iter().any(|ending| name.ends_with(ending))
}

fn listing(planner: &mut StagePlanner<'_, '_>, span: &Span) -> Step<Arc<Listing>> {
    match planner.shared.facts.listings.get(&ContextName::Main) {
        Some(listing) => Ok(Arc::clone(listing)),
        None => {
            planner.needs.add(Need::Listing(ContextName::Main, span.clone()));
            Err(Stop::Needs)
        }
    }
}

/// Refuses a path with more `..` than directories to leave.
fn refuse_outside(path: &str, span: &Span) -> Step<()> {
    if !climbs_out(0, path) {
        return Ok(());
    }
    let message = format!("`{path}` is outside of the build context");
    let hint = "build from a directory further up, or put the file into the context";
    Err(PlanError::files(span.clone(), message).with_hint(hint).into())
}

/// Why a path of the context leads to nothing.
fn absent(
    planner: &StagePlanner<'_, '_>,
    listing: &Listing,
    path: &ImagePath,
    span: &Span,
) -> Stop {
    let error = PlanError::files(span.clone(), format!("`{path}` is not in the build context"));
    if let Some((file, patterns)) = &planner.shared.facts.ignore
        && patterns.matches(&path.to_string())
    {
        return error.with_hint(format!("{file} excludes it; an exception is `!{path}`")).into();
    }
    let names = listing.iter().filter_map(|listed| listed.path.to_str());
    match recipe::closest(&path.to_string(), names) {
        Some(meant) => error.with_hint(format!("did you mean `{meant}`?")).into(),
        None => error.into(),
    }
}
