//! Which stages the target needs, and the planning of each in order.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use oci::{Digest, Platform, Reference};
use recipe::{Diagnostic, Instruction, Recipe, Severity, Stage};

use crate::error::{PlanError, Step, Stop};
use crate::facts::{Facts, Needs};
use crate::outcome::{Plan, PlannedLayer, PlannedStage, Source};
use crate::scope::Scope;
use crate::stage::{self, StageState};
use crate::{Need, Request};

/// Where a stage begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Base {
    /// Nothing at all.
    Scratch,
    /// An earlier stage, by number.
    Stage(usize),
    /// An image.
    Image(Reference, Platform),
}

/// What all stages share while a recipe is planned.
pub(crate) struct Shared<'a> {
    pub(crate) request: &'a Request<'a>,
    pub(crate) facts: &'a Facts,
    pub(crate) global: Scope,
    pub(crate) names: BTreeMap<String, usize>,
    pub(crate) warnings: Vec<Diagnostic>,
    pub(crate) sources: HashMap<Digest, Source>,
}

pub(crate) fn plan_stages(request: &Request<'_>, facts: &Facts, needs: &mut Needs) -> Step<Plan> {
    let recipe = request.recipe;
    let target = target_stage(recipe, request.target)?;
    let mut shared = shared(request, facts, target)?;
    let bases = bases(&mut shared, target)?;
    let needed = needed_stages(&shared, &bases, target);
    if need_bases(&shared, &bases, &needed, needs) {
        return Err(Stop::Needs);
    }
    let mut states: BTreeMap<usize, StageState> = BTreeMap::new();
    for number in needed {
        let state = stage::plan_stage(&mut shared, number, &bases[number], &states, needs)?;
        states.insert(number, state);
    }
    if !needs.is_empty() {
        return Err(Stop::Needs);
    }
    let mut stages: Vec<_> = states.into_values().map(StageState::into_planned).collect();
    if need_packed(&stages, needs) {
        return Err(Stop::Needs);
    }
    if let Some(last) = stages.last_mut() {
        for (key, value) in request.labels {
            last.config.set_label(key, value);
        }
    }
    warn_of_unused_arguments(&mut shared);
    let (warnings, sources) = (shared.warnings, shared.sources);
    Ok(Plan { platform: request.platform.clone(), stages, sources, warnings })
}

/// Asks for the evaluation of steps of the target whose layers are on record and nowhere else.
fn need_packed(stages: &[PlannedStage], needs: &mut Needs) -> bool {
    let layers = stages.last().into_iter().flat_map(|target| &target.layers);
    for layer in layers {
        if let PlannedLayer::Recalled(layer, step) = layer
            && layer.packed.is_none()
        {
            needs.add(Need::Evaluation(*step));
        }
    }
    !needs.is_empty()
}

/// The stage that `target` names, or the last.
fn target_stage(recipe: &Recipe, target: Option<&str>) -> Step<usize> {
    let last = recipe.stages.len().saturating_sub(1);
    if recipe.stages.is_empty() {
        return Err(PlanError::recipe(0..0, "the recipe has no stage").into());
    }
    let Some(target) = target else { return Ok(last) };
    let wanted = target.to_ascii_lowercase();
    let named = |stage: &Stage| stage.base.name.as_ref().is_some_and(|name| name.node == wanted);
    if let Some(number) = recipe.stages.iter().position(named) {
        return Ok(number);
    }
    if let Some(number) = target.parse::<usize>().ok().filter(|number| *number <= last) {
        return Ok(number);
    }
    let known: Vec<&str> = recipe
        .stages
        .iter()
        .filter_map(|s| s.base.name.as_ref().map(|n| n.node.as_str()))
        .collect();
    let place = recipe.stages[last].span.clone();
    let error = PlanError::recipe(place, format!("there is no stage `{target}` to build"));
    Err(match recipe::closest(target, known.iter().copied()) {
        Some(name) => error.with_hint(format!("did you mean `{name}`?")),
        None if known.is_empty() => error.with_hint("no stage has a name; give one with `AS name`"),
        None => error.with_hint(format!("the stages are {}", known.join(", "))),
    }
    .into())
}

fn shared<'a>(request: &'a Request<'a>, facts: &'a Facts, target: usize) -> Step<Shared<'a>> {
    let recipe = request.recipe;
    // `TARGETSTAGE` as BuildKit has it.
    let target_name = recipe.stages[target].base.name.as_ref().map(|name| name.node.as_str());
    let target_name = request.target.or(target_name).unwrap_or("default");
    let mut global = Scope::global(recipe.directives.escape, request, target_name);
    let mut warnings = Vec::new();
    for argument in &recipe.global_args {
        global.declare(&argument.node, request.build_args, None, &mut warnings)?;
    }
    let names = recipe.stages.iter().enumerate().filter_map(|(number, stage)| {
        stage.base.name.as_ref().map(|name| (name.node.clone(), number))
    });
    // A named context takes the place of a stage, as that of an image.
    let is_context =
        |name: &str| facts.file_contexts.contains(name) || facts.image_contexts.contains_key(name);
    let names = names.filter(|(name, _)| !is_context(name)).collect();
    Ok(Shared { request, facts, global, names, warnings, sources: HashMap::new() })
}

/// What each stage up to the target begins with.
fn bases(shared: &mut Shared<'_>, target: usize) -> Step<Vec<Base>> {
    let recipe = shared.request.recipe;
    let mut earlier: BTreeMap<&str, usize> = BTreeMap::new();
    let mut bases = Vec::new();
    for (number, stage) in recipe.stages.iter().enumerate().take(target + 1) {
        bases.push(base(shared, stage, &earlier)?);
        if let Some(name) = &stage.base.name
            && shared.names.contains_key(&name.node)
        {
            earlier.insert(&name.node, number);
        }
    }
    Ok(bases)
}

fn base(shared: &mut Shared<'_>, stage: &Stage, earlier: &BTreeMap<&str, usize>) -> Step<Base> {
    // `UndefinedArgInFrom` speaks for undefined variables here.
    let mut unused = Vec::new();
    let image = shared.global.expand(&stage.base.image, &mut unused)?;
    let span = &stage.base.image.span;
    if image.is_empty() {
        return Err(PlanError::recipe(span.clone(), "the base image's name is empty")
            .with_hint("give the variable a default: `ARG NAME=value` before the first FROM")
            .into());
    }
    let platform = stage_platform(shared, stage)?;
    if let Some(number) = earlier.get(image.to_ascii_lowercase().as_str()) {
        return Ok(Base::Stage(*number));
    }
    if image == "scratch" {
        return Ok(Base::Scratch);
    }
    if let Some(reference) = shared.facts.image_context(&image) {
        return Ok(Base::Image(reference.clone(), platform));
    }
    if shared.facts.file_contexts.contains(&image) {
        let message = format!("the build context `{image}` is no image, and cannot be a base");
        return Err(PlanError::recipe(span.clone(), message)
            .with_hint("start from scratch and COPY --from it")
            .into());
    }
    match image.parse::<Reference>() {
        Ok(reference) => Ok(Base::Image(reference.or_latest(), platform)),
        Err(error) => {
            let refused = PlanError::recipe(span.clone(), error.to_string());
            Err(match error.hint() {
                Some(hint) => refused.with_hint(hint),
                None => refused,
            }
            .into())
        }
    }
}

fn stage_platform(shared: &mut Shared<'_>, stage: &Stage) -> Step<Platform> {
    let Some(word) = &stage.base.platform else { return Ok(shared.request.platform.clone()) };
    let text = shared.global.expand(word, &mut Vec::new())?;
    match text.parse() {
        Ok(platform) => Ok(platform),
        Err(error) => {
            Err(PlanError::recipe(word.span.clone(), oci::PlatformError::to_string(&error)).into())
        }
    }
}

/// The target and everything that it is built on or copies from, in the recipe's order.
fn needed_stages(shared: &Shared<'_>, bases: &[Base], target: usize) -> BTreeSet<usize> {
    let recipe = shared.request.recipe;
    let mut needed = BTreeSet::new();
    let mut open = vec![target];
    while let Some(number) = open.pop() {
        if !needed.insert(number) {
            continue;
        }
        if let Base::Stage(parent) = bases[number] {
            open.push(parent);
        }
        let own = recipe.stages[number].instructions.iter().map(|step| &step.instruction);
        let triggers = triggers(shared, bases, number);
        for instruction in own.chain(&triggers) {
            open.extend(used_stages(instruction, &shared.names, number));
        }
    }
    needed
}

/// The instructions that a stage's base left for it, as far as the base is known. One that is not
/// valid is an error when the stage is planned.
fn triggers(shared: &Shared<'_>, bases: &[Base], number: usize) -> Vec<Instruction> {
    let parse = |text: &str| recipe::parse_trigger(text).ok();
    match &bases[number] {
        Base::Scratch => Vec::new(),
        Base::Stage(parent) => {
            let steps = &shared.request.recipe.stages[*parent].instructions;
            let triggers = steps.iter().filter_map(|step| match &step.instruction {
                Instruction::OnBuild(trigger) => parse(&trigger.node),
                _ => None,
            });
            triggers.collect()
        }
        Base::Image(reference, platform) => {
            let image = shared.facts.bases.get(&(reference.clone(), platform.clone()));
            let texts = image.map(|image| image.config.on_build()).unwrap_or_default();
            texts.iter().filter_map(|text| parse(text)).collect()
        }
    }
}

/// The stages that a `COPY --from` or a `RUN --mount=from=…` names.
fn used_stages(
    instruction: &Instruction,
    names: &BTreeMap<String, usize>,
    current: usize,
) -> Vec<usize> {
    let texts: Vec<&str> = match instruction {
        Instruction::Copy(copy) => copy.from.iter().map(|word| word.text.as_str()).collect(),
        Instruction::Run(run) => {
            run.mounts.iter().filter_map(|mount| mount.option("from")).collect()
        }
        _ => Vec::new(),
    };
    texts.into_iter().filter_map(|text| stage_named(text, names, current)).collect()
}

/// A stage before `current`, by name or by number.
pub(crate) fn stage_named(
    text: &str,
    names: &BTreeMap<String, usize>,
    current: usize,
) -> Option<usize> {
    let named = names.get(&text.to_ascii_lowercase()).copied();
    named.or_else(|| text.parse().ok()).filter(|number| *number < current)
}

/// The stage before `current` whose name is close to the name of an image.
pub(crate) fn stage_meant(
    image: &str,
    names: &BTreeMap<String, usize>,
    current: usize,
) -> Option<String> {
    let earlier = names.iter().filter(|(_, number)| **number < current);
    recipe::closest(image, earlier.map(|(name, _)| name.as_str())).map(str::to_owned)
}

/// Asks for all missing bases at once, so that they are fetched side by side.
fn need_bases(
    shared: &Shared<'_>,
    bases: &[Base],
    needed: &BTreeSet<usize>,
    needs: &mut Needs,
) -> bool {
    for number in needed {
        if let Base::Image(reference, platform) = &bases[*number] {
            let key = (reference.clone(), platform.clone());
            if !shared.facts.bases.contains_key(&key) {
                let image = &shared.request.recipe.stages[*number].base.image;
                let written = reference.familiar();
                let name = written.strip_suffix(":latest").unwrap_or(&written);
                let stage = stage_meant(name, &shared.names, *number);
                let (reference, platform) = key;
                needs.add(Need::Base { reference, platform, stage, span: image.span.clone() });
            }
        }
    }
    !needs.is_empty()
}

/// Docker says so at the end of a build; here it is a warning at no particular place.
fn warn_of_unused_arguments(shared: &mut Shared<'_>) {
    let recipe = shared.request.recipe;
    let in_stages = recipe.stages.iter().flat_map(|stage| &stage.instructions);
    let declared: BTreeSet<&str> = in_stages
        .filter_map(|step| match &step.instruction {
            Instruction::Arg(arguments) => Some(arguments),
            _ => None,
        })
        .flatten()
        .chain(recipe.global_args.iter().map(|argument| &argument.node))
        .map(|argument| argument.name.as_str())
        .collect();
    for name in shared.request.build_args.keys() {
        if crate::scope::is_predefined(name) || declared.contains(name.as_str()) {
            continue;
        }
        let known = recipe::closest(name, declared.iter().copied());
        shared.warnings.push(Diagnostic {
            severity: Severity::Warning,
            rule: None,
            message: format!("build argument `{name}` is given and no `ARG` takes it"),
            span: 0..0,
            hint: known.map(|known| format!("did you mean `{known}`?")),
        });
    }
}
