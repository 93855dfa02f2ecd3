//! What is set for users to come: login.defs(5) and useradd's defaults.

use std::collections::BTreeMap;

use bstr::{BStr, BString, ByteSlice};

use crate::process::{Process, errno};
use crate::stop::Stop;

/// The keys of a file with their values.
#[derive(Debug, Clone, Default)]
pub(super) struct Settings(BTreeMap<BString, BString>);

impl Settings {
    /// login.defs(5); without the file, nothing is set.
    pub(super) fn of_login(process: &mut Process<'_, '_>) -> Result<Self, Stop> {
        let mut settings = Settings::default();
        for line in lines(process, b"/etc/login.defs")?.unwrap_or_default() {
            let line = line.trim();
            let end = line.iter().position(u8::is_ascii_whitespace);
            let Some(end) = end.filter(|_| !line.starts_with(b"#")) else { continue };
            let value = line[end..].trim().trim_with(|letter| letter == '"');
            settings.set(line[..end].as_bstr(), value.as_bstr());
        }
        Ok(settings)
    }

    /// `/etc/default/useradd`; `None` without the file.
    pub(super) fn of_useradd(process: &mut Process<'_, '_>) -> Result<Option<Self>, Stop> {
        let Some(lines) = lines(process, b"/etc/default/useradd")? else { return Ok(None) };
        let mut settings = Settings::default();
        for line in lines.iter().filter(|line| !line.starts_with(b"#")) {
            if let Some((key, value)) = line.split_once_str("=") {
                settings.set(key.as_bstr(), value.as_bstr());
            }
        }
        Ok(Some(settings))
    }

    /// Sets one.
    pub(super) fn set(&mut self, key: &BStr, value: &BStr) {
        self.0.insert(key.into(), value.into());
    }

    /// A value.
    pub(super) fn text(&self, key: &str) -> Option<&BStr> {
        self.0.get(&BString::from(key)).map(|value| value.as_bstr())
    }

    /// Whether a value is `yes`.
    pub(super) fn is_yes(&self, key: &str) -> bool {
        self.text(key).is_some_and(|value| value.eq_ignore_ascii_case(b"yes"))
    }

    /// A number, in C's notation; what is none counts as not set.
    pub(super) fn number(&self, key: &str, otherwise: u32) -> u32 {
        let value = self.text(key).and_then(|value| value.to_str().ok());
        let parsed = value.and_then(|value| match value.strip_prefix("0x") {
            Some(digits) => u32::from_str_radix(digits, 16).ok(),
            None if value.starts_with('0') => u32::from_str_radix(value, 8).ok(),
            None => value.parse().ok(),
        });
        parsed.unwrap_or(otherwise)
    }
}

fn lines(process: &mut Process<'_, '_>, path: &[u8]) -> Result<Option<Vec<BString>>, Stop> {
    let Ok(bytes) = errno(process.open_bytes(path))? else { return Ok(None) };
    Ok(Some(bytes.lines().map(BString::from).collect()))
}
