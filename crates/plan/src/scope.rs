//! Variables: what `$NAME` means at a line.
//!
//! Docker's reference, "Environment replacement" and "Scope": an `ENV` wins over an `ARG` of the
//! same name; an `ARG` is known from its line on; global `ARG`s are known to `FROM` lines, and in a
//! stage only once the stage repeats them.

use std::collections::{BTreeMap, BTreeSet};

use oci::Platform;
use recipe::{Argument, Diagnostic, Heredoc, Rule, Word};

use crate::Request;
use crate::error::{PlanError, Step};

/// Whether `name` needs no `ARG` to be given on the command line.
pub(crate) fn is_predefined(name: &str) -> bool {
    // Docker's documentation, "Build variables", "BuildKit built-in build args".
    let of_buildkit = name.starts_with("BUILDKIT_") || name == "SOURCE_DATE_EPOCH";
    of_buildkit || PREDEFINED.contains(&name) || is_platform(name)
}

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
    /// Names that an `ARG` without a default would bring in from the global scope.
    outer: BTreeSet<String>,
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
fn is_platform(name: &str) -> bool {
    let any = Platform::linux("amd64");
    platform_arguments(&any, &any, "").iter().any(|(known, _)| known == name)
}

impl Scope {
    /// The scope of `FROM` lines, before any global `ARG`: the platform arguments, which the
    /// command line may replace.
    pub(crate) fn global(escape: char, request: &Request<'_>, stage: &str) -> Self {
        let platform = platform_arguments(&request.platform, &request.build_platform, stage);
        let arguments = platform.into_iter().map(|(name, value)| {
            let value = request.build_args.get(&name).cloned().unwrap_or(value);
            (name, Some(value))
        });
        let arguments = arguments.collect();
        Scope { escape, arguments, environment: BTreeMap::new(), outer: BTreeSet::new() }
    }

    /// The scope at the top of a stage on an image: its environment, and the proxy arguments given.
    /// A stage on another stage goes on with that one's scope (Docker's documentation, "Build
    /// variables", "Scoping").
    pub(crate) fn stage(
        global: &Scope,
        environment: Vec<(String, String)>,
        build_args: &BTreeMap<String, String>,
    ) -> Self {
        let given = |name: &&str| build_args.get(*name).cloned();
        let arguments = PREDEFINED
            .iter()
            .filter_map(|name| given(name).map(|value| ((*name).to_owned(), Some(value))))
            .collect();
        let outer = global.arguments.keys().cloned().collect();
        let environment = environment.into_iter().collect();
        Scope { escape: global.escape, arguments, environment, outer }
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

    /// What a command that runs at this line finds in its environment: the arguments that have a
    /// value, and the environment itself, which wins (Docker's reference, "Using ARG variables").
    pub(crate) fn exported(&self) -> BTreeMap<String, String> {
        let given =
            |(name, value): (&String, &Option<String>)| Some((name.clone(), value.clone()?));
        let mut exported: BTreeMap<String, String> =
            self.arguments.iter().filter_map(given).collect();
        exported.extend(self.environment.clone());
        exported
    }

    /// A word with its variables expanded and its quotes taken off.
    pub(crate) fn expand(&self, word: &Word, warnings: &mut Vec<Diagnostic>) -> Step<String> {
        let expansion = recipe::expand(&word.text, self.escape, &|name| self.value(name))
            .map_err(|error| PlanError::found(error.diagnostic(word)))?;
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
            .map_err(|error| PlanError::found(error.diagnostic(word)))?;
        self.warn_of_unset(&expansion.unset, word, warnings);
        Ok(expansion.words)
    }

    /// The text of a here-document, expanded if its delimiter is not quoted.
    pub(crate) fn expand_heredoc(
        &self,
        heredoc: &Heredoc,
        warnings: &mut Vec<Diagnostic>,
    ) -> Step<String> {
        if !heredoc.expand {
            return Ok(heredoc.content.clone());
        }
        let expansion = recipe::expand_heredoc(&heredoc.content, &|name| self.value(name))
            .map_err(|error| PlanError::found(error.heredoc_diagnostic(heredoc)))?;
        let word = Word { text: heredoc.content.clone(), span: heredoc.span.clone() };
        self.warn_of_unset(&expansion.unset, &word, warnings);
        Ok(expansion.text)
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
            let warning = Diagnostic::warning(Rule::UndefinedVar, word.variable(name), message);
            warnings.push(match self.meant(name) {
                _ if self.outer.contains(name) => {
                    warning.with_hint(format!("a stage knows it after `ARG {name}` in the stage"))
                }
                Some(known) => warning.with_hint(format!("did you mean `${known}`?")),
                None => warning,
            });
        }
    }

    /// The known name that was probably meant.
    fn meant(&self, name: &str) -> Option<&str> {
        let mut known = self.arguments.keys().chain(self.environment.keys()).map(String::as_str);
        let other_case = known.clone().find(|known| known.eq_ignore_ascii_case(name));
        // Any two short names are near each other.
        let is_long = name.len() > 3;
        other_case.or_else(|| recipe::closest(name, &mut known).filter(|_| is_long))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(text: &str) -> Word {
        Word { text: text.to_owned(), span: 0..text.len() }
    }

    fn value(scope: &Scope, text: &str) -> (String, Vec<Diagnostic>) {
        let mut warnings = Vec::new();
        (scope.expand(&word(text), &mut warnings).unwrap(), warnings)
    }

    #[test]
    fn an_undefined_variable_is_a_warning_with_a_guess() {
        let escape = '\\';
        let (arguments, environment, outer) = Default::default();
        let mut scope = Scope { escape, arguments, environment, outer };
        scope.set_env("VERSION", "1");
        let (text, warnings) = value(&scope, "a$VERSOIN");
        assert_eq!(text, "a");
        assert_eq!(warnings[0].message, "variable `$VERSOIN` is used and never defined");
        assert_eq!(warnings[0].hint.as_deref(), Some("did you mean `$VERSION`?"));
        assert_eq!(value(&scope, "${OTHER:-x}").1, []);
    }
}
