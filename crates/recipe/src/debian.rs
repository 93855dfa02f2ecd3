//! What is asked of Debian: the packages of an image, unresolved.

use crate::{Span, Spanned};

/// Debian packages to install, as `[debian]` has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DebianPackages {
    /// Packages, as apt-get takes them: `curl`, `libpq5=15.*`, `git/bookworm-backports`.
    pub packages: Vec<Spanned<String>>,
    /// What an image that begins with nothing has beside them.
    pub variant: DebianVariant,
    /// Whether what packages recommend is installed, too.
    pub recommends: bool,
    /// The archives, if not those of the image.
    pub sources: Option<DebianSources>,
    /// Files of the context with settings for apt's choice (apt_preferences(5)).
    pub preferences: Vec<Spanned<String>>,
    /// Packages whose maintainer scripts are not evaluated.
    pub skipped_scripts: Vec<Spanned<String>>,
    /// The most layers that the image may have.
    pub max_layers: Option<Spanned<usize>>,
    /// The table.
    pub span: Span,
}

/// What an image that begins with nothing has beside the packages that are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DebianVariant {
    /// What they need.
    Custom,
    /// What Debian calls essential, and what that needs.
    Essential,
    /// The same, and apt: what debootstrap's `minbase` is.
    Minbase,
}

/// Archives of one suite or of several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DebianSources {
    /// Their addresses.
    pub uris: Vec<Spanned<String>>,
    /// Their suites: `bookworm`.
    pub suites: Vec<Spanned<String>>,
    /// Their components: `main`.
    pub components: Vec<Spanned<String>>,
    /// Files of the context with the keys that sign them.
    pub keys: Vec<Spanned<String>>,
    /// The day of which a snapshot is taken: a date, or a time with an offset.
    pub snapshot: Option<Spanned<String>>,
}
