//! What dpkg knows of a package: `/var/lib/dpkg/status` (deb-control(5), dpkg(1)).

use bstr::{BStr, BString, ByteSlice};

use crate::process::{Process, errno};
use crate::stop::Stop;

/// A package's part of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::programs) struct Package {
    /// All of its lines.
    pub(in crate::programs) text: BString,
}

impl Package {
    /// A field of one line.
    pub(in crate::programs) fn field(&self, name: &str) -> Option<&BStr> {
        self.text.lines().find_map(|line| {
            let (key, value) = line.split_once_str(":")?;
            key.eq_ignore_ascii_case(name.as_bytes()).then(|| value.trim().as_bstr())
        })
    }
}

/// The packages of this name, `libc6` or `libc6:amd64`.
pub(in crate::programs) fn named(
    process: &mut Process<'_, '_>,
    name: &BStr,
) -> Result<Vec<Package>, Stop> {
    let Ok(bytes) = errno(process.open_bytes(b"/var/lib/dpkg/status"))? else {
        return Ok(Vec::new());
    };
    let (name, architecture) = match name.split_once_str(":") {
        Some((name, architecture)) => (name.as_bstr(), Some(architecture.as_bstr())),
        None => (name, None),
    };
    let all = bytes.split_str("\n\n").filter(|text| !text.trim().is_empty());
    let packages = all.map(|text| Package { text: text.trim_with(|c| c == '\n').into() });
    let is_meant = |package: &Package| {
        package.field("Package") == Some(name)
            && architecture.is_none_or(|wanted| package.field("Architecture") == Some(wanted))
    };
    Ok(packages.filter(is_meant).collect())
}
