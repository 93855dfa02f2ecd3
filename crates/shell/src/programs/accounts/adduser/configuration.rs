//! adduser.conf(5).

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use bstr::{BStr, BString, ByteSlice};

use super::Talk;
use crate::options::Options;
use crate::process::{Process, errno};
use crate::programs::accounts::{lookup, refused};
use crate::stop::Stop;

const FILE: &str = "/etc/adduser.conf";

/// What may be set, with what it is if it is not.
const DEFAULTS: &[(&str, &str)] = &[
    ("add_extra_groups", "0"),
    ("dhome", "/home"),
    ("dir_mode", "0700"),
    ("dshell", "/bin/bash"),
    ("extra_groups", "users"),
    ("first_gid", "1000"),
    ("first_system_gid", "100"),
    ("first_system_uid", "100"),
    ("first_uid", "1000"),
    ("last_gid", "59999"),
    ("last_system_gid", "999"),
    ("last_system_uid", "999"),
    ("last_uid", "59999"),
    ("skel", "/etc/skel"),
    ("sys_dir_mode", "0755"),
];

/// What may be set, and only in this way.
const FIXED: &[(&str, &str)] = &[
    ("gid_pool", ""),
    ("grouphomes", "no"),
    ("letterhomes", "no"),
    ("quotauser", ""),
    ("setgid_home", "no"),
    ("uid_pool", ""),
    ("usergroups", "yes"),
];

/// What is set.
#[derive(Debug)]
pub(in crate::programs::accounts) struct Configuration(BTreeMap<&'static str, BString>);

impl Configuration {
    /// Reads it. What leads to other ways is refused.
    pub(super) fn read(process: &mut Process<'_, '_>, talk: Talk) -> Result<Self, Stop> {
        let defaults = DEFAULTS.iter().map(|(key, value)| (*key, BString::from(*value)));
        let mut all: BTreeMap<&'static str, BString> = defaults.collect();
        let Ok(bytes) = errno(process.open_bytes(FILE.as_bytes()))? else {
            talk.warn(process, format!("`{FILE}' does not exist. Using defaults."))?;
            return Ok(Configuration(all));
        };
        for line in bytes.lines() {
            if line.starts_with(b"#") || line.trim().is_empty() {
                continue;
            }
            let Some((key, value)) = line.split_once_str("=") else {
                return Err(refused(process, format!("finds {} in {FILE}", line.as_bstr())));
            };
            let key = key.trim().to_ascii_lowercase();
            let value = unquoted(value.trim_start());
            let known = DEFAULTS.iter().find(|(known, _)| known.as_bytes() == key);
            let is_fixed = FIXED
                .iter()
                .any(|(known, only)| known.as_bytes() == key && only.as_bytes() == value);
            match known {
                Some((known, _)) => {
                    all.insert(known, value.into());
                }
                None if is_fixed => {}
                None => {
                    return Err(refused(process, format!("finds {} in {FILE}", line.as_bstr())));
                }
            }
        }
        Ok(Configuration(all))
    }

    /// A value.
    pub(super) fn text(&self, key: &str) -> &BStr {
        self.0.get(key).map(|value| value.as_bstr()).unwrap_or_default()
    }

    /// An octal number.
    pub(super) fn mode(&self, key: &str, otherwise: u32) -> u32 {
        let text = self.text(key).to_str().unwrap_or_default();
        u32::from_str_radix(text, 8).ok().filter(|mode| *mode <= 0o7777).unwrap_or(otherwise)
    }

    /// A range of numbers.
    pub(in crate::programs::accounts) fn numbers(&self, keys: [&str; 2]) -> RangeInclusive<u32> {
        let [least, most] = keys.map(|key| lookup::number(self.text(key)).unwrap_or_default());
        least..=most
    }

    /// The same, with what the options say.
    pub(in crate::programs::accounts) fn range(
        &self,
        options: &Options,
        keys: [&str; 2],
    ) -> Result<(u32, u32), Stop> {
        let numbers = self.numbers(keys);
        let is_user = keys[0].ends_with("uid");
        let ids = if is_user { ["--firstuid", "--lastuid"] } else { ["--firstgid", "--lastgid"] };
        let given = |id: &str| options.value(id).and_then(lookup::number).filter(|id| *id > 0);
        let least = given(ids[0]).unwrap_or(*numbers.start());
        Ok((least, given(ids[1]).unwrap_or(*numbers.end())))
    }
}

fn unquoted(value: &[u8]) -> &[u8] {
    for quote in [b"\"", b"'"] {
        let inner = value.strip_prefix(quote).and_then(|value| value.strip_suffix(quote));
        if let Some(inner) = inner {
            return inner;
        }
    }
    value
}
