//! umoci: makes images out of directories and gives back the tree of an image.

use std::path::Path;
use std::process::Command;

use crate::{Failure, Result, oracle, program, run};

/// Makes the OCI layout `layout` with one image `tag` whose only layer is the tree at `root`.
///
/// `config` holds options of `umoci config` with their values.
pub fn create(layout: &Path, tag: &str, root: &Path, config: &[(&str, &str)]) -> Result {
    let image = format!("{}:{tag}", layout.display());
    run(umoci("init").arg("--layout").arg(layout))?;
    run(umoci("new").args(["--image", &image]))?;
    insert(layout, tag, root, "/")?;
    configure(layout, tag, config)
}

/// Edits the config of the image `tag` by options of `umoci config`.
pub fn configure(layout: &Path, tag: &str, config: &[(&str, &str)]) -> Result {
    let image = format!("{}:{tag}", layout.display());
    let options = config.iter().flat_map(|(option, value)| [option, value]);
    run(umoci("config").args(["--image", &image]).args(options))
}

/// Adds the tree at `source` as a layer, below `target` in the image.
pub fn insert(layout: &Path, tag: &str, source: &Path, target: &str) -> Result {
    let image = format!("{}:{tag}", layout.display());
    run(umoci("insert").args(rootless()).args(["--image", &image]).arg(source).arg(target))
}

/// Unpacks the image `tag` of `layout` into `bundle`: its tree is in `bundle/rootfs`, and a
/// runtime's `config.json` beside it.
pub fn unpack(layout: &Path, tag: &str, bundle: &Path) -> Result {
    if bundle.exists() {
        return Err(Failure::new(format!("{} is there already", bundle.display())));
    }
    let image = format!("{}:{tag}", layout.display());
    run(umoci("unpack").args(rootless()).args(["--image", &image]).arg(bundle))
}

fn umoci(command: &str) -> Command {
    let mut umoci = program("umoci");
    umoci.arg(command);
    umoci
}

fn rootless() -> Option<&'static str> {
    (!oracle::is_root()).then_some("--rootless")
}
