//! What uv's resolver asks of its surroundings: nothing is built here, and no Python runs.

use std::future::Future;
use std::path::{Path, PathBuf};

use uv_cache::Cache;
use uv_configuration::{BuildKind, BuildOptions, BuildOutput, NoSources};
use uv_distribution_filename::DistFilename;
use uv_distribution_types::{
    CachedDist, ConfigSettings, DependencyMetadata, ExtraBuildRequires, ExtraBuildVariables,
    IndexCapabilities, IndexLocations, IsBuildBackendError, PackageConfigSettings, Requirement,
    SourceDist,
};
use uv_git::GitResolver;
use uv_python::{Interpreter, PythonEnvironment};
use uv_types::{
    AnyErrorBuild, BuildArena, BuildContext, BuildIsolation, BuildStack, ResolvedRequirements,
    SourceBuildTrait,
};
use uv_workspace::WorkspaceCache;

/// The surroundings of one resolution.
pub(crate) struct Surroundings {
    pub(crate) cache: Cache,
    pub(crate) locations: IndexLocations,
    pub(crate) build_options: BuildOptions,
    pub(crate) capabilities: IndexCapabilities,
    unused: Unused,
}

/// What is asked for by reference, and stays as it is.
#[derive(Default)]
struct Unused {
    git: GitResolver,
    arena: BuildArena<NoBuilder>,
    dependency_metadata: DependencyMetadata,
    config_settings: ConfigSettings,
    package_config_settings: PackageConfigSettings,
    sources: NoSources,
    workspaces: WorkspaceCache,
    build_requires: ExtraBuildRequires,
    build_variables: ExtraBuildVariables,
}

impl Surroundings {
    pub(crate) fn new(
        cache: Cache,
        locations: IndexLocations,
        build_options: BuildOptions,
    ) -> Self {
        let capabilities = IndexCapabilities::default();
        let unused = Unused { sources: NoSources::All, ..Unused::default() };
        Surroundings { cache, locations, build_options, capabilities, unused }
    }
}

/// The answer to whoever wants something built.
#[derive(Debug, thiserror::Error)]
#[error("nothing is built while packages are resolved")]
pub(crate) struct NothingIsBuilt;

impl uv_errors::Hint for NothingIsBuilt {
    fn hints(&self) -> uv_errors::Hints<'_> {
        uv_errors::Hints::none()
    }
}

impl IsBuildBackendError for NothingIsBuilt {
    fn is_build_backend_error(&self) -> bool {
        false
    }
}

/// There is none: this is never made.
pub(crate) enum NoBuilder {}

impl SourceBuildTrait for NoBuilder {
    async fn metadata(&mut self) -> Result<Option<PathBuf>, AnyErrorBuild> {
        match *self {}
    }

    async fn wheel<'a>(&'a self, _wheel_dir: &'a Path) -> Result<String, AnyErrorBuild> {
        match *self {}
    }
}

// The trait hides its error, which is never looked at.
#[allow(refining_impl_trait)]
impl BuildContext for Surroundings {
    type SourceDistBuilder = NoBuilder;

    /// Asked for only to build, which is refused before.
    fn interpreter(&self) -> impl Future<Output = &Interpreter> + '_ {
        std::future::pending()
    }

    fn cache(&self) -> &Cache {
        &self.cache
    }

    fn git(&self) -> &GitResolver {
        &self.unused.git
    }

    fn build_arena(&self) -> &BuildArena<NoBuilder> {
        &self.unused.arena
    }

    fn capabilities(&self) -> &IndexCapabilities {
        &self.capabilities
    }

    fn dependency_metadata(&self) -> &DependencyMetadata {
        &self.unused.dependency_metadata
    }

    fn build_options(&self) -> &BuildOptions {
        &self.build_options
    }

    fn build_isolation(&self) -> BuildIsolation<'_> {
        BuildIsolation::Isolated
    }

    fn config_settings(&self) -> &ConfigSettings {
        &self.unused.config_settings
    }

    fn config_settings_package(&self) -> &PackageConfigSettings {
        &self.unused.package_config_settings
    }

    fn sources(&self) -> &NoSources {
        &self.unused.sources
    }

    fn locations(&self) -> &IndexLocations {
        &self.locations
    }

    fn workspace_cache(&self) -> &WorkspaceCache {
        &self.unused.workspaces
    }

    fn extra_build_requires(&self) -> &ExtraBuildRequires {
        &self.unused.build_requires
    }

    fn extra_build_variables(&self) -> &ExtraBuildVariables {
        &self.unused.build_variables
    }

    async fn resolve<'a>(
        &'a self,
        _requirements: &'a [Requirement],
        _build_stack: &'a BuildStack,
    ) -> Result<ResolvedRequirements, NothingIsBuilt> {
        Err(NothingIsBuilt)
    }

    async fn install<'a>(
        &'a self,
        _requirements: &'a ResolvedRequirements,
        _venv: &'a PythonEnvironment,
        _build_stack: &'a BuildStack,
    ) -> Result<Vec<CachedDist>, NothingIsBuilt> {
        Err(NothingIsBuilt)
    }

    async fn setup_build<'a>(
        &'a self,
        _source: &'a Path,
        _subdirectory: Option<&'a Path>,
        _install_path: &'a Path,
        _stop_discovery_at: Option<&'a Path>,
        _version_id: Option<&'a str>,
        _dist: Option<&'a SourceDist>,
        _sources: &'a NoSources,
        _build_kind: BuildKind,
        _build_output: BuildOutput,
        _build_stack: BuildStack,
    ) -> Result<NoBuilder, NothingIsBuilt> {
        Err(NothingIsBuilt)
    }

    async fn direct_build<'a>(
        &'a self,
        _source: &'a Path,
        _subdirectory: Option<&'a Path>,
        _output_dir: &'a Path,
        _sources: NoSources,
        _build_kind: BuildKind,
        _version_id: Option<&'a str>,
    ) -> Result<Option<DistFilename>, NothingIsBuilt> {
        Err(NothingIsBuilt)
    }
}
