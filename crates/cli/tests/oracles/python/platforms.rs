//! Two platforms from one build, on a machine that can run neither's programs.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use tempfile::TempDir;
use testbed::base::{self, debian_python};
use testbed::{Architecture, House, Result, files, program, run};

use super::setting::{Made, Setting, as_base};

/// ELF's numbers of processors (`e_machine`).
const X86_64: u16 = 62;
const AARCH64: u16 = 183;

/// No emulator, no Python, no program at all is there.
#[test]
fn one_build_for_two_platforms_runs_nothing() -> Result {
    let x86_64 = House::listed_for("benchmark", Architecture::X86_64)?;
    let aarch64 = House::listed_for("benchmark", Architecture::Aarch64)?;
    let setting = Setting::of(&[&x86_64, &aarch64])?;
    let context = setting.context("base", "requirements-files = [\"requirements.txt\"]")?;
    let context = context.file("requirements.txt", x86_64.pins())?;
    let mut build = setting.build(&context);
    build.env_clear().env("PATH", "/nonexistent").env("PLYWOOD_STORE", setting.plywood.store());
    build.args(["--platform", "linux/amd64,linux/arm64"]);
    let made = setting.made(build.arg(as_base(&base::of_both_platforms()?)))?;
    for (architecture, machine) in [("amd64", X86_64), ("arm64", AARCH64)] {
        let image = made.of(architecture);
        let found = machines(&image)?;
        assert_eq!(found.keys().collect::<Vec<_>>(), [&machine], "{architecture}: {found:?}");
        assert!(found[&machine] > 100, "{architecture}: {found:?}");
    }
    // What is the same for all is the same layer.
    let alone = setting.made(setting.build(&context).arg(as_base(&debian_python()?.layout)))?;
    assert_eq!(alone.packages(), made.of("amd64").packages());
    Ok(())
}

/// torch's wheel for aarch64, of which nothing can be run here.
#[test]
fn a_large_wheel_of_another_machine() -> Result {
    let house = House::listed_for("torch", Architecture::Aarch64)?;
    let setting = Setting::of(&[&house])?;
    let context = setting
        .context("base", "requirements-files = [\"requirements.txt\"]\ndependencies = false")?;
    let context = context.file("requirements.txt", house.requirements())?;
    let mut build = setting.build(&context);
    build.args(["--platform", "linux/arm64"]);
    let made = setting.made(build.arg(as_base(&base::of_both_platforms()?)))?;
    let found = machines(&made)?;
    assert_eq!(found.keys().collect::<Vec<_>>(), [&AARCH64], "{found:?}");
    Ok(())
}

/// How many ELF files for which machine are in an image's layers of packages.
fn machines(image: &Made) -> Result<BTreeMap<u16, usize>> {
    let mut found = BTreeMap::new();
    for layer in image.packages() {
        let directory = TempDir::new().unwrap();
        let mut unpack = program("tar");
        unpack.arg("--extract").arg("--gzip").arg("--directory").arg(directory.path());
        run(unpack.arg("--file").arg(image.blob(&layer.digest)))?;
        for name in files(directory.path()) {
            if let Some(machine) = machine(&directory.path().join(name)) {
                *found.entry(machine).or_default() += 1;
            }
        }
    }
    Ok(found)
}

/// The machine of an ELF file: two bytes behind sixteen of identity and two of type.
fn machine(path: &Path) -> Option<u16> {
    let is_file = fs::symlink_metadata(path).ok()?.is_file();
    let mut header = [0; 20];
    File::open(path).ok().filter(|_| is_file)?.read_exact(&mut header).ok()?;
    header.starts_with(b"\x7fELF").then(|| u16::from_le_bytes([header[18], header[19]]))
}
