//! Which files a source of a `COPY` means: a path, or a pattern.

use context::LastComponent;
use oci::ImagePath;
use recipe::{Copy, Diagnostic, Severity, Wildcard, Word};

use super::sources::SourceTree;
use super::{Order, absent};
use crate::ContextName;
use crate::error::{PlanError, Step};
use crate::key::Form;
use crate::stage::StagePlanner;

/// A file or directory that a source means.
#[derive(Debug)]
pub(crate) struct Selected {
    /// Where it is, with links followed.
    pub(crate) path: ImagePath,
    /// The name it was found by: a link's own name.
    pub(crate) name: Vec<u8>,
    pub(crate) is_directory: bool,
    /// For `--parents`.
    pub(crate) kept: Option<Kept>,
}

/// What `--parents` keeps of a path: everything, or what comes after `/./` (Docker's reference,
/// "COPY --parents").
#[derive(Debug)]
pub(crate) struct Kept {
    /// The directory that paths are kept below of.
    pub(crate) pivot: ImagePath,
    /// The path from there.
    pub(crate) relative: ImagePath,
}

impl Selected {
    /// Says all of it that a layer can depend on.
    pub(super) fn describe(&self, form: &mut Form) {
        form.text(self.path.as_bytes());
        form.text(&self.name);
        form.number(u64::from(self.is_directory));
        form.number(u64::from(self.kept.is_some()));
        if let Some(Kept { pivot, relative }) = &self.kept {
            form.text(pivot.as_bytes());
            form.text(relative.as_bytes());
        }
    }
}

/// Finds what `word` means in `tree`.
pub(super) fn select(
    planner: &mut StagePlanner<'_, '_>,
    tree: &SourceTree,
    copy: &Copy,
    order: &Order,
    word: &Word,
) -> Step<Vec<Selected>> {
    let text = planner.expand(word)?;
    if text.is_empty() {
        return Err(PlanError::recipe(word.span.clone(), "the source is empty").into());
    }
    absent::refuse_outside(tree, copy, &text, &word.span)?;
    let pivot = copy.parents.then(|| pivot(&text));
    // What is copied with its parents is copied as it is (Docker's reference, "COPY --parents"
    // selects paths); a link that is named without is followed.
    let last = if copy.parents { LastComponent::Keep } else { LastComponent::Follow };
    let mut selected = Vec::new();
    let is_pattern = Wildcard::has_meta(&text);
    let found = if is_pattern {
        matching(planner, tree, copy, order, &text, word)?
    } else {
        vec![ImagePath::lexical(unescaped(&text))]
    };
    for path in found {
        let Some(entry) = tree.find(&path, last, planner.needs)? else {
            return Err(absent::missing(planner, tree, copy, &path, &word.span)?.into());
        };
        let kept = pivot.as_ref().map(|pivot| {
            let relative = ImagePath::lexical(path.strip_prefix(pivot).unwrap_or_default());
            Kept { pivot: pivot.clone(), relative }
        });
        let name = path.file_name().unwrap_or_default().to_vec();
        let is_directory = entry.is_directory();
        selected.push(Selected { path: entry.path().clone(), name, is_directory, kept });
    }
    if is_pattern && selected.is_empty() {
        planner.shared.warnings.push(Diagnostic {
            severity: Severity::Warning,
            rule: None,
            message: format!("`{text}` matches nothing in {}", absent::place(tree, copy)),
            span: word.span.clone(),
            hint: ignore_file(planner, tree).map(|file| format!("does {file} exclude it?")),
        });
    }
    Ok(selected)
}

/// The directory before `/./`, or the root.
fn pivot(text: &str) -> ImagePath {
    match text.find("/./") {
        Some(at) => ImagePath::lexical(unescaped(&text[..at])),
        None => ImagePath::root(),
    }
}

/// A name without the backslashes that take a wildcard's meaning away.
fn unescaped(text: &str) -> String {
    let mut characters = text.chars();
    let mut plain = String::with_capacity(text.len());
    while let Some(character) = characters.next() {
        let kept = if character == '\\' { characters.next() } else { Some(character) };
        plain.extend(kept);
    }
    plain
}

/// The paths that a pattern matches, sorted.
fn matching(
    planner: &mut StagePlanner<'_, '_>,
    tree: &SourceTree,
    copy: &Copy,
    order: &Order,
    text: &str,
    word: &Word,
) -> Step<Vec<ImagePath>> {
    let parts: Vec<&str> =
        text.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    let plain = parts.iter().take_while(|part| !Wildcard::has_meta(part)).count();
    let directory = ImagePath::lexical(unescaped(&parts[..plain].join("/")));
    let pattern = parts[plain..].join("/");
    // `**` means any number of directories with `--parents` only (Docker's reference).
    let wildcard =
        if copy.parents { Wildcard::recursive(&pattern) } else { Wildcard::new(&pattern) };
    let wildcard = wildcard.map_err(|error| {
        let refused = PlanError::recipe(word.span.clone(), error.to_string());
        match error.hint() {
            Some(hint) => refused.with_hint(hint),
            None => refused,
        }
    })?;
    // Without `**` only paths of the pattern's own depth can match.
    let depth = (!copy.parents && !wildcard.pattern().contains('['))
        .then(|| wildcard.pattern().matches('/').count());
    let found = tree.find(&directory, LastComponent::Follow, planner.needs)?;
    let Some(found) = found else { return Ok(Vec::new()) };
    let root = found.path();
    let mut matched = Vec::new();
    for entry in tree.below(root, planner.needs)? {
        let relative = entry.path().strip_prefix(root).unwrap_or_default();
        let slashes = || relative.iter().filter(|byte| **byte == b'/').count();
        if depth.is_some_and(|depth| depth != slashes()) {
            continue;
        }
        let shown = String::from_utf8_lossy(relative);
        // Docker's reference, "COPY --exclude": what a wildcard found is excluded by its name.
        let is_excluded = || !copy.parents && order.excludes(relative);
        if wildcard.matches(&shown) && !is_excluded() {
            matched.push(directory.join(relative));
        }
    }
    Ok(matched)
}

/// The ignore file, if `tree` is what it is about.
fn ignore_file<'a>(planner: &'a StagePlanner<'_, '_>, tree: &SourceTree) -> Option<&'a str> {
    match (tree, &planner.shared.facts.ignore) {
        (SourceTree::Listing(ContextName::Main, _), Some((file, _))) => Some(file),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backslashes_escape() {
        assert_eq!(unescaped(r"a\[b\]\\c"), r"a[b]\c");
        assert_eq!(unescaped("plain\\"), "plain");
    }
}
