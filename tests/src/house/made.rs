//! Distributions from literals.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use crate::program::answer;
use crate::{Result, program};

/// A wheel or a source distribution to be made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Made {
    name: String,
    version: String,
    /// None of a source distribution.
    tag: Option<String>,
    requires: Vec<String>,
    extras: Vec<String>,
    requires_python: Option<String>,
    files: BTreeMap<String, String>,
}

impl Made {
    /// A wheel for everything (`py3-none-any`) with a module of its own name.
    pub fn wheel(name: &str, version: &str) -> Self {
        let module = name.replace('-', "_");
        let text = format!("__version__ = {version:?}\n");
        let tag = Some("py3-none-any".to_owned());
        Made { name: name.into(), version: version.into(), tag, ..Made::default() }
            .file(&format!("{module}/__init__.py"), &text)
    }

    /// A source distribution that setuptools builds.
    pub fn source(name: &str, version: &str) -> Self {
        let setup =
            format!("from setuptools import setup\nsetup(name={name:?}, version={version:?})\n");
        Made { name: name.into(), version: version.into(), ..Made::default() }
            .file("setup.py", &setup)
    }

    /// With this tag instead of `py3-none-any`.
    pub fn tag(self, tag: &str) -> Self {
        Made { tag: Some(tag.into()), ..self }
    }

    /// With a `Requires-Dist`.
    pub fn requires(mut self, requirement: &str) -> Self {
        self.requires.push(requirement.into());
        self
    }

    /// With a `Provides-Extra`.
    pub fn extra(mut self, name: &str) -> Self {
        self.extras.push(name.into());
        self
    }

    /// With a `Requires-Python`.
    pub fn python(self, specifiers: &str) -> Self {
        Made { requires_python: Some(specifiers.into()), ..self }
    }

    /// With this file; one of the name `….dist-info/RECORD` stands for the true one.
    pub fn file(mut self, path: &str, text: &str) -> Self {
        self.files.insert(path.into(), text.into());
        self
    }

    /// With a file in its `.dist-info`, such as `entry_points.txt`.
    pub fn info(self, name: &str, text: &str) -> Self {
        let module = self.name.replace(['-', '.'], "_");
        let path = format!("{module}-{}.dist-info/{name}", self.version);
        self.file(&path, text)
    }

    pub(super) fn pin(&self) -> String {
        format!("{}=={}\n", self.name, self.version)
    }

    fn described(&self) -> Value {
        json!({
            "name": self.name,
            "version": self.version,
            "tag": self.tag,
            "requires": self.requires,
            "extras": self.extras,
            "requires_python": self.requires_python,
            "files": self.files,
        })
    }
}

/// Writes them into `directory`.
pub(super) fn write(directory: &Path, made: &[Made]) -> Result {
    let described: Vec<_> = made.iter().map(Made::described).collect();
    let mut make = program("python3");
    make.args(["-c", include_str!("make.py")]).arg(directory);
    answer(&mut make, Value::from(described).to_string().as_bytes()).map(drop)
}
