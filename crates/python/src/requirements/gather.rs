//! Requirements files with all that they include.

use std::collections::HashSet;
use std::sync::Arc;

use super::{Item, RequirementLine, Settings, Statement, location, parse_requirements};
use crate::{Origin, Problem, Requirement};

/// Files that include files that include files: no deeper than this.
const MAX_DEPTH: usize = 64;

/// What a file's requirements are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// To be installed: pip's `-r`.
    Requirements,
    /// To hold if they are installed: pip's `-c`.
    Constraints,
}

/// What is known of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// Its text, from [`decode_requirements`](super::decode_requirements).
    Text(Arc<str>),
    /// Nothing yet.
    Unknown,
    /// It cannot be had: what is wrong, as a message, and the way out.
    Failed {
        /// A lowercase fragment, such as "`a.txt` is not in the build context".
        message: String,
        /// What to do about it.
        hint: Option<String>,
    },
}

/// What files say together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gathering {
    /// All of it.
    Whole(Gathered),
    /// These files are to be read first. There may be more behind them.
    Lacks(Vec<String>),
}

/// All that files say, ready for a [`ResolutionRequest`](crate::ResolutionRequest).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gathered {
    /// What is asked for.
    pub requirements: Vec<Requirement>,
    /// What holds for a distribution if it is taken.
    pub constraints: Vec<Requirement>,
    /// What is set for all. As in pip, one hash makes all be required.
    pub settings: Settings,
    /// Paths of wheels and archives that are named, clean, as
    /// [`GivenFile::path`](crate::GivenFile) has them.
    pub paths: Vec<String>,
    /// Of `requirements`, those that more than one version satisfies.
    pub unpinned: Vec<Requirement>,
}

/// A problem and the file that has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileProblem {
    /// The file.
    pub file: String,
    /// The problem.
    pub problem: Problem,
}

/// Reads files and what they include, in pip's order.
///
/// `read` is asked for files by their clean paths; it may be asked for one several times. What it
/// does not know yet is answered together, so that few rounds find everything.
///
/// # Errors
///
/// All that is wrong with all files, once all are known.
pub fn gather_requirements(
    roots: &[(Role, &str)],
    environment: &dyn Fn(&str) -> Option<String>,
    read: &mut dyn FnMut(&str) -> Reading,
) -> Result<Gathering, Vec<FileProblem>> {
    let mut walk = Walk {
        environment,
        read,
        gathered: Gathered::default(),
        lacks: Vec::new(),
        problems: Vec::new(),
        open: Vec::new(),
        done: HashSet::new(),
    };
    for (role, path) in roots {
        let path = location::clean(path);
        match (walk.read)(&path) {
            Reading::Failed { message, hint } => {
                let problem = Problem { hint, ..Problem::at(0..0, message) };
                walk.problems.push(FileProblem { file: path, problem });
            }
            reading => walk.file(path, *role, reading),
        }
    }
    if !walk.lacks.is_empty() {
        return Ok(Gathering::Lacks(walk.lacks));
    }
    if walk.problems.is_empty() { Ok(Gathering::Whole(walk.gathered)) } else { Err(walk.problems) }
}

struct Walk<'a> {
    environment: &'a dyn Fn(&str) -> Option<String>,
    read: &'a mut dyn FnMut(&str) -> Reading,
    gathered: Gathered,
    lacks: Vec<String>,
    problems: Vec<FileProblem>,
    /// The files between a root and the one that is being read.
    open: Vec<String>,
    /// A file that is included twice says nothing new the second time, and files that include
    /// each other twice at every step would say it without end.
    done: HashSet<(Role, String)>,
}

impl Walk<'_> {
    fn file(&mut self, path: String, role: Role, reading: Reading) {
        if !self.done.insert((role, path.clone())) {
            return;
        }
        let text = match reading {
            Reading::Text(text) => text,
            Reading::Unknown if self.lacks.contains(&path) => return,
            Reading::Unknown => return self.lacks.push(path),
            // The caller has said so at the place that names it.
            Reading::Failed { .. } => return,
        };
        match parse_requirements(&text, self.environment) {
            Ok(file) => {
                self.open.push(path.clone());
                for item in file.items {
                    self.item(&path, role, item);
                }
                self.open.pop();
            }
            // The same file in another role has the same problems.
            Err(_) if self.done.contains(&(role.other(), path.clone())) => {}
            Err(problems) => {
                let of_file = |problem| FileProblem { file: path.clone(), problem };
                self.problems.extend(problems.into_iter().map(of_file));
            }
        }
    }

    fn item(&mut self, file: &str, role: Role, item: Item) {
        let origin = item.origin(file);
        match &item.statement {
            Statement::Setting(setting) => self.gathered.settings.apply(setting, &origin),
            // As in pip, what a file with constraints includes by `-r` are requirements.
            Statement::Include(path) => self.include(file, &item, Role::Requirements, path),
            Statement::Constraint(path) => self.include(file, &item, Role::Constraints, path),
            Statement::Requirement(line) => {
                if let Err(problem) = self.gathered.add(role, line, origin) {
                    self.complain(file, &item, problem);
                }
            }
        }
    }

    fn include(&mut self, file: &str, item: &Item, role: Role, path: &str) {
        let path = location::beside(file, path);
        if self.open.contains(&path) {
            let message = format!("`{path}` includes itself");
            let problem = match self.open.as_slice() {
                [_] => Problem::at(0..0, message),
                open => Problem::at(0..0, message).with_hint(format!(
                    "the way there is `{}`",
                    open.iter().map(String::as_str).collect::<Vec<_>>().join("` → `")
                )),
            };
            return self.complain(file, item, problem);
        }
        if self.open.len() >= MAX_DEPTH {
            let message = format!("files include each other more than {MAX_DEPTH} deep");
            return self.complain(file, item, Problem::at(0..0, message));
        }
        match (self.read)(&path) {
            Reading::Failed { message, hint } => {
                let problem = Problem { hint, ..Problem::at(0..0, message) };
                self.complain(file, item, problem);
            }
            reading => self.file(path, role, reading),
        }
    }

    fn complain(&mut self, file: &str, item: &Item, problem: Problem) {
        let problem = Problem { line: item.line, span: item.span.clone(), ..problem };
        self.problems.push(FileProblem { file: file.to_owned(), problem });
    }
}

impl Role {
    fn other(self) -> Role {
        match self {
            Role::Requirements => Role::Constraints,
            Role::Constraints => Role::Requirements,
        }
    }
}

/// pip's own conditions ("Constraints Files").
fn check_constraint(line: &RequirementLine) -> Result<(), &'static str> {
    if line.has_extras {
        return Err("a constraint has no extras");
    }
    match line.name {
        Some(_) => Ok(()),
        None => Err("a constraint is of a distribution by name: write `NAME @ ADDRESS`"),
    }
}

impl Gathered {
    /// Adds a requirement that is written at `origin`.
    ///
    /// # Errors
    ///
    /// If it is none that a constraint can be, and is to be one.
    pub fn add(
        &mut self,
        role: Role,
        line: &RequirementLine,
        origin: Origin,
    ) -> Result<(), Problem> {
        if role == Role::Constraints {
            check_constraint(line).map_err(|message| Problem::at(0..0, message))?;
        }
        let requirement = line.requirement(origin);
        self.settings.require_hashes |= !line.hashes.is_empty();
        if let Some(path) = &line.path
            && !self.paths.contains(path)
        {
            self.paths.push(path.clone());
        }
        match role {
            Role::Constraints => self.constraints.push(requirement),
            Role::Requirements => {
                if !line.is_pinned {
                    self.unpinned.push(requirement.clone());
                }
                self.requirements.push(requirement);
            }
        }
        Ok(())
    }
}
