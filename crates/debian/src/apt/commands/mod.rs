//! apt-get, apt, apt-cache and apt-mark: command lines over the choice, the packages and dpkg.
//!
//! [`session`] is one run: its command line and configuration; [`update`] fetches lists, [`change`]
//! decides what is installed and removed, [`carry_out`] does it, [`summary`] says so.

mod cache;
pub(super) mod carry_out;
pub(super) mod change;
mod clean;
mod hooks;
mod mark;
mod options;
pub(super) mod session;
pub(super) mod states;
pub(super) mod summary;
mod update;

use shell::process::Run;
use shell::{Process, Reason};

use self::change::Goal;
use self::session::{Done, Session, settle};
use crate::outside::Outside;
use crate::programs::Program;

/// The programs, by name.
pub(crate) const PROGRAMS: &[(&str, Program)] = &[
    ("apt", apt),
    ("apt-cache", apt_cache),
    ("apt-config", apt_config),
    ("apt-get", apt_get),
    ("apt-mark", apt_mark),
];

fn apt_get(process: &mut Process<'_, '_>, outside: &dyn Outside) -> Run {
    run(process, outside, "apt-get", |session, command| match goal(command) {
        Some(goal) => change::change(session, goal),
        None => match command {
            "update" => update::update(session),
            "clean" => clean::clean(session),
            "autoclean" | "auto-clean" => clean::clean(session),
            "distclean" | "dist-clean" => clean::clean_all(session),
            other => Err(unknown(session, other)),
        },
    })
}

/// What `apt` says to whoever calls it where no terminal is.
const UNSTABLE: &str =
    "\nWARNING: apt does not have a stable CLI interface. Use with caution in scripts.\n";

fn apt(process: &mut Process<'_, '_>, outside: &dyn Outside) -> Run {
    run(process, outside, "apt", |session, command| {
        if !session.is_set("Apt::Cmd::Disable-Script-Warning") {
            session.complain(UNSTABLE)?;
        }
        match goal(command) {
            Some(goal) => change::change(session, goal),
            None => match command {
                "update" => update::update(session),
                "clean" | "autoclean" | "auto-clean" => clean::clean(session),
                "policy" => cache::policy(session),
                other => Err(unknown(session, other)),
            },
        }
    })
}

fn apt_cache(process: &mut Process<'_, '_>, outside: &dyn Outside) -> Run {
    run(process, outside, "apt-cache", |session, command| match command {
        "policy" => cache::policy(session),
        "pkgnames" => cache::names(session),
        other => Err(unknown(session, other)),
    })
}

fn apt_mark(process: &mut Process<'_, '_>, outside: &dyn Outside) -> Run {
    run(process, outside, "apt-mark", mark::mark)
}

fn apt_config(process: &mut Process<'_, '_>, outside: &dyn Outside) -> Run {
    run(process, outside, "apt-config", |session, command| match command {
        "dump" => {
            let text = session.configuration.dump();
            session.process.write(text)?;
            Ok(0)
        }
        "shell" => cache::shell(session),
        other => Err(unknown(session, other)),
    })
}

fn run(
    process: &mut Process<'_, '_>,
    outside: &dyn Outside,
    program: &'static str,
    carry_out: impl FnOnce(&mut Session<'_, '_, '_>, &str) -> Done,
) -> Run {
    let done = match Session::begin(process, outside, program) {
        Ok((mut session, Some(command))) => carry_out(&mut session, &command),
        Ok((session, None)) => {
            Err(session.process.refuse(Reason::Use("is given no command".to_owned())).into())
        }
        Err(failure) => Err(failure),
    };
    settle(process, done)
}

/// What a command wants of packages, if it wants anything of them.
fn goal(command: &str) -> Option<Goal> {
    Some(match command {
        "install" => Goal::Install,
        "reinstall" => Goal::Reinstall,
        "remove" => Goal::Remove,
        "purge" => Goal::Purge,
        "upgrade" => Goal::Upgrade,
        "dist-upgrade" | "full-upgrade" => Goal::FullUpgrade,
        "autoremove" | "auto-remove" => Goal::AutoRemove,
        "autopurge" => Goal::AutoPurge,
        "check" => Goal::Check,
        _ => return None,
    })
}

fn unknown(session: &Session<'_, '_, '_>, command: &str) -> crate::apt::problem::Failure {
    session
        .process
        .refuse(Reason::Use(format!("is asked to {command}, which is not built in")))
        .into()
}
