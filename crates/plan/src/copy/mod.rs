//! `COPY` and `ADD`: sources and a destination become the entries of a layer.
//!
//! Docker's reference, "COPY" and "ADD". [`sources`] finds what is copied, [`mod@laying`] puts it where
//! it belongs on the stage's tree.

mod absent;
mod add;
mod laying;
mod selection;
mod sources;

use std::sync::Arc;

use layer::{Content, Entry, Node};
use oci::{Digest, ImagePath, Reference};
use recipe::{Copy, FileKind, FileMode, IgnorePatterns, Owner, Span, Word};

use crate::error::{PlanError, PlanErrorKind, Step, Stop};
use crate::outcome::{Becomes, Source};
use crate::owner::{self, Ids};
use crate::stage::StagePlanner;
use crate::tree::Tree;
use crate::{ContextName, Need, metadata, stages};

pub(crate) use add::plan_add;
use laying::{Laying, Placing};
use selection::Selected;
use sources::SourceTree;

/// The flags of a `COPY`, resolved.
struct Flags {
    owner: Option<Ids>,
    mode: Option<FileMode>,
    exclude: IgnorePatterns,
}

/// Where a `COPY` copies to.
#[derive(Debug, Clone)]
struct Destination {
    path: ImagePath,
    /// Whether it was written as a directory: with a slash at the end, or as `.`.
    is_directory: bool,
    span: Span,
}

/// Plans a `COPY`.
pub(crate) fn plan_copy(
    planner: &mut StagePlanner<'_, '_>,
    copy: &Copy,
    text: &str,
    span: &Span,
) -> Step<Becomes> {
    let (tree, origin) = source_tree(planner, copy.from.as_ref(), span)?;
    let flags = flags(planner, copy)?;
    let destination = destination(planner, copy)?;
    let mut laying = laying(planner, copy, &flags);
    let mut missing = Vec::new();
    for source in &copy.sources {
        match source {
            recipe::Source::Heredoc(heredoc) => {
                lay_heredoc(planner, &mut laying, heredoc, &flags, &destination)?;
            }
            recipe::Source::Path(word) => {
                let found = selection::select(planner, &tree, copy, word)?;
                let several = copy.sources.len() > 1;
                lay_selected(
                    planner,
                    &mut laying,
                    &tree,
                    found,
                    &Laid { flags: &flags, destination: &destination, several, copy, word },
                    &mut missing,
                )?;
            }
        }
    }
    need_contents(planner, &tree, missing)?;
    Ok(match (planner.lay(laying.finish(), text), origin) {
        (None, _) => Becomes::Metadata,
        (Some(spec), None) => Becomes::Files(spec),
        (Some(spec), Some(origin)) => Becomes::CopyFrom(origin, spec),
    })
}

/// The directory at `path` and those above it that are missing, owned by the stage's user
/// (as `WORKDIR` makes them).
pub(crate) fn make_directory(
    planner: &mut StagePlanner<'_, '_>,
    path: &ImagePath,
    span: &Span,
) -> Step<Vec<Entry>> {
    let user = planner.state.config.user().map(str::to_owned);
    let ids = match user.as_deref().map(Owner::parse) {
        Some(Ok(owner)) => owner::resolve(planner, &owner, span)?,
        _ => owner::ROOT,
    };
    let mtime = planner.shared.request.timestamp;
    let mut laying = Laying::new(Some(planner.state.tree.clone()), ids, mtime);
    laying.directory(path, span, planner.needs)?;
    Ok(laying.finish())
}

/// What a `COPY` copies from, and its name if it is not the build context.
fn source_tree(
    planner: &mut StagePlanner<'_, '_>,
    from: Option<&Word>,
    span: &Span,
) -> Step<(SourceTree, Option<String>)> {
    let Some(word) = from else {
        return Ok((context_tree(planner, ContextName::Main, span)?, None));
    };
    let from = planner.expand(word)?;
    let current = planner.number();
    if let Some(number) = stages::stage_named(&from, &planner.shared.names, current) {
        let Some(stage) = planner.earlier.get(&number) else {
            // Only a name that was put together from variables can be missed by the search for
            // needed stages.
            let message = format!("`{from}` names a stage through a variable");
            return Err(PlanError::recipe(word.span.clone(), message)
                .with_hint("write the stage's name out")
                .into());
        };
        return Ok((SourceTree::Tree(stage.tree.clone()), Some(from)));
    }
    if planner.shared.facts.file_contexts.contains(&from) {
        let name = ContextName::Named(from.clone());
        return Ok((context_tree(planner, name, span)?, Some(from)));
    }
    let reference = match planner.shared.facts.image_contexts.get(&from) {
        Some(reference) => reference.clone(),
        None => image_reference(planner, &from, word)?,
    };
    let platform = planner.shared.request.platform.clone();
    let key = (reference, platform);
    match planner.shared.facts.bases.get(&key) {
        Some(image) => {
            let tree = Tree::of_image(image, &key.0, planner.shared.facts);
            Ok((SourceTree::Tree(tree), Some(from)))
        }
        None => {
            let (reference, platform) = key;
            let stage = stages::stage_meant(&from, &planner.shared.names, current);
            let span = word.span.clone();
            planner.needs.add(Need::Base { reference, platform, stage, span });
            Err(Stop::Needs)
        }
    }
}

/// An image to copy from; a name that is nearly a stage's gets a hint.
fn image_reference(planner: &StagePlanner<'_, '_>, from: &str, word: &Word) -> Step<Reference> {
    let refused = |message: String| PlanError::recipe(word.span.clone(), message);
    if from.parse::<usize>().is_ok() {
        let message = format!("there is no stage {from} before this one");
        return Err(refused(message).with_hint("stages are numbered from 0").into());
    }
    if planner.shared.names.contains_key(&from.to_ascii_lowercase()) {
        let message = format!("stage `{from}` comes later, or is this one");
        return Err(refused(message).with_hint("copy from a stage above this one").into());
    }
    from.parse::<Reference>().map(Reference::or_latest).map_err(|error| {
        let refused = refused(error.to_string());
        match error.hint() {
            Some(hint) => refused.with_hint(hint),
            None => refused,
        }
        .into()
    })
}

fn context_tree(
    planner: &mut StagePlanner<'_, '_>,
    name: ContextName,
    span: &Span,
) -> Step<SourceTree> {
    match planner.shared.facts.listings.get(&name) {
        Some(listing) => Ok(SourceTree::Listing(name, Arc::clone(listing))),
        None => {
            planner.needs.add(Need::Listing(name, span.clone()));
            Err(Stop::Needs)
        }
    }
}

fn flags(planner: &mut StagePlanner<'_, '_>, copy: &Copy) -> Step<Flags> {
    let mut flags = Flags { owner: None, mode: None, exclude: exclude(planner, copy)? };
    if let Some(word) = &copy.chown {
        let text = planner.expand(word)?;
        let owner = Owner::parse(&text).map_err(|error| of_flag(error.diagnostic(word)))?;
        flags.owner = Some(owner::resolve(planner, &owner, &word.span)?);
    }
    if let Some(word) = &copy.chmod {
        let text = planner.expand(word)?;
        let mode = FileMode::parse(&text).map_err(|error| of_flag(error.diagnostic(word)))?;
        flags.mode = Some(mode);
    }
    Ok(flags)
}

/// `--exclude` patterns match as those of an ignore file do (Docker's reference, "COPY --exclude").
fn exclude(planner: &mut StagePlanner<'_, '_>, copy: &Copy) -> Step<IgnorePatterns> {
    let mut patterns = Vec::new();
    for word in &copy.exclude {
        patterns.push(planner.expand(word)?);
    }
    match (IgnorePatterns::new(&patterns), copy.exclude.first()) {
        (Ok(patterns), _) => Ok(patterns),
        (Err(error), Some(word)) => Err(refused(word, &error.to_string()).into()),
        (Err(error), None) => Err(refused(&copy.destination, &error.to_string()).into()),
    }
}

fn of_flag(diagnostic: recipe::Diagnostic) -> PlanError {
    PlanError { diagnostic, kind: PlanErrorKind::Recipe }
}

fn refused(word: &Word, message: &str) -> PlanError {
    PlanError::recipe(word.span.clone(), message)
}

fn destination(planner: &mut StagePlanner<'_, '_>, copy: &Copy) -> Step<Destination> {
    let word = &copy.destination;
    let text = planner.expand(word)?;
    if text.is_empty() {
        return Err(refused(word, "the destination is empty").into());
    }
    let is_directory =
        text.ends_with('/') || text == "." || text.ends_with("/.") || text.ends_with("..");
    if copy.sources.len() > 1 && !is_directory {
        let message = format!("several sources go to `{text}`, which is not a directory's name");
        return Err(refused(word, &message)
            .with_hint(format!("write a slash at its end: `{text}/`"))
            .into());
    }
    let path = if text.starts_with('/') {
        ImagePath::lexical(&text)
    } else {
        metadata::working_directory(&planner.state.config).join(&text)
    };
    Ok(Destination { path, is_directory, span: word.span.clone() })
}

/// `--link` lays a layer that knows nothing of what is below it (Docker's reference, "COPY
/// --link"), so that it stays the same on every base.
fn laying(planner: &StagePlanner<'_, '_>, copy: &Copy, flags: &Flags) -> Laying {
    let below = (!copy.link).then(|| planner.state.tree.clone());
    let owner = flags.owner.unwrap_or(owner::ROOT);
    Laying::new(below, owner, planner.shared.request.timestamp)
}

fn lay_heredoc(
    planner: &mut StagePlanner<'_, '_>,
    laying: &mut Laying,
    heredoc: &recipe::Heredoc,
    flags: &Flags,
    destination: &Destination,
) -> Step<()> {
    let text = planner.state.scope.expand_heredoc(heredoc)?;
    let content = Content::of(text.as_bytes());
    let source = Source::Inline(Arc::from(text.into_bytes()));
    planner.shared.sources.insert(content.digest, source);
    let path = file_destination(planner, laying, destination, heredoc.name.as_bytes())?;
    let entry = Entry {
        path,
        attributes: attributes(flags, 0o644, owner::ROOT, false, planner),
        node: Node::File(content),
    };
    laying.place(entry, Placing::Plain, &destination.span, planner.needs)
}

/// Where a file named `name` lands: in the destination, or as the destination.
fn file_destination(
    planner: &mut StagePlanner<'_, '_>,
    laying: &mut Laying,
    destination: &Destination,
    name: &[u8],
) -> Step<ImagePath> {
    let into = destination.is_directory || laying.is_directory(&destination.path, planner.needs)?;
    Ok(if into { destination.path.join(name) } else { destination.path.clone() })
}

fn attributes(
    flags: &Flags,
    mode: u32,
    owner: Ids,
    is_directory: bool,
    planner: &StagePlanner<'_, '_>,
) -> layer::Attributes {
    let kind = if is_directory { FileKind::Directory } else { FileKind::Other };
    let mode = flags.mode.as_ref().map_or(mode, |change| change.apply(mode, kind));
    let Ids { uid, gid } = flags.owner.unwrap_or(owner);
    layer::Attributes {
        uid,
        gid,
        ..layer::Attributes::root(mode, planner.shared.request.timestamp)
    }
}

/// What goes with every selected path of one source.
struct Laid<'a> {
    flags: &'a Flags,
    destination: &'a Destination,
    several: bool,
    copy: &'a Copy,
    word: &'a Word,
}

/// Puts everything that one source selected where it belongs.
fn lay_selected(
    planner: &mut StagePlanner<'_, '_>,
    laying: &mut Laying,
    tree: &SourceTree,
    found: Vec<Selected>,
    laid: &Laid<'_>,
    missing: &mut Vec<ImagePath>,
) -> Step<()> {
    let several = laid.several || found.len() > 1;
    if several && found.len() > 1 && !laid.destination.is_directory && !laid.copy.parents {
        let message = format!(
            "`{}` means {} files, and the destination is not a directory's name",
            laid.word.text,
            found.len()
        );
        return Err(PlanError::recipe(laid.destination.span.clone(), message)
            .with_hint("write a slash at the destination's end")
            .into());
    }
    for selected in found {
        let base = match &selected.parents {
            Some(relative) => {
                lay_parents(planner, laying, tree, &selected, relative, laid)?;
                laid.destination.path.join(relative.as_bytes())
            }
            None if selected.is_directory() => laid.destination.path.clone(),
            None => file_destination(planner, laying, laid.destination, &selected.name)?,
        };
        if selected.is_directory() {
            lay_directory(planner, laying, tree, &selected, &base, laid, missing)?;
        } else {
            let entry = &selected.entry;
            lay_one(planner, laying, tree, entry, base, laid, missing)?;
        }
    }
    Ok(())
}

/// `--parents`: the directories above the source come along, with their own attributes.
fn lay_parents(
    planner: &mut StagePlanner<'_, '_>,
    laying: &mut Laying,
    tree: &SourceTree,
    selected: &Selected,
    relative: &ImagePath,
    laid: &Laid<'_>,
) -> Step<()> {
    let mut above: Vec<ImagePath> = relative.ancestors().collect();
    above.reverse();
    let depth = selected.entry.path.components().count() - relative.components().count();
    for directory in above {
        let steps = depth + directory.components().count();
        let parts: Vec<&[u8]> = selected.entry.path.components().take(steps).collect();
        let original = ImagePath::lexical(parts.join(&b'/').as_slice());
        let path = laid.destination.path.join(directory.as_bytes());
        match tree.find(&original, planner.needs)? {
            Some(entry) => {
                lay_one(planner, laying, tree, &entry, path, laid, &mut Vec::new())?;
            }
            None => {
                laying.directory(&path, &laid.destination.span, planner.needs)?;
            }
        }
    }
    Ok(())
}

/// A directory's contents, into `base`.
fn lay_directory(
    planner: &mut StagePlanner<'_, '_>,
    laying: &mut Laying,
    tree: &SourceTree,
    selected: &Selected,
    base: &ImagePath,
    laid: &Laid<'_>,
    missing: &mut Vec<ImagePath>,
) -> Step<()> {
    let root = selected.entry.path.clone();
    if selected.parents.is_some() {
        lay_one(planner, laying, tree, &selected.entry, base.clone(), laid, missing)?;
    } else {
        laying.directory(base, &laid.destination.span, planner.needs)?;
    }
    let below = tree.below(&root, planner.needs)?;
    for entry in &below {
        if selection::is_excluded(entry, &root, &laid.flags.exclude) {
            continue;
        }
        let relative = entry.path.strip_prefix(&root).unwrap_or_default();
        lay_one(planner, laying, tree, entry, base.join(relative), laid, missing)?;
    }
    Ok(())
}

/// One entry of the source, at `path`.
fn lay_one(
    planner: &mut StagePlanner<'_, '_>,
    laying: &mut Laying,
    tree: &SourceTree,
    entry: &sources::SourceEntry,
    path: ImagePath,
    laid: &Laid<'_>,
    missing: &mut Vec<ImagePath>,
) -> Step<()> {
    use sources::SourceNode;
    let is_directory = matches!(entry.node, SourceNode::Directory);
    let mut attributes = attributes(laid.flags, entry.mode, entry.owner, is_directory, planner);
    attributes.xattrs.clone_from(&entry.xattrs);
    if let Some(mtime) = entry.mtime {
        attributes.mtime = mtime;
    }
    let mut placing = Placing::Plain;
    let node = match &entry.node {
        SourceNode::Directory => {
            let asked = laid.flags.owner.is_some() || laid.flags.mode.is_some();
            placing = if asked { Placing::Attributes } else { Placing::Plain };
            Node::Directory
        }
        SourceNode::Symlink(target) => {
            // A link's own mode means nothing: Linux has it at 0777.
            attributes.mode = 0o777;
            Node::Symlink(target.clone())
        }
        SourceNode::Special(what) => {
            let message =
                format!("`{}` is a {what}, which an image cannot take from a context", entry.path);
            return Err(PlanError::files(laid.word.span.clone(), message)
                .with_hint("exclude it in .dockerignore")
                .into());
        }
        SourceNode::Other(node) => node.clone(),
        SourceNode::File { link, .. } => match tree.content(entry, planner, missing)? {
            Some(content) => {
                if let Some(link) = link {
                    placing = Placing::LinkOf(link.clone());
                }
                Node::File(content)
            }
            None if matches!(tree, SourceTree::Tree(_)) => {
                let message = format!("`/{}` is a hard link to nothing", entry.path);
                return Err(PlanError::base(laid.word.span.clone(), message)
                    .with_hint("the image is hostile or broken: do not use it")
                    .into());
            }
            // Its digest is asked for; the place is still checked.
            None => Node::File(Content { digest: Digest::of(b""), size: 0 }),
        },
    };
    let entry = Entry { path, attributes, node };
    laying.place(entry, placing, &laid.destination.span, planner.needs)
}

/// Asks for the digests of all files that were selected and are not known.
fn need_contents(
    planner: &mut StagePlanner<'_, '_>,
    tree: &SourceTree,
    missing: Vec<ImagePath>,
) -> Step<()> {
    let SourceTree::Listing(name, _) = tree else { return Ok(()) };
    if missing.is_empty() {
        return Ok(());
    }
    planner.needs.add(Need::Contents(name.clone(), missing));
    Err(Stop::Needs)
}
