//! What is wanted of packages: `--get-selections` and `--set-selections`.

use bstr::{BString, ByteSlice};
use shell::process::Run;
use shell::{Process, Reason};

use super::fail;
use crate::dpkg::Database;
use crate::dpkg::engine::{Engine, Options};
use crate::dpkg::format::in_order;
use crate::dpkg::status::{State, Want};
use crate::outside::Outside;

pub(super) fn list(process: &mut Process<'_, '_>, operands: &[BString]) -> Run {
    let database = Database::read(process)?;
    if let Some(pattern) = operands.iter().find(|name| name.find_byteset(b"*?[\\").is_some()) {
        let why = format!("is given the pattern {pattern}");
        return Err(process.refuse(Reason::Use(why)));
    }
    let packages = in_order(&database.status, &database.architectures);
    let lines = |is_meant: &dyn Fn(&str, &str) -> bool| -> String {
        let named = packages.iter().map(|package| (package, database.shown(package)));
        let meant = named.filter(|(package, shown)| is_meant(&package.id().name, shown));
        meant.map(|(package, shown)| line(&shown, package.want)).collect()
    };
    if operands.is_empty() {
        let is_there = |name: &str, _: &str| {
            database.status.named(name).any(|(_, package)| package.state != State::NotInstalled)
        };
        process.write(lines(&is_there))?;
    }
    for operand in operands {
        let found = lines(&|name, shown| *operand == *name || *operand == *shown);
        match found.is_empty() {
            true => {
                let line = format!("dpkg: no packages found matching {operand}\n");
                process.write_to(2, line.as_bytes())?;
            }
            false => process.write(found)?,
        }
    }
    Ok(0)
}

fn line(name: &str, want: Want) -> String {
    let tabs = 6_usize.saturating_sub(name.len() / 8).max(1);
    format!("{name}{}{}\n", "\t".repeat(tabs), want.name())
}

pub(super) fn set(process: &mut Process<'_, '_>, outside: &dyn Outside, options: Options) -> Run {
    let database = Database::read(process)?;
    let mut selections = Vec::new();
    let mut unknown = Vec::new();
    let mut number = 0;
    while let Some(line) = process.read_line()? {
        number += 1;
        let line = line.to_str_lossy().into_owned();
        let words: Vec<&str> = line.split_whitespace().collect();
        let (name, want) = match words[..] {
            [] => continue,
            [word, ..] if word.starts_with('#') => continue,
            [name, want] => (name, want),
            _ => {
                let error = format!("unexpected data after package and selection at line {number}");
                return fail(process, &error);
            }
        };
        let Some(want) = Want::named(want) else {
            return fail(process, &format!("unknown wanted status at line {number}: {want}"));
        };
        match database.find(name) {
            Some(id) => selections.push((id.clone(), want)),
            None => unknown.push(format!(
                "dpkg: warning: package not in status nor available database at line {number}: \
                {name}\n"
            )),
        }
    }
    for line in &unknown {
        process.write_to(2, line.as_bytes())?;
    }
    if !unknown.is_empty() {
        let hint = "dpkg: warning: found unknown packages; this might mean the available database\n\
            is outdated, and needs to be updated through a frontend method;\n\
            please see the FAQ <https://wiki.debian.org/Teams/Dpkg/FAQ#set-selections>\n";
        process.write_to(2, hint.as_bytes())?;
    }
    Engine::new(process, outside, options).select(&selections)
}
