//! crun: runs an unpacked image on a machine that has neither a container engine nor, often, the
//! right to make cgroups.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::{Failure, Result, program, stdout};

/// Runs the bundle that [`umoci::unpack`](crate::umoci::unpack) made and gives what the image's
/// own command printed.
pub fn run(bundle: &Path, name: &str) -> Result<String> {
    let path = bundle.join("config.json");
    let doing = format!("read {}", path.display());
    let text = fs::read_to_string(&path).map_err(Failure::doing(&doing))?;
    let config = serde_json::from_str(&text).map_err(Failure::doing(&doing))?;
    fs::write(&path, undemanding(config).to_string())
        .map_err(Failure::doing(format!("write {}", path.display())))?;
    // crun takes a hybrid cgroup layout for a broken one, so it gets to see none: the private
    // mount namespace ends with it.
    let script = "umount /sys/fs/cgroup/unified 2>/dev/null; \
        exec crun --cgroup-manager=disabled run --bundle \"$1\" \"$2\"";
    let mut unshare = program("unshare");
    unshare.args(["--mount", "--propagation", "private", "sh", "-c", script, "sh"]);
    stdout(unshare.arg(bundle).arg(name))
}

/// Takes out of a runtime config what a test machine may have to refuse: network and cgroup
/// namespaces, limits, cgroup mounts, a terminal.
fn undemanding(mut config: Value) -> Value {
    config["process"]["terminal"] = json!(false);
    if let Some(process) = config["process"].as_object_mut() {
        process.remove("rlimits");
    }
    if let Some(linux) = config["linux"].as_object_mut() {
        linux.remove("resources");
    }
    retain(&mut config["linux"]["namespaces"], |namespace| {
        !matches!(namespace["type"].as_str(), Some("network" | "cgroup"))
    });
    retain(&mut config["mounts"], |mount| mount["type"] != "cgroup");
    config
}

fn retain(array: &mut Value, keep: impl Fn(&Value) -> bool) {
    if let Some(items) = array.as_array_mut() {
        items.retain(keep);
    }
}
