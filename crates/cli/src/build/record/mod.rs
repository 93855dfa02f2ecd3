//! What goes into a build, kept beside the image for `plywood why`.
//!
//! Nothing here is a secret: values of build arguments become marks, addresses lose their
//! credentials and queries, and what `--secret` gives is looked for in what is left.

mod steps;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use context::Kind;
use difference::{
    Argument, BuildRecord, ContextEntry, ContextFiles, IgnoreFile, LayerRecord, MOST_FILES, Node,
    PackageFile, files_of_entries,
};
use image::Layer;
use layer::{LayerIndex, Packing};
use oci::Digest;
use plan::{ContextName, Facts, Plan, PlannedLayer, Read};
use recipe::{Instruction, Recipe};

use super::{PlanSettings, Work, assemble};
use crate::error::Error;
use crate::session::Session;
use steps::{global, stages};

/// The kind of fact that a record is, by the digest of the image's manifest.
const RECORD: &str = "build";

/// What went into an image of this store, if it was built here and is remembered.
pub(crate) fn record_of(session: &Session, image: &Digest) -> Result<Option<BuildRecord>, Error> {
    let bytes = session.store()?.fact(RECORD, image)?;
    Ok(bytes.and_then(|bytes| BuildRecord::from_bytes(&bytes)))
}

/// Remembers what went into an image.
pub(super) fn keep(session: &Session, image: &Digest, record: &BuildRecord) -> Result<(), Error> {
    Ok(session.store()?.record_fact(RECORD, image, &record.to_bytes())?)
}

/// What goes into the image of one platform, whose layers are made.
pub(super) fn of(work: &Work<'_>, plan: &Plan, layers: &[Layer]) -> Result<BuildRecord, Error> {
    let Work { session, arguments, recipe, settings, gatherer, .. } = work;
    let facts = &gatherer.facts;
    let redaction = Redaction { facts };
    let mut record = BuildRecord::new(env!("CARGO_PKG_VERSION"), plan::FORMAT_EPOCH);
    record.platform = plan.platform.to_string();
    record.target = arguments.target.clone();
    record.timestamp = settings.timestamp;
    record.compression = compression(settings.packing);
    record.labels = arguments.labels.clone();
    record.origin = origin(settings, &arguments.labels);
    record.annotations = assemble::asked(&plan.platform, &settings.annotations);
    record.recipe = Some(Digest::of(settings.recipe_text.as_bytes()));
    record.ignore = gatherer.inputs.ignore_text.clone().map(|text| {
        let name = facts.ignore.as_ref().map(|(name, _)| name.clone()).unwrap_or_default();
        IgnoreFile { name, text }
    });
    let defaults = defaults(recipe);
    let mark = |(name, value): (&String, &String)| {
        (name.clone(), Argument::of(name, value, defaults.get(name).map(String::as_str)))
    };
    record.arguments = arguments.build_args.iter().map(mark).collect();
    record.images = images(plan, settings, facts);
    record.contexts = contexts(facts);
    let downloads = facts.downloads.iter().map(|(url, got)| (url, got.content.digest));
    let downloads = reads(plan)
        .filter_map(|read| match read {
            Read::Download { url, content } => Some((url, content.digest)),
            _ => None,
        })
        .chain(downloads);
    record.downloads = downloads.map(|(url, digest)| (redaction.address(url), digest)).collect();
    record.archives = archives(plan);
    record.packages = packages(plan);
    record.globals =
        recipe.global_args.iter().map(|it| global(it, &settings.recipe_text)).collect();
    let given = arguments.build_args.keys().cloned().collect();
    record.stages = stages(recipe, plan, &given);
    record.layers = new_layers(session, plan, layers)?;
    Ok(record)
}

fn compression(packing: Packing) -> String {
    match packing {
        Packing::Gzip(level) => format!("gzip:{}", level.number()),
        Packing::Zstd(level) => format!("zstd:{}", level.number()),
        Packing::None => "none".to_owned(),
    }
}

/// The labels that nobody asked for: where the context comes from.
fn origin(settings: &PlanSettings, asked: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let own = settings.labels.iter().filter(|(key, _)| !asked.contains_key(*key));
    own.map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// The defaults of arguments that the recipe shows.
fn defaults(recipe: &Recipe) -> BTreeMap<String, String> {
    let in_stages = recipe.stages.iter().flat_map(|stage| &stage.instructions);
    let in_stages = in_stages.filter_map(|step| match &step.instruction {
        Instruction::Arg(arguments) => Some(arguments.iter()),
        _ => None,
    });
    let global = recipe.global_args.iter().map(|argument| &argument.node);
    let with_default = |argument: &recipe::Argument| {
        Some((argument.name.clone(), argument.default.as_ref()?.text.clone()))
    };
    in_stages.flatten().chain(global).filter_map(with_default).collect()
}

/// The images that the recipe names, as far as they are for this platform or for that of the
/// machine.
fn images(plan: &Plan, settings: &PlanSettings, facts: &Facts) -> BTreeMap<String, Digest> {
    let ours = [&plan.platform, &settings.build_platform];
    let bases = facts.bases.iter().filter(|((_, platform), _)| ours.contains(&platform));
    bases.map(|((reference, _), base)| (reference.to_string(), base.target.digest)).collect()
}

fn contexts(facts: &Facts) -> BTreeMap<String, ContextFiles> {
    let mut contexts = BTreeMap::new();
    for (name, listing) in &facts.listings {
        let read = facts.contents.get(name);
        let mut entries = BTreeMap::new();
        let mut unread = Vec::new();
        for listed in listing.iter() {
            let node = match &listed.kind {
                Kind::Directory => Node::Directory,
                Kind::Symlink(target) => {
                    Node::Symlink { target: String::from_utf8_lossy(target).into_owned() }
                }
                Kind::Special(_) => continue,
                Kind::File { .. } => match read.and_then(|read| read.get(&listed.path)) {
                    Some(content) => Node::File { digest: content.digest, size: content.size },
                    None => {
                        unread.push(listed.path.to_string());
                        continue;
                    }
                },
            };
            entries.insert(listed.path.to_string(), ContextEntry { mode: listed.mode, node });
        }
        let name = match name {
            ContextName::Main => String::new(),
            ContextName::Named(name) => name.clone(),
            ContextName::Git(source) => (Redaction { facts }).address(&source.url),
        };
        contexts.insert(name, ContextFiles::of(entries, unread));
    }
    contexts
}

/// What the instructions asked of the world.
fn reads(plan: &Plan) -> impl Iterator<Item = &Read> {
    plan.stages.iter().flat_map(|stage| &stage.steps).flat_map(|step| &step.reads)
}

/// All that apt's sources gave of their own accord, by one digest.
fn archives(plan: &Plan) -> Option<Digest> {
    let given: BTreeSet<Digest> = reads(plan)
        .filter_map(|read| match read {
            Read::Fetch { content, .. } => content.map(|content| content.digest),
            _ => None,
        })
        .collect();
    (!given.is_empty()).then(|| Digest::of(&oci::json::to_bytes(&given)))
}

/// The wheels and Debian packages that the target's layers are made of.
fn packages(plan: &Plan) -> Vec<PackageFile> {
    let files: BTreeSet<&plan::PackageFile> =
        plan.target().steps.iter().flat_map(|step| &step.packages).collect();
    let file =
        |file: &plan::PackageFile| PackageFile { file: file.filename.clone(), digest: file.digest };
    files.into_iter().map(file).collect()
}

/// The layers of the target that are not the base's.
fn new_layers(session: &Session, plan: &Plan, layers: &[Layer]) -> Result<Vec<LayerRecord>, Error> {
    let mut left = MOST_FILES;
    let mut recorded = Vec::new();
    for (planned, layer) in plan.target().layers.iter().zip(layers) {
        let (key, title, packages, entries) = match planned {
            PlannedLayer::Base { .. } => continue,
            PlannedLayer::New(spec) => {
                (spec.key, &spec.title, &spec.packages, Some(Arc::clone(&spec.entries)))
            }
            PlannedLayer::Recalled(recalled, _) => {
                let entries = entries_of(session, layer)?;
                (recalled.key, &recalled.title, &recalled.packages, entries)
            }
        };
        let is_copied = ["COPY", "ADD"].iter().any(|verb| title.starts_with(verb));
        let entries = entries.filter(|index| is_copied && index.entries().len() <= left);
        let files = entries.map(|index| files_of_entries(index.entries()));
        left -= files.as_ref().map_or(0, BTreeMap::len);
        recorded.push(LayerRecord {
            key: key.0,
            diff_id: layer.diff_id,
            digest: layer.descriptor.digest,
            title: title.clone(),
            packages: packages.clone(),
            files,
        });
    }
    Ok(recorded)
}

/// What a layer holds that is on record, if that is known here.
fn entries_of(session: &Session, layer: &Layer) -> Result<Option<Arc<LayerIndex>>, Error> {
    let bytes = session.store()?.layer_index(&layer.diff_id)?;
    Ok(bytes.and_then(|bytes| LayerIndex::from_bytes(&bytes).ok()).map(Arc::new))
}

/// What must not be in a record.
struct Redaction<'a> {
    facts: &'a Facts,
}

impl Redaction<'_> {
    /// An address without credentials, without what may be some, and without a secret.
    fn address(&self, url: &str) -> String {
        let mut text = url.split(['?', '#']).next().unwrap_or_default().to_owned();
        if let Some((scheme, rest)) = text.split_once("://") {
            let end = rest.find('/').unwrap_or(rest.len());
            if let Some(at) = rest[..end].rfind('@') {
                text = format!("{scheme}://{}", &rest[at + 1..]);
            }
        }
        for secret in self.facts.secrets.values() {
            let secret = String::from_utf8_lossy(&secret.0).into_owned();
            for part in secret.lines().map(str::trim).filter(|part| part.len() >= SHORTEST_SECRET) {
                text = text.replace(part, "***");
            }
        }
        text
    }
}

/// Shorter texts are in every other address by chance.
const SHORTEST_SECRET: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_without_secrets() {
        let mut facts = Facts::default();
        facts.secrets.insert("key".to_owned(), plan::Secret(b"the-SECRET\n"[..].into()));
        let redaction = Redaction { facts: &facts };
        let check = |url: &str, expected: &str| assert_eq!(redaction.address(url), expected);
        check("https://example.org/a.tar", "https://example.org/a.tar");
        check("https://u:p-SECRET@example.org/a?token=x#y", "https://example.org/a");
        check("https://u:p@SECRET@example.org", "https://example.org");
        check("https://example.org/the-SECRET/a", "https://example.org/***/a");
        check("git@example.org:a/b", "git@example.org:a/b");
    }
}
