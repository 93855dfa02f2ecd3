//! `dpkg` (dpkg(1)): packages installed, configured and removed, and what it answers.
//!
//! What it leaves to `dpkg-query` and `dpkg-deb`, those do, as in reality. `--root` and databases
//! elsewhere are refused, and so is every option that is not in the table.

mod answers;
mod selections;

use bstr::{BStr, BString, ByteSlice};
use shell::files::Last;
use shell::options::{Known, Options, Order, Takes, flag, long, value};
use shell::process::{Run, errno};
use shell::{Data, Process, Reason, Stop};

use crate::dpkg::Database;
use crate::dpkg::engine::{self, Deconfigure, Engine, Removal, Triggers};
use crate::dpkg::settings::Settings;
use crate::dpkg::status::PackageId;
use crate::outside::{DebSource, Outside};

/// What it is asked to do.
const ACTIONS: &[Known] = &[
    flag("--install", 'i', &["install"]),
    long("--unpack", &["unpack"], Takes::Nothing),
    long("--configure", &["configure"], Takes::Nothing),
    flag("--remove", 'r', &["remove"]),
    flag("--purge", 'P', &["purge"]),
    long("--triggers-only", &["triggers-only"], Takes::Nothing),
    long("--get-selections", &["get-selections"], Takes::Nothing),
    long("--set-selections", &["set-selections"], Takes::Nothing),
    flag("--audit", 'C', &["audit"]),
    long("--add-architecture", &["add-architecture"], Takes::Nothing),
    long("--remove-architecture", &["remove-architecture"], Takes::Nothing),
    long("--print-architecture", &["print-architecture"], Takes::Nothing),
    long("--print-foreign-architectures", &["print-foreign-architectures"], Takes::Nothing),
    long("--compare-versions", &["compare-versions"], Takes::Nothing),
    long("--validate-version", &["validate-version"], Takes::Nothing),
    flag("--listfiles", 'L', &["listfiles"]),
    flag("--status", 's', &["status"]),
    flag("--list", 'l', &["list"]),
    flag("--search", 'S', &["search"]),
    flag("--print-avail", 'p', &["print-avail"]),
    flag("--contents", 'c', &["contents"]),
    flag("--info", 'I', &["info"]),
    flag("--field", 'f', &["field"]),
    flag("--control", 'e', &["control"]),
    flag("--extract", 'x', &["extract"]),
    flag("--vextract", 'X', &["vextract"]),
];

/// How it does it.
const MODIFIERS: &[Known] = &[
    flag("--pending", 'a', &["pending"]),
    long("--triggers", &["triggers"], Takes::Nothing),
    long("--no-triggers", &["no-triggers"], Takes::Nothing),
    flag("--auto-deconfigure", 'B', &["auto-deconfigure"]),
    // Nothing is shown by a pager, no log is written, and signatures are apt's.
    long("--no-pager", &["no-pager"], Takes::Nothing),
    long("--no-debsig", &["no-debsig"], Takes::Nothing),
    long("--log", &["log"], Takes::Value),
    long("--abort-after", &["abort-after"], Takes::Value),
    value("--admindir", '\u{0}', &["admindir"]),
];

/// What `dpkg-query` does.
const QUERIES: [&str; 5] = ["--listfiles", "--status", "--list", "--search", "--print-avail"];
/// What `dpkg-deb` does.
const ARCHIVES: [&str; 6] =
    ["--contents", "--info", "--field", "--control", "--extract", "--vextract"];

/// What was asked for.
struct Call {
    action: &'static str,
    is_pending: bool,
    options: engine::Options,
    operands: Vec<BString>,
}

pub(super) fn dpkg(process: &mut Process<'_, '_>, outside: &dyn Outside) -> Run {
    let call = read(process)?;
    match call.action {
        action if QUERIES.contains(&action) => hand_on(process, "dpkg-query"),
        action if ARCHIVES.contains(&action) => hand_on(process, "dpkg-deb"),
        "--install" | "--unpack" => unpack(process, outside, call),
        "--configure" | "--remove" | "--purge" | "--triggers-only" => {
            packages(process, outside, call)
        }
        "--get-selections" => selections::list(process, &call.operands),
        "--set-selections" => selections::set(process, outside, call.options),
        "--audit" => answers::audit(process, &call.operands),
        "--add-architecture" => answers::add_architecture(process, &call.operands),
        "--remove-architecture" => answers::remove_architecture(process, &call.operands),
        "--print-architecture" => answers::architecture(process),
        "--print-foreign-architectures" => answers::foreign_architectures(process),
        "--compare-versions" => answers::compare_versions(process, &call.operands),
        "--validate-version" => answers::validate_version(process, &call.operands),
        action => Err(process.refuse(Reason::Option(action.to_owned()))),
    }
}

fn read(process: &Process<'_, '_>) -> Result<Call, Stop> {
    let refuse = |option: &str| process.refuse(Reason::Option(option.to_owned()));
    let mut settings = Settings::default();
    let defaults = settings.forced.clone();
    let mut words = Vec::new();
    let arguments = process.arguments();
    let first =
        arguments.iter().position(|word| !word.starts_with(b"-")).unwrap_or(arguments.len());
    for (at, word) in arguments.iter().enumerate() {
        let forcing = word.strip_prefix(b"--").and_then(|word| word.to_str().ok());
        let forcing = forcing.filter(|word| {
            at < first
                && ["force-", "no-force-", "refuse-"].iter().any(|start| word.starts_with(start))
        });
        match forcing {
            Some(option) => {
                settings.option(option, "").map_err(|_| refuse(&word.to_str_lossy()))?
            }
            None => words.push(word.clone()),
        }
    }
    let known: Vec<Known> = ACTIONS.iter().chain(MODIFIERS).copied().collect();
    let options = Options::read(&words, &known, Order::First).map_err(|option| refuse(&option))?;
    let is_action = |id: &&str| ACTIONS.iter().any(|known| known.id == *id);
    let mut actions = options.given.iter().map(|(id, _)| *id).filter(is_action);
    let (Some(action), None) = (actions.next(), actions.next()) else {
        let why = "is called without one thing to do".to_owned();
        return Err(process.refuse(Reason::Use(why)));
    };
    if options.value("--admindir").is_some_and(|place| place != "/var/lib/dpkg") {
        return Err(refuse("--admindir"));
    }
    let triggers = match options.last_of(&["--triggers", "--no-triggers"]) {
        Some("--no-triggers") => Triggers::Deferred,
        _ => Triggers::Run,
    };
    let deconfigure = match options.has("--auto-deconfigure") {
        true => Deconfigure::Automatically,
        false => Deconfigure::Never,
    };
    let refused = defaults.difference(&settings.forced).copied().collect();
    let forced = settings.forced.difference(&defaults).copied().collect();
    let skipped_scripts = Default::default();
    let is_pending = options.has("--pending");
    let operands = options.operands;
    let options = engine::Options { skipped_scripts, forced, refused, triggers, deconfigure };
    Ok(Call { action, is_pending, options, operands })
}

/// The same words for another program.
fn hand_on(process: &mut Process<'_, '_>, program: &str) -> Run {
    let words = [BString::from(program)].into_iter().chain(process.arguments().to_vec());
    process.spawn(words.collect())
}

/// An error of how it is called: the exit status is 2.
pub(super) fn fail(process: &mut Process<'_, '_>, error: &str) -> Run {
    process.write_to(2, format!("dpkg: error: {error}\n").as_bytes())?;
    Ok(2)
}

fn unpack(process: &mut Process<'_, '_>, outside: &dyn Outside, call: Call) -> Run {
    let mut sources = Vec::new();
    for path in &call.operands {
        match errno(process.find(path, Last::Followed))? {
            Err(errno) => {
                return fail(process, &format!("cannot access archive '{path}': {errno}"));
            }
            Ok((_, stat)) if stat.data().is_none() => {
                return fail(process, &format!("archive '{path}' is not a regular file"));
            }
            Ok((real, stat)) => match stat.data() {
                Some(Data::Stored(stored)) => {
                    sources.push(DebSource::File { path: real, stored: stored.clone() });
                }
                _ => {
                    let why = format!("installs {path}, which the command line itself has made");
                    return Err(process.refuse(Reason::Use(why)));
                }
            },
        }
    }
    if sources.is_empty() {
        let action = call.action;
        let why = format!("is called with {action} and no package");
        return Err(process.refuse(Reason::Use(why)));
    }
    let debs = outside.debs(&sources)?;
    let paths = call.operands.iter().map(|path| path.to_str_lossy().into_owned());
    let named: Vec<_> = paths.zip(debs).collect();
    let mut engine = Engine::new(process, outside, call.options);
    match call.action {
        "--install" => engine.install_files(&named),
        _ => engine.unpack_files(&named),
    }
}

fn packages(process: &mut Process<'_, '_>, outside: &dyn Outside, call: Call) -> Run {
    let removal = if call.action == "--purge" { Removal::Purge } else { Removal::Remove };
    if call.operands.is_empty() != call.is_pending {
        let why = format!("is called with {} and names no package", call.action);
        return Err(process.refuse(Reason::Use(why)));
    }
    let mut ids = Vec::new();
    let database = Database::read(process)?;
    for name in &call.operands {
        match named(&database, name.as_bstr()) {
            Some(id) => ids.push(id),
            None => {
                let why = format!("is given the name {name}, which may be several packages");
                return Err(process.refuse(Reason::Use(why)));
            }
        }
    }
    let mut engine = Engine::new(process, outside, call.options);
    match (call.action, call.is_pending) {
        ("--configure", true) => engine.configure_pending(),
        ("--configure", false) => engine.configure(&ids),
        ("--triggers-only", true) => engine.run_triggers(),
        ("--triggers-only", false) => engine.run_triggers_of(&ids),
        (_, true) => engine.remove_pending(removal),
        (_, false) => engine.remove(&ids, removal),
    }
}

/// The package that is meant, whether it is there or not; `None` if several may be.
fn named(database: &Database, name: &BStr) -> Option<PackageId> {
    let text = name.to_str().ok()?;
    if let Some(id) = database.find(text) {
        return Some(id.clone());
    }
    let (name, architecture) = text.split_once(':').unwrap_or((text, ""));
    let is_there = database.status.named(name).next().is_some();
    let unknown = PackageId { name: name.into(), architecture: architecture.into() };
    (!is_there || !architecture.is_empty()).then_some(unknown)
}

#[cfg(test)]
mod tests {
    use crate::fixture::{Image, NewDeb};

    fn image() -> Image {
        let mut image = Image::new();
        image.directory("debs", 0o755);
        let deb = NewDeb::new("a", "1").file("usr/share/a/file", 0o644, "a");
        image.package_file("debs/a.deb", &deb);
        image
    }

    #[test]
    fn packages_come_and_go_by_its_command_line() {
        let shown = image().sh("dpkg -i /debs/a.deb && dpkg --purge a && dpkg -r a");
        insta::assert_snapshot!(shown, @r#"
        Selecting previously unselected package a.
        (Reading database ... 0 files and directories currently installed.)
        Preparing to unpack /debs/a.deb ...
        Unpacking a (1) ...
        Setting up a (1) ...
        (Reading database ... 5 files and directories currently installed.)
        Removing a (1) ...
        !dpkg: warning: while removing a, directory '/usr' not empty so not removed
        !dpkg: warning: ignoring request to remove a which isn't installed
        - /usr/share
        + /var/lib/dpkg/status 644 ""
        + /var/lib/dpkg/status-old 644 ""
        "#);
    }

    #[test]
    fn it_answers() {
        let table = [
            ("dpkg --print-architecture", "amd64"),
            ("dpkg --compare-versions 1.0~rc1 lt 1.0", ""),
            ("dpkg --compare-versions 1 gt 1:0", "status 1"),
            ("dpkg --audit", ""),
            (
                "dpkg --add-architecture i386 && dpkg --print-foreign-architectures",
                "i386\n+ /var/lib/dpkg/arch 644 \"amd64\\ni386\\n\"",
            ),
            (
                "dpkg -i /debs/none.deb",
                "!dpkg: error: cannot access archive '/debs/none.deb': No such file or directory\n\
                status 2",
            ),
        ];
        for (line, expected) in table {
            assert_eq!(image().sh(line), expected, "{line}");
        }
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        let table = [
            ("dpkg --root=/x -i a.deb", "has the option `--root`, which is not built in"),
            (
                "dpkg --force-nothing -i a.deb",
                "has the option `--force-nothing`, which is not built in",
            ),
            ("dpkg --admindir=/x -r a", "has the option `--admindir`, which is not built in"),
            ("dpkg -V", "has the option `-V`, which is not built in"),
            ("dpkg -i", "is called with --install and no package"),
            ("dpkg", "is called without one thing to do"),
            (
                "echo > a.deb; dpkg -i a.deb",
                "installs a.deb, which the command line itself has made",
            ),
        ];
        for (line, expected) in table {
            assert_eq!(image().sh(line), format!("refused: `dpkg` {expected}"), "{line}");
        }
    }
}
