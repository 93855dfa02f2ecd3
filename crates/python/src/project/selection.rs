//! What is installed of a project: its dependencies, and those of extras and groups.

use std::collections::BTreeSet;

use super::{GroupEntry, Project, ProjectDependencies, Written};
use crate::{Problem, Requirement, Shape, Span, check_requirement, normalized_name};

/// Extras and groups that include others: no deeper than this.
const MAX_DEPTH: usize = 64;

/// An extra can be taken under as many markers as ways lead to it, which is 2ⁿ at worst.
const MAX_SEEN: usize = 1000;

impl Project {
    /// The project's dependencies, with those of extras and groups. `file` is its file's name.
    ///
    /// # Errors
    ///
    /// If only a build tells them, if there is no such extra or group, or if one of them comes
    /// from elsewhere.
    pub fn requirements(
        &self,
        file: &str,
        extras: &[String],
        groups: &[String],
    ) -> Result<Vec<Requirement>, Problem> {
        let mut selection = Selection::new(self, file);
        match &self.dependencies {
            ProjectDependencies::Listed(listed) => {
                selection.take_all(listed, None)?;
                for extra in extras {
                    selection.extra(extra, None)?;
                }
            }
            ProjectDependencies::Dynamic(line, span) => {
                return Err(only_a_build_tells("dependencies", *line, span.clone()));
            }
            ProjectDependencies::Absent if groups.is_empty() || !extras.is_empty() => {
                return Err(Problem::at(0..0, "there is no `[project]` table")
                    .with_hint("list what is needed in `dependencies` there"));
            }
            ProjectDependencies::Absent => {}
        }
        selection.groups(groups)?;
        Ok(selection.taken)
    }

    /// What groups hold, without the project's own dependencies.
    ///
    /// # Errors
    ///
    /// As [`requirements`](Self::requirements).
    pub fn group_requirements(
        &self,
        file: &str,
        groups: &[String],
    ) -> Result<Vec<Requirement>, Problem> {
        let mut selection = Selection::new(self, file);
        selection.groups(groups)?;
        Ok(selection.taken)
    }

    /// What uv holds a distribution to, if it is taken.
    pub fn constraints(&self, file: &str) -> Vec<Requirement> {
        as_written(&self.constraints, file)
    }

    /// What uv puts in the place of everything that is said of a distribution.
    pub fn overrides(&self, file: &str) -> Vec<Requirement> {
        as_written(&self.overrides, file)
    }
}

fn as_written(list: &[Written], file: &str) -> Vec<Requirement> {
    list.iter().map(|written| written.requirement(file, written.text.clone())).collect()
}

fn only_a_build_tells(what: &str, line: usize, span: Span) -> Problem {
    let problem = Problem::at(span, format!("the {what} are dynamic: only a build tells them"));
    let problem = Problem { line, ..problem };
    problem.with_hint(format!("list them in `{what}`, or install from a lock (`uv lock`)"))
}

/// What has been taken so far.
struct Selection<'a> {
    project: &'a Project,
    file: &'a str,
    taken: Vec<Requirement>,
    /// The extras that lead to where it is. One that leads to itself adds nothing.
    open_extras: Vec<String>,
    /// Extras with the markers under which they have been taken.
    seen_extras: BTreeSet<(String, Option<String>)>,
    open_groups: Vec<String>,
    seen_groups: BTreeSet<String>,
}

impl<'a> Selection<'a> {
    fn new(project: &'a Project, file: &'a str) -> Self {
        Selection {
            project,
            file,
            taken: Vec::new(),
            open_extras: Vec::new(),
            seen_extras: BTreeSet::new(),
            open_groups: Vec::new(),
            seen_groups: BTreeSet::new(),
        }
    }

    fn take_all(&mut self, listed: &[Written], marker: Option<&str>) -> Result<(), Problem> {
        listed.iter().try_for_each(|written| self.take(written, marker))
    }

    /// A requirement of the project itself stands for those of its extras, as in
    /// `all = ["app[web,cli]"]`.
    fn take(&mut self, written: &Written, marker: Option<&str>) -> Result<(), Problem> {
        let shape = check_requirement(&written.text)
            .map_err(|problem| at(written, Problem { span: 0..0, ..problem }))?;
        let name = shape.name.map(normalized_name).unwrap_or_default();
        let marker = both(marker, shape.marker);
        if self.project.name.as_ref() == Some(&name) {
            return shape.extras.iter().try_for_each(|extra| {
                self.extra(extra, marker.as_deref()).map_err(|problem| at(written, problem))
            });
        }
        self.check_source(&name)?;
        let text = Shape { marker: marker.as_deref(), ..shape }.text();
        self.taken.push(written.requirement(self.file, text));
        Ok(())
    }

    fn extra(&mut self, extra: &str, marker: Option<&str>) -> Result<(), Problem> {
        let name = normalized_name(extra);
        if let Some((line, span)) = &self.project.dynamic_extras {
            return Err(only_a_build_tells("optional-dependencies", *line, span.clone()));
        }
        let Some(listed) = self.project.extras.get(&name) else {
            let problem = Problem::at(0..0, format!("the project has no extra `{extra}`"));
            return Err(known(problem, &name, self.project.extras.keys()));
        };
        let key = (name.clone(), marker.map(str::to_owned));
        if self.open_extras.contains(&name) || !self.seen_extras.insert(key) {
            return Ok(());
        }
        if self.open_extras.len() >= MAX_DEPTH || self.seen_extras.len() > MAX_SEEN {
            return Err(Problem::at(0..0, "the extras include each other too often"));
        }
        self.open_extras.push(name);
        self.take_all(listed, marker)?;
        self.open_extras.pop();
        Ok(())
    }

    fn groups(&mut self, groups: &[String]) -> Result<(), Problem> {
        groups.iter().try_for_each(|group| self.group(group))
    }

    fn group(&mut self, group: &str) -> Result<(), Problem> {
        let name = normalized_name(group);
        let Some(found) = self.project.groups.get(&name) else {
            let problem = Problem::at(0..0, format!("there is no dependency group `{group}`"));
            return Err(known(problem, &name, self.project.groups.keys()));
        };
        if self.open_groups.contains(&name) {
            let way = self.open_groups.join("` → `");
            return Err(Problem::at(0..0, format!("the group `{name}` includes itself"))
                .with_hint(format!("the way there is `{way}`")));
        }
        if !self.seen_groups.insert(name.clone()) {
            return Ok(());
        }
        if self.open_groups.len() >= MAX_DEPTH {
            return Err(Problem::at(0..0, "the groups include each other too deep"));
        }
        self.open_groups.push(name);
        for entry in &found.entries {
            match entry {
                GroupEntry::Requirement(written) => self.take(written, None)?,
                GroupEntry::Include(included) => {
                    self.group(&included.text).map_err(|problem| at(included, problem))?;
                }
            }
        }
        self.open_groups.pop();
        Ok(())
    }

    /// uv's sources hold for what the project itself asks for.
    fn check_source(&self, name: &str) -> Result<(), Problem> {
        let Some(source) = self.project.sources.get(name) else { return Ok(()) };
        let refused = |message: String| {
            let problem = Problem::at(source.span.clone(), message);
            let problem = Problem { line: source.line, ..problem };
            Err(problem.with_hint("lock it with `uv lock`, and install from `uv.lock`"))
        };
        let indexes = match &source.indexes {
            Ok(indexes) => indexes,
            Err(elsewhere) => {
                return refused(format!("`{name}` has a source of the kind `{}`", elsewhere.0));
            }
        };
        for index in indexes {
            let mut known = self.project.indexes.iter();
            let Some(found) = known.find(|known| known.name.as_ref() == Some(index)) else {
                return refused(format!(
                    "`{name}` is from the index `{index}`, which is not there"
                ));
            };
            if found.is_explicit {
                return refused(format!("`{name}` is from `{index}`, an explicit index"));
            }
        }
        Ok(())
    }
}

/// The problem at the place of what led to it, if it has none of its own.
fn at(written: &Written, problem: Problem) -> Problem {
    match problem.span.is_empty() {
        true => Problem { line: written.line, span: written.span.clone(), ..problem },
        false => problem,
    }
}

/// Both markers at once.
fn both(first: Option<&str>, second: Option<&str>) -> Option<String> {
    match (first, second) {
        (Some(first), Some(second)) => Some(format!("({first}) and ({second})")),
        (one, other) => one.or(other).map(str::to_owned),
    }
}

/// The problem with the nearest name, or with all there are.
fn known<'a>(
    problem: Problem,
    name: &str,
    names: impl Iterator<Item = &'a String> + Clone,
) -> Problem {
    let problem = problem.with_suggestion(name, names.clone().map(String::as_str));
    if problem.hint.is_some() {
        return problem;
    }
    let names: Vec<_> = names.map(String::as_str).collect();
    if names.is_empty() {
        problem
    } else {
        problem.with_hint(format!("there are `{}`", names.join("`, `")))
    }
}
