//! `/var/lib/apt/extended_states`: which packages came because others wanted them (apt-mark(8)).

use std::collections::BTreeMap;

use bstr::ByteSlice;

use crate::control::{ControlError, Stanza};
use crate::dpkg::status::PackageId;

/// The packages that are automatically installed, with all that the file says of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::apt) struct ExtendedStates {
    /// In the file's order.
    stanzas: Vec<Stanza>,
}

impl ExtendedStates {
    /// Reads the file.
    ///
    /// # Errors
    /// What is no stanza.
    pub(in crate::apt) fn parse(text: &[u8]) -> Result<Self, ControlError> {
        Ok(ExtendedStates { stanzas: Stanza::parse_all(text)? })
    }

    /// Whether a package is there because another wanted it.
    pub(in crate::apt) fn is_automatic(&self, id: &PackageId) -> bool {
        self.position(id).is_some_and(|at| self.stanzas[at].text("Auto-Installed") == Some("1"))
    }

    /// All packages that are there because others wanted them.
    pub(in crate::apt) fn automatic(&self) -> impl Iterator<Item = PackageId> {
        let automatic =
            self.stanzas.iter().filter(|stanza| stanza.text("Auto-Installed") == Some("1"));
        automatic.filter_map(|stanza| {
            let name = stanza.text("Package")?.into();
            let architecture = stanza.text("Architecture").unwrap_or_default().into();
            Some(PackageId { name, architecture })
        })
    }

    /// Says so of packages, or its opposite. New ones come last, those of `order` as they stand there.
    pub(in crate::apt) fn mark(&mut self, marks: &BTreeMap<PackageId, Mark>, order: &[PackageId]) {
        let place = |id: &PackageId| order.iter().position(|known| known == id);
        let mut marks: Vec<(&PackageId, &Mark)> = marks.iter().collect();
        marks.sort_by_key(|(id, _)| place(id).unwrap_or(usize::MAX));
        for (id, mark) in marks {
            match (self.position(id), mark) {
                (Some(at), Mark::Automatic) => self.stanzas[at].set("Auto-Installed", "1"),
                (Some(at), Mark::Manual) => self.stanzas[at].set("Auto-Installed", "0"),
                (Some(at), Mark::Gone) => drop(self.stanzas.remove(at)),
                (None, Mark::Automatic) => {
                    let mut stanza = Stanza::default();
                    stanza.set("Package", &*id.name);
                    stanza.set("Architecture", &*id.architecture);
                    stanza.set("Auto-Installed", "1");
                    self.stanzas.push(stanza);
                }
                (None, Mark::Manual | Mark::Gone) => {}
            }
        }
        self.stanzas.retain(says_something);
    }

    /// The file's bytes.
    pub(in crate::apt) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for stanza in &self.stanzas {
            for (name, value) in stanza.fields() {
                for part in [name.as_bytes(), b": ", value.as_bytes(), b"\n"] {
                    bytes.extend_from_slice(part);
                }
            }
            bytes.push(b'\n');
        }
        bytes
    }

    fn position(&self, id: &PackageId) -> Option<usize> {
        self.stanzas.iter().position(|stanza| {
            stanza.text("Package") == Some(&*id.name)
                && stanza.text("Architecture") == Some(&*id.architecture)
        })
    }
}

/// What is said of a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::apt) enum Mark {
    /// Another wanted it.
    Automatic,
    /// Somebody asked for it.
    Manual,
    /// It is not there any more.
    Gone,
}

/// apt leaves out a package that is manual, which is what holds without the file, unless the file
/// says more of it than that.
fn says_something(stanza: &Stanza) -> bool {
    stanza.text("Auto-Installed") != Some("0") || stanza.fields().count() > 3
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(name: &str) -> PackageId {
        PackageId { name: name.into(), architecture: "amd64".into() }
    }

    #[test]
    fn marks_are_kept() {
        let text = b"Package: a\nArchitecture: amd64\nAuto-Installed: 1\n\n\
            Package: b\nArchitecture: amd64\nAuto-Installed: 1\n\n";
        let mut states = ExtendedStates::parse(text).unwrap();
        assert_eq!(states.to_bytes(), text);
        assert!(states.is_automatic(&id("a")) && !states.is_automatic(&id("c")));
        let marks = [
            (id("a"), Mark::Manual),
            (id("b"), Mark::Gone),
            (id("d"), Mark::Automatic),
            (id("f"), Mark::Automatic),
            (id("e"), Mark::Manual),
        ];
        states.mark(&marks.into(), &[id("f"), id("d")]);
        let after = "Package: f\nArchitecture: amd64\nAuto-Installed: 1\n\n\
            Package: d\nArchitecture: amd64\nAuto-Installed: 1\n\n";
        assert_eq!(states.to_bytes(), after.as_bytes());
    }
}
