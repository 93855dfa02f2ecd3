//! What an archive offers: the contents of its `Packages` files.
//!
//! Debian's `main` alone lists 63,000 packages in 50 MB, so an index is one text, in which equal
//! strings stand once, and a row of positions for each package. That is also its form at rest, which
//! is checked and not parsed when it is loaded.

mod bytes;
mod read;

use oci::Digest;

use crate::relation::Field;

/// A `Packages` file, read. Packages are in the file's order.
#[derive(Debug, PartialEq, Eq)]
pub struct PackageIndex {
    /// What all spans lie in. Each of them is within it, and cuts no character.
    text: Box<str>,
    rows: Box<[Row]>,
    /// Positions of rows, by name and then by position.
    by_name: Box<[u32]>,
    /// The names that packages provide, by name and then by position.
    provided: Box<[Provided]>,
    is_abridged: bool,
}

/// What is wrong with a list of packages.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// It cannot be read.
    #[error("cannot read it: {0}")]
    Read(#[from] std::io::Error),
    /// A line of it.
    #[error("line {line} {problem}")]
    Line {
        /// The line, counted from 1.
        line: usize,
        /// What it is.
        problem: &'static str,
    },
    /// It is larger than any archive's.
    #[error("it has more than {limit} {what}")]
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// How many may be.
        limit: usize,
    },
    /// The form at rest is another version's, or was damaged.
    #[error("it was not written by this version, or was damaged: {0}")]
    Damaged(&'static str),
}

/// A piece of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Span {
    start: u32,
    length: u32,
}

impl Span {
    fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.start as usize + self.length as usize
    }
}

/// The strings of a row, by position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Name,
    Version,
    Architecture,
    Section,
    Priority,
    SourceName,
    SourceVersion,
    Filename,
    /// The first of those for [`Field`].
    Relations,
}

impl Column {
    /// The field that it holds as it stands there.
    fn field(self) -> &'static str {
        match self {
            Column::Name => "Package",
            Column::Version => "Version",
            Column::Architecture => "Architecture",
            Column::Section => "Section",
            Column::Priority => "Priority",
            Column::SourceName | Column::SourceVersion => "Source",
            Column::Filename => "Filename",
            Column::Relations => Field::ALL[0].name(),
        }
    }
}

const COLUMNS: usize = Column::Relations as usize + Field::ALL.len();

/// One package.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    spans: [Span; COLUMNS],
    size: Option<u64>,
    installed_size: Option<u64>,
    sha256: Option<[u8; 32]>,
    phase: Option<u8>,
    multi_arch: MultiArch,
    is_essential: bool,
    is_important: bool,
}

/// A name that a package provides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Provided {
    name: Span,
    row: u32,
}

/// How a package behaves beside others of other architectures (`Multi-Arch`; Debian Policy has no
/// clause for it yet, deb-control(5) does).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MultiArch {
    /// Only for its own architecture.
    #[default]
    No,
    /// Can be installed for several at once, in one version.
    Same,
    /// Serves packages of all architectures.
    Foreign,
    /// Serves all of them if they say `:any`.
    Allowed,
}

/// One package that an index offers.
#[derive(Debug, Clone, Copy)]
pub struct Offer<'a> {
    index: &'a PackageIndex,
    /// Its position in the index.
    pub at: usize,
}

impl PackageIndex {
    /// How many packages there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether it is what somebody kept of a list, and not all of that.
    pub fn is_abridged(&self) -> bool {
        self.is_abridged
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The package at a position.
    pub fn get(&self, at: usize) -> Option<Offer<'_>> {
        (at < self.rows.len()).then_some(Offer { index: self, at })
    }

    /// All packages, in the file's order. What is only mentioned is none of them.
    pub fn offers(&self) -> impl Iterator<Item = Offer<'_>> {
        let all = (0..self.rows.len()).map(|at| Offer { index: self, at });
        all.filter(|offer| !offer.version().is_empty())
    }

    /// The packages of a name, of any architecture and version.
    pub fn named<'a>(&'a self, name: &str) -> impl Iterator<Item = Offer<'a>> + use<'a> {
        let offer = |at: &u32| Offer { index: self, at: *at as usize };
        let start = self.by_name.partition_point(|at| offer(at).name() < name);
        let rest = &self.by_name[start..];
        let length = rest.partition_point(|at| offer(at).name() == name);
        rest[..length].iter().map(move |at| Offer { index: self, at: *at as usize })
    }

    /// All packages, by name.
    pub fn by_name(&self) -> impl Iterator<Item = Offer<'_>> {
        self.by_name.iter().map(|at| Offer { index: self, at: *at as usize })
    }

    /// The packages that provide a name; one that provides it in two versions comes twice.
    pub fn providing<'a>(&'a self, name: &str) -> impl Iterator<Item = Offer<'a>> + use<'a> {
        let start = self.provided.partition_point(|one| self.slice(one.name) < name);
        let rest = &self.provided[start..];
        let length = rest.partition_point(|one| self.slice(one.name) == name);
        rest[..length].iter().map(move |one| Offer { index: self, at: one.row as usize })
    }

    fn slice(&self, span: Span) -> &str {
        self.text.get(span.range()).unwrap_or_default()
    }
}

impl<'a> Offer<'a> {
    fn row(&self) -> &'a Row {
        &self.index.rows[self.at]
    }

    fn column(&self, column: Column) -> &'a str {
        self.index.slice(self.row().spans[column as usize])
    }

    /// `Package`.
    pub fn name(&self) -> &'a str {
        self.column(Column::Name)
    }

    /// `Version`.
    pub fn version(&self) -> &'a str {
        self.column(Column::Version)
    }

    /// `Architecture`.
    pub fn architecture(&self) -> &'a str {
        self.column(Column::Architecture)
    }

    /// `Multi-Arch`.
    pub fn multi_arch(&self) -> MultiArch {
        self.row().multi_arch
    }

    /// `Essential`.
    pub fn is_essential(&self) -> bool {
        self.row().is_essential
    }

    /// `Important`, or `Protected`: not to be removed, either.
    pub fn is_important(&self) -> bool {
        self.row().is_important
    }

    /// `Priority`: `required`, `important`, …; empty if there is none.
    pub fn priority(&self) -> &'a str {
        self.column(Column::Priority)
    }

    /// `Section`; empty if there is none.
    pub fn section(&self) -> &'a str {
        self.column(Column::Section)
    }

    /// The source that it was built from: `Source`, or its own name.
    pub fn source(&self) -> &'a str {
        self.column(Column::SourceName)
    }

    /// That source's version: the one in `Source`, or its own.
    pub fn source_version(&self) -> &'a str {
        self.column(Column::SourceVersion)
    }

    /// A relationship field as it stands there; empty if there is none.
    pub fn relations(&self, field: Field) -> &'a str {
        self.index.slice(self.row().spans[Column::Relations as usize + field as usize])
    }

    /// `Filename`: where its file is, relative to the archive's base; empty if there is none.
    pub fn filename(&self) -> &'a str {
        self.column(Column::Filename)
    }

    /// `Size`: how many bytes that file has.
    pub fn size(&self) -> Option<u64> {
        self.row().size
    }

    /// `SHA256` of that file.
    pub fn sha256(&self) -> Option<Digest> {
        self.row().sha256.map(Digest::from_sha256)
    }

    /// `Installed-Size`, in KiB.
    pub fn installed_size(&self) -> Option<u64> {
        self.row().installed_size
    }

    /// `Phased-Update-Percentage`.
    pub fn phase(&self) -> Option<u8> {
        self.row().phase
    }
}

impl MultiArch {
    /// What a field's value means; what is not known means nothing special, as for dpkg's readers.
    pub fn of(text: &str) -> MultiArch {
        match text.trim() {
            "same" => MultiArch::Same,
            "foreign" => MultiArch::Foreign,
            "allowed" => MultiArch::Allowed,
            _ => MultiArch::No,
        }
    }
}
