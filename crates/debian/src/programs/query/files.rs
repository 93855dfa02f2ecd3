//! `--listfiles` and `--search`: whose files are whose.

use bstr::{BStr, BString, ByteSlice};
use shell::Process;
use shell::wildcard::{self, Case};

use super::{Failure, Query, State, Step, spec};
use crate::programs::divert::{self, Diversion};
use crate::programs::files_order;

/// The files of packages.
pub(super) fn list(process: &mut Process<'_, '_>, query: &Query) -> Step<usize> {
    if query.operands().is_empty() {
        return Failure::usage("--listfiles needs at least one package name argument");
    }
    let diversions = divert::read(process, &query.directory)?;
    let mut failures = 0;
    for (at, operand) in query.operands().iter().enumerate() {
        let package = spec::one(process, query, "listfiles", operand)?;
        match package.filter(|package| package.state != State::NotInstalled) {
            None => {
                query.note(process, format!("package '{operand}' is not installed"))?;
                failures += 1;
            }
            Some(package) => {
                let list = query.packages.list(process, package)?.unwrap_or_default();
                if list.is_empty() {
                    let name = query.name(package);
                    process.write(format!("Package '{name}' does not contain any files (!)\n"))?;
                }
                let name = package.id().name;
                process.write(listed(&list, &name, &diversions))?;
            }
        }
        if at + 1 < query.operands().len() {
            process.write("\n")?;
        }
    }
    if failures > 0 {
        let hint = "Use dpkg --contents (= dpkg-deb --contents) to list archive files contents.\n";
        process.write_to(2, hint.as_bytes())?;
    }
    Ok(failures)
}

fn listed(list: &[u8], package: &str, diversions: &[Diversion]) -> Vec<u8> {
    let mut text = Vec::new();
    for line in list.lines() {
        text.extend_from_slice(line);
        text.push(b'\n');
        if let Some(Diversion { to, package: own, .. }) =
            diversions.iter().find(|diversion| diversion.from == line)
        {
            let words = match own {
                None => format!("locally diverted to: {to}\n"),
                Some(own) if own == package => format!("package diverts others to: {to}\n"),
                Some(own) => format!("diverted by {own} to: {to}\n"),
            };
            text.extend_from_slice(words.as_bytes());
        }
    }
    text
}

/// Who has files.
pub(super) fn search(process: &mut Process<'_, '_>, query: &Query) -> Step<usize> {
    if query.operands().is_empty() {
        return Failure::usage("--search needs at least one file name pattern argument");
    }
    let diversions = divert::read(process, &query.directory)?;
    query.packages.expect_lists(process, query.packages.all())?;
    let mut lists = Vec::new();
    for package in query.packages.all().filter(|package| package.state != State::NotInstalled) {
        if let Some(list) = query.packages.list(process, package)? {
            let path = query.packages.info(package, "list");
            lists.push((path, query.name(package), list));
        }
    }
    // The last that was read comes first, and they are read as they are in the directory.
    lists.sort_by(|(one, ..), (other, ..)| other.cmp(one));
    let lists: Vec<_> = lists.into_iter().map(|(_, name, list)| (name, list)).collect();
    let mut failures = 0;
    for operand in query.operands() {
        let is_whole = matches!(operand.first(), Some(b'*' | b'[' | b'?' | b'/'));
        let pattern = match is_whole {
            true => operand.clone(),
            false => [b"*", &operand[..], b"*"].concat().into(),
        };
        let found: Vec<(BString, Vec<&str>)> = match pattern.find_byteset(b"*[?\\") {
            None => {
                let path = files_order::normal(files_order::trimmed(&pattern));
                let owners = lists
                    .iter()
                    .filter(|(_, list)| list.lines().any(|line| line == path))
                    .map(|(name, _)| &name[..])
                    .collect();
                vec![(path, owners)]
            }
            Some(_) => matching(&pattern, &lists, &diversions),
        };
        let mut count = 0;
        for (path, owners) in &found {
            count += show(process, path.as_bstr(), owners, &diversions)?;
        }
        if count == 0 {
            query.note(process, format!("no path found matching pattern {pattern}"))?;
            failures += 1;
        }
    }
    Ok(failures)
}

/// All files that a pattern means, with their owners, in dpkg's order.
fn matching<'a>(
    pattern: &BString,
    lists: &'a [(String, std::sync::Arc<[u8]>)],
    diversions: &[Diversion],
) -> Vec<(BString, Vec<&'a str>)> {
    let mut found: std::collections::BTreeMap<BString, Vec<&str>> = Default::default();
    for (name, list) in lists {
        for line in list.lines().filter(|line| wildcard::matches(pattern, line, Case::Counts)) {
            found.entry(line.into()).or_default().push(name);
        }
    }
    for path in diversions.iter().flat_map(|diversion| [&diversion.from, &diversion.to]) {
        if wildcard::matches(pattern, path, Case::Counts) {
            found.entry(path.clone()).or_default();
        }
    }
    let mut found: Vec<_> = found.into_iter().collect();
    files_order::sort(&mut found, |(path, _)| path);
    found
}

/// Says who has a file, and gives how many there are.
fn show(
    process: &mut Process<'_, '_>,
    path: &BStr,
    owners: &[&str],
    diversions: &[Diversion],
) -> Step<usize> {
    let is_meant = |diversion: &&Diversion| diversion.from == path || diversion.to == path;
    let diversion = diversions.iter().find(is_meant);
    if let Some(Diversion { from, to, package }) = diversion {
        let whose = match package {
            Some(package) => format!("diversion by {package}"),
            None => "local diversion".to_owned(),
        };
        process.write(format!("{whose} from: {from}\n{whose} to: {to}\n"))?;
    }
    if !owners.is_empty() {
        process.write(format!("{}: {path}\n", owners.join(", ")))?;
    }
    Ok(owners.len() + usize::from(diversion.is_some()))
}
