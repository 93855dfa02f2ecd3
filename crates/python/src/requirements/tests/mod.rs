//! Text in, items or findings out.

use std::fmt::Write as _;

use super::{RequirementsFile, Setting, Statement, parse_requirements};
use crate::Problem;

mod files;
mod gathering;
mod lists;
mod properties;
mod refusals;
mod shapes;

/// Values of some variables.
fn environment(name: &str) -> Option<String> {
    let value = match name {
        "TOKEN" => "user:SECRET",
        "VERSION" => "1.2.3",
        "NESTED" => "${VERSION}",
        "LINE" => "a==1 --pre",
        "EMPTY" => "",
        _ => return None,
    };
    Some(value.to_owned())
}

/// What a file says, or what is wrong with it, an item a line.
fn shown(text: &str) -> String {
    match parse_requirements(text, &environment) {
        Ok(file) => items(&file),
        Err(problems) => findings(text, &problems),
    }
}

fn items(file: &RequirementsFile) -> String {
    let lines: Vec<_> = file
        .items
        .iter()
        .map(|item| {
            let mut shown = match &item.statement {
                Statement::Requirement(line) => line.text.clone(),
                Statement::Include(path) => format!("-r {path}"),
                Statement::Constraint(path) => format!("-c {path}"),
                Statement::Setting(setting) => setting_shown(setting),
            };
            if let Statement::Requirement(line) = &item.statement {
                for hash in &line.hashes {
                    let _ = write!(shown, " #{}", &hash[..hash.len().min(12)]);
                }
                if let Some(path) = &line.path {
                    let _ = write!(shown, " (at {path})");
                }
            }
            format!("{} {shown}", item.line)
        })
        .collect();
    lines.join("\n")
}

fn setting_shown(setting: &Setting) -> String {
    format!("{setting:?}")
}

/// Each with its line, the text that it points at, and its hint.
fn findings(text: &str, problems: &[Problem]) -> String {
    let lines: Vec<_> = problems
        .iter()
        .map(|problem| {
            let place = &text[problem.span.clone()];
            let hint = problem.hint.as_ref().map(|hint| format!(" | {hint}")).unwrap_or_default();
            format!("{} «{place}» {}{hint}", problem.line, problem.message)
        })
        .collect();
    lines.join("\n")
}

/// Every place is one of the text, and things stand in its order.
fn check_places(text: &str) {
    match parse_requirements(text, &environment) {
        Ok(file) => {
            let mut last = 0;
            for item in &file.items {
                assert!(text.get(item.span.clone()).is_some(), "{item:?} of {text:?}");
                assert!(item.line >= last.max(1), "{item:?} of {text:?}");
                last = item.line;
            }
        }
        Err(problems) => {
            assert!(!problems.is_empty());
            for problem in &problems {
                assert!(text.get(problem.span.clone()).is_some(), "{problem:?} of {text:?}");
                assert!(!problem.message.is_empty() && problem.line > 0);
            }
        }
    }
}
