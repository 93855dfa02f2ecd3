//! `RUN`: a command line over the stage's files, evaluated and never executed.
//!
//! The [`shell`] evaluates; what it has to know is asked for like any other fact, and evaluation
//! begins anew once it is there. What it comes to is a list of changed paths, which become a layer
//! as those of a `COPY` do. So a layer's key says what is in it, and not how it came about.

mod command;
mod debian;
mod installed;
mod lay;
mod mounts;
mod outside;
mod packages;
mod pip;
mod redaction;
mod report;

use std::sync::Arc;

use recipe::{Diagnostic, Run, Severity, Span};
use shell::{Files, Limits, Outcome};

use crate::error::{PlanError, Step};
use crate::key::Form;
use crate::metadata;
use crate::outcome::{Becomes, Execution, Unassembled};
use crate::stage::StagePlanner;
use installed::Kind;
pub use outside::LARGEST_TEXT;
use outside::{Installs, Network, RunOutside};
pub(crate) use packages::plan_debian;
use redaction::Redaction;

/// Plans a `RUN`.
pub(crate) fn plan_run(
    planner: &mut StagePlanner<'_, '_>,
    run: &Run,
    text: &str,
    span: &Span,
) -> Step<Becomes> {
    if planner.state.tree.is_executed() {
        return Ok(Becomes::NeedsExecution(Box::new(Unassembled::Earlier.into())));
    }
    let anew = |planner: &mut StagePlanner<'_, '_>| {
        let redaction = Redaction::of(planner, run);
        match evaluate(planner, run, &redaction, span) {
            Ok(Evaluated::Done(done)) => finish(planner, *done, &redaction, text, span),
            Ok(Evaluated::Not(execution)) => Ok(Becomes::NeedsExecution(Box::new(execution))),
            Err(stop) => Err(stop),
        }
    };
    match form(planner, run, text)? {
        Some(form) => planner.recalled(form, span, anew),
        None => anew(planner),
    }
}

/// All that a line's outcome depends on beside what lies below it; `None` if that cannot be said, or
/// must not be.
fn form(planner: &mut StagePlanner<'_, '_>, run: &Run, text: &str) -> Step<Option<Form>> {
    let Some(mounted) = mounts::identities(planner, run)? else { return Ok(None) };
    if !run.devices.is_empty() {
        return Ok(None);
    }
    let mut form = Form::new();
    form.text(b"RUN");
    form.text(text.as_bytes());
    form.number(run.heredocs.len() as u64);
    for heredoc in &run.heredocs {
        form.text(heredoc.content.as_bytes());
    }
    form.end_kind();
    for identity in &mounted {
        form.digests(identity);
    }
    let config = &planner.state.config;
    form.optional(config.user().map(str::as_bytes));
    form.text(metadata::working_directory(config).as_bytes());
    let shell = config.shell().unwrap_or_default();
    form.number(shell.len() as u64);
    for word in &shell {
        form.text(word.as_bytes());
    }
    let exported = planner.state.scope.exported();
    form.number(exported.len() as u64);
    for (name, value) in exported {
        form.text(name.as_bytes());
        form.text(value.as_bytes());
    }
    Ok(Some(form))
}

/// How an evaluation ended that lacked nothing.
enum Evaluated {
    /// It came to its end.
    Done(Box<Done>),
    /// It did not.
    Not(Execution),
}

/// What an evaluation came to.
struct Done {
    outcome: Outcome,
    trees: mounts::Trees,
    installs: Installs,
    /// What stands in front of Debian packages in their layers' titles.
    verb: &'static str,
}

fn evaluate(
    planner: &mut StagePlanner<'_, '_>,
    run: &Run,
    redaction: &Redaction,
    span: &Span,
) -> Step<Evaluated> {
    if let Some(device) = run.devices.first() {
        let refusal = shell::Refusal {
            command: format!("--device={}", device.text),
            reason: shell::Reason::Machine("a device is this machine's".to_owned()),
            line: None,
            within: None,
        };
        return Ok(Evaluated::Not(Unassembled::Refused(refusal).into()));
    }
    let command = command::of(planner, run, span)?;
    let root = planner.state.tree.root().clone();
    let clock = planner.shared.request.timestamp;
    let limits = Limits::default();
    let mut files = Files::new(root, command.user.clone(), clock, limits);
    let trees = mounts::mount(planner, run, &command, &mut files, span)?;
    command::prepare(planner, &command, &mut files, span)?;
    let outside = RunOutside::new(planner, Network::of(run), &trees, redaction, span);
    let (ended, outcome) = shell::attempt(command.command, files, &outside, limits);
    Ok(match outside.conclude(ended, outcome)? {
        Ok((outcome, installs)) => {
            let verb = "RUN apt-get install";
            Evaluated::Done(Box::new(Done { outcome, trees, installs, verb }))
        }
        Err(execution) => Evaluated::Not(execution),
    })
}

/// The layers of what came of it.
fn finish(
    planner: &mut StagePlanner<'_, '_>,
    done: Done,
    redaction: &Redaction,
    text: &str,
    span: &Span,
) -> Step<Becomes> {
    let Done { outcome, trees, installs, verb } = done;
    if outcome.status != 0 {
        return Err(failed(&outcome, redaction, span).into());
    }
    let report = Arc::new(report::of(&outcome, redaction));
    for fetch in outcome.fetches.iter().filter(|fetch| !fetch.is_verified) {
        warn_of_fetch(planner, fetch, redaction, span);
    }
    let doing = || "list what the line has changed".to_owned();
    let changes = command::settle(planner, outcome.files.changes(), span, doing)?;
    redaction.refuse_leaks(&changes, span)?;
    lay::add_sources(planner, &changes, &outcome.archives, &trees, redaction);
    for installed in &installs.debs {
        planner.reads.note_deb(&installed.deb);
    }
    let packing = planner.shared.request.packing;
    let debs = installs.debs.iter().map(|installed| debian::laid(installed, packing));
    let mut debs: Vec<_> = debs.collect();
    // In which order they were installed makes no difference.
    debs.sort_by(|one, two| one.pin.cmp(&two.pin));
    let wheels = installs.wheels.iter().map(|install| install.installed(packing));
    let kinds = [
        Kind { verb, packages: debs },
        Kind { verb: "RUN pip install", packages: wheels.collect() },
    ];
    let (packages, rest) = installed::layers(planner, &kinds, changes)?;
    let mut layers = lay::lay(planner, rest, text)?;
    for package in packages {
        planner.state.tree.push(Arc::clone(&package));
        layers.push(package);
    }
    Ok(Becomes::Ran { layers, report })
}

/// The command came to its end, and its answer is no success.
fn failed(outcome: &Outcome, redaction: &Redaction, span: &Span) -> PlanError {
    let said = report::last_lines(&outcome.transcript, redaction);
    let status = outcome.status;
    let error = PlanError::command(
        span.clone(),
        match said.is_empty() {
            true => format!("the command fails with exit status {status} and says nothing"),
            false => format!("the command fails with exit status {status}:\n{said}"),
        },
    );
    let more = match has_failed_script(&said) {
        true => {
            "; `-o Plywood::Skip-Scripts=PACKAGE` behind `apt-get` leaves out a package's scripts"
        }
        false => "",
    };
    match outcome.trace.iter().rev().find(|event| event.status == Some(status)) {
        Some(event) => error.with_hint(format!(
            "it is `{}` that answers {status}; --explain-run shows what came before{more}",
            report::line(&event.words, redaction)
        )),
        None => error,
    }
}

/// Whether dpkg has said that a maintainer script fails.
fn has_failed_script(said: &str) -> bool {
    said.contains("script subprocess returned error exit status")
}

fn warn_of_fetch(
    planner: &mut StagePlanner<'_, '_>,
    fetch: &shell::Fetch,
    redaction: &Redaction,
    span: &Span,
) {
    let url = redaction.text(&fetch.url);
    let digest = fetch.digest.to_string();
    let sum = digest.rsplit(':').next().unwrap_or_default();
    planner.shared.warnings.push(Diagnostic {
        severity: Severity::Warning,
        rule: None,
        message: format!("nothing says which bytes `{url}` has to give; now it gave {digest}"),
        span: span.clone(),
        hint: Some(format!("compare them: `echo \"{sum}  FILE\" | sha256sum -c`")),
    });
}
