//! `[debian]`: packages installed as by a line with `apt-get`, with no line and no apt.

use std::collections::BTreeSet;
use std::sync::Arc;

use ::debian::apt::assembly::{self, Assembly, Ground, Recommends, Variant};
use bstr::BString;
use layer::Attributes;
use oci::ImagePath;
use recipe::{DebianPackages, DebianSources, DebianVariant, Span};
use shell::files::FileResult;
use shell::{Command, Data, Files, Limits, User};

use super::command::settle;
use super::mounts::Trees;
use super::outside::{Network, RunOutside};
use super::redaction::Redaction;
use super::{Done, finish};
use crate::error::{PlanError, Step, Stop, together};
use crate::facts::Need;
use crate::outcome::Becomes;
use crate::stage::StagePlanner;
use crate::wheels;

/// What maintainer scripts are run with, where no image says otherwise.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A file that is seen while packages are installed, and is none of the image's.
struct Mounted {
    path: ImagePath,
    bytes: Arc<[u8]>,
}

/// Plans the installation of Debian packages.
pub(crate) fn plan_debian(
    planner: &mut StagePlanner<'_, '_>,
    asked: &DebianPackages,
    text: &str,
    span: &Span,
) -> Step<Becomes> {
    if planner.state.tree.is_executed() {
        return Err(Stop::Execution);
    }
    let ground = match planner.state.tree.depth() {
        0 => Ground::Nothing,
        _ => Ground::Image,
    };
    let mounted = mounted(planner, asked, ground)?;
    let limits = Limits::default();
    let clock = planner.shared.request.timestamp;
    let root = planner.state.tree.root().clone();
    let mut files = Files::new(root, User::default(), clock, limits);
    let placed = mount(&mut files, asked, &mounted);
    settle(planner, placed, span, || "set up the package sources".to_owned())?;
    let command = Command {
        words: vec![BString::from("apt-get")],
        environment: environment(),
        directory: ImagePath::root(),
        platform: planner.shared.request.platform.clone(),
    };
    let (trees, redaction) = (Trees::default(), Redaction::of_nothing());
    let outside = RunOutside::new(planner, Network::Default, &trees, &redaction, span);
    let assembly = assembly(asked, ground);
    let (ended, outcome) = shell::attempt_program(command, files, &outside, limits, |process| {
        assembly::assemble(process, &outside, &assembly)
    });
    match outside.conclude(ended, outcome)? {
        Ok((outcome, installs)) => {
            let done = Done { outcome, trees, installs, verb: "DEBIAN" };
            finish(planner, done, &redaction, text, span)
        }
        Err(execution) => Ok(Becomes::NeedsExecution(Box::new(execution))),
    }
}

fn environment() -> std::collections::BTreeMap<BString, BString> {
    let variables = [("PATH", PATH), ("HOME", "/root"), ("DEBIAN_FRONTEND", "noninteractive")];
    variables.map(|(name, value)| (name.into(), value.into())).into()
}

fn assembly(asked: &DebianPackages, ground: Ground) -> Assembly {
    Assembly {
        packages: asked.packages.iter().map(|package| package.node.clone()).collect(),
        variant: match asked.variant {
            DebianVariant::Custom => Variant::Custom,
            DebianVariant::Essential => Variant::Essential,
            DebianVariant::Minbase => Variant::Minbase,
        },
        recommends: match asked.recommends {
            true => Recommends::Installed,
            false => Recommends::LeftOut,
        },
        skipped_scripts: skipped_scripts(asked),
        ground,
    }
}

fn skipped_scripts(asked: &DebianPackages) -> BTreeSet<String> {
    asked.skipped_scripts.iter().map(|package| package.node.clone()).collect()
}

/// The files that say where packages come from: the recipe's own, or on an image that begins with
/// nothing this machine's. An image's own are there already.
fn mounted(
    planner: &mut StagePlanner<'_, '_>,
    asked: &DebianPackages,
    ground: Ground,
) -> Step<Vec<Mounted>> {
    let mut mounted = match &asked.sources {
        Some(sources) => own(planner, sources)?,
        None if ground == Ground::Image => Vec::new(),
        None => of_machine(planner, asked)?,
    };
    let preferences = together(asked.preferences.iter().map(|path| {
        let bytes = wheels::context_bytes(planner, &path.node, &path.span)?;
        Ok(Arc::<[u8]>::from(bytes))
    }))?;
    for (at, bytes) in preferences.into_iter().enumerate() {
        let path = ImagePath::lexical(format!("etc/apt/preferences.d/plywood-{at}.pref"));
        mounted.push(Mounted { path, bytes });
    }
    Ok(mounted)
}

/// What the machine's own apt is set up for.
fn of_machine(planner: &mut StagePlanner<'_, '_>, asked: &DebianPackages) -> Step<Vec<Mounted>> {
    let Some(files) = &planner.shared.facts.machine_sources else {
        planner.needs.add(Need::MachineSources);
        return Err(Stop::Needs);
    };
    if files.is_empty() {
        let message = "nothing says where packages come from: the image begins with nothing, and \
                       this machine has no apt";
        let hint = "name an archive: `sources`, `suites` and `keys` in `[debian]`";
        return Err(PlanError::files(asked.span.clone(), message).with_hint(hint).into());
    }
    let mounted =
        files.iter().map(|(path, bytes)| Mounted { path: path.clone(), bytes: Arc::clone(bytes) });
    Ok(mounted.collect())
}

/// The recipe's sources as a file of apt's (sources.list(5), "deb822-style format").
fn own(planner: &mut StagePlanner<'_, '_>, sources: &DebianSources) -> Step<Vec<Mounted>> {
    let keys = together(sources.keys.iter().map(|key| {
        let bytes = wheels::context_bytes(planner, &key.node, &key.span)?;
        Ok(Arc::<[u8]>::from(bytes))
    }))?;
    let words = |texts: &[recipe::Spanned<String>]| {
        texts.iter().map(|text| text.node.as_str()).collect::<Vec<_>>().join(" ")
    };
    let mut stanza =
        format!("Types: deb\nURIs: {}\nSuites: {}\n", words(&sources.uris), words(&sources.suites));
    if !sources.suites.iter().all(|suite| suite.node.ends_with('/')) {
        stanza.push_str(&format!("Components: {}\n", words(&sources.components)));
    }
    if let Some(snapshot) = &sources.snapshot {
        stanza.push_str(&format!("Snapshot: {}\n", snapshot_id(&snapshot.node)));
        stanza.push_str("Check-Valid-Until: no\n");
    }
    let mut mounted = Vec::new();
    let mut paths = Vec::new();
    for (at, bytes) in keys.into_iter().enumerate() {
        let ending = if bytes.starts_with(b"-----BEGIN") { "asc" } else { "gpg" };
        let path = ImagePath::lexical(format!("etc/apt/keyrings/plywood-{at}.{ending}"));
        paths.push(format!("/{path}"));
        mounted.push(Mounted { path, bytes });
    }
    if !paths.is_empty() {
        stanza.push_str(&format!("Signed-By: {}\n", paths.join(",")));
    }
    let path = ImagePath::lexical("etc/apt/sources.list.d/plywood.sources");
    mounted.push(Mounted { path, bytes: Arc::from(stanza.into_bytes()) });
    Ok(mounted)
}

/// A time as archives name their snapshots: `20261101T000000Z`. A date is the end of that day.
fn snapshot_id(moment: &str) -> String {
    let digits: String = moment.chars().filter(char::is_ascii_digit).collect();
    match digits.get(..8) {
        Some(day) if digits.len() >= 14 => format!("{day}T{}Z", &digits[8..14]),
        Some(day) => format!("{day}T235959Z"),
        None => digits,
    }
}

/// Lets the image's files be seen with `mounted` over them. Sources of the recipe's own are instead
/// of the image's, and what was read of archives leaves nothing behind.
fn mount(files: &mut Files, asked: &DebianPackages, mounted: &[Mounted]) -> FileResult<()> {
    let attributes = |mode| Attributes::root(mode, files.clock());
    let (directory, file) = (attributes(0o755), attributes(0o644));
    files.mount_empty(&ImagePath::lexical("var/lib/apt/lists"), directory.clone())?;
    if asked.sources.is_some() {
        files.mount_empty(&ImagePath::lexical("etc/apt/sources.list.d"), directory)?;
        files.mount_file(
            &ImagePath::lexical("etc/apt/sources.list"),
            Data::empty(),
            file.clone(),
        )?;
    }
    for Mounted { path, bytes } in mounted {
        files.mount_file(path, Data::of(&bytes[..]), file.clone())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::snapshot_id;

    #[test]
    fn snapshots_are_named_by_their_time() {
        assert_eq!(snapshot_id("2026-11-01T06:30:00Z"), "20261101T063000Z");
        assert_eq!(snapshot_id("2026-11-01"), "20261101T235959Z");
    }
}
