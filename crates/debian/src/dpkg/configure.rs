//! Configuring: configuration files are put into place, and `postinst configure` is run (Debian
//! Policy 6.6, "Details of configuration").

use super::checks::Verdict;
use super::queue::Attempt;
use super::session::{Done, Failure, Fate, Session};
use super::settings::Force;
use super::status::{PackageId, State};

impl Session<'_, '_, '_> {
    /// Configures a package, or puts it off.
    pub(super) fn configure_package(&mut self, id: &PackageId) -> Done {
        self.check_state(id)?;
        self.check_instances(id)?;
        if self.attempts.attempt >= Attempt::Cycles && self.break_cycle(id) {
            self.attempts.since_progress = 0;
        }
        let (mut verdict, mut why) = self.dependencies_hold(id, None)?;
        if verdict == Verdict::Later {
            self.note_of(id).fate = Fate::Installed;
            self.enqueue(id);
            return Ok(());
        }
        self.trigger_cycle = super::triggers::Cycle::default();
        let (is_unbroken, breaks) = self.breaks_nothing(id);
        why.push_str(&breaks);
        if !is_unbroken {
            verdict = Verdict::Never;
        }
        self.attempts.since_progress = 0;
        let name = self.shown(id);
        let problems = format!("dependency problems prevent configuration of {name}:\n{why}");
        if verdict == Verdict::Never {
            self.notice(problems)?;
            let error = "dependency problems - leaving unconfigured".to_owned();
            return Err(Failure::Error(error));
        }
        if !why.is_empty() {
            let line = "dependency problems, but configuring anyway as you requested";
            self.notice(format!("{name}: {line}:\n{why}"))?;
        }
        self.configure_now(id)
    }

    fn configure_now(&mut self, id: &PackageId) -> Done {
        if self.package(id)?.is_broken {
            let error = "package is in a very bad inconsistent state; you should\n \
                reinstall it before attempting configuration";
            self.forcible(Force::RemoveReinstallRequired, error.to_owned())?;
        }
        let (name, version) = (self.shown(id), self.version(id));
        self.say(format!("Setting up {name} ({version}) ...\n"))?;
        self.activate_for(id)?;
        if self.state(id) == State::Unpacked {
            self.note(id)?;
            self.configure_conffiles(id)?;
            self.set_state(id, State::HalfConfigured)?;
        }
        self.note(id)?;
        let before = self.package(id)?.configured_version();
        let before =
            before.map(|version| super::session::version_shown(version.as_str()).to_owned());
        self.postinst(id, &["configure", &before.unwrap_or_default()])?;
        self.package_mut(id)?.is_broken = false;
        self.package_mut(id)?.stanza.remove("Triggers-Pending");
        self.finish_script(id)
    }

    fn check_state(&self, id: &PackageId) -> Done {
        let name = self.shown(id);
        let state = self.state(id);
        Err(Failure::Error(match state {
            State::Unpacked | State::HalfConfigured => return Ok(()),
            State::NotInstalled => {
                format!("no package named '{name}' is installed, cannot configure")
            }
            State::Installed => format!("package {name} is already installed and configured"),
            _ => format!(
                "package {name} is not ready for configuration\n \
                cannot configure (current status '{}')",
                self.package(id)?.state_name()
            ),
        }))
    }

    /// Packages of several architectures are configured in one version only.
    fn check_instances(&self, id: &PackageId) -> Done {
        let own = self.package(id)?.version();
        for other in self.instances(&id.name).iter().filter(|other| *other != id) {
            let package = self.package(other)?;
            if package.state <= State::ConfigFiles {
                continue;
            }
            if package.state < State::Unpacked {
                return Err(Failure::Error(format!(
                    "package {id} cannot be configured because {other} is not ready (current \
                    status '{}')",
                    package.state_name()
                )));
            }
            if package.version().order(&own).is_ne() {
                return Err(Failure::Error(format!(
                    "package {id} {} cannot be configured because {other} is at a different \
                    version ({})",
                    self.version(id),
                    self.version(other)
                )));
            }
        }
        Ok(())
    }
}
