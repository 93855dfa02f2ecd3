//! What the first line of a script names that pip installs.
//!
//! pip writes its own `sys.executable`, which is what the first line of the script `pip` names. It
//! differs between ways to the same interpreter (`python3` and `python3.12`, a link and the file),
//! so pip's script is asked where there is one.

use oci::ImagePath;

use super::executables::{Executable, look};
use crate::View;
use crate::view::{Known, together};

pub(super) fn find(view: View<'_>, executable: &Executable) -> Known<String> {
    let scripts = together(pips(executable).iter().map(|script| view.bytes(script)))?;
    for line in scripts.into_iter().flatten().filter_map(interpreter_in) {
        let named = look(view, line)?;
        if named.is_some_and(|named| named.identity == executable.identity) {
            return Ok(line.to_owned());
        }
    }
    without_pip(view, executable)
}

/// Where pip's script is that installs for `executable`.
fn pips(executable: &Executable) -> Vec<ImagePath> {
    let names = ["pip".to_owned(), "pip3".to_owned(), {
        let series = executable.series;
        format!("pip{}.{}", series.major, series.minor)
    }];
    let mut directories = match &executable.environment {
        Some(root) => vec![root.join("bin")],
        None => vec![executable.prefix.join("bin")],
    };
    if executable.environment.is_none() && executable.prefix == ImagePath::lexical("usr") {
        // A newer pip that Debian's installed, which comes first on the `PATH`.
        directories.insert(0, ImagePath::lexical("usr/local/bin"));
    }
    directories.iter().flat_map(|at| names.iter().map(|name| at.join(name))).collect()
}

/// The absolute path behind `#!`, if it is all that the line has.
fn interpreter_in(script: &[u8]) -> Option<&str> {
    // Linux reads no more of a first line than this (`BINPRM_BUF_SIZE`).
    let start = &script[..script.len().min(256)];
    let line = start.strip_prefix(b"#!")?.split(|byte| *byte == b'\n').next()?;
    let line = std::str::from_utf8(line).ok()?.trim();
    let is_path = line.starts_with('/') && !line.contains(char::is_whitespace);
    is_path.then_some(line)
}

/// What `sys.executable` would be: in a virtual environment the link in it; else the name that the
/// system's own scripts have, which for Debian's is `python3`, and for others the longest.
fn without_pip(view: View<'_>, executable: &Executable) -> Known<String> {
    if executable.environment.is_some() {
        return Ok(executable.path.clone());
    }
    let python3 = "/usr/bin/python3";
    if executable.real.parent() == Some(ImagePath::lexical("usr/bin"))
        && look(view, python3)?.is_some_and(|found| found.identity == executable.identity)
    {
        return Ok(python3.to_owned());
    }
    Ok(format!("/{}", executable.real))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_lines_that_are_a_path() {
        let check = |script: &[u8], expected: Option<&str>| {
            assert_eq!(interpreter_in(script), expected);
        };
        check(b"#!/usr/local/bin/python3.12\n# -*- coding", Some("/usr/local/bin/python3.12"));
        check(b"#!/usr/bin/python3", Some("/usr/bin/python3"));
        check(b"#!/usr/bin/env python3\n", None);
        check(b"#!/bin/sh -e\n", None);
        check(b"#!python\n", None);
        check(b"\x7fELF", None);
        check(b"#!/\xff\n", None);
    }
}
