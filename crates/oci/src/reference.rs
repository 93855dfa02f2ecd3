//! Image references: `[registry/]repository[:tag][@digest]`, as Docker's users write them.
//!
//! The grammar is distribution's (`reference/regexp.go`) within distribution-spec 1.1
//! "Pulling manifests": a first component is a registry if it has a dot or a colon or is
//! `localhost`; otherwise the registry is Docker Hub, and a single component is under `library/`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Digest, DigestError};

/// Docker Hub's name in references.
const DOCKER_HUB: &str = "docker.io";
/// distribution's limit on repository names, in bytes.
const MAX_NAME_BYTES: usize = 255;

/// Names an image: a registry, a repository in it, and a tag or a digest or both.
///
/// `Display` gives the full form, with which no default is left to guess; [`Reference::familiar`]
/// gives the short one that people type.
///
/// ```
/// let reference: oci::Reference = "python:3.12".parse().unwrap();
/// assert_eq!(reference.to_string(), "docker.io/library/python:3.12");
/// assert_eq!(reference.familiar(), "python:3.12");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reference {
    repository: RepositoryName,
    tag: Option<Tag>,
    digest: Option<Digest>,
}

/// A registry's host (and port), and a repository in it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RepositoryName {
    registry: String,
    path: String,
}

/// A tag: up to 128 of `[A-Za-z0-9_.-]`, not starting with `.` or `-` (distribution-spec 1.1).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tag(String);

/// Why a text is not an image reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// Nothing was written.
    #[error("an image reference is empty")]
    Empty,
    /// Upper case, which registries refuse.
    #[error("`{text}` is not an image reference: repository names are lower-case")]
    UpperCase {
        /// What was written.
        text: String,
        /// The same in lower case.
        lower: String,
    },
    /// A repository component with characters that do not belong there.
    #[error("`{text}` is not an image reference: `{component}` is not a repository name")]
    BadComponent {
        /// What was written.
        text: String,
        /// The part that is wrong.
        component: String,
    },
    /// A registry that is not `host[:port]`.
    #[error("`{text}` is not an image reference: `{registry}` is not a registry's host")]
    BadRegistry {
        /// What was written.
        text: String,
        /// The part that is wrong.
        registry: String,
    },
    /// A tag that is not one.
    #[error("`{text}` is not an image reference: `{tag}` is not a tag")]
    BadTag {
        /// What was written.
        text: String,
        /// The part that is wrong.
        tag: String,
    },
    /// Longer than a registry takes.
    #[error("`{text}` is not an image reference: a repository's name has at most 255 characters")]
    TooLong {
        /// What was written.
        text: String,
    },
    /// A digest that is not one.
    #[error("`{text}` is not an image reference: {source}")]
    BadDigest {
        /// What was written.
        text: String,
        /// What is wrong with the digest.
        source: DigestError,
    },
}

impl ReferenceError {
    /// The way out, if there is one to offer.
    pub fn hint(&self) -> Option<String> {
        match self {
            ReferenceError::UpperCase { lower, .. } => Some(format!("write `{lower}`")),
            ReferenceError::Empty
            | ReferenceError::BadComponent { .. }
            | ReferenceError::BadRegistry { .. } => {
                Some("a reference is written [registry/]repository[:tag][@digest]".to_owned())
            }
            ReferenceError::BadTag { .. } => Some(
                "a tag has up to 128 letters, digits, `_`, `.` and `-`, and starts with a letter, \
                 a digit or `_`"
                    .to_owned(),
            ),
            ReferenceError::TooLong { .. } | ReferenceError::BadDigest { .. } => None,
        }
    }
}

impl Reference {
    /// A reference from its parts.
    pub fn new(repository: RepositoryName, tag: Option<Tag>, digest: Option<Digest>) -> Self {
        Reference { repository, tag, digest }
    }

    /// Registry and repository.
    pub fn repository(&self) -> &RepositoryName {
        &self.repository
    }

    /// The registry's host and port, such as `docker.io` or `localhost:5000`.
    pub fn registry(&self) -> &str {
        &self.repository.registry
    }

    /// The tag as written.
    pub fn tag(&self) -> Option<&Tag> {
        self.tag.as_ref()
    }

    /// The digest as written.
    pub fn digest(&self) -> Option<Digest> {
        self.digest
    }

    /// The same reference with the tag `latest` if neither tag nor digest was written.
    pub fn or_latest(mut self) -> Self {
        if self.tag.is_none() && self.digest.is_none() {
            self.tag = Some(Tag("latest".to_owned()));
        }
        self
    }

    /// The same repository, pinned to `digest`; the tag stays for people to read.
    pub fn with_digest(&self, digest: Digest) -> Self {
        Reference { digest: Some(digest), ..self.clone() }
    }

    /// The same repository under another tag, with no digest.
    pub fn with_tag(&self, tag: Tag) -> Self {
        Reference { repository: self.repository.clone(), tag: Some(tag), digest: None }
    }

    /// The short form: without `docker.io/` and `library/`.
    pub fn familiar(&self) -> String {
        format!("{}{}", self.repository.familiar(), Suffix(self))
    }
}

struct Suffix<'a>(&'a Reference);

impl fmt::Display for Suffix<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(tag) = &self.0.tag {
            write!(f, ":{tag}")?;
        }
        match &self.0.digest {
            Some(digest) => write!(f, "@{digest}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.repository, Suffix(self))
    }
}

impl RepositoryName {
    /// The registry's host and port.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The repository's path within the registry, such as `library/python`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The short form: without `docker.io/` and `library/`, where they would be guessed again.
    pub fn familiar(&self) -> String {
        if self.registry != DOCKER_HUB {
            return self.to_string();
        }
        match self.path.split_once('/') {
            Some(("library", name)) if !name.contains('/') => name.to_owned(),
            Some((first, _)) if is_registry(first) => self.to_string(),
            _ => self.path.clone(),
        }
    }
}

impl fmt::Display for RepositoryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.path)
    }
}

impl Tag {
    /// The tag's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Tag {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        let good = (1..=128).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b))
            && !text.starts_with(['.', '-']);
        if good {
            Ok(Tag(text.to_owned()))
        } else {
            Err(ReferenceError::BadTag { text: text.to_owned(), tag: text.to_owned() })
        }
    }
}

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        if text.is_empty() {
            return Err(ReferenceError::Empty);
        }
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => {
                let digest = digest.parse().map_err(|source| ReferenceError::BadDigest {
                    text: text.to_owned(),
                    source,
                })?;
                (rest, Some(digest))
            }
            None => (text, None),
        };
        // A colon after the last slash starts a tag; before it, a port.
        let after_slash = rest.rfind('/').map_or(0, |slash| slash + 1);
        let (name, tag) = match rest[after_slash..].find(':') {
            Some(colon) => {
                let (name, tag) = rest.split_at(after_slash + colon);
                let tag = &tag[1..];
                let bad = |_| ReferenceError::BadTag { text: text.to_owned(), tag: tag.to_owned() };
                (name, Some(tag.parse::<Tag>().map_err(bad)?))
            }
            None => (rest, None),
        };
        Ok(Reference { repository: parse_repository(name, text)?, tag, digest })
    }
}

impl FromStr for RepositoryName {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        parse_repository(text, text)
    }
}

fn parse_repository(name: &str, text: &str) -> Result<RepositoryName, ReferenceError> {
    if name.is_empty() {
        return Err(ReferenceError::Empty);
    }
    let (registry, path) = match name.split_once('/') {
        Some((first, rest)) if is_registry(first) => (first, rest.to_owned()),
        Some(_) => (DOCKER_HUB, name.to_owned()),
        None => (DOCKER_HUB, format!("library/{name}")),
    };
    // Docker Hub has three names; one of them is canonical.
    let registry = match registry {
        "index.docker.io" | "registry-1.docker.io" => DOCKER_HUB,
        other => other,
    };
    let path = match path.split_once('/') {
        None if registry == DOCKER_HUB => format!("library/{path}"),
        _ => path,
    };
    if !is_host_and_port(registry) {
        return Err(ReferenceError::BadRegistry {
            text: text.to_owned(),
            registry: registry.to_owned(),
        });
    }
    for component in path.split('/') {
        if is_path_component(component) {
            continue;
        }
        let lower = component.to_ascii_lowercase();
        return Err(if is_path_component(&lower) {
            let mut lower = text.replacen(component, &lower, 1);
            // A first component that only its case makes a host was meant to be a repository's.
            if is_registry(registry) && !is_registry(&registry.to_ascii_lowercase()) {
                lower = lower.replacen(registry, &registry.to_ascii_lowercase(), 1);
            }
            ReferenceError::UpperCase { text: text.to_owned(), lower }
        } else {
            let component = component.to_owned();
            ReferenceError::BadComponent { text: text.to_owned(), component }
        });
    }
    if registry.len() + 1 + path.len() > MAX_NAME_BYTES {
        return Err(ReferenceError::TooLong { text: text.to_owned() });
    }
    Ok(RepositoryName { registry: registry.to_owned(), path })
}

fn is_registry(first: &str) -> bool {
    first == "localhost"
        || first.contains(['.', ':'])
        // Repositories are lower-case, so an upper-case first component can only be a host.
        || first.bytes().any(|b| b.is_ascii_uppercase())
}

fn is_host_and_port(text: &str) -> bool {
    let (host, port) = match text.strip_prefix('[') {
        // An IPv6 literal keeps its colons inside brackets (RFC 3986, 3.2.2).
        Some(rest) => match rest.split_once(']') {
            Some((address, after)) => {
                if address.parse::<std::net::Ipv6Addr>().is_err() {
                    return false;
                }
                match after {
                    "" => return true,
                    after => match after.strip_prefix(':') {
                        Some(port) => ("v6", Some(port)),
                        None => return false,
                    },
                }
            }
            None => return false,
        },
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    host.split('.').all(label) && port.is_none_or(|port| port.parse::<u16>().is_ok())
}

/// `[a-z0-9]+` joined by `.`, `_`, `__` or any number of `-` (distribution-spec 1.1, "name").
fn is_path_component(text: &str) -> bool {
    let alphanumeric = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = text.as_bytes();
    let (Some(&first), Some(&last)) = (bytes.first(), bytes.last()) else { return false };
    if !alphanumeric(first) || !alphanumeric(last) {
        return false;
    }
    bytes.split(|b| alphanumeric(*b)).all(|separator| {
        matches!(separator, b"" | b"." | b"_" | b"__") || separator.iter().all(|b| *b == b'-')
    })
}

impl Serialize for Reference {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Reference {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, full: &str, familiar: &str) {
        let reference: Reference = text.parse().unwrap();
        assert_eq!(reference.to_string(), full);
        assert_eq!(reference.familiar(), familiar);
        assert_eq!(full.parse::<Reference>().unwrap(), reference, "the full form reads back");
        assert_eq!(familiar.parse::<Reference>().unwrap(), reference, "the short form reads back");
    }

    #[test]
    fn dockers_defaults() {
        check("python", "docker.io/library/python", "python");
        check("python:3.12", "docker.io/library/python:3.12", "python:3.12");
        check("apache/beam:2", "docker.io/apache/beam:2", "apache/beam:2");
        check("docker.io/python", "docker.io/library/python", "python");
        check("index.docker.io/a/b", "docker.io/a/b", "a/b");
        check("localhost/a", "localhost/a", "localhost/a");
        check("docker.io/library/a/b", "docker.io/library/a/b", "library/a/b");
        check("docker.io/localhost/a", "docker.io/localhost/a", "docker.io/localhost/a");
        check("docker.io/a.b/c", "docker.io/a.b/c", "docker.io/a.b/c");
        check("localhost:5000/a/b:c", "localhost:5000/a/b:c", "localhost:5000/a/b:c");
        check("[::1]:5000/a", "[::1]:5000/a", "[::1]:5000/a");
        check("gcr.io/p/i__x-y--z", "gcr.io/p/i__x-y--z", "gcr.io/p/i__x-y--z");
        let digest = Digest::of(b"");
        check(
            &format!("a:b@{digest}"),
            &format!("docker.io/library/a:b@{digest}"),
            &format!("a:b@{digest}"),
        );
    }

    #[test]
    fn refused_with_a_way_out() {
        let message = |text: &str| {
            let error = text.parse::<Reference>().unwrap_err();
            format!("{error}; hint: {}", error.hint().unwrap_or_default())
        };
        insta::assert_snapshot!(message("MyApp:1"), @"`MyApp:1` is not an image reference: repository names are lower-case; hint: write `myapp:1`");
        insta::assert_snapshot!(message("Team/MyApp:V1"), @"`Team/MyApp:V1` is not an image reference: repository names are lower-case; hint: write `team/myapp:V1`");
        insta::assert_snapshot!(message("a:b:c"), @"`a:b:c` is not an image reference: `b:c` is not a tag; hint: a tag has up to 128 letters, digits, `_`, `.` and `-`, and starts with a letter, a digit or `_`");
        insta::assert_snapshot!(message("a..b"), @"`a..b` is not an image reference: `a..b` is not a repository name; hint: a reference is written [registry/]repository[:tag][@digest]");
        insta::assert_snapshot!(message("localhost:99999/a"), @"`localhost:99999/a` is not an image reference: `localhost:99999` is not a registry's host; hint: a reference is written [registry/]repository[:tag][@digest]");
        insta::assert_snapshot!(message("a@sha256:12"), @"`a@sha256:12` is not an image reference: `sha256:12` is not a sha256 digest: it wants 64 lower-case hex digits; hint: ");
        insta::assert_snapshot!(message(""), @"an image reference is empty; hint: a reference is written [registry/]repository[:tag][@digest]");
    }
}
