//! A world's Python: a base that has one, and wheels that a resolver of a few lines finds.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write;

use layer::Content;
use oci::{Digest, ImagePath};
use python::{
    FileOrigin, Installation, InstalledFile, Interpreter, Location, LockKind, Member, Method,
    Package, Resolution, ResolutionRequest, Upgrade, WheelFile,
};

use super::World;
use super::gatherer::Gatherer;
use super::lines::line;
use crate::InstalledWheel;

/// A base with a Python as the official images have it.
pub(super) const PYTHON: &[&str] = &[
    "usr/local/bin/python3 -> python3.11",
    "755 usr/local/bin/python3.11=python",
    "usr/local/lib/python3.11/os.py=os",
    "usr/local/lib/python3.11/site-packages/",
    "lib/aarch64-linux-gnu/libc.so.6 -> libc-2.36.so",
    "lib/aarch64-linux-gnu/libc-2.36.so=libc",
];

/// Where the directories of its layout are.
const SITE: &str = "usr/local/lib/python3.11/site-packages";

/// A distribution, and its wheel.
pub(super) struct Wheel {
    name: &'static str,
    version: &'static str,
    files: Vec<String>,
    requires: &'static [&'static str],
}

impl World {
    /// A distribution such as `flask==3.0`, with files and the names of what it requires.
    ///
    /// Files are lines as elsewhere, with `site:`, `bin:` or `data:` before their paths. A content
    /// such as `9000000 bytes` is that large.
    pub(crate) fn package(
        mut self,
        pin: &'static str,
        files: &[&'static str],
        requires: &'static [&'static str],
    ) -> Self {
        let (name, version) = pin.split_once("==").unwrap();
        let files = files.iter().map(|line| (*line).to_owned()).collect();
        self.packages.push(Wheel { name, version, files, requires });
        self
    }
}

impl Wheel {
    fn pin(&self) -> String {
        format!("{}=={}", self.name, self.version)
    }

    fn package(&self, requested: bool) -> Package {
        let filename = format!("{}-{}-py3-none-any.whl", self.name, self.version);
        let wheel = WheelFile {
            location: Location::Url(format!("https://index.example/{filename}")),
            sha256: None,
            hashes: Vec::new(),
            size: None,
            filename,
        };
        let (name, version) = (self.name.to_owned(), self.version.to_owned());
        Package { name, version, wheel, requested, direct_url: None }
    }
}

/// The lines of a base's layer in which such a distribution is installed.
pub(super) fn installed(pin: &str, files: &[&str]) -> &'static [&'static str] {
    let (name, version) = pin.split_once("==").unwrap();
    let metadata = format!("{SITE}/{name}-{version}.dist-info");
    let mut lines: Vec<String> =
        files.iter().map(|line| line.replace("site:", &format!("{SITE}/"))).collect();
    let mut record = String::new();
    for file in files {
        let path = line(file).entry.path.to_string();
        let _ = writeln!(record, "{},,", path.replace("site:", ""));
    }
    let _ = writeln!(record, "{name}-{version}.dist-info/METADATA,,");
    let _ = writeln!(record, "{name}-{version}.dist-info/RECORD,,");
    lines.push(format!("{metadata}/METADATA=Name: {name}\nVersion: {version}\n"));
    lines.push(format!("{metadata}/RECORD={record}"));
    let lines: Vec<&'static str> =
        lines.into_iter().map(|line| &*Box::leak(line.into_boxed_str())).collect();
    lines.leak()
}

/// The size that a text such as `9000000 bytes` stands for.
pub(super) fn size(text: &str) -> Option<u64> {
    text.strip_suffix(" bytes")?.split(' ').next_back()?.parse().ok()
}

impl Gatherer<'_> {
    /// Takes the newest of what is asked for by name or pin, and what that requires.
    pub(super) fn resolve(&self, request: &ResolutionRequest) -> Resolution {
        let locked = request.lock.iter().flat_map(|lock| lock.text.lines());
        let asked = request.requirements.iter().map(|requirement| requirement.text.as_str());
        let mut queue: VecDeque<(&str, bool)> =
            locked.chain(asked).map(|text| (text, true)).collect();
        let mut found: BTreeMap<&str, Package> = BTreeMap::new();
        let mut kept: Vec<(String, String)> = Vec::new();
        while let Some((text, requested)) = queue.pop_front() {
            let Some(wheel) = self.wheel_for(text) else { continue };
            if let Some(own) = request.installed.iter().find(|own| own.name == wheel.name)
                && request.upgrade == Upgrade::Nothing
                && (own.version == wheel.version || !text.contains("=="))
            {
                kept.push((own.name.clone(), own.version.clone()));
            } else if !found.contains_key(wheel.name) {
                found.insert(wheel.name, wheel.package(requested));
                queue.extend(wheel.requires.iter().map(|name| (*name, false)));
            }
        }
        let warnings = Vec::new();
        Resolution { packages: found.into_values().collect(), kept, warnings }
    }

    fn wheel_for(&self, text: &str) -> Option<&Wheel> {
        let shape = python::check_requirement(text).unwrap();
        let written = shape.text();
        let of_file = || written.rsplit('/').next()?.split('-').next();
        let name = shape.name.or_else(of_file)?;
        let mut of_name = self.world.packages.iter().filter(|wheel| wheel.name == name);
        let fits = |wheel: &&Wheel| !text.contains("==") || text.starts_with(&wheel.pin());
        of_name.rfind(fits)
    }

    /// What a wheel becomes.
    pub(super) fn install(
        &mut self,
        package: &Package,
        interpreter: &Interpreter,
    ) -> InstalledWheel {
        let world = self.world;
        let of_package =
            |wheel: &&Wheel| wheel.name == package.name && wheel.version == package.version;
        let wheel = world.packages.iter().find(of_package).unwrap();
        let metadata = format!("{}-{}.dist-info", wheel.name, wheel.version);
        let mut lines = wheel.files.clone();
        let (name, version) = (wheel.name, wheel.version);
        lines.push(format!("site:{metadata}/METADATA=Name: {name}\nVersion: {version}\n"));
        let mut members = Vec::new();
        let mut files: Vec<InstalledFile> = Vec::new();
        let mut record = String::new();
        for (at, text) in lines.iter().enumerate() {
            let parsed = line(text);
            let path = place(&parsed.entry.path, interpreter);
            let content = self.content(&parsed.text);
            let _ = writeln!(record, "/{path},,");
            members.push(Member {
                name: parsed.entry.path.to_string(),
                method: Method::Deflated,
                crc32: 0,
                size: content.size,
                packed_size: content.size / 2,
                data_offset: 1000 * at as u64,
                executable: false,
            });
            let (mode, origin) = (parsed.entry.attributes.mode, FileOrigin::Member(at));
            files.push(InstalledFile { path, mode, content, origin });
        }
        let path = interpreter.layout.purelib.join(format!("{metadata}/RECORD"));
        let _ = writeln!(record, "/{path},,");
        let (content, origin) =
            (Content::of(record.as_bytes()), FileOrigin::Inline(record.as_bytes().into()));
        files.push(InstalledFile { path, mode: 0o644, content, origin });
        files.sort_by(|a, b| a.path.cmp(&b.path));
        let filename = package.wheel.filename.as_str();
        InstalledWheel {
            wheel: Digest::of(filename.as_bytes()),
            filename: filename.into(),
            members,
            installation: Installation { wheel: filename.to_owned(), files },
        }
    }

    fn content(&mut self, text: &str) -> Content {
        let content = Content::of(text.as_bytes());
        self.texts.insert(content.digest, text.to_owned());
        Content { size: size(text).unwrap_or(content.size), ..content }
    }
}

fn place(path: &ImagePath, interpreter: &Interpreter) -> ImagePath {
    let text = path.to_string();
    let (scheme, below) = text.split_once(':').unwrap();
    let layout = &interpreter.layout;
    match scheme {
        "site" => layout.purelib.join(below),
        "plat" => layout.platlib.join(below),
        "bin" => layout.scripts.join(below),
        "data" => layout.data.join(below),
        other => panic!("there is no scheme `{other}`"),
    }
}

/// What is asked of the resolver, a fact a line.
pub(super) fn show_question(request: &ResolutionRequest) -> String {
    let mut shown = String::new();
    let lists = [
        ("wanted", &request.requirements),
        ("constraint", &request.constraints),
        ("override", &request.overrides),
    ];
    for (what, list) in lists {
        for requirement in list {
            let hashes = requirement.hashes.join(" ");
            let line = format!("{what} {} ({}) {hashes}", requirement.text, requirement.origin);
            let _ = writeln!(shown, "{}", line.trim_end());
        }
    }
    if let Some(lock) = &request.lock {
        let kind = match lock.kind {
            LockKind::Uv => "uv",
            LockKind::Pylock => "pylock",
        };
        let (project, extras, groups) = (&lock.project, &lock.extras, &lock.groups);
        let _ = writeln!(shown, "lock {kind} {} {project:?} {extras:?} {groups:?}", lock.name);
    }
    let indexes = &request.indexes;
    if let Some(url) = &indexes.index_url {
        let _ = writeln!(shown, "index {url}");
    }
    for url in &indexes.extra_index_urls {
        let _ = writeln!(shown, "extra index {url}");
    }
    for url in &indexes.find_links {
        let _ = writeln!(shown, "links {url}");
    }
    for file in &request.given {
        let how = if file.is_link { "found" } else { "named" };
        let _ = writeln!(shown, "{how} {}", file.path);
    }
    for (what, names) in [("no binary", &request.no_binary), ("only binary", &request.only_binary)]
    {
        if !names.is_empty() {
            let _ = writeln!(shown, "{what} {}", names.join(" "));
        }
    }
    if request.require_hashes {
        shown.push_str("with hashes\n");
    }
    if indexes.no_index {
        shown.push_str("no index\n");
    }
    for installed in &request.installed {
        let _ = writeln!(shown, "installed {} {}", installed.name, installed.version);
    }
    shown
}
