//! An image with little in it, to try programs that write large files.

use oci::ImagePath;
use shell::{Changed, ChangedNode, Data, Outcome, Stop};

use crate::fixture;

/// A root file system with merged `/usr` and nothing in it but dash.
pub(crate) struct Image(fixture::Image);

impl Image {
    pub(crate) fn new() -> Self {
        let mut image = Image(fixture::Image::empty());
        for directory in ["etc", "tmp", "usr", "usr/bin", "usr/lib", "usr/sbin"] {
            image.directory(directory);
        }
        for directory in ["bin", "lib", "sbin"] {
            image.link(directory, &format!("usr/{directory}"));
        }
        image.file("usr/bin/dash", "\x7fELF");
        image.link("usr/bin/sh", "dash");
        image
    }

    /// A directory of root's.
    pub(crate) fn directory(&mut self, path: &str) -> &mut Self {
        self.0.directory(path, 0o755);
        self
    }

    /// A file of root's, executable.
    pub(crate) fn file(&mut self, path: &str, text: impl AsRef<[u8]>) -> &mut Self {
        self.0.file(path, text, 0o755);
        self
    }

    /// A symbolic link.
    pub(crate) fn link(&mut self, path: &str, target: &str) -> &mut Self {
        self.0.link(path, target);
        self
    }

    /// Runs a command as root in `/`.
    pub(crate) fn run(&self, words: &[&str]) -> Result<Outcome, Stop> {
        self.0.run(words)
    }

    /// What came of it in words, with the sizes of files.
    pub(crate) fn show(&self, words: &[&str]) -> String {
        self.0.show_with(words, |Changed { path, attributes, node }| {
            let mode = attributes.mode;
            match node {
                ChangedNode::Gone => format!("- /{path}"),
                ChangedNode::File(data) => format!("+ /{path} {mode:o} {} bytes", data.size()),
                ChangedNode::Directory { .. } => format!("+ /{path}/ {mode:o}"),
                ChangedNode::Symlink(target) => {
                    format!("+ /{path} -> {}", String::from_utf8_lossy(target))
                }
                other => format!("+ /{path} {mode:o} {other:?}"),
            }
        })
    }

    /// The bytes of a file that a command has written.
    pub(crate) fn written(&self, words: &[&str], path: &str) -> Vec<u8> {
        let outcome = self.run(words).expect("it is evaluated");
        let data: Data = outcome.files.data(&ImagePath::lexical(path)).expect("it is there");
        self.0.text(&data)
    }
}
