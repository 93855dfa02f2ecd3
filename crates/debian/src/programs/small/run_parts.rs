//! `run-parts` (run-parts(8) of debianutils 5.7).

use bstr::BString;
use shell::Process;
use shell::files::{EXECUTE, Last};
use shell::options::{Known, Options, Order, Takes, long, value};
use shell::process::{Run, errno};

use crate::outside::Outside;
use crate::programs::failure::refused;
use crate::programs::place;

const KNOWN: &[Known] = &[
    long("test", &["test"], Takes::Nothing),
    long("list", &["list"], Takes::Nothing),
    long("exit-on-error", &["exit-on-error"], Takes::Nothing),
    long("reverse", &["reverse"], Takes::Nothing),
    value("arg", 'a', &["arg"]),
];

pub(super) fn run_parts(process: &mut Process<'_, '_>, _: &dyn Outside) -> Run {
    let options = Options::of(process, KNOWN, Order::Anywhere)?;
    let [directory] = &options.operands[..] else {
        return Err(refused(process, "is given several directories"));
    };
    if !place::is_directory(process, directory)? {
        let why = "failed to open directory";
        process.complain(format_args!("{why} {directory}: No such file or directory"))?;
        return Ok(1);
    }
    let mut names = place::names(process, directory)?;
    names.retain(|name| is_part(name));
    if options.has("reverse") {
        names.reverse();
    }
    let mut status = 0;
    for name in names {
        let path = place::within(directory, &name);
        let Ok((_, stat)) = errno(process.find(&path, Last::Followed))? else {
            let rest = format!("component {path}: No such file or directory");
            process.complain(format_args!("failed to stat {rest}"))?;
            status = 1;
            if options.has("exit-on-error") {
                break;
            }
            continue;
        };
        if stat.data().is_none() {
            continue;
        }
        let is_program = process.machine.files.may(&stat, EXECUTE);
        if options.has("list") || (options.has("test") && is_program) {
            process.write([&path[..], b"\n"].concat())?;
        } else if is_program && !options.has("test") {
            let mut words = vec![path.clone()];
            words.extend(options.values("arg").map(BString::from));
            let ended = process.spawn(words)?;
            if ended != 0 {
                process.complain(format_args!("{path} exited with return code {ended}"))?;
                status = 1;
                if options.has("exit-on-error") {
                    break;
                }
            }
        }
    }
    Ok(status)
}

/// Whether a name is one of letters, digits, dashes and underscores.
fn is_part(name: &[u8]) -> bool {
    name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(byte))
}
