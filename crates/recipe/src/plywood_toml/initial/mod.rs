//! The first `plywood.toml` of a project: a guess that works, with comments on what to look at.
//!
//! Names that hold anything unusual are passed over, so that nothing found has to be escaped.

mod version;

use crate::PythonLockKind;

/// What was found in a directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProjectFiles {
    /// The files in it and in its directories down to the second level, with `/` between names.
    pub paths: Vec<String>,
    /// The text of `pyproject.toml`.
    pub pyproject: Option<String>,
    /// The text of `.python-version`.
    pub python_version: Option<String>,
    /// The commit that is checked out, if it is a git repository's.
    pub commit: Option<String>,
}

/// Writes a `plywood.toml` for what was found. It always parses, given a commit if there is one.
///
/// ```
/// let found = recipe::ProjectFiles {
///     paths: vec!["requirements.txt".to_owned(), "app.py".to_owned()],
///     ..recipe::ProjectFiles::default()
/// };
/// let text = recipe::initial_toml(&found);
/// assert!(text.contains("requirements-files = [\"requirements.txt\"]"));
/// assert!(recipe::parse_plywood_toml(&text, &|_| None).is_ok());
/// ```
pub fn initial_toml(found: &ProjectFiles) -> String {
    let project = Project::read(found);
    let start = project.start();
    let mut lines = vec![
        "# How `plywood build` makes this project's image.".to_owned(),
        "# `plywood plan` shows what would be in it, without building it.".to_owned(),
        String::new(),
    ];
    let minor = version::minor(project.requires.as_deref(), found.python_version.as_deref());
    lines.push(format!("base = \"python:3.{minor}-slim\""));
    lines.push("# platforms = [\"linux/amd64\", \"linux/arm64\"]".to_owned());
    lines.push("workdir = \"/app\"".to_owned());
    lines.push(
        "# Not root. The files below are root's, so the program cannot change itself.".into(),
    );
    lines.push("user = \"1000:1000\"".to_owned());
    lines.extend(start.lines());
    lines.extend(["".into(), "[env]".into(), "PYTHONUNBUFFERED = \"1\"".into()]);
    if project.is_below_src(&start) {
        lines.push("PYTHONPATH = \"/app/src\"".to_owned());
    }
    lines.extend(project.labels(found));
    lines.push(String::new());
    lines.extend(project.packages());
    lines.extend(project.files(&start));
    lines.push(String::new());
    lines.join("\n")
}

/// What is of interest.
struct Project {
    paths: Vec<String>,
    name: Option<String>,
    requires: Option<String>,
    has_pyproject: bool,
    has_dependencies: bool,
    /// Console scripts: name, module and function.
    scripts: Vec<(String, String, String)>,
}

/// How the program starts.
enum Start {
    /// Django's `manage.py`.
    Django,
    /// `python -m PACKAGE`
    Package(String),
    /// A console script.
    Function { module: String, function: String },
    /// `python FILE`
    File(&'static str),
    /// Nobody knows.
    Unknown,
}

impl Project {
    fn read(found: &ProjectFiles) -> Self {
        let mut paths: Vec<String> =
            found.paths.iter().filter(|path| is_usual(path)).cloned().collect();
        paths.sort();
        let pyproject = found.pyproject.as_deref().unwrap_or_default();
        let document = toml::from_str::<toml::Table>(pyproject).unwrap_or_default();
        let table = document.get("project").and_then(toml::Value::as_table);
        let text = |key: &str| Some(table?.get(key)?.as_str()?.to_owned());
        let list = table.and_then(|table| table.get("dependencies")?.as_array());
        let scripts = table.and_then(|table| table.get("scripts")?.as_table());
        let script = |(name, target): (&String, &toml::Value)| {
            let (module, function) = target.as_str()?.split_once(':')?;
            let function = function.split('[').next().unwrap_or(function).trim();
            let is_right = is_dotted_name(module) && is_dotted_name(function);
            is_right.then(|| (name.clone(), module.to_owned(), function.to_owned()))
        };
        Project {
            name: text("name"),
            requires: text("requires-python"),
            has_pyproject: found.pyproject.is_some(),
            has_dependencies: list.is_some_and(|list| !list.is_empty()),
            scripts: scripts.into_iter().flatten().filter_map(script).collect(),
            paths,
        }
    }

    fn has(&self, path: &str) -> bool {
        self.paths.iter().any(|known| known == path)
    }

    /// The most telling sign of how the program starts.
    fn start(&self) -> Start {
        if self.has("manage.py") {
            return Start::Django;
        }
        let script = self.scripts.iter().find(|(name, ..)| Some(name) == self.name.as_ref());
        if let Some((_, module, function)) = script.or(self.scripts.first()) {
            return Start::Function { module: module.clone(), function: function.clone() };
        }
        let package = self.paths.iter().find_map(|path| {
            let package = path.strip_suffix("/__main__.py")?;
            let package = package.strip_prefix("src/").unwrap_or(package);
            is_dotted_name(package).then(|| package.to_owned())
        });
        if let Some(package) = package {
            return Start::Package(package);
        }
        let files = ["app.py", "main.py", "server.py", "run.py", "wsgi.py", "__main__.py"];
        files.into_iter().find(|file| self.has(file)).map_or(Start::Unknown, Start::File)
    }

    /// Whether all of the program is in `src`.
    fn is_below_src(&self, start: &Start) -> bool {
        let has_src = self.paths.iter().any(|path| path.starts_with("src/"));
        has_src && !matches!(start, Start::Django | Start::File(_))
    }

    fn labels(&self, found: &ProjectFiles) -> Vec<String> {
        let mut lines = vec![String::new(), "[labels]".to_owned()];
        if let Some(name) = self.name.as_ref().filter(|name| is_usual(name)) {
            lines.push(format!("\"org.opencontainers.image.title\" = \"{name}\""));
        }
        // A commit that nothing can name would stop every build.
        let comment = if found.commit.is_some() { "" } else { "# " };
        lines.push(format!("{comment}\"org.opencontainers.image.revision\" = \"{{git.sha}}\""));
        lines.push(
            "# \"org.opencontainers.image.version\" = \"{arg.VERSION}\"  # --build-arg VERSION=…"
                .into(),
        );
        lines
    }

    /// `[python]`
    fn packages(&self) -> Vec<String> {
        let python = "[python]".to_owned();
        if let Some((lock, kind)) = self.lock() {
            let project = match kind {
                PythonLockKind::Uv => "# extras = [\"…\"]\n# groups = [\"…\"]",
                PythonLockKind::Pylock => "# groups = [\"…\"]",
            };
            return vec![python, format!("lock = \"{lock}\""), project.to_owned()];
        }
        let files = self.requirements_files();
        if !files.is_empty() {
            let quoted: Vec<String> = files.iter().map(|file| format!("\"{file}\"")).collect();
            return vec![python, format!("requirements-files = [{}]", quoted.join(", "))];
        }
        if self.has_pyproject && self.has_dependencies {
            return vec![
                python,
                "# What pyproject.toml depends on. With a lock (`lock = \"uv.lock\"`), every build"
                    .to_owned(),
                "# gets the same versions.".to_owned(),
                "project = \".\"".to_owned(),
                "# extras = [\"…\"]".to_owned(),
            ];
        }
        let comment = match self.has("setup.py") || self.has("setup.cfg") {
            true => "# What setup.py asks for is not read: it would have to be run. Name it here.",
            false => "# No requirements were found. Name them here, or in `requirements-files`.",
        };
        let lines = [comment, "# [python]", "# requirements = [\"flask==3.1.2\"]"];
        lines.map(str::to_owned).to_vec()
    }

    fn lock(&self) -> Option<(&str, PythonLockKind)> {
        if self.has("uv.lock") {
            return Some(("uv.lock", PythonLockKind::Uv));
        }
        self.has("pylock.toml").then_some(("pylock.toml", PythonLockKind::Pylock))
    }

    /// `requirements.txt`, or of a directory of such files the one for running the program.
    fn requirements_files(&self) -> Vec<&str> {
        let known = [
            "requirements.txt",
            "requirements/production.txt",
            "requirements/prod.txt",
            "requirements/base.txt",
            "requirements/requirements.txt",
        ];
        if let Some(file) = known.into_iter().find(|file| self.has(file)) {
            return vec![file];
        }
        let development = ["dev", "test", "doc", "lint"];
        let is_for_running = |path: &&str| {
            let name = path.strip_prefix("requirements/").and_then(|it| it.strip_suffix(".txt"));
            name.is_some_and(|name| !development.iter().any(|word| name.contains(word)))
        };
        self.paths.iter().map(String::as_str).filter(is_for_running).collect()
    }

    /// `[[files]]`
    fn files(&self, start: &Start) -> Vec<String> {
        let mut lines = vec![String::new(), "[[files]]".to_owned()];
        if self.is_below_src(start) {
            lines.extend(["from = \"src\"".into(), "to = \"/app/src\"".into()]);
            lines.push("exclude = [\"**/__pycache__\"]".to_owned());
            return lines;
        }
        lines.extend(["from = \".\"".into(), "to = \"/app/\"".into()]);
        let top = |name: &&str| {
            let below = format!("{name}/");
            self.paths.iter().any(|path| path == name || path.starts_with(&below))
        };
        let unwanted = ["build", "dist", "docs", "tests", "test", "venv", "Dockerfile"];
        let mut exclude = vec!["\".*\"".to_owned(), "\"**/__pycache__\"".to_owned()];
        exclude.extend(unwanted.iter().filter(|name| top(name)).map(|name| format!("\"{name}\"")));
        exclude.push("\"plywood.toml\"".to_owned());
        lines.push(format!("exclude = [{}]", exclude.join(", ")));
        lines
    }
}

impl Start {
    fn lines(&self) -> Vec<String> {
        match self {
            Start::Django => vec![
                "entrypoint = [\"python\", \"manage.py\"]".to_owned(),
                "# This is Django's server for development; for production there is gunicorn."
                    .to_owned(),
                "cmd = [\"runserver\", \"0.0.0.0:8000\"]".to_owned(),
                "expose = [8000]".to_owned(),
            ],
            Start::Package(package) => {
                vec![format!("entrypoint = [\"python\", \"-m\", \"{package}\"]")]
            }
            Start::Function { module, function } => {
                let root = function.split('.').next().unwrap_or(function);
                let code =
                    format!("import sys; from {module} import {root}; sys.exit({function}())");
                vec![format!("entrypoint = [\"python\", \"-c\", \"{code}\"]")]
            }
            Start::File(file) => vec![format!("entrypoint = [\"python\", \"{file}\"]")],
            Start::Unknown => vec!["# entrypoint = [\"python\", \"-m\", \"…\"]".to_owned()],
        }
    }
}

/// A path or name that means itself in a string, in a pattern and in a template.
fn is_usual(path: &str) -> bool {
    !path.is_empty() && path.bytes().all(|b| b.is_ascii_alphanumeric() || b"._/ -".contains(&b))
}

/// A module or function in Python, as far as it is in ASCII.
fn is_dotted_name(text: &str) -> bool {
    text.split('.').all(|part| {
        !part.is_empty()
            && !part.starts_with(|c: char| c.is_ascii_digit())
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    })
}
