//! `ensurepip`: the pip of a new environment, from the wheels that the image's Python brings.

use oci::ImagePath;
use python::{Role, ScriptTemplate, Statement, Upgrade};
use shell::files::{FileError, Last};
use shell::{Data, Process};

use super::super::super::outside::RunOutside;
use super::super::asked::{Asked, Destination, origin};
use super::super::gather::{Ended, Given, Written};
use super::super::install::install_written;
use super::super::interpreter::Python;
use super::super::layout::Placement;
use super::super::misused;
use super::super::scene::Scene;
use super::{SHOWN, text};

/// Where Debian keeps the wheels.
const DEBIAN_WHEELS: &str = "usr/share/python-wheels";

/// The wheels of a Python, and the environment that they are for.
pub(super) struct Bundle<'a> {
    pub(super) library: &'a ImagePath,
    /// The environment's interpreter.
    pub(super) executable: String,
    /// The interpreter that makes the environment.
    pub(super) python: &'a Python,
}

/// A wheel of the bundle.
struct Bundled {
    name: &'static str,
    version: String,
    path: ImagePath,
    data: Data,
}

impl Bundle<'_> {
    /// Installs pip, and for older versions setuptools, as `ensurepip --upgrade --default-pip`
    /// does, which heeds no configuration.
    pub(super) fn install(
        &self,
        run: &RunOutside<'_, '_, '_>,
        process: &mut Process<'_, '_>,
    ) -> Result<u8, Ended> {
        let wheels = self.wheels(process)?;
        let pip = wheels.iter().find(|wheel| wheel.name == "pip");
        let scripts = pip.map(|pip| ScriptTemplate::of_pip(&pip.version)).unwrap_or_default();
        let mut written = Written::default();
        for Bundled { name, path, data, .. } in &wheels {
            let parsed = python::parse_requirements(name, &|_| None).unwrap_or_default();
            for item in parsed.items {
                if let Statement::Requirement(line) = item.statement {
                    // A plain name is always taken.
                    let _ = written.gathered.add(Role::Requirements, &line, origin());
                }
            }
            written.give(run, path.to_string(), data.clone(), Given::Linked);
        }
        written.gathered.settings.indexes.no_index = true;
        let scene = Scene::of(run, &process.machine.files)?;
        let python = Python::find(run, process, &scene, &self.executable)?;
        let asked = Asked { upgrade: Upgrade::Requested, verbosity: -1, ..Asked::default() };
        let placement = Placement::of(process, &python, &Destination::System, asked.verbosity)?;
        let placed = (written, placement);
        install_written(run, process, &scene, &python, &asked, placed, scripts)
    }

    fn wheels(&self, process: &mut Process<'_, '_>) -> Result<Vec<Bundled>, Ended> {
        let own = self.library.join("ensurepip");
        let Some(source) = text(process, &own.join("__init__.py"))? else {
            let reason = "needs `ensurepip`, which this Python does not have: Debian's is in the \
                          package `python3-venv`";
            return Err(misused(SHOWN, reason.to_owned()).into());
        };
        let is_debian =
            self.python.interpreter().layout.purelib.file_name() == Some(b"dist-packages");
        let directory = match is_debian {
            true => ImagePath::lexical(DEBIAN_WHEELS),
            false => own.join("_bundled"),
        };
        let version = &self.python.interpreter().version;
        let names: &[&'static str] = match (version.major, version.minor) >= (3, 12) {
            true => &["pip"],
            false => &["setuptools", "pip"],
        };
        let mut wheels = Vec::new();
        for name in names {
            let exact = if is_debian { None } else { version_of(&source, name) };
            match wheel(process, &directory, name, exact.as_deref())? {
                Some(wheel) => wheels.push(wheel),
                None => {
                    let reason = format!("needs a wheel of {name} in `/{directory}`");
                    return Err(misused(SHOWN, reason).into());
                }
            }
        }
        Ok(wheels)
    }
}

/// The only wheel of a name, or that of an exact version.
fn wheel(
    process: &mut Process<'_, '_>,
    directory: &ImagePath,
    name: &'static str,
    exact: Option<&str>,
) -> Result<Option<Bundled>, Ended> {
    let from = [b"/", directory.as_bytes()].concat();
    let found = process.find(&from, Last::Followed);
    let listed = found.and_then(|(real, _)| Ok((process.machine.files.read_dir(&real)?, real)));
    let (entries, real) = match listed {
        Ok(listed) => listed,
        Err(FileError::Errno(_)) => return Ok(None),
        Err(FileError::Stop(stop)) => return Err(stop.into()),
    };
    let mut found = None;
    for (file, stat) in entries {
        let Ok(file) = std::str::from_utf8(&file) else { continue };
        let Some(rest) = file.strip_prefix(name).and_then(|rest| rest.strip_prefix('-')) else {
            continue;
        };
        let Some((version, _)) = rest.split_once('-').filter(|_| file.ends_with(".whl")) else {
            continue;
        };
        let Some(data) = stat.data().filter(|_| exact.is_none_or(|exact| exact == version)) else {
            continue;
        };
        if found.is_some() {
            let reason = format!("finds two wheels of {name} in `/{directory}`");
            return Err(misused(SHOWN, reason).into());
        }
        let (version, data) = (version.to_owned(), data.clone());
        found = Some(Bundled { name, version, path: real.join(file), data });
    }
    Ok(found)
}

/// What the source says: `_PIP_VERSION = "23.2.1"`.
fn version_of(source: &str, name: &str) -> Option<String> {
    let variable = format!("_{}_VERSION = ", name.to_uppercase());
    let value = source.lines().find_map(|line| line.strip_prefix(variable.as_str()))?;
    Some(value.trim().trim_matches(['"', '\'']).to_owned())
}
