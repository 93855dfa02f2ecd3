//! Root file systems for tests, written down in lines.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use layer::{Attributes, Content, Entry, LayerIndex, Node, NotLoaded, RootFs};
use oci::{Digest, ImagePath, Platform};

use crate::{
    Discovery, Distribution, InterpreterError, Missing, View, find_distributions, find_interpreters,
};

/// An image of which nothing is known before it is asked for.
pub(crate) struct Image {
    layers: Vec<Arc<LayerIndex>>,
    contents: HashMap<Digest, Arc<[u8]>>,
    root: RootFs,
    texts: HashMap<Digest, Arc<[u8]>>,
    environment: BTreeMap<String, String>,
    pub(crate) platform: Platform,
    /// How often something had to be found out.
    pub(crate) rounds: usize,
}

impl Image {
    /// One layer, of lines: `path/` is a directory, `path*` an executable, `path -> target` a
    /// symbolic link, `path = target` a hard link, `-path` a whiteout, `path < text` a file with
    /// that text, and other lines are files. A file has its path for content if it has no other.
    pub(crate) fn of(lines: &str) -> Image {
        let image = Image {
            layers: Vec::new(),
            contents: HashMap::new(),
            root: RootFs::default(),
            texts: HashMap::new(),
            environment: BTreeMap::new(),
            platform: Platform::linux("amd64"),
            rounds: 0,
        };
        image.with_layer(lines)
    }

    /// One more layer.
    pub(crate) fn with_layer(mut self, lines: &str) -> Image {
        let lines = lines.lines().map(str::trim).filter(|line| !line.is_empty());
        let entries = lines.map(|line| self.entry(line)).collect();
        self.layers.push(Arc::new(LayerIndex::from_entries(entries)));
        self.root.push(None);
        self
    }

    /// One more file, in a layer of its own.
    pub(crate) fn with_file(self, path: &str, text: impl AsRef<[u8]>) -> Image {
        let mut image = self.with_layer("");
        let entry = image.file(path, 0o644, text.as_ref());
        image.layers.pop();
        image.layers.push(Arc::new(LayerIndex::from_entries(vec![entry])));
        image
    }

    pub(crate) fn with_variable(mut self, name: &str, value: &str) -> Image {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    fn entry(&mut self, line: &str) -> Entry {
        let (path, node) = if let Some((path, text)) = line.split_once(" < ") {
            return self.file(path, 0o644, text.replace("\\n", "\n").as_bytes());
        } else if let Some((path, target)) = line.split_once(" -> ") {
            (path, Node::Symlink(target.as_bytes().to_vec()))
        } else if let Some((path, target)) = line.split_once(" = ") {
            (path, Node::Hardlink(ImagePath::lexical(target)))
        } else if let Some(path) = line.strip_suffix('/') {
            (path, Node::Directory)
        } else if let Some(path) = line.strip_prefix('-') {
            (path, Node::Whiteout)
        } else if let Some(path) = line.strip_suffix('*') {
            return self.file(path, 0o755, path.as_bytes());
        } else {
            return self.file(line, 0o644, line.as_bytes());
        };
        Entry { path: ImagePath::lexical(path), attributes: Attributes::root(0o755, 0), node }
    }

    fn file(&mut self, path: &str, mode: u32, text: &[u8]) -> Entry {
        let content = Content::of(text);
        self.contents.insert(content.digest, text.into());
        let attributes = Attributes::root(mode, 0);
        Entry { path: ImagePath::lexical(path), attributes, node: Node::File(content) }
    }

    pub(crate) fn view(&self) -> View<'_> {
        View { root: &self.root, texts: &self.texts }
    }

    /// Finds out what is missing.
    fn learn(&mut self, missing: Vec<Missing>) {
        assert!(!missing.is_empty());
        self.rounds += 1;
        for one in missing {
            match one {
                Missing::Layer(NotLoaded { layer }) => {
                    let mut layers = self.root.layers().to_vec();
                    assert!(layers[layer].is_none(), "layer {layer} was asked for twice");
                    layers[layer] = Some(Arc::clone(&self.layers[layer]));
                    self.root = RootFs::new(layers);
                }
                Missing::Text { layer, path, content } => {
                    assert!(content.size <= View::LARGEST_TEXT);
                    let entry = self.layers[layer].entry(&path).expect("a path of that layer");
                    assert_eq!(entry.node, Node::File(content));
                    let known =
                        self.texts.insert(content.digest, self.contents[&content.digest].clone());
                    assert!(known.is_none(), "{path} was asked for twice");
                }
            }
        }
    }

    pub(crate) fn discover(&mut self, wanted: Option<&str>) -> Result<Discovery, InterpreterError> {
        loop {
            let found = find_interpreters(self.view(), &self.environment, &self.platform, wanted);
            match found {
                Err(InterpreterError::Missing(missing)) => self.learn(missing),
                settled => return settled,
            }
        }
    }

    /// What is installed for the interpreter that is found.
    pub(crate) fn distributions(&mut self) -> Vec<Distribution> {
        let interpreter = self.discover(None).unwrap().target.interpreter;
        loop {
            match find_distributions(self.view(), &interpreter) {
                Err(missing) => self.learn(missing),
                Ok(found) => return found,
            }
        }
    }

    /// What vanishes with the distribution `name`, a path a line.
    pub(crate) fn removal(&mut self, name: &str) -> String {
        let all = self.distributions();
        let interpreter = self.discover(None).unwrap().target.interpreter;
        let distribution = all.iter().find(|found| found.name == name).expect("it is there");
        match distribution.removal(self.view(), &interpreter).unwrap() {
            Some(paths) => paths.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
            None => "cannot be removed".to_owned(),
        }
    }
}
