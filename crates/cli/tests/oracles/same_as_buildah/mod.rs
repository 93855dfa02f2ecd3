//! Dockerfiles without `RUN`, built by plywood and by buildah: the same tree, the same config.
//!
//! Where the two must differ, the test names the place and says why; a difference that it names and
//! that is not there is a failure too.

mod add;
mod copy;
mod ignore;
mod large_files;
mod links;
mod metadata;
mod owners;
mod stages;
mod syntax;

use std::collections::BTreeMap;

use serde_json::{Value, json};
use testbed::buildah::Driver;
use testbed::{Buildah, Context, Failure, Registry, Result, Skopeo, base};

use crate::support::{Unpacked, plywood, push_base};

/// A Dockerfile with a context, to be built by both. `{base}` in it is the tiny base image.
struct Comparison {
    dockerfile: String,
    /// Other words for the same, where buildah does not know a part of the grammar.
    for_buildah: Option<String>,
    context: Context,
    arguments: Vec<String>,
    differences: Vec<Difference>,
}

/// A place where the two images are meant to differ: a path of the tree, or a field of the config.
struct Difference {
    place: &'static str,
    why: &'static str,
}

/// Compares the builds of `dockerfile` in `context`.
fn same(dockerfile: &str, context: Context) -> Result {
    compare(dockerfile, context).check()
}

fn compare(dockerfile: &str, context: Context) -> Comparison {
    Comparison {
        dockerfile: dockerfile.into(),
        for_buildah: None,
        context,
        arguments: Vec::new(),
        differences: Vec::new(),
    }
}

impl Comparison {
    /// Gives both these arguments.
    fn arguments(mut self, arguments: &[&str]) -> Self {
        self.arguments.extend(arguments.iter().map(|argument| (*argument).to_owned()));
        self
    }

    /// Gives buildah this Dockerfile, which says the same in words that its version 1.28 knows.
    fn for_buildah(mut self, dockerfile: &str) -> Self {
        self.for_buildah = Some(dockerfile.into());
        self
    }

    /// The images differ at `place`, because of `why`.
    fn differs(mut self, place: &'static str, why: &'static str) -> Self {
        self.differences.push(Difference { place, why });
        self
    }

    fn check(self) -> Result {
        let registry = Registry::start()?;
        let reference = push_base(&registry, base::tiny()?, "base/tiny:1")?;
        let buildah = self.dockerfile_for("buildah", &reference)?;
        let plywood = self.dockerfile_for("plywood", &reference)?;
        self.build_with_buildah(&registry, &buildah)?;
        self.build_with_plywood(&registry, &plywood)?;

        let places = ["plywood:1", "buildah:1"].map(|name| registry.place(name));
        let [ours, theirs] = [Unpacked::of(&places[0])?, Unpacked::of(&places[1])?];
        let mut found = ours.tree()?.differences(&theirs.tree()?, "plywood", "buildah");
        let [ours, theirs] = [Skopeo::config(&places[0])?, Skopeo::config(&places[1])?];
        found.extend(config_differences(&ours, &theirs));
        self.judge(found)
    }

    /// Writes a Dockerfile beside the context, where neither program's `COPY .` finds it.
    fn dockerfile_for(&self, program: &str, base: &str) -> Result<Context> {
        let text = match (&self.for_buildah, program) {
            (Some(text), "buildah") => text,
            _ => &self.dockerfile,
        };
        Context::with_dockerfile(&text.replace("{base}", base))
    }

    fn build_with_buildah(&self, registry: &Registry, dockerfile: &Context) -> Result {
        let buildah = Buildah::new(Driver::Copies)?;
        let mut arguments = self.arguments.clone();
        arguments.extend(["--file".into(), shown(dockerfile)]);
        buildah.build("built", self.context.path(), &arguments)?;
        buildah.push("built", &registry.place("buildah:1"))
    }

    fn build_with_plywood(&self, registry: &Registry, dockerfile: &Context) -> Result {
        let file = shown(dockerfile);
        let mut arguments: Vec<&str> = self.arguments.iter().map(String::as_str).collect();
        arguments.extend(["--file", &file]);
        let reference = registry.reference("plywood:1");
        plywood()?.build_and_push(self.context.path(), &reference, &arguments).map(drop)
    }

    fn judge(&self, mut found: BTreeMap<String, String>) -> Result {
        let mut complaints = Vec::new();
        for Difference { place, why } in &self.differences {
            if found.remove(*place).is_none() {
                complaints.push(format!("{place}: does not differ, and should: {why}"));
            }
        }
        complaints.extend(found.iter().map(|(place, words)| format!("{place}: {words}")));
        if complaints.is_empty() {
            return Ok(());
        }
        Err(Failure::new(format!("{}\n---\n{}", complaints.join("\n"), self.dockerfile)))
    }
}

fn shown(dockerfile: &Context) -> String {
    dockerfile.path().join("Dockerfile").display().to_string()
}

/// Fields of `config` that a Dockerfile decides.
const CONFIG_FIELDS: &[&str] = &[
    "User",
    "ExposedPorts",
    "Env",
    "Entrypoint",
    "Cmd",
    "Volumes",
    "WorkingDir",
    "Labels",
    "StopSignal",
    "Healthcheck",
    "Shell",
    "OnBuild",
];

/// Fields beside it.
const IMAGE_FIELDS: &[&str] = &["author", "architecture", "os", "variant"];

/// Compares what a Dockerfile decides; by whom and when the image was made it does not.
fn config_differences(ours: &Value, theirs: &Value) -> BTreeMap<String, String> {
    let nested = CONFIG_FIELDS.iter().map(|field| (format!("config.{field}"), "config", *field));
    let nested =
        nested.map(|(place, parent, field)| (place, &ours[parent][field], &theirs[parent][field]));
    let outer =
        IMAGE_FIELDS.iter().map(|field| ((*field).to_owned(), &ours[*field], &theirs[*field]));
    nested
        .chain(outer)
        .map(|(place, ours, theirs)| {
            let (ours, theirs) = (comparable(&place, ours), comparable(&place, theirs));
            (place, ours, theirs)
        })
        .filter(|(_, ours, theirs)| ours != theirs)
        .map(|(place, ours, theirs)| (place, format!("plywood has {ours}, buildah has {theirs}")))
        .collect()
}

/// The value without the label by which buildah signs, and an environment in name order: it is a
/// map. Empty is the same as absent (image-spec `config.md`: all of these fields are optional).
fn comparable(place: &str, value: &Value) -> Value {
    let mut value = value.clone();
    match &mut value {
        Value::Object(labels) => drop(labels.remove("io.buildah.version")),
        Value::Array(environment) if place == "config.Env" => {
            environment.sort_by(|one, other| one.as_str().cmp(&other.as_str()));
        }
        _ => {}
    }
    let is_empty = [json!({}), json!([]), json!("")].contains(&value);
    if is_empty { Value::Null } else { value }
}
