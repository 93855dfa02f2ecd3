#![no_main]
//! The file system that layers make together, against one that is made the slow way: by applying
//! layer after layer to a map, as a runtime unpacks them.
//!
//! The input is a program of two or three bytes an entry, so that nearly every input means
//! something: what it is, where, and for links where to.

use std::collections::BTreeMap;
use std::sync::Arc;

use layer::{Attributes, Content, Entry, Found, LayerIndex, Node, RootFs};
use libfuzzer_sys::fuzz_target;
use oci::ImagePath;

const NAMES: [&str; 4] = ["a", "b", "a-", "c"];

fuzz_target!(|program: &[u8]| {
    let layers: Vec<Arc<LayerIndex>> = layers(program)
        .into_iter()
        .map(|entries| Arc::new(LayerIndex::from_entries(entries)))
        .collect();
    let root_fs = RootFs::new(layers.iter().cloned().map(Some).collect());
    let model = Model::of(&layers);
    for (path, expected) in &model.places {
        let found = root_fs.lookup(path).expect("all is loaded");
        assert_eq!(found.map(|found| Place::of(&found)).as_ref(), Some(expected), "{path}");
    }
    let all = root_fs.walk(&ImagePath::root()).expect("all is loaded");
    let walked: Vec<_> = all.iter().map(|(path, found)| (path, Place::of(found))).collect();
    let expected: Vec<_> = model.places.iter().map(|(path, place)| (path, *place)).collect();
    assert_eq!(walked, expected);
    resolve_all(&root_fs, &all);
});

/// Layers, each a list of entries in any order.
fn layers(program: &[u8]) -> Vec<Vec<Entry>> {
    let mut layers = vec![Vec::new()];
    let mut bytes = program.iter().copied();
    while let (Some(what), Some(place)) = (bytes.next(), bytes.next()) {
        let path = ImagePath::lexical(text(place));
        let node = match what % 16 {
            0..=3 => Node::File(Content::of(b"")),
            4..=6 => Node::Directory,
            7 => Node::Symlink(text(bytes.next().unwrap_or(0)).into_bytes()),
            8 => Node::Symlink(format!("/{}", text(bytes.next().unwrap_or(0))).into_bytes()),
            9 => Node::Symlink(format!("../{}", text(bytes.next().unwrap_or(0))).into_bytes()),
            10 => Node::Hardlink(ImagePath::lexical(text(bytes.next().unwrap_or(0)))),
            11 | 12 => Node::Whiteout,
            13 => Node::Opaque,
            _ => {
                layers.push(Vec::new());
                continue;
            }
        };
        let needs_a_name = !matches!(node, Node::Directory | Node::Opaque);
        if path.is_root() && needs_a_name || layers.len() > 8 {
            continue;
        }
        let attributes = Attributes::root(u32::from(what / 16), 1);
        layers.last_mut().expect("there is one").push(Entry { path, attributes, node });
    }
    layers
}

/// Up to three names in a byte.
fn text(place: u8) -> String {
    let names = [place & 3, place >> 2 & 3, place >> 4 & 3].map(|name| NAMES[usize::from(name)]);
    names[..usize::from(place >> 6)].join("/")
}

/// What stands somewhere, comparable.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Place<'a> {
    layer: usize,
    /// `None` for a directory that only paths below it imply.
    entry: Option<&'a Entry>,
}

impl<'a> Place<'a> {
    fn of(found: &Found<'a>) -> Self {
        // The entry of an implied directory is the only one with mode 0755 here.
        let implied = found.entry.attributes.mode == 0o755;
        Place { layer: found.layer, entry: (!implied).then_some(found.entry) }
    }

    fn is_directory(&self) -> bool {
        self.entry.is_none_or(|entry| entry.node == Node::Directory)
    }
}

struct Model<'a> {
    places: BTreeMap<ImagePath, Place<'a>>,
}

impl<'a> Model<'a> {
    fn of(layers: &'a [Arc<LayerIndex>]) -> Self {
        let root = Place { layer: 0, entry: None };
        let mut model = Model { places: BTreeMap::from([(ImagePath::root(), root)]) };
        for (layer, index) in layers.iter().enumerate() {
            model.apply(layer, index.entries());
        }
        model
    }

    fn apply(&mut self, layer: usize, entries: &'a [Entry]) {
        for entry in entries {
            match entry.node {
                Node::Whiteout => self.places.retain(|path, _| !path.starts_with(&entry.path)),
                Node::Opaque => self
                    .places
                    .retain(|path, _| *path == entry.path || !path.starts_with(&entry.path)),
                _ => {}
            }
        }
        self.imply(layer, ImagePath::root());
        for entry in entries.iter().filter(|entry| !entry.is_marker()) {
            if self.imply_above(layer, &entry.path) {
                self.put(layer, entry);
            }
        }
        // The file of a whiteout stands in a directory, too.
        for entry in entries.iter().filter(|entry| entry.is_marker()) {
            let above = self.imply_above(layer, &entry.path);
            if above && entry.node == Node::Opaque && !self.is_blocked(layer, &entry.path) {
                self.imply(layer, entry.path.clone());
            }
        }
    }

    fn put(&mut self, layer: usize, entry: &'a Entry) {
        let place = Place { layer, entry: Some(entry) };
        if !place.is_directory() {
            self.places.retain(|path, _| !path.starts_with(&entry.path));
        }
        self.places.insert(entry.path.clone(), place);
    }

    /// Whether this layer itself has something there that is no directory.
    fn is_blocked(&self, layer: usize, path: &ImagePath) -> bool {
        self.places.get(path).is_some_and(|place| place.layer == layer && !place.is_directory())
    }

    /// Makes the directories above a path, or says that the layer has something else there.
    fn imply_above(&mut self, layer: usize, path: &ImagePath) -> bool {
        let above: Vec<ImagePath> = path.ancestors().collect();
        for directory in above.into_iter().rev() {
            if self.is_blocked(layer, &directory) {
                return false;
            }
            self.imply(layer, directory);
        }
        true
    }

    /// A directory that has an entry keeps it.
    fn imply(&mut self, layer: usize, directory: ImagePath) {
        let keeps = self
            .places
            .get(&directory)
            .is_some_and(|place| place.is_directory() && place.entry.is_some());
        if !keeps {
            self.places.insert(directory, Place { layer, entry: None });
        }
    }
}

/// Whatever a path leads to, no link is left in it.
fn resolve_all(root_fs: &RootFs, all: &[(ImagePath, Found<'_>)]) {
    let lookup = |path: &ImagePath| root_fs.lookup(path).expect("all is loaded");
    for (path, found) in all {
        let _ = root_fs.behind_hardlink(*found);
        let below = path.join("c/a");
        for resolved in [path, &below].map(|path| root_fs.resolve(path)) {
            let Ok(resolved) = resolved else { continue };
            assert_eq!(lookup(&resolved.path), resolved.found, "{path}");
            for above in resolved.path.ancestors() {
                let entry = lookup(&above).map(|found| &found.entry.node);
                assert!(entry.is_none_or(|node| *node == Node::Directory), "{above}");
            }
        }
        if let Ok(resolved) = root_fs.resolve_parent(path) {
            assert_eq!(lookup(&resolved.path), resolved.found, "{path}");
        }
    }
}
