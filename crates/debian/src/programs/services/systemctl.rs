//! `systemctl` (systemctl(1) of systemd 252) where systemd does not run: units are enabled, disabled
//! and masked by links. What speaks to a running system is passed over for maintainer scripts, as it
//! is in a chroot, and refused to others.

use bstr::{BStr, BString, ByteSlice};
use shell::options::{Known, Options, Order, Takes, flag, long};
use shell::process::Run;
use shell::{Process, Reason, Stop};

use super::install::{self, Done, NoUnit};
use super::preset::{self, Wish};
use super::unit::{Name, Scope};
use crate::outside::Outside;
use crate::programs::failure::{Failure, Step, refused};
use crate::programs::place;
use crate::programs::skipped::is_from_package;

const KNOWN: &[Known] = &[
    long("root", &["root"], Takes::Value),
    long("system", &["system"], Takes::Nothing),
    long("global", &["global"], Takes::Nothing),
    flag("quiet", 'q', &["quiet"]),
    long("no-reload", &["no-reload"], Takes::Nothing),
    long("preset-mode", &["preset-mode"], Takes::Value),
];

/// What only a running system answers.
const ONLINE: [&str; 20] = [
    "condrestart",
    "daemon-reexec",
    "daemon-reload",
    "force-reload",
    "is-active",
    "is-failed",
    "isolate",
    "kill",
    "list-jobs",
    "list-sockets",
    "list-timers",
    "list-units",
    "reload",
    "reload-or-restart",
    "reset-failed",
    "restart",
    "start",
    "status",
    "stop",
    "try-restart",
];

pub(super) fn systemctl(process: &mut Process<'_, '_>, _: &dyn Outside) -> Run {
    match run(process) {
        Ok(status) => Ok(status),
        Err(Failure::Stop(stop)) => Err(stop),
        Err(Failure::Error(message) | Failure::Usage(message)) => {
            process.write_to(2, format!("{message}\n").as_bytes())?;
            Ok(1)
        }
    }
}

fn run(process: &mut Process<'_, '_>) -> Step<u8> {
    let options = Options::of(process, KNOWN, Order::Anywhere)?;
    if options.value("root").is_some_and(|root| root != "/" && !root.is_empty()) {
        return Err(refused(process, "works in another root directory").into());
    }
    let scope = match options.last_of(&["system", "global"]) {
        Some("global") => Scope::User,
        _ => Scope::System,
    };
    let Some((verb, names)) = options.operands.split_first() else {
        return Err(of_the_machine(process).into());
    };
    let verb = verb.to_str().unwrap_or_default();
    if ONLINE.contains(&verb) {
        if !is_from_package(process) {
            return Err(of_the_machine(process).into());
        }
        let line = format!("Running in chroot, ignoring command '{verb}'\n");
        process.write_to(2, line.as_bytes())?;
        return Ok(0);
    }
    let names: Vec<BString> = names.iter().map(whole_name).collect();
    if verb == "is-enabled" {
        return is_enabled(process, scope, &names, &options);
    }
    if matches!(verb, "enable" | "disable") {
        refuse_scripts(process, &names)?;
    }
    let mut done = Done::default();
    let has_something = match verb {
        "enable" => change(verb, install::enable(process, scope, &names, &mut done)?)?,
        "disable" => {
            change(verb, install::disable(process, scope, &names, &mut done)?)?;
            true
        }
        "mask" => {
            install::mask(process, scope, &names, &mut done)?;
            true
        }
        "unmask" => {
            install::unmask(process, scope, &names, &mut done)?;
            true
        }
        "preset" => {
            preset(process, scope, &names, &options, &mut done)?;
            true
        }
        _ => return Err(process.refuse(Reason::Use(format!("is given {verb}"))).into()),
    };
    if options.has("quiet") {
        return Ok(0);
    }
    for line in &done.lines {
        process.write_to(2, format!("{line}\n").as_bytes())?;
    }
    match has_something {
        true => Ok(0),
        false => Err(refused(process, "is given what has nothing to enable").into()),
    }
}

fn of_the_machine(process: &Process<'_, '_>) -> Stop {
    process.refuse(Reason::Machine("systemd does not run here".to_owned()))
}

/// A name without an ending is a service's.
fn whole_name(name: &BString) -> BString {
    match Name::parse(name.as_bstr()) {
        Some(_) => name.clone(),
        None => [&name[..], b".service"].concat().into(),
    }
}

/// Services that have an init script, too, are given to a program of their own.
fn refuse_scripts(process: &Process<'_, '_>, names: &[BString]) -> Step<()> {
    let skips = process.environment.get(&BString::from("SYSTEMCTL_SKIP_SYSV"));
    if skips.is_some_and(|value| value == "1") {
        return Ok(());
    }
    for name in names {
        if let Some(script) = name.strip_suffix(b".service")
            && place::exists(process, &[b"/etc/init.d/", script].concat())?
        {
            return Err(refused(process, format!("finds an init script of {name}")).into());
        }
    }
    Ok(())
}

fn change<T>(verb: &str, changed: Result<T, (BString, NoUnit)>) -> Step<T> {
    match changed {
        Ok(changed) => Ok(changed),
        Err((name, NoUnit::Missing)) => {
            Failure::error(format_args!("Failed to {verb} unit, unit {name} does not exist."))
        }
        Err((_, NoUnit::Masked(path))) => {
            Failure::error(format_args!("Failed to {verb} unit, unit {path} is masked."))
        }
    }
}

/// Enables and disables units as the distribution wants.
fn preset(
    process: &mut Process<'_, '_>,
    scope: Scope,
    names: &[BString],
    options: &Options,
    done: &mut Done,
) -> Step<()> {
    let mode = options.value("preset-mode").unwrap_or(BStr::new("full")).to_string();
    let (enables, disables) = match mode.as_str() {
        "full" => (true, true),
        "enable-only" => (true, false),
        "disable-only" => (false, true),
        _ => return Failure::error(format_args!("Failed to parse preset mode: {mode}.")),
    };
    let (mut wanted, mut unwanted) = (Vec::new(), Vec::new());
    for name in names {
        match preset::wish(process, scope, name)? {
            Wish::Enable => wanted.push(name.clone()),
            Wish::Disable => unwanted.push(name.clone()),
            Wish::Ignore => {}
        }
    }
    if disables && !unwanted.is_empty() {
        change("preset", install::disable(process, scope, &unwanted, done)?)?;
    }
    if enables && !wanted.is_empty() {
        change("preset", install::enable(process, scope, &wanted, done)?)?;
    }
    Ok(())
}

fn is_enabled(
    process: &mut Process<'_, '_>,
    scope: Scope,
    names: &[BString],
    options: &Options,
) -> Step<u8> {
    refuse_scripts(process, names)?;
    let mut is_any = false;
    for name in names {
        let Some(state) = install::state(process, scope, name)? else {
            let line =
                format!("Failed to get unit file state for {name}: No such file or directory\n");
            process.write_to(2, line.as_bytes())?;
            return Ok(1);
        };
        is_any |= matches!(state, "enabled" | "static" | "indirect");
        if !options.has("quiet") {
            process.write(format!("{state}\n"))?;
        }
    }
    Ok(u8::from(!is_any))
}
