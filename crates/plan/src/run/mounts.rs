//! `RUN --mount`: what a command sees beside the image, and what leaves no trace in it (Docker's
//! reference, "RUN --mount").

use std::collections::HashMap;
use std::sync::Arc;

use context::LastComponent;
use layer::{Attributes, Content, Entry, LayerIndex, Node, RootFs};
use oci::{Digest, ImagePath};
use recipe::{Mount, MountKind, Run, Span, Word};
use shell::files::{Access, FileError, Last, VolumeId};
use shell::{Data, Files};

use super::command::{Prepared, settle};
use crate::copy::{self, SourceEntry, SourceKind, SourceTree};
use crate::error::{PlanError, Step, Stop};
use crate::facts::Need;
use crate::outcome::Source;
use crate::stage::StagePlanner;

/// Where secrets are, if nothing else is said.
const SECRETS: &str = "run/secrets";
/// What a secret's file has, if nothing else is said.
const SECRET_MODE: u32 = 0o400;
/// What other mounted directories have.
const DIRECTORY_MODE: u32 = 0o755;

/// Where the bytes of mounted files can be had, by volume and path there.
#[derive(Debug, Default)]
pub(super) struct Trees(HashMap<(VolumeId, ImagePath), Source>);

impl Trees {
    pub(super) fn source(&self, volume: VolumeId, path: &ImagePath) -> Option<&Source> {
        self.0.get(&(volume, path.clone()))
    }
}

/// A mount's options at its line.
struct Options {
    values: HashMap<String, Option<String>>,
    span: Span,
}

/// Mounts everything that a `RUN` asks for.
pub(super) fn mount(
    planner: &mut StagePlanner<'_, '_>,
    run: &Run,
    prepared: &Prepared,
    files: &mut Files,
    span: &Span,
) -> Step<Trees> {
    let mut trees = Trees::default();
    for mount in &run.mounts {
        let options = Options::of(planner, mount)?;
        let directory = &prepared.command.directory;
        match mount.kind {
            MountKind::Bind => bind(planner, &options, directory, files, &mut trees, span)?,
            MountKind::Cache | MountKind::Tmpfs => empty(planner, &options, directory, files)?,
            MountKind::Secret => secret(planner, &options, directory, files)?,
            // The agent's socket is of use to programs that are not evaluated.
            MountKind::Ssh => {}
        }
    }
    Ok(trees)
}

impl Options {
    fn of(planner: &mut StagePlanner<'_, '_>, mount: &Mount) -> Step<Self> {
        let mut values = HashMap::new();
        for (key, value) in &mount.options {
            let value = match value {
                Some(text) if key != "from" => {
                    let word = Word { text: text.clone(), span: mount.span.clone() };
                    Some(planner.expand(&word)?)
                }
                other => other.clone(),
            };
            values.insert(key.clone(), value);
        }
        Ok(Options { values, span: mount.span.clone() })
    }

    /// The value of the first of several names for one option.
    fn value(&self, keys: &[&str]) -> Option<&str> {
        keys.iter().find_map(|key| self.values.get(*key)?.as_deref())
    }

    /// Where it goes; relative paths are the working directory's.
    fn target(&self, directory: &ImagePath) -> Option<ImagePath> {
        let target = self.value(&["target", "dst", "destination"])?;
        Some(match target.starts_with('/') {
            true => ImagePath::lexical(target),
            false => directory.join(target),
        })
    }

    fn needed_target(&self, directory: &ImagePath) -> Step<ImagePath> {
        let error = || PlanError::recipe(self.span.clone(), "a mount does not say where it goes");
        let target = self.target(directory);
        Ok(target.ok_or_else(|| error().with_hint("add `target=/PATH`"))?)
    }

    fn is_set(&self, keys: &[&str]) -> bool {
        let given = keys.iter().find_map(|key| self.values.get(*key));
        given.is_some_and(|value| {
            value.as_deref().is_none_or(|value| matches!(value, "1" | "true" | "True" | "TRUE"))
        })
    }

    fn attributes(&self, mode: u32, mtime: i64) -> Attributes {
        let number = |key: &str| self.value(&[key]).and_then(|text| text.parse().ok());
        let given = self.value(&["mode"]).and_then(|text| u32::from_str_radix(text, 8).ok());
        Attributes {
            uid: number("uid").unwrap_or(0),
            gid: number("gid").unwrap_or(0),
            ..Attributes::root(given.unwrap_or(mode) & 0o7777, mtime)
        }
    }
}

/// Where `path` leads in the image, so that something can be mounted there.
fn place(
    planner: &mut StagePlanner<'_, '_>,
    files: &Files,
    path: &ImagePath,
    span: &Span,
) -> Step<ImagePath> {
    let located = match files.locate(&ImagePath::root(), path.as_bytes(), Last::Followed) {
        Err(FileError::Errno(_)) => return Ok(path.clone()),
        other => settle(planner, other, span, || format!("mount at `/{path}`"))?,
    };
    Ok(located.path)
}

fn empty(
    planner: &mut StagePlanner<'_, '_>,
    options: &Options,
    directory: &ImagePath,
    files: &mut Files,
) -> Step<()> {
    let target = options.needed_target(directory)?;
    let target = place(planner, files, &target, &options.span)?;
    let attributes = options.attributes(DIRECTORY_MODE, files.clock());
    let mounted = files.mount_empty(&target, attributes);
    settle(planner, mounted, &options.span, || format!("mount at `/{target}`")).map(drop)
}

/// A secret is a file, or with `env=` a variable; without being given it is absent, unless it is
/// required.
fn secret(
    planner: &mut StagePlanner<'_, '_>,
    options: &Options,
    directory: &ImagePath,
    files: &mut Files,
) -> Step<()> {
    let Some(id) = secret_id(options) else { return Ok(()) };
    let Some(secret) = planner.shared.facts.secrets.get(&id).cloned() else {
        if !options.is_set(&["required"]) {
            return Ok(());
        }
        let message = format!("the secret `{id}` is required, and was not given");
        let error = PlanError::recipe(options.span.clone(), message);
        return Err(error.with_hint(format!("give it with `--secret id={id},src=FILE`")).into());
    };
    let target = match options.target(directory) {
        Some(target) => target,
        // A variable alone.
        None if options.value(&["env"]).is_some() => return Ok(()),
        None => ImagePath::lexical(SECRETS).join(&id),
    };
    let target = place(planner, files, &target, &options.span)?;
    let attributes = options.attributes(SECRET_MODE, files.clock());
    let mounted = files.mount_file(&target, Data::of(&secret.0[..]), attributes);
    settle(planner, mounted, &options.span, || format!("mount at `/{target}`")).map(drop)
}

fn secret_id(options: &Options) -> Option<String> {
    if let Some(id) = options.value(&["id", "source", "src"]) {
        return Some(id.to_owned());
    }
    let target = options.value(&["target", "dst", "destination"])?;
    target.rsplit('/').next().map(str::to_owned)
}

/// The variables that secrets become: `--mount=type=secret,id=…,env=NAME`.
pub(super) fn secret_variables(
    planner: &mut StagePlanner<'_, '_>,
    run: &Run,
) -> Step<Vec<(String, Arc<[u8]>)>> {
    let mut variables = Vec::new();
    for mount in run.mounts.iter().filter(|mount| mount.kind == MountKind::Secret) {
        let options = Options::of(planner, mount)?;
        let id = secret_id(&options).or_else(|| options.value(&["env"]).map(str::to_owned));
        let secret = id.and_then(|id| planner.shared.facts.secrets.get(&id));
        if let (Some(name), Some(secret)) = (options.value(&["env"]), secret) {
            variables.push((name.to_owned(), Arc::clone(&secret.0)));
        }
    }
    Ok(variables)
}

/// What names the trees that a `RUN` sees beside the image; `None` if it sees what has no name, or a
/// secret.
pub(super) fn identities(
    planner: &mut StagePlanner<'_, '_>,
    run: &Run,
) -> Step<Option<Vec<Vec<Digest>>>> {
    let mut identities = Vec::new();
    for mount in &run.mounts {
        match mount.kind {
            MountKind::Bind => {}
            MountKind::Secret => return Ok(None),
            MountKind::Cache | MountKind::Tmpfs | MountKind::Ssh => continue,
        }
        let options = Options::of(planner, mount)?;
        let from = options.value(&["from"]).filter(|from| !from.is_empty());
        let Some(from) = from else { return Ok(None) };
        let from = Word { text: from.to_owned(), span: options.span.clone() };
        let identity = match copy::source_tree(planner, Some(&from), &options.span)? {
            SourceTree::Tree(tree) => tree.identity(),
            SourceTree::Listing(..) => None,
        };
        match identity {
            Some(identity) => identities.push(identity),
            None => return Ok(None),
        }
    }
    Ok(Some(identities))
}

/// The ids of the secrets that a `RUN` mounts.
pub(super) fn secret_ids(run: &Run) -> Vec<String> {
    let secrets = run.mounts.iter().filter(|mount| mount.kind == MountKind::Secret);
    let id = |mount: &Mount| {
        let named = ["id", "source", "src", "env"].iter().find_map(|key| mount.option(key));
        let target = || {
            let target = ["target", "dst", "destination"].iter().find_map(|key| mount.option(key));
            target.and_then(|target| target.rsplit('/').next())
        };
        named.or_else(target).map(str::to_owned)
    };
    secrets.filter_map(id).collect()
}

/// Files of the context, a stage or an image.
fn bind(
    planner: &mut StagePlanner<'_, '_>,
    options: &Options,
    directory: &ImagePath,
    files: &mut Files,
    trees: &mut Trees,
    span: &Span,
) -> Step<()> {
    let target = options.needed_target(directory)?;
    let from = options.value(&["from"]).filter(|from| !from.is_empty());
    let from = from.map(|text| Word { text: text.to_owned(), span: options.span.clone() });
    let tree = copy::source_tree(planner, from.as_ref(), span)?;
    let source = ImagePath::lexical(options.value(&["source", "src"]).unwrap_or("/"));
    let Some(top) = tree.find(&source, LastComponent::Follow, planner.needs)? else {
        let message = format!("there is no `/{source}` to mount");
        return Err(PlanError::files(options.span.clone(), message).into());
    };
    let access = match options.is_set(&["rw", "readwrite"]) {
        true => Access::Discarded,
        false => Access::ReadOnly,
    };
    let clock = files.clock();
    let place = place(planner, files, &target, &options.span)?;
    let (entries, sources) = if top.is_directory() {
        directory_entries(planner, &tree, top.path(), clock)?
    } else {
        file_entry(planner, &tree, &top, clock)?
    };
    let is_file = !top.is_directory();
    let mounted = match (is_file, entries.first()) {
        (true, Some(Entry { node: Node::File(content), attributes, .. })) => {
            let origin = Arc::new(shell::Origin::Given);
            let data = Data::Stored(shell::Stored { content: *content, origin });
            files.mount_file(&place, data, attributes.clone())
        }
        _ => {
            let index = LayerIndex::from_entries(entries.clone());
            files.mount(&place, RootFs::new(vec![Some(Arc::new(index))]), access)
        }
    };
    let volume = settle(planner, mounted, &options.span, || format!("mount at `/{target}`"))?;
    for (path, content, source) in sources {
        if is_file {
            planner.shared.sources.insert(content.digest, source);
        } else {
            trees.0.insert((volume, path), source);
        }
    }
    Ok(())
}

type Mounted = (Vec<Entry>, Vec<(ImagePath, Content, Source)>);

/// Everything below a directory of a source, with paths from there.
fn directory_entries(
    planner: &mut StagePlanner<'_, '_>,
    tree: &SourceTree,
    top: &ImagePath,
    clock: i64,
) -> Step<Mounted> {
    let below = tree.below(top, planner.needs)?;
    ask_for_contents(planner, tree, &below)?;
    let mut mounted: Mounted = (Vec::new(), Vec::new());
    for entry in &below {
        let path = ImagePath::lexical(entry.path().strip_prefix(top).unwrap_or_default());
        add(planner, tree, entry, path, clock, &mut mounted)?;
    }
    mounted.0.sort_by(Entry::layer_order);
    Ok(mounted)
}

fn file_entry(
    planner: &mut StagePlanner<'_, '_>,
    tree: &SourceTree,
    entry: &SourceEntry<'_>,
    clock: i64,
) -> Step<Mounted> {
    ask_for_contents(planner, tree, std::slice::from_ref(entry))?;
    let mut mounted: Mounted = (Vec::new(), Vec::new());
    add(planner, tree, entry, ImagePath::lexical("file"), clock, &mut mounted)?;
    Ok(mounted)
}

/// Asks for the digests of a context's files, all at once.
fn ask_for_contents(
    planner: &mut StagePlanner<'_, '_>,
    tree: &SourceTree,
    entries: &[SourceEntry<'_>],
) -> Step<()> {
    let SourceTree::Listing(name, _) = tree else { return Ok(()) };
    let known = planner.shared.facts.contents.get(name);
    let is_missing = |entry: &&SourceEntry<'_>| {
        let is_file = matches!(entry.kind(), SourceKind::File);
        is_file && known.is_none_or(|known| !known.contains_key(entry.path()))
    };
    let missing: Vec<ImagePath> =
        entries.iter().filter(is_missing).map(|entry| entry.path().clone()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    planner.needs.add(Need::Contents(name.clone(), missing));
    Err(Stop::Needs)
}

fn add(
    planner: &mut StagePlanner<'_, '_>,
    tree: &SourceTree,
    entry: &SourceEntry<'_>,
    path: ImagePath,
    clock: i64,
    (entries, sources): &mut Mounted,
) -> Step<()> {
    let owner = entry.owner();
    let attributes = Attributes {
        uid: owner.uid,
        gid: owner.gid,
        xattrs: entry.xattrs(),
        ..Attributes::root(entry.mode(), entry.mtime().unwrap_or(clock))
    };
    let node = match entry.kind() {
        SourceKind::Directory => Node::Directory,
        SourceKind::Symlink(target) => Node::Symlink(target.to_vec()),
        // A socket or a device of this machine is nothing that a command can use.
        SourceKind::Special(_) => return Ok(()),
        SourceKind::Other(node) => node.clone(),
        SourceKind::File => {
            let Some((content, source)) = content(planner, tree, entry)? else { return Ok(()) };
            sources.push((path.clone(), content, source));
            Node::File(content)
        }
    };
    entries.push(Entry { path, attributes, node });
    Ok(())
}

/// What a file holds, and where that can be had.
fn content(
    planner: &mut StagePlanner<'_, '_>,
    tree: &SourceTree,
    entry: &SourceEntry<'_>,
) -> Step<Option<(Content, Source)>> {
    match (tree, entry) {
        (SourceTree::Listing(name, _), entry) => {
            let known = planner.shared.facts.contents.get(name);
            let content = known.and_then(|known| known.get(entry.path())).copied();
            let (context, path) = (name.clone(), entry.path().clone());
            Ok(content.map(|content| (content, Source::Context { context, path })))
        }
        (SourceTree::Tree(tree), SourceEntry::Found(_, found)) => {
            let Some((content, file)) = tree.file(*found, planner.needs)? else { return Ok(None) };
            let source = tree.source(&content, file, &planner.shared.sources);
            Ok(source.map(|source| (content, source)))
        }
        (SourceTree::Tree(_), _) => Ok(None),
    }
}
