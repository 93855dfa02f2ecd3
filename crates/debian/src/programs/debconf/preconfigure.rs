//! `dpkg-preconfigure`: packages' questions, all before the first package is unpacked
//! (dpkg-preconfigure(8)). apt calls it so, and in an image without `apt-utils` it leaves each to
//! its package's own time.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use bstr::{BStr, BString};
use oci::ImagePath;
use shell::files::{FileResult, Last, NewNode};
use shell::process::{Run, errno};
use shell::{Data, Process, Reason, Stop};

use super::database::Access;
use super::frontend::{Kind, in_path};
use super::script;
use super::session::Session;
use crate::deb::Deb;
use crate::dpkg::status::Status;
use crate::outside::Outside;
use crate::relation::Relation;
use crate::version::Version;

/// Where the scripts are while they run.
const PLACE: &str = "/var/cache/debconf/tmp.ci";
const DELAYED: &str = "debconf: delaying package configuration, since apt-utils is not installed\n";

/// A package that asks before it is unpacked.
struct Asking<'a> {
    name: BString,
    /// Of the version that is installed; empty if none is.
    installed: BString,
    templates: &'a [u8],
    config: &'a [u8],
}

/// What apt does for the packages that it is about to unpack, in their order: `dpkg-preconfigure
/// --apt`.
///
/// # Errors
/// [`Stop`], as for any program.
pub fn preconfigure(process: &mut Process<'_, '_>, debs: &[Arc<Deb>]) -> Run {
    let mut session = match Session::open(process, Access::Write)? {
        Ok(session) => session,
        Err(status) => return Ok(status),
    };
    if debs.is_empty() || !in_path(process, "apt-extracttemplates")? {
        session.close(process.machine);
        if !debs.is_empty() {
            process.write_to(2, DELAYED.as_bytes())?;
        }
        return Ok(0);
    }
    session.choose_frontend(process)?;
    session.flush(process)?;
    if session.frontend.kind != Kind::Noninteractive {
        session.close(process.machine);
        let why = "dpkg-preconfigure: unable to re-open stdin: No such file or directory\n";
        process.write_to(2, why.as_bytes())?;
        return Ok(0);
    }
    let asking = asking(process, debs)?;
    if !asking.is_empty() {
        process.write("Preconfiguring packages ...\n")?;
    }
    let place = make_place(process)?;
    let failed = load(process, &mut session, &asking)?;
    let session = Rc::new(RefCell::new(session));
    for (package, _) in asking.iter().zip(failed).filter(|(_, failed)| !failed) {
        ask(process, &session, package, &place)?;
    }
    session.borrow_mut().save(process.machine)?;
    Ok(0)
}

/// The program itself: only as apt calls it, and there is nothing to do for no packages.
pub(super) fn dpkg_preconfigure(process: &mut Process<'_, '_>, _: &dyn Outside) -> Run {
    let why = "reads packages; apt-get does so itself";
    Err(process.refuse(Reason::Use(why.to_owned())))
}

/// Packages with templates and a script, that a debconf suffices for which is installed.
fn asking<'a>(
    process: &mut Process<'_, '_>,
    debs: &'a [Arc<Deb>],
) -> Result<Vec<Asking<'a>>, Stop> {
    let status = match errno(process.open_bytes(b"/var/lib/dpkg/status"))? {
        Ok(text) => Status::parse(&text).unwrap_or_default(),
        Err(_) => Status::default(),
    };
    let installed = |name: &str| {
        let mut packages = status.named(name).map(|(_, package)| package);
        packages.find(|package| package.is_unpacked()).map(|package| package.version())
    };
    let debconf = installed("debconf");
    let mut all = Vec::new();
    for deb in debs {
        let file = |name| deb.control_file(name).map(|file| &file.bytes[..]);
        let name = deb.control.text("Package").unwrap_or_default();
        if let (Some(templates), Some(config)) = (file("templates"), file("config"))
            && suffices(deb, debconf.as_ref())
        {
            let version = installed(name).map(|version| version.as_str().into());
            let installed = version.unwrap_or_default();
            all.push(Asking { name: name.into(), installed, templates, config });
        }
    }
    Ok(all)
}

/// Whether what a package needs of debconf is there already.
fn suffices(deb: &Deb, debconf: Option<&Version>) -> bool {
    let fields = ["Depends", "Pre-Depends"].into_iter().filter_map(|name| deb.control.text(name));
    let relations = fields.flat_map(|field| Relation::parse_all(field).unwrap_or_default());
    let needed = relations.flat_map(|relation| relation.alternatives);
    needed.filter(|needed| &*needed.name == "debconf").all(|needed| match debconf {
        Some(installed) => needed.allows(installed),
        None => needed.constraint.is_none(),
    })
}

/// Takes up all templates before anybody asks. What is wrong with a package's is said, and that
/// package does not ask.
fn load(
    process: &mut Process<'_, '_>,
    session: &mut Session,
    asking: &[Asking<'_>],
) -> Result<Vec<bool>, Stop> {
    let mut failed = Vec::new();
    for Asking { name, templates, .. } in asking {
        process.machine.budget.hold(templates.len())?;
        let file = format!("{PLACE}/{name}.template");
        let loaded = session.load_templates(&file, templates, BStr::new(name))?;
        if let Err(why) = &loaded {
            session.errors.extend(format!("{name} template parse error: {why}\n").into_bytes());
        }
        failed.push(loaded.is_err());
    }
    session.flush(process)?;
    Ok(failed)
}

fn make_place(process: &mut Process<'_, '_>) -> Result<ImagePath, Stop> {
    let made = (|| -> FileResult<ImagePath> {
        let located = process.locate(PLACE.as_bytes(), Last::Followed)?;
        if located.stat.is_none() {
            let mode = 0o777 & !process.umask;
            process.machine.files.make(&located.path, NewNode::Directory, mode)?;
        }
        Ok(located.path)
    })();
    errno(made)?
        .map_err(|error| process.refuse(Reason::Use(format!("cannot make {PLACE}: {error}"))))
}

/// Runs a package's script from where it stands for so long.
fn ask(
    process: &mut Process<'_, '_>,
    session: &script::Shared,
    package: &Asking<'_>,
    place: &ImagePath,
) -> Result<(), Stop> {
    let Asking { name, installed, config, .. } = package;
    let path = place.join([&name[..], b".config"].concat());
    process.machine.budget.hold(config.len())?;
    let node = NewNode::File(Data::of(*config));
    if let Err(error) = errno(process.machine.files.make(&path, node, 0o755))? {
        return Err(process.refuse(Reason::Use(format!("cannot write /{path}: {error}"))));
    }
    session.borrow_mut().set_default_title(name.as_ref());
    let words = vec![format!("/{path}").into(), "configure".into(), installed.clone()];
    let status = script::run(process, session, name.as_ref(), words)?;
    if status > 0 {
        let message = format!("{name} failed to preconfigure, with exit status {status}\n");
        process.write_to(2, message.as_bytes())?;
    }
    let _ = errno(process.machine.files.remove(&path))?;
    Ok(())
}
