//! Real shells over a root directory, each script on a fresh copy of it that costs nothing.
//!
//! A script sees the root as the lower directory of an overlay, so that what it changed is what is
//! in the upper one afterwards. All mounts are in a namespace of their own.

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use crate::{Failure, Result, program, run};

/// A command line for a shell that others wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// The shell's path in the root: `/bin/sh`.
    pub shell: &'static str,
    /// What it is given behind `-c`.
    pub text: String,
}

/// What a script came to.
#[derive(Debug, Clone)]
pub struct Ran {
    /// The exit status; 124 if it had to be ended.
    pub status: u8,
    /// Its output.
    pub stdout: Vec<u8>,
    /// Its errors.
    pub stderr: Vec<u8>,
    /// What the overlay has to say of the files, a directory before what it holds.
    pub changes: Vec<Upper>,
}

/// A path that an overlay has in its upper directory.
#[derive(Debug, Clone)]
pub struct Upper {
    /// Without a leading slash.
    pub path: String,
    /// What is there.
    pub kind: UpperKind,
    /// Permission bits with set-id and sticky bits.
    pub mode: u32,
    /// The user who owns it.
    pub uid: u32,
    /// The group that owns it.
    pub gid: u32,
    /// When it was last changed, in seconds since the epoch.
    pub mtime: i64,
    /// Which file it is, if that has several names.
    pub shared: Option<u64>,
}

/// What is in an upper directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UpperKind {
    /// A mark that nothing is there any more.
    Gone,
    /// A file with these bytes.
    File(Vec<u8>),
    /// A directory that lets what is below it show.
    Directory,
    /// A directory that hides what is below it.
    Opaque,
    /// A symbolic link.
    Link(String),
    /// A named pipe.
    Fifo,
    /// A device or socket.
    Special,
}

/// Runs every script in `/` of its own view of `root`, with `environment` and nothing else, and with
/// no input. Newlines at their ends are left out. They run one after the other.
pub fn run_scripts(root: &Path, environment: &[&str], scripts: &[Script]) -> Result<Vec<Ran>> {
    let work = tempfile::Builder::new()
        .prefix("testbed-shells-")
        .tempdir()
        .map_err(Failure::doing("make a directory for scripts"))?;
    for (number, script) in scripts.iter().enumerate() {
        let job = job(work.path(), number);
        let doing = format!("write {}", job.display());
        for name in ["upper", "work"] {
            fs::create_dir_all(job.join(name)).map_err(Failure::doing(&doing))?;
        }
        fs::write(job.join("shell"), script.shell).map_err(Failure::doing(&doing))?;
        fs::write(job.join("script"), &script.text).map_err(Failure::doing(&doing))?;
    }
    let mut unshare = program("unshare");
    unshare.args(["--mount", "--pid", "--ipc", "--fork", "--kill-child", "--propagation"]);
    unshare.args(["private", "bash", "-euc", DRIVER, "bash"]);
    run(unshare.arg(work.path()).arg(root).args(environment))?;
    (0..scripts.len()).map(|number| read(&job(work.path(), number))).collect()
}

fn job(work: &Path, number: usize) -> PathBuf {
    work.join(format!("job-{number:05}"))
}

/// Runs all jobs of the directory `$1` over the root `$2`; the rest is the environment. `/dev` has
/// what every container has, and output and errors are pipes. Few processes are started for each
/// job, since there are many jobs.
const DRIVER: &str = r#"
work=$1 root=$2
shift 2
cd "$work"
mkdir -p common/dev merged
for device in null:1:3 zero:1:5 full:1:7 random:1:8 urandom:1:9 tty:5:0; do
    IFS=: read -r name major minor <<< "$device"
    mknod -m 666 "common/dev/$name" c "$major" "$minor"
done
ln -s /proc/self/fd common/dev/fd
ln -s /proc/self/fd/0 common/dev/stdin
ln -s /proc/self/fd/1 common/dev/stdout
ln -s /proc/self/fd/2 common/dev/stderr
umask 022
for job in job-*; do
    layers=lowerdir=common:$root,upperdir=$job/upper,workdir=$job/work
    mount -t overlay -o "$layers,index=off,metacopy=off,redirect_dir=off,volatile" overlay merged
    mount -t proc proc merged/proc
    shell=$(<"$job/shell") script=$(<"$job/script")
    {
        {
            status=0
            chroot merged /usr/bin/env -i "$@" /usr/bin/timeout --kill-after=1 20 \
                "$shell" -c "$script" < /dev/null 3>&- || status=$?
            echo "$status" > "$job/status"
        } 2>&1 1>&3 | cat > "$job/stderr" 3>&-
    } 3>&1 | cat > "$job/stdout"
    umount --recursive --lazy merged
done
"#;

fn read(job: &Path) -> Result<Ran> {
    let file = |name: &str| {
        let path = job.join(name);
        fs::read(&path).map_err(Failure::doing(format!("read {}", path.display())))
    };
    let status = String::from_utf8_lossy(&file("status")?).trim().parse();
    let mut changes = Vec::new();
    read_below(&job.join("upper"), "", &mut changes)?;
    Ok(Ran {
        status: status.map_err(Failure::doing("read a status"))?,
        stdout: file("stdout")?,
        stderr: file("stderr")?,
        changes,
    })
}

fn read_below(directory: &Path, prefix: &str, changes: &mut Vec<Upper>) -> Result {
    let doing = format!("list {}", directory.display());
    let entries = fs::read_dir(directory).map_err(Failure::doing(&doing))?;
    let mut names: Vec<_> = entries.flatten().map(|entry| entry.file_name()).collect();
    names.sort();
    for name in names {
        let full = directory.join(&name);
        let name = name.to_string_lossy();
        let path = if prefix.is_empty() { name.into() } else { format!("{prefix}/{name}") };
        let upper = Upper::read(&full, path.clone())
            .map_err(Failure::doing(format!("read {}", full.display())))?;
        let is_directory = matches!(upper.kind, UpperKind::Directory | UpperKind::Opaque);
        changes.push(upper);
        if is_directory {
            read_below(&full, &path, changes)?;
        }
    }
    Ok(())
}

impl Upper {
    fn read(full: &Path, path: String) -> std::io::Result<Self> {
        let metadata = fs::symlink_metadata(full)?;
        let kind = metadata.file_type();
        let kind = if kind.is_dir() {
            if is_opaque(full) { UpperKind::Opaque } else { UpperKind::Directory }
        } else if kind.is_symlink() {
            UpperKind::Link(fs::read_link(full)?.to_string_lossy().into_owned())
        } else if kind.is_file() {
            UpperKind::File(fs::read(full)?)
        } else if kind.is_char_device() && metadata.rdev() == 0 {
            // Linux's `overlayfs.rst`, "whiteouts and opaque directories".
            UpperKind::Gone
        } else if kind.is_fifo() {
            UpperKind::Fifo
        } else {
            UpperKind::Special
        };
        Ok(Upper {
            path,
            shared: (!metadata.is_dir() && metadata.nlink() > 1 && kind != UpperKind::Gone)
                .then(|| metadata.ino()),
            kind,
            mode: metadata.mode() & 0o7777,
            uid: metadata.uid(),
            gid: metadata.gid(),
            mtime: metadata.mtime(),
        })
    }
}

fn is_opaque(directory: &Path) -> bool {
    let mut value = [0; 8];
    let read = rustix::fs::lgetxattr(directory, "trusted.overlay.opaque", &mut value);
    read.is_ok_and(|length| value[..length] == *b"y")
}
