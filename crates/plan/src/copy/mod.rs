//! `COPY` and `ADD`: sources and a destination become the entries of a layer.
//!
//! Docker's reference, "COPY" and "ADD". A source becomes a [`piece`]: what it names, with every
//! content known. Only then is the stage's tree looked at: [`lay`] puts the pieces where they
//! belong on it.

mod absent;
mod add;
mod address;
mod lay;
mod piece;
mod selection;
mod sources;

use std::sync::Arc;

use layer::{Content, Entry};
use oci::{ImagePath, Reference};
use recipe::{Copy, FileKind, FileMode, IgnorePatterns, Owner, Span, Word};

use crate::error::{PlanError, Step, Stop};
use crate::key::Form;
use crate::laying::Laying;
use crate::outcome::{Becomes, Source};
use crate::owner::{self, Ids};
use crate::stage::StagePlanner;
use crate::tree::Tree;
use crate::{ContextName, Need, metadata, stages};

pub(crate) use absent::climbs_out;
pub(crate) use add::plan_add;
use piece::{Paths, Piece};
pub(crate) use sources::LinkKey;
pub(crate) use sources::{SourceEntry, SourceKind, SourceTree};

/// What a directory gets that has to be made on the way.
const MADE_MODE: u32 = 0o755;
/// What a here-document gets.
const HEREDOC_MODE: u32 = 0o644;

/// A `COPY`'s flags and destination, as far as its text tells.
struct Order {
    destination: Destination,
    owner: Option<(Owner, Span)>,
    mode: Option<FileMode>,
    /// The mode of directories that have to be made: with `--chmod`, its octal mode.
    made_mode: u32,
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
    let order = Order::read(planner, copy)?;
    if copy.from.is_some()
        && let Some(form) = form_of_tree(planner, copy, &order, (text, span))?
    {
        let lay = |planner: &mut StagePlanner<'_, '_>| lay_copy(planner, copy, &order, text, span);
        return planner.recalled(form, span, lay);
    }
    lay_copy(planner, copy, &order, text, span)
}

/// What a `COPY --from` depends on beside what lies below it, without a look into the tree that it
/// copies from.
fn form_of_tree(
    planner: &mut StagePlanner<'_, '_>,
    copy: &Copy,
    order: &Order,
    (text, span): (&str, &Span),
) -> Step<Option<Form>> {
    let SourceTree::Tree(tree) = source_tree(planner, copy.from.as_ref(), span)? else {
        return Ok(None);
    };
    let Some(identity) = tree.identity() else { return Ok(None) };
    let mut form = Form::new();
    form.text(b"COPY --from");
    // The history has it as it is written.
    form.text(text.as_bytes());
    order.describe(copy, &mut form);
    form.number(copy.sources.len() as u64);
    for source in &copy.sources {
        match source {
            recipe::Source::Heredoc(_) => return Ok(None),
            recipe::Source::Path(word) => form.text(planner.expand(word)?.as_bytes()),
        }
    }
    form.end_kind();
    form.digests(&identity);
    Ok(Some(form))
}

fn lay_copy(
    planner: &mut StagePlanner<'_, '_>,
    copy: &Copy,
    order: &Order,
    text: &str,
    span: &Span,
) -> Step<Becomes> {
    let mut pieces = Vec::new();
    let mut tree = None;
    for source in &copy.sources {
        pieces.push(match source {
            recipe::Source::Heredoc(heredoc) => self::heredoc(planner, heredoc)?,
            recipe::Source::Path(word) => {
                // A COPY of here-documents alone does not take the context to be read.
                let tree = match &mut tree {
                    Some(tree) => tree,
                    empty => empty.insert(source_tree(planner, copy.from.as_ref(), span)?),
                };
                paths(planner, tree, copy, order, word)?
            }
        });
    }
    match &copy.from {
        None => lay::recalled_or_laid(planner, copy, order, &pieces, text, span),
        Some(origin) => {
            let layers = lay::lay(planner, copy, order, &pieces, text)?;
            Ok(match layers.is_empty() {
                true => Becomes::Metadata,
                false => Becomes::CopyFrom(origin.text.clone(), layers),
            })
        }
    }
}

/// The entries of the directory at `path` and of those above it that are missing, which are the
/// stage's user's, as `WORKDIR` makes them.
pub(crate) fn make_directory(
    planner: &mut StagePlanner<'_, '_>,
    path: &ImagePath,
    span: &Span,
) -> Step<Vec<Entry>> {
    let mtime = planner.shared.request.timestamp;
    let mut made = layer::Attributes::root(MADE_MODE, mtime);
    let lay = |planner: &mut StagePlanner<'_, '_>, made: &layer::Attributes| {
        let below = Some(planner.state.tree.clone());
        let mut laying = Laying::new(below, made.clone(), span.clone());
        laying.directory(path, planner.needs)?;
        Step::Ok(laying.finish())
    };
    let entries = lay(planner, &made)?;
    if entries.is_empty() {
        // Nothing is made, and nobody is to be looked up.
        return Ok(entries);
    }
    let Ids { uid, gid } = owner::of_user(planner, span)?;
    (made.uid, made.gid) = (uid, gid);
    lay(planner, &made)
}

/// The selection of one source.
fn paths(
    planner: &mut StagePlanner<'_, '_>,
    tree: &SourceTree,
    copy: &Copy,
    order: &Order,
    word: &Word,
) -> Step<Piece> {
    let selected = selection::select(planner, tree, copy, order, word)?;
    Ok(Piece::Paths(Paths { tree: tree.clone(), selected, word: word.clone() }))
}

fn heredoc(planner: &mut StagePlanner<'_, '_>, heredoc: &recipe::Heredoc) -> Step<Piece> {
    let text = planner.state.scope.expand_heredoc(heredoc, &mut planner.shared.warnings)?;
    let content = Content::of(text.as_bytes());
    let source = Source::Inline(Arc::from(text.into_bytes()));
    planner.shared.sources.insert(content.digest, source);
    let (name, span) = (heredoc.name.clone(), heredoc.span.clone());
    Ok(Piece::File { name, content, mode: HEREDOC_MODE, span })
}

/// What a `COPY` copies from, or a `RUN` mounts.
pub(crate) fn source_tree(
    planner: &mut StagePlanner<'_, '_>,
    from: Option<&Word>,
    span: &Span,
) -> Step<SourceTree> {
    let Some(word) = from else {
        return context_tree(planner, ContextName::Main, span);
    };
    let from = word.text.as_str();
    if let Some(number) = stages::stage_named(from, &planner.shared.names, planner.number()) {
        let Some(stage) = planner.earlier.get(&number) else {
            // A trigger can name a stage that is only found to be needed once its base is known.
            return Err(Stop::Needs);
        };
        if stage.tree.is_executed() {
            return Err(Stop::Execution);
        }
        return Ok(SourceTree::Tree(stage.tree.clone()));
    }
    if planner.shared.facts.file_contexts.contains(from) {
        return context_tree(planner, ContextName::Named(from.to_owned()), &word.span);
    }
    let reference = match planner.shared.facts.image_context(from) {
        Some(reference) => reference.clone(),
        None => image_reference(planner, from, word)?,
    };
    let key = (reference, planner.shared.request.platform.clone());
    if let Some(image) = planner.shared.facts.bases.get(&key) {
        return Ok(SourceTree::Tree(Tree::of_image(image, &key.0, planner.shared.facts)));
    }
    let (reference, platform) = key;
    let stage = stages::stage_meant(from, &planner.shared.names, planner.number());
    planner.needs.add(Need::Base { reference, platform, stage, span: word.span.clone() });
    Err(Stop::Needs)
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

impl Order {
    fn read(planner: &mut StagePlanner<'_, '_>, copy: &Copy) -> Step<Self> {
        let destination = destination(planner, copy)?;
        let exclude = exclude(copy)?;
        let mut order =
            Order { destination, owner: None, mode: None, made_mode: MADE_MODE, exclude };
        if let Some(word) = &copy.chown {
            let text = planner.expand(word)?;
            let owner =
                Owner::parse(&text).map_err(|error| PlanError::found(error.diagnostic(word)))?;
            order.owner = Some((owner, word.span.clone()));
        }
        if let Some(word) = &copy.chmod {
            let text = planner.expand(word)?;
            let mode =
                FileMode::parse(&text).map_err(|error| PlanError::found(error.diagnostic(word)))?;
            // As BuildKit has it (`fsutil/copy`): an octal mode is that of the directories on the
            // way as well; a symbolic one changes what is copied.
            if text.bytes().all(|byte| byte.is_ascii_digit()) {
                order.made_mode = mode.apply(0, FileKind::Directory);
            }
            order.mode = Some(mode);
        }
        Ok(order)
    }

    /// What of the flags decides about the layer.
    fn describe(&self, copy: &Copy, form: &mut Form) {
        form.text(self.destination.path.as_bytes());
        form.number(u64::from(self.destination.is_directory));
        form.number(u64::from(copy.link) | u64::from(copy.parents) << 1);
        let owner = self.owner.as_ref().map(|(owner, _)| owner);
        form.text(format!("{owner:?}").as_bytes());
        form.text(format!("{:?}", self.mode).as_bytes());
        form.number(copy.exclude.len() as u64);
        for word in &copy.exclude {
            form.text(word.text.as_bytes());
        }
    }

    /// Whether `--exclude` keeps a path out, as it is named in the source.
    fn excludes(&self, relative: &[u8]) -> bool {
        !self.exclude.is_empty() && self.exclude.matches(&String::from_utf8_lossy(relative))
    }

    /// Takes out what `--exclude` keeps out, with names from `root` on.
    fn retain(&self, entries: &mut Vec<SourceEntry<'_>>, root: &ImagePath) {
        if !self.exclude.is_empty() {
            entries.retain(|entry| {
                !self.excludes(entry.path().strip_prefix(root).unwrap_or_default())
            });
        }
    }
}

/// `--exclude` patterns match as those of an ignore file do (Docker's reference, "COPY --exclude").
/// Variables are not expanded in them.
fn exclude(copy: &Copy) -> Step<IgnorePatterns> {
    IgnorePatterns::new(copy.exclude.iter().map(|word| &word.text)).map_err(|error| {
        let span = copy.exclude.first().unwrap_or(&copy.destination).span.clone();
        PlanError::recipe(span, error.to_string()).into()
    })
}

fn destination(planner: &mut StagePlanner<'_, '_>, copy: &Copy) -> Step<Destination> {
    let word = &copy.destination;
    let text = planner.expand(word)?;
    // An empty destination is the working directory, as BuildKit has it.
    let is_directory = text.is_empty()
        || text.ends_with('/')
        || matches!(text.rsplit('/').next(), Some("." | ".."));
    if copy.sources.len() > 1 && !is_directory {
        let message = format!("several sources go to `{text}`, which is not a directory's name");
        return Err(PlanError::recipe(word.span.clone(), message)
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
