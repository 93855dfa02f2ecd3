//! In what BusyBox's applets do as GNU's programs of the same names.
//!
//! They know fewer options, say other things, and differ where inputs are odd. What is not known
//! to be the same is refused.

use crate::options::{Known, Options, Order};
use crate::process::Process;
use crate::programs::Flavour;
use crate::stop::{Reason, Stop};

/// Programs, and the options in which they do the same.
const ALIKE: &[(&str, &[&str])] = &[
    ("base64", &["-d", "-w"]),
    ("cmp", &["-s"]),
    ("cut", &["-b", "-c", "-d", "-f"]),
    ("diff", &["-q"]),
    ("expand", &["-t"]),
    ("fold", &["-b", "-s", "-w"]),
    ("head", &["-c", "-n", "-q", "-v"]),
    ("md5sum", &["-c"]),
    ("nl", &["-b", "-i", "-s", "-v", "-w"]),
    ("rev", &[]),
    ("sha1sum", &["-c"]),
    ("sha256sum", &["-c"]),
    ("sha512sum", &["-c"]),
    ("sort", &["-k", "-n", "-o", "-r", "-t", "-u"]),
    ("tac", &[]),
    ("tail", &["-c", "-n", "-q", "-v"]),
    ("tee", &["-a"]),
    ("tr", &["-c", "-d", "-s"]),
    ("uniq", &["-c", "-d", "-f", "-i", "-s", "-u", "-w"]),
    ("wc", &["-L", "-c", "-l", "-m", "-w"]),
];

/// Reads the arguments of `process`, as [`Options::of`] does, and refuses what BusyBox has in
/// another way, if it is BusyBox's.
pub(super) fn options(
    process: &Process<'_, '_>,
    known: &[Known],
    order: Order,
) -> Result<Options, Stop> {
    let options = Options::of(process, known, order)?;
    refuse_others(process, &options)?;
    Ok(options)
}

/// The same for options that are read already.
pub(super) fn refuse_others(process: &Process<'_, '_>, options: &Options) -> Result<(), Stop> {
    if process.flavour == Flavour::Gnu {
        return Ok(());
    }
    let own = ALIKE.iter().find(|(name, _)| process.name() == *name);
    let Some((_, alike)) = own else { return Err(differs(process)) };
    let is_long = |word: &&bstr::BString| word.len() > 2 && word.starts_with(b"--");
    if let Some(word) = process.arguments().iter().find(is_long) {
        return Err(process.refuse(Reason::Option(word.to_string())));
    }
    match options.given.iter().find(|(id, _)| !alike.contains(id)) {
        Some((id, _)) => Err(process.refuse(Reason::Option((*id).to_owned()))),
        None => Ok(()),
    }
}

/// Refuses what BusyBox has in another way than GNU.
pub(super) fn refuse(process: &Process<'_, '_>) -> Result<(), Stop> {
    if process.flavour == Flavour::BusyBox { Err(differs(process)) } else { Ok(()) }
}

fn differs(process: &Process<'_, '_>) -> Stop {
    process.refuse(Reason::Use("is BusyBox's here, which differs from GNU's".to_owned()))
}
