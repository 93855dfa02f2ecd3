//! `plywood.toml`: the recipe of an image that needs no shell.
//!
//! [`key`] is the shape of the table of keys, which is in [`keys`], [`debian_keys`] and
//! [`python_keys`]; [`read`]
//! holds a document against it, with [`template`] for what is in its strings; [`lower`] makes a
//! recipe of what fits, with [`environment`], [`debian`], [`python`] and [`files`] for their tables.
//! [`mod@reference`] and [`schema`] write the same table of keys down for people and for editors.
//! [`initial`] writes the first file of a project.

mod debian;
mod debian_keys;
mod environment;
mod files;
mod initial;
mod key;
mod keys;
mod lower;
mod paths;
mod python;
mod python_keys;
mod read;
mod reference;
mod schema;
mod template;
mod value;

use toml::de::DeTable;

pub use initial::{ProjectFiles, initial_toml};
pub use reference::plywood_toml_reference;
pub use schema::plywood_toml_schema;

use crate::{Diagnostic, Parsed};
use read::Reader;

/// More than anybody writes; what is larger is some other file.
const MAX_BYTES: usize = 4 << 20;
/// After so many errors nobody reads on.
const MAX_ERRORS: usize = 100;
/// The most layers that Linux's overlay file system is given by every runtime (Docker's limit).
const MAX_LAYERS: usize = 127;

/// How a recipe is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// As a Dockerfile.
    Dockerfile,
    /// As a `plywood.toml`.
    PlywoodToml,
}

/// How a recipe is written, by its file's name: one that ends in `.toml` is TOML. A text without
/// such a name is TOML if it begins with what only that has, a key and its value or a `[table]`.
///
/// ```
/// use recipe::{Format, recipe_format};
/// assert_eq!(recipe_format("images/web.toml", ""), Format::PlywoodToml);
/// assert_eq!(recipe_format("Dockerfile", "FROM scratch\n"), Format::Dockerfile);
/// assert_eq!(recipe_format("-", "# web\nbase = \"scratch\"\n"), Format::PlywoodToml);
/// ```
pub fn recipe_format(file_name: &str, text: &str) -> Format {
    let extension = file_name.rsplit_once('.').map(|(_, extension)| extension);
    if extension.is_some_and(|extension| extension.eq_ignore_ascii_case("toml")) {
        return Format::PlywoodToml;
    }
    let mut lines = text.lines().map(str::trim_start);
    let Some(first) = lines.find(|line| !line.is_empty() && !line.starts_with('#')) else {
        return Format::Dockerfile;
    };
    let is_key = |(key, _): (&str, &str)| {
        let key = key.trim();
        keys::DOCUMENT.iter().any(|known| known.name == key)
    };
    match first.starts_with('[') || first.split_once('=').is_some_and(is_key) {
        true => Format::PlywoodToml,
        false => Format::Dockerfile,
    }
}

/// Parses a `plywood.toml`: one stage of instructions that give the best caching in their order.
///
/// `values` is asked for what templates name: `git.sha`, `env.HOME`, `arg.VERSION`. Build
/// arguments that templates use are the recipe's global arguments.
///
/// # Errors
///
/// Everything that is wrong with it, in the file's order; at most a hundred findings.
///
/// ```
/// let text = "base = \"python:3.13-slim\"\nlabels = { version = \"{arg.VERSION}\" }\n";
/// let values = |name: &str| (name == "arg.VERSION").then(|| "1.2".to_owned());
/// let parsed = recipe::parse_plywood_toml(text, &values).unwrap();
/// assert_eq!(parsed.recipe.stages[0].instructions[0].text, "LABEL version=1.2");
///
/// let errors = recipe::parse_plywood_toml(text, &|_| None).unwrap_err();
/// assert_eq!(errors[0].message, "build argument `VERSION` is not given");
/// assert_eq!(errors[0].hint.as_deref(), Some("give it with `--build-arg VERSION=…`"));
/// ```
pub fn parse_plywood_toml(
    text: &str,
    values: &dyn Fn(&str) -> Option<String>,
) -> Result<Parsed, Vec<Diagnostic>> {
    if text.len() > MAX_BYTES {
        let error = Diagnostic::error(0..0, "the file is larger than 4 MiB");
        return Err(vec![error.with_hint("keep large content in files of the context")]);
    }
    let (document, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        let errors = errors.iter().map(|error| syntax_error(text, error));
        return Err(errors.take(MAX_ERRORS).collect());
    }
    let mut reader = Reader::new(text, values);
    let table = reader.document(&document);
    let parsed = lower::recipe(&table, &mut reader);
    if reader.errors.is_empty() {
        return Ok(parsed);
    }
    let mut errors = reader.errors;
    errors.sort_by_key(|error| error.span.start);
    errors.truncate(MAX_ERRORS);
    Err(errors)
}

/// What TOML itself does not allow. Its place may be the end of the text, or nowhere.
fn syntax_error(text: &str, error: &toml::de::Error) -> Diagnostic {
    let span = error.span().unwrap_or(0..0);
    let span = if text.get(span.clone()).is_some() { span } else { text.len()..text.len() };
    let line_start = text[..span.start].rfind('\n').map_or(0, |newline| newline + 1);
    let is_dockerfile = text[line_start..].starts_with("FROM ");
    let diagnostic = Diagnostic::error(span, error.message());
    match is_dockerfile {
        true => diagnostic.with_hint("a Dockerfile's name does not end in `.toml`"),
        false => diagnostic,
    }
}
