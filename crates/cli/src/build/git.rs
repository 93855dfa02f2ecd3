//! Git repositories that an `ADD` names, checked out by the `git` program of this machine.

use std::path::Path;
use std::process::Command;

use context::Context;
use plan::GitSource;

use super::error::BuildError;
use super::scratch_directory;
use crate::error::Error;
use crate::session::Session;

/// Checks a repository out, without history.
///
/// `pinned` is the commit that the reference named. Which commit it is comes with the tree.
pub(super) fn check_out(
    session: &Session,
    source: &GitSource,
    pinned: Option<&str>,
) -> Result<(Context, String), Error> {
    session.online(&source.url)?;
    let scratch = scratch_directory(session)?;
    let directory = tempfile::Builder::new()
        .prefix("git-")
        .tempdir_in(&scratch)
        .map_err(Error::writing(&scratch))?;
    let tree = directory.path();
    let step = session.progress.step(format!("check out {}", source.url), None);
    let reference = pinned.or(source.reference.as_deref()).unwrap_or("HEAD");
    run(source, tree, &["init", "--quiet"])?;
    run(source, tree, &["remote", "add", "origin", "--", &source.url])?;
    fetch(source, tree, reference)?;
    run(source, tree, &["checkout", "--quiet", "--detach", "FETCH_HEAD"])?;
    let commit = run(source, tree, &["rev-parse", "HEAD"])?.trim().to_owned();
    if let Some(wanted) = &source.checksum
        && !commit.starts_with(wanted.as_str())
    {
        let problem = format!("`{reference}` is commit {commit}, and {wanted} was asked for");
        return Err(BuildError::Git { url: source.url.clone(), problem }.into());
    }
    run(source, tree, &["submodule", "--quiet", "update", "--init", "--recursive", "--depth=1"])?;
    if !source.keep_git_dir {
        let git = tree.join(".git");
        std::fs::remove_dir_all(&git).map_err(Error::writing(git))?;
    }
    let root = match &source.directory {
        Some(directory) => tree.join(oci::ImagePath::lexical(directory).to_string()),
        None => tree.to_owned(),
    };
    let context = Context::directory(&root).map_err(BuildError::from)?;
    // The files are read until the build is over; the scratch space goes with the process.
    let _kept = directory.keep();
    step.finish(crate::progress::Outcome::Done);
    Ok((context, commit))
}

/// The commit that a repository's reference names now; nothing if there is none.
pub(super) fn commit_now(session: &Session, source: &GitSource) -> Result<Option<String>, Error> {
    session.online(&source.url)?;
    let scratch = scratch_directory(session)?;
    let reference = source.reference.as_deref().unwrap_or("HEAD");
    if is_commit(reference) {
        return Ok(Some(reference.to_owned()));
    }
    let listed = run(source, &scratch, &["ls-remote", "--", &source.url])?;
    // Of an annotated tag, the commit is listed behind the tag itself (git-ls-remote(1)).
    let names = ["", "refs/heads/", "refs/tags/"].map(|kind| format!("{kind}{reference}"));
    let mut found = None;
    for line in listed.lines() {
        let Some((commit, name)) = line.split_once('\t') else { continue };
        let name = name.strip_suffix("^{}").unwrap_or(name);
        if names.iter().any(|wanted| wanted == name) {
            found = Some(commit.to_owned());
        }
    }
    Ok(found)
}

/// Whether a reference can only be a commit's whole name.
fn is_commit(reference: &str) -> bool {
    reference.len() >= 40 && reference.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// A branch, a tag or a commit. Servers that do not give out single commits give all.
fn fetch(source: &GitSource, tree: &Path, reference: &str) -> Result<(), Error> {
    let shallow = run(source, tree, &["fetch", "--quiet", "--depth=1", "origin", "--", reference]);
    if shallow.is_ok() {
        return Ok(());
    }
    let is_commit = reference.len() >= 7 && reference.bytes().all(|b| b.is_ascii_hexdigit());
    if !is_commit {
        return shallow.map(drop);
    }
    run(source, tree, &["fetch", "--quiet", "--tags", "origin"])?;
    run(source, tree, &["fetch", "--quiet", ".", &format!("{reference}^{{commit}}")])
        .or_else(|_| run(source, tree, &["update-ref", "FETCH_HEAD", reference]))
        .map(drop)
}

/// Runs `git`, and gives what it says.
fn run(source: &GitSource, tree: &Path, arguments: &[&str]) -> Result<String, Error> {
    let fail = |problem: String| Err(BuildError::Git { url: source.url.clone(), problem }.into());
    let output = Command::new("git")
        .arg("-C")
        .arg(tree)
        // Nobody is there to be asked for a password, and no hook or helper of a repository runs.
        .env("GIT_TERMINAL_PROMPT", "0")
        .args(["-c", "core.hooksPath=/dev/null", "-c", "core.autocrlf=false"])
        .args(["-c", "protocol.ext.allow=never", "-c", "advice.detachedHead=false"])
        .args(arguments)
        .output();
    match output {
        Ok(output) if output.status.success() => {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        }
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            fail(said.lines().last().unwrap_or("git failed").to_owned())
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            fail("there is no `git` on this machine".to_owned())
        }
        Err(error) => fail(error.to_string()),
    }
}
