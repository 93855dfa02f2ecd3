//! Quotation marks in messages (gnulib's `quote`).

use bstr::{BStr, BString};

use crate::process::Process;

/// Between the quotation marks of the environment's character set.
pub(in crate::programs) fn quoted(process: &Process<'_, '_>, text: &BStr) -> String {
    let set = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(|name| {
        process.environment.get(&BString::from(name)).filter(|value| !value.is_empty())
    });
    match set.is_some_and(|name| name.to_ascii_uppercase().ends_with(b"UTF-8")) {
        true => format!("\u{2018}{text}\u{2019}"),
        false => format!("'{text}'"),
    }
}
