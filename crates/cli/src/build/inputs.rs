//! What a build reads on this machine: the recipe's text, the contexts and their ignore file.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use context::{Context, Listing, Shape, Verdict};
use oci::ImagePath;
use plan::ContextName;
use recipe::IgnorePatterns;

use super::error::BuildError;
use super::plain_layers::PlainLayers;
use super::wheels::AbsentWheels;
use super::{lock, scratch_directory, threads};
use crate::error::{Doing, Error};
use crate::flags::{BuildArguments, ContextSource, NamedContext, RecipeSource};
use crate::session::Session;

/// The largest Dockerfile or ignore file that is read.
const MAX_TEXT_BYTES: u64 = 16 << 20;

/// How much of standard input tells an archive from a text.
const HEAD_BYTES: u64 = 64 << 10;

/// The recipe in plywood's own form.
const PLYWOOD_TOML: &str = "plywood.toml";

/// The ignore file of a context.
const IGNORE_FILE: &str = ".dockerignore";

/// What a build reads on this machine.
pub(super) struct Inputs {
    /// The recipe's name in messages.
    pub(super) recipe_name: String,
    /// The recipe's text.
    pub(super) recipe_text: String,
    /// The ignore file that counts for the main context, and its name.
    pub(super) ignore: Option<(String, Arc<IgnorePatterns>)>,
    /// The text of that file.
    pub(super) ignore_text: Option<String>,
    /// Where the recipe's lock is, if the recipe is a file of this machine.
    pub(super) lock: Option<PathBuf>,
    /// Where the main context is on this machine, if it is a directory.
    pub(super) directory: Option<PathBuf>,
    /// Layers of bases that were decompressed to files.
    pub(super) plain_layers: PlainLayers,
    /// Wheels that are fetched when their bytes are wanted.
    pub(super) absent_wheels: AbsentWheels,
    contexts: BTreeMap<ContextName, Opened>,
}

/// A context, and what is left out of it.
struct Opened {
    context: Context,
    ignore: Option<Arc<IgnorePatterns>>,
    /// Files that are no part of it: the lock, which says what becomes of the rest.
    locks: Vec<ImagePath>,
}

impl Inputs {
    /// Opens the contexts and reads the recipe and the ignore file.
    pub(super) fn open(arguments: &BuildArguments, session: &Session) -> Result<Self, Error> {
        let Main { context: main, directory, recipe } = main_context(&arguments.context, session)?;
        let is_file = recipe.is_none()
            && directory.is_some()
            && arguments.recipe != RecipeSource::StandardInput;
        let (recipe_name, recipe_text) = match recipe {
            Some(recipe) => recipe,
            None => read_recipe(arguments, &main, directory.as_deref())?,
        };
        let lock = is_file.then(|| lock::of_recipe(Path::new(&recipe_name)));
        let ignore = read_ignore(arguments, &main, directory.as_deref(), &recipe_name)?;
        let (ignore, ignore_text) = ignore.unzip();
        let patterns = ignore.as_ref().map(|(_, patterns)| Arc::clone(patterns));
        let locks = locks_in(directory.as_deref(), lock.as_deref());
        let main = Opened { context: main, ignore: patterns, locks };
        let mut contexts = BTreeMap::from([(ContextName::Main, main)]);
        for (name, named) in &arguments.build_contexts {
            if let NamedContext::Path(path) = named {
                if !path.exists() {
                    let problem = format!("there is no `{}`", path.display());
                    return Err(BuildError::NamedContext { name: name.clone(), problem }.into());
                }
                let context =
                    open_path(path, session).doing(|| format!("open the context `{name}`"))?;
                let ignore = match read_listed(&context, IGNORE_FILE)? {
                    Some(bytes) => Some(parse_ignore(&format!("{name}/{IGNORE_FILE}"), bytes)?.0.1),
                    None => None,
                };
                let locks = locks_in(Some(path), lock.as_deref());
                let name = ContextName::Named(name.clone());
                contexts.insert(name, Opened { context, ignore, locks });
            }
        }
        let plain_layers = PlainLayers::default();
        Ok(Inputs {
            recipe_name,
            recipe_text,
            ignore,
            ignore_text,
            lock,
            directory,
            plain_layers,
            absent_wheels: AbsentWheels::default(),
            contexts,
        })
    }

    /// What tells this build from others that share the store: context and recipe.
    pub(super) fn place(&self) -> Vec<u8> {
        let directory = self.directory.clone().unwrap_or_default();
        // A context that is not there any more was noticed before.
        let directory = directory.canonicalize().unwrap_or(directory);
        let parts = [directory.as_os_str().as_encoded_bytes(), self.recipe_name.as_bytes()];
        parts.join(&0)
    }

    /// An opened context.
    pub(super) fn context(&self, name: &ContextName) -> Option<&Context> {
        self.contexts.get(name).map(|opened| &opened.context)
    }

    /// Takes in a context that was only found out about while planning: a checkout.
    pub(super) fn insert(&mut self, name: ContextName, context: Context) {
        self.contexts.insert(name, Opened { context, ignore: None, locks: Vec::new() });
    }

    /// Lists a context, without what the ignore file leaves out.
    pub(super) fn list(
        &self,
        name: &ContextName,
        session: &Session,
    ) -> Result<Option<Listing>, Error> {
        let Some(Opened { context, ignore, locks }) = self.contexts.get(name) else {
            return Ok(None);
        };
        let filter = |path: &ImagePath, shape: Shape| match ignore {
            _ if shape == Shape::Leaf && locks.contains(path) => Verdict::Prune,
            Some(patterns) => verdict(patterns, path, shape),
            None => Verdict::Keep,
        };
        let listing = context.list(&filter, threads(session));
        Ok(Some(listing.map_err(BuildError::from)?))
    }
}

/// The locks in a context: the one that is being written, and the one that the context's own recipe
/// would have. Without them, an image is the same before they are written and after.
fn locks_in(directory: Option<&Path>, lock: Option<&Path>) -> Vec<ImagePath> {
    let mut locks = vec![ImagePath::lexical(lock::PLYWOOD_LOCK)];
    let relative = || {
        let (directory, lock) = (directory?.canonicalize().ok()?, lock?);
        let parent = match lock.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let whole = parent.canonicalize().ok()?.join(lock.file_name()?);
        let inside = whole.strip_prefix(directory).ok()?;
        Some(ImagePath::lexical(inside.as_os_str().as_encoded_bytes()))
    };
    locks.extend(relative());
    locks
}

/// What Docker's matcher says of a path, in the words of the walk.
fn verdict(patterns: &IgnorePatterns, path: &ImagePath, shape: Shape) -> Verdict {
    let text = String::from_utf8_lossy(path.as_bytes());
    if !patterns.matches(&text) {
        return Verdict::Keep;
    }
    match shape {
        Shape::Directory if patterns.may_reenter(&text) => Verdict::Descend,
        Shape::Directory | Shape::Leaf => Verdict::Prune,
    }
}

/// The main context, and what was learnt while it was opened.
struct Main {
    context: Context,
    /// Where it is, if it is a directory.
    directory: Option<PathBuf>,
    /// The recipe's name and text, if it came instead of a context.
    recipe: Option<(String, String)>,
}

fn main_context(source: &ContextSource, session: &Session) -> Result<Main, Error> {
    match source {
        ContextSource::StandardInput => standard_input(session),
        ContextSource::Path(path) => {
            let context = open_path(path, session)?;
            let directory = path.is_dir().then(|| path.clone());
            Ok(Main { context, directory, recipe: None })
        }
    }
}

/// `-`: a tar, or as in `docker build - < Dockerfile` a recipe without a context.
fn standard_input(session: &Session) -> Result<Main, Error> {
    let failed = |source| Error::Stream { stream: "standard input", source };
    let scratch = scratch_directory(session)?;
    let mut stdin = std::io::stdin().lock();
    let mut head = Vec::new();
    stdin.by_ref().take(HEAD_BYTES).read_to_end(&mut head).map_err(failed)?;
    let is_archive = layer::detect_archive(head.as_slice()).map_err(failed)?.is_some();
    if is_archive {
        let context = Context::stream(head.as_slice().chain(stdin), &scratch)
            .map_err(BuildError::from)
            .doing(|| "read the context".to_owned())?;
        return Ok(Main { context, directory: None, recipe: None });
    }
    stdin.take(MAX_TEXT_BYTES).read_to_end(&mut head).map_err(failed)?;
    let recipe = Some(("-".to_owned(), text("-", head)?));
    let nothing = scratch.join("nothing");
    std::fs::create_dir_all(&nothing).map_err(Error::writing(&nothing))?;
    let context = Context::directory(&nothing).map_err(BuildError::from)?;
    Ok(Main { context, directory: None, recipe })
}

fn open_path(path: &Path, session: &Session) -> Result<Context, Error> {
    let opened = if path.is_file() {
        Context::tarball(path, &scratch_directory(session)?)
    } else {
        Context::directory(path)
    };
    Ok(opened.map_err(BuildError::from)?)
}

/// The recipe's name and text.
fn read_recipe(
    arguments: &BuildArguments,
    main: &Context,
    directory: Option<&Path>,
) -> Result<(String, String), Error> {
    match (&arguments.recipe, directory) {
        (RecipeSource::StandardInput, _) => {
            let mut bytes = Vec::new();
            std::io::stdin()
                .lock()
                .take(MAX_TEXT_BYTES)
                .read_to_end(&mut bytes)
                .map_err(|source| Error::Stream { stream: "standard input", source })?;
            Ok(("-".to_owned(), text("-", bytes)?))
        }
        (RecipeSource::InContext, Some(directory)) => {
            // Docker takes the lower-case name where the other is not there. A `plywood.toml` is
            // there for nobody else, so it comes first.
            let names = [PLYWOOD_TOML, "Dockerfile", "dockerfile"];
            let mut paths = names.iter().map(|name| directory.join(name));
            let path = paths.find(|path| path.exists());
            read_recipe_file(&path.unwrap_or_else(|| directory.join("Dockerfile")))
        }
        (RecipeSource::Path(path), Some(_)) => read_recipe_file(path),
        (RecipeSource::InContext, None) => match read_listed(main, PLYWOOD_TOML)? {
            Some(bytes) => Ok((PLYWOOD_TOML.to_owned(), text(PLYWOOD_TOML, bytes)?)),
            None => read_inside(main, "Dockerfile"),
        },
        (RecipeSource::Path(path), None) => read_inside(main, &path.to_string_lossy()),
    }
}

fn read_recipe_file(path: &Path) -> Result<(String, String), Error> {
    let name = path.display().to_string();
    match std::fs::read(path) {
        Ok(bytes) => Ok((name.clone(), text(&name, bytes)?)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let (path, instead) = (path.to_owned(), similar_recipe(path));
            Err(BuildError::NoRecipe { path, instead }.into())
        }
        Err(error) => Err(Error::reading(path)(error)),
    }
}

/// A file beside `path` whose name says that it is a Dockerfile.
fn similar_recipe(path: &Path) -> Option<String> {
    let directory = path.parent()?;
    let mut names: Vec<PathBuf> =
        std::fs::read_dir(directory).ok()?.filter_map(|entry| Some(entry.ok()?.path())).collect();
    names.sort();
    let is_recipe = |path: &&PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        (name.contains("dockerfile") || name.contains("containerfile"))
            && !name.ends_with(".dockerignore")
    };
    names.iter().find(is_recipe).map(|path| path.display().to_string())
}

/// A text file of a context that is a tar.
fn read_inside(main: &Context, name: &str) -> Result<(String, String), Error> {
    let missing = || BuildError::NoRecipe { path: PathBuf::from(name), instead: None };
    let bytes = read_listed(main, name)?.ok_or_else(missing)?;
    Ok((name.to_owned(), text(name, bytes)?))
}

/// A small file of a context, if it is there.
fn read_listed(main: &Context, name: &str) -> Result<Option<Vec<u8>>, Error> {
    let path = ImagePath::lexical(name);
    Ok(main.read(&path, MAX_TEXT_BYTES).map_err(BuildError::from)?)
}

fn text(name: &str, bytes: Vec<u8>) -> Result<String, Error> {
    String::from_utf8(bytes).map_err(|_| BuildError::NotText(name.to_owned()).into())
}

/// An ignore file: its name and patterns, and its text.
type Ignore = ((String, Arc<IgnorePatterns>), String);

/// The ignore file that counts: the one named, else the Dockerfile's own, else the context's
/// (Docker's documentation, "Build context", ".dockerignore files").
fn read_ignore(
    arguments: &BuildArguments,
    main: &Context,
    directory: Option<&Path>,
    recipe_name: &str,
) -> Result<Option<Ignore>, Error> {
    if let Some(path) = &arguments.ignore_file {
        let bytes = crate::error::read(path)?;
        let below = path.parent().map(Path::to_owned).unwrap_or_default();
        let include = |name: &str| -> Result<String, String> {
            let path = below.join(name);
            std::fs::read_to_string(&path)
                .map_err(|error| format!("include `{}`: {error}", path.display()))
        };
        let name = path.display().to_string();
        let text = text(&name, bytes)?;
        let patterns = IgnorePatterns::parse_with_includes(&text, &include);
        return Ok(Some((patterns_or_error(&name, patterns)?, text)));
    }
    let own = format!("{recipe_name}.dockerignore");
    for name in [own.as_str(), IGNORE_FILE] {
        let bytes = match directory {
            Some(directory) => {
                let path = if name == own { PathBuf::from(name) } else { directory.join(name) };
                match std::fs::read(&path) {
                    Ok(bytes) => Some(bytes),
                    Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
                    Err(error) => return Err(Error::reading(path)(error)),
                }
            }
            None => read_listed(main, name)?,
        };
        if let Some(bytes) = bytes {
            return Ok(Some(parse_ignore(name, bytes)?));
        }
    }
    Ok(None)
}

fn parse_ignore(name: &str, bytes: Vec<u8>) -> Result<Ignore, Error> {
    let text = text(name, bytes)?;
    Ok((patterns_or_error(name, IgnorePatterns::parse(&text))?, text))
}

fn patterns_or_error<E: std::fmt::Display>(
    name: &str,
    patterns: Result<IgnorePatterns, E>,
) -> Result<(String, Arc<IgnorePatterns>), Error> {
    match patterns {
        Ok(patterns) => Ok((name.to_owned(), Arc::new(patterns))),
        Err(error) => {
            let problem = error.to_string();
            Err(BuildError::IgnoreFile { name: name.to_owned(), problem }.into())
        }
    }
}
