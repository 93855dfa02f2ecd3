//! `--control-path`, `--control-list` and `--control-show`: a package's own files in the database.

use bstr::{BString, ByteSlice};
use shell::Process;
use shell::files::{Kind, Last};
use shell::process::errno;

use super::show::installed;
use super::{Failure, Query, Step};
use crate::dpkg::status::Package;
use crate::programs::place;

/// What is dpkg's own is not shown.
fn is_internal(kind: &[u8]) -> bool {
    kind == b"list" || kind == b"conffiles" || kind.len() > 50
}

fn check(kind: &BString) -> Step<()> {
    match kind.find_byteset(b"/.") {
        None => Ok(()),
        Some(_) => {
            let wrong = if kind.contains(&b'/') { '/' } else { '.' };
            Failure::usage(format_args!("control file contains {wrong}"))
        }
    }
}

/// The kinds of files that there are of a package.
fn kinds(process: &Process<'_, '_>, query: &Query, package: &Package) -> Step<Vec<BString>> {
    let info = place::within(&query.directory, b"info");
    let path = query.packages.info(package, "");
    let prefix = place::base_name(&path);
    let mut kinds = Vec::new();
    for name in place::names(process, &info)? {
        if let Some(kind) = name.strip_prefix(prefix.as_bytes())
            && !kind.contains(&b'.')
            && !is_internal(kind)
        {
            kinds.push(kind.into());
        }
    }
    Ok(kinds)
}

fn file(query: &Query, package: &Package, kind: &BString) -> BString {
    query.packages.info(package, &kind.to_string())
}

pub(super) fn path(process: &mut Process<'_, '_>, query: &Query) -> Step<usize> {
    let (name, kind) = match query.operands() {
        [] => return Failure::usage("--control-path needs at least one package name argument"),
        [name] => (name, None),
        [name, kind] => (name, Some(kind)),
        _ => return Failure::usage("--control-path takes at most two arguments"),
    };
    if let Some(kind) = kind {
        check(kind)?;
    }
    let package = installed(process, query, "control-path", name)?;
    let kinds = match kind {
        None => kinds(process, query, package)?,
        Some(kind) if is_internal(kind) => Vec::new(),
        Some(kind) => {
            let found = errno(process.find(&file(query, package, kind), Last::Followed))?;
            let is_file = found.is_ok_and(|(_, stat)| matches!(stat.kind, Kind::File(_)));
            is_file.then(|| kind.clone()).into_iter().collect()
        }
    };
    for kind in kinds {
        process.write(format!("{}\n", file(query, package, &kind)))?;
    }
    Ok(0)
}

pub(super) fn list(process: &mut Process<'_, '_>, query: &Query) -> Step<usize> {
    let [name] = query.operands() else {
        return Failure::usage("--control-list takes one package name argument");
    };
    let package = installed(process, query, "control-list", name)?;
    for kind in kinds(process, query, package)? {
        process.write(format!("{kind}\n"))?;
    }
    Ok(0)
}

pub(super) fn show(process: &mut Process<'_, '_>, query: &Query) -> Step<usize> {
    let [name, kind] = query.operands() else {
        return Failure::usage("--control-show takes exactly two arguments");
    };
    check(kind)?;
    let package = installed(process, query, "control-show", name)?;
    match place::read(process, &file(query, package, kind))? {
        Some(bytes) => {
            process.write(bytes)?;
            Ok(0)
        }
        None => Failure::error(format_args!("control file '{kind}' does not exist")),
    }
}
