//! `update-rc.d` (update-rc.d(8) of init-system-helpers 1.65): links of runlevels, where no `insserv`
//! brings them into an order.

use bstr::{BString, ByteSlice};
use shell::process::Run;
use shell::{Process, Stop};

use crate::outside::Outside;
use crate::programs::failure::{Failure, Step, refused, said};
use crate::programs::place::{self, Place};

const USAGE: &str = "usage: update-rc.d [-f] <basename> remove
       update-rc.d [-f] <basename> defaults
       update-rc.d [-f] <basename> defaults-disabled
       update-rc.d <basename> disable|enable [S|2|3|4|5]
\t\t-f: force

The disable|enable API is not stable and might change in the future.
";
/// What would order the links, or keep runlevels of its own.
const OTHERS: [&str; 3] = ["/usr/lib/insserv/insserv", "/sbin/insserv", "/sbin/openrc"];

/// What the header of an init script says (LSB Core 22.2).
struct Header {
    start: Vec<BString>,
    stop: Vec<BString>,
}

pub(super) fn update_rc_d(process: &mut Process<'_, '_>, _: &dyn Outside) -> Run {
    match run(process) {
        Ok(()) => Ok(0),
        Err(Failure::Stop(stop)) => Err(stop),
        Err(Failure::Error(message)) => {
            process.complain(format_args!("error: {message}"))?;
            Ok(1)
        }
        Err(Failure::Usage(message)) => {
            if !message.is_empty() {
                process.complain(format_args!("error: {message}"))?;
            }
            process.write_to(2, USAGE.as_bytes())?;
            Ok(1)
        }
    }
}

fn run(process: &mut Process<'_, '_>) -> Step<()> {
    let words = process.arguments().to_vec();
    let options = words.iter().take_while(|word| word.starts_with(b"-")).count();
    if let Some(option) = words[..options].iter().find(|option| *option != "-f") {
        return Failure::usage(match &option[..] {
            b"-h" | b"--help" => "",
            _ => "unknown option",
        });
    }
    let [name, action, more @ ..] = &words[options..] else {
        return Failure::usage("not enough arguments");
    };
    if process.environment.get(&BString::from("DPKG_ROOT")).is_some_and(|root| !root.is_empty()) {
        return Err(refused(process, "works in another root directory").into());
    }
    for other in OTHERS {
        if place::exists(process, other.as_bytes())? {
            return Err(refused(process, format!("would start {other}")).into());
        }
    }
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.+@:".contains(byte);
    if !name.iter().all(is_plain) {
        return Err(refused(process, format!("is given the name {name}")).into());
    }
    match &action[..] {
        b"remove" => {
            for link in links(process, name)? {
                remove(process, &link)?;
            }
            Ok(())
        }
        b"defaults" => defaults(process, name, b'S'),
        b"defaults-disabled" => defaults(process, name, b'K'),
        b"start" | b"stop" => Err(refused(process, format!("is given {action}")).into()),
        b"disable" | b"enable" => toggle(process, name, action, more),
        _ => Failure::usage(""),
    }
}

fn remove(process: &mut Process<'_, '_>, path: &BString) -> Step<()> {
    let removed = place::remove(process, path);
    said(removed, || format!("unable to remove {path}"))
}

/// All links of a script: `/etc/rc?.d/[SK][0-9][0-9]NAME`.
fn links(process: &Process<'_, '_>, name: &BString) -> Result<Vec<BString>, Stop> {
    let mut all = Vec::new();
    for directory in place::names(process, b"/etc")? {
        let level = directory.strip_prefix(b"rc").and_then(|rest| rest.strip_suffix(b".d"));
        if level.is_some_and(|level| level.len() == 1) {
            all.extend(links_in(process, &[b"/etc/", &directory[..]].concat().into(), name)?);
        }
    }
    Ok(all)
}

fn links_in(
    process: &Process<'_, '_>,
    directory: &BString,
    name: &BString,
) -> Result<Vec<BString>, Stop> {
    let is_own = |link: &&BString| match &link[..] {
        [b'S' | b'K', one, two, rest @ ..] => {
            one.is_ascii_digit() && two.is_ascii_digit() && rest == &name[..]
        }
        _ => false,
    };
    let names = place::names(process, directory)?;
    Ok(names.iter().filter(is_own).map(|link| place::within(directory, link)).collect())
}

/// Makes the links that the script's header wants, unless there are any.
fn defaults(process: &mut Process<'_, '_>, name: &BString, start: u8) -> Step<()> {
    if !links(process, name)?.is_empty() {
        return Ok(());
    }
    let script = BString::from([b"/etc/init.d/", &name[..]].concat());
    let header = header(process, &script)?;
    let all = header.start.iter().map(|level| (level, start));
    for (level, letter) in all.chain(header.stop.iter().map(|level| (level, b'K'))) {
        let directory = BString::from(format!("/etc/rc{level}.d"));
        if level.contains(&b'/') {
            return Err(refused(process, format!("finds the runlevel {level}")).into());
        }
        let made = place::make_directories(process, &directory, 0o755);
        said(made, || format!("unable to make {directory}"))?;
        let link = BString::from([&directory[..], b"/", &[letter], b"01", &name[..]].concat());
        if place::place(process, &link)? == Place::Free {
            let made = place::make_link(process, &link, &[b"../init.d/", &name[..]].concat());
            said(made, || format!("unable to make {link}"))?;
        }
    }
    Ok(())
}

fn header(process: &mut Process<'_, '_>, path: &BString) -> Step<Header> {
    let Some(bytes) = place::read(process, path)? else {
        return Failure::error(format_args!("unable to read {path}"));
    };
    let mut header = Header { start: Vec::new(), stop: Vec::new() };
    let mut is_inside = false;
    for line in bytes.lines() {
        let is_mark = |mark: &str| {
            line.strip_prefix(mark.as_bytes()).is_some_and(|rest| rest.trim().is_empty())
        };
        if is_mark("### BEGIN INIT INFO") {
            is_inside = true;
        } else if is_mark("### END INIT INFO") {
            break;
        } else if is_inside {
            let levels = |field: &str| {
                let value = line.strip_prefix(field.as_bytes())?;
                Some(value.fields().map(BString::from).collect())
            };
            header.start = levels("# Default-Start:").unwrap_or(header.start);
            header.stop = levels("# Default-Stop:").unwrap_or(header.stop);
        }
    }
    Ok(header)
}

/// Turns links that start a script into ones that stop it, or back; and those of its unit.
fn toggle(
    process: &mut Process<'_, '_>,
    name: &BString,
    action: &BString,
    levels: &[BString],
) -> Step<()> {
    let places = ["/etc/insserv/overrides/", "/etc/init.d/", "/usr/share/insserv/overrides/"];
    let mut script = None;
    for place in places {
        let path = BString::from([place.as_bytes(), name].concat());
        if script.is_none() && place::read(process, &path)?.is_some_and(|bytes| !bytes.is_empty()) {
            script = Some(path);
        }
    }
    let Some(script) = script else {
        return Failure::error(format_args!("cannot find a LSB script for {name}"));
    };
    let mut levels = levels.to_vec();
    if levels.is_empty() {
        levels = header(process, &script)?.start;
        if levels.is_empty() {
            let rest = "Default-Start contains no runlevels, aborting.";
            return Failure::error(format_args!("{name} {rest}"));
        }
    }
    let mut links = Vec::new();
    for level in &levels {
        if !matches!(&level[..], [b'S' | b'2'..=b'5']) {
            let rest = format!("action will have no effect on runlevel {level}");
            process.complain(format_args!("warning: {action} {rest}"))?;
            continue;
        }
        links.extend(links_in(process, &format!("/etc/rc{level}.d").into(), name)?);
    }
    if links.is_empty() {
        return Failure::error("no runlevel symlinks to modify, aborting!");
    }
    let (from, to) = if action == "disable" { (b'S', b'K') } else { (b'K', b'S') };
    for link in links {
        let at = link.len() - name.len() - 3;
        if link[at] == from {
            let mut new = link.clone();
            new[at] = to;
            let renamed = place::rename(process, &link, &new);
            said(renamed, || format!("unable to rename {link}"))?;
        }
    }
    toggle_unit(process, name, action)
}

/// What systemd is to do, if it is there or the script's service has a unit.
fn toggle_unit(process: &mut Process<'_, '_>, name: &BString, action: &BString) -> Step<()> {
    let skips = process.environment.get(&BString::from("_SKIP_SYSTEMD_NATIVE"));
    if skips.is_some_and(|value| value == "1") {
        return Ok(());
    }
    if place::exists(process, b"/bin/systemctl")? || place::exists(process, b"/usr/bin/systemctl")?
    {
        let words = ["systemctl", "--root=/", "--quiet"].map(BString::from);
        let before = process.environment.insert("SYSTEMCTL_SKIP_SYSV".into(), "1".into());
        let ran = process.spawn([&words[..], &[action.clone(), name.clone()]].concat());
        process.environment.remove(&BString::from("SYSTEMCTL_SKIP_SYSV"));
        process.environment.extend(before.map(|value| ("SYSTEMCTL_SKIP_SYSV".into(), value)));
        ran?;
        return Ok(());
    }
    for place in ["/etc", "/lib", "/usr/lib"] {
        let unit = BString::from(format!("{place}/systemd/system/{name}.service"));
        let Some(bytes) = place::read(process, &unit)? else { continue };
        for line in bytes.lines() {
            let line = line.trim_start();
            let Some((key, value)) = line.split_once_str("=") else { continue };
            if !key.eq_ignore_ascii_case(b"WantedBy") || value.is_empty() {
                continue;
            }
            let directory = BString::from(format!("/etc/systemd/system/{}.wants", value.as_bstr()));
            let link = BString::from(format!("{directory}/{name}.service"));
            if action == "enable" {
                let made = place::make_directories(process, &directory, 0o755);
                said(made, || format!("unable to make {directory}"))?;
                if place::place(process, &link)? == Place::Free {
                    let made = place::make_link(process, &link, &unit);
                    said(made, || format!("unable to make {link}"))?;
                }
            } else if place::exists(process, &link)? {
                remove(process, &link)?;
            }
        }
        break;
    }
    Ok(())
}
