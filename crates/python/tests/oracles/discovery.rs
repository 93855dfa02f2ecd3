//! Interpreters and distributions, found by their files, against what they say when they are run.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use layer::{Attributes, Content, Entry, LayerIndex, Node, RootFs};
use oci::{Digest, ImagePath, Platform};
use python::{
    Discovery, Distribution, InterpreterError, Missing, View, find_distributions, find_interpreters,
};
use serde_json::Value;
use testbed::{Result, base, program, run, stdout, umoci};

/// What is asked of the interpreter itself, and of its pip where it has one.
const QUESTION: &str = r#"
import json, os, platform, sys, sysconfig
answer = {
    "executable": sys.executable,
    "version": platform.python_version(),
    "paths": sysconfig.get_paths(),
    "search": [entry for entry in sys.path if entry.endswith("-packages")],
    "installed": {},
}
try:
    from pip._internal.metadata import get_default_environment
    from pip._internal.req.req_uninstall import UninstallPathSet
    from pip._internal.locations import get_scheme
    from pip._vendor.packaging.markers import default_environment
except ImportError:
    from importlib.metadata import distributions
    answer["installed"] = {d.metadata["Name"].lower(): [d.version, None] for d in distributions()}
else:
    answer["markers"] = default_environment()
    answer["headers"] = os.path.dirname(get_scheme("x").headers)
    for distribution in get_default_environment().iter_installed_distributions(local_only=False, skip=()):
        try:
            paths = sorted(UninstallPathSet.from_dist(distribution)._paths)
        except Exception:
            paths = []
        answer["installed"][distribution.canonical_name] = [str(distribution.version), paths]
print(json.dumps(answer))
"#;

/// A directory of this machine as a root file system. No file is read before its text is asked
/// for, so a content is called by the file's path.
struct Directory {
    root: PathBuf,
    view: RootFs,
    texts: HashMap<Digest, Arc<[u8]>>,
    rounds: usize,
}

impl Directory {
    fn of(root: &Path, parts: &[PathBuf]) -> Directory {
        let mut entries = Vec::new();
        for part in parts {
            add(root, part, &mut entries);
        }
        let view = RootFs::new(vec![Some(Arc::new(LayerIndex::from_entries(entries)))]);
        Directory { root: root.to_owned(), view, texts: HashMap::new(), rounds: 0 }
    }

    fn view(&self) -> View<'_> {
        View { root: &self.view, texts: &self.texts }
    }

    fn read(&mut self, missing: Vec<Missing>) {
        self.rounds += 1;
        for one in missing {
            let Missing::Text { path, content, .. } = one else { panic!("all layers are there") };
            let text = fs::read(self.root.join(path.to_str().unwrap())).unwrap();
            self.texts.insert(content.digest, text.into());
        }
    }

    fn discover(&mut self, path: &str) -> Discovery {
        let environment = BTreeMap::from([("PATH".to_owned(), path.to_owned())]);
        loop {
            match find_interpreters(self.view(), &environment, &Platform::linux(processor()), None)
            {
                Err(InterpreterError::Missing(missing)) => self.read(missing),
                found => return found.unwrap(),
            }
        }
    }

    fn distributions(&mut self, discovery: &Discovery) -> Vec<Distribution> {
        loop {
            match find_distributions(self.view(), &discovery.target.interpreter) {
                Err(missing) => self.read(missing),
                Ok(found) => return found,
            }
        }
    }
}

/// Adds everything at and below `part`.
fn add(root: &Path, part: &Path, entries: &mut Vec<Entry>) {
    let Ok(metadata) = fs::symlink_metadata(part) else { return };
    let path = ImagePath::lexical(part.strip_prefix(root).unwrap().to_str().unwrap_or_default());
    let node = if metadata.is_symlink() {
        let target = fs::read_link(part).unwrap();
        Node::Symlink(target.to_str().unwrap().into())
    } else if metadata.is_dir() {
        let children = fs::read_dir(part).unwrap().map(|child| child.unwrap().path());
        children.for_each(|child| add(root, &child, entries));
        Node::Directory
    } else {
        let digest = Digest::of(path.as_bytes());
        Node::File(Content { digest, size: metadata.len() })
    };
    let attributes = Attributes::root(metadata.permissions().mode() & 0o7777, 0);
    entries.push(Entry { path, attributes, node });
}

fn processor() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

fn ask(python: &mut Command) -> Result<Value> {
    Ok(serde_json::from_str(&stdout(python.args(["-c", QUESTION]))?).unwrap())
}

/// That what was found is what `answer` says.
fn compare(directory: &mut Directory, path: &str, answer: &Value) {
    let discovery = directory.discover(path);
    let interpreter = &discovery.target.interpreter;
    let says = |key: &str| answer["paths"][key].as_str().unwrap().to_owned();
    let shown = |path: &ImagePath| format!("/{path}");
    assert_eq!(interpreter.version.to_string(), answer["version"].as_str().unwrap());
    assert_eq!(shown(&interpreter.layout.purelib), says("purelib"));
    assert_eq!(shown(&interpreter.layout.platlib), says("platlib"));
    assert_eq!(shown(&interpreter.layout.scripts), says("scripts"));
    assert_eq!(shown(&interpreter.layout.data), says("data"));
    if let Some(headers) = answer["headers"].as_str() {
        assert_eq!(shown(&interpreter.layout.headers), headers);
    }
    let there = interpreter
        .search_path
        .iter()
        .filter(|path| directory.view.resolve(path).is_ok_and(|resolved| resolved.found.is_some()));
    let search: Vec<Value> = there.map(|path| shown(path).into()).collect();
    assert_eq!(Value::from(search), answer["search"]);
    for (name, value) in discovery.target.markers().named() {
        let said = answer["markers"][name].as_str().unwrap_or(value);
        // The machine's kernel is not told.
        assert!(
            name == "platform_release" || name == "platform_version" || said == value,
            "{name}"
        );
    }
    compare_installed(&directory.distributions(&discovery), &answer["installed"]);
    assert!(directory.rounds <= 3, "{} rounds", directory.rounds);
}

fn compare_installed(found: &[Distribution], installed: &Value) {
    let versions = |pairs: Vec<(String, String)>| {
        let mut lines: Vec<String> = pairs.iter().map(|(n, v)| format!("{n} {v}")).collect();
        lines.sort();
        lines.join("\n")
    };
    let said = installed.as_object().unwrap();
    let version = |value: &Value| value[0].as_str().unwrap().to_owned();
    let said_versions = said.iter().map(|(name, value)| (name.clone(), version(value))).collect();
    let found_versions = found.iter().map(|one| (one.name.clone(), one.version.clone())).collect();
    assert_eq!(versions(found_versions), versions(said_versions));
    for distribution in found {
        let Some(said) = said[&distribution.name][1].as_array() else { continue };
        let said: BTreeSet<&str> = said.iter().map(|path| path.as_str().unwrap()).collect();
        // pip leaves optimized bytecode behind.
        let is_optimized = |path: &&ImagePath| path.to_string().contains(".opt-");
        let files = distribution.files.iter().flatten().filter(|path| !is_optimized(path));
        let files: Vec<String> = files.map(|path| format!("/{path}")).collect();
        let files = files.iter().map(String::as_str).collect();
        let differing: Vec<&&str> = said.symmetric_difference(&files).collect();
        assert_eq!(differing, [&""; 0], "{}", distribution.name);
    }
}

/// What else of this machine is looked at: its C library by the package database.
fn parts_of_machine(prefix: &Path) -> Vec<PathBuf> {
    let mut parts = vec![PathBuf::from("/var/lib/dpkg/status")];
    for part in ["bin", "etc", "include", "lib", "share"] {
        parts.push(prefix.join(part));
    }
    parts
}

fn directory_of(executable: &Path) -> String {
    executable.parent().unwrap().to_str().unwrap().to_owned()
}

/// The interpreter that `python3` is on this machine, links followed, and its prefix.
fn this_python() -> Result<(PathBuf, PathBuf)> {
    let script = "import sys; print(sys.executable)";
    let named = stdout(program("python3").args(["-c", script]))?;
    let real = fs::canonicalize(named.trim()).unwrap();
    let prefix = real.parent().and_then(Path::parent).unwrap().to_owned();
    Ok((real, prefix))
}

#[test]
fn this_machine_s_python() -> Result {
    let (python, prefix) = this_python()?;
    let answer = ask(&mut program(&python))?;
    let mut directory = Directory::of(Path::new("/"), &parts_of_machine(&prefix));
    compare(&mut directory, &directory_of(&python), &answer);
    Ok(())
}

#[test]
fn virtual_environment() -> Result {
    let (_, prefix) = this_python()?;
    for options in [&[][..], &["--copies"]] {
        let place = tempfile::tempdir().unwrap();
        let root = place.path().join("venv");
        run(program("python3").args(["-m", "venv"]).args(options).arg(&root))?;
        let python = root.join("bin/python3");
        let answer = ask(&mut program(&python))?;
        let mut parts = parts_of_machine(&prefix);
        parts.push(root.clone());
        let mut directory = Directory::of(Path::new("/"), &parts);
        compare(&mut directory, &directory_of(&python), &answer);
        let found = directory.discover(&directory_of(&python)).target.interpreter;
        let pip = fs::read_to_string(root.join("bin/pip")).unwrap();
        assert_eq!(pip.lines().next(), Some(&*format!("#!{}", found.executable)));
    }
    Ok(())
}

#[test]
fn debian_s_python() -> Result {
    let place = tempfile::tempdir().unwrap();
    let bundle = place.path().join("bundle");
    umoci::unpack(&base::debian()?, base::TAG, &bundle)?;
    let root = bundle.join("rootfs");
    for options in [None, Some("--system-site-packages")] {
        let python = match options {
            None => "/usr/bin/python3",
            Some(option) => {
                let venv = ["/usr/bin/python3", "-m", "venv", "--without-pip", option, "/venv"];
                run(program("chroot").arg(&root).args(venv))?;
                "/venv/bin/python3"
            }
        };
        let answer = ask(program("chroot").arg(&root).arg(python))?;
        let mut directory = Directory::of(&root, std::slice::from_ref(&root));
        compare(&mut directory, &directory_of(Path::new(python)), &answer);
    }
    Ok(())
}
