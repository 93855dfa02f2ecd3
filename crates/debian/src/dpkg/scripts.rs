//! Maintainer scripts (Debian Policy 6.5): how they are called, and what comes of it.

use bstr::{BString, ByteSlice};
use oci::ImagePath;
use shell::execute::{Call, execute};
use shell::{Refusal, Stop};

use super::engine::SkippedScript;
use super::paths;
use super::redirections::Diversions;
use super::session::{Done, Failure, Session};
use super::status::PackageId;
use crate::control::Stanza;

/// A script, and what it is given.
pub(super) struct Script<'a> {
    /// Whose it is.
    pub(super) package: &'a PackageId,
    /// The fields of that package, as far as it is the script's version.
    pub(super) stanza: &'a Stanza,
    pub(super) path: BString,
    pub(super) name: &'static str,
    /// `installed`, `new` or `old`.
    pub(super) which: &'static str,
    pub(super) arguments: Vec<String>,
}

/// Whether there was one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ran {
    Yes,
    No,
}

/// dpkg of Debian 12, for scripts that want to know.
const VERSION: &str = "1.21.22";

impl Session<'_, '_, '_> {
    /// Runs a script of a package that is there.
    pub(super) fn installed_script(
        &mut self,
        id: &PackageId,
        name: &'static str,
        arguments: &[&str],
    ) -> Done {
        if self.run_installed(id, name, arguments)? == Ran::Yes {
            self.after_script()?;
        }
        Ok(())
    }

    /// Runs a `postinst`.
    pub(super) fn postinst(&mut self, id: &PackageId, arguments: &[&str]) -> Done {
        if self.run_installed(id, "postinst", arguments)? == Ran::Yes {
            self.diversions = Diversions::read(self.process)?;
        }
        Ok(())
    }

    fn run_installed(
        &mut self,
        id: &PackageId,
        name: &'static str,
        arguments: &[&str],
    ) -> Done<Ran> {
        let stanza = self.package(id)?.stanza.clone();
        let script = Script {
            package: id,
            stanza: &stanza,
            path: self.info_path(id, name)?,
            name,
            which: "installed",
            arguments: arguments.iter().map(|word| (*word).to_owned()).collect(),
        };
        let what = self.what(&script);
        match self.run_script(&script)? {
            None => Ok(Ran::No),
            Some(0) => Ok(Ran::Yes),
            Some(status) => Err(self.failed_script(what, status)),
        }
    }

    /// Runs a script of a package that comes.
    pub(super) fn new_script(
        &mut self,
        id: &PackageId,
        stanza: &Stanza,
        name: &'static str,
        arguments: &[&str],
    ) -> Done {
        let script = Script {
            package: id,
            stanza,
            path: [paths::CONTROL, b"/", name.as_bytes()].concat().into(),
            name,
            which: "new",
            arguments: arguments.iter().map(|word| (*word).to_owned()).collect(),
        };
        let what = self.what(&script);
        match self.run_script(&script)? {
            None => Ok(()),
            Some(0) => self.after_script(),
            Some(status) => Err(self.failed_script(what, status)),
        }
    }

    /// Runs a script of the version that goes, or that of the new one if it fails.
    pub(super) fn old_script(&mut self, id: &PackageId, new: &Stanza, name: &'static str) -> Done {
        let old = self.package(id)?.stanza.clone();
        let (old_version, new_version) = (self.version(id), shown_version(new));
        let script = Script {
            package: id,
            stanza: &old,
            path: self.info_path(id, name)?,
            name,
            which: "old",
            arguments: vec!["upgrade".to_owned(), new_version.clone()],
        };
        let what = self.what(&script);
        match self.run_script(&script)? {
            None => return Ok(()),
            Some(0) => return self.after_script(),
            Some(status) => {
                self.warn(format!("{what} subprocess returned error exit status {status}"))?;
            }
        }
        self.notice("trying script from the new package instead ...")?;
        let path = [paths::CONTROL, b"/", name.as_bytes()].concat();
        if self.stat(&path)?.is_none() {
            let error = "there is no script in the new version of the package - giving up";
            return Err(Failure::Error(error.to_owned()));
        }
        self.new_script(id, new, name, &["failed-upgrade", &old_version, &new_version])?;
        self.notice("... it looks like that went OK")?;
        Ok(())
    }

    /// What scripts may have changed is read again.
    fn after_script(&mut self) -> Done {
        self.diversions = Diversions::read(self.process)?;
        self.incorporate()
    }

    fn what(&self, script: &Script<'_>) -> String {
        let kind = match script.name {
            "preinst" => "pre-installation",
            "postinst" => "post-installation",
            "prerm" => "pre-removal",
            _ => "post-removal",
        };
        format!("{} {} package {kind} script", script.which, self.shown(script.package))
    }

    fn failed_script(&self, what: String, status: u8) -> Failure {
        Failure::Error(format!("{what} subprocess returned error exit status {status}"))
    }

    /// Runs a script, and gives its exit status; `None` if there is none, or it is left out.
    fn run_script(&mut self, script: &Script<'_>) -> Done<Option<u8>> {
        let Some((path, stat)) = self.lstat(&script.path)? else { return Ok(None) };
        let name = &script.package.name;
        if self.options.skipped_scripts.contains(&**name) {
            self.skipped.push(SkippedScript {
                package: name.to_string(),
                script: script.name,
                arguments: script.arguments.clone(),
            });
            return Ok(None);
        }
        if stat.attributes.mode & 0o555 != 0o555 {
            self.files().set_mode(&path, 0o755)?;
        }
        let call = self.call(script);
        let ended = execute(self.process.machine, call);
        Ok(Some(ended.map_err(|stop| within(stop, script))?))
    }

    fn call(&mut self, script: &Script<'_>) -> Call {
        let id = script.package;
        let mut environment = self.process.environment.clone();
        let count = self.instances(&id.name).len().to_string();
        let architecture = script.stanza.text("Architecture").unwrap_or_default();
        let forced: Vec<&str> = self.settings.forced.iter().map(|force| force.name()).collect();
        let variables = [
            ("DPKG_ADMINDIR", paths::DATABASE),
            ("DPKG_ROOT", ""),
            ("DPKG_FORCE", &forced.join(",")),
            ("DPKG_MAINTSCRIPT_PACKAGE", &*id.name),
            ("DPKG_MAINTSCRIPT_PACKAGE_REFCOUNT", &count),
            ("DPKG_MAINTSCRIPT_ARCH", architecture),
            ("DPKG_MAINTSCRIPT_NAME", script.name),
            ("DPKG_MAINTSCRIPT_DEBUG", "0"),
            ("DPKG_RUNNING_VERSION", VERSION),
        ];
        for (name, value) in variables {
            environment.insert(name.into(), value.into());
        }
        let words = [script.path.clone()].into_iter();
        let arguments = script.arguments.iter().map(|word| BString::from(word.as_str()));
        Call {
            words: words.chain(arguments).collect(),
            environment,
            directory: ImagePath::root(),
            umask: self.process.umask,
            descriptors: self.process.descriptors.clone(),
        }
    }

    /// Whether a package has a script.
    pub(super) fn has_script(&self, id: &PackageId, name: &str) -> Done<bool> {
        let path = self.info_path(id, name)?;
        let at = path.rfind_byte(b'/').map_or(0, |at| at + 1);
        Ok(self.info.contains(path[at..].as_bstr()))
    }

    /// Whether a package is to be there.
    pub(super) fn is_wanted(&self, id: &PackageId) -> bool {
        use super::status::Want;
        self.status.get(id).is_some_and(|one| matches!(one.want, Want::Install | Want::Hold))
    }
}

/// A package's version as dpkg shows it.
pub(super) fn shown_version(stanza: &Stanza) -> String {
    super::session::version_shown(stanza.text("Version").unwrap_or_default()).to_owned()
}

/// A refusal by package and script: ``postinst of `foo`: `mandb` is not built in``.
fn within(stop: Stop, script: &Script<'_>) -> Stop {
    match stop {
        Stop::Refused(refusal) if refusal.within.is_none() => {
            let within = Some(format!("{} of `{}`", script.name, script.package.name));
            Stop::Refused(Box::new(Refusal { within, ..*refusal }))
        }
        stop => stop,
    }
}
