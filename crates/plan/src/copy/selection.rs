//! Which files a source of a `COPY` means: a path, or a pattern.

use context::LastComponent;
use oci::ImagePath;
use recipe::{Copy, Diagnostic, Rule, Severity, Span, Wildcard, Word};

use super::Order;
use super::sources::{SourceKind, SourceTree};
use crate::ContextName;
use crate::error::{PlanError, Step, Stop};
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
    refuse_outside(tree, &text, &word.span)?;
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
            return Err(missing(planner, tree, &path, word)?);
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
            message: format!("`{text}` matches nothing in {}", tree.describe()),
            span: word.span.clone(),
            hint: ignore_file(planner, tree).map(|file| format!("does {file} exclude it?")),
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
            let message = format!("`{text}` is outside of {}", tree.describe());
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

/// Why a path is not there, and what was probably meant.
fn missing(
    planner: &mut StagePlanner<'_, '_>,
    tree: &SourceTree,
    path: &ImagePath,
    word: &Word,
) -> Step<Stop> {
    let span = word.span.clone();
    if let Some(error) = broken_link(planner, tree, path, &span)? {
        return Ok(error.into());
    }
    let mut error = PlanError::files(span, format!("`{path}` is not in {}", tree.describe()));
    if let (Some(file), Some((_, patterns))) =
        (ignore_file(planner, tree), &planner.shared.facts.ignore)
        && patterns.matches(&path.to_string())
    {
        error.diagnostic.rule = Some(Rule::CopyIgnoredFile);
        return Ok(error
            .with_hint(format!("{file} excludes it; an exception is `!{path}`"))
            .into());
    }
    let all = tree.below(&ImagePath::root(), planner.needs)?;
    let names: Vec<&str> = all.iter().filter_map(|entry| entry.path().to_str()).collect();
    Ok(match meant(&path.to_string(), &names) {
        Some(name) => error.with_hint(format!("did you mean `{name}`?")),
        None => error,
    }
    .into())
}

/// The name that was probably meant: in other letters, mistyped, or in another directory.
fn meant<'a>(path: &str, names: &[&'a str]) -> Option<&'a str> {
    if let Some(name) = names.iter().find(|name| name.eq_ignore_ascii_case(path)) {
        return Some(name);
    }
    // A slip changes two characters at most; to compare the rest would only take time.
    let near = |name: &&&str| name.len().abs_diff(path.len()) <= 8;
    if let Some(name) = recipe::closest(path, names.iter().filter(near).copied()) {
        return Some(name);
    }
    let file_name = path.rsplit('/').next()?;
    let mut elsewhere = names.iter().filter(|name| name.rsplit('/').next() == Some(file_name));
    match (elsewhere.next(), elsewhere.next()) {
        (Some(name), None) => Some(name),
        _ => None,
    }
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
        let Some(entry) = tree.find(step, LastComponent::Keep, planner.needs)? else { continue };
        let SourceKind::Symlink(target) = entry.kind() else { continue };
        if tree.find(step, LastComponent::Follow, planner.needs)?.is_none() {
            let target = String::from_utf8_lossy(target);
            let message = format!(
                "`{step}` is a link to `{target}`, which is missing or outside of {}",
                tree.describe()
            );
            return Ok(Some(PlanError::files(span.clone(), message).with_hint(
                "links are followed inside of the source only: copy the file itself in",
            )));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backslashes_escape() {
        assert_eq!(unescaped(r"a\[b\]\\c"), r"a[b]\c");
        assert_eq!(unescaped("plain\\"), "plain");
    }

    #[test]
    fn names_that_were_meant() {
        let names = ["setup.py", "requirements.txt", "App", "src/main.py", "app/same", "lib/same"];
        let check = |typed: &str, expected| assert_eq!(meant(typed, &names), expected, "{typed}");
        check("requirments.txt", Some("requirements.txt"));
        check("app", Some("App"));
        check("main.py", Some("src/main.py"));
        check("same", None);
        check("nothing-like-it", None);
    }
}
