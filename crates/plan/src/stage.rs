//! One stage: its instructions in order, each applied to the config or laid on the tree.

use std::collections::BTreeMap;
use std::sync::Arc;

use layer::Entry;
use oci::{Descriptor, History, ImageConfig, ImagePath, Reference};
use recipe::{Instruction, Span};

use crate::copy;
use crate::error::{PlanError, Step, Stop};
use crate::facts::Needs;
use crate::grouping;
use crate::history;
use crate::key::{Form, LayerKey};
use crate::metadata;
use crate::outcome::{Becomes, LayerSpec, PlannedStage, PlannedStep, Stream, Unassembled};
use crate::record::{Reads, StepTrace};
use crate::run;
use crate::scope::Scope;
use crate::stages::{Base, Shared};
use crate::tree::Tree;
use crate::wheels;

/// Where commands are looked for (BuildKit's `util/system`, "DefaultPathEnv").
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// What plywood's own history entries are marked with.
const COMMENT: &str = "plywood";

/// A stage while it is planned, and afterwards what later stages build on and copy from.
#[derive(Debug, Clone)]
pub(crate) struct StageState {
    number: usize,
    name: Option<String>,
    base: Option<(Reference, Descriptor)>,
    steps: Vec<PlannedStep>,
    pub(crate) tree: Tree,
    pub(crate) config: ImageConfig,
    history: Vec<History>,
    pub(crate) scope: Scope,
    /// Whether this stage itself has set a `CMD`: if not, an `ENTRYPOINT` takes away the base's.
    pub(crate) cmd_is_own: bool,
}

/// A stage's planning, with all that it may look at.
pub(crate) struct StagePlanner<'a, 'b> {
    pub(crate) shared: &'a mut Shared<'b>,
    pub(crate) state: StageState,
    pub(crate) earlier: &'a BTreeMap<usize, StageState>,
    pub(crate) needs: &'a mut Needs,
    /// How many of the stage's instructions that are yet to come can make layers.
    pub(crate) layers_to_come: usize,
    /// How many layers the image may have at most, if the recipe says.
    pub(crate) max_layers: Option<usize>,
    /// What the step that is planned has read of what can change.
    pub(crate) reads: Reads,
    /// What there is to remember of it.
    pub(crate) trace: Option<StepTrace>,
}

/// Plans stage `number` on `base`.
///
/// What lacks facts leaves a layer in the stage's tree of which nothing is known. So the stages
/// and instructions that follow ask for what they need in the same round, as far as it does not
/// depend on that layer; and what is found wrong with them is wrong whatever the facts will be.
pub(crate) fn plan_stage(
    shared: &mut Shared<'_>,
    number: usize,
    base: &Base,
    earlier: &BTreeMap<usize, StageState>,
    needs: &mut Needs,
) -> Step<StageState> {
    let recipe = shared.request.recipe;
    let stage = &recipe.stages[number];
    let state = initial_state(shared, number, base, earlier);
    let layers_to_come =
        stage.instructions.iter().filter(|step| makes_layers(&step.instruction)).count();
    let max_layers = grouping::max_layers(stage);
    let (reads, trace) = Default::default();
    let mut planner =
        StagePlanner { shared, state, earlier, needs, layers_to_come, max_layers, reads, trace };
    planner.run_triggers(&stage.base.image.span)?;
    for step in &stage.instructions {
        planner.layers_to_come -= usize::from(makes_layers(&step.instruction));
        planner.step(&step.instruction, &step.text, &step.span)?;
    }
    Ok(planner.state)
}

/// Whether there can be layers of an instruction.
fn makes_layers(instruction: &Instruction) -> bool {
    matches!(
        instruction,
        Instruction::Add(_)
            | Instruction::Copy(_)
            | Instruction::Debian(_)
            | Instruction::Python(_)
            | Instruction::Run(_)
            | Instruction::Workdir(_)
    )
}

/// A stage before its first instruction.
fn initial_state(
    shared: &Shared<'_>,
    number: usize,
    base: &Base,
    earlier: &BTreeMap<usize, StageState>,
) -> StageState {
    let request = shared.request;
    let name = request.recipe.stages[number].base.name.as_ref().map(|name| name.node.clone());
    let fresh = |mut config: ImageConfig, tree, history, base| {
        // A command without a path is looked for in `PATH`, and runtimes differ in what it is when
        // an image does not say. BuildKit always says.
        if config.env().iter().all(|(name, _)| name != "PATH") {
            config.set_env("PATH", DEFAULT_PATH);
        }
        let scope = Scope::stage(&shared.global, config.env(), request.build_args);
        let (steps, name) = (Vec::new(), name.clone());
        StageState { number, name, base, steps, tree, config, history, scope, cmd_is_own: false }
    };
    match base {
        Base::Scratch => {
            fresh(ImageConfig::new(&request.platform), Tree::default(), Vec::new(), None)
        }
        Base::Stage(parent) => {
            let (steps, cmd_is_own) = (Vec::new(), false);
            StageState { number, name, steps, cmd_is_own, ..earlier[parent].clone() }
        }
        Base::Image(reference, platform) => {
            let image = &shared.facts.bases[&(reference.clone(), platform.clone())];
            let mut config = image.config.clone();
            config.forget_build();
            let history = history::consistent(config.history(), image.layers.len());
            let tree = Tree::of_image(image, reference, shared.facts);
            fresh(config, tree, history, Some((reference.clone(), image.target.clone())))
        }
    }
}

impl StageState {
    pub(crate) fn into_planned(self) -> PlannedStage {
        PlannedStage {
            number: self.number,
            name: self.name,
            base: self.base,
            steps: self.steps,
            layers: self.tree.into_layers(),
            config: self.config,
            history: self.history,
        }
    }
}

impl StagePlanner<'_, '_> {
    /// The triggers that the base left for whoever builds on it (Docker's reference, "ONBUILD").
    fn run_triggers(&mut self, span: &Span) -> Step<()> {
        let triggers = self.state.config.on_build();
        self.state.config.set_on_build(&[]);
        for text in triggers {
            let instruction = recipe::parse_trigger(&text).map_err(|diagnostic| {
                let message = format!(
                    "the base image's trigger `{text}` is not valid: {}",
                    diagnostic.message
                );
                PlanError::base(span.clone(), message)
            })?;
            self.step(&instruction, &text, span)?;
        }
        Ok(())
    }

    fn step(&mut self, instruction: &Instruction, text: &str, span: &Span) -> Step<()> {
        (self.reads, self.trace) = Default::default();
        let becomes = match self.becomes(instruction, text, span) {
            Err(Stop::Needs) => {
                self.state.tree.push_unknown();
                return Ok(());
            }
            Err(Stop::Execution) => Becomes::NeedsExecution(Box::new(Unassembled::Earlier.into())),
            other => other?,
        };
        if let Becomes::NeedsExecution(_) = becomes {
            self.state.tree.execute();
        }
        self.record(text, &becomes);
        let (text, span, trace) = (text.to_owned(), span.clone(), self.trace.take());
        let Reads { list: reads, packages, is_local, .. } = std::mem::take(&mut self.reads);
        let step = PlannedStep { text, span, becomes, reads, packages, is_local, trace };
        self.state.steps.push(step);
        Ok(())
    }

    fn becomes(&mut self, instruction: &Instruction, text: &str, span: &Span) -> Step<Becomes> {
        match instruction {
            Instruction::Copy(copy) => copy::plan_copy(self, copy, text, span),
            Instruction::Add(add) => copy::plan_add(self, add, text, span),
            Instruction::Workdir(path) => self.workdir(path, text),
            Instruction::Debian(packages) => run::plan_debian(self, packages, text, span),
            Instruction::Python(packages) => wheels::plan_python(self, packages, span),
            Instruction::Run(command) => run::plan_run(self, command, text, span),
            other => {
                metadata::apply(self, other)?;
                Ok(Becomes::Metadata)
            }
        }
    }

    /// The history has a line for each layer, and one for an instruction without (image-spec
    /// `config.md`, "history").
    fn record(&mut self, text: &str, becomes: &Becomes) {
        match becomes {
            Becomes::Recalled(_, record) if !record.layers.is_empty() => {
                for layer in &record.layers {
                    self.record_line(&layer.title, false);
                }
            }
            planned if !planned.layers().is_empty() => {
                for layer in planned.layers() {
                    self.record_line(&layer.title, false);
                }
            }
            _ => self.record_line(text, true),
        }
    }

    fn record_line(&mut self, text: &str, empty_layer: bool) {
        self.state.history.push(History {
            created: Some(self.shared.request.created.to_owned()),
            created_by: Some(text.to_owned()),
            author: None,
            comment: Some(COMMENT.to_owned()),
            empty_layer,
        });
    }

    /// `WORKDIR` sets the directory, and makes it where it is missing.
    fn workdir(&mut self, word: &recipe::Word, text: &str) -> Step<Becomes> {
        let path = self.expand(word)?;
        if path.is_empty() {
            return Err(PlanError::recipe(word.span.clone(), "WORKDIR is empty").into());
        }
        let absolute = if path.starts_with('/') {
            oci::ImagePath::lexical(&path)
        } else {
            metadata::working_directory(&self.state.config).join(&path)
        };
        self.state.config.set_working_dir(&format!("/{absolute}"));
        let mut form = Form::new();
        form.text(b"WORKDIR");
        // The history has it as it is written.
        form.text(text.as_bytes());
        form.text(absolute.as_bytes());
        form.text(self.state.config.user().unwrap_or_default().as_bytes());
        self.recalled(form, &word.span, |planner| {
            let entries = copy::make_directory(planner, &absolute, &word.span)?;
            Ok(Becomes::files(planner.lay(entries, text).into_iter().collect()))
        })
    }

    /// Puts a layer of `entries` on the tree, unless there are none.
    pub(crate) fn lay(&mut self, entries: Vec<Entry>, title: &str) -> Option<Arc<LayerSpec>> {
        let spec = self.layer(entries, BTreeMap::new(), title)?;
        Some(self.push(spec))
    }

    /// Puts a layer on the tree.
    pub(crate) fn push(&mut self, spec: LayerSpec) -> Arc<LayerSpec> {
        let spec = Arc::new(spec);
        self.state.tree.push(Arc::clone(&spec));
        spec
    }

    /// A layer of `entries`, of which `streams` are kept as they are; nothing if there are none.
    pub(crate) fn layer(
        &self,
        entries: Vec<Entry>,
        streams: BTreeMap<ImagePath, Stream>,
        title: &str,
    ) -> Option<LayerSpec> {
        if entries.is_empty() {
            return None;
        }
        let key = LayerKey::of(&entries, &streams, self.shared.request.packing);
        let entries = Arc::new(layer::LayerIndex::from_entries(entries));
        let (title, part, packages) = (title.to_owned(), None, Vec::new());
        Some(LayerSpec { key, entries, streams, title, part, packages })
    }

    /// The stage's number in the recipe.
    pub(crate) fn number(&self) -> usize {
        self.state.number
    }

    /// A word's meaning at this line.
    pub(crate) fn expand(&mut self, word: &recipe::Word) -> Step<String> {
        self.state.scope.expand(word, &mut self.shared.warnings)
    }
}
