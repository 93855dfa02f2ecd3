//! The given files under their own names: a store keeps them under others.

use std::collections::HashMap;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use oci::Digest;
use python::GivenFile;

use crate::ResolutionError;
use crate::build::Built;
use crate::requirement::{filename, normalized};

/// A directory with links to the given files, gone with the value.
pub(crate) struct Staging {
    directory: tempfile::TempDir,
    /// Where each is, by its path in the context.
    pub(crate) paths: HashMap<String, PathBuf>,
    digests: HashMap<PathBuf, Digest>,
}

/// For those that are to be found by name and version.
const LINKS: &str = "links";
/// For all, each at its path.
const FILES: &str = "files";
/// Where nothing is.
const NOWHERE: &str = "nowhere";

impl Staging {
    /// `locate` says where a file's bytes are.
    pub(crate) fn new(
        given: &[GivenFile],
        locate: &dyn Fn(&GivenFile) -> io::Result<PathBuf>,
    ) -> Result<Self, ResolutionError> {
        let fail = |path: &str| {
            let path = path.to_owned();
            move |cause| ResolutionError::Given { path, cause }
        };
        let directory = tempfile::tempdir().map_err(fail("a temporary directory"))?;
        std::fs::create_dir(directory.path().join(LINKS)).map_err(fail(LINKS))?;
        let mut staging = Staging { directory, paths: HashMap::new(), digests: HashMap::new() };
        for file in given {
            staging.add(file, locate).map_err(fail(&file.path))?;
        }
        Ok(staging)
    }

    fn add(
        &mut self,
        file: &GivenFile,
        locate: &dyn Fn(&GivenFile) -> io::Result<PathBuf>,
    ) -> io::Result<()> {
        let bytes = std::path::absolute(locate(file)?)?;
        let path = normalized(&file.path);
        let own = self.files().join(&path);
        if let Some(parent) = own.parent() {
            std::fs::create_dir_all(parent)?;
        }
        symlink(&bytes, &own)?;
        let link = self.links().join(filename(file));
        // Two of one name, in two directories: the first is found, as in pip.
        if file.is_link && std::fs::symlink_metadata(&link).is_err() {
            symlink(&bytes, &link)?;
            self.digests.insert(link, file.content.digest);
        }
        self.digests.insert(own.clone(), file.content.digest);
        self.paths.insert(path, own);
        Ok(())
    }

    /// Puts a wheel that was built among those to be found.
    pub(crate) fn add_built(&mut self, built: &Built) -> io::Result<()> {
        let link = self.links().join(&built.filename);
        if std::fs::symlink_metadata(&link).is_ok() {
            std::fs::remove_file(&link)?;
        }
        symlink(std::path::absolute(&built.path)?, &link)?;
        self.digests.insert(link, built.digest);
        Ok(())
    }

    /// A directory of files to be found by name and version.
    pub(crate) fn links(&self) -> PathBuf {
        self.directory.path().join(LINKS)
    }

    /// What stands for the root of the context.
    pub(crate) fn files(&self) -> PathBuf {
        self.directory.path().join(FILES)
    }

    /// A directory that is not there.
    pub(crate) fn nowhere(&self) -> PathBuf {
        self.directory.path().join(NOWHERE)
    }

    /// Which given file is at a path here.
    pub(crate) fn digest(&self, path: &Path) -> Option<&Digest> {
        self.digests.get(path)
    }

    /// Where in the context a path here is.
    pub(crate) fn path(&self, staged: &Path) -> Option<&str> {
        let mut paths = self.paths.iter();
        paths.find(|(_, own)| *own == staged).map(|(path, _)| path.as_str())
    }

    /// A text with what the user wrote in the place of paths here.
    pub(crate) fn unstaged(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (path, staged) in &self.paths {
            let staged = staged.display().to_string();
            text = text.replace(&format!("file://{staged}"), &format!("./{path}"));
            text = text.replace(&staged, &format!("./{path}"));
        }
        text
    }
}
