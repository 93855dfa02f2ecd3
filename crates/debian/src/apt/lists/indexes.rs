//! The `Packages` files of suites that are believed: chosen, fetched, and compared with what is
//! there.

use bstr::ByteSlice;
use shell::{Data, Process, Stop, Stored};

use super::file_name;
use super::judge::Believable;
use super::place::Place;
use super::report::{Progress, Report, Severity};
use super::targets::Target;
use super::update::Suite;
use crate::apt::configuration::Configuration;
use crate::apt::problem::Failure;
use crate::apt::release::Listed;
use crate::outside::{Fetch, Outside};

/// A `Packages` file that is to be fetched.
pub(super) struct Wanted {
    /// Which of the believed suites.
    of: usize,
    target: Target,
    /// Where it may be, the best first.
    candidates: Vec<Candidate>,
}

struct Candidate {
    fetch: Fetch,
    /// The address without a digest in it, as the file's name has it.
    url: String,
    listed: Listed,
}

/// What is to be fetched; what is there already and right goes to the files that stay.
pub(super) fn wanted(
    process: &mut Process<'_, '_>,
    suites: &[Suite<'_>],
    believed: &mut [Believable],
    configuration: &Configuration,
    place: &Place,
    report: &mut Report,
) -> Result<Vec<Wanted>, Failure> {
    let mut all = Vec::new();
    for (of, believable) in believed.iter_mut().enumerate() {
        let suite = &suites[believable.suite];
        for target in Target::all_of(suite.source, configuration) {
            process.machine.budget.step()?;
            if !is_offered(suite, believable, &target, configuration, report) {
                continue;
            }
            let found = candidates(suite, believable, &target, configuration);
            if let Some(held) = held(process, suite, believable, &target, place)? {
                believable.files.push(held);
                continue;
            }
            if !found.is_empty() {
                all.push(Wanted { of, target, candidates: found });
            } else if believable.release.architectures.is_empty() {
                let name = &target.name;
                let url = format!("{}{name}", suite.directory);
                report.say(
                    Severity::Error,
                    format!("Failed to fetch {url}  Unable to find expected entry '{name}' in Release file (Wrong sources.list entry or malformed file)"),
                );
            }
        }
    }
    Ok(all)
}

/// Whether a suite says that it has such a file at all.
fn is_offered(
    suite: &Suite<'_>,
    believable: &Believable,
    target: &Target,
    configuration: &Configuration,
    report: &mut Report,
) -> bool {
    let Target { component, architecture, name } = target;
    let (release, title) = (&believable.release, &believable.title);
    if suite.source.is_flat() {
        return true;
    }
    if architecture == "all" && !release.has_architecture("all") {
        return false;
    }
    let skipped = format!("Skipping acquire of configured file '{name}' as repository '{title}'");
    if !release.has_component(component) {
        report.say(
            Severity::Warning,
            format!("{skipped} doesn't have the component '{component}' (component misspelt in sources.list?)"),
        );
        return false;
    }
    if !release.has_architecture(architecture) {
        report.say(
            Severity::Note,
            format!("{skipped} doesn't support architecture '{architecture}'"),
        );
        if configuration.value("APT::Architecture") == Some(architecture) {
            let others = release.architectures.iter().filter(|name| *name != "all");
            let others: Vec<&str> = others.map(String::as_str).collect();
            let hint = format!(
                "it is for {}: build for one of them with `--platform`, or take a source for \
                 {architecture}",
                others.join(", ")
            );
            report.say(Severity::Note, hint);
        }
        return false;
    }
    true
}

/// Where a file may be had. A suite without digests, which is used because its source says so, may
/// have it in any form.
fn candidates(
    suite: &Suite<'_>,
    believable: &Believable,
    target: &Target,
    configuration: &Configuration,
) -> Vec<Candidate> {
    let Target { name, .. } = target;
    let (release, title) = (&believable.release, target.title(suite.source));
    if !release.lists_files() {
        if !suite.is_lenient {
            return Vec::new();
        }
        let guesses = [".xz", ".gz", ""].into_iter().map(|ending| {
            let url = format!("{}{name}{ending}", suite.directory);
            let fetch = suite.route.fetch(&title, url.clone());
            Candidate { fetch, url, listed: Listed::default() }
        });
        return guesses.collect();
    }
    let Some((ending, listed)) = target.choices(release).into_iter().next() else {
        return Vec::new();
    };
    let url = format!("{}{name}{ending}", suite.directory);
    let by_hash = target.by_hash(listed, release, suite.source, configuration);
    let by_hash = by_hash.map(|path| format!("{}{path}", suite.directory));
    let addresses = by_hash.into_iter().chain([url.clone()]);
    let candidates = addresses.map(|address| {
        let fetch = suite.route.fetch(&title, address);
        let fetch = Fetch { sha256: listed.sha256, size: Some(listed.size), ..fetch };
        Candidate { fetch, url: url.clone(), listed: listed.clone() }
    });
    candidates.collect()
}

/// The file that is there already and is what the suite lists, in whatever compression.
fn held(
    process: &Process<'_, '_>,
    suite: &Suite<'_>,
    believable: &Believable,
    target: &Target,
    place: &Place,
) -> Result<Option<(String, Data)>, Failure> {
    for (ending, listed) in target.choices(&believable.release) {
        let name = file_name(&format!("{}{}{ending}", suite.directory, target.name));
        let held = place.held(process, &name)?;
        let is_same = |data: &Data| listed.sha256 == Some(data.content().digest);
        if let Some(data) = held.filter(is_same) {
            return Ok(Some((name, data)));
        }
    }
    Ok(None)
}

/// Fetches all of them at once, and then once more what was not where it was looked for first. What
/// a suite lacks is an error, and nothing of that suite is put in place.
pub(super) fn fetch(
    process: &mut Process<'_, '_>,
    outside: &dyn Outside,
    suites: &[Suite<'_>],
    believed: &mut Vec<Believable>,
    wanted: Vec<Wanted>,
    report: &mut Report,
) -> Result<(), Failure> {
    let mut found: Vec<Option<(usize, Stored)>> = vec![None; wanted.len()];
    let most = wanted.iter().map(|wanted| wanted.candidates.len()).max().unwrap_or(0);
    for turn in 0..most {
        let mut asked = Vec::new();
        let mut fetches = Vec::new();
        for (at, wanted) in wanted.iter().enumerate().filter(|(at, _)| found[*at].is_none()) {
            if let Some(candidate) = wanted.candidates.get(turn) {
                asked.push(at);
                fetches.push(candidate.fetch.clone());
            }
        }
        if fetches.is_empty() {
            continue;
        }
        for (at, stored) in asked.into_iter().zip(outside.fetch(&fetches)?) {
            found[at] = stored.map(|stored| (turn, stored));
        }
    }
    let mut lost = Vec::new();
    for (wanted, found) in wanted.into_iter().zip(found) {
        let of = wanted.of;
        let base = suites[believed[of].suite].route.base.trim_end_matches('/');
        let title = format!("{base} {}", wanted.target.title(suites[believed[of].suite].source));
        match take(process, &wanted, found, &title, report)? {
            Some(file) => believed[of].files.push(file),
            None => lost.push(of),
        }
    }
    if !lost.is_empty() {
        report.say(
            Severity::Error,
            "Some index files failed to download. They have been ignored, or old ones used instead.",
        );
    }
    let mut at = 0;
    believed.retain(|_| {
        at += 1;
        !lost.contains(&(at - 1))
    });
    Ok(())
}

/// The file that was fetched, by its name in the lists, if it is what it has to be.
fn take(
    process: &mut Process<'_, '_>,
    wanted: &Wanted,
    found: Option<(usize, Stored)>,
    title: &str,
    report: &mut Report,
) -> Result<Option<(String, Data)>, Stop> {
    let Some((turn, stored)) = found else {
        report.item(process, Progress::Missing, title)?;
        let url = wanted.candidates.last().map(|candidate| candidate.url.as_str());
        let url = url.unwrap_or_default();
        report.say(Severity::Error, format!("Failed to fetch {url}  404  Not Found"));
        return Ok(None);
    };
    let Candidate { url, listed, fetch } = &wanted.candidates[turn];
    report.item(process, Progress::Get(stored.content.size), title)?;
    let is_right = fetch.sha256.is_none_or(|expected| expected == stored.content.digest)
        && fetch.size.is_none_or(|expected| expected == stored.content.size);
    let data = Data::Stored(stored);
    let is_right = is_right
        && (listed.sha256.is_some()
            || listed.sha512.is_none()
            || listed.is_sha512_of(process.bytes(&data)?.as_bytes()));
    if !is_right {
        report.say(Severity::Error, format!("Failed to fetch {url}  Hash Sum mismatch"));
        report.say(
            Severity::Note,
            "a mirror may be in the middle of an update; try again, or take another",
        );
        return Ok(None);
    }
    Ok(Some((file_name(url), data)))
}
