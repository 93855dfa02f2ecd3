//! Files of any bytes, such as no tool would make.

use std::fs;
use std::path::Path;

use oci::Digest;
use serde_json::{Value, json};

use crate::{Failure, Result};

/// A file of a house, and what an index says of it beside its digest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HouseFile {
    /// Its name.
    pub file: String,
    /// What is in it, be it a wheel or not.
    pub bytes: Vec<u8>,
    /// Metadata that the index has beside it (PEP 658).
    pub metadata: Option<String>,
    /// `Requires-Python`, if the index says so.
    pub requires_python: Option<String>,
}

impl HouseFile {
    /// `NAME==VERSION`, if the name is that of a wheel or of a source distribution.
    pub(super) fn pin(&self) -> Option<String> {
        let (project, rest) = self.halves()?;
        let version = rest.split('-').next()?.trim_end_matches(".tar.gz");
        Some(format!("{}=={version}\n", normalized(project)))
    }

    /// The project, and what is behind it.
    fn halves(&self) -> Option<(&str, &str)> {
        match self.file.ends_with(".whl") {
            true => self.file.split_once('-'),
            false => self.file.rsplit_once('-'),
        }
    }

    fn described(&self) -> Value {
        let project = self.halves().map(|(project, _)| normalized(project));
        json!({
            "file": self.file,
            "project": project,
            "sha256": Digest::of(&self.bytes).hex(),
            "size": self.bytes.len(),
            "metadata": self.metadata.as_ref().map(|text| Digest::of(text.as_bytes()).hex().to_owned()),
            "requires_python": self.requires_python,
        })
    }
}

/// PEP 503, "Normalized Names".
fn normalized(name: &str) -> String {
    let words = name.split(['-', '_', '.']).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-").to_lowercase()
}

/// Writes the files and what is said of them into `directory`.
pub(super) fn write(directory: &Path, files: &[HouseFile]) -> Result {
    let write = |name: &str, bytes: &[u8]| {
        fs::write(directory.join(name), bytes).map_err(Failure::doing(format!("write {name}")))
    };
    for file in files {
        write(&file.file, &file.bytes)?;
        if let Some(metadata) = &file.metadata {
            write(&format!("{}.metadata", file.file), metadata.as_bytes())?;
        }
    }
    let described: Vec<Value> = files.iter().map(HouseFile::described).collect();
    write("house.json", Value::from(described).to_string().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::House;

    #[test]
    fn files_are_offered_by_their_names() {
        let file = |name: &str| HouseFile { file: name.to_owned(), ..HouseFile::default() };
        let metadata = Some("Name: a\n".to_owned());
        let wheel = HouseFile { metadata, ..file("A_b-1.0-py3-none-any.whl") };
        let house = House::of_files(&[wheel, file("c-d-2.tar.gz")]).unwrap();
        let offers = house.offers().unwrap();
        let projects: Vec<&str> = offers.iter().map(|offer| offer.project.as_str()).collect();
        assert_eq!(projects, ["a-b", "c-d"]);
        assert_eq!(house.requirements(), "a-b==1.0\nc-d==2\n");
        let beside = fs::read(house.path().join("A_b-1.0-py3-none-any.whl.metadata")).unwrap();
        assert_eq!(offers[0].metadata, Some(Digest::of(&beside).hex().to_string()));
    }
}
