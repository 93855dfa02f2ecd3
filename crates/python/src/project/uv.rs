//! `[tool.uv]`, as far as it says what is installed and from where.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::reader::Reader;
use super::{GroupEntry, Project, key_of, requirements};
use crate::{IndexUrl, Indexes, Span};

/// An entry of `[[tool.uv.index]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectIndex {
    /// Its name.
    pub name: Option<String>,
    /// Its address.
    pub url: IndexUrl,
    /// Whether it takes the place of the default index.
    pub is_default: bool,
    /// Whether it has only what sources look for in it.
    pub is_explicit: bool,
    /// Whether it is one page with links (`format = "flat"`).
    pub is_flat: bool,
}

/// An entry of `[tool.uv.sources]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectSource {
    /// The line, from 1.
    pub line: usize,
    /// Its place.
    pub span: Span,
    /// The indexes that it names, if indexes are all that it names.
    pub indexes: Result<Vec<String>, ElsewhereSource>,
}

/// A source that is no index: its kind, such as `git`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ElsewhereSource(pub String);

pub(super) fn read(reader: &mut Reader<'_>, table: &DeTable<'_>, project: &mut Project) {
    if let Some(value) = table.get("dev-dependencies") {
        let listed = requirements(reader, value, "dev-dependencies");
        // As in uv, they are one group with `dev`.
        let group = project.groups.entry("dev".to_owned()).or_default();
        group.entries.extend(listed.into_iter().map(GroupEntry::Requirement));
    }
    for (key, list) in [
        ("constraint-dependencies", &mut project.constraints),
        ("override-dependencies", &mut project.overrides),
    ] {
        if let Some(value) = table.get(key) {
            *list = requirements(reader, value, key);
        }
    }
    for value in reader.array(table, "index").unwrap_or_default() {
        project.indexes.extend(index(reader, value));
    }
    if let Some(sources) = reader.table(table, "sources") {
        for (name, value) in sources {
            let source = source(reader, value);
            if let Some(name) = key_of(reader, name) {
                project.sources.insert(name, source);
            }
        }
    }
}

fn index(reader: &mut Reader<'_>, value: &Spanned<DeValue<'_>>) -> Option<ProjectIndex> {
    let Some(table) = value.get_ref().as_table() else {
        reader.complain(value.span(), "`index` holds tables");
        return None;
    };
    let Some(url) = reader.string(table, "url") else {
        if !table.contains_key("url") {
            reader.complain(value.span(), "the index has no `url`");
        }
        return None;
    };
    Some(ProjectIndex {
        name: reader.string(table, "name").map(|name| name.text),
        url: IndexUrl::new(url.text),
        is_default: reader.boolean(table, "default"),
        is_explicit: reader.boolean(table, "explicit"),
        is_flat: reader.string(table, "format").is_some_and(|format| format.text == "flat"),
    })
}

/// A table, or several for different markers.
fn source(reader: &mut Reader<'_>, value: &Spanned<DeValue<'_>>) -> ProjectSource {
    let tables: Vec<&DeTable<'_>> = match value.get_ref() {
        DeValue::Table(table) => vec![table],
        DeValue::Array(array) => array.iter().filter_map(|one| one.get_ref().as_table()).collect(),
        _ => Vec::new(),
    };
    if tables.is_empty() {
        reader.complain(value.span(), "a source is a table");
    }
    let indexes = tables.iter().map(|table| {
        let elsewhere = ["git", "url", "path", "workspace"];
        match reader.string_if_there(table, "index") {
            Some(index) => Ok(index),
            None => {
                let kind = elsewhere.iter().find(|kind| table.contains_key(**kind));
                Err(ElsewhereSource((*kind.unwrap_or(&"unknown")).to_owned()))
            }
        }
    });
    let indexes = indexes.collect();
    let line = reader.line_of(value.span().start);
    ProjectSource { line, span: value.span(), indexes }
}

impl Project {
    /// The indexes for everything: those that are not explicit.
    pub fn indexes(&self) -> Indexes {
        let mut indexes = Indexes::default();
        for index in self.indexes.iter().filter(|index| !index.is_explicit) {
            let url = index.url.clone();
            match (index.is_flat, index.is_default) {
                (true, _) => indexes.find_links.push(url),
                (false, true) => indexes.index_url = Some(url),
                (false, false) => indexes.extra_index_urls.push(url),
            }
        }
        indexes
    }
}
