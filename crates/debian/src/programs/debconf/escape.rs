//! `debconf-escape`: texts as one line, and back (debconf-escape(1)).

use shell::Process;
use shell::options::{Options, Order, flag};
use shell::process::{Run, errno};

use super::words;
use crate::outside::Outside;

const USAGE: &[u8] = b"Usage: debconf-unescape -e|-u < input-text
  -e, --escape      escape text
  -u, --unescape    unescape text

Exactly one of -e or -u must be used.
";

pub(super) fn debconf_escape(process: &mut Process<'_, '_>, _: &dyn Outside) -> Run {
    let known = [flag("-e", 'e', &["escape"]), flag("-u", 'u', &["unescape"])];
    let options = Options::of(process, &known, Order::Anywhere)?;
    if options.has("-e") == options.has("-u") {
        process.write_to(2, USAGE)?;
        return Ok(1);
    }
    let mut text = Vec::new();
    if options.operands.is_empty() {
        let input = process.read_input()?;
        text.extend_from_slice(&process.bytes(&input)?);
    }
    for path in &options.operands {
        match errno(process.open_bytes(path))? {
            Ok(bytes) => text.extend_from_slice(&bytes),
            Err(error) => {
                let line = if options.has("-e") { 34 } else { 40 };
                let message =
                    format!("Can't open {path}: {error} at /usr/bin/debconf-escape line {line}.\n");
                process.write_to(2, message.as_bytes())?;
            }
        }
    }
    process.write(if options.has("-e") { words::escape(&text) } else { unescape(&text) })?;
    Ok(0)
}

/// Of a backslash at the end of a line, nothing is an escape.
fn unescape(text: &[u8]) -> Vec<u8> {
    let mut unescaped = Vec::new();
    let mut rest = text.iter().copied().peekable();
    while let Some(byte) = rest.next() {
        let escaped = rest.next_if(|next| byte == b'\\' && *next != b'\n');
        unescaped.push(match escaped {
            Some(b'n') => b'\n',
            Some(other) => other,
            None => byte,
        });
    }
    unescaped
}
