//! What discovery may look at: a root file system, and the text of some of its files.
//!
//! Nothing here reads. A question whose answer needs a layer's entries or a file's bytes that are
//! not at hand is answered with a list of what is [`Missing`]; the caller finds that out and asks
//! again. Since each round may cost a pass over a layer, questions that do not depend on each
//! other are asked side by side, and everything that they lack comes back in one list.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use layer::{Content, Found, Node, NotLoaded, ResolveError, RootFs};
use oci::{Digest, ImagePath};

/// Whether discovery is likely to ask for a file, as far as its path tells: for whoever goes through
/// a layer anyway, and would have to do it again.
pub fn is_asked_for(path: &ImagePath) -> bool {
    let mut names = path.components().rev();
    let (name, above) = (names.next().unwrap_or_default(), names.next().unwrap_or_default());
    match name {
        b"METADATA" | b"RECORD" | b"INSTALLER" | b"entry_points.txt" => {
            above.ends_with(b".dist-info")
        }
        b"PKG-INFO" => above.ends_with(b".egg-info"),
        b"status" => above == b"dpkg",
        b"installed" => above == b"db",
        b"pyvenv.cfg" | b"patchlevel.h" | b"pip" | b"pip3" | b"pip.conf" => true,
        b"EXTERNALLY-MANAGED" => above.starts_with(b"python3."),
        name if name.starts_with(b"pip3.") => above == b"bin",
        // What a virtual environment is made of.
        b"__init__.py" => matches!(above, b"venv" | b"ensurepip"),
        b"Activate.ps1" | b"activate" | b"activate.csh" | b"activate.fish" => {
            matches!(above, b"common" | b"posix")
        }
        name => name.ends_with(b".egg-info") || name.starts_with(b"libc.so."),
    }
}

/// A root file system that may not be known to the last byte.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// The layers, some of which may not have been read yet.
    pub root: &'a RootFs,
    /// The bytes of files, as far as they were asked for.
    pub texts: &'a HashMap<Digest, Arc<[u8]>>,
}

/// What has to be found out before the question can be answered; then it is asked again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Missing {
    /// The entries of a layer.
    Layer(NotLoaded),
    /// The bytes of a file.
    Text {
        /// The layer that holds it, counted from the lowest.
        layer: usize,
        /// Where it is in that layer.
        path: ImagePath,
        /// Its content, of at most [`View::LARGEST_TEXT`] bytes.
        content: Content,
    },
}

impl From<NotLoaded> for Missing {
    fn from(missing: NotLoaded) -> Self {
        Missing::Layer(missing)
    }
}

/// An answer, or all that it lacks.
pub(crate) type Known<T> = Result<T, Vec<Missing>>;

/// Both answers, or all that they lack.
pub(crate) fn both<A, B>(first: Known<A>, second: Known<B>) -> Known<(A, B)> {
    match (first, second) {
        (Ok(first), Ok(second)) => Ok((first, second)),
        (Err(mut missing), Err(more)) => {
            missing.extend(more);
            Err(missing)
        }
        (Err(missing), Ok(_)) | (Ok(_), Err(missing)) => Err(missing),
    }
}

/// All answers, or all that they lack.
pub(crate) fn together<T>(answers: impl IntoIterator<Item = Known<T>>) -> Known<Vec<T>> {
    let (mut all, mut missing) = (Vec::new(), Vec::new());
    for answer in answers {
        match answer {
            Ok(answer) => all.push(answer),
            Err(more) => missing.extend(more),
        }
    }
    if missing.is_empty() { Ok(all) } else { Err(missing) }
}

/// A list in which nothing is asked for twice.
pub(crate) fn each_once(mut missing: Vec<Missing>) -> Vec<Missing> {
    let (mut layers, mut texts) = (HashSet::new(), HashSet::new());
    missing.retain(|missing| match missing {
        Missing::Layer(NotLoaded { layer }) => layers.insert(*layer),
        Missing::Text { content, .. } => texts.insert(content.digest),
    });
    missing
}

impl<'a> View<'a> {
    /// A file with more bytes than this is none whose text is asked for: no database, script or
    /// list of files that discovery reads is as large, and a hostile one costs nothing.
    pub const LARGEST_TEXT: u64 = 4 << 20;

    /// Asks for all layers at once. Any of them can hold another Python or another distribution,
    /// so all will be needed, and asking from the top down would take as many rounds.
    pub(crate) fn whole(self) -> Known<()> {
        let layers = self.root.layers().iter().enumerate();
        let missing: Vec<Missing> = layers
            .filter(|(_, index)| index.is_none())
            .map(|(layer, _)| Missing::Layer(NotLoaded { layer }))
            .collect();
        if missing.is_empty() { Ok(()) } else { Err(missing) }
    }

    /// What `path` leads to with all links followed, if anything, and its path without links.
    /// Links in a circle lead nowhere.
    pub(crate) fn follow(self, path: &ImagePath) -> Known<Option<(ImagePath, Found<'a>)>> {
        match self.root.resolve(path) {
            Ok(resolved) => Ok(resolved.found.map(|found| (resolved.path, found))),
            Err(ResolveError::NotLoaded(missing)) => Err(vec![missing.into()]),
            Err(ResolveError::Loop(_) | ResolveError::NotADirectory { .. }) => Ok(None),
        }
    }

    /// The file that `path` leads to, also by a hard link, and its path without symbolic links.
    pub(crate) fn file(self, path: &ImagePath) -> Known<Option<(ImagePath, File<'a>)>> {
        let Some((path, named)) = self.follow(path)? else { return Ok(None) };
        let behind = match self.root.behind_hardlink(named) {
            Ok(behind) => behind,
            Err(ResolveError::NotLoaded(missing)) => return Err(vec![missing.into()]),
            Err(ResolveError::Loop(_) | ResolveError::NotADirectory { .. }) => None,
        };
        let file = behind.and_then(|found| match found.entry.node {
            Node::File(content) => Some(File { found, content }),
            _ => None,
        });
        Ok(file.map(|file| (path, file)))
    }

    /// Whether `path` leads to a directory.
    pub(crate) fn is_directory(self, path: &ImagePath) -> Known<bool> {
        Ok(self.follow(path)?.is_some_and(|(_, found)| found.entry.node == Node::Directory))
    }

    /// What is in the directory that `path` leads to, by name; nothing if there is none.
    pub(crate) fn names(self, path: &ImagePath) -> Known<BTreeMap<Vec<u8>, Found<'a>>> {
        match self.follow(path)? {
            Some((path, _)) => self.root.read_dir(&path).map_err(|missing| vec![missing.into()]),
            None => Ok(BTreeMap::new()),
        }
    }

    /// The bytes of the file that `path` leads to; `None` if there is no file, or one that is too
    /// large.
    pub(crate) fn bytes(self, path: &ImagePath) -> Known<Option<&'a [u8]>> {
        let Some((_, file)) = self.file(path)? else { return Ok(None) };
        let File { found, content } = file;
        if content.size == 0 {
            return Ok(Some(&[]));
        }
        if content.size > Self::LARGEST_TEXT {
            return Ok(None);
        }
        let missing = || {
            let path = found.entry.path.clone();
            vec![Missing::Text { layer: found.layer, path, content }]
        };
        self.texts.get(&content.digest).map(|bytes| Some(&bytes[..])).ok_or_else(missing)
    }

    /// [`View::bytes`] as text; what is not UTF-8 in it becomes replacement characters.
    pub(crate) fn text(self, path: &ImagePath) -> Known<Option<String>> {
        Ok(self.bytes(path)?.map(|bytes| String::from_utf8_lossy(bytes).into_owned()))
    }
}

/// A regular file, all links followed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct File<'a> {
    /// Where it is.
    pub(crate) found: Found<'a>,
    /// What is in it.
    pub(crate) content: Content,
}

impl File<'_> {
    /// Whether somebody may execute it.
    pub(crate) fn is_executable(&self) -> bool {
        self.found.entry.attributes.mode & 0o111 != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_discovery_asks_for_is_known_by_its_path() {
        for (path, expected) in [
            ("usr/local/lib/python3.11/site-packages/pip-23.2.1.dist-info/METADATA", true),
            ("usr/lib/python3/dist-packages/six.egg-info/PKG-INFO", true),
            ("usr/lib/python3/dist-packages/wheel-0.38.egg-info", true),
            ("usr/local/include/python3.11/patchlevel.h", true),
            ("var/lib/dpkg/status", true),
            ("lib/apk/db/installed", true),
            ("usr/lib/x86_64-linux-gnu/libc.so.6", true),
            ("venv/pyvenv.cfg", true),
            ("usr/lib/python3.11/venv/__init__.py", true),
            ("usr/lib/python3.11/venv/scripts/posix/activate.csh", true),
            ("usr/lib/python3.11/site-packages/flask/__init__.py", false),
            ("venv/bin/activate", false),
            ("usr/local/bin/pip3.11", true),
            ("etc/pip.conf", true),
            ("usr/lib/python3.11/EXTERNALLY-MANAGED", true),
            ("etc/status", false),
            ("app/METADATA", false),
            ("usr/bin/python3.11", false),
            ("", false),
        ] {
            assert_eq!(is_asked_for(&ImagePath::lexical(path)), expected, "{path}");
        }
    }
}
