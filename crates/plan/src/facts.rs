//! What is known of the world, and what is still to be found out.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use context::Listing;
use layer::{Content, LayerIndex};
use oci::{Descriptor, DiffId, Digest, ImageConfig, ImagePath, Platform, Reference};
use python::{
    Installation, Interpreter, Member, Package, Resolution, ResolutionRequest, ScriptTemplate,
};

use crate::record::{Recall, StepKey, StepRecord};
use crate::{Holder, Source, WheelMember};

/// Everything that was read from outside to resolve a recipe.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// Base images by reference and platform.
    pub bases: BTreeMap<(Reference, Platform), BaseImage>,
    /// The files of each context.
    pub listings: BTreeMap<ContextName, Arc<Listing>>,
    /// The named contexts that are images, and the images they stand for.
    pub image_contexts: BTreeMap<String, Reference>,
    /// The named contexts that are directories or archives.
    pub file_contexts: BTreeSet<String>,
    /// The contents of files in contexts, as far as they were asked for.
    pub contents: BTreeMap<ContextName, HashMap<ImagePath, Content>>,
    /// Whether steps that are on record are taken from there.
    pub recall: Recall,
    /// What is on record of steps; `None` where there is nothing that still holds.
    pub steps: HashMap<StepKey, Option<Arc<StepRecord>>>,
    /// The entries of layers that exist.
    pub indexes: HashMap<DiffId, Arc<LayerIndex>>,
    /// The text of small files that had to be read, such as `/etc/passwd`.
    pub texts: HashMap<Digest, Arc<[u8]>>,
    /// What URLs gave.
    pub downloads: BTreeMap<String, Download>,
    /// The entries of archives that an `ADD` unpacks; `None` for a file that is no archive.
    pub archives: HashMap<Digest, Option<Arc<LayerIndex>>>,
    /// What was resolved, by the request's fingerprint.
    pub resolutions: HashMap<Digest, Arc<Resolution>>,
    /// What wheels become when they are installed.
    pub installations: HashMap<WheelKey, Arc<InstalledWheel>>,
    /// The files by which this machine's apt finds archives and their keys, for an image that begins
    /// with nothing; none if it has no apt.
    pub machine_sources: Option<Vec<(ImagePath, Arc<[u8]>)>>,
    /// What apt's sources gave, by address and expected digest; `None` for an address that has
    /// nothing.
    pub fetches: HashMap<FetchKey, Option<Content>>,
    /// What `Packages` files list, by their digest.
    pub package_indexes: HashMap<Digest, Arc<debian::PackageIndex>>,
    /// What is believed of files of archives whose bytes cannot be had any more, by their digests.
    pub vouched: HashMap<Digest, Vouched>,
    /// Debian packages, by the digest of their files.
    pub debs: HashMap<Digest, Arc<debian::Deb>>,
    /// What files are as ELF, by their digest; `None` for those that are none.
    pub elf: HashMap<Digest, Option<debian::native::elf::Elf>>,
    /// What was computed from facts. No plan depends on it.
    pub memory: debian::Memory,
    /// Secrets for `RUN --mount=type=secret`, by id. No plan depends on them.
    pub secrets: BTreeMap<String, Secret>,
    /// The variables of the environment, for requirements files that name them.
    pub environment: BTreeMap<String, String>,
    /// The time, in seconds since the epoch, by which signatures expire. No plan depends on it.
    pub now: i64,
    /// What becomes of what is found out. No plan depends on it.
    pub keeping: Keeping,
    /// When files of archives were taken that are kept to since, by their digests, in seconds since
    /// the epoch. They expire by that time.
    pub taken: HashMap<Digest, i64>,
    /// The day, as in `2026-01-31`, for warnings of what is past its time. No plan depends on it.
    pub today: Option<String>,
    /// The ignore file of the main context, by name, for saying why a file is not there.
    pub ignore: Option<(String, Arc<recipe::IgnorePatterns>)>,
}

impl Facts {
    /// The image that a `--build-context` puts in the place of `name`, however that is written:
    /// `alpine` and `docker.io/library/alpine:latest` are one.
    pub(crate) fn image_context(&self, name: &str) -> Option<&Reference> {
        let whole = |name: &str| name.parse::<Reference>().ok().map(Reference::or_latest);
        self.image_contexts.get(name).or_else(|| {
            let wanted = whole(name)?;
            let mut contexts = self.image_contexts.iter();
            contexts.find(|(known, _)| whole(known).as_ref() == Some(&wanted)).map(|(_, r)| r)
        })
    }
}

/// What becomes of what is found out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Keeping {
    /// The next build finds it out again, and it may be another thing then.
    #[default]
    Forgotten,
    /// A lock pins it.
    Pinned,
}

/// A file of an archive that somebody vouches for: it was verified when it was pinned, and is gone.
#[derive(Debug, Clone, Default)]
pub struct Vouched {
    /// What it says, abridged, if it announces other files.
    pub text: Option<Arc<[u8]>>,
    /// If it is a list of packages: the questions for which what is left of it is enough.
    pub questions: BTreeSet<Digest>,
}

/// A base image: its manifest's descriptor, config and layers, for one platform.
#[derive(Debug, Clone)]
pub struct BaseImage {
    /// The manifest of this platform.
    pub manifest: Descriptor,
    /// What the reference itself names: the index, if there is one.
    pub target: Descriptor,
    /// The config.
    pub config: ImageConfig,
    /// The layers' blobs, lowest first.
    pub layers: Vec<Descriptor>,
}

/// Which context: the one that the command line names last, a `--build-context`, or a checkout.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ContextName {
    /// The build's own.
    Main,
    /// `--build-context NAME=…`
    Named(String),
    /// A git repository that an `ADD` names.
    Git(GitSource),
}

/// A git repository at a reference, as an `ADD` names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GitSource {
    /// The repository's address, without fragment.
    pub url: String,
    /// The branch, tag or commit; the default branch if none is named.
    pub reference: Option<String>,
    /// The directory inside of the repository.
    pub directory: Option<String>,
    /// Whether `.git` is part of the tree.
    pub keep_git_dir: bool,
    /// What the commit's id must begin with.
    pub checksum: Option<String>,
}

/// What must not be said, and is in no layer.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub Arc<[u8]>);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// What a URL gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Download {
    /// The bytes, by name.
    pub content: Content,
}

/// A wheel for an interpreter.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WheelKey(Digest);

/// What a wheel becomes when it is installed.
#[derive(Debug, Clone)]
pub struct InstalledWheel {
    /// The wheel's bytes, by name.
    pub wheel: Digest,
    /// Its name.
    pub filename: Arc<str>,
    /// What it holds.
    pub members: Vec<Member>,
    /// What becomes of that.
    pub installation: Installation,
}

/// A file whose text is needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileReference {
    /// Its content.
    pub content: Content,
    /// Where the bytes can be had.
    pub source: Source,
}

/// A fact that planning lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Need {
    /// A base image's manifest and config.
    Base {
        /// Which.
        reference: Reference,
        /// For what.
        platform: Platform,
        /// The stage that may have been meant, if its name is close to the image's.
        stage: Option<String>,
        /// The place in the recipe that asks.
        span: recipe::Span,
    },
    /// A context's files.
    Listing(ContextName, recipe::Span),
    /// Digests of files in a context.
    Contents(ContextName, Vec<ImagePath>),
    /// What is on record of a step.
    Step {
        /// Which.
        key: StepKey,
        /// What it does, with whatever, if it asks for much: there may be something to learn from
        /// others that did the same.
        kind: Option<Digest>,
    },
    /// A step planned anew: what is on record of it does not do.
    Evaluation(StepKey),
    /// The entries of a layer that exists.
    LayerIndex {
        /// The layer.
        diff_id: DiffId,
        /// Its blob.
        descriptor: Descriptor,
        /// Who has it.
        holder: Holder,
    },
    /// A file's bytes.
    Text(FileReference),
    /// A URL's bytes.
    Download {
        /// The address.
        url: String,
        /// The address as it may be said, without secrets.
        shown: String,
        /// The digest that they must have.
        checksum: Option<Digest>,
        /// The place in the recipe that asks.
        span: recipe::Span,
    },
    /// Which wheels satisfy requirements.
    Resolution {
        /// What is asked.
        request: Box<ResolutionRequest>,
        /// The files that are given with it, and where their bytes can be had.
        given: Vec<FileReference>,
        /// The place in the recipe that asks.
        span: recipe::Span,
    },
    /// What wheels become.
    Wheels {
        /// Which.
        packages: Vec<Package>,
        /// The question that they are the answer to: for whom, and from where.
        request: Box<ResolutionRequest>,
        /// What the scripts of entry points look like.
        scripts: ScriptTemplate,
        /// The place in the recipe that asks.
        span: recipe::Span,
    },
    /// The entries of an archive, if the file is one.
    Archive(FileReference, recipe::Span),
    /// The files by which this machine's apt finds archives and their keys.
    MachineSources,
    /// What one of apt's sources gives.
    Fetch(Box<debian::Fetch>, recipe::Span),
    /// What a `Packages` file lists.
    PackageIndex {
        /// The list.
        file: FileReference,
        /// The list, for people.
        title: String,
        /// What is asked of it.
        question: Digest,
        /// Where it is needed.
        span: recipe::Span,
    },
    /// A Debian package.
    Deb {
        /// Which.
        deb: Box<debian::DebSource>,
        /// Where its bytes can be had, if it is a file of the image.
        source: Option<Source>,
        /// The place in the recipe that asks.
        span: recipe::Span,
    },
    /// What a file is as ELF.
    Elf(FileReference),
}

/// What was fetched: the address, and the digest that was expected, if one was.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FetchKey {
    url: String,
    sha256: Option<Digest>,
}

impl FetchKey {
    /// The key of what a fetch gives.
    pub fn of(fetch: &debian::Fetch) -> Self {
        FetchKey { url: fetch.url.clone(), sha256: fetch.sha256 }
    }
}

impl Need {
    /// Whether the same is needed, wherever in the recipe.
    fn is_like(&self, other: &Need) -> bool {
        match (self, other) {
            (
                Need::Base { reference, platform, .. },
                Need::Base { reference: other, platform: wanted, .. },
            ) => reference == other && platform == wanted,
            (Need::Listing(name, _), Need::Listing(other, _)) => name == other,
            (Need::Archive(file, _), Need::Archive(other, _)) => file == other,
            (
                Need::PackageIndex { file, question, .. },
                Need::PackageIndex { file: other, question: wanted, .. },
            ) => file == other && question == wanted,
            (Need::Fetch(fetch, _), Need::Fetch(other, _)) => fetch == other,
            (Need::Deb { deb, .. }, Need::Deb { deb: other, .. }) => deb == other,
            _ => self == other,
        }
    }
}

impl WheelKey {
    /// The key of a package's wheel, installed for `interpreter` with such `scripts`. Where its bytes
    /// come from is no matter if it is said which they are.
    pub fn of(package: &Package, interpreter: &Interpreter, scripts: ScriptTemplate) -> Self {
        let Package { name, version, wheel, requested, direct_url } = package;
        let bytes = match wheel.sha256 {
            Some(digest) => format!("{} {digest}", wheel.filename),
            None => format!("{wheel:?}"),
        };
        let package = format!("{name} {version} {bytes} {requested} {direct_url:?}");
        WheelKey(Digest::of(format!("{package}\n{interpreter:?}\n{scripts:?}").as_bytes()))
    }

    /// Its digest. That of another release may stand for something else.
    pub fn digest(&self) -> Digest {
        self.0
    }
}

impl InstalledWheel {
    /// A file of the wheel, by its position among [`members`](Self::members).
    ///
    /// # Panics
    /// If there are not so many.
    pub fn member(&self, at: usize) -> WheelMember {
        let member = self.members.get(at).expect("an installation is of the wheel's members");
        let (wheel, filename) = (self.wheel, Arc::clone(&self.filename));
        WheelMember { wheel, filename, member: member.clone() }
    }
}

/// Needs in the order in which they were found, each once.
#[derive(Debug, Default)]
pub(crate) struct Needs(Vec<Need>);

impl Needs {
    pub(crate) fn add(&mut self, need: Need) {
        if let Need::Contents(name, paths) = need {
            self.add_contents(name, paths);
        } else if !self.0.iter().any(|known| known.is_like(&need)) {
            self.0.push(need);
        }
    }

    fn add_contents(&mut self, name: ContextName, paths: Vec<ImagePath>) {
        for need in &mut self.0 {
            if let Need::Contents(known, list) = need
                && *known == name
            {
                list.extend(paths);
                list.sort_unstable();
                list.dedup();
                return;
            }
        }
        self.0.push(Need::Contents(name, paths));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn into_vec(self) -> Vec<Need> {
        self.0
    }
}

impl std::fmt::Display for ContextName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ContextName::Main => f.write_str("the build context"),
            ContextName::Named(name) => write!(f, "the build context `{name}`"),
            ContextName::Git(source) => f.write_str(&source.url),
        }
    }
}
