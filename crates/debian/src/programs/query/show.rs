//! `--show`, `--status` and `--print-avail`: what is known of packages.

use bstr::{BString, ByteSlice};
use shell::Process;

use super::format::Format;
use super::{Failure, Query, State, Step, spec};
use crate::control::Stanza;
use crate::dpkg::status::Package;
use crate::programs::place;

const FORMAT: &str = "${binary:Package}\\t${Version}\\n";

/// Packages in the format that was asked for.
pub(super) fn show(process: &mut Process<'_, '_>, query: &Query) -> Step<usize> {
    let format = query.options.value("format").unwrap_or(FORMAT.into());
    // dpkg takes an equals sign behind a short option, too.
    let is_short = !process.arguments().iter().any(|word| word.starts_with(b"--showformat"));
    let format = match format.strip_prefix(b"=") {
        Some(format) if is_short => format,
        _ => format,
    };
    let format = match Format::parse(format) {
        Ok(format) => format,
        Err(why) => {
            query.note(process, format!("error in show format: {why}"))?;
            return Ok(1);
        }
    };
    let (chosen, missing) = query.chosen(process)?;
    if format.needs_files() {
        query.packages.expect_lists(process, chosen.iter())?;
    }
    for package in &chosen {
        let text = format.text(process, query, package)?;
        process.write(text)?;
    }
    query.note_missing(process, &missing)
}

/// A stanza as dpkg writes it.
fn write_stanza(process: &mut Process<'_, '_>, package: &Package) -> Step<()> {
    let mut text = Vec::new();
    for (name, value) in package.stanza.fields() {
        text.extend_from_slice(name);
        text.push(b':');
        if !value.is_empty() && !value.starts_with(b"\n") {
            text.push(b' ');
        }
        match name.eq_ignore_ascii_case(b"Status") {
            true => text.extend_from_slice(package.status_words().as_bytes()),
            false => text.extend_from_slice(value),
        }
        text.push(b'\n');
    }
    process.write(text)?;
    Ok(())
}

/// What the database says.
pub(super) fn status(process: &mut Process<'_, '_>, query: &Query) -> Step<usize> {
    if query.operands().is_empty() {
        for package in query.packages.all() {
            write_stanza(process, package)?;
            process.write("\n")?;
        }
        return Ok(0);
    }
    let mut failures = 0;
    for (at, operand) in query.operands().iter().enumerate() {
        match spec::one(process, query, "status", operand)? {
            Some(package) => write_stanza(process, package)?,
            None => {
                // The table of names has no capitals.
                let operand = operand.to_ascii_lowercase();
                let operand = operand.as_bstr();
                let what = "is not installed and no information is available";
                query.note(process, format!("package '{operand}' {what}"))?;
                failures += 1;
            }
        }
        if at + 1 < query.operands().len() {
            process.write("\n")?;
        }
    }
    if failures > 0 {
        let hint = "Use dpkg --info (= dpkg-deb --info) to examine archive files.\n";
        process.write_to(2, hint.as_bytes())?;
    }
    Ok(failures)
}

/// The order in which dpkg writes the fields that it knows; others stand behind them.
const ORDER: [&str; 30] = [
    "Package",
    "Essential",
    "Protected",
    "Status",
    "Priority",
    "Section",
    "Installed-Size",
    "Origin",
    "Maintainer",
    "Bugs",
    "Architecture",
    "Multi-Arch",
    "Source",
    "Version",
    "Config-Version",
    "Replaces",
    "Provides",
    "Depends",
    "Pre-Depends",
    "Recommends",
    "Suggests",
    "Breaks",
    "Conflicts",
    "Enhances",
    "Conffiles",
    "Filename",
    "Size",
    "MD5sum",
    "MSDOS-Filename",
    "Description",
];

fn ordered(stanza: &Stanza) -> Stanza {
    let place = |name: &[u8]| {
        let known = ORDER.iter().position(|known| known.as_bytes().eq_ignore_ascii_case(name));
        known.unwrap_or(ORDER.len())
    };
    let mut fields: Vec<_> = stanza.fields().collect();
    fields.sort_by_key(|(name, _)| place(name));
    let mut ordered = Stanza::default();
    for (name, value) in fields {
        ordered.set(&name.to_str_lossy(), value);
    }
    ordered
}

/// What dselect would know is to be had.
pub(super) fn available(process: &mut Process<'_, '_>, query: &Query) -> Step<usize> {
    let path = place::within(&query.directory, b"available");
    let text = place::read(process, &path)?.unwrap_or_default();
    let stanzas = Stanza::parse_all(&text)
        .or_else(|error| Failure::error(format_args!("parsing file '{path}' near {error}")))?;
    let find = |name: &BString| {
        let is_meant = |stanza: &&Stanza| {
            stanza.get("Package").is_some_and(|known| known.as_bytes() == name.as_bytes())
        };
        stanzas.iter().find(is_meant).cloned()
    };
    if query.operands().is_empty() {
        for stanza in stanzas {
            write_stanza(process, &Package::of(ordered(&stanza)))?;
            process.write("\n")?;
        }
        return Ok(0);
    }
    let mut failures = 0;
    for (at, operand) in query.operands().iter().enumerate() {
        // The name has to be one.
        spec::one(process, query, "print-avail", operand)?;
        match find(operand) {
            Some(stanza) => write_stanza(process, &Package::of(ordered(&stanza)))?,
            None => {
                query.note(process, format!("package '{operand}' is not available"))?;
                failures += 1;
            }
        }
        if at + 1 < query.operands().len() {
            process.write("\n")?;
        }
    }
    Ok(failures)
}

/// A package that has to be installed.
pub(super) fn installed<'a>(
    process: &Process<'_, '_>,
    query: &'a Query,
    action: &str,
    name: &BString,
) -> Step<&'a Package> {
    match spec::one(process, query, action, name)? {
        Some(package) if package.state != State::NotInstalled => Ok(package),
        Some(package) => {
            let name = query.name(package);
            Failure::error(format_args!("package '{name}' is not installed"))
        }
        None => Failure::error(format_args!("package '{name}' is not installed")),
    }
}
