//! What a line installed, as layers: each package's files in the layer that they have wherever the
//! package is installed, as far as the line left them as they were.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use layer::{Attributes, Entry, Node};
use oci::ImagePath;
use shell::files::Below;
use shell::{Changed, ChangedNode};

use super::Install;
use crate::error::Step;
use crate::outcome::{LayerSpec, Source, WheelMember};
use crate::packages::groups::{self, Sized};
use crate::run::lay;
use crate::stage::StagePlanner;
use crate::wheels;

/// Layers of packages, and what of the changes is in none of them. The former belong above a layer
/// of the latter, which may take away what lower layers have where packages now are.
pub(crate) fn layers(
    planner: &mut StagePlanner<'_, '_>,
    installs: &[Install],
    changes: Vec<Changed>,
) -> Step<(Vec<Arc<LayerSpec>>, Vec<Changed>)> {
    let standing = Standing::of(installs, &changes);
    if standing.installs.is_empty() {
        return Ok((Vec::new(), changes));
    }
    let rest = rest(planner, &standing, &changes)?;
    let sized: Vec<Sized<'_>> =
        standing.installs.iter().map(|(install, _)| install.sized()).collect();
    let most = wheels::most_layers(planner);
    let most = most.saturating_sub(usize::from(!rest.is_empty())).max(1);
    let directories = directories(&changes);
    let mut layers = Vec::new();
    for group in groups::group(&sized, most) {
        let own: Vec<_> = group.iter().map(|at| &standing.installs[*at]).collect();
        let mut pins: Vec<String> = Vec::new();
        for (install, _) in &own {
            // One package can be in several places.
            let pin = install.pin();
            if !pins.contains(&pin) {
                pins.push(pin);
            }
        }
        let (entries, streams) = entries(planner, &directories, &own)?;
        let title = wheels::title("RUN pip install", &pins);
        let layer = planner.layer(entries, streams, &title);
        layers.extend(layer.map(|layer| Arc::new(LayerSpec { packages: pins, ..layer })));
    }
    Ok((layers, rest))
}

/// What of the installed files is still as it was put there.
struct Standing<'a> {
    /// Positions of files in each.
    installs: Vec<(&'a Install, Vec<usize>)>,
    paths: BTreeSet<&'a ImagePath>,
}

impl<'a> Standing<'a> {
    fn of(installs: &'a [Install], changes: &[Changed]) -> Self {
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
        let mut standing = Standing { installs: Vec::new(), paths: BTreeSet::new() };
        for install in installs {
            let stands = |at: &usize| {
                let file = &install.files[*at];
                let content = install.wheel.installation.files[file.at].content;
                !linked.contains(&file.path)
                    && changed.get(&file.path).is_some_and(|changed| {
                        changed.attributes == file.attributes
                            && matches!(&changed.node, ChangedNode::File(data)
                                if data.size() == content.size && data.content() == content)
                    })
            };
            let files: Vec<usize> = (0..install.files.len()).filter(stands).collect();
            standing.paths.extend(files.iter().map(|at| &install.files[*at].path));
            if !files.is_empty() {
                standing.installs.push((install, files));
            }
        }
        standing
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

type Laid = (Vec<Entry>, BTreeMap<ImagePath, WheelMember>);

/// The entries of a layer: files, and the directories above them that are new or that a runtime
/// would not make as they are. Each layer has all that it needs, and so depends on no other.
fn entries(
    planner: &mut StagePlanner<'_, '_>,
    directories: &HashMap<&ImagePath, &Attributes>,
    installs: &[&(&Install, Vec<usize>)],
) -> Step<Laid> {
    let mut entries: BTreeMap<ImagePath, Entry> = BTreeMap::new();
    let mut streams = BTreeMap::new();
    let mut seen: BTreeSet<ImagePath> = BTreeSet::new();
    for (install, files) in installs {
        for at in files {
            let file = &install.files[*at];
            let installed = &install.wheel.installation.files[file.at];
            for above in file.path.ancestors() {
                if !seen.insert(above.clone()) {
                    break;
                }
                let entry = match directories.get(&above) {
                    Some(attributes) => Some(Entry {
                        path: above.clone(),
                        attributes: (*attributes).clone(),
                        node: Node::Directory,
                    }),
                    None => lay::repeated(planner, &above)?,
                };
                entries.extend(entry.map(|entry| (above, entry)));
            }
            let (path, attributes) = (file.path.clone(), file.attributes.clone());
            if let Source::Wheel(member) = wheels::source(&install.wheel, installed)
                && wheels::is_kept(&member, planner.shared.request.packing)
            {
                streams.insert(path.clone(), member);
            }
            let node = Node::File(installed.content);
            entries.insert(path.clone(), Entry { path, attributes, node });
        }
    }
    let mut entries: Vec<Entry> = entries.into_values().collect();
    entries.sort_by(Entry::layer_order);
    Ok((entries, streams))
}
