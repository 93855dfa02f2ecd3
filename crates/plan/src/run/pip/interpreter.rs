//! The Python that a command belongs to, and what is installed for it.

use std::collections::BTreeMap;

use oci::ImagePath;
use python::{Distribution, Interpreter, InterpreterError, Target};
use shell::{Process, Stop as ShellStop};

use super::super::outside::RunOutside;
use super::configuration::{home, variable};
use super::misused;
use super::scene::Scene;

/// A Python of the image.
#[derive(Debug, Clone)]
pub(super) struct Python {
    pub(super) target: Target,
    pub(super) installed: Vec<Distribution>,
    /// `sys.prefix`.
    pub(super) prefix: ImagePath,
    /// Whether it is one of a virtual environment.
    pub(super) is_environment: bool,
    /// Where `pip install --user` puts things, if this Python looks there (`site`, "USER_SITE").
    pub(super) user_base: Option<ImagePath>,
}

impl Python {
    /// The Python at a path, as `sys.executable` has it.
    pub(super) fn find(
        run: &RunOutside<'_, '_, '_>,
        process: &Process<'_, '_>,
        scene: &Scene,
        executable: &str,
    ) -> Result<Python, ShellStop> {
        let platform = process.machine.platform.clone();
        let environment = environment(process);
        let found = scene.ask(run, |view| {
            match python::find_interpreters(view, &environment, &platform, Some(executable)) {
                Err(InterpreterError::Missing(missing)) => Err(missing),
                settled => Ok(settled),
            }
        })?;
        let mut target =
            found.map_err(|error| misused("pip", format!("has no Python: {error}")))?.target;
        target.interpreter.executable = executable.to_owned();
        let interpreter = &target.interpreter;
        let installed = scene.ask(run, |view| python::find_distributions(view, interpreter))?;
        let bin = ImagePath::lexical(executable).parent();
        let prefix = bin.and_then(|bin| bin.parent()).unwrap_or_else(ImagePath::root);
        // Only there headers have such a place (`locations/_sysconfig.py`).
        let is_environment = interpreter.layout.headers.starts_with(&prefix.join("include/site"));
        let base = environment.get("PYTHONUSERBASE").filter(|_| !is_environment);
        let is_asked = environment.get("PYTHONNOUSERSITE").is_none_or(String::is_empty);
        let user_base = base.filter(|_| is_asked).map(ImagePath::lexical);
        Ok(Python { target, installed, prefix, is_environment, user_base })
    }

    pub(super) fn interpreter(&self) -> &Interpreter {
        &self.target.interpreter
    }

    /// What is installed under a name.
    pub(super) fn distribution(&self, name: &str) -> Option<&Distribution> {
        let name = python::normalized_name(name);
        self.installed.iter().find(|distribution| distribution.name == name)
    }

    /// `3.11`
    pub(super) fn series(&self) -> String {
        let version = &self.interpreter().version;
        format!("{}.{}", version.major, version.minor)
    }

    /// The directory of what is installed for a user alone.
    pub(super) fn user_site(&self) -> Option<ImagePath> {
        let base = self.user_base.as_ref()?;
        Some(base.join("lib").join(format!("python{}", self.series())).join("site-packages"))
    }
}

/// The environment, with the user's own directory as `site` finds it.
fn environment(process: &Process<'_, '_>) -> BTreeMap<String, String> {
    let text = |bytes: &bstr::BString| std::str::from_utf8(bytes).ok().map(str::to_owned);
    let all = process.environment.iter();
    let mut environment: BTreeMap<String, String> =
        all.filter_map(|(name, value)| Some((text(name)?, text(value)?))).collect();
    if variable(process, "PYTHONUSERBASE").is_none_or(|base| base.is_empty()) {
        environment.insert("PYTHONUSERBASE".to_owned(), format!("{}/.local", home(process)));
    }
    environment
}
