//! Wheels built by a program of this machine, in an environment that it makes for each (PEP 517).

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::str::FromStr;

use oci::Digest;
use python::{Target, WheelFile};
use uv_distribution_filename::WheelFilename;

use crate::build::{BuildFailure, Builder, Built, Source};
use crate::elf::{Misfit, check_compiled};
use crate::fetch::{FetchError, Fetcher, Sink};
use crate::requirement::redacted;

/// What builds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tool {
    /// `uv build`, which finds a Python of the target's version, or gets one.
    Uv(PathBuf),
    /// `python -m pip wheel`. What it compiles is for this Python.
    Pip(PathBuf),
}

/// Says what is in a wheel: the names and bytes of its files.
pub type Members<'a> = dyn Fn(&Path) -> io::Result<Vec<(String, Vec<u8>)>> + 'a;

/// Builds with a program of this machine.
///
/// A source distribution runs code of its maker's as who runs this, as pip lets it. Where its
/// requirements come from is for the tool's own configuration to say.
pub struct HostBuilder<'a> {
    /// What builds.
    pub tool: Tool,
    /// Where source distributions come from.
    pub fetcher: &'a Fetcher,
    /// What the wheel must fit.
    pub target: &'a Target,
    /// A directory for what is fetched and built.
    pub directory: PathBuf,
    /// A reader of wheels.
    pub members: &'a Members<'a>,
}

/// Why there is no wheel.
#[derive(Debug, thiserror::Error)]
pub enum HostBuildError {
    /// The source cannot be had.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The source is another one.
    #[error("{filename} is not the file that the index lists: its digest is {has}")]
    WrongDigest {
        /// Its name.
        filename: String,
        /// What it has.
        has: Digest,
    },
    /// A file cannot be read or written.
    #[error("{}: {cause}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// The tool cannot be run.
    #[error("{} cannot be run: {cause}", tool.display())]
    Start {
        /// Which.
        tool: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// The tool failed.
    #[error("{} failed\n{said}", tool.display())]
    Failed {
        /// Which.
        tool: PathBuf,
        /// The end of what it said.
        said: String,
    },
    /// The tool made no wheel, or several.
    #[error("it left {count} wheels")]
    NotOneWheel {
        /// How many.
        count: usize,
    },
    /// What is compiled in the wheel does not fit.
    #[error("{member} of {filename} {misfit}")]
    Misfit {
        /// The wheel.
        filename: String,
        /// The file in it.
        member: String,
        /// Why.
        misfit: Misfit,
    },
}

impl Builder for HostBuilder<'_> {
    fn build(&self, source: &Source) -> Result<Built, BuildFailure> {
        Ok(self.build_wheel(source)?)
    }
}

impl HostBuilder<'_> {
    fn build_wheel(&self, source: &Source) -> Result<Built, HostBuildError> {
        let place = self.directory.join(format!("{}-{}", source.name, source.version));
        let (sources, wheels) = (place.join("source"), place.join("wheels"));
        // What an earlier try left.
        let _ = fs::remove_dir_all(&place);
        for directory in [&sources, &wheels] {
            fs::create_dir_all(directory).map_err(of_file(directory))?;
        }
        let sink = Files { directory: &sources };
        let mut archives = self.fetcher.fetch(std::slice::from_ref(&source.file), &sink)?;
        let archive = archives.pop().unwrap_or_default();
        self.run(&archive, &wheels)?;
        let path = only_wheel(&wheels)?;
        let filename = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        self.check(&filename, &path)?;
        let bytes = fs::read(&path).map_err(of_file(&path))?;
        Ok(Built { filename, digest: Digest::of(&bytes), path })
    }

    fn run(&self, archive: &Path, wheels: &Path) -> Result<(), HostBuildError> {
        let (tool, arguments) = self.command_line(archive, wheels);
        let start = |cause| HostBuildError::Start { tool: tool.clone(), cause };
        let mut command = Command::new(&tool);
        command.args(arguments).stdin(Stdio::null()).env("SOURCE_DATE_EPOCH", "315532800");
        let output = command.output().map_err(start)?;
        if output.status.success() {
            return Ok(());
        }
        let said = [output.stdout, output.stderr].concat();
        Err(HostBuildError::Failed { tool, said: end_of(&String::from_utf8_lossy(&said)) })
    }

    fn command_line(&self, archive: &Path, wheels: &Path) -> (PathBuf, Vec<OsString>) {
        let version = &self.target.interpreter.version;
        let python = format!("{}.{}", version.major, version.minor);
        let (tool, words): (_, Vec<&str>) = match &self.tool {
            Tool::Uv(uv) => (uv, vec!["build", "--wheel", "--python", &python, "--out-dir"]),
            Tool::Pip(python) => {
                let quiet = "--disable-pip-version-check";
                (python, vec!["-m", "pip", "wheel", "--no-deps", quiet, "--wheel-dir"])
            }
        };
        let words = words.into_iter().map(OsString::from);
        (tool.clone(), words.chain([wheels.into(), archive.into()]).collect())
    }

    /// A wheel for any platform has nothing compiled, and the tags of others are the resolver's to
    /// compare; but `linux_x86_64` says nothing of the C library.
    fn check(&self, filename: &str, path: &Path) -> Result<(), HostBuildError> {
        let is_any = |wheel: WheelFilename| wheel.platform_tags().iter().all(|tag| tag.is_any());
        if WheelFilename::from_str(filename).is_ok_and(is_any) {
            return Ok(());
        }
        for (member, bytes) in (self.members)(path).map_err(of_file(path))? {
            let checked = check_compiled(&bytes, &self.target.platform, self.target.libc);
            let filename = filename.to_owned();
            checked.map_err(|misfit| HostBuildError::Misfit { filename, member, misfit })?;
        }
        Ok(())
    }
}

fn of_file(path: &Path) -> impl FnOnce(io::Error) -> HostBuildError {
    let path = path.to_owned();
    move |cause| HostBuildError::File { path, cause }
}

fn only_wheel(directory: &Path) -> Result<PathBuf, HostBuildError> {
    let entries = fs::read_dir(directory).map_err(of_file(directory))?;
    let paths = entries.map_while(Result::ok).map(|entry| entry.path());
    let mut wheels: Vec<_> =
        paths.filter(|path| path.extension().is_some_and(|extension| extension == "whl")).collect();
    match (wheels.pop(), wheels.len()) {
        (Some(only), 0) => Ok(only),
        (Some(_), others) => Err(HostBuildError::NotOneWheel { count: others + 1 }),
        (None, _) => Err(HostBuildError::NotOneWheel { count: 0 }),
    }
}

/// Enough to see what went wrong.
fn end_of(text: &str) -> String {
    let lines: Vec<_> = text.lines().collect();
    let end = lines.get(lines.len().saturating_sub(20)..).unwrap_or_default();
    redacted(&end.join("\n")).into_owned()
}

/// Source distributions in a directory.
struct Files<'a> {
    directory: &'a Path,
}

impl Sink for Files<'_> {
    type File = File;
    type Kept = PathBuf;
    type Error = HostBuildError;

    fn open(&self, source: &WheelFile) -> Result<(File, u64), HostBuildError> {
        let path = self.path(source);
        Ok((File::create(&path).map_err(of_file(&path))?, 0))
    }

    fn close(&self, source: &WheelFile, file: File) -> Result<PathBuf, HostBuildError> {
        drop(file);
        let path = self.path(source);
        let has = Digest::of(&fs::read(&path).map_err(of_file(&path))?);
        if source.sha256.is_some_and(|wanted| wanted != has) {
            return Err(HostBuildError::WrongDigest { filename: source.filename.clone(), has });
        }
        Ok(path)
    }
}

impl Files<'_> {
    /// A name out of an index is a name, and no path.
    fn path(&self, source: &WheelFile) -> PathBuf {
        let name = source.filename.rsplit('/').next().unwrap_or_default();
        self.directory.join(name)
    }
}
