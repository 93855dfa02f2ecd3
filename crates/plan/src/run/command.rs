//! What a `RUN` runs, as whom, where, and with which variables.

use std::collections::BTreeMap;

use bstr::BString;
use layer::Attributes;
use oci::ImagePath;
use recipe::{CommandLine, Owner, OwnerName, Run, Span};
use shell::files::{FileError, Last, NewNode};
use shell::{Command, Data, Files, User};

use super::mounts;
use crate::error::{PlanError, Step, Stop};
use crate::metadata;
use crate::owner::{self, Account};
use crate::stage::StagePlanner;

/// What runs a line in shell form, if no `SHELL` says otherwise (Docker's reference, "SHELL").
const DEFAULT_SHELL: [&str; 2] = ["/bin/sh", "-c"];
/// Where BuildKit puts a here-document that is a script of its own (`dispatchRun`).
const SCRIPTS: &str = "dev/pipes";

/// A command, and what has to be there for it.
pub(super) struct Prepared {
    pub(super) command: Command,
    pub(super) user: User,
    /// A here-document that is a script, by the path that it is run by.
    pub(super) script: Option<(ImagePath, String)>,
}

/// Reads a `RUN` at its line.
pub(super) fn of(planner: &mut StagePlanner<'_, '_>, run: &Run, span: &Span) -> Step<Prepared> {
    let account = account(planner, span)?;
    let (words, script) = words(planner, run);
    let mut environment = planner.state.scope.exported();
    // As runtimes do for a container's first process.
    environment.entry("HOME".to_owned()).or_insert_with(|| account.home.clone());
    let mut environment: BTreeMap<BString, BString> =
        environment.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
    let secrets = mounts::secret_variables(planner, run)?;
    environment.extend(secrets.into_iter().map(|(name, value)| (name.into(), value[..].into())));
    let directory = metadata::working_directory(&planner.state.config);
    let platform = planner.shared.request.platform.clone();
    let command = Command { words, environment, directory, platform };
    let user = User { uid: account.uid, gid: account.gid, groups: account.groups };
    Ok(Prepared { command, user, script })
}

/// Puts what a container's runtime would put there: the working directory, and the script.
pub(super) fn prepare(
    planner: &mut StagePlanner<'_, '_>,
    prepared: &Prepared,
    files: &mut Files,
    span: &Span,
) -> Step<()> {
    let directory = &prepared.command.directory;
    let root = ImagePath::root();
    let placed = (|| {
        let mut at = ImagePath::root();
        for name in directory.components() {
            at = at.join(name);
            let located = files.locate(&root, at.as_bytes(), Last::Followed)?;
            if located.stat.is_none() {
                let attributes = Attributes::root(0o755, files.clock());
                files.put_whole(&located.path, attributes, NewNode::Directory)?;
            }
        }
        if let Some((path, text)) = &prepared.script {
            let attributes = Attributes::root(0o755, files.clock());
            files.mount_file(path, Data::of(text.as_bytes()), attributes)?;
        }
        Ok(())
    })();
    settle(planner, placed, span, || format!("make the working directory `/{directory}`"))
}

/// Turns an error of a file operation into one of the recipe.
pub(super) fn settle<T>(
    planner: &mut StagePlanner<'_, '_>,
    result: Result<T, FileError>,
    span: &Span,
    doing: impl FnOnce() -> String,
) -> Step<T> {
    match result {
        Ok(done) => Ok(done),
        Err(FileError::Stop(shell::Stop::Missing(shell::Missing::Layer { layer, .. }))) => {
            let missing = python::Missing::Layer(layer);
            planner.state.tree.need_missing(missing, &planner.shared.sources, planner.needs);
            Err(Stop::Needs)
        }
        Err(FileError::Errno(errno)) => {
            let message = format!("failed to {}: {errno}", doing());
            Err(PlanError::base(span.clone(), message).into())
        }
        Err(FileError::Stop(stop)) => {
            let why = match stop {
                shell::Stop::Refused(refusal) => refusal.to_string(),
                shell::Stop::Limit(limit) => limit.to_string(),
                shell::Stop::Missing(missing) => format!("{missing:?} is missing"),
            };
            Err(PlanError::base(span.clone(), format!("failed to {}: {why}", doing())).into())
        }
    }
}

/// The program and its arguments; and a here-document that is the program itself.
fn words(planner: &StagePlanner<'_, '_>, run: &Run) -> (Vec<BString>, Option<(ImagePath, String)>) {
    let text = match &run.command {
        CommandLine::Exec(words) => {
            return (words.iter().map(|word| BString::from(word.as_str())).collect(), None);
        }
        CommandLine::Shell(text) => text,
    };
    let trimmed = text.trim();
    let is_alone = trimmed.starts_with("<<") && !trimmed.contains(char::is_whitespace);
    let line = match run.heredocs.as_slice() {
        [] => text.clone(),
        [script] if is_alone && script.content.starts_with("#!") => {
            let path = ImagePath::lexical(SCRIPTS).join(&script.name);
            let words = vec![BString::from(format!("/{path}"))];
            return (words, Some((path, script.content.clone())));
        }
        [script] if is_alone => script.content.clone(),
        several => {
            let mut line = text.clone();
            for heredoc in several {
                line.push('\n');
                line.push_str(&heredoc.content);
                line.push_str(&heredoc.name);
            }
            line
        }
    };
    let shell = planner.state.config.shell().unwrap_or_default();
    let mut words: Vec<BString> = match shell.is_empty() {
        true => DEFAULT_SHELL.map(BString::from).to_vec(),
        false => shell.into_iter().map(BString::from).collect(),
    };
    words.push(line.into());
    (words, None)
}

/// Who runs it: the stage's `USER`, as runtimes look it up in the image.
fn account(planner: &mut StagePlanner<'_, '_>, span: &Span) -> Step<Account> {
    let user = planner.state.config.user().filter(|user| !user.is_empty()).map(str::to_owned);
    let owner = match user {
        None => Owner { user: OwnerName::Id(0), group: None },
        Some(user) => Owner::parse(&user).map_err(|error| {
            PlanError::recipe(span.clone(), format!("the USER `{user}` is none: {error}"))
        })?,
    };
    owner::account(planner, &owner, span)
}
