//! pip's requirements files: text to requirements, includes and settings.
//!
//! The format is what pip's documentation ("Requirements File Format") says, and where that is
//! silent, what pip 23 does; `tests/oracles` compares the two. What cannot hold in an image that is
//! made without running anything is an error at its place, with the way out. What a requirement
//! means is the resolver's to find: here are structure and places.

use std::borrow::Cow;

use crate::{Origin, Problem, Requirement, Span};

mod characters;
mod clauses;
mod encoding;
mod gather;
mod line;
mod lines;
mod location;
mod name;
mod options;
mod settings;
mod shape;
mod version;
mod words;

#[cfg(test)]
mod tests;

pub use encoding::decode_requirements;
pub use gather::{FileProblem, Gathered, Gathering, Reading, Role, gather_requirements};
pub use line::is_harmless_feature;
pub(crate) use name::check_name;
pub use name::normalized_name;
pub use settings::{LinkDirectory, Setting, Settings};
pub use shape::{Shape, Wanted, check_requirement};
pub use version::suspect_pin;

/// No more is read of a file; lists of pins are a thousandth of this.
const MAX_SIZE: usize = 4 << 20;

/// Nobody reads more.
const MAX_PROBLEMS: usize = 100;

/// What a file says, in its order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequirementsFile {
    /// What its lines say.
    pub items: Vec<Item>,
}

/// Something that a file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The first of its lines, from 1.
    pub line: usize,
    /// Its place in the file.
    pub span: Span,
    /// What it says.
    pub statement: Statement,
}

/// What a file can say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Statement {
    /// A requirement.
    Requirement(RequirementLine),
    /// The requirements of another file: `-r PATH`.
    Include(String),
    /// The constraints of another file: `-c PATH`.
    Constraint(String),
    /// Something for all requirements.
    Setting(Setting),
}

/// A requirement with what is said of it alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequirementLine {
    /// As [`Requirement::text`] has it.
    pub text: String,
    /// The distribution's name, normalized, if it is written.
    pub name: Option<String>,
    /// Whether it asks for extras.
    pub has_extras: bool,
    /// Digests of which the file must have one, such as `sha256:…`.
    pub hashes: Vec<String>,
    /// The path of a wheel or an archive on the machine that builds, if it is that: clean, and
    /// as in pip relative to where the build runs, and not to the file.
    pub path: Option<String>,
    /// Whether no more than one version or file satisfies.
    pub is_pinned: bool,
}

/// Reads a requirements file.
///
/// `environment` has the values of variables.
///
/// ```
/// let file = python::parse_requirements("flask>=3 # the web\n-r more.txt", &|_| None).unwrap();
/// assert_eq!(file.requirements("requirements.txt")[0].text, "flask>=3");
/// assert_eq!(file.items[1].line, 2);
/// ```
///
/// # Errors
///
/// All that is wrong with the file, in its order.
pub fn parse_requirements(
    text: &str,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<RequirementsFile, Vec<Problem>> {
    if text.len() > MAX_SIZE {
        return Err(vec![Problem::at(0..0, "the file is larger than 4 MiB")]);
    }
    let mut problems = Vec::new();
    problems.extend(encoding::check_declared(text));
    let marked = text.len() - text.strip_prefix('\u{feff}').unwrap_or(text).len();
    let mut items = Vec::new();
    for line in lines::lines(&text[marked..], environment) {
        let mut found = Vec::new();
        let contents = line::contents(&line, &mut found);
        let place = |span: Span| {
            let span = line.span(span);
            span.start + marked..span.end + marked
        };
        items.extend(contents.into_iter().map(|(span, statement)| Item {
            line: line.number,
            span: place(span),
            statement,
        }));
        problems.extend(found.into_iter().map(|mut problem| {
            problem.span = place(problem.span);
            problem.line = encoding::line_of(text, problem.span.start);
            problem
        }));
        if problems.len() >= MAX_PROBLEMS {
            break;
        }
    }
    problems.truncate(MAX_PROBLEMS);
    if problems.is_empty() { Ok(RequirementsFile { items }) } else { Err(problems) }
}

impl RequirementsFile {
    /// The requirements of this file alone, whose name is `file`.
    pub fn requirements(&self, file: &str) -> Vec<Requirement> {
        let requirements = self.items.iter().filter_map(|item| match &item.statement {
            Statement::Requirement(line) => Some(line.requirement(item.origin(file))),
            _ => None,
        });
        requirements.collect()
    }

    /// What this file alone sets.
    pub fn settings(&self, file: &str) -> Settings {
        let mut settings = Settings::default();
        for item in &self.items {
            if let Statement::Setting(setting) = &item.statement {
                settings.apply(setting, &item.origin(file));
            }
        }
        settings
    }

    /// The clean path of a file that `file` includes by the path `included`: relative to it.
    ///
    /// ```
    /// use python::RequirementsFile;
    ///
    /// assert_eq!(RequirementsFile::beside("requirements/dev.txt", "../base.txt"), "base.txt");
    /// ```
    pub fn beside(file: &str, included: &str) -> String {
        location::beside(file, included)
    }
}

impl Item {
    /// The place in words, if the file's name is `file`.
    pub fn origin(&self, file: &str) -> Origin {
        Origin { file: file.to_owned(), line: self.line }
    }
}

impl RequirementLine {
    /// The requirement that is asked of the resolver.
    pub fn requirement(&self, origin: Origin) -> Requirement {
        Requirement { text: self.text.clone(), hashes: self.hashes.clone(), origin }
    }
}

/// The normalized name of the distribution, as it is written, or as the wheel's file has it.
fn name_of(shape: &Shape<'_>) -> Option<String> {
    let place = match &shape.wanted {
        Wanted::Versions(_) => "",
        Wanted::Url(url) => url.split(['?', '#']).next().unwrap_or_default(),
        Wanted::Path(path) => path,
    };
    let file = place.rsplit('/').next().filter(|file| file.ends_with(".whl"));
    let of_wheel = || Some(file?.split_once('-')?.0);
    shape.name.or_else(of_wheel).map(normalized_name)
}

/// What a message may say of a word: addresses keep their credentials to themselves.
fn shown(word: &str) -> Cow<'_, str> {
    if word.contains(['/', '@', ':']) { Cow::Borrowed("…") } else { Cow::Borrowed(word) }
}
