//! What a resolver is asked.

use std::fmt;
use std::sync::Arc;

use layer::Content;
use oci::Digest;

use crate::{Distribution, Target};

/// Everything that the answer depends on, but the package indexes themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolutionRequest {
    /// What the wheels must fit.
    pub target: Target,
    /// What is asked for.
    pub requirements: Vec<Requirement>,
    /// What holds for a distribution if it is taken: pip's `-c`.
    pub constraints: Vec<Requirement>,
    /// What takes the place of everything that is said of a distribution.
    pub overrides: Vec<Requirement>,
    /// A lock, in the place of requirements.
    pub lock: Option<Lock>,
    /// Where to look.
    pub indexes: Indexes,
    /// Wheels and archives that come with the request.
    pub given: Vec<GivenFile>,
    /// Nothing that was uploaded after this: an RFC 3339 time or date.
    pub exclude_newer: Option<String>,
    /// Whether pre-releases count.
    pub prereleases: Prereleases,
    /// Distributions of which no wheel may be taken; `:all:` for all.
    pub no_binary: Vec<String>,
    /// Distributions of which only a wheel may be taken; `:all:` for all.
    pub only_binary: Vec<String>,
    /// What is installed already, and stays if it satisfies.
    pub installed: Vec<Distribution>,
    /// What does not stay, although it satisfies.
    pub upgrade: Upgrade,
    /// Whether dependencies are followed.
    pub dependencies: Dependencies,
    /// Whether each requirement must come with a hash: pip's `--require-hashes`.
    pub require_hashes: bool,
    /// What is done about source distributions.
    pub builds: SourceBuilds,
}

/// One requirement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// As PEP 508 has it, or a URL, or the name of one of [`ResolutionRequest::given`] with extras
    /// behind it, as in `./dist/a-1-py3-none-any.whl[extra]`. Variables are expanded.
    pub text: String,
    /// Digests of which the file must have one, such as `sha256:…`.
    pub hashes: Vec<String>,
    /// Where it is written.
    pub origin: Origin,
}

/// A place in what the user wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The file, such as `requirements.txt`.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
}

/// A lock file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lock {
    /// Whose.
    pub kind: LockKind,
    /// Its name, for messages.
    pub name: String,
    /// Its text.
    pub text: Arc<str>,
    /// The project in it, by name, if there are several.
    pub project: Option<String>,
    /// Extras of the project.
    pub extras: Vec<String>,
    /// Dependency groups of the project (PEP 735).
    pub groups: Vec<String>,
}

/// Kinds of lock files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockKind {
    /// `uv.lock`
    Uv,
    /// `pylock.toml` (PEP 751)
    Pylock,
}

/// Where distributions are looked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Indexes {
    /// The index; the usual one if none is named.
    pub index_url: Option<IndexUrl>,
    /// Further ones. As in pip, all are equal.
    pub extra_index_urls: Vec<IndexUrl>,
    /// Whether no index is asked at all.
    pub no_index: bool,
    /// Pages with links to files.
    pub find_links: Vec<IndexUrl>,
}

/// An address that may hold credentials, which it does not show.
#[derive(Clone, PartialEq, Eq)]
pub struct IndexUrl(String);

/// A file that came with the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenFile {
    /// Where it is in the context, such as `wheels/a-1-py3-none-any.whl`.
    pub path: String,
    /// Its content.
    pub content: Content,
    /// Whether it is there to be found, as in pip's `--find-links`, and not only by its path.
    pub is_link: bool,
}

/// Whether pre-releases count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Prereleases {
    /// As in pip: where a requirement names one, or nothing else is there.
    #[default]
    IfNecessaryOrExplicit,
    /// Always: pip's `--pre`.
    Allow,
    /// Never.
    Disallow,
}

/// Which installed distributions do not stay, although they satisfy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Upgrade {
    /// None.
    #[default]
    Nothing,
    /// Those that are asked for by name: pip's `--upgrade`.
    Requested,
    /// Those too that they depend on: pip's `--upgrade-strategy eager`.
    Everything,
}

/// Whether dependencies are followed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Dependencies {
    /// They are.
    #[default]
    Follow,
    /// Only what is asked for is taken: pip's `--no-deps`.
    Ignore,
}

/// What is done about distributions that come as source only.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SourceBuilds {
    /// They are an error.
    #[default]
    Refuse,
    /// They are built with a Python of this machine.
    Host,
}

impl ResolutionRequest {
    /// Names the question, so that its answer can be found again. Credentials are not part of it.
    pub fn fingerprint(&self) -> Digest {
        Digest::of(format!("{self:?}").as_bytes())
    }
}

impl IndexUrl {
    /// Takes an address.
    pub fn new(url: impl Into<String>) -> Self {
        IndexUrl(url.into())
    }

    /// The address with its credentials.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The address without them.
    pub fn redacted(&self) -> String {
        let Some((scheme, rest)) = self.0.split_once("://") else { return self.0.clone() };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        match rest[..end].rfind('@') {
            Some(at) => format!("{scheme}://{}", &rest[at + 1..]),
            None => self.0.clone(),
        }
    }
}

impl fmt::Display for IndexUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.redacted())
    }
}

impl fmt::Debug for IndexUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.redacted())
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}
