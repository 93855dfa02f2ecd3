//! cargo, as this workspace's tasks use it.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use testbed::{Failure, Result, stdout};

/// The root of the workspace.
pub fn root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest).to_owned()
}

/// `cargo SUBCOMMAND` in the workspace's root, with the cargo that runs this.
pub fn cargo(subcommand: &str) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root()).arg(subcommand);
    command
}

/// What `cargo metadata` says of the workspace's own packages.
pub fn packages() -> Result<Vec<Value>> {
    let text = stdout(cargo("metadata").args(["--no-deps", "--format-version", "1", "--locked"]))?;
    let mut metadata: Value =
        serde_json::from_str(&text).map_err(Failure::doing("read cargo's metadata"))?;
    match metadata["packages"].take() {
        Value::Array(packages) => Ok(packages),
        _ => Err(Failure::new("cargo's metadata lists no packages")),
    }
}

/// Where cargo puts what it builds.
pub fn target_directory() -> Result<PathBuf> {
    let text = stdout(cargo("metadata").args(["--no-deps", "--format-version", "1", "--locked"]))?;
    let metadata: Value =
        serde_json::from_str(&text).map_err(Failure::doing("read cargo's metadata"))?;
    Ok(PathBuf::from(metadata["target_directory"].as_str().unwrap_or("target")))
}

/// Whether `cargo SUBCOMMAND` is installed.
pub fn has(subcommand: &str) -> bool {
    cargo(subcommand).arg("--version").output().is_ok_and(|output| output.status.success())
}
