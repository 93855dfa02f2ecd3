//! What apt-get and the program `dpkg` do with packages: one method for one run of dpkg.

use std::collections::BTreeSet;
use std::sync::Arc;

use shell::Process;
use shell::process::Run;

use super::paths;
use super::session::{Action, Done, Failure, Session, id_of};
use super::settings::Force;
use super::status::{PackageId, Want};
use crate::control::Stanza;
use crate::deb::Deb;
use crate::outside::Outside;

/// dpkg over a process: its files, its output, its environment.
pub struct Engine<'p, 'm, 'o: 'm> {
    pub(super) process: &'p mut Process<'m, 'o>,
    pub(super) outside: &'p dyn Outside,
    pub(super) options: Options,
    /// What was left out.
    pub skipped: Vec<SkippedScript>,
}

/// How dpkg is run.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Packages whose scripts are not run.
    pub skipped_scripts: BTreeSet<String>,
    /// `--force-…`, beside what dpkg.cfg says.
    pub forced: BTreeSet<Force>,
    /// `--refuse-…`.
    pub refused: BTreeSet<Force>,
    /// Whether triggers are run in the end.
    pub triggers: Triggers,
    /// Whether packages may be deconfigured that stand in the way (`--auto-deconfigure`).
    pub deconfigure: Deconfigure,
}

/// Whether triggers are run in the end of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Triggers {
    /// As dpkg does by itself.
    #[default]
    Run,
    /// `--no-triggers`: a later run does.
    Deferred,
}

/// Whether packages may be deconfigured that stand in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Deconfigure {
    /// It is an error.
    #[default]
    Never,
    /// They are.
    Automatically,
}

/// A script that was not run because the caller said so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedScript {
    /// The package.
    pub package: String,
    /// Its script: `postinst`.
    pub script: &'static str,
    /// What it would have been given.
    pub arguments: Vec<String>,
}

/// What becomes of configuration files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// They stay (`--remove`).
    Remove,
    /// They go, too (`--purge`).
    Purge,
}

impl<'p, 'm, 'o: 'm> Engine<'p, 'm, 'o> {
    /// dpkg, with this process's input, output and environment.
    pub fn new(
        process: &'p mut Process<'m, 'o>,
        outside: &'p dyn Outside,
        options: Options,
    ) -> Self {
        Engine { process, outside, options, skipped: Vec::new() }
    }

    /// `dpkg --unpack`. The exit status is 1 if a package could not be; dpkg has said why.
    pub fn unpack(&mut self, debs: &[Arc<Deb>]) -> Run {
        self.run(Action::Unpack, |session| session.unpack_all(&beside_others(debs)))
    }

    /// `dpkg --unpack` of files, shown by these paths.
    pub fn unpack_files(&mut self, debs: &[(String, Arc<Deb>)]) -> Run {
        self.run(Action::Unpack, |session| session.unpack_all(debs))
    }

    /// `dpkg --install`.
    pub fn install(&mut self, debs: &[Arc<Deb>]) -> Run {
        self.install_files(&beside_others(debs))
    }

    /// `dpkg --install` of files, shown by these paths.
    pub fn install_files(&mut self, debs: &[(String, Arc<Deb>)]) -> Run {
        self.run(Action::Install, |session| {
            session.unpack_all(debs)?;
            session.process_queue()
        })
    }

    /// `dpkg --configure PACKAGE…`.
    pub fn configure(&mut self, packages: &[PackageId]) -> Run {
        self.run(Action::Configure, |session| {
            packages.iter().for_each(|id| session.enqueue_named(id));
            session.defer_all();
            session.process_queue()
        })
    }

    /// `dpkg --configure --pending`.
    pub fn configure_pending(&mut self) -> Run {
        self.run_pending(Action::Configure)
    }

    /// `dpkg --triggers-only PACKAGE…`.
    pub fn run_triggers_of(&mut self, packages: &[PackageId]) -> Run {
        self.run(Action::Triggers, |session| {
            packages.iter().for_each(|id| session.enqueue_named(id));
            session.process_queue()
        })
    }

    /// `dpkg --triggers-only --pending`.
    pub fn run_triggers(&mut self) -> Run {
        self.run_pending(Action::Triggers)
    }

    /// `dpkg --remove PACKAGE…` or `dpkg --purge PACKAGE…`.
    pub fn remove(&mut self, packages: &[PackageId], removal: Removal) -> Run {
        self.run(removal.action(), |session| {
            packages.iter().for_each(|id| session.enqueue_named(id));
            session.process_queue()
        })
    }

    /// `dpkg --remove --pending` or `dpkg --purge --pending`.
    pub fn remove_pending(&mut self, removal: Removal) -> Run {
        self.run_pending(removal.action())
    }

    /// `dpkg --set-selections`: what is wanted of packages.
    pub fn select(&mut self, selections: &[(PackageId, Want)]) -> Run {
        self.run(Action::Configure, |session| {
            session.take_over_available()?;
            for (id, want) in selections {
                session.package_mut(id)?.want = *want;
            }
            Ok(())
        })
    }

    fn run_pending(&mut self, action: Action) -> Run {
        self.run(action, |session| {
            session.is_pending = true;
            session.enqueue_pending();
            session.process_queue()
        })
    }

    /// One run: the database is opened, worked on, and closed.
    fn run(&mut self, action: Action, work: impl FnOnce(&mut Session<'_, 'm, 'o>) -> Done) -> Run {
        let options = self.options.clone();
        let opened = Session::open(self.process, self.outside, options, action);
        let mut session = match opened {
            Ok(session) => session,
            Err(failure) => return fatal(self.process, failure),
        };
        let worked = work(&mut session);
        let ended = match worked {
            Ok(()) => session.run_deferred().and_then(|()| session.close()),
            Err(failure) => {
                let status = fatal(session.process, failure)?;
                session.close().map(|_| status)
            }
        };
        self.skipped.append(&mut session.skipped);
        ended
    }
}

/// An error that is of no package: dpkg's exit status is 2 then.
fn fatal(process: &mut Process<'_, '_>, failure: Failure) -> Run {
    match failure {
        Failure::Stop(stop) => Err(stop),
        Failure::Said => Ok(2),
        Failure::Error(error) => {
            process.write_to(2, format!("dpkg: error: {error}\n").as_bytes())?;
            Ok(2)
        }
    }
}

/// Packages as apt shows them, by their file names.
fn beside_others(debs: &[Arc<Deb>]) -> Vec<(String, Arc<Deb>)> {
    let shown = |deb: &Arc<Deb>| format!("/var/cache/apt/archives/{}", deb.filename);
    debs.iter().map(|deb| (shown(deb), Arc::clone(deb))).collect()
}

impl Session<'_, '_, '_> {
    /// Where dpkg looks at `available`, priorities and sections are as that has them.
    fn take_over_available(&mut self) -> Done {
        let Some(bytes) = self.bytes(paths::AVAILABLE)? else { return Ok(()) };
        let Ok(stanzas) = Stanza::parse_all(&bytes) else { return Ok(()) };
        for stanza in stanzas {
            let Some(package) = self.status.get_mut(&id_of(&stanza)) else { continue };
            for name in ["Priority", "Section"] {
                if let Some(value) = stanza.get(name).filter(|value| !value.is_empty()) {
                    package.stanza.set(name, value);
                }
            }
        }
        Ok(())
    }

    fn unpack_all(&mut self, debs: &[(String, Arc<Deb>)]) -> Done {
        for (path, deb) in debs {
            self.unpack(deb, path)?;
            if self.has_given_up() {
                break;
            }
        }
        Ok(())
    }
}

impl Removal {
    fn action(self) -> Action {
        match self {
            Removal::Remove => Action::Remove,
            Removal::Purge => Action::Purge,
        }
    }
}
