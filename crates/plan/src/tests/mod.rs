//! The planner on a small world: a context, base images, URLs and archives, each a few lines.
//!
//! [`World::plan`] plans as `plywood build` does: it answers what the planner asks until there is
//! a plan, and says what that came to.

mod add;
mod config;
mod copy;
mod facts;
mod keys;
mod links;
mod packages;
mod plywood_toml;
mod python_files;
mod python_layers;
mod stages;
mod variables;
mod workdir;

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::SystemTime;

use context::{Context, StatCache, Verdict};
use layer::{Attributes, Content, Entry, LayerIndex, Node, Packing};
use oci::{Descriptor, DiffId, Digest, ImageConfig, ImagePath, MediaType, Platform};
use recipe::{Diagnostic, IgnorePatterns};

use crate::{
    BaseImage, Becomes, ContextName, Download, Facts, LayerSpec, Need, Outcome, Plan, PlannedStep,
    Request, WheelKey,
};

/// The time of what is new in a layer.
const TIMESTAMP: i64 = 1000;
/// No recipe of the tests takes more rounds.
const MAX_ROUNDS: usize = 16;

/// What there is to build from.
///
/// Files are lines: `path=content`, `path/`, `path -> target`, `path == other` for a hard link,
/// `path !` for a whiteout; before it a mode, behind it `@uid:gid`.
#[derive(Default)]
pub(crate) struct World {
    context: Vec<&'static str>,
    contexts: Vec<(&'static str, &'static [&'static str])>,
    bases: Vec<Base>,
    downloads: BTreeMap<&'static str, &'static str>,
    archives: BTreeMap<&'static str, &'static [&'static str]>,
    ignore: Option<&'static str>,
    build_args: BTreeMap<String, String>,
    target: Option<&'static str>,
    packing: Packing,
    timestamp: Option<i64>,
    packages: Vec<packages::Wheel>,
    then: Option<&'static str>,
    today: Option<&'static str>,
    environment: BTreeMap<String, String>,
}

struct Base {
    name: &'static str,
    layers: Vec<&'static [&'static str]>,
    config: &'static str,
}

/// What planning came to.
#[derive(Default)]
pub(crate) struct Report {
    /// The last stage's instructions, those that change the config alone left out.
    pub(crate) files: String,
    /// The config's `config`.
    pub(crate) config: String,
    /// The error, or the warnings.
    pub(crate) messages: String,
    /// What was asked for, a line a round.
    pub(crate) asked: String,
    /// The keys of the last stage's layers.
    pub(crate) keys: Vec<String>,
    /// The titles of the layers and instructions, as the history has them.
    pub(crate) history: String,
    /// The questions to the resolver.
    pub(crate) questions: String,
    /// How many files of each layer stay as they are compressed.
    pub(crate) streams: Vec<usize>,
}

/// A world with this context and nothing else.
pub(crate) fn context(lines: &[&'static str]) -> World {
    World { context: lines.to_vec(), ..World::default() }
}

impl World {
    pub(crate) fn base(self, layers: &[&'static [&'static str]]) -> Self {
        self.image("base", layers, "{}")
    }

    pub(crate) fn image(
        mut self,
        name: &'static str,
        layers: &[&'static [&'static str]],
        config: &'static str,
    ) -> Self {
        self.bases.push(Base { name, layers: layers.to_vec(), config });
        self
    }

    pub(crate) fn named(mut self, name: &'static str, lines: &'static [&'static str]) -> Self {
        self.contexts.push((name, lines));
        self
    }

    pub(crate) fn url(mut self, url: &'static str, text: &'static str) -> Self {
        self.downloads.insert(url, text);
        self
    }

    /// Files with this content are archives.
    pub(crate) fn archive(mut self, text: &'static str, members: &'static [&'static str]) -> Self {
        self.archives.insert(text, members);
        self
    }

    pub(crate) fn ignore(mut self, text: &'static str) -> Self {
        self.ignore = Some(text);
        self
    }

    pub(crate) fn arg(mut self, name: &str, value: &str) -> Self {
        self.build_args.insert(name.to_owned(), value.to_owned());
        self
    }

    pub(crate) fn target(mut self, target: &'static str) -> Self {
        self.target = Some(target);
        self
    }

    pub(crate) fn packing(mut self, packing: Packing) -> Self {
        self.packing = packing;
        self
    }

    pub(crate) fn timestamp(mut self, timestamp: i64) -> Self {
        self.timestamp = Some(timestamp);
        self
    }

    pub(crate) fn today(mut self, day: &'static str) -> Self {
        self.today = Some(day);
        self
    }

    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    /// The packages of another `plywood.toml` are installed in the same stage.
    pub(crate) fn then(mut self, toml: &'static str) -> Self {
        self.then = Some(toml);
        self
    }

    /// Plans and reports.
    pub(crate) fn plan(&self, dockerfile: &str) -> Report {
        let argument = |name: &str| self.build_args.get(name.strip_prefix("arg.")?).cloned();
        let parsed = match recipe::recipe_format("", dockerfile) {
            recipe::Format::Dockerfile => recipe::parse_dockerfile(dockerfile),
            recipe::Format::PlywoodToml => recipe::parse_plywood_toml(dockerfile, &argument),
        };
        let mut parsed = parsed.expect("the recipe is right");
        let dockerfile = &self.append(&mut parsed.recipe, dockerfile);
        let labels = BTreeMap::new();
        let request = Request {
            recipe: &parsed.recipe,
            name: "recipe",
            text: dockerfile,
            target: self.target,
            platform: Platform::linux("arm64"),
            build_platform: Platform::linux("amd64"),
            build_args: &self.build_args,
            labels: &labels,
            timestamp: self.timestamp.unwrap_or(TIMESTAMP),
            created: "1970-01-01T00:16:40Z",
            packing: self.packing,
        };
        let mut gatherer = Gatherer::new(self);
        let (mut asked, mut questions) = (String::new(), String::new());
        for _ in 0..MAX_ROUNDS {
            match crate::plan(&request, &gatherer.facts) {
                Ok(Outcome::Ready(plan)) => {
                    let again = crate::plan(&request, &gatherer.facts);
                    assert!(
                        matches!(again, Ok(Outcome::Ready(again)) if keys(&again) == keys(&plan)),
                        "a plan is a pure function of its facts"
                    );
                    let report = gatherer.report(dockerfile, &plan);
                    return Report { asked, questions, ..report };
                }
                Ok(Outcome::Needs(needs)) => {
                    let shown: Vec<String> = needs.iter().map(show_need).collect();
                    asked.push_str(&shown.join(", "));
                    asked.push('\n');
                    for need in &needs {
                        if let Need::Resolution { request, .. } = need {
                            questions.push_str(&packages::show_question(request));
                        }
                    }
                    needs.into_iter().for_each(|need| gatherer.satisfy(need));
                }
                Err(error) => {
                    let messages = show_diagnostic(dockerfile, &error.diagnostic);
                    return Report { messages, asked, questions, ..Report::default() };
                }
            }
        }
        panic!("the planner still asks after {MAX_ROUNDS} rounds:\n{asked}");
    }

    /// Adds the instruction of [`World::then`], and the text that it is of.
    fn append(&self, recipe: &mut recipe::Recipe, text: &str) -> String {
        let Some(more) = self.then else { return text.to_owned() };
        let blank = "\n".repeat(text.len());
        let parsed = recipe::parse_plywood_toml(&format!("{blank}{more}"), &|_| None);
        let steps = parsed.unwrap().recipe.stages.pop().unwrap().instructions;
        let is_python =
            |step: &recipe::Step| matches!(step.instruction, recipe::Instruction::Python(_));
        let stage = recipe.stages.last_mut().unwrap();
        stage.instructions.extend(steps.into_iter().filter(is_python));
        format!("{text}{more}")
    }

    /// The files of the plan's last stage.
    pub(crate) fn files(&self, dockerfile: &str) -> String {
        let report = self.plan(dockerfile);
        format!("{}{}", report.files, report.messages)
    }
}

/// One line of a world.
struct Line {
    entry: Entry,
    text: String,
}

fn line(line: &str) -> Line {
    let is_owner = |text: &str| text.bytes().all(|b| b.is_ascii_digit() || b == b':');
    let owned = line.rsplit_once(" @").filter(|(_, owner)| is_owner(owner));
    let (line, owner) = owned.unwrap_or((line, "0:0"));
    let (uid, gid) = owner.split_once(':').unwrap();
    let first = line.split(' ').next().unwrap();
    let octal = first.len() >= 3 && first.bytes().all(|b| b.is_ascii_digit());
    let (mode, rest) = match line.split_once(' ').filter(|_| octal) {
        Some((mode, rest)) => (Some(u32::from_str_radix(mode, 8).unwrap()), rest),
        None => (None, line),
    };
    let mut text = String::new();
    let (path, mode, node) = if let Some((path, target)) = rest.split_once(" -> ") {
        (path, 0o777, Node::Symlink(target.into()))
    } else if let Some((path, target)) = rest.split_once(" == ") {
        (path, mode.unwrap_or(0o644), Node::Hardlink(ImagePath::lexical(target)))
    } else if let Some((path, content)) = rest.split_once('=') {
        text = content.to_owned();
        let content = Content::of(content.as_bytes());
        (path, mode.unwrap_or(0o644), Node::File(content))
    } else if let Some(path) = rest.strip_suffix(" !") {
        (path, 0, Node::Whiteout)
    } else if let Some(path) = rest.strip_suffix(" |") {
        (path, mode.unwrap_or(0o644), Node::Fifo)
    } else {
        (rest.strip_suffix('/').unwrap(), mode.unwrap_or(0o755), Node::Directory)
    };
    let (uid, gid) = (uid.parse().unwrap(), gid.parse().unwrap());
    let attributes = Attributes { uid, gid, ..Attributes::root(mode, 7) };
    Line { entry: Entry { path: ImagePath::lexical(path), attributes, node }, text }
}

/// Facts, and the world that they are of.
struct Gatherer<'a> {
    world: &'a World,
    facts: Facts,
    texts: HashMap<Digest, String>,
    contexts: HashMap<ContextName, (Context, tempfile::TempDir)>,
    indexes: HashMap<DiffId, Arc<LayerIndex>>,
}

impl<'a> Gatherer<'a> {
    fn new(world: &'a World) -> Self {
        let (today, environment) = (world.today.map(str::to_owned), world.environment.clone());
        let mut facts = Facts { today, environment, ..Facts::default() };
        facts.file_contexts.extend(world.contexts.iter().map(|(name, _)| (*name).to_owned()));
        facts.ignore = world.ignore.map(|text| {
            (".dockerignore".to_owned(), Arc::new(IgnorePatterns::parse(text).unwrap()))
        });
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

    fn satisfy(&mut self, need: Need) {
        match need {
            Need::Base { reference, platform, .. } => {
                let name = reference.familiar().trim_end_matches(":latest").to_owned();
                let base = self.base(&name);
                self.facts.bases.insert((reference, platform), base);
            }
            Need::Listing(name, _) => self.list(name),
            Need::Contents(name, paths) => self.digest(name, &paths),
            Need::LayerIndex { diff_id, .. } => {
                self.facts.indexes.insert(diff_id, Arc::clone(&self.indexes[&diff_id]));
            }
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
        self.facts.contents.entry(name).or_default().extend(paths.iter().cloned().zip(contents));
    }

    fn report(&self, dockerfile: &str, plan: &Plan) -> Report {
        let target = plan.target();
        target.new_layers().for_each(|spec| check_streams(spec));
        let steps = target.steps.iter().filter_map(|step| self.show_step(plan, step));
        let mut config = target.config.as_json()["config"].clone();
        if let Some(env) = config.get_mut("Env").and_then(|env| env.as_array_mut()) {
            env.retain(|entry| !entry.as_str().unwrap().ends_with("/usr/bin:/sbin:/bin"));
        }
        let messages = plan.warnings.iter().map(|warning| show_diagnostic(dockerfile, warning));
        Report {
            files: steps.collect(),
            config: config.to_string(),
            messages: messages.collect(),
            keys: keys(plan),
            history: target.history.iter().filter_map(show_history).collect(),
            streams: target.new_layers().map(|spec| spec.streams.len()).collect(),
            ..Report::default()
        }
    }

    fn show_step(&self, plan: &Plan, step: &PlannedStep) -> Option<String> {
        let mut shown = String::new();
        let (how, spec) = match &step.becomes {
            Becomes::Metadata => return None,
            Becomes::NeedsExecution => return Some(format!("{}: needs execution\n", step.text)),
            Becomes::Files(spec) => ("files".to_owned(), spec),
            Becomes::CopyFrom(origin, spec) => (format!("from {origin}"), spec),
            Becomes::Packages(layers) => {
                let layer = |spec: &Arc<LayerSpec>| {
                    format!("{}:\n{}", spec.title, self.show_layer(plan, spec))
                };
                return Some(layers.iter().map(layer).collect());
            }
        };
        if plan.target().new_layers().count() > 1 {
            let _ = writeln!(shown, "{}: {how}", step.text.lines().next().unwrap());
        }
        shown.push_str(&self.show_layer(plan, spec));
        Some(shown)
    }

    fn show_layer(&self, plan: &Plan, spec: &LayerSpec) -> String {
        let mut shown = String::new();
        for entry in spec.entries.entries() {
            let Attributes { mode, uid, gid, mtime, .. } = &entry.attributes;
            let mut line = format!("{mode:04o} {uid}:{gid} {}", entry.path);
            match &entry.node {
                Node::Directory => line.push('/'),
                Node::Symlink(target) => {
                    let _ = write!(line, " -> {}", String::from_utf8_lossy(target));
                }
                Node::Hardlink(target) => {
                    let _ = write!(line, " == {target}");
                }
                Node::File(content) => {
                    let _ = write!(line, "={}", self.text(plan, content));
                }
                other => {
                    let _ = write!(line, " {other:?}");
                }
            }
            if *mtime != TIMESTAMP {
                let _ = write!(line, " at {mtime}");
            }
            shown.push_str(&line);
            shown.push('\n');
        }
        shown
    }

    fn text(&self, plan: &Plan, content: &Content) -> String {
        let text = match plan.sources.get(&content.digest) {
            Some(crate::Source::Inline(bytes)) => String::from_utf8_lossy(bytes).into_owned(),
            Some(_) => self.texts[&content.digest].clone(),
            None => "a content without a source".to_owned(),
        };
        assert_eq!(packages::size(&text).unwrap_or(text.len() as u64), content.size);
        text.replace('\n', "\\n")
    }
}

/// Each stream is of a file of the layer.
fn check_streams(spec: &LayerSpec) {
    for (path, stream) in &spec.streams {
        let node = &spec.entries.entry(path).expect("streams are of the layer's files").node;
        assert!(matches!(node, Node::File(content) if content.size == stream.member.size));
    }
}

fn keys(plan: &Plan) -> Vec<String> {
    plan.target().new_layers().map(|spec| spec.key.to_string()).collect()
}

fn descriptor(text: &str) -> Descriptor {
    Descriptor::new(
        MediaType::OciLayer(oci::Compression::Gzip),
        Digest::of(text.as_bytes()),
        text.len() as u64,
    )
}

fn make(root: &std::path::Path, line: &Line) {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let path = root.join(line.entry.path.to_string());
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    match &line.entry.node {
        Node::Directory => std::fs::create_dir_all(&path).unwrap(),
        Node::Symlink(target) => {
            return symlink(String::from_utf8_lossy(target).as_ref(), &path).unwrap();
        }
        Node::Hardlink(target) => {
            return std::fs::hard_link(root.join(target.to_string()), &path).unwrap();
        }
        Node::Fifo => {
            let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
            assert!(made.success());
            return;
        }
        _ => std::fs::write(&path, &line.text).unwrap(),
    }
    let mode = std::fs::Permissions::from_mode(line.entry.attributes.mode);
    std::fs::set_permissions(&path, mode).unwrap();
}

fn show_history(line: &oci::History) -> Option<String> {
    let empty = if line.empty_layer { " (no layer)" } else { "" };
    line.created_by.as_ref().map(|text| format!("{text}{empty}\n"))
}

fn show_need(need: &Need) -> String {
    match need {
        Need::Base { reference, platform, .. } => {
            format!("image {} for {platform}", reference.familiar())
        }
        Need::Listing(name, _) => format!("list {name}"),
        Need::Contents(_, paths) => {
            let paths: Vec<String> = paths.iter().map(ImagePath::to_string).collect();
            format!("digest {}", paths.join(" "))
        }
        Need::LayerIndex { base, .. } => format!("index a layer of {}", base.familiar()),
        Need::Text(_) => "read a file".to_owned(),
        Need::Download { url, .. } => format!("fetch {url}"),
        Need::Archive(..) => "look into an archive".to_owned(),
        Need::Resolution { .. } => "resolve packages".to_owned(),
        Need::Wheels { packages, .. } => format!("read {} wheels", packages.len()),
    }
}

/// `rule: «place»: message (hint)`
fn show_diagnostic(dockerfile: &str, diagnostic: &Diagnostic) -> String {
    let rule = match (diagnostic.severity, diagnostic.rule) {
        (recipe::Severity::Error, None) => "error".to_owned(),
        (recipe::Severity::Error, Some(rule)) => format!("error {}", rule.name()),
        (recipe::Severity::Warning, None) => "warning".to_owned(),
        (recipe::Severity::Warning, Some(rule)) => rule.name().to_owned(),
    };
    let place = &dockerfile[diagnostic.span.clone()];
    let hint = diagnostic.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
    format!("{rule}: «{place}»: {}{hint}\n", diagnostic.message)
}
