//! A package as a list has it, whatever kind of list that is.

use crate::control::Stanza;
use crate::index::{MultiArch, Offer};
use crate::relation::Field;

use super::Priority;

/// Where a version is to be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Origin {
    /// The list, by its position in the catalog's.
    pub(crate) file: usize,
    /// The package's position in that.
    pub(crate) row: usize,
}

/// One package of a list.
#[derive(Clone, Copy)]
pub(super) enum Row<'a> {
    Offer(Offer<'a>),
    Stanza(&'a Stanza),
}

impl<'a> Row<'a> {
    fn text(self, name: &str) -> &'a str {
        match self {
            Row::Offer(_) => "",
            Row::Stanza(stanza) => stanza.text(name).unwrap_or_default(),
        }
    }

    pub(super) fn name(self) -> &'a str {
        match self {
            Row::Offer(offer) => offer.name(),
            Row::Stanza(_) => self.text("Package"),
        }
    }

    pub(super) fn version(self) -> &'a str {
        match self {
            Row::Offer(offer) => offer.version(),
            Row::Stanza(_) => self.text("Version"),
        }
    }

    pub(super) fn architecture(self) -> &'a str {
        let architecture = match self {
            Row::Offer(offer) => offer.architecture(),
            Row::Stanza(_) => self.text("Architecture"),
        };
        if architecture.is_empty() { "none" } else { architecture }
    }

    pub(super) fn section(self) -> &'a str {
        match self {
            Row::Offer(offer) => offer.section(),
            Row::Stanza(_) => self.text("Section"),
        }
    }

    pub(super) fn priority(self) -> Priority {
        let priority = match self {
            Row::Offer(offer) => offer.priority(),
            Row::Stanza(_) => self.text("Priority"),
        };
        match priority {
            "" => Priority::None,
            "required" => Priority::Required,
            "important" => Priority::Important,
            "standard" => Priority::Standard,
            "optional" => Priority::Optional,
            _ => Priority::Extra,
        }
    }

    /// The source's name and version.
    pub(super) fn source(self) -> (&'a str, &'a str) {
        if let Row::Offer(offer) = self {
            return (offer.source(), offer.source_version());
        }
        let (name, version) = match self.text("Source").split_once(' ') {
            Some((name, version)) => (name, version.trim().trim_matches(['(', ')'])),
            None => (self.text("Source"), ""),
        };
        let or = |text: &'a str, other| if text.is_empty() { other } else { text };
        (or(name, self.name()), or(version, self.version()))
    }

    pub(super) fn multi_arch(self) -> MultiArch {
        let is_for_all = self.architecture() == "all";
        let multi_arch = match self {
            Row::Offer(offer) => offer.multi_arch(),
            Row::Stanza(_) => MultiArch::of(self.text("Multi-Arch")),
        };
        // A package for all architectures is of one version anyway.
        if is_for_all && multi_arch == MultiArch::Same { MultiArch::No } else { multi_arch }
    }

    pub(super) fn is_essential(self) -> bool {
        match self {
            Row::Offer(offer) => offer.is_essential(),
            Row::Stanza(_) => self.text("Essential") == "yes",
        }
    }

    pub(super) fn is_important(self) -> bool {
        match self {
            Row::Offer(offer) => offer.is_important(),
            Row::Stanza(_) => self.text("Important") == "yes" || self.text("Protected") == "yes",
        }
    }

    pub(super) fn relations(self, field: Field) -> &'a str {
        match self {
            Row::Offer(offer) => offer.relations(field),
            Row::Stanza(_) => self.text(field.name()),
        }
    }

    pub(super) fn phase(self) -> u8 {
        let phase = match self {
            Row::Offer(offer) => offer.phase(),
            Row::Stanza(_) => self.text("Phased-Update-Percentage").parse().ok(),
        };
        phase.unwrap_or(100)
    }

    pub(super) fn size(self) -> u64 {
        match self {
            Row::Offer(offer) => offer.size().unwrap_or(0),
            Row::Stanza(_) => self.text("Size").parse().unwrap_or(0),
        }
    }

    /// In bytes.
    pub(super) fn installed_size(self) -> Option<u64> {
        match self {
            Row::Offer(offer) => offer.installed_size(),
            Row::Stanza(_) => self.text("Installed-Size").parse().ok(),
        }
    }

    /// Whether two lists speak of the very same build: what dpkg keeps of it is the same. dpkg writes
    /// relations in its own form, so blanks, `=` and epochs of zero do not count.
    pub(super) fn is_same_build(self, other: Row<'_>) -> bool {
        const FIELDS: [Field; 5] =
            [Field::Depends, Field::PreDepends, Field::Conflicts, Field::Breaks, Field::Replaces];
        self.installed_size() == other.installed_size()
            && FIELDS.iter().all(|field| {
                let (one, two) = (self.relations(*field), other.relations(*field));
                one == two || significant(one).eq(significant(two))
            })
    }
}

fn significant(text: &str) -> impl Iterator<Item = u8> + '_ {
    let bytes = text.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        while let Some(byte) = bytes.get(at) {
            at += 1;
            if *byte == b'0' && bytes.get(at) == Some(&b':') {
                at += 1;
            } else if !byte.is_ascii_whitespace() && *byte != b'=' {
                return Some(byte.to_ascii_lowercase());
            }
        }
        None
    })
}
