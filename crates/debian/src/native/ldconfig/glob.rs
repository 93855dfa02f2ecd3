//! Patterns of paths, as glob(3) expands them for `include`.

use bstr::{BStr, BString, ByteSlice};
use shell::files::Last;
use shell::process::errno;
use shell::wildcard::{self, Case};
use shell::{Process, Stop};

/// The paths that a pattern matches, sorted by their bytes.
pub(super) fn expand(process: &mut Process<'_, '_>, pattern: &BStr) -> Result<Vec<BString>, Stop> {
    let start = if pattern.starts_with(b"/") { "/" } else { "" };
    let mut found = vec![BString::from(start)];
    for component in pattern.split_str("/").filter(|component| !component.is_empty()) {
        let mut next = Vec::new();
        for above in found {
            process.machine.budget.step()?;
            if component.find_byteset(b"*?[\\").is_some() {
                next.extend(matching(process, &above, component.as_bstr())?);
            } else {
                next.push(joined(&above, component));
            }
        }
        found = next;
    }
    let mut there = Vec::new();
    for path in found {
        if errno(process.find(&path, Last::Kept))?.is_ok() {
            there.push(path);
        }
    }
    there.sort();
    Ok(there)
}

/// The names in a directory that match.
fn matching(
    process: &Process<'_, '_>,
    above: &BString,
    pattern: &BStr,
) -> Result<Vec<BString>, Stop> {
    let place = if above.is_empty() { BStr::new(".") } else { above.as_bstr() };
    let Ok((path, stat)) = errno(process.find(place, Last::Followed))? else {
        return Ok(Vec::new());
    };
    if !stat.is_directory() {
        return Ok(Vec::new());
    }
    let Ok(names) = errno(process.machine.files.read_dir(&path))? else { return Ok(Vec::new()) };
    let visible = |name: &BString| !name.starts_with(b".") || pattern.starts_with(b".");
    let names = names
        .into_keys()
        .filter(|name| visible(name) && wildcard::matches(pattern, name, Case::Counts));
    Ok(names.map(|name| joined(above, &name)).collect())
}

fn joined(above: &BString, name: &[u8]) -> BString {
    let slash: &[u8] = if above.is_empty() || above.ends_with(b"/") { b"" } else { b"/" };
    [above.as_slice(), slash, name].concat().into()
}
