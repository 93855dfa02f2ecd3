//! What is set for pip: in its files, and in the environment.

use oci::ImagePath;
use shell::files::FileError;
use shell::{Process, Reason, Stop as ShellStop};

use super::ini::Ini;
use super::options::{Command, refuse};

/// Whose file it is (pip's documentation, "Configuration", "Location").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    Global,
    User,
    Site,
    /// Named by `PIP_CONFIG_FILE`.
    Environment,
}

/// All that is set, from weak to strong.
#[derive(Debug, Clone, Default)]
pub(super) struct Configuration {
    pub(super) files: Vec<ConfigurationFile>,
    /// What the environment's `PIP_…` say, by key.
    pub(super) variables: Vec<(String, String)>,
}

/// A file, which may not be there.
#[derive(Debug, Clone)]
pub(super) struct ConfigurationFile {
    pub(super) level: Level,
    /// As pip names it.
    pub(super) path: String,
    pub(super) ini: Option<Ini>,
}

/// What makes pip read no file at all.
const NO_FILE: &str = "/dev/null";

impl Configuration {
    /// Reads what is set for a pip whose interpreter is in `prefix`.
    pub(super) fn read(
        process: &mut Process<'_, '_>,
        prefix: &ImagePath,
    ) -> Result<Self, ShellStop> {
        let named = variable(process, "PIP_CONFIG_FILE");
        let mut files = Vec::new();
        if named.as_deref() != Some(NO_FILE) {
            for (level, path) in places(process, prefix) {
                let ini = load(process, &path)?;
                files.push(ConfigurationFile { level, path, ini });
            }
            if let Some(path) = named {
                let ini = load(process, &path)?;
                // A file that is named takes the place of the user's.
                if ini.is_some() {
                    files.retain(|file| file.level != Level::User);
                }
                files.push(ConfigurationFile { level: Level::Environment, path, ini });
            }
        }
        Ok(Configuration { files, variables: variables(process) })
    }

    /// Leaves only what is the system's: pip's `--isolated`.
    pub(super) fn isolate(&mut self) {
        self.variables.clear();
        self.files.retain(|file| !matches!(file.level, Level::User | Level::Environment));
    }

    /// What holds for a command: keys and values, from weak to strong. The environment counts
    /// more than any file, and a command's own section more than the one for all.
    pub(super) fn of(&self, command: Command) -> Vec<(String, String)> {
        let mut set = Vec::new();
        for name in ["global", command.name()] {
            let inis = self.files.iter().filter_map(|file| file.ini.as_ref());
            let sections = inis.flat_map(|ini| &ini.sections).filter(|it| it.name == name);
            let entries = sections.flat_map(|section| &section.entries);
            set.extend(entries.map(|(key, value)| (normalized(key), value.clone())));
        }
        set.extend(self.variables.iter().cloned());
        set
    }
}

/// A key as pip compares it.
pub(super) fn normalized(key: &str) -> String {
    let key = key.to_lowercase().replace('_', "-");
    key.strip_prefix("--").map(str::to_owned).unwrap_or(key)
}

/// Where pip looks for its files, in its order.
fn places(process: &Process<'_, '_>, prefix: &ImagePath) -> Vec<(Level, String)> {
    let system = variable(process, "XDG_CONFIG_DIRS").filter(|set| !set.is_empty());
    let system = system.unwrap_or_else(|| "/etc/xdg".to_owned());
    let mut places: Vec<(Level, String)> = system
        .split(':')
        .map(|directory| (Level::Global, format!("{directory}/pip/pip.conf")))
        .collect();
    places.push((Level::Global, "/etc/pip.conf".to_owned()));
    let home = home(process);
    places.push((Level::User, format!("{home}/.pip/pip.conf")));
    let own = variable(process, "XDG_CONFIG_HOME").filter(|set| !set.is_empty());
    let own = own.unwrap_or_else(|| format!("{home}/.config"));
    places.push((Level::User, format!("{own}/pip/pip.conf")));
    places.push((Level::Site, format!("/{}", prefix.join("pip.conf"))));
    places
}

/// Python's `expanduser("~")`, with a home that is not set taken for the root's.
pub(super) fn home(process: &Process<'_, '_>) -> String {
    let home = variable(process, "HOME").filter(|home| !home.is_empty());
    home.unwrap_or_else(|| "/".to_owned()).trim_end_matches('/').to_owned()
}

/// A variable of the environment, if it is text.
pub(super) fn variable(process: &Process<'_, '_>, name: &str) -> Option<String> {
    let value = process.environment.get(&bstr::BString::from(name))?;
    std::str::from_utf8(value).ok().map(str::to_owned)
}

fn variables(process: &Process<'_, '_>) -> Vec<(String, String)> {
    let all = process.environment.iter().filter_map(|(name, value)| {
        let name = std::str::from_utf8(name).ok()?.strip_prefix("PIP_")?;
        let value = std::str::from_utf8(value).ok()?;
        let key = normalized(&name.to_lowercase());
        (!matches!(key.as_str(), "version" | "help")).then(|| (key, value.to_owned()))
    });
    all.collect()
}

/// The file at a path, if there is one that can be read.
fn load(process: &mut Process<'_, '_>, path: &str) -> Result<Option<Ini>, ShellStop> {
    let bytes = match process.open_bytes(path.as_bytes()) {
        Ok(bytes) => bytes,
        Err(FileError::Errno(_)) => return Ok(None),
        Err(FileError::Stop(stop)) => return Err(stop),
    };
    let refused = |why: &str| refuse("pip", Reason::Use(format!("reads `{path}`, which {why}")));
    let text = std::str::from_utf8(&bytes).map_err(|_| refused("is not UTF-8"))?;
    Ini::parse(text).map(Some).map_err(refused)
}
