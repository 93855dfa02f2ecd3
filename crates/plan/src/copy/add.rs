//! `ADD`: a copy that also fetches and unpacks.
//!
//! Docker's reference, "ADD": a local archive in a known compression is unpacked, a URL is fetched
//! and is not, a git repository is checked out.

use std::sync::Arc;

use context::LastComponent;
use layer::{Content, LayerIndex};
use oci::{Digest, ImagePath};
use recipe::{Add, Span, Word};

use super::address::{self, Address};
use super::piece::{self, Paths, Piece, Sources};
use super::selection::{self, Selected};
use super::sources::{SourceKind, SourceTree};
use super::{Order, context_tree, lay};
use crate::error::{PlanError, Step, Stop};
use crate::facts::FileReference;
use crate::outcome::{Becomes, Source};
use crate::stage::StagePlanner;
use crate::{ContextName, GitSource, Need};

/// The mode of a fetched file (Docker's reference, "ADD": 600).
const FETCHED_MODE: u32 = 0o600;

/// Plans an `ADD`.
pub(crate) fn plan_add(
    planner: &mut StagePlanner<'_, '_>,
    add: &Add,
    text: &str,
    span: &Span,
) -> Step<Becomes> {
    let order = Order::read(planner, &add.copy)?;
    let mut pieces = Vec::new();
    let mut is_known = true;
    for source in &add.copy.sources {
        let found = match source {
            recipe::Source::Heredoc(heredoc) => {
                super::heredoc(planner, heredoc).map(|piece| vec![piece])
            }
            recipe::Source::Path(word) => add_one(planner, add, &order, word, span),
        };
        match found {
            Ok(found) => pieces.extend(found),
            // The other sources ask for what they need in the same round.
            Err(Stop::Needs) => is_known = false,
            Err(stop) => return Err(stop),
        }
    }
    if !is_known {
        // So do the contents of those that are known.
        piece::ask(planner, &order, &pieces)?;
        return Err(Stop::Needs);
    }
    lay::recalled_or_laid(planner, &add.copy, &order, &pieces, text, span)
}

fn add_one(
    planner: &mut StagePlanner<'_, '_>,
    add: &Add,
    order: &Order,
    word: &Word,
    span: &Span,
) -> Step<Vec<Piece>> {
    let text = planner.expand(word)?;
    let checksum = checksum(planner, add)?;
    let address = Address::read(&text)
        .map_err(|problem| PlanError::recipe(word.span.clone(), format!("`{text}`: {problem}")))?;
    match (address, checksum) {
        (Address::Git(git), checksum) => {
            let git = with_flags(git, add, checksum, &word.span)?;
            Ok(vec![checkout(planner, word, git)?])
        }
        (Address::Url, checksum) => Ok(vec![download(planner, add, word, &text, checksum)?]),
        (Address::Path, Some((_, span))) => {
            let message = "--checksum is for URLs and git repositories, and this source is neither";
            Err(PlanError::recipe(span, message).into())
        }
        (Address::Path, None) => local(planner, add, order, word, span),
    }
}

/// `--checksum`, and its place.
fn checksum(planner: &mut StagePlanner<'_, '_>, add: &Add) -> Step<Option<(String, Span)>> {
    let Some(word) = &add.checksum else { return Ok(None) };
    if add.copy.sources.len() > 1 {
        let message = "--checksum is for one source, and there are several";
        return Err(PlanError::recipe(word.span.clone(), message)
            .with_hint("write an ADD for each")
            .into());
    }
    Ok(Some((planner.expand(word)?, word.span.clone())))
}

/// What flags add to the address, which may say the same.
fn with_flags(
    mut git: GitSource,
    add: &Add,
    checksum: Option<(String, Span)>,
    span: &Span,
) -> Step<GitSource> {
    git.keep_git_dir |= add.keep_git_dir;
    let Some((checksum, place)) = checksum else { return Ok(git) };
    if git.checksum.as_ref().is_some_and(|of_address| *of_address != checksum) {
        let message = "the address and --checksum ask for different commits";
        return Err(PlanError::recipe(span.clone(), message).into());
    }
    if !address::is_commit(&checksum) {
        let message = format!("`{checksum}` is no commit's id");
        return Err(PlanError::recipe(place, message)
            .with_hint("the checksum of a git repository is the id of a commit, in hexadecimal")
            .into());
    }
    git.checksum = Some(checksum);
    Ok(git)
}

/// Files of the context, each archive among them unpacked.
fn local(
    planner: &mut StagePlanner<'_, '_>,
    add: &Add,
    order: &Order,
    word: &Word,
    span: &Span,
) -> Step<Vec<Piece>> {
    let tree = context_tree(planner, ContextName::Main, span)?;
    let found = selection::select(planner, &tree, &add.copy, order, word)?;
    let (mut plain, mut pieces) = (Vec::new(), Vec::new());
    let mut is_known = true;
    for selected in found {
        let unpacked = if selected.is_directory || add.unpack == Some(false) {
            Ok(None)
        } else {
            unpacked(planner, &tree, &selected, word)
        };
        match unpacked {
            Ok(None) => plain.push(selected),
            Ok(Some((archive, members))) => {
                pieces.push(Piece::Archive { archive, members, span: word.span.clone() });
            }
            Err(Stop::Needs) => is_known = false,
            Err(stop) => return Err(stop),
        }
    }
    if !plain.is_empty() {
        pieces.push(Piece::Paths(Paths { tree, selected: plain, word: word.clone() }));
    }
    if !is_known {
        piece::ask(planner, order, &pieces)?;
        return Err(Stop::Needs);
    }
    Ok(pieces)
}

/// The entries of a file of the context, if it is an archive.
fn unpacked(
    planner: &mut StagePlanner<'_, '_>,
    tree: &SourceTree,
    selected: &Selected,
    word: &Word,
) -> Step<Option<(Digest, Arc<LayerIndex>)>> {
    let entry = tree.find(&selected.path, LastComponent::Keep, planner.needs)?;
    let Some(entry) = entry.filter(|entry| matches!(entry.kind(), SourceKind::File)) else {
        return Ok(None);
    };
    match piece::content(planner, tree, &entry, word, Sources::Noted)? {
        Some(content) => archive(planner, content, word),
        None => {
            piece::need_contents(planner, tree, &[entry])?;
            Ok(None)
        }
    }
}

fn archive(
    planner: &mut StagePlanner<'_, '_>,
    content: Content,
    word: &Word,
) -> Step<Option<(Digest, Arc<LayerIndex>)>> {
    if let Some(index) = planner.shared.facts.archives.get(&content.digest) {
        return Ok(index.clone().map(|index| (content.digest, index)));
    }
    let Some(source) = planner.shared.sources.get(&content.digest).cloned() else {
        return Ok(None);
    };
    let file = FileReference { content, source };
    planner.needs.add(Need::Archive(file, word.span.clone()));
    Err(Stop::Needs)
}

fn download(
    planner: &mut StagePlanner<'_, '_>,
    add: &Add,
    word: &Word,
    url: &str,
    checksum: Option<(String, Span)>,
) -> Step<Piece> {
    let digest = |(text, span): (String, Span)| {
        text.parse::<Digest>().map_err(|error| PlanError::recipe(span, error.to_string()))
    };
    let checksum = checksum.map(digest).transpose()?;
    let Some(download) = planner.shared.facts.downloads.get(url) else {
        let (url, span) = (url.to_owned(), word.span.clone());
        let shown = url.clone();
        planner.needs.add(Need::Download { url, shown, checksum, span });
        return Err(Stop::Needs);
    };
    let content = download.content;
    let source = Source::Download { url: url.to_owned() };
    planner.shared.sources.entry(content.digest).or_insert(source);
    let span = word.span.clone();
    if add.unpack == Some(true)
        && let Some((archive, members)) = archive(planner, content, word)?
    {
        return Ok(Piece::Archive { archive, members, span });
    }
    let name = address::file_name(url);
    Ok(Piece::File { name, content, mode: FETCHED_MODE, span })
}

fn checkout(planner: &mut StagePlanner<'_, '_>, word: &Word, git: GitSource) -> Step<Piece> {
    let tree = context_tree(planner, ContextName::Git(git), &word.span)?;
    let path = ImagePath::root();
    let root = Selected { path, name: Vec::new(), is_directory: true, kept: None };
    Ok(Piece::Paths(Paths { tree, selected: vec![root], word: word.clone() }))
}
