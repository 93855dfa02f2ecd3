//! Steps on record: an instruction that was planned before, and what came of it.
//!
//! A step's key says everything that its outcome depends on and that is known without looking into
//! a layer: what it does, with which words, variables and files of the context, and what lies below
//! it, by the names of the layers. So a step that is on record is not evaluated again, and nothing
//! of the layers below it has to be read. What an evaluation asked of the world beside that, such
//! as what an address gives, is on record as well: whoever hands a record out sees to it that the
//! world still says the same.

use std::collections::BTreeSet;
use std::sync::Arc;

use layer::Content;
use oci::{Descriptor, DiffId, Digest, Platform};
use python::Resolution;
use recipe::{Diagnostic, Severity, Span};
use serde::{Deserialize, Serialize};

use crate::error::{Step, Stop};
use crate::facts::Need;
use crate::key::Form;
use crate::outcome::{Becomes, PlannedStep};
use crate::stage::StagePlanner;
use crate::{ContextName, LayerKey};

/// Raised whenever the same step could come to other layers: another rule of evaluation. Another
/// release of plywood makes other keys anyway.
const STEP_EPOCH: u64 = 2;

/// Names what a step does, on what, before it is planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StepKey(pub Digest);

/// Whether steps that are on record are taken from there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Recall {
    /// Every step is planned.
    #[default]
    Never,
    /// A step is planned if it is not on record.
    WhereKnown,
}

/// What came of a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StepRecord {
    /// Its layers, lowest first.
    pub layers: Vec<RecalledLayer>,
    /// What it asked of the world.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reads: Vec<Read>,
    /// The packages that it installed.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub packages: BTreeSet<PackageFile>,
    /// What the recipe's author may not have meant.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<RecordedWarning>,
}

/// A wheel or a Debian package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PackageFile {
    /// The name of its file.
    pub filename: String,
    /// Its bytes.
    pub digest: Digest,
    /// What it is, if it is a Debian package.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub debian: Option<DebianPackage>,
}

/// A Debian package by name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DebianPackage {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its architecture.
    pub architecture: String,
    /// How many bytes its file has, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
}

/// A layer that is on record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecalledLayer {
    /// Its key.
    pub key: LayerKey,
    /// What it is once it is packed; `None` if it never was, because only other stages copy from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub packed: Option<Packed>,
    /// The instruction that it comes from, for people.
    pub title: String,
    /// The packages in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub packages: Vec<String>,
    /// Bytes of file content in it.
    pub size: u64,
}

/// A layer's blob and tar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Packed {
    /// The blob.
    pub descriptor: Descriptor,
    /// The digest of the tar.
    pub diff_id: DiffId,
}

/// A question to the world that can be answered otherwise tomorrow, and the answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Read {
    /// What a URL gave.
    Download {
        /// The address; one with a secret in it is never on record.
        url: String,
        /// What it gave.
        content: Content,
    },
    /// What one of apt's sources gave, where no digest was expected.
    Fetch {
        /// The address.
        url: String,
        /// What it is, for people.
        title: String,
        /// What it gave; `None` if there was nothing.
        content: Option<Content>,
    },
    /// A list of Debian packages, which never answers otherwise, and what was asked of it.
    List {
        /// Which.
        list: Digest,
        /// The name of the question.
        question: Digest,
    },
    /// Which wheels requirements come to.
    Resolution {
        /// What for.
        platform: Platform,
        /// The fingerprint of the question.
        request: Digest,
        /// The answer.
        resolution: Box<Resolution>,
    },
}

/// A warning, with its place counted from the beginning of the step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedWarning {
    /// Where it begins.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
    /// What may be wrong.
    pub message: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// What there is to remember of a step that was planned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepTrace {
    /// Its key.
    pub key: StepKey,
    /// What it does, with whatever, if it asks for much: whoever does the same elsewhere will ask for
    /// much the same.
    pub kind: Option<Digest>,
    /// What was to be said about it.
    pub warnings: Vec<RecordedWarning>,
}

/// The reads of the step that is planned.
#[derive(Debug, Default)]
pub(crate) struct Reads {
    pub(crate) list: Vec<Read>,
    pub(crate) packages: BTreeSet<PackageFile>,
    /// Whether it takes files of this machine.
    pub(crate) is_local: bool,
    /// Whether it read what no record may hold.
    is_private: bool,
}

impl Reads {
    pub(crate) fn note_wheel(&mut self, filename: &str, digest: Digest) {
        let filename = filename.to_owned();
        self.packages.insert(PackageFile { filename, digest, debian: None });
    }

    pub(crate) fn note_deb(&mut self, deb: &debian::Deb) {
        let field = |name| deb.control.text(name).unwrap_or_default().to_owned();
        let (name, version) = (field("Package"), field("Version"));
        let debian =
            DebianPackage { name, version, architecture: field("Architecture"), size: None };
        let (filename, digest) = (deb.filename.to_string(), deb.digest);
        self.packages.insert(PackageFile { filename, digest, debian: Some(debian) });
    }

    /// A file of a context was taken.
    pub(crate) fn note_file(&mut self, context: &ContextName) {
        self.is_local |= matches!(context, ContextName::Main | ContextName::Named(_));
    }

    pub(crate) fn note(&mut self, read: Read) {
        if !self.list.contains(&read) {
            self.list.push(read);
        }
    }

    /// An address with a name or a password in it is told to nobody.
    pub(crate) fn note_download(&mut self, url: &str, content: Content) {
        match has_login(url) {
            true => self.is_private = true,
            false => self.note(Read::Download { url: url.to_owned(), content }),
        }
    }

    /// What a digest was expected of is no news. What takes a login or a way of its own is not for
    /// everybody.
    pub(crate) fn note_fetch(&mut self, fetch: &debian::Fetch, content: Option<Content>) {
        if fetch.sha256.is_some() {
            return;
        }
        let is_plain = fetch.login.is_none() && fetch.proxy == debian::Proxy::Environment;
        match is_plain && !has_login(&fetch.url) {
            true => {
                let (url, title) = (fetch.url.clone(), fetch.title.clone());
                self.note(Read::Fetch { url, title, content });
            }
            false => self.is_private = true,
        }
    }
}

/// Whether an address has a user in it (RFC 3986, 3.2.1).
fn has_login(url: &str) -> bool {
    let authority = url.split_once("://").map_or("", |(_, rest)| rest);
    let authority = authority.split(['/', '?', '#']).next().unwrap_or_default();
    authority.contains('@')
}

impl PlannedStep {
    /// The record of a step that may be on record, once its layers exist; `packed` says what each
    /// is then.
    pub fn record(
        &self,
        packed: impl Fn(&LayerKey) -> Option<Packed>,
    ) -> Option<(StepKey, StepRecord)> {
        let StepTrace { key, warnings, .. } = self.trace.clone()?;
        let layers = self.becomes.layers().iter().map(|spec| RecalledLayer {
            key: spec.key,
            packed: packed(&spec.key),
            title: spec.title.clone(),
            packages: spec.packages.clone(),
            size: spec.content_bytes(),
        });
        let (reads, packages) = (self.reads.clone(), self.packages.clone());
        Some((key, StepRecord { layers: layers.collect(), reads, packages, warnings }))
    }
}

impl StepRecord {
    /// Says of each wheel what it hashes to, also where the index did not.
    pub fn say_digests(&mut self) {
        for read in &mut self.reads {
            let Read::Resolution { resolution, .. } = read else { continue };
            for package in &mut resolution.packages {
                let wheel = &mut package.wheel;
                let mut files = self.packages.iter();
                let known = files.find(|file| file.filename == wheel.filename);
                wheel.sha256 = wheel.sha256.or(known.map(|file| file.digest));
            }
        }
    }
}

impl RecordedWarning {
    /// A warning that the planning of a step led to, if its place is in the step.
    fn of(warning: &Diagnostic, step: &Span) -> Option<Self> {
        let place = |at: usize| at.checked_sub(step.start);
        let is_plain = warning.severity == Severity::Warning && warning.rule.is_none();
        let (start, end) = (place(warning.span.start)?, place(warning.span.end)?);
        let (message, hint) = (warning.message.clone(), warning.hint.clone());
        (is_plain && end <= step.len()).then_some(RecordedWarning { start, end, message, hint })
    }

    fn told(&self, step: &Span) -> Diagnostic {
        // A record of somebody else's may say anything.
        let place = |at: usize| step.start.saturating_add(at).min(step.end);
        Diagnostic {
            severity: Severity::Warning,
            rule: None,
            message: self.message.clone(),
            span: place(self.start)..place(self.end).max(place(self.start)),
            hint: self.hint.clone(),
        }
    }
}

impl StagePlanner<'_, '_> {
    /// What is on record of a step that `form` describes, or what `plan` makes of it. `span` is the
    /// step's place.
    pub(crate) fn recalled(
        &mut self,
        form: Form,
        span: &Span,
        plan: impl FnOnce(&mut Self) -> Step<Becomes>,
    ) -> Step<Becomes> {
        let kind = self.step_kind(&form);
        let Some(key) = self.step_key(form) else { return plan(self) };
        let facts = self.shared.facts;
        match facts.steps.get(&key) {
            None => {
                self.needs.add(Need::Step { key, kind });
                return Err(Stop::Needs);
            }
            Some(Some(record)) => {
                for layer in &record.layers {
                    self.state.tree.push_recalled(layer.clone(), key, facts);
                }
                let warnings = record.warnings.iter().map(|warning| warning.told(span));
                self.shared.warnings.extend(warnings);
                self.reads.list.clone_from(&record.reads);
                self.reads.packages.clone_from(&record.packages);
                return Ok(Becomes::Recalled(key, Arc::clone(record)));
            }
            Some(None) => {}
        }
        let told = self.shared.warnings.len();
        let becomes = plan(self)?;
        let warnings = self.shared.warnings[told..].iter();
        let warnings: Option<Vec<_>> =
            warnings.map(|warning| RecordedWarning::of(warning, span)).collect();
        let is_done = !matches!(becomes, Becomes::NeedsExecution(_));
        if let (Some(warnings), true) = (warnings, is_done && !self.reads.is_private) {
            self.trace = Some(StepTrace { key, kind, warnings });
        }
        Ok(becomes)
    }

    /// What a step does for this platform, whatever lies below it.
    fn step_kind(&self, form: &Form) -> Option<Digest> {
        let platform = &self.shared.request.platform;
        Some(Digest::of(format!("{} {platform}", form.kind()?).as_bytes()))
    }

    /// The key of a step here, if it is known what lies below it.
    fn step_key(&self, mut form: Form) -> Option<StepKey> {
        if self.shared.facts.recall == Recall::Never {
            return None;
        }
        let below = self.state.tree.identity()?;
        let request = self.shared.request;
        form.number(STEP_EPOCH);
        form.text(env!("CARGO_PKG_VERSION").as_bytes());
        form.text(request.platform.to_string().as_bytes());
        form.number(request.timestamp.cast_unsigned());
        form.packing(request.packing);
        form.number(self.layers_to_come as u64);
        form.number(self.max_layers.unwrap_or(0) as u64);
        form.digests(&below);
        Some(StepKey(form.finish()))
    }
}
