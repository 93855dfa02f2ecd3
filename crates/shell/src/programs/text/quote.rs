//! Text that a shell reads as what was meant: `%q` of `printf`.

use crate::evaluate::dialect::Dialect;
use crate::process::Process;
use crate::programs::quoting;
use crate::stop::{Reason, Stop};

/// What a shell would read as this text: `%q`.
pub(super) fn reusable(
    process: &Process<'_, '_>,
    dialect: Option<Dialect>,
    text: &[u8],
) -> Result<Vec<u8>, Stop> {
    if !text.iter().all(|byte| (b' '..=b'~').contains(byte)) {
        let what = "quotes what cannot be printed, or is beyond ASCII".to_owned();
        return Err(process.refuse(Reason::Use(what)));
    }
    match dialect {
        Some(Dialect::Bash) => Ok(with_backslashes(text)),
        _ => Ok(in_quotes(text)),
    }
}

/// GNU's way: quotes around all of it, if any are needed. A colon needs none.
fn in_quotes(text: &[u8]) -> Vec<u8> {
    let rest: Vec<u8> = text.iter().copied().filter(|byte| *byte != b':').collect();
    if !text.is_empty() && (rest.is_empty() || quoting::bare(&rest).as_bytes() == rest) {
        return text.to_vec();
    }
    quoting::quoted(text).into_bytes()
}

/// Bash's way: a backslash before whatever it could take for something else.
fn with_backslashes(text: &[u8]) -> Vec<u8> {
    if text.is_empty() {
        return b"''".to_vec();
    }
    let mut quoted = Vec::new();
    let mut last = None;
    for byte in text {
        let is_special = match byte {
            b'#' => last.is_none(),
            b'~' => matches!(last, None | Some(b':' | b'=')),
            byte => b" '\"\\|&;()<>!{}*[]?^$`,".contains(byte),
        };
        if is_special {
            quoted.push(b'\\');
        }
        quoted.push(*byte);
        last = Some(*byte);
    }
    quoted
}
