//! What is proof that an input changed a file of a layer.

use oci::Digest;

use crate::files::{Aspect, FileChange, FileState, Node};
use crate::inputs::{Change, Detail, Kind, Moved};
use crate::record::ContextEntry;

/// The path, in the context, of an input that a change of a file is evidence of; none if it is not.
pub(crate) fn fits(moved: &Moved, change: &FileChange, aspect: Aspect) -> Option<String> {
    let (before, now) = (change.old.as_ref(), change.new.as_ref());
    match &moved.detail {
        Detail::Time { old, new } => {
            let times = (before.map(|state| state.mtime), now.map(|state| state.mtime));
            let both = aspect == Aspect::Time && times == (Some(*old), Some(*new));
            both.then(|| change.path.clone())
        }
        Detail::Download { old, new } => {
            let digest = |state: Option<&FileState>| state.and_then(|state| digest(&state.node));
            let both = match aspect {
                Aspect::Content => (digest(before), digest(now)) == (*old, *new),
                Aspect::Added => old.is_none() && digest(now) == *new,
                Aspect::Removed => new.is_none() && digest(before) == *old,
                _ => false,
            };
            both.then(String::new)
        }
        Detail::File { old_path, new_path, old, new } => {
            let is_renamed = moved.change == Change::Renamed;
            match aspect {
                Aspect::Added if old.is_none() || is_renamed => {
                    same(new.as_ref(), now, new_path, change).then(|| new_path.clone())
                }
                Aspect::Removed if new.is_none() || is_renamed => {
                    same(old.as_ref(), before, old_path, change).then(|| old_path.clone())
                }
                Aspect::Content | Aspect::Type => {
                    let both = same(old.as_ref(), before, old_path, change)
                        && same(new.as_ref(), now, new_path, change);
                    both.then(|| new_path.clone())
                }
                Aspect::Mode => {
                    let modes = (old.as_ref()?.mode, new.as_ref()?.mode);
                    let both = modes == (before?.mode, now?.mode) && modes.0 != modes.1;
                    let alike = likeness(new_path, &change.path) > 0;
                    (both && alike).then(|| new_path.clone())
                }
                _ => None,
            }
        }
        _ => None,
    }
}

/// Whether the input is one that a change of this path is always evidence of: apt's lists are what
/// the archive gave, and dpkg keeps book of each package.
pub(crate) fn is_booked(moved: &Moved, path: &str) -> bool {
    const LISTS: [&str; 2] = ["var/lib/apt/lists/", "var/cache/apt/"];
    const BOOKS: [&str; 4] =
        ["var/lib/dpkg/", "var/lib/apt/extended_states", "var/log/dpkg.log", "var/log/apt/"];
    let begins = |list: &[&str]| list.iter().any(|start| path.starts_with(start));
    match moved.detail {
        Detail::DebianPackage => begins(&BOOKS),
        _ => moved.kind == Kind::PackageArchive && begins(&LISTS),
    }
}

/// Whether what stands in a layer is what stands in the context. Of what has no bytes, the name has
/// to be alike, too.
fn same(
    entry: Option<&ContextEntry>,
    state: Option<&FileState>,
    path: &str,
    change: &FileChange,
) -> bool {
    let (Some(entry), Some(state)) = (entry, state) else { return false };
    let has_bytes = matches!(entry.node, Node::File { size, .. } if size > 0);
    entry.node == state.node && (has_bytes || likeness(path, &change.path) > 0)
}

fn digest(node: &Node) -> Option<Digest> {
    match node {
        Node::File { digest, .. } => Some(*digest),
        _ => None,
    }
}

/// How many of the last parts two paths have in common.
pub(crate) fn likeness(one: &str, other: &str) -> usize {
    one.rsplit('/').zip(other.rsplit('/')).take_while(|(a, b)| a == b).count()
}

/// The content of a file that has any.
pub(crate) fn content(node: &Node) -> Option<Digest> {
    match node {
        Node::File { digest, size } if *size > 0 => Some(*digest),
        _ => None,
    }
}

/// Whether a wheel or a Debian package of this name is one of this project.
pub(crate) fn is_file_of(file: &str, package: &str) -> bool {
    // PEP 503, "Normalized Names": runs of `-`, `_` and `.` are one.
    let plain = |text: &str| text.to_ascii_lowercase().replace(['-', '.'], "_");
    let (file, package) = (file.rsplit('/').next().unwrap_or(file), plain(package));
    let end = match file.ends_with(".deb") {
        true => file.find('_'),
        false => file.find('-'),
    };
    plain(&file[..end.unwrap_or(file.len())]) == package
}

/// The keywords of the instructions that write a key of the config; none for a key that is nobody's.
pub(crate) fn verbs_of(key: &str) -> &'static [&'static str] {
    match key {
        "config.Env" => &["ENV", "PYTHON"],
        "config.Labels" => &["LABEL"],
        // A command in shell form has the shell in front.
        "config.Entrypoint" => &["ENTRYPOINT", "SHELL"],
        "config.Cmd" | "config.ArgsEscaped" => &["CMD", "ENTRYPOINT", "SHELL"],
        "config.User" => &["USER"],
        "config.WorkingDir" => &["WORKDIR"],
        "config.ExposedPorts" => &["EXPOSE"],
        "config.Volumes" => &["VOLUME"],
        "config.StopSignal" => &["STOPSIGNAL"],
        "config.Shell" => &["SHELL"],
        "config.Healthcheck" => &["HEALTHCHECK", "SHELL"],
        "config.OnBuild" => &["ONBUILD"],
        "author" => &["MAINTAINER"],
        _ => &[],
    }
}
