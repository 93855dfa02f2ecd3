//! A world answers what the planner asks.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::SystemTime;

use context::{Context, StatCache, Verdict};
use layer::{Content, LayerIndex};
use oci::{Descriptor, DiffId, Digest, ImageConfig, ImagePath, MediaType};
use recipe::IgnorePatterns;

use super::World;
use super::lines::{Line, line, make};
use super::packages;
use crate::{BaseImage, ContextName, Download, Facts, Need, WheelKey};

/// Facts, and the world that they are of.
pub(super) struct Gatherer<'a> {
    pub(super) world: &'a World,
    pub(super) facts: Facts,
    pub(super) texts: HashMap<Digest, String>,
    contexts: HashMap<ContextName, (Context, tempfile::TempDir)>,
    indexes: HashMap<DiffId, Arc<LayerIndex>>,
}

impl<'a> Gatherer<'a> {
    pub(super) fn new(world: &'a World) -> Self {
        let (today, environment) = (world.today.map(str::to_owned), world.environment.clone());
        let mut facts = Facts { today, environment, ..Facts::default() };
        facts.file_contexts.extend(world.contexts.iter().map(|(name, _)| (*name).to_owned()));
        facts.ignore = world.ignore.map(|text| {
            (".dockerignore".to_owned(), Arc::new(IgnorePatterns::parse(text).unwrap()))
        });
        if world.records.is_some() {
            facts.recall = crate::Recall::WhereKnown;
        }
        let (texts, contexts, indexes) = Default::default();
        Gatherer { world, facts, texts, contexts, indexes }
    }

    fn index(&mut self, lines: &[&str]) -> LayerIndex {
        let lines: Vec<Line> = lines.iter().map(|text| line(text)).collect();
        for line in &lines {
            self.texts.insert(Digest::of(line.text.as_bytes()), line.text.clone());
        }
        LayerIndex::from_entries(lines.into_iter().map(|line| line.entry).collect())
    }

    fn base(&mut self, name: &str) -> BaseImage {
        let base = self.world.bases.iter().find(|base| base.name == name);
        let base = base.unwrap_or_else(|| panic!("no base `{name}`"));
        let mut layers = Vec::new();
        let mut diff_ids = Vec::new();
        for lines in &base.layers {
            let bytes = lines.join("\n");
            let diff_id = DiffId(Digest::of(bytes.as_bytes()));
            let index = Arc::new(self.index(lines));
            self.indexes.insert(diff_id, index);
            diff_ids.push(diff_id);
            layers.push(descriptor(&bytes));
        }
        let text = format!(
            r#"{{"architecture":"arm64","os":"linux","config":{},"rootfs":{{"type":"layers","diff_ids":[]}}}}"#,
            base.config
        );
        let mut config = ImageConfig::parse(text.as_bytes()).unwrap();
        config.set_diff_ids(&diff_ids);
        BaseImage { manifest: descriptor(name), target: descriptor(name), config, layers }
    }

    pub(super) fn satisfy(&mut self, need: Need) {
        match need {
            Need::Base { reference, platform, .. } => {
                let name = reference.familiar().trim_end_matches(":latest").to_owned();
                let base = self.base(&name);
                self.facts.bases.insert((reference, platform), base);
            }
            Need::MachineSources => self.facts.machine_sources = Some(Vec::new()),
            Need::Fetch(..) | Need::PackageIndex { .. } | Need::Deb { .. } | Need::Elf(_) => {
                unreachable!("no test of these asks for Debian packages")
            }
            Need::Listing(name, _) => self.list(name),
            Need::Contents(name, paths) => self.digest(name, &paths),
            Need::LayerIndex { diff_id, .. } => {
                let recorded = || self.world.records.as_ref()?.index(&diff_id);
                let index = self.indexes.get(&diff_id).cloned().or_else(recorded);
                self.facts.indexes.insert(diff_id, index.expect("a layer that exists"));
            }
            Need::Step { key, .. } => {
                let records = self.world.records.as_ref().expect("nobody else is asked");
                self.facts.steps.insert(key, records.find(&key));
            }
            Need::Evaluation(key) => drop(self.facts.steps.insert(key, None)),
            Need::Text(file) => {
                let text = match file.source {
                    crate::Source::Inline(bytes) => bytes,
                    _ => self.texts[&file.content.digest].as_bytes().into(),
                };
                self.facts.texts.insert(file.content.digest, text);
            }
            Need::Download { url, .. } => {
                let text = self.world.downloads[url.as_str()];
                let content = Content::of(text.as_bytes());
                self.texts.insert(content.digest, text.to_owned());
                self.facts.downloads.insert(url, Download { content });
            }
            Need::Resolution { request, .. } => {
                let resolution = Arc::new(self.resolve(&request));
                self.facts.resolutions.insert(request.fingerprint(), resolution);
            }
            Need::Wheels { packages, request, scripts, .. } => {
                let interpreter = &request.target.interpreter;
                for package in &packages {
                    let key = WheelKey::of(package, interpreter, scripts);
                    let wheel = self.install(package, interpreter);
                    self.facts.installations.insert(key, Arc::new(wheel));
                }
            }
            Need::Archive(file, _) => {
                let digest = file.content.digest;
                let members = self.world.archives.get(self.texts[&digest].as_str());
                let index = members.map(|members| Arc::new(self.index(members)));
                self.facts.archives.insert(digest, index);
            }
        }
    }

    /// Lays a context down in a directory, and lists it.
    fn list(&mut self, name: ContextName) {
        let lines = match &name {
            ContextName::Main => self.world.context.as_slice(),
            ContextName::Named(name) => {
                self.world.contexts.iter().find(|(known, _)| known == name).unwrap().1
            }
            ContextName::Git(source) => {
                let name = source.url.as_str();
                self.world.contexts.iter().find(|(known, _)| *known == name).unwrap().1
            }
        };
        let directory = tempfile::tempdir().unwrap();
        for text in lines {
            let line = line(text);
            make(directory.path(), &line);
            self.texts.insert(Digest::of(line.text.as_bytes()), line.text);
        }
        let context = Context::directory(directory.path()).unwrap();
        let ignore = self.facts.ignore.clone().filter(|_| name == ContextName::Main);
        let filter = |path: &ImagePath, shape| match &ignore {
            Some((_, patterns)) if patterns.matches(&path.to_string()) => match shape {
                context::Shape::Directory if patterns.may_reenter(&path.to_string()) => {
                    Verdict::Descend
                }
                _ => Verdict::Prune,
            },
            _ => Verdict::Keep,
        };
        let listing = context.list(&filter, NonZeroUsize::MIN).unwrap();
        self.facts.listings.insert(name.clone(), Arc::new(listing));
        self.contexts.insert(name, (context, directory));
    }

    fn digest(&mut self, name: ContextName, paths: &[ImagePath]) {
        let listing = &self.facts.listings[&name];
        let wanted: Vec<_> = paths.iter().map(|path| listing.get(path).unwrap()).collect();
        let mut cache = StatCache::in_memory(SystemTime::UNIX_EPOCH);
        let contents =
            self.contexts[&name].0.digest(&wanted, &mut cache, NonZeroUsize::MIN).unwrap();
        let said = |content: Content| {
            let size = packages::size(&self.texts[&content.digest]).unwrap_or(content.size);
            Content { size, ..content }
        };
        let contents: Vec<Content> = contents.into_iter().map(said).collect();
        self.facts.contents.entry(name).or_default().extend(paths.iter().cloned().zip(contents));
    }
}

fn descriptor(text: &str) -> Descriptor {
    Descriptor::new(
        MediaType::OciLayer(oci::Compression::Gzip),
        Digest::of(text.as_bytes()),
        text.len() as u64,
    )
}
