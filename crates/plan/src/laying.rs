//! The entries of a layer while they are gathered, each put where it belongs on what lies below.
//!
//! Directories that exist below are not laid again, and a path below a symbolic link lands where
//! the link points. One exception: an existing directory that is not what a runtime makes of a
//! missing one (0755, root) is laid again with *its own* attributes once something goes into it.
//! Overlay-based runtimes unpack each layer by itself, so an implied `/tmp` would come out as 0755
//! and hide the 1777 of the base.

use std::collections::HashMap;

use layer::{Attributes, Entry, Node};
use oci::ImagePath;
use recipe::Span;

use crate::copy::LinkKey;
use crate::error::{PlanError, Step, Stop};
use crate::facts::Needs;
use crate::tree::Tree;

/// How many links are followed before a path is taken to lead nowhere (path_resolution(7)).
const MAX_LINKS: usize = 40;
/// What a runtime gives a directory that a layer implies.
const IMPLIED_MODE: u32 = 0o755;

/// Whether a directory is what a runtime makes of one that a layer only implies.
pub(crate) fn is_implied(own: &Attributes) -> bool {
    own.mode == IMPLIED_MODE && own.uid == 0 && own.gid == 0
}

/// A layer's entries to be, over what lies below.
#[derive(Debug)]
pub(crate) struct Laying {
    below: Option<Tree>,
    /// What a directory gets that has to be made on the way.
    made: Attributes,
    /// The destination in the recipe, for errors.
    span: Span,
    directories: Vec<Directory>,
    /// Directories by the paths that lead to them.
    known: HashMap<ImagePath, DirectoryId>,
    entries: Vec<(Entry, Option<FileKey>)>,
    /// Entries by path.
    places: HashMap<ImagePath, usize>,
}

/// A directory that something is, or may be, laid into.
#[derive(Debug)]
struct Directory {
    path: ImagePath,
    above: DirectoryId,
    /// Whether this layer makes it, so that nothing of the layers below is in it.
    is_new: bool,
    /// The attributes to repeat if something is laid into it and it has no entry.
    repeat: Option<Attributes>,
    entry: Option<usize>,
    is_used: bool,
}

/// A directory of a [`Laying`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DirectoryId(usize);

const ROOT: DirectoryId = DirectoryId(0);

/// Which file of which source, so that the names of one file can be tied together.
pub(crate) type FileKey = (usize, LinkKey);

/// What a directory that exists takes from one that is laid over it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Existing {
    /// Nothing.
    Kept,
    /// Its attributes.
    Changed,
}

/// What a destination turns out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// A directory.
    Directory(DirectoryId),
    /// A file, or nothing as yet, of this name.
    File(DirectoryId, Vec<u8>),
}

/// What stands at a path already.
enum Standing {
    Nothing,
    Directory(Attributes),
    Link(Vec<u8>),
    Other,
}

impl Laying {
    /// A layer over `below`, or over nothing that is known.
    pub(crate) fn new(below: Option<Tree>, made: Attributes, span: Span) -> Self {
        let root = Directory {
            path: ImagePath::root(),
            above: ROOT,
            is_new: below.is_none(),
            repeat: None,
            entry: None,
            is_used: true,
        };
        Laying {
            below,
            made,
            span,
            directories: vec![root],
            known: HashMap::from([(ImagePath::root(), ROOT)]),
            entries: Vec::new(),
            places: HashMap::new(),
        }
    }

    /// Makes room for so many more entries.
    pub(crate) fn reserve(&mut self, entries: usize) {
        self.entries.reserve(entries);
        self.places.reserve(entries);
    }

    /// The directory at `path`, with what is missing of it made.
    pub(crate) fn directory(&mut self, path: &ImagePath, needs: &mut Needs) -> Step<DirectoryId> {
        self.directory_below(ROOT, path.as_bytes(), needs)
    }

    /// The directory at `relative` in another one, with what is missing of it made.
    pub(crate) fn directory_below(
        &mut self,
        directory: DirectoryId,
        relative: &[u8],
        needs: &mut Needs,
    ) -> Step<DirectoryId> {
        let start = if relative.starts_with(b"/") { ROOT } else { directory };
        let mut at = start;
        let mut links = 0;
        let mut left: Vec<Vec<u8>> = relative.rsplit(|b| *b == b'/').map(<[u8]>::to_vec).collect();
        while let Some(name) = left.pop() {
            match name.as_slice() {
                b"" | b"." => continue,
                b".." => {
                    at = self.directories[at.0].above;
                    continue;
                }
                _ => {}
            }
            let path = self.path_in(at, &name);
            if let Some(id) = self.known.get(&path) {
                at = *id;
                continue;
            }
            at = match self.standing(at, &path, needs)? {
                Standing::Nothing => self.make(path, at, self.made.clone()),
                Standing::Directory(own) => self.enter(path, at, own),
                Standing::Link(_) if links == MAX_LINKS => return Err(self.link_loop(&path)),
                Standing::Link(target) => {
                    links += 1;
                    left.extend(target.rsplit(|b| *b == b'/').map(<[u8]>::to_vec));
                    if target.starts_with(b"/") { ROOT } else { at }
                }
                Standing::Other => return Err(self.not_a_directory(&path)),
            };
        }
        Ok(at)
    }

    /// What `path` is, as the destination of a file: links are followed to their end, as by
    /// whoever opens the path to write. Directories above it are made.
    pub(crate) fn target(&mut self, path: &ImagePath, needs: &mut Needs) -> Step<Target> {
        let mut at = ROOT;
        let mut left = path.as_bytes().to_vec();
        for _ in 0..MAX_LINKS {
            let cut = left.iter().rposition(|b| *b == b'/').map_or(0, |slash| slash + 1);
            let name = left.split_off(cut);
            at = self.directory_below(at, &left, needs)?;
            if matches!(name.as_slice(), b"" | b"." | b"..") {
                return Ok(Target::Directory(self.directory_below(at, &name, needs)?));
            }
            let path = self.path_in(at, &name);
            if let Some(id) = self.known.get(&path) {
                return Ok(Target::Directory(*id));
            }
            match self.standing(at, &path, needs)? {
                Standing::Nothing | Standing::Other => return Ok(Target::File(at, name)),
                Standing::Directory(own) => {
                    return Ok(Target::Directory(self.enter(path, at, own)));
                }
                Standing::Link(target) => left = target,
            }
        }
        Err(self.link_loop(path))
    }

    /// Puts a directory of this name into another one.
    pub(crate) fn place_directory(
        &mut self,
        directory: DirectoryId,
        name: &[u8],
        attributes: Attributes,
        existing: Existing,
        needs: &mut Needs,
    ) -> Step<DirectoryId> {
        let path = self.path_in(directory, name);
        let id = match self.known.get(&path) {
            Some(id) => *id,
            None => match self.standing(directory, &path, needs)? {
                Standing::Nothing => return Ok(self.make(path, directory, attributes)),
                Standing::Directory(own) => self.enter(path, directory, own),
                Standing::Link(_) => {
                    let id = self.directory_below(directory, name, needs)?;
                    self.known.insert(path, id);
                    id
                }
                Standing::Other => return Err(self.not_a_directory(&path)),
            },
        };
        if existing == Existing::Changed || self.directories[id.0].is_new {
            self.change(id, attributes);
        }
        Ok(id)
    }

    /// Gives a directory other attributes; the root of the image has none to give.
    pub(crate) fn change(&mut self, id: DirectoryId, attributes: Attributes) {
        if id == ROOT {
            return;
        }
        match self.directories[id.0].entry {
            Some(entry) => self.entries[entry].0.attributes = attributes,
            None => {
                let path = self.directories[id.0].path.clone();
                let entry = self.insert(Entry { path, attributes, node: Node::Directory }, None);
                self.directories[id.0].entry = Some(entry);
            }
        }
        self.note_use(self.directories[id.0].above);
    }

    /// Puts what is no directory into one, in the place of what has its name there.
    pub(crate) fn place(
        &mut self,
        directory: DirectoryId,
        name: &[u8],
        attributes: Attributes,
        node: Node,
        file: Option<FileKey>,
        needs: &mut Needs,
    ) -> Step<()> {
        let path = self.path_in(directory, name);
        match self.standing(directory, &path, needs)? {
            Standing::Directory(_) => {
                let message = format!("`/{path}` is a directory, and a file cannot take its place");
                return Err(self.refuse(PlanError::files(self.span.clone(), message)));
            }
            // A link that was followed to a directory, and is gone now.
            Standing::Link(_) => drop(self.known.remove(&path)),
            Standing::Nothing | Standing::Other => {}
        }
        self.note_use(directory);
        self.insert(Entry { path, attributes, node }, file);
        Ok(())
    }

    /// Takes away what the layers below have at `path`, with all that is in it.
    pub(crate) fn remove(&mut self, path: &ImagePath, needs: &mut Needs) -> Step<()> {
        let (Some(above), Some(name)) = (path.parent(), path.file_name()) else { return Ok(()) };
        let directory = self.directory(&above, needs)?;
        let path = self.path_in(directory, name);
        self.note_use(directory);
        let attributes = Attributes::root(0, 0);
        self.insert(Entry { path, attributes, node: Node::Whiteout }, None);
        Ok(())
    }

    /// The layer's entries, sorted, the names of one file tied together.
    pub(crate) fn finish(self) -> Vec<Entry> {
        let mut entries = self.entries;
        for directory in self.directories {
            if let (Some(attributes), None, true) =
                (directory.repeat, directory.entry, directory.is_used)
            {
                let path = directory.path;
                entries.push((Entry { path, attributes, node: Node::Directory }, None));
            }
        }
        entries.sort_by(|(a, _), (b, _)| a.layer_order(b));
        tie_links(entries)
    }

    /// What stands at `path` in `directory`: in this layer, else below it.
    fn standing(
        &self,
        directory: DirectoryId,
        path: &ImagePath,
        needs: &mut Needs,
    ) -> Step<Standing> {
        if let Some(at) = self.places.get(path) {
            return Ok(Standing::of(&self.entries[*at].0));
        }
        match &self.below {
            Some(tree) if !self.directories[directory.0].is_new => {
                let found = tree.lookup(path, needs)?;
                Ok(found.map_or(Standing::Nothing, |found| Standing::of(found.entry)))
            }
            _ => Ok(Standing::Nothing),
        }
    }

    /// Where a directory is, once all links that led to it are followed.
    pub(crate) fn path_of(&self, directory: DirectoryId) -> &ImagePath {
        &self.directories[directory.0].path
    }

    fn path_in(&self, directory: DirectoryId, name: &[u8]) -> ImagePath {
        self.directories[directory.0].path.join(name)
    }

    /// A new directory.
    fn make(&mut self, path: ImagePath, above: DirectoryId, attributes: Attributes) -> DirectoryId {
        self.note_use(above);
        let entry = Entry { path: path.clone(), attributes, node: Node::Directory };
        let entry = Some(self.insert(entry, None));
        self.open(Directory { path, above, is_new: true, repeat: None, entry, is_used: true })
    }

    /// A directory that is there, with the attributes that it has.
    fn enter(&mut self, path: ImagePath, above: DirectoryId, own: Attributes) -> DirectoryId {
        let repeat = (!is_implied(&own)).then_some(own);
        self.open(Directory { path, above, is_new: false, repeat, entry: None, is_used: false })
    }

    fn open(&mut self, directory: Directory) -> DirectoryId {
        let id = DirectoryId(self.directories.len());
        self.known.insert(directory.path.clone(), id);
        self.directories.push(directory);
        id
    }

    /// Something is laid into `directory`, and so into all that are above it.
    fn note_use(&mut self, directory: DirectoryId) {
        let mut at = directory.0;
        while !self.directories[at].is_used {
            self.directories[at].is_used = true;
            at = self.directories[at].above.0;
        }
    }

    fn insert(&mut self, entry: Entry, file: Option<FileKey>) -> usize {
        use std::collections::hash_map;
        match self.places.entry(entry.path.clone()) {
            hash_map::Entry::Occupied(place) => {
                let at = *place.get();
                self.entries[at] = (entry, file);
                at
            }
            hash_map::Entry::Vacant(place) => {
                let at = self.entries.len();
                place.insert(at);
                self.entries.push((entry, file));
                at
            }
        }
    }

    /// What is wrong on top of a `RUN` may be right once it has run.
    fn refuse(&self, error: PlanError) -> Stop {
        match &self.below {
            Some(tree) if tree.is_executed() => Stop::Execution,
            _ => error.into(),
        }
    }

    fn not_a_directory(&self, path: &ImagePath) -> Stop {
        let message = format!("`/{path}` of the image is not a directory");
        self.refuse(PlanError::files(self.span.clone(), message))
    }

    fn link_loop(&self, path: &ImagePath) -> Stop {
        let message = format!("`/{path}` of the image is a link that leads to itself");
        self.refuse(PlanError::base(self.span.clone(), message))
    }
}

impl Standing {
    fn of(entry: &Entry) -> Self {
        match &entry.node {
            Node::Directory => Standing::Directory(entry.attributes.clone()),
            Node::Symlink(target) => Standing::Link(target.clone()),
            _ => Standing::Other,
        }
    }
}

/// Makes hard links of all names of a file but the first.
fn tie_links(entries: Vec<(Entry, Option<FileKey>)>) -> Vec<Entry> {
    let mut first: HashMap<FileKey, usize> = HashMap::new();
    let mut tied: Vec<Entry> = Vec::with_capacity(entries.len());
    for (mut entry, key) in entries {
        if let Some(key) = key {
            let original = *first.entry(key).or_insert(tied.len());
            // One that came to lie over it, or was given another owner, is a file of its own.
            if let Some(original) = tied.get(original)
                && original.node == entry.node
                && original.attributes == entry.attributes
            {
                entry.node = Node::Hardlink(original.path.clone());
            }
        }
        tied.push(entry);
    }
    tied
}
