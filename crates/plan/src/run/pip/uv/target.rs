//! Which Python `uv pip` works for, and where it installs to.

use oci::ImagePath;
use python::Layout;
use shell::execute::{Lookup, look_up};
use shell::files::{FileError, Last};
use shell::{Process, Stop as ShellStop};

use super::super::asked::Destination;
use super::super::configuration::{home, variable};
use super::super::interpreter::Python;
use super::super::layout::{Placement, PlacementKind};
use super::super::misused;
use super::Options;

const SHOWN: &str = "uv pip";
/// The names of an interpreter, the more exact one first.
const NAMES: [&str; 2] = ["python3", "python"];

/// The interpreter (uv's documentation, "Using Python environments"): the one that is named, the
/// active environment's, that of a `.venv` here or above, or with `--system` the first in `PATH`.
pub(super) fn executable(
    process: &mut Process<'_, '_>,
    options: &Options,
) -> Result<Option<String>, ShellStop> {
    refuse_configured(process, options)?;
    if let Some(named) = options.value("-p") {
        return named_python(process, named).map(Some);
    }
    if options.has("--system") {
        return in_path(process, &NAMES);
    }
    let active = ["VIRTUAL_ENV", "CONDA_PREFIX"].iter().find_map(|name| variable(process, name));
    if let Some(root) = active.filter(|root| !root.is_empty()) {
        return match in_environment(process, &absolute(process, &root))? {
            Some(found) => Ok(Some(found)),
            None => Err(misused(SHOWN, format!("finds no Python in the environment `{root}`"))),
        };
    }
    let here = process.directory.clone();
    for directory in
        std::iter::once(here.clone()).chain(here.ancestors()).chain([ImagePath::root()])
    {
        if let Some(found) = in_environment(process, &directory.join(".venv"))? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

fn absolute(process: &Process<'_, '_>, path: &str) -> ImagePath {
    match path.starts_with('/') {
        true => ImagePath::lexical(path),
        false => process.directory.join(path),
    }
}

fn is_there(process: &Process<'_, '_>, path: &ImagePath) -> Result<bool, ShellStop> {
    match process.find(&[b"/", path.as_bytes()].concat(), Last::Followed) {
        Ok(_) => Ok(true),
        Err(FileError::Errno(_)) => Ok(false),
        Err(FileError::Stop(stop)) => Err(stop),
    }
}

fn in_environment(
    process: &Process<'_, '_>,
    root: &ImagePath,
) -> Result<Option<String>, ShellStop> {
    for name in NAMES {
        let path = root.join("bin").join(name);
        if is_there(process, &path)? {
            return Ok(Some(format!("/{path}")));
        }
    }
    Ok(None)
}

/// The first directory of `PATH` that has one of these, by the first name that it has.
fn in_path(process: &Process<'_, '_>, names: &[&str]) -> Result<Option<String>, ShellStop> {
    let path = variable(process, "PATH").unwrap_or_default();
    for directory in path.split(':').filter(|directory| directory.starts_with('/')) {
        for name in names {
            let found = look_up(
                &process.machine.files,
                &process.directory,
                None,
                format!("{directory}/{name}").as_bytes(),
            )?;
            if let Lookup::Found { named, .. } = found {
                return Ok(Some(format!("/{}", ImagePath::lexical(&named[..]))));
            }
        }
    }
    Ok(None)
}

/// `--python`: a path to an interpreter or an environment, or a version.
fn named_python(process: &Process<'_, '_>, named: &str) -> Result<String, ShellStop> {
    let found = match named {
        path if path.contains('/') => {
            let path = absolute(process, path);
            match in_environment(process, &path)? {
                Some(found) => Some(found),
                None if is_there(process, &path)? => Some(format!("/{path}")),
                None => None,
            }
        }
        name if name.starts_with("python") => in_path(process, &[name])?,
        version => in_path(process, &[&format!("python{version}")])?,
    };
    found.ok_or_else(|| {
        misused(SHOWN, format!("looks for the Python `{named}`, which is not found"))
    })
}

/// uv heeds files of its own, which are not read here, and what projects say of it.
fn refuse_configured(process: &mut Process<'_, '_>, options: &Options) -> Result<(), ShellStop> {
    if options.has("--no-config") {
        return Ok(());
    }
    let own = format!("{}/.config/uv/uv.toml", home(process));
    let mut files = vec![ImagePath::lexical("etc/uv/uv.toml"), ImagePath::lexical(own)];
    let here = process.directory.clone();
    for directory in std::iter::once(here.clone()).chain(here.ancestors()) {
        files.push(directory.join("uv.toml"));
        files.push(directory.join("pyproject.toml"));
    }
    for file in files {
        let is_set_up = match process.open_bytes(&[b"/", file.as_bytes()].concat()) {
            Ok(text) if file.file_name() == Some(b"pyproject.toml") => {
                String::from_utf8_lossy(&text).contains("tool.uv")
            }
            Ok(_) => true,
            Err(FileError::Errno(_)) => false,
            Err(FileError::Stop(stop)) => return Err(stop),
        };
        if is_set_up {
            return Err(misused(SHOWN, format!("is set up by `/{file}`, which is not built in")));
        }
    }
    Ok(())
}

/// Refuses a place in which something may be installed already.
pub(super) fn refuse_filled(process: &Process<'_, '_>, place: &str) -> Result<(), ShellStop> {
    match is_there(process, &absolute(process, place))? {
        true => {
            let reason = format!("installs to `{place}`, which is there already");
            Err(misused("uv pip install", reason))
        }
        false => Ok(()),
    }
}

/// A target directory is where packages are, and a prefix is as Python's own.
pub(super) fn placement(
    process: &mut Process<'_, '_>,
    python: &Python,
    destination: &Destination,
) -> Result<Placement, ShellStop> {
    let Destination::Target(target) = destination else {
        return Placement::of(process, python, destination, -1);
    };
    let target = absolute(process, target);
    let layout = Layout {
        purelib: target.clone(),
        platlib: target.clone(),
        scripts: target.join("bin"),
        headers: target.join("include"),
        data: target,
    };
    Ok(Placement { layout, kind: PlacementKind::System })
}
