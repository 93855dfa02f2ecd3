//! Programs that ask about the system, or set it up.

pub(super) mod calendar;
mod date;
mod env;
mod launch;
mod lsb_release;
pub(super) mod packages;
pub(super) mod quoting;
mod sleep;
mod uname;
mod which;

use super::Program;
use crate::process::{Process, Run};
use crate::stop::Reason;

/// By name.
pub(crate) const PROGRAMS: &[(&str, Program)] = &[
    ("arch", uname::arch),
    ("date", date::date),
    ("env", env::env),
    ("hostname", of_the_machine),
    ("ionice", launch::ionice),
    ("kill", of_the_machine),
    ("lsb_release", lsb_release::lsb_release),
    ("mount", of_the_machine),
    ("nice", launch::nice),
    ("nohup", launch::nohup),
    ("nproc", of_the_machine),
    ("pkill", of_the_machine),
    ("printenv", env::printenv),
    ("ps", of_the_machine),
    ("setsid", launch::setsid),
    ("sleep", sleep::sleep),
    ("stdbuf", launch::stdbuf),
    ("stty", of_the_machine),
    ("timeout", launch::timeout),
    ("tput", of_the_machine),
    ("umount", of_the_machine),
    ("uname", uname::uname),
    ("which", which::which),
];

/// Asks for what differs from machine to machine, or changes it.
fn of_the_machine(process: &mut Process<'_, '_>) -> Run {
    let why = "there are no processes, terminals or processors here".to_owned();
    Err(process.refuse(Reason::Machine(why)))
}
