//! A root file system of packages alone.
//!
//! The order is that of debootstrap, whose results Debian's images are: packages are laid out
//! unconfigured, so that scripts find what they call; then those are installed that all others lean
//! on, one by one, and then the rest.

use std::collections::BTreeSet;
use std::sync::Arc;

use bstr::ByteSlice;
use layer::Attributes;
use oci::ImagePath;
use shell::files::{FileError, FileResult, Last, NewNode};
use shell::{Data, Files, Origin, Process, Stored};

use super::{Assembly, NO_LISTS, Variant, begin, tools};
use crate::apt::commands::carry_out::{self, Debs};
use crate::apt::commands::change::{Decision, Goal, decide};
use crate::apt::commands::session::{Done, FAILED, Session};
use crate::apt::commands::summary;
use crate::apt::lists;
use crate::apt::problem::Failure;
use crate::apt::resolver::Solution;
use crate::deb::{Deb, MemberNode};
use crate::dpkg::engine::{Engine, Options};
use crate::dpkg::settings::Force;
use crate::outside::Outside;

/// Directories that are links into `/usr` (Debian 12's debootstrap, `setup_merged_usr`), and those
/// architectures that have a second one for libraries, where the loader is.
const MERGED: [&str; 3] = ["bin", "sbin", "lib"];
const MERGED_OF: [(&str, &str); 4] =
    [("amd64", "lib64"), ("ppc64el", "lib64"), ("loong64", "lib64"), ("x32", "lib64")];
/// The package that says that `/usr` is merged.
const MERGED_ALREADY: &str = "usr-is-merged";
/// What others lean on, in debootstrap's order.
const FIRST: [&str; 7] =
    ["base-passwd", "base-files", "dpkg", "libc6", "perl-base", "mawk", "debconf"];
/// The package that sources are for.
const APT: &str = "apt";
/// dpkg's database before there is anything in it.
const DATABASE: [&str; 3] = ["info", "updates", "triggers"];

/// Makes the root file system.
pub(super) fn assemble(
    process: &mut Process<'_, '_>,
    outside: &dyn Outside,
    asked: &Assembly,
) -> Done {
    prepare(process).map_err(unexpected)?;
    let mut session = begin(process, outside, asked)?;
    let status = lists::update(session.process, session.outside, &session.configuration)?;
    if status != 0 {
        return Ok(NO_LISTS);
    }
    let essential = essential(&mut session, asked.variant)?;
    session.operands.extend(essential.iter().cloned());
    let Decision { archives, files, solution } = match decide(&mut session, Goal::Install)? {
        Ok(decision) => decision,
        Err(status) => return Ok(status),
    };
    let given = given(&mut session, asked, essential)?;
    summary::say(&mut session, &solution)?;
    let chosen = carry_out::Chosen { archives: &archives, files: &files, solution: &solution };
    let debs = carry_out::fetch(&mut session, &chosen)?;
    let all = sorted(&debs);
    unmount(session.process);
    tools::lend(session.process, &all).map_err(unexpected)?;
    for deb in &all {
        lay_out(session.process, deb).map_err(unexpected)?;
    }
    let status = install_first(&mut session, &all, asked)?;
    if status != 0 {
        return failed(&mut session, status);
    }
    let status = carry_out::run_dpkg(&mut session, &without_first(&solution), &debs)?;
    if status != 0 {
        return failed(&mut session, status);
    }
    if all.iter().any(|deb| deb.control.text("Package") == Some(APT)) {
        leave_sources(session.process, asked).map_err(unexpected)?;
        let solution = marked_manual(&solution, &given);
        if !solution.new_automatic.is_empty() {
            carry_out::mark(&mut session, &solution)?;
        }
    }
    Ok(0)
}

/// What says where packages come from, and the lists of what is there, is needed no more, and may be
/// in the place of what packages bring.
fn unmount(process: &mut Process<'_, '_>) {
    let files = &mut process.machine.files;
    let mounted: Vec<ImagePath> = files.mounted().cloned().collect();
    mounted.iter().for_each(|at| files.unmount(at));
}

/// The packages of the variant with all that they need: debootstrap installs these, and as if
/// somebody had asked for each.
fn given(
    session: &mut Session<'_, '_, '_>,
    asked: &Assembly,
    essential: Vec<String>,
) -> Result<BTreeSet<Box<str>>, Failure> {
    if asked.variant == Variant::Custom {
        return Ok(BTreeSet::new());
    }
    let operands = std::mem::replace(&mut session.operands, essential);
    let decided = decide(session, Goal::Install);
    session.operands = operands;
    let changes = decided?.map(|decision| decision.solution.changes.clone()).unwrap_or_default();
    Ok(changes.into_iter().map(|change| change.package.name.as_ref().into()).collect())
}

/// A solution in which none of these packages came because another wanted it.
fn marked_manual(solution: &Solution, given: &BTreeSet<Box<str>>) -> Solution {
    let mut solution = solution.clone();
    solution.new_automatic.retain(|id| !given.contains(&*id.name));
    for change in &mut solution.changes {
        change.is_automatic &= !given.contains(&*change.package.name);
    }
    solution
}

/// What is left to do once the first packages are there.
fn without_first(solution: &Solution) -> Solution {
    let mut solution = solution.clone();
    solution.steps.retain(|step| !FIRST.contains(&&*step.package.name));
    solution
}

/// Writes the sources of the image into it, for its own apt; what packages brought stays.
fn leave_sources(process: &mut Process<'_, '_>, asked: &Assembly) -> FileResult<()> {
    let files = &mut process.machine.files;
    let clock = files.clock();
    for (path, bytes) in &asked.sources {
        if files.stat(path)?.is_none() {
            make_directories(files, path)?;
            let file = NewNode::File(Data::of(&bytes[..]));
            files.put_whole(path, Attributes::root(0o644, clock), file)?;
        }
    }
    Ok(())
}

/// Makes the directories above a path that are not there.
fn make_directories(files: &mut Files, path: &ImagePath) -> FileResult<()> {
    let clock = files.clock();
    let mut above: Vec<ImagePath> = path.ancestors().collect();
    above.reverse();
    for directory in above {
        if files.stat(&directory)?.is_none() {
            let attributes = Attributes::root(0o755, clock);
            files.put_whole(&directory, attributes, NewNode::Directory)?;
        }
    }
    Ok(())
}

pub(super) fn failed(session: &mut Session<'_, '_, '_>, status: u8) -> Done {
    session.complain(format!("E: Sub-process dpkg returned an error code ({status})"))?;
    Ok(FAILED)
}

/// The links of a merged `/usr`, and an empty database.
fn prepare(process: &mut Process<'_, '_>) -> FileResult<()> {
    let native = crate::dpkg::architecture::native(process)?;
    let files = &mut process.machine.files;
    let clock = files.clock();
    let more = MERGED_OF.iter().filter(|(known, _)| *known == native).map(|(_, name)| *name);
    for name in MERGED.into_iter().chain(more) {
        make_directories(files, &ImagePath::lexical(format!("usr/{name}/-")))?;
        let target = NewNode::Symlink(format!("usr/{name}").into_bytes());
        files.put_whole(&ImagePath::lexical(name), Attributes::root(0o777, clock), target)?;
    }
    for name in DATABASE {
        make_directories(files, &ImagePath::lexical(format!("var/lib/dpkg/{name}/-")))?;
    }
    for (name, text) in [("status", ""), ("available", ""), ("info/format", "1\n")] {
        let path = ImagePath::lexical(format!("var/lib/dpkg/{name}"));
        let file = NewNode::File(Data::of(text.as_bytes()));
        files.put_whole(&path, Attributes::root(0o644, clock), file)?;
    }
    Ok(())
}

/// The packages of a variant: those of the priority `required` (debootstrap's first set), and apt.
fn essential(session: &mut Session<'_, '_, '_>, variant: Variant) -> Result<Vec<String>, Failure> {
    if variant == Variant::Custom {
        return Ok(Vec::new());
    }
    let archives = session.archives(&[format!("{variant:?}")])?;
    let native = session.configuration.value("APT::Architecture").unwrap_or_default().to_owned();
    let mut names = BTreeSet::new();
    for offer in archives.iter().flat_map(|archive| archive.index.offers()) {
        let is_meant = match variant {
            Variant::Minbase => offer.priority() == "required",
            _ => offer.is_essential(),
        };
        if is_meant && [native.as_str(), "all"].contains(&offer.architecture()) {
            names.insert(offer.name().to_owned());
        }
    }
    if variant == Variant::Minbase {
        names.insert(APT.to_owned());
    }
    // debootstrap merges /usr itself, so that the package that does it is not needed.
    if archives.iter().any(|archive| archive.index.named(MERGED_ALREADY).next().is_some()) {
        names.insert(MERGED_ALREADY.to_owned());
    }
    Ok(names.into_iter().collect())
}

/// The packages in an order that does not depend on anything else.
pub(super) fn sorted(debs: &Debs) -> Vec<Arc<Deb>> {
    let mut all: Vec<_> = debs.iter().collect();
    all.sort_by_key(|(id, _)| *id);
    all.into_iter().map(|(_, deb)| Arc::clone(deb)).collect()
}

/// Puts a package's files into place without dpkg knowing, over what is there.
fn lay_out(process: &mut Process<'_, '_>, deb: &Deb) -> FileResult<()> {
    let mut places: Vec<Option<ImagePath>> = Vec::with_capacity(deb.members.len());
    for member in &deb.members {
        let name = [b"/", member.name.as_bytes()].concat();
        let located = process.locate(&name, Last::Kept)?;
        let (path, there) = (located.path, located.stat);
        let is_link_to_directory =
            || matches!(process.find(&name, Last::Followed), Ok((_, stat)) if stat.is_directory());
        let attributes = member.attributes.clone();
        let node = match &member.node {
            MemberNode::Directory if there.is_some() && is_link_to_directory() => {
                places.push(None);
                continue;
            }
            MemberNode::Directory => NewNode::Directory,
            MemberNode::File { content, .. } => {
                let path = ImagePath::lexical(&member.name[..]);
                let origin = Arc::new(Origin::Package { package: deb.digest, path });
                NewNode::File(Data::Stored(Stored { content: *content, origin }))
            }
            MemberNode::Symlink(target) => NewNode::Symlink(target.to_vec()),
            MemberNode::Hardlink(at) => {
                if let Some(original) = places.get(*at).cloned().flatten() {
                    if there.is_some() {
                        process.machine.files.remove(&path)?;
                    }
                    process.machine.files.link(&original, &path)?;
                }
                places.push(Some(path));
                continue;
            }
            MemberNode::CharDevice(major, minor) => {
                NewNode::CharDevice { major: *major, minor: *minor }
            }
            MemberNode::BlockDevice(major, minor) => {
                NewNode::BlockDevice { major: *major, minor: *minor }
            }
            MemberNode::Fifo => NewNode::Fifo,
        };
        process.machine.files.put_whole(&path, attributes, node)?;
        places.push(Some(path));
    }
    Ok(())
}

/// Installs what others lean on, one after the other.
fn install_first(
    session: &mut Session<'_, '_, '_>,
    essential: &[Arc<Deb>],
    asked: &Assembly,
) -> Done {
    for name in FIRST {
        let named = |deb: &&Arc<Deb>| deb.control.text("Package") == Some(name);
        let Some(deb) = essential.iter().find(named) else { continue };
        let options = Options {
            skipped_scripts: asked.skipped_scripts.clone(),
            forced: [Force::Depends].into(),
            ..Options::default()
        };
        let mut engine = Engine::new(session.process, session.outside, options);
        let status = engine.install(std::slice::from_ref(deb))?;
        if status != 0 {
            return Ok(status);
        }
    }
    Ok(0)
}

/// What cannot be with files that nobody else writes.
pub(super) fn unexpected(error: FileError) -> Failure {
    match error {
        FileError::Stop(stop) => stop.into(),
        FileError::Errno(errno) => Failure::of_file(&ImagePath::root(), errno.into()),
    }
}
