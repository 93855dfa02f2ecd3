//! A path inside an image, as opposed to one on this machine.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

/// A path inside an image: relative to its root, with no empty, `.` or `..` component.
///
/// Bytes, since Linux file names are bytes; shown with replacement characters where they are not
/// UTF-8. The root itself is the empty path. Ordering is by component, so that a directory comes
/// directly before what it holds.
///
/// ```
/// use oci::ImagePath;
/// let path = ImagePath::lexical("/usr/../etc//hosts");
/// assert_eq!(path.to_string(), "etc/hosts");
/// assert_eq!(path.parent().unwrap().to_string(), "etc");
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ImagePath(Arc<[u8]>);

/// Why bytes from an archive are not a path inside an image.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// A `..` component, which could leave the root.
    #[error("path `{0}` has a `..` in it")]
    Parent(String),
    /// A NUL byte.
    #[error("path `{0}` has a NUL byte in it")]
    Nul(String),
    /// Longer than Linux's PATH_MAX, 4096 bytes.
    #[error("a path of {0} bytes is longer than any system call takes (4096)")]
    TooLong(usize),
}

/// Linux's PATH_MAX.
const MAX_BYTES: usize = 4096;

impl ImagePath {
    /// The root directory.
    pub fn root() -> Self {
        ImagePath(Arc::from(&[][..]))
    }

    /// Reads a path as an archive states it: leading `/` and `./` are dropped, `..` is refused.
    pub fn from_archive(bytes: &[u8]) -> Result<Self, PathError> {
        let shown = || String::from_utf8_lossy(bytes).into_owned();
        if bytes.len() > MAX_BYTES {
            return Err(PathError::TooLong(bytes.len()));
        }
        if bytes.contains(&0) {
            return Err(PathError::Nul(shown()));
        }
        if bytes.split(|b| *b == b'/').any(|part| part == b"..") {
            return Err(PathError::Parent(shown()));
        }
        Ok(Self::lexical(bytes))
    }

    /// Cleans a path as a person wrote it: `.` vanishes, `..` takes back one component and stops
    /// at the root, as a path does that is resolved inside a `chroot`.
    pub fn lexical(path: impl AsRef<[u8]>) -> Self {
        let mut parts: Vec<&[u8]> = Vec::new();
        for part in path.as_ref().split(|b| *b == b'/') {
            match part {
                b"" | b"." => {}
                b".." => {
                    parts.pop();
                }
                part => parts.push(part),
            }
        }
        ImagePath(Arc::from(parts.join(&b'/')))
    }

    /// The path's bytes, with no leading or trailing slash.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The path as text, if it is UTF-8.
    pub fn to_str(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }

    /// Whether this is the root directory.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The components from the root down.
    pub fn components(&self) -> impl DoubleEndedIterator<Item = &[u8]> {
        self.0.split(|b| *b == b'/').filter(|part| !part.is_empty())
    }

    /// The last component, or `None` for the root.
    pub fn file_name(&self) -> Option<&[u8]> {
        self.components().next_back()
    }

    /// The directory that holds this path, or `None` for the root.
    pub fn parent(&self) -> Option<ImagePath> {
        if self.is_root() {
            return None;
        }
        let end = self.0.iter().rposition(|b| *b == b'/').unwrap_or(0);
        Some(ImagePath(Arc::from(&self.0[..end])))
    }

    /// The directories above this path, nearest first, without the root.
    pub fn ancestors(&self) -> impl Iterator<Item = ImagePath> {
        std::iter::successors(self.parent(), ImagePath::parent).take_while(|path| !path.is_root())
    }

    /// This path with `relative` resolved below it, `..` stopping at the image's root.
    pub fn join(&self, relative: impl AsRef<[u8]>) -> ImagePath {
        let relative = relative.as_ref();
        ImagePath::lexical([self.as_bytes(), relative].join(&b'/'))
    }

    /// What remains of this path below `base`: empty for `base` itself, `None` if it is not below.
    pub fn strip_prefix(&self, base: &ImagePath) -> Option<&[u8]> {
        if base.is_root() {
            return Some(&self.0);
        }
        match self.0.strip_prefix(base.as_bytes())? {
            b"" => Some(b""),
            [b'/', rest @ ..] => Some(rest),
            _ => None,
        }
    }

    /// Whether this is `base` or something below it.
    pub fn starts_with(&self, base: &ImagePath) -> bool {
        self.strip_prefix(base).is_some()
    }
}

impl PartialOrd for ImagePath {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ImagePath {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        // By component: a slash sorts before every other byte, so `a/b` comes before `a-b`.
        let rank = |b: &u8| if *b == b'/' { 0 } else { u16::from(*b) + 1 };
        // Most paths that are compared begin with the same directories.
        let (left, _) = self.0.as_chunks::<16>();
        let (right, _) = other.0.as_chunks::<16>();
        let same = 16 * left.iter().zip(right).take_while(|(left, right)| left == right).count();
        self.0[same..].iter().map(rank).cmp(other.0[same..].iter().map(rank))
    }
}

impl fmt::Display for ImagePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.0))
    }
}

impl fmt::Debug for ImagePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"/{self}\"")
    }
}

impl Borrow<[u8]> for ImagePath {
    fn borrow(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lexical_cleans() {
        let check = |text: &str, expected: &str| {
            assert_eq!(ImagePath::lexical(text).to_string(), expected, "{text}");
        };
        check("/", "");
        check("", "");
        check("./a//b/./c/", "a/b/c");
        check("../../a", "a");
        check("a/../../b", "b");
    }

    #[test]
    fn archives_may_not_climb() {
        assert_eq!(ImagePath::from_archive(b"./usr/bin/").unwrap().to_string(), "usr/bin");
        assert_eq!(
            ImagePath::from_archive(b"a/../../etc/passwd"),
            Err(PathError::Parent("a/../../etc/passwd".into()))
        );
        assert!(ImagePath::from_archive(b"a\0b").is_err());
        assert_eq!(ImagePath::from_archive(&[b'a'; 5000]), Err(PathError::TooLong(5000)));
    }

    #[test]
    fn a_directory_sorts_directly_before_what_it_holds() {
        let mut paths: Vec<ImagePath> =
            ["a-b", "a/b", "a", "a.b", "a/b/c", ""].map(ImagePath::lexical).into();
        paths.sort();
        let shown: Vec<String> = paths.iter().map(ImagePath::to_string).collect();
        assert_eq!(shown, ["", "a", "a/b", "a/b/c", "a-b", "a.b"]);
    }

    #[test]
    fn prefixes_end_at_components() {
        let path = ImagePath::lexical("usr/lib/x");
        assert_eq!(path.strip_prefix(&ImagePath::lexical("usr")), Some(&b"lib/x"[..]));
        assert!(!path.starts_with(&ImagePath::lexical("us")));
        assert!(path.starts_with(&ImagePath::root()));
        let above: Vec<String> = path.ancestors().map(|p| p.to_string()).collect();
        assert_eq!(above, ["usr/lib", "usr"]);
    }

    #[test]
    fn long_paths_have_the_same_order() {
        let stem = "usr/local/lib/python3.11/site-packages/name";
        let mut paths = Vec::new();
        for cut in 0..=stem.len() {
            for end in ["", "/a", "-a", "a", "/a/b"] {
                paths.push(ImagePath::lexical(format!("{}{end}", &stem[..cut])));
            }
        }
        let simple = |path: &ImagePath| -> Vec<u16> {
            path.0.iter().map(|b| if *b == b'/' { 0 } else { u16::from(*b) + 1 }).collect()
        };
        for left in &paths {
            for right in &paths {
                assert_eq!(left.cmp(right), simple(left).cmp(&simple(right)), "{left:?} {right:?}");
            }
        }
    }
}
