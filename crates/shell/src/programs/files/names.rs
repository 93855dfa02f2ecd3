//! `basename` and `dirname` (coreutils manual, "basename invocation", "dirname invocation").

use bstr::ByteSlice;

use super::destination::{base, without_slashes};
use super::report::usage;
use crate::options::{Known, Options, Order, flag, value};
use crate::process::{Process, Run};
use crate::programs::quoting::cited;

const BASENAME: &[Known] =
    &[flag("-a", 'a', &["multiple"]), value("-s", 's', &["suffix"]), flag("-z", 'z', &["zero"])];
const DIRNAME: &[Known] = &[flag("-z", 'z', &["zero"])];

/// The last name of each path.
pub(super) fn basename(process: &mut Process<'_, '_>) -> Run {
    let options = Options::of(process, BASENAME, Order::First)?;
    let is_multiple = options.has("-a") || options.has("-s");
    let (paths, suffix) = match (&*options.operands, is_multiple) {
        ([], _) => return usage(process, "missing operand"),
        (paths, true) => (paths, options.value("-s").unwrap_or_default()),
        ([_], false) => (&*options.operands, Default::default()),
        ([_, suffix], false) => (&options.operands[..1], suffix.as_bstr()),
        ([_, _, extra, ..], false) => {
            return usage(process, format!("extra operand {}", cited(extra)));
        }
    };
    let end: &[u8] = if options.has("-z") { b"\0" } else { b"\n" };
    for path in paths {
        let name = base_or_root(path);
        let short = match name.strip_suffix(&**suffix) {
            Some(short) if !short.is_empty() && name != b"/" => short,
            _ => name,
        };
        process.write([short, end].concat())?;
    }
    Ok(0)
}

fn base_or_root(path: &[u8]) -> &[u8] {
    match without_slashes(path) {
        b"/" => b"/",
        path => base(path),
    }
}

/// Each path without its last name.
pub(super) fn dirname(process: &mut Process<'_, '_>) -> Run {
    let options = Options::of(process, DIRNAME, Order::Anywhere)?;
    if options.operands.is_empty() {
        return usage(process, "missing operand");
    }
    let end: &[u8] = if options.has("-z") { b"\0" } else { b"\n" };
    for path in &options.operands {
        process.write([directory(path), end].concat())?;
    }
    Ok(0)
}

/// A path without its last name: `.` if there is no other.
pub(super) fn directory(path: &[u8]) -> &[u8] {
    let path = without_slashes(path);
    match path.rfind_byte(b'/') {
        None => b".",
        Some(end) => without_slashes(&path[..end.max(1)]),
    }
}
