//! The recipe's instructions, as they are recorded: what each says, sees, sets and takes.

use std::collections::BTreeSet;

use difference::{Stage, StageBase, Step};
use oci::Digest;
use plan::{Becomes, Plan, PlannedStage};
use recipe::{Instruction, MountKind, Recipe, Spanned};

/// An argument before the first stage.
pub(super) fn global(argument: &Spanned<recipe::Argument>, text: &str) -> Step {
    let written = text.get(argument.span.clone()).unwrap_or(&argument.node.name);
    let default = argument.node.default.as_ref();
    let line = match default {
        Some(default) => format!("ARG {}={}", argument.node.name, default.text),
        None => format!("ARG {written}"),
    };
    let uses = default.map(|default| variables(&default.text)).unwrap_or_default();
    let defines = vec![argument.node.name.clone()];
    Step { uses: uses.into_iter().collect(), defines, ..Step::of(&line) }
}

/// All stages of the recipe, those that were planned with what became of their instructions.
pub(super) fn stages(recipe: &Recipe, plan: &Plan, given: &BTreeSet<String>) -> Vec<Stage> {
    let mut stages: Vec<Stage> = Vec::new();
    for (number, stage) in recipe.stages.iter().enumerate() {
        let planned = plan.stages.iter().find(|planned| planned.number == number);
        let from = stage.base.image.text.clone();
        // What the stage before knows, a stage on it knows, too.
        let parent = Some(from.to_lowercase());
        let parent = stages.iter().find(|earlier| earlier.name == parent);
        let inherited = parent.map(|parent| declared(&parent.steps)).unwrap_or_default();
        let name = stage.base.name.as_ref().map(|name| name.node.clone());
        let mut uses: Vec<String> = variables(&from).into_iter().collect();
        uses.extend(stage.base.platform.iter().flat_map(|word| variables(&word.text)));
        let base = planned.and_then(|planned| planned.base.as_ref());
        let base = base.map(|(reference, target)| StageBase {
            reference: reference.to_string(),
            digest: target.digest,
        });
        let mut known = inherited;
        known.extend(given.iter().filter(|name| name.to_uppercase().ends_with("_PROXY")).cloned());
        let steps = steps(stage, planned, known);
        stages.push(Stage { name, from, uses, base, steps });
    }
    stages
}

/// The names that these instructions set.
fn declared(steps: &[Step]) -> BTreeSet<String> {
    steps.iter().flat_map(|step| step.defines.iter().cloned()).collect()
}

fn steps(
    stage: &recipe::Stage,
    planned: Option<&PlannedStage>,
    mut known: BTreeSet<String>,
) -> Vec<Step> {
    let Some(planned) = planned else {
        let own = stage.instructions.iter();
        return own.map(|it| step(&it.text, Some(&it.instruction), &mut known)).collect();
    };
    let steps = planned.steps.iter().map(|it| {
        // What the base left to be done has no place of its own.
        let own = stage.instructions.iter().find(|own| own.span == it.span);
        let mut step = step(&it.text, own.map(|own| &own.instruction), &mut known);
        step.layers = keys_of(&it.becomes);
        step
    });
    steps.collect()
}

fn step(text: &str, instruction: Option<&Instruction>, known: &mut BTreeSet<String>) -> Step {
    let mut step = Step::of(text);
    let mut documents = String::new();
    let mut uses = variables(text);
    match instruction {
        Some(Instruction::Run(run)) => {
            run.heredocs.iter().for_each(|it| documents.push_str(&it.content));
            run.mounts.iter().for_each(|mount| note_mount(mount, &mut step));
            // A command has all of them in its environment.
            uses.extend(known.iter().cloned());
        }
        Some(Instruction::Copy(copy)) => documents = note_copy(copy, &mut step),
        Some(Instruction::Add(add)) => documents = note_copy(&add.copy, &mut step),
        Some(Instruction::Arg(arguments)) => {
            step.defines.extend(arguments.iter().map(|argument| argument.name.clone()));
            // Without a default, it has that of the one before the first stage.
            uses.extend(step.defines.iter().cloned());
            known.extend(step.defines.iter().cloned());
        }
        Some(Instruction::Env(pairs)) => {
            step.defines.extend(pairs.iter().map(|(name, _)| plain(&name.text)));
            known.extend(step.defines.iter().cloned());
        }
        Some(Instruction::Label(pairs)) => {
            step.defines.extend(pairs.iter().map(|(name, _)| plain(&name.text)));
        }
        // Projects, requirements and packages are files of the context.
        Some(Instruction::Python(_) | Instruction::Debian(_)) => step.takes.push(".".to_owned()),
        // What a base left to be done is known by its text.
        None => {
            step.takes.push(".".to_owned());
            uses.extend(known.iter().cloned());
        }
        _ => {}
    }
    uses.extend(variables(&documents));
    step.documents = (!documents.is_empty()).then(|| Digest::of(documents.as_bytes()));
    step.uses = uses.into_iter().collect();
    step
}

fn note_mount(mount: &recipe::Mount, step: &mut Step) {
    match (mount.kind, mount.option("from")) {
        (MountKind::Secret | MountKind::Ssh, _) => step.is_open = true,
        (MountKind::Bind | MountKind::Cache, Some(from)) => step.from.push(from.to_owned()),
        (MountKind::Bind, None) => {
            let source = mount.option("source").or_else(|| mount.option("src"));
            step.takes.push(source.unwrap_or(".").to_owned());
        }
        _ => {}
    }
}

/// Notes what is copied, and returns the text of here-documents.
fn note_copy(copy: &recipe::Copy, step: &mut Step) -> String {
    let mut documents = String::new();
    for source in &copy.sources {
        match source {
            recipe::Source::Heredoc(heredoc) => documents.push_str(&heredoc.content),
            recipe::Source::Path(word) if copy.from.is_none() => step.takes.push(word.text.clone()),
            recipe::Source::Path(_) => {}
        }
    }
    step.from.extend(copy.from.iter().map(|word| word.text.clone()));
    documents
}

/// A name without its quotes.
fn plain(text: &str) -> String {
    text.trim_matches(['"', '\'']).to_owned()
}

/// The names behind dollar signs. Some that are none do no harm: nothing of that name moves.
fn variables(text: &str) -> BTreeSet<String> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let behind = text.split('$').skip(1).map(|rest| rest.strip_prefix('{').unwrap_or(rest));
    let names = behind.map(|rest| &rest[..rest.find(|c| !is_name(c)).unwrap_or(rest.len())]);
    names.filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// The keys of the layers that an instruction became.
fn keys_of(becomes: &Becomes) -> Vec<Digest> {
    match becomes {
        Becomes::Recalled(_, record) => record.layers.iter().map(|layer| layer.key.0).collect(),
        becomes => becomes.layers().iter().map(|spec| spec.key.0).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_of_a_text() {
        let check = |text: &str, expected: &[&str]| {
            assert_eq!(variables(text).iter().collect::<Vec<_>>(), expected, "{text}");
        };
        check("COPY a-$B ${C:-d}/$E$F /x", &["B", "C", "E", "F"]);
        check("RUN echo $$ $1 ${}", &["1"]);
        check("LABEL a=b", &[]);
    }
}
