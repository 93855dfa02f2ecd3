//! Where repositories are said to be: `host[:port][/path]`, and what that makes of their names.

use oci::RepositoryName;

/// `host[:port][/path]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Location {
    pub(super) host: String,
    /// Without slashes at its ends; may be empty.
    pub(super) path: String,
}

/// What repositories are called elsewhere: one beginning of their paths instead of another.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Rewrite {
    from: String,
    to: String,
}

impl Location {
    /// Reads a location as references are read, so Docker Hub's other names are its own.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let trimmed = text.trim_end_matches('/');
        if trimmed.contains("://") {
            return Err(format!("`{}` has a scheme; it takes host[:port][/path]", shown(text)));
        }
        let (host, path) = trimmed.split_once('/').unwrap_or((trimmed, ""));
        let lower = host.to_ascii_lowercase();
        let has_form = lower.contains(['.', ':']) || lower == "localhost";
        let probe = format!("{lower}/a/{}", if path.is_empty() { "b" } else { path });
        match probe.parse::<RepositoryName>() {
            Ok(name) if has_form => {
                Ok(Location { host: name.registry().to_owned(), path: path.to_owned() })
            }
            _ => Err(format!("`{}` is not of the form host[:port][/path]", shown(text))),
        }
    }

    /// Whether a repository's path is this location's or below it.
    pub(super) fn has(path: &str, repository: &str) -> bool {
        let rest = repository.strip_prefix(path);
        path.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

impl Rewrite {
    /// Names that begin with `from` begin with `to` instead.
    pub(super) fn new(from: &str, to: &str) -> Self {
        if from == to {
            return Rewrite::default();
        }
        Rewrite { from: from.to_owned(), to: to.to_owned() }
    }

    pub(crate) fn changes_nothing(&self) -> bool {
        self.from == self.to
    }

    /// A repository's path elsewhere. One that does not begin as it should stays as it is.
    pub(crate) fn apply(&self, path: &str) -> String {
        if self.changes_nothing() || !Location::has(&self.from, path) {
            return path.to_owned();
        }
        let rest = path[self.from.len()..].trim_start_matches('/');
        match (self.to.as_str(), rest) {
            ("", rest) => rest.to_owned(),
            (to, "") => to.to_owned(),
            (to, rest) => format!("{to}/{rest}"),
        }
    }
}

/// Text of a file, without what could move a terminal's cursor, and not without an end.
pub(super) fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(200).collect()
}
