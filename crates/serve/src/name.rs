//! Names of repositories, which come from outside and become paths.

use std::fmt;
use std::str::FromStr;

use oci::RepositoryName;

/// A repository's path within the registry that keeps the specification's grammar
/// (distribution-spec 1.1, "Pulling manifests"), and so has no `..`, no empty part, no part that
/// begins with a dot, and no more than 255 bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct RepositoryPath(String);

/// The text is not a repository's path.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NotAPath;

impl FromStr for RepositoryPath {
    type Err = NotAPath;

    fn from_str(text: &str) -> Result<Self, NotAPath> {
        // The grammar is that of references, in which a host stands in front.
        let name: RepositoryName = format!("localhost/{text}").parse().map_err(|_| NotAPath)?;
        if name.path() == text { Ok(RepositoryPath(text.to_owned())) } else { Err(NotAPath) }
    }
}

impl RepositoryPath {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RepositoryPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_grammar_s_names_are_taken() {
        let long = "a".repeat(300);
        for good in ["a", "a/b/c", "a-b.c__d/1", "blobs", "a/blobs", "a/index.json"] {
            assert!(good.parse::<RepositoryPath>().is_ok(), "{good}");
        }
        for bad in [
            "", "/", "a/", "/a", "a//b", "..", "a/../b", "a/..", ".a", "a/.b", "A", "a:b", "a@b",
            "a b", "a_", "_a", "a\0b", "a\\b", "ä", "a%2e%2e", &long,
        ] {
            assert_eq!(bad.parse::<RepositoryPath>(), Err(NotAPath), "{bad}");
        }
    }
}
