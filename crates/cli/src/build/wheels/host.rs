//! Source distributions that are built on this machine, where the recipe allows it.
//!
//! What was built is kept by what it was built of and for, so that a rebuild gives the same image
//! without building again.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use oci::Digest;
use python::{Target, Wheel};
use resolution::{BuildFailure, Builder, Built, Fetcher, HostBuilder, Network, Source, Tool};
use serde::{Deserialize, Serialize};

use crate::build::error::BuildError;
use crate::build::scratch_directory;
use crate::error::Error;
use crate::flags::CacheUse;
use crate::progress::Outcome;
use crate::session::Session;

/// The kind of fact that a wheel is which was built.
const BUILT: &str = "built-wheel";
/// What an ELF file begins with (elf(5)).
const ELF: [u8; 4] = *b"\x7fELF";

/// Builds with a program of this machine, and remembers what it built.
pub(super) struct Keeping<'a> {
    session: &'a Session,
    fetcher: Fetcher,
    target: &'a Target,
    cache: CacheUse,
}

/// A wheel that was built, as it is remembered.
#[derive(Serialize, Deserialize)]
struct Record {
    filename: String,
    digest: Digest,
}

impl<'a> Keeping<'a> {
    pub(super) fn new(
        session: &'a Session,
        request: &'a python::ResolutionRequest,
        network: &Network,
        cache: CacheUse,
    ) -> Result<Self, Error> {
        let fetcher = Fetcher::new(request, network).map_err(BuildError::from)?;
        Ok(Keeping { session, fetcher, target: &request.target, cache })
    }

    fn known(&self, key: &Digest) -> Result<Option<Built>, Error> {
        if self.cache == CacheUse::Ignore {
            return Ok(None);
        }
        let store = self.session.store()?;
        let Some(record) = store.fact(BUILT, key)? else { return Ok(None) };
        let Ok(Record { filename, digest }) = serde_json::from_slice(&record) else {
            return Ok(None);
        };
        let there = store.contains(&digest)?.is_some();
        Ok(there.then(|| Built { filename, path: store.blob_path(&digest), digest }))
    }

    fn build_and_keep(&self, source: &Source) -> Result<Built, BuildFailure> {
        let key = self.key(source);
        let name = format!("build {} {}", source.name, source.version);
        if let Some(built) = self.known(&key)? {
            self.session.progress.at_once(name, Outcome::Cached);
            return Ok(built);
        }
        // What builds asks for what it builds with.
        self.session.online(&format!("what it takes to {name}"))?;
        let step = self.session.progress.step(name, None);
        let builder = HostBuilder {
            tool: self.tool().ok_or(BuildError::NoPythonHere)?,
            fetcher: &self.fetcher,
            target: self.target,
            directory: scratch_directory(self.session)?.join("python-builds"),
            members: &compiled_members,
        };
        let built = builder.build(source)?;
        let store = self.session.store()?;
        let mut scratch = store.scratch()?;
        let size = io::copy(&mut File::open(&built.path)?, &mut scratch)?;
        scratch.commit_hashed(built.digest, size)?;
        let record = Record { filename: built.filename.clone(), digest: built.digest };
        store.record_fact(BUILT, &key, &oci::json::to_bytes(&record))?;
        step.finish(Outcome::Done);
        Ok(Built { path: store.blob_path(&built.digest), ..built })
    }

    /// Names what is built and for whom. Which patch of Python it is makes no difference.
    fn key(&self, source: &Source) -> Digest {
        let Target { interpreter, libc, platform } = self.target;
        let version = (interpreter.version.major, interpreter.version.minor);
        let target = (version, interpreter.free_threaded, libc, platform);
        Digest::of(format!("{source:?}\n{target:?}").as_bytes())
    }

    /// uv, which gets a Python that fits; else a Python of the target's version, or any.
    fn tool(&self) -> Option<Tool> {
        let version = &self.target.interpreter.version;
        let exact = format!("python{}.{}", version.major, version.minor);
        let path = self.session.environment.variable("PATH").unwrap_or_default();
        if let Some(uv) = program("uv", path) {
            return Some(Tool::Uv(uv));
        }
        let python = program(&exact, path).or_else(|| program("python3", path));
        python.map(Tool::Pip)
    }
}

impl Builder for Keeping<'_> {
    fn build(&self, source: &Source) -> Result<Built, BuildFailure> {
        self.build_and_keep(source)
    }
}

/// The file that a name means in a shell.
fn program(name: &str, path: &OsStr) -> Option<PathBuf> {
    std::env::split_paths(path).map(|directory| directory.join(name)).find(|file| file.is_file())
}

/// The compiled files of a wheel, which are what has to fit.
fn compiled_members(path: &Path) -> io::Result<Vec<(String, Vec<u8>)>> {
    let file = File::open(path)?;
    let filename = path.file_name().unwrap_or_default().to_string_lossy();
    let wheel = Wheel::read(&file, file.metadata()?.len(), &filename).map_err(io::Error::other)?;
    let mut compiled = Vec::new();
    for (number, member) in wheel.members().iter().enumerate() {
        let mut bytes = Vec::new();
        wheel.open(number, &file).take(ELF.len() as u64).read_to_end(&mut bytes)?;
        if bytes == ELF {
            bytes.clear();
            wheel.open(number, &file).read_to_end(&mut bytes)?;
            compiled.push((member.name.clone(), bytes));
        }
    }
    Ok(compiled)
}
