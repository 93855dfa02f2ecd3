//! `uv pip`, as far as it does what pip does.
//!
//! What it installs looks as pip's does: uv's own marks in the metadata are left out. Where it
//! decides otherwise than pip, it is refused.

mod options;
mod target;

use python::ScriptTemplate;
use shell::{Process, Reason, Stop as ShellStop};

use super::super::outside::RunOutside;
use super::asked::{Asked, Destination, Standing};
use super::gather::{Ended, written};
use super::install::install_written;
use super::interpreter::Python;
use super::layout::Placement;
use super::scene::Scene;
use super::uninstall::{Because, Voice};
use super::{check, listing, misused, uninstall};
use options::Command;
pub(super) use options::Options;

/// Runs `uv pip`, and gives the exit status.
pub(super) fn uv(
    run: &RunOutside<'_, '_, '_>,
    process: &mut Process<'_, '_>,
    arguments: &[String],
) -> Result<u8, Ended> {
    let Some((name, arguments)) = arguments.split_first() else {
        return Err(misused("uv pip", "is given no command".to_owned()).into());
    };
    let Some(command) = Command::parse(name) else {
        return Err(ShellStop::refuse(format!("uv pip {name}"), Reason::Program).into());
    };
    let options = Options::read(process, command, arguments)?;
    let Some(executable) = target::executable(process, &options)? else {
        let line = "error: No virtual environment found; run `uv venv` to create an environment, \
                    or pass `--system` to install into a non-virtual environment\n";
        process.write_to(2, line.as_bytes())?;
        return Ok(2);
    };
    let scene = Scene::of(run, &process.machine.files)?;
    let python = Python::find(run, process, &scene, &executable)?;
    match command {
        Command::Check => check::check(run, process, &python),
        Command::Freeze => freeze(process, &python),
        Command::Install => install(run, process, &scene, &python, &options),
        Command::Uninstall => remove(run, process, &scene, &python, &options),
    }
}

fn install(
    run: &RunOutside<'_, '_, '_>,
    process: &mut Process<'_, '_>,
    scene: &Scene,
    python: &Python,
    options: &Options,
) -> Result<u8, Ended> {
    // What uv says of it is not what pip says.
    let mut asked = Asked { verbosity: -1, ..options.asked()? };
    let placement = match &asked.destination {
        Destination::Target(place) | Destination::Prefix(place) => {
            target::refuse_filled(process, place)?;
            asked.standing = Standing::Ignored;
            target::placement(process, python, &asked.destination)?
        }
        _ => {
            refuse_externally_managed(process, python, &asked)?;
            Placement::of(process, python, &Destination::System, -1)?
        }
    };
    let written = written(run, process, &asked)?;
    if written.gathered.requirements.is_empty() {
        return Ok(0);
    }
    let placed = (written, placement);
    let scripts = ScriptTemplate::default();
    install_written(run, process, scene, python, &asked, placed, scripts)
}

fn remove(
    run: &RunOutside<'_, '_, '_>,
    process: &mut Process<'_, '_>,
    scene: &Scene,
    python: &Python,
    options: &Options,
) -> Result<u8, Ended> {
    let asked = options.asked()?;
    refuse_externally_managed(process, python, &asked)?;
    for (name, written) in uninstall::names(run, process, &asked)? {
        match python.distribution(&name) {
            Some(found) => {
                let place = (scene, python.interpreter());
                uninstall::remove(run, process, place, found, Because::Asked, Voice::Silent)?;
            }
            None => {
                let line = format!("warning: Skipping {written} as it is not installed\n");
                process.write_to(2, line.as_bytes())?;
            }
        }
    }
    Ok(0)
}

/// All that is installed; uv leaves nothing out, and spells names as indexes compare them.
fn freeze(process: &mut Process<'_, '_>, python: &Python) -> Result<u8, Ended> {
    let mut all: Vec<_> = python.installed.iter().collect();
    all.sort_by(|one, other| one.name.cmp(&other.name));
    for distribution in all {
        listing::refuse_editable(python, distribution)?;
        let line = match listing::direct_url(process, distribution)? {
            Some(place) => format!("{} @ {place}\n", distribution.name),
            None => format!("{}=={}\n", distribution.name, distribution.version),
        };
        process.write(line)?;
    }
    Ok(0)
}

fn refuse_externally_managed(
    process: &mut Process<'_, '_>,
    python: &Python,
    asked: &Asked,
) -> Result<(), Ended> {
    if !python.interpreter().externally_managed || asked.breaks_system_packages {
        return Ok(());
    }
    let line = format!(
        "error: The interpreter at /{} is externally managed\n\
         hint: Consider creating a virtual environment with `uv venv`\n",
        python.prefix
    );
    process.write_to(2, line.as_bytes())?;
    Err(Ended::Status(2))
}
