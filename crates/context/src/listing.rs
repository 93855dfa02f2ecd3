//! What a context holds: paths in order, and where symbolic links among them lead.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use layer::Content;
use oci::ImagePath;

use crate::links::{Step, follow};
use crate::signature::Signature;
use crate::{LastComponent, LinkError};

/// Every path of a context that the filter let through, sorted.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    entries: Vec<Listed>,
}

/// One path of a context.
#[derive(Debug, Clone)]
pub struct Listed {
    /// Where in the context.
    pub path: ImagePath,
    /// Permission bits, already as [`portable_mode`](crate::portable_mode) has them.
    pub mode: u32,
    /// What.
    pub kind: Kind,
    /// Where a file's bytes are.
    pub(crate) origin: Origin,
}

/// What stands at a path of a context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File {
        /// How many bytes it has.
        size: u64,
        /// The other names of the same file, if the listing has any.
        link: Option<LinkGroup>,
        /// Its file capabilities (`security.capability`, see xattr(7)); other extended attributes
        /// differ from machine to machine and are not looked at.
        capability: Option<Box<[u8]>>,
    },
    /// A directory.
    Directory,
    /// A symbolic link and its target, as written.
    Symlink(Vec<u8>),
    /// What cannot be copied into a layer, but may lie around.
    Special(Special),
}

/// Files with the same group are one file with several names.
///
/// Numbered from 0 in the order of the listing, so equal listings have equal groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LinkGroup(pub u32);

/// What is neither file, directory nor link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Special {
    /// A Unix socket.
    Socket,
    /// A named pipe.
    Fifo,
    /// A character device.
    CharDevice,
    /// A block device.
    BlockDevice,
    /// A name in a tarball that means, in a layer, that another one is deleted.
    Whiteout,
}

/// Where the bytes of a listed file are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// It has none.
    Nothing,
    /// In a directory, at its path, as long as its inode says this.
    Inode(Signature),
    /// In a tarball, so far from its beginning; the content is known since it was read.
    Member { offset: u64, content: Content },
}

impl Listing {
    /// A listing of `entries`, which are sorted and have each path once.
    pub(crate) fn of(entries: Vec<Listed>) -> Self {
        debug_assert!(entries.is_sorted_by(|a, b| a.path < b.path));
        Listing { entries }
    }

    /// All paths, each directory directly before what it holds.
    pub fn iter(&self) -> std::slice::Iter<'_, Listed> {
        self.entries.iter()
    }

    /// How many paths there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether the filter left nothing.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// What stands at `path`. The root itself is not listed.
    pub fn get(&self, path: &ImagePath) -> Option<&Listed> {
        let index = self.entries.binary_search_by(|listed| listed.path.cmp(path)).ok()?;
        Some(&self.entries[index])
    }

    /// Everything below the directory `path`, without the directory itself.
    pub fn below(&self, path: &ImagePath) -> &[Listed] {
        let start = self.entries.partition_point(|listed| listed.path <= *path);
        let rest = &self.entries[start..];
        &rest[..rest.partition_point(|listed| listed.path.starts_with(path))]
    }

    /// The path that `path` leads to when symbolic links are followed inside the context.
    ///
    /// The context's root is `/`: an absolute target starts there, and `..` stops there. So no
    /// link leads out, and one that means to leads to what has that name inside, or to nothing.
    pub fn resolve(&self, path: &ImagePath, last: LastComponent) -> Result<ImagePath, LinkError> {
        follow(path, last, |path| Ok(self.get(path).map(Listed::step)))
    }
}

impl<'a> IntoIterator for &'a Listing {
    type Item = &'a Listed;
    type IntoIter = std::slice::Iter<'a, Listed>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl Listed {
    /// How many bytes a file has; 0 for what is not a file.
    pub fn size(&self) -> u64 {
        match self.kind {
            Kind::File { size, .. } => size,
            _ => 0,
        }
    }

    pub(crate) fn step(&self) -> Step {
        match &self.kind {
            Kind::Directory => Step::Directory,
            Kind::Symlink(target) => Step::Link(target.clone()),
            Kind::File { .. } | Kind::Special(_) => Step::Other,
        }
    }

    /// The extended attributes that a layer keeps, by name.
    pub fn xattrs(&self) -> BTreeMap<Vec<u8>, Vec<u8>> {
        let capability = match &self.kind {
            Kind::File { capability, .. } => capability.as_deref(),
            _ => None,
        };
        capability
            .map(|value| (CAPABILITY.as_bytes().to_vec(), value.to_vec()))
            .into_iter()
            .collect()
    }
}

/// The one extended attribute that a layer takes from a context.
pub(crate) const CAPABILITY: &str = "security.capability";

/// Numbers the files of `entries` that `identity` says are the same, in their order, and clears
/// the group of those whose other names are not listed.
pub(crate) fn number_links<I: std::hash::Hash + Eq>(
    entries: &mut [Listed],
    identity: impl Fn(&Listed) -> Option<I>,
) {
    let mut groups: HashMap<I, (u32, Option<LinkGroup>)> = HashMap::new();
    for entry in entries.iter() {
        if let Some(file) = identity(entry) {
            groups.entry(file).or_default().0 += 1;
        }
    }
    let mut next = 0;
    for entry in entries.iter_mut() {
        let group = identity(entry).and_then(|file| groups.get_mut(&file)).and_then(|group| {
            if group.0 > 1 && group.1.is_none() {
                group.1 = Some(LinkGroup(next));
                next += 1;
            }
            group.1
        });
        if let Kind::File { link, .. } = &mut entry.kind {
            *link = group;
        }
    }
}

impl fmt::Display for Special {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Special::Socket => "socket",
            Special::Fifo => "named pipe",
            Special::CharDevice => "character device",
            Special::BlockDevice => "block device",
            Special::Whiteout => "whiteout",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A listing from `path` (a file), `path/` (a directory) and `path -> target`, sorted.
    fn listing(lines: &[&str]) -> Listing {
        let entry = |line: &&str| {
            let (path, kind) = match line.split_once(" -> ") {
                Some((path, target)) => (path, Kind::Symlink(target.into())),
                None if line.ends_with('/') => (*line, Kind::Directory),
                None => (*line, Kind::File { size: 0, link: None, capability: None }),
            };
            Listed { path: ImagePath::lexical(path), mode: 0o644, kind, origin: Origin::Nothing }
        };
        let mut entries: Vec<Listed> = lines.iter().map(entry).collect();
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        Listing::of(entries)
    }

    #[test]
    fn links_stay_inside() {
        let listing = listing(&[
            "etc/",
            "etc/passwd",
            "app/",
            "app/main",
            "app/deep/",
            "app/up -> ../../../etc",
            "app/absolute -> /etc/passwd",
            "app/outside -> /root/.ssh",
            "current -> app/./deep/..",
            "a -> b",
            "b -> a",
        ]);
        let check = |path: &str, last: LastComponent| match listing
            .resolve(&ImagePath::lexical(path), last)
        {
            Ok(path) => format!("/{path}"),
            Err(error) => error.to_string(),
        };
        let follow = |path: &str| check(path, LastComponent::Follow);
        let keep = |path: &str| check(path, LastComponent::Keep);
        assert_eq!(follow(""), "/");
        assert_eq!(follow("app/main"), "/app/main");
        assert_eq!(follow("app/up/passwd"), "/etc/passwd");
        assert_eq!(follow("app/up"), "/etc");
        assert_eq!(keep("app/up"), "/app/up");
        assert_eq!(keep("app/up/passwd"), "/etc/passwd");
        assert_eq!(follow("app/absolute"), "/etc/passwd");
        assert_eq!(follow("current/main"), "/app/main");
        insta::assert_snapshot!(follow("app/outside"), @"find `app/outside` in the build context: a link leads to `root`, which is not in it");
        insta::assert_snapshot!(follow("app/nothing"), @"find `app/nothing` in the build context");
        insta::assert_snapshot!(follow("a"), @"follow `a` in the build context: too many symbolic links");
        insta::assert_snapshot!(follow("app/main/x"), @"find `app/main/x` in the build context: `app/main` is not a directory");
    }

    #[test]
    fn below_is_a_slice() {
        let listing = listing(&["a/", "a/b", "a/c/", "a/c/d", "a-b", "b"]);
        let below = |path: &str| -> Vec<String> {
            listing.below(&ImagePath::lexical(path)).iter().map(|l| l.path.to_string()).collect()
        };
        assert_eq!(below("a"), ["a/b", "a/c", "a/c/d"]);
        assert_eq!(below("a/c"), ["a/c/d"]);
        assert_eq!(below("").len(), 6);
        assert!(below("b").is_empty() && below("zzz").is_empty());
    }
}
