//! Base images for tests, each made once as an OCI layout in the cache directory.

pub(crate) mod debootstrap;
mod platforms;
pub(crate) mod python;

use std::fs;
use std::os::unix::fs::{PermissionsExt, lchown, symlink};
use std::path::{Path, PathBuf};

use oci::Digest;

use crate::{Failure, Result, cache, oracle, umoci};
pub use platforms::of_both_platforms;
pub use python::{PythonBase, debian_python, debian_python_arm64, usr_local_python};

/// The tag under which each layout here holds its image.
pub const TAG: &str = "base";

/// Debian 12 with python3 and ca-certificates, by debootstrap: a real base, about 50 MB compressed.
pub fn debian() -> Result<PathBuf> {
    const INCLUDE: &str = "python3,ca-certificates";
    const REVISION: &str = "1";
    let key = Digest::of(format!("{} {INCLUDE} {REVISION}", debootstrap::SUITE).as_bytes());
    cache::once(&format!("debian-{}", &key.hex()[..12]), |directory| {
        let root = directory.join("root");
        debootstrap::make(&root, INCLUDE, &[])?;
        debootstrap::tidy(&root)?;
        pack(directory, &root, "python3")
    })
}

/// The tree of [`debian`], for programs that leave it as it is.
pub fn debian_root() -> Result<PathBuf> {
    let layout = debian()?;
    // Of this very layout: one that was made at another time has other times in it.
    let index = layout.join("index.json");
    let index = fs::read(&index).map_err(Failure::doing(format!("read {}", index.display())))?;
    let key = Digest::of(&index);
    let bundle = cache::once(&format!("debian-root-{}", &key.hex()[..12]), |directory| {
        // umoci makes its bundle itself, and wants it not to be there.
        umoci::unpack(&layout, TAG, &directory.join("bundle"))
    })?;
    Ok(bundle.join("bundle/rootfs"))
}

/// A root file system of a few files that has the corners of a real one: merged `/usr`, users and
/// groups, a directory that belongs to somebody, absolute and relative links, a sticky `/tmp`.
pub fn tiny() -> Result<PathBuf> {
    let key = Digest::of(format!("{TINY:?}").as_bytes());
    cache::once(&format!("tiny-{}", &key.hex()[..12]), |directory| {
        let root = directory.join("root");
        fs::create_dir(&root).map_err(Failure::doing(format!("make {}", root.display())))?;
        for (path, mode, owner, node) in TINY {
            write_node(&root.join(path), *mode, *owner, node)?;
        }
        pack(directory, &root, "sh")
    })
}

#[derive(Debug)]
enum Node {
    Directory,
    File(&'static str),
    Link(&'static str),
}

/// Path, mode, owner (user and group alike) and what is there, parents first.
const TINY: &[(&str, u32, u32, Node)] = &[
    ("etc", 0o755, 0, Node::Directory),
    ("etc/passwd", 0o644, 0, Node::File(PASSWD)),
    ("etc/group", 0o644, 0, Node::File(GROUP)),
    ("etc/os-release", 0o644, 0, Node::File("NAME=tiny\nID=tiny\n")),
    ("etc/secret", 0o600, 0, Node::File("kept to its owner\n")),
    ("usr", 0o755, 0, Node::Directory),
    ("usr/bin", 0o755, 0, Node::Directory),
    ("usr/bin/tool", 0o755, 0, Node::File("#!/bin/sh\necho tool\n")),
    ("usr/lib", 0o755, 0, Node::Directory),
    ("usr/lib/libtiny.so.1", 0o644, 0, Node::File("not really a library\n")),
    ("usr/lib/libtiny.so", 0o777, 0, Node::Link("libtiny.so.1")),
    ("usr/sbin", 0o755, 0, Node::Directory),
    ("bin", 0o777, 0, Node::Link("usr/bin")),
    ("lib", 0o777, 0, Node::Link("usr/lib")),
    ("sbin", 0o777, 0, Node::Link("/usr/sbin")),
    ("home", 0o755, 0, Node::Directory),
    ("home/app", 0o750, 1000, Node::Directory),
    ("home/app/.profile", 0o640, 1000, Node::File("umask 077\n")),
    ("opt", 0o755, 0, Node::Directory),
    ("opt/shared", 0o2775, 33, Node::Directory),
    ("opt/current", 0o777, 0, Node::Link("releases/1")),
    ("opt/releases", 0o755, 0, Node::Directory),
    ("opt/releases/1", 0o755, 0, Node::Directory),
    ("opt/releases/1/version", 0o644, 0, Node::File("1\n")),
    ("run", 0o755, 0, Node::Directory),
    ("tmp", 0o1777, 0, Node::Directory),
    ("var", 0o755, 0, Node::Directory),
    ("var/run", 0o777, 0, Node::Link("/run")),
    ("var/lib", 0o755, 0, Node::Directory),
    ("var/lib/data", 0o755, 33, Node::Directory),
    ("var/lib/data/seed", 0o644, 33, Node::File("seed\n")),
];

const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\n\
    www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\n\
    app:x:1000:1000:app:/home/app:/bin/sh\n\
    reader:x:1001:50:reader:/nonexistent:/bin/sh\n";

const GROUP: &str = "root:x:0:\nwww-data:x:33:\nstaff:x:50:reader\napp:x:1000:\n";

fn write_node(path: &Path, mode: u32, owner: u32, node: &Node) -> Result {
    let doing = format!("make {}", path.display());
    match node {
        Node::Directory => fs::create_dir(path),
        Node::File(content) => fs::write(path, content),
        Node::Link(target) => symlink(target, path),
    }
    .map_err(Failure::doing(&doing))?;
    if oracle::is_root() {
        lchown(path, Some(owner), Some(owner)).map_err(Failure::doing(&doing))?;
    }
    if !matches!(node, Node::Link(_)) {
        let permissions = fs::Permissions::from_mode(mode);
        fs::set_permissions(path, permissions).map_err(Failure::doing(&doing))?;
    }
    Ok(())
}

/// The search path of Debian's images.
const PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Puts `root` as the only layer of an image into `directory`, an OCI layout afterwards.
fn pack(directory: &Path, root: &Path, command: &str) -> Result {
    let layout = directory.join("layout");
    let config = [("--config.env", PATH), ("--config.cmd", command)];
    umoci::create(&layout, TAG, root, &config)?;
    fs::remove_dir_all(root).map_err(Failure::doing(format!("remove {}", root.display())))?;
    for entry in fs::read_dir(&layout).map_err(Failure::doing("read the layout"))?.flatten() {
        let name = entry.file_name();
        fs::rename(entry.path(), directory.join(&name))
            .map_err(Failure::doing("move the layout"))?;
    }
    fs::remove_dir(&layout).map_err(Failure::doing("remove the draft of the layout"))
}
