//! `plywood plan`: what each instruction becomes, before anything is built.

use std::fmt::Write;
use std::sync::Arc;

use layer::LayerIndex;
use plan::{Becomes, LayerSpec, Plan, PlannedStage, PlannedStep, RunCommand};
use serde_json::{Value, json};

use super::{explain, lay, sharing};
use crate::error::Error;
use crate::flags::{BuildArguments, Explanation, PlanReport};
use crate::session::Session;
use crate::units;

/// How much of an instruction fits into a table.
const TITLE_WIDTH: usize = 48;

/// Prints the plans of all platforms.
pub(super) fn show(
    session: &Session,
    arguments: &BuildArguments,
    report: PlanReport,
    plans: &[Plan],
) -> Result<(), Error> {
    let text = match report {
        PlanReport::Table => {
            let mut text = String::new();
            for plan in plans {
                table(session, arguments, plan, &mut text)?;
                for sharing in sharing::with_pushed(session, arguments, plan)? {
                    let _ = writeln!(text, "  {}", sharing.line());
                }
            }
            if arguments.explanation == Explanation::Given {
                for line in explain::lines(plans) {
                    let _ = writeln!(text, "{line}");
                }
            }
            text
        }
        PlanReport::Json => {
            let mut platforms = Vec::new();
            for plan in plans {
                platforms.push(as_json(session, arguments, plan)?);
            }
            format!("{:#}\n", json!({ "platforms": platforms }))
        }
    };
    session.answer(text.as_bytes())
}

/// A line of the table: an instruction, or one of the layers that it becomes.
struct Row {
    title: String,
    becomes: String,
    key: String,
    cached: &'static str,
    size: String,
}

fn table(
    session: &Session,
    arguments: &BuildArguments,
    plan: &Plan,
    text: &mut String,
) -> Result<(), Error> {
    for stage in &plan.stages {
        let base = match &stage.base {
            Some((reference, target)) => {
                format!("{}@{}", reference.familiar(), target.digest.short())
            }
            None => "scratch".to_owned(),
        };
        let name = stage.name.clone().unwrap_or_else(|| stage.number.to_string());
        let _ = writeln!(text, "stage {name} on {base} for {}", plan.platform);
        let _ = writeln!(
            text,
            "  {:<TITLE_WIDTH$}  {:<18}  {:<12}  {:<6}  {:>10}",
            "INSTRUCTION", "BECOMES", "LAYER KEY", "CACHED", "SIZE"
        );
        for step in &stage.steps {
            for row in rows(session, arguments, step)? {
                let line = format!(
                    "  {:<TITLE_WIDTH$}  {:<18}  {:<12}  {:<6}  {:>10}",
                    row.title, row.becomes, row.key, row.cached, row.size
                );
                let _ = writeln!(text, "{}", line.trim_end());
            }
        }
    }
    Ok(())
}

fn rows(
    session: &Session,
    arguments: &BuildArguments,
    step: &PlannedStep,
) -> Result<Vec<Row>, Error> {
    let no_layer = |becomes: &str| Row {
        title: title(&step.text),
        becomes: becomes.to_owned(),
        key: String::new(),
        cached: "",
        size: String::new(),
    };
    let (becomes, layers) = match &step.becomes {
        Becomes::Metadata | Becomes::Recalled(..) => return Ok(vec![no_layer("metadata")]),
        Becomes::NeedsExecution(execution) => {
            let reason = Row { title: format!("  {}", execution.why), ..no_layer("") };
            return Ok(vec![no_layer("needs execution"), reason]);
        }
        Becomes::Ran { layers, .. } if layers.is_empty() => {
            return Ok(vec![no_layer("assembled, empty")]);
        }
        Becomes::Ran { layers, .. } => ("assembled".to_owned(), layers),
        Becomes::Files(layers) => ("files".to_owned(), layers),
        Becomes::CopyFrom(origin, layers) => (format!("copy from {origin}"), layers),
        Becomes::Packages(layers) => {
            let mut rows = vec![no_layer(&count(layers.len(), "layer"))];
            rows.extend(layer_rows(session, arguments, layers)?);
            return Ok(rows);
        }
    };
    if let [spec] = layers.as_slice()
        && spec.packages.is_empty()
    {
        return Ok(vec![row(session, arguments, &step.text, becomes, spec)?]);
    }
    let mut rows = vec![no_layer(&format!("{becomes}, {}", count(layers.len(), "layer")))];
    rows.extend(layer_rows(session, arguments, layers)?);
    Ok(rows)
}

/// The layers of one instruction.
fn layer_rows(
    session: &Session,
    arguments: &BuildArguments,
    layers: &[Arc<LayerSpec>],
) -> Result<Vec<Row>, Error> {
    let rows = layers.iter().map(|spec| {
        let (title, becomes) = match spec.packages.is_empty() {
            true => (spec.part.as_deref().unwrap_or("other files"), "files"),
            false => {
                let title =
                    ["PYTHON ", "DEBIAN "].iter().find_map(|verb| spec.title.strip_prefix(verb));
                (title.unwrap_or(&spec.title), "packages")
            }
        };
        row(session, arguments, &format!("  {title}"), becomes.to_owned(), spec)
    });
    rows.collect()
}

/// `1 layer`, `2 layers`.
fn count(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}

fn row(
    session: &Session,
    arguments: &BuildArguments,
    text: &str,
    becomes: String,
    spec: &LayerSpec,
) -> Result<Row, Error> {
    let cached = lay::cached(session.store()?, spec, arguments.cache)?;
    Ok(Row {
        title: title(text),
        becomes,
        key: spec.key.0.short(),
        cached: if cached.is_some() { "yes" } else { "no" },
        size: units::size(spec.content_bytes()),
    })
}

/// The first line of an instruction, cut to the table's width.
fn title(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    if line.chars().count() <= TITLE_WIDTH {
        return line.to_owned();
    }
    let kept: String = line.chars().take(TITLE_WIDTH - 1).collect();
    format!("{kept}…")
}

fn as_json(session: &Session, arguments: &BuildArguments, plan: &Plan) -> Result<Value, Error> {
    let mut stages = Vec::new();
    for stage in &plan.stages {
        stages.push(stage_json(session, arguments, stage)?);
    }
    let shared = sharing::with_pushed(session, arguments, plan)?;
    let shared: Vec<Value> = shared.iter().map(sharing::Sharing::json).collect();
    let platform = plan.platform.to_string();
    Ok(json!({ "platform": platform, "stages": stages, "shared": shared }))
}

fn stage_json(
    session: &Session,
    arguments: &BuildArguments,
    stage: &PlannedStage,
) -> Result<Value, Error> {
    let base = stage.base.as_ref().map(
        |(reference, target)| json!({ "name": reference.to_string(), "digest": target.digest }),
    );
    let mut steps = Vec::new();
    for step in &stage.steps {
        steps.push(step_json(session, arguments, step)?);
    }
    Ok(json!({
        "number": stage.number,
        "name": stage.name,
        "base": base,
        "instructions": steps,
        "config": stage.config.as_json().get("config"),
    }))
}

fn step_json(
    session: &Session,
    arguments: &BuildArguments,
    step: &PlannedStep,
) -> Result<Value, Error> {
    let (becomes, from) = match &step.becomes {
        Becomes::Metadata | Becomes::Recalled(..) => ("metadata", None),
        Becomes::NeedsExecution(execution) => {
            let commands = execution.report.commands.iter().map(command_json);
            return Ok(json!({
                "instruction": step.text,
                "becomes": "needs-execution",
                "reason": execution.why.to_string(),
                "commands": commands.collect::<Vec<_>>(),
            }));
        }
        Becomes::Ran { layers, report } => {
            let fetched = report.fetched.iter();
            return Ok(json!({
                "instruction": step.text,
                "becomes": "assembled",
                "layers": layers_json(session, arguments, layers)?,
                "fetched": fetched
                    .map(|(url, digest)| json!({ "url": url, "digest": digest }))
                    .collect::<Vec<_>>(),
                "commands": report.commands.iter().map(command_json).collect::<Vec<_>>(),
            }));
        }
        Becomes::Files(_) => ("files", None),
        Becomes::CopyFrom(origin, _) => ("copy-from", Some(origin)),
        Becomes::Packages(_) => ("packages", None),
    };
    Ok(json!({
        "instruction": step.text,
        "becomes": becomes,
        "from": from,
        "layers": layers_json(session, arguments, step.becomes.layers())?,
    }))
}

fn layers_json(
    session: &Session,
    arguments: &BuildArguments,
    layers: &[Arc<LayerSpec>],
) -> Result<Vec<Value>, Error> {
    let layers = layers.iter().map(|spec| {
        let mut layer = layer_json(session, arguments, spec)?;
        layer["title"] = json!(spec.title);
        layer["packages"] = json!(spec.packages);
        Ok(layer)
    });
    layers.collect()
}

fn command_json(command: &RunCommand) -> Value {
    json!({
        "depth": command.depth,
        "command": command.line,
        "status": command.status,
        "changes": command.changes,
        "remark": command.remark,
    })
}

fn layer_json(
    session: &Session,
    arguments: &BuildArguments,
    spec: &LayerSpec,
) -> Result<Value, Error> {
    let cached = lay::cached(session.store()?, spec, arguments.cache)?;
    let entries: &LayerIndex = &spec.entries;
    Ok(json!({
        "key": spec.key.0,
        "entries": entries.entries().len(),
        "size": spec.content_bytes(),
        "cached": cached.as_ref().map(|layer| json!({
            "digest": layer.descriptor.digest,
            "size": layer.descriptor.size,
            "diffId": layer.diff_id,
        })),
    }))
}
