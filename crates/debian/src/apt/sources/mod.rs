//! Where packages come from: `sources.list`, and the files of `sources.list.d` (sources.list(5)).

mod deb822;
mod one_line;
mod options;
#[cfg(test)]
mod tests;

use oci::ImagePath;
use shell::Process;

pub use options::{ByHash, SignedBy, SourceOptions};

use super::configuration::Configuration;
use super::problem::{Failure, Problem};
use super::reading::{parts, read};

/// A suite of an archive, as it is configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Whether it is for binary packages or for sources.
    pub kind: Kind,
    /// The archive's address, with a slash at its end; a user's name and password may be in it.
    pub uri: String,
    /// The suite, or a directory with a slash at its end for a flat archive.
    pub suite: String,
    /// Its components; none of a flat archive.
    pub components: Vec<String>,
    /// All else that is said of it.
    pub options: SourceOptions,
    /// Where it stands.
    pub place: Place,
}

/// What is fetched of an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `deb`
    Binary,
    /// `deb-src`
    Source,
}

/// Where a source stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: String,
    /// Its line or stanza, counted from 1.
    pub line: usize,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

impl Source {
    /// Whether it has no components, and `Packages` stands in the suite's own directory.
    pub fn is_flat(&self) -> bool {
        self.suite.ends_with('/')
    }

    /// The address of the directory that `Release` is in, with a slash at its end.
    pub fn directory(&self) -> String {
        self.directory_below(&self.uri)
    }

    /// The same for another way to write the archive's address.
    pub(super) fn directory_below(&self, base: &str) -> String {
        match self.suite.as_str() {
            "/" => base.to_owned(),
            suite if self.is_flat() => format!("{base}{suite}"),
            suite => format!("{base}dists/{suite}/"),
        }
    }
}

/// All sources of an image, in the order in which they stand. What is written of one suite in
/// several places is one source.
///
/// # Errors
/// [`Problem::Source`] and [`Problem::Conflict`].
pub fn load(
    process: &mut Process<'_, '_>,
    configuration: &Configuration,
) -> Result<Vec<Source>, Failure> {
    let mut files: Vec<ImagePath> =
        configuration.path("Dir::Etc::sourcelist").into_iter().collect();
    if let Some(directory) = configuration.path("Dir::Etc::sourceparts") {
        files.extend(parts(process, &directory, &["list", "sources"])?);
    }
    let texts = read(process, &files)?;
    let mut all = Vec::new();
    for (path, text) in files.iter().zip(texts) {
        let Some(text) = text else { continue };
        process.machine.budget.hold(text.len())?;
        let file = format!("/{path}");
        let text = String::from_utf8_lossy(&text);
        let parsed = match file.ends_with(".sources") {
            true => deb822::parse(&file, &text, configuration)?,
            false => one_line::parse(&file, &text, configuration)?,
        };
        for source in parsed {
            process.machine.budget.step()?;
            merge(&mut all, source)?;
        }
    }
    Ok(all)
}

/// The sources of a text in one-line style, for tests of other modules.
#[cfg(test)]
pub(super) fn parse_list(
    file: &str,
    text: &str,
    configuration: &Configuration,
) -> Result<Vec<Source>, Problem> {
    one_line::parse(file, text, configuration)
}

fn merge(all: &mut Vec<Source>, source: Source) -> Result<(), Problem> {
    let is_same = |known: &&mut Source| {
        (known.kind, &known.uri, &known.suite) == (source.kind, &source.uri, &source.suite)
    };
    let Some(known) = all.iter_mut().find(is_same) else {
        all.push(source);
        return Ok(());
    };
    if let Some((option, values)) = known.options.conflict(&source.options) {
        let (uri, suite) = (without_login(&source.uri), source.suite);
        return Err(Problem::Conflict { option, uri, suite, values });
    }
    for component in source.components {
        if !known.components.contains(&component) {
            known.components.push(component);
        }
    }
    Ok(())
}

/// What is wrong with an entry.
enum EntryError {
    /// A type that there is not.
    Kind(String),
    /// There is none.
    NoKind,
    /// Anything else.
    Malformed(String),
}

impl From<&str> for EntryError {
    fn from(what: &str) -> Self {
        EntryError::Malformed(what.to_owned())
    }
}

impl From<String> for EntryError {
    fn from(what: String) -> Self {
        EntryError::Malformed(what)
    }
}

/// What is common to both forms.
struct Entry {
    kind: Kind,
    uri: String,
    suite: String,
    components: Vec<String>,
    options: SourceOptions,
}

impl Entry {
    fn into_source(
        self,
        place: Place,
        configuration: &Configuration,
    ) -> Result<Source, EntryError> {
        let Entry { kind, uri, suite, mut components, options } = self;
        let native = configuration.value("APT::Architecture").unwrap_or_default();
        let suite = suite.replace("$(ARCH)", native);
        if !uri.contains(':') {
            return Err("URI parse".into());
        }
        match (suite.ends_with('/'), components.is_empty()) {
            (true, false) => return Err("absolute Suite Component".into()),
            (false, true) => return Err("Component".into()),
            _ => {}
        }
        if suite.is_empty() || suite.split('/').any(|part| part == "..") {
            return Err("Suite".into());
        }
        let mut seen = Vec::new();
        components.retain(|component| {
            let is_new = !seen.contains(component);
            seen.push(component.clone());
            is_new
        });
        if components.iter().any(|component| component.split('/').any(|part| part == "..")) {
            return Err("Component".into());
        }
        let slash = if uri.ends_with('/') { "" } else { "/" };
        let uri = format!("{uri}{slash}").replace("$(ARCH)", native);
        Ok(Source { kind, uri, suite, components, options, place })
    }
}

/// An address without a user's name and password, as messages have it.
pub(super) fn without_login(uri: &str) -> String {
    let Some((scheme, rest)) = uri.split_once("://") else { return uri.to_owned() };
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    format!("{scheme}://{host}{path}")
}
