//! Who installs packages, and where.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use testbed::base::{debian_python_arm64, usr_local_python};
use testbed::buildah::Driver;
use testbed::{
    Architecture, Buildah, Cpython, Failure, House, Index, Made, Registry, Request, Result, Skopeo,
    program, run, stdout, uv,
};

use crate::bench::contenders::new_layer_bytes;
use crate::bench::measure::{Measured, measure};

/// What all have in common: the requirements, the index that has them, the base, the programs.
pub struct Scene {
    /// What it is called in the report.
    pub name: &'static str,
    index: Index,
    /// An index with a package that nobody measures.
    other_index: Index,
    /// The base image in skopeo's notation.
    base: String,
    pins: Vec<String>,
    platform: &'static str,
    /// Whether what the packages depend on is to be had.
    dependencies: bool,
    plywood: PathBuf,
}

/// How requirements are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Requirements {
    /// `NAME==VERSION` for all packages.
    Pinned,
    /// The names of those that are wanted, and nothing of what they depend on.
    Loose,
    /// Another package, so that the base becomes known.
    Other,
}

/// The packages that the list `benchmark` is about.
const LOOSE: [&str; 5] = ["numpy", "pandas", "pyarrow", "requests", "flask"];

impl Scene {
    /// 18 wheels for x86-64.
    pub fn of_many_wheels(plywood: &Path) -> Result<Self> {
        let house = House::listed("benchmark")?;
        let base = usr_local_python()?.place();
        let name = "numpy, pandas, pyarrow, requests, flask";
        Scene::new(name, &house, base, "linux/amd64", plywood)
    }

    /// torch for 64-bit ARM, without what it depends on.
    pub fn of_the_largest_wheel(plywood: &Path) -> Result<Self> {
        let house = House::listed_for("torch", Architecture::Aarch64)?;
        let base = debian_python_arm64()?.place();
        let scene = Scene::new("torch for aarch64", &house, base, "linux/arm64", plywood)?;
        Ok(Scene { dependencies: false, ..scene })
    }

    fn new(
        name: &'static str,
        house: &House,
        base: String,
        platform: &'static str,
        plywood: &Path,
    ) -> Result<Self> {
        let other = House::of(&[Made::wheel("other", "1")])?;
        Ok(Scene {
            name,
            index: Index::of(&[house])?,
            other_index: Index::of(&[&other])?,
            base,
            pins: house.pins().lines().map(str::to_owned).collect(),
            platform,
            dependencies: true,
            plywood: plywood.to_owned(),
        })
    }

    fn index(&self, requirements: Requirements) -> &Index {
        match requirements {
            Requirements::Other => &self.other_index,
            _ => &self.index,
        }
    }

    fn lines(&self, requirements: Requirements) -> Vec<String> {
        match requirements {
            Requirements::Pinned => self.pins.clone(),
            Requirements::Loose => LOOSE.map(str::to_owned).to_vec(),
            Requirements::Other => vec!["other".to_owned()],
        }
    }
}

/// One way from requirements to packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Installer {
    Plywood,
    PlywoodLoose,
    /// With a store that knows the base and no package.
    PlywoodBaseKnown,
    Uv,
    UvLoose,
    Buildah,
}

/// What one run, or the typical run, took and made.
#[derive(Debug, Clone, Copy)]
pub struct Run {
    /// Time and memory.
    pub measured: Measured,
    /// Bytes of the new layers or, where there is no image, of the installed files.
    pub made: u64,
    /// What the index was asked.
    pub index: Traffic,
    /// What the registry was asked.
    pub registry: Traffic,
}

/// What a server had to do.
#[derive(Debug, Clone, Copy, Default)]
pub struct Traffic {
    pub requests: usize,
    /// Bytes that it sent.
    pub down: u64,
    /// Bytes of the blobs that it got.
    pub up: u64,
}

impl Run {
    /// Medians of the times; the other figures are the last run's, and hardly differ.
    pub fn typical(runs: &[Run]) -> Run {
        let measured = runs.iter().map(|run| run.measured).collect::<Vec<_>>();
        let nothing = Traffic::default();
        let last =
            runs.last().map_or((0, nothing, nothing), |run| (run.made, run.index, run.registry));
        let (made, index, registry) = last;
        Run { measured: Measured::typical(&measured), made, index, registry }
    }

    pub fn seconds(&self) -> f64 {
        self.measured.wall.as_secs_f64()
    }

    pub fn megabytes(&self) -> f64 {
        self.measured.peak as f64 / 1e6
    }
}

impl Installer {
    pub const ALL: [Installer; 6] = [
        Installer::Plywood,
        Installer::PlywoodLoose,
        Installer::PlywoodBaseKnown,
        Installer::Uv,
        Installer::UvLoose,
        Installer::Buildah,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Installer::Plywood => "plywood",
            Installer::PlywoodLoose => "plywood, loose",
            Installer::PlywoodBaseKnown => "plywood, base known",
            Installer::Uv => "uv, no image",
            Installer::UvLoose => "uv, no image, loose",
            Installer::Buildah => "buildah, RUN pip",
        }
    }

    fn requirements(self) -> Requirements {
        match self {
            Installer::PlywoodLoose | Installer::UvLoose => Requirements::Loose,
            _ => Requirements::Pinned,
        }
    }

    /// Installs in a fresh place.
    pub fn run(self, scene: &Scene) -> Result<Run> {
        let place = Place::new(scene)?;
        let context = place.context("context", self.requirements())?;
        if self == Installer::PlywoodBaseKnown {
            let other = place.context("other", Requirements::Other)?;
            run(&mut place.build(&other, &["--quiet"]))?;
        }
        // What was written to prepare must not reach the disk at this run's cost.
        run(&mut program("sync"))?;
        scene.index.forget();
        place.registry.forget()?;
        let (measured, made) = match self {
            Installer::Plywood | Installer::PlywoodLoose | Installer::PlywoodBaseKnown => {
                (place.plywood(&context)?, None)
            }
            Installer::Uv | Installer::UvLoose => {
                let measured = place.uv(&context)?;
                (measured, Some(file_bytes(&place.path("target"))?))
            }
            Installer::Buildah => (place.buildah(&context)?, None),
        };
        let (index, registry) = (place.index_traffic(), place.registry_traffic()?);
        let made = made.map_or_else(|| new_layer_bytes(&place.registry, BASE, IMAGE), Ok)?;
        Ok(Run { measured, made, index, registry })
    }
}

/// Where somebody works: a registry with the base in it, and a directory.
pub struct Place<'a> {
    scene: &'a Scene,
    registry: Registry,
    directory: TempDir,
}

const BASE: &str = "base/python:1";
const IMAGE: &str = "bench/image:1";

/// A file of the application that is copied beside the packages, from a context's root.
pub const APPLICATION_FILE: &str = "app/module_07.py";

const APPLICATION_FILES: usize = 20;

impl<'a> Place<'a> {
    pub fn new(scene: &'a Scene) -> Result<Self> {
        let registry = Registry::start()?;
        Skopeo::copy(&scene.base, &registry.place(BASE))?;
        let made = tempfile::Builder::new().prefix("bench-python-").tempdir();
        let directory = made.map_err(Failure::doing("make a directory for the benchmark"))?;
        Ok(Place { scene, registry, directory })
    }

    /// A context with the same thing in everybody's words: requirements, and a small application.
    pub fn context(&self, name: &str, requirements: Requirements) -> Result<PathBuf> {
        let context = self.path(name);
        let lines = self.scene.lines(requirements);
        let base = self.registry.reference(BASE);
        let index = self.scene.index(requirements).url();
        let quoted: Vec<String> = lines.iter().map(|line| format!("    {line:?},\n")).collect();
        let mut files = vec![
            ("requirements.txt".to_owned(), lines.join("\n") + "\n"),
            (
                "plywood.toml".to_owned(),
                format!(
                    "base = {base:?}\nplatforms = [{:?}]\n\n[[files]]\nfrom = \"app\"\n\
                     to = \"/srv/app\"\n\n[python]\nindex-url = {index:?}\ndependencies = {}\n\
                     requirements = [\n{}]\n",
                    self.scene.platform,
                    self.scene.dependencies,
                    quoted.concat(),
                ),
            ),
            (
                "Dockerfile".to_owned(),
                format!(
                    "FROM {base}\nCOPY requirements.txt /tmp/\n\
                     RUN python3 -m pip install --no-cache-dir --disable-pip-version-check \
                     --index-url {index} --requirement /tmp/requirements.txt\n\
                     COPY app /srv/app/\n",
                ),
            ),
        ];
        files.extend(
            (0..APPLICATION_FILES).map(|number| {
                (format!("app/module_{number:02}.py"), format!("NUMBER = {number}\n"))
            }),
        );
        for (path, text) in files {
            let path = context.join(path);
            let parent = path.parent().unwrap_or(&context);
            fs::create_dir_all(parent)
                .and_then(|()| fs::write(&path, text))
                .map_err(Failure::doing(format!("write {}", path.display())))?;
        }
        Ok(context)
    }

    /// `plywood build` with more words; a second one in the same place finds its store.
    pub fn build(&self, context: &Path, words: &[&str]) -> Command {
        let mut command = Command::new(&self.scene.plywood);
        command.env("HOME", self.path("home")).env("PLYWOOD_STORE", self.path("store"));
        command.arg("build").args(words).args(["--tag", &self.registry.reference(IMAGE)]);
        command.arg("--file").arg(context.join("plywood.toml")).arg(context);
        command
    }

    /// `plywood build --push`.
    pub fn plywood(&self, context: &Path) -> Result<Measured> {
        measure(&mut self.build(context, &["--quiet", "--push"]))
    }

    /// Into a directory, by hard links out of its cache, which is uv's quickest way.
    fn uv(&self, context: &Path) -> Result<Measured> {
        let python = Cpython::required()?.prefix.join("bin/python3.11");
        let mut command = Command::new(uv::path()?);
        command.env("HOME", self.path("home"));
        command.args(["pip", "install", "--quiet", "--no-config", "--python"]).arg(python);
        command.arg("--cache-dir").arg(self.path("cache"));
        command.arg("--target").arg(self.path("target"));
        command.args(["--index-url", &self.scene.index.url()]);
        command.arg("--requirements").arg(context.join("requirements.txt"));
        measure(&mut command)
    }

    fn buildah(&self, context: &Path) -> Result<Measured> {
        let buildah = Buildah::new(Driver::Overlay)?;
        let mut build = buildah.command("bud");
        build.args(["--isolation", "chroot", "--tls-verify=false", "--quiet", "--tag", "built"]);
        build.arg("--file").arg(context.join("Dockerfile")).arg(context);
        let mut push = buildah.command("push");
        push.args(["--quiet", "--tls-verify=false", "built", &self.registry.place(IMAGE)]);
        Ok(measure(&mut build)?.and(measure(&mut push)?))
    }

    fn index_traffic(&self) -> Traffic {
        let index = &self.scene.index;
        Traffic { requests: index.requests().len(), down: index.bytes(), up: 0 }
    }

    fn registry_traffic(&self) -> Result<Traffic> {
        let requests = self.registry.requests()?;
        let uploaded = requests.iter().filter_map(Request::uploaded);
        let sizes = uploaded
            .filter_map(|digest| Some(fs::metadata(self.registry.blob(&digest)?).ok()?.len()));
        let down = requests.iter().map(|request| request.written).sum();
        Ok(Traffic { requests: requests.len(), down, up: sizes.sum() })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }
}

/// The sizes of all files below a directory.
fn file_bytes(directory: &Path) -> Result<u64> {
    let listed = stdout(program("find").arg(directory).args(["-type", "f", "-printf", "%s\n"]))?;
    Ok(listed.lines().filter_map(|line| line.parse::<u64>().ok()).sum())
}
