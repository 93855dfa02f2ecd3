//! What wheels become, as layers.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use layer::{Attributes, Node, Packing};
use oci::ImagePath;
use python::{FileOrigin, InstalledFile, Method, Package};
use recipe::{PythonPackages, Span};

use super::warn;
use crate::error::Step;
use crate::facts::InstalledWheel;
use crate::laying::{DirectoryId, Laying};
use crate::outcome::{LayerSpec, Source, WheelMember};
use crate::packages::groups::{self, Sized};
use crate::stage::StagePlanner;

/// What pip gives directories, with the usual umask.
const DIRECTORY_MODE: u32 = 0o755;
/// How many layers an image gets at most, if nothing else is asked for. Docker takes 127, and each
/// costs every node that pulls the image a request and a mount.
const MAX_IMAGE_LAYERS: usize = 60;
/// Packages get some layers even on a base that has many.
const LEAST_LAYERS: usize = 4;

/// How many layers packages may take, with `following` instructions yet to come.
pub(super) fn most_layers(
    planner: &StagePlanner<'_, '_>,
    asked: &PythonPackages,
    following: usize,
) -> usize {
    let limit = asked.max_layers.as_ref().map_or(MAX_IMAGE_LAYERS, |limit| limit.node);
    let taken = planner.state.tree.depth() + following;
    limit.saturating_sub(taken).max(LEAST_LAYERS.min(limit)).max(1)
}

/// Lays all wheels, and puts the layers on the stage's tree.
pub(super) fn lay(
    planner: &mut StagePlanner<'_, '_>,
    packages: &[Package],
    wheels: &[Arc<InstalledWheel>],
    most: usize,
    span: &Span,
) -> Step<Vec<Arc<LayerSpec>>> {
    let lost = lost_files(planner, packages, wheels, span);
    let sized: Vec<Sized<'_>> = packages
        .iter()
        .zip(wheels)
        .map(|(package, wheel)| Sized { name: &package.name, size: installed_size(wheel) })
        .collect();
    let mut layers = Vec::new();
    // All are laid on what was there before: a layer that knew of its neighbours would change with
    // them. So each has the directories that it needs, with the same attributes everywhere.
    for group in groups::group(&sized, most) {
        let mut laid = Layer::new(planner, span);
        for at in &group {
            for file in &wheels[*at].installation.files {
                if lost.get(&file.path).is_none_or(|winner| winner == at) {
                    laid.place(planner, &wheels[*at], file)?;
                }
            }
        }
        let title = title(group.iter().map(|at| &packages[*at]));
        layers.extend(laid.finish(planner, &title));
    }
    for layer in &layers {
        planner.state.tree.push(Arc::clone(layer));
    }
    Ok(layers)
}

fn installed_size(wheel: &InstalledWheel) -> u64 {
    wheel.installation.files.iter().map(|file| file.content.size).sum()
}

/// `numpy 2.1.3`, or the names of those that share a layer.
fn title<'a>(packages: impl Iterator<Item = &'a Package>) -> String {
    let names: Vec<String> =
        packages.map(|package| format!("{}=={}", package.name, package.version)).collect();
    format!("PYTHON {}", names.join(" "))
}

/// Paths that several wheels have, and which one's file is there in the end: the last one's, as
/// pip's is that comes last.
fn lost_files(
    planner: &mut StagePlanner<'_, '_>,
    packages: &[Package],
    wheels: &[Arc<InstalledWheel>],
    span: &Span,
) -> HashMap<ImagePath, usize> {
    let mut owners: HashMap<&ImagePath, usize> = HashMap::new();
    let mut lost = HashMap::new();
    let mut reported: BTreeMap<(usize, usize), (&ImagePath, usize)> = BTreeMap::new();
    for (at, wheel) in wheels.iter().enumerate() {
        for file in &wheel.installation.files {
            let Some(earlier) = owners.insert(&file.path, at) else { continue };
            lost.insert(file.path.clone(), at);
            let same = wheels[earlier].installation.files.iter().any(|other| {
                other.path == file.path && other.content == file.content && other.mode == file.mode
            });
            if !same {
                reported.entry((earlier, at)).or_insert((&file.path, 0)).1 += 1;
            }
        }
    }
    for ((loser, winner), (path, count)) in reported {
        let (loser, winner) = (&packages[loser].name, &packages[winner].name);
        let more = match count {
            1 => String::new(),
            count => format!(" and {} more", count - 1),
        };
        let message =
            format!("`{loser}` and `{winner}` both have `/{path}`{more}; that of `{winner}` stays");
        warn(planner, span, message, None);
    }
    lost
}

/// A layer of packages while it is laid.
struct Layer {
    laying: Laying,
    directories: HashMap<ImagePath, DirectoryId>,
    streams: BTreeMap<ImagePath, WheelMember>,
    mtime: i64,
}

impl Layer {
    fn new(planner: &StagePlanner<'_, '_>, span: &Span) -> Self {
        let mtime = planner.shared.request.timestamp;
        let made = Attributes::root(DIRECTORY_MODE, mtime);
        let laying = Laying::new(Some(planner.state.tree.clone()), made, span.clone());
        Layer { laying, directories: HashMap::new(), streams: BTreeMap::new(), mtime }
    }

    fn place(
        &mut self,
        planner: &mut StagePlanner<'_, '_>,
        wheel: &InstalledWheel,
        file: &InstalledFile,
    ) -> Step<()> {
        let above = file.path.parent().unwrap_or_else(ImagePath::root);
        let name = file.path.file_name().unwrap_or_default();
        let directory = match self.directories.get(&above) {
            Some(known) => *known,
            None => {
                let made = self.laying.directory(&above, planner.needs)?;
                self.directories.insert(above, made);
                made
            }
        };
        let attributes = Attributes::root(file.mode, self.mtime);
        let node = Node::File(file.content);
        self.laying.place(directory, name, attributes, node, None, planner.needs)?;
        let source = match &file.origin {
            FileOrigin::Inline(bytes) => Source::Inline(Arc::clone(bytes)),
            FileOrigin::Member(at) => {
                let Some(member) = wheel.member(*at) else { return Ok(()) };
                if is_kept(&member, planner.shared.request.packing) {
                    let path = self.laying.path_of(directory).join(name);
                    self.streams.insert(path, member.clone());
                }
                Source::Wheel(member)
            }
        };
        planner.shared.sources.insert(file.content.digest, source);
        Ok(())
    }

    fn finish(self, planner: &StagePlanner<'_, '_>, title: &str) -> Option<Arc<LayerSpec>> {
        planner.layer(self.laying.finish(), self.streams, title)
    }
}

/// Whether a file's content stays as the wheel has it compressed.
fn is_kept(member: &WheelMember, packing: Packing) -> bool {
    let WheelMember { member, .. } = member;
    matches!(packing, Packing::Gzip(_))
        && member.method == Method::Deflated
        && layer::keeps_deflated(member.size, member.packed_size)
}
