//! What one line says: a requirement with options of its own, or options for all.

use super::lines::Line;
use super::location::{self, ALGORITHMS};
use super::options::{Given, Kind, options};
use super::shape::{Wanted, check_requirement};
use super::{RequirementLine, Setting, Statement, name_of, shown, words};
use crate::{IndexUrl, Problem, Span};

/// What pip has a `--use-feature` for that changes nothing here: some are always on by now, and
/// the others are about how files are fetched.
const FEATURES: [&str; 7] = [
    "2020-resolver",
    "fast-deps",
    "in-tree-build",
    "inprocess-build-deps",
    "no-binary-enable-wheel-cache",
    "out-of-tree-build",
    "truststore",
];

/// Whether a name behind pip's `--use-feature` is of one that changes nothing here.
pub fn is_harmless_feature(name: &str) -> bool {
    FEATURES.contains(&name)
}

/// Reads a line. Places are in its text.
pub(super) fn contents(line: &Line, problems: &mut Vec<Problem>) -> Vec<(Span, Statement)> {
    let text = &line.text;
    let end = options_start(text);
    let mut given = match words::split(&text[end..]) {
        Ok(mut words) => {
            for word in &mut words {
                word.span = word.span.start + end..word.span.end + end;
            }
            options(words, problems)
        }
        Err(mut problem) => {
            problem.span = problem.span.start + end..problem.span.end + end;
            problems.push(problem);
            Vec::new()
        }
    };
    let written = text[..end].trim_end();
    if written.is_empty() {
        return given.drain(..).filter_map(|option| alone(option, problems)).flatten().collect();
    }
    let mut contents = Vec::new();
    let hashes = options_of(given, problems, &mut contents);
    match check_requirement(written) {
        Ok(shape) => {
            let mut hashes = hashes;
            hashes.extend(shape.hash.clone());
            let is_pinned = shape.is_pinned(&hashes);
            let path = match &shape.wanted {
                Wanted::Path(path) => Some(path.clone()),
                _ => None,
            };
            let requirement = RequirementLine {
                text: shape.text(),
                name: name_of(&shape),
                has_extras: !shape.extras.is_empty(),
                hashes,
                path,
                is_pinned,
            };
            contents.insert(0, (0..text.len(), Statement::Requirement(requirement)));
        }
        Err(problem) => problems.push(problem),
    }
    contents
}

/// Where the options of a line begin: at the first word with a hyphen before it. Markers are in
/// front of them and are not split into words, for their quotes mean something else.
fn options_start(text: &str) -> usize {
    let begins = |at: &usize| text[..*at].chars().next_back().is_none_or(char::is_whitespace);
    text.match_indices('-').map(|(at, _)| at).find(begins).unwrap_or(text.len())
}

/// What an option on a line of its own says.
fn alone(option: Given, problems: &mut Vec<Problem>) -> Option<Vec<(Span, Statement)>> {
    let span = option.span.clone();
    let content = match option.kind {
        Kind::Requirement => include(option).map(Statement::Include),
        Kind::Constraint => include(option).map(Statement::Constraint),
        Kind::Editable => Err(editable(&option)),
        Kind::Hash => Err(Problem::at(span.clone(), "there is a `--hash` and no requirement")
            .with_hint(
                "end the line before with `\\`; a comment between ends what is to be continued",
            )),
        _ => match setting(&option) {
            Ok(Some(setting)) => Ok(Statement::Setting(setting)),
            Ok(None) => return None,
            Err(problem) => Err(problem),
        },
    };
    match content {
        Ok(content) => Some(vec![(span, content)]),
        Err(problem) => {
            problems.push(problem);
            None
        }
    }
}

fn include(option: Given) -> Result<String, Problem> {
    if option.value.is_empty() {
        return Err(Problem::at(option.span, format!("`{}` names no file", option.name)));
    }
    if location::is_remote(&option.value) {
        let problem = Problem::at(option.span, format!("`{}` names an address", option.name));
        return Err(problem.with_hint("keep the file in the context, and name its path"));
    }
    Ok(location::file_path(&option.value).unwrap_or(option.value))
}

fn editable(option: &Given) -> Problem {
    let problem =
        Problem::at(option.span.clone(), "an editable requirement has no place in an image");
    let value = option.value.as_str();
    if location::is_version_control(value) || location::is_remote(value) {
        return problem.with_hint(
            "pin a release, name a wheel that is built from it, or install from a lock \
             (`uv lock`)",
        );
    }
    problem.with_hint(
        "for the project in the context write `project = \".\"`; for another, build a wheel and \
         name that",
    )
}

/// What an option sets for all requirements; nothing if it changes nothing here.
fn setting(option: &Given) -> Result<Option<Setting>, Problem> {
    let value = || option.value.clone();
    let refused = |message: String| Problem::at(option.span.clone(), message);
    if option.kind.takes_value() && option.value.trim().is_empty() {
        return Err(refused(format!("the value of `{}` is empty", option.name)));
    }
    Ok(Some(match option.kind {
        Kind::IndexUrl => Setting::IndexUrl(index(option)?),
        Kind::ExtraIndexUrl => Setting::ExtraIndexUrl(index(option)?),
        Kind::FindLinks => Setting::FindLinks(IndexUrl::new(value())),
        Kind::NoIndex => Setting::NoIndex,
        Kind::Prereleases => Setting::Prereleases,
        Kind::RequireHashes => Setting::RequireHashes,
        Kind::TrustedHost => Setting::TrustedHost(value()),
        Kind::NoBinary => Setting::NoBinary(distributions(option)?),
        Kind::OnlyBinary => Setting::OnlyBinary(distributions(option)?),
        // Wheels are preferred anyway.
        Kind::PreferBinary => return Ok(None),
        Kind::Feature if FEATURES.contains(&option.value.as_str()) => return Ok(None),
        Kind::Feature => {
            let problem = refused(format!("there is no feature `{}`", shown(&option.value)));
            return Err(problem.with_suggestion(&option.value, FEATURES));
        }
        Kind::GlobalOption | Kind::ConfigSettings => {
            return Err(refused(format!("`{}` is for builds of sources", option.name))
                .with_hint("build a wheel with it, and name that"));
        }
        Kind::Requirement | Kind::Constraint | Kind::Editable | Kind::Hash => {
            let problem = refused(format!("`{}` stands behind a requirement", option.name));
            return Err(problem.with_hint("give it a line of its own"));
        }
    }))
}

fn index(option: &Given) -> Result<IndexUrl, Problem> {
    let is_known = option.value.split_once("://").is_some_and(|(scheme, rest)| {
        !rest.is_empty() && ["http", "https", "file"].contains(&&*scheme.to_ascii_lowercase())
    });
    if is_known {
        return Ok(IndexUrl::new(option.value.trim()));
    }
    let message = format!("`{}` takes an `https:` address", option.name);
    let problem = Problem::at(option.span.clone(), message);
    Err(match option.value.find("${") {
        Some(_) => problem.with_hint("a variable in it has no value"),
        None => problem,
    })
}

/// Names between commas, or `:all:` or `:none:`.
fn distributions(option: &Given) -> Result<Vec<String>, Problem> {
    let names = option.value.split(',').map(str::trim).filter(|name| !name.is_empty());
    let check = |name: &str| {
        if matches!(name, ":all:" | ":none:") {
            return Ok(name.to_owned());
        }
        match super::check_name(name, 0..name.len()) {
            Ok(()) => Ok(name.to_owned()),
            Err(problem) => Err(Problem::at(option.span.clone(), problem.message)
                .with_hint("it takes names with commas between, or `:all:`, or `:none:`")),
        }
    };
    names.map(check).collect()
}

/// The hashes of a requirement. What pip takes behind one and applies to all goes to `contents`,
/// and what it leaves out without a word is a problem.
fn options_of(
    given: Vec<Given>,
    problems: &mut Vec<Problem>,
    contents: &mut Vec<(Span, Statement)>,
) -> Vec<String> {
    let mut hashes = Vec::new();
    for option in given {
        let span = option.span.clone();
        match option.kind {
            Kind::Hash => match hash(&option) {
                Ok(hash) => hashes.push(hash),
                Err(problem) => problems.push(problem),
            },
            Kind::NoBinary | Kind::OnlyBinary | Kind::GlobalOption | Kind::ConfigSettings => {
                match setting(&option) {
                    Ok(setting) => {
                        contents.extend(setting.map(|setting| (span, Statement::Setting(setting))));
                    }
                    Err(problem) => problems.push(problem),
                }
            }
            _ => {
                let message = format!("`{}` stands behind a requirement", option.name);
                let problem = Problem::at(span, message);
                problems.push(problem.with_hint("give it a line of its own"));
            }
        }
    }
    hashes
}

/// `ALGORITHM:DIGEST` in small letters.
fn hash(option: &Given) -> Result<String, Problem> {
    let refused = |message: String| Problem::at(option.span.clone(), message);
    let hint = "it is written `--hash=sha256:DIGEST`";
    let Some((algorithm, digest)) = option.value.split_once(':') else {
        return Err(refused("the hash names no algorithm".to_owned()).with_hint(hint));
    };
    let Some((_, length)) = ALGORITHMS.iter().find(|(known, _)| *known == algorithm) else {
        let message = format!("the hash algorithm `{}` is not taken", shown(algorithm));
        return Err(refused(message).with_hint("use sha256, sha384 or sha512"));
    };
    if let Some(odd) = digest.chars().find(|character| !character.is_ascii_hexdigit()) {
        return Err(refused(format!("`{odd}` is no digit of a hash")).with_hint(hint));
    }
    if digest.len() != *length {
        let found = digest.len();
        let message = format!("a {algorithm} digest has {length} digits, and this has {found}");
        return Err(refused(message));
    }
    Ok(format!("{algorithm}:{}", digest.to_ascii_lowercase()))
}
