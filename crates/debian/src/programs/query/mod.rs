//! `dpkg-query` (dpkg-query(1) of dpkg 1.21), and what `dpkg` itself leaves to it.

mod control;
mod files;
mod format;
mod list;
mod show;
mod spec;

use std::collections::BTreeSet;

use bstr::{BString, ByteSlice};
use shell::options::{Known, Options, Order, Takes, flag, long, value};
use shell::process::Run;
use shell::{Process, Stop};

use super::failure::{Failure, Step, conclude, refused};
use super::packages::Packages;
use super::{Program, database};
use crate::control::Stanza;
use crate::dpkg::architecture;
use crate::dpkg::status::{Package, State};
use crate::outside::Outside;

/// By name.
pub(super) const PROGRAMS: &[(&str, Program)] = &[("dpkg-query", dpkg_query)];

const KNOWN: &[Known] = &[
    flag("listfiles", 'L', &["listfiles"]),
    flag("status", 's', &["status"]),
    flag("print-avail", 'p', &["print-avail"]),
    flag("list", 'l', &["list"]),
    flag("search", 'S', &["search"]),
    flag("show", 'W', &["show"]),
    flag("control-path", 'c', &["control-path"]),
    long("control-list", &["control-list"], Takes::Nothing),
    long("control-show", &["control-show"], Takes::Nothing),
    long("admindir", &["admindir"], Takes::Value),
    long("no-pager", &["no-pager"], Takes::Nothing),
    value("format", 'f', &["showformat"]),
];
const SETTINGS: [&str; 3] = ["admindir", "no-pager", "format"];
const HELP: &str = "Use --help for help about querying packages.";

/// One run of the program.
struct Query {
    packages: Packages,
    directory: BString,
    native: &'static str,
    options: Options,
}

fn dpkg_query(process: &mut Process<'_, '_>, _: &dyn Outside) -> Run {
    let words = process.arguments().to_vec();
    query(process, &words)
}

/// Runs `dpkg-query` with these arguments, whatever the process is called.
pub(crate) fn query(process: &mut Process<'_, '_>, words: &[BString]) -> Run {
    let before = process.speaker.replace("dpkg-query".into());
    let step = run(process, words);
    let status = conclude(process, step, HELP);
    process.speaker = before;
    status
}

fn run(process: &mut Process<'_, '_>, words: &[BString]) -> Step<u8> {
    let options = Options::read(words, KNOWN, Order::First)
        .map_err(|option| super::failure::unknown(process, option))?;
    let actions: Vec<&str> =
        options.given.iter().map(|(id, _)| *id).filter(|id| !SETTINGS.contains(id)).collect();
    let action = match actions[..] {
        [action] => action,
        [] => return Failure::usage("need an action option"),
        _ => return Err(refused(process, "is given several commands").into()),
    };
    let directory = database::directory(process, options.value("admindir"))?;
    let packages = Packages::read(process, &directory)?;
    let query = Query { packages, directory, native: architecture::native(process)?, options };
    let failures = match action {
        "listfiles" => files::list(process, &query)?,
        "search" => files::search(process, &query)?,
        "status" => show::status(process, &query)?,
        "print-avail" => show::available(process, &query)?,
        "list" => list::list(process, &query)?,
        "show" => show::show(process, &query)?,
        "control-path" => control::path(process, &query)?,
        "control-list" => control::list(process, &query)?,
        _ => control::show(process, &query)?,
    };
    Ok(u8::from(failures > 0))
}

impl Query {
    fn operands(&self) -> &[BString] {
        &self.options.operands
    }

    /// Says something that is no error.
    fn note(&self, process: &mut Process<'_, '_>, message: String) -> Result<(), Stop> {
        process.complain(message)
    }

    /// A package's name, with its architecture where there may be several.
    fn name(&self, package: &Package) -> String {
        let id = package.id();
        let is_qualified = package.stanza.text("Multi-Arch") == Some("same")
            || (*id.architecture != *self.native && &*id.architecture != "all");
        match is_qualified && !id.architecture.is_empty() {
            true => id.to_string(),
            false => id.name.into(),
        }
    }

    /// Everything that has a name: packages that dpkg knows, and those that others speak of.
    fn everything(&self) -> Vec<Package> {
        let mut all: Vec<Package> = self.packages.all().cloned().collect();
        let known: BTreeSet<Box<str>> = all.iter().map(|package| package.id().name).collect();
        let mut mentioned = BTreeSet::new();
        for package in &all {
            mention(&package.stanza, &mut mentioned);
        }
        for name in mentioned.iter().filter(|name| !known.contains(&***name)) {
            let mut stanza = Stanza::default();
            stanza.set("Package", name.as_str());
            all.push(Package::of(stanza));
        }
        all.sort_by_key(Package::id);
        all
    }

    /// All that is installed in some way, or what the operands mean; and how many of those mean
    /// nothing.
    fn chosen(&self, process: &mut Process<'_, '_>) -> Step<(Vec<Package>, Vec<BString>)> {
        let mut all = self.everything();
        if self.operands().is_empty() {
            all.retain(|package| package.state != State::NotInstalled);
            return Ok((all, Vec::new()));
        }
        let mut specs = Vec::new();
        for operand in self.operands() {
            specs.push((spec::Spec::pattern(process, operand)?, false));
        }
        all.retain(|package| {
            let id = package.id();
            let mut is_chosen = false;
            for (spec, found) in &mut specs {
                if spec.matches(&id) {
                    *found = true;
                    is_chosen = true;
                }
            }
            is_chosen
        });
        let missing = self.operands().iter().zip(&specs).filter(|(_, (_, found))| !found);
        let missing = missing.map(|(operand, _)| operand.clone()).collect();
        Ok((all, missing))
    }

    fn note_missing(&self, process: &mut Process<'_, '_>, missing: &[BString]) -> Step<usize> {
        for operand in missing {
            self.note(process, format!("no packages found matching {operand}"))?;
        }
        Ok(missing.len())
    }
}

const RELATIONS: [&str; 9] = [
    "Replaces",
    "Provides",
    "Depends",
    "Pre-Depends",
    "Recommends",
    "Suggests",
    "Breaks",
    "Conflicts",
    "Enhances",
];

/// The names that a package's relations speak of.
fn mention(stanza: &Stanza, names: &mut BTreeSet<String>) {
    for field in RELATIONS.iter().filter_map(|field| stanza.get(field)) {
        for item in field.split(|byte| matches!(byte, b',' | b'|')) {
            let item = item.trim();
            let end = item.iter().position(|byte| b" \t\n:(".contains(byte)).unwrap_or(item.len());
            if let Ok(name) = item[..end].to_str()
                && !name.is_empty()
            {
                names.insert(name.to_owned());
            }
        }
    }
}
