//! torch for aarch64: a wheel of half a gigabyte for another machine, read and not run.

use std::process::Command;

use serde_json::Value;
use testbed::{Architecture, Failure, House, Result, Skopeo, base, program, run, stdout};

use super::{Image, Order};

#[test]
fn torch_for_another_machine_takes_little_memory() -> Result {
    let house = House::listed_for("torch", Architecture::Aarch64)?;
    let requirements = house.requirements().to_owned();
    let order = Order::resolved(base::debian_python_arm64()?, house, &requirements);
    let mut most = 0;
    let image = order.image_by("dependencies = false", |build| {
        most = kilobytes(build.args(["--platform", "linux/arm64"]))?;
        Ok(())
    })?;
    assert!(most < 150_000, "the build took {most} kB");

    let config = Skopeo::config(&image.place())?;
    assert_eq!(config["architecture"], "arm64");
    let found = machines(&image)?;
    let libraries = found.as_object().unwrap();
    // EM_AARCH64 of elf(5), in files without number.
    assert_eq!(libraries.keys().collect::<Vec<_>>(), ["183"]);
    assert!(libraries["183"].as_u64() >= Some(10), "{found}");
    Ok(())
}

/// Runs a command that has to succeed, and gives the most memory that it had.
fn kilobytes(command: &Command) -> Result<u64> {
    let report = tempfile::NamedTempFile::new().unwrap();
    let mut time = program("time");
    time.args(["--format", "%M", "--output"]).arg(report.path());
    time.arg(command.get_program()).args(command.get_args()).env_clear();
    time.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    run(&mut time)?;
    let said = std::fs::read_to_string(report.path()).unwrap();
    said.trim().parse().map_err(Failure::doing(format!("read {said:?}")))
}

/// How many ELF files of which machine are in the layers that the base has not.
fn machines(image: &Image) -> Result<Value> {
    let own = image.layers()?.into_iter().skip(1);
    let mut python = program("python3");
    let counted = stdout(python.args(["-c", include_str!("machines.py")]).args(own))?;
    serde_json::from_str(&counted).map_err(Failure::doing("read what Python counted"))
}
