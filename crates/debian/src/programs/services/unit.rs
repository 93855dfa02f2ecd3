//! Unit files of systemd: where they are, and what their `[Install]` sections say
//! (systemd.unit(5)).

use bstr::{BStr, BString, ByteSlice};
use shell::files::Last;
use shell::process::errno;
use shell::{Process, Stop};

use crate::programs::place;

/// Whose units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    System,
    User,
}

impl Scope {
    pub(super) fn name(self) -> &'static str {
        match self {
            Scope::System => "system",
            Scope::User => "user",
        }
    }
}

/// Where packages and the administrator have a unit, as init-system-helpers look for it; its name
/// if it is nowhere.
pub(super) fn find(
    process: &Process<'_, '_>,
    scope: Scope,
    name: &BString,
) -> Result<BString, Stop> {
    for above in ["/etc", "/lib", "/usr/lib"] {
        let path = BString::from(format!("{above}/systemd/{}/{name}", scope.name()));
        let found = errno(process.find(&path, Last::Followed))?;
        if found.is_ok_and(|(_, stat)| stat.data().is_some()) {
            return Ok(path);
        }
    }
    Ok(name.clone())
}

/// What a section `[Install]` says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Install {
    pub(super) aliases: Vec<BString>,
    pub(super) wanted_by: Vec<BString>,
    pub(super) required_by: Vec<BString>,
    pub(super) also: Vec<BString>,
    pub(super) default_instance: Option<BString>,
}

impl Install {
    /// Reads a unit file.
    pub(super) fn parse(bytes: &[u8]) -> Self {
        let mut install = Install::default();
        let mut is_inside = false;
        for line in logical_lines(bytes) {
            let line = line.trim();
            if line.starts_with(b"[") {
                is_inside = line == b"[Install]";
                continue;
            }
            let Some((key, value)) = line.split_once_str("=").filter(|_| is_inside) else {
                continue;
            };
            let value = value.trim();
            match key.trim() {
                b"Alias" => extend(&mut install.aliases, value),
                b"WantedBy" => extend(&mut install.wanted_by, value),
                b"RequiredBy" => extend(&mut install.required_by, value),
                b"Also" => extend(&mut install.also, value),
                b"DefaultInstance" => {
                    install.default_instance =
                        Some(value.into()).filter(|value: &BString| !value.is_empty());
                }
                _ => {}
            }
        }
        install
    }

    pub(super) fn is_empty(&self) -> bool {
        self.aliases.is_empty() && self.wanted_by.is_empty() && self.required_by.is_empty()
    }
}

/// Nothing takes back what was said before.
fn extend(list: &mut Vec<BString>, value: &[u8]) {
    if value.is_empty() {
        list.clear();
    }
    let unquoted = |word: &[u8]| match word {
        [b'"', inner @ .., b'"'] | [b'\'', inner @ .., b'\''] => inner.into(),
        word => BString::from(word),
    };
    list.extend(value.fields().map(unquoted));
}

/// Lines without comments, those that end in a backslash joined with the next.
fn logical_lines(bytes: &[u8]) -> Vec<BString> {
    let mut lines: Vec<BString> = Vec::new();
    let mut continues = false;
    for line in bytes.lines() {
        let start = line.trim_start();
        if start.starts_with(b"#") || start.starts_with(b";") {
            continue;
        }
        let (text, more) = match line.strip_suffix(b"\\") {
            Some(text) => (text, true),
            None => (line, false),
        };
        match lines.last_mut().filter(|_| continues) {
            Some(last) => {
                last.push(b' ');
                last.extend_from_slice(text);
            }
            None => lines.push(text.into()),
        }
        continues = more;
    }
    lines
}

/// A name in its parts: `getty@tty1.service` is `getty`, `tty1` and `.service`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) prefix: BString,
    pub(super) instance: Option<BString>,
    pub(super) ending: BString,
}

const ENDINGS: [&str; 11] = [
    ".service",
    ".socket",
    ".target",
    ".device",
    ".mount",
    ".automount",
    ".swap",
    ".timer",
    ".path",
    ".slice",
    ".scope",
];

impl Name {
    /// Reads a name; `None` for what is no unit's.
    pub(super) fn parse(text: &BStr) -> Option<Self> {
        let end = text.rfind_byte(b'.')?;
        let ending = &text[end..];
        let is_known = ENDINGS.iter().any(|known| known.as_bytes() == ending);
        let is_valid = |byte: &u8| byte.is_ascii_alphanumeric() || b":-_.\\@".contains(byte);
        if !is_known || end == 0 || text.len() > 255 || !text.iter().all(is_valid) {
            return None;
        }
        let (prefix, instance) = match text[..end].split_once_str("@") {
            Some((prefix, instance)) => (prefix, Some(instance.into())),
            None => (&text.as_bytes()[..end], None),
        };
        (!prefix.is_empty()).then(|| Name {
            prefix: prefix.into(),
            instance,
            ending: ending.into(),
        })
    }

    pub(super) fn is_template(&self) -> bool {
        self.instance.as_ref().is_some_and(|instance| instance.is_empty())
    }

    /// The template that this is an instance of.
    pub(super) fn template(&self) -> Option<BString> {
        self.instance.as_ref().filter(|instance| !instance.is_empty())?;
        Some(format!("{}@{}", self.prefix, self.ending).into())
    }

    /// This template with an instance.
    pub(super) fn with_instance(&self, instance: &BString) -> BString {
        format!("{}@{instance}{}", self.prefix, self.ending).into()
    }
}

/// The directories of units, the most important first (systemd.unit(5), "UNIT FILE LOAD PATH"),
/// without those of a running system.
pub(super) fn directories(process: &Process<'_, '_>, scope: Scope) -> Result<Vec<BString>, Stop> {
    let name = scope.name();
    let mut all: Vec<BString> = ["/etc", "/usr/local/lib", "/lib", "/usr/lib"]
        .iter()
        .map(|above| format!("{above}/systemd/{name}").into())
        .collect();
    match scope {
        // Users' units never were in `/lib`.
        Scope::User => drop(all.remove(2)),
        // With a merged /usr, the last two are one.
        Scope::System if place::link_target(process, b"/lib")?.is_some() => drop(all.pop()),
        Scope::System => {}
    }
    Ok(all)
}
