//! Variables: what `$NAME` means at a line.
//!
//! Docker's reference, "Environment replacement" and "Scope": an `ENV` wins over an `ARG` of the
//! same name; an `ARG` is known from its line on; global `ARG`s are known to `FROM` lines, and in a
//! stage only once the stage repeats them.

use std::collections::{BTreeMap, BTreeSet};

use oci::Platform;
use recipe::{Argument, Diagnostic, Rule, Word};

use crate::error::{PlanError, PlanErrorKind, Step};

/// Arguments that need no `ARG` when they are given on the command line (Docker's reference,
/// "Predefined ARGs").
const PREDEFINED: [&str; 10] = [
    "HTTP_PROXY",
    "http_proxy",
    "HTTPS_PROXY",
    "https_proxy",
    "FTP_PROXY",
    "ftp_proxy",
    "NO_PROXY",
    "no_proxy",
    "ALL_PROXY",
    "all_proxy",
];

/// The variables that are known at a line.
#[derive(Debug, Clone)]
pub(crate) struct Scope {
    escape: char,
    arguments: BTreeMap<String, Option<String>>,
    environment: BTreeMap<String, String>,
}

/// The platform arguments of the global scope (Docker's reference, "Automatic platform ARGs in the
/// global scope").
fn platform_arguments(target: &Platform, build: &Platform, stage: &str) -> Vec<(String, String)> {
    let mut arguments = vec![("TARGETSTAGE".to_owned(), stage.to_owned())];
    for (prefix, platform) in [("TARGET", target), ("BUILD", build)] {
        let variant = platform.variant.clone().unwrap_or_default();
        for (suffix, value) in [
            ("PLATFORM", platform.to_string()),
            ("OS", platform.os.clone()),
            ("OSVERSION", platform.os_version.clone().unwrap_or_default()),
            ("ARCH", platform.architecture.clone()),
            ("VARIANT", variant),
        ] {
            arguments.push((format!("{prefix}{suffix}"), value));
        }
    }
    arguments
}

/// Whether `name` is one of the automatic platform arguments.
pub(crate) fn is_platform(name: &str) -> bool {
    let any = Platform::linux("amd64");
    platform_arguments(&any, &any, "").iter().any(|(known, _)| known == name)
}

impl Scope {
    /// The scope of `FROM` lines, before any global `ARG`.
    pub(crate) fn global(escape: char, target: &Platform, build: &Platform, stage: &str) -> Self {
        let platform = platform_arguments(target, build, stage).into_iter();
        let arguments = platform.map(|(name, value)| (name, Some(value))).collect();
        Scope { escape, arguments, environment: BTreeMap::new() }
    }

    /// The scope at the top of a stage: its base's environment, and the proxy arguments given.
    pub(crate) fn stage(
        escape: char,
        environment: Vec<(String, String)>,
        build_args: &BTreeMap<String, String>,
    ) -> Self {
        let given = |name: &&str| build_args.get(*name).cloned();
        let arguments = PREDEFINED
            .iter()
            .filter_map(|name| given(name).map(|value| ((*name).to_owned(), Some(value))))
            .collect();
        Scope { escape, arguments, environment: environment.into_iter().collect() }
    }

    /// Makes an `ARG` known: the value given, else its default, else the global one.
    pub(crate) fn declare(
        &mut self,
        argument: &Argument,
        build_args: &BTreeMap<String, String>,
        global: Option<&Scope>,
        warnings: &mut Vec<Diagnostic>,
    ) -> Step<()> {
        let value = if let Some(given) = build_args.get(&argument.name) {
            Some(given.clone())
        } else if let Some(default) = &argument.default {
            Some(self.expand(default, warnings)?)
        } else {
            let inherited = global.and_then(|global| global.arguments.get(&argument.name).cloned());
            inherited.or_else(|| self.arguments.get(&argument.name).cloned()).flatten()
        };
        self.arguments.insert(argument.name.clone(), value);
        Ok(())
    }

    /// Sets an environment variable.
    pub(crate) fn set_env(&mut self, name: &str, value: &str) {
        self.environment.insert(name.to_owned(), value.to_owned());
    }

    /// What a variable's value is, if it has one.
    pub(crate) fn value(&self, name: &str) -> Option<String> {
        let argument = || self.arguments.get(name).cloned().flatten();
        self.environment.get(name).cloned().or_else(argument)
    }

    /// A word with its variables expanded and its quotes taken off.
    pub(crate) fn expand(&self, word: &Word, warnings: &mut Vec<Diagnostic>) -> Step<String> {
        let expansion = recipe::expand(&word.text, self.escape, &|name| self.value(name))
            .map_err(|error| self.refused(word, &error))?;
        self.warn_of_unset(&expansion.unset, word, warnings);
        Ok(expansion.text)
    }

    /// A word that may become several.
    pub(crate) fn expand_words(
        &self,
        word: &Word,
        warnings: &mut Vec<Diagnostic>,
    ) -> Step<Vec<String>> {
        let expansion = recipe::expand_words(&word.text, self.escape, &|name| self.value(name))
            .map_err(|error| self.refused(word, &error))?;
        self.warn_of_unset(&expansion.unset, word, warnings);
        Ok(expansion.words)
    }

    /// The text of a here-document, expanded.
    pub(crate) fn expand_heredoc(&self, heredoc: &recipe::Heredoc) -> Step<String> {
        if !heredoc.expand {
            return Ok(heredoc.content.clone());
        }
        let lookup = |name: &str| self.value(name);
        match recipe::expand_heredoc(&heredoc.content, &lookup) {
            Ok(expansion) => Ok(expansion.text),
            Err(error) => Err(PlanError::recipe(heredoc.span.clone(), error.to_string()).into()),
        }
    }

    fn refused(&self, word: &Word, error: &recipe::ExpandError) -> PlanError {
        PlanError { diagnostic: error.diagnostic(word), kind: PlanErrorKind::Recipe }
    }

    /// `UndefinedVar`, with the name that may have been meant.
    fn warn_of_unset(&self, unset: &[String], word: &Word, warnings: &mut Vec<Diagnostic>) {
        for name in unset {
            // Declared without a value, or used with a default: the author knows of it.
            let has_default = [":-", "-", ":+", "+"]
                .iter()
                .any(|op| word.text.contains(&format!("${{{name}{op}")));
            if self.arguments.contains_key(name) || has_default {
                continue;
            }
            let message = format!("variable `${name}` is used and never defined");
            let mut warning = Diagnostic::warning(Rule::UndefinedVar, word.span.clone(), message);
            if let Some(known) = self.closest(name) {
                warning = warning.with_hint(format!("did you mean `${known}`?"));
            }
            warnings.push(warning);
        }
    }

    fn closest(&self, name: &str) -> Option<String> {
        let known: BTreeSet<&String> =
            self.arguments.keys().chain(self.environment.keys()).collect();
        let scored = known.into_iter().map(|known| (strsim::osa_distance(known, name), known));
        let (distance, known) = scored.min()?;
        (distance <= 2 && distance < name.len()).then(|| known.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(text: &str) -> Word {
        Word { text: text.to_owned(), span: 0..text.len() }
    }

    fn argument(name: &str, default: Option<&str>) -> Argument {
        Argument { name: name.to_owned(), default: default.map(word), span: 0..1 }
    }

    fn value(scope: &Scope, text: &str) -> (String, Vec<Diagnostic>) {
        let mut warnings = Vec::new();
        (scope.expand(&word(text), &mut warnings).unwrap(), warnings)
    }

    #[test]
    fn env_wins_over_arg_and_given_over_default() {
        let amd64 = Platform::linux("amd64");
        let mut global = Scope::global('\\', &amd64, &amd64, "final");
        let given = BTreeMap::from([("A".to_owned(), "given".to_owned())]);
        global.declare(&argument("G", Some("global")), &given, None, &mut vec![]).unwrap();
        let mut scope = Scope::stage('\\', vec![("E".into(), "env".into())], &given);
        assert_eq!(value(&scope, "$A$G").0, "", "not before an ARG says so");
        scope.declare(&argument("A", Some("default")), &given, Some(&global), &mut vec![]).unwrap();
        scope.declare(&argument("G", None), &given, Some(&global), &mut vec![]).unwrap();
        scope.declare(&argument("E", Some("arg")), &given, Some(&global), &mut vec![]).unwrap();
        scope.declare(&argument("TARGETARCH", None), &given, Some(&global), &mut vec![]).unwrap();
        assert_eq!(value(&scope, "$A-$G-$E-$TARGETARCH").0, "given-global-env-amd64");
    }

    #[test]
    fn an_undefined_variable_is_a_warning_with_a_guess() {
        let scope = Scope::stage('\\', vec![("VERSION".into(), "1".into())], &BTreeMap::new());
        let (text, warnings) = value(&scope, "a$VERSOIN");
        assert_eq!(text, "a");
        assert_eq!(warnings[0].message, "variable `$VERSOIN` is used and never defined");
        assert_eq!(warnings[0].hint.as_deref(), Some("did you mean `$VERSION`?"));
        assert_eq!(value(&scope, "${OTHER:-x}").1, []);
    }
}
