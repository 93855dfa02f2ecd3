//! Several layers as the one root file system that a container sees.
//!
//! The layers' indexes are merged while they are asked, topmost first, so a question is answered
//! without the layers below the one that settles it: they may not even be loaded. Paths and links
//! are resolved inside the root, as in a `chroot`. This says what stands where and reads no bytes.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use oci::ImagePath;

use crate::tree::Tree;
use crate::{Attributes, Entry, LayerIndex, Node};

/// A merged view over layers.
///
/// ```
/// use std::sync::Arc;
/// use layer::{Attributes, Content, Entry, LayerIndex, Node, RootFs};
/// use oci::ImagePath;
///
/// let entry = |path: &str, node| {
///     let attributes = Attributes::root(0o755, 0);
///     Entry { path: ImagePath::lexical(path), attributes, node }
/// };
/// let base = LayerIndex::from_entries(vec![
///     entry("bin", Node::Symlink(b"usr/bin".to_vec())),
///     entry("usr/bin/sh", Node::File(Content::of(b"shell"))),
///     entry("usr/bin/vi", Node::File(Content::of(b"editor"))),
/// ]);
/// let upper = LayerIndex::from_entries(vec![entry("usr/bin/vi", Node::Whiteout)]);
/// let root_fs = RootFs::new(vec![Some(Arc::new(base)), Some(Arc::new(upper))]);
///
/// let resolved = root_fs.resolve(&ImagePath::lexical("/bin/sh"))?;
/// assert_eq!(resolved.path, ImagePath::lexical("/usr/bin/sh"));
/// assert_eq!(resolved.found.map(|found| found.layer), Some(0));
/// assert_eq!(root_fs.lookup(&ImagePath::lexical("/usr/bin/vi"))?, None);
/// # Ok::<(), layer::ResolveError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct RootFs {
    layers: Vec<Option<Arc<LayerIndex>>>,
}

/// What stands at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found<'a> {
    /// The topmost layer that says so, counted from the lowest, 0.
    pub layer: usize,
    /// What it is, never a whiteout. A directory that no layer has an entry for, since only the
    /// paths below it imply it, is owned by root and has mode 0755 and time 0, as a runtime would
    /// make it; its entry's own path is the root's then.
    pub entry: &'a Entry,
}

/// A question that cannot be answered before a layer's index is loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("look into layer {layer}: its index is not loaded")]
pub struct NotLoaded {
    /// The layer, counted from the lowest, 0.
    pub layer: usize,
}

/// Why a path leads nowhere.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// A layer must be loaded first.
    #[error(transparent)]
    NotLoaded(#[from] NotLoaded),
    /// More symbolic links than Linux follows.
    #[error("follow `/{0}`: too many levels of symbolic links")]
    Loop(ImagePath),
    /// A component in the middle is no directory.
    #[error("follow `/{path}`: `/{at}` is not a directory")]
    NotADirectory {
        /// The whole path.
        path: ImagePath,
        /// The component.
        at: ImagePath,
    },
}

/// Where a path leads once all links are followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved<'a> {
    /// The path without a symbolic link in it. What is missing stands as it was asked for.
    pub path: ImagePath,
    /// What stands there, if anything.
    pub found: Option<Found<'a>>,
}

/// A path of PATH_MAX bytes has no more components.
const MAX_COMPONENTS: usize = 2048;

/// How many links Linux follows in one path (path_resolution(7)).
const MAX_LINKS: usize = 40;

static IMPLIED: LazyLock<Entry> = LazyLock::new(|| Entry {
    path: ImagePath::root(),
    attributes: Attributes::root(0o755, 0),
    node: Node::Directory,
});

impl RootFs {
    /// The view over `layers`, lowest first. `None` stands for one whose index is not loaded.
    pub fn new(layers: Vec<Option<Arc<LayerIndex>>>) -> Self {
        RootFs { layers }
    }

    /// The layers' indexes, lowest first.
    pub fn layers(&self) -> &[Option<Arc<LayerIndex>>] {
        &self.layers
    }

    /// This view with one more layer on top.
    pub fn push(&mut self, layer: Option<Arc<LayerIndex>>) {
        self.layers.push(layer);
    }

    /// What stands at exactly this path. No link is followed, not even in the middle.
    ///
    /// The root is always a directory; to ask for its attributes takes all layers down to the one
    /// that has an entry for it.
    pub fn lookup(&self, path: &ImagePath) -> Result<Option<Found<'_>>, NotLoaded> {
        self.lookup_below(self.layers.len(), path)
    }

    /// What the layers below `top` show at `path`.
    fn lookup_below(&self, top: usize, path: &ImagePath) -> Result<Option<Found<'_>>, NotLoaded> {
        let mut implied = None;
        for layer in (0..top).rev() {
            let index = self.index(layer)?;
            let place = Place::of(index, path);
            if let Some(slot) = place.slot {
                match index.tree().entry(index, slot) {
                    Some(entry) => return Ok(Some(settle(implied, Found { layer, entry }))),
                    None => implied = implied.or(Some(Found { layer, entry: &IMPLIED })),
                }
            }
            if place.hides_lower {
                break;
            }
        }
        let root = || path.is_root().then(|| Found { layer: 0, entry: &IMPLIED });
        Ok(implied.or_else(root))
    }

    /// What `path` leads to, with all symbolic links followed inside the root.
    pub fn resolve(&self, path: &ImagePath) -> Result<Resolved<'_>, ResolveError> {
        follow(self, path, Last::Followed)
    }

    /// What `path` leads to, with links followed in all components but the last: where a new
    /// entry of that name would stand.
    pub fn resolve_parent(&self, path: &ImagePath) -> Result<Resolved<'_>, ResolveError> {
        follow(self, path, Last::Kept)
    }

    /// The file that a hard link is another name of, or `found` itself if it is none.
    ///
    /// A target that is missing from the link's own layer is looked for in those below.
    pub fn behind_hardlink<'a>(
        &'a self,
        found: Found<'a>,
    ) -> Result<Option<Found<'a>>, ResolveError> {
        let mut now = found;
        for _ in 0..MAX_LINKS {
            let Node::Hardlink(target) = &now.entry.node else {
                return Ok(Some(now));
            };
            let own = self.index(now.layer)?.entry(target);
            let next = match own {
                Some(entry) => Some(Found { layer: now.layer, entry }),
                None => self.lookup_below(now.layer, target)?,
            };
            match next {
                Some(next) => now = next,
                None => return Ok(None),
            }
        }
        Err(ResolveError::Loop(found.entry.path.clone()))
    }

    /// What stands in the directory `path`, by name. Empty if there is no such directory; links
    /// are not followed.
    pub fn read_dir(&self, path: &ImagePath) -> Result<BTreeMap<Vec<u8>, Found<'_>>, NotLoaded> {
        let mut seen: BTreeMap<Vec<u8>, Child<'_>> = BTreeMap::new();
        for layer in (0..self.layers.len()).rev() {
            let index = self.index(layer)?;
            let tree = index.tree();
            let place = Place::of(index, path);
            let Some(slot) = place.slot else {
                if place.hides_lower {
                    break;
                }
                continue;
            };
            if !tree.entry(index, slot).is_none_or(is_directory) {
                // What a malformed layer has below it is nowhere.
                break;
            }
            for (name, child) in tree.children(index, slot) {
                let before = seen.get(name).copied();
                seen.insert(name.to_vec(), Child::under(before, layer, tree.entry(index, child)));
            }
            for name in tree.whiteouts(index, slot) {
                seen.entry(name.to_vec()).or_insert(Child::Gone);
                seen.entry(name.to_vec()).and_modify(Child::close);
            }
            if place.hides_lower || tree.is_opaque(slot) {
                break;
            }
        }
        Ok(seen.into_iter().filter_map(|(name, child)| Some((name, child.found()?))).collect())
    }

    /// Everything at and below `path`, a directory before what it holds. Links are not followed.
    pub fn walk(&self, path: &ImagePath) -> Result<Vec<(ImagePath, Found<'_>)>, NotLoaded> {
        let mut all = Vec::new();
        let mut next: Vec<(ImagePath, Found<'_>)> =
            self.lookup(path)?.map(|found| (path.clone(), found)).into_iter().collect();
        while let Some((path, found)) = next.pop() {
            if found.entry.node == Node::Directory {
                let children = self.read_dir(&path)?.into_iter().rev();
                next.extend(children.map(|(name, found)| (path.join(name), found)));
            }
            all.push((path, found));
        }
        Ok(all)
    }

    fn index(&self, layer: usize) -> Result<&LayerIndex, NotLoaded> {
        self.layers[layer].as_deref().ok_or(NotLoaded { layer })
    }
}

/// Where an index has a path, and what it says of the layers below.
struct Place {
    slot: Option<u32>,
    hides_lower: bool,
}

impl Place {
    fn of(index: &LayerIndex, path: &ImagePath) -> Self {
        let tree = index.tree();
        let mut slot = Tree::ROOT;
        let mut hides_lower = false;
        for name in path.components() {
            // Nothing is below a file or a link, in this layer or in lower ones.
            if !tree.entry(index, slot).is_none_or(is_directory) {
                return Place { slot: None, hides_lower: true };
            }
            hides_lower |= tree.hides(index, slot, name);
            match tree.child(index, slot, name) {
                Some(child) => slot = child,
                None => return Place { slot: None, hides_lower },
            }
        }
        Place { slot: Some(slot), hides_lower }
    }
}

fn is_directory(entry: &Entry) -> bool {
    entry.node == Node::Directory
}

/// What a path is that an upper layer implies to be a directory, if it does, and a lower layer
/// has an entry for.
fn settle<'a>(implied: Option<Found<'a>>, lower: Found<'a>) -> Found<'a> {
    match implied {
        Some(implied) if !is_directory(lower.entry) => implied,
        _ => lower,
    }
}

/// What is known of a name in a directory after some layers.
#[derive(Clone, Copy)]
enum Child<'a> {
    /// Lower layers do not matter any more.
    Certain(Found<'a>),
    /// A directory; a lower layer may know its attributes.
    Implied(Found<'a>),
    Gone,
}

impl<'a> Child<'a> {
    fn under(before: Option<Child<'a>>, layer: usize, entry: Option<&'a Entry>) -> Self {
        match (before, entry) {
            (None, Some(entry)) => Child::Certain(Found { layer, entry }),
            (None, None) => Child::Implied(Found { layer, entry: &IMPLIED }),
            (Some(Child::Implied(implied)), Some(entry)) => {
                Child::Certain(settle(Some(implied), Found { layer, entry }))
            }
            (Some(before), _) => before,
        }
    }

    /// A whiteout: what lower layers say of the name does not count.
    fn close(&mut self) {
        if let Child::Implied(found) = *self {
            *self = Child::Certain(found);
        }
    }

    fn found(self) -> Option<Found<'a>> {
        match self {
            Child::Certain(found) | Child::Implied(found) => Some(found),
            Child::Gone => None,
        }
    }
}

/// What to do with a link in the last component.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    Followed,
    Kept,
}

/// path_resolution(7), inside the root.
fn follow<'a>(
    root_fs: &'a RootFs,
    path: &ImagePath,
    last: Last,
) -> Result<Resolved<'a>, ResolveError> {
    let mut left: Vec<Vec<u8>> = path.components().rev().map(<[u8]>::to_vec).collect();
    let mut at = ImagePath::root();
    // What is below `at` and missing: a `..` in a link's target leads out of it again.
    let mut missing: Vec<Vec<u8>> = Vec::new();
    let mut links = 0;
    while let Some(name) = left.pop() {
        if name == b".." {
            if missing.pop().is_none() {
                at = at.parent().unwrap_or_else(ImagePath::root);
            }
            continue;
        }
        if !missing.is_empty() {
            missing.push(name);
            continue;
        }
        let next = at.join(&name);
        if left.is_empty() && last == Last::Kept {
            return Ok(Resolved { found: root_fs.lookup(&next)?, path: next });
        }
        match root_fs.lookup(&next)?.map(|found| &found.entry.node) {
            None => missing.push(name),
            Some(Node::Symlink(target)) => {
                links += 1;
                if links > MAX_LINKS {
                    return Err(ResolveError::Loop(path.clone()));
                }
                if target.starts_with(b"/") {
                    at = ImagePath::root();
                }
                let names = target.split(|byte| *byte == b'/').rev();
                left.extend(names.filter(|name| !matches!(*name, b"" | b".")).map(<[u8]>::to_vec));
                if left.len() > MAX_COMPONENTS {
                    return Err(ResolveError::Loop(path.clone()));
                }
            }
            Some(Node::Directory) => at = next,
            Some(_) if left.is_empty() => at = next,
            Some(_) => return Err(ResolveError::NotADirectory { path: path.clone(), at: next }),
        }
    }
    if !missing.is_empty() {
        return Ok(Resolved { path: at.join(missing.join(&b'/')), found: None });
    }
    Ok(Resolved { found: root_fs.lookup(&at)?, path: at })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Content;

    /// A layer of lines: `path/` a directory, `-path` a whiteout, `path!` an opaque directory,
    /// `path -> target` a symbolic link, `path = target` a hard link, else a file.
    fn layer(text: &str) -> Option<Arc<LayerIndex>> {
        let entries = text.split_whitespace().map(|line| {
            let (path, node) = if let Some(path) = line.strip_prefix('-') {
                (path, Node::Whiteout)
            } else if let Some(path) = line.strip_suffix('!') {
                (path, Node::Opaque)
            } else if let Some(path) = line.strip_suffix('/') {
                (path, Node::Directory)
            } else if let Some((path, target)) = line.split_once("->") {
                (path, Node::Symlink(target.as_bytes().to_vec()))
            } else if let Some((path, target)) = line.split_once('=') {
                (path, Node::Hardlink(ImagePath::lexical(target)))
            } else {
                (line, Node::File(Content::of(b"")))
            };
            let attributes = Attributes::root(0o700, 1);
            Entry { path: ImagePath::lexical(path), attributes, node }
        });
        Some(Arc::new(LayerIndex::from_entries(entries.collect())))
    }

    fn root_fs(layers: &[&str]) -> RootFs {
        RootFs::new(layers.iter().map(|text| layer(text)).collect())
    }

    /// `path@layer`, with a slash and the mode behind directories.
    fn shown(path: &ImagePath, found: Found<'_>) -> String {
        let mode = match found.entry.node {
            Node::Directory => format!("/{:o}", found.entry.attributes.mode),
            _ => String::new(),
        };
        format!("{path}{mode}@{}", found.layer)
    }

    fn tree(layers: &[&str]) -> String {
        let root_fs = root_fs(layers);
        let all = root_fs.walk(&ImagePath::root()).unwrap();
        for (path, found) in &all {
            assert_eq!(root_fs.lookup(path), Ok(Some(*found)), "{path}");
        }
        let lines: Vec<String> =
            all.iter().skip(1).map(|(path, found)| shown(path, *found)).collect();
        lines.join(" ")
    }

    #[test]
    fn upper_layers_win() {
        insta::assert_snapshot!(tree(&["a/ a/x a/y b", "a/y a/z"]), @"a/700@0 a/x@0 a/y@1 a/z@1 b@0");
    }

    #[test]
    fn whiteouts_hide_what_is_below_them() {
        insta::assert_snapshot!(tree(&["a/ a/x a/y b", "-a/x -b"]), @"a/700@0 a/y@0");
        insta::assert_snapshot!(tree(&["a/ a/x", "-a", "a/y"]), @"a/755@2 a/y@2");
        // Not what stands in their own layer.
        insta::assert_snapshot!(tree(&["a/ a/x", "-a a/ a/y"]), @"a/700@1 a/y@1");
        insta::assert_snapshot!(tree(&["a/ a/x", "-a a/y"]), @"a/755@1 a/y@1");
    }

    #[test]
    fn opaque_directories_hide_what_lower_layers_hold() {
        insta::assert_snapshot!(tree(&["a/ a/x a/b/c", "a/ a! a/b/d"]), @"a/700@1 a/b/755@1 a/b/d@1");
        insta::assert_snapshot!(tree(&["a/ a/x", "a! a/y"]), @"a/700@0 a/y@1");
        insta::assert_snapshot!(tree(&["a/ b", "!", "c"]), @"c@2");
    }

    #[test]
    fn what_is_no_directory_hides_what_was_below() {
        insta::assert_snapshot!(tree(&["a/ a/x", "a"]), @"a@1");
        insta::assert_snapshot!(tree(&["a/ a/x", "a", "a/ a/y"]), @"a/700@2 a/y@2");
        insta::assert_snapshot!(tree(&["a", "a/x"]), @"a/755@1 a/x@1");
        insta::assert_snapshot!(tree(&["a->b a/x b/"]), @"a@0 b/700@0");
        insta::assert_snapshot!(tree(&["a a/x/y", "a/"]), @"a/700@1");
    }

    #[test]
    fn implied_directories_take_their_attributes_from_below() {
        insta::assert_snapshot!(tree(&["a/", "a/b/c"]), @"a/700@0 a/b/755@1 a/b/c@1");
    }

    #[test]
    fn a_layer_is_loaded_only_if_it_matters() {
        let root_fs = RootFs::new(vec![None, layer("a/ a/x b!"), layer("-c d/e")]);
        let lookup = |path: &str| {
            let path = ImagePath::lexical(path);
            root_fs.lookup(&path).map(|found| found.map(|found| shown(&path, found)))
        };
        assert_eq!(lookup("a/x"), Ok(Some("a/x@1".into())));
        assert_eq!(lookup("a/y"), Err(NotLoaded { layer: 0 }));
        assert_eq!(lookup("b/y"), Ok(None));
        assert_eq!(lookup("c/y"), Ok(None));
        assert_eq!(lookup("d/e/f"), Ok(None));
        assert_eq!(lookup("d"), Err(NotLoaded { layer: 0 }));
        assert_eq!(root_fs.read_dir(&ImagePath::lexical("b")), Ok(BTreeMap::new()));
    }

    #[test]
    fn links_are_followed_inside_the_root() {
        let root_fs = root_fs(&[
            "bin->usr/bin usr/bin/ usr/bin/sh abs->/bin up->../../../usr usr/back->../bin/.",
            "loop->pool pool->loop file broken->gone/x self->self/x usr/bin/tool->sh out->gone/x/../../bin",
        ]);
        let check = |path: &str, whole: &str, parent: &str| {
            let path = ImagePath::lexical(path);
            let show = |resolved: Result<Resolved<'_>, ResolveError>| match resolved {
                Ok(Resolved { path, found: Some(found) }) => shown(&path, found),
                Ok(Resolved { path, found: None }) => format!("{path}?"),
                Err(error) => error.to_string(),
            };
            assert_eq!(show(root_fs.resolve(&path)), whole, "{path}");
            assert_eq!(show(root_fs.resolve_parent(&path)), parent, "{path}");
        };
        check("bin/sh", "usr/bin/sh@0", "usr/bin/sh@0");
        check("bin", "usr/bin/700@0", "bin@0");
        check("abs/tool", "usr/bin/sh@0", "usr/bin/tool@1");
        check("up/back/sh", "usr/bin/sh@0", "usr/bin/sh@0");
        check("bin/new/file", "usr/bin/new/file?", "usr/bin/new/file?");
        check("broken", "gone/x?", "broken@1");
        check("broken/y", "gone/x/y?", "gone/x/y?");
        check(
            "file/x",
            "follow `/file/x`: `/file` is not a directory",
            "follow `/file/x`: `/file` is not a directory",
        );
        check("out/sh", "usr/bin/sh@0", "usr/bin/sh@0");
        check("out", "usr/bin/700@0", "out@1");
        check("loop", "follow `/loop`: too many levels of symbolic links", "loop@1");
        check("self", "follow `/self`: too many levels of symbolic links", "self@1");
    }

    #[test]
    fn a_hard_link_leads_to_its_file() {
        let root_fs = root_fs(&["a b c=d d=c", "l=a m=l a n=b o=gone"]);
        let check = |path: &str, expected: &str| {
            let found = root_fs.lookup(&ImagePath::lexical(path)).unwrap().unwrap();
            let shown = match root_fs.behind_hardlink(found) {
                Ok(Some(found)) => shown(&found.entry.path, found),
                Ok(None) => "nothing".to_owned(),
                Err(error) => error.to_string(),
            };
            assert_eq!(shown, expected, "{path}");
        };
        check("m", "a@1");
        check("n", "b@0");
        check("o", "nothing");
        check("c", "follow `/c`: too many levels of symbolic links");
    }
}
