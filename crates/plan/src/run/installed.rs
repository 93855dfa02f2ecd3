//! What a line installed, as layers: each package's files in the layer that they have wherever the
//! package is installed, as far as the line left them as they were.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use layer::{Attributes, Content, Entry, Node};
use oci::ImagePath;
use shell::files::Below;
use shell::{Changed, ChangedNode};

use super::lay;
use crate::error::Step;
use crate::grouping::most_layers;
use crate::grouping::packages::{self, Sized};
use crate::outcome::{LayerSpec, Stream};
use crate::stage::StagePlanner;
use crate::wheels;

/// A package that a line installed.
pub(super) struct Installed<'a> {
    /// Its name, which says with whom it shares a layer.
    pub(super) name: &'a str,
    /// Name and version.
    pub(super) pin: String,
    /// Bytes of all of its files, whatever became of them.
    pub(super) size: u64,
    /// Its files and links, as they were put there.
    pub(super) files: Vec<InstalledFile<'a>>,
    /// The directories that it brings, and what it says of them.
    pub(super) directories: HashMap<ImagePath, Attributes>,
}

/// A file or a link of a package.
pub(super) struct InstalledFile<'a> {
    /// Where it is, without links.
    pub(super) path: &'a ImagePath,
    pub(super) attributes: Attributes,
    pub(super) node: InstalledNode<'a>,
}

/// What it is.
pub(super) enum InstalledNode<'a> {
    File {
        content: Content,
        /// Where it comes from deflated, if a layer takes it so.
        stream: Option<Stream>,
    },
    Symlink(&'a [u8]),
}

/// Packages of one kind.
pub(super) struct Kind<'a> {
    /// What stands in front of the packages in a layer's title.
    pub(super) verb: &'static str,
    pub(super) packages: Vec<Installed<'a>>,
}

/// Layers of packages, and what of the changes is in none of them. The former belong above a layer
/// of the latter, which may take away what lower layers have where packages now are.
pub(super) fn layers(
    planner: &mut StagePlanner<'_, '_>,
    kinds: &[Kind<'_>],
    changes: Vec<Changed>,
) -> Step<(Vec<Arc<LayerSpec>>, Vec<Changed>)> {
    let standing = Standing::of(kinds, &changes);
    if standing.paths.is_empty() {
        return Ok((Vec::new(), changes));
    }
    let rest = rest(planner, &standing, &changes)?;
    let most = most_layers(planner);
    let mut most = most.saturating_sub(usize::from(!rest.is_empty())).max(1);
    let directories = directories(&changes);
    let mut layers = Vec::new();
    for (at, (kind, packages)) in kinds.iter().zip(&standing.kinds).enumerate() {
        // A layer for each kind that is still to come.
        let others = standing.kinds[at + 1..].iter().filter(|others| !others.is_empty()).count();
        let sized: Vec<Sized<'_>> = packages.iter().map(|standing| standing.sized()).collect();
        let groups = packages::group(&sized, most.saturating_sub(others).max(1));
        most = most.saturating_sub(groups.len());
        for group in groups {
            let own: Vec<&Stand<'_>> = group.iter().map(|at| &packages[*at]).collect();
            let mut pins: Vec<String> = Vec::new();
            for Stand { package, .. } in &own {
                // One package can be in several places.
                if !pins.contains(&package.pin) {
                    pins.push(package.pin.clone());
                }
            }
            let (entries, streams) = entries(planner, &directories, &own)?;
            let layer = planner.layer(entries, streams, &wheels::title(kind.verb, &pins));
            layers.extend(layer.map(|layer| Arc::new(LayerSpec { packages: pins, ..layer })));
        }
    }
    Ok((layers, rest))
}

/// A package some of whose files are still as they were put there.
struct Stand<'a> {
    package: &'a Installed<'a>,
    files: Vec<&'a InstalledFile<'a>>,
}

impl Stand<'_> {
    fn sized(&self) -> Sized<'_> {
        Sized { name: self.package.name, size: self.package.size }
    }
}

/// What of the installed files is still as it was put there.
struct Standing<'a> {
    /// Of each kind of packages, those that have such files.
    kinds: Vec<Vec<Stand<'a>>>,
    paths: BTreeSet<&'a ImagePath>,
}

impl<'a> Standing<'a> {
    fn of(kinds: &'a [Kind<'a>], changes: &[Changed]) -> Self {
        let changed: HashMap<&ImagePath, &Changed> =
            changes.iter().map(|changed| (&changed.path, changed)).collect();
        // A file with other names stays with them: a hard link is inside of one layer.
        let linked: BTreeSet<&ImagePath> = changes
            .iter()
            .filter_map(|changed| match &changed.node {
                ChangedNode::Hardlink(original) => Some(original),
                _ => None,
            })
            .collect();
        let mut standing = Standing { kinds: Vec::new(), paths: BTreeSet::new() };
        for kind in kinds {
            let mut stands = Vec::new();
            for package in &kind.packages {
                let as_it_was = |file: &&InstalledFile<'_>| {
                    !linked.contains(file.path)
                        && changed.get(file.path).is_some_and(|changed| file.is(changed))
                        // Of two packages that bring a path, one has it.
                        && !standing.paths.contains(file.path)
                };
                let files: Vec<_> = package.files.iter().filter(as_it_was).collect();
                standing.paths.extend(files.iter().map(|file| file.path));
                if !files.is_empty() {
                    stands.push(Stand { package, files });
                }
            }
            standing.kinds.push(stands);
        }
        standing
    }
}

impl InstalledFile<'_> {
    fn is(&self, changed: &Changed) -> bool {
        let is_same = match (&self.node, &changed.node) {
            (InstalledNode::File { content, .. }, ChangedNode::File(data)) => {
                data.size() == content.size && data.content() == *content
            }
            (InstalledNode::Symlink(target), ChangedNode::Symlink(found)) => {
                *target == found.as_slice()
            }
            _ => false,
        };
        is_same && changed.attributes == self.attributes
    }
}

/// The directories among the changes, with what they have in the end.
fn directories(changes: &[Changed]) -> HashMap<&ImagePath, &Attributes> {
    let directories = changes.iter().filter_map(|changed| match changed.node {
        ChangedNode::Directory { .. } => Some((&changed.path, &changed.attributes)),
        _ => None,
    });
    directories.collect()
}

/// The changes that are in no layer of packages. New directories that only packages need are in
/// those.
fn rest(
    planner: &mut StagePlanner<'_, '_>,
    standing: &Standing<'_>,
    changes: &[Changed],
) -> Step<Vec<Changed>> {
    let is_plain =
        |changed: &Changed| matches!(changed.node, ChangedNode::Directory { below: Below::Shown });
    let is_own = |changed: &&Changed| !is_plain(changed) && !standing.paths.contains(&changed.path);
    let needed: BTreeSet<ImagePath> =
        changes.iter().filter(is_own).flat_map(|changed| changed.path.ancestors()).collect();
    let of_packages: BTreeSet<ImagePath> =
        standing.paths.iter().flat_map(|path| path.ancestors()).collect();
    let mut rest = Vec::new();
    for changed in changes {
        let stays = if is_plain(changed) {
            !of_packages.contains(&changed.path)
                || needed.contains(&changed.path)
                || planner.state.tree.lookup(&changed.path, planner.needs)?.is_some()
        } else {
            is_own(&changed)
        };
        if stays {
            rest.push(changed.clone());
        }
    }
    Ok(rest)
}

type Laid = (Vec<Entry>, BTreeMap<ImagePath, Stream>);

/// The entries of a layer: files, and the directories above them that are new or that a runtime
/// would not make as they are. Each layer has all that it needs, and so depends on no other.
fn entries(
    planner: &mut StagePlanner<'_, '_>,
    directories: &HashMap<&ImagePath, &Attributes>,
    packages: &[&Stand<'_>],
) -> Step<Laid> {
    let mut entries: BTreeMap<ImagePath, Entry> = BTreeMap::new();
    let mut streams = BTreeMap::new();
    let mut seen: BTreeSet<ImagePath> = BTreeSet::new();
    for Stand { package, files } in packages {
        for file in files {
            for above in file.path.ancestors() {
                if !seen.insert(above.clone()) {
                    break;
                }
                let entry = match directories.get(&above) {
                    Some(attributes) => Some(Entry {
                        attributes: said(package, &above, attributes).clone(),
                        path: above.clone(),
                        node: Node::Directory,
                    }),
                    None => lay::repeated(planner, &above)?,
                };
                entries.extend(entry.map(|entry| (above, entry)));
            }
            let (path, attributes) = (file.path.clone(), file.attributes.clone());
            let node = match &file.node {
                InstalledNode::File { content, stream } => {
                    streams.extend(stream.clone().map(|stream| (path.clone(), stream)));
                    Node::File(*content)
                }
                InstalledNode::Symlink(target) => Node::Symlink(target.to_vec()),
            };
            entries.insert(path.clone(), Entry { path, attributes, node });
        }
    }
    let mut entries: Vec<Entry> = entries.into_values().collect();
    entries.sort_by(Entry::layer_order);
    Ok((entries, streams))
}

/// What a new directory has. Its time is that which the package says: what it has in the end is
/// that of whichever package came first, and a layer depends on no other package than its own.
fn said<'a>(package: &'a Installed<'_>, path: &ImagePath, found: &'a Attributes) -> &'a Attributes {
    let is_same = |said: &&Attributes| {
        (said.mode, said.uid, said.gid) == (found.mode, found.uid, found.gid)
            && said.xattrs == found.xattrs
    };
    package.directories.get(path).filter(is_same).unwrap_or(found)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::sync::Arc;

    use ::debian::deb::{Deb, Member, MemberNode};
    use layer::{GzipLevel, Packing, ZstdLevel};
    use oci::Digest;
    use shell::{Origin, Stored};

    use super::*;
    use crate::run::debian::laid;

    fn large() -> Content {
        Content { digest: Digest::of(b"large"), size: 100_000 }
    }

    fn member(name: &str, node: MemberNode) -> Member {
        let attributes = Attributes::root(0o755, 17);
        Member { name: name.into(), attributes, user: "".into(), group: "".into(), node }
    }

    fn deb() -> ::debian::Installed {
        let file = |content| MemberNode::File { content, md5: [0; 16] };
        let members = vec![
            member("usr", MemberNode::Directory),
            member("usr/large", file(large())),
            member("usr/small", file(Content::of(b"small"))),
            member("usr/link", MemberNode::Symlink("small".into())),
            member("usr/same", MemberNode::Hardlink(2)),
            member("usr/left-out", file(Content::of(b"documentation"))),
        ];
        let control = b"Package: a\nVersion: 1:2-3\n";
        let mut control = ::debian::Stanza::parse_all(control).expect("it is a stanza");
        let placed = [1, 2, 3, 4].map(|at| (at, ImagePath::lexical(members[at].name.as_slice())));
        let deb = Deb {
            digest: Digest::of(b"deb"),
            filename: "a.deb".into(),
            control: control.remove(0),
            control_files: Vec::new(),
            members,
            elf: HashMap::new(),
        };
        ::debian::Installed { deb: Arc::new(deb), files: placed.to_vec() }
    }

    fn changed(path: &str, node: ChangedNode) -> Changed {
        let attributes = Attributes::root(0o755, 17);
        Changed { path: ImagePath::lexical(path), attributes, node }
    }

    fn file(content: Content) -> ChangedNode {
        ChangedNode::File(shell::Data::Stored(Stored { content, origin: Arc::new(Origin::Given) }))
    }

    /// The paths of the package that still stand.
    fn standing(changes: &[Changed]) -> Vec<String> {
        let deb = deb();
        let kinds = [Kind { verb: "", packages: vec![laid(&deb, Packing::default())] }];
        let standing = Standing::of(&kinds, changes);
        standing.paths.iter().map(|path| path.to_string()).collect()
    }

    #[test]
    fn a_package_is_named_and_sized_by_all_of_it() {
        let deb = deb();
        let laid = laid(&deb, Packing::default());
        assert_eq!((laid.name, laid.pin.as_str(), laid.size), ("a", "a=1:2-3", 100_018));
        assert_eq!(laid.directories.len(), 1);
        let kinds: Vec<(String, bool)> = laid
            .files
            .iter()
            .map(|file| {
                let is_kept = matches!(&file.node, InstalledNode::File { stream: Some(_), .. });
                (file.path.to_string(), is_kept)
            })
            .collect();
        let expected = [("usr/large", true), ("usr/small", false), ("usr/link", false)];
        assert_eq!(kinds, expected.map(|(path, is_kept)| (path.to_owned(), is_kept)));
    }

    #[test]
    fn streams_are_kept_unless_more_effort_is_asked_for() {
        let deb = deb();
        let kept = |packing| {
            let laid = laid(&deb, packing);
            let streams = laid
                .files
                .iter()
                .filter(|file| matches!(&file.node, InstalledNode::File { stream: Some(_), .. }));
            streams.count()
        };
        let gzip = |level| Packing::Gzip(GzipLevel::new(level).expect("it is one"));
        assert_eq!((kept(gzip(1)), kept(gzip(4)), kept(gzip(6))), (1, 1, 0));
        assert_eq!((kept(Packing::Zstd(ZstdLevel::default())), kept(Packing::None)), (0, 0));
    }

    #[test]
    fn what_a_script_changed_stands_no_more() {
        let all = [
            changed("usr/large", file(large())),
            changed("usr/small", file(Content::of(b"small"))),
            changed("usr/link", ChangedNode::Symlink(b"small".to_vec())),
        ];
        assert_eq!(standing(&all), ["usr/large", "usr/link", "usr/small"]);
        let mut other = all.clone();
        other[0].attributes.mode = 0o4755;
        other[1].node = file(Content::of(b"others"));
        other[2].node = ChangedNode::Symlink(b"large".to_vec());
        assert_eq!(standing(&other), Vec::<String>::new());
        assert_eq!(standing(&all[..1]), ["usr/large"]);
        // A file with another name stays with it.
        let link = changed("usr/same", ChangedNode::Hardlink(ImagePath::lexical("usr/small")));
        let linked = [all[1].clone(), link];
        assert_eq!(standing(&linked), Vec::<String>::new());
    }
}
