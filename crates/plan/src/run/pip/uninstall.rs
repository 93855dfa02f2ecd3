//! Distributions that go: `pip uninstall`, and those that newer ones take the place of.

use oci::ImagePath;
use python::{Distribution, Interpreter};
use shell::{Process, Reason, Stop as ShellStop};

use super::super::outside::RunOutside;
use super::asked::Asked;
use super::gather::{self, Ended};
use super::interpreter::Python;
use super::options::{Options, refuse};
use super::scene::Scene;
use super::{Said, misused, settled};

/// Whether it is said what goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Voice {
    Aloud,
    Silent,
}

impl Voice {
    pub(super) fn of(verbosity: i64) -> Voice {
        if verbosity < 0 { Voice::Silent } else { Voice::Aloud }
    }
}

/// `pip uninstall`
pub(super) fn uninstall(
    run: &RunOutside<'_, '_, '_>,
    process: &mut Process<'_, '_>,
    scene: &Scene,
    python: &Python,
    options: &Options,
) -> Result<u8, Ended> {
    if !options.has("-y") {
        let reason = Reason::Use("asks whether to proceed; `-y` says that".to_owned());
        return Err(refuse("pip uninstall", reason).into());
    }
    let asked = Asked {
        requirements: options.operands.clone(),
        files: options.values("-r").map(str::to_owned).collect(),
        ..Asked::default()
    };
    let names = names(run, process, &asked)?;
    if names.is_empty() {
        let message = "You must give at least one requirement to uninstall (see \"pip help \
                       uninstall\")";
        return Err(Said(process).error(message));
    }
    if !options.has("--break-system-packages") {
        refuse_externally_managed(process, python)?;
    }
    let voice = Voice::of(options.verbosity());
    for (name, written) in names {
        match python.distribution(&name) {
            Some(found) => {
                let place = (scene, python.interpreter());
                remove(run, process, place, found, Because::Asked, voice)?;
            }
            None => {
                let line = format!("WARNING: Skipping {written} as it is not installed.\n");
                process.write_to(2, line.as_bytes())?;
            }
        }
    }
    Ok(0)
}

/// The names to uninstall, normalized and as written, each once.
pub(super) fn names(
    run: &RunOutside<'_, '_, '_>,
    process: &mut Process<'_, '_>,
    asked: &Asked,
) -> Result<Vec<(String, String)>, Ended> {
    let gathered = gather::requirements(run, process, asked)?;
    let mut names: Vec<(String, String)> = Vec::new();
    for requirement in gathered {
        let shape = python::check_requirement(&requirement.text).ok();
        let Some(written) = shape.and_then(|shape| shape.name.map(str::to_owned)) else {
            let reason = "is given a file or an address, and names are what it takes".to_owned();
            return Err(misused("pip uninstall", reason).into());
        };
        let name = python::normalized_name(&written);
        if names.iter().all(|(known, _)| *known != name) {
            names.push((name, written));
        }
    }
    Ok(names)
}

/// Why a distribution goes, which decides how deep in the lines are that say so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Because {
    /// It is asked for.
    Asked,
    /// Another takes its place.
    Replaced,
}

/// Takes a distribution away.
pub(super) fn remove(
    run: &RunOutside<'_, '_, '_>,
    process: &mut Process<'_, '_>,
    (scene, interpreter): (&Scene, &Interpreter),
    old: &Distribution,
    because: Because,
    voice: Voice,
) -> Result<(), Ended> {
    let (name, version) = (spelled(old), &old.version);
    let say = |process: &mut Process<'_, '_>, line: String| match voice {
        Voice::Aloud => process.write(line),
        Voice::Silent => Ok(()),
    };
    let indent = match because {
        Because::Asked => "",
        Because::Replaced => {
            say(process, format!("  Attempting uninstall: {}\n", old.name))?;
            "    "
        }
    };
    say(process, format!("{indent}Found existing installation: {name} {version}\n"))?;
    let Some(paths) = paths(run, process, scene, interpreter, old, voice)? else { return Ok(()) };
    say(process, format!("{indent}Uninstalling {name}-{version}:\n"))?;
    take_away(process, &paths)?;
    say(process, format!("{indent}  Successfully uninstalled {name}-{version}\n"))?;
    Ok(())
}

/// The distribution's name as its metadata spells it.
pub(super) fn spelled(distribution: &Distribution) -> &str {
    let header = distribution.text.lines().take_while(|line| !line.trim_end().is_empty());
    let mut fields = header.filter_map(|line| line.split_once(':'));
    let name = fields.find(|(key, _)| key.eq_ignore_ascii_case("name"));
    name.map_or(distribution.name.as_str(), |(_, name)| name.trim())
}

/// What vanishes; `None` for what stays, since it is somebody else's (`UninstallPathSet.from_dist`).
fn paths(
    run: &RunOutside<'_, '_, '_>,
    process: &mut Process<'_, '_>,
    scene: &Scene,
    interpreter: &Interpreter,
    old: &Distribution,
    voice: Voice,
) -> Result<Option<Vec<ImagePath>>, Ended> {
    let paths = scene.ask(run, |view| old.removal(view, interpreter))?;
    if paths.is_some() {
        return Ok(paths);
    }
    let name = spelled(old);
    let place = old.metadata.parent().unwrap_or_else(ImagePath::root);
    if interpreter.foreign.contains(&place) {
        if voice == Voice::Aloud {
            let prefix = ImagePath::lexical(&interpreter.executable).parent();
            let prefix = prefix.and_then(|bin| bin.parent()).unwrap_or_else(ImagePath::root);
            process.write(format!(
                "    Not uninstalling {name} at /{place}, outside environment /{prefix}\n    \
                 Can't uninstall '{name}'. No files were found to uninstall.\n"
            ))?;
        }
        return Ok(None);
    }
    let is_modern = old.metadata.file_name().is_some_and(|name| name.ends_with(b".dist-info"));
    let message = match is_modern {
        true => format!(
            "Cannot uninstall {name} {version}, RECORD file not found. You might be able to \
             recover from this via: 'pip install --force-reinstall --no-deps {name}=={version}'.",
            version = old.version
        ),
        false => format!(
            "Cannot uninstall '{name}'. It is a distutils installed project and thus we cannot \
             accurately determine which files belong to it which would lead to only a partial \
             uninstall."
        ),
    };
    Err(Said(process).error(&message))
}

fn take_away(process: &mut Process<'_, '_>, paths: &[ImagePath]) -> Result<(), ShellStop> {
    for path in paths {
        let removed = process.machine.files.remove_all(path);
        settled(removed, "pip uninstall")?;
    }
    Ok(())
}

/// The section and the key of the marker's text (PEP 668, "Marking an Interpreter").
const MARKER_KEY: &str = "Error";

/// What pip says where packages are the system's to manage, and its end.
pub(super) fn refuse_externally_managed(
    process: &mut Process<'_, '_>,
    python: &Python,
) -> Result<(), Ended> {
    // pip knows of it from 23.0 on.
    let knows = python.distribution("pip").is_none_or(|pip| {
        let major = pip.version.split('.').next().and_then(|major| major.parse().ok());
        major.is_none_or(|major: u32| major >= 23)
    });
    if !python.interpreter().externally_managed || !knows {
        return Ok(());
    }
    let library = python.prefix.join("lib").join(format!("python{}", python.series()));
    let marker = library.join("EXTERNALLY-MANAGED");
    let path = [b"/", marker.as_bytes()].concat();
    let text = match process.open_bytes(&path) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(shell::files::FileError::Errno(_)) => String::new(),
        Err(shell::files::FileError::Stop(stop)) => return Err(stop.into()),
    };
    let ini = super::ini::Ini::parse(&text).unwrap_or_default();
    let section = ini.section("externally-managed");
    let key = MARKER_KEY.to_lowercase();
    let context = section.and_then(|section| section.value(&key)).map_or_else(
        || {
            format!(
                "The Python environment under /{} is managed externally, and may not be\n\
                 manipulated by the user. Please use specific tooling from the distributor of\n\
                 the Python installation to interact with this environment instead.",
                python.prefix
            )
        },
        str::to_owned,
    );
    let context = context.lines().collect::<Vec<_>>().join("\n    ");
    let message = format!(
        "error: externally-managed-environment\n\n\
         × This environment is externally managed\n╰─> {context}\n\n\
         note: If you believe this is a mistake, please contact your Python installation or OS \
         distribution provider. You can override this, at the risk of breaking your Python \
         installation or OS, by passing --break-system-packages.\n\
         hint: See PEP 668 for the detailed specification.\n"
    );
    process.write_to(2, message.as_bytes())?;
    Err(Ended::Status(1))
}
