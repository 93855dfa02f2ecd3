//! Whether what was fetched of a suite is believed, and what is said of one that is not.

use std::sync::Arc;

use shell::{Data, Process, Stop, Stored};

use super::report::{Report, Severity};
use super::update::Suite;
use super::{file_name, in_release_name};
use crate::apt::configuration::Configuration;
use crate::apt::release::ReleaseFile;
use crate::apt::signature::{self, Flaw, SignatureError};
use crate::memory::Memory;
use crate::outside::Outside;

/// What was fetched of a suite, before anybody believes it.
pub(super) enum Found {
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

/// Those of the suites that are believed, and are of today.
pub(super) fn believe(
    process: &mut Process<'_, '_>,
    outside: &dyn Outside,
    suites: &[Suite<'_>],
    found: Vec<Found>,
    configuration: &Configuration,
    report: &mut Report,
) -> Result<Vec<Believable>, Stop> {
    let mut believed = Vec::new();
    for (at, found) in found.into_iter().enumerate() {
        let suite = &suites[at];
        let time = match &found {
            Found::Inline(file) | Found::Apart(file, _) => outside.time_of(file),
            Found::Nothing => outside.now(),
        };
        let judged = judge(process, outside, suite, found, time, report)?;
        let Some((release, title, files)) = judged else { continue };
        if check(suite, &release, &title, configuration, time, report) {
            believed.push(Believable { suite: at, release, title, files });
        }
    }
    Ok(believed)
}

/// What is believed of a suite.
type Judged = Option<(Arc<ReleaseFile>, String, Vec<(String, Data)>)>;

fn judge(
    process: &mut Process<'_, '_>,
    outside: &dyn Outside,
    suite: &Suite<'_>,
    found: Found,
    now: i64,
    report: &mut Report,
) -> Result<Judged, Stop> {
    let memory = outside.memory();
    let file = |name: &str| file_name(&format!("{}{name}", suite.directory));
    let (text, name, files) = match found {
        Found::Inline(stored) => {
            let vouched = outside.vouched(&stored);
            let data = Data::Stored(stored);
            let files = vec![(file(in_release_name(suite.source)), data.clone())];
            if let Some(text) = vouched {
                return read(suite, "InRelease", &text, files, &memory, report);
            }
            let bytes = process.bytes(&data)?;
            let text = match suite.believed.cleartext(&bytes, now, &memory) {
                Ok(signed) => Some(signed.text.clone()),
                Err(error) => {
                    let text = signature::text_of(&bytes);
                    complain(suite, "InRelease", &error, report).then_some(text).flatten()
                }
            };
            (text, "InRelease", files)
        }
        Found::Apart(release, signature) => {
            if let Some(text) = outside.vouched(&release) {
                let signature = signature.map(|it| (file("Release.gpg"), Data::Stored(it)));
                let files = std::iter::once((file("Release"), Data::Stored(release)));
                let files = files.chain(signature).collect();
                return read(suite, "Release", &text, files, &memory, report);
            }
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
    read(suite, name, &text, files, &memory, report)
}

/// What the text says of the suite.
fn read(
    suite: &Suite<'_>,
    name: &str,
    text: &[u8],
    files: Vec<(String, Data)>,
    memory: &Memory,
    report: &mut Report,
) -> Result<Judged, Stop> {
    match ReleaseFile::recall(&format!("{}{name}", suite.directory), text, memory) {
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
    report.say(Severity::Note, format!("{} is configured in {place}; {places}", suite.title));
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
