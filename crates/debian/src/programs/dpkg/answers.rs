//! What `dpkg` answers of architectures, versions and packages that are not done.

use std::cmp::Ordering;

use bstr::{BString, ByteSlice};
use layer::Attributes;
use shell::files::{Last, NewNode};
use shell::process::Run;
use shell::{Data, Process, Reason, Stop};

use super::fail;
use crate::dpkg::Database;
use crate::dpkg::architecture::{Architectures, native};
use crate::dpkg::paths;
use crate::dpkg::status::State;
use crate::version::Version;

pub(super) fn architecture(process: &mut Process<'_, '_>) -> Run {
    let native = native(process)?;
    process.write(format!("{native}\n"))?;
    Ok(0)
}

pub(super) fn foreign_architectures(process: &mut Process<'_, '_>) -> Run {
    for architecture in Architectures::read(process)?.foreign {
        process.write(format!("{architecture}\n"))?;
    }
    Ok(0)
}

/// `--add-architecture`: the file lists the image's own first.
pub(super) fn add_architecture(process: &mut Process<'_, '_>, operands: &[BString]) -> Run {
    let Some(name) = only(operands) else {
        return fail(process, "--add-architecture takes exactly one argument");
    };
    let is_legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if name.is_empty() || name.starts_with('-') || !name.bytes().all(is_legal) {
        let why = format!("adds the architecture {name}");
        return Err(process.refuse(Reason::Use(why)));
    }
    let mut known = Architectures::read(process)?;
    if known.is_known(name) && name != "all" {
        return Ok(0);
    }
    if ["all", "any", "source"].contains(&name) {
        return fail(process, &format!("architecture '{name}' is reserved and cannot be added"));
    }
    known.foreign.push(name.into());
    write(process, &known)?;
    Ok(0)
}

/// `--remove-architecture`: not of what is installed.
pub(super) fn remove_architecture(process: &mut Process<'_, '_>, operands: &[BString]) -> Run {
    let Some(name) = only(operands) else {
        return fail(process, "--remove-architecture takes exactly one argument");
    };
    let database = Database::read(process)?;
    let mut known = database.architectures;
    if !known.foreign.iter().any(|foreign| **foreign == *name) {
        let line = format!("dpkg: warning: cannot remove non-foreign architecture '{name}'\n");
        process.write_to(2, line.as_bytes())?;
        return Ok(0);
    }
    let mut there = database.status.packages();
    if there.any(|(id, package)| *id.architecture == *name && package.state > State::NotInstalled) {
        let error = format!("cannot remove architecture '{name}' currently in use by the database");
        return fail(process, &error);
    }
    known.foreign.retain(|foreign| **foreign != *name);
    write(process, &known)?;
    Ok(0)
}

fn only(operands: &[BString]) -> Option<&str> {
    match operands {
        [one] => one.to_str().ok(),
        _ => None,
    }
}

fn write(process: &mut Process<'_, '_>, known: &Architectures) -> Result<(), Stop> {
    let lines = [known.native].into_iter().chain(known.foreign.iter().map(|name| &**name));
    let text: String = lines.map(|line| format!("{line}\n")).collect();
    let refused = |process: &Process<'_, '_>| {
        process.refuse(Reason::Use("finds no database to write to".to_owned()))
    };
    let Ok(located) = process.locate(paths::ARCHITECTURES, Last::Kept) else {
        return Err(refused(process));
    };
    let files = &mut process.machine.files;
    let attributes = Attributes::root(0o644, files.clock());
    let written = files.put_whole(&located.path, attributes, NewNode::File(Data::of(text)));
    written.map_err(|_| refused(process))
}

/// Whether an order is as it is said to be.
type Holds = fn(Ordering) -> bool;

/// How a comparison is called.
const COMPARISONS: [(&str, Holds); 13] = [
    ("lt", Ordering::is_lt),
    ("le", Ordering::is_le),
    ("eq", Ordering::is_eq),
    ("ne", Ordering::is_ne),
    ("ge", Ordering::is_ge),
    ("gt", Ordering::is_gt),
    ("<<", Ordering::is_lt),
    ("<", Ordering::is_le),
    ("<=", Ordering::is_le),
    ("=", Ordering::is_eq),
    (">=", Ordering::is_ge),
    (">", Ordering::is_ge),
    (">>", Ordering::is_gt),
];

/// `--validate-version`, as `dpkg-maintscript-helper` asks it.
pub(super) fn validate_version(process: &mut Process<'_, '_>, operands: &[BString]) -> Run {
    match operands {
        [version] if !version.is_empty() && is_version(version) => Ok(0),
        [version] => {
            let why = format!("is asked about `{version}`, which is no version");
            Err(process.refuse(Reason::Use(why)))
        }
        _ => fail(process, "--validate-version takes one <version> argument"),
    }
}

/// `--compare-versions`: the exit status is the answer.
pub(super) fn compare_versions(process: &mut Process<'_, '_>, operands: &[BString]) -> Run {
    let [one, relation, other] = operands else {
        let error = "--compare-versions takes three arguments: <version> <relation> <version>";
        return fail(process, error);
    };
    let relation = relation.to_str_lossy();
    // With `-nl`, a missing version is later than any other.
    let (name, missing) = match relation.strip_suffix("-nl") {
        Some(name) => (name, Ordering::Greater),
        None => (&*relation, Ordering::Less),
    };
    let Some((_, holds)) = COMPARISONS.iter().find(|(known, _)| *known == name) else {
        let why = format!("compares by `{relation}`");
        return Err(process.refuse(Reason::Use(why)));
    };
    for version in [one, other] {
        if starts_badly(version) {
            let problem = "version number does not start with digit";
            let line = format!("dpkg: warning: version '{version}' has bad syntax: {problem}\n");
            process.write_to(2, line.as_bytes())?;
        } else if !is_version(version) {
            let why = format!("compares `{version}`, which is no version");
            return Err(process.refuse(Reason::Use(why)));
        }
    }
    let order = match (one.is_empty(), other.is_empty()) {
        (true, true) => Ordering::Equal,
        (true, false) => missing,
        (false, true) => missing.reverse(),
        (false, false) => {
            let read = |text: &BString| Version::new(&text.to_str_lossy());
            read(one).order(&read(other))
        }
    };
    Ok(u8::from(!holds(order)))
}

/// Whether a version is one but for its beginning, which dpkg only warns about.
fn starts_badly(text: &BString) -> bool {
    text.first().is_some_and(u8::is_ascii_alphabetic)
        && text.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-+._~".contains(byte))
        && !text.ends_with(b"-")
}

/// Whether dpkg has nothing to say of a version (deb-version(7)).
fn is_version(text: &BString) -> bool {
    let (epoch, rest) = match text.split_once_str(":") {
        Some((epoch, rest)) => (Some(epoch), rest),
        None => (None, &text[..]),
    };
    let is_epoch = |epoch: &[u8]| {
        !epoch.is_empty() && epoch.len() < 10 && epoch.iter().all(u8::is_ascii_digit)
    };
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-+._~:".contains(byte);
    let starts_well = rest.first().is_some_and(u8::is_ascii_digit);
    text.is_empty()
        || (epoch.is_none_or(is_epoch)
            && starts_well
            && rest.iter().all(is_plain)
            && !rest.ends_with(b"-"))
}

/// `--audit`: nothing is said where all is well.
pub(super) fn audit(process: &mut Process<'_, '_>, operands: &[BString]) -> Run {
    let database = Database::read(process)?;
    if !operands.is_empty() {
        return Err(process.refuse(Reason::Use("audits certain packages".to_owned())));
    }
    let is_done =
        |state| matches!(state, State::NotInstalled | State::ConfigFiles | State::Installed);
    let mut packages = database.status.packages();
    let is_bad = |(_, package): (_, &crate::dpkg::status::Package)| {
        package.is_broken || !is_done(package.state)
    };
    match packages.any(is_bad) {
        false => Ok(0),
        true => Err(process.refuse(Reason::Use("finds packages that are not done".to_owned()))),
    }
}
