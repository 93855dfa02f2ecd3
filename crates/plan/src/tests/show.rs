//! A plan in lines.

use std::fmt::Write;
use std::sync::Arc;

use layer::{Attributes, Content, Node};
use oci::ImagePath;
use recipe::Diagnostic;

use super::gatherer::Gatherer;
use super::{Report, TIMESTAMP, packages};
use crate::{
    Becomes, Holder, LayerSpec, Need, Plan, PlannedLayer, PlannedStage, PlannedStep, Stream,
};

impl Gatherer<'_> {
    pub(super) fn report(&self, dockerfile: &str, plan: &Plan) -> Report {
        let target = plan.target();
        target.new_layers().for_each(|spec| check_streams(spec));
        let steps = target.steps.iter().filter_map(|step| self.show_step(plan, step));
        let mut config = target.config.as_json()["config"].clone();
        if let Some(env) = config.get_mut("Env").and_then(|env| env.as_array_mut()) {
            env.retain(|entry| !entry.as_str().unwrap().ends_with("/usr/bin:/sbin:/bin"));
        }
        let messages = plan.warnings.iter().map(|warning| show_diagnostic(dockerfile, warning));
        let said = target.steps.iter().filter_map(|step| match &step.becomes {
            Becomes::Ran { report, .. } => Some(report.said.as_str()),
            _ => None,
        });
        Report {
            said: said.collect(),
            planned: planned(target),
            files: steps.collect(),
            config: config.to_string(),
            messages: messages.collect(),
            keys: keys(plan),
            history: target.history.iter().filter_map(show_history).collect(),
            streams: target.new_layers().map(|spec| spec.streams.len()).collect(),
            ..Report::default()
        }
    }

    fn show_step(&self, plan: &Plan, step: &PlannedStep) -> Option<String> {
        let (how, layers) = match &step.becomes {
            Becomes::Metadata => return None,
            Becomes::Recalled(..) => return Some(format!("{}: on record\n", step.text)),
            Becomes::NeedsExecution(execution) => {
                let why = &execution.why;
                return Some(format!("{}: needs execution: {why}\n", step.text));
            }
            Becomes::Files(layers) => ("files".to_owned(), layers),
            Becomes::CopyFrom(origin, layers) => (format!("from {origin}"), layers),
            Becomes::Packages(layers) | Becomes::Ran { layers, .. } => {
                let layer = |spec: &Arc<LayerSpec>| {
                    format!("{}:\n{}", spec.title, self.show_layer(plan, spec))
                };
                return Some(layers.iter().map(layer).collect());
            }
        };
        let layer = |spec: &Arc<LayerSpec>| {
            let shown = self.show_layer(plan, spec);
            match plan.target().new_layers().count() > 1 {
                true => format!("{}: {how}\n{shown}", spec.title.lines().next().unwrap()),
                false => shown,
            }
        };
        Some(layers.iter().map(layer).collect())
    }

    fn show_layer(&self, plan: &Plan, spec: &LayerSpec) -> String {
        let mut shown = String::new();
        for entry in spec.entries.entries() {
            let Attributes { mode, uid, gid, mtime, .. } = &entry.attributes;
            let mut line = format!("{mode:04o} {uid}:{gid} {}", entry.path);
            match &entry.node {
                Node::Directory => line.push('/'),
                Node::Symlink(target) => {
                    let _ = write!(line, " -> {}", String::from_utf8_lossy(target));
                }
                Node::Hardlink(target) => {
                    let _ = write!(line, " == {target}");
                }
                Node::File(content) => {
                    let _ = write!(line, "={}", self.text(plan, content));
                }
                other => {
                    let _ = write!(line, " {other:?}");
                }
            }
            if *mtime != TIMESTAMP {
                let _ = write!(line, " at {mtime}");
            }
            shown.push_str(&line);
            shown.push('\n');
        }
        shown
    }

    fn text(&self, plan: &Plan, content: &Content) -> String {
        let text = match plan.sources.get(&content.digest) {
            Some(crate::Source::Inline(bytes)) => String::from_utf8_lossy(bytes).into_owned(),
            Some(_) => self.texts[&content.digest].clone(),
            None => "a content without a source".to_owned(),
        };
        assert_eq!(packages::size(&text).unwrap_or(text.len() as u64), content.size);
        text.replace('\n', "\\n")
    }
}

/// Each stream is of a file of the layer.
fn check_streams(spec: &LayerSpec) {
    for (path, stream) in &spec.streams {
        let node = &spec.entries.entry(path).expect("streams are of the layer's files").node;
        let is_of_size = |size| matches!(node, Node::File(content) if content.size == size);
        if let Stream::Wheel(stream) = stream {
            assert!(is_of_size(stream.member.size));
        }
    }
}

fn planned(target: &PlannedStage) -> Vec<String> {
    let planned = target.steps.iter().filter(|step| !step.becomes.layers().is_empty());
    planned.map(|step| step.text.clone()).collect()
}

pub(super) fn keys(plan: &Plan) -> Vec<String> {
    let keys = plan.target().layers.iter().filter_map(|layer| match layer {
        PlannedLayer::Base { .. } => None,
        PlannedLayer::New(spec) => Some(spec.key.to_string()),
        PlannedLayer::Recalled(layer, _) => Some(layer.key.to_string()),
    });
    keys.collect()
}

fn show_history(line: &oci::History) -> Option<String> {
    let empty = if line.empty_layer { " (no layer)" } else { "" };
    line.created_by.as_ref().map(|text| format!("{text}{empty}\n"))
}

pub(super) fn show_need(need: &Need) -> String {
    match need {
        Need::Base { reference, platform, .. } => {
            format!("image {} for {platform}", reference.familiar())
        }
        Need::Listing(name, _) => format!("list {name}"),
        Need::Contents(_, paths) => {
            let paths: Vec<String> = paths.iter().map(ImagePath::to_string).collect();
            format!("digest {}", paths.join(" "))
        }
        Need::LayerIndex { holder, .. } => match holder {
            Holder::Image(reference) => format!("index a layer of {}", reference.familiar()),
            Holder::Build => "index a layer on record".to_owned(),
        },
        Need::Step { .. } => "look for a step".to_owned(),
        Need::Evaluation(_) => "plan a step anew".to_owned(),
        Need::Text(_) => "read a file".to_owned(),
        Need::Download { url, .. } => format!("fetch {url}"),
        Need::Archive(..) => "look into an archive".to_owned(),
        Need::Resolution { .. } => "resolve packages".to_owned(),
        Need::Wheels { packages, .. } => format!("read {} wheels", packages.len()),
        Need::Fetch(fetch, _) => format!("fetch {}", fetch.url),
        Need::PackageIndex { .. } => "read a list of packages".to_owned(),
        Need::Deb { .. } => "read a Debian package".to_owned(),
        Need::Elf(_) => "read an ELF file".to_owned(),
        Need::MachineSources => "read the machine's sources".to_owned(),
    }
}

/// `rule: «place»: message (hint)`
pub(super) fn show_diagnostic(dockerfile: &str, diagnostic: &Diagnostic) -> String {
    let rule = match (diagnostic.severity, diagnostic.rule) {
        (recipe::Severity::Error, None) => "error".to_owned(),
        (recipe::Severity::Error, Some(rule)) => format!("error {}", rule.name()),
        (recipe::Severity::Warning, None) => "warning".to_owned(),
        (recipe::Severity::Warning, Some(rule)) => rule.name().to_owned(),
    };
    let place = &dockerfile[diagnostic.span.clone()];
    let hint = diagnostic.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
    format!("{rule}: «{place}»: {}{hint}\n", diagnostic.message)
}
