//! `cargo xtask oracles`: installs the programs that judge plywood's output.
//!
//! The machine's own apt decides from where; nothing here names a host.

use std::process::Command;

use testbed::oracle::{ORACLES, is_root};
use testbed::{Failure, Oracle};

use crate::Outcome;

pub fn run(arguments: &[String]) -> Outcome {
    if !arguments.is_empty() {
        return Err(Failure::new("oracles takes no arguments"));
    }
    let packages = missing_packages(&missing());
    if packages.is_empty() {
        println!("all {} oracle programs are installed", ORACLES.len());
        return Ok(());
    }
    println!("installing {}", packages.join(" "));
    if !is_installed("apt-get") {
        return Err(Failure::new(
            "there is no apt-get here: install these packages by your system's own means",
        ));
    }
    apt_get(&["update"])?;
    let mut install = vec!["install", "--yes", "--no-install-recommends"];
    install.extend(&packages);
    apt_get(&install)?;
    match missing().as_slice() {
        [] => Ok(()),
        still => Err(Failure::new(format!("apt-get installed no {}", names(still)))),
    }
}

/// The oracles that are not on this machine.
pub fn missing() -> Vec<&'static Oracle> {
    ORACLES.iter().filter(|oracle| !oracle.present()).collect()
}

/// The oracles' names in a row.
pub fn names(oracles: &[&Oracle]) -> String {
    oracles.iter().map(|oracle| oracle.program).collect::<Vec<_>>().join(", ")
}

fn missing_packages(missing: &[&Oracle]) -> Vec<&'static str> {
    let mut packages: Vec<_> = missing.iter().map(|oracle| oracle.package).collect();
    packages.sort_unstable();
    packages.dedup();
    packages
}

fn apt_get(arguments: &[&str]) -> Outcome {
    let mut command = match (is_root(), is_installed("sudo")) {
        (true, _) => Command::new("apt-get"),
        (false, true) => {
            let mut sudo = Command::new("sudo");
            sudo.args(["--preserve-env=DEBIAN_FRONTEND", "apt-get"]);
            sudo
        }
        (false, false) => {
            return Err(Failure::new("apt-get needs root, and there is no sudo here"));
        }
    };
    command.env("DEBIAN_FRONTEND", "noninteractive").args(arguments);
    let status = command.status().map_err(Failure::doing("run apt-get"))?;
    if status.success() {
        return Ok(());
    }
    Err(Failure::new(format!("apt-get {} answered {status}", arguments.join(" "))))
}

fn is_installed(program: &'static str) -> bool {
    Oracle { program, package: "", judges: "" }.present()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_is_asked_for_once() {
        let missing: Vec<_> =
            ["unshare", "setpriv", "crun"].into_iter().filter_map(Oracle::named).collect();
        assert_eq!(missing_packages(&missing), ["crun", "util-linux"]);
    }
}
