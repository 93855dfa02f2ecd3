//! Which units a distribution wants enabled (systemd.preset(5)).

use std::collections::BTreeMap;

use bstr::{BString, ByteSlice};
use shell::Process;
use shell::wildcard::{self, Case};

use super::unit::{Name, Scope};
use crate::programs::failure::{Step, refused};
use crate::programs::place;

/// Whether a unit shall be enabled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    Enable,
    Disable,
    Ignore,
}

/// What the first rule says that speaks of a unit; without one it is enabled.
pub(super) fn wish(process: &mut Process<'_, '_>, scope: Scope, name: &BString) -> Step<Wish> {
    let kind = format!("systemd/{}-preset", scope.name());
    // Of files of one name the first counts.
    let mut files: BTreeMap<BString, BString> = BTreeMap::new();
    for above in ["/etc", "/usr/local/lib", "/usr/lib", "/lib"] {
        let directory = BString::from(format!("{above}/{kind}"));
        for file in place::names(process, &directory)? {
            if file.ends_with(b".preset") {
                let path = place::within(&directory, &file);
                files.entry(file).or_insert(path);
            }
        }
    }
    let mut names = vec![name.clone()];
    names.extend(Name::parse(name.as_bstr()).and_then(|parsed| parsed.template()));
    for path in files.values() {
        let bytes = place::read(process, path)?.unwrap_or_default();
        for line in bytes.lines() {
            let fields: Vec<&[u8]> = line.fields().collect();
            let (wish, pattern, more) = match fields[..] {
                [b"enable", pattern, ref more @ ..] => (Wish::Enable, pattern, more),
                [b"disable", pattern, ref more @ ..] => (Wish::Disable, pattern, more),
                [b"ignore", pattern, ref more @ ..] => (Wish::Ignore, pattern, more),
                _ => continue,
            };
            if names.iter().any(|name| wildcard::matches(pattern, name, Case::Counts)) {
                if !more.is_empty() {
                    return Err(refused(process, format!("finds instances in {path}")).into());
                }
                return Ok(wish);
            }
        }
    }
    Ok(Wish::Enable)
}
