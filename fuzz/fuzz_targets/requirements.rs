#![no_main]
//! Requirements files and `pyproject.toml`: what is before the first NUL is the former.
//!
//! Every place is one of the text, and what is handed on is read again in the same way.

use libfuzzer_sys::{Corpus, fuzz_target};
use python::{
    Gathering, Problem, Reading, Role, check_requirement, gather_requirements, parse_project,
    parse_requirements, suspect_pin,
};

fuzz_target!(|bytes: &[u8]| -> Corpus {
    let Ok(text) = std::str::from_utf8(bytes) else { return Corpus::Reject };
    let (file, project) = text.split_once('\0').unwrap_or((text, ""));
    requirements(file);
    included(file);
    projects(project);
    Corpus::Keep
});

fn environment(name: &str) -> Option<String> {
    (name.len() > 2).then(|| format!("{name} -r é"))
}

fn inside(text: &str, problems: &[Problem]) {
    for problem in problems {
        assert!(text.get(problem.span.clone()).is_some(), "{problem:?}");
    }
}

fn requirements(text: &str) {
    match parse_requirements(text, &environment) {
        Ok(file) => {
            for item in &file.items {
                assert!(text.get(item.span.clone()).is_some(), "{item:?}");
            }
            for one in file.requirements("r.txt") {
                let again = check_requirement(&one.text).expect("what was read once");
                assert_eq!(again.text(), one.text);
                suspect_pin(&one.text);
            }
        }
        Err(problems) => inside(text, &problems),
    }
}

/// Files that are halves of the text, and one that is never known.
fn included(text: &str) {
    let half = (0..=text.len() / 2).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let mut read = |path: &str| match path.len() % 3 {
        0 => Reading::Text(text[..half].into()),
        1 => Reading::Text(text[half..].into()),
        _ => Reading::Unknown,
    };
    if let Ok(Gathering::Lacks(paths)) =
        gather_requirements(&[(Role::Requirements, "a")], &environment, &mut read)
    {
        assert!(!paths.is_empty());
    }
}

fn projects(text: &str) {
    match parse_project(text) {
        Ok(project) => {
            let extras: Vec<_> = project.extras.keys().cloned().collect();
            let groups: Vec<_> = project.groups.keys().cloned().collect();
            if let Err(problem) = project.requirements("pyproject.toml", &extras, &groups) {
                inside(text, &[problem]);
            }
        }
        Err(problems) => inside(text, &problems),
    }
}
