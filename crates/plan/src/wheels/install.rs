//! What wheels become, as layers.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use layer::{Attributes, Node, Packing};
use oci::ImagePath;
use python::{FileOrigin, Installation, InstalledFile, Method, Package};
use recipe::{PythonPackages, Span};

use super::collisions;
use super::title::title;
use crate::error::Step;
use crate::facts::InstalledWheel;
use crate::grouping;
use crate::grouping::packages::{self, Sized};
use crate::laying::{DirectoryId, Laying};
use crate::outcome::{LayerSpec, Source, Stream, WheelMember};
use crate::stage::StagePlanner;

/// What pip gives directories, with the usual umask.
const DIRECTORY_MODE: u32 = 0o755;

/// Lays all wheels, and puts the layers on the stage's tree.
pub(super) fn lay(
    planner: &mut StagePlanner<'_, '_>,
    asked: &PythonPackages,
    packages: &[Package],
    wheels: &[Arc<InstalledWheel>],
    span: &Span,
) -> Step<Vec<Arc<LayerSpec>>> {
    let placed = placed(planner, packages, wheels, span)?;
    let lost = collisions::settle(planner, &placed, span)?;
    let sized: Vec<Sized<'_>> =
        placed.iter().map(|wheel| Sized { name: &wheel.wheel, size: size(wheel) }).collect();
    if !packages.is_empty() {
        grouping::warn_of_limit(planner, asked.max_layers.as_ref());
    }
    let mut layers = Vec::new();
    // All are laid on what was there before: a layer that knew of its neighbours would change with
    // them. So each has the directories that it needs, with the same attributes everywhere.
    for group in packages::group(&sized, grouping::most_layers(planner)) {
        let mut layer = Layer::new(planner, span);
        layer.directories.laying.reserve(group.iter().map(|at| placed[*at].files.len()).sum());
        for at in &group {
            let lost = lost.get(at);
            for file in &placed[*at].files {
                if lost.is_none_or(|lost| !lost.contains(&file.path)) {
                    layer.place(planner, &wheels[*at], file)?;
                }
            }
        }
        let pins: Vec<String> = group.iter().map(|at| pin(&packages[*at])).collect();
        layers.extend(layer.finish(planner, pins));
    }
    for layer in &layers {
        planner.state.tree.push(Arc::clone(layer));
    }
    Ok(layers)
}

fn size(wheel: &Installation) -> u64 {
    wheel.files.iter().fold(0, |sum, file| sum.saturating_add(file.content.size))
}

fn pin(package: &Package) -> String {
    format!("{}=={}", package.name, package.version)
}

/// The wheels, by their packages' names, with every file where it will really be: links of the base
/// lead elsewhere, and to one place by several ways.
fn placed(
    planner: &mut StagePlanner<'_, '_>,
    packages: &[Package],
    wheels: &[Arc<InstalledWheel>],
    span: &Span,
) -> Step<Vec<Installation>> {
    let mut directories = Directories::new(planner, span);
    let mut placed = Vec::with_capacity(wheels.len());
    for (package, wheel) in packages.iter().zip(wheels) {
        let mut files = Vec::with_capacity(wheel.installation.files.len());
        for file in &wheel.installation.files {
            let (directory, name) = directories.of(planner, &file.path)?;
            let mut file = file.clone();
            let real = directories.laying.path_of(directory);
            if file.path.strip_prefix(real) != Some(name) {
                file.path = real.join(name);
            }
            files.push(file);
        }
        // Of two that come to lie at one path the later stays.
        files.reverse();
        files.sort_by(|one, other| one.path.cmp(&other.path));
        files.dedup_by(|one, other| one.path == other.path);
        let wheel = package.name.clone();
        placed.push(Installation { wheel, files });
    }
    Ok(placed)
}

/// The directories that files are in, each looked for once.
struct Directories {
    laying: Laying,
    known: HashMap<ImagePath, DirectoryId>,
}

impl Directories {
    fn new(planner: &StagePlanner<'_, '_>, span: &Span) -> Self {
        let made = Attributes::root(DIRECTORY_MODE, planner.shared.request.timestamp);
        let laying = Laying::new(Some(planner.state.tree.clone()), made, span.clone());
        Directories { laying, known: HashMap::new() }
    }

    /// The directory above `path`, made if it is missing, and the name in it.
    fn of<'a>(
        &mut self,
        planner: &mut StagePlanner<'_, '_>,
        path: &'a ImagePath,
    ) -> Step<(DirectoryId, &'a [u8])> {
        let above = path.parent().unwrap_or_else(ImagePath::root);
        let name = path.file_name().unwrap_or_default();
        if let Some(known) = self.known.get(&above) {
            return Ok((*known, name));
        }
        let made = self.laying.directory(&above, planner.needs)?;
        self.known.insert(above, made);
        Ok((made, name))
    }
}

/// A layer of packages while it is laid.
struct Layer {
    directories: Directories,
    streams: BTreeMap<ImagePath, Stream>,
}

impl Layer {
    fn new(planner: &StagePlanner<'_, '_>, span: &Span) -> Self {
        Layer { directories: Directories::new(planner, span), streams: BTreeMap::new() }
    }

    fn place(
        &mut self,
        planner: &mut StagePlanner<'_, '_>,
        wheel: &InstalledWheel,
        file: &InstalledFile,
    ) -> Step<()> {
        let (directory, name) = self.directories.of(planner, &file.path)?;
        let attributes = Attributes::root(file.mode, planner.shared.request.timestamp);
        let (node, laying) = (Node::File(file.content), &mut self.directories.laying);
        laying.place(directory, name, attributes, node, None, planner.needs)?;
        let source = source(wheel, file);
        if let Source::Wheel(member) = &source
            && is_kept(member, planner.shared.request.packing)
        {
            self.streams.insert(file.path.clone(), Stream::Wheel(member.clone()));
        }
        planner.shared.sources.insert(file.content.digest, source);
        Ok(())
    }

    fn finish(
        self,
        planner: &StagePlanner<'_, '_>,
        packages: Vec<String>,
    ) -> Option<Arc<LayerSpec>> {
        let title = title("PYTHON", &packages);
        let layer = planner.layer(self.directories.laying.finish(), self.streams, &title)?;
        Some(Arc::new(LayerSpec { packages, ..layer }))
    }
}

/// Where the bytes of a file of a wheel are.
pub(crate) fn source(wheel: &InstalledWheel, file: &InstalledFile) -> Source {
    match &file.origin {
        FileOrigin::Inline(bytes) => Source::Inline(Arc::clone(bytes)),
        FileOrigin::Member(at) => Source::Wheel(wheel.member(*at)),
    }
}

/// Whether a file's content stays as the wheel has it compressed.
pub(crate) fn is_kept(member: &WheelMember, packing: Packing) -> bool {
    let WheelMember { member, .. } = member;
    matches!(packing, Packing::Gzip(_))
        && member.method == Method::Deflated
        && layer::keeps_deflated(member.size, member.packed_size)
}
