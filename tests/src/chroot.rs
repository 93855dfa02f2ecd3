//! Programs run inside of a root directory, without a container.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::{Failure, Result, program, run};

/// A root directory that programs are run in.
///
/// They see the machine's `/dev` and network, a `/proc`, and a `/tmp` that goes when they end. The
/// mounts are in a namespace of the program's own, so that none are left behind.
pub struct Chroot {
    root: PathBuf,
    mounted: Option<PathBuf>,
    _copy: Option<TempDir>,
}

/// Variables of the machine that numpy's older libraries need on some processors.
const HANDED_ON: &[&str] = &["OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"];

const ENVIRONMENT: &[&str] = &[
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL=C.UTF-8",
    "HOME=/tmp",
    // Whoever runs a program must not change the tree that is compared.
    "PYTHONDONTWRITEBYTECODE=1",
];

const ENTER: &str = r#"
mount --rbind /dev "$1/dev"
mount -t proc proc "$1/proc"
mount -t tmpfs tmpfs "$1/tmp"
[ -z "$2" ] || mount --bind "$2" "$1/mnt"
root=$1
shift 2
exec chroot "$root" env -i "$@"
"#;

impl Chroot {
    /// A root that somebody else keeps; whatever is changed in it is changed for them.
    pub fn new(root: &Path) -> Self {
        Chroot { root: root.to_owned(), mounted: None, _copy: None }
    }

    /// A copy of a root that goes when this is dropped.
    pub fn copy_of(root: &Path) -> Result<Self> {
        let copy = tempfile::Builder::new()
            .prefix("testbed-root-")
            .tempdir()
            .map_err(Failure::doing("make a directory for a root"))?;
        let target = copy.path().join("root");
        let mut cp = program("cp");
        run(cp.args(["--archive", "--reflink=auto"]).arg(root).arg(&target))?;
        Ok(Chroot { root: target, mounted: None, _copy: Some(copy) })
    }

    /// With this directory as `/mnt`, for the programs only.
    pub fn with_mounted(mut self, directory: &Path) -> Self {
        self.mounted = Some(directory.to_owned());
        self
    }

    /// Where the tree is.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A command inside, of its program and arguments.
    pub fn command<I>(&self, words: I) -> Command
    where
        I: IntoIterator<Item: AsRef<OsStr>>,
    {
        self.command_seeing(self.mounted.as_deref(), words)
    }

    /// A command inside that sees `mounted` as `/mnt`.
    pub(crate) fn command_seeing<I>(&self, mounted: Option<&Path>, words: I) -> Command
    where
        I: IntoIterator<Item: AsRef<OsStr>>,
    {
        let mut command = program("unshare");
        command.args(["--mount", "--propagation", "private", "sh", "-euc", ENTER, "sh"]);
        command.arg(&self.root).arg(mounted.unwrap_or(Path::new("")));
        command.args(ENVIRONMENT);
        for name in HANDED_ON {
            command.args(std::env::var(name).ok().map(|value| format!("{name}={value}")));
        }
        command.args(words);
        command
    }
}
