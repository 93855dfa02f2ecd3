//! `[debian]`: packages installed as by a line with `apt-get`, with no line and no apt.

use std::collections::BTreeSet;
use std::sync::Arc;

use ::debian::apt::assembly::{self, Assembly, Ground, Recommends, Variant};
use ::debian::apt::snapshot;
use bstr::{BString, ByteSlice};
use layer::Attributes;
use oci::ImagePath;
use recipe::{DebianPackages, DebianSources, DebianVariant, Span};
use shell::files::FileResult;
use shell::{Command, Data, Files, Limits, Outcome, User};

use super::command::settle;
use super::mounts::Trees;
use super::outside::{Network, RunOutside};
use super::redaction::Redaction;
use super::{Done, finish, has_failed_script, report};
use crate::error::{PlanError, Step, Stop, together};
use crate::facts::Need;
use crate::grouping;
use crate::key::Form;
use crate::outcome::Becomes;
use crate::stage::StagePlanner;
use crate::wheels;

/// What maintainer scripts are run with, where no image says otherwise.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Where sources are, and keys and pins of a recipe.
const SOURCES: &str = "etc/apt/sources.list";
const MORE_SOURCES: &str = "etc/apt/sources.list.d/";
const KEYS: &str = "etc/apt/keyrings/";
const PINS: &str = "etc/apt/preferences.d/";

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
    let mut form = form(asked, &mounted);
    // The history has it as it is written.
    form.text(text.as_bytes());
    planner.recalled(form, span, |planner| install(planner, asked, ground, &mounted, text, span))
}

/// All that the packages depend on beside what lies below them.
fn form(asked: &DebianPackages, mounted: &[Mounted]) -> Form {
    let mut form = Form::new();
    form.text(b"DEBIAN");
    form.end_kind();
    form.text(format!("{asked:?}").as_bytes());
    form.number(mounted.len() as u64);
    for Mounted { path, bytes } in mounted {
        form.text(path.as_bytes());
        form.text(bytes);
    }
    form
}

fn install(
    planner: &mut StagePlanner<'_, '_>,
    asked: &DebianPackages,
    ground: Ground,
    mounted: &[Mounted],
    text: &str,
    span: &Span,
) -> Step<Becomes> {
    let limits = Limits::default();
    let clock = planner.shared.request.timestamp;
    let root = planner.state.tree.root().clone();
    let mut files = Files::new(root, User::default(), clock, limits);
    let placed = mount(&mut files, asked, mounted);
    settle(planner, placed, span, || "set up the package sources".to_owned())?;
    let command = Command {
        words: vec![BString::from("apt-get")],
        environment: environment(),
        directory: ImagePath::root(),
        platform: planner.shared.request.platform.clone(),
    };
    let (trees, redaction) = (Trees::default(), Redaction::of_nothing());
    let outside = RunOutside::new(planner, Network::Default, &trees, &redaction, span);
    let assembly = assembly(asked, ground, kept(asked, mounted));
    let (ended, outcome) = shell::attempt_program(command, files, &outside, limits, |process| {
        assembly::assemble(process, &outside, &assembly)
    });
    match outside.conclude(ended, outcome)? {
        Ok((outcome, _)) if outcome.status != 0 => Err(failed(asked, &outcome, span).into()),
        Ok((outcome, installs)) => {
            if !installs.debs.is_empty() {
                grouping::warn_of_limit(planner, asked.max_layers.as_ref());
            }
            let done = Done { outcome, trees, installs, verb: "DEBIAN" };
            finish(planner, done, &redaction, text, span)
        }
        Err(execution) => Ok(Becomes::NeedsExecution(Box::new(execution))),
    }
}

/// That packages cannot be installed: what apt says of it, at the key that it is about.
fn failed(asked: &DebianPackages, outcome: &Outcome, span: &Span) -> PlanError {
    let said = report::last_lines(&outcome.transcript, &Redaction::of_nothing());
    let own = asked.sources.as_ref().filter(|_| outcome.status == assembly::NO_LISTS);
    if let Some(sources) = own {
        let place = sources.uris.first().map_or(span, |uri| &uri.span).clone();
        let message = format!("the lists of packages cannot be had:\n{said}");
        let hint = "plywood.sources is what `sources` and `suites` say, and its keyrings are those \
                    of `keys`";
        return PlanError::command(place, message).with_hint(hint);
    }
    let place = asked.packages.iter().find(|package| is_told_of(&said, &package.node));
    let place = place.map_or(span, |package| &package.span).clone();
    let error = PlanError::command(place, format!("the packages cannot be installed:\n{said}"));
    match has_failed_script(&said) {
        true => error.with_hint("`scripts = \"skip:PACKAGE\"` leaves out the scripts of a package"),
        false => error,
    }
}

/// Whether an error, or the list of what is unmet, names a package.
fn is_told_of(said: &str, package: &str) -> bool {
    let name = package.split(['=', '/', ':']).next().unwrap_or(package);
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || "+-.".contains(letter);
    let lines = said.lines().filter(|line| line.starts_with("E: ") || line.starts_with(' '));
    let mut words = lines.flat_map(|line| line.split(|letter| !is_part(letter)));
    words.any(|word| word == name)
}

fn environment() -> std::collections::BTreeMap<BString, BString> {
    let variables = [("PATH", PATH), ("HOME", "/root"), ("DEBIAN_FRONTEND", "noninteractive")];
    variables.map(|(name, value)| (name.into(), value.into())).into()
}

fn assembly(
    asked: &DebianPackages,
    ground: Ground,
    sources: Vec<(ImagePath, Arc<[u8]>)>,
) -> Assembly {
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
        sources,
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
        Some(sources) if ground == Ground::Nothing && sources.keys.is_empty() => {
            let mut mounted = own(planner, sources)?;
            mounted.extend(keys_of_machine(planner)?);
            mounted
        }
        Some(sources) => own(planner, sources)?,
        None if ground == Ground::Image => Vec::new(),
        None => of_machine(planner, asked)?,
    };
    let preferences = together(asked.preferences.iter().map(|path| {
        let bytes = wheels::context_bytes(planner, &path.node, &path.span)?;
        Ok(Arc::<[u8]>::from(bytes))
    }))?;
    for (at, bytes) in preferences.into_iter().enumerate() {
        let path = ImagePath::lexical(format!("{PINS}plywood-{at}.pref"));
        mounted.push(Mounted { path, bytes });
    }
    Ok(mounted)
}

/// The files of this machine's apt.
fn machine_files(planner: &mut StagePlanner<'_, '_>) -> Step<Vec<Mounted>> {
    let Some(files) = &planner.shared.facts.machine_sources else {
        planner.needs.add(Need::MachineSources);
        return Err(Stop::Needs);
    };
    let mounted =
        files.iter().map(|(path, bytes)| Mounted { path: path.clone(), bytes: Arc::clone(bytes) });
    Ok(mounted.collect())
}

/// Every key that this machine's apt knows, trusted for whatever source.
fn keys_of_machine(planner: &mut StagePlanner<'_, '_>) -> Step<Vec<Mounted>> {
    let keys = machine_files(planner)?.into_iter().filter(|file| !is_source(&file.path));
    let trusted = keys.enumerate().map(|(at, Mounted { bytes, .. })| {
        let path = format!("etc/apt/trusted.gpg.d/machine-{at}.{}", key_ending(&bytes));
        Mounted { path: ImagePath::lexical(path), bytes }
    });
    Ok(trusted.collect())
}

/// What the machine's own apt is set up for.
fn of_machine(planner: &mut StagePlanner<'_, '_>, asked: &DebianPackages) -> Step<Vec<Mounted>> {
    let files = machine_files(planner)?;
    if !files.iter().any(|file| is_source(&file.path)) {
        let message = "nothing says where packages come from: the image begins with nothing, and \
                       this machine has no apt";
        let hint = "name an archive: `sources`, `suites` and `keys` in `[debian]`";
        return Err(PlanError::files(asked.span.clone(), message).with_hint(hint).into());
    }
    Ok(files)
}

/// Whether a file of apt's names sources, and is no key.
fn is_source(path: &ImagePath) -> bool {
    path.as_bytes() == SOURCES.as_bytes() || path.as_bytes().starts_with(MORE_SOURCES.as_bytes())
}

/// How a key's file is called, by what is in it (apt-secure(8)).
fn key_ending(bytes: &[u8]) -> &'static str {
    if bytes.starts_with(b"-----BEGIN") { "asc" } else { "gpg" }
}

/// What an image that begins with nothing is told of its sources: the recipe's in one line each, as
/// debootstrap writes them, or the machine's own files. A login is for whoever builds, and a
/// snapshot that the archive tells of for what is built: the image's apt goes on with the archive.
fn kept(asked: &DebianPackages, mounted: &[Mounted]) -> Vec<(ImagePath, Arc<[u8]>)> {
    let Some(sources) = &asked.sources else {
        let is_pin = |path: &ImagePath| path.as_bytes().starts_with(PINS.as_bytes());
        let files = mounted.iter().filter(|file| !is_pin(&file.path));
        let files = files.map(|Mounted { path, bytes }| match is_source(path) {
            true => (path.clone(), Arc::from(without_logins(bytes))),
            false => (path.clone(), Arc::clone(bytes)),
        });
        return files.collect();
    };
    let is_key = |file: &&Mounted| file.path.as_bytes().starts_with(KEYS.as_bytes());
    let keys: Vec<&Mounted> = mounted.iter().filter(is_key).collect();
    let paths: Vec<String> = keys.iter().map(|key| format!("/{}", key.path)).collect();
    let signed_by = match paths.is_empty() {
        true => String::new(),
        false => format!("[signed-by={}] ", paths.join(",")),
    };
    let (components, id) = (words(&sources.components), snapshot_id(sources));
    let mut text = String::new();
    for uri in &sources.uris {
        let uri = address(&uri.node, id.as_deref());
        for suite in &sources.suites {
            let suite = &suite.node;
            let components = if suite.ends_with('/') { "" } else { components.as_str() };
            let line = format!("deb {signed_by}{uri} {suite} {components}");
            text.push_str(line.trim_end());
            text.push('\n');
        }
    }
    let list = (ImagePath::lexical(SOURCES), Arc::from(without_logins(text.as_bytes())));
    let keys = keys.into_iter().map(|key| (key.path.clone(), Arc::clone(&key.bytes)));
    std::iter::once(list).chain(keys).collect()
}

/// A text with no user and no password in its addresses (RFC 3986, 3.2.1).
fn without_logins(text: &[u8]) -> Vec<u8> {
    let mut rest = text;
    let mut kept = Vec::with_capacity(text.len());
    while let Some(at) = rest.find(b"://") {
        let (before, after) = rest.split_at(at + 3);
        kept.extend_from_slice(before);
        let end = after.iter().position(|byte| b"/ \t\r\n?#".contains(byte));
        let authority = &after[..end.unwrap_or(after.len())];
        rest = match authority.rfind_byte(b'@') {
            Some(at) => &after[at + 1..],
            None => after,
        };
    }
    kept.extend_from_slice(rest);
    kept
}

fn words(texts: &[recipe::Spanned<String>]) -> String {
    texts.iter().map(|text| text.node.as_str()).collect::<Vec<_>>().join(" ")
}

/// The recipe's sources as a file of apt's (sources.list(5), "deb822-style format").
fn own(planner: &mut StagePlanner<'_, '_>, sources: &DebianSources) -> Step<Vec<Mounted>> {
    let keys = together(sources.keys.iter().map(|key| {
        let bytes = wheels::context_bytes(planner, &key.node, &key.span)?;
        Ok(Arc::<[u8]>::from(bytes))
    }))?;
    let mut mounted = Vec::new();
    let mut paths = Vec::new();
    for (at, bytes) in keys.into_iter().enumerate() {
        let path = ImagePath::lexical(format!("{KEYS}plywood-{at}.{}", key_ending(&bytes)));
        paths.push(format!("/{path}"));
        mounted.push(Mounted { path, bytes });
    }
    let path = ImagePath::lexical(format!("{MORE_SOURCES}plywood.sources"));
    mounted.push(Mounted { path, bytes: Arc::from(stanzas(sources, &paths).into_bytes()) });
    Ok(mounted)
}

/// The sources in deb822 style, a stanza for each address. An address with [`snapshot::ID`] in it is
/// the snapshot's own; of another the archive says where its snapshots are. Lists of a snapshot have
/// expired long ago.
fn stanzas(sources: &DebianSources, keys: &[String]) -> String {
    let id = snapshot_id(sources);
    let is_flat = sources.suites.iter().all(|suite| suite.node.ends_with('/'));
    let stanzas = sources.uris.iter().map(|uri| {
        let own = uri.node.contains(snapshot::ID);
        let uri = address(&uri.node, id.as_deref());
        let mut stanza = format!("Types: deb\nURIs: {uri}\nSuites: {}\n", words(&sources.suites));
        if !is_flat {
            stanza.push_str(&format!("Components: {}\n", words(&sources.components)));
        }
        if let Some(id) = &id {
            stanza.push_str(&format!("Snapshot: {}\n", if own { "disable" } else { id }));
            stanza.push_str("Check-Valid-Until: no\n");
        }
        if !keys.is_empty() {
            stanza.push_str(&format!("Signed-By: {}\n", keys.join(",")));
        }
        stanza
    });
    stanzas.collect::<Vec<_>>().join("\n")
}

fn snapshot_id(sources: &DebianSources) -> Option<String> {
    sources.snapshot.as_ref().map(|snapshot| snapshot::id_of(&snapshot.node))
}

/// An archive's address, with the name of the snapshot where it asks for one.
fn address(uri: &str, id: Option<&str>) -> String {
    uri.replace(snapshot::ID, id.unwrap_or(snapshot::ID))
}

/// Lets the image's files be seen with `mounted` over them. Sources of the recipe's own are instead
/// of the image's, and what was read of archives leaves nothing behind.
fn mount(files: &mut Files, asked: &DebianPackages, mounted: &[Mounted]) -> FileResult<()> {
    let attributes = |mode| Attributes::root(mode, files.clock());
    let (directory, file) = (attributes(0o755), attributes(0o644));
    files.mount_empty(&ImagePath::lexical("var/lib/apt/lists"), directory.clone())?;
    if asked.sources.is_some() {
        files.mount_empty(&ImagePath::lexical("etc/apt/sources.list.d"), directory)?;
        files.mount_file(&ImagePath::lexical(SOURCES), Data::empty(), file.clone())?;
    }
    for Mounted { path, bytes } in mounted {
        files.mount_file(path, Data::of(&bytes[..]), file.clone())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(sources: Option<DebianSources>) -> DebianPackages {
        DebianPackages {
            packages: Vec::new(),
            variant: DebianVariant::Minbase,
            recommends: false,
            sources,
            preferences: Vec::new(),
            skipped_scripts: Vec::new(),
            max_layers: None,
            span: 0..0,
        }
    }

    fn shown(asked: &DebianPackages, mounted: &[(&str, &str)]) -> Vec<(String, String)> {
        let mounted = mounted.iter().map(|(path, text)| Mounted {
            path: ImagePath::lexical(path),
            bytes: Arc::from(text.as_bytes()),
        });
        let kept = kept(asked, &mounted.collect::<Vec<_>>()).into_iter();
        kept.map(|(path, bytes)| (path.to_string(), String::from_utf8_lossy(&bytes).into_owned()))
            .collect()
    }

    #[test]
    fn sources_of_the_recipe_are_a_line_each() {
        let texts = |texts: &[&str]| {
            let spanned =
                texts.iter().map(|text| recipe::Spanned { node: (*text).to_owned(), span: 0..0 });
            spanned.collect::<Vec<_>>()
        };
        let asked = asked(Some(DebianSources {
            uris: texts(&["https://me:SECRET@h.example/debian"]),
            suites: texts(&["bookworm", "flat/"]),
            components: texts(&["main", "contrib"]),
            keys: texts(&["k.gpg"]),
            snapshot: texts(&["2026-11-01"]).pop(),
        }));
        let key = ("etc/apt/keyrings/plywood-0.gpg", "key");
        let pin = ("etc/apt/preferences.d/plywood-0.pref", "pin");
        let deb = "deb [signed-by=/etc/apt/keyrings/plywood-0.gpg] https://h.example/debian";
        let list = format!("{deb} bookworm main contrib\n{deb} flat/\n");
        assert_eq!(
            shown(&asked, &[key, pin]),
            [("etc/apt/sources.list", list.as_str()), key]
                .map(|(path, text)| (path.to_owned(), text.to_owned()))
        );
    }

    #[test]
    fn sources_of_the_machine_are_as_they_are() {
        let source = ("etc/apt/sources.list.d/x.sources", "URIs: http://me:SECRET@a/\n");
        let key = ("usr/share/keyrings/x.gpg", "key");
        let pin = ("etc/apt/preferences.d/plywood-0.pref", "pin");
        let expected = [(source.0, "URIs: http://a/\n"), key];
        assert_eq!(
            shown(&asked(None), &[source, pin, key]),
            expected.map(|(path, text)| (path.to_owned(), text.to_owned()))
        );
    }

    #[test]
    fn logins_stay_outside() {
        for (text, expected) in [
            ("deb http://me:SECRET@a/b c d\n", "deb http://a/b c d\n"),
            ("URIs: https://SECRET@a https://b/@c/\n", "URIs: https://a https://b/@c/\n"),
            ("deb http://me:SECRET@x@a", "deb http://a"),
            ("Signed-By: /k/me@a.gpg\nURIs: copy:/a", "Signed-By: /k/me@a.gpg\nURIs: copy:/a"),
        ] {
            let kept = without_logins(text.as_bytes());
            assert_eq!(kept.as_bstr(), expected, "{text}");
        }
    }
}
