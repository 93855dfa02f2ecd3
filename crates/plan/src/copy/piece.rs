//! The pieces that a `COPY` or an `ADD` lays: what its sources come to, with every content known.

use std::sync::Arc;

use context::LastComponent;
use layer::{Content, LayerIndex};
use oci::{Digest, ImagePath};
use recipe::{Span, Word};

use super::Order;
use super::selection::Selected;
use super::sources::{SourceEntry, SourceKind, SourceTree};
use crate::Need;
use crate::error::{PlanError, Step, Stop};
use crate::grouping;
use crate::key::Form;
use crate::outcome::Source;
use crate::stage::StagePlanner;

/// What one source comes to.
#[derive(Debug)]
pub(super) enum Piece {
    /// Paths of a context, a stage or an image.
    Paths(Paths),
    /// A file that is known by its content: a here-document, or what a URL gave.
    File { name: String, content: Content, mode: u32, span: Span },
    /// An archive's members.
    Archive { archive: Digest, members: Arc<LayerIndex>, span: Span },
}

/// What one source selected.
#[derive(Debug)]
pub(super) struct Paths {
    pub(super) tree: SourceTree,
    pub(super) selected: Vec<Selected>,
    /// The source as it was written.
    pub(super) word: Word,
}

/// A selected path with everything in it that is to be laid.
#[derive(Debug)]
pub(super) struct Gathered<'a> {
    pub(super) selected: &'a Selected,
    pub(super) items: Vec<Item<'a>>,
}

/// One entry of a source.
#[derive(Debug)]
pub(super) struct Item<'a> {
    pub(super) entry: SourceEntry<'a>,
    /// A file's.
    pub(super) content: Option<Content>,
}

/// Whether it is noted where contents can be had, for whoever lays them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sources {
    /// It is.
    Noted,
    /// What is gathered is only looked at.
    Left,
}

/// Asks for the contents that are missing, all at once.
pub(super) fn ask(planner: &mut StagePlanner<'_, '_>, order: &Order, pieces: &[Piece]) -> Step<()> {
    let mut is_known = true;
    for paths in pieces.iter().filter_map(Piece::paths) {
        for selected in &paths.selected {
            let asked = entries(planner, order, paths, selected)
                .and_then(|entries| need_contents(planner, &paths.tree, &entries));
            match asked {
                Ok(()) => {}
                Err(Stop::Needs) => is_known = false,
                Err(stop) => return Err(stop),
            }
        }
    }
    if is_known { Ok(()) } else { Err(Stop::Needs) }
}

/// Everything that each of `pieces` holds.
pub(super) fn gather<'a>(
    planner: &mut StagePlanner<'_, '_>,
    order: &Order,
    pieces: &'a [Piece],
    sources: Sources,
) -> Step<Vec<Vec<Gathered<'a>>>> {
    let mut all = Vec::with_capacity(pieces.len());
    let mut is_known = true;
    for piece in pieces {
        let mut gathered = Vec::new();
        let Some(paths) = piece.paths() else {
            all.push(gathered);
            continue;
        };
        for selected in &paths.selected {
            match items(planner, order, paths, selected, sources) {
                Ok(items) => gathered.push(Gathered { selected, items }),
                Err(Stop::Needs) => is_known = false,
                Err(stop) => return Err(stop),
            }
        }
        all.push(gathered);
    }
    if is_known { Ok(all) } else { Err(Stop::Needs) }
}

/// Says all of `pieces` that a layer can depend on. Those of a tree are nothing that this knows. If
/// they make several layers, some of these may be those of an earlier step of the kind.
pub(super) fn describe(
    planner: &mut StagePlanner<'_, '_>,
    order: &Order,
    pieces: &[Piece],
    form: &mut Form,
) -> Step<()> {
    let gathered = gather(planner, order, pieces, Sources::Left)?;
    let items = gathered.iter().flatten().flat_map(|gathered| &gathered.items);
    let contents = items.filter_map(|item| item.content.as_ref());
    let bytes = contents.fold(0, |sum: u64, content| sum.saturating_add(content.size));
    if grouping::files::may_be_several(bytes) {
        form.end_kind();
    }
    form.number(pieces.len() as u64);
    for (piece, gathered) in pieces.iter().zip(gathered) {
        match piece {
            Piece::Paths(_) => {
                form.text(b"paths");
                form.number(gathered.len() as u64);
                for Gathered { selected, items } in gathered {
                    selected.describe(form);
                    form.number(items.len() as u64);
                    for item in items {
                        item.describe(form);
                    }
                }
            }
            Piece::File { name, content, mode, .. } => {
                form.text(b"file");
                form.text(name.as_bytes());
                form.digests(&[content.digest]);
                form.number(u64::from(*mode));
            }
            Piece::Archive { archive, .. } => {
                form.text(b"archive");
                form.digests(&[*archive]);
            }
        }
    }
    Ok(())
}

impl Item<'_> {
    fn describe(&self, form: &mut Form) {
        let entry = &self.entry;
        form.text(entry.path().as_bytes());
        form.number(u64::from(entry.mode()));
        let xattrs = entry.xattrs();
        form.number(xattrs.len() as u64);
        for (name, value) in xattrs {
            form.text(&name);
            form.text(&value);
        }
        match (entry.kind(), &self.content) {
            (SourceKind::Symlink(target), _) => {
                form.text(b"l");
                form.text(target);
            }
            (SourceKind::File, content) => {
                form.text(b"f");
                form.digests(content.as_ref().map(|content| content.digest).as_slice());
                form.text(format!("{:?}", entry.link()).as_bytes());
            }
            (SourceKind::Directory, _) => form.text(b"d"),
            (SourceKind::Special(_) | SourceKind::Other(_), _) => form.text(b"?"),
        }
    }
}

impl Piece {
    fn paths(&self) -> Option<&Paths> {
        match self {
            Piece::Paths(paths) => Some(paths),
            Piece::File { .. } | Piece::Archive { .. } => None,
        }
    }
}

/// The entries that one selected path stands for: what is in a directory, or the file itself.
fn entries<'a>(
    planner: &mut StagePlanner<'_, '_>,
    order: &Order,
    paths: &'a Paths,
    selected: &Selected,
) -> Step<Vec<SourceEntry<'a>>> {
    let tree = &paths.tree;
    let mut entries = if selected.is_directory {
        tree.below(&selected.path, planner.needs)?
    } else {
        tree.find(&selected.path, LastComponent::Keep, planner.needs)?.into_iter().collect()
    };
    // What is excluded is named from the source on, or with `--parents` from the pivot on.
    match &selected.kept {
        Some(kept) => order.retain(&mut entries, &kept.pivot),
        None if selected.is_directory => order.retain(&mut entries, &selected.path),
        None => {}
    }
    Ok(entries)
}

/// As [`entries`], with the content of each file.
fn items<'a>(
    planner: &mut StagePlanner<'_, '_>,
    order: &Order,
    paths: &'a Paths,
    selected: &Selected,
    sources: Sources,
) -> Step<Vec<Item<'a>>> {
    let entries = entries(planner, order, paths, selected)?;
    let mut items = Vec::with_capacity(entries.len());
    if sources == Sources::Noted {
        planner.shared.sources.reserve(entries.len());
    }
    let mut is_known = true;
    for entry in entries {
        let content = match entry.kind() {
            SourceKind::File => {
                let content = content(planner, &paths.tree, &entry, &paths.word, sources)?;
                is_known &= content.is_some();
                content
            }
            SourceKind::Special(what) => {
                let message = format!("`{}` is a {what}, which an image cannot take", entry.path());
                return Err(PlanError::files(paths.word.span.clone(), message)
                    .with_hint("exclude it, in .dockerignore or with --exclude")
                    .into());
            }
            SourceKind::Directory | SourceKind::Symlink(_) | SourceKind::Other(_) => None,
        };
        items.push(Item { entry, content });
    }
    if !is_known {
        let entries: Vec<SourceEntry<'_>> = items.into_iter().map(|item| item.entry).collect();
        need_contents(planner, &paths.tree, &entries)?;
        return Err(Stop::Needs);
    }
    Ok(items)
}

/// Asks for the digests of all files of a context that are not known.
pub(super) fn need_contents(
    planner: &mut StagePlanner<'_, '_>,
    tree: &SourceTree,
    entries: &[SourceEntry<'_>],
) -> Step<()> {
    let SourceTree::Listing(name, _) = tree else { return Ok(()) };
    let known = planner.shared.facts.contents.get(name);
    let is_missing = |path: &ImagePath| known.is_none_or(|known| !known.contains_key(path));
    let missing: Vec<ImagePath> = entries
        .iter()
        .filter(|entry| matches!(entry.kind(), SourceKind::File) && is_missing(entry.path()))
        .map(|entry| entry.path().clone())
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    planner.needs.add(Need::Contents(name.clone(), missing));
    Err(Stop::Needs)
}

/// A file's content; `None` if it has to be asked for.
pub(super) fn content(
    planner: &mut StagePlanner<'_, '_>,
    tree: &SourceTree,
    entry: &SourceEntry<'_>,
    word: &Word,
    note: Sources,
) -> Step<Option<Content>> {
    let sources = &mut planner.shared.sources;
    match (tree, entry) {
        (SourceTree::Listing(name, _), entry) => {
            let known = planner.shared.facts.contents.get(name);
            let Some(content) = known.and_then(|known| known.get(entry.path())) else {
                return Ok(None);
            };
            planner.reads.note_file(name);
            if note == Sources::Noted {
                sources.entry(content.digest).or_insert_with(|| Source::Context {
                    context: name.clone(),
                    path: entry.path().clone(),
                });
            }
            Ok(Some(*content))
        }
        (SourceTree::Tree(tree), SourceEntry::Found(path, found)) => {
            let broken = || {
                let message = format!("`/{path}` is a hard link to nothing");
                PlanError::base(word.span.clone(), message)
                    .with_hint("the image is hostile or broken: do not use it")
            };
            let (content, file) = tree.file(*found, planner.needs)?.ok_or_else(broken)?;
            if note == Sources::Noted
                && !sources.contains_key(&content.digest)
                && let Some(source) = tree.source(&content, file, sources)
            {
                sources.insert(content.digest, source);
            }
            Ok(Some(content))
        }
        (SourceTree::Tree(_), entry) => {
            let message = format!("`{}` is no file", entry.path());
            Err(PlanError::files(word.span.clone(), message).into())
        }
    }
}
