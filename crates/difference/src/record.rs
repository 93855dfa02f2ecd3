//! What went into a build for one platform, as it is kept beside the image.
//!
//! A record is canonical JSON: the same build is the same bytes. It holds no secret: the values of
//! build arguments are kept as marks, of which the value cannot be read, and what a `--secret` gives
//! is not in it at all.

use std::collections::{BTreeMap, BTreeSet};

use oci::{DiffId, Digest};
use serde::{Deserialize, Serialize};

use crate::files::{Files, Node};

/// The version of a record's form. A record of another is as good as none.
const FORMAT: u32 = 1;

/// So many files of a context, or of a layer, are recorded one by one; of more, directories are.
pub const MOST_FILES: usize = 4096;

/// So many files of a context that were not read are named.
const MOST_UNREAD: usize = 4 * MOST_FILES;

/// The longest text of an instruction that is kept whole, in characters.
const LONGEST_TEXT: usize = 200;

/// What in a path can stand for others: wildcards, variables, quotes, ways up.
const VAGUE: [char; 8] = ['*', '?', '[', '$', '\\', '"', '\'', '~'];

/// What went into a build for one platform.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BuildRecord {
    /// The form's version.
    format: u32,
    /// The version of plywood.
    pub plywood: String,
    /// The epoch of what decides layers' bytes.
    pub epoch: u32,
    /// What the image runs on.
    pub platform: String,
    /// The stage that was asked for, if one was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The time of new files, in seconds since the epoch.
    pub timestamp: i64,
    /// How new layers are compressed.
    pub compression: String,
    /// Labels of the command line.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Labels that say where the context comes from: its commit and repository.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub origin: BTreeMap<String, String>,
    /// Annotations that were asked for.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// The recipe's text.
    pub recipe: Option<Digest>,
    /// The ignore file of the main context.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ignore: Option<IgnoreFile>,
    /// The build arguments that were given.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub arguments: BTreeMap<String, Argument>,
    /// Images by reference, bases and those that are copied from.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub images: BTreeMap<String, Digest>,
    /// The files that were read of each context; the main one has no name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub contexts: BTreeMap<String, ContextFiles>,
    /// What URLs gave; addresses without credentials and queries.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub downloads: BTreeMap<String, Digest>,
    /// What apt's sources gave, all together; none if nothing was asked of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archives: Option<Digest>,
    /// The files of packages in the layers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub packages: Vec<PackageFile>,
    /// The recipe's arguments before the first stage.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub globals: Vec<Step>,
    /// The recipe's stages, in its order, built or not.
    pub stages: Vec<Stage>,
    /// The layers that are not the base's, lowest first.
    pub layers: Vec<LayerRecord>,
}

/// An ignore file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IgnoreFile {
    /// Its name.
    pub name: String,
    /// What it says.
    pub text: String,
}

/// A build argument that was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Argument {
    /// Tells values apart and does not tell them.
    pub mark: String,
    /// The value, where the recipe itself has it as the default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown: Option<String>,
}

/// The files that were read of a context.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContextFiles {
    /// Each by its path.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub entries: BTreeMap<String, ContextEntry>,
    /// Of more than [`MOST_FILES`], directories by their paths.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub folders: BTreeMap<String, Folder>,
    /// The files that are there and were not read: no instruction takes them.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub unread: BTreeSet<String>,
    /// Whether there are more of those than are named.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub has_more_unread: bool,
}

/// One path of a context.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContextEntry {
    /// Its permissions.
    pub mode: u32,
    /// What it is.
    pub node: Node,
}

/// The files in a directory, all together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Folder {
    /// How many there are.
    pub files: u64,
    /// The digest of their names, permissions and contents.
    pub digest: Digest,
}

/// A wheel or a Debian package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PackageFile {
    /// Its file's name.
    pub file: String,
    /// Its bytes.
    pub digest: Digest,
}

/// A stage of the recipe.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Stage {
    /// Its name, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it begins with, as written.
    pub from: String,
    /// The variables in that.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub uses: Vec<String>,
    /// The image that it begins with, if it was built and does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<StageBase>,
    /// Its instructions.
    pub steps: Vec<Step>,
}

/// The image that a stage begins with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StageBase {
    /// Its name.
    pub reference: String,
    /// What the name stood for.
    pub digest: Digest,
}

/// An instruction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// Its text, cut if it is long.
    pub text: String,
    /// The digest of its text: what the image's history has.
    pub line: Digest,
    /// The digest of its here-documents, if it has some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub documents: Option<Digest>,
    /// The variables whose values it can see.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub uses: Vec<String>,
    /// The variables or labels that it sets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub defines: Vec<String>,
    /// The stages and images that it takes files from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub from: Vec<String>,
    /// What it can take of a context: paths, patterns, and `.` for everything.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub takes: Vec<String>,
    /// Whether it sees what no record holds: secrets, an agent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_open: bool,
    /// The keys of the layers that it became.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub layers: Vec<Digest>,
}

/// A layer that was laid on the base.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LayerRecord {
    /// Names its content.
    pub key: Digest,
    /// Its tar.
    pub diff_id: DiffId,
    /// Its blob.
    pub digest: Digest,
    /// The instruction, for people.
    pub title: String,
    /// The packages in it: `NAME==VERSION` or `NAME=VERSION`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub packages: Vec<String>,
    /// What it holds, if it is a layer of files of a context and they are not many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<Files>,
}

impl BuildRecord {
    /// A record to be filled in.
    pub fn new(plywood: &str, epoch: u32) -> Self {
        BuildRecord { format: FORMAT, plywood: plywood.to_owned(), epoch, ..Self::default() }
    }

    /// Canonical JSON.
    pub fn to_bytes(&self) -> Vec<u8> {
        oci::json::to_bytes(self)
    }

    /// Reads what [`BuildRecord::to_bytes`] made; none if it is of another form.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let record: Self = serde_json::from_slice(bytes).ok()?;
        (record.format == FORMAT).then_some(record)
    }
}

impl BuildRecord {
    /// The number of the stage that was built.
    pub(crate) fn built(&self) -> Option<usize> {
        let last = self.stages.len().checked_sub(1)?;
        let Some(target) = &self.target else { return Some(last) };
        // Names of stages are in lower case.
        let wanted = Some(target.to_lowercase());
        let named = self.stages.iter().position(|stage| stage.name == wanted);
        named.or_else(|| target.parse().ok())
    }
}

impl Argument {
    /// A given value.
    ///
    /// Sixteen digits of a digest tell two values apart. Of what looks like a secret four are kept:
    /// whoever guesses at the value finds each 65536th guess confirmed.
    pub fn of(name: &str, value: &str, default: Option<&str>) -> Self {
        let digits = if recipe::looks_secret(name) { 4 } else { 16 };
        let mut mark = Digest::of(format!("{name}\0{value}").as_bytes()).hex();
        mark.truncate(digits);
        let shown = default.filter(|default| *default == value).map(str::to_owned);
        Argument { mark, shown }
    }
}

impl ContextFiles {
    /// These files; if there are many, their directories. The others are there and were not read.
    pub fn of(
        entries: BTreeMap<String, ContextEntry>,
        unread: impl IntoIterator<Item = String>,
    ) -> Self {
        let mut others = unread.into_iter();
        let unread = others.by_ref().take(MOST_UNREAD).collect();
        let has_more_unread = others.next().is_some();
        let files = ContextFiles { unread, has_more_unread, ..ContextFiles::default() };
        if entries.len() <= MOST_FILES {
            return ContextFiles { entries, ..files };
        }
        // Directories get fewer the less of their paths is looked at; at none there is one.
        let deepest = entries.keys().map(|path| path.matches('/').count()).max().unwrap_or(0);
        let mut depth = deepest.min(64);
        loop {
            let folders = folders(&entries, depth);
            if folders.len() <= MOST_FILES || depth == 0 {
                return ContextFiles { folders, ..files };
            }
            depth -= 1;
        }
    }
}

/// The directories of these paths, by the first `depth` parts of theirs.
fn folders(entries: &BTreeMap<String, ContextEntry>, depth: usize) -> BTreeMap<String, Folder> {
    let mut digesters: BTreeMap<&str, (u64, oci::Digester)> = BTreeMap::new();
    for (path, entry) in entries {
        let slashes = path.match_indices('/').map(|(at, _)| at).take(depth);
        let folder = &path[..slashes.last().unwrap_or(0)];
        let (files, digester) =
            digesters.entry(folder).or_insert_with(|| (0, oci::Digester::sha256()));
        *files += 1;
        digester.update(&oci::json::to_bytes(&(path, entry)));
    }
    let folder = |(path, (files, digester)): (&str, (u64, oci::Digester))| {
        (path.to_owned(), Folder { files, digest: digester.finish() })
    };
    digesters.into_iter().map(folder).collect()
}

impl Step {
    /// An instruction of this text, which sees and sets nothing.
    pub fn of(text: &str) -> Self {
        Step {
            text: shortened(text),
            line: Digest::of(text.as_bytes()),
            documents: None,
            uses: Vec::new(),
            defines: Vec::new(),
            from: Vec::new(),
            takes: Vec::new(),
            is_open: false,
            layers: Vec::new(),
        }
    }

    /// The keyword.
    pub(crate) fn verb(&self) -> &str {
        self.text.split_whitespace().next().unwrap_or_default()
    }

    /// Whether the keyword is one of these.
    pub(crate) fn is(&self, verbs: &[&str]) -> bool {
        verbs.iter().any(|verb| self.verb().eq_ignore_ascii_case(verb))
    }

    /// Whether it can take this path of a context.
    pub(crate) fn may_take(&self, path: &str) -> bool {
        self.takes.iter().any(|taken| {
            let taken = taken.trim_start_matches("./").trim_matches('/');
            let is_vague = taken.is_empty() || taken == "." || taken.contains(VAGUE);
            is_vague
                || path == taken
                || path.strip_prefix(taken).is_some_and(|rest| rest.starts_with('/'))
        })
    }

    /// Whether the other is the same instruction, whatever became of it.
    pub(crate) fn is_like(&self, other: &Step) -> bool {
        self.line == other.line && self.documents == other.documents
    }
}

/// A text of at most so many characters, in one line, with `…` where the rest was.
pub fn shortened(text: &str) -> String {
    let mut line: Vec<char> = text.chars().take(LONGEST_TEXT + 1).collect();
    if line.len() > LONGEST_TEXT {
        line.truncate(LONGEST_TEXT - 1);
        line.push('…');
    }
    line.into_iter().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
