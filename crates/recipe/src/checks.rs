//! The checks that need the text alone. Those that need a base image, the context or the values of
//! variables are `plan`'s.
//!
//! <https://docs.docker.com/reference/build-checks/>

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use regex::Regex;

use crate::line::Line;
use crate::suggest::did_you_mean;
use crate::{
    CommandLine, Diagnostic, Instruction, Recipe, Rule, Span, Spanned, Stage, Word, expand,
};

/// A keyword as it was written.
pub(crate) struct Keyword {
    pub(crate) written: Spanned<String>,
    /// In a stage, its `FROM` included, and not before the first.
    pub(crate) in_stage: bool,
}

/// After so many findings nobody reads on, and looking for names that were meant takes time.
const MAX_WARNINGS: usize = 1000;

/// Arguments that are there without a declaration, with values for trying a `FROM` line out.
const PREDEFINED: [(&str, &str); 11] = [
    ("BUILDPLATFORM", "linux/amd64"),
    ("BUILDOS", "linux"),
    ("BUILDOSVERSION", ""),
    ("BUILDARCH", "amd64"),
    ("BUILDVARIANT", ""),
    ("TARGETPLATFORM", "linux/amd64"),
    ("TARGETOS", "linux"),
    ("TARGETOSVERSION", ""),
    ("TARGETARCH", "amd64"),
    ("TARGETVARIANT", ""),
    ("TARGETSTAGE", "default"),
];

/// `NoEmptyContinuation`: once an instruction, at the first blank line.
pub(crate) fn empty_continuations(line: &Line, warnings: &mut Vec<Diagnostic>) {
    if let Some(span) = line.blank_lines.first() {
        let message = "a blank line stands inside an instruction";
        let warning = Diagnostic::warning(Rule::NoEmptyContinuation, span.clone(), message);
        warnings.push(warning.with_hint("take it out, or make it a comment"));
    }
}

/// `InvalidDefinitionDescription`, for one instruction that defines `names`.
pub(crate) fn definition_description<'a>(
    keyword: &str,
    names: impl Iterator<Item = &'a str>,
    line: &Line,
    span: Span,
    warnings: &mut Vec<Diagnostic>,
) {
    let names: Vec<&str> = names.collect();
    let (Some(first), Some(comment)) = (names.first(), line.comments.last()) else { return };
    let described = comment.node.split(' ').next().unwrap_or_default();
    if !names.contains(&described) {
        let message = format!("the comment above `{keyword}` does not describe `{first}`");
        let warning = Diagnostic::warning(Rule::InvalidDefinitionDescription, span, message);
        let hint = format!("write `# {first} …`, or put a blank line between them");
        warnings.push(warning.with_hint(hint));
    }
}

/// All checks that look at more than one instruction, or at a finished one.
pub(crate) fn recipe(recipe: &Recipe, keywords: &[Keyword], warnings: &mut Vec<Diagnostic>) {
    keyword_casing(keywords, warnings);
    stage_names(recipe, warnings);
    base_images(recipe, warnings);
    // What a stage passes on to those that start from it, by its name.
    let mut inherited: HashMap<&str, Inherited> = HashMap::new();
    for stage in &recipe.stages {
        let from = inherited.get(stage.base.image.text.to_lowercase().as_str());
        let state = stage_checks(stage, from.copied().unwrap_or_default(), warnings);
        if let Some(name) = &stage.base.name {
            inherited.insert(&name.node, state);
        }
    }
}

/// What the instructions of a stage leave to a stage that starts from it.
#[derive(Clone, Copy, Default)]
struct Inherited {
    has_shell: bool,
    has_workdir: bool,
}

fn keyword_casing(keywords: &[Keyword], warnings: &mut Vec<Diagnostic>) {
    let is_lower = |text: &str| text == text.to_ascii_lowercase();
    let is_upper = |text: &str| text == text.to_ascii_uppercase();
    let keywords = || keywords.iter().filter(|keyword| keyword.in_stage).map(|k| &k.written);
    let lower = keywords().filter(|keyword| is_lower(&keyword.node)).count();
    let upper = keywords().filter(|keyword| is_upper(&keyword.node)).count();
    let (fits, case): (fn(&str) -> bool, _) = if lower > upper {
        (|text| text == text.to_ascii_lowercase(), "lower")
    } else {
        (|text| text == text.to_ascii_uppercase(), "upper")
    };
    for keyword in keywords().filter(|keyword| !fits(&keyword.node)) {
        let message = format!("`{}` is not in {case} case, as most keywords are", keyword.node);
        let rule = Rule::ConsistentInstructionCasing;
        warnings.push(Diagnostic::warning(rule, keyword.span.clone(), message));
    }
}

fn stage_names(recipe: &Recipe, warnings: &mut Vec<Diagnostic>) {
    let mut names = HashSet::new();
    for name in recipe.stages.iter().filter_map(|stage| stage.base.name.as_ref()) {
        if matches!(name.node.as_str(), "scratch" | "context") {
            let message = format!("the stage name `{}` is reserved", name.node);
            warnings.push(Diagnostic::warning(Rule::ReservedStageName, name.span.clone(), message));
        }
        if !names.insert(&name.node) {
            let message = format!("there is another stage called `{}`", name.node);
            let rule = Rule::DuplicateStageName;
            warnings.push(Diagnostic::warning(rule, name.span.clone(), message));
        }
    }
}

/// The checks of `FROM` lines: their variables, and `--platform`.
fn base_images(recipe: &Recipe, warnings: &mut Vec<Diagnostic>) {
    let escape = recipe.directives.escape;
    let mut values: HashMap<&str, String> =
        PREDEFINED.into_iter().map(|(name, value)| (name, value.to_owned())).collect();
    let mut names: Vec<&str> = values.keys().copied().collect();
    for argument in recipe.global_args.iter().map(|argument| &argument.node) {
        names.push(&argument.name);
        let Some(default) = &argument.default else { continue };
        let Ok(value) = expand(&default.text, escape, &|name| values.get(name).cloned()) else {
            // The build says so, too, and that is an error.
            return;
        };
        values.insert(&argument.name, value.text);
    }
    names.sort_unstable();
    for stage in &recipe.stages {
        if warnings.len() >= MAX_WARNINGS {
            return;
        }
        let image = &stage.base.image;
        let Ok(expansion) = expand(&image.text, escape, &|name| values.get(name).cloned()) else {
            continue;
        };
        undefined_arguments(image, &expansion.unset, &names, warnings);
        if image.has_variables() && expansion.text.parse::<oci::Reference>().is_err() {
            let message = if expansion.text.is_empty() {
                format!("without build arguments `{}` is empty", image.text)
            } else {
                format!(
                    "without build arguments `{}` is no image: `{}`",
                    image.text, expansion.text
                )
            };
            let rule = Rule::InvalidDefaultArgInFrom;
            let warning = Diagnostic::warning(rule, image.span.clone(), message);
            warnings.push(warning.with_hint("give the ARG a default with which it is one"));
        }
        if let Some(platform) = &stage.base.platform {
            let lookup = |name: &str| values.get(name).cloned();
            let Ok(expansion) = expand(&platform.text, escape, &lookup) else { continue };
            undefined_arguments(platform, &expansion.unset, &names, warnings);
            platform_flag(stage, platform, &expansion, warnings);
        }
    }
}

fn undefined_arguments(
    word: &Word,
    unset: &[String],
    declared: &[&str],
    warnings: &mut Vec<Diagnostic>,
) {
    for name in unset.iter().filter(|name| !declared.contains(&name.as_str())) {
        let message = format!("`{name}` is not declared before the first `FROM`");
        let rule = Rule::UndefinedArgInFrom;
        let warning = Diagnostic::warning(rule, word.variable(name), message);
        let hint = did_you_mean(name, declared.iter().copied())
            .unwrap_or_else(|| format!("declare it with `ARG {name}` at the top"));
        warnings.push(warning.with_hint(hint));
    }
}

fn platform_flag(
    stage: &Stage,
    word: &Word,
    expansion: &crate::Expansion,
    warnings: &mut Vec<Diagnostic>,
) {
    let span = word.span.clone();
    if expansion.used == ["TARGETPLATFORM"] && expansion.unset.is_empty() {
        if expansion.text == "linux/amd64" {
            let message = format!("`--platform={}` asks for the default", word.text);
            warnings.push(Diagnostic::warning(Rule::RedundantTargetPlatform, span, message));
        }
        return;
    }
    if !expansion.used.is_empty() || !expansion.unset.is_empty() {
        return;
    }
    let Ok(platform) = expansion.text.parse::<oci::Platform>() else { return };
    // A stage that is called for its platform is meant to be for that one.
    let name = stage.base.name.as_ref().map_or("", |name| name.node.as_str());
    if !name.contains(&platform.os) && !name.contains(&platform.architecture) {
        let message = format!("`--platform={}` is a constant", expansion.text);
        let rule = Rule::FromPlatformFlagConstDisallowed;
        let hint = "leave it out, use $BUILDPLATFORM, or name the platform in the stage's name";
        warnings.push(Diagnostic::warning(rule, span, message).with_hint(hint));
    }
}

fn stage_checks(stage: &Stage, from: Inherited, warnings: &mut Vec<Diagnostic>) -> Inherited {
    let mut state = from;
    let mut last: HashMap<&str, Span> = HashMap::new();
    for step in &stage.instructions {
        let name = step.instruction.name();
        let keyword = step.span.start..step.span.start + name.len();
        if matches!(name, "CMD" | "ENTRYPOINT" | "HEALTHCHECK")
            && let Some(before) = last.insert(name, keyword.clone())
        {
            let message = format!("a later `{name}` of this stage makes this one useless");
            let rule = Rule::MultipleInstructionsDisallowed;
            warnings.push(Diagnostic::warning(rule, before, message));
        }
        match &step.instruction {
            Instruction::Shell(_) => state.has_shell = true,
            Instruction::Workdir(path) => {
                if !state.has_workdir {
                    relative_workdir(path, warnings);
                }
                state.has_workdir = true;
            }
            Instruction::Cmd(CommandLine::Shell(text))
            | Instruction::Entrypoint(CommandLine::Shell(text))
                if !state.has_shell =>
            {
                let message = format!("`{name}` in shell form keeps signals from the program");
                let warning = Diagnostic::warning(Rule::JSONArgsRecommended, keyword, message);
                let form = format!("`{name} [\"program\", \"argument\"]`");
                warnings.push(warning.with_hint(if text.starts_with('[') {
                    format!("it looks like exec form, but is not JSON; write {form}")
                } else {
                    format!("write it in exec form: {form}")
                }));
            }
            Instruction::Expose(ports) => ports.iter().for_each(|port| expose(port, warnings)),
            Instruction::Env(pairs) => {
                pairs.iter().for_each(|(name, _)| secret("ENV", &name.text, &name.span, warnings));
            }
            Instruction::Arg(arguments) => {
                for argument in arguments {
                    let end = argument.span.end.min(argument.span.start + argument.name.len());
                    secret("ARG", &argument.name, &(argument.span.start..end), warnings);
                }
            }
            _ => {}
        }
    }
    state
}

/// A path that begins with a variable may be absolute.
fn relative_workdir(path: &Word, warnings: &mut Vec<Diagnostic>) {
    let bare = path.text.trim_start_matches(['"', '\'']);
    if !bare.starts_with(['/', '$']) {
        let message = format!("what `{}` is relative to is up to the base image", path.text);
        let warning = Diagnostic::warning(Rule::WorkdirRelativePath, path.span.clone(), message);
        warnings.push(warning.with_hint("begin it with `/`"));
    }
}

/// A port with a variable in it is not looked at.
fn expose(port: &Word, warnings: &mut Vec<Diagnostic>) {
    if port.has_variables() {
        return;
    }
    if port.text.contains(':') {
        let message = format!("`{}` names an address or a port of the host", port.text);
        let warning = Diagnostic::warning(Rule::ExposeInvalidFormat, port.span.clone(), message);
        warnings
            .push(warning.with_hint("write the container's port alone; hosts' are for running"));
    }
    if let Some((_, protocol)) = port.text.split_once('/')
        && protocol != protocol.to_ascii_lowercase()
    {
        let message = format!("the protocol in `{}` is not in lower case", port.text);
        warnings.push(Diagnostic::warning(Rule::ExposeProtoCasing, port.span.clone(), message));
    }
}

/// Names whose words say that what they hold is secret, and names that say that it is not.
static SECRET: LazyLock<[Regex; 2]> = LazyLock::new(|| {
    let words = |words: &str| format!("(?i)(?:_|^)(?:{words})(?:_|$)");
    let secret = "apikey|auth|credentials?|key|password|pword|passwd|secret|token";
    #[expect(clippy::unwrap_used, reason = "constant expressions, compiled by every test")]
    [words(secret), words("public|file|version")].map(|words| Regex::new(&words).unwrap())
});

/// Whether a variable of this name probably holds a secret.
pub fn looks_secret(name: &str) -> bool {
    let [secret, harmless] = &*SECRET;
    secret.is_match(name) && !harmless.is_match(name)
}

fn secret(keyword: &str, name: &str, span: &Span, warnings: &mut Vec<Diagnostic>) {
    if looks_secret(name) {
        let message = format!("`{keyword} {name}` looks like a secret, and stays in the image");
        let warning = Diagnostic::warning(Rule::SecretsUsedInArgOrEnv, span.clone(), message);
        warnings.push(warning.with_hint("pass it with `RUN --mount=type=secret`"));
    }
}
