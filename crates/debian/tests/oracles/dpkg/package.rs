//! Small packages, built by dpkg-deb, and read again for the evaluation.

use std::collections::HashMap;
use std::fs;
use std::io::Read;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::Path;
use std::sync::Arc;

use bstr::{BString, ByteSlice};
use debian::Stanza;
use debian::deb::{ControlFile, Deb, Member, MemberNode};
use layer::{Attributes, Content};
use md5::{Digest as _, Md5};
use oci::Digest;
use testbed::{program, stdout};

/// A package to be.
#[derive(Debug, Clone)]
pub(crate) struct Package {
    pub(crate) file: String,
    control: String,
    files: Vec<(String, Node)>,
}

#[derive(Debug, Clone)]
enum Node {
    File(String, u32),
    Directory(u32),
    Link(String),
    Hardlink(String),
    Owner(u32, u32),
}

/// A package for the evaluation, and the bytes of its files.
pub(crate) type Built = (Vec<u8>, Arc<Deb>, Vec<Vec<u8>>);

/// A package in a file of this name, with these fields beside those that all have.
pub(crate) fn package(file: &str, name: &str, version: &str, fields: &str) -> Package {
    let architecture = if fields.contains("Architecture:") { "" } else { "Architecture: amd64\n" };
    let fields: String = fields.lines().map(|line| format!("{}\n", line.trim_start())).collect();
    let control = format!(
        "Package: {name}\nVersion: {version}\n{architecture}\
        Maintainer: Nobody <nobody@example.org>\n{fields}Description: {name} \n in long\n"
    );
    Package { file: file.to_owned(), control, files: Vec::new() }
}

impl Package {
    fn with(mut self, path: &str, node: Node) -> Self {
        self.files.push((path.to_owned(), node));
        self
    }

    pub(crate) fn file(self, path: &str, text: &str) -> Self {
        self.with(path, Node::File(text.to_owned(), 0o644))
    }

    pub(crate) fn mode(self, path: &str, mode: u32, text: &str) -> Self {
        self.with(path, Node::File(text.to_owned(), mode))
    }

    pub(crate) fn directory(self, path: &str, mode: u32) -> Self {
        self.with(path, Node::Directory(mode))
    }

    pub(crate) fn link(self, path: &str, target: &str) -> Self {
        self.with(path, Node::Link(target.to_owned()))
    }

    pub(crate) fn hardlink(self, path: &str, other: &str) -> Self {
        self.with(path, Node::Hardlink(other.to_owned()))
    }

    pub(crate) fn owner(self, path: &str, uid: u32, gid: u32) -> Self {
        self.with(path, Node::Owner(uid, gid))
    }

    pub(crate) fn conffile(self, path: &str, text: &str) -> Self {
        let line = format!("/{path}\n");
        let mut own = self.file(path, text);
        let known = own.files.iter_mut().find(|(path, _)| path == "DEBIAN/conffiles");
        match known {
            Some((_, Node::File(lines, _))) => lines.push_str(&line),
            _ => own = own.file("DEBIAN/conffiles", &line),
        }
        own
    }

    pub(crate) fn control(self, name: &str, text: &str) -> Self {
        self.file(&format!("DEBIAN/{name}"), text)
    }

    /// A script that says with what it is called, and does more.
    pub(crate) fn script(self, name: &str, more: &str) -> Self {
        let text = format!(
            "#!/bin/sh\nset -e\necho \"  $DPKG_MAINTSCRIPT_NAME of $DPKG_MAINTSCRIPT_PACKAGE: $*\"\n\
            {more}\n"
        );
        self.with(&format!("DEBIAN/{name}"), Node::File(text, 0o755))
    }

    /// With all four scripts, which only say how they are called.
    pub(crate) fn scripts(self) -> Self {
        ["preinst", "postinst", "prerm", "postrm"]
            .iter()
            .fold(self, |own, name| own.script(name, ""))
    }

    /// Builds it.
    pub(crate) fn build(&self, work: &Path) -> Built {
        let tree = work.join("tree");
        fs::create_dir_all(tree.join("DEBIAN")).unwrap();
        fs::write(tree.join("DEBIAN/control"), &self.control).unwrap();
        for (path, node) in &self.files {
            write(&tree, path, node);
        }
        let touch = ["-exec", "touch", "-h", "-d", "@1600000000", "{}", "+"];
        testbed::run(program("find").arg(&tree).args(touch)).unwrap();
        let deb = work.join(&self.file);
        let mut build = program("dpkg-deb");
        build.args(["-Znone", "--build"]).arg(&tree).arg(&deb);
        stdout(&mut build).unwrap();
        let bytes = fs::read(&deb).unwrap();
        let (read, contents) = read(&deb, &bytes, &self.file);
        fs::remove_dir_all(&tree).unwrap();
        (bytes, Arc::new(read), contents)
    }
}

fn write(tree: &Path, path: &str, node: &Node) {
    let at = tree.join(path);
    fs::create_dir_all(at.parent().unwrap()).unwrap();
    let set = |mode| fs::set_permissions(&at, fs::Permissions::from_mode(mode)).unwrap();
    match node {
        Node::File(text, mode) => {
            fs::write(&at, text).unwrap();
            set(*mode);
        }
        Node::Directory(mode) => {
            fs::create_dir_all(&at).unwrap();
            set(*mode);
        }
        Node::Link(target) => symlink(target, &at).unwrap(),
        Node::Hardlink(other) => fs::hard_link(tree.join(other), &at).unwrap(),
        Node::Owner(uid, gid) => chown(&at, Some(*uid), Some(*gid)).unwrap(),
    }
}

/// What is in a package, by dpkg-deb.
fn read(path: &Path, bytes: &[u8], filename: &str) -> (Deb, Vec<Vec<u8>>) {
    let tar = |option: &str| {
        let output = program("dpkg-deb").arg(option).arg(path).output().unwrap();
        assert!(output.status.success());
        output.stdout
    };
    let mut control = Stanza::default();
    let mut control_files = Vec::new();
    for (header, name, bytes) in entries(&tar("--ctrl-tarfile")) {
        if name == "control" {
            control = Stanza::parse_all(&bytes).unwrap().remove(0);
        } else if header.entry_type().is_file() {
            let mode = header.mode().unwrap() & 0o7777;
            let mtime = header.mtime().unwrap() as i64;
            control_files.push(ControlFile { name, mode, mtime, bytes: bytes.into() });
        }
    }
    let mut members: Vec<Member> = Vec::new();
    let mut contents = Vec::new();
    for (header, name, bytes) in entries(&tar("--fsys-tarfile")) {
        let node = match header.entry_type() {
            tar::EntryType::Directory => MemberNode::Directory,
            tar::EntryType::Symlink => {
                MemberNode::Symlink(header.link_name_bytes().unwrap().into_owned().into())
            }
            tar::EntryType::Link => {
                let target = plain(&header.link_name_bytes().unwrap());
                MemberNode::Hardlink(members.iter().position(|one| one.name == target).unwrap())
            }
            _ => {
                let (content, md5) = (Content::of(&bytes), Md5::digest(&bytes).into());
                contents.push(bytes);
                MemberNode::File { content, md5 }
            }
        };
        members.push(Member {
            name,
            attributes: Attributes {
                mode: header.mode().unwrap() & 0o7777,
                uid: header.uid().unwrap() as u32,
                gid: header.gid().unwrap() as u32,
                ..Attributes::root(0, header.mtime().unwrap() as i64)
            },
            user: header.username_bytes().unwrap_or_default().into(),
            group: header.groupname_bytes().unwrap_or_default().into(),
            node,
        });
    }
    let digest = Digest::of(bytes);
    let filename = filename.into();
    let elf = HashMap::new();
    (Deb { digest, filename, control, control_files, members, elf }, contents)
}

fn plain(name: &[u8]) -> BString {
    let name = name.strip_prefix(b".").unwrap_or(name);
    name.trim_with(|letter| letter == '/').into()
}

fn entries(tar: &[u8]) -> Vec<(tar::Header, BString, Vec<u8>)> {
    let mut archive = tar::Archive::new(tar);
    let entries = archive.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let name = plain(&entry.path_bytes());
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        (entry.header().clone(), name, bytes)
    });
    entries.filter(|(header, name, _)| header.entry_type().is_dir() || !name.is_empty()).collect()
}
