//! A root directory as a value with everything in it that a layer can carry, times too.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use oci::Digest;
use serde_json::{Value, json};

use crate::{Failure, Result};

/// Every path below a root, without a leading slash, and what is there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// The paths.
    pub items: BTreeMap<String, Item>,
}

/// One path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// What is there.
    pub what: What,
    /// Permission bits with set-id and sticky bits; of a link always 0777.
    pub mode: u32,
    /// The user who owns it.
    pub uid: u32,
    /// The group that owns it.
    pub gid: u32,
    /// When it was last changed, in seconds since the epoch.
    pub mtime: i64,
    /// Extended attributes, their values in hexadecimal.
    pub attributes: BTreeMap<String, String>,
    /// The first of the file's names, where it has several.
    pub first_name: Option<String>,
}

/// What a path is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A file of this size and SHA-256.
    File(u64, String),
    /// A directory.
    Directory,
    /// A symbolic link to this.
    Link(String),
    /// A device: `c` or `b`, and its number.
    Device(char, u64),
    /// A named pipe.
    Fifo,
    /// A socket.
    Socket,
}

impl Listing {
    /// Reads everything below `root`, following no link.
    pub fn read(root: &Path) -> Result<Self> {
        let mut names = BTreeMap::new();
        let mut items = BTreeMap::new();
        let mut pending = vec![String::new()];
        while let Some(directory) = pending.pop() {
            for name in names_in(&root.join(&directory))? {
                let path = match directory.as_str() {
                    "" => name,
                    _ => format!("{directory}/{name}"),
                };
                let (item, inode) = Item::read(&root.join(&path))?;
                if item.what == What::Directory {
                    pending.push(path.clone());
                } else if let Some(inode) = inode {
                    names.entry(inode).or_insert_with(Vec::new).push(path.clone());
                }
                items.insert(path, item);
            }
        }
        for mut shared in names.into_values().filter(|names| names.len() > 1) {
            shared.sort();
            for path in &shared {
                if let Some(item) = items.get_mut(path) {
                    item.first_name = Some(shared[0].clone());
                }
            }
        }
        Ok(Listing { items })
    }

    /// What [`Listing::parse`] reads: a line of JSON for each path.
    pub fn to_text(&self) -> String {
        self.items.iter().map(|(path, item)| format!("{}\n", item.to_json(path))).collect()
    }

    /// Reads what [`Listing::to_text`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        let items = text.lines().map(|line| Item::parse(&serde_json::from_str(line).ok()?));
        Some(Listing { items: items.collect::<Option<_>>()? })
    }
}

fn names_in(directory: &Path) -> Result<Vec<String>> {
    let doing = format!("list {}", directory.display());
    let entries = fs::read_dir(directory).map_err(Failure::doing(&doing))?;
    entries
        .map(|entry| {
            let entry = entry.map_err(Failure::doing(&doing))?;
            // A name that is no text is shown by its bytes.
            let name = entry.file_name();
            let text = name.to_str().map(str::to_owned);
            Ok(text.unwrap_or_else(|| name.as_bytes().escape_ascii().to_string()))
        })
        .collect()
}

impl Item {
    /// What is at `path`, and which file it is.
    fn read(path: &Path) -> Result<(Self, Option<(u64, u64)>)> {
        let doing = || format!("read {}", path.display());
        let metadata = fs::symlink_metadata(path).map_err(Failure::doing(doing()))?;
        let kind = metadata.file_type();
        let what = if kind.is_dir() {
            What::Directory
        } else if kind.is_symlink() {
            let target = fs::read_link(path).map_err(Failure::doing(doing()))?;
            What::Link(target.to_string_lossy().into_owned())
        } else if kind.is_file() {
            let content = fs::read(path).map_err(Failure::doing(doing()))?;
            What::File(content.len() as u64, Digest::of(&content).hex().to_owned())
        } else if kind.is_fifo() {
            What::Fifo
        } else if kind.is_socket() {
            What::Socket
        } else {
            What::Device(if kind.is_block_device() { 'b' } else { 'c' }, metadata.rdev())
        };
        let mode = if kind.is_symlink() { 0o777 } else { metadata.mode() & 0o7777 };
        let item = Item {
            what,
            mode,
            uid: metadata.uid(),
            gid: metadata.gid(),
            mtime: metadata.mtime(),
            attributes: attributes(path),
            first_name: None,
        };
        Ok((item, (metadata.nlink() > 1).then(|| (metadata.dev(), metadata.ino()))))
    }

    fn to_json(&self, path: &str) -> Value {
        let what = match &self.what {
            What::File(size, digest) => json!(["file", size, digest]),
            What::Directory => json!(["directory"]),
            What::Link(target) => json!(["link", target]),
            What::Device(kind, number) => json!(["device", kind.to_string(), number]),
            What::Fifo => json!(["fifo"]),
            What::Socket => json!(["socket"]),
        };
        let Item { mode, uid, gid, mtime, attributes, first_name, .. } = self;
        json!([path, what, mode, uid, gid, mtime, attributes, first_name])
    }

    fn parse(line: &Value) -> Option<(String, Self)> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let number = |value: &Value| value.as_u64()?.try_into().ok();
        let what = &line[1];
        let what = match what[0].as_str()? {
            "file" => What::File(what[1].as_u64()?, text(&what[2])?),
            "directory" => What::Directory,
            "link" => What::Link(text(&what[1])?),
            "device" => What::Device(what[1].as_str()?.chars().next()?, what[2].as_u64()?),
            "fifo" => What::Fifo,
            _ => What::Socket,
        };
        let attributes = line[6].as_object()?.iter();
        let item = Item {
            what,
            mode: number(&line[2])?,
            uid: number(&line[3])?,
            gid: number(&line[4])?,
            mtime: line[5].as_i64()?,
            attributes: attributes
                .map(|(name, value)| Some((name.clone(), text(value)?)))
                .collect::<Option<_>>()?,
            first_name: text(&line[7]),
        };
        Some((text(&line[0])?, item))
    }
}

/// Extended attributes that a layer could carry; none where the file system has none.
fn attributes(path: &Path) -> BTreeMap<String, String> {
    let mut names = vec![0; 4096];
    let Ok(length) = rustix::fs::llistxattr(path, &mut names) else { return BTreeMap::new() };
    let mut found = BTreeMap::new();
    for name in names[..length].split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
        let mut value = vec![0; 4096];
        if let Ok(length) = rustix::fs::lgetxattr(path, name, &mut value) {
            let hex = value[..length].iter().map(|byte| format!("{byte:02x}")).collect();
            found.insert(String::from_utf8_lossy(name).into_owned(), hex);
        }
    }
    // umoci keeps its own notes there, where it is not root's.
    found.retain(|name, _| !name.starts_with("user.") && !name.starts_with("trusted.overlay."));
    found
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            What::File(size, digest) => write!(f, "a file of {size} bytes ({})", &digest[..8]),
            What::Directory => f.write_str("a directory"),
            What::Link(target) => write!(f, "a link to {target}"),
            What::Device(kind, number) => write!(f, "a device {kind} {number:#x}"),
            What::Fifo => f.write_str("a named pipe"),
            What::Socket => f.write_str("a socket"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_listing_is_read_back() {
        let directory = tempfile::tempdir().unwrap();
        let at = |path: &str| directory.path().join(path);
        fs::create_dir(at("d")).unwrap();
        fs::write(at("d/one"), "one").unwrap();
        fs::hard_link(at("d/one"), at("another")).unwrap();
        symlink("d/\tone\n", at("link")).unwrap();
        let listing = Listing::read(directory.path()).unwrap();
        assert_eq!(listing.items.keys().collect::<Vec<_>>(), ["another", "d", "d/one", "link"]);
        assert_eq!(listing.items["d/one"].first_name.as_deref(), Some("another"));
        assert_eq!(listing.items["link"].what, What::Link("d/\tone\n".into()));
        assert_eq!(Listing::parse(&listing.to_text()), Some(listing));
    }
}
