//! Python packages: requirements become wheels, and wheels become layers.
//!
//! The image says for which interpreter, requirements and a resolver say which wheels, and a wheel
//! says which files it becomes. Each is a fact that is asked for once the ones before it are known.

mod asked;
mod checks;
mod collisions;
mod files;
mod given;
mod install;
mod lists;
mod removal;
mod title;

pub(crate) use files::bytes as context_bytes;
pub(crate) use install::{is_kept, source};
pub(crate) use title::title;

use std::sync::Arc;

use python::{
    Discovery, Distribution, InterpreterError, Missing, Package, Resolution, ResolutionRequest,
    ScriptTemplate, View,
};
use recipe::{Diagnostic, PythonPackages, Severity, Span};

use self::asked::Written;
use crate::error::{PlanError, Step, Stop};
use crate::facts::{FileReference, InstalledWheel};
use crate::key::Form;
use crate::outcome::{Becomes, LayerSpec};
use crate::record::{Read, Recall};
use crate::stage::StagePlanner;
use crate::{Need, WheelKey};

/// Plans the installation of Python packages.
pub(crate) fn plan_python(
    planner: &mut StagePlanner<'_, '_>,
    asked: &PythonPackages,
    span: &Span,
) -> Step<Becomes> {
    // What is written takes no base, and so both are found out side by side.
    let written = asked::read(planner, asked);
    if planner.state.tree.is_executed() {
        written?;
        return Err(Stop::Execution);
    }
    if let Ok(written) = &written
        && written.is_empty()
    {
        warn(planner, &asked.span, "there are no packages to install".to_owned(), None);
        return Ok(Becomes::Packages(Vec::new()));
    }
    if planner.shared.facts.recall == Recall::Never {
        return install(planner, asked, written, span);
    }
    let written = written?;
    let form = form(planner, asked, &written);
    planner.recalled(form, span, |planner| install(planner, asked, Ok(written), span))
}

/// All that the packages depend on beside what lies below them: what is written, wherever it is, and
/// what says which Python is meant.
fn form(planner: &StagePlanner<'_, '_>, asked: &PythonPackages, written: &Written) -> Form {
    let mut form = Form::new();
    form.text(b"PYTHON");
    form.end_kind();
    form.text(format!("{asked:?}").as_bytes());
    form.text(format!("{written:?}").as_bytes());
    for (name, value) in planner.state.config.env() {
        form.text(name.as_bytes());
        form.text(value.as_bytes());
    }
    form
}

fn install(
    planner: &mut StagePlanner<'_, '_>,
    asked: &PythonPackages,
    written: Step<Written>,
    span: &Span,
) -> Step<Becomes> {
    let base = base(planner, asked, span);
    // A base without Python is wrong only if there is something to install.
    let written = written?;
    let (discovery, installed) = base?;
    checks::warn_of_requirements(planner, asked, &written, &discovery);
    let request = asked::request(written, asked, &discovery.target, installed);
    let given = given::sources(&request.given);
    let resolution = resolve(planner, &request, given, span)?;
    let scripts = script_template(&request);
    let wheels = wheels(planner, &request, &resolution.packages, scripts, span)?;
    checks::warn_of_packages(planner, &request, &resolution, span);
    let mut layers: Vec<Arc<LayerSpec>> = Vec::new();
    layers.extend(removal::lay(planner, &request, &resolution.packages, span)?);
    layers.extend(install::lay(planner, asked, &resolution.packages, &wheels, span)?);
    Ok(Becomes::Packages(layers))
}

/// The interpreter, and what is installed for it.
fn base(
    planner: &mut StagePlanner<'_, '_>,
    asked: &PythonPackages,
    span: &Span,
) -> Step<(Discovery, Vec<Distribution>)> {
    let discovery = discover(planner, asked, span)?;
    let interpreter = &discovery.target.interpreter;
    let installed = view(planner, |view| python::find_distributions(view, interpreter))?;
    Ok((discovery, installed))
}

/// Asks a question of the stage's files; what the answer takes is noted.
fn view<T>(
    planner: &mut StagePlanner<'_, '_>,
    ask: impl FnOnce(View<'_>) -> Result<T, Vec<Missing>>,
) -> Step<T> {
    let tree = &planner.state.tree;
    let view = View { root: tree.root(), texts: &planner.shared.facts.texts };
    ask(view).map_err(|missing| {
        for missing in missing {
            tree.need_missing(missing, &planner.shared.sources, planner.needs);
        }
        Stop::Needs
    })
}

fn discover(
    planner: &mut StagePlanner<'_, '_>,
    asked: &PythonPackages,
    span: &Span,
) -> Step<Discovery> {
    let environment = planner.state.config.env().into_iter().collect();
    let platform = planner.shared.request.platform.clone();
    let wanted = asked.interpreter.as_ref();
    let found = view(planner, |view| {
        let wanted = wanted.map(|wanted| wanted.node.as_str());
        match python::find_interpreters(view, &environment, &platform, wanted) {
            Err(InterpreterError::Missing(missing)) => Err(missing),
            settled => Ok(settled),
        }
    })?;
    found.map_err(|error| {
        let span = wanted.map_or(span, |wanted| &wanted.span);
        let refused = PlanError::base(span.clone(), error.to_string());
        match error.hint() {
            Some(hint) => refused.with_hint(hint),
            None => refused,
        }
        .into()
    })
}

/// Which wheels the answer takes. `given` says where the bytes of the request's own files are.
pub(crate) fn resolve(
    planner: &mut StagePlanner<'_, '_>,
    request: &ResolutionRequest,
    given: Vec<FileReference>,
    span: &Span,
) -> Step<Arc<Resolution>> {
    let fingerprint = request.fingerprint();
    if let Some(resolution) = planner.shared.facts.resolutions.get(&fingerprint) {
        let resolution = Arc::clone(resolution);
        planner.reads.note(Read::Resolution {
            platform: request.target.platform.clone(),
            request: fingerprint,
            resolution: Box::new(resolution.as_ref().clone()),
        });
        return Ok(resolution);
    }
    let request = Box::new(request.clone());
    planner.needs.add(Need::Resolution { request, given, span: span.clone() });
    Err(Stop::Needs)
}

/// What the wheels become, in the order of `packages`; all that are not known are asked for.
pub(crate) fn wheels(
    planner: &mut StagePlanner<'_, '_>,
    request: &ResolutionRequest,
    packages: &[Package],
    scripts: ScriptTemplate,
    span: &Span,
) -> Step<Vec<Arc<InstalledWheel>>> {
    let interpreter = &request.target.interpreter;
    let known = &planner.shared.facts.installations;
    let found = |package: &Package| known.get(&WheelKey::of(package, interpreter, scripts));
    let missing: Vec<Package> =
        packages.iter().filter(|package| found(package).is_none()).cloned().collect();
    if missing.is_empty() {
        let wheels: Vec<Arc<InstalledWheel>> = packages.iter().filter_map(found).cloned().collect();
        for wheel in &wheels {
            planner.reads.note_wheel(&wheel.filename, wheel.wheel);
        }
        return Ok(wheels);
    }
    let (packages, request, span) = (missing, Box::new(request.clone()), span.clone());
    planner.needs.add(Need::Wheels { packages, request, scripts, span });
    Err(Stop::Needs)
}

/// Scripts look as the image's own pip would have made them, or the newest.
fn script_template(request: &ResolutionRequest) -> ScriptTemplate {
    let pip = request.installed.iter().find(|installed| installed.name == "pip");
    pip.map(|pip| ScriptTemplate::of_pip(&pip.version)).unwrap_or_default()
}

/// Notes what the author may not have meant.
pub(crate) fn warn(
    planner: &mut StagePlanner<'_, '_>,
    span: &Span,
    message: String,
    hint: Option<String>,
) {
    let (severity, rule) = (Severity::Warning, None);
    let warning = Diagnostic { severity, rule, message, span: span.clone(), hint };
    planner.shared.warnings.push(warning);
}
