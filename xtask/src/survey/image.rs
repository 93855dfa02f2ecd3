//! The made-up root file system that lines are looked at over.
//!
//! It has what nearly every image has, and every program that is built in. What an earlier line of
//! the Dockerfile would have made is not there.

use std::collections::HashMap;
use std::sync::Arc;

use bstr::ByteSlice;
use layer::{Attributes, Content, Entry, LayerIndex, Node, RootFs};
use oci::{Digest, ImagePath};
use shell::{Files, Limits, User};

use super::packages;

/// Whose programs an image has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// GNU's, as most images.
    Gnu,
    /// One BusyBox, as Alpine's.
    BusyBox,
}

/// The root file systems, one of each family.
pub struct Images {
    gnu: Arc<LayerIndex>,
    busybox: Arc<LayerIndex>,
    /// What their files hold.
    pub bytes: HashMap<Digest, Arc<[u8]>>,
}

const TIME: i64 = 1_700_000_000;

const DIRECTORIES: &str = "app etc etc/alternatives etc/apt etc/apt/apt.conf.d etc/apt/sources.list.d etc/default \
    etc/profile.d etc/skel etc/ssl etc/ssl/certs home media mnt opt root run srv tmp usr usr/bin \
    usr/include usr/lib usr/local usr/local/bin usr/local/lib usr/local/sbin usr/local/share \
    usr/sbin usr/share usr/share/doc usr/share/zoneinfo usr/src var var/cache var/lib var/lib/apt \
    var/lib/dpkg var/lib/dpkg/alternatives var/log var/tmp";

const LINKS: [(&str, &str); 3] = [("bin", "usr/bin"), ("lib", "usr/lib"), ("sbin", "usr/sbin")];

const FILES: &[(&str, &str)] = &[
    (
        "etc/passwd",
        "root:x:0:0:root:/root:/bin/bash\n\
        daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n\
        www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\n\
        nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
    ),
    (
        "etc/group",
        "root:x:0:\ndaemon:x:1:\nsudo:x:27:\nwww-data:x:33:\nusers:x:100:\n\
        nogroup:x:65534:\n",
    ),
    (
        "etc/shadow",
        "root:*:19600:0:99999:7:::\ndaemon:*:19600:0:99999:7:::\n\
        www-data:*:19600:0:99999:7:::\nnobody:*:19600:0:99999:7:::\n",
    ),
    ("etc/gshadow", "root:*::\ndaemon:*::\nsudo:*::\nwww-data:*::\nusers:*::\nnogroup:*::\n"),
    ("etc/default/useradd", "SHELL=/bin/sh\n"),
    ("etc/login.defs", "MAIL_DIR /var/mail\nUMASK 022\nUSERGROUPS_ENAB yes\n"),
    ("etc/adduser.conf", "# As it comes.\n"),
    ("etc/subuid", ""),
    ("etc/subgid", ""),
    ("etc/skel/.bashrc", "umask 022\n"),
    ("etc/os-release", "ID=debian\nVERSION_ID=\"12\"\nVERSION_CODENAME=bookworm\n"),
    ("etc/profile", "umask 022\n"),
    ("etc/bash.bashrc", "umask 022\n"),
    ("root/.bashrc", "umask 022\n"),
    ("root/.profile", "umask 022\n"),
];

/// Programs that are there and whose lines the survey itself answers, by [`packages`].
fn answered() -> impl Iterator<Item = &'static str> {
    packages::MANAGERS.iter().chain(packages::PYTHON).copied()
}

impl Images {
    /// Makes them up.
    pub fn new() -> Self {
        let mut bytes = HashMap::new();
        let gnu = Arc::new(index(Family::Gnu, &mut bytes));
        let busybox = Arc::new(index(Family::BusyBox, &mut bytes));
        Images { gnu, busybox, bytes }
    }

    /// The files of an image with this working directory, seen by root.
    pub fn files(&self, family: Family, directory: &ImagePath) -> Files {
        let base = match family {
            Family::Gnu => &self.gnu,
            Family::BusyBox => &self.busybox,
        };
        let above = directory.ancestors().chain([directory.clone()]);
        let missing = above.filter(|path| !path.is_root() && base.entry(path).is_none());
        let made = missing.map(|path| entry(path, 0o755, Node::Directory)).collect();
        let layers = vec![Some(Arc::clone(base)), Some(Arc::new(sorted(made)))];
        Files::new(RootFs::new(layers), User::default(), TIME, Limits::default())
    }
}

fn index(family: Family, bytes: &mut HashMap<Digest, Arc<[u8]>>) -> LayerIndex {
    let mut entries = Vec::new();
    for name in DIRECTORIES.split_whitespace() {
        let mode = if name.ends_with("tmp") { 0o1777 } else { 0o755 };
        entries.push(entry(ImagePath::lexical(name), mode, Node::Directory));
    }
    for (name, target) in LINKS {
        entries.push(link(name, target));
    }
    let mut file = |path: &str, text: &[u8], mode: u32| {
        let content = Content::of(text);
        bytes.insert(content.digest, Arc::from(text));
        entry(ImagePath::lexical(path), mode, Node::File(content))
    };
    entries.extend(FILES.iter().map(|(path, text)| file(path, text.as_bytes(), 0o644)));
    let mut names: Vec<&str> = shell::programs::names().chain(answered()).collect();
    names.sort_unstable();
    names.dedup();
    // Of a shell, the image's own file has the name that says whose it is.
    names.retain(|name| *name != "sh");
    for name in names {
        let path = format!("usr/bin/{name}");
        let is_applet = family == Family::BusyBox && is_applet(name);
        entries.push(match is_applet {
            true => link(&path, "busybox"),
            false => file(&path, program(name), 0o755),
        });
    }
    if family == Family::BusyBox {
        entries.push(file("usr/bin/busybox", b"\x7fELF busybox", 0o755));
    }
    entries.push(link("usr/bin/sh", if family == Family::BusyBox { "busybox" } else { "dash" }));
    sorted(entries)
}

/// What a program's file holds, as far as anybody looks: Debian's scripts for users say their version.
fn program(name: &str) -> &'static [u8] {
    match name {
        "addgroup" | "adduser" | "delgroup" | "deluser" => {
            b"#!/usr/bin/perl\nmy $version = \"3.134\";\n"
        }
        _ => b"\x7fELF",
    }
}

/// Whether BusyBox has it in an image of Alpine: bash is a package, and so is what is answered.
fn is_applet(name: &str) -> bool {
    name != "bash" && !answered().any(|known| known == name)
}

fn link(path: &str, target: &str) -> Entry {
    entry(ImagePath::lexical(path), 0o777, Node::Symlink(target.as_bytes().to_vec()))
}

fn entry(path: ImagePath, mode: u32, node: Node) -> Entry {
    Entry { path, attributes: Attributes::root(mode, TIME), node }
}

fn sorted(mut entries: Vec<Entry>) -> LayerIndex {
    entries.sort_by(Entry::layer_order);
    LayerIndex::from_entries(entries)
}

/// Whose programs a base image has, by its name alone.
pub fn family_of(image: &str) -> Family {
    let image = image.as_bytes();
    match [&b"alpine"[..], b"busybox"].iter().any(|name| image.contains_str(name)) {
        true => Family::BusyBox,
        false => Family::Gnu,
    }
}
