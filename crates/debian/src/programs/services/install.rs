//! Units enabled, disabled and masked, as `systemctl` does it in the files of a system that does not
//! run (systemctl(1), "Unit File Commands").

use bstr::{BString, ByteSlice};
use shell::Process;
use shell::files::Last;
use shell::process::errno;

use super::unit::{self, Install, Name, Scope};
use crate::programs::failure::{Step, refused, said};
use crate::programs::place::{self, Place};

/// Units take others along; nobody takes more.
const MOST_UNITS: usize = 200;

/// What was done, in the program's words.
#[derive(Debug, Default)]
pub(super) struct Done {
    pub(super) lines: Vec<String>,
}

/// A unit file that was found.
struct Unit {
    name: BString,
    path: BString,
    install: Install,
}

/// Why a unit is not looked at.
pub(super) enum NoUnit {
    Missing,
    /// By this file.
    Masked(BString),
}

/// Where the administrator's links are.
pub(super) fn links(scope: Scope) -> BString {
    format!("/etc/systemd/{}", scope.name()).into()
}

/// The unit file of a name, or of the template that it is an instance of.
fn load(process: &mut Process<'_, '_>, scope: Scope, name: &BString) -> Step<Result<Unit, NoUnit>> {
    let Some(parsed) = Name::parse(name.as_bstr()) else {
        return Err(refused(process, format!("is given the unit {name}")).into());
    };
    let mut wanted = vec![name.clone()];
    wanted.extend(parsed.template());
    for file in &wanted {
        for directory in unit::directories(process, scope)? {
            refuse_additions(process, &directory, file)?;
            let path = place::within(&directory, file);
            match place::place(process, &path)? {
                Place::Free => continue,
                Place::Link(target) if target == "/dev/null" => {
                    return Ok(Err(NoUnit::Masked(path)));
                }
                Place::File => {}
                _ => return Err(refused(process, format!("finds no file in {path}")).into()),
            }
            let Some(bytes) = place::read(process, &path)? else { continue };
            if bytes.is_empty() {
                return Ok(Err(NoUnit::Masked(path)));
            }
            return Ok(Ok(Unit { name: name.clone(), path, install: Install::parse(&bytes) }));
        }
    }
    Ok(Err(NoUnit::Missing))
}

/// Files beside a unit's own may say more.
fn refuse_additions(process: &Process<'_, '_>, directory: &BString, file: &BString) -> Step<()> {
    let additions = BString::from(format!("{directory}/{file}.d"));
    match place::names(process, &additions)?.iter().any(|name| name.ends_with(b".conf")) {
        true => Err(refused(process, format!("finds additions in {additions}")).into()),
        false => Ok(()),
    }
}

/// The links that enable a unit, in the order in which they are made.
fn enabling(process: &Process<'_, '_>, scope: Scope, unit: &Unit) -> Step<Vec<BString>> {
    let Unit { name, install, .. } = unit;
    let values = || install.aliases.iter().chain(&install.wanted_by).chain(&install.required_by);
    if values().any(|value| value.contains(&b'%')) {
        return Err(refused(process, format!("finds specifiers in {}", unit.path)).into());
    }
    let mut wanted = name.clone();
    if let Some(parsed) = Name::parse(name.as_bstr()).filter(Name::is_template) {
        if !install.aliases.is_empty() {
            return Err(refused(process, format!("finds aliases of the template {name}")).into());
        }
        match &install.default_instance {
            Some(instance) if !instance.contains(&b'%') => wanted = parsed.with_instance(instance),
            _ => return Err(refused(process, format!("is given the template {name}")).into()),
        }
    }
    let above = links(scope);
    let mut paths: Vec<BString> = Vec::new();
    for alias in install.aliases.iter().filter(|alias| *alias != name) {
        let is_alike = Name::parse(alias.as_bstr()).is_some_and(|alias| {
            Name::parse(name.as_bstr()).is_some_and(|name| name.ending == alias.ending)
        });
        if !is_alike || alias.contains(&b'@') {
            return Err(refused(process, format!("finds the alias {alias} of {name}")).into());
        }
        paths.push(place::within(&above, alias));
    }
    for (targets, ending) in [(&install.wanted_by, "wants"), (&install.required_by, "requires")] {
        for target in targets {
            if Name::parse(target.as_bstr()).is_none() {
                return Err(refused(process, format!("finds the unit {target} in {name}")).into());
            }
            paths.push(format!("{above}/{target}.{ending}/{wanted}").into());
        }
    }
    Ok(paths)
}

/// All units that are meant, with those that they take along.
fn closure(
    process: &mut Process<'_, '_>,
    scope: Scope,
    names: &[BString],
) -> Step<Result<Vec<Unit>, (BString, NoUnit)>> {
    let mut wanted = names.to_vec();
    let mut units: Vec<Unit> = Vec::new();
    let mut at = 0;
    while let Some(name) = wanted.get(at).cloned() {
        at += 1;
        if at > MOST_UNITS {
            return Err(refused(process, "finds too many units along with others").into());
        }
        match load(process, scope, &name)? {
            Ok(unit) => {
                for also in &unit.install.also {
                    if !wanted.contains(also) {
                        wanted.push(also.clone());
                    }
                }
                units.push(unit);
            }
            // What others take along may be missing.
            Err(_) if at > names.len() => {}
            Err(why) => return Ok(Err((name, why))),
        }
    }
    Ok(Ok(units))
}

/// Makes all links that enable units; whether any of them has something to install.
pub(super) fn enable(
    process: &mut Process<'_, '_>,
    scope: Scope,
    names: &[BString],
    done: &mut Done,
) -> Step<Result<bool, (BString, NoUnit)>> {
    let units = match closure(process, scope, names)? {
        Ok(units) => units,
        Err(missing) => return Ok(Err(missing)),
    };
    let mut has_something = false;
    for unit in &units {
        has_something |= !unit.install.is_empty() || !unit.install.also.is_empty();
        if unit.install.is_empty() {
            continue;
        }
        for link in enabling(process, scope, unit)? {
            make(process, &link, &unit.path, done)?;
            note_missing(process, scope, &link, &unit.path, done)?;
        }
    }
    Ok(Ok(has_something))
}

/// Says if what wants a unit is not there.
fn note_missing(
    process: &mut Process<'_, '_>,
    scope: Scope,
    link: &BString,
    unit: &BString,
    done: &mut Done,
) -> Step<()> {
    let directory = place::base_name(place::directory_of(link));
    let target = directory.strip_suffix(b".wants").or(directory.strip_suffix(b".requires"));
    let Some(target) = target.map(BString::from) else { return Ok(()) };
    if matches!(load(process, scope, &target)?, Err(NoUnit::Missing)) {
        let rest = format!("is added as a dependency to a non-existent unit {target}.");
        done.lines.push(format!("Unit {unit} {rest}"));
    }
    Ok(())
}

fn make(
    process: &mut Process<'_, '_>,
    link: &BString,
    target: &BString,
    done: &mut Done,
) -> Step<()> {
    match place::place(process, link)? {
        Place::Free => {}
        Place::Link(old) if old == *target => return Ok(()),
        _ => return Err(refused(process, format!("finds something else at {link}")).into()),
    }
    let directory = place::directory_of(link).to_owned();
    let made = place::make_directories(process, &directory, 0o755);
    said(made, || format!("Failed to make {}", directory.as_bstr()))?;
    let made = place::make_link(process, link, target);
    said(made, || format!("Failed to make {link}"))?;
    done.lines.push(format!("Created symlink {link} → {target}."));
    Ok(())
}

/// Takes away all links to units, and of their names.
pub(super) fn disable(
    process: &mut Process<'_, '_>,
    scope: Scope,
    names: &[BString],
    done: &mut Done,
) -> Step<Result<(), (BString, NoUnit)>> {
    let units = match closure(process, scope, names)? {
        Ok(units) => units,
        Err(missing) => return Ok(Err(missing)),
    };
    let mut meant: Vec<BString> = units.iter().map(|unit| unit.name.clone()).collect();
    for unit in &units {
        if Name::parse(unit.name.as_bstr()).is_some_and(|name| name.instance.is_some()) {
            return Err(refused(process, format!("disables the instance {}", unit.name)).into());
        }
        meant.extend(unit.install.aliases.iter().cloned());
    }
    let above = links(scope);
    for directory in directories_of_links(process, &above)? {
        for name in place::names(process, &directory)? {
            let path = place::within(&directory, &name);
            let Some(target) = place::link_target(process, &path)? else { continue };
            if target == "/dev/null" {
                continue;
            }
            let target = BString::from(place::base_name(&target));
            if meant.contains(&name) || meant.contains(&target) {
                let removed = place::remove(process, &path);
                said(removed, || format!("Failed to remove {path}"))?;
                done.lines.push(format!("Removed \"{path}\"."));
            }
        }
        if directory != above && place::names(process, &directory)?.is_empty() {
            let (real, _) = match errno(process.find(&directory, Last::Kept))? {
                Ok(found) => found,
                Err(_) => continue,
            };
            let removed = process.machine.files.remove(&real);
            said(removed, || format!("Failed to remove {directory}"))?;
        }
    }
    Ok(Ok(()))
}

/// A directory of links, and those of what others want, within it.
fn directories_of_links(process: &Process<'_, '_>, above: &BString) -> Step<Vec<BString>> {
    let mut all = vec![above.clone()];
    for name in place::names(process, above)? {
        let path = place::within(above, &name);
        let is_own = name.ends_with(b".wants") || name.ends_with(b".requires");
        if is_own && matches!(place::place(process, &path)?, Place::Directory) {
            all.push(path);
        }
    }
    Ok(all)
}

/// Makes units lead to nothing.
pub(super) fn mask(
    process: &mut Process<'_, '_>,
    scope: Scope,
    names: &[BString],
    done: &mut Done,
) -> Step<()> {
    for name in names {
        if Name::parse(name.as_bstr()).is_none() {
            return Err(refused(process, format!("is given the unit {name}")).into());
        }
        make(process, &place::within(&links(scope), name), &"/dev/null".into(), done)?;
    }
    Ok(())
}

/// Takes away what masks units.
pub(super) fn unmask(
    process: &mut Process<'_, '_>,
    scope: Scope,
    names: &[BString],
    done: &mut Done,
) -> Step<()> {
    for name in names {
        let path = place::within(&links(scope), name);
        if place::link_target(process, &path)?.is_some_and(|target| target == "/dev/null") {
            let removed = place::remove(process, &path);
            said(removed, || format!("Failed to remove {path}"))?;
            done.lines.push(format!("Removed \"{path}\"."));
        }
    }
    Ok(())
}

/// What a unit is: `enabled`, `disabled`, `static` or `masked`; `None` if there is none.
pub(super) fn state(
    process: &mut Process<'_, '_>,
    scope: Scope,
    name: &BString,
) -> Step<Option<&'static str>> {
    let unit = match load(process, scope, name)? {
        Ok(unit) => unit,
        Err(NoUnit::Masked(_)) => return Ok(Some("masked")),
        Err(NoUnit::Missing) => return Ok(None),
    };
    let above = links(scope);
    for directory in directories_of_links(process, &above)? {
        for link in place::names(process, &directory)? {
            let target = place::link_target(process, &place::within(&directory, &link))?;
            let leads_here = target.is_some_and(|to| place::base_name(&to) == *name);
            if leads_here || (directory != above && link == *name) {
                return Ok(Some("enabled"));
            }
        }
    }
    if unit.install.is_empty() && !unit.install.also.is_empty() {
        return Ok(Some("indirect"));
    }
    Ok(Some(if unit.install.is_empty() { "static" } else { "disabled" }))
}
