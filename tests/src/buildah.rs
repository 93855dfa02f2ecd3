//! buildah: another reading of the same Dockerfile, in chroot isolation and with its own storage.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::{Failure, Result, program, run};

/// buildah with a storage of its own that goes when this is dropped.
pub struct Buildah {
    home: TempDir,
    driver: Driver,
}

/// How buildah keeps layers on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Driver {
    /// Copies: slow for a big base, but works on any file system and leaves no mounts.
    Copies,
    /// The kernel's overlay: what people use.
    Overlay,
}

impl Buildah {
    /// A buildah with empty storage.
    pub fn new(driver: Driver) -> Result<Self> {
        let home = tempfile::Builder::new()
            .prefix("testbed-buildah-")
            .tempdir()
            .map_err(Failure::doing("make a directory for buildah"))?;
        // Where a container may not raise its limits, buildah's defaults are refused.
        fs::write(home.path().join("containers.conf"), CONTAINERS_CONF)
            .map_err(Failure::doing("write containers.conf"))?;
        Ok(Buildah { home, driver })
    }

    /// Builds `context` with `arguments` in front of it as image `name`, in Docker's format, which
    /// unlike OCI's has room for `HEALTHCHECK`, `SHELL` and `ONBUILD`.
    pub fn build(&self, name: &str, context: &Path, arguments: &[String]) -> Result {
        let mut command = self.command("bud");
        command.args(["--isolation", "chroot", "--tls-verify=false", "--format", "docker"]);
        command.args(["--layers=false", "--tag", name]).args(arguments).arg(context);
        run(&mut command)
    }

    /// Pushes image `name` to a place in skopeo's notation.
    pub fn push(&self, name: &str, place: &str) -> Result {
        run(self.command("push").args(["--quiet", "--tls-verify=false", name, place]))
    }

    /// A buildah command over this storage, for what has no method here.
    pub fn command(&self, subcommand: &str) -> Command {
        let home = self.home.path();
        let mut command = program("buildah");
        command.env("CONTAINERS_CONF", home.join("containers.conf"));
        command.env("TMPDIR", home);
        command.arg("--root").arg(home.join("root")).arg("--runroot").arg(home.join("run"));
        command.arg("--storage-driver").arg(match self.driver {
            Driver::Copies => "vfs",
            Driver::Overlay => "overlay",
        });
        command.arg(subcommand);
        command
    }
}

impl Drop for Buildah {
    fn drop(&mut self) {
        // The overlay driver leaves its directory mounted on itself.
        if self.driver == Driver::Overlay {
            let overlay = self.home.path().join("root/overlay");
            let _ = program("umount").args(["--recursive", "--quiet"]).arg(overlay).output();
        }
    }
}

const CONTAINERS_CONF: &str = "[containers]\n\
    default_ulimits = [\"nofile=20000:20000\", \"nproc=30000:30000\"]\n";
