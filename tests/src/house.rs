//! Houses of wheels: directories of distributions, which [`Index`](crate::Index) serves and pip
//! installs from.
//!
//! Those of the lists in `tests/python/` are downloaded once, from whatever index this machine's
//! pip uses; others are made from literals.

mod files;
mod made;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use oci::Digest;
use serde_json::Value;
use tempfile::TempDir;

use crate::{Cpython, Failure, Result, cache, program, run};
pub use files::HouseFile;
pub use made::Made;

/// A directory of wheels and source distributions.
#[derive(Debug, Clone)]
pub struct House {
    directory: PathBuf,
    requirements: String,
    _temporary: Option<Arc<TempDir>>,
}

/// A distribution in a house, as an index speaks of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The project's normalized name.
    pub project: String,
    /// The file's name.
    pub file: String,
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: String,
    /// Bytes.
    pub size: u64,
    /// SHA-256 of the wheel's `METADATA`, which is beside it as `FILE.metadata`.
    pub metadata: Option<String>,
    /// `Requires-Python`, if it says so.
    pub requires_python: Option<String>,
}

/// Which machines wheels are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Architecture {
    /// x86-64.
    X86_64,
    /// 64-bit ARM.
    Aarch64,
}

impl House {
    /// The distributions of the list `tests/python/NAME.txt`, for CPython 3.11 on x86-64.
    pub fn listed(name: &str) -> Result<Self> {
        House::listed_for(name, Architecture::X86_64)
    }

    /// The distributions of a list for CPython 3.11 on these machines, with glibc 2.36.
    pub fn listed_for(name: &str, architecture: Architecture) -> Result<Self> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("python/{name}.txt"));
        let doing = format!("read {}", path.display());
        let requirements = fs::read_to_string(&path).map_err(Failure::doing(doing))?;
        let key = Digest::of(format!("{requirements} {REVISION}").as_bytes());
        let name = format!("wheels-{name}-{}-{}", architecture.name(), &key.hex()[..12]);
        let directory = cache::once(&name, |directory| {
            fill(directory, &requirements, architecture)?;
            describe(directory)
        })?;
        Ok(House { directory, requirements, _temporary: None })
    }

    /// Distributions made from literals; the house goes with the last clone of it.
    pub fn of(made: &[Made]) -> Result<Self> {
        let temporary = temporary()?;
        made::write(temporary.path(), made)?;
        describe(temporary.path())?;
        let requirements = made.iter().map(Made::pin).collect();
        let directory = temporary.path().to_owned();
        Ok(House { directory, requirements, _temporary: Some(Arc::new(temporary)) })
    }

    /// A house of files of any bytes, made without another program; it goes with the last clone.
    pub fn of_files(files: &[HouseFile]) -> Result<Self> {
        let temporary = temporary()?;
        files::write(temporary.path(), files)?;
        let requirements = files.iter().filter_map(HouseFile::pin).collect();
        let directory = temporary.path().to_owned();
        Ok(House { directory, requirements, _temporary: Some(Arc::new(temporary)) })
    }

    /// Where the files are.
    pub fn path(&self) -> &Path {
        &self.directory
    }

    /// Exact pins with hashes, a requirements file of the whole house.
    pub fn requirements(&self) -> &str {
        &self.requirements
    }

    /// The same without hashes: `NAME==VERSION`, a line each.
    pub fn pins(&self) -> String {
        pins(&self.requirements).map(|pin| format!("{pin}\n")).collect()
    }

    /// What is in it, sorted by file name.
    pub fn offers(&self) -> Result<Vec<Offer>> {
        let path = self.directory.join("house.json");
        let doing = format!("read {}", path.display());
        let text = fs::read(&path).map_err(Failure::doing(&doing))?;
        let listed: Vec<Value> = serde_json::from_slice(&text).map_err(Failure::doing(&doing))?;
        Ok(listed.iter().map(offer).collect())
    }

    /// The only file of this project.
    pub fn file_of(&self, project: &str) -> Result<PathBuf> {
        let offers = self.offers()?;
        let mut of_project = offers.iter().filter(|offer| offer.project == project);
        match (of_project.next(), of_project.next()) {
            (Some(offer), None) => Ok(self.directory.join(&offer.file)),
            _ => Err(Failure::new(format!("there is not one file of {project} in the house"))),
        }
    }
}

fn temporary() -> Result<TempDir> {
    let temporary = tempfile::Builder::new().prefix("testbed-house-").tempdir();
    temporary.map_err(Failure::doing("make a directory for wheels"))
}

/// Raised when houses are made otherwise.
const REVISION: &str = "1";

impl Architecture {
    /// As wheels' tags have it.
    pub fn name(self) -> &'static str {
        match self {
            Architecture::X86_64 => "x86_64",
            Architecture::Aarch64 => "aarch64",
        }
    }

    /// Platform tags for glibc 2.36, best first. pip expands none of them by itself.
    fn platforms(self) -> Vec<String> {
        let name = self.name();
        let oldest = match self {
            Architecture::X86_64 => 5,
            Architecture::Aarch64 => 17,
        };
        let mut platforms = Vec::new();
        for minor in (oldest..=36).rev() {
            platforms.push(format!("manylinux_2_{minor}_{name}"));
            let year = [(17, "2014"), (12, "2010"), (5, "1")].iter().find(|(of, _)| *of == minor);
            platforms.extend(year.map(|(_, year)| format!("manylinux{year}_{name}")));
        }
        platforms
    }
}

/// Downloads what has a hash, and builds the rest: nobody offers a wheel of it.
fn fill(directory: &Path, requirements: &str, architecture: Architecture) -> Result {
    let python = Cpython::required()?;
    let (hashed, unhashed): (Vec<_>, Vec<_>) =
        statements(requirements).partition(|statement| statement.contains("--hash="));
    let file = tempfile::NamedTempFile::new().map_err(Failure::doing("make a file of pins"))?;
    fs::write(&file, hashed.join("\n")).map_err(Failure::doing("write pins"))?;
    let mut download = python.pip("download");
    download.args(["--no-deps", "--require-hashes", "--python-version=3.11"]);
    download.args(["--implementation=cp", "--abi=cp311", "--abi=abi3", "--abi=none"]);
    for platform in architecture.platforms() {
        download.arg(format!("--platform={platform}"));
    }
    run(download.arg("--dest").arg(directory).arg("--requirement").arg(file.path()))?;
    if unhashed.is_empty() {
        return Ok(());
    }
    let mut wheel = python.pip("wheel");
    run(wheel.arg("--no-deps").arg("--wheel-dir").arg(directory).args(unhashed))
}

/// Writes `house.json` and the wheels' metadata.
fn describe(directory: &Path) -> Result {
    let script = include_str!("house/describe.py");
    run(program("python3").args(["-c", script]).arg(directory))
}

/// A requirements file's statements, continuation lines joined.
fn statements(requirements: &str) -> impl Iterator<Item = String> {
    let joined = requirements.replace("\\\n", " ");
    let lines: Vec<_> = joined.lines().map(|line| line.trim().to_owned()).collect();
    lines.into_iter().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

fn pins(requirements: &str) -> impl Iterator<Item = String> {
    let first = |statement: String| statement.split_whitespace().next().map(str::to_owned);
    statements(requirements).filter_map(first)
}

fn offer(listed: &Value) -> Offer {
    let text = |name: &str| listed[name].as_str().map(str::to_owned);
    Offer {
        project: text("project").unwrap_or_default(),
        file: text("file").unwrap_or_default(),
        sha256: text("sha256").unwrap_or_default(),
        size: listed["size"].as_u64().unwrap_or_default(),
        metadata: text("metadata"),
        requires_python: text("requires_python"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_of_a_list() {
        let list = "# made\na==1 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n\nb==2\n";
        assert_eq!(pins(list).collect::<Vec<_>>(), ["a==1", "b==2"]);
        let hashed = |statement: &String| statement.contains("--hash=");
        assert_eq!(statements(list).map(|line| hashed(&line)).collect::<Vec<_>>(), [true, false]);
    }

    #[test]
    fn platforms_go_from_new_to_old() {
        let platforms = Architecture::Aarch64.platforms();
        assert_eq!(platforms.first().map(String::as_str), Some("manylinux_2_36_aarch64"));
        assert_eq!(platforms.last().map(String::as_str), Some("manylinux2014_aarch64"));
        let platforms = Architecture::X86_64.platforms();
        assert_eq!(platforms.last().map(String::as_str), Some("manylinux1_x86_64"));
    }
}
