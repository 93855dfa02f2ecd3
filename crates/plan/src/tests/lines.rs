//! Files of a world, a line each.

use layer::{Attributes, Content, Entry, Node};
use oci::ImagePath;

/// One line of a world.
pub(super) struct Line {
    pub(super) entry: Entry,
    pub(super) text: String,
}

pub(super) fn line(line: &str) -> Line {
    let is_owner = |text: &str| text.bytes().all(|b| b.is_ascii_digit() || b == b':');
    let owned = line.rsplit_once(" @").filter(|(_, owner)| is_owner(owner));
    let (line, owner) = owned.unwrap_or((line, "0:0"));
    let (uid, gid) = owner.split_once(':').unwrap();
    let first = line.split(' ').next().unwrap();
    let octal = first.len() >= 3 && first.bytes().all(|b| b.is_ascii_digit());
    let (mode, rest) = match line.split_once(' ').filter(|_| octal) {
        Some((mode, rest)) => (Some(u32::from_str_radix(mode, 8).unwrap()), rest),
        None => (None, line),
    };
    let mut text = String::new();
    // A content can hold whatever else a line can.
    let content = rest.split_once('=').filter(|(path, _)| !path.contains(" -> "));
    let content = content.filter(|(path, _)| !path.ends_with(' '));
    let (path, mode, node) = if let Some((path, content)) = content {
        text = content.to_owned();
        (path, mode.unwrap_or(0o644), Node::File(Content::of(content.as_bytes())))
    } else if let Some((path, target)) = rest.split_once(" -> ") {
        (path, 0o777, Node::Symlink(target.into()))
    } else if let Some((path, target)) = rest.split_once(" == ") {
        (path, mode.unwrap_or(0o644), Node::Hardlink(ImagePath::lexical(target)))
    } else if let Some(path) = rest.strip_suffix(" !") {
        (path, 0, Node::Whiteout)
    } else if let Some(path) = rest.strip_suffix(" |") {
        (path, mode.unwrap_or(0o644), Node::Fifo)
    } else {
        (rest.strip_suffix('/').unwrap(), mode.unwrap_or(0o755), Node::Directory)
    };
    let (uid, gid) = (uid.parse().unwrap(), gid.parse().unwrap());
    let attributes = Attributes { uid, gid, ..Attributes::root(mode, 7) };
    Line { entry: Entry { path: ImagePath::lexical(path), attributes, node }, text }
}

/// Lays a file down below `root`.
pub(super) fn make(root: &std::path::Path, line: &Line) {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let path = root.join(line.entry.path.to_string());
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    match &line.entry.node {
        Node::Directory => std::fs::create_dir_all(&path).unwrap(),
        Node::Symlink(target) => {
            return symlink(String::from_utf8_lossy(target).as_ref(), &path).unwrap();
        }
        Node::Hardlink(target) => {
            return std::fs::hard_link(root.join(target.to_string()), &path).unwrap();
        }
        Node::Fifo => {
            let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
            assert!(made.success());
            return;
        }
        _ => std::fs::write(&path, &line.text).unwrap(),
    }
    let mode = std::fs::Permissions::from_mode(line.entry.attributes.mode);
    std::fs::set_permissions(&path, mode).unwrap();
}
