//! Users and groups of the image's own files (passwd(5), group(5)).

use std::collections::BTreeMap;

use bstr::{BStr, BString, ByteSlice};
use shell::{Process, Stop};

use super::place;

/// Names and numbers of one file, in its order.
#[derive(Debug, Clone, Default)]
pub(super) struct Names {
    all: Vec<(BString, u32)>,
    by_name: BTreeMap<BString, u32>,
}

impl Names {
    /// The users.
    pub(super) fn users(process: &mut Process<'_, '_>) -> Result<Self, Stop> {
        Names::read(process, b"/etc/passwd")
    }

    /// The groups.
    pub(super) fn groups(process: &mut Process<'_, '_>) -> Result<Self, Stop> {
        Names::read(process, b"/etc/group")
    }

    fn read(process: &mut Process<'_, '_>, path: &[u8]) -> Result<Self, Stop> {
        let bytes = place::read(process, path)?.unwrap_or_default();
        let mut names = Names::default();
        for line in bytes.lines() {
            let mut fields = line.split_str(":");
            let (name, number) = (fields.next().unwrap_or_default(), fields.nth(1));
            let number = number.and_then(|text| text.to_str().ok()?.parse().ok());
            if let Some(number) = number {
                names.all.push((name.into(), number));
                names.by_name.entry(name.into()).or_insert(number);
            }
        }
        Ok(names)
    }

    /// The number of a name.
    pub(super) fn number(&self, name: &BStr) -> Option<u32> {
        self.by_name.get(name).copied()
    }

    /// The first name of a number.
    pub(super) fn name(&self, number: u32) -> Option<&BString> {
        self.all.iter().find(|(_, known)| *known == number).map(|(name, _)| name)
    }
}
