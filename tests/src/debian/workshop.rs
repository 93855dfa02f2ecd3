//! A root directory in which apt and dpkg work, as they would in a container.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use super::Archive;
use crate::{Chroot, Failure, Result, output, program};

/// A copy of a root, which goes with this value; what runs in it sees the archive.
///
/// Programs have the mounts of a container's (`/dev` and `/proc` of their own), in namespaces that
/// end with them, and no terminal: what a `RUN` in a Dockerfile has.
pub struct Workshop {
    root: Chroot,
    environment: Vec<String>,
}

const ENTER: &str = r#"
root=$1
shift
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for device in null:1:3 zero:1:5 full:1:7 random:1:8 urandom:1:9 tty:5:0; do
    IFS=: read -r name major minor <<< "$device"
    mknod -m 666 "$root/dev/$name" c "$major" "$minor"
done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$root/dev/pts"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
ln -s /proc/self/fd/0 "$root/dev/stdin"
ln -s /proc/self/fd/1 "$root/dev/stdout"
ln -s /proc/self/fd/2 "$root/dev/stderr"
mount -t proc proc "$root/proc"
exec setsid --wait chroot "$root" env -i "$@"
"#;

/// The time that programs take for today where they ask for it: that of the layers.
pub(super) const EPOCH: &str = "SOURCE_DATE_EPOCH=315619200";

const PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

impl Workshop {
    /// A copy of `root`.
    pub fn copy_of(root: &Path, archive: &Archive) -> Result<Self> {
        Ok(Workshop::at(Chroot::copy_of(root)?, archive))
    }

    /// In `root` itself, which somebody else keeps.
    pub fn within(root: &Path, archive: &Archive) -> Self {
        Workshop::at(Chroot::new(root), archive)
    }

    fn at(root: Chroot, archive: &Archive) -> Self {
        let variables = archive.environment();
        let proxies = variables.into_iter().map(|(name, value)| format!("{name}={value}"));
        let fixed = [PATH, "HOME=/root", EPOCH].map(str::to_owned);
        Workshop { root, environment: fixed.into_iter().chain(proxies).collect() }
    }

    /// Where the tree is.
    pub fn root(&self) -> &Path {
        self.root.root()
    }

    /// A line as `RUN` runs it, by `/bin/sh -c`.
    pub fn command(&self, line: &str) -> Command {
        let mut unshare = program("unshare");
        unshare.args(["--mount", "--pid", "--ipc", "--uts", "--fork", "--kill-child"]);
        unshare.args(["--propagation", "private", "bash", "-euc", ENTER, "bash"]);
        unshare.arg(self.root()).args(&self.environment).args(["/bin/sh", "-c", line]);
        unshare.stdin(Stdio::null());
        unshare
    }

    /// Runs a line and gives what it wrote, however it ended.
    pub fn attempt(&self, line: &str) -> Result<Output> {
        output(&mut self.command(line))
    }

    /// Runs a line that has to succeed, and gives what it printed.
    pub fn run(&self, line: &str) -> Result<String> {
        let Output { status, stdout, stderr } = self.attempt(line)?;
        let [stdout, stderr] =
            [stdout, stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
        if status.success() {
            return Ok(stdout);
        }
        Err(Failure::new(format!("`{line}` answered {status}\n{stdout}{stderr}")))
    }
}
