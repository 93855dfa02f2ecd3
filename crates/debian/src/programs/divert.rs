//! `dpkg-divert` (dpkg-divert(1) of dpkg 1.21).

use bstr::{BStr, BString, ByteSlice};
use shell::files::{Identity, Last};
use shell::options::{Known, Options, Order, Takes, long};
use shell::process::Run;
use shell::wildcard::{self, Case};
use shell::{Process, Stop};

use super::failure::{Failure, Step, conclude, refused, said};
use super::packages::Packages;
use super::place::{self, Place};
use super::{Program, database, files_order};
use crate::dpkg::status::Package;
use crate::outside::Outside;

/// By name.
pub(super) const PROGRAMS: &[(&str, Program)] = &[("dpkg-divert", dpkg_divert)];

const KNOWN: &[Known] = &[
    long("add", &["add"], Takes::Nothing),
    long("remove", &["remove"], Takes::Nothing),
    long("list", &["list"], Takes::Nothing),
    long("listpackage", &["listpackage"], Takes::Nothing),
    long("truename", &["truename"], Takes::Nothing),
    long("admindir", &["admindir"], Takes::Value),
    long("divert", &["divert"], Takes::Value),
    long("package", &["package"], Takes::Value),
    long("local", &["local"], Takes::Nothing),
    long("quiet", &["quiet"], Takes::Nothing),
    long("rename", &["rename"], Takes::Nothing),
    long("no-rename", &["no-rename"], Takes::Nothing),
    long("test", &["test"], Takes::Nothing),
];
const ACTIONS: [&str; 5] = ["add", "remove", "list", "listpackage", "truename"];
const HELP: &str = "Use --help for help about diverting files.";

/// A file that packages put elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Diversion {
    /// Where they would have it.
    pub(super) from: BString,
    /// Where it goes.
    pub(super) to: BString,
    /// The package whose own copy is not diverted; `None` for a local diversion.
    pub(super) package: Option<BString>,
}

/// Whose diversion is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Owner {
    Any,
    Local,
    Package(BString),
}

struct Work {
    directory: BString,
    options: Options,
    owner: Owner,
    to: Option<BString>,
    diversions: Vec<Diversion>,
}

fn dpkg_divert(process: &mut Process<'_, '_>, _: &dyn Outside) -> Run {
    let step = run(process);
    conclude(process, step, HELP)
}

fn run(process: &mut Process<'_, '_>) -> Step<u8> {
    let options = Options::of(process, KNOWN, Order::First)?;
    let actions: Vec<&str> =
        options.given.iter().map(|(id, _)| *id).filter(|id| ACTIONS.contains(id)).collect();
    if actions.len() > 1 {
        return Err(refused(process, "is given several commands").into());
    }
    let action = actions.first().copied().unwrap_or("add");
    let directory = database::directory(process, options.value("admindir"))?;
    let owner = owner(process, &options);
    let to = options.value("divert").map(BString::from);
    if let Some(to) = &to {
        check_path(to, "divert-to")?;
    }
    let diversions = read(process, &directory)?;
    let work = Work { directory, owner, to, diversions, options };
    if action == "list" {
        return work.list(process);
    }
    if matches!(action, "add" | "remove")
        && work.options.last_of(&["rename", "no-rename"]).is_none()
    {
        database::warn(
            process,
            "please specify --no-rename explicitly, the default will change to --rename in 1.20.x",
        )?;
    }
    let [path] = &work.options.operands[..] else {
        return Failure::usage(format_args!("--{action} needs a single argument"));
    };
    let path = path.clone();
    check_path(&path, "file")?;
    match action {
        "remove" => work.remove(process, path),
        "truename" => {
            let found = work.of(&files_order::normal(&path)).map(|diversion| &diversion.to);
            process.write([found.unwrap_or(&path), &b"\n"[..]].concat())?;
            Ok(0)
        }
        "listpackage" => {
            let path = files_order::normal(&path);
            let is_meant = |diversion: &&Diversion| diversion.from == path || diversion.to == path;
            if let Some(found) = work.diversions.iter().find(is_meant) {
                let package = found.package.clone().unwrap_or("LOCAL".into());
                process.write(format!("{package}\n"))?;
            }
            Ok(0)
        }
        _ => work.add(process, path),
    }
}

/// The last option says it, or the package whose script this is.
fn owner(process: &Process<'_, '_>, options: &Options) -> Owner {
    let package = match options.last_of(&["package", "local"]) {
        Some("local") => return Owner::Local,
        Some(_) => options.value("package").map(BString::from),
        None => process.environment.get(&BString::from("DPKG_MAINTSCRIPT_PACKAGE")).cloned(),
    };
    package.map_or(Owner::Any, Owner::Package)
}

fn check_path(path: &[u8], what: &str) -> Step<()> {
    if !path.starts_with(b"/") {
        return Failure::usage(format_args!("filename \"{}\" is not absolute", path.as_bstr()));
    }
    if path.contains(&b'\n') {
        return Failure::usage(format_args!("{what} may not contain newlines"));
    }
    Ok(())
}

/// Reads the diversions, in the order in which they are written.
pub(super) fn read(process: &mut Process<'_, '_>, directory: &BString) -> Step<Vec<Diversion>> {
    let path = place::within(directory, b"diversions");
    let lines = database::lines(process, &path)?;
    if lines.len() % 3 != 0 {
        return Failure::error(format_args!("unexpected end of file in {path}"));
    }
    let diversion = |lines: &[BString]| Diversion {
        from: files_order::normal(&lines[0]),
        to: files_order::normal(&lines[1]),
        package: Some(lines[2].clone()).filter(|package| package != ":"),
    };
    Ok(lines.chunks(3).map(diversion).collect())
}

impl Work {
    /// The diversion of a file.
    fn of(&self, path: &BString) -> Option<&Diversion> {
        self.diversions.iter().find(|diversion| diversion.from == *path)
    }

    fn say(&self, process: &mut Process<'_, '_>, message: String) -> Result<(), Stop> {
        match self.options.has("quiet") {
            true => Ok(()),
            false => process.write(message + "\n"),
        }
    }

    /// The diversion that the command line speaks of, in words.
    fn meant(&self, path: &BStr, to: Option<&BString>) -> String {
        let to = to.map(|to| format!(" to {to}")).unwrap_or_default();
        match &self.owner {
            Owner::Any => format!("any diversion of {path}{to}"),
            Owner::Local => format!("local diversion of {path}{to}"),
            Owner::Package(package) => format!("diversion of {path}{to} by {package}"),
        }
    }

    fn is_renaming(&self) -> bool {
        self.options.last_of(&["rename", "no-rename"]) == Some("rename")
    }

    fn list(&self, process: &mut Process<'_, '_>) -> Step<u8> {
        let all = ["*".into()];
        let patterns = match &self.options.operands[..] {
            [] => &all,
            patterns => patterns,
        };
        let colon = BString::from(":");
        for diversion in &self.diversions {
            let Diversion { from, to, package } = diversion;
            let names = [package.as_ref().unwrap_or(&colon), to, from];
            let matches = |pattern: &BString| {
                names.iter().any(|name| wildcard::matches(pattern, name, Case::Counts))
            };
            if patterns.iter().any(matches) {
                process.write(format!("{diversion}\n"))?;
            }
        }
        Ok(0)
    }

    fn add(self, process: &mut Process<'_, '_>, path: BString) -> Step<u8> {
        if place::place(process, &path)? == Place::Directory {
            return Failure::usage("cannot divert directories");
        }
        let to = self.to.clone().unwrap_or_else(|| [&path[..], b".distrib"].concat().into());
        if to == path {
            return Failure::usage(format_args!("cannot divert file '{path}' to itself"));
        }
        let package = match &self.owner {
            Owner::Package(package) => Some(package.clone()),
            Owner::Local | Owner::Any => None,
        };
        let new =
            Diversion { from: files_order::normal(&path), to: files_order::normal(&to), package };
        let involved = |path: &BString| {
            self.diversions.iter().find(|old| old.from == *path || old.to == *path)
        };
        if let Some(old) = involved(&new.from).or(involved(&new.to)) {
            if *old == new {
                self.say(process, format!("Leaving '{old}'"))?;
                return Ok(0);
            }
            // Without an owner, the diversion that was asked for is a local one.
            let asked = Diversion { from: path, to, package: new.package };
            return Failure::error(format_args!("'{asked}' clashes with '{old}'"));
        }
        self.say(process, format!("Adding '{new}'"))?;
        let is_renaming = self.may_rename_away(process, &new)?;
        let mut work = self;
        work.diversions.push(new.clone());
        if !work.options.has("test") {
            work.write(process)?;
            if is_renaming {
                rename(process, &new.from, &new.to)?;
            }
        }
        Ok(0)
    }

    /// Whether the file is there and shall be moved.
    fn may_rename_away(&self, process: &mut Process<'_, '_>, new: &Diversion) -> Step<bool> {
        if !self.is_renaming() || !check_rename(process, &new.from, &new.to)? {
            return Ok(false);
        }
        let packages = Packages::read(process, &self.directory)?;
        let name = new.package.clone().unwrap_or_default();
        let is_own = |package: &&Package| package.id().name.as_bytes() == name.as_bytes();
        for package in packages.all().filter(is_own) {
            if packages.owns(process, package, new.from.as_bstr())? {
                let (path, name) = (&new.from, package.id().name);
                let rest = format!("'{path}' owned by diverting package '{name}'");
                self.say(process, format!("Ignoring request to rename file {rest}"))?;
                return Ok(false);
            }
        }
        let essential = |package: &&Package| is_essential(package);
        packages.expect_lists(process, packages.all().filter(essential))?;
        for package in packages.all().filter(essential) {
            if packages.owns(process, package, new.from.as_bstr())? {
                let path = &new.from;
                let rest = "from an Essential package with rename is dangerous, use --no-rename";
                database::warn(process, format_args!("diverting file '{path}' {rest}"))?;
                break;
            }
        }
        Ok(true)
    }

    fn remove(mut self, process: &mut Process<'_, '_>, path: BString) -> Step<u8> {
        let normal = files_order::normal(&path);
        let meant = self.meant(path.as_bstr(), self.to.as_ref());
        let Some(found) = self.of(&normal).cloned() else {
            self.say(process, format!("No diversion '{meant}', none removed."))?;
            return Ok(0);
        };
        let mismatch = |on: &str| {
            Failure::error(format_args!(
                "mismatch on {on}\n  when removing '{meant}'\n  found '{found}'"
            ))
        };
        if self.to.as_ref().is_some_and(|to| *to != found.to) {
            return mismatch("divert-to");
        }
        let is_owner = match &self.owner {
            Owner::Any => true,
            Owner::Local => found.package.is_none(),
            Owner::Package(package) => found.package.as_ref() == Some(package),
        };
        if !is_owner {
            return mismatch("package");
        }
        if self.is_shared(process, &found)? {
            self.say(process, format!("Ignoring request to remove shared diversion '{found}'."))?;
            return Ok(0);
        }
        self.say(process, format!("Removing '{found}'"))?;
        let is_renaming = self.is_renaming() && check_rename(process, &found.to, &found.from)?;
        self.diversions.retain(|diversion| *diversion != found);
        if !self.options.has("test") {
            if is_renaming {
                rename(process, &found.to, &found.from)?;
            }
            self.write(process)?;
        }
        Ok(0)
    }

    /// Whether the package of another architecture still has the file.
    fn is_shared(&self, process: &mut Process<'_, '_>, found: &Diversion) -> Step<bool> {
        let (Owner::Package(name), Some(architecture)) = (
            &self.owner,
            process.environment.get(&BString::from("DPKG_MAINTSCRIPT_ARCH")).cloned(),
        ) else {
            return Ok(false);
        };
        let packages = Packages::read(process, &self.directory)?;
        for package in packages.all() {
            let id = package.id();
            let is_other = id.name.as_bytes() == name.as_bytes()
                && id.architecture.as_bytes() != architecture.as_bytes();
            if is_other && packages.owns(process, package, found.from.as_bstr())? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn write(&mut self, process: &mut Process<'_, '_>) -> Step<()> {
        files_order::sort(&mut self.diversions, |diversion| &diversion.to);
        files_order::sort(&mut self.diversions, |diversion| &diversion.from);
        let mut text = Vec::new();
        for Diversion { from, to, package } in &self.diversions {
            let package = package.as_ref().map_or(&b":"[..], |package| package);
            for line in [from, to, package] {
                text.extend_from_slice(line);
                text.push(b'\n');
            }
        }
        database::write(process, &place::within(&self.directory, b"diversions"), text)
    }
}

pub(super) fn is_essential(package: &Package) -> bool {
    package.stanza.text("Essential") == Some("yes")
}

impl std::fmt::Display for Diversion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Diversion { from, to, package } = self;
        match package {
            None => write!(f, "local diversion of {from} to {to}"),
            Some(package) => write!(f, "diversion of {from} to {to} by {package}"),
        }
    }
}

/// Whether there is something to rename.
///
/// # Errors
/// A place that nothing can be put into, and another file at the new name.
fn check_rename(process: &mut Process<'_, '_>, from: &BString, to: &BString) -> Step<bool> {
    let old = match place::look(process, from)? {
        Ok(Place::Free) => return Ok(false),
        Ok(_) => process.find(from, Last::Kept).ok(),
        Err(errno) => return Failure::error(format_args!("cannot stat file '{from}': {errno}")),
    };
    let located = process.locate(to, Last::Kept);
    let new = said(located, || format!("error checking '{to}'"))?.stat;
    let identity = |stat: shell::files::Stat| -> Identity { stat.identity };
    let old = old.map(|(_, stat)| identity(stat));
    if let Some(new) = new.map(identity)
        && old != Some(new)
    {
        return Failure::error(format_args!(
            "rename involves overwriting '{to}' with\n  different file '{from}', not allowed"
        ));
    }
    Ok(true)
}

fn rename(process: &mut Process<'_, '_>, from: &BString, to: &BString) -> Step<()> {
    if place::place(process, to)? != Place::Free {
        let removed = place::remove(process, from);
        return said(removed, || format!("rename: remove duplicate old link '{from}'"));
    }
    let renamed = place::rename(process, from, to);
    said(renamed, || format!("cannot rename '{from}' to '{to}'"))
}
