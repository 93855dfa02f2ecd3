//! What is asked of Python: the packages of an image, unresolved.

use crate::{Span, Spanned};

/// The `[python]` table of a `plywood.toml`. Fields are named for its keys.
///
/// Paths are relative to the context's root, and none of them leads out of it. Texts are as
/// written, with templates replaced; what is a requirement, and what a file holds, is looked at
/// later. Addresses may hold credentials, so the text of a step names none of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PythonPackages {
    /// Requirements, each a line as pip's requirements format has it, but no option.
    pub requirements: Vec<Spanned<String>>,
    /// Files in that format.
    pub requirements_files: Vec<Spanned<String>>,
    /// Constraints, written like requirements.
    pub constraints: Vec<Spanned<String>>,
    /// Files of constraints.
    pub constraint_files: Vec<Spanned<String>>,
    /// What takes the place of every other requirement of the same package.
    pub overrides: Vec<Spanned<String>>,
    /// Files of overrides.
    pub override_files: Vec<Spanned<String>>,
    /// The directory that holds a `pyproject.toml`; its dependencies are installed, not it.
    pub project: Option<Spanned<String>>,
    /// A `uv.lock` or `pylock.toml`. With one, nothing is resolved, and the lists above are empty.
    pub lock: Option<Spanned<PythonLock>>,
    /// Extras of the project or of the lock.
    pub extras: Vec<Spanned<String>>,
    /// Dependency groups (PEP 735) of the project or of the lock.
    pub groups: Vec<Spanned<String>>,
    /// The index, if not the default one.
    pub index_url: Option<Spanned<String>>,
    /// Further indexes.
    pub extra_index_urls: Vec<Spanned<String>>,
    /// Whether no index is asked.
    pub no_index: bool,
    /// Where else wheels are.
    pub find_links: Vec<Spanned<FindLinks>>,
    /// Nothing that was uploaded after this, a date or an RFC 3339 time.
    pub exclude_newer: Option<Spanned<String>>,
    /// Whether pre-releases count.
    pub prereleases: Prereleases,
    /// Names of which no wheel is taken; `:all:` is every one.
    pub no_binary: Vec<Spanned<String>>,
    /// Names of which nothing but a wheel is taken; `:all:` is every one.
    pub only_binary: Vec<Spanned<String>>,
    /// Which of the image's Pythons: a path, or a version such as `3.12`.
    pub interpreter: Option<Spanned<String>>,
    /// Which of the base's packages do not stay, although they satisfy.
    pub upgrade: Upgrade,
    /// Whether only what is asked for by name is installed: pip's `--no-deps`.
    pub no_dependencies: bool,
    /// Whether each package must come with a hash.
    pub require_hashes: bool,
    /// What is done about packages that come as source only.
    pub build: SourceBuilds,
    /// The most layers that the image may have, those of the base included.
    pub max_layers: Option<Spanned<usize>>,
    /// Where the table is.
    pub span: Span,
}

/// A lock file, known by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PythonLock {
    /// Where it is in the context.
    pub path: String,
    /// What it is.
    pub kind: PythonLockKind,
}

/// Kinds of lock files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PythonLockKind {
    /// `uv.lock`
    Uv,
    /// `pylock.toml` or `pylock.NAME.toml` (PEP 751).
    Pylock,
}

/// A place where wheels are found by their names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FindLinks {
    /// A directory in the context.
    Directory(String),
    /// A page with links.
    Url(String),
}

/// Whether pre-releases count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Prereleases {
    /// Where a requirement names one, or there is nothing else; as pip has it.
    #[default]
    IfNecessary,
    /// Always.
    Allow,
    /// Never.
    Disallow,
}

/// Which installed packages do not stay, although they satisfy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Upgrade {
    /// None.
    #[default]
    Nothing,
    /// Those that are asked for by name: pip's `--upgrade`.
    Requested,
    /// Those too that they depend on: pip's `--upgrade-strategy eager`.
    Everything,
}

/// What is done about packages that come as source only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SourceBuilds {
    /// They are errors.
    #[default]
    Refuse,
    /// They are built with a Python of this machine.
    Host,
}
