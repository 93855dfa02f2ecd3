//! The planner on a small world: a context, base images, URLs and archives, each a few lines.
//!
//! [`World::plan`] plans as `plywood build` does: it answers what the planner asks until there is
//! a plan, and says what that came to.

mod add;
mod config;
mod copy;
mod facts;
mod gatherer;
mod keys;
mod large_files;
mod lines;
mod links;
mod packages;
mod plywood_toml;
mod python_files;
mod python_layers;
mod python_replaced;
mod recall;
mod run_environments;
mod run_pip;
mod show;
mod stages;
mod variables;
mod workdir;

use std::collections::BTreeMap;

use layer::Packing;
use oci::Platform;

use self::gatherer::Gatherer;
use self::show::{keys, show_diagnostic, show_need};
use crate::{Need, Outcome, Request};

/// The time of what is new in a layer.
const TIMESTAMP: i64 = 1000;
/// No recipe of the tests takes more rounds.
const MAX_ROUNDS: usize = 16;

/// What there is to build from.
///
/// Files are lines: `path=content`, `path/`, `path -> target`, `path == other` for a hard link,
/// `path !` for a whiteout; before it a mode, behind it `@uid:gid`.
#[derive(Default)]
pub(crate) struct World {
    context: Vec<&'static str>,
    contexts: Vec<(&'static str, &'static [&'static str])>,
    bases: Vec<Base>,
    downloads: BTreeMap<&'static str, &'static str>,
    archives: BTreeMap<&'static str, &'static [&'static str]>,
    ignore: Option<&'static str>,
    build_args: BTreeMap<String, String>,
    target: Option<&'static str>,
    packing: Packing,
    timestamp: Option<i64>,
    packages: Vec<packages::Wheel>,
    then: Option<&'static str>,
    today: Option<&'static str>,
    environment: BTreeMap<String, String>,
    records: Option<recall::Records>,
}

struct Base {
    name: &'static str,
    layers: Vec<&'static [&'static str]>,
    config: &'static str,
}

/// What planning came to.
#[derive(Default)]
pub(crate) struct Report {
    /// The last stage's instructions, those that change the config alone left out.
    pub(crate) files: String,
    /// The config's `config`.
    pub(crate) config: String,
    /// The error, or the warnings.
    pub(crate) messages: String,
    /// What was asked for, a line a round.
    pub(crate) asked: String,
    /// The keys of the last stage's layers.
    pub(crate) keys: Vec<String>,
    /// The titles of the layers and instructions, as the history has them.
    pub(crate) history: String,
    /// The questions to the resolver.
    pub(crate) questions: String,
    /// What command lines said.
    pub(crate) said: String,
    /// The target's instructions with layers that were planned, and are on no record.
    pub(crate) planned: Vec<String>,
    /// How many files of each layer stay as they are compressed.
    pub(crate) streams: Vec<usize>,
}

/// A world with this context and nothing else.
pub(crate) fn context(lines: &[&'static str]) -> World {
    World { context: lines.to_vec(), ..World::default() }
}

impl World {
    pub(crate) fn base(self, layers: &[&'static [&'static str]]) -> Self {
        self.image("base", layers, "{}")
    }

    pub(crate) fn image(
        mut self,
        name: &'static str,
        layers: &[&'static [&'static str]],
        config: &'static str,
    ) -> Self {
        self.bases.push(Base { name, layers: layers.to_vec(), config });
        self
    }

    pub(crate) fn named(mut self, name: &'static str, lines: &'static [&'static str]) -> Self {
        self.contexts.push((name, lines));
        self
    }

    pub(crate) fn url(mut self, url: &'static str, text: &'static str) -> Self {
        self.downloads.insert(url, text);
        self
    }

    /// Files with this content are archives.
    pub(crate) fn archive(mut self, text: &'static str, members: &'static [&'static str]) -> Self {
        self.archives.insert(text, members);
        self
    }

    pub(crate) fn ignore(mut self, text: &'static str) -> Self {
        self.ignore = Some(text);
        self
    }

    pub(crate) fn arg(mut self, name: &str, value: &str) -> Self {
        self.build_args.insert(name.to_owned(), value.to_owned());
        self
    }

    pub(crate) fn target(mut self, target: &'static str) -> Self {
        self.target = Some(target);
        self
    }

    pub(crate) fn packing(mut self, packing: Packing) -> Self {
        self.packing = packing;
        self
    }

    pub(crate) fn timestamp(mut self, timestamp: i64) -> Self {
        self.timestamp = Some(timestamp);
        self
    }

    pub(crate) fn today(mut self, day: &'static str) -> Self {
        self.today = Some(day);
        self
    }

    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Steps are put on record there, and taken from there.
    pub(crate) fn records(mut self, records: &recall::Records) -> Self {
        self.records = Some(records.clone());
        self
    }

    /// The packages of another `plywood.toml` are installed at the end of the first stage.
    pub(crate) fn then(mut self, toml: &'static str) -> Self {
        self.then = Some(toml);
        self
    }

    /// Plans and reports.
    pub(crate) fn plan(&self, dockerfile: &str) -> Report {
        let argument = |name: &str| self.build_args.get(name.strip_prefix("arg.")?).cloned();
        let parsed = match recipe::recipe_format("", dockerfile) {
            recipe::Format::Dockerfile => recipe::parse_dockerfile(dockerfile),
            recipe::Format::PlywoodToml => recipe::parse_plywood_toml(dockerfile, &argument),
        };
        let mut parsed = parsed.expect("the recipe is right");
        let dockerfile = &self.append(&mut parsed.recipe, dockerfile);
        let labels = BTreeMap::new();
        let request = Request {
            recipe: &parsed.recipe,
            name: "recipe",
            text: dockerfile,
            target: self.target,
            platform: Platform::linux("arm64"),
            build_platform: Platform::linux("amd64"),
            build_args: &self.build_args,
            labels: &labels,
            timestamp: self.timestamp.unwrap_or(TIMESTAMP),
            created: "1970-01-01T00:16:40Z",
            packing: self.packing,
        };
        let mut gatherer = Gatherer::new(self);
        let (mut asked, mut questions) = (String::new(), String::new());
        for _ in 0..MAX_ROUNDS {
            match crate::plan(&request, &gatherer.facts) {
                Ok(Outcome::Ready(plan)) => {
                    let again = crate::plan(&request, &gatherer.facts);
                    assert!(
                        matches!(again, Ok(Outcome::Ready(again)) if keys(&again) == keys(&plan)),
                        "a plan is a pure function of its facts"
                    );
                    if let Some(records) = &self.records {
                        records.remember(&plan);
                    }
                    let report = gatherer.report(dockerfile, &plan);
                    return Report { asked, questions, ..report };
                }
                Ok(Outcome::Needs(needs)) => {
                    let shown: Vec<String> = needs.iter().map(show_need).collect();
                    asked.push_str(&shown.join(", "));
                    asked.push('\n');
                    for need in &needs {
                        if let Need::Resolution { request, .. } = need {
                            questions.push_str(&packages::show_question(request));
                        }
                    }
                    needs.into_iter().for_each(|need| gatherer.satisfy(need));
                }
                Err(error) => {
                    let messages = show_diagnostic(dockerfile, &error.diagnostic);
                    return Report { messages, asked, questions, ..Report::default() };
                }
            }
        }
        panic!("the planner still asks after {MAX_ROUNDS} rounds:\n{asked}");
    }

    /// Adds the instruction of [`World::then`], and the text that it is of.
    fn append(&self, recipe: &mut recipe::Recipe, text: &str) -> String {
        let Some(more) = self.then else { return text.to_owned() };
        let blank = "\n".repeat(text.len());
        let parsed = recipe::parse_plywood_toml(&format!("{blank}{more}"), &|_| None);
        let steps = parsed.unwrap().recipe.stages.pop().unwrap().instructions;
        let is_python =
            |step: &recipe::Step| matches!(step.instruction, recipe::Instruction::Python(_));
        let stage = recipe.stages.first_mut().unwrap();
        stage.instructions.extend(steps.into_iter().filter(is_python));
        format!("{text}{more}")
    }

    /// The files of the plan's last stage.
    pub(crate) fn files(&self, dockerfile: &str) -> String {
        let report = self.plan(dockerfile);
        format!("{}{}", report.files, report.messages)
    }
}
