//! Build contexts written from literals.

use std::fs::{self, File, FileTimes};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tempfile::TempDir;

use crate::{Failure, Result, program, run};

/// A build context in a temporary directory.
pub struct Context {
    directory: TempDir,
}

impl Context {
    /// An empty context.
    pub fn new() -> Result<Self> {
        let directory = tempfile::Builder::new()
            .prefix("testbed-context-")
            .tempdir()
            .map_err(Failure::doing("make a directory for a context"))?;
        // Others build it too in some tests; a temporary directory is closed to them.
        set_mode(directory.path(), 0o755)?;
        Ok(Context { directory })
    }

    /// A context with this `Dockerfile` in it.
    pub fn with_dockerfile(text: &str) -> Result<Self> {
        Context::new()?.file("Dockerfile", text)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Adds a file with mode 0644, whatever the umask, and the directories above it with 0755.
    pub fn file(self, path: &str, content: impl AsRef<[u8]>) -> Result<Self> {
        self.file_with_mode(path, content, 0o644)
    }

    /// Adds a file that may be executed.
    pub fn executable(self, path: &str, content: impl AsRef<[u8]>) -> Result<Self> {
        self.file_with_mode(path, content, 0o755)
    }

    /// Adds a file with this mode.
    pub fn file_with_mode(self, path: &str, content: impl AsRef<[u8]>, mode: u32) -> Result<Self> {
        let full = self.prepare(path)?;
        fs::write(&full, content).map_err(Failure::doing(format!("write {}", full.display())))?;
        set_mode(&full, mode)?;
        Ok(self)
    }

    /// Adds a directory with this mode.
    pub fn directory(self, path: &str, mode: u32) -> Result<Self> {
        let full = self.prepare(path)?;
        if !full.is_dir() {
            fs::create_dir(&full).map_err(Failure::doing(format!("make {}", full.display())))?;
        }
        set_mode(&full, mode)?;
        Ok(self)
    }

    /// Adds a symbolic link.
    pub fn link(self, path: &str, target: &str) -> Result<Self> {
        let full = self.prepare(path)?;
        symlink(target, &full).map_err(Failure::doing(format!("link {}", full.display())))?;
        Ok(self)
    }

    /// Adds a second name for the file `existing`.
    pub fn hard_link(self, path: &str, existing: &str) -> Result<Self> {
        let full = self.prepare(path)?;
        fs::hard_link(self.path().join(existing), &full)
            .map_err(Failure::doing(format!("link {}", full.display())))?;
        Ok(self)
    }

    /// Adds a tar archive of these files and the directories above them, compressed as its suffix
    /// says.
    pub fn archive(self, path: &str, files: &[(&str, &str)]) -> Result<Self> {
        self.tar(path, files, &["."])
    }

    /// Adds a tar archive that has entries for files only.
    pub fn archive_of_files(self, path: &str, files: &[(&str, &str)]) -> Result<Self> {
        let members: Vec<_> = files.iter().map(|(path, _)| *path).collect();
        self.tar(path, files, &members)
    }

    fn tar(self, path: &str, files: &[(&str, &str)], members: &[&str]) -> Result<Self> {
        let content = files
            .iter()
            .try_fold(Context::new()?, |content, (path, text)| content.file(path, text))?;
        let full = self.prepare(path)?;
        let mut tar = program("tar");
        tar.args(["--create", "--auto-compress", "--sort=name", "--owner=0", "--group=0"]);
        tar.args(["--numeric-owner", "--mtime=@0"]).arg("--file").arg(&full);
        run(tar.arg("--directory").arg(content.path()).args(members))?;
        set_mode(&full, 0o644)?;
        Ok(self)
    }

    /// Sets the modification time of a file, in seconds since 1970.
    pub fn touch(&self, path: &str, seconds: u64) -> Result {
        let full = self.path().join(path);
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        File::open(&full)
            .and_then(|file| file.set_times(FileTimes::new().set_modified(time)))
            .map_err(Failure::doing(format!("touch {}", full.display())))
    }

    /// Makes the directories above `path` and says where it is.
    fn prepare(&self, path: &str) -> Result<PathBuf> {
        let full = self.path().join(path);
        let mut missing: Vec<&Path> =
            full.ancestors().skip(1).take_while(|ancestor| !ancestor.exists()).collect();
        missing.reverse();
        for directory in missing {
            fs::create_dir(directory)
                .map_err(Failure::doing(format!("make {}", directory.display())))?;
            set_mode(directory, 0o755)?;
        }
        Ok(full)
    }
}

fn set_mode(path: &Path, mode: u32) -> Result {
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
        .map_err(Failure::doing(format!("set the mode of {}", path.display())))
}
