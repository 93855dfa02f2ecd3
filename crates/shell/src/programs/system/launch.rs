//! Programs that run another one in other circumstances: `timeout`, `nice`, `nohup`, `stdbuf`,
//! `ionice`, `setsid`. The circumstances make no difference here.

use bstr::{BString, ByteSlice};

use super::quoting::quoted;
use super::sleep;
use crate::execute::{self, Call, Lookup};
use crate::files::Errno;
use crate::options::{Known, Options, Order, Takes, flag, long, value};
use crate::process::{Process, Run};
use crate::stop::{Reason, Stop};

/// How a program says that another one cannot be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wording {
    /// `env: 'x': No such file or directory`
    Name,
    /// `timeout: failed to run command 'x': No such file or directory`
    FailedToRun,
    /// `setsid: failed to execute x: No such file or directory`
    FailedToExecute,
}

/// Where execvp(3) looks without a `PATH`.
const DEFAULT_PATH: &[u8] = b"/bin:/usr/bin";

/// Runs a command in the process's surroundings.
pub(super) fn launch(process: &mut Process<'_, '_>, words: Vec<BString>, wording: Wording) -> Run {
    let name = words.first().cloned().unwrap_or_default();
    let path = process.environment.get(&BString::from("PATH")).cloned();
    let path = path.as_ref().map_or(DEFAULT_PATH, |path| &path[..]);
    let found = execute::look_up(&process.machine.files, &process.directory, Some(path), &name)?;
    let (errno, status) = match found {
        Lookup::Found { named, path, stat } => {
            let call = Call {
                words,
                environment: process.environment.clone(),
                directory: process.directory.clone(),
                umask: process.umask,
                descriptors: process.descriptors.clone(),
            };
            return execute::execute_found(process.machine, call, &named, path, &stat);
        }
        Lookup::Missing => (Errno::NotFound, 127),
        Lookup::NotExecutable(errno) => (errno, 126),
    };
    let message = match wording {
        Wording::Name => format!("{}: {errno}", quoted(process, name.as_bstr())),
        Wording::FailedToRun => {
            format!("failed to run command {}: {errno}", quoted(process, name.as_bstr()))
        }
        Wording::FailedToExecute => format!("failed to execute {name}: {errno}"),
    };
    process.complain(message)?;
    Ok(status)
}

/// The command behind the options.
fn command(process: &Process<'_, '_>, known: &[Known]) -> Result<Vec<BString>, Stop> {
    let options = Options::of(process, known, Order::First)?;
    match options.operands.is_empty() {
        true => Err(process.refuse(Reason::Use("is given no command".to_owned()))),
        false => Ok(options.operands),
    }
}

pub(super) fn timeout(process: &mut Process<'_, '_>) -> Run {
    const KNOWN: &[Known] = &[
        long("--foreground", &["foreground"], Takes::Nothing),
        value("-k", 'k', &["kill-after"]),
        long("--preserve-status", &["preserve-status"], Takes::Nothing),
        value("-s", 's', &["signal"]),
        flag("-v", 'v', &["verbose"]),
    ];
    let mut words = command(process, KNOWN)?;
    let duration = words.remove(0);
    if words.is_empty() || !sleep::is_interval(duration.as_bstr()) {
        return Err(process.refuse(Reason::Use(format!("is given the duration {duration}"))));
    }
    launch(process, words, Wording::FailedToRun)
}

pub(super) fn nice(process: &mut Process<'_, '_>) -> Run {
    const KNOWN: &[Known] = &[value("-n", 'n', &["adjustment"])];
    let words = command(process, KNOWN)?;
    launch(process, words, Wording::Name)
}

pub(super) fn nohup(process: &mut Process<'_, '_>) -> Run {
    let words = command(process, &[])?;
    launch(process, words, Wording::FailedToRun)
}

pub(super) fn stdbuf(process: &mut Process<'_, '_>) -> Run {
    const KNOWN: &[Known] = &[
        value("-e", 'e', &["error"]),
        value("-i", 'i', &["input"]),
        value("-o", 'o', &["output"]),
    ];
    let words = command(process, KNOWN)?;
    launch(process, words, Wording::FailedToRun)
}

pub(super) fn ionice(process: &mut Process<'_, '_>) -> Run {
    const KNOWN: &[Known] = &[
        value("-c", 'c', &["class"]),
        value("-n", 'n', &["classdata"]),
        flag("-t", 't', &["ignore"]),
    ];
    let words = command(process, KNOWN)?;
    launch(process, words, Wording::FailedToExecute)
}

pub(super) fn setsid(process: &mut Process<'_, '_>) -> Run {
    const KNOWN: &[Known] = &[flag("-w", 'w', &["wait"])];
    let words = command(process, KNOWN)?;
    launch(process, words, Wording::FailedToExecute)
}

#[cfg(test)]
mod tests {
    use crate::fixture::Image;

    fn check(line: &str, expected: &str) {
        let words: Vec<&str> = line.split(' ').collect();
        assert_eq!(Image::new().show(&words), expected, "{line}");
    }

    #[test]
    fn the_command_is_run() {
        for line in [
            "timeout 5 whoami",
            "timeout -k 1m --signal=KILL 1.5h whoami",
            "nice -n 19 whoami",
            "nohup whoami",
            "stdbuf -oL -e0 whoami",
            "ionice -c2 -n7 whoami",
            "setsid -w whoami",
            "nice nice whoami",
        ] {
            check(line, "root");
        }
        check(
            "timeout 5 nope",
            "!timeout: failed to run command 'nope': No such file or directory\nstatus 127",
        );
        check("nice nope", "!nice: 'nope': No such file or directory\nstatus 127");
        check(
            "setsid nope",
            "!setsid: failed to execute nope: No such file or directory\nstatus 127",
        );
        check(
            "nohup /etc/passwd",
            "!nohup: failed to run command '/etc/passwd': Permission denied\nstatus 126",
        );
        check("timeout soon whoami", "refused: `timeout` is given the duration soon");
    }
}
