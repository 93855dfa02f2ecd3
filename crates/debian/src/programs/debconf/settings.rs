//! `/etc/debconf.conf`: which databases there are, and how questions are asked (debconf.conf(5)).

use std::collections::BTreeMap;

use bstr::{BStr, BString, ByteSlice};
use shell::Process;
use shell::process::errno;
use shell::{Reason, Stop};

use super::words::{is_space, trim_end, trim_start};

/// Where the settings are looked for, behind those of the user or of the environment.
const FILES: [&[u8]; 2] = [b"/etc/debconf.conf", b"/usr/share/debconf/debconf.conf"];
/// What changes which databases there are, and is not built in.
const OTHER_DATABASES: [&str; 4] =
    ["DEBCONF_DB_REPLACE", "DEBCONF_DB_OVERRIDE", "DEBCONF_DB_FALLBACK", "DPKG_ROOT"];

/// A stanza of the file: keys in small letters with `_` for `-`.
pub(super) type Stanza = BTreeMap<BString, BString>;

/// What is set.
#[derive(Debug, Clone, Default)]
pub(super) struct Settings {
    /// The first stanza.
    options: Stanza,
    /// The databases, in their order.
    pub(super) databases: Vec<Stanza>,
    environment: BTreeMap<BString, BString>,
}

impl Settings {
    /// Those that hold for a process.
    pub(super) fn of(process: &mut Process<'_, '_>) -> Result<Settings, Stop> {
        let environment = process.environment.clone();
        for variable in OTHER_DATABASES {
            if environment.get(BStr::new(variable)).is_some_and(|value| !value.is_empty()) {
                return Err(
                    process.refuse(Reason::Use(format!("is told by {variable} where things are")))
                );
            }
        }
        let own = match environment.get(BStr::new("DEBCONF_SYSTEMRC")) {
            Some(path) if !path.is_empty() => path.clone(),
            _ => "/root/.debconfrc".into(),
        };
        for path in [&own[..], FILES[0], FILES[1]] {
            if let Ok(text) = errno(process.open_bytes(path))? {
                let mut stanzas = stanzas(&text, &environment).into_iter();
                let options = stanzas.next().unwrap_or_default();
                return Ok(Settings { options, databases: stanzas.collect(), environment });
            }
        }
        Err(process.refuse(Reason::Use("finds no configuration file".to_owned())))
    }

    /// What the first stanza sets.
    pub(super) fn option(&self, name: &str) -> Option<&BStr> {
        self.options.get(BStr::new(name)).map(|value| value.as_bstr())
    }

    /// What the environment, or else the first stanza, sets.
    pub(super) fn preferred(&self, variable: &str, option: &str) -> Option<&BStr> {
        self.variable(variable).or_else(|| self.option(option))
    }

    /// What the environment sets.
    pub(super) fn variable(&self, name: &str) -> Option<&BStr> {
        self.environment.get(BStr::new(name)).map(|value| value.as_bstr())
    }

    /// Sets an option as a command line does.
    pub(super) fn set(&mut self, option: &str, value: &BStr) {
        self.options.insert(option.into(), value.into());
    }
}

fn stanzas(text: &[u8], environment: &BTreeMap<BString, BString>) -> Vec<Stanza> {
    let all = text.split_str("\n\n").map(|text| stanza(text, environment));
    all.filter(|stanza| !stanza.is_empty()).collect()
}

fn stanza(text: &[u8], environment: &BTreeMap<BString, BString>) -> Stanza {
    let text = with_variables(text, environment);
    let lines = text.lines().map(|line| trim_end(trim_start(line)));
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with(b"#"));
    lines.map(setting).collect()
}

fn setting(line: &BStr) -> (BString, BString) {
    let (key, value) = line.split_once_str(":").unwrap_or((line, b""));
    let key = key.trim_end_with(|letter| u8::try_from(letter).is_ok_and(is_space));
    (key.to_ascii_lowercase().replace("-", "_").into(), trim_start(value).into())
}

/// With the values of `${NAME}`.
fn with_variables(text: &[u8], environment: &BTreeMap<BString, BString>) -> Vec<u8> {
    let mut expanded = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let behind = &rest[start + 2..];
        let Some(end) = behind.find_byte(b'}').filter(|end| *end > 0) else { break };
        expanded.extend_from_slice(&rest[..start]);
        let value = environment.get(behind[..end].as_bstr());
        expanded.extend_from_slice(value.map(|value| &value[..]).unwrap_or_default());
        rest = &behind[end + 1..];
    }
    expanded.extend_from_slice(rest);
    expanded
}
