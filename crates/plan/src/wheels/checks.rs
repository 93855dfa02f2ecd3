//! What the author of a list of requirements may not have meant.

use python::{Discovery, Libc, Resolution, ResolutionRequest};
use recipe::{PythonPackages, Span};

use super::asked::Written;
use super::warn;
use crate::Keeping;
use crate::stage::StagePlanner;

/// How many names a warning lists.
const MOST_NAMES: usize = 5;

/// Warns of what is known before anything is resolved.
pub(super) fn warn_of_requirements(
    planner: &mut StagePlanner<'_, '_>,
    asked: &PythonPackages,
    written: &Written,
    discovery: &Discovery,
) {
    warn_of_candidates(planner, asked, discovery);
    warn_of_age(planner, asked, discovery);
    if matches!(discovery.target.libc, Libc::Musl { .. }) {
        let message = "the image has musl for its C library, for which many packages have no \
                       wheels; and results of floating-point functions can differ from glibc's";
        let hint = "a base on Debian, such as a `-slim` one, has glibc".to_owned();
        warn(planner, &asked.span, message.to_owned(), Some(hint));
    }
    let interpreter = &discovery.target.interpreter;
    if interpreter.externally_managed {
        let message = format!(
            "the packages of `{}` are the system's to manage (PEP 668), and these go to `/{}`",
            interpreter.executable, interpreter.layout.purelib
        );
        let hint = "a virtual environment, or a `python` image, is nobody else's".to_owned();
        warn(planner, &asked.span, message, Some(hint));
    }
    if planner.shared.facts.keeping == Keeping::Forgotten {
        warn_of_unpinned(planner, asked, written);
    }
    if !written.trusted_hosts().is_empty() {
        let message = format!(
            "`--trusted-host` does not hold here: the certificate counts of {}",
            listed(written.trusted_hosts())
        );
        let hint = "trust the authority that signed it, in the system's store".to_owned();
        warn(planner, &asked.span, message, Some(hint));
    }
}

/// What the next build may find to be something else.
fn warn_of_unpinned(planner: &mut StagePlanner<'_, '_>, asked: &PythonPackages, written: &Written) {
    let unpinned = written.unpinned().map(python::Requirement::shown);
    let (addresses, versions): (Vec<String>, Vec<String>) =
        unpinned.partition(|text| text.contains("://"));
    if !versions.is_empty() && asked.exclude_newer.is_none() {
        let message = format!("several versions satisfy {}", listed(&versions));
        let hint = "pin them with `==`, give a lock, or set `exclude-newer`".to_owned();
        warn(planner, &asked.span, message, Some(hint));
    }
    if !addresses.is_empty() {
        let message = format!("another file may be there next time: {}", listed(&addresses));
        let hint = "put `#sha256=…` behind the address".to_owned();
        warn(planner, &asked.span, message, Some(hint));
    }
}

/// Two Pythons, and only one of them gets the packages.
fn warn_of_candidates(
    planner: &mut StagePlanner<'_, '_>,
    asked: &PythonPackages,
    discovery: &Discovery,
) {
    if asked.interpreter.is_some() || discovery.others.is_empty() {
        return;
    }
    let others: Vec<String> =
        discovery.others.iter().map(|other| other.executable.clone()).collect();
    let taken = &discovery.target.interpreter.executable;
    let message =
        format!("packages are installed for `{taken}`, and the image also has {}", listed(&others));
    let hint = format!("to choose, set `interpreter = \"{}\"`", others[0]);
    warn(planner, &asked.span, message, Some(hint));
}

/// A Python that nobody mends any more.
fn warn_of_age(planner: &mut StagePlanner<'_, '_>, asked: &PythonPackages, discovery: &Discovery) {
    let version = &discovery.target.interpreter.version;
    let (Some(end), Some(today)) = (version.end_of_life(), &planner.shared.facts.today) else {
        return;
    };
    if today.as_str() > end.date {
        let message = format!(
            "Python {}.{} gets no security fixes since {} (PEP {})",
            version.major, version.minor, end.date, end.pep
        );
        let hint = "take a base image with a newer Python".to_owned();
        warn(planner, &asked.span, message, Some(hint));
    }
}

/// Warns of what the answer says.
pub(super) fn warn_of_packages(
    planner: &mut StagePlanner<'_, '_>,
    request: &ResolutionRequest,
    resolution: &Resolution,
    span: &Span,
) {
    for warning in &resolution.warnings {
        warn(planner, span, warning.clone(), None);
    }
    let replaced = resolution.packages.iter().filter_map(|package| {
        let own = request.installed.iter().find(|installed| installed.name == package.name)?;
        let is_other = own.version != package.version;
        is_other.then(|| format!("{} {} → {}", own.name, own.version, package.version))
    });
    let replaced: Vec<String> = replaced.collect();
    if !replaced.is_empty() {
        let message = format!("installed versions are replaced: {}", listed(&replaced));
        warn(planner, span, message, None);
    }
}

/// The first few of a list, in words.
fn listed(names: &[String]) -> String {
    let shown: Vec<String> =
        names.iter().take(MOST_NAMES).map(|name| format!("`{name}`")).collect();
    match names.len().checked_sub(MOST_NAMES) {
        None | Some(0) => shown.join(", "),
        Some(more) => format!("{} and {more} more", shown.join(", ")),
    }
}
