//! The plan: pure data, printable and comparable.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use layer::LayerIndex;
use oci::{Descriptor, DiffId, Digest, History, ImageConfig, ImagePath, Platform, Reference};

use crate::record::{PackageFile, Read, RecalledLayer, StepKey, StepRecord, StepTrace};
use crate::{ContextName, LayerKey};

/// A place in the recipe's text.
pub type Span = recipe::Span;

/// What will be built for one platform.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What the image runs on.
    pub platform: Platform,
    /// The stages that the target needs, in the recipe's order; the target is the last.
    pub stages: Vec<PlannedStage>,
    /// Where the bytes of each file in a new layer can be had.
    pub sources: HashMap<Digest, Source>,
    /// What the recipe's author may not have meant.
    pub warnings: Vec<recipe::Diagnostic>,
}

/// One stage, resolved.
#[derive(Debug, Clone)]
pub struct PlannedStage {
    /// Its number in the recipe.
    pub number: usize,
    /// Its name, if it has one.
    pub name: Option<String>,
    /// The image that the stage begins with: its own base, or its parent stages'.
    pub base: Option<(Reference, Descriptor)>,
    /// The instructions.
    pub steps: Vec<PlannedStep>,
    /// All layers, lowest first.
    pub layers: Vec<PlannedLayer>,
    /// The config, without `rootfs` and `history`.
    pub config: ImageConfig,
    /// The history that goes with the layers.
    pub history: Vec<History>,
}

/// One instruction and what it becomes.
#[derive(Debug, Clone)]
pub struct PlannedStep {
    /// The instruction as written.
    pub text: String,
    /// Its place.
    pub span: Span,
    /// What it becomes.
    pub becomes: Becomes,
    /// What it asked of the world.
    pub reads: Vec<Read>,
    /// The packages that it installed.
    pub packages: BTreeSet<PackageFile>,
    /// Whether it takes files of this machine.
    pub is_local: bool,
    /// What there is to remember of it, if it was planned anew and may be remembered.
    pub trace: Option<StepTrace>,
}

/// What an instruction becomes.
#[derive(Debug, Clone)]
pub enum Becomes {
    /// A change of the config, or nothing at all.
    Metadata,
    /// Layers of files, one at least; more, if there is much in them.
    Files(Vec<Arc<LayerSpec>>),
    /// The same, of files of another stage or image, named.
    CopyFrom(String, Vec<Arc<LayerSpec>>),
    /// Layers of packages, in the order in which they are laid.
    Packages(Vec<Arc<LayerSpec>>),
    /// What a command line did, evaluated: the layers of packages that it installed, and one of all
    /// else that it changed; none if it changed nothing.
    Ran {
        /// The layers, lowest first.
        layers: Vec<Arc<LayerSpec>>,
        /// What it did.
        report: Arc<RunReport>,
    },
    /// What is on record of it: the same came to these layers before.
    Recalled(StepKey, Arc<StepRecord>),
    /// It cannot be assembled; it would have to be executed.
    NeedsExecution(Box<Execution>),
}

impl Becomes {
    /// Layers of files; if there are none, nothing.
    pub(crate) fn files(layers: Vec<Arc<LayerSpec>>) -> Self {
        match layers.is_empty() {
            true => Becomes::Metadata,
            false => Becomes::Files(layers),
        }
    }

    /// The layers that are planned anew, lowest first.
    pub fn layers(&self) -> &[Arc<LayerSpec>] {
        match self {
            Becomes::Files(layers)
            | Becomes::CopyFrom(_, layers)
            | Becomes::Packages(layers)
            | Becomes::Ran { layers, .. } => layers,
            Becomes::Metadata | Becomes::Recalled(..) | Becomes::NeedsExecution(_) => &[],
        }
    }
}

/// An instruction that would have to be executed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Execution {
    /// Why.
    pub why: Unassembled,
    /// What was understood before that.
    pub report: RunReport,
}

impl From<Unassembled> for Execution {
    fn from(why: Unassembled) -> Self {
        Execution { why, report: RunReport::default() }
    }
}

/// Why a command line would have to be executed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unassembled {
    /// Something in it is not understood.
    #[error("{0}")]
    Refused(shell::Refusal),
    /// It takes more than is allowed.
    #[error("{0}")]
    Limit(shell::Limit),
    /// An instruction before it needs execution.
    #[error("an instruction before it needs execution")]
    Earlier,
}

impl Unassembled {
    /// The package whose maintainer script is in the way, if it is one.
    pub fn package(&self) -> Option<&str> {
        let Unassembled::Refused(refusal) = self else { return None };
        refusal.within.as_deref()?.split('`').nth(1)
    }
}

/// What a command line did, for people.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunReport {
    /// The commands, in the order in which they came to an end.
    pub commands: Vec<RunCommand>,
    /// What they said, output and errors.
    pub said: String,
    /// What was fetched: addresses, and which bytes they gave.
    pub fetched: Vec<(String, Digest)>,
}

/// One command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunCommand {
    /// How many others it is inside of.
    pub depth: usize,
    /// Its words, quoted where a shell would need it.
    pub line: String,
    /// Its exit status.
    pub status: Option<u8>,
    /// What it changed, each path with a sign: `+` made, `~` changed, `-` removed.
    pub changes: Vec<String>,
    /// What its program says of itself: why it was passed over.
    pub remark: Option<String>,
}

/// A layer of the finished image.
#[derive(Debug, Clone)]
pub enum PlannedLayer {
    /// One of the base's, as it is.
    Base {
        /// Its blob.
        descriptor: Arc<Descriptor>,
        /// Its tar.
        diff_id: DiffId,
        /// The image it comes from.
        image: Reference,
    },
    /// One to be laid, or found in a cache.
    New(Arc<LayerSpec>),
    /// One that is on record, of the step with this key.
    Recalled(Box<RecalledLayer>, StepKey),
}

/// Who has a layer that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    /// The image that it is of.
    Image(Reference),
    /// Whoever built it before.
    Build,
}

impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Holder::Image(reference) => write!(f, "`{}`", reference.familiar()),
            Holder::Build => f.write_str("an earlier build"),
        }
    }
}

/// A layer to come: all its entries.
#[derive(Debug, Clone)]
pub struct LayerSpec {
    /// Names the layer's content before the layer exists.
    pub key: LayerKey,
    /// The entries, sorted by path.
    pub entries: Arc<LayerIndex>,
    /// The files whose content stays as it is compressed where it comes from.
    pub streams: BTreeMap<ImagePath, Stream>,
    /// The instruction that it comes from, for people.
    pub title: String,
    /// Which of what its instruction lays it has, if it has a part of it; the title says so, too.
    pub part: Option<String>,
    /// The packages in it, if it is a layer of those: `NAME==VERSION` for Python's, and
    /// `NAME=VERSION` for Debian's.
    pub packages: Vec<String>,
}

/// Where a file's bytes can be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Here.
    Inline(Arc<[u8]>),
    /// In a context.
    Context {
        /// Which.
        context: ContextName,
        /// Where in it.
        path: ImagePath,
    },
    /// In a layer that exists: of a base image, or on record.
    Layer {
        /// Which.
        diff_id: DiffId,
        /// Its blob.
        descriptor: Arc<Descriptor>,
        /// Who has it.
        holder: Holder,
        /// Where in it.
        path: ImagePath,
    },
    /// In an archive, whose own bytes are among the sources.
    Archive {
        /// The archive.
        archive: Digest,
        /// Where in it.
        path: ImagePath,
    },
    /// At a URL, already fetched.
    Download {
        /// The address.
        url: String,
    },
    /// In a wheel.
    Wheel(WheelMember),
    /// In a Debian package, whose files are in the store.
    Package {
        /// The package's file.
        package: Digest,
        /// The file, as the package names it.
        path: ImagePath,
    },
}

/// A file that comes deflated, and that a layer takes as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stream {
    /// Whoever made the wheel deflated it.
    Wheel(WheelMember),
    /// The store deflated it, and would again to the same bytes.
    Package {
        /// The package's file.
        package: Digest,
        /// The name of that, for people.
        filename: Arc<str>,
    },
}

impl Stream {
    /// The name of the wheel or package that it is of.
    pub fn filename(&self) -> &str {
        match self {
            Stream::Wheel(member) => &member.filename,
            Stream::Package { filename, .. } => filename,
        }
    }
}

/// A file in a wheel, whose own bytes are in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WheelMember {
    /// The wheel.
    pub wheel: Digest,
    /// The wheel's name, for people.
    pub filename: Arc<str>,
    /// The file.
    pub member: python::Member,
}

impl Plan {
    /// The stage that is built.
    pub fn target(&self) -> &PlannedStage {
        self.stages.last().expect("a plan has the stage that was asked for")
    }

    /// The first instruction that would have to be executed, in stage order, and why.
    pub fn needs_execution(&self) -> Option<(&PlannedStep, &Unassembled)> {
        let mut steps = self.stages.iter().flat_map(|stage| &stage.steps);
        steps.find_map(|step| match &step.becomes {
            Becomes::NeedsExecution(execution) => Some((step, &execution.why)),
            _ => None,
        })
    }
}

impl PlannedStage {
    /// The layers that are planned anew, lowest first.
    pub fn new_layers(&self) -> impl Iterator<Item = &Arc<LayerSpec>> {
        self.layers.iter().filter_map(|layer| match layer {
            PlannedLayer::New(spec) => Some(spec),
            PlannedLayer::Base { .. } | PlannedLayer::Recalled(..) => None,
        })
    }
}

impl LayerSpec {
    /// Bytes of file content in the layer.
    pub fn content_bytes(&self) -> u64 {
        let sizes = self.entries.entries().iter().filter_map(|entry| match &entry.node {
            layer::Node::File(content) => Some(content.size),
            _ => None,
        });
        sizes.sum()
    }
}
