//! `dpkg-statoverride` (dpkg-statoverride(1) of dpkg 1.21).

use bstr::{BString, ByteSlice};
use shell::files::Last;
use shell::options::{Known, Options, Order, Takes, long};
use shell::process::{Run, errno};
use shell::wildcard::{self, Case};
use shell::{Process, Stop};

use super::accounts::Names;
use super::failure::{Failure, Step, conclude, refused, said};
use super::{Program, database, files_order, place};
use crate::outside::Outside;

/// By name.
pub(super) const PROGRAMS: &[(&str, Program)] = &[("dpkg-statoverride", dpkg_statoverride)];

const KNOWN: &[Known] = &[
    long("add", &["add"], Takes::Nothing),
    long("remove", &["remove"], Takes::Nothing),
    long("list", &["list"], Takes::Nothing),
    long("admindir", &["admindir"], Takes::Value),
    long("quiet", &["quiet"], Takes::Nothing),
    long("force", &["force"], Takes::Nothing),
    long("force-all", &["force-all"], Takes::Nothing),
    long("force-add", &["force-statoverride-add"], Takes::Nothing),
    long("force-remove", &["force-statoverride-remove"], Takes::Nothing),
    long("update", &["update"], Takes::Nothing),
];
const HELP: &str = "Use --help for help about overriding file stat information.";

/// What is said of a file's owner and mode, as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Override {
    pub(super) path: BString,
    pub(super) user: BString,
    pub(super) group: BString,
    pub(super) mode: u32,
}

struct Work {
    path: BString,
    options: Options,
    overrides: Vec<Override>,
    users: Names,
    groups: Names,
}

fn dpkg_statoverride(process: &mut Process<'_, '_>, _: &dyn Outside) -> Run {
    let step = run(process);
    conclude(process, step, HELP)
}

fn run(process: &mut Process<'_, '_>) -> Step<u8> {
    let options = Options::of(process, KNOWN, Order::First)?;
    let is_action = |id: &&str| matches!(*id, "add" | "remove" | "list");
    let actions: Vec<&str> = options.given.iter().map(|(id, _)| *id).filter(is_action).collect();
    let action = match actions[..] {
        [action] => action,
        [] => return Failure::usage("need an action option"),
        _ => return Err(refused(process, "is given several commands").into()),
    };
    let directory = database::directory(process, options.value("admindir"))?;
    if options.has("force") {
        database::warn(process, "deprecated --force option; use --force-all instead")?;
    }
    let path = place::within(&directory, b"statoverride");
    let overrides = read(process, &path)?;
    let (users, groups) = (Names::users(process)?, Names::groups(process)?);
    let mut work = Work { path, options, overrides, users, groups };
    let operands = work.options.operands.clone();
    match (action, &operands[..]) {
        ("list", patterns) => work.list(process, patterns),
        ("remove", [path]) => work.remove(process, path),
        ("remove", _) => Failure::usage("--remove needs a single argument"),
        (_, [user, group, mode, path]) => work.add(process, [user, group, mode, path]),
        _ => Failure::usage("--add needs four arguments"),
    }
}

/// Reads the overrides, in the order in which they are written.
pub(super) fn read(process: &mut Process<'_, '_>, path: &BString) -> Step<Vec<Override>> {
    let bytes = place::read(process, path)?.unwrap_or_default();
    if !bytes.is_empty() && !bytes.ends_with(b"\n") {
        return Failure::error("statoverride file is missing final newline");
    }
    let mut overrides: Vec<Override> = Vec::new();
    for line in bytes.lines() {
        let fields: Vec<&[u8]> = line.splitn_str(4, " ").collect();
        let [user, group, mode, path] = fields[..] else {
            return Failure::error(match line.is_empty() {
                true => "statoverride file contains empty line",
                false => "syntax error in statoverride file",
            });
        };
        let mode = parse_mode(mode)?;
        let path = files_order::normal(path);
        if overrides.iter().any(|known| known.path == path) {
            return Failure::error(format_args!(
                "multiple statoverrides present for file '{path}'"
            ));
        }
        overrides.push(Override { path, user: user.into(), group: group.into(), mode });
    }
    Ok(overrides)
}

fn parse_mode(text: &[u8]) -> Step<u32> {
    let mode = text.to_str().ok().and_then(|text| u32::from_str_radix(text.trim_start(), 8).ok());
    match mode.filter(|mode| *mode <= 0o7777) {
        Some(mode) => Ok(mode),
        None => Failure::error(format_args!("invalid statoverride mode {}", text.as_bstr())),
    }
}

/// A number behind `#`, or a name; `None` for a name that nobody has.
pub(super) fn parse_owner(names: &Names, text: &BString, kind: &str) -> Step<Option<u32>> {
    match text.strip_prefix(b"#") {
        Some(digits) => match digits.to_str().ok().and_then(|digits| digits.parse().ok()) {
            Some(number) => Ok(Some(number)),
            None => Failure::error(format_args!("invalid statoverride {kind} {text}")),
        },
        None => Ok(names.number(text.as_bstr())),
    }
}

/// The first name of a number; the number if nobody has it.
fn owner_name(names: &Names, number: u32) -> BString {
    names.name(number).cloned().unwrap_or_else(|| format!("#{number}").into())
}

impl Work {
    fn is_forced(&self, thing: &str) -> bool {
        ["force", "force-all", thing].iter().any(|option| self.options.has(option))
    }

    fn warn(&self, process: &mut Process<'_, '_>, message: String) -> Result<(), Stop> {
        match self.options.has("quiet") {
            true => Ok(()),
            false => database::warn(process, message),
        }
    }

    fn clean(&self, process: &mut Process<'_, '_>, path: &BString) -> Result<BString, Stop> {
        let clean = BString::from(files_order::trimmed(path));
        if clean != *path {
            self.warn(process, "stripping trailing /".to_owned())?;
        }
        Ok(clean)
    }

    /// A line, by the names that users and groups have now.
    fn line(&self, known: &Override) -> Step<String> {
        let user = parse_owner(&self.users, &known.user, "uid")?;
        let group = parse_owner(&self.groups, &known.group, "gid")?;
        let user = user.map_or_else(|| known.user.clone(), |uid| owner_name(&self.users, uid));
        let group = group.map_or_else(|| known.group.clone(), |gid| owner_name(&self.groups, gid));
        Ok(format!("{user} {group} {:o} {}\n", known.mode, known.path))
    }

    fn list(&self, process: &mut Process<'_, '_>, patterns: &[BString]) -> Step<u8> {
        let mut clean = Vec::new();
        for pattern in patterns {
            clean.push(self.clean(process, pattern)?);
        }
        let mut status = 1;
        for known in &self.overrides {
            let matches = |pattern: &BString| wildcard::matches(pattern, &known.path, Case::Counts);
            if clean.is_empty() || clean.iter().any(matches) {
                process.write(self.line(known)?)?;
                status = 0;
            }
        }
        Ok(status)
    }

    fn remove(&mut self, process: &mut Process<'_, '_>, path: &BString) -> Step<u8> {
        let path = files_order::normal(&self.clean(process, path)?);
        let before = self.overrides.len();
        self.overrides.retain(|known| known.path != path);
        if self.overrides.len() == before {
            self.warn(process, "no override present".to_owned())?;
            return Ok(if self.is_forced("force-remove") { 0 } else { 2 });
        }
        if self.options.has("update") {
            self.warn(process, "--update is useless for --remove".to_owned())?;
        }
        self.write(process)?;
        Ok(0)
    }

    fn add(
        &mut self,
        process: &mut Process<'_, '_>,
        [user, group, mode, path]: [&BString; 4],
    ) -> Step<u8> {
        if path.contains(&b'\n') {
            return Failure::usage("path may not contain newlines");
        }
        let path = self.clean(process, path)?;
        let normal = files_order::normal(&path);
        if self.overrides.iter().any(|known| known.path == normal) {
            if !self.is_forced("force-add") {
                return Failure::error(format_args!(
                    "an override for '{path}' already exists; aborting"
                ));
            }
            let rest = "already exists, but --force specified so will be ignored";
            database::warn(process, format_args!("an override for '{path}' {rest}"))?;
        }
        let Some(uid) = parse_owner(&self.users, user, "uid")? else {
            return Failure::error(format_args!("user '{user}' does not exist"));
        };
        let Some(gid) = parse_owner(&self.groups, group, "gid")? else {
            return Failure::error(format_args!("group '{group}' does not exist"));
        };
        let mode = parse_mode(mode)?;
        if self.options.has("update") {
            self.apply(process, &path, (uid, gid, mode))?;
        }
        let (user, group) = (format!("#{uid}").into(), format!("#{gid}").into());
        let new = Override { path: normal, user, group, mode };
        match self.overrides.iter_mut().find(|known| known.path == new.path) {
            Some(known) => *known = new,
            None => self.overrides.push(new),
        }
        self.write(process)?;
        Ok(0)
    }

    fn apply(
        &self,
        process: &mut Process<'_, '_>,
        path: &BString,
        (uid, gid, mode): (u32, u32, u32),
    ) -> Step<()> {
        let Ok((real, _)) = errno(process.find(path, Last::Followed))? else {
            self.warn(process, format!("--update given but {path} does not exist"))?;
            return Ok(());
        };
        let files = &mut process.machine.files;
        let owned = files.set_owner(&real, Some(uid), Some(gid));
        said(owned, || format!("error setting ownership of '{path}'"))?;
        let set = process.machine.files.set_mode(&real, mode);
        said(set, || format!("error setting permissions of '{path}'"))
    }

    fn write(&mut self, process: &mut Process<'_, '_>) -> Step<()> {
        files_order::sort(&mut self.overrides, |known| &known.path);
        let mut text = String::new();
        for known in &self.overrides {
            text += &self.line(known)?;
        }
        database::write(process, &self.path, text)
    }
}
