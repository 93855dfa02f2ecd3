//! `cargo xtask tidy`: the rules of this code base that no compiler knows.
//!
//! They are textual, cheap and few. What clippy or rustc can check is checked there.

mod dependencies;
mod text;

use std::fs;
use std::path::PathBuf;

use testbed::{Failure, Result, program, stdout};

use crate::{Outcome, cargo};

pub fn run(arguments: &[String]) -> Outcome {
    if !arguments.is_empty() {
        return Err(Failure::new("tidy takes no arguments"));
    }
    let files = tracked_files()?;
    let mut complaints = dependencies::check(&cargo::packages()?);
    complaints.extend(files.iter().flat_map(text::check));
    complaints.extend(fixtures_without_readme(&files));
    if complaints.is_empty() {
        println!("{} files are tidy", files.len());
        return Ok(());
    }
    for complaint in &complaints {
        eprintln!("{complaint}");
    }
    Err(Failure::new(format!("{} things are not tidy", complaints.len())))
}

/// A file of the repository that holds text.
pub struct SourceFile {
    /// From the root of the workspace.
    pub path: String,
    /// All of it.
    pub text: String,
}

/// What git tracks or would track; what is binary, deleted or a link is left out.
fn tracked_files() -> Result<Vec<SourceFile>> {
    let root = cargo::root();
    let mut git = program("git");
    git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]).current_dir(&root);
    let listed = stdout(&mut git)?;
    let paths = listed.split('\0').filter(|path| !path.is_empty());
    Ok(paths.filter_map(|path| read_text(root.join(path), path)).collect())
}

fn read_text(full: PathBuf, path: &str) -> Option<SourceFile> {
    let is_file = fs::symlink_metadata(&full).is_ok_and(|metadata| metadata.is_file());
    let text = is_file.then(|| fs::read_to_string(&full).ok()).flatten()?;
    Some(SourceFile { path: path.to_owned(), text })
}

/// Each folder of `fixtures/` says how it was made.
fn fixtures_without_readme(files: &[SourceFile]) -> Vec<String> {
    let folder = |file: &SourceFile| {
        let (name, _) = file.path.strip_prefix("fixtures/")?.split_once('/')?;
        Some(name.to_owned())
    };
    let mut folders: Vec<_> = files.iter().filter_map(folder).collect();
    folders.sort();
    folders.dedup();
    folders.retain(|name| {
        let readme = format!("fixtures/{name}/README.md");
        !files.iter().any(|file| file.path == readme)
    });
    folders.iter().map(|name| format!("fixtures/{name}: has no README.md")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_repository_is_tidy() {
        run(&[]).unwrap();
    }

    #[test]
    fn fixture_folders_want_a_readme() {
        let file = |path: &str| SourceFile { path: path.into(), text: String::new() };
        let files = [file("fixtures/a/README.md"), file("fixtures/a/b/c"), file("fixtures/d/e")];
        assert_eq!(fixtures_without_readme(&files), ["fixtures/d: has no README.md"]);
    }
}
