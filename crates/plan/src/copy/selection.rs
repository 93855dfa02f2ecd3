//! Which files a source of a `COPY` means: a path, or a pattern.

use oci::ImagePath;
use recipe::{Copy, Diagnostic, IgnorePatterns, Severity, Span, Wildcard, Word};

use super::sources::{SourceEntry, SourceNode, SourceTree};
use crate::ContextName;
use crate::checks;
use crate::error::{PlanError, Step};
use crate::stage::StagePlanner;

/// The most names that are compared when a missing file's name is guessed.
const MAX_GUESSES: usize = 20_000;

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
    refuse_outside(tree, &text, &word.span)?;
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
            return Err(missing(planner, tree, &path, word)?.into());
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

/// A path with more `..` than directories to leave.
fn refuse_outside(tree: &SourceTree, text: &str, span: &Span) -> Step<()> {
    let mut depth = 0_i64;
    for part in text.split('/') {
        match part {
            "" | "." => {}
            ".." => depth -= 1,
            _ => depth += 1,
        }
        if depth < 0 {
            let outside = match tree {
                SourceTree::Listing(name, _) => name.to_string(),
                SourceTree::Tree(_) => "the image".to_owned(),
            };
            let message = format!("`{text}` is outside of {outside}");
            let error = PlanError::files(span.clone(), message);
            return Err(error
                .with_hint(
                    "build from a directory further up, or name the other directory with \
                     --build-context NAME=DIR and COPY --from=NAME",
                )
                .into());
        }
    }
    Ok(())
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

/// Why a path is not there, and what was probably meant.
fn missing(
    planner: &mut StagePlanner<'_, '_>,
    tree: &SourceTree,
    path: &ImagePath,
    word: &Word,
) -> Step<PlanError> {
    let place = match tree {
        SourceTree::Listing(name, _) => name.to_string(),
        SourceTree::Tree(_) => "what is copied from".to_owned(),
    };
    let span = word.span.clone();
    if let Some(error) = broken_link(planner, tree, path, &span)? {
        return Ok(error);
    }
    let error = PlanError::files(span, format!("`{path}` is not in {place}"));
    if let (SourceTree::Listing(ContextName::Main, _), Some((file, patterns))) =
        (tree, &planner.shared.facts.ignore)
        && patterns.matches(&path.to_string())
    {
        return Ok(error.with_hint(format!("{file} excludes it; an exception is `!{path}`")));
    }
    let all = tree.below(&ImagePath::root(), planner.needs)?;
    let names: Vec<String> =
        all.iter().take(MAX_GUESSES).map(|entry| entry.path.to_string()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    Ok(match checks::closest(&path.to_string(), &names) {
        Some(name) => error.with_hint(format!("did you mean `{name}`?")),
        None => error,
    })
}

/// A link on the way that leads nowhere, or out.
fn broken_link(
    planner: &mut StagePlanner<'_, '_>,
    tree: &SourceTree,
    path: &ImagePath,
    span: &Span,
) -> Step<Option<PlanError>> {
    let mut on_the_way: Vec<ImagePath> = path.ancestors().collect();
    on_the_way.insert(0, path.clone());
    for step in on_the_way.iter().rev() {
        let Some(entry) = tree.find(step, planner.needs)? else { continue };
        let SourceNode::Symlink(target) = &entry.node else { continue };
        if tree.resolve(step, planner.needs)?.is_none() {
            let target = String::from_utf8_lossy(target);
            let message = format!(
                "`{step}` is a link to `{target}`, which is missing or outside of what may be copied"
            );
            return Ok(Some(PlanError::files(span.clone(), message).with_hint(
                "links are followed inside of the source only: copy the file itself in",
            )));
        }
    }
    Ok(None)
}
