//! debconf while it is open: its databases, and what is remembered of them in one run.

use std::collections::{BTreeMap, BTreeSet};

use bstr::{BStr, BString, ByteSlice};
use shell::machine::Machine;
use shell::{Process, Stop};

use super::database::{Access, Stack};
use super::frontend::FrontEnd;
use super::language::Languages;
use super::settings::Settings;

/// debconf, opened.
pub(super) struct Session {
    pub(super) settings: Settings,
    pub(super) config: Stack,
    pub(super) templates: Stack,
    pub(super) languages: Languages,
    pub(super) frontend: FrontEnd,
    /// Questions that were spoken of, with the priority that each was last asked with.
    pub(super) questions: BTreeMap<BString, Option<BString>>,
    /// Templates that were spoken of. They count as known even when the last owner is gone.
    pub(super) known_templates: BTreeSet<BString>,
    /// What is to be said to the standard output and errors.
    pub(super) output: Vec<u8>,
    pub(super) errors: Vec<u8>,
    /// Questions are asked although they were seen.
    pub(super) shows_seen: bool,
    umask: u32,
}

impl Session {
    /// Opens the databases. The error is an exit status; what there is to say was said.
    pub(super) fn open(
        process: &mut Process<'_, '_>,
        access: Access,
    ) -> Result<Result<Session, u8>, Stop> {
        let settings = Settings::of(process)?;
        Session::open_with(process, settings, access)
    }

    /// The same with settings that a command line has changed.
    pub(super) fn open_with(
        process: &mut Process<'_, '_>,
        settings: Settings,
        access: Access,
    ) -> Result<Result<Session, u8>, Stop> {
        let mut opened = Vec::new();
        for which in ["config", "templates"] {
            let name = settings.option(which).unwrap_or_default().to_owned();
            match Stack::open(process, &settings, name.as_bstr(), access)? {
                Ok(stack) => opened.push(stack),
                Err(message) => {
                    if says_warnings(&settings) {
                        process.write_to(2, format!("{message}\n").as_bytes())?;
                    }
                    opened.iter().for_each(|stack: &Stack| stack.close(process.machine));
                    return Ok(Err(1));
                }
            }
        }
        let templates = opened.pop().unwrap_or_default();
        let config = opened.pop().unwrap_or_default();
        let languages = Languages::of(process)?;
        Ok(Ok(Session {
            settings,
            config,
            templates,
            languages,
            frontend: FrontEnd::default(),
            questions: BTreeMap::new(),
            known_templates: BTreeSet::new(),
            output: Vec::new(),
            errors: Vec::new(),
            shows_seen: false,
            umask: process.umask,
        }))
    }

    /// Writes what has changed, and lets others open the databases.
    pub(super) fn save(&mut self, machine: &mut Machine<'_>) -> Result<(), Stop> {
        self.config.save(machine, self.umask)?;
        self.templates.save(machine, self.umask)?;
        self.close(machine);
        Ok(())
    }

    /// Lets others open the databases, and forgets what has changed.
    pub(super) fn close(&self, machine: &mut Machine<'_>) {
        self.config.close(machine);
        self.templates.close(machine);
    }

    /// Says to the errors what debconf itself has to say.
    pub(super) fn warn(&mut self, message: &[u8]) {
        if says_warnings(&self.settings) {
            self.errors.extend([b"debconf: ", message, b"\n"].concat());
        }
    }

    /// Writes what was said, as the process.
    pub(super) fn flush(&mut self, process: &mut Process<'_, '_>) -> Result<(), Stop> {
        process.write_to(2, &std::mem::take(&mut self.errors))?;
        process.write_to(1, &std::mem::take(&mut self.output))
    }

    /// How important a question has to be to be asked.
    pub(super) fn priority(&mut self) -> BString {
        if let Some(priority) = self.settings.preferred("DEBIAN_PRIORITY", "priority") {
            return priority.into();
        }
        let value = self.value_if_known("debconf/priority");
        value.unwrap_or_else(|| "high".into())
    }

    /// The value of a question that may not be there; empty is none.
    pub(super) fn value_if_known(&mut self, name: &str) -> Option<BString> {
        let name = BStr::new(name);
        let value = self.has_question(name).then(|| self.value(name))?;
        (!value.is_empty()).then_some(value)
    }
}

fn says_warnings(settings: &Settings) -> bool {
    settings.preferred("DEBCONF_NOWARNINGS", "nowarnings").is_none_or(|value| value != "yes")
}

/// The place of a priority among them; `None` if it is none.
pub(super) fn rank(priority: &BStr) -> Option<usize> {
    ["low", "medium", "high", "critical"].iter().position(|known| *known == priority)
}
