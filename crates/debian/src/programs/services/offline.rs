//! Programs that start and stop services: nothing is started where nothing runs.

use bstr::{BString, ByteSlice};
use shell::process::Run;
use shell::{Process, Reason, Stop};

use crate::outside::Outside;
use crate::programs::skipped::is_from_package;

/// `runlevel` (runlevel(8)): nobody has booted.
pub(super) fn runlevel(process: &mut Process<'_, '_>, _: &dyn Outside) -> Run {
    process.write("unknown\n")?;
    Ok(1)
}

fn of_the_machine(process: &Process<'_, '_>) -> Stop {
    process.refuse(Reason::Machine("no service runs here".to_owned()))
}

/// What starts services, or asks the kernel.
pub(super) fn refuse(process: &mut Process<'_, '_>, _: &dyn Outside) -> Run {
    Err(of_the_machine(process))
}

/// `start-stop-daemon` (start-stop-daemon(8)): nothing runs, so there is nothing to stop.
pub(super) fn start_stop_daemon(process: &mut Process<'_, '_>, _: &dyn Outside) -> Run {
    let has = |names: &[&[u8]]| process.arguments().iter().any(|word| names.contains(&&word[..]));
    let is_start = has(&[b"--start", b"-S"]);
    let is_stop = has(&[b"--stop", b"-K", b"--status", b"-T"]);
    if is_start || !is_stop {
        return Err(of_the_machine(process));
    }
    if has(&[b"--status", b"-T"]) {
        // "not running".
        return Ok(3);
    }
    if !has(&[b"--quiet", b"-q"]) {
        let why = "says which process it does not find".to_owned();
        return Err(process.refuse(Reason::Use(why)));
    }
    Ok(u8::from(!has(&[b"--oknodo", b"-o"])))
}

/// `deb-systemd-invoke` (deb-systemd-invoke(1p)): it asks `policy-rc.d`, and does nothing unless
/// systemd runs.
pub(super) fn deb_systemd_invoke(process: &mut Process<'_, '_>, _: &dyn Outside) -> Run {
    let is_option = |word: &&BString| word.starts_with(b"--");
    let words = process.arguments();
    let rest: Vec<&BString> = words.iter().skip_while(is_option).collect();
    if let Some(option) = words
        .iter()
        .take_while(is_option)
        .find(|option| !matches!(&option[..], b"--user" | b"--no-dbus" | b"--system"))
    {
        return Err(process.refuse(Reason::Option(option.to_string())));
    }
    match rest.first().map(|action| action.as_bytes()) {
        Some(b"daemon-reload" | b"daemon-reexec" | b"start" | b"stop" | b"restart") => {
            match is_from_package(process) {
                true => Ok(0),
                false => Err(of_the_machine(process)),
            }
        }
        _ => Err(process.refuse(Reason::Use("is called in a way that is not built in".to_owned()))),
    }
}
