//! One question to uv's resolver, and what is needed to ask it twice.

use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use python::{Dependencies, Indexes, Prereleases, ResolutionRequest, SourceBuilds, Upgrade};
use tokio::sync::Semaphore;
use url::Url;
use uv_cache::Cache;
use uv_client::{
    AuthIntegration, BaseClient, BaseClientBuilder, ClientBuildError, Connectivity,
    ExtraMiddleware, FlatIndexClient, FlatIndexEntries, RedirectPolicy, RegistryClient,
    RegistryClientBuilder,
};
use uv_configuration::{
    BuildOptions, Constraints, Excludes, IndexStrategy, NoBinary, NoBuild, Overrides, Reinstall,
};
use uv_distribution::DistributionDatabase;
use uv_distribution_types::{
    ExcludeNewerOverride, ExcludeNewerValue, Index, IndexLocations, IndexUrl, RequiresPython,
    Resolution,
};
use uv_normalize::PackageName;
use uv_pep508::VerbatimUrl;
use uv_pypi_types::{Conflicts, ResolverMarkerEnvironment};
use uv_redacted::DisplaySafeUrl;
use uv_requirements_txt::{RequirementEntry, RequirementsTxtRequirement};
use uv_resolver::{
    AllowedYanks, DefaultResolverProvider, DependencyMode, ExcludeNewer, Exclusions, FlatIndex,
    InMemoryIndex, Manifest, Options, OptionsBuilder, Preference, Preferences, Prerelease,
    PrereleaseMode, PythonRequirement, ResolveError, Resolver, ResolverEnvironment,
    UpgradePackages,
};
use uv_types::HashStrategy;

use crate::context::Surroundings;
use crate::credentials::{Credentials, Refusals, bare, shown};
use crate::installed::Installed;
use crate::provider::{Provider, Unknown};
use crate::requirement::{Asked, package_name};
use crate::staging::Staging;
use crate::target::Environment;
use crate::{Network, Preferred, ResolutionError, network};

/// How many requests go side by side.
const REQUESTS: usize = 32;

/// All that a resolution is made from.
pub(crate) struct Session<'a> {
    pub(crate) request: &'a ResolutionRequest,
    pub(crate) environment: &'a Environment,
    pub(crate) asked: &'a [Asked],
    pub(crate) constraints: &'a [Asked],
    pub(crate) overrides: &'a [Asked],
    pub(crate) preferred: &'a [Preferred],
    pub(crate) hashes: HashStrategy,
    pub(crate) installed: Installed,
    pub(crate) client: RegistryClient,
    pub(crate) cache: Cache,
    pub(crate) locations: IndexLocations,
    pub(crate) links: FlatIndexEntries,
    pub(crate) limit: Arc<Semaphore>,
    pub(crate) refusals: Refusals,
    /// Packages of which no wheel was to be taken, and for which one is built by now.
    pub(crate) built: Vec<PackageName>,
}

/// What may be chosen.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Choice {
    /// Wheels that fit.
    Wheels,
    /// Anything, to see which packages stand in the way.
    Anything,
}

/// How a resolution ended.
pub(crate) struct Outcome {
    pub(crate) result: Result<Resolution, ResolveError>,
    pub(crate) unknown: Unknown,
    /// Indexes that refused access.
    pub(crate) refused: Vec<(String, u16)>,
}

impl Session<'_> {
    pub(crate) async fn solve(&self, choice: Choice) -> Result<Outcome, ResolutionError> {
        let build_options = build_options(self.request, choice, &self.built)?;
        let surroundings =
            Surroundings::new(self.cache.clone(), self.locations.clone(), build_options.clone());
        let tags = (choice == Choice::Wheels).then_some(&self.environment.tags);
        let flat = FlatIndex::from_entries(self.links.clone(), tags, &self.hashes, &build_options);
        let options = options(self.request, build_options, &self.built)?;
        let marker_environment = ResolverMarkerEnvironment::from(self.environment.markers.clone());
        let environment = ResolverEnvironment::specific(marker_environment);
        let manifest = self.manifest(&environment);
        let python = self.python();
        let requires_python = requires_python(self.environment);
        let database =
            DistributionDatabase::new(&self.client, &surroundings, Arc::clone(&self.limit));
        let unknown = Unknown::default();
        let provider = Provider {
            inner: DefaultResolverProvider::new(
                database,
                &flat,
                tags,
                &requires_python,
                AllowedYanks::from_manifest(&manifest, &environment, options.dependency_mode),
                &self.hashes,
                options.exclude_newer.clone(),
                &surroundings.locations,
                &surroundings.build_options,
                &surroundings.capabilities,
            ),
            installed: self.installed.clone(),
            unknown: unknown.clone(),
        };
        let resolver = Resolver::new_custom_io(
            manifest,
            options,
            &self.hashes,
            environment,
            &self.environment.markers,
            tags.cloned(),
            &python,
            Conflicts::empty(),
            &InMemoryIndex::default(),
            uv_types::BuildContext::git(&surroundings),
            &surroundings.capabilities,
            &surroundings.locations,
            provider,
            self.installed.clone(),
        );
        let result = resolver.resolve().await.map(Resolution::from);
        Ok(Outcome { result, unknown, refused: self.refused() })
    }

    fn manifest(&self, environment: &ResolverEnvironment) -> Manifest {
        let parsed = |all: &[Asked]| all.iter().map(|asked| asked.parsed.clone()).collect();
        let constraints: Vec<_> = parsed(self.constraints);
        let preferences = self.preferred.iter().filter_map(preference);
        Manifest::new(
            parsed(self.asked),
            Constraints::from_requirements(constraints.into_iter()),
            Overrides::from_requirements(parsed(self.overrides)),
            Excludes::default(),
            Preferences::from_iter(preferences, environment),
            None,
            Default::default(),
            self.exclusions(),
            Vec::new(),
        )
    }

    fn exclusions(&self) -> Exclusions {
        let upgrade = match self.request.upgrade {
            Upgrade::Nothing => return Exclusions::default(),
            Upgrade::Requested => {
                let names = self.asked.iter().map(|asked| asked.parsed.name.clone());
                uv_configuration::Upgrade::from_packages(names)
            }
            Upgrade::Everything => {
                let all = uv_configuration::Upgrade::from_args(Some(true), Vec::new(), Vec::new());
                all.unwrap_or_default()
            }
        };
        Exclusions::new(Reinstall::None, UpgradePackages::for_non_project(&upgrade))
    }

    fn python(&self) -> PythonRequirement {
        let requires = requires_python(self.environment);
        PythonRequirement::from_marker_environment(&self.environment.markers, requires)
    }

    fn refused(&self) -> Vec<(String, u16)> {
        let indexes = self.locations.fetch_indexes().map(|index| index.url().url());
        let refused = indexes.filter_map(|url| Some((shown(url), self.refusals.below(url)?)));
        refused.collect()
    }
}

/// What uv makes of a pin in a requirements file that is resolved anew. What is no version is
/// preferred to nothing.
fn preference(preferred: &Preferred) -> Option<Preference> {
    let Preferred { name, version } = preferred;
    let named = uv_pep508::Requirement::from_str(&format!("{name}=={version}")).ok()?;
    let requirement = RequirementsTxtRequirement::Named(named);
    Preference::from_entry(RequirementEntry { requirement, hashes: Vec::new() }).ok()?
}

fn requires_python(environment: &Environment) -> RequiresPython {
    let version = environment.markers.python_full_version().version.only_release();
    RequiresPython::greater_than_equal_version(&version)
}

/// What all clients have in common.
fn client_builder(
    network: &Network,
    credentials: Credentials,
) -> Result<BaseClientBuilder<'static>, ResolutionError> {
    let connectivity = if network.offline { Connectivity::Offline } else { Connectivity::Online };
    Ok(BaseClientBuilder::default()
        .custom_client(network::client(network)?)
        .connectivity(connectivity)
        .retries(network.retries)
        .no_retry_delay(!network.backoff)
        .auth_integration(AuthIntegration::NoAuthMiddleware)
        .redirect(RedirectPolicy::RetriggerMiddleware)
        .extra_middleware(ExtraMiddleware(vec![Arc::new(credentials)])))
}

/// The client of file hosts.
pub(crate) fn base_client(
    network: &Network,
    credentials: Credentials,
) -> Result<BaseClient, ResolutionError> {
    client_builder(network, credentials)?.build().map_err(|error| bad_settings(&error))
}

/// The client of indexes.
pub(crate) fn client(
    network: &Network,
    credentials: Credentials,
    locations: &IndexLocations,
    cache: Cache,
) -> Result<RegistryClient, ResolutionError> {
    RegistryClientBuilder::new(client_builder(network, credentials)?, cache)
        .index_locations(locations.clone())
        .index_strategy(IndexStrategy::UnsafeBestMatch)
        .build()
        .map_err(|error| bad_settings(&error))
}

fn bad_settings(error: &ClientBuildError) -> ResolutionError {
    ResolutionError::Setting { what: "network settings", cause: network::innermost(error) }
}

/// Opens uv's cache.
pub(crate) async fn cache(path: &Path) -> Result<Cache, ResolutionError> {
    let bad = |error: uv_cache::Error| ResolutionError::Cache {
        path: path.to_owned(),
        cause: network::innermost(&error),
    };
    Cache::from_path(path).init().await.map_err(bad)
}

pub(crate) fn limit() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(REQUESTS))
}

/// Where to look, without credentials.
pub(crate) fn locations(
    indexes: &Indexes,
    staging: &Staging,
) -> Result<IndexLocations, ResolutionError> {
    let url = |url: Url| IndexUrl::from(VerbatimUrl::from_url(DisplaySafeUrl::from_url(url)));
    let mut simple = Vec::new();
    if let Some(index) = &indexes.index_url {
        simple.push(Index::from_index_url(url(bare(index)?)));
    }
    for index in &indexes.extra_index_urls {
        simple.push(Index::from_extra_index_url(url(bare(index)?)));
    }
    let mut links = Vec::new();
    for page in &indexes.find_links {
        links.push(Index::from_find_links(url(bare(page)?)));
    }
    if let Ok(directory) = Url::from_directory_path(staging.links()) {
        links.push(Index::from_find_links(url(directory)));
    }
    Ok(IndexLocations::new(simple, links, indexes.no_index))
}

/// What pages of links have.
pub(crate) async fn links(
    client: &RegistryClient,
    cache: &Cache,
    locations: &IndexLocations,
) -> Result<FlatIndexEntries, ResolutionError> {
    let pages = FlatIndexClient::new(client.cached_client(), client.connectivity(), cache);
    let urls = locations.flat_indexes().map(Index::url);
    pages.fetch_all(urls).await.map_err(crate::diagnosis::of_links)
}

/// pip's `--no-binary`, in the order of what is said.
pub(crate) fn no_binary(request: &ResolutionRequest) -> Result<NoBinary, ResolutionError> {
    let mut no_binary = NoBinary::None;
    for name in &request.no_binary {
        no_binary = match name.as_str() {
            ":all:" => NoBinary::All,
            ":none:" => NoBinary::None,
            name => no_binary.combine(NoBinary::Packages(vec![package_name(name)?])),
        };
    }
    Ok(no_binary)
}

fn build_options(
    request: &ResolutionRequest,
    choice: Choice,
    built: &[PackageName],
) -> Result<BuildOptions, ResolutionError> {
    let mut no_build = NoBuild::None;
    for name in &request.only_binary {
        no_build = match name.as_str() {
            ":all:" => NoBuild::All,
            ":none:" => NoBuild::None,
            name => no_build.combine(NoBuild::Packages(vec![package_name(name)?])),
        };
    }
    no_build = match (choice, request.builds) {
        (Choice::Anything, _) => NoBuild::None,
        (Choice::Wheels, SourceBuilds::Refuse) => NoBuild::All,
        (Choice::Wheels, SourceBuilds::Host) => no_build,
    };
    let no_binary = match no_binary(request)? {
        NoBinary::Packages(mut names) => {
            names.retain(|name| !built.contains(name));
            NoBinary::Packages(names)
        }
        other => other,
    };
    Ok(BuildOptions::new(no_binary, no_build))
}

fn options(
    request: &ResolutionRequest,
    build_options: BuildOptions,
    built: &[PackageName],
) -> Result<Options, ResolutionError> {
    let global = match request.prereleases {
        Prereleases::IfNecessaryOrExplicit => PrereleaseMode::IfNecessary,
        Prereleases::Allow => PrereleaseMode::Allow,
        Prereleases::Disallow => PrereleaseMode::Disallow,
    };
    let dependency_mode = match request.dependencies {
        Dependencies::Follow => DependencyMode::Transitive,
        Dependencies::Ignore => DependencyMode::Direct,
    };
    let cutoff = request.exclude_newer.as_deref().map(cutoff).transpose()?;
    let cutoff = cutoff.map(|time| ExcludeNewer::global(ExcludeNewerValue::absolute(time)));
    let mut exclude_newer = cutoff.unwrap_or_default();
    // Of what was built, nothing that an index has counts: all of it is newer than the first day.
    let never = ExcludeNewerValue::absolute(jiff::Timestamp::UNIX_EPOCH);
    exclude_newer.package.extend(
        built
            .iter()
            .map(|name| (name.clone(), ExcludeNewerOverride::Enabled(Box::new(never.clone())))),
    );
    Ok(OptionsBuilder::new()
        .prerelease(Prerelease { global, package: Default::default() })
        .dependency_mode(dependency_mode)
        .exclude_newer(exclude_newer)
        .index_strategy(IndexStrategy::UnsafeBestMatch)
        .build_options(build_options)
        .build())
}

/// An RFC 3339 time, or a date, which counts to its end in UTC.
fn cutoff(text: &str) -> Result<jiff::Timestamp, ResolutionError> {
    let text = text.trim();
    let bad = |error: jiff::Error| ResolutionError::BadTime {
        text: text.to_owned(),
        cause: error.to_string(),
    };
    if let Ok(date) = text.parse::<jiff::civil::Date>()
        && !text.contains([':', 'T', ' '])
    {
        let midnight = date.tomorrow().and_then(|next| next.to_zoned(jiff::tz::TimeZone::UTC));
        return midnight.map(|midnight| midnight.timestamp()).map_err(bad);
    }
    text.parse().map_err(bad)
}
