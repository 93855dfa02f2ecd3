//! What this machine's own apt is set up for: the sources of packages for an image that begins with
//! nothing, where its recipe names none.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use oci::ImagePath;

use crate::error::{self, Error};

/// Below the root: files with sources, and directories of them (sources.list(5)).
const SOURCES: &str = "etc/apt/sources.list";
const DIRECTORIES: [(&str, &[&str]); 2] =
    [("etc/apt/sources.list.d", &["list", "sources"]), ("etc/apt/trusted.gpg.d", &["gpg", "asc"])];

/// A file's path below the root, and its bytes.
type SourceFile = (ImagePath, Arc<[u8]>);

/// The files that say where packages come from, and those with the keys that they name, by their
/// paths below `root`. There are none on a machine without apt.
pub(super) fn read(root: &Path) -> Result<Vec<SourceFile>, Error> {
    let mut paths = BTreeSet::new();
    if root.join(SOURCES).is_file() {
        paths.insert(SOURCES.to_owned());
    }
    for (directory, endings) in DIRECTORIES {
        paths.extend(files_in(root, directory, endings)?);
    }
    let mut files = Vec::new();
    let mut keys = BTreeSet::new();
    for path in paths {
        let bytes = error::read(&root.join(&path))?;
        keys.extend(named_keys(&String::from_utf8_lossy(&bytes)));
        files.push((ImagePath::lexical(&path), Arc::from(bytes)));
    }
    for key in keys {
        // A key that is not there is apt's error, with the source that names it.
        if let Ok(bytes) = std::fs::read(root.join(&key)) {
            files.push((ImagePath::lexical(&key), Arc::from(bytes)));
        }
    }
    Ok(files)
}

fn files_in(root: &Path, directory: &str, endings: &[&str]) -> Result<Vec<String>, Error> {
    let whole = root.join(directory);
    if !whole.is_dir() {
        return Ok(Vec::new());
    }
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&whole).map_err(Error::reading(&whole))? {
        let entry = entry.map_err(Error::reading(&whole))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_wanted = name.rsplit_once('.').is_some_and(|(_, end)| endings.contains(&end));
        if is_wanted && entry.path().is_file() {
            names.push(format!("{directory}/{name}"));
        }
    }
    Ok(names)
}

/// The paths behind `Signed-By:` and `[signed-by=…]`, without the slash that they begin with.
fn named_keys(text: &str) -> Vec<String> {
    let mut keys = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let lower = line.to_ascii_lowercase();
        let Some(at) = lower.find("signed-by") else { continue };
        let value = line[at + "signed-by".len()..].trim_start_matches([':', '=', ' ']);
        let value = value.split([']', ' ']).next().unwrap_or_default();
        let paths = value.split(',').filter_map(|path| path.strip_prefix('/'));
        keys.extend(paths.map(str::to_owned));
    }
    keys
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn sources_and_their_keys_are_read() {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        assert_eq!(read(root.path()).unwrap(), []);
        write("etc/apt/sources.list", "deb [signed-by=/k/one.gpg,/k/none.gpg] http://a b c\n");
        write("etc/apt/sources.list.d/x.sources", "Types: deb\nSigned-By: /k/two.asc\n");
        write("etc/apt/sources.list.d/x.sources.save", "Signed-By: /k/three.asc\n");
        write("etc/apt/trusted.gpg.d/t.gpg", "key");
        for key in ["one.gpg", "two.asc", "three.asc"] {
            write(&format!("k/{key}"), key);
        }
        let found: Vec<String> =
            read(root.path()).unwrap().into_iter().map(|(path, _)| path.to_string()).collect();
        let expected = [
            "etc/apt/sources.list",
            "etc/apt/sources.list.d/x.sources",
            "etc/apt/trusted.gpg.d/t.gpg",
            "k/one.gpg",
            "k/two.asc",
        ];
        assert_eq!(found, expected);
    }
}
