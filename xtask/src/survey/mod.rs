//! `cargo xtask survey DIRECTORY`: how many `RUN` lines of public Dockerfiles are assembled.
//!
//! The list of Dockerfiles is in `fixtures/survey`; their texts are in DIRECTORY and in no
//! repository of ours. What comes of it is `docs/run-lines.md`, which says how it is done.

mod commands;
mod image;
mod judge;
mod lines;
mod outside;
mod packages;
mod report;
mod sources;
#[cfg(test)]
mod tests;

use std::fs;
use std::path::Path;

use testbed::Failure;

use crate::{Outcome, cargo};
use image::Images;
use report::Surveyed;
use sources::Source;

/// Where the list of Dockerfiles is.
const LIST: &str = "fixtures/survey/list.tsv";
/// Where the document goes.
const DOCUMENT: &str = "docs/run-lines.md";
/// Parsers of what is nested go down by recursion; a main thread's stack may be set small.
const STACK: usize = 64 << 20;

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
enum Output {
    /// The document, of all Dockerfiles.
    Document,
    /// The document of those that are there, printed.
    Partial,
    /// Everything that is in the way, printed.
    Obstacles,
}

/// Surveys the Dockerfiles whose texts are in a directory.
pub fn run(arguments: &[String]) -> Outcome {
    let (directory, output) = match arguments {
        [directory] => (directory, Output::Document),
        [directory, flag] if flag == "--partial" => (directory, Output::Partial),
        [directory, flag] if flag == "--obstacles" => (directory, Output::Obstacles),
        _ => return Err(Failure::new("survey wants a directory, and --partial or --obstacles")),
    };
    let list = cargo::root().join(LIST);
    let list = fs::read_to_string(&list).map_err(Failure::doing("read the list"))?;
    let sources = sources::parse(&list)?;
    let listed = sources.len();
    let brought = sources::read(sources, Path::new(directory));
    for complaint in &brought.complaints {
        eprintln!("{complaint}");
    }
    if !brought.complaints.is_empty() && output == Output::Document {
        let count = brought.complaints.len();
        return Err(Failure::new(format!(
            "{count} of {listed} texts are missing or others; --partial prints what can be said"
        )));
    }
    let surveyed = on_a_large_stack(brought.texts)?;
    match output {
        Output::Obstacles => print!("{}", report::obstacles(&surveyed)),
        Output::Partial => print!("{}", report::document(&surveyed, listed)),
        Output::Document => {
            let document = report::document(&surveyed, listed);
            fs::write(cargo::root().join(DOCUMENT), document)
                .map_err(Failure::doing("write the document"))?;
            println!("{DOCUMENT}: {} Dockerfiles", surveyed.len());
        }
    }
    Ok(())
}

fn on_a_large_stack(texts: Vec<(Source, String)>) -> testbed::Result<Vec<Surveyed>> {
    let survey_all = move || {
        let images = Images::new();
        texts.into_iter().map(|(source, text)| survey(source, &text, &images)).collect()
    };
    let thread = std::thread::Builder::new().stack_size(STACK).spawn(survey_all);
    let thread = thread.map_err(Failure::doing("start a thread"))?;
    thread.join().map_err(|_| Failure::new("looking at a Dockerfile ended in a panic"))
}

/// Looks at one Dockerfile.
fn survey(source: Source, text: &str, images: &Images) -> Surveyed {
    let lines = match recipe::parse_dockerfile(text) {
        Err(errors) => {
            let first = errors.first().map(|error| error.message.clone());
            Err(first.unwrap_or_default())
        }
        Ok(parsed) => {
            let lines = lines::lines_of(&parsed.recipe).into_iter();
            Ok(lines.map(|line| (line.base.clone(), judge::judge(&line, images))).collect())
        }
    };
    Surveyed { source, lines }
}
