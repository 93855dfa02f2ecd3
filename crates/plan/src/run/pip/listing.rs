//! What is installed, in lists: `pip freeze`, `pip list`, `pip show`, `pip --version`.

use python::Distribution;
use shell::files::FileError;
use shell::{Process, Reason, Stop as ShellStop};

use super::gather::Ended;
use super::interpreter::Python;
use super::options::{Options, refuse};
use super::uninstall::spelled;
use super::{misused, settled};

/// What pip never lists (`stdlib_pkgs`).
const STANDARD: [&str; 3] = ["python", "wsgiref", "argparse"];
/// What `pip freeze` leaves out, if it is not asked for all; from Python 3.12 on, pip alone.
const OF_DEVELOPMENT: [&str; 4] = ["pip", "setuptools", "distribute", "wheel"];

/// `pip freeze`
pub(super) fn freeze(
    process: &mut Process<'_, '_>,
    python: &Python,
    options: &Options,
) -> Result<u8, Ended> {
    let version = &python.interpreter().version;
    let left_out: &[&str] = match (options.has("--all"), (version.major, version.minor) >= (3, 12))
    {
        (true, _) => &[],
        (false, true) => &OF_DEVELOPMENT[..1],
        (false, false) => &OF_DEVELOPMENT,
    };
    for distribution in listed(python, options) {
        if left_out.contains(&distribution.name.as_str()) {
            continue;
        }
        let name = spelled(distribution);
        refuse_editable(python, distribution)?;
        let line = match direct_url(process, distribution)? {
            Some(place) => format!("{name} @ {place}\n"),
            None => format!("{name}=={}\n", distribution.version),
        };
        process.write(line)?;
    }
    Ok(0)
}

/// `pip list`
pub(super) fn list(
    process: &mut Process<'_, '_>,
    python: &Python,
    options: &Options,
) -> Result<u8, Ended> {
    let all: Vec<&Distribution> = listed(python, options);
    for distribution in &all {
        refuse_editable(python, distribution)?;
    }
    let rows = all.iter().map(|one| (spelled(one).to_owned(), one.version.clone()));
    let rows: Vec<(String, String)> = rows.collect();
    let text = match options.value("--format").unwrap_or("columns") {
        "columns" => columns(&rows),
        "freeze" => rows.iter().map(|(name, version)| format!("{name}=={version}\n")).collect(),
        "json" => {
            let one = |(name, version): &(String, String)| {
                format!("{{\"name\": \"{name}\", \"version\": \"{version}\"}}")
            };
            format!("[{}]\n", rows.iter().map(one).collect::<Vec<_>>().join(", "))
        }
        other => {
            let option = Reason::Option(format!("--format={other}"));
            return Err(refuse("pip list", option).into());
        }
    };
    process.write(text)?;
    Ok(0)
}

/// The table that pip makes (`tabulate`).
fn columns(rows: &[(String, String)]) -> String {
    let head = [("Package".to_owned(), "Version".to_owned())];
    let all = || head.iter().chain(rows);
    let first = all().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
    let second = all().map(|(_, version)| version.chars().count()).max().unwrap_or_default();
    let mut text = String::new();
    if rows.is_empty() {
        return text;
    }
    let line =
        |name: &str, version: &str| format!("{}\n", format!("{name:first$} {version}").trim_end());
    text.push_str(&line("Package", "Version"));
    text.push_str(&line(&"-".repeat(first), &"-".repeat(second)));
    rows.iter().for_each(|(name, version)| text.push_str(&line(name, version)));
    text
}

/// `pip show`, as far as it tells whether something is installed.
pub(super) fn show(
    process: &mut Process<'_, '_>,
    python: &Python,
    options: &Options,
) -> Result<u8, Ended> {
    if options.operands.is_empty() {
        process.write_to(2, b"WARNING: ERROR: Please provide a package name or names.\n")?;
        return Ok(1);
    }
    let missing = options.operands.iter().filter(|name| python.distribution(name).is_none());
    let missing: Vec<String> = missing.map(|name| python::normalized_name(name)).collect();
    if missing.len() < options.operands.len() {
        let reason = "prints all that is known of a package, which is not built in".to_owned();
        return Err(misused("pip show", reason).into());
    }
    let line = format!("WARNING: Package(s) not found: {}\n", missing.join(", "));
    process.write_to(2, line.as_bytes())?;
    Ok(1)
}

/// `pip --version`
pub(super) fn version(process: &mut Process<'_, '_>, python: &Python) -> Result<u8, Ended> {
    let Some(pip) = python.distribution("pip") else { return Ok(1) };
    let place = pip.metadata.parent().map(|place| place.join("pip").to_string());
    let (version, series) = (&pip.version, python.series());
    let place = place.unwrap_or_default();
    process.write(format!("pip {version} from /{place} (python {series})\n"))?;
    Ok(0)
}

fn listed<'a>(python: &'a Python, options: &'a Options) -> Vec<&'a Distribution> {
    let excluded: Vec<String> = options.values("--exclude").map(python::normalized_name).collect();
    let foreign = &python.interpreter().foreign;
    let is_local = |distribution: &Distribution| {
        let place = distribution.metadata.parent();
        !python.is_environment || place.is_none_or(|place| !foreign.contains(&place))
    };
    let counts = |distribution: &&Distribution| {
        !STANDARD.contains(&distribution.name.as_str())
            && !excluded.contains(&distribution.name)
            && (!options.has("-l") || is_local(distribution))
    };
    let mut all: Vec<&Distribution> = python.installed.iter().filter(counts).collect();
    all.sort_by(|one, other| one.name.cmp(&other.name));
    all
}

/// Where a distribution came from, if from no index, as `pip freeze` has it (PEP 610, PEP 440).
pub(super) fn direct_url(
    process: &mut Process<'_, '_>,
    distribution: &Distribution,
) -> Result<Option<String>, ShellStop> {
    let path = [b"/", distribution.metadata.join("direct_url.json").as_bytes()].concat();
    let text = match process.open_bytes(&path) {
        Err(FileError::Errno(_)) => return Ok(None),
        text => settled(text, "pip freeze")?,
    };
    let odd = || {
        misused(
            "pip freeze",
            format!("finds `{}` from a place that is not understood", distribution.name),
        )
    };
    let text = std::str::from_utf8(&text).map_err(|_| odd())?;
    python::direct_reference(text).map(Some).ok_or_else(odd)
}

/// What is developed in its own directory is listed with that, which is not built in: its metadata
/// is beside it, and not among the packages.
pub(super) fn refuse_editable(
    python: &Python,
    distribution: &Distribution,
) -> Result<(), ShellStop> {
    let place = distribution.metadata.parent();
    let is_package = place.is_some_and(|place| python.interpreter().search_path.contains(&place));
    match is_package {
        true => Ok(()),
        false => {
            let reason = format!("finds `{}` installed for development", distribution.name);
            Err(misused("pip", reason))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::columns;

    #[test]
    fn tables_are_as_pip_makes_them() {
        let row = |name: &str, version: &str| (name.to_owned(), version.to_owned());
        insta::assert_snapshot!(
            columns(&[row("pip", "23.2.1"), row("setuptools", "65.5.1")]),
            @r"
        Package    Version
        ---------- -------
        pip        23.2.1
        setuptools 65.5.1
        "
        );
        assert_eq!(columns(&[]), "");
    }
}
