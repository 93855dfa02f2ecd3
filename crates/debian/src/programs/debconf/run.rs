//! `/usr/share/debconf/frontend`, by which a maintainer script has itself run again with debconf
//! listening; and `debconf`, which does so for any command (debconf(1)).

use std::cell::RefCell;
use std::rc::Rc;

use bstr::{BStr, BString, ByteSlice};
use shell::files::Last;
use shell::options::{Known, Options, Order, Takes, long, value};
use shell::process::{Run, errno};
use shell::{Process, Reason, Stop};

use super::database::Access;
use super::script::{self, Shared};
use super::session::{Session, rank};
use super::settings::Settings;
use crate::outside::Outside;

/// Where dpkg has the control files of a package that it unpacks just now.
const UNPACKED_CONTROL: &[u8] = b"/var/lib/dpkg/tmp.ci/control";

/// Which package a script is of.
struct Owner {
    package: BString,
    /// Questions are shown below a title that names it.
    has_title: bool,
}

pub(super) fn frontend(process: &mut Process<'_, '_>, _: &dyn Outside) -> Run {
    let mut session = match Session::open(process, Access::Write)? {
        Ok(session) => session,
        Err(status) => return Ok(status),
    };
    session.choose_frontend(process)?;
    let mut words = process.arguments().to_vec();
    if words.first().is_some_and(|word| word == "--") {
        words.remove(0);
    }
    let Some(script) = words.first().cloned() else {
        return Err(process.refuse(Reason::Use("is told no script".to_owned())));
    };
    let owner = owner(process, &mut session, &words)?;
    if owner.has_title && !owner.package.is_empty() {
        session.set_default_title(owner.package.as_bstr());
    }
    let package = owner.package.as_bstr();
    let base = |names: &[&str]| names.iter().find_map(|name| before(&script, name));
    if let Some(base) = base(&["preinst", "postinst", "prerm", "postrm"]) {
        load_if_there(process, &mut session, &[base, b"templates"].concat(), package)?;
    }
    let session = Rc::new(RefCell::new(session));
    if let Some(base) = base(&["postinst", "preinst"]) {
        let config = [base, b"config"].concat();
        if errno(process.find(&config, Last::Followed))?.is_ok() {
            let version = words.get(2).cloned().unwrap_or_default();
            let words = vec![config.into(), "configure".into(), version];
            let status = script::run(process, &session, package, words)?;
            if status > 0 {
                session.borrow().close(process.machine);
                return Ok(status);
            }
        }
    }
    end(process, &session, package, words)
}

/// Runs the script itself, and saves.
fn end(process: &mut Process<'_, '_>, session: &Shared, owner: &BStr, words: Vec<BString>) -> Run {
    let status = script::run(process, session, owner, words)?;
    session.borrow_mut().save(process.machine)?;
    Ok(status)
}

/// `/var/lib/dpkg/info/curl.` of a script's path.
fn before<'a>(script: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let base = script.strip_suffix(name.as_bytes())?;
    matches!(base.last(), Some(b'.' | b'/')).then_some(base)
}

fn owner(
    process: &mut Process<'_, '_>,
    session: &mut Session,
    words: &[BString],
) -> Result<Owner, Stop> {
    let is_set = |value: &&BString| !value.is_empty() && **value != "0";
    if let Some(package) = process.environment.get(BStr::new("DEBCONF_PACKAGE")).filter(is_set) {
        return Ok(Owner { package: package.clone(), has_title: true });
    }
    let script = words.first().cloned().unwrap_or_default();
    if let Some(package) = installed_package(&script) {
        let has_title = words.get(1).is_none_or(|action| action != "triggered");
        return Ok(Owner { package, has_title });
    }
    if let Ok(control) = errno(process.open_bytes(UNPACKED_CONTROL))? {
        let is_set = |value: &BString| !value.is_empty() && *value != "0";
        if !process.environment.get(BStr::new("PERL_DL_NONLAZY")).is_some_and(is_set) {
            session.warn(
                b"PERL_DL_NONLAZY is not set, if debconf is running from a preinst script, this is \
                not safe",
            );
        }
        let package = control.lines().find_map(|line| line.strip_prefix(b"Package: "));
        return Ok(Owner { package: package.unwrap_or_default().into(), has_title: true });
    }
    load_templates_beside(process, session, &script)?;
    Ok(Owner { package: BString::default(), has_title: true })
}

/// The package of a script in dpkg's database: `…/NAME.postinst`.
fn installed_package(script: &[u8]) -> Option<BString> {
    let (_, file) = script.rsplit_once_str("/")?;
    let suffixes: [&[u8]; 3] = [b".postinst", b".postrm", b".prerm"];
    suffixes.iter().find_map(|suffix| file.strip_suffix(*suffix)).map(BString::from)
}

/// Loads the templates that belong to a program of no package.
fn load_templates_beside(
    process: &mut Process<'_, '_>,
    session: &mut Session,
    script: &[u8],
) -> Result<(), Stop> {
    let name = script.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    let mut places = vec![[script, b".templates"].concat()];
    places.extend(script.strip_suffix(b"config").map(|base| [base, b"templates"].concat()));
    places.push([b"/usr/share/debconf/templates/", name, b".templates"].concat());
    for place in places {
        if load_if_there(process, session, &place, BStr::new(""))? {
            break;
        }
    }
    Ok(())
}

/// Loads a file of templates, and says whether it is there.
pub(super) fn load_if_there(
    process: &mut Process<'_, '_>,
    session: &mut Session,
    path: &[u8],
    owner: &BStr,
) -> Result<bool, Stop> {
    let Ok(text) = errno(process.open_bytes(path))? else { return Ok(false) };
    let path = path.as_bstr().to_string();
    match session.load_templates(&path, &text, owner)? {
        Ok(()) => Ok(true),
        Err(why) => Err(process.refuse(Reason::Use(format!("stumbles: {}", why.trim_end())))),
    }
}

/// What all of debconf's programs understand.
pub(super) const COMMON_OPTIONS: [Known; 3] = [
    value("-f", 'f', &["frontend"]),
    value("-p", 'p', &["priority"]),
    long("--terse", &["terse"], Takes::Nothing),
];

/// Sets what the common options say. What is wrong with them is given back as a complaint.
pub(super) fn set_options(settings: &mut Settings, options: &Options) -> Vec<u8> {
    if let Some(frontend) = options.value("-f") {
        settings.set("frontend", frontend);
    }
    if options.has("--terse") {
        settings.set("terse", BStr::new("true"));
    }
    match options.value("-p") {
        Some(priority) if rank(priority).is_none() => format!(
            "debconf: Ignoring invalid priority \"{priority}\"\n\
             debconf: Valid priorities are: low medium high critical\n"
        )
        .into_bytes(),
        Some(priority) => {
            settings.set("priority", priority);
            Vec::new()
        }
        None => Vec::new(),
    }
}

pub(super) fn debconf(process: &mut Process<'_, '_>, _: &dyn Outside) -> Run {
    let [frontend, priority, terse] = COMMON_OPTIONS;
    let known = [frontend, priority, terse, value("-o", 'o', &["owner"])];
    let options = Options::of(process, &known, Order::First)?;
    if options.operands.is_empty() {
        process.write_to(2, b"Usage: debconf [options] command [args]\n")?;
        // perl(1): what a program dies with that has met no error of the system.
        return Ok(255);
    }
    let mut settings = Settings::of(process)?;
    let complaint = set_options(&mut settings, &options);
    process.write_to(2, &complaint)?;
    let mut session = match Session::open_with(process, settings, Access::Write)? {
        Ok(session) => session,
        Err(status) => return Ok(status),
    };
    session.choose_frontend(process)?;
    let owner = options.value("-o").filter(|owner| !owner.is_empty());
    let owner = owner.unwrap_or(BStr::new("unknown")).to_owned();
    end(process, &Rc::new(RefCell::new(session)), owner.as_bstr(), options.operands)
}
