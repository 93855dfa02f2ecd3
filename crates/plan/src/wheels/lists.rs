//! Lists of requirements: those in the recipe itself, and the files that it names.

use std::collections::BTreeSet;

use python::{FileProblem, Gathered, Gathering, Problem, Reading, Role, Statement};
use recipe::{PythonPackages, Span, Spanned};

use super::{asked, files};
use crate::error::{PlanError, Step, Stop};
use crate::stage::StagePlanner;

/// Inline requirements and constraints, and the files of both.
pub(super) fn requirements(
    planner: &mut StagePlanner<'_, '_>,
    asked: &PythonPackages,
) -> Step<Gathered> {
    let mut own = Gathered::default();
    inline(planner, Role::Requirements, &asked.requirements, &mut own)?;
    inline(planner, Role::Constraints, &asked.constraints, &mut own)?;
    let files = asked.requirements_files.iter().map(|file| (Role::Requirements, file));
    let files = files.chain(asked.constraint_files.iter().map(|file| (Role::Constraints, file)));
    Ok(together(own, gather(planner, &files.collect::<Vec<_>>())?))
}

/// Inline overrides, and their files. What those set holds for nothing.
pub(super) fn overrides(
    planner: &mut StagePlanner<'_, '_>,
    asked: &PythonPackages,
) -> Step<Gathered> {
    let mut own = Gathered::default();
    inline(planner, Role::Requirements, &asked.overrides, &mut own)?;
    let files = asked.override_files.iter().map(|file| (Role::Requirements, file));
    Ok(together(own, gather(planner, &files.collect::<Vec<_>>())?))
}

fn together(mut own: Gathered, files: Gathered) -> Gathered {
    let Gathered { requirements, constraints, mut settings, paths, unpinned } = files;
    settings.require_hashes |= own.settings.require_hashes;
    own.settings = settings;
    own.requirements.extend(requirements);
    own.constraints.extend(constraints);
    own.paths.extend(paths);
    own.unpinned.extend(unpinned);
    own
}

/// Requirements that stand in the recipe itself.
fn inline(
    planner: &StagePlanner<'_, '_>,
    role: Role,
    written: &[Spanned<String>],
    gathered: &mut Gathered,
) -> Step<()> {
    let variable = |name: &str| planner.shared.facts.environment.get(name).cloned();
    for requirement in written {
        let refused = |problem: Problem| {
            let error = PlanError::recipe(requirement.span.clone(), problem.message);
            Stop::from(hinted(error, problem.hint))
        };
        let parsed = python::parse_requirements(&requirement.node, &variable)
            .map_err(|mut problems| refused(problems.remove(0)))?;
        let origin = asked::origin(planner, &requirement.span);
        for item in parsed.items {
            let Statement::Requirement(line) = item.statement else {
                let message = "an option is no requirement; `[python]` has keys for them";
                return Err(PlanError::recipe(requirement.span.clone(), message).into());
            };
            gathered.add(role, &line, origin.clone()).map_err(refused)?;
        }
    }
    Ok(())
}

/// Files with all that they include.
fn gather(
    planner: &mut StagePlanner<'_, '_>,
    files: &[(Role, &Spanned<String>)],
) -> Step<Gathered> {
    let Some((_, first)) = files.first() else { return Ok(Gathered::default()) };
    let environment = &planner.shared.facts.environment;
    let roots: Vec<(Role, &str)> =
        files.iter().map(|(role, file)| (*role, file.node.as_str())).collect();
    let mut unread: BTreeSet<String> = BTreeSet::new();
    let mut read = |path: &str| match files::requirements_text(planner, path, &first.span) {
        Ok(text) => Reading::Text(text),
        Err(Stop::Error(error)) => {
            unread.insert(path.to_owned());
            let recipe::Diagnostic { message, hint, .. } = error.diagnostic;
            Reading::Failed { message, hint }
        }
        Err(Stop::Needs | Stop::Execution) => Reading::Unknown,
    };
    let variable = |name: &str| environment.get(name).cloned();
    match python::gather_requirements(&roots, &variable, &mut read) {
        Ok(Gathering::Whole(gathered)) => Ok(gathered),
        Ok(Gathering::Lacks(_)) => Err(Stop::Needs),
        Err(problems) => {
            let is_root = |file: &&Spanned<String>, found: &FileProblem| {
                oci::ImagePath::lexical(&file.node) == oci::ImagePath::lexical(&found.file)
            };
            let mut named = problems.iter().filter_map(|found| {
                files.iter().map(|(_, file)| *file).find(|file| is_root(file, found))
            });
            let span = named.next().map_or(&first.span, |file| &file.span).clone();
            Err(refused(&problems, &unread, &span))
        }
    }
}

/// What is wrong with the file `name`, which `span` asks for.
pub(super) fn of_file(problems: Vec<Problem>, name: &str, span: &Span) -> Stop {
    let found = |problem| FileProblem { file: name.to_owned(), problem };
    let problems: Vec<FileProblem> = problems.into_iter().map(found).collect();
    refused(&problems, &BTreeSet::new(), span)
}

/// All that is wrong with files, a line each. Of several problems each has its hint beside it. For
/// what is wrong with a whole file, or with `unread` ones, there is no line to name.
fn refused(problems: &[FileProblem], unread: &BTreeSet<String>, span: &Span) -> Stop {
    let line = |FileProblem { file, problem }: &FileProblem| match &problem.message {
        message if unread.contains(file) => message.clone(),
        message if problem.line == 1 && problem.span.is_empty() => format!("{file}: {message}"),
        message => format!("{file}:{}: {message}", problem.line),
    };
    if let [one] = problems {
        let error = PlanError::files(span.clone(), line(one));
        return hinted(error, one.problem.hint.clone()).into();
    }
    let lines = problems.iter().map(|found| match &found.problem.hint {
        Some(hint) => format!("{} ({hint})", line(found)),
        None => line(found),
    });
    PlanError::files(span.clone(), lines.collect::<Vec<_>>().join("\n")).into()
}

fn hinted(error: PlanError, hint: Option<String>) -> PlanError {
    match hint {
        Some(hint) => error.with_hint(hint),
        None => error,
    }
}
