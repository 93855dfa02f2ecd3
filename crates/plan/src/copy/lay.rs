//! Lays the pieces of a `COPY` or an `ADD` on the stage's tree.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use context::LastComponent;
use layer::{Attributes, Content, Entry, LayerIndex, Node};
use oci::{Digest, ImagePath};
use recipe::{Copy, FileKind, FileMode, Span};

use super::Order;
use super::piece::{self, Gathered, Item, Paths, Piece, Sources};
use super::selection::Kept;
use super::sources::{LinkKey, SourceEntry, SourceKind};
use crate::error::{PlanError, Step};
use crate::grouping;
use crate::grouping::files::Part;
use crate::key::Form;
use crate::laying::{DirectoryId, Existing, FileKey, Laying, Target};
use crate::outcome::{Becomes, LayerSpec, Source};
use crate::owner::{self, Ids};
use crate::record::Recall;
use crate::stage::StagePlanner;

/// How many hard links lead to a file at most, in an archive.
const MAX_LINKS: usize = 40;

/// A layer being laid: where, and with what attributes.
struct Work<'a, 'b, 'c> {
    planner: &'a mut StagePlanner<'b, 'c>,
    laying: Laying,
    order: &'a Order,
    owner: Option<Ids>,
    /// The number of the piece that is laid.
    number: usize,
}

/// The layers that `pieces` of contexts make: on record, or laid.
pub(super) fn recalled_or_laid(
    planner: &mut StagePlanner<'_, '_>,
    copy: &Copy,
    order: &Order,
    pieces: &[Piece],
    title: &str,
    span: &Span,
) -> Step<Becomes> {
    let laid = |planner: &mut StagePlanner<'_, '_>| {
        Ok(Becomes::files(lay(planner, copy, order, pieces, title)?))
    };
    if planner.shared.facts.recall == Recall::Never {
        return laid(planner);
    }
    let mut form = Form::new();
    form.text(b"COPY");
    // The history has it as it is written.
    form.text(title.as_bytes());
    order.describe(copy, &mut form);
    piece::describe(planner, order, pieces, &mut form)?;
    planner.recalled(form, span, laid)
}

/// The layers that `pieces` make; none, if there is nothing in them.
pub(super) fn lay(
    planner: &mut StagePlanner<'_, '_>,
    copy: &Copy,
    order: &Order,
    pieces: &[Piece],
    title: &str,
) -> Step<Vec<Arc<LayerSpec>>> {
    if planner.state.tree.has_unknown() {
        // Where it goes may not be found out in this round; what goes there can.
        piece::ask(planner, order, pieces)?;
    }
    // What lies below comes first: a question to it may take several rounds, and they are short
    // as long as the sources are not gone through.
    let owner = match &order.owner {
        Some((owner, span)) => Some(owner::resolve(planner, owner, span)?),
        None => None,
    };
    if !copy.link {
        planner.state.tree.follow(&order.destination.path, planner.needs)?;
    }
    let gathered = piece::gather(planner, order, pieces, Sources::Noted)?;
    let Ids { uid, gid } = owner.unwrap_or(owner::ROOT);
    let mtime = planner.shared.request.timestamp;
    let made = Attributes { uid, gid, ..Attributes::root(order.made_mode, mtime) };
    // `--link` lays a layer that knows nothing of what is below it (Docker's reference, "COPY
    // --link"), so that it stays the same on every base.
    let below = (!copy.link).then(|| planner.state.tree.clone());
    let laying = Laying::new(below, made, order.destination.span.clone());
    let mut work = Work { planner, laying, order, owner, number: 0 };
    for (number, (piece, gathered)) in pieces.iter().zip(gathered).enumerate() {
        work.number = number;
        match piece {
            Piece::Paths(paths) => work.paths(paths, gathered)?,
            Piece::File { name, content, mode, span } => {
                work.file(name, *content, *mode, span)?;
            }
            Piece::Archive { archive, members, span } => {
                work.archive(*archive, members, span)?;
            }
        }
    }
    let Work { planner, laying, .. } = work;
    let parts = grouping::files::parts(laying.finish(), grouping::most_layers(planner));
    let mut layers = Vec::new();
    for Part { entries, name } in parts {
        let part = name.map(|name| name.to_string());
        let title = part_title(title, part.as_deref());
        let layer = planner.layer(entries, BTreeMap::new(), &title);
        layers.extend(layer.map(|layer| planner.push(LayerSpec { part, ..layer })));
    }
    Ok(layers)
}

/// What a layer of an instruction is called: as the instruction, or, if it has a part of what that
/// lays, by its first line and which part.
fn part_title(title: &str, part: Option<&str>) -> String {
    match part {
        Some(part) => format!("{} # {part}", title.lines().next().unwrap_or_default()),
        None => title.to_owned(),
    }
}

impl Work<'_, '_, '_> {
    fn paths(&mut self, paths: &Paths, gathered: Vec<Gathered<'_>>) -> Step<()> {
        self.laying.reserve(gathered.iter().map(|gathered| gathered.items.len()).sum());
        let several = gathered.len();
        for Gathered { selected, items } in gathered {
            match &selected.kept {
                Some(kept) if !kept.relative.is_root() => self.kept(paths, kept, items)?,
                _ if selected.is_directory => {
                    let destination = &self.order.destination.path;
                    let into = self.laying.directory(destination, self.planner.needs)?;
                    self.contents(paths, &selected.path, into, items)?;
                }
                _ => {
                    let (into, name) = self.file_target(&selected.name, several, paths)?;
                    for item in items {
                        self.item(into, &name, item)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Where a file lands: in the destination, or as the destination.
    fn file_target(
        &mut self,
        name: &[u8],
        several: usize,
        paths: &Paths,
    ) -> Step<(DirectoryId, Vec<u8>)> {
        match self.target()? {
            Target::Directory(into) => Ok((into, name.to_vec())),
            Target::File(..) if several > 1 => {
                let message = format!(
                    "`{}` means {several} paths, and the destination is no directory",
                    paths.word.text,
                );
                Err(PlanError::recipe(self.order.destination.span.clone(), message)
                    .with_hint("write a slash at the destination's end")
                    .into())
            }
            Target::File(into, name) => Ok((into, name)),
        }
    }

    fn target(&mut self) -> Step<Target> {
        let destination = &self.order.destination;
        if destination.is_directory {
            let into = self.laying.directory(&destination.path, self.planner.needs)?;
            return Ok(Target::Directory(into));
        }
        self.laying.target(&destination.path, self.planner.needs)
    }

    /// `--parents`: the directories above the source come along, with their own attributes.
    fn kept(&mut self, paths: &Paths, kept: &Kept, items: Vec<Item<'_>>) -> Step<()> {
        let destination = &self.order.destination.path;
        let destination = self.laying.directory(destination, self.planner.needs)?;
        let source = kept.pivot.join(kept.relative.as_bytes());
        let into = self.copied_directory(paths, &kept.pivot, destination, &{
            kept.relative.parent().unwrap_or_else(ImagePath::root)
        })?;
        let name = kept.relative.file_name().unwrap_or_default();
        let found = paths.tree.find(&source, LastComponent::Keep, self.planner.needs)?;
        match found {
            Some(entry) if entry.is_directory() => {
                let root = entry.path().clone();
                let into = self.directory_item(into, name, &entry)?;
                self.contents(paths, &root, into, items)
            }
            _ => {
                for item in items {
                    self.item(into, name, item)?;
                }
                Ok(())
            }
        }
    }

    /// What is in the directory `root` of a source, into `into`.
    fn contents(
        &mut self,
        paths: &Paths,
        root: &ImagePath,
        into: DirectoryId,
        items: Vec<Item<'_>>,
    ) -> Step<()> {
        // Directories by their names from `root` on. What is in one comes directly after it.
        let mut open: HashMap<Vec<u8>, DirectoryId> = HashMap::from([(Vec::new(), into)]);
        let mut last = (Vec::new(), into);
        for item in items {
            let path = item.entry.path().clone();
            let relative = path.strip_prefix(root).unwrap_or_default();
            let cut = relative.iter().rposition(|byte| *byte == b'/');
            let (above, name) = match cut {
                Some(slash) => (&relative[..slash], &relative[slash + 1..]),
                None => (&relative[..0], relative),
            };
            if last.0 != above {
                let id = match open.get(above) {
                    Some(id) => *id,
                    // Excluded, but not everything in it.
                    None => self.copied_directory(paths, root, into, &ImagePath::lexical(above))?,
                };
                last = (above.to_vec(), id);
            }
            if item.entry.is_directory() {
                let id = self.directory_item(last.1, name, &item.entry)?;
                open.insert(relative.to_vec(), id);
            } else {
                self.item(last.1, name, item)?;
            }
        }
        Ok(())
    }

    /// The directory `relative` of a source's directory, laid alone; a link to one is one.
    fn copied_directory(
        &mut self,
        paths: &Paths,
        root: &ImagePath,
        into: DirectoryId,
        relative: &ImagePath,
    ) -> Step<DirectoryId> {
        let (mut at, mut source) = (into, root.clone());
        for name in relative.components() {
            source = source.join(name);
            let found = paths.tree.find(&source, LastComponent::Follow, self.planner.needs)?;
            at = match found {
                Some(entry) => self.directory_item(at, name, &entry)?,
                None => self.laying.directory_below(at, name, self.planner.needs)?,
            };
        }
        Ok(at)
    }

    fn directory_item(
        &mut self,
        into: DirectoryId,
        name: &[u8],
        entry: &SourceEntry<'_>,
    ) -> Step<DirectoryId> {
        let attributes = self.attributes(entry, FileKind::Directory);
        let is_asked = self.owner.is_some() || self.order.mode.is_some();
        let existing = if is_asked { Existing::Changed } else { Existing::Kept };
        self.laying.place_directory(into, name, attributes, existing, self.planner.needs)
    }

    fn item(&mut self, into: DirectoryId, name: &[u8], item: Item<'_>) -> Step<()> {
        let mut attributes = self.attributes(&item.entry, FileKind::Other);
        let (node, link) = match (item.entry.kind(), item.content) {
            (SourceKind::File, Some(content)) => (Node::File(content), item.entry.link()),
            (SourceKind::Symlink(target), _) => {
                // A link's own mode means nothing: Linux has it at 0777.
                attributes.mode = 0o777;
                (Node::Symlink(target.to_vec()), None)
            }
            (SourceKind::Other(node), _) => (node.clone(), None),
            (SourceKind::File | SourceKind::Directory | SourceKind::Special(_), _) => return Ok(()),
        };
        let file = link.map(|link| (self.number, link));
        self.laying.place(into, name, attributes, node, file, self.planner.needs)
    }

    fn attributes(&self, entry: &SourceEntry<'_>, kind: FileKind) -> Attributes {
        let change = |mode: &FileMode| mode.apply(entry.mode(), kind);
        let Ids { uid, gid } = self.owner.unwrap_or_else(|| entry.owner());
        Attributes {
            mode: self.order.mode.as_ref().map_or_else(|| entry.mode(), change),
            uid,
            gid,
            mtime: entry.mtime().unwrap_or(self.planner.shared.request.timestamp),
            xattrs: entry.xattrs(),
        }
    }

    /// A file that is no path of a source.
    fn file(&mut self, name: &str, content: Content, mode: u32, span: &Span) -> Step<()> {
        let (into, name) = match self.target()? {
            Target::Directory(_) if name.is_empty() => {
                let message = "the address names no file, and the destination is a directory";
                return Err(PlanError::recipe(span.clone(), message)
                    .with_hint("give the file a name in the destination")
                    .into());
            }
            Target::Directory(into) => (into, name.as_bytes().to_vec()),
            Target::File(into, name) => (into, name),
        };
        let change = |change: &FileMode| change.apply(mode, FileKind::Other);
        let mode = self.order.mode.as_ref().map_or(mode, change);
        let Ids { uid, gid } = self.owner.unwrap_or(owner::ROOT);
        let mtime = self.planner.shared.request.timestamp;
        let attributes = Attributes { uid, gid, ..Attributes::root(mode, mtime) };
        self.laying.place(into, &name, attributes, Node::File(content), None, self.planner.needs)
    }

    /// An archive's entries below the destination, with the attributes that the archive gives
    /// them; `--chmod` is not for them, as BuildKit has it.
    fn archive(&mut self, archive: Digest, members: &LayerIndex, span: &Span) -> Step<()> {
        let destination = &self.order.destination.path;
        let into = self.laying.directory(destination, self.planner.needs)?;
        let names = members.entries().iter().filter_map(|member| match &member.node {
            Node::Hardlink(target) => Some(target),
            _ => None,
        });
        let linked: HashSet<&ImagePath> = names.collect();
        for member in members.entries() {
            let (Some(above), Some(name)) = (member.path.parent(), member.path.file_name()) else {
                // The destination stays what it is, whatever the archive says of its root.
                continue;
            };
            if member.is_marker() {
                continue;
            }
            let original = original(members, member).ok_or_else(|| {
                let path = &member.path;
                let message = format!("`{path}` of the archive is a hard link to nothing in it");
                PlanError::files(span.clone(), message)
            })?;
            let into = self.laying.directory_below(into, above.as_bytes(), self.planner.needs)?;
            let file = linked
                .contains(&original.path)
                .then(|| (self.number, LinkKey::Layer(0, original.path.clone())));
            self.member(archive, original, into, name, file)?;
        }
        Ok(())
    }

    fn member(
        &mut self,
        archive: Digest,
        member: &Entry,
        into: DirectoryId,
        name: &[u8],
        file: Option<FileKey>,
    ) -> Step<()> {
        let mut attributes = member.attributes.clone();
        if let Some(Ids { uid, gid }) = self.owner {
            (attributes.uid, attributes.gid) = (uid, gid);
        }
        let needs = &mut *self.planner.needs;
        if member.node == Node::Directory {
            let existing = Existing::Changed;
            self.laying.place_directory(into, name, attributes, existing, needs)?;
            return Ok(());
        }
        if let Node::File(content) = &member.node {
            let source = || Source::Archive { archive, path: member.path.clone() };
            self.planner.shared.sources.entry(content.digest).or_insert_with(source);
        }
        self.laying.place(into, name, attributes, member.node.clone(), file, needs)
    }
}

/// The entry that a member is, or is another name of.
fn original<'a>(members: &'a LayerIndex, member: &'a Entry) -> Option<&'a Entry> {
    let mut at = member;
    for _ in 0..MAX_LINKS {
        match &at.node {
            Node::Hardlink(target) => at = members.entry(target)?,
            _ => return Some(at),
        }
    }
    None
}
