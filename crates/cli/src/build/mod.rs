//! The pipeline: recipe, facts, plan, layers, image, outputs.

mod assemble;
mod base;
mod cache;
mod contents;
mod download;
mod error;
mod explain;
mod file_range;
mod files;
mod gather;
mod git;
mod hints;
mod inputs;
mod lay;
mod lock;
mod machine_sources;
mod output;
mod packages;
mod pieces;
mod plain_layers;
mod recall;
mod record;
mod sharing;
mod show;
mod spool;
mod texts;
mod wheels;
mod whole_file;

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::path::PathBuf;

use ::lock::Extent;
use difference::BuildRecord;
use image::Image;
use jiff::Timestamp;
use layer::Packing;
use oci::{Descriptor, Digest, Manifest, Platform, Reference};
use plan::{Plan, Recall, Request};
use recipe::{Diagnostic, Recipe};
use store::Build;

pub(crate) use cache::{RecordKind, kept};
pub(crate) use error::BuildError;
pub(crate) use record::record_of;

use crate::error::{Doing, Error};
use crate::flags::{
    Annotation, AnnotationScope, BuildArguments, Explanation, Goal, LockArguments,
    OutdatedArguments, Output, PlanArguments,
};
use crate::session::Session;
use crate::transfer;
use contents::Contents;
use gather::Gatherer;
use inputs::Inputs;
use lock::EmptyLock;

/// The time of new files where none is asked for: the second day of 1980. Zip's calendar starts
/// with the first, and local time can be a day behind.
const DEFAULT_TIMESTAMP: i64 = 315_619_200;

/// A recipe with its facts, ready to be planned.
struct Work<'a> {
    session: &'a Session,
    arguments: &'a BuildArguments,
    recipe: Recipe,
    warnings: Vec<Diagnostic>,
    gatherer: Gatherer<'a>,
    settings: PlanSettings,
}

/// What goes into every platform's request.
struct PlanSettings {
    /// The recipe's name in messages, and its text.
    recipe_name: String,
    recipe_text: String,
    /// The recipe's own, and those of the command line.
    annotations: Vec<Annotation>,
    platforms: Vec<Platform>,
    build_platform: Platform,
    labels: BTreeMap<String, String>,
    timestamp: i64,
    created: String,
    packing: Packing,
}

/// Builds an image and brings it where it is to go.
pub(crate) fn build(arguments: &BuildArguments, session: &Session) -> Result<(), Error> {
    output::check(arguments)?;
    let mut work = Work::open(arguments, session)?;
    if arguments.goal == Goal::Check {
        return work.check();
    }
    let plans = work.plans()?;
    work.gatherer.pins.check_plans(&plans)?;
    work.tell_warnings(&plans)?;
    if arguments.explanation == Explanation::Given {
        for line in explain::lines(&plans) {
            session.progress.note(&line);
        }
    }
    for plan in &plans {
        work.refuse_execution(plan)?;
    }
    let mut images = Vec::new();
    let mut records = Vec::new();
    for plan in &plans {
        let (image, record) = work.image(plan)?;
        records.push((image.digest(), record));
        images.push(image);
    }
    work.gatherer.finish()?;
    let root = store_images(session, &work.settings, &images)?;
    output::deliver(session, arguments, &root)?;
    work.gatherer.registry_cache.publish(session, &plans)?;
    name(session, arguments, &root)?;
    if let Err(error) = work.remember(&root, &records) {
        // The image is where it was to go; that is what was asked for.
        let why = crate::report::chain(&error);
        session.progress.warning(&format!("what went into the image is not remembered: {why}"));
    }
    work.keep_lock(EmptyLock::Spared)?;
    output::report(session, arguments, &root, &images)
}

/// Pins what a build would take from outside.
pub(crate) fn lock(arguments: &LockArguments, session: &Session) -> Result<(), Error> {
    let mut work = Work::open(&arguments.build, session)?;
    work.gatherer.facts.recall = Recall::Never;
    let plans = work.plans()?;
    work.gatherer.pins.check_plans(&plans)?;
    work.tell_warnings(&plans)?;
    work.gatherer.finish()?;
    plans.iter().for_each(|plan| work.gatherer.pins.found_plan(plan));
    work.keep_lock(EmptyLock::Written)
}

/// Shows what has moved since it was pinned.
pub(crate) fn outdated(arguments: &OutdatedArguments, session: &Session) -> Result<(), Error> {
    let mut work = Work::open(&arguments.build, session)?;
    work.gatherer.facts.recall = Recall::Never;
    work.plans()?;
    work.gatherer.finish()?;
    lock::show_outdated(&work.gatherer, arguments.report)
}

/// Shows what a build would do.
pub(crate) fn plan(arguments: &PlanArguments, session: &Session) -> Result<(), Error> {
    let mut work = Work::open(&arguments.build, session)?;
    // What a line does is shown as it is done.
    work.gatherer.facts.recall = Recall::Never;
    let plans = work.plans()?;
    work.gatherer.pins.check_plans(&plans)?;
    work.tell_warnings(&plans)?;
    work.gatherer.finish()?;
    show::show(session, &arguments.build, arguments.report, &plans)
}

impl<'a> Work<'a> {
    fn open(arguments: &'a BuildArguments, session: &'a Session) -> Result<Self, Error> {
        let inputs = Inputs::open(arguments, session)?;
        let parsed = parse(arguments, session, &inputs).map_err(|diagnostics| {
            Error::Recipe(Box::new(crate::diagnostics::Findings {
                name: inputs.recipe_name.clone(),
                text: inputs.recipe_text.clone(),
                diagnostics,
            }))
        })?;
        let settings = PlanSettings::of(arguments, &inputs, &parsed.recipe)?;
        let gatherer = Gatherer::new(session, inputs, arguments, &parsed.recipe.cache)?;
        let (recipe, warnings) = (parsed.recipe, parsed.warnings);
        Ok(Work { session, arguments, recipe, warnings, gatherer, settings })
    }

    /// Refuses a plan of which something would have to be executed.
    fn refuse_execution(&self, plan: &Plan) -> Result<(), Error> {
        let Some((step, why)) = plan.needs_execution() else { return Ok(()) };
        let message = format!("this instruction needs execution: {why}");
        let mut diagnostic = Diagnostic::error(step.span.clone(), message);
        diagnostic.hint = Some(error::execution_hint(step, why));
        let findings = self.gatherer.findings(vec![diagnostic]);
        Err(BuildError::NeedsExecution(Box::new(findings)).into())
    }

    /// The plans for all platforms. What the lock says of archives that have moved on is taken as
    /// long as it is enough.
    fn plans(&mut self) -> Result<Vec<Plan>, Error> {
        let planned = match self.planned() {
            Err(_) if self.gatherer.moves_on() => self.planned(),
            planned => planned,
        };
        let plans = planned?;
        self.gatherer.pins.found_lists(&plans, &self.gatherer.facts);
        Ok(plans)
    }

    fn planned(&mut self) -> Result<Vec<Plan>, Error> {
        let platforms = self.settings.platforms.iter();
        let requests: Vec<Request<'_>> = platforms
            .map(|platform| self.settings.request(&self.recipe, self.arguments, platform))
            .collect();
        let plans = self.gatherer.plans(&requests)?;
        self.gatherer.check_abridged(&plans)?;
        Ok(plans)
    }

    /// `--check`: what the recipe's checks find, and nothing else.
    fn check(&mut self) -> Result<(), Error> {
        let plans = self.plans()?;
        self.tell_warnings(&plans)
    }

    /// Tells each warning once, however many platforms it came up for.
    fn tell_warnings(&self, plans: &[Plan]) -> Result<(), Error> {
        let mut warnings = self.warnings.clone();
        let mut planned = Vec::new();
        for warning in plans.iter().flat_map(|plan| &plan.warnings) {
            if !planned.contains(warning) {
                planned.push(warning.clone());
            }
        }
        warnings.extend(planned.into_iter().filter(|finding| self.recipe.reports(finding)));
        let findings = self.gatherer.findings(warnings);
        self.session.progress.findings(&findings);
        if self.recipe.fails_on(&findings.diagnostics) {
            return Err(Error::ChecksFailed(findings.diagnostics.len()));
        }
        Ok(())
    }

    /// Writes down what was found, for the next build.
    fn keep_lock(&self, empty: EmptyLock) -> Result<(), Error> {
        let extent = match self.arguments.target {
            Some(_) => Extent::Part,
            None => Extent::Whole,
        };
        self.gatherer.pins.keep(self.session, &self.settings.platforms, extent, empty)
    }

    /// Keeps what went into the images, and that they were built.
    fn remember(&self, root: &Descriptor, records: &[(Digest, BuildRecord)]) -> Result<(), Error> {
        for (image, record) in records {
            record::keep(self.session, image, record)?;
        }
        let build = Build {
            image: root.clone(),
            names: self.names().iter().map(ToString::to_string).collect(),
            place: Digest::of(&self.gatherer.inputs.place()),
            time: self.session.environment.now.as_second(),
        };
        Ok(self.session.store()?.record_build(build)?)
    }

    /// All names that the image gets, each once.
    fn names(&self) -> BTreeSet<&Reference> {
        let of_outputs = self.arguments.outputs.iter().flat_map(|output| match output {
            Output::Store(names) | Output::Registry(names) => names.as_slice(),
            _ => &[],
        });
        self.arguments.tags.iter().chain(of_outputs).collect()
    }

    fn image(&self, plan: &Plan) -> Result<(Image, BuildRecord), Error> {
        let mut contents = Contents::new(self.session, &self.gatherer.inputs, &self.gatherer.facts);
        let (cache, packing) = (self.arguments.cache, self.settings.packing);
        let elsewhere = self.gatherer.registry_cache.layers(self.session, plan)?;
        let layers = lay::lay(self.session, plan, &mut contents, packing, cache, &elsewhere)?;
        self.gatherer.pins.found_layers(plan, &layers)?;
        let (store, facts) = (self.session.store()?, &self.gatherer.facts);
        recall::remember(store, &self.gatherer.pins, plan, facts, &layers)?;
        hints::remember(store, plan, facts)?;
        let annotations = assemble::manifest_annotations(
            plan.target(),
            &plan.platform,
            &self.settings.annotations,
        );
        let created = &self.settings.created;
        let image = assemble::assemble(plan.target(), &layers, created, annotations)?;
        Ok((image, record::of(self, plan, &layers)?))
    }
}

impl PlanSettings {
    fn of(arguments: &BuildArguments, inputs: &Inputs, recipe: &Recipe) -> Result<Self, Error> {
        let timestamp = arguments.timestamp.unwrap_or(DEFAULT_TIMESTAMP);
        let created = Timestamp::from_second(timestamp)
            .map_err(|_| BuildError::Timestamp(timestamp))?
            .to_string();
        let build_platform = transfer::default_platform();
        let platforms = match (arguments.platforms.as_slice(), recipe.platforms.as_slice()) {
            ([], []) => vec![build_platform.clone()],
            ([], own) => own.to_vec(),
            (asked, _) => asked.to_vec(),
        };
        let own = recipe.annotations.iter().map(|(key, value)| Annotation {
            key: key.clone(),
            value: value.clone(),
            scopes: vec![AnnotationScope::Manifest(None)],
        });
        let annotations = own.chain(arguments.annotations.iter().cloned()).collect();
        let labels = labels(arguments, inputs);
        let packing = arguments.compression;
        Ok(PlanSettings {
            recipe_name: inputs.recipe_name.clone(),
            recipe_text: inputs.recipe_text.clone(),
            annotations,
            platforms,
            build_platform,
            labels,
            timestamp,
            created,
            packing,
        })
    }

    fn request<'r>(
        &'r self,
        recipe: &'r Recipe,
        arguments: &'r BuildArguments,
        platform: &Platform,
    ) -> Request<'r> {
        Request {
            recipe,
            name: &self.recipe_name,
            text: &self.recipe_text,
            target: arguments.target.as_deref(),
            platform: platform.clone(),
            build_platform: self.build_platform.clone(),
            build_args: &arguments.build_args,
            labels: &self.labels,
            timestamp: self.timestamp,
            created: &self.created,
            packing: self.packing,
        }
    }
}

/// Parses the recipe in the one form or the other.
fn parse(
    arguments: &BuildArguments,
    session: &Session,
    inputs: &Inputs,
) -> Result<recipe::Parsed, Vec<Diagnostic>> {
    match recipe::recipe_format(&inputs.recipe_name, &inputs.recipe_text) {
        recipe::Format::Dockerfile => recipe::parse_dockerfile(&inputs.recipe_text),
        recipe::Format::PlywoodToml => {
            let directory = inputs.directory.as_deref();
            let git = OnceCell::new();
            let git = || git.get_or_init(|| directory.and_then(context::git_state)).as_ref();
            let value = |name: &str| match name.split_once('.')? {
                ("git", "sha") => Some(git()?.revision.clone()),
                ("git", "branch") => git()?.branch.clone(),
                ("git", "tag") => git()?.tag.clone(),
                ("env", name) => session.environment.build_argument(name).map(str::to_owned),
                ("arg", name) => arguments.build_args.get(name).cloned(),
                _ => None,
            };
            recipe::parse_plywood_toml(&inputs.recipe_text, &value)
        }
    }
}

/// How many threads read, hash and compress.
fn threads(session: &Session) -> NonZeroUsize {
    NonZeroUsize::new(session.settings.jobs).unwrap_or(NonZeroUsize::MIN)
}

/// A directory beside the store's blobs for files that live as long as this process.
fn scratch_directory(session: &Session) -> Result<PathBuf, Error> {
    Ok(session.store()?.scratch_space()?)
}

/// The labels asked for, and where the context's files come from, unless that is asked otherwise.
fn labels(arguments: &BuildArguments, inputs: &Inputs) -> BTreeMap<String, String> {
    let mut labels = BTreeMap::new();
    let state = inputs.directory.as_deref().and_then(context::git_state);
    if let Some(state) = state {
        labels.insert("org.opencontainers.image.revision".to_owned(), state.revision);
        if let Some(url) = state.remote {
            labels.insert("org.opencontainers.image.source".to_owned(), url);
        }
    }
    labels.extend(arguments.labels.clone());
    labels
}

/// Puts manifests and configs into the store, and says which one is the result: the only image, or
/// the index over several.
fn store_images(
    session: &Session,
    settings: &PlanSettings,
    images: &[Image],
) -> Result<Descriptor, Error> {
    let store = session.store()?;
    for image in images {
        store.put(image.config_bytes())?;
        store.put(image.manifest().bytes())?;
    }
    let root = match images {
        [image] if settings.platforms.len() <= 1 => Manifest::Image(image.manifest().clone()),
        images => {
            let annotations = assemble::scoped(&settings.annotations, |scope| {
                matches!(scope, AnnotationScope::Index)
            });
            let entries = images.iter().map(|image| Descriptor {
                annotations: assemble::scoped(&settings.annotations, |scope| match scope {
                    AnnotationScope::ManifestDescriptor(None) => true,
                    AnnotationScope::ManifestDescriptor(Some(wanted)) => {
                        image.platform().satisfies(wanted)
                    }
                    _ => false,
                }),
                ..image.descriptor()
            });
            let index = oci::ImageIndex::new(entries.collect(), annotations);
            store.put(index.bytes())?;
            Manifest::Index(index)
        }
    };
    Ok(root.descriptor())
}

/// Gives the image its names in the store. They come last: what did not get where it was to go has
/// none.
fn name(session: &Session, arguments: &BuildArguments, root: &Descriptor) -> Result<(), Error> {
    let store = session.store()?;
    if arguments.tags.is_empty() {
        store.add(root).doing(|| "name the image in the store".to_owned())?;
    }
    for tag in &arguments.tags {
        store.tag(tag, root).doing(|| format!("tag `{}`", tag.familiar()))?;
    }
    Ok(())
}
