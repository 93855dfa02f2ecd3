//! A directory tree as a value that can be compared, and its differences in words.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use oci::Digest;

use crate::{Failure, Result};

/// Every path below a root, without a leading slash, and what is there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree(pub BTreeMap<String, Entry>);

/// One path of a tree. Times are no part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// File, directory, link or something else.
    pub kind: Kind,
    /// Permission bits with set-id and sticky bits; of a link always 0777.
    pub mode: u32,
    /// The user who owns it.
    pub uid: u32,
    /// The group that owns it.
    pub gid: u32,
    /// `security.capability`, if the file has it.
    pub capability: Option<Vec<u8>>,
}

/// What a path is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A file with this many bytes.
    File {
        /// Length in bytes.
        size: u64,
        /// Digest of the content.
        digest: Digest,
    },
    /// A directory.
    Directory,
    /// A symbolic link to this.
    Link(String),
    /// A device, pipe or socket.
    Special,
}

/// The files below `root`, relative and sorted, directories left out; none if it is not there.
///
/// # Panics
///
/// If an entry cannot be read.
pub fn files(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut pending = vec![root.to_owned()];
    while let Some(directory) = pending.pop() {
        for entry in fs::read_dir(&directory).into_iter().flatten() {
            let path = entry.expect("an entry can be read").path();
            if path.is_dir() {
                pending.push(path);
            } else {
                found.push(path.strip_prefix(root).expect("it is below").display().to_string());
            }
        }
    }
    found.sort();
    found
}

impl Tree {
    /// Reads everything below `root`, following no link.
    pub fn read(root: &Path) -> Result<Self> {
        let mut tree = Tree::default();
        read_below(root, "", &mut tree)?;
        Ok(tree)
    }

    /// What is at `path`.
    pub fn at(&self, path: &str) -> Option<&Entry> {
        self.0.get(path)
    }

    /// Each path where the trees differ, in words; `ours` and `theirs` name the two sides.
    pub fn differences(&self, other: &Tree, ours: &str, theirs: &str) -> BTreeMap<String, String> {
        let paths: BTreeSet<_> = self.0.keys().chain(other.0.keys()).collect();
        let mut differences = BTreeMap::new();
        for path in paths {
            let (mine, their) = (self.at(path), other.at(path));
            if mine != their {
                let side = |entry: Option<&Entry>| entry.map_or("nothing".into(), Entry::to_string);
                let words = format!("{ours} has {}, {theirs} has {}", side(mine), side(their));
                differences.insert(path.clone(), words);
            }
        }
        differences
    }
}

fn read_below(directory: &Path, prefix: &str, tree: &mut Tree) -> Result {
    let doing = format!("list {}", directory.display());
    for entry in fs::read_dir(directory).map_err(Failure::doing(&doing))? {
        let entry = entry.map_err(Failure::doing(&doing))?;
        let name = entry.file_name();
        let path = match prefix {
            "" => name.to_string_lossy().into_owned(),
            _ => format!("{prefix}/{}", name.to_string_lossy()),
        };
        let read = Entry::read(&entry.path())?;
        let is_directory = read.kind == Kind::Directory;
        tree.0.insert(path.clone(), read);
        if is_directory {
            read_below(&entry.path(), &path, tree)?;
        }
    }
    Ok(())
}

impl Entry {
    fn read(path: &Path) -> Result<Self> {
        let metadata = fs::symlink_metadata(path)
            .map_err(Failure::doing(format!("look at {}", path.display())))?;
        let kind = metadata.file_type();
        let kind = if kind.is_dir() {
            Kind::Directory
        } else if kind.is_symlink() {
            let target = fs::read_link(path)
                .map_err(Failure::doing(format!("read the link {}", path.display())))?;
            Kind::Link(target.to_string_lossy().into_owned())
        } else if kind.is_fifo()
            || kind.is_socket()
            || kind.is_char_device()
            || kind.is_block_device()
        {
            Kind::Special
        } else {
            let content =
                fs::read(path).map_err(Failure::doing(format!("read {}", path.display())))?;
            Kind::File { size: content.len() as u64, digest: Digest::of(&content) }
        };
        let mode = if matches!(kind, Kind::Link(_)) { 0o777 } else { metadata.mode() & 0o7777 };
        let (uid, gid) = (metadata.uid(), metadata.gid());
        Ok(Entry { kind, mode, uid, gid, capability: capability(path) })
    }
}

fn capability(path: &Path) -> Option<Vec<u8>> {
    let mut value = vec![0; 64];
    let length = rustix::fs::lgetxattr(path, "security.capability", &mut value).ok()?;
    value.truncate(length);
    Some(value)
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::File { size, digest } => {
                write!(f, "a file of {size} bytes ({})", &digest.hex()[..8])?
            }
            Kind::Directory => f.write_str("a directory")?,
            Kind::Link(target) => write!(f, "a link to {target}")?,
            Kind::Special => f.write_str("a special file")?,
        }
        write!(f, " {:04o} {}:{}", self.mode, self.uid, self.gid)?;
        if self.capability.is_some() {
            f.write_str(" with capabilities")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn differences_are_told_by_path() {
        let directory = tempfile::tempdir().unwrap();
        let (left, right) = (directory.path().join("l"), directory.path().join("r"));
        for side in [&left, &right] {
            fs::create_dir_all(side.join("d")).unwrap();
            fs::write(side.join("d/same"), "same").unwrap();
            fs::write(side.join("d/mode"), "m").unwrap();
            symlink("d/same", side.join("link")).unwrap();
        }
        fs::write(left.join("only"), "").unwrap();
        fs::set_permissions(right.join("d/mode"), fs::Permissions::from_mode(0o600)).unwrap();
        fs::set_permissions(left.join("d/mode"), fs::Permissions::from_mode(0o644)).unwrap();
        let (left, right) = (Tree::read(&left).unwrap(), Tree::read(&right).unwrap());
        assert_eq!(left.at("link").unwrap().kind, Kind::Link("d/same".into()));
        let differences = left.differences(&right, "left", "right");
        assert_eq!(differences.keys().collect::<Vec<_>>(), ["d/mode", "only"]);
        assert!(differences["only"].ends_with("right has nothing"), "{differences:?}");
        assert!(differences["d/mode"].contains(" 0644 "), "{differences:?}");
        assert!(differences["d/mode"].contains(" 0600 "), "{differences:?}");
    }
}
