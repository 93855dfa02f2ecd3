//! `build` and `plan`: one recipe, its inputs, and where the image goes.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{ArgAction, Args};
use layer::Packing;
use oci::{Platform, Reference};

use super::annotation::{self, Annotation};
use super::cache::{self, CacheRepositories, CacheVerification};
use super::compression;
use super::ignored::IgnoredFlags;
use super::location::{self, LayoutName};
use super::lock::{LockUse, PinFlags, Renewal};
use super::output::{self, Output};
use super::secret::{self, SecretSource};
use super::{UsageError, meaning};
use crate::environment::{DEFAULT_PLATFORM, Environment};

/// What can become of `RUN`.
const RUN_MODES: &[&str] = &["assemble"];

/// What `build` is asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BuildArguments {
    /// Whether to build, or only to check the recipe.
    pub(crate) goal: Goal,
    /// Where `COPY` and `ADD` take files from.
    pub(crate) context: ContextSource,
    /// Where the Dockerfile is.
    pub(crate) recipe: RecipeSource,
    /// An ignore file instead of the context's.
    pub(crate) ignore_file: Option<PathBuf>,
    /// `--target`
    pub(crate) target: Option<String>,
    /// What to build for, each once; none for the machine's own.
    pub(crate) platforms: Vec<Platform>,
    /// Values for `ARG`s.
    pub(crate) build_args: BTreeMap<String, String>,
    /// Contexts and images that `FROM`, `COPY --from` and `ADD` can name.
    pub(crate) build_contexts: BTreeMap<String, NamedContext>,
    /// Secrets that a `RUN` may see.
    pub(crate) secrets: Vec<SecretSource>,
    /// Whether it is told what each `RUN` does.
    pub(crate) explanation: Explanation,
    /// Names that the image gets.
    pub(crate) tags: Vec<Reference>,
    /// Labels of the config.
    pub(crate) labels: BTreeMap<String, String>,
    /// Annotations of manifests, the index and descriptors.
    pub(crate) annotations: Vec<Annotation>,
    /// How new layers are compressed.
    pub(crate) compression: Packing,
    /// The time that layers and the image carry, in seconds since the epoch, if one was given.
    pub(crate) timestamp: Option<i64>,
    /// Whether layers made before are taken again.
    pub(crate) cache: CacheUse,
    /// The repositories that keep what came of builds.
    pub(crate) cache_repositories: CacheRepositories,
    /// Whether what they say is compared with the layers' bytes.
    pub(crate) cache_verification: CacheVerification,
    /// Whether a base that the store has, or the lock pins, is asked for again.
    pub(crate) pull: BasePull,
    /// How far it keeps to the lock.
    pub(crate) lock: LockUse,
    /// Which pins of the lock do not count.
    pub(crate) renewal: Renewal,
    /// Where the image goes, at least one.
    pub(crate) outputs: Vec<Output>,
    /// A file for the image's digest.
    pub(crate) iid_file: Option<PathBuf>,
    /// A file for what the build found out, as JSON.
    pub(crate) metadata_file: Option<PathBuf>,
    /// Flags of Docker's that were given and have no effect here.
    pub(crate) without_effect: Vec<&'static str>,
}

/// What `plan` is asked to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PlanArguments {
    /// What would be built.
    pub(crate) build: BuildArguments,
    /// For whom.
    pub(crate) report: PlanReport,
}

/// For whom a plan is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PlanReport {
    /// For people.
    Table,
    /// For programs.
    Json,
}

/// Whether it is told what each `RUN` does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Explanation {
    /// It is not.
    Spared,
    /// Command by command.
    Given,
}

/// How far a build goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Goal {
    /// To an image.
    Build,
    /// To the recipe's warnings.
    Check,
}

/// Where a context's files are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ContextSource {
    /// In a tar on standard input.
    StandardInput,
    /// In a directory or a tarball, whichever the path turns out to be.
    Path(PathBuf),
}

/// Where a Dockerfile is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RecipeSource {
    /// `Dockerfile` in the context.
    InContext,
    /// A file; in a context that is a tar, a file of that tar.
    Path(PathBuf),
    /// Standard input.
    StandardInput,
}

/// What a `--build-context` names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NamedContext {
    /// A directory or a tarball.
    Path(PathBuf),
    /// An image: `docker-image://REFERENCE`.
    Image(Reference),
    /// An image in a layout: `oci-layout://DIRECTORY[:TAG][@DIGEST]`.
    Layout(LayoutName),
}

/// Whether layers made before are taken again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CacheUse {
    /// They are.
    Use,
    /// Each is made anew.
    Ignore,
}

/// Whether a base that the store has is asked for again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BasePull {
    /// Only what the store lacks.
    WhenMissing,
    /// The registry is asked what each tag means now.
    Always,
}

#[derive(Debug, Args)]
pub(super) struct BuildFlags {
    /// The build context: a directory, a tarball, or `-` for a tar on standard input
    context: String,

    /// The Dockerfile or plywood.toml [default: CONTEXT/plywood.toml, else CONTEXT/Dockerfile]; `-`
    /// is standard input
    #[arg(short, long, value_name = "FILE", help_heading = "Recipe")]
    file: Option<String>,
    /// Build this stage instead of the last
    #[arg(long, value_name = "STAGE", help_heading = "Recipe")]
    target: Option<String>,
    /// Set an ARG; without a value, to the environment variable of that name
    #[arg(long, value_name = "NAME[=VALUE]", help_heading = "Recipe")]
    build_arg: Vec<String>,
    /// Let FROM and --from=NAME mean a directory, a tarball, docker-image://REF or
    /// oci-layout://DIR[:TAG]
    #[arg(long, value_name = "NAME=SOURCE", help_heading = "Recipe")]
    build_context: Vec<String>,
    /// A secret for RUN --mount=type=secret: id=NAME with src=FILE or env=VARIABLE; can be repeated
    #[arg(long, value_name = "id=NAME[,src=FILE|,env=NAME]", help_heading = "Recipe")]
    secret: Vec<String>,
    /// What becomes of RUN: `assemble` evaluates it, and refuses what would have to be executed
    #[arg(long, value_name = "MODE", default_value = "assemble", help_heading = "Recipe")]
    run: String,
    /// Tell what each RUN does, command by command
    #[arg(long, help_heading = "Recipe")]
    explain_run: bool,
    /// Leave out of the context what this file says instead of .dockerignore
    #[arg(long, value_name = "FILE", help_heading = "Recipe")]
    ignorefile: Option<PathBuf>,
    /// Report what the Dockerfile's checks find, and build nothing
    #[arg(long, help_heading = "Recipe")]
    check: bool,

    /// A name for the image; can be repeated
    #[arg(short, long, value_name = "REF", help_heading = "Image")]
    tag: Vec<String>,
    /// Build for these platforms; several make an index [default: this machine's, for Linux]
    #[arg(long, value_name = "OS/ARCH[/VARIANT],…", help_heading = "Image")]
    platform: Vec<String>,
    /// Set a label
    #[arg(long, value_name = "KEY=VALUE", help_heading = "Image")]
    label: Vec<String>,
    /// Set an annotation of the manifest, or of what TYPE says: manifest, index,
    /// manifest-descriptor, index-descriptor, one platform's as TYPE[PLATFORM]
    #[arg(long, value_name = "[TYPE:]KEY=VALUE", help_heading = "Image")]
    annotation: Vec<String>,
    /// How layers are compressed: gzip[:1-12], zstd[:1-19] or none [default: gzip]
    #[arg(long, value_name = "METHOD[:LEVEL]", help_heading = "Image")]
    compression: Option<String>,
    /// The time that files and the image carry: seconds since 1970 or RFC 3339
    /// [default: $SOURCE_DATE_EPOCH, else a fixed date]
    #[arg(long, value_name = "TIME", help_heading = "Image")]
    timestamp: Option<String>,

    /// Where the image goes: type=oci|docker|tar|local,dest=PATH, type=registry or type=image
    /// (the store); can be repeated [default: the store]
    #[arg(short, long, value_name = "type=…[,…]", help_heading = "Output")]
    output: Vec<String>,
    /// Short for --output type=registry
    #[arg(long, help_heading = "Output")]
    push: bool,
    /// Short for --output type=image
    #[arg(long, help_heading = "Output")]
    load: bool,
    /// Write the image's digest to this file
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    iidfile: Option<PathBuf>,
    /// Write what the build found out to this file, as JSON
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    metadata_file: Option<PathBuf>,
    /// Show no progress
    #[arg(short, long, help_heading = "Output")]
    pub(super) quiet: bool,

    /// Take no layer that was made before
    #[arg(long, help_heading = "Cache")]
    no_cache: bool,
    /// Ask this repository, too, for what came of earlier builds, or with `none` nobody; can be
    /// repeated [default: where the image is pushed to]
    #[arg(long, value_name = "REPOSITORY", help_heading = "Cache")]
    cache_from: Vec<String>,
    /// Leave what comes of this build in this repository, or with `none` nowhere; can be repeated
    /// [default: where the image is pushed to]
    #[arg(long, value_name = "REPOSITORY", help_heading = "Cache")]
    cache_to: Vec<String>,
    /// Fetch the layers that a repository's cache names, and compare them with what it says
    #[arg(long, help_heading = "Cache")]
    verify_cache: bool,
    /// Ask the registry what the bases' tags mean now
    #[arg(long, action = ArgAction::SetTrue, help_heading = "Cache")]
    pull: bool,

    #[command(flatten)]
    pub(super) pins: PinFlags,

    #[command(flatten)]
    ignored: IgnoredFlags,
}

#[derive(Debug, Args)]
pub(super) struct PlanFlags {
    #[command(flatten)]
    pub(super) build: BuildFlags,
    /// Write the plan as JSON
    #[arg(long, help_heading = "Output")]
    json: bool,
}

impl PlanFlags {
    pub(super) fn meaning(self, environment: &Environment) -> Result<PlanArguments, UsageError> {
        let report = if self.json { PlanReport::Json } else { PlanReport::Table };
        Ok(PlanArguments { build: self.build.meaning(environment)?, report })
    }
}

impl BuildFlags {
    pub(super) fn meaning(self, environment: &Environment) -> Result<BuildArguments, UsageError> {
        let tags = meaning::tagged("--tag", &self.tag)?;
        let (outputs, options) = self.outputs(&tags)?;
        let mut annotations = Vec::new();
        for text in &self.annotation {
            annotations.push(annotation::annotation("--annotation", text)?);
        }
        let (context, recipe) = self.sources()?;
        if !RUN_MODES.contains(&self.run.as_str()) {
            return Err(UsageError::unknown("--run", &self.run, RUN_MODES));
        }
        let secrets = self.secret.iter().map(|text| secret::secret(text, environment));
        let secrets = secrets.collect::<Result<_, _>>()?;
        let compression = match &self.compression {
            Some(text) => Some(compression::compression("--compression", text)?),
            None => None,
        };
        let (cache_repositories, not_registries) =
            cache::repositories(&self.cache_from, &self.cache_to, &outputs)?;
        let cache = if self.no_cache { CacheUse::Ignore } else { CacheUse::Use };
        let pull = if self.pull { BasePull::Always } else { BasePull::WhenMissing };
        let lock = self.pins.meaning(pull, cache, environment)?;
        let renewal = match cache {
            CacheUse::Use => Renewal::Nothing,
            CacheUse::Ignore => Renewal::Everything,
        };
        let mut of_outputs = None;
        for options in options {
            annotations.extend(options.annotations);
            of_outputs = of_outputs.or(options.compression);
        }
        Ok(BuildArguments {
            goal: if self.check { Goal::Check } else { Goal::Build },
            context,
            recipe,
            platforms: platforms(&self.platform, environment)?,
            build_args: build_args(&self.build_arg, environment)?,
            build_contexts: build_contexts(&self.build_context)?,
            secrets,
            explanation: if self.explain_run { Explanation::Given } else { Explanation::Spared },
            tags,
            labels: labels(&self.label)?,
            annotations,
            compression: compression.or(of_outputs).unwrap_or_default(),
            timestamp: timestamp(self.timestamp.as_deref(), environment)?,
            cache,
            cache_repositories,
            cache_verification: match self.verify_cache {
                true => CacheVerification::Whole,
                false => CacheVerification::Presence,
            },
            pull,
            lock,
            renewal,
            outputs,
            ignore_file: self.ignorefile,
            target: self.target,
            iid_file: self.iidfile,
            metadata_file: self.metadata_file,
            without_effect: [self.ignored.noticed, not_registries].concat(),
        })
    }

    fn sources(&self) -> Result<(ContextSource, RecipeSource), UsageError> {
        if is_remote(&self.context) {
            return Err(UsageError::Remote { argument: "CONTEXT", url: self.context.clone() });
        }
        let context = match self.context.as_str() {
            "-" => ContextSource::StandardInput,
            path => ContextSource::Path(PathBuf::from(path)),
        };
        let recipe = match self.file.as_deref() {
            None => RecipeSource::InContext,
            Some("-") if context == ContextSource::StandardInput => {
                return Err(UsageError::Conflict {
                    first: "the context".to_owned(),
                    second: "the Dockerfile on standard input".to_owned(),
                    instead: "put the Dockerfile into the tar and name it with -f",
                });
            }
            Some("-") => RecipeSource::StandardInput,
            Some(url) if is_remote(url) => {
                return Err(UsageError::Remote { argument: "--file", url: url.to_owned() });
            }
            Some(path) => RecipeSource::Path(PathBuf::from(path)),
        };
        Ok((context, recipe))
    }

    fn outputs(
        &self,
        tags: &[Reference],
    ) -> Result<(Vec<Output>, Vec<output::OutputOptions>), UsageError> {
        let mut outputs = Vec::new();
        let mut all_options = Vec::new();
        for text in &self.output {
            let (output, options) = output::output(text, tags)?;
            outputs.push(output);
            all_options.push(options);
        }
        if self.push && !outputs.iter().any(|output| matches!(output, Output::Registry(_))) {
            outputs.push(Output::Registry(tags.to_vec()));
        }
        let store = outputs.iter().any(|output| matches!(output, Output::Store(_)));
        if (self.load && !store) || outputs.is_empty() {
            outputs.push(Output::Store(tags.to_vec()));
        }
        if outputs
            .iter()
            .any(|output| matches!(output, Output::Registry(names) if names.is_empty()))
        {
            let given = if self.push { "`--push`" } else { "`--output type=registry`" };
            let missing = "a name to push to";
            return Err(UsageError::Needs { given, missing, instead: "give one with `--tag REF`" });
        }
        let is_registry = |output: &Output| matches!(output, Output::Registry(_));
        if self.pins.offline && outputs.iter().any(is_registry) {
            return Err(UsageError::Conflict {
                first: "`--offline`".to_owned(),
                second: "an output to a registry".to_owned(),
                instead: "push it later, with `plywood push`",
            });
        }
        Ok((outputs, all_options))
    }
}

/// Docker's and Git's ways to name something that is not here.
fn is_remote(text: &str) -> bool {
    let schemes = ["http://", "https://", "git://", "ssh://", "git@", "github.com/"];
    schemes.iter().any(|scheme| text.starts_with(scheme))
}

fn platforms(typed: &[String], environment: &Environment) -> Result<Vec<Platform>, UsageError> {
    match environment.text(DEFAULT_PLATFORM) {
        Some(set) if typed.is_empty() => meaning::platforms(DEFAULT_PLATFORM, &[set.to_owned()]),
        _ => meaning::platforms("--platform", typed),
    }
}

fn build_args(
    texts: &[String],
    environment: &Environment,
) -> Result<BTreeMap<String, String>, UsageError> {
    let mut arguments = BTreeMap::new();
    for text in texts {
        let (name, value) = meaning::key_value(text);
        if name.is_empty() {
            return Err(UsageError::form("--build-arg", text, "it is NAME=VALUE or NAME"));
        }
        // A name alone takes its value from the environment, and has none where that has none.
        if let Some(value) = value.or_else(|| environment.build_argument(name)) {
            arguments.insert(name.to_owned(), value.to_owned());
        }
    }
    Ok(arguments)
}

fn labels(texts: &[String]) -> Result<BTreeMap<String, String>, UsageError> {
    let mut labels = BTreeMap::new();
    for text in texts {
        let (key, value) = meaning::key_value(text);
        if key.is_empty() {
            return Err(UsageError::form("--label", text, "it is KEY=VALUE"));
        }
        labels.insert(key.to_owned(), value.unwrap_or_default().to_owned());
    }
    Ok(labels)
}

fn build_contexts(texts: &[String]) -> Result<BTreeMap<String, NamedContext>, UsageError> {
    const FLAG: &str = "--build-context";
    let mut contexts = BTreeMap::new();
    for text in texts {
        let (name, source) = meaning::pair(FLAG, text, "it is NAME=SOURCE")?;
        let context = if let Some(image) = source.strip_prefix("docker-image://") {
            NamedContext::Image(meaning::reference(FLAG, image)?.or_latest())
        } else if let Some(layout) = source.strip_prefix("oci-layout://") {
            NamedContext::Layout(location::layout_name(FLAG, layout)?)
        } else if is_remote(&source) {
            return Err(UsageError::Remote { argument: FLAG, url: source });
        } else {
            NamedContext::Path(PathBuf::from(source))
        };
        // BuildKit compares names in lower case, as it does stages' names.
        contexts.insert(name.to_lowercase(), context);
    }
    Ok(contexts)
}

fn timestamp(typed: Option<&str>, environment: &Environment) -> Result<Option<i64>, UsageError> {
    const VARIABLE: &str = "SOURCE_DATE_EPOCH";
    match (typed, environment.text(VARIABLE)) {
        (Some(typed), _) => meaning::timestamp("--timestamp", typed).map(Some),
        (None, Some(set)) => meaning::timestamp(VARIABLE, set).map(Some),
        (None, None) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Command, Destination, parse_for_test};
    use super::*;

    #[track_caller]
    fn build(words: &[&str]) -> BuildArguments {
        build_in(&Environment::of(&[]), words)
    }

    #[track_caller]
    fn build_in(environment: &Environment, words: &[&str]) -> BuildArguments {
        let line: Vec<&str> = std::iter::once("build").chain(words.iter().copied()).collect();
        match parse_for_test(&line, environment).unwrap().command {
            Command::Build(arguments) => *arguments,
            other => panic!("{other:?}"),
        }
    }

    #[track_caller]
    fn refuse(words: &[&str], expected: &str) {
        let line: Vec<&str> = std::iter::once("build").chain(words.iter().copied()).collect();
        let error = parse_for_test(&line, &Environment::of(&[])).unwrap_err();
        assert_eq!(format!("{error} | {}", error.hint().unwrap_or_default()), expected);
    }

    fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn nothing_but_a_context_means_docker_s_defaults() {
        let arguments = build(&["."]);
        assert_eq!(arguments.goal, Goal::Build);
        assert_eq!(arguments.context, ContextSource::Path(".".into()));
        assert_eq!(arguments.recipe, RecipeSource::InContext);
        assert_eq!(arguments.outputs, [Output::Store(vec![])]);
        assert_eq!(arguments.compression, Packing::default());
        assert_eq!(arguments.cache, CacheUse::Use);
        assert_eq!(arguments.pull, BasePull::WhenMissing);
        assert_eq!(arguments.timestamp, None);
        assert!(arguments.platforms.is_empty() && arguments.without_effect.is_empty());
    }

    #[test]
    fn contexts_and_recipes_come_from_files_or_standard_input() {
        assert_eq!(build(&["-"]).context, ContextSource::StandardInput);
        assert_eq!(build(&["-f", "-", "."]).recipe, RecipeSource::StandardInput);
        assert_eq!(
            build(&["-fa/Dockerfile", "-"]).recipe,
            RecipeSource::Path("a/Dockerfile".into())
        );
        refuse(
            &["-f", "-", "-"],
            "the context and the Dockerfile on standard input cannot both be | put the Dockerfile \
             into the tar and name it with -f",
        );
        refuse(
            &["https://example.org/a.git"],
            "`https://example.org/a.git` would have to be fetched, and `CONTEXT` takes local files \
             | clone or download it first; a tar on standard input is given as `-`",
        );
    }

    #[test]
    fn arguments_take_over_what_the_environment_says() {
        let environment = Environment::of(&[("FROM_OUTSIDE", "1"), ("EMPTY", "")]);
        let words = ["--build-arg", "A=b=c", "--build-arg", "FROM_OUTSIDE", "--build-arg", "EMPTY"];
        let more = ["--build-arg", "NOT_SET", "--build-arg", "E=", "."];
        let arguments = build_in(&environment, &[&words[..], &more[..]].concat());
        let expected = map(&[("A", "b=c"), ("E", ""), ("EMPTY", ""), ("FROM_OUTSIDE", "1")]);
        assert_eq!(arguments.build_args, expected);
        refuse(
            &["--build-arg", "=x", "."],
            "`=x` is not a value of `--build-arg` | it is NAME=VALUE or NAME",
        );
    }

    #[test]
    fn the_flag_s_time_wins_over_the_variable_s() {
        let environment = Environment::of(&[("SOURCE_DATE_EPOCH", "17")]);
        assert_eq!(build_in(&environment, &["."]).timestamp, Some(17));
        assert_eq!(build_in(&environment, &["--timestamp", "18", "."]).timestamp, Some(18));
        let line = ["build", "."];
        let broken = Environment::of(&[("SOURCE_DATE_EPOCH", "noon")]);
        let error = parse_for_test(&line, &broken).unwrap_err();
        assert_eq!(error.to_string(), "`noon` is not a value of `SOURCE_DATE_EPOCH`");
    }

    #[test]
    fn the_flag_s_platforms_win_over_the_variable_s() {
        let environment = Environment::of(&[("DOCKER_DEFAULT_PLATFORM", "linux/arm64")]);
        assert_eq!(build_in(&environment, &["."]).platforms, [Platform::linux("arm64")]);
        let typed = build_in(&environment, &["--platform", "linux/amd64", "."]).platforms;
        assert_eq!(typed, [Platform::linux("amd64")]);
    }

    #[test]
    fn outputs_add_up() {
        let name: Reference = "localhost:5000/a:1".parse().unwrap();
        let tagged = ["-t", "localhost:5000/a:1"];
        let outputs = |words: &[&str]| build(&[&tagged[..], words, &["."]].concat()).outputs;
        assert_eq!(outputs(&["--push"]), [Output::Registry(vec![name.clone()])]);
        assert_eq!(
            outputs(&["--push", "--load"]),
            [Output::Registry(vec![name.clone()]), Output::Store(vec![name.clone()])]
        );
        assert_eq!(
            outputs(&["-o", "type=registry", "--push"]),
            [Output::Registry(vec![name.clone()])]
        );
        assert_eq!(
            outputs(&["-o", "type=oci,dest=-", "-o", "out"]),
            [
                Output::OciArchive { destination: Destination::Stdout, names: vec![name] },
                Output::Local("out".into())
            ]
        );
        refuse(&["--push", "."], "`--push` needs a name to push to | give one with `--tag REF`");
    }

    #[test]
    fn named_contexts_are_directories_images_or_layouts() {
        let words =
            ["--build-context", "Src=../src", "--build-context", "base=docker-image://alpine"];
        let more = ["--build-context", "old=oci-layout:///l:1", "."];
        let contexts = build(&[&words[..], &more[..]].concat()).build_contexts;
        let layout = LayoutName { directory: "/l".into(), tag: Some("1".into()), digest: None };
        let expected = BTreeMap::from([
            ("src".to_owned(), NamedContext::Path("../src".into())),
            ("base".to_owned(), NamedContext::Image("alpine:latest".parse().unwrap())),
            ("old".to_owned(), NamedContext::Layout(layout)),
        ]);
        assert_eq!(contexts, expected);
    }

    #[test]
    fn what_has_no_effect_is_taken_and_told_where_it_matters() {
        let words = [
            "--rm",
            "--force-rm=true",
            "--provenance=false",
            "--cache-from",
            "type=gha",
            "-m",
            "1g",
        ];
        let arguments = build(&[&words[..], &["--attest=false", "."]].concat());
        assert_eq!(arguments.without_effect, ["cache-from"]);
        assert_eq!(arguments.context, ContextSource::Path(".".into()));
    }

    #[test]
    fn names_are_tags_and_each_counts_once() {
        let arguments = build(&["-t", "a", "-t", "docker.io/library/a:latest", "-t", "b:2", "."]);
        let names: Vec<String> = arguments.tags.iter().map(Reference::familiar).collect();
        assert_eq!(names, ["a:latest", "b:2"]);
        refuse(
            &["-t", "Foo", "."],
            "`--tag`: `Foo` is not an image reference: repository names are lower-case | write `foo`",
        );
    }
}
