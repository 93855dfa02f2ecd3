//! Why a resolution failed, found out by asking once more.

use std::collections::{BTreeMap, BTreeSet};

use python::Origin;
use uv_client::{
    Error as ClientError, ErrorKind, FlatIndexError, MetadataFormat, SimpleDetailMetadata,
};
use uv_distribution_filename::DistFilename;
use uv_distribution_types::{
    BuiltDist, Dist, File, IndexCapabilities, Name, RequirementSource, Resolution, ResolvedDist,
};
use uv_normalize::PackageName;
use uv_pep440::{Version, VersionSpecifiers};
use uv_resolver::{NoSolutionError, ResolveError};

use crate::credentials::shown;
use crate::network::innermost;
use crate::provider::Unknown;
use crate::requirement::{Asked, Direct, redacted};
use crate::session::{Choice, Session};
use crate::staging::Staging;
use crate::{HashProblem, IndexProblem, NoWheel, ResolutionError};

/// What a failure is explained with.
pub(crate) struct Diagnosis<'a> {
    pub(crate) session: &'a Session<'a>,
    pub(crate) staging: &'a Staging,
    /// Indexes that refused access.
    pub(crate) refused: Vec<(String, u16)>,
}

impl Diagnosis<'_> {
    pub(crate) async fn of(&self, error: ResolveError, unknown: &Unknown) -> ResolutionError {
        match error {
            ResolveError::NoSolution(error) => self.of_no_solution(&error, unknown).await,
            ResolveError::Client(error) => of_client(&error),
            ResolveError::Dependencies(error, ..) => Box::pin(self.of(*error, unknown)).await,
            ResolveError::Dist(_, dist, _, error) => self.of_dist(&dist.to_string(), &error),
            ResolveError::Distribution(error) => self.of_dist("a distribution", &error),
            ResolveError::DisallowedUrl { name, url } => ResolutionError::UrlDependency {
                name: name.to_string(),
                url: redacted(&url).into_owned(),
            },
            ResolveError::UnhashedPackage(name) => ResolutionError::Hash {
                requirement: name.to_string(),
                origin: self.origin(&name),
                problem: HashProblem::NotListed,
            },
            ResolveError::PackageUnavailable(name) => self.no_such_package(&name, None),
            error @ ResolveError::ConflictingUrls { .. } => {
                ResolutionError::Conflict { explanation: self.plain(&error.to_string()) }
            }
            other => ResolutionError::Resolver { cause: self.plain(&other.to_string()) },
        }
    }

    async fn of_no_solution(&self, error: &NoSolutionError, unknown: &Unknown) -> ResolutionError {
        let explanation = self.plain(error.report());
        for name in error.packages() {
            if unknown.nowhere.has(name) {
                return self.no_such_package(name, Some(explanation));
            } else if unknown.uncached.has(name) {
                return self.of_page(name, IndexProblem::Offline);
            } else if self.session.installed.version(name).is_none()
                && self.is_looked_up(name)
                && self.files(name).await.is_empty()
            {
                let cause = "it lists no files".to_owned();
                return self.of_page(name, IndexProblem::NotAnIndex { cause });
            }
        }
        let involved: BTreeSet<_> = error.packages().collect();
        let asked = self.session.asked.iter();
        for asked in asked.filter(|asked| involved.contains(&asked.parsed.name)) {
            if let Some(error) = self.unreadable(asked) {
                return error;
            }
            if let Some(error) = self.no_such_version(asked).await {
                return error;
            }
        }
        self.no_wheels().await.unwrap_or(ResolutionError::Conflict { explanation })
    }

    fn no_such_package(&self, name: &PackageName, explanation: Option<String>) -> ResolutionError {
        if let Some((url, status)) = self.refused.first() {
            let problem = IndexProblem::Refused { status: *status };
            return ResolutionError::Index { url: url.clone(), problem };
        }
        let origin = self.origin(name);
        let indexes = self.session.locations.fetch_indexes();
        let mut asked = self.session.asked.iter();
        let written = asked.find(|asked| asked.parsed.name == *name);
        ResolutionError::NoSuchPackage {
            name: name.to_string(),
            written: written.map(|asked| asked.text.clone()),
            explanation: explanation.filter(|_| origin.is_none()),
            origin,
            indexes: indexes.map(|index| shown(index.url().url())).collect(),
        }
    }

    /// Whether an index is asked for a package: not, if it is a file.
    fn is_looked_up(&self, name: &PackageName) -> bool {
        let mut asked = self.session.asked.iter().chain(self.session.constraints);
        !asked.any(|asked| asked.parsed.name == *name && asked.direct.is_some())
    }

    /// What is wrong with the first index's page of a package.
    fn of_page(&self, name: &PackageName, problem: IndexProblem) -> ResolutionError {
        let index = self.session.locations.fetch_indexes().next();
        let url = index.map(|index| shown(index.url().url())).unwrap_or_default();
        let url = format!("{}/{name}/", url.trim_end_matches('/'));
        ResolutionError::Index { url, problem }
    }

    fn origin(&self, name: &PackageName) -> Option<Origin> {
        let mut asked = self.session.asked.iter();
        asked.find(|asked| asked.parsed.name == *name).map(|asked| asked.origin.clone())
    }

    /// A given file that is no wheel: to uv, nothing satisfies then.
    fn unreadable(&self, asked: &Asked) -> Option<ResolutionError> {
        let Some(Direct::Given(path)) = &asked.direct else { return None };
        let filename = path.rsplit('/').next().unwrap_or(path);
        let file = std::fs::File::open(self.staging.paths.get(path)?).ok()?;
        let size = file.metadata().ok()?.len();
        let error = python::Wheel::read(&file, size, filename).err()?;
        let distribution = format!("`{path}` ({})", asked.origin);
        Some(ResolutionError::Metadata { distribution, cause: error.fault.to_string() })
    }

    async fn no_such_version(&self, asked: &Asked) -> Option<ResolutionError> {
        let RequirementSource::Registry { specifier, .. } = &asked.parsed.source else {
            return None;
        };
        let files = self.files(&asked.parsed.name).await;
        let meets = |version: &&Version| specifier.contains(version);
        if specifier.is_empty() || files.is_empty() || files.keys().any(|v| meets(&v)) {
            return None;
        }
        let installed = self.session.installed.version(&asked.parsed.name);
        if installed.as_ref().is_some_and(meets) {
            return None;
        }
        Some(ResolutionError::NoSuchVersion {
            name: asked.parsed.name.to_string(),
            wanted: specifier.to_string(),
            origin: Some(asked.origin.clone()),
            available: files.keys().rev().map(ToString::to_string).collect(),
        })
    }

    /// Resolves again, with anything that has a name and version: what was chosen then and has no
    /// wheel which fits is in the way.
    async fn no_wheels(&self) -> Option<ResolutionError> {
        let outcome = self.session.solve(Choice::Anything).await.ok()?;
        self.no_wheels_of(&outcome.result.ok()?).await
    }

    /// Source distributions that were chosen, because wheels are forbidden.
    pub(crate) async fn of_sources(&self, resolved: &Resolution) -> ResolutionError {
        let error = self.no_wheels_of(resolved).await;
        error.unwrap_or_else(|| {
            let cause = "a source distribution has no version".to_owned();
            ResolutionError::Resolver { cause }
        })
    }

    async fn no_wheels_of(&self, resolved: &Resolution) -> Option<ResolutionError> {
        let mut packages = Vec::new();
        for dist in resolved.distributions() {
            let ResolvedDist::Installable { dist, .. } = dist else { continue };
            if !self.fits(dist) {
                packages.push(self.no_wheel(dist).await?);
            }
        }
        if packages.is_empty() {
            return None;
        }
        packages.sort_by(|a, b| a.name.cmp(&b.name));
        let target = self.session.environment.described.clone();
        Some(ResolutionError::NoWheel { packages, target })
    }

    fn fits(&self, dist: &Dist) -> bool {
        let tags = &self.session.environment.tags;
        match dist {
            Dist::Built(BuiltDist::Registry(built)) => {
                built.wheels.iter().any(|wheel| wheel.filename.is_compatible(tags))
            }
            Dist::Built(_) => true,
            Dist::Source(_) => false,
        }
    }

    async fn no_wheel(&self, dist: &Dist) -> Option<NoWheel> {
        let name = dist.name();
        let version = dist.version()?;
        let files = self.files(name).await;
        let none = Vec::new();
        let of_it = files.get(version).unwrap_or(&none);
        let wheels = of_it.iter().filter(|file| file.is_wheel());
        let newer = files.iter().rev().take_while(|(other, _)| *other > version);
        let newer = newer.filter(|(other, _)| !other.any_prerelease());
        let mut newer =
            newer.filter(|(_, files)| files.iter().any(|file| self.could_be_taken(file)));
        Some(NoWheel {
            name: name.to_string(),
            version: version.to_string(),
            origin: self.origin(name),
            wheels: wheels.map(|file| file.filename.clone()).collect(),
            has_source: of_it.iter().any(|file| !file.is_wheel()),
            wheels_forbidden: of_it.iter().any(|file| self.could_be_taken(file)),
            newer: newer.next().map(|(version, _)| version.to_string()),
        })
    }

    fn could_be_taken(&self, file: &Listed) -> bool {
        let python = &self.session.environment.markers.python_full_version().version;
        let allowed = file.requires_python.as_ref().is_none_or(|wants| wants.contains(python));
        let fits = |parsed: &DistFilename| match parsed {
            DistFilename::WheelFilename(wheel) => {
                wheel.is_compatible(&self.session.environment.tags)
            }
            DistFilename::SourceDistFilename(_) => false,
        };
        allowed && !file.yanked && fits(&file.parsed)
    }

    /// All that is known of a package, by version.
    async fn files(&self, name: &PackageName) -> BTreeMap<Version, Vec<Listed>> {
        let capabilities = IndexCapabilities::default();
        let pages =
            self.session.client.simple_detail(name, None, &capabilities, &self.session.limit);
        let mut versions = BTreeMap::<Version, Vec<Listed>>::new();
        let mut add = |parsed: DistFilename, file: &File| {
            let of_it = versions.entry(parsed.version().clone()).or_default();
            of_it.push(Listed::new(parsed, file));
        };
        for (_, page) in pages.await.unwrap_or_default() {
            let MetadataFormat::Simple(page) = page else { continue };
            let page: SimpleDetailMetadata = uv_client::OwnedArchive::deserialize(&page);
            for (parsed, file) in all_files(page, name) {
                add(parsed, &file);
            }
        }
        let (entries, _) = self.session.links.clone().into_parts();
        for entry in entries {
            let (parsed, file, _) = entry.into_parts();
            if parsed.name() == name {
                add(parsed, &file);
            }
        }
        versions
    }

    fn of_dist(&self, distribution: &str, error: &uv_distribution::Error) -> ResolutionError {
        if let uv_distribution::Error::Client(error) = error
            && let Some(error) = of_request(error.kind())
        {
            return error;
        }
        ResolutionError::Metadata {
            distribution: self.plain(distribution),
            cause: self.plain(&innermost(error)),
        }
    }

    /// uv's words, without colours, credentials and paths that nobody knows.
    fn plain(&self, text: &str) -> String {
        let text = without_colours(text);
        self.staging.unstaged(&redacted(&text))
    }
}

/// A file of a package.
struct Listed {
    filename: String,
    parsed: DistFilename,
    requires_python: Option<VersionSpecifiers>,
    yanked: bool,
}

impl Listed {
    fn new(parsed: DistFilename, file: &File) -> Self {
        Listed {
            filename: file.filename.to_string(),
            parsed,
            requires_python: file.requires_python.as_deref().cloned(),
            yanked: file.yanked.as_ref().is_some_and(|yanked| yanked.is_yanked()),
        }
    }

    fn is_wheel(&self) -> bool {
        matches!(self.parsed, DistFilename::WheelFilename(_))
    }
}

fn all_files(
    page: SimpleDetailMetadata,
    name: &PackageName,
) -> impl Iterator<Item = (DistFilename, File)> {
    page.into_iter().flat_map(|version| version.files.all(name).collect::<Vec<_>>())
}

/// What a page of links did.
pub(crate) fn of_links(error: FlatIndexError) -> ResolutionError {
    match error {
        FlatIndexError::FindLinksUrl(_, error) | FlatIndexError::FindLinksFile(_, error) => {
            of_client(&error)
        }
        other => ResolutionError::Resolver { cause: innermost(&other) },
    }
}

/// What an index or a file host did.
pub(crate) fn of_client(error: &ClientError) -> ResolutionError {
    of_request(error.kind())
        .unwrap_or_else(|| ResolutionError::Resolver { cause: redacted(&innermost(error)).into() })
}

fn of_request(kind: &ErrorKind) -> Option<ResolutionError> {
    use IndexProblem as P;
    let (url, problem) = match kind {
        ErrorKind::WrappedReqwestError(url, error) => {
            let status = error.status().map(|status| status.as_u16());
            let inner = error.inner();
            let problem = match status {
                Some(status @ (401 | 403)) => P::Refused { status },
                Some(status) => P::Status { status },
                None if inner.is_some_and(|error| error.is_decode() || error.is_body()) => {
                    P::BrokenAnswer { cause: inner.map(|e| innermost(e)).unwrap_or_default() }
                }
                None => P::Unreachable { cause: innermost(error) },
            };
            (url, problem)
        }
        ErrorKind::BadJson { url, source } => (url, P::BrokenAnswer { cause: source.to_string() }),
        ErrorKind::BadHtml { url, source } => (url, P::NotAnIndex { cause: innermost(source) }),
        ErrorKind::MissingContentType(url) => {
            (url, P::NotAnIndex { cause: "no content type".to_owned() })
        }
        ErrorKind::InvalidContentTypeHeader(url, _) => {
            (url, P::NotAnIndex { cause: "no readable content type".to_owned() })
        }
        ErrorKind::UnsupportedMediaType(url, media_type) => {
            (url, P::NotAnIndex { cause: format!("the content type is {media_type}") })
        }
        ErrorKind::AsyncHttpRangeReader(url, error) => {
            (url, P::BrokenAnswer { cause: innermost(error) })
        }
        ErrorKind::Offline(url) => {
            let url = redacted(url).into_owned();
            return Some(ResolutionError::Index { url, problem: P::Offline });
        }
        _ => return None,
    };
    Some(ResolutionError::Index { url: shown(url), problem })
}

/// ECMA-48, 5.4: control sequences, which colour.
pub(crate) fn without_colours(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("\x1b[") {
        plain.push_str(&rest[..start]);
        let behind = &rest[start + 2..];
        let end = behind.find(|c: char| ('\x40'..='\x7e').contains(&c));
        rest = end.map_or("", |end| &behind[end + 1..]);
    }
    plain.push_str(rest);
    plain
}
