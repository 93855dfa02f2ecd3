//! `env` and `printenv` (GNU manual, "Modified command invocation" and "System context").

use bstr::{BString, ByteSlice};

use super::launch::{Wording, launch};
use super::quoting::quoted;
use crate::files::Last;
use crate::options::{Known, Options, Order, flag, value};
use crate::process::{Process, Run, errno};
use crate::stop::{Reason, Stop};

const KNOWN: &[Known] = &[
    flag("-0", '0', &["null"]),
    value("-C", 'C', &["chdir"]),
    flag("-i", 'i', &["ignore-environment"]),
    value("-S", 'S', &["split-string"]),
    value("-u", 'u', &["unset"]),
];
/// env's own failure.
const FAILURE: u8 = 125;

pub(super) fn env(process: &mut Process<'_, '_>) -> Run {
    let options = read(process)?;
    let mut operands = &options.operands[..];
    let is_empty = options.has("-i") || operands.first().is_some_and(|first| first == "-");
    if is_empty {
        process.environment.clear();
    }
    if operands.first().is_some_and(|first| first == "-") {
        operands = &operands[1..];
    }
    for name in options.values("-u").map(BString::from).collect::<Vec<_>>() {
        if name.is_empty() || name.contains(&b'=') {
            let message =
                format!("cannot unset {}: Invalid argument", quoted(process, name.as_bstr()));
            process.complain(message)?;
            return Ok(FAILURE);
        }
        process.environment.remove(&name);
    }
    while let Some((first, rest)) = operands.split_first() {
        let Some((name, value)) = first.split_once_str("=") else { break };
        process.environment.insert(name.into(), value.into());
        operands = rest;
    }
    if operands.is_empty() {
        return print_all(process, &options);
    }
    if options.has("-0") {
        process.complain("cannot specify --null (-0) with command")?;
        process.write_to(2, b"Try 'env --help' for more information.\n")?;
        return Ok(FAILURE);
    }
    if let Some(directory) = options.value("-C").map(BString::from) {
        match errno(process.find(&directory, Last::Followed))? {
            Ok((path, stat)) if stat.is_directory() => process.directory = path,
            _ => {
                return Err(process.refuse(Reason::Use(format!("finds no directory {directory}"))));
            }
        }
    }
    let words = operands.to_vec();
    launch(process, words, Wording::Name)
}

/// Options; `-S` stands for the words in its text, as in the first line of a script.
fn read(process: &mut Process<'_, '_>) -> Result<Options, Stop> {
    let options = Options::of(process, KNOWN, Order::First)?;
    let Some(text) = options.value("-S") else { return Ok(options) };
    // Quotes, escapes, variables and comments have rules of their own.
    if text.iter().any(|byte| b"\\\"'$#".contains(byte)) {
        return Err(process.refuse(Reason::Option(format!("-S {text}"))));
    }
    let mut words: Vec<BString> = text.fields().map(BString::from).collect();
    words.extend(options.operands.iter().cloned());
    let before = options.given.iter().filter(|(id, _)| *id != "-S").cloned();
    let mut all = match Options::read(&words, KNOWN, Order::First) {
        Ok(all) if !all.has("-S") => all,
        _ => return Err(process.refuse(Reason::Option(format!("-S {text}")))),
    };
    all.given.extend(before);
    Ok(all)
}

fn print_all(process: &mut Process<'_, '_>, options: &Options) -> Run {
    let end = if options.has("-0") { b'\0' } else { b'\n' };
    let mut all = Vec::new();
    for (name, value) in &process.environment {
        all.extend_from_slice(name);
        all.push(b'=');
        all.extend_from_slice(value);
        all.push(end);
    }
    process.write(all)?;
    Ok(0)
}

pub(super) fn printenv(process: &mut Process<'_, '_>) -> Run {
    let options = Options::of(process, &KNOWN[..1], Order::First)?;
    if options.operands.is_empty() {
        return print_all(process, &options);
    }
    let end: &[u8] = if options.has("-0") { b"\0" } else { b"\n" };
    let mut status = 0;
    for name in &options.operands {
        match process.environment.get(name).cloned() {
            Some(value) => process.write([&value[..], end].concat())?,
            None => status = 1,
        }
    }
    Ok(status)
}

#[cfg(test)]
mod tests {
    use crate::fixture::Image;

    fn check(line: &str, expected: &str) {
        let words: Vec<&str> = line.split(' ').collect();
        assert_eq!(Image::new().show(&words), expected, "{line}");
    }

    #[test]
    fn the_environment_is_another() {
        check("env", "HOME=/root\nPATH=/usr/local/bin:/usr/bin:/bin");
        check("env -i A=1 B=2", "A=1\nB=2");
        check("env - A=1", "A=1");
        check("env -u HOME A= env", "A=\nPATH=/usr/local/bin:/usr/bin:/bin");
        check("env -i /usr/bin/env", "");
        check("env -i printenv", "");
        check("env A=b printenv A HOME nope", "b\n/root\nstatus 1");
        check("env nope", "!env: 'nope': No such file or directory\nstatus 127");
        check(
            "env LC_ALL=C.UTF-8 nope",
            "!env: \u{2018}nope\u{2019}: No such file or directory\nstatus 127",
        );
        check("env -u A=b", "!env: cannot unset 'A=b': Invalid argument\nstatus 125");
        check("env -x", "refused: `env` has the option `-x`, which is not built in");
        let image = Image::new();
        assert_eq!(image.show(&["env", "-S", "-i A=1 printenv", "A"]), "1");
    }
}
