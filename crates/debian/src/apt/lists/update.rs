//! `apt-get update`: the lists of all sources, fetched, believed and put in place.

use std::sync::Arc;

use shell::process::Run;
use shell::{Data, Process, Stop, Stored};

use super::indexes::{self, Wanted};
use super::place::Place;
use super::report::{Progress, Report, Severity};
use super::trust::{Believed, Trust};
use super::{file_name, in_release_name};
use crate::apt::configuration::Configuration;
use crate::apt::login::Logins;
use crate::apt::problem::Failure;
use crate::apt::release::ReleaseFile;
use crate::apt::signature::{self, Flaw, SignatureError};
use crate::apt::sources::{self, Kind, Source};
use crate::apt::transport::Route;
use crate::outside::{Fetch, Outside};

/// A suite whose lists are fetched.
pub(super) struct Suite<'s> {
    pub source: &'s Source,
    pub route: Route,
    believed: Believed,
    /// The address of the directory that `Release` is in, without a login.
    pub directory: String,
    /// What messages call it: `http://deb.example.org/debian bookworm`.
    pub title: String,
    /// Whether it is used without a good signature, too (sources.list(5), `allow-insecure`).
    pub is_lenient: bool,
}

/// What was fetched of a suite, before anybody believes it.
enum Found {
    /// `InRelease`
    Inline(Stored),
    /// `Release`, and `Release.gpg` if there is one.
    Apart(Stored, Option<Stored>),
    /// Neither.
    Nothing,
}

/// A suite that is believed.
pub(super) struct Believable {
    /// Which of the suites.
    pub suite: usize,
    /// What its `Release` says.
    pub release: Arc<ReleaseFile>,
    /// What it is called in messages: the suite's title and the file's name.
    pub title: String,
    /// The files to put in place, by their names there.
    pub files: Vec<(String, Data)>,
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
    let wanted: Vec<&Source> = all.iter().filter(|source| source.kind == Kind::Binary).collect();
    let logins = Logins::load(process, configuration)?;
    let trust = Trust::load(process, &wanted, configuration)?;
    let mut suites = Vec::with_capacity(wanted.len());
    for source in wanted {
        let route = Route::of(process, source, &logins, configuration)?;
        suites.push(Suite::of(source, route, &trust, configuration));
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
    let found = fetch_releases(process, outside, &suites, &place, report)?;
    let mut believed = Vec::new();
    for (at, found) in found.into_iter().enumerate() {
        let suite = &suites[at];
        let judged = judge(process, outside, suite, found, report)?;
        let Some((release, title, files)) = judged else { continue };
        let is_current = check(suite, &release, &title, configuration, outside.now(), report);
        if is_current {
            believed.push(Believable { suite: at, release, title, files });
        }
    }
    let wanted: Vec<Wanted> =
        indexes::wanted(process, &suites, &mut believed, configuration, &place, report)?;
    indexes::fetch(process, outside, &suites, &mut believed, wanted, report)?;
    for suite in believed {
        for (name, data) in suite.files {
            place.put(process, name, data)?;
        }
    }
    let is_cleaned = configuration.switch("APT::Get::List-Cleanup") != Some(false);
    if is_cleaned && !report.has_failed() {
        place.clean(process)?;
    }
    Ok(())
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
        self.route.fetch(format!("{}{name}", self.directory))
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
    expect(process, &all)?;
    Ok(all)
}

/// All of these will be looked at.
fn expect(process: &Process<'_, '_>, all: &[Found]) -> Result<(), Stop> {
    let mut files = Vec::new();
    for found in all {
        match found {
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

/// What is believed of a suite.
type Judged = Option<(Arc<ReleaseFile>, String, Vec<(String, Data)>)>;

fn judge(
    process: &mut Process<'_, '_>,
    outside: &dyn Outside,
    suite: &Suite<'_>,
    found: Found,
    report: &mut Report,
) -> Result<Judged, Stop> {
    let (now, memory) = (outside.now(), outside.memory());
    let file = |name: &str| file_name(&format!("{}{name}", suite.directory));
    let (text, name, files) = match found {
        Found::Inline(stored) => {
            let data = Data::Stored(stored);
            let bytes = process.bytes(&data)?;
            let text = match suite.believed.cleartext(&bytes, now, &memory) {
                Ok(signed) => Some(signed.text.clone()),
                Err(error) => {
                    let text = signature::text_of(&bytes);
                    complain(suite, "InRelease", &error, report).then_some(text).flatten()
                }
            };
            (text, "InRelease", vec![(file(in_release_name(suite.source)), data)])
        }
        Found::Apart(release, signature) => {
            let data = Data::Stored(release);
            let bytes = process.bytes(&data)?;
            let mut files = vec![(file("Release"), data)];
            let verified = match signature {
                Some(signature) => {
                    let signature = Data::Stored(signature);
                    let signed = process.bytes(&signature)?;
                    files.push((file("Release.gpg"), signature));
                    suite.believed.detached(&bytes, &signed, now)
                }
                None => Err(SignatureError::Unsigned),
            };
            let text = match verified {
                Ok(signed) => Some(signed.text),
                Err(error) => complain(suite, "Release", &error, report).then(|| bytes.to_vec()),
            };
            (text, "Release", files)
        }
        Found::Nothing => {
            let title = format!("{} Release", suite.title);
            let message = format!("The repository '{title}' does not have a Release file.");
            if suite.is_lenient {
                report.say(Severity::Warning, message);
                return Ok(Some((Arc::default(), title, Vec::new())));
            }
            report.say(Severity::Error, message);
            let hint = "is the address right, and is there a suite of this name?";
            report.say(Severity::Note, hint);
            return Ok(None);
        }
    };
    let Some(text) = text else { return Ok(None) };
    match ReleaseFile::recall(&format!("{}{name}", suite.directory), &text, &memory) {
        Ok(release) => Ok(Some((release, format!("{} {name}", suite.title), files))),
        Err(error) => {
            report.say(Severity::Error, error.to_string());
            report.say(Severity::Note, error.hint());
            Ok(None)
        }
    }
}

/// Says why a suite is not believed; whether it is used all the same, since its source says so.
fn complain(suite: &Suite<'_>, name: &str, error: &SignatureError, report: &mut Report) -> bool {
    let title = format!("{} {name}", suite.title);
    let severity = if suite.is_lenient { Severity::Warning } else { Severity::Error };
    match error {
        SignatureError::Flawed(flaws) => {
            let words = words_of(flaws);
            report.say(Severity::Warning, format!("GPG error: {title}: {words}"));
        }
        SignatureError::Unsigned if name == "Release" => {}
        error => {
            let url = format!("{}{name}", suite.directory);
            report.say(severity, format!("Failed to fetch {url}  {error}"));
        }
    }
    report.say(severity, format!("The repository '{title}' is not signed."));
    if !suite.is_lenient {
        explain(suite, error, name, report);
    }
    suite.is_lenient
}

/// As apt puts gpgv's words together.
fn words_of(flaws: &[Flaw]) -> String {
    let (missing, others): (Vec<&Flaw>, Vec<&Flaw>) =
        flaws.iter().partition(|flaw| matches!(flaw, Flaw::NoKey { .. }));
    let listed = |flaws: &[&Flaw]| {
        let all: Vec<String> = flaws.iter().map(|flaw| flaw.status_line()).collect();
        all.join(" ")
    };
    let mut sentences = Vec::new();
    if !others.is_empty() {
        sentences.push(format!("The following signatures were invalid: {}", listed(&others)));
    }
    if !missing.is_empty() {
        sentences.push(format!(
            "The following signatures couldn't be verified because the public key is not available: {}",
            listed(&missing)
        ));
    }
    sentences.join(" ")
}

/// What is wrong in other words, where the keys came from, and the way out.
fn explain(suite: &Suite<'_>, error: &SignatureError, name: &str, report: &mut Report) {
    match error {
        SignatureError::Flawed(flaws) => {
            for flaw in flaws {
                report.say(Severity::Note, format!("{flaw}: {}", flaw.hint()));
            }
        }
        SignatureError::Unsigned if name == "Release" => report.say(
            Severity::Note,
            "`trusted=yes` in the source uses what is not signed, whoever has made it",
        ),
        _ => report.say(
            Severity::Note,
            "is the address right, and does the network ask for a login first?",
        ),
    }
    for ignored in &suite.believed.ignored {
        report.say(Severity::Note, ignored.clone());
    }
    let places = match &suite.believed.places[..] {
        [] => "no keyring holds keys for it".to_owned(),
        places => format!("keys for it are those of {}", places.join(", ")),
    };
    let place = &suite.source.place;
    report.say(
        Severity::Note,
        format!("{} is configured in {}:{}; {places}", suite.title, place.file, place.line),
    );
}

/// Whether a believed `Release` is of today; a name that is not the suite's is told.
fn check(
    suite: &Suite<'_>,
    release: &ReleaseFile,
    title: &str,
    configuration: &Configuration,
    now: i64,
    report: &mut Report,
) -> bool {
    let name = title.rsplit(' ').next().unwrap_or_default();
    let url = format!("{}{name}", suite.directory);
    if let Err(error) = release.check_times(&url, suite.source, configuration, now) {
        report.say(Severity::Error, error.to_string());
        report.say(Severity::Note, error.hint());
        return false;
    }
    if !suite.source.is_flat() && !release.is_of(&suite.source.suite) && release.lists_files() {
        let (wanted, got) = (&suite.source.suite, &release.release.codename);
        report.say(
            Severity::Warning,
            format!("Conflicting distribution: {title} (expected {wanted} but got {got})"),
        );
    }
    true
}
