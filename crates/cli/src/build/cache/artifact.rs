//! What the registry keeps of a build beside its images: small OCI artifacts, each under a tag that
//! is made of its key.
//!
//! An artifact's document stands in its manifest (image-spec `descriptor.md`, "Embedded Content"),
//! so that one request brings it. An artifact of a step names the layers of the step, too: as long
//! as its tag is there, no garbage collection takes them.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use oci::{Descriptor, Digest, ImageConfig, ImageManifest, Manifest, MediaType, Platform, Tag};
use plan::{Packed, StepKey, StepRecord};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// What comes of a step.
const STEP: &str = "application/vnd.plywood.step.v1+json";
/// What a base image says of itself.
const BASE: &str = "application/vnd.plywood.base.v1+json";
/// Facts about layers, see [`super::bundle`].
const FACTS: &str = "application/vnd.plywood.facts.v1+zstd";

/// When it was last written (image-spec `annotations.md`).
const CREATED: &str = "org.opencontainers.image.created";
/// What it is of, for people.
const TITLE: &str = "org.opencontainers.image.title";
/// The most characters of a title.
const LONGEST_TITLE: usize = 120;
/// A record that is found at an age like this is written anew, so that a cleanup by age keeps what
/// is live.
const STALE: SignedDuration = SignedDuration::from_hours(14 * 24);

/// A larger document is kept nowhere: with it, a manifest would not be taken by every registry.
const MOST_EMBEDDED: usize = 2 << 20;
/// No step has more layers.
const MOST_LAYERS: usize = 512;

/// An artifact on its way out: its manifest, and the blobs that are its own.
pub(super) struct Artifact {
    pub(super) tag: Tag,
    pub(super) manifest: ImageManifest,
    pub(super) blobs: Vec<(Descriptor, Vec<u8>)>,
}

/// An artifact's document as it was found, and where the facts are that go with it.
pub(super) struct Found<D> {
    pub(super) document: D,
    pub(super) facts: Option<Descriptor>,
}

/// What an artifact says of itself beside its document.
pub(super) struct Label<'a> {
    /// What it is of; a line of it is taken.
    pub(super) title: &'a str,
    /// When it is written.
    pub(super) now: Timestamp,
}

/// What comes of a step, with the step's key: so a document under another's tag is seen to be that.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct StepDocument {
    key: StepKey,
    /// What the step does, if more can be learned from the last that did the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kind: Option<Digest>,
    pub(super) record: StepRecord,
}

/// A base image's own documents: index, manifest and config, as they are.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct BaseDocument {
    key: Digest,
    pub(super) documents: Vec<String>,
}

/// Why an artifact cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unusable {
    #[error("it is of another kind")]
    Kind,
    #[error("it is of something else")]
    Key,
    #[error("its document is damaged")]
    Document,
    #[error("it names a layer that it does not keep")]
    Layer,
    #[error("a layer is not what it says")]
    Bytes,
}

/// The tag that a step's artifact has.
pub(super) fn step_tag(key: &StepKey) -> Tag {
    tag("step", &key.0)
}

/// The tag that the last step of a kind has.
pub(super) fn last_tag(kind: &Digest) -> Tag {
    tag("last", kind)
}

/// The tag that a base's artifact has.
pub(super) fn base_tag(target: &Digest, platform: &Platform) -> Tag {
    tag("base", &base_key(target, platform))
}

fn base_key(target: &Digest, platform: &Platform) -> Digest {
    Digest::of(format!("{target} {platform}").as_bytes())
}

fn tag(kind: &str, key: &Digest) -> Tag {
    let text = format!("plywood-{kind}-{}", &key.hex()[..40]);
    text.parse().expect("letters, digits and dashes are a tag")
}

impl Artifact {
    /// What came of a step, with facts about its layers; nothing if that is too much to say.
    pub(super) fn of_step(
        key: StepKey,
        kind: Option<Digest>,
        record: StepRecord,
        facts: Option<Vec<u8>>,
        label: &Label<'_>,
    ) -> Option<Self> {
        let layers = record.layers.iter().filter_map(|layer| layer.packed.as_ref());
        let layers: Vec<Descriptor> = layers.map(|packed| packed.descriptor.clone()).collect();
        let document = oci::json::to_bytes(&StepDocument { key, kind, record });
        Self::new((step_tag(&key), STEP), document, layers, facts, label)
    }

    /// What a base image says of itself, with facts about its layers; nothing if that is too much.
    pub(super) fn of_base(
        target: &Digest,
        platform: &Platform,
        documents: Vec<String>,
        facts: Option<Vec<u8>>,
        label: &Label<'_>,
    ) -> Option<Self> {
        let key = base_key(target, platform);
        let document = oci::json::to_bytes(&BaseDocument { key, documents });
        Self::new((base_tag(target, platform), BASE), document, Vec::new(), facts, label)
    }

    fn new(
        (tag, kind): (Tag, &str),
        document: Vec<u8>,
        layers: Vec<Descriptor>,
        facts: Option<Vec<u8>>,
        label: &Label<'_>,
    ) -> Option<Self> {
        let kind = MediaType::from(kind);
        if document.len() > MOST_EMBEDDED {
            return None;
        }
        let mut described = Descriptor::of(kind.clone(), &document);
        described.data = Some(STANDARD.encode(&document));
        let mut all = vec![described.clone()];
        let mut blobs = vec![(described, document)];
        if let Some(facts) = facts {
            let described = Descriptor::of(MediaType::from(FACTS), &facts);
            all.push(described.clone());
            blobs.push((described, facts));
        }
        all.extend(layers);
        let manifest = ImageManifest::artifact(kind, all, label.annotations());
        blobs.push((manifest.config().clone(), b"{}".to_vec()));
        Some(Artifact { tag, manifest, blobs })
    }
}

impl Label<'_> {
    fn annotations(&self) -> BTreeMap<String, String> {
        let line = self.title.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        let title: String = line.trim().chars().take(LONGEST_TITLE).collect();
        let mut annotations = BTreeMap::from([(CREATED.to_owned(), written(self.now))]);
        if !title.is_empty() {
            annotations.insert(TITLE.to_owned(), title);
        }
        annotations
    }
}

/// A time as RFC 3339 has it (section 5.6).
fn written(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// When an artifact was last written, if it says so.
pub(super) fn created(manifest: &ImageManifest) -> Option<Timestamp> {
    manifest.annotations().get(CREATED)?.parse().ok()
}

/// What an artifact is of, if it says so.
pub(super) fn title(manifest: &ImageManifest) -> Option<&str> {
    manifest.annotations().get(TITLE).map(String::as_str)
}

/// Whether it is time to write an artifact anew. One from the future is of a clock that was wrong.
pub(super) fn is_stale(manifest: &ImageManifest, now: Timestamp) -> bool {
    created(manifest).is_none_or(|then| now.duration_since(then).abs() > STALE)
}

/// The same artifact, written now. `None` if it is not put together as ours are.
pub(super) fn renewed(manifest: &ImageManifest, now: Timestamp) -> Option<ImageManifest> {
    let mut annotations = manifest.annotations().clone();
    annotations.insert(CREATED.to_owned(), written(now));
    let kind = manifest.artifact_type()?.clone();
    let renewed = ImageManifest::artifact(kind, manifest.layers().to_vec(), annotations);
    (renewed.config().digest == manifest.config().digest).then_some(renewed)
}

/// The tag under which an artifact is found as the last of its kind, if it is of a step and says so.
pub(super) fn last_of(manifest: &ImageManifest) -> Option<Tag> {
    let (found, _) = read::<StepDocument>(&Manifest::Image(manifest.clone()), STEP).ok()?;
    Some(last_tag(&found.document.kind?))
}

/// Reads a step's artifact. Whoever wrote it may have written anything.
pub(super) fn read_step(
    manifest: &Manifest,
    key: &StepKey,
) -> Result<Found<StepDocument>, Unusable> {
    read_any_step(manifest, |document| document.key == *key)
}

/// Reads the last step's artifact of a kind.
pub(super) fn read_last(
    manifest: &Manifest,
    kind: &Digest,
) -> Result<Found<StepDocument>, Unusable> {
    read_any_step(manifest, |document| document.kind == Some(*kind))
}

fn read_any_step(
    manifest: &Manifest,
    is_meant: impl FnOnce(&StepDocument) -> bool,
) -> Result<Found<StepDocument>, Unusable> {
    let (found, kept) = read::<StepDocument>(manifest, STEP)?;
    if !is_meant(&found.document) {
        return Err(Unusable::Key);
    }
    if !is_plain(&found.document.record) {
        return Err(Unusable::Document);
    }
    let layers = &found.document.record.layers;
    let is_kept = |Packed { descriptor, .. }: &Packed| {
        descriptor.media_type.layer_compression().is_some()
            && !descriptor.media_type.is_foreign()
            && descriptor.urls.is_empty()
            && kept.contains(&descriptor)
    };
    match layers.iter().filter_map(|layer| layer.packed.as_ref()).all(is_kept) {
        true => Ok(found),
        false => Err(Unusable::Layer),
    }
}

/// Whether nothing in a record does anything to a terminal but break a line.
fn is_plain(record: &StepRecord) -> bool {
    let layers = record.layers.iter().flat_map(|layer| layer.packages.iter().chain([&layer.title]));
    let warnings = record.warnings.iter();
    let warnings = warnings.flat_map(|it| it.hint.iter().chain([&it.message]));
    let mut texts = layers.chain(warnings);
    texts.all(|text| !text.contains(|c: char| c.is_control() && !matches!(c, '\n' | '\t' | '\r')))
}

/// Reads a base's artifact.
pub(super) fn read_base(
    manifest: &Manifest,
    target: &Digest,
    platform: &Platform,
) -> Result<Found<BaseDocument>, Unusable> {
    let (found, _) = read::<BaseDocument>(manifest, BASE)?;
    match found.document.key == base_key(target, platform) {
        true => Ok(found),
        false => Err(Unusable::Key),
    }
}

/// What an artifact is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RecordKind {
    /// A step.
    Step,
    /// A base image.
    Base,
}

impl RecordKind {
    /// What a tag is of, by its beginning.
    pub(super) fn of_tag(tag: &str) -> Option<RecordKind> {
        let rest = tag.strip_prefix("plywood-")?;
        let is_of = |kind: &str| rest.strip_prefix(kind).is_some_and(|rest| rest.starts_with('-'));
        match (is_of("step") || is_of("last"), is_of("base")) {
            (true, _) => Some(RecordKind::Step),
            (_, true) => Some(RecordKind::Base),
            _ => None,
        }
    }

    /// Whether a manifest is of an artifact of this kind.
    pub(super) fn fits(self, manifest: &ImageManifest) -> bool {
        let kind = match self {
            RecordKind::Step => STEP,
            RecordKind::Base => BASE,
        };
        manifest.artifact_type().is_some_and(|found| found.as_str() == kind)
    }
}

/// What an artifact promises of blobs.
pub(super) struct Promises {
    /// Layers, and what they unpack to.
    pub(super) layers: Vec<Packed>,
    /// The bundle of facts.
    pub(super) facts: Option<Descriptor>,
}

/// Reads an artifact by its tag, for whoever knows no key.
pub(super) fn read_tagged(
    manifest: &Manifest,
    kind: RecordKind,
    under: &Tag,
) -> Result<Promises, Unusable> {
    match kind {
        RecordKind::Step => {
            let Found { document, facts } = read_any_step(manifest, |document| {
                let last = document.kind.map(|kind| last_tag(&kind));
                step_tag(&document.key) == *under || last.as_ref() == Some(under)
            })?;
            let layers = document.record.layers.into_iter().filter_map(|layer| layer.packed);
            Ok(Promises { layers: layers.collect(), facts })
        }
        RecordKind::Base => {
            let (Found { document, facts }, _) = read::<BaseDocument>(manifest, BASE)?;
            if tag("base", &document.key) != *under {
                return Err(Unusable::Key);
            }
            match is_chain(&document.documents) {
                true => Ok(Promises { layers: Vec::new(), facts }),
                false => Err(Unusable::Document),
            }
        }
    }
}

/// Whether each of a base's documents is named by the one before it, and the last is a config.
fn is_chain(documents: &[String]) -> bool {
    let names = |pair: &[String]| match Manifest::parse(pair[0].as_bytes().to_vec(), None) {
        Ok(Manifest::Image(image)) => image.config().digest == Digest::of(pair[1].as_bytes()),
        Ok(Manifest::Index(index)) => {
            let digest = Digest::of(pair[1].as_bytes());
            index.manifests().iter().any(|entry| entry.digest == digest)
        }
        Err(_) => false,
    };
    documents.len() > 1
        && documents.windows(2).all(names)
        && documents.last().is_some_and(|text| ImageConfig::parse(text.as_bytes()).is_ok())
}

fn read<'a, D: DeserializeOwned>(
    manifest: &'a Manifest,
    kind: &str,
) -> Result<(Found<D>, Vec<&'a Descriptor>), Unusable> {
    let Manifest::Image(manifest) = manifest else { return Err(Unusable::Kind) };
    let kind = MediaType::from(kind);
    let [described, rest @ ..] = manifest.layers() else { return Err(Unusable::Kind) };
    if manifest.artifact_type() != Some(&kind)
        || described.media_type != kind
        || rest.len() > MOST_LAYERS
    {
        return Err(Unusable::Kind);
    }
    let data = described.data.as_ref().ok_or(Unusable::Document)?;
    let bytes = STANDARD.decode(data).map_err(|_| Unusable::Document)?;
    if Digest::of(&bytes) != described.digest || bytes.len() as u64 != described.size {
        return Err(Unusable::Document);
    }
    let document = serde_json::from_slice(&bytes).map_err(|_| Unusable::Document)?;
    let facts = rest.iter().find(|descriptor| descriptor.media_type.as_str() == FACTS);
    Ok((Found { document, facts: facts.cloned() }, rest.iter().collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(day: u32) -> Timestamp {
        format!("2024-01-{day:02}T12:00:00Z").parse().unwrap()
    }

    /// A step's artifact, written on a day.
    fn artifact(title: &str, day: u32) -> Artifact {
        let record = StepRecord {
            layers: Vec::new(),
            reads: Vec::new(),
            packages: Default::default(),
            warnings: Vec::new(),
        };
        let label = Label { title, now: at(day) };
        let key = StepKey(Digest::of(b"key"));
        Artifact::of_step(key, None, record, Some(b"facts".to_vec()), &label).unwrap()
    }

    #[test]
    fn a_title_is_a_line() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(title(&artifact(text, 1).manifest), expected, "{text:?}");
        };
        check("COPY a b", Some("COPY a b"));
        check("\n  RUN <<EOF\nmkdir /a\nEOF\n", Some("RUN <<EOF"));
        check(" \n", None);
        check(&"ä".repeat(200), Some("ä".repeat(LONGEST_TITLE).as_str()));
    }

    #[test]
    fn a_record_is_renewed_when_it_is_old() {
        let manifest = artifact("COPY a b", 1).manifest;
        let check = |day: u32, expected: bool| assert_eq!(is_stale(&manifest, at(day)), expected);
        check(1, false);
        check(15, false);
        check(16, true);
        let renewed = renewed(&manifest, at(16)).unwrap();
        assert_eq!(created(&renewed), Some(at(16)));
        assert_eq!(
            renewed.bytes(),
            artifact("COPY a b", 16).manifest.bytes(),
            "nothing else moves"
        );
        let undated = ImageManifest::artifact(STEP.into(), Vec::new(), BTreeMap::new());
        assert!(is_stale(&undated, at(1)), "nobody knows how old it is");
        let image = ImageManifest::new(undated.config().clone(), Vec::new(), BTreeMap::new());
        assert_eq!(super::renewed(&image, at(1)), None, "it is no artifact");
    }

    #[test]
    fn tags_say_what_they_are_of() {
        let check = |tag: &str, expected| assert_eq!(RecordKind::of_tag(tag), expected, "{tag}");
        check("plywood-step-0123", Some(RecordKind::Step));
        check("plywood-base-0123", Some(RecordKind::Base));
        check("plywood-stepped", None);
        check("plywood-mine", None);
        check("1.0", None);
    }

    #[test]
    fn an_artifact_is_read_by_its_own_tag_only() {
        let Artifact { tag, manifest, .. } = artifact("COPY a b", 1);
        let manifest = Manifest::Image(manifest);
        let promises = read_tagged(&manifest, RecordKind::Step, &tag).unwrap();
        assert!(promises.layers.is_empty() && promises.facts.is_some());
        let other = step_tag(&StepKey(Digest::of(b"other")));
        let problem = |kind, tag| match read_tagged(&manifest, kind, tag) {
            Ok(_) => "none".to_owned(),
            Err(problem) => problem.to_string(),
        };
        assert_eq!(problem(RecordKind::Step, &other), "it is of something else");
        assert_eq!(problem(RecordKind::Base, &tag), "it is of another kind");
    }

    #[test]
    fn a_base_s_documents_name_each_other() {
        let config =
            r#"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}"#;
        let described = Descriptor::of(MediaType::OciConfig, config.as_bytes());
        let manifest = ImageManifest::new(described, Vec::new(), BTreeMap::new());
        let index = oci::ImageIndex::new(vec![manifest.descriptor()], BTreeMap::new());
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let chain = [text(index.bytes()), text(manifest.bytes()), config.to_owned()];
        let check = |documents: &[&String], expected: bool| {
            let documents: Vec<String> = documents.iter().map(|it| (*it).clone()).collect();
            assert_eq!(is_chain(&documents), expected, "{documents:?}");
        };
        let [index, manifest, config] = &chain;
        check(&[index, manifest, config], true);
        check(&[manifest, config], true);
        check(&[index, config], false);
        check(&[config], false);
        check(&[], false);
        check(&[index, manifest, &config.replace("amd64", "arm64")], false);
    }
}
