//! `ADD`: a copy that also fetches and unpacks.
//!
//! Docker's reference, "ADD": a local archive in a known compression is unpacked, a URL is fetched
//! and is not, a git repository is checked out.

use std::sync::Arc;

use layer::{Content, Entry, LayerIndex, Node};
use oci::{Digest, ImagePath};
use recipe::{Add, Span, Word};

use super::laying::{Laying, Placing};
use super::selection::{self, Selected};
use super::sources::{SourceNode, SourceTree};
use super::{Destination, Flags, Laid, attributes};
use crate::error::{PlanError, Step, Stop};
use crate::facts::FileReference;
use crate::outcome::{Becomes, Source};
use crate::owner::Ids;
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
    let flags = super::flags(planner, &add.copy)?;
    let destination = super::destination(planner, &add.copy)?;
    let mut laying = super::laying(planner, &add.copy, &flags);
    let mut stopped = false;
    for source in &add.copy.sources {
        let laid = match source {
            recipe::Source::Heredoc(heredoc) => {
                super::lay_heredoc(planner, &mut laying, heredoc, &flags, &destination)
            }
            recipe::Source::Path(word) => {
                add_one(planner, &mut laying, add, word, &flags, &destination, span)
            }
        };
        match laid {
            // The other sources ask for what they need in the same round.
            Err(Stop::Needs) => stopped = true,
            other => other?,
        }
    }
    if stopped {
        return Err(Stop::Needs);
    }
    Ok(match planner.lay(laying.finish(), text) {
        None => Becomes::Metadata,
        Some(spec) => Becomes::Files(spec),
    })
}

fn add_one(
    planner: &mut StagePlanner<'_, '_>,
    laying: &mut Laying,
    add: &Add,
    word: &Word,
    flags: &Flags,
    destination: &Destination,
    span: &Span,
) -> Step<()> {
    let text = planner.expand(word)?;
    if let Some(git) = git_source(&text, add.keep_git_dir) {
        return add_checkout(planner, laying, add, word, flags, destination, git);
    }
    if text.starts_with("http://") || text.starts_with("https://") {
        return add_download(planner, laying, add, word, flags, destination, &text);
    }
    if let Some(checksum) = &add.checksum {
        let message = "--checksum is for URLs, and this source is a file";
        return Err(PlanError::recipe(checksum.span.clone(), message).into());
    }
    let (tree, _) = super::source_tree(planner, None, span)?;
    let found = selection::select(planner, &tree, &add.copy, word)?;
    let mut plain = Vec::new();
    let mut stopped = false;
    for selected in found {
        if selected.is_directory() || add.unpack == Some(false) {
            plain.push(selected);
            continue;
        }
        match unpacked(planner, &tree, &selected) {
            Ok(Some((archive, index))) => {
                lay_archive(planner, laying, archive, &index, flags, destination)?;
            }
            Ok(None) => plain.push(selected),
            Err(Stop::Needs) => stopped = true,
            Err(error) => return Err(error),
        }
    }
    if stopped {
        return Err(Stop::Needs);
    }
    let several = add.copy.sources.len() > 1;
    let laid = Laid { flags, destination, several, copy: &add.copy, word };
    let mut missing = Vec::new();
    super::lay_selected(planner, laying, &tree, plain, &laid, &mut missing)?;
    super::need_contents(planner, &tree, missing)
}

/// The entries of a file of the context, if it is an archive.
fn unpacked(
    planner: &mut StagePlanner<'_, '_>,
    tree: &SourceTree,
    selected: &Selected,
) -> Step<Option<(Digest, Arc<LayerIndex>)>> {
    if !matches!(selected.entry.node, SourceNode::File { .. }) {
        return Ok(None);
    }
    let mut missing = Vec::new();
    let Some(content) = tree.content(&selected.entry, planner, &mut missing)? else {
        super::need_contents(planner, tree, missing)?;
        return Ok(None);
    };
    archive(planner, content)
}

fn archive(
    planner: &mut StagePlanner<'_, '_>,
    content: Content,
) -> Step<Option<(Digest, Arc<LayerIndex>)>> {
    match planner.shared.facts.archives.get(&content.digest) {
        Some(index) => Ok(index.clone().map(|index| (content.digest, index))),
        None => {
            let Some(source) = planner.shared.sources.get(&content.digest).cloned() else {
                return Ok(None);
            };
            planner.needs.add(Need::Archive(FileReference { content, source }));
            Err(Stop::Needs)
        }
    }
}

/// An archive's entries below the destination, with the attributes that the archive gives them.
fn lay_archive(
    planner: &mut StagePlanner<'_, '_>,
    laying: &mut Laying,
    archive: Digest,
    index: &LayerIndex,
    flags: &Flags,
    destination: &Destination,
) -> Step<()> {
    laying.directory(&destination.path, &destination.span, planner.needs)?;
    for member in index.entries() {
        if member.path.is_root() || matches!(member.node, Node::Whiteout | Node::Opaque) {
            continue;
        }
        let of_member = &member.attributes;
        let owner = Ids { uid: of_member.uid, gid: of_member.gid };
        let is_directory = member.node == Node::Directory;
        let mut attributes = attributes(flags, of_member.mode, owner, is_directory, planner);
        attributes.mtime = of_member.mtime;
        attributes.xattrs.clone_from(&of_member.xattrs);
        let below = |path: &ImagePath| destination.path.join(path.as_bytes());
        let node = match &member.node {
            Node::File(content) => {
                let source = Source::Archive { archive, path: member.path.clone() };
                planner.shared.sources.entry(content.digest).or_insert(source);
                member.node.clone()
            }
            Node::Hardlink(target) => Node::Hardlink(below(target)),
            other => other.clone(),
        };
        let entry = Entry { path: below(&member.path), attributes, node };
        laying.place(entry, Placing::Attributes, &destination.span, planner.needs)?;
    }
    Ok(())
}

fn add_download(
    planner: &mut StagePlanner<'_, '_>,
    laying: &mut Laying,
    add: &Add,
    word: &Word,
    flags: &Flags,
    destination: &Destination,
    url: &str,
) -> Step<()> {
    let checksum = match &add.checksum {
        None => None,
        Some(word) => {
            let text = planner.expand(word)?;
            let digest = text.parse::<Digest>();
            Some(digest.map_err(|e| PlanError::recipe(word.span.clone(), e.to_string()))?)
        }
    };
    let Some(download) = planner.shared.facts.downloads.get(url) else {
        let (url, span) = (url.to_owned(), word.span.clone());
        planner.needs.add(Need::Download { url, checksum, span });
        return Err(Stop::Needs);
    };
    let content = download.content;
    let source = Source::Download { url: url.to_owned() };
    planner.shared.sources.entry(content.digest).or_insert(source);
    if add.unpack == Some(true)
        && let Some((archive, index)) = archive(planner, content)?
    {
        return lay_archive(planner, laying, archive, &index, flags, destination);
    }
    let name = file_name(url);
    if name.is_empty() && destination.is_directory {
        let message = format!("`{url}` names no file, and the destination is a directory");
        return Err(PlanError::recipe(word.span.clone(), message)
            .with_hint("give the file a name in the destination")
            .into());
    }
    let path = super::file_destination(planner, laying, destination, name.as_bytes())?;
    let attributes = attributes(flags, FETCHED_MODE, crate::owner::ROOT, false, planner);
    let entry = Entry { path, attributes, node: Node::File(content) };
    laying.place(entry, Placing::Plain, &destination.span, planner.needs)
}

/// The last component of a URL's path.
fn file_name(url: &str) -> &str {
    let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = after_scheme.split(['?', '#']).next().unwrap_or_default();
    path.split_once('/').map_or("", |(_, path)| path.rsplit('/').next().unwrap_or_default())
}

fn add_checkout(
    planner: &mut StagePlanner<'_, '_>,
    laying: &mut Laying,
    add: &Add,
    word: &Word,
    flags: &Flags,
    destination: &Destination,
    git: GitSource,
) -> Step<()> {
    let tree = super::context_tree(planner, ContextName::Git(git), &word.span)?;
    let Some(entry) = tree.find(&ImagePath::root(), planner.needs)? else { return Ok(()) };
    let root = Selected { entry, name: Vec::new(), parents: None };
    let laid = Laid { flags, destination, several: false, copy: &add.copy, word };
    let mut missing = Vec::new();
    super::lay_selected(planner, laying, &tree, vec![root], &laid, &mut missing)?;
    super::need_contents(planner, &tree, missing)
}

/// Reads a git repository's address: `git@host:path`, `git://…`, `ssh://…`, or an HTTP address
/// whose path ends in `.git`, each with `#reference:directory` behind it.
fn git_source(text: &str, keep_git_dir: bool) -> Option<GitSource> {
    let (url, fragment) = match text.split_once('#') {
        Some((url, fragment)) => (url, Some(fragment)),
        None => (text, None),
    };
    let over_http = (url.starts_with("http://") || url.starts_with("https://"))
        && url.trim_end_matches('/').ends_with(".git");
    let is_git = over_http
        || url.starts_with("git://")
        || url.starts_with("git@")
        || (url.starts_with("ssh://") && url.contains(".git"));
    if !is_git {
        return None;
    }
    let (reference, directory) = match fragment.map(|f| f.split_once(':').unwrap_or((f, ""))) {
        Some((reference, directory)) => (Some(reference), Some(directory)),
        None => (None, None),
    };
    let some = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
    Some(GitSource {
        url: url.to_owned(),
        reference: some(reference),
        directory: some(directory),
        keep_git_dir,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn git_addresses() {
        let source = |text| git_source(text, false).map(|s| (s.url, s.reference, s.directory));
        let https = "https://example.test/a/b.git";
        assert_eq!(source(https), Some((https.into(), None, None)));
        let with_parts = source("https://example.test/a/b.git#v1.2:docs");
        assert_eq!(with_parts, Some((https.into(), Some("v1.2".into()), Some("docs".into()))));
        assert_eq!(
            source("git@example.test:a/b.git").map(|s| s.0).as_deref(),
            Some("git@example.test:a/b.git")
        );
        assert_eq!(source("https://example.test/file.tar.gz"), None);
        assert_eq!(source("./local.git"), None);
    }

    #[test]
    fn url_names() {
        assert_eq!(file_name("https://example.test/a/b.txt?x=/y#z"), "b.txt");
        assert_eq!(file_name("https://example.test/"), "");
        assert_eq!(file_name("https://example.test"), "");
    }
}
