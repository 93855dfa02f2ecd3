//! Which files a source of a `COPY` means: a path, or a pattern.

use oci::ImagePath;
use recipe::{Copy, Diagnostic, IgnorePatterns, Severity, Wildcard, Word};

use super::absent;
use super::sources::{SourceEntry, SourceNode, SourceTree};
use crate::error::{PlanError, Step};
use crate::stage::StagePlanner;

/// A file or directory that a source means.
#[derive(Debug)]
pub(crate) struct Selected {
    /// The entry, with links followed.
    pub(crate) entry: SourceEntry,
    /// The name it was found by: a link's own name.
    pub(crate) name: Vec<u8>,
    /// For `--parents`: the path to keep below the destination.
    pub(crate) parents: Option<ImagePath>,
}

impl Selected {
    pub(crate) fn is_directory(&self) -> bool {
        matches!(self.entry.node, SourceNode::Directory)
    }
}

/// Finds what `word` means in `tree`.
pub(crate) fn select(
    planner: &mut StagePlanner<'_, '_>,
    tree: &SourceTree,
    copy: &Copy,
    word: &Word,
) -> Step<Vec<Selected>> {
    let text = planner.expand(word)?;
    if text.is_empty() {
        return Err(PlanError::recipe(word.span.clone(), "the source is empty").into());
    }
    absent::refuse_outside(planner, tree, copy, &text, &word.span)?;
    let found = if Wildcard::has_meta(&text) {
        matching(planner, tree, copy, &text, word)?
    } else {
        // A backslash takes a wildcard's meaning away.
        let literal = ImagePath::lexical(text.replace('\\', ""));
        vec![literal]
    };
    let kept = copy.parents.then(|| pivot_depth(&text));
    let mut selected = Vec::new();
    for path in found {
        let Some(entry) = tree.resolve(&path, planner.needs)? else {
            return Err(absent::missing(planner, tree, copy, &path, &word.span)?.into());
        };
        let parents = kept.map(|depth| {
            let parts: Vec<&[u8]> = path.components().skip(depth).collect();
            ImagePath::lexical(parts.join(&b'/').as_slice())
        });
        let name = path.file_name().unwrap_or_default().to_vec();
        selected.push(Selected { entry, name, parents });
    }
    if selected.is_empty() {
        planner.shared.warnings.push(Diagnostic {
            severity: Severity::Warning,
            rule: None,
            message: format!("`{text}` matches nothing, and nothing is copied"),
            span: word.span.clone(),
            hint: None,
        });
    }
    Ok(selected)
}

/// `--parents` keeps what comes after `/./` (Docker's reference, "COPY --parents").
fn pivot_depth(text: &str) -> usize {
    match text.find("/./") {
        Some(at) => ImagePath::lexical(&text[..at]).components().count(),
        None => 0,
    }
}

/// The paths that a pattern matches, sorted.
fn matching(
    planner: &mut StagePlanner<'_, '_>,
    tree: &SourceTree,
    copy: &Copy,
    text: &str,
    word: &Word,
) -> Step<Vec<ImagePath>> {
    let cleaned: Vec<&str> =
        text.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    let plain = cleaned.iter().take_while(|part| !Wildcard::has_meta(part)).count();
    let directory = ImagePath::lexical(cleaned[..plain].join("/"));
    let pattern = cleaned[plain..].join("/");
    // `**` means any number of directories with `--parents` only (Docker's reference).
    let wildcard =
        if copy.parents { Wildcard::recursive(&pattern) } else { Wildcard::new(&pattern) };
    let wildcard = wildcard.map_err(|error| {
        PlanError::recipe(word.span.clone(), format!("pattern `{text}`: {error}"))
    })?;
    let Some(found) = tree.resolve(&directory, planner.needs)? else { return Ok(Vec::new()) };
    let below = tree.below(&found.path, planner.needs)?;
    let relative = |entry: &SourceEntry| {
        String::from_utf8_lossy(entry.path.strip_prefix(&found.path).unwrap_or_default())
            .into_owned()
    };
    let matched = below.iter().map(relative).filter(|relative| wildcard.matches(relative));
    Ok(matched.map(|relative| directory.join(relative)).collect())
}

/// Whether `--exclude` keeps out an entry below `root`.
pub(crate) fn is_excluded(
    entry: &SourceEntry,
    root: &ImagePath,
    patterns: &IgnorePatterns,
) -> bool {
    let relative = entry.path.strip_prefix(root).unwrap_or_default();
    !patterns.is_empty() && patterns.matches(&String::from_utf8_lossy(relative))
}
