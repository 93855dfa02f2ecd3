//! `deb-systemd-helper` (deb-systemd-helper(1p) of init-system-helpers 1.65): what a package's units
//! want to be linked to, and which of that a package has done itself.

use bstr::{BString, ByteSlice};
use shell::files::Last;
use shell::process::{Run, errno};
use shell::{Process, Stop};

use super::unit::{self, Scope};
use crate::outside::Outside;
use crate::programs::failure::{Failure, Step, refused, said, unknown};
use crate::programs::place::{self, Place};

/// A link that enables a unit.
struct Link {
    from: BString,
    to: BString,
}

/// One run of the program.
struct Work {
    scope: Scope,
    is_purge: bool,
}

/// Whether links are made, or only remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Making {
    Links,
    Records,
}

/// Units name each other; nobody goes deeper.
const DEEPEST: usize = 50;

pub(super) fn deb_systemd_helper(process: &mut Process<'_, '_>, _: &dyn Outside) -> Run {
    match run(process) {
        Ok(status) => Ok(status),
        Err(Failure::Stop(stop)) => Err(stop),
        Err(Failure::Error(message) | Failure::Usage(message)) => {
            let name = called(process);
            process.write_to(2, format!("{name}: error: {message}\n").as_bytes())?;
            Ok(1)
        }
    }
}

/// How the program was found: perl(1)'s `$0`.
fn called(process: &Process<'_, '_>) -> BString {
    let word = process.words.first().cloned().unwrap_or_default();
    match word.contains(&b'/') {
        true => word,
        false => format!("/{}", process.program).into(),
    }
}

fn run(process: &mut Process<'_, '_>) -> Step<u8> {
    if process.environment.get(&BString::from("DPKG_ROOT")).is_some_and(|root| !root.is_empty()) {
        return Err(refused(process, "works in another root directory").into());
    }
    let mut words = Vec::new();
    let (mut scope, mut is_quiet) = (Scope::System, false);
    for word in process.arguments() {
        match &word[..] {
            b"--quiet" | b"-quiet" | b"-q" => is_quiet = true,
            b"--user" | b"-user" => scope = Scope::User,
            b"--system" | b"-system" => scope = Scope::System,
            option if option.len() > 1 && option.starts_with(b"-") => {
                return Err(unknown(process, word).into());
            }
            _ => words.push(word.clone()),
        }
    }
    let name = called(process);
    let Some((action, units)) = words.split_first() else {
        process.write(format!(
            "{name} is a program which should be called by dpkg maintscripts only.\nPlease do not \
             run it interactively, ever. Also see the manpage deb-systemd-helper(1).\n"
        ))?;
        return Ok(0);
    };
    let package = process.environment.get(&BString::from("DPKG_MAINTSCRIPT_PACKAGE"));
    if package.is_none_or(|package| package.is_empty() || package == "0") {
        let line = format!("{name} was not called from dpkg. Exiting.\n");
        process.write_to(2, line.as_bytes())?;
        return Ok(1);
    }
    let purge = process.environment.get(&BString::from("_DEB_SYSTEMD_HELPER_PURGE"));
    let is_purge = action == "purge" || purge.is_some_and(|value| value == "1");
    let work = Work { scope, is_purge };
    let mut answer = !matches!(&action[..], b"is-enabled" | b"was-enabled" | b"debian-installed");
    for unit in units {
        answer |= work.act(process, action, unit, is_quiet)?;
    }
    Ok(u8::from(!answer))
}

impl Work {
    /// Where links that enable units are.
    fn links(&self) -> &'static str {
        match self.scope {
            Scope::System => "/etc/systemd/system",
            Scope::User => "/etc/systemd/user",
        }
    }

    fn records(&self, kind: &str) -> String {
        match self.scope {
            Scope::System => format!("/var/lib/systemd/deb-systemd-helper-{kind}"),
            Scope::User => format!("/var/lib/systemd/deb-systemd-user-helper-{kind}"),
        }
    }

    /// The file that has all links of a unit.
    fn state(&self, unit: &[u8]) -> BString {
        format!("{}/{}.dsh-also", self.records("enabled"), place::base_name(unit)).into()
    }

    /// The record of a link.
    fn record(&self, link: &[u8], kind: &str) -> BString {
        let rest = link.strip_prefix(self.links().as_bytes()).unwrap_or(link);
        [self.records(kind).as_bytes(), rest].concat().into()
    }

    /// Does something to a unit; whether a question is answered with yes.
    fn act(
        &self,
        process: &mut Process<'_, '_>,
        action: &BString,
        unit: &BString,
        is_quiet: bool,
    ) -> Step<bool> {
        let path = unit::find(process, self.scope, unit)?;
        let answer = match &action[..] {
            b"is-enabled" => self.missing_links(process, &path)?.is_empty(),
            b"was-enabled" => self.was_enabled(process, unit)?,
            b"debian-installed" => return self.is_installed(process, unit),
            b"update-state" => {
                self.update_state(process, unit, &path)?;
                return Ok(true);
            }
            b"reenable" => {
                self.remove_links(process, &path, 0)?;
                self.make_links(process, unit, &path, Making::Links)?;
                return Ok(true);
            }
            b"disable" | b"purge" => {
                self.disable(process, &path)?;
                return Ok(true);
            }
            b"enable" => {
                self.enable(process, unit, &path)?;
                return Ok(true);
            }
            b"mask" => {
                self.mask(process, &path)?;
                return Ok(true);
            }
            b"unmask" => {
                self.unmask(process, &path)?;
                for kind in ["", "user-"] {
                    let records = format!("/var/lib/systemd/deb-systemd-{kind}helper-masked");
                    remove_if_empty(process, &records.into(), 0)?;
                }
                return Ok(true);
            }
            // Others are nothing to it.
            _ => return Ok(true),
        };
        if !is_quiet {
            let word: &[u8] = if answer { b"enabled\n" } else { b"disabled\n" };
            process.write_to(2, word)?;
        }
        Ok(answer)
    }

    /// All links that have to be there for a unit to be enabled, and those that it takes along.
    fn closure(
        &self,
        process: &mut Process<'_, '_>,
        path: &BString,
        visited: &mut Vec<BString>,
    ) -> Step<Vec<Link>> {
        let name = BString::from(place::base_name(path));
        let Some(bytes) = place::read(process, path)? else {
            return Err(refused(process, format!("finds no unit {path}")).into());
        };
        if visited.len() > DEEPEST {
            return Err(refused(process, format!("finds too many units along with {path}")).into());
        }
        let mut links = Vec::new();
        let mut wanting = Vec::new();
        let mut wanted = name.clone();
        for line in bytes.lines() {
            let Some((key, value)) = line.trim_start().split_once_str("=") else { continue };
            if value.is_empty() {
                continue;
            }
            match &key.to_ascii_lowercase()[..] {
                b"wantedby" | b"requiredby" => {
                    // The ending is of the key as it is written.
                    let ending = match key {
                        b"WantedBy" => ".wants",
                        b"RequiredBy" => ".requires",
                        _ => "",
                    };
                    for target in words(value) {
                        wanting.push(format!("{}/{target}{ending}/", self.links()));
                    }
                }
                b"also" => {
                    for other in words(value) {
                        if other != name && !visited.contains(&other) {
                            visited.push(other.clone());
                            let path = unit::find(process, self.scope, &other)?;
                            links.extend(self.closure(process, &path, visited)?);
                        }
                    }
                }
                b"alias" => {
                    for alias in words(value) {
                        if alias != name {
                            // It is all of the line, even if that is several.
                            let value = value.as_bstr();
                            let from = format!("{}/{value}", self.links()).into();
                            links.push(Link { from, to: path.clone() });
                        }
                    }
                }
                b"defaultinstance" => wanted = instance(&name, value),
                _ => {}
            }
        }
        for directory in wanting {
            links.push(Link { from: format!("{directory}{wanted}").into(), to: path.clone() });
        }
        Ok(links)
    }

    fn all_links(&self, process: &mut Process<'_, '_>, path: &BString) -> Step<Vec<Link>> {
        self.closure(process, path, &mut Vec::new())
    }

    fn missing_links(&self, process: &mut Process<'_, '_>, path: &BString) -> Step<Vec<Link>> {
        let mut missing = Vec::new();
        for link in self.all_links(process, path)? {
            if place::link_target(process, &link.from)?.is_none() {
                missing.push(link);
            }
        }
        Ok(missing)
    }

    fn is_installed(&self, process: &Process<'_, '_>, unit: &BString) -> Step<bool> {
        let found = errno(process.find(&self.state(unit), Last::Followed))?;
        Ok(found.is_ok_and(|(_, stat)| stat.data().is_some()))
    }

    fn entries(&self, process: &mut Process<'_, '_>, unit: &[u8]) -> Result<Vec<BString>, Stop> {
        let bytes = place::read(process, &self.state(unit))?.unwrap_or_default();
        Ok(bytes.lines().map(BString::from).collect())
    }

    fn was_enabled(&self, process: &mut Process<'_, '_>, unit: &BString) -> Step<bool> {
        for link in self.entries(process, unit)? {
            if place::link_target(process, &link)?.is_none() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn enable(&self, process: &mut Process<'_, '_>, unit: &BString, path: &BString) -> Step<()> {
        let has_systemctl = place::exists(process, b"/bin/systemctl")?
            || place::exists(process, b"/usr/bin/systemctl")?;
        if !has_systemctl {
            return self.make_links(process, unit, path, Making::Links);
        }
        let mut making = Making::Records;
        if self.is_installed(process, unit)? {
            let all = self.all_links(process, path)?.len();
            if self.missing_links(process, path)?.len() < all {
                making = Making::Links;
            }
        } else {
            let scope = if self.scope == Scope::User { "--global" } else { "--system" };
            let words = ["systemctl", "--root=/", scope, "--preset-mode=enable-only", "preset"];
            let mut words: Vec<BString> = words.map(BString::from).into();
            words.push(unit.clone());
            if process.spawn(words)? != 0 {
                return Failure::error(format_args!("systemctl preset failed on {unit}: "));
            }
        }
        self.make_links(process, unit, path, making)
    }

    fn make_links(
        &self,
        process: &mut Process<'_, '_>,
        unit: &BString,
        path: &BString,
        making: Making,
    ) -> Step<()> {
        let state = self.state(unit);
        for Link { from, to } in self.all_links(process, path)? {
            let mut entries = self.entries(process, unit)?;
            if !entries.contains(&from) {
                entries.push(from.clone());
            }
            write_lines(process, &state, &entries)?;
            let record = self.record(&from, "enabled");
            if place::exists(process, &record)? {
                continue;
            }
            if making == Making::Links && place::link_target(process, &from)?.is_none() {
                make_directory_of(process, &from)?;
                let made = place::make_link(process, &from, &to);
                said(made, || format!("unable to link {from} to {to}"))?;
            }
            touch(process, &record)?;
        }
        Ok(())
    }

    fn update_state(
        &self,
        process: &mut Process<'_, '_>,
        unit: &BString,
        path: &BString,
    ) -> Step<()> {
        let links = self.all_links(process, path)?;
        let lines: Vec<BString> = links.into_iter().map(|link| link.from).collect();
        write_lines(process, &self.state(unit), &lines)
    }

    fn remove_links(
        &self,
        process: &mut Process<'_, '_>,
        path: &BString,
        depth: usize,
    ) -> Step<()> {
        if depth > DEEPEST {
            return Err(refused(process, format!("finds too many units along with {path}")).into());
        }
        let entries = self.entries(process, path)?;
        if self.is_purge {
            remove(process, &self.state(path))?;
        }
        for link in entries {
            let is_link = place::link_target(process, &link)?.is_some();
            if self.is_purge || is_link {
                remove(process, &self.record(&link, "enabled"))?;
            }
            if is_link {
                remove(process, &link)?;
            }
        }
        let bytes = place::read(process, path)?.unwrap_or_default();
        for line in bytes.lines() {
            if let Some((key, value)) = line.trim_start().split_once_str("=")
                && key.eq_ignore_ascii_case(b"Also")
                && !value.is_empty()
            {
                let other = unit::find(process, self.scope, &value.into())?;
                self.remove_links(process, &other, depth + 1)?;
            }
        }
        Ok(())
    }

    fn disable(&self, process: &mut Process<'_, '_>, path: &BString) -> Step<()> {
        self.remove_links(process, path, 0)?;
        for kind in ["", "user-"] {
            let records = format!("/var/lib/systemd/deb-systemd-{kind}helper-enabled");
            remove_if_empty(process, &records.into(), 0)?;
        }
        for above in ["/etc/systemd/system", "/etc/systemd/user"] {
            for name in visible(process, above.as_bytes())? {
                let path = place::within(above.as_bytes(), &name);
                if place::is_directory(process, &path)? {
                    remove_if_empty(process, &path, 0)?;
                }
            }
        }
        Ok(())
    }

    fn mask(&self, process: &mut Process<'_, '_>, path: &BString) -> Step<()> {
        let link = BString::from(format!("{}/{}", self.links(), place::base_name(path)));
        let is_null = place::link_target(process, &link)?.is_some_and(|to| to == "/dev/null");
        if is_null || place::exists(process, &link)? {
            return Ok(());
        }
        make_directory_of(process, &link)?;
        remove(process, &link)?;
        let made = place::make_link(process, &link, b"/dev/null");
        said(made, || format!("unable to link {link} to /dev/null"))?;
        touch(process, &self.record(&link, "masked"))
    }

    fn unmask(&self, process: &mut Process<'_, '_>, path: &BString) -> Step<()> {
        let link = BString::from(format!("{}/{}", self.links(), place::base_name(path)));
        let is_null = place::link_target(process, &link)?.is_some_and(|to| to == "/dev/null");
        let record = self.record(&link, "masked");
        if is_null && place::exists(process, &record)? {
            remove(process, &link)?;
            remove(process, &record)?;
        }
        Ok(())
    }
}

/// Words between blanks, without quotes around them.
fn words(value: &[u8]) -> Vec<BString> {
    let unquoted = |word: &[u8]| match word {
        [b'"', inner @ .., b'"'] | [b'\'', inner @ .., b'\''] => inner.into(),
        word => word.into(),
    };
    value.fields().map(unquoted).collect()
}

/// The instance of a template that is enabled if none is named.
fn instance(unit: &BString, value: &[u8]) -> BString {
    let value = words(value).into_iter().next().unwrap_or_default();
    match unit.rsplit_once_str("@") {
        Some((template, ending)) if ending.starts_with(b".") => {
            [template, b"@", &value, ending].concat().into()
        }
        _ => unit.clone(),
    }
}

fn make_directory_of(process: &mut Process<'_, '_>, path: &BString) -> Step<()> {
    let directory = BString::from(place::directory_of(path));
    let made = place::make_directories(process, &directory, 0o777 & !process.umask);
    said(made, || format!("mkdir {directory}"))
}

fn write_lines(process: &mut Process<'_, '_>, path: &BString, lines: &[BString]) -> Step<()> {
    make_directory_of(process, path)?;
    let text: Vec<u8> = lines.iter().flat_map(|line| [&line[..], b"\n"].concat()).collect();
    let written = place::replace(process, path, text, 0o644);
    said(written, || format!("Unable to move to {path}"))
}

/// Makes an empty file, unless it is there.
fn touch(process: &mut Process<'_, '_>, path: &BString) -> Step<()> {
    make_directory_of(process, path)?;
    if place::place(process, path)? != Place::Free {
        return Ok(());
    }
    let mode = 0o666 & !process.umask;
    let made = place::replace(process, path, "", mode);
    said(made, || format!("Failed to create/touch {path}"))
}

fn remove(process: &mut Process<'_, '_>, path: &BString) -> Step<()> {
    match place::remove(process, path) {
        Ok(()) => Ok(()),
        // unlink in perl: what cannot be removed stays.
        Err(shell::files::FileError::Errno(_)) => Ok(()),
        Err(shell::files::FileError::Stop(stop)) => Err(stop.into()),
    }
}

/// What `*` finds in a directory.
fn visible(process: &Process<'_, '_>, path: &[u8]) -> Result<Vec<BString>, Stop> {
    let mut names = place::names(process, path)?;
    names.retain(|name| !name.starts_with(b"."));
    Ok(names)
}

/// Takes away all directories below and at a path that have nothing in them.
fn remove_if_empty(process: &mut Process<'_, '_>, path: &BString, depth: usize) -> Step<()> {
    if depth > DEEPEST {
        return Ok(());
    }
    for name in visible(process, path)? {
        let inner = place::within(path, &name);
        if place::is_directory(process, &inner)? {
            remove_if_empty(process, &inner, depth + 1)?;
        }
    }
    let is_own = matches!(place::place(process, path)?, Place::Directory);
    if is_own && place::names(process, path)?.is_empty() {
        let removed = process
            .find(path, Last::Kept)
            .and_then(|(real, _)| process.machine.files.remove(&real));
        errno(removed)?.ok();
    }
    Ok(())
}
