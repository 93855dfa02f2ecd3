//! `dpkg-reconfigure`: asks again what a package asked when it was installed, and has it configured
//! (dpkg-reconfigure(8)).

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use bstr::{BStr, BString, ByteSlice};
use oci::ImagePath;
use shell::files::{EXECUTE, Last};
use shell::options::{Options, Order, Takes, flag, long};
use shell::process::{Run, errno};
use shell::{Process, Reason, Stop};

use super::database::Access;
use super::run::{COMMON_OPTIONS, load_if_there, set_options};
use super::script::{self, Shared};
use super::session::Session;
use super::settings::Settings;
use crate::dpkg::status::{Package, State, Status};
use crate::outside::Outside;

const DATABASE: &str = "/var/lib/dpkg";

/// The scripts that run, with what each is told.
const SCRIPTS: [(&str, &str); 4] = [
    ("prerm", "upgrade"),
    ("preinst", "upgrade"),
    ("config", "reconfigure"),
    ("postinst", "configure"),
];

pub(super) fn dpkg_reconfigure(process: &mut Process<'_, '_>, _: &dyn Outside) -> Run {
    let [frontend, priority, terse] = COMMON_OPTIONS;
    let known = [
        frontend,
        priority,
        terse,
        flag("-u", 'u', &["unseen-only"]),
        long("--default-priority", &["default-priority"], Takes::Nothing),
        long("--force", &["force"], Takes::Nothing),
        long("--reload", &["reload"], Takes::Nothing),
        long("--no-reload", &["no-reload", "noreload"], Takes::Nothing),
    ];
    let options = Options::of(process, &known, Order::Anywhere)?;
    if process.machine.files.user().uid != 0 {
        return complain(process, "must be run as root", Says::Directly);
    }
    let mut session = match open(process, &options)? {
        Ok(session) => session,
        Err(status) => return Ok(status),
    };
    session.choose_frontend(process)?;
    session.flush(process)?;
    session.shows_seen = !options.has("-u");
    if options.operands.is_empty() {
        session.close(process.machine);
        return complain(process, "please specify a package to reconfigure", Says::AfterColon);
    }
    process.environment.insert("DEBCONF_RECONFIGURE".into(), "1".into());
    let pending = pending_triggers(process)?;
    let mut session = Rc::new(RefCell::new(session));
    for name in &options.operands {
        let status = package(process, &mut session, name.as_bstr(), &options)?;
        if status > 0 {
            session.borrow().close(process.machine);
            return Ok(status);
        }
    }
    let status = run_triggers(process, &mut session, &pending)?;
    if status == 0 {
        session.borrow_mut().save(process.machine)?;
    }
    Ok(status)
}

/// Opens debconf so that all is asked, whatever was set: that is what this program is for.
fn open(process: &mut Process<'_, '_>, options: &Options) -> Result<Result<Session, u8>, Stop> {
    let mut settings = Settings::of(process)?;
    if !options.has("--default-priority") {
        settings.set("priority", BStr::new("low"));
    }
    let complaint = set_options(&mut settings, options);
    process.write_to(2, &complaint)?;
    let mut session = match Session::open_with(process, settings, Access::Write)? {
        Ok(session) => session,
        Err(status) => return Ok(Err(status)),
    };
    if options.has("--default-priority")
        && let Some(priority) = session.value_if_known("debconf/priority")
    {
        session.settings.set("priority", priority.as_bstr());
    }
    let is_forced = options.has("-f") || session.settings.variable("DEBIAN_FRONTEND").is_some();
    if !is_forced && session.wanted_frontend().eq_ignore_ascii_case(b"noninteractive") {
        session.settings.set("frontend", BStr::new("dialog"));
    }
    Ok(Ok(session))
}

/// How a complaint stands behind the program's name.
enum Says {
    Directly,
    AfterColon,
}

fn complain(process: &mut Process<'_, '_>, what: &str, says: Says) -> Run {
    let colon = match says {
        Says::Directly => "",
        Says::AfterColon => ":",
    };
    process.write_to(2, format!("/usr/sbin/dpkg-reconfigure{colon} {what}\n").as_bytes())?;
    Ok(1)
}

fn status(process: &mut Process<'_, '_>) -> Result<Status, Stop> {
    let path = format!("{DATABASE}/status");
    match errno(process.open_bytes(path.as_bytes()))? {
        Ok(text) => Status::parse(&text)
            .map_err(|error| process.refuse(Reason::Use(format!("reads {path}: {error}")))),
        Err(_) => Ok(Status::default()),
    }
}

fn package(
    process: &mut Process<'_, '_>,
    session: &mut Shared,
    name: &BStr,
    options: &Options,
) -> Run {
    session.borrow_mut().set_default_title(name);
    let status = status(process)?;
    let text = name.to_string();
    let (plain, architecture) = match text.split_once(':') {
        Some((plain, architecture)) => (plain, Some(architecture)),
        None => (&text[..], None),
    };
    let found: Vec<&Package> = status
        .named(plain)
        .filter(|(id, _)| architecture.is_none_or(|wanted| *id.architecture == *wanted))
        .map(|(_, package)| package)
        .filter(|package| package.state != State::NotInstalled)
        .collect();
    let package = match &found[..] {
        [package] => *package,
        [] => {
            let missing = format!(
                "dpkg-query: package '{name}' is not installed and no information is available\n\
                 Use dpkg --info (= dpkg-deb --info) to examine archive files.\n"
            );
            process.write_to(2, missing.as_bytes())?;
            return complain(process, &format!("{name} is not installed"), Says::AfterColon);
        }
        _ => return Err(process.refuse(Reason::Use(format!("finds {name} more than once")))),
    };
    if !options.has("--force") && (package.state != State::Installed || package.is_broken) {
        let what = format!("{name} is broken or not fully installed");
        return complain(process, &what, Says::AfterColon);
    }
    configure(process, session, name, package, options)
}

/// Runs the scripts of a package, those that speak with debconf in a dialogue.
fn configure(
    process: &mut Process<'_, '_>,
    session: &mut Shared,
    name: &BStr,
    package: &Package,
    options: &Options,
) -> Run {
    let id = package.id();
    let is_same = package.stanza.text("Multi-Arch") == Some("same");
    let base = match is_same {
        true => format!("{DATABASE}/info/{}:{}", id.name, id.architecture),
        false => format!("{DATABASE}/info/{}", id.name),
    };
    if !options.has("--no-reload") {
        let path = format!("{base}.templates");
        load_if_there(process, &mut session.borrow_mut(), path.as_bytes(), name)?;
    }
    for (script, action) in SCRIPTS {
        let path = format!("{base}.{script}");
        let Ok((_, stat)) = errno(process.find(path.as_bytes(), Last::Followed))? else { continue };
        if !process.machine.files.may(&stat, EXECUTE) {
            continue;
        }
        for (variable, value) in [
            ("DPKG_MAINTSCRIPT_PACKAGE", &*id.name),
            ("DPKG_MAINTSCRIPT_ARCH", &*id.architecture),
            ("DPKG_MAINTSCRIPT_NAME", script),
        ] {
            process.environment.insert(variable.into(), value.into());
        }
        let speaks = script == "config" || speaks_with_debconf(process, &path)?;
        let version = package.version();
        let words = vec![path.into(), action.into(), version.as_str().into()];
        let directory = std::mem::replace(&mut process.directory, ImagePath::root());
        let status = match speaks {
            true => script::run(process, session, name, words)?,
            false => run_apart(process, session, words)?,
        };
        process.directory = directory;
        if status > 0 {
            return Ok(status);
        }
    }
    Ok(0)
}

fn speaks_with_debconf(process: &mut Process<'_, '_>, path: &str) -> Result<bool, Stop> {
    let text = errno(process.open_bytes(path.as_bytes()))?;
    Ok(text.is_ok_and(|text| text.to_ascii_lowercase().contains_str("confmodule")))
}

/// Runs what may itself open debconf.
fn run_apart(process: &mut Process<'_, '_>, session: &mut Shared, words: Vec<BString>) -> Run {
    session.borrow_mut().save(process.machine)?;
    process.environment.remove(BStr::new("DEBIAN_HAS_FRONTEND"));
    let status = process.spawn(words)?;
    process.environment.insert("DEBIAN_HAS_FRONTEND".into(), "1".into());
    if status > 0 {
        return Ok(status);
    }
    let settings = session.borrow().settings.clone();
    match Session::open_with(process, settings, Access::Write)? {
        Ok(opened) => {
            let mut session = session.borrow_mut();
            session.config = opened.config;
            session.templates = opened.templates;
            Ok(0)
        }
        Err(status) => Ok(status),
    }
}

/// Has packages configured whose triggers were activated meanwhile.
fn run_triggers(
    process: &mut Process<'_, '_>,
    session: &mut Shared,
    before: &BTreeSet<BString>,
) -> Run {
    loop {
        let pending = pending_triggers(process)?;
        let new: Vec<BString> = pending.difference(before).cloned().collect();
        if new.is_empty() {
            return Ok(0);
        }
        process.machine.budget.step()?;
        let mut words: Vec<BString> = vec!["dpkg".into(), "--configure".into()];
        words.extend(new);
        let directory = std::mem::replace(&mut process.directory, ImagePath::root());
        let status = run_apart(process, session, words)?;
        process.directory = directory;
        if status > 0 {
            return Ok(status);
        }
    }
}

/// Packages with triggers that are pending: by the database, and by what was activated since
/// (`triggers/Unincorp`, dpkg's `doc/triggers.txt`).
fn pending_triggers(process: &mut Process<'_, '_>) -> Result<BTreeSet<BString>, Stop> {
    let status = status(process)?;
    let mut pending = BTreeSet::new();
    for (id, package) in status.packages() {
        if package.stanza.text("Triggers-Pending").is_some_and(|triggers| !triggers.is_empty()) {
            let is_same = package.stanza.text("Multi-Arch") == Some("same");
            pending.insert(if is_same { id.to_string() } else { id.name.to_string() }.into());
        }
    }
    for trigger in file_of_triggers(process, "Unincorp")?.lines() {
        let trigger = trigger.split(|byte| *byte == b' ').next().unwrap_or_default().as_bstr();
        for package in interested(process, trigger)? {
            pending.insert(package);
        }
    }
    Ok(pending)
}

/// The packages that a trigger is for.
fn interested(process: &mut Process<'_, '_>, trigger: &BStr) -> Result<Vec<BString>, Stop> {
    let package =
        |name: &[u8]| BString::from(name.split(|byte| *byte == b'/').next().unwrap_or_default());
    if !trigger.starts_with(b"/") {
        let file = file_of_triggers(process, &trigger.to_string())?;
        return Ok(file.lines().map(package).collect());
    }
    let file = file_of_triggers(process, "File")?;
    let lines = file.lines().filter_map(|line| line.split_once_str(" "));
    let own = lines.filter(|(path, _)| path == trigger);
    Ok(own.map(|(_, name)| package(name)).collect())
}

fn file_of_triggers(process: &mut Process<'_, '_>, name: &str) -> Result<Vec<u8>, Stop> {
    let path = format!("{DATABASE}/triggers/{name}");
    let text = errno(process.open_bytes(path.as_bytes()))?;
    Ok(text.map(|text| text.to_vec()).unwrap_or_default())
}
