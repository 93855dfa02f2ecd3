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
    /// Names the question, so that its answer can be found again. Credentials are not part of it,
    /// and neither are the lines in which things are written.
    pub fn fingerprint(&self) -> Digest {
        crate::fingerprint::of(self)
    }
}

impl Requirement {
    /// The text for people: an address shows neither credentials nor its query, which may hold some.
    pub fn shown(&self) -> String {
        let text = without_credentials(&self.text);
        let Some((before, address)) = text.split_once("://") else { return text };
        let end = address.find([' ', '\t']).unwrap_or(address.len());
        let (address, behind) = address.split_at(end);
        let query = address.find('?').unwrap_or(address.len());
        let fragment = address.find('#').unwrap_or(address.len());
        let path = &address[..query.min(fragment)];
        format!("{before}://{path}{}{behind}", &address[fragment..])
    }
}

/// A text without the credentials of the addresses in it: what stands before an `@` in the place of
/// the host (RFC 3986, 3.2.1).
pub(crate) fn without_credentials(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("://") {
        let (before, behind) = rest.split_at(start + "://".len());
        clean.push_str(before);
        let is_end = |character: char| {
            character.is_whitespace() || matches!(character, '/' | '?' | '#' | '"' | '\'')
        };
        let (host, behind) = behind.split_at(behind.find(is_end).unwrap_or(behind.len()));
        clean.push_str(host.rsplit_once('@').map_or(host, |(_, host)| host));
        rest = behind;
    }
    clean.push_str(rest);
    clean
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
        without_credentials(&self.0)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let origin = Origin { file: String::new(), line: 1 };
        Requirement { text: text.to_owned(), hashes: Vec::new(), origin }.shown()
    }

    #[test]
    fn requirements_without_credentials() {
        assert_eq!(
            shown("flask[async]>=3 ; os_name == 'posix'"),
            "flask[async]>=3 ; os_name == 'posix'"
        );
        assert_eq!(
            shown("a @ https://me:SECRET@h.example/a.whl?token=SECRET#sha256=0 ; os_name == 'a?b'"),
            "a @ https://h.example/a.whl#sha256=0 ; os_name == 'a?b'"
        );
        assert_eq!(shown("https://me@SECRET@h.example/a@b.whl"), "https://h.example/a@b.whl");
        assert_eq!(
            shown("https://h.example/a.whl#sha256=0?x"),
            "https://h.example/a.whl#sha256=0?x"
        );
    }

    #[test]
    fn indexes_without_credentials() {
        let shown = |url: &str| IndexUrl::new(url).to_string();
        assert_eq!(shown("https://me:SECRET@h.example/simple/"), "https://h.example/simple/");
        assert_eq!(shown("https://SECRET@h.example"), "https://h.example");
        assert_eq!(shown("wheels/a@b"), "wheels/a@b");
    }
}
