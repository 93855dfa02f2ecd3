//! `sed` (GNU sed 4.9, as Debian 12 has it).
//!
//! Not built in: `--posix`, `--debug`, `--sandbox`, the commands `e` and the flag `e`, and the text
//! of the usage message.

mod execute;
mod parse;
mod replacement;
mod script;
mod streams;
mod substitute;
#[cfg(test)]
mod tests;

use bstr::{BString, ByteSlice};

use self::parse::{Failure, Source};
use self::streams::InPlace;
use crate::options::{Known, Options, Order, Takes, flag, long, value};
use crate::process::{Process, Run, errno};
use crate::programs::Flavour;
use crate::regular_expression::{Dialect, Encoding};
use crate::stop::{Reason, Stop};

const KNOWN: &[Known] = &[
    flag("-n", 'n', &["quiet", "silent"]),
    value("-e", 'e', &["expression"]),
    value("-f", 'f', &["file"]),
    flag("-E", 'E', &["regexp-extended"]),
    flag("-E", 'r', &[]),
    Known { id: "-i", short: Some('i'), long: &["in-place"], value: Takes::MaybeValue },
    value("-l", 'l', &["line-length"]),
    flag("-s", 's', &["separate"]),
    flag("-u", 'u', &["unbuffered"]),
    flag("-z", 'z', &["null-data", "zero-terminated"]),
    long("--follow-symlinks", &["follow-symlinks"], Takes::Nothing),
];

/// The script is wrong.
const BAD_SCRIPT: u8 = 1;
/// An input file is missing.
const BAD_INPUT: u8 = 2;
/// A file cannot be written, or read to its end.
const PANIC: u8 = 4;
/// Where `l` breaks lines if nobody says.
const LINE_LENGTH: usize = 70;

/// What a command line asks for.
#[derive(Debug, Clone)]
struct Settings {
    is_quiet: bool,
    is_separate: bool,
    in_place: Option<InPlace>,
    dialect: Dialect,
    encoding: Encoding,
    line_end: u8,
    line_length: usize,
}

/// What ends a run before the input does.
#[derive(Debug)]
enum End {
    /// The evaluation ends.
    Stop(Stop),
    /// An exit status.
    Status(u8),
}

impl From<Stop> for End {
    fn from(stop: Stop) -> Self {
        End::Stop(stop)
    }
}

/// `sed`.
pub(super) fn sed(process: &mut Process<'_, '_>) -> Run {
    match run(process) {
        Ok(status) | Err(End::Status(status)) => Ok(status),
        Err(End::Stop(stop)) => Err(stop),
    }
}

fn run(process: &mut Process<'_, '_>) -> Result<u8, End> {
    let options = Options::of(process, KNOWN, Order::Anywhere)?;
    let mut files = options.operands.clone();
    let sources = sources(process, &options, &mut files)?;
    let settings = settings(process, &options)?;
    if settings.in_place.is_some() && files.is_empty() {
        return Err(panic(process, b"no input files")?);
    }
    let mut outputs = Vec::new();
    let parsed = parse::parse(&sources, &settings, &mut outputs);
    if parsed.is_err() {
        // They are emptied as they are read.
        for name in &outputs {
            streams::open_output(process, name.as_bstr())?;
        }
    }
    let mut script = match parsed {
        Ok(script) => script,
        Err(failure) => return Err(failed(process, failure)?),
    };
    let settings = Settings { is_quiet: settings.is_quiet || script.is_quiet, ..settings };
    execute::run(process, &mut script, settings, files, &outputs)
}

/// Says what is wrong with the script.
fn failed(process: &mut Process<'_, '_>, failure: Failure) -> Result<End, Stop> {
    match failure {
        Failure::Wrong { place, message } => {
            let line = [place.as_bytes(), b": ", message.as_bytes()].concat();
            complain(process, &line)?;
            Ok(End::Status(BAD_SCRIPT))
        }
        Failure::NoLabel(label) => {
            let message = [b"can't find label for jump to `", label.as_bytes(), b"'"].concat();
            panic(process, &message)
        }
        Failure::Pattern(error) => Err(error.refusal(process)),
        Failure::NotUnderstood(what) => Err(process.refuse(Reason::Use(what.to_owned()))),
    }
}

fn settings(process: &Process<'_, '_>, options: &Options) -> Result<Settings, Stop> {
    let line_length = match options.value("-l") {
        None => LINE_LENGTH,
        Some(text) => match text.to_str().ok().and_then(|text| text.parse().ok()) {
            Some(length) if length != 1 => length,
            _ => return Err(process.refuse(Reason::Option("-l".to_owned()))),
        },
    };
    let suffix = options.given.iter().rev().find(|(id, _)| *id == "-i");
    let in_place = suffix.map(|(_, suffix)| InPlace {
        suffix: suffix.clone().filter(|suffix| !suffix.is_empty()),
        follows_links: options.has("--follow-symlinks"),
    });
    Ok(Settings {
        is_quiet: options.has("-n"),
        is_separate: options.has("-s") || in_place.is_some(),
        in_place,
        dialect: if options.has("-E") { Dialect::Extended } else { Dialect::Basic },
        encoding: Encoding::of(process)?,
        line_end: if options.has("-z") { 0 } else { b'\n' },
        line_length,
    })
}

/// The pieces of the script: `-e`, `-f`, or else the first operand.
fn sources(
    process: &mut Process<'_, '_>,
    options: &Options,
    files: &mut Vec<BString>,
) -> Result<Vec<Source>, End> {
    let mut sources = Vec::new();
    let mut expressions = 0;
    for (id, value) in &options.given {
        let Some(value) = value else { continue };
        match *id {
            "-e" => {
                expressions += 1;
                sources.push(Source::expression(expressions, value.clone()));
            }
            "-f" => {
                let path = if value == "-" { b"/dev/stdin" } else { &value[..] };
                match errno(process.open_bytes(path))? {
                    Ok(text) => sources.push(Source::file(value.clone(), &text)),
                    Err(error) => {
                        let error = error.to_string();
                        let message =
                            [b"couldn't open file ", value.as_bytes(), b": ", error.as_bytes()];
                        return Err(panic(process, &message.concat())?);
                    }
                }
            }
            _ => {}
        }
    }
    if sources.is_empty() {
        if files.is_empty() {
            return Err(process.refuse(Reason::Use("has no script".to_owned())).into());
        }
        sources.push(Source::expression(1, files.remove(0)));
    }
    Ok(sources)
}

/// Says why, and ends with the status for it.
fn panic(process: &mut Process<'_, '_>, message: &[u8]) -> Result<End, Stop> {
    complain(process, message)?;
    Ok(End::Status(PANIC))
}

fn complain(process: &mut Process<'_, '_>, message: &[u8]) -> Result<(), Stop> {
    if process.flavour == Flavour::BusyBox {
        let reason = "fails, and what BusyBox says then is not known";
        return Err(process.refuse(Reason::Use(reason.to_owned())));
    }
    let line = [b"sed: ", message, b"\n"].concat();
    process.write_to(2, &line)
}
