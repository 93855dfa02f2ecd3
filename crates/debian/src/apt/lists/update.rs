//! `apt-get update`: the lists of all sources, fetched, believed and put in place.

use shell::process::Run;
use shell::{Process, Stop};

use super::indexes::{self, Wanted};
use super::judge::{Found, believe};
use super::place::Place;
use super::report::{Progress, Report, Severity};
use super::trust::{Believed, Trust};
use super::{file_name, in_release_name};
use crate::apt::configuration::Configuration;
use crate::apt::login::Logins;
use crate::apt::problem::Failure;
use crate::apt::snapshot;
use crate::apt::sources::{self, Kind, Source};
use crate::apt::transport::Route;
use crate::outside::{Fetch, Outside};

/// A suite whose lists are fetched.
pub(super) struct Suite<'s> {
    pub source: &'s Source,
    pub route: Route,
    pub believed: Believed,
    /// The address of the directory that `Release` is in, without a login.
    pub directory: String,
    /// What messages call it: `http://deb.example.org/debian bookworm`.
    pub title: String,
    /// Whether it is used without a good signature, too (sources.list(5), `allow-insecure`).
    pub is_lenient: bool,
}

/// Fetches the lists of all sources, as `apt-get update` does, says what it says, and gives its exit
/// status.
///
/// A suite without a good signature is an error, also where lists of it are there already: apt goes
/// on with those and warns, and what is built here would depend on what was there.
pub fn update(
    process: &mut Process<'_, '_>,
    outside: &dyn Outside,
    configuration: &Configuration,
) -> Run {
    let mut report = Report::default();
    match attempt(process, outside, configuration, &mut report) {
        Ok(()) => report.end(process),
        Err(Failure::Stop(stop)) => Err(stop),
        Err(Failure::Problem(problem)) => {
            report.problem(&problem);
            if problem.is_of_sources() {
                report.say(Severity::Error, "The list of sources could not be read.");
            }
            report.end(process)
        }
    }
}

fn attempt(
    process: &mut Process<'_, '_>,
    outside: &dyn Outside,
    configuration: &Configuration,
    report: &mut Report,
) -> Result<(), Failure> {
    let all = sources::load(process, configuration)?;
    let all: Vec<Source> = all.into_iter().filter(|source| source.kind == Kind::Binary).collect();
    let logins = Logins::load(process, configuration)?;
    let trust = Trust::load(process, &all, configuration)?;
    let setting = Setting { logins: &logins, trust: &trust, configuration };
    for source in &all {
        Route::of(process, source, &logins, configuration)?;
    }
    report.begin();
    let Some(lists) = configuration.path("Dir::State::lists") else { return Ok(()) };
    if process.machine.files.user().uid != 0 {
        let lock = format!("/{lists}/lock");
        let denied = format!("Could not open lock file {lock} - open (13: Permission denied)");
        report.say(Severity::Error, denied);
        report.say(Severity::Error, format!("Unable to lock directory /{lists}/"));
        return Ok(());
    }
    let mut place = Place::prepare(process, &lists, configuration)?;
    let (wanting, live): (Vec<_>, Vec<_>) =
        all.iter().partition(|source| snapshot::is_wanted(source, configuration));
    let mut sources: Vec<Source> = live.into_iter().cloned().collect();
    let mut files = Vec::new();
    if !wanting.is_empty() {
        let archives = setting.suites(process, wanting.iter().copied())?;
        let found = fetch_releases(process, outside, &archives, &place, report)?;
        for believed in believe(process, outside, &archives, found, configuration, report)? {
            let archive = archives[believed.suite].source;
            sources.push(snapshot::instead(archive, Some(&believed.release), configuration)?);
            files.extend(believed.files);
        }
    }
    let suites = setting.suites(process, &sources)?;
    let found = fetch_releases(process, outside, &suites, &place, report)?;
    let mut believed = believe(process, outside, &suites, found, configuration, report)?;
    let wanted: Vec<Wanted> =
        indexes::wanted(process, &suites, &mut believed, configuration, &place, report)?;
    indexes::fetch(process, outside, &suites, &mut believed, wanted, report)?;
    files.extend(believed.into_iter().flat_map(|suite| suite.files));
    for (name, data) in files {
        place.put(process, name, data)?;
    }
    let is_cleaned = configuration.switch("APT::Get::List-Cleanup") != Some(false);
    if is_cleaned && !report.has_failed() {
        place.clean(process)?;
    }
    Ok(())
}

/// What suites are made of beside their sources.
struct Setting<'a> {
    logins: &'a Logins,
    trust: &'a Trust,
    configuration: &'a Configuration,
}

impl Setting<'_> {
    fn suites<'s>(
        &self,
        process: &Process<'_, '_>,
        sources: impl IntoIterator<Item = &'s Source>,
    ) -> Result<Vec<Suite<'s>>, Stop> {
        let suites = sources.into_iter().map(|source| {
            let route = Route::of(process, source, self.logins, self.configuration)?;
            Ok(Suite::of(source, route, self.trust, self.configuration))
        });
        suites.collect()
    }
}

impl<'s> Suite<'s> {
    fn of(source: &'s Source, route: Route, trust: &Trust, configuration: &Configuration) -> Self {
        let title = format!("{} {}", route.base.trim_end_matches('/'), source.suite);
        let is_allowed = source
            .options
            .allow_insecure
            .or_else(|| configuration.switch("Acquire::AllowInsecureRepositories"));
        let is_lenient = match source.options.trusted {
            Some(is_trusted) => is_trusted,
            None => is_allowed == Some(true),
        };
        let directory = source.directory_below(&route.base);
        Suite { source, believed: trust.of(source), directory, title, route, is_lenient }
    }

    /// Something in the suite's own directory.
    fn fetch(&self, name: &str) -> Fetch {
        let title = format!("{} {name}", self.source.suite);
        self.route.fetch(&title, format!("{}{name}", self.directory))
    }
}

/// The `InRelease` of all suites, and the `Release` of those that have none.
fn fetch_releases(
    process: &mut Process<'_, '_>,
    outside: &dyn Outside,
    suites: &[Suite<'_>],
    place: &Place,
    report: &mut Report,
) -> Result<Vec<Found>, Failure> {
    let fetches: Vec<Fetch> =
        suites.iter().map(|suite| suite.fetch(in_release_name(suite.source))).collect();
    let inline = outside.fetch(&fetches)?;
    let mut apart = Vec::new();
    for (suite, found) in suites.iter().zip(&inline) {
        if found.is_none() {
            apart.extend([suite.fetch("Release"), suite.fetch("Release.gpg")]);
        }
    }
    let apart = if apart.is_empty() { Vec::new() } else { outside.fetch(&apart)? };
    let mut apart = apart.into_iter();
    let mut all = Vec::with_capacity(suites.len());
    for (suite, found) in suites.iter().zip(inline) {
        if let Some(stored) = found {
            let name = file_name(&format!("{}{}", suite.directory, in_release_name(suite.source)));
            let is_held =
                place.held(process, &name)?.is_some_and(|held| held.content() == stored.content);
            let progress = if is_held { Progress::Hit } else { Progress::Get(stored.content.size) };
            report.item(process, progress, &format!("{} InRelease", suite.title))?;
            all.push(Found::Inline(stored));
            continue;
        }
        let mut say = |progress, name: &str| {
            report.item(process, progress, &format!("{} {name}", suite.title))
        };
        say(Progress::Ignored, "InRelease")?;
        let (release, signature) = (apart.next().flatten(), apart.next().flatten());
        let Some(release) = release else {
            say(if suite.is_lenient { Progress::Ignored } else { Progress::Missing }, "Release")?;
            all.push(Found::Nothing);
            continue;
        };
        say(Progress::Get(release.content.size), "Release")?;
        match &signature {
            Some(signature) => say(Progress::Get(signature.content.size), "Release.gpg")?,
            None => say(Progress::Ignored, "Release.gpg")?,
        }
        all.push(Found::Apart(release, signature));
    }
    expect(process, outside, &all)?;
    Ok(all)
}

/// All of these will be looked at, but for those that somebody vouches for.
fn expect(process: &Process<'_, '_>, outside: &dyn Outside, all: &[Found]) -> Result<(), Stop> {
    let mut files = Vec::new();
    for found in all {
        match found {
            Found::Inline(file) | Found::Apart(file, _) if outside.vouched(file).is_some() => {}
            Found::Inline(stored) => files.push(stored.clone()),
            Found::Apart(release, signature) => {
                files.push(release.clone());
                files.extend(signature.clone());
            }
            Found::Nothing => {}
        }
    }
    process.machine.outside.expect(&files)
}
