//! `mountpoint` (mountpoint(1) of util-linux 2.38) and `ischroot` (ischroot(1)).

use shell::options::{Options, Order, flag};
use shell::process::Run;
use shell::{Process, Reason};

use crate::outside::Outside;
use crate::programs::failure::refused;
use crate::programs::place;
use crate::programs::skipped::is_from_package;

/// What every container has mounted.
const MOUNTED: [&str; 4] = ["", "dev", "proc", "sys"];
/// Exit status for what is no mount point.
const NOT_MOUNTED: u8 = 32;

pub(super) fn mountpoint(process: &mut Process<'_, '_>, _: &dyn Outside) -> Run {
    let options = Options::of(process, &[flag("quiet", 'q', &["quiet"])], Order::Anywhere)?;
    let [path] = &options.operands[..] else {
        return Err(refused(process, "is given several paths"));
    };
    let is_quiet = options.has("quiet");
    let Ok(real) = process.locate(path, shell::files::Last::Followed) else {
        return missing(process, &path.to_string(), is_quiet);
    };
    let is_mounted = MOUNTED.iter().any(|known| known.as_bytes() == real.path.as_bytes());
    if !is_mounted && !place::exists(process, path)? {
        return missing(process, &path.to_string(), is_quiet);
    }
    if !is_quiet {
        let is = if is_mounted { "is" } else { "is not" };
        process.write(format!("{path} {is} a mountpoint\n"))?;
    }
    Ok(if is_mounted { 0 } else { NOT_MOUNTED })
}

fn missing(process: &mut Process<'_, '_>, path: &str, is_quiet: bool) -> Run {
    if !is_quiet {
        process.complain(format_args!("{path}: No such file or directory"))?;
    }
    Ok(1)
}

/// A maintainer script asks whether there is an init to speak to, and there is none.
pub(super) fn ischroot(process: &mut Process<'_, '_>, _: &dyn Outside) -> Run {
    match is_from_package(process) {
        true => Ok(0),
        false => Err(process.refuse(Reason::Machine("it asks how it was started".to_owned()))),
    }
}
