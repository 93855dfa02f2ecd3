//! Which files of the contexts moved between two builds.

use std::collections::{BTreeMap, BTreeSet};

use oci::Digest;
use recipe::IgnorePatterns;

use crate::files::Node;
use crate::inputs::{Change, Detail, Kind, Moved, change, union};
use crate::record::{BuildRecord, ContextEntry};
use crate::steps::{Alignment, Fate};

/// The ignore file of the main context, if it says something else.
pub(crate) fn ignore_file(old: &BuildRecord, new: &BuildRecord) -> Option<Moved> {
    let text = |record: &BuildRecord| record.ignore.as_ref().map(|file| file.text.clone());
    let (a, b) = (text(old), text(new));
    if a == b {
        return None;
    }
    let named = new.ignore.as_ref().or(old.ignore.as_ref())?;
    Some(Moved::of(Kind::IgnoreFile, &named.name, change(a.as_ref(), b.as_ref())))
}

/// Whether the ignore file leaves a path of the main context out; none if that cannot be told.
fn is_ignored(record: &BuildRecord, path: &str) -> Option<bool> {
    let Some(file) = &record.ignore else { return Some(false) };
    // What else is included is not recorded.
    if file.text.contains("#!include") {
        return None;
    }
    let patterns = IgnorePatterns::parse(&file.text).ok()?;
    Some(patterns.matches(path))
}

/// The files of the contexts that are not what they were.
pub(crate) fn files(old: &BuildRecord, new: &BuildRecord, alignment: &Alignment) -> Vec<Moved> {
    let mut moved = Vec::new();
    let same_recipe = alignment.fates.iter().all(|fate| matches!(fate, Fate::Same { .. }));
    for (context, a, b) in union(&old.contexts, &new.contexts) {
        // What was not listed may have been as it is.
        let (Some(a), Some(b)) = (a, b) else { continue };
        let called = |path: &str| match context {
            "" => path.to_owned(),
            _ => format!("{context}: {path}"),
        };
        let both = union(&a.entries, &b.entries).into_iter().filter(|(_, a, b)| a != b);
        // One of the two has directories only: file by file nothing can be said.
        let comparable = a.folders.is_empty() == b.folders.is_empty();
        let mut is_vague = !comparable;
        for (path, was, is) in both.filter(|_| comparable) {
            let (is_new, comes_or_goes) = (was.is_none(), was.is_none() || is.is_none());
            let (lacks, other) = if is_new { (old, a) } else { (new, b) };
            if comes_or_goes && other.unread.contains(path) {
                continue;
            }
            let left_out = match context.is_empty() && comes_or_goes {
                true => is_left_out(lacks, (old, new), path),
                false => Some(false),
            };
            if (comes_or_goes && other.has_more_unread && !same_recipe) || left_out.is_none() {
                is_vague = true;
            } else if left_out == Some(false) {
                moved.push(file(&called(path), path, was, is));
            }
        }
        if is_vague {
            moved.push(Moved::of(Kind::Folder, &called("."), Change::Changed));
        }
        if !comparable {
            continue;
        }
        for (path, was, is) in union(&a.folders, &b.folders) {
            if was != is {
                let files = |folder: Option<&crate::Folder>| {
                    folder.map(|folder| format!("{} files", folder.files))
                };
                let name = called(if path.is_empty() { "." } else { path });
                moved.push(
                    Moved::of(Kind::Folder, &name, change(was, is))
                        .with_values(files(was), files(is)),
                );
            }
        }
    }
    join_renamed(&mut moved);
    without_implied_directories(&mut moved);
    moved
}

/// A directory that came or went with files in it is not told beside them.
fn without_implied_directories(moved: &mut Vec<Moved>) {
    let paths: BTreeSet<(Change, String)> =
        moved.iter().map(|one| (one.change, one.name.clone())).collect();
    moved.retain(|one| {
        let Detail::File { old, new, .. } = &one.detail else { return true };
        let entry = old.as_ref().or(new.as_ref());
        let below = (one.change, format!("{}/", one.name));
        let next = paths.range(below.clone()..).next();
        let has_files = next.is_some_and(|next| next.0 == below.0 && next.1.starts_with(&below.1));
        let comes_or_goes = matches!(one.change, Change::Added | Change::Removed);
        !(comes_or_goes && has_files && entry.is_some_and(|it| it.node == Node::Directory))
    });
}

/// Whether a file that came or went did so since the ignore file of the build that lacks it leaves it
/// out, and the other does not; none if that cannot be told.
fn is_left_out(
    lacks: &BuildRecord,
    (old, new): (&BuildRecord, &BuildRecord),
    path: &str,
) -> Option<bool> {
    let text = |record: &BuildRecord| record.ignore.as_ref().map(|file| file.text.clone());
    if text(old) == text(new) {
        return Some(false);
    }
    is_ignored(lacks, path)
}

fn file(name: &str, path: &str, old: Option<&ContextEntry>, new: Option<&ContextEntry>) -> Moved {
    let kind = match (old, new) {
        (Some(a), Some(b)) if a.node == b.node => Change::Mode,
        (a, b) => change(a, b),
    };
    let shown = |entry: Option<&ContextEntry>| {
        entry.map(|entry| match (kind, &entry.node) {
            (Change::Mode, _) => format!("{:04o}", entry.mode),
            (_, Node::File { digest, .. }) => digest.to_string(),
            (_, Node::Directory) => "a directory".to_owned(),
            (_, Node::Symlink { target }) => format!("a link to {target}"),
            (_, other) => format!("{other:?}"),
        })
    };
    let detail = Detail::File {
        old_path: path.to_owned(),
        new_path: path.to_owned(),
        old: old.cloned(),
        new: new.cloned(),
    };
    let one = Moved::of(Kind::File, name, kind).with_values(shown(old), shown(new));
    Moved { detail, ..one }
}

/// A file that is gone and one of the same bytes that is new are one with another name, if there is
/// no other pair of which that could be said.
fn join_renamed(moved: &mut Vec<Moved>) {
    let content = |one: &Moved, change: Change| match (&one.detail, one.change == change) {
        (Detail::File { old: Some(entry), .. } | Detail::File { new: Some(entry), .. }, true) => {
            match &entry.node {
                Node::File { digest, size } if *size > 0 => Some(*digest),
                _ => None,
            }
        }
        _ => None,
    };
    let mut places: BTreeMap<Digest, (Vec<usize>, Vec<usize>)> = BTreeMap::new();
    for (at, one) in moved.iter().enumerate() {
        if let Some(digest) = content(one, Change::Removed) {
            places.entry(digest).or_default().0.push(at);
        }
        if let Some(digest) = content(one, Change::Added) {
            places.entry(digest).or_default().1.push(at);
        }
    }
    let mut gone = Vec::new();
    for (removed, added) in places.into_values() {
        if let ([removed], [added]) = (removed.as_slice(), added.as_slice()) {
            let before = moved[*removed].clone();
            let now = &mut moved[*added];
            now.change = Change::Renamed;
            (now.old, now.new) = (Some(before.name), Some(now.name.clone()));
            if let (
                Detail::File { old_path, old, .. },
                Detail::File { old_path: path, old: entry, .. },
            ) = (&mut now.detail, before.detail)
            {
                (*old_path, *old) = (path, entry);
            }
            gone.push(*removed);
        }
    }
    gone.sort_unstable();
    for at in gone.into_iter().rev() {
        moved.remove(at);
    }
}
