//! containers' `registries.conf`, version 2 (containers-registries.conf(5)).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use oci::RepositoryName;
use serde::Deserialize;
use toml::Spanned;

use super::error::{HostFileError, line_of};
use super::location::{Location, Rewrite};
use super::{Endpoint, HostFiles, Mirror, Route, Serves, read_existing, text_of};

/// One `[[registry]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rule {
    prefix: Prefix,
    /// Where it is, if not where its name says.
    location: Option<Location>,
    security: Security,
    access: Access,
    mirrors: Vec<RuleMirror>,
    file: PathBuf,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct RuleMirror {
    location: Location,
    security: Security,
    serves: Serves,
}

/// Which repositories a rule is about.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Prefix {
    hosts: Pattern,
    path: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Pattern {
    /// One host.
    One(String),
    /// `*.example.com`: all that end so, with the dot.
    Below(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Security {
    Secure,
    Insecure,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    Free,
    Blocked,
}

#[derive(Deserialize)]
struct Document {
    #[serde(default, rename = "registry")]
    registries: Vec<RegistryTable>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct RegistryTable {
    prefix: Option<Spanned<String>>,
    location: Option<Spanned<String>>,
    #[serde(default)]
    insecure: bool,
    #[serde(default)]
    blocked: bool,
    #[serde(default)]
    mirror_by_digest_only: bool,
    #[serde(default, rename = "mirror")]
    mirrors: Vec<MirrorTable>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct MirrorTable {
    location: Spanned<String>,
    #[serde(default)]
    insecure: bool,
    pull_from_mirror: Option<Spanned<String>>,
}

/// The rules of all files: those of a drop-in replace earlier ones with the same prefix.
pub(super) fn read(files: &HostFiles) -> Result<Vec<Rule>, HostFileError> {
    let mut rules = BTreeMap::new();
    for path in chosen(files)? {
        let text = text_of(&path, read_existing(&path)?)?;
        for (prefix, rule) in parse(&path, &text)? {
            rules.insert(prefix, rule);
        }
    }
    Ok(rules.into_values().collect())
}

/// The files that count, the last that counts last.
fn chosen(files: &HostFiles) -> Result<Vec<PathBuf>, HostFileError> {
    let user = files.user_registries_conf.as_deref();
    let system = files.system_registries_conf.as_deref();
    let existing = |path: Option<&Path>| path.filter(|path| path.exists()).map(Path::to_owned);
    let (main, directories) = match (&files.named_registries_conf, existing(user)) {
        (Some(named), _) => (Some(named.clone()), vec![system, user]),
        (None, Some(own)) => (Some(own), vec![user]),
        (None, None) => (existing(system), vec![system, user]),
    };
    let mut chosen = Vec::from_iter(main);
    for file in directories.into_iter().flatten() {
        let mut directory = file.as_os_str().to_owned();
        directory.push(".d");
        let mut drop_ins = drop_ins(Path::new(&directory))?;
        drop_ins.sort();
        chosen.append(&mut drop_ins);
    }
    Ok(chosen)
}

fn drop_ins(directory: &Path) -> Result<Vec<PathBuf>, HostFileError> {
    let failed = |source| HostFileError::Read { path: directory.to_owned(), source };
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|extension| extension == "conf") && path.is_file() {
            found.push(path);
        }
    }
    Ok(found)
}

/// The rules of a file, by their prefixes.
fn parse(path: &Path, text: &str) -> Result<Vec<(String, Rule)>, HostFileError> {
    let document: Document =
        toml::from_str(text).map_err(|error| HostFileError::toml(path, text, &error))?;
    let bad = |at: &Spanned<String>, problem: String| {
        HostFileError::malformed(path, Some(line_of(text, at.span().start)), problem)
    };
    let location = |at: &Spanned<String>| Location::parse(at.get_ref()).map_err(|e| bad(at, e));
    let mut rules = Vec::new();
    for table in document.registries {
        let given = table.location.as_ref().filter(|at| !at.get_ref().is_empty());
        let named = table.prefix.as_ref().filter(|at| !at.get_ref().is_empty());
        let Some(prefix_text) = named.or(given) else {
            let problem = "a [[registry]] has neither `prefix` nor `location`";
            return Err(HostFileError::malformed(path, None, problem));
        };
        let prefix = Prefix::parse(prefix_text.get_ref()).map_err(|e| bad(prefix_text, e))?;
        let mirrors = table.mirrors.iter().map(|mirror| {
            Ok(RuleMirror {
                location: location(&mirror.location)?,
                security: security(mirror.insecure),
                serves: match mirror.pull_from_mirror.as_ref() {
                    _ if table.mirror_by_digest_only => Serves::Digests,
                    Some(choice) => serves(choice.get_ref()).map_err(|e| bad(choice, e))?,
                    None => Serves::Everything,
                },
            })
        });
        let rule = Rule {
            location: given.map(location).transpose()?,
            security: security(table.insecure),
            access: if table.blocked { Access::Blocked } else { Access::Free },
            mirrors: mirrors.collect::<Result<_, HostFileError>>()?,
            file: path.to_owned(),
            prefix,
        };
        rules.push((prefix_text.get_ref().clone(), rule));
    }
    Ok(rules)
}

fn security(insecure: bool) -> Security {
    if insecure { Security::Insecure } else { Security::Secure }
}

fn serves(text: &str) -> Result<Serves, String> {
    match text {
        "all" | "" => Ok(Serves::Everything),
        "digest-only" => Ok(Serves::Digests),
        "tag-only" => Ok(Serves::Tags),
        other => Err(format!(
            "`{}` is not a value of `pull-from-mirror` (all, digest-only, tag-only are)",
            super::location::shown(other)
        )),
    }
}

impl Rule {
    /// The rule that is about a repository: the one whose prefix covers most of its name.
    pub(super) fn find<'a>(rules: &'a [Rule], repository: &RepositoryName) -> Option<&'a Rule> {
        let weigh = |rule: &'a Rule| Some((rule.prefix.weight(repository)?, rule));
        rules.iter().filter_map(weigh).max_by_key(|(weight, _)| *weight).map(|(_, rule)| rule)
    }

    /// The file that forbids to go there.
    pub(super) fn blocked_by(&self) -> Option<&Path> {
        (self.access == Access::Blocked).then_some(&self.file)
    }

    /// Where a repository of this rule is.
    pub(super) fn route(&self, repository: &RepositoryName) -> Route {
        let mirrors = self.mirrors.iter().map(|mirror| Mirror {
            endpoint: self.prefix.moved_to(&mirror.location),
            serves: mirror.serves,
        });
        let origin = match &self.location {
            Some(location) => self.prefix.moved_to(location),
            None => Endpoint::of(repository.registry()),
        };
        Route { mirrors: mirrors.collect(), origin }
    }

    /// Whether this says that a host is insecure.
    pub(super) fn is_insecure(&self, names: &[String]) -> bool {
        let mirrors = self.mirrors.iter().filter(|mirror| mirror.security == Security::Insecure);
        let mut hosts = mirrors.map(|mirror| &mirror.location.host);
        let own = match &self.location {
            Some(location) => names.contains(&location.host),
            None => names.iter().any(|name| self.prefix.hosts.has(name)),
        };
        (self.security == Security::Insecure && own) || hosts.any(|host| names.contains(host))
    }
}

impl Prefix {
    fn parse(text: &str) -> Result<Self, String> {
        let Some(below) = text.strip_prefix("*.") else {
            let Location { host, path } = Location::parse(text)?;
            return Ok(Prefix { hosts: Pattern::One(host), path });
        };
        let Location { host, path } = Location::parse(below)?;
        Ok(Prefix { hosts: Pattern::Below(format!(".{host}")), path })
    }

    /// How much of a repository's name this covers, if it covers it. A host by its name counts
    /// more than one of many.
    fn weight(&self, repository: &RepositoryName) -> Option<(usize, bool)> {
        let matches =
            self.hosts.has(repository.registry()) && Location::has(&self.path, repository.path());
        let exact = matches!(self.hosts, Pattern::One(_));
        matches.then_some((repository.registry().len() + self.path.len(), exact))
    }

    fn moved_to(&self, location: &Location) -> Endpoint {
        let rewrite = Rewrite::new(&self.path, &location.path);
        Endpoint { rewrite, ..Endpoint::of(&location.host) }
    }
}

impl Pattern {
    fn has(&self, host: &str) -> bool {
        match self {
            Pattern::One(name) => name == host,
            Pattern::Below(end) => host.ends_with(end.as_str()) && host.len() > end.len(),
        }
    }
}
