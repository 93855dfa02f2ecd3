//! Requests, and answers as text.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use layer::Content;
use oci::{Digest, ImagePath, Platform};
use python::{
    Distribution, GivenFile, IndexUrl, Indexes, Interpreter, Layout, Libc, Location, Lock,
    LockKind, Origin, Requirement, ResolutionRequest, Target, Version,
};
use resolution::{
    Builder, Network, Preferred, Resolution, ResolutionError, resolve, resolve_and_build,
};
use tempfile::TempDir;

use crate::index::Index;
use crate::wheel::{Wheel, wheel};

/// A request to come.
pub(crate) struct Ask {
    pub(crate) request: ResolutionRequest,
    pub(crate) preferred: Vec<Preferred>,
    pub(crate) network: Network,
    pub(crate) directory: TempDir,
    hosts: Vec<String>,
}

/// CPython 3.11 on x86-64 with glibc 2.36.
pub(crate) fn target() -> Target {
    let root = ImagePath::root();
    Target {
        interpreter: Interpreter {
            executable: "/usr/local/bin/python3.11".into(),
            version: Version { major: 3, minor: 11, patch: Some(7), suffix: String::new() },
            free_threaded: false,
            layout: Layout {
                purelib: root.clone(),
                platlib: root.clone(),
                scripts: root.clone(),
                headers: root.clone(),
                data: root,
            },
            search_path: Vec::new(),
            foreign: Vec::new(),
            externally_managed: false,
        },
        libc: Libc::Glibc { major: 2, minor: 36 },
        platform: Platform::linux("amd64"),
    }
}

/// Asks an index.
pub(crate) fn ask(index: &Index) -> Ask {
    let indexes = Indexes { index_url: Some(IndexUrl::new(index.url())), ..Indexes::default() };
    let request = ResolutionRequest {
        target: target(),
        requirements: Vec::new(),
        constraints: Vec::new(),
        overrides: Vec::new(),
        lock: None,
        indexes,
        given: Vec::new(),
        exclude_newer: None,
        prereleases: Default::default(),
        no_binary: Vec::new(),
        only_binary: Vec::new(),
        installed: Vec::new(),
        upgrade: Default::default(),
        dependencies: Default::default(),
        require_hashes: false,
        builds: Default::default(),
    };
    let network =
        Network { backoff: false, read_timeout: Duration::from_secs(5), ..Network::default() };
    let directory = tempfile::tempdir().unwrap();
    Ask { request, preferred: Vec::new(), network, directory, hosts: vec![index.host.clone()] }
}

pub(crate) fn requirement(text: &str, line: usize) -> Requirement {
    let mut parts = text.split(" --hash=");
    Requirement {
        text: parts.next().unwrap_or_default().to_owned(),
        hashes: parts.map(str::to_owned).collect(),
        origin: Origin { file: "requirements.txt".into(), line },
    }
}

impl Ask {
    pub(crate) fn want(mut self, text: &str) -> Self {
        let line = self.request.requirements.len() + 1;
        self.request.requirements.push(requirement(text, line));
        self
    }

    pub(crate) fn constrain(mut self, text: &str) -> Self {
        self.request.constraints.push(requirement(text, 1));
        self
    }

    pub(crate) fn override_with(mut self, text: &str) -> Self {
        self.request.overrides.push(requirement(text, 1));
        self
    }

    pub(crate) fn installed(mut self, installed: &Wheel) -> Self {
        let (name, version) = (installed.name.clone(), installed.version.clone());
        let metadata = ImagePath::lexical(format!("lib/{name}-{version}.dist-info"));
        let text = installed.metadata();
        self.request.installed.push(Distribution { name, version, metadata, text, files: None });
        self
    }

    pub(crate) fn given(mut self, path: &str, file: &Wheel, is_link: bool) -> Self {
        let bytes = file.bytes();
        let digest = Digest::of(&bytes);
        std::fs::write(self.directory.path().join(digest.hex()), &bytes).unwrap();
        let content = Content { digest, size: bytes.len() as u64 };
        self.request.given.push(GivenFile { path: path.into(), content, is_link });
        self
    }

    pub(crate) fn also(mut self, index: &Index) -> Self {
        self.request.indexes.extra_index_urls.push(IndexUrl::new(index.url()));
        self.hosts.push(index.host.clone());
        self
    }

    pub(crate) fn lock(mut self, kind: LockKind, text: &str) -> Self {
        let name = match kind {
            LockKind::Uv => "uv.lock",
            LockKind::Pylock => "pylock.toml",
        };
        self.request.lock = Some(Lock {
            kind,
            name: name.into(),
            text: text.into(),
            project: None,
            extras: Vec::new(),
            groups: Vec::new(),
        });
        self
    }

    pub(crate) fn change(mut self, change: impl FnOnce(&mut ResolutionRequest)) -> Self {
        change(&mut self.request);
        self
    }

    /// With a version that is taken where it satisfies.
    pub(crate) fn prefer(mut self, name: &str, version: &str) -> Self {
        let (name, version) = (name.to_owned(), version.to_owned());
        self.preferred.push(Preferred { name, version });
        self
    }

    pub(crate) fn try_resolve(&self) -> Result<Resolution, ResolutionError> {
        let given = |file: &GivenFile| self.locate(file);
        resolve(&self.request, &self.preferred, &self.network, &self.cache(), &given)
    }

    fn cache(&self) -> PathBuf {
        self.directory.path().join("cache")
    }

    fn locate(&self, file: &GivenFile) -> io::Result<PathBuf> {
        Ok(self.directory.path().join(file.content.digest.hex()))
    }

    /// The answer or the error with its hint, with `HOST` for the index's.
    pub(crate) fn text(&self) -> String {
        self.describe(self.try_resolve())
    }

    /// The same, with somebody who builds.
    pub(crate) fn text_with(&self, builder: &dyn Builder) -> String {
        let locate = |file: &GivenFile| self.locate(file);
        let cache = self.cache();
        let (preferred, network) = (&self.preferred, &self.network);
        let answer = resolve_and_build(&self.request, preferred, network, &cache, &locate, builder);
        self.describe(answer)
    }

    fn describe(&self, answer: Result<Resolution, ResolutionError>) -> String {
        let mut text = match answer {
            Ok(resolution) => describe(&resolution),
            Err(error) => {
                let hint = error.hint().map(|hint| format!("\nhint: {hint}"));
                let text = format!("error: {error}{}", hint.unwrap_or_default());
                assert!(!format!("{error:?}").contains("SECRET"), "{error:?}");
                text
            }
        };
        assert!(!text.contains("SECRET"), "{text}");
        for host in &self.hosts {
            text = text.replace(host, "HOST");
        }
        text
    }
}

/// One line for each package.
pub(crate) fn describe(resolution: &Resolution) -> String {
    let mut lines = Vec::new();
    for package in &resolution.packages {
        let requested = if package.requested { "*" } else { " " };
        let place = match &package.wheel.location {
            Location::Url(_) => "",
            Location::Given(_) => " (given)",
        };
        let filename = &package.wheel.filename;
        lines.push(format!("{requested} {} {} {filename}{place}", package.name, package.version));
    }
    lines.extend(resolution.kept.iter().map(|kept| format!("= {} {}", kept.name, kept.version)));
    lines.extend(resolution.warnings.iter().map(|warning| format!("! {warning}")));
    lines.join("\n")
}

/// A wheel with compiled parts.
pub(crate) fn compiled(name: &str, version: &str, tags: &str) -> Wheel {
    wheel(name, version).tags(tags)
}
