//! Which files share a layer.
//!
//! What is small has one layer, whatever is in it. Of more, a file that is large has a layer of its
//! own; a directory that is large is opened, and what is small in it stays together, as long as that
//! is small together. If it is not, it is cut into runs of neighbours, where the hashes of the names
//! say: names that stand side by side (of one date, of one dataset) mostly change side by side, and
//! a name more or less moves no cut but those beside it.
//!
//! Each layer has the directories that lead to what is in it, with the same attributes everywhere,
//! and all names of a file, since a hard link is inside of one layer.

use std::collections::HashSet;
use std::fmt::{self, Write};
use std::ops::Range;

use layer::{Entry, Node};
use oci::ImagePath;

use super::{few_enough, name_hash};

/// From how many bytes on a file or a directory is large.
const LARGE: u64 = 32 << 20;
/// How many layers one instruction's files get at most.
const MOST: usize = 32;
/// What an entry takes in an archive beside its content (POSIX, pax, "ustar Interchange Format").
const HEADER: u64 = 512;

/// Entries that make a layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    /// The entries, in a layer's order.
    pub(crate) entries: Vec<Entry>,
    /// What to call it; nothing if it is all there is.
    pub(crate) name: Option<Name>,
}

/// What a part is called. Of two builds, those that belong together have the same name, as a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Name {
    /// The file or directory that it begins with.
    path: ImagePath,
    /// Whether there is more in it.
    has_more: bool,
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('/')?;
        for character in self.path.to_string().chars() {
            match character.is_control() {
                true => write!(f, "{}", character.escape_default())?,
                false => f.write_char(character)?,
            }
        }
        f.write_str(if self.has_more { " …" } else { "" })
    }
}

/// Whether files with so much in them can make more than one layer. Few bytes never do but with very
/// many names.
pub(crate) fn may_be_several(bytes: u64) -> bool {
    bytes >= LARGE
}

/// Deals `entries`, in a layer's order, out to `most` layers at most and one at least.
pub(crate) fn parts(entries: Vec<Entry>, most: usize) -> Vec<Part> {
    // What is taken away of a directory belongs with what is laid into it.
    if entries.iter().any(Entry::is_marker) {
        return vec![Part { entries, name: None }];
    }
    let files = Files::new(&entries);
    let groups = few_enough(LARGE, most.min(MOST), |large| files.deal(large)).unwrap_or_default();
    match groups.len() {
        0 | 1 => vec![Part { entries, name: None }],
        _ => split(entries, &groups),
    }
}

/// A file, or a directory with all that is in it.
#[derive(Debug, Clone)]
struct Child {
    /// Its entries.
    range: Range<usize>,
    /// The length of its path.
    path: usize,
}

impl Child {
    fn path<'a>(&self, entries: &'a [Entry]) -> &'a [u8] {
        &entries[self.range.start].path.as_bytes()[..self.path]
    }
}

/// Neighbours in one directory that share a layer.
type Group = Vec<Child>;

/// A directory that is opened.
struct Directory {
    /// Its entries.
    range: Range<usize>,
    /// Where the names of what is in it begin, in paths.
    name: usize,
}

/// Entries with how large they are.
struct Files<'a> {
    entries: &'a [Entry],
    /// How many bytes the entries take that come before each; the last is the sum.
    offsets: Vec<u64>,
}

impl<'a> Files<'a> {
    fn new(entries: &'a [Entry]) -> Self {
        let mut offsets = Vec::with_capacity(entries.len() + 1);
        let mut end: u64 = 0;
        offsets.push(end);
        for entry in entries {
            let content = if let Node::File(content) = &entry.node { content.size } else { 0 };
            end = end.saturating_add(content).saturating_add(HEADER);
            offsets.push(end);
        }
        Files { entries, offsets }
    }

    fn size(&self, range: &Range<usize>) -> u64 {
        self.offsets[range.end] - self.offsets[range.start]
    }

    /// The groups, by the first of their entries; one at least.
    fn deal(&self, large: u64) -> Vec<Group> {
        let all = 0..self.entries.len();
        if self.size(&all) < large {
            return vec![vec![Child { range: all, path: 0 }]];
        }
        let mut groups = Vec::new();
        let mut open = vec![Directory { range: all, name: 0 }];
        while let Some(directory) = open.pop() {
            let mut small = Vec::new();
            for child in self.children(&directory) {
                let deepest = &self.entries[child.range.end - 1].path;
                let is_directory = deepest.as_bytes().len() > child.path;
                match self.size(&child.range) < large {
                    true => small.push(child),
                    false if is_directory => {
                        open.push(Directory { range: child.range, name: child.path + 1 });
                    }
                    false => groups.push(vec![child]),
                }
            }
            self.cut(&small, large, &mut groups);
        }
        groups.sort_unstable_by_key(|group| group[0].range.start);
        groups
    }

    /// What is directly in a directory.
    fn children(&self, directory: &Directory) -> Vec<Child> {
        let mut children: Vec<Child> = Vec::new();
        for at in directory.range.clone() {
            let path = self.entries[at].path.as_bytes();
            // The directory has an entry of its own, too.
            let Some(rest) = path.get(directory.name..).filter(|rest| !rest.is_empty()) else {
                continue;
            };
            let name = rest.split(|byte| *byte == b'/').next().unwrap_or(rest);
            let end = directory.name + name.len();
            match children.last_mut() {
                Some(last) if last.path(self.entries) == &path[..end] => last.range.end = at + 1,
                _ => children.push(Child { range: at..at + 1, path: end }),
            }
        }
        children
    }

    /// Cuts neighbours, each of them small, into groups that are small together.
    fn cut(&self, small: &[Child], large: u64, groups: &mut Vec<Group>) {
        let sizes: Vec<u64> = small.iter().map(|child| self.size(&child.range)).collect();
        let hash = |child: &Child| name_hash(child.path(self.entries));
        let hashes: Vec<u64> = match sizes.iter().sum::<u64>() < large {
            // There is nothing to cut.
            true => vec![0; small.len()],
            false => small.iter().map(hash).collect(),
        };
        let all = 0..small.len();
        let mut runs = vec![all];
        while let Some(run) = runs.pop() {
            match cut_of(&sizes[run.clone()], &hashes[run.clone()], large) {
                Some(at) => runs.extend([run.start..run.start + at, run.start + at..run.end]),
                None if run.is_empty() => {}
                None => groups.push(small[run].to_vec()),
            }
        }
    }
}

/// Where a run of neighbours is cut in two; none if it stays as it is.
fn cut_of(sizes: &[u64], hashes: &[u64], large: u64) -> Option<usize> {
    let size: u64 = sizes.iter().sum();
    if size < large || sizes.len() < 2 {
        return None;
    }
    let mut left = 0;
    let mut best: Option<(u64, usize)> = None;
    let mut largest = (0, 0);
    for (at, (own, hash)) in sizes.iter().zip(hashes).enumerate() {
        if left >= large / 4 && size - left >= large / 4 {
            best = best.max(Some((*hash, at)));
        }
        largest = largest.max((*own, at));
        left += own;
    }
    // If no cut leaves enough on both sides, one of them is nearly all there is.
    Some(best.map_or(largest.1.max(1), |(_, at)| at))
}

/// Each group's entries, with the directories above them.
fn split(entries: Vec<Entry>, groups: &[Group]) -> Vec<Part> {
    let place = places(&entries, groups);
    let part = |group| Part { entries: Vec::new(), name: Some(name(&entries, group)) };
    let mut parts: Vec<Part> = groups.iter().map(part).collect();
    let mut repeated = HashSet::new();
    let mut above: Vec<usize> = Vec::new();
    for (at, entry) in entries.iter().enumerate() {
        while above.last().is_some_and(|last| !entry.path.starts_with(&entries[*last].path)) {
            above.pop();
        }
        if let Some(part) = place[at] {
            let missing = above.iter().filter(|at| place[**at] != Some(part));
            for directory in missing {
                if repeated.insert((*directory, part)) {
                    parts[part].entries.push(entries[*directory].clone());
                }
            }
        }
        if entry.node == Node::Directory {
            above.push(at);
        }
    }
    for (entry, part) in entries.into_iter().zip(place) {
        if let Some(part) = part {
            parts[part].entries.push(entry);
        }
    }
    // Of other names of a file that is elsewhere nothing may be left.
    parts.retain(|part| !part.entries.is_empty());
    for part in &mut parts {
        part.entries.sort_by(Entry::layer_order);
    }
    if let [only] = parts.as_mut_slice() {
        only.name = None;
    }
    parts
}

/// The group that each entry belongs to; none, if it is a directory that was opened.
fn places(entries: &[Entry], groups: &[Group]) -> Vec<Option<usize>> {
    let mut places = vec![None; entries.len()];
    for (number, group) in groups.iter().enumerate() {
        for child in group {
            places[child.range.clone()].fill(Some(number));
        }
    }
    for (at, entry) in entries.iter().enumerate() {
        if let Node::Hardlink(original) = &entry.node
            && let Ok(original) = entries.binary_search_by(|other| other.path.cmp(original))
        {
            places[at] = places[original];
        }
    }
    places
}

/// What a group is called.
fn name(entries: &[Entry], group: &Group) -> Name {
    Name { path: ImagePath::lexical(group[0].path(entries)), has_more: group.len() > 1 }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use layer::{Attributes, Content};

    use super::*;

    const MIB: u64 = 1 << 20;

    /// `path/`, `path` with its MiB, or `path == other`.
    fn entries(lines: &[(&str, u64)]) -> Vec<Entry> {
        let entry = |(line, size): &(&str, u64)| {
            let (path, node) = match line.split_once(" == ") {
                Some((path, other)) => (path, Node::Hardlink(ImagePath::lexical(other))),
                None if line.ends_with('/') => (*line, Node::Directory),
                None => {
                    let content = Content { size: size * MIB, ..Content::of(line.as_bytes()) };
                    (*line, Node::File(content))
                }
            };
            let attributes = Attributes::root(0o644, 0);
            Entry { path: ImagePath::lexical(path), attributes, node }
        };
        let mut entries: Vec<Entry> = lines.iter().map(entry).collect();
        entries.sort_by(Entry::layer_order);
        entries
    }

    /// Each part's name, and its entries' paths.
    fn shown(parts: &[Part]) -> Vec<String> {
        let part = |part: &Part| {
            let paths: Vec<String> =
                part.entries.iter().map(|entry| entry.path.to_string()).collect();
            let name = part.name.as_ref().map(Name::to_string).unwrap_or_default();
            format!("{name}: {}", paths.join(" "))
        };
        parts.iter().map(part).collect()
    }

    fn numbered(count: u64, size: impl Fn(u64) -> u64) -> Vec<(String, u64)> {
        (0..count).map(|n| (format!("data/{n:05}.csv"), size(n))).collect()
    }

    fn dealt(lines: &[(String, u64)], most: usize) -> Vec<Part> {
        let lines: Vec<(&str, u64)> =
            lines.iter().map(|(path, size)| (path.as_str(), *size)).collect();
        parts(entries(&lines), most)
    }

    #[test]
    fn what_is_small_is_one_layer() {
        assert_eq!(shown(&parts(entries(&[("app/", 0), ("app/a", 30)]), 9)), [": app app/a"]);
        assert_eq!(shown(&parts(Vec::new(), 9)), [": "]);
    }

    #[test]
    fn what_is_large_is_alone_and_what_is_small_together() {
        let entries = entries(&[
            ("app/", 0),
            ("app/.env", 0),
            ("app/models/", 0),
            ("app/models/README", 0),
            ("app/models/empty/", 0),
            ("app/models/one", 70),
            ("app/models/two/", 0),
            ("app/models/two/a", 20),
            ("app/models/two/b", 20),
            ("app/models/two/c/", 0),
            ("app/src/", 0),
            ("app/src/main.py", 1),
        ]);
        assert_eq!(
            shown(&parts(entries.clone(), 9)),
            [
                "/app/.env …: app app/.env app/src app/src/main.py",
                "/app/models/README …: app app/models app/models/README app/models/empty",
                "/app/models/one: app app/models app/models/one",
                "/app/models/two/a: app app/models app/models/two app/models/two/a",
                "/app/models/two/b …: app app/models app/models/two app/models/two/b app/models/two/c",
            ]
        );
        // Too few layers for that: what counts as large doubles until they suffice.
        assert_eq!(shown(&parts(entries.clone(), 3)).len(), 3);
        assert_eq!(shown(&parts(entries.clone(), 1)).len(), 1);
        assert_eq!(shown(&parts(entries, 0)).len(), 1);
    }

    #[test]
    fn directories_of_the_base_have_no_entry_and_files_of_the_root_none_above() {
        let entries =
            entries(&[("a", 40), ("usr/lib/x", 20), ("usr/lib/y", 20), ("usr/lib-z", 40)]);
        assert_eq!(
            shown(&parts(entries, 9)),
            ["/a: a", "/usr/lib/x: usr/lib/x", "/usr/lib/y: usr/lib/y", "/usr/lib-z: usr/lib-z"]
        );
    }

    #[test]
    fn all_names_of_a_file_are_in_one_layer() {
        let entries = entries(&[("a/", 0), ("a/x", 40), ("b/", 0), ("b/x == a/x", 0), ("b/y", 40)]);
        assert_eq!(shown(&parts(entries, 9)), ["/a/x: a a/x b b/x", "/b/y: b b/y"]);
    }

    #[test]
    fn what_is_taken_away_stays_with_what_is_laid() {
        let mut entries = entries(&[("a/x", 40), ("a/y", 40)]);
        entries[0].node = Node::Whiteout;
        assert_eq!(parts(entries, 9).len(), 1);
    }

    #[test]
    fn names_of_parts_are_text() {
        let entries = entries(&[("a\x1b[1m", 40), ("b", 1)]);
        assert_eq!(parts(entries, 9)[0].name.as_ref().unwrap().to_string(), "/a\\u{1b}[1m");
    }

    #[test]
    fn sizes_that_cannot_be_come_to_an_end() {
        let mut entries = entries(&[("a", 0), ("b", 0), ("c", 0)]);
        for entry in &mut entries {
            entry.node = Node::File(Content { size: u64::MAX, ..Content::of(b"") });
        }
        assert_eq!(shown(&parts(entries.clone(), 9)), ["/a: a", "/b …: b c"]);
        assert_eq!(parts(entries, 1).len(), 1);
    }

    #[test]
    fn every_entry_is_in_one_layer_and_layers_are_few_enough() {
        let lines = numbered(500, |n| n * n * 37 % 11);
        let all: BTreeSet<String> = lines.iter().map(|(path, _)| path.clone()).collect();
        for most in [1, 2, 3, 5, 8, 13, 21, 32, 60] {
            let parts = dealt(&lines, most);
            assert!(parts.len() <= most.min(MOST), "{}", parts.len());
            let dealt: Vec<String> =
                parts.iter().flat_map(|part| &part.entries).map(|e| e.path.to_string()).collect();
            assert_eq!(dealt.len(), 500);
            assert_eq!(dealt.into_iter().collect::<BTreeSet<_>>(), all);
        }
        assert!(dealt(&lines, 60).len() > 16, "{}", dealt(&lines, 60).len());
    }

    /// How many parts of `after` are none of `before`.
    fn moved(before: &[Part], after: &[Part]) -> usize {
        after.iter().filter(|part| !before.contains(part)).count()
    }

    #[test]
    fn one_file_moves_one_layer() {
        let before = numbered(2000, |_| 1);
        let parts = dealt(&before, 60);
        assert!(parts.len() > 16);
        for at in (0..2000).step_by(97) {
            let mut after = before.clone();
            after[at].1 = 2;
            let after = dealt(&after, 60);
            assert!(moved(&parts, &after) <= 2, "{at} grew: {}", moved(&parts, &after));
            let mut after = before.clone();
            after.remove(at);
            let after = dealt(&after, 60);
            // Without the name that a cut was at there is another cut.
            assert!(moved(&parts, &after) <= 3, "no {at}: {}", moved(&parts, &after));
        }
    }

    #[test]
    fn neighbours_that_come_move_the_layers_beside_them() {
        let before = dealt(&numbered(1500, |_| 1), 60);
        let after = dealt(&numbered(1530, |_| 1), 60);
        assert!(moved(&before, &after) <= 3, "{} of {}", moved(&before, &after), after.len());
    }
}
