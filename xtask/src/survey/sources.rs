//! The list of Dockerfiles, and their texts, which are brought by whoever repeats the survey.

use std::fs;
use std::path::Path;

use oci::Digest;
use testbed::{Failure, Result};

/// A Dockerfile at a commit of a public repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The name of the file that holds its text.
    pub number: String,
    /// `owner/name`.
    pub repository: String,
    /// Where in the repository it is.
    pub path: String,
    /// The commit.
    pub commit: String,
    /// The text's SHA-256, in hexadecimal.
    pub sha256: String,
}

/// What is to be looked at, and what is not there.
#[derive(Debug, Default)]
pub struct Brought {
    /// Sources with their texts.
    pub texts: Vec<(Source, String)>,
    /// In words, each file that is missing or another.
    pub complaints: Vec<String>,
}

/// Reads the list: a line each, fields separated by tabs.
pub fn parse(list: &str) -> Result<Vec<Source>> {
    let sources = list.lines().enumerate().map(|(at, line)| {
        let fields: Vec<&str> = line.split('\t').collect();
        let [number, repository, path, commit, sha256] = fields[..] else {
            let what = format!("line {} of the list has {} fields, not 5", at + 1, fields.len());
            return Err(Failure::new(what));
        };
        Ok(Source {
            number: number.to_owned(),
            repository: repository.to_owned(),
            path: path.to_owned(),
            commit: commit.to_owned(),
            sha256: sha256.to_owned(),
        })
    });
    sources.collect()
}

/// Reads the texts from `directory`, where each has its number as its name.
pub fn read(sources: Vec<Source>, directory: &Path) -> Brought {
    let mut brought = Brought::default();
    for source in sources {
        let named = format!("{} ({} {})", source.number, source.repository, source.path);
        let complaint = match fs::read(directory.join(&source.number)) {
            Err(error) => format!("{named}: {error}"),
            Ok(bytes) if Digest::of(&bytes).hex() != source.sha256 => {
                format!("{named}: is not the file of the list, its SHA-256 differs")
            }
            Ok(bytes) => match String::from_utf8(bytes) {
                Ok(text) => {
                    brought.texts.push((source, text));
                    continue;
                }
                Err(_) => format!("{named}: is not UTF-8"),
            },
        };
        brought.complaints.push(complaint);
    }
    brought
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_are_missing_or_others_are_named() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("001"), "FROM scratch\n").unwrap();
        fs::write(directory.path().join("002"), "FROM another\n").unwrap();
        let sha256 = Digest::of(b"FROM scratch\n").hex();
        let line = |number: &str| format!("{number}\ta/b\tDockerfile\tc0ffee\t{sha256}\n");
        let list = ["001", "002", "003"].map(line).concat();
        let brought = read(parse(&list).unwrap(), directory.path());
        assert_eq!(brought.texts.len(), 1);
        assert_eq!(brought.texts[0].1, "FROM scratch\n");
        let [other, missing] = &brought.complaints[..] else { panic!("{brought:?}") };
        let expected = "002 (a/b Dockerfile): is not the file of the list, its SHA-256 differs";
        assert_eq!(other, expected);
        assert!(missing.starts_with("003 (a/b Dockerfile): "), "{missing}");
    }

    #[test]
    fn a_list_has_five_fields() {
        let error = parse("001\ta/b\n").unwrap_err();
        assert_eq!(error.to_string(), "line 1 of the list has 2 fields, not 5");
    }
}
