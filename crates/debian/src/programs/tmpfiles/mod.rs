//! `systemd-tmpfiles --create` (systemd-tmpfiles(8) of systemd 252).

mod create;
mod line;

use bstr::{BString, ByteSlice};
use shell::Process;
use shell::options::{Known, Options, Order, Takes, long};
use shell::process::Run;

use super::accounts::Names;
use super::failure::{Failure, Step, refused};
use super::{Program, configuration};
use crate::outside::Outside;
use line::Line;

/// By name.
pub(super) const PROGRAMS: &[(&str, Program)] = &[("systemd-tmpfiles", systemd_tmpfiles)];

const KIND: &str = "tmpfiles.d";
const KNOWN: &[Known] = &[
    long("create", &["create"], Takes::Nothing),
    long("prefix", &["prefix"], Takes::Value),
    long("exclude-prefix", &["exclude-prefix"], Takes::Value),
];

fn systemd_tmpfiles(process: &mut Process<'_, '_>, _: &dyn Outside) -> Run {
    match run(process) {
        Ok(status) => Ok(status),
        Err(Failure::Stop(stop)) => Err(stop),
        Err(Failure::Error(message) | Failure::Usage(message)) => {
            process.write_to(2, format!("{message}\n").as_bytes())?;
            Ok(1)
        }
    }
}

fn run(process: &mut Process<'_, '_>) -> Step<u8> {
    let options = Options::of(process, KNOWN, Order::Anywhere)?;
    if !options.has("create") {
        return Failure::error(
            "You need to specify at least one of --clean, --create or --remove.",
        );
    }
    let mut paths = Vec::new();
    match options.operands.is_empty() {
        true => paths = configuration::all(process, KIND)?,
        false => {
            for name in &options.operands {
                match configuration::find(process, KIND, name)? {
                    Some(path) => paths.push(path),
                    None => {
                        return Failure::error(format_args!(
                            "Failed to open '{name}': No such file or directory"
                        ));
                    }
                }
            }
        }
    }
    let lines = read(process, &options, &paths)?;
    // What makes things comes first, a directory before what is in it; what alters them second.
    let (mut altering, mut making): (Vec<Line>, Vec<Line>) =
        lines.into_iter().partition(|line| line.kind.is_pattern());
    making.sort_by(|one, other| one.path.cmp(&other.path));
    making.append(&mut altering);
    let mut status = 0;
    for line in &making {
        match create::create(process, line) {
            Err(Failure::Error(message)) if !line.is_optional => {
                process.write_to(2, format!("{message}\n").as_bytes())?;
                // EX_CANTCREAT of sysexits.h(3head).
                status = 73;
            }
            Err(Failure::Error(_)) => {}
            step => step?,
        }
    }
    Ok(status)
}

/// All lines that are meant; the first of several that make the same path.
fn read(process: &mut Process<'_, '_>, options: &Options, paths: &[BString]) -> Step<Vec<Line>> {
    let (users, groups) = (Names::users(process)?, Names::groups(process)?);
    let mut lines: Vec<Line> = Vec::new();
    for path in paths {
        for text in configuration::lines(process, path)? {
            let Some(line) = line::parse(process, path, &text, &users, &groups)? else { continue };
            let has = |option: &str| {
                options.values(option).any(|prefix| is_within(&line.path, prefix.as_bytes()))
            };
            let is_meant = options.value("prefix").is_none() || has("prefix");
            if !is_meant || has("exclude-prefix") {
                continue;
            }
            let is_same = |known: &Line| {
                known.path == line.path && known.kind.is_pattern() == line.kind.is_pattern()
            };
            match lines.iter().find(|known| is_same(known)) {
                None => lines.push(line),
                Some(known) if *known == line || known.kind.is_pattern() => lines.push(line),
                Some(_) => {
                    let path = &line.path;
                    return Err(refused(process, format!("finds several lines for {path}")).into());
                }
            }
        }
    }
    lines.dedup();
    Ok(lines)
}

/// Whether a path is at or below another.
fn is_within(path: &[u8], above: &[u8]) -> bool {
    let above = above.trim_end_with(|byte| byte == '/');
    path.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
}
