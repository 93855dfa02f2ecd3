//! What a `pyproject.toml` asks for: the project's dependencies, extras and groups, and uv's words
//! about them.
//!
//! Nothing is built, so what only a build tells (`dynamic`) and what is elsewhere (a path, a
//! repository) are errors when they are asked for, each with the way out.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use self::reader::Reader;
use crate::requirements::check_name;
use crate::{Origin, Problem, Requirement, Span, Wanted, check_requirement, normalized_name};

mod reader;
mod selection;
mod uv;

#[cfg(test)]
mod tests;

pub use uv::{ElsewhereSource, ProjectIndex, ProjectSource};

/// No more is read.
const MAX_SIZE: usize = 4 << 20;

/// A text with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The text.
    pub text: String,
    /// The line, from 1.
    pub line: usize,
    /// Its place, with its quotes.
    pub span: Span,
}

/// A `pyproject.toml`. Names of distributions, extras and groups are normalized.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Project {
    /// The project's name.
    pub name: Option<String>,
    /// Its version, if it is written there.
    pub version: Option<String>,
    /// The Pythons that it runs with: clauses of PEP 440.
    pub requires_python: Option<Written>,
    /// What it needs.
    pub dependencies: ProjectDependencies,
    /// What it needs beside that, by extra.
    pub extras: BTreeMap<String, Vec<Written>>,
    /// Where it says that only a build tells the extras: the line, and the place.
    pub dynamic_extras: Option<(usize, Span)>,
    /// What those need who work on it, by group (PEP 735).
    pub groups: BTreeMap<String, DependencyGroup>,
    /// Its programs: the name, and the place of the function.
    pub scripts: BTreeMap<String, String>,
    /// What holds for a distribution if it is taken.
    pub constraints: Vec<Written>,
    /// What takes the place of everything that is said of a distribution.
    pub overrides: Vec<Written>,
    /// Indexes, in the order of the file.
    pub indexes: Vec<ProjectIndex>,
    /// Where distributions come from that are not looked for, by name.
    pub sources: BTreeMap<String, ProjectSource>,
}

/// A project's own dependencies.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ProjectDependencies {
    /// There is no `[project]`.
    #[default]
    Absent,
    /// These.
    Listed(Vec<Written>),
    /// Only a build tells. Where that is said, and in which line.
    Dynamic(usize, Span),
}

/// A group of dependencies.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DependencyGroup {
    /// What it holds, in its order.
    pub entries: Vec<GroupEntry>,
}

/// Something in a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupEntry {
    /// A requirement.
    Requirement(Written),
    /// Everything of another group.
    Include(Written),
}

/// Reads a `pyproject.toml`.
///
/// ```
/// let text = "[project]\nname = 'app'\ndependencies = ['flask>=3']";
/// let project = python::parse_project(text).unwrap();
/// let requirements = project.requirements("pyproject.toml", &[], &[]).unwrap();
/// assert_eq!(requirements[0].text, "flask>=3");
/// assert_eq!(requirements[0].origin.line, 3);
/// ```
///
/// # Errors
///
/// All that is wrong with it.
pub fn parse_project(text: &str) -> Result<Project, Vec<Problem>> {
    let mut reader = Reader::new(text);
    if text.len() > MAX_SIZE {
        return Err(vec![reader.problem(0..0, "the file is larger than 4 MiB")]);
    }
    let (document, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        reader.complain(error.span().unwrap_or_default(), error.message());
    }
    if !reader.problems.is_empty() {
        return Err(reader.problems);
    }
    let document = document.get_ref();
    let mut project = Project::default();
    match reader.table(document, "project") {
        Some(table) => read_project(&mut reader, table, &mut project),
        None => check_poetry(&mut reader, document),
    }
    if let Some(groups) = reader.table(document, "dependency-groups") {
        for (name, value) in groups {
            read_group(&mut reader, name, value, &mut project);
        }
    }
    if let Some(tool) = reader.table(document, "tool")
        && let Some(table) = reader.table(tool, "uv")
    {
        uv::read(&mut reader, table, &mut project);
    }
    reader.problems.sort_by_key(|problem| problem.span.start);
    if reader.problems.is_empty() { Ok(project) } else { Err(reader.problems) }
}

fn read_project(reader: &mut Reader<'_>, table: &DeTable<'_>, project: &mut Project) {
    if let Some(name) = reader.string(table, "name") {
        project.name = name_of(reader, &name);
    }
    project.version = reader.string(table, "version").map(|version| version.text);
    project.requires_python = reader.string(table, "requires-python");
    let listed = match table.get("dependencies") {
        Some(value) => requirements(reader, value, "dependencies"),
        None => Vec::new(),
    };
    project.dependencies = ProjectDependencies::Listed(listed);
    if let Some(extras) = reader.table(table, "optional-dependencies") {
        for (name, value) in extras {
            let Some(extra) = key_of(reader, name) else { continue };
            let listed = requirements(reader, value, name.get_ref());
            if project.extras.insert(extra.clone(), listed).is_some() {
                reader.complain(name.span(), format!("the extra `{extra}` is there twice"));
            }
        }
    }
    for dynamic in
        table.get("dynamic").map(|value| reader.strings(value, "dynamic")).unwrap_or_default()
    {
        match dynamic.text.as_str() {
            "dependencies" => {
                project.dependencies = ProjectDependencies::Dynamic(dynamic.line, dynamic.span);
            }
            "optional-dependencies" => project.dynamic_extras = Some((dynamic.line, dynamic.span)),
            _ => {}
        }
    }
    if let Some(scripts) = reader.table(table, "scripts") {
        for (name, value) in scripts {
            if let Some(place) = reader.string_of(value, name.get_ref()) {
                project.scripts.insert(name.get_ref().to_string(), place.text);
            }
        }
    }
}

/// Poetry's own tables are another language for versions and sources.
fn check_poetry(reader: &mut Reader<'_>, document: &DeTable<'_>) {
    let Some(tool) = document.get("tool").and_then(|tool| tool.get_ref().as_table()) else {
        return;
    };
    let Some(poetry) = tool.get("poetry").and_then(|poetry| poetry.get_ref().as_table()) else {
        return;
    };
    let Some((key, _)) = poetry.get_key_value("dependencies") else { return };
    let problem = reader.problem(key.span(), "the dependencies are written for Poetry alone");
    reader.problems.push(problem.with_hint(
        "export them with `poetry export -o requirements.txt`, or list them in `[project]`",
    ));
}

fn read_group(
    reader: &mut Reader<'_>,
    name: &Spanned<toml::de::DeString<'_>>,
    value: &Spanned<DeValue<'_>>,
    project: &mut Project,
) {
    let Some(group) = key_of(reader, name) else { return };
    let mut entries = Vec::new();
    for element in reader.elements(value, name.get_ref()).unwrap_or_default() {
        match element.get_ref().as_table() {
            None => entries
                .extend(requirement(reader, element, name.get_ref()).map(GroupEntry::Requirement)),
            Some(table) if table.len() == 1 && table.contains_key("include-group") => {
                entries.extend(reader.string(table, "include-group").map(GroupEntry::Include));
            }
            Some(_) => {
                let message = "a group holds requirements and `{ include-group = NAME }`";
                reader.complain(element.span(), message);
            }
        }
    }
    if project.groups.insert(group.clone(), DependencyGroup { entries }).is_some() {
        reader.complain(name.span(), format!("the group `{group}` is there twice"));
    }
}

fn requirements(reader: &mut Reader<'_>, value: &Spanned<DeValue<'_>>, key: &str) -> Vec<Written> {
    let elements = reader.elements(value, key).unwrap_or_default();
    elements.iter().filter_map(|element| requirement(reader, element, key)).collect()
}

/// A requirement by PEP 508, which begins with a name.
fn requirement(
    reader: &mut Reader<'_>,
    value: &Spanned<DeValue<'_>>,
    key: &str,
) -> Option<Written> {
    let written = reader.string_of(value, key)?;
    match check_requirement(&written.text) {
        Ok(shape) if shape.name.is_some() => Some(written),
        Ok(shape) => {
            let hint = match shape.wanted {
                Wanted::Path(_) => "write `NAME @ file:PATH`",
                _ => "write `NAME @ ADDRESS`",
            };
            let problem = reader.problem(written.span, "the requirement names no distribution");
            reader.problems.push(problem.with_hint(hint));
            None
        }
        Err(problem) => {
            reader.complain_within(&written.text, &written.span, problem);
            None
        }
    }
}

/// A normalized name.
fn name_of(reader: &mut Reader<'_>, written: &Written) -> Option<String> {
    match check_name(&written.text, 0..written.text.len()) {
        Ok(()) => Some(normalized_name(&written.text)),
        Err(problem) => {
            reader.complain_within(&written.text, &written.span, problem);
            None
        }
    }
}

fn key_of(reader: &mut Reader<'_>, key: &Spanned<toml::de::DeString<'_>>) -> Option<String> {
    let written = Written { text: key.get_ref().to_string(), line: 0, span: key.span() };
    name_of(reader, &written)
}

impl Written {
    fn requirement(&self, file: &str, text: String) -> Requirement {
        let origin = Origin { file: file.to_owned(), line: self.line };
        Requirement { text, hashes: Vec::new(), origin }
    }
}
