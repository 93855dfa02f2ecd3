//! debootstrap: Debian's root file systems, from the mirror that this machine's apt uses.

use std::fs;
use std::path::{Path, PathBuf};

use crate::debian::upstream::{apt_proxy, mirror_of};
use crate::{Failure, Oracle, Result, program, run};

pub(super) use crate::debian::upstream::SUITE;

/// Makes a minimal Debian with these packages, separated by commas, at `root`; `options` go before.
pub(super) fn make(root: &Path, include: &str, options: &[&str]) -> Result {
    let mut command = program(installed());
    command.args(options);
    command.args(["--variant=minbase", &format!("--include={include}"), SUITE]).arg(root);
    command.args(mirror_of(SUITE));
    if let Some(proxy) = apt_proxy() {
        command.env("http_proxy", proxy);
    }
    run(&mut command)
}

/// Where the program is: Debian keeps it out of a user's `PATH`.
pub(crate) fn installed() -> PathBuf {
    let found = Oracle::named("debootstrap").and_then(Oracle::path);
    found.unwrap_or_else(|| "debootstrap".into())
}

/// Takes out what no image has: devices, downloads, logs.
pub(super) fn tidy(root: &Path) -> Result {
    let emptied = ["dev", "var/cache/apt", "var/lib/apt/lists", "var/log", "tmp", "run"];
    emptied.iter().try_for_each(|directory| empty(&root.join(directory)))
}

fn empty(directory: &Path) -> Result {
    let doing = format!("empty {}", directory.display());
    let Ok(entries) = fs::read_dir(directory) else { return Ok(()) };
    for entry in entries.flatten() {
        let path = entry.path();
        let is_directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
        let removed = if is_directory { fs::remove_dir_all(path) } else { fs::remove_file(path) };
        removed.map_err(Failure::doing(&doing))?;
    }
    Ok(())
}
